# SPDX-License-Identifier: BSD-3-Clause
"""SNIA's Performance Test Specification: IOPS and latency in the steady state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import nvme as d

from pynvme import example

WINDOW = 5
"""The rounds in which the drive has to be steady."""
ROUNDS = 25
"""The most rounds."""
READS = (100, 95, 65, 50, 35, 5, 0)
"""Percentages of reads of the IOPS test."""
SIZES = (1 << 20, 128 << 10, 64 << 10, 32 << 10, 16 << 10, 8 << 10, 4 << 10, 512)


def is_steady(values: Sequence[float]) -> bool:
    """Whether the last five values are within 20 % of each other, and their trend within 10 % (PTS, 3.1)."""
    last = values[-WINDOW:]
    if len(last) < WINDOW:
        return False
    mean = sum(last) / WINDOW
    middle = (WINDOW - 1) / 2
    slope = sum((x - middle) * (y - mean) for x, y in enumerate(last)) / sum(
        (x - middle) ** 2 for x in range(WINDOW)
    )
    return max(last) - min(last) <= 0.2 * mean and abs(slope) * (WINDOW - 1) <= 0.1 * mean


def precondition(nvme0n1: d.Namespace, end: int) -> None:
    """Write twice, in order, with 128 KiB."""
    for _ in range(2):
        lbas = (128 << 10) // nvme0n1.lba_size
        nvme0n1.ioworker(
            io_size=lbas, lba_random=False, read_percentage=0, region_end=end, qdepth=33
        ).start().close()


def measure(
    nvme0n1: d.Namespace, end: int, size: int, reads: int, seconds: float, qdepth: int
) -> dict[str, float]:
    """IOPS, and mean, 99.9 % and largest latency in us, of one mix."""
    latency: dict[float, int | None] = {99.9: None}
    lbas = max(1, size // nvme0n1.lba_size)
    result = (
        nvme0n1.ioworker(
            io_size=lbas,
            lba_align=lbas,
            read_percentage=reads,
            region_end=end,
            qdepth=qdepth,
            time=seconds,
            output_percentile_latency=latency,
        )
        .start()
        .close()
    )
    ios = result.io_count_read + result.io_count_nonread
    return {
        "iops": ios / result.mseconds * 1000,
        "mean": result.latency_average_us,
        "p99.9": float(latency[99.9] or 0),
        "max": float(result.latency_max_us),
    }


def until_steady(
    nvme0n1: d.Namespace,
    end: int,
    points: Iterable[tuple[int, int]],
    seconds: float,
    qdepth: int,
    judged: str,
    rounds: int,
) -> tuple[list[dict[tuple[int, int], dict[str, float]]], bool]:
    """Measure all points in rounds, until the last one, 4 KiB writes, is steady in one of its figures."""
    wanted = list(points)
    found: list[dict[tuple[int, int], dict[str, float]]] = []
    history: list[float] = []
    while len(found) < rounds and not is_steady(history):
        one = {(size, reads): measure(nvme0n1, end, size, reads, seconds, qdepth) for size, reads in wanted}
        found.append(one)
        history.append(one[wanted[-1]][judged])
    return found, is_steady(history)


def run(
    address: str = "vssd", seconds: float = 60, share: float = 100, rounds: int = ROUNDS, sizes: str = ""
) -> dict[str, bool]:
    """Measure IOPS and latency as SNIA's PTS does: purge, precondition, and rounds until the drive is steady.

    SECONDS is the length of one point of one round. SHARE is the percentage of the LBAs that is used, and
    SIZES are the bytes of the IOs, such as 4096,512, by default those of the PTS.
    """
    nvme0n1 = d.Namespace(d.Controller(address))
    nvme0n1.format(nvme0n1.lba_size, ses=1)
    end = max(1, int(nvme0n1.id_ns.nsze * share / 100))
    wanted = [int(size) for size in sizes.split(",")] if sizes else list(SIZES)
    precondition(nvme0n1, end)
    steady = {}
    points = [(size, reads) for reads in READS for size in wanted if size != 4096] + [
        (4096, r) for r in READS
    ]
    for name, mixes, qdepth, judged in (
        ("IOPS", points, 33, "iops"),
        ("latency", [(size, reads) for size in (8192, 512, 4096) for reads in (100, 65, 0)], 2, "mean"),
    ):
        mixes = [point for point in mixes if point[0] in wanted or point == (4096, 0)]
        found, steady[name] = until_steady(nvme0n1, end, mixes, seconds, qdepth, judged, rounds)
        print(f"{name}: {'steady' if steady[name] else 'not steady'} after {len(found)} rounds")
        last = found[-WINDOW:]
        for size, reads in mixes:
            mean = {
                key: sum(one[size, reads][key] for one in last) / len(last) for key in found[0][size, reads]
            }
            figures = ", ".join(f"{key} {value:,.0f}" for key, value in mean.items())
            print(f"  {size:>8} bytes, {reads:>3} % reads: {figures}")
    return steady


if __name__ == "__main__":
    example.main(run)
