# SPDX-License-Identifier: BSD-3-Clause
"""The tables, the page, and the answers of a campaign, from its journal and what its jobs have left."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from click.testing import CliRunner

import pynvme
from pynvme.cli import main
from pynvme.lab import junit, page, results, schema
from pynvme.lab.journal import JournalError
from pynvme.lab.query import QUESTIONS, Results
from pynvme.report.run import Run, Test
from tests.lab.made_campaign import START, Made, failed, finding, seen, worker

pytest.importorskip("duckdb")
pyarrow = pytest.importorskip("pyarrow")

EVIL = "<script>alert('&')</script>"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A campaign on two drives, each with a firmware and three seeds. The second drive has a bug."""
    made = Made(tmp_path / "campaign-weekly-1")
    for drive, firmware in (("S1", "1.0"), ("S2", "2.0")):
        made.drive(drive, firmware)
        for seed in (1, 2, 3):
            tests = [Test("test_data.py::test_good", seconds=2.0, requirement="DATA-1", workers=[worker()])]
            if drive == "S2" and seed < 3:
                found = finding(
                    f"LBA {seed:#x} holds 7", "zeros", lbas=[seed], script="import nvme", commands=["READ"]
                )
                tests.append(failed("test_data.py::test_bad", finding=found, message="seen: zeros"))
            else:
                tests.append(Test("test_data.py::test_bad"))
            made.job(drive, tests, seed, firmware)
    return made


def rows(folder: Path, table: str) -> list[dict]:
    """The rows of a table, as another program reads them."""
    from pyarrow import parquet

    return parquet.read_table(folder / "results" / f"{table}.parquet").to_pylist()


def ask(folder: Path, query: str, before: Path | None = None) -> list[tuple]:
    with Results([folder], before) as found:
        return found.ask(query).rows


# -- the tables --


def test_the_tables_of_a_small_campaign(made):
    counts = results.collect(made.folder)
    assert counts == {"jobs": 6, "tests": 12, "findings": 2, "intervals": 18, "smart": 12, "drives": 2}
    job = next(row for row in rows(made.folder, "jobs") if row["job"] == "smoke.S2.s2.r1")
    start = job.pop("start")
    assert abs(start.timestamp() - START) < 600
    assert job == {
        "campaign": "campaign-weekly-1", "job": "smoke.S2.s2.r1", "task": "smoke", "drive_group": "lot42",
        "drive": "S2", "model": "ACME SSD", "serial": "S2", "firmware": "2.0", "host": "rack1", "seed": 2,
        "repeat": 1, "attempt": 1, "outcome": "failed", "seconds": 60.0, "lost": 0, "lost_seconds": 0.0,
        "tests": 2, "failed": 1, "findings": 1, "message": "",
    }  # fmt: skip
    found = rows(made.folder, "findings")[0]
    assert found["clause"] == "NVM 3.2.4" and found["place"] == "traffic.judge" and found["kind"] == "finding"
    assert (found["expected"], found["seen"], found["seed"]) == ("LBA 0x1 holds 7", "zeros", 1)
    assert found["script"] == "import nvme" and found["path"] == "jobs/smoke.S2.s1.r1/1"
    smart = rows(made.folder, "smart")
    assert [(row["taken"], row["ctemp"], row["duw"], row["mdie"]) for row in smart[:2]] == [
        ("before", 310, 1000, 0),
        ("after", 330, 3000, 1),
    ]
    interval = rows(made.folder, "intervals")[2]
    assert (interval["time"], interval["iops"], interval["p50_us"], interval["p99_us"]) == (
        3.0,
        None,
        3.0,
        None,
    )
    test = rows(made.folder, "tests")[1]
    assert test["file"] == "test_data.py" and test["name"] == "test_bad" and test["bad"] is False


def test_numbers_of_more_than_63_bits_are_the_largest(made):
    drive = seen("S1")
    drive.smart_after = "ff" * 512
    made.left("big.S1.s1.r1", Run(drives=[drive]))
    made.end(made.begin("S1", task="big"))
    results.collect(made.folder)
    assert rows(made.folder, "smart")[-1]["duw"] == (1 << 63) - 1


def test_a_job_is_there_once_by_the_attempt_that_counts(made):
    job = made.begin("S1", seed=9)
    made.clock += 5
    made.event("lost", job=job, attempt=1, why="the worker has died")
    made.begin("S1", seed=9, attempt=2)
    made.end(job, 2, "interrupted")
    made.begin("S1", seed=9, attempt=3)
    made.left(job, Run(tests=[Test("test_data.py::test_good")], drives=[seen("S1")]), 3)
    made.end(job, 3)
    open_ = made.begin("S2", seed=9)
    results.collect(made.folder)
    found = [row for row in rows(made.folder, "jobs") if row["seed"] == 9]
    assert [(row["job"], row["attempt"], row["outcome"], row["lost"]) for row in found] == [
        (job, 3, "passed", 1),
        (open_, 1, "unfinished", 0),
    ]
    assert found[0]["lost_seconds"] == 5.0
    assert {row[0] for row in ask(made.folder, "lost")} == {job, open_}


def test_what_is_torn_or_missing_is_told_and_harms_nothing_else(made):
    torn, gone = made.begin("S1", seed=7), made.begin("S2", seed=8)
    folder = made.left(torn, Run(tests=[Test("a.py::test_a")]))
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text[: len(text) // 2])
    made.end(torn)
    made.end(gone)
    with (made.folder / "journal.jsonl").open("a") as file:
        file.write('{"event":"begin","job":"half')
    results.collect(made.folder)
    told = {row["job"]: row["message"] for row in rows(made.folder, "jobs") if row["message"]}
    assert told[torn].endswith("char 0)") or "is not JSON" in told[torn]
    assert told[gone] == "it has left no results" and len(told) == 2
    page.write(made.folder)


def test_a_job_that_was_ended_is_a_finding(made):
    for seed, outcome, message in (
        (7, "time-out", "no end after 600 s"),
        (8, "time-out", "no end after 601 s"),
    ):
        made.end(made.begin("S1", seed), outcome=outcome, message=message)
    made.end(made.begin("S1", 9), outcome="error", message="signal 11")
    results.collect(made.folder)
    found = [row for row in rows(made.folder, "findings") if row["kind"] == "job"]
    assert [row["seen"] for row in found] == ["no end after 600 s", "no end after 601 s", "signal 11"]
    assert len({row["signature"] for row in found}) == 2


def test_a_clock_that_is_set_changes_no_duration(tmp_path):
    """Nor does the time between the end of a campaign and its --resume count."""
    made = Made(tmp_path / "campaigns" / "set")
    made.begin("S1")
    path = made.folder / "journal.jsonl"
    first, begin = map(json.loads, path.read_text().splitlines())
    lost = {"event": "lost", "job": begin["job"], "attempt": 1, "why": "killed"}
    events = [
        {**first, "elapsed": 0.5},
        {**begin, "time": made.clock + 7200, "elapsed": 1},
        {"event": "health", "drive": "S1", "fit": True, "why": "", "time": made.clock - 3600, "elapsed": 41},
        {"event": "resume", "time": made.clock + 86400, "elapsed": 0.25},
        {**lost, "time": made.clock + 86400, "elapsed": 0.25},
        {"event": "stop", "why": "done", "time": made.clock - 86400, "elapsed": 10},
    ]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    found = results.read(made.folder)
    assert found.lasted == 51
    assert found.jobs[begin["job"]][0].seconds == 40.25


def test_the_files_are_replaced_as_a_whole(made, monkeypatch):
    results.collect(made.folder)
    before = {path: path.read_bytes() for path in (made.folder / "results").iterdir()}
    assert sorted(path.name for path in before) == sorted(f"{name}.parquet" for name in schema.TABLES)
    made.job("S1", [Test("test_data.py::test_new")], 5)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(results, "_test", fail)
        results.collect(made.folder)
    assert {path: path.read_bytes() for path in (made.folder / "results").iterdir()} == before


def test_a_newer_version_is_refused(made):
    from pyarrow import parquet

    results.collect(made.folder)
    path = made.folder / "results" / "jobs.parquet"
    table = parquet.read_table(path)
    assert table.schema.metadata[b"pynvme.lab"] == b"1"
    parquet.write_table(table.replace_schema_metadata({b"pynvme.lab": b"2"}), path)
    with pytest.raises(
        ValueError, match="has version 2 of the results, and this pynvme reads up to version 1"
    ):
        Results([made.folder])
    path.write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="is no table of a campaign's results"):
        results.is_current(made.folder)


def test_tables_are_current_until_the_journal_goes_on(made):
    import os

    assert not results.is_current(made.folder)
    results.collect(made.folder)
    assert results.is_current(made.folder)
    path = made.folder / "results" / "jobs.parquet"
    os.utime(made.folder / "journal.jsonl", ns=(0, path.stat().st_mtime_ns + 1))
    assert not results.is_current(made.folder)


def test_a_folder_without_a_campaign_is_refused(tmp_path):
    with pytest.raises(JournalError, match="is not the folder of a campaign"):
        results.collect(tmp_path)


# -- answers --


def test_findings_of_one_bug_are_one_row(made):
    results.collect(made.folder)
    with Results([made.folder]) as found:
        bug = found.ask("bugs").records()
    assert len(bug) == 1
    assert {name: bug[0][name] for name in ("findings", "drives", "firmwares", "seeds", "tests", "seen")} == {
        "findings": 2, "drives": 1, "firmwares": "2.0", "seeds": 2, "tests": 1, "seen": "zeros",
    }  # fmt: skip


def test_flaky_tests_are_those_that_fail_for_a_share_of_the_seeds(made):
    for seed in (1, 2, 3):
        made.job("S1", [failed("test_data.py::test_always")], seed, task="more")
    results.collect(made.folder)
    assert ask(made.folder, "flaky") == [("test_data.py::test_bad", "S2", "2.0", 3, 2, 0.667, [1, 2])]


def test_what_is_new_since_the_last_campaign(made):
    results.collect(made.folder)
    later = Made(made.folder.parent / "campaign-weekly-2", start=START + 1e6)
    other = Made(made.folder.parent / "campaign-other", name="other", start=START + 5e5)
    results.collect(other.folder)
    later.drive("S2", "2.1")
    found = failed("test_data.py::test_good", finding=finding("SQHD is 1", "2", "Base 2.0, 3.3.3.2 Entry"))
    later.job("S2", [found, Test("test_data.py::test_bad")], firmware="2.1")
    results.collect(later.folder)
    assert results.last_before(later.folder) == made.folder and results.last_before(made.folder) is None
    old = "NVM 3.2.4 · zeros · traffic.judge"
    assert ask(later.folder, "new", made.folder) == [
        ("new bug", "Base 3.3.3.2 · SQHD · traffic.judge", "", 1, 0),
        ("newly failing", "test_data.py::test_good", "2.1", 1, 0),
        ("bug is gone", old, "", 0, 2),
        ("fixed", "test_data.py::test_bad", "", 0, 2),
    ]
    text = page.write(later.folder).read_text()
    assert "New since the last campaign" in text and "campaign-weekly-1" in text
    assert '<span class="new">new</span>' in text


def test_two_campaigns_are_asked_at_once(made):
    results.collect(made.folder)
    other = Made(made.folder.parent / "second")
    other.drive("S9")
    other.job("S9", [Test("test_data.py::test_good")])
    results.collect(other.folder)
    with Results([made.folder, other.folder]) as found:
        assert found.ask("select campaign, count(*) from jobs group by all order by all").rows == [
            ("campaign-weekly-1", 6),
            ("second", 1),
        ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select * form jobs", "syntax error .*line 1, column 15: select \\* form jobs"),
        ("select nope from jobs", 'Referenced column "nope" not found.*line 1, column 8'),
        ("select 1; select 2", "give one statement of SQL, not 2"),
        ("", "give one statement of SQL, not 0"),
        ("copy jobs to '{0}/x.csv'", "the statement is a SELECT, not COPY"),
        ("attach '{0}/x.db'", "not ATTACH"),
        ("drop view jobs", "not DROP"),
        ("set enable_external_access = true", "not SET"),
        ("select * from read_csv('/etc/passwd')", "disabled by configuration"),
        ("select * from '/etc/passwd'", "does not exist"),
        ("select * from rows", "does not exist"),
        ("bugz", "bugz is neither the folder of a campaign nor a question: did you mean bugs"),
        ("new", "there is no campaign to compare with"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(made, query, told):
    results.collect(made.folder)
    with pytest.raises(ValueError, match=told) as error:
        ask(made.folder, query.format(made.folder))
    assert "\n" not in str(error.value)
    assert not (made.folder / "x.csv").exists() and not (made.folder / "x.db").exists()


# -- campaigns with little in them --


def _empty(made: Made) -> None:
    return


def _lost(made: Made) -> None:
    made.drive("S1")
    made.event("lost", job=made.begin("S1"), attempt=1, why="the link was cut")
    made.event("aside", drive="S1", why="it is not there")


@pytest.mark.parametrize("fill", [_empty, _lost])
def test_campaigns_without_results_have_a_page_and_answers(tmp_path, fill):
    made = Made(tmp_path / "campaign-none")
    fill(made)
    results.collect(made.folder)
    text = page.write(made.folder).read_text()
    assert "No finding." in text
    assert ("the link was cut" in text and "it is not there" in text) is (fill is _lost)
    with Results([made.folder], made.folder) as found:
        for name in QUESTIONS:
            assert found.ask(name).columns
    assert ElementTree.parse(made.folder / junit.FILE).getroot().tag == "testsuites"


# -- the page --


class Tags(HTMLParser):
    """Collects tags, texts and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_names_with_html_in_them_are_only_text(tmp_path):
    made = Made(tmp_path / "campaign-evil", name=EVIL)
    made.drive(EVIL.replace("/", ""), EVIL, host=EVIL, group=EVIL)
    found = finding(EVIL, EVIL, EVIL, place=EVIL, script=EVIL, commands=[EVIL])
    tests = [
        failed(f"{EVIL}.py::{EVIL}", finding=found, again=EVIL, message=EVIL),
        failed("b.py::b", message=EVIL),
    ]
    made.job(EVIL.replace("/", ""), tests, firmware=EVIL, task="ta#sk")
    made.event("aside", drive=EVIL.replace("/", ""), why=EVIL)
    made.end(made.begin("S1", task="slow"), outcome="time-out", message=EVIL)
    results.collect(made.folder)
    parsed = Tags()
    parsed.feed(page.write(made.folder).read_text())
    assert parsed.tags.count("script") == 1, "the page's own"
    assert parsed.texts.count(EVIL) > 5
    assert parsed.links and all((made.folder / unquote(link)).exists() for link in parsed.links)
    suites = ElementTree.parse(made.folder / junit.FILE).getroot()
    assert [case.get("name") for case in suites.iter("testcase")] == ["job", EVIL, "b"]


def test_the_page_shows_what_failed_where(made):
    made.event("stop", why="done")
    results.collect(made.folder)
    text = page.write(made.folder).read_text()
    assert "Firmware × test" in text and "Drive × test" in text and "Flaky tests" in text
    assert '<td class="passed">0/3</td><td class="some">2/3</td>' in text, "test_bad by firmware 1.0 and 2.0"
    assert (
        'href="jobs/smoke.S2.s1.r1/1/index.html"' in text
        and 'href="jobs/smoke.S2.s2.r1/1/output.log"' in text
    )
    assert "test_bad" in (made.folder / "jobs/smoke.S2.s1.r1/1/index.html").read_text()
    assert "import nvme" in text
    assert "1 of 2 drives failed no test" in text
    assert "prefers-color-scheme: dark" in text and "http" not in text.replace("http-equiv", "")


def test_the_page_of_many_drives_is_short(tmp_path, monkeypatch):
    made = Made(tmp_path / "campaign-many")
    with results.Tables(made.folder / "results") as tables:
        for drive in range(120):
            common = {"campaign": "campaign-many", "drive": f"D{drive:03}", "host": "h", "seed": 1}
            job = {**common, "job": f"j{drive}", "firmware": f"{drive % 20}", "outcome": "failed"}
            tables.add("jobs", [{**job, "seconds": 1.0, "lost_seconds": 0.0, "lost": 0, "tests": 210}])
            for number in range(210):
                bad = number < 40 and drive != 7
                test = {
                    "file": "f.py",
                    "name": f"t{number}",
                    "bad": bad,
                    "outcome": "failed" if bad else "passed",
                }
                tables.add("tests", [{**job, **test, "nodeid": f"f.py::t{number}", "seconds": 1.0}])
    text = page.write(made.folder).read_text()
    assert text.count("<td") < 2 * (page.TESTS * page.FIRMWARES + page.DRIVES * page.FAILING)
    for note in (
        "10 more tests are not shown",
        "8 more firmwares",
        "10 more tests that failed",
        "19 more drives",
    ):
        assert note in text
    assert "1 of 120 drives failed no test" in text
    assert '<th>D000 0</th><td class="some">40/210</td><td class="failed">1/1</td>' in text


def test_junit_has_a_suite_for_each_job(made):
    made.end(made.begin("S1", 8), outcome="error", message="signal 11")
    results.collect(made.folder)
    page.write(made.folder)
    suites = list(ElementTree.parse(made.folder / "junit.xml").getroot())
    assert len(suites) == 7 and sum(int(suite.get("failures", 0)) for suite in suites) == 2
    error = next(suite for suite in suites if suite.get("name") == "smoke.S1.s8.r1").find("testcase/error")
    assert error is not None and error.get("message") == "error: signal 11"
    failure = next(suite for suite in suites if suite.get("name") == "smoke.S2.s1.r1").find(
        "testcase/failure"
    )
    assert failure is not None and "expected: LBA 0x1 holds 7" in str(failure.text)


# -- the command --


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["results", *words], prog_name="pynvme")
    assert done.exit_code == code, done.output
    return done.output


def test_the_command_sums_up_and_answers(made, monkeypatch):
    made.event("aside", drive="S1", why="critical warning 04h")
    told = run(str(made.folder))
    for words in (
        "campaign-weekly-1",
        "NVM 3.2.4 · zeros",
        "test_data.py::test_bad",
        "critical warning 04h",
        "0.667",
    ):
        assert words in told.replace("\n", "")
    assert (made.folder / "index.html").exists()
    found = json.loads(run(str(made.folder), "bugs", "--json"))
    layout = json.loads((Path(pynvme.__file__).parent / "schemas" / "results.json").read_text())
    jsonschema.Draft202012Validator(layout).validate(found)
    assert found["tables"][0]["rows"][0][1] == 2
    jsonschema.Draft202012Validator(layout).validate(json.loads(run(str(made.folder), "--json")))
    assert run(str(made.folder), "select job, seed from jobs where failed > 0", "--csv") == (
        "job,seed\nsmoke.S2.s1.r1,1\nsmoke.S2.s2.r1,2\n"
    )
    monkeypatch.chdir(made.folder.parent)
    assert run("select count(*) as n from jobs", "--csv") == "n\n6\n", "the newest campaign here"
    made.job("S1", [Test("test_data.py::test_new")], 5)
    assert run("select count(*) as n from jobs", "--csv", "--collect") == "n\n7\n"


def test_what_is_wrong_on_the_command_line_is_told(made, tmp_path, monkeypatch):
    assert "Parser Error" in run(str(made.folder), "select from", code=1)
    assert "only the last word can be a question" in run("bugs", str(made.folder), code=2)
    assert "is not the folder of a campaign" in run(str(tmp_path), code=1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "there is no campaign-* here; campaign-x is no folder" in run("campaign-x", code=2)


def test_the_notebook_runs_on_a_campaign(made, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    results.collect(made.folder)
    monkeypatch.chdir(made.folder.parent)
    notebook = json.loads((Path(pynvme.__file__).parents[1] / "examples" / "campaign.ipynb").read_text())
    scope: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"] and cell["execution_count"] is None, "it is stored without results"
            exec("".join(cell["source"]), scope)
    figures = [plt.figure(number) for number in plt.get_fignums()]
    drawn = [len(figure.axes[0].lines) + len(figure.axes[0].patches) for figure in figures]
    assert drawn == [4, 2, 6], "bars of two firmwares, two drives, and six workers"
    plt.close("all")
