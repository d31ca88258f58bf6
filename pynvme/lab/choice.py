# SPDX-License-Identifier: BSD-3-Clause
"""Chooses the drives of a campaign from those that hosts offer, and acquires the places of labgrid.

All mistakes of a plan are found before a drive is opened or a place is acquired. Only what drives can do is
known later, because they have to be asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pynvme.lab import capability, inventory, place
from pynvme.lab.inventory import LabDrive
from pynvme.lab.place import Lent, Place, PlaceError, is_same_host
from pynvme.lab.plan import Group, Plan, PlanError

Ask = Callable[[LabDrive], Awaitable["Mapping[str, Any] | None"]]
"""Checks a drive on its host, and returns the result, or None if no host has it."""


class Choice:
    """The drives of a campaign. Its places of labgrid stay acquired until it is left.

    Args:
        plan: whose groups of drives these are
        begun: if the campaign is resumed, its drives as the journal has them
    """

    def __init__(self, plan: Plan, begun: Mapping[str, Mapping[str, Any]] | None) -> None:
        self.drives: dict[str, tuple[str, LabDrive]] = {}
        """The drives and the names of their groups, by their keys."""
        self._plan = plan
        self._begun = begun
        self._places: list[tuple[Group, Lent]] = []
        self._lent = contextlib.ExitStack()

    def __enter__(self) -> Choice:
        return self

    def __exit__(self, *_: object) -> None:
        self._lent.close()

    def judge(self, offered: Iterable[LabDrive], mistakes: Iterable[str]) -> None:
        """Choose drives without opening one or acquiring a place. Raises PlanError with all mistakes."""
        found = list(mistakes)
        offered = list(offered)
        for group in self._plan.groups:
            if group.place:
                try:
                    offered = _with_place(group.place, place.look(group.place), offered)
                except PlaceError as error:
                    found.append(f"[[drives]] {group.name}: {error}")
        wanted = capability.tags({name for group in self._plan.groups for name in group.capability})
        found += self._choose(
            [drive if drive.obstacle else replace(drive, tags=drive.tags + wanted) for drive in offered]
        )
        if found:
            raise PlanError(found)

    async def acquire(self, say: Callable[[str], None]) -> None:
        """Acquire the places of labgrid.

        Args:
            say: is told what is waited for

        Raises:
            PlanError: a place cannot be had
        """
        for group in self._plan.groups:
            if group.place:
                try:
                    self._places.append((group, await self._lend(group, say)))
                except PlaceError as error:
                    raise PlanError([f"[[drives]] {group.name}: {error}"]) from error

    async def take(self, offered: list[LabDrive], ask: Ask) -> None:
        """Ask drives what they can do if the plan does, and choose again, with the tags of the places.

        Args:
            offered: the drives of all hosts
            ask: checks a drive

        Raises:
            PlanError: no drive has a capability that the plan asks for
        """
        asks = self._begun is None and any(group.capability for group in self._plan.groups)
        if not asks and not self._places:
            return
        mistakes: list[str] = []
        for group, lent in self._places:
            try:
                offered = _with_place(group.place, lent.place, offered)
            except PlaceError as error:
                mistakes.append(f"[[drives]] {group.name}: {error}")
        if asks:
            offered = list(await asyncio.gather(*(self._capable(one, ask, mistakes) for one in offered)))
        mistakes += self._choose(offered)
        if mistakes:
            raise PlanError(mistakes)

    async def _lend(self, group: Group, say: Callable[[str], None]) -> Lent:
        """Acquire the place of a group. A cancellation ends the waiting."""
        ended = threading.Event()
        loop = asyncio.get_running_loop()

        def acquire() -> Lent:
            return Lent(group.place, group.wait, say, ended.is_set)

        waits = loop.run_in_executor(None, acquire)
        try:
            lent = await asyncio.shield(waits)
        except asyncio.CancelledError:
            ended.set()
            with contextlib.suppress(PlaceError):
                (await waits).close()
            raise
        self._lent.enter_context(lent)
        return lent

    async def _capable(self, drive: LabDrive, ask: Ask, mistakes: list[str]) -> LabDrive:
        """A drive with tags of what it can do, if a group with capabilities could be its."""
        groups = (replace(group, capability=()) for group in self._plan.groups if group.capability)
        if drive.obstacle or not any(inventory.choose(one, [drive]) for one in groups):
            return drive
        found = await ask(drive)
        if found is None:
            return drive
        if "capabilities" not in found or (found["why"] and not found["capabilities"]):
            why = found.get("why") or found.get("message")
            mistakes.append(f"{_place(drive)} does not tell its capabilities: {why}")
            return drive
        return replace(drive, tags=drive.tags + capability.tags(found["capabilities"]))

    def _choose(self, offered: Sequence[LabDrive]) -> list[str]:
        """Choose the drives of all groups, and return the mistakes."""
        mistakes: list[str] = []
        self.drives.clear()
        for group in {group.name: group for group in self._plan.groups}.values():
            for drive in self._drives_of(group, offered, mistakes):
                if drive.key in self.drives:
                    first, other = self.drives[drive.key]
                    mistakes.append(
                        f"[[drives]] {group.name}: the drive {drive.key} is there twice, as "
                        f"{_place(other)} of {first}, and as {_place(drive)}"
                    )
                    continue
                self.drives[drive.key] = (group.name, drive)
        too_many = self._plan.too_many(Counter(name for name, _ in self.drives.values()))
        return [*mistakes, too_many] if too_many else mistakes

    def _drives_of(self, group: Group, offered: Sequence[LabDrive], mistakes: list[str]) -> list[LabDrive]:
        if group.vssd is not None:
            return inventory.virtual(group)
        found = inventory.choose(group, offered)
        if self._begun is not None:  # as it began, so that a job has the same name for ever
            return [
                _as_begun(key, event, found)
                for key, event in self._begun.items()
                if event["group"] == group.name
            ]
        if not found:
            mistakes.append(f"[[drives]] {group.name}: {_nothing(group, offered)}")
        for drive in found:
            if drive.obstacle:
                mistakes.append(
                    f"[[drives]] {group.name}: {_place(drive)} cannot be opened: {drive.obstacle}"
                )
        return found


def _as_begun(key: str, event: Mapping[str, Any], found: Iterable[LabDrive]) -> LabDrive:
    """A drive of a campaign that is resumed, be it there now or not."""
    names = ("host", "address", "model", "serial", "firmware")
    gone = LabDrive(**{name: event[name] for name in names}, tags=tuple(event["tags"]))
    return next((drive for drive in found if drive.key == key), gone)


def _with_place(name: str, found: Place, offered: Iterable[LabDrive]) -> list[LabDrive]:
    """The drives that are offered, that of a place with its tags. PlaceError if the place has none."""
    where = found.drive().params
    tags = (f"{inventory.PLACE_TAG}{name}", *found.drive_tags())
    return [
        replace(drive, tags=drive.tags + tags)
        if drive.address == where.get("address") and is_same_host(drive.host, str(where.get("host")))
        else drive
        for drive in offered
    ]


def _place(drive: LabDrive) -> str:
    name = " ".join(part for part in (drive.model, drive.serial) if part) or drive.key
    return f"{name} at {drive.host} {drive.address}".strip() if drive.address else name


def _nothing(group: Group, offered: Sequence[LabDrive]) -> str:
    """Why no drive belongs to a group."""
    if group.place:
        return f"no worker has the drive of the place {group.place}"
    tags = sorted({tag for drive in offered for tag in drive.tags})
    for wanted, prefix, told in (
        (group.tags, "", "drive has the tag"),
        (group.capability, capability.TAG, "drive that can be opened has the capability"),
    ):
        known = [tag.removeprefix(prefix) for tag in tags if tag.startswith(capability.TAG) == bool(prefix)]
        unknown = [one for one in wanted if one not in known]
        if unknown:
            return f"no {told} {unknown[0]!r}; there are {', '.join(known) or 'none'}"
    words = " and ".join(
        [
            *(f"{name} {pattern!r}" for name, pattern in group.patterns.items()),
            *(f"the tag {one!r}" for one in group.tags),
            *(f"the capability {one!r}" for one in group.capability),
        ]
    )
    there = "; ".join(_place(drive) for drive in offered[:5]) or "none"
    more = f" and {len(offered) - 5} more" if len(offered) > 5 else ""
    return f"no drive has {words}; there are {there}{more}"
