# SPDX-License-Identifier: BSD-3-Clause
"""pytest --nvme-report: the page, JUnit, CTRF, Parquet, run.json, and the difference of two runs."""

import json
import re
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from click.testing import CliRunner

import pynvme.report
from pynvme.report import ctrf, difference, files, junit, page
from pynvme.report.command import report as command
from pynvme.report.run import Drive, Run, Test, Worker, read
from tests.fix_load import loaded

SCHEMAS = Path(pynvme.__file__).parent / "schemas"

TESTS = '''
import logging, nvme, pytest

@pytest.mark.requirement("MINE-1", "NVM 1.0, 3.2.6 Write")
def test_good(nvme0n1, qpair, buf, record_property):
    """A write is read back.

    1. Write.
    2. Read.
    """
    record_property("test_key", "SSD-12")
    nvme0n1.write(qpair, buf, 8, 8).waitdone()

def test_bad(nvme0n1, qpair, buf):
    logging.error("told to <the> log")
    print("with a \\x01 control character")
    nvme0n1.read(qpair, buf, 1 << 40).waitdone()
    nvme0n1.read(qpair, buf, 0x77, 5).waitdone()
    assert buf[0] == 300, "wrong <byte>"

def test_worker(nvme0n1):
    nvme0n1.ioworker(io_count=2000, read_percentage=0, io_size=1, iops=9000).start().close()

@pytest.mark.skip(reason="needs a <drive>")
def test_skipped(): pass

@pytest.fixture
def broken(nvme0): raise KeyError("broken fixture")

def test_error(broken): print("never")

@pytest.mark.xfail(reason="a known bug")
def test_expected(): assert 0
'''

OUTCOMES = {
    "test_good": "passed",
    "test_bad": "failed",
    "test_worker": "passed",
    "test_skipped": "skipped",
    "test_error": "error",
    "test_expected": "xfailed",
}


@pytest.fixture
def made(pytester, run):
    """Give ``made(*arguments)``: the folder of a report of TESTS, and the run that it has."""

    def make(*arguments):
        pytester.makepyfile(test_mine=TESTS)
        result = run("-p", "no:cacheprovider", "--nvme-report=out/new", *arguments)
        folder = pytester.path / "out/new"
        assert str(Path("out/new/index.html")) in result.stdout.str()
        return folder, read(folder)

    return make


class Parsed(HTMLParser):
    """Reads a page: what it loads, its text, and whether each element is closed."""

    VOID = frozenset({"meta", "input", "br", "path"})

    def __init__(self, text):
        super().__init__()
        self.stack, self.loads, self.words, self.ids = [], [], [], []
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.loads += [
            found[name] for name in ("src", "href", "data") if not found.get(name, "#").startswith("#")
        ]
        self.ids += [found["id"]] if "id" in found else []
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_report_has_everything_of_a_run(made):
    folder, run = made()
    tests = {test.name: test for test in run.tests}
    assert {name: test.outcome for name, test in tests.items()} == OUTCOMES
    _check_drive(run)
    _check_tests(tests)
    _check_page(folder, run)
    _check_junit(folder, run)
    for name, text in (
        ("run", (folder / "run.json").read_text()),
        ("ctrf", (folder / "ctrf.json").read_text()),
    ):
        jsonschema.validate(json.loads(text), json.loads((SCHEMAS / f"report-{name}.json").read_text()))
    found = json.loads((folder / "ctrf.json").read_text())["results"]
    assert found["summary"]["tests"] == 6 and found["summary"]["failed"] == 2
    _check_parquet(folder)


def _check_drive(run):
    (drive,) = run.drives
    assert drive.model == "pynvme virtual SSD" and drive.firmware and drive.serial and drive.problem == ""
    before, after = (pynvme.spec.SmartLog(bytes.fromhex(x)) for x in (drive.smart_before, drive.smart_after))
    assert after.host_write_commands - before.host_write_commands >= 2001
    assert run.drive_of(run.tests[0]) is drive


def _check_tests(tests):
    good, bad, worker = (tests[name] for name in ("test_good", "test_bad", "test_worker"))
    assert (good.requirement, good.clause) == ("MINE-1", "NVM 1.0, 3.2.6 Write")
    assert (good.purpose, good.steps) == ("A write is read back.", "1. Write.\n2. Read.")
    assert good.properties == {"test_key": "SSD-12"} and good.queues == []
    assert bad.message.startswith("AssertionError: wrong <byte>") and "buf[0] == 300" in bad.details
    assert bad.unexpected == [["status", "00/80 LBA Out of Range", 1]]
    assert any("ERROR status: 00/80" in text for text in bad.warnings)
    assert any("told to <the> log" in text for _, text in bad.sections)
    assert bad.again == f"PYNVME_SEED={bad.seed} python -m pytest test_mine.py::test_bad".replace(
        "python ", bad.again.split()[1] + " "
    )
    queue = next(one for one in bad.queues if one.name.startswith("queue pair"))
    newest, older = queue.commands[:2]
    assert newest["what"] == "LBA 0x77 to 0x7b" and newest["good"]
    assert older["name"] == "Read" and older["status"] == "00/80 LBA Out of Range" and older["us"] > 0
    assert not older["good"]
    assert any("cns=" in one["what"] for queue in bad.queues for one in queue.commands)
    (one,) = worker.workers
    assert one.title == "io_size 1, write, random, qdepth 64, 9000 IOPS at most"
    assert one.result["io_count_write"] == 2000 and one.percentiles_us["99"] >= one.percentiles_us["50"] > 0
    spans = [b - a for a, b in zip([0, *one.series["time"]], one.series["time"])]
    total = sum(rate * span for rate, span in zip(one.series["iops"], spans))
    assert 1900 < total < 2100, "the series has the same IOs as the result"
    assert "broken fixture" in tests["test_error"].message
    assert tests["test_skipped"].message == "needs a <drive>"
    assert tests["test_expected"].message == "a known bug"


def _check_page(folder, run):
    text = (folder / "index.html").read_text()
    parsed = Parsed(text)
    assert parsed.loads == [], "a page loads nothing"
    words = "".join(parsed.words)
    for wanted in (
        run.drives[0].serial,
        "needs a <drive>",
        "wrong <byte>",
        "NVM 1.0, 3.2.6 Write",
        "LBA 0x77 to 0x7b",
        "00/80 LBA Out of Range",
        "told to <the> log",
        "Identify Controller",
        "host write commands",
        f"PYNVME_SEED={run.tests[1].seed}",
    ):
        assert wanted in words, wanted
    assert text.count("<svg") == 2
    assert set(re.findall(r'href="#(\w+)"', text)) <= set(parsed.ids)
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def _check_junit(folder, run):
    suite = ElementTree.parse(folder / "junit.xml").getroot()[0]
    assert {suite.get(name) for name in ("failures", "errors")} == {"1"}
    assert suite.get("skipped") == "2"
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert set(cases) == set(OUTCOMES)
    properties = {one.get("name"): one.get("value") for one in cases["test_good"].iter("property")}
    drive = run.drives[0]
    assert properties["requirement"] == "MINE-1" and properties["clause"] == "NVM 1.0, 3.2.6 Write"
    assert properties["serial"] == drive.serial and properties["firmware"] == drive.firmware
    assert properties["seed"] == str(run.tests[0].seed) and properties["test_key"] == "SSD-12"
    assert "wrong <byte>" in cases["test_bad"].find("failure").get("message")
    assert "control character" in cases["test_bad"].find("system-out").text
    assert cases["test_skipped"].find("skipped").get("message") == "needs a <drive>"


def _check_parquet(folder):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(folder / "results.parquet").to_pylist()
    assert [row["kind"] for row in rows].count("worker") == 1 and len(rows) == 7
    worker = next(row for row in rows if row["kind"] == "worker")
    assert worker["ios"] == 2000 and worker["nodeid"].endswith("::test_worker")


def test_a_report_of_another_process_is_the_same(made):
    folder, run = made("-n1", "-k", "good or bad")
    assert {test.name: test.outcome for test in run.tests} == {"test_good": "passed", "test_bad": "failed"}
    assert {test.process for test in run.tests} == {"gw0"}
    assert [drive.model for drive in run.drives] == ["pynvme virtual SSD"]
    bad = next(test for test in run.tests if test.outcome == "failed")
    assert bad.queues and bad.seed is not None and bad.warnings
    Parsed((folder / "index.html").read_text())


def test_a_folder_that_cannot_be_made_is_told_before_the_tests(pytester, run):
    pytester.makepyfile("def test_it(): print('ran')")
    pytester.path.joinpath("file").touch()
    result = run("-s", "--nvme-report=file/sub")
    assert result.ret == pytest.ExitCode.USAGE_ERROR and "ran" not in result.stdout.str()
    result.stderr.fnmatch_lines("*--nvme-report: *file*")


def test_without_pyarrow_one_line_tells_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (line,) = [line for line in files.write(some_run(2), tmp_path) if "parquet" in line]
    assert f"{sys.executable} -m pip install pyarrow" in line and not (tmp_path / "results.parquet").exists()
    assert (tmp_path / "index.html").exists()


def some_run(count, **changes):
    """A run of tests with workers, as large as those of a day."""
    series = {"time": [i / 10 for i in range(1, 121)]}
    series |= {name: [float(100 + i % 7) for i in range(120)] for name in ("iops", "bandwidth", "p50", "p99")}
    result = {"io_count_read": 1000, "io_count_nonread": 0, "mseconds": 1000, "latency_max_us": 70}
    tests = []
    for number in range(count):
        test = Test(f"tests/test_{number // 50}.py::test_{number}", seconds=0.7, clause="NVM 1.0, 3.2.4 Read")
        test.steps = "1. Do this.\n2. Then do that, which takes some words to describe.\n" * 6
        test.outcome = "failed" if number % 25 == 7 else "passed"
        test.details = "E   assert 1 == 2\n" * 40 if test.bad else ""
        test.sections = [["Captured log call", "INFO something happened here\n" * 20]]
        test.workers = (
            [Worker("io_size 8, read", result, {"50": 10.0, "99": 20.0}, series)] if number % 2 else []
        )
        tests.append(test)
    run = Run(start=1.7e9, seconds=600.0, tests=tests, drives=[Drive("vssd", "model", "serial", "1.0")])
    for name, value in changes.items():
        setattr(run, name, value)
    return run


def test_a_report_of_1000_tests_is_written_in_5_s_and_has_less_than_5_mb(tmp_path):
    start = time.monotonic()
    files.write(some_run(1000), tmp_path)
    took = time.monotonic() - start
    assert sum(path.stat().st_size for path in tmp_path.glob("index.html")) < 5e6
    assert took < 5 or loaded()
    assert len(read(tmp_path).tests) == 1000


@pytest.mark.parametrize(
    "run", [Run(), Run(tests=[Test("t.py")]), some_run(1, drives=[])], ids=["empty", "bare", "no drive"]
)
def test_a_run_of_nothing_makes_files_too(run):
    Parsed(page.html(run))
    ElementTree.fromstring(junit.xml(run))
    jsonschema.validate(ctrf.report(run), json.loads((SCHEMAS / "report-ctrf.json").read_text()))


# The difference


def test_the_difference_tells_what_fails_and_what_is_slower(tmp_path):
    old, new = some_run(8), some_run(8)
    new.tests[0].outcome, new.tests[0].message = "failed", "assert 3"
    new.tests[7].outcome = "passed"
    new.tests[2].outcome = "skipped"
    new.tests[4].seconds = 1.4
    new.tests[1].workers[0].result = {**new.tests[1].workers[0].result, "io_count_read": 500}
    new.tests[3].workers[0].percentiles_us = {"99": 10.0}
    del new.tests[6]
    found = difference.compare(old, new)
    assert [test.nodeid[-1] for test in found.newly_failed] == ["0"]
    assert [test.nodeid[-1] for test in found.fixed] == ["7"]
    assert [test.nodeid[-1] for test in found.newly_skipped] == ["2"]
    assert [test.nodeid[-1] for test in found.removed] == ["6"]
    assert {(one.what, one.before, one.after) for one in found.slower} == {
        ("s", 0.7, 1.4),
        ("IOPS", 1000, 500),
    }
    assert [(one.what, one.before, one.after) for one in found.faster] == [("p99 in us", 20.0, 10.0)]
    assert not difference.compare(old, old).worse and difference.lines(
        difference.compare(old, some_run(8, tests=[]))
    )
    for name, run in (("a", old), ("b", new)):
        (tmp_path / name).mkdir()
        run.write(tmp_path / name)
    runner = CliRunner()
    shown = runner.invoke(command, ["diff", str(tmp_path / "a"), str(tmp_path / "b")])
    assert shown.exit_code == 1 and "newly failing: 1\n  tests/test_0.py::test_0: assert 3" in shown.output
    assert "1,000 -> 500 IOPS (-50%)" in shown.output
    as_json = runner.invoke(command, ["diff", "--json", str(tmp_path / "a"), str(tmp_path / "b")])
    jsonschema.validate(json.loads(as_json.output), json.loads((SCHEMAS / "report-diff.json").read_text()))
    same = runner.invoke(command, ["diff", str(tmp_path / "a"), str(tmp_path / "a" / "run.json")])
    assert same.exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "is not JSON"),
        ("[]", "is not a report of pynvme"),
        ('{"format": "pynvme.report", "version": 99}', "has version 99"),
        ('{"format": "pynvme.report", "version": 1, "tests": [3]}', "is damaged"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, text, told):
    (tmp_path / "run.json").write_text(text)
    done = CliRunner().invoke(command, ["diff", str(tmp_path), str(tmp_path)])
    assert done.exit_code == 1 and told in done.output
    assert not isinstance(done.exception, (TypeError, AttributeError))
