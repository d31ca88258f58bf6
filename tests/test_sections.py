# SPDX-License-Identifier: BSD-3-Clause
"""Sections of the specification that the virtual SSD names when it refuses a command are those of the book.

`VSSD_OWN` is the section of the command, from spec/commands.py. Other sections are typed where the command is
refused. This test finds out which command, log page or feature a function belongs to, by the tables that name
handlers and by the calls between functions, and compares what the function types with what spec/ says.
"""

from __future__ import annotations

import re
from pathlib import Path

from spec import commands, features, identify, logs
from spec.schema import Command

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "vssd/cmd").glob("*.c"))

FUNCTION = re.compile(
    r"^(?:static )?(?:inline )?\w+ \**(\w+)\([^;{]*\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
ENTRY = re.compile(r"\[NVME_(ADMIN|IO|LOG|FEAT)_(\w+)\] = \{(.*?)\}", re.DOTALL)
MACRO = re.compile(r"^#define (\w+) (VSSD_(?:BASE|BASE_2_3|NVM)\(\"[^\"]+\"\))", re.MULTILINE)
SECTION = re.compile(r"VSSD_(BASE|BASE_2_3|NVM)\(\"([\d.]+)\"\)")

PREFIX = {"BASE": "", "BASE_2_3": "Base 2.3 ", "NVM": "NVM "}

Function = tuple[str, str]  # its file, and its name

#: It refuses the command that Abort has named, whose own section says nothing of it.
OF_ANOTHER_COMMAND = ("abort.c", "complete_aborted")


def functions(text: str) -> dict[str, str]:
    """The bodies of a file's functions, with its macros for sections expanded."""
    for name, value in MACRO.findall(text):
        text = re.sub(rf"\b{name}\b", value, text)
    return dict(FUNCTION.findall(text))


TEXTS = {path.name: path.read_text() for path in SOURCES}
BODIES = {(name, one): body for name, text in TEXTS.items() for one, body in functions(text).items()}
HOME = {one: (file, one) for file, one in BODIES if one.startswith("vssd_")}


def named(file: str, text: str) -> set[Function]:
    """The functions that a piece of a file names."""
    words = set(re.findall(r"\w+", text))
    own = {(file, word) for word in words if (file, word) in BODIES}
    return own | {HOME[word] for word in words if word in HOME}


def reached(first: set[Function]) -> set[Function]:
    found: set[Function] = set()
    ahead = list(first)
    while ahead:
        at = ahead.pop()
        if at not in found:
            found.add(at)
            ahead += named(at[0], BODIES[at])
    return found


def entries() -> dict[tuple[str, str], set[Function]]:
    """The functions that each command, log page and feature reaches."""
    return {
        (kind, name): reached(named(file, body))
        for file, text in TEXTS.items()
        for kind, name, body in ENTRY.findall(text)
    }


def users() -> dict[Function, set[tuple[str, str]]]:
    """The commands, log pages and features that reach each function."""
    found: dict[Function, set[tuple[str, str]]] = {function: set() for function in BODIES}
    for entry, all_of_it in entries().items():
        for function in all_of_it:
            found[function].add(entry)
    return found


def typed(body: str) -> set[str]:
    return {PREFIX[of] + number for of, number in SECTION.findall(body)}


def feature_sections(name: str) -> set[str]:
    fid = next(
        value.number for value in features.FID.values if features.FID.c_name(value).endswith(f"FEAT_{name}")
    )
    feature = features.FEATURES.rows[fid]
    return {part.section for part in (feature.word, feature.data) if part}


def log_sections(name: str) -> set[str]:
    lid = next(value.number for value in logs.LID.values if logs.LID.c_name(value) == f"NVME_LOG_{name}")
    return {logs.RETURNED.rows[lid].section}


def command_sections(name: str, of: tuple[Command, ...]) -> set[str]:
    section = next(command.section for command in of if command.c == name)
    return {section.removeprefix("Base ")}


def in_the_book(kind: str, name: str) -> set[str]:
    if kind == "FEAT":
        return feature_sections(name)
    if kind == "LOG":
        return log_sections(name)
    return command_sections(name, commands.ADMIN if kind == "ADMIN" else commands.NVM + commands.ZNS)


def of_one_kind(kind: str) -> dict[Function, set[tuple[str, str]]]:
    """The functions that type a section and belong to entries of this kind alone."""
    return {
        function: entries_of_it
        for function, entries_of_it in users().items()
        if typed(BODIES[function]) and {entry[0] for entry in entries_of_it} == {kind}
    }


def test_sections_of_features_are_those_of_the_book() -> None:
    found = of_one_kind("FEAT")
    assert len(found) >= 9, "the functions were not found"
    for function, entries_of_it in found.items():
        known = set().union(*(in_the_book(*entry) for entry in entries_of_it))
        assert typed(BODIES[function]) <= known, f"{function} belongs to {entries_of_it}"


def test_sections_of_log_pages_are_those_of_the_book() -> None:
    found = of_one_kind("LOG")
    assert found, "the functions were not found"
    for function, entries_of_it in found.items():
        known = set().union(*(in_the_book(*entry) for entry in entries_of_it))
        assert typed(BODIES[function]) <= known, f"{function} belongs to {entries_of_it}"


def test_the_section_of_the_command_itself_is_not_typed() -> None:
    for kind in ("ADMIN", "IO"):
        for function, entries_of_it in of_one_kind(kind).items():
            if len(entries_of_it) == 1 and function != OF_ANOTHER_COMMAND:
                own = in_the_book(*next(iter(entries_of_it)))
                assert not typed(BODIES[function]) & own, f"{function} should say VSSD_OWN"


def test_sections_of_chapter_5_are_known_to_the_book() -> None:
    """Chapter 5 of Base 2.1 has the commands, the structures of Identify, the log pages and the features."""
    known = {command.section.removeprefix("Base ") for command in commands.COMMANDS}
    for module in (identify, logs, features):
        known |= {getattr(entry, "section", "") for entry in vars(module).values()}
    sections = {section for body in BODIES.values() for section in typed(body) if section.startswith("5.")}
    assert len(sections) >= 12 and sections <= known
