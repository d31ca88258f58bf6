# SPDX-License-Identifier: BSD-3-Clause
"""A campaign: runs the jobs of a plan until each has ended, and keeps the journal.

Each turn of :meth:`Campaign.run` takes what has ended, chooses what begins, writes both to the journal, and
only then lets it count: a drive is used again, or a job is sent to a worker, once the disk has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import heapq
import os
import platform
import time
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pynvme
from pynvme.lab import inventory, journal
from pynvme.lab import job as jobs
from pynvme.lab import plan as plans
from pynvme.lab.choice import Choice
from pynvme.lab.engine import Engine, EngineError, Host, cancelled, versions
from pynvme.lab.inventory import LabDrive
from pynvme.lab.journal import INTERRUPTED, Journal, State
from pynvme.lab.plan import Job, Plan

WORK = "work"
"""The folder of a local cluster, in that of the campaign. It is removed at the end."""
TURN = 1.0
"""The most seconds between two turns."""
PROGRESS = 2.0
"""Seconds between two questions to the workers how far the jobs are."""
MANY = 20
"""Hosts. If there are more, all are asked less often, so that the answers of a second stay as many."""
FIRST_ANSWERS = 60.0
"""Seconds that the workers have at the beginning to tell what they have."""
KILL = 3.0
"""Seconds that workers have to kill their jobs, before they are left alone with that."""
BAD = ("failed", "error", "time-out")
"""Outcomes of jobs that make the campaign end with the status 1."""
DOUBTFUL = ("error", "time-out")
"""Outcomes after which a drive is checked, even a virtual SSD."""


class View(Protocol):
    """What shows a campaign while it runs."""

    def event(self, line: dict[str, Any]) -> None:
        """An event of the journal counts now."""

    def turn(self, campaign: Campaign) -> None:
        """A second has passed, or something has happened."""

    def say(self, text: str) -> None:
        """Tell what the campaign waits for."""


@dataclass(eq=False)
class Unit:
    """A drive of the campaign, with the jobs that wait for it."""

    drive: LabDrive
    group: str
    queue: deque[tuple[int, Job]] = field(default_factory=deque)
    """The jobs with their places in the order of all."""
    job: Job | None = None
    """The one that runs."""
    host: Host | None = None
    """Where it runs."""
    began: float = 0.0
    busy: bool = False
    """Whether a job, or a check of health, runs."""
    suspect: bool = False
    """Whether it has to be checked before its next job."""
    aside: str = ""
    missing_since: float | None = None

    @property
    def key(self) -> str:
        """The key of the drive."""
        return self.drive.key


class Campaign:
    """Runs a plan.

    Args:
        plan: what to do
        folder: of the campaign, see docs/how-to/lab.md
        state: what the journal says, if it is resumed
        scheduler: the address of Dask's scheduler, or None for a local cluster
        security: see :class:`pynvme.lab.engine.Engine`
        mixed: whether hosts may have other versions than this one
        view: shows what happens
        simulate: seconds that each job sleeps instead of testing a drive (tools/bench)
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        state: State | None = None,
        *,
        scheduler: str | None = None,
        security: Any = None,
        mixed: bool = False,
        view: View | None = None,
        simulate: float | None = None,
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.state = state or State()
        self.units: dict[str, Unit] = {}
        self.total = 0
        """How many jobs there are."""
        self.progress: dict[str, dict[str, Any]] = {}
        """How far the jobs are, by their names."""
        self.outcomes: Counter[str] = Counter(end["outcome"] for end in self.state.done.values())
        self.started = time.monotonic()
        self.engine: Engine
        self._done_before = self.done
        self._resumed = state is not None
        self._scheduler = scheduler
        self._security = security
        self._mixed = mixed
        self._view = view
        self._simulate = simulate
        self._journal: Journal
        self._events: list[dict[str, Any]] = []
        self._files: list[tuple[Path, dict[str, bytes]]] = []
        self._results: list[tuple[Unit, dict[str, Any]]] = []
        self._refused: list[Host] = []
        self._choice = Choice(plan, None if state is None else self.state.drives)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle: dict[str, Unit] = {}
        self._where: dict[str, Host] = {}
        self._stopping = ""
        self._failure: OSError | None = None
        """Why nothing can be written any more."""
        self._looping = False

    # Its beginning

    async def run(self, mistakes: Sequence[str] = ()) -> str:
        """Run it, and return why it ended: ``done``, ``findings`` or ``interrupted``.

        The places of labgrid that the plan names stay acquired until then.

        Args:
            mistakes: those of the plan that are known already

        Raises:
            PlanError: the plan has mistakes, or does not fit the drives that there are
            EngineError: there is no scheduler, or it is gone
            JournalError: another process runs this campaign
            OSError: the folder cannot be written, such as on a full disk. What was written before counts, and
                the jobs that ran then were ended in order
        """
        with self._choice:
            return await self._run(mistakes)

    async def _run(self, mistakes: Sequence[str]) -> str:
        if self._scheduler is None:
            self._choice.judge(inventory.here(), mistakes)
            await self._choice.acquire(self._say)
            (self.folder / WORK).mkdir(parents=True, exist_ok=True)  # if it cannot be, Dask tells less
        async with Engine(self._scheduler, self.folder / WORK, self._security) as self.engine:
            self.engine.accept = self._refusal
            self.engine.changed = self._hosts_changed
            await self.engine.ready(FIRST_ANSWERS)
            hosts = [*self.engine.hosts.values(), *self._refused]
            offered = self._offered(hosts)
            if self._scheduler is not None:
                self._choice.judge(offered, [*mistakes, *self.engine.refused.values()])
                await self._choice.acquire(self._say)
            await self._choice.take(offered, self._ask_drive)
            self.units = {key: Unit(drive, group) for key, (group, drive) in self._choice.drives.items()}
            with contextlib.closing(self._open()):
                try:
                    await self._loop()
                finally:
                    await cancelled(self._tasks)
        return self._stopping or "done"

    def _offered(self, hosts: Iterable[Host]) -> list[LabDrive]:
        """The drives of all hosts. Tell if several workers of one host offer the same ones."""
        offers: dict[tuple[str, str, str], tuple[LabDrive, list[str]]] = {}
        for host in hosts:
            for drive in host.drives.values():
                _, workers = offers.setdefault((drive.host, drive.address, drive.serial), (drive, []))
                workers.append(host.worker)
        shared = {drive.host: sorted(workers) for drive, workers in offers.values() if len(workers) > 1}
        for name, workers in shared.items():
            told = f"{name} has {len(workers)} workers, {', '.join(workers)}, which offer the same drives: "
            self._say(told + "a drive has one job at a time")
        return [drive for drive, _ in offers.values()]

    def _open(self) -> Journal:
        """Open the journal, with the events of this beginning."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self.folder, new=not self._resumed)
        if self._resumed:
            self._tell("resume")
            for name, begin in list(self.state.running.items()):
                why = "the campaign was killed"
                self._tell("lost", job=name, attempt=begin["attempt"], why=why, blame=False)
        else:
            plans.keep(self.plan, self.folder)
            about = {"pynvme": pynvme.__version__, "python": platform.python_version()}
            digest = self.plan.digest
            self._tell("campaign", version=journal.VERSION, name=self.plan.name, plan=digest, **about)
        for unit in self.units.values():
            self._describe(unit)
            unit.suspect = unit.key in self.state.suspect or unit.key in self.state.aside
        self._fill()
        return self._journal

    def _describe(self, unit: Unit) -> None:
        drive = unit.drive
        names = ("host", "address", "model", "serial", "firmware")
        about = {name: getattr(drive, name) for name in names}
        known = self.state.drives.get(unit.key)
        if known is None or any(known.get(name) != value for name, value in about.items()):
            self._tell("drive", drive=unit.key, group=unit.group, **about, tags=list(drive.tags))

    def _fill(self) -> None:
        """Give each drive the jobs that are missing."""
        drives: dict[str, list[str]] = {}
        for unit in self.units.values():
            drives.setdefault(unit.group, []).append(unit.key)
        for number, one in enumerate(self.plan.jobs(drives)):
            self.total += 1
            if one.id in self.state.done:
                continue
            unit = self.units[one.drive]
            if self.state.lost.get(one.id, 0) >= one.task.attempts:
                self._give_up(one, self.state.begun[one.id], "its last attempt")
                continue
            unit.queue.append((number, one))
            self._idle[unit.key] = unit

    # Drives and hosts

    async def _ask_drive(self, drive: LabDrive) -> Mapping[str, Any] | None:
        """Check a drive on its host."""
        host = self._where.get(drive.key)
        return None if host is None else await self.engine.run(host, drive, health_spec(drive), {})

    def _say(self, text: str) -> None:
        self._show("say", text)

    def _show(self, method: str, *words: Any) -> None:
        """Have the view show something. If nobody reads the output any more, end the jobs in order."""
        if self._view is None:
            return
        try:
            getattr(self._view, method)(*words)
        except OSError:
            self._view = None
            self.stop(INTERRUPTED)

    def _refusal(self, host: Host) -> str:
        """Why a host is refused, or an empty text."""
        mine = versions()
        differ = [name for name in mine if host.versions.get(name) != mine[name]]
        if not differ or self._mixed:
            return ""
        self._refused.append(host)
        told = (f"{name} {host.versions.get(name)}, this host {mine[name]}" for name in differ)
        return f"host {host.name} ({host.worker}) has {'; '.join(told)}: install the same, or give --mixed"

    def _hosts_changed(self) -> None:
        self._where = {key: host for host in self.engine.hosts.values() for key in host.drives}
        self._wake.set()

    def _host_of(self, unit: Unit) -> Host | None:
        """A host that can run a job of a drive now, or None."""
        if not unit.drive.is_virtual:
            return self._where.get(unit.key)
        free = [host for host in self.engine.hosts.values() if host.used < host.slots]
        return min(free, key=lambda host: host.used / host.slots, default=None)

    # The loop

    async def _loop(self) -> None:
        asked = 0.0
        self._looping = True
        self._count_findings()
        while True:
            started = list(self._begin()) if not self._stopping else []
            await self._sync()
            for unit, work in started:
                if self._failure is None:
                    self._start(self._follow(unit, work))
                else:
                    unit.busy = False  # the journal does not have its begin
            if self.engine.gone.is_set():
                self._tell("stop", why=INTERRUPTED)
                await self._sync()
                raise EngineError("the scheduler is gone")
            if self._is_over():
                self._tell("stop", why=self._stopping or "done")
                await self._sync()
                if self._failure is not None:
                    raise self._failure
                return
            if time.monotonic() - asked > PROGRESS * max(1.0, len(self.engine.hosts) / MANY):
                asked = time.monotonic()
                self._start(self._ask())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TURN)
            self._wake.clear()
            self._take()
            self._show("turn", self)

    def _is_over(self) -> bool:
        if any(unit.busy for unit in self.units.values()):
            return False
        return bool(self._stopping) or not self._idle

    def _start(self, work: Any) -> None:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self) -> None:
        """Ask how far the jobs are. Jobs that began after a request to stop are asked to end, too."""
        if self._stopping:
            await self.engine.end(jobs.STOPPED)
        self.progress = await self.engine.progress()

    async def _sync(self) -> None:
        """Write the files of jobs and the journal, after which all events count.

        If that fails, none of them counts, nothing is written any more, and the jobs are ended in order.
        """
        if not self._events or self._failure is not None:
            return
        files, self._files = self._files, []
        events, self._events = self._events, []
        written = asyncio.get_running_loop().run_in_executor(None, self._write, files)
        try:
            await asyncio.shield(written)
        except asyncio.CancelledError:
            await asyncio.wait([written])  # it uses the descriptor of the journal
            raise
        except OSError as error:
            self._fail(error)
            return
        for event in events:
            self._show("event", event)

    def _fail(self, error: OSError) -> None:
        """End the campaign because its folder cannot be written."""
        self._failure = self._failure or error
        self.stop(INTERRUPTED)

    def _write(self, files: Iterable[tuple[Path, dict[str, bytes]]]) -> None:
        for folder, contents in files:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                with (folder / name).open("wb") as file:
                    file.write(zlib.decompress(content))
                    file.flush()
                    os.fdatasync(file.fileno())
        self._journal.sync()

    def _tell(self, event: str, **more: Any) -> None:
        """Add an event to the journal, and follow it."""
        line = self._journal.add(event, **more)
        self.state.take(line)
        self._events.append(line)

    # What begins

    def _begin(self) -> Iterator[tuple[Unit, Mapping[str, Any]]]:
        """Begin what can begin now: jobs, and checks of drives."""
        for unit in self._candidates():
            host = self._host_of(unit)
            if host is None:
                self._wait_for(unit)
                continue
            unit.missing_since = None
            unit.host = host
            unit.busy = True
            unit.began = time.monotonic()
            del self._idle[unit.key]
            host.used += unit.drive.is_virtual
            if unit.suspect:
                yield unit, health_spec(unit.drive)
                continue
            unit.job = unit.queue.popleft()[1]
            yield unit, self._begin_job(unit, unit.job, host)

    def _candidates(self) -> list[Unit]:
        """Drives with work: of virtual SSDs only so many as there is room for, the most urgent first."""
        hosts = self.engine.hosts.values()
        room = sum(max(0, host.slots - host.used) for host in hosts)
        virtual = (unit for unit in self._idle.values() if unit.drive.is_virtual)
        if room or not any(host.slots for host in hosts):
            found = heapq.nsmallest(room or len(self._idle), virtual, key=lambda unit: unit.queue[0][0])
        else:
            found = []
        return [unit for unit in self._idle.values() if not unit.drive.is_virtual] + found

    def _begin_job(self, unit: Unit, one: Job, host: Host) -> Mapping[str, Any]:
        attempt = self.state.begun.get(one.id, 0) + 1
        self._tell(
            "begin",
            job=one.id,
            attempt=attempt,
            task=one.task.name,
            drive=unit.key,
            host=host.name,
            worker=host.worker,
            seed=one.seed,
            repeat=one.repeat,
        )
        spec = spec_of(one, unit.drive)
        return spec if self._simulate is None else {**spec, "simulate": self._simulate}

    def _wait_for(self, unit: Unit) -> None:
        """Set a drive aside that has been missing for too long."""
        now = time.monotonic()
        if unit.missing_since is None:
            unit.missing_since = now
        elif now - unit.missing_since > self.plan.patience:
            why = "no worker runs virtual SSDs" if unit.drive.is_virtual else "no worker has it"
            refused = "".join(f"; {told}" for told in self.engine.refused.values())
            self._set_aside(unit, f"{why} for {self.plan.patience:g} s{refused}")

    def _set_aside(self, unit: Unit, why: str) -> None:
        unit.aside = why
        self._idle.pop(unit.key, None)
        self._tell("aside", drive=unit.key, why=why)

    async def _follow(self, unit: Unit, spec: Mapping[str, Any]) -> None:
        """Wait for the result of a job or a check."""
        assert unit.host is not None
        result = await self.engine.run(unit.host, unit.drive, spec, self.plan.blobs)
        self._results.append((unit, result))
        self._wake.set()

    # What ended

    def _take(self) -> None:
        """Take all results that have come."""
        results, self._results = self._results, []
        for unit, result in results:
            assert unit.host is not None
            unit.host.used -= unit.drive.is_virtual
            unit.busy = False
            unit.host = None
            one, unit.job = unit.job, None
            if self._failure is None and result.get("full"):
                self._take_full(unit, one, result)
            elif one is None:
                self._take_health(unit, result)
            else:
                self._take_end(unit, one, result)
            if unit.queue and not unit.aside:
                self._idle[unit.key] = unit
        self._count_findings()

    def _count_findings(self) -> None:
        if self.plan.findings and self.state.findings >= self.plan.findings:
            self.stop("findings")

    def _take_full(self, unit: Unit, one: Job | None, result: Mapping[str, Any]) -> None:
        """A job could not write: it runs again when there is room, and nobody is to blame."""
        why = result["message"]
        if one is not None:
            self._tell("lost", job=one.id, attempt=self.state.begun[one.id], why=why, blame=False)
            unit.queue.appendleft((-1, one))
        if self._scheduler is None:  # it is the disk of the campaign
            self._fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        else:
            self._set_aside(unit, why)

    def _take_health(self, unit: Unit, result: Mapping[str, Any]) -> None:
        if "why" not in result:  # lost: it is checked again
            return
        unit.suspect = False
        self._tell("health", drive=unit.key, fit=not result["why"], why=result["why"])
        if result["why"]:
            self._set_aside(unit, result["why"])

    def _take_end(self, unit: Unit, one: Job, result: Mapping[str, Any]) -> None:
        attempt = self.state.begun[one.id]
        outcome, message = result["outcome"], result.get("message", "")
        left_by_worker = outcome == INTERRUPTED and not self._stopping
        if left_by_worker:
            outcome, message = "lost", "its worker was told to end, and has ended it"
        if result.get("files"):
            self._files.append((self.folder / "jobs" / one.id / str(attempt), result["files"]))
        if outcome != "lost":
            unit.suspect = outcome in DOUBTFUL or (outcome != "passed" and not unit.drive.is_virtual)
            names = ("exit", "seconds", "counts", "tests", "findings")
            about = {name: result[name] for name in names}
            self._tell("end", job=one.id, attempt=attempt, outcome=outcome, **about, message=message)
            self.outcomes[outcome] += outcome != INTERRUPTED
            return
        unit.suspect = True
        blame = {"blame": False} if left_by_worker else {}
        self._tell("lost", job=one.id, attempt=attempt, why=message, **blame)
        if self.state.lost.get(one.id, 0) >= one.task.attempts:
            self._give_up(one, attempt, message)
        else:
            unit.queue.appendleft((-1, one))

    def _give_up(self, one: Job, attempt: int, why: str) -> None:
        """End a job that was lost as often as its task allows."""
        about: dict[str, Any] = {"exit": None, "seconds": 0.0, "counts": {}, "tests": 0, "findings": 0}
        message = f"lost {self.state.lost[one.id]} times, at last: {why}"
        self._tell("end", job=one.id, attempt=attempt, outcome="error", **about, message=message)
        self.outcomes["error"] += 1

    # Its end

    def stop(self, why: str) -> None:
        """Begin nothing more, and end the jobs in order. They run again when the campaign is resumed."""
        if not self._stopping:
            self._stopping = why
            if self._looping:
                self._start(self._ask())
                self._wake.set()

    @property
    def is_running(self) -> bool:
        """Whether jobs may have begun."""
        return self._looping

    async def kill(self) -> None:
        """Kill all jobs at once. It is for a user who does not wait: drives are not closed in order."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.engine.end(jobs.NOW), KILL)

    @property
    def done(self) -> int:
        """How many jobs have ended."""
        return len(self.state.done)

    @property
    def left(self) -> float | None:
        """Seconds that are left, by how fast jobs have ended so far. None if none has."""
        ended = self.done - self._done_before
        if not ended:
            return None
        return (time.monotonic() - self.started) / ended * (self.total - self.done)

    @property
    def status(self) -> int:
        """The exit status: 1 if there are findings, or jobs that did not pass, or drives set aside."""
        if self._stopping == INTERRUPTED:
            return 130
        aside = any(unit.aside for unit in self.units.values())
        return int(aside or self.state.findings > 0 or any(self.outcomes[one] for one in BAD))


def spec_of(one: Job, drive: LabDrive) -> dict[str, Any]:
    """What a worker needs to know to run a job on a drive."""
    task = one.task
    return {
        "job": one.id,
        "address": drive.address,
        "vssd": dict(drive.options),
        "seed": one.seed,
        "time_limit": task.time_limit,
        "contents": dict(task.contents),
        "nodes": list(task.files),
        "areas": list(task.areas),
        "tests": list(task.tests),
        "marks": task.marks,
        "options": list(task.options),
        "time": task.time,
    }


def health_spec(drive: LabDrive) -> dict[str, Any]:
    """What a worker needs to know to check a drive."""
    about = {"address": drive.address, "vssd": dict(drive.options), "contents": {}}
    return {"job": f"health.{drive.key}", "health": True, **about}
