# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration of ``make run`` shows the drive, a hello world, verified workloads, and a summary.

All figures are measured in this run. The exit code is 1 if a read returned other data than were written, or
if a workload did not finish.
"""

from __future__ import annotations

import inspect
import os
import textwrap
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import nvme
from pytemperature import k2c  # type: ignore[import-untyped]
from rich.console import Console
from rich.live import Live
from rich.text import Text

from pynvme import __version__, lba_format, spec, terminal

REGION_BYTES = 256 << 20
"""How much of the drive each workload uses, at most. Of a smaller drive, each uses a fourth."""

FILLS = 2
"""How often the region is written before the measurements.

A virtual SSD and the verification allocate their memory at the first write, which is far slower than later
ones. The second write is needed since a virtual SSD keeps replaced blocks until a flush.
"""

LINE_PERIOD = 0.2
"""Seconds between two updates of the live line on a terminal."""

LOG_PERIOD = 4.0
"""Seconds between two lines if the output is not a terminal."""

QDEPTH = 33
"""The queue depth for 32 IOs in flight per worker."""

LARGE_IO = 128 << 10
"""Bytes of a sequential IO, unless the drive's MDTS is lower."""

NOTHING_READ = "writes, none verified"

BINARY = ("bytes", "KiB", "MiB", "GiB")


NEXT_STEPS = """\
python -m pynvme vssd                     a virtual SSD that your scripts can share
python -m pynvme run --pciaddr FOLDER     this demonstration on it, by the folder that it prints
python -m pynvme run --pciaddr 01:00.0    on a PCIe drive, which must not be in use

The drive that you name is overwritten from its first LBA on: name one without data."""


@dataclass
class Workload:
    """One step of the demonstration, with workers that run at the same time, all with IOs of one size."""

    name: str
    seconds: int
    io_bytes: int
    workers: Sequence[dict[str, Any]]
    unverified: str = ""
    """The text instead of the number of verified LBAs, if the workload reads nothing."""


@dataclass
class Outcome:
    """The result of a workload, over all of its workers, with latencies in microseconds."""

    workload: Workload
    ios: int
    seconds: float
    mean: float
    p99: float
    worst: float
    failed: int

    @property
    def iops(self) -> float:
        """IOs per second."""
        return self.ios / self.seconds if self.seconds else 0.0


def hello_world(nvme0: nvme.Controller, nvme0n1: nvme.Namespace) -> bytes:
    """Write an LBA, read it back from the callback of the write, return what was read."""
    data_buf = nvme.Buffer(4096)
    data_buf[100:] = b"hello world"
    qpair = nvme.Qpair(nvme0, 16)

    def write_cb(cdw0: int, status: int) -> None:
        data_buf[100:] = b"-----------"
        nvme0n1.read(qpair, data_buf, 0, 1).waitdone()

    nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb).waitdone()
    return data_buf[100:111]


def lba_size_of(nvme0n1: nvme.Namespace) -> int:
    """Bytes of an LBA in the current LBA format."""
    return lba_format.size_in_use(nvme0n1.id_ns)


def _bytes(count: float, step: int = 1000, units: Sequence[str] = ("bytes", "kB", "MB", "GB", "TB")) -> str:
    """Write a number of bytes as in a data sheet."""
    index = 0
    while count >= step and index + 1 < len(units):
        count /= step
        index += 1
    return f"{count:.0f} {units[index]}" if count == int(count) else f"{count:.2f} {units[index]}"


def describe(nvme0: nvme.Controller, nvme0n1: nvme.Namespace) -> list[tuple[str, str]]:
    """Describe the drive by names and values to print."""
    lba_size = lba_size_of(nvme0n1)
    ctrl = nvme0.id_ctrl
    version = spec.Vs(nvme0[spec.Register.VS])
    return [
        ("address", str(nvme0.addr)),
        ("model", ctrl.mn),
        ("serial", ctrl.sn),
        ("firmware", ctrl.fr),
        ("NVMe", f"{version.mjr}.{version.mnr}"),
        ("capacity", f"{_bytes(nvme0n1.capacity)}, {nvme0n1.id_ns.nsze:,} LBAs of {lba_size} bytes"),
        ("IO queues", f"{nvme0.max_qpairs} pairs of up to {spec.Cap(nvme0.cap).mqes + 1} entries"),
        ("largest transfer", _bytes(nvme0.mdts, 1024, BINARY) if nvme0.mdts else "no limit"),
    ]


def _count(number: int, word: str) -> str:
    """Write a number of things, such as 1 LBA or 2 LBAs."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _wrap(parts: Sequence[str], width: int) -> str:
    """Join the parts of a line, over several lines if the terminal is narrow."""
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) <= width:
            lines[-1] += part
        else:
            lines.append("    " + part.strip())
    return "\n".join(lines)


def plan(nvme0: nvme.Controller, nvme0n1: nvme.Namespace, seconds: int) -> list[Workload]:
    """Plan a write that fills the region, a sequential write, random reads, and mixed workers.

    Each mixed worker has its own region, since an LBA is not verified if a read and a write race for it.
    """
    lba_size = lba_size_of(nvme0n1)
    region = min(REGION_BYTES // lba_size, nvme0n1.id_ns.nsze // 4)
    small = max(1, 4096 // lba_size)
    large = min(LARGE_IO, nvme0.mdts or LARGE_IO) // lba_size
    cpus = len(os.sched_getaffinity(0))
    count = max(2, min(4, cpus - 1))
    each = region // count
    step = max(1, seconds // 4)
    common = {"qdepth": QDEPTH, "region_start": 0, "region_end": region}
    write = {**common, "io_size": large, "lba_random": False, "read_percentage": 0}
    fill = {**write, "io_count": FILLS * -(-region // large)}
    return [
        Workload("fill, not measured", 0, large * lba_size, [fill], NOTHING_READ),
        Workload("sequential write", step, large * lba_size, [write], NOTHING_READ),
        Workload("random read", step, small * lba_size, [{**common, "io_size": small, "lba_align": small}]),
        Workload(
            f"mixed 70/30, {count} workers",
            max(1, seconds - 2 * step),
            small * lba_size,
            [
                {
                    **common,
                    "io_size": small,
                    "lba_align": small,
                    "read_percentage": 70,
                    "region_start": i * each,
                    "region_end": (i + 1) * each,
                }
                for i in range(count)
            ],
        ),
    ]


class Display:
    """The live line of a workload, redrawn on a terminal, and otherwise a new line every few seconds."""

    def __init__(self, console: Console, nvme0: nvme.Controller, nvme0n1: nvme.Namespace) -> None:
        """Allocate the buffer of the log page once, so that each update of the line takes one command."""
        self._console = console
        self._nvme0 = nvme0
        self._nvme0n1 = nvme0n1
        self._log_page = nvme.Buffer(512, "SMART log")
        self._smart = spec.SmartLog(self._log_page)
        self._verified = 0

    def temperature(self) -> str:
        """Read the drive's Composite Temperature, in degrees Celsius. 0 K means that it reports none."""
        self._nvme0.getlogpage(2, self._log_page, 512).waitdone()
        kelvin = self._smart.ctemp
        return f"{round(k2c(kelvin))} C" if kelvin else "- C"

    def _line(self, workload: Workload, elapsed: float, iops: float) -> Text:
        """The line at one moment. The mean latency follows from IOPS and the constant number in flight."""
        in_flight = len(workload.workers) * (QDEPTH - 1)
        latency = f"{in_flight / iops * 1e6:7,.0f} us" if iops else f"{'-':>10}"
        verified = self._nvme0n1.verify_stats().judged - self._verified
        parts = [
            f"  {workload.name:<22}",
            f"{elapsed:5.1f} s",
            f" {iops:10,.0f} IOPS",
            f" {iops * workload.io_bytes / 1e6:8,.0f} MB/s",
            f" {latency}",
            f" {self.temperature():>6}",
            f"  {workload.unverified or _count(verified, 'LBA') + ' verified':>24}",
        ]
        return Text(_wrap(parts, self._console.width), no_wrap=True, overflow="ellipsis")

    def follow(self, workload: Workload, workers: Sequence[nvme.IOWorker]) -> None:
        """Show the workers' progress until all of them have ended."""
        redraw = terminal.can_redraw(self._console)
        period = LINE_PERIOD if redraw else LOG_PERIOD
        self._verified = self._nvme0n1.verify_stats().judged
        start = last = time.monotonic()
        done = 0
        with ExitStack() as stack:
            live: Live | None = None
            if redraw:
                live = stack.enter_context(Live(console=self._console, auto_refresh=False, transient=True))
            while any(worker.running for worker in workers):
                time.sleep(0.05)
                now = time.monotonic()
                if now - last < period:
                    continue
                completed = sum(worker.progress[2] for worker in workers)
                line = self._line(workload, now - start, (completed - done) / (now - last))
                last, done = now, completed
                if live is None:
                    self._console.print(line)
                else:
                    live.update(line, refresh=True)

    def finish(self, outcome: Outcome) -> None:
        """Print the final line of the whole workload."""
        self._console.print(self._line(outcome.workload, outcome.seconds, outcome.iops))


def run_workload(nvme0n1: nvme.Namespace, workload: Workload, display: Display) -> Outcome:
    """Run all workers of a workload to their end, and add up their results."""
    latencies: list[dict[int, Any]] = [{99: None} for _ in workload.workers]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                nvme0n1.ioworker(time=workload.seconds, output_percentile_latency=latency, **options)
            )
            for options, latency in zip(workload.workers, latencies)
        ]
        display.follow(workload, workers)
        results = [worker.close() for worker in workers]
    counts = [result.io_count_read + result.io_count_nonread for result in results]
    total = sum(counts)
    outcome = Outcome(
        workload=workload,
        ios=total,
        seconds=max(result.mseconds for result in results) / 1000,
        mean=sum(r.latency_average_us * n for r, n in zip(results, counts)) / total if total else 0.0,
        p99=max(float(latency[99] or 0) for latency in latencies),
        worst=max(float(result.latency_max_us) for result in results),
        failed=sum(1 for result in results if result.error),
    )
    display.finish(outcome)
    return outcome


COLUMNS = ("block", "IOs", "IOPS", "MB/s", "mean us", "p99 us", "max us")


def _figures(outcome: Outcome) -> list[str]:
    """The outcome in the order of COLUMNS."""
    io_bytes = outcome.workload.io_bytes
    return [
        _bytes(io_bytes, 1024, BINARY),
        f"{outcome.ios:,}",
        f"{outcome.iops:,.0f}",
        f"{outcome.iops * io_bytes / 1e6:,.0f}",
        f"{outcome.mean:,.1f}",
        f"{outcome.p99:,.1f}",
        f"{outcome.worst:,.0f}",
    ]


def _show_summary(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Show the outcomes as a table, or as lists if that is too wide."""
    table = terminal.table("  workload", *COLUMNS)
    for outcome in outcomes:
        table.add_row("  " + outcome.workload.name, *_figures(outcome))
    if console.measure(table, options=console.options.update(max_width=1000)).maximum <= console.width:
        console.print(table)
        return
    for outcome in outcomes:
        console.print(Text("  " + outcome.workload.name))
        for title, figure in zip(COLUMNS, _figures(outcome)):
            console.print(Text(f"    {title:<10}{figure}"))


@contextmanager
def _warnings_as_lines(console: Console) -> Iterator[None]:
    """Show the driver's warnings as lines of the output, without Python's file names and source lines."""

    def show(message: Any, *_rest: Any, **_more: Any) -> None:
        console.print(Text(f"  warning: {message}"))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _show_hello_world(console: Console, nvme0: nvme.Controller, nvme0n1: nvme.Namespace) -> bool:
    """Show the source of the hello world, and run it."""
    _heading(console, "Hello world")
    lines = inspect.getsource(hello_world).splitlines()[2:]
    console.print(Text(textwrap.indent(textwrap.dedent("\n".join(lines)), "    ")))
    text = hello_world(nvme0, nvme0n1)
    console.print(Text(f"  read back from the drive: {text!r}"))
    return text == b"hello world"


def _show_end(console: Console, judged: int, unverified: int, mismatch: int, private: bool) -> None:
    """Print what was verified, and what to do next."""
    _heading(console, "Data")
    lines = [f"{_count(judged, 'LBA')} read and compared with what had been written: {mismatch:,} differed"]
    if unverified:
        lines.append(f"{unverified:,} more read that this session had not written, or was just writing")
    for line in lines:
        console.print(Text("  " + line))
    if private:
        _heading(console, "Another drive")
        console.print(Text(textwrap.indent(NEXT_STEPS, "  ")))


def run(address: str, seconds: int, private: bool, console: Console | None = None) -> int:
    """Demonstrate the drive at ``address`` for about ``seconds``, and return the exit code.

    If ``private``, the drive is a virtual SSD of this process, and the end explains how to use another drive.
    """
    console = console or terminal.console()
    kind = "a virtual SSD" if private else address
    console.print(Text(f"pynvme {__version__}: a demonstration on {kind}", style="bold"))
    with _warnings_as_lines(console):
        pcie = nvme.Pcie(address)
        try:
            return _demonstrate(console, pcie, seconds, private)
        finally:
            console.show_cursor()  # Ctrl-C may have come while it was hidden
            pcie.close()


def _demonstrate(console: Console, pcie: nvme.Pcie, seconds: int, private: bool) -> int:
    nvme0 = nvme.Controller(pcie)
    nvme0n1 = nvme.Namespace(nvme0, 1)
    nvme0n1.verify_enable(True)
    _heading(console, "Drive")
    for name, value in describe(nvme0, nvme0n1):
        console.print(Text(f"  {name:<18}{value}"))
    good = _show_hello_world(console, nvme0, nvme0n1)

    _heading(console, "Workloads: data that are read are verified")
    display = Display(console, nvme0, nvme0n1)
    outcomes = [run_workload(nvme0n1, workload, display) for workload in plan(nvme0, nvme0n1, seconds)]
    stats = nvme0n1.verify_stats()
    _heading(console, "Summary")
    _show_summary(console, outcomes[1:])
    _show_end(console, stats.judged, stats.unverified, stats.mismatch, private)
    failed = sum(outcome.failed for outcome in outcomes)
    if failed:
        console.print(Text(f"  {_count(failed, 'worker')} did not finish: see the warnings above"))
    return 0 if good and not failed and not stats.mismatch else 1
