# SPDX-License-Identifier: BSD-3-Clause
"""LBA formats with metadata, in a buffer of their own and behind the data of each LBA. NVM 1.0, 5.2.1."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    COMPARE,
    COMPARE_FAILURE,
    DATA_TRANSFER_ERROR,
    DSM,
    FORMAT,
    INVALID_FIELD,
    INVALID_FORMAT,
    OK,
    READ,
    WRITE,
    WRITE_ZEROES,
    Host,
    Start,
    identify,
)
from metadata_helpers import BY_SGL, FORMATS, Drive
from server import Server

COPY = 0x19


@pytest.fixture
def drive(start: Start) -> Iterator[Drive]:
    drive = Drive(start("--size", "8M", "--metadata", "--sgls", "byte"))
    yield drive
    drive.host.close()


WITH_METADATA = [(lbaf, extended) for lbaf in range(2, 8) for extended in (False, True)]


def test_identify_describes_the_formats_and_the_one_in_use(drive: Drive) -> None:
    for lbaf, extended in [(0, False), (1, True), *WITH_METADATA]:
        drive.format(lbaf, extended)
        data = identify(drive.host.nvme, 0, 1)
        assert data[25] == 7 and data[27] == 3  # NLBAF, MC
        assert data[26] == lbaf | (0x10 if drive.extended else 0)  # FLBAS
        found = [struct.unpack_from("<HBB", data, 128 + 4 * i) for i in range(8)]
        assert [(1 << lbads, ms) for ms, lbads, _ in found] == FORMATS[:8]
        assert int.from_bytes(data[:8], "little") * drive.lba == 8 << 20


def test_without_the_option_there_are_two_formats_and_no_metadata(start: Start) -> None:
    host = Host(start("--size", "8M"))
    data = identify(host.nvme, 0, 1)
    assert (data[25], data[27]) == (1, 0)
    assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=2)[1] == INVALID_FORMAT
    host.close()


def test_data_and_metadata_come_back_as_they_were_written(drive: Drive) -> None:
    for lbaf, extended in WITH_METADATA:
        drive.format(lbaf, extended)
        for lba, count in ((0, 1), (3, 7), (100, 24)):
            written = drive.some(count, lbaf * 100 + count)
            drive.write(lba, *written)
            assert drive.read(lba, count) == written, (lbaf, extended, lba)
            assert drive.send(COMPARE, lba, count) == OK
        assert drive.read(900, 2) == ([bytes(drive.lba)] * 2, [bytes(drive.ms)] * 2)


def test_a_rewrite_changes_its_lbas_only(drive: Drive) -> None:
    for lbaf, extended in ((2, False), (6, True)):
        drive.format(lbaf, extended)
        data, metadata = drive.some(16, 1)
        drive.write(0, data, metadata)
        newer = drive.some(3, 2)
        drive.write(6, *newer)
        data[6:9], metadata[6:9] = newer
        assert drive.read(0, 16) == (data, metadata)


def test_compare_looks_at_the_metadata_too(drive: Drive) -> None:
    for lbaf, extended in ((2, False), (3, True)):
        drive.format(lbaf, extended)
        data, metadata = drive.some(4, 1)
        drive.write(8, data, metadata)
        drive.put(data, [*metadata[:3], bytes(drive.ms)])
        assert drive.send(COMPARE, 8, 4) == COMPARE_FAILURE
        assert drive.send(COMPARE, 8, 3) == OK


def test_zeroes_and_deallocation_clear_the_metadata(drive: Drive) -> None:
    drive.format(4)
    data, metadata = drive.some(24, 5)
    drive.write(0, data, metadata)
    assert drive.send(WRITE_ZEROES, 3, 2) == OK
    drive.memory.write(drive.data, struct.pack("<IIQ", 0, 8, 8) + struct.pack("<IIQ", 0, 1, 20))
    dsm = sqe(DSM, nsid=1, prp1=drive.data, cdw10=1, cdw11=4)
    drive.queue.submit(dsm)
    assert drive.queue.wait().status == OK
    for lba in (3, 4, *range(8, 16), 20):
        data[lba], metadata[lba] = bytes(512), bytes(16)
    assert drive.read(0, 24) == (data, metadata)


def test_a_power_loss_takes_data_and_metadata_together(drive: Drive) -> None:
    for lbaf, extended in ((2, False), (7, True)):
        drive.format(lbaf, extended)
        old, newer = drive.some(16, 1), drive.some(16, 2)
        drive.write(0, *old)
        drive.host.disk.flush()
        drive.write(0, *newer)
        drive.host.power_cycle()
        drive.queue = drive.host.disk.queue
        data, metadata = drive.read(0, 16)
        for i in range(16):
            assert (data[i], metadata[i]) in ((old[0][i], old[1][i]), (newer[0][i], newer[1][i]))
        assert (data, metadata) == old  # this drive loses all that was not flushed
        assert identify(drive.host.nvme, 0, 1)[26] == lbaf | (0x10 if extended else 0)


def test_the_metadata_pointer_is_aligned_to_dwords_and_reachable(drive: Drive) -> None:
    drive.format(2)
    data, metadata = drive.some(2, 7)
    drive.put(data, metadata)
    for opcode in (WRITE, READ, COMPARE):
        assert drive.send(opcode, 0, 2, mptr=drive.meta + 2) == INVALID_FIELD
        assert drive.send(opcode, 0, 2, mptr=0x1234_0000) == DATA_TRANSFER_ERROR
    assert drive.send(WRITE, 0, 2, mptr=drive.meta + 4) == OK
    drive.format(2, extended=True)  # which has no use for it
    drive.put(data, metadata)
    assert drive.send(WRITE, 0, 2, mptr=3) == OK
    assert drive.read(0, 2) == (data, metadata)


def test_mdts_counts_the_metadata_of_extended_lbas_only(drive: Drive) -> None:
    drive.format(3)
    assert drive.send(READ, 0, 32) == OK
    assert drive.send(READ, 0, 33) == INVALID_FIELD
    drive.format(3, extended=True)
    assert drive.send(READ, 0, 31) == OK
    assert drive.send(READ, 0, 32) == INVALID_FIELD


def test_data_by_an_sgl_and_metadata_by_mptr(drive: Drive) -> None:
    drive.format(6)
    written = drive.some(4, 3)
    drive.put(*written)
    length = 4 * 512
    fields = {"prp1": drive.data, "prp2": length, "mptr": drive.meta, "cdw12": 3}
    drive.queue.submit(sqe(WRITE, nsid=1, flags=BY_SGL, **fields))
    assert drive.queue.wait().status == OK
    assert drive.read(0, 4) == written
    drive.format(6, extended=True)
    drive.put(*written)
    fields["prp2"] = 4 * (512 + 64)
    drive.queue.submit(sqe(WRITE, nsid=1, flags=BY_SGL, **fields))
    assert drive.queue.wait().status == OK
    assert drive.read(0, 4) == written


def test_metadata_by_an_sgl(drive: Drive) -> None:
    """MPTR leads to one descriptor, which is a data block, or leads on to others."""
    drive.format(6)
    data, metadata = drive.some(4, 3)
    pieces = drive.memory.alloc(4096)

    def send(opcode: int, *descriptors: tuple[int, int, int], at: int = drive.list, flags: int = 0x80) -> int:
        drive.memory.write(at, b"".join(struct.pack("<QI3xB", a, n, kind << 4) for kind, a, n in descriptors))
        fields = {"prp1": drive.data, "prp2": 4 * 512, "mptr": at, "cdw12": 3}
        drive.queue.submit(sqe(opcode, nsid=1, flags=flags, **fields))
        return int(drive.queue.wait().status)

    block, segment, last = 0, 2, 3
    drive.put(data, metadata)
    assert send(WRITE, (block, drive.meta, 256)) == OK
    assert drive.read(0, 4) == (data, metadata)
    listed = struct.pack("<QI3xB", pieces, 100, 0) + struct.pack("<QI3xB", pieces + 200, 156, 0)
    drive.memory.write(drive.list + 64, listed)
    for opcode in (READ, COMPARE):
        assert send(opcode, (last, drive.list + 64, 32)) == OK
        found = drive.memory.read(pieces, 100) + drive.memory.read(pieces + 200, 156)
        assert found == b"".join(metadata)
    drive.memory.write(pieces, b"\xff")
    assert send(COMPARE, (last, drive.list + 64, 32)) == COMPARE_FAILURE
    for status, wrong in (
        (0x010, (block, drive.meta, 252)),
        (0x00D, (segment, drive.list + 64, 32)),
        (0x00D, (last, drive.list + 60, 32)),
        (0x011, (4, drive.meta, 256)),
        (DATA_TRANSFER_ERROR, (block, 0x1234_0000, 256)),
    ):
        assert send(WRITE, wrong) == status
        assert send(READ, wrong) == status
    assert send(READ, (block, drive.meta, 512)) == OK  # SGLS bit 18
    assert send(READ, (block, drive.meta, 256), at=drive.list + 4) == 0x00D
    assert send(READ, (block, drive.meta, 256), flags=0xC0) == INVALID_FIELD
    assert drive.send(READ, 0, 4, mptr=drive.meta) == OK
    drive.format(6, extended=True)  # which has no use for MPTR
    drive.queue.submit(sqe(READ, nsid=1, flags=0x80, prp1=drive.data, prp2=576, mptr=3))
    assert drive.queue.wait().status == OK


@pytest.mark.parametrize("sgls", ["byte", "dword"])
def test_identify_says_how_mptr_may_lead_to_metadata(start: Start, sgls: str) -> None:
    drive = Drive(start("--size", "8M", "--metadata", "--sgls", sgls))
    assert struct.unpack_from("<I", identify(drive.host.nvme, 1), 536)[0] >> 16 & 0xA == 0xA  # bits 17 and 19
    drive.format(2)
    drive.put(*drive.some(1, 1))
    fields = {"prp1": drive.data, "prp2": 512, "mptr": drive.meta + 1}
    drive.queue.submit(sqe(WRITE, nsid=1, flags=BY_SGL, **fields))
    assert drive.queue.wait().status == OK
    assert drive.send(WRITE, 0, 1, mptr=drive.meta + 1) == INVALID_FIELD
    drive.host.close()


@pytest.mark.parametrize(
    ("options", "flbas", "dps", "pif"),
    [
        ("--metadata-size 8", 2, 0, 0),
        ("--metadata-size 64 --extended-lba --lba-size 4096", 0x17, 0, 0),
        ("--pi 1", 2, 1, 0),
        ("--pi 2 --extended-lba --metadata-size 16", 0x14, 2, 0),
        ("--pi 3 --guard 64 --lba-size 4096", 11, 3, 2),
        ("--pi 1 --guard 32 --metadata-size 64", 12, 1, 1),
    ],
)
def test_a_new_drive_has_the_format_of_its_options(
    start: Start, options: str, flbas: int, dps: int, pif: int
) -> None:
    host = Host(start("--size", "8M", *options.split()))
    data = identify(host.nvme, 0, 1)
    assert (data[26], data[29]) == (flbas, dps)
    elbaf = identify(host.nvme, 5, 1)
    assert int.from_bytes(elbaf[12 + 4 * (flbas & 15) :][:4], "little") >> 7 & 3 == pif
    host.close()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--extended-lba", "give --metadata-size or --pi"),
        ("--guard 32", "give its type with --pi"),
        ("--pi 1 --guard 64 --metadata-size 8", "needs 16 bytes of metadata"),
        ("--metadata-size 9", "takes 0, 8, 16 or 64"),
    ],
)
def test_formats_that_there_are_not_are_refused(folder: str, options: str, text: str) -> None:
    server = Server(folder, "--size", "8M", *options.split())
    assert text in server.word
    server.stop()


def test_copy_takes_the_metadata_along(start: Start) -> None:
    drive = Drive(start("--size", "8M", "--metadata", "--copy"))
    for lbaf in (4, 5):
        drive.format(lbaf)
        written = drive.some(6, lbaf)
        drive.write(0, *written)
        drive.memory.write(drive.data, struct.pack("<QQHHIQ", 0, 2, 3, 0, 0, 0))  # 4 LBAs from LBA 2 on
        drive.queue.submit(sqe(COPY, nsid=1, prp1=drive.data, cdw10=77))
        assert drive.queue.wait().status == OK
        assert drive.read(77, 4) == (written[0][2:], written[1][2:])
    drive.host.close()


def test_a_command_that_a_rule_splits_takes_each_piece_from_its_place(start: Start) -> None:
    for lbaf, extended in ((2, False), (2, True)):
        drive = Drive(start("--size", "8M", "--metadata", "--fault", "opcode=write do split=1024"))
        drive.format(lbaf, extended)
        written = drive.some(7, lbaf)
        drive.write(0, *written)
        assert drive.read(0, 7) == written
        drive.host.close()


@pytest.mark.parametrize("size", [8192, 16384, 32768, 65536])
def test_large_lbas_have_metadata_too(start: Start, size: int) -> None:
    drive = Drive(start("--size", "8M", "--metadata", "--lba-size", str(size), "--format-time", "0"))
    for lbaf, extended in [(3, False), (3, True), (7, False), (7, True)]:
        drive.format(lbaf, extended)
        drive.lba = size
        data = identify(drive.host.nvme, 0, 1)
        assert struct.unpack_from("<HBB", data, 128 + 4 * lbaf)[:2] == (drive.ms, size.bit_length() - 1)
        assert int.from_bytes(data[:8], "little") == (8 << 20) // size
        written = drive.some(1, lbaf)
        drive.write(3, *written)
        assert drive.read(3, 1) == written
        assert drive.send(COMPARE, 3, 1) == OK
        drive.put(written[0], [bytes(drive.ms)])
        assert drive.send(COMPARE, 3, 1) == COMPARE_FAILURE
        assert drive.send(WRITE_ZEROES, 3, 1) == OK
        assert drive.read(3, 1) == ([bytes(size)], [bytes(drive.ms)])
        # A loss of power keeps or loses data and metadata of an LBA together.
        drive.write(5, *written)
        drive.host.disk.flush()
        newer = drive.some(1, lbaf + 100)
        drive.write(5, *newer)
        drive.host.power_cycle()
        drive.queue = drive.host.disk.queue
        assert drive.read(5, 1) in (written, newer)
    drive.host.close()
