# SPDX-License-Identifier: BSD-3-Clause
"""The life of the verification table: sharing, lifetime, and data that change unnoticed."""

import time
import warnings

import nvme as d
import pytest

MISMATCH = r"^ERROR status: 07/81"


def stats(ns):
    s = ns.verify_stats()
    return s.judged, s.mismatch


def test_a_drive_closed_under_a_worker_that_writes_is_no_crash(own):
    """Closing the drive frees the table, to which the worker's commands in flight still refer."""
    worker = own.nvme0n1.ioworker(io_size=8, time=30, read_percentage=0, qdepth=64).start()
    time.sleep(0.3)
    own.pcie.close()
    assert worker.close().error == 0
    assert not worker.running


def test_another_limit_forgets_what_is_written_beyond_it_and_nothing_else(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096), 0, 8).waitdone()
    limited = d.Namespace(own.nvme0, 1, nlba_verify=4)
    own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()
    assert stats(own.nvme0n1) == (4, 0)
    limited.write(pair, d.Buffer(2048), 2, 4).waitdone()
    whole = d.Namespace(own.nvme0, 1)
    whole.read(pair, d.Buffer(4096), 0, 8).waitdone()
    assert stats(whole) == (4 + 6, 0)
    own.ssd.poke(1, 6, bytes(512))
    with pytest.warns(UserWarning, match=MISMATCH):
        own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()


def test_a_limit_set_while_a_worker_writes_is_no_false_alarm(own):
    worker = own.nvme0n1.ioworker(io_size=8, io_count=30000, region_end=4096, read_percentage=50).start()
    pair = d.Qpair(own.nvme0, 64)
    buffers = [d.Buffer(4096) for _ in range(8)]
    for i in range(200):
        ns = d.Namespace(own.nvme0, 1, nlba_verify=[0, 100, 5000][i % 3])
        for b in buffers:
            ns.write(pair, b, 8 * (i % 512), 8)
        pair.waitdone(8)
        ns.read(pair, d.Buffer(4096), 8 * (i % 512), 8).waitdone()
    assert worker.close().error == 0
    assert stats(own.nvme0n1)[1] == 0


def test_a_format_in_flight_is_no_false_alarm(own):
    """Data written before the end of the format may be lost."""
    pair = d.Qpair(own.nvme0, 64)
    lbaf = own.nvme0n1.get_lba_format(512)
    got: list[int] = []
    for _ in range(5):
        for i in range(20):
            own.nvme0n1.write(pair, d.Buffer(4096), 8 * i, 8).waitdone()
        own.nvme0.format(lbaf, 1)
        for i in range(20):  # a drive may abort these: only a false alarm is wrong
            own.nvme0n1.read(pair, d.Buffer(4096), 8 * i, 8, cb=lambda cpl: got.append(cpl[3] >> 17))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pair.waitdone(20)
        own.nvme0.waitdone()
    assert len(got) == 100
    assert 0x781 not in [status & 0x7FF for status in got]
    assert stats(own.nvme0n1)[1] == 0


def test_a_table_follows_the_lba_size_and_comes_back_empty(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096), 0, 8).waitdone()
    own.nvme0n1.format(4096)
    own.nvme0n1.write(pair, d.Buffer(8192), 0, 2).waitdone()
    own.nvme0n1.read(pair, d.Buffer(8192), 0, 2).waitdone()
    assert stats(own.nvme0n1) == (2, 0)
    own.nvme0n1.format(512)
    own.nvme0n1.read(pair, d.Buffer(8192), 0, 16).waitdone()
    assert stats(own.nvme0n1) == (0, 0)


def test_zeros_that_come_back_while_a_read_waits_are_no_false_alarm(own):
    """The read may have returned the data of the time between."""
    slow, fast = d.Qpair(own.nvme0, 8), d.Qpair(own.nvme0, 8)
    for _ in range(50):
        own.nvme0n1.write_zeroes(fast, 0, 8).waitdone()
        own.nvme0n1.write(fast, d.Buffer(4096), 0, 8).waitdone()
        own.nvme0n1.read(slow, d.Buffer(4096), 0, 8)
        own.nvme0n1.write_zeroes(fast, 0, 8).waitdone()
        slow.waitdone()
    assert stats(own.nvme0n1)[1] == 0


def test_a_queue_that_the_script_made_itself_makes_everything_unknown(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096), 0, 8).waitdone()
    own.ssd.poke(1, 3, bytes(512))
    own.nvme0[0x1000 + 8 * 9 + 4] = 0  # a doorbell of queue 9, which nobody here made
    own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()
    assert stats(own.nvme0n1) == (0, 0)


def test_a_worker_that_deallocates_and_writes_raises_no_false_alarm(nvme0n1):
    before = nvme0n1.verify_stats()
    for _ in range(3):
        worker = nvme0n1.ioworker(
            io_size=8, op_percentage={1: 45, 2: 45, 9: 10}, region_end=2000, io_count=20000, qdepth=9
        )
        result = worker.start().close()
        assert result.error == 0
    after = nvme0n1.verify_stats()
    assert after.mismatch == before.mismatch
    assert after.judged > before.judged


def test_a_deallocation_that_comes_after_the_flush_may_be_lost_with_the_power(own):
    """The flush does not cover it, though the command had completed before, and zeros were read since."""
    pair, data = d.Qpair(own.nvme0, 8), d.Buffer(4096)
    own.nvme0n1.write(pair, data, 0, 8).waitdone()
    own.nvme0n1.flush(pair).waitdone()
    ranges = d.Buffer(4096)
    ranges.set_dsm_range(0, 0, 8)
    with own.ssd.fault("opcode=dataset-management do early=20 yield"):
        own.nvme0n1.dsm(pair, ranges, 1).waitdone()
        own.nvme0n1.flush(pair).waitdone()
        time.sleep(0.2)
        own.nvme0n1.read(pair, data, 0, 8).waitdone()
    assert set(data[:]) == {0}
    d.Subsystem(own.nvme0).power_cycle(0)
    own.nvme0.reset()
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.read(pair, data, 0, 8).waitdone()
    assert set(data[:]) != {0}
    assert stats(own.nvme0n1)[1] == 0


def test_a_late_deallocation_leaves_a_newer_write_durable_without_the_cache(own):
    pair, data, ranges = d.Qpair(own.nvme0, 8), d.Buffer(4096), d.Buffer(4096)
    ranges.set_dsm_range(0, 0, 8)
    own.nvme0.setfeatures(6, cdw11=0).waitdone()
    with own.ssd.fault("opcode=dataset-management do early=20 yield"):
        own.nvme0n1.dsm(pair, ranges, 1).waitdone()
        own.nvme0n1.write(pair, data, 0, 8).waitdone()
        time.sleep(0.2)
    d.Subsystem(own.nvme0).power_cycle(0)
    own.nvme0.reset()
    own.nvme0n1.read(d.Qpair(own.nvme0, 8), data, 0, 8).waitdone()
    assert set(data[:]) != {0}
    assert stats(own.nvme0n1) == (8, 0)
