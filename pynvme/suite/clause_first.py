# SPDX-License-Identifier: BSD-3-Clause
"""A plugin for pytest (``-p pynvme.suite.clause_first``), which runs the tests of a section first.

``--check-clause`` names a clause. Tests that judge the same section of the same specification run first, and
the others keep their order. The score of the suite uses it (tools/score.py).
"""

from __future__ import annotations

import re

import pytest

CLAUSE = "--check-clause"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(CLAUSE, default="", metavar="CLAUSE", help="run the tests of this clause first")


def section(clause: str) -> tuple[str, str] | None:
    """The specification and the section of a clause, such as ("NVM", "3.2.6"), or None."""
    match = re.match(r"(\w+)[^,]*, (\d[\d.]*)", clause)
    return (match[1], match[2].rstrip(".")) if match else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests."""
    wanted = section(config.getoption(CLAUSE))

    def judges_another(item: pytest.Item) -> bool:
        marks = item.iter_markers("requirement")
        return wanted is None or all(section(mark.args[1]) != wanted for mark in marks)

    items.sort(key=judges_another)
