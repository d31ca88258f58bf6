# SPDX-License-Identifier: BSD-3-Clause
"""List all missing packages at once, by their names in this machine's distribution.

    python3 tools/needs.py build    prints the missing Debian packages on one line

If the machine has another package manager than apt, it fails with the command that installs them. The kinds
are ``sdist`` (a build by pip, for which setup.py uses this module), ``build`` (for the Makefile), ``test``
and ``qemu``.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Callable, NamedTuple

MANAGERS = ("apt-get", "dnf", "zypper", "pacman")
INSTALL = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "zypper": "zypper install",
    "pacman": "pacman -S",
}


class Need(NamedTuple):
    """Something to install, with a check whether it is installed, and the packages that contain it."""

    what: str
    there: Callable[[], bool]
    packages: "dict[str, str]"


def _packages(*names: str) -> "dict[str, str]":
    return dict(zip(MANAGERS, names))


def _program(name: str) -> "Callable[[], bool]":
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return lambda: shutil.which(name, path=path) is not None


def _compiler() -> str:
    return os.environ.get("CC", "gcc").split()[0]


def _asks(*command: str, text: str = "") -> str:
    """The output of a command, or nothing if it fails or is missing."""
    try:
        done = subprocess.run(
            command, input=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _header(name: str) -> "Callable[[], bool]":
    return lambda: bool(_asks(_compiler(), "-E", "-x", "c", "-", text=f"#include <{name}>\n"))


def _dpdk() -> bool:
    return bool(_asks("pkg-config", "--modversion", "libdpdk"))


def _python_header() -> bool:
    return (Path(sysconfig.get_path("include")) / "Python.h").exists()


def _venv() -> bool:
    return bool(_asks(sys.executable, "-c", "import venv, ensurepip; print(1)"))


def _python(suffix: str) -> str:
    """A package of this Python, such as python3-dev, or python3.12-dev if python3 is another version."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    usual = _asks("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    return f"python{'3' if usual in ('', own) else own}-{suffix}"


BUILD = [
    Need("a C compiler", _program(_compiler()), _packages("gcc", "gcc", "gcc", "gcc")),
    Need(
        "the C library's headers",
        _header("stdlib.h"),
        _packages("libc6-dev", "glibc-devel", "glibc-devel", "glibc"),
    ),
    Need(
        "the kernel's headers",
        _header("linux/vfio.h"),
        _packages("linux-libc-dev", "kernel-headers", "linux-glibc-devel", "linux-api-headers"),
    ),
    Need("make", _program("make"), _packages("make", "make", "make", "make")),
    Need(
        "pkg-config",
        _program("pkg-config"),
        _packages("pkg-config", "pkgconf-pkg-config", "pkgconf-pkg-config", "pkgconf"),
    ),
    Need("DPDK's headers and libraries", _dpdk, _packages("libdpdk-dev", "dpdk-devel", "dpdk-devel", "dpdk")),
    Need(
        "Python's headers",
        _python_header,
        _packages(_python("dev"), _python("devel"), _python("devel"), "python"),
    ),
]
VENV = [Need("Python's venv", _venv, _packages(_python("venv"), "python3-pip", "python3-pip", "python"))]
TEST = [
    # The structures of another implementation, with which the tests compare those of pynvme.
    Need(
        "libnvme's headers",
        _header("nvme/types.h"),
        _packages("libnvme-dev", "libnvme-devel", "libnvme-devel", "libnvme"),
    ),
    Need("nvme-cli", _program("nvme"), _packages(*["nvme-cli"] * 4)),
    # It judges how pynvme decodes configuration space.
    Need("lspci", _program("lspci"), _packages(*["pciutils"] * 4)),
    # Its iologs are replayed, and its summary is that of `pynvme perf`.
    Need("fio", _program("fio"), _packages(*["fio"] * 4)),
    # What it makes of Identify, SMART and captures has to be what pynvme makes of them.
    Need("tshark", _program("tshark"), _packages("tshark", "wireshark-cli", "wireshark", "wireshark-cli")),
]
QEMU = [
    Need(
        "QEMU",
        _program("qemu-system-x86_64"),
        _packages("qemu-system-x86", "qemu-system-x86-core", "qemu-x86", "qemu-system-x86"),
    ),
    Need("cpio", _program("cpio"), _packages(*["cpio"] * 4)),
    Need("busybox", _program("busybox"), _packages("busybox-static", "busybox", "busybox-static", "busybox")),
    Need("depmod", _program("depmod"), _packages(*["kmod"] * 4)),
    # Other software that can use a drive, for the guest.
    Need("mdadm", _program("mdadm"), _packages(*["mdadm"] * 4)),
    Need("LVM", _program("lvm"), _packages(*["lvm2"] * 4)),
    Need(
        "dmsetup",
        _program("dmsetup"),
        _packages("dmsetup", *["device-mapper"] * 3),
    ),
    Need("mke2fs", _program("mke2fs"), _packages(*["e2fsprogs"] * 4)),
]
KINDS = {
    "sdist": BUILD,
    "build": [*BUILD, *VENV],
    "test": [*BUILD, *VENV, *TEST],
    "qemu": [*BUILD, *VENV, *TEST[1:2], *QEMU],
}


def missing(kind: str) -> "list[Need]":
    """The needs of this kind that are not installed."""
    return [need for need in KINDS[kind] if not need.there()]


def manager() -> str:
    """The package manager of this machine, or empty if pynvme does not know it."""
    return next((name for name in MANAGERS if shutil.which(name)), "")


def packages(needs: "list[Need]", of: str) -> "list[str]":
    """The names of the packages that contain the needs, each once."""
    return list(dict.fromkeys(need.packages[of] for need in needs))


def advice(needs: "list[Need]") -> str:
    """A sentence with all missing packages, and the command that installs them."""
    known = [manager()] if manager() else list(MANAGERS)
    lines = [f"  {INSTALL[name]} {' '.join(packages(needs, name))}" for name in known]
    return "\n".join([f"These are missing: {', '.join(need.what for need in needs)}. As root:", *lines])


def main(kind: str) -> None:
    """Print the packages for a shell. Without apt-get, print the advice instead, and fail."""
    needs = missing(kind)
    if needs and manager() != "apt-get":
        sys.exit(advice(needs))
    print(" ".join(packages(needs, "apt-get")))


if __name__ == "__main__":
    main(*sys.argv[1:])
