# SPDX-License-Identifier: BSD-3-Clause
"""The page of a campaign: one HTML file that loads nothing.

Each table has the worst first and a limited number of rows, so that the page of a thousand drives can still
be read. The page says how many rows a table leaves out, and ``pynvme results`` lists them.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pynvme.lab import junit, results
from pynvme.lab.query import Answer, Results, plain
from pynvme.report import files
from pynvme.report import page as report
from pynvme.report import run as runs
from pynvme.report.blocks import document, duration, fact_table, fold, listed, pre, scroll

BUGS, ROWS, TESTS, DRIVES = 100, 50, 200, 100
"""The most bugs, rows of a list, tests, and drives."""
FIRMWARES, FAILING = 12, 30
"""The most columns: firmwares, and tests that fail."""
LONGEST = 16 << 10
"""The most characters of a script, or of commands."""

_TEST = "file || '::' || name"
_COUNTS = "count(*) filter (where bad) as failed, count(*) filter (where outcome != 'skipped') as runs"
_WORST = "failed / greatest(runs, 1) desc, failed desc"
_ALL_TESTS = f"select {_TEST} as test, {_COUNTS} from tests group by test order by {_WORST}, test"
_ALL_FIRMWARES = f"select firmware, {_COUNTS} from tests group by firmware order by runs desc, firmware"
_ALL_DRIVES = f"""select drive, any_value(model) as model, any_value(firmware) as firmware, {_COUNTS}
    from tests group by drive order by {_WORST}, drive"""
_CELLS = f"""select {_TEST} as test, {{}} as place, {_COUNTS} from tests
    where test in (select unnest($1)) and place in (select unnest($2)) group by all"""
_EXAMPLES = f"""select signature, arg_min({{clause: clause, expected: expected, seen: seen, script: script,
    reproduced: reproduced, commands: commands, again: again, test: {_TEST}, drive: drive,
    firmware: firmware, seed: seed, job: job, path: path}}, (script = '', length(script), job)) as example,
    list_sort(list(distinct {_TEST}))[:20] as tests, list_sort(list(distinct drive))[:20] as drives,
    list_sort(list(distinct path))[:20] as paths from findings
    where signature in (select unnest($1)) group by signature"""


def write(folder: str | os.PathLike[str], baseline: str | os.PathLike[str] | None = None) -> Path:
    """Write ``index.html``, and ``junit.xml``, into the folder of a campaign whose tables exist.

    Args:
        folder: of the campaign
        baseline: the folder of a campaign to compare with (default: the last one of the same name beside it)

    Returns:
        The path of ``index.html``.

    Raises:
        OSError: a file cannot be written
        ValueError: a table is missing, or its version is newer than this pynvme
    """
    campaign = results.read(folder)
    before = Path(baseline) if baseline is not None else results.last_before(campaign.folder)
    with Results([campaign.folder], before) as found:
        text = _page(campaign, found, before)
        files.replace(campaign.folder / junit.FILE, "\n".join(junit.lines(found)))
    path = campaign.folder / files.PAGE
    files.replace(path, text)
    return path


def _page(campaign: results.Campaign, found: Results, before: Path | None) -> str:
    bugs = found.ask("bugs")
    new = found.ask("new") if before is not None else None
    body = [
        _head(campaign, found, bugs, before),
        _new(new),
        _bugs(campaign.folder, found, bugs, new),
        _firmwares(found),
        _drives(found),
        _flaky(found.ask("flaky")),
        _section("Drives set aside", found.ask("aside")),
        _section("Jobs that were lost, or not finished", found.ask("lost")),
        _time(found),
    ]
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return document(f"Campaign {campaign.name}", "".join(body), style)


# Parts


def _cut(rows: list[Any], most: int, what: str) -> tuple[list[Any], str]:
    """The first rows, and a note that tells how many are left out."""
    left = len(rows) - most
    note = f'<p class="note">{left:,} more {escape(what)} are not shown.</p>' if left > 0 else ""
    return rows[:most], note


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return escape(", ".join(map(str, value)))
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return escape(str(plain(value) if value is not None else ""))


def _rows(answer: Answer, most: int = ROWS, what: str = "rows") -> str:
    """An answer as a table."""
    if not answer.rows:
        return ""
    rows, note = _cut(answer.rows, most, what)
    numbers = [
        all(value is None or isinstance(value, (int, float)) for value in column) for column in zip(*rows)
    ]
    kinds = [' class="n"' if number else "" for number in numbers]
    head = "".join(
        f"<th{kind}>{escape(name.replace('_', ' '))}</th>" for kind, name in zip(kinds, answer.columns)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{_shown(value)}</td>" for kind, value in zip(kinds, row)) + "</tr>"
        for row in rows
    )
    return scroll(f'<table class="rows"><tr>{head}</tr>{body}</table>') + note


def _section(title: str, answer: Answer) -> str:
    body = _rows(answer)
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def _head(campaign: results.Campaign, found: Results, bugs: Answer, before: Path | None) -> str:
    jobs = found.ask("select outcome, count(*) as n from jobs group by outcome").rows
    outcomes = Counter(dict(jobs))
    total = max(1, sum(outcomes.values()))
    bar = "".join(
        f'<span class="{escape(outcome)}" style="flex-grow:{count / total:.4f}" '
        f'title="{count:,} {escape(outcome)}"></span>'
        for outcome, count in outcomes.most_common()
    )
    counts = ", ".join(f"{count:,} {escape(outcome)}" for outcome, count in outcomes.most_common())
    when = datetime.fromtimestamp(campaign.start).astimezone()
    number = sum(outcomes.values())
    lasted = duration(campaign.lasted)
    told = f"{when:%d %B %Y, %H:%M:%S %Z}, {lasted}, {number:,} jobs{f': {counts}' if counts else ''}"
    (tests, failed, drives), *_ = found.ask(
        "select count(*), count(*) filter (where bad), count(distinct drive) from tests"
    ).rows
    rows = [
        ("Bugs", f"<strong>{len(bugs.rows):,}</strong>, by {sum(row[1] for row in bugs.rows):,} findings"),
        ("Tests", f"{tests:,} on {drives:,} drives, of which {failed:,} failed"),
        ("Ended", escape(campaign.stop) or "it has not ended: <code>pynvme campaign --resume</code> goes on"),
        ("pynvme", escape(str(campaign.about.get("pynvme") or ""))),
        ("Compared with", escape(before.name) if before is not None else ""),
    ]
    return (
        f"<header><h1>Campaign {escape(campaign.name)}</h1><p>{told}</p>"
        f'<div class="bar">{bar}</div>{fact_table(rows)}</header>'
    )


def _new(new: Answer | None) -> str:
    if new is None:
        return ""
    body = _rows(new) or "<p>Nothing has changed.</p>"
    return f"<section><h2>New since the last campaign</h2>{body}</section>"


# Bugs


def _bugs(folder: Path, found: Results, bugs: Answer, new: Answer | None) -> str:
    if not bugs.rows:
        return "<section><h2>Bugs</h2><p>No finding.</p></section>"
    rows, note = _cut(bugs.records(), BUGS, "bugs")
    fresh = {row[1] for row in new.rows if row[0] == "new bug"} if new is not None else set()
    details = {
        row["signature"]: row for row in found.ask(_EXAMPLES, [[row["signature"] for row in rows]]).records()
    }
    shown = "".join(_bug(folder, row, details[row["signature"]], row["signature"] in fresh) for row in rows)
    return f"<section><h2>Bugs</h2>{shown}{note}</section>"


def _bug(folder: Path, bug: dict[str, Any], detail: dict[str, Any], is_new: bool) -> str:
    example = detail["example"]
    spread = [
        f"{bug[name]:,} {name if bug[name] != 1 else name[:-1]}" for name in ("drives", "seeds", "tests")
    ]
    mark = '<span class="new">new</span>' if is_new else ""
    firmwares = escape(bug["firmwares"] or "unknown")
    line = (
        f'<span class="count">{bug["findings"]:,}</span><span class="name">{escape(bug["signature"])}</span>'
        f'{mark}<span class="req">{", ".join(spread)}; firmware {firmwares}</span>'
        f'<span class="brief">{escape(_short(example["seen"]))}</span>'
    )
    rows = [
        ("Clause", escape(example["clause"] or "")),
        ("Expected", escape(example["expected"] or "")),
        ("Seen", f"<strong>{escape(example['seen'] or '')}</strong>"),
        ("Example", f"{escape(_where(example))}: {_link(folder, _with_report(folder, example['path']))}"),
        ("Again", f"<code>{escape(example['again'])}</code>" if example["again"] else ""),
        ("Drives", _shown(detail["drives"])),
        ("Tests", _shown(detail["tests"])),
        ("Jobs", ", ".join(_link(folder, path) for path in detail["paths"])),
    ]
    script = f"Script (reproduced: {example['reproduced']})" if example["reproduced"] else "Script"
    body = fact_table(rows)
    body += fold(escape(script), pre((example["script"] or "")[:LONGEST]), True)
    body += fold("Commands around it", pre((example["commands"] or "")[:LONGEST]))
    return (
        f'<details class="test failed bug"><summary>{line}</summary><div class="body">{body}</div></details>'
    )


def _short(text: str | None) -> str:
    return (text or "").partition("\n")[0][:200]


def _where(example: dict[str, Any]) -> str:
    told = [example["test"] or "", f"drive {example['drive']}", f"firmware {example['firmware']}"]
    told += [] if example["seed"] is None else [f"seed {example['seed']}"]
    return ", ".join(part for part in told if part)


def _with_report(folder: Path, path: str) -> str:
    """The folder of a job, in which there is a page now if the job has left results."""
    place = folder / path
    with contextlib.suppress(Exception):  # whatever the results of another pynvme are
        if not (place / files.PAGE).exists():
            files.replace(place / files.PAGE, report.html(runs.read(place)))
    return path


def _link(folder: Path, path: str) -> str:
    """A job, with a link to its report, or else to its output."""
    name = escape(path.split("/")[1])
    for file in (files.PAGE, "output.log"):
        if (folder / path / file).exists():
            return f'<a href="{escape(quote(f"{path}/{file}"))}">{name}</a>'
    return name


# Matrices


def _cells(
    found: Results, column: str, tests: list[str], places: list[str]
) -> dict[tuple[str, str], tuple[int, int]]:
    answer = found.ask(_CELLS.format(column), [tests, places])
    return {(test, place): (failed, runs) for test, place, failed, runs in answer.rows}


def _cell(failed: int, runs: int) -> str:
    if not runs:
        return "<td></td>"
    kind = "passed" if not failed else "failed" if failed == runs else "some"
    return f'<td class="{kind}">{failed}/{runs}</td>'


def _matrix(
    corner: str,
    columns: Iterable[tuple[str, str]],
    rows: Iterable[tuple[str, str]],
    cell: Callable[[str, str], str],
) -> str:
    """A table of cells. Columns and rows are keys with titles, which are HTML."""
    wanted = list(columns)
    head = f"<tr><th>{escape(corner)}</th>" + "".join(f"<th>{title}</th>" for _, title in wanted) + "</tr>"
    body = "".join(
        f"<tr><th>{title}</th>" + "".join(cell(row, column) for column, _ in wanted) + "</tr>"
        for row, title in rows
    )
    return scroll(f'<table class="matrix">{head}{body}</table>')


def _firmwares(found: Results) -> str:
    """Firmware × test: how many runs of each test failed, the worst first."""
    tests, left = _cut([row[0] for row in found.ask(_ALL_TESTS).rows], TESTS, "tests")
    if not tests:
        return ""
    firmwares, more = _cut([row[0] for row in found.ask(_ALL_FIRMWARES).rows], FIRMWARES, "firmwares")
    cells = _cells(found, "firmware", tests, firmwares)
    table = _matrix(
        "failed / runs",
        [(name, escape(name or "unknown")) for name in firmwares],
        [(name, f'<span title="{escape(name)}">{escape(name)}</span>') for name in tests],
        lambda test, firmware: _cell(*cells.get((test, firmware), (0, 0))),
    )
    return f"<section><h2>Firmware × test</h2>{table}{left}{more}</section>"


def _drives(found: Results) -> str:
    """Drive × test: the tests that fail are the columns, with numbers that a list explains."""
    failing = [row[0] for row in found.ask(_ALL_TESTS).rows if row[1]]
    drives = found.ask(_ALL_DRIVES).records()
    bad = [row for row in drives if row["failed"]]
    good = f"<p class='note'>{len(drives) - len(bad):,} of {len(drives):,} drives failed no test.</p>"
    if not drives:
        return ""
    if not bad:
        return f"<section><h2>Drive × test</h2>{good}</section>"
    tests, left = _cut(failing, FAILING, "tests that failed")
    shown, more = _cut(bad, DRIVES, "drives that failed a test")
    cells = _cells(found, "drive", tests, [row["drive"] for row in shown])
    totals = {row["drive"]: (row["failed"], row["runs"]) for row in shown}
    table = _matrix(
        "failed / runs",
        [
            ("", "all"),
            *((test, f'<span title="{escape(test)}">{at}</span>') for at, test in enumerate(tests, 1)),
        ],
        [
            (row["drive"], escape(" ".join(filter(None, (row["drive"], row["model"], row["firmware"])))))
            for row in shown
        ],
        lambda drive, test: _cell(*(cells.get((test, drive), (0, 0)) if test else totals[drive])),
    )
    names = fold("The tests by their numbers", listed(map(escape, tests), "ol", "columns"), True)
    return f"<section><h2>Drive × test</h2>{good}{names}{table}{left}{more}</section>"


def _flaky(answer: Answer) -> str:
    if not answer.rows:
        return ""
    note = "<p class='note'>Of one test on one drive, some seeds or repeats failed, and some passed.</p>"
    return f"<section><h2>Flaky tests</h2>{note}{_rows(answer)}</section>"


# Time


def _time(found: Results) -> str:
    hosts = found.ask("time")
    if not hosts.rows:
        return ""
    used = "select drive, host, sum(seconds + lost_seconds) from jobs group by all order by 3 desc, drive"
    drives, left = _cut(found.ask(used).rows, ROWS, "drives")
    longest = max((row[2] or 0.0 for row in drives), default=0.0) or 1.0
    bars = "".join(
        f"<tr><td>{escape(drive or '')}</td><td>{escape(host or '')}</td>"
        f'<td class="n">{duration(seconds or 0.0)}</td><td><div class="share">'
        f'<span style="width:{(seconds or 0.0) / longest:.0%}"></span></div></td></tr>'
        for drive, host, seconds in drives
    )
    head = '<tr><th>drive</th><th>host</th><th class="n">time</th><th></th></tr>'
    table = scroll(f'<table class="rows">{head}{bars}</table>')
    by_drive = fold("Time by drive", table + left, len(drives) <= 20)
    return f"<section><h2>Time used</h2>{_rows(hosts)}{by_drive}</section>"
