# SPDX-License-Identifier: BSD-3-Clause
"""IO queue pairs: their depth, their QIDs, their life."""

import gc
import os
import signal
import weakref

import nvme as d
import pytest
from offered import LONE_HALF, NO_VECTOR_TABLE, SPDK, needs_fused

from pynvme.vssd import VirtualSsd


def pairs_offered(nvme0):
    queues = nvme0.getfeatures(7).waitdone()
    return min(queues & 0xFFFF, queues >> 16) + 1


@pytest.mark.parametrize("depth", [2, 3, 16, 1024])
def test_a_queue_of_n_entries_takes_n_minus_1_commands_in_flight(nvme0, nvme0n1, buf, depth):
    if depth > (nvme0.cap & 0xFFFF) + 1:
        pytest.skip(f"needs a drive with queues of {depth} entries (CAP.MQES)")
    pair = d.Qpair(nvme0, depth)
    for _ in range(3):
        for i in range(depth - 1):
            nvme0n1.read(pair, buf, i)
        pair.waitdone(depth - 1)
    pair.delete()


@pytest.mark.parametrize("depth", [-1, 0, 1, 1025, 65536])
def test_a_depth_out_of_range_is_asserted_with_the_range(nvme0, depth):
    with pytest.raises(AssertionError, match=r"2.*1024"):
        d.Qpair(nvme0, depth)


def test_qids_begin_with_the_lowest_free_one(nvme0):
    first, second, third = (d.Qpair(nvme0, 4) for _ in range(3))
    assert [p.sqid for p in (first, second, third)] == [1, 2, 3]
    second.delete()
    again = d.Qpair(nvme0, 4)
    assert again.sqid == 2
    for pair in (first, again, third):
        pair.delete()


def test_one_queue_more_than_the_drive_has_is_a_creation_error(nvme0, nvme0n1, buf):
    offered = pairs_offered(nvme0)
    pairs = [d.Qpair(nvme0, 4) for _ in range(offered)]
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 4)
    nvme0n1.read(pairs[-1], buf, 0).waitdone()
    for pair in pairs:
        pair.delete()
    d.Qpair(nvme0, 4).delete()


def test_a_drive_of_64_queue_pairs_takes_64():
    with VirtualSsd(size="64M", queues=64) as drive:
        pcie = d.Pcie(drive.address)
        nvme0 = d.Controller(pcie)
        nvme0n1, buf = d.Namespace(nvme0), d.Buffer(512)
        assert nvme0.getfeatures(7).waitdone() == 63 << 16 | 63
        pairs = [d.Qpair(nvme0, 4) for _ in range(64)]
        assert [pair.sqid for pair in pairs] == list(range(1, 65))
        for pair in pairs:
            nvme0n1.read(pair, buf, 0)
        for pair in pairs:
            pair.waitdone()
            assert pair.msix_isset()
        with pytest.raises(d.QpairCreationError, match="all 64"):
            d.Qpair(nvme0, 4)
        pcie.close()


@pytest.mark.differs(SPDK, LONE_HALF, breaks=True)
def test_queues_are_deleted_in_any_order_with_commands_in_flight(nvme0, nvme0n1, pcie, lba_size):
    """A write half of a fused pair that is not there keeps each queue's last command in flight."""
    needs_fused(nvme0)
    fused_first = 5 | 1 << 8
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        pairs, statuses = [d.Qpair(nvme0, 16) for _ in range(3)], []
        for pair in pairs:
            nvme0n1.send_cmd(
                fused_first,
                pair,
                d.Buffer(lba_size),
                1,
                cb=lambda cdw0, s, to=statuses: to.append(s >> 1 & 0x7FF),
            )
        for index in order:
            pairs[index].delete()
            with pytest.warns(UserWarning, match="^ERROR status: 00/08"):
                pairs[index].waitdone()
        assert statuses == [0x008] * 3
        pair = d.Qpair(nvme0, 4)
        assert pair.sqid == 1
        nvme0n1.read(pair, d.Buffer(lba_size), 0).waitdone()
        pair.delete()


def test_a_priority_without_weighted_round_robin_is_a_creation_error(nvme0):
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 4, prio=1)


@pytest.mark.parametrize("gone", [False, True])
def test_a_queue_the_drive_was_never_told_of_takes_no_memory(own, gone):
    """A script retries until another thread has initialised the drive."""
    nvme0 = d.Controller(own.pcie, nvme_init_func=True)  # initialises nothing by itself
    if gone:
        os.kill(own.ssd.pid, signal.SIGKILL)
    else:
        own.pcie.reset()
    gc.collect()
    in_use = d._dma_in_use()
    for _ in range(100):
        with pytest.raises(d.QpairCreationError, match="is gone" if gone else "is not enabled"):
            d.Qpair(nvme0, 1024)  # more than 4 MiB: together more than there is
    assert d._dma_in_use() == in_use


def test_a_deleted_queue_says_so(nvme0, nvme0n1, buf):
    pair = d.Qpair(nvme0, 4)
    qid = pair.sqid
    pair.delete()
    for use in (lambda: nvme0n1.read(pair, buf, 0), pair.waitdone):
        with pytest.raises(Exception, match=f"Qpair {qid} is deleted"):
            use()
    pair.delete()
    pair.close()


def test_a_queue_is_deleted_with_its_last_reference(nvme0):
    for _ in range(3 * pairs_offered(nvme0)):
        assert d.Qpair(nvme0, 4).sqid == 1


def test_the_destructor_of_an_old_queue_leaves_the_new_one_with_its_qid_alone(nvme0, nvme0n1, buf):
    old = d.Qpair(nvme0, 4)
    old.delete()
    new = d.Qpair(nvme0, 4)
    assert new.sqid == old.sqid
    del old
    gc.collect()
    nvme0n1.read(new, buf, 0).waitdone()
    new.delete()


def test_a_queue_deleted_with_commands_in_flight_leaves_the_drive_usable(nvme0, nvme0n1, buf):
    for _ in range(20):
        pair = d.Qpair(nvme0, 64)
        for _ in range(63):
            nvme0n1.read(pair, buf, 0)
        pair.delete()
    pair = d.Qpair(nvme0, 4)
    nvme0n1.read(pair, buf, 0).waitdone()
    pair.delete()


def test_what_is_deleted_after_the_device_was_closed_does_nothing(pciaddr):
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    nvme0n1 = d.Namespace(nvme0)
    pair = d.Qpair(nvme0, 4)
    pcie.close()
    pair.delete()
    nvme0n1.close()
    pcie.close()
    del nvme0
    gc.collect()


def test_a_queue_interrupts_on_its_own_vector_when_a_completion_comes(nvme0, nvme0n1, buf, assert_raised):
    pair = d.Qpair(nvme0, 4, ien=True)
    pair.msix_clear()
    assert not pair.msix_isset()
    nvme0n1.read(pair, buf, 0).waitdone()
    assert_raised(pair)
    pair.delete()


@pytest.mark.differs(SPDK, NO_VECTOR_TABLE)
def test_a_masked_vector_is_pending_until_it_is_unmasked(nvme0, nvme0n1, buf):
    pair = d.Qpair(nvme0, 4, ien=True)
    pair.msix_clear()
    pair.msix_mask()
    nvme0n1.read(pair, buf, 0).waitdone()
    assert not pair.msix_isset()
    pair.msix_unmask()
    assert pair.msix_isset()
    pair.delete()


def test_a_queue_without_interrupts_raises_none(nvme0, nvme0n1, buf):
    pair = d.Qpair(nvme0, 4, ien=False)
    pair.msix_clear()
    nvme0n1.read(pair, buf, 0).waitdone()
    assert not pair.msix_isset()
    pair.delete()


def test_a_qpair_that_only_its_callbacks_refer_to_is_deleted(own):
    pair = d.Qpair(own.nvme0, 8)
    called = []
    buf = d.Buffer(4096)
    for _ in range(3):
        own.nvme0n1.read(pair, buf, 0, 8, cb=lambda cpl, pair=pair: called.append(pair.sqid))
    gone = weakref.ref(pair)
    del pair
    gc.collect()
    assert gone() is None
    assert not called
    assert d.Qpair(own.nvme0, 8).sqid == 1


def test_a_controller_that_only_its_callbacks_refer_to_is_gone(own_ssd):
    nvme0 = d.Controller(d.Pcie(own_ssd.address))
    nvme0.aer(cb=lambda cpl, nvme0=nvme0: nvme0.cap)
    nvme0.getfeatures(7, cb=lambda cpl, nvme0=nvme0: nvme0.cap)
    gone = weakref.ref(nvme0)
    del nvme0
    gc.collect()
    assert gone() is None
    pcie = d.Pcie(own_ssd.address)
    assert d.Controller(pcie).getfeatures(7).waitdone()
    pcie.close()


def test_a_qpair_that_waits_is_not_collected_and_calls_back_in_order(own):
    pair = d.Qpair(own.nvme0, 64)
    buf = d.Buffer(4096)
    called = []
    for i in range(2000):
        own.nvme0n1.read(pair, buf, 0, 8, cb=lambda cpl, i=i, pair=pair: called.append(i))
        if i % 50 == 49:
            gc.collect()
            pair.waitdone(50)
    assert sorted(called) == list(range(2000))
