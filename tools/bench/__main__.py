# SPDX-License-Identifier: BSD-3-Clause
"""The command line of ``make bench``, or ``python -m tools.bench`` in a checkout."""

from __future__ import annotations

import os
import signal
import sys

import click

from pynvme import loading


def _may_write(context: click.Context, option: click.Parameter, path: str | None) -> str | None:
    """Refuse a file that cannot be written, before minutes of measuring."""
    folder = os.path.dirname(os.path.abspath(path)) if path else ""
    if path and not os.path.exists(path) and not os.access(folder, os.W_OK):
        raise click.BadParameter(f"the folder {folder} is missing or not writable")
    return path


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True),
    callback=_may_write,
    help="Also write the figures to this file, as JSON.",
)
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(dir_okay=False, writable=True),
    callback=_may_write,
    help="Also write the tables to this file, as Markdown.",
)
@click.option(
    "--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Runs for each figure."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.05),
    help="Length of each run of a worker (default: 0.5; 0.3 with --quick).",
)
@click.option("--quick", is_flag=True, help="Only the figures with a mark, which is a value to reach.")
@click.option(
    "--only",
    default="",
    metavar="PATTERN",
    help="Only figures with this name, prefix or pattern, such as read.4k, python, '*.ratio'",
)
def main(
    json_file: str | None, markdown_file: str | None, runs: int, seconds: float | None, quick: bool, only: str
) -> None:
    """Measure the driver on a virtual SSD: IO workers, commands from Python, opening, memory.

    All figures take some ten minutes, --quick three. The JSON file has the names of all figures.
    """
    try:
        from tools import bench
        from tools.bench.session import Plan
    except ImportError as error:
        raise click.ClickException(loading.why(error)) from error
    try:
        code = bench.run(Plan.usual(runs, seconds, quick, only), json_file, markdown_file)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # while the virtual SSD ends
        click.echo("\ninterrupted", err=True)
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main(prog_name="python -m tools.bench")
