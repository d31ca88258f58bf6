# SPDX-License-Identifier: BSD-3-Clause
"""Namespace Management and Attachment: creation, deletion, lists, capacity, statuses, events, persistence.

Base 2.1, sections 5.1.20, 5.1.21 and 8.1.15; NVM 1.1, section 4.1.6.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    ASYNC_EVENT,
    FLUSH,
    FORMAT,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_FORMAT,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    OK,
    POWER,
    READ,
    SANITIZE,
    WRITE,
    Disk,
    Host,
    Start,
    control,
    identify,
    log_page,
    pattern,
    set_feature,
)
from nvme_cli import COMPILER, PROGRAM, NvmeCli, build
from server import Server

MANAGE, ATTACH = 0x0D, 0x15
CREATE, DELETE = 0, 1
ATTACHED, DETACHED = 0, 1  # SEL of Namespace Attachment

INSUFFICIENT, NO_NSID, ALREADY, PRIVATE, NOT_ATTACHED, NO_THIN, BAD_LIST, BAD_ANA, BAD_SET = (
    0x115,
    0x116,
    0x118,
    0x119,
    0x11A,
    0x11B,
    0x11C,
    0x124,
    0x129,
)
SET_NOT_ENABLED = 0x12A
CNTLID = 1
MIB = 1 << 20
CHANGED = 4 << 16 | 0 << 8 | 2
"""An event: log page 04h, Attached Namespace Attribute Changed, Notice."""


def manage(nvme: Nvme, sel: int, nsid: int = 0, data: bytes = b"", cdw11: int = 0) -> tuple[int, int]:
    """The result and the status of Namespace Management."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, data.ljust(4096, b"\0"))
    return nvme.admin.execute(MANAGE, nsid=nsid, prp1=buffer, cdw10=sel, cdw11=cdw11)


def shape(nsze: int, ncap: int | None = None, flbas: int = 0, dps: int = 0, nmic: int = 0) -> bytes:
    """The data that describe a new namespace."""
    data = bytearray(4096)
    struct.pack_into("<QQ", data, 0, nsze, nsze if ncap is None else ncap)
    data[26], data[29], data[30] = flbas, dps, nmic
    return bytes(data)


def create(nvme: Nvme, nsze: int, flbas: int = 0, nmic: int = 0) -> int:
    """Create a namespace, which must succeed. Returns its NSID."""
    nsid, status = manage(nvme, CREATE, data=shape(nsze, flbas=flbas, nmic=nmic))
    assert status == OK
    return nsid


def delete(nvme: Nvme, nsid: int) -> int:
    return manage(nvme, DELETE, nsid)[1]


def attach(nvme: Nvme, nsid: int, *cntlids: int, sel: int = ATTACHED, count: int | None = None) -> int:
    """The status of Namespace Attachment with this controller list."""
    buffer = nvme.memory.alloc(4096)
    data = struct.pack(f"<H{len(cntlids)}H", len(cntlids) if count is None else count, *cntlids)
    nvme.memory.write(buffer, data.ljust(4096, b"\0"))
    return nvme.admin.execute(ATTACH, nsid=nsid, prp1=buffer, cdw10=sel)[1]


def listed(nvme: Nvme, cns: int, nsid: int = 0, cdw11: int = 0) -> list[int]:
    """The NSIDs of a namespace list."""
    return [one for one in struct.unpack("<1024I", identify(nvme, cns, nsid=nsid, cdw11=cdw11)) if one]


def ctrls(nvme: Nvme, cns: int, nsid: int = 0, least: int = 0) -> list[int]:
    """The CNTLIDs of a controller list."""
    buffer = nvme.memory.alloc(4096)
    assert nvme.admin.execute(IDENTIFY, nsid=nsid, prp1=buffer, cdw10=least << 16 | cns)[1] == OK
    (count,) = struct.unpack_from("<H", data := nvme.memory.read(buffer, 4096))
    return list(struct.unpack_from(f"<{count}H", data, 2))


def capacity(nvme: Nvme) -> tuple[int, int]:
    """TNVMCAP and UNVMCAP, in bytes."""
    data = identify(nvme, 1)
    return int.from_bytes(data[280:296], "little"), int.from_bytes(data[296:312], "little")


@pytest.fixture
def managed(start: Start) -> Iterator[Host]:
    """A host of a drive of 64 MiB with two namespaces."""
    host = Host(start("--size", "32M", "--namespaces", "2", "--namespace-management"))
    yield host
    host.close()


@pytest.fixture
def nvme(managed: Host) -> Nvme:
    return managed.nvme


def io(managed: Host, nsid: int, lba_size: int = 512) -> Disk:
    return Disk(managed.nvme, managed.disk.queue, nsid, lba_size)


def test_a_drive_without_the_option_has_none_of_it(host: Host) -> None:
    for opcode in (MANAGE, ATTACH):
        assert host.nvme.admin.execute(opcode, nsid=1, cdw10=1)[1] == INVALID_OPCODE
    assert struct.unpack_from("<H", identify(host.nvme, 1), 256)[0] & 8 == 0, "OACS"
    for cns in (0x10, 0x11, 0x12, 0x13, 0x16, 0x1A, 0x1B):
        assert host.nvme.admin.execute(IDENTIFY, nsid=1, cdw10=cns)[1] == INVALID_FIELD


def test_a_new_drive_can_have_capacity_that_no_namespace_has(start: Start) -> None:
    host = Host(start("--size", "16M", "--namespace-management", "--unallocated", "40M"))
    assert capacity(host.nvme) == (56 * MIB, 40 * MIB)
    assert listed(host.nvme, 0x10) == [1]
    assert manage(host.nvme, CREATE, data=shape(40 * MIB // 512 + 1))[1] == INSUFFICIENT
    assert create(host.nvme, 40 * MIB // 512) == 2
    assert capacity(host.nvme) == (56 * MIB, 0)
    assert attach(host.nvme, 2, CNTLID) == OK
    disk = io(host, 2)
    disk.write(40 * MIB // 512 - 16, pattern(5, 16))
    assert disk.read(40 * MIB // 512 - 16, 16) == pattern(5, 16)
    assert delete(host.nvme, 2) == OK and capacity(host.nvme) == (56 * MIB, 40 * MIB)
    host.close()


def test_capacity_beyond_the_namespaces_needs_a_host_that_creates_them(folder: str) -> None:
    wrong = Server(os.path.join(folder, "drive"), "--unallocated", "40M")
    assert "--unallocated needs --namespace-management" in wrong.word
    wrong.stop()


def test_what_the_drive_says_of_itself(nvme: Nvme) -> None:
    data = identify(nvme, 1)
    assert struct.unpack_from("<H", data, 256)[0] & 8, "OACS bit 3"
    assert struct.unpack_from("<I", data, 516)[0] == 32, "NN"
    assert struct.unpack_from("<I", data, 96)[0] & 0x80, "CTRATT: namespace granularity"
    assert struct.unpack_from("<I", data, 92)[0] & 0x100, "OAES: namespace attributes"
    assert capacity(nvme) == (64 * MIB, 0)
    effects = log_page(nvme, 5, 4096)
    for opcode, expected in ((MANAGE, 0b1101), (ATTACH, 0b1001)):
        assert struct.unpack_from("<I", effects, 4 * opcode)[0] & 0xF == expected, hex(opcode)
    assert ctrls(nvme, 0x13) == [CNTLID] and ctrls(nvme, 0x13, least=CNTLID + 1) == []
    assert ctrls(nvme, 0x12, nsid=2) == [CNTLID]
    assert listed(nvme, 0x10) == listed(nvme, 0x1A) == listed(nvme, 2) == [1, 2]
    granularity = identify(nvme, 0x16)
    assert granularity[4] == 0 and struct.unpack_from("<QQ", granularity, 32) == (64 << 10, 64 << 10)
    common = identify(nvme, 0, nsid=ALL_NAMESPACES)
    assert common[:128] == bytes(25) + b"\1" + bytes(102), "two LBA formats, and nothing of one namespace"
    assert common[128:136] == identify(nvme, 0, nsid=1)[128:136] and common[136:] == bytes(4096 - 136)
    assert identify(nvme, 0, nsid=1)[24] & 4 and identify(nvme, 0, nsid=1)[33], "DULBE, DLFEAT"


def test_the_life_of_a_namespace(managed: Host, nvme: Nvme) -> None:
    before = identify(nvme, 0, nsid=2)
    io(managed, 2).write(5, pattern(5, 8, seed=2))
    io(managed, 1).write(5, pattern(5, 8, seed=1))
    assert delete(nvme, 2) == OK
    assert listed(nvme, 2) == listed(nvme, 0x10) == [1] and capacity(nvme) == (64 * MIB, 32 * MIB)
    assert identify(nvme, 0, nsid=2) == identify(nvme, 0x11, nsid=2) == bytes(4096), (
        "inactive and unallocated"
    )
    assert io(managed, 2).command(READ, 5) == INVALID_FIELD, "an NSID that is not active"
    assert io(managed, 33).command(READ, 5) == INVALID_NAMESPACE, "an NSID above NN"

    assert create(nvme, 8192, flbas=1) == 2, "the lowest free NSID"
    assert listed(nvme, 0x10) == [1, 2] and listed(nvme, 2) == [1] and ctrls(nvme, 0x12, nsid=2) == []
    assert identify(nvme, 0, nsid=2) == bytes(4096), "inactive"
    made = identify(nvme, 0x11, nsid=2)
    assert struct.unpack_from("<QQQ", made) == (8192, 8192, 8192) and made[26] == 1 and made[30] == 0
    assert int.from_bytes(made[48:64], "little") == 32 * MIB, "NVMCAP"
    assert made[104:120] != before[104:120] and made[120:128] != before[120:128], "NGUID and EUI-64 are new"
    assert io(managed, 2, 4096).command(READ, 0) == INVALID_FIELD, "not attached"

    assert attach(nvme, 2, CNTLID) == OK
    assert listed(nvme, 2) == [1, 2] and ctrls(nvme, 0x12, nsid=2) == [CNTLID]
    assert identify(nvme, 0, nsid=2) == made
    disk = io(managed, 2, 4096)
    assert disk.read(0, 2) == bytes(8192), "unwritten"
    assert disk.command(READ, 8192) == LBA_OUT_OF_RANGE
    disk.write(8191, pattern(8191, 1, size=4096))
    assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
    assert disk.command(READ, 8191) == INVALID_FIELD and listed(nvme, 2) == [1]
    assert attach(nvme, 2, CNTLID) == OK
    assert disk.read(8191) == pattern(8191, 1, size=4096), "its data outlive a detachment"
    assert io(managed, 1).read(5, 8) == pattern(5, 8, seed=1), "the other namespace"


def test_statuses_of_a_creation(nvme: Nvme) -> None:
    assert delete(nvme, 2) == OK
    room = 32 * MIB // 512
    refused = {
        "NSZE 0": (shape(0), INVALID_FIELD),
        "NCAP above NSZE": (shape(8, 9), INVALID_FIELD),
        "NCAP below NSZE": (shape(9, 8), NO_THIN),
        "FLBAS": (shape(8, flbas=2), INVALID_FORMAT),
        "FLBAS, upper bits": (shape(8, flbas=1 << 5), INVALID_FORMAT),
        "FLBAS, reserved bit": (shape(8, flbas=1 << 7), INVALID_FORMAT),
        "DPS": (shape(8, dps=1), INVALID_FORMAT),
        "NMIC": (shape(8, nmic=4), INVALID_FIELD),
        "capacity": (shape(room + 1), INSUFFICIENT),
        "capacity of 4 KiB": (shape(room // 8 + 1, flbas=1), INSUFFICIENT),
        "a size that overflows": (shape((1 << 64) - 1), INSUFFICIENT),
        "another": (shape(1 << 55), INSUFFICIENT),
    }
    for name, (data, status) in refused.items():
        assert manage(nvme, CREATE, data=data)[1] == status, name
    for offset, size, status in ((92, 4, BAD_ANA), (100, 2, INVALID_FIELD), (102, 2, INVALID_FIELD)):
        odd = shape(8)[:offset] + (1).to_bytes(size, "little")
        assert manage(nvme, CREATE, data=odd)[1] == status, offset
    assert manage(nvme, CREATE, nsid=2, data=shape(8))[1] == INVALID_FIELD
    assert manage(nvme, CREATE, data=shape(8), cdw11=2 << 24)[1] == BAD_SET
    assert manage(nvme, 2, data=shape(8))[1] == INVALID_FIELD
    assert listed(nvme, 0x10) == [1] and capacity(nvme)[1] == 32 * MIB, "nothing was created"
    assert manage(nvme, CREATE, data=shape(room + 1))[1] == INSUFFICIENT
    entry = log_page(nvme, 1, 64)
    assert struct.unpack_from("<Q", entry, 32)[0] == (room + 1) * 512, "how many bytes it needs"
    assert create(nvme, room) == 2 and capacity(nvme) == (64 * MIB, 0)


def test_extended_lbas_of_a_format_without_metadata_mean_nothing(nvme: Nvme) -> None:
    """Bit 4 of FLBAS does not apply then, as MSET of Format NVM."""
    assert delete(nvme, 2) == OK
    nsid = create(nvme, 8, flbas=1 << 4)
    assert identify(nvme, 0x11, nsid=nsid)[26] == 0


def test_all_nsids_and_all_capacity(managed: Host, nvme: Nvme) -> None:
    assert delete(nvme, ALL_NAMESPACES) == OK
    assert listed(nvme, 2) == listed(nvme, 0x10) == [] and capacity(nvme) == (64 * MIB, 64 * MIB)
    assert delete(nvme, ALL_NAMESPACES) == OK, "nothing is left, which is no error"
    granule = 64 << 10
    nsids = [create(nvme, 9 + nsid) for nsid in range(32)]
    assert nsids == list(range(1, 33))
    assert manage(nvme, CREATE, data=shape(1))[1] == NO_NSID
    assert capacity(nvme)[1] == 64 * MIB - 32 * granule
    assert struct.unpack_from("<Q", identify(nvme, 0x11, nsid=32))[0] == 40, "NSZE is as asked"
    assert int.from_bytes(identify(nvme, 0x11, nsid=32)[48:64], "little") == granule, "and NVMCAP a granule"
    assert listed(nvme, 0x10, nsid=30) == [31, 32]
    for nsid in range(1, 33, 2):
        assert attach(nvme, nsid, CNTLID) == OK
    assert listed(nvme, 2) == list(range(1, 33, 2))
    for nsid in range(1, 33, 2):
        io(managed, nsid).write(1, pattern(1, 8, seed=nsid))
    for nsid in range(2, 33, 2):
        assert delete(nvme, nsid) == OK
    rest = capacity(nvme)[1]
    assert rest == 64 * MIB - 16 * granule
    assert create(nvme, rest // 512) == 2, "one namespace gets all gaps"
    assert capacity(nvme)[1] == 0
    for nsid in range(1, 33, 2):
        assert io(managed, nsid).read(1, 8) == pattern(1, 8, seed=nsid), nsid
    assert attach(nvme, 2, CNTLID) == OK
    disk = io(managed, 2)
    for lba in range(0, rest // 512, 1021):
        assert disk.read(lba) == bytes(512), lba


def test_statuses_of_deletion_and_attachment(nvme: Nvme) -> None:
    assert delete(nvme, 33) == delete(nvme, 0) == INVALID_NAMESPACE
    assert delete(nvme, 3) == INVALID_FIELD, "no such namespace"
    for sel in (ATTACHED, DETACHED):
        assert attach(nvme, 33, CNTLID, sel=sel) == INVALID_NAMESPACE
        assert attach(nvme, 0, CNTLID, sel=sel) == INVALID_NAMESPACE
        assert attach(nvme, 3, CNTLID, sel=sel) == INVALID_FIELD
        assert attach(nvme, ALL_NAMESPACES, CNTLID, sel=sel) == INVALID_FIELD
        for cntlids in ((), (0,), (CNTLID + 1,), (CNTLID, CNTLID), (CNTLID, CNTLID + 1)):
            assert attach(nvme, 2, *cntlids, sel=sel) == BAD_LIST, cntlids
        assert attach(nvme, 2, CNTLID, sel=sel, count=2048) == BAD_LIST
    assert attach(nvme, 2, CNTLID, sel=2) == INVALID_FIELD
    assert attach(nvme, 2, CNTLID) == ALREADY
    assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
    assert attach(nvme, 2, CNTLID, sel=DETACHED) == NOT_ATTACHED


def failing_byte(nvme: Nvme) -> int:
    """The command specific information of the newest entry of the error log."""
    return struct.unpack_from("<Q", log_page(nvme, 1, 64), 32)[0]


def test_the_error_log_has_the_byte_of_the_entry_that_fails(start: Start) -> None:
    """The identifiers of a controller list begin at byte 2."""
    server = start(
        "--size", "16M", "--controllers", "2", "--namespace-management", "--private-namespaces", "0"
    )
    host = Host(server)
    nvme = host.nvme
    assert attach(nvme, 1, 1, 2, sel=DETACHED) == OK
    assert attach(nvme, 1, 2) == OK
    assert (attach(nvme, 1, 1, 2), failing_byte(nvme)) == (ALREADY, 4)
    assert (attach(nvme, 1, 1, 2, sel=DETACHED), failing_byte(nvme)) == (NOT_ATTACHED, 2)
    assert (attach(nvme, 1, 1, 3), failing_byte(nvme)) == (BAD_LIST, 4)
    assert (attach(nvme, 1, 2, 1), failing_byte(nvme)) == (BAD_LIST, 4)
    assert (attach(nvme, 1, 0), failing_byte(nvme)) == (BAD_LIST, 2)
    assert ctrls(nvme, 0x12, nsid=1) == [2], "a list that fails changes nothing"
    host.close()


def test_a_namespace_of_a_command_set_that_is_not_enabled_is_not_attached(start: Start) -> None:
    zones = ("--zoned", "1", "--zone-size", "1M")
    host = Host(start("--size", "16M", "--namespaces", "2", "--namespace-management", *zones))
    nvme = host.nvme
    assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
    assert attach(nvme, 2, CNTLID) == SET_NOT_ENABLED
    nvme.enable(css=6)
    assert attach(nvme, 2, CNTLID) == OK
    host.close()


def test_inactive_namespaces_in_other_commands(managed: Host, nvme: Nvme) -> None:
    assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
    for cns in (0, 5, 8):
        assert identify(nvme, cns, nsid=2) == identify(nvme, cns, nsid=7) == bytes(4096), cns
    assert nvme.admin.execute(IDENTIFY, nsid=2, prp1=nvme.memory.alloc(4096), cdw10=3)[1] == INVALID_FIELD
    assert nvme.admin.execute(FORMAT, nsid=2)[1] == INVALID_FIELD
    assert nvme.admin.execute(FORMAT, nsid=33)[1] == INVALID_NAMESPACE
    queue = managed.disk.queue
    assert queue.execute(FLUSH, nsid=2)[1] == INVALID_FIELD
    assert queue.execute(FLUSH, nsid=ALL_NAMESPACES)[1] == OK
    assert set_feature(nvme, 5, 1, nsid=2) == INVALID_FIELD


def test_a_format_of_all_formats_what_is_attached(managed: Host, nvme: Nvme) -> None:
    io(managed, 2).write(1, pattern(1, 8))
    assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
    assert nvme.admin.execute(FORMAT, nsid=ALL_NAMESPACES, cdw10=1)[1] == OK
    assert identify(nvme, 0, nsid=1)[26] == 1 and identify(nvme, 0x11, nsid=2)[26] == 0
    assert attach(nvme, 2, CNTLID) == OK and io(managed, 2).read(1, 8) == pattern(1, 8)
    assert delete(nvme, ALL_NAMESPACES) == OK
    assert nvme.admin.execute(FORMAT, nsid=ALL_NAMESPACES)[1] == INVALID_NAMESPACE, "nothing is attached"


def test_a_sanitize_operation_reaches_namespaces_that_are_not_attached(start: Start) -> None:
    options = ("--size", "1M", "--namespaces", "2", "--namespace-management", "--sanitize-time", "200")
    with Client(start(*options).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        disk = Disk(nvme, nvme.create_queue(1, 16), 2)
        disk.write(1, pattern(1, 8))
        assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
        assert nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
        for status in (delete(nvme, 2), attach(nvme, 2, CNTLID), manage(nvme, CREATE, data=shape(8))[1]):
            assert status == 0x1D, "sanitize in progress"
        while log_page(nvme, 0x81, 4)[2] & 7 == 2:
            pass
        assert attach(nvme, 2, CNTLID) == OK and disk.read(1, 8) == bytes(4096)
        nvme.close()


def test_events_and_the_changed_list(nvme: Nvme) -> None:
    assert set_feature(nvme, 0xB, 0x100) == OK

    def changed() -> list[int]:
        return [nsid for nsid in struct.unpack("<1024I", log_page(nvme, 4, 4096)) if nsid]

    def event() -> int:
        nvme.admin.submit(sqe(ASYNC_EVENT))
        return nvme.admin.wait().cdw0

    assert attach(nvme, 2, CNTLID, sel=DETACHED) == OK
    assert event() == CHANGED and changed() == [2]
    assert delete(nvme, 2) == OK and create(nvme, 64) == 2
    assert changed() == [], "this controller was not attached to it"
    assert attach(nvme, 2, CNTLID) == OK and delete(nvme, 1) == OK
    assert event() == CHANGED and changed() == [1, 2]
    assert delete(nvme, 2) == OK
    assert event() == CHANGED and changed() == [2], "a namespace that was deleted"
    assert changed() == []


@contextlib.contextmanager
def started(folder: str, *options: str) -> Iterator[Host]:
    """A host of a drive whose process ends."""
    server = Server(os.path.join(folder, "drive"), "--file", os.path.join(folder, "file"), *options)
    host = Host(server)
    yield host
    host.close()
    server.check_end()
    server.log.close()


def test_namespaces_outlive_power_and_process(folder: str) -> None:
    options = ("--size", "32M", "--namespaces", "2")
    with started(folder, *options) as host:
        io(host, 2).write(3, pattern(3, 8, seed=2))
        host.shut_down()
    with started(folder, *options, "--namespace-management") as host:
        assert listed(host.nvme, 0x10) == [1, 2]
        assert io(host, 2).read(3, 8) == pattern(3, 8, seed=2), "from before"
        assert delete(host.nvme, 1) == OK
        assert create(host.nvme, 4096, nmic=1) == 1 and create(host.nvme, 100, flbas=1) == 3
        assert attach(host.nvme, 3, CNTLID) == OK
        io(host, 3, 4096).write(99, pattern(99, 1, size=4096))
        assert host.disk.queue.execute(FLUSH, nsid=3)[1] == OK
        state = [identify(host.nvme, 0x11, nsid=nsid) for nsid in (1, 2, 3)]
        free = capacity(host.nvme)
        host.power_cycle()
        assert listed(host.nvme, 2) == [2, 3] and listed(host.nvme, 0x10) == [1, 2, 3]
        assert [identify(host.nvme, 0x11, nsid=nsid) for nsid in (1, 2, 3)] == state
        host.shut_down()
    with started(folder, *options, "--namespace-management") as host:
        assert listed(host.nvme, 2) == [2, 3] and listed(host.nvme, 0x10) == [1, 2, 3]
        assert [identify(host.nvme, 0x11, nsid=nsid) for nsid in (1, 2, 3)] == state
        assert capacity(host.nvme) == free
        assert io(host, 2).read(3, 8) == pattern(3, 8, seed=2)
        assert io(host, 3, 4096).read(99) == pattern(99, 1, size=4096)
        assert create(host.nvme, 8) == 4
        made = identify(host.nvme, 0x11, nsid=4)[104:128]
        assert made not in [data[104:128] for data in state]


def test_a_deletion_with_commands_in_flight(managed: Host, nvme: Nvme) -> None:
    """Each command of a namespace that is deleted meanwhile ends, by its status as a whole or not at all."""
    disk = io(managed, 2)
    queue = disk.queue
    nvme.memory.write(disk.buffer, pattern(0, 8))
    for _ in range(8):
        for lba in range(12):
            queue.submit(sqe(WRITE, nsid=2, prp1=disk.buffer, cdw10=8 * lba, cdw12=7))
        nvme.admin.submit(sqe(MANAGE, nsid=2, cdw10=DELETE))
        statuses = {queue.wait().status for _ in range(12)}
        assert nvme.admin.wait().status == OK
        assert statuses <= {OK, INVALID_FIELD}, statuses
        assert disk.command(READ, 0) == INVALID_FIELD
        assert create(nvme, 4096) == 2 and attach(nvme, 2, CNTLID) == OK
        assert disk.read(0, 8) == bytes(4096), "no data of the deleted namespace"
        nvme.memory.write(disk.buffer, pattern(0, 8))


def test_a_running_format_keeps_its_namespace(start: Start) -> None:
    server = start("--size", "1M", "--namespaces", "2", "--namespace-management", "--format-time", "300")
    host = Host(server)
    nvme = host.nvme
    nvme.admin.submit(sqe(FORMAT, nsid=2))
    assert delete(nvme, 2) == delete(nvme, ALL_NAMESPACES) == 0x84, "format in progress"
    assert delete(nvme, 1) == OK and create(nvme, 64) == 1, "other namespaces can be deleted"
    assert nvme.admin.wait().status == OK
    assert delete(nvme, 2) == OK
    control(server, POWER, 0)
    control(server, POWER, 1)
    host.start()
    assert listed(nvme, 0x10) == [1]
    host.close()


@pytest.mark.skipif(not PROGRAM or not COMPILER, reason="nvme-cli or a C compiler is not installed")
def test_nvme_cli_manages_namespaces(managed: Host, folder: str) -> None:
    """The commands of nvme-cli on this drive, and what it decodes of the lists."""
    managed.nvme.delete_queue(managed.disk.queue)
    with NvmeCli(managed.nvme, build(Path(folder)), Path(folder)) as cli:

        def said(command: str, *options: str) -> int:
            """The NSID that it tells after a success."""
            text = cli.run(command, *options).stdout
            found = re.fullmatch(rf"{command}: success\W.*nsid: ?(\d+)\n", text, re.I | re.S)
            assert found, text
            return int(found[1])

        assert said("delete-ns", "-n", "2") == 2
        assert int(cli.json("id-ctrl")["unvmcap"]) == 32 * MIB
        assert said("create-ns", "-s", "8192", "-c", "8192", "-f", "1") == 2
        assert "(0x115)" in cli.run("create-ns", "-s", "8", "-c", "8", "-f", "0", status=1).stderr
        assert cli.json("list-ns")["nsid_list"] == [{"nsid": 1}]
        assert cli.json("list-ns", "--all")["nsid_list"] == [{"nsid": 1}, {"nsid": 2}]
        assert said("attach-ns", "-n", "2", "-c", "1") == 2
        assert cli.json("list-ns")["nsid_list"] == [{"nsid": 1}, {"nsid": 2}]
        assert cli.json("list-ctrl", "-n", "2")["ctrl_list"] == [{"ctrl_id": 1}]
        assert cli.json("id-ns", "-n", "2")["nsze"] == 8192
        granularity = cli.json("id-ns-granularity")
        assert "65536" in str(granularity), granularity
        assert "already attached" in cli.run("attach-ns", "-n", "2", "-c", "1", status=1).stderr
        assert said("detach-ns", "-n", "2", "-c", "1") == 2
