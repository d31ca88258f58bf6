# SPDX-License-Identifier: BSD-3-Clause
"""Generates a Python class from an enumeration."""

from __future__ import annotations

from spec.schema import Enum, Value


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
