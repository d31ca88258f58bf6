# SPDX-License-Identifier: BSD-3-Clause
"""A firmware update while IO goes on: no IO fails, and the gap is measured."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import nvme as d

from pynvme import example, firmware


def run(
    address: str = "vssd", seconds: float = 10, image: str = "", slot: int = 2, version: str = "2.0"
) -> dict[str, object]:
    """Replace and activate the firmware while a worker reads and writes, and tell how long IO stood still.

    IMAGE is the vendor's file. Without one, an image for the virtual SSD is made, of revision VERSION.
    """
    nvme0 = d.Controller(address)
    nvme0n1 = d.Namespace(nvme0)
    before = nvme0.id_ctrl.fr
    with tempfile.TemporaryDirectory() as folder:
        file = image or os.path.join(folder, "new.bin")
        if not image:
            with open(file, "wb") as made:
                made.write(firmware.make(version))
        options: dict[str, Any] = {"read_percentage": 70, "io_size": 8, "qdepth": 17, "region_end": 1 << 13}
        with nvme0n1.ioworker(time=seconds, progress=True, **options) as worker:
            while worker.progress[2] < 100:
                pass
            nvme0.downfw(file, slot=slot, action=3)  # replace the slot, and activate it without a reset
            after = nvme0.id_ctrl.fr
        result = worker.close()
    print(
        f"firmware {before} -> {after} under load; the slowest IO took {result.latency_max_us / 1000:.1f} ms"
    )
    print(f"{result.lba_verified:,} LBAs verified, {result.lba_mismatch} wrong, error {result.error}")
    return {"before": before, "after": after, "error": result.error, "mismatch": result.lba_mismatch}


if __name__ == "__main__":
    example.main(run)
