# SPDX-License-Identifier: BSD-3-Clause
"""Protection information in Python, for tests of the virtual SSD that share no code with it. NVM 1.1, 5.3."""

from __future__ import annotations

from typing import Callable, NamedTuple

from metadata_helpers import FORMATS, Drive

GUARD, APP, REF, PRACT, STC = 1 << 28, 1 << 27, 1 << 26, 1 << 29, 1 << 24
ALL = GUARD | APP | REF
FIRST = 1 << 8  # PIL of Format NVM


def _table(polynomial: int, bits: int, reflected: bool) -> list[int]:
    table = []
    for byte in range(256):
        crc = byte if reflected else byte << (bits - 8)
        for _ in range(8):
            if reflected:
                crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
            else:
                crc = (crc << 1 ^ (polynomial if crc >> (bits - 1) else 0)) & (1 << bits) - 1
        table.append(crc)
    return table


_T10, _CASTAGNOLI, _NVME = (
    _table(0x8BB7, 16, False),
    _table(0x82F63B78, 32, True),
    _table(0x9A6C9329AC4BC9B5, 64, True),
)


def crc16(data: bytes) -> int:
    """The CRC of T10 DIF."""
    crc = 0
    for byte in data:
        crc = crc << 8 & 0xFFFF ^ _T10[crc >> 8 ^ byte]
    return crc


def _reflected(table: list[int], bits: int, data: bytes) -> int:
    crc = (1 << bits) - 1
    for byte in data:
        crc = crc >> 8 ^ table[crc & 0xFF ^ byte]
    return crc ^ (1 << bits) - 1


def crc32(data: bytes) -> int:
    return _reflected(_CASTAGNOLI, 32, data)


def crc64(data: bytes) -> int:
    return _reflected(_NVME, 64, data)


class Kind(NamedTuple):
    """A format of protection information: its guard, and the bytes of the storage and reference space."""

    guard: int
    space: int
    crc: Callable[[bytes], int]

    @property
    def size(self) -> int:
        return self.guard + 2 + self.space


G16, G32, G64 = Kind(2, 4, crc16), Kind(4, 10, crc32), Kind(8, 6, crc64)
KINDS = [G16] * 8 + [G32, G32, G64, G64] * 2  # by LBA format


class Protected(Drive):
    """A host whose namespace 1 has protection information."""

    storage_bits = 0

    def protect(self, lbaf: int, type: int, extended: bool = False, first: bool = False) -> None:
        """Format namespace 1."""
        self.format(lbaf, extended, type << 5 | (FIRST if first else 0))
        self.type, self.first, self.kind = type, first, KINDS[lbaf]
        self.reference_bits = self.kind.space * 8 - self.storage_bits

    def place(self) -> int:
        """Where the protection information is in the metadata."""
        return 0 if self.first else self.ms - self.kind.size

    def information(
        self,
        data: bytes,
        metadata: bytes,
        reference: int,
        app: int = 0xA55A,
        storage: int = 0,
        guard: int | None = None,
    ) -> bytes:
        """The metadata of an LBA with the protection information that belongs to it."""
        at = self.place()
        space = storage << self.reference_bits | reference & (1 << self.reference_bits) - 1
        value = self.kind.crc(data + metadata[:at]) if guard is None else guard
        information = (
            value.to_bytes(self.kind.guard, "big")
            + app.to_bytes(2, "big")
            + space.to_bytes(self.kind.space, "big")
        )
        return metadata[:at] + information + metadata[at + len(information) :]

    def protected(
        self, lba: int, count: int, seed: int, app: int = 0xA55A, storage: int = 0
    ) -> tuple[list[bytes], list[bytes]]:
        """Data and metadata of LBAs, with a reference tag that is the LBA."""
        data, metadata = self.some(count, seed)
        step = 0 if self.type == 3 else 1
        return data, [
            self.information(a, b, lba + i * step, app, storage)
            for i, (a, b) in enumerate(zip(data, metadata))
        ]

    def tags(self, reference: int, app: int = 0xA55A, mask: int = 0xFFFF, storage: int = 0) -> dict[str, int]:
        """Dwords 2, 3, 14 and 15 of a command."""
        space = storage << self.reference_bits | reference & (1 << self.reference_bits) - 1
        return {
            "cdw2": space >> 64,
            "cdw3": space >> 32 & 0xFFFFFFFF,
            "cdw14": space & 0xFFFFFFFF,
            "cdw15": mask << 16 | app,
        }

    def checks(self) -> int:
        """All checks that the type has."""
        return GUARD | APP | (REF if self.type != 3 else 0)

    def alone(self) -> bool:
        """Whether the metadata are nothing but protection information."""
        return self.ms == self.kind.size


SHAPES = [
    (lbaf, type, extended, first)
    for lbaf in range(2, 16)
    for type in (1, 2, 3)
    for extended in (False, True)
    for first in (False, True)
    if KINDS[lbaf].size <= FORMATS[lbaf][1]
]
