# SPDX-License-Identifier: BSD-3-Clause
"""The kinds of entries that describe the specification. All of them are immutable data.

`name` is the specification's acronym in lower case (`nsze`). It becomes a member in C and an attribute in Python. `c`
is the name in C if it cannot be made from `name`. `text` explains the value in a few words. `since` is the first
version of the specification with it. `section` is one of Base 2.1, NVM 1.1, ZNS 1.2 or KV 1.1, as the title of its list
tells, or "Base 2.3 5.2.12.1.33" of what came later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union


@dataclass(frozen=True)
class Value:
    """One value of an enumeration.

    c       its name in C without the prefix, by default `name` in capitals
    label   its name in logs, by default `name` in capitals with blanks
    """

    name: str
    number: int
    text: str = ""
    label: str = ""
    c: str = ""
    since: str = "1.0"


@dataclass(frozen=True)
class Enum:
    """An enumeration. It is `enum c` in C, whose values begin with `prefix`, and an IntEnum called `name` in Python.

    digits  how many hexadecimal digits the values have in C, or 0 if they are decimal
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
    """Bits `low` to `high` of a word, which is a structure's field, a register, or a command dword.

    c       the name in C, if C has one
    style   what C defines for it:
        "mask"    NAME, the mask in its place
        "value"   NAME, the number `number` in its place (one value of a wider field)
        "shift"   NAME, the number of the lowest bit
        "get"     NAME(word), which extracts the field
        "field"   NAME_SHIFT and NAME_WIDTH, for NVME_GET and NVME_SET
    suffix  that of the constant in C, "u", or "wide" for UINT32_C(1) << low
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
    """A member of a structure, with `count` elements of `size` bytes at byte `offset`.

    kind        "uint" (little-endian), "ascii" (padded with blanks), "utf8" (ends with NULs), "bytes", or "struct" (of
                `struct`). C has a type for a uint of 1, 2, 4 or 8 bytes, and uint64_t[2] for 16
    count       0 is a flexible array at the end. Unless counted_by or ends_with is given, it reaches to the end of
                the structure
    counted_by  an earlier field with the number of elements
    ends_with   a member of the elements. If its value is 0, the array ends
    hex         it is shown in hexadecimal digits, as identifiers and addresses are
    long        the name in words, as a second name of the attribute in Python, where the acronym is hardly known
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
    long: str = ""
    hex: bool = False

    @property
    def end(self) -> int:
        return self.offset + self.size * self.count


@dataclass(frozen=True)
class Structure:
    """A structure of `size` bytes. It is `struct c` in C and a class called `name` in Python. Gaps are reserved.

    c         empty if C has no such structure
    packed    the structure may lie at any address
    label     the text of the assertion of its size in C
    asserted  fields whose offset C asserts as well
    length    numbers and names of fields, whose sum is the length in bytes; a field of another unit comes with the
              bytes of that. Empty if a flexible array or `size` determines the length
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
    length: tuple[str | int | tuple[str, int], ...] = ()

    @property
    def varies(self) -> bool:
        """Whether two instances may differ in length."""
        return bool(self.length) or any(field.count == 0 for field in self.fields)


@dataclass(frozen=True)
class Word:
    """A number of `size` bytes that consists of bits, such as a register or a dword of a command or completion."""

    name: str
    size: int
    bits: tuple[Bits, ...]
    text: str = ""
    section: str = ""


@dataclass(frozen=True)
class Feature:
    """A feature, with its data and its word. Set Features takes the word in dword `dword`, Get Features returns it.

    namespace   it is a namespace's, so that its commands name one
    """

    fid: int
    word: Word | None = None
    data: Structure | None = None
    dword: int = 11
    namespace: bool = False


@dataclass(frozen=True)
class Table:
    """Maps numbers, such as those of log pages, to their structures. It is a dict called `name` in Python."""

    name: str
    text: str
    rows: dict


@dataclass(frozen=True)
class Names:
    """What the specification calls the values of an enumeration, and what they mean, as two dicts in Python.

    name    that of the dict of names
    texts   that of the dict of meanings, which has only values with a text
    titles  names that differ from the label of the value in more than the case of its letters, by number
    """

    name: str
    texts: str
    enum: Enum
    titles: dict
    text: str = ""


@dataclass(frozen=True)
class BitGroup:
    """Bits that C names together, under one comment."""

    bits: tuple[Bits, ...]
    text: str = ""
    section: str = ""


@dataclass(frozen=True)
class Constant:
    """A number with a name. form is the Python format of the number in C ("{:#x}u")."""

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
    """A C header in spec/, with its items in order. text is the comment at its top, lines without a frame."""

    file: str
    text: str
    items: tuple[Item, ...]
    includes: tuple[str, ...] = ("stdint.h",)


@dataclass(frozen=True)
class Length:
    """How many bytes a command transfers.

    kind         "any" (the command does not tell), "fixed" (unit bytes), "count" (fields × unit), "lbas" (fields, in
                 LBAs of the namespace)
    fields       names of one or two of the command's fields, the low one first
    when         (field, value): the rule applies only if the field has this value
    other        (field, bits, unit): the unit to use if the field has one of these bits
    zero_is_any  if the count is 0, the length is that of kind "any"
    """

    kind: str = "any"
    unit: int = 1
    fields: tuple[str, ...] = ()
    when: tuple[str, int] | None = None
    other: tuple[str, int, int] | None = None
    zero_is_any: bool = False


@dataclass(frozen=True)
class Arg:
    """A field of a command, in bits of one of its dwords 2, 3 and 10 to 15.

    default is the default of its parameter in the host's method. If it is None, the parameter is required.
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
    """A field of Identify Controller (`oacs`, `oncs` …). A drive supports the command if one of these bits is set."""

    field: str
    mask: int


@dataclass(frozen=True)
class Command:
    """A command of a set, which is "admin", "nvm", "zns" or "kv".

    label       its name in logs, by default `name` in capitals
    changes     the data that it changes: "none", "range" (its LBAs), "ranges" (those of a list in its data), "zone",
                "namespace" (that of its NSID), "formatted" (the same, or all, as FNA says), "all", or
                "unknown" (it may change any)
    effects     what log page 05h reports: "lbcc", "ncc", "nic", "ccc"
    scope       the scope in log page 05h: "ns", "ctrl", "subsystem"
    exclusive   its CSE. While it runs, no other command is allowed for the namespace (1), or for any (2)
    reshapes    "namespace": LBAs of the namespace of its NSID may have another size afterwards
    reidentify  Identify may return other data afterwards
    names_lbas  SLBA is in cdw11:10
    workers     I/O workers send it
    mandatory   each I/O controller of the set supports it. Otherwise `announced` tells
    method      the name of the method of the host's Controller that the generator makes from this entry. It has a
                parameter for each field, those without a default first, then `buf` if the command transfers data, and
                `nsid` if that is not always 0. Its docstring is in nvme.pyi
    nsid        the default of the method's `nsid`
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
