# SPDX-License-Identifier: BSD-3-Clause
"""Memory pages above 4 KiB (CC.MPS): queues, PRPs with offsets, lists that cross a page. Base 2.1, 4.3.1."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import IDENTIFY, INVALID_FIELD, INVALID_PRP_OFFSET, OK, READ, WRITE, Start, pattern

CFS = 2
DOORBELL_BUFFER_CONFIG = 0x7C


class Paged:
    """A host whose memory pages have 4096 << mps bytes, with an I/O queue."""

    def __init__(self, client: Client, mps: int) -> None:
        self.nvme = Nvme(client, memory_size=64 << 20)
        self.nvme.enable(mps=mps)
        self.memory, self.page = self.nvme.memory, 4096 << mps
        self.queue = self.nvme.create_queue(1, 16)

    def io(self, opcode: int, prp1: int, prp2: int, size: int, lba: int = 0) -> int:
        return self.queue.execute(opcode, nsid=1, prp1=prp1, prp2=prp2, cdw10=lba, cdw12=size // 512 - 1)[1]


@pytest.fixture(params=[1, 2, 4])
def host(request: pytest.FixtureRequest, start: Start) -> Iterator[Paged]:
    server = start("--size", "64M", "--mdts", "0", "--doorbell-buffer")
    with Client(server.folder) as client:
        host = Paged(client, request.param)
        yield host
        host.nvme.close()


def test_one_page_with_an_offset_needs_no_prp2(host: Paged) -> None:
    buffer = host.memory.alloc(2 * host.page)
    for offset in (0, 512, 4096, host.page - 4096, host.page - 512):
        size = min(host.page - offset, 8192)
        data = pattern(offset, size // 512)
        host.memory.write(buffer + offset, data)
        assert host.io(WRITE, buffer + offset, 0, size) == OK
        host.memory.write(buffer, b"\xa5" * 2 * host.page)
        assert host.io(READ, buffer + offset, 0, size) == OK
        assert host.memory.read(buffer + offset, size) == data
        assert host.memory.read(buffer, offset) == b"\xa5" * offset
        assert host.memory.read(buffer + offset + size, 512) == b"\xa5" * 512


def test_two_pages_that_are_no_neighbours(host: Paged) -> None:
    first, _, second = (host.memory.alloc(host.page) for _ in range(3))
    data = pattern(7, host.page // 512)
    half = host.page // 2
    host.memory.write(first + half, data[:half])
    host.memory.write(second, data[half:])
    assert host.io(WRITE, first + half, second, host.page) == OK
    assert host.io(READ, first, 0, host.page) == OK
    assert host.memory.read(first, host.page) == data
    assert host.io(READ, first + half, second + 4096, host.page) == INVALID_PRP_OFFSET


def in_reverse(host: Paged, count: int) -> list[int]:
    """Pages of which none follows the one before."""
    return [host.memory.alloc(host.page) for _ in range(count)][::-1]


def test_a_list_with_an_offset_goes_on_in_the_next_page_of_list(host: Paged) -> None:
    count = 6
    pages = in_reverse(host, count)
    lists = host.memory.alloc(2 * host.page)
    for entries in (1, 2, 3):
        # The first page of list has room for so many entries; its last one leads to the second.
        at = lists + host.page - 8 * entries
        own, rest = pages[1:entries], pages[entries:]
        host.memory.write(at, struct.pack(f"<{entries}Q", *own, lists + host.page))
        host.memory.write(lists + host.page, struct.pack(f"<{len(rest)}Q", *rest))
        data = pattern(entries, count * host.page // 512)
        for place, page in enumerate(pages):
            host.memory.write(page, data[place * host.page : (place + 1) * host.page])
        assert host.io(WRITE, pages[0], at, count * host.page) == OK
        for page in pages:
            host.memory.write(page, bytes(host.page))
        assert host.io(READ, pages[0], at, count * host.page) == OK
        assert b"".join(host.memory.read(page, host.page) for page in pages) == data


def test_offsets_in_a_list_are_refused(host: Paged) -> None:
    pages = in_reverse(host, 3)
    at = host.memory.alloc(host.page)
    host.memory.write(at, struct.pack("<2Q", pages[1], pages[2] + 4096))
    assert host.io(WRITE, pages[0], at, 3 * host.page) == INVALID_PRP_OFFSET
    host.memory.write(at, struct.pack("<2Q", pages[1], pages[2]))
    assert host.io(WRITE, pages[0], at + 4, 3 * host.page) == INVALID_PRP_OFFSET
    assert host.io(WRITE, pages[0], at, 3 * host.page) == OK


def test_queues_and_doorbell_buffers_lie_at_pages(host: Paged) -> None:
    place = host.memory.alloc(2 * host.page)
    admin = host.nvme.admin
    assert admin.execute(0x05, prp1=place + 4096, cdw10=15 << 16 | 2, cdw11=1)[1] == INVALID_PRP_OFFSET
    assert admin.execute(0x05, prp1=place, cdw10=15 << 16 | 2, cdw11=1)[1] == OK
    offset = {"prp1": place, "prp2": place + 4096}
    assert admin.execute(DOORBELL_BUFFER_CONFIG, **offset)[1] == INVALID_FIELD
    buffers = host.memory.alloc(2 * host.page)
    assert admin.execute(DOORBELL_BUFFER_CONFIG, prp1=buffers, prp2=buffers + host.page)[1] == OK


def test_the_data_of_an_admin_command_need_one_page_only(host: Paged) -> None:
    buffer = host.memory.alloc(host.page)
    assert host.nvme.admin.execute(IDENTIFY, prp1=buffer + 512, cdw10=1)[1] == OK
    assert host.memory.read(buffer + 512, 2) == b"VN"


@pytest.mark.parametrize("most", [0, 1, 4, 15])
def test_the_option_says_which_sizes_there_are(start: Start, most: int) -> None:
    with Client(start("--size", "1M", "--mpsmax", str(most)).folder) as client:
        assert client.read64(0) >> 48 & 0xFF == most << 4  # CAP.MPSMIN and MPSMAX
        nvme = Nvme(client)
        for mps in range(min(most, 6) + 1):
            nvme.enable(mps=mps)
            assert client.read32(0x1C) & 3 == 1
        if most < 15:
            nvme.disable()
            client.write32(0x14, 4 << 20 | 6 << 16 | (most + 1) << 7 | 1)
            assert client.read32(0x1C) & CFS
        nvme.close()


def test_an_admin_queue_inside_a_page_is_fatal(start: Start) -> None:
    with Client(start("--size", "1M").folder) as client:
        nvme = Nvme(client)
        nvme.enable(mps=1)
        nvme.disable()
        client.write64(0x28, nvme.admin.sq + 4096)
        client.write32(0x14, 4 << 20 | 6 << 16 | 1 << 7 | 1)
        assert client.read32(0x1C) & CFS
        nvme.close()
