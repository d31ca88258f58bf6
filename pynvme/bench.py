# SPDX-License-Identifier: BSD-3-Clause
"""The measurements behind ``make bench``: how fast the driver is on this machine, on a virtual SSD.

Each figure is the median of several runs. A run in which the worker or the virtual SSD had to wait for a CPU
says more about the neighbours than about the driver, so it is repeated; one that is kept all
the same is marked.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

import nvme
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pynvme import __version__, terminal
from pynvme.vssd import VirtualSsd

LAYOUT = 1
"""Version of the JSON file's layout: grows when a name goes or changes its meaning, not when one is added."""

REGION_BYTES = 256 << 20
QDEPTH = 65
CONTENDED_SHARE = 0.03
"""Share of a run that one process may wait for a CPU before the run counts as contended."""
REPEATS = 3
"""How often a contended run is repeated at most."""


@dataclass
class Figure:
    """One line of the table: all runs of one measurement."""

    name: str
    title: str
    unit: str
    runs: list[float] = field(default_factory=list)
    contended: int = 0
    """How many of the runs waited for a CPU more than CONTENDED_SHARE, after all repetitions."""

    @property
    def median(self) -> float:
        """The value that is reported."""
        return statistics.median(self.runs)

    def as_json(self) -> dict[str, Any]:
        """Give everything that the JSON file holds of this figure."""
        return {**asdict(self), "median": self.median, "minimum": min(self.runs), "maximum": max(self.runs)}


class WaitMeter:
    """How long processes waited for a CPU, by the kernel's own count (/proc/PID/schedstat).

    A worker's file is gone with the worker, so ``sample`` is called while it runs and the last value counts.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        """Start with processes that are known from the beginning; sample() finds this process's children."""
        self._known = list(pids)
        self._first: dict[int, tuple[float, int]] = {}
        self._last: dict[int, tuple[float, int]] = {}
        self.sample()

    @staticmethod
    def _waited(pid: int) -> int | None:
        """Nanoseconds that all threads of a process waited; None: there is no such process any more."""
        try:
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
            return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks)
        except (OSError, IndexError):
            return None

    @staticmethod
    def _children() -> list[int]:
        found: list[int] = []
        for task in Path("/proc/self/task").iterdir():
            try:
                found += [int(pid) for pid in (task / "children").read_text().split()]
            except OSError:
                continue
        return found

    def sample(self) -> None:
        """Look at every process once."""
        now = time.monotonic()
        for pid in {*self._known, *self._children()}:
            waited = self._waited(pid)
            if waited is not None:
                self._first.setdefault(pid, (now, waited))
                self._last[pid] = (now, waited)

    def share(self) -> float:
        """The largest share of its time that one of the processes waited, 0 … 1."""
        shares = [0.0]
        for pid, (start, before) in self._first.items():
            end, after = self._last[pid]
            if end > start:
                shares.append((after - before) / 1e9 / (end - start))
        return max(shares)


class Bench:
    """A virtual SSD for the time of the measurements, opened by the driver."""

    def __init__(self, console: Console, runs: int, seconds: int) -> None:
        """``runs`` of each measurement, each ``seconds`` long."""
        self._console = console
        self._runs = runs
        self._seconds = seconds
        self._ssd = VirtualSsd(size="1G")
        self._pcie: nvme.Pcie | None = None

    def __enter__(self) -> Bench:
        """Open the drive and write the region that is read later."""
        self._pcie = nvme.Pcie(self._ssd.address)
        self._nvme0 = nvme.Controller(self._pcie)
        self._nvme0n1 = nvme.Namespace(self._nvme0, 1)
        self._lba_size = self._ssd.geometry(1).lba_size
        self._region = REGION_BYTES // self._lba_size
        self._nvme0n1.verify_enable(True)
        self._nvme0n1.ioworker(
            io_size=(64 << 10) // self._lba_size,
            lba_random=False,
            read_percentage=0,
            region_end=self._region,
            qdepth=16,
        ).start().close()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the drive and end the virtual SSD."""
        if self._pcie is not None:
            self._pcie.close()
        self._ssd.close()

    def _repeat(self, figure: Figure, measure: Callable[[WaitMeter], float]) -> float:
        """Measure once; again where the run was contended. The value that stays is appended to the figure."""
        self._console.print(Text(f"  {figure.title}, run {len(figure.runs) + 1} of {self._runs}"))
        for _ in range(1 + REPEATS):
            meter = WaitMeter([os.getpid(), self._ssd.pid])
            value = measure(meter)
            if meter.share() <= CONTENDED_SHARE:
                break
        else:
            figure.contended += 1
        figure.runs.append(value)
        return value

    def _worker(self, meter: WaitMeter) -> float:
        """One worker, 4 KiB random reads: IOs a second."""
        worker = self._nvme0n1.ioworker(
            io_size=4096 // self._lba_size,
            lba_align=4096 // self._lba_size,
            region_end=self._region,
            qdepth=QDEPTH,
            time=self._seconds,
        ).start()
        while worker.running:
            meter.sample()
            time.sleep(0.05)
        result = worker.close()
        if result.error:
            raise RuntimeError(f"the worker ended with error {result.error}: nothing was measured")
        return float(result.io_count_read) * 1000 / float(result.mseconds)

    def worker_reads(self) -> list[Figure]:
        """Random reads without and with verification, in turns, so that both see the same machine."""
        off = Figure("worker_read_iops", "random read, one worker, not verified", "IOPS")
        on = Figure("worker_verified_read_iops", "random read, one worker, verified", "IOPS")
        ratio = Figure("verified_ratio", "verified / not verified", "")
        judged = Figure("judged_share", "share of LBAs that was judged", "")
        for _ in range(self._runs):
            self._nvme0n1.verify_enable(False)
            plain = self._repeat(off, self._worker)
            self._nvme0n1.verify_enable(True)
            before = self._nvme0n1.verify_stats()
            verified = self._repeat(on, self._worker)
            after = self._nvme0n1.verify_stats()
            if after.mismatch:
                raise RuntimeError(f"{after.mismatch} LBAs were not what had been written to them")
            seen = after.judged - before.judged
            unseen = after.unverified - before.unverified
            ratio.runs.append(verified / plain)
            judged.runs.append(seen / (seen + unseen) if seen + unseen else 0.0)
        return [off, on, ratio, judged]

    def python_reads(self) -> Figure:
        """read().waitdone() of 4 KiB in a loop of Python: calls a second."""
        figure = Figure("python_read_rate", "read().waitdone() from Python", "/s")
        qpair = nvme.Qpair(self._nvme0, 16)
        buffer = nvme.Buffer(4096)
        count = 4096 // self._lba_size

        def measure(meter: WaitMeter) -> float:
            calls = 0
            start = time.perf_counter()
            end = start + self._seconds
            while time.perf_counter() < end:
                for _ in range(100):
                    self._nvme0n1.read(qpair, buffer, 0, count).waitdone()
                calls += 100
            rate = calls / (time.perf_counter() - start)
            meter.sample()
            return rate

        for _ in range(self._runs):
            self._repeat(figure, measure)
        qpair.delete()
        return figure

    def opening(self) -> Figure:
        """Open a controller on the running drive: milliseconds until the constructors return."""
        figure = Figure("open_ms", "open a controller", "ms")

        def measure(meter: WaitMeter) -> float:
            start = time.perf_counter()
            pcie = nvme.Pcie(self._ssd.address)
            nvme.Controller(pcie)
            taken = (time.perf_counter() - start) * 1000
            meter.sample()
            pcie.close()
            return taken

        assert self._pcie is not None
        self._pcie.close()
        for _ in range(self._runs):
            self._repeat(figure, measure)
        return figure

    def importing(self) -> Figure:
        """Import the module in a fresh interpreter: milliseconds, measured inside of it."""
        figure = Figure("import_ms", "import nvme", "ms")
        code = "import time; t = time.perf_counter(); import nvme; print((time.perf_counter() - t) * 1000)"
        folders = [str(Path(nvme.__file__).parent), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}

        def measure(_meter: WaitMeter) -> float:
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
            return float(done.stdout)

        for _ in range(self._runs):
            self._repeat(figure, measure)
        return figure


def _cpu() -> str:
    """Name of the processor as the kernel has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpu": _cpu(),
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _number(value: float) -> str:
    """Three digits that count, with thousands separated."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def as_table(figures: Sequence[Figure]) -> Table:
    """Lay out the figures as a table."""
    table = terminal.table("", "median", "minimum", "maximum")
    table.add_column("")
    table.add_column("")
    for figure in figures:
        note = f"{figure.contended} of {len(figure.runs)} runs contended" if figure.contended else ""
        values = [_number(v) for v in (figure.median, min(figure.runs), max(figure.runs))]
        table.add_row(figure.title, *values, figure.unit, note)
    return table


def run(json_file: str | None, runs: int, seconds: int, console: Console | None = None) -> int:
    """Measure everything, print the table, write ``json_file`` if given; returns the exit code."""
    console = console or terminal.console()
    about = machine()
    console.print(Text(f"pynvme {__version__} on {about['cpus']} CPUs, {about['cpu']}", style="bold"))
    workload = f"4 KiB, {QDEPTH - 1} in flight, over {REGION_BYTES >> 20} MiB"
    console.print(Text(f"{workload}; {runs} runs of {seconds} s"))
    progress = terminal.console(stderr=True)
    with Bench(progress, runs, seconds) as bench:
        figures = [*bench.worker_reads(), bench.python_reads(), bench.opening(), bench.importing()]
    console.print()
    console.print(as_table(figures))
    if json_file is not None:
        content = {
            "layout": LAYOUT,
            "pynvme": __version__,
            "machine": about,
            "qdepth": QDEPTH,
            "region_bytes": REGION_BYTES,
            "seconds": seconds,
            "figures": [figure.as_json() for figure in figures],
        }
        Path(json_file).write_text(json.dumps(content, indent=1) + "\n")
        console.print(Text(f"written to {json_file}"))
    return 0
