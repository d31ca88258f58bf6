# SPDX-License-Identifier: BSD-3-Clause
"""Measure how many lines of the virtual SSD's controller the fuzzer reaches.

    python3 tools/coverage.py [commands]            by default 1,000,000

Builds tests/c/fuzz/test_commands with gcc --coverage in build/coverage and runs it. PYNVME_FUZZ_SEED
repeats a run. The exit code is 1 if the run fails or executes less than 85 % of the controller's lines.
build/coverage/gcov/*.gcov marks the other lines by #####.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OUT = Path("build/coverage")
PROGRAM = OUT / "tests/c/fuzz/test_commands"
JUDGED = ("vssd/ctrl", "vssd/cmd", "vssd/subsystem")
FOLDERS = (*JUDGED, "vssd/store", "vssd/bus")
WANTED = 85.0

SUMMARY = re.compile(r"File '(?P<name>[^']+)'\nLines executed:(?P<percent>[\d.]+)% of (?P<lines>\d+)")


def build() -> None:
    flags = ["CFLAGS=-O1 --coverage", "LDFLAGS=--coverage"]
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    command = ["make", "--no-print-directory", "-f", "tools/native.mk", jobs, f"PYTHON={sys.executable}"]
    done = subprocess.run(
        [*command, "VARIANT=coverage", *flags, str(PROGRAM)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def run(commands: int) -> int:
    """Run the fuzzer, without the counts of earlier runs."""
    for counts in OUT.rglob("*.gcda"):
        counts.unlink()
    return subprocess.run(
        [str(PROGRAM)], env={**os.environ, "PYNVME_FUZZ_COMMANDS": str(commands)}
    ).returncode


def count(folder: str) -> list[tuple[str, int, float]]:
    """(file, lines, percent executed) of each file of a folder."""
    listing = OUT / "gcov"
    listing.mkdir(exist_ok=True)
    found = {}
    for source in sorted(Path(folder).glob("*.c")):
        counts = (OUT / "obj" / source).with_suffix(".gcda").resolve()
        done = subprocess.run(["gcov", "-o", str(counts.parent), str(source)], capture_output=True, text=True)
        for match in SUMMARY.finditer(done.stdout):
            if match["name"] == str(source):
                found[str(source)] = (str(source), int(match["lines"]), float(match["percent"]))
        for report in Path().glob("*.gcov"):
            shutil.move(str(report), listing / report.name)
    return list(found.values())


def share(files: list[tuple[str, int, float]]) -> float:
    return sum(lines * percent for _, lines, percent in files) / max(1, sum(lines for _, lines, _ in files))


def main(commands: int = 1_000_000) -> int:
    build()
    code = run(commands)
    files = [file for folder in FOLDERS for file in count(folder)]
    for name, lines, percent in files:
        print(f"{percent:6.1f} % of {lines:4} lines  {name}")
    judged = share([file for file in files if file[0].startswith(JUDGED)])
    print(f"{judged:6.1f} % of the lines in {', '.join(JUDGED)}, {share(files):.1f} % of all")
    if judged < WANTED:
        print(f"{WANTED:g} % are required: make tests/c/fuzz/generate.c and machine.c reach more lines")
    return code or int(judged < WANTED)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
