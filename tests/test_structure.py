# SPDX-License-Identifier: BSD-3-Clause
"""Files call each other in one direction, structures have few members, and headers are short."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OBJECTS = ROOT / "build/release/obj"
MOST_MEMBERS = 25
LONGEST_HEADER = 300


# -- circles of files, by the symbols that their objects define and use --


def symbols(paths: list[Path], which: str) -> dict[Path, list[str]]:
    """The names that object files define for others, or want of them."""
    command = ["nm", "-A", which, "--extern-only", "--format=posix", *map(str, paths)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[Path, list[str]] = {path: [] for path in paths}
    for line in done.stdout.splitlines():
        path, _, rest = line.partition(": ")
        found[Path(path)].append(rest.split()[0])
    return found


def objects(folder: str) -> dict[str, Path]:
    """The object files of the sources of a folder, by the source's path."""
    sources = [path.relative_to(ROOT) for path in sorted((ROOT / folder).rglob("*.c"))]
    return {str(path): OBJECTS / path.with_suffix(".o") for path in sources}


def calls(found: dict[str, Path]) -> dict[str, set[str]]:
    """Which other sources each one uses a symbol of."""
    defined = symbols(list(found.values()), "--defined-only")
    wanted = symbols(list(found.values()), "--undefined-only")
    home = {symbol: source for source, path in found.items() for symbol in defined[path]}
    return {
        source: {home[symbol] for symbol in wanted[path] if symbol in home} - {source}
        for source, path in found.items()
    }


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Sets of nodes of which each leads to each other one."""
    reached: dict[str, set[str]] = {}
    for node in graph:
        seen: set[str] = set()
        ahead = list(graph[node])
        while ahead:
            at = ahead.pop()
            if at not in seen:
                seen.add(at)
                ahead += graph[at]
        reached[node] = seen
    found = {frozenset(other for other in reached[node] if node in reached[other]) for node in graph}
    return [set(circle) for circle in found if len(circle) > 1]


@pytest.mark.parametrize("folder", ["core", "vssd"])
def test_no_file_uses_itself_by_way_of_others(folder: str) -> None:
    found = objects(folder)
    assert len(found) > 20, "the sources were not found"
    if not all(path.exists() for path in found.values()):
        pytest.skip("no object files here: this checkout was not built")
    assert circles(calls(found)) == []


def test_a_circle_is_found_also_a_long_one() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [{"a", "b", "c"}]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


# -- structures and headers --

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRUCT = re.compile(r"\b(?:struct|union)\s*(\w*)\s*\{")
GENERATED = re.compile(r"^ \* Generated from spec/\w+\.py", re.MULTILINE)


def body(text: str, start: int) -> str:
    """What stands between the brace before start and the one that closes it."""
    depth, at = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[start : at - 1]


def members(block: str) -> int:
    """The members of a structure; one that has no name of its own counts as one."""
    flat = block
    while "{" in flat:
        flat = re.sub(r"\{[^{}]*\}", "", flat)
    while "(" in flat:
        flat = re.sub(r"\([^()]*\)", "", flat)
    return sum(1 + line.count(",") for line in flat.split(";") if line.strip())


def structs(path: Path) -> Iterator[tuple[str, int]]:
    text = COMMENT.sub("", path.read_text())
    for found in STRUCT.finditer(text):
        yield f"{path.relative_to(ROOT)}: {found[1]}", members(body(text, found.end()))


def c_files(pattern: str) -> list[Path]:
    return sorted(path for folder in ("core", "vssd") for path in (ROOT / folder).rglob(pattern))


def test_no_structure_has_too_many_members() -> None:
    paths = c_files("*.[ch]")
    assert len(paths) > 100, "the sources were not found"
    large = {name for path in paths for name, count in structs(path) if count > MOST_MEMBERS}
    assert large == set()


def test_members_are_counted_as_the_compiler_does() -> None:
    assert (
        members("int a; char b[4], *c; void (*d)(int x, int y); struct { int e, f; } g; union { int h; };")
        == 6
    )


def test_no_header_that_people_edit_is_too_long() -> None:
    paths = [*c_files("*.h"), *sorted((ROOT / "spec").glob("*.h")), ROOT / "driver.h"]
    long = {
        str(path.relative_to(ROOT))
        for path in paths
        if len((text := path.read_text()).splitlines()) > LONGEST_HEADER and not GENERATED.search(text[:600])
    }
    assert long == set()
