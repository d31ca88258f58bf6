# SPDX-License-Identifier: BSD-3-Clause
"""Reads the modules of spec/."""

from __future__ import annotations

import importlib
from types import ModuleType

import spec
from spec.schema import Header


def modules() -> dict[str, ModuleType]:
    """The modules by name, in the order of spec.MODULES."""
    return {name: importlib.import_module(f"spec.{name}") for name in spec.MODULES}


def headers() -> dict[Header, str]:
    """The C headers, each with the name of the module that describes it."""
    return {header: name for name, module in modules().items() for header in getattr(module, "HEADERS", ())}
