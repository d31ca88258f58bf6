# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme doctor`` describes what this machine and this build offer to the driver."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any, NamedTuple

from pynvme import __version__, loading, pci, sysfs, vssd

MODULES = ("vfio_pci", "uio_pci_generic")
"""The kernel's drivers by which a script reaches a PCIe drive, with an IOMMU and without."""


GOOD, LACKS, BROKEN = "good", "lacks", "broken"
"""How something is: as it should be, missing but not needed by all, or so that nothing works."""

LEAST_MEMLOCK_KIB = 512 << 10
"""So much memory pynvme locks for a PCIe drive in a usual script, in KiB."""


class Check(NamedTuple):
    """What is there, or what is missing, and what mends it."""

    name: str
    state: str
    found: str
    mend: str = ""
    """A command, or a sentence if no command can do it. Empty if nothing is to be done."""


def report(root: Path | str = "/") -> dict[str, Any]:
    """All findings, as the option --json prints them. `root` is the root of the kernel's files."""
    root = Path(root)
    found = _facts(root)
    return {**found, "checks": [check._asdict() for check in checks(found, root)]}


def _facts(root: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "pynvme": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "engines": engines(),
        "hugepages": hugepages(root),
        "iommu_groups": len(_names(root / "sys/kernel/iommu_groups")),
        "modules": {name: _module(root, name) for name in MODULES},
        "memlock_kib": _memlock(),
        "drives": [_drive(pci.Machine(root), bdf) for bdf in pci.Machine(root).controllers()],
    }


def _drive(machine: pci.Machine, bdf: str) -> dict[str, Any]:
    obstacles = machine.obstacles(bdf)
    return {
        "address": bdf,
        "driver": machine.driver(bdf) or None,
        "can_open": not obstacles,
        "obstacles": obstacles,
    }


# What it means, and what to do


def checks(found: dict[str, Any], root: Path) -> list[Check]:
    """Each thing that pynvme needs or profits from, and what mends it if it is missing."""
    return [
        _check_driver(found["engines"]),
        _check_vssd(),
        _check_hugepages(found["hugepages"], found["iommu_groups"]),
        _check_iommu(found["iommu_groups"], root),
        *_check_modules(found["modules"], found["iommu_groups"]),
        *_check_vfio(root),
        _check_memlock(found["memlock_kib"]),
        *(_check_drive(drive) for drive in found["drives"]),
    ]


def _check_driver(engines: dict[str, Any]) -> Check:
    if "error" not in engines:
        names = ", ".join(f"{one['name']} {one['version']}, {one['dpdk']}" for one in engines["list"])
        return Check("driver", GOOD, names)
    mend = "unset PYNVME_ENGINE" if "list" in engines else "make build"
    return Check("driver", BROKEN, engines["error"], mend)


def _check_vssd() -> Check:
    try:
        return Check("virtual SSD", GOOD, vssd.executable())
    except FileNotFoundError as error:
        return Check("virtual SSD", LACKS, str(error), "make build")


def _check_hugepages(sizes: list[dict[str, int]], groups: int) -> Check:
    if any(one["free"] for one in sizes):
        return Check("hugepages", GOOD, _hugepages(sizes))
    need = "faster access to memory" if groups else "PCIe drives without an IOMMU need them"
    return Check("hugepages", LACKS, f"{_hugepages(sizes)} ({need})", "sudo sysctl -w vm.nr_hugepages=512")


def _check_iommu(groups: int, root: Path) -> Check:
    if groups:
        return Check("IOMMU", GOOD, f"on, {groups} groups")
    vendor = "amd" if "AuthenticAMD" in sysfs.text(root / "proc/cpuinfo") else "intel"
    name, option = ("AMD-Vi", "iommu=pt") if vendor == "amd" else ("VT-d", "intel_iommu=on iommu=pt")
    mend = f"switch {name} on in the firmware's setup, and boot the kernel with {option}"
    return Check("IOMMU", LACKS, "off, so PCIe drives need uio_pci_generic, root and hugepages", mend)


def _check_modules(modules: dict[str, str], groups: int) -> list[Check]:
    needed = MODULES[0] if groups else MODULES[1]
    made = []
    for name, state in modules.items():
        if state == "loaded" or name != needed:
            made.append(Check(name, GOOD if state == "loaded" or name != needed else LACKS, state))
        elif state == "available":
            made.append(Check(name, GOOD, "available, and loaded when a drive is bound"))
        else:
            mend = f"install the package with {name} for the kernel {platform.release()}"
            made.append(Check(name, LACKS, "missing, and needed for PCIe drives", mend))
    return made


def _check_vfio(root: Path) -> list[Check]:
    """The device files of VFIO, if there are any."""
    folder = root / "dev/vfio"
    made = []
    for name in [name for name in _names(folder) if name == "vfio" or name.isdecimal()]:
        good = os.access(folder / name, os.R_OK | os.W_OK)
        mend = "" if good else "sudo pynvme bind ADDRESS gives the drive's group to you"
        made.append(
            Check(f"/dev/vfio/{name}", GOOD if good else LACKS, "accessible" if good else "not yours", mend)
        )
    return made


def _check_memlock(limit: int | None) -> Check:
    if limit is None:
        return Check("locked memory", GOOD, "unlimited")
    if limit >= LEAST_MEMLOCK_KIB:
        return Check("locked memory", GOOD, f"{limit} KiB")
    mend = 'echo "$USER - memlock unlimited" | sudo tee /etc/security/limits.d/pynvme.conf, and log in again'
    return Check("locked memory", LACKS, f"{limit} KiB, too little for a PCIe drive", mend)


def _check_drive(drive: dict[str, Any]) -> Check:
    if drive["can_open"]:
        return Check(drive["address"], GOOD, "can be opened")
    return Check(drive["address"], LACKS, f"cannot be opened: {'; '.join(drive['obstacles'])}")


# What there is


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
    for drive in found["drives"]:
        why = "; ".join(drive["obstacles"])
        said.append(
            f"{drive['address']}: {'can be opened' if drive['can_open'] else f'cannot be opened: {why}'}"
        )
    to_do = [check for check in found["checks"] if check["mend"]]
    if to_do:
        said += ["", "What would help:"]
    for check in to_do:
        said += [f"  {check['name']}: {check['found']}", f"      {check['mend']}"]
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
