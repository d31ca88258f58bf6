# SPDX-License-Identifier: BSD-3-Clause
"""Random IO of all kinds on several queues, judged by a model."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, NamedTuple

import nvme

from pynvme.spec import IoOpcode, Status
from pynvme.suite import clauses
from pynvme.suite.content import Content, Pattern
from pynvme.suite.drive import Drive
from pynvme.suite.history import MISMATCH, Command, status_text
from pynvme.suite.metadata import protected_bytes
from pynvme.suite.model import Change, Kind, Model

PAGE = 4096
GUARD = b"\xc3" * PAGE
LR, FUA, DEAC = 0x8000, 0x4000, 0x0200
"""Bits of dword 12, from bit 16 on."""

READ_CLAUSE = clauses.of_io(IoOpcode.READ)
UNCORRECTABLE_CLAUSE = clauses.of_io(IoOpcode.WRITE_UNCORRECTABLE)
QUEUE_CLAUSE = "Base 2.0, 3.3.3.2 Completion Queue Entry, SQ Identifier and SQ Head Pointer"
GUARD_CLAUSE = "Base 2.0, 4.1.1 Physical Region Page Entry and List"

MIX = {
    "write": 40,
    "read": 30,
    "compare": 6,
    "compare_other": 2,
    "zeroes": 5,
    "trim": 6,
    "uncorrectable": 2,
    "verify": 2,
    "flush": 3,
    "write_fua": 3,
    "read_fua": 2,
    "zeroes_fua": 1,
    "zeroes_deac": 2,
    "zeroes_deac_fua": 1,
    "hint": 1,
}
"""How often each kind of IO comes. Kinds that the drive does not support are left out."""


class Sort(NamedTuple):
    """A kind of IO."""

    opcode: IoOpcode
    change: Kind | None = None
    flags: int = 0
    """Bits 31:16 of dword 12."""


SORTS = {
    "write": Sort(IoOpcode.WRITE, Kind.DATA),
    "write_fua": Sort(IoOpcode.WRITE, Kind.DATA, FUA),
    "read": Sort(IoOpcode.READ),
    "read_fua": Sort(IoOpcode.READ, None, FUA),
    "compare": Sort(IoOpcode.COMPARE),
    "compare_other": Sort(IoOpcode.COMPARE),
    "zeroes": Sort(IoOpcode.WRITE_ZEROES, Kind.ZEROES),
    "zeroes_fua": Sort(IoOpcode.WRITE_ZEROES, Kind.ZEROES, FUA),
    "zeroes_deac": Sort(IoOpcode.WRITE_ZEROES, Kind.ZEROES, DEAC),
    "zeroes_deac_fua": Sort(IoOpcode.WRITE_ZEROES, Kind.ZEROES, DEAC | FUA),
    "trim": Sort(IoOpcode.DSM, Kind.DEALLOCATED),
    "hint": Sort(IoOpcode.DSM),
    "uncorrectable": Sort(IoOpcode.WRITE_UNCORRECTABLE, Kind.UNCORRECTABLE),
    "verify": Sort(IoOpcode.VERIFY),
    "flush": Sort(IoOpcode.FLUSH),
}

DEALLOCATE = 4
"""AD in dword 11 of a Dataset Management."""

HINTS = (0, 1, 2, 3)
"""IDR and IDW in dword 11 of a Dataset Management, which change no data."""

ACCESSES = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x10, 0x20, 0x30, 0x40, 0x80, 0xB5)
"""Access frequency, latency, sequential and incompressible in dword 13 of a read or write."""

FLAGS = {
    IoOpcode.READ: (0, LR),
    IoOpcode.WRITE: (0, LR),
    IoOpcode.WRITE_ZEROES: (0, LR),
    IoOpcode.COMPARE: (LR, FUA, LR | FUA),
    IoOpcode.VERIFY: (LR, FUA, LR | FUA),
}
"""Bits of dword 12 that change no data."""

CONTEXTS = (0, 0, 0, 0x01, 0x22, 0x35, 0x100, 0x200, 0x705)
"""Context attributes of a range of a Dataset Management."""

PATTERNS = (
    (Pattern.STAMPED,) * 24 + (Pattern.EQUAL,) * 2 + tuple(set(Pattern) - {Pattern.STAMPED, Pattern.EQUAL})
)
"""What writes look like, as often as they come."""

HINTED = 0.15
"""The share of IO with hints."""

AFTER_ALL = 0.5
"""The share of flushes that are sent once all commands have completed, so that they cover all."""

OF_THE_LAST = 0.7
"""The share of reads with FUA that read what was written a moment ago, and may not be durable yet."""

MOST_RANGES = 256
MANY_RANGES = 17
"""From this number on, the ranges of a deallocation are short, so that they fit into a space."""


def model_of(drive: Drive) -> Model:
    """A new model of the drive's first namespace."""
    volatile = bool(drive.id_ctrl.vwc.vwcp) and bool(drive.get_feature(6).cdw0 & 1)
    if volatile:
        flush_unseen(drive)
    content = Content(drive.random, drive.lba_size, protected_bytes(drive.ns))
    model = Model(content, drive.ns.id_ns.dlfeat.rdb, volatile)
    drive.at_end(lambda: clean_up(drive, model))
    return model


def flush_unseen(drive: Drive) -> None:
    """Flush what earlier tests have left in the cache, so that what the first read finds is durable."""
    pair = nvme.Qpair(drive.nvme0, 2)
    drive.ns.flush(pair).waitdone()
    pair.delete()


def clean_up(drive: Drive, model: Model) -> None:
    """Overwrite LBAs that are marked as uncorrectable, or whose deallocation may come in a later test."""
    if model.content.size != drive.lba_size:
        return
    most = min(drive.most_lbas, 256)
    buf = nvme.Buffer(most * drive.lba_size)
    for slba, nlb in runs((lba for lba in model.unsettled() if lba < drive.nsze), most):
        drive.io(IoOpcode.WRITE, buf, slba, nlb)


class Slot:
    """A buffer with a guard before and behind the data of its command."""

    def __init__(self, size: int) -> None:
        self.buf = nvme.Buffer(PAGE + size + PAGE)
        self._view = memoryview(self.buf)
        self.length = 0

    def prepare(self, offset: int, length: int, data: bytes | None = None) -> nvme.Buffer:
        """Place the data at an offset, or guard bytes where a read will put data."""
        self.length = length
        self.buf.offset = offset
        view, end = self._view, offset + length
        view[:offset] = GUARD[:offset]
        view[end : end + PAGE] = GUARD
        view[offset:end] = data if data is not None else GUARD[:1] * length
        return self.buf

    def data(self) -> bytes:
        """What the command transferred."""
        offset = self.buf.offset
        return bytes(self._view[offset : offset + self.length])

    def intact(self) -> bool:
        """Whether nothing was written outside of the data."""
        offset, end = self.buf.offset, self.buf.offset + self.length
        return self._view[:offset] == GUARD[:offset] and self._view[end : end + PAGE] == GUARD


@dataclasses.dataclass
class Flight:
    """A command in flight."""

    kind: str
    ranges: list[tuple[int, int]]
    slot: Slot
    change: Change | None = None
    flush: int = 0
    offset: int = 0
    command: Command | None = None

    @property
    def is_durable(self) -> bool:
        """Whether what it changes or reads has to survive a loss of power once it has completed."""
        return bool(SORTS[self.kind].flags & FUA)

    def lbas(self) -> Iterable[int]:
        """All LBAs that it names."""
        for slba, nlb in self.ranges:
            yield from range(slba, slba + nlb)


class Traffic:
    """Random IO on several queues.

    Args:
        drive: the drive
        model: judges what is read
        spaces: (first LBA, number of LBAs) of each region to use
        mix: how often each kind of IO comes
        queues: how many queue pairs
        depth: commands in flight in each
        sizes: LBAs of an IO, drawn at random
        fails: statuses that a command may have beside success; its data are unknown then
        patterns: what the data of writes look like, drawn at random
    """

    def __init__(
        self,
        drive: Drive,
        model: Model,
        spaces: Sequence[tuple[int, int]],
        mix: Mapping[str, int] = MIX,
        queues: int = 2,
        depth: int = 16,
        sizes: Sequence[int] = (1, 1, 1, 2, 3, 7, 8, 8, 9, 16, 31, 64),
        fails: Sequence[int] = (),
        patterns: Sequence[Pattern] = PATTERNS,
    ) -> None:
        self.drive = drive
        self.model = model
        self.spaces = spaces
        self.depth = depth
        self.sizes = [size for size in sizes if size <= drive.most_lbas] or [1]
        self.fails = frozenset(fails)
        self.patterns = patterns
        self.count = 0
        kinds = {
            kind: share
            for kind, share in mix.items()
            if drive.can(SORTS[kind].opcode) and (drive.takes_deac or not SORTS[kind].flags & DEAC)
        }
        self._kinds, self._shares = list(kinds), list(kinds.values())
        self._queues = queues
        self._qpairs: list[nvme.Qpair] = []
        self._in_flight: list[list[Flight]] = []
        self._busy: set[int] = set()
        self._ended: list[Flight] = []
        self._written: deque[tuple[int, int]] = deque(maxlen=8)
        """The ranges of the last writes that have completed."""
        slot_bytes = max(max(self.sizes) * drive.lba_size, PAGE)
        self._free = [Slot(slot_bytes) for _ in range(queues * depth)]

    # Run

    def run(self, until: Callable[[], bool]) -> None:
        """Send IO until a function says that it is enough, and judge it."""
        while not until():
            for _ in range(32):
                self.step()
        self.drain()

    def step(self) -> None:
        """Send one more command, and take a completion first if its queue is full."""
        if not self._qpairs:
            self._open()
        index = self.drive.random.randrange(self._queues)
        if len(self._in_flight[index]) >= self.depth:
            self._reap(index, self.drive.random.randint(1, self.depth))
        flight = self._next()
        if flight is None:
            return
        if flight.kind == "flush" and self.drive.random.random() < AFTER_ALL:
            self.drain()
        self._send(index, flight)

    def drain(self) -> None:
        """Wait for all commands, and judge them."""
        for index in range(len(self._qpairs)):
            self._reap(index, len(self._in_flight[index]))

    def _open(self) -> None:
        self._qpairs = [self.drive.new_qpair(self.depth + 1) for _ in range(self._queues)]
        self._in_flight = [[] for _ in self._qpairs]

    def _reap(self, index: int, count: int) -> None:
        self.drive.reap(self._qpairs[index], min(count, len(self._in_flight[index])))
        self._judge_ended()

    def abandon(self) -> list[Change]:
        """Take the completions of commands that a reset or a loss of power ended, whatever they say.

        Returns the changes that were interrupted.
        """
        for pair, flights in zip(self._qpairs, self._in_flight):
            if flights:
                self.drive.reap(pair, len(flights))
        interrupted = []
        for flight in self._ended:
            assert flight.command is not None
            self._release(flight)
            ok = flight.command.ok
            if flight.change is not None:
                self.model.end(flight.change, ok, flight.is_durable)
                if not ok:
                    interrupted.append(flight.change)
            if flight.kind == "flush" and ok:
                self.model.flush_end(flight.flush)
        self._ended.clear()
        self._qpairs, self._in_flight = [], []
        return interrupted

    # The next command

    def _next(self) -> Flight | None:
        """A random command, or None if its LBAs are in use."""
        rng = self.drive.random
        kind = rng.choices(self._kinds, self._shares)[0]
        if kind == "flush":
            return Flight(kind, [], self._free.pop())
        is_dsm = SORTS[kind].opcode is IoOpcode.DSM
        ranges = self._ranges() if is_dsm else [self._range(rng.choice(self.sizes))]
        if kind == "read_fua" and self._written and rng.random() < OF_THE_LAST:
            ranges = [rng.choice(self._written)]
        lbas = [lba for slba, nlb in ranges for lba in range(slba, slba + nlb)]
        if not ranges or not self._busy.isdisjoint(lbas):
            return None
        offset = rng.choice((0, 0, 4, 512, PAGE - 4, rng.randrange(PAGE // 4) * 4))
        flight = Flight(kind, ranges, self._free.pop(), offset=offset)
        self._busy.update(lbas)
        return flight

    def _range(self, nlb: int) -> tuple[int, int]:
        slba, length = self.drive.random.choice(self.spaces)
        nlb = min(nlb, length)
        return slba + self.drive.random.randint(0, length - nlb), nlb

    def _ranges(self) -> list[tuple[int, int]]:
        """Ranges of a Dataset Management, none of which overlaps another one or is in use."""
        rng = self.drive.random
        count = rng.choice((1, 1, 1, 2, 5, MANY_RANGES, rng.randint(1, MOST_RANGES)))
        sizes = self.sizes if count <= MANY_RANGES else (1, 1, 2, 3)
        taken: set[int] = set()
        found = []
        for _ in range(count):
            slba, nlb = self._range(rng.choice(sizes))
            lbas = range(slba, slba + nlb)
            if taken.isdisjoint(lbas) and self._busy.isdisjoint(lbas):
                taken.update(lbas)
                found.append((slba, nlb))
        return found

    def _send(self, index: int, flight: Flight) -> None:
        """Send it. The model hears of changes first."""
        drive, model, sort = self.drive, self.model, SORTS[flight.kind]
        if sort.change is not None:
            pattern = drive.random.choice(self.patterns)
            flight.change = model.begin(sort.change, *flight.ranges, pattern=pattern)
        buf = self._prepare(flight)
        flight.command = drive.send(
            self._qpairs[index],
            SORTS[flight.kind].opcode,
            buf,
            then=lambda _: self._landed(index, flight),
            **self._dwords(flight),
        )
        if flight.change is not None:
            flight.change.command = flight.command
        if sort.opcode is IoOpcode.DSM:
            flight.command.ranges = flight.ranges
        self._in_flight[index].append(flight)
        self.count += 1

    def _prepare(self, flight: Flight) -> nvme.Buffer | None:
        """The buffer of a command, with its data."""
        opcode = SORTS[flight.kind].opcode
        if opcode is IoOpcode.DSM:
            return self._prepare_ranges(flight)
        if opcode is IoOpcode.FLUSH:
            flight.flush = self.model.flush_begin()
            return None
        slba, nlb = flight.ranges[0]
        length = nlb * self.drive.lba_size
        if opcode is IoOpcode.WRITE:
            assert flight.change is not None
            return flight.slot.prepare(flight.offset, length, self.model.data(flight.change))
        if opcode is IoOpcode.READ:
            return flight.slot.prepare(flight.offset, length)
        return self._prepare_compare(flight, slba, nlb) if opcode is IoOpcode.COMPARE else None

    def _dwords(self, flight: Flight) -> dict[str, int]:
        """Dwords 10 to 13 of a command, with hints that must not matter."""
        rng, sort = self.drive.random, SORTS[flight.kind]
        if sort.opcode is IoOpcode.DSM:
            hints = rng.choice(HINTS)
            is_trim = sort.change is not None
            return {"cdw10": len(flight.ranges) - 1, "cdw11": DEALLOCATE | hints if is_trim else hints}
        if sort.opcode is IoOpcode.FLUSH:
            return {}
        slba, nlb = flight.ranges[0]
        flags, cdw13 = sort.flags, 0
        if rng.random() < HINTED:
            flags |= rng.choice(FLAGS.get(sort.opcode, (0,)))
            cdw13 = rng.choice(ACCESSES) if sort.opcode in (IoOpcode.READ, IoOpcode.WRITE) else 0
        return {
            "cdw10": slba & 0xFFFFFFFF,
            "cdw11": slba >> 32,
            "cdw12": flags << 16 | nlb - 1,
            "cdw13": cdw13,
        }

    def _has_its_metadata(self, slba: int, nlb: int) -> bool:
        """Whether this run knows the metadata of LBAs, so that a Compare can send them."""
        if not self.drive.has_separate_metadata:
            return True
        changes = [self.model.holds(lba) for lba in range(slba, slba + nlb)]
        return all(change is not None and change.kind is not Kind.FOUND for change in changes)

    def _prepare_compare(self, flight: Flight, slba: int, nlb: int) -> nvme.Buffer:
        """The data that the LBAs hold, or others. If nobody knows them, this becomes a read."""
        data = self.model.certain(slba, nlb)
        length = nlb * self.drive.lba_size
        if data is None or self.model.may_fail(slba, nlb) or not self._has_its_metadata(slba, nlb):
            flight.kind = "read"
            return flight.slot.prepare(flight.offset, length)
        if flight.kind == "compare_other":
            data = self.model.content.spoil(self.drive.random, data)
        return flight.slot.prepare(flight.offset, length, data)

    def _prepare_ranges(self, flight: Flight) -> nvme.Buffer:
        buf = flight.slot.prepare(0, PAGE)
        for index, (slba, nlb) in enumerate(flight.ranges):
            buf.set_dsm_range(index, slba, nlb, self.drive.random.choice(CONTEXTS))
        return buf

    # Its end

    def _landed(self, index: int, flight: Flight) -> None:
        """Note a completion. This is a callback, so it judges nothing."""
        self._in_flight[index].remove(flight)
        self._ended.append(flight)

    def _release(self, flight: Flight) -> None:
        self._busy.difference_update(flight.lbas())
        self._free.append(flight.slot)

    def _judge_ended(self) -> None:
        ended, self._ended = self._ended, []
        for flight in ended:
            self._release(flight)
            command = flight.command
            assert command is not None
            self.drive.must_end(command)
            self._judge(flight, command)

    def _judge(self, flight: Flight, command: Command) -> None:
        if flight.change is not None:
            self.model.end(flight.change, command.ok, flight.is_durable)
            if flight.kind == "write":
                self._written.append(flight.ranges[0])
        if command.status in self.fails:
            return
        opcode = SORTS[flight.kind].opcode
        self._judge_entry(command)
        if opcode is IoOpcode.READ:
            self._judge_read(flight, command)
        elif opcode is IoOpcode.VERIFY:
            self._judge_uncorrectable(flight, command)
        elif flight.kind == "compare_other":
            self.drive.expect(command, clauses.of_io(opcode), Status.COMPARE_FAILURE)
        else:
            self.drive.succeed(command, clauses.of_io(opcode))
        if opcode is IoOpcode.FLUSH:
            self.model.flush_end(flight.flush)

    def _judge_entry(self, command: Command) -> None:
        """Judge the fields of a completion that name its submission queue."""
        if command.sqid == command.qid and command.sqhd <= self.depth:
            return
        raise self.drive.finding(
            QUEUE_CLAUSE,
            f"SQ identifier {command.qid}, and an SQ head of {self.depth} at most",
            f"SQ identifier {command.sqid}, and SQ head {command.sqhd}, of {command}",
        )

    def _judge_read(self, flight: Flight, command: Command) -> None:
        slba, nlb = flight.ranges[0]
        if not flight.slot.intact():
            raise self.drive.finding(
                GUARD_CLAUSE, "a read changes its own bytes only", "bytes outside of its data have changed"
            )
        if self._judge_uncorrectable(flight, command):
            judge(self.drive, self.model, slba, flight.slot.data(), command)
            if flight.is_durable:
                self.model.settle(slba, nlb)

    def _judge_uncorrectable(self, flight: Flight, command: Command) -> bool:
        """Judge the status of a read or verify. Returns whether it has data."""
        slba, nlb = flight.ranges[0]
        return judge_status(self.drive, self.model, slba, nlb, command)


def any_size(drive: Drive) -> list[int]:
    """Sizes of IO, of which most are small, some are of any length up to MDTS, and some are at its limit."""
    most = drive.most_lbas
    small = (1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 8, 9, 12, 15, 16, 17, 31, 32, 33)
    large = [drive.random.randint(1, most) for _ in range(5)]
    return [size for size in small if size <= most] + [*large, most]


def judge_status(drive: Drive, model: Model, slba: int, nlb: int, command: Command) -> bool:
    """Judge the status of a command that reads a range. Returns whether it succeeded."""
    if command.status == Status.UNRECOVERED_READ_ERROR and model.may_fail(slba, nlb):
        return False
    if command.status not in (Status.SUCCESS, MISMATCH):
        lbas = range(slba, slba + nlb)
        raise drive.finding(
            READ_CLAUSE, f"{command.name} succeeds", status_text(command.status), lbas, model.writers(lbas)
        )
    if model.must_fail(slba, nlb):
        lbas = range(slba, slba + nlb)
        raise drive.finding(
            UNCORRECTABLE_CLAUSE,
            f"{command.name}: 02/81, since one of its LBAs is marked as uncorrectable",
            status_text(command.status),
            lbas,
            model.writers(lbas),
        )
    return True


def judge(drive: Drive, model: Model, slba: int, data: bytes, command: Command) -> None:
    """Judge data that a successful read returned."""
    wrong = model.judge(slba, data)
    if wrong:
        lbas = [one.lba for one in wrong]
        one = wrong[0]
        more = f", and {len(wrong) - 1} other LBAs of this read" if len(wrong) > 1 else ""
        raise drive.finding(
            READ_CLAUSE,
            f"LBA {one.lba:#x} holds {one.expected}",
            one.seen + more,
            lbas,
            model.writers(lbas),
        )
    if command.status == MISMATCH:
        raise drive.finding(
            READ_CLAUSE,
            "the data that were written",
            "a mismatch that the driver found (07/81)",
            range(command.slba, command.slba + command.nlb),
        )


class _Reader:
    """Reads LBAs with several commands in flight, and judges them."""

    DEPTH = 8

    def __init__(self, drive: Drive, model: Model, nlb: int) -> None:
        self._drive = drive
        self._model = model
        self._free = [Slot(nlb * drive.lba_size) for _ in range(self.DEPTH)]
        self._ended: list[tuple[Command, Slot]] = []

    def read(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Read these ranges."""
        for slba, nlb in wanted:
            if not self._free:
                self._reap(1)
            self._send(slba, nlb)
        self._reap(self.DEPTH - len(self._free))

    def _send(self, slba: int, nlb: int) -> None:
        slot = self._free.pop()
        self._drive.send(
            self._drive.qpair,
            IoOpcode.READ,
            slot.prepare(0, nlb * self._drive.lba_size),
            then=lambda command: self._ended.append((command, slot)),
            cdw10=slba & 0xFFFFFFFF,
            cdw11=slba >> 32,
            cdw12=nlb - 1,
        )

    def _reap(self, count: int) -> None:
        self._drive.reap(self._drive.qpair, count)
        ended, self._ended = self._ended, []
        for command, slot in ended:
            self._free.append(slot)
            self._drive.must_end(command)
            slba, nlb = command.slba, command.nlb
            if judge_status(self._drive, self._model, slba, nlb, command):
                judge(self._drive, self._model, slba, slot.data(), command)
            elif nlb == 1:
                self._model.unreadable(slba)
            else:
                self.read((lba, 1) for lba in range(slba, slba + nlb))


def read_back(drive: Drive, model: Model, lbas: Iterable[int]) -> None:
    """Read LBAs, in as few commands as they allow, and judge them."""
    wanted = set(lbas)
    alone = {lba for lba in wanted if model.may_be_marked(lba)}
    most = min(drive.most_lbas, 256)
    reader = _Reader(drive, model, most)
    reader.read([*runs(wanted - alone, most), *((lba, 1) for lba in sorted(alone))])


def runs(lbas: Iterable[int], most: int) -> list[tuple[int, int]]:
    """Split LBAs into runs of adjacent ones, each with at most a number of them."""
    found: list[tuple[int, int]] = []
    for lba in sorted(lbas):
        slba, nlb = found[-1] if found else (0, 0)
        if found and lba == slba + nlb and nlb < most:
            found[-1] = (slba, nlb + 1)
        else:
            found.append((lba, 1))
    return found
