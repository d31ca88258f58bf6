# SPDX-License-Identifier: BSD-3-Clause
"""Interrupt coalescing: how many entries (threshold), how long (time), which vectors."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from client import Client, EventFd, Nvme, Queue, sqe
from ctrl_helpers import CREATE_CQ, CREATE_SQ, GET_FEATURES, OK, READ, set_feature

from tests.fix_load import loaded

COALESCING, VECTOR = 8, 9
DISABLE = 1 << 16
LONG = 255  # of 100 us each


def coalesce(nvme: Nvme, entries: int, time_100us: int) -> None:
    """Feature 08h: the threshold is 0's based."""
    assert set_feature(nvme, COALESCING, time_100us << 8 | entries - 1) == OK


class Watched:
    """A queue and its vector's eventfd."""

    def __init__(self, nvme: Nvme, qid: int, vector: int, event: EventFd) -> None:
        nvme.client.set_eventfd(vector, event.fd)
        self.queue, self.event = nvme.create_queue(qid, 64, vector=vector), event
        self.buffer = nvme.memory.alloc(4096)

    def run(self, count: int, opcode: int = READ) -> None:
        for _ in range(count):
            self.queue.submit(sqe(opcode, nsid=1, prp1=self.buffer), ring=False)
        self.queue.ring()
        for _ in range(count):
            self.queue.wait()


@pytest.fixture
def watched(nvme: Nvme) -> Iterator[Watched]:
    """Give queue 1 with vector 1."""
    with EventFd() as event:
        yield Watched(nvme, 1, 1, event)


@pytest.mark.timing
def test_nothing_is_raised_below_the_threshold_and_once_at_it(nvme: Nvme, watched: Watched) -> None:
    coalesce(nvme, 5, LONG)
    start = time.monotonic()
    for _ in range(4):
        watched.run(1)
    assert watched.event.count(0.002) == 0
    watched.run(1)
    assert watched.event.count(1) == 1
    assert time.monotonic() - start < 0.025 or loaded(), "not by the time"
    watched.run(4)
    assert watched.event.count(0.002) == 0


@pytest.mark.parametrize("time_100us", [50, 200])
def test_what_stays_below_the_threshold_is_raised_by_the_time(
    nvme: Nvme, watched: Watched, time_100us: int
) -> None:
    coalesce(nvme, 200, time_100us)
    start = time.monotonic()
    watched.run(3)
    assert watched.event.count(2) == 1
    took = time.monotonic() - start
    assert time_100us / 10000 <= took
    assert took < time_100us / 10000 + 1 or loaded()
    assert watched.event.count(time_100us / 5000) == 0, "once"


@pytest.mark.parametrize("entries, time_100us", [(1, LONG), (200, 0), (1, 0)])
def test_a_threshold_or_a_time_of_0_is_no_coalescing(
    nvme: Nvme, watched: Watched, entries: int, time_100us: int
) -> None:
    coalesce(nvme, entries, time_100us)
    for _ in range(3):
        watched.run(1)
        assert watched.event.count(0.01) == 1


def test_a_vector_can_be_left_out(nvme: Nvme, watched: Watched) -> None:
    with EventFd() as event:
        other = Watched(nvme, 2, 2, event)
        coalesce(nvme, 200, LONG)
        assert set_feature(nvme, VECTOR, DISABLE | 2) == OK
        assert nvme.admin.execute(GET_FEATURES, cdw10=VECTOR, cdw11=2) == (DISABLE | 2, OK)
        for each, raised in ((watched, 0), (other, 1)):
            each.run(1)
            assert each.event.count(0.005) == raised
        assert set_feature(nvme, VECTOR, 2) == OK
        other.run(1)
        assert other.event.count(0.005) == 0


def test_the_admin_queue_is_never_coalesced(nvme: Nvme) -> None:
    with EventFd() as event:
        nvme.client.set_eventfd(0, event.fd)
        coalesce(nvme, 256, LONG)
        event.count(0.01)
        for _ in range(3):
            nvme.admin.execute(GET_FEATURES, cdw10=COALESCING)
            assert event.count(0.01) == 1


def test_queues_of_one_vector_are_counted_together(nvme: Nvme, watched: Watched) -> None:
    other = nvme.create_queue(2, 16, vector=1)
    coalesce(nvme, 6, LONG)
    watched.run(3)
    for _ in range(2):
        assert other.execute(READ, nsid=1, prp1=watched.buffer)[1] == OK
    assert watched.event.count(0.002) == 0
    assert other.execute(READ, nsid=1, prp1=watched.buffer)[1] == OK
    assert watched.event.count(1) == 1


def test_a_command_that_failed_is_told_at_once(nvme: Nvme, watched: Watched) -> None:
    coalesce(nvme, 200, LONG)
    watched.run(2)
    assert watched.event.count(0.002) == 0
    watched.run(1, opcode=0x7F)
    assert watched.event.count(0.01) == 1


def test_turning_it_off_tells_what_has_waited(nvme: Nvme, watched: Watched) -> None:
    coalesce(nvme, 200, LONG)
    watched.run(2)
    start = time.monotonic()
    coalesce(nvme, 1, 0)
    assert watched.event.count(1) == 1
    assert time.monotonic() - start < 0.02 or loaded()


def test_a_reset_turns_it_off(nvme: Nvme, client: Client) -> None:
    coalesce(nvme, 200, LONG)
    nvme.enable()
    assert nvme.admin.execute(GET_FEATURES, cdw10=COALESCING) == (0, OK)
    with EventFd() as event:
        watched = Watched(nvme, 1, 1, event)
        watched.run(1)
        assert event.count(0.01) == 1


def test_a_queue_without_interrupts_counts_for_nothing(nvme: Nvme, watched: Watched) -> None:
    quiet = Queue(nvme.memory, nvme.doorbells, 2, 16)
    size = 15 << 16 | 2
    assert nvme.admin.execute(CREATE_CQ, prp1=quiet.cq, cdw10=size, cdw11=1 << 16 | 1)[1] == OK
    assert nvme.admin.execute(CREATE_SQ, prp1=quiet.sq, cdw10=size, cdw11=2 << 16 | 1)[1] == OK
    coalesce(nvme, 3, LONG)
    for _ in range(5):
        assert quiet.execute(READ, nsid=1, prp1=watched.buffer)[1] == OK
    watched.run(2)
    assert watched.event.count(0.002) == 0
