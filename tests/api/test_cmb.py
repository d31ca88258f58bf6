# SPDX-License-Identifier: BSD-3-Clause
"""The controller memory buffer of a drive without one. For drives with one see tests/qemu."""

from __future__ import annotations

import nvme as d
import pytest

CMBSZ = 0x3C


@pytest.fixture
def without(nvme0):
    """Give a controller that has none."""
    if nvme0.cmb is not None:
        pytest.skip(f"the drive has a controller memory buffer (CMBSZ is {nvme0[CMBSZ]:#x})")
    return nvme0


def test_no_buffer_can_be_in_it(without):
    before = d._dma_in_use()
    with pytest.raises(NotImplementedError, match="has no memory buffer"):
        d.Buffer(4096, cmb=without)
    assert d._dma_in_use() == before


@pytest.mark.parametrize("where", ["cmb_sq", "cmb_cq"])
def test_no_queue_can_be_in_it_and_its_identifier_stays_free(without, where):
    with pytest.raises(d.QpairCreationError, match="has no memory buffer"):
        d.Qpair(without, 8, **{where: True})
    pair = d.Qpair(without, 8)
    assert pair.sqid == 1
    pair.delete()


def test_only_a_controller_has_one(without):
    for wrong in ("0000:01:00.0", 1, without.pcie):
        with pytest.raises(TypeError, match="cmb must be a Controller"):
            d.Buffer(4096, cmb=wrong)


def test_a_closed_controller_has_none(without):
    without.pcie.close()
    with pytest.raises((RuntimeError, NotImplementedError)):
        d.Buffer(4096, cmb=without)
