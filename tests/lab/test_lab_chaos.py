# SPDX-License-Identifier: BSD-3-Clause
"""A campaign on four hosts does each job once, whatever is killed at random moments.

The hosts are network namespaces of this machine, connected by a bridge. Each runs ``pynvme lab worker`` with
two virtual SSDs. The numbers can be made smaller by CHAOS_JOBS and CHAOS_KILLS, and CHAOS_SEED repeats a run.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import pynvme
from pynvme.lab import journal

JOBS = int(os.environ.get("CHAOS_JOBS", "200"))
KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
HOSTS = 4
PORT = 18786
NETWORK = "10.213.86"
CUT = 30.0
"""Seconds that a link is down."""
VICTIMS = ("worker", "drive", "job", "scheduler", "campaign", "link")
PATIENCE = 3600.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("ip") is None, reason="network namespaces need root and iproute2"
    ),
]

TESTS = """
import nvme


def test_flushed_data_stay(nvme0, nvme0n1, qpair, buf):
    subsystem = nvme.Subsystem(nvme0)
    buf[100:] = b"it is me"
    nvme0n1.write(qpair, buf, 8).waitdone()
    nvme0n1.flush(qpair).waitdone()
    subsystem.poweroff()
    subsystem.poweron()
    nvme0.reset()
    again = nvme.Qpair(nvme0, 8)
    buf[:] = bytes(len(buf))
    nvme0n1.read(again, buf, 8).waitdone()
    again.delete()
    assert buf[100:108] == b"it is me"
"""

PLAN = """
[campaign]
name = "chaos"
seeds = %d
attempts = 20
patience = "10m"
time_limit = "5m"
[[drives]]
name = "healthy"
vssd = { size = "4M" }
count = 6
[[drives]]
name = "buggy"
vssd = { size = "4M", bug = "flush-does-nothing" }
count = 2
[[tasks]]
name = "flush"
files = ["test_flush.py"]
"""


def ip(*words: object) -> None:
    subprocess.run(["ip", *map(str, words)], check=True)


class Lab:
    """The hosts, with their workers, a scheduler and a campaign. :meth:`tend` starts again what has died."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.campaign_folder = folder / "campaign"
        self.environment = {
            **os.environ,
            "CHAOS": str(folder),
            "PYTHONPATH": str(Path(pynvme.__file__).parents[1]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.up_again: dict[str, float] = {}
        self.log = (folder / "log").open("ab")

    def build(self) -> None:
        ip("link", "add", "pynbr", "type", "bridge")
        ip("addr", "add", f"{NETWORK}.1/24", "dev", "pynbr")
        ip("link", "set", "pynbr", "up")
        for number in range(HOSTS):
            ip("netns", "add", f"pyn{number}")
            ip(
                "link",
                "add",
                f"pynv{number}",
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                f"pyn{number}",
            )
            ip("link", "set", f"pynv{number}", "master", "pynbr", "up")
            inside = ("netns", "exec", f"pyn{number}", "ip")
            ip(*inside, "addr", "add", f"{NETWORK}.{number + 10}/24", "dev", "eth0")
            ip(*inside, "link", "set", "eth0", "up")
            ip(*inside, "link", "set", "lo", "up")

    def destroy(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        for pid in self.pids(""):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for number in range(HOSTS):
            subprocess.run(["ip", "netns", "del", f"pyn{number}"], stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "link", "del", f"pynv{number}"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", "pynbr"], stderr=subprocess.DEVNULL)
        self.log.close()

    def start(self, name: str) -> None:
        address = f"tcp://{NETWORK}.1:{PORT}"
        python = [sys.executable, "-m"]
        if name == "scheduler":
            line = [*python, "distributed.cli.dask_scheduler", "--host", f"{NETWORK}.1"]
            line += ["--port", str(PORT), "--no-dashboard"]
        elif name == "campaign":
            line = [*python, "pynvme", "campaign", "--scheduler", address, "--insecure"]
            if (self.campaign_folder / journal.FILE).exists():
                line += ["--resume", str(self.campaign_folder)]
            else:
                line += [str(self.folder / "plan.toml"), "--folder", str(self.campaign_folder)]
        else:
            number = name.removeprefix("worker")
            worker = f"{sys.executable} -m pynvme lab worker {address} --insecure --vssd 2"
            inside = f"hostname host{number}; exec {worker}"
            line = ["ip", "netns", "exec", f"pyn{number}", "unshare", "--uts", "sh", "-c", inside]
        self.processes[name] = subprocess.Popen(
            line, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=self.environment
        )

    def tend(self) -> None:
        """Start what has ended, and mend links that were cut for long enough."""
        for name, process in self.processes.items():
            if process.poll() is not None and not (name == "campaign" and self.is_done()):
                self.start(name)
        for link, when in list(self.up_again.items()):
            if time.monotonic() >= when:
                ip("link", "set", link, "up")
                del self.up_again[link]

    def is_done(self) -> bool:
        with contextlib.suppress(journal.JournalError):
            return journal.replay(journal.read(self.campaign_folder)).why == "done"
        return False

    def pids(self, word: str) -> list[int]:
        """The processes of this lab whose command line has a word."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                mine = f"CHAOS={self.folder}\0".encode() in (place / "environ").read_bytes()
                if mine and word.encode() in (place / "cmdline").read_bytes():
                    found.append(int(place.name))
        return found

    def harm(self, victim: str, chance: random.Random) -> bool:
        """Kill something, or cut a link. Return whether there was something to kill."""
        if victim == "link":
            link = f"pynv{chance.randrange(HOSTS)}"
            ip("link", "set", link, "down")
            self.up_again[link] = time.monotonic() + CUT
            return True
        if victim in ("worker", "scheduler", "campaign"):
            name = f"worker{chance.randrange(HOSTS)}" if victim == "worker" else victim
            self.processes[name].kill()
            return True
        found = self.pids({"drive": "vssd\0--owner-fd", "job": "pynvme.lab.job"}[victim])
        if not found:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(found), signal.SIGKILL)
        return True


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    try:
        made.build()
        yield made
    finally:
        made.destroy()


def test_each_job_is_done_once_whatever_is_killed(lab: Lab, tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1 << 32))
    print(f"CHAOS_SEED={seed}")
    chance = random.Random(seed)
    (tmp_path / "plan.toml").write_text(PLAN % (JOBS // 8))
    (tmp_path / "test_flush.py").write_text(TESTS)
    for name in ("scheduler", *(f"worker{number}" for number in range(HOSTS)), "campaign"):
        lab.start(name)

    deadline = time.monotonic() + PATIENCE
    left = [VICTIMS[number % len(VICTIMS)] for number in range(KILLS)]
    chance.shuffle(left)
    following = JOBS // (KILLS + 1)
    while not lab.is_done():
        assert time.monotonic() < deadline
        lab.tend()
        time.sleep(chance.uniform(0.2, 1.0))
        if not lab.campaign_folder.exists():
            continue
        with contextlib.suppress(journal.JournalError):
            done = len(journal.replay(journal.read(lab.campaign_folder)).done)
            if left and done >= following * (KILLS - len(left) + 1) // 1 and lab.harm(left[0], chance):
                print(f"{time.strftime('%H:%M:%S')} after {done} jobs: {left.pop(0)}")
    assert left == []

    ends = [event for event in journal.read(lab.campaign_folder) if event["event"] == "end"]
    ended = Counter(event["job"] for event in ends if event["outcome"] != "interrupted")
    assert len(ended) == JOBS // 8 * 8 and set(ended.values()) == {1}
    outcomes = {event["job"]: event["outcome"] for event in ends if event["outcome"] != "interrupted"}
    assert {job for job, outcome in outcomes.items() if outcome == "failed"} == {
        job for job in outcomes if ".buggy-" in job
    }
    assert set(outcomes.values()) == {"passed", "failed"}

    for name, process in lab.processes.items():
        if name != "campaign":
            process.send_signal(signal.SIGTERM)
    for process in lab.processes.values():
        process.wait(120)
    until = time.monotonic() + 30
    while lab.pids("") and time.monotonic() < until:
        time.sleep(0.2)
    assert lab.pids("") == []
    journal.Journal(lab.campaign_folder, new=False).close()
