# SPDX-License-Identifier: BSD-3-Clause
"""Each test of the suite states its requirement, its purpose and its steps, and docs/suite.md has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pynvme.suite import AREAS, pages

ROOT = Path(__file__).parents[2]
TESTS = [(area, test) for area in AREAS for test in pages.tests_of(area)]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "suite.md").read_text() == pages.page(), "run python -m pynvme.suite.pages"


def test_each_file_is_an_area() -> None:
    files = {path.stem for path in (ROOT / "pynvme" / "suite").glob("test_*.py")}
    assert files == {f"test_{area}" for area in AREAS}


def test_identities_are_unique() -> None:
    identities = [test.identity for _, test in TESTS]
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("area, test", TESTS, ids=lambda value: getattr(value, "name", value))
def test_a_test_says_what_it_does(area: str, test: pages.Test) -> None:
    assert re.fullmatch(rf"{area.upper()}-\d+", test.identity)
    assert re.match(r"(Base|NVM|ZNS|KV|PCIe|OCP|NVMe-MI|TCG)[ A-Za-z]* \d", test.clause)
    assert len(test.purpose.split()) > 5 and test.purpose.endswith(".")
    assert re.match(r"1\. ", test.steps)


def test_no_test_knows_the_virtual_ssd() -> None:
    """A test that uses more than what each drive has would know the bugs that are planted."""
    for path in (ROOT / "pynvme" / "suite").glob("test_*.py"):
        assert "vssd" not in path.read_text().lower(), path.name
