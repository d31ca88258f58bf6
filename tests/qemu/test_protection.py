# SPDX-License-Identifier: BSD-3-Clause
"""Protection information, type 1, in the last 8 of 16 bytes of metadata behind each LBA (NVM 5.2)."""

from __future__ import annotations

import os
import struct

import nvme as d
import pytest

from pynvme.protection import Format, check

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = "pi"
DATA, METADATA = 4096, 16
LBA = DATA + METADATA
PRACT, CHECK_GUARD, CHECK_APP, CHECK_REF = 1 << 13, 1 << 12, 1 << 11, 1 << 10
CHECK_ALL = CHECK_GUARD | CHECK_APP | CHECK_REF
APP, APP_MASK = 0xA55A, 0xFFFF


def guard_of(data):
    """CRC-16 of T10 DIF, polynomial 8BB7h; that of "123456789" is D0DBh."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8BB7 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def protected(data, lba, app=APP):
    """Data and metadata of one LBA; the guard is that of all that lies before it."""
    before = data + b"metadata"
    return before + struct.pack(">HHI", guard_of(before), app, lba)


def transfer(command, qpair, buf, lba, flags, app=APP):
    command(qpair, buf, lba, 1, flags, 0, lba, APP_MASK << 16 | app).waitdone()


def test_the_guard_is_the_published_one():
    assert guard_of(b"123456789") == 0xD0DB


def test_what_is_protected_as_the_specification_says_is_taken_and_comes_back(nvme0n1, qpair):
    lba, data = 77, os.urandom(DATA)
    buf, back = d.Buffer(LBA), d.Buffer(LBA)
    buf[:] = protected(data, lba)
    transfer(nvme0n1.write, qpair, buf, lba, CHECK_ALL)
    transfer(nvme0n1.read, qpair, back, lba, CHECK_ALL)
    assert bytes(back[:]) == protected(data, lba)


@pytest.mark.parametrize(
    ("at", "status"),
    [(5, "02/82"), (DATA + 3, "02/82"), (DATA + 8, "02/82"), (DATA + 10, "02/83"), (DATA + 15, "02/84")],
    ids=["data", "metadata", "guard", "application tag", "reference tag"],
)
def test_one_wrong_byte_is_refused_by_the_name_of_what_is_wrong(nvme0n1, qpair, at, status):
    lba = 99
    buf = d.Buffer(LBA)
    buf[:] = protected(os.urandom(DATA), lba)
    buf[at] ^= 1
    with pytest.warns(UserWarning, match=status):
        transfer(nvme0n1.write, qpair, buf, lba, CHECK_ALL)


def test_pract_has_the_drive_make_what_protects_it(nvme0n1, qpair):
    """Its metadata are more than protection information: they are transferred all the same, and filled in."""
    lba, data = 123, os.urandom(DATA)
    buf, back = d.Buffer(LBA), d.Buffer(LBA)
    buf[:] = data + b"metadata" + bytes(8)
    transfer(nvme0n1.write, qpair, buf, lba, PRACT)
    transfer(nvme0n1.read, qpair, back, lba, CHECK_ALL)
    assert bytes(back[:]) == protected(data, lba)


def test_a_worker_protects_checks_and_verifies(nvme0n1):
    """Data and metadata, with checks of the drive, and with tuples that the drive makes."""
    for pi in (None, True, {"apptag": 0x1234}, {"pi_act": 1}):
        fill = nvme0n1.ioworker(io_size=2, region_end=256, lba_random=False, read_percentage=0, pi=pi)
        mixed = nvme0n1.ioworker(io_size=2, region_end=256, read_percentage=50, io_count=200, qdepth=2, pi=pi)
        assert fill.start().close().error == 0, pi
        result = mixed.start().close()
        assert (result.error, result.lba_mismatch) == (0, 0), pi
        assert result.lba_verified > 0


def test_tags_by_name_and_what_the_drive_makes_are_as_expected(nvme0n1, qpair):
    assert nvme0n1.protection == Format(1, METADATA, extended=True, data=DATA)
    buf, back = d.Buffer(2 * LBA), d.Buffer(2 * LBA)
    for pi in ({"app_tag": 0x77}, {"app_tag": 0x77, "pract": 1}):
        buf[:] = os.urandom(2 * LBA)
        before = nvme0n1.verify_stats()
        nvme0n1.write(qpair, buf, 300, 2, pi=pi).waitdone()
        nvme0n1.read(qpair, back, 300, 2, pi={"app_tag": 0x77}).waitdone()
        after = nvme0n1.verify_stats()
        assert check(nvme0n1, back, 300, 2, pi={"app_tag": 0x77}) == []
        assert (after.judged - before.judged, after.mismatch - before.mismatch) == (2, 0), pi
