# SPDX-License-Identifier: BSD-3-Clause
"""A queue pair that a script makes itself: create commands by send_cmd, doorbells by hand."""

import struct
import time

import nvme as d

from tests.fix_load import loaded

CREATE_SQ, CREATE_CQ, DELETE_SQ, DELETE_CQ = 0x01, 0x05, 0x00, 0x04


def command(opcode, cid, buf=None, lba=0, count=1, nsid=1):
    """64 bytes of a command with one page of data at most."""
    prp1 = buf.phys_addr if buf is not None else 0
    head = struct.pack("<BBHIQQQQ", opcode & 0xFF, opcode >> 8, cid, nsid, 0, 0, prp1, 0)
    return head + struct.pack("<QIIII", lba, count - 1, 0, 0, 0)


class CompletionQueue:
    """CQ qid, which several submission queues may share."""

    def __init__(self, nvme0, qid, entries=256, vector=None):
        self.nvme0, self.qid, self.entries = nvme0, qid, entries
        self.memory = d.Buffer(entries * 16)
        self.head, self.phase = 0, 1
        flags = 1 if vector is None else vector << 16 | 3
        nvme0.send_cmd(CREATE_CQ, self.memory, cdw10=entries - 1 << 16 | qid, cdw11=flags).waitdone()

    def poll(self):
        """(SQID, CID, status) of the next entry, if there is one."""
        entry = self.memory[self.head * 16 : self.head * 16 + 16]
        _, _, _, sqid, cid, status = struct.unpack("<IIHHHH", bytes(entry))
        if status & 1 != self.phase:
            return None
        self.head += 1
        if self.head == self.entries:
            self.head, self.phase = 0, 1 - self.phase
        return sqid, cid, status >> 1 & 0x7FF

    def take(self, count, timeout=5):
        """The next `count` entries; rings the CQ head doorbell at the end."""
        deadline = time.monotonic() + timeout
        found = []
        while len(found) < count:
            entry = self.poll()
            if entry is not None:
                found.append(entry)
            assert time.monotonic() < deadline or loaded(), f"{len(found)} of {count} completions"
        self.nvme0[0x1000 + 8 * self.qid + 4] = self.head
        return found

    def delete(self):
        self.nvme0.send_cmd(DELETE_CQ, cdw10=self.qid).waitdone()


class SubmissionQueue:
    """SQ qid, at most 64 entries."""

    def __init__(self, cq, qid, entries=64, priority=0):
        self.nvme0, self.qid, self.entries, self.tail = cq.nvme0, qid, entries, 0
        self.memory = d.Buffer(4096)
        flags = cq.qid << 16 | priority << 1 | 1
        cq.nvme0.send_cmd(CREATE_SQ, self.memory, cdw10=entries - 1 << 16 | qid, cdw11=flags).waitdone()

    def put(self, entry):
        self.memory[self.tail * 64 : self.tail * 64 + 64] = entry
        self.tail = (self.tail + 1) % self.entries

    def ring(self):
        self.nvme0[0x1000 + 8 * self.qid] = self.tail

    def delete(self):
        self.nvme0.send_cmd(DELETE_SQ, cdw10=self.qid).waitdone()
