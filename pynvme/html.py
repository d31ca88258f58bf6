# SPDX-License-Identifier: BSD-3-Clause
"""Structures as tables of HTML, for notebooks and reports."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from pynvme.structure import Array, Structure, Word, shown_value

STYLE = "text-align:left;font-family:monospace;padding:0 1em 0 0;vertical-align:top"


def table(structure: Structure) -> str:
    """A structure as a table: name, value with unit, meaning. Structures in it are folded."""
    title = escape(f"{structure.TEXT or type(structure).__name__}, {len(structure)} bytes")
    return f"<table><caption style='{STYLE}'>{title}</caption>{''.join(_rows(structure))}</table>"


def _rows(structure: Structure) -> Iterator[str]:
    for name, field in structure.FIELDS.items():
        value = getattr(structure, name)
        yield (
            f"<tr><th style='{STYLE}'>{escape(name)}</th><td style='{STYLE}'>{_cell(value, field)}</td>"
            f"<td style='{STYLE}'>{escape(field.text)}</td></tr>"
        )


def _cell(value: Any, field: Any) -> str:
    if isinstance(value, Structure):
        return f"<details><summary>{escape(type(value).__name__)}</summary>{table(value)}</details>"
    if isinstance(value, Array) and any(isinstance(element, Structure) for element in value[:1]):
        used = [(index, element) for index, element in enumerate(value) if any(bytes(element))]
        inner = "".join(f"<div>[{index}]{table(element)}</div>" for index, element in used)
        return f"<details><summary>{len(used)} of {len(value)} not zero</summary>{inner}</details>"
    if isinstance(value, Word) and value.BITS:
        bits = "<br>".join(escape(f"{name} = {shown_value(bit)}") for name, bit in dict(value).items())
        return f"<details><summary>{escape(repr(value))}</summary>{bits}</details>"
    return escape(shown_value(value, field.unit, field.hex))
