# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme bench`` measures a drive by six workloads, without verification."""

from __future__ import annotations

from typing import Any, NamedTuple

import click
import nvme

from pynvme import lba_format
from pynvme.cli.drive import warnings_as_lines

REGION_BYTES = 1 << 30
"""How much of the drive the workloads use, at most. Of a smaller drive, they use half."""


class Workload(NamedTuple):
    """A workload, with `depth` IOs in flight."""

    name: str
    io_bytes: int
    random: bool
    reads: bool
    depth: int


WORKLOADS = (
    Workload("sequential write 128 KiB", 128 << 10, False, False, 32),
    Workload("sequential read 128 KiB", 128 << 10, False, True, 32),
    Workload("random write 4 KiB", 4096, True, False, 32),
    Workload("random read 4 KiB", 4096, True, True, 32),
    Workload("random write 4 KiB, depth 1", 4096, True, False, 1),
    Workload("random read 4 KiB, depth 1", 4096, True, True, 1),
)
PERCENTILES = (50, 99, 99.9)


def run(address: str, seconds: int, read_only: bool) -> list[dict[str, Any]]:
    """Measure the drive at this address. Each workload runs for so many seconds."""
    pcie = nvme.Pcie(address)
    try:
        with warnings_as_lines():
            nvme0 = nvme.Controller(pcie)
            nvme0n1 = nvme.Namespace(nvme0)
            nvme0n1.verify_enable(False)
            chosen = [one for one in WORKLOADS if one.reads or not read_only]
            return [_measure(nvme0, nvme0n1, one, seconds) for one in chosen]
    finally:
        pcie.close()


def _measure(
    nvme0: nvme.Controller, nvme0n1: nvme.Namespace, workload: Workload, seconds: int
) -> dict[str, Any]:
    lba_bytes = lba_format.size_in_use(nvme0n1.id_ns)
    io_bytes = max(lba_bytes, min(workload.io_bytes, nvme0.mdts or workload.io_bytes))
    blocks = io_bytes // lba_bytes
    region = min(REGION_BYTES // lba_bytes, nvme0n1.id_ns.nsze // 2) // blocks * blocks
    latency: dict[float, Any] = dict.fromkeys(PERCENTILES)
    worker = nvme0n1.ioworker(
        io_size=blocks,
        lba_align=blocks,
        lba_random=workload.random,
        read_percentage=100 if workload.reads else 0,
        region_end=region,
        qdepth=workload.depth + 1,
        time=seconds,
        output_percentile_latency=latency,
    )
    with worker:
        result = worker.close()
    ios = result.io_count_read + result.io_count_nonread
    took = result.mseconds / 1000
    return {
        "workload": workload.name,
        "io_bytes": io_bytes,
        "ios_in_flight": workload.depth,
        "ios": ios,
        "seconds": took,
        "iops": ios / took if took else 0.0,
        "bytes_per_second": ios * io_bytes / took if took else 0.0,
        "latency_us": {
            "mean": float(result.latency_average_us),
            **{f"p{percent:g}": float(latency[percent] or 0) for percent in PERCENTILES},
            "max": float(result.latency_max_us),
        },
        "error": int(result.error),
    }


def lines(results: list[dict[str, Any]]) -> list[str]:
    """The results as a table."""
    said = [f"{'workload':<28}{'IOPS':>10}{'MB/s':>9}{'mean us':>10}{'p99 us':>10}{'p99.9 us':>10}"]
    for one in results:
        latency = one["latency_us"]
        said.append(
            f"{one['workload']:<28}{one['iops']:>10,.0f}{one['bytes_per_second'] / 1e6:>9,.0f}"
            f"{latency['mean']:>10,.1f}{latency['p99']:>10,.1f}{latency['p99.9']:>10,.1f}"
        )
        if one["error"]:
            said.append(click.style(f"  it ended with error {one['error']}", fg="red"))
    return said
