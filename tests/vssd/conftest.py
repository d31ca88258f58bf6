# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the virtual SSD's own tests: the executable alone, without the driver."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Callable

import pytest
from client import Client, Nvme
from ctrl_helpers import Disk, Host, pattern
from mctp import Endpoint
from server import EXECUTABLE, Server


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
def host(server: Server) -> Iterator[Host]:
    """A host of it, with an I/O queue and a disk."""
    host = Host(server)
    yield host
    host.close()


@pytest.fixture
def endpoint(host: Host) -> Iterator[Endpoint]:
    """Its management endpoint, out of band."""
    endpoint = Endpoint(host.server.folder)
    yield endpoint
    endpoint.close()


@pytest.fixture
def disk(host: Host) -> Disk:
    """Its disk, whose first 16 LBAs hold a pattern."""
    host.disk.write(0, pattern(0, 16))
    return host.disk


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
