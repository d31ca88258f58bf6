# SPDX-License-Identifier: BSD-3-Clause
"""Fused Compare and Write by send_cmd, and what verification makes of it."""

import nvme as d
import pytest
from offered import LONE_HALF, SPDK, needs_fused

FIRST, SECOND = 5 | 1 << 8, 1 | 2 << 8  # opcode and FUSE


@pytest.fixture(autouse=True)
def supported(nvme0):
    """Skip if the drive has no fused Compare and Write."""
    needs_fused(nvme0)


def atomic_lbas(nvme0, nvme0n1):
    """LBAs of a fused pair, at most 8. A drive may refuse more than ACWU or NACWU (NVM 1.0, 2.1.3.1)."""
    own = nvme0n1.id_ns.nacwu if nvme0n1.id_ns.nsfeat.nsabp else 0
    return min(8, 1 + (own or nvme0.id_ctrl.acwu))


@pytest.fixture
def statuses():
    """Give a list, and a callback that puts statuses into it."""
    found = []
    return found, lambda cdw0, status1: found.append(status1 >> 1 & 0x7FF)


def test_the_write_is_done_where_the_data_are_equal_and_verified_afterwards(
    nvme0, nvme0n1, qpair, verify, lba_size
):
    count = atomic_lbas(nvme0, nvme0n1)
    old, new, back = (
        d.Buffer(count * lba_size),
        d.Buffer(count * lba_size, ptype=0xBEEF, pvalue=100),
        d.Buffer(count * lba_size),
    )
    for lba in (8, 16):
        nvme0n1.write(qpair, old, lba, count).waitdone()
        nvme0n1.send_cmd(FIRST, qpair, old, 1, lba, 0, count - 1)
        nvme0n1.send_cmd(SECOND, qpair, new, 1, lba, 0, count - 1)
        qpair.waitdone(2)
        before = nvme0n1.verify_stats()
        nvme0n1.read(qpair, back, lba, count).waitdone()
        assert back[:] == new[:]
        assert nvme0n1.verify_stats().judged == before.judged + count, "the fused write was tracked"


def test_a_corruption_after_a_fused_write_is_found(own):
    nvme0n1, pair = own.nvme0n1, d.Qpair(own.nvme0, 8)
    zeros, new = d.Buffer(512), d.Buffer(512, ptype=0xBEEF, pvalue=100)
    nvme0n1.send_cmd(FIRST, pair, zeros, 1, 3)
    nvme0n1.send_cmd(SECOND, pair, new, 1, 3)
    pair.waitdone(2)
    own.ssd.poke(1, 3, b"\x55" * 512)
    with pytest.warns(UserWarning, match="^ERROR status: 07/81"):
        nvme0n1.read(pair, d.Buffer(512), 3).waitdone()


def test_a_write_that_was_not_done_is_no_mismatch(nvme0n1, qpair, verify, statuses, lba_size):
    found, cb = statuses
    old, wrong, back = d.Buffer(lba_size), d.Buffer(lba_size, pvalue=1), d.Buffer(lba_size)
    nvme0n1.write(qpair, old, 40).waitdone()
    nvme0n1.send_cmd(FIRST, qpair, wrong, 1, 40, cb=cb)
    nvme0n1.send_cmd(SECOND, qpair, wrong, 1, 40, cb=cb)
    with pytest.warns(UserWarning) as caught:
        qpair.waitdone(2)
    assert [str(w.message) for w in caught] == [
        "ERROR status: 02/85 Compare Failure",
        "ERROR status: 00/09 Command Aborted due to Failed Fused Command",
    ]
    assert found == [0x285, 0x009]
    nvme0n1.read(qpair, back, 40).waitdone()
    assert back[:] == old[:]


@pytest.mark.differs(SPDK, "halves of different ranges are 00/02 and 00/09 (NVM 1.0, 2.1.3.1)")
def test_halves_of_different_ranges_are_refused(nvme0n1, qpair, statuses, lba_size):
    found, cb = statuses
    data = d.Buffer(8 * lba_size)
    nvme0n1.send_cmd(FIRST, qpair, data, 1, 48, 0, 7, cb=cb)
    nvme0n1.send_cmd(SECOND, qpair, data, 1, 48, 0, 3, cb=cb)
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        qpair.waitdone(2)
    assert found == [0x002, 0x002]


@pytest.mark.needs_engine("lone-fused")
@pytest.mark.differs(SPDK, LONE_HALF, breaks=True)
def test_a_half_alone_is_aborted(nvme0n1, qpair, lba_size):
    for opcode in (FIRST, SECOND):
        nvme0n1.send_cmd(opcode, qpair, d.Buffer(lba_size), 1, 50)
        with pytest.warns(UserWarning, match="^ERROR status: 00/0a"):
            qpair.waitdone()


def test_fused_pairs_of_a_small_queue_wrap(nvme0, nvme0n1, lba_size):
    pair = d.Qpair(nvme0, 4)
    now = d.Buffer(lba_size)
    nvme0n1.write(pair, now, 60).waitdone()
    for turn in range(1, 20):
        new = d.Buffer(lba_size, ptype=32, pvalue=turn)
        nvme0n1.send_cmd(FIRST, pair, now, 1, 60)
        nvme0n1.send_cmd(SECOND, pair, new, 1, 60)
        pair.waitdone(2)
        now = new
    back = d.Buffer(lba_size)
    nvme0n1.read(pair, back, 60).waitdone()
    assert back.data(3, 0) == 19
    pair.delete()


@pytest.mark.differs(SPDK, LONE_HALF, breaks=True)
def test_a_deleted_queue_leaves_no_half_behind(nvme0, nvme0n1, buf):
    pair = d.Qpair(nvme0, 4)
    nvme0n1.send_cmd(FIRST, pair, buf, 1, 70)
    pair.delete()
    with pytest.warns(UserWarning, match="^ERROR status: 00/08"):
        pair.waitdone()
    again = d.Qpair(nvme0, 4)
    nvme0n1.read(again, buf, 70).waitdone()
    again.delete()
