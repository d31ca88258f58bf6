# SPDX-License-Identifier: BSD-3-Clause
"""Command sets of vendors: their commands and statuses by names of your own.

What a script describes here is then known wherever pynvme decodes: in command logs and traces, in warnings
and reports. pynvme.decode.register() does the same for log pages. Each command is also a function that sends
it::

    from pynvme import vendor

    count = vendor.command(0xD2, "Count Ones", '''
        10 63:0   slba    first LBA
        12 15:0   nlb     how many LBAs, 0's based
        12 31:31  exact   1: read all of them
    ''', result='''
        31:0      ones    bits that are 1
    ''')
    vendor.status(0x1C5, "Engine Busy")
    count(nvme0n1, qpair, buf, slba=0x100, nlb=7).waitdone()
    count.decode(qpair.cmdlog_list(1)[0])               # {'ones': 12034}

A line of a field has the command dword (2, 3, or 10 to 15), its bits, its name and its meaning. Bits above 31
are those of the next dword. A line of a result has bits of dwords 0 and 1 of the completion. See
docs/how-to/vendor.md, also for a virtual SSD that has such commands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable

from pynvme import spec
from pynvme.command_format import CommandField, CommandFormat
from pynvme.spec.status import STATUS_NAMES
from pynvme.values import check, integer

if TYPE_CHECKING:
    import nvme

    from pynvme.trace.command import Command

ADMIN, IO = 0xC0, 0x80
"""The first vendor specific opcodes."""
VENDOR_TYPE, VENDOR_CODE = 7, 0xC0

_DWORDS = (2, 3, 10, 11, 12, 13, 14, 15)
_FIELD = re.compile(r"(\d+)\s+(\d+)(?::(\d+))?\s+([a-z_]\w*)(?:\s+(.*))?")
_RESULT = re.compile(r"(\d+)(?::(\d+))?\s+([a-z_]\w*)(?:\s+(.*))?")


class VendorCommand:
    """A command of a vendor. Call it to send it.

    Attributes:
        opcode: its opcode
        admin: whether it is an admin command
        format: the names and places of its fields, as the command log decodes them
        result: those of its result, in dwords 0 and 1 of the completion
    """

    def __init__(
        self, opcode: int, admin: bool, format: CommandFormat, result: tuple[CommandField, ...]
    ) -> None:
        self.opcode = opcode
        self.admin = admin
        self.format = format
        self.result = result

    def __repr__(self) -> str:
        names = ", ".join(one.name for one in self.format.fields)
        return f"<{'admin' if self.admin else 'I/O'} command {self.opcode:02X}h {self.format.name}: {names}>"

    def dwords(self, **fields: int) -> dict[str, int]:
        """The dwords of a command with these fields, as arguments of send_cmd(). Others are 0.

        Raises:
            TypeError: it has no field of this name
            AssertionError: a value does not fit its field
        """
        return self.format.dwords(**fields)

    def __call__(
        self,
        of: nvme.Controller | nvme.Namespace,
        qpair: nvme.Qpair | None = None,
        buf: nvme.Buffer | None = None,
        *,
        nsid: int | None = None,
        cb: Callable[..., object] | None = None,
        **fields: int,
    ) -> Any:
        """Send it.

        Args:
            of: the Controller of an admin command, the Namespace of an I/O command
            qpair: the queue of an I/O command
            buf: the data, or None
            nsid: by default 0 for an admin command, and that of the namespace for an I/O command
            cb: called at completion
            fields: values by their names; others are 0

        Returns:
            the Controller or the Qpair, for waitdone()
        """
        words = self.dwords(**fields)
        if self.admin:
            check(qpair is None, f"{self.format.name} is an admin command: leave out qpair")
            return of.send_cmd(self.opcode, buf, 0 if nsid is None else nsid, cb=cb, **words)  # type: ignore
        check(qpair is not None, f"{self.format.name} is an I/O command: it needs a qpair")
        where = of.nsid if nsid is None else nsid  # type: ignore[union-attr]
        return of.send_cmd(self.opcode, qpair, buf, where, cb=cb, **words)  # type: ignore

    def decode(self, completion: Command | int) -> dict[str, int]:
        """The fields of the result, of a completed command of a log, or of dwords 0 and 1 as one number."""
        number = (
            completion
            if isinstance(completion, int)
            else int.from_bytes(bytes(completion.cqe or b"")[:8], "little")
        )
        return {one.name: number >> one.low & (1 << (one.high - one.low + 1)) - 1 for one in self.result}


def command(
    opcode: int,
    name: str,
    fields: str = "",
    *,
    admin: bool = False,
    result: str = "",
    names_lbas: bool = False,
) -> VendorCommand:
    """Describe a command of a vendor. A later description of the same opcode takes its place.

    Args:
        opcode: C0h to FFh for an admin command, 80h to FFh for an I/O command
        name: as logs show it
        fields: a line for each: dword, bits, name, meaning
        admin: whether it is an admin command
        result: a line for each field of dwords 0 and 1 of the completion: bits, name, meaning
        names_lbas: whether SLBA is in dwords 10 and 11, and NLB in dword 12, as in Read

    Raises:
        ValueError: the opcode is not vendor specific, or a line is wrong. The message has the line
    """
    number, least = integer(opcode, "opcode"), ADMIN if admin else IO
    if not least <= number <= 0xFF:
        raise ValueError(f"opcode {number:#x} is not vendor specific: those are {least:#x} to 0xff")
    format = CommandFormat(name, name.upper(), names_lbas, _fields(fields))
    (spec.ADMIN_COMMANDS if admin else spec.IO_COMMANDS)[number] = format
    return VendorCommand(number, admin, format, _results(result))


def status(number: int, name: str) -> None:
    """Name a status of a vendor, SCT << 8 | SC: of status code type 7, or with a status code from C0h on.

    Raises:
        ValueError: it is not vendor specific
    """
    value = integer(number, "number")
    if not 0 <= value <= 0x7FF or (value >> 8 != VENDOR_TYPE and value & 0xFF < VENDOR_CODE):
        raise ValueError(
            f"status {value:#x} is not vendor specific: those are 0x700 to 0x7ff, and 0x.c0 to 0x.ff"
        )
    STATUS_NAMES[value] = name


def _lines(table: str) -> list[str]:
    """The lines of a table without empty ones and comments."""
    found = [line.strip() for line in table.splitlines()]
    return [line for line in found if line and not line.startswith("#")]


def _fields(table: str) -> tuple[CommandField, ...]:
    found: list[CommandField] = []
    for line in _lines(table):
        parts = _FIELD.fullmatch(line)
        if parts is None:
            raise ValueError(f"not DWORD BITS NAME MEANING, such as 12 15:0 nlb how many LBAs: {line}")
        dword, high, low, name, text = parts.groups()
        first, last = int(low or high), int(high)
        whole = last < 32 or (int(dword) + 1 in _DWORDS and last < 64)
        if int(dword) not in _DWORDS or first > last or not whole:
            raise ValueError(f"a field has bits HIGH:LOW of dword 2, 3 or 10 to 15, and the next one: {line}")
        if any(one.name == name for one in found):
            raise ValueError(f"{name} is there twice: {line}")
        found.append(CommandField(name, int(dword), first, last, text or ""))
    return tuple(found)


def _results(table: str) -> tuple[CommandField, ...]:
    found: list[CommandField] = []
    for line in _lines(table):
        parts = _RESULT.fullmatch(line)
        if parts is None:
            raise ValueError(f"not BITS NAME MEANING, such as 31:0 ones bits that are 1: {line}")
        high, low, name, text = parts.groups()
        if int(low or high) > int(high) or int(high) > 63:
            raise ValueError(f"a result has bits HIGH:LOW up to 63: {line}")
        found.append(CommandField(name, 0, int(low or high), int(high), text or ""))
    return tuple(found)
