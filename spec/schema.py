# SPDX-License-Identifier: BSD-3-Clause
"""What an entry of the specification is made of. All of it is immutable data.

Names are the specification's acronyms in lower case (`nsze`); they become members in C and attributes in Python. `c` is
the name in C where it is not made from that. `text` says what the value means, in a few words, with its unit. `since`
is the first version of the specification with it, and `section` is one of Base 2.1, NVM 1.1, ZNS 1.2 or KV 1.1, by the
title of the list that the entry is in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union


@dataclass(frozen=True)
class Value:
    """One value of an enumeration. c: its name in C without the prefix, by default `name` in capitals.

    label: its name in logs, where there are such; by default `name` in capitals with blanks.
    """

    name: str
    number: int
    text: str = ""
    label: str = ""
    c: str = ""
    since: str = "1.0"


@dataclass(frozen=True)
class Enum:
    """An enumeration: `enum c` in C, whose values begin with `prefix`, and an IntEnum called `name` in Python.

    digits: of the values' hexadecimal numbers in C; 0: they are decimal.
    """

    name: str
    c: str
    prefix: str
    values: tuple[Value, ...]
    text: str = ""
    section: str = ""
    digits: int = 2

    def c_name(self, value: Value) -> str:
        return self.prefix + (value.c or value.name.upper())


@dataclass(frozen=True)
class Bits:
    """Bits `low` to `high` of a word: of a structure's field, a register, or a command dword.

    c: the name in C, if it has one there. style: what C gets by it:
        "mask"    NAME, the mask in its place
        "value"   NAME, the number `number` in its place (one value of a wider field)
        "shift"   NAME, the number of the lowest bit
        "get"     NAME(word), which extracts the field
        "field"   NAME_SHIFT and NAME_WIDTH, for NVME_GET and NVME_SET
    suffix: of the constant in C: "u", or "wide" for UINT32_C(1) << low.
    """

    name: str
    low: int
    high: int = -1
    text: str = ""
    c: str = ""
    style: str = "mask"
    suffix: str = "u"
    number: int = 0
    digits: int = 0
    unit: str = ""
    zeroes_based: bool = False
    values: Enum | None = None
    since: str = "1.0"

    @property
    def top(self) -> int:
        return self.low if self.high < 0 else self.high

    @property
    def width(self) -> int:
        return self.top - self.low + 1

    @property
    def mask(self) -> int:
        return ((1 << self.width) - 1) << self.low


@dataclass(frozen=True)
class Field:
    """A member of a structure: `count` elements of `size` bytes at byte `offset`.

    kind: "uint" (little-endian; C has types for 1, 2, 4 and 8 bytes, and uint64_t[2] for 16), "ascii" (padded with
    blanks), "utf8" (ends with NULs), "bytes", or "struct" (of `struct`). count 0: a flexible array at the end.
    counted_by: the field before it that says how many elements there are. ends_with: the member of the elements, whose
    value 0 ends the array. Where neither is named, a flexible array reaches to the end of the structure.
    """

    name: str
    offset: int
    size: int = 1
    text: str = ""
    count: int = 1
    kind: str = "uint"
    struct: Structure | None = None
    bits: tuple[Bits, ...] = ()
    unit: str = ""
    zeroes_based: bool = False
    values: Enum | None = None
    since: str = "1.0"
    counted_by: str = ""
    ends_with: str = ""

    @property
    def end(self) -> int:
        return self.offset + self.size * self.count


@dataclass(frozen=True)
class Structure:
    """Memory of `size` bytes: `struct c` in C, a class called `name` in Python. Gaps between fields are reserved.

    c: empty where C has no such structure. packed: it may lie at any address. label: what a failed assertion of its
    size says. asserted: fields whose offset C asserts as well. length: where it does not follow from a flexible array,
    the sum that is its length in bytes: numbers, and names of fields.
    """

    name: str
    c: str
    size: int
    fields: tuple[Field, ...]
    text: str = ""
    section: str = ""
    label: str = ""
    packed: bool = True
    asserted: tuple[str, ...] = ()
    length: tuple[str | int, ...] = ()

    @property
    def varies(self) -> bool:
        """Whether two of them may differ in length."""
        return bool(self.length) or any(field.count == 0 for field in self.fields)


@dataclass(frozen=True)
class Word:
    """A number of `size` bytes that consists of bits: a register, or a dword of a command or completion."""

    name: str
    size: int
    bits: tuple[Bits, ...]
    text: str = ""
    section: str = ""


@dataclass(frozen=True)
class Feature:
    """A feature: the word that Set Features takes in command dword `dword` and Get Features returns, and its data."""

    fid: int
    word: Word | None = None
    data: Structure | None = None
    dword: int = 11


@dataclass(frozen=True)
class Table:
    """What belongs to each number, such as a structure to each log page; a dict called `name` in Python."""

    name: str
    text: str
    rows: dict


@dataclass(frozen=True)
class BitGroup:
    """Bits that C names together, under one comment."""

    bits: tuple[Bits, ...]
    text: str = ""
    section: str = ""


@dataclass(frozen=True)
class Constant:
    """One number that has a name. form: how C writes it, a format of Python ("{:#x}u")."""

    c: str
    number: int
    text: str = ""
    form: str = "{}u"


@dataclass(frozen=True)
class Code:
    """C that is neither a structure nor a number, such as a macro with parameters."""

    c: str


Item = Union[Structure, Enum, BitGroup, Constant, Code]


@dataclass(frozen=True)
class Header:
    """A C header in spec/: what it holds, in order. text: the comment at its top, lines without a frame."""

    file: str
    text: str
    items: tuple[Item, ...]
    includes: tuple[str, ...] = ("stdint.h",)


@dataclass(frozen=True)
class Length:
    """How many bytes a command transfers: count × unit, where count is fixed or is what a field of the command says.

    kind: "any" (the command does not say), "fixed" (unit bytes), "count" (the field × unit), "lbas" (the field, in
    LBAs of the namespace). field: names of one or two of the command's fields, the low one first.
    when: (field, value): the rule holds only then. other: (field, bits, unit): the unit where the field has one of
    these bits. zero_is_any: a count of 0 says nothing.
    """

    kind: str = "any"
    unit: int = 1
    fields: tuple[str, ...] = ()
    when: tuple[str, int] | None = None
    other: tuple[str, int, int] | None = None
    zero_is_any: bool = False


@dataclass(frozen=True)
class Arg:
    """A field of a command: bits of one of its dwords 2, 3 and 10 to 15.

    default: what the host's method sends unless it is told; None: its caller has to say.
    """

    name: str
    dword: int
    low: int
    high: int = -1
    text: str = ""
    unit: str = ""
    zeroes_based: bool = False
    values: Enum | None = None
    default: int | None = 0
    since: str = "1.0"

    @property
    def top(self) -> int:
        return self.low if self.high < 0 else self.high

    @property
    def width(self) -> int:
        return self.top - self.low + 1


@dataclass(frozen=True)
class Announced:
    """A field of Identify Controller (`oacs`, `oncs` …): a drive has the command if one of these bits is set."""

    field: str
    mask: int


@dataclass(frozen=True)
class Command:
    """A command of a set: "admin", "nvm", "zns", "kv".

    label: its name in logs, by default `name` in capitals. changes: whose data it changes: "none", "range" (its LBAs),
    "ranges" (of a list in its data), "zone", "namespace", "all", or "unknown" (it may change any). effects and scope:
    what log page 05h reports: "lbcc", "ncc", "nic", "ccc"; "ns", "ctrl", "subsystem". exclusive: its CSE, 1: no other
    command for the namespace while it runs, 2: for any. reshapes: "namespace": LBAs of the namespace that it names may
    have another size afterwards. reidentify: Identify may answer otherwise afterwards. names_lbas: SLBA is in cdw11:10;
    workers: I/O workers send it. mandatory: an I/O controller of the set has it; else `announced` says whether.

    method: the method of the host's Controller that is made from this entry: a parameter for each field, those without
    a default first, then `buf` where the command transfers data, and `nsid` where that is not always 0 (nsid is its
    default). Its docstring is in nvme.pyi.
    """

    set: str
    opcode: int
    name: str
    c: str
    section: str
    fields: tuple[Arg, ...] = ()
    label: str = ""
    length: Length = field(default_factory=Length)
    changes: str = "none"
    reshapes: str = "none"
    reidentify: bool = False
    effects: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    exclusive: int = 0
    names_lbas: bool = False
    workers: bool = False
    mandatory: bool = False
    announced: Announced | None = None
    method: str = ""
    nsid: int | None = None
    text: str = ""
    since: str = "1.0"
