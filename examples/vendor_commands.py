# SPDX-License-Identifier: BSD-3-Clause
"""A vendor's commands: an engine gets a program, runs it over LBAs, and reports the result."""

from __future__ import annotations

import warnings
from contextlib import ExitStack

import nvme as d

from pynvme import example, vendor
from pynvme.vssd import VirtualSsd

NO_PROGRAM = 0x1C5
LOAD = vendor.command(
    0xC5,
    "Load Program",
    """
    10 31:0   ndt     dwords of the program
    12 7:0    slot    where to
    """,
    admin=True,
)
RUN = vendor.command(
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
vendor.status(NO_PROGRAM, "No Program in Slot")


def refused(nvme0n1: d.Namespace, qpair: d.Qpair) -> str:
    """The warning of a program that is not there."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        RUN(nvme0n1, qpair, d.Buffer(512), slot=9).waitdone()
    return str(told[0].message) if told else "success"


def run(address: str = "vssd", firmware: bool = False) -> dict[str, int]:
    """Load a program and run it. Without FIRMWARE, a virtual SSD plays the firmware that there is not yet."""
    nvme0 = d.Controller(address)
    nvme0n1, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 16)
    program, out = d.Buffer(512), d.Buffer(512)
    program[:8] = b"popcount"
    with ExitStack() as stack:
        if not firmware:
            ssd = VirtualSsd.attach(str(nvme0.addr))
            loads = stack.enter_context(ssd.answer(0xC5, admin=True, receive=512))
            stack.enter_context(ssd.answer(0xD2, b"\1" * 512, result=7 << 32 | 2048))
        LOAD(nvme0, buf=program, ndt=128, slot=3).waitdone()
        if not firmware:
            assert loads.data[:8] == b"popcount" and loads.sqe.cdw12 == 3
        RUN(nvme0n1, qpair, out, slba=0x1000, nlb=7, slot=3).waitdone()
        ran = qpair.cmdlog_list(1)[0]
        print(f"{ran.name} over {ran.lbas} LBAs from {ran.slba:#x} on, by slot {ran.slot}: {RUN.decode(ran)}")
        if not firmware:
            ssd.answer(0xD2, status=NO_PROGRAM)
        print(f"slot 9: {refused(nvme0n1, qpair)}")
    return RUN.decode(ran)


if __name__ == "__main__":
    example.main(run)
