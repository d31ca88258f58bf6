# SPDX-License-Identifier: BSD-3-Clause
"""Statuses as texts, by the specification's names, and where in a command an error is.

describe(0x002)                 # "Invalid Field in Command (00/02)"
Status.of(0x4281).dnr           # True; the field without the phase tag, as nvme-cli and the kernel print it
place(0x0029)                   # "CDW10 bit 8 (byte 41, bit 0)"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pynvme.spec.status import STATUS_NAMES as STATUS_NAMES
from pynvme.spec.status import STATUS_TEXTS

if TYPE_CHECKING:
    from nvme import Controller

    from pynvme.spec import ErrorLogEntry, IdentifyController

SECTION = "Base 2.1, 4.2.3"
VENDOR_TYPE, VENDOR_CODE = 7, 0xC0
NOWHERE = 0xFFFF
"""The Parameter Error Location of an error that is not in a parameter of the command."""

_PARTS = ((4, "CDW0"), (8, "NSID"), (12, "CDW2"), (16, "CDW3"), (24, "MPTR"), (40, "DPTR"))
"""The parts of a submission queue entry up to dword 10, each with the byte after it."""


class Status(NamedTuple):
    """The status field of a completion (Base 2.1, 4.2.3)."""

    sct: int
    sc: int
    crd: int
    """Which of CRDT1 to CRDT3 of Identify Controller says how long to wait before a retry, 0 for none."""
    more: bool
    """The Error Information log page has more about it."""
    dnr: bool
    """Do not retry: the same command would fail again."""

    @classmethod
    def of(cls, field: int) -> Status:
        """The parts of a status field of 15 bits, without the phase tag."""
        return cls(
            field >> 8 & 7, field & 0xFF, field >> 11 & 3, bool(field >> 13 & 1), bool(field >> 14 & 1)
        )

    @property
    def number(self) -> int:
        """SCT << 8 | SC, as in `pynvme.spec.Status`."""
        return self.sct << 8 | self.sc

    @property
    def field(self) -> int:
        """The status field, without the phase tag."""
        return self.dnr << 14 | self.more << 13 | self.crd << 11 | self.number

    def retry_delay(self, id_ctrl: IdentifyController) -> int:
        """How long to wait before the command is sent again, in milliseconds; 0: no delay, or do not retry.

        The drive reports it only if the host has set ACRE of Host Behavior Support, feature 16h.

        Args:
            id_ctrl: that of the drive, ``nvme0.id_ctrl``
        """
        return 0 if self.dnr or not self.crd else 100 * int(getattr(id_ctrl, f"crdt{self.crd}"))

    def __str__(self) -> str:
        flags = [
            text
            for bit, text in ((self.dnr, "DNR"), (self.more, "More"), (self.crd, f"CRD {self.crd}"))
            if bit
        ]
        return ", ".join([describe(self.number), *flags])


def name(number: int) -> str:
    """The specification's name of a status, SCT << 8 | SC."""
    known = STATUS_NAMES.get(number & 0x7FF)
    if known is not None:
        return known
    sct, sc = number >> 8 & 7, number & 0xFF
    return "Vendor Specific" if sct == VENDOR_TYPE or sc >= VENDOR_CODE else "Reserved"


def meaning(number: int) -> str:
    """What a status means, or "" if its name says it."""
    return STATUS_TEXTS.get(number & 0x7FF, "")


def code(number: int) -> str:
    """A status as SCT/SC in hexadecimal digits, such as ``00/02``."""
    return f"{number >> 8 & 7:02x}/{number & 0xFF:02x}"


def describe(number: int) -> str:
    """A status with its name, such as ``Invalid Field in Command (00/02)``."""
    return f"{name(number)} ({code(number)})"


def place(location: int, opcode: int | None = None, io: bool = False) -> str:
    """What a Parameter Error Location of the Error Information log page (Base 2.1, 5.1.12.1.2) names.

    It is "" if the error is not in a parameter of the command.

    Args:
        location: bit << 8 | byte of the command
        opcode: of the command, if the field is to be named
        io: it is an opcode of an I/O command
    """
    byte, bit = location & 0xFF, location >> 8 & 7
    if location == NOWHERE or byte >= 64:
        return ""
    part = next((text for end, text in _PARTS if byte < end), f"CDW{byte // 4}")
    start = {"MPTR": 16, "DPTR": 24}.get(part, byte & ~3)
    named = "" if opcode is None else _field_at(8 * byte + bit, opcode, io)
    field = f"{named}: " if named else ""
    return f"{field}{part} bit {8 * (byte - start) + bit} (byte {byte}, bit {bit})"


def _field_at(bit: int, opcode: int, io: bool) -> str:
    """The name of the field of a command with this bit of its 512, or "" if the specification has none."""
    from pynvme import spec

    command = (spec.IO_COMMANDS if io else spec.ADMIN_COMMANDS).get(opcode)
    for field in command.fields if command is not None else ():
        if 32 * field.dword + field.low <= bit <= 32 * field.dword + field.high:
            return field.name.upper()
    return ""


def explain(entry: ErrorLogEntry) -> str:
    """An entry of the Error Information log page in one line: command, status, and the wrong field."""
    opcode = entry.opc if entry.lpver else None
    where = place(int(entry.pel), opcode, bool(entry.sqid))
    command = "" if opcode is None else f", opcode {opcode:02x}h"
    text = f"error {entry.ecnt}: queue {entry.sqid}, CID {entry.cid}{command}: {Status.of(entry.status >> 1)}"
    return f"{text}, in {where}" if where else text


def entry_of(nvme0: Controller, sqid: int, cid: int) -> ErrorLogEntry | None:
    """The newest entry of the Error Information log page about a command, or None if there is none.

    It sends Get Log Page, with RAE, so that no event is cleared.
    """
    for entry in nvme0.log(1).entries:
        if entry.ecnt and (entry.sqid, entry.cid) == (sqid, cid):
            found: ErrorLogEntry = entry
            return found
    return None
