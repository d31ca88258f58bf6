# SPDX-License-Identifier: BSD-3-Clause
"""Endurance groups, NVM sets and Capacity Management: what the drive reports, divides, counts and refuses.

Base 2.1, sections 3.2.2, 3.2.3, 3.8, 5.1.3, 5.1.12.1.10, 5.1.12.1.17, 5.1.12.1.18, 5.1.13.2.4, 5.1.13.2.17.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    FORMAT,
    GET_FEATURES,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_OPCODE,
    OK,
    SET_FEATURES,
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

GET_LOG_PAGE, MANAGE, ATTACH, CAPACITY = 0x02, 0x0D, 0x15, 0x20
SELECT, CREATE_GROUP, DELETE_GROUP, CREATE_SET, DELETE_SET = range(5)
INVALID_LOG, INSUFFICIENT_NS, INSUFFICIENT, NO_ID, SEQUENCE = 0x109, 0x115, 0x126, 0x12D, 0x00C
MIB = 1 << 20
AGE, UNCHANGED = 18, 0xFFFFFFFF
VARIABLE = ("--namespace-management", "--capacity-management", "variable")
FIXED = ("--namespace-management", "--capacity-management", "fixed")


def capacity(nvme: Nvme, oper: int, elid: int = 0, size: int = 0) -> tuple[int, int]:
    """The result and the status of Capacity Management."""
    words = {"cdw10": elid << 16 | oper, "cdw11": size & 0xFFFFFFFF, "cdw12": size >> 32}
    return nvme.admin.execute(CAPACITY, **words)


def groups(nvme: Nvme, least: int = 0) -> list[int]:
    """The Endurance Group List, CNS 19h."""
    data = identify(nvme, 0x19, cdw11=least)
    (count,) = struct.unpack_from("<H", data)
    assert data[2 + 2 * count :] == bytes(4096 - 2 - 2 * count)
    return list(struct.unpack_from(f"<{count}H", data, 2))


def sets(nvme: Nvme, least: int = 0) -> list[tuple[int, int, int, int]]:
    """The NVM Set List, CNS 04h: identifier, group, and in MiB how much it has and has left."""
    data = identify(nvme, 4, cdw11=least)
    found = []
    for index in range(data[0]):
        entry = data[128 * (index + 1) : 128 * (index + 2)]
        setid, endgid, _, typical, optimal = struct.unpack_from("<HHIII", entry)
        assert typical and optimal and entry[48:] == bytes(80)
        total, left = (int.from_bytes(entry[at : at + 16], "little") for at in (16, 32))
        found.append((setid, endgid, total // MIB, left // MIB))
    return found


def group_log(nvme: Nvme, endgid: int) -> bytes:
    """Log page 09h, which must be there."""
    status, data = any_log(nvme, 9, 512, endgid)
    assert status == OK
    return data


def any_log(nvme: Nvme, lid: int, length: int, lsi: int = 0) -> tuple[int, bytes]:
    buffer = nvme.memory.alloc(4096)
    words = {"cdw10": (length // 4 - 1) << 16 | lid, "cdw11": lsi << 16}
    status = nvme.admin.execute(GET_LOG_PAGE, prp1=buffer, **words)[1]
    return status, nvme.memory.read(buffer, length)


def group_room(nvme: Nvme, endgid: int) -> tuple[int, int]:
    """TEGCAP and UEGCAP in MiB."""
    data = group_log(nvme, endgid)
    return tuple(int.from_bytes(data[at : at + 16], "little") // MIB for at in (160, 176))  # type: ignore[return-value]


def create(nvme: Nvme, mib: int, setid: int = 0, endgid: int = 0) -> tuple[int, int]:
    """Create a namespace; the NSID and the status."""
    data = bytearray(4096)
    struct.pack_into("<QQ", data, 0, mib * 2048, mib * 2048)
    struct.pack_into("<HH", data, 100, setid, endgid)
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, bytes(data))
    return nvme.admin.execute(MANAGE, prp1=buffer, cdw10=0)


def attach(nvme: Nvme, nsid: int) -> None:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, struct.pack("<HH", 1, 1).ljust(4096, b"\0"))
    assert nvme.admin.execute(ATTACH, nsid=nsid, prp1=buffer, cdw10=0)[1] == OK


def delete(nvme: Nvme, nsid: int) -> int:
    return nvme.admin.execute(MANAGE, nsid=nsid, cdw10=1)[1]


def place(nvme: Nvme, nsid: int) -> tuple[int, int]:
    """NVMSETID and ENDGID of an allocated or active namespace, by all structures that have them."""
    data = identify(nvme, 0x11 if ns_management(nvme) else 0, nsid=nsid)
    found = struct.unpack_from("<HH", data, 100)
    active = identify(nvme, 8, nsid=nsid)
    if active != bytes(4096):
        assert struct.unpack_from("<HH", active, 10) == found
    return found  # type: ignore[return-value]


def ns_management(nvme: Nvme) -> bool:
    return bool(struct.unpack_from("<H", identify(nvme, 1), 256)[0] & 8)


def listed(nvme: Nvme) -> list[int]:
    return [one for one in struct.unpack("<1024I", identify(nvme, 0x10)) if one]


def ctrl(nvme: Nvme) -> dict[str, int]:
    """The fields of Identify Controller about the division."""
    data = identify(nvme, 1)
    return {
        "ctratt": struct.unpack_from("<I", data, 96)[0] & 0x783C,
        "rrls": struct.unpack_from("<H", data, 100)[0],
        "nsetidmax": struct.unpack_from("<H", data, 338)[0],
        "endgidmax": struct.unpack_from("<H", data, 340)[0],
        "tnvmcap": int.from_bytes(data[280:296], "little") // MIB,
        "unvmcap": int.from_bytes(data[296:312], "little") // MIB,
        "megcap": int.from_bytes(data[368:384], "little") // MIB,
    }


@pytest.fixture
def variable(start: Start) -> Iterator[Host]:
    """A drive of 128 MiB: two namespaces of 32 MiB, each in its own set and group; the rest is in none."""
    host = Host(
        start(
            *("--size", "32M", "--namespaces", "2", "--unallocated", "64M"),
            *("--endurance-groups", "2", "--nvm-sets", "2", *VARIABLE),
        )
    )
    yield host
    host.close()


def test_a_drive_without_the_options_has_none_of_it(host: Host) -> None:
    nvme = host.nvme
    found = ctrl(nvme)
    assert [found[name] for name in ("ctratt", "rrls", "nsetidmax", "endgidmax", "megcap")] == [0] * 5
    assert capacity(nvme, SELECT)[1] == INVALID_OPCODE
    for cns in (4, 0x19):
        assert nvme.admin.execute(IDENTIFY, prp1=nvme.memory.alloc(4096), cdw10=cns)[1] == INVALID_FIELD
    for lid in (9, 0xF, 0x11):
        assert any_log(nvme, lid, 16, 1)[0] == INVALID_LOG
    for fid in (0x12, 0x18):
        assert nvme.admin.execute(GET_FEATURES, cdw10=fid)[1] == INVALID_FIELD
    assert place(nvme, 1) == (0, 0)


def test_groups_without_sets(start: Start) -> None:
    host = Host(start("--size", "16M", "--namespaces", "3", "--endurance-groups", "2"))
    nvme = host.nvme
    expected = {"ctratt": 0x10, "nsetidmax": 0, "endgidmax": 2, "tnvmcap": 48, "unvmcap": 0, "megcap": 0}
    assert ctrl(nvme) == {**expected, "rrls": 0}
    assert groups(nvme) == groups(nvme, 1) == [1, 2] and groups(nvme, 2) == [2] and groups(nvme, 3) == []
    assert nvme.admin.execute(IDENTIFY, prp1=nvme.memory.alloc(4096), cdw10=4)[1] == INVALID_FIELD
    assert [place(nvme, nsid) for nsid in (1, 2, 3)] == [(0, 1), (0, 2), (0, 1)]
    assert [group_room(nvme, endgid) for endgid in (1, 2)] == [(32, 0), (16, 0)]
    for endgid in (0, 3, 0xFFFF):
        assert any_log(nvme, 9, 512, endgid)[0] == INVALID_FIELD
    assert capacity(nvme, CREATE_GROUP, 0, MIB)[1] == INVALID_OPCODE
    host.close()


def test_sets_are_in_groups_and_namespaces_in_sets(start: Start) -> None:
    host = Host(
        start(
            *("--size", "8M", "--namespaces", "3", "--unallocated", "40M", "--namespace-management"),
            *("--endurance-groups", "2", "--nvm-sets", "4"),
        )
    )
    nvme = host.nvme
    found = ctrl(nvme)
    assert (found["ctratt"], found["nsetidmax"], found["endgidmax"]) == (0x14, 4, 2)
    assert (found["tnvmcap"], found["unvmcap"]) == (64, 40), (
        "without Capacity Management: what no namespace has"
    )
    assert sets(nvme) == [(1, 1, 18, 10), (2, 1, 18, 10), (3, 2, 18, 10), (4, 2, 10, 10)]
    assert sets(nvme, 3) == [(3, 2, 18, 10), (4, 2, 10, 10)] and sets(nvme, 5) == []
    assert [place(nvme, nsid) for nsid in (1, 2, 3)] == [(1, 1), (2, 1), (3, 2)]
    assert [group_room(nvme, endgid) for endgid in (1, 2)] == [(36, 0), (28, 0)], "all of it is in sets"

    refused = ((5, 0), (1, 2), (0, 3), (3, 1), (0xFFFF, 0), (0, 0xFFFF))
    for setid, endgid in refused:
        assert create(nvme, 1, setid, endgid)[1] == INVALID_FIELD, (setid, endgid)
    assert create(nvme, 11, 4)[1] == create(nvme, 11, 0, 2)[1] == create(nvme, 11)[1] == INSUFFICIENT_NS
    assert create(nvme, 10, 4) == (4, OK) and place(nvme, 4) == (4, 2)
    assert create(nvme, 4, 0, 2) == (5, OK) and place(nvme, 5) == (3, 2), "the set of the group that has room"
    assert create(nvme, 10, 2, 1) == (6, OK) and place(nvme, 6) == (2, 1)
    assert create(nvme, 7) == (7, OK) and place(nvme, 7) == (1, 1)
    assert sets(nvme) == [(1, 1, 18, 3), (2, 1, 18, 0), (3, 2, 18, 6), (4, 2, 10, 0)]
    assert ctrl(nvme)["unvmcap"] == 9
    assert delete(nvme, 4) == OK and sets(nvme, 4) == [(4, 2, 10, 10)]
    assert capacity(nvme, DELETE_SET, 4)[1] == INVALID_OPCODE
    host.close()


def test_variable_capacity_management(variable: Host) -> None:
    nvme = variable.nvme
    expected = {
        "ctratt": 0x7014,
        "nsetidmax": 16,
        "endgidmax": 8,
        "tnvmcap": 128,
        "unvmcap": 64,
        "megcap": 128,
    }
    assert ctrl(nvme) == {**expected, "rrls": 0}
    assert sets(nvme) == [(1, 1, 32, 0), (2, 2, 32, 0)]
    assert create(nvme, 1)[1] == INSUFFICIENT_NS, "what no group has is for groups"

    assert capacity(nvme, CREATE_GROUP, 0, 40 * MIB) == (3, OK)
    assert group_room(nvme, 3) == (40, 40) and ctrl(nvme)["unvmcap"] == 24
    assert create(nvme, 1, 0, 3)[1] == INSUFFICIENT_NS, "and what is in no set is for sets"
    assert capacity(nvme, CREATE_SET, 3, 10 * MIB) == (3, OK)
    assert capacity(nvme, CREATE_SET, 0, 20 * MIB) == (4, OK), "in the group with most room"
    assert sets(nvme, 3) == [(3, 3, 10, 10), (4, 3, 20, 20)] and group_room(nvme, 3) == (40, 10)
    assert create(nvme, 8, 3) == (3, OK) and place(nvme, 3) == (3, 3)
    attach(nvme, 3)
    disk = Disk(nvme, variable.disk.queue, 3)
    disk.write(5, pattern(5, 8))
    assert disk.read(5, 8) == pattern(5, 8)

    assert capacity(nvme, DELETE_SET, 3)[1] == OK, "with its namespace"
    assert listed(nvme) == [1, 2] and sets(nvme, 3) == [(4, 3, 20, 20)] and group_room(nvme, 3) == (40, 20)
    assert disk.command(WRITE, 5) == INVALID_FIELD
    assert capacity(nvme, DELETE_GROUP, 1)[1] == OK
    assert listed(nvme) == [2] and groups(nvme) == [2, 3] and sets(nvme) == [(2, 2, 32, 0), (4, 3, 20, 20)]
    assert ctrl(nvme)["unvmcap"] == 24 + 32
    assert capacity(nvme, CREATE_GROUP, 0, 56 * MIB) == (1, OK), "the lowest free identifier"
    assert ctrl(nvme)["unvmcap"] == 0 and group_log(nvme, 1)[48:144] == bytes(96), "its counters begin anew"


def test_statuses_of_capacity_management(variable: Host) -> None:
    nvme = variable.nvme
    before = identify(nvme, 1), identify(nvme, 4), groups(nvme)

    def required() -> int:
        """Command Specific Information of the error log (Base 2.1, figure 159)."""
        return int(struct.unpack_from("<Q", log_page(nvme, 1, 64), 32)[0])

    for oper, elid, size in (
        (CREATE_GROUP, 0, 64 * MIB + 1),
        (CREATE_GROUP, 0, (1 << 64) - 1),
        (CREATE_SET, 1, 1),
    ):
        assert capacity(nvme, oper, elid, size)[1] == INSUFFICIENT and required() == size
    for oper, elid, size in (
        (CREATE_GROUP, 1, MIB),  # a domain that does not exist
        (CREATE_GROUP, 0, 0),
        (CREATE_SET, 1, 0),
        (CREATE_SET, 3, MIB),
        (CREATE_SET, 0xFFFF, MIB),
        (DELETE_GROUP, 0, 0),
        (DELETE_GROUP, 3, 0),
        (DELETE_SET, 0, 0),
        (DELETE_SET, 3, 0),
        (SELECT, 0, 0),
        (SELECT, 1, 0),
        (5, 0, 0),
        (15, 1, MIB),
    ):
        assert capacity(nvme, oper, elid, size)[1] == INVALID_FIELD, (oper, elid)
    assert (identify(nvme, 1), identify(nvme, 4), groups(nvme)) == before, "nothing has changed"
    assert [capacity(nvme, CREATE_GROUP, 0, MIB)[0] for _ in range(6)] == [3, 4, 5, 6, 7, 8]
    assert capacity(nvme, CREATE_GROUP, 0, MIB)[1] == NO_ID
    assert capacity(nvme, DELETE_GROUP, 8)[1] == OK and capacity(nvme, CREATE_GROUP, 0, 50 * MIB) == (8, OK)
    assert [capacity(nvme, CREATE_SET, 8, MIB)[0] for _ in range(14)] == list(range(3, 17))
    assert capacity(nvme, CREATE_SET, 8, MIB)[1] == NO_ID


def test_a_format_keeps_a_set_from_being_deleted(start: Start) -> None:
    host = Host(
        start(*("--size", "1M", "--namespaces", "2", "--nvm-sets", "2", "--format-time", "300", *VARIABLE))
    )
    nvme = host.nvme
    nvme.admin.submit(sqe(FORMAT, nsid=2))
    assert capacity(nvme, DELETE_SET, 2)[1] == capacity(nvme, DELETE_GROUP, 1)[1] == 0x84
    assert capacity(nvme, DELETE_SET, 1)[1] == OK
    assert nvme.admin.wait().status == OK
    assert capacity(nvme, DELETE_SET, 2)[1] == OK and sets(nvme) == [] and groups(nvme) == [1]
    host.close()


def test_a_deletion_tells_the_host(variable: Host) -> None:
    nvme = variable.nvme
    assert set_feature(nvme, 0xB, 0x100) == OK
    assert capacity(nvme, DELETE_GROUP, 2)[1] == OK
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert nvme.admin.wait().cdw0 == 4 << 16 | 2
    assert struct.unpack_from("<2I", log_page(nvme, 4, 4096)) == (2, 0)


def configurations(nvme: Nvme) -> list[tuple[int, list[tuple[int, int, list[int]]]]]:
    """Log page 11h: identifier, and of each group the identifier, the capacity in MiB and the sets."""
    status, data = any_log(nvme, 0x11, 1024)
    assert status == OK
    found, at = [], 16
    for _ in range(data[0]):
        ccid, domain, count = struct.unpack_from("<HHH", data, at)
        assert domain == 0 and data[at + 6 : at + 32] == bytes(26)
        at += 32
        inside = []
        for _ in range(count):
            endgid, factor = struct.unpack_from("<HH", data, at)
            total = int.from_bytes(data[at + 16 : at + 32], "little")
            (num,) = struct.unpack_from("<H", data, at + 80)
            inside.append((endgid, total // MIB, list(struct.unpack_from(f"<{num}H", data, at + 82))))
            assert factor == 100
            at += 82 + 2 * num
            assert data[at : at + 2] == bytes(2), "no channels"
            at += 2
        found.append((ccid, inside))
    assert data[at:] == bytes(1024 - at)
    return found


def test_fixed_capacity_management(start: Start) -> None:
    host = Host(
        start("--size", "16M", "--namespaces", "3", "--unallocated", "16M", "--nvm-sets", "2", *FIXED)
    )
    nvme = host.nvme
    expected = {"ctratt": 0x814, "nsetidmax": 16, "endgidmax": 8, "tnvmcap": 64, "unvmcap": 0, "megcap": 0}
    assert ctrl(nvme) == {**expected, "rrls": 0}
    assert configurations(nvme) == [
        (1, [(1, 64, [1, 2])]),
        (2, [(1, 64, [1])]),
        (3, [(1, 32, [1, 2]), (2, 32, [3, 4])]),
    ]

    def units() -> tuple[int, list[tuple[int, int]]]:
        _, data = any_log(nvme, 0x10, 16 + 16 * 14)
        count, channels, selected = struct.unpack_from("<HHH", data)
        assert (count, channels) == (16, 0)
        return selected, [struct.unpack_from("<HH", data, 20 + 14 * unit) for unit in range(count)]

    assert units() == (1, [(1, 1)] * 10 + [(1, 2)] * 6)
    assert sets(nvme) == [(1, 1, 40, 8), (2, 1, 24, 8)]
    for oper in (CREATE_GROUP, DELETE_GROUP, CREATE_SET, DELETE_SET):
        assert capacity(nvme, oper, 1, MIB)[1] == INVALID_FIELD
    assert capacity(nvme, SELECT, 4)[1] == INVALID_FIELD
    assert capacity(nvme, SELECT, 1)[1] == OK and listed(nvme) == [1, 2, 3], "it is selected already"
    assert capacity(nvme, SELECT, 2)[1] == SEQUENCE

    assert capacity(nvme, SELECT, 0)[1] == OK
    assert listed(nvme) == groups(nvme) == sets(nvme) == [] and ctrl(nvme)["unvmcap"] == 64
    assert units() == (0, [(0, 0)] * 16)
    assert create(nvme, 1)[1] == INSUFFICIENT_NS
    assert capacity(nvme, SELECT, 3)[1] == OK
    assert groups(nvme) == [1, 2] and sets(nvme) == [(s, (s + 1) // 2, 16, 16) for s in (1, 2, 3, 4)]
    assert units() == (3, [(1, 1)] * 4 + [(1, 2)] * 4 + [(2, 3)] * 4 + [(2, 4)] * 4)
    assert create(nvme, 16, 0, 2) == (1, OK) and place(nvme, 1) == (3, 2)
    host.close()


def test_each_group_counts_its_own(variable: Host) -> None:
    nvme = variable.nvme
    disks = [Disk(nvme, variable.disk.queue, nsid) for nsid in (1, 2)]

    def counts(endgid: int) -> list[int]:
        data = group_log(nvme, endgid)
        return [int.from_bytes(data[at : at + 16], "little") for at in (48, 64, 80, 96, 112, 128, 144)]

    assert counts(1) == counts(2) == [0] * 7
    for lba in range(0, 64, 8):
        disks[1].write(lba, pattern(lba, 8))
    disks[1].read(0, 8)
    assert counts(1) == [0] * 7 and counts(2) == [1, 1, 1, 1, 8, 0, 0], "units of 10^9 bytes, rounded up"
    assert disks[0].command(2, 1 << 40) != OK
    assert counts(1) == [0, 0, 0, 1, 0, 0, 1]
    assert struct.unpack_from("<Q", log_page(nvme, 2), 64)[0] == 2, "SMART counts both"


def test_the_spare_of_a_group(start: Start) -> None:
    """Features 0Bh and 18h make an event of a critical warning of a group, and log page 0Fh names it."""
    server = start("--size", "8M", "--namespaces", "2", "--endurance-groups", "2")
    host = Host(server)
    nvme = host.nvme
    assert struct.unpack_from("<I", identify(nvme, 1), 92)[0] & 1 << 14, "OAES"
    assert set_feature(nvme, 0xB, 1 << 14) == OK
    for value in (3, 0, 0xFFFF):
        assert nvme.admin.execute(SET_FEATURES, cdw10=0x18, cdw11=value)[1] == INVALID_FIELD
    assert nvme.admin.execute(SET_FEATURES, cdw10=0x18, cdw11=2 | 2 << 16)[1] == INVALID_FIELD
    assert set_feature(nvme, 0x18, 2 | 0x9 << 16) == OK
    assert nvme.admin.execute(GET_FEATURES, cdw10=0x18, cdw11=2) == (2 | 0x9 << 16, OK)
    assert nvme.admin.execute(GET_FEATURES, cdw10=0x18, cdw11=1) == (1, OK)
    assert nvme.admin.execute(GET_FEATURES, cdw10=0x18, cdw11=3)[1] == INVALID_FIELD
    nvme.admin.submit(sqe(ASYNC_EVENT))
    control(server, AGE, data=struct.pack("<Q6I", 0, UNCHANGED, 5, *[UNCHANGED] * 4))
    assert nvme.admin.wait().cdw0 == 0xF << 16 | 6 << 8 | 2
    assert [group_log(nvme, endgid)[0] for endgid in (1, 2)] == [1, 1]
    status, events = any_log(nvme, 0xF, 24)
    assert (status, struct.unpack_from("<QHH", events)) == (OK, (1, 2, 0))
    assert struct.unpack_from("<Q", any_log(nvme, 0xF, 24)[1])[0] == 0, "read, and so forgotten"
    host.close()


def test_read_recovery_levels(start: Start) -> None:
    host = Host(start("--size", "8M", "--namespaces", "2", "--nvm-sets", "2", "--read-recovery-levels"))
    nvme = host.nvme
    found = ctrl(nvme)
    assert (found["ctratt"], found["rrls"]) == (0x1C, 1 << 4 | 1 << 15)

    def level(setid: int) -> tuple[int, int]:
        return nvme.admin.execute(GET_FEATURES, cdw10=0x12, cdw11=setid)

    def change(setid: int, to: int) -> int:
        return nvme.admin.execute(SET_FEATURES, cdw10=0x12, cdw11=setid, cdw12=to)[1]

    assert level(1) == level(2) == (4, OK) and level(3)[1] == level(0)[1] == INVALID_FIELD
    assert change(2, 15) == OK and level(2) == (15, OK) and level(1) == (4, OK)
    assert change(2, 5) == change(3, 4) == INVALID_FIELD
    assert nvme.admin.execute(GET_FEATURES, cdw10=1 << 8 | 0x12, cdw11=2) == (4, OK), "the default"
    host.close()


@pytest.mark.parametrize(
    "options, says",
    [
        (("--endurance-groups", "3", "--nvm-sets", "2"), "each group needs a set"),
        (("--fdp", "--nvm-sets", "2"), "--fdp has one endurance group"),
        (("--nvm-sets", "2", "--nvme-version", "1.3"), "need NVMe 1.4"),
        (("--capacity-management", "fixed"), "--capacity-management needs"),
        (("--nvm-sets", "2", "--capacity-management", "fixed"), "--capacity-management needs"),
    ],
)
def test_options_that_exclude_each_other(folder: str, options: tuple[str, ...], says: str) -> None:
    wrong = Server(os.path.join(folder, "drive"), *options)
    assert says in wrong.word
    wrong.stop()


def test_the_division_outlives_power_and_process(folder: str) -> None:
    options = ("--size", "8M", "--namespaces", "2", "--unallocated", "16M", "--nvm-sets", "2", *VARIABLE)

    def started(*words: str) -> tuple[Server, Host]:
        server = Server(os.path.join(folder, "drive"), "--file", os.path.join(folder, "file"), *words)
        return server, Host(server)

    def ended(server: Server, host: Host) -> None:
        host.shut_down()
        host.close()
        server.check_end()
        server.log.close()

    server, host = started(*options[:6], "--namespace-management")
    host.disk.write(3, pattern(3, 8))
    ended(server, host)
    server, host = started(*options)
    assert [place(host.nvme, nsid) for nsid in (1, 2)] == [(1, 1), (2, 1)], "from before they had sets"
    assert capacity(host.nvme, CREATE_GROUP, 0, 12 * MIB) == (2, OK)
    assert capacity(host.nvme, CREATE_SET, 2, 12 * MIB) == (3, OK)
    assert capacity(host.nvme, DELETE_SET, 2)[1] == OK and create(host.nvme, 5, 3) == (2, OK)
    state = sets(host.nvme), groups(host.nvme), place(host.nvme, 2), ctrl(host.nvme)
    host.power_cycle()
    assert (sets(host.nvme), groups(host.nvme), place(host.nvme, 2), ctrl(host.nvme)) == state
    ended(server, host)
    server, host = started(*options)
    assert (sets(host.nvme), groups(host.nvme), place(host.nvme, 2), ctrl(host.nvme)) == state
    assert host.disk.read(3, 8) == pattern(3, 8)
    ended(server, host)


@pytest.mark.skipif(not PROGRAM or not COMPILER, reason="nvme-cli or a C compiler is not installed")
def test_nvme_cli_divides_the_capacity(variable: Host, folder: str) -> None:
    """The commands of nvme-cli on this drive, and what it decodes."""
    variable.nvme.delete_queue(variable.disk.queue)
    with NvmeCli(variable.nvme, build(Path(folder)), Path(folder)) as cli:
        listing = cli.json("list-endgrp")
        assert [entry["endgrp_id"] for entry in listing["endgrp_list"]] == [1, 2]
        found = cli.json("id-nvmset")
        assert found["nid"] == 2 and found["NVMSet"][1]["endurance_group_id"] == 2
        assert int(found["NVMSet"][0]["total_nvmset_cap"]) == 32 * MIB
        cli.run("capacity-mgmt", "--operation=1", "-i", "0", "-l", str(16 * MIB))
        log = cli.json("endurance-log", "-g", "3")
        assert log["avl_spare"] == 100 and int(cli.json("id-ctrl")["unvmcap"]) == 48 * MIB
        assert (
            "(0x126)"
            in cli.run("capacity-mgmt", "--operation=1", "-i", "0", "-l", str(90 * MIB), status=1).stderr
        )
        cli.run("capacity-mgmt", "--operation=2", "-i", "3")
        assert [entry["endgrp_id"] for entry in cli.json("list-endgrp")["endgrp_list"]] == [1, 2]
