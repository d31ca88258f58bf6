# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the virtual SSD's own tests: the executable alone, without the driver.

The executable is pynvme/bin/vssd, or what the environment variable PYNVME_VSSD names: a build with
sanitizers, say.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from client import Client, Nvme

EXECUTABLE = Path(os.environ.get("PYNVME_VSSD") or Path(__file__).parents[2] / "pynvme" / "bin" / "vssd")


class Server:
    """A running virtual SSD."""

    def __init__(self, folder: str, *options: str) -> None:
        self.folder = folder
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `start`
        ready, told = os.pipe()
        self.process = subprocess.Popen(
            [str(EXECUTABLE), "--dir", folder, "--ready-fd", str(told), *options],
            stdin=subprocess.DEVNULL,
            stderr=self.log,
            pass_fds=(told,),
        )
        os.close(told)
        with os.fdopen(ready) as pipe:
            self.word = pipe.read().strip()

    @property
    def pid(self) -> int:
        return self.process.pid

    def errors(self) -> str:
        """What it wrote to its standard error: the reports of sanitizers, too."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self) -> int:
        """End it as by hand; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def check_end(self) -> None:
        """It was there until now, ends by itself when asked to, and has complained about nothing."""
        assert self.process.poll() is None, f"the virtual SSD died: {self.errors()}"
        assert self.stop() == 0, self.errors()
        assert self.errors() == ""


@pytest.fixture
def folder() -> Iterator[str]:
    """An empty folder with a path short enough for a socket."""
    path = tempfile.mkdtemp(prefix="vssd-", dir="/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(folder: str) -> Iterator[Callable[..., Server]]:
    """Starts virtual SSDs: `start("--namespaces", "2")`. Each must survive the test and end cleanly."""
    if not os.access(EXECUTABLE, os.X_OK):
        pytest.fail(f"there is no virtual SSD at {EXECUTABLE}: 'make build' builds it")
    servers: list[Server] = []

    def make(*options: str) -> Server:
        server = Server(os.path.join(folder, str(len(servers))), *options)
        assert server.word == "ready", server.word
        servers.append(server)
        return server

    yield make
    try:
        for server in servers:
            server.check_end()
    finally:
        for server in servers:
            server.stop()
            server.log.close()


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    """A virtual SSD as it is by default, but small."""
    return start("--size", "64M")


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """A connection to it, VERSION done."""
    with Client(server.folder) as client:
        yield client


@pytest.fixture
def nvme(client: Client) -> Iterator[Nvme]:
    """A host whose controller is enabled."""
    nvme = Nvme(client)
    nvme.enable()
    yield nvme
    nvme.close()
