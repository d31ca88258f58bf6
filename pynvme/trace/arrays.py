# SPDX-License-Identifier: BSD-3-Clause
"""A command log as a table: an array of numpy, a DataFrame of pandas, a table of Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy

from pynvme.loading import install

if TYPE_CHECKING:
    from pynvme.trace.log import CommandLog

COLUMNS = (
    ("submitted_ns", "<i8"),
    ("latency_ns", "<i8"),
    ("number", "<i8"),
    ("slba", "<u8"),
    ("nsid", "<u4"),
    ("lbas", "<u4"),
    ("cdw0", "<u4"),
    ("cdw10", "<u4"),
    ("cdw11", "<u4"),
    ("cdw12", "<u4"),
    ("cdw13", "<u4"),
    ("cdw14", "<u4"),
    ("cdw15", "<u4"),
    ("qid", "<u2"),
    ("cid", "<u2"),
    ("status", "<i2"),
    ("opcode", "u1"),
    ("faults", "u1"),
)
"""Name and type of each column. cdw0 is that of the completion."""

DTYPE = numpy.dtype(list(COLUMNS))


def table(log: CommandLog) -> numpy.ndarray[Any, Any]:
    """A row for each command. CommandLog.to_numpy() has the documentation."""
    rows = []
    for c in log:
        sqe = c.sqe
        rows.append(
            (
                c.submitted_ns,
                -1 if c.latency_ns is None else c.latency_ns,
                c.number,
                c.slba or 0,
                c.nsid,
                c.lbas or 0,
                c.cdw0 or 0,
                *(getattr(sqe, f"cdw{i}") for i in range(10, 16)),
                c.qid,
                c.cid,
                -1 if c.status is None else c.status,
                c.opcode,
                min(len(c.faults), 255),
            )
        )
    return numpy.array(rows, dtype=DTYPE)


def named(log: CommandLog) -> dict[str, Any]:
    """The columns of the table by name, and the names of commands and statuses."""
    found = table(log)
    columns: dict[str, Any] = {name: found[name] for name, _ in COLUMNS}
    columns["name"] = [c.name for c in log]
    columns["status_name"] = [c.status_name for c in log]
    return columns


def frame(log: CommandLog) -> Any:
    """A DataFrame of pandas. CommandLog.to_pandas() has the documentation."""
    import importlib

    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise ImportError("to_pandas() needs pandas, which is not installed: pip install pandas") from error
    found = pandas.DataFrame(named(log))
    found["submitted"] = pandas.to_datetime(found["submitted_ns"], unit="ns", utc=True)
    return found


def arrow(log: CommandLog) -> Any:
    """A table of Arrow."""
    import importlib

    try:
        pyarrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ImportError(
            f"a .parquet file needs pyarrow, which is not installed: {install('pyarrow')}. "
            "A .npy file has the same table and needs nothing"
        ) from error
    return pyarrow.table(named(log))
