# SPDX-License-Identifier: BSD-3-Clause
"""Queues that a script creates with raw commands, beside the driver's."""

import nvme as d
import pytest
from offered import SPDK
from raw_queue import command, completion_queue, submission_queue, taken

READ, WRITE = 2, 1


@pytest.fixture
def raw(nvme0):
    """Give CQ and SQ 1."""
    cq = completion_queue(nvme0, 1)
    sq = submission_queue(nvme0, 1, cq)
    yield sq, cq
    sq.delete()
    cq.delete()


def test_commands_of_a_queue_made_by_hand_are_executed(nvme0n1, raw, qpair, lba_size):
    sq, cq = raw
    data, back = d.Buffer(lba_size, pvalue=0x12345678, ptype=32), d.Buffer(lba_size)
    for turn in range(100):
        sq.submit(command(WRITE, turn, data, lba=turn))
        assert taken(cq, 1) == [(1, turn, 0)]
        nvme0n1.read(qpair, back, turn).waitdone()
        assert back[:] == data[:]


def test_the_driver_takes_no_qid_that_the_script_has_taken(nvme0, nvme0n1, raw, buf):
    first = d.Qpair(nvme0, 4)
    assert first.sqid == 2
    other = completion_queue(nvme0, 4)
    second, third = d.Qpair(nvme0, 4), d.Qpair(nvme0, 4)
    assert [second.sqid, third.sqid] == [3, 5], "a completion queue alone takes the QID, too"
    for pair in (first, second, third):
        nvme0n1.read(pair, buf, 0).waitdone()
        pair.delete()
    other.delete()
    again = [d.Qpair(nvme0, 4) for _ in range(3)]
    assert [pair.sqid for pair in again] == [2, 3, 4]


def test_what_such_a_queue_wrote_counts_as_unverified(nvme0n1, raw, qpair, verify, lba_size):
    sq, cq = raw
    mine, theirs, back = (d.Buffer(lba_size, ptype=0xBEEF, pvalue=100) for _ in range(3))
    nvme0n1.write(qpair, mine, 20, 1).waitdone()
    nvme0n1.write(qpair, mine, 21, 1).waitdone()
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, back, 20).waitdone()
    assert nvme0n1.verify_stats().judged == before.judged + 1
    sq.submit(command(WRITE, 1, theirs, lba=20))
    taken(cq, 1)
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, back, 20).waitdone()
    assert back[:] == theirs[:]
    nvme0n1.read(qpair, back, 21).waitdone()
    after = nvme0n1.verify_stats()
    assert (after.judged, after.unverified) == (before.judged, before.unverified + 2)
    # What is written after that is known again.
    nvme0n1.write(qpair, mine, 20).waitdone()
    nvme0n1.read(qpair, back, 20).waitdone()
    assert nvme0n1.verify_stats().judged == after.judged + 1


def test_a_completion_queue_is_not_deleted_before_its_submission_queue(nvme0, raw, qpair, nvme0n1, buf):
    with pytest.warns(UserWarning, match="^ERROR status: 01/0c"):
        raw[1].delete()
    with pytest.warns(UserWarning, match="^ERROR status: 01/0c"):
        nvme0.send_cmd(0x04, cdw10=qpair.sqid).waitdone()
    nvme0n1.read(qpair, buf, 0).waitdone()


def test_a_qpair_whose_queues_the_script_deleted_goes_without_a_word(nvme0, nvme0n1, buf):
    for by_hand in ((0x00, 0x04), (0x00,)):
        pair = d.Qpair(nvme0, 4)
        qid = pair.sqid
        for opcode in by_hand:
            nvme0.send_cmd(opcode, cdw10=qid).waitdone()
        pair.delete()
        again = d.Qpair(nvme0, 4)
        assert again.sqid == qid
        nvme0n1.read(again, buf, 0).waitdone()
        again.delete()


def test_a_queue_made_over_one_of_the_drivers_is_the_scripts(nvme0, nvme0n1, buf):
    pair = d.Qpair(nvme0, 4)
    assert pair.sqid == 1
    for opcode in (0x00, 0x04):
        nvme0.send_cmd(opcode, cdw10=1).waitdone()
    cq = completion_queue(nvme0, 1)
    sq = submission_queue(nvme0, 1, cq)
    sq.submit(command(READ, 7, buf))
    assert taken(cq, 1) == [(1, 7, 0)]
    sq.delete()
    cq.delete()


@pytest.mark.differs(SPDK, "a reset leaves a lone completion queue there (Base 2.0, 3.7.2)")
def test_a_reset_takes_such_queues_away(nvme0, nvme0n1, buf):
    completion_queue(nvme0, 1)
    nvme0.reset()
    pair = d.Qpair(nvme0, 4)
    assert pair.sqid == 1
    nvme0n1.read(pair, buf, 0).waitdone()


def test_submission_queues_share_a_completion_queue_and_its_vector(nvme0, lba_size, assert_raised):
    pair = d.Qpair(nvme0, 4, iv=3)
    cq = completion_queue(nvme0, 5, iv=3)
    sqs = [submission_queue(nvme0, qid, cq) for qid in (5, 6, 7)]
    pair.msix_clear()
    for sq in sqs:
        sq.submit(command(READ, sq.sqid, d.Buffer(lba_size)))
    assert sorted(taken(cq, 3)) == [(5, 5, 0), (6, 6, 0), (7, 7, 0)]
    assert_raised(pair)
    for queue in (*sqs, cq):
        queue.delete()


def test_more_submission_queues_than_there_are_are_refused(nvme0):
    offered = (nvme0.getfeatures(7).waitdone() & 0xFFFF) + 1
    with pytest.warns(UserWarning, match="^ERROR status: 01/01"):
        completion_queue(nvme0, offered + 1)
    assert d.Qpair(nvme0, 4).sqid == 1
