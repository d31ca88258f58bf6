# SPDX-License-Identifier: BSD-3-Clause
"""Flexible Data Placement: configurations, handles, reclaim units, statistics, events, statuses.

Base 2.1, sections 5.1.12.1.28 to 5.1.12.1.31, 5.1.25.1.20, 5.1.25.1.21, 7.3, 7.4 and 8.1.10.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Nvme
from ctrl_helpers import (
    DSM,
    FORMAT,
    GET_FEATURES,
    GET_LOG,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_FORMAT,
    INVALID_LOG_PAGE,
    INVALID_OPCODE,
    OK,
    SEQUENCE_ERROR,
    SET_FEATURES,
    WRITE,
    Disk,
    Host,
    Start,
    identify,
    pattern,
)
from nvme_cli import COMPILER, PROGRAM, NvmeCli, build
from server import Server

MANAGE, ATTACH = 0x0D, 0x15
RECEIVE, SEND = 0x12, 0x1D
DIRECTIVE_SEND, DIRECTIVE_RECEIVE = 0x19, 0x1A
FDP, EVENTS = 0x1D, 0x1E
FDP_DISABLED, BAD_HANDLES = 0x029, 0x02A
NOT_WRITTEN, INVALID_PID, REALLOCATED = 0x00, 0x03, 0x80
TYPES = (NOT_WRITTEN, 0x01, 0x02, INVALID_PID, REALLOCATED, 0x81)
GROUP = 1
DISK_BYTES = 16 << 20
UNIT = 128 << 10
"""Of a drive of 16 MiB: the least power of two of which 128 have the capacity."""


def log(nvme: Nvme, lid: int, length: int = 4096, lsp: int = 0, group: int = GROUP) -> bytes:
    """A log page of an endurance group."""
    data, status = try_log(nvme, lid, length, lsp, group)
    assert status == OK
    return data


def try_log(nvme: Nvme, lid: int, length: int = 64, lsp: int = 0, group: int = GROUP) -> tuple[bytes, int]:
    buffer = nvme.memory.alloc(4096)
    dwords = length // 4 - 1
    _, status = nvme.admin.execute(
        GET_LOG, prp1=buffer, cdw10=dwords << 16 | lsp << 8 | lid, cdw11=group << 16
    )
    return nvme.memory.read(buffer, length), status


def statistics(nvme: Nvme) -> tuple[int, int, int]:
    """HBMW, MBMW and MBE, in bytes."""
    data = log(nvme, 0x22, 64)
    assert data[48:] == bytes(16)
    host, media, erased = (int.from_bytes(data[at : at + 16], "little") for at in (0, 16, 32))
    return host, media, erased


def events(nvme: Nvme, by_host: bool) -> list[bytes]:
    data = log(nvme, 0x23, 4096, lsp=by_host)
    (count,) = struct.unpack_from("<I", data)
    assert data[4:64] == bytes(60) and count <= 63
    return [data[64 * i : 64 * i + 64] for i in range(1, count + 1)]


def set_events(nvme: Nvme, kinds: list[int], enable: bool = True, handle: int = 0, nsid: int = 1) -> int:
    """The status of enabling event types."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, bytes(kinds))
    word = len(kinds) << 16 | handle
    return nvme.admin.execute(
        SET_FEATURES, nsid=nsid, prp1=buffer, cdw10=EVENTS, cdw11=word, cdw12=int(enable)
    )[1]


def enabled(nvme: Nvme, handle: int = 0, wanted: int = 8, select: int = 0) -> dict[int, int]:
    buffer = nvme.memory.alloc(4096)
    count, status = nvme.admin.execute(
        GET_FEATURES, nsid=1, prp1=buffer, cdw10=select << 8 | EVENTS, cdw11=wanted << 16 | handle
    )
    assert status == OK and count <= wanted
    data = nvme.memory.read(buffer, 2 * count)
    return dict(zip(data[::2], data[1::2]))


class Placed(Host):
    """A host that writes with placement identifiers."""

    def receive(self, mo: int = 1, length: int = 4096, nsid: int = 1) -> tuple[bytes, int]:
        memory, buffer = self.nvme.memory, self.disk.buffer
        memory.write(buffer, b"\xee" * 4096)
        _, status = self.disk.queue.execute(RECEIVE, nsid=nsid, prp1=buffer, cdw10=mo, cdw11=length // 4 - 1)
        return memory.read(buffer, 4096), status

    def status(self, nsid: int = 1) -> dict[int, tuple[int, int]]:
        """Placement identifiers: the reclaim unit handle, and the LBAs that its unit has left."""
        data, status = self.receive(nsid=nsid)
        assert status == OK
        assert data[:14] == bytes(14)
        found = {}
        for i in range(struct.unpack_from("<H", data, 14)[0]):
            pid, ruhid, earutr, left = struct.unpack_from("<HHIQ", data, 16 + 32 * i)
            assert earutr == 0 and data[32 + 32 * i : 48 + 32 * i] == bytes(16)
            found[pid] = (ruhid, left)
        return found

    def left(self, pid: int = 0, nsid: int = 1) -> int:
        return self.status(nsid)[pid][1]

    def update(self, *pids: int, mo: int = 1, count: int | None = None, nsid: int = 1) -> int:
        self.nvme.memory.write(self.disk.buffer, struct.pack(f"<{len(pids)}H", *pids))
        npid = (len(pids) if count is None else count) - 1
        return self.disk.queue.execute(
            SEND, nsid=nsid, prp1=self.disk.buffer, cdw10=(npid & 0xFFFF) << 16 | mo
        )[1]

    def put(self, lba: int, count: int = 8, pid: int | None = None, dtype: int = 2, nsid: int = 1) -> int:
        """The status of a write of LBAs of 512 bytes."""
        dtype, dspec = (0, 0) if pid is None else (dtype, pid)
        return self.disk.queue.execute(
            WRITE,
            nsid=nsid,
            prp1=self.disk.buffer,
            prp2=self.disk.buffer + 4096 if count > 8 else 0,
            cdw10=lba,
            cdw12=(count - 1) | dtype << 20,
            cdw13=dspec << 16,
        )[1]

    def feature(self, value: int, group: int = GROUP) -> int:
        return self.nvme.admin.execute(SET_FEATURES, cdw10=FDP, cdw11=group, cdw12=value)[1]

    def feature_value(self, select: int = 0, group: int = GROUP) -> tuple[int, int]:
        return self.nvme.admin.execute(GET_FEATURES, cdw10=select << 8 | FDP, cdw11=group)

    def create(self, nsze: int, *handles: int, count: int | None = None, flbas: int = 0) -> tuple[int, int]:
        """The NSID and the status. The namespace is attached."""
        buffer = self.nvme.memory.alloc(4096)
        data = bytearray(4096)
        struct.pack_into("<QQ", data, 0, nsze, nsze)
        data[26] = flbas
        struct.pack_into("<H", data, 392, len(handles) if count is None else count)
        struct.pack_into(f"<{len(handles)}H", data, 512, *handles)
        self.nvme.memory.write(buffer, bytes(data))
        nsid, status = self.nvme.admin.execute(MANAGE, prp1=buffer)
        if status == OK:
            self.nvme.memory.write(buffer, struct.pack("<HH", 1, 1).ljust(4096, b"\0"))
            assert self.nvme.admin.execute(ATTACH, nsid=nsid, prp1=buffer)[1] == OK
        return nsid, status

    def delete(self, nsid: int = 0xFFFFFFFF) -> None:
        assert self.nvme.admin.execute(MANAGE, nsid=nsid, cdw10=1)[1] == OK

    def deallocate(self, lba: int, count: int) -> None:
        self.nvme.memory.write(self.disk.buffer, struct.pack("<IIQ", 0, count, lba))
        assert self.disk.queue.execute(DSM, nsid=1, prp1=self.disk.buffer, cdw11=4)[1] == OK


@pytest.fixture
def host(start: Start) -> Iterator[Placed]:
    host = Placed(start("--size", "16M", "--fdp"))
    yield host
    host.close()


@pytest.fixture
def managed(start: Start) -> Iterator[Placed]:
    """The same with a host that can create namespaces."""
    host = Placed(start("--size", "16M", "--fdp", "--namespace-management"))
    yield host
    host.close()


def test_a_drive_without_the_option_has_none_of_it(start: Start) -> None:
    host = Placed(start("--size", "1M"))
    id = identify(host.nvme, 1)
    assert not struct.unpack_from("<I", id, 96)[0] & (1 << 4 | 1 << 19) and id[340:342] == bytes(2)
    assert host.receive()[1] == host.update(0) == INVALID_OPCODE
    assert host.feature(1) == host.feature_value()[1] == INVALID_FIELD
    assert {try_log(host.nvme, lid)[1] for lid in (9, 0x20, 0x21, 0x22, 0x23)} == {INVALID_LOG_PAGE}
    assert host.nvme.admin.execute(IDENTIFY, prp1=host.disk.buffer, cdw10=0x19)[1] == INVALID_FIELD
    assert host.put(0, pid=5) == OK, "DTYPE is reserved"
    host.close()


def test_what_identify_and_the_configurations_tell(host: Placed) -> None:
    id, ns = identify(host.nvme, 1), identify(host.nvme, 0, nsid=1)
    assert struct.unpack_from("<I", id, 96)[0] & (1 << 4 | 1 << 19) == 1 << 4 | 1 << 19, "CTRATT: EGS, FDPS"
    assert struct.unpack_from("<H", id, 340)[0] == GROUP, "ENDGIDMAX"
    assert id[256] & 1 << 5, "OACS: directives"
    assert (
        struct.unpack_from("<HH", ns, 100) == (0, GROUP)
        and identify(host.nvme, 8, nsid=1)[10:14] == ns[100:104]
    )
    assert struct.unpack_from("<3H", identify(host.nvme, 0x19)) == (1, GROUP, 0)
    assert identify(host.nvme, 0x19, cdw11=2) == bytes(4096)
    data = log(host.nvme, 0x20, 256)
    assert struct.unpack_from("<HBBI8s", data) == (1, 0, 0, 192, bytes(8)), "two of them"
    first = struct.unpack_from("<HBBIHHIQI", data, 16)
    assert first == (96, 0x80, 0, 1, 8, 7, 32, UNIT, 0) and data[80:112] == b"\1\0\0\0" * 8
    second = struct.unpack_from("<HBBIHHIQI", data, 112)
    assert second == (80, 0x81, 0, 2, 4, 7, 32, UNIT, 0) and data[176:192] == b"\2\0\0\0" * 4
    assert data[192:] == bytes(64)
    usage = log(host.nvme, 0x21, 80)
    assert usage == struct.pack("<H6x", 8) + (b"\1" + bytes(7)) * 8 + bytes(8), "the host has them all"
    for lid in (0x09, 0x20, 0x21, 0x22, 0x23):
        assert try_log(host.nvme, lid, group=0)[1] == try_log(host.nvme, lid, group=2)[1] == INVALID_FIELD
    group = log(host.nvme, 0x09, 512)
    assert int.from_bytes(group[160:176], "little") == DISK_BYTES and group[3] == 100


def test_a_write_counts_down_its_reclaim_unit(host: Placed) -> None:
    whole = UNIT // 512
    assert host.status() == {pid: (pid, whole) for pid in range(8)}
    assert host.put(0) == host.put(8, 1) == host.put(64, 16, pid=3) == host.put(100, 8, pid=7) == OK
    assert {pid: left for pid, (_, left) in host.status().items() if left != whole} == {
        0: whole - 9,
        3: whole - 16,
        7: whole - 8,
    }
    assert statistics(host.nvme) == (33 * 512, 33 * 512, 0)
    for lba in range(1024, 1024 + whole - 16, 8):
        assert host.put(lba, pid=3) == OK
    assert host.left(3) == whole, "the next one"
    assert host.put(64, 16, pid=3) == OK and host.left(3) == whole - 16
    for pid in (0, 7):
        assert host.left(pid) < whole, "others stay"
    host.disk.write(2000, pattern(2000, 8))
    assert host.disk.read(2000, 8) == pattern(2000, 8), "the data are stored as ever"
    host.power_cycle()
    assert host.left(3) == whole - 16 and statistics(host.nvme)[0] == (33 + whole + 8) * 512, (
        "nothing is lost"
    )


def test_statistics_of_media_follow_the_reclaim_units(host: Placed) -> None:
    """A unit is erased once all of its data are overwritten or deallocated, and it is not the one in use."""
    whole = UNIT // 512

    def fill(lba: int, pid: int) -> None:
        for at in range(lba, lba + whole, 16):
            assert host.put(at, 16, pid=pid) == OK

    fill(0, 1)
    fill(0, 1)
    assert statistics(host.nvme) == (2 * UNIT, 2 * UNIT, UNIT)
    host.deallocate(0, whole - 1)
    assert statistics(host.nvme)[2] == UNIT
    host.deallocate(whole - 1, 1)
    assert statistics(host.nvme)[2] == 2 * UNIT
    fill(512, 2)
    assert host.nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert statistics(host.nvme) == (3 * UNIT, 3 * UNIT, 3 * UNIT)


def test_garbage_collection_writes_what_is_still_valid(start: Start) -> None:
    host = Placed(start("--size", "4M", "--fdp"))
    dice, size, unit = random.Random(1), 4 << 20, 32 << 10
    blocks = size // 8192
    assert set_events(host.nvme, [REALLOCATED], handle=1) == OK
    for block in range(blocks):
        assert host.put(16 * block, 16, pid=1) == OK
    assert events(host.nvme, False) == []
    host_bytes, media, _ = statistics(host.nvme)
    assert host_bytes == media == size
    for _ in range(2 * blocks):
        assert host.put(16 * dice.randrange(blocks), 16, pid=1) == OK
    host_bytes, media, erased = statistics(host.nvme)
    assert host_bytes == 3 * size < media and erased > size and erased % unit == 0
    assert media - erased <= 2 * size, "what was written and not erased fits"
    found = events(host.nvme, False)
    assert len(found) == 63 and events(host.nvme, True) == []
    for event in found:
        assert event[0] == REALLOCATED and event[1] == 6, "NSID and location"
        assert struct.unpack_from("<I", event, 12)[0] == 1 and event[16] == 1, "an LBA"
        count, lba = struct.unpack_from("<HQ", event, 18)
        assert 0 < count <= unit // 512 and lba + count <= size // 512
        assert struct.unpack_from("<HB", event, 32) == (0, 1), "reclaim group and handle"
    assert struct.unpack_from("<Q", log(host.nvme, 0x09, 512), 80)[0] == 1, "media units written"
    host.close()


def test_an_update_moves_on_early(host: Placed) -> None:
    whole = UNIT // 512
    assert set_events(host.nvme, [NOT_WRITTEN], handle=2) == OK
    assert host.update(2) == OK and events(host.nvme, True) == [], "the unit was empty"
    assert host.put(0, pid=2) == host.put(8, pid=1) == OK
    assert host.update(2, 1) == OK
    assert host.left(1) == host.left(2) == whole
    (event,) = events(host.nvme, True)
    assert event[:4] == struct.pack("<BBH", NOT_WRITTEN, 7, 2) and event[12:16] == struct.pack("<I", 1)
    assert event[32:35] == struct.pack("<HB", 0, 2) and event[35:] == bytes(29)
    assert host.put(0, pid=2) == OK
    assert host.update(2, 8) == INVALID_FIELD and host.left(2) == whole - 8, "nothing is updated"
    assert host.update(0, count=17) == INVALID_FIELD
    assert host.update(0, mo=2) == INVALID_FIELD and host.update(0, mo=0) == OK
    assert host.receive(mo=2)[1] == INVALID_FIELD and host.receive(mo=0) == (b"\xee" * 4096, OK)
    data, status = host.receive(length=20)
    assert status == OK and data[14:16] == b"\x08\0" and data[20:] == b"\xee" * 4076
    assert host.update(0, nsid=2) == host.receive(nsid=2)[1] == 0x00B, "there is no such namespace"


def test_an_invalid_placement_identifier_is_logged_and_not_refused(host: Placed) -> None:
    assert host.put(0, pid=8) == OK and events(host.nvme, True) == [], "not enabled"
    assert set_events(host.nvme, [NOT_WRITTEN, INVALID_PID]) == OK
    for pid in (8, 0x8000, 0xFFFF):
        assert host.put(0, pid=pid) == OK
    assert host.left(0) == UNIT // 512 - 32, "the first handle takes the data"
    found = events(host.nvme, True)
    assert [struct.unpack_from("<BBH", event) for event in found] == [
        (INVALID_PID, 3, pid) for pid in (8, 0x8000, 0xFFFF)
    ]
    for _ in range(70):
        assert host.put(0, pid=99) == OK
    found = events(host.nvme, True)
    assert len(found) == 63 and {event[2] for event in found} == {99}, "the latest"
    for dtype in (1, 3, 15):
        assert host.put(0, pid=0, dtype=dtype) == INVALID_FIELD, "a directive that is not there"
    host.power_cycle()
    assert len(events(host.nvme, True)) == 63 and enabled(host.nvme)[INVALID_PID] == 1


def test_which_events_are_enabled(host: Placed) -> None:
    assert enabled(host.nvme) == dict.fromkeys(TYPES, 0)
    assert set_events(host.nvme, [REALLOCATED, INVALID_PID]) == OK
    assert enabled(host.nvme) == {kind: int(kind in (REALLOCATED, INVALID_PID)) for kind in TYPES}
    assert enabled(host.nvme, wanted=1) == {NOT_WRITTEN: 0} and enabled(host.nvme, wanted=0) == {}
    assert set(enabled(host.nvme, select=1).values()) == set(enabled(host.nvme, handle=1).values()) == {0}
    assert set_events(host.nvme, [INVALID_PID], enable=False) == OK
    assert enabled(host.nvme) == {kind: int(kind == REALLOCATED) for kind in TYPES}
    assert (
        set_events(host.nvme, [NOT_WRITTEN, 0x42]) == INVALID_FIELD and enabled(host.nvme)[NOT_WRITTEN] == 0
    )
    assert set_events(host.nvme, [NOT_WRITTEN], handle=8) == INVALID_FIELD
    assert set_events(host.nvme, [NOT_WRITTEN], nsid=2) == 0x00B
    assert set_events(host.nvme, []) == OK
    assert set_events(host.nvme, [*TYPES]) == OK and set(enabled(host.nvme).values()) == {1}


def test_the_feature_changes_only_without_namespaces(managed: Placed) -> None:
    host = managed
    assert host.feature_value() == host.feature_value(1) == host.feature_value(2) == (1, OK)
    assert host.feature(0) == host.feature(0x101) == SEQUENCE_ERROR
    host.put(0, pid=1)
    host.delete()
    assert host.feature(0x201) == host.feature(1, group=2) == INVALID_FIELD
    assert host.feature_value(group=0)[1] == INVALID_FIELD
    assert host.feature(0) == OK and host.feature_value() == (0, OK) and host.feature_value(1) == (1, OK)
    assert {try_log(host.nvme, lid)[1] for lid in (0x21, 0x22, 0x23)} == {FDP_DISABLED}
    assert try_log(host.nvme, 0x20)[1] == OK
    assert host.create(256, 0)[1] == FDP_DISABLED
    nsid, status = host.create(256)
    assert status == OK
    assert host.receive()[1] == host.update(0) == FDP_DISABLED and set_events(host.nvme, [0]) == FDP_DISABLED
    assert host.put(0, pid=0) == INVALID_FIELD and host.put(0) == OK
    host.delete(nsid)
    assert host.feature(0x101) == OK and host.feature_value() == (0x101, OK)
    assert statistics(host.nvme) == (0, 0, 0), "they start anew"
    nsid, status = host.create(1024, 3, 1)
    whole = UNIT // 512
    assert host.status(nsid) == {0: (3, whole), 0x8000: (3, whole), 1: (1, whole), 0x8001: (1, whole)}
    assert host.put(0, 8, pid=0x8001, nsid=nsid) == host.put(8, 8, pid=0, nsid=nsid) == OK
    assert host.left(0x8001, nsid) == host.left(0, nsid) == whole - 8
    assert host.left(1, nsid) == whole
    host.power_cycle()
    assert host.feature_value() == (0x101, OK) and host.left(0x8001, nsid) == whole - 8


def test_handles_of_new_namespaces(managed: Placed) -> None:
    host = managed
    host.delete()
    for handles, count in (((8,), 1), ((0, 0), 2), (tuple(range(8)), 9), ((0, 1, 0xFFFF), 3)):
        assert host.create(256, *handles, count=count)[1] == BAD_HANDLES
    assert host.create(256, 2, 5) == (1, OK)
    assert host.create(256, 2, flbas=1)[1] == INVALID_FORMAT, "a handle has one format"
    assert host.create(256) == (2, OK), "the controller chooses"
    assert [log(host.nvme, 0x21, 72)[8 + 8 * i] for i in range(8)] == [2, 0, 1, 0, 0, 1, 0, 0]
    assert host.create(256, 0)[1] == BAD_HANDLES, "the controller has it"
    assert host.create(256) == (3, OK) and host.status(3) == host.status(2) == {0: (0, UNIT // 512)}
    assert host.create(256, 1, 3, 4, 6, 7, 2) == (4, OK), "two namespaces share handle 2"
    assert host.put(0, pid=5, nsid=4) == OK and host.left(0, nsid=1) == UNIT // 512 - 8
    host.delete(2)
    host.delete(3)
    assert host.create(256, 0) == (2, OK)
    assert host.create(256)[1] == BAD_HANDLES, "none is left"
    host.delete(1)
    assert [log(host.nvme, 0x21, 72)[8 + 8 * i] for i in range(8)] == [1, 1, 1, 1, 1, 0, 1, 1]


def test_namespaces_that_move_keep_their_accounts(managed: Placed) -> None:
    """A gap is closed for a namespace that would not fit."""
    host = managed
    host.delete()
    blocks = DISK_BYTES // 512
    first, second = (host.create(blocks // 4, pid)[0] for pid in (0, 1))
    for lba in range(0, 512, 16):
        assert host.put(lba, 16, nsid=second) == OK
    host.delete(first)
    before = statistics(host.nvme)
    assert host.create(blocks * 3 // 4, 2)[1] == OK
    assert statistics(host.nvme) == before and host.left(0, nsid=second) == UNIT // 512
    for lba in range(0, 512, 16):
        assert host.put(lba, 16, nsid=second) == OK
    assert statistics(host.nvme)[2] == before[2] + 512 * 512 // UNIT * UNIT, "the old units are empty"


def test_identify_directive(host: Placed) -> None:
    buffer = host.nvme.memory.alloc(4096)

    def directive(opcode: int, doper: int, dtype: int, value: int = 0, nsid: int = 1) -> int:
        word = dtype << 8 | doper
        return host.nvme.admin.execute(opcode, nsid=nsid, prp1=buffer, cdw10=1023, cdw11=word, cdw12=value)[1]

    assert directive(DIRECTIVE_RECEIVE, 1, 0) == OK
    data = host.nvme.memory.read(buffer, 4096)
    assert (data[0], data[32], data[64]) == (5, 5, 4) and sum(data) == 14
    assert directive(DIRECTIVE_SEND, 1, 0, value=2 << 8) == INVALID_FIELD, "it cannot be disabled"
    assert directive(DIRECTIVE_SEND, 1, 1) == directive(DIRECTIVE_RECEIVE, 1, 1) == INVALID_FIELD, (
        "no streams"
    )
    assert directive(DIRECTIVE_RECEIVE, 2, 0) == directive(DIRECTIVE_RECEIVE, 1, 7) == INVALID_FIELD


def test_a_null_drive_cannot_have_it(folder: str) -> None:
    server = Server(f"{folder}/0", "--fdp", "--size", "1M", "--null")
    assert "--fdp" in server.word
    server.stop()
    server.log.close()


def outcome(host: Placed) -> tuple[object, ...]:
    nvme = host.nvme
    seen = (statistics(nvme), events(nvme, True), events(nvme, False), enabled(nvme, 2))
    return (*seen, host.status(), host.feature_value())


def test_all_of_it_outlives_the_process_in_a_file(start: Start, folder: str) -> None:
    file, number = f"{folder}/data", 0
    options = ("--fdp", "--size", "16M", "--file", file)
    random.seed(5)
    expected: tuple[object, ...] | None = None
    for kills in (True, False, True):
        number += 1
        server = Server(f"{folder}/{number}", *options)
        host = Placed(server)
        if expected is not None:
            assert outcome(host) == expected
            assert set_events(host.nvme, [REALLOCATED], handle=1) == OK
        assert set_events(host.nvme, [NOT_WRITTEN, INVALID_PID], handle=2) == OK
        for _ in range(1000):  # more than the drive has, so that garbage is collected
            assert host.put(random.randrange(DISK_BYTES // 8192) * 16, 16, random.randrange(8)) == OK
        assert host.put(0, 8, 2) == host.update(2) == host.put(0, 8, 99) == OK
        expected = outcome(host)
        host.close()
        if kills:
            server.process.kill()
            server.process.wait()
        else:
            server.stop()
        server.log.close()
    assert len(expected[1]) >= 2 and expected[0][1] > expected[0][0] > 3 * 1000 * 8192 - 1  # type: ignore[index]
    for wrong in (options[1:], ("--fdp", *options[1:], "--size", "8M")):
        number += 1
        refused = Server(f"{folder}/{number}", *wrong)
        assert "FDP" in refused.word or "bytes in total" in refused.word
        refused.stop()
        refused.log.close()


def test_a_file_with_nonsense_in_its_account_begins_anew(start: Start, folder: str) -> None:
    options = ("--fdp", "--size", "16M", "--file", f"{folder}/data")
    random.seed(6)
    for number in range(4):
        server = Server(f"{folder}/{number}", *options)
        host = Placed(server)
        assert host.feature_value()[1] == OK and len(statistics(host.nvme)) == 3
        for _ in range(100):
            assert host.put(random.randrange(DISK_BYTES // 8192) * 16, 16, random.randrange(8)) == OK
        host.close()
        server.stop()
        server.log.close()
        with open(f"{folder}/data", "r+b") as file:
            size = file.seek(0, 2)
            account = size - (16384 + 8192 + 4096 + 9 * 8192)
            for _ in range(4 ** (number + 1)):
                file.seek(account + random.randrange(16384 + 8192 + 4096 + 8192))
                file.write(random.randbytes(3))


@pytest.mark.skipif(not (PROGRAM and COMPILER), reason="nvme-cli and a C compiler are needed")
def test_nvme_cli_reads_and_sends_the_same(host: Placed, tmp_path: Path) -> None:
    host.nvme.enable()
    with NvmeCli(host.nvme, build(tmp_path), tmp_path) as cli:
        host.disk = Disk(host.nvme, cli.queues[1])
        cli.run("fdp set-events", "-n", "1", "-p", "3", "-e", "-t", "0,3")
        assert enabled(host.nvme, handle=3) == {
            kind: int(kind in (NOT_WRITTEN, INVALID_PID)) for kind in TYPES
        }
        assert host.put(0, pid=3) == OK
        cli.run("fdp update", "-n", "1", "-p", "3")
        assert host.put(0, pid=3) == OK
        configurations = cli.json("fdp configs", "-e", "1")["configs"]
        assert [(one["fdpa"], one["nrg"], one["nruh"], one["runs"]) for one in configurations] == [
            (0x80, 1, 8, UNIT),
            (0x81, 2, 4, UNIT),
        ]
        assert cli.json("fdp usage", "-e", "1")["ruhus"] == [{"ruha": 1}] * 8
        # nvme-cli 2.3 shows numbers of 128 bits as texts.
        statistics = {name: int(one) for name, one in cli.json("fdp stats", "-e", "1").items()}
        assert statistics == {"hbmw": 8192, "mbmw": 8192, "mbe": UNIT}
        (event,) = cli.json("fdp events", "-e", "1", "-E")["events"]
        assert (event["type"], event["fdpef"], event["pid"], event["nsid"]) == (NOT_WRITTEN, 7, 3, 1)
        assert cli.json("fdp events", "-e", "1")["n"] == 0
        handles = cli.json("fdp status", "-n", "1")["ruhss"]
        assert {one["pid"]: (one["ruhid"], one["ruamw"]) for one in handles} == host.status()
        assert cli.json("list-endgrp")["endgrp_list"] == [{"endgrp_id": 1}]
        assert int(cli.json("endurance-log", "-g", "1")["host_write_cmds"]) == 2
        said = cli.run("dir-receive", "-n", "1", "-D", "0", "-O", "1", "-H").stdout
        shown = re.findall(r"(\w+) Directive +: (.+)", said)
        placement = [word for directive, word in shown if directive == "Placement"]
        assert placement in ([], ["supported", "enabled", "enabled"]), "nvme-cli 2.3 does not know it"
        stream = [word for directive, word in shown if directive == "Stream"]
        assert stream[:2] == ["not supported", "disabled"]
