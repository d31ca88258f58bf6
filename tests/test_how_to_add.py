# SPDX-License-Identifier: BSD-3-Clause
"""docs/how-to-add.md is correct: this performs its first four recipes in a copy of the tree.

A recipe shows how something was added that is there now. It is taken out of the copy, whose build then fails
the tests that the recipe names; after the recipe they pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-to-add.md"
JOBS = len(os.sched_getaffinity(0))
NO_BYTECODE = shutil.ignore_patterns("__pycache__")
"""Interpreters that run at the same time write and rename files there."""

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"^ *- `(tests/[^`]+::[^`]+)`$", re.MULTILINE)


@dataclass
class Hunk:
    """Lines of a file before and after a recipe."""

    path: str
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Take a line of the diff."""
        if line[:1] != "+":
            self.before.append(line[1:])
        if line[:1] != "-":
            self.after.append(line[1:])

    def undo(self, root: Path) -> None:
        replace(root / self.path, self.after, self.before)

    def perform(self, root: Path) -> None:
        replace(root / self.path, self.before, self.after)


def replace(path: Path, old: list[str], new: list[str]) -> None:
    """Replace lines that must be in the file exactly once."""
    lines = path.read_text().split("\n")
    found = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
    assert len(found) == 1, f"{path.name} has these lines {len(found)} times:\n" + "\n".join(old)
    lines[found[0] : found[0] + len(old)] = new
    path.write_text("\n".join(lines))


@dataclass
class Recipe:
    """A section of the page: what it changes, what it quotes from the book, and its tests."""

    title: str
    hunks: list[Hunk]
    quotes: list[tuple[str, str]]
    tests: list[str]

    @classmethod
    def read(cls, title: str, text: str) -> Recipe:
        hunks, quotes = [], []
        for indent, language, body in BLOCK.findall(text):
            lines = [line[len(indent) :] for line in body.rstrip("\n").split("\n")]
            if language == "diff":
                hunks += hunks_of(lines)
            elif language == "python":
                assert lines[0].startswith("# "), f"{title}: a quotation says first which file it is from"
                quotes.append((lines[0][2:], "\n".join(lines[1:])))
        return cls(title, hunks, quotes, TEST.findall(text))


def hunks_of(lines: list[str]) -> list[Hunk]:
    """Hunks begin with the name of their file, or with @@."""
    hunks: list[Hunk] = []
    for line in lines:
        if line.startswith("--- "):
            hunks.append(Hunk(line[4:]))
        elif line == "@@":
            hunks.append(Hunk(hunks[-1].path))
        else:
            hunks[-1].add(line)
    return hunks


def recipes() -> list[Recipe]:
    """The recipes of the page that have diffs."""
    sections = re.split(r"^## (.*)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    read = [Recipe.read(title, text) for title, text in zip(sections[::2], sections[1::2])]
    return [recipe for recipe in read if recipe.hunks]


RECIPES = recipes()


def test_the_first_four_are_there() -> None:
    assert [one.title for one in RECIPES] == ["An admin command", "An I/O command", "A log page", "A feature"]
    assert all(one.tests and one.quotes for one in RECIPES)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_what_a_recipe_shows_is_in_the_tree(recipe: Recipe) -> None:
    for path, text in recipe.quotes:
        assert (
            textwrap.dedent(text) in textwrap.dedent((ROOT / path).read_text())
            or text in (ROOT / path).read_text()
        ), f"{path} has no such lines:\n{text}"
    for hunk in recipe.hunks:
        text = "\n" + (ROOT / hunk.path).read_text()
        assert text.count("\n" + "\n".join(hunk.after) + "\n") == 1, f"{hunk.path}: {hunk.after}"


def outcomes(words: list[str], cwd: Path, **environment: str) -> dict[str, set[str]]:
    """Run tests, by their names without parameters; give how those of each name ended."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )
    found: dict[str, set[str]] = {}
    for word, name in re.findall(r"^(PASSED|FAILED|ERROR) (tests/\S+)", done.stdout, re.MULTILINE):
        found.setdefault(name.partition("[")[0], set()).add(word)
    assert set(found) == {word.partition("[")[0] for word in words}, done.stdout + done.stderr
    return found


def names(folder: str) -> list[str]:
    return sorted({name for one in RECIPES for name in one.tests if name.startswith(folder)})


def change(root: Path, folder: str, perform: bool) -> None:
    """Undo all recipes in the files of a folder, or perform them."""
    for hunk in [hunk for one in RECIPES for hunk in one.hunks if hunk.path.startswith(folder)]:
        (hunk.perform if perform else hunk.undo)(root)


@pytest.fixture
def built() -> Path:
    """The folder of what this checkout was built from."""
    objects = ROOT / "build" / "release"
    if not (objects / "vssd").exists() or not shutil.which("gcc") or not shutil.which("make"):
        pytest.skip("needs a checkout that was built here")
    return objects


def test_the_virtual_ssd_gets_all_four(built: Path, tmp_path: Path) -> None:
    for folder in ("vssd", "core/util", "spec", "build/release/obj/vssd", "build/release/obj/core/util"):
        # with their times: only what changes is compiled
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=NO_BYTECODE)
    (tmp_path / "tools").mkdir()
    for makefile in (ROOT / "tools").glob("*.mk"):
        shutil.copy2(makefile, tmp_path / "tools")
    (tmp_path / "build" / "release" / "obj" / "spec").mkdir(exist_ok=True)
    program = tmp_path / "build" / "release" / "vssd"
    make = [
        "make",
        "-s",
        "-f",
        "tools/native.mk",
        f"-j{JOBS}",
        "vssd",
        f"PYTHON={sys.executable}",
        "CFLAGS=-O0",
    ]

    def build_and_test(perform: bool) -> dict[str, set[str]]:
        change(tmp_path, "vssd/", perform)
        done = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return outcomes(names("tests/vssd/"), ROOT, PYNVME_VSSD=str(program))

    without = build_and_test(perform=False)
    assert all("FAILED" in ends for ends in without.values()), without
    after = build_and_test(perform=True)
    assert all(ends == {"PASSED"} for ends in after.values()), after


@pytest.mark.slow
def test_the_host_gets_its_methods(built: Path, tmp_path: Path) -> None:
    git = ["git", "ls-files", "-coz", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs a checkout of git")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    shutil.copytree(built, tmp_path / "build" / "release")
    host = [name for name in names("tests/") if not name.startswith("tests/vssd/")]

    def build_and_test(perform: bool) -> dict[str, set[str]]:
        for files in ("spec/", "binding/", "nvme.pyi"):
            change(tmp_path, files, perform)
        for command in (["-m", "tools.specgen"], ["setup.py", "build_ext", "--inplace"]):
            done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        return outcomes(host, tmp_path, PYTHONPATH=str(tmp_path))

    without = build_and_test(perform=False)
    assert all("FAILED" in ends for ends in without.values()), without
    after = build_and_test(perform=True)
    assert all(ends == {"PASSED"} for ends in after.values()), after
