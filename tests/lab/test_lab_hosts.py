# SPDX-License-Identifier: BSD-3-Clause
"""Hosts of a lab: those with other versions are refused or accepted, and they end with jobs or without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pynvme.lab import engine, inventory
from pynvme.vssd import VirtualSsd
from tests.lab.test_lab_campaign import QUICK, command, events

ROOT = Path(__file__).parents[2]

LAB = """
import asyncio, json, sys
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
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
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
STUBBORN = """
import signal, time
from pathlib import Path

def test_it(pcie):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Path({flag!r}).touch()
    time.sleep(600)
"""
PATIENT = """
import time
from pathlib import Path

def test_it(pcie):
    try:
        Path({flag!r}).touch(exist_ok=False)
    except FileExistsError:
        return
    time.sleep(600)
"""


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
        stderr=subprocess.DEVNULL,
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
