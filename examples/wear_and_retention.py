# SPDX-License-Identifier: BSD-3-Clause
"""Wear and retention by virtual time: years pass at once, and the data are judged after each."""

from __future__ import annotations

import nvme as d

from pynvme import example
from pynvme.vssd import VirtualSsd

YEAR = 365 * 24
"""Hours."""


def run(address: str = "vssd", years: int = 5, region: int = 1 << 13) -> list[tuple[int, int, int, int]]:
    """Write data, let the drive grow old for YEARS years, and read and verify them after each year.

    It wears out by 20 % a year. Only a virtual SSD can grow old at once.
    """
    nvme0 = d.Controller(address)
    nvme0n1 = d.Namespace(nvme0)
    nvme0n1.verify_enable(True)
    ssd = VirtualSsd.attach(address)
    rows = []
    for year in range(1, years + 1):
        half = region // 2
        start = half if year > 1 else 0  # the first half keeps the data of the first year
        nvme0n1.ioworker(
            io_size=32,
            lba_random=False,
            read_percentage=0,
            io_count=(region - start) // 32,
            region_start=start,
            region_end=region,
        ).start().close()
        ssd.age(hours=YEAR, used=min(255, 20 * year), spare=max(20, 100 - 15 * year))
        read = (
            nvme0n1.ioworker(io_size=32, lba_random=False, io_count=region // 32, region_end=region)
            .start()
            .close()
        )
        smart = nvme0.smart
        rows.append((smart.power_on_hours, smart.percentage_used, smart.available_spare, read.lba_mismatch))
        hours, used, spare, wrong = rows[-1]
        print(f"year {year}: {hours:,} h, {used} % used, {spare} % spare, ", end="")
        print(f"{read.lba_verified:,} LBAs verified, {wrong} wrong")
    ssd.age(used=0, spare=100)
    return rows


if __name__ == "__main__":
    example.main(run)
