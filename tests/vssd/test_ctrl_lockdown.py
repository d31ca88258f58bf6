# SPDX-License-Identifier: BSD-3-Clause
"""Lockdown and log page 14h (Base 2.1, 5.1.15, 5.1.12.1.21 and 8.1.5)."""

from __future__ import annotations

from client import Nvme
from ctrl_helpers import (
    FORMAT,
    GET_FEATURES,
    INVALID_FIELD,
    INVALID_OPCODE,
    OK,
    SET_FEATURES,
    Host,
    Start,
    identify,
)

LOCKDOWN, IDENTIFY, MI_RECEIVE = 0x24, 0x06, 0x1E
PROHIBITED, NOT_SUPPORTED, INVALID_LOG_PAGE = 0x023, 0x128, 0x109
ADMIN, FEATURE, MI, PCIE = 0, 2, 3, 4
QUEUE, BOTH, OUT_OF_BAND = 0, 1, 2
SUPPORTED, NOW, NOW_OUT_OF_BAND = 0, 1, 2
VWC, COALESCING, NUMBER_OF_QUEUES = 0x06, 0x08, 0x07


def lock(
    nvme: Nvme, identifier: int, scope: int = ADMIN, prohibit: int = 1, interface: int = QUEUE, uidx: int = 0
) -> int:
    dword = identifier << 8 | interface << 5 | prohibit << 4 | scope
    return nvme.admin.execute(LOCKDOWN, cdw10=dword, cdw14=uidx)[1]


def log_page(nvme: Nvme, lsp: int) -> tuple[int, bytes]:
    """The status of a Get Log Page of page 14h, and its data."""
    buffer = nvme.memory.alloc(4096)
    status = nvme.admin.execute(0x02, prp1=buffer, cdw10=127 << 16 | lsp << 8 | 0x14)[1]
    return status, nvme.memory.read(buffer, 512)


def listed(nvme: Nvme, contents: int, scope: int = ADMIN) -> list[int]:
    """The identifiers of log page 14h."""
    status, data = log_page(nvme, contents << 4 | scope)
    assert status == OK and data[0] == contents << 4 | scope and data[1:3] == bytes(2)
    assert data[4 + data[3] :] == bytes(508 - data[3])
    return list(data[4 : 4 + data[3]])


def set_vwc(nvme: Nvme, fid: int = VWC) -> int:
    return nvme.admin.execute(SET_FEATURES, cdw10=fid, cdw11=1)[1]


def test_commands_and_features_are_prohibited_until_a_power_cycle(start: Start) -> None:
    host = Host(start("--size", "4M", "--lockdown"))
    nvme = host.nvme
    assert identify(nvme, 1)[257] & 4, "OACS bit 10"
    assert listed(nvme, SUPPORTED) == [0x10, 0x11, 0x14, LOCKDOWN, FORMAT, 0x84]
    assert VWC in listed(nvme, SUPPORTED, FEATURE) and NUMBER_OF_QUEUES not in listed(
        nvme, SUPPORTED, FEATURE
    )
    assert listed(nvme, NOW) == listed(nvme, NOW, FEATURE) == []
    assert lock(nvme, FORMAT) == lock(nvme, FORMAT) == lock(nvme, VWC, FEATURE) == OK
    assert listed(nvme, NOW) == [FORMAT] and listed(nvme, NOW, FEATURE) == [VWC]
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == set_vwc(nvme) == PROHIBITED
    assert set_vwc(nvme, COALESCING) == nvme.admin.execute(GET_FEATURES, cdw10=VWC)[1] == OK
    host.nvme.disable()
    host.start()
    assert host.nvme.admin.execute(FORMAT, nsid=1)[1] == PROHIBITED, "a reset does not end it"
    assert lock(host.nvme, FORMAT, prohibit=0) == OK and host.nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert set_vwc(host.nvme) == PROHIBITED
    assert lock(host.nvme, LOCKDOWN) == OK and lock(host.nvme, VWC, FEATURE, prohibit=0) == PROHIBITED
    host.power_cycle()
    assert set_vwc(host.nvme) == OK and listed(host.nvme, NOW) == []
    host.close()


def test_what_cannot_be_prohibited(start: Start) -> None:
    host = Host(start("--size", "4M", "--lockdown"))
    nvme = host.nvme
    for opcode in (0x00, 0x02, IDENTIFY, SET_FEATURES, 0x0C, 0x7F, 0x81):
        assert lock(nvme, opcode) == NOT_SUPPORTED, opcode
    for fid in (0x00, NUMBER_OF_QUEUES, 0x84, 0xC0):
        assert lock(nvme, fid, FEATURE) == NOT_SUPPORTED, fid
    assert lock(nvme, 0, MI) == NOT_SUPPORTED
    for scope in (1, 5, 15):
        assert lock(nvme, FORMAT, scope) == INVALID_FIELD
    for interface in (BOTH, OUT_OF_BAND, 3):
        assert lock(nvme, FORMAT, interface=interface) == INVALID_FIELD, "there is no Management Endpoint"
    assert lock(nvme, 0, PCIE) == INVALID_FIELD and lock(nvme, FORMAT, uidx=1) == INVALID_FIELD
    for lsp in (0x01, 0x05, 0x30):
        assert log_page(nvme, lsp)[0] == INVALID_FIELD
    assert listed(nvme, NOW) == []
    host.close()


def test_commands_of_the_management_interface(start: Start) -> None:
    host = Host(start("--size", "4M", "--lockdown", "--mi"))
    nvme = host.nvme
    assert 0x01 in listed(nvme, SUPPORTED, MI) and listed(nvme, SUPPORTED, PCIE) == [0, 1, 2, 3]

    def poll() -> int:
        buffer = nvme.memory.alloc(4096)
        return nvme.admin.execute(MI_RECEIVE, prp1=buffer, cdw10=0x0804, cdw11=1)[1]

    assert poll() == OK
    assert lock(nvme, 1, MI) == OK and poll() == PROHIBITED
    assert lock(nvme, 1, MI, prohibit=0) == OK and poll() == OK
    assert lock(nvme, 1, MI, interface=OUT_OF_BAND) == OK and poll() == OK
    assert listed(nvme, NOW, MI) == [] and listed(nvme, NOW_OUT_OF_BAND, MI) == [1]
    assert lock(nvme, FORMAT, interface=BOTH) == OK
    assert listed(nvme, NOW) == listed(nvme, NOW_OUT_OF_BAND) == [FORMAT]
    assert lock(nvme, 4, PCIE, interface=OUT_OF_BAND) == NOT_SUPPORTED, "there is no I/O space"
    assert lock(nvme, 0, PCIE, interface=OUT_OF_BAND) == OK and listed(nvme, NOW_OUT_OF_BAND, PCIE) == [0]
    host.close()


def test_a_drive_without_it(host: Host) -> None:
    assert not identify(host.nvme, 1)[257] & 4
    assert lock(host.nvme, FORMAT) == INVALID_OPCODE
    assert log_page(host.nvme, 0)[0] == INVALID_LOG_PAGE
