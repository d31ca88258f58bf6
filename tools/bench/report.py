# SPDX-License-Identifier: BSD-3-Clause
"""The figures as tables, on a terminal and in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from pynvme import terminal
from tools.bench.figures import Figure, Judgement, Results
from tools.bench.workers import COLUMNS

_HEADS = {
    "null": "null store",
    "memory": "memory store",
    "verified": "verified",
    "ratio": "verified/not",
    "judged": "judged",
}
Rows = list[list[str]]


def number(value: float) -> str:
    """A number with three significant digits, and with M or k for millions or thousands."""
    if value >= 999_500:
        return f"{value / 1e6:.3g} M"
    if value >= 9_995:
        return f"{value / 1e3:.3g} k"
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def mark(judgement: Judgement | None) -> str:
    """A mark, whether it is met, and if not, the limit of the machine."""
    if judgement is None:
        return ""
    text = f"{'≥' if judgement.at_least else '≤'} {number(judgement.bound)} "
    if judgement.met:
        return text + "met"
    text += "not met"
    if judgement.limit is not None and judgement.limit < judgement.bound:
        text += f", limit here {number(judgement.limit)}"
    return text


def workloads(results: Results) -> Rows:
    """The table of workloads, with a row for each workload and a column for each store."""
    rows: dict[str, dict[str, Figure]] = {}
    for figure in results.figures.values():
        if figure.column and figure.runs:
            rows.setdefault(figure.title, {})[figure.column] = figure
    return [[title, *_cells(results, figures)] for title, figures in rows.items()]


def _cells(results: Results, figures: dict[str, Figure]) -> list[str]:
    cells = [_value(figures[column]) if column in figures else "" for column in COLUMNS]
    marks = []
    for column in COLUMNS:
        text = mark(results.judge(figures[column].name)) if column in figures else ""
        if text:
            marks.append(f"{_HEADS[column]} {text}")
    contended = sum(figure.contended for figure in figures.values())
    if contended:
        marks.append(f"{contended} runs contended")
    return [*cells, "\n".join(marks)]


def _value(figure: Figure) -> str:
    """The value as text. A share just below 1 must not look like 1."""
    if figure.column == "judged":
        return f"{math.floor(figure.median * 1e4) / 100:g} %"
    return number(figure.median)


def engines(results: Results) -> tuple[list[str], Rows]:
    """The names of the engines, and a row for each figure that was measured with them."""
    found = [figure for figure in results.figures.values() if figure.engine and figure.runs]
    names = list(dict.fromkeys(figure.engine for figure in found))
    rows: dict[str, list[str]] = {}
    for figure in found:
        row = rows.setdefault(figure.title, ["", *[""] * len(names), ""])
        row[0] = figure.title
        row[1 + names.index(figure.engine)] = number(figure.median)
        if figure.contended:
            row[-1] += f"{figure.engine}: {figure.contended} of {len(figure.runs)} runs contended\n"
    return names, [[*row[:-1], row[-1].rstrip()] for row in rows.values()]


def others(results: Results) -> Rows:
    """The figures that have a row of their own."""
    rows = []
    for figure in results.figures.values():
        if figure.column or figure.engine or not figure.runs:
            continue
        values = [number(value) for value in (figure.median, min(figure.runs), max(figure.runs))]
        notes = [mark(results.judge(figure.name))]
        if figure.contended:
            notes.append(f"{figure.contended} of {len(figure.runs)} runs contended")
        rows.append([figure.title, *values, figure.unit, "; ".join(filter(None, notes))])
    return rows


WORKLOADS = ("IOPS of one worker", *(_HEADS[column] for column in COLUMNS), "mark")
OTHERS = ("", "median", "minimum", "maximum", "unit", "mark")


def _all(results: Results) -> list[tuple[Sequence[str], Rows, int]]:
    """Heads, rows, and the number of columns with numbers, of each table that is not empty."""
    names, compared = engines(results)
    found = [
        (WORKLOADS, workloads(results), 5),
        (OTHERS, others(results), 3),
        (("engines", *names, ""), compared, len(names)),
    ]
    return [table for table in found if table[1]]


def tables(results: Results) -> list[Table]:
    """The tables to print, without empty ones."""
    made = []
    for heads, rows, numbers in _all(results):
        table = terminal.table(heads[0], *heads[1 : numbers + 1])
        for head in heads[numbers + 1 :]:
            table.add_column(head)
        for row in rows:
            table.add_row(*row)
        made.append(table)
    return made


def markdown(results: Results) -> str:
    """The same tables for a document."""
    return "\n".join(_markdown(heads, rows, numbers) for heads, rows, numbers in _all(results))


def _markdown(heads: Sequence[str], rows: Rows, numbers: int) -> str:
    rule = ["---", *["---:"] * numbers, *["---"] * (len(heads) - numbers - 1)]
    lines = [heads, rule, *rows]
    return "".join("| " + " | ".join(cell.replace("\n", "; ") for cell in line) + " |\n" for line in lines)
