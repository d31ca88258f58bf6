# SPDX-License-Identifier: BSD-3-Clause
"""Explains why the driver, the module ``nvme``, could not be imported, and what to do about it."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

BUILD = "'make build' in a checkout builds it, 'pip install .' installs it with what it needs."


def install(package: str) -> str:
    """The command that installs a package for this Python."""
    return f"{sys.executable} -m pip install {package}"


def why(error: ImportError) -> str:
    """Give the cause of an ImportError and what to do, in a few sentences for a user."""
    missing = isinstance(error, ModuleNotFoundError)
    if missing and error.name not in (None, "nvme"):
        return f"The Python package {error.name} is missing: 'pip install {error.name}' installs it."
    if missing:
        return f"The driver, the module nvme, is not built for {_this_python()}.{_others()} {BUILD}"
    return f"The driver is built and does not load: {error}. {_remedy(str(error))}"


def _this_python() -> str:
    return f"Python {sys.version_info.major}.{sys.version_info.minor} ({sys.executable})"


def _others() -> str:
    """Name the modules that are built for other Pythons."""
    folders = dict.fromkeys([str(Path(__file__).parent.parent), *sys.path])
    names = [path.name for folder in folders for path in sorted(Path(folder).glob("nvme.*.so"))]
    others = [name for name in dict.fromkeys(names) if not name.endswith(EXTENSION_SUFFIXES[0])]
    return f" What is there is for another one: {', '.join(others)}." if others else ""


def _remedy(cause: str) -> str:
    library, _, rest = cause.partition(": ")
    if rest.startswith("cannot open shared object file"):
        return f"Install the library {library}, or build the driver here. {BUILD}"
    if "ISA level" in cause:
        return (
            "It was built for a newer processor than this one, because its DPDK or SPDK was. Build them and "
            "pynvme here, or configure SPDK with --target-arch=x86-64-v2."
        )
    if "GLIBC_" in cause:
        return f"It was built with a newer C library than the one here: build it here. {BUILD}"
    return "Build it anew: 'make clean build' in a checkout, 'pip install --force-reinstall' elsewhere."
