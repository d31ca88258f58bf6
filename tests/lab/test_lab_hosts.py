# SPDX-License-Identifier: BSD-3-Clause
"""Hosts of a lab: those with other versions are refused or accepted, and they end with jobs or without."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pynvme.lab import engine, inventory, job
from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded
from tests.lab.test_lab_campaign import QUICK, command, events, processes, wait_until
from tests.signals import takes_ctrl_c

ROOT = Path(__file__).parents[2]

LAB = """
import asyncio, json, logging, sys
logging.disable(logging.CRITICAL)
from distributed import Scheduler, Worker
from pynvme.lab import engine

hosts = json.loads(sys.argv[1])
true = engine.hello


async def hello(dask_worker):
    told = await true(dask_worker)
    told["versions"].update(hosts[dask_worker.name])
    drives = told["drives"] if dask_worker.name == "old" else []
    return {**told, "name": dask_worker.name, "drives": drives}


async def main():
    engine.hello = hello  # what a campaign asks for by its name
    where = {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"}
    async with Scheduler(**where, local_directory=sys.argv[2]) as scheduler:
        options = {"nthreads": 4, "memory_limit": 0, "dashboard": False, "local_directory": sys.argv[2]}
        workers = [await Worker(scheduler.address, name=name, **options) for name in hosts]
        print(scheduler.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for worker in workers:
            await worker.close()


asyncio.run(main())
"""

PLAN = """
[campaign]
name = "hosts"
[[drives]]
name = "virtual"
vssd = { size = "1M" }
[[tasks]]
name = "own"
files = ["test_own.py"]
"""
OWN = "def test_it(pcie):\n    assert pcie.caps\n"
STAYS = """
import signal, time
from pathlib import Path

def test_it(pcie):
    try:
        Path({flag!r}).touch(exist_ok=False)
    except FileExistsError:
        return  # the second time
    signal.signal(signal.SIGINT, {action})
    time.sleep(600)
"""
ORDER, STUBBORN = "signal.default_int_handler", "signal.SIG_IGN"
"""What a job does at SIGINT: it ends in order, or goes on."""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **QUICK}
    return subprocess.run(command(*words), capture_output=True, text=True, env=environment)


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a scheduler, with workers whose names and versions the parameter says."""
    process = subprocess.Popen(
        [sys.executable, "-c", LAB, json.dumps(request.param), str(tmp_path / "scratch")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **QUICK, engine.SLOTS: "1", inventory.TAGS: "rack7"},
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate(timeout=60)


OTHERS = {"old": {"pynvme": "0.1.9", "Python": "3.9.2"}, "other": {"engine": "spdk v23.01"}}


@pytest.mark.parametrize("lab", [OTHERS], indirect=True)
def test_hosts_with_other_versions_are_refused_with_the_names_of_both(lab: str, tmp_path: Path) -> None:
    plan, folder = tmp_path / "plan.toml", tmp_path / "campaign"
    (tmp_path / "test_own.py").write_text(OWN)
    groups = '[[drives]]\nname = "real"\ntag = ["rack9"]\n[[drives]]\nname = "theirs"\naddress = '
    with VirtualSsd(size="1M") as ssd:  # a drive of the host that is refused
        plan.write_text(PLAN + 'areas = ["nothing"]\n' + groups + json.dumps(ssd.address))
        done = run(plan, "--scheduler", lab, "--folder", folder)
    assert done.returncode == 2, done.stderr
    told = [line.removeprefix(f"{plan}: ") for line in done.stderr.splitlines()]
    mine = engine.versions()
    hint = "install the same, or give --mixed"
    python = f"Python 3.9.2, this host {mine['Python']}: {hint}"
    expected = (
        ("[[tasks]] own: takes either files", ""),
        ("[[tasks]] own: the suite has no area 'nothing'", ""),
        ("host old (tcp://127.0.0.1:", f"has pynvme 0.1.9, this host {mine['pynvme']}; {python}"),
        ("host other (tcp://127.0.0.1:", f"has engine spdk v23.01, this host {mine['engine']}: {hint}"),
        ("[[drives]] real: no drive has the tag 'rack9'; there are rack7, vssd", ""),
    )
    assert len(told) == len(expected)
    for begin, end in expected:
        assert any(line.startswith(begin) and line.endswith(end) for line in told), (begin, told)
    assert not folder.exists()  # no job has begun

    plan.write_text(PLAN)
    done = run(plan, "--scheduler", lab, "--folder", folder, "--mixed")
    assert done.returncode == 0, done.stdout + done.stderr
    (begin,) = events(folder, "begin")
    assert begin["host"] in OTHERS
    (end,) = events(folder, "end")
    assert (end["outcome"], end["tests"]) == ("passed", 1)


# The ends


@pytest.fixture
def staying(tmp_path: Path) -> Iterator[Staying]:
    """Give what starts processes that are found by their environment, and of which none may be left."""
    made = Staying(tmp_path)
    yield made
    assert made.end() == []


class Staying:
    """A plan of one job that stays until it is ended, and the processes that run it."""

    def __init__(self, folder: Path) -> None:
        self.plan, self.flag, self.campaign = folder / "plan.toml", folder / "flag", folder / "campaign"
        self._mark = folder / "mark"
        self._test = folder / "test_own.py"
        self._started: list[subprocess.Popen[str]] = []

    def start(self, line: list[str], **more: str) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            takes_ctrl_c(line),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, **QUICK, "MARK": str(self._mark), **more},
        )
        self._started.append(process)
        return process

    def begin(self, action: str, *words: object) -> subprocess.Popen[str]:
        """Start a campaign of a job that does this at SIGINT, and return when the job runs."""
        self.plan.write_text(PLAN + "attempts = 1\n")  # nobody is to blame
        self._test.write_text(STAYS.format(flag=str(self.flag), action=action))
        campaign = self.start(command(self.plan, "--folder", self.campaign, *words))
        wait_until(self.flag.exists)
        time.sleep(0.2)
        return campaign

    def left(self, word: str = "") -> list[str]:
        """The processes that there are, by their command lines."""
        return [line for line in processes(self._mark) if word in line]

    def end(self) -> list[str]:
        """End what was started, and return what is left then."""
        left = [
            line for line in self.left() if int(line.split()[0]) not in {one.pid for one in self._started}
        ]
        for process in self._started:
            process.kill()
            process.communicate()
        for line in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)
        return left

    def finish(self) -> None:
        """Resume the campaign, which has its end to come."""
        last = self.start(command("--resume", self.campaign))
        output = last.communicate(timeout=120)[0]
        assert last.returncode == 0, output
        assert [event["outcome"] for event in events(self.campaign, "end")][-1] == "passed"


@pytest.mark.slow
def test_a_second_ctrl_c_kills_the_jobs_of_a_campaign(staying: Staying) -> None:
    campaign = staying.begin(STUBBORN)
    campaign.send_signal(signal.SIGINT)
    wait_until(lambda: "press Ctrl-C again" in campaign.stdout.readline())
    time.sleep(0.5)
    assert staying.left("pynvme.lab.job")  # it does not listen
    pressed = time.monotonic()
    campaign.send_signal(signal.SIGINT)
    output = campaign.communicate(timeout=60)[0]
    assert campaign.returncode == 130, output
    assert time.monotonic() - pressed < job.GRACE or loaded()
    assert "go on:  pynvme campaign --resume" in output
    assert staying.left() == []
    staying.finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "signals"), [(ORDER, [signal.SIGTERM]), (STUBBORN, [signal.SIGINT, signal.SIGINT])]
)
def test_a_worker_ends_with_its_jobs(
    staying: Staying, tmp_path: Path, action: str, signals: list[int]
) -> None:
    scheduler = staying.start([sys.executable, "-c", LAB, "{}", str(tmp_path)])
    address = scheduler.stdout.readline().strip()
    line = [sys.executable, "-m", "pynvme", "lab", "worker", address, "--vssd=1"]
    worker = staying.start(line, TMPDIR=str(tmp_path))
    campaign = staying.begin(action, "--scheduler", address)
    pressed = time.monotonic()
    for number in signals:
        worker.send_signal(number)
        time.sleep(0.5)
    assert worker.wait(60) == 0
    assert time.monotonic() - pressed < job.GRACE or loaded()
    assert staying.left("pynvme.lab.job") == staying.left("vssd") == []
    (lost,) = wait_until(lambda: events(staying.campaign, "lost"))
    assert lost["why"] == "its worker was told to end, and has ended it"
    staying.start(line, TMPDIR=str(tmp_path))  # the host has restarted
    output = campaign.communicate(timeout=120)[0]
    assert campaign.returncode == 0, output
    assert [event["attempt"] for event in events(staying.campaign, "end")] == [2]
