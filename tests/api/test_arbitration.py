# SPDX-License-Identifier: BSD-3-Clause
"""Arbitration by the public API: an initialisation of one's own chooses weighted round robin."""

import time
from itertools import groupby

import nvme as d
import pytest
from offered import SPDK, commands_wait, lba_bytes, needs_changeable
from raw_queue import command, completion_queue, submission_queue, taken

from tests.fix_load import loaded

URGENT, HIGH, MEDIUM, LOW = range(4)
READ = 2


def wait_ready(nvme0, ready):
    deadline = time.monotonic() + 10
    while nvme0[0x1C] & 1 != ready:
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.001)


def weighted(nvme0):
    """Initialise with CC.AMS = 1."""
    nvme0[0x14] = 0
    wait_ready(nvme0, 0)
    assert nvme0.init_adminq() == 0
    nvme0[0x14] = 4 << 20 | 6 << 16 | 1 << 11 | 1
    wait_ready(nvme0, 1)
    assert nvme0.init_ns() >= 0
    nvme0.init_queues(nvme0.setfeatures(7, cdw11=0x00FE00FE).waitdone())
    nvme0.aer()


@pytest.fixture
def wrr(pcie):
    """Give a controller with weighted round robin."""
    nvme0 = d.Controller(pcie, nvme_init_func=weighted)
    if not nvme0.cap >> 17 & 1:
        pytest.skip("needs a drive with weighted round robin (CAP.AMS)")
    yield nvme0
    # The next test's default initialisation sets CC anew.


def set_weights(nvme0, high, medium, low, burst=7):
    nvme0.setfeatures(1, cdw11=high - 1 << 24 | medium - 1 << 16 | low - 1 << 8 | burst).waitdone()


def contest(pcie, nvme0, queues):
    """Fill queues of these (QID, priority, count), then start the drive: SQIDs in order of completion."""
    cq = completion_queue(nvme0, 1)
    buf = d.Buffer(4096)
    sqs = [submission_queue(nvme0, qid, cq, qprio=priority) for qid, priority, _ in queues]
    with commands_wait(pcie, nvme0):
        for sq, (_, _, count) in zip(sqs, queues):
            sq.submit(*(command(READ, cid, buf) for cid in range(count)))
    order = [sqid for sqid, _, status in taken(cq, sum(count for _, _, count in queues)) if status == 0]
    for queue in (*sqs, cq):
        queue.delete()
    return [(sqid, len(list(group))) for sqid, group in groupby(order)]


def test_cc_ams_is_what_the_initialisation_wrote(wrr):
    assert wrr[0x14] >> 11 & 7 == 1
    wrr.reset()
    assert wrr[0x14] >> 11 & 7 == 1, "a reset initialises as the script does"


@pytest.mark.parametrize("prio", [URGENT, HIGH, MEDIUM, LOW])
def test_queues_of_each_priority_work(wrr, prio):
    pair = d.Qpair(wrr, 8, prio=prio)
    d.Namespace(wrr).read(pair, d.Buffer(), 0).waitdone()
    pair.delete()


def test_weights_shape_the_service_and_urgent_comes_first(pcie, wrr):
    set_weights(wrr, high=8, medium=4, low=2)
    order = contest(pcie, wrr, [(1, LOW, 12), (2, MEDIUM, 24), (3, HIGH, 48), (4, URGENT, 40)])
    assert sum(count for sqid, count in order[:2] if sqid == 4) >= 32, order
    order = [each for each in order if each[0] != 4]
    assert order[-15:] == [(3, 8), (2, 4), (1, 2)] * 5


def test_a_burst_limit_interleaves_queues_of_one_class(pcie, wrr):
    set_weights(wrr, high=8, medium=1, low=1, burst=1)
    order = contest(pcie, wrr, [(1, HIGH, 16), (2, HIGH, 16)])
    assert [count for _, count in order] == [2] * 16


def test_urgent_commands_are_executed_before_low_ones_of_another_qpair(pcie, wrr):
    """Both write one LBA, which holds the data of the later write."""
    nvme0n1 = d.Namespace(wrr)
    low, urgent = d.Qpair(wrr, 4, prio=LOW), d.Qpair(wrr, 64, prio=URGENT)
    lba_size = lba_bytes(nvme0n1)
    slow, fast, back = d.Buffer(lba_size, pvalue=1), d.Buffer(lba_size, pvalue=0), d.Buffer(lba_size)
    for _ in range(5):
        with commands_wait(pcie, wrr):
            nvme0n1.send_cmd(1, low, slow, 1, 77)
            for _ in range(63):
                nvme0n1.send_cmd(1, urgent, fast, 1, 77)
        urgent.waitdone(63)
        low.waitdone()
        nvme0n1.read(urgent, back, 77).waitdone()
        assert back[:] == slow[:]
    low.delete()
    urgent.delete()


def test_workers_have_priorities(wrr):
    nvme0n1 = d.Namespace(wrr)
    workers = [nvme0n1.ioworker(io_size=8, io_count=500, qprio=prio).start() for prio in (0, 1, 2, 3)]
    assert [worker.close().io_count_read for worker in workers] == [500] * 4


def test_a_worker_with_a_priority_under_round_robin_cannot_start(nvme0, nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, io_count=10, qprio=2).start()
    with pytest.warns(UserWarning, match="^ioworker host ERROR -1: init fail in pyx"):
        assert worker.close().error == -1


@pytest.mark.differs(SPDK, "it empties one queue before it looks at the next (Base 2.0, 3.4.4.1)")
def test_round_robin_obeys_the_arbitration_burst(pcie, nvme0):
    needs_changeable(nvme0, 1, "the arbitration burst")
    before = nvme0.getfeatures(1).waitdone()
    nvme0.setfeatures(1, cdw11=2).waitdone()
    order = contest(pcie, nvme0, [(1, LOW, 32), (2, URGENT, 32), (3, HIGH, 32)])
    assert [count for _, count in order] == [4] * 24
    assert [sqid for sqid, _ in order] == [sqid for sqid, _ in order[:3]] * 8
    nvme0.setfeatures(1, cdw11=before).waitdone()
