# SPDX-License-Identifier: BSD-3-Clause
"""A persistent memory region: its registers, E00h to E08h (Base 3.1.3), and that they switch it."""

from __future__ import annotations

import pytest

from tests.qemu.conftest import FUNCTIONS
from tests.qemu.monitor import wait_for

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = "pmr"
CAP_HIGH, PMRCAP, PMRCTL, PMRSTS = 0x04, 0xE00, 0xE04, 0xE08
PMRS = 1 << 24  # CAP bit 56
NOT_READY, HEALTH, ERROR = 1 << 8, 7 << 9, 0xFF


def test_it_is_in_the_bar_that_pmrcap_names(nvme0, drive):
    assert nvme0[CAP_HIGH] & PMRS
    bar = nvme0[PMRCAP] >> 5 & 7
    first, last, _ = ((FUNCTIONS / drive("pmr") / "resource").read_text().splitlines()[bar]).split()
    assert int(last, 16) + 1 - int(first, 16) == 16 << 20


def test_it_is_ready_while_it_is_enabled(nvme0):
    """PMRCAP.PMRTO says how long that may take, in units of PMRTU: 500 ms, or minutes."""
    capabilities = nvme0[PMRCAP]
    unit = 60 if capabilities >> 8 & 3 else 0.5
    seconds = max(1, (capabilities >> 16 & 0xFF) * unit)
    for _ in range(3):
        nvme0[PMRCTL] = 1
        wait_for(lambda: not nvme0[PMRSTS] & NOT_READY, seconds, "the PMR is ready")
        assert not nvme0[PMRSTS] & (HEALTH | ERROR)
        nvme0[PMRCTL] = 0
        wait_for(lambda: nvme0[PMRSTS] & NOT_READY, seconds, "the PMR is not ready any more")
