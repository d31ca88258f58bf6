# SPDX-License-Identifier: BSD-3-Clause
"""End-to-end protection information, against one made in Python. NVM 1.1, sections 3.3, 4.1.5 and 5.3."""

from __future__ import annotations

import pathlib
import struct
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    COMPARE,
    COMPARE_FAILURE,
    DEAC,
    DSM,
    FORMAT,
    FUA,
    INVALID_FIELD,
    INVALID_FORMAT,
    OK,
    POKE,
    READ,
    UNWRITTEN,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Start,
    control,
    identify,
    log_page,
)
from nvme_cli import COMPILER, PROGRAM, NvmeCli, build
from protection_helpers import (
    ALL,
    APP,
    G16,
    GUARD,
    KINDS,
    PRACT,
    REF,
    SHAPES,
    STC,
    Protected,
    crc16,
    crc32,
    crc64,
)
from server import Server

COPY = 0x19
INVALID_PI, BAD_GUARD, BAD_APP, BAD_REF, BAD_STORAGE = 0x181, 0x282, 0x283, 0x284, 0x288
ONES = b"\xff"


@pytest.fixture
def drive(start: Start) -> Iterator[Protected]:
    drive = Protected(start("--size", "8M", "--protection", "--copy"))
    yield drive
    drive.host.close()


def test_the_guards_of_this_test_are_the_published_ones() -> None:
    assert crc16(b"123456789") == 0xD0DB
    assert crc32(b"123456789") == 0xE3069283 and crc32(bytes(4096)) == 0x98F94189
    assert crc64(b"123456789") == 0xAE8B14860A799888 and crc64(bytes(4096)) == 0x6482D367EB22B64E


def test_identify_describes_what_there_is_and_what_is_in_use(drive: Protected) -> None:
    nvme = drive.host.nvme
    assert int.from_bytes(identify(nvme, 1)[96:100], "little") >> 15 & 1  # CTRATT.ELBAS
    for lbaf, type, extended, first in ((2, 1, False, False), (9, 2, True, True), (14, 3, False, True)):
        drive.protect(lbaf, type, extended, first)
        data = identify(nvme, 0, 1)
        assert (data[25], data[26] & 0x1F) == (15, lbaf | (0x10 if extended else 0))  # NLBAF, FLBAS
        assert (data[27], data[28], data[29]) == (3, 0x1F, type | (8 if first else 0))  # MC, DPC, DPS
        more = identify(nvme, 5, 1)
        elbaf = struct.unpack_from("<64I", more, 12)
        assert more[8] == 5  # PIC: storage tags of 16-bit guards, and checked in reads
        assert [entry >> 7 & 3 for entry in elbaf[:16]] == [0] * 8 + [1, 1, 2, 2] * 2
        assert [entry & 0x7F for entry in elbaf[:16]] == [0] * 8 + [16, 16, 0, 0] * 2
        assert not any(elbaf[16:])
        assert int.from_bytes(more[:8], "little") == (0xFFFF if KINDS[lbaf].guard == 4 else 0)  # LBSTM


def test_identify_describes_each_format_by_its_index(drive: Protected) -> None:
    """CNS 09h and 0Ah: what all namespaces of a format have in common, and zeros (NVM 1.1, 4.1.5.5)."""
    nvme = drive.host.nvme
    drive.protect(10, 2, True)
    space, more = identify(nvme, 0, 1), identify(nvme, 5, 1)
    for fidx in range(16):
        found = bytearray(identify(nvme, 9, cdw11=fidx))
        assert (found[25], found[27], found[28]) == (15, 3, 0x1F)  # NLBAF, MC, DPC
        assert found[128:384] == space[128:384]
        found[24:29], found[33], found[128:384] = bytes(5), 0, bytes(256)
        assert not any(found)
        assert identify(nvme, 0x0A, cdw11=fidx) == bytes(8) + more[8:]
    buffer = nvme.memory.alloc(4096)
    for cns in (9, 0x0A):
        assert nvme.admin.execute(0x06, prp1=buffer, cdw10=cns, cdw11=16)[1] == INVALID_FIELD


def test_formats_without_room_for_it_have_none(drive: Protected) -> None:
    admin = drive.host.nvme.admin
    for cdw10 in (0 | 1 << 5, 1 | 3 << 5, 2 | 4 << 5, 2 | 7 << 5, 8 | 5 << 5):
        assert admin.execute(FORMAT, nsid=1, cdw10=cdw10)[1] == INVALID_FORMAT, hex(cdw10)
    assert admin.execute(FORMAT, nsid=1, cdw10=8)[1] == OK  # none is asked for
    assert identify(drive.host.nvme, 0, 1)[29] == 0


def test_without_the_option_there_is_none(start: Start) -> None:
    drive = Protected(start("--size", "8M", "--metadata"))
    drive.format(2)
    assert identify(drive.host.nvme, 0, 1)[28] == 0
    assert not any(identify(drive.host.nvme, 5, 1))
    assert drive.host.nvme.admin.execute(FORMAT, nsid=1, cdw10=2 | 1 << 5)[1] == INVALID_FORMAT
    assert drive.send(WRITE, 0, 1, PRACT | ALL) == OK  # PRINFO means nothing
    drive.host.close()


def test_what_is_protected_as_specified_is_accepted_and_comes_back(drive: Protected) -> None:
    for shape in SHAPES[0::5]:
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        checks, lba, count = drive.checks(), 37, 5
        tags = drive.tags(lba, storage=0x5A & (1 << drive.storage_bits) - 1)
        written = drive.protected(lba, count, 1, storage=0x5A & (1 << drive.storage_bits) - 1)
        drive.put(*written)
        assert drive.send(WRITE, lba, count, checks, **tags) == OK, shape
        assert drive.read(lba, count) == written, shape
        for opcode in (READ, VERIFY):
            assert drive.send(opcode, lba, count, checks, **tags) == OK, shape
        drive.put(*written)
        assert drive.send(COMPARE, lba, count, checks, **tags) == OK, shape


def test_each_wrong_byte_is_refused_by_its_name(drive: Protected) -> None:
    for shape in SHAPES[1::5]:
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        checks, lba, at, kind = drive.checks(), 64, drive.place(), drive.kind
        tags = drive.tags(lba)
        old = drive.protected(lba, 3, 1)
        drive.write(lba, *old)
        wrong = [("data", 0, BAD_GUARD), ("data", drive.lba - 1, BAD_GUARD), ("meta", at, BAD_GUARD)]
        wrong += [("meta", at + kind.guard, BAD_APP), ("meta", at + kind.guard + 1, BAD_APP)]
        if drive.type != 3:
            wrong.append(("meta", at + kind.size - 1, BAD_REF))
        if at:
            wrong.append(("meta", at - 1, BAD_GUARD))
        for where, byte, status in wrong:
            data, metadata = drive.protected(lba, 3, 2)
            pieces = data if where == "data" else metadata
            changed = bytearray(pieces[1])
            changed[byte] ^= 0x40
            pieces[1] = bytes(changed)
            drive.put(data, metadata)
            assert drive.send(WRITE, lba, 3, checks, **tags) == status, (shape, where, byte)
            entry = log_page(drive.host.nvme, 1, 64)
            assert int.from_bytes(entry[16:24], "little") == lba + 1  # the LBA of the error log
            assert drive.read(lba, 3) == old, "a refused write changes nothing"
            drive.write(lba, data, metadata)  # unchecked, and then a read finds it
            for opcode in (READ, VERIFY):
                assert drive.send(opcode, lba, 3, checks, **tags) == status, (shape, where, byte)
            assert drive.send(READ, lba, 1, checks, **tags) == OK
            drive.write(lba, *old)
        if at + kind.size < drive.ms:  # the guard does not cover what comes after it
            data, metadata = drive.protected(lba, 1, 2)
            drive.put(data, [metadata[0][:-1] + bytes([metadata[0][-1] ^ 1])])
            assert drive.send(WRITE, lba, 1, checks, **tags) == OK


def test_pract_makes_and_strips_what_protects(drive: Protected) -> None:
    for shape in SHAPES[2::5]:
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        checks, lba, count, alone = drive.checks(), 100, 4, drive.alone()
        storage = 0x1234 if drive.storage_bits else 0
        tags = drive.tags(lba, storage=storage)
        data, metadata = drive.some(count, 5)
        if alone:  # nothing but data is transferred
            drive.memory.write(drive.data, b"".join(data))
            drive.memory.write(drive.meta, b"\x77" * 512)
        else:
            drive.put(data, metadata)
        assert drive.send(WRITE, lba, count, PRACT, **tags) == OK, shape
        step = 0 if drive.type == 3 else 1
        made = [
            drive.information(a, b, lba + i * step, storage=storage)
            for i, (a, b) in enumerate(zip(data, metadata))
        ]
        assert drive.read(lba, count) == (data, made), shape
        assert drive.send(READ, lba, count, checks, **tags) == OK, shape
        drive.memory.write(drive.data, b"\xa5" * (128 << 10))
        drive.memory.write(drive.meta, b"\xa5" * 1024)
        assert drive.send(READ, lba, count, PRACT | checks, **tags) == OK, shape
        if alone:
            size = count * drive.lba
            assert drive.memory.read(drive.data, size + 16) == b"".join(data) + b"\xa5" * 16, shape
            assert drive.memory.read(drive.meta, 16) == b"\xa5" * 16, shape
        else:
            step = drive.lba + (drive.ms if drive.extended else 0)
            assert drive.memory.read(drive.data, drive.lba) == data[0], shape
            assert drive.memory.read(drive.data + step, drive.lba) == data[1], shape
        control(drive.host.server, POKE, lba=lba, data=bytes(drive.lba))
        for flags in (PRACT | GUARD, GUARD):
            assert drive.send(READ, lba, count, flags, **tags) == BAD_GUARD, shape


def test_mdts_does_not_count_what_pract_strips(drive: Protected) -> None:
    drive.protect(3, 1, extended=True)
    assert drive.send(READ, 0, 32, 0) == INVALID_FIELD
    assert drive.send(READ, 0, 32, PRACT) == OK
    assert drive.send(READ, 0, 33, PRACT) == INVALID_FIELD


def test_tags_that_escape_the_checks(drive: Protected) -> None:
    for lbaf in (2, 8, 10):
        drive.storage_bits = 16 if lbaf == 8 else 0
        for type in (1, 2, 3):
            drive.protect(lbaf, type)
            ones = (1 << drive.reference_bits) - 1
            data, metadata = drive.some(1, 9)
            tags = drive.tags(20, app=1)
            cases = [(0xFFFF, ones, OK), (0xFFFF, 77, BAD_GUARD if type == 3 else OK), (0, ones, BAD_GUARD)]
            for app, reference, status in cases:
                drive.put(data, [drive.information(data[0], metadata[0], reference, app, guard=1)])
                assert drive.send(WRITE, 20, 1, drive.checks(), **tags) == status, (lbaf, type, app)
                assert drive.send(WRITE, 20, 1, 0) == OK
                assert drive.send(READ, 20, 1, drive.checks(), **tags) == status, (lbaf, type, app)


def test_only_what_prchk_names_is_checked(drive: Protected) -> None:
    drive.protect(4, 2)
    data, metadata = drive.some(1, 3)
    drive.write(9, data, [drive.information(data[0], metadata[0], 5, app=0x1234, guard=0xBEEF)])
    tags = drive.tags(6, app=0x1235)
    expected = {0: OK, GUARD: BAD_GUARD, APP: BAD_APP, REF: BAD_REF, ALL: BAD_GUARD, APP | REF: BAD_APP}
    for flags, status in expected.items():
        assert drive.send(READ, 9, 1, flags, **tags) == status, hex(flags)
    assert drive.send(READ, 9, 1, APP, **drive.tags(6, app=0x1235, mask=0xFFFE)) == OK
    assert drive.send(READ, 9, 1, APP, **drive.tags(6, app=0xFFFF, mask=0)) == OK
    assert drive.send(READ, 9, 1, APP | REF, **drive.tags(5, app=0x1234)) == OK


def test_an_initial_reference_tag_that_does_not_fit_the_type(drive: Protected) -> None:
    for opcode in (READ, WRITE, COMPARE, VERIFY):
        drive.protect(2, 1)
        assert drive.send(opcode, 8, 1, REF, **drive.tags(9)) == INVALID_PI, opcode
        assert drive.send(opcode, 8, 1, APP, **drive.tags(9, mask=0)) == OK, (
            "the reference tag is not checked"
        )
        drive.protect(2, 3)
        assert drive.send(opcode, 8, 1, REF, **drive.tags(8)) == INVALID_PI, opcode
        drive.protect(2, 2)
        assert drive.send(opcode, 8, 1, REF, **drive.tags(0xFFFFFFFF)) in (OK, BAD_REF), opcode
    entry = log_page(drive.host.nvme, 1, 64)
    drive.protect(2, 1)
    assert drive.send(READ, 8, 1, REF, **drive.tags(9)) == INVALID_PI
    entry = log_page(drive.host.nvme, 1, 64)
    assert int.from_bytes(entry[14:16], "little") == 14 * 4  # the parameter error location: dword 14


def test_the_reference_tag_wraps_around(drive: Protected) -> None:
    drive.protect(2, 2)
    data, metadata = drive.some(3, 4)
    first = 0xFFFFFFFE
    made = [drive.information(a, b, first + i) for i, (a, b) in enumerate(zip(data, metadata))]
    drive.put(data, made)
    assert drive.send(WRITE, 5, 3, ALL, **drive.tags(first)) == OK
    assert drive.send(READ, 5, 3, ALL, **drive.tags(first)) == OK
    assert drive.send(READ, 7, 1, ALL, **drive.tags(0)) == OK


def test_unwritten_and_deallocated_lbas_have_tags_that_escape(drive: Protected) -> None:
    for shape in ((2, 1, False, False), (5, 3, True, True), (11, 1, False, False), (14, 2, False, True)):
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        at, size = drive.place(), drive.kind.size
        blank = bytes(at) + ONES * size + bytes(drive.ms - at - size)
        count = 16 if drive.lba == 512 else 4
        drive.write(0, *drive.protected(0, count, 1))
        drive.memory.write(drive.data, struct.pack("<IIQ", 0, count - 1, 0))
        drive.queue.submit(sqe(DSM, nsid=1, prp1=drive.data, cdw10=0, cdw11=4))
        assert drive.queue.wait().status == OK
        assert drive.send(WRITE_ZEROES, count - 1, 1, DEAC | PRACT) == OK
        for lba in (0, count - 1, 300):
            assert drive.read(lba, 1) == ([bytes(drive.lba)], [blank]), (shape, lba)
            assert drive.send(READ, lba, 1, drive.checks(), **drive.tags(lba)) == OK, shape
            assert drive.send(VERIFY, lba, 1, drive.checks(), **drive.tags(lba)) == OK, shape


def test_dulbe_comes_before_the_checks(drive: Protected) -> None:
    drive.protect(2, 1)
    admin = drive.host.nvme.admin
    assert admin.execute(9, nsid=1, cdw10=5, cdw11=1 << 16)[1] == OK
    assert drive.send(READ, 3, 1, ALL, **drive.tags(3)) == UNWRITTEN
    assert drive.send(READ, 3, 1, REF, **drive.tags(4)) == INVALID_PI


def test_write_zeroes_makes_protection_information_if_asked_to(drive: Protected) -> None:
    for shape in ((2, 1, False, False), (7, 2, True, False), (8, 3, False, False), (11, 1, True, True)):
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        count = 24 if drive.lba == 512 else 3  # whole blocks of the medium too
        drive.write(0, *drive.protected(0, count + 2, 1))
        assert drive.send(WRITE_ZEROES, 1, count, PRACT, **drive.tags(1)) == OK
        step = 0 if drive.type == 3 else 1
        made = [
            drive.information(bytes(drive.lba), bytes(drive.ms), 1 + i * step) for i in range(min(count, 12))
        ]
        assert drive.read(1, len(made)) == ([bytes(drive.lba)] * len(made), made), shape
        assert drive.send(READ, 1, len(made), drive.checks(), **drive.tags(1)) == OK
        assert drive.send(WRITE_ZEROES, 1, count, 0) == OK
        assert drive.read(1, 2) == ([bytes(drive.lba)] * 2, [bytes(drive.ms)] * 2)
        for check in (GUARD, APP, REF):
            assert drive.send(WRITE_ZEROES, 1, 1, PRACT | check, **drive.tags(1)) == INVALID_PI


def test_compare_and_verify_refuse_pract(drive: Protected) -> None:
    drive.protect(2, 1)
    for opcode in (COMPARE, VERIFY):
        assert drive.send(opcode, 0, 1, PRACT, **drive.tags(0)) == INVALID_PI


def test_compare_leaves_protection_information_out(drive: Protected) -> None:
    for lbaf, first in ((2, False), (4, False), (4, True)):
        drive.protect(lbaf, 1, first=first)
        data, metadata = drive.protected(3, 2, 6)
        drive.write(3, data, metadata)
        at, size = drive.place(), drive.kind.size
        drive.put(data, [m[:at] + b"\x11" * size + m[at + size :] for m in metadata])
        assert drive.send(COMPARE, 3, 2, ALL, **drive.tags(3)) == OK
        if drive.ms > size:
            other = 0 if at else drive.ms - 1
            changed = bytearray(metadata[1])
            changed[other] ^= 1
            drive.put(data, [metadata[0], bytes(changed)])
            assert drive.send(COMPARE, 3, 2, ALL, **drive.tags(3)) == COMPARE_FAILURE
        control(drive.host.server, POKE, lba=3, data=bytes(512))
        drive.put([bytes(512), data[1]], metadata)
        assert drive.send(COMPARE, 3, 2, GUARD, **drive.tags(3)) == BAD_GUARD


def test_a_write_corrects_what_was_uncorrectable(drive: Protected) -> None:
    drive.protect(2, 1)
    assert drive.send(WRITE_UNCORRECTABLE, 2, 1) == OK
    assert drive.send(VERIFY, 2, 1, ALL, **drive.tags(2)) == 0x281
    drive.write(2, *drive.protected(2, 1, 1))
    assert drive.send(VERIFY, 2, 1, ALL, **drive.tags(2)) == OK


def storage_cases() -> list[tuple[int, int, int, int]]:
    """LBA format, wanted bits of storage tag, and those of the drive."""
    return [
        (2, 8, 8, 0x5A),
        (2, 64, 32, 0xDEADBEEF),
        (8, 24, 24, 0xABCDEF),
        (8, 64, 64, 0x0123456789ABCDEF),
        (10, 20, 20, 0xFEDCB),
        (10, 64, 48, 0x123456789ABC),
        (8, 0, 16, 0xBEEF),
    ]


def test_storage_tags_of_each_size(start: Start) -> None:
    for lbaf, wanted, bits, storage in storage_cases():
        drive = Protected(start("--size", "8M", "--protection", "--storage-tag", str(wanted)))
        drive.storage_bits = bits
        for type in (1, 3):
            drive.protect(lbaf, type)
            more = identify(drive.host.nvme, 5, 1)
            assert struct.unpack_from("<I", more, 12 + 4 * lbaf)[0] & 0x7F == bits
            assert int.from_bytes(more[:8], "little") == (1 << bits) - 1
            written = drive.protected(6, 2, 1, storage=storage)
            tags = drive.tags(6, storage=storage)
            drive.put(*written)
            assert drive.send(WRITE, 6, 2, drive.checks() | STC, **tags) == OK, (lbaf, bits)
            assert drive.send(READ, 6, 2, drive.checks() | STC, **tags) == OK
            for wrong in (storage ^ 1, storage ^ 1 << (bits - 1)):
                others = drive.tags(6, storage=wrong)
                assert drive.send(READ, 6, 2, drive.checks() | STC, **others) == BAD_STORAGE, (lbaf, bits)
                assert drive.send(READ, 6, 2, drive.checks(), **others) == OK, "STC is not set"
            assert drive.send(WRITE, 20, 2, PRACT, **drive.tags(20, storage=storage)) == OK
            assert drive.send(READ, 20, 2, drive.checks() | STC, **drive.tags(20, storage=storage)) == OK
        drive.host.close()


def test_the_mask_of_the_storage_tag(start: Start, folder: str) -> None:
    """LBSTM of Namespace Management (NVM 1.1, 4.1.6): bits that are 0 in it are not checked."""
    options = ("--size", "8M", "--protection", "--storage-tag", "24", "--namespace-management")
    drive = Protected(start(*options, "--file", str(pathlib.Path(folder) / "drive")))
    nvme, drive.storage_bits, tag = drive.host.nvme, 24, 0xABCDEF
    buffer = nvme.memory.alloc(4096)
    drive.protect(8, 1)
    for mask in (0x00FF0F, 0, (1 << 64) - 1):
        assert nvme.admin.execute(0x0D, nsid=1, cdw10=1)[1] == OK
        data = bytearray(4096)
        struct.pack_into("<QQ10xBxxB", data, 0, 64, 64, 8, 1)
        struct.pack_into("<Q", data, 384, mask)
        nvme.memory.write(buffer, bytes(data))
        assert nvme.admin.execute(0x0D, prp1=buffer) == (1, OK)
        nvme.memory.write(buffer, struct.pack("<HH", 1, 1).ljust(4096, b"\0"))
        assert nvme.admin.execute(0x15, nsid=1, prp1=buffer)[1] == OK
        for _ in range(2):
            assert int.from_bytes(identify(nvme, 5, 1)[:8], "little") == mask & 0xFFFFFF
            drive.put(*drive.protected(6, 2, 1, storage=tag))
            assert drive.send(WRITE, 6, 2, drive.checks() | STC, **drive.tags(6, storage=tag)) == OK
            for bit in range(24):
                status = drive.send(READ, 6, 2, drive.checks() | STC, **drive.tags(6, storage=tag ^ 1 << bit))
                assert status == (BAD_STORAGE if mask >> bit & 1 else OK), (mask, bit)
            drive.host.power_cycle()
            drive.queue = drive.host.disk.queue
    drive.host.close()


@pytest.mark.skipif(not (PROGRAM and COMPILER), reason="nvme-cli or a C compiler is not installed")
def test_nvme_cli_chooses_the_mask(start: Start, folder: str) -> None:
    drive = Protected(start("--size", "8M", "--protection", "--storage-tag", "24", "--namespace-management"))
    nvme = drive.host.nvme
    assert nvme.admin.execute(0x0D, nsid=1, cdw10=1)[1] == OK
    nvme.delete_queue(drive.host.disk.queue)
    with NvmeCli(nvme, build(pathlib.Path(folder)), pathlib.Path(folder)) as cli:
        cli.run("create-ns", "-s", "64", "-c", "64", "-f", "8", "-d", "1", "-l", "0x00ff0f")
        cli.run("attach-ns", "-n", "1", "-c", "1")
    assert int.from_bytes(identify(nvme, 5, 1)[:8], "little") == 0x00FF0F
    drive.host.close()


# Copy


def ranges(drive: Protected, format: int, parts: list[tuple[int, int, dict[str, int]]]) -> bytes:
    """Source ranges: first LBA, count and tags."""
    out = b""
    for slba, count, tags in parts:
        nsid = 1 if format & 2 else 0
        app, mask = tags["cdw15"] & 0xFFFF, tags["cdw15"] >> 16
        head = struct.pack("<IIQH", nsid, 0, slba, count - 1)
        if format & 1:
            space = tags["cdw2"] << 64 | tags["cdw3"] << 32 | tags["cdw14"]
            out += head + bytes(8) + space.to_bytes(10, "big") + struct.pack("<HH", app, mask)
        else:
            out += head + bytes(6) + struct.pack("<IHH", tags["cdw14"], app, mask)
    return out


def copy(
    drive: Protected,
    format: int,
    parts: list[tuple[int, int, dict[str, int]]],
    sdlba: int,
    read: int,
    write: int,
    **tags: int,
) -> tuple[int, int]:
    """Status and dword 0. read, write: PRACT, PRCHK and STC of both sides."""
    drive.memory.write(drive.data, ranges(drive, format, parts))
    cdw12 = (len(parts) - 1) | format << 8 | (read >> 26 & 0xF) << 12 | (write >> 26 & 0xF) << 26
    cdw12 |= (1 << 24 if read & STC else 0) | (1 << 25 if write & STC else 0)
    drive.queue.submit(sqe(COPY, nsid=1, prp1=drive.data, cdw10=sdlba, cdw12=cdw12, **tags))
    done = drive.queue.wait()
    return done.status, done.cdw0


def test_copy_checks_what_it_reads_and_makes_what_it_writes(start: Start) -> None:
    drive = Protected(start("--size", "8M", "--protection", "--copy"))
    behavior = drive.memory.alloc(512)
    drive.memory.write(behavior, bytes(4) + struct.pack("<H", 0xFFFF))
    assert drive.host.nvme.admin.execute(9, cdw10=0x16, prp1=behavior)[1] == OK
    assert identify(drive.host.nvme, 1)[534] == 0xF  # OCFS
    for lbaf, formats in ((2, (0, 2)), (4, (0,)), (8, (1, 3)), (10, (1,))):
        drive.storage_bits = 16 if lbaf == 8 else 0
        drive.protect(lbaf, 1)
        drive.write(0, *drive.protected(0, 16, 1))
        data, metadata = drive.read(0, 16)
        for format in formats:
            parts = [(2, 3, drive.tags(2)), (10, 2, drive.tags(10))]
            done = copy(drive, format, parts, 200, PRACT | ALL, PRACT, **drive.tags(200, app=0x77))
            assert done == (OK, 0), (lbaf, format)
            expected = data[2:5] + data[10:12]
            made = metadata[2:5] + metadata[10:12]
            made = [
                drive.information(a, b, 200 + i, app=0x77) for i, (a, b) in enumerate(zip(expected, made))
            ]
            assert drive.read(200, 5) == (expected, made), (lbaf, format)
            assert drive.send(READ, 200, 5, ALL, **drive.tags(200, app=0x77)) == OK
            # Without PRACT, the source's information is written, which a check of the writes can refuse.
            assert copy(drive, format, parts[:1], 300, ALL, GUARD | APP, **drive.tags(300)) == (OK, 0)
            assert drive.read(300, 3) == (data[2:5], metadata[2:5])
            old = drive.read(400, 3)
            assert copy(drive, format, parts[:1], 400, ALL, ALL, **drive.tags(400))[0] == BAD_REF
            parts[1] = (10, 2, drive.tags(10, app=1))
            done = copy(drive, format, parts, 400, PRACT | ALL, PRACT, **drive.tags(400))
            assert done == (BAD_APP, 1), "dword 0 is the number of the source range"
            parts[1] = (10, 2, drive.tags(11))
            assert copy(drive, format, parts, 400, PRACT | ALL, PRACT, **drive.tags(400)) == (INVALID_PI, 1)
            assert copy(drive, format, parts[:1], 400, PRACT, 0, **drive.tags(400))[0] == INVALID_FIELD
            assert copy(drive, format ^ 1, parts[:1], 400, 0, 0, **drive.tags(400))[0] == INVALID_FIELD
            assert drive.read(400, 3) == old
    drive.host.close()


def test_a_namespace_is_created_with_it(start: Start) -> None:
    drive = Protected(start("--size", "8M", "--protection", "--namespace-management"))
    admin, data = drive.host.nvme.admin, drive.memory.alloc(4096)
    assert admin.execute(0x0D, nsid=1, cdw10=1)[1] == OK  # delete
    for flbas, dps, status in ((0, 1, 0x10A), (2, 4, 0x10A), (2, 0x11, 0x10A), (2, 9, OK), (0x1A, 2, OK)):
        body = bytearray(4096)
        struct.pack_into("<QQ", body, 0, 64, 64)
        body[26], body[29] = flbas, dps
        drive.memory.write(data, bytes(body))
        nsid, found = admin.execute(0x0D, prp1=data)
        assert found == status, (flbas, dps)
        if status == OK:
            told = identify(drive.host.nvme, 0x11, nsid)
            assert (told[26] & 0x1F, told[29]) == (flbas, dps)
    drive.host.close()


def test_a_command_that_a_rule_splits_counts_on(start: Start) -> None:
    drive = Protected(start("--size", "8M", "--protection", "--fault", "opcode=write do split=1024"))
    for lbaf, extended in ((2, False), (10, True)):
        drive.protect(lbaf, 1, extended)
        data, metadata = drive.some(7, 3)
        if drive.alone():
            drive.memory.write(drive.data, b"".join(data))
        assert drive.send(WRITE, 40, 7, PRACT | REF, **drive.tags(40)) == OK
        made = [drive.information(a, b, 40 + i) for i, (a, b) in enumerate(zip(data, metadata))]
        assert drive.read(40, 7) == (data, made)
        assert drive.kind is G16 or drive.kind.guard == 8
    drive.host.close()


def test_a_file_keeps_it_over_a_loss_of_power_and_over_the_process(tmp_path: pathlib.Path) -> None:
    words = ("--size", "8M", "--file", str(tmp_path / "data"), "--protection")
    for shape in ((4, 1, False, True), (11, 2, True, False)):
        server = Server(str(tmp_path / "drive"), *words)
        drive = Protected(server)
        drive.protect(*shape)
        old, newer = drive.protected(3, 5, 1), drive.protected(3, 5, 2)
        drive.write(3, *old)
        drive.host.disk.flush()
        drive.write(3, *newer)
        drive.host.power_cycle()
        drive.queue = drive.host.disk.queue
        assert drive.read(3, 5) == old, shape
        drive.write(20, *newer, FUA)
        drive.host.close()
        server.stop()
        server = Server(str(tmp_path / "drive"), *words)
        again = Protected(server)
        again.lba, again.ms, again.extended = drive.lba, drive.ms, drive.extended
        told = identify(again.host.nvme, 0, 1)
        assert told[26] & 0xF == shape[0] and told[29] & 7 == shape[1]
        assert again.read(3, 5) == old
        assert again.read(20, 5) == newer
        again.host.close()
        server.stop()
    server = Server(str(tmp_path / "drive"), *words[:4])
    assert "holds a drive with metadata" in server.word
    server.stop()


def test_rules_change_the_metadata_of_lbas(start: Start) -> None:
    rules = (
        "nsid=1 opcode=write lba=41 do flip byte=3 bit=6 metadata=1",
        "opcode=read lba=60..61 do bytes at=2 size=2 value=0x3412 metadata=1",
        "opcode=write-zeroes lba=80 do fill=0x77 at=4 size=2 metadata=1",
    )
    drive = Protected(
        start("--size", "8M", "--protection", *(w for rule in rules for w in ("--fault", rule)))
    )
    for extended in (False, True):
        drive.protect(2, 1, extended)
        data, metadata = drive.protected(40, 3, 1)
        drive.put(data, metadata)
        assert drive.send(WRITE, 40, 3, ALL, **drive.tags(40)) == OK  # it is right when it is checked
        changed = bytes([*metadata[1][:3], metadata[1][3] ^ 0x40, *metadata[1][4:]])
        assert drive.read(40, 3) == (data, [metadata[0], changed, metadata[2]])
        assert drive.send(READ, 40, 3, ALL, **drive.tags(40)) == BAD_APP
        data, metadata = drive.protected(59, 4, 1)
        drive.write(59, data, metadata)
        seen = drive.read(59, 4)[1]
        assert [seen[0], seen[3]] == [metadata[0], metadata[3]]
        assert seen[1:3] == [m[:2] + b"\x12\x34" + m[4:] for m in metadata[1:3]]
        assert drive.send(READ, 59, 4, ALL, **drive.tags(59)) == OK, "the medium has what was written"
        assert drive.send(WRITE_ZEROES, 79, 3, PRACT, **drive.tags(79)) == OK
        seen = drive.read(79, 3)[1]
        made = [drive.information(bytes(512), bytes(8), 79 + i) for i in range(3)]
        assert seen == [made[0], made[1][:4] + b"\x77\x77" + made[1][6:], made[2]]
    drive.host.close()
