# SPDX-License-Identifier: BSD-3-Clause
"""`make test-qemu` tests QEMU's drives, behind the kernel's PCIe, in guests, and prints one summary.

Two guests run at a time. GUESTS lists the drives and the tests of each guest. Software emulation is some 20
times slower. So all tests of tests/api that use a drive run on the plain drive only, and each other kind of
drive runs those files for which it matters. Other guests have a virtual SSD, which Linux's driver uses there.
They need QEMU 10.1 or later, which the environment variable QEMU can name, and data placement needs 8.1.

    tools/test_qemu.py                   all guests
    tools/test_qemu.py --only NAME       one guest, by a part of its name
    tools/test_qemu.py WORD…             pytest with these words, in one guest of tools/qemu/run. The
                                         environment variables NVME and IOMMU select its drives

    JOBS=1 …                             one guest after another
    PYNVME_ENGINE=spdk …                 with this engine, in all guests but that of the suspend and those
                                         without an IOMMU, which SPDK needs here
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import engines
from parts import Part, counts, summary

BUILD = Path("build/qemu")
PYTEST = ["-m", "pytest", "-p", "pynvme.plugin", "-p", "no:cacheprovider"]
PYTEST += ["-o", "addopts=-m 'not slow' --strict-markers"]

CACHE = {"PYTHONPYCACHEPREFIX": str((BUILD / "pycache").resolve())}
"""The folder of compiled Python modules, for this machine and the guests."""

LANES = int(os.environ.get("JOBS") or min(2, len(os.sched_getaffinity(0))))
"""How many guests run at the same time. Each keeps one CPU busy."""

ONE_AT_A_TIME = threading.Lock()

FIRST = "01:00.0"
"""The address of a guest's first drive, on the bus of the first root port."""


SUITE = ["-m", "pynvme", "check", "--yes", "--keep-power", "--shrink", "0", "--time", "20s", "--seed", "1"]
SUITE += ["--known", "tests/suite/known.txt", "--report", "/share/report.jsonl"]
SUITE += [f"--area={area}" for area in ("commands", "queues", "features", "logs", "reports", "resets")]
"""`python -m pynvme check`, which expects the findings that docs/found.md explains. QEMU removes a drive
whose power is switched off."""

FEATURES = ["tests/qemu/areas.py"]
"""Areas of the suite on the drives that have what they judge, which are given as DRIVE=AREA."""

KINDS = ("copy", "msi", "namespaces", "pmr", "protection", "zones", "fdp")
"""Files of tests/qemu for drives that only one guest has."""


def files(*names: str) -> list[str]:
    return [f"tests/api/test_{name}.py" for name in names]


@dataclass
class Guest:
    """One boot of a guest, with its name, its drives, and its tests."""

    name: str
    nvme: str
    words: list[str]
    iommu: str = "intel"
    size: str = "1G"
    seconds: int = 1800
    script: bool = False
    """If true, the words are a script and its arguments, and otherwise arguments of pytest."""
    vssd: str = ""
    """Options of the virtual SSD, if the guest has one."""


def api(name: str, drive: str, *words: str) -> Guest:
    """A guest for tests/api, whose tests assume that a drive has two million LBAs."""
    return Guest(f"tests/api, {name}", drive, ["-rsxX", "--pciaddr", FIRST, *words], size="8G")


def linux(name: str, vssd: str) -> Guest:
    """A guest in which Linux's driver uses a virtual SSD."""
    return Guest(
        f"tests/linux, {name}", "vssd", ["-v", f"tests/linux/test_linux_{name}.py"], "off", vssd=vssd
    )


GUESTS = [
    Guest(
        "tests/qemu, vfio-pci",
        "plain cmb twins sriov",
        ["-v", "tests/qemu", *(f"--ignore=tests/qemu/test_{name}.py" for name in ("uio", *KINDS))],
    ),
    Guest(
        "tests/qemu, uio_pci_generic",
        "plain cmb",
        ["-v", *(f"tests/qemu/test_{name}.py" for name in ("drive", "uio", "cmb"))],
        iommu="off",
    ),
    Guest(
        "tests/qemu, drives of all kinds",
        "rich pi zoned pmr edu",
        ["-v", *(f"tests/qemu/test_{name}.py" for name in KINDS if name != "fdp")],
    ),
    Guest("tests/qemu, placement", "fdp", ["-v", "tests/qemu/test_fdp.py"]),
    Guest("suspend to RAM", "m2", ["tests/qemu/suspend.py", f"0000:{FIRST}"], seconds=600, script=True),
    Guest("the tests of drives", "plain", [*SUITE, "--pciaddr", FIRST], script=True),
    Guest(
        "the tests of features",
        "zoned plain",
        [*FEATURES, "zoned=zones", "plain=sgl"],
        script=True,
    ),
    Guest("the tests of placement", "fdp", [*FEATURES, "fdp=placement"], script=True),
    Guest("the tests of functions", "sriov", [*FEATURES, "sriov=functions"], script=True),
    api("plain", "plain", "tests/api"),
    api("4 KiB LBAs", "lba4k", *files("callback_of_each_command", "verify", "worker_what", "worker_where")),
    api("512 + 8 bytes", "lba520", *files("callback_of_each_command", "raw_queues", "worker_what")),
    api("controller memory", "cmb", *files("raw_queues", "qpair")),
    api("SR-IOV", "sriov", *files("admin", "msix")),
    linux("drive", "--size 1G"),
    linux("namespaces", "--size 256M --namespaces 2 --profile everything"),
    linux("protection", "--size 256M --protection"),
    linux("zones", "--size 256M --namespaces 2 --zoned 1 --zrwas 4"),
    linux("paths", "--size 256M --controllers 2 --ana 1 --faults tests/linux/paths.faults"),
    linux("reservations", "--size 256M --controllers 2 --reservations"),
    linux("placement", "--size 1G --fdp"),
    linux("security", "--size 256M --tcg --rpmb"),
]


def start(guest: Guest, alone: bool) -> Part:
    """Run pytest, or a script, in a guest. The guest puts pytest's report into /share."""
    began = time.monotonic()
    share = BUILD.resolve() / "shares" / re.sub(r"\W+", "-", guest.name)
    share.mkdir(parents=True, exist_ok=True)
    report = share / "report.xml"
    report.unlink(missing_ok=True)
    inside = {
        "PYNVME_GUEST": "1",
        "PYNVME_MEM": "128",
        "PYNVME_ENGINE": engines.selected(),
        "NVME": guest.nvme,
        **CACHE,
        # Importing plugins that these tests do not need takes longer than a test.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command = ["tools/qemu/run", "-t", str(guest.seconds)]
    command += ["-v"] * bool(os.environ.get("V"))
    command += ["env", "-u", "PYTHONDONTWRITEBYTECODE", *(f"{key}={value}" for key, value in inside.items())]
    words = ["--color=no", "--junitxml=/share/report.xml", *guest.words]
    command += [sys.executable, *(guest.words if guest.script else PYTEST + words)]
    outside = {"NVME": guest.nvme, "IOMMU": guest.iommu, "NVME_SIZE": guest.size, "SHARE": str(share)}
    outside |= {"VSSD": guest.vssd} if guest.vssd else {}
    code = run(command, {**os.environ, **outside}, f"{guest.name}: {guest.nvme}, IOMMU {guest.iommu}", alone)
    text = f"exit status {code}" if guest.script else counts(report, code)
    if code == 124:
        text = f"not ready after {guest.seconds} s"
    return Part(guest.name, code == 0, text, time.monotonic() - began)


def run(command: list[str], environment: dict[str, str], title: str, alone: bool) -> int:
    """Run a command. Its output is shown at once if it runs alone, and otherwise when it ends."""
    print(f"=== {title}" if alone else f"... {title}", flush=True)
    if alone:
        return subprocess.run(command, env=environment).returncode
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with ONE_AT_A_TIME:
        print(f"=== {title}", done.stdout, sep="\n", flush=True)
    return done.returncode


def compile_once() -> None:
    """Collect the tests on this machine, so that the guests find the tests and their imports compiled.

    In a guest, pytest would need 35 s to rewrite the assertions of 8,000 lines.
    """
    environment = {**os.environ, **CACHE, "PYNVME_GUEST": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for folder in ("tests/api", "tests/qemu", "tests/linux"):
        command = [sys.executable, *PYTEST, "--collect-only", "-q", folder]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)


def has(device: str, option: str) -> bool:
    """Whether QEMU has a device with this option."""
    command = [os.environ.get("QEMU", "qemu-system-x86_64"), "-device", f"{device},help"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return f"{option}=" in done.stdout


def chosen(words: list[str]) -> list[Guest]:
    if not words and "NVME" not in os.environ:
        guests = [guest for guest in GUESTS if engines.is_own() or not (guest.script or guest.iommu == "off")]
        if not has("vfio-user-pci", "socket"):
            print("Left out: guests with a virtual SSD, which need QEMU 10.1 or later (QEMU=…)", flush=True)
            guests = [guest for guest in guests if not guest.vssd]
        if not has("nvme-subsys", "fdp"):
            print("Left out: guests with data placement, which need QEMU 8.1 or later (QEMU=…)", flush=True)
            guests = [guest for guest in guests if guest.nvme != "fdp"]
        return guests
    if words[:1] == ["--only"]:
        return [guest for guest in GUESTS if len(words) == 2 and words[1] in guest.name]
    drives, iommu = os.environ.get("NVME", "plain cmb twins"), os.environ.get("IOMMU", "intel")
    size = os.environ.get("NVME_SIZE", "1G")
    return [Guest("by hand", drives, words or ["-v", "tests/qemu"], iommu, size)]


def main(words: list[str]) -> int:
    if missing := engines.missing():
        print(missing)
        return 2
    guests = chosen(words)
    if not guests:
        print("There is no such guest; these are:", *(guest.name for guest in GUESTS), sep="\n  ")
        return 2
    compile_once()
    lanes = min(LANES, len(guests))
    with ThreadPoolExecutor(lanes) as pool:
        return summary(list(pool.map(lambda guest: start(guest, lanes == 1), guests)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
