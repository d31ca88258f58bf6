# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors in the data of commands: SGLs, ranges, zones, reservations, directives.

Made from spec/descriptors.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


class SglType(IntEnum):
    """types of SGL descriptors. Section 4.3.2."""

    DATA_BLOCK = 0x0
    BIT_BUCKET = 0x1
    SEGMENT = 0x2
    LAST_SEGMENT = 0x3
    KEYED_DATA_BLOCK = 0x4
    TRANSPORT_DATA_BLOCK = 0x5
    VENDOR = 0xF  # vendor specific
