# SPDX-License-Identifier: BSD-3-Clause
"""Structures as tables of HTML, for notebooks and reports."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from pynvme.structure import Array, Structure, Word, shown_value

STYLE = "text-align:left;font-family:monospace;padding:0 1em 0 0;vertical-align:top"


def table(structure: Structure) -> str:
    """A structure as a table: name, value with unit, meaning. Structures in it are folded."""
    title = f"{structure.TEXT or type(structure).__name__}, {len(structure)} bytes"
    values = ((name, getattr(structure, name), field) for name, field in structure.FIELDS.items())
    return _table(title, ((name, _cell(value, field), escape(field.text)) for name, value, field in values))


def words(title: str, rows: Iterable[tuple[str, str, Any, Structure | None]]) -> str:
    """Registers or features as a table: number, name, word, data. Bits of words, and data, are folded."""
    return _table(
        title,
        (
            (number, escape(name), _cell(word) + (_cell(data) if data is not None else ""))
            for number, name, word, data in rows
        ),
    )


def _table(title: str, rows: Iterable[tuple[str, ...]]) -> str:
    """``rows``: a text, and cells of HTML."""
    lines = (
        f"<tr><th style='{STYLE}'>{escape(name)}</th>"
        + "".join(f"<td style='{STYLE}'>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    return f"<table><caption style='{STYLE}'>{escape(title)}</caption>{''.join(lines)}</table>"


def _cell(value: Any, field: Any = None) -> str:
    if isinstance(value, Structure):
        return f"<details><summary>{escape(type(value).__name__)}</summary>{table(value)}</details>"
    if isinstance(value, Array) and any(isinstance(element, Structure) for element in value[:1]):
        used = [(index, element) for index, element in enumerate(value) if any(bytes(element))]
        inner = "".join(f"<div>[{index}]{table(element)}</div>" for index, element in used)
        return f"<details><summary>{len(used)} of {len(value)} not zero</summary>{inner}</details>"
    if isinstance(value, Word) and value.BITS:
        bits = "<br>".join(escape(f"{name} = {shown_value(bit)}") for name, bit in dict(value).items())
        return f"<details><summary>{escape(repr(value))}</summary>{bits}</details>"
    return escape(repr(value) if field is None else shown_value(value, field.unit, field.hex))
