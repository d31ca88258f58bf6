# SPDX-License-Identifier: BSD-3-Clause
"""The machine and the software of a run."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

import pytest

from pynvme import doctor


def environment() -> dict[str, str]:
    """Names and values, in the order in which a report shows them."""
    found = doctor.report()
    text = {
        "pynvme": found["pynvme"],
        "Python": found["python"],
        "pytest": pytest.__version__,
        "host": platform.node(),
        "system": _distribution(),
        "kernel": found["kernel"],
        "CPU": _cpu(),
        "CPUs": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}",
        "hugepages": doctor._hugepages(found["hugepages"]),
        "IOMMU groups": str(found["iommu_groups"]),
    }
    for engine in found["engines"].get("list", []):
        if engine["selected"]:
            text["engine"] = f"{engine['name']} {engine['version']}, {engine['dpdk']}"
    variables = {name: value for name, value in sorted(os.environ.items()) if name.startswith("PYNVME_")}
    return {**text, **variables}


def _distribution() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name == "PRETTY_NAME":
                return value.strip('"')
    return platform.system()


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()
