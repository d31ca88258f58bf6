# SPDX-License-Identifier: BSD-3-Clause
"""One job: a pytest process on one drive, with a limit of its time and an end in order.

:func:`run` is called where the drive is, and returns when nothing of the job is left. The process is the
first of a session of its own, and the kernel kills it if the process that called :func:`run` dies. What it
starts ends with it: virtual SSDs by their pipe, the rest by a kill of its process group, and of what has its
folder in the environment, such as daemons, which have left the group.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pynvme
from pynvme.lab.journal import INTERRUPTED

GRACE = 20.0
"""Seconds that a job may take to close its drive after SIGINT, before it is killed."""
LIMIT, STOPPED, NOW = "time-out", INTERRUPTED, "killed"
"""Why a job is ended: its time limit, a request, a request that does not wait."""

TURN = 0.2
"""Seconds between two looks at whether a job has to end."""
LONGEST_OUTPUT = 1 << 20
"""The most bytes of a job's output that are kept; of a longer one, the end."""
LEAST_ROOM = 1 << 20
"""Bytes: a disk with less room is full, and results of jobs that did not pass on it mean nothing."""

_COOKIE = "PYNVME_JOB"
"""The variable of the environment that has the folder of a job, and tells what the job has started."""
_KILLED = {"outcome": "lost", "message": "something killed its virtual SSD"}
_PR_SET_PDEATHSIG = 1


class Handle:
    """A job that runs in this process's care: its progress, and how to end it."""

    def __init__(self) -> None:
        self.progress: dict[str, Any] = {}
        """total, done, failed, findings, test, kelvin: as far as the job has told."""
        self.reason = ""
        """Why it has to end, or empty."""

    def end(self, reason: str) -> None:
        """Have the job end. The first reason counts, unless the second one does not wait."""
        self.reason = reason if reason == NOW else self.reason or reason


running: dict[str, Handle] = {}
"""The jobs that run in this process, by their names."""


def run(
    spec: Mapping[str, Any],
    folder: str | os.PathLike[str] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Run a job, and return what there is for the journal, with the files that it has left.

    Args:
        spec: see :func:`pynvme.lab.campaign.spec_of`
        folder: where it may put a folder for its files, which is removed at the end
        cancelled: tells, whenever asked, whether nobody waits for the result any more

    Returns:
        ``outcome`` with ``exit``, ``seconds``, ``counts``, ``tests``, ``findings``, ``message``, and
        ``files``: the content, compressed with zlib, by name. The outcome is one of the journal's, or
        ``lost`` if something killed the job or its virtual SSD. For a full disk, see :func:`full`.
    """
    handle = running[spec["job"]] = Handle()
    try:
        if "simulate" in spec:
            return _simulate(float(spec["simulate"]), handle, cancelled)
        with scratch("job-", folder) as made:
            return _Process(spec, made, handle, cancelled).run()
    finally:
        del running[spec["job"]]


def full(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The result of a job, or of a check of health, that had no room for its files: lost, with ``full``."""
    return {
        "outcome": "lost",
        "full": True,
        "message": f"the disk of {folder} on {socket.gethostname()} is full",
    }


def _has_no_room(folder: Path) -> bool:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize < LEAST_ROOM or (room.f_files > 0 and room.f_favail == 0)


def _simulate(seconds: float, handle: Handle, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """A job that only takes time, to measure the engine (tools/bench)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not handle.reason and not cancelled():
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))
    outcome = STOPPED if handle.reason else "passed"
    counts = {"counts": {"passed": 1}, "tests": 1, "findings": 0}
    return {"outcome": outcome, "exit": 0, "seconds": seconds, **counts}


@contextlib.contextmanager
def scratch(prefix: str, above: str | os.PathLike[str] | None) -> Iterator[Path]:
    """A new folder, which is removed at the end."""
    made = tempfile.mkdtemp(prefix=prefix, dir=above)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


class _Process:
    """A job with its process and its folder."""

    def __init__(
        self, spec: Mapping[str, Any], folder: Path, handle: Handle, cancelled: Callable[[], bool]
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._handle = handle
        self._cancelled = cancelled
        self._start = time.monotonic()
        self._has_report = False

    def run(self) -> dict[str, Any]:
        """Run it to its end."""
        for name, content in self._spec["files"].items():
            path = self._folder / "tests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (self._folder / "tests").mkdir(exist_ok=True)
        (self._folder / "tmp").mkdir()
        words = pytest_words(self._spec, self._folder)
        with (self._folder / "output.log").open("wb") as log:
            read, write = os.pipe()
            try:
                process = spawn("pynvme.lab.job", [str(write), *words], log, self._environment(), (write,))
            except BaseException:
                os.close(read)
                raise
            finally:
                os.close(write)
            try:
                code = self._wait(process, read)
            finally:
                end_group(process)
                _end_daemons(f"{_COOKIE}={self._folder}")
                os.close(read)
        return self._result(code)

    def _environment(self) -> dict[str, str]:
        """Those files that a test makes without a word are removed with the folder."""
        made = {"PYNVME_SEED": str(self._spec["seed"]), _COOKIE: str(self._folder)}
        if not self._spec["nodes"]:  # the suite needs none of the plugins that happen to be installed
            made["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        temporary = str(self._folder / "tmp")
        if len(temporary) < 70:  # the path of a socket below it has to fit
            made["TMPDIR"] = temporary
        return made

    def _wait(self, process: subprocess.Popen[bytes], read: int) -> int:
        """Wait for the end, which comes at the time limit at the latest. Returns the exit code."""
        deadline = self._start + self._spec["time_limit"]
        kill_at = float("inf")
        rest = b""
        while not _has_ended(process):
            rest = self._listen(read, rest)
            now = time.monotonic()
            if now >= deadline:
                self._handle.end(LIMIT)
            if self._cancelled():
                self._handle.end(STOPPED)
            if self._handle.reason and kill_at == float("inf"):
                kill_at = now + GRACE
                signal_group(process, signal.SIGINT)
            if now >= kill_at or self._handle.reason == NOW:
                signal_group(process, signal.SIGKILL)
        while select.select([read], [], [], 0)[0]:
            more = self._listen(read, rest)
            if more is rest:
                break
            rest = more
        return end_group(process)

    def _listen(self, read: int, rest: bytes) -> bytes:
        """Take what the process tells of its progress, or wait a moment."""
        if not select.select([read], [], [], TURN)[0]:
            return rest
        piece = os.read(read, 1 << 16)
        if not piece:  # it has closed the pipe and ends, or a test has closed all descriptors
            time.sleep(0.02)
            return rest
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, TypeError):
                self._handle.progress.update(json.loads(line))
        return rest

    # What it left

    def _result(self, code: int) -> dict[str, Any]:
        from pynvme.report import run as report

        result: dict[str, Any] = {
            "exit": code,
            "seconds": round(time.monotonic() - self._start, 3),
            "counts": {},
            "tests": 0,
            "findings": 0,
        }
        with contextlib.suppress(OSError, ValueError):
            run = report.read(self._folder / "report")
            self._has_report = True
            result["counts"] = run.counts()
            result["tests"] = len(run.tests)
            result["findings"] = sum(bool(test.finding) and test.bad for test in run.tests)
        result["files"] = dict(self._files())
        return {**result, **self._judge(code)}

    def _judge(self, code: int) -> dict[str, Any]:
        if self._handle.reason in (STOPPED, NOW):
            return {"outcome": INTERRUPTED, "message": "ended on request"}
        if code and _has_no_room(self._folder):
            return full(self._folder)
        if self._handle.reason == LIMIT:
            return {"outcome": LIMIT, "message": f"it took longer than {self._spec['time_limit']:g} s"}
        if self._handle.progress.get("killed"):
            return _KILLED
        if code < 0:
            return {"outcome": "lost", "message": f"its process was ended by {_signal_name(-code)}"}
        if code in (0, 1, 5) and not self._has_report and "killed" not in self._handle.progress:
            last = self._handle.progress.get("test")
            told = f"it ended before pytest did, with exit code {code}" + (f", in {last}" if last else "")
            return {"outcome": "error", "message": told}
        outcome = {0: "passed", 1: "failed"}.get(code, "error")
        message = "no test was collected" if code == 5 else self._last_line() if outcome == "error" else ""
        return {"outcome": outcome, "message": message}

    def _last_line(self) -> str:
        """The last line of the output that tells an error, or the last one."""
        lines = self._output().decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if line.startswith(("ERROR", "E  ", "INTERNALERROR"))]
        return " ".join((errors or lines or ["it says nothing"])[-1].split())[:500]

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for path in (self._folder / "report/run.json", self._folder / "report/junit.xml"):
            if path.is_file():
                yield path.name, zlib.compress(path.read_bytes(), 1)
        yield "output.log", zlib.compress(self._output(), 1)

    def _output(self) -> bytes:
        """What the job has printed, or the end of it."""
        with (self._folder / "output.log").open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - LONGEST_OUTPUT))
            cut = b"" if size <= LONGEST_OUTPUT else b"(%d bytes left out)\n" % (size - LONGEST_OUTPUT)
            return cut + log.read(LONGEST_OUTPUT)


def pytest_words(spec: Mapping[str, Any], folder: Path) -> list[str]:
    """The words for pytest, in a folder that has the job's test files in ``tests``."""
    from pynvme.report.plugin import OPTION as REPORT
    from pynvme.suite import AREAS, check

    address = address_of(spec, folder)
    report = str(folder / "report")
    more = [*(["-m", spec["marks"]] if spec["marks"] else []), f"--basetemp={folder / 'basetemp'}"]
    more += spec["options"]
    if not spec["nodes"]:
        areas = spec["areas"] or list(AREAS)
        line = check.arguments(
            address, areas, spec["time"] or None, spec["seed"], page=report, tests=spec["tests"]
        )
        return [*more, *line]
    root = folder / "tests"
    settings = next((root / name for name in ("pytest.ini",) if (root / name).is_file()), Path(os.devnull))
    line = ["-c", str(settings), f"--rootdir={root}", "-p", "pynvme.plugin", "-p", "no:cacheprovider", "-v"]
    line += ["-p", "no:randomly", f"--pciaddr={address}", f"{REPORT}={report}"]
    return [*line, *more, *(str(root / node) for node in spec["nodes"])]


def address_of(spec: Mapping[str, Any], folder: Path) -> str:
    """The address of the drive of a job. Rules that an address cannot contain go into a file.

    Args:
        spec: of the job, or of a check of health
        folder: for that file
    """
    from pynvme import bugs
    from pynvme.address import PRIVATE

    if spec["address"]:
        return str(spec["address"])
    options = {name: value for name, value in spec["vssd"].items() if value is not None}
    several = options.get("bug")
    if "fault" in options or isinstance(several, list):
        rules, needed = bugs.plant(several if isinstance(several, list) else filter(None, [several]))
        options = {**needed, **options}
        given = options.pop("fault", [])
        rules = [*([given] if isinstance(given, str) else given), *rules]
        options.pop("bug", None)
        path = folder / "faults"
        path.write_text("\n".join(rules) + "\n", encoding="utf-8")
        options["faults"] = path
    words = [f"{name}={int(value) if isinstance(value, bool) else value}" for name, value in options.items()]
    return f"{PRIVATE}:{','.join(words)}" if words else PRIVATE


# Processes


def spawn(
    module: str,
    words: Sequence[str],
    output: Any,
    environment: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``python -m module`` in a session of its own. It has to call :func:`die_with` first.

    The kernel kills it when the thread that has called this ends.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, str(os.getpid()), *words],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_python_path(), **(environment or {})},
        pass_fds=descriptors,
        start_new_session=True,
    )


def _python_path() -> dict[str, str]:
    """Have a process find this pynvme, whatever its folder, if it is not an installed one."""
    root = str(Path(pynvme.__file__).parents[1])
    if root in (*site.getsitepackages(), site.getusersitepackages()):
        return {}
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": root + (os.pathsep + before if before else "")}


def die_with(parent: int) -> None:
    """Have the kernel kill this process as soon as its parent dies, also if it has died already."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os._exit(1)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended. It stays a zombie, so that its number is still its group's."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process that was not waited for, and to its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def end_group(process: subprocess.Popen[bytes]) -> int:
    """Kill what is left of the group of a process, and return the exit code of that."""
    if process.returncode is None:
        signal_group(process, signal.SIGKILL)
        process.wait()
    return int(process.returncode)


def _end_daemons(cookie: str) -> None:
    """Kill the processes that have a word in their environment, and wait until they have ended."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fd = os.pidfd_open(int(number))
            try:
                if cookie.encode() in Path("/proc", number, "environ").read_bytes().split(b"\0"):
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
                    select.select([fd], [], [], 1.0)
            finally:
                os.close(fd)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


# In the process of the job


class Progress:
    """A plugin of pytest that tells how far the tests are, one line of JSON for each change."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._counts = {"total": 0, "done": 0, "failed": 0, "findings": 0}

    def _tell(self, **more: Any) -> None:
        with contextlib.suppress(OSError):
            os.write(self._fd, json.dumps({**self._counts, **more}).encode() + b"\n")

    def pytest_collection_finish(self, session: Any) -> None:
        """Tell the number of tests."""
        self._counts["total"] = len(session.items)
        self._tell()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell which test begins."""
        self._tell(test=nodeid.rpartition("::")[2])

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count."""
        self._counts["failed"] += report.outcome == "failed"
        found = getattr(report, "nvme_report", {}).get("finding")
        self._counts["findings"] += bool(found) and report.outcome == "failed"
        self._counts["done"] += report.when == "teardown"

    def pytest_runtest_teardown(self, item: Any) -> None:
        """Tell the temperature of the drive as it was when it was opened."""
        observer = item.config.pluginmanager.get_plugin("pynvme.report.observer")
        for drive in getattr(observer, "drives", {}).values():
            kelvin = int.from_bytes(bytes.fromhex(drive.smart_before)[1:3], "little")
            self._tell(**({"kelvin": kelvin} if kelvin else {}))

    def pytest_sessionfinish(self) -> None:
        """Tell whether the virtual SSD was killed, after which the results mean nothing."""
        from pynvme import vssd

        self._tell(killed=vssd.killed())


def _main(words: Sequence[str]) -> int:
    die_with(int(words[0]))
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    import pytest

    return int(pytest.main(list(words[2:]), plugins=[Progress(int(words[1]))]))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
