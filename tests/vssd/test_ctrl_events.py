# SPDX-License-Identifier: BSD-3-Clause
"""Asynchronous events, and Abort."""

from __future__ import annotations

import struct
import time

import pytest
from client import (
    BAR0,
    DMA_UNMAP,
    ERROR,
    REGION_WRITE,
    Client,
    Completion,
    Nvme,
    Queue,
    message,
    sqe,
    store32,
)
from ctrl_helpers import (
    ABORT,
    ABORT_REQUESTED,
    AER_LIMIT,
    ASYNC_EVENT,
    DELETE_CQ,
    DELETE_SQ,
    FORMAT,
    IDENTIFY,
    OK,
    READ,
    Disk,
    Start,
    log_page,
    set_feature,
    smart,
)

BAD_REGISTER, BAD_VALUE, TEMPERATURE, NAMESPACE_CHANGED = 0x10000, 0x10100, 0x20101, 0x40002


def quiet(queue: Queue, seconds: float = 0.02) -> bool:
    """Whether no completion arrives for a while."""
    try:
        queue.wait(seconds)
    except TimeoutError:
        return True
    return False


def event(nvme: Nvme, cid: int) -> int:
    """The event that completes this request."""
    found = nvme.admin.wait()
    assert (found.cid, found.status) == (cid, OK)
    return found.cdw0


def test_requests_wait_for_an_event(nvme: Nvme) -> None:
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert quiet(nvme.admin)
    assert nvme.admin.submit(sqe(IDENTIFY, prp1=nvme.memory.alloc(4096), cdw10=1)) == nvme.admin.wait().cid


def test_there_may_be_four(nvme: Nvme) -> None:
    for _ in range(4):
        nvme.admin.submit(sqe(ASYNC_EVENT))
    assert quiet(nvme.admin)
    cid = nvme.admin.submit(sqe(ASYNC_EVENT))
    found = nvme.admin.wait()
    assert (found.cid, found.status, found.dnr) == (cid, AER_LIMIT, False)


def ring(nvme: Nvme, offset: int, value: int, mapped: bool) -> None:
    """Write a doorbell, by a store into the page or by message, and let the drive see it."""
    if mapped:
        store32(nvme.doorbells, offset, value)
    else:
        nvme.client.write32(0x1000 + offset, value)
    time.sleep(0.02)


def wait_until_looked_at(nvme: Nvme, offset: int, value: int) -> None:
    """Wait until the drive has looked at a doorbell in the page, which then no longer holds the value."""
    for _ in range(30_000):
        if nvme.doorbells[offset : offset + 4] != struct.pack("<I", value):
            return
        time.sleep(0.001)
    raise AssertionError("the drive does not look at the doorbell")


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("value", [0, 1, 0xFFFFFFFF])
@pytest.mark.parametrize("offset", [8 * 3, 8 * 3 + 4, 8 * 64, 8 * 65, 8 * 200, 0xFFC])
def test_doorbell_of_a_queue_that_is_not_there(nvme: Nvme, mapped: bool, value: int, offset: int) -> None:
    for _ in range(3):
        cid = nvme.admin.submit(sqe(ASYNC_EVENT))
        ring(nvme, offset, value, mapped)
        assert event(nvme, cid) == BAD_REGISTER
        log_page(nvme, 1)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("value", [0, 3])
def test_doorbell_of_a_queue_that_was_deleted(nvme: Nvme, mapped: bool, value: int) -> None:
    queue = nvme.create_queue(1, 8)
    Disk(nvme, queue).command(READ, 0)
    assert nvme.admin.execute(DELETE_SQ, cdw10=1)[1] == OK
    for offset in (8, 12):
        if offset == 12:
            assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == OK
        cid = nvme.admin.submit(sqe(ASYNC_EVENT))
        ring(nvme, offset, value, mapped)
        assert event(nvme, cid) == BAD_REGISTER
        log_page(nvme, 1)
    Disk(nvme, nvme.create_queue(1, 8)).command(READ, 0)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("offset", [8, 12])
def test_a_doorbell_that_repeats_the_value_written_last(nvme: Nvme, mapped: bool, offset: int) -> None:
    queue = nvme.create_queue(1, 8)
    disk = Disk(nvme, queue)
    for value in (1, 2, 3, 4, 5, 6, 7, 0, 1):
        assert disk.command(READ, 0) == OK
        for _ in range(2):
            cid = nvme.admin.submit(sqe(ASYNC_EVENT))
            assert quiet(nvme.admin)
            if mapped:
                wait_until_looked_at(nvme, offset, value)
            ring(nvme, offset, value, mapped)
            assert event(nvme, cid) == BAD_VALUE
            log_page(nvme, 1)
    assert disk.command(READ, 0) == OK


def test_the_first_value_may_be_the_one_that_a_new_queue_has(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 8)
    nvme.admin.submit(sqe(ASYNC_EVENT))
    ring(nvme, 8, 0, mapped=True)
    ring(nvme, 12, 0, mapped=True)
    assert quiet(nvme.admin)
    assert Disk(nvme, queue).command(READ, 0) == OK


def test_a_tail_that_adds_to_a_full_queue(nvme: Nvme) -> None:
    """The host consumes nothing: after seven completions the drive stops; seven commands fill the queue."""
    queue = nvme.create_queue(1, 8)
    buffer = nvme.memory.alloc(4096)
    for _ in range(2):
        for _ in range(7):
            queue.submit(sqe(READ, nsid=1, prp1=buffer), ring=False)
        queue.ring()
        queue.wait_posted(7)
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert quiet(nvme.admin)
    ring(nvme, 8, (queue.tail + 2) % 8, mapped=True)
    assert nvme.admin.wait().cdw0 == BAD_VALUE
    assert [queue.wait().status for _ in range(14)] == [OK] * 14
    assert Disk(nvme, queue).command(READ, 0) == OK


def test_doorbells_read_as_they_were_written(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 8)
    assert nvme.client.read32(0x1008) == 0 and nvme.client.read32(0x1000 + 8 * 3) == 0
    Disk(nvme, queue).command(READ, 0)
    time.sleep(0.02)
    assert nvme.client.read32(0x1008) == nvme.client.read32(0x100C) == 1


def test_a_host_that_keeps_the_rules_causes_no_event(nvme: Nvme) -> None:
    """Pause in between, so that the drive checks before, during and after."""
    disk = Disk(nvme, nvme.create_queue(1, 4))
    nvme.admin.submit(sqe(ASYNC_EVENT))
    for round in range(60):
        assert disk.command(READ, 0) == OK
        time.sleep(round % 3 * 0.0005)
    assert quiet(nvme.admin)
    assert log_page(nvme, 1) == bytes(512)


@pytest.mark.parametrize("value", [8, 9, 0xFFFF, 0x10000, 0xFFFFFFFF])
def test_tail_that_is_out_of_range(nvme: Nvme, value: int) -> None:
    queue = nvme.create_queue(1, 8)
    cid = nvme.admin.submit(sqe(ASYNC_EVENT))
    store32(nvme.doorbells, 8, value)
    assert event(nvme, cid) == BAD_VALUE
    assert Disk(nvme, queue).command(READ, 0) == OK, "the queue goes on from where it was"


@pytest.mark.parametrize("value", [1, 7, 8, 0xFFFFFFFF])
def test_head_that_takes_more_than_there_is(nvme: Nvme, value: int) -> None:
    queue = nvme.create_queue(1, 8)
    cid = nvme.admin.submit(sqe(ASYNC_EVENT))
    store32(nvme.doorbells, 12, value)
    assert event(nvme, cid) == BAD_VALUE
    disk = Disk(nvme, queue)
    assert [disk.command(READ, 0) for _ in range(20)] == [OK] * 20


def in_one_go(nvme: Nvme, *messages: bytes) -> None:
    """Send messages at once, so that the controller is not polled in between, and take the replies."""
    nvme.client.send_raw(b"".join(messages))
    assert [nvme.client.reply().flags & ERROR for _ in messages] == [0] * len(messages)


def write_doorbell(offset: int, value: int) -> bytes:
    return message(REGION_WRITE, struct.pack("<QIII", offset, BAR0, 4, value))


def test_a_wrong_value_is_seen_also_where_a_right_one_follows_at_once(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 8)
    for tail in range(1, 6):
        cid = nvme.admin.submit(sqe(ASYNC_EVENT))
        assert quiet(nvme.admin)
        queue.submit(sqe(READ, nsid=1, prp1=nvme.memory.alloc(512, 512)), ring=False)
        in_one_go(nvme, write_doorbell(0x1008, 99), write_doorbell(0x1008, 99), write_doorbell(0x1008, tail))
        assert event(nvme, cid) == BAD_VALUE
        assert queue.wait().status == OK
        log_page(nvme, 1)
        # The second one was a different event.
        cid = nvme.admin.submit(sqe(ASYNC_EVENT))
        assert event(nvme, cid) == BAD_VALUE
        log_page(nvme, 1)


@pytest.mark.parametrize("offset", [0x1008, 0x1000 + 8 * 20])
def test_an_event_of_a_host_that_just_took_its_memory_away(start: Start, offset: int) -> None:
    """The message that unmaps and the one that rings come together: the memory is not touched."""
    with Client(start("--size", "1M").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        nvme.create_queue(1, 8)
        nvme.admin.submit(sqe(ASYNC_EVENT))
        assert quiet(nvme.admin)
        unmap = struct.pack("<IIQQ", 24, 0, nvme.memory.iova, nvme.memory.size)
        in_one_go(nvme, message(DMA_UNMAP, unmap), write_doorbell(offset, 99))
        assert client.read32(0x1C) & 2, "CFS: the completion could not be told"
        nvme.close()


def test_an_event_is_kept_until_somebody_asks(nvme: Nvme) -> None:
    nvme.client.write32(0x1000 + 8 * 3, 1)
    assert event(nvme, nvme.admin.submit(sqe(ASYNC_EVENT))) == BAD_REGISTER


def test_a_type_is_masked_until_its_log_page_is_read(nvme: Nvme) -> None:
    first = nvme.admin.submit(sqe(ASYNC_EVENT))
    nvme.client.write32(0x1000 + 8 * 3, 1)
    assert event(nvme, first) == BAD_REGISTER
    second = nvme.admin.submit(sqe(ASYNC_EVENT))
    nvme.client.write32(0x1000 + 8 * 3, 1)
    assert quiet(nvme.admin)
    nvme.admin.submit(sqe(0x02, prp1=nvme.memory.alloc(4096), cdw10=15 << 16 | 1 << 15 | 1))
    assert nvme.admin.wait().status == OK
    assert quiet(nvme.admin), "RAE retains it"
    read = nvme.admin.submit(sqe(0x02, prp1=nvme.memory.alloc(4096), cdw10=15 << 16 | 1))
    found: list[Completion] = sorted((nvme.admin.wait(), nvme.admin.wait()), key=lambda entry: entry.cid)
    assert [(entry.cid, entry.cdw0) for entry in found] == [(second, BAD_REGISTER), (read, 0)]


def test_types_do_not_mask_each_other(nvme: Nvme) -> None:
    first = nvme.admin.submit(sqe(ASYNC_EVENT))
    nvme.client.write32(0x1000 + 8 * 3, 1)
    assert event(nvme, first) == BAD_REGISTER
    second = nvme.admin.submit(sqe(ASYNC_EVENT))
    setting = nvme.admin.submit(sqe(0x09, cdw10=4, cdw11=200))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {second: TEMPERATURE, setting: 0}


@pytest.mark.parametrize("threshold", [200, 1 << 20 | 400, 1 << 16 | 200, 15 << 16 | 200])
def test_temperature_above_or_below_a_threshold(nvme: Nvme, threshold: int) -> None:
    request = nvme.admin.submit(sqe(ASYNC_EVENT))
    setting = nvme.admin.submit(sqe(0x09, cdw10=4, cdw11=threshold))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {request: TEMPERATURE, setting: 0}
    assert smart(nvme, 0, 1) == 0x02
    assert set_feature(nvme, 4, threshold & 0x3F0000 | (0 if threshold >> 20 else 500)) == OK
    assert smart(nvme, 0, 1) == 0


@pytest.mark.parametrize("threshold", [200, 1 << 20 | 400, 2 << 16 | 200, 1 << 20 | 2 << 16 | 400])
def test_a_temperature_is_told_once_until_the_log_is_read_and_it_was_right_in_between(
    nvme: Nvme, threshold: int
) -> None:
    selection = threshold & 0x3F0000
    harmless = selection | (0 if threshold >> 20 else 500)
    first, second = (nvme.admin.submit(sqe(ASYNC_EVENT)) for _ in range(2))
    setting = nvme.admin.submit(sqe(0x09, cdw10=4, cdw11=threshold))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {first: TEMPERATURE, setting: 0}
    for value in (harmless, threshold):
        nvme.admin.submit(sqe(0x09, cdw10=4, cdw11=value))
        nvme.admin.wait()
    assert quiet(nvme.admin, 0.15), "the log has not been read"
    reading = nvme.admin.submit(sqe(0x02, prp1=nvme.memory.alloc(4096), cdw10=127 << 16 | 2))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {reading: 0, second: TEMPERATURE}, "it came up again meanwhile"
    assert smart(nvme, 0, 1) == 0x02
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert quiet(nvme.admin, 0.15), "it lasts, and was told"


def test_a_temperature_that_is_wrong_already_is_told_where_that_gets_enabled(nvme: Nvme) -> None:
    assert set_feature(nvme, 0x0B, 0) == OK
    assert set_feature(nvme, 4, 200) == OK
    request = nvme.admin.submit(sqe(ASYNC_EVENT))
    assert quiet(nvme.admin)
    enabling = nvme.admin.submit(sqe(0x09, cdw10=0x0B, cdw11=2))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {request: TEMPERATURE, enabling: 0}


def test_events_that_are_not_enabled_do_not_come(nvme: Nvme) -> None:
    assert set_feature(nvme, 0x0B, 0) == OK
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert set_feature(nvme, 4, 200) == OK
    assert smart(nvme, 0, 1) == 0x02, "the warning is there all the same"
    assert quiet(nvme.admin)


def test_a_format_that_changes_a_namespace_is_an_event_where_enabled(nvme: Nvme) -> None:
    assert set_feature(nvme, 0x0B, 0x100) == OK
    request = nvme.admin.submit(sqe(ASYNC_EVENT))
    formatting = nvme.admin.submit(sqe(FORMAT, nsid=1, cdw10=1))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {request: NAMESPACE_CHANGED, formatting: 0}
    assert log_page(nvme, 4, 16, retain=True) == b"\x01" + bytes(15)
    assert log_page(nvme, 4, 16) == b"\x01" + bytes(15)
    assert log_page(nvme, 4, 16) == bytes(16), "reading it empties it"


def test_a_reset_forgets_requests_and_events(nvme: Nvme) -> None:
    nvme.admin.submit(sqe(ASYNC_EVENT))
    nvme.disable()
    nvme.enable()
    nvme.client.write32(0x1000 + 8 * 3, 1)
    assert quiet(nvme.admin), "nobody asks since the reset"
    nvme.disable()
    nvme.enable()
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert quiet(nvme.admin), "the event was before the reset"


def test_abort_of_a_request(nvme: Nvme) -> None:
    kept, victim = (nvme.admin.submit(sqe(ASYNC_EVENT)) for _ in range(2))
    abort = nvme.admin.submit(sqe(ABORT, cdw10=victim << 16))
    aborted, done = nvme.admin.wait(), nvme.admin.wait()
    assert (aborted.cid, aborted.status, aborted.dnr) == (victim, ABORT_REQUESTED, False)
    assert (done.cid, done.status, done.cdw0) == (abort, OK, 0)
    nvme.client.write32(0x1000 + 8 * 3, 1)
    assert event(nvme, kept) == BAD_REGISTER


@pytest.mark.parametrize("cdw10", [0x1234 << 16, 0x1234 << 16 | 1, 0xFFFF << 16 | 0xFFFF])
def test_abort_of_nothing_says_so(nvme: Nvme, cdw10: int) -> None:
    assert nvme.admin.execute(ABORT, cdw10=cdw10) == (1, OK)
