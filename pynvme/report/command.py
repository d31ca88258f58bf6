# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme report`` works with the reports that ``pytest --nvme-report`` writes."""

from __future__ import annotations

import json
import sys

import click


@click.group(epilog="Example: pynvme report diff before after")
def report() -> None:
    """Work with reports of test runs.

    "pytest --nvme-report=DIR" writes a report into the folder DIR.
    """


@report.command()
@click.argument("before", metavar="A", type=click.Path(exists=True))
@click.argument("after", metavar="B", type=click.Path(exists=True))
@click.option(
    "--threshold",
    default=10.0,
    show_default=True,
    metavar="PERCENT",
    help="List what is slower or faster by more than this.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def diff(before: str, after: str, threshold: float, as_json: bool) -> None:
    """Compare two runs: what newly fails, what is fixed, what got slower.

    A and B are the folders of two reports, the older one first. The exit code is 1 if a test newly fails or
    something got slower.

    \b
    Example:
      pynvme report diff reports/fw-1.0 reports/fw-1.1
    """
    from pynvme.report import difference
    from pynvme.report.run import read

    try:
        found = difference.compare(read(before), read(after), threshold / 100)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        click.echo("\n".join(difference.lines(found)))
    sys.exit(1 if found.worse else 0)
