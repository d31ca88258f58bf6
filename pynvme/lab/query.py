# SPDX-License-Identifier: BSD-3-Clause
"""Questions to the results of campaigns, in SQL, answered by DuckDB.

The tables of :mod:`pynvme.lab.schema` are views over one campaign or several. If there is a campaign to
compare with, its jobs, tests and findings are ``before_jobs``, ``before_tests`` and ``before_findings``.
Statements cannot change anything, and read nothing but these views.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pynvme.lab import schema
from pynvme.near import hint

BEFORE = "before_"
COMPARED = ("jobs", "tests", "findings")
"""Tables that a campaign to compare with has."""

_TEST = "file || '::' || name"
_RAN = "count(*) filter (where outcome != 'skipped')"


class Question(NamedTuple):
    """A question that has a name."""

    title: str
    sql: str


QUESTIONS = {
    "campaigns": Question(
        "campaigns",
        """select campaign, count(*) as jobs, count(*) filter (where outcome = 'passed') as passed,
        count(*) filter (where outcome = 'failed') as failed,
        count(*) filter (where outcome in ('error', 'time-out')) as errors,
        count(*) filter (where outcome = 'lost') as lost,
        count(*) filter (where outcome in ('unfinished', 'interrupted')) as unfinished,
        sum(tests)::bigint as tests, count(distinct drive) as drives, count(distinct host) as hosts,
        round(sum(seconds + lost_seconds) / 3600, 2) as hours
        from jobs group by campaign order by min(start)""",
    ),
    "firmwares": Question(
        "tests by firmware",
        f"""select model, firmware, count(distinct drive) as drives, count(*) as tests,
        count(*) filter (where outcome in ('passed', 'xfailed', 'xpassed')) as passed,
        count(*) filter (where bad) as failed, count(*) filter (where outcome = 'skipped') as skipped,
        count(distinct {_TEST}) filter (where bad) as failing
        from tests group by model, firmware order by model, firmware""",
    ),
    "bugs": Question(
        "bugs: findings by signature",
        f"""select signature, count(*) as findings, count(distinct drive) as drives,
        string_agg(distinct firmware, ', ' order by firmware) as firmwares, count(distinct seed) as seeds,
        count(distinct {_TEST}) as tests, arg_min(seen, (drive, seed, job)) as seen,
        arg_min(path, (drive, seed, job)) as example
        from findings group by signature order by findings desc, signature""",
    ),
    "flaky": Question(
        "flaky tests, by the share of seeds and repeats that fail on one drive",
        f"""select {_TEST} as test, drive, firmware, count(*) as runs, count(*) filter (where bad) as failed,
        round(count(*) filter (where bad) / count(*), 3) as share,
        list_sort(list(distinct seed) filter (where bad))[:8] as seeds
        from tests where outcome != 'skipped' group by file, name, drive, firmware
        having failed between 1 and runs - 1 order by share desc, runs desc, test, drive""",
    ),
    "new": Question(
        "what is new since the last campaign",
        f"""with now as (select signature, count(*) as findings from findings group by all),
        old as (select signature, count(*) as findings from before_findings group by all),
        tested as (select {_TEST} as test, firmware, {_RAN} as runs, count(*) filter (where bad) as failed
            from tests group by all),
        tested_old as (select {_TEST} as test, {_RAN} as runs, count(*) filter (where bad) as failed
            from before_tests group by all)
        select 'new bug' as what, signature as name, '' as firmware, findings as now, 0 as before
            from now anti join old using (signature)
        union all select 'bug is gone', signature, '', 0, findings from old anti join now using (signature)
        union all select 'newly failing', test, t.firmware, t.failed, 0 from tested t join tested_old o
            using (test) where t.failed > 0 and o.failed = 0 and o.runs > 0
        union all select 'fixed', test, '', 0, o.failed from tested_old o
            join (select test, sum(runs) as runs, sum(failed) as failed from tested group by test) t
            using (test)
            where o.failed > 0 and t.failed = 0 and t.runs > 0
        order by what != 'new bug', what != 'newly failing', what, now desc, before desc, name""",
    ),
    "slowest": Question(
        "slowest tests",
        f"""select {_TEST} as test, count(*) as runs, round(avg(seconds), 3) as mean_s,
        round(quantile_cont(seconds, 0.95), 3) as p95_s, round(max(seconds), 3) as longest_s,
        arg_max(drive, seconds) as drive, arg_max(seed, seconds) as seed
        from tests where outcome != 'skipped' group by test order by longest_s desc, test limit 50""",
    ),
    "drives": Question(
        "drives",
        """with health as (select campaign, drive, max(mdie) - min(mdie) as media_errors,
            max(pused) as used_percent,
            max(ctemp) - 273 as hottest_c, max(upl) - min(upl) as power_losses,
            round((max(duw) - min(duw)) * 512e3 / 1e9, 1) as written_gb from smart group by all),
        ran as (select campaign, drive, count(*) as jobs,
            count(*) filter (where outcome != 'passed') as not_passed,
            round(sum(seconds + lost_seconds) / 3600, 2) as hours from jobs group by all)
        select d.drive, d.host, d.model, d.firmware, coalesce(jobs, 0) as jobs,
        coalesce(not_passed, 0) as not_passed, coalesce(hours, 0) as hours, hottest_c, used_percent,
        written_gb, media_errors, power_losses, d.aside as set_aside from drives d
        left join ran using (campaign, drive) left join health using (campaign, drive)
        order by d.aside = '', not_passed desc, d.drive""",
    ),
    "aside": Question(
        "drives set aside", "select drive, host, model, firmware, aside as why from drives where aside != ''"
    ),
    "lost": Question(
        "jobs that were lost, or not finished",
        """select job, drive, host, outcome, lost as lost_attempts, message from jobs
        where outcome in ('lost', 'unfinished', 'interrupted') or lost > 0
        order by outcome in ('passed', 'failed'), job""",
    ),
    "time": Question(
        "time by host",
        """select host, count(distinct drive) as drives, count(*) as jobs,
        round(sum(seconds) / 3600, 2) as hours, round(sum(lost_seconds) / 3600, 2) as lost_hours,
        round(sum(seconds) / greatest(epoch(max(start) - min(start)) + max_by(seconds, start), 1e-3), 2)
            as busy_drives from jobs group by host order by hours desc, host""",
    ),
}
SUMMARY = ("campaigns", "firmwares", "bugs", "flaky", "aside", "lost", "time")


class Answer(NamedTuple):
    """A table."""

    title: str
    columns: list[str]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """The rows with the names of the columns."""
        return [dict(zip(self.columns, row)) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """The table for JSON."""
        rows = [[plain(value) for value in row] for row in self.rows]
        return {"title": self.title, "columns": self.columns, "rows": rows}


def plain(value: Any) -> Any:
    """A value as JSON has it: a moment becomes a text, a number that is none becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


class Results:
    """The results of campaigns, to be asked.

    Args:
        folders: of the campaigns, whose tables exist (:func:`pynvme.lab.results.collect`)
        before: the folder of a campaign to compare with

    Raises:
        ValueError: a table is missing, or its version is newer than this pynvme
        RuntimeError: duckdb or pyarrow is not installed

    Example:
        >>> with Results(["campaign-weekly-20261130-080000"]) as found:
        ...     print(found.ask("select firmware, count(*) from tests where bad group by firmware").rows)
    """

    def __init__(
        self, folders: Iterable[str | os.PathLike[str]], before: str | os.PathLike[str] | None = None
    ):
        self._duckdb = schema.library("duckdb")
        self._connection = self._duckdb.connect(
            ":memory:",
            config={
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "python_enable_replacements": "false",
            },
        )
        self._connection.execute("set timezone = 'UTC'")
        self._compared = before is not None
        paths = [Path(folder) for folder in folders]
        self._sets = [self._view(name, name, paths) for name in schema.TABLES]
        old = [] if before is None else [Path(before)]
        self._sets += [self._view(BEFORE + name, name, old) for name in COMPARED]
        self._connection.execute("set lock_configuration = true")

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _view(self, view: str, table: str, folders: Sequence[Path]) -> Any:
        """Make a view of a table of some campaigns."""
        paths = [folder / schema.FOLDER / f"{table}.parquet" for folder in folders]
        for path in paths:
            if not path.exists():
                raise ValueError(f"{path} is missing: run 'pynvme results {path.parents[1]} --collect'")
            schema.version(path)
        wanted = schema.arrow(table)
        if paths:
            dataset = schema.library("pyarrow.dataset")
            found = dataset.dataset([str(path) for path in paths], schema=wanted, format="parquet")
        else:
            found = wanted.empty_table()
        self._connection.register(view, found)
        return found

    def ask(self, query: str, parameters: Sequence[Any] = ()) -> Answer:
        """Answer a question by its name, or a statement of SQL.

        Raises:
            ValueError: the statement is wrong, or would change something
        """
        question = QUESTIONS.get(query) or Question("", query)
        if query == "new" and not self._compared:
            raise ValueError("there is no campaign to compare with: name its folder by --baseline")
        if query.isidentifier() and query not in QUESTIONS:
            known = hint(query, QUESTIONS, f"it is a statement of SQL, or one of {', '.join(QUESTIONS)}")
            raise ValueError(f"{query} is neither the folder of a campaign nor a question{known}")
        try:
            self._must_read(question.sql)
            done = self._connection.execute(question.sql, parameters)
            columns = [column[0] for column in done.description or ()]
            return Answer(question.title, columns, done.fetchall())
        except self._duckdb.Error as error:
            raise ValueError(_sentence(error)) from None

    def _must_read(self, sql: str) -> None:
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise ValueError(f"give one statement of SQL, not {len(statements)}")
        kind = statements[0].type
        if kind not in (self._duckdb.StatementType.SELECT, self._duckdb.StatementType.EXPLAIN):
            raise ValueError(f"results are only read, so the statement is a SELECT, not {kind.name}")


def _sentence(error: Exception) -> str:
    """An error of DuckDB as one line, with the place in the statement."""
    text, _, shown = str(error).strip().partition("\n\nLINE ")
    line = re.match(r"(\d+): (.*)\n( *)\^", shown)
    place = ""
    if line:
        column = len(line[3]) - len(f"LINE {line[1]}: ") + 1
        place = f" (line {line[1]}, column {column}: {line[2].strip()})"
    return " ".join(text.split()) + place
