# SPDX-License-Identifier: BSD-3-Clause
"""The pytest plugin: fixtures, the option, and users' conftests that have both already."""

import importlib.metadata
import os
import re
import textwrap

import pytest

OPTION = """
    def pytest_addoption(parser):
        parser.addoption("--pciaddr", action="store", default="the user's own", help="mine")
"""


def test_a_test_that_only_names_fixtures_runs_on_a_virtual_ssd(pytester, run):
    pytester.makepyfile(
        """
        import nvme

        def test_all(pciaddr, pcie, nvme0, nvme0n1, subsystem, qpair, buf, verify, aer):
            assert pciaddr == "vssd"
            assert isinstance(pcie, nvme.Pcie) and isinstance(nvme0, nvme.Controller)
            assert isinstance(nvme0n1, nvme.Namespace) and isinstance(subsystem, nvme.Subsystem)
            assert isinstance(qpair, nvme.Qpair) and isinstance(buf, nvme.Buffer)
            assert verify is True
            nvme0n1.write(qpair, buf, 0).waitdone()
        """
    )
    run().assert_outcomes(passed=1)


def test_a_conftest_with_the_same_option_wins(pytester, run):
    pytester.makeconftest(OPTION)
    pytester.makepyfile('def test_it(pciaddr):\n    assert pciaddr == "the user\'s own"')
    run().assert_outcomes(passed=1)


def test_a_conftest_with_the_same_option_that_loads_the_plugin_itself_wins(
    pytester, environment, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    pytester.makeconftest("pytest_plugins = ['pynvme.plugin']\n" + textwrap.dedent(OPTION))
    pytester.makepyfile('def test_it(pciaddr):\n    assert pciaddr == "the user\'s own"')
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_conftest_that_loads_the_plugin_gets_the_option(pytester, environment, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    pytester.makeconftest("pytest_plugins = ['pynvme.plugin']")
    pytester.makepyfile("def test_it(pciaddr):\n    assert pciaddr == 'vssd:name=mine'")
    pytester.runpytest_subprocess("--pciaddr", "vssd:name=mine").assert_outcomes(passed=1)


def test_the_option_in_a_conftest_below_the_root_wins_too(pytester, run):
    folder = pytester.mkdir("suite")
    (folder / "conftest.py").write_text(textwrap.dedent(OPTION))
    (folder / "test_it.py").write_text('def test_it(pciaddr):\n    assert pciaddr == "the user\'s own"\n')
    run("suite").assert_outcomes(passed=1)


def test_a_conftest_that_is_found_only_with_the_tests_may_add_the_option_too(pytester, run):
    folder = pytester.mkdir("suite")
    (folder / "conftest.py").write_text(textwrap.dedent(OPTION))
    (folder / "test_it.py").write_text("def test_it(pciaddr):\n    assert pciaddr == 'vssd:name=mine'\n")
    run("--pciaddr=vssd:name=mine").assert_outcomes(passed=1)


def test_a_conftest_that_adds_the_option_to_a_group_of_its_own_wins(pytester, run):
    pytester.makeconftest(
        """
        def pytest_addoption(parser):
            parser.getgroup("mine").addoption("--pciaddr", default="the user's own")
        """
    )
    pytester.makepyfile('def test_it(pciaddr):\n    assert pciaddr == "the user\'s own"')
    run().assert_outcomes(passed=1)


def test_the_option_given_reaches_the_fixture(pytester, run):
    pytester.makepyfile("def test_it(pciaddr):\n    assert pciaddr == '01:00.0'")
    run("--pciaddr=01:00.0").assert_outcomes(passed=1)


def test_users_fixtures_of_the_same_names_win(pytester, run):
    pytester.makeconftest(
        """
        import nvme, pytest

        @pytest.fixture(scope="session")
        def nvme0(pciaddr):
            return nvme.Controller(pciaddr)

        @pytest.fixture(scope="session")
        def nvme0n1(nvme0):
            return nvme.Namespace(nvme0, 1)

        @pytest.fixture
        def buf():
            return "mine"
        """
    )
    pytester.makepyfile(
        """
        import pytest
        seen = []

        @pytest.mark.parametrize("i", range(2))
        def test_it(nvme0, nvme0n1, qpair, buf, i):
            seen.append(nvme0)
            assert seen[0] is nvme0, "scope of the session"
            assert buf == "mine"
            nvme0.getfeatures(7).waitdone()
        """
    )
    run().assert_outcomes(passed=2)


def test_users_function_fixture_below_ours_is_used_by_ours(pytester, run):
    pytester.makeconftest(
        """
        import nvme, pytest

        @pytest.fixture(scope="function")
        def pcie(pciaddr):
            device = nvme.Pcie("vssd:size=64M")
            yield device
            device.close()
        """
    )
    pytester.makepyfile(
        """
        def test_it(nvme0n1, qpair, buf):
            assert nvme0n1.capacity <= 64 << 20
        """
    )
    run().assert_outcomes(passed=1)


def test_the_shared_buffer_is_whole_again_for_each_test(pytester, run):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("i", range(3))
        def test_it(buf, i):
            assert (len(buf), buf.size, buf.offset) == (4096, 4096, 0)
            buf.offset = 512
            buf.size = 1024
        """
    )
    run().assert_outcomes(passed=3)


def test_a_test_whose_body_only_passes_is_skipped_without_opening_the_drive(pytester, run):
    pytester.makepyfile(
        '''
        def test_pass(nvme0):
            pass

        def test_docstring(nvme0):
            """To be written."""

        def test_dots(nvme0): ...

        class TestClass:
            def test_method(self, nvme0):
                pass

        def test_written():
            assert True
            x = None
        '''
    )
    run("--pciaddr=/no/such/drive").assert_outcomes(skipped=4, passed=1)


def test_the_seed_and_the_duration_are_logged_and_the_seed_repeats(pytester, run, monkeypatch):
    pytester.makepyfile(
        """
        import random, nvme

        def test_it():
            print("NUMBERS", random.random(), nvme.Buffer(16, ptype=0xbeef, pvalue=100)[:].hex())
        """
    )
    first = run("-s", "-o", "log_cli=true", "-o", "log_cli_level=INFO")
    first.stdout.re_match_lines_random([r".*random seed: \d+ ", r".*test duration: \d+\.\d+ s"])
    numbers = [line for line in first.outlines if "NUMBERS" in line]
    seed = re.search(r"random seed: (\d+)", first.stdout.str()).group(1)
    monkeypatch.setenv("PYNVME_SEED", seed)
    again = run("-s", "-o", "log_cli=true", "-o", "log_cli_level=INFO")
    assert [line for line in again.outlines if "NUMBERS" in line] == numbers


def test_a_seed_that_is_no_number_is_named(pytester, run, monkeypatch):
    monkeypatch.setenv("PYNVME_SEED", "seven")
    pytester.makepyfile("def test_it():\n    assert True or None")
    result = run()
    result.stderr.fnmatch_lines(["ERROR: PYNVME_SEED must be an integer, not 'seven'"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.no_fnmatch_line("*test_it*")


@pytest.mark.parametrize(
    ("address", "text"), [("vssd:siz=1G", "has no option 'siz'"), ("vssd:size", "size lacks its value")]
)
def test_a_malformed_address_is_told_once_and_before_any_test(pytester, run, address, text):
    pytester.makepyfile("def test_it(pcie):\n    assert pcie\n\ndef test_next(pcie):\n    assert pcie")
    result = run("--pciaddr", address)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count(text) == 1
    result.stdout.no_fnmatch_line("*is broken*")


def test_reports_of_the_phases_hang_at_the_item(pytester, run):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def look(request):
            yield
            assert request.node.rep_setup.passed
            assert request.node.rep_call.failed
            print("LOOKED")

        def test_it(look):
            assert False
        """
    )
    result = run("-s")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*LOOKED*"])


def test_an_aer_function_is_registered_for_its_test_only(pytester, run):
    pytester.makepyfile(
        """
        import time, warnings
        heard = []

        def provoke(nvme0, qpair):
            nvme0[0x1000 + 8 * qpair.sqid] = 0xffff
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for _ in range(100):
                    nvme0.getfeatures(7).waitdone()
                    time.sleep(0.001)

        def test_first(nvme0, qpair, aer):
            aer(heard.append)
            provoke(nvme0, qpair)
            assert len(heard) == 1

        def test_second(nvme0, qpair):
            provoke(nvme0, qpair)
            assert len(heard) == 1
        """
    )
    run().assert_outcomes(passed=2)


def test_without_the_driver_only_the_tests_that_want_a_drive_fail_and_say_why(
    pytester, run, tmp_path, monkeypatch
):
    (tmp_path / "nvme.py").write_text("raise ImportError('libnuma.so.1: not found')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ['PYTHONPATH']}")
    pytester.makepyfile(
        """
        def test_without():
            assert 1 + 1 == 2

        def test_with(nvme0):
            nvme0.reset()
        """
    )
    result = run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*is built and does not load: libnuma.so.1: not found*make clean build*"])


BREAKS_IT = """
    from pynvme.vssd import VirtualSsd

    def test_before(nvme0, nvme0n1, qpair, buf):
        nvme0n1.write(qpair, buf, 0).waitdone()

    def test_breaks_it(nvme0):
        VirtualSsd.attach(nvme0.addr).power(False)
        assert False

    def test_next(nvme0, nvme0n1):
        assert nvme0n1.capacity > 0

    def test_without_a_drive():
        assert 1 + 1 == 2

    def test_last(nvme0, nvme0n1):
        assert nvme0n1.capacity > 0
"""


def test_a_virtual_ssd_that_broke_is_replaced(pytester, run):
    pytester.makepyfile(BREAKS_IT)
    run().assert_outcomes(passed=4, failed=1)


def test_a_virtual_ssd_that_a_passing_test_broke_costs_one_other_test(pytester, run):
    pytester.makepyfile(BREAKS_IT.replace("assert False", "assert nvme0.addr"))
    run().assert_outcomes(passed=4, errors=1)


def test_another_drive_that_broke_fails_one_test_and_skips_the_rest(pytester, run, own_ssd):
    pytester.makepyfile(BREAKS_IT)
    result = run(f"--pciaddr={own_ssd.address}", "-rs")
    result.assert_outcomes(passed=2, failed=1, errors=1, skipped=1)
    result.stdout.fnmatch_lines([f"SKIPPED*{own_ssd.address} is broken since *::test_next: *"])


def test_each_xdist_worker_has_a_drive_of_its_own(pytester, run):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("i", range(4))
        def test_it(nvme0, nvme0n1, qpair, buf, i):
            for lba in range(100):
                nvme0n1.write(qpair, buf, lba).waitdone()
                nvme0n1.read(qpair, buf, lba).waitdone()
        """
    )
    run("-n", "2").assert_outcomes(passed=4)


def test_the_entry_point_bears_the_modules_own_name():
    try:
        points = importlib.metadata.distribution("pynvme").entry_points
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("needs pynvme installed")
    (point,) = [p for p in points if p.group == "pytest11"]
    assert point.name == point.value == "pynvme.plugin"
