# SPDX-License-Identifier: BSD-3-Clause
"""Live migration: data queues, the log of changes, suspended controllers, and their state. Raw bytes.

Base 2.1, sections 5.1.4, 5.1.16, 5.1.17, 5.1.25.1.23, 5.1.27, 8.1.6 and 8.1.12; NVM 1.1, section 5.6.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest
from client import Client, Queue, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    DEAC,
    DSM,
    FORMAT,
    GET_FEATURES,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_OPCODE,
    INVALID_PRP_OFFSET,
    OK,
    READ,
    SEQUENCE_ERROR,
    SET_FEATURES,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Host,
    Start,
    identify,
    log_page,
    pattern,
)
from test_ctrl_several import Pair, port

TRACK, SEND, RECEIVE, CDQ, FEATURE = 0x3D, 0x41, 0x42, 0x45, 0x21
SUSPEND, RESUME, SET_STATE = 0, 1, 2
BAD_CONTROLLER, BAD_QUEUE, NO_RESOURCES, SUSPENDED, NOT_SUSPENDED, QUEUE_FULL = (
    *(0x11F, 0x137, 0x138),
    *(0x139, 0x13A, 0x13B),
)
FIRST, STOPPED, AT_SUSPEND, FULL = 1 << 1, 2 << 1, 3 << 1, 7 << 1
NO_RANGE, DEALLOCATED = 2 << 6, 1 << 5
CHILD = 2
QUIET = 0.05
"""Seconds in which a controller that is suspended must not complete anything."""


def entry(lbamqa: int, nsid: int = 0, slba: int = 0, lbas: int = 1) -> bytes:
    """An LBA Migration Queue entry of type 0."""
    return struct.pack("<IIQ15xB", nsid, lbas - 1, slba, lbamqa)


class Log:
    """A data queue of the manager. Its entries are taken in order, by the phase tag."""

    def __init__(self, host: Host, slots: int = 16, cntlid: int = CHILD, by_list: bool = False) -> None:
        self.nvme, self.slots = host.nvme, slots
        self.memory = self.nvme.memory.alloc(max(32 * slots, 4096))
        self.at, self.phase = 0, 1
        prp1 = self.memory
        if by_list:
            prp1 = self.nvme.memory.alloc(4096)
            pages = [self.memory + 4096 * i for i in range(-(-32 * slots // 4096))]
            self.nvme.memory.write(prp1, struct.pack(f"<{len(pages)}Q", *pages))
        cdw11 = cntlid << 16 | (not by_list)
        self.id, status = self.nvme.admin.execute(CDQ, prp1=prp1, cdw11=cdw11, cdw12=8 * slots)
        assert status == OK

    def track(self, start: bool) -> int:
        return self.nvme.admin.execute(TRACK, cdw10=start << 16, cdw11=self.id)[1]

    def start(self) -> None:
        assert self.track(True) == OK
        assert self.take() == entry(NO_RANGE | FIRST)

    def stop(self) -> None:
        assert self.track(False) == OK
        assert self.take() == entry(NO_RANGE | STOPPED)

    def take(self) -> bytes | None:
        """The next entry without its phase tag, or None."""
        found = self.nvme.memory.read(self.memory + 32 * self.at, 32)
        if found[31] & 1 != self.phase:
            return None
        self.at = (self.at + 1) % self.slots
        self.phase ^= self.at == 0
        return found[:31] + bytes([found[31] & 0xFE])

    def all(self) -> list[bytes]:
        return list(iter(self.take, None))

    def set_head(self, head: int | None = None, trigger: int | None = None) -> int:
        cdw11 = self.id | (trigger is not None) << 31
        head = self.at if head is None else head
        fields = {"cdw10": FEATURE, "cdw11": cdw11, "cdw12": head, "cdw13": trigger or 0}
        return self.nvme.admin.execute(SET_FEATURES, **fields)[1]


def send(host: Host, operation: int, cntlid: int = CHILD, stype: int = 1, more: int = 0) -> int:
    """The status of a Migration Send without data."""
    return host.nvme.admin.execute(SEND, cdw10=operation, cdw11=more | stype << 16 | cntlid)[1]


def state_of(host: Host, cntlid: int = CHILD, csvi: int = 1, size: int = 4096) -> tuple[bytes, int]:
    """The state of a controller, and CSUP of the completion."""
    buffer = host.nvme.memory.alloc(4096)
    fields = {"cdw10": csvi << 16, "cdw11": cntlid, "cdw15": size // 4 - 1}
    csup, status = host.nvme.admin.execute(RECEIVE, prp1=buffer, **fields)
    assert status == OK
    return host.nvme.memory.read(buffer, size), csup


@pytest.fixture
def pair(start: Start) -> Iterator[Pair]:
    made = Pair(start, "--namespaces", "2", "--migration")
    yield made
    made.close()


# What is there


def test_only_the_first_controller_manages_migration(pair: Pair) -> None:
    a, b = identify(pair.a.nvme, 1), identify(pair.b.nvme, 1)
    assert struct.unpack_from("<H", a, 256)[0] >> 11 & 1 == 1, "HMLMS"
    assert struct.unpack_from("<H", b, 256)[0] >> 11 & 1 == 0
    assert a[576] == 2 and struct.unpack_from("<HHHHH", a, 578) == (4, 4, 512, 2048, 512), "TUDCS, MCUDMQ …"
    assert b[576:588] == bytes(12)
    assert a[272:280] == b[272:280] == bytes(8), "no host memory buffer"
    assert identify(pair.a.nvme, 0x20)[:4] == bytes([1, 0, 0, 0]), "one version, 0, and no vendor's state"
    effects = struct.unpack("<1024I", log_page(pair.a.nvme, 5, 4096))
    assert [code for code in (TRACK, 0x3E, SEND, RECEIVE, CDQ) if effects[code] & 1] == [
        TRACK,
        SEND,
        RECEIVE,
        CDQ,
    ]
    buffer = pair.b.nvme.memory.alloc(4096)
    for opcode in (TRACK, SEND, RECEIVE, CDQ):
        assert pair.b.nvme.admin.execute(opcode, prp1=buffer)[1] == INVALID_OPCODE
    assert pair.b.nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=0x20)[1] == INVALID_FIELD
    assert pair.b.nvme.admin.execute(GET_FEATURES, prp1=buffer, cdw10=FEATURE)[1] == INVALID_FIELD


# The log of changes


def test_the_log_has_what_the_other_controller_changes(pair: Pair) -> None:
    log, disk = Log(pair.a), pair.b.disk
    disk.write(1, pattern(1, 1))
    log.start()
    disk.write(5, pattern(5, 3))
    assert disk.command(WRITE_ZEROES, 16, 8) == OK
    assert disk.command(WRITE_ZEROES, 32, 8, DEAC) == OK
    assert disk.command(WRITE_UNCORRECTABLE, 48, 2) == OK
    pair.b.nvme.memory.write(disk.buffer, struct.pack("<IIQIIQ", 0, 8, 64, 0, 16, 128))
    assert disk.queue.execute(DSM, nsid=1, prp1=disk.buffer, cdw10=1, cdw11=4)[1] == OK
    assert log.all() == [
        entry(0, 1, 5, 3),
        entry(0, 1, 16, 8),
        entry(DEALLOCATED, 1, 32, 8),
        entry(0, 1, 48, 2),
        entry(DEALLOCATED, 1, 64, 8),
        entry(DEALLOCATED, 1, 128, 16),
    ]
    disk.read(5, 3)
    disk.nsid = 2
    disk.write(0, pattern(0, 1))
    pair.a.disk.write(7, pattern(7, 1))
    assert log.all() == [entry(0, 2, 0, 1)], "neither reads, nor what other controllers write"
    log.stop()
    disk.write(5, pattern(5, 1, seed=2))
    assert log.all() == []


def test_a_format_is_a_change_of_all_lbas(pair: Pair) -> None:
    log = Log(pair.a)
    log.start()
    assert pair.b.nvme.admin.execute(FORMAT, nsid=1, cdw10=0)[1] == OK
    (lbas,) = struct.unpack_from("<Q", identify(pair.b.nvme, 0, 1))
    assert entry(DEALLOCATED, 1, 0, lbas) in log.all()


@pytest.mark.parametrize("by_list", [False, True])
def test_entries_of_a_large_queue(pair: Pair, by_list: bool) -> None:
    """The pages of the list lie in any order."""
    log, disk = Log(pair.a, 300, by_list=by_list), pair.b.disk
    log.start()
    for lba in range(290):
        disk.write(lba, pattern(lba, 1))
    assert log.all() == [entry(0, 1, lba) for lba in range(290)]


def test_the_phase_tag_is_inverted_at_each_wrap(pair: Pair) -> None:
    log, disk = Log(pair.a, 4), pair.b.disk
    log.start()
    for lba in range(1, 20):
        disk.write(lba, pattern(lba, 1))
        tag = pair.a.nvme.memory.read(log.memory + 32 * (lba % 4), 32)[31]
        assert tag & 1 == (lba // 4 + 1) % 2, lba
        assert log.take() == entry(0, 1, lba)
        assert log.set_head() == OK


def test_a_queue_that_becomes_full_ends_the_log(pair: Pair) -> None:
    log, disk = Log(pair.a, 4), pair.b.disk
    cid = pair.a.nvme.admin.submit(sqe(ASYNC_EVENT))
    log.start()
    for lba in range(5):
        disk.write(lba, pattern(lba, 1))
    assert log.all() == [entry(0, 1, 0), entry(FULL, 1, 1)]
    event = pair.a.nvme.admin.wait()
    assert (event.cid, event.cdw0, event.cdw1) == (cid, 1 << 8 | 4, log.id)
    assert log.track(True) == QUEUE_FULL
    assert log.set_head() == OK
    assert log.track(False) == OK, "it is not logging: nothing to stop"
    log.start()
    disk.write(9, pattern(9, 1))
    assert log.all() == [entry(0, 1, 9)]


def test_an_event_comes_once_the_trigger_is_posted(pair: Pair) -> None:
    log, disk, admin = Log(pair.a), pair.b.disk, pair.a.nvme.admin
    log.start()
    buffer = pair.a.nvme.memory.alloc(4096)
    for lba in (0, 2):
        assert log.set_head(trigger=lba + 2) == OK
        result, status = admin.execute(GET_FEATURES, prp1=buffer, cdw10=FEATURE, cdw11=log.id)
        assert (result, status) == (1 << 31 | log.id, OK)
        assert struct.unpack("<II", pair.a.nvme.memory.read(buffer, 8)) == (log.at, lba + 2)
        admin.submit(sqe(ASYNC_EVENT))
        disk.write(lba, pattern(lba, 1))
        time.sleep(QUIET)
        assert admin.poll() is None
        disk.write(lba + 1, pattern(lba, 1))
        event = admin.wait()
        assert (event.cdw0, event.cdw1) == (4, log.id), "one shot: no log page has to be read"
        assert log.all() == [entry(0, 1, lba), entry(0, 1, lba + 1)]
    assert admin.execute(GET_FEATURES, prp1=buffer, cdw10=FEATURE, cdw11=log.id)[0] == log.id, (
        "it has gone off"
    )


# Mistakes


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cdw10": 2}, INVALID_FIELD),
        ({"cdw10": 1 << 16}, INVALID_FIELD),
        ({"cdw12": 0}, INVALID_FIELD),
        ({"cdw12": 8}, INVALID_FIELD),
        ({"cdw12": 63}, INVALID_FIELD),
        ({"cdw11": 1 << 16 | 1}, BAD_CONTROLLER),
        ({"cdw11": 3 << 16 | 1}, BAD_CONTROLLER),
        ({"prp1": 64}, INVALID_PRP_OFFSET),
        ({"cdw11": CHILD << 16, "cdw12": 0x100000}, INVALID_FIELD),
        ({"cdw10": 1, "cdw11": 0}, BAD_QUEUE),
        ({"cdw10": 1, "cdw11": 9}, BAD_QUEUE),
    ],
)
def test_data_queues_that_are_refused(pair: Pair, fields: dict[str, int], expected: int) -> None:
    memory = pair.a.nvme.memory.alloc(4096)
    given = {"cdw10": 0, "cdw11": CHILD << 16 | 1, "cdw12": 64, **fields}
    given["prp1"] = memory + fields.get("prp1", 0)
    assert pair.a.nvme.admin.execute(CDQ, **given)[1] == expected


def test_a_controller_has_one_queue(pair: Pair) -> None:
    log = Log(pair.a)
    fields = {"prp1": log.memory, "cdw11": CHILD << 16 | 1, "cdw12": 64}
    assert pair.a.nvme.admin.execute(CDQ, **fields)[1] == INVALID_FIELD
    assert pair.a.nvme.admin.execute(CDQ, cdw10=1, cdw11=log.id)[1] == OK
    assert pair.a.nvme.admin.execute(CDQ, **fields)[1] == OK


def test_a_list_of_pages_with_an_offset_is_refused(pair: Pair) -> None:
    pages = pair.a.nvme.memory.alloc(4096)
    pair.a.nvme.memory.write(pages, struct.pack("<Q", pages + 64))
    fields = {"prp1": pages, "cdw11": CHILD << 16, "cdw12": 64}
    assert pair.a.nvme.admin.execute(CDQ, **fields)[1] == INVALID_PRP_OFFSET


def test_track_send_refuses(pair: Pair) -> None:
    log, admin = Log(pair.a), pair.a.nvme.admin
    assert admin.execute(TRACK, cdw10=1)[1] == INVALID_FIELD, "memory is not tracked"
    assert admin.execute(TRACK, cdw10=2 << 16, cdw11=log.id)[1] == INVALID_FIELD
    assert admin.execute(TRACK, cdw10=1 << 16, cdw11=3)[1] == BAD_QUEUE
    log.start()
    assert log.track(True) == INVALID_FIELD
    log.stop()
    assert send(pair.a, SUSPEND) == OK
    assert log.track(True) == SUSPENDED


def test_the_head_moves_over_posted_entries_only(pair: Pair) -> None:
    log, disk = Log(pair.a, 8), pair.b.disk
    assert log.set_head(1) == INVALID_FIELD, "the queue is empty"
    log.start()
    disk.write(0, pattern(0, 1))
    assert log.set_head(3) == INVALID_FIELD
    assert log.set_head(8) == INVALID_FIELD
    assert log.set_head(2, trigger=8) == INVALID_FIELD
    assert log.set_head(2) == OK
    assert log.set_head(1) == INVALID_FIELD, "it does not move back"
    log.id = 3
    assert log.set_head(0) == BAD_QUEUE


# Suspended controllers


def test_a_suspended_controller_fetches_nothing(pair: Pair) -> None:
    log, disk = Log(pair.a), pair.b.disk
    log.start()
    assert send(pair.a, SUSPEND, stype=0) == OK, "a notification"
    disk.write(0, pattern(0, 1))
    assert send(pair.a, SUSPEND) == OK and send(pair.a, SUSPEND) == OK
    pair.b.nvme.memory.write(disk.buffer, pattern(1, 1))
    disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer, cdw10=1))
    pair.b.nvme.admin.submit(sqe(IDENTIFY, prp1=pair.b.nvme.memory.alloc(4096), cdw10=1))
    time.sleep(QUIET)
    assert disk.queue.poll() is None and pair.b.nvme.admin.poll() is None
    assert log.all() == [entry(0, 1, 0), entry(NO_RANGE | AT_SUSPEND)]
    pair.a.disk.write(9, pattern(9, 1))
    assert send(pair.a, RESUME) == OK
    assert disk.queue.wait().status == OK and pair.b.nvme.admin.wait().status == OK
    assert log.all() == [entry(NO_RANGE | FIRST), entry(0, 1, 1)]
    assert send(pair.a, RESUME) == NOT_SUSPENDED


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"operation": 3}, INVALID_FIELD),
        ({"operation": SUSPEND, "stype": 2}, INVALID_FIELD),
        ({"operation": SUSPEND, "cntlid": 1}, BAD_CONTROLLER),
        ({"operation": RESUME, "cntlid": 9}, BAD_CONTROLLER),
        ({"operation": SET_STATE}, NOT_SUSPENDED),
    ],
)
def test_migration_send_refuses(pair: Pair, fields: dict[str, int], expected: int) -> None:
    assert send(pair.a, **fields) == expected


def test_to_suspend_can_delete_the_queue(pair: Pair) -> None:
    log = Log(pair.a)
    log.start()
    assert send(pair.a, SUSPEND, more=1 << 31) == OK
    assert log.all() == [entry(NO_RANGE | AT_SUSPEND)]
    assert log.track(False) == BAD_QUEUE
    assert send(pair.a, RESUME) == OK
    pair.b.disk.write(0, pattern(0, 1))
    assert log.all() == []


def test_a_reset_of_the_suspended_controller_resumes_it(pair: Pair) -> None:
    assert send(pair.a, SUSPEND) == OK
    assert state_of(pair.a)[1] == 1
    pair.b.start()
    pair.b.disk.write(0, pattern(0, 1))
    assert state_of(pair.a)[1] == 0


def test_a_reset_of_the_manager_ends_it_all(pair: Pair) -> None:
    log = Log(pair.a)
    log.start()
    assert send(pair.a, SUSPEND) == OK
    assert log.all() == [entry(NO_RANGE | AT_SUSPEND)]
    pair.a.start()
    pair.b.disk.write(0, pattern(0, 1))
    assert log.all() == [] and log.track(True) == BAD_QUEUE
    assert Log(pair.a).track(True) == OK


# The state


def test_the_state_in_bytes(pair: Pair) -> None:
    disk = pair.b.disk
    for lba in range(21):
        disk.write(lba, pattern(lba, 1))
    assert send(pair.a, SUSPEND) == OK
    found, csup = state_of(pair.a, size=112)
    assert csup == 1
    assert found[:48] == struct.pack("<HB13xQQQQ", 0, 1, 2 + 12, 0, 0, 0), "VER, CSATTR, NVMECSS, VSS"
    assert found[48:56] == struct.pack("<HHHH", 0, 1, 1, 0), "VER, NIOSQ, NIOCQ"
    assert found[56:80] == struct.pack("<QHHHHHHI", disk.queue.sq, 15, 1, 1, 1, 5, 5, 0), (
        "21 commands of 16 slots"
    )
    assert found[80:104] == struct.pack("<QHHHHII", disk.queue.cq, 15, 1, 5, 5, 1, 0), (
        "S0PT: the second pass has 0"
    )
    assert found[104:] == bytes(8)
    assert state_of(pair.a, csvi=0, size=64)[0] == struct.pack("<HB61x", 0, 1)
    for fields in (
        {"cdw10": 1},
        {"cdw10": 2 << 16},
        {"cdw11": 1 << 16 | CHILD},
        {"cdw12": 104, "cdw10": 1 << 16},
    ):
        given = {"cdw10": 0, "cdw11": CHILD, "prp1": disk.buffer, **fields}
        assert pair.a.nvme.admin.execute(RECEIVE, **given)[1] == INVALID_FIELD, fields
    assert pair.a.nvme.admin.execute(RECEIVE, cdw11=1)[1] == BAD_CONTROLLER


class Migrated:
    """A source and a destination, each with a manager and a child, and a guest whose child moves."""

    def __init__(self, start: Start) -> None:
        options = ("--controllers", "2", "--size", "16M", "--migration")
        self.servers = [start(*options), start(*options)]
        self.managers = [port(server.folder, 1) for server in self.servers]
        self.guest = port(self.servers[0].folder, 2)
        self.client = Client(f"{self.servers[1].folder}/2")
        memory = self.guest.nvme.memory
        self.client.dma_map(memory.iova, memory.size, memory.fd)
        self.doorbells = self.client.map_doorbells()

    def enable(self) -> None:
        """Enable the destination's child with an admin queue in the guest's memory."""
        admin = Queue(self.guest.nvme.memory, self.doorbells, 0, 16)
        self.client.config_write(4, (6).to_bytes(2, "little"))
        self.client.write32(0x24, 15 << 16 | 15)
        self.client.write64(0x28, admin.sq)
        self.client.write64(0x30, admin.cq)
        self.client.write32(0x14, 4 << 20 | 6 << 16 | 1)
        while not self.client.read32(0x1C) & 1:
            time.sleep(0.001)

    def set_state(self, state: bytes, sizes: tuple[int, ...] = (), stype: int = 1) -> int:
        """Send the state in parts of these sizes, and the rest."""
        manager, at, status = self.managers[1].nvme, 0, OK
        cuts = [*sizes, len(state) - sum(sizes)]
        for index, size in enumerate(cuts):
            buffer = manager.memory.alloc(4096)
            manager.memory.write(buffer, state[at : at + size])
            sequence = (index == 0) | (index == len(cuts) - 1) << 1
            fields = {
                "cdw10": sequence << 16 | SET_STATE,
                "cdw11": stype << 16 | CHILD,
                "cdw12": at,
                "cdw15": size // 4,
            }
            status = manager.admin.execute(SEND, prp1=buffer, **fields)[1]
            if status:
                return status
            at += size
        return status

    def close(self) -> None:
        for host in (*self.managers, self.guest):
            host.close()
        self.doorbells.close()
        self.client.close()


@pytest.fixture
def migrated(start: Start) -> Iterator[Migrated]:
    made = Migrated(start)
    yield made
    made.close()


@pytest.mark.parametrize("sizes", [(), (48,), (20, 40)])
@pytest.mark.parametrize("before", [0, 5, 16, 40])
def test_a_guest_goes_on_at_the_destination(migrated: Migrated, before: int, sizes: tuple[int, ...]) -> None:
    """Its queues go on where they were, also after each number of wraps."""
    disk = migrated.guest.disk
    for lba in range(before):
        disk.write(lba, pattern(lba, 1))
    source, destination = migrated.managers
    assert send(source, SUSPEND) == OK
    migrated.guest.nvme.memory.write(disk.buffer, pattern(99, 1))
    disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer, cdw10=99))
    state, _ = state_of(source, size=104)
    migrated.enable()
    assert send(destination, SUSPEND) == OK
    assert migrated.set_state(state, sizes) == OK
    assert state_of(destination, size=104)[0] == state
    disk.queue.doorbells = migrated.doorbells
    assert send(destination, RESUME) == OK
    disk.queue.ring()
    assert disk.queue.wait().status == OK, "what the source has not fetched"
    for lba in range(40):
        disk.write(lba, pattern(lba, 1, seed=3))
    assert disk.read(39) == pattern(39, 1, seed=3) and disk.read(99) == pattern(99, 1)


def test_a_doorbell_that_is_rung_while_it_is_suspended_is_in_the_state(migrated: Migrated) -> None:
    source, queue = migrated.managers[0], migrated.guest.disk.queue
    assert send(source, SUSPEND) == OK
    queue.submit(sqe(READ, nsid=1, prp1=migrated.guest.disk.buffer))
    assert struct.unpack_from("<HH", state_of(source, size=104)[0], 56 + 16) == (0, 1)


STATE = struct.pack("<HB13xQQQQ", 0, 1, 14, 0, 0, 0) + struct.pack("<HHHH", 0, 1, 1, 0)


def queues(**fields: int) -> bytes:
    """A state with one queue pair, of which some fields are wrong."""
    given = {
        "sq": 0,
        "cq": 0,
        "size": 15,
        "sqid": 1,
        "cqid": 1,
        "of": 1,
        "sa": 1,
        "ca": 1,
        "hp": 0,
        "tp": 0,
        **fields,
    }
    sq = struct.pack(
        "<QHHHHHHI", given["sq"], given["size"], given["sqid"], given["of"], given["sa"], given["hp"], 0, 0
    )
    return sq + struct.pack(
        "<QHHHHII", given["cq"], given["size"], given["cqid"], 0, given["tp"], given["ca"], 0
    )


@pytest.mark.parametrize(
    "state",
    [
        b"\1" + STATE[1:] + queues(),
        STATE[:16] + b"\x0d" + STATE[17:] + queues(),
        STATE[:32] + b"\1" + STATE[33:] + queues(),
        STATE[:48] + b"\1" + STATE[49:] + queues(),
        STATE[:50] + b"\2" + STATE[51:] + queues(),
        STATE[:40],
        *(
            STATE + queues(**{name: value})
            for name, value in {"sq": 64, "cq": 4, "size": 0, "sqid": 0}.items()
        ),
        *(
            STATE + queues(**{name: value})
            for name, value in {"sqid": 99, "cqid": 2, "of": 2, "sa": 0}.items()
        ),
        *(
            STATE + queues(**{name: value})
            for name, value in {"ca": 0, "hp": 16, "tp": 16, "size": 5000}.items()
        ),
        STATE + queues(ca=1 | 4000 << 16),
    ],
)
def test_states_that_no_controller_can_have(migrated: Migrated, state: bytes) -> None:
    migrated.enable()
    manager = migrated.managers[1]
    assert send(manager, SUSPEND) == OK
    assert migrated.set_state(STATE + queues()) == OK
    assert migrated.set_state(state) == INVALID_FIELD
    assert state_of(manager, size=104)[0] == STATE + queues(), "it is as before"


def test_queues_that_share_a_completion_queue_are_replaced(pair: Pair) -> None:
    nvme = pair.b.nvme
    shared = Queue(nvme.memory, nvme.doorbells, 2, 16)
    assert nvme.admin.execute(0x01, prp1=shared.sq, cdw10=15 << 16 | 2, cdw11=1 << 16 | 1)[1] == OK
    assert send(pair.a, SUSPEND) == OK
    buffer = pair.a.nvme.memory.alloc(4096)
    pair.a.nvme.memory.write(buffer, STATE + queues(sqid=3, cqid=3, of=3))
    fields = {"cdw10": 3 << 16 | SET_STATE, "cdw11": 1 << 16 | CHILD, "cdw15": 26}
    assert pair.a.nvme.admin.execute(SEND, prp1=buffer, **fields)[1] == OK
    assert state_of(pair.a, size=104)[0] == STATE + queues(sqid=3, cqid=3, of=3)


def test_parts_that_are_out_of_order(migrated: Migrated) -> None:
    manager = migrated.managers[1]
    assert send(manager, SUSPEND) == OK
    assert migrated.set_state(STATE) == BAD_CONTROLLER, "it is not enabled"
    assert send(manager, RESUME) == OK
    migrated.enable()
    assert send(manager, SUSPEND) == OK
    buffer = manager.nvme.memory.alloc(4096)

    def part(sequence: int, offset: int, dwords: int = 4) -> int:
        fields = {
            "cdw10": sequence << 16 | SET_STATE,
            "cdw11": 1 << 16 | CHILD,
            "cdw12": offset,
            "cdw15": dwords,
        }
        return manager.nvme.admin.execute(SEND, prp1=buffer, **fields)[1]

    assert part(0, 0) == part(2, 0) == SEQUENCE_ERROR, "the first part is missing"
    assert part(1, 16) == INVALID_FIELD
    assert part(1, 0) == OK and part(0, 32) == INVALID_FIELD
    assert part(0, 16, 0x10000) == INVALID_FIELD, "more than any state has"
    assert migrated.set_state(STATE + queues(), stype=0) == INVALID_FIELD, "CSVI 0, but a state of queues"
