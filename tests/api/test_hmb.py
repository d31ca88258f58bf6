# SPDX-License-Identifier: BSD-3-Clause
"""The host memory buffer by enable_hmb() and disable_hmb(): the virtual SSD uses it, with workers running."""

import nvme as d
import pytest


def is_enabled(nvme0):
    values = []
    nvme0.getfeatures(0x0D, buf=d.Buffer(4096), cb=lambda cdw0, status: values.append(cdw0)).waitdone()
    return values == [1]


@pytest.fixture
def lent(own):
    own.nvme0.enable_hmb()
    assert is_enabled(own.nvme0)
    return own


def run(own):
    result = own.nvme0n1.ioworker(
        io_size=8, read_percentage=50, io_count=2000, region_end=4096, qdepth=16, lba_align=8
    )
    assert result.start().close().error == 0


def test_workers_make_use_of_it_and_no_more_after_its_end(lent):
    run(lent)
    used = lent.ssd.counters()
    assert used.hmb_hits > 0 and used.hmb_errors == 0
    lent.nvme0.disable_hmb()
    assert not is_enabled(lent.nvme0)
    run(lent)
    after = lent.ssd.counters()
    assert after[-3:] == used[-3:]


@pytest.mark.parametrize("reset", ["controller", "pcie", "subsystem"])
def test_a_reset_ends_it_and_it_can_be_lent_again(lent, reset):
    run(lent)
    if reset == "pcie":
        lent.pcie.reset()
    elif reset == "subsystem":
        assert d.Subsystem(lent.nvme0).reset()
    lent.nvme0.reset()
    assert not is_enabled(lent.nvme0)
    used = lent.ssd.counters()
    run(lent)
    assert lent.ssd.counters()[-3:] == used[-3:]
    lent.nvme0.enable_hmb()
    run(lent)
    assert lent.ssd.counters().hmb_hits > used.hmb_hits
    assert lent.ssd.counters().hmb_errors == 0


def test_lending_twice_leaves_the_drive_with_memory_that_is_there(lent):
    lent.nvme0.enable_hmb()
    for _ in range(8):
        d.Buffer(4 << 20)
    run(lent)
    lent.nvme0.enable_hmb()
    run(lent)
    assert lent.ssd.counters().hmb_errors == 0
