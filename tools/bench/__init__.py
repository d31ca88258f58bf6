# SPDX-License-Identifier: BSD-3-Clause
"""``make bench`` measures how fast the driver is on this machine, on a virtual SSD.

Each figure is the median of several runs, and a ratio is the median of the ratios of adjacent runs. If a
process had to wait for a CPU, the run shows the load of the machine and not the driver, so it is repeated. If
it is kept nevertheless, it is marked. docs/performance.md explains the figures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from pynvme import __version__, terminal
from tools.bench import engines, instructions, limits, memory, opening, python_rates, report, workers
from tools.bench.machine import about, commit
from tools.bench.session import Plan, Session

LAYOUT = 2
"""Version of the JSON file's layout. It grows if a name is removed or changes its meaning."""

PARTS = (workers, limits, python_rates, opening, instructions, memory, engines)


def run(
    plan: Plan, json_file: str | None = None, markdown_file: str | None = None, console: Console | None = None
) -> int:
    """Measure, print the tables, write the requested files, and return the exit code."""
    console = console or terminal.console()
    machine, version = about(), commit()
    built = f"pynvme {__version__}" + (f" ({version})" if version else "")
    console.print(Text(f"{built} on {machine['cpus']} CPUs, {machine['cpu']}", style="bold"))
    console.print(
        Text(f"Linux {machine['kernel']}, Python {machine['python']}, hugepages {machine['hugepages']}")
    )
    session = Session(plan, terminal.console(stderr=True))
    for part in PARTS:
        part.measure(session)
    for table in report.tables(session.results):
        console.print()
        console.print(table)
    for text in session.results.left_out:
        console.print(Text(f"left out: {text}"))
    if not session.results.measured:
        console.print(Text(f"nothing was measured, since no figure is named {plan.pattern!r}"))
        return 2
    if json_file is not None:
        content = as_json(session, machine, version)
        Path(json_file).write_text(json.dumps(content, indent=1) + "\n")
        console.print(Text(f"written to {json_file}"))
    if markdown_file is not None:
        Path(markdown_file).write_text(report.markdown(session.results))
        console.print(Text(f"written to {markdown_file}"))
    return 0


def as_json(session: Session, machine: dict[str, Any], version: str | None) -> dict[str, Any]:
    """The contents of the JSON file."""
    return {
        "layout": LAYOUT,
        "pynvme": __version__,
        "commit": version,
        "machine": machine,
        "plan": vars(session.plan),
        "left_out": session.results.left_out,
        "figures": session.results.as_json(),
    }
