# SPDX-License-Identifier: BSD-3-Clause
"""The command ``trace``: files of command logs, and traces of other tools."""

from __future__ import annotations

import sys

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened
from pynvme.cli.suite import confirm


@click.group(epilog="Example: pynvme trace convert run.trace run.pcapng")
def trace() -> None:
    """Command logs in files, as CommandLog.save() writes them, and traces of fio, blkparse and Linux."""


@trace.command(epilog="Example: pynvme trace show run.pcapng --failed")
@click.option("--failed", is_flag=True, help="Only commands that failed.")
@options.as_json
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def show(file: str, failed: bool, as_json: bool) -> None:
    """Print the commands of a .trace or .pcapng file."""
    from pynvme.trace import load

    log = load(file)
    log = log.failures if failed else log
    if as_json:
        output.json(log.to_dict())
    else:
        click.echo(repr(log))


@trace.command(epilog="Example: pynvme trace convert run.trace run.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("to", type=click.Path(dir_okay=False, writable=True))
def convert(file: str, to: str) -> None:
    """Write a .trace or .pcapng file in the format of another suffix.

    .pcapng is for Wireshark, .json for ui.perfetto.dev, .parquet and .npy are tables.
    """
    from pynvme.trace import load

    try:
        load(file).save(to)
    except ImportError as error:
        raise click.ClickException(str(error)) from None


@trace.command(epilog="Example: pynvme trace replay fio.iolog 01:00.0 --yes")
@options.pciaddr
@click.option("--speed", type=float, default=1.0, help="2 replays in half of the time (1).")
@click.option("--device", metavar="NAME", help="Only one device of the trace.")
@click.option("--iodepth", type=click.IntRange(1, 1023), default=64, help="Most IOs in flight (64).")
@click.option("--yes", is_flag=True, help="Overwrite data of the drive without asking.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@options.words("[ADDRESS]")
def replay(
    pciaddr: str | None,
    speed: float,
    device: str | None,
    iodepth: int,
    yes: bool,
    file: str,
    words: tuple[str, ...],
) -> None:
    """Send the IOs of a trace to a drive at their times.

    It takes iologs of fio, the text of blkparse, of Linux's trace event nvme_setup_cmd, and pynvme's own
    files.
    """
    from pynvme.trace import sequence

    address, _ = options.drive_of(pciaddr, words)
    confirm(address, yes, "may overwrite data of")
    driver = errors.load("nvme")
    with opened(address) as nvme0:
        namespace = driver.Namespace(nvme0)
        size = namespace.lba_size
        most = min(65536, (nvme0.mdts or 1 << 28) // size)
        nlba = namespace.id_ns.nsze
        steps = sequence(file, size, device=device, speed=speed, nlba=nlba, most=most)
        result = namespace.ioworker(io_sequence=steps, qdepth=iodepth + 1, progress=True).start().close()
    others, seconds = result.io_count_nonread, result.mseconds / 1000
    click.echo(
        f"{result.io_count_read} reads and {others} others in {seconds:.3f} s, "
        f"{result.latency_average_us:.1f} us in the mean, {result.latency_max_us} us at most"
    )
    if result.error:
        sys.exit(1)
