# SPDX-License-Identifier: BSD-3-Clause
"""A plugin for pytest, which runs the tests of `pynvme.suite` first that judge a section of a specification.

The environment variable CLAUSE has the clause. Tests with the same specification and section run first, and
the others keep their order.
"""

from __future__ import annotations

import os
import re

import pytest


def section(clause: str) -> tuple[str, str] | None:
    """The specification and the section of a clause, such as ("NVM", "3.2.6"), or None."""
    match = re.match(r"(\w+)[^,]*, (\d[\d.]*)", clause)
    return (match[1], match[2].rstrip(".")) if match else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests."""
    wanted = section(os.environ.get("CLAUSE", ""))

    def judges_another(item: pytest.Item) -> bool:
        marks = item.iter_markers("requirement")
        return wanted is None or all(section(mark.args[1]) != wanted for mark in marks)

    items.sort(key=judges_another)
