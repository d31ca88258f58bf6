# SPDX-License-Identifier: BSD-3-Clause
"""Shows a campaign while it runs: a table on a terminal, lines elsewhere, or events as JSON."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click
from rich.live import Live
from rich.table import Table

from pynvme import terminal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from pynvme.lab.campaign import Campaign, Unit

EVERY = 5.0
"""Seconds between two lines, or two events of progress."""
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"))


def duration(seconds: float | None) -> str:
    """A time for people: ``2.5 h``, ``40 s``."""
    if seconds is None:
        return "?"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def summary(campaign: Campaign) -> str:
    """How far the campaign is, in a line."""
    running = sum(unit.job is not None for unit in campaign.units.values())
    aside = sum(bool(unit.aside) for unit in campaign.units.values())
    parts = [f"{campaign.done} of {campaign.total} jobs", f"{running} running"]
    parts += [f"{count} {outcome}" for outcome, count in sorted(campaign.outcomes.items()) if count]
    lost = sum(campaign.state.lost.values())
    parts += [f"{lost} lost"] if lost else []
    parts += [f"{campaign.state.findings} findings"]
    parts += [f"{aside} drives set aside"] if aside else []
    if campaign.done < campaign.total:
        parts.append(f"{duration(campaign.left)} left")
    return ", ".join(parts)


def told(line: dict[str, Any]) -> str:
    """The text of an event that a user has to know, or an empty one."""
    event = line["event"]
    if event == "lost":
        return f"{line['job']} was lost: {line['why']}"
    if event == "aside":
        return f"the drive {line['drive']} is set aside: {line['why']}"
    if event == "end" and line["outcome"] not in ("passed", "interrupted"):
        findings = f", {line['findings']} findings" if line["findings"] else ""
        message = f": {line['message']}" if line["message"] else ""
        return f"{line['job']}: {line['outcome']}{findings}{message}"
    return ""


class Lines:
    """One line every few seconds, and one for what goes wrong."""

    def __init__(self) -> None:
        self._next = time.monotonic() + EVERY

    def event(self, line: dict[str, Any]) -> None:
        """Tell what went wrong."""
        text = told(line)
        if text:
            click.echo(f"{_clock(line['time'])}  {text}")

    def turn(self, campaign: Campaign) -> None:
        """Tell how far it is, if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self.say(summary(campaign))

    def say(self, text: str) -> None:
        """Print a line."""
        click.echo(f"{_clock(time.time())}  {text}")

    def close(self) -> None:
        """Nothing is left to do."""


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))


class Json:
    """Each event of the journal, and the progress every few seconds, as a line of JSON."""

    VERSION = 1

    def __init__(self) -> None:
        self._next = time.monotonic() + EVERY

    def event(self, line: dict[str, Any]) -> None:
        """Print an event."""
        click.echo(json.dumps({"version": self.VERSION, **line}))

    def turn(self, campaign: Campaign) -> None:
        """Print the progress, if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self.event(
                {
                    "event": "progress",
                    "jobs": campaign.total,
                    "done": campaign.done,
                    "findings": campaign.state.findings,
                    "left_s": campaign.left,
                    "running": campaign.progress,
                    "time": round(time.time(), 3),
                }
            )

    def say(self, text: str) -> None:
        """Print what the campaign waits for."""
        self.event({"event": "waits", "why": text, "time": round(time.time(), 3)})

    def close(self) -> None:
        """Nothing is left to do."""


class Screen:
    """A table of the drives, which is drawn again and again on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._live.start()

    def event(self, line: dict[str, Any]) -> None:
        """Tell what went wrong, above the table."""
        text = told(line)
        if text:
            self._print(line["time"], text)

    def say(self, text: str) -> None:
        """Tell what the campaign waits for, above the table."""
        self._print(time.time(), text)

    def _print(self, seconds: float, text: str) -> None:
        self._live.console.print(f"{_clock(seconds)}  {text}", markup=False)

    def turn(self, campaign: Campaign) -> None:
        """Draw the table."""
        self._live.update(self._table(campaign))

    def _table(self, campaign: Campaign) -> RenderableType:
        table = Table(box=None, pad_edge=False, caption=self._caption(campaign), caption_justify="left")
        for title in ("drive", "host", "°C", "job", "tests", "findings"):
            table.add_column(title, no_wrap=True, justify="right" if title in ("°C", "findings") else "left")
        units = list(campaign.units.values())
        shown = sorted(units, key=lambda unit: (not unit.busy, not unit.aside))[: self._rows()]
        for unit in sorted(shown, key=lambda unit: unit.key):
            table.add_row(*_row(campaign, unit))
        if len(shown) < len(units):
            table.add_row(f"and {len(units) - len(shown)} more")
        return table

    def _rows(self) -> int:
        return max(4, self._console.height - 6)

    def _caption(self, campaign: Campaign) -> str:
        dashboard = campaign.engine.dashboard
        return summary(campaign) + (f"\n{dashboard}" if dashboard else "")

    def close(self) -> None:
        """Remove the table."""
        self._live.stop()


def _row(campaign: Campaign, unit: Unit) -> list[str]:
    if unit.job is None:
        doing = f"set aside: {unit.aside}" if unit.aside else "check of the drive" if unit.busy else ""
        waiting = f"{len(unit.queue)} waiting" if unit.queue else "" if doing else "done"
        return [unit.key, unit.host.name if unit.host else "", "", doing or waiting, "", ""]
    told = campaign.progress.get(unit.job.id, {})
    kelvin = told.get("kelvin")
    total = told.get("total", 0)
    name = f"{unit.job.task.name} seed {unit.job.seed}"
    test = str(told.get("test", ""))
    return [
        unit.key,
        unit.host.name if unit.host else "",
        str(kelvin - 273) if kelvin else "",
        name,
        f"{told.get('done', 0)}/{total} {test}" if total else "begins",
        str(told.get("findings", "")),
    ]


def view(as_json: bool) -> Json | Lines | Screen:
    """What fits the output."""
    if as_json:
        return Json()
    console = terminal.console()
    return Screen(console) if terminal.can_redraw(console) else Lines()
