# SPDX-License-Identifier: BSD-3-Clause
"""How the driver finds the size of a zone, and how it handles drives that report inconsistent sizes."""

from __future__ import annotations

import struct
import time
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import IDENTIFY, INVALID_FIELD, Command, Drive, Result, capabilities

Opener = Callable[..., SimpleNamespace]

FORMAT, APPEND, MANAGE = 0x80, 0x7D, 0x79
RESET = 4
ZONE = 1024
DESCRIPTORS, ZONED = 3, 5  # CNS
UUID, CSI = 3, 4  # NIDT
NVM, ZNS = 0, 2


def descriptor(kind: int, nid: bytes) -> bytes:
    return bytes([kind, len(nid), 0, 0]) + nid


def filled(size: int) -> bytes:
    """So many bytes of descriptors."""
    found = b""
    while size - len(found) > 259:
        found += descriptor(UUID, bytes([ZNS]) * min(255, size - len(found) - 4 - 5))
    return found + descriptor(UUID, bytes([ZNS]) * (size - len(found) - 4))


class Zoned:
    """What a zoned drive says of itself, and that it appends at a pointer."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.descriptors = descriptor(CSI, bytes([ZNS]))
        self.size = ZONE
        self.pointers: dict[int, int] = {}
        drive.cap = capabilities(css=0x41)
        drive.on_admin[IDENTIFY] = self.identify
        drive.on_io[APPEND] = self.append
        drive.on_io[MANAGE] = self.manage

    def identify(self, command: Command) -> Result:
        cns, csi = command[10] & 0xFF, command[11] >> 24
        if cns == DESCRIPTORS:
            self.drive.scatter(command, self.descriptors[:4096].ljust(4096, b"\0"))
        elif (cns, csi) == (ZONED, ZNS):
            self.drive.scatter(command, (bytes(2816) + struct.pack("<Q", self.size)).ljust(4096, b"\0"))
        else:
            return self.drive.identify(command)
        return 0, 0

    def append(self, command: Command) -> Result:
        lba = self.pointers.get(command.slba, command.slba)
        self.pointers[command.slba] = lba + command.nlb
        data = self.drive.gather(command, command.nlb * 512)
        for i in range(command.nlb):
            self.drive.lbas[lba + i] = data[i * 512 : (i + 1) * 512]
        return lba, 0

    def manage(self, command: Command) -> Result:
        for lba in range(command.slba, command.slba + ZONE):
            self.drive.lbas.pop(lba, None)
        self.pointers.pop(command.slba, None)
        return 0, 0


@pytest.fixture
def zoned(drive: Drive) -> Zoned:
    return Zoned(drive)


def judges(own: SimpleNamespace, lba: int) -> bool:
    """Read an LBA; return whether verification compared it."""
    before = own.nvme0n1.verify_stats().judged
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), lba).waitdone()
    return bool(own.nvme0n1.verify_stats().judged > before)


def knows_zones(own: SimpleNamespace) -> bool:
    """Reset the second zone; return whether the first one is still verified."""
    own.nvme0n1.write(own.qpair, nvme.Buffer(512), 0).waitdone()
    own.nvme0n1.zns_mgmt_send(own.qpair, None, ZONE, RESET).waitdone()
    return judges(own, 0)


@pytest.mark.parametrize(
    ("descriptors", "known"),
    [
        (descriptor(CSI, bytes([ZNS])), True),
        (descriptor(UUID, bytes([ZNS]) * 16) + descriptor(CSI, bytes([ZNS])), True),
        (filled(4091) + descriptor(CSI, bytes([ZNS])), True),
        (filled(4092) + descriptor(CSI, bytes([ZNS])), False),
        (filled(4095) + descriptor(CSI, bytes([ZNS])), False),
        (descriptor(CSI, bytes([NVM])), False),
        (descriptor(CSI, b"") + descriptor(CSI, bytes([ZNS])), False),
        (bytes(4096), False),
        (b"\xff" * 4096, False),
        (bytes([UUID, 1, 0, 0, ZNS]) * 1000, False),
    ],
    ids=[
        "first",
        "second",
        "at the end",
        "cut off",
        "past the end",
        "NVM",
        "empty",
        "none",
        "ones",
        "thousand",
    ],
)
def test_a_namespace_is_zoned_where_its_descriptors_say_so(
    zoned: Zoned, opened: Opener, descriptors: bytes, known: bool
) -> None:
    zoned.descriptors = descriptors
    assert knows_zones(opened()) == known


@pytest.mark.parametrize("size", [0, 1 << 32, (1 << 64) - 1])
def test_a_size_of_zones_that_cannot_be_makes_a_reset_forget_everything(
    zoned: Zoned, opened: Opener, size: int
) -> None:
    zoned.size = size
    own = opened()
    assert not knows_zones(own)
    own.nvme0n1.send_cmd(APPEND, own.qpair, nvme.Buffer(512), cdw10=ZONE).waitdone()
    assert not judges(own, ZONE)


@pytest.mark.parametrize("refused", [DESCRIPTORS, ZONED])
def test_a_drive_that_does_not_say_has_no_zones(zoned: Zoned, opened: Opener, refused: int) -> None:
    zoned.drive.on_admin[IDENTIFY] = lambda command: (
        (0, INVALID_FIELD) if command[10] & 0xFF == refused else zoned.identify(command)
    )
    assert not knows_zones(opened())


def test_without_other_command_sets_nobody_asks_for_them(drive: Drive, opened: Opener) -> None:
    opened()
    asked = {command[10] & 0xFF for command in drive.commands if command.opcode == IDENTIFY}
    assert asked and DESCRIPTORS not in asked and ZONED not in asked


def test_an_opcode_that_appends_nothing_leaves_nothing_to_be_expected(drive: Drive, opened: Opener) -> None:
    """A namespace without zones that completes opcode 7Dh does not report an LBA that it wrote."""
    drive.on_io[APPEND] = lambda command: (0, 0)
    own = opened()
    own.nvme0n1.write(own.qpair, nvme.Buffer(512), 0).waitdone()
    own.nvme0n1.send_cmd(APPEND, own.qpair, nvme.Buffer(512, ptype=0xBEEF, pvalue=100)).waitdone()
    assert not judges(own, 0)


def test_what_a_drive_appends_past_the_end_of_a_zone_is_not_held_against_the_next(
    zoned: Zoned, opened: Opener
) -> None:
    own = opened()
    own.nvme0n1.write(own.qpair, nvme.Buffer(512), 2 * ZONE).waitdone()
    zoned.drive.on_io[APPEND] = lambda command: (2 * ZONE - 1, 0)
    buf = nvme.Buffer(1024, ptype=0xBEEF, pvalue=100)
    own.nvme0n1.send_cmd(APPEND, own.qpair, buf, cdw10=ZONE, cdw12=1).waitdone()
    assert not judges(own, 2 * ZONE)


def test_an_append_whose_lba_was_deallocated_before_it_was_taken_is_unknown(
    zoned: Zoned, opened: Opener
) -> None:
    """The completions of two queues are taken in any order."""
    zoned.drive.identify_namespace[33] = 1  # DLFEAT: zeros

    def deallocate(command: Command) -> Result:
        zoned.drive.lbas.pop(ZONE, None)
        return 0, 0

    zoned.drive.on_io[9] = deallocate
    own = opened()
    other = nvme.Qpair(own.nvme0, 8)
    buf, ranges = nvme.Buffer(512, ptype=0xBEEF, pvalue=100), nvme.Buffer(4096)
    ranges.set_dsm_range(0, ZONE, 1)
    own.nvme0n1.send_cmd(APPEND, own.qpair, buf, cdw10=ZONE)
    end = time.monotonic() + 10
    while ZONE not in zoned.drive.lbas and time.monotonic() < end:
        time.sleep(0.001)
    assert ZONE in zoned.drive.lbas
    own.nvme0n1.dsm(other, ranges, 1).waitdone()
    own.qpair.waitdone()
    assert not judges(own, ZONE)
    other.delete()


@pytest.mark.parametrize("cns", [0, DESCRIPTORS])
def test_what_could_not_be_asked_after_a_format_is_asked_again(zoned: Zoned, cns: int) -> None:
    """The drive now has 4 KiB LBAs, so the driver must discard the table of 512-byte LBAs."""
    drive, refusals = zoned.drive, []

    def reformat(command: Command) -> Result:
        drive.identify_namespace[130] = 12
        refusals.extend([cns, cns])
        return 0, 0

    def identify(command: Command) -> Result:
        if refusals and command[10] & 0xFF == refusals[0]:
            del refusals[0]
            return None if cns else (0, 0x006)
        return zoned.identify(command)

    drive.on_admin[FORMAT] = reformat
    drive.on_admin[IDENTIFY] = identify
    pcie = nvme.Pcie(drive.start(process=True))
    nvme0 = nvme.Controller(pcie)
    nvme0n1, qpair = nvme.Namespace(nvme0), nvme.Qpair(nvme0, 8)
    nvme0.format().waitdone()
    nvme0.timeout = 100
    for _ in range(2):
        with pytest.raises(Exception, match="within 100 ms" if cns else "00/06"):
            nvme0n1.verify_enable(True)
    with pytest.raises(AssertionError, match="4096 bytes"):
        nvme0n1.write(qpair, nvme.Buffer(512), 0)
    assert nvme0n1.verify_enable(True)
    pcie.close()
