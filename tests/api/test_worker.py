# SPDX-License-Identifier: BSD-3-Clause
"""IO workers: what they send, how fast, and what their result tells."""

import time

import nvme as d
import pytest
from exact import in_time

from tests.fix_load import loaded


def test_io_count_is_sent_to_the_last_io(run_worker):
    r = run_worker(io_size=8, io_count=12345, region_end=100000)
    assert r.error == 0
    assert r.io_count_read == 12345
    assert r.io_count_nonread == r.io_count_write == 0
    assert 0 < r.latency_average_us <= r.latency_max_us
    assert r.mseconds > 0
    assert r.mseconds < 20000 or loaded()
    assert 0 <= r.cpu_usage <= 1


def test_a_result_is_a_dict_whose_members_are_attributes(run_worker):
    r = run_worker(io_count=10)
    assert isinstance(r, d.DotDict)
    assert r["io_count_read"] == r.io_count_read == 10


def test_the_drive_counts_the_same_commands_as_the_worker(run_worker, ssd):
    before = ssd.counters()
    r = run_worker(io_size=8, io_count=5000, read_percentage=30, region_end=100000)
    after = ssd.counters()
    assert after.commands_read - before.commands_read == r.io_count_read
    assert after.commands_write - before.commands_write == r.io_count_write
    assert r.io_count_read + r.io_count_write == 5000
    assert r.io_count_read / 5000 == pytest.approx(0.3, abs=0.05)


@in_time
def test_time_ends_a_worker_on_time(run_worker):
    r = run_worker(io_size=8, time=2, region_end=100000)
    assert 2000 <= r.mseconds < 2200
    assert r.io_count_read > 1000


@pytest.mark.parametrize("qdepth", [-1, 0, 1, 1025])
def test_a_qdepth_out_of_range_is_asserted(run_worker, qdepth):
    with pytest.raises(AssertionError):
        run_worker(io_size=8, io_count=1, qdepth=qdepth)


@pytest.mark.parametrize("qdepth", [2, 3, 64, 1024])
def test_every_qdepth_runs(nvme0, run_worker, qdepth):
    if qdepth > (nvme0.cap & 0xFFFF) + 1:
        pytest.skip(f"needs a drive with queues of {qdepth} entries (CAP.MQES)")
    r = run_worker(io_size=8, io_count=3000, qdepth=qdepth, region_end=100000)
    assert r.error == 0
    assert r.io_count_read == 3000


def test_no_io_leaves_the_region(run_worker):
    region = (1003, 1999)
    log = [None] * 4000
    run_worker(io_size=7, io_count=4000, region_start=region[0], region_end=region[1], output_cmdlog_list=log)
    assert all(region[0] <= lba and lba + count <= region[1] for lba, count, _ in log)
    assert min(lba for lba, _, _ in log) < region[0] + 100
    assert max(lba + count for lba, count, _ in log) > region[1] - 100


def test_random_lbas_are_aligned_and_spread(run_worker):
    log = [None] * 2000
    run_worker(io_size=8, lba_align=64, io_count=2000, region_end=64000, output_cmdlog_list=log)
    lbas = [lba for lba, _, _ in log]
    assert all(lba % 64 == 0 for lba in lbas)
    assert len(set(lbas)) > 700, "of 1000 places, 2000 draws hit some 865"
    halves = sum(lba < 32000 for lba in lbas)
    assert 800 < halves < 1200


@in_time
def test_workers_run_at_the_same_time(nvme0n1):
    start = time.monotonic()
    workers = [
        nvme0n1.ioworker(io_size=8, time=2, region_start=i * 10000, region_end=(i + 1) * 10000).start()
        for i in range(4)
    ]
    results = [worker.close() for worker in workers]
    assert time.monotonic() - start < 4
    assert all(r.error == 0 and r.io_count_read > 100 for r in results)


def test_progress_and_running_tell_of_a_worker_while_it_runs(nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, time=1, region_end=100000)
    assert worker.running
    worker.start()
    time.sleep(0.4)
    _, sent, completed = worker.progress
    assert sent >= completed > 0
    assert worker.running
    time.sleep(0.2)
    assert worker.progress[2] > completed
    r = worker.close()
    assert not worker.running
    assert worker.progress[1:] == (r.io_count_read, r.io_count_read)


def test_admin_and_io_commands_go_on_beside_workers(nvme0, nvme0n1, qpair, buf):
    with nvme0n1.ioworker(io_size=8, time=1, region_end=100000) as worker:
        while worker.running:
            nvme0n1.read(qpair, buf, 0).waitdone()
            nvme0.getfeatures(7).waitdone()
    assert worker.close().error == 0


def test_an_error_of_the_drive_is_told_at_close(nvme0n1):
    capacity = nvme0n1.id_ns.nsze
    worker = nvme0n1.ioworker(io_sequence=[(0, 2, capacity, 8)]).start()
    with pytest.warns(UserWarning) as caught:
        r = worker.close()
    assert [str(warning.message) for warning in caught] == [
        "ioworker host ERROR -6: io cmd error",
        "ioworker device respond an ERROR status: 00/80 LBA Out of Range",
    ]
    assert r.error == -6
