# SPDX-License-Identifier: BSD-3-Clause
"""Protection information: what the drive checks, makes and leaves alone, by tuples of the suite."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import nvme

from pynvme.spec import AdminOpcode, IoOpcode, Status
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import ROOM, admin, io
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

FORMAT = clauses.of_admin(AdminOpcode.FORMAT_NVM)
CHECKS = "NVM 1.0, 5.2.2 Control of Protection Information Checking, PRCHK"
ACTION = "NVM 1.0, 5.2.2 The PRACT Bit"
ESCAPE = "NVM 1.0, 5.2.2, application tag FFFFh"

PRACT, GUARD, APP, REF = 1 << 13, 1 << 12, 1 << 11, 1 << 10
"""Bits of dword 12, from bit 16 on."""
ALL = GUARD | APP | REF
MSET, TYPE_1, TUPLE = 1 << 4, 1 << 5, 8
TAG, MASK = 0x5AA5, 0xFFFF
FIRST = 32
"""The first LBA that the tests use."""


def formats(drive: Drive) -> list[int]:
    """LBA formats whose metadata are a tuple with a guard of 16 bits and nothing else."""
    space = drive.ns.id_ns
    some = [n for n in range(space.nlbaf + 1) if space.lbaf[n].lbads and space.lbaf[n].ms == TUPLE]
    buf = nvme.Buffer(4096)
    if not drive.id_ctrl.ctratt.elbas:
        return some
    if not drive.admin(AdminOpcode.IDENTIFY, buf, nsid=drive.nsid, cdw10=5).ok:
        return []
    return [n for n in some if not buf.data(12 + 4 * n + 3, 12 + 4 * n) & 0x1FF]


PROTECTED = Need(
    "type 1 in the last 8 bytes of metadata behind each LBA (DPC bits 0 and 4, MC bit 0, LBA formats)",
    lambda drive: bool(
        drive.ns.id_ns.dpc.pit1s and drive.ns.id_ns.dpc.piilb and drive.ns.id_ns.mc.mtelba and formats(drive)
    ),
)

pytestmark = needs(ROOM, admin(AdminOpcode.FORMAT_NVM), PROTECTED)


def crc16(data: bytes) -> int:
    """The CRC of T10 DIF."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = crc << 1 ^ (0x18BB7 if crc & 0x8000 else 0)
    return crc


class Protected:
    """Sends commands to a namespace of extended LBAs with tuples."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.data_size = drive.lba_size - TUPLE

    def data(self, count: int) -> list[bytes]:
        """Random data of LBAs."""
        return [self.drive.random.randbytes(self.data_size) for _ in range(count)]

    def tuple(self, data: bytes, reference: int, app: int = TAG, guard: int | None = None) -> bytes:
        """The protection information of an LBA."""
        return struct.pack(">HHI", crc16(data) if guard is None else guard, app, reference)

    def protect(self, slba: int, data: list[bytes]) -> list[bytes]:
        """LBAs with the tuples that belong to them."""
        return [one + self.tuple(one, slba + i) for i, one in enumerate(data)]

    def send(
        self,
        opcode: int,
        buf: nvme.Buffer | None,
        slba: int,
        nlb: int,
        flags: int,
        reference: int | None = None,
        app: int = TAG,
        mask: int = MASK,
    ) -> Command:
        """Send a command with its tags. The status is the caller's to judge."""
        tag = slba if reference is None else reference
        return self.drive.io(opcode, buf, slba, nlb, flags=flags, cdw14=tag, cdw15=mask << 16 | app)

    def write(self, slba: int, lbas: list[bytes], flags: int = 0) -> Command:
        """Write LBAs, which are data and perhaps tuples."""
        buf = nvme.Buffer(sum(map(len, lbas)))
        buf[:] = b"".join(lbas)
        return self.send(IoOpcode.WRITE, buf, slba, len(lbas), flags)

    def must_write(self, slba: int, lbas: list[bytes], flags: int = 0) -> None:
        """Write LBAs; a failure is a finding."""
        self.drive.succeed(self.write(slba, lbas, flags), clauses.of_io(IoOpcode.WRITE))

    def read(self, slba: int, nlb: int, flags: int = 0, clause: str = CHECKS) -> list[bytes]:
        """Read LBAs; a failure is a finding."""
        size = self.data_size if flags & PRACT else self.data_size + TUPLE
        buf = nvme.Buffer(nlb * size)
        self.drive.succeed(self.send(IoOpcode.READ, buf, slba, nlb, flags), clause)
        return [bytes(buf[at : at + size]) for at in range(0, nlb * size, size)]

    def must_fail(self, command: Command, status: int) -> None:
        """A finding unless a check failed that names what is wrong."""
        self.drive.expect(command, CHECKS, status)

    def must_hold(self, slba: int, lbas: list[bytes], clause: str) -> None:
        """A finding unless LBAs have these data and tuples."""
        for index, (seen, wanted) in enumerate(zip(self.read(slba, len(lbas)), lbas)):
            where = f"LBA {slba + index:#x}"
            self.drive.check(seen[:-TUPLE] == wanted[:-TUPLE], clause, f"{where}: its data", "other data")
            self.drive.check(
                seen[-TUPLE:] == wanted[-TUPLE:],
                clause,
                f"{where}: protection information {wanted[-TUPLE:].hex()}",
                seen[-TUPLE:].hex(),
            )


def format_of(drive: Drive) -> int:
    """Dword 10 of a Format NVM that leaves the format as it is."""
    space = drive.ns.id_ns
    dps = int(space.dps)
    return space.flbas.lbafil | space.flbas.mdbs << 4 | (dps & 7) << 5 | (dps >> 3 & 1) << 8


@contextlib.contextmanager
def formatted(drive: Drive) -> Iterator[Protected]:
    """Format the first namespace with protection information, and afterwards as it was."""
    before, timeout = format_of(drive), drive.nvme0.timeout
    drive.nvme0.timeout = 600_000
    drive.ns.verify_enable(False)
    cdw10 = formats(drive)[0] | MSET | TYPE_1
    try:
        drive.succeed(drive.admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=cdw10), FORMAT)
        drive.measure()
        told = drive.ns.id_ns
        drive.check(told.dps.pit == 1 and not told.dps.pip, FORMAT, "DPS 1", told.dps)
        yield Protected(drive)
    finally:
        drive.admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=before)
        drive.measure()
        drive.nvme0.timeout = timeout
        drive.ns.verify_enable(True)


@requirement("PROTECTION-1", CHECKS)
def test_each_field_is_checked(drive: Drive) -> None:
    """A wrong guard, application tag or reference tag is refused by its name, in writes and in reads.

    1. Write LBAs whose tuples are right, with all checks, and read them back with all checks.
    2. For each field, write LBAs of which one has a wrong one. The write is refused, and changes nothing.
    3. Write them without checks. A read and, if the drive has it, a Verify find what is wrong.
    """
    with formatted(drive) as namespace:
        opcodes = [IoOpcode.READ] + [IoOpcode.VERIFY] * bool(drive.ns.supports(IoOpcode.VERIFY))
        old = namespace.protect(FIRST, namespace.data(3))
        namespace.must_write(FIRST, old, ALL)
        namespace.read(FIRST, 3, ALL)
        namespace.must_hold(FIRST, old, CHECKS)
        for at, check, status in (
            (-9, GUARD, Status.GUARD_CHECK_ERROR),
            (-8, GUARD, Status.GUARD_CHECK_ERROR),
            (-5, APP, Status.APPLICATION_TAG_CHECK_ERROR),
            (-1, REF, Status.REFERENCE_TAG_CHECK_ERROR),
        ):
            lbas = namespace.protect(FIRST, namespace.data(3))
            wrong = bytearray(lbas[1])
            wrong[at] ^= 0x10
            lbas[1] = bytes(wrong)
            for flags in (check, ALL):
                namespace.must_fail(namespace.write(FIRST, lbas, flags), status)
            namespace.must_hold(FIRST, old, CHECKS)
            namespace.must_write(FIRST, lbas)
            for opcode in opcodes:
                buf = nvme.Buffer(3 * drive.lba_size) if opcode == IoOpcode.READ else None
                for flags in (check, ALL):
                    namespace.must_fail(namespace.send(opcode, buf, FIRST, 3, flags), status)
                drive.succeed(namespace.send(opcode, buf, FIRST, 3, ALL & ~check), CHECKS)
            namespace.must_write(FIRST, old)


@requirement("PROTECTION-2", CHECKS)
def test_the_mask_of_the_application_tag(drive: Drive) -> None:
    """Only the bits of the application tag that its mask has are checked.

    1. Write an LBA, and read it with an expected tag that differs in one bit, for each bit.
    2. With this bit in the mask the read fails, without it succeeds.
    """
    with formatted(drive) as namespace:
        namespace.must_write(FIRST, namespace.protect(FIRST, namespace.data(1)))
        buf = nvme.Buffer(drive.lba_size)
        for bit in (0, 7, 8, 15):
            other = TAG ^ 1 << bit
            for mask, status in (
                (MASK, Status.APPLICATION_TAG_CHECK_ERROR),
                (1 << bit, Status.APPLICATION_TAG_CHECK_ERROR),
                (MASK ^ 1 << bit, Status.SUCCESS),
                (0, Status.SUCCESS),
            ):
                command = namespace.send(IoOpcode.READ, buf, FIRST, 1, APP, app=other, mask=mask)
                drive.expect(command, CHECKS, status)


@requirement("PROTECTION-3", ACTION)
def test_the_drive_makes_and_strips_tuples(drive: Drive) -> None:
    """With PRACT, the drive makes the tuples of a write, and strips those of a read.

    1. Write data without tuples, with PRACT. Each LBA then has the guard of its data, the application tag of
       the command, and the LBA as its reference tag.
    2. Read with PRACT and all checks. Only the data come.
    """
    with formatted(drive) as namespace:
        data = namespace.data(5)
        namespace.must_write(FIRST, data, PRACT)
        namespace.must_hold(FIRST, namespace.protect(FIRST, data), ACTION)
        seen = namespace.read(FIRST, 5, PRACT | ALL, ACTION)
        drive.check(seen == data, ACTION, "the data that were written", "other data")


@requirement("PROTECTION-4", ESCAPE)
def test_the_application_tag_that_escapes(drive: Drive) -> None:
    """An LBA with the application tag FFFFh is not checked. So are LBAs that were never written.

    1. Read LBAs with all checks right after the format.
    2. Write an LBA with the application tag FFFFh and wrong tags, without checks, and read it with all.
    3. With any other application tag, this read fails.
    """
    with formatted(drive) as namespace:
        namespace.read(FIRST + 100, 4, ALL, ESCAPE)
        (data,) = namespace.data(1)
        namespace.must_write(FIRST, [data + namespace.tuple(data, 7, 0xFFFF, crc16(data) ^ 1)])
        namespace.read(FIRST, 1, ALL, ESCAPE)
        namespace.must_write(FIRST, [data + namespace.tuple(data, 7, TAG, crc16(data) ^ 1)])
        buf = nvme.Buffer(drive.lba_size)
        namespace.must_fail(namespace.send(IoOpcode.READ, buf, FIRST, 1, ALL), Status.GUARD_CHECK_ERROR)


@requirement("PROTECTION-5", CHECKS)
def test_an_initial_reference_tag_that_is_not_the_lba(drive: Drive) -> None:
    """Type 1 refuses a command whose initial reference tag is not its first LBA.

    1. Read and write with a reference tag of the next LBA, and with the check of reference tags.
    2. Both are refused, and the LBA is as it was.
    """
    with formatted(drive) as namespace:
        old = namespace.protect(FIRST, namespace.data(1))
        namespace.must_write(FIRST, old, ALL)
        buf = nvme.Buffer(drive.lba_size)
        for opcode in (IoOpcode.READ, IoOpcode.WRITE):
            command = namespace.send(opcode, buf, FIRST, 1, REF, reference=FIRST + 1)
            drive.expect(command, CHECKS, Status.INVALID_PROTECTION_INFO, Status.REFERENCE_TAG_CHECK_ERROR)
        namespace.must_hold(FIRST, old, CHECKS)


@requirement("PROTECTION-6", clauses.of_io(IoOpcode.WRITE_ZEROES))
@needs(io(IoOpcode.WRITE_ZEROES))
def test_zeroes_have_tuples(drive: Drive) -> None:
    """Write Zeroes with PRACT makes tuples of zeros, which reads can check.

    1. Write LBAs, and zero some in their middle with PRACT.
    2. They have zeros, a guard of zeros, and the tags of the command. The other LBAs are as they were.
    """
    with formatted(drive) as namespace:
        lbas = namespace.protect(FIRST, namespace.data(24))
        namespace.must_write(FIRST, lbas, ALL)
        clause = clauses.of_io(IoOpcode.WRITE_ZEROES)
        drive.succeed(namespace.send(IoOpcode.WRITE_ZEROES, None, FIRST + 3, 18, PRACT), clause)
        lbas[3:21] = namespace.protect(FIRST + 3, [bytes(namespace.data_size)] * 18)
        namespace.must_hold(FIRST, lbas, clause)
        namespace.read(FIRST, 24, ALL, clause)
