# SPDX-License-Identifier: BSD-3-Clause
"""Refusals and impossible Identify data of the device: the exception names them, and nothing is
left behind on either side."""

from __future__ import annotations

import gc
import struct
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import CREATE_CQ, CREATE_SQ, DELETE_CQ, DELETE_SQ, IDENTIFY, SET_FEATURES, Command, Drive, Result
from fake import lasts_at_most

Opener = Callable[..., SimpleNamespace]
U64 = 0xFFFFFFFFFFFFFFFF


# Queues


@pytest.mark.parametrize(
    ("opcode", "name", "status", "text"),
    [
        (CREATE_CQ, "CREATE I/O COMPLETION QUEUE", 0x101, r"\(01/01\)"),
        (CREATE_CQ, "CREATE I/O COMPLETION QUEUE", 0x108, r"\(01/08\)"),
        (CREATE_SQ, "CREATE I/O SUBMISSION QUEUE", 0x102, r"\(01/02\)"),
        (CREATE_SQ, "CREATE I/O SUBMISSION QUEUE", 0x7C0, r"\(07/c0\)"),
    ],
)
def test_refused_queue_is_an_exception_with_its_status_and_leaves_nothing(
    drive: Drive, opened: Opener, opcode: int, name: str, status: int, text: str
) -> None:
    own = opened()
    in_use = nvme._dma_in_use()
    drive.on_admin[opcode] = lambda command: (0, status)
    for _ in range(3):
        with pytest.raises(nvme.QpairCreationError, match=text) as told:
            nvme.Qpair(own.nvme0, 64)
        assert "CREATE" in str(told.value)
        assert sorted(drive.cqs) == sorted(drive.sqs) == [0, 1], "its completion queue is deleted again"
    del told
    gc.collect()
    assert nvme._dma_in_use() == in_use
    drive.on_admin.clear()
    assert nvme.Qpair(own.nvme0, 64).sqid == 2, "its QID is free"


def test_completion_queue_that_cannot_be_undone_stays_reserved(drive: Drive, opened: Opener) -> None:
    """The device refuses the SQ and keeps the CQ: it may write into it until it is disabled."""
    own = opened()
    in_use = nvme._dma_in_use()
    drive.on_admin[CREATE_SQ] = lambda command: (0, 0x101)
    drive.on_admin[DELETE_CQ] = lambda command: (0, 0x006)
    with pytest.raises(nvme.QpairCreationError, match="01/01"):
        nvme.Qpair(own.nvme0, 8)
    assert nvme._dma_in_use() > in_use
    drive.on_admin.clear()
    own.nvme0.reset()
    gc.collect()
    assert nvme._dma_in_use() < in_use, "the reset gives its memory back, and that of Qpair 1"


@pytest.mark.parametrize("opcode", [DELETE_SQ, DELETE_CQ])
def test_refused_deletion_is_an_exception_and_can_be_tried_again(
    drive: Drive, opened: Opener, opcode: int
) -> None:
    own = opened()
    drive.on_admin[opcode] = lambda command: (0, 0x10C)
    with pytest.raises(nvme.QpairDeletionError, match="01/0c"):
        own.qpair.delete()
    drive.on_admin.clear()
    own.qpair.delete()
    assert sorted(drive.sqs) == sorted(drive.cqs) == [0], "tried again, it goes on where it had stopped"


def test_queue_whose_deletion_was_refused_can_be_used_and_deleted_later(drive: Drive, opened: Opener) -> None:
    own = opened()
    drive.on_admin[DELETE_SQ] = lambda command: (0, 0x10C)
    with pytest.raises(nvme.QpairDeletionError, match="01/0c"):
        own.qpair.delete()
    drive.on_admin.clear()
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0).waitdone()
    own.qpair.delete()
    assert sorted(drive.sqs) == sorted(drive.cqs) == [0]


@pytest.mark.parametrize("refused_for_good", [True, False])
def test_dropped_queue_whose_deletion_is_refused_is_given_back_in_the_end(
    drive: Drive, opened: Opener, refused_for_good: bool
) -> None:
    """Its memory stays the device's until it is deleted, or the controller disabled."""
    own = opened()
    own.nvme0.reset()  # Qpair 1 is gone, and what it had in use
    del own.qpair
    gc.collect()
    before = nvme._dma_in_use()
    own.qpair = nvme.Qpair(own.nvme0, 16)
    drive.on_admin[DELETE_SQ] = lambda command: (0, 0x10C)
    del own.qpair
    gc.collect()
    assert nvme._dma_in_use() > before
    if refused_for_good:
        own.nvme0.reset()
    else:
        drive.on_admin.clear()
        own.pcie.close()
    gc.collect()
    assert nvme._dma_in_use() <= before


def test_no_more_queues_than_the_drive_grants(drive: Drive) -> None:
    drive.on_admin[SET_FEATURES] = lambda command: (0x0003_0001, 0)  # 2 SQs, 4 CQs
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    qpairs = [nvme.Qpair(nvme0, 2) for _ in range(2)]
    with pytest.raises(nvme.QpairCreationError, match="all 2 IO queues"):
        nvme.Qpair(nvme0, 2)
    assert [q.sqid for q in qpairs] == [1, 2]
    pcie.close()


@pytest.mark.parametrize("granted", [0, 0xFFFFFFFF, 0xFFFF0000])
def test_any_number_of_granted_queues_is_taken(drive: Drive, granted: int) -> None:
    drive.on_admin[SET_FEATURES] = lambda command: (granted, 0)
    pcie = nvme.Pcie(drive.start())
    assert nvme.Qpair(nvme.Controller(pcie), 2).sqid == 1
    pcie.close()


def test_refused_number_of_queues_ends_the_initialisation(drive: Drive) -> None:
    drive.on_admin[SET_FEATURES] = lambda command: (0, 0x002)
    with pytest.raises(nvme.NvmeEnumerateError, match="SET FEATURES with status 00/02"):
        nvme.Controller(drive.start())


# Identify


def test_refused_identify_ends_the_initialisation(drive: Drive) -> None:
    drive.on_admin[IDENTIFY] = lambda command: (0, 0x006)
    with pytest.raises(nvme.NvmeEnumerateError, match="IDENTIFY with status 00/06"):
        nvme.Controller(drive.start())


@pytest.mark.parametrize("count", [0, 1, 5, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_number_of_namespaces_may_be_anything_where_there_is_no_list(drive: Drive, count: int) -> None:
    """Controllers before NVMe 1.1 refuse CNS 02h, so the driver uses NN."""
    struct.pack_into("<I", drive.identify_controller, 516, count)
    drive.on_admin[IDENTIFY] = lambda c: (0, 0x002) if c[10] & 0xFF == 2 else drive.identify(c)
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    assert nvme0.init_ns() >= 0
    pcie.close()


def test_full_list_of_namespaces_is_counted(drive: Drive) -> None:
    def identify(command: Command) -> Result:
        if command[10] & 0xFF != 2:
            return drive.identify(command)
        drive.scatter(command, struct.pack("<1024I", *range(1, 1025)))
        return 0, 0

    drive.on_admin[IDENTIFY] = identify
    pcie = nvme.Pcie(drive.start())
    assert nvme.Controller(pcie).init_ns() == 1024
    pcie.close()


@pytest.mark.parametrize(
    ("mdts", "size"), [(0, 0), (1, 8192), (5, 128 * 1024), (19, 1 << 31), (31, 1 << 43), (32, 1 << 44)]
)
def test_mdts_is_a_power_of_two_of_pages(drive: Drive, mdts: int, size: int) -> None:
    drive.identify_controller[77] = mdts
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    assert nvme0.mdts == size
    buf = nvme.Buffer(65536)
    nvme.Namespace(nvme0).read(nvme.Qpair(nvme0, 2), buf, 0, 128).waitdone()
    pcie.close()


@pytest.mark.parametrize("mdts", [52, 64, 128, 255])
def test_mdts_beyond_64_bits_is_no_small_limit(drive: Drive, mdts: int) -> None:
    drive.identify_controller[77] = mdts
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    assert nvme0.mdts == 0 or nvme0.mdts >= 1 << 32
    buf = nvme.Buffer(8192)
    drive.on_admin[2] = lambda command: (0, 0)
    nvme0.getlogpage(2, buf).waitdone()
    pcie.close()


@pytest.mark.parametrize("lbads", [0, 1, 8, 17, 31, 32, 40, 63, 64, 255])
def test_impossible_size_of_an_lba_is_refused(drive: Drive, lbads: int) -> None:
    drive.identify_namespace[130] = lbads
    pcie = nvme.Pcie(drive.start())
    with pytest.raises(nvme.NamespaceCreationError, match=rf"LBAs of 2\^{lbads} bytes"):
        nvme.Namespace(nvme.Controller(pcie))
    pcie.close()


@pytest.mark.parametrize("flbas", [0x01, 0x0F, 0x6F, 0xFF])
def test_format_that_the_drive_does_not_have_is_refused(drive: Drive, flbas: int) -> None:
    drive.identify_namespace[26] = flbas
    pcie = nvme.Pcie(drive.start())
    with pytest.raises(nvme.NamespaceCreationError, match=r"LBAs of 2\^0 bytes"):
        nvme.Namespace(nvme.Controller(pcie))
    pcie.close()


@pytest.mark.parametrize("nlbaf", [0, 15, 63, 64, 255])
def test_any_number_of_formats_is_searched_and_no_further_than_there_can_be(drive: Drive, nlbaf: int) -> None:
    """There are at most 64 LBA formats; vendor specific bytes follow in the structure."""
    drive.identify_namespace[25] = nlbaf
    drive.identify_namespace[384:4096] = struct.pack("<I", 12 << 16) * ((4096 - 384) // 4)
    pcie = nvme.Pcie(drive.start())
    nvme0n1 = nvme.Namespace(nvme.Controller(pcie))
    assert nvme0n1.get_lba_format(512, 0) == 0
    assert nvme0n1.get_lba_format(4096, 0) is None
    pcie.close()


def test_namespace_of_size_0_is_not_active(drive: Drive) -> None:
    struct.pack_into("<Q", drive.identify_namespace, 0, 0)
    pcie = nvme.Pcie(drive.start())
    with pytest.raises(nvme.NamespaceCreationError, match=r"namespace 1 of .* is not active"):
        nvme.Namespace(nvme.Controller(pcie))
    pcie.close()


@pytest.mark.parametrize("nsze", [1 << 40, 1 << 52, 1 << 56, 1 << 63, U64])
def test_namespace_of_an_absurd_size_is_used(drive: Drive, nsze: int) -> None:
    """The table of verification takes memory of what is touched; of what no table holds nothing is known."""
    struct.pack_into("<QQQ", drive.identify_namespace, 0, nsze, nsze, nsze)
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    nvme0n1 = nvme.Namespace(nvme0)
    qpair, buf = nvme.Qpair(nvme0, 4), nvme.Buffer(512)
    for lba in (0, nsze - 1, U64):
        nvme0n1.write(qpair, buf, lba).waitdone()
        nvme0n1.read(qpair, buf, lba).waitdone()
    assert nvme0n1.capacity == nsze * 512 or nsze * 512 > U64
    pcie.close()


def test_small_namespace_of_an_absurd_capacity_is_what_it_says(drive: Drive) -> None:
    struct.pack_into("<QQ", drive.identify_namespace, 48, U64, U64)
    pcie = nvme.Pcie(drive.start())
    assert nvme.Namespace(nvme.Controller(pcie)).capacity in (U64, (U64 << 64) + U64)
    pcie.close()


def test_text_fields_may_hold_any_bytes(drive: Drive) -> None:
    drive.identify_controller[4:72] = bytes(range(188, 256))
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    assert isinstance(nvme0.id_data(23, 4, str), str)
    assert isinstance(nvme0.id_data(63, 24, str), str)
    pcie.close()


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_identify_of_one_byte_all_over_does_no_harm(drive: Drive, byte: int) -> None:
    drive.identify_controller[:] = bytes([byte]) * 4096
    drive.identify_namespace[:] = bytes([byte]) * 4096
    drive.on_admin[2] = lambda command: (0, 0x109)
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    with lasts_at_most(2), pytest.raises(nvme.NamespaceCreationError):
        nvme.Namespace(nvme0)
    if byte:
        with pytest.raises((OSError, nvme.NvmeEnumerateError, RuntimeError), match="01/09"):
            nvme0.supports(0x80)
    else:
        assert nvme0.supports(0x06)
        assert not nvme0.supports(0x80)
    pcie.close()


def test_log_of_supported_commands_may_hold_any_bytes(drive: Drive) -> None:
    def effects(command: Command) -> tuple[int, int]:
        if command[10] & 0xFF != 5:
            return 0, 0x109
        drive.scatter(command, b"\xff" * 4096)
        return 0, 0

    drive.identify_controller[261] = 2
    drive.on_admin[2] = effects
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    assert all(nvme0.supports(opcode) for opcode in (0, 0x80, 0xFF))
    pcie.close()
