# SPDX-License-Identifier: BSD-3-Clause
"""Reservations between two hosts: commands, who may access what, notifications, persistence.

Base 2.1, sections 7.5 to 7.8, 8.1.22, 5.1.12.1.32 and 5.1.25.1.24 to 5.1.25.1.26.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from client import Queue, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    ASYNC_EVENT,
    COMPARE,
    DSM,
    FLUSH,
    FORMAT,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    INVALID_OPCODE,
    OK,
    POWER,
    READ,
    SANITIZE,
    SET_FEATURES,
    VERIFY,
    WRITE,
    WRITE_ZEROES,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
)
from fault_helpers import RELEASE as RELEASE_HELD
from fault_helpers import clear, plant
from tcg_helpers import SECURITY_RECEIVE, SECURITY_SEND

REGISTER, REPORT, ACQUIRE, RELEASE = 0x0D, 0x0E, 0x11, 0x15
CONFLICT, INCONSISTENT, PREEMPTED = 0x083, 0x018, 0x01B
GET_FEATURES, NS_ATTACHMENT, COPY = 0x0A, 0x15, 0x19
HOST_ID, MASK, PERSISTENCE = 0x81, 0x82, 0x83
IEKEY, CPTPL_OFF, CPTPL_ON = 1 << 3, 2 << 30, 3 << 30
AVAILABLE = 0x80 << 16 | 0 << 8 | 6
"""An event: log page 80h, Reservation Log Page Available, of an I/O command set."""
NO_CTRL = 0xFFFF
A, B = 0xA1A2A3A4A5A6A7A8, 0xB1B2B3B4B5B6B7B8


class Party(Host):
    """A host with an identifier, at one controller of a virtual SSD."""

    def __init__(self, folder: str, identifier: bytes) -> None:
        self.identifier = identifier
        super().__init__(SimpleNamespace(folder=folder))  # type: ignore[arg-type]

    def start(self) -> None:
        super().start()
        self.data = self.nvme.memory.alloc(4096)
        if self.identifier:
            assert self.identify_itself() == OK

    def identify_itself(self) -> int:
        self.nvme.memory.write(self.data, self.identifier)
        wide = len(self.identifier) == 16
        return self.nvme.admin.execute(SET_FEATURES, prp1=self.data, cdw10=HOST_ID, cdw11=wide)[1]

    def send(self, opcode: int, cdw10: int, *keys: int, nsid: int = 1) -> int:
        self.nvme.memory.write(self.data, struct.pack(f"<{len(keys)}Q", *keys))
        return self.disk.queue.execute(opcode, nsid=nsid, prp1=self.data, cdw10=cdw10)[1]

    def register(self, key: int, flags: int = 0) -> int:
        return self.send(REGISTER, flags, 0, key)

    def unregister(self, key: int, flags: int = 0) -> int:
        return self.send(REGISTER, 1 | flags, key, 0)

    def acquire(self, kind: int, key: int, flags: int = 0) -> int:
        return self.send(ACQUIRE, kind << 8 | flags, key, 0)

    def preempt(self, kind: int, key: int, other: int, action: int = 1) -> int:
        return self.send(ACQUIRE, kind << 8 | action, key, other)

    def release(self, kind: int, key: int, flags: int = 0) -> int:
        return self.send(RELEASE, kind << 8 | flags, key)

    def clear(self, key: int) -> int:
        return self.send(RELEASE, 1, key)

    def report(self, extended: bool = False, length: int = 1024) -> bytes:
        self.nvme.memory.write(self.data, b"\xa5" * 4096)
        found = self.disk.queue.execute(
            REPORT, nsid=1, prp1=self.data, cdw10=length // 4 - 1, cdw11=int(extended)
        )
        assert found[1] == OK
        return self.nvme.memory.read(self.data, length)

    def notices(self) -> list[tuple[int, int]]:
        """(type, NSID) of all pages of log page 80h, which are then read."""
        found = []
        while (page := log_page(self.nvme, 0x80, 64))[:8] != bytes(8):
            found.append((page[8], struct.unpack_from("<I", page, 12)[0]))
        return found


class Two:
    """A virtual SSD with two controllers and reservations, and a host at each."""

    def __init__(
        self, start: Start, *options: str, ids: tuple[bytes, bytes] = (b"host A..", b"host B..")
    ) -> None:
        self.server = start("--controllers", "2", "--reservations", "--size", "4M", *options)
        self.a = Party(self.server.folder, ids[0])
        self.b = Party(os.path.join(self.server.folder, "2"), ids[1])

    def power_cycle(self) -> None:
        control(self.server, POWER, 0)
        control(self.server, POWER, 1)
        self.a.start()
        self.b.start()

    def close(self) -> None:
        self.a.close()
        self.b.close()


@pytest.fixture
def two(start: Start) -> Iterator[Two]:
    made = Two(start)
    yield made
    made.close()


def reserve(two: Two, kind: int) -> None:
    """Host A reserves the namespace, from nothing."""
    assert two.a.register(A) == OK
    assert two.a.acquire(kind, A) == OK


def test_what_the_drive_announces(two: Two) -> None:
    assert identify(two.a.nvme, 1)[520] & 1 << 5, "ONCS"
    assert identify(two.a.nvme, 0, 1)[31] == 0xFF, "RESCAP: all types, persistence, IEKEY of 1.3"
    assert identify(two.a.nvme, 8, 1)[2] == 0xFF
    effects = struct.unpack_from("<256I", log_page(two.a.nvme, 5, 4096), 1024)
    assert all(effects[opcode] & 1 for opcode in (REGISTER, REPORT, ACQUIRE, RELEASE))


def test_a_drive_without_them_refuses_all(host: Host) -> None:
    for opcode in (REGISTER, REPORT, ACQUIRE, RELEASE):
        assert host.disk.queue.execute(opcode, nsid=1, prp1=host.disk.buffer)[1] == INVALID_OPCODE
    assert set_feature(host.nvme, PERSISTENCE, 1, nsid=1) == set_feature(host.nvme, MASK, 2, nsid=1) == 2
    _, status = host.nvme.admin.execute(2, nsid=ALL_NAMESPACES, prp1=host.disk.buffer, cdw10=15 << 16 | 0x80)
    assert status == INVALID_LOG_PAGE
    assert identify(host.nvme, 1)[520] & 1 << 5 == 0 and identify(host.nvme, 0, 1)[31] == 0


def test_registration(two: Two) -> None:
    a, b = two.a, two.b
    assert a.report()[:24] == bytes(24)
    assert a.register(A) == OK and a.register(A) == OK
    assert a.register(B) == CONFLICT, "it has another key"
    assert b.unregister(B) == CONFLICT, "it is no registrant"
    assert a.send(REGISTER, 2, B, B) == CONFLICT, "replace needs the key"
    assert a.send(REGISTER, 2, A, B) == OK
    assert a.send(REGISTER, 2 | IEKEY, 0, A) == OK, "or IEKEY"
    assert b.register(B) == OK
    assert a.unregister(B) == CONFLICT and a.unregister(B, IEKEY) == OK
    assert b.unregister(B) == OK
    for cdw10 in (3, 7, 1 << 30):
        assert a.send(REGISTER, cdw10, 0, A) == INVALID_FIELD
    assert a.send(REGISTER, 0, 0, A, nsid=ALL_NAMESPACES) in (INVALID_FIELD, 0x00B)


def test_report_tells_generation_type_and_controllers(two: Two) -> None:
    a, b = two.a, two.b
    reserve(two, 3)
    assert b.register(B) == OK
    expected = struct.pack("<IBH2xB14x", 2, 3, 2, 0)
    expected += struct.pack("<HB5x8sQ", 1, 1, b"host A..", A) + struct.pack("<HB5x8sQ", 2, 0, b"host B..", B)
    assert a.report()[:72] == b.report()[:72] == expected
    assert a.report()[72:] == bytes(1024 - 72), "zeros past the end"
    assert a.report(length=28)[:28] == expected[:28]
    b.client.write32(0x14, 0)
    assert struct.unpack_from("<H", a.report(), 48)[0] == NO_CTRL, "the host has no controller after a reset"
    found = a.disk.queue.execute(REPORT, nsid=1, prp1=a.data, cdw10=255, cdw11=1)
    assert found[1] == INCONSISTENT, "the extended form is for identifiers of 128 bits"


def test_identifiers_of_128_bits(start: Start) -> None:
    two = Two(start, ids=(b"host A" * 2 + b"wide", b"host B" * 2 + b"wide"))
    reserve(two, 1)
    data = two.b.report(extended=True)
    assert data[:64] == struct.pack("<IBH2xB54x", 1, 1, 1, 0)
    assert data[64:128] == struct.pack("<HB5xQ16s32x", 1, 1, A, b"host A" * 2 + b"wide")
    assert two.b.disk.queue.execute(REPORT, nsid=1, prp1=two.b.data, cdw10=255)[1] == INCONSISTENT
    two.b.identifier = b"8 bytes."
    assert two.b.identify_itself() == INCONSISTENT, "the other controller has one of 128 bits"
    two.close()


READS, WRITES = (READ, COMPARE, VERIFY), (WRITE, WRITE_ZEROES, DSM, FLUSH)


@pytest.mark.parametrize("kind", range(1, 7))
def test_who_may_access_what(two: Two, kind: int) -> None:
    """The table of the specification, for the holder, another registrant, and any other host."""
    a, b = two.a, two.b
    reserve(two, kind)

    def allowed(party: Party) -> set[int]:
        party.nvme.memory.write(party.disk.buffer, bytes(4096))
        found = {}
        for opcode in READS + WRITES:
            status = (
                party.disk.command(opcode, 0)
                if opcode not in (DSM, FLUSH)
                else party.disk.queue.execute(opcode, nsid=1, prp1=party.disk.buffer)[1]
            )
            assert status in (OK, CONFLICT)
            found[opcode] = status == OK
        return {opcode for opcode, good in found.items() if good}

    stranger = set(READS) if kind in (1, 3, 5) else set()
    assert allowed(a) == set(READS + WRITES), "the holder"
    assert allowed(b) == stranger
    assert b.nvme.admin.execute(FORMAT, nsid=1)[1] == CONFLICT
    assert b.register(B) == OK
    assert allowed(b) == (stranger if kind in (1, 2) else set(READS + WRITES)), "another registrant"
    assert b.acquire(kind, B) == (OK if kind in (5, 6) else CONFLICT)
    assert a.acquire(kind % 6 + 1, A) == CONFLICT, "of another type"
    assert a.acquire(kind, A) == OK
    assert a.release(kind % 6 + 1, A) == INVALID_FIELD
    assert a.release(kind, A) == OK
    assert allowed(b) == set(READS + WRITES)


def test_plain_commands_are_refused_as_well(two: Two) -> None:
    two.b.disk.write(0, pattern(0, 8))
    reserve(two, 2)
    for _ in range(3):
        assert two.b.disk.command(READ, 0, 8) == two.b.disk.command(WRITE, 0, 8) == CONFLICT
        assert two.a.disk.read(0, 8) == pattern(0, 8)
    two.b.identifier = b"host A.."
    assert two.b.identify_itself() == OK
    assert two.b.disk.read(0, 8) == pattern(0, 8), "both controllers have the same host now"


def test_acquire_and_release_check_their_fields(two: Two) -> None:
    a, b = two.a, two.b
    assert a.acquire(1, A) == CONFLICT, "no registrant"
    assert a.register(A) == OK
    assert a.acquire(1, B) == CONFLICT, "the wrong key"
    assert a.acquire(0, A) == a.acquire(7, A) == a.acquire(1, A, IEKEY) == a.acquire(1, A, 3) == INVALID_FIELD
    assert a.release(1, A, IEKEY) == a.release(1, A, 2) == INVALID_FIELD
    assert a.release(1, B) == CONFLICT and b.release(1, B) == CONFLICT
    assert a.release(1, A) == OK, "there is none to release"
    assert a.acquire(1, A) == OK and b.register(B) == OK
    assert b.release(1, B) == OK and b.disk.command(WRITE, 0) == CONFLICT, "that of another host stays"
    assert a.unregister(A) == OK and b.disk.command(WRITE, 0) == OK, "it ends with its holder"


def test_preempt(two: Two) -> None:
    a, b = two.a, two.b
    reserve(two, 1)
    assert b.register(B) == OK
    assert b.preempt(2, B, 0) == INVALID_FIELD and b.preempt(2, B, 0x77) == CONFLICT
    before = struct.unpack_from("<I", b.report())[0]
    assert b.preempt(2, B, A) == OK
    head = struct.unpack_from("<IBH", b.report())
    assert head == (before + 1, 2, 1), "the holder is no registrant any more"
    assert a.disk.command(READ, 0) == CONFLICT and b.disk.command(WRITE, 0) == OK
    assert a.notices() == [(1, 1)], "registration preempted"
    assert b.notices() == []
    assert a.register(A) == OK
    assert b.preempt(1, B, A, action=2) == OK, "a registrant that is no holder"
    assert struct.unpack_from("<BH", b.report(), 4) == (2, 1), "the reservation stays as it was"
    assert b.preempt(4, B, B) == OK, "its own: another type"
    assert struct.unpack_from("<BH", b.report(), 4) == (4, 1)


def delay(two: Two, *rules: str) -> int:
    """Host B is a registrant, and the rules delay its commands. Returns the number of the first rule."""
    reserve(two, 3)
    assert two.b.register(B) == OK
    return plant(two.server, *rules)


def aborted(queue: Queue) -> set[tuple[int, int]]:
    """(CID, status) of all completions that have been posted."""
    found = set()
    while (one := queue.poll()) is not None:
        found.add((one.cid, one.status))
    return found


def test_preempt_and_abort_completes_what_is_in_flight(two: Two) -> None:
    """Base 2.1, 8.1.22.7: Preempt and Abort completes after the commands that it aborts."""
    a, b = two.a, two.b
    delay(
        two,
        "opcode=read do late=20s",
        "opcode=write lba=8 do hold",
        "opcode=write lba=16 do split=512 gap=20s",
        "opcode=get-features do late=20s",
    )
    queue, admin, data = b.disk.queue, b.nvme.admin, b.data
    late = queue.submit(sqe(READ, nsid=1, prp1=data, cdw10=3))
    held = queue.submit(sqe(WRITE, nsid=1, prp1=data, cdw10=8))
    cut = queue.submit(sqe(WRITE, nsid=1, prp1=data, cdw10=16, cdw12=1))
    feature = admin.submit(sqe(GET_FEATURES, nsid=1, cdw10=MASK))
    other = admin.submit(sqe(GET_FEATURES, cdw10=HOST_ID, prp1=data))
    assert b.disk.command(VERIFY, 0) == OK, "the drive has fetched the commands"
    assert queue.poll() is None and admin.poll() is None
    assert a.preempt(3, A, B, action=2) == OK
    assert aborted(queue) == {(late, PREEMPTED), (held, PREEMPTED), (cut, PREEMPTED)}
    assert aborted(admin) == {(feature, PREEMPTED)}, f"CID {other} has no NSID"
    assert b.disk.command(WRITE, 0) == CONFLICT and b.notices() == [(1, 1)]
    clear(two.server)


def test_preempt_alone_aborts_nothing_and_leaves_other_namespaces(start: Start) -> None:
    two = Two(start, "--namespaces", "2")
    a, b = two.a, two.b
    rule = delay(two, "opcode=read do hold")
    here = b.disk.queue.submit(sqe(READ, nsid=1, prp1=b.data))
    there = b.disk.queue.submit(sqe(READ, nsid=2, prp1=b.data))
    assert a.preempt(3, A, B) == OK
    assert b.disk.command(FLUSH, 0) == CONFLICT and b.disk.queue.poll() is None
    assert b.register(B) == OK
    assert a.preempt(3, A, B, action=2) == OK
    assert aborted(b.disk.queue) == {(here, PREEMPTED)}
    control(two.server, RELEASE_HELD, rule)
    assert b.disk.queue.wait().cid == there
    two.close()


def test_preempt_and_abort_reaches_each_controller_of_the_host(start: Start) -> None:
    """All controllers with the identifier of the host, and no other; a format is aborted as well."""
    server = start("--controllers", "3", "--reservations", "--size", "4M", "--format-time", "20000")
    folders = [server.folder, os.path.join(server.folder, "2"), os.path.join(server.folder, "3")]
    a, b, same = (
        Party(folder, name) for folder, name in zip(folders, (b"host A..", b"host B..", b"host B.."))
    )
    assert a.register(A) == OK and b.register(B) == OK
    plant(server, "opcode=read do hold")
    mine = a.disk.queue.submit(sqe(READ, nsid=1, prp1=a.data))
    first = b.disk.queue.submit(sqe(READ, nsid=1, prp1=b.data))
    second = same.disk.queue.submit(sqe(READ, nsid=1, prp1=same.data))
    assert all(one.disk.command(VERIFY, 0) == OK for one in (a, b, same))
    formatting = same.nvme.admin.submit(sqe(FORMAT, nsid=1))
    assert set_feature(same.nvme, MASK, 0, nsid=1) == OK
    assert a.preempt(3, A, B, action=2) == OK
    assert aborted(b.disk.queue) == {(first, PREEMPTED)}
    assert aborted(same.disk.queue) == {(second, PREEMPTED)}
    assert aborted(same.nvme.admin) == {(formatting, PREEMPTED)}
    assert a.disk.queue.poll() is None, f"CID {mine} is the preempting host's"
    for one in (a, b, same):
        one.close()


def test_a_host_that_preempts_itself_aborts_its_own(two: Two) -> None:
    a, queue = two.a, two.a.disk.queue
    reserve(two, 1)
    plant(two.server, "opcode=read do hold")
    mine = queue.submit(sqe(READ, nsid=1, prp1=a.nvme.memory.alloc(512)))
    a.nvme.memory.write(a.data, struct.pack("<2Q", A, A))
    preemption = queue.submit(sqe(ACQUIRE, nsid=1, prp1=a.data, cdw10=2 << 8 | 2))
    seen = [(one.cid, one.status) for one in (queue.wait(), queue.wait())]
    assert seen == [(mine, PREEMPTED), (preemption, OK)]


def test_the_type_that_changes_is_told_to_all_registrants(two: Two) -> None:
    """Base 2.1, 8.1.22.7: also if the old type was Write Exclusive."""
    a, b = two.a, two.b
    reserve(two, 1)
    assert b.register(B) == OK
    assert a.preempt(2, A, A) == OK
    assert b.notices() == [(2, 1)], "reservation released"


def test_nsid_of_all_namespaces_conflicts_if_one_does(start: Start) -> None:
    two = Two(start, "--namespaces", "2", "--tcg", "--namespace-management")
    a, b = two.a, two.b
    assert a.send(REGISTER, 0, 0, A, nsid=2) == OK
    assert b.disk.queue.execute(FLUSH, nsid=ALL_NAMESPACES)[1] == OK
    assert a.send(ACQUIRE, 1 << 8, A, 0, nsid=2) == OK
    assert b.disk.queue.execute(FLUSH, nsid=ALL_NAMESPACES)[1] == CONFLICT
    assert b.disk.queue.execute(FLUSH, nsid=1)[1] == OK
    assert a.disk.queue.execute(FLUSH, nsid=ALL_NAMESPACES)[1] == OK

    def admin(opcode: int, **fields: int) -> int:
        return b.nvme.admin.execute(opcode, prp1=b.data, **fields)[1]

    stack_reset = {"cdw10": 2 << 24 | 0x1004 << 8, "cdw11": 512}
    for nsid, expected in ((0, INVALID_FIELD), (1, INVALID_FIELD), (2, CONFLICT), (ALL_NAMESPACES, CONFLICT)):
        assert admin(SECURITY_SEND, nsid=nsid, **stack_reset) == expected, "INVALID_FIELD is the TPer's"
    assert admin(SECURITY_RECEIVE, nsid=2, cdw11=512) == OK, "Write Exclusive allows reads"
    assert admin(SANITIZE, cdw10=2) == CONFLICT
    b.nvme.memory.write(b.data, struct.pack("<HH", 1, 2))
    assert admin(NS_ATTACHMENT, nsid=2, cdw10=1) == CONFLICT
    assert a.preempt(2, 0, 0) == CONFLICT
    assert a.send(ACQUIRE, 2 << 8 | 1, A, A, nsid=2) == OK
    assert admin(SECURITY_RECEIVE, nsid=2, cdw11=512) == CONFLICT
    two.close()


def test_a_copy_reads_its_sources(start: Start) -> None:
    """Base 2.1, figure 646, note 3: sources are read, the destination is written."""
    two = Two(start, "--namespaces", "2", "--copy")
    a, b = two.a, two.b
    b.nvme.memory.write(b.data, bytes([0, 0, 0, 0, 4, 0]).ljust(512, b"\0"))
    assert b.nvme.admin.execute(SET_FEATURES, prp1=b.data, cdw10=0x16)[1] == OK, "CDFE: format 2h"

    def copy(source: int, destination: int) -> int:
        b.nvme.memory.write(b.data, struct.pack("<I4xQH14x", source, 0, 0))
        return b.disk.queue.execute(COPY, nsid=destination, prp1=b.data, cdw10=16, cdw12=2 << 8)[1]

    assert a.send(REGISTER, 0, 0, A, nsid=2) == OK
    for kind, reads in ((1, OK), (2, CONFLICT)):
        assert a.send(ACQUIRE, kind << 8, A, 0, nsid=2) == OK
        assert copy(2, 1) == reads and copy(1, 2) == CONFLICT and copy(1, 1) == OK
        assert a.send(RELEASE, kind << 8, A, nsid=2) == OK
    two.close()


def test_preempt_where_all_registrants_hold_it(two: Two) -> None:
    a, b = two.a, two.b
    reserve(two, 6)
    assert b.register(B) == OK
    assert [entry[1] for entry in struct.iter_unpack("<HB5x8xQ", a.report()[24:72])] == [1, 1]
    assert a.unregister(A) == OK
    assert struct.unpack_from("<BH", b.report(), 4) == (6, 1), "the last registrant holds it"
    assert a.register(A) == OK
    assert b.preempt(1, B, 0) == OK, "key 0: all others"
    assert struct.unpack_from("<BH", b.report(), 4) == (1, 1)
    assert a.notices() == [(1, 1)]


def test_clear_and_notifications(two: Two) -> None:
    a, b = two.a, two.b
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    reserve(two, 3)
    assert b.register(B) == OK
    assert a.release(3, A) == OK
    assert b.nvme.admin.wait().cdw0 == AVAILABLE
    assert a.acquire(4, A) == OK and a.clear(A) == OK
    first = log_page(b.nvme, 0x80, 64, retain=True)
    assert struct.unpack_from("<QBBxxI", first) == (1, 2, 1, 1), "the oldest, and one more"
    assert log_page(b.nvme, 0x80, 64) == first, "retained until then"
    assert struct.unpack_from("<QBBxxI", log_page(b.nvme, 0x80, 64)) == (2, 3, 0, 1), "reservation preempted"
    assert log_page(b.nvme, 0x80, 64) == bytes(64)
    assert a.report()[4:7] == bytes(3) and struct.unpack_from("<I", a.report())[0] == 3
    assert b.clear(B) == CONFLICT


def test_masked_notifications(two: Two) -> None:
    a, b = two.a, two.b
    assert set_feature(b.nvme, MASK, 0xFFFFFFFF, nsid=ALL_NAMESPACES) == OK
    assert get_feature(b.nvme, MASK, nsid=1) == 0xE
    reserve(two, 3)
    assert b.register(B) == OK and a.release(3, A) == OK and a.clear(A) == OK
    assert b.notices() == []


def test_persistence_through_power_loss(two: Two) -> None:
    a, b = two.a, two.b
    reserve(two, 2)
    two.power_cycle()
    assert a.report()[:24] == bytes(24), "it does not persist"
    assert a.register(A, CPTPL_ON) == OK and a.acquire(2, A) == OK
    assert get_feature(a.nvme, PERSISTENCE, nsid=1) == 1 and a.report()[9] == 1
    two.power_cycle()
    assert b.disk.command(READ, 0) == CONFLICT and a.disk.command(READ, 0) == OK
    a.client.write32(0x20, 0x4E564D65)
    a.start()
    b.start()
    assert b.disk.command(READ, 0) == CONFLICT, "NSSR keeps it in any case"
    assert set_feature(b.nvme, PERSISTENCE, 0, nsid=1) == OK
    two.power_cycle()
    assert b.disk.command(READ, 0) == OK


def test_persistence_in_a_file(start: Start, folder: str) -> None:
    options = ("--file", os.path.join(folder, "drive"))
    two = Two(start, *options)
    assert two.a.register(A, CPTPL_ON) == OK and two.a.acquire(1, A) == OK
    two.close()
    two.server.stop()
    two.server.check_end = lambda: None  # type: ignore[method-assign]
    again = Two(start, *options)
    assert again.b.disk.command(WRITE, 0) == CONFLICT and again.a.disk.command(WRITE, 0) == OK
    again.close()


def test_hosts_without_an_identifier_are_two_and_end_with_a_reset(start: Start) -> None:
    two = Two(start, ids=(b"", b""))
    reserve(two, 2)
    assert two.b.disk.command(READ, 0) == CONFLICT and two.a.disk.command(READ, 0) == OK
    two.b.client.write32(0x14, 0)
    two.b.start()
    assert two.b.disk.command(READ, 0) == CONFLICT
    two.a.client.write32(0x14, 0)
    assert two.b.disk.command(READ, 0) == OK
    two.a.start()
    two.close()


def whole_report(party: Party, extended: bool, length: int) -> bytes:
    """A report of several pages."""
    memory = party.nvme.memory
    pages = [memory.alloc(4096) for _ in range(-(-length // 4096))]
    listed = memory.alloc(4096)
    memory.write(listed, struct.pack(f"<{len(pages) - 1}Q", *pages[1:]))
    command = {"prp1": pages[0], "prp2": listed, "cdw10": length // 4 - 1, "cdw11": int(extended)}
    assert party.disk.queue.execute(REPORT, nsid=1, **command)[1] == OK
    return b"".join(memory.read(page, 4096) for page in pages)[:length]


@pytest.mark.parametrize("wide", [False, True])
def test_hosts_are_registrants_until_the_table_is_full_and_a_power_loss_keeps_them(
    start: Start, wide: bool
) -> None:
    """A host stays a registrant when its controller gets another host identifier. 800 fit."""
    names = [b"host%4d" % number * (2 if wide else 1) for number in range(801)]
    two = Two(start, ids=(names[0], names[-1]))
    for number, two.a.identifier in enumerate(names[:-1]):
        assert two.a.identify_itself() == OK
        assert two.a.register(A + number, CPTPL_ON) == OK, number
    assert two.b.register(B) == 0x006
    assert two.a.acquire(1, A + 799) == OK
    two.power_cycle()
    head, entry = (64, 64) if wide else (24, 24)
    report = whole_report(two.a, wide, head + 800 * entry)
    assert struct.unpack_from("<IBH2xB", report) == (800, 1, 800, 1)
    for number, name in enumerate(names[:-1]):
        last = number == 799
        cntlid, status = (1 if last else NO_CTRL), int(last)
        found = report[head + number * entry :][:entry]
        key = struct.pack("<Q", A + number)
        ends = key + name + bytes(32) if wide else name + key
        assert found == struct.pack("<HB5x", cntlid, status) + ends, number
    assert two.b.disk.command(WRITE, 0) == CONFLICT and two.a.disk.command(WRITE, 0) == OK
    two.close()
