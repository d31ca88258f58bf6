# SPDX-License-Identifier: BSD-3-Clause
"""A plan: which tests run on which drives, how often, and until when. It is a file of TOML.

:func:`read` checks all of a plan without a look at any drive, and tells all mistakes at once.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pynvme.lab import capability
from pynvme.near import hint

FILE, FILES, CONTENTS = "plan.toml", "files", "contents.json"
"""In the folder of a campaign: the plan, the folder of its test files, and which task has which of them."""

PATTERNS = ("model", "firmware", "serial", "host", "address")
"""Keys of a group of drives that take a pattern, such as ``"ACME *"``."""
LISTS = ("capability", "tag")
"""Keys of a group of drives whose words a drive has to have all."""

_CAMPAIGN = ("name", "seeds", "repeats", "time_limit", "attempts", "findings", "patience")
_GROUP = ("name", "vssd", "count", "place", "wait", *PATTERNS, *LISTS)
_TASK = (
    *("name", "areas", "tests", "files", "beside", "marks", "options", "time", "drives", "priority"),
    *("seeds", "repeats", "time_limit", "attempts"),
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_MOST = 1_000_000
"""The most seeds, repeats and drives of a group."""


class PlanError(ValueError):
    """A plan with mistakes. :attr:`mistakes` has each of them as a sentence."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True)
class Group:
    """Drives of a plan: virtual SSDs, those that some patterns match, or that of a place of labgrid."""

    name: str
    vssd: Mapping[str, Any] | None = None
    """The options of virtual SSDs."""
    count: int = 1
    """How many virtual SSDs."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    capability: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    place: str = ""
    wait: float = float("inf")
    """Seconds to wait for the place while somebody else has acquired it."""


@dataclass(frozen=True)
class Task:
    """Tests of a plan: areas or tests of the suite, or files of pytest."""

    name: str
    areas: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Node identifiers of pytest: a path relative to :attr:`Plan.root`, possibly with ``::name``."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """What travels with a job: the SHA-256 of each file by its path relative to :attr:`Plan.root`."""
    marks: str = ""
    options: tuple[str, ...] = ()
    time: str = ""
    drives: tuple[str, ...] = ()
    """Names of groups."""
    priority: int = 0
    seeds: tuple[int, ...] = (1,)
    repeats: int = 1
    time_limit: float = 600.0
    """Seconds."""
    attempts: int = 2


@dataclass(frozen=True)
class Job:
    """One run of a task on one drive."""

    id: str
    task: Task
    drive: str
    """The name of the drive in its group."""
    seed: int
    repeat: int


@dataclass
class Plan:
    """What a file says."""

    name: str
    groups: tuple[Group, ...] = ()
    tasks: tuple[Task, ...] = ()
    findings: int = 0
    """The campaign ends after so many findings, or never if it is 0."""
    patience: float = 120.0
    """Seconds that a drive may be missing, such as while its host restarts, before it is set aside."""
    root: Path = Path()
    """The folder that paths of test files are relative to."""
    text: str = ""
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    """The content of test files by their SHA-256."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the plan with the content of all test files."""
        digest = hashlib.sha256(self.text.encode())
        for task in self.tasks:
            for path, content in sorted(task.contents.items()):
                digest.update(f"{task.name} {path} {content}\n".encode())
        return digest.hexdigest()

    def jobs(self, drives: Mapping[str, Sequence[str]]) -> Iterator[Job]:
        """All jobs, the most urgent first, and the seeds of a task in turn.

        Args:
            drives: the names of the drives of each group
        """
        for task in sorted(self.tasks, key=lambda task: -task.priority):
            for repeat in range(1, task.repeats + 1):
                for seed in task.seeds:
                    for group in task.drives:
                        for drive in drives.get(group, ()):
                            yield Job(f"{task.name}.{drive}.s{seed}.r{repeat}", task, drive, seed, repeat)

    def too_many(self, drives: Mapping[str, int]) -> str:
        """The mistake of a plan with more jobs than a campaign can keep in mind, or an empty text.

        Args:
            drives: how many drives each group has
        """
        count = sum(
            task.repeats * len(task.seeds) * sum(drives.get(group, 0) for group in task.drives)
            for task in self.tasks
        )
        return f"it has {count:,} jobs, of which a campaign takes at most {_MOST:,}" if count > _MOST else ""


def read(path: str | Path) -> Plan:
    """Read a plan, with the test files that it names.

    Raises:
        OSError: the file cannot be read
        PlanError: it has mistakes
    """
    text = Path(path).read_text(encoding="utf-8")
    found, mistakes = check(text, Path(path).resolve().parent)
    if mistakes:
        raise PlanError(mistakes)
    return found


def check(text: str, folder: Path) -> tuple[Plan, list[str]]:
    """A plan as far as it is understood, and all its mistakes.

    Args:
        text: TOML
        folder: what paths in it are relative to
    """
    reader = _Reader(folder)
    plan = reader.plan(text)
    return plan, reader.mistakes


def keep(plan: Plan, folder: Path) -> None:
    """Write a plan with its test files into the folder of a campaign, for :func:`kept`."""
    (folder / FILE).write_text(plan.text, encoding="utf-8")
    (folder / FILES).mkdir(exist_ok=True)
    for digest, content in plan.blobs.items():
        (folder / FILES / digest).write_bytes(content)
    contents = {task.name: dict(task.contents) for task in plan.tasks}
    (folder / FILES / CONTENTS).write_text(json.dumps(contents, indent=1), encoding="utf-8")


def kept(folder: Path) -> Plan:
    """The plan of a campaign, with its test files as they were. ValueError if it is damaged."""
    try:
        contents = json.loads((folder / FILES / CONTENTS).read_text(encoding="utf-8"))
        reader = _Reader(folder, contents)
        plan = reader.plan((folder / FILE).read_text(encoding="utf-8"))
        digests = {digest for task in plan.tasks for digest in task.contents.values()}
        plan.blobs = {digest: (folder / FILES / digest).read_bytes() for digest in digests}
    except OSError as error:
        raise ValueError(f"{folder} lacks a part of its plan: {error}") from None
    if reader.mistakes:
        raise PlanError(reader.mistakes)
    return plan


def changes(before: Plan, now: Plan) -> list[str]:
    """What differs between two plans, one line each."""
    from difflib import unified_diff

    lines = unified_diff(before.text.splitlines(), now.text.splitlines(), n=0, lineterm="")
    found = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    old, new = ({task.name: task.contents for task in plan.tasks} for plan in (before, now))
    for name in sorted(set(old) & set(new)):
        paths = sorted(set(old[name]) | set(new[name]))
        differ = [path for path in paths if old[name].get(path) != new[name].get(path)]
        found += [f"the file {path} of the task {name}" for path in differ]
    return found


def seconds(text: object) -> float:
    """A time such as ``"90s"``, ``"10m"`` or ``90``, in seconds. ValueError if it is none, or 0."""
    from pynvme.suite.options import seconds as of_text

    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"{text!r} is no time, such as 90s, 10m or 2h")
    found = of_text(text) if isinstance(text, str) else float(text)
    if not 0 < found < float("inf"):
        raise ValueError(f"{text!r} is no time above 0, such as 90s, 10m or 2h")
    return found


class _Reader:
    """Reads the tables of a plan, and collects mistakes instead of stopping at the first one."""

    def __init__(self, folder: Path, contents: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.mistakes: list[str] = []
        self._folder = folder
        self._contents = contents
        """The files of each task, if they are not to be looked for."""

    def plan(self, text: str) -> Plan:
        try:
            found = _toml(text)
        except ValueError as error:
            self.mistakes.append(f"this is not TOML: {error}")
            return Plan("", text=text)
        self._known("the plan", found, ("campaign", "drives", "tasks"))
        common = found.get("campaign", {})
        if not isinstance(common, dict):
            self._wrong("campaign", "a table, [campaign]", common)
            common = {}
        self._known("[campaign]", common, _CAMPAIGN)
        plan = Plan(self._name("[campaign]", common), text=text, root=self._folder)
        plan.findings = self._number("[campaign]", common, "findings", 0, 0)
        plan.patience = self._time("[campaign]", common, "patience", plan.patience)
        plan.groups = tuple(self._each(found, "drives", self._group))
        names = [group.name for group in plan.groups]
        files = _Files(self._folder, self.mistakes)
        usual = self._often("[campaign]", common, Task(""))
        plan.tasks = tuple(
            self._each(found, "tasks", lambda where, table: self._task(where, table, usual, names, files))
        )
        plan.root, plan.blobs = files.root, files.blobs
        return plan

    # Tables

    def _each(self, found: Mapping[str, Any], key: str, make: Any) -> Iterator[Any]:
        tables = found.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            self._wrong(key, f"tables, [[{key}]]", tables)
            return
        if not tables:
            self.mistakes.append(f"there is no [[{key}]]: a plan needs one at least")
        seen = set()
        for number, table in enumerate(tables, 1):
            name = table.get("name")
            where = f"[[{key}]] {name}" if isinstance(name, str) and name else f"[[{key}]] number {number}"
            if isinstance(name, str) and name in seen:
                self.mistakes.append(f"{where}: this name is there twice")
            seen.add(name)
            yield make(where, table)

    def _group(self, where: str, table: dict[str, Any]) -> Group:
        self._known(where, table, _GROUP)
        kinds = [
            kind
            for kind, there in (
                ("vssd", "vssd" in table),
                ("place", "place" in table),
                ("patterns (" + ", ".join((*PATTERNS, *LISTS)) + ")", bool({*PATTERNS, *LISTS} & set(table))),
            )
            if there
        ]
        if len(kinds) != 1:
            named = " and ".join(kinds) if kinds else "nothing"
            self.mistakes.append(f"{where}: names {named}; give one of vssd, place, or patterns of drives")
        if "count" in table and "vssd" not in table:
            self.mistakes.append(f"{where}: count is for virtual SSDs (vssd) only")
        options = self._vssd(where, table["vssd"]) if "vssd" in table else None
        if "wait" in table and "place" not in table:
            self.mistakes.append(f"{where}: wait is for a place of labgrid (place) only")
        patterns = {key: self._text(where, table, key) for key in PATTERNS if key in table}
        wanted = self._texts(where, table, "capability")
        self.mistakes += [f"{where}: {mistake}" for mistake in capability.mistakes(wanted)]
        return Group(
            self._name(where, table),
            options,
            self._number(where, table, "count", 1, 1),
            patterns,
            wanted,
            self._texts(where, table, "tag"),
            self._text(where, table, "place"),
            self._time(where, table, "wait", Group.wait),
        )

    def _vssd(self, where: str, given: object) -> dict[str, Any]:
        from pynvme import vssd

        if not isinstance(given, dict):
            self._wrong(f"{where}: vssd", 'a table, such as { size = "64M" }', given)
            return {}
        if "dir" in given:
            self.mistakes.append(f"{where}: vssd: dir is chosen by each job")
        try:
            self.mistakes += [f"{where}: vssd: {mistake}" for mistake in vssd.mistakes(given)]
        except (OSError, vssd.VirtualSsdError) as error:
            self.mistakes.append(f"{where}: vssd: {error}")
        return dict(given)

    def _often(self, where: str, table: dict[str, Any], usual: Task) -> Task:
        """The task with what a table says of how often and how long it runs."""
        return replace(
            usual,
            seeds=self._seeds(where, table, usual.seeds),
            repeats=self._number(where, table, "repeats", usual.repeats, 1),
            time_limit=self._time(where, table, "time_limit", usual.time_limit),
            attempts=self._number(where, table, "attempts", usual.attempts, 1),
        )

    def _task(self, where: str, table: dict[str, Any], usual: Task, groups: list[str], files: _Files) -> Task:
        self._known(where, table, _TASK)
        named, areas, tests = (self._texts(where, table, key) for key in ("files", "areas", "tests"))
        beside = self._texts(where, table, "beside")
        if bool(named) == bool(areas or tests):
            self.mistakes.append(
                f"{where}: takes either files of pytest, or areas and tests of the suite (pynvme check)"
            )
        self._check_suite(where, areas, tests)
        drives = self._texts(where, table, "drives")
        for name in drives:
            if name not in groups:
                otherwise = "the plan has " + (", ".join(dict.fromkeys(filter(None, groups))) or "none")
                self.mistakes.append(f"{where}: there are no drives {name!r}{hint(name, groups, otherwise)}")
        if "time" in table:
            self._time(where, table, "time", 0.0)
            if named:
                self.mistakes.append(f"{where}: time is for tests of the suite; use time_limit")
        options = self._texts(where, table, "options")
        for option in options:
            if option.partition("=")[0] in ("--pciaddr", "--nvme-report", "--nvme-place", "--rootdir"):
                self.mistakes.append(f"{where}: the option {option} is chosen by the campaign")
        return replace(
            self._often(where, table, usual),
            name=self._name(where, table),
            areas=areas,
            tests=tests,
            files=named,
            contents=self._files(where, table, files, named, beside),
            marks=self._text(where, table, "marks"),
            options=options,
            time=str(table.get("time", "")),
            drives=drives or tuple(groups),
            priority=self._number(where, table, "priority", 0, -_MOST),
        )

    def _files(
        self, where: str, table: Mapping[str, Any], files: _Files, named: Sequence[str], beside: Sequence[str]
    ) -> Mapping[str, str]:
        if self._contents is not None:
            return self._contents.get(str(table.get("name")), {})
        return files.take(where, named, beside)

    def _check_suite(self, where: str, areas: Iterable[str], tests: Iterable[str]) -> None:
        from pynvme.suite import AREAS

        for area in areas:
            if area not in AREAS:
                known = hint(area, AREAS, "areas are " + ", ".join(AREAS))
                self.mistakes.append(f"{where}: the suite has no area {area!r}{known}")
        known_areas = [area for area in areas if area in AREAS]
        wanted = known_areas or list(AREAS)
        names = [name for area, name in suite_tests() if area in wanted] if tests else []
        for test in tests:
            if not any(test in name for name in names):
                among = f"the areas {', '.join(known_areas)}" if known_areas else "the suite"
                known = hint(test, names, "docs/suite.md lists them")
                self.mistakes.append(f"{where}: {among} has no test {test!r}{known}")

    # Values

    def _known(self, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                text = hint(key, known, "it takes " + ", ".join(known))
                self.mistakes.append(f"{where}: unknown key {key!r}{text}")

    def _wrong(self, where: str, wanted: str, found: object) -> None:
        self.mistakes.append(f"{where}: takes {wanted}, not {found!r}")

    def _name(self, where: str, table: Mapping[str, Any]) -> str:
        name = table.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._wrong(f"{where}: name", "letters, digits, - and _, at most 64", name)
            return ""
        return name

    def _text(self, where: str, table: Mapping[str, Any], key: str) -> str:
        found = table.get(key, "")
        if not isinstance(found, str) or (key in table and not found):
            self._wrong(f"{where}: {key}", "a text", found)
            return ""
        return found

    def _texts(self, where: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        found = table.get(key, [])
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
            self._wrong(f"{where}: {key}", 'a list of texts, such as ["one", "two"]', found)
            return ()
        for one in {one for one in found if found.count(one) > 1}:
            self.mistakes.append(f"{where}: {key} has {one!r} twice")
        return tuple(found)

    def _number(self, where: str, table: Mapping[str, Any], key: str, default: int, least: int) -> int:
        found = table.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= _MOST:
            self._wrong(f"{where}: {key}", f"a number from {least} to {_MOST}", found)
            return default
        return found

    def _time(self, where: str, table: Mapping[str, Any], key: str, default: float) -> float:
        try:
            return seconds(table[key]) if key in table else default
        except ValueError as error:
            self.mistakes.append(f"{where}: {key}: {error}")
            return default

    def _seeds(self, where: str, table: Mapping[str, Any], usual: tuple[int, ...]) -> tuple[int, ...]:
        found = table.get("seeds", list(usual))
        if isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= _MOST:
            return tuple(range(1, found + 1))
        numbers = found if isinstance(found, list) else [None]
        if numbers and all(map(_is_seed, numbers)) and len(set(numbers)) == len(numbers):
            return tuple(numbers)
        self._wrong(f"{where}: seeds", "a number of seeds, or a list of different ones from 0 on", found)
        return usual


def _is_seed(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 1 << 64


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder that are the user's own.

    What is hidden is none of them, nor are virtual environments of Python and folders of campaigns.
    """
    for one in sorted(folder.iterdir()):
        if one.name.startswith(".") or one.name == "__pycache__":
            continue
        if one.is_dir():
            others = one.is_symlink() or (one / "pyvenv.cfg").exists() or (one / FILES / CONTENTS).exists()
            if not others:
                yield from _below(one)
        elif one.is_file():
            yield one


class _Files:
    """The test files of all tasks, with what lies beside them and what they need to be imported."""

    def __init__(self, folder: Path, mistakes: list[str]) -> None:
        self.root = folder
        self.blobs: dict[str, bytes] = {}
        self._mistakes = mistakes

    def take(self, where: str, named: Iterable[str], beside: Iterable[str]) -> dict[str, str]:
        """The digests of the files of a task, by their paths."""
        found: set[Path] = set()
        for node in named:
            path = self._inside(where, node.partition("::")[0])
            if path is None:
                continue
            if path.is_dir():
                try:
                    found.update(one for one in _below(path) if one.suffix == ".py")
                except OSError as error:
                    self._mistakes.append(f"{where}: {error.filename} cannot be read: {error.strerror}")
                found.update(self._above(path))
            elif path.is_file():
                found.update(one for one in path.parent.glob("*.py") if one.is_file())
                found.add(path)
                found.update(self._above(path.parent))
            else:
                self._mistakes.append(f"{where}: there is no test file {node}, looked for at {path}")
        for pattern in beside:
            try:
                matched = [] if self._inside(where, pattern) is None else self._matched(pattern)
            except OSError as error:
                self._mistakes.append(f"{where}: {error.filename} cannot be read: {error.strerror}")
                continue
            if not matched:
                self._mistakes.append(f"{where}: beside: no file matches {pattern!r} in {self.root}")
            found.update(matched)
        return {path.relative_to(self.root).as_posix(): self._digest(where, path) for path in sorted(found)}

    def _inside(self, where: str, name: str) -> Path | None:
        path = Path(self.root, name)
        if Path(name).is_absolute() or ".." in path.parts:
            self._mistakes.append(
                f"{where}: {name} is outside of the plan's folder {self.root}: name files relative to it"
            )
            return None
        return path

    def _matched(self, pattern: str) -> list[Path]:
        try:
            found = sorted(self.root.glob(pattern))
        except (ValueError, NotImplementedError):
            return []
        return [one for one in found if one.is_file()] + [
            one for folder in found if folder.is_dir() for one in folder.rglob("*") if one.is_file()
        ]

    def _above(self, folder: Path) -> Iterator[Path]:
        """The files that pytest reads in the folders from one up to the plan's."""
        for one in (folder, *folder.parents):
            for name in ("conftest.py", "__init__.py", "pytest.ini"):
                if (one / name).is_file():
                    yield one / name
            if one == self.root:
                return

    def _digest(self, where: str, path: Path) -> str:
        try:
            content = path.read_bytes()
        except OSError as error:
            self._mistakes.append(f"{where}: {path} cannot be read: {error.strerror}")
            content = b""
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest


def suite_tests() -> Iterator[tuple[str, str]]:
    """The area and the name of each test of the suite, read from its files without an import."""
    from pynvme.suite import AREAS

    folder = Path(__file__).parents[1] / "suite"
    for area in AREAS:
        text = (folder / f"test_{area}.py").read_text(encoding="utf-8")
        yield from ((area, name) for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE))


def _toml(text: str) -> dict[str, Any]:
    """The tables of a TOML file. ValueError if it is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    found: dict[str, Any] = tomllib.loads(text)
    return found
