# SPDX-License-Identifier: BSD-3-Clause
"""The fields of commands by their names, to decode and to make them. See `pynvme.spec.formats`."""

from __future__ import annotations

from typing import NamedTuple

from pynvme.values import field


class CommandField(NamedTuple):
    """Bits ``low`` to ``high`` of a command, from bit 0 of dword ``dword`` on, of 2, 3 and 10 to 15."""

    name: str
    dword: int
    low: int
    high: int
    text: str = ""
    unit: str = ""
    zeroes_based: bool = False
    values: type[int] | None = None

    def of(self, sqe: bytes) -> int:
        """Its value in the 64 bytes of a command, as a member of ``values`` where that has one."""
        start = 4 * self.dword
        bits = int.from_bytes(sqe[start : start + 8], "little")
        number = bits >> self.low & (1 << (self.high - self.low + 1)) - 1
        if self.values is None:
            return number
        try:
            return self.values(number)
        except ValueError:
            return number


class CommandFormat(NamedTuple):
    """A command: its name in the specification, its name in logs, whether it names LBAs, and its fields."""

    name: str
    label: str
    names_lbas: bool
    fields: tuple[CommandField, ...]

    def decode(self, sqe: bytes) -> dict[str, int]:
        """The values of all fields by their names, from the 64 bytes of a command."""
        return {one.name: one.of(sqe) for one in self.fields}

    def dwords(self, **fields: int) -> dict[str, int]:
        """The dwords of a command with these fields, as arguments of send_cmd(). Others are 0.

        Raises:
            TypeError: it has no field of this name
            AssertionError: a value does not fit its field
        """
        words: dict[str, int] = {}
        known = {one.name: one for one in self.fields}
        for name, value in fields.items():
            if name not in known:
                raise TypeError(f"{self.name} has no field {name}: it has {', '.join(known) or 'none'}")
            one = known[name]
            number = field(value, one.high - one.low + 1, name) << one.low
            for dword, part in ((one.dword, number & 0xFFFFFFFF), (one.dword + 1, number >> 32)):
                if part:
                    words[f"cdw{dword}"] = words.get(f"cdw{dword}", 0) | part
        return words
