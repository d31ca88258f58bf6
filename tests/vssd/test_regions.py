# SPDX-License-Identifier: BSD-3-Clause
"""Regions: which exist, what of them can be mapped, and that the drive never accesses anything outside."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct

import pytest
from client import (
    BAR0,
    CONFIG,
    DOORBELLS,
    GET_INFO,
    GET_REGION_INFO,
    MSIX_PBA,
    MSIX_TABLE,
    REGION_READ,
    REGION_WRITE,
    Client,
    Message,
)

SIZES = [16384, 0, 0, 0, 4096, 4096, 0, 4096, 0]


def region_info(client: Client, index: int, argsz: int = 4096, padding: int = 0) -> Message:
    return client.ok(GET_REGION_INFO, struct.pack("<IIIIQQ", argsz, 0, index, 0, 0, 0) + bytes(padding))


def fields(reply: Message) -> tuple[int, ...]:
    return struct.unpack_from("<IIIIQQ", reply.payload)


@pytest.mark.parametrize("index", range(9))
def test_each_region_has_its_size_and_can_be_read_and_written_where_it_is_there(
    client: Client, index: int
) -> None:
    reply = region_info(client, index)
    argsz, flags, found, _, size, _ = fields(reply)
    assert (found, size) == (index, SIZES[index])
    assert flags == (0xF if index == BAR0 else 3 if SIZES[index] else 0)
    assert argsz == len(reply.payload) and len(reply.fds) == (index == BAR0)
    for fd in reply.fds:
        os.close(fd)


def test_the_doorbells_are_one_sparse_area_with_one_descriptor(client: Client) -> None:
    reply = region_info(client, BAR0)
    argsz, _, _, cap_offset, _, offset = fields(reply)
    assert (argsz, cap_offset, offset) == (64, 32, 0)
    assert struct.unpack_from("<HHIIIQQ", reply.payload, 32) == (1, 1, 0, 1, 0, 0x1000, 0x1000)
    with mmap.mmap(reply.fds[0], 4096, offset=0x1000) as page:
        assert len(page) == 4096
    os.close(reply.fds[0])


def test_the_request_may_be_as_large_as_spdk_makes_it(client: Client) -> None:
    reply = region_info(client, BAR0, argsz=4064, padding=4064 - 32)
    assert len(reply.payload) == 64 and len(reply.fds) == 1
    os.close(reply.fds[0])


@pytest.mark.parametrize("argsz", [32, 33, 63])
def test_where_the_capability_does_not_fit_the_reply_tells_how_much_room_it_takes(
    client: Client, argsz: int
) -> None:
    reply = region_info(client, BAR0, argsz=argsz)
    assert len(reply.payload) == 32 and reply.fds == []
    assert fields(reply) == (64, 7, BAR0, 0, 16384, 0)


@pytest.mark.parametrize("argsz, index", [(0, 0), (31, 0), (31, 7), (4096, 9), (4096, 0xFFFFFFFF)])
def test_too_small_an_argsz_or_no_such_region_are_refused(client: Client, argsz: int, index: int) -> None:
    assert client.error(GET_REGION_INFO, struct.pack("<IIIIQQ", argsz, 0, index, 0, 0, 0)) == errno.EINVAL


@pytest.mark.parametrize("argsz, error", [(0, errno.EINVAL), (15, errno.EINVAL), (16, 0), (32, 0)])
def test_device_info_wants_room_for_itself(client: Client, argsz: int, error: int) -> None:
    assert client.error(GET_INFO, struct.pack("<4I", argsz, 0, 0, 0)) == error


def test_no_client_can_make_the_doorbells_file_smaller(client: Client) -> None:
    fd = region_info(client, BAR0).fds[0]
    for size in (0, 4096, 1 << 20):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)
    with pytest.raises(PermissionError):
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    os.close(fd)


def test_the_doorbell_page_is_the_same_for_every_client(server) -> None:
    with Client(server.folder) as client, client.map_doorbells() as page:
        page[4092:] = b"\1\2\3\4"
    with Client(server.folder) as client, client.map_doorbells() as page:
        assert page[4092:] == b"\1\2\3\4"


@pytest.mark.parametrize("region", [BAR0, MSIX_TABLE, MSIX_PBA, CONFIG])
def test_a_whole_region_can_be_read_at_once(client: Client, region: int) -> None:
    assert len(client.region_read(region, 0, SIZES[region])) == SIZES[region]


@pytest.mark.parametrize("region", [BAR0, MSIX_TABLE, MSIX_PBA, CONFIG])
@pytest.mark.parametrize("offset", [0, 1, 0x1000 - 3])
def test_any_width_and_alignment_can_be_accessed(client: Client, region: int, offset: int) -> None:
    for count in (1, 2, 3):
        data = client.region_read(region, offset, count)
        client.region_write(region, offset, data)


@pytest.mark.parametrize("region, size", [*list(enumerate([*SIZES, 0, 0])), (4294967295, 0)])
def test_nothing_outside_of_a_region_can_be_accessed(client: Client, region: int, size: int) -> None:
    for offset, count in (
        (size, 1),
        (size - 1 if size else 1, 2),
        (0, size + 1),
        (size + 1, 0),
        (1 << 63, 4),
        ((1 << 64) - 1, 1),
        ((1 << 64) - 4, 8),
        ((1 << 32), 4),
        (0, 0xFFFFFFFF),
    ):
        request = struct.pack("<QII", offset, region, count)
        assert client.error(REGION_READ, request) == errno.EINVAL
        assert client.error(REGION_WRITE, request + bytes(min(count, 64))) == errno.EINVAL
    client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))


@pytest.mark.parametrize("offset", [0, 4, 4096])
def test_a_count_of_0_is_no_error_and_its_reply_is_the_header(client: Client, offset: int) -> None:
    request = struct.pack("<QII", offset, CONFIG, 0)
    assert client.ok(REGION_READ, request).payload == b""
    assert client.ok(REGION_WRITE, request).payload == b""


@pytest.mark.parametrize("count, sent", [(4, 3), (4, 5), (4, 0), (0, 4), (16, 1000)])
def test_a_write_brings_as_many_bytes_as_it_says(client: Client, count: int, sent: int) -> None:
    before = client.config_read(0, 64)
    assert (
        client.error(REGION_WRITE, struct.pack("<QII", 0x3C, CONFIG, count) + b"\x55" * sent) == errno.EINVAL
    )
    assert client.config_read(0, 64) == before


def test_while_memory_space_is_disabled_every_bar_reads_all_ones(client: Client) -> None:
    client.config_write(4, b"\0\0")
    for region in (BAR0, MSIX_TABLE, MSIX_PBA):
        client.region_write(region, 0, bytes(4))
        assert client.region_read(region, 0, 8) == b"\xff" * 8
    client.config_write(4, b"\2\0")
    for region in (BAR0, MSIX_TABLE, MSIX_PBA):
        assert client.region_read(region, 0, 8) != b"\xff" * 8


def test_configuration_space_is_that_of_an_nvme_controller(client: Client) -> None:
    assert client.config_read(9, 3) == bytes.fromhex("020801")
    assert client.config_read(0x0E, 1) == b"\0"


def test_doorbells_read_and_written_by_message_are_in_bounds(client: Client) -> None:
    client.config_write(4, b"\2\0")
    for offset in (DOORBELLS, DOORBELLS + 4092, 16380):
        client.bar_write(offset, bytes(4))
        assert len(client.bar_read(offset, 4)) == 4
