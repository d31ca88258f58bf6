# SPDX-License-Identifier: BSD-3-Clause
"""A test of a vendor's commands: an engine loads a program, runs it over LBAs, and reports the result.

The virtual SSD plays the firmware that there is not yet: it answers as planted. On a drive that has the
commands, leave out the fixture `engine`.

    pytest examples/vendor_commands.py
"""

from __future__ import annotations

import nvme as d
import pytest

from pynvme import vendor
from pynvme.vssd import VirtualSsd

load = vendor.command(
    0xC5,
    "Load Program",
    """
    10 31:0   ndt     dwords of the program
    12 7:0    slot    where to
    """,
    admin=True,
)
run = vendor.command(
    0xD2,
    "Run Program",
    """
    10 63:0   slba    first LBA
    12 15:0   nlb     how many LBAs, 0's based
    12 23:16  slot    the program
    """,
    result="""
    31:0      ones    the result of the program
    39:32     cycles  time that it took, in units of 1 ms
    """,
    names_lbas=True,
)
NO_PROGRAM = 0x1C5
vendor.status(NO_PROGRAM, "No Program in Slot")


@pytest.fixture
def engine(nvme0):
    """What the drive has of the two commands, if it is a virtual one."""
    ssd = VirtualSsd.attach(nvme0.addr)
    with (
        ssd.answer(0xC5, admin=True, receive=512) as loads,
        ssd.answer(0xD2, b"\1" * 512, result=7 << 32 | 2048),
    ):
        yield ssd, loads


def test_a_program_is_loaded_and_runs(nvme0, nvme0n1, qpair, engine):
    _, loads = engine
    program = d.Buffer(512)
    program[:8] = b"popcount"
    load(nvme0, buf=program, ndt=128, slot=3).waitdone()
    assert loads.data[:8] == b"popcount" and loads.sqe.cdw12 == 3

    out = d.Buffer(512)
    run(nvme0n1, qpair, out, slba=0x1000, nlb=7, slot=3).waitdone()
    ran = qpair.cmdlog_list(1)[0]
    assert (ran.name, ran.slba, ran.lbas, ran.slot) == ("Run Program", 0x1000, 8, 3)
    assert run.decode(ran) == {"ones": 2048, "cycles": 7}
    assert out[:4] == b"\1\1\1\1"


def test_an_empty_slot_is_refused(nvme0n1, qpair, engine):
    ssd, _ = engine
    with ssd.answer(0xD2, status=NO_PROGRAM), pytest.warns(UserWarning, match="01/c5 No Program in Slot"):
        run(nvme0n1, qpair, d.Buffer(512), slot=9).waitdone()
