# SPDX-License-Identifier: BSD-3-Clause
"""Small plots of IO workers as SVG inside of a page, in the page's colours, without matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from pynvme.live import latency, short
from pynvme.report.run import Worker

WIDTH, HEIGHT, LEFT, BOTTOM = 360, 110, 44, 16

Values = Sequence["float | None"]


def worker(shown: Worker) -> str:
    """IOPS, and the latency, over time. Empty if there are fewer than two samples."""
    times = shown.series.get("time", [])
    if len(times) < 2:
        return ""
    rates, p50, p99 = (shown.series[name] for name in ("iops", "p50", "p99"))
    return (
        '<div class="charts">'
        + _figure("IOPS", times, [("a", rates)], False)
        + _figure("latency: median (solid), 99th percentile (dashed)", times, [("b", p50), ("c", p99)], True)
        + "</div>"
    )


def _figure(title: str, times: Values, lines: list[tuple[str, Values]], is_latency: bool) -> str:
    values = [v for _, line in lines for v in line if v is not None and (v > 0 or not is_latency)]
    if not values:
        return ""
    low, high = (10 ** math.floor(math.log10(min(values))), max(values)) if is_latency else (0.0, max(values))
    if is_latency:
        high = 10 ** math.ceil(math.log10(high) - 1e-9)
        high = high if high > low else low * 10
    high = high if high > low else low + 1
    end = float(times[-1] or 1)
    label = latency if is_latency else lambda value: short(round(value))
    parts = [f"<figure><figcaption>{escape(title)}</figcaption>"]
    parts.append(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">')
    for mark in _marks(low, high, is_latency):
        y = _y(mark, low, high, is_latency)
        parts.append(
            f'<path class="g" d="M{LEFT} {y}H{WIDTH}"/><text x="{LEFT - 4}" y="{y + 3}">{label(mark)}</text>'
        )
    for name, line in lines:
        parts.append(f'<path class="{name}" d="{_path(times, line, end, low, high, is_latency)}"/>')
    parts.append(
        f'<text x="{WIDTH}" y="{HEIGHT - 3}">{end:.3g} s</text><text x="{LEFT + 8}" y="{HEIGHT - 3}">0</text>'
    )
    return "".join(parts) + "</svg></figure>"


def _marks(low: float, high: float, is_latency: bool) -> list[float]:
    if not is_latency:
        return [low, high / 2, high]
    decades = round(math.log10(high / low))
    step = max(1, math.ceil(decades / 3))
    return [low * 10**exponent for exponent in range(0, decades + 1, step)]


def _y(value: float, low: float, high: float, is_latency: bool) -> int:
    share = (
        (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
        if is_latency
        else (value - low) / (high - low)
    )
    top = 6
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - top))


def _path(times: Values, line: Values, end: float, low: float, high: float, is_latency: bool) -> str:
    """The line, interrupted where there is no value."""
    found, pen = [], "M"
    for moment, value in zip(times, line):
        if moment is None or value is None or (is_latency and value <= 0):
            pen = "M"
            continue
        x = round(LEFT + moment / end * (WIDTH - LEFT))
        found.append(f"{pen}{x} {_y(value, low, high, is_latency)}")
        pen = "L"
    return "".join(found)
