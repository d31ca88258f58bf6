# SPDX-License-Identifier: BSD-3-Clause
"""What the error log tells of each kind of command that fails: status, field in error, LBA, namespace."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pytest
from client import Nvme, Queue, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    COMPARE,
    COMPARE_FAILURE,
    CQ_INVALID,
    CREATE_CQ,
    CREATE_SQ,
    DSM,
    FORMAT,
    GET_FEATURES,
    GET_LOG,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_FORMAT,
    INVALID_LOG_PAGE,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    INVALID_QID,
    INVALID_QUEUE_SIZE,
    INVALID_VECTOR,
    LBA_OUT_OF_RANGE,
    NOT_NS_SPECIFIC,
    NOT_SAVEABLE,
    OK,
    READ,
    SANITIZE,
    SET_FEATURES,
    UNRECOVERED_READ,
    UNWRITTEN,
    VERIFY,
    WRITE_UNCORRECTABLE,
    Disk,
    log_page,
    pattern,
    set_feature,
    smart,
)

NONE = 0xFFFF
MEDIA_ERRORS = 160


def bit(byte: int, number: int) -> int:
    return byte | number << 8


class Entry(NamedTuple):
    count: int
    sqid: int
    cid: int
    status: int
    location: int
    lba: int
    nsid: int


def newest(nvme: Nvme) -> Entry:
    data = log_page(nvme, 1, 64)
    assert data[28:] == bytes(36)
    return Entry(*struct.unpack_from("<QHHHHQI", data))


def fails(nvme: Nvme, queue: Queue, entry: bytes, status: int, location: int, lba: int = 0) -> None:
    """Check that the command fails with this status, and adds one entry."""
    before = newest(nvme).count
    cid = queue.submit(entry)
    found = queue.wait()
    assert (found.cid, found.status) == (cid, status)
    told = newest(nvme)
    assert (told.count, told.sqid, told.cid) == (before + 1, queue.qid, cid)
    assert told.status >> 1 & 0x7FF == status and bool(told.status & 0x8000) == found.dnr
    assert (told.location, told.lba) == (location, lba)
    assert told.nsid == struct.unpack_from("<I", entry, 4)[0]


@pytest.mark.parametrize(
    "entry, status, location",
    [
        (sqe(0xFF, nsid=7), INVALID_OPCODE, 0),
        (sqe(IDENTIFY, cdw10=1, flags=1), INVALID_FIELD, 1),
        (sqe(IDENTIFY, nsid=77, cdw10=0), INVALID_NAMESPACE, 4),
        (sqe(IDENTIFY, cdw10=0xEE), INVALID_FIELD, 40),
        (sqe(GET_LOG, cdw10=0x7F), INVALID_LOG_PAGE, 40),
        (sqe(GET_LOG, nsid=1, cdw10=127 << 16 | 2), INVALID_FIELD, 4),
        (sqe(GET_LOG, cdw10=127 << 16 | 2, cdw12=2), INVALID_FIELD, 48),
        (sqe(GET_LOG, cdw10=127 << 16 | 2, cdw14=1 << 23), INVALID_FIELD, bit(58, 7)),
        (sqe(GET_LOG, cdw10=0xFFFF << 16 | 2), INVALID_FIELD, 42),
        (sqe(GET_FEATURES, cdw10=0x7F), INVALID_FIELD, 40),
        (sqe(GET_FEATURES, cdw10=4 << 8 | 1), INVALID_FIELD, 41),
        (sqe(SET_FEATURES, cdw10=2, cdw11=5), INVALID_FIELD, 44),
        (sqe(SET_FEATURES, cdw10=1 << 31 | 2), NOT_SAVEABLE, bit(43, 7)),
        (sqe(SET_FEATURES, nsid=1, cdw10=2), NOT_NS_SPECIFIC, 4),
        (sqe(CREATE_CQ, cdw10=7 << 16, cdw11=1), INVALID_QID, 40),
        (sqe(CREATE_CQ, cdw10=9, cdw11=1), INVALID_QUEUE_SIZE, 42),
        (sqe(CREATE_CQ, cdw10=7 << 16 | 9), INVALID_FIELD, 44),
        (sqe(CREATE_CQ, cdw10=7 << 16 | 9, cdw11=0xFFFF << 16 | 3), INVALID_VECTOR, 46),
        (sqe(CREATE_SQ, cdw10=7 << 16 | 9, cdw11=8 << 16 | 1), CQ_INVALID, 46),
        (sqe(FORMAT, nsid=1, cdw10=15), INVALID_FORMAT, 40),
        (sqe(FORMAT, nsid=1, cdw10=7 << 9), INVALID_FIELD, bit(41, 1)),
        (sqe(SANITIZE, cdw10=7), INVALID_FIELD, 40),
    ],
)
def test_admin_commands(nvme: Nvme, entry: bytes, status: int, location: int) -> None:
    fails(nvme, nvme.admin, entry, status, location)


@pytest.fixture
def disk(nvme: Nvme) -> Disk:
    return Disk(nvme, nvme.create_queue(1, 16))


@pytest.mark.parametrize(
    "fields, status, location, lba",
    [
        ({"opcode": 0x7F, "nsid": 1, "cdw10": 5}, INVALID_OPCODE, 0, 0),
        ({"opcode": READ, "nsid": 2, "cdw10": 5}, INVALID_NAMESPACE, 4, 5),
        ({"opcode": READ, "nsid": 1, "cdw10": 5, "cdw11": 6}, LBA_OUT_OF_RANGE, 40, 6 << 32 | 5),
        ({"opcode": READ, "nsid": 1, "cdw10": 5, "cdw12": 0xFFFF}, INVALID_FIELD, 48, 5),
        ({"opcode": READ, "nsid": 1, "cdw10": 5, "flags": 0x40}, INVALID_FIELD, bit(1, 6), 5),
        ({"opcode": 0, "nsid": 77, "cdw10": 5}, INVALID_NAMESPACE, 4, 0),
    ],
)
def test_io_commands(
    nvme: Nvme, disk: Disk, fields: dict[str, int], status: int, location: int, lba: int
) -> None:
    fails(nvme, disk.queue, sqe(prp1=disk.buffer, **fields), status, location, lba)


@pytest.mark.parametrize("opcode", [READ, COMPARE, VERIFY])
@pytest.mark.parametrize("bad", [8, 11, 18])
@pytest.mark.parametrize("flags", [0, 1 << 31])
def test_the_first_lba_that_cannot_be_read(nvme: Nvme, disk: Disk, opcode: int, bad: int, flags: int) -> None:
    """With Limited Retry or without, the read fails and counts as a media error in SMART."""
    assert disk.command(WRITE_UNCORRECTABLE, bad) == OK
    assert disk.command(WRITE_UNCORRECTABLE, 19) == OK
    before = smart(nvme, MEDIA_ERRORS)
    entry = sqe(opcode, nsid=1, prp1=disk.buffer, prp2=disk.buffer + 4096, cdw10=8, cdw12=15 | flags)
    fails(nvme, disk.queue, entry, UNRECOVERED_READ, NONE, bad)
    assert smart(nvme, MEDIA_ERRORS) == before + 1


@pytest.mark.parametrize("differs", [8, 13, 19])
def test_the_first_lba_that_compares_unequal(nvme: Nvme, disk: Disk, differs: int) -> None:
    disk.write(8, pattern(8, 12))
    data = bytearray(pattern(8, 12))
    data[(differs - 8) * 512 + 100] ^= 1
    data[-1] ^= 1
    nvme.memory.write(disk.buffer, bytes(data))
    before = smart(nvme, MEDIA_ERRORS)
    entry = sqe(COMPARE, nsid=1, prp1=disk.buffer, prp2=disk.buffer + 4096, cdw10=8, cdw12=11)
    fails(nvme, disk.queue, entry, COMPARE_FAILURE, NONE, differs)
    assert smart(nvme, MEDIA_ERRORS) == before, "nothing is wrong with the media"


def test_the_first_lba_that_was_never_written(nvme: Nvme, disk: Disk) -> None:
    disk.write(8, pattern(8, 3))
    assert set_feature(nvme, 5, 1 << 16, nsid=1) == OK
    fails(nvme, disk.queue, sqe(READ, nsid=1, prp1=disk.buffer, cdw10=8, cdw12=7), UNWRITTEN, NONE, 11)


def test_the_first_range_that_is_out_of_range(nvme: Nvme, disk: Disk) -> None:
    nvme.memory.write(disk.buffer, struct.pack("<IIQIIQ", 0, 8, 0, 0, 8, 1 << 40))
    entry = sqe(DSM, nsid=1, prp1=disk.buffer, cdw10=1, cdw11=4)
    fails(nvme, disk.queue, entry, LBA_OUT_OF_RANGE, NONE, 1 << 40)


def test_what_one_failure_left_is_not_told_of_the_next(nvme: Nvme, disk: Disk) -> None:
    assert disk.command(WRITE_UNCORRECTABLE, 9) == OK
    entry = sqe(READ, nsid=1, prp1=disk.buffer, cdw10=8, cdw12=3)
    fails(nvme, disk.queue, entry, UNRECOVERED_READ, NONE, 9)
    fails(nvme, nvme.admin, sqe(0xFF), INVALID_OPCODE, 0)
    fails(nvme, nvme.admin, sqe(GET_LOG, nsid=ALL_NAMESPACES, cdw10=0x7F), INVALID_LOG_PAGE, 40)


def test_a_command_that_succeeds_leaves_no_entry(nvme: Nvme, disk: Disk) -> None:
    before = newest(nvme).count
    disk.write(0, pattern(0, 16))
    assert disk.read(0, 16) == pattern(0, 16)
    assert newest(nvme).count == before == smart(nvme, 176)
