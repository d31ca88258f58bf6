# SPDX-License-Identifier: BSD-3-Clause
"""Writes all files of a report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pynvme.loading import install
from pynvme.report import ctrf, junit, page, table
from pynvme.report.environment import environment
from pynvme.report.run import Run

PAGE, JUNIT, CTRF, PARQUET = "index.html", "junit.xml", "ctrf.json", "results.parquet"


def write(run: Run, folder: Path) -> list[str]:
    """Write the files of a run. Returns lines that tell where they are, and what could not be written."""
    run.environment = run.environment or environment()
    return list(_write(run, folder))


def _write(run: Run, folder: Path) -> Iterator[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        run.write(folder)
        for name, text in ((PAGE, page.html(run)), (JUNIT, junit.xml(run)), (CTRF, ctrf.text(run))):
            replace(folder / name, text)
    except OSError as error:
        yield f"the report could not be written: {error}"
        return
    yield str(folder / PAGE)
    try:
        table.write(run, folder / PARQUET)
    except ImportError:
        (folder / PARQUET).unlink(missing_ok=True)
        yield f"{PARQUET} was not written, since pyarrow is missing: {install('pyarrow')}"
    except OSError as error:
        yield f"{PARQUET} could not be written: {error}"


def replace(path: Path, text: str) -> None:
    """Write a file as a whole, so that somebody who looks at it meanwhile sees the old one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
