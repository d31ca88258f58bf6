# SPDX-License-Identifier: BSD-3-Clause
"""Decodes the configuration space of a function: its header and its capabilities. `Pcie.caps` gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pynvme import spec
from pynvme.structure import Structure

HEADER, CONFIG, EXTENDED = 64, 256, 4096
"""Where the capabilities begin, where the extended ones begin, and the end, in bytes."""


class Capabilities:
    """The capabilities of a function, by their names. `Pcie.caps` has the documentation."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._bytes = read(0, CONFIG)
        try:
            self._bytes += read(CONFIG, EXTENDED - CONFIG)
        except OSError:  # the kernel gives the first 256 bytes only
            self._bytes = self._bytes.ljust(EXTENDED, b"\0")
        self.header = spec.PciHeader(self._bytes)
        """The header of configuration space, `PciHeader`."""
        self._found = [*self._walk(), *self._walk_extended()]
        """(name, offset, structure) of each capability."""

    def _walk(self) -> Iterator[tuple[str, int, Structure]]:
        offset = self.header.cap & 0xFC if self.header.sts.cl else 0
        seen = set()
        while offset >= HEADER and offset not in seen:
            seen.add(offset)
            kind = self._kind(offset)
            found = (
                kind(self._bytes, offset)
                if offset + kind.SIZE <= CONFIG
                else spec.OtherCapability(self._bytes, offset)
            )
            number = self._bytes[offset]
            yield _name(spec.PciCapability, number), offset, found
            offset = self._bytes[offset + 1] & 0xFC

    def _kind(self, offset: int) -> type[Structure]:
        number = self._bytes[offset]
        kind = spec.PCI_CAPABILITIES.get(number, spec.OtherCapability)
        if kind is not spec.MsiCapability:
            return kind
        control = spec.MsiCapability(self._bytes, offset).mc
        if not control.c64:
            return spec.Msi32Capability
        return spec.MsiMaskCapability if control.pvm else kind

    def _walk_extended(self) -> Iterator[tuple[str, int, Structure]]:
        offset = CONFIG
        seen = set()
        while offset >= CONFIG and offset not in seen:
            seen.add(offset)
            header = spec.OtherExtendedCapability(self._bytes, offset).header
            if int(header) in (0, 0xFFFFFFFF):
                return
            kind = spec.PCI_EXTENDED_CAPABILITIES.get(header.cid, spec.OtherExtendedCapability)
            if offset + kind.SIZE > EXTENDED:
                kind = spec.OtherExtendedCapability
            yield _name(spec.PciExtendedCapability, header.cid), offset, kind(self._bytes, offset)
            offset = header.next & 0xFFC

    def offset(self, name: str) -> int:
        """The offset of a capability in configuration space, by its name. AttributeError if there is none."""
        return self._entry(name)[0]

    def _entry(self, name: str) -> tuple[int, Structure]:
        for known, offset, found in self._found:
            if known == name:
                return offset, found
        raise AttributeError(f"the function has no capability {name}: it has {', '.join(self) or 'none'}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._entry(name)[1]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __iter__(self) -> Iterator[str]:
        """The names of the capabilities, in the order in which the function lists them."""
        return iter([name for name, _, _ in self._found])

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, name: str) -> Structure:
        try:
            return self._entry(name)[1]
        except AttributeError as error:
            raise KeyError(str(error)) from None

    def to_dict(self) -> dict[str, Any]:
        """The header, and each capability by its name, as plain numbers."""
        return {"header": self.header.to_dict(), **{name: one.to_dict() for name, _, one in self._found}}

    def __repr__(self) -> str:
        parts = [f"{self.header!r}"]
        parts += [f"{offset:03X}h {name}: {found!r}" for name, offset, found in self._found]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        """The header and the capabilities as tables, for a notebook."""
        from pynvme import html

        return html.table(self.header) + "".join(html.table(found) for _, _, found in self._found)


def _name(names: Any, number: int) -> str:
    """The name of a capability. One without a name in the specification has its number."""
    try:
        return str(names(number).name).lower()
    except ValueError:
        return f"cap_{number:x}h"
