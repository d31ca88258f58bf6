# SPDX-License-Identifier: BSD-3-Clause
"""Finds the drives of this machine, and the virtual SSDs that run, without opening any of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pynvme import clients, control, sysfs
from pynvme.pci import Machine

SOCKETS = Path("/proc/net/unix")
SECTOR = 512
"""The unit of `size` in /sys/class/block, in bytes."""


def drives(machine: Machine) -> list[dict[str, Any]]:
    """The NVMe controllers of a machine, by its files. Model, serial and firmware need its driver."""
    return [_drive(machine, bdf) for bdf in machine.controllers()]


def _drive(machine: Machine, bdf: str) -> dict[str, Any]:
    obstacles = machine.obstacles(bdf)
    controller = next(iter(sorted((machine.devices / bdf / "nvme").glob("nvme*"))), None)
    names = ("model", "serial", "firmware_rev")
    model, serial, firmware = (sysfs.text(controller / name) if controller else "" for name in names)
    return {
        "address": bdf,
        "driver": machine.driver(bdf) or None,
        "controller": controller.name if controller else None,
        "model": model or None,
        "serial": serial or None,
        "firmware": firmware or None,
        "namespaces": [_disk(machine, disk) for disk in machine.disks(bdf)],
        "iommu_group": int(machine.group(bdf)) if machine.group(bdf) else None,
        "can_open": not obstacles,
        "obstacles": obstacles,
    }


def _disk(machine: Machine, name: str) -> dict[str, Any]:
    folder = machine.block / name
    return {
        "name": name,
        "nsid": _number(sysfs.text(folder / "nsid")),
        "size_bytes": (_number(sysfs.text(folder / "size")) or 0) * SECTOR,
        "lba_size_bytes": _number(sysfs.text(folder / "queue/logical_block_size")),
    }


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def folders() -> list[str]:
    """The folders in which something listens on a socket called ``control``, as virtual SSDs do."""
    found = set()
    for line in sysfs.text(SOCKETS).splitlines()[1:]:
        path = line.split(maxsplit=7)[7:]
        if path and os.path.basename(path[0]) == control.SOCKET and os.path.isabs(path[0]):
            found.add(os.path.dirname(path[0]))
    return sorted(found)


def virtual_ssds() -> list[dict[str, Any]]:
    """The virtual SSDs that run on this machine, and that this user may ask."""
    found = []
    for folder in folders():
        try:
            found.append(_virtual(folder, control.info(folder)))
        except (control.VirtualSsdError, OSError, ValueError, NotImplementedError):
            continue
    return found


def _virtual(folder: str, info: control.Info) -> dict[str, Any]:
    return {
        "address": folder,
        "pid": info.pid,
        "size_bytes": info.size,
        "namespaces": info.namespaces,
        "lba_size_bytes": info.lba_size,
        "powered": info.powered,
        "users": clients.holders(folder) if info.client else [],
    }


def the_only_one() -> str | None:
    """The folder of the virtual SSD that runs on this machine, or None if there is none, or several."""
    running = virtual_ssds()
    return str(running[0]["address"]) if len(running) == 1 else None
