# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme lab worker``: a worker of Dask that offers the drives of this host to campaigns.

What the host has is told by :func:`pynvme.lab.engine.hello`, which a campaign calls in each worker, also in
one that ``dask worker`` or a deployer of Dask has started. This module is for hosts that are to need no care:
it connects again when a scheduler is gone, and ends its jobs in order when it is told to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynvme.lab import certificates, inventory

if TYPE_CHECKING:
    from distributed import Security

REACH = 10.0
"""Seconds in which a scheduler has to answer."""

FIRST, MOST = 1.0, 60.0
"""Seconds between two attempts to connect: the first, doubled each time, and the most."""

END = 40.0
"""Seconds that jobs may take to end in order, after which they are killed."""

SPARE = 16
"""Threads for drives that appear later, each of which runs a job."""

_LEFT_OUT = ("distributed", "tornado", "bokeh")
"""Loggers whose messages are for developers of Dask."""


def run(
    address: str,
    folder: str | None = None,
    insecure: bool = False,
    vssd: int | None = None,
    tags: Sequence[str] = (),
) -> None:
    """Be a worker until SIGINT or SIGTERM.

    Args:
        address: of the scheduler, ``tls://HOST:PORT`` or ``tcp://HOST:PORT``
        folder: of the certificates, for ``tls://``
        insecure: whether plain TCP beyond this host is allowed
        vssd: how many virtual SSDs may run at once. None: one for each two CPUs
        tags: of all drives of this host

    Raises:
        pynvme.lab.certificates.SecurityError: the connection would not be safe
        RuntimeError: the package distributed is not installed
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise RuntimeError(f"a worker needs Dask ({error}): pip install 'pynvme[lab]'") from None
    from pynvme.lab import engine

    security = certificates.security(address, "worker", folder, insecure)
    if folder is not None and (soon := certificates.ends_soon(Path(folder), "worker")):
        _tell(soon)
    if vssd is not None:
        os.environ[engine.SLOTS] = str(vssd)
    if tags:
        os.environ[inventory.TAGS] = ",".join(tags)
    for logger in _LEFT_OUT:
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    engine.owns_ctrl_c = True
    engine.configure()
    asyncio.run(_Host(address, security).serve())


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _Host:
    """This host, with a worker while there is a scheduler."""

    def __init__(self, address: str, security: Security | None) -> None:
        self._address = address
        self._security = security
        self._name = socket.gethostname()
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """Connect, work, and connect again, until a signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ends)
        pause = FIRST
        told = ""
        while not self._stop.is_set():
            why = await self._reach()
            if not why:
                why = await self._work()
                pause, told = FIRST, ""
            if why and why != told and not self._stop.is_set():
                _tell(f"{why}: {self._name} tries again, until Ctrl-C")
                told = why
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
            pause = min(2 * pause, MOST)

    def _ends(self) -> None:
        """End in order at the first signal, and at once at the second one."""
        from pynvme.lab import job

        is_second = self._stop.is_set()
        self._stop.set()
        for handle in list(job.running.values()):
            handle.end(job.NOW if is_second else job.STOPPED)

    async def _reach(self) -> str:
        """Why the scheduler cannot be used, or "". By TLS, it refuses a certificate only with its answer."""
        from distributed.core import rpc

        arguments = self._security.get_connection_args("worker") if self._security else {}
        try:
            async with rpc(self._address, connection_args=arguments, timeout=REACH) as scheduler:
                await asyncio.wait_for(scheduler.identity(), REACH)
        except (OSError, asyncio.TimeoutError, ValueError) as error:
            return f"{self._address} does not answer as a scheduler of this lab ({_cause(error)})"
        return ""

    async def _work(self) -> str:
        """Be a worker until the scheduler is gone, or a signal. Return why it ended."""
        from distributed import Worker

        from pynvme.lab import engine, job

        slots, drives = engine.slots(), len(inventory.here())
        is_here = certificates.is_loopback(self._address)
        arguments: dict[str, Any] = {"host": "127.0.0.1"} if is_here else {}
        try:
            worker = await Worker(
                self._address,
                nthreads=slots + drives + SPARE,
                memory_limit=0,
                security=self._security,
                dashboard=False,
                dashboard_address="127.0.0.1:0",  # its page shows what runs, to everybody
                **arguments,
            )
        except (OSError, asyncio.TimeoutError, ValueError, RuntimeError) as error:
            return f"{self._address} does not take this worker ({_cause(error)})"
        _tell(f"{self._name} works for {self._address}: {drives} drives, {slots} virtual SSDs at a time")
        stop = asyncio.ensure_future(self._stop.wait())
        gone = asyncio.ensure_future(worker.finished())
        await asyncio.wait([stop, gone], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if self._stop.is_set():
            await self._until_idle(worker, job)
        for handle in list(job.running.values()):
            handle.end(job.STOPPED)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(worker.close(timeout=END), END)
        gone.cancel()
        return f"the scheduler {self._address} is gone"

    async def _until_idle(self, worker: Any, job: Any) -> None:
        """Wait until the jobs have ended and the scheduler has their results."""
        end = asyncio.get_running_loop().time() + END
        while (job.running or worker.state.executing_count) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)


def _cause(error: BaseException) -> str:
    """The first error of a chain, which says more than that of Dask."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
