# SPDX-License-Identifier: BSD-3-Clause
"""Loss of power under writes: what was flushed is there, and the drive counts it."""

from __future__ import annotations

import random
import time

import nvme as d

from pynvme import example


def run(address: str = "vssd", cycles: int = 20, region: int = 1 << 13) -> dict[str, int]:
    """Cut the power under writes and flushes, CYCLES times, and read everything after each cut.

    pynvme knows which writes a flush has covered, and judges each LBA: those that were flushed hold their
    data, others hold old or new data. REGION is the number of LBAs that are written.
    """
    nvme0 = d.Controller(address)
    nvme0n1 = d.Namespace(nvme0)
    nvme0n1.verify_enable(True)
    subsystem = d.Subsystem(nvme0)
    before = nvme0.smart.unsafe_shutdowns
    judged = slowest = 0.0
    for _ in range(cycles):
        mix = {1: 90, 0: 10}  # writes and flushes
        worker = nvme0n1.ioworker(io_size=range(1, 33), op_percentage=mix, region_end=region, time=60).start()
        time.sleep(random.uniform(0.01, 0.1))
        subsystem.poweroff()
        worker.close()
        subsystem.poweron()
        start = time.monotonic()
        nvme0.reset()
        slowest = max(slowest, time.monotonic() - start)
        result = (
            nvme0n1.ioworker(io_size=32, lba_random=False, region_end=region, io_count=region // 32)
            .start()
            .close()
        )
        judged += result.lba_verified
    stats = nvme0n1.verify_stats()
    unsafe = nvme0.smart.unsafe_shutdowns - before
    print(f"{cycles} losses of power, of which the drive has counted {unsafe}")
    print(f"{judged:,.0f} LBAs verified after them, {stats.mismatch} wrong")
    print(f"ready again after {slowest * 1000:.0f} ms at most")
    return {"unsafe": unsafe, "judged": int(judged), "mismatch": stats.mismatch}


if __name__ == "__main__":
    example.main(run)
