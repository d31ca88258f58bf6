# SPDX-License-Identifier: BSD-3-Clause
"""A campaign on four hosts finds what it finds undisturbed, whatever is killed at random moments.

The hosts are network namespaces of this machine, connected by a bridge. Each runs ``pynvme lab worker`` with
two virtual SSDs. The plan runs once without a kill, and once with them. The numbers can be made smaller by
CHAOS_JOBS and CHAOS_KILLS, and CHAOS_SEED repeats the kills of a run.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import pynvme
from pynvme.lab import journal, results
from pynvme.lab.query import Results
from tests.fix_load import loaded

JOBS = int(os.environ.get("CHAOS_JOBS", "200"))
KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
HOSTS = 4
PORT = 18786
NETWORK = "10.213.86"
CUT = 30.0
"""Seconds that a link is down."""
VICTIMS = ("worker", "drive", "job", "scheduler", "campaign", "link")
PATIENCE = 3600.0
DASKS_OWN = ("/dask-scratch-space/global.lock", "/dask-scratch-space/purge.lock")
"""Two empty files that Dask never removes."""

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
count = 4
[[drives]]
name = "lossy"
vssd = { size = "16M", bug = "flush-does-nothing" }
count = 2
[[drives]]
name = "copying"
vssd = { size = "16M", bug = "copy-of-overlapping-ranges" }
count = 2
[[tasks]]
name = "flush"
files = ["test_flush.py"]
drives = ["healthy", "lossy"]
[[tasks]]
name = "power"
areas = ["power"]
time = "1s"
options = ["--check-shrink=0"]
drives = ["lossy"]
[[tasks]]
name = "copy"
areas = ["copy"]
time = "1s"
options = ["--check-shrink=0"]
drives = ["copying"]
"""
A_SEED = 4 + 2 + 2 + 2
"""Jobs of the plan for each seed."""


def ip(*words: object) -> None:
    subprocess.run(["ip", *map(str, words)], check=True)


class Lab:
    """The hosts, with their workers, a scheduler and a campaign. :meth:`tend` starts again what has died."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.campaign_folder = folder / "undisturbed"
        self.temporary = Path(tempfile.mkdtemp(prefix="chaos-"))  # sockets below it have short paths
        self.shared_memory = set(os.listdir("/dev/shm"))
        self.environment = {
            **os.environ,
            "CHAOS": str(folder),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(Path(pynvme.__file__).parents[1]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.up_again: dict[str, float] = {}
        self.harmed: set[str] = set()
        """Which processes may end."""
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
        shutil.rmtree(self.temporary)
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
        environment = self.environment
        if name == "scheduler":  # Dask's own files are not for us to remove
            environment = {**environment, "TMPDIR": str(self.folder)}
        self.processes[name] = subprocess.Popen(
            line, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=environment
        )

    def tend(self) -> None:
        """Start what was killed, and mend links that were cut for long enough."""
        for name, process in self.processes.items():
            if process.poll() is not None and not (name == "campaign" and self.is_done()):
                assert name in self.harmed, f"{name} has ended by itself: {process.returncode}"
                self.start(name)
        for link, when in list(self.up_again.items()):
            if time.monotonic() >= when:
                ip("link", "set", link, "up")
                del self.up_again[link]

    def is_done(self) -> bool:
        return self.state().why == "done"

    def state(self) -> journal.State:
        """What the journal of the campaign says, if there is one."""
        with contextlib.suppress(journal.JournalError):
            return journal.replay(journal.read(self.campaign_folder))
        return journal.State()

    def run(self, victims: Sequence[str], chance: random.Random) -> None:
        """Run the campaign to its end. Kill the victims meanwhile, one each time that some jobs are done."""
        began = time.monotonic()
        left = list(victims)
        following = JOBS / (len(victims) + 1)
        self.start("campaign")
        while not self.is_done():
            assert time.monotonic() < began + PATIENCE or loaded()
            self.tend()
            time.sleep(chance.uniform(0.2, 1.0))
            done = len(self.state().done)
            if (
                left
                and self.campaign_folder.exists()
                and done >= following * (len(victims) - len(left) + 1)
                and self.harm(left[0], chance)
            ):
                print(f"{time.strftime('%H:%M:%S')} after {done} jobs: {left.pop(0)}")
        assert left == []
        assert self.processes.pop("campaign").wait(300) == 1  # it has findings
        print(f"{self.campaign_folder.name}: {time.monotonic() - began:.0f} s")

    def close(self) -> None:
        """End the hosts in order."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(120)

    def left(self) -> list[str]:
        """Processes, files, and shared memory that are there although the hosts have ended."""
        until = time.monotonic() + 30
        while self.pids("") and time.monotonic() < until:
            time.sleep(0.2)
        found = [f"process {pid}" for pid in self.pids("")]
        found += [str(path) for path in self.temporary.rglob("*") if path.is_file() or path.is_socket()]
        found += [f"/dev/shm/{name}" for name in set(os.listdir("/dev/shm")) - self.shared_memory]
        return [one for one in found if not one.endswith(DASKS_OWN)]

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
            self.harmed |= {name, "campaign"}  # it ends if the scheduler is gone
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


def found(folder: Path) -> list[Any]:
    """What the tests of each job have found."""
    results.collect(folder)
    with Results([folder]) as tables:
        return tables.ask("select job, nodeid, signature from findings order by all").rows


def ends(folder: Path) -> list[tuple[str, str]]:
    """The outcomes of all jobs."""
    events = [event for event in journal.read(folder) if event["event"] == "end"]
    return sorted((event["job"], event["outcome"]) for event in events if event["outcome"] != "interrupted")


def test_findings_are_those_of_an_undisturbed_run_whatever_is_killed(lab: Lab, tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1 << 32))
    print(f"CHAOS_SEED={seed}")
    chance = random.Random(seed)
    seeds = max(1, JOBS // A_SEED)
    (tmp_path / "plan.toml").write_text(PLAN % seeds)
    (tmp_path / "test_flush.py").write_text(TESTS)
    for name in ("scheduler", *(f"worker{number}" for number in range(HOSTS))):
        lab.start(name)
    undisturbed = lab.campaign_folder
    lab.run((), chance)

    lab.campaign_folder = tmp_path / "disturbed"
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(KILLS)]
    chance.shuffle(victims)
    lab.run(victims, chance)
    lab.close()
    assert lab.left() == []
    journal.Journal(lab.campaign_folder, new=False).close()  # its lock is free

    expected = ends(undisturbed)
    assert ends(lab.campaign_folder) == expected
    assert len(expected) == seeds * A_SEED == len(dict(expected))
    findings = found(undisturbed)
    assert found(lab.campaign_folder) == findings
    groups = {job.split(".")[1] for job, _, _ in findings}
    assert groups == {"lossy-1", "lossy-2", "copying-1", "copying-2"}
    print(f"{len(findings)} findings, {len({signature for *_, signature in findings})} signatures")
