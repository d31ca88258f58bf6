# SPDX-License-Identifier: BSD-3-Clause
"""Losses of power under load, judged by a model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from pynvme.spec import FeatureId
from pynvme.suite.content import Pattern
from pynvme.suite.drive import Drive
from pynvme.suite.features import SET_CLAUSE
from pynvme.suite.model import Change, Kind, Model
from pynvme.suite.traffic import Traffic, read_back

LONGEST_WAIT = 300e-6
"""Seconds between the last command and the loss of power, at most."""

ATOMIC_CLAUSE = "NVM 1.0, 2.1.4 Atomic Operation, AWUPF and NAWUPF"


class Atomicity:
    """Which writes a loss of power may not tear (NVM 1.0, 2.1.4)."""

    def __init__(self, drive: Drive) -> None:
        ns = drive.ns.id_ns
        own = bool(ns.nsfeat.nsabp)
        self.unit = (int(ns.nawupf) if own and ns.nawupf else int(drive.id_ctrl.awupf)) + 1
        self._boundary = int(ns.nabspf) + 1 if own and ns.nabspf else 0
        self._offset = int(ns.nabo)

    def covers(self, slba: int, nlb: int) -> bool:
        """Whether a write of this range must not be torn."""
        if nlb > self.unit:
            return False
        if not self._boundary:
            return True
        first = (slba - self._offset) // self._boundary
        return first == (slba + nlb - 1 - self._offset) // self._boundary


class Outages:
    """Cuts the power under random IO.

    Args:
        drive: the drive
        model: judges what is read afterwards
        spaces, mix, sizes: see :class:`~pynvme.suite.traffic.Traffic`
    """

    def __init__(
        self,
        drive: Drive,
        model: Model,
        spaces: Sequence[tuple[int, int]],
        mix: Mapping[str, int],
        sizes: Sequence[int] = (1, 1, 1, 2, 2, 3, 7, 8, 8, 8, 9, 12, 16, 32, 64, 150),
        queues: int = 2,
    ) -> None:
        self.drive = drive
        self.model = model
        self.traffic = Traffic(drive, model, spaces, mix, queues=queues, sizes=sizes)
        self.count = 0
        self._interrupted: list[Change] = []
        self._atomicity = Atomicity(drive)

    def cut(self, steps: int, wait: float | None = None, drained: bool = False) -> float:
        """Send some IO, cut the power, and read all that is known. Returns the seconds until it was ready.

        Args:
            steps: commands to send before
            wait: seconds between the last command and the cut, by default a random moment
            drained: wait for all completions before
        """
        rng = self.drive.random
        for _ in range(steps):
            self.traffic.step()
        if drained:
            self.traffic.drain()
        _spin(rng.random() * LONGEST_WAIT if wait is None else wait)
        return self.cut_now()

    def cut_after_shutdown(self, steps: int) -> float:
        """Send some IO, shut the controller down normally, which makes all durable, and cut the power."""
        for _ in range(steps):
            self.traffic.step()
        self.traffic.drain()
        self.drive.delete_qpairs()
        self.drive.shut_down()
        self.model.all_durable()
        return self.cut_now()

    def cut_without_cache(self, steps: int) -> float:
        """Disable the volatile write cache, send some IO, wait for its end, and cut the power."""
        drive, model = self.drive, self.model
        drive.succeed(drive.set_feature(FeatureId.VWC, 0), SET_CLAUSE)
        model.volatile = False
        seconds = self.cut(steps, drained=True)
        model.volatile = bool(drive.get_feature(FeatureId.VWC).cdw0 & 1)
        return seconds

    def cut_now(self) -> float:
        """Cut the power at once, come back, and read all that is known."""
        self.drive.power_off()
        self.lose()
        seconds = self.drive.power_on()
        self.judge()
        return seconds

    def lose(self) -> None:
        """Note that the power is off."""
        self._interrupted = self.traffic.abandon()
        self.model.power_lost()
        self.count += 1

    def judge(self) -> None:
        """Read all that is known, after the power has come back."""
        read_back(self.drive, self.model, self.model.known())
        self._judge_atomicity(self._interrupted)

    def _judge_atomicity(self, interrupted: Iterable[Change]) -> None:
        """An interrupted write of an atomic size is there as a whole, or not at all."""
        for change in interrupted:
            if change.kind is not Kind.DATA or change.pattern is not Pattern.STAMPED:
                continue  # it cannot be told from what was there before
            ((slba, nlb),) = change.ranges
            there = [lba for lba in change.lbas() if self.model.holds(lba) is change]
            if self._atomicity.covers(slba, nlb) and 0 < len(there) < nlb:
                raise self.drive.finding(
                    ATOMIC_CLAUSE,
                    f"all or none of the {nlb} LBAs from {slba:#x} on of {change}, since it is not above the "
                    f"atomic unit of {self._atomicity.unit} LBAs",
                    f"{len(there)} of them, the first is {there[0]:#x}",
                    range(slba, slba + nlb),
                    self.model.writers(range(slba, slba + nlb)),
                )


def _spin(seconds: float) -> None:
    """Wait without giving the CPU away, which would take longer."""
    end = time.perf_counter() + seconds
    if seconds > 0.01:
        time.sleep(seconds - 0.005)
    while time.perf_counter() < end:
        pass
