# SPDX-License-Identifier: BSD-3-Clause
"""What chance explains, and what it does not."""

from __future__ import annotations

import pytest

from pynvme.suite.test_data import is_chance


@pytest.mark.parametrize("found, expected", [(0, 0.0), (1, 0.01), (8, 8.0), (256, 256.0), (3, 0.1)])
def test_chance(found: int, expected: float) -> None:
    assert is_chance(found, expected)


@pytest.mark.parametrize("found, expected", [(1, 1e-10), (128, 8.0), (64, 2.0)])
def test_no_chance(found: int, expected: float) -> None:
    assert not is_chance(found, expected)
