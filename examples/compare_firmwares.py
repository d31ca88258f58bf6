# SPDX-License-Identifier: BSD-3-Clause
"""Two firmwares compared: the same workload before and after an update."""

from __future__ import annotations

import os
import tempfile

import nvme as d

from pynvme import example, firmware


def load(nvme0n1: d.Namespace, seconds: float) -> d.DotDict:
    """The workload: 70 % random reads of 4 KiB, the LBAs written before."""
    page = max(1, 4096 // nvme0n1.lba_size)
    region = 1 << 13
    nvme0n1.ioworker(
        io_size=64, lba_random=False, read_percentage=0, io_count=region // 64, region_end=region
    ).start().close()
    worker = nvme0n1.ioworker(
        io_size=page,
        lba_align=page,
        read_percentage=70,
        qdepth=33,
        region_end=region,
        time=seconds,
        progress=True,
    )
    return worker.start().close()


def run(
    address: str = "vssd", seconds: float = 20, image: str = "", slot: int = 2, picture: str = ""
) -> dict[str, d.DotDict]:
    """Run a workload, update the firmware, run it again, and compare IOPS and latency.

    IMAGE is the vendor's file. Without one, an image for the virtual SSD is made. PICTURE is a file, .svg or
    .png, for the comparison. It needs matplotlib (pip install matplotlib).
    """
    nvme0 = d.Controller(address)
    nvme0n1 = d.Namespace(nvme0)
    results = {f"firmware {nvme0.id_ctrl.fr}": load(nvme0n1, seconds)}
    with tempfile.TemporaryDirectory() as folder:
        file = image or os.path.join(folder, "new.bin")
        if not image:
            with open(file, "wb") as made:
                made.write(firmware.make("3.0", reset="controller"))
        nvme0.downfw(file, slot=slot, action=1)  # runs after the next reset
    nvme0.reset()
    results[f"firmware {nvme0.id_ctrl.fr}"] = load(nvme0n1, seconds)
    for name, result in results.items():
        iops = (result.io_count_read + result.io_count_nonread) / result.mseconds * 1000
        half, most, nearly = result.samples.total((50, 99, 99.9))
        print(f"{name}: {iops:,.0f} IOPS, latency 50 % {half:.0f}, 99 % {most:.0f}, 99.9 % {nearly:.0f} us")
    if picture:
        from pynvme import plot

        plot.compare(results).save(picture)
    return results


if __name__ == "__main__":
    example.main(run)
