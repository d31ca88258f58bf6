# SPDX-License-Identifier: BSD-3-Clause
"""Boot partitions: registers, firmware commands and log page 15h (Base 8.2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ctrl_helpers import GET_FEATURES, INVALID_FIELD, OK, SET_FEATURES, Host, Start, identify, log_page

CAP, BPINFO, BPRSEL, BPMBL = 0x00, 0x40, 0x44, 0x48
COMMIT, DOWNLOAD = 0x10, 0x11
INVALID_IMAGE, PROHIBITED, NOT_SAVEABLE, NOT_CHANGEABLE = 0x107, 0x11E, 0x10D, 0x10E
PROTECTION = 0x85
SIZE = 128 << 10
ACTIVE = 1 << 31
DONE, FAILED = 2, 3
BOOT_LOG = 0x15


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M", "--boot-partitions"))
    yield host
    host.close()


def image(seed: int, size: int = SIZE) -> bytes:
    return b"".join((seed << 32 | at).to_bytes(8, "little") for at in range(size // 8))


def download(host: Host, data: bytes, offset: int = 0) -> None:
    memory = host.nvme.memory
    buffer = memory.alloc(8192)
    for at in range(0, len(data), 8192):
        piece = data[at : at + 8192]
        memory.write(buffer, piece)
        fields = {"cdw10": len(piece) // 4 - 1, "cdw11": (offset + at) // 4}
        assert host.nvme.admin.execute(DOWNLOAD, prp1=buffer, prp2=buffer + 4096, **fields)[1] == OK


def commit(host: Host, action: int, partition: int) -> int:
    return host.nvme.admin.execute(COMMIT, cdw10=action << 3 | partition << 31)[1]


def read(host: Host, partition: int, offset: int = 0, pages: int = SIZE // 4096) -> tuple[int, bytes]:
    """BRS, and what the registers have read."""
    client, memory = host.nvme.client, host.nvme.memory
    buffer = memory.alloc(SIZE)
    client.write64(BPMBL, buffer)
    client.write32(BPRSEL, partition << 31 | offset << 10 | pages)
    assert client.read64(BPMBL) == buffer
    return client.read32(BPINFO) >> 24 & 3, memory.read(buffer, pages * 4096)


def test_partitions_are_replaced_read_and_activated(host: Host) -> None:
    client = host.nvme.client
    assert client.read64(CAP) >> 45 & 1
    assert client.read32(BPINFO) == SIZE >> 17
    for partition in (0, 1):
        download(host, image(partition + 1))
        assert commit(host, 6, partition) == OK
    assert read(host, 0) == (DONE, image(1))
    assert read(host, 1) == (DONE, image(2))
    assert read(host, 1, offset=3, pages=2) == (DONE, image(2)[3 * 4096 : 5 * 4096])
    assert commit(host, 7, 1) == OK and client.read32(BPINFO) & ACTIVE
    assert log_page(host.nvme, BOOT_LOG, 4096)[:16].hex() == "15000000" + "01000080" + "00" * 8
    assert log_page(host.nvme, BOOT_LOG, 4096)[16:] == image(1)[:4080]
    host.nvme.disable()
    assert read(host, 0, pages=1) == (DONE, image(1)[:4096]), "without queues"
    host.start()
    host.power_cycle()
    assert host.nvme.client.read32(BPINFO) == ACTIVE | SIZE >> 17, "it is as the power cycle left it"
    assert read(host, 1) == (DONE, image(2))
    assert commit(host, 7, 0) == OK and not host.nvme.client.read32(BPINFO) & ACTIVE


def test_a_smaller_image_is_followed_by_zeros(host: Host) -> None:
    download(host, image(1))
    assert commit(host, 6, 0) == OK
    download(host, image(2, 8192))
    assert commit(host, 6, 0) == OK
    assert read(host, 0) == (DONE, image(2, 8192).ljust(SIZE, b"\0"))


def test_what_spdk_relies_on(host: Host) -> None:
    """A piece of no length ends the image, and the memory of a read need not be aligned."""
    memory, client = host.nvme.memory, host.nvme.client
    end = {"cdw10": 0xFFFFFFFF, "cdw11": SIZE // 4, "prp1": memory.alloc(4096)}
    assert host.nvme.admin.execute(DOWNLOAD, **end)[1] == INVALID_FIELD, "after nothing"
    download(host, image(1))
    for far in (SIZE // 4 + 1024, 0xFFFFFFFF):
        assert host.nvme.admin.execute(DOWNLOAD, **{**end, "cdw11": far})[1] == INVALID_FIELD
    assert host.nvme.admin.execute(DOWNLOAD, **end)[1] == OK and commit(host, 6, 0) == OK
    buffer = memory.alloc(2 * SIZE) + 0xF80
    client.write64(BPMBL, buffer)
    client.write32(BPRSEL, SIZE // 4096)
    assert client.read32(BPINFO) >> 24 & 3 == DONE and memory.read(buffer, SIZE) == image(1)
    assert client.read64(BPMBL) == buffer & ~0xFFF


def test_what_is_wrong(host: Host) -> None:
    assert commit(host, 6, 0) == INVALID_IMAGE, "nothing was downloaded"
    download(host, image(1, 4096), offset=4096)
    assert commit(host, 6, 0) == INVALID_IMAGE, "a gap"
    download(host, image(1) + image(2, 4096))
    assert commit(host, 6, 0) == INVALID_IMAGE, "too large"
    for offset, pages in ((SIZE // 4096, 1), (1, SIZE // 4096), (0xFFFFF, 1)):
        assert read(host, 0, offset, pages)[0] == FAILED
    client = host.nvme.client
    client.write64(BPMBL, 0x1000)
    client.write32(BPRSEL, 1)
    assert client.read32(BPINFO) >> 24 & 3 == FAILED, "no memory there"


def test_a_drive_without_them(start: Start) -> None:
    host = Host(start("--size", "16M"))
    client = host.nvme.client
    assert not client.read64(CAP) >> 45 & 1
    client.write32(BPRSEL, 1)
    assert [client.read32(at) for at in (BPINFO, BPRSEL, BPMBL, BPMBL + 4)] == [0] * 4
    for action in (6, 7):
        assert commit(host, action, 0) == INVALID_FIELD
    host.close()


def set_protection(host: Host, first: int, second: int = 0, save: int = 0) -> int:
    dword = second << 3 | first
    return host.nvme.admin.execute(SET_FEATURES, cdw10=PROTECTION | save << 31, cdw11=dword)[1]


def protection(host: Host, select: int = 0) -> tuple[int, int]:
    """The states of both partitions."""
    dword, status = host.nvme.admin.execute(GET_FEATURES, cdw10=PROTECTION | select << 8)
    assert status == OK
    return dword & 7, dword >> 3


def test_feature_85h_locks_the_partitions(start: Start) -> None:
    host = Host(start("--size", "16M", "--boot-protection"))
    assert identify(host.nvme, 1)[102] == 5, "BPCAP: by Set Features, and not by RPMB"
    assert protection(host) == protection(host, 1) == (2, 2), "locked at first"
    download(host, image(1))
    assert commit(host, 6, 0) == PROHIBITED and commit(host, 7, 1) == OK
    assert set_protection(host, 1) == OK and protection(host) == (1, 2)
    assert commit(host, 6, 1) == PROHIBITED and commit(host, 6, 0) == OK, "the image is still there"
    host.nvme.disable()
    host.start()
    assert protection(host) == (1, 2), "a reset changes nothing"
    for first, second in ((4, 0), (0, 5), (7, 1)):
        assert set_protection(host, first, second) == INVALID_FIELD
    assert set_protection(host, 1, 1, save=1) == NOT_SAVEABLE
    assert set_protection(host, 0, 3) == OK and protection(host) == (1, 3)
    for state in (1, 2, 3):
        assert set_protection(host, 2, state) == NOT_CHANGEABLE
    assert protection(host) == (1, 3), "neither has changed"
    assert set_protection(host, 2, 0) == OK
    host.power_cycle()
    assert protection(host) == (2, 2) and set_protection(host, 1, 1) == OK
    assert read(host, 0) == (DONE, image(1))
    host.power_cycle()
    assert protection(host) == (2, 2), "an unlocked one is locked by a power cycle"
    host.close()


def test_a_drive_without_feature_85h(host: Host) -> None:
    assert identify(host.nvme, 1)[102] == 1 and set_protection(host, 1) == INVALID_FIELD
