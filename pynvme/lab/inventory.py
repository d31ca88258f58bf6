# SPDX-License-Identifier: BSD-3-Clause
"""The drives that a plan can use: those of a host, and virtual SSDs that jobs start.

Nothing here opens a drive: what is known of one is what the kernel and running virtual SSDs tell.
"""

from __future__ import annotations

import fnmatch
import os
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pynvme.lab import capability
from pynvme.lab.plan import Group

TAGS = "PYNVME_TAGS"
"""The variable of a worker's environment that has the tags of all its drives, with commas between them."""

PLACE_TAG = "place="
"""The prefix of the tag of a drive that a place of labgrid lends."""


@dataclass(frozen=True)
class LabDrive:
    """A drive of the lab."""

    host: str = ""
    """Its host. Virtual SSDs that jobs start have none, since any worker can start them."""
    address: str = ""
    """For ``--pciaddr``; empty for virtual SSDs that jobs start."""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    capacity: int = 0
    """Bytes, or 0 if it is not known."""
    tags: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of a virtual SSD that jobs start."""
    obstacle: str = ""
    """Why pynvme cannot open it now, or empty."""
    name: str = ""
    """Of a virtual SSD that jobs start."""

    @property
    def key(self) -> str:
        """What names it in jobs and in the journal: the serial number, or the host with the address."""
        return self.name or safe(self.serial or f"{self.host}-{self.address}")

    @property
    def is_virtual(self) -> bool:
        """Whether each job starts it as a new virtual SSD."""
        return bool(self.name)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**asdict(self), "tags": list(self.tags), "options": dict(self.options)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> LabDrive:
        """A drive of its plain data."""
        return cls(**{**found, "tags": tuple(found.get("tags", ()))})


def safe(text: str) -> str:
    """A text with only the characters that names of files and of Dask's resources may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "drive"


def resource(drive: LabDrive) -> str:
    """The name of the resource of Dask that a job on this drive takes."""
    return "vssd" if drive.is_virtual else f"drive:{drive.key}"


def here() -> list[LabDrive]:
    """The drives of this host, as ``pynvme list`` finds them, and the virtual SSDs that run."""
    from pynvme.cli import found
    from pynvme.pci import Machine

    host = socket.gethostname()
    drives = [_real(host, one) for one in found.drives(Machine())]
    drives += [_virtual(host, one) for one in found.virtual_ssds()]
    more = tuple(tag.strip() for tag in os.environ.get(TAGS, "").split(",") if tag.strip())
    return [replace(drive, tags=drive.tags + more) for drive in drives]


def _real(host: str, one: Mapping[str, Any]) -> LabDrive:
    return LabDrive(
        host,
        one["address"],
        (one["model"] or "").strip(),
        (one["serial"] or "").strip(),
        (one["firmware"] or "").strip(),
        sum(disk["size_bytes"] for disk in one["namespaces"]),
        ("pcie",),
        obstacle="; ".join(one["obstacles"]),
    )


def _virtual(host: str, one: Mapping[str, Any]) -> LabDrive:
    """A virtual SSD that somebody has started. Serial numbers of virtual SSDs need not be different."""
    return LabDrive(
        host,
        one["address"],
        capacity=one["size_bytes"] * one["namespaces"],
        tags=("vssd",),
        obstacle=f"it is open in {', '.join(map(str, one['users']))}" if one["users"] else "",
    )


def virtual(group: Group) -> list[LabDrive]:
    """The virtual SSDs of a group, with different serial numbers unless the plan gives one."""
    found = []
    for number in range(1, group.count + 1):
        name = f"{group.name}-{number}"
        options = {"serial": name[-20:], **(group.vssd or {})}
        tags = ("vssd", *(f"bug={bug}" for bug in _several(options.get("bug"))))
        found.append(LabDrive(serial=str(options["serial"]), tags=tags, options=options, name=name))
    return found


def _several(value: object) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def choose(group: Group, drives: Iterable[LabDrive]) -> list[LabDrive]:
    """The drives that match all patterns and words of a group, in the order of their keys."""
    return sorted((drive for drive in drives if _matches(group, drive)), key=lambda drive: drive.key)


def _matches(group: Group, drive: LabDrive) -> bool:
    if group.place:
        return f"{PLACE_TAG}{group.place}" in drive.tags
    patterns = all(
        fnmatch.fnmatchcase(getattr(drive, name), pattern) for name, pattern in group.patterns.items()
    )
    wanted = {*group.tags, *capability.tags(group.capability)}
    return patterns and wanted <= set(drive.tags)
