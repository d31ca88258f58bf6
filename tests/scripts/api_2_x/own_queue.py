# SPDX-License-Identifier: BSD-3-Clause
"""Queues and PRP lists of one's own: commands that no driver would build, on queues that it does not know."""

import struct
import time

from nvme import Buffer

from tests.fix_load import loaded


class Page(Buffer):
    """A page that knows how to be a PRP entry, and a PRP list: 64-bit entries by index."""

    def __init__(self, size=4096, name="page"):
        self.note = "subclasses have attributes of their own"

    def __getitem__(self, index):
        if isinstance(index, slice):
            return super().__getitem__(index)
        return struct.unpack_from("<Q", memoryview(self), index * 8)[0]

    def __setitem__(self, index, value):
        if isinstance(index, slice):
            super().__setitem__(index, value)
            return
        address = value.phys_addr if isinstance(value, Buffer) else value
        super().__setitem__(slice(index * 8, index * 8 + 8), struct.pack("<Q", address))


class CompletionQueue:
    """A completion queue that was created by a raw command; its doorbell is rung by hand."""

    def __init__(self, nvme0, qid, depth, vector=None):
        self.nvme0, self.qid, self.depth = nvme0, qid, depth
        self.memory = Buffer(max(depth * 16, 4096), f"CQ {qid}")
        self.head, self.phase = 0, 1
        interrupts = 0 if vector is None else vector << 16 | 2
        nvme0.send_cmd(0x05, self.memory, cdw10=(depth - 1) << 16 | qid, cdw11=interrupts | 1).waitdone()

    def entry(self):
        return struct.unpack_from("<4I", memoryview(self.memory), self.head * 16)

    def wait(self, seconds=5):
        """The next completion: its four dwords; the doorbell is rung."""
        deadline = time.monotonic() + seconds
        while self.entry()[3] >> 16 & 1 != self.phase:
            assert time.monotonic() < deadline or loaded(), "no completion"
            time.sleep(0)
        cpl = self.entry()
        self.head = (self.head + 1) % self.depth
        self.phase ^= self.head == 0
        self.nvme0[0x1000 + 8 * self.qid + 4] = self.head
        return cpl

    def delete(self):
        self.nvme0.send_cmd(0x04, cdw10=self.qid).waitdone()


class SubmissionQueue:
    """A submission queue that was created by a raw command."""

    def __init__(self, nvme0, qid, depth, cq, priority=0):
        self.nvme0, self.qid, self.depth, self.cq = nvme0, qid, depth, cq
        self.memory = Buffer(max(depth * 64, 4096), f"SQ {qid}")
        self.tail = 0
        nvme0.send_cmd(
            0x01, self.memory, cdw10=(depth - 1) << 16 | qid, cdw11=cq.qid << 16 | priority << 1 | 1
        ).waitdone()

    def put(self, opcode, cid, nsid=1, prp1=0, prp2=0, cdw10=0, cdw11=0, cdw12=0):
        """Write an entry; the drive is told of it by ring()."""
        sqe = struct.pack(
            "<IIQQQQ6I", opcode | cid << 16, nsid, 0, 0, prp1, prp2, cdw10, cdw11, cdw12, 0, 0, 0
        )
        self.memory[self.tail * 64 : self.tail * 64 + 64] = sqe
        self.tail = (self.tail + 1) % self.depth

    def ring(self, tail=None):
        self.nvme0[0x1000 + 8 * self.qid] = self.tail if tail is None else tail

    def delete(self):
        self.nvme0.send_cmd(0x00, cdw10=self.qid).waitdone()


def status_of(cpl):
    """SCT and SC of a completion."""
    return cpl[3] >> 25 & 7, cpl[3] >> 17 & 0xFF
