# SPDX-License-Identifier: BSD-3-Clause
"""Bugs of the Management Interface."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

RECEIVE = "opcode=nvme-mi-receive"

BUGS = (
    Bug(
        "M1",
        "mi-temperature-in-celsius",
        "Controller Health reports degrees Celsius in place of Kelvin",
        "The field is filled in from the value for the subsystem's health, which is in degrees Celsius.",
        "NVMe-MI 2.0, 5.3 Controller Health Status Poll",
        (f"{RECEIVE} cdw11=2 do bytes at=4 size=2 add=-273",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M2",
        "mi-changes-are-never-cleared",
        "The subsystem's health reports that CC.EN has changed for ever",
        "Clear Status works on a copy of the flags.",
        "NVMe-MI 2.0, 5.6 NVM Subsystem Health Status Poll",
        (f"{RECEIVE} cdw11=1 do bytes at=4 size=1 value=0x21",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M3",
        "mi-vpd-offset-is-ignored",
        "VPD Read returns the data from the first byte on, whatever offset the host gives",
        "The offset is applied to the length and not to the address.",
        "NVMe-MI 2.0, 5.9 VPD Read",
        (f"{RECEIVE} cdw11=5 do set cdw12[7:0]=0",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M4",
        "mi-unknown-opcode-succeeds",
        "A command of the Management Interface that there is not succeeds",
        "The table of opcodes ends with a handler that does nothing.",
        "NVMe-MI 2.0, 4.3 NVMe-MI Messages in band",
        (f"{RECEIVE} cdw11>=0x70 do set cqe.result[7:0]=0",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M5",
        "mi-spare-without-percent",
        "Controller Health reports the spare in 1/255 in place of percent",
        "The field holds the raw value of the flash translation layer.",
        "NVMe-MI 2.0, 5.3 Controller Health Status Poll",
        (f"{RECEIVE} cdw11=2 do bytes at=7 size=1 value=255",),
        {"mi": True},
        areas=("mi",),
    ),
)
