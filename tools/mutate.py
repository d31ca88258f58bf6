# SPDX-License-Identifier: BSD-3-Clause
"""`make mutate` plants one mistake after the other in pynvme's code. The tests must catch each of them.

A mutant consists of a place in a file, the mistake to put there, and the tests that should catch it. It is
built and tested in a copy of the checkout (build/mutate), so that the checkout stays as it is. First the same
tests must pass on the unchanged code. Words on the command line select mutants by their names.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import whole
from mutants import MUTANTS, Mutant

COPY = Path("build/mutate")
LEFT_OUT = (".git", ".venv", ".hypothesis", "dist", "__pycache__")
LEFT_OUT_OF_BUILD = ("mutate", "distros", "qemu")
"""What other commands keep in build/, some of it gigabytes."""
SECONDS = 900
"""Time limit of a build, and of a test on the unchanged code."""
SECONDS_AT_LEAST = 180
TIMES_AS_LONG = 4
"""A test of a mutant may take 4 times as long as on the unchanged code, and 180 s in any case."""
HANGS = "hangs"


@dataclass
class Outcome:
    """The result of a mutant. `word` is caught, SURVIVED, or BROKEN if it could not be tested."""

    word: str
    text: str


def copy_checkout() -> None:
    """Copy the sources and build products with their times, so that only the mutated file is compiled."""
    COPY.parent.mkdir(exist_ok=True)
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(".", COPY, ignore=left_out, symlinks=True)


def left_out(folder: str, names: list[str]) -> set[str]:
    """The names in a folder of the checkout that are not copied."""
    return set(names) & {*LEFT_OUT, *(LEFT_OUT_OF_BUILD if folder == os.path.join(".", "build") else ())}


def run(*command: str, seconds: float = SECONDS) -> whole.Done:
    return whole.run(list(command), seconds, COPY, {**os.environ, "PYTHONPATH": str(COPY.resolve())})


def native(*goals: str) -> whole.Done:
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    return run("make", "--no-print-directory", "-f", "tools/native.mk", jobs, "VARIANT=asan", *goals)


def builds(tests: tuple[str, ...]) -> tuple[bool, str]:
    """Build what these tests need. Return whether that worked, and the output."""
    programs = [f"build/asan/{Path(test).with_suffix('')}" for test in tests if test.endswith(".c")]
    python = [test for test in tests if ".py" in test]
    done = native(*programs) if programs else None
    if done is not None and done.code:
        return False, done.output
    if python:
        done = run(sys.executable, "setup.py", "-q", "build_ext", "--inplace")
    assert done is not None
    return done.code == 0, done.output


def passes(tests: tuple[str, ...], limits: dict[str, float]) -> tuple[bool, str]:
    """Whether all tests pass, and the last line of one that fails.

    A test that fails runs again, so that neither a mistake nor the code as it is gets judged by a load of the
    machine. A test that hangs counts as failed at once.
    """
    for test in tests:
        said = ran(test, limits)
        if said and not said.endswith(HANGS):
            said = ran(test, limits)
        if said:
            return False, said
    return True, ""


def ran(test: str, limits: dict[str, float]) -> str:
    """Run a test. Return a line about its failure, or nothing if it passes; then its time gives its limit."""
    command = [f"build/asan/{Path(test).with_suffix('')}"]
    if not test.endswith(".c"):
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", test]
    start = time.monotonic()
    done = run(*command, seconds=limits.get(test, SECONDS))
    if done.hung:
        return f"{test} {HANGS}"
    if done.code == 0:
        limits.setdefault(test, max(SECONDS_AT_LEAST, TIMES_AS_LONG * (time.monotonic() - start)))
        return ""
    lines = done.output.splitlines()
    said = [line for line in lines if line.startswith(("FAILED", "FAIL ", "ERROR"))]
    return (said or lines or ["nothing"])[0][:120]


def judge(mutant: Mutant, limits: dict[str, float]) -> Outcome:
    """Plant one mistake, build, test, and remove it again."""
    path = COPY / mutant.file
    source = path.read_text()
    try:
        path.write_text(mutant.plant(source))
    except ValueError as error:
        return Outcome("BROKEN", str(error))
    try:
        built, said = builds(mutant.tests)
        if not built:
            return Outcome("BROKEN", "does not compile: " + said.strip().splitlines()[-1])
        survived, noticed = passes(mutant.tests, limits)
        return Outcome("SURVIVED", ", ".join(mutant.tests)) if survived else Outcome("caught", noticed)
    finally:
        path.write_text(source)


def main(words: list[str]) -> int:
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    copy_checkout()
    tests = tuple(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    print(f"{len(chosen)} mistakes; first {len(tests)} tests on the code as it is …", flush=True)
    built, said = builds(tests)
    limits: dict[str, float] = {}
    right, noticed = passes(tests, limits) if built else (False, said[-2000:])
    if not right:
        print(f"these tests fail on the unchanged code, so they cannot judge a mutant: {noticed}")
        return 1
    outcomes = []
    for mutant in chosen:
        start = time.monotonic()
        outcomes.append(judge(mutant, limits))
        taken = time.monotonic() - start
        print(f"{outcomes[-1].word:8}  {mutant.name:45}  {outcomes[-1].text}  ({taken:.0f} s)", flush=True)
    caught = sum(outcome.word == "caught" for outcome in outcomes)
    shutil.rmtree(COPY, ignore_errors=True)
    print(f"{caught} passed, {len(outcomes) - caught} failed")
    return 0 if caught == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
