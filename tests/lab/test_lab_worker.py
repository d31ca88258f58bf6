# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme lab worker``: what it offers, whom it trusts, how it ends, and that it connects again."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed")
pytest.importorskip("cryptography")

from pynvme.lab import certificates
from pynvme.vssd import VirtualSsd
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 240

SCHEDULER = """
import asyncio, json, logging, sys
logging.disable(logging.CRITICAL)
from distributed import Client, Scheduler
from pynvme.lab import certificates, engine

async def main(address, folder):
    security = certificates.security(address, "scheduler", folder or None)
    mine = certificates.security(address, "client", folder or None)
    where = {"host": "127.0.0.1", "port": int(address.rpartition(":")[2])}
    where["dashboard_address"] = "127.0.0.1:0"
    protocol = address.partition(":")[0]
    async with Scheduler(protocol=protocol, security=security, **where) as scheduler:
        print("ready", flush=True)
        while True:
            line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
            if not line:
                return
            while not scheduler.workers:
                await asyncio.sleep(0.05)
            async with Client(address, asynchronous=True, security=mine) as client:
                print(json.dumps(await client.run(engine.hello)), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class Process:
    """A process whose lines are read one by one, and which has a time limit."""

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self._timer = threading.Timer(PATIENCE, self._process.kill)
        self._timer.start()

    def ask(self, text: str = "\n") -> str:
        """Write a line, and read one."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
        return self.line()

    def line(self) -> str:
        """Read a line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def until(self, text: str) -> None:
        """Read lines up to one that contains a text."""
        while text not in (line := self.line()):
            assert line, f"it ended without {text!r}"

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send a signal, and return the exit code."""
        self._process.send_signal(number)
        return self.close()

    def close(self) -> int:
        """Wait for the end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait()
        self._timer.cancel()
        self._timer.join()
        self._process.stdout.close()
        return code


def worker(*words: str) -> Process:
    return Process("-m", "pynvme", "lab", "worker", *words)


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Give a scheduler that wants certificates, its address, and their folder."""
    folder = tmp_path_factory.mktemp("tls") / "lab"
    certificates.make(folder)
    address = f"tls://127.0.0.1:{free_port()}"
    scheduler = Process("-c", SCHEDULER, address, str(folder))
    assert scheduler.line() == "ready"
    yield SimpleNamespace(address=address, folder=folder, scheduler=scheduler)
    scheduler.end()


def test_a_worker_offers_its_drives_by_tls(tls):
    from pynvme.lab import engine

    with VirtualSsd(size="64M") as ssd:
        one = worker(tls.address, "--tls", str(tls.folder), "--vssd=3", "--tag=rack=7")
        try:
            assert re.search(rf"works for {tls.address}: \d+ drives, 3 virtual SSDs at a time$", one.line())
            ((address, told),) = json.loads(tls.scheduler.ask()).items()
            assert address.startswith("tls://127.0.0.1:")
            assert told["slots"] == 3 and told["versions"] == engine.versions()
            mine = {drive["address"]: drive for drive in told["drives"]}[ssd.address]
            assert "rack=7" in mine["tags"] and mine["capacity"] == 64 << 20
            assert mine["host"] == socket.gethostname()
        finally:
            assert one.end(signal.SIGTERM) == 0


def test_workers_without_the_right_certificate_are_refused(tls, tmp_path):
    plain = tls.address.replace("tls:", "tcp:")
    others = tmp_path / "others"
    certificates.make(others)
    for words in ([plain], [tls.address, "--tls", str(others)]):
        one = worker(*words)
        try:
            assert f"{words[0]} does not answer as a scheduler of this lab (" in one.line()
        finally:
            assert one.end(signal.SIGINT) == 0


def test_a_connection_that_is_not_safe_is_refused_at_once():
    one = worker("tcp://192.0.2.1:8786")
    assert one.line().startswith("Error: tcp://192.0.2.1:8786 can be reached from other hosts")
    assert one.close() == 1


def test_a_worker_waits_for_its_scheduler_and_connects_again():
    address = f"tcp://127.0.0.1:{free_port()}"
    one = worker(address, "--vssd=1")
    try:
        one.until("tries again, until Ctrl-C")
        before = ""
        for _ in range(2):
            scheduler = Process("-c", SCHEDULER, address, "")
            assert scheduler.line() == "ready"
            (found,) = json.loads(scheduler.ask())
            assert found != before
            before = found
            one.until("works for")
            scheduler.end()
            one.until(f"the scheduler {address} is gone")
    finally:
        assert one.end(signal.SIGTERM) == 0
