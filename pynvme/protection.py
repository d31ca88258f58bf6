# SPDX-License-Identifier: BSD-3-Clause
"""Protection information: what a command asks of the drive, and the tuple of an LBA (NVM 1.0, 5.2).

A namespace that is formatted with protection information keeps a tuple in the metadata of each LBA: a guard
(a checksum of its data), an application tag, and a reference tag, before which some formats have a storage
tag. `Namespace.protection` says how a namespace does it. `Pi` says what a command asks for:

    import nvme as d
    from pynvme.protection import Pi, check, protect

    nvme0 = d.Controller("vssd:size=64M,metadata")
    nvme0n1 = d.Namespace(nvme0)
    print(nvme0n1.protection)               # None: its LBAs have no protection information

`protect()` puts tuples into buffers, and `check()` finds what is wrong in them, for namespaces and also
without a drive:

    from pynvme.protection import Format

    fmt = Format(type=1, metadata=8, extended=True)
    buf = d.Buffer(2 * 520)
    protect(fmt, buf, 100, 2)
    buf[3] = 0xff                           # one byte of LBA 100
    print(check(fmt, buf, 100, 2)[0])       # LBA 0x64: guard 0000h, but the data have 553bh
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import nvme

from pynvme import near
from pynvme.values import check as _check
from pynvme.values import field as _field

if TYPE_CHECKING:
    from nvme import Buffer

__all__ = ["Fault", "Format", "Pi", "Tuple", "check", "explain", "guard", "protect"]

GUARD, APP, REF = 4, 2, 1
"""The bits of PRCHK (NVM 5.2.2)."""

PRACT = 8
"""The bit of PRINFO that has the drive insert and strip protection information."""

_SPACE = {16: 32, 32: 80, 64: 48}
"""Bits of the space that storage tag and reference tag share, by those of the guard."""

_CHECKS = {"GUARD": GUARD, "APPTAG": APP, "APP": APP, "REFTAG": REF, "REF": REF}
_FIO = {"pi_act": "pract", "pi_chk": "prchk", "apptag": "app_tag", "apptag_mask": "app_mask"}
_WRITE_ZEROES, _COPY, _ZONE_APPEND = 0x08, 0x19, 0x7D


@dataclass(frozen=True)
class Format:
    """How a namespace protects its LBAs. `Namespace.protection` is that of a namespace.

    Args:
        type: 1 to 3. In types 1 and 2 the reference tag counts the LBAs of a command, in type 1 from the
            LBA on
        metadata: bytes of metadata of an LBA
        guard: bits of the guard, 16, 32 or 64
        storage: bits of the storage tag
        first: the tuple is in the first bytes of the metadata, and not in the last
        extended: the metadata follow the data of each LBA in one buffer
        data: bytes of data of an LBA
    """

    type: int
    metadata: int = 8
    guard: int = 16
    storage: int = 0
    first: bool = False
    extended: bool = False
    data: int = 512

    def __post_init__(self) -> None:
        _check(self.type in (1, 2, 3), f"type must be 1, 2 or 3, not {self.type}")
        _check(self.guard in _SPACE, f"guard must be 16, 32 or 64, not {self.guard}")
        _check(
            0 <= self.storage <= _SPACE[self.guard],
            f"storage must be from 0 to {_SPACE[self.guard]}, not {self.storage}",
        )
        _check(self.metadata >= self.size, f"metadata must be at least {self.size}, not {self.metadata}")

    @property
    def size(self) -> int:
        """Bytes of a tuple, 8 or 16."""
        return 8 if self.guard == 16 else 16

    @property
    def place(self) -> int:
        """The byte of the metadata where the tuple begins."""
        return 0 if self.first else self.metadata - self.size

    @property
    def alone(self) -> bool:
        """Whether the metadata are the tuple and nothing else. PRACT then inserts and strips them."""
        return self.metadata == self.size

    @property
    def reference(self) -> int:
        """Bits of the reference tag."""
        return _SPACE[self.guard] - self.storage

    @property
    def checks(self) -> int:
        """The checks (PRCHK) that need no tag: the guard, and in types 1 and 2 the reference tag."""
        return GUARD | (REF if self.type != 3 and self.reference else 0)


class Tuple(NamedTuple):
    """The protection information of one LBA."""

    guard: int
    app_tag: int
    storage_tag: int
    ref_tag: int

    @classmethod
    def parse(cls, fmt: Format, raw: bytes) -> Tuple:
        """The tuple in these bytes, 8 or 16 of them.

        Example:
            >>> Tuple.parse(Format(1), bytes.fromhex("d0db000000000064"))
            Tuple(guard=53467, app_tag=0, storage_tag=0, ref_tag=100)
        """
        _check(len(raw) == fmt.size, f"a tuple has {fmt.size} bytes, not {len(raw)}")
        at = fmt.guard // 8
        space = int.from_bytes(raw[at + 2 :], "big")
        mask = (1 << fmt.reference) - 1
        return cls(
            int.from_bytes(raw[:at], "big"),
            int.from_bytes(raw[at : at + 2], "big"),
            space >> fmt.reference,
            space & mask,
        )

    def pack(self, fmt: Format) -> bytes:
        """Its bytes in the metadata. AssertionError if a value does not fit its field."""
        space = _field(self.storage_tag, fmt.storage, "storage_tag") << fmt.reference
        space |= _field(self.ref_tag, fmt.reference, "ref_tag")
        return (
            _field(self.guard, fmt.guard, "guard").to_bytes(fmt.guard // 8, "big")
            + _field(self.app_tag, 16, "app_tag").to_bytes(2, "big")
            + space.to_bytes(_SPACE[fmt.guard] // 8, "big")
        )

    def escapes(self, fmt: Format) -> bool:
        """Whether the drive checks nothing of this LBA (NVM 5.2.2).

        That is with the application tag FFFFh, and in type 3 if all bits of the reference tag are ones too.
        """
        return self.app_tag == 0xFFFF and (fmt.type != 3 or self.ref_tag == (1 << fmt.reference) - 1)


class Fault(NamedTuple):
    """A field of a tuple that is not what it should be."""

    lba: int
    name: str
    """guard, application tag, storage tag or reference tag."""
    found: int
    expected: int
    digits: int

    def __str__(self) -> str:
        found, expected = (f"{value:0{self.digits}x}h" for value in (self.found, self.expected))
        wanted = f"but the data have {expected}" if self.name == "guard" else f"not {expected}"
        return f"LBA {self.lba:#x}: {self.name} {found}, {wanted}"


@dataclass(frozen=True)
class Pi:
    """What a command asks of protection information. The commands take it, or a dict of its names, as `pi`.

    Args:
        pract: the drive inserts the information in a write, and strips it in a read (PRACT). By default
            only in write_zeroes() and copy()
        prchk: the checks that the drive does, 3 bits, 4 guard, 2 application tag, 1 reference tag, or their
            names in a text, such as "GUARD,REFTAG". By default the guard, the reference tag in types 1 and
            2, and the application tag if there is one, and none in write_zeroes() and copy()
        app_tag: the application tag, 16 bits
        app_mask: which of its bits the drive checks, 16 bits, by default all if there is an app_tag
        ref_tag: the reference tag of the first LBA, by default that of type 1, the lowest bits of its
            number, and 0 in type 3
        storage_tag: the storage tag, which the drive then checks (STC)
        make: write() puts the tuples into the metadata once it has stamped the data, unless the drive does,
            and so does zone_append(). False leaves the metadata as they are, for a test that wants wrong ones
        remap: zone_append() has the drive replace the reference tags by those of the LBAs to which it
            appends (PIREMAP). By default in types 1 and 2. Then ref_tag is that of the start of the zone

    fio's names pi_act, pi_chk, apptag and apptag_mask are taken in a dict too.

    Example:
        >>> Pi(prchk="GUARD,APPTAG", app_tag=0x1234)
        >>> nvme0n1.write(qpair, buf, 0, 8, meta=meta, pi={"app_tag": 0x1234})
    """

    pract: bool | int | None = None
    prchk: int | str | None = None
    app_tag: int | None = None
    app_mask: int | None = None
    ref_tag: int | None = None
    storage_tag: int | None = None
    make: bool = True
    remap: bool | int | None = None

    @classmethod
    def of(cls, value: Any) -> Pi | None:
        """The value of a parameter `pi`: a Pi, a dict, True for the defaults, or None or False for none."""
        if value is None or value is False:
            return None
        if value is True:
            return cls()
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise TypeError(
                f"pi must be True, a Pi of pynvme.protection, or a dict, not {type(value).__name__}"
            )
        named = {_FIO.get(str(name), str(name)): one for name, one in value.items()}
        for name in named:
            _check(
                name in cls.__dataclass_fields__,
                f"pi has no {name!r}{near.hint(name, list(cls.__dataclass_fields__))}",
            )
        return cls(**named)

    def _prchk(self, fmt: Format, opcode: int) -> int:
        if isinstance(self.prchk, str):
            return checks_named(self.prchk)
        if self.prchk is not None:
            return _field(self.prchk, 3, "prchk")
        if opcode in (_WRITE_ZEROES, _COPY):
            return 0
        return fmt.checks | (APP if self.app_tag is not None else 0)

    def dwords(self, fmt: Format, opcode: int, lba: int) -> tuple[int, int, int, int, int]:
        """Dwords 12 (its bits for protection information), 2, 3, 14 and 15 of a command."""
        pract = opcode in (_WRITE_ZEROES, _COPY) if self.pract is None else bool(self.pract)
        prinfo = (PRACT if pract else 0) | self._prchk(fmt, opcode)
        mask = (1 << fmt.reference) - 1
        first = 0 if fmt.type == 3 else lba & mask
        ref = first if self.ref_tag is None else _field(self.ref_tag, fmt.reference, "pi: ref_tag")
        storage = 0 if self.storage_tag is None else _field(self.storage_tag, fmt.storage, "pi: storage_tag")
        app = 0 if self.app_tag is None else _field(self.app_tag, 16, "pi: app_tag")
        all_of_it = 0xFFFF if self.app_tag is not None else 0
        app_mask = all_of_it if self.app_mask is None else _field(self.app_mask, 16, "pi: app_mask")
        space = storage << fmt.reference | ref
        stc = self.storage_tag is not None
        cdw12 = prinfo << 26 | (stc << 25 if opcode == _COPY else stc << 24)
        if opcode == _COPY:
            cdw12 |= (prinfo & PRACT) << 12
        if opcode == _ZONE_APPEND:
            cdw12 |= bool(fmt.type != 3 if self.remap is None else self.remap) << 25
        return cdw12, space >> 64, space >> 32 & 0xFFFFFFFF, space & 0xFFFFFFFF, app_mask << 16 | app

    def tuple_of(self, fmt: Format, lba: int, index: int = 0) -> Tuple:
        """The tags of LBA number `index` of a command from `lba` on, with a guard of 0."""
        first = (0 if fmt.type == 3 else lba) if self.ref_tag is None else self.ref_tag
        ref = (first + (0 if fmt.type == 3 else index)) & ((1 << fmt.reference) - 1)
        return Tuple(0, self.app_tag or 0, self.storage_tag or 0, ref)


def checks_named(text: str) -> int:
    """PRCHK from names, such as "GUARD,REFTAG"."""
    checks = 0
    for name in filter(None, (part.strip().upper() for part in text.split(","))):
        _check(
            name in _CHECKS, f"prchk names GUARD, APPTAG and REFTAG, not {name!r}{near.hint(name, _CHECKS)}"
        )
        checks |= _CHECKS[name]
    return checks


def guard(data: Any, bits: int = 16) -> int:
    """The guard of these bytes (NVM 5.2.1).

    Args:
        data: bytes, or anything that has them, such as a Buffer
        bits: 16 (CRC-16 of T10 DIF), 32 (CRC-32C) or 64 (CRC-64 of NVMe)

    Example:
        >>> f"{guard(b'123456789'):04x}"
        'd0db'
    """
    _check(bits in _SPACE, f"bits must be 16, 32 or 64, not {bits}")
    return int(nvme._guard(bytes(data), bits))  # type: ignore[attr-defined]


def _format(of: Any) -> Format:
    """A Format, or that of a Namespace."""
    if isinstance(of, Format):
        return of
    found: Format | None = of.protection
    _check(found is not None, f"namespace {of.nsid} has no protection information (DPS bits 2:0 are 0)")
    assert found is not None
    return found


class _Place(NamedTuple):
    """Where data and metadata of an LBA lie."""

    data: slice
    metadata: slice


def _place(fmt: Format, buf: Any, meta: Any, index: int) -> _Place:
    if fmt.extended:
        _check(meta is None, "meta must be None: the metadata follow the data of each LBA in buf")
        start = index * (fmt.data + fmt.metadata)
        past = start + fmt.data + fmt.metadata
        _check(past <= len(buf), f"LBA number {index} does not fit into buf, which has {len(buf)} bytes")
        return _Place(slice(start, start + fmt.data), slice(start + fmt.data, past))
    _check(meta is not None, "meta must be the Buffer that has the metadata")
    start, data = index * fmt.metadata, index * fmt.data
    _check(data + fmt.data <= len(buf), f"LBA number {index} does not fit into buf of {len(buf)} bytes")
    _check(
        start + fmt.metadata <= len(meta), f"LBA number {index} does not fit into meta of {len(meta)} bytes"
    )
    return _Place(slice(data, data + fmt.data), slice(start, start + fmt.metadata))


def protect(
    of: Any, buf: Buffer, lba: int, lba_count: int = 1, meta: Buffer | None = None, pi: Any = None
) -> None:
    """Put the protection information of LBAs into their metadata.

    Args:
        of: the Namespace, or a Format
        buf: the data, and the metadata behind those of each LBA if the format is extended
        lba: the first LBA
        lba_count: how many
        meta: the metadata, if they are in a buffer of their own
        pi: the tags, a `Pi` or a dict, by default those of type 1 with the application tag 0

    write() stamps its data, which changes their guards, and puts its tuples there itself. This function is
    for send_cmd(), which sends what is in the buffers.
    """
    fmt, wanted = _format(of), Pi.of(pi) or Pi()
    for index in range(lba_count):
        data, metadata = _place(fmt, buf, meta, index)
        where = buf if fmt.extended else meta
        assert where is not None
        before = bytes(where[metadata])
        sums = guard(bytes(buf[data]) + before[: fmt.place], fmt.guard)
        raw = wanted.tuple_of(fmt, lba, index)._replace(guard=sums).pack(fmt)
        where[metadata] = before[: fmt.place] + raw + before[fmt.place + fmt.size :]


def check(
    of: Any, buf: Buffer, lba: int, lba_count: int = 1, meta: Buffer | None = None, pi: Any = None
) -> list[Fault]:
    """Check the protection information of LBAs as a drive does (NVM 5.2.2).

    Args:
        of, buf, lba, lba_count, meta: as of `protect()`
        pi: what is checked, a `Pi` or a dict. By default guards, and in types 1 and 2 reference tags

    Returns:
        the faults, at most one of each field of an LBA. A tuple that escapes the checks has none
    """
    fmt, wanted = _format(of), Pi.of(pi) or Pi()
    checks = wanted._prchk(fmt, 0)
    mask = 0xFFFF if wanted.app_mask is None else wanted.app_mask
    faults: list[Fault] = []
    for index in range(lba_count):
        data, metadata = _place(fmt, buf, meta, index)
        where = buf if fmt.extended else meta
        assert where is not None
        raw = bytes(where[metadata])
        found = Tuple.parse(fmt, raw[fmt.place : fmt.place + fmt.size])
        right = wanted.tuple_of(fmt, lba, index)
        if found.escapes(fmt):
            continue
        sums = guard(bytes(buf[data]) + raw[: fmt.place], fmt.guard)
        at = lba + index
        if checks & GUARD and found.guard != sums:
            faults.append(Fault(at, "guard", found.guard, sums, fmt.guard // 4))
        if checks & APP and (found.app_tag ^ right.app_tag) & mask:
            faults.append(Fault(at, "application tag", found.app_tag, right.app_tag, 4))
        if wanted.storage_tag is not None and found.storage_tag != right.storage_tag:
            faults.append(
                Fault(at, "storage tag", found.storage_tag, right.storage_tag, (fmt.storage + 3) // 4)
            )
        if checks & REF and found.ref_tag != right.ref_tag:
            faults.append(Fault(at, "reference tag", found.ref_tag, right.ref_tag, (fmt.reference + 3) // 4))
    return faults


def explain(faults: Iterable[Fault]) -> str:
    """What `check()` has found, a line for each fault, or that all is right."""
    return "\n".join(str(fault) for fault in faults) or "the protection information is right"
