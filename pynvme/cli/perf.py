# SPDX-License-Identifier: BSD-3-Clause
"""The command ``perf``: one workload in fio's words."""

from __future__ import annotations

import functools
import sys
from typing import Any

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened
from pynvme.cli.suite import confirm


class _Words(click.Command):
    """Takes --rate_iops for --rate-iops, as fio does."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        more.setdefault("token_normalize_func", lambda word: word.replace("_", "-"))
        return super().make_context(*args, **more)


_of_zones = functools.partial(click.option, hidden=True)  # the page zones.md has them: the help is a screen
_of_metadata = _of_zones  # and metadata.md these


@click.command(cls=_Words, epilog="Example: pynvme perf --rw=randrw --bs=4k --iodepth=32 --verify")
@options.pciaddr
@click.option("--rw", default="randread", metavar="KIND", help="read, write, trim, rw, rand… (randread).")
@click.option("--rwmixread", metavar="PERCENT", type=click.IntRange(0, 100), default=50, help="Reads (50).")
@click.option("--bs", default="4k", metavar="SIZE", help="Bytes of an IO (4k).")
@click.option("--iodepth", metavar="N", type=click.IntRange(1, 1023), default=1, help="IOs in flight (1).")
@click.option("--runtime", default="10", metavar="TIME", help="10, 500ms, 5m … (10 s).")
@click.option("--size", default="0", metavar="SIZE", help="Use only the first bytes: 1g.")
@click.option("--rate-iops", metavar="IOPS", type=float, default=0, help="Most IOs a second.")
@click.option("--random-distribution", default="random", metavar="X", help="zipf:THETA or pareto:H.")
@click.option("--verify", is_flag=True, help="Check the data of every read.")
@click.option(
    "--max-latency", default="0", metavar="TIME", help="End at an IO that takes longer: 500us, 2ms."
)
@click.option(
    "--steadystate", metavar="S", type=click.IntRange(0), default=0, help="End by SNIA's rule, rounds of S s."
)
@click.option(
    "--latency-target", default="0", metavar="TIME", help="Find the highest depth at which 99 % hold it."
)
@_of_zones("--zonemode", type=click.Choice(["none", "zbd"]), default="none")
@_of_zones("--zone-append", type=click.IntRange(0, 100), default=0)
@_of_zones("--max-open-zones", type=click.IntRange(0), default=0)
@_of_zones("--zone-reset-threshold", type=click.FloatRange(0, 1), default=0)
@_of_zones("--zone-reset-frequency", type=click.FloatRange(0, 1), default=0)
@_of_zones("--read-beyond-wp", is_flag=True)
@_of_zones("--zoneskip", default="0")
@_of_metadata("--pi-act", type=click.IntRange(0, 1))
@_of_metadata("--pi-chk")
@_of_metadata("--apptag", type=options.Number(16), default=0x1234)
@_of_metadata("--apptag-mask", type=options.Number(16), default=0xFFFF)
@_of_metadata("--md-per-io-size", default="0")
@click.option("--yes", is_flag=True, help="Overwrite data of the drive without asking.")
@options.as_json
@options.words("[ADDRESS]")
def perf(pciaddr: str | None, yes: bool, as_json: bool, words: tuple[str, ...], **given: Any) -> None:
    """Run a workload in fio's words, zonemode=zbd too, and print fio's summary."""
    address, _ = options.drive_of(pciaddr, words)
    module = errors.load("pynvme.perf")
    if given["rw"] not in module.KINDS:
        raise click.UsageError(f"--rw is one of {', '.join(module.KINDS)}, not {given['rw']}")
    workload = module.Workload(
        **{
            **given,
            "bs": module.size_of(given["bs"]),
            "size": module.size_of(given["size"]),
            "zoneskip": module.size_of(given["zoneskip"]),
            "md_per_io_size": module.size_of(given["md_per_io_size"]),
            "runtime": module.seconds_of(given["runtime"]),
            "max_latency": module.seconds_of(given["max_latency"], "us") * 1e6,
            "latency_target": module.seconds_of(given["latency_target"], "us") * 1e6,
        }
    )
    if module.changes_data(workload):
        confirm(address, yes, "overwrites data of")
    with opened(address) as nvme0:
        driver = errors.load("nvme")
        namespace = driver.Namespace(nvme0)
        try:
            record = module.run(namespace, workload, not as_json)
        except AssertionError as error:
            raise click.UsageError(str(error)) from None
    if as_json:
        output.json({"address": address, **record})
    else:
        click.echo("\n".join(module.lines(record)))
    if record["error"]:
        sys.exit(1)
