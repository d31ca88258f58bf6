# SPDX-License-Identifier: BSD-3-Clause
"""``results``: the results of campaigns, by named questions or SQL."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import options, output

if TYPE_CHECKING:
    from pynvme.lab.query import Answer

MOST = 20
"""The most rows of a table of the summary."""


@click.command(epilog="Example: pynvme results campaign-weekly-20261130-080000 bugs")
@click.option("--collect", is_flag=True, help="Write the tables and the page again.")
@click.option("--baseline", metavar="FOLDER", help="The campaign to compare with (the last one).")
@options.as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print the answer as CSV.")
@click.argument("words", nargs=-1, metavar="[FOLDER]... [QUERY]")
def results(collect: bool, baseline: str | None, as_json: bool, as_csv: bool, words: tuple[str, ...]) -> None:
    """Show the results of campaigns.

    FOLDER is the folder of a campaign, by default the newest campaign-* here. QUERY is SQL over the tables
    jobs, tests, findings, intervals, smart and drives, or the name of a question: bugs, flaky, new, slowest,
    drives, campaigns, firmwares, aside, lost, or time. Without it there is a summary.
    """
    from pynvme.lab import query

    folders, asked = _split(words)
    before = Path(baseline) if baseline else None
    if before is not None:
        _prepare(before, False)
    for folder in folders:
        _prepare(folder, collect, before)
    with query.Results(folders, before or _last(folders)) as found:
        answers = [found.ask(one) for one in ([asked] if asked else query.SUMMARY)]
    if as_json:
        output.json({"tables": [answer.to_dict() for answer in answers]})
    elif as_csv:
        _write_csv(answers)
    else:
        _show(answers, None if asked else MOST)


def _split(words: Sequence[str]) -> tuple[list[Path], str]:
    """The folders, and the question."""
    folders = [Path(word) for word in words if Path(word).is_dir()]
    rest = [word for word in words if not Path(word).is_dir()]
    if len(rest) > 1 or (rest and rest[0] != words[-1]):
        wrong = rest[0]
        raise click.UsageError(f"{wrong} is no folder, and only the last word can be a question")
    if not folders:
        found = sorted(Path().glob("campaign-*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
        if not found:
            told = f"; {rest[0]} is no folder" if rest else ""
            raise click.UsageError(f"there is no campaign-* here{told}: name the folder of a campaign")
        folders = [found[-1].parent]
    return folders, rest[0] if rest else ""


def _prepare(folder: Path, again: bool, baseline: Path | None = None) -> None:
    """Write the tables and the page of a campaign, if they are missing or old."""
    from pynvme.lab import page
    from pynvme.lab import results as lab

    if again or not lab.is_current(folder):
        lab.collect(folder)
        page.write(folder, baseline)


def _last(folders: Sequence[Path]) -> Path | None:
    """The campaign to compare with."""
    from pynvme.lab.results import last_before

    others = [last_before(folder.resolve()) for folder in folders]
    return others[0] if len(others) == 1 else None


def _write_csv(answers: Sequence[Answer]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for answer in answers:
        if len(answers) > 1:
            writer.writerow([f"# {answer.title}"])
        writer.writerow(answer.columns)
        writer.writerows(answer.to_dict()["rows"])


def _show(answers: Sequence[Answer], most: int | None) -> None:
    from rich.text import Text

    from pynvme import terminal

    console = terminal.console()
    for answer in answers:
        if not answer.rows and most is not None:
            continue
        if answer.title:
            console.print(Text(answer.title, style="bold"))
        table = terminal.table(*map(_title, answer.columns)) if answer.columns else None
        if table is None:
            continue
        for column in table.columns:
            column.no_wrap = False
            column.overflow = "fold"
            column.justify = "left"
        for row in answer.rows[:most]:
            table.add_row(*(Text(_shown(value)) for value in row))
        console.print(table)
        if most is not None and len(answer.rows) > most:
            console.print(f"… and {len(answer.rows) - most:,} more")
        console.print()


def _title(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: Any) -> str:
    from pynvme.lab.query import plain

    if isinstance(value, float):
        return f"{value:,.4g}"
    found = plain(value)
    if isinstance(found, list):
        return ", ".join(map(str, found))
    return "" if found is None else str(found)
