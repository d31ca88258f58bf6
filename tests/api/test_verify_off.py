# SPDX-License-Identifier: BSD-3-Clause
"""Verification switched off: data that workers write meanwhile are unknown, and never judged wrongly."""

from __future__ import annotations

import os
import signal
import time

import nvme as d
import pytest

MISMATCH = r"^ERROR status: 07/81"


def stats(ns):
    s = ns.verify_stats()
    return s.judged, s.unverified, s.mismatch


def read(own, lba, count=8):
    """How many LBAs of it were judged."""
    before = stats(own.nvme0n1)
    pair = d.Qpair(own.nvme0, 4)
    own.nvme0n1.read(pair, d.Buffer(512 * count), lba, count).waitdone()
    pair.delete()
    after = stats(own.nvme0n1)
    assert after[0] + after[1] - before[0] - before[1] == count
    return after[0] - before[0]


def fill(own, **options):
    return own.nvme0n1.ioworker(
        io_size=8, lba_random=False, region_end=4096, read_percentage=0, **options
    ).start()


def test_the_region_of_a_worker_is_unknown_until_it_is_written_again(own):
    fill(own).close()
    assert read(own, 1000) == 8
    own.nvme0n1.verify_enable(False)
    own.nvme0n1.ioworker(
        io_size=8, io_count=100, region_start=512, region_end=2048, read_percentage=0
    ).start().close()
    own.nvme0n1.verify_enable()
    assert [read(own, lba) for lba in (504, 512, 1000, 2040, 2048)] == [8, 0, 0, 0, 8]
    fill(own).close()
    assert read(own, 1000) == 8
    own.ssd.poke(1, 1003, bytes(512))
    with pytest.warns(UserWarning, match=MISMATCH):
        read(own, 1000)


def test_the_switch_belongs_to_the_object_that_has_it(own):
    """Each object of a namespace has its own, for commands and for workers."""
    other, pair, buf = d.Namespace(own.nvme0), d.Qpair(own.nvme0, 4), d.Buffer(512)
    own.nvme0n1.write(pair, buf, 5).waitdone()
    own.ssd.poke(1, 5, bytes(512))
    other.verify_enable(False)
    other.read(pair, buf, 5).waitdone()
    assert other.ioworker(io_size=1, region_start=5, region_end=6, io_count=4).start().close().error == 0
    assert stats(other) == (0, 0, 0), "the counts are those of the namespace"
    with pytest.warns(UserWarning, match=MISMATCH):
        own.nvme0n1.read(pair, buf, 5).waitdone()
    assert stats(own.nvme0n1) == stats(other) == (1, 0, 1)


def test_a_worker_writes_without_stamps(own):
    own.nvme0n1.verify_enable(False)
    own.nvme0n1.ioworker(
        io_size=8, lba_random=False, region_end=64, read_percentage=0, ptype=32, pvalue=0x5A5A5A5A
    ).start().close()
    assert bytes(own.ssd.peek(1, 5)) == b"\x5a" * 512


def test_a_reader_leaves_its_region_as_it_was(own):
    fill(own).close()
    own.nvme0n1.verify_enable(False)
    own.nvme0n1.ioworker(io_size=8, io_count=1000, region_end=4096).start().close()
    own.nvme0n1.verify_enable()
    assert read(own, 8) == 8


def test_what_a_script_writes_itself_is_tracked(own):
    pair = d.Qpair(own.nvme0, 4)
    own.nvme0n1.verify_enable(False)
    own.nvme0n1.write(pair, d.Buffer(4096), 8, 8).waitdone()
    own.nvme0n1.verify_enable()
    assert read(own, 8) == 8


def test_nothing_is_judged_while_the_worker_still_writes(own):
    """Switched on again meanwhile; the script and another worker write, and their order is unknown."""
    own.nvme0n1.verify_enable(False)
    worker = own.nvme0n1.ioworker(io_size=8, time=3, region_end=64, read_percentage=0, qdepth=16).start()
    own.nvme0n1.verify_enable()
    pair, buf = d.Qpair(own.nvme0, 4), d.Buffer(4096)
    other = own.nvme0n1.ioworker(io_size=8, time=1, region_end=128, read_percentage=50, qdepth=16).start()
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        own.nvme0n1.write(pair, buf, 8, 8).waitdone()
        own.nvme0n1.read(pair, d.Buffer(4096), 8, 8).waitdone()
    result = other.close()
    assert (result.error, result.lba_mismatch) == (0, 0)
    assert result.lba_verified > 0  # beyond the region of the other
    assert worker.close().error == 0
    assert stats(own.nvme0n1)[2] == 0
    assert read(own, 8) == 0
    own.nvme0n1.write(pair, buf, 8, 8).waitdone()
    assert read(own, 8) == 8


@pytest.mark.parametrize("how", ["kill", "reset", "collect"])
def test_however_the_worker_ends_its_region_is_unknown(own, how):
    fill(own).close()
    own.nvme0n1.verify_enable(False)
    worker = own.nvme0n1.ioworker(io_size=8, time=30, region_end=2048, read_percentage=0, qdepth=16).start()
    time.sleep(0.2)
    own.nvme0n1.verify_enable()
    if how == "kill":
        os.kill(int(repr(worker).split()[1].rstrip(",")), signal.SIGKILL)
        with pytest.warns(UserWarning, match="ioworker"):
            worker.close()
    elif how == "reset":
        own.nvme0.reset()
        worker.close()
    del worker
    assert read(own, 8) == 0
    assert read(own, 2048) == 8
    fill(own).close()
    assert read(own, 8) == 8


def test_a_worker_beyond_nlba_verify_costs_nothing_and_one_across_it_is_verified_below(own):
    limited = d.Namespace(own.nvme0, 1, nlba_verify=1024)
    result = (
        limited.ioworker(
            io_size=8, io_count=8000, region_start=512, region_end=2048, read_percentage=50, qdepth=3
        )
        .start()
        .close()
    )
    assert (result.error, result.lba_mismatch) == (0, 0)
    assert result.lba_verified and result.lba_unverified
    limited.ioworker(io_size=8, io_count=1000, region_start=1024, read_percentage=0).start().close()
    assert read(own, 1024) == 0


@pytest.mark.parametrize("opcode", [4, 8, 9])
def test_other_commands_that_change_data_are_not_tracked_either(own, opcode):
    fill(own).close()
    own.nvme0n1.verify_enable(False)
    own.nvme0n1.ioworker(
        io_size=8, io_count=64, lba_random=False, region_end=1024, op_percentage={opcode: 100}
    ).start().close()
    own.nvme0n1.ioworker(io_size=8, lba_random=False, region_end=1024, read_percentage=0).start().close()
    own.nvme0n1.verify_enable()
    assert read(own, 8) == 0
    assert read(own, 1024) == 8


def test_a_replay_makes_unknown_what_it_writes(own):
    fill(own).close()
    own.nvme0n1.verify_enable(False)
    own.nvme0n1.ioworker(io_sequence=[(0, 1, 80, 8), (0, 1, 160, 8)]).start().close()
    own.nvme0n1.verify_enable()
    assert [read(own, lba) for lba in (72, 80, 160, 168)] == [8, 0, 0, 8]


def test_off_and_on_again_and_again_over_verified_workers_is_no_false_alarm(own):
    fill(own).close()
    checker = own.nvme0n1.ioworker(io_size=8, time=5, region_end=4096, read_percentage=60, qdepth=16).start()
    for i in range(20):
        own.nvme0n1.verify_enable(False)
        worker = own.nvme0n1.ioworker(
            io_size=8, time=0.1, region_start=256 * (i % 8), region_end=256 * (i % 8) + 300, read_percentage=0
        ).start()
        own.nvme0n1.verify_enable()
        worker.close()
    result = checker.close()
    assert (result.error, result.lba_mismatch) == (0, 0)
    assert result.lba_verified > 0
