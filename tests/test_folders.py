# SPDX-License-Identifier: BSD-3-Clause
"""Folders of tests can be named together in one command, in any order.

pytest imports modules beside a test by their bare names. If two folders have a module of the same name, the
second import returns the first module; several folders have a `conftest`.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The names of the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_nothing_is_imported_from_a_conftest() -> None:
    assert len(FILES) > 100
    assert [str(path) for path in FILES if "conftest" in imported(path)] == []


def test_no_two_modules_have_one_name() -> None:
    """Except those that are collected in a guest only, which is given one folder at a time."""
    here = [path for path in FILES if path.parent.name not in ("qemu", "linux")]
    names = Counter(path.name for path in here if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_hides_one_that_is_installed() -> None:
    """A `client.py` beside a test shadows all others of that name."""
    import sys

    names = {path.stem for path in FILES}
    assert sorted(names & {*sys.stdlib_module_names, "nvme", "pynvme", "tools"}) == []
