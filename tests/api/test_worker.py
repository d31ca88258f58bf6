# SPDX-License-Identifier: BSD-3-Clause
"""IO workers: what they send, how fast, and what their result tells."""

import time

import nvme as d
import pytest


def test_io_count_is_sent_to_the_last_io(run_worker):
    r = run_worker(io_size=8, io_count=12345, region_end=100000)
    assert r.error == 0
    assert r.io_count_read == 12345
    assert r.io_count_nonread == r.io_count_write == 0
    assert 0 < r.latency_average_us <= r.latency_max_us
    assert 0 < r.mseconds < 20000
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


def test_time_ends_a_worker_on_time(run_worker):
    r = run_worker(io_size=8, time=2, region_end=100000)
    assert 2000 <= r.mseconds < 2200
    assert r.io_count_read > 1000


def test_a_sequential_worker_without_a_stop_fills_its_region_once(run_worker):
    r = run_worker(io_size=64, lba_random=False, read_percentage=0, region_start=1000, region_end=9000)
    assert r.error == 0
    assert r.io_count_write == 8000 // 64


def test_a_worker_without_a_stop_is_asserted(run_worker):
    with pytest.raises(AssertionError):
        run_worker(io_size=8)


@pytest.mark.parametrize("qdepth", [-1, 0, 1, 1025])
def test_a_qdepth_out_of_range_is_asserted(run_worker, qdepth):
    with pytest.raises(AssertionError):
        run_worker(io_size=8, io_count=1, qdepth=qdepth)


@pytest.mark.parametrize("qdepth", [2, 3, 64, 1024])
def test_every_qdepth_runs(run_worker, qdepth):
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


def test_the_last_sequential_io_is_cut_at_the_end_of_the_region(run_worker):
    log = [None] * 3
    run_worker(io_size=8, lba_random=False, region_start=100, region_end=120, output_cmdlog_list=log)
    assert log == [(100, 8, 2), (108, 8, 2), (116, 4, 2)]


def test_the_log_list_has_zeros_before_few_ios(run_worker):
    log = [None] * 5
    run_worker(io_size=8, lba_random=False, io_count=2, region_end=1000, output_cmdlog_list=log)
    assert log == [(0, 0, 0)] * 3 + [(0, 8, 2), (8, 8, 2)]


def test_lba_step_walks_both_ways(run_worker):
    log = [None] * 4
    run_worker(
        io_size=8,
        lba_random=False,
        lba_step=16,
        lba_start=64,
        io_count=4,
        region_end=1000,
        output_cmdlog_list=log,
    )
    assert [lba for lba, _, _ in log] == [64, 80, 96, 112]
    run_worker(
        io_size=8,
        lba_random=False,
        lba_step=-8,
        lba_start=64,
        io_count=4,
        region_end=1000,
        output_cmdlog_list=log,
    )
    assert [lba for lba, _, _ in log] == [64, 56, 48, 40]


def test_random_lbas_are_aligned_and_spread(run_worker):
    log = [None] * 2000
    run_worker(io_size=8, lba_align=64, io_count=2000, region_end=64000, output_cmdlog_list=log)
    lbas = [lba for lba, _, _ in log]
    assert all(lba % 64 == 0 for lba in lbas)
    assert len(set(lbas)) > 700, "of 1000 places, 2000 draws hit some 865"
    halves = sum(lba < 32000 for lba in lbas)
    assert 800 < halves < 1200


def test_several_sizes_come_by_their_ratio(run_worker):
    log = [None] * 4000
    run_worker(io_size={1: 2, 8: 1, 16: 1}, io_count=4000, region_end=100000, output_cmdlog_list=log)
    share = {size: sum(count == size for _, count, _ in log) / 4000 for size in (1, 8, 16)}
    assert share[1] == pytest.approx(0.5, abs=0.05)
    assert share[8] == pytest.approx(0.25, abs=0.05)
    assert share[16] == pytest.approx(0.25, abs=0.05)


def test_opcodes_come_by_their_percentage_and_the_dict_holds_the_counts_after_close(run_worker):
    opcodes = {2: 50, 1: 30, 0: 10, 8: 10}
    r = run_worker(io_size=8, io_count=2000, region_end=100000, op_percentage=opcodes)
    assert r.error == 0
    assert sum(opcodes.values()) == 2000
    assert opcodes[2] == r.io_count_read
    assert opcodes[1] == r.io_count_write
    assert opcodes[2] / 2000 == pytest.approx(0.5, abs=0.06)
    assert opcodes[0] / 2000 == pytest.approx(0.1, abs=0.04)


def test_percentages_that_are_not_100_are_asserted(run_worker):
    with pytest.raises(AssertionError):
        run_worker(io_size=8, io_count=10, op_percentage={2: 50, 1: 40})


def test_a_distribution_sends_ios_where_it_says(run_worker):
    log = [None] * 2000
    run_worker(
        io_size=8,
        io_count=2000,
        region_end=100000,
        distribution=[0] * 50 + [10000] + [0] * 49,
        output_cmdlog_list=log,
    )
    assert all(50000 <= lba < 51000 for lba, _, _ in log)


def test_a_rate_of_10_a_second_is_exact(run_worker):
    """The k-th IO is due k/10 s after the start, so 100 IOs take 9.9 s."""
    r = run_worker(io_size=8, iops=10, io_count=100, region_end=100000, qdepth=16)
    assert r.io_count_read == 100
    assert 9890 <= r.mseconds <= 10100


def test_a_rate_is_exact_over_every_second(run_worker):
    counts = []
    r = run_worker(io_size=8, iops=5000, time=4, region_end=100000, output_io_per_second=counts)
    assert len(counts) == 4
    assert all(count == pytest.approx(5000, rel=0.02) for count in counts)
    assert r.io_count_read == pytest.approx(20000, rel=0.01)


def test_a_second_is_never_missing_from_io_per_second(run_worker):
    counts = []
    r = run_worker(io_size=8, time=3, region_end=100000, output_io_per_second=counts)
    assert len(counts) == 3
    assert all(counts)
    assert sum(counts) <= r.io_count_read


def test_percentiles_rise_and_end_at_the_maximum(run_worker):
    latency = {50: None, 90: None, 99: None, 99.9: None}
    r = run_worker(io_size=8, io_count=20000, region_end=100000, output_percentile_latency=latency)
    values = [latency[p] for p in (50, 90, 99, 99.9)]
    assert values == sorted(values)
    assert values[0] > 0
    assert values[-1] <= r.latency_max_us * 1.01 + 1
    assert sum(r.latency_distribution) == 20000
    assert len(r.latency_distribution) == 1_000_000


def test_iops_consistency_is_the_slow_second_over_the_mean(nvme0n1):
    counts = []
    worker = nvme0n1.ioworker(
        io_size=8, iops=2000, time=3, region_end=100000, output_io_per_second=counts
    ).start()
    worker.close()
    expected = sorted(counts, reverse=True)[int(len(counts) * 99.9 / 100)] / (sum(counts) / len(counts))
    assert worker.iops_consistency() == pytest.approx(expected)


def test_iops_consistency_without_the_list_is_asserted(nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, io_count=10).start()
    worker.close()
    with pytest.raises(AssertionError):
        worker.iops_consistency()


def test_a_sequence_is_replayed_as_it_is(run_worker):
    sequence = [(0, 1, 100, 8), (1000, 2, 100, 8), (2000, 2, 108, 4), (300000, 0, 0, 1)]
    log = [None] * 4
    r = run_worker(io_sequence=sequence, output_cmdlog_list=log)
    assert r.error == 0
    assert (r.io_count_read, r.io_count_write, r.io_count_nonread) == (2, 1, 2)
    assert log[:3] == [(100, 8, 1), (100, 8, 2), (108, 4, 2)]
    assert 300 <= r.mseconds < 500


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
            nvme0n1.read(qpair, buf, 0, 8).waitdone()
            nvme0.getfeatures(7).waitdone()
    assert worker.close().error == 0


def test_an_io_above_mdts_ends_the_worker_with_its_warning(nvme0, nvme0n1, lba_size):
    too_large = nvme0.mdts // lba_size + 1
    worker = nvme0n1.ioworker(io_size=too_large, io_count=10).start()
    with pytest.warns(UserWarning) as caught:
        r = worker.close()
    assert [str(warning.message) for warning in caught] == [
        "ioworker host ERROR -2: io_size is larger than MDTS",
        "ioworker device respond an ERROR status: 00/02",
    ]
    assert r.error == -2


def test_an_error_of_the_drive_is_told_at_close(nvme0n1):
    capacity = nvme0n1.id_data(7, 0)
    worker = nvme0n1.ioworker(io_sequence=[(0, 2, capacity, 8)]).start()
    with pytest.warns(UserWarning) as caught:
        r = worker.close()
    assert [str(warning.message) for warning in caught] == [
        "ioworker host ERROR -6: io cmd error",
        "ioworker device respond an ERROR status: 00/80",
    ]
    assert r.error == -6


def test_a_reset_ends_running_workers_without_an_error(own):
    workers = [
        own.nvme0n1.ioworker(io_size=8, time=30, region_start=i * 10000, region_end=(i + 1) * 10000).start()
        for i in range(2)
    ]
    time.sleep(0.3)
    start = time.monotonic()
    own.nvme0.reset()
    results = [worker.close() for worker in workers]
    assert time.monotonic() - start < 3
    assert [r.error for r in results] == [0, 0]
    assert all(r.io_count_read > 0 for r in results)
    r = own.nvme0n1.ioworker(io_size=8, io_count=100).start().close()
    assert (r.error, r.io_count_read) == (0, 100)


def test_one_worker_more_than_the_drive_has_queues_is_told_at_close(nvme0, nvme0n1):
    queues = nvme0.getfeatures(7).waitdone()
    offered = min(queues & 0xFFFF, queues >> 16) + 1
    pairs = [d.Qpair(nvme0, 4) for _ in range(offered)]
    worker = nvme0n1.ioworker(io_size=8, io_count=10).start()
    with pytest.warns(UserWarning, match=r"^ioworker host ERROR -1: init fail in pyx"):
        worker.close()
    for pair in pairs:
        pair.delete()


def test_srand_repeats_the_lbas_of_a_worker(run_worker):
    def lbas():
        d.srand(42)
        log = [None] * 200
        run_worker(io_size=8, io_count=200, region_end=100000, output_cmdlog_list=log)
        return sorted(lba for lba, _, _ in log)

    assert lbas() == lbas()
