# SPDX-License-Identifier: BSD-3-Clause
"""How completions interrupt: MSI-X, MSI and the pin, their masks, and what bus mastering holds back."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from client import MSIX_PBA, MSIX_TABLE, SET_IRQS, Client, EventFd, Nvme, Queue, sqe
from ctrl_helpers import IDENTIFY, INVALID_VECTOR, OK, READ, Host, Start
from server import Server

from tests.fix_load import loaded

INTX, MSI, MSIX = range(3)
COMMAND, STATUS = 4, 6
MASTER, PIN_DISABLE, PIN_ASSERTED = 4, 1 << 10, 1 << 3
INTMS, INTMC = 0x0C, 0x10
UNMASK, MASK = 16, 8


class Lines:
    """A host with eventfds, which reports the interrupts."""

    def __init__(self, nvme: Nvme) -> None:
        self.nvme, self.client = nvme, nvme.client
        self.stack = ExitStack()
        self.events: dict[tuple[int, int], EventFd] = {}
        self.queues: dict[int, Queue] = {}
        self.unread: dict[int, int] = {}
        self.buffer = nvme.memory.alloc(4096)
        found, offset = {}, self.client.config_read(0x34, 1)[0]
        while offset:
            identifier, following = self.client.config_read(offset, 2)
            found[identifier], offset = offset, following
        self.msi, self.msix, self.express = found[0x05], found[0x11], found[0x10]

    def listen(self, index: int, *numbers: int) -> None:
        for number in numbers:
            event = self.events[index, number] = self.stack.enter_context(EventFd())
            self.client.set_eventfd(number, event.fd, index)

    def enable_msi(self, log2: int = 5, on: bool = True) -> None:
        self.client.config_write(self.msi + 2, struct.pack("<H", log2 << 4 | on))

    def mask_messages(self, mask: int) -> None:
        self.client.config_write(self.msi + 16, struct.pack("<I", mask))

    def pending_messages(self) -> int:
        return int.from_bytes(self.client.config_read(self.msi + 20, 4), "little")

    def enable_msix(self, on: bool = True, masked: bool = False) -> None:
        self.client.config_write(self.msix + 2, struct.pack("<H", on << 15 | masked << 14))

    def command(self, value: int) -> None:
        self.client.config_write(COMMAND, struct.pack("<H", 2 | value))

    def make_queues(self, *vectors: int) -> None:
        for qid, vector in enumerate(vectors, 1):
            self.queues[qid] = self.nvme.create_queue(qid, 8, vector)
            self.unread[qid] = 0

    def read(self, qid: int = 1) -> None:
        """Send a command without consuming its completion."""
        queue = self.queues[qid]
        queue.submit(sqe(READ, nsid=1, prp1=self.buffer))
        place = queue.head + self.unread[qid]
        self.unread[qid] += 1
        phase = queue.phase ^ (place >= queue.depth)
        end = time.monotonic() + 10
        while self.nvme.memory.read(queue.cq + place % queue.depth * 16 + 14, 1)[0] & 1 != phase:
            assert time.monotonic() < end or loaded()

    def take(self, qid: int = 1) -> None:
        """All completions."""
        while self.queues[qid].poll():
            self.unread[qid] -= 1
        assert self.unread[qid] == 0

    def came(self) -> dict[tuple[int, int], int]:
        """Give what was raised since the last time, for each vector."""
        self.client.read32(8)  # the interrupt of an entry comes after the entry, and before this answer
        counts = {key: event.count() for key, event in self.events.items()}
        return {key: count for key, count in counts.items() if count}

    def is_asserted(self) -> bool:
        return bool(self.client.config_read(STATUS, 1)[0] & PIN_ASSERTED)


@pytest.fixture
def lines(nvme: Nvme) -> Iterator[Lines]:
    lines = Lines(nvme)
    yield lines
    lines.stack.close()


# MSI


def test_msi_tells_of_each_vector_by_its_own_message(lines: Lines) -> None:
    lines.listen(MSI, *range(32))
    lines.enable_msi()
    lines.make_queues(0, 1, 7, 31)
    lines.came()
    for qid, message in ((1, 0), (2, 1), (3, 7), (4, 31)):
        lines.read(qid)
        assert lines.came() == {(MSI, message): 1}


@pytest.mark.parametrize("log2", [0, 1, 2, 5, 7])
def test_vectors_share_the_messages_that_were_allocated(lines: Lines, log2: int) -> None:
    lines.listen(MSI, *range(32))
    lines.enable_msi(log2)
    lines.make_queues(0, 3, 5, 31)
    lines.came()
    for qid, vector in ((1, 0), (2, 3), (3, 5), (4, 31)):
        lines.read(qid)
        assert lines.came() == {(MSI, vector % (1 << min(log2, 5))): 1}


def test_a_vector_that_msi_has_not_is_refused(lines: Lines) -> None:
    lines.enable_msi()
    cq = lines.nvme.memory.alloc(4096)
    fields = {"prp1": cq, "cdw10": 7 << 16 | 1}
    assert lines.nvme.admin.execute(0x05, **fields, cdw11=32 << 16 | 3)[1] == INVALID_VECTOR
    lines.enable_msi(on=False)
    assert lines.nvme.admin.execute(0x05, **fields, cdw11=32 << 16 | 3)[1] == OK


def test_the_admin_queue_has_message_0(lines: Lines) -> None:
    lines.listen(MSI, 0, 1)
    lines.enable_msi()
    assert lines.nvme.admin.execute(IDENTIFY, prp1=lines.buffer, cdw10=1)[1] == OK
    lines.client.read32(8)
    assert lines.came() == {(MSI, 0): 1}


def test_a_masked_message_waits_in_its_pending_bit(lines: Lines) -> None:
    lines.listen(MSI, *range(8))
    lines.enable_msi(3)
    lines.make_queues(2, 5)
    lines.came()
    lines.mask_messages(1 << 2 | 1 << 5)
    for qid in (1, 1, 2):
        lines.read(qid)
        lines.take(qid)
    assert lines.came() == {} and lines.pending_messages() == 1 << 2 | 1 << 5
    lines.client.config_write(lines.msi + 20, bytes(4))
    assert lines.pending_messages() == 1 << 2 | 1 << 5, "pending bits cannot be written"
    lines.mask_messages(1 << 5)
    assert lines.came() == {(MSI, 2): 1} and lines.pending_messages() == 1 << 5
    lines.command(0)
    lines.mask_messages(0)
    assert lines.came() == {}, "a message is a write to memory"
    lines.command(MASTER)
    assert lines.came() == {(MSI, 5): 1} and lines.pending_messages() == 0


def test_intms_masks_messages_and_intmc_tells_of_what_came_meanwhile(lines: Lines) -> None:
    lines.listen(MSI, *range(4))
    lines.enable_msi(2)
    lines.make_queues(1, 2)
    lines.came()
    lines.client.write32(INTMS, 1 << 1)
    assert lines.client.read32(INTMS) == lines.client.read32(INTMC) == 1 << 1
    lines.read(1)
    lines.read(2)
    assert lines.came() == {(MSI, 2): 1}
    lines.client.write32(INTMC, 1 << 2)
    assert lines.came() == {}, "this one was not masked"
    lines.client.write32(INTMC, 0xFFFFFFFF)
    assert lines.came() == {(MSI, 1): 1} and lines.client.read32(INTMS) == 0
    lines.client.write32(INTMS, 1 << 1)
    lines.read(1)
    lines.take(1)
    lines.client.write32(INTMC, 1 << 1)
    assert lines.came() == {}, "the host has taken them"


def test_a_reset_unmasks_what_intms_masked(lines: Lines) -> None:
    lines.enable_msi()
    lines.client.write32(INTMS, 5)
    lines.nvme.disable()
    assert lines.client.read32(INTMS) == 0


def test_msi_that_is_disabled_tells_nothing(lines: Lines) -> None:
    lines.listen(MSI, 0, 1)
    lines.make_queues(1)
    lines.read()
    assert lines.came() == {}
    lines.enable_msi()
    lines.read()
    assert lines.came() == {(MSI, 1): 1}
    lines.enable_msi(on=False)
    lines.read()
    assert lines.came() == {}


@pytest.mark.parametrize("first", ["msi", "msix"])
def test_the_one_that_was_enabled_first_stays(lines: Lines, first: str) -> None:
    for kind in (first, "msix" if first == "msi" else "msi"):
        if kind == "msi":
            lines.enable_msi()
        else:
            lines.enable_msix()
    enabled = [
        lines.client.config_read(lines.msi + 2, 1)[0] & 1,
        lines.client.config_read(lines.msix + 3, 1)[0] >> 7,
    ]
    assert enabled == ([1, 0] if first == "msi" else [0, 1])
    assert lines.client.config_read(lines.msi + 2, 1)[0] >> 4 & 7 == 5, "the rest of the word is kept"


# MSI-X


def test_msix_that_is_disabled_tells_nothing(lines: Lines) -> None:
    lines.listen(MSIX, 0, 1)
    lines.make_queues(1)
    lines.read()
    assert (MSIX, 1) in lines.came(), "who never touches the bit enables a vector by naming its eventfd"
    lines.enable_msix(False)
    lines.read()
    assert lines.came() == {}
    lines.enable_msix()
    lines.read()
    assert lines.came() == {(MSIX, 1): 1}


def test_the_function_mask_holds_all_vectors_back(lines: Lines) -> None:
    lines.listen(MSIX, *range(4))
    lines.enable_msix(masked=True)
    lines.make_queues(1, 3)
    lines.came()
    for qid in (1, 2, 2):
        lines.read(qid)
    assert lines.came() == {}
    assert lines.client.region_read(MSIX_PBA, 0, 1)[0] & ~1 == 1 << 1 | 1 << 3
    lines.enable_msix(masked=False)
    assert dict.fromkeys(lines.came(), 1) == {(MSIX, vector): 1 for vector in (0, 1, 3)}
    assert lines.client.region_read(MSIX_PBA, 0, 1) == b"\0"


def test_masks_of_a_vector_and_of_the_function_both_hold(lines: Lines) -> None:
    lines.listen(MSIX, 0, 1)
    lines.enable_msix()
    lines.make_queues(1)
    lines.client.region_write(MSIX_TABLE, 16 + 12, struct.pack("<I", 1))
    lines.enable_msix(masked=True)
    lines.came()
    lines.read()
    lines.enable_msix(masked=False)
    assert lines.came() == {}
    lines.client.region_write(MSIX_TABLE, 16 + 12, struct.pack("<I", 0))
    assert lines.came() == {(MSIX, 1): 1}


def test_intms_masks_nothing_with_msix(lines: Lines) -> None:
    lines.listen(MSIX, 0, 1)
    lines.enable_msix()
    lines.make_queues(1)
    lines.came()
    lines.client.write32(INTMS, 0xFFFFFFFF)
    assert lines.client.read32(INTMS) == 0
    lines.read()
    assert lines.came() == {(MSIX, 1): 1}


def test_queues_may_share_a_single_vector(lines: Lines) -> None:
    lines.listen(MSIX, 0)
    lines.enable_msix()
    lines.make_queues(0, 0, 0)
    lines.came()
    for qid in (1, 2, 3):
        lines.read(qid)
        assert lines.came() == {(MSIX, 0): 1}


# The pin


def test_the_pin_is_a_level(lines: Lines) -> None:
    """The pin is asserted while any queue holds unconsumed entries, and unmasking signals it again."""
    lines.listen(INTX, 0)
    lines.make_queues(0, 5)
    lines.came()
    assert not lines.is_asserted()
    lines.read(1)
    assert lines.came() == {(INTX, 0): 1} and lines.is_asserted()
    for _ in range(3):
        lines.client.ok(SET_IRQS, struct.pack("<5I", 20, 1 | UNMASK, INTX, 0, 1))
        assert lines.came() == {(INTX, 0): 1}
    lines.read(2)
    lines.take(1)
    assert lines.is_asserted()
    lines.came()
    lines.take(2)
    assert not lines.is_asserted()
    lines.client.ok(SET_IRQS, struct.pack("<5I", 20, 1 | UNMASK, INTX, 0, 1))
    assert lines.came() == {}


def test_a_pin_that_is_masked_waits(lines: Lines) -> None:
    lines.listen(INTX, 0)
    lines.make_queues(0)
    lines.came()
    lines.client.ok(SET_IRQS, struct.pack("<5I", 20, 1 | MASK, INTX, 0, 1))
    lines.read()
    lines.read()
    assert lines.came() == {} and lines.is_asserted()
    lines.client.ok(SET_IRQS, struct.pack("<5I", 20, 1 | UNMASK, INTX, 0, 1))
    assert lines.came() == {(INTX, 0): 1}


def test_who_begins_to_listen_to_an_asserted_pin_is_told(lines: Lines) -> None:
    lines.make_queues(0)
    lines.read()
    lines.listen(INTX, 0)
    assert lines.came() == {(INTX, 0): 1}


def test_interrupt_disable_holds_the_pin(lines: Lines) -> None:
    lines.listen(INTX, 0)
    lines.make_queues(0)
    lines.came()
    lines.command(MASTER | PIN_DISABLE)
    lines.read()
    assert lines.came() == {} and lines.is_asserted(), "the status bit tells of it all the same"
    lines.command(MASTER)
    assert lines.came() == {(INTX, 0): 1}


def test_bit_0_of_intms_masks_the_pin(lines: Lines) -> None:
    lines.listen(INTX, 0)
    lines.make_queues(0, 9)
    lines.came()
    lines.client.write32(INTMS, 1)
    lines.read(2)
    assert lines.came() == {} and not lines.is_asserted()
    lines.client.write32(INTMC, 1)
    assert lines.came() == {(INTX, 0): 1} and lines.is_asserted()


def test_the_pin_rests_while_messages_are_enabled(lines: Lines) -> None:
    lines.listen(INTX, 0)
    lines.make_queues(0)
    lines.came()
    for enable in (lines.enable_msi, lines.enable_msix):
        enable()
        lines.read()
        assert lines.came() == {} and not lines.is_asserted()
        enable(on=False)
        lines.take()
    lines.read()
    assert lines.came() == {(INTX, 0): 1}


# Bus mastering


@pytest.mark.parametrize("kind", [INTX, MSI, MSIX])
def test_bus_mastering_tells_again_of_what_nobody_has_read(lines: Lines, kind: int) -> None:
    lines.listen(kind, *(range(3) if kind != INTX else (0,)))
    if kind == MSI:
        lines.enable_msi()
    lines.make_queues(1, 2)
    lines.came()
    lines.read(1)
    assert lines.came() == {(kind, 0 if kind == INTX else 1): 1}
    lines.command(0)
    assert lines.came() == {}
    lines.command(MASTER)
    assert lines.came() == {(kind, 0 if kind == INTX else 1): 1}
    lines.command(MASTER)
    assert lines.came() == {}, "it was set already"
    lines.take(1)
    lines.command(0)
    lines.command(MASTER)
    assert lines.came() == {}, "all was read"


def test_d3hot_and_back_tells_again_as_well(lines: Lines) -> None:
    lines.listen(MSIX, 0, 1)
    lines.make_queues(1)
    lines.read()
    lines.came()
    lines.client.config_write(0x44, b"\3")
    lines.client.config_write(0x44, b"\0")
    assert lines.came() == {(MSIX, 1): 1}


def test_without_bus_mastering_nothing_is_fetched_and_nothing_told(lines: Lines) -> None:
    lines.listen(MSIX, 0, 1)
    lines.make_queues(1)
    lines.came()
    lines.command(0)
    lines.queues[1].submit(sqe(READ, nsid=1, prp1=lines.buffer))
    time.sleep(0.05)
    assert lines.queues[1].poll() is None and lines.came() == {}
    lines.command(MASTER)
    assert lines.queues[1].wait().status == OK
    lines.client.read32(8)
    assert lines.came() == {(MSIX, 1): 1}


# Resets, and clients that come and go


@pytest.mark.parametrize("kind", ["function", "conventional", "subsystem", "controller"])
def test_after_a_reset_interrupts_come_as_before(lines: Lines, kind: str) -> None:
    lines.listen(MSI, *range(4))
    lines.enable_msi(2)
    if kind == "function":
        lines.client.config_write(lines.express + 9, b"\xa8")
    elif kind == "conventional":
        lines.client.ok(13)
    elif kind == "subsystem":
        lines.client.write32(0x20, 0x4E564D65)
    else:
        lines.nvme.disable()
    assert lines.client.config_read(lines.msi + 2, 1)[0] & 1 == (kind in ("subsystem", "controller"))
    lines.nvme.enable()
    lines.enable_msi(2)
    lines.make_queues(3)
    lines.came()
    lines.read()
    assert lines.came() == {(MSI, 3): 1}


def test_the_next_client_chooses_anew(start: Start) -> None:
    server: Server = start("--size", "1M")
    with Client(server.folder) as client:
        lines = Lines(Nvme(client))
        lines.nvme.enable()
        lines.enable_msix()
        lines.enable_msix(False)
        lines.nvme.close()
    host = Host(server)
    lines = Lines(host.nvme)
    host.nvme.delete_queue(host.disk.queue)
    lines.listen(MSIX, 0, 1)
    lines.make_queues(1)
    lines.read()
    assert (MSIX, 1) in lines.came()
    lines.stack.close()
    host.close()
