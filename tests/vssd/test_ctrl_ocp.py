# SPDX-License-Identifier: BSD-3-Clause
"""Log pages of OCP's Datacenter NVMe SSD specification, byte by byte."""

from __future__ import annotations

import struct
import uuid

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    GET_FEATURES,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    OK,
    READ,
    WRITE_UNCORRECTABLE,
    Host,
    Start,
    identify,
    log_page,
    pattern,
)

SMART, ERROR_RECOVERY = 0xC0, 0xC1
SMART_GUID = uuid.UUID("AFD514C9-7C6F-4F9C-A4F2-BFEA2810AFC5")
RECOVERY_GUID = uuid.UUID("5A1983BA-3DFD-4DAB-AE34-30FE2131D944")
OCP = uuid.UUID("C194D55B-E094-4794-A21D-29998F56BE6F")


@pytest.fixture
def host(start: Start) -> Host:
    host = Host(start("--size", "16M", "--ocp"))
    yield host
    host.close()


def guid(log: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=log[496:512][::-1])


def test_a_drive_without_the_option_has_none_of_it(start: Start) -> None:
    with Client(start("--size", "1M").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        buffer = nvme.memory.alloc(4096)
        for lid in range(0xC0, 0xC8):
            assert nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=lid | 127 << 16)[1] == INVALID_LOG_PAGE
        assert nvme.admin.execute(6, prp1=buffer, cdw10=0x17)[1] == INVALID_FIELD
        assert not identify(nvme, 1)[97] & 2, "CTRATT bit 9"
        for fid in range(0xC0, 0xC8):
            assert nvme.admin.execute(GET_FEATURES, prp1=buffer, cdw10=fid)[1] == INVALID_FIELD
        nvme.close()


def test_the_uuid_list(host: Host) -> None:
    assert identify(host.nvme, 1)[97] & 2, "CTRATT bit 9"
    data = identify(host.nvme, 0x17)
    assert uuid.UUID(bytes=data[48:64]) == OCP
    assert data[:48] == bytes(48) and data[64:] == bytes(4032)


def test_an_index_beyond_the_list_is_refused(host: Host) -> None:
    buffer = host.nvme.memory.alloc(4096)
    for index, status in ((0, OK), (1, OK), (2, INVALID_FIELD), (127, INVALID_FIELD)):
        assert (
            host.nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=SMART | 127 << 16, cdw14=index)[1] == status
        )


def test_supported_log_pages_names_them(host: Host) -> None:
    lids = struct.unpack("<256I", log_page(host.nvme, 0, 1024))
    assert [lids[lid] & 1 for lid in range(0xC0, 0xCB)] == [1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0]


def test_the_extended_health_log(host: Host) -> None:
    before = log_page(host.nvme, SMART)
    assert guid(before) == SMART_GUID
    assert struct.unpack_from("<H", before, 494) == (4,)
    host.disk.write(0, pattern(0, 16))
    host.disk.read(0, 8)
    assert host.disk.command(WRITE_UNCORRECTABLE, 100) == OK
    host.disk.command(READ, 100)
    after = log_page(host.nvme, SMART)
    written, read = (int.from_bytes(after[at : at + 16], "little") for at in (0, 16))
    assert written - int.from_bytes(before[:16], "little") == 16 * 512
    assert read - int.from_bytes(before[16:32], "little") == 8 * 512
    assert struct.unpack_from("<Q", after, 56)[0] == struct.unpack_from("<Q", before, 56)[0] + 1
    assert (after[103], struct.unpack_from("<H", after, 101)[0]) == (2, 5), "OCP 2.5"
    assert struct.unpack_from("<Q", after, 152) == (16 * 2048,), "NUSE"
    assert after[270:278] == b"1.0     "
    assert struct.unpack_from("<H", after, 128) == (100,), "capacitor health"
    assert 90 <= after[120] <= 100, "free blocks"
    assert 20 <= after[222] <= 80, "the highest temperature, degrees Celsius"


def test_counters_survive_a_power_cycle(host: Host) -> None:
    host.disk.write(0, pattern(0, 16))
    before = log_page(host.nvme, SMART)
    host.power_cycle()
    after = log_page(host.nvme, SMART)
    assert after[:32] == before[:32]
    assert struct.unpack_from("<I", after, 112)[0] == struct.unpack_from("<I", before, 112)[0] + 1


def test_the_error_recovery_log(host: Host) -> None:
    log = log_page(host.nvme, ERROR_RECOVERY)
    assert guid(log) == RECOVERY_GUID
    assert struct.unpack_from("<HBBQ", log) == (100, 0b1101, 0, 0), "no panic; these resets help"
    assert struct.unpack_from("<H", log, 494) == (3,)
