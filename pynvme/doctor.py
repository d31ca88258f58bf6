# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme doctor`` describes what this machine and this build offer to the driver."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any

from pynvme import __version__, loading

MODULES = ("vfio_pci", "uio_pci_generic")
"""The kernel's drivers by which a script reaches a PCIe drive, with an IOMMU and without."""


def report(root: Path | str = "/") -> dict[str, Any]:
    """All findings, as the option --json prints them. `root` is the root of the kernel's files."""
    root = Path(root)
    return {
        "pynvme": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "engines": engines(),
        "hugepages": hugepages(root),
        "iommu_groups": len(_names(root / "sys/kernel/iommu_groups")),
        "modules": {name: _module(root, name) for name in MODULES},
        "memlock_kib": _memlock(),
    }


def engines() -> dict[str, Any]:
    """The engines of this build, or the reason why the driver does not load."""
    try:
        import nvme
    except ImportError as error:
        return {"error": loading.why(error)}
    wanted = os.environ.get("PYNVME_ENGINE", "")
    found: dict[str, Any] = {"list": [engine._asdict() for engine in nvme.engines()]}
    if not any(engine["selected"] for engine in found["list"]):
        names = " and ".join(engine["name"] for engine in found["list"])
        found["error"] = f"PYNVME_ENGINE={wanted}, but this build has only {names}"
    return found


def hugepages(root: Path) -> list[dict[str, int]]:
    """The size, number and free number of hugepages, for each size of which some are reserved."""
    found = []
    folder = root / "sys/kernel/mm/hugepages"
    for name in _names(folder):
        total = _number(folder / name / "nr_hugepages")
        if total:
            free = _number(folder / name / "free_hugepages")
            found.append({"kib": int(name[len("hugepages-") : -len("kB")]), "total": total, "free": free})
    return found


def _module(root: Path, name: str) -> str:
    """Whether a module of the kernel is loaded, available, or missing."""
    if (root / "sys/module" / name).is_dir():
        return "loaded"
    file = name.replace("_", "[-_]") + ".ko*"
    modules = root / "lib/modules" / platform.release()
    return "available" if any(modules.glob(f"kernel/drivers/**/{file}")) else "missing"


def _memlock() -> int | None:
    """KiB that this process may lock, or None if that is not limited."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY or os.geteuid() == 0 else soft >> 10


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


# The text


def lines(found: dict[str, Any]) -> list[str]:
    """The findings as text: one line each, and what to do where something is missing."""
    said = [f"pynvme {found['pynvme']}, Python {found['python']}, Linux {found['kernel']}"]
    said += [_engine(one) for one in found["engines"].get("list", [])]
    if "error" in found["engines"]:
        said.append(f"engine: {found['engines']['error']}")
    said.append(f"hugepages: {_hugepages(found['hugepages'])}")
    groups = found["iommu_groups"]
    said.append(f"IOMMU: {f'on, {groups} groups' if groups else 'off, so PCIe drives need uio_pci_generic'}")
    said += [f"{name}: {state}" for name, state in found["modules"].items()]
    limit = found["memlock_kib"]
    said.append(f"memory that may be locked: {'unlimited' if limit is None else f'{limit} KiB'}")
    return said


def _engine(engine: dict[str, Any]) -> str:
    text = f"engine {engine['name']}: {engine['version']}, {engine['dpdk']}"
    withheld = len({*engine["pcie"], *engine["vfio_user"]})
    text += f", withholds {withheld} capabilities" if withheld else ", withholds nothing"
    return text + (", selected" if engine["selected"] else "")


def _hugepages(found: list[dict[str, int]]) -> str:
    sizes = [f"{one['free']} of {one['total']} free, {one['kib']} KiB each" for one in found]
    return "; ".join(sizes) or "none reserved, so pynvme uses ordinary memory"


def is_well(found: dict[str, Any]) -> bool:
    """Whether the driver loads, and has the engine that the environment selects."""
    return "error" not in found["engines"]


def main(as_json: bool) -> int:
    """Print the findings. Return the exit code, which is 1 if the driver or its engine is missing."""
    found = report()
    if as_json:
        import json

        json.dump(found, sys.stdout, indent=2)
        print()
    else:
        print(*lines(found), sep="\n")
    return 0 if is_well(found) else 1
