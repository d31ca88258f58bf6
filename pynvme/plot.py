# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of what IO workers did: over time, percentile curves, heat maps, and comparisons.

They need matplotlib (``pip install matplotlib``), and workers with ``progress=True``::

    result = nvme0n1.ioworker(time=10, progress=True).start().close()
    plot.overview(result).save("worker.svg")
    plot.compare({"fw 1.0": before, "fw 1.1": after}).save("firmware.png")

Each function takes the result of a worker, its samples, or a list of them for workers that ran at the same
time. It returns a figure of matplotlib that a notebook shows. The colours are Okabe and Ito's, which people
with any kind of colour vision tell apart, and each line has a style of its own, so that it survives a
black-and-white printer.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from pynvme.loading import install
from pynvme.samples import Samples, edges, sum_of
from pynvme.samples import percentiles as _percentiles

try:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
except ImportError as error:
    raise ImportError(f"pictures need matplotlib: {install('matplotlib')}") from error

if TYPE_CHECKING:
    Source = Union[Samples, Mapping[str, Any], Sequence["Source"]]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, the darker ones first, without yellow, which white paper hides."""
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 1)))

HATCHES = ("", "//", "..", "xx", "\\\\", "oo", "++")

OVER_TIME = (50, 99, 99.9)
"""The percentiles that are shown over time."""
CURVE = 200
"""The points of a percentile curve."""
ROWS_PER_DECADE = 16
"""The rows of a heat map for each factor of ten of the latency."""

RC: dict[str, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 110,
    "font.size": 9,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "pynvme",
}


class Picture(Figure):
    """A figure of matplotlib, with one more method."""

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write it, as SVG, PNG or PDF by its suffix. An existing file is replaced."""
        with matplotlib.rc_context(RC):
            date = {"Date": None} if str(file).endswith(".svg") else {}
            self.savefig(file, bbox_inches="tight", metadata=date)

    def _repr_png_(self) -> bytes:
        """For notebooks."""
        data = io.BytesIO()
        self.savefig(data, format="png", bbox_inches="tight")
        return data.getvalue()


def samples_of(source: Source) -> Samples:
    """The samples of a result, or of several workers together.

    Raises:
        ValueError: a worker was not sampled, or completed no IO
        TypeError: it is no result
    """
    if isinstance(source, Samples):
        found = source
    elif isinstance(source, Mapping):
        if "samples" not in source:
            raise ValueError("this result has no samples: start the worker with progress=True")
        found = source["samples"]
    elif isinstance(source, Sequence) and not isinstance(source, (str, bytes)):
        found = sum_of([samples_of(one) for one in source])
    else:
        raise TypeError(f"a result of a worker, its samples, or a list of them, not {type(source).__name__}")
    if not len(found) or not found.completed.sum():
        raise ValueError("these samples have no IO")
    return found


def _named(sources: Mapping[str, Source]) -> dict[str, Samples]:
    """The samples of several sources by name. A result is a mapping as well, but its keys are known."""
    if not isinstance(sources, Mapping) or "mseconds" in sources:
        raise TypeError('a dict of names and results, such as {"fw 1.0": result}')
    if not sources:
        raise ValueError("there is nothing to compare")
    return {str(name): samples_of(source) for name, source in sources.items()}


def _picture(width: float, height: float, title: str) -> Picture:
    figure = Picture(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


# The pictures


def timeline(source: Source, title: str = "") -> Picture:
    """IOPS, bandwidth and latency over time."""
    samples = samples_of(source)
    with matplotlib.rc_context(RC):
        figure = _picture(7.5, 6, title)
        axes = figure.subplots(3, 1, sharex=True)
        _draw_rate(axes[0], {"": samples})
        _draw_bandwidth(axes[1], {"": samples})
        _draw_latency(axes[2], samples)
        axes[2].set_xlabel("time, s")
    return figure


def percentiles(source: Source, title: str = "") -> Picture:
    """The latency by percentile, on axes that show each nine equally wide."""
    with matplotlib.rc_context(RC):
        figure = _picture(7.5, 4, title)
        _draw_curves(figure.subplots(), {"": samples_of(source)})
    return figure


def heatmap(source: Source, title: str = "") -> Picture:
    """How many IOs had which latency when: time across, latency upwards."""
    with matplotlib.rc_context(RC):
        figure = _picture(7.5, 4, title)
        axes = figure.subplots()
        _draw_heat(figure, axes, samples_of(source))
        axes.set_xlabel("time, s")
    return figure


def overview(source: Source, title: str = "") -> Picture:
    """All of them: IOPS, bandwidth and latency over time, percentiles, and the heat map."""
    samples = samples_of(source)
    with matplotlib.rc_context(RC):
        figure = _picture(11, 7, title)
        axes: dict[str, Any] = figure.subplot_mosaic(
            [["rate", "curve"], ["bandwidth", "curve"], ["latency", "heat"], [".", "heat"]],
            height_ratios=[1, 1, 1.2, 0.01],
        )
        _draw_rate(axes["rate"], {"": samples})
        _draw_bandwidth(axes["bandwidth"], {"": samples})
        _draw_latency(axes["latency"], samples)
        _draw_curves(axes["curve"], {"": samples})
        _draw_heat(figure, axes["heat"], samples)
        for name in ("rate", "bandwidth"):
            axes[name].sharex(axes["latency"])
            axes[name].tick_params(labelbottom=False)
        for name in ("latency", "heat"):
            axes[name].set_xlabel("time, s")
    return figure


def compare(sources: Mapping[str, Source], title: str = "") -> Picture:
    """Several runs, such as those of two firmwares: IOPS over time, percentiles, and each figure's change."""
    named = _named(sources)
    with matplotlib.rc_context(RC):
        figure = _picture(11, 6.5, title)
        axes: dict[str, Any] = figure.subplot_mosaic([["rate", "curve"], ["bars", "curve"]])
        _draw_rate(axes["rate"], named)
        axes["rate"].set_xlabel("time, s")
        _draw_curves(axes["curve"], named)
        _draw_bars(axes["bars"], named)
    return figure


# Their parts


def _draw_rate(axes: Any, named: Mapping[str, Samples]) -> None:
    for number, (name, samples) in enumerate(named.items()):
        _steps(axes, number, samples, samples.iops, name)
    _finish(axes, "IOPS", _short)
    _legend(axes, named)


def _draw_bandwidth(axes: Any, named: Mapping[str, Samples]) -> None:
    for number, (name, samples) in enumerate(named.items()):
        _steps(axes, number, samples, samples.bandwidth / 1e6, name)
    _finish(axes, "MB/s", _short)


def _draw_latency(axes: Any, samples: Samples) -> None:
    for number, percentage in enumerate(OVER_TIME):
        name = "median" if percentage == 50 else f"{percentage:g} %"
        _steps(axes, number, samples, samples.percentile(percentage), name)
    axes.set_yscale("log")
    _finish(axes, "latency", _latency, zero=False)
    axes.legend(ncols=len(OVER_TIME), loc="lower right", bbox_to_anchor=(1, 0.97))


def _draw_curves(axes: Any, named: Mapping[str, Samples]) -> None:
    """Percentile curves. The axis shows -log10(1 - p), so that each nine is equally wide."""
    import numpy

    deepest = max(float(samples.counts.sum()) for samples in named.values())
    nines = max(2.0, min(6.0, float(numpy.log10(deepest))))
    places = numpy.linspace(0, nines, CURVE)
    shares = (1 - 10.0**-places) * 100
    for number, (name, samples) in enumerate(named.items()):
        _line(axes, number, places, samples.total(list(shares)), name)
    marks = numpy.arange(0, int(nines) + 1)
    axes.set_xticks(
        marks, ["0 %", "90 %", *(f"{(1 - 10.0**-n) * 100:.{max(0, n - 2)}f} %" for n in marks[2:])]
    )
    axes.set_xlabel("percentile")
    axes.set_yscale("log")
    _finish(axes, "latency", _latency, zero=False)
    _legend(axes, named)


def _draw_heat(figure: Any, axes: Any, samples: Samples) -> None:
    import numpy
    from matplotlib.colors import LogNorm

    borders, rates = _heat(samples)
    times = numpy.concatenate([[0.0], samples.time])
    shown = numpy.ma.masked_less_equal(rates.T, 0)
    norm = LogNorm(max(1.0, float(shown.min())), max(2.0, float(shown.max())))
    mesh = axes.pcolormesh(times, borders, shown, norm=norm, cmap="cividis", rasterized=True)
    axes.set_yscale("log")
    axes.grid(False)
    axes.set_ylabel("latency")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _latency(value)))
    bar = figure.colorbar(mesh, ax=axes, label="IOs/s", pad=0.01)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    bar.ax.yaxis.set_minor_locator(NullLocator())


def _heat(samples: Samples) -> tuple[Any, Any]:
    """The borders of the rows in us, and IOs per second by time and row."""
    import numpy

    counts = samples.counts.astype(float)
    used = numpy.flatnonzero(counts.sum(axis=0))
    low, high = edges()[used[0]], edges()[used[-1] + 1]
    low = max(low, high / 1e7, 1e-2)
    steps = max(4, int(numpy.ceil(numpy.log10(high / low) * ROWS_PER_DECADE)))
    borders = numpy.geomspace(low, high, steps + 1)
    middles = (edges()[:-1] + edges()[1:]) / 2
    rows = numpy.clip(numpy.searchsorted(borders, middles, side="right") - 1, 0, steps - 1)
    rates = numpy.zeros((len(samples), steps))
    for column in used:
        rates[:, rows[column]] += counts[:, column]
    return borders, rates / samples.seconds[:, None]


def figures(samples: Samples) -> dict[str, float]:
    """The figures that a comparison shows: IOPS, MB/s, and percentiles in us."""
    seconds = float(samples.time[-1])
    total = float(samples.completed.sum())
    summed = samples.counts.sum(axis=0)
    found = dict(zip(("p50", "p99", "p99.9", "p99.99"), _percentiles(summed, [50, 99, 99.9, 99.99])))
    return {"IOPS": total / seconds, "MB/s": total * samples.io_bytes / seconds / 1e6, **found}


def _draw_bars(axes: Any, named: Mapping[str, Samples]) -> None:
    """Each figure of each run, as a multiple of the first one's, on a logarithmic axis."""
    import numpy

    first = figures(next(iter(named.values())))
    width = 0.8 / len(named)
    places = numpy.arange(len(first))
    for number, (name, samples) in enumerate(named.items()):
        own = figures(samples)
        ratios = numpy.array([own[key] / first[key] if first[key] else 1.0 for key in first])
        bars = axes.bar(
            places + number * width,
            ratios - 1,
            width * 0.92,
            bottom=1,
            label=name,
            color=COLOURS[number % len(COLOURS)],
            hatch=HATCHES[number % len(HATCHES)],
            edgecolor="white",
            linewidth=0.5,
        )
        texts = [_short(own[key]) if key in ("IOPS", "MB/s") else _latency(own[key]) for key in first]
        axes.bar_label(bars, texts, rotation=90, padding=3, fontsize=7)
    axes.set_xticks(places + 0.4 - width / 2, list(first))
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ×"))
    axes.set_ylabel(f"of {next(iter(named))}")
    axes.margins(y=0.3)
    axes.grid(axis="x", visible=False)


def _steps(axes: Any, number: int, samples: Samples, y: Any, name: str) -> None:
    """A line with a step for each sample, since a rate is that of the whole sample."""
    import numpy

    times = numpy.concatenate([[0.0], samples.time])
    _line(axes, number, times, numpy.concatenate([y[:1], y]), name, drawstyle="steps-pre")


def _line(axes: Any, number: int, x: Any, y: Any, name: str, **more: Any) -> None:
    colour, style = COLOURS[number % len(COLOURS)], STYLES[number % len(STYLES)]
    axes.plot(x, y, color=colour, linestyle=style, label=name or None, **more)


def _finish(axes: Any, label: str, text: Any, zero: bool = True) -> None:
    axes.set_ylabel(label)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axes.margins(x=0.01)
    if zero:
        axes.set_ylim(bottom=0)
        return
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    low, high = axes.get_ylim()
    if high < low * 50:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _legend(axes: Any, named: Mapping[str, Samples]) -> None:
    if len(named) > 1:
        axes.legend()


def _short(value: float) -> str:
    from pynvme.live import short

    return short(round(value)) if value >= 10 or value == 0 else f"{value:.2g}"


def _latency(value: float) -> str:
    from pynvme.live import latency

    return latency(value)
