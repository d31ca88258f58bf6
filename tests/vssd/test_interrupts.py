# SPDX-License-Identifier: BSD-3-Clause
"""Interrupts: which eventfds the drive raises, and what becomes of masked vectors."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from client import DEVICE_RESET, GET_IRQ_INFO, MSIX_PBA, MSIX_TABLE, SET_IRQS, Client, EventFd

NONE, BOOL, EVENTFD, MASK, UNMASK, TRIGGER = 1, 2, 4, 8, 16, 32
INTX, MSI, MSIX, ERR, REQ = range(5)
VECTORS, MESSAGES = 65, 32


def request(flags: int, index: int = MSIX, start: int = 0, count: int = 1, argsz: int = 20) -> bytes:
    return struct.pack("<5I", argsz, flags, index, start, count)


def fire(client: Client, vector: int, index: int = MSIX) -> None:
    client.ok(SET_IRQS, request(NONE | TRIGGER, index, vector))


def mask(client: Client, vector: int, masked: bool) -> None:
    """Mask a vector by its entry in the MSI-X table."""
    client.region_write(MSIX_TABLE, vector * 16 + 12, struct.pack("<I", masked))


@pytest.fixture
def events(client: Client) -> Iterator[list[EventFd]]:
    """An eventfd for each vector, assigned in messages of 8 as the server's max_msg_fds wants it."""
    client.config_write(4, b"\2\0")
    with ExitStack() as stack:
        events = [stack.enter_context(EventFd()) for _ in range(VECTORS)]
        for first in range(0, VECTORS, 8):
            fds = [event.fd for event in events[first : first + 8]]
            client.ok(SET_IRQS, request(EVENTFD | TRIGGER, start=first, count=len(fds)), fds)
        yield events


@pytest.mark.parametrize("index, count", [(INTX, 1), (MSI, MESSAGES), (MSIX, VECTORS), (ERR, 0), (REQ, 0)])
def test_irq_info_tells_how_many_there_are(client: Client, index: int, count: int) -> None:
    payload = client.ok(GET_IRQ_INFO, struct.pack("<4I", 16, 0, index, 0)).payload
    assert struct.unpack("<4I", payload) == (16, 1, index, count)


@pytest.mark.parametrize("argsz, index", [(15, MSIX), (0, MSIX), (16, 5), (16, 0xFFFFFFFF)])
def test_irq_info_of_no_index_or_without_room_is_refused(client: Client, argsz: int, index: int) -> None:
    assert client.error(GET_IRQ_INFO, struct.pack("<4I", argsz, 0, index, 0)) == errno.EINVAL


def test_each_vector_raises_its_own_eventfd(client: Client, events: list[EventFd]) -> None:
    for vector in (0, 1, 7, 8, 63, 64):
        fire(client, vector)
        assert [number for number, event in enumerate(events) if event.count()] == [vector]


def test_bools_choose_the_vectors_that_fire(client: Client, events: list[EventFd]) -> None:
    client.ok(SET_IRQS, request(BOOL | TRIGGER, start=10, count=5) + bytes([1, 0, 0, 2, 0]))
    assert [number for number, event in enumerate(events) if event.count()] == [10, 13]


def test_events_add_up(client: Client, events: list[EventFd]) -> None:
    for _ in range(5):
        fire(client, 3)
    assert events[3].count() == 5


def test_a_vector_without_its_eventfd_fires_nothing(client: Client, events: list[EventFd]) -> None:
    client.ok(SET_IRQS, request(EVENTFD | TRIGGER, start=4, count=2))
    for vector in (3, 4, 5, 6):
        fire(client, vector)
    assert [number for number, event in enumerate(events) if event.count()] == [3, 6]


def test_disabling_the_index_takes_all_eventfds_away(server, client: Client, events: list[EventFd]) -> None:
    before = server.descriptors()
    client.ok(SET_IRQS, request(NONE | TRIGGER, count=0))
    assert server.descriptors() == before - VECTORS
    fire(client, 0)
    assert not any(event.count() for event in events)


def test_assigning_again_closes_the_old_eventfd(server, client: Client, events: list[EventFd]) -> None:
    before = server.descriptors()
    with EventFd() as other:
        client.set_eventfd(1, other.fd)
        assert server.descriptors() == before
        fire(client, 1)
        assert other.count() == 1 and events[1].count() == 0


def test_what_is_masked_in_the_table_waits_in_its_pending_bit(client: Client, events: list[EventFd]) -> None:
    for vector in (2, 64):
        mask(client, vector, True)
        fire(client, vector)
        fire(client, vector)
        assert events[vector].count() == 0
    pending = int.from_bytes(client.region_read(MSIX_PBA, 0, 16), "little")
    assert pending == 1 << 2 | 1 << 64
    mask(client, 2, False)
    assert (events[2].count(), events[64].count()) == (1, 0)
    assert int.from_bytes(client.region_read(MSIX_PBA, 0, 16), "little") == 1 << 64
    mask(client, 64, False)
    assert events[64].count() == 1


def test_set_irqs_masks_and_unmasks_as_well(client: Client, events: list[EventFd]) -> None:
    client.ok(SET_IRQS, request(NONE | MASK, start=5, count=2))
    fire(client, 5)
    assert events[5].count() == 0
    client.ok(SET_IRQS, request(BOOL | UNMASK, start=5, count=2) + b"\1\0")
    assert events[5].count() == 1
    fire(client, 6)
    assert events[6].count() == 0


def test_pending_bits_cannot_be_written(client: Client, events: list[EventFd]) -> None:
    client.region_write(MSIX_PBA, 0, b"\xff" * 16)
    assert client.region_read(MSIX_PBA, 0, 16) == bytes(16)


def test_the_table_keeps_what_is_written_and_is_masked_after_a_reset(
    client: Client, events: list[EventFd]
) -> None:
    entry = struct.pack("<QII", 0xFEE0_1234, 0x4321, 0)
    client.region_write(MSIX_TABLE, 64 * 16, entry)
    client.region_write(MSIX_TABLE, 65 * 16, b"\xff" * 16)
    assert client.region_read(MSIX_TABLE, 64 * 16, 32) == entry + bytes(16)
    client.ok(DEVICE_RESET)
    client.config_write(4, b"\2\0")
    assert client.region_read(MSIX_TABLE, 64 * 16, 16) == struct.pack("<QII", 0, 0, 1)


def test_eventfds_outlast_a_reset(client: Client, events: list[EventFd]) -> None:
    mask(client, 1, True)
    client.ok(DEVICE_RESET)
    fire(client, 1)
    assert events[1].count() == 1


def test_intx_is_raised_where_the_client_uses_nothing_else(client: Client) -> None:
    with EventFd() as pin, EventFd() as vector:
        client.set_eventfd(0, pin.fd, INTX)
        fire(client, 0, INTX)
        assert pin.count() == 1
        fire(client, 3)
        assert pin.count() == 1
        client.set_eventfd(3, vector.fd)
        fire(client, 3)
        assert (pin.count(), vector.count()) == (0, 1)


def test_eventfds_of_msi_and_of_msix_exclude_each_other(server, client: Client) -> None:
    before = server.descriptors()
    with EventFd() as message, EventFd() as vector:
        for first, second in ((MSI, MSIX), (MSIX, MSI)):
            client.set_eventfd(0, message.fd, first)
            assert client.error(SET_IRQS, request(EVENTFD | TRIGGER, second), [vector.fd]) == errno.EINVAL
            fire(client, 0, first)
            assert (message.count(), vector.count()) == (1, 0)
            client.ok(SET_IRQS, request(NONE | TRIGGER, first, count=0))
            assert server.descriptors() == before
            client.set_eventfd(0, vector.fd, second)
            client.ok(SET_IRQS, request(NONE | TRIGGER, second, count=0))


def test_each_message_raises_its_own_eventfd(client: Client) -> None:
    with ExitStack() as stack:
        events = [stack.enter_context(EventFd()) for _ in range(MESSAGES)]
        for first in range(0, MESSAGES, 8):
            fds = [event.fd for event in events[first : first + 8]]
            client.ok(SET_IRQS, request(EVENTFD | TRIGGER, MSI, first, 8), fds)
        for number in (0, 7, 8, 31):
            fire(client, number, MSI)
            assert [place for place, event in enumerate(events) if event.count()] == [number]


def test_a_full_eventfd_blocks_nobody(client: Client) -> None:
    for blocking in (False, True):
        with EventFd(blocking) as event:
            os.write(event.fd, ((1 << 64) - 2).to_bytes(8, "little"))
            client.set_eventfd(0, event.fd)
            fire(client, 0)
            assert event.count() == (1 << 64) - 2


def test_a_clients_eventfds_are_closed_when_it_leaves(server) -> None:
    with Client(server.folder) as client:
        client.config_read(0, 4)
        before = server.descriptors()
    with EventFd() as event:
        for _ in range(3):
            with Client(server.folder) as client:
                client.set_eventfd(0, event.fd)
                client.config_write(4, b"\2\0")
                mask(client, 0, True)
    with Client(server.folder) as client, EventFd() as event:
        client.config_read(0, 4)
        assert server.descriptors() == before
        client.set_eventfd(0, event.fd)
        fire(client, 0)
        assert event.count() == 1


@pytest.mark.parametrize(
    "payload",
    [
        request(NONE | TRIGGER, argsz=19),
        request(NONE | TRIGGER, index=5),
        request(NONE | TRIGGER, index=0xFFFFFFFF),
        request(NONE | MASK, index=MSI),
        request(NONE | UNMASK, index=MSI),
        request(BOOL | MASK, index=MSI) + b"\1",
        request(NONE | TRIGGER, index=MSI, start=MESSAGES),
        request(NONE | TRIGGER, index=MSI, start=1, count=MESSAGES),
        request(NONE | TRIGGER, index=ERR, count=0),
        request(NONE | TRIGGER, start=VECTORS),
        request(NONE | TRIGGER, start=VECTORS, count=0),
        request(NONE | TRIGGER, start=1, count=0),
        request(NONE | TRIGGER, start=1, count=VECTORS),
        request(NONE | TRIGGER, start=1, count=0xFFFFFFFF),
        request(NONE | TRIGGER, start=0xFFFFFFFF, count=2),
        request(NONE | MASK, count=0),
        request(BOOL | TRIGGER, count=0),
        request(EVENTFD | TRIGGER, count=0),
        request(TRIGGER),
        request(NONE),
        request(0),
        request(NONE | BOOL | TRIGGER) + b"\1",
        request(NONE | MASK | UNMASK),
        request(NONE | TRIGGER | 64),
        request(0xFFFFFFFF),
        request(BOOL | TRIGGER, count=2) + b"\1",
        request(EVENTFD | MASK),
    ],
)
def test_requests_that_make_no_sense_are_refused(
    client: Client, events: list[EventFd], payload: bytes
) -> None:
    assert client.error(SET_IRQS, payload) == errno.EINVAL
    assert not any(event.count() for event in events)


def test_the_number_of_eventfds_is_that_of_vectors_or_none(client: Client) -> None:
    with EventFd() as event:
        assert client.error(SET_IRQS, request(EVENTFD | TRIGGER, count=3), [event.fd] * 2) == errno.EINVAL
        assert client.error(SET_IRQS, request(EVENTFD | TRIGGER, count=1), [event.fd] * 2) == errno.EINVAL
        assert client.error(SET_IRQS, request(NONE | TRIGGER, count=1), [event.fd]) == errno.EINVAL
        fire(client, 0)
        assert event.count() == 0


def test_only_eventfds_are_taken_since_others_could_block_the_drive(client: Client) -> None:
    read, write = os.pipe()
    with EventFd() as event:
        assert client.error(SET_IRQS, request(EVENTFD | TRIGGER, count=2), [event.fd, write]) == errno.EINVAL
    os.close(write)
    assert os.read(read, 1) == b""
    os.close(read)
