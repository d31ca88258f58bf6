# SPDX-License-Identifier: BSD-3-Clause
"""The command ``campaign``."""

from __future__ import annotations

import sys
from typing import Any

import click

from pynvme.cli import errors, options


@click.command(epilog="Example: pynvme campaign examples/campaign.toml")
@click.argument("plan", required=False, metavar="[PLAN.toml]", type=click.Path(dir_okay=False))
@click.option("--resume", metavar="FOLDER", help="Do what is missing in the folder of a campaign.")
@click.option("--folder", metavar="DIR", help="Its folder (default: campaign-NAME-DATE-TIME).")
@click.option("--scheduler", metavar="ADDRESS", help="Use this scheduler of Dask, such as tls://host:8786.")
@click.option("--parallel", type=click.IntRange(1), metavar="N", help="Run N virtual SSDs at once here.")
@click.option("--mixed", is_flag=True, help="Accept hosts with other versions.")
@click.option("--tls", metavar="DIR", help="The certificates, made by pynvme lab certificates.")
@click.option("--insecure", is_flag=True, help="Allow a scheduler elsewhere without TLS.")
@options.as_json
def campaign(**words: Any) -> None:
    """Run the tests of a plan on many drives.

    It runs on this machine, or where the workers of a scheduler are. docs/how-to/lab.md describes plans. The
    exit code is 1 if there is a finding or a failure, and 2 if the plan has mistakes.
    """
    if words["plan"] is None and words["resume"] is None:
        raise click.UsageError("Name a plan, or give --resume with the folder of a campaign.")
    if words["resume"] is not None and words["folder"] is not None:
        raise click.UsageError("--resume names the folder already: leave --folder out.")
    command = errors.load("pynvme.lab.command")
    sys.exit(command.run(command.Options(**words)))
