# SPDX-License-Identifier: BSD-3-Clause
"""``make bench``: each measurement once and short; its figures are plausible, and are reported."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from tests.fix_load import loaded
from tools import bench
from tools.bench import (
    engines,
    figures,
    instructions,
    limits,
    machine,
    memory,
    opening,
    python_rates,
    report,
    workers,
)
from tools.bench.figures import Figure, Mark, Results
from tools.bench.session import Plan, Session
from tools.bench.stepper import Stepper, StepperError

ROOT = Path(__file__).parents[1]
SHORT = Plan(runs=1, seconds=0.05, many_seconds=0.2, rate_seconds=1, steps=1000, drive_mib=64)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Build the program that measures the machine, where it can be built, in a folder of this process."""
    if not shutil.which("make") or not shutil.which("gcc"):
        pytest.skip("needs make and gcc")
    folder = tmp_path_factory.mktemp("bare")
    words = ["make", "-s", "-f", "tools/native.mk", f"OUT={folder}", "bare"]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "BARE", folder / "bare")
        yield


@pytest.fixture
def measured(monkeypatch):
    """Give ``measured(part, pattern)``: the results of one part, without repetitions."""
    monkeypatch.setattr("tools.bench.session.REPEATS", 0)

    def measure(part, pattern=""):
        session = Session(Plan(**{**vars(SHORT), "pattern": pattern}), Console(file=io.StringIO()))
        part.measure(session)
        return session.results

    return measure


def medians(results):
    return {name: figure.median for name, figure in results.figures.items() if figure.runs}


# -- each measurement -------------------------------------------------------------------------------------


def test_a_workload_is_measured_on_each_store(measured):
    found = medians(measured(workers, "mixed.4k.qd32"))
    assert set(found) == {f"mixed.4k.qd32.{column}" for column in workers.COLUMNS}
    assert min(found[f"mixed.4k.qd32.{store}"] for store in ("null", "memory", "verified")) > 1000 or loaded()
    assert found["mixed.4k.qd32.judged"] > 0.9
    assert 0.001 < found["mixed.4k.qd32.ratio"] < 1000


def test_nothing_of_a_write_is_judged_so_no_share_is_told(measured):
    assert "write.512.qd1.judged" not in medians(measured(workers, "write.512.qd1.*"))


def test_the_workloads_are_those_of_the_table():
    names = {load.name for load in workers.LOADS}
    assert len(names) == 30
    assert {"read.512.qd1", "write.4k.qd32", "mixed.128k.qd128", "sequential.128k.qd1"} < names
    assert workers.Load("mixed", 512, 128).options()["qdepth"] == 129


def test_percentiles_of_latency_are_in_nanoseconds_and_rise(measured):
    found = list(medians(measured(workers, "latency.null")).values())
    assert len(found) == 4
    assert found == sorted(found)
    assert 100 < found[0] < 1e9


def test_a_start_takes_less_than_a_second(measured):
    first = medians(measured(workers, "start"))["start.first"]
    assert first > 0
    assert first < 1000 or loaded()


def test_many_workers_are_compared_with_one(measured):
    found = medians(measured(workers, "many"))
    assert found["many.smallest"] <= 1
    assert min(found["many.smallest"], found["many.together"]) > 0 or loaded()


def test_the_deviation_from_a_rate_is_counted(measured):
    assert medians(measured(workers, "rate.1000")).keys() == {"rate.1000"}


def test_the_machine_itself_is_measured(bare, measured):
    results = measured(limits, "limit")
    found = medians(results)
    if machine.about()["cpus"] < 2:
        assert "two CPUs" in results.left_out[0]
        return
    if any("busy with other programs" in text for text in results.left_out):
        assert loaded()
        return
    assert found["limit.round_trips"] * found["limit.round_trip"] == pytest.approx(1e9)
    assert found["limit.pipeline"] > 1000 or loaded()
    assert found["limit.pipeline.ratio"] == found["limit.pipeline.touch"] / found["limit.pipeline"]
    assert found["limit.pipeline.touch"] > 0 or loaded()


@pytest.mark.parametrize("name", ["region.write", "sequential.read", "drive.read"])
def test_a_worker_is_set_beside_memcpy(bare, measured, name):
    found = medians(measured(limits, name))
    assert set(found) == {f"{name}.{part}" for part in ("iops", "bare", "ratio")}
    assert found[f"{name}.ratio"] == found[f"{name}.iops"] / found[f"{name}.bare"]


def test_reads_of_the_whole_drive_are_judged(bare, measured):
    assert medians(measured(limits, "drive.verified"))["drive.verified.judged"] == 1


def test_without_the_program_its_figures_are_left_out(measured, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "BARE", tmp_path / "bare")
    results = measured(limits)
    assert results.figures == {}
    assert "make bench" in results.left_out[0]


def test_a_drive_that_needs_more_memory_than_there_is_is_left_out(bare, monkeypatch, measured):
    monkeypatch.setattr(limits, "kib", lambda *_: 1000)
    results = measured(limits, "drive.read")
    assert results.figures == {}
    assert "memory" in results.left_out[0]


@pytest.mark.parametrize(
    "words", [[], ["copy"], ["copy", "1", "4096", "up", "read", "1"], ["pipeline", "x", "1"]]
)
def test_the_program_refuses_what_it_does_not_know(bare, words):
    assert subprocess.run([limits.BARE, *words], capture_output=True).returncode in (1, 2)


def test_instructions_are_counted(bare, measured, monkeypatch):
    monkeypatch.setattr(
        instructions, "LOADS", [workers.Load("read", in_flight=4), workers.Load("write", in_flight=4)]
    )
    results = measured(instructions)
    if any("not permitted" in text for text in results.left_out):
        pytest.skip(results.left_out[0])
    assert results.left_out == []
    found = medians(results)
    assert len(found) == 9
    # A worker that waits for a drive without a CPU counts its empty polls.
    assert all(10 < value < 20_000 for value in found.values()) or loaded()
    assert found["instructions.host.read.on"] > found["instructions.host.read.off"] or loaded()


def test_instructions_are_left_out_where_processes_cannot_be_followed(measured, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    results = measured(instructions)
    assert results.figures == {}
    assert "aarch64" in results.left_out[0]


def test_an_engine_is_measured_in_a_process_of_its_own(measured):
    results = measured(engines, "engines.own.qd32")
    found = medians(results)
    assert set(found) == {"engines.own.qd32.off", "engines.own.qd32.on"}
    assert min(found.values()) > 1000 or loaded()
    assert [results.figures[name].engine for name in found] == ["own", "own"]


def test_the_instructions_of_an_engine_are_those_of_its_worker(measured):
    found = medians(measured(engines, "engines.own.instructions.off"))
    assert 50 < found["engines.own.instructions.off"] < 10_000


def test_one_engine_alone_is_compared_with_none(measured, monkeypatch):
    monkeypatch.setattr(engines.nvme, "engines", lambda: engines_of("own"))
    results = measured(engines)
    assert not results.measured
    assert results.left_out == ["the comparison of engines: this build has only own"]


def engines_of(*names):
    return [SimpleNamespace(name=name) for name in names]


def test_an_engine_that_fails_is_left_out_and_the_others_are_measured(measured, monkeypatch):
    monkeypatch.setattr(engines.nvme, "engines", lambda: engines_of("own", "warp"))
    results = measured(engines, "engines.*.qd1.off")
    assert set(medians(results)) == {"engines.own.qd1.off"}
    assert len(results.left_out) == 1
    assert results.left_out[0].startswith("engine warp: ")
    assert "no engine warp" in results.left_out[0]


def test_each_engine_has_a_column():
    results = Results()
    for name, title, engine, runs, contended in (
        ("a.1", "IOPS", "a", [10.0], 0),
        ("b.1", "IOPS", "b", [20.0, 30.0, 40.0], 2),
        ("b.2", "instructions", "b", [5.0], 0),
    ):
        results.add(Figure(name, title, "", engine=engine, runs=runs, contended=contended))
    assert report.engines(results) == (
        ["a", "b"],
        [["IOPS", "10", "30", "b: 2 of 3 runs contended"], ["instructions", "", "5", ""]],
    )
    assert report.others(results) == []
    assert report.markdown(results).splitlines()[0] == "| engines | a | b |  |"


def test_commands_from_python_are_counted(measured):
    found = medians(measured(python_rates))
    assert set(found) == {f"python.{way}.{on}" for way in ("single", "hundred") for on in ("off", "on")}
    assert min(found.values()) > 100 or loaded()


def test_opening_and_importing_take_time(measured):
    found = medians(measured(opening))
    assert set(found) == {"open.controller", "open.namespace", "import"}
    assert all(0 < value < 10_000 for value in found.values())


def test_memory_of_a_worker_and_of_a_table(measured):
    found = medians(measured(memory))
    assert 10 < found["memory.worker.private"] < 100_000
    assert 128 < found["memory.worker.shared"] < 100_000, "its buffers alone are 128 KiB"
    assert found["memory.table.opened"] < 8
    assert 15 < found["memory.table.written"] < 40, "8 bytes for each of 2 Mi LBAs"


# -- the count of instructions ----------------------------------------------------------------------------


def test_a_process_that_has_ended_cannot_be_followed():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with pytest.raises(StepperError), Stepper(process.pid):
        pass


def test_a_process_that_was_followed_goes_on_and_a_counter_that_stands_is_told(bare, monkeypatch):
    with subprocess.Popen([limits.BARE, "crc"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            with Stepper(process.pid) as stepper:
                stepper.until_change(lambda: stepper.clock_reads)
                each = [stepper.instructions_each(lambda: stepper.clock_reads, 500) for _ in range(3)]
                monkeypatch.setattr("tools.bench.stepper.PATIENCE", 1000)
                with pytest.raises(StepperError, match="nothing done"):
                    stepper.instructions_each(lambda: 0, 1)
            assert len(set(each)) == 1, "the same loop each time"
            time.sleep(0.05)
            assert Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "R"
        finally:
            process.kill()


# -- evaluation of the figures --------------------------------------------------------------------------


def results_of(**values):
    results = Results()
    for name, runs in values.items():
        results.add(figures.Figure(name, name, "")).runs.extend(runs)
    return results


def test_a_mark_is_met_or_not_and_a_limit_below_it_is_told(monkeypatch):
    marks = {"a": Mark(10, limit="b"), "c": Mark(5, at_least=False), "d": Mark(1, False, more=(2, "c"))}
    monkeypatch.setattr(figures, "MARKS", marks)
    results = results_of(a=[8, 9, 30], b=[9.5], c=[5], d=[11])
    assert report.mark(results.judge("a")) == "≥ 10 not met, limit here 9.5"
    assert report.mark(results.judge("c")) == "≤ 5 met"
    assert report.mark(results.judge("d")) == "≤ 11 met"
    assert results.judge("b") is None
    assert results_of(d=[1]).judge("d") is None, "a bound that depends on what was not measured"


def test_every_mark_and_limit_belongs_to_a_figure_that_is_measured(bare, monkeypatch):
    known = set()
    monkeypatch.setattr(Session, "wants", lambda self, *names: known.update(names) and False)
    session = Session(SHORT, Console(file=io.StringIO()))
    for part in bench.PARTS:
        part.measure(session)
    assert set(figures.MARKS) <= known
    assert {mark.limit for mark in figures.MARKS.values() if mark.limit} <= known


@pytest.mark.parametrize(
    ("pattern", "quick", "wanted"),
    [
        ("", False, {"read.4k.qd1.null", "read.512.qd1.null", "limit.pipeline.ratio"}),
        ("", True, {"read.4k.qd1.null", "limit.pipeline.ratio"}),
        ("read", False, {"read.4k.qd1.null", "read.512.qd1.null"}),
        ("read.4k.qd1", False, {"read.4k.qd1.null"}),
        ("read.4k.qd", False, set()),
        ("*.ratio", False, {"limit.pipeline.ratio"}),
    ],
)
def test_what_is_wanted(pattern, quick, wanted):
    session = Session(Plan.usual(5, None, quick, pattern), Console(file=io.StringIO()))
    names = {"read.4k.qd1.null", "read.512.qd1.null", "limit.pipeline.ratio"}
    assert {name for name in names if session.wants(name)} == wanted


def test_a_contended_run_is_repeated_and_one_that_is_kept_is_counted(monkeypatch):
    monkeypatch.setattr("tools.bench.machine.WaitMeter.share", lambda self: self.contended)
    session = Session(Plan(), Console(file=io.StringIO()))
    figure = session.figure("a", "a", "")
    shares = iter([0.5, 0.04, 0.02, *[0.5] * 4])

    def measure(meter):
        meter.contended = next(shares)
        return meter.contended

    assert session.once(figure, measure) == 0.02
    assert session.once(figure, measure) == 0.5
    assert (figure.runs, figure.contended) == ([0.02, 0.5], 1)


def test_a_process_that_waits_for_a_cpu_is_noticed():
    cpu = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, [{cpu}])\nwhile os.getppid() == {os.getpid()}: pass"
    with ExitStack() as stack:
        for _ in range(2):
            stack.callback(stack.enter_context(subprocess.Popen([sys.executable, "-c", code])).kill)
        deadline = time.monotonic() + 10
        share = 0.0
        while share <= 0.2 and time.monotonic() < deadline:
            meter = machine.WaitMeter()
            time.sleep(0.2)
            meter.sample()
            share = meter.share()
    assert share > 0.2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.8512, "0.851"),
        (12.34, "12.3"),
        (1234.4, "1,234"),
        (12_345, "12.3 k"),
        (999_600, "1 M"),
        (7.654e6, "7.65 M"),
    ],
)
def test_numbers_have_three_digits_that_count(value, text):
    assert report.number(value) == text


def test_the_file_and_the_tables_hold_each_figure(tmp_path):
    json_file, markdown_file, out = tmp_path / "a.json", tmp_path / "a.md", io.StringIO()
    plan = Plan(**{**vars(SHORT), "runs": 2, "pattern": "*.4k.qd128.null"})
    assert bench.run(plan, str(json_file), str(markdown_file), Console(file=out, width=120)) == 0
    content = json.loads(json_file.read_text())
    assert (content["layout"], content["plan"]["runs"], content["left_out"]) == (2, 2, [])
    assert content["machine"]["cpus"] > 0
    assert {"commit", "pynvme"} < set(content)
    by_name = {figure["name"]: figure for figure in content["figures"]}
    assert set(by_name) == {f"{kind}.4k.qd128.null" for kind in ("read", "write", "mixed")}
    figure = by_name["read.4k.qd128.null"]
    assert figure["minimum"] <= figure["median"] <= figure["maximum"]
    assert len(figure["runs"]) == 2
    assert figure["mark"]["bound"] == 7.5e6
    assert "random read, 4 KiB, QD 128" in out.getvalue()
    lines = markdown_file.read_text().splitlines()
    assert len(lines) == 2 + 3
    assert {line.count(" | ") for line in lines} == {6}


# -- the command line -------------------------------------------------------------------------------------


@pytest.fixture
def cli():
    """Give ``cli(*arguments)``: runs ``python -m tools.bench`` to its end."""

    def run(*arguments):
        command = [sys.executable, "-m", "tools.bench", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    return run


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(cli, tmp_path):
    done = cli("--only", "open", "--json", f"{tmp_path}/no/such/bench.json")
    assert done.returncode == 2
    assert f"the folder {tmp_path}/no/such is missing or not writable" in done.stderr


def test_a_name_that_no_figure_has_is_told_and_not_a_success(cli):
    done = cli("--only", "no.such")
    assert done.returncode == 2
    assert "no figure is named 'no.such'" in done.stdout


def test_the_measurements_that_are_asked_for_are_written_as_json(cli, tmp_path):
    file = tmp_path / "bench.json"
    done = cli("--runs", "1", "--seconds", "0.1", "--only", "open", "--json", str(file))
    assert done.returncode == 0, done.stderr
    content = json.loads(file.read_text())
    assert content["layout"] == 2
    assert {figure["name"] for figure in content["figures"]} == {"open.controller", "open.namespace"}
    assert all(figure["minimum"] <= figure["median"] <= figure["maximum"] for figure in content["figures"])
    assert re.search(r"open a controller .* ≤ 20", done.stdout)
