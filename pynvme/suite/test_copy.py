# SPDX-License-Identifier: BSD-3-Clause
"""Copy: what it copies, what it refuses, and whether it lasts."""

from __future__ import annotations

from collections.abc import Sequence

import nvme
import pytest

from pynvme.spec import IoOpcode, Status
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import CACHE, ROOM, SWITCHED_POWER, io
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import FUA, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(ROOM, io(IoOpcode.COPY))

COPY = clauses.of_io(IoOpcode.COPY)
LIMITS = f"{COPY}, MSSRL, MCL and MSRC"

Range = tuple[int, int]
"""First LBA and number of LBAs."""


class Copier:
    """Sends Copy commands, and keeps what the destination has to hold.

    The model of the suite knows the data of an LBA from its number, which a copy changes. So the bytes are
    compared here, and LBAs that were a destination are written at the end.
    """

    def __init__(self, drive: Drive, writer: Writer) -> None:
        self.drive = drive
        self.writer = writer
        ns = drive.ns.id_ns
        self.range_lbas = int(ns.mssrl)
        self.lbas = int(ns.mcl)
        self.ranges = int(ns.msrc) + 1
        self.most = max(1, min(self.range_lbas, self.lbas))
        """LBAs that one range can have."""

    def read(self, slba: int, nlb: int) -> bytes:
        """The data of LBAs, by as many commands as MDTS requires."""
        data = b""
        for start in range(slba, slba + nlb, self.drive.most_lbas):
            count = min(self.drive.most_lbas, slba + nlb - start)
            buf = nvme.Buffer(count * self.drive.lba_size)
            command = self.drive.io(IoOpcode.READ, buf, start, count)
            self.drive.succeed(command, clauses.of_io(IoOpcode.READ))
            data += buf[:]
        return data

    def send(self, sources: Sequence[Range], to: int, flags: int = 0, format: int = 0) -> Command:
        """Send a Copy. The status is the caller's to judge."""
        return self.drive.copy(sources, to, flags << 16 | format << 8)

    def copy(self, sources: Sequence[Range], to: int, flags: int = 0) -> bytes:
        """Copy, and return the data that the destination must hold."""
        data = b"".join(self.read(*source) for source in sources)
        self.drive.succeed(self.send(sources, to, flags), COPY)
        return data

    def must_hold(self, slba: int, data: bytes, clause: str = COPY) -> None:
        """A finding if LBAs do not have these data."""
        size = self.drive.lba_size
        seen = self.read(slba, len(data) // size)
        for at in range(0, len(data), size):
            self.drive.check(
                seen[at : at + size] == data[at : at + size],
                clause,
                f"LBA {slba + at // size:#x} has the data of its source",
                "other data",
            )


@pytest.fixture
def copier(drive: Drive, writer: Writer) -> Copier:
    """Give what the tests of this area share."""
    return Copier(drive, writer)


@requirement("COPY-1", LIMITS)
def test_limits_of_copy_agree(drive: Drive, copier: Copier) -> None:
    """A drive with Copy reports what a Copy can have.

    1. Read MSSRL, MCL, MSRC and OCFS.
    """
    drive.check(copier.range_lbas > 0, LIMITS, "MSSRL above 0", copier.range_lbas)
    drive.check(
        copier.lbas >= copier.range_lbas, LIMITS, f"MCL from MSSRL ({copier.range_lbas}) on", copier.lbas
    )
    formats = int(drive.id_ctrl.ocfs)
    drive.check(formats & 1 == 1, "Base 2.0, 5.17.2.1 Identify Controller, OCFS", "format 0h", hex(formats))


@requirement("COPY-2", COPY)
@takes(1)
def test_ranges_of_all_sizes_are_copied(
    drive: Drive, model: Model, writer: Writer, copier: Copier, budget: Budget
) -> None:
    """A Copy writes the data of its ranges one after the other, and nothing else.

    1. Write a region of sources and one of destinations.
    2. Copy one range of each size around a mapping unit, and the largest one, to odd places.
    3. Copy random ranges, up to MSRC + 1 of them.
    4. Compare the destination, and the LBAs on both sides of it. Read the sources.
    """
    room = min(copier.lbas, 512)
    source, target = writer.region(room), drive.nsze // 2 - 3000 + drive.random.randrange(999)
    if source < target + room + 64 and target < source + room:
        target = (source + 2 * room + 64) % (drive.nsze - 2 * room)
    dice = drive.random
    sizes = sorted({size for size in (1, 2, 7, 8, 9, 16, 17, copier.most) if size <= min(copier.most, room)})
    plans = [[(source + dice.randrange(room - size + 1), size)] for size in sizes]
    for count in (2, 3, 4, 5, 8, min(copier.ranges, 16), copier.ranges):
        each = max(1, min(room // count, copier.most))
        if 1 < count <= min(copier.ranges, room):
            ranges = [(dice.randrange(room - each + 1), dice.randint(1, each)) for _ in range(count)]
            plans.append([(source + start, size) for start, size in ranges])
    for _ in budget.turns(least=1):
        for plan in plans:
            total = sum(size for _, size in plan)
            start = target + 8 + dice.randrange(9)
            writer.write(target, total + 32)
            before = copier.read(target, total + 32)
            data = copier.copy(plan, start)
            cut = (start - target) * drive.lba_size
            copier.must_hold(target, before[:cut] + data + before[cut + len(data) :])
            writer.write(target, total + 32)
        read_back(drive, model, range(source, source + room))


@requirement("COPY-3", COPY)
@takes(0.5)
def test_a_copy_takes_the_latest_data(drive: Drive, writer: Writer, copier: Copier, budget: Budget) -> None:
    """A Copy has the data that were written last, though they may still be in the cache.

    1. Overwrite a few LBAs, and copy them at once; again and again.
    """
    base = writer.region(64)
    size = min(copier.most, 8)
    for turn in budget.turns(least=20):
        start = base + drive.random.randrange(9)
        writer.write(start, size)
        data = copier.copy([(start, size)], base + 32)
        copier.must_hold(base + 32, data)
        if turn % 4 == 0:
            again = copier.copy([(base + 32, size)], base + 48)
            drive.check(again == data, COPY, "a copy of the copy has the same data", "other data")
            copier.must_hold(base + 48, data)
    writer.write(base, 64)


@requirement("COPY-4", LIMITS)
def test_a_copy_above_the_limits_is_refused(drive: Drive, writer: Writer, copier: Copier) -> None:
    """A Copy above MSSRL, MCL or MSRC fails with Command Size Limit Exceeded, and writes nothing.

    1. Send a Copy with one range above MSSRL, with ranges above MCL together, and with more than MSRC + 1.
    2. Send one with each format that OCFS does not have.
    3. Read the destination.
    """
    target = writer.region(64)
    base = writer.region(8)
    before = copier.read(target, 64)
    refused = Status.COMMAND_SIZE_LIMIT_EXCEEDED
    if copier.range_lbas < 65536 and copier.range_lbas < drive.nsze:
        drive.expect(copier.send([(0, copier.range_lbas + 1)], target), LIMITS, refused)
    whole, rest = divmod(copier.lbas + 1, copier.most)
    ranges = [(0, copier.most)] * whole + [(0, rest)] * bool(rest)
    if len(ranges) <= copier.ranges and copier.lbas < drive.nsze:
        drive.expect(copier.send(ranges, target), LIMITS, refused)
    if copier.ranges < 256 and copier.ranges < copier.lbas:
        drive.expect(copier.send([(base, 1)] * (copier.ranges + 1), target), LIMITS, refused)
    for format in range(2, 16):
        if not int(drive.id_ctrl.ocfs) >> format & 1:
            drive.expect(copier.send([(base, 1)], target, format=format), COPY, Status.INVALID_FIELD)
    copier.must_hold(target, before)


@requirement("COPY-5", COPY)
def test_a_copy_past_the_end_is_refused(drive: Drive, writer: Writer, copier: Copier) -> None:
    """A source or a destination past the end fails with LBA Out of Range, and dword 0 names the range.

    1. Copy from, and to, LBAs past the end, by one LBA and by far.
    2. Read the destination, and the last LBAs.
    """
    size = min(2, copier.most)
    target, base = writer.region(16), writer.region(16)
    last = drive.nsze - size
    writer.write(last, size)
    before, end = copier.read(target, 16), copier.read(last, size)
    for start in (drive.nsze - size + 1, drive.nsze, 1 << 40, (1 << 64) - 1):
        wrong = copier.send([(start, size)], target)
        drive.expect(wrong, COPY, Status.LBA_OUT_OF_RANGE)
        drive.check(wrong.cdw0 == 0, COPY, "dword 0 is 0, the range that was not copied", wrong.cdw0)
        copier.must_hold(target, before)
        drive.expect(copier.send([(base, size)], start), COPY, Status.LBA_OUT_OF_RANGE)
    copier.must_hold(last, end)


@requirement("COPY-6", COPY)
@needs(io(IoOpcode.WRITE_UNCORRECTABLE))
def test_a_source_that_cannot_be_read(drive: Drive, writer: Writer, copier: Copier) -> None:
    """A Copy of an uncorrectable LBA fails, and dword 0 names its range. A Copy onto one mends it.

    1. Mark an LBA, and copy it after good ones.
    2. Copy good LBAs onto it, and read.
    """
    base = writer.region(64)
    writer.uncorrectable(base + 20, 1)
    if copier.ranges > 1 and copier.lbas > 2:
        failed = copier.send([(base, 1), (base + 20, 1)], base + 32)
        drive.expect(failed, COPY, Status.UNRECOVERED_READ_ERROR)
        drive.check(failed.cdw0 == 1, COPY, "dword 0 is 1, the range that was not copied", failed.cdw0)
    data = copier.copy([(base, 1)], base + 20)
    copier.must_hold(base + 20, data)
    writer.write(base, 64)


@requirement("COPY-7", "NVM 1.0, 3.2.2 Copy, FUA")
@needs(CACHE, SWITCHED_POWER)
@takes(0.5)
def test_a_copy_lasts(drive: Drive, model: Model, writer: Writer, copier: Copier, budget: Budget) -> None:
    """A Copy with FUA survives a loss of power, and one before a Flush does.

    1. Copy with FUA, or copy and flush.
    2. Cut the power, and read.
    """
    base = writer.region(128)
    writer.flush()
    size = min(copier.most, 16)
    for turn in budget.turns(least=4):
        fua = turn % 2 == 0
        writer.write(base + 64, 32)
        writer.flush()
        start = base + 64 + drive.random.randrange(9)
        data = copier.copy([(base + drive.random.randrange(32), size)], start, FUA if fua else 0)
        if not fua:
            writer.flush()
        drive.power_off()
        model.power_lost()
        drive.power_on()
        copier.must_hold(start, data, "NVM 1.0, 3.2.2 Copy, FUA" if fua else "Base 2.0, 7.1 Flush")
    writer.write(base, 128)
