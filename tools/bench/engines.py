# SPDX-License-Identifier: BSD-3-Clause
"""The engines of this build beside each other: IOPS with and without verification, and instructions per IO.

An engine is selected for a whole process, so each is measured in a process of its own, in turn:
``python -m tools.bench.engines NAME PLAN`` measures each figure of one engine once, and prints them as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import nvme
from rich.console import Console

from tools.bench import instructions
from tools.bench.drive import REGION_MIB, Drive, Load, iops
from tools.bench.figures import Figure
from tools.bench.machine import ROOT
from tools.bench.session import Plan, Session
from tools.bench.stepper import StepperError

DEPTHS = (1, 32, 128)
LOADS = tuple(Load("read", 4096, depth) for depth in DEPTHS)
COUNTED = Load("read")
"""The workload whose instructions are counted."""


def names(engine: str) -> list[str]:
    """The names of all figures of an engine."""
    loads = [f"engines.{engine}.qd{depth}.{on}" for depth in DEPTHS for on in ("off", "on")]
    return [*loads, *(f"engines.{engine}.instructions.{on}" for on in ("off", "on"))]


def measure(session: Session) -> None:
    """Measure the engines in turn, in as many rounds as there are runs."""
    engines = [engine.name for engine in nvme.engines()]
    wanted = [engine for engine in engines if session.wants(*names(engine))]
    if not wanted:
        return
    if len(engines) == 1 and not session.plan.pattern:
        session.leave_out("the comparison of engines", f"this build has only {engines[0]}")
        return
    for number in range(session.plan.runs):
        for engine in wanted:
            session.tell(f"engine {engine}, round {number + 1} of {session.plan.runs}")
            _add(session, engine)


def _add(session: Session, engine: str) -> None:
    """Measure each figure of an engine once, and add the runs."""
    plan = json.dumps(vars(replace(session.plan, runs=1)))
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.engines", engine, plan],
        env={**os.environ, "PYNVME_ENGINE": engine},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        session.leave_out(f"engine {engine}", reason)
        return
    found = json.loads(done.stdout)
    for text in found["left_out"]:
        session.leave_out(f"engine {engine}", text)
    for one in found["figures"]:
        known = session.results.figures.get(one["name"])
        figure = known or session.results.add(Figure(one["name"], one["title"], one["unit"], engine=engine))
        figure.runs += one["runs"]
        figure.contended += one["contended"]


# The process of one engine


def _one(engine: str, plan: Plan) -> dict[str, Any]:
    """Measure the figures of the selected engine."""
    session = Session(plan, Console(file=sys.stderr, quiet=True))
    _rates(session, engine, "off", {"size": "4G", "null": True}, 0)
    _rates(session, engine, "on", {"size": "1G"}, REGION_MIB)
    try:
        _instructions(session, engine)
    except StepperError as error:
        session.leave_out("instructions", str(error))
    return {"figures": session.results.as_json(), "left_out": session.results.left_out}


def _rates(session: Session, engine: str, on: str, options: dict[str, Any], written_mib: int) -> None:
    """IOPS without verification, of a drive that keeps no data, or with it."""
    loads = [load for load in LOADS if session.wants(f"engines.{engine}.qd{load.in_flight}.{on}")]
    if not loads:
        return
    with Drive(written_mib, **options) as drive:
        drive.verify(on == "on")
        for load in loads:
            title = f"{load.title}, {'verified' if on == 'on' else 'null store'}"
            figure = session.figure(f"engines.{engine}.qd{load.in_flight}.{on}", title, "IOPS")
            _runs(session, figure, drive, load)


def _runs(session: Session, figure: Figure, drive: Drive, load: Load) -> None:
    for _ in range(session.plan.runs):
        session.once(figure, lambda meter: iops(drive.run(load, session.plan.seconds, meter)))


def _instructions(session: Session, engine: str) -> None:
    wanted = [on for on in ("off", "on") if session.wants(f"engines.{engine}.instructions.{on}")]
    if not wanted:
        return
    with Drive(REGION_MIB, size="1G") as drive:
        for on in wanted:
            name = f"engines.{engine}.instructions.{on}"
            title = f"instructions an IO, {COUNTED.title}, verification {on}"
            figure = session.figure(name, title, "")
            # Batches differ, and may be as large as the queue is deep, so count at least so many IOs.
            instructions.of_worker(session, drive, COUNTED, on == "on", figure, COUNTED.in_flight)


if __name__ == "__main__":
    json.dump(_one(sys.argv[1], Plan(**json.loads(sys.argv[2]))), sys.stdout)
