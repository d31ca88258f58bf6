# SPDX-License-Identifier: BSD-3-Clause
"""How many drives a campaign can keep busy: ``make bench-lab``, or ``python -m tools.bench.lab``.

A scheduler of Dask, workers with simulated drives, and a campaign run on this machine, each as it would in a
lab. Jobs only sleep, so that what is left of the time is the engine's: the campaign, the journal with its
syncs, Dask, and the files of each job. A process here has many workers, since a lab's have a machine each.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import click

PLAN = """
[campaign]
name = "scale"
seeds = {seeds}
time_limit = "1h"
[[drives]]
name = "simulated"
host = "simulated-*"
[[tasks]]
name = "sleep"
areas = ["commands"]
"""

MINUTE = 60.0
"""The seconds of a job of a lab, for which the share is told."""

A_PROCESS = 25
"""Workers that share a process of this measurement."""


async def schedule() -> None:
    """Be the scheduler, and say where it is."""
    from distributed import Scheduler

    async with Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
        print(scheduler.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def work(address: str, first: int, workers: int, drives: int) -> None:
    """Be some workers, each with some drives that do not exist."""
    from distributed import Worker

    from pynvme.lab import engine, job
    from pynvme.lab.inventory import LabDrive, resource

    async def hello(dask_worker: Any) -> dict[str, Any]:
        return {
            "instance": engine._instance,
            "name": dask_worker.name,
            "versions": engine.versions(),
            "slots": 0,
            "drives": [drive.to_dict() for drive in offered(dask_worker.name)],
        }

    def progress(dask_worker: Any) -> dict[str, dict[str, Any]]:
        """How far the jobs of one of the workers here are, as if it were alone on its host."""
        names = [task.key.rpartition("-")[0] for task in dask_worker.state.executing]
        return {name: dict(job.running[name].progress) for name in names if name in job.running}

    def offered(name: str) -> list[LabDrive]:
        return [
            LabDrive(name, f"{number:04x}:01:00.0", serial=f"{name}-{number}") for number in range(drives)
        ]

    engine.__dict__.update(hello=hello, progress=progress)  # what a campaign asks for by its name
    engine.configure()
    names = [f"simulated-{number}" for number in range(first, first + workers)]
    made = [
        Worker(
            address,
            name=name,
            nthreads=drives,
            memory_limit=0,
            dashboard=False,
            resources={resource(drive): 1.0 for drive in offered(name)},
        )
        for name in names
    ]
    await asyncio.gather(*made)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def started(*words: object) -> subprocess.Popen[str]:
    """Start a process of the lab, which ends with its standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", __spec__.name, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process says. RuntimeError if it ends instead."""
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    if not said:
        raise RuntimeError(f"{' '.join(map(str, process.args))} has ended")  # type: ignore[arg-type]
    return said


def campaign(folder: Path, address: str, seeds: int, seconds: float) -> dict[str, float]:
    """Run the campaign in this process, and return its figures."""
    from pynvme.lab import journal, plan
    from pynvme.lab.campaign import Campaign

    (folder / "plan.toml").write_text(PLAN.format(seeds=seeds))
    running = Campaign(
        plan.read(folder / "plan.toml"), folder / "campaign", scheduler=address, simulate=seconds
    )
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    asyncio.run(running.run())
    used = resource.getrusage(resource.RUSAGE_SELF)
    events = list(journal.read(folder / "campaign"))
    begins = [event["time"] for event in events if event["event"] == "begin"]
    ends = [event for event in events if event["event"] == "end" and event["outcome"] == "passed"]
    last = max(event["time"] for event in ends)
    jobs = len({event["job"] for event in ends})
    drives = len(running.units)
    wall = last - min(begins)
    lost_a_job = wall / (jobs / drives) - seconds
    spent = used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime
    figures = {
        "drives": drives,
        "jobs": jobs,
        "seconds": wall,
        "jobs_per_second": jobs / wall,
        "engine_seconds_per_job": lost_a_job,
        "engine_share_of_a_minute_percent": 100 * lost_a_job / (MINUTE + lost_a_job),
        "campaign_cpu_ms_per_job": 1000 * spent / jobs,
        "campaign_memory_mib": used.ru_maxrss / 1024,
    }
    return {**figures, **report(folder / "campaign")}


def report(folder: Path) -> dict[str, float]:
    """How long the results and the page take."""
    start = time.monotonic()
    try:
        import_module("pynvme.lab.results").collect(folder)
        import_module("pynvme.lab.page").write(folder)
    except ImportError as error:
        click.echo(f"no report was made: {error}", err=True)
        return {}
    return {"report_seconds": time.monotonic() - start}


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workers", default=100, show_default=True, type=click.IntRange(1), help="Hosts of the lab.")
@click.option("--drives", default=10, show_default=True, type=click.IntRange(1), help="Drives of each host.")
@click.option("--jobs", default=20, show_default=True, type=click.IntRange(1), help="Jobs of each drive.")
@click.option("--seconds", default=10.0, show_default=True, help="How long a job sleeps.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def main(context: click.Context, workers: int, drives: int, jobs: int, seconds: float, as_json: bool) -> None:
    """Measure a campaign on simulated drives. By default 20,000 jobs on 1,000 drives, some four minutes."""
    logging.disable(logging.CRITICAL)
    if context.invoked_subcommand is not None:
        return
    processes = [started("scheduler")]
    try:
        address = line(processes[0])
        for first in range(0, workers, A_PROCESS):
            count = min(A_PROCESS, workers - first)
            processes.append(started("workers", address, first, count, drives))
        for process in processes[1:]:
            line(process)
        with tempfile.TemporaryDirectory() as folder:
            figures = campaign(Path(folder), address, jobs, seconds)
    finally:
        for process in processes:
            assert process.stdin is not None and process.stdout is not None
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        click.echo(f"{name.replace('_', ' '):34} {value:12,.2f}")


@main.command("scheduler", hidden=True)
def _scheduler() -> None:
    asyncio.run(schedule())


@main.command("workers", hidden=True)
@click.argument("address")
@click.argument("first", type=int)
@click.argument("workers", type=int)
@click.argument("drives", type=int)
def _workers(address: str, first: int, workers: int, drives: int) -> None:
    asyncio.run(work(address, first, workers, drives))


if __name__ == "__main__":
    main()
