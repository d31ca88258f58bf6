# SPDX-License-Identifier: BSD-3-Clause
"""A short check of what a drive promises of its data, for tests of what may leave it in another mode."""

from __future__ import annotations

from pynvme.spec import FeatureId
from pynvme.suite.drive import Drive
from pynvme.suite.model import Model
from pynvme.suite.outage import Outages
from pynvme.suite.traffic import Traffic, model_of, read_back
from pynvme.suite.writing import Writer

COMMANDS = 250
"""How much random IO is sent."""


class Promises:
    """Checks data, flushes, FUA, the disabled cache, and shutdowns.

    Make it before the event, since it may have to switch the power to know whether it can.

    Args:
        drive: the drive
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._has_switch = drive.can_switch_power()

    def judge(self) -> None:
        """Check all of them. A promise that is not kept is a finding."""
        drive = self._drive
        model = model_of(drive)
        base = drive.random.randrange(drive.nsze - 4096)
        traffic = Traffic(drive, model, [(base, 1000), (base + 2000, 40)], queues=2)
        traffic.run(lambda: traffic.count >= COMMANDS)
        read_back(drive, model, model.known())
        if self._has_switch:
            self._judge_power(model, base)

    def _judge_power(self, model: Model, base: int) -> None:
        drive, writer = self._drive, Writer(self._drive, model)
        outages = Outages(drive, model, [(base, 200)], {"write": 10, "zeroes": 1, "read": 1})
        for _ in range(20):
            outages.traffic.step()
        outages.traffic.drain()
        writer.write(base + drive.random.randrange(150), 20)
        writer.flush()
        writer.write(base + drive.random.randrange(150), 20, fua=True)
        outages.cut_now()
        writer.write_and_read_durably(base + drive.random.randrange(150), 20)
        outages.cut_now()
        if model.volatile and drive.can_change(FeatureId.VWC):
            outages.cut_without_cache(10)
        outages.cut_after_shutdown(20)
