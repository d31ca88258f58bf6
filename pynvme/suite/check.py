# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme check`` runs the suite by pytest, without the settings of the current folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pynvme.report.plugin import OPTION as REPORT
from pynvme.suite import options
from pynvme.trace.option import OPTION as CAPTURE

FOLDER = Path(__file__).parent


def arguments(
    address: str,
    areas: Sequence[str],
    time: str | None = None,
    seed: int | None = None,
    report: str | None = None,
    known: str | None = None,
    tests: Sequence[str] = (),
    shrink: str | None = None,
    page: str | None = None,
    keep_power: bool = False,
    capture: str | None = None,
) -> list[str]:
    """The words for pytest that run the tests of these areas on a drive.

    Args:
        address: of the drive, whose data may be lost
        areas: names of :data:`pynvme.suite.AREAS`
        time: how long all tests take together
        seed: of the random numbers
        report: a file that gets a line of JSON for each test
        known: a file of findings that are no news (:mod:`pynvme.suite.known`)
        tests: names of tests, or parts of names, if not all are wanted
        shrink: how long the search for a short script that shows a finding may take
        page: a folder that gets a report as a page, JUnit XML and more (docs/how-to/report.md)
        keep_power: never switch the power of the drive
        capture: a .pcapng file that gets all commands of all queues, for Wireshark
    """
    line = ["-c", os.devnull, f"--rootdir={FOLDER}", "-p", "pynvme.plugin", "-p", "no:cacheprovider"]
    line += ["-v", "-rsx", "--no-header", "--disable-warnings"]
    line += [f"--pciaddr={address}", options.YES]
    given = {
        options.TIME: time,
        options.SEED: seed,
        options.REPORT: report,
        options.KNOWN: known,
        options.SHRINK: shrink,
        REPORT: page,
        CAPTURE: capture,
    }
    for option, value in given.items():
        if value is not None:
            line.append(f"{option}={value}")
    if keep_power:
        line.append(options.KEEP_POWER)
    if tests:
        line += ["-k", " or ".join(tests)]
    return [*line, *(str(FOLDER / f"test_{area}.py") for area in areas)]


def run(address: str, areas: Sequence[str], *more: Any, **named: Any) -> int:
    """Run the tests of these areas on a drive. Returns the exit code.

    They need none of the plugins that happen to be installed, of which some take a second to import.

    Args:
        address: of the drive, whose data may be lost
        areas: names of :data:`pynvme.suite.AREAS`
        more: the other arguments of :func:`arguments`
        named: the same by their names
    """
    os.environ.setdefault("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return int(pytest.main(arguments(address, areas, *more, **named)))
