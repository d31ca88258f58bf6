# SPDX-License-Identifier: BSD-3-Clause
"""Runs areas of `python -m pynvme check` on those of QEMU's drives that have what they judge.

    areas.py DRIVE=AREA…        DRIVE is a word of tools/qemu/run, which is the serial number of the drive

It is a script, since each area is a run of pytest with a drive of its own.
"""

from __future__ import annotations

import subprocess
import sys

from pynvme.sysfs import text
from tests.qemu.conftest import FUNCTIONS

SUITE = ["-m", "pynvme", "check", "--yes", "--keep-power", "--shrink", "0", "--time", "20s", "--seed", "1"]
SUITE += ["--known", "tests/suite/known.txt"]


def address_of(word: str) -> str:
    """The address of a drive, by the kernel's driver, which has it before and after a run."""
    for folder in FUNCTIONS.glob("*/nvme/nvme*"):
        if text(folder / "serial") == word:
            return folder.parents[1].name
    raise SystemExit(f"the guest has no drive called {word}")


def main(words: list[str]) -> int:
    """Run the areas one after the other. Return 1 if one of them had a finding."""
    failed = []
    for word in words:
        drive, _, area = word.partition("=")
        line = [sys.executable, *SUITE, f"--report=/share/{area}.jsonl", f"--area={area}"]
        print(f"--- {area} on {drive}", flush=True)
        if subprocess.run([*line, "--pciaddr", address_of(drive)]).returncode:
            failed.append(word)
    print("failed:" if failed else "all areas passed", *failed, flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
