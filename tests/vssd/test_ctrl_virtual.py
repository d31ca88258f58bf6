# SPDX-License-Identifier: BSD-3-Clause
"""Virtual functions: the SR-IOV capability, Virtualization Management, Identify CNS 14h and 15h, resets.

Base 2.1, sections 5.2.6, 5.1.13.3.1, 5.1.13.3.2 and 8.2.6; PCI Express Base 5.0, section 9.3.3.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    IDENTIFY,
    INVALID_FIELD,
    INVALID_OPCODE,
    INVALID_QID,
    INVALID_VECTOR,
    OK,
    POWER,
    Disk,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
)

MANAGE = 0x1C
SHARE, OFFLINE, ASSIGN, ONLINE = 1, 7, 8, 9
VQ, VI = 0, 1
BAD_CONTROLLER, BAD_STATE, BAD_NUMBER, BAD_TYPE = 0x11F, 0x120, 0x121, 0x122
CC, CSTS, NSSR, CFS = 0x14, 0x1C, 0x20, 2
QUEUES, CREATE_CQ = 7, 5
SRIOV = 0x160
TOTAL = 12
"""Flexible resources of each type of a drive with three virtual functions."""


class Functions:
    """A drive with a physical function and three virtual ones, of which the host has enabled two."""

    def __init__(self, start: Start, *options: str) -> None:
        self.server = start("--size", "4M", "--virtual-functions", "3", *options)
        self.primary = Host(self.server)
        self.vfs = [Client(os.path.join(self.server.folder, str(number))) for number in (2, 3, 4)]
        self.enable(2)

    def enable(self, count: int) -> None:
        self.primary.client.config_write(SRIOV + 0x10, struct.pack("<H", count))
        self.primary.client.config_write(SRIOV + 8, struct.pack("<H", int(count > 0)))

    def manage(self, act: int, cntlid: int = 0, rt: int = VQ, nr: int = 0) -> tuple[int, int]:
        return self.primary.nvme.admin.execute(MANAGE, cdw10=cntlid << 16 | rt << 8 | act, cdw11=nr)

    def status(self, act: int, cntlid: int = 0, rt: int = VQ, nr: int = 0) -> int:
        return self.manage(act, cntlid, rt, nr)[1]

    def bring_up(self, cntlid: int, queues: int = 4, vectors: int = 4) -> None:
        assert self.manage(ASSIGN, cntlid, VQ, queues) == (queues, OK)
        assert self.manage(ASSIGN, cntlid, VI, vectors) == (vectors, OK)
        assert self.status(ONLINE, cntlid) == OK

    def entries(self, least: int = 0) -> list[tuple[int, ...]]:
        """(SCID, PCID, SCS, VFN, NVQ, NVI) of each entry of CNS 15h."""
        buffer = self.primary.nvme.memory.alloc(4096)
        assert self.primary.nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=least << 16 | 0x15)[1] == OK
        data = self.primary.nvme.memory.read(buffer, 4096)
        return [struct.unpack_from("<HHB3xHHH", data, 32 + 32 * index) for index in range(data[0])]

    def close(self) -> None:
        for vf in self.vfs:
            vf.close()
        self.primary.close()


@pytest.fixture
def functions(start: Start) -> Iterator[Functions]:
    made = Functions(start)
    yield made
    made.close()


def test_the_capability_in_bytes(start: Start) -> None:
    host = Host(start("--size", "4M", "--virtual-functions", "3"))
    client = host.client
    assert struct.unpack("<I", client.config_read(0x148, 4))[0] == 0x160 << 20 | 1 << 16 | 3, (
        "DSN, then SR-IOV"
    )
    assert struct.unpack("<I", client.config_read(SRIOV, 4))[0] == 1 << 16 | 0x10
    assert struct.unpack("<HHH", client.config_read(SRIOV + 0x0C, 6)) == (3, 3, 0), "Initial, Total, NumVFs"
    assert struct.unpack("<HH", client.config_read(SRIOV + 0x14, 4)) == (1, 1), "offset and stride"
    assert client.config_read(SRIOV + 0x1A, 2) == client.config_read(2, 2), "device ID"
    client.config_write(SRIOV + 8, b"\xff\xff")
    assert struct.unpack("<H", client.config_read(SRIOV + 8, 2))[0] == 0x09, (
        "VF Enable and Memory Space Enable"
    )
    client.config_write(SRIOV + 0x24, b"\xff" * 8)
    assert struct.unpack("<II", client.config_read(SRIOV + 0x24, 8)) == (0xFFFFC004, 0xFFFFFFFF)
    host.close()


def test_what_the_primary_controller_reports(functions: Functions) -> None:
    nvme = functions.primary.nvme
    id = identify(nvme, 1)
    assert id[76] == 0b10 and struct.unpack_from("<H", id, 256)[0] >> 7 & 1, "CMIC, OACS"
    assert struct.unpack_from("<I", log_page(nvme, 5, 4096), 4 * MANAGE)[0] & 1
    caps = identify(nvme, 0x14)
    assert caps[:5] == struct.pack("<HHB", 1, 0, 3)
    queues = struct.pack("<IIHHHH", TOTAL, 0, 0, 17, 12, 1)
    assert caps[32:48] == queues and caps[64:80] == struct.pack("<IIHHHH", TOTAL, 0, 0, 65, 12, 1)
    assert functions.entries() == [(2, 1, 0, 1, 0, 0), (3, 1, 0, 2, 0, 0), (4, 1, 0, 3, 0, 0)]
    assert functions.entries(3) == [(3, 1, 0, 2, 0, 0), (4, 1, 0, 3, 0, 0)]


def test_resources_are_assigned_and_counted(functions: Functions) -> None:
    assert functions.manage(ASSIGN, 2, VQ, 5) == (5, OK) and functions.manage(ASSIGN, 2, VI, 3) == (3, OK)
    assert functions.manage(ASSIGN, 4, VQ, 7) == (7, OK)
    caps = identify(functions.primary.nvme, 0x14)
    assert struct.unpack_from("<I", caps, 36)[0] == TOTAL and struct.unpack_from("<I", caps, 68)[0] == 3
    assert functions.status(ASSIGN, 3, VQ, 1) == BAD_NUMBER, "none is left"
    assert functions.manage(ASSIGN, 4, VQ, 6) == (6, OK) and functions.manage(ASSIGN, 3, VQ, 1) == (1, OK)
    assert [entry[4:] for entry in functions.entries()] == [(5, 3), (1, 0), (6, 0)]
    assert functions.status(SHARE, 1, VQ, 1) == BAD_NUMBER
    assert functions.status(ASSIGN, 2, 2, 1) == functions.status(SHARE, 1, 7, 1) == BAD_TYPE
    for cntlid in (0, 1, 5, 0xFFFF):
        for act in (OFFLINE, ASSIGN, ONLINE):
            assert functions.status(act, cntlid) == BAD_CONTROLLER
    assert functions.status(SHARE, 2) == BAD_CONTROLLER
    for act in (0, 2, 10, 15):
        assert functions.status(act, 2) == INVALID_FIELD


def test_a_secondary_controller_is_online_only_with_resources(functions: Functions) -> None:
    assert functions.status(ONLINE, 2) == BAD_STATE
    assert functions.status(ASSIGN, 2, VQ, 1) == functions.status(ASSIGN, 2, VI, 1) == OK
    assert functions.status(ONLINE, 2) == BAD_STATE, "one queue is too few"
    assert functions.status(ASSIGN, 2, VQ, 2) == functions.status(ONLINE, 2) == OK
    assert functions.entries()[0] == (2, 1, 1, 1, 2, 1)
    assert functions.status(ASSIGN, 2, VQ, 3) == BAD_STATE, "while it is online"
    assert functions.status(OFFLINE, 2) == functions.status(OFFLINE, 2) == OK
    assert functions.entries()[0] == (2, 1, 0, 1, 0, 0), "offline, without flexible resources"
    assert functions.manage(ASSIGN, 2, VQ, 3) == (3, OK)
    assert functions.status(ASSIGN, 4, VQ, 2) == functions.status(ASSIGN, 4, VI, 2) == OK
    assert functions.status(ONLINE, 4) == BAD_STATE, "its function is not enabled"


def test_a_controller_that_is_offline_reports_a_fatal_status(functions: Functions) -> None:
    vf = functions.vfs[0]
    assert vf.read32(CSTS) == CFS
    vf.write32(CC, 4 << 20 | 6 << 16 | 1)
    assert (vf.read32(CC), vf.read32(CSTS)) == (0, CFS)
    functions.bring_up(2)
    assert (vf.read32(CC), vf.read32(CSTS)) == (0, 0)
    nvme = Nvme(vf)
    nvme.enable()
    id = identify(nvme, 1)
    assert id[78:80] == b"\2\0" and id[76] == 0b110, "CNTLID, and CMIC of a virtual function"
    assert not struct.unpack_from("<H", id, 256)[0] >> 7 & 1
    assert nvme.admin.execute(MANAGE, cdw10=2 << 16 | OFFLINE)[1] == INVALID_OPCODE
    for cns in (0x14, 0x15):
        buffer = nvme.memory.alloc(4096)
        assert nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=cns)[1] == INVALID_FIELD
    assert functions.status(OFFLINE, 2) == OK
    assert (vf.read32(CC), vf.read32(CSTS)) == (0, CFS)
    nvme.close()


def test_a_virtual_function_has_the_queues_and_vectors_of_its_resources(functions: Functions) -> None:
    functions.bring_up(2, queues=4, vectors=2)
    nvme = Nvme(functions.vfs[0])
    nvme.enable()
    assert get_feature(nvme, QUEUES) == 2 << 16 | 2, "three I/O queues, 0's based"
    assert set_feature(nvme, QUEUES, 63 << 16 | 63) == OK
    disk = Disk(nvme, nvme.create_queue(3, 16, vector=1))
    functions.primary.disk.write(5, pattern(5, 4))
    assert disk.read(5, 4) == pattern(5, 4), "the namespace is shared"
    disk.write(6, pattern(6, 1, seed=1))
    assert functions.primary.disk.read(6) == pattern(6, 1, seed=1)
    queue = {"prp1": nvme.memory.alloc(4096), "cdw11": 2 << 16 | 3}
    assert nvme.admin.execute(CREATE_CQ, cdw10=15 << 16 | 2, **queue)[1] == INVALID_VECTOR
    assert nvme.admin.execute(CREATE_CQ, cdw10=15 << 16 | 4, **queue)[1] == INVALID_QID
    nvme.close()


def test_functions_that_are_not_enabled_do_not_answer(functions: Functions) -> None:
    assert functions.vfs[2].config_read(0, 4) == b"\xff" * 4 and functions.vfs[2].read32(CSTS) == 0xFFFFFFFF
    functions.bring_up(2)
    functions.enable(0)
    assert functions.vfs[0].config_read(0, 4) == b"\xff" * 4
    assert functions.entries()[0] == (2, 1, 0, 1, 0, 0), "offline, without flexible resources"
    functions.enable(3)
    assert functions.vfs[2].config_read(0, 2) == functions.primary.client.config_read(0, 2)
    assert functions.vfs[0].read32(CSTS) == CFS


@pytest.mark.parametrize("kind", ["controller", "function", "subsystem", "power"])
def test_a_reset_of_the_physical_function(functions: Functions, kind: str) -> None:
    functions.bring_up(2)
    vf = functions.vfs[0]
    nvme = Nvme(vf)
    nvme.enable()
    client = functions.primary.client
    if kind == "controller":
        client.write32(CC, 0)
    elif kind == "function":
        client.config_write(0x69, b"\xa8")
    elif kind == "subsystem":
        client.write32(NSSR, 0x4E564D65)
    else:
        control(functions.server, POWER, 0)
        control(functions.server, POWER, 1)
    there = kind in ("controller", "subsystem")
    assert vf.read32(CSTS) in ((CFS,) if there else (0xFFFFFFFF,))
    functions.primary.start()
    assert functions.entries()[0] == (2, 1, 0, 1, 0, 0)
    functions.enable(2)
    functions.bring_up(2)
    nvme.enable()
    assert identify(nvme, 1)[78] == 2
    nvme.close()


def test_a_function_level_reset_of_a_virtual_function_is_its_own(functions: Functions) -> None:
    functions.bring_up(2)
    vf = functions.vfs[0]
    nvme = Nvme(vf)
    nvme.enable()
    vf.config_write(0x69, b"\xa8")
    assert (vf.read32(CC), vf.read32(CSTS)) == (0, 0), "reset, and still online"
    assert functions.primary.client.read32(CSTS) == 1 and functions.entries()[0][2] == 1
    nvme.enable()
    assert identify(nvme, 1)[78] == 2
    nvme.close()


FLR = 0x69, b"\xa8"
"""Initiate Function Level Reset in Device Control."""


def share_of(host: Host) -> int:
    """VQRFAP."""
    return int(struct.unpack_from("<H", identify(host.nvme, 0x14), 40)[0])


def test_the_share_of_the_primary_controller_changes_at_its_reset(functions: Functions) -> None:
    primary = functions.primary
    assert functions.manage(SHARE, 1, VQ, 5) == (5, OK)
    assert share_of(primary) == 0
    assert functions.status(ASSIGN, 2, VQ, 8) == BAD_NUMBER, "they are promised"
    primary.client.write32(CC, 0)
    primary.start()
    assert share_of(primary) == 0, "a Controller Reset does not change it (8.2.6)"
    primary.client.config_write(*FLR)
    primary.start()
    assert share_of(primary) == 5
    assert get_feature(primary.nvme, QUEUES) & 0xFFFF == 16 + 5 - 1
    assert functions.manage(SHARE, 1, VQ, 0) == (0, OK)
    primary.client.config_write(*FLR)
    primary.start()
    assert functions.manage(ASSIGN, 2, VQ, 12) == (12, OK)


def test_the_share_of_the_primary_controller_survives_a_loss_of_power(start: Start) -> None:
    host = Host(start("--size", "4M", "--virtual-functions", "3"))
    assert host.nvme.admin.execute(MANAGE, cdw10=1 << 16 | VQ << 8 | SHARE, cdw11=5) == (5, OK)
    control(host.server, POWER, 0)
    control(host.server, POWER, 1)
    host.start()
    assert share_of(host) == 5
    host.close()


def test_the_share_of_the_primary_controller_is_in_the_file(folder: str) -> None:
    from server import Server

    shares = []
    for functions in "3", "3", "1":
        server = Server(
            f"{folder}/drive", "--size", "4M", "--virtual-functions", functions, "--file", f"{folder}/data"
        )
        host = Host(server)
        shares.append(share_of(host))
        host.nvme.admin.execute(MANAGE, cdw10=1 << 16 | VQ << 8 | SHARE, cdw11=5)
        host.close()
        server.check_end()
        server.log.close()
    assert shares == [0, 5, 4], "in the last one, there are no more"


def test_the_table_of_vectors_has_those_assigned(functions: Functions) -> None:
    functions.bring_up(2, queues=3, vectors=3)
    vf = functions.vfs[0]
    assert struct.unpack("<H", vf.config_read(0x52, 2))[0] & 0x7FF == 3 - 1
    assert struct.unpack("<H", functions.primary.client.config_read(0x52, 2))[0] & 0x7FF == 65 - 1


def test_a_fault_rule_names_a_controller(start: Start) -> None:
    functions = Functions(start, "--fault", "opcode=identify controller=2 do status=00/06")
    functions.bring_up(2)
    functions.bring_up(3)
    seen = []
    for vf in functions.vfs[:2]:
        nvme = Nvme(vf)
        nvme.enable()
        seen.append(nvme.admin.execute(IDENTIFY, prp1=nvme.memory.alloc(4096), cdw10=1)[1])
        nvme.close()
    assert seen == [6, OK] and identify(functions.primary.nvme, 1)[78] == 1
    functions.close()


@pytest.mark.parametrize(
    ("mistake", "act", "after"),
    [
        ("keep-resources", OFFLINE, (2, 1, 0, 1, 4, 4)),
        ("assign-online", ASSIGN, (2, 1, 1, 1, 3, 4)),
    ],
)
def test_mistakes_of_virtual_functions(start: Start, mistake: str, act: int, after: tuple[int, ...]) -> None:
    functions = Functions(start, "--fault", f"opcode=virtualization-management do functions={mistake}")
    functions.bring_up(2)
    assert functions.status(act, 2, VQ, 3) == OK
    assert functions.entries()[0] == after
    functions.close()


def test_a_drive_without_virtual_functions(host: Host) -> None:
    assert host.nvme.admin.execute(MANAGE, cdw10=2 << 16 | ONLINE)[1] == INVALID_OPCODE
    for cns in (0x14, 0x15):
        buffer = host.nvme.memory.alloc(4096)
        assert host.nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=cns)[1] == INVALID_FIELD
    assert host.client.config_read(SRIOV, 4) == bytes(4)


def test_wrong_options(folder: str) -> None:
    from server import Server

    for words in (("--controllers", "2"), ("--nvme-version", "1.2")):
        server = Server(os.path.join(folder, "drive"), "--virtual-functions", "2", *words)
        assert server.process.wait(20) == 1 and "virtual functions need one controller" in server.word
        server.log.close()
