# SPDX-License-Identifier: BSD-3-Clause
"""What the driver reports about the last command: its CID, its latency, its timeout."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import GET_FEATURES, READ, Command, Drive, capabilities
from fake import wait_until

from tests.fix_load import loaded

Opener = Callable[..., SimpleNamespace]
NSSR = 0x20


def complete_after(drive: Drive, command: Command, seconds: float) -> None:
    threading.Timer(seconds, lambda: drive.complete(command)).start()


@pytest.fixture
def own(drive: Drive, opened: Opener) -> SimpleNamespace:
    """A drive that holds its reads, and Get Features, until the test completes them."""
    drive.on_io[READ] = lambda command: None
    drive.on_admin[GET_FEATURES] = lambda command: None
    return opened()


def held(drive: Drive, opcode: int, count: int = 1) -> list[Command]:
    wait_until(lambda: len([c for c in drive.held if c.opcode == opcode]) == count)
    return [c for c in drive.held if c.opcode == opcode]


def test_the_cid_is_that_of_the_entry_and_known_before_it_completes(
    drive: Drive, own: SimpleNamespace
) -> None:
    buf = nvme.Buffer(512)
    cids = []
    for lba in range(15):
        own.nvme0n1.read(own.qpair, buf, lba)
        cids.append(own.qpair.latest_cid)
    assert [command.cid for command in held(drive, READ, 15)] == cids
    assert sorted(cids) == list(range(15))
    own.nvme0.getfeatures(7)
    assert own.nvme0.latest_cid == held(drive, GET_FEATURES)[0].cid == 126
    for command in list(drive.held):
        if command.opcode in (READ, GET_FEATURES):
            drive.complete(command)
    own.qpair.waitdone(15)
    own.nvme0.waitdone()
    assert (own.qpair.latest_cid, own.nvme0.latest_cid) == (cids[-1], 126)


def test_commands_of_the_driver_itself_are_not_the_latest(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0.getfeatures(7)
    complete_after(drive, held(drive, GET_FEATURES)[0], 0.02)
    own.nvme0.waitdone()
    before = own.nvme0.latest_cid, own.nvme0.latest_latency
    own.nvme0.id_data(23, 4, str)
    nvme.Qpair(own.nvme0, 4).delete()
    assert (own.nvme0.latest_cid, own.nvme0.latest_latency) == before


@pytest.mark.parametrize("seconds", [0.01, 0.05])
def test_latency_is_from_submission_to_completion_in_us(
    drive: Drive, own: SimpleNamespace, seconds: float
) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    complete_after(drive, held(drive, READ)[0], seconds)
    own.qpair.waitdone()
    assert seconds * 1e6 <= own.qpair.latest_latency
    assert own.qpair.latest_latency < seconds * 1e6 + 500_000 or loaded()
    own.nvme0.getfeatures(7)
    complete_after(drive, held(drive, GET_FEATURES)[0], seconds)
    own.nvme0.waitdone()
    assert seconds * 1e6 <= own.nvme0.latest_latency
    assert own.nvme0.latest_latency < seconds * 1e6 + 500_000 or loaded()


def test_latency_is_of_the_command_that_was_reaped_last(drive: Drive, own: SimpleNamespace) -> None:
    buf = nvme.Buffer(512)
    own.nvme0n1.read(own.qpair, buf, 0)
    time.sleep(0.1)
    own.nvme0n1.read(own.qpair, buf, 1)
    old, new = held(drive, READ, 2)
    drive.complete(old)
    drive.complete(new)
    own.qpair.waitdone()
    first = own.qpair.latest_latency
    own.qpair.waitdone()
    assert first >= 100_000 > 0 and own.qpair.latest_latency < first


def test_timeout_is_in_ms_for_each_command_and_counts_from_its_submission(
    drive: Drive, own: SimpleNamespace
) -> None:
    assert own.nvme0.timeout == 10000
    own.nvme0.timeout = 200
    start = time.monotonic()
    own.nvme0.getfeatures(7)
    time.sleep(0.15)
    own.nvme0.getfeatures(7)
    for least in (0.2, 0.35):
        with pytest.warns(UserWarning, match="^drive timeout: qpair: 0, cid: "):
            own.nvme0.waitdone()
        took = time.monotonic() - start
        assert least <= took
        assert took < least + 0.5 or loaded()
    assert own.nvme0.latest_latency >= 200_000
    own.nvme0.timeout = 10000


def test_a_time_out_is_taken_anew_where_it_is_changed_with_commands_in_flight(
    drive: Drive, own: SimpleNamespace
) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    own.nvme0.timeout = 100
    with pytest.warns(UserWarning, match="^drive timeout: qpair: 1, cid: 0$"):
        own.qpair.waitdone()
    own.nvme0.timeout = 10000


def test_a_drive_without_subsystem_reset_is_not_told_to_do_one(drive: Drive, opened: Opener) -> None:
    assert capabilities() >> 36 & 1 == 0
    own = opened()
    assert nvme.Subsystem(own.nvme0).reset() is False
    assert not [entry for entry in drive.journal if entry[:2] == ("write", NSSR)]
    own.nvme0.id_data(23, 4, str)


def test_a_subsystem_reset_writes_the_word_that_the_specification_names(drive: Drive, opened: Opener) -> None:
    drive.cap |= 1 << 36
    own = opened()
    assert nvme.Subsystem(own.nvme0).reset() is True
    assert ("write", NSSR, 0x4E564D65) in drive.journal, '"NVMe"'
    own.nvme0.reset()
    own.nvme0.id_data(23, 4, str)
