# SPDX-License-Identifier: BSD-3-Clause
"""How IO workers end: by a reset, by an error, or by a failed start. Nothing is left behind."""

import os
import signal
import time

import nvme as d
import pytest

from tests.fix_load import loaded

NSSR, NSSR_VALUE = 0x20, 0x4E564D65
DISTRIBUTION = ("latency_distribution", "latency_percentile_ns")


def wait_until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.005)


def warned(worker):
    """Close a worker that warns: its result, and the warnings word for word."""
    with pytest.warns(UserWarning) as caught:
        r = worker.close()
    return r, [str(warning.message) for warning in caught]


# -- resets and power -------------------------------------------------------------------------------------


def power_off_and_on(own):
    subsystem = d.Subsystem(own.nvme0)
    assert subsystem.poweroff()
    assert subsystem.poweron()


def registers(own):
    own.nvme0[0x14] = own.nvme0[0x14] & ~1
    wait_until(lambda: not own.nvme0[0x1C] & 1)


def nssr_by_hand(own):
    own.nvme0[NSSR] = NSSR_VALUE


RESETS = {
    "controller reset": lambda own: own.nvme0.reset(),
    "hot reset": lambda own: own.pcie.reset(),
    "FLR": lambda own: own.pcie.flr(),
    "NSSR": lambda own: d.Subsystem(own.nvme0).reset(),
    "power cycle": lambda own: d.Subsystem(own.nvme0).power_cycle(0),
    "power off and on": power_off_and_on,
    "CC.EN = 0 by hand": registers,
    "NSSR by hand": nssr_by_hand,
}


@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize("initialised_by", ["reset()", "the next worker"])
def test_workers_end_without_an_error_by_a_reset_and_the_next_one_starts(own, kind, initialised_by):
    in_use = d._dma_in_use()
    workers = [
        own.nvme0n1.ioworker(
            io_size=8, time=30, read_percentage=50, region_start=i * 10000, region_end=(i + 1) * 10000
        ).start()
        for i in range(2)
    ]
    for worker in workers:
        wait_until(lambda worker=worker: worker.progress[2] > 200)
    start = time.monotonic()
    RESETS[kind](own)
    results = [worker.close() for worker in workers]
    assert time.monotonic() - start < 3 or loaded()
    assert [(r.error, r.status) for r in results] == [(0, 0)] * 2
    assert [r.ended_by for r in results] == ["power loss" if "power" in kind else "reset"] * 2
    assert all(r.io_count_read > 0 and r.io_count_write > 0 for r in results)
    if initialised_by == "reset()" or "by hand" in kind:
        own.nvme0.reset()
    r = own.nvme0n1.ioworker(io_size=8, io_count=500, region_end=20000).start().close()
    assert (r.error, r.io_count_read, r.lba_mismatch) == (0, 500, 0)
    assert d._dma_in_use() == in_use


def test_a_worker_that_was_made_before_a_reset_starts_after_it(own):
    worker = own.nvme0n1.ioworker(io_size=8, io_count=100)
    own.nvme0.reset()
    assert worker.start().close().io_count_read == 100


# -- one error after the other ----------------------------------------------------------------------------


def test_the_17th_worker_on_16_queues_is_told_at_close_and_the_others_go_on(own):
    queues = (own.nvme0.getfeatures(7).waitdone() & 0xFFFF) + 1
    workers = [own.nvme0n1.ioworker(io_size=8, time=1.5, region_end=1000).start() for _ in range(queues)]
    counts, log, latency, ops = [1, 2], [None] * 3, {50: None}, {2: 50, 1: 50}
    one_more = own.nvme0n1.ioworker(
        io_size=8,
        time=1,
        op_percentage=ops,
        output_io_per_second=counts,
        output_cmdlog_list=log,
        output_percentile_latency=latency,
    )
    assert one_more.running
    assert one_more.start() is one_more
    assert not one_more.running, "a script that waits for its end must not wait for ever"
    r, texts = warned(one_more)
    assert texts == ["ioworker host ERROR -1: init fail in pyx"]
    assert (r.error, r.io_count_read, r.io_count_nonread, r.mseconds) == (-1, 0, 0, 0)
    assert (r.status, r.lba_verified, r.lba_unverified, r.lba_mismatch) == (0, 0, 0, 0)
    assert r.ended_by == "error"
    assert (counts, log, latency, ops) == ([], [(0, 0, 0)] * 3, {50: 0}, {2: 0, 1: 0})
    assert sum(r.latency_distribution) == 0
    assert r.latency_percentile_ns == {50: 0}
    assert one_more.close() is r
    results = [worker.close() for worker in workers]
    assert all(r.error == 0 and r.io_count_read > 0 and r.ended_by is None for r in results)
    assert all(set(one_more.close()) - set(r) == {"iops_consistency", *DISTRIBUTION} for r in results)


def test_a_worker_says_that_its_drive_was_closed_or_is_gone(own):
    worker = own.nvme0n1.ioworker(io_size=8, time=30, region_end=1000).start()
    wait_until(lambda: worker.progress[2] > 200)
    own.pcie.close()
    r = worker.close()
    assert (r.error, r.ended_by) == (0, "close")
    nvme0 = d.Controller(own.ssd.address)
    worker = d.Namespace(nvme0).ioworker(io_size=8, time=30, region_end=1000).start()
    wait_until(lambda: worker.progress[2] > 200)
    os.kill(own.ssd.pid, signal.SIGKILL)
    r, texts = warned(worker)
    assert (r.error, r.ended_by) == (-8, "removal")
    assert texts == ["ioworker host ERROR -8: drive is gone"]
    nvme0.pcie.close()


@pytest.mark.parametrize("sizes", [0, [0, 8], {0: 1, 8: 3}], ids=str)
def test_a_size_above_mdts_is_error_2_and_one_of_mdts_is_none(nvme0, nvme0n1, lba_size, sizes):
    def put(largest):
        if isinstance(sizes, dict):
            return {size or largest: ratio for size, ratio in sizes.items()}
        return [size or largest for size in sizes] if isinstance(sizes, list) else largest

    most = nvme0.mdts // lba_size
    assert nvme0n1.ioworker(io_size=put(most), io_count=10).start().close().error == 0
    r, texts = warned(nvme0n1.ioworker(io_size=put(most + 1), io_count=10).start())
    assert r.error == -2
    assert texts == [
        "ioworker host ERROR -2: io_size is larger than MDTS",
        "ioworker device respond an ERROR status: 00/02 Invalid Field in Command",
    ]


def test_a_command_that_does_not_complete_in_time_is_error_3(own):
    own.nvme0.timeout = 300
    in_use = d._dma_in_use()
    worker = own.nvme0n1.ioworker(io_size=8, time=30, read_percentage=0, region_end=1000).start()
    wait_until(lambda: worker.progress[2] > 100)
    os.kill(own.ssd.pid, signal.SIGSTOP)
    start = time.monotonic()
    wait_until(lambda: not worker.running)
    took = time.monotonic() - start
    os.kill(own.ssd.pid, signal.SIGCONT)
    r, texts = warned(worker)
    assert r.error == -3
    assert texts == ["ioworker host ERROR -3: io timeout"]
    assert took >= 0.3
    assert took < 1 or loaded()
    assert d._dma_in_use() == in_use, "the deletion of its queue was confirmed"
    r = own.nvme0n1.ioworker(io_size=8, lba_random=False, region_end=1000).start().close()
    assert (r.error, r.lba_mismatch) == (0, 0)


def test_a_queue_whose_deletion_is_refused_keeps_its_memory_until_a_reset(own, caplog):
    entries = d.Buffer(4096)
    in_use = d._dma_in_use()
    worker = own.nvme0n1.ioworker(io_size=8, time=0.3, read_percentage=0, region_end=1000).start()
    qid = worker.progress[0]
    # Another submission queue on its completion queue, which must be deleted first.
    own.nvme0.send_cmd(1, entries, cdw10=15 << 16 | 9, cdw11=qid << 16 | 1).waitdone()
    assert worker.close().error == 0
    assert "01/0c" in caplog.text
    assert d._dma_in_use() > in_use
    assert d.Qpair(own.nvme0, 8).sqid == qid + 1
    own.nvme0.reset()
    assert d._dma_in_use() == in_use
    assert d.Qpair(own.nvme0, 8).sqid == qid
    r = own.nvme0n1.ioworker(io_size=8, lba_random=False, region_end=1000).start().close()
    assert (r.error, r.lba_mismatch) == (0, 0)


@pytest.mark.slow
def test_a_worker_that_does_not_go_on_is_error_4(own):
    own.nvme0.timeout = 1000
    worker = own.nvme0n1.ioworker(io_size=8, time=60, region_end=1000).start()
    wait_until(lambda: worker.progress[2] > 100)
    os.kill(int(repr(worker).split()[1].rstrip(",")), signal.SIGSTOP)
    start = time.monotonic()
    r, texts = warned(worker)
    took = time.monotonic() - start
    assert took > 10
    assert took < 15 or loaded()
    assert r.error == -4
    assert texts == ["ioworker host ERROR -4: ioworker timeout"]
    assert own.nvme0n1.ioworker(io_size=8, io_count=100).start().close().error == 0


def test_buffers_that_do_not_fit_into_memory_are_error_5(python, own_ssd):
    done = python(
        f"""
import os, warnings
os.environ.update(PYNVME_MEM="128", PYNVME_HUGE="0")
import nvme
pcie = nvme.Pcie({own_ssd.address!r})
nvme0n1 = nvme.Namespace(nvme.Controller(pcie))
in_use = nvme._dma_in_use()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    r = nvme0n1.ioworker(io_size=256, io_count=10, qdepth=1024, read_percentage=50).start().close()
print(r.error, [str(w.message) for w in caught], nvme._dma_in_use() - in_use)
print(nvme0n1.ioworker(io_size=256, io_count=10, qdepth=64).start().close().error)
pcie.close()
"""
    )
    assert done.stdout.splitlines() == [
        "-5 ['ioworker host ERROR -5: buffer pool alloc fail'] 0",
        "0",
    ], done.stderr


def test_a_mismatch_is_error_6_with_the_status_of_one(own, caplog):
    own.nvme0n1.ioworker(io_size=8, lba_random=False, read_percentage=0, region_end=80).start().close()
    data = own.ssd.peek(1, 33)
    own.ssd.poke(1, 33, data[:100] + bytes([data[100] ^ 1]) + data[101:])
    r, texts = warned(own.nvme0n1.ioworker(io_size=8, lba_random=False, region_end=80, qdepth=2).start())
    assert texts == [
        "ioworker host ERROR -6: io cmd error",
        "ioworker device respond an ERROR status: 07/81 Data Verification Failed",
    ]
    assert (r.error, r.status, r.lba_mismatch, r.io_count_read) == (-6, 0x781, 1, 5)
    assert "LBA 0x21 is corrupt" in caplog.text


# -- fw_debug ---------------------------------------------------------------------------------------------


def test_fw_debug_leaves_the_queue_on_the_drive_after_an_error_until_a_reset(own):
    in_use = d._dma_in_use()
    nsze = own.nvme0n1.id_ns.nsze
    bad = {"io_sequence": [(0, 2, 0, 8), (0, 2, nsze, 8)]}
    r, _ = warned(own.nvme0n1.ioworker(fw_debug=True, **bad).start())
    assert r.error == -6
    assert d._dma_in_use() > in_use
    pair = d.Qpair(own.nvme0, 8)
    assert pair.sqid == 2, "the drive still has queue 1"
    with pytest.warns(UserWarning, match="ERROR status: 01/0c"):
        own.nvme0.send_cmd(4, cdw10=1).waitdone()  # Delete I/O Completion Queue, whose SQ is there
    r = own.nvme0n1.ioworker(io_size=8, io_count=100).start().close()
    assert r.error == 0
    del pair
    own.nvme0.reset()
    assert d._dma_in_use() == in_use
    assert d.Qpair(own.nvme0, 8).sqid == 1


def test_without_an_error_or_without_fw_debug_no_queue_is_left(own):
    in_use = d._dma_in_use()
    nsze = own.nvme0n1.id_ns.nsze
    assert own.nvme0n1.ioworker(io_count=100, fw_debug=True).start().close().error == 0
    warned(own.nvme0n1.ioworker(io_sequence=[(0, 2, nsze, 8)]).start())
    assert d._dma_in_use() == in_use
    assert d.Qpair(own.nvme0, 8).sqid == 1


def test_a_queue_left_for_a_debugger_is_gone_with_its_drive(own_ssd):
    in_use = d._dma_in_use()
    for _ in range(3):
        pcie = d.Pcie(own_ssd.address)
        nvme0n1 = d.Namespace(d.Controller(pcie))
        warned(nvme0n1.ioworker(fw_debug=True, io_sequence=[(0, 2, 1 << 40, 8)]).start())
        pcie.close()
        del nvme0n1, pcie
        assert d._dma_in_use() == in_use


# -- life -------------------------------------------------------------------------------------------------


def test_running_is_true_from_construction_until_the_result_is_there(nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, time=0.3)
    assert worker.running
    assert worker.progress == (0, 0, 0)
    worker.start()
    assert worker.running
    wait_until(lambda: not worker.running)
    r = worker.close()
    assert r.mseconds >= 300
    assert not worker.running
    assert worker.progress == (0, r.io_count_read, r.io_count_read)


def test_a_worker_is_started_once_and_closed_as_often_as_one_likes(nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, io_count=10)
    with pytest.raises(AssertionError):
        worker.close()
    assert worker.start() is worker
    with pytest.raises(AssertionError):
        worker.start()
    assert worker.close() is worker.close()


def test_with_starts_and_closes_and_an_exception_in_it_ends_the_worker(nvme0n1):
    with nvme0n1.ioworker(io_size=8, io_count=1000) as worker:
        assert worker.progress[0] > 0
    assert worker.close().io_count_read == 1000
    start = time.monotonic()
    with pytest.raises(ZeroDivisionError), nvme0n1.ioworker(io_size=8, time=60) as worker:
        raise ZeroDivisionError
    assert time.monotonic() - start < 2 or loaded()
    assert not worker.running
    assert worker.close().error == 0


def test_a_worker_that_is_dropped_ends(own):
    in_use = d._dma_in_use()
    worker = own.nvme0n1.ioworker(io_size=8, time=60).start()
    pid = int(repr(worker).split()[1].rstrip(","))
    del worker
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert d._dma_in_use() == in_use
    assert d.Qpair(own.nvme0, 4).sqid == 1


def test_progress_tells_of_the_queue_and_rises(own):
    pair = d.Qpair(own.nvme0, 4)
    worker = own.nvme0n1.ioworker(io_size=8, time=0.4, region_end=1000).start()
    seen = []
    while worker.running:
        seen.append(worker.progress)
        time.sleep(0.02)
    worker.close()
    assert {qid for qid, _, _ in seen} == {pair.sqid + 1}
    assert [sent for _, sent, _ in seen] == sorted(sent for _, sent, _ in seen)
    assert seen[-1][2] > seen[0][2]
