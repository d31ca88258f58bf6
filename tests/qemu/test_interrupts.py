# SPDX-License-Identifier: BSD-3-Clause
"""Interrupts through the kernel: MSI-X, the pin, and what a drive has not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Callable, NamedTuple

import nvme as d
import pytest

INTMS, INTMC = 0x0C, 0x10
PIN, INTX_DISABLE = 0x3D, 1 << 10
NOT_CHANGEABLE = 0x010E

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


class Opened(NamedTuple):
    pcie: d.Pcie
    nvme0: d.Controller
    namespace: d.Namespace
    buf: d.Buffer


@pytest.fixture
def opened(plain: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Opened]]:
    """Give ``opened("intx")``: the drive, opened anew with this kind of interrupts."""
    closing = []

    def open_with(kind: str) -> Opened:
        monkeypatch.setenv("PYNVME_IRQ", kind)
        pcie = d.Pcie(plain)
        closing.append(pcie)
        nvme0 = d.Controller(pcie)
        return Opened(pcie, nvme0, d.Namespace(nvme0, 1), d.Buffer(4096))

    d.Pcie(plain).close()
    yield open_with
    for pcie in closing:
        pcie.close()


def comes(pair: d.Qpair, seconds: float = 2) -> bool:
    """Wait for the interrupt."""
    end = time.monotonic() + seconds
    while not pair.msix_isset():
        if time.monotonic() > end:
            return False
    return True


def answered(pair: d.Qpair, own: Opened) -> None:
    """Send a read and let the drive answer it; the answer is not taken."""
    own.namespace.read(pair, own.buf, 0, 8)


def settled(pair: d.Qpair) -> None:
    """Forget what there was: a pin is every queue's, and the admin queue's."""
    pair.msix_clear()
    pair.msix_clear()


def test_msix_vectors_are_one_for_each_queue(opened):
    own = opened("msix")
    pairs = [d.Qpair(own.nvme0, 8) for _ in range(4)]
    for pair in pairs:
        pair.msix_clear()
    for index, pair in enumerate(pairs):
        own.namespace.read(pair, own.buf, 0, 8).waitdone()
        assert pair.msix_isset(), "a no waits until the kernel has handed the interrupt on"
        assert [other.msix_isset() for other in pairs] == [i == index for i in range(4)]
        pair.msix_clear()
    for pair in pairs:
        pair.delete()


def test_a_hundred_interrupts_are_all_seen_after_their_completion(opened):
    own = opened("msix")
    pair = d.Qpair(own.nvme0, 8)
    for _ in range(100):
        pair.msix_clear()
        own.namespace.read(pair, own.buf, 0, 8).waitdone()
        assert comes(pair)
    pair.delete()


def test_coalescing_is_as_the_drive_says(opened):
    """Features 08h and 09h: QEMU has them, and lets neither be changed (Base 5.27.1)."""
    own = opened("msix")
    pair = d.Qpair(own.nvme0, 8)
    changeable = own.nvme0.getfeatures(8, sel=3).waitdone() >> 2 & 1
    if changeable:
        own.nvme0.setfeatures(8, cdw11=255 << 8 | 3).waitdone()
        for _ in range(3):
            own.namespace.read(pair, own.buf, 0, 8).waitdone()
        pair.msix_clear()
        own.namespace.read(pair, own.buf, 0, 8).waitdone()
        assert not pair.msix_isset()
        own.nvme0.setfeatures(8, cdw11=0).waitdone()
    else:
        seen = []
        with pytest.warns(UserWarning, match="01/0e"):
            own.nvme0.setfeatures(
                8, cdw11=255 << 8 | 3, cb=lambda cdw0, status: seen.append(status >> 1)
            ).waitdone()
        assert seen[0] & 0x7FF == NOT_CHANGEABLE & 0x7FF
        assert own.nvme0.getfeatures(8).waitdone() == 0
        assert own.nvme0.getfeatures(9, cdw11=pair.sqid).waitdone() & 0xFFFF == pair.sqid
        for _ in range(3):
            pair.msix_clear()
            own.namespace.read(pair, own.buf, 0, 8).waitdone()
            assert comes(pair)
    pair.delete()


def test_by_its_pin_a_drive_interrupts_until_its_completions_are_taken(opened):
    own = opened("intx")
    assert own.pcie.register(PIN, 1) == 1
    assert own.pcie.register(4, 2) & INTX_DISABLE, "as long as nobody listens"
    pair = d.Qpair(own.nvme0, 8)
    assert not own.pcie.register(4, 2) & INTX_DISABLE
    settled(pair)
    assert not pair.msix_isset()
    for _ in range(10):
        answered(pair, own)
        assert comes(pair)
        pair.msix_clear()
        assert comes(pair), "its level stays"
        pair.waitdone()
        settled(pair)
        assert not pair.msix_isset()
    pair.delete()
    assert own.pcie.register(4, 2) & INTX_DISABLE


def test_all_queues_share_the_pin_and_have_vector_0(opened):
    own = opened("intx")
    one, other = d.Qpair(own.nvme0, 8), d.Qpair(own.nvme0, 8)
    settled(one)
    answered(other, own)
    assert comes(one)
    other.waitdone()
    one.delete()
    settled(other)
    answered(other, own)
    assert comes(other), "the pin stays as long as one of them"
    other.waitdone()
    other.delete()


def test_the_pin_is_masked_in_the_registers_of_the_controller(opened):
    own = opened("intx")
    pair = d.Qpair(own.nvme0, 8)
    settled(pair)
    pair.msix_mask()
    assert own.nvme0[INTMS] == own.nvme0[INTMC] == 1
    answered(pair, own)
    time.sleep(0.2)
    assert not pair.msix_isset()
    pair.msix_unmask()
    assert own.nvme0[INTMS] == 0
    assert comes(pair)
    pair.waitdone()
    pair.msix_mask()
    pair.delete()
    assert own.nvme0[INTMS] == 0, "the mask goes with the last queue"


@pytest.mark.parametrize("reset", ["flr", "reset"])
def test_the_pin_works_after_a_reset(opened, reset):
    own = opened("intx")
    d.Qpair(own.nvme0, 8).msix_mask()
    getattr(own.pcie, reset)()
    own.nvme0.reset()
    pair = d.Qpair(own.nvme0, 8)
    settled(pair)
    answered(pair, own)
    assert comes(pair)
    pair.waitdone()
    pair.delete()


def test_a_verified_worker_needs_no_interrupts(opened):
    own = opened("intx")
    result = (
        own.namespace.ioworker(region_end=1024, read_percentage=50, io_count=300, qdepth=8).start().close()
    )
    assert (result.error, result.lba_mismatch) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("msi", "PYNVME_IRQ=msi, but .* has no MSI"), ("pin", "PYNVME_IRQ=pin: msix, msi or intx is expected")],
    ids=["missing", "unknown"],
)
def test_a_kind_that_is_asked_for_and_missing_is_an_error(opened, kind, text):
    with pytest.raises(d.NvmeEnumerateError, match=text):
        opened(kind)
