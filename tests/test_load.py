# SPDX-License-Identifier: BSD-3-Clause
"""The rules that tests of time and of Ctrl-C share."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

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
