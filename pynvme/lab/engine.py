# SPDX-License-Identifier: BSD-3-Clause
"""Runs jobs where the drives are, by Dask (``distributed``).

The client's side is :class:`Engine`. What runs in a worker are the functions :func:`hello`, :func:`progress`,
:func:`end` and :func:`work`. A job is sent to one worker only, which has the drive. Dask never runs it again
elsewhere: what becomes of a lost job is decided by :mod:`pynvme.lab.campaign`, after a check of the drive.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import platform
import secrets
import signal
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pynvme
from pynvme.lab import job
from pynvme.lab.inventory import LabDrive, here, resource

CPUS_A_DRIVE = 2
"""CPUs that a virtual SSD takes under load, with the script that tests it."""
SLOTS = "PYNVME_VIRTUAL_SSDS"
"""The variable of a worker's environment that says how many virtual SSDs it runs at once."""

SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.comm.timeouts.tcp": "60s",
    "distributed.worker.profile.enabled": False,
}
"""Of Dask: it runs no job again by itself, bears a network that is down for a while, and does not look at the
stacks of all threads a hundred times a second."""

LOOK = 1.0
"""Seconds between two looks at the workers that the scheduler knows."""
ANSWER = 60.0
"""Seconds that a worker has to answer."""


def configure() -> None:
    """Have Dask use SETTINGS in this process, and in those of its local cluster."""
    import dask

    dask.config.set(SETTINGS)


def slots() -> int:
    """How many virtual SSDs this host runs at once: one for each two of its CPUs, or as SLOTS says."""
    given = os.environ.get(SLOTS, "")
    return int(given) if given.isdigit() else max(1, len(os.sched_getaffinity(0)) // CPUS_A_DRIVE)


def versions() -> dict[str, str]:
    """The versions that have to be the same on all hosts."""
    import nvme

    engine = next((f"{one.name} {one.version}" for one in nvme.engines() if one.selected), "none")
    return {"pynvme": pynvme.__version__, "engine": engine, "Python": platform.python_version()}


@dataclass
class Host:
    """A worker of Dask, and what it has."""

    worker: str
    """Its address."""
    instance: str
    """What tells its process from a later one at the same address."""
    name: str
    versions: dict[str, str]
    slots: int
    drives: dict[str, LabDrive]
    used: int = 0
    """Virtual SSDs that run there now, as the campaign counts them."""
    sent: set[str] = field(default_factory=set)
    """Digests of the test files that it has."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)


# In a worker

owns_ctrl_c = False
"""Whether Ctrl-C is for the worker itself, as in ``pynvme lab worker``."""
_instance = secrets.token_hex(8)
_files: dict[str, bytes] = {}
"""Test files by their SHA-256."""


async def hello(dask_worker: Any) -> dict[str, Any]:
    """Tell what this worker has, and make its drives resources of Dask."""
    with contextlib.suppress(ValueError):  # not the main thread
        if not owns_ctrl_c:  # it is for the campaign, which ends jobs in order
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    drives = here()
    wanted = {"vssd": float(slots()), **{resource(drive): 1.0 for drive in drives}}
    known = dask_worker.state.total_resources
    missing = {name: count for name, count in wanted.items() if name not in known}
    if missing:
        await dask_worker.set_resources(**missing)
    return {
        "instance": _instance,
        "name": socket.gethostname(),
        "versions": versions(),
        "slots": int(dask_worker.state.total_resources["vssd"]),
        "drives": [drive.to_dict() for drive in drives],
    }


def progress() -> dict[str, dict[str, Any]]:
    """How far the jobs of this worker are, by their names."""
    return {name: dict(handle.progress) for name, handle in list(job.running.items())}


def end(reason: str, names: Sequence[str] | None = None) -> None:
    """Have jobs of this worker end, or all of them."""
    for name, handle in list(job.running.items()):
        if names is None or name in names:
            handle.end(reason)


def work(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Run a job, or a check of health, and return its result. It ends if nobody waits for it any more."""
    from distributed import get_worker

    if spec["instance"] != _instance:
        return {"outcome": "lost", "message": "its worker has started anew"}
    worker = get_worker()
    folder = str(worker.local_directory)
    try:
        if spec.get("health"):
            from pynvme.lab import health

            return health.check(spec, folder)
        _files.update(spec["blobs"])
        missing = [digest for digest in spec["contents"].values() if digest not in _files]
        if missing:
            return {"missing": missing}
        files = {name: _files[digest] for name, digest in spec["contents"].items()}
        return job.run({**spec, "files": files}, folder, _is_cancelled(worker))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return job.full(folder)


def _is_cancelled(worker: Any) -> Callable[[], bool]:
    """A function that tells whether Dask has dropped the task that calls this, or the scheduler is gone."""
    key = worker.get_current_task()

    def cancelled() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state != "executing" or worker.status.name != "running"

    return cancelled


# The client


class EngineError(RuntimeError):
    """The scheduler cannot be reached, or is gone."""


class Engine:
    """The workers of a scheduler, or of a local cluster that this object starts.

    Args:
        scheduler: its address, or None for a local cluster
        folder: where a local cluster puts its files
        security: of :func:`pynvme.lab.certificates.security`, if the scheduler uses TLS
        patience: seconds that a scheduler may be out of reach
    """

    def __init__(
        self,
        scheduler: str | None,
        folder: Path,
        security: Any = None,
        patience: float = 60.0,
    ) -> None:
        self.hosts: dict[str, Host] = {}
        """Workers that have said hello, by their addresses."""
        self.refused: dict[str, str] = {}
        """Why workers are not used, by their addresses."""
        self.accept: Callable[[Host], str] = lambda host: ""
        """Returns why a host is refused, or an empty text."""
        self.changed: Callable[[], None] = lambda: None
        """Called when workers came or went."""
        self.dashboard = ""
        self.gone = asyncio.Event()
        """Set if the scheduler is gone for good."""
        self._scheduler = scheduler
        self._folder = folder
        self._security = security
        self._patience = patience
        self._greeting: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._names: set[str] = set()
        """Of the jobs that run."""
        self._cluster: Any = None
        self._client: Any = None

    async def __aenter__(self) -> Engine:
        """Start the cluster, or connect to the scheduler."""
        configure()
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        from distributed import Client

        try:
            where = self._scheduler or await self._start_cluster()
            self._client = await Client(
                where,
                asynchronous=True,
                security=self._security,
                timeout=self._patience,
                set_as_default=False,
            )
        except (OSError, ValueError, TimeoutError, asyncio.TimeoutError) as error:
            await self._close_cluster()
            raise EngineError(f"there is no scheduler at {self._scheduler}: {error}") from error
        self.dashboard = self._dashboard()
        self._start(self._watch())
        return self

    async def _start_cluster(self) -> Any:
        from distributed import LocalCluster

        count = slots()
        drives = here()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cluster = await LocalCluster(
            n_workers=1,
            threads_per_worker=count + len(drives),
            resources={"vssd": count, **{resource(drive): 1 for drive in drives}},
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=str(self._folder),
            silence_logs=50,
            asynchronous=True,
        )
        return self._cluster

    def _dashboard(self) -> str:
        """The address of the page of Dask, which needs bokeh."""
        from importlib.util import find_spec

        if find_spec("bokeh") is None and self._cluster is not None:
            return ""
        return str(getattr(self._client, "dashboard_link", "") or "")

    async def __aexit__(self, *error: object) -> None:
        """Disconnect. A local cluster ends, and with it what runs there."""
        await cancelled(self._tasks)
        if self._client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._client.close(), 10)
        await self._close_cluster()

    async def _close_cluster(self) -> None:
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._cluster.close(), 30)

    def _start(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Workers

    async def _watch(self) -> None:
        """Follow which workers there are, until the scheduler is out of reach for too long."""
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while True:
            try:
                found = await self._known()
            except Exception:
                if loop.time() - seen > self._patience or self._client.status in ("closed", "closing"):
                    self.gone.set()
                    self.changed()
                    return
            else:
                seen = loop.time()
                self._follow(found)
            await asyncio.sleep(LOOK)

    async def _known(self) -> set[str]:
        """The addresses of the workers that the scheduler knows."""
        return set(await asyncio.wait_for(self._client.scheduler.ncores(), ANSWER))

    def _follow(self, workers: set[str]) -> None:
        for address in [one for one in self.hosts if one not in workers]:
            self.hosts.pop(address).gone.set()
            self.changed()
        for address in [one for one in self.refused if one not in workers]:
            del self.refused[address]
        for address in workers:
            if address not in self.hosts and address not in self._greeting and address not in self.refused:
                self._greeting.add(address)
                self._start(self._greet(address))

    async def _greet(self, address: str) -> None:
        """Ask a worker what it has."""
        try:
            found = await self._run(hello, [address])
            told = found.get(address, TimeoutError("it does not answer"))
            if isinstance(told, BaseException):
                if isinstance(told, ImportError):
                    self.refused[address] = f"the worker {address} has no pynvme of this version: {told}"
                    self.changed()
                return
            drives = [LabDrive.from_dict(one) for one in told.pop("drives")]
            host = Host(address, drives={drive.key: drive for drive in drives}, **told)
            why = self.accept(host)
            if why:
                self.refused[address] = why
            else:
                self.hosts[address] = host
            self.changed()
        finally:
            self._greeting.discard(address)

    async def _run(self, function: Any, workers: Iterable[str], *words: Any) -> dict[str, Any]:
        """Call a function in workers. Those that do not answer in time are left out."""
        try:
            found: dict[str, Any] = await asyncio.wait_for(
                self._client.run(function, *words, workers=list(workers), on_error="return"), ANSWER
            )
        except Exception:
            return {}
        return found

    async def ready(self, seconds: float) -> None:
        """Wait until all workers that the scheduler knows have said hello, at most so long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while loop.time() < deadline and not self.gone.is_set():
            with contextlib.suppress(Exception):
                found = await self._known()
                if found and found <= set(self.hosts) | set(self.refused):
                    return
            await asyncio.sleep(0.1)

    async def progress(self) -> dict[str, dict[str, Any]]:
        """How far the jobs are, by their names."""
        found = await self._run(progress, list(self.hosts)) if self.hosts else {}
        return {
            name: told for jobs in found.values() if isinstance(jobs, dict) for name, told in jobs.items()
        }

    async def end(self, reason: str) -> None:
        """Have the jobs of this campaign end, for one of the reasons of :mod:`pynvme.lab.job`."""
        if self.hosts and self._names:
            await self._run(end, list(self.hosts), reason, sorted(self._names))

    # Jobs

    async def run(
        self, host: Host, drive: LabDrive, spec: Mapping[str, Any], blobs: Mapping[str, bytes]
    ) -> dict[str, Any]:
        """Run a job, or a check of health, on a worker that has the drive, and return its result.

        A job whose worker or scheduler goes has the outcome ``lost``. The files in `blobs` that the job needs
        are sent along, unless the worker has them.
        """
        self._names.add(spec["job"])
        needed = set(spec["contents"].values())
        try:
            for _ in range(2):
                sent = {digest: blobs[digest] for digest in needed - host.sent}
                host.sent |= needed
                result = await self._submit(host, drive, {**spec, "instance": host.instance, "blobs": sent})
                if "missing" not in result:
                    return result
                host.sent -= set(result["missing"])
            return lost("its worker has not got the test files")
        finally:
            self._names.discard(spec["job"])

    async def _submit(self, host: Host, drive: LabDrive, spec: Mapping[str, Any]) -> dict[str, Any]:
        future = self._client.submit(
            work,
            spec,
            key=f"{spec['job']}-{secrets.token_hex(4)}",
            workers=[host.worker],
            allow_other_workers=False,
            resources={resource(drive): 1},
            retries=0,
        )
        result = asyncio.ensure_future(future.result())
        ends = [asyncio.ensure_future(one.wait()) for one in (host.gone, self.gone)]
        try:
            await asyncio.wait([result, *ends], return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                found: dict[str, Any] = result.result()
                return found
            return lost(
                "the scheduler is gone" if self.gone.is_set() else f"its worker {host.worker} is gone"
            )
        except asyncio.CancelledError:
            if not result.done():
                raise  # it is this coroutine that was cancelled
            return lost("the connection to the scheduler was lost")
        except Exception as error:
            return lost(f"{type(error).__name__}: {error}")
        finally:
            for one in (result, *ends):
                one.cancel()
            future.release()


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for their ends. ``asyncio.wait_for`` of Python 3.11 can miss a cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)


def lost(why: str) -> dict[str, Any]:
    """The result of a job of which there is none."""
    return {"outcome": "lost", "message": why}
