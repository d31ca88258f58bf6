# SPDX-License-Identifier: BSD-3-Clause
"""What a test did to the drive, each step as a line to read and as lines of a script."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Callable, Union

from pynvme import status as status_names
from pynvme.spec import AdminOpcode, IoOpcode, Status

Dwords = tuple[int, int, int, int, int, int]
"""Command dwords 10 to 15."""

LENGTH = 100_000
"""The most commands of a test that are kept."""

TIMED_OUT = 0xFFFFFFFF
MISMATCH = 0x781
"""The status that the driver's own verification gives a read."""

MEDIA = 2
"""The status code type of media and data integrity errors."""
HIDING = frozenset({Status.ABORT_REQUESTED, Status.ABORTED_SQ_DELETION, TIMED_OUT})
"""Statuses of commands that may have failed otherwise, too."""

# Opcodes whose dwords 10 to 12 name a range of LBAs.
RANGED = frozenset(
    {
        IoOpcode.WRITE,
        IoOpcode.READ,
        IoOpcode.WRITE_UNCORRECTABLE,
        IoOpcode.COMPARE,
        IoOpcode.WRITE_ZEROES,
        IoOpcode.VERIFY,
    }
)

CHANGES = frozenset({IoOpcode.WRITE, IoOpcode.WRITE_UNCORRECTABLE, IoOpcode.WRITE_ZEROES, IoOpcode.DSM})
"""Opcodes that change LBAs."""

_METHODS = {
    IoOpcode.WRITE: "write(qpair, buf, ",
    IoOpcode.READ: "read(qpair, buf, ",
    IoOpcode.COMPARE: "compare(qpair, buf, ",
    IoOpcode.WRITE_ZEROES: "write_zeroes(qpair, ",
    IoOpcode.WRITE_UNCORRECTABLE: "write_uncorrectable(qpair, ",
    IoOpcode.VERIFY: "verify(qpair, ",
}


_STATUSES = frozenset(map(int, Status))


def clock(moment: float) -> str:
    """The local time of a moment of ``time.time()``, to the microsecond."""
    return datetime.fromtimestamp(moment).strftime("%H:%M:%S.%f")


def status_text(status: int) -> str:
    """A status, SCT << 8 | SC, in digits and with its name."""
    if status == TIMED_OUT:
        return "no completion"
    if status == MISMATCH:
        return "07/81 Vendor Specific, or a mismatch that the driver found"
    name = Status(status).name if status in _STATUSES else status_names.name(status)
    return f"{status >> 8:02x}/{status & 0xFF:02x} {name}"


class Command:
    """A command, and its completion once that is there."""

    __slots__ = (
        "at",
        "cdw0",
        "cid",
        "crd",
        "dnr",
        "done_at",
        "dwords",
        "nsid",
        "opcode",
        "qid",
        "ranges",
        "sources",
        "sqhd",
        "sqid",
        "status",
        "then",
    )

    maybe_media_errors = 0
    """How many IO commands have failed by a media error, or were ended by a reset that hides it."""

    def __init__(self, qid: int, opcode: int, nsid: int, dwords: Dwords) -> None:
        self.at = time.time()
        self.qid = qid
        self.opcode = opcode
        self.nsid = nsid
        self.dwords = dwords
        self.ranges: list[tuple[int, int]] = []
        """First LBA and number of LBAs of each range of a Dataset Management, or of a Copy."""
        self.sources: list[tuple[int, int]] = []
        """The same of the sources of a Copy."""
        self.cid = -1
        self.done_at = 0.0
        self.cdw0 = self.sqhd = self.sqid = 0
        self.status = -1
        """SCT << 8 | SC, or -1 before the completion."""
        self.dnr = False
        self.crd = 0
        """Command Retry Delay: which of CRDT1 to CRDT3, 0 for none."""
        self.then: Callable[[Command], None] | None = None
        """Called at the completion. It must not raise an AssertionError, which the driver would swallow."""

    def completed(self, entry: tuple[int, int, int, int]) -> None:
        """Take the completion queue entry. This is the callback of the command."""
        self.done_at = time.time()
        self.cdw0 = entry[0]
        self.sqhd, self.sqid = entry[2] & 0xFFFF, entry[2] >> 16
        self.status = entry[3] >> 17 & 0x7FF
        self.dnr = bool(entry[3] >> 31)
        self.crd = entry[3] >> 28 & 3
        if entry[3] == TIMED_OUT:
            self.status = TIMED_OUT
        if self.qid and (self.status >> 8 == MEDIA or self.status in HIDING):
            Command.maybe_media_errors += 1
        # The history must not keep what the function refers to, such as buffers.
        then, self.then = self.then, None
        if then is not None:
            then(self)

    @property
    def done(self) -> bool:
        """Whether the drive has completed it."""
        return self.status >= 0

    def in_flight_at(self, moment: float) -> bool:
        """Whether it had not completed at a moment after it was sent."""
        return not 0 < self.done_at <= moment

    @property
    def timed_out(self) -> bool:
        """Whether the driver has given it up."""
        return self.status == TIMED_OUT

    @property
    def ok(self) -> bool:
        """Whether it completed with success."""
        return self.status == 0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.done_at - self.at

    @property
    def slba(self) -> int:
        """The first LBA of a command with a range."""
        return self.dwords[0] | self.dwords[1] << 32

    @property
    def nlb(self) -> int:
        """The number of LBAs of a command with a range."""
        return (self.dwords[2] & 0xFFFF) + 1

    @property
    def has_range(self) -> bool:
        """Whether it names one range of LBAs in its dwords."""
        return self.qid > 0 and self.opcode in RANGED

    def touches(self, lbas: Iterable[int]) -> bool:
        """Whether it is an IO command to one of these LBAs."""
        ranges = [(self.slba, self.nlb)] if self.has_range else self.ranges
        return any(slba <= lba < slba + nlb for lba in lbas for slba, nlb in ranges)

    @property
    def name(self) -> str:
        """The name of its opcode, or its number."""
        kind = IoOpcode if self.qid else AdminOpcode
        try:
            return kind(self.opcode & 0xFF).name
        except ValueError:
            return f"opcode {self.opcode:02x}h"

    def __str__(self) -> str:
        if self.has_range:
            what = f"LBA {self.slba:#x}, {self.nlb} LBAs"
            if self.dwords[2] >> 16:
                what += f", dword 12 {self.dwords[2]:#x}"
        elif self.ranges:
            what = "ranges " + ", ".join(f"{slba:#x}+{nlb}" for slba, nlb in self.ranges[:4])
            what += f" and {len(self.ranges) - 4} more" if len(self.ranges) > 4 else ""
        else:
            what = " ".join(f"cdw{10 + i} {dword:#x}" for i, dword in enumerate(self.dwords) if dword)
        if self.timed_out:
            end = "no completion"
        elif self.done:
            end = f"{status_text(self.status)} after {self.seconds * 1e6:.0f} us"
        else:
            end = "in flight"
        return (
            f"{clock(self.at)} queue {self.qid} cid {self.cid} nsid {self.nsid:#x} {self.name} {what}: {end}"
        )

    def script(self, nsids: Collection[int]) -> list[str]:
        """The lines of a script that send it, and wait. It has these namespaces in ``ns``."""
        if self.has_range and self.opcode in _METHODS and self.nsid in nsids:
            flags = f", io_flags={self.dwords[2] >> 16:#x}" if self.dwords[2] >> 16 else ""
            method = _METHODS[IoOpcode(self.opcode)]
            return [f"ns[{self.nsid}].{method}{self.slba:#x}, {self.nlb}{flags}).waitdone()"]
        method = "set_copy_range" if self.sources else "set_dsm_range"
        lines = [
            f"buf.{method}({index}, {slba:#x}, {nlb})"
            for index, (slba, nlb) in enumerate(self.sources or self.ranges)
        ]
        dwords = "".join(f", cdw{10 + i}={dword:#x}" for i, dword in enumerate(self.dwords) if dword)
        where = "first.send_cmd({}, qpair, buf" if self.qid else "nvme0.send_cmd({}, buf"
        return [*lines, f"{where.format(hex(self.opcode))}, nsid={self.nsid:#x}{dwords}).waitdone()"]


class Event:
    """Something that a test did without a command, such as a reset."""

    def __init__(self, text: str, *script: str) -> None:
        self.at = time.time()
        self.text = text
        self._script = list(script)

    def __str__(self) -> str:
        return f"{clock(self.at)} {self.text}"

    def script(self, nsids: Collection[int]) -> list[str]:
        """The lines of a script that do the same."""
        return self._script


Entry = Union[Command, Event]


class History:
    """What a test did so far."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LENGTH)

    def add(self, entry: Entry) -> None:
        """Add the latest."""
        self._entries.append(entry)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def last(self, count: int) -> list[Entry]:
        """The latest, the oldest of them first."""
        return list(self._entries)[-count:]

    def writers(self, lbas: Iterable[int], most: int = 16) -> list[str]:
        """For each of these LBAs, the latest command that changed it, up to a number of LBAs."""
        wanted = dict.fromkeys(list(lbas)[:most], "nobody in this test")
        left = set(wanted)
        for entry in reversed(self._entries):
            if isinstance(entry, Command) and left and entry.qid and entry.opcode in CHANGES:
                for lba in [lba for lba in left if entry.touches([lba])]:
                    wanted[lba] = str(entry)
                    left.discard(lba)
        return [f"LBA {lba:#x}: {writer}" for lba, writer in wanted.items()]

    def about(self, lbas: Iterable[int], count: int) -> list[Entry]:
        """The latest that touched these LBAs, with the resets and flushes between them."""
        wanted = list(lbas)
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if (
                isinstance(entry, Event)
                or entry.touches(wanted)
                or (entry.qid and entry.opcode == IoOpcode.FLUSH)
            ):
                found.append(entry)
                if len(found) == count:
                    break
        return found[::-1]
