# SPDX-License-Identifier: BSD-3-Clause
"""Commands about bugs: ``check`` and ``bugs``."""

from __future__ import annotations

import sys

import click

from pynvme.address import is_private
from pynvme.cli import errors, options
from pynvme.suite import AREAS


def confirm(address: str, yes: bool, what: str) -> None:
    """Ask before data are lost, unless the drive is a private virtual SSD."""
    if not (is_private(address) or yes):
        click.confirm(f"This {what} the drive {address}. Go on?", abort=True, err=True)


@click.command(epilog="Example: pynvme check 01:00.0 --yes --time 2h")
@options.pciaddr
@click.option(
    "--area", "areas", multiple=True, metavar="AREA", type=click.Choice(list(AREAS)), help="Only this area."
)
@click.option("--time", metavar="TIME", help="How long all tests take, such as 10m (about 90s).")
@click.option("--seed", type=int, help="Repeat the random numbers of an earlier run.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write a line of JSON for each test.")
@click.option("--nvme-report", "page", metavar="DIR", help="Write a report as a page, JUnit XML and more.")
@click.option(
    "--nvme-pcapng", "capture", metavar="FILE", help="Write all commands as a capture for Wireshark."
)
@click.option("--known", type=click.Path(exists=True, dir_okay=False), help="Expect the findings of a file.")
@click.option("--shrink", metavar="TIME", help="Search so long for a short script (20s), or 0.")
@click.option("--keep-power", is_flag=True, help="Never switch the power of the drive.")
@click.option("--yes", is_flag=True, help="Overwrite the drive without asking.")
@options.words("[ADDRESS] [TEST]...")
def check(
    pciaddr: str | None,
    areas: tuple[str, ...],
    time: str | None,
    seed: int | None,
    report: str | None,
    page: str | None,
    capture: str | None,
    known: str | None,
    shrink: str | None,
    keep_power: bool,
    yes: bool,
    words: tuple[str, ...],
) -> None:
    """Look for bugs of a drive.

    TEST is the name of a test (docs/suite.md), by default all. The tests erase the drive, reset it and switch
    its power. Unless it is a private virtual SSD, the command asks first. The exit code is 1 if there is a
    finding.
    """
    address, tests = options.drive_of(pciaddr, words, most=len(words))
    confirm(address, yes, "overwrites, formats and erases")
    runner = errors.load("pynvme.suite.check")
    wanted = areas or tuple(AREAS)
    sys.exit(runner.run(address, wanted, time, seed, report, known, tests, shrink, page, keep_power, capture))


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from pynvme.bugs import BUGS

    return [name for name in BUGS if name.startswith(incomplete)]


@click.command(epilog="Example: pynvme bugs flush-does-nothing")
@click.argument("name", required=False, shell_complete=_names)
@options.as_json
def bugs(name: str | None, as_json: bool) -> None:
    """List the bugs that a virtual SSD can have, or explain one.

    NAME is the name or the number of a bug. "pynvme vssd --bug NAME" starts a virtual SSD that has it, and
    "vssd:bug=NAME" is the address of one.
    """
    from pynvme.bugs import listing

    click.echo(listing.text(name, as_json))
