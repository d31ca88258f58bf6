# SPDX-License-Identifier: BSD-3-Clause
"""Changes that pynvme does not see: other programs, power cuts from outside, views of a buffer.

Verification must not report them as faults of the drive, and must keep what is certain.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Callable

import numpy as np
import nvme as d
import pytest

from pynvme import vssd
from pynvme.vssd import VirtualSsd

MISMATCH = r"^ERROR status: 07/81"
Python = Callable[..., "subprocess.CompletedProcess[str]"]


class Private:
    """A private drive that is closed and opened again."""

    ADDRESS = "vssd:name=others,size=64M"

    def __init__(self) -> None:
        self.open()
        self.ssd = VirtualSsd.attach(self.ADDRESS)

    def open(self) -> None:
        self.pcie = d.Pcie(self.ADDRESS)
        self.ns = d.Namespace(d.Controller(self.pcie))
        self.qpair = d.Qpair(d.Controller(self.pcie), 16)

    def close(self) -> None:
        del self.qpair
        self.pcie.close()

    def write(self, lba: int) -> None:
        self.ns.write(self.qpair, d.Buffer(512), lba).waitdone()

    def read(self, lba: int) -> bool:
        """Read it, and return whether it was verified."""
        before = self.ns.verify_stats()
        self.ns.read(self.qpair, d.Buffer(512), lba).waitdone()
        after = self.ns.verify_stats()
        return bool(after.judged > before.judged)


@pytest.fixture
def drive() -> Iterator[Private]:
    drive = Private()
    yield drive
    drive.pcie.close()
    vssd.discard(Private.ADDRESS)


def test_what_is_known_outlives_a_plain_closing(drive: Private) -> None:
    drive.write(5)
    drive.close()
    drive.open()
    assert drive.read(5)
    drive.write(6)
    drive.close()
    drive.ssd.poke(1, 6, bytes(512))
    drive.open()
    with pytest.warns(UserWarning, match=MISMATCH):
        drive.read(6)


def test_power_that_goes_after_a_plain_closing_takes_nothing(drive: Private) -> None:
    drive.write(5)
    drive.close()
    drive.ssd.power(False)
    drive.ssd.power(True)
    drive.open()
    assert drive.read(5)


def lose(drive: Private) -> None:
    drive.write(5)
    drive.write(6)
    drive.ns.flush(drive.qpair).waitdone()
    drive.write(5)


@pytest.mark.filterwarnings("ignore:.*could not be deleted")
@pytest.mark.parametrize("power_on", ["before the closing", "after the closing"])
def test_a_drive_that_was_closed_without_its_power_has_lost_what_was_not_flushed(
    drive: Private, power_on: str
) -> None:
    lose(drive)
    drive.ssd.power(False)
    if power_on.startswith("before"):
        drive.ssd.power(True)
    drive.close()
    if power_on.startswith("after"):
        drive.ssd.power(True)
    drive.open()
    assert not drive.read(5)
    assert drive.read(6)


@pytest.mark.parametrize(
    "what",
    [
        "ns.write(q, d.Buffer(512), 5).waitdone()",
        "ns.write_zeroes(q, 5).waitdone()",
        "nvme0.format(0).waitdone()",
        "ns.ioworker(io_size=1, io_count=10, read_percentage=0, region_end=8).start().close()",
    ],
)
def test_of_a_drive_that_another_program_used_nothing_is_known(
    drive: Private, python: Python, what: str
) -> None:
    drive.write(5)
    drive.write(6)
    drive.close()
    other = python(
        f"import nvme as d; pcie = d.Pcie({drive.ssd.address!r}); nvme0 = d.Controller(pcie)\n"
        f"ns = d.Namespace(nvme0); q = d.Qpair(nvme0, 8)\n{what}\ndel q; pcie.close()"
    )
    assert other.returncode == 0, other.stderr
    drive.open()
    assert not drive.read(5)
    assert not drive.read(6)
    drive.write(5)
    assert drive.read(5)


def test_a_drive_that_this_script_used_by_its_folder_keeps_nothing_either(drive: Private) -> None:
    drive.write(5)
    drive.close()
    pcie = d.Pcie(drive.ssd.address)
    ns = d.Namespace(d.Controller(pcie))
    qpair = d.Qpair(d.Controller(pcie), 8)
    ns.write(qpair, d.Buffer(512), 5).waitdone()
    del qpair
    pcie.close()
    drive.open()
    assert not drive.read(5)


# -- buffers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [np.asarray, memoryview])
@pytest.mark.parametrize("raw", [False, True])
def test_a_buffer_changed_through_a_view_in_flight_is_no_false_alarm(
    own: SimpleNamespace, view: Callable[[d.Buffer], memoryview], raw: bool
) -> None:
    qpair = d.Qpair(own.nvme0, 8)
    known = own.nvme0n1.verify_stats().judged
    for _i in range(50):
        b = d.Buffer(512 * 256, ptype=0xBEEF, pvalue=100)
        seen = view(b)
        if raw:
            own.nvme0n1.send_cmd(1, qpair, b, cdw12=255)
        else:
            own.nvme0n1.write(qpair, b, 0, 256)
        seen[131000] ^= 0xFF
        qpair.waitdone()
        own.nvme0n1.read(qpair, d.Buffer(512), 255).waitdone()
    assert own.nvme0n1.verify_stats().judged == known
    b = d.Buffer(512 * 256)
    seen = view(b)
    seen[131000] ^= 0xFF
    own.nvme0n1.write(qpair, b, 0, 256).waitdone()
    seen[131000] ^= 0xFF
    own.nvme0n1.read(qpair, d.Buffer(512), 255).waitdone()
    assert own.nvme0n1.verify_stats().judged == known + 1


def test_reads_into_parts_of_a_page_are_judged(own: SimpleNamespace) -> None:
    qpair, b = d.Qpair(own.nvme0, 16), d.Buffer(8192)
    own.nvme0n1.write(qpair, b, 0, 16).waitdone()
    data = bytearray(own.ssd.peek(1, 3))
    data[100] ^= 1
    own.ssd.poke(1, 3, data)
    before = own.nvme0n1.verify_stats()
    statuses: list[int] = []
    with pytest.warns(UserWarning, match=MISMATCH):
        for i in range(8):
            b.offset = 300 + 512 * i
            own.nvme0n1.read(qpair, b, i, cb=lambda cdw0, status: statuses.append(status >> 1))
        qpair.waitdone(8)
    after = own.nvme0n1.verify_stats()
    assert (after.judged - before.judged, after.mismatch - before.mismatch) == (8, 1)
    assert sum(status != 0 for status in statuses) == 1


def test_reads_that_share_one_byte_of_a_buffer_are_not_judged(own: SimpleNamespace) -> None:
    qpair, b = d.Qpair(own.nvme0, 16), d.Buffer(8192)
    own.nvme0n1.write(qpair, b, 0, 16).waitdone()
    before = own.nvme0n1.verify_stats()
    own.pcie[4] = own.pcie[4] & ~4  # the drive takes no command
    for i in range(3):
        b.offset = 512 * i - 4 * (i == 1)
        own.nvme0n1.read(qpair, b, i)
    own.pcie[4] = own.pcie[4] | 4
    own.nvme0n1.read(qpair, d.Buffer(512), 3)
    qpair.waitdone(4)
    after = own.nvme0n1.verify_stats()
    assert (after.judged - before.judged, after.unverified - before.unverified) == (2, 2)


# -- what only the script can know -------------------------------------------------------------------------


def test_what_a_script_wants_forgotten_is_not_judged_until_it_is_written(own: SimpleNamespace) -> None:
    qpair = d.Qpair(own.nvme0, 8)

    def judged(lba: int, count: int) -> int:
        before = own.nvme0n1.verify_stats()
        own.nvme0n1.read(qpair, d.Buffer(512 * count), lba, count).waitdone()
        return int(own.nvme0n1.verify_stats().judged - before.judged)

    own.nvme0n1.write(qpair, d.Buffer(4096), 0, 8).waitdone()
    for lba in range(2, 5):
        own.ssd.poke(1, lba, bytes(512))
    assert own.nvme0n1.verify_forget(2, 3) is None
    assert judged(0, 8) == 5
    own.nvme0n1.write(qpair, d.Buffer(512), 3).waitdone()
    assert judged(0, 8) == 6
    own.nvme0n1.verify_forget(6)
    assert judged(0, 8) == 4
    own.nvme0n1.verify_forget()
    assert judged(0, 8) == 0
    own.nvme0n1.verify_forget(0, 0)
    own.nvme0n1.verify_forget(2**64 - 1, 2**64 - 1)
    for wrong in ((-1,), (2**64,), (0, -1), (0, 2**64)):
        with pytest.raises(AssertionError):
            own.nvme0n1.verify_forget(*wrong)
    with pytest.raises(TypeError):
        own.nvme0n1.verify_forget("0")


def test_an_opcode_that_the_drive_refuses_changes_nothing(own: SimpleNamespace) -> None:
    qpair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(qpair, d.Buffer(512), 5).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 00/01"):
        own.nvme0n1.send_cmd(0x83, qpair, d.Buffer(512)).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 00/01"):
        own.nvme0.send_cmd(0xC3).waitdone()
    before = own.nvme0n1.verify_stats().judged
    own.nvme0n1.read(qpair, d.Buffer(512), 5).waitdone()
    assert own.nvme0n1.verify_stats().judged == before + 1
