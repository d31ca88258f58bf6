# SPDX-License-Identifier: BSD-3-Clause
"""Doorbell Buffer Config: shadow doorbells and EventIdxs, as Linux's driver uses them."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest
from client import Client, Nvme, Queue, sqe
from ctrl_helpers import INVALID_FIELD, INVALID_OPCODE, OK, READ, Start, identify, log_page

from tests.fix_load import loaded

CONFIG = 0x7C
OACS_BIT = 1 << 8


@pytest.fixture
def nvme(start: Start) -> Iterator[Nvme]:
    with Client(start("--size", "16M", "--doorbell-buffer").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        yield nvme
        nvme.close()


class Buffers:
    """The two pages in host memory."""

    def __init__(self, nvme: Nvme) -> None:
        self.memory = nvme.memory
        self.shadow, self.events = nvme.memory.alloc(4096), nvme.memory.alloc(4096)
        nvme.memory.write(self.shadow, bytes(4096))
        nvme.memory.write(self.events, b"\xff" * 4096)

    def set(self, index: int, value: int) -> None:
        self.memory.write(self.shadow + 4 * index, struct.pack("<I", value))

    def event(self, index: int) -> int:
        return struct.unpack("<I", self.memory.read(self.events + 4 * index, 4))[0]


def configure(nvme: Nvme, buffers: Buffers) -> int:
    return nvme.admin.execute(CONFIG, prp1=buffers.shadow, prp2=buffers.events)[1]


def crossed(event: int, new: int, old: int) -> bool:
    """Whether the host must ring: the doorbell has passed the EventIdx."""
    return (new - event - 1 & 0xFFFF) < (new - old & 0xFFFF)


class ShadowQueue:
    """Sends reads by shadow doorbells alone, and rings only if `rings` says so."""

    def __init__(self, nvme: Nvme, queue: Queue, buffers: Buffers, rings: bool) -> None:
        self.nvme, self.queue, self.buffers, self.rings = nvme, queue, buffers, rings
        self.data = nvme.memory.alloc(4096)

    def read(self, count: int = 1) -> None:
        queue, old = self.queue, self.queue.tail
        for _ in range(count):
            queue.submit(sqe(READ, nsid=1, prp1=self.data), ring=False)
        self.buffers.set(2 * queue.qid, queue.tail)
        if self.rings and crossed(self.buffers.event(2 * queue.qid), queue.tail, old):
            queue.ring()
        for _ in range(count):
            deadline = time.monotonic() + 10
            while queue.memory.read(queue.cq + queue.head * 16 + 14, 1)[0] & 1 != queue.phase:
                assert time.monotonic() < deadline or loaded(), "no completion"
            status = struct.unpack("<H", queue.memory.read(queue.cq + queue.head * 16 + 14, 2))[0]
            assert status >> 1 == OK
            queue.head = (queue.head + 1) % queue.depth
            queue.phase ^= queue.head == 0
        self.buffers.set(2 * queue.qid + 1, queue.head)


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    with Client(start("--size", "1M").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert not int.from_bytes(identify(nvme, 1)[256:258], "little") & OACS_BIT
        assert configure(nvme, Buffers(nvme)) == INVALID_OPCODE
        nvme.close()


def test_what_is_checked(nvme: Nvme) -> None:
    assert int.from_bytes(identify(nvme, 1)[256:258], "little") & OACS_BIT
    page = nvme.memory.alloc(8192)
    for prp1, prp2 in ((page + 8, page + 4096), (page, page + 4), (page, 0x1000), (1 << 50, page)):
        assert nvme.admin.execute(CONFIG, prp1=prp1, prp2=prp2)[1] == INVALID_FIELD
    assert nvme.admin.execute(CONFIG, prp1=page, prp2=page + 4096)[1] == OK


@pytest.mark.parametrize("rings", [False, True], ids=["shadow only", "rings when asked"])
def test_reads_by_shadow_doorbells(nvme: Nvme, rings: bool) -> None:
    early = nvme.create_queue(1, 16)
    assert early.execute(READ, nsid=1, prp1=nvme.memory.alloc(4096))[1] == OK
    buffers = Buffers(nvme)
    buffers.set(2, 1)
    buffers.set(3, 1)
    assert configure(nvme, buffers) == OK
    assert (buffers.event(2), buffers.event(3)) == (1, 1), "where the queue is"
    late = nvme.create_queue(2, 8)
    assert (buffers.event(4), buffers.event(5)) == (0, 0)
    for queue in (early, late):
        by_shadow = ShadowQueue(nvme, queue, buffers, rings)
        for count in (1, 3, 1, 5, 7, 7, 6, 1):
            by_shadow.read(count)
        deadline = time.monotonic() + 5
        while (buffers.event(2 * queue.qid), buffers.event(2 * queue.qid + 1)) != (queue.tail, queue.head):
            assert time.monotonic() < deadline or loaded(), "an EventIdx was never updated"
    assert log_page(nvme, 1, 64)[:8] == bytes(8), "no error, such as an invalid doorbell"
    assert nvme.admin.execute(0x0A, cdw10=7)[1] == OK, "the admin queue has no shadow doorbells"


def test_a_ring_without_a_new_value_is_no_error(nvme: Nvme) -> None:
    buffers = Buffers(nvme)
    assert configure(nvme, buffers) == OK
    by_shadow = ShadowQueue(nvme, nvme.create_queue(1, 16), buffers, False)
    for _ in range(20):
        by_shadow.read(2)
        by_shadow.queue.ring()
    assert log_page(nvme, 1, 64)[:8] == bytes(8)


def test_a_reset_switches_them_off(nvme: Nvme) -> None:
    buffers = Buffers(nvme)
    assert configure(nvme, buffers) == OK
    ShadowQueue(nvme, nvme.create_queue(1, 16), buffers, False).read(3)
    nvme.disable()
    nvme.enable()
    queue = nvme.create_queue(1, 16)
    assert queue.execute(READ, nsid=1, prp1=nvme.memory.alloc(4096))[1] == OK


def test_a_value_beyond_the_queue_is_an_error(nvme: Nvme) -> None:
    buffers = Buffers(nvme)
    assert configure(nvme, buffers) == OK
    queue = nvme.create_queue(1, 16)
    buffers.set(2, 99)
    deadline = time.monotonic() + 5
    while log_page(nvme, 1, 64)[:8] == bytes(8):
        assert time.monotonic() < deadline or loaded()
    buffers.set(2, 0)
    assert queue.tail == 0
