# SPDX-License-Identifier: BSD-3-Clause
"""A campaign does each job once, whatever is killed meanwhile, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

import pynvme
from pynvme.cli import main
from pynvme.lab import capability, job, journal, live
from pynvme.lab import plan as plans
from pynvme.lab.campaign import Unit, spec_of
from pynvme.lab.inventory import LabDrive
from pynvme.lab.plan import Job, Task
from pynvme.spec import IdentifyController
from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded
from tests.signals import takes_ctrl_c

SCHEMA = Path(pynvme.__file__).parent / "schemas/campaign.json"
QUICK = {
    "PYTHONPATH": str(Path(pynvme.__file__).parents[1]),
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # their import takes longer than a job
}

FATES = """
import os, signal, time
from pathlib import Path

SEED = int(os.environ["PYNVME_SEED"])
FIRST = Path({folder!r}) / str(SEED)


def once():
    try:
        FIRST.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def test_fate(pcie, pciaddr):
    from pynvme import vssd
    import helper

    if SEED == helper.FAILS:
        assert False, "it fails"
    if SEED == 3 and once():
        os.kill(os.getpid(), signal.SIGKILL)
    if SEED == 4 and once():
        os.kill(vssd.VirtualSsd.attach(pciaddr).pid, signal.SIGKILL)
        assert False, "the drive is gone"
    if SEED == 5:
        os.kill(os.getppid(), signal.SIGKILL) if once() else None
    if SEED == 6:
        os.kill(os.getpid(), signal.SIGKILL)


def test_late(pcie):
    time.sleep(600)
"""

PLAN = """
[campaign]
name = "fates"
time_limit = "2m"
attempts = 3
[[drives]]
name = "virtual"
vssd = { size = "1M" }
[[tasks]]
name = "fate"
files = ["test_fate.py::test_fate"]
seeds = [2, 3, 4, 5]
drives = ["virtual"]
[[tasks]]
name = "hopeless"
files = ["test_fate.py::test_fate"]
seeds = [6]
drives = ["virtual"]
attempts = 1
[[tasks]]
name = "late"
files = ["test_fate.py::test_late"]
drives = ["virtual"]
time_limit = "4s"
[[drives]]
name = "buggy"
vssd = { size = "16M", bug = "flush-does-nothing" }
[[tasks]]
name = "bug"
areas = ["power"]
tests = ["a_flush_of_all_namespaces"]
time = "1s"
drives = ["buggy"]
options = ["--check-shrink=0"]
"""


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "pynvme", "campaign", *map(str, words)]


def processes(folder: Path) -> list[str]:
    """The command lines of processes that run for the campaign of a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in (place / "environ").read_bytes():
                found.append(f"{place.name} {(place / 'cmdline').read_bytes().decode()}")
    return found


def wait_until(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline or loaded(), "it does not happen"
        time.sleep(0.1)


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    with contextlib.suppress(journal.JournalError):
        return [event for event in journal.read(folder) if event["event"] == kind]
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a campaign, whose processes have its path in their environment, so that they are found."""
    place = tmp_path / "campaign"
    yield place
    left = processes(place)
    for line in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(line.split()[0]), signal.SIGKILL)
    assert left == []


def start(folder: Path, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        takes_ctrl_c(command(*words, "--parallel", 2, "--json")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **QUICK, "CAMPAIGN": str(folder)},
    )


def test_each_job_gets_its_fate(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "firsts").mkdir()
    (tmp_path / "test_fate.py").write_text(FATES.format(folder=str(tmp_path / "firsts")))
    (tmp_path / "helper.py").write_text("FAILS = 2\n")
    (tmp_path / "plan.toml").write_text(PLAN)
    process = start(folder, tmp_path / "plan.toml", "--folder", folder)
    output = process.communicate(timeout=300)[0]
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert process.returncode == 1, output

    ends = {event["job"]: event for event in events(folder, "end")}
    outcomes = {job: event["outcome"] for job, event in ends.items()}
    assert outcomes == {
        "fate.virtual-1.s2.r1": "failed",
        "fate.virtual-1.s3.r1": "passed",
        "fate.virtual-1.s4.r1": "passed",
        "fate.virtual-1.s5.r1": "passed",
        "hopeless.virtual-1.s6.r1": "error",
        "late.virtual-1.s1.r1": "time-out",
        "bug.buggy-1.s1.r1": "failed",
    }
    assert ends["hopeless.virtual-1.s6.r1"]["message"].startswith(
        "lost 1 times, at last: its process was ended"
    )
    assert ends["bug.buggy-1.s1.r1"]["findings"] >= 1
    assert len(events(folder, "end")) == len(ends)

    lost = {event["job"]: event["why"] for event in events(folder, "lost")}
    assert "virtual SSD" in lost["fate.virtual-1.s4.r1"]
    assert "SIGKILL" in lost["fate.virtual-1.s3.r1"]
    assert "worker" in lost["fate.virtual-1.s5.r1"]
    assert {event["drive"] for event in events(folder, "health")} >= {"virtual-1"}

    schema = json.loads(SCHEMA.read_text())
    for line in lines:
        jsonschema.validate(line, schema)
    assert lines[-1]["event"] == "result" and lines[-1]["status"] == 1
    assert not (folder / "work").exists()
    assert (folder / "jobs/fate.virtual-1.s2.r1/1/run.json").exists()


SLOW = """
import time

def test_slow(pcie):
    time.sleep(3)
"""

SLOW_PLAN = """
[campaign]
name = "slow"
seeds = 2
[[drives]]
name = "virtual"
vssd = { size = "1M" }
count = 2
[[tasks]]
name = "slow"
files = ["test_slow.py"]
"""


@pytest.mark.slow
def test_interrupted_and_killed_campaigns_go_on(tmp_path: Path, folder: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(SLOW_PLAN)
    (tmp_path / "test_slow.py").write_text(SLOW)

    # Ctrl-C ends jobs in order.
    process = start(folder, plan, "--folder", folder)
    wait_until(lambda: (folder / "jobs").exists() and len(events(folder, "begin")) > 2)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 130, output
    first = journal.replay(journal.read(folder))
    assert (first.why, first.running) == ("interrupted", {})
    assert {event["outcome"] for event in events(folder, "end")} >= {"interrupted"}
    assert processes(folder) == []

    # Another plan is refused.
    (tmp_path / "test_slow.py").write_text(SLOW.replace("3", "4"))
    process = start(folder, plan, "--resume", folder)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 2 and "the file test_slow.py of the task slow" in output

    # A kill -9 leaves no process.
    process = start(folder, "--resume", folder)
    begun = len(events(folder, "begin"))
    wait_until(lambda: len(events(folder, "begin")) > begun)
    process.kill()
    process.communicate()
    wait_until(lambda: processes(folder) == [])
    assert journal.replay(journal.read(folder)).running

    # What is missing runs, and nothing twice.
    process = start(folder, "--resume", folder)
    output = process.communicate(timeout=200)[0]
    assert process.returncode == 0, output
    state = journal.replay(journal.read(folder))
    assert (len(state.done), state.why, state.running) == (4, "done", {})
    ends = Counter(event["job"] for event in events(folder, "end") if event["outcome"] != "interrupted")
    assert set(ends.values()) == {1}
    assert {event["why"] for event in events(folder, "lost")} == {"the campaign was killed"}


def test_mistakes_of_the_plan_and_of_its_drives_are_told_together(tmp_path: Path, folder: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[campaign]\nname = "x"\n[[drives]]\nname = "d"\nmodel = "None *"\n[[drives]]\nname = "e"\n'
        'tag = ["rack9"]\n[[tasks]]\nname = "t"\nareas = ["nothing"]\n'
    )
    done = subprocess.run(
        command(plan, "--folder", folder),
        capture_output=True,
        text=True,
        env={**os.environ, **QUICK},
    )
    assert done.returncode == 2
    told = [line.partition(": ")[2] for line in done.stderr.splitlines()]
    assert "the suite has no area 'nothing'" in told[0]
    assert told[1].startswith("[[drives]] d: no drive has model 'None *'; there are ")
    assert told[2].startswith("[[drives]] e: no drive has the tag 'rack9'; there are ")
    assert not folder.exists()


def test_two_groups_of_the_same_name_are_one_mistake(tmp_path: Path, folder: Path) -> None:
    plan = tmp_path / "plan.toml"
    group = '[[drives]]\nname = "d"\nvssd = { size = "1M" }\n'
    plan.write_text('[campaign]\nname = "x"\n' + 2 * group + '[[tasks]]\nname = "t"\nareas = ["power"]\n')
    done = CliRunner().invoke(main, ["campaign", str(plan), "--folder", str(folder)])
    assert (done.exit_code, done.output) == (2, f"{plan}: [[drives]] d: this name is there twice\n")


def test_a_plan_has_not_more_jobs_than_a_campaign_keeps_in_mind(tmp_path: Path, folder: Path) -> None:
    plan = tmp_path / "plan.toml"
    (tmp_path / "test_own.py").write_text("")
    plan.write_text(
        '[campaign]\nname = "x"\nseeds = 2000\nrepeats = 1000\n[[drives]]\nname = "d"\ncount = 3\n'
        'vssd = { size = "1M" }\n[[tasks]]\nname = "t"\nfiles = ["test_own.py"]\n'
    )
    done = CliRunner().invoke(main, ["campaign", str(plan), "--folder", str(folder)])
    told = f"{plan}: it has 6,000,000 jobs, of which a campaign takes at most 1,000,000\n"
    assert (done.exit_code, done.output) == (2, told)


CAPABLE = """
[campaign]
name = "capable"
[[drives]]
name = "copying"
address = "{folder}*"
capability = ["copy", "write-zeroes"]
[[tasks]]
name = "own"
files = ["test_own.py"]
"""


def test_drives_are_chosen_by_what_identify_says(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_it(nvme0):\n    assert nvme0.id_ctrl.oncs.nvmcpys\n")
    (tmp_path / "plan.toml").write_text(CAPABLE.format(folder=tmp_path / "ssd"))
    places = [tmp_path / "ssd1", tmp_path / "ssd2"]
    with VirtualSsd(size="1M", dir=places[0]), VirtualSsd(size="1M", dir=places[1], copy=True):
        process = start(folder, tmp_path / "plan.toml", "--folder", folder)
        output = process.communicate(timeout=120)[0]
        assert process.returncode == 0, output
        (drive,) = events(folder, "drive")
        assert drive["address"] == str(places[1]) and "capability=copy" in drive["tags"]

        plan = CAPABLE.replace('"copy"', '"ana"').format(folder=tmp_path / "ssd")
        (tmp_path / "plan.toml").write_text(plan)
        process = start(folder, tmp_path / "plan.toml", "--folder", tmp_path / "none")
        output = process.communicate(timeout=120)[0]
        assert process.returncode == 2
        assert (
            "copying: no drive that can be opened has the capability 'ana'; there are apst, block-" in output
        )
        assert not (tmp_path / "none").exists()


def test_capabilities_are_bits_of_identify_controller_and_in_the_how_to() -> None:
    page = bytearray(4096)
    assert capability.of(IdentifyController(page)) == []
    page[521] = 0x01  # ONCS bit 8
    page[257] = 0x04  # OACS bit 10
    page[78 - 2] = 0x08  # CMIC bit 3
    page[536] = 0x02  # SGLS bits 1:0
    page[272 + 3] = 0x01  # HMPRE
    page[328] = 0x04  # SANICAP bit 2
    expected = {"copy", "lockdown", "ana", "sgl", "host-memory-buffer", "overwrite"}
    assert set(capability.of(IdentifyController(page))) == expected
    text = (Path(__file__).parents[2] / "docs/how-to/lab.md").read_text()
    assert [name for name in capability.NAMES if f"`{name}`" not in text] == []


SNEAKY = """
import os, subprocess

def test_daemon():
    for is_daemon in (False, True):
        subprocess.Popen(["sleep", "4711"], start_new_session=is_daemon)

def test_exit():
    os._exit(0)

def test_what_fails():
    assert False
"""


def run_own(content: str, above: Path) -> dict[str, Any]:
    """The result of a job of one test file."""
    task = Task("own", files=("test_own.py",), contents={"test_own.py": ""})
    spec = spec_of(Job("own.hot-1.s1.r1", task, "hot-1", 1, 1), LabDrive(name="hot-1"))
    return job.run({**spec, "files": {"test_own.py": content.encode()}}, above)


def test_a_job_that_ends_before_pytest_has_not_passed_and_leaves_no_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = run_own(SNEAKY, tmp_path)
    told = "it ended before pytest did, with exit code 0, in test_exit"
    assert (result["outcome"], result["exit"], result["message"]) == ("error", 0, told)
    assert processes(tmp_path) == []


def test_a_campaign_that_runs_is_not_disturbed_by_a_second_one(tmp_path: Path) -> None:
    text = PLAN.replace("test_fate.py::", "own.py::")
    (tmp_path / "own.py").write_text("")
    (tmp_path / "plan.toml").write_text(text)
    folder = tmp_path / "campaign"
    job_of_first = folder / "work/job"
    job_of_first.mkdir(parents=True)
    with contextlib.closing(journal.Journal(folder, new=True)):
        plans.keep(plans.check(text, tmp_path)[0], folder)
        for words, told in (
            (["--resume", folder], "another process runs the campaign"),
            ([tmp_path / "plan.toml", "--folder", folder], "has a campaign already"),
        ):
            found = CliRunner().invoke(main, ["campaign", *map(str, words)])
            assert found.exit_code in (1, 2)
            assert told in f"{found.output} {found.exception}"
            assert job_of_first.exists()


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_plan(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name, told in (("binary.toml", "can't decode byte 0xff"), ("none.toml", "No such file")):
        found = CliRunner().invoke(main, ["campaign", str(tmp_path / name)])
        assert found.exit_code == 2
        assert f"{name}: it cannot be read: " in found.output and told in found.output


def test_a_job_tells_the_temperature_of_its_drive_and_the_table_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handles: list[job.Handle] = []

    class Kept(job.Handle):
        def __init__(self) -> None:
            super().__init__()
            handles.append(self)

    monkeypatch.setattr(job, "Handle", Kept)
    result = run_own("def test_it(nvme0):\n    assert nvme0.smart.composite_temperature == 303\n", tmp_path)
    assert result["outcome"] == "passed", zlib.decompress(result["files"]["output.log"]).decode()
    (handle,) = handles
    assert handle.progress["kelvin"] == 303

    one = Job("own.hot-1.s1.r1", Task("own"), "hot-1", 1, 1)
    unit = Unit(LabDrive(name="hot-1"), "hot", job=one)
    state = SimpleNamespace(progress={one.id: handle.progress})
    row = live._row(state, unit)  # type: ignore[arg-type]
    assert row == ["hot-1", "", "30", "own seed 1", "1/1 test_it", "0"]
