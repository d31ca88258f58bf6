# SPDX-License-Identifier: BSD-3-Clause
"""Abort of slow commands: a format, and a write that waits for the medium.

For event requests see test_ctrl_events.py.
"""

from __future__ import annotations

import time

import pytest
from client import Completion, Nvme, sqe
from ctrl_helpers import (
    ABORT,
    ABORT_REQUESTED,
    FORMAT,
    FUA,
    IDENTIFY,
    OK,
    READ,
    WRITE,
    Disk,
    Start,
    identify,
    pattern,
)
from server import Server

from tests.fix_load import loaded


@pytest.fixture
def server(start: Start) -> Server:
    """A drive on which a format takes longer than anything here waits."""
    return start("--size", "16M", "--format-time", "600000")


def test_a_format_is_stopped(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    formatting = nvme.admin.submit(sqe(FORMAT, nsid=1, cdw10=1))
    abort = nvme.admin.submit(sqe(ABORT, cdw10=formatting << 16))
    found = [nvme.admin.wait() for _ in range(2)]
    assert [(entry.cid, entry.status, entry.cdw0) for entry in found] == [
        (formatting, ABORT_REQUESTED, 0),
        (abort, OK, 0),
    ]
    assert not found[0].dnr
    data = identify(nvme, cns=0, nsid=1)
    assert data[26] & 0xF == 0 and data[32] == 0x80, "the LBA format stays, and nothing remains to be done"
    disk.write(0, pattern(0, 8))
    assert disk.read(0, 8) == pattern(0, 8)
    again = nvme.admin.submit(sqe(FORMAT, nsid=1))
    assert identify_while(nvme)[32] > 0x80
    assert nvme.admin.execute(ABORT, cdw10=(again + 100) << 16) == (1, OK), "another CID"
    assert nvme.admin.execute(ABORT, cdw10=again << 16 | 1) == (1, OK), "another queue"
    nvme.admin.submit(sqe(ABORT, cdw10=again << 16))
    assert nvme.admin.wait().status == ABORT_REQUESTED


def identify_while(nvme: Nvme) -> bytes:
    """Identify Namespace, while other commands are in flight."""
    buffer = nvme.memory.alloc(4096)
    cid = nvme.admin.submit(sqe(IDENTIFY, nsid=1, prp1=buffer, cdw10=0))
    assert nvme.admin.wait().cid == cid
    return nvme.memory.read(buffer, 4096)


def test_a_command_that_is_done_cannot_be_aborted(nvme: Nvme) -> None:
    queue, buffer = nvme.create_queue(1, 8), nvme.memory.alloc(4096)
    cid = queue.submit(sqe(READ, nsid=1, prp1=buffer))
    assert queue.wait().status == OK
    assert nvme.admin.execute(ABORT, cdw10=cid << 16 | 1) == (1, OK)
    for sqid in (2, 64, 65, 0xFFFF):
        assert nvme.admin.execute(ABORT, cdw10=cid << 16 | sqid) == (1, OK)


def attempt(nvme: Nvme, disk: Disk, count: int) -> tuple[Completion, list[Completion]]:
    """Write past the cache, and abort the last write at once. Returns the completions."""
    for lba in range(count):
        entry = sqe(WRITE, nsid=1, prp1=disk.buffer, cdw10=lba, cdw12=FUA)
        cid = disk.queue.submit(entry, ring=False)
    disk.queue.ring()
    nvme.admin.submit(sqe(ABORT, cdw10=cid << 16 | 1))
    return nvme.admin.wait(), [disk.queue.wait() for _ in range(count)]


@pytest.mark.parametrize("count", [1, 5])
def test_a_write_that_waits_for_the_medium_is_aborted(nvme: Nvme, count: int) -> None:
    """The write waits 25 us, so sooner or later an Abort comes in time."""
    disk = Disk(nvme, nvme.create_queue(1, 16))
    deadline = time.monotonic() + 20
    aborted: list[Completion] = []
    while not aborted:
        assert time.monotonic() < deadline or loaded()
        abort, writes = attempt(nvme, disk, count)
        aborted = [write for write in writes if write.status == ABORT_REQUESTED]
        assert abort.status == OK and len(aborted) == (0 if abort.cdw0 else 1)
        assert len({write.cid for write in writes}) == count
        assert all(write.status in (OK, ABORT_REQUESTED) for write in writes)
    assert disk.command(READ, 0) == OK
