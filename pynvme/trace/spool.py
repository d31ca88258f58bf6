# SPDX-License-Identifier: BSD-3-Clause
"""Reads what core/data/capture.c writes while a capture runs, and makes the capture of it."""

from __future__ import annotations

import bisect
import mmap
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pynvme.trace.pcapng import TARGET, Conversation

# Each run of pytest imports this module, and numpy takes 0.1 s: functions import it.
if TYPE_CHECKING:
    from pynvme.trace import packets

# The layouts of core/data/capture.h.
_CHUNK = struct.Struct("=IIQ")
_ABOUT = struct.Struct("=HHIQ")
_COUNTS = struct.Struct("=5Q")
_NUMBER = struct.Struct("=Q")
_QUEUE, _COMMANDS, _DATA, _END = 1, 2, 3, 4
_MOST_QUEUES = 1 << 24


class Mark(NamedTuple):
    """What the script did from a moment on, such as the name of a test, in ns since 1970."""

    time_ns: int
    text: str


@dataclass
class Counts:
    """The commands of a capture."""

    sent: int = 0
    """By all queues, while the capture ran."""
    written: int = 0
    """Of them, those in the capture."""
    lost: int = 0
    """Of them, those whose entries in the log were reused before the capture could read them."""
    skipped: int = 0
    """Of them, those of IO workers that were left out on request."""
    half: int = 0
    """Of those in the capture, the ones whose completion is missing, since the entry was reused before."""
    queues: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self.plain(), other.plain())))

    def plain(self) -> tuple[int, ...]:
        """All counts."""
        return self.sent, self.written, self.lost, self.skipped, self.half, self.queues

    def __str__(self) -> str:
        """A sentence for people."""
        parts = [f"{self.written:,} of {self.sent:,} commands of {self.queues:,} queues"]
        parts += [f"{self.skipped:,} in the middle of IO workers were left out"] if self.skipped else []
        parts += (
            [f"{self.lost:,} were lost, since their queue was faster than the capture"] if self.lost else []
        )
        parts += [f"the completions of {self.half:,} were lost"] if self.half else []
        return "; ".join(parts)


@dataclass
class Queue:
    """A queue of a capture, from its creation to its deletion."""

    drive: str
    qid: int
    is_worker: bool
    records: list[bytes] = field(default_factory=list)
    data: dict[int, bytes] = field(default_factory=dict)
    """By the number of the command."""
    counts: Counts | None = None
    """None: the process ended without closing the capture."""


def read(path: str) -> list[Queue]:
    """The queues of a spool file. What follows a damaged place is left out."""
    if os.path.getsize(path) == 0:
        return []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return list(_queues(whole).values())


def _queues(whole: mmap.mmap) -> dict[int, Queue]:
    queues: dict[int, Queue] = {}
    at = 0
    while at + _CHUNK.size <= len(whole):
        kind, number, size = _CHUNK.unpack_from(whole, at)
        at += _CHUNK.size
        if at + size > len(whole) or kind not in (_QUEUE, _COMMANDS, _DATA, _END):
            break  # the process was killed while it wrote
        body = whole[at : at + size]
        at += size
        if kind == _QUEUE:
            qid, is_worker, _, _ = _ABOUT.unpack_from(body)
            queues[number] = Queue(body[_ABOUT.size :].decode("utf-8", "replace"), qid, bool(is_worker))
        elif number not in queues:
            break
        elif kind == _COMMANDS:
            queues[number].records.append(body)
        elif kind == _DATA:
            queues[number].data[_NUMBER.unpack_from(body)[0]] = body[_NUMBER.size :]
        else:
            counted = Counts(*_COUNTS.unpack(body))
            counted.queues = 1
            queues[number].counts = counted
    return queues


def _counts(queue: Queue, records: int) -> Counts:
    return queue.counts or Counts(records, records, queues=1)


def source(queue: Queue, number: int, target: bytes, marks: Sequence[Mark]) -> tuple[packets.Source, Counts]:
    """A queue for the capture. ``number`` is that of the queue, and ``target`` the address of its drive."""
    import numpy

    from pynvme.trace import packets

    records = numpy.frombuffer(b"".join(queue.records), dtype=packets.DTYPE)
    records = records[numpy.argsort(records["number"], kind="stable")]
    counts = _counts(queue, len(records))
    kept: dict[int, bytes] = {}
    if queue.data:
        places = {int(n): i for i, n in enumerate(records["number"])}
        kept = {places[n]: data for n, data in queue.data.items() if n in places}
    host = bytes([10, 1 + (number >> 16), number >> 8 & 0xFF, number & 0xFF])
    comment = f"{'IO worker, ' if queue.is_worker else ''}queue {queue.qid} of {queue.drive}: {counts}"
    if len(records):
        test = _mark(marks, int(records["submitted"][0]))
        comment += f"; {test}" if test else ""
    talk = Conversation(queue.qid, host, target)
    return packets.Source(talk, records.tobytes(), kept, {}, comment), counts


def _address(drive: int) -> bytes:
    """The IP address of a drive."""
    return bytes([10, 0, *(drive + TARGET[3]).to_bytes(2, "big")])


def _mark(marks: Sequence[Mark], time_ns: int) -> str:
    index = bisect.bisect_right([mark.time_ns for mark in marks], time_ns)
    return marks[index - 1].text if index else ""


def write(spools: Iterable[tuple[str, Sequence[Mark]]], file: Any) -> Counts:
    """Write a capture of some spool files, each with its marks. Returns the counts of all commands."""
    from pynvme.trace import packets

    sources: list[packets.Source] = []
    total = Counts()
    drives: dict[str, bytes] = {}
    for path, marks in spools:
        for queue in read(path):
            target = drives.setdefault(queue.drive, _address(len(drives)))
            made, counts = source(queue, (len(sources) + 1) % _MOST_QUEUES, target, marks)
            sources.append(made)
            total += counts
    names = {address: drive for drive, address in drives.items()}
    packets.write(sources, file, str(total), names)
    return total
