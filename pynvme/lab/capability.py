# SPDX-License-Identifier: BSD-3-Clause
"""What drives can do, by the names that ``capability`` of a plan takes. Identify Controller says it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from pynvme.near import hint

NAMES = {
    "security": "oacs.ssrs",
    "format": "oacs.fnvms",
    "firmware": "oacs.fwds",
    "namespace-management": "oacs.nms",
    "self-test": "oacs.dsts",
    "directives": "oacs.dirs",
    "management-interface": "oacs.nsrs",
    "virtualization": "oacs.vms",
    "doorbell-buffer": "oacs.dbcs",
    "get-lba-status": "oacs.glss",
    "lockdown": "oacs.cfls",
    "compare": "oncs.nvmcmps",
    "write-uncorrectable": "oncs.nvmwusv",
    "dataset-management": "oncs.nvmdsmsv",
    "write-zeroes": "oncs.nvmwzsv",
    "save-select": "oncs.ssfs",
    "reservations": "oncs.reservs",
    "timestamp": "oncs.tss",
    "verify": "oncs.nvmvfys",
    "copy": "oncs.nvmcpys",
    "compare-and-write": "fuses.fcws",
    "volatile-write-cache": "vwc.vwcp",
    "write-protection": "nwpc.nwpwps",
    "sgl": "sgls.sgls",
    "crypto-erase": "sanicap.ces",
    "block-erase": "sanicap.bes",
    "overwrite": "sanicap.ows",
    "telemetry": "lpa.ts",
    "persistent-event-log": "lpa.pes",
    "apst": "apsta.aspts",
    "host-memory-buffer": "hmpre",
    "host-controlled-thermal-management": "hctma.hctms",
    "rpmb": "rpmbs.nrpmbu",
    "endurance-groups": "ctratt.egs",
    "nvm-sets": "ctratt.nsets",
    "flexible-data-placement": "ctratt.fdps",
    "several-controllers": "cmic.mctrs",
    "ana": "cmic.anars",
}
"""The field of Identify Controller, or its bits, that are not 0 if a drive has a capability."""

TAG = "capability="
"""The prefix of the tag of a drive that has a capability."""


def of(identify: Any) -> list[str]:
    """The names of what a drive can do.

    Args:
        identify: :class:`pynvme.spec.IdentifyController`
    """
    return [name for name, field in NAMES.items() if int(reduce(getattr, field.split("."), identify))]


def tags(names: Iterable[str]) -> tuple[str, ...]:
    """The tags of a drive with these capabilities."""
    return tuple(f"{TAG}{name}" for name in names)


def mistakes(names: Iterable[str]) -> list[str]:
    """What is wrong with the names of a plan."""
    known = "there are " + ", ".join(NAMES)
    return [
        f"there is no capability {name!r}{hint(name, NAMES, known)}" for name in names if name not in NAMES
    ]
