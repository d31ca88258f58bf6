# SPDX-License-Identifier: BSD-3-Clause
"""What is known of one bug."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Bug(NamedTuple):
    """A bug that the firmware of an SSD could have. A virtual SSD can have it too."""

    number: str
    """A letter for the group, which is a module of this package, and a number."""
    name: str
    title: str
    inside: str
    """What goes wrong inside the drive, and what the host sees of it."""
    clause: str
    """The specification, the section and its title."""
    rules: tuple[str, ...] = ()
    """Fault rules (docs/faults.md) that give a virtual SSD this bug."""
    options: Mapping[str, str | int] = {}
    """Options that the virtual SSD needs besides."""
    areas: tuple[str, ...] = ()
    """Areas of the suite that judge this clause, the likeliest first."""
    waits_for: str = ""
    """What a virtual SSD lacks, if it cannot have this bug yet."""
    market: bool = False
    """Whether drives on the market had it."""

    @property
    def plantable(self) -> bool:
        """Whether a virtual SSD can have this bug."""
        return not self.waits_for

    def record(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**self._asdict(), "rules": list(self.rules), "options": dict(self.options)}
