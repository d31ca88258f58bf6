# SPDX-License-Identifier: BSD-3-Clause
"""What an IO worker did over time, as arrays of numpy.

A worker with ``progress=True`` is sampled ten times a second while it runs, and its result has the samples::

    result = nvme0n1.ioworker(time=10, progress=True).start().close()
    result.samples.iops                 # of each tenth of a second
    result.samples.percentile(99)       # us, of each tenth of a second

:mod:`pynvme.plot` draws them. The samples are taken in the script's process, from memory that it shares with
the worker, and do not slow the worker down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Floats = NDArray[numpy.float64]
    Counts = NDArray[numpy.uint64]

GROUP = 8
"""How many buckets of the driver's histogram are one bucket of a sample. It is then 6 % wide."""

MOST = 1200
"""The most samples that are kept. When there are more, each two become one."""


class Samples:
    """What one worker, or several that ran at the same time, did over time.

    Args:
        io_bytes: bytes per IO, the mean if a workload has several sizes
    """

    def __init__(self, io_bytes: float) -> None:
        self.io_bytes = io_bytes
        self._start = 0
        self._ends: list[int] = []
        self._completed: list[int] = []
        self._counts: list[Counts] = []
        self._last: Counts | None = None

    # -- taking samples --

    def begin(self, now: int) -> None:
        """Set the beginning, in ns as all moments are."""
        self._start = now

    def add(self, now: int, completed: int, counts: Counts) -> None:
        """Add a sample of this moment. The counts are those of the worker since its start."""
        if now <= (self._ends[-1] if self._ends else self._start):
            return
        self._ends.append(now)
        self._completed.append(completed)
        self._counts.append(_grouped(counts - self._last if self._last is not None else counts))
        self._last = counts
        if len(self._ends) > MOST:
            self._halve()

    def finish(self, last: tuple[int, int, Counts], seconds: float) -> None:
        """Add the last sample. The worker ran for so many seconds; it may have ended some time ago."""
        _, completed, counts = last
        end = self._start + round(seconds * 1e9)
        while self._ends and self._ends[-1] >= end:
            self._drop_last()
        self.add(max(end, self._start + 1), completed, counts)
        if len(self._ends) > 2 and self.seconds[-1] < self.seconds[-2] * 0.9:
            self._join(len(self._ends) - 2)

    def _drop_last(self) -> None:
        """Take the last sample back, so that what it counted belongs to the next one."""
        self._ends.pop()
        self._completed.pop()
        import numpy

        dropped = numpy.zeros_like(self._last)
        dropped[::GROUP] = self._counts.pop()
        self._last = self._last - dropped if self._last is not None else None

    def _join(self, index: int) -> None:
        """Make one sample of this one and the next."""
        del self._ends[index], self._completed[index]
        self._counts[index : index + 2] = [self._counts[index] + self._counts[index + 1]]

    def _halve(self) -> None:
        """Make one sample of each two. The last of an odd number joins the one before."""
        if len(self._ends) % 2:
            self._join(len(self._ends) - 2)
        pairs = range(0, len(self._ends), 2)
        self._counts = [self._counts[i] + self._counts[i + 1] for i in pairs]
        self._ends = [self._ends[i + 1] for i in pairs]
        self._completed = [self._completed[i + 1] for i in pairs]

    # -- reading them --

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def time(self) -> Floats:
        """When each sample ends, in seconds since the start."""
        import numpy

        return (numpy.array(self._ends, dtype=numpy.float64) - self._start) / 1e9

    @property
    def seconds(self) -> Floats:
        """How long each sample is."""
        import numpy

        return numpy.diff(self.time, prepend=0.0)

    @property
    def completed(self) -> Counts:
        """IOs completed in each sample."""
        import numpy

        done = numpy.array([0, *self._completed], dtype=numpy.uint64)
        return done[1:] - done[:-1]

    @property
    def iops(self) -> Floats:
        """IOs per second of each sample."""
        rate: Floats = self.completed / self.seconds
        return rate

    @property
    def bandwidth(self) -> Floats:
        """Bytes per second of each sample. If a workload has several sizes of IO, it is an estimate."""
        return self.iops * self.io_bytes

    @property
    def counts(self) -> Counts:
        """How many IOs of each sample took how long: a row a sample, a column a bucket of :attr:`edges`."""
        import numpy

        width = len(edges()) - 1
        return numpy.array(self._counts, dtype=numpy.uint64).reshape(len(self._counts), width)

    @property
    def edges(self) -> Floats:
        """The lowest latency of each bucket, and the end of the last one, in us."""
        return edges()

    def percentile(self, percentage: float) -> Floats:
        """A percentile of the latency of each sample, in us. It is not a number where no IO completed."""
        import numpy

        return numpy.array([percentiles(row, [percentage])[0] for row in self._counts], dtype=numpy.float64)

    def shortened(self, most: int) -> Samples:
        """The same with at most so many samples, each of which is as long as several of these."""
        short = Samples(self.io_bytes)
        short._start = self._start
        short._ends, short._completed, short._counts = self._ends[:], self._completed[:], self._counts[:]
        while len(short) > most:
            short._halve()
        return short

    def total(self, percentages: Iterable[float]) -> list[float]:
        """Percentiles of the latency of all samples together, in us."""
        import numpy

        return percentiles(numpy.sum(self._counts, axis=0, dtype=numpy.uint64), list(percentages))

    def to_dict(self) -> dict[str, list[float]]:
        """Time in s, IOs per second, bytes per second, and percentiles in us, as lists of plain numbers."""
        found = {"time": self.time, "iops": self.iops, "bandwidth": self.bandwidth}
        found |= {f"p{p:g}": self.percentile(p) for p in (50, 99, 99.9)}
        return {name: [float(value) for value in values] for name, values in found.items()}

    def __repr__(self) -> str:
        seconds = self.time[-1] if len(self) else 0.0
        return f"<Samples: {len(self)} in {seconds:.1f} s>"


def _grouped(counts: Counts) -> Counts:
    import numpy

    summed: Counts = counts.reshape(-1, GROUP).sum(axis=1, dtype=numpy.uint64)
    return summed


_edges: Any = None


def edges() -> Floats:
    """The lowest latency of each bucket of a sample, and the end of the last one, in us."""
    global _edges
    if _edges is None:
        import nvme

        every = nvme._latency_edges()  # type: ignore[attr-defined]
        _edges = every[::GROUP] / 1e3
    found: Floats = _edges
    return found


def percentiles(counts: Counts, percentages: Sequence[float]) -> list[float]:
    """Percentiles of counts by bucket, in us. They are not numbers if nothing was counted."""
    import numpy

    total = numpy.cumsum(counts)
    if not len(total) or not total[-1]:
        return [float("nan")] * len(percentages)
    borders = edges()
    found = []
    for percentage in percentages:
        wanted = max(1.0, float(total[-1]) * percentage / 100)
        index = int(numpy.searchsorted(total, wanted))
        before = float(total[index - 1]) if index else 0.0
        share = (wanted - before) / float(counts[index])
        found.append(float(borders[index] + share * (borders[index + 1] - borders[index])))
    return found


def sum_of(several: Sequence[Samples]) -> Samples:
    """The samples of workers that ran at the same time, as if they were one worker.

    Raises:
        ValueError: there is none
    """
    import numpy

    if not several:
        raise ValueError("there are no samples")
    longest = max(several, key=len)
    counts = [int(one.completed.sum()) for one in several]
    total = sum(counts)
    mean = sum(one.io_bytes * n for one, n in zip(several, counts)) / total if total else longest.io_bytes
    result = Samples(mean)
    result._start = longest._start
    result._ends = list(longest._ends)
    result._completed = [0] * len(longest)
    result._counts = [numpy.zeros(len(edges()) - 1, dtype=numpy.uint64) for _ in longest._ends]
    moments = numpy.array(longest._ends, dtype=numpy.float64)
    for one in several:
        known = numpy.array([one._start, *one._ends], dtype=numpy.float64)
        done = numpy.interp(moments, known, [0, *one._completed])
        result._completed = [a + round(float(b)) for a, b in zip(result._completed, done)]
        for end, row in zip(one._ends, one._counts):
            place = min(int(numpy.searchsorted(moments, end)), len(moments) - 1)
            result._counts[place] = result._counts[place] + row
    return result
