# SPDX-License-Identifier: BSD-3-Clause
"""Fused Compare and Write: one after the other or not at all, and what happens to a half alone."""

from __future__ import annotations

import time

import pytest
from client import Nvme, Queue, sqe
from ctrl_helpers import (
    ABORT,
    ABORT_REQUESTED,
    COMPARE,
    COMPARE_FAILURE,
    CREATE_CQ,
    CREATE_SQ,
    DELETE_SQ,
    FUA,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    WRITE,
    WRITE_ZEROES,
    Disk,
    pattern,
    set_feature,
)

from tests.fix_load import loaded

FIRST, SECOND = 1, 2  # FUSE
FAILED_FUSED, MISSING_FUSED = 0x009, 0x00A
ARBITRATION = 1  # feature


class Pair:
    """A queue, and commands whose data differ: LBA 8 holds `old`, a fused write would put `new` there."""

    def __init__(self, nvme: Nvme, depth: int = 16) -> None:
        self.nvme, self.queue = nvme, nvme.create_queue(1, depth)
        self.other = Disk(nvme, nvme.create_queue(2, 8))
        self.old, self.new = pattern(8, 8, seed=1), pattern(8, 8, seed=2)
        self.other.write(8, self.old)
        self.expected, self.data = nvme.memory.alloc(4096), nvme.memory.alloc(4096)
        nvme.memory.write(self.expected, self.old)
        nvme.memory.write(self.data, self.new)

    def compare(self, lba: int = 8, count: int = 8, flags: int = FIRST, **fields: int) -> bytes:
        return sqe(COMPARE, nsid=1, prp1=self.expected, cdw10=lba, cdw12=count - 1, flags=flags, **fields)

    def write(self, lba: int = 8, count: int = 8, flags: int = SECOND, nsid: int = 1, bits: int = 0) -> bytes:
        return sqe(WRITE, nsid=nsid, prp1=self.data, cdw10=lba, cdw12=count - 1 | bits, flags=flags)

    def send(self, *entries: bytes) -> list[int]:
        """The statuses of commands that one doorbell announces, in the order in which they were put."""
        sent = [self.queue.submit(entry, ring=False) for entry in entries]
        self.queue.ring()
        found = [self.queue.wait() for _ in sent]
        assert [entry.cid for entry in found] == sent
        return [entry.status for entry in found]

    @property
    def stored(self) -> bytes:
        return self.other.read(8, 8)


@pytest.fixture
def pair(nvme: Nvme) -> Pair:
    """Give a queue of 16 entries."""
    return Pair(nvme)


def test_the_write_is_done_where_the_compare_finds_the_data_equal(pair: Pair) -> None:
    assert pair.send(pair.compare(), pair.write()) == [OK, OK]
    assert pair.stored == pair.new


def test_the_write_is_aborted_where_the_compare_fails(pair: Pair) -> None:
    pair.nvme.memory.write(pair.expected, pair.new)
    assert pair.send(pair.compare(), pair.write()) == [COMPARE_FAILURE, FAILED_FUSED]
    assert pair.stored == pair.old


def test_the_write_is_aborted_where_the_compare_is_refused(pair: Pair) -> None:
    lbas = 64 << 20 >> 9
    assert pair.send(pair.compare(lba=lbas), pair.write(lba=lbas)) == [LBA_OUT_OF_RANGE, FAILED_FUSED]
    pair.nvme.memory.write(pair.expected, pair.old)
    assert pair.send(pair.compare(cdw11=1), pair.write()) == [INVALID_FIELD, INVALID_FIELD]


@pytest.mark.parametrize("other", [{"lba": 9}, {"count": 7}, {"nsid": 2}])
def test_halves_of_different_lbas_are_both_refused(pair: Pair, other: dict[str, int]) -> None:
    assert pair.send(pair.compare(), pair.write(**other)) == [INVALID_FIELD, INVALID_FIELD]
    assert pair.stored == pair.old


def test_a_write_that_fails_by_itself_says_why(pair: Pair) -> None:
    entry = bytearray(pair.write())
    entry[24:32] = (0x10).to_bytes(8, "little")  # PRP1 points nowhere
    first, second = pair.send(pair.compare(), bytes(entry))
    assert first == OK and second not in (OK, FAILED_FUSED)
    assert pair.stored == pair.old


def test_a_pair_wraps_at_the_end_of_the_queue(nvme: Nvme) -> None:
    pair = Pair(nvme, depth=3)
    for turn in range(7):
        last, pair.new = pair.new, pattern(8, 8, seed=10 + turn)
        nvme.memory.write(pair.expected, pair.stored)
        nvme.memory.write(pair.data, pair.new)
        assert pair.send(pair.compare(), pair.write()) == [OK, OK]
        assert pair.stored == pair.new != last


def test_the_first_half_waits_for_the_doorbell_of_the_second(pair: Pair) -> None:
    pair.queue.submit(pair.compare())
    time.sleep(0.05)
    assert pair.queue.poll() is None
    pair.queue.submit(pair.write())
    assert [pair.queue.wait().status for _ in range(2)] == [OK, OK]
    assert pair.stored == pair.new


def test_other_queues_go_on_while_a_first_half_waits(pair: Pair) -> None:
    pair.queue.submit(pair.compare())
    for lba in range(100, 140):
        pair.other.write(lba, pattern(lba, 1))
    assert pair.queue.poll() is None
    # What it is compared with is what there is when the pair is executed, not when its first half came.
    pair.other.write(8, pair.new)
    pair.queue.submit(pair.write())
    assert [pair.queue.wait().status for _ in range(2)] == [COMPARE_FAILURE, FAILED_FUSED]


def test_a_first_half_that_stays_alone_is_aborted_in_the_end(pair: Pair) -> None:
    pair.queue.submit(pair.compare())
    start = time.monotonic()
    found = pair.queue.wait(5)
    assert found.status == MISSING_FUSED and not found.dnr
    took = time.monotonic() - start
    assert took > 0.5
    assert took < 3 or loaded()
    assert pair.send(pair.write()) == [MISSING_FUSED]
    assert pair.send(pair.compare(), pair.write()) == [OK, OK]


def test_a_half_without_its_other_beside_it_is_aborted(pair: Pair) -> None:
    plain = sqe(READ, nsid=1, prp1=pair.nvme.memory.alloc(4096))
    assert pair.send(pair.write()) == [MISSING_FUSED]
    assert pair.send(pair.compare(), plain, pair.write()) == [MISSING_FUSED, OK, MISSING_FUSED]
    assert pair.send(pair.compare(), pair.compare(), pair.write()) == [MISSING_FUSED, OK, OK]
    pair.nvme.memory.write(pair.expected, pair.new)
    assert pair.send(pair.compare(), pair.write(), pair.write()) == [OK, OK, MISSING_FUSED]
    assert pair.send(pair.compare(), pair.write(flags=0)) == [MISSING_FUSED, OK]


@pytest.mark.parametrize(
    "opcode, fuse",
    [
        (COMPARE, SECOND),
        (WRITE, FIRST),
        (COMPARE, 3),
        (WRITE, 3),
        (READ, FIRST),
        (READ, SECOND),
        (WRITE_ZEROES, 2),
    ],
)
def test_what_is_no_half_of_compare_and_write_is_refused(pair: Pair, opcode: int, fuse: int) -> None:
    entry = sqe(opcode, nsid=1, prp1=pair.expected, cdw10=8, cdw12=7, flags=fuse)
    assert pair.send(entry, pair.write()) == [INVALID_FIELD, MISSING_FUSED]
    assert pair.stored == pair.old


def test_a_pair_of_a_namespace_that_is_not_there(pair: Pair) -> None:
    entry = bytearray(pair.compare())
    entry[4] = 2
    assert pair.send(bytes(entry), pair.write(nsid=2)) == [INVALID_NAMESPACE, FAILED_FUSED]


def test_a_fused_write_obeys_fua_and_the_completions_keep_their_order(pair: Pair) -> None:
    for _ in range(20):
        pair.nvme.memory.write(pair.expected, pair.stored)
        assert pair.send(pair.compare(), pair.write(bits=FUA)) == [OK, OK]


def test_a_completion_queue_with_room_for_one_gets_one_after_the_other(nvme: Nvme) -> None:
    pair = Pair(nvme)
    cq = Queue(nvme.memory, nvme.doorbells, 3, 2)
    assert nvme.admin.execute(CREATE_CQ, prp1=cq.cq, cdw10=1 << 16 | 3, cdw11=1)[1] == OK
    sq = Queue(nvme.memory, nvme.doorbells, 3, 8)
    assert nvme.admin.execute(CREATE_SQ, prp1=sq.sq, cdw10=7 << 16 | 3, cdw11=3 << 16 | 1)[1] == OK
    for expected in ([OK, OK], [COMPARE_FAILURE, FAILED_FUSED]):
        sq.submit(pair.compare(), ring=False)
        sq.submit(pair.write(), ring=False)
        sq.ring()
        assert [cq.wait().status for _ in range(2)] == expected


class Counter:
    """Two queues that increment the number in LBA 0 by compare and write, as locks do it."""

    def __init__(self, nvme: Nvme) -> None:
        self.nvme, memory = nvme, nvme.memory
        self.queues = [nvme.create_queue(qid, 16) for qid in (1, 2)]
        self.old, self.new = ([memory.alloc(4096) for _ in self.queues] for _ in range(2))
        self.disk = Disk(nvme, nvme.create_queue(3, 8))
        self.plain = sqe(READ, nsid=1, prp1=memory.alloc(4096), cdw10=100)

    def put(self, index: int, value: int, plain: bool) -> None:
        """Put the pair into a queue, behind a plain command if there is one. No doorbell is rung."""
        self.nvme.memory.write(self.old[index], value.to_bytes(8, "little") + bytes(504))
        self.nvme.memory.write(self.new[index], (value + 1).to_bytes(8, "little") + bytes(504))
        entries = [self.plain] * plain + [
            sqe(COMPARE, nsid=1, prp1=self.old[index], flags=FIRST),
            sqe(WRITE, nsid=1, prp1=self.new[index], flags=SECOND),
        ]
        for entry in entries:
            self.queues[index].submit(entry, ring=False)

    def incremented(self, index: int, plain: bool) -> bool:
        """Wait for the pair of a queue: whether its write was done."""
        assert not plain or self.queues[index].wait().status == OK
        first, second = (self.queues[index].wait().status for _ in range(2))
        assert (first, second) in ((OK, OK), (COMPARE_FAILURE, FAILED_FUSED))
        return second == OK

    def race(self, late: int | None, order: tuple[int, int], held: bool) -> list[bool]:
        """Let both queues increment at once, the late one behind a plain command.

        Held: the controller fetches nothing until both doorbells are rung.
        """
        value = self.value
        for index in order:
            self.put(index, value, index == late)
        if held:
            self.nvme.client.config_write(4, b"\2\0")
        for index in order:
            self.queues[index].ring()
        if held:
            self.nvme.client.config_write(4, b"\6\0")
        return [self.incremented(index, index == late) for index in (0, 1)]

    @property
    def value(self) -> int:
        return int.from_bytes(self.disk.read(0)[:8], "little")


def test_nothing_comes_between_the_halves(nvme: Nvme) -> None:
    """No increment is lost. Where the burst is one command, the pair behind a plain command is second."""
    assert set_feature(nvme, ARBITRATION, 0) == OK
    counter, done = Counter(nvme), [0, 0]
    for turn in range(50):
        order = (0, 1) if turn % 2 else (1, 0)
        for late, held in ((None, False), (None, True), (0, True), (1, True)):
            won = counter.race(late, order, held)
            done = [count + one for count, one in zip(done, won)]
            assert counter.value == sum(done)
            assert late is None or won[1 - late]
    assert sum(done) == 200 and min(done) >= 50


def test_a_first_half_can_be_aborted_while_it_waits(pair: Pair) -> None:
    cid = pair.queue.submit(pair.compare())
    assert pair.nvme.admin.execute(ABORT, cdw10=cid << 16 | 1) == (0, OK)
    assert pair.queue.wait().status == ABORT_REQUESTED
    assert pair.send(pair.write()) == [MISSING_FUSED]
    assert pair.send(pair.compare(), pair.write()) == [OK, OK]


def test_a_second_half_that_was_aborted_leaves_the_first_alone(pair: Pair) -> None:
    pair.nvme.client.config_write(4, b"\2\0")
    pair.queue.submit(pair.compare(), ring=False)
    second = pair.queue.submit(pair.write())
    pair.nvme.admin.submit(sqe(ABORT, cdw10=second << 16 | 1))
    pair.nvme.client.config_write(4, b"\6\0")
    assert pair.nvme.admin.wait().cdw0 == 0
    assert [(e.cid, e.status) for e in (pair.queue.wait(), pair.queue.wait())] == [
        (second, ABORT_REQUESTED),
        (second - 1, MISSING_FUSED),
    ]
    assert pair.stored == pair.old


def test_a_queue_is_deleted_with_a_first_half_in_it(pair: Pair) -> None:
    pair.queue.submit(pair.compare())
    time.sleep(0.01)
    assert pair.nvme.admin.execute(DELETE_SQ, cdw10=1)[1] == OK
    assert pair.stored == pair.old
