# SPDX-License-Identifier: BSD-3-Clause
"""JESD219: the enterprise workload, by which the endurance of SSDs is rated."""

from __future__ import annotations

import nvme as d

from pynvme import example

SHARES = {
    512: 4,
    1024: 1,
    1536: 1,
    2048: 1,
    2560: 1,
    3072: 1,
    3584: 1,
    4096: 67,
    8192: 10,
    16384: 7,
    32768: 3,
    65536: 3,
}
"""Percent of the IOs, by their bytes."""

WHERE = [1000] * 5 + [200] * 15 + [25] * 80
"""Half of the IOs go to the first 5 % of the LBAs, 30 % to the next 15 %, and 20 % to the rest."""


def sizes(lba_size: int) -> dict[int, int]:
    """The shares by LBAs. On a drive with larger LBAs, smaller IOs become one LBA."""
    found: dict[int, int] = {}
    for size, share in SHARES.items():
        lbas = max(1, size // lba_size)
        found[lbas] = found.get(lbas, 0) + share
    return found


def run(address: str = "vssd", seconds: float = 60) -> d.DotDict:
    """Run the mix of JESD219: 40 % reads, 60 % writes, random, with its sizes and its hot LBAs.

    IOs of 4 KiB and more begin at a multiple of 4 KiB. All reads are verified.
    """
    nvme0n1 = d.Namespace(d.Controller(address))
    wanted = sizes(nvme0n1.lba_size)
    page = max(1, 4096 // nvme0n1.lba_size)
    latency: dict[float, int | None] = {50: None, 99: None, 99.99: None}
    result = (
        nvme0n1.ioworker(
            io_size=wanted,
            lba_align=[page if lbas >= page else 1 for lbas in wanted],
            distribution=WHERE,
            read_percentage=40,
            qdepth=33,
            time=seconds,
            output_percentile_latency=latency,
            progress=True,
        )
        .start()
        .close()
    )
    done = result.io_count_read + result.io_count_nonread
    print(f"{done / result.mseconds * 1000:,.0f} IOPS, {100 * result.io_count_read / done:.1f} % reads")
    print("latency: " + ", ".join(f"{share} % {us} us" for share, us in latency.items()))
    print(f"{result.lba_verified:,} LBAs verified, {result.lba_mismatch} wrong")
    return result


if __name__ == "__main__":
    example.main(run)
