# SPDX-License-Identifier: BSD-3-Clause
"""Tests that find bugs of a drive, for any drive.

``python -m pynvme check`` runs them, and so does ``pytest --pyargs pynvme.suite``. Each file ``test_*.py`` is
one area. ``docs/suite.md`` lists all tests.

A test states the clause of the specification that it judges (:func:`requirement`) and what it needs of a
drive (:mod:`pynvme.suite.claims`). If the drive does not report this, the test is skipped, and the reason
names the bit. What a test finds is a :class:`Finding`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynvme.suite.finding import Finding
    from pynvme.suite.marks import needs, requirement, takes

__all__ = ["AREAS", "Finding", "needs", "requirement", "takes"]

AREAS = {
    "commands": "commands and their refusals",
    "reports": "what the drive reports of itself",
    "features": "features",
    "logs": "logs, counters and events",
    "data": "data integrity",
    "copy": "copy",
    "sgl": "SGLs",
    "namespaces": "namespaces that the host creates and deletes",
    "capacity": "endurance groups and NVM sets",
    "zones": "zones",
    "key_value": "keys and values",
    "placement": "placement: reclaim units and streams",
    "power": "loss of power",
    "queues": "queues, doorbells and interrupts",
    "resets": "resets and aborts under load",
    "reservations": "reservations",
    "mi": "the Management Interface",
    "paths": "paths: asymmetric namespace access",
    "functions": "virtual functions",
    "migration": "live migration",
    "security": "security: TCG, RPMB, write protection, boot partitions, Lockdown",
    "injection": "errors that the host injects",
    "age": "age",
    "metadata": "metadata, and guards of each size",
    "protection": "protection information",
    "media": "format, sanitize, self-test and firmware",
    "latency": "latency",
}
"""The areas, in the order in which they run, the quickest first. Area ``x`` is the file ``test_x.py``."""

_PLACES = {"Finding": "finding", "needs": "marks", "requirement": "marks", "takes": "marks"}


def __getattr__(name: str) -> Any:
    """Import these only when they are used: the command line reads AREAS, and does not need pytest."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
