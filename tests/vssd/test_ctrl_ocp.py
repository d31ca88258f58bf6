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
        for lid in range(0xC0, 0xCB):
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
    assert [lids[lid] & 1 for lid in range(0xC0, 0xCB)] == [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0]


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


def test_the_hardware_component_log(host: Host) -> None:
    """Descriptors of 44 bytes, each with a lot code and additional information. Lengths are in dwords."""
    log = log_page(host.nvme, 0xC6, 4096)
    assert struct.unpack_from("<H", log) == (1,), "the version in which the length is in dwords"
    assert uuid.UUID(bytes=log[16:32][::-1]) == uuid.UUID("BCB6821F-30CD-4ED0-B76B-31B99F0F57DC")
    size = 4 * int.from_bytes(log[32:48], "little")
    assert log[2:16] == bytes(14) and log[48:64] == bytes(16) and log[size:] == bytes(4096 - size)
    found, at = {}, 64
    while at < size:
        lot, more, number = struct.unpack_from("<QQI", log, at)
        assert log[at + 20 : at + 28] == b"pynvme  "
        found[number] = log[at + 44 : at + 44 + 4 * lot], log[at + 44 + 4 * lot : at + 44 + 4 * (lot + more)]
        at += 44 + 4 * (lot + more)
    assert at == size and list(found) == [1, 2, 3, 6, 9, 10, 11]
    assert found[1] == (b"2026LOT1", b"") and found[6] == (b"", b"")
    assert found[9] == (b"", identify(host.nvme, 1)[4:24]), "the serial number"
    assert found[11] == (b"", b"1   ")


def test_the_hardware_component_log_is_read_in_pieces(host: Host) -> None:
    whole, buffer = log_page(host.nvme, 0xC6, 4096), host.nvme.memory.alloc(4096)
    for at in (0, 64, 400):
        assert host.nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=0xC6 | 15 << 16, cdw12=at)[1] == OK
        assert host.nvme.memory.read(buffer, 64) == whole[at : at + 64]


def test_the_telemetry_string_log_names_the_numbers_of_data_area_1(host: Host) -> None:
    log = log_page(host.nvme, 0xC9, 4096)
    assert log[0] == 1 and uuid.UUID(bytes=log[16:32][::-1]) == uuid.UUID(
        "B13A8369-1A8F-408B-9EA4-95940057AA44"
    )
    (size,) = struct.unpack_from("<Q", log, 32)
    start, length, events, no_events, vendors, no_vendors, text, text_length = struct.unpack_from(
        "<8Q", log, 64
    )
    assert (start, no_events, no_vendors) == (432 // 4, 0, 0)
    assert events == vendors == text == start + length and size == text + text_length
    assert log[128:144] == b"commands" + bytes(8) and log[144:432] == bytes(288)
    strings = {}
    for at in range(4 * start, 4 * (start + length), 16):
        number, reserved, characters, offset = struct.unpack_from("<HBBQ", log, at)
        assert reserved == 0 and log[at + 12 : at + 16] == bytes(4)
        strings[number] = log[4 * text + offset : 4 * text + offset + characters].decode("ascii")
    state = log_page(host.nvme, 0x07 | 1 << 8, 1024)[512:]
    names = {name: struct.unpack_from("<Q", state, number - 0x8000)[0] for number, name in strings.items()}
    cycles = struct.unpack_from("<Q", log_page(host.nvme, 2), 112)[0]
    assert len(names) == 9 and names["power cycles"] == cycles
