# SPDX-License-Identifier: BSD-3-Clause
"""Finds reserved bytes and bits of a structure that are not zero."""

from __future__ import annotations

from pynvme.structure import Elements, Field, Rest, Structure, Word


def in_use(structure: Structure) -> list[str]:
    """The reserved bytes, and the reserved bits of fields, that are not zero, each with its place."""
    data = bytes(structure)
    covered = bytearray(len(data))
    found = []
    for name, field in _fields(type(structure)).items():
        if isinstance(field, Rest):
            end = len(data)
        elif isinstance(field, Elements):
            end = field.offset + field.item.size * (field.count or 0)
            for index, value in enumerate(getattr(structure, name)):
                found += _element(f"{name}[{index}]", value)
        else:
            end = field.offset + field.item.size
            found += _bits(name, getattr(structure, name))
        covered[field.offset : end] = b"\1" * (end - field.offset)
    found += [f"byte {at} is {byte:#x}" for at, byte in enumerate(data) if byte and not covered[at]]
    return found


def _element(name: str, value: object) -> list[str]:
    """The reserved bytes and bits of an element that are set, each with the place of the element."""
    if isinstance(value, Structure):
        return [f"{name}: {text}" for text in in_use(value)]
    return _bits(name, value)


def _fields(kind: type[Structure]) -> dict[str, Field[object] | Elements[object] | Rest]:
    """The fields of a structure, by name."""
    return {
        name: field
        for owner in reversed(kind.__mro__)
        for name, field in vars(owner).items()
        if isinstance(field, (Field, Elements, Rest))
    }


def _bits(name: str, value: object) -> list[str]:
    """The reserved bits of a word that are set."""
    if not isinstance(value, Word):
        return []
    known = 0
    for bit in type(value).BITS.values():
        known |= bit.mask << bit.low
    rest = int(value) & ~known
    return [f"{name.upper()} has {rest:#x}"] if known and rest else []


def in_use_of_word(value: Word) -> str:
    """The reserved bits of a register that are set, or nothing."""
    return ", ".join(_bits(type(value).__name__, value))
