# SPDX-License-Identifier: BSD-3-Clause
"""Options and arguments that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pynvme import near
from pynvme.address import PRIVATE, is_private, normal

Function = TypeVar("Function", bound=Callable[..., Any])


def functions() -> list[str]:
    """The PCIe addresses of the NVMe controllers of this machine."""
    from pynvme.pci import Machine

    return Machine().controllers()


def folders() -> list[str]:
    """The addresses of the virtual SSDs that run."""
    from pynvme.cli import found

    return found.folders()


def private() -> list[str]:
    """The address of a virtual SSD that the command starts."""
    return [PRIVATE]


def completing(*kinds: Callable[[], list[str]]) -> Callable[..., list[str]]:
    """A function that completes addresses of these kinds. Domain 0000 of a PCIe address may be left out."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        known = [one for kind in kinds for one in kind()]
        return [one for one in known if one.startswith(incomplete) or one.startswith(f"0000:{incomplete}")]

    return complete


_addresses = completing(functions, folders, private)


def pciaddr(function: Function) -> Function:
    """Add the option --pciaddr. The function gets None if it is not given: see :func:`drive_of`."""
    return click.option(
        "--pciaddr",
        metavar="ADDRESS",
        shell_complete=_addresses,
        help="The drive: 01:00.0, a folder, or vssd (default).",
    )(function)


def namespace(required: bool = False) -> Callable[[Function], Function]:
    """Add the option --namespace-id, whose parameter is `nsid`. It is 1 unless it is required."""
    return click.option(
        *("-n", "--namespace-id", "nsid"),
        type=Number(32),
        required=required,
        default=None if required else 1,
        show_default=not required,
        metavar="N",
        help="The namespace.",
    )


def number(short: str, *names: str, bits: int, text: str) -> Callable[[Function], Function]:
    """Add an option for a number of so many bits, which is 0 by default.

    names: the long name, and that of the parameter if it is another one.
    """
    return click.option(short, *names, type=Number(bits), default=0, metavar="N", help=text)


def endurance_group(short: str, name: str) -> Callable[[Function], Function]:
    """Add an option for an endurance group, whose parameter is `group` and is 1 by default.

    nvme-cli calls it differently in each of its commands.
    """
    return click.option(
        *(short, name, "group"),
        type=Number(16),
        default=1,
        show_default=True,
        metavar="N",
        help="The endurance group.",
    )


def words(metavar: str) -> Callable[[Function], Function]:
    """Add the argument `words`, of which the first one may be the address of the drive."""
    return click.argument("words", nargs=-1, metavar=metavar, shell_complete=_addresses)


def as_json(function: Function) -> Function:
    """Add the option --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def is_address(text: str) -> bool:
    """Whether a word of the command line is the address of a drive: it has a form that nothing else has."""
    return is_private(text) or normal(text) is not None or "/" in text or os.path.isdir(text)


def split(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first word of the command line if it is the address of a drive, and the other words."""
    if words and is_address(words[0]):
        return words[0], list(words[1:])
    return None, list(words)


def drive_of(pciaddr: str | None, words: Sequence[str], most: int = 0) -> tuple[str, list[str]]:
    """The address of the drive, and the other words of the command line.

    The address is that of --pciaddr, or the first word if that is one, or that of a private virtual SSD.
    UsageError if there are two addresses, or more than `most` other words.
    """
    address, rest = split(words)
    if address is not None and pciaddr is not None:
        raise click.UsageError(f"two drives are named, {pciaddr} and {address}")
    pciaddr = pciaddr if address is None else address
    if len(rest) > most:
        hint = "" if most else ". An address is 01:00.0, vssd, or a folder, such as ./ssd"
        raise click.UsageError(f"{rest[most]} is one word too many{hint}")
    return (PRIVATE if pciaddr is None else pciaddr), rest


if TYPE_CHECKING:
    _Type = click.ParamType[int]
else:  # older releases have no type arguments
    _Type = click.ParamType


class Number(_Type):
    """A number from 0 to `most`, decimal, or hexadecimal with 0x or a trailing h."""

    name = "number"

    def __init__(self, bits: int) -> None:
        self.most = (1 << bits) - 1

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of a text."""
        if isinstance(value, int):
            return value
        try:
            number = number_of(value)
        except ValueError:
            self.fail(f"{value!r} is no number, such as 12, 0x1f or 1Fh", param, ctx)
        if not 0 <= number <= self.most:
            self.fail(f"{value} is not from 0 to {self.most:#x}", param, ctx)
        return number


def number_of(text: str) -> int:
    """The number of a text such as 12, 0x1f, 0b11 or 1Fh. ValueError if it is none."""
    if text[-1:] in "hH" and text[:2].lower() != "0x":
        return int(text[:-1], 16)
    return int(text, 0) if not text.isdecimal() else int(text)


def named(names: type[IntEnum]) -> dict[str, int]:
    """The numbers of an enumeration by their names in lower case."""
    return {one.name.lower(): int(one) for one in names}


def number_or_name(text: str, known: Mapping[str, int], what: str, bits: int) -> int:
    """A number of `bits` bits, or that of a name. UsageError if it is neither."""
    try:
        number = number_of(text)
    except ValueError:
        word = text.lower().replace("-", "_")
        if word in known:
            return known[word]
        some = f"give a number, or a name such as {', '.join(sorted(known)[:3])}"
        hint = near.hint(word, known, some, most=3, alike=0.5)
        raise click.UsageError(f"{text} is no {what}{hint}") from None
    if not 0 <= number < 1 << bits:
        raise click.UsageError(f"{what} {text} is not from 0 to {(1 << bits) - 1:#x}")
    return number
