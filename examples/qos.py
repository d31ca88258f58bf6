# SPDX-License-Identifier: BSD-3-Clause
"""QoS: what a load does to the latency of reads that come at a constant rate."""

from __future__ import annotations

import nvme as d

from pynvme import example

PERCENTILES = (50, 99, 99.9, 99.99)


def reads(nvme0n1: d.Namespace, seconds: float, iops: float, region: int) -> d.IOWorker:
    """A worker with reads of 4 KiB at a constant rate, as an application has them."""
    page = max(1, 4096 // nvme0n1.lba_size)
    return nvme0n1.ioworker(
        io_size=page, lba_align=page, iops=iops, qdepth=33, time=seconds, region_end=region, progress=True
    ).start()


def run(
    address: str = "vssd", seconds: float = 20, iops: float = 5000, picture: str = ""
) -> dict[str, list[float]]:
    """Read at a constant rate, alone and beside writes of 128 KiB, and compare the latency.

    PICTURE is a file, .svg or .png, for the comparison. It needs matplotlib (pip install matplotlib).
    """
    nvme0n1 = d.Namespace(d.Controller(address))
    half = nvme0n1.id_ns.nsze // 2
    large = (128 << 10) // nvme0n1.lba_size
    alone = reads(nvme0n1, seconds, iops, half).close()
    writer = nvme0n1.ioworker(
        io_size=large,
        lba_random=False,
        read_percentage=0,
        qdepth=33,
        region_start=half,
        region_end=2 * half,
        time=seconds,
    )
    with writer:
        beside = reads(nvme0n1, seconds, iops, half).close()
    found = {"alone": alone.samples.total(PERCENTILES), "beside writes": beside.samples.total(PERCENTILES)}
    print(f"{'latency, us':<16}" + "".join(f"{share:>10} %" for share in PERCENTILES))
    for name, values in found.items():
        print(f"{name:<16}" + "".join(f"{us:>12,.0f}" for us in values))
    if picture:
        from pynvme import plot

        plot.compare({"alone": alone, "beside writes": beside}, f"{iops:g} reads per second").save(picture)
    return found


if __name__ == "__main__":
    example.main(run)
