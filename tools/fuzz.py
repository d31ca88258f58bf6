# SPDX-License-Identifier: BSD-3-Clause
"""`make fuzz` sends hostile input to the virtual SSD, in the long form. `make test` runs a short form.

1. 1,000,000 commands for the controller alone (tests/c/fuzz), under ASan and UBSan.
2. 100,000 random messages, 600 faulty sessions and random control records, on the socket, and drives with
   random options for two minutes (tests/vssd). This virtual SSD is built with ASan and UBSan as well.
3. The coverage of the controller by these commands (tools/coverage.py).

Each run draws other input than `make test`, which draws the same each time. PYNVME_FUZZ_SEED or
PYNVME_RANDOM_SEED in the environment repeats a run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import coverage

ASAN = Path("build/asan")
COMMANDS = ASAN / "tests/c/fuzz/test_commands"
VSSD = ASAN / "vssd"
SOCKET_TESTS = [
    f"tests/vssd/test_random_{what}.py" for what in ("messages", "management", "sessions", "options")
]


def build() -> None:
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    command = ["make", "--no-print-directory", "-f", "tools/native.mk", jobs, f"PYTHON={sys.executable}"]
    subprocess.run([*command, "VARIANT=asan", "WERROR=1", str(VSSD), str(COMMANDS)], check=True)


def run(name: str, command: list[str], environment: dict[str, str]) -> bool:
    start = time.monotonic()
    print(f"{name} …", flush=True)
    good = subprocess.run(command, env={**os.environ, **environment}).returncode == 0
    print(f"{'passed' if good else 'FAILED'}  {name}  ({time.monotonic() - start:.0f} s)\n", flush=True)
    return good


def main() -> int:
    build()
    good = run("commands", [str(COMMANDS)], {"PYNVME_FUZZ_COMMANDS": "1000000"})
    environment = {
        "PYNVME_VSSD": str(VSSD.resolve()),
        "PYNVME_RANDOM_MESSAGES": "100000",
        "PYNVME_RANDOM_SESSIONS": "600",
        "PYNVME_RANDOM_OPTIONS_SECONDS": "120",
        "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    good &= run(
        "sockets",
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-m", "not slow", *SOCKET_TESTS],
        environment,
    )
    return int(coverage.main() != 0 or not good)


if __name__ == "__main__":
    sys.exit(main())
