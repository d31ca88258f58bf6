# SPDX-License-Identifier: BSD-3-Clause
"""Metadata of LBAs in each format, and protection information with guards of each size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import nvme

from pynvme.protection import APP, GUARD, REF, Format, Pi, explain, protect
from pynvme.protection import check as faults_of
from pynvme.spec import AdminOpcode, IoOpcode, Status
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import ROOM, admin
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

METADATA = "NVM 1.0, 5.1 Metadata Handling"
PROTECTION = "NVM 1.0, 5.2 End-to-end Data Protection"
CHECKS = f"{PROTECTION}, PRCHK"
ACTION = f"{PROTECTION}, PRACT"

COUNT = 12
"""LBAs of a command."""
TAG = 0x5AA5
"""The application tag."""


def extended_formats(drive: Drive, least: int = 1) -> list[int]:
    """The LBA formats with this many bytes of metadata, which may follow the data of each LBA."""
    space = drive.ns.id_ns
    if not space.mc.mtelba:
        return []
    return [n for n in range(space.nlbaf + 1) if space.lbaf[n].lbads and space.lbaf[n].ms >= least]


def types(drive: Drive) -> list[int]:
    """The types of protection information that the namespace can have (DPC bits 2:0)."""
    dpc = drive.ns.id_ns.dpc
    return [number for number, bit in ((1, dpc.pit1s), (2, dpc.pit2s), (3, dpc.pit3s)) if bit]


EXTENDED = Need(
    "an LBA format with metadata that follow the data (MC bit 0, MS)", lambda d: bool(extended_formats(d))
)
PROTECTED = Need(
    "protection information in such a format (DPC bits 2:0, MS)",
    lambda drive: bool(types(drive) and extended_formats(drive, 8)),
)
pytestmark = needs(ROOM, admin(AdminOpcode.FORMAT_NVM), EXTENDED)


def format_nvm(drive: Drive, lbaf: int, rest: int) -> None:
    """Format the namespace. rest is MSET in bit 0, the type of protection information above it, and PIL."""
    cdw10 = (lbaf >> 4 & 3) << 12 | rest << 4 | lbaf & 0xF
    done = drive.admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=cdw10)
    drive.succeed(done, clauses.ADMIN[AdminOpcode.FORMAT_NVM])
    drive.measure()


@contextlib.contextmanager
def formatted(drive: Drive, lbaf: int, pi: int = 0, first: bool = False) -> Iterator[None]:
    """The namespace with extended LBAs in a format, and at the end as it was before."""
    before = drive.ns.id_ns
    dps = int(before.dps)
    format_nvm(drive, lbaf, 1 | pi << 1 | first << 4)
    drive.ns.verify_enable(False)  # these tests judge all that they read
    try:
        yield
    finally:
        drive.ns.verify_enable(True)
        rest = int(before.flbas.mdbs) | (dps & 7) << 1 | (dps >> 3 & 1) << 4
        format_nvm(drive, int(before.flbas.lbafil), rest)


def protected(drive: Drive) -> Iterator[Format]:
    """The namespace in each type of protection information, in a format of its own and a place of its own."""
    possible = extended_formats(drive, 8)
    dpc = drive.ns.id_ns.dpc
    for pi in types(drive):
        lbaf = drive.random.choice(possible)
        first = bool(dpc.piifb) and (not dpc.piilb or drive.random.random() < 0.5)
        with formatted(drive, lbaf, pi, first):
            fmt = drive.ns.protection
            drive.check(fmt is not None, PROTECTION, f"protection information of type {pi} (DPS)", "none")
            assert fmt is not None
            drive.check(
                (fmt.type, fmt.first) == (pi, first),
                PROTECTION,
                f"DPS with type {pi}, PIP {int(first)}",
                f"type {fmt.type}, PIP {int(fmt.first)}",
            )
            yield fmt


def filled(drive: Drive, count: int = COUNT) -> nvme.Buffer:
    """LBAs of random data and metadata."""
    buf = nvme.Buffer(count * drive.lba_size)
    buf[:] = drive.random.randbytes(len(buf))
    return buf


def place(drive: Drive) -> int:
    """A random first LBA, not of an aligned one."""
    return drive.random.randrange(1, drive.nsze - 4 * COUNT) | 1


def io(
    drive: Drive,
    opcode: IoOpcode,
    buf: nvme.Buffer | None,
    lba: int,
    pi: Pi | None = None,
    count: int = COUNT,
) -> Command:
    """Send a command, with what it asks of protection information."""
    if pi is None:
        return drive.io(opcode, buf, lba, count)
    fmt = drive.ns.protection
    assert fmt is not None
    dword12, _, _, dword14, dword15 = pi.dwords(fmt, opcode, lba)
    return drive.io(opcode, buf, lba, count, flags=dword12 >> 16, cdw14=dword14, cdw15=dword15)


def must_read(drive: Drive, lba: int, data: bytes, clause: str, pi: Pi | None = None) -> None:
    """A finding unless LBAs read as these data and metadata."""
    count = len(data) // drive.lba_size
    buf = nvme.Buffer(len(data))
    drive.succeed(io(drive, IoOpcode.READ, buf, lba, pi, count), clause)
    for at in range(count):
        part = slice(at * drive.lba_size, (at + 1) * drive.lba_size)
        if buf[part] == data[part]:
            continue
        size = 1 << drive.ns.id_ns.lbaf[drive.ns.id_ns.flbas.lbafil].lbads
        wrong = next(i for i, (a, b) in enumerate(zip(buf[part], data[part])) if a != b)
        what = f"byte {wrong} of the data" if wrong < size else f"byte {wrong - size} of the metadata"
        drive.check(False, clause, f"LBA {lba + at:#x} as it was written", f"{what} is wrong")


def tags(fmt: Format, checks: int) -> Pi:
    """The tags of all tests, with these checks."""
    return Pi(pract=False, prchk=checks, app_tag=TAG)


def all_checks(fmt: Format) -> int:
    """The checks that a type has (PRCHK)."""
    return GUARD | APP | (0 if fmt.type == 3 else REF)


@requirement("METADATA-1", METADATA)
def test_metadata_come_back(drive: Drive) -> None:
    """Metadata are stored beside the data of each LBA, in each format.

    1. Format with up to four of the formats with metadata, with extended LBAs.
    2. Write LBAs with metadata, overwrite some between them, and read all of them.
    3. Flush, reset the controller, and read them again. Zeroes clear both.
    """
    possible = extended_formats(drive)
    for lbaf in drive.random.sample(possible, min(4, len(possible))):
        with formatted(drive, lbaf):
            lba = place(drive)
            data = filled(drive)
            drive.succeed(io(drive, IoOpcode.WRITE, data, lba), METADATA)
            newer = filled(drive, 5)
            drive.succeed(io(drive, IoOpcode.WRITE, newer, lba + 3, count=5), METADATA)
            start = 3 * drive.lba_size
            data[start : start + len(newer)] = newer[:]
            must_read(drive, lba, data[:], METADATA)
            drive.succeed(drive.flush(), clauses.of_io(IoOpcode.FLUSH))
            drive.reset()
            must_read(drive, lba, data[:], METADATA)
            if drive.ns.supports(IoOpcode.WRITE_ZEROES):
                clause = clauses.of_io(IoOpcode.WRITE_ZEROES)
                drive.succeed(io(drive, IoOpcode.WRITE_ZEROES, None, lba + 2, count=2), clause)
                data[2 * drive.lba_size : 4 * drive.lba_size] = bytes(2 * drive.lba_size)
                must_read(drive, lba, data[:], clause)


@requirement("METADATA-2", CHECKS)
@needs(PROTECTED)
def test_a_write_with_wrong_information_is_refused(drive: Drive) -> None:
    """A write is checked as PRCHK says, and one that is refused changes nothing.

    1. Format with each type. Write LBAs with right information, with all checks.
    2. Make one field of one of them wrong. The status names it, and the LBAs are as before.
    3. Without the check of that field, the same write succeeds.
    """
    for fmt in protected(drive):
        lba, checks = place(drive), all_checks(fmt)
        pi = tags(fmt, checks)
        before = filled(drive)
        protect(fmt, before, lba, COUNT, pi=pi)
        drive.succeed(io(drive, IoOpcode.WRITE, before, lba, pi), CHECKS)
        must_read(drive, lba, before[:], CHECKS, pi)
        for bit, at, status in wrong_fields(fmt, checks):
            buf = filled(drive)
            protect(fmt, buf, lba, COUNT, pi=pi)
            buf[drive.random.randrange(COUNT) * drive.lba_size + fmt.data + fmt.place + at] ^= 1
            drive.expect(io(drive, IoOpcode.WRITE, buf, lba, pi), CHECKS, status)
            must_read(drive, lba, before[:], CHECKS, pi)
            drive.succeed(io(drive, IoOpcode.WRITE, buf, lba, tags(fmt, checks & ~bit)), CHECKS)
            must_read(drive, lba, buf[:], CHECKS, tags(fmt, 0))
            drive.succeed(io(drive, IoOpcode.WRITE, before, lba, pi), CHECKS)


def wrong_fields(fmt: Format, checks: int) -> list[tuple[int, int, Status]]:
    """Of each field that is checked: its bit in PRCHK, one of its bytes in the tuple, and the status."""
    fields = [
        (GUARD, 0, Status.GUARD_CHECK_ERROR),
        (APP, fmt.guard // 8, Status.APPLICATION_TAG_CHECK_ERROR),
        (REF, fmt.size - 1, Status.REFERENCE_TAG_CHECK_ERROR),
    ]
    return [field for field in fields if field[0] & checks]


@requirement("METADATA-3", ACTION)
@needs(PROTECTED)
def test_the_drive_makes_right_information(drive: Drive) -> None:
    """With PRACT the drive inserts the information of a write, and strips that of a read.

    1. Format with each type. Write LBAs with PRACT.
    2. Read them without PRACT. Guard, application tag and reference tag of each LBA are right.
    3. Read them with PRACT and all checks. The data are there.
    """
    for fmt in protected(drive):
        lba = place(drive)
        bytes_an_lba = fmt.data if fmt.alone else drive.lba_size
        buf = nvme.Buffer(COUNT * bytes_an_lba)
        buf[:] = drive.random.randbytes(len(buf))
        made = Pi(pract=True, prchk=0, app_tag=TAG)
        drive.succeed(io(drive, IoOpcode.WRITE, buf, lba, made), ACTION)
        back = nvme.Buffer(COUNT * drive.lba_size)
        drive.succeed(io(drive, IoOpcode.READ, back, lba, tags(fmt, 0)), ACTION)
        found = faults_of(fmt, back, lba, COUNT, pi=tags(fmt, all_checks(fmt)))
        drive.check(not found, ACTION, "right information in each LBA", explain(found[:2]))
        stripped = nvme.Buffer(len(buf))
        checked = Pi(pract=True, prchk=all_checks(fmt), app_tag=TAG)
        drive.succeed(io(drive, IoOpcode.READ, stripped, lba, checked), ACTION)
        for at in range(COUNT):
            start = at * bytes_an_lba
            drive.check(
                stripped[start : start + fmt.data] == buf[start : start + fmt.data],
                ACTION,
                f"LBA {lba + at:#x} has its data",
                "other data",
            )
