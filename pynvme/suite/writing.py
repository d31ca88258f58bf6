# SPDX-License-Identifier: BSD-3-Clause
"""Changes that are sent one at a time, each of which the model follows."""

from __future__ import annotations

from collections.abc import Iterator

import nvme

from pynvme.spec import IoOpcode, Status
from pynvme.suite import clauses
from pynvme.suite.content import Pattern
from pynvme.suite.drive import LONGEST_IO, OCP_IO, Drive
from pynvme.suite.history import Command
from pynvme.suite.model import Change, Kind, Model
from pynvme.suite.traffic import DEAC, FUA, GUARD_CLAUSE, Slot, judge, judge_status


class Writer:
    """Sends changes to the first namespace, one at a time. A refusal is a finding."""

    def __init__(self, drive: Drive, model: Model) -> None:
        self.drive = drive
        self.model = model
        self._slot = Slot(drive.most_lbas * drive.lba_size)

    def region(self, nlb: int) -> int:
        """Write a region of random place, and return its first LBA."""
        slba = self.drive.random.randrange(self.drive.nsze - nlb)
        self.write(slba, nlb)
        return slba

    def write(
        self,
        slba: int,
        nlb: int,
        offset: int = 0,
        fua: bool = False,
        pattern: Pattern = Pattern.STAMPED,
    ) -> None:
        """Write LBAs from a buffer at an offset in its page, by as many commands as MDTS requires."""
        for start, count in self._pieces(slba, nlb):
            change = self.model.begin(Kind.DATA, (start, count), pattern=pattern)
            data = self.model.data(change)
            buf = self._slot.prepare(offset, len(data), data)
            self._change(change, IoOpcode.WRITE, buf, FUA if fua else 0)

    def write_unless(self, slba: int, nlb: int, status: int) -> bool:
        """Write LBAs by one command, which may end with this status instead. Returns whether it wrote."""
        change = self.model.begin(Kind.DATA, (slba, nlb))
        data = self.model.data(change)
        command = self.drive.io(IoOpcode.WRITE, self._slot.prepare(0, len(data), data), slba, nlb)
        change.command = command
        self.model.end(change, command.ok, False)
        self.drive.expect(command, clauses.of_io(command.opcode), Status.SUCCESS, status)
        return command.ok

    def _pieces(self, slba: int, nlb: int) -> Iterator[tuple[int, int]]:
        """Split a range into those that one command can transfer."""
        most = self.drive.most_lbas
        for start in range(slba, slba + nlb, most):
            yield start, min(most, slba + nlb - start)

    def zeroes(self, slba: int, nlb: int, deallocate: bool = False, fua: bool = False) -> Change:
        """Write zeroes."""
        change = self.model.begin(Kind.ZEROES, (slba, nlb))
        flags = DEAC * (deallocate and self.drive.takes_deac) | FUA * fua
        return self._change(change, IoOpcode.WRITE_ZEROES, None, flags)

    def uncorrectable(self, slba: int, nlb: int) -> Change:
        """Mark LBAs as uncorrectable."""
        return self._change(self.model.begin(Kind.UNCORRECTABLE, (slba, nlb)), IoOpcode.WRITE_UNCORRECTABLE)

    def _change(
        self, change: Change, opcode: IoOpcode, buf: nvme.Buffer | None = None, flags: int = 0
    ) -> Change:
        ((slba, nlb),) = change.ranges
        command = self.drive.io(opcode, buf, slba, nlb, flags=flags)
        return self._end(change, command, bool(flags & FUA))

    def deallocate(self, *ranges: tuple[int, int]) -> Change:
        """Deallocate ranges."""
        change = self.model.begin(Kind.DEALLOCATED, *ranges)
        return self._end(change, self.drive.deallocate(ranges))

    def _end(self, change: Change, command: Command, durable: bool = False) -> Change:
        change.command = command
        self.model.end(change, command.ok, durable)
        self.drive.succeed(command, clauses.of_io(command.opcode))
        return change

    def read(self, slba: int, nlb: int, offset: int = 0, fua: bool = False) -> None:
        """Read LBAs into a buffer at an offset in its page, and judge them."""
        for start, count in self._pieces(slba, nlb):
            buf = self._slot.prepare(offset, count * self.drive.lba_size)
            command = self.drive.io(IoOpcode.READ, buf, start, count, flags=FUA if fua else 0)
            if not self._slot.intact():
                raise self.drive.finding(
                    GUARD_CLAUSE,
                    "a read changes its own bytes only",
                    "bytes outside of its data have changed",
                )
            if judge_status(self.drive, self.model, start, count, command):
                judge(self.drive, self.model, start, self._slot.data(), command)

    def write_and_read_durably(self, slba: int, nlb: int) -> None:
        """Write LBAs without FUA, and read them with FUA, which has to make them durable."""
        self.write(slba, nlb)
        self.read(slba, nlb, fua=True)
        self.model.settle(slba, nlb)

    def flush(self, nsid: int | None = None) -> None:
        """Flush."""
        begun = self.model.flush_begin()
        self.drive.succeed(self.drive.flush(nsid), clauses.of_io(IoOpcode.FLUSH))
        self.model.flush_end(begun)


def whole(drive: Drive, start: int, length: int, percentage: int) -> nvme.IOWorker:
    """A worker that writes or reads all LBAs of a region once, and verifies what it reads."""
    drive.note(f"a worker goes through {length} LBAs from {start:#x} on, {percentage} % reads")
    return drive.ns.ioworker(
        io_size=min(64, drive.most_lbas),
        lba_random=False,
        read_percentage=percentage,
        qdepth=16,
        region_start=start,
        region_end=start + length,
    )


def must_be_right(drive: Drive, result: nvme.DotDict) -> None:
    """Judge the result of a worker, which has verified what it read."""
    seen = f"{result.lba_mismatch} wrong LBAs, error {result.error}, status {result.status:#x}"
    clause = clauses.of_io(IoOpcode.WRITE)
    drive.check(not result.lba_mismatch and not result.error, clause, "the data that were written", seen)
    slowest = result.latency_max_us / 1e6
    drive.check(slowest <= LONGEST_IO, OCP_IO, f"no IO above {LONGEST_IO:g} s", f"{slowest:.3f} s")
