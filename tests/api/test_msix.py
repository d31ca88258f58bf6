# SPDX-License-Identifier: BSD-3-Clause
"""Interrupts as a script sees them: vectors, masks and coalescing."""

import os
import time

import nvme as d
import pytest
from offered import NO_VECTOR_TABLE, SPDK, needs_changeable, wait_set


@pytest.fixture
def pair(nvme0):
    """Give a queue of 64 entries."""
    pair = d.Qpair(nvme0, 64)
    yield pair
    pair.delete()


def test_a_new_queue_has_had_no_interrupt(nvme0, nvme0n1, buf, assert_raised):
    for _ in range(3):
        pair = d.Qpair(nvme0, 4)
        assert pair.msix_isset() is False
        nvme0n1.read(pair, buf, 0).waitdone()
        assert_raised(pair)
        pair.delete()


def test_isset_holds_until_it_is_cleared(nvme0n1, pair, buf, assert_raised):
    nvme0n1.read(pair, buf, 0).waitdone()
    assert_raised(pair)
    assert pair.msix_isset()
    pair.msix_clear()
    assert not pair.msix_isset()
    pair.msix_clear()
    for _ in range(200):
        nvme0n1.read(pair, buf, 0).waitdone()
        assert_raised(pair)
        pair.msix_clear()
        assert not pair.msix_isset()


def test_nothing_is_raised_while_msix_is_disabled(nvme0, nvme0n1, pair, buf):
    """An interrupt raised meanwhile is lost; later ones are raised again."""
    pcie = nvme0.pcie
    at = pcie.cap_offset(0x11)
    if at is None:
        pytest.skip("needs a drive with MSI-X")
    pair.msix_clear()
    pcie[at + 3] = pcie[at + 3] & 0x7F
    try:
        nvme0n1.flush(pair).waitdone()
        time.sleep(0.05)
        assert pair.msix_isset() is False
        assert not pcie[at + 3] & 0x80
    finally:
        pcie[at + 3] = pcie[at + 3] | 0x80
    assert pcie[at + 3] & 0x80
    assert pair.msix_isset() is False
    nvme0n1.flush(pair).waitdone()
    wait_set(pair)


def test_only_the_vector_of_the_queue_is_raised(nvme0, nvme0n1, pair, buf, assert_raised):
    other = d.Qpair(nvme0, 4)
    nvme0n1.read(other, buf, 0).waitdone()
    assert_raised(other)
    assert not pair.msix_isset()
    other.delete()


@pytest.mark.differs(SPDK, NO_VECTOR_TABLE)
def test_queues_of_one_vector_share_it(nvme0, nvme0n1, buf):
    one, two = d.Qpair(nvme0, 4, iv=5), d.Qpair(nvme0, 4, iv=5)
    nvme0n1.read(one, buf, 0).waitdone()
    assert one.msix_isset() and two.msix_isset()
    two.msix_clear()
    assert not one.msix_isset()
    one.delete()
    nvme0n1.read(two, buf, 0).waitdone()
    assert two.msix_isset(), "it lasts as long as one of them"
    two.msix_mask()
    two.delete()
    again = d.Qpair(nvme0, 4, iv=5)
    nvme0n1.read(again, buf, 0).waitdone()
    assert again.msix_isset(), "the mask went with the last queue"
    again.delete()


def test_a_queue_without_interrupts_may_share_the_vector_of_one_that_has_them(
    nvme0, nvme0n1, buf, assert_raised
):
    quiet, loud = d.Qpair(nvme0, 4, ien=False, iv=6), d.Qpair(nvme0, 4, iv=6)
    nvme0n1.read(quiet, buf, 0).waitdone()
    assert not quiet.msix_isset()
    nvme0n1.read(loud, buf, 0).waitdone()
    assert_raised(quiet)
    quiet.delete()
    loud.delete()


def test_vector_0_is_the_admin_queues_too(nvme0, nvme0n1, buf, assert_raised):
    pair = d.Qpair(nvme0, 4, iv=0)
    pair.msix_clear()
    nvme0.getfeatures(7).waitdone()
    assert_raised(pair)
    pair.msix_clear()
    nvme0n1.read(pair, buf, 0).waitdone()
    assert_raised(pair)
    pair.delete()


def test_a_vector_that_the_drive_has_not_is_a_creation_error(nvme0, nvme0n1, buf):
    with pytest.raises(d.QpairCreationError, match="01/08"):
        d.Qpair(nvme0, 4, iv=1000)
    pair = d.Qpair(nvme0, 4)
    nvme0n1.read(pair, buf, 0).waitdone()
    pair.delete()


@pytest.mark.differs(SPDK, NO_VECTOR_TABLE)
def test_masking_one_vector_leaves_the_others(nvme0, nvme0n1, pair, buf):
    other = d.Qpair(nvme0, 4)
    other.msix_mask()
    for each in (other, pair):
        nvme0n1.read(each, buf, 0).waitdone()
    assert pair.msix_isset() and not other.msix_isset()
    other.msix_unmask()
    assert other.msix_isset()
    other.msix_clear()
    other.msix_unmask()
    assert not other.msix_isset(), "nothing was pending"
    other.delete()


@pytest.mark.differs(SPDK, NO_VECTOR_TABLE)
def test_a_mask_outlasts_many_completions_and_gives_one_interrupt(nvme0n1, pair, buf):
    pair.msix_mask()
    for _ in range(10):
        nvme0n1.read(pair, buf, 0).waitdone()
    assert not pair.msix_isset()
    pair.msix_unmask()
    assert pair.msix_isset()
    pair.msix_clear()
    assert not pair.msix_isset()


@pytest.mark.differs(SPDK, NO_VECTOR_TABLE)
@pytest.mark.parametrize("reset", ["reset", "flr", None])
def test_interrupts_work_after_a_reset(pcie, nvme0, nvme0n1, buf, reset):
    old = d.Qpair(nvme0, 4)
    old.msix_mask()
    if reset:
        getattr(pcie, reset)()
    nvme0.reset()
    with pytest.raises(RuntimeError, match="Qpair 1 is deleted"):
        old.msix_isset()
    pair = d.Qpair(nvme0, 4)
    assert not pair.msix_isset()
    nvme0n1.read(pair, buf, 0).waitdone()
    assert pair.msix_isset()
    pair.delete()


def test_a_deleted_queue_says_so(nvme0):
    pair = d.Qpair(nvme0, 4)
    pair.delete()
    for use in (pair.msix_isset, pair.msix_clear, pair.msix_mask, pair.msix_unmask):
        with pytest.raises(RuntimeError, match="Qpair 1 is deleted"):
            use()


@pytest.mark.needs_engine("interrupts")
def test_queues_give_their_descriptors_back(nvme0):
    d.Qpair(nvme0, 4).delete()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        pair = d.Qpair(nvme0, 4)
        assert len(os.listdir("/proc/self/fd")) == before + 1
        pair.delete()
    assert len(os.listdir("/proc/self/fd")) == before
    pair = d.Qpair(nvme0, 4)
    nvme0.reset()
    assert len(os.listdir("/proc/self/fd")) == before


def test_interrupts_after_a_power_cycle(own, buf):
    subsystem = d.Subsystem(own.nvme0)
    for _ in range(3):
        pair = d.Qpair(own.nvme0, 4)
        own.nvme0n1.read(pair, buf, 0).waitdone()
        assert pair.msix_isset()
        pair.msix_mask()
        subsystem.power_cycle(0)


class TestCoalescing:
    """Features 08h and 09h; times are in units of 100 us, the threshold is 0's based."""

    @pytest.fixture(autouse=True)
    def off_afterwards(self, nvme0):
        needs_changeable(nvme0, 8, "interrupt coalescing")
        yield
        nvme0.setfeatures(8, cdw11=0).waitdone()

    def test_an_interrupt_waits_for_the_threshold(self, nvme0, nvme0n1, pair, buf):
        nvme0.setfeatures(8, cdw11=255 << 8 | 7).waitdone()
        assert nvme0.getfeatures(8).waitdone() == 255 << 8 | 7
        start = time.monotonic()
        for _ in range(7):
            nvme0n1.read(pair, buf, 0).waitdone()
        is_set = pair.msix_isset()
        if time.monotonic() - start < 0.02:
            assert not is_set
        nvme0n1.read(pair, buf, 0).waitdone()
        assert pair.msix_isset()

    def test_an_interrupt_waits_no_longer_than_the_time(self, nvme0, nvme0n1, pair, buf):
        nvme0.setfeatures(8, cdw11=100 << 8 | 200).waitdone()
        start = time.monotonic()
        nvme0n1.read(pair, buf, 0).waitdone()
        wait_set(pair)
        assert time.monotonic() - start >= 0.01

    def test_a_vector_is_left_out(self, nvme0, nvme0n1, pair, buf):
        nvme0.setfeatures(8, cdw11=255 << 8 | 200).waitdone()
        nvme0.setfeatures(9, cdw11=1 << 16 | pair.sqid).waitdone()
        for _ in range(5):
            nvme0n1.read(pair, buf, 0).waitdone()
            assert pair.msix_isset()
            pair.msix_clear()
        nvme0.setfeatures(9, cdw11=pair.sqid).waitdone()
