# SPDX-License-Identifier: BSD-3-Clause
"""Up to 65,535 I/O queue pairs: identifiers, doorbells, vectors, and memory of queues that nobody creates."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from client import DOORBELLS, GET_REGION_INFO, Client, EventFd, Nvme, Queue, sqe, store32
from ctrl_helpers import (
    ASYNC_EVENT,
    COMPARE,
    CREATE_SQ,
    FLUSH,
    INVALID_FIELD,
    INVALID_QID,
    INVALID_VECTOR,
    OK,
    READ,
    WRITE,
    Disk,
    Start,
    get_feature,
    pattern,
)
from fault_helpers import plant
from server import Server

MOST = 65535


def memory_of(server: Server) -> int:
    """The memory of its process in bytes."""
    with open(f"/proc/{server.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.fixture
def server(start: Start) -> Server:
    return start("--size", "64M", "--queues", str(MOST))


@pytest.fixture
def nvme(server: Server) -> Iterator[Nvme]:
    with Client(server.folder) as client:
        nvme = Nvme(client, memory_size=32 << 20)
        nvme.enable()
        yield nvme
        nvme.close()


def size_of(client: Client, region: int) -> int:
    request = struct.pack("<IIIIQQ", 32, 0, region, 0, 0, 0)
    return struct.unpack_from("<Q", client.ok(GET_REGION_INFO, request).payload, 16)[0]


def use(nvme: Nvme, queue: Queue, lba: int) -> None:
    """Write and read an LBA by a queue."""
    disk = Disk(nvme, queue)
    disk.write(lba, pattern(lba, 1, seed=queue.qid))
    assert disk.read(lba) == pattern(lba, 1, seed=queue.qid)


def test_bars_and_the_msi_x_table_have_room_for_all(nvme: Nvme, start: Start) -> None:
    client = nvme.client
    assert len(nvme.doorbells) == 128 * 4096
    assert (size_of(client, 0), size_of(client, 4), size_of(client, 5)) == (1 << 20, 32 << 10, 4096)
    client.config_write(0x10, b"\xff" * 8)
    assert client.config_read(0x10, 8) == struct.pack("<Q", 0xFFFF_FFFF_FFF0_0004)
    at = client.config_read(0x34, 1)[0]
    while client.config_read(at, 1)[0] != 0x11:
        at = client.config_read(at + 1, 1)[0]
    assert int.from_bytes(client.config_read(at + 2, 2), "little") & 0x7FF == 2047
    with Client(start("--size", "1M").folder) as other:
        assert (size_of(other, 0), size_of(other, 4)) == (16384, 4096), "as ever without the option"


def test_number_of_queues_is_0s_based(nvme: Nvme) -> None:
    assert get_feature(nvme, 7) == get_feature(nvme, 7, select=1) == 0xFFFE_FFFE
    assert nvme.admin.execute(9, cdw10=7, cdw11=0xFFFF_FFFF)[1] == INVALID_FIELD
    assert nvme.admin.execute(9, cdw10=7, cdw11=0xFFFE_03E7) == (0xFFFE_03E7, OK)
    sq = nvme.memory.alloc(4096)
    nvme.create_queue(1000, 4)
    refused = nvme.admin.execute(CREATE_SQ, prp1=sq, cdw10=3 << 16 | 1001, cdw11=1000 << 16 | 1)
    assert refused[1] == INVALID_QID


def test_the_largest_identifiers(nvme: Nvme, server: Server) -> None:
    idle = memory_of(server)
    for qid in (MOST, 1, 40000, MOST - 1, 512):
        use(nvme, nvme.create_queue(qid, 4), qid)
    assert memory_of(server) - idle < 4 << 20, "queues that are not there cost nothing"
    sq = nvme.memory.alloc(4096)
    assert nvme.admin.execute(CREATE_SQ, prp1=sq, cdw10=3 << 16 | 3, cdw11=4 << 16 | 1)[1] == 0x100


@pytest.mark.parametrize("queues", [64, 65, 1000])
def test_one_more_than_the_drive_has(start: Start, queues: int) -> None:
    with Client(start("--size", "1M", "--queues", str(queues)).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        use(nvme, nvme.create_queue(queues, 4), 3)
        cq = nvme.memory.alloc(4096)
        for qid in (0, queues + 1, MOST):
            assert nvme.admin.execute(5, prp1=cq, cdw10=3 << 16 | qid, cdw11=1)[1] == INVALID_QID
        nvme.close()


def test_a_thousand_queue_pairs_at_once(nvme: Nvme, server: Server) -> None:
    chance = random.Random(1)
    qids = chance.sample(range(1, MOST + 1), 1000)
    used = nvme.memory.used
    queues = [nvme.create_queue(qid, 4) for qid in qids]
    buffer = Disk(nvme, queues[0])
    for number, queue in enumerate(queues):
        buffer.queue = queue
        buffer.write(number, pattern(number, 1, seed=queue.qid))
    for number, queue in enumerate(chance.sample(queues, 1000)):
        buffer.queue = queue
        assert buffer.read(number) == pattern(number, 1, seed=qids[number])
    # Commands of all of them at once.
    for queue in queues:
        queue.submit(sqe(READ, nsid=1, prp1=buffer.buffer))
    assert all(queue.wait().status == OK for queue in queues)
    assert memory_of(server) < 256 << 20
    for queue in chance.sample(queues, 1000):
        nvme.delete_queue(queue)
    nvme.memory.free_to(used)
    use(nvme, nvme.create_queue(qids[0], 4), 9)
    nvme.disable()
    nvme.enable()
    use(nvme, nvme.create_queue(MOST, 4), 9)


def test_what_is_left_for_later_among_many_queues(start: Start) -> None:
    """A poll passes over idle queues. Half a fused pair, and a completion that is late, are not idle."""
    server = start("--size", "1M", "--queues", "200")
    with Client(server.folder) as client:
        nvme = Nvme(client, memory_size=8 << 20)
        nvme.enable()
        queues = [nvme.create_queue(qid, 8) for qid in range(1, 201)]
        disk = Disk(nvme, queues[0])
        disk.write(0, pattern(0, 1))
        pair = [
            sqe(opcode, nsid=1, prp1=disk.buffer, flags=flags) for opcode, flags in ((COMPARE, 1), (WRITE, 2))
        ]
        for queue in queues[::37]:
            queue.submit(pair[0])
            use(nvme, queues[5], 8)
            queue.submit(pair[1])
            assert [queue.wait().status for _ in range(2)] == [OK, OK]
        plant(server, "opcode=flush do late=20ms")
        for queue in queues[::11]:
            queue.submit(sqe(FLUSH, nsid=1))
        use(nvme, queues[7], 9)
        assert [queue.wait().status for queue in queues[::11]] == [OK] * len(queues[::11])
        nvme.close()


def test_queues_beyond_the_page_of_shadow_doorbells_ring_the_register(start: Start) -> None:
    """A memory page holds the doorbells of 512 queue pairs (Base 2.1, 5.2.5)."""
    with Client(start("--size", "1M", "--queues", "600", "--doorbell-buffer").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        queues = {qid: nvme.create_queue(qid, 4) for qid in (511, 512, 600)}
        shadow, events = nvme.memory.alloc(4096), nvme.memory.alloc(4096)
        nvme.memory.write(shadow, bytes(4096))
        assert nvme.admin.execute(0x7C, prp1=shadow, prp2=events)[1] == OK
        for qid in (512, 600):
            use(nvme, queues[qid], qid - 511)
        assert nvme.memory.read(shadow, 4096) == bytes(4096)
        queues[511].submit(sqe(FLUSH, nsid=1), ring=False)
        nvme.memory.write(shadow + 8 * 511, struct.pack("<I", 1))
        assert queues[511].wait().status == OK, "the last one that the page holds"
        nvme.close()


def test_vectors_up_to_2048(nvme: Nvme) -> None:
    cq = nvme.memory.alloc(4096)
    assert nvme.admin.execute(5, prp1=cq, cdw10=3 << 16 | 5, cdw11=2048 << 16 | 3)[1] == INVALID_VECTOR
    with EventFd() as eventfd:
        nvme.client.set_eventfd(2047, eventfd.fd)
        queue = nvme.create_queue(MOST, 4, vector=2047)
        use(nvme, queue, 1)
        assert eventfd.count(5) >= 1


def test_a_doorbell_of_a_queue_that_is_not_there_is_reported(nvme: Nvme) -> None:
    nvme.admin.submit(sqe(ASYNC_EVENT))
    store32(nvme.doorbells, 8 * 50000, 3)
    found = nvme.admin.wait()
    assert found.status == OK and found.cdw0 == 0x0001_0000, "error status, write to an invalid doorbell"
    assert nvme.client.read32(DOORBELLS + 8 * 50000) == 0
