# SPDX-License-Identifier: BSD-3-Clause
"""The I/O command Cancel, of a drive that claims NVMe 2.1. Base 2.1, section 7.1."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import Queue, sqe
from ctrl_helpers import INVALID_FIELD, INVALID_OPCODE, OK, Host, Start, identify, log_page
from fault_helpers import clear, plant

FLUSH, WRITE, READ, CANCEL = 0, 1, 2, 0x18
ONE, SEVERAL, ANY, ALL = 0, 1, 0xFFFF, 0xFFFFFFFF
ABORTED, INVALID_COMMAND_ID, INVALID_NAMESPACE = 0x007, 0x184, 0x00B


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "4M", "--namespaces", "2", "--nvme-version", "2.1"))
    yield host
    host.close()


def cancel(cid: int, act: int, nsid: int = ALL, sqid: int = 1) -> bytes:
    return sqe(CANCEL, nsid=nsid, cdw10=cid << 16 | sqid, cdw11=act)


def collect(queue: Queue, count: int) -> dict[int, tuple[int, int]]:
    """Status and dword 0 of so many completions, by CID, in their order."""
    found = {}
    for _ in range(count):
        one = queue.wait()
        assert one.cid not in found
        found[one.cid] = (one.status, one.cdw0)
    assert queue.poll() is None
    return found


def test_the_version_has_it(host: Host, start: Start, folder: str) -> None:
    assert host.client.read32(8) == 0x20100 and identify(host.nvme, 1)[80:84] == b"\0\1\2\0"
    assert struct.unpack_from("<I", log_page(host.nvme, 5, 4096), 1024 + 4 * CANCEL)[0] & 1


def test_version_2_0_has_not(start: Start) -> None:
    host = Host(start("--size", "4M"))
    assert host.client.read32(8) == 0x20000
    assert host.disk.queue.execute(CANCEL, nsid=ALL, cdw10=1, cdw11=1)[1] == INVALID_OPCODE
    assert not struct.unpack_from("<I", log_page(host.nvme, 5, 4096), 1024 + 4 * CANCEL)[0]
    host.close()


def test_golden_bytes(host: Host) -> None:
    """CID, NSID, SQID, CID of the command, ACODE."""
    queue = host.disk.queue
    golden = bytearray(64)
    golden[0], golden[4:8], golden[40:48] = CANCEL, b"\xff" * 4, bytes.fromhex("0100ffff01000000")
    assert cancel(ANY, SEVERAL) == bytes(golden)
    queue.submit(bytes(golden))
    one = queue.wait()
    assert (one.status, one.cdw0) == (OK, 0), "there was none"


def test_commands_behind_it_are_aborted(host: Host) -> None:
    """One doorbell for all: those before it have ended, those after it are not fetched."""
    queue, buffer = host.disk.queue, host.disk.buffer
    for nsid, hit in ((ALL, {1, 2}), (1, {1}), (2, {2})):
        before = [queue.submit(sqe(READ, nsid=1, prp1=buffer, cdw10=lba), ring=False) for lba in range(3)]
        it = queue.submit(cancel(ANY, SEVERAL, nsid), ring=False)
        after = {
            queue.submit(sqe(READ, nsid=1 + lba % 2, prp1=buffer, cdw10=lba), ring=False): 1 + lba % 2
            for lba in range(6)
        }
        queue.ring()
        found = collect(queue, 10)
        aborted = [cid for cid, one in after.items() if one in hit]
        assert found[it] == (OK, len(aborted))
        assert all(found[cid][0] == (ABORTED if cid in aborted else OK) for cid in after)
        assert all(found[cid] == (OK, 0) for cid in before)
        order = list(found)
        assert all(order.index(cid) < order.index(it) for cid in aborted), "they complete before it"


def test_commands_that_have_begun(host: Host) -> None:
    """Those whose completions are held, of this queue only."""
    queue, buffer = host.disk.queue, host.disk.buffer
    other = host.nvme.create_queue(2, 16)
    plant(host.server, "name=stuck opcode=read do hold")
    for nsid, named in ((ALL, [0, 1, 2, 3]), (1, [0, 2])):
        elsewhere = other.submit(sqe(READ, nsid=1, prp1=buffer))
        reads = [queue.submit(sqe(READ, nsid=1 + i % 2, prp1=buffer, cdw10=i)) for i in range(4)]
        it = queue.submit(cancel(ANY, SEVERAL, nsid))
        found = collect(queue, len(named) + 1)
        assert found[it] == (OK, len(named)) and all(found[reads[i]] == (ABORTED, 0) for i in named)
        assert other.poll() is None, "another queue"
        clear(host.server)
        assert other.wait().cid == elsewhere
        rest = collect(queue, 4 - len(named))
        assert all(status == OK for status, _ in rest.values())
        plant(host.server, "name=stuck opcode=read do hold")


def test_one_command(host: Host) -> None:
    queue, buffer = host.disk.queue, host.disk.buffer
    plant(host.server, "opcode=read do hold")
    reads = [queue.submit(sqe(READ, nsid=1, prp1=buffer, cdw10=i)) for i in range(3)]
    queue.submit(cancel(reads[1], ONE, nsid=2))
    assert queue.wait().status == INVALID_FIELD, "it is of another namespace"
    it = queue.submit(cancel(reads[1], ONE, nsid=1))
    assert collect(queue, 2) == {reads[1]: (ABORTED, 0), it: (OK, 1)}
    it = queue.submit(cancel(reads[1], ONE))
    assert collect(queue, 1) == {it: (OK, 0)}, "it has ended"
    it = queue.submit(cancel(reads[2], ONE))
    assert collect(queue, 2) == {reads[2]: (ABORTED, 0), it: (OK, 1)}
    clear(host.server)
    assert collect(queue, 1) == {reads[0]: (OK, 0)}


def test_commands_that_are_refused(host: Host) -> None:
    queue = host.disk.queue
    assert queue.execute(CANCEL, nsid=ALL, cdw10=ANY << 16 | 2, cdw11=SEVERAL)[1] == INVALID_FIELD, "SQID"
    assert queue.execute(CANCEL, nsid=ALL, cdw10=5 << 16 | 1, cdw11=SEVERAL)[1] == INVALID_FIELD, "CID"
    for act in (2, 3):
        assert queue.execute(CANCEL, nsid=ALL, cdw10=ANY << 16 | 1, cdw11=act)[1] == INVALID_FIELD, "ACODE"
    assert queue.execute(CANCEL, nsid=5, cdw10=ANY << 16 | 1, cdw11=SEVERAL)[1] in (
        INVALID_NAMESPACE,
        INVALID_FIELD,
    )
    entry = bytearray(cancel(0x1234, ONE))
    entry[2:4] = b"\x34\x12"
    queue.memory.write(queue.sq + 64 * queue.tail, bytes(entry))
    queue.tail = (queue.tail + 1) % queue.depth
    queue.ring()
    one = queue.wait()
    assert (one.cid, one.status) == (0x1234, INVALID_COMMAND_ID), "its own CID"


def test_what_finds_no_room_is_executed(start: Start) -> None:
    """A small completion queue: CEDA counts the commands that are not aborted at once."""
    host = Host(start("--size", "4M", "--nvme-version", "2.1", "--queue-entries", "64"))
    queue, buffer = host.disk.queue, host.disk.buffer
    it = queue.submit(cancel(ANY, SEVERAL), ring=False)
    reads = [
        queue.submit(sqe(READ, nsid=1, prp1=buffer, cdw10=i), ring=False) for i in range(queue.depth - 2)
    ]
    queue.ring()
    found = collect(queue, len(reads) + 1)
    status, counts = found[it]
    aborted = sum(found[cid][0] == ABORTED for cid in reads)
    assert status == OK and counts & 0xFFFF == aborted and (counts >> 16) + aborted == len(reads)
    assert all(found[cid][0] in (OK, ABORTED) for cid in reads)
    host.close()
