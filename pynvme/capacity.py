# SPDX-License-Identifier: BSD-3-Clause
"""The capacity configurations that a drive offers, from log page 11h.

A drive with fixed Capacity Management (CTRATT bit 11) lists how its capacity can be divided into endurance
groups and NVM sets (Base 2.1, 5.1.12.1.18). The descriptors of the page have different lengths, and this
module takes them apart:

    import nvme as d
    from pynvme.capacity import configurations

    nvme0 = d.Controller("vssd:size=64M,nvm_sets=2,namespace_management,capacity_management=fixed")
    for one in configurations(nvme0.log(0x11)):
        print(one.ccid, [(group.endgid, group.tegcap, group.sets) for group in one.groups])
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from pynvme import spec

LID = 0x11
"""Supported Capacity Configuration List."""

CHANNEL, MEDIA_UNIT = 4, 8
"""Bytes of the head of a channel's descriptor, and of the descriptor of a media unit in it."""


class Group(NamedTuple):
    """An endurance group of a configuration."""

    endgid: int
    tegcap: int
    """Its capacity in bytes."""
    sets: list[int]
    """The identifiers of its NVM sets."""
    descriptor: spec.EnduranceGroupConfiguration
    """All its fields."""


class Configuration(NamedTuple):
    """A capacity configuration, which Capacity Management can select."""

    ccid: int
    """Its identifier, for ``nvme0.capacity_management(0, ccid)``."""
    groups: list[Group]


def configurations(log: spec.CapacityConfigurationsLog) -> list[Configuration]:
    """Take log page 11h apart, as far as its bytes go."""
    page, found, at = bytes(log), [], 16
    for _ in range(log.sccn):
        head = spec.CapacityConfiguration(memoryview(page)[at:])
        at += len(head)
        groups = []
        for _ in range(head.egcn):
            group, at = _group(page, at)
            groups.append(group)
        found.append(Configuration(int(head.ccid), groups))
    return found


def _group(page: bytes, at: int) -> tuple[Group, int]:
    """The endurance group that is described at an offset, and the offset behind it."""
    one = spec.EnduranceGroupConfiguration(memoryview(page)[at:])
    at += len(one)
    sets = list(struct.unpack_from(f"<{one.egsets}H", page, at))
    at += 2 * len(sets)
    (channels,) = struct.unpack_from("<H", page, at)
    at += 2
    for _ in range(channels):
        (units,) = struct.unpack_from("<H", page, at + 2)
        at += CHANNEL + units * MEDIA_UNIT
    return Group(int(one.endgid), int(one.tegcap), sets, one), at
