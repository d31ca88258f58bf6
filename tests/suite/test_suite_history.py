# SPDX-License-Identifier: BSD-3-Clause
"""What a finding tells of a command."""

from __future__ import annotations

import pytest

from pynvme.suite.history import MISMATCH, TIMED_OUT, status_text


@pytest.mark.parametrize(
    "status, text",
    [
        (0x281, "02/81 UNRECOVERED_READ_ERROR"),
        (0x360, "03/60 CONTROLLER_PATHING_ERROR"),
        (0x7C1, "07/c1 Vendor Specific"),
        (0x1C5, "01/c5 Vendor Specific"),
        (0x499, "04/99 Reserved"),
        (MISMATCH, "a mismatch that the driver found"),
        (TIMED_OUT, "no completion"),
    ],
)
def test_each_status_has_a_text(status: int, text: str) -> None:
    assert text in status_text(status)
