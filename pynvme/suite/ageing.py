# SPDX-License-Identifier: BSD-3-Clause
"""Virtual time, for drives that have it: years pass at once."""

from __future__ import annotations

import contextlib

from pynvme.suite.drive import Drive
from pynvme.suite.marks import Need
from pynvme.vssd import VirtualSsd, VirtualSsdError

__all__ = ["VIRTUAL_TIME", "Ageing", "ageing_of"]

Ageing = VirtualSsd
"""What lets a drive grow old, by its method ``age``."""


def ageing_of(drive: Drive) -> Ageing | None:
    """What lets this drive grow old, or None."""
    with contextlib.suppress(VirtualSsdError, OSError, ValueError):
        return VirtualSsd.attach(drive.identity()["address"])
    return None


VIRTUAL_TIME = Need("virtual time (it is a virtual SSD)", lambda drive: ageing_of(drive) is not None)
