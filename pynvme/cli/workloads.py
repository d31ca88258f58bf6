# SPDX-License-Identifier: BSD-3-Clause
"""Commands that run fixed workloads: ``run`` and ``bench``."""

from __future__ import annotations

import sys

import click

from pynvme.address import is_private
from pynvme.cli import errors, options, output
from pynvme.cli.suite import confirm


@click.command(epilog="Example: pynvme run 01:00.0 --seconds 30")
@options.pciaddr
@click.option(
    "--seconds", type=click.IntRange(min=3), default=15, show_default=True, help="How long the workloads run."
)
@click.option("--yes", is_flag=True, help="Overwrite data of the drive without asking.")
@options.words("[ADDRESS]")
def run(pciaddr: str | None, seconds: int, yes: bool, words: tuple[str, ...]) -> None:
    """Describe a drive and run verified workloads on it.

    The workloads overwrite data of the drive. Unless it is a private virtual SSD, the command asks first.
    """
    address, _ = options.drive_of(pciaddr, words)
    private = is_private(address)
    confirm(address, yes, "overwrites data at the beginning of")
    demo = errors.load("pynvme.demo")
    sys.exit(demo.run(address, seconds, private))


@click.command(epilog="Example: pynvme bench 01:00.0 --yes --json > bench.json")
@options.pciaddr
@click.option(
    "--seconds", type=click.IntRange(min=1), default=5, show_default=True, help="How long each workload runs."
)
@click.option("--read-only", is_flag=True, help="Only the workloads that read, of what is on the drive.")
@click.option("--yes", is_flag=True, help="Overwrite data of the drive without asking.")
@options.as_json
@options.words("[ADDRESS]")
def bench(
    pciaddr: str | None, seconds: int, read_only: bool, yes: bool, as_json: bool, words: tuple[str, ...]
) -> None:
    """Measure how fast a drive is.

    The workloads are sequential reads and writes of 128 KiB with 32 IOs in flight, and random ones of 4 KiB
    with 32 IOs and with 1 IO in flight. Data are not verified. Writes overwrite the beginning of the drive.
    Unless it is a private virtual SSD, the command asks first. In a checkout, "make bench" measures pynvme
    itself.
    """
    address, _ = options.drive_of(pciaddr, words)
    if not read_only:
        confirm(address, yes, "overwrites data at the beginning of")
    measure = errors.load("pynvme.bench")
    results = measure.run(address, seconds, read_only)
    if as_json:
        output.json({"address": address, "workloads": results})
    else:
        click.echo("\n".join(measure.lines(results)))
    sys.exit(1 if any(one["error"] for one in results) else 0)
