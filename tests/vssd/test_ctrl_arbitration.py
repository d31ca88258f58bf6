# SPDX-License-Identifier: BSD-3-Clause
"""Arbitration: round robin, weighted round robin with urgent priority class, arbitration burst.

The queues fill while bus mastering is off. When it is turned on the controller finds all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pytest
from client import Client, Nvme, Queue, sqe
from ctrl_helpers import CC_ENABLED, CREATE_CQ, CREATE_SQ, GET_FEATURES, OK, READ, set_feature

URGENT, HIGH, MEDIUM, LOW = range(4)  # QPRIO
ARBITRATION = 1
UNLIMITED = 7
WEIGHTED = CC_ENABLED | 1 << 11


def arbitration(burst: int = UNLIMITED, high: int = 1, medium: int = 1, low: int = 1) -> int:
    """Feature 01h; the burst is a power of two, weights are 0's based in it."""
    return high - 1 << 24 | medium - 1 << 16 | low - 1 << 8 | burst


class Contest:
    """Submission queues that share one completion queue, whose order shows the order of service."""

    def __init__(self, nvme: Nvme, entries: int = 64) -> None:
        self.nvme, self.entries = nvme, entries
        self.cq = Queue(nvme.memory, nvme.doorbells, 1, 1024)
        size = 1023 << 16 | 1
        assert nvme.admin.execute(CREATE_CQ, prp1=self.cq.cq, cdw10=size, cdw11=1)[1] == OK
        self.buffer = nvme.memory.alloc(4096)

    def queue(self, qid: int, priority: int) -> Queue:
        sq = Queue(self.nvme.memory, self.nvme.doorbells, qid, self.entries)
        size = self.entries - 1 << 16 | qid
        flags = 1 << 16 | priority << 1 | 1
        assert self.nvme.admin.execute(CREATE_SQ, prp1=sq.sq, cdw10=size, cdw11=flags)[1] == OK
        return sq

    def run(self, counts: dict[Queue, int]) -> list[int]:
        """Let so many commands wait in each queue, then let the controller go: SQIDs as they complete."""
        self.nvme.client.config_write(4, b"\2\0")
        for sq, count in counts.items():
            for _ in range(count):
                sq.submit(sqe(READ, nsid=1, prp1=self.buffer), ring=False)
            sq.ring()
        self.nvme.client.config_write(4, b"\6\0")
        return [self.cq.wait().sqid for _ in range(sum(counts.values()))]


def runs(order: list[int]) -> list[tuple[int, int]]:
    """(SQID, number of completions in a row)."""
    return [(sqid, len(list(group))) for sqid, group in groupby(order)]


@pytest.fixture
def weighted(client: Client) -> Iterator[Nvme]:
    """Give a host whose controller was enabled with CC.AMS = 1."""
    nvme = Nvme(client)
    nvme.enable()
    nvme.disable()
    nvme.admin = Queue(nvme.memory, nvme.doorbells, 0, 64)
    client.write32(0x24, 63 << 16 | 63)
    client.write64(0x28, nvme.admin.sq)
    client.write64(0x30, nvme.admin.cq)
    client.write32(0x14, WEIGHTED)
    nvme.wait_ready(True)
    yield nvme
    nvme.close()


def test_cap_announces_weighted_round_robin(client: Client) -> None:
    assert client.read32(0) >> 17 & 3 == 1


@pytest.mark.parametrize("ams", [2, 3, 6, 7])
def test_an_arbitration_mechanism_that_is_not_there_is_fatal(client: Client, ams: int) -> None:
    nvme = Nvme(client)
    nvme.enable()
    nvme.disable()
    client.write32(0x14, CC_ENABLED | ams << 11)
    assert client.read32(0x1C) & 3 == 2, "CFS, not RDY"
    nvme.close()


@pytest.mark.parametrize("burst, commands", [(0, 1), (1, 2), (2, 4), (4, 16)])
def test_round_robin_takes_a_burst_of_each_queue_in_turn(nvme: Nvme, burst: int, commands: int) -> None:
    assert set_feature(nvme, ARBITRATION, arbitration(burst)) == OK
    contest = Contest(nvme)
    queues = [contest.queue(qid, priority) for qid, priority in ((1, LOW), (2, URGENT), (3, HIGH))]
    order = runs(contest.run(dict.fromkeys(queues, 48)))
    assert [count for _, count in order] == [commands] * (3 * 48 // commands)
    turn = [sqid for sqid, _ in order]
    assert sorted(turn[:3]) == [1, 2, 3] and turn == turn[:3] * (len(turn) // 3), "priorities mean nothing"


def test_each_round_serves_each_class_by_its_weight(weighted: Nvme) -> None:
    assert set_feature(weighted, ARBITRATION, arbitration(high=6, medium=3, low=2)) == OK
    contest = Contest(weighted)
    high, medium, low = (contest.queue(*each) for each in ((1, HIGH), (2, MEDIUM), (3, LOW)))
    order = runs(contest.run({low: 14, medium: 21, high: 42}))
    assert order == [(1, 6), (2, 3), (3, 2)] * 7


def test_urgent_commands_come_before_all_weights(weighted: Nvme) -> None:
    assert set_feature(weighted, ARBITRATION, arbitration(burst=1, high=4, medium=2, low=1)) == OK
    contest = Contest(weighted)
    low, high, one, two = (contest.queue(*e) for e in ((1, LOW), (2, HIGH), (3, URGENT), (4, URGENT)))
    order = runs(contest.run({low: 5, high: 20, one: 6, two: 6}))
    assert sorted(order[:2]) == [(3, 2), (4, 2)], "round robin by bursts among the urgent"
    assert order[:6] == order[:2] * 3
    assert order[6:] == [(2, 4), (1, 1)] * 5


def test_queues_of_a_class_share_its_weight_by_bursts(weighted: Nvme) -> None:
    assert set_feature(weighted, ARBITRATION, arbitration(burst=1, high=6, low=1)) == OK
    contest = Contest(weighted)
    one, two, low = (contest.queue(*each) for each in ((1, HIGH), (2, HIGH), (3, LOW)))
    order = runs(contest.run({one: 18, two: 18, low: 6}))
    first, second = order[0][0], order[1][0]
    assert {first, second} == {1, 2}
    expected = [(first, 2), (second, 2), (first, 2), (3, 1), (second, 2), (first, 2), (second, 2), (3, 1)]
    assert order == expected * 3


def test_what_a_class_leaves_goes_to_the_others(weighted: Nvme) -> None:
    assert set_feature(weighted, ARBITRATION, arbitration(high=256, medium=2, low=1)) == OK
    contest = Contest(weighted)
    high, medium, low = (contest.queue(*each) for each in ((1, HIGH), (2, MEDIUM), (3, LOW)))
    order = runs(contest.run({high: 3, medium: 40, low: 20}))
    assert order == [(1, 3)] + [(2, 2), (3, 1)] * 20


def test_weights_can_be_changed_while_queues_exist(weighted: Nvme) -> None:
    contest = Contest(weighted)
    high, low = contest.queue(1, HIGH), contest.queue(2, LOW)
    assert runs(contest.run({high: 8, low: 8})) == [(1, 1), (2, 1)] * 8
    assert set_feature(weighted, ARBITRATION, arbitration(high=4, low=2)) == OK
    order = runs(contest.run({high: 16, low: 16}))
    assert sorted(order[1:5]) == [(1, 4), (1, 4), (2, 2), (2, 2)]


def test_a_completion_queue_without_a_submission_queue_of_its_number_is_still_emptied(weighted: Nvme) -> None:
    """The doorbell of CQ 1 makes room for SQ 2, which completes there."""
    cq = Queue(weighted.memory, weighted.doorbells, 1, 4)
    assert weighted.admin.execute(CREATE_CQ, prp1=cq.cq, cdw10=3 << 16 | 1, cdw11=1)[1] == OK
    sq = Queue(weighted.memory, weighted.doorbells, 2, 64)
    flags = 1 << 16 | LOW << 1 | 1
    assert weighted.admin.execute(CREATE_SQ, prp1=sq.sq, cdw10=63 << 16 | 2, cdw11=flags)[1] == OK
    buffer = weighted.memory.alloc(4096)
    sent = [sq.submit(sqe(READ, nsid=1, prp1=buffer), ring=False) for _ in range(63)]
    sq.ring()
    assert [cq.wait().cid for _ in range(63)] == sent


def test_the_admin_queue_is_served_while_urgent_commands_are_plenty(weighted: Nvme) -> None:
    contest = Contest(weighted, 1024)
    urgent = contest.queue(2, URGENT)
    for _ in range(1000):
        urgent.submit(sqe(READ, nsid=1, prp1=contest.buffer), ring=False)
    urgent.ring()
    assert weighted.admin.execute(GET_FEATURES, cdw10=ARBITRATION)[1] == OK
    assert {contest.cq.wait().sqid for _ in range(1000)} == {2}


def test_a_reset_without_ams_is_round_robin_again(weighted: Nvme) -> None:
    weighted.enable()
    contest = Contest(weighted)
    one, two = contest.queue(1, LOW), contest.queue(2, URGENT)
    assert set_feature(weighted, ARBITRATION, arbitration(0)) == OK
    order = [sqid for sqid, _ in runs(contest.run({one: 8, two: 8}))]
    assert order == order[:2] * 8
