# SPDX-License-Identifier: BSD-3-Clause
"""Watches IO workers while they run: takes their samples, and shows a line in a terminal or a notebook.

``ioworker(progress=True)`` and ``pytest --nvme-live`` show it::

    2 workers  3.2 s, 6.8 s left  412,118 IOPS  1,688 MB/s  p99 121 us  31 °C  1.32 M LBAs verified

One thread of this process looks at the memory that it shares with the workers, ten times a second. It exists
only while a worker is watched. If a line is shown, it also reads the temperature once a second, with a Get
Log Page command of the driver's own, unless the script has an admin command in flight or has just reset the
controller.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Protocol, TextIO

from pynvme.samples import Samples, percentiles

if TYPE_CHECKING:
    from pynvme.worker import Parameters

PERIOD = 0.1
"""Seconds between two samples."""

REDRAW = 2
"""Samples between two updates of the line."""

TEMPERATURE = 1.0
"""Seconds between two reads of the temperature."""

_DATA = (0x01, 0x02, 0x05)
"""Opcodes that transfer the data of their LBAs: write, read, compare."""
_STEP = [("time_us", "<u8"), ("slba", "<u8"), ("nlb", "<u4"), ("opcode", "<u4")]
"""struct pyn_workload_step."""


@dataclass(eq=False)
class Run:
    """A worker from its start to its end."""

    worker: weakref.ref[Any]
    namespace: Any
    controller: Any
    given: Parameters
    samples: Samples
    shown: bool
    began: float
    """By time.monotonic()."""
    judged: int = 0
    """LBAs that were verified in its namespace before."""
    thermometer: Thermometer | None = None
    """None if no line is shown."""
    result: dict[str, Any] | None = None
    latest: list[tuple[float, int, Any]] = field(default_factory=list)
    """The samples of the last second: moment in s, IOs completed, counts by bucket."""

    def sample(self) -> bool:
        """Take a sample. Returns False once the worker is closed."""
        worker = self.worker()
        taken = worker._sample() if worker is not None else None
        if taken is None:
            return False
        self.samples.add(*taken)
        self.latest = [*self.latest[-10:], (taken[0] / 1e9, taken[1], taken[2])]
        return True

    def left(self, rate: float) -> float | None:
        """Seconds until it ends, as far as its parameters tell."""
        ends = []
        if self.given.time:
            ends.append(float(self.given.time) - (time.monotonic() - self.began))
        if self.given.io_count and rate:
            ends.append((int(self.given.io_count) - self.latest[-1][1]) / rate)
        return max(0.0, min(ends)) if ends else None


class Thermometer:
    """Reads the temperature of a drive, as a thread beside the script that uses the drive.

    Args:
        controller: the drive, an ``nvme.Controller``
    """

    def __init__(self, controller: Any) -> None:
        from nvme import Buffer

        self.kelvin: int | None = None
        self._controller = controller
        # In the thread of the script: a worker may be forked while another thread allocates memory.
        self._buffer = Buffer(512, "temperature")
        self._next = 0.0

    def look(self) -> None:
        """Read the temperature, if a second has passed. After an error it is never read again."""
        now = time.monotonic()
        if now < self._next:
            return
        try:
            if self._controller._read_smart_beside(self._buffer):
                self._next = now + TEMPERATURE
                self.kelvin = self._buffer.data(2, 1) or None
        except Exception:
            self._next = float("inf")


Listener = Callable[[Run], None]


def bytes_of_an_io(given: Parameters, lba_size: int, steps: bytes | None = None) -> float:
    """Bytes that an IO transfers, the mean over all IOs of a workload. ``steps``: those of an io_sequence."""
    if steps is not None:
        import numpy

        entries = numpy.frombuffer(steps, dtype=_STEP)
        lbas = entries["nlb"] * numpy.isin(entries["opcode"], _DATA)
        return float(lba_size * lbas.mean()) if len(lbas) else 0.0
    sizes: Any = given.io_size
    if isinstance(sizes, dict):
        mean = sum(size * ratio for size, ratio in sizes.items()) / sum(sizes.values())
    elif isinstance(sizes, (list, tuple, range)):
        mean = sum(sizes) / len(sizes)
    else:
        mean = sizes
    share = 1.0
    if given.op_percentage is not None:
        share = sum(share for opcode, share in given.op_percentage.items() if opcode in _DATA) / 100
    return float(mean * lba_size * share)


# The line


def line(runs: list[Run]) -> str:
    """The line of some workers, which use one drive."""
    rates = [_rate(run) for run in runs]
    rate = sum(rates)
    data = sum(one * run.samples.io_bytes for one, run in zip(rates, runs))
    parts = [f"{len(runs)} workers"] if len(runs) > 1 else []
    left = [run.left(one) for run, one in zip(runs, rates)]
    known = [one for one in left if one is not None]
    past = f"{time.monotonic() - min(run.began for run in runs):.1f} s"
    parts.append(f"{past}, {max(known):.1f} s left" if known else past)
    parts += [f"{rate:,.0f} IOPS", f"{data / 1e6:,.0f} MB/s", f"p99 {_p99(runs)}"]
    kelvin = next((run.thermometer.kelvin for run in runs if run.thermometer), None)
    parts += [f"{kelvin - 273} °C"] if kelvin else []
    judged = _judged(runs)
    parts += [f"{short(judged)} LBA{'' if judged == 1 else 's'} verified"] if judged else []
    return "  ".join(parts)


def _rate(run: Run) -> float:
    """IOs per second of the last second."""
    if len(run.latest) < 2:
        return 0.0
    (first, before, _), (last, now, _) = run.latest[0], run.latest[-1]
    return (now - before) / (last - first) if last > first else 0.0


def _p99(runs: list[Run]) -> str:
    """The 99th percentile of the last second, over all workers."""
    import numpy

    ended = [run.latest for run in runs if len(run.latest) >= 2]
    if not ended:
        return "-"
    counts = sum(latest[-1][2] - latest[0][2] for latest in ended)
    from pynvme.samples import GROUP

    grouped = numpy.asarray(counts).reshape(-1, GROUP).sum(axis=1)
    found = percentiles(grouped, [99])[0]
    return "-" if found != found else latency(found)


def latency(us: float) -> str:
    """A latency with two or three digits and its unit."""
    for unit in ("us", "ms"):
        if us < 999.5:
            return f"{us:.1f} {unit}" if us < 9.95 else f"{us:.0f} {unit}"
        us /= 1e3
    return f"{us:,.1f} s"


def short(count: int) -> str:
    """A count with at most three digits behind it, such as 12,345, 1.23 M or 4.5 G."""
    if count < 100_000:
        return f"{count:,}"
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        if count < size * 999.5:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e12:,.1f} T"


def _judged(runs: list[Run]) -> int:
    """LBAs verified since the first of these workers began, for each namespace once."""
    first = {id(run.namespace): run for run in reversed(runs)}
    with contextlib.suppress(Exception):
        return sum(run.namespace.verify_stats().judged - run.judged for run in first.values())
    return 0


class Screen(Protocol):
    """Where the line is shown."""

    def update(self, text: str) -> None:
        """Draw the line, or draw it again."""

    def close(self) -> None:
        """Show no line any more."""


class TerminalScreen:
    """A line at the bottom of a terminal.

    Args:
        file: the terminal
        column: where the cursor is, if it has to be there again afterwards
        stays: whether the last line remains
    """

    def __init__(self, file: TextIO | None = None, column: int = 0, stays: bool = True) -> None:
        from rich.console import Console
        from rich.live import Live

        self._file = file
        self._column = column
        self._console = Console(file=file, highlight=False)
        if column:
            self._console.file.write("\n")
        direct = file is None
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=not stays,
            redirect_stdout=direct,
            redirect_stderr=direct,
        )
        self._live.start()

    def update(self, text: str) -> None:
        """Draw the line, as much of it as fits."""
        from rich.text import Text

        self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)

    def close(self) -> None:
        """Remove the line, unless it stays, and move the cursor back to its column."""
        self._live.stop()
        if self._column:
            self._console.file.write(f"\x1b[1A\x1b[{self._column}C")
        with contextlib.suppress(OSError):
            self._console.file.flush()


class NotebookScreen:
    """A line below a cell of a notebook, which stays."""

    def __init__(self) -> None:
        from IPython.display import display

        self._handle = display(_Plain(""), display_id=True)

    def update(self, text: str) -> None:
        """Replace the line."""
        self._handle.update(_Plain(text))

    def close(self) -> None:
        """Keep the last line."""


class _Plain:
    """A text that a notebook shows as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def default_screen() -> Screen | None:
    """The notebook or the terminal of this process, or None if it has neither."""
    shell = sys.modules.get("IPython")
    if shell is not None:
        here = shell.get_ipython()
        if here is not None and type(here).__name__ == "ZMQInteractiveShell":
            return NotebookScreen()
    stream = sys.stdout
    with contextlib.suppress(AttributeError, ValueError):
        if stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
            return TerminalScreen()
    return None


# The monitor


class Monitor:
    """Follows all workers of this process that are watched."""

    def __init__(self) -> None:
        self.show_all = False
        """Whether workers without progress are shown as well."""
        self.make_screen: Callable[[], Screen | None] = default_screen
        """Makes what shows the line. It returns None where nothing may be shown."""
        self.listeners: list[Listener] = []
        """They are called with each run that has ended."""
        self._runs: list[Run] = []
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._screen: Screen | None = None
        self._end = threading.Event()
        """Ends the thread. Each thread has its own: the next one may begin before the last has ended."""

    def follow(
        self,
        worker: Any,
        namespace: Any,
        controller: Any,
        given: Parameters,
        lba_size: int,
        steps: bytes | None,
    ) -> None:
        """Watch a worker that was just started."""
        began = time.monotonic_ns()  # before numpy is imported
        run = Run(
            weakref.ref(worker),
            namespace,
            controller,
            given,
            Samples(bytes_of_an_io(given, lba_size, steps)),
            self.show_all or given.progress,
            began / 1e9,
        )
        first = worker._sample()
        if first is None:
            return
        run.samples.begin(began)
        run.latest = [(first[0] / 1e9, first[1], first[2])]
        if run.shown:
            run.judged = namespace.verify_stats().judged
            run.thermometer = self._thermometer(controller)
        with self._lock:
            if run.shown and self._screen is None:
                self._screen = self.make_screen()
            self._runs.append(run)
            if self._thread is None:
                self._end = threading.Event()
                self._thread = threading.Thread(
                    target=self._loop, args=(self._end,), name="pynvme.live", daemon=True
                )
                self._thread.start()

    def ended(self, worker: Any, result: dict[str, Any]) -> None:
        """Take the last sample of a worker, add the samples to its result, and tell the listeners."""
        with self._lock:
            run = self._run_of(worker)
            if run is None:
                return
            last = worker._sample()
            if last is not None:
                run.samples.finish(last, result["mseconds"] / 1e3)
            self._draw()
            self._runs.remove(run)
            thread = self._thread
            is_idle = self._close_if_idle()
        if is_idle and thread is not None:
            thread.join(1)
        run.result = result
        result["samples"] = run.samples
        for listener in list(self.listeners):
            listener(run)

    def _thermometer(self, controller: Any) -> Thermometer:
        """That of another worker of this drive, or a new one."""
        found = (run.thermometer for run in self._runs if run.controller is controller and run.thermometer)
        return next(found, None) or Thermometer(controller)

    def _run_of(self, worker: Any) -> Run | None:
        return next((run for run in self._runs if run.worker() is worker), None)

    def _loop(self, end: threading.Event) -> None:
        for turn in _turns(end):
            with self._lock:
                if end.is_set():
                    return
                self._runs = [run for run in self._runs if run.sample()]
                if turn % REDRAW == 0:
                    self._draw()
                if self._close_if_idle():
                    return
                shown = next((run for run in self._runs if run.shown), None) if self._screen else None
            # Without the lock, which the script needs to start and end workers.
            if shown is not None and shown.thermometer is not None:
                shown.thermometer.look()

    def _close_if_idle(self) -> bool:
        """Close the line if nothing is shown, and let the thread end if nothing is watched."""
        if self._screen is not None and not any(run.shown for run in self._runs):
            self._screen.close()
            self._screen = None
        if not self._runs:
            self._end.set()
            self._thread = None
        return not self._runs

    def _draw(self) -> None:
        shown = [run for run in self._runs if run.shown]
        if self._screen is None or not shown:
            return
        try:
            self._screen.update(line(shown))
        except (OSError, ValueError):  # the terminal is gone
            self._screen = None

    def stop(self) -> None:
        """End the thread and the line, at the end of the process."""
        with self._lock:
            thread = self._thread
            self._runs.clear()
            self._close_if_idle()
        if thread is not None:
            thread.join(1)

    def forget(self) -> None:
        """Watch nothing any more, in a forked child, whose workers belong to its parent."""
        self.__init__()  # type: ignore[misc]


def _turns(end: threading.Event) -> Iterator[int]:
    turn = 0
    while not end.wait(PERIOD):
        turn += 1
        yield turn


monitor = Monitor()

atexit.register(monitor.stop)
os.register_at_fork(after_in_child=monitor.forget)
