# SPDX-License-Identifier: BSD-3-Clause
"""Queues that a script builds by hand, with pynvme.metamode, in the form that several files of tests need."""

from pynvme.metamode import IOCQ, IOSQ, PRP, SQE


def command(opcode, cid, buf=None, lba=0, count=1, nsid=1):
    """An entry of a command with one page of data at most."""
    entry = SQE(opcode, nsid)
    entry.cid = cid
    if buf is not None:
        entry.prp1 = buf
    entry.cdw10, entry.cdw11, entry.cdw12 = lba & 0xFFFFFFFF, lba >> 32, count - 1
    return entry


def completion_queue(nvme0, qid, iv=None):
    """CQ qid of 256 entries, which several submission queues may share."""
    return IOCQ(nvme0, qid, 256, PRP(), iv=iv)


def submission_queue(nvme0, qid, cq, qprio=0):
    """SQ qid of 64 entries."""
    return IOSQ(nvme0, qid, 64, PRP(), cq=cq, qprio=qprio)


def taken(cq, count):
    """SQID, CID, and SCT and SC of the next completions."""
    return [(cqe.sqid, cqe.cid, cqe.status & 0x7FF) for cqe in cq.waitdone(count)]
