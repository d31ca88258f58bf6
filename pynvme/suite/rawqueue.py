# SPDX-License-Identifier: BSD-3-Clause
"""Queues that a test makes by raw commands, so that it sees each entry and rings each doorbell itself."""

from __future__ import annotations

import struct
import time

import nvme

from pynvme.spec import AdminOpcode, Register
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command

CQE_CLAUSE = "Base 2.0, 3.3.3.2 Common Completion Queue Entry"
SECONDS = 10.0
"""How long a completion may take."""

_ENTRY = struct.Struct("<IIHHHH")
_COMMAND = struct.Struct("<BBHIQQQQ6I")


class RawCq:
    """A completion queue.

    Args:
        drive: the drive
        qid: its identifier, which no queue has
        entries: how many
        vector: its interrupt vector, or None without interrupts
    """

    def __init__(self, drive: Drive, qid: int, entries: int = 256, vector: int | None = None) -> None:
        self.drive = drive
        self.qid = qid
        self.entries = entries
        self.memory = nvme.Buffer(entries * 16)
        self.head = 0
        self._phase = 1
        self._stride = 4 << (drive.nvme0.cap >> 32 & 0xF)
        self._in_flight: dict[tuple[int, int], Command] = {}
        self.queues: dict[int, RawSq] = {}
        flags = 1 if vector is None else vector << 16 | 3
        command = drive.admin(AdminOpcode.CREATE_CQ, self.memory, cdw10=entries - 1 << 16 | qid, cdw11=flags)
        drive.succeed(command, "Base 2.0, 5.4 Create I/O Completion Queue")

    def sent(self, command: Command) -> None:
        """Expect a completion of a command."""
        self._in_flight[command.qid, command.cid] = command

    def is_posted(self, index: int) -> bool:
        """Whether the drive has filled an entry that is this far behind the head."""
        at = (self.head + index) % self.entries
        phase = self._phase ^ (self.head + index >= self.entries)
        return self.memory[at * 16 + 14] & 1 == phase

    def poll(self) -> Command | None:
        """Take the next entry, if there is one, and check all of it. The doorbell is left alone."""
        if not self.is_posted(0):
            return None
        cdw0, cdw1, sqhd, sqid, cid, status = _ENTRY.unpack(self.memory[self.head * 16 : self.head * 16 + 16])
        command = self._in_flight.pop((sqid, cid), None)
        if command is None:
            raise self.drive.finding(
                CQE_CLAUSE,
                f"completions of {sorted(self._in_flight)[:8]} (SQID, CID), each of them once",
                f"SQID {sqid}, CID {cid:#x}",
            )
        command.completed((cdw0, cdw1, sqid << 16 | sqhd, status << 16 | cid))
        self._judge_head(self.queues[sqid], cid, sqhd)
        self.head += 1
        if self.head == self.entries:
            self.head, self._phase = 0, 1 - self._phase
        return command

    def _judge_head(self, queue: RawSq, cid: int, sqhd: int) -> None:
        """SQHD is behind the command, and not behind the tail."""
        place = queue.places.pop(cid)
        most = (queue.tail - place - 1) % queue.entries
        behind = (sqhd - place - 1) % queue.entries
        self.drive.check(
            sqhd < queue.entries and behind <= most,
            CQE_CLAUSE,
            f"SQHD from {(place + 1) % queue.entries} to {queue.tail}, of {queue.entries} entries",
            sqhd,
        )

    def ring(self) -> None:
        """Write the head doorbell."""
        self.drive.nvme0[Register.DOORBELLS + (2 * self.qid + 1) * self._stride] = self.head

    def take(self, count: int, ring: bool = True) -> list[Command]:
        """Wait for completions, and write the doorbell."""
        found: list[Command] = []
        end = time.monotonic() + SECONDS
        while len(found) < count:
            command = self.poll()
            if command is not None:
                found.append(command)
                if ring and len(found) % max(1, self.entries // 2) == 0:
                    self.ring()
            elif time.monotonic() > end:
                raise self.drive.finding(
                    CQE_CLAUSE, f"{count} completions in queue {self.qid}", f"{len(found)} in {SECONDS:g} s"
                )
        if ring:
            self.ring()
        return found

    def nothing_more(self, seconds: float = 0.01) -> None:
        """Raise a finding if the drive posts an entry."""
        time.sleep(seconds)
        self.drive.check(
            not self.is_posted(0), CQE_CLAUSE, f"no more completions in queue {self.qid}", "another entry"
        )

    def delete(self) -> None:
        """Delete its submission queues, and then the queue."""
        for queue in list(self.queues.values()):
            queue.delete()
        command = self.drive.admin(AdminOpcode.DELETE_CQ, cdw10=self.qid)
        self.drive.succeed(command, "Base 2.0, 5.6 Delete I/O Completion Queue")


class RawSq:
    """A submission queue.

    Args:
        cq: its completion queue
        qid: its identifier, by default that of the completion queue
        entries: how many
        priority: QPRIO, 0 urgent to 3 low
    """

    def __init__(self, cq: RawCq, qid: int | None = None, entries: int = 64, priority: int = 0) -> None:
        self.cq = cq
        self.drive = cq.drive
        self.qid = cq.qid if qid is None else qid
        self.entries = entries
        self.tail = 0
        self.places: dict[int, int] = {}
        """The entry of each command in flight, by CID."""
        self.memory = nvme.Buffer(entries * 64)
        cq.queues[self.qid] = self
        self._stride = 4 << (self.drive.nvme0.cap >> 32 & 0xF)
        command = self.drive.admin(
            AdminOpcode.CREATE_SQ,
            self.memory,
            cdw10=entries - 1 << 16 | self.qid,
            cdw11=cq.qid << 16 | priority << 1 | 1,
        )
        self.drive.succeed(command, "Base 2.0, 5.5 Create I/O Submission Queue")

    def put(
        self,
        opcode: int,
        cid: int,
        slba: int = 0,
        nlb: int = 1,
        prp1: int = 0,
        prp2: int = 0,
        behind: int = 0,
    ) -> Command:
        """Write a command with a range of LBAs into the queue. The doorbell is left alone.

        behind places it that far behind the tail, where the drive must not look. No completion is expected
        then.
        """
        dwords = (slba & 0xFFFFFFFF, slba >> 32, nlb - 1, 0, 0, 0)
        entry = _COMMAND.pack(opcode, 0, cid, self.drive.nsid, 0, 0, prp1, prp2, *dwords)
        at = (self.tail + behind) % self.entries
        self.memory[at * 64 : at * 64 + 64] = entry
        command = Command(self.qid, opcode, self.drive.nsid, dwords)
        command.cid = cid
        if behind:
            return command
        self.drive.history.add(command)
        self.places[cid] = at
        self.tail = (self.tail + 1) % self.entries
        self.cq.sent(command)
        return command

    def ring(self) -> None:
        """Write the tail doorbell."""
        self.drive.nvme0[Register.DOORBELLS + 2 * self.qid * self._stride] = self.tail

    def delete(self) -> None:
        """Delete the queue."""
        command = self.drive.admin(AdminOpcode.DELETE_SQ, cdw10=self.qid)
        self.drive.succeed(command, "Base 2.0, 5.7 Delete I/O Submission Queue")
        del self.cq.queues[self.qid]
