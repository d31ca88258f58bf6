# SPDX-License-Identifier: BSD-3-Clause
"""`make test`: everything that judges a commit, and one summary at the end.

1. C tests, each a small program under ASan and UBSan, warnings being errors (tests/c).
2. The virtual SSD built the same way, spoken to in raw bytes (tests/vssd).
3. All other Python tests, on what the user runs.

A part that fails does not keep the others from running. Words on the command line go to pytest, which then
runs alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from parts import Part, counts, summary

ASAN = Path("build/asan")
SECONDS_A_PROGRAM = 120
JOBS = len(os.sched_getaffinity(0))


def native(*goals: str) -> subprocess.CompletedProcess[str]:
    """Build under ASan and UBSan; with -k, so that one test that does not compile hides no other."""
    command = ["make", "--no-print-directory", "-k", "-f", "tools/native.mk", f"-j{JOBS}"]
    command += [f"PYTHON={sys.executable}", "VARIANT=asan", "WERROR=1", *goals]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def built(name: str, *goals: str) -> bool:
    """Build goals; what the compiler said is in a log, and on the screen where it failed."""
    done = native(*goals)
    log = Path("build") / f"{name}.log"
    log.write_text(done.stdout)
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if not re.match(r"  (CC|LD) ", line)]
        print("\n".join(said[:60]), f"(all of it is in {log})", sep="\n")
    return done.returncode == 0


def c_tests() -> Part:
    """Build and run each program; of one that passes only the count of its tests is shown."""
    start = time.monotonic()
    good = built("asan-c-tests", "c-tests")
    passed = failed = skipped = 0
    sources = sorted([*Path("tests/c").glob("test_*.c"), *Path("tests/c").glob("*/test_*.c")])
    for source in sources:
        program = ASAN / source.with_suffix("")
        if not program.exists():
            print(f"{source}: was not built")
            failed += 1
            continue
        output, code = run(program)
        (program.with_suffix(".log")).write_text(output)
        lines = output.splitlines()
        passed += sum(line.startswith("ok ") for line in lines)
        skipped += sum(line.startswith("skip ") for line in lines)
        broken = sum(line.startswith("FAIL ") for line in lines)
        if code == 0 and not any(line.startswith(("ok ", "skip ")) for line in lines):
            print(f"{source}: ran no test; it has to include tests/c/test.h")
            code = 2
        failed += max(broken, int(code != 0))
        if code:
            told = [line for line in lines if not line.startswith("ok ")]
            print(f"--- {source} (exit code {code})", *told, sep="\n")
        for line in lines:
            if line.startswith("skip "):
                print(f"{source}: {line}")
    text = f"{passed} passed, {failed} failed, {skipped} skipped in {len(sources)} programs"
    return Part("C, with ASan and UBSan", good and not failed, text, time.monotonic() - start)


def run(program: Path) -> tuple[str, int]:
    """A program's output and exit code; one that hangs is ended and says so."""
    try:
        done = subprocess.run(
            [str(program)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS_A_PROGRAM,
            errors="replace",
            text=True,
        )
    except subprocess.TimeoutExpired as hung:
        output = hung.stdout or b""
        text = output if isinstance(output, str) else output.decode(errors="replace")
        return f"{text}\nstill running after {SECONDS_A_PROGRAM} s", 124
    return done.stdout, done.returncode


def pytest(name: str, words: list[str], environment: dict[str, str]) -> Part:
    """One run of pytest; its own summary line is repeated in ours."""
    start = time.monotonic()
    report = Path("build") / f"pytest-{len(list(Path('build').glob('pytest-*.xml')))}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--junitxml={report}", *words]
    code = subprocess.run(command, env={**os.environ, **environment}).returncode
    return Part(name, code == 0, counts(report, code), time.monotonic() - start)


def vssd_tests() -> Part:
    """The virtual SSD alone, built with ASan: what it does wrong in memory ends it, and the test with it."""
    if not built("asan-vssd", "vssd"):
        return Part("the virtual SSD, with ASan", False, "was not built", 0)
    environment = {
        "PYNVME_VSSD": str((ASAN / "vssd").resolve()),
        "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    return pytest("the virtual SSD, with ASan", ["tests/vssd", "-n", str(JOBS)], environment)


def python_tests() -> Part:
    return pytest("Python", ["tests", "--ignore=tests/vssd", "--durations=5"], {})


@contextlib.contextmanager
def kernel_folders() -> Iterator[None]:
    """A bare chroot lacks /proc, without which nothing finds leaks, and /dev/pts: mount them for now."""
    mounted: list[str] = []
    for kind, folder, shown in (("proc", "/proc", "/proc/self"), ("devpts", "/dev/pts", "/dev/pts/ptmx")):
        if os.path.exists(shown):
            continue
        done = subprocess.run(["mount", "-t", kind, kind, folder], capture_output=True, text=True)
        if done.returncode == 0:
            mounted.append(folder)
        else:
            print(f"{folder} is not mounted, and cannot be: {done.stderr.strip()}; tests that need it fail")
    try:
        yield
    finally:
        for folder in reversed(mounted):
            subprocess.run(["umount", "--lazy", folder])


def main(words: list[str]) -> int:
    with kernel_folders():
        return run_parts(words)


def run_parts(words: list[str]) -> int:
    Path("build").mkdir(exist_ok=True)
    for stale in Path("build").glob("pytest-*.xml"):
        stale.unlink()
    parts: list[Callable[[], Part]] = [c_tests, vssd_tests, python_tests]
    if words:
        parts = [lambda: pytest("Python", words, {})]
    results = []
    for part in parts:
        results.append(part())
        print(flush=True)
    return summary(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
