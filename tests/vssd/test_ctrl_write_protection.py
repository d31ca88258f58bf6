# SPDX-License-Identifier: BSD-3-Clause
"""Namespace write protection, feature 84h (Base 5.27.1.27, 8.12)."""

from __future__ import annotations

from pathlib import Path

from client import Nvme
from ctrl_helpers import (
    COMPARE,
    FORMAT,
    GET_FEATURES,
    INVALID_FIELD,
    OK,
    READ,
    SANITIZE,
    SET_FEATURES,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Host,
    Start,
    identify,
    pattern,
)
from server import Server
from test_ctrl_rpmb import Rpmb

FID = 0x84
PROTECTED, NOT_CHANGEABLE, NOT_SAVEABLE = 0x020, 0x10E, 0x10D
NSATTR, NWPC = 99, 531
DELETE = 0x0D


def protect(nvme: Nvme, state: int, nsid: int = 1, save: int = 0) -> int:
    return nvme.admin.execute(SET_FEATURES, nsid=nsid, cdw10=FID | save << 31, cdw11=state)[1]


def state_of(nvme: Nvme, nsid: int = 1) -> int:
    cdw0, status = nvme.admin.execute(GET_FEATURES, nsid=nsid, cdw10=FID)
    assert status == OK
    return cdw0


def test_a_protected_namespace_refuses_what_changes_it(start: Start) -> None:
    host = Host(start("--size", "8M", "--namespaces", "2", "--write-protection", "--namespace-management"))
    nvme, disk = host.nvme, host.disk
    disk.write(0, pattern(0, 8))
    assert identify(nvme, 1)[NWPC] == 1 and state_of(nvme) == 0, "RPMB would have to allow more"
    assert (
        protect(nvme, 2) == protect(nvme, 3) == protect(nvme, 4) == INVALID_FIELD
        and protect(nvme, 1, save=1) == NOT_SAVEABLE
    )
    assert protect(nvme, 1) == OK and state_of(nvme) == 1
    assert identify(nvme, 0, nsid=1)[NSATTR] == 1 and identify(nvme, 0, nsid=2)[NSATTR] == 0
    for opcode in (WRITE, WRITE_ZEROES, WRITE_UNCORRECTABLE):
        assert disk.command(opcode, 0) == PROTECTED, opcode
    assert disk.command(READ, 0) == disk.command(COMPARE, 0) == OK
    assert disk.read(0, 8) == pattern(0, 8)
    for opcode, fields in ((FORMAT, {}), (SANITIZE, {"cdw10": 2}), (DELETE, {"cdw10": 1})):
        assert nvme.admin.execute(opcode, nsid=1, **fields)[1] == PROTECTED, opcode
    disk.nsid = 2
    disk.write(0, pattern(0, 8))
    disk.nsid = 1
    disk.flush()
    host.power_cycle()
    assert state_of(host.nvme) == 1, "it outlasts a power cycle"
    assert protect(host.nvme, 0) == OK and host.disk.command(WRITE, 0) == OK
    host.close()


def test_until_a_power_cycle_and_for_ever(folder: str, tmp_path: Path) -> None:
    words = "--size", "8M", "--write-protection", "--rpmb", "--file", str(tmp_path / "drive")
    host = Host(Server(folder, *words))
    assert identify(host.nvme, 1)[NWPC] == 7 and protect(host.nvme, 2) == NOT_CHANGEABLE
    rpmb = Rpmb(host)
    assert rpmb.program() == 0 and rpmb.configure(b"\0\0\3", 0) == 0
    assert protect(host.nvme, 2) == OK
    for state in (0, 1, 2, 3):
        assert protect(host.nvme, state) == NOT_CHANGEABLE
    host.nvme.disable()
    host.start()
    assert state_of(host.nvme) == 2 and host.disk.command(WRITE, 0) == PROTECTED
    host.power_cycle()
    assert state_of(host.nvme) == 0 and host.disk.command(WRITE, 0) == OK
    rpmb.restart()
    assert rpmb.configure(b"\0\0\3", 1) == 0 and protect(host.nvme, 3) == OK
    host.power_cycle()
    assert protect(host.nvme, 0) == NOT_CHANGEABLE
    host.close()
    host.server.stop()
    again = Host(Server(folder, *words))
    assert state_of(again.nvme) == 3 and again.disk.command(WRITE, 0) == PROTECTED
    again.close()
    again.server.stop()
    host.server.log.close()
    again.server.log.close()


def test_a_drive_without_it(host: Host) -> None:
    assert identify(host.nvme, 1)[NWPC] == 0
    assert protect(host.nvme, 1) == INVALID_FIELD
