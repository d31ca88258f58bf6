# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of this checkout's tests: the public plugin, and the check that a test leaves nothing behind."""

from __future__ import annotations

import gc

pytest_plugins = [
    "pynvme.plugin",
    "tests.fix_engines",
    "tests.fix_leaks",
    "tests.fix_load",
    "tests.fix_terminal",
    "pytester",
]


def pytest_collection_finish() -> None:
    """Leave thousands of collected tests out of each later garbage collection, which takes long with them."""
    gc.collect()
    gc.freeze()
