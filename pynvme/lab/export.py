# SPDX-License-Identifier: BSD-3-Clause
"""Writes the drives of this machine as a file for labgrid-exporter.

Each drive is a group of its own, named by its address, with one resource of the class ``NVMeDrive``. Its
parameters are flat, since labgrid-exporter ends with an error at a nested one. The file is a template of
Jinja to labgrid: a line that begins with ``##`` is a comment there.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterable
from typing import Any

from pynvme.lab.place import DRIVE

HEADER = """\
## NVMe drives of {host}, for labgrid-exporter. Made by: pynvme lab export
## A place for one of them: labgrid-client -p NAME create
##                          labgrid-client -p NAME add-match {host}/GROUP/*
## Add its power switch to the group of the drive, for example:
##   NetworkPowerPort: {{model: simplerest, host: "http://SWITCH/relay/{{index}}/{{value}}", index: 0}}"""


def group(address: str) -> str:
    """The name of the group of a drive: its address, with ``-`` for what labgrid does not match well."""
    return re.sub(r"[^\w.-]+", "-", address).strip("-")


def text(drives: Iterable[dict[str, Any]], host: str | None = None) -> str:
    """The file.

    Args:
        drives: records with ``address``, and what is known of model, serial, firmware, capacity (bytes) and
            tags. None and empty values are left out
        host: the name of this machine, by which a script finds out whether the drive is its own
    """
    host = host or socket.gethostname()
    lines = [HEADER.format(host=host)]
    for drive in drives:
        lines += [f"{_quoted(group(drive['address']))}:", f"  {DRIVE}:", f"    cls: {DRIVE}"]
        lines += [f"    {name}: {_value(value)}" for name, value in {"host": host, **drive}.items() if value]
    return "\n".join(lines) + "\n"


def drives(virtual: bool = False) -> list[dict[str, Any]]:
    """The drives of this machine that no kernel user holds, and the virtual SSDs that run, if wanted."""
    from pynvme.cli import found
    from pynvme.pci import Machine

    records = [
        {
            "address": one["address"],
            "model": one["model"],
            "serial": one["serial"],
            "firmware": one["firmware"],
            "capacity": sum(disk["size_bytes"] for disk in one["namespaces"]),
        }
        for one in found.drives(Machine())
        if one["can_open"]
    ]
    for ssd in found.virtual_ssds() if virtual else []:
        records.append(
            {
                "address": os.path.abspath(ssd["address"]),
                "model": "virtual SSD",
                "capacity": ssd["size_bytes"],
            }
        )
    return records


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return _quoted(",".join(map(str, value)))
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(value: str) -> str:
    """A string for YAML, in which Jinja finds nothing to replace."""
    return json.dumps(value).replace("{", "\\u007b").replace("#}", "\\u0023}")
