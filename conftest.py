# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of this checkout's tests: the public plugin, and the check that a test leaves nothing behind."""

pytest_plugins = [
    "pynvme.plugin",
    "tests.fix_engines",
    "tests.fix_leaks",
    "tests.fix_load",
    "tests.fix_terminal",
    "pytester",
]
