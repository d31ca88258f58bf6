# SPDX-License-Identifier: BSD-3-Clause
"""docs/api-coverage.md names a test for each entry of the public interface, and all of them exist."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from spec.commands import ADMIN

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "api-coverage.md"
# Methods made from their entries in spec/commands.py have no row: a test of their dwords covers them.
MADE = {command.method for command in ADMIN if command.method}
GOLDEN = ROOT / "tests/driver/test_golden_admin.py"
C_TEST = re.compile(r"^\w*TEST\w*\((\w+)", re.MULTILINE)


@functools.cache
def rows() -> list[tuple[str, str, str]]:
    """Entry, parameter and test of each line of the table."""
    found = []
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0] != "entry" and not set(cells[0]) <= {"-", ":"}:
            found.append((cells[0], cells[1], cells[2]))
    return found


@functools.cache
def told(row: tuple[str, str, str]) -> set[str]:
    """The words of a row; ``cdw10 … cdw15`` stands for all of them."""
    words = set(re.findall(r"\w+", row[0] + " " + row[1]))
    for stem, first, last in re.findall(r"`([a-z]+)(\d+)` … `\1(\d+)`", row[1]):
        words |= {f"{stem}{number}" for number in range(int(first), int(last) + 1)}
    return words


@functools.cache
def names_of_tests(path: Path) -> set[str]:
    """Names of the tests in a file, of Python or C."""
    text = path.read_text()
    if path.suffix != ".py":
        return set(C_TEST.findall(text))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, functions)}


def public_names() -> list[tuple[str, str]]:
    """Class and member of everything public in the stub; no class for what the module itself has."""
    names = []
    for node in ast.parse((ROOT / "nvme.pyi").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names.append(("", node.name))
        if isinstance(node, ast.ClassDef):
            members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)} - MADE
            names += [(node.name, name) for name in sorted(members) if not name.startswith("_")]
    return names


def setter(function: ast.FunctionDef) -> bool:
    return any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in function.decorator_list)


def parameters() -> list[tuple[str, str, str]]:
    """Class, method and parameter of everything public in the stub."""
    found = []
    for node in ast.parse((ROOT / "nvme.pyi").read_text()).body:
        for item in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(item, ast.FunctionDef) and not item.name.startswith("_") and item.name not in MADE:
                arguments = [*item.args.args, *item.args.kwonlyargs]
                names = {argument.arg for argument in arguments[1:]} - ({"value"} if setter(item) else {"cb"})
                found += [(node.name, item.name, name) for name in names]
    return sorted(set(found))


def test_the_table_is_read():
    assert len(rows()) > 200


@pytest.mark.parametrize("entry, parameter, test", rows())
def test_the_test_of_a_row_is_there(entry, parameter, test):
    named = re.findall(r"`(tests/[^`]+)`", test)
    assert named, f"{entry} | {parameter} names no test"
    for name in named:
        path, _, function = name.partition("::")
        assert (ROOT / path).is_file(), f"{path} does not exist"
        assert not function or function.split("[")[0] in names_of_tests(ROOT / path), f"{name} does not exist"


@pytest.mark.parametrize("kind, name", public_names())
def test_each_public_name_has_a_row(kind, name):
    assert any(name in told(row) for row in rows()), f"{kind}.{name}"


def test_each_parameter_has_a_row():
    """A row of its method names it, or says `all`; one row stands for the cb of every command."""
    missing = []
    for kind, method, parameter in parameters():
        of_method = [told(row) for row in rows() if method in told(row)]
        if not any(parameter in row or "all" in row for row in of_method):
            missing.append(f"{kind}.{method}({parameter})")
    assert not missing, f"{len(missing)} have none: " + ", ".join(missing)


@pytest.mark.parametrize("command", [command for command in ADMIN if command.method], ids=lambda c: c.method)
def test_the_dwords_of_a_method_that_is_made_from_its_entry_are_tested(command):
    text = GOLDEN.read_text()
    assert f'"{command.method}": (' in text
    assert len(command.fields) < 2 or f'"{command.method}, all fields": (' in text
