# SPDX-License-Identifier: BSD-3-Clause
"""Generates a Python class from an enumeration, and a dict of the specification's names of its values."""

from __future__ import annotations

from spec.schema import Enum, Names, Value


def docstring(enum: Enum) -> str:
    section = f" Section {enum.section}." if enum.section else ""
    text = enum.text or f"Values of {enum.c}."
    return f"{text.rstrip('.')}.{section}"


def line(enum: Enum, value: Value) -> list[str]:
    number = f"0x{value.number:0{enum.digits}X}" if enum.digits else str(value.number)
    note = f"  # {value.text}" if value.text else ""
    return [f"    {value.name.upper()} = {number}{note}"]


def render(enum: Enum) -> list[str]:
    return [
        "",
        "",
        f"class {enum.name}(IntEnum):",
        f'    """{docstring(enum)}"""',
        "",
        *(text for value in enum.values for text in line(enum, value)),
    ]


ACRONYMS = {"ANA", "CMB", "FDP", "I/O", "ID", "IO", "LBA", "NVM", "SGL", "ZRWA"}
SMALL = {"as", "by", "for", "in", "of", "or", "the", "to"}


def title(names: Names, value: Value) -> str:
    """A name as the specification writes it, such as ``LBA Out of Range``."""
    known = names.titles.get(value.number)
    if known:
        return known
    words = (value.label or value.name.replace("_", " ")).split()
    written = [word if word in ACRONYMS else word.capitalize() for word in words]
    small = [word.lower() if word.lower() in SMALL else word for word in written[1:]]
    return " ".join([written[0], *small])


def render_names(names: Names) -> list[str]:
    return [
        "",
        "",
        f"{names.name}: dict[int, str] = {{",
        *(
            f'    0x{value.number:0{names.enum.digits}X}: "{title(names, value)}",'
            for value in names.enum.values
        ),
        "}",
        f'"""{names.text}"""',
        "",
        f"{names.texts}: dict[int, str] = {{",
        *(
            f'    0x{value.number:0{names.enum.digits}X}: "{value.text}",'
            for value in names.enum.values
            if value.text
        ),
        "}",
        '"""What they mean, if the name does not say it."""',
    ]
