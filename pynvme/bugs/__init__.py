# SPDX-License-Identifier: BSD-3-Clause
"""Bugs of SSD firmware, by name. A virtual SSD can have them, so that tests can be judged by what they find.

``python -m pynvme bugs`` lists and explains them. A virtual SSD has one with ``VirtualSsd(bug="…")``, with
``python -m pynvme vssd --bug …``, or at the address ``"vssd:bug=…"``.
"""

from __future__ import annotations

from collections.abc import Iterable

from pynvme.bugs import (
    cache,
    capacity,
    functions,
    keys,
    management,
    mapping,
    media,
    migration,
    paths,
    placement,
    protection,
    queues,
    reports,
    resets,
    security,
    states,
    zones,
)
from pynvme.bugs.bug import Bug
from pynvme.near import suggestion

__all__ = ["BUGS", "GROUPS", "Bug", "find", "plant"]

GROUPS = {
    "A": "mapping, garbage collection, deallocation",
    "B": "cache and loss of power",
    "C": "queues, transfers, interrupts",
    "D": "aborts, events, resets",
    "E": "Identify, features, logs",
    "F": "firmware, format, sanitize, security, namespaces",
    "G": "power states, heat, wear, time",
    "H": "metadata and protection information",
    "I": "placement: reclaim units, streams",
    "J": "endurance groups and NVM sets",
    "K": "keys and values",
    "L": "live migration",
    "M": "the Management Interface",
    "P": "paths to namespaces",
    "T": "TCG Opal, RPMB, boot partitions, Lockdown",
    "V": "virtual functions",
    "Z": "zones",
}
"""The groups, by the letter of their numbers."""

BUGS: dict[str, Bug] = {
    bug.name: bug
    for module in (
        mapping,
        cache,
        queues,
        resets,
        reports,
        media,
        states,
        protection,
        security,
        zones,
        placement,
        paths,
        functions,
        keys,
        management,
        capacity,
        migration,
    )
    for bug in module.BUGS
}
"""All bugs by name."""


def find(text: str) -> Bug:
    """The bug of this name or number. ValueError if there is none."""
    for bug in BUGS.values():
        if text == bug.name or text.upper() == bug.number:
            return bug
    near = [name for name in BUGS if text and text.lower() in name][:5]
    hint = suggestion(near, "python -m pynvme bugs lists them")
    raise ValueError(f"there is no bug {text!r}{hint}")


def plant(names: Iterable[str]) -> tuple[list[str], dict[str, str | int]]:
    """The rules and the options with which a virtual SSD has these bugs.

    ValueError if there is no such bug, or if a virtual SSD cannot have it.
    """
    rules: list[str] = []
    options: dict[str, str | int] = {}
    for name in names:
        bug = find(name)
        if bug.waits_for:
            raise ValueError(f"a virtual SSD cannot have the bug {bug.name}, since it lacks {bug.waits_for}")
        rules += bug.rules
        options.update(bug.options)
    return rules, options
