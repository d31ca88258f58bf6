# SPDX-License-Identifier: BSD-3-Clause
"""The transport: the drive answers each message once and in order, and no client can block it."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

import pytest
from client import (
    BAR0,
    CONFIG,
    DEVICE_FEATURE,
    DEVICE_RESET,
    DMA_MAP,
    DMA_UNMAP,
    ERROR,
    GET_INFO,
    GET_IRQ_INFO,
    GET_REGION_INFO,
    GET_REGION_IO_FDS,
    NO_REPLY,
    REGION_READ,
    REGION_WRITE,
    REGION_WRITE_MULTI,
    REPLY,
    SET_IRQS,
    Client,
    Memory,
    message,
)

from tests.fix_load import loaded

INFO = struct.pack("<4I", 16, 0, 0, 0)


def test_a_reply_repeats_id_and_command_and_comes_in_one_piece(client: Client) -> None:
    client.send_raw(message(GET_INFO, INFO, id=0xBEEF))
    reply = client.receive()
    assert (reply.id, reply.command, reply.flags, reply.error) == (0xBEEF, GET_INFO, REPLY, 0)
    assert struct.unpack("<4I", reply.payload) == (16, 3, 9, 5)


def test_message_ids_may_repeat(client: Client) -> None:
    client.send_raw(message(GET_INFO, INFO, id=7) * 3)
    assert [client.receive().id for _ in range(3)] == [7, 7, 7]


def test_pipelined_commands_are_answered_in_their_order(client: Client) -> None:
    request = struct.pack("<QII", 0, CONFIG, 4)
    commands = [
        message(GET_INFO, INFO, id=n) if n % 3 else message(REGION_READ, request, id=n) for n in range(200)
    ]
    client.send_raw(b"".join(commands))
    assert [client.receive().id for _ in commands] == list(range(200))


def test_a_message_may_come_byte_by_byte(client: Client) -> None:
    for byte in message(GET_INFO, INFO, id=1):
        client.send_raw(bytes([byte]))
    assert client.receive().payload[:4] == struct.pack("<I", 16)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 31])
def test_half_a_message_keeps_nobody_from_using_the_control_socket(
    server, client: Client, length: int
) -> None:
    from pynvme import control

    client.send_raw(message(GET_INFO, INFO)[:length])
    time.sleep(0.05)
    assert control.info(server.folder).pid == server.pid
    client.send_raw(message(GET_INFO, INFO)[length:])
    assert len(client.receive().payload) == 16


@pytest.mark.parametrize("length", [1, 16, 20, 40])
def test_a_client_that_leaves_within_a_message_makes_room_for_the_next(server, length: int) -> None:
    with Memory(1 << 16) as memory:
        for _ in range(3):
            with Client(server.folder) as client:
                client.send_raw(message(DMA_MAP, bytes(32))[:length], (memory.fd,))
        with Client(server.folder) as client:
            client.ok(GET_INFO, INFO)


def test_a_client_that_leaves_makes_room_at_once(server) -> None:
    for _ in range(200):
        with Client(server.folder) as client:
            client.send(GET_INFO, INFO)


def test_a_second_client_is_refused_at_once_and_the_first_one_stays(server, client: Client) -> None:
    for _ in range(20):
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            Client(server.folder)
        assert time.monotonic() - started < 1 or loaded()
    client.ok(GET_INFO, INFO)


def test_no_reply_is_obeyed_and_a_read_sees_what_was_written_so(client: Client) -> None:
    write = struct.pack("<QII", 4, CONFIG, 2)
    for value in (b"\6\0", b"\0\0", b"\2\0"):
        client.send(REGION_WRITE, write + value, flags=NO_REPLY)
        assert client.config_read(4, 2) == value


def test_no_reply_is_obeyed_where_the_command_fails(client: Client) -> None:
    client.send(REGION_READ, struct.pack("<QII", 0, 99, 4), flags=NO_REPLY)
    client.send(14, flags=NO_REPLY)
    client.send(GET_INFO, b"", flags=NO_REPLY)
    client.send(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 1, 1), flags=NO_REPLY)
    assert client.call(GET_INFO, INFO).payload


@pytest.mark.parametrize(
    "command", [0, 11, 12, 14, REGION_WRITE_MULTI, DEVICE_FEATURE, GET_REGION_IO_FDS, 17, 18, 19, 0xFFFF]
)
def test_commands_that_a_drive_has_not_are_refused(client: Client, command: int) -> None:
    assert client.error(command, bytes(64)) == errno.EINVAL
    client.ok(GET_INFO, INFO)


@pytest.mark.parametrize(
    "command, least",
    [
        (DMA_MAP, 32),
        (DMA_UNMAP, 24),
        (GET_INFO, 16),
        (GET_REGION_INFO, 32),
        (GET_IRQ_INFO, 16),
        (SET_IRQS, 20),
        (REGION_READ, 16),
        (REGION_WRITE, 16),
    ],
)
def test_a_payload_that_is_too_short_is_refused(client: Client, command: int, least: int) -> None:
    for length in (0, 1, least - 1):
        assert client.error(command, b"\xff" * length) == errno.EINVAL
    client.ok(GET_INFO, INFO)


def test_a_payload_may_be_longer_than_its_structure(client: Client) -> None:
    assert len(client.ok(GET_INFO, INFO + bytes(1000)).payload) == 16
    assert client.ok(DEVICE_RESET, bytes(100)).payload == b""


@pytest.mark.parametrize("size", [0, 1, 15, (1 << 20) + 33, 0xFFFFFFFF])
def test_a_size_that_no_message_has_is_refused_and_the_connection_closed(
    server, client: Client, size: int
) -> None:
    client.send_raw(message(GET_INFO, INFO, id=5, size=size))
    reply = client.receive()
    assert (reply.id, reply.command, reply.flags, reply.error) == (5, GET_INFO, REPLY | ERROR, errno.EINVAL)
    assert client.is_closed()
    with Client(server.folder) as again:
        again.ok(GET_INFO, INFO)


def test_the_largest_message_is_taken(client: Client) -> None:
    assert client.error(GET_INFO, bytes(1 << 20)) == errno.EINVAL
    assert client.error(REGION_WRITE, struct.pack("<QII", 0, BAR0, 1 << 20) + bytes(1 << 20)) == errno.EINVAL
    client.ok(GET_INFO, INFO)


@pytest.mark.parametrize("kind", [2, 3, 7, 15])
def test_a_type_that_is_neither_command_nor_reply_is_refused(client: Client, kind: int) -> None:
    assert client.call(GET_INFO, INFO, flags=kind).error == errno.EINVAL


def test_replies_that_nobody_waits_for_are_dropped(client: Client) -> None:
    client.send_raw(message(GET_INFO, INFO, flags=REPLY))
    client.send_raw(message(11, bytes(64), flags=REPLY))
    client.ok(GET_INFO, INFO)


def test_descriptors_that_a_command_does_not_want_are_closed(server, client: Client) -> None:
    before = server.descriptors()
    read, write = os.pipe()
    for command, payload in (
        (GET_INFO, INFO),
        (14, b""),
        (DEVICE_RESET, b""),
        (REGION_READ, struct.pack("<QII", 0, CONFIG, 4)),
        (DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0, 4096)),
        (DMA_MAP, bytes(32)),
        (SET_IRQS, bytes(20)),
    ):
        client.call(command, payload, (write,) * 8)
    os.close(write)
    assert os.read(read, 1) == b""
    os.close(read)
    assert server.descriptors() == before


@pytest.mark.parametrize("count", [9, 16, 200])
def test_more_descriptors_than_were_agreed_on_end_the_connection(server, count: int) -> None:
    read, write = os.pipe()
    with Client(server.folder) as client:
        client.send_raw(message(GET_INFO, INFO), (write,) * count)
        assert client.is_closed()
    os.close(write)
    assert os.read(read, 1) == b""
    os.close(read)
    with Client(server.folder) as client:
        client.ok(GET_INFO, INFO)


def test_descriptors_in_the_middle_of_a_message_are_closed(server, client: Client) -> None:
    before = server.descriptors()
    data = message(GET_INFO, INFO)
    read, write = os.pipe()
    client.send_raw(data[:20])
    client.send_raw(data[20:], (write,))
    os.close(write)
    client.receive()
    assert os.read(read, 1) == b"" and server.descriptors() == before
    os.close(read)


def test_a_client_that_reads_no_replies_blocks_itself_only(server, client: Client) -> None:
    from pynvme import control

    request = message(REGION_READ, struct.pack("<QII", 0, BAR0, 16384))
    client.socket.settimeout(0.5)
    sent = 0
    with pytest.raises(socket.timeout):
        while sent < 1 << 20:
            client.socket.sendall(request * 100)
            sent += 100
    started = time.monotonic()
    assert control.info(server.folder).client
    assert time.monotonic() - started < 1 or loaded()
    client.socket.settimeout(10)
    for _ in range(100):
        reply = client.receive()
        assert (reply.command, len(reply.payload)) == (REGION_READ, 16 + 16384)


def test_a_client_that_leaves_without_reading_its_replies_makes_room(server) -> None:
    request = message(REGION_READ, struct.pack("<QII", 0, BAR0, 16384))
    with Client(server.folder) as client:
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                client.socket.send(request * 100)
    with Client(server.folder) as client:
        client.ok(GET_INFO, INFO)


def test_a_client_that_only_stops_sending_is_gone(server) -> None:
    with Client(server.folder) as client:
        client.socket.shutdown(socket.SHUT_WR)
        assert client.is_closed()
    with Client(server.folder) as client:
        client.ok(GET_INFO, INFO)
