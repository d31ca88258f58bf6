# SPDX-License-Identifier: BSD-3-Clause
"""What the counters of power may be, after what a session has done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pynvme.spec import SmartLog
from pynvme.suite.history import Command
from pynvme.suite.ledger import Ledger

FIRST = (10, 4)


def log(cycles: int, unsafe: int) -> SmartLog:
    data = bytearray(512)
    data[112:116] = cycles.to_bytes(4, "little")
    data[144:148] = unsafe.to_bytes(4, "little")
    return SmartLog(bytes(data))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(log(*FIRST))


def legal(ledger: Ledger) -> set[tuple[int, int]]:
    """The numbers of power cycles and unsafe shutdowns, beyond the first ones, that are no finding."""
    found = set()
    for cycles in range(-1, 6):
        for unsafe in range(-1, 6):
            seen: list[Any] = []
            drive: Any = SimpleNamespace(check=lambda holds, *_, seen=seen: seen.append(holds))
            ledger.judge(drive, log(FIRST[0] + cycles, FIRST[1] + unsafe))
            if all(seen):
                found.add((cycles, unsafe))
    return found


def cycle(ledger: Ledger) -> None:
    ledger.off()
    ledger.on()
    ledger.enabled()


def test_nothing_happened(ledger: Ledger) -> None:
    ledger.enabled()
    assert legal(ledger) == {(0, 0)}


def test_a_cut_and_a_shutdown(ledger: Ledger) -> None:
    cycle(ledger)
    assert legal(ledger) == {(1, 1)}
    ledger.shut_down()
    cycle(ledger)
    assert legal(ledger) == {(2, 1)}
    cycle(ledger)
    assert legal(ledger) == {(3, 2)}, "the shutdown was before the cycle before"


def test_a_reset_after_a_shutdown(ledger: Ledger) -> None:
    ledger.shut_down()
    ledger.enabled()
    cycle(ledger)
    assert legal(ledger) == {(1, 1)}


def test_a_shutdown_that_has_only_begun(ledger: Ledger) -> None:
    ledger.unsure()
    cycle(ledger)
    assert legal(ledger) == {(1, 0), (1, 1)}


def test_cuts_before_the_drive_was_used(ledger: Ledger) -> None:
    ledger.off()
    ledger.on()
    cycle(ledger)
    assert legal(ledger) == {(1, 1), (1, 2), (2, 1), (2, 2)}


def errors(count: int) -> SmartLog:
    data = bytearray(bytes(log(*FIRST)))
    data[160:164] = count.to_bytes(4, "little")
    return SmartLog(bytes(data))


@pytest.mark.parametrize("count, fails", [(0, False), (1, False), (2, True)])
def test_media_errors_have_a_command_that_failed(ledger: Ledger, count: int, fails: bool) -> None:
    for status in (0x281, 0x080):
        command = Command(1, 2, 1, (0, 0, 0, 0, 0, 0))
        command.completed((0, 0, 1 << 16, status << 17))
    seen: list[bool] = []
    drive: Any = SimpleNamespace(check=lambda holds, *_: seen.append(holds))
    ledger.judge(drive, errors(count))
    assert (not all(seen)) == fails
