# SPDX-License-Identifier: BSD-3-Clause
"""Shadow doorbells: the driver stores doorbells in memory, and rings a register if EventIdx asks for it.

Base 2.1, section 5.2.5 and annex B.5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import nvme as d
import pytest
from drive import Command, Drive, Result
from fake import DOORBELLS, PAGE

DOORBELL_BUFFER_CONFIG = 0x7C
INVALID_OPCODE = 0x0001


class Shadowed:
    """A drive that reads the doorbells of I/O queues from the driver's memory, and none of its registers."""

    def __init__(self, drive: Drive) -> None:
        self.drive, self.pages = drive, (0, 0)
        self.registers = drive.tail, drive.cq_head
        drive.identify_controller[257] |= 1
        drive.on_admin[DOORBELL_BUFFER_CONFIG] = self.configure
        drive.tail = lambda qid: self.value(2 * qid) if self.is_on(qid) else self.registers[0](qid)

    def configure(self, command: Command) -> Result:
        assert command.prp1 % PAGE == command.prp2 % PAGE == 0 and command.prp1 != command.prp2
        assert (
            self.drive.dma_read(command.prp1, PAGE) == self.drive.dma_read(command.prp2, PAGE) == bytes(PAGE)
        )
        self.pages = command.prp1, command.prp2
        return 0, 0

    def is_on(self, qid: int) -> bool:
        return bool(qid and self.pages[0])

    def value(self, index: int) -> int:
        return struct.unpack("<I", self.drive.dma_read(self.pages[0] + 4 * index, 4))[0]

    def set_event(self, index: int, value: int) -> None:
        self.drive.dma_write(self.pages[1] + 4 * index, struct.pack("<I", value))

    def rung(self, index: int) -> int:
        return struct.unpack_from("<I", self.drive.doorbells, DOORBELLS + 4 * index)[0]


@pytest.fixture
def shadowed(drive: Drive) -> Shadowed:
    return Shadowed(drive)


@pytest.fixture
def nvme0(shadowed: Shadowed, opened: Callable[..., SimpleNamespace]) -> Iterator[d.Controller]:
    own = opened()
    own.qpair.delete()
    own.nvme0.enable_shadow_doorbells()
    yield own.nvme0


def read(ns: d.Namespace, qpair: d.Qpair, count: int = 1) -> None:
    for _ in range(count):
        ns.read(qpair, d.Buffer(512), 0)
    qpair.waitdone(count)


def test_a_register_is_rung_only_if_the_doorbell_passes_its_event(nvme0, shadowed) -> None:
    ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
    with shadowed.drive.lock:
        shadowed.set_event(2, 3)
        shadowed.set_event(3, 2)
    told = []
    for _ in range(10):
        read(ns, qpair)
        with shadowed.drive.lock:
            told.append((shadowed.value(2), shadowed.value(3), shadowed.rung(2), shadowed.rung(3)))
    assert [(tail, head) for tail, head, _, _ in told] == [(n % 8, n % 8) for n in range(1, 11)]
    assert [(tail, head) for _, _, tail, head in told] == [
        (0, 0), (0, 0), (0, 3), (4, 3), (4, 3), (4, 3), (4, 3), (4, 3), (4, 3), (4, 3)
    ]  # fmt: skip


def test_a_new_queue_begins_with_empty_doorbells(nvme0, shadowed) -> None:
    ns = d.Namespace(nvme0)
    for _ in range(2):
        qpair = d.Qpair(nvme0, 8)
        read(ns, qpair, 5)
        with shadowed.drive.lock:
            assert (shadowed.value(2), shadowed.value(3)) == (5, 5)
            shadowed.set_event(2, 6)
        qpair.delete()


def test_the_admin_queue_has_registers(nvme0, shadowed) -> None:
    before = shadowed.registers[0](0)
    nvme0.identify(d.Buffer(4096)).waitdone()
    with shadowed.drive.lock:
        assert shadowed.registers[0](0) != before and shadowed.value(0) == shadowed.value(1) == 0


def test_a_reset_ends_it(nvme0, shadowed) -> None:
    with shadowed.drive.lock:
        old, shadowed.pages = shadowed.pages, (0, 0)
    nvme0.reset()
    ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
    read(ns, qpair, 3)
    assert (shadowed.rung(2), shadowed.rung(3)) == (3, 3) and old != (0, 0)


def test_it_must_come_before_the_first_queue(nvme0) -> None:
    qpair = d.Qpair(nvme0, 8)
    with pytest.raises(
        RuntimeError, match="I/O queue 1 exists: enable shadow doorbells before the first Qpair"
    ):
        nvme0.enable_shadow_doorbells()
    qpair.delete()
    nvme0.enable_shadow_doorbells()


def test_a_refusal_changes_nothing(drive: Drive, opened: Callable[..., SimpleNamespace]) -> None:
    own = opened()
    own.qpair.delete()
    nvme0 = own.nvme0
    with pytest.raises(NotImplementedError, match="OACS bit 8 is 0"):
        nvme0.enable_shadow_doorbells()
    shadowed = Shadowed(drive)
    drive.on_admin[DOORBELL_BUFFER_CONFIG] = lambda command: (0, INVALID_OPCODE)
    nvme0.reset()
    with pytest.raises(NotImplementedError, match=r"refused Doorbell Buffer Config.*00/01"):
        nvme0.enable_shadow_doorbells()
    read(d.Namespace(nvme0), d.Qpair(nvme0, 8), 3)
    assert (shadowed.rung(2), shadowed.rung(3)) == (3, 3)
