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
        "NVMe-MI 2.0, 5.12 VPD Read",
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
    Bug(
        "M6",
        "mi-vpd-write-is-lost",
        "VPD Write succeeds, and a power cycle brings back the old data",
        "The data are written to a copy in RAM, from which they are read.",
        "NVMe-MI 2.0, 5.13 VPD Write",
        ("opcode=nvme-mi-send cdw11=6 do set cdw13[15:0]=0",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M7",
        "mi-clears-more-than-selected",
        "Configuration Set, Health Status Change, clears all bits, whichever the host selects",
        "The handler of the poll with clear is called.",
        "NVMe-MI 2.0, 5.1 Configuration Get and 5.2 Configuration Set",
        ("opcode=nvme-mi-send cdw11=3 cdw12[7:0]=2 do set cdw13=0x1fff",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M8",
        "mi-poll-always-clears",
        "A poll of controllers clears the changes that it reports, without being asked to",
        "The flags are read and cleared in one step, since the interrupt handler sets them.",
        "NVMe-MI 2.0, 5.3 Controller Health Status Poll",
        (f"{RECEIVE} cdw11=2 do set cdw13[31:31]=1",),
        {"mi": True},
        areas=("mi",),
    ),
    Bug(
        "M9",
        "mi-poll-ignores-the-selection",
        "A poll of controllers reports any change, whichever changes the host selects",
        "The selection is compared before the flags are shifted into place.",
        "NVMe-MI 2.0, 5.3 Controller Health Status Poll",
        (f"{RECEIVE} cdw11=2 do set cdw13[4:0]=0x1f",),
        {"mi": True},
        areas=("mi",),
    ),
)
