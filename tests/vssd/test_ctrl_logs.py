# SPDX-License-Identifier: BSD-3-Clause
"""Log pages: their contents, offsets and lengths, and what is refused."""

from __future__ import annotations

import struct
import time

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    GET_LOG,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    WRITE,
    Disk,
    Start,
    identify,
    log_page,
    smart,
)

from tests.fix_load import loaded

# Optional admin commands, by their bit in OACS.
OPTIONAL = {
    0: {0x81, 0x82},
    1: {0x80},
    2: {0x10, 0x11},
    3: {0x0D, 0x15},
    4: {0x14},
    5: {0x19, 0x1A},
    6: {0x1D, 0x1E},
    7: {0x1C},
    8: {0x7C},
    9: {0x86},
    10: {0x24},
}
MANDATORY = {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0C}


def announced_commands(nvme: Nvme) -> set[int]:
    """The admin commands that Identify announces."""
    data = identify(nvme, cns=1)
    oacs = int.from_bytes(data[256:258], "little")
    found = MANDATORY.union(*(opcodes for bit, opcodes in OPTIONAL.items() if oacs >> bit & 1))
    return found | ({0x84} if data[328] & 7 else set())  # SANICAP


def announced_pages(nvme: Nvme) -> set[int]:
    """The log pages that Identify announces."""
    data = identify(nvme, cns=1)
    lpa = data[261]
    pages = {0x01, 0x02, 0x03}
    pages |= {0x04} if data[93] & 1 else set()  # OAES: namespace attributes
    pages |= {0x05} if lpa & 2 else set()
    pages |= {0x06} if data[256] & 0x10 else set()  # OACS: Device Self-test
    pages |= {0x07, 0x08} if lpa & 8 else set()
    pages |= {0x00, 0x10, 0x12, 0x13} if lpa & 0x20 else set()  # no bit of its own announces 10h
    return pages | ({0x81} if data[328] & 7 else set())


def test_supported_log_pages_are_those_that_can_be_read(nvme: Nvme) -> None:
    lids = struct.unpack("<256I", log_page(nvme, 0, 1024))
    supported = announced_pages(nvme)
    assert {lid for lid in range(256) if lids[lid] & 1} == supported
    for lid in range(256):
        buffer = nvme.memory.alloc(64, 64)
        status = nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=15 << 16 | lid)[1]
        assert status == (OK if lid in supported else INVALID_LOG_PAGE)


@pytest.mark.parametrize(
    "cdw10, cdw12, cdw14, nsid, status",
    [
        (127 << 16 | 2, 0, 0, 0, OK),
        (127 << 16 | 2, 0, 0, 1, INVALID_FIELD),  # there is no SMART log for each namespace
        (127 << 16 | 2, 0, 0, 2, INVALID_NAMESPACE),
        (127 << 16 | 2, 2, 0, ALL_NAMESPACES, INVALID_FIELD),  # an offset of no dwords
        (127 << 16 | 2, 516, 0, ALL_NAMESPACES, INVALID_FIELD),  # an offset past the end
        (127 << 16 | 2, 512, 0, ALL_NAMESPACES, OK),
        (127 << 16 | 2, 0, 1 << 23, ALL_NAMESPACES, INVALID_FIELD),  # the offset is an index
        (0x8000 << 16 | 2, 0, 0, ALL_NAMESPACES, INVALID_FIELD),  # longer than MDTS
    ],
)
def test_what_get_log_page_checks(
    nvme: Nvme, cdw10: int, cdw12: int, cdw14: int, nsid: int, status: int
) -> None:
    buffer = nvme.memory.alloc(4096)
    found = nvme.admin.execute(GET_LOG, nsid=nsid, prp1=buffer, cdw10=cdw10, cdw12=cdw12, cdw14=cdw14)
    assert found[1] == status


def test_offsets_and_lengths(nvme: Nvme) -> None:
    whole = log_page(nvme, 5, 4096)
    assert b"".join(log_page(nvme, 5, 512, offset) for offset in range(0, 4096, 512)) == whole
    assert log_page(nvme, 5, 4, 6 * 4) == whole[24:28]


def test_behind_the_end_are_zeros(nvme: Nvme) -> None:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    assert nvme.admin.execute(GET_LOG, nsid=0, prp1=buffer, cdw10=1023 << 16 | 3, cdw12=8)[1] == OK
    data = nvme.memory.read(buffer, 4096)
    assert data[:8] == b"1.0     " and data[8:] == bytes(4088)


def test_firmware_slots(nvme: Nvme) -> None:
    data = log_page(nvme, 3)
    assert data[0] == 1 and data[8:16] == b"1.0     " and data[16:] == bytes(496)


def test_effects_list_exactly_the_commands_that_are_there(nvme: Nvme) -> None:
    data = log_page(nvme, 5, 4096)
    admin, io = struct.unpack("<256I", data[:1024]), struct.unpack("<256I", data[1024:2048])
    announced = announced_commands(nvme)
    assert {0x10, 0x11, 0x80} < announced
    assert {opcode for opcode in range(256) if admin[opcode] & 1} == announced
    for opcode in set(range(256)) - announced:
        assert nvme.admin.execute(opcode)[1] == INVALID_OPCODE
    assert [opcode for opcode in range(256) if io[opcode] & 1] == [0, 1, 2, 4, 5, 8, 9, 0x0C]
    assert admin[0x80] >> 1 & 3 == 3 and admin[0x80] >> 16 & 7 == 1  # changes data and namespace, alone there
    assert [io[opcode] >> 1 & 1 for opcode in (1, 2, 4, 5, 8, 9)] == [1, 0, 1, 0, 1, 1]
    queue = nvme.create_queue(1, 8)
    for opcode in range(256):
        if opcode != 0x0C:
            there = queue.execute(opcode, nsid=0)[1] != INVALID_OPCODE
            assert there == bool(io[opcode] & 1), f"opcode {opcode:#04x}"


@pytest.mark.parametrize("csi, status", [(0, OK), (1, 0x129), (2, 0x129), (0x30, 0x129), (0xFF, 0x129)])
def test_effects_are_those_of_the_command_set_asked_for(nvme: Nvme, csi: int, status: int) -> None:
    """I/O Command Set Not Supported, and nothing is transferred, for one that this drive does not have."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    cdw10 = 1023 << 16 | 1 << 15 | 5
    found = nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=cdw10, cdw14=csi << 24)
    assert found[1] == status
    assert (nvme.memory.read(buffer, 4096) == b"\xa5" * 4096) == (status != OK)
    assert status == OK or struct.unpack_from("<H", log_page(nvme, 1), 14)[0] == 59, "CSI, byte 59"


def test_other_pages_do_not_ask_for_the_command_set(nvme: Nvme) -> None:
    buffer = nvme.memory.alloc(4096)
    for lid in (0, 1, 2, 3, 4, 6, 7, 0x10, 0x12, 0x13, 0x81):
        cdw10 = 127 << 16 | 1 << 15 | lid
        assert nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=cdw10, cdw14=2 << 24)[1] == OK, lid


def test_scopes_are_of_admin_commands(nvme: Nvme) -> None:
    """Bits 31:20: namespaces, controllers, the subsystem. An IO command reports none."""
    data = log_page(nvme, 5, 4096)
    admin, io = struct.unpack("<256I", data[:1024]), struct.unpack("<256I", data[1024:2048])
    namespace, controller, subsystem = 1, 2, 32
    expected = dict.fromkeys((0x00, 0x01, 0x02, 0x04, 0x05, 0x08, 0x0C, 0x11), controller)
    expected |= {0x06: controller | namespace, 0x14: controller | namespace, 0x80: namespace}
    expected |= {0x09: controller | namespace | subsystem, 0x0A: controller | namespace | subsystem}
    expected |= {0x10: controller | subsystem, 0x84: subsystem}
    assert {opcode: admin[opcode] >> 20 for opcode in range(256) if admin[opcode]} == expected
    assert all(effects & ~3 == 0 for effects in io), "what Linux takes as usual: CSUPP and LBCC"


def test_a_format_of_several_namespaces_changes_the_inventory(start: Start) -> None:
    for count, nic in ((1, 0), (2, 1), (32, 1)):
        with Client(start("--size", "64K", "--namespaces", str(count)).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            assert struct.unpack("<I", log_page(nvme, 5, 4, 0x80 * 4))[0] >> 3 & 1 == nic
            nvme.close()


def test_there_are_no_commands_of_the_management_interface(nvme: Nvme) -> None:
    assert identify(nvme, 1)[256] & 0x40 == 0, "OACS: NVMe-MI Send and Receive"
    assert log_page(nvme, 0x13, 4096) == bytes(4096)


def test_the_medium_is_one_media_unit(nvme: Nvme) -> None:
    """Its spare and its wear are those of the whole drive, in SMART."""
    data = log_page(nvme, 0x10, 32)
    spare, used = smart(nvme, 3, 1), smart(nvme, 5, 1)
    assert data[:16] == struct.pack("<3H10x", 1, 0, 0), "media units, channels, selected configuration"
    assert data[16:30] == struct.pack("<5H4B", 0, 0, 0, 0, 100, spare, used, 0, 0)
    assert data[30:] == bytes(2)


def test_smart_counts_what_is_done(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 64))
    before = log_page(nvme, 2)
    for _ in range(500):
        assert disk.command(READ, 0, 8) == OK
    for _ in range(250):
        assert disk.command(WRITE, 0, 8) == OK
    after = log_page(nvme, 2)

    def grown(offset: int) -> int:
        pair = [int.from_bytes(data[offset : offset + 16], "little") for data in (before, after)]
        return pair[1] - pair[0]

    assert grown(32) == 4 and grown(48) == 2  # thousands of 512 bytes
    assert grown(64) == 500 and grown(80) == 250
    assert grown(112) == 0


def test_smart_of_a_new_drive(nvme: Nvme) -> None:
    data = log_page(nvme, 2)
    assert data[0] == 0 and data[3] == 100 and data[5] == 0
    kelvin = int.from_bytes(data[1:3], "little")
    assert 273 + 25 < kelvin < 273 + 65
    assert int.from_bytes(data[112:128], "little") == 1  # power cycles
    assert int.from_bytes(data[144:160], "little") == 0  # unsafe shutdowns
    assert int.from_bytes(data[32:48], "little") == 0 and int.from_bytes(data[48:64], "little") == 0
    sensors = struct.unpack_from("<8H", data, 200)
    assert all(273 < sensor < 373 for sensor in sensors[:2]) and sensors[2:] == (0,) * 6


def test_load_makes_it_warmer(nvme: Nvme) -> None:
    queue, buffer = nvme.create_queue(1, 64), nvme.memory.alloc(1 << 17)
    listed = nvme.memory.alloc(4096)
    nvme.memory.write(listed, struct.pack("<31Q", *(buffer + 4096 * i for i in range(1, 32))))
    cold = smart(nvme, 1, 2)
    deadline = time.monotonic() + 20
    while smart(nvme, 1, 2) <= cold:
        assert time.monotonic() < deadline or loaded()
        for _ in range(20):
            for _ in range(60):
                queue.submit(sqe(WRITE, nsid=1, prp1=buffer, prp2=listed, cdw12=255), ring=False)
            queue.ring()
            for _ in range(60):
                queue.wait()


def test_error_log(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 8)
    buffer = nvme.memory.alloc(4096)
    before = smart(nvme, 176)
    assert queue.execute(READ, nsid=1, prp1=buffer, cdw10=0xFFFFFFF0, cdw11=7)[1] == LBA_OUT_OF_RANGE
    cid = nvme.admin.submit(sqe(IDENTIFY, nsid=1, prp1=buffer, cdw10=0xEE))
    completion = nvme.admin.wait()
    assert completion.status == INVALID_FIELD
    assert smart(nvme, 176) == before + 2
    data = log_page(nvme, 1, 192)
    count, sqid, found, status, location, lba, nsid = struct.unpack_from("<QHHHHQI", data)
    assert (count, sqid, found, location, nsid) == (before + 2, 0, cid, 40, 1)
    assert status == INVALID_FIELD << 1 | 0x8001, "with Do Not Retry, and the phase tag"
    count, sqid, _, status, _, lba, nsid = struct.unpack_from("<QHHHHQI", data, 64)
    assert (count, sqid, status >> 1 & 0x7FF, lba, nsid) == (before + 1, 1, LBA_OUT_OF_RANGE, 0x7FFFFFFF0, 1)


def test_the_error_log_keeps_the_newest_64(nvme: Nvme) -> None:
    for _ in range(70):
        assert nvme.admin.execute(0xFF)[1] == INVALID_OPCODE
    data = log_page(nvme, 1, 4096)
    counts = [int.from_bytes(data[i : i + 8], "little") for i in range(0, 4096, 64)]
    assert counts == list(range(70, 6, -1))
