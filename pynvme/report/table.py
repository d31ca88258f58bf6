# SPDX-License-Identifier: BSD-3-Clause
"""All results as Parquet, one row a test and one a worker, for pandas, DuckDB and dashboards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pynvme.report.run import Run, Test, Worker

LABELS = ("requirement", "clause", "model", "serial", "firmware")
PERCENTILES = ("50", "90", "99", "99.9", "99.99")


def rows(run: Run) -> list[dict[str, Any]]:
    """The rows. A row of a worker has the columns of its test, too."""
    found = []
    for test in run.tests:
        base = _test(run, test)
        found.append({**base, "kind": "test"})
        found += [{**base, "kind": "worker", **_worker(worker)} for worker in test.workers]
    return found


def _test(run: Run, test: Test) -> dict[str, Any]:
    labels = run.labels(test)
    return {
        "nodeid": test.nodeid,
        "outcome": test.outcome,
        "start": round(test.start * 1e6),
        "seconds": test.seconds,
        "message": test.message,
        "pynvme": run.environment.get("pynvme", ""),
        **{name: labels[name] for name in LABELS},
        "seed": test.seed,
    }


def _worker(worker: Worker) -> dict[str, Any]:
    result = worker.result
    ios = result.get("io_count_read", 0) + result.get("io_count_nonread", 0)
    seconds = result.get("mseconds", 0) / 1e3
    return {
        "worker": worker.title,
        "ios": ios,
        "iops": ios / seconds if seconds else 0.0,
        "worker_seconds": seconds,
        "latency_mean_us": float(result.get("latency_average_us", 0)),
        "latency_max_us": float(result.get("latency_max_us", 0)),
        "lba_mismatch": result.get("lba_mismatch", 0),
        "error": result.get("error", 0),
        **{f"p{name}_us": worker.percentiles_us.get(name) for name in PERCENTILES},
    }


def write(run: Run, path: Path) -> None:
    """Write the file.

    Raises:
        ImportError: pyarrow is not installed
    """
    import pyarrow
    from pyarrow import parquet

    texts = ("kind", "nodeid", "outcome", "message", *LABELS, "pynvme", "worker")
    counts = ("seed", "ios", "lba_mismatch", "error")
    percentiles = (f"p{name}_us" for name in PERCENTILES)
    numbers = ("seconds", "iops", "worker_seconds", "latency_mean_us", "latency_max_us", *percentiles)
    columns = {
        "start": pyarrow.timestamp("us", tz="UTC"),
        **dict.fromkeys(texts, pyarrow.string()),
        **dict.fromkeys(counts, pyarrow.int64()),
        **dict.fromkeys(numbers, pyarrow.float64()),
    }
    table = pyarrow.Table.from_pylist(rows(run), schema=pyarrow.schema(list(columns.items())))
    parquet.write_table(table, path)
