# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme campaign``: reads the plan, runs the campaign, and tells what there is at its end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from pynvme.lab import certificates, journal, live
from pynvme.lab import plan as plans
from pynvme.lab.campaign import WORK, Campaign
from pynvme.lab.engine import SLOTS, EngineError
from pynvme.lab.journal import INTERRUPTED, JournalError
from pynvme.lab.plan import Plan, PlanError


class Unusable(click.ClickException):
    """The campaign cannot run, or cannot go on. It is no finding, which has the status 1."""

    exit_code = 2


@dataclass(frozen=True)
class Options:
    """What the command line says. docs/how-to/lab.md describes it."""

    plan: str | None = None
    resume: str | None = None
    folder: str | None = None
    scheduler: str | None = None
    parallel: int | None = None
    mixed: bool = False
    tls: str | None = None
    insecure: bool = False
    as_json: bool = False


def run(options: Options) -> int:
    """Run or resume a campaign. Returns the exit status."""
    scheduler = options.scheduler
    if options.tls is not None and scheduler is None:
        raise click.UsageError("--tls is for the scheduler of a lab: name it with --scheduler.")
    security = scheduler and certificates.security(scheduler, "client", options.tls, options.insecure)
    if options.parallel is not None:
        os.environ[SLOTS] = str(options.parallel)
    place = Path(options.resume or options.folder or ".")
    try:
        plan, mistakes, place, state = _resumed(options) if options.resume else _new(options)
        view = live.view(options.as_json)
        campaign = Campaign(
            plan, place, state, scheduler=scheduler, security=security, mixed=options.mixed, view=view
        )
        try:
            why = asyncio.run(_run(campaign, mistakes))
        finally:
            with contextlib.suppress(OSError):  # the terminal is closed
                view.close()
            if campaign.is_running or not (place / journal.FILE).exists():  # not another process's campaign
                _tidy(place)
    except PlanError as error:
        for mistake in error.mistakes:
            click.echo(f"{options.plan or options.resume}: {mistake}", err=True)
        return 2
    except JournalError as error:
        raise Unusable(str(error)) from error
    except EngineError as error:
        raise Unusable(f"{error}{_hint(place)}") from error
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        where = f"{error.filename or place}: {error.strerror or error}"
        raise Unusable(f"the campaign cannot be written: {where}{_hint(place)}") from error
    return _end(campaign, why, options.as_json)


def _hint(folder: Path) -> str:
    """How to go on, if jobs may have ended."""
    if not (folder / journal.FILE).exists():
        return ""
    return f"; what ended before counts, and `pynvme campaign --resume {folder}` goes on"


def _tidy(folder: Path) -> None:
    """Remove what only the local cluster needs, and the folder if no job has begun."""
    shutil.rmtree(folder / WORK, ignore_errors=True)
    with contextlib.suppress(OSError):  # it is not empty, or not there
        folder.rmdir()


def _new(options: Options) -> tuple[Plan, list[str], Path, None]:
    plan, mistakes = _checked(str(options.plan))
    stamp = time.strftime("%Y%m%d-%H%M%S")
    place = Path(options.folder or f"campaign-{plan.name}-{stamp}")
    if (place / journal.FILE).exists():
        mistakes.append(f"{place} has a campaign already: go on with --resume {place}")
    return plan, mistakes, place, None


def _checked(path: str) -> tuple[Plan, list[str]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError([f"it cannot be read: {getattr(error, 'strerror', '') or error}"]) from None
    return plans.check(text, Path(path).resolve().parent)


def _resumed(options: Options) -> tuple[Plan, list[str], Path, journal.State]:
    place = Path(str(options.resume))
    state = journal.replay(journal.read(place))
    journal.Journal(place, new=False).close()  # an error if another process runs it, before anything starts
    plan = plans.kept(place)
    mistakes: list[str] = []
    if options.plan is not None:
        now, mistakes = _checked(options.plan)
        differ = plans.changes(plan, now)
        if differ:
            mistakes.append(f"the plan has changed since the campaign in {place} began: " + "; ".join(differ))
    return plan, mistakes, place, state


async def _run(campaign: Campaign, mistakes: list[str]) -> str:
    """Run it, with Ctrl-C ending jobs in order, and a second one ending them at once."""
    main = asyncio.ensure_future(campaign.run(mistakes))
    loop = asyncio.get_running_loop()
    pressed = 0

    def interrupt() -> None:
        nonlocal pressed
        pressed += 1
        if pressed == 1 and campaign.is_running:
            campaign.stop(INTERRUPTED)
            with contextlib.suppress(OSError):  # the terminal is closed
                click.echo("ending the jobs in order; press Ctrl-C again to kill them", err=True)
        elif campaign.is_running:
            asyncio.ensure_future(campaign.kill()).add_done_callback(lambda _: main.cancel())
        else:
            main.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            loop.add_signal_handler(number, interrupt)
    try:
        return await main
    except asyncio.CancelledError:
        campaign.stop(INTERRUPTED)
        return INTERRUPTED


def _end(campaign: Campaign, why: str, as_json: bool) -> int:
    """Make results and the page of what there is, and tell where they are."""
    folder = campaign.folder
    has_begun = (folder / journal.FILE).exists()
    page = _page(folder) if has_begun else None
    about = {"why": why, "folder": str(folder), "page": page and str(page), "status": campaign.status}
    counts = dict(sorted(campaign.outcomes.items()))
    if as_json:
        ended = {"jobs": campaign.total, "outcomes": counts, "findings": campaign.state.findings}
        live.Json().event({"event": "result", **about, **ended, "time": round(time.time(), 3)})
        return campaign.status
    if not has_begun:
        click.echo("ended before the first job")
        return campaign.status
    click.echo(live.summary(campaign))
    for unit in campaign.units.values():
        if unit.aside:
            click.echo(f"the drive {unit.key} was set aside: {unit.aside}")
    click.echo(f"folder: {folder}")
    if page is not None:
        click.echo(f"page:   {page}")
    if campaign.done < campaign.total:
        click.echo(f"go on:  pynvme campaign --resume {folder}")
    return campaign.status


def _page(folder: Path) -> Path | None:
    """The page of a campaign. What cannot be made now can be made later of the same folder."""
    try:
        import_module("pynvme.lab.results").collect(folder)
        import_module("pynvme.lab.page").write(folder)
    except Exception as error:
        click.echo(f"no page was made: {type(error).__name__}: {error}", err=True)
        return None
    with contextlib.suppress(OSError):
        if (folder / "index.html").exists():
            return folder / "index.html"
    return None
