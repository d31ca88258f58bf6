# SPDX-License-Identifier: BSD-3-Clause
"""A drive through the kernel's vfio-pci, with the IOMMU on."""

from __future__ import annotations

import time

import nvme as d
import pytest

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def test_what_was_written_is_read(nvme0n1, qpair):
    data, back = d.Buffer(4096), d.Buffer(4096)
    data[:] = bytes(range(256)) * 16
    nvme0n1.write(qpair, data, 8, 8).waitdone()
    nvme0n1.read(qpair, back, 8, 8).waitdone()
    assert back[8:4088] == data[8:4088]


def test_an_interrupt_comes_for_its_vector_alone(nvme0, nvme0n1):
    first, second = d.Qpair(nvme0, 8), d.Qpair(nvme0, 8)
    buf = d.Buffer(4096)
    for pair, other in ((first, second), (second, first)):
        pair.msix_clear()
        other.msix_clear()
        nvme0n1.read(pair, buf, 0, 8).waitdone()
        assert pair.msix_isset()
        assert not other.msix_isset()
    first.delete()
    second.delete()


def test_a_masked_interrupt_waits_until_it_is_unmasked(nvme0n1, qpair):
    qpair.msix_clear()
    qpair.msix_mask()
    nvme0n1.read(qpair, d.Buffer(4096), 0, 8).waitdone()
    assert not qpair.msix_isset()
    qpair.msix_unmask()
    end = time.monotonic() + 1
    while not qpair.msix_isset():  # the guest's kernel has to run to hand it on
        assert time.monotonic() < end
