# SPDX-License-Identifier: BSD-3-Clause
"""The parts that pages of reports consist of. Arguments are HTML unless they are said to be text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent


def document(title: str, body: str, style: str = "") -> str:
    """A whole page that loads nothing. The title is text, and style is CSS beside that of all pages."""
    common = (FOLDER / "page.css").read_text(encoding="utf-8")
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{common}{style}</style></head>\n"
        f"<body>{body}<script>{script}</script></body></html>\n"
    )


def fact_table(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names, which are text, and values. Pairs without a value are left out."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{value}</td></tr>" for name, value in pairs if value)
    return f'<table class="facts">{rows}</table>' if rows else ""


def fold(summary: str, body: str, opened: bool = False, kind: str = "") -> str:
    """Something that a click on its summary shows or hides."""
    if not body:
        return ""
    shown = (f' class="{kind}"' if kind else "") + (" open" if opened else "")
    return f"<details{shown}><summary>{summary}</summary>{body}</details>"


def pre(text: str) -> str:
    """A text with its line breaks."""
    return f"<pre>{escape(text)}</pre>" if text else ""


def scroll(table: str) -> str:
    """A table that scrolls by itself on a narrow screen."""
    return f'<div class="scroll">{table}</div>' if table else ""


def listed(lines: Iterable[str], kind: str = "ul", style: str = "") -> str:
    """A list, with bullets ("ul") or numbers ("ol")."""
    items = "".join(f"<li>{line}</li>" for line in lines)
    shown = f' class="{style}"' if style else ""
    return f"<{kind}{shown}>{items}</{kind}>" if items else ""


def duration(seconds: float) -> str:
    """A duration in the unit that people would use, as text."""
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"
