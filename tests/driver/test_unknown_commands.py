# SPDX-License-Identifier: BSD-3-Clause
"""Vendor specific commands of unknown effect: verification discards what it knew about the data."""

from __future__ import annotations

from collections.abc import Iterator

import nvme
import pytest
from drive import GET_LOG_PAGE, Command, Drive, Result

EFFECTS, CSUPP, LBCC = 5, 1, 2
VENDOR_IO, VENDOR_ADMIN, MI_SEND, FW_COMMIT = 0x81, 0xC0, 0x1D, 0x10


class Vendor:
    """A drive with commands of its own, which change LBA 5, and what log page 05h says of them."""

    def __init__(self, drive: Drive, effects: dict[tuple[bool, int], int] | None) -> None:
        self.drive = drive
        self.log = bytearray(4096)
        self.asked = 0
        drive.on_admin[GET_LOG_PAGE] = self.get_log_page
        drive.on_io |= dict.fromkeys((VENDOR_IO, 126, 130, 255), self.change)
        drive.on_admin |= dict.fromkeys((VENDOR_ADMIN, 255, MI_SEND, 63), self.change)
        if effects is not None:
            drive.identify_controller[261] |= 2
            for (io, opcode), bits in effects.items():
                self.log[1024 * io + 4 * opcode] = bits

    def get_log_page(self, command: Command) -> Result:
        if command[10] & 0xFF != EFFECTS:
            self.drive.scatter(command, bytes(512))
            return 0, 0
        self.asked += 1
        self.drive.scatter(command, bytes(self.log))
        return 0, 0

    def change(self, command: Command) -> Result:
        self.drive.lbas[5] = bytes(512)
        return 0, 0


class Opened:
    def __init__(self, drive: Drive) -> None:
        self.pcie = nvme.Pcie(drive.start())
        self.nvme0 = nvme.Controller(self.pcie)
        self.ns = nvme.Namespace(self.nvme0)
        self.qpair = nvme.Qpair(self.nvme0, 8)

    def write(self) -> None:
        self.ns.write(self.qpair, nvme.Buffer(1024), 5, 2).waitdone()

    def judged(self, lba: int = 6) -> int:
        before = self.ns.verify_stats().judged
        self.ns.read(self.qpair, nvme.Buffer(512), lba).waitdone()
        return int(self.ns.verify_stats().judged - before)

    def send(self, io: bool, opcode: int) -> None:
        if io:
            self.ns.send_cmd(opcode, self.qpair, nvme.Buffer(512)).waitdone()
        else:
            self.nvme0.send_cmd(opcode).waitdone()


@pytest.fixture
def closing() -> Iterator[list[Opened]]:
    opened: list[Opened] = []
    yield opened
    for each in opened:
        del each.qpair
        each.pcie.close()


UNKNOWN = [
    (True, VENDOR_IO),
    (True, 0x82),
    (True, 0xFF),
    (True, 0x7E),
    (False, VENDOR_ADMIN),
    (False, 0xFF),
    (False, MI_SEND),
    (False, 0x3F),
]


@pytest.mark.parametrize(("io", "opcode"), UNKNOWN)
@pytest.mark.parametrize("says", [None, 0, LBCC, CSUPP | LBCC])
def test_after_a_command_that_may_have_changed_data_nothing_is_known(
    drive: Drive, closing: list[Opened], io: bool, opcode: int, says: int | None
) -> None:
    Vendor(drive, None if says is None else {(io, opcode): says})
    o = Opened(drive)
    closing.append(o)
    o.write()
    o.send(io, opcode)
    assert (o.judged(5), o.judged(6)) == (0, 0)
    o.write()
    assert (o.judged(5), o.judged(6)) == (1, 1)


@pytest.mark.parametrize(("io", "opcode"), UNKNOWN)
def test_where_the_drive_says_that_it_changes_no_data_all_stays_known(
    drive: Drive, closing: list[Opened], io: bool, opcode: int
) -> None:
    vendor = Vendor(drive, {(io, opcode): CSUPP})
    for on in (drive.on_io, drive.on_admin):
        on[opcode] = lambda command: (0, 0)
    o = Opened(drive)
    closing.append(o)
    o.write()
    assert vendor.asked == 0
    for _ in range(3):
        o.send(io, opcode)
    assert vendor.asked == 1
    assert (o.judged(5), o.judged(6)) == (1, 1)


def test_while_such_a_command_is_in_flight_nothing_is_judged(drive: Drive, closing: list[Opened]) -> None:
    Vendor(drive, None)
    held: list[Command] = []
    drive.on_admin[VENDOR_ADMIN] = lambda command: held.append(command)
    o = Opened(drive)
    closing.append(o)
    o.write()
    o.nvme0.send_cmd(VENDOR_ADMIN)
    assert o.judged() == 0
    o.write()
    assert o.judged() == 0
    while not held:
        pass
    drive.complete(held[0])
    o.nvme0.waitdone()
    assert o.judged() == 0
    o.write()
    assert o.judged() == 1


def test_such_a_command_to_all_namespaces_is_one_of_each(drive: Drive, closing: list[Opened]) -> None:
    Vendor(drive, None)
    o = Opened(drive)
    closing.append(o)
    o.write()
    o.ns.send_cmd(VENDOR_IO, o.qpair, nsid=0xFFFFFFFF).waitdone()
    assert (o.judged(5), o.judged(6)) == (0, 0)


def test_such_a_command_may_have_made_another_namespace_of_it(drive: Drive, closing: list[Opened]) -> None:
    Vendor(drive, None)

    def format_it(command: Command) -> Result:
        drive.identify_namespace[0:8] = (4096).to_bytes(8, "little")
        return 0, 0

    o = Opened(drive)
    closing.append(o)
    for opcode in (VENDOR_ADMIN, FW_COMMIT):
        drive.identify_namespace[0:8] = (8192).to_bytes(8, "little")
        o.nvme0.reset()
        o.qpair = nvme.Qpair(o.nvme0, 8)
        assert o.ns.capacity
        drive.on_admin[opcode] = format_it
        o.nvme0.send_cmd(opcode).waitdone()
        r = o.ns.ioworker(io_size=8, io_count=500, qdepth=2, read_percentage=0).start().close()
        assert r.error == 0
        assert max(drive.lbas) < 4096
