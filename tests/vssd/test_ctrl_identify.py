# SPDX-License-Identifier: BSD-3-Clause
"""Identify: golden offsets of the specification, the lists, and what is refused."""

from __future__ import annotations

import struct

import pytest
from client import Client, Nvme
from ctrl_helpers import IDENTIFY, INVALID_FIELD, INVALID_NAMESPACE, INVALID_PRP_OFFSET, Start, identify


def u16(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "little")


def u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")


def u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


def test_identify_controller(nvme: Nvme) -> None:
    data = identify(nvme, cns=1)
    assert data[0:2] == nvme.client.config_read(0, 2)  # VID
    assert data[4:24].decode("ascii").strip()  # SN
    assert data[24:64].decode("ascii").rstrip() == "pynvme virtual SSD"
    assert len(data[64:72].decode("ascii")) == 8  # FR
    assert data[77] == 5  # MDTS: 128 KiB
    assert u32(data, 80) == nvme.client.read32(8)  # VER
    assert u32(data, 84) > 0 and u32(data, 88) > 0  # RTD3R, RTD3E
    assert data[111] == 1  # CNTRLTYPE: I/O
    assert u16(data, 256) & 0x0006 == 0x0006  # OACS: Format NVM, firmware
    assert data[258] == 3 and data[259] == 3  # ACL, AERL
    assert data[261] & 0x26 == 0x26  # LPA: effects, extended data, supported pages
    assert data[263] == 4  # NPSS
    assert 273 < u16(data, 266) < u16(data, 268) < 400  # WCTEMP, CCTEMP
    assert data[512] == 0x66 and data[513] == 0x44  # SQES, CQES
    assert u32(data, 516) == 1  # NN
    assert u16(data, 520) == 0x00DF  # ONCS
    assert u16(data, 522) == 1  # FUSES: Compare and Write
    assert data[524] == 0x04  # FNA: cryptographic erase
    assert data[525] == 0x07  # VWC: there, Flush takes all namespaces
    assert u32(data, 536) == 0  # SGLS
    assert data[768:1024].rstrip(b"\0").startswith(b"nqn.2014-08.org.nvmexpress:uuid:")


def test_five_power_states_that_need_less_and_less(nvme: Nvme) -> None:
    data = identify(nvme, cns=1)
    states = [data[2048 + 32 * i : 2080 + 32 * i] for i in range(6)]
    watts = [u16(state, 0) * (0.0001 if state[3] & 1 else 0.01) for state in states[:5]]
    assert watts == sorted(watts, reverse=True) and watts[-1] > 0
    assert [state[3] >> 1 & 1 for state in states[:5]] == [0, 0, 0, 1, 1]  # NOPS
    assert states[5] == bytes(32)


def test_the_default_namespace(start: Start) -> None:
    with Client(start().folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        data = identify(nvme, cns=0, nsid=1)
        nvme.close()
    nsze = u64(data, 0)
    assert nsze & 0xFF != 0 and nsze * 512 >= 4 << 30
    assert u64(data, 8) == nsze and u64(data, 16) <= nsze
    assert data[25] == 1 and data[26] == 0  # two formats, the first in use
    assert data[33] & 7 == 1  # DLFEAT: deallocated LBAs read zeros
    assert u64(data, 48) == nsze * 512  # NVMCAP
    assert u32(data, 128) >> 16 & 0xFF == 9 and u32(data, 132) >> 16 & 0xFF == 12
    assert u32(data, 128) & 0xFFFF == u32(data, 132) & 0xFFFF == 0  # no metadata
    assert data[104:120] != bytes(16) and data[120:128] != bytes(8)


def test_namespace_of_4_kib_lbas(start: Start) -> None:
    with Client(start("--size", "64M", "--lba-size", "4096").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        data = identify(nvme, cns=0, nsid=1)
        nvme.close()
    assert u64(data, 0) == 64 * 256 and data[26] == 1


def test_namespace_lists(start: Start) -> None:
    with Client(start("--size", "1M", "--namespaces", "5").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert u32(identify(nvme, cns=1), 516) == 5
        assert struct.unpack_from("<6I", identify(nvme, cns=2)) == (1, 2, 3, 4, 5, 0)
        assert struct.unpack_from("<3I", identify(nvme, cns=2, nsid=3)) == (4, 5, 0)
        assert identify(nvme, cns=2, nsid=5) == bytes(4096)
        assert struct.unpack_from("<6I", identify(nvme, cns=7)) == (1, 2, 3, 4, 5, 0)
        identities = {identify(nvme, cns=0, nsid=nsid)[104:128] for nsid in range(1, 6)}
        assert len(identities) == 5, "NGUID and EUI64 differ"
        nvme.close()


def test_descriptors_repeat_the_identifiers(nvme: Nvme) -> None:
    namespace, data = identify(nvme, cns=0, nsid=1), identify(nvme, cns=3, nsid=1)
    found, offset = {}, 0
    while data[offset]:
        kind, length = data[offset], data[offset + 1]
        found[kind] = data[offset + 4 : offset + 4 + length]
        offset += 4 + length
    assert found == {1: namespace[120:128], 2: namespace[104:120], 4: b"\x00"}


def test_structures_of_version_2(nvme: Nvme) -> None:
    assert identify(nvme, cns=5, nsid=1) == bytes(4096)
    assert identify(nvme, cns=6) == bytes(4096)
    assert identify(nvme, cns=8, nsid=1)[14] == 1  # NSTAT: ready
    assert u64(identify(nvme, cns=0x1C | 0xFFFF << 16), 0) == 1  # the NVM command set


def test_identify_ignores_nsid_where_it_is_not_used(nvme: Nvme) -> None:
    assert identify(nvme, cns=1, nsid=0xFFFFFFFF) == identify(nvme, cns=1)


@pytest.mark.parametrize(
    "cns, nsid, cdw11, status",
    [
        (0x00, 0, 0, INVALID_NAMESPACE),
        (0x00, 2, 0, INVALID_NAMESPACE),
        (0x00, 0xFFFFFFFF, 0, INVALID_NAMESPACE),
        (0x02, 0xFFFFFFFE, 0, INVALID_NAMESPACE),
        (0x02, 0xFFFFFFFF, 0, INVALID_NAMESPACE),
        (0x03, 0, 0, INVALID_NAMESPACE),
        (0x05, 2, 0, INVALID_NAMESPACE),
        (0x05, 1, 2 << 24, 0x12C),  # a command set that is not there
        (0x06, 0, 2 << 24, 0x12C),
        (0x08, 2, 0, INVALID_NAMESPACE),
        (0x09, 0, 2, INVALID_FIELD),  # there are LBA formats 0 and 1
        (0x0A, 0, 2, INVALID_FIELD),
        (0x0A, 0, 0xFFFF, INVALID_FIELD),
        (0x09, 0, 2 << 24, 0x12C),
        (0x10, 0, 0, INVALID_FIELD),  # namespace management is not supported
        (0x14, 0, 0, INVALID_FIELD),
        (0x1C | 5 << 16, 0, 0, INVALID_FIELD),  # another controller
        (0xFF, 0, 0, INVALID_FIELD),
    ],
)
def test_what_identify_refuses(nvme: Nvme, cns: int, nsid: int, cdw11: int, status: int) -> None:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    found = nvme.admin.execute(IDENTIFY, prp1=buffer, nsid=nsid, cdw10=cns, cdw11=cdw11)
    assert found[1] == status
    assert nvme.memory.read(buffer, 4096) == b"\xa5" * 4096


def test_identify_over_two_pages(nvme: Nvme) -> None:
    first, second = nvme.memory.alloc(4096), nvme.memory.alloc(8192)
    assert nvme.admin.execute(IDENTIFY, prp1=first + 0xFFC, prp2=second + 4096, cdw10=1)[1] == 0
    data = nvme.memory.read(first + 0xFFC, 4) + nvme.memory.read(second + 4096, 4092)
    assert data == identify(nvme, cns=1)
    assert nvme.admin.execute(IDENTIFY, prp1=first + 0xFFC, prp2=second + 4, cdw10=1)[1] == INVALID_PRP_OFFSET


def test_a_drive_of_version_1_4_knows_nothing_of_2_0(start: Start) -> None:
    with Client(start("--size", "1M", "--nvme-version", "1.4").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert client.read32(8) == 0x00010400
        assert client.read64(0) >> 59 & 3 == 0 and client.read32(0x68) == 0  # CRMS, CRTO
        assert nvme.admin.execute(IDENTIFY, prp1=nvme.memory.alloc(4096), cdw10=6)[1] == INVALID_FIELD
        nvme.close()


def test_the_serial_number_can_be_chosen(start: Start) -> None:
    with Client(start("--size", "1M", "--serial", "ABC-123").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert identify(nvme, cns=1)[4:24] == b"ABC-123".ljust(20)
        nvme.close()
