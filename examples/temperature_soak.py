# SPDX-License-Identifier: BSD-3-Clause
"""A soak: full load, with the temperature, the events and the throttling of the drive."""

from __future__ import annotations

import time
import warnings

import nvme as d

from pynvme import example, spec
from pynvme.vssd import VirtualSsd, is_private


def run(
    address: str = "vssd", seconds: float = 600, every: float = 10, heat: int = 345
) -> list[tuple[float, int, float]]:
    """Write at full speed, and note temperature and IOPS EVERY so many seconds.

    A virtual SSD has no real temperature: half-way it becomes HEAT Kelvin hot, and so warns and throttles.
    """
    nvme0 = d.Controller(address)
    nvme0n1 = d.Namespace(nvme0)
    events: list[int] = []
    warnings.simplefilter("ignore")  # the driver issues a warning for each event
    nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    rows: list[tuple[float, int, float]] = []
    buf = d.Buffer(512)
    hot = not is_private(address)
    start = last = time.monotonic()
    with nvme0n1.ioworker(
        read_percentage=0, io_size=32, qdepth=33, time=seconds, region_end=1 << 13
    ) as worker:
        done = 0
        while worker.running:
            time.sleep(min(every, 0.5))
            now = time.monotonic()
            if not hot and now - start > seconds / 2:
                VirtualSsd.attach(address).age(temperature=heat)
                hot = True
            if now - last >= every:
                completed = worker.progress[2]
                nvme0.getlogpage(spec.LogId.SMART, buf, 512).waitdone()  # also calls the callback
                kelvin = spec.SmartLog(buf).composite_temperature
                rows.append((now - start, kelvin, (completed - done) / (now - last)))
                print(f"{rows[-1][0]:8.1f} s  {kelvin.celsius} °C  {rows[-1][2]:,.0f} IOPS")
                last, done = now, completed
    smart = nvme0.smart
    print(f"events: {', '.join(f'{event:#08x}' for event in events) or 'none'}")
    print(f"critical warning {int(smart.critical_warning):#04x}, ", end="")
    print(f"{smart.warning_composite_temperature_time} min too warm")
    if is_private(address):
        VirtualSsd.attach(address).age(temperature=303)
    nvme0.register_aer_cb(None)
    return rows


if __name__ == "__main__":
    example.main(run)
