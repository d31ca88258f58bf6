# SPDX-License-Identifier: BSD-3-Clause
"""Failures that a test did not expect: counted at the end of a script, listed and judged by pytest."""

import re

import pytest

from pynvme import failures

HEAD = """
    import threading, unittest, warnings
    import nvme as d
    import pytest
    from pynvme.vssd import VirtualSsd

    def out_of_range(n=1):
        ns, qpair, buf = opened()
        for _ in range(n):
            ns.read(qpair, buf, 1 << 40).waitdone()

    def opened():
        nvme0 = d.Controller("vssd:size=64M")
        return d.Namespace(nvme0), d.Qpair(nvme0, 8), d.Buffer(4096)

    def spoil(lba):
        ns, qpair, buf = opened()
        ns.write(qpair, buf, lba, 8).waitdone()
        ssd = VirtualSsd.attach("vssd:size=64M")
        data = bytearray(ssd.peek(1, lba))
        data[100] ^= 1
        ssd.poke(1, lba, data)
        return ns, qpair, buf

    def mismatch(lba=0):
        ns, qpair, buf = spoil(lba)
        ns.read(qpair, buf, lba).waitdone()

    def failed_assertion():
        ns, qpair, buf = opened()
        def done(cpl):
            assert cpl is None, "never"
        ns.read(qpair, buf, 64, cb=done).waitdone()
"""


@pytest.fixture
def suite(pytester, run):
    """Give ``suite(source, *arguments)``: runs pytest on tests that begin with HEAD."""

    def run_suite(source, *arguments):
        pytester.makepyfile(HEAD + source)
        return run("-p", "no:cacheprovider", *arguments)

    return run_suite


GRAVE = """
    def test_a_mismatch():
        mismatch()

    def test_an_assertion():
        failed_assertion()

    def test_a_worker_that_finds_a_mismatch():
        ns, qpair, buf = spoil(0)
        ns.ioworker(io_size=8, lba_random=False, region_end=8).start().close()

    def test_ignored():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mismatch()

    @pytest.mark.filterwarnings("ignore:ERROR")
    def test_ignored_by_a_mark():
        mismatch()

    @pytest.mark.nvme_errors("warn")
    def test_that_tolerates_errors():
        mismatch()

    def test_recorded_and_not_looked_at(recwarn):
        failed_assertion()
        mismatch()

    def test_another_status_expected():
        with pytest.warns(UserWarning, match="ERROR status: 00/80"):
            out_of_range()
            mismatch()

    def test_expected_but_ignored():
        with pytest.warns(UserWarning):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mismatch()
            out_of_range()

    class TestOldStyle(unittest.TestCase):
        def test_a_mismatch(self):
            mismatch()
"""


@pytest.mark.parametrize(
    "more", [(), ("-W", "ignore"), ("-o", "filterwarnings=ignore::UserWarning")], ids=str
)
def test_a_mismatch_or_an_assertion_fails_each_test_that_does_not_expect_it(suite, more):
    suite(GRAVE, *more).assert_outcomes(failed=10)


def test_the_failure_names_the_assertion_and_how_to_expect_it(suite):
    result = suite("\n    def test_it():\n        failed_assertion()\n")
    text = result.stdout.str()
    line = text[: text.index("never")].count("\n")
    assert line
    result.stdout.re_match_lines_random(
        [
            r"1 assertion in a callback failed, which the test does not expect",
            r"In a callback: never \(.*/test_the_failure_names_the_assertion_and_how_to_expect_it\.py:\d+\)",
            r"To expect it, .*pytest\.warns\(UserWarning, match='ASSERT: '\)",
            r"test_the_failure.*::test_it: 1 assertion in a callback failed",
        ]
    )


EXPECTED = """
    def test_a_mismatch():
        with pytest.warns(UserWarning, match="ERROR status: 07/81"):
            mismatch()

    def test_an_assertion():
        with pytest.warns(UserWarning, match="^ASSERT: never"):
            failed_assertion()

    def test_a_worker():
        ns, qpair, buf = spoil(0)
        with pytest.warns(UserWarning, match="ioworker device respond an ERROR status: 07/81"), \\
             pytest.warns(UserWarning, match="host ERROR -6"):
            ns.ioworker(io_size=8, lba_random=False, region_end=8).start().close()

    def test_any():
        with pytest.warns(UserWarning):
            mismatch()
            out_of_range()

    def test_nested():
        with pytest.warns(UserWarning, match="07/81"):
            with pytest.warns(UserWarning, match="00/80"):
                out_of_range()
                mismatch()

    def test_a_function():
        pytest.warns(UserWarning, mismatch)

    def test_taken_out_of_the_recorder(recwarn):
        mismatch()
        assert str(recwarn.pop(UserWarning).message) == "ERROR status: 07/81 Data Verification Failed"

    @pytest.fixture
    def expecting():
        with pytest.warns(UserWarning, match="07/81"):
            yield

    def test_by_a_fixture(expecting):
        mismatch()

    def test_an_exception():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UserWarning, match="07/81"):
                mismatch()

    def test_another_thread():
        with pytest.warns(UserWarning, match="07/81"):
            thread = threading.Thread(target=mismatch)
            thread.start()
            thread.join()

    class TestOldStyle(unittest.TestCase):
        def test_a_mismatch(self):
            with self.assertWarnsRegex(UserWarning, "07/81"):
                mismatch()
            with self.assertWarns(UserWarning):
                out_of_range()
"""


@pytest.mark.parametrize("more", [("-W", "ignore"), ("-p", "no:warnings")], ids=str)
def test_what_a_test_expects_neither_fails_it_nor_is_listed(suite, more):
    result = suite(EXPECTED, "--nvme-errors=fail", *more)
    result.assert_outcomes(passed=11)
    result.stdout.no_fnmatch_line("*no test expected*")


STATUS = """
    def test_two():
        out_of_range(2)

    def test_expected():
        with pytest.warns(UserWarning, match="ERROR status: 00/80"):
            out_of_range()

    @pytest.mark.parametrize("i", range(2))
    def test_parametrised(i):
        out_of_range(100)

    @pytest.mark.xfail(strict=True)
    def test_known():
        out_of_range()

    @pytest.mark.nvme_errors("warn")
    def test_tolerant():
        out_of_range()

    @pytest.fixture
    def fails_before():
        out_of_range()

    @pytest.fixture
    def fails_after():
        yield
        out_of_range()

    @pytest.fixture(scope="session")
    def fails_after_all():
        yield
        out_of_range()

    def test_set_up(fails_before):
        assert d.__version__

    def test_torn_down(fails_after):
        assert d.__version__

    def test_of_the_session(fails_after_all):
        assert d.__version__

    class TestOldStyle(unittest.TestCase):
        def test_it(self):
            out_of_range()
"""


def test_an_error_status_is_listed_with_the_tests_name_and_fails_nothing(suite):
    result = suite(STATUS.replace("@pytest.mark.xfail(strict=True)", ""))
    result.assert_outcomes(passed=10)
    text = result.stdout.str()
    assert "test_two: 2 commands ended with an error status: 2 × 00/80 LBA Out of Range" in text
    assert "test_parametrised[1]: 100 commands ended with an error status: 100 × 00/80" in text
    assert re.search(r"test_set_up: 1 command ended with an error status: 1 × 00/80", text)
    assert "test_expected:" not in text


@pytest.mark.parametrize(
    "words",
    [("-o", "nvme_errors=fail"), ("--nvme-errors=fail", "-W", "ignore")],
    ids=str,
)
def test_an_error_status_fails_the_test_or_its_fixture_where_that_is_wanted(suite, words):
    # Torn down: the test passes, then its fixture fails.
    suite(STATUS, *words).assert_outcomes(passed=4, failed=4, errors=3, xfailed=1)


def test_the_option_wins_over_the_ini_key_and_the_mark_over_both(suite):
    source = """
    def test_it():
        out_of_range()

    @pytest.mark.nvme_errors("fail")
    def test_strict():
        out_of_range()
    """
    suite(source, "-o", "nvme_errors=fail", "--nvme-errors=warn").assert_outcomes(passed=1, failed=1)


def test_a_word_that_is_no_mode_is_told(suite):
    source = "\n    @pytest.mark.nvme_errors('ignore')\n    def test_it():\n        assert d.__version__\n"
    for words, told in (
        (("-o", "nvme_errors=no"), "the ini key nvme_errors must be 'warn' or 'fail', not 'no'"),
        ((), "test_it: the mark nvme_errors must be 'warn' or 'fail', not 'ignore'"),
    ):
        result = suite(source, *words)
        assert result.ret != 0
        assert told in result.stdout.str() + result.stderr.str()


def test_xdist_workers_hand_over_what_they_found(suite):
    result = suite(STATUS + GRAVE, "-n", "2", "--nvme-errors=fail")
    text = result.stdout.str()
    assert "test_two: 2 commands ended with an error status: 2 × 00/80 LBA Out of Range" in text
    assert "test_a_mismatch: 1 command ended with an error status: 1 × 07/81 Data Verification Failed" in text
    assert "test_an_assertion: 1 assertion in a callback failed" in text
    assert result.parseoutcomes()["failed"] == 13


def test_what_fails_outside_of_tests_is_listed_and_a_mismatch_fails_the_session(suite):
    for words in ((), ("-n", "1")):
        result = suite("\n    mismatch()\n    def test_it():\n        assert d.__version__\n", *words)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["outside of a test: 1 command ended *07/81*"])
        assert result.ret == 1


def test_a_test_that_fails_for_its_own_reason_tells_that_and_the_errors_beside_it(suite):
    result = suite(
        """
    def test_it():
        failed_assertion()
        out_of_range()
        assert 1 == 2, "my own"
    """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*AssertionError: my own*", "*NVMe errors that the test did not expect*", "1 command ended *00/80*"]
    )


def test_a_command_that_times_out_and_a_worker_that_fails_are_listed_too(suite):
    result = suite(
        """
    def test_worker():
        ns, qpair, buf = opened()
        ns.ioworker(io_size=8, time=1, io_sequence=[(0, 2, 1 << 40, 1)]).start().close()

    def test_shape():
        ns, qpair, buf = opened()
        ns.read(qpair, buf, 0, cb=lambda: None).waitdone()
    """
    )
    text = result.stdout.str()
    assert re.search("test_worker: 1 command ended .*00/80 LBA Out of Range; 1 IO worker failed", text)
    assert "test_shape: 1 callback was not called" in text


# Scripts

READS = """
import os, sys, warnings
import nvme as d
nvme0 = d.Controller("vssd:size=64M")
ns, qpair, buf = d.Namespace(nvme0), d.Qpair(nvme0, 8), d.Buffer(4096)
def fail(n):
    for _ in range(n):
        ns.read(qpair, buf, 1 << 40).waitdone()
"""
LINE = "commands ended with an error status"


def test_the_end_of_a_script_counts_the_commands_that_failed_by_status_and_name(python):
    done = python(READS + "fail(100)\nns.send_cmd(0x83, qpair).waitdone()\n")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        "101 commands ended with an error status: "
        "100 × 00/80 LBA Out of Range, 1 × 00/01 Invalid Command Opcode"
    )
    assert done.stderr.count("ERROR status: 00/80") == 1, "Python shows a warning once for each line"


def test_one_command_is_one_command(python):
    assert python(READS + "fail(1)").stderr.endswith(
        "\n1 command ended with an error status: 1 × 00/80 LBA Out of Range\n"
    )


@pytest.mark.parametrize("filter", ["ignore", "always", "once"])
def test_the_count_does_not_depend_on_the_filters(python, filter):
    assert "\n3 commands ended" in "\n" + python(READS + f"warnings.simplefilter('{filter}'); fail(3)").stderr


def test_a_script_without_a_failure_prints_nothing(python):
    done = python(READS + "ns.read(qpair, buf, 0).waitdone()")
    assert done.stdout + done.stderr == ""


def test_a_script_that_ends_by_an_exception_has_its_line_too(python):
    assert LINE in python(READS + "fail(2)\nraise KeyError").stderr
    assert "1 command ended" in python(READS + "fail(2)", "-W", "error").stderr


@pytest.mark.parametrize(
    "number, name, text",
    [
        (0x080, "LBA OUT OF RANGE", "00/80 LBA Out of Range"),
        (0x129, "I/O COMMAND SET NOT SUPPORTED", "01/29 I/O Command Set Not Supported"),
        (0x12C, "INVALID I/O COMMAND SET", "01/2c Invalid I/O Command Set"),
    ],
)
def test_a_status_is_written_as_the_specification_writes_it(number, name, text):
    assert failures.status(number, name) == text


def test_the_line_is_switched_off_by_the_environment_or_the_script(python, monkeypatch):
    off = "import pynvme.failures\npynvme.failures.summary = False\n"
    assert LINE not in python(READS + off + "fail(2)").stderr
    assert LINE not in python("import os\nos.environ['PYNVME_SUMMARY'] = '0'\n" + READS + "fail(2)").stderr


def test_forked_children_tell_what_is_their_own_and_only_once(python):
    source = READS + (
        "fail(2)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    {end}\n"
        "os.waitpid(pid, 0)\n"
        "worker = ns.ioworker(io_size=8, time=0.1).start()\n"
        "worker.close()\n"
    )
    for end in ("sys.exit()", "os._exit(0)"):
        assert python(source.format(end=end)).stderr.count("ended with an error status") == 1


def test_a_script_whose_standard_error_is_closed_ends_as_it_would(python):
    done = python("import os, sys\n" + READS + "fail(2)\nsys.stderr = None")
    assert (done.returncode, LINE in done.stderr) == (0, False)
    assert python(READS + "fail(2)\nos.close(2)").returncode == 0


def test_an_encoding_without_the_sign_gets_a_letter(python):
    assert "2 x 00/80" in python(READS + "fail(2)\nsys.stderr.reconfigure(encoding='ascii')").stderr


def test_an_assertion_that_a_helper_makes_names_the_helpers_line_but_not_the_drivers(python):
    done = python(
        READS + "def check(value):\n"
        "    assert value\n"
        "def done(cpl):\n"
        "    check(0)\n"
        "def wrong(cpl):\n"
        "    ns.read(qpair, buf, 0, 70000)\n"
        "for cb in (done, wrong):\n"
        "    ns.read(qpair, buf, 0, cb=cb).waitdone()\n"
    )
    lines = re.findall(r"ASSERT: .*", done.stderr)
    assert re.fullmatch(r"ASSERT: .*\(<string>:10\)", lines[0])
    assert re.fullmatch(r"ASSERT: .*lba_count.*70000 \(<string>:14\)", lines[1])
