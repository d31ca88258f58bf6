# SPDX-License-Identifier: BSD-3-Clause
"""Copy on a drive that others have written: its limits, and what verification knows of a destination."""

from __future__ import annotations

import nvme as d
import pytest

DRIVE = "rich"


@pytest.fixture
def limits(nvme0n1):
    """MSSRL, and the most ranges. QEMU does not check MCL (docs/found.md)."""
    ns = nvme0n1.id_ns
    if not nvme0n1.supports(0x19):
        pytest.skip("needs a drive with Copy (ONCS bit 8)")
    return ns.mssrl, ns.msrc + 1


def test_a_destination_holds_what_its_sources_held(nvme0n1, qpair, limits):
    ranges, data, back = d.Buffer(), d.Buffer(16 * 512, ptype=0xBEEF, pvalue=100), d.Buffer(16 * 512)
    nvme0n1.write(qpair, data, 100, 16).waitdone()
    for index, start in enumerate((108, 100)):
        ranges.set_copy_range(index, start, 8)
    nvme0n1.copy(qpair, ranges, 1000, 2).waitdone()
    before = nvme0n1.verify_stats().judged
    nvme0n1.read(qpair, back, 1000, 16).waitdone()
    assert back[:] == data[4096:8192] + data[:4096]
    assert nvme0n1.verify_stats().judged == before + 16


def test_ranges_above_the_limits_are_refused(nvme0n1, qpair, limits):
    range_lbas, count = limits
    ranges = d.Buffer(32 * 256)
    ranges.set_copy_range(0, 0, range_lbas + 1)
    with pytest.warns(UserWarning, match="^ERROR status: (01/83|00/06)"):  # docs/found.md
        nvme0n1.copy(qpair, ranges, 5000, 1).waitdone()
    if count < 256:
        for index in range(count + 1):
            ranges.set_copy_range(index, index, 1)
        with pytest.warns(UserWarning, match="^ERROR status: 01/83"):
            nvme0n1.copy(qpair, ranges, 5000, count + 1).waitdone()
