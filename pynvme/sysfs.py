# SPDX-License-Identifier: BSD-3-Clause
"""Reads files of the kernel, which may vanish at any moment."""

from __future__ import annotations

from pathlib import Path


def text(path: Path) -> str:
    """The text of a file without its line end, or "" if it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
