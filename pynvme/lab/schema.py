# SPDX-License-Identifier: BSD-3-Clause
"""The tables of a campaign's results: their columns, and the version of this layout.

Each table is a Parquet file in the folder ``results`` of a campaign. The metadata of each file hold the
version under the key ``pynvme.lab``. A column can be added without a new version. The version rises if a
column is renamed or removed or changes its meaning, and if findings get other signatures.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pynvme.loading import install
from pynvme.structure import Elements, Field

if TYPE_CHECKING:
    import pyarrow

VERSION = 1
KEY = b"pynvme.lab"
FOLDER = "results"
"""The folder of the tables, in the folder of a campaign."""

TEXT, COUNT, NUMBER, TIME, FLAG = "text", "count", "number", "time", "flag"


class Column(NamedTuple):
    """A column of a table: its name, its type, and its meaning with the unit."""

    name: str
    kind: str
    text: str


class Place(NamedTuple):
    """A number in a log page that becomes a column: its name, its first byte, its bytes, and its meaning."""

    name: str
    offset: int
    size: int
    text: str


@cache
def smart_places() -> tuple[Place, ...]:
    """The numbers of the SMART / Health log."""
    from pynvme.spec import SmartLog

    found = []
    for name, field in SmartLog.FIELDS.items():
        text = field.text + (f", {field.unit}" if field.unit else "")
        if isinstance(field, Elements):
            size = field.item.size
            found += [
                Place(f"{name}{index + 1}", field.offset + index * size, size, text)
                for index in range(field.count or 0)
            ]
        elif isinstance(field, Field):
            found.append(Place(name, field.offset, field.item.size, text))
    return tuple(found)


_JOB = (
    Column("campaign", TEXT, "the folder of the campaign, without its path"),
    Column("job", TEXT, "the identifier of the job"),
)
_DRIVE = (
    Column("drive", TEXT, "the serial number, or the host and the address"),
    Column("model", TEXT, "the model number"),
    Column("serial", TEXT, "the serial number"),
    Column("firmware", TEXT, "the firmware revision at the begin of the job"),
)
_TESTED = (
    Column("nodeid", TEXT, "the test as pytest names it"),
    Column("file", TEXT, "its file"),
    Column("name", TEXT, "its name in the file, with the parameters"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "jobs": (
        *_JOB,
        Column("task", TEXT, "the task of the plan"),
        Column("drive_group", TEXT, "the group of drives of the plan"),
        *_DRIVE,
        Column("host", TEXT, "the host that ran it"),
        Column("seed", COUNT, "the seed of its random numbers"),
        Column("repeat", COUNT, "which repeat it was, from 1 on"),
        Column("attempt", COUNT, "the attempt that counts, from 1 on"),
        Column("outcome", TEXT, "passed, failed, error, time-out, interrupted, lost, or unfinished"),
        Column("start", TIME, "when the attempt began"),
        Column("seconds", NUMBER, "how long it took, s"),
        Column("lost", COUNT, "attempts that were lost, since the worker, the link or the process died"),
        Column("lost_seconds", NUMBER, "how long the lost attempts took, s"),
        Column("tests", COUNT, "tests that ran or were skipped"),
        Column("failed", COUNT, "tests that failed"),
        Column("findings", COUNT, "rows of the table findings"),
        Column("message", TEXT, "what is known of a job that did not pass"),
    ),
    "tests": (
        *_JOB,
        Column("task", TEXT, "the task of the plan"),
        *_DRIVE,
        Column("host", TEXT, "the host that ran it"),
        Column("seed", COUNT, "the seed of its random numbers"),
        Column("repeat", COUNT, "which repeat it was, from 1 on"),
        *_TESTED,
        Column("requirement", TEXT, "the requirement that it judges"),
        Column("clause", TEXT, "the section of the specification"),
        Column("outcome", TEXT, "passed, failed, error, skipped, xfailed, or xpassed"),
        Column("bad", FLAG, "whether it failed"),
        Column("start", TIME, "when it began"),
        Column("seconds", NUMBER, "how long it took, s"),
        Column("message", TEXT, "the first line of a failure, or why it was skipped"),
    ),
    "findings": (
        *_JOB,
        *_TESTED,
        Column("kind", TEXT, "finding, exception, or job: a job that ended without the result of a test"),
        Column("signature", TEXT, "what findings of one bug have in common"),
        Column("clause", TEXT, "the section of the specification"),
        Column("command", TEXT, "the command"),
        Column("field", TEXT, "the field, or what was expected, without numbers"),
        Column("place", TEXT, "the function that judged"),
        Column("expected", TEXT, "what the specification demands"),
        Column("seen", TEXT, "what the drive did"),
        *_DRIVE,
        Column("host", TEXT, "the host that ran it"),
        Column("seed", COUNT, "the seed of its random numbers"),
        Column("reproduced", TEXT, "whether and where the script shows it"),
        Column("script", TEXT, "a short script that sends the same commands"),
        Column("commands", TEXT, "the commands around it, one in a line"),
        Column("again", TEXT, "the line of a shell that runs the test again"),
        Column("path", TEXT, "the folder that the job left, in that of the campaign"),
    ),
    "intervals": (
        *_JOB,
        *_TESTED[:1],
        Column("worker", TEXT, "the title of the IO worker"),
        Column("number", COUNT, "which worker of the test it was, from 1 on"),
        Column("time", NUMBER, "since its start, s"),
        Column("iops", NUMBER, "IOs per second"),
        Column("bandwidth", NUMBER, "bytes per second"),
        Column("p50_us", NUMBER, "the median of the latency, us"),
        Column("p99_us", NUMBER, "the 99th percentile of the latency, us"),
    ),
    "smart": (
        *_JOB,
        *_DRIVE,
        Column("taken", TEXT, "before or after the job"),
        *(Column(place.name, COUNT, place.text) for place in smart_places()),
    ),
    "drives": (
        _JOB[0],
        *_DRIVE,
        Column("drive_group", TEXT, "the group of drives of the plan"),
        Column("host", TEXT, "the host that it is in"),
        Column("address", TEXT, "its address there"),
        Column("tags", TEXT, "its tags, separated by blanks"),
        Column("aside", TEXT, "why the campaign has set it aside, or empty"),
    ),
}


@cache
def arrow(table: str) -> pyarrow.Schema:
    """The schema of a table, with the version in its metadata."""
    pyarrow = library("pyarrow")
    kinds = {
        TEXT: pyarrow.string(),
        COUNT: pyarrow.int64(),
        NUMBER: pyarrow.float64(),
        TIME: pyarrow.timestamp("us", tz="UTC"),
        FLAG: pyarrow.bool_(),
    }
    columns = [pyarrow.field(column.name, kinds[column.kind]) for column in TABLES[table]]
    return pyarrow.schema(columns, metadata={KEY: str(VERSION).encode()})


def version(path: Path) -> int:
    """The version of a file's layout.

    Raises:
        ValueError: the file is no table of results, or its version is newer than this pynvme
    """
    pyarrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    try:
        metadata = parquet.read_schema(path).metadata or {}
        found = int(metadata[KEY])
    except (pyarrow.ArrowException, KeyError, ValueError) as error:
        told = "it has no version" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise ValueError(f"{path} is no table of a campaign's results: {told}") from None
    if found > VERSION:
        raise ValueError(
            f"{path} has version {found} of the results, and this pynvme reads up to version {VERSION}: "
            "use the pynvme that wrote it, or a newer one"
        )
    return found


def library(name: str) -> Any:
    """Import a library of the extra `lab`. RuntimeError tells how to install it."""
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise RuntimeError(f"this needs {package}: {install('pynvme[lab]')}") from None
