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

Results are kept in build/score, one file of JSON for each run of the suite.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pynvme.bugs import BUGS, GROUPS, Bug, find
from pynvme.suite import AREAS

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


def command(address: str, areas: Iterable[str], seed: int, time: str | None, report: Path) -> list[str]:
    """The command that runs the suite up to its first failure."""
    line = [sys.executable, "-m", "pynvme", "check", f"--pciaddr={address}", f"--seed={seed}"]
    line += [f"--report={report}", "--shrink=0", *(f"--area={area}" for area in areas)]
    return line + ([f"--time={time}"] if time else [])


def run(
    name: str,
    address: str,
    areas: Sequence[str],
    seed: int,
    time: str | None,
    rules: Sequence[str] = (),
    clause: str = "",
) -> Result:
    """Run the suite on one drive, and keep what it found. Tests that judge this clause run first."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    report = RESULTS / f"{name}-{seed}.report"
    report.unlink(missing_ok=True)
    output = RESULTS / f"{name}-{seed}.log"
    environment = {
        **os.environ,
        "PYTEST_ADDOPTS": "-x -p clause_first",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tools'}",
        "CLAUSE": clause,
    }
    if rules:
        file = RESULTS / f"{name}.rules"
        file.write_text("\n".join(rules) + "\n")
        address += f":faults={file}"
    with output.open("w") as log:
        process = subprocess.Popen(
            command(address, areas, seed, time, report),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        ended = _wait(process)
    result = read(name, seed, report, ended)
    (RESULTS / f"{name}-{seed}.json").write_text(json.dumps(result._asdict()) + "\n")
    return result


def _wait(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the end of a run. Return whether it came by itself."""
    try:
        process.wait(PATIENCE)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def read(name: str, seed: int, report: Path, ended: bool) -> Result:
    """Read the report of a run."""
    lines = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    seconds, passed = 0.0, 0
    for line in lines:
        seconds += line["seconds"]
        passed += line["outcome"] == "passed"
        if line["outcome"] == "failed":
            finding = line["finding"] or {}
            return Result(
                name,
                seed,
                line["test"],
                finding.get("expected", ""),
                finding.get("seen", ""),
                line["error"],
                round(seconds, 1),
                passed,
                ended,
            )
    return Result(name, seed, seconds=round(seconds, 1), passed=passed, ended=ended and bool(lines))


def areas_for(bug: Bug) -> list[str]:
    """All areas, and first those that judge the bug's clause."""
    return [*bug.areas, *(area for area in AREAS if area not in bug.areas)]


def judge(bug: Bug, seed: int, time: str | None) -> Result:
    """Run the suite on a drive with a bug."""
    result = run(bug.name, f"vssd:bug={bug.name}", areas_for(bug), seed, time, clause=bug.clause)
    _tell(bug.number, result)
    return result


def judge_healthy(name: str, seed: int, time: str | None) -> Result:
    """Run the suite on a drive without a bug."""
    result = run(name, "vssd", list(AREAS), seed, time, HEALTHY[name])
    _tell("", result)
    return result


def _tell(number: str, result: Result) -> None:
    said = result.test or ("nothing" if result.ended else "no end")
    print(f"{number:4} {result.name:40} {result.seconds:7.1f} s  {said}", flush=True)


# The page


def kept() -> list[Result]:
    """The results that earlier runs have left."""
    return [Result(**json.loads(file.read_text())) for file in sorted(RESULTS.glob("*.json"))]


def page(results: dict[str, Result], healthy: Sequence[Result]) -> str:
    """docs/score.md."""
    plantable = [bug for bug in BUGS.values() if bug.plantable]
    found = [bug for bug in plantable if results[bug.name].found]
    missed = [bug for bug in plantable if not results[bug.name].found]
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
        lines += [_row(bug, results[bug.name]) for bug in found if bug.number[0] == letter]
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
    parser.add_argument("--jobs", type=int, default=JOBS, help="runs at the same time")
    arguments = parser.parse_args()
    if arguments.bug:
        return _some([find(name) for name in arguments.bug.split(",")], arguments)
    return _all(arguments)


def _some(bugs: Sequence[Bug], arguments: argparse.Namespace) -> int:
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda bug: judge(bug, arguments.seed, arguments.time), bugs))
    for result in results:
        if result.test:
            print(f"\n{result.name}: {result.test}")
            print(
                f"  expected: {result.expected}\n  seen:     {result.seen}"
                if result.expected
                else result.error
            )
    return sum(not result.found for result in results)


def _all(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    bugs = [bug for bug in BUGS.values() if bug.plantable]
    good = [result for result in kept() if result.good] if arguments.again else []
    old = {(result.name, result.seed): result for result in good}
    drives = [(name, arguments.seed + index) for name in HEALTHY for index in range(arguments.seeds)]

    def one(name: str, seed: int) -> Result:
        if (name, seed) in old:
            return old[name, seed]
        if name in HEALTHY:
            return judge_healthy(name, seed, arguments.time)
        return judge(find(name), seed, arguments.time)

    with ThreadPoolExecutor(arguments.jobs) as pool:
        judged = list(pool.map(one, *zip(*drives, *((bug.name, arguments.seed) for bug in bugs))))
    healthy, results = judged[: len(drives)], {result.name: result for result in judged[len(drives) :]}
    PAGE.write_text(page(results, healthy))
    found = sum(result.found for result in results.values())
    wrong = sum(not result.good for result in healthy)
    print(f"{found} of {len(bugs)} bugs found; {wrong} of {len(healthy)} healthy drives suspected")
    print(f"{PAGE.relative_to(ROOT)} is written, after {time.monotonic() - began:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
