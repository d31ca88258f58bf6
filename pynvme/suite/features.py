# SPDX-License-Identifier: BSD-3-Clause
"""The features whose value is one dword, each with another value that a test may set."""

from __future__ import annotations

from typing import Callable, NamedTuple

from pynvme.spec import FeatureId
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command

CURRENT, DEFAULT, SAVED, CAPABILITIES = range(4)

SET_CLAUSE = "Base 2.0, 5.27 Set Features"
GET_CLAUSE = "Base 2.0, 5.15 Get Features"


def _flip(bits: int) -> Callable[[Drive, int], int]:
    return lambda _, value: value ^ bits


def _other_power_state(drive: Drive, value: int) -> int:
    """Another operational power state, if there is one."""
    states = [n for n in range(drive.id_ctrl.npss + 1) if not drive.id_ctrl.psd[n].flags.nops]
    return next((n for n in states if n != value & 0x1F), value)


def _other_temperatures(drive: Drive, value: int) -> int:
    """Other thermal management temperatures, far above any that a drive has."""
    highest = int(drive.id_ctrl.mxtmt)
    wanted = highest - 2 << 16 | highest - 1
    return 0 if value == wanted else wanted


class Setting(NamedTuple):
    """A feature whose value is dword 11 of Set Features, and dword 0 of the completion of Get Features."""

    fid: FeatureId
    other: Callable[[Drive, int], int]
    """From a value to another one that the drive has to accept."""
    selector: int = 0
    """Bits of dword 11 that select what to get."""

    def usable(self, drive: Drive) -> bool:
        """Whether a test can change it on this drive."""
        return drive.can_change(self.fid)

    def get(self, drive: Drive, sel: int = CURRENT) -> int:
        """Its value, which the drive has to tell."""
        command = drive.get_feature(self.fid, sel, self._nsid(drive), cdw11=self.selector)
        return drive.succeed(command, GET_CLAUSE).cdw0

    def set(self, drive: Drive, value: int, save: bool = False) -> Command:
        """Set it. The drive has to accept that."""
        command = drive.set_feature(self.fid, value | self.selector, save, self._nsid(drive))
        return drive.succeed(command, SET_CLAUSE)

    def must_be(
        self, drive: Drive, value: int, when: str, sel: int = CURRENT, clause: str = SET_CLAUSE
    ) -> None:
        """Raise a finding unless it has a value."""
        found = self.get(drive, sel)
        kind = ("current", "default", "saved")[sel]
        drive.check(
            found == value,
            clause,
            f"{kind} value of feature {self.fid:02x}h: {value:#x}, {when}",
            f"{found:#x}",
        )

    def _nsid(self, drive: Drive) -> int:
        return drive.nsid if drive.capabilities(self.fid) & 2 else 0


SETTINGS = (
    Setting(FeatureId.ARBITRATION, _flip(1)),
    Setting(FeatureId.POWER, _other_power_state),
    Setting(FeatureId.TEMPERATURE, _flip(1)),
    Setting(FeatureId.ERROR_RECOVERY, _flip(1)),
    Setting(FeatureId.VWC, _flip(1)),
    Setting(FeatureId.COALESCING, _flip(0x0101)),
    Setting(FeatureId.VECTOR, _flip(1 << 16), selector=1),
    Setting(FeatureId.ATOMICITY, _flip(1)),
    Setting(FeatureId.ASYNC_EVENT, _flip(1)),
    Setting(FeatureId.HCTM, _other_temperatures),
    Setting(FeatureId.NOPSC, _flip(1)),
    Setting(FeatureId.SANITIZE, _flip(1)),
    Setting(FeatureId.SOFTWARE_PROGRESS, _flip(1)),
)
"""Features of one dword. Not among them are those that reset nothing but a count of queues, or need data."""


def saveable(drive: Drive) -> list[Setting]:
    """Those that this drive can save."""
    return [one for one in SETTINGS if drive.can_save(one.fid)]


def changeable(drive: Drive) -> list[Setting]:
    """Those that this drive can change."""
    return [one for one in SETTINGS if one.usable(drive)]
