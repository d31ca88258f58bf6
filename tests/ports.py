# SPDX-License-Identifier: BSD-3-Clause
"""TCP ports for servers that a test starts, and whose port it has to name."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path


def free_port() -> int:
    """Give a port that nothing has, and that the kernel gives to nobody who lets it choose.

    So another process of the tests cannot get it between this call and the start of the server, or while a
    server restarts.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.SystemRandom().randrange(10000, max(lowest, 20000))
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
