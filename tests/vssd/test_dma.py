# SPDX-License-Identifier: BSD-3-Clause
"""Host memory: the drive accesses only mapped memory, and no client can harm it with mappings."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time

import pytest
from client import DMA_MAP, DMA_READ, DMA_UNMAP, DMA_WRITE, GET_INFO, Client, Memory, Message, Nvme, sqe

from tests.fix_load import loaded

PAGE = 4096


def map_request(address: int, size: int, offset: int = 0, flags: int = 3, argsz: int = 32) -> bytes:
    return struct.pack("<IIQQQ", argsz, flags, offset, address, size)


def unmap_request(address: int, size: int, flags: int = 0, argsz: int = 24) -> bytes:
    return struct.pack("<IIQQ", argsz, flags, address, size)


def identify(nvme: Nvme, prp1: int, prp2: int = 0) -> int:
    """Let the controller write 4096 bytes; returns the status."""
    return nvme.admin.execute(0x06, prp1=prp1, prp2=prp2, cdw10=1)[1]


def test_an_unmap_repeats_the_entry_and_its_descriptor_is_closed(client: Client) -> None:
    with Memory(1 << 20) as memory:
        client.dma_map(0x10000, 1 << 20, memory.fd)
        request = unmap_request(0x10000, 1 << 20)
        assert client.ok(DMA_UNMAP, request, (memory.fd,)).payload == request


def test_a_map_has_no_payload_in_its_reply(client: Client) -> None:
    with Memory(PAGE) as memory:
        assert client.ok(DMA_MAP, map_request(0, PAGE), (memory.fd,)).payload == b""


def test_no_descriptor_is_kept_for_a_map(server, client: Client) -> None:
    client.config_read(0, 1)
    before = server.descriptors()
    with Memory(PAGE) as memory:
        for index in range(50):
            client.dma_map(index * PAGE, PAGE, memory.fd)
        assert server.descriptors() == before


@pytest.mark.parametrize(
    "address, size",
    [(0x10000, 0x4000), (0xF000, 0x2000), (0x13000, 0x1000), (0x13FFF, 1), (0x8000, 0x10000), (0, 0x10001)],
)
def test_regions_must_not_overlap(client: Client, address: int, size: int) -> None:
    with Memory(1 << 20) as memory:
        client.dma_map(0x10000, 0x4000, memory.fd)
        assert client.error(DMA_MAP, map_request(address, size), (memory.fd,)) == errno.EEXIST
        assert client.error(DMA_MAP, map_request(address, size)) == errno.EEXIST
        client.dma_unmap(0x10000, 0x4000)
        client.dma_map(address, size, memory.fd)


def test_regions_may_touch_and_come_in_any_order(client: Client) -> None:
    with Memory(1 << 20) as memory:
        for index in (5, 1, 3, 0, 4, 2):
            client.dma_map(0x7FFF_0000_0000 + index * PAGE, PAGE, memory.fd, offset=index * PAGE)
        for index in (0, 5, 2, 3, 1, 4):
            client.dma_unmap(0x7FFF_0000_0000 + index * PAGE, PAGE)


@pytest.mark.parametrize(
    "request_bytes",
    [
        map_request(0, 0),
        map_request(PAGE, (1 << 64) - 1),
        map_request((1 << 64) - PAGE, 2 * PAGE),
        map_request(0, PAGE, argsz=31),
        map_request(0, PAGE, flags=0x13),
        map_request(0, PAGE, flags=0x80000003),
    ],
)
def test_maps_that_make_no_sense_are_refused(client: Client, request_bytes: bytes) -> None:
    with Memory(PAGE) as memory:
        assert client.error(DMA_MAP, request_bytes, (memory.fd,)) == errno.EINVAL
        assert client.error(DMA_MAP, request_bytes) == errno.EINVAL


def test_the_last_byte_of_the_address_space_can_be_mapped(client: Client) -> None:
    with Memory(PAGE) as memory:
        client.dma_map((1 << 64) - PAGE, PAGE, memory.fd)
        client.dma_unmap((1 << 64) - PAGE, PAGE)


@pytest.mark.parametrize(
    "offset, size", [(0, PAGE + 1), (PAGE, 1), (1 << 63, PAGE), ((1 << 64) - PAGE, PAGE)]
)
def test_what_lies_beyond_the_file_is_refused(client: Client, offset: int, size: int) -> None:
    with Memory(PAGE) as memory:
        assert client.error(DMA_MAP, map_request(0, size, offset), (memory.fd,)) == errno.EINVAL


def test_what_is_no_file_is_refused(client: Client) -> None:
    read, write = os.pipe()
    device = os.open("/dev/zero", os.O_RDWR)
    for fd in (read, write, device):
        assert client.error(DMA_MAP, map_request(0, PAGE), (fd,)) == errno.EINVAL
        os.close(fd)


def test_two_descriptors_are_refused(client: Client) -> None:
    with Memory(PAGE) as memory:
        assert client.error(DMA_MAP, map_request(0, PAGE), (memory.fd, memory.fd)) == errno.EINVAL


def test_a_file_that_cannot_be_written_is_not_mapped_writeable(client: Client, tmp_path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(PAGE))
    fd = os.open(path, os.O_RDONLY)
    assert client.error(DMA_MAP, map_request(0, PAGE, flags=3), (fd,)) == errno.EACCES
    assert client.error(DMA_MAP, map_request(0, PAGE, flags=1), (fd,)) == 0
    os.close(fd)


def unmap(client: Client, address: int, size: int) -> int:
    """Unmap a range that need not be a region. Returns how many bytes were unmapped."""
    payload = client.ok(DMA_UNMAP, unmap_request(address, size)).payload
    argsz, flags, start, removed = struct.unpack("<IIQQ", payload)
    assert (argsz, flags, start) == (24, 0, address)
    return removed


def is_mapped(client: Client, memory: Memory, address: int) -> bool:
    """Whether the page is, seen by whether another can be mapped there; it is then unmapped again."""
    error = client.error(DMA_MAP, map_request(address, PAGE), (memory.fd,))
    assert error in (0, errno.EEXIST)
    if error == 0:
        client.dma_unmap(address, PAGE)
    return error != 0


@pytest.mark.parametrize(
    "address, size, gone",
    [
        (0x1000, 0x2000, [0x1000]),
        (0, 0x8000_0000, [0x1000, 0x4000, 0x6000]),
        (0x1000, 0x4000, [0x1000, 0x4000]),
        (0x2000, 0x3000, [0x4000]),
        (0x3000, 0x2000, [0x4000]),
        (0x3000, 0x5000, [0x4000, 0x6000]),
        (0x2000, 0x2000, []),
        (0x1_0000_0000, 0x1_0000_0000, []),
        ((1 << 64) - PAGE, PAGE, []),
        (0x1000, (1 << 64) - 0x1000, [0x1000, 0x4000, 0x6000]),
        (0, (1 << 64) - PAGE, [0x1000, 0x4000, 0x6000]),
    ],
)
@pytest.mark.parametrize("has_file", [True, False])
def test_an_unmap_takes_all_that_lies_wholly_within(
    client: Client, address: int, size: int, gone: list[int], has_file: bool
) -> None:
    with Memory(1 << 20) as memory:
        for start in (0x4000, 0x1000, 0x6000):
            client.dma_map(start, PAGE, memory.fd if has_file else None)
        assert unmap(client, address, size) == len(gone) * PAGE
        for start in (0x1000, 0x4000, 0x6000):
            assert is_mapped(client, memory, start) == (start not in gone)


@pytest.mark.parametrize(
    "address, size",
    [
        (0x1000, PAGE - 1),
        (0x1001, PAGE - 1),
        (0x1800, 1),
        (0, 0x1001),
        (0x1FFF, 0x3000),
        (0x1000, 0x3001),
        (0, 0x4FFF),
        (0x1001, 0x8000_0000),
        (0x4800, (1 << 64) - 0x4800),
    ],
)
def test_an_unmap_that_cuts_a_region_is_refused_and_takes_nothing(
    client: Client, address: int, size: int
) -> None:
    with Memory(1 << 20) as memory:
        client.dma_map(0x1000, PAGE, memory.fd)
        client.dma_map(0x4000, PAGE, memory.fd)
        assert client.error(DMA_UNMAP, unmap_request(address, size)) == errno.EINVAL
        assert is_mapped(client, memory, 0x1000) and is_mapped(client, memory, 0x4000)


@pytest.mark.parametrize(
    "address, size",
    [
        (0x11000, PAGE),  # in the middle
        (0x10000, PAGE),  # the first page
        (0x13000, PAGE),  # the last one
        (0x11000, 0x8000_0000),  # its end, and more
        (0x13000, (1 << 64) - 0x13000),
        (0, 0x11000),  # what is below, and its begin
        (0x0F000, 0x4000),
    ],
)
def test_an_unmap_of_some_pages_of_a_region_is_refused_and_takes_nothing(
    client: Client, address: int, size: int
) -> None:
    with Memory(1 << 20) as memory:
        client.dma_map(0x10000, 4 * PAGE, memory.fd)
        client.dma_map(0x14000, PAGE, memory.fd)
        client.dma_map(0x0F000, PAGE, memory.fd)
        assert client.error(DMA_UNMAP, unmap_request(address, size)) == errno.EINVAL
        assert all(is_mapped(client, memory, start) for start in (0x0F000, 0x10000, 0x14000))
        assert unmap(client, 0x10000, 4 * PAGE) == 4 * PAGE


@pytest.mark.parametrize(
    "address, size",
    [
        (0x3FFF, 0x1002),
        (0x3FFF, 0x1001),
        (0x4000, 0x1001),
        (0x2001, 0x5FFF),
        (0x2000, 0x800),
        (0x2800, 0x800),
        (0x9001, PAGE),
        (0x9000, 1),
        (0, (1 << 64) - 1),
    ],
)
def test_an_unmap_that_is_not_aligned_is_refused_and_takes_nothing(
    client: Client, address: int, size: int
) -> None:
    """As with the kernel's VFIO, whether it cuts a region or not."""
    with Memory(1 << 20) as memory:
        client.dma_map(0x4000, PAGE, memory.fd)
        client.dma_map(0x6000, PAGE, memory.fd)
        assert client.error(DMA_UNMAP, unmap_request(address, size)) == errno.EINVAL
        assert is_mapped(client, memory, 0x4000) and is_mapped(client, memory, 0x6000)


def test_what_is_mapped_without_alignment_is_unmapped_as_it_was_mapped(client: Client) -> None:
    with Memory(1 << 20) as memory:
        for start in (0x4400, 0x4800):
            client.dma_map(start, 1024, memory.fd)
        assert unmap(client, 0x4800, 1024) == 1024
        assert client.error(DMA_UNMAP, unmap_request(0x4800, 1)) == errno.EINVAL
        assert unmap(client, 0x4400, 1024) == 1024


@pytest.mark.parametrize(
    "address, size", [(0, 0), (0x1000, 0), (0x1000, (1 << 64) - 1), ((1 << 64) - PAGE, PAGE + 1)]
)
def test_an_unmap_of_nothing_or_past_the_end_is_refused(client: Client, address: int, size: int) -> None:
    with Memory(1 << 20) as memory:
        client.dma_map(0x1000, PAGE, memory.fd)
        assert client.error(DMA_UNMAP, unmap_request(address, size)) == errno.EINVAL
        assert is_mapped(client, memory, 0x1000)


def test_a_range_with_thousands_of_regions_goes_at_once_and_leaves_no_mapping(server, client: Client) -> None:
    def mappings() -> int:
        with open(f"/proc/{server.pid}/maps") as maps:
            return len(maps.readlines())

    before = mappings()
    with Memory(PAGE) as memory:
        for index in range(3000):
            client.dma_map(index * 2 * PAGE, PAGE, memory.fd)
        client.dma_map(1 << 40, PAGE, memory.fd)
        assert unmap(client, 0, 1 << 40) == 3000 * PAGE
        assert mappings() < before + 1000
        client.dma_unmap(1 << 40, PAGE)


def test_all_can_be_unmapped_at_once(client: Client) -> None:
    with Memory(1 << 20) as memory:
        for index in range(20):
            client.dma_map(index * PAGE, PAGE, memory.fd if index % 2 else None)
        request = unmap_request(0, 0, flags=2)
        assert client.ok(DMA_UNMAP, request).payload == request
        client.dma_map(0, 1 << 20, memory.fd)


@pytest.mark.parametrize(
    "request_bytes",
    [
        unmap_request(0, PAGE, argsz=23),
        unmap_request(0, PAGE, flags=1),
        unmap_request(0, PAGE, flags=2),
        unmap_request(PAGE, 0, flags=2),
        unmap_request(0, 0, flags=3),
    ],
)
def test_unmaps_that_make_no_sense_are_refused(client: Client, request_bytes: bytes) -> None:
    with Memory(PAGE) as memory:
        client.dma_map(0, PAGE, memory.fd)
        assert client.error(DMA_UNMAP, request_bytes) == errno.EINVAL
        client.dma_unmap(0, PAGE)


def test_thousands_of_regions_can_be_mapped_and_leave_nothing(server, client: Client) -> None:
    def mappings() -> int:
        with open(f"/proc/{server.pid}/maps") as maps:
            return len(maps.readlines())

    before = mappings()
    with Memory(PAGE) as memory:
        for index in range(3000):
            client.dma_map(index * 2 * PAGE, PAGE, memory.fd)
        assert mappings() >= before + 3000
        client.close()
        with Client(server.folder) as again:
            again.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))
            assert mappings() < before + 1000


def test_data_reach_the_place_in_the_file_that_the_map_names(nvme: Nvme) -> None:
    with Memory(1 << 16) as other:
        nvme.client.dma_map(0x9000_0000, 2 * PAGE, other.fd, offset=3 * PAGE)
        assert identify(nvme, 0x9000_0000 + PAGE) == 0
        assert other.view[: 4 * PAGE] == bytes(4 * PAGE)
        assert other.view[4 * PAGE : 4 * PAGE + 2] != bytes(2)
        assert other.view[5 * PAGE :] == bytes((1 << 16) - 5 * PAGE)


def test_the_offset_in_the_file_need_not_be_that_of_a_page(nvme: Nvme) -> None:
    with Memory(4 * PAGE) as other:
        nvme.client.dma_map(0x9000_0000, 2 * PAGE, other.fd, offset=PAGE + 512)
        buffer = nvme.memory.alloc(PAGE)
        assert identify(nvme, 0x9000_0000) == 0 and identify(nvme, buffer) == 0
        assert other.view[PAGE + 512 : 2 * PAGE + 512] == nvme.memory.read(buffer, PAGE)


def test_a_transfer_may_cross_from_one_region_to_the_next(nvme: Nvme) -> None:
    with Memory(4 * PAGE) as other:
        nvme.client.dma_map(0x9000_0000, PAGE, other.fd, offset=3 * PAGE)
        nvme.client.dma_map(0x9000_0000 + PAGE, PAGE, other.fd, offset=0)
        buffer = nvme.memory.alloc(PAGE)
        assert identify(nvme, buffer) == 0
        assert identify(nvme, 0x9000_0000 + 2048, 0x9000_0000 + PAGE) == 0
        expected = nvme.memory.read(buffer, PAGE)
        assert other.view[3 * PAGE + 2048 :] == expected[:2048] and other.view[:2048] == expected[2048:]


def test_what_was_unmapped_is_not_touched_any_more(nvme: Nvme) -> None:
    with Memory(PAGE) as other:
        nvme.client.dma_map(0x9000_0000, PAGE, other.fd)
        assert identify(nvme, 0x9000_0000) == 0
        nvme.client.dma_unmap(0x9000_0000, PAGE)
        other.view[:] = bytes(PAGE)
        assert identify(nvme, 0x9000_0000) != 0
        assert other.view[:] == bytes(PAGE)


def test_an_unmap_of_a_larger_range_takes_memory_from_the_drive_and_spares_the_rest(nvme: Nvme) -> None:
    with Memory(PAGE) as other:
        nvme.client.dma_map(0x9000_0000, PAGE, other.fd)
        assert identify(nvme, 0x9000_0000) == 0
        assert unmap(nvme.client, 0, nvme.memory.iova) == PAGE
        other.view[:] = bytes(PAGE)
        assert identify(nvme, 0x9000_0000) != 0
        assert other.view[:] == bytes(PAGE)
        assert identify(nvme, nvme.memory.alloc(PAGE)) == 0


def test_queues_whose_memory_went_with_a_range_work_again_after_a_reset(nvme: Nvme) -> None:
    """Like a guest with an IOMMU: unmap everything in one range, map it again, enable the controller."""
    memory, client = nvme.memory, nvme.client
    queue = nvme.create_queue(1, 16)
    for _ in range(5):
        queue.submit(sqe(0x02, nsid=1, prp1=memory.alloc(PAGE), cdw12=7), ring=False)
    in_one_go = struct.pack("<IIQQ", 24, 0, 0, 1 << 63)
    queue.ring()
    assert struct.unpack("<IIQQ", client.ok(DMA_UNMAP, in_one_go).payload)[3] == memory.size
    nvme.admin.submit(sqe(0x06, prp1=memory.iova, cdw10=1))
    time.sleep(0.05)
    client.dma_map(memory.iova, memory.size, memory.fd)
    for _ in range(3):
        nvme.enable()
        assert identify(nvme, memory.alloc(PAGE)) == 0


def test_a_region_that_is_not_writeable_is_not_written(nvme: Nvme) -> None:
    with Memory(PAGE) as other:
        nvme.client.dma_map(0x9000_0000, PAGE, other.fd, flags=1)
        assert identify(nvme, 0x9000_0000) != 0
        assert other.view[:] == bytes(PAGE)
        assert identify(nvme, nvme.memory.alloc(PAGE)) == 0


class Remote:
    """Host memory without a file, which replies to the drive's messages."""

    def __init__(self, client: Client, base: int, size: int) -> None:
        self.base, self.data = base, bytearray(size)
        self.seen: list[tuple[int, int, int]] = []
        client.on_command = self.answer
        client.dma_map(base, size, None)

    def answer(self, command: Message) -> bytes | None:
        address, count = struct.unpack_from("<QQ", command.payload)
        start = address - self.base
        assert start >= 0 and start + count <= len(self.data)
        self.seen.append((command.command, address, count))
        if command.command == DMA_READ:
            return command.payload + self.data[start : start + count]
        assert command.command == DMA_WRITE and len(command.payload) == 16 + count
        self.data[start : start + count] = command.payload[16:]
        return command.payload[:16]


def complete(nvme: Nvme, entry: bytes) -> int:
    """Send an admin command and serve the drive's messages until it completes; returns the status."""
    nvme.admin.submit(entry)
    deadline = time.monotonic() + 10
    nvme.client.socket.settimeout(0.05)
    while time.monotonic() < deadline:
        with contextlib.suppress(socket.timeout):
            nvme.client.answer(nvme.client.receive())
        found = nvme.admin.poll()
        if found is not None:
            nvme.client.socket.settimeout(10)
            return found.status
    raise TimeoutError


def test_memory_without_a_file_is_reached_by_messages(nvme: Nvme) -> None:
    remote = Remote(nvme.client, 0xA000_0000, 4 * PAGE)
    buffer = nvme.memory.alloc(PAGE)
    assert identify(nvme, buffer) == 0
    assert complete(nvme, sqe(0x06, prp1=0xA000_0000 + PAGE, cdw10=1)) == 0
    assert remote.data[PAGE : 2 * PAGE] == nvme.memory.read(buffer, PAGE)
    assert remote.seen == [(DMA_WRITE, 0xA000_0000 + PAGE, PAGE)]
    assert remote.data[:PAGE] == bytes(PAGE) and remote.data[2 * PAGE :] == bytes(2 * PAGE)


def test_data_go_both_ways_by_messages(nvme: Nvme) -> None:
    remote = Remote(nvme.client, 0xA000_0000, PAGE)
    remote.data[:] = os.urandom(PAGE)
    written = bytes(remote.data)
    nvme.admin = nvme.create_queue(1, 16)
    assert complete(nvme, sqe(0x01, nsid=1, prp1=0xA000_0000, cdw10=8, cdw12=7)) == 0
    remote.data[:] = bytes(PAGE)
    assert complete(nvme, sqe(0x02, nsid=1, prp1=0xA000_0000, cdw10=8, cdw12=7)) == 0
    assert remote.data == written
    assert {command for command, _, _ in remote.seen} == {DMA_READ, DMA_WRITE}


def test_an_error_reply_of_the_host_fails_the_command_only(nvme: Nvme) -> None:
    nvme.client.dma_map(0xA000_0000, PAGE, None)
    assert complete(nvme, sqe(0x06, prp1=0xA000_0000, cdw10=1)) != 0
    assert identify(nvme, nvme.memory.alloc(PAGE)) == 0


def test_a_short_reply_of_the_host_fails_the_command_only(nvme: Nvme) -> None:
    nvme.client.dma_map(0xA000_0000, PAGE, None)
    nvme.client.on_command = lambda command: command.payload[:8]
    assert complete(nvme, sqe(0x06, prp1=0xA000_0000, cdw10=1)) != 0
    assert identify(nvme, nvme.memory.alloc(PAGE)) == 0


def test_commands_sent_while_the_drive_waits_for_memory_are_answered_afterwards(nvme: Nvme) -> None:
    remote = Remote(nvme.client, 0xA000_0000, PAGE)
    nvme.admin.submit(sqe(0x06, prp1=0xA000_0000, cdw10=1))
    asked = nvme.client.receive()
    assert asked.command == DMA_WRITE
    sent = [nvme.client.send(GET_INFO, struct.pack("<4I", 16, 0, 0, 0)) for _ in range(10)]
    nvme.client.answer(asked)
    assert [nvme.client.reply().id for _ in sent] == sent
    assert nvme.admin.wait().status == 0 and remote.data[:2] != bytes(2)


def test_a_host_that_does_not_answer_is_dropped_and_the_next_one_served(server, nvme: Nvme) -> None:
    nvme.client.dma_map(0xA000_0000, PAGE, None)
    nvme.admin.submit(sqe(0x06, prp1=0xA000_0000, cdw10=1))
    started = time.monotonic()
    assert nvme.client.receive().command == DMA_WRITE
    assert nvme.client.is_closed()
    took = time.monotonic() - started
    assert took > 1
    assert took < 5 or loaded()
    with Client(server.folder) as client:
        again = Nvme(client)
        again.enable()
        assert identify(again, again.memory.alloc(PAGE)) == 0
        again.close()


def test_a_host_that_floods_the_drive_while_it_waits_is_dropped(server, nvme: Nvme) -> None:
    nvme.client.dma_map(0xA000_0000, PAGE, None)
    nvme.admin.submit(sqe(0x06, prp1=0xA000_0000, cdw10=1))
    assert nvme.client.receive().command == DMA_WRITE
    for _ in range(17):
        nvme.client.send(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))
    assert nvme.client.is_closed()
    with Client(server.folder) as client:
        client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))


def test_a_host_that_leaves_while_the_drive_waits_makes_room(server, nvme: Nvme) -> None:
    nvme.client.dma_map(0xA000_0000, PAGE, None)
    nvme.admin.submit(sqe(0x06, prp1=0xA000_0000, cdw10=1))
    assert nvme.client.receive().command == DMA_WRITE
    nvme.client.close()
    with Client(server.folder) as client:
        client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))


def test_a_client_that_truncates_mapped_memory_is_dropped_and_the_drive_lives(server, nvme: Nvme) -> None:
    with Memory(1 << 20) as other:
        nvme.client.dma_map(0x9000_0000, 1 << 20, other.fd)
        os.ftruncate(other.fd, 0)
        nvme.admin.submit(sqe(0x06, prp1=0x9000_0000, cdw10=1))
        assert nvme.client.is_closed()
    with Client(server.folder) as client:
        again = Nvme(client)
        again.enable()
        assert identify(again, again.memory.alloc(PAGE)) == 0
        again.close()


def test_a_client_that_truncates_its_queues_is_dropped_and_the_drive_lives(server, nvme: Nvme) -> None:
    os.ftruncate(nvme.memory.fd, 0)
    struct.pack_into("<I", nvme.doorbells, 0, 1)
    assert nvme.client.is_closed()
    with Client(server.folder) as client:
        client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))
