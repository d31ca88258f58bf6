# SPDX-License-Identifier: BSD-3-Clause
"""A scripted NVMe controller over `fake.Server`: the minimum that the driver needs, with hooks everywhere.

It notes what the driver does in the order in which it is done (`journal`) and each command as it came
(`commands`). It takes what NVM Express Base Specification 2.0 allows and nothing else: a queue that was not
created, registers written in a wrong order, PRPs that break section 4.1.1 raise, and the test fails.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import Callable, Optional

from fake import DOORBELLS, PAGE, Server, check

CAP, VS, CC, CSTS, NSSR, AQA, ASQ, ACQ, CRTO = 0x00, 0x08, 0x14, 0x1C, 0x20, 0x24, 0x28, 0x30, 0x68
DELETE_SQ, CREATE_SQ, GET_LOG_PAGE, DELETE_CQ, CREATE_CQ, IDENTIFY, ABORT = 0, 1, 2, 4, 5, 6, 8
SET_FEATURES, GET_FEATURES, AER = 9, 10, 12
FLUSH, WRITE, READ = 0, 1, 2

INVALID_OPCODE = 0x001
INVALID_FIELD = 0x002
LBA_SIZE = 512


def capabilities(
    *, mqes: int = 1023, timeout: int = 4, stride: int = 0, mpsmin: int = 0, crms: int = 0, css: int = 1
) -> int:
    """CAP with these fields, CQR set; timeout in units of 500 ms."""
    return (
        mqes | 1 << 16 | timeout << 24 | stride << 32 | css << 37 | mpsmin << 48 | mpsmin << 52 | crms << 59
    )


class Command(tuple[int, ...]):
    """The sixteen dwords of a submission queue entry, and by name what handlers need of them."""

    sqid: int

    @classmethod
    def from_bytes(cls, entry: bytes, sqid: int) -> Command:
        command = cls(struct.unpack("<16I", entry))
        command.sqid = sqid
        return command

    @property
    def opcode(self) -> int:
        return self[0] & 0xFF

    @property
    def cid(self) -> int:
        return self[0] >> 16

    @property
    def nsid(self) -> int:
        return self[1]

    @property
    def prp1(self) -> int:
        return self[6] | self[7] << 32

    @property
    def prp2(self) -> int:
        return self[8] | self[9] << 32

    @property
    def slba(self) -> int:
        return self[10] | self[11] << 32

    @property
    def nlb(self) -> int:
        return (self[12] & 0xFFFF) + 1


@dataclass
class SubmissionQueue:
    base: int
    size: int
    cqid: int
    head: int = 0


@dataclass
class CompletionQueue:
    base: int
    size: int
    vector: int = 0
    interrupts: bool = False
    tail: int = 0
    phase: int = 1


Result = Optional[tuple[int, int]]
"""Dword 0 and status (SCT << 8 | SC) of a completion; None: none is posted, the command stays in `held`."""


class Drive(Server):
    """An NVMe controller with one namespace of a million LBAs; a dict keeps those that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.cap = capabilities()
        self.registers = bytearray(0x1000)
        self.registers[VS : VS + 4] = struct.pack("<I", 0x00020000)
        self.ready_after = 0.0
        """Seconds from CC.EN = 1 to CSTS.RDY = 1; math.inf: never."""
        self.unready_after = 0.0
        self.on_read: dict[int, Callable[[int], int]] = {}
        """By register: what it reads as, given what it should; 32 bits each."""
        self.on_write: dict[int, Callable[[int], None]] = {}
        """By register: instead of what a write to it does."""
        self.on_admin: dict[int, Callable[[Command], Result]] = {}
        self.on_io: dict[int, Callable[[Command], Result]] = {}
        self.others: Result = (0, INVALID_OPCODE)
        """What completes the commands that nothing here knows."""
        self.journal: list[tuple[str | int, ...]] = []
        """("read", register), ("write", register, value), ("admin", opcode, cdw10), ("io", sqid, opcode)."""
        self.commands: list[Command] = []
        self.held: list[Command] = []
        self.sqs: dict[int, SubmissionQueue] = {}
        self.cqs: dict[int, CompletionQueue] = {}
        self.identify_controller = bytearray(4096)
        self.identify_namespace = bytearray(4096)
        self.lbas: dict[int, bytes] = {}
        self._csts = 0
        self._changes_at = 0.0
        self._fill_identify()

    def _fill_identify(self) -> None:
        controller = self.identify_controller
        controller[4:24] = b"FAKE0001".ljust(20)
        controller[24:64] = b"a scripted drive".ljust(40)
        controller[64:72] = b"1.0".ljust(8)
        controller[77] = 5  # MDTS: 128 KiB
        controller[512:514] = b"\x66\x44"
        struct.pack_into("<I", controller, 516, 1)
        struct.pack_into("<QQQ", self.identify_namespace, 0, 1 << 20, 1 << 20, 1 << 20)
        self.identify_namespace[130] = 9  # LBA format 0: 512 bytes

    # Registers

    @property
    def stride(self) -> int:
        return 4 << (self.cap >> 32 & 0xF)

    @property
    def ready(self) -> bool:
        if time.monotonic() >= self._changes_at:
            enabled = self._register(CC) & 1
            self._csts = self._csts & ~1 | enabled
        return bool(self._csts & 1)

    def _register(self, offset: int) -> int:
        return int.from_bytes(self.registers[offset : offset + 4], "little")

    def _value(self, offset: int) -> int:
        if offset in (CAP, CAP + 4):
            return self.cap >> 8 * (offset - CAP) & 0xFFFFFFFF
        if offset == CSTS:
            return self._csts & ~1 | self.ready
        if offset >= DOORBELLS:
            return 0
        return self._register(offset)

    def bar_read(self, offset: int, count: int) -> bytes:
        self.journal.append(("read", offset))
        data = b""
        for at in range(offset, offset + count, 4):
            hook = self.on_read.get(at)
            value = self._value(at)
            data += (hook(value) if hook else value).to_bytes(4, "little")
        return data

    def bar_write(self, offset: int, data: bytes) -> None:
        self.journal.append(("write", offset, int.from_bytes(data, "little")))
        for at in range(0, len(data), 4):
            value = int.from_bytes(data[at : at + 4], "little")
            if offset + at in self.on_write:
                self.on_write[offset + at](value)
            else:
                self.write_register(offset + at, value)

    def write_register(self, offset: int, value: int) -> None:
        if offset >= DOORBELLS:
            self.doorbells[offset : offset + 4] = value.to_bytes(4, "little")
            return
        before, ready = self._register(CC), self.ready
        self.registers[offset : offset + 4] = value.to_bytes(4, "little")
        if offset != CC:
            return
        if value & 1 and not before & 1:
            check(not ready, "CC.EN = 1 while CSTS.RDY is still 1")
            self._enable()
        elif before & 1 and not value & 1:
            self._disable()
        if value >> 14 & 3:
            self._csts |= 2 << 2  # SHST: complete

    def _enable(self) -> None:
        aqa = self._register(AQA)
        sq_size, cq_size = (aqa & 0xFFF) + 1, (aqa >> 16 & 0xFFF) + 1
        asq, acq = (struct.unpack_from("<Q", self.registers, at)[0] for at in (ASQ, ACQ))
        check(sq_size >= 2 and cq_size >= 2, f"AQA {aqa:#x}")
        check(asq and acq and asq % PAGE == 0 and acq % PAGE == 0, f"ASQ {asq:#x}, ACQ {acq:#x}")
        check(self.config[4] & 6 == 6, "CC.EN = 1 without memory space or bus mastering")
        self._csts = 0
        self._changes_at = time.monotonic() + self.ready_after
        self.doorbells[:] = bytes(len(self.doorbells))
        self.sqs = {0: SubmissionQueue(asq, sq_size, 0)}
        self.cqs = {0: CompletionQueue(acq, cq_size)}

    def _disable(self) -> None:
        self._csts &= ~0xC
        self._changes_at = time.monotonic() + self.unready_after
        self.sqs.clear()
        self.cqs.clear()
        self.held.clear()

    # Queues

    def tail(self, qid: int) -> int:
        """The SQ tail doorbell."""
        offset = DOORBELLS + 2 * qid * self.stride
        return int.from_bytes(self.doorbells[offset : offset + 4], "little")

    def cq_head(self, qid: int) -> int:
        """The CQ head doorbell."""
        offset = DOORBELLS + (2 * qid + 1) * self.stride
        return int.from_bytes(self.doorbells[offset : offset + 4], "little")

    def look_at_doorbells(self) -> None:
        if not self.sqs or not self.ready:
            return
        for qid in list(self.sqs):
            while qid in self.sqs and self.sqs[qid].head != self.tail(qid):
                self._fetch(qid)

    def _fetch(self, qid: int) -> None:
        queue = self.sqs[qid]
        check(self.tail(qid) < queue.size, f"tail doorbell {self.tail(qid)} of a queue of {queue.size}")
        command = Command.from_bytes(self.dma_read(queue.base + 64 * queue.head, 64), qid)
        queue.head = (queue.head + 1) % queue.size
        self.commands.append(command)
        if qid == 0:
            self.journal.append(("admin", command.opcode, command[10]))
            hook = self.on_admin.get(command.opcode) or self.admin.get(command.opcode)
        else:
            self.journal.append(("io", qid, command.opcode))
            hook = self.on_io.get(command.opcode) or self.io.get(command.opcode)
        result = hook(command) if hook else self.others
        if result is None:
            self.held.append(command)
        else:
            self.complete(command, *result)

    def complete(
        self,
        command: Command,
        cdw0: int = 0,
        status: int = 0,
        *,
        cid: int | None = None,
        sqid: int | None = None,
        more: int = 0,
        cqid: int | None = None,
    ) -> None:
        """Post a completion. cid, sqid, cqid: wrong values to post. more: CRD, M, DNR, status bits 14:11."""
        with self.lock:
            if command in self.held:
                self.held.remove(command)
            sq = self.sqs.get(command.sqid)
            cqid = (sq.cqid if sq else command.sqid) if cqid is None else cqid
            cq = self.cqs[cqid]
            dword2 = (sq.head if sq else 0) | (command.sqid if sqid is None else sqid) << 16
            field = status | more << 11
            dword3 = (command.cid if cid is None else cid) | cq.phase << 16 | field << 17
            self._post(cq, struct.pack("<4I", cdw0, 0, dword2, dword3))

    def _post(self, cq: CompletionQueue, entry: bytes) -> None:
        # The dword with the phase bit last, as a device's one write of sixteen bytes would appear.
        self.dma_write(cq.base + 16 * cq.tail, entry[:12])
        self.dma_write(cq.base + 16 * cq.tail + 12, entry[12:])
        cq.tail = (cq.tail + 1) % cq.size
        if cq.tail == 0:
            cq.phase ^= 1

    # Commands

    @property
    def admin(self) -> dict[int, Callable[[Command], Result]]:
        return {
            DELETE_SQ: self.delete_sq,
            CREATE_SQ: self.create_sq,
            DELETE_CQ: self.delete_cq,
            CREATE_CQ: self.create_cq,
            IDENTIFY: self.identify,
            ABORT: lambda command: (1, 0),
            SET_FEATURES: self.set_features,
            AER: lambda command: None,
        }

    @property
    def io(self) -> dict[int, Callable[[Command], Result]]:
        return {FLUSH: lambda command: (0, 0), WRITE: self.write, READ: self.read}

    def create_cq(self, command: Command) -> Result:
        qid, size = command[10] & 0xFFFF, (command[10] >> 16) + 1
        check(qid not in self.cqs and qid != 0, f"Create CQ {qid}, which is there already")
        check(command[11] & 1 == 1 and command.prp1 % PAGE == 0, "a completion queue that is not contiguous")
        self.cqs[qid] = CompletionQueue(command.prp1, size, command[11] >> 16, bool(command[11] & 2))
        return 0, 0

    def create_sq(self, command: Command) -> Result:
        qid, size = command[10] & 0xFFFF, (command[10] >> 16) + 1
        check(qid not in self.sqs and qid != 0, f"Create SQ {qid}, which is there already")
        check(command[11] >> 16 in self.cqs, f"Create SQ {qid} before its completion queue")
        check(command[11] & 1 == 1 and command.prp1 % PAGE == 0, "a submission queue that is not contiguous")
        for offset in (DOORBELLS + 2 * qid * self.stride, DOORBELLS + (2 * qid + 1) * self.stride):
            self.doorbells[offset : offset + 4] = bytes(4)
        self.sqs[qid] = SubmissionQueue(command.prp1, size, command[11] >> 16)
        return 0, 0

    def delete_sq(self, command: Command) -> Result:
        check(self.sqs.pop(command[10] & 0xFFFF, None) is not None, f"Delete SQ {command[10]}: no such queue")
        self.held = [other for other in self.held if other.sqid != command[10]]
        return 0, 0

    def delete_cq(self, command: Command) -> Result:
        qid = command[10] & 0xFFFF
        check(qid in self.cqs, f"Delete CQ {qid}: no such queue")
        check(all(queue.cqid != qid for queue in self.sqs.values()), f"Delete CQ {qid} before its SQ")
        del self.cqs[qid]
        return 0, 0

    def identify(self, command: Command) -> Result:
        structures = {
            0: bytes(self.identify_namespace) if command.nsid == 1 else bytes(4096),
            1: bytes(self.identify_controller),
            2: struct.pack("<I", 1).ljust(4096, b"\0"),
        }
        if command[10] & 0xFF not in structures:
            return 0, INVALID_FIELD
        self.scatter(command, structures[command[10] & 0xFF])
        return 0, 0

    def set_features(self, command: Command) -> Result:
        return (0x000F000F if command[10] & 0xFF == 7 else 0), 0

    def write(self, command: Command) -> Result:
        data = self.gather(command, command.nlb * LBA_SIZE)
        for i in range(command.nlb):
            self.lbas[command.slba + i] = data[i * LBA_SIZE : (i + 1) * LBA_SIZE]
        return 0, 0

    def read(self, command: Command) -> Result:
        found = [self.lbas.get(command.slba + i, bytes(LBA_SIZE)) for i in range(command.nlb)]
        self.scatter(command, b"".join(found))
        return 0, 0

    # Data

    def pieces(self, command: Command, length: int) -> list[tuple[int, int]]:
        """The memory that PRP 1 and PRP 2 name, as addresses and lengths; section 4.1.1."""
        first = min(length, PAGE - command.prp1 % PAGE)
        found = [(command.prp1, first)]
        left = length - first
        if left <= PAGE:
            check(left > 0 or command.prp2 == 0, "PRP 2 is reserved where PRP 1 is enough")
            check(command.prp2 % PAGE == 0, f"PRP 2 {command.prp2:#x} has an offset")
            return [*found, (command.prp2, left)] if left else found
        at = command.prp2
        check(at % 8 == 0, f"a PRP list at {at:#x}")
        while left:
            entry = int.from_bytes(self.dma_read(at, 8), "little")
            check(entry % PAGE == 0 and entry != 0, f"PRP entry {entry:#x}")
            if at % PAGE == PAGE - 8 and left > PAGE:
                at = entry
                continue
            found.append((entry, min(left, PAGE)))
            left -= min(left, PAGE)
            at += 8
        return found

    def gather(self, command: Command, length: int) -> bytes:
        """The data that a command sends."""
        return b"".join(self.dma_read(address, count) for address, count in self.pieces(command, length))

    def scatter(self, command: Command, data: bytes) -> None:
        """Put data where a command wants them."""
        done = 0
        for address, count in self.pieces(command, len(data)):
            self.dma_write(address, data[done : done + count])
            done += count

    # Queries of tests

    def sent(self, opcode: int, sqid: int = 0) -> list[Command]:
        """The commands with this opcode that arrived on a queue, in order."""
        return [c for c in self.commands if c.opcode == opcode and (c.sqid > 0) == (sqid > 0)]
