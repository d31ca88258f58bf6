# SPDX-License-Identifier: BSD-3-Clause
"""What each LBA of a namespace may hold, now and after a loss of power.

The model knows nothing of the driver's verification, so that each judges the other. A test tells it of each
change before the command is sent (:meth:`Model.begin`) and after its completion (:meth:`Model.end`), of
flushes, and of losses of power. No two changes of one LBA, and no change and no read of it, may be in flight
at the same time.

A flush covers what had completed before it was submitted (Base 2.0, 7.1). After a loss of power, an LBA holds
the last data that a flush covers or anything newer, also of a command that was in flight. What a read returns
after that is what the LBA holds from then on.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pynvme.suite.content import Content, Pattern
from pynvme.suite.history import Command, clock

FF, ZEROS, ANYTHING = 2, 1, 0  # DLFEAT bits 2:0

REMEMBERED = 50_000
"""The most changes that can be named. Older ones only have their number."""


class Kind(enum.Enum):
    """What a change makes of its LBAs."""

    FOUND = "found at its first read"
    DATA = "data"
    ZEROES = "zeros"
    DEALLOCATED = "deallocated"
    UNCORRECTABLE = "uncorrectable"


class Change:
    """A command that changes LBAs, or data that were found at the first read of an LBA."""

    __slots__ = ("command", "data", "done", "ended", "generation", "kind", "order", "pattern", "ranges")

    def __init__(
        self,
        kind: Kind,
        generation: int,
        ranges: Sequence[tuple[int, int]] = (),
        pattern: Pattern = Pattern.STAMPED,
    ) -> None:
        self.kind = kind
        self.generation = generation
        self.ranges = ranges
        self.pattern = pattern
        self.command: Command | None = None
        self.data = b""
        """The data of FOUND."""
        self.ended = False
        self.done = False
        """Whether it ended with success."""
        self.order = 0
        """Its place among the changes by time of completion."""

    def lbas(self) -> Iterator[int]:
        """All of its LBAs."""
        for slba, nlb in self.ranges:
            yield from range(slba, slba + nlb)

    def __str__(self) -> str:
        if self.command is None:
            return f"{self.kind.value}" if self.kind is Kind.FOUND else f"write {self.generation}"
        state = "completed" if self.done else "not completed"
        return (
            f"{self.command.name} of {clock(self.command.at)} by queue {self.command.qid} "
            f"(cid {self.command.cid}, write {self.generation}, {state})"
        )


class Cell:
    """One LBA."""

    __slots__ = ("kept", "now")

    def __init__(self, change: Change) -> None:
        self.now = [change]
        """What a read may find."""
        self.kept = [change]
        """What may be there after a loss of power, in the order of the commands."""


def _may_come_later(change: Change) -> bool:
    return change.kind is Kind.DEALLOCATED or not (change.ended or change.kind is Kind.FOUND)


class Wrong(NamedTuple):
    """An LBA that holds what it must not."""

    lba: int
    seen: str
    expected: str


class Model:
    """What each LBA of a namespace may hold.

    Args:
        content: makes the data of writes
        deallocated: what a deallocated LBA reads as, by DLFEAT bits 2:0
        volatile: whether completed writes need a flush to survive
    """

    def __init__(self, content: Content, deallocated: int = ANYTHING, volatile: bool = True) -> None:
        self.content = content
        self.volatile = volatile
        self._deallocated = {
            ZEROS: content.zeros,
            FF: b"\xff" * content.size,
        }.get(deallocated)
        self._cells: dict[int, Cell] = {}
        self._dirty: set[int] = set()
        self._changes: dict[int, Change] = {}
        self._generations = itertools.count(1)
        self._completions = itertools.count(1)
        self._completed = self._flushed = 0
        """The order of the latest change that has completed, and of the latest one that a flush covers."""
        self._lost: set[int] = set()
        """LBAs that were not read since a loss of power."""
        self._unknown = Change(Kind.FOUND, 0)
        self._zeros_found = Change(Kind.FOUND, 0)
        self._zeros_found.data = content.zeros
        self._mark_found = Change(Kind.UNCORRECTABLE, 0)

    # Changes

    def begin(self, kind: Kind, *ranges: tuple[int, int], pattern: Pattern = Pattern.STAMPED) -> Change:
        """Note a change that is about to be sent."""
        change = Change(kind, next(self._generations), ranges, pattern)
        self._changes[change.generation] = change
        if len(self._changes) > REMEMBERED:
            del self._changes[next(iter(self._changes))]
        for lba in change.lbas():
            cell = self._cells.get(lba)
            if cell is None:
                cell = self._cells[lba] = Cell(self._unknown)
            cell.now.append(change)
            cell.kept.append(change)
            self._dirty.add(lba)
            self._lost.discard(lba)
        return change

    def end(self, change: Change, ok: bool, durable: bool = False) -> None:
        """Note the end of a change. If it failed, its LBAs hold what they held, or what it wrote."""
        change.ended = True
        if not ok:
            return
        change.done = True
        self._completed = change.order = next(self._completions)
        if change.kind is Kind.DEALLOCATED:
            return
        for lba in change.lbas():
            cell = self._cells[lba]
            cell.now = [change]
            if durable or not self.volatile:
                cell.kept = [change]
                self._dirty.discard(lba)

    def flush_begin(self) -> int:
        """Note a flush that is about to be sent. Pass the result to :meth:`flush_end`."""
        return self._completed

    def flush_end(self, begun: int) -> None:
        """Note the success of a flush."""
        self._flushed = max(self._flushed, begun)

    def _drop_what_flushes_cover(self) -> None:
        """Forget what a loss of power cannot bring back. This waits for a loss, as it takes long."""
        for lba in list(self._dirty):
            cell = self._cells[lba]
            for index in range(len(cell.kept) - 1, 0, -1):
                change = cell.kept[index]
                if change.done and change.order <= self._flushed and change.kind is not Kind.DEALLOCATED:
                    del cell.kept[:index]
                    break
            if len(cell.kept) == 1:
                self._dirty.discard(lba)

    def all_durable(self) -> None:
        """Note that everything survives a loss of power from now on, as after a normal shutdown."""
        self.flush_end(self._completed)

    def settle(self, slba: int, nlb: int) -> None:
        """Note that the data of a range survive a loss of power, unless a deallocation may still come."""
        for lba in range(slba, slba + nlb):
            cell = self._cells[lba]
            cell.kept = list(cell.now)
            if len(cell.kept) == 1:
                self._dirty.discard(lba)

    def power_lost(self) -> list[int]:
        """Note a loss of power. Returns the LBAs that may hold one of several data."""
        self._drop_what_flushes_cover()
        lost = sorted(self._dirty)
        for lba in lost:
            cell = self._cells[lba]
            cell.now = list(cell.kept)
        self._lost.update(lost)
        self._dirty.clear()
        return lost

    # Reads

    def judge(self, slba: int, data: bytes) -> list[Wrong]:
        """Judge what a read returned, and learn from it."""
        size = self.content.size
        nlb = len(data) // size
        expected = self.certain(slba, nlb)
        if expected == data:
            return []
        wrong = []
        for index in range(nlb):
            one = self._judge_lba(slba + index, data[index * size : (index + 1) * size])
            if one is not None:
                wrong.append(one)
        return wrong

    def certain(self, slba: int, nlb: int) -> bytes | None:
        """The data of a range, if there is no doubt about any of them."""
        parts = []
        for lba in range(slba, slba + nlb):
            cell = self._cells.get(lba)
            if cell is None or len(cell.now) != 1:
                return None
            part = self._data(lba, cell.now[0])
            if part is None:
                return None
            parts.append(part)
        return b"".join(parts)

    def _data(self, lba: int, change: Change) -> bytes | None:
        """What an LBA holds after a change. None is anything, or no data at all."""
        if change.kind is Kind.DATA:
            return self.content.of(lba, change.generation, change.pattern)
        if change.kind is Kind.ZEROES:
            return self.content.zeros
        if change.kind is Kind.DEALLOCATED:
            return self._deallocated
        return change.data or None

    def may_fail(self, slba: int, nlb: int) -> bool:
        """Whether a read of this range may fail, since one of its LBAs may be uncorrectable.

        An LBA of which nothing is known may have a mark of an earlier test.
        """
        return any(self.may_be_marked(lba) or self._may_be_unknown(lba) for lba in range(slba, slba + nlb))

    def must_fail(self, slba: int, nlb: int) -> bool:
        """Whether a read of this range must fail, since one of its LBAs is uncorrectable."""
        for lba in range(slba, slba + nlb):
            cell = self._cells.get(lba)
            if cell is not None and all(change.kind is Kind.UNCORRECTABLE for change in cell.now):
                return True
        return False

    def may_be_marked(self, lba: int) -> bool:
        """Whether a known change may have made an LBA uncorrectable."""
        cell = self._cells.get(lba)
        return cell is not None and any(change.kind is Kind.UNCORRECTABLE for change in cell.now)

    def _may_be_unknown(self, lba: int) -> bool:
        cell = self._cells.get(lba)
        return cell is None or self._unknown in cell.now

    def _judge_lba(self, lba: int, data: bytes) -> Wrong | None:
        cell = self._cells.get(lba)
        if cell is None:
            self._cells[lba] = Cell(self._found(data))
            return None
        for change in reversed(cell.now):
            if self._matches(lba, change, data):
                self._learn(lba, change, data)
                return None
        expected = " or ".join(f"that of {change}" for change in cell.now[-4:])
        return Wrong(lba, self._describe(lba, cell, data), f"{expected}")

    def _matches(self, lba: int, change: Change, data: bytes) -> bool:
        if change.kind is Kind.UNCORRECTABLE:
            return False
        wanted = self._data(lba, change)
        if wanted is None or wanted == data:
            return True
        if change.kind in (Kind.DATA, Kind.FOUND):
            return False
        bare = self.content.without_protection
        return bare(wanted) == bare(data)

    def _learn(self, lba: int, change: Change, data: bytes) -> None:
        """Note which of its possible data an LBA holds. Those that may come later stay possible."""
        cell = self._cells[lba]
        late = [one for one in cell.now if one is not change and _may_come_later(one)]
        if change is self._unknown:
            change = self._found(data)
        cell.now = [change, *late]
        if lba in self._lost:
            self._lost.discard(lba)
            cell.kept = list(cell.now)

    def unreadable(self, lba: int) -> None:
        """Note that a read of one LBA failed legally, since it is uncorrectable."""
        cell = self._cells.setdefault(lba, Cell(self._mark_found))
        marks = (one for one in cell.now if one.kind is Kind.UNCORRECTABLE)
        self._learn(lba, next(marks, self._mark_found), b"")

    def _found(self, data: bytes) -> Change:
        if data == self.content.zeros:
            return self._zeros_found
        change = Change(Kind.FOUND, 0)
        change.data = data
        return change

    def data(self, change: Change) -> bytes:
        """The data of a write of one range."""
        ((slba, nlb),) = change.ranges
        return self.content.range(slba, nlb, change.generation, change.pattern)

    def known(self) -> list[int]:
        """All LBAs of which something is known, in order."""
        return sorted(self._cells)

    def unsettled(self) -> list[int]:
        """LBAs that may be marked as uncorrectable, or whose deallocation may still come, in order."""
        self._drop_what_flushes_cover()
        passing = (Kind.DEALLOCATED, Kind.UNCORRECTABLE)
        return sorted(
            lba
            for lba, cell in self._cells.items()
            if any(change.kind in passing for change in (*cell.now, *cell.kept))
        )

    def forget(self, lbas: Iterable[int]) -> None:
        """Know nothing of these LBAs any more."""
        for lba in lbas:
            self._cells.pop(lba, None)
            self._dirty.discard(lba)

    def holds(self, lba: int) -> Change | None:
        """The change whose data an LBA holds, if that is certain."""
        cell = self._cells.get(lba)
        return cell.now[0] if cell is not None and len(cell.now) == 1 else None

    def holds_now(self, lba: int) -> Change | None:
        """The change whose data an LBA was last found with, even if a deallocation may still come."""
        cell = self._cells.get(lba)
        return cell.now[0] if cell is not None else None

    # Texts

    def _describe(self, lba: int, cell: Cell, data: bytes) -> str:
        """What wrong data are."""
        stamp = self.content.stamp(data)
        if stamp is not None:
            change = self._changes.get(stamp.generation)
            whose = "an older write of this LBA" if stamp.lba == lba else f"data of LBA {stamp.lba:#x}"
            return f"{whose}, that of {change or f'write {stamp.generation}'}"
        if data == self.content.zeros:
            return "zeros"
        if data == b"\xff" * self.content.size:
            return "ones"
        torn = self._torn(lba, cell, data)
        if torn:
            return torn
        last = self._data(lba, cell.now[-1])
        if last is None:
            return f"data that nobody wrote: {data[:16].hex()}…"
        different = [at for at in range(len(data)) if data[at] != last[at]]
        return f"data of which {len(different)} bytes are wrong, the first is byte {different[0]}"

    def _torn(self, lba: int, cell: Cell, data: bytes) -> str:
        """Whether the beginning is of one write and the rest of another."""
        candidates = [(change, self._data(lba, change)) for change in {*cell.now, *cell.kept}]
        known = [(change, wanted) for change, wanted in candidates if wanted is not None]
        for first, wanted in known:
            at = next((at for at in range(len(data)) if data[at] != wanted[at]), len(data))
            for second, rest in known:
                if at and second is not first and data[at:] == rest[at:]:
                    return f"bytes 0 to {at - 1} of {first}, and the others of {second}"
        return ""

    def writers(self, lbas: Iterable[int]) -> list[str]:
        """For each LBA, when and by what it was written last."""
        lines = []
        for lba in lbas:
            cell = self._cells.get(lba)
            lines.append(f"LBA {lba:#x}: {cell.kept[-1] if cell is not None else 'nobody'}")
        return lines
