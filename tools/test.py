# SPDX-License-Identifier: BSD-3-Clause
"""`make test` runs everything that judges a commit, and prints one summary at the end.

Two lanes run in parallel. The first runs the Python tests, in more processes than there are CPUs, because
some tests wait. It begins with all tests but tests/vssd, on the release build. Then it runs tests/vssd, which
sends raw bytes to a virtual SSD that is built with ASan and UBSan. The second lane builds this virtual SSD,
builds and runs the C tests with ASan and UBSan and with warnings as errors, runs the linters, and runs
tests/scripts in order on one drive. Compilers and linters have a lower priority than tests.

After both lanes, the tests that measure time run alone, and so do those that were skipped because of the load
(tests/fix_load.py). If a test fails in a lane, `make test` shows it and runs it again alone, and that
run decides whether it passes. A Python test runs again only if other processes had the CPUs meanwhile.

With an engine other than our own (`make test ENGINE=spdk` sets PYNVME_ENGINE), only tests/api and
tests/scripts run, which use the driver through its public interface. Tests that need what this engine
withholds are skipped (tests/fix_engines.py). If this build lacks the engine, nothing runs: that is an error.

If a part fails, the others still run. Words on the command line are passed to pytest, which then runs alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import engines
import whole
from parts import Part, counts, summary

ASAN = Path("build/asan")
SECONDS_A_PROGRAM = 400
JOBS = len(os.sched_getaffinity(0))
GIVES_WAY = ["nice", "-n4"]
SANITIZERS = {
    "PYNVME_VSSD": str((ASAN / "vssd").resolve()),
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def keep_bytecode() -> None:
    """Have all interpreters of this run keep compiled modules below build/ if the environment forbids it.

    A test often starts an interpreter. Without compiled modules, each compiles the same sources again.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path("build/pycache").resolve()))


def rewrite_assertions() -> None:
    """Have pytest rewrite the assertions of all tests once, unless it has.

    It keeps what it has rewritten. On a new machine, otherwise each parallel process rewrites all of it.
    """
    stamp = Path("build") / "rewritten"
    if stamp.exists():
        return
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only"]
    halves = [["tests/api"], ["tests", "--ignore=tests/api"]]
    running = [subprocess.Popen([*command, *half], stdout=subprocess.DEVNULL) for half in halves]
    codes = [process.wait() for process in running]
    if not any(codes):
        stamp.touch()


def draw_the_same_numbers() -> None:
    """Have the tests that draw their input draw the same in each run, so that a commit is judged once.

    `make fuzz` draws new input in each run. A seed in the environment is kept.
    """
    for name in ("PYNVME_RANDOM_SEED", "PYNVME_FUZZ_SEED"):
        os.environ.setdefault(name, "1")


# C


def built(name: str, *goals: str) -> list[str]:
    """Build with ASan and UBSan, with the output in a log. If that fails, return the output of the compiler.

    make runs with -k, so that a test that does not compile does not hide others.
    """
    command = [*GIVES_WAY, "make", "--no-print-directory", "-k", "-f", "tools/native.mk", f"-j{JOBS}"]
    command += [f"PYTHON={sys.executable}", "VARIANT=asan", "WERROR=1", *goals]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = Path("build") / f"{name}.log"
    log.write_text(done.stdout)
    if done.returncode == 0:
        return []
    said = [line for line in done.stdout.splitlines() if not re.match(r"  (CC|LD) ", line)]
    return [*said[:60], f"(all of it is in {log})"]


class Program(NamedTuple):
    """A C test that ran, with the lines of its output and its exit code."""

    source: Path
    lines: list[str]
    code: int

    def told(self, word: str) -> list[str]:
        """The lines that begin with a word."""
        return [line for line in self.lines if line.startswith(f"{word} ")]

    @property
    def put_off(self) -> list[str]:
        """Names of the tests that were skipped because of the load."""
        return [line.split()[1].rstrip(":") for line in self.told("skip") if line.endswith(": load")]

    @property
    def failed(self) -> list[str]:
        """Names of the tests that failed, unless a sanitizer or a signal ended the program."""
        ended = self.code != 1 or any("Sanitizer" in line or "runtime error:" in line for line in self.lines)
        return [] if ended else [line.split()[1] for line in self.told("FAIL")]


def c_tests() -> tuple[Part, dict[Path, list[str]]]:
    """Build and run each program. If a program passes, only the count of its tests is shown."""
    start = time.monotonic()
    shown = built("asan-c-tests", "c-tests")
    bad = bool(shown)
    passed = failed = skipped = 0
    later: dict[Path, list[str]] = {}
    sources = sorted([*Path("tests/c").glob("test_*.c"), *Path("tests/c").glob("*/test_*.c")])
    for source in sources:
        if not (ASAN / source.with_suffix("")).exists():
            shown.append(f"{source}: was not built")
            failed += 1
            continue
        one = run(source)
        failures, told = judged(one)
        failed += failures - len(one.failed)
        shown += told
        passed += len(one.told("ok"))
        skipped += len(one.told("skip")) - len(one.put_off)
        if one.put_off or one.failed:
            later[source] = one.put_off + one.failed
    text = f"{passed} passed, {failed} failed, {skipped} skipped in {len(sources)} programs"
    put_off = sum(map(len, later.values()))
    text += f", {put_off} put off by load" if put_off else ""
    part = Part("C, with ASan and UBSan", not (bad or failed), text, time.monotonic() - start, shown)
    return part, later


def c_tests_again(later: dict[Path, list[str]]) -> Part:
    """Run the tests that the load skipped, and those that failed beside others: now they are judged."""
    start = time.monotonic()
    passed = failed = skipped = 0
    shown = []
    for source, names in later.items():
        one = run(source, *names)
        failures, told = judged(one)
        failed += failures
        shown += told + [f"{source}: {line}" for line in one.told("skip") if line.endswith(": load")]
        passed += len(one.told("ok"))
        skipped += len(one.told("skip"))
    text = f"{passed} passed, {failed} failed, {skipped} skipped"
    return Part("C, alone", not failed, text, time.monotonic() - start, shown)


def judged(one: Program) -> tuple[int, list[str]]:
    """Count the failures in a program, and return the lines of its output that the user should read."""
    shown = [f"{one.source}: {line}" for line in one.told("skip") if not line.endswith(": load")]
    code = one.code
    if code == 0 and not (one.told("ok") or one.told("skip")):
        shown.append(f"{one.source}: ran no test; it has to include tests/c/test.h")
        code = 2
    if code:
        shown.append(f"--- {one.source} (exit code {code})")
        shown += [line for line in one.lines if not line.startswith("ok ")]
    return max(len(one.told("FAIL")), int(code != 0)), shown


def run(source: Path, *names: str) -> Program:
    """Run a C test, with its output in a log. A test that hangs is killed, and its output says so."""
    program = ASAN / source.with_suffix("")
    done = whole.run([str(program), *names], SECONDS_A_PROGRAM)
    output, code = done.output, done.code
    if done.hung:
        output, code = f"{output}\nstill running after {SECONDS_A_PROGRAM} s", 124
    program.with_suffix(".log").write_text(output)
    return Program(source, output.splitlines(), code)


# Python


def pytest(
    name: str,
    words: list[str],
    environment: dict[str, str] | None = None,
    shown: bool = True,
    later: Path | None = None,
) -> Part:
    """Run pytest once, and repeat its summary line in ours. Unless it is shown, it prints only if it fails.

    later is the file in which it lists tests that run again.
    """
    start = time.monotonic()
    report = Path("build") / f"pytest-{name.replace(' ', '-').replace(',', '')}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--junitxml={report}", *words]
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
    )
    lines = [] if shown or done.returncode == 0 else done.stdout.splitlines()
    put_off = len(later.read_text().splitlines()) if later and later.exists() else 0
    text = counts(report, done.returncode, put_off)
    return Part(name, done.returncode == 0, text, time.monotonic() - start, lines)


class Suite(NamedTuple):
    """Tests in Python that run twice, first in parallel processes, and then alone for those that are left."""

    name: str
    words: list[str]
    environment: dict[str, str]
    processes: int = JOBS + 1

    @property
    def later(self) -> Path:
        """The file that lists the tests that are left."""
        return Path("build") / f"later-{self.name.split()[0].replace('/', '-')}"

    @property
    def lists(self) -> list[Path]:
        """The files of the tests that a load skipped, and of those that measure time (tests/fix_load.py)."""
        return [self.later, self.later.with_suffix(".timing")]

    def beside(self) -> Part:
        """Run all tests that do not measure time. The part tells how many were put off by load."""
        for path in self.lists:
            path.unlink(missing_ok=True)
        words = [*self.words, "-n", str(self.processes), "--dist", "worksteal", f"--beside={self.later}"]
        return pytest(self.name, words, self.environment, later=self.later)

    def alone(self) -> Part:
        """Run the tests that measure time, and those that were put off. No other files are collected."""
        words = [*self.words, f"--alone={self.later}"]
        if files := self.left_files():
            words = [*files, *(word for word in words if word.startswith("-"))]
        return pytest(f"{self.name}, alone", words, self.environment)

    def left_files(self) -> list[str]:
        """The files of the tests that the first run left, or none if it did not get so far."""
        lines = [line for path in self.lists if path.exists() for line in path.read_text().splitlines()]
        return sorted({line.partition("::")[0] for line in lines})


API = Suite("tests/api", ["tests/api", "--durations=5"], {})
PYTHON = Suite("Python", ["tests", "--ignore=tests/vssd", "--ignore=tests/scripts", "--durations=5"], {})
VSSD = Suite("virtual SSD with ASan", ["tests/vssd"], SANITIZERS, 3 * JOBS)
"""Each test waits for a virtual SSD to begin and to end: more processes are needed to use all CPUs."""


# The whole


def lint() -> Part:
    """Run the linters. Their output is shown only if they found something."""
    start = time.monotonic()
    command = [*GIVES_WAY, "make", "--no-print-directory", "lint"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = done.stdout.splitlines()
    text = lines[-1] if lines else "said nothing"
    good = done.returncode == 0
    return Part("lint", good, text, time.monotonic() - start, [] if good else lines)


def show(part: Part) -> Part:
    """Print the output of a part of the other lane."""
    if part.shown:
        print(f"--- {part.name}", *part.shown, sep="\n", flush=True)
    return part


def run_parts() -> int:
    """Run both lanes, then the tests that have to run alone."""
    with ThreadPoolExecutor(1) as lane:
        vssd_built = lane.submit(built, "asan-vssd", "vssd")
        c_done = lane.submit(c_tests)
        linted = lane.submit(lint)
        scripts = lane.submit(pytest, "scripts", ["tests/scripts"], None, False)
        rewrite_assertions()
        parts = [PYTHON.beside(), vssd_beside(vssd_built)]
        c_part, later = c_done.result()
        parts += [show(c_part), show(linted.result()), show(scripts.result())]
    parts.append(PYTHON.alone())
    if not vssd_built.result():
        parts.append(VSSD.alone())
    if later:
        parts.append(show(c_tests_again(later)))
    print(flush=True)
    return summary(parts)


def run_engine() -> int:
    """Run the tests of the public interface, with an engine that is not pynvme's own."""
    parts = [API.beside(), pytest("scripts", ["tests/scripts"]), API.alone()]
    print(flush=True)
    return summary(parts)


def vssd_beside(vssd_built: Future[list[str]]) -> Part:
    """Run tests/vssd on the build with ASan. A memory error ends the virtual SSD, and so fails the test."""
    if failed := vssd_built.result():
        return show(Part(VSSD.name, False, "was not built", 0, failed))
    return VSSD.beside()


@contextlib.contextmanager
def kernel_folders() -> Iterator[None]:
    """Mount /proc and /dev/pts in a bare chroot, which lacks them. LeakSanitizer needs /proc."""
    mounted: list[str] = []
    for kind, folder, shown in (("proc", "/proc", "/proc/self"), ("devpts", "/dev/pts", "/dev/pts/ptmx")):
        if os.path.exists(shown):
            continue
        done = subprocess.run(["mount", "-t", kind, kind, folder], capture_output=True, text=True)
        if done.returncode == 0:
            mounted.append(folder)
        else:
            print(f"{folder} is not mounted, and tests that need it fail. mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        for folder in reversed(mounted):
            subprocess.run(["umount", "--lazy", folder])


def main(words: list[str]) -> int:
    """Run everything, or pytest with the words. Return the exit code."""
    Path("build").mkdir(exist_ok=True)
    for stale in Path("build").glob("pytest-*.xml"):
        stale.unlink()
    if missing := engines.missing():
        print(missing)
        return 2
    keep_bytecode()
    draw_the_same_numbers()
    with kernel_folders():
        if words:
            return summary([pytest("Python", words)])
        if not engines.is_own():
            return run_engine()
        code = run_parts()
        print(engines.others())
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
