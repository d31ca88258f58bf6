# SPDX-License-Identifier: BSD-3-Clause
"""`make score` tells how many bugs the suite finds.

It runs the tests of `pynvme.suite` on healthy virtual SSDs with several seeds, where nothing may be found,
and on a virtual SSD with each bug of `pynvme.bugs`. On a drive with a bug, the tests that judge its section
of the specification run first, then the other tests of its areas, then all others, up to the first finding.
The tests do not know the bugs. `docs/score.md` is the result.

    make score                    all, and write docs/score.md
    make score BUG=flush-does-nothing    one bug, or several separated by commas
    make score SEEDS=20           healthy drives with 20 seeds
    make score TIME=10m           tests repeat themselves for 10 minutes in all, instead of about 90 s
    make score ARGS=--again       only what was not as it should be in the last run, with its other results
    make score ARGS='--campaign --scheduler tls://rack:8786 --tls certificates'    on the workers of a cluster

It is a campaign, one job for each bug and seed: build/score/campaign has its page, and
``pynvme results build/score/campaign bugs`` groups the findings. What a run found first is kept in
build/score, in one file of JSON for each bug and seed. A folder has one run at a time.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pynvme.bugs import BUGS, GROUPS, Bug, find
from pynvme.lab import results
from pynvme.report import run as runs
from pynvme.suite import AREAS
from pynvme.suite.clause_first import CLAUSE

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build/score"
PAGE = ROOT / "docs/score.md"
LIMIT = 120.0
"""Seconds of suite time in which a bug has to be found."""
PATIENCE = 900.0
"""Seconds after which a run is ended."""
JOBS = len(os.sched_getaffinity(0))

HEALTHY = {
    "healthy": [],
    "legal": [
        "on=power-loss do cache chance=0.4 versions",
        "cns=1 do bytes at=526 size=2 value=7",  # AWUN is 8 LBAs, and larger writes are split
        "opcode=write nlb>=8 chance=0.2 do split=2048 gap=50us..500us",
        "queue=io chance=0.1 do late=10us..2",
        "opcode=dataset-management do early=20..200 yield",
        "opcode=abort do skip result=1",
    ],
}
"""Drives without a bug: one as it is, and one that does what the specification allows."""


class Result(NamedTuple):
    """What a run of the suite found first."""

    name: str
    seed: int
    test: str = ""
    """The test that found something, or ""."""
    expected: str = ""
    seen: str = ""
    error: str = ""
    """Why the test failed, if not by a finding."""
    seconds: float = 0.0
    """Time of the tests up to the finding."""
    passed: int = 0
    ended: bool = True
    """Whether the run came to its end."""

    @property
    def found(self) -> bool:
        """Whether the drive was found to be wrong in time."""
        return bool(self.test) and self.seconds <= LIMIT

    @property
    def good(self) -> bool:
        """Whether the suite is right: it has found the bug, or come to its end without a finding."""
        return self.ended and not self.test if self.name in HEALTHY else self.found


# Running


def areas_for(bug: Bug) -> list[str]:
    """All areas, and first those that judge the bug's clause."""
    return [*bug.areas, *(area for area in AREAS if area not in bug.areas)]


def plan(wanted: Mapping[str, Sequence[int]], time: str | None) -> str:
    """The plan of a campaign: a drive and a task for each bug or healthy drive, by its name, with its seeds.

    A job ends at the first failure. The tests that judge the clause of the bug run first.
    """
    lines = ["[campaign]", 'name = "score"', f"time_limit = {json.dumps(f'{PATIENCE:g}s')}"]
    for name, seeds in wanted.items():
        drive: dict[str, Any] = {"fault": HEALTHY[name]} if name in HEALTHY else {"bug": name}
        options = ["-x"]
        areas = list(AREAS)
        if name not in HEALTHY:
            bug = find(name)
            areas = areas_for(bug)
            options += ["-p", "pynvme.suite.clause_first", f"{CLAUSE}={bug.clause}"]
        drive = {key: value for key, value in drive.items() if value}
        lines += ["", "[[drives]]", f"name = {json.dumps(name)}", f"vssd = {_inline(drive)}"]
        lines += ["[[tasks]]", f"name = {json.dumps(name)}", f"drives = [{json.dumps(name)}]"]
        lines += [f"areas = {json.dumps(areas)}", f"seeds = {json.dumps(list(seeds))}"]
        lines += [f"options = {json.dumps(options)}", *([f"time = {json.dumps(time)}"] if time else [])]
    return "\n".join(lines) + "\n"


def _inline(table: Mapping[str, Any]) -> str:
    """A table of TOML in one line."""
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + " }"


def judge(
    wanted: Mapping[str, Sequence[int]], arguments: argparse.Namespace
) -> dict[tuple[str, int], Result]:
    """Run the suite on these drives, and keep what it found first, by name and seed."""
    campaign, file = arguments.folder / "campaign", arguments.folder / "plan.toml"
    file.write_text(plan(wanted, arguments.time))
    shutil.rmtree(campaign, ignore_errors=True)
    command = [sys.executable, "-m", "pynvme", "campaign", str(file)]
    command += [f"--folder={campaign}", f"--parallel={arguments.jobs}", *arguments.campaign]
    status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode
    if status not in (0, 1):
        sys.exit(status)
    found = {}
    for attempts in results.read(campaign).jobs.values():
        result = read(campaign, results.deciding(attempts))
        found[result.name, result.seed] = result
        kept_at = arguments.folder / f"{result.name}-{result.seed}.json"
        kept_at.write_text(json.dumps(result._asdict()) + "\n")
        _tell(result)
    return found


def read(campaign: Path, attempt: results.Attempt) -> Result:
    """What a job found first."""
    name, seed = attempt.begin["task"], attempt.begin["seed"]
    ended = attempt.outcome in ("passed", "failed")
    try:
        tests = runs.read(campaign / attempt.path).tests
    except (OSError, ValueError):
        return Result(name, seed, ended=False)
    seconds, passed = 0.0, 0
    for test in sorted(tests, key=lambda test: test.start):
        seconds += test.seconds
        passed += test.outcome == "passed"
        if test.bad:
            finding = test.finding or {}
            told = (
                f"{Path(test.file).stem}::{test.name}",
                finding.get("expected", ""),
                finding.get("seen", ""),
            )
            error = "" if finding else test.message
            return Result(name, seed, *told, error, round(seconds, 1), passed, ended)
    return Result(name, seed, seconds=round(seconds, 1), passed=passed, ended=ended and bool(tests))


def _tell(result: Result) -> None:
    number = "" if result.name in HEALTHY else find(result.name).number
    said = result.test or ("nothing" if result.ended else "no end")
    print(f"{number:4} {result.name:40} {result.seconds:7.1f} s  {said}", flush=True)


# The page


def kept(folder: Path) -> list[Result]:
    """The results that earlier runs have left."""
    return [Result(**json.loads(file.read_text())) for file in sorted(folder.glob("*.json"))]


def page(found_by: dict[str, Result], healthy: Sequence[Result]) -> str:
    """docs/score.md."""
    plantable = [bug for bug in BUGS.values() if bug.plantable]
    found = [bug for bug in plantable if found_by[bug.name].found]
    missed = [bug for bug in plantable if not found_by[bug.name].found]
    lines = [
        "# How many bugs the suite finds",
        "",
        "`make score` makes this page. It runs the tests of [suite.md](suite.md) on virtual SSDs, each with",
        "one of the bugs that `python -m pynvme bugs` lists, up to the first finding. The tests that judge",
        "the section of the specification that the bug breaks run first, then the other tests of its areas,",
        "then all others. No test knows a bug.",
        "",
        f"**{len(found)} of {len(plantable)} bugs are found, {len(found) / len(plantable):.0%}.** "
        f"A virtual SSD cannot have {len(BUGS) - len(plantable)} more bugs yet.",
        "",
        *_healthy_lines(healthy),
    ]
    for letter, title in GROUPS.items():
        lines += ["", f"## {letter}: {title}", "", "| # | bug | found by | seconds |", "|---|---|---|---|"]
        lines += [_row(bug, found_by[bug.name]) for bug in found if bug.number[0] == letter]
    lines += ["", "## Not found", ""]
    lines += [f"- {bug.number} `{bug.name}`: {bug.title}" for bug in missed] or ["All are found."]
    lines += ["", "## Not planted", "", "These wait for a feature of the virtual SSD:", ""]
    lines += [f"- {bug.number} `{bug.name}`: {bug.waits_for}" for bug in BUGS.values() if not bug.plantable]
    return "\n".join(lines) + "\n"


def _healthy_lines(healthy: Sequence[Result]) -> list[str]:
    wrong = [result for result in healthy if not result.good]
    texts = {"healthy": "a healthy drive", "legal": "a drive that does all that the specification allows"}
    lines = []
    for name, text in texts.items():
        mine = [result for result in healthy if result.name == name]
        if mine:
            bad = sum(result in wrong for result in mine)
            lines.append(
                f"- On {text}, {bad or 'none'} of {len(mine)} runs with different seeds had a finding."
            )
    return lines + [f"  - seed {result.seed}: {result.test or 'no end'}" for result in wrong]


def _row(bug: Bug, result: Result) -> str:
    how = " (by an error)" if result.error else ""
    return f"| {bug.number} | `{bug.name}` | `{result.test}`{how} | {result.seconds:.1f} |"


# The command


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Run the suite on drives with and without bugs.")
    parser.add_argument("--bug", default="", help="names or numbers of bugs, separated by commas")
    parser.add_argument("--seeds", type=int, default=1, help="seeds on healthy drives")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--time", help="how long the tests of a run repeat themselves in all, such as 10m")
    parser.add_argument("--again", action="store_true", help="only bugs that were not found")
    parser.add_argument("--jobs", type=int, default=JOBS, help="virtual SSDs at the same time")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results are kept")
    parser.add_argument(
        "--campaign",
        nargs=argparse.REMAINDER,
        default=[],
        help="options of pynvme campaign, such as --scheduler",
    )
    arguments = parser.parse_args()
    try:
        names = [find(name).name for name in arguments.bug.split(",")] if arguments.bug else []
    except ValueError as error:
        parser.error(str(error))
    with _alone_in(arguments.folder):
        return _some(names, arguments) if names else _all(arguments)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, since a run removes the campaign that the last one has left there."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another run of the score uses {folder}: wait for its end, or name another --folder")
        yield


def _some(names: Sequence[str], arguments: argparse.Namespace) -> int:
    found = judge({name: [arguments.seed] for name in names}, arguments)
    for result in found.values():
        if result.test:
            print(f"\n{result.name}: {result.test}")
            print(
                f"  expected: {result.expected}\n  seen:     {result.seen}"
                if result.expected
                else result.error
            )
    return sum(not result.found for result in found.values()) + len(names) - len(found)


def _all(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    bugs = [bug for bug in BUGS.values() if bug.plantable]
    seeds = [arguments.seed + index for index in range(arguments.seeds)]
    all_of = {**dict.fromkeys(HEALTHY, seeds), **{bug.name: [arguments.seed] for bug in bugs}}
    old = {(one.name, one.seed): one for one in kept(arguments.folder) if one.good} if arguments.again else {}
    missing = {
        name: left
        for name, seeds in all_of.items()
        if (left := [one for one in seeds if (name, one) not in old])
    }
    judged = {**old, **(judge(missing, arguments) if missing else {})}
    healthy = [judged[name, seed] for name in HEALTHY for seed in seeds]
    by_bug = {bug.name: judged[bug.name, arguments.seed] for bug in bugs}
    PAGE.write_text(page(by_bug, healthy))
    found = sum(result.found for result in by_bug.values())
    wrong = sum(not result.good for result in healthy)
    print(f"{found} of {len(bugs)} bugs found; {wrong} of {len(healthy)} healthy drives suspected")
    print(f"{PAGE.relative_to(ROOT)} is written, after {time.monotonic() - began:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
