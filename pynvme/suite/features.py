# SPDX-License-Identifier: BSD-3-Clause
"""The features whose value is one dword, each with another value that a test may set."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Callable, NamedTuple

import nvme

from pynvme.spec import FeatureId, HostBehavior, Register
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


def _bits(mask: int) -> Callable[[Drive, random.Random], int]:
    """Draw a value that has any bits of a mask."""
    return lambda _, rng: rng.getrandbits(32) & mask


def _any_power_state(drive: Drive, rng: random.Random) -> int:
    states = [n for n in range(drive.id_ctrl.npss + 1) if not drive.id_ctrl.psd[n].flags.nops]
    hint = rng.randrange(3) if drive.nvme0[Register.VS] >= 0x00010200 else 0
    return hint << 5 | rng.choice(states)


def _any_events(drive: Drive, rng: random.Random) -> int:
    """Critical warnings 0 to 4, and the notices that OAES and LPA announce."""
    notices = int(drive.id_ctrl.oaes) & 0x300 | bool(drive.id_ctrl.lpa.ts) << 10
    return rng.getrandbits(32) & (0x1F | notices)


def _any_temperatures(drive: Drive, rng: random.Random) -> int:
    """Two temperatures in ascending order, or none."""
    low, high = int(drive.id_ctrl.mntmt), int(drive.id_ctrl.mxtmt)
    if high - low < 1 or rng.random() < 0.2:
        return 0
    first, second = sorted(rng.sample(range(max(low, high - 8), high + 1), 2))
    return first << 16 | second


def _harmless_threshold(_: Drive, rng: random.Random) -> int:
    """A threshold so high that it is no event."""
    return rng.randrange(HOT, 0x10000)


def _disabled_threshold(_: Drive, rng: random.Random) -> int:
    """A power threshold in any unit, which is no event since it is not enabled."""
    return rng.randrange(3) << 16 | rng.getrandbits(16)


HOT = 450
"""Kelvin that no drive reaches."""


class Setting(NamedTuple):
    """A feature whose value is dword 11 of Set Features, and dword 0 of the completion of Get Features."""

    fid: FeatureId
    other: Callable[[Drive, int], int]
    """From a value to another one that the drive has to accept."""
    draw: Callable[[Drive, random.Random], int]
    """Draws a value that the drive has to accept."""
    selector: int = 0
    """Bits of dword 11 that select what to get."""
    persists: bool = False
    """Whether the value survives resets though it was not saved (Base 2.0, 5.27.1)."""

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
    Setting(FeatureId.ARBITRATION, _flip(1), _bits(0xFFFFFF07)),
    Setting(FeatureId.POWER, _other_power_state, _any_power_state),
    Setting(FeatureId.TEMPERATURE, _flip(1), _harmless_threshold),
    Setting(FeatureId.ERROR_RECOVERY, _flip(1), _bits(0xFFFF)),
    Setting(FeatureId.VWC, _flip(1), _bits(1)),
    Setting(FeatureId.COALESCING, _flip(0x0101), _bits(0xFFFF)),
    Setting(FeatureId.VECTOR, _flip(1 << 16), lambda _, rng: rng.getrandbits(1) << 16 | 1, selector=1),
    Setting(FeatureId.ATOMICITY, _flip(1), _bits(1)),
    Setting(FeatureId.ASYNC_EVENT, _flip(1), _any_events),
    Setting(FeatureId.HCTM, _other_temperatures, _any_temperatures, persists=True),
    Setting(FeatureId.NOPSC, _flip(1), _bits(1)),
    Setting(FeatureId.SANITIZE, _flip(1), _bits(1)),
    Setting(FeatureId.POWER_THRESHOLD, _flip(1), _disabled_threshold),
    Setting(FeatureId.SOFTWARE_PROGRESS, _flip(1), _bits(0xFF), persists=True),
)
"""Features of one dword. Not among them are those that reset nothing but a count of queues, or need data."""


def saveable(drive: Drive) -> list[Setting]:
    """Those that this drive can save."""
    return [one for one in SETTINGS if drive.can_save(one.fid)]


def changeable(drive: Drive) -> list[Setting]:
    """Those that this drive can change."""
    return [one for one in SETTINGS if one.usable(drive)]


@contextlib.contextmanager
def host_behavior(drive: Drive, **fields: int) -> Iterator[None]:
    """Have fields of Host Behavior Support set to these values in here, and as before afterwards."""
    before = nvme.Buffer(HostBehavior.SIZE)
    drive.succeed(drive.get_feature(FeatureId.HOST_BEHAVIOR, buf=before), GET_CLAUSE)
    changed = nvme.Buffer(HostBehavior.SIZE)
    changed[:] = before[:]
    behavior = HostBehavior(changed)
    for name, value in fields.items():
        setattr(behavior, name, value)
    drive.succeed(drive.set_feature(FeatureId.HOST_BEHAVIOR, buf=changed), SET_CLAUSE)
    try:
        yield
    finally:
        drive.set_feature(FeatureId.HOST_BEHAVIOR, buf=before)
