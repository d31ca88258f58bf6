# SPDX-License-Identifier: BSD-3-Clause
"""The rules that tests of time and of Ctrl-C share."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy  # noqa: F401  # pytest-randomly imports it, which pytester would undo, and it loads only once
import pytest

from tests import fix_load
from tests.fix_load import Usage, loaded
from tests.signals import ctrl_c_raises, takes_ctrl_c

IDLE = Usage(moment=100, own=10, all=50, stolen=1, waited={7: 3.0})


@pytest.mark.parametrize(
    ("now", "load"),
    [
        (IDLE._replace(moment=110, own=15, all=55, waited={7: 3.1}), ""),
        (IDLE._replace(moment=110, own=20, all=60, waited={7: 9.0, 8: 4.0}), ""),  # for each other
        (IDLE._replace(moment=110, own=15, all=65, waited={7: 3.1}), ""),  # others run on another CPU
        (IDLE._replace(moment=110, own=15, all=65, waited={7: 4.0}), "waited 1.00 s of 10.00"),
        (IDLE._replace(moment=110, own=15, all=65, waited={9: 2.0}), "waited 2.00 s of 10.00"),
        (IDLE._replace(moment=110, stolen=2), "the hypervisor took 1.00 s of 10.00"),
        (IDLE._replace(moment=100.02, own=10.01, all=50.03, waited={7: 3.003}), ""),  # 3 ms
    ],
)
def test_a_load_is_what_others_had_while_the_test_waited(now: Usage, load: str) -> None:
    assert now.since(IDLE).startswith(load)
    assert bool(now.since(IDLE)) == bool(load)


BUSY = "import select\nwhile not select.select([0], [], [], 0)[0]: pass"
PARENT = """
import subprocess, sys
for _ in range(int(sys.argv[2])):
    subprocess.Popen([sys.executable, "-c", sys.argv[1]])
"""
PRINT = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


@contextlib.contextmanager
def strangers(count: int) -> Iterator[None]:
    """Run busy processes that are no descendants of this one, since their parent has ended."""
    watched, held = os.pipe()  # they end when this process closes its end
    try:
        subprocess.run([sys.executable, "-c", PARENT, BUSY, str(count)], stdin=watched, check=True)
        os.close(watched)
        yield
    finally:
        os.close(held)


def test_a_time_that_failed_under_load_skips_the_test() -> None:
    with strangers(3 * len(os.sched_getaffinity(0))):
        time.sleep(0.3)
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        with pytest.raises(pytest.skip.Exception, match=r"^load: "):
            loaded()


def test_a_time_that_failed_without_load_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix_load, "_began", Usage.now()._replace(all=1e9, stolen=1e9))
    assert not loaded()


def test_a_script_takes_ctrl_c_although_the_tests_were_started_in_the_background() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plain = [sys.executable, "-c", PRINT]
        lines = (plain, takes_ctrl_c(plain))
        said = [subprocess.run(line, stdout=subprocess.PIPE, text=True).stdout for line in lines]
        with pytest.raises(KeyboardInterrupt), ctrl_c_raises():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert said == ["False\n", "True\n"]


LIMIT = re.compile(r"time\.(monotonic|time)\(\) (- \w+ )?<|\b(took|mseconds) <")


def limits_without_rule(source: str) -> list[str]:
    """Give the assertions of an upper limit of time that a load could break."""
    found = []
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        marks = {ast.unparse(decorator) for decorator in function.decorator_list}
        if marks & {"in_time", "pytest.mark.timing"}:
            continue
        asserted = [ast.unparse(node.test) for node in ast.walk(function) if isinstance(node, ast.Assert)]
        found += [text for text in asserted if LIMIT.search(text) and "loaded(" not in text]
    return found


@pytest.mark.parametrize("folder", ["api", "driver", "lab", "scripts", "suite", "vssd"])
def test_each_limit_of_time_is_under_the_rule(folder: str) -> None:
    files = (Path(__file__).parent / folder).glob("**/*.py")
    wrong = {path.name: found for path in files if (found := limits_without_rule(path.read_text()))}
    assert not wrong, "write `or loaded()`, see tests/fix_load.py"


def test_a_limit_of_time_is_recognised() -> None:
    bad = "def f():\n    assert 1 < time.time() - start < 3\n    assert took < 3\n    assert took > 1\n"
    assert len(limits_without_rule(bad)) == 2
    assert not limits_without_rule("@in_time\n" + bad)


def test_the_mark_makes_each_assertion_one_of_time(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["tests.fix_load"]')
    pytester.makeini("[pytest]\nmarkers = timing: as here")
    pytester.makepyfile(
        """
        import pytest
        from tests import fix_load

        @pytest.mark.timing
        @pytest.mark.parametrize("load", [True, False])
        def test_marked(load, monkeypatch):
            monkeypatch.setattr(fix_load.Usage, "since", lambda self, before: "much" if load else "")
            assert load is None

        def test_other(monkeypatch):
            monkeypatch.setattr(fix_load.Usage, "since", lambda self, before: "much")
            assert False
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(skipped=1, failed=2)


TWO_RUNS = """
    import subprocess
    import pytest
    from tests import fix_load

    @pytest.mark.timing
    def test_measures():
        assert True

    @pytest.mark.parametrize("i", range(3))
    def test_asks(i):
        if i == 1:
            pytest.skip("load: much")
        if i == 2:
            pytest.skip("needs a drive that is loaded: none")

    @pytest.mark.parametrize("load", ["much", ""])
    def test_fails(load, monkeypatch):
        monkeypatch.setattr(fix_load.Usage, "since", lambda self, before: load)
        assert 1 == 2

    def test_waits(monkeypatch):
        monkeypatch.setattr(fix_load.Usage, "since", lambda self, before: "much")
        raise TimeoutError("no completion")

    def loads(times):
        each = iter(["much"] * times)
        fix_load.Usage.since = lambda self, before: next(each, "")

    @pytest.fixture(scope="module")
    def server():
        loads(1)
        raise subprocess.TimeoutExpired("server", 20)

    @pytest.mark.parametrize("i", range(2))
    def test_starts(server, i):
        assert i

    @pytest.fixture
    def ends():
        yield
        loads(1)
        assert not "a child that has not ended yet"

    def test_leaves(ends):
        assert True

    @pytest.fixture
    def crashes():
        loads(1)
        raise ValueError

    def test_that_crashes(crashes):
        assert True
"""


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_what_measures_and_what_a_load_skipped_runs_alone_later(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, processes: list[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeconftest('pytest_plugins = ["tests.fix_load"]')
    pytester.makeini("[pytest]\nmarkers = timing: as here")
    pytester.makepyfile(test_it=TWO_RUNS)
    later = pytester.path / "later"
    plugins = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:labgrid"]
    beside = pytester.runpytest_subprocess(*plugins, f"--beside={later}", *processes)
    beside.assert_outcomes(passed=2, skipped=7, failed=1, errors=1)
    put_off = ["asks[1]", "fails[much]", "waits", "starts[0]", "starts[1]", "leaves"]
    assert set(later.read_text().splitlines()) == {f"test_it.py::test_{name}" for name in put_off}
    assert "test_it.py::test_fails[much]: Skipped: load: much; it had failed:" in beside.stdout.str()
    alone = pytester.runpytest_subprocess(*plugins, "-v", f"--alone={later}")
    alone.assert_outcomes(passed=2, skipped=1, failed=2, errors=3)
    assert "test_measures" in alone.stdout.str() and "test_asks[1]" in alone.stdout.str()


def test_each_run_lists_what_is_left_in_a_file_of_its_own() -> None:
    code = "import sys; sys.path.insert(0, 'tools'); import test as t; print(t.API.later, t.PYTHON.later)"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    paths = [Path(word) for word in done.stdout.split()]
    assert len(set(paths)) == 2 and {path.parent for path in paths} == {Path("build")}
