# SPDX-License-Identifier: BSD-3-Clause
"""Random traffic with planted corruptions: verification finds each that can be found, and no others.

A model in Python says what each LBA may hold and whether it has to survive the power; it shares nothing with
the driver. What the drive holds is read and changed behind its back (`peek`, `poke`). After each command the
counts of verification must be exactly those of the model.
"""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Callable

import nvme as d
import pytest

from pynvme import vssd
from pynvme.vssd import VirtualSsd

SIZE, LBAS, LARGEST, NAMESPACES = 512, 96, 12, (1, 2)
FUA, DEAC, FLUSH, ALL, WCE = 0x4000, 0x200, 0, 0xFFFFFFFF, 6
ZEROS = bytes(SIZE)
ADDRESS = "vssd:name=model,size=16M,namespaces=2"


@dataclass
class Lba:
    """What one LBA may hold."""

    may: set[bytes] | None = None
    """None: nobody knows. Several: it was deallocated."""
    bad: bool = False
    """It is known to be uncorrectable."""
    perhaps_bad: bool = False
    """Nobody knows, and it may be uncorrectable."""
    durable: bool = True
    history: list[bytes] = field(default_factory=list)

    def forget(self) -> None:
        self.perhaps_bad = self.perhaps_bad or self.bad
        self.may, self.bad, self.durable = None, False, True

    def set(self, may: set[bytes] | None, durable: bool, bad: bool = False) -> None:
        self.may, self.bad, self.durable = may, bad, durable
        self.perhaps_bad = False

    @property
    def known(self) -> bool:
        return self.bad or self.may is not None


class Traffic:
    """A drive, the model of it, and the commands that are sent to both."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.model = {nsid: [Lba() for _ in range(LBAS)] for nsid in NAMESPACES}
        self.cache_on = True
        self.done: Counter[str] = Counter()
        self.planted = self.found = self.judged = 0
        self.spoiled = (1, 0)
        self.open()
        self.ssd = VirtualSsd.attach(ADDRESS)
        self.start = {nsid: self.counts(nsid) for nsid in NAMESPACES}

    def open(self) -> None:
        self.pcie = d.Pcie(ADDRESS)
        self.nvme0 = d.Controller(self.pcie)
        self.ns = {nsid: d.Namespace(self.nvme0, nsid) for nsid in NAMESPACES}
        self.make_queues()

    def make_queues(self) -> None:
        self.queues = [d.Qpair(self.nvme0, 32) for _ in range(2)]

    def counts(self, nsid: int) -> tuple[int, int, int]:
        s = self.ns[nsid].verify_stats()
        return s.judged, s.unverified, s.mismatch

    # What is chosen

    def range(self) -> tuple[int, int, int]:
        """A namespace, an LBA and how many."""
        count = self.random.randint(1, LARGEST)
        return self.random.choice(NAMESPACES), self.random.randint(0, LBAS - count), count

    def lbas(self, nsid: int, lba: int, count: int) -> list[Lba]:
        return self.model[nsid][lba : lba + count]

    def queue(self) -> d.Qpair:
        return self.random.choice(self.queues)

    def durable(self, fua: bool) -> bool:
        return fua or not self.cache_on

    # What changes data

    def put(self, nsid: int, lba: int, data: bytes, durable: bool) -> None:
        for i, known in enumerate(self.lbas(nsid, lba, len(data) // SIZE)):
            content = data[SIZE * i : SIZE * (i + 1)]
            known.set({content}, durable)
            known.history = [*known.history[-3:], content]

    def write(self) -> None:
        nsid, lba, count = self.range()
        fua = self.random.random() < 0.2
        b = d.Buffer(count * SIZE, ptype=0xBEEF, pvalue=self.random.choice((0, 50, 100)))
        if self.random.random() < 0.7:
            self.ns[nsid].write(self.queue(), b, lba, count, io_flags=FUA * fua).waitdone()
        else:
            self.ns[nsid].send_cmd(
                1, self.queue(), b, nsid, lba, cdw12=count - 1 | (FUA * fua) << 16
            ).waitdone()
        self.put(nsid, lba, b[:], self.durable(fua))

    def work(self) -> None:
        nsid, lba, count = self.range()
        worker = self.ns[nsid].ioworker(
            io_size=1, lba_random=False, qdepth=2, region_start=lba, region_end=lba + count, read_percentage=0
        )
        assert worker.start().close().error == 0
        for i, known in enumerate(self.lbas(nsid, lba, count)):
            if not known.bad:  # a sequential worker goes round them
                self.put(nsid, lba + i, self.ssd.peek(nsid, lba + i), self.durable(False))

    def write_zeroes(self) -> None:
        nsid, lba, count = self.range()
        flags = self.random.choice((0, FUA, DEAC, FUA | DEAC))
        self.ns[nsid].write_zeroes(self.queue(), lba, count, io_flags=flags).waitdone()
        self.put(nsid, lba, ZEROS * count, self.durable(bool(flags & FUA)))

    def write_uncorrectable(self) -> None:
        nsid, lba, count = self.range()
        self.ns[nsid].write_uncorrectable(self.queue(), lba, count).waitdone()
        for known in self.lbas(nsid, lba, count):
            known.set(None, self.durable(False), bad=True)

    def deallocate(self) -> None:
        nsid, lba, count = self.range()
        ranges = d.Buffer(4096)
        ranges.set_dsm_range(0, lba, count)
        self.ns[nsid].dsm(self.queue(), ranges, 1).waitdone()
        for known in self.lbas(nsid, lba, count):
            if known.bad or known.may is None:
                known.forget()
                known.durable = self.durable(False)
            else:
                known.set(known.may | {ZEROS}, self.durable(False))

    # What makes it durable, and what takes it away

    def flush(self) -> None:
        nsid = self.random.choice((*NAMESPACES, ALL))
        sender = self.ns[self.random.choice(NAMESPACES)]
        sender.send_cmd(FLUSH, self.queue(), nsid=nsid).waitdone()
        self.flushed(nsid)

    def flushed(self, nsid: int) -> None:
        for each in NAMESPACES if nsid == ALL else (nsid,):
            for known in self.model[each]:
                known.durable = True

    def switch_cache(self) -> None:
        self.cache_on = self.random.random() < 0.5
        self.nvme0.setfeatures(WCE, cdw11=int(self.cache_on)).waitdone()

    def reset(self) -> None:
        self.nvme0.reset()
        self.cache_on = True
        self.make_queues()

    def shut_down(self) -> None:
        d.Subsystem(self.nvme0).shutdown_notify()
        self.flushed(ALL)
        self.reset()

    def lose_power(self) -> None:
        self.ssd.power(False)
        self.ssd.power(True)
        for nsid in NAMESPACES:
            for known in self.model[nsid]:
                if not known.durable:
                    known.forget()
                    known.perhaps_bad = True
        self.reset()

    def reopen(self) -> None:
        self.queues.clear()
        self.pcie.close()
        self.flushed(ALL)
        if self.random.random() < 0.3:
            self.ssd.power(False)
            self.ssd.power(True)
        self.cache_on = True
        self.open()

    def forget(self) -> None:
        nsid, lba, count = self.range()
        self.ns[nsid].verify_forget(lba, count)
        for known in self.lbas(nsid, lba, count):
            known.forget()

    def format(self) -> None:
        if self.random.random() < 0.8:
            return
        nsid = self.random.choice(NAMESPACES)
        self.nvme0.format(0, nsid=nsid).waitdone()
        for known in self.model[nsid]:
            known.set(None, True)

    def refused(self) -> None:
        with pytest.warns(UserWarning, match="^ERROR status: 00/01"):
            self.ns[1].send_cmd(0x8F, self.queue(), d.Buffer(SIZE)).waitdone()

    # What is wrong, and what must find it

    def plant(self) -> None:
        nsid, lba, _ = self.range()
        known = self.model[nsid][lba]
        if known.bad or known.perhaps_bad:
            return
        data = self.ssd.peek(nsid, lba)
        flipped = bytearray(data)
        flipped[self.random.randrange(SIZE)] ^= 1 << self.random.randrange(8)
        other = self.ssd.peek(nsid, self.random.randrange(LBAS))
        old = self.random.choice(known.history or [data])
        self.ssd.poke(nsid, lba, self.random.choice((bytes(flipped), ZEROS, other, old)))
        self.spoiled = (nsid, lba)

    def range_to_read(self) -> tuple[int, int, int]:
        """Half of the reads begin at the last corruption."""
        nsid, lba, count = self.range()
        if self.random.random() < 0.5:
            nsid, lba = self.spoiled
        return nsid, lba, min(count, LBAS - lba)

    def read(self) -> None:
        nsid, lba, count = self.range_to_read()
        before, expected = self.counts(nsid), self.expect(nsid, lba, count)
        status: list[int] = []
        self.ns[nsid].read(
            self.queue(), d.Buffer(count * SIZE), lba, count, cb=lambda cdw0, field: status.append(field >> 1)
        ).waitdone()
        self.judge(nsid, lba, count, before, expected, status[0] & 0x7FF)

    def read_by_worker(self) -> None:
        nsid, lba, count = self.range_to_read()
        before, expected = self.counts(nsid), self.expect(nsid, lba, count)
        r = self.ns[nsid].ioworker(io_sequence=[(0, 2, lba, count)]).start().close()
        status = {0: 0, -6: 0x781 if self.counts(nsid)[2] > before[2] else 0x281}[r.error]
        self.judge(nsid, lba, count, before, expected, status)

    def expect(self, nsid: int, lba: int, count: int) -> tuple[int, int]:
        """How many of these LBAs a read judges, and how many of those are wrong."""
        lbas = self.lbas(nsid, lba, count)
        wrong = 0
        for i, known in enumerate(lbas):
            wrong += known.known and (known.may is None or self.ssd.peek(nsid, lba + i) not in known.may)
        return sum(known.known for known in lbas), wrong

    def judge(
        self,
        nsid: int,
        lba: int,
        count: int,
        before: tuple[int, int, int],
        expected: tuple[int, int],
        status: int,
    ) -> None:
        lbas = self.lbas(nsid, lba, count)
        after = self.counts(nsid)
        change = tuple(a - b for a, b in zip(after, before))
        if status == 0x281:
            assert any(known.bad or known.perhaps_bad for known in lbas)
            assert change == (0, 0, 0)
            return
        judged, wrong = expected
        where = f"namespace {nsid}, {count} LBAs from {lba} on: {lbas}"
        assert change == (judged, count - judged, wrong), where
        assert status == (0x781 if wrong else 0), where
        self.judged += judged
        self.planted += wrong
        self.found += change[2]
        for i, known in enumerate(lbas):
            known.perhaps_bad = False
            if known.may and len(known.may) > 1 and self.ssd.peek(nsid, lba + i) == ZEROS:
                known.may, known.durable = {ZEROS}, known.durable and not self.cache_on

    def in_flight(self) -> None:
        """Commands of both queues at once, over LBAs of their own; a flush among them covers none of them."""
        flushes: list[int] = []
        writes: list[tuple[int, int, d.Buffer]] = []
        before = {nsid: self.counts(nsid) for nsid in NAMESPACES}
        reads = {nsid: [0, 0, 0] for nsid in NAMESPACES}
        sent: Counter[d.Qpair] = Counter()
        covered: list[Lba] = []
        for lba in range(0, LBAS, LARGEST):
            nsid, queue, what = self.random.choice(NAMESPACES), self.queue(), self.random.random()
            lbas = self.lbas(nsid, lba, LARGEST)
            if what < 0.2:
                which = self.random.choice((*NAMESPACES, ALL))
                flushes.append(which)
                self.ns[1].send_cmd(FLUSH, queue, nsid=which)
                covered += [
                    known for each in (NAMESPACES if which == ALL else (which,)) for known in self.model[each]
                ]
            elif what < 0.6:
                b = d.Buffer(LARGEST * SIZE, ptype=0xBEEF, pvalue=100)
                self.ns[nsid].write(queue, b, lba, LARGEST)
                writes.append((nsid, lba, b))
            elif not any(known.bad or known.perhaps_bad for known in lbas):
                judged, wrong = self.expect(nsid, lba, LARGEST)
                if wrong or any(known.may and len(known.may) > 1 for known in lbas):
                    continue
                self.ns[nsid].read(queue, d.Buffer(LARGEST * SIZE), lba, LARGEST)
                reads[nsid][0] += judged
                reads[nsid][1] += LARGEST - judged
            else:
                continue
            sent[queue] += 1
        for queue, count in sent.items():
            queue.waitdone(count)
        for known in covered:
            known.durable = True
        for nsid, lba, b in writes:
            self.put(nsid, lba, b[:], self.durable(False))
        for nsid in NAMESPACES:
            change = [a - b for a, b in zip(self.counts(nsid), before[nsid])]
            assert change == reads[nsid]

    # All of it

    def run(self, commands: int) -> None:
        often: list[tuple[Callable[[], None], int]] = [
            (self.write, 50),
            (self.read, 100),
            (self.plant, 40),
            (self.write_zeroes, 15),
            (self.write_uncorrectable, 4),
            (self.deallocate, 15),
            (self.flush, 15),
            (self.in_flight, 10),
            (self.forget, 4),
            (self.switch_cache, 6),
            (self.work, 2),
            (self.read_by_worker, 2),
            (self.lose_power, 3),
            (self.shut_down, 1),
            (self.reset, 1),
            (self.reopen, 1),
            (self.format, 1),
            (self.refused, 1),
        ]
        actions, weights = zip(*often)
        for _ in range(commands):
            action = self.random.choices(actions, weights)[0]
            self.done[action.__name__] += 1
            action()


@pytest.fixture
def traffic() -> Iterator[Callable[[int, int], Traffic]]:
    running: list[Traffic] = []

    def run(seed: int, commands: int) -> Traffic:
        one = Traffic(seed)
        running.append(one)
        with pytest.warns(UserWarning, match="."):
            warnings.warn("its mismatches are expected, one by one", stacklevel=1)
            one.run(commands)
        return one

    yield run
    for one in running:
        one.queues.clear()
        one.pcie.close()
    vssd.discard(ADDRESS)


@pytest.mark.parametrize("seed", range(3))
def test_each_planted_corruption_is_found_and_none_is_invented(
    traffic: Callable[[int, int], Traffic], seed: int
) -> None:
    one = traffic(seed, 350)
    assert one.found == one.planted
    assert one.found > 10
    assert one.judged > 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_the_same_for_a_longer_time(traffic: Callable[[int, int], Traffic], seed: int) -> None:
    one = traffic(seed, 4000)
    assert one.found == one.planted
    assert all(count > 0 for count in one.done.values())
