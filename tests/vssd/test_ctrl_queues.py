# SPDX-License-Identifier: BSD-3-Clause
"""Queues: all checks of creation and deletion, doorbells, wrapping, sharing, interrupts, hostile memory."""

from __future__ import annotations

import random
import struct
import time

import pytest
from client import Client, EventFd, Memory, Nvme, Queue, sqe, store32
from ctrl_helpers import (
    ABORT,
    ABORT_REQUESTED,
    CC_ENABLED,
    CQ_INVALID,
    CREATE_CQ,
    CREATE_SQ,
    DELETE_CQ,
    DELETE_SQ,
    FUA,
    GET_FEATURES,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_OPCODE,
    INVALID_PRP_OFFSET,
    INVALID_QID,
    INVALID_QUEUE_DELETION,
    INVALID_QUEUE_SIZE,
    INVALID_VECTOR,
    OK,
    READ,
    VERIFY,
    WRITE,
    Disk,
    Start,
    pattern,
)


def create_cq(
    nvme: Nvme, qid: int = 1, entries: int = 8, flags: int = 1, vector: int = 0, offset: int = 0
) -> int:
    base = nvme.memory.alloc(entries * 16 if entries <= 4096 else 4096) + offset
    cdw10, cdw11 = (entries - 1 & 0xFFFF) << 16 | qid, vector << 16 | flags
    return nvme.admin.execute(CREATE_CQ, prp1=base, cdw10=cdw10, cdw11=cdw11)[1]


def create_sq(
    nvme: Nvme, qid: int = 1, entries: int = 8, flags: int = 1, cqid: int = 1, offset: int = 0
) -> int:
    base = nvme.memory.alloc(entries * 64 if entries <= 4096 else 4096) + offset
    cdw10, cdw11 = (entries - 1 & 0xFFFF) << 16 | qid, cqid << 16 | flags
    return nvme.admin.execute(CREATE_SQ, prp1=base, cdw10=cdw10, cdw11=cdw11)[1]


@pytest.mark.parametrize(
    "arguments, status",
    [
        ({"qid": 0}, INVALID_QID),
        ({"qid": 17}, INVALID_QID),
        ({"qid": 65}, INVALID_QID),
        ({"qid": 0xFFFF}, INVALID_QID),
        ({"entries": 1}, INVALID_QUEUE_SIZE),
        ({"entries": 4097}, INVALID_QUEUE_SIZE),
        ({"entries": 65536}, INVALID_QUEUE_SIZE),
        ({"flags": 0}, INVALID_FIELD),
        ({"offset": 8}, INVALID_PRP_OFFSET),
        ({"offset": 0x800}, INVALID_PRP_OFFSET),
        ({"vector": 65}, INVALID_VECTOR),
        ({"vector": 0xFFFF}, INVALID_VECTOR),
        ({"entries": 2}, OK),
        ({"entries": 4096}, OK),
        ({"qid": 16, "vector": 64}, OK),
    ],
)
def test_create_completion_queue(nvme: Nvme, arguments: dict[str, int], status: int) -> None:
    assert create_cq(nvme, **arguments) == status


@pytest.mark.parametrize(
    "arguments, status",
    [
        ({"qid": 0}, INVALID_QID),
        ({"qid": 17}, INVALID_QID),
        ({"entries": 1}, INVALID_QUEUE_SIZE),
        ({"entries": 4097}, INVALID_QUEUE_SIZE),
        ({"flags": 0}, INVALID_FIELD),
        ({"offset": 64}, INVALID_PRP_OFFSET),
        ({"cqid": 0}, INVALID_QID),
        ({"cqid": 17}, INVALID_QID),
        ({"cqid": 2}, CQ_INVALID),
        ({"qid": 5}, OK),
        ({"flags": 1 | 3 << 1}, OK),  # QPRIO is ignored with round robin
    ],
)
def test_create_submission_queue(nvme: Nvme, arguments: dict[str, int], status: int) -> None:
    assert create_cq(nvme, qid=1) == OK
    assert create_sq(nvme, **arguments) == status


def test_a_queue_that_exists_cannot_be_created_again(nvme: Nvme) -> None:
    assert create_cq(nvme) == OK and create_sq(nvme) == OK
    assert create_cq(nvme) == INVALID_QID
    assert create_sq(nvme) == INVALID_QID


def test_entry_sizes_must_be_set_before_queues_are_created(client: Client) -> None:
    nvme = Nvme(client)
    nvme.enable()
    nvme.disable()
    nvme.admin = Queue(nvme.memory, nvme.doorbells, 0, 8)
    client.write32(0x24, 7 << 16 | 7)
    client.write64(0x28, nvme.admin.sq)
    client.write64(0x30, nvme.admin.cq)
    client.write32(0x14, 1)
    nvme.wait_ready(True)
    assert create_cq(nvme) == INVALID_QUEUE_SIZE
    client.write32(0x14, 1 | 4 << 20)
    assert create_cq(nvme) == OK
    assert create_sq(nvme) == INVALID_QUEUE_SIZE
    client.write32(0x14, CC_ENABLED)
    assert create_sq(nvme) == OK
    nvme.close()


def test_delete(nvme: Nvme) -> None:
    for opcode in (DELETE_SQ, DELETE_CQ):
        for qid in (0, 1, 17, 0xFFFF):
            assert nvme.admin.execute(opcode, cdw10=qid)[1] == INVALID_QID
    assert create_cq(nvme) == OK
    assert create_sq(nvme, qid=1) == OK and create_sq(nvme, qid=2) == OK
    assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == INVALID_QUEUE_DELETION
    assert nvme.admin.execute(DELETE_SQ, cdw10=1)[1] == OK
    assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == INVALID_QUEUE_DELETION, "SQ 2 still completes there"
    assert nvme.admin.execute(DELETE_SQ, cdw10=2)[1] == OK
    assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == OK
    assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == INVALID_QID


def test_several_submission_queues_share_a_completion_queue(nvme: Nvme) -> None:
    one = nvme.create_queue(1, 16)
    two = Queue(nvme.memory, nvme.doorbells, 2, 16)
    size = 15 << 16 | 2
    assert nvme.admin.execute(CREATE_SQ, prp1=two.sq, cdw10=size, cdw11=1 << 16 | 1)[1] == OK
    buffer = nvme.memory.alloc(4096)
    two.submit(sqe(READ, nsid=1, prp1=buffer))
    one.submit(sqe(READ, nsid=1, prp1=buffer))
    assert sorted(one.wait().sqid for _ in range(2)) == [1, 2]


def test_all_queue_pairs_of_the_drive(start: Start) -> None:
    with Client(start("--size", "1M", "--queues", "64").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        queues = [nvme.create_queue(qid, 4) for qid in range(1, 65)]
        buffer = nvme.memory.alloc(4096)
        for queue in queues:
            queue.submit(sqe(READ, nsid=1, prp1=buffer))
        assert [queue.wait().sqid for queue in queues] == list(range(1, 65))
        assert create_cq(nvme, qid=65) == INVALID_QID
        for queue in queues:
            nvme.delete_queue(queue)
        nvme.close()


def test_queues_wrap(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 3)
    disk = Disk(nvme, queue)
    for lba in range(20):
        disk.write(lba, pattern(lba, 1))
    for lba in range(20):
        assert disk.read(lba) == pattern(lba, 1)


def test_sqhd_and_cid_come_back(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 8)
    for turn in range(20):
        queue.next_cid = 0xFFF0 + turn & 0xFFFF
        cid = queue.submit(sqe(READ, nsid=1, prp1=nvme.memory.alloc(512, 512)))
        found = queue.wait()
        assert (found.cid, found.sqid, found.sqhd, found.cdw0, found.cdw1) == (cid, 1, (turn + 1) % 8, 0, 0)


def test_a_full_queue_at_once(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 128)
    buffer = nvme.memory.alloc(4096)
    sent = [queue.submit(sqe(READ, nsid=1, prp1=buffer, cdw12=7), ring=False) for _ in range(127)]
    queue.ring()
    assert [queue.wait().cid for _ in range(127)] == sent


def test_a_full_completion_queue_holds_commands_back(nvme: Nvme) -> None:
    """With a CQ of 4 entries and an SQ of 16, no completion is overwritten or lost."""
    cq = Queue(nvme.memory, nvme.doorbells, 1, 4)
    assert nvme.admin.execute(CREATE_CQ, prp1=cq.cq, cdw10=3 << 16 | 1, cdw11=1)[1] == OK
    sq = Queue(nvme.memory, nvme.doorbells, 1, 16)
    assert nvme.admin.execute(CREATE_SQ, prp1=sq.sq, cdw10=15 << 16 | 1, cdw11=1 << 16 | 1)[1] == OK
    buffer = nvme.memory.alloc(4096)
    sent = [sq.submit(sqe(READ, nsid=1, prp1=buffer), ring=False) for _ in range(15)]
    sq.ring()
    cq.wait_posted(3)
    time.sleep(0.05)
    entries = [nvme.memory.read(cq.cq + 16 * i, 16) for i in range(4)]
    assert [entry[14] & 1 for entry in entries] == [1, 1, 1, 0], "one entry stays free"
    assert [cq.wait().cid for _ in range(15)] == sent


def test_a_full_admin_completion_queue(client: Client) -> None:
    """An Abort needs two entries, its own and that of the command that it aborts."""
    nvme = Nvme(client)
    client.config_write(4, b"\x06\x00")
    nvme.admin = Queue(nvme.memory, nvme.doorbells, 0, 16)
    cq = Queue(nvme.memory, nvme.doorbells, 0, 2)
    client.write32(0x24, 1 << 16 | 15)
    client.write64(0x28, nvme.admin.sq)
    client.write64(0x30, cq.cq)
    client.write32(0x14, CC_ENABLED)
    nvme.wait_ready(True)
    requests = [nvme.admin.submit(sqe(0x0C)) for _ in range(4)]
    aborts = [nvme.admin.submit(sqe(ABORT, cdw10=cid << 16)) for cid in requests]
    time.sleep(0.02)
    found = [cq.wait() for _ in range(8)]
    assert sorted(entry.cid for entry in found) == sorted(requests + aborts)
    assert [entry.status for entry in found if entry.cid in requests] == [7] * 4
    nvme.close()


def test_commands_behind_completions_that_wait_for_room(client: Client) -> None:
    """The doorbell that makes room lets the drive post waiting completions, and then fetch commands."""
    nvme = Nvme(client)
    client.config_write(4, b"\x06\x00")
    nvme.admin = Queue(nvme.memory, nvme.doorbells, 0, 64)
    cq = Queue(nvme.memory, nvme.doorbells, 0, 8)
    client.write32(0x24, 7 << 16 | 63)
    client.write64(0x28, nvme.admin.sq)
    client.write64(0x30, cq.cq)
    client.write32(0x14, CC_ENABLED)
    nvme.wait_ready(True)
    # Six commands and an event request occupy seven entries; the Abort of that request waits.
    cids = [nvme.admin.submit(sqe(0x0C), ring=False)]
    cids += [nvme.admin.submit(sqe(GET_FEATURES, cdw10=2), ring=False) for _ in range(6)]
    cids += [nvme.admin.submit(sqe(ABORT, cdw10=cids[0] << 16), ring=False)]
    cids += [nvme.admin.submit(sqe(GET_FEATURES, cdw10=2), ring=False) for _ in range(50)]
    nvme.admin.ring()
    cq.wait_posted(7)
    # All seven entries are consumed at once.
    cq.head, cq.phase = 7, 1
    store32(nvme.doorbells, 4, 7)
    found = [cq.wait().cid for _ in range(len(cids) - 7)]
    assert found == cids[7:]
    nvme.close()


@pytest.mark.parametrize("mapped", [True, False])
def test_doorbells_by_message_and_by_store(nvme: Nvme, mapped: bool) -> None:
    queue = nvme.create_queue(1, 8)
    queue.submit(sqe(READ, nsid=1, prp1=nvme.memory.alloc(512)), ring=False)
    if mapped:
        store32(nvme.doorbells, 8, 1)
    else:
        nvme.client.write32(0x1008, 1)
    assert queue.wait().status == OK


def test_interrupts_only_where_they_are_enabled(nvme: Nvme) -> None:
    with EventFd() as silent, EventFd() as loud:
        nvme.client.set_eventfd(3, silent.fd)
        nvme.client.set_eventfd(5, loud.fd)
        quiet, queue = nvme.create_queue(1, 8), nvme.create_queue(2, 8, vector=5)
        Disk(nvme, quiet).read(0)
        Disk(nvme, queue).read(0)
        assert loud.count(1.0) == 1
        assert silent.count(0.02) == 0


def test_one_interrupt_for_a_batch(nvme: Nvme) -> None:
    with EventFd() as event:
        nvme.client.set_eventfd(1, event.fd)
        queue = nvme.create_queue(1, 64, vector=1)
        buffer = nvme.memory.alloc(4096)
        for _ in range(32):
            queue.submit(sqe(READ, nsid=1, prp1=buffer), ring=False)
        queue.ring()
        for _ in range(32):
            queue.wait()
        time.sleep(0.01)
        assert event.count() == 1


def test_the_admin_queue_interrupts_with_vector_0(nvme: Nvme) -> None:
    with EventFd() as event:
        nvme.client.set_eventfd(0, event.fd)
        nvme.admin.execute(IDENTIFY, prp1=nvme.memory.alloc(4096), cdw10=1)
        assert event.count(1.0) == 1


@pytest.mark.parametrize("opcode", [0x03, 0x0D, 0x0E, 0x15, 0x18, 0x7C, 0x81, 0x82, 0xC0, 0xFF])
def test_admin_opcodes_that_are_not_there(nvme: Nvme, opcode: int) -> None:
    nvme.admin.submit(sqe(opcode, nsid=1))
    found = nvme.admin.wait()
    assert found.status == INVALID_OPCODE and found.dnr


@pytest.mark.parametrize("opcode", [0x03, 0x0D, 0x19, 0x7D, 0x80, 0xFF])
def test_io_opcodes_that_are_not_there(nvme: Nvme, opcode: int) -> None:
    queue = nvme.create_queue(1, 8)
    queue.submit(sqe(opcode, nsid=1))
    found = queue.wait()
    assert found.status == INVALID_OPCODE and found.dnr


@pytest.mark.parametrize("flags", [0x40, 0x80, 0xC0, 0x01, 0x02, 0x03])
def test_sgls_and_fused_commands_that_there_are_not_are_refused(nvme: Nvme, flags: int) -> None:
    queue, buffer = nvme.create_queue(1, 8), nvme.memory.alloc(4096)
    assert nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=1, flags=flags)[1] == INVALID_FIELD
    assert queue.execute(READ, nsid=1, prp1=buffer, flags=flags)[1] == INVALID_FIELD
    assert queue.execute(VERIFY, nsid=1, flags=flags)[1] == INVALID_FIELD


def test_a_command_that_waits_in_its_queue_is_aborted(nvme: Nvme) -> None:
    """Bus mastering is off while the queues fill, so the controller finds all commands at once."""
    queue, buffer = nvme.create_queue(1, 8), nvme.memory.alloc(4096)
    for turn in range(5):
        nvme.client.config_write(4, b"\2\0")
        sent = [queue.submit(sqe(WRITE, nsid=1, prp1=buffer, cdw10=lba), ring=False) for lba in range(6)]
        queue.ring()
        aborts = [nvme.admin.submit(sqe(ABORT, cdw10=sent[i] << 16 | 1)) for i in (turn, 5, turn)]
        aborts.append(nvme.admin.submit(sqe(ABORT, cdw10=sent[0] << 16 | 2)))
        nvme.client.config_write(4, b"\6\0")
        found = [nvme.admin.wait() for _ in aborts]
        assert [(entry.cid, entry.cdw0, entry.status) for entry in found] == [
            (aborts[0], 0, OK),
            (aborts[1], 0, OK),
            (aborts[2], 1, OK),  # it is aborted already
            (aborts[3], 1, OK),  # no such queue
        ]
        statuses = {entry.cid: entry.status for entry in (queue.wait() for _ in sent)}
        assert statuses == {cid: ABORT_REQUESTED if i in (turn, 5) else OK for i, cid in enumerate(sent)}
        assert queue.poll() is None


def test_an_admin_command_that_waits_behind_its_abort_is_aborted(nvme: Nvme) -> None:
    abort = nvme.admin.submit(sqe(ABORT, cdw10=(nvme.admin.next_cid + 2) << 16), ring=False)
    kept = nvme.admin.submit(sqe(GET_FEATURES, cdw10=2), ring=False)
    aborted = nvme.admin.submit(sqe(GET_FEATURES, cdw10=2), ring=False)
    nvme.admin.ring()
    found = [nvme.admin.wait() for _ in range(3)]
    assert [(entry.cid, entry.status) for entry in found] == [
        (aborted, ABORT_REQUESTED),
        (abort, OK),
        (kept, OK),
    ]
    assert found[1].cdw0 == 0
    nvme.admin.execute(GET_FEATURES, cdw10=2)


def test_deleting_a_queue_completes_what_waits_for_the_medium(nvme: Nvme) -> None:
    queue, buffer = nvme.create_queue(1, 32), nvme.memory.alloc(4096)
    for lba in range(16):
        queue.submit(sqe(WRITE, nsid=1, prp1=buffer, cdw10=lba, cdw12=FUA), ring=False)
    queue.ring()
    while nvme.admin.execute(DELETE_SQ, cdw10=1)[1] != OK:
        pass
    # Fetched commands complete before the deletion does; the drive never started the others.
    done = []
    while (found := queue.poll()) is not None:
        done.append(found.cid)
    assert done == list(range(len(done)))
    assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == OK


def test_commands_that_were_not_fetched_go_with_their_queue(nvme: Nvme) -> None:
    """CQ of 4 entries, which stays full: of 15 commands 12 are still in the SQ when it is deleted."""
    cq = Queue(nvme.memory, nvme.doorbells, 1, 4)
    assert nvme.admin.execute(CREATE_CQ, prp1=cq.cq, cdw10=3 << 16 | 1, cdw11=1)[1] == OK
    sq = Queue(nvme.memory, nvme.doorbells, 1, 16)
    assert nvme.admin.execute(CREATE_SQ, prp1=sq.sq, cdw10=15 << 16 | 1, cdw11=1 << 16 | 1)[1] == OK
    buffer = nvme.memory.alloc(4096)
    for _ in range(15):
        sq.submit(sqe(READ, nsid=1, prp1=buffer), ring=False)
    sq.ring()
    cq.wait_posted(3)
    assert nvme.admin.execute(DELETE_SQ, cdw10=1)[1] == OK
    assert [cq.wait().cid for _ in range(3)] == [0, 1, 2]
    with pytest.raises(TimeoutError):
        cq.wait(0.05)
    assert nvme.admin.execute(DELETE_CQ, cdw10=1)[1] == OK
    assert Disk(nvme, nvme.create_queue(1, 8)).command(READ, 0) == OK


def test_queues_that_lie_in_two_regions(client: Client, nvme: Nvme) -> None:
    """Queues whose memory is in several regions are slower, but work."""
    base = 0x6000_0000_0000
    with Memory(1 << 16) as memory:
        for page in range(16):
            client.dma_map(base + page * 4096, 4096, memory.fd, page * 4096)
        memory.iova = base
        queue = Queue(memory, nvme.doorbells, 1, 256)
        size = 255 << 16 | 1
        assert nvme.admin.execute(CREATE_CQ, prp1=queue.cq, cdw10=size, cdw11=1)[1] == OK
        assert nvme.admin.execute(CREATE_SQ, prp1=queue.sq, cdw10=size, cdw11=1 << 16 | 1)[1] == OK
        disk = Disk(nvme, queue)
        for lba in range(300):
            disk.write(lba, pattern(lba, 1))
        assert disk.read(299) == pattern(299, 1)
        nvme.delete_queue(queue)


def test_a_queue_whose_memory_is_unmapped_and_mapped_elsewhere(client: Client, nvme: Nvme) -> None:
    base = 0x6000_0000_0000
    with Memory(1 << 16) as first, Memory(1 << 16) as second:
        client.dma_map(base, 1 << 16, first.fd)
        second.iova = base
        queue = Queue(second, nvme.doorbells, 1, 8)
        size = 7 << 16 | 1
        assert nvme.admin.execute(CREATE_CQ, prp1=queue.cq, cdw10=size, cdw11=1)[1] == OK
        assert nvme.admin.execute(CREATE_SQ, prp1=queue.sq, cdw10=size, cdw11=1 << 16 | 1)[1] == OK
        client.dma_unmap(base, 1 << 16)
        client.dma_map(base, 1 << 16, second.fd)
        assert queue.execute(READ, nsid=1, prp1=nvme.memory.alloc(512))[1] == OK
        nvme.delete_queue(queue)
        client.dma_unmap(base, 1 << 16)


def test_a_queue_in_memory_that_is_not_aligned(client: Client, nvme: Nvme) -> None:
    """The addresses are aligned, but not the offset in the file that the host mapped."""
    base = 0x6000_0000_0000
    with Memory(1 << 17) as memory:
        client.dma_map(base, 1 << 16, memory.fd, offset=1)
        memory.iova = base - 1
        queue = Queue(memory, nvme.doorbells, 1, 16)
        queue.sq, queue.cq = base, base + 4096
        size = 15 << 16 | 1
        assert nvme.admin.execute(CREATE_CQ, prp1=queue.cq, cdw10=size, cdw11=1)[1] == OK
        assert nvme.admin.execute(CREATE_SQ, prp1=queue.sq, cdw10=size, cdw11=1 << 16 | 1)[1] == OK
        buffer = nvme.memory.alloc(4096)
        for _ in range(3):
            sent = [queue.submit(sqe(READ, nsid=1, prp1=buffer), ring=False) for _ in range(15)]
            queue.ring()
            assert [queue.wait().cid for _ in range(15)] == sent
        nvme.delete_queue(queue)
        client.dma_unmap(base, 1 << 16)


def test_garbage_commands_do_not_hurt(nvme: Nvme) -> None:
    """A thousand entries of random bytes: the drive completes each, and works as before."""
    dice = random.Random(20)
    queue = nvme.create_queue(1, 64)
    for _ in range(500):
        for where in (queue, nvme.admin):
            entry = bytearray(dice.randbytes(64))
            if where is nvme.admin and entry[0] in (DELETE_SQ, DELETE_CQ, 0x09, 0x0C, 0x80):
                entry[0] = 0xFF
            struct.pack_into("<I", entry, 4, dice.choice((0, 1, 1, 1, 2, 0xFFFFFFFF)))
            where.submit(bytes(entry))
            where.wait()
    assert Disk(nvme, queue).command(READ, 0) == OK
    assert nvme.client.read32(0x1C) == 1
