# SPDX-License-Identifier: BSD-3-Clause
"""The kind of an address, for Python without the driver. ``core/util/address.c`` knows all kinds."""

from __future__ import annotations

import os
import re

PRIVATE = "vssd"
"""The prefix of the address of a virtual SSD that this process starts."""

_HEX = "([0-9a-f]{1,%d})"
_FUNCTION = re.compile(rf"(?:{_HEX % 8}:{_HEX % 2}|{_HEX % 8}):{_HEX % 2}\.([0-7])", re.IGNORECASE | re.ASCII)


def is_private(address: str | bytes) -> bool:
    """Whether an address is that of a private virtual SSD: ``"vssd"`` or ``"vssd:…"``."""
    text = os.fsdecode(address)
    return text == PRIVATE or text.startswith(PRIVATE + ":")


def root_of(folder: str) -> str:
    """The folder of the first controller of a virtual SSD, given that of any of them.

    The address of any other vfio-user device is returned as it is.
    """
    above, name = os.path.split(folder)
    return above if name.isdigit() and os.path.exists(os.path.join(above, "control")) else folder


def normal(text: str) -> str | None:
    """Give a PCIe address with its domain, in lower case, or None. ``"01:00.0"`` is ``"0000:01:00.0"``."""
    found = _FUNCTION.fullmatch(text)
    if not found:
        return None
    domain, bus, alone, device, function = (int(part or "0", 16) for part in found.groups())
    bus = bus or alone
    if bus > 0xFF or device > 0x1F:
        return None
    return f"{domain:04x}:{bus:02x}:{device:02x}.{function:x}"
