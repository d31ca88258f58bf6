# SPDX-License-Identifier: BSD-3-Clause
"""Queues that a test makes by raw commands, so that it sees each entry and rings each doorbell itself."""

from __future__ import annotations

import struct
import time
from typing import Callable

import nvme

from pynvme.spec import AdminOpcode, IoOpcode, Register, Status
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command, Dwords

CQE_CLAUSE = "Base 2.0, 3.3.3.2 Common Completion Queue Entry"
SECONDS = 10.0
"""How long a completion may take."""

PAGE = 4096

_ENTRY = struct.Struct("<IIHHHH")
_COMMAND = struct.Struct("<HHIIIQQQ6I")
_CRD = 3 << 12

Admin = Callable[..., Command]
"""Sends an admin command, as Drive.admin does."""


class Memory:
    """Zeroed memory whose address is a multiple of a page size.

    Args:
        size: bytes
        page: the page size
    """

    def __init__(self, size: int, page: int = PAGE) -> None:
        self.buf = nvme.Buffer(size if page == PAGE else size + page)
        """The buffer in which it lies, from ``buf.offset`` on."""
        self._size = size
        self._start = -self.buf.phys_addr % page
        if self._start:
            self.buf.offset = self._start

    @property
    def phys_addr(self) -> int:
        """The address at which the drive sees it."""
        return int(self.buf.phys_addr)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, key: slice) -> bytes:
        return self.buf[self._moved(key)]

    def __setitem__(self, key: slice, data: bytes) -> None:
        self.buf[self._moved(key)] = data

    def _moved(self, key: slice) -> slice:
        """A slice of the buffer."""
        begin, end, _ = key.indices(self._size)
        return slice(self._start + begin, self._start + end)


def most_entries(drive: Drive) -> int:
    """The entries of the largest queue, by CAP.MQES."""
    return int(drive.nvme0.cap & 0xFFFF) + 1


class RawCq:
    """A completion queue.

    Args:
        drive: the drive
        qid: its identifier, which no queue has, or 0 for the admin queue, which exists
        entries: how many, at most as CAP.MQES says
        vector: its interrupt vector, or None without interrupts
        admin: sends the commands that create and delete it, by default the driver
        page: the size of a memory page, to which the memory of queues is aligned
    """

    def __init__(
        self,
        drive: Drive,
        qid: int,
        entries: int = 256,
        vector: int | None = None,
        admin: Admin | None = None,
        page: int = PAGE,
    ) -> None:
        self.drive = drive
        self.admin = admin or drive.admin
        self.qid = qid
        self.entries = min(entries, most_entries(drive))
        self.page = page
        self.memory = Memory(self.entries * 16, page)
        self.head = self._rung = 0
        self._phase = 1
        self._stride = 4 << (drive.nvme0.cap >> 32 & 0xF)
        self._in_flight: dict[tuple[int, int], Command] = {}
        self.queues: dict[int, RawSq] = {}
        if qid:
            self._create(vector)

    def _create(self, vector: int | None) -> None:
        flags = 1 if vector is None else vector << 16 | 3
        command = self.admin(
            AdminOpcode.CREATE_CQ, self.memory.buf, cdw10=self.entries - 1 << 16 | self.qid, cdw11=flags
        )
        self.drive.succeed(command, "Base 2.0, 5.4 Create I/O Completion Queue")

    def sent(self, command: Command) -> None:
        """Expect a completion of a command."""
        self._in_flight[command.qid, command.cid] = command

    def is_posted(self, index: int) -> bool:
        """Whether the drive has filled an entry that is this far behind the head."""
        at = (self.head + index) % self.entries
        phase = self._phase ^ (self.head + index >= self.entries)
        return self.memory[at * 16 + 14 : at * 16 + 15][0] & 1 == phase

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
        self._judge_head(self.queues[sqid], cid, sqhd, command.status == Status.ABORT_REQUESTED)
        self._judge_reserved(command.opcode, cdw0, cdw1, status)
        if command.ok:
            more = status >> 14
            self.drive.check(
                not more, CQE_CLAUSE, "M and DNR are 0, since the command has succeeded", f"{more:02b}b"
            )
        self.head += 1
        if self.head == self.entries:
            self.head, self._phase = 0, 1 - self._phase
        return command

    def _judge_head(self, queue: RawSq, cid: int, sqhd: int, aborted: bool) -> None:
        """SQHD is behind the command, unless it was aborted in the queue, and not behind the tail."""
        place = queue.places.pop(cid)
        if aborted:
            self.drive.check(sqhd < queue.entries, CQE_CLAUSE, f"SQHD below {queue.entries}", sqhd)
            return
        most = (queue.tail - place - 1) % queue.entries
        behind = (sqhd - place - 1) % queue.entries
        self.drive.check(
            sqhd < queue.entries and behind <= most,
            CQE_CLAUSE,
            f"SQHD from {(place + 1) % queue.entries} to {queue.tail}, of {queue.entries} entries",
            sqhd,
        )

    def _judge_reserved(self, opcode: int, cdw0: int, cdw1: int, status: int) -> None:
        """Dword 1 has no meaning, and neither have dword 0 of IO commands, and CRD, as ACRE is not set."""
        check = self.drive.check
        check(not cdw1, CQE_CLAUSE, "dword 1 is 0, since no command uses it", f"{cdw1:#x}")
        check(
            not (self.qid and cdw0 and opcode != IoOpcode.CANCEL),
            CQE_CLAUSE,
            "dword 0 is 0, since the command does not use it",
            f"{cdw0:#x}",
        )
        check(
            not status & _CRD, CQE_CLAUSE, "CRD is 0, since ACRE is not set", f"status field {status >> 1:#x}"
        )

    def ring(self) -> None:
        """Write the head doorbell, unless it has this value."""
        if self.head != self._rung:
            self.write_doorbell(self.head)

    def write_doorbell(self, head: int) -> None:
        """Write any value to the head doorbell."""
        self._rung = head
        self.drive.nvme0[Register.DOORBELLS + (2 * self.qid + 1) * self._stride] = head

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

    def forget(self, qid: int) -> None:
        """Expect no completion of a submission queue any more, which was deleted."""
        del self.queues[qid]
        self._in_flight = {place: one for place, one in self._in_flight.items() if place[0] != qid}

    def delete(self) -> None:
        """Delete its submission queues, and then the queue."""
        for queue in list(self.queues.values()):
            queue.delete()
        command = self.admin(AdminOpcode.DELETE_CQ, cdw10=self.qid)
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
        self.entries = min(entries, most_entries(self.drive))
        self.tail = 0
        self.places: dict[int, int] = {}
        """The entry of each command in flight, by CID."""
        self.memory = Memory(self.entries * 64, cq.page)
        cq.queues[self.qid] = self
        self._stride = 4 << (self.drive.nvme0.cap >> 32 & 0xF)
        if self.qid:
            self._create(priority)

    def _create(self, priority: int) -> None:
        command = self.cq.admin(
            AdminOpcode.CREATE_SQ,
            self.memory.buf,
            cdw10=self.entries - 1 << 16 | self.qid,
            cdw11=self.cq.qid << 16 | priority << 1 | 1,
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
        flags: int = 0,
    ) -> Command:
        """Write a command with a range of LBAs into the queue. The doorbell is left alone.

        flags are bits 31:16 of dword 12. behind places the command that far behind the tail, where the drive
        must not look. No completion is expected then.
        """
        dwords = (slba & 0xFFFFFFFF, slba >> 32 & 0xFFFFFFFF, flags << 16 | nlb - 1, 0, 0, 0)
        return self.put_any(opcode, cid, self.drive.nsid, dwords, prp1, prp2, behind)

    def put_any(
        self,
        opcode: int,
        cid: int,
        nsid: int,
        dwords: Dwords,
        prp1: int = 0,
        prp2: int = 0,
        behind: int = 0,
        reserved: tuple[int, int, int] = (0, 0, 0),
    ) -> Command:
        """Write any command into the queue. The doorbell is left alone.

        Args:
            opcode: bits 15:0 of dword 0, with FUSE and PSDT
            cid, nsid, dwords: CID, NSID and dwords 10 to 15
            prp1, prp2: the data pointer
            behind: see :meth:`put`
            reserved: dwords 2 and 3, and MPTR. If it is 0, the command has memory for its metadata
        """
        cdw2, cdw3, mptr = reserved
        if nsid == self.drive.nsid and self.qid:
            mptr = mptr or self.drive.scratch(opcode, (dwords[2] & 0xFFFF) + 1)
        entry = _COMMAND.pack(opcode, cid, nsid, cdw2, cdw3, mptr, prp1, prp2, *dwords)
        at = (self.tail + behind) % self.entries
        self.memory[at * 64 : at * 64 + 64] = entry
        command = Command(self.qid, opcode, nsid, dwords)
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
        command = self.cq.admin(AdminOpcode.DELETE_SQ, cdw10=self.qid)
        self.drive.succeed(command, "Base 2.0, 5.7 Delete I/O Submission Queue")
        del self.cq.queues[self.qid]


class RawAdmin:
    """Admin queues of the test's own, with a controller that was enabled as the test wants it.

    The driver's own admin queue is gone until :meth:`~pynvme.suite.drive.Drive.reset`.

    Args:
        drive: the drive
        sq_entries, cq_entries: AQA
        mps: CC.MPS
    """

    def __init__(self, drive: Drive, sq_entries: int = 32, cq_entries: int = 32, mps: int = 0) -> None:
        self.drive = drive
        self.page = PAGE << mps
        drive.delete_qpairs()
        drive.note(f"initialisation with CC.MPS {mps}, AQA {sq_entries} and {cq_entries} entries")
        control = drive.nvme0[Register.CC] & ~(0xF << 7 | 7 << 11 | 3 << 14 | 1)
        drive.nvme0.init_adminq()
        self.cq = RawCq(drive, 0, cq_entries, admin=self.run, page=self.page)
        self.sq = RawSq(self.cq, entries=sq_entries)
        self._cid = 0
        drive.nvme0[Register.AQA] = cq_entries - 1 << 16 | sq_entries - 1
        for register, memory in ((Register.ASQ, self.sq.memory), (Register.ACQ, self.cq.memory)):
            drive.nvme0[register] = memory.phys_addr & 0xFFFFFFFF
            drive.nvme0[register + 4] = memory.phys_addr >> 32
        drive.nvme0[Register.CC] = control | 6 << 16 | 4 << 20 | mps << 7 | 1
        end = time.monotonic() + drive.seconds_to_ready + 1
        while not drive.csts.rdy:
            drive.check(
                time.monotonic() < end,
                "Base 2.0, 3.5.1 Memory-based Controller Initialization",
                f"CSTS.RDY is 1 within {drive.seconds_to_ready} s",
                drive.csts,
            )

    def run(self, opcode: int, buf: nvme.Buffer | None = None, nsid: int = 0, **dwords: int) -> Command:
        """Send an admin command, and wait. Its data are at most two pages."""
        prp1 = buf.phys_addr if buf is not None else 0
        command = self.put(opcode, self._next_cid(), nsid, prp1, **dwords)
        self.sq.ring()
        self.cq.take(1)
        return command

    def put(self, opcode: int, cid: int, nsid: int = 0, prp1: int = 0, **dwords: int) -> Command:
        """Write an admin command into the queue. The doorbell is left alone."""
        prp2 = prp1 - prp1 % self.page + self.page if prp1 else 0
        values = [dwords.get(f"cdw{number}", 0) for number in range(10, 16)]
        return self.sq.put_any(opcode, cid, nsid, (*values,), prp1, prp2)  # type: ignore[arg-type]

    def _next_cid(self) -> int:
        self._cid = (self._cid + 1) % 0xFFFF
        return self._cid
