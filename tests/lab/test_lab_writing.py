# SPDX-License-Identifier: BSD-3-Clause
"""A campaign whose folder, disk or output fails ends in order, and what was written before counts.

The engine is a scripted one: jobs end with the results that the test gives.
"""

from __future__ import annotations

import asyncio
import errno
import os
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from pynvme.cli import main
from pynvme.lab import campaign, job, journal
from pynvme.lab import plan as plans
from pynvme.lab.campaign import Campaign
from pynvme.lab.engine import Host, versions
from pynvme.lab.inventory import LabDrive
from tests.lab.test_lab_campaign import events

PLAN = """
[campaign]
name = "n"
[[drives]]
name = "virtual"
vssd = { size = "1M" }
[[tasks]]
name = "own"
files = ["test_own.py"]
seeds = 3
"""
PASSED = {
    "outcome": "passed", "exit": 0, "seconds": 1.0, "counts": {"passed": 1}, "tests": 1, "findings": 0,
    "files": {"output.log": zlib.compress(b"passed\n")},
}  # fmt: skip


class Engine:
    """Hosts with drives, and the results of jobs by their seeds."""

    results: dict[int, dict[str, Any]]
    lab: list[Host]
    dashboard = ""

    def __init__(self, *_: object) -> None:
        self.hosts = {host.worker: replace(host) for host in self.lab}
        self.refused: dict[str, str] = {}
        self.gone = asyncio.Event()
        self.ended: list[str] = []

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def ready(self, seconds: float) -> None:
        self.changed()  # type: ignore[attr-defined]

    async def progress(self) -> dict[str, Any]:
        return {}

    async def end(self, reason: str) -> None:
        self.ended.append(reason)

    async def run(self, host: Host, drive: LabDrive, spec: dict[str, Any], blobs: object) -> dict[str, Any]:
        return {"why": ""} if spec.get("health") else self.results.get(spec["seed"], PASSED)


class Watch:
    """Takes what the campaign shows."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def event(self, line: dict[str, Any]) -> None:
        pass

    def turn(self, _: Campaign) -> None:
        pass

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give ``made.campaign(**more)``, and ``made.run()``: why it ended."""
    (tmp_path / "test_own.py").write_text("def test_it(pcie):\n    assert pcie\n")
    host = Host("tcp://a:1", "i", "node1", versions(), 1, {})
    monkeypatch.setattr(campaign, "Engine", Engine)
    monkeypatch.setattr(Engine, "results", {}, raising=False)
    monkeypatch.setattr(Engine, "lab", [host], raising=False)
    folder = tmp_path / "campaign"

    def run(text: str = PLAN, state: journal.State | None = None, **more: Any) -> str:
        plan, mistakes = plans.check(text, tmp_path)
        return asyncio.run(Campaign(plan, folder, state, **more).run(mistakes))

    return SimpleNamespace(folder=folder, run=run, lab=Engine.lab)


def ends(folder: Path) -> dict[str, str]:
    return {event["job"]: event["outcome"] for event in events(folder, "end")}


def test_a_file_of_a_job_that_cannot_be_written_leaves_the_job_to_resume(
    made: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for a line of the journal, which must not say that this job has ended."""
    write = Campaign._write

    def without_room(self: Campaign, files: list[tuple[Path, dict[str, bytes]]]) -> None:
        for path, _ in files:
            if ".s2." in str(path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, files)

    with monkeypatch.context() as patch:
        patch.setattr(Campaign, "_write", without_room)
        with pytest.raises(OSError, match="No space left on device"):
            made.run()
    assert ends(made.folder) == {"own.virtual-1.s1.r1": "passed"}
    assert (made.folder / "jobs/own.virtual-1.s1.r1/1/output.log").read_text() == "passed\n"

    state = journal.replay(journal.read(made.folder))
    assert made.run(state=state) == "done"
    assert set(ends(made.folder).values()) == {"passed"} and len(ends(made.folder)) == 3


def test_a_job_without_room_is_no_error_of_the_job(made: SimpleNamespace) -> None:
    """On the disk of the campaign it ends the campaign; elsewhere the drive waits for a --resume."""
    Engine.results[2] = job.full(Path("/scratch"))
    with pytest.raises(OSError, match="No space left on device"):
        made.run()
    assert ends(made.folder) == {"own.virtual-1.s1.r1": "passed"}

    state = journal.replay(journal.read(made.folder))
    assert made.run(state=state, scheduler="tcp://a:0") == "done"
    assert ends(made.folder) == {"own.virtual-1.s1.r1": "passed"}
    (aside,) = events(made.folder, "aside")
    assert aside["why"].startswith("the disk of /scratch on ") and aside["why"].endswith(" is full")
    assert events(made.folder, "lost")[-1]["blame"] is False


def test_nobody_who_reads_the_output_ends_the_jobs_in_order(made: SimpleNamespace) -> None:
    class Closed(Watch):
        def event(self, line: dict[str, Any]) -> None:
            if line["event"] == "end":
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    assert made.run(view=Closed()) == journal.INTERRUPTED
    assert set(ends(made.folder)) == {"own.virtual-1.s1.r1", "own.virtual-1.s2.r1"}  # that had begun
    assert [event["why"] for event in events(made.folder, "stop")] == ["interrupted"]


def test_the_drives_of_two_workers_on_one_host_are_told_once(made: SimpleNamespace) -> None:
    drives = {f"S{n}": LabDrive("node1", f"0000:0{n}:00.0", "ACME", f"S{n}") for n in (1, 2)}
    made.lab[:] = [Host(f"tcp://a:{n}", str(n), "node1", versions(), 1, drives) for n in (1, 2)]
    watch = Watch()
    plan = PLAN.replace('vssd = { size = "1M" }', 'model = "ACME"').replace("seeds = 3", "seeds = 1")
    assert made.run(plan, view=watch, scheduler="tcp://a:0") == "done"
    told = "node1 has 2 workers, tcp://a:1, tcp://a:2, which offer the same drives: "
    assert watch.said == [told + "a drive has one job at a time"]
    assert ends(made.folder) == {"own.S1.s1.r1": "passed", "own.S2.s1.r1": "passed"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--resume", "none"], "none is not the folder of a campaign: none/journal.jsonl: No such file"),
        (
            ["--resume", "plan.toml"],
            "plan.toml is not the folder of a campaign: plan.toml/journal.jsonl: Not a",
        ),
        (["plan.toml", "--folder", "plan.toml/c"], "cannot be written: plan.toml/c/work: Not a directory"),
        (["plan.toml", "--folder", "/proc/c"], "cannot be written: /proc/c: No such file or directory"),
    ],
)
def test_a_folder_that_is_of_no_use_is_a_mistake(
    made: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.chdir(made.folder.parent)
    Path("plan.toml").write_text(PLAN)
    done = CliRunner().invoke(main, ["campaign", *words])
    assert done.exit_code == 2 and told in done.output
