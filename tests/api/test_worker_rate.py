# SPDX-License-Identifier: BSD-3-Clause
"""How fast and how long an IO worker runs, and what its outputs tell of it."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import nvme as d
import pytest
from exact import in_time

from tests.fix_load import loaded


def wait_until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.005)


def has_sent(worker):
    return worker.progress[1] > 0


def pid_of(worker):
    return int(repr(worker).split()[1].rstrip(","))


# -- rates ------------------------------------------------------------------------------------------------


def attempts(count):
    """Tries, because a machine that takes the CPU away at the end of a second moves IOs to the next one."""
    yield from range(count)
    loaded(exact=True)
    pytest.fail(f"not exact in {count} attempts")


@in_time
def test_12345_iops_are_12345_in_every_second(run_worker):
    for _ in attempts(4):
        counts = []
        r = run_worker(io_size=1, iops=12345, time=2, region_end=100000, output_io_per_second=counts)
        assert len(counts) == 2
        assert all(sum(counts[:s]) <= 12345 * s for s in (1, 2)), "none is early"
        assert sum(counts) <= r.io_count_read <= 2 * 12345
        assert 2000 <= r.mseconds <= 2200
        if r.io_count_read == 2 * 12345 and all(abs(count - 12345) <= 1 for count in counts):
            return


@pytest.mark.timing
def test_low_rates_are_exact_in_every_second(nvme0n1):
    """The k-th IO, counted from 1, is due k/iops after the start."""
    expected = {
        10: [10, 10, 10],
        0.5: [0, 1, 0],
        2.5: [2, 3, 2],  # at 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8
        33.25: [33, 33, 33],
    }
    for _ in attempts(3):
        outputs = {iops: [] for iops in expected}
        workers = [
            nvme0n1.ioworker(io_size=8, iops=iops, time=3, output_io_per_second=output).start()
            for iops, output in outputs.items()
        ]
        results = [worker.close() for worker in workers]
        assert all(r.error == 0 and r.mseconds >= 3000 for r in results), (
            "its time, though the last IO was before"
        )
        for iops, counts in outputs.items():
            assert all(sum(counts[:s]) <= sum(expected[iops][:s]) for s in (1, 2, 3)), "none is early"
        if outputs == expected and [r.io_count_read for r in results] == list(map(sum, expected.values())):
            return


def waited_ns(pid):
    """How long a process was ready to run but had no CPU."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])


@pytest.mark.timing
@pytest.mark.parametrize(
    "iops", [*(pytest.param(n, marks=pytest.mark.slow) for n in (1, 1000, 300000)), 33333]
)
def test_what_is_due_by_the_end_of_a_second_was_sent_by_then(own, iops):
    """Up to one, as long as neither side waits for a CPU. So are 2 million, where nothing else runs."""
    waits = []
    for _ in range(3):
        counts = []
        worker = own.nvme0n1.ioworker(
            io_size=1, iops=iops, time=2, region_end=100000, output_io_per_second=counts
        ).start()
        before = waited_ns(own.ssd.pid)
        time.sleep(1.9)
        waited = max(waited_ns(own.ssd.pid) - before, waited_ns(pid_of(worker)))
        r = worker.close()
        assert counts[0] <= iops + 1, "none is early"
        assert r.io_count_read == 2 * iops or waited > 20_000_000
        if waited < 20_000_000:
            assert abs(counts[0] - iops) <= 1
            assert abs(sum(counts) - 2 * iops) <= 1
            return
        waits.append(f"{waited / 1e6:.0f} ms")
    pytest.skip(f"load: the worker or the drive waited for a CPU, {', '.join(waits)} of 1.9 s")


@in_time
def test_a_rate_is_kept_below_and_above_the_queue_depth(run_worker):
    for qdepth in (2, 4, 64):
        r = run_worker(io_size=1, iops=50, io_count=15, qdepth=qdepth)
        assert r.io_count_read == 15
        assert 300 <= r.mseconds < 350


@in_time
def test_rate_times_time_is_what_is_sent(nvme0n1):
    """Nothing at the start, the last one at the end."""
    rates = {(4, 2.5): 10, (0.2, 2.5): 0, (0.4, 2.5): 1, (3, 1 / 3): 1, (0.58, 50 / 29): 1, (1000, 1.5): 1500}
    workers = {
        (iops, seconds): nvme0n1.ioworker(io_size=8, iops=iops, time=seconds, region_end=1000).start()
        for iops, seconds in rates
    }
    time.sleep(0.1)
    assert workers[4, 2.5].progress[1] == 0, "nothing before one interval"
    assert {key: worker.close().io_count_read for key, worker in workers.items()} == rates


@in_time
def test_the_last_second_of_io_count_is_counted_where_half_of_it_was_over(nvme0n1):
    outputs = {count: [] for count in (20, 24, 26)}
    workers = [
        nvme0n1.ioworker(io_size=8, iops=10, io_count=count, output_io_per_second=output).start()
        for count, output in outputs.items()
    ]
    for worker in workers:
        assert worker.close().error == 0
    assert outputs == {20: [10, 10], 24: [10, 10], 26: [10, 10, 6]}


@pytest.mark.parametrize("iops", [-1, float("nan")])
def test_a_rate_that_is_none_is_asserted(nvme0n1, iops):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_count=1, iops=iops)


# -- ends -------------------------------------------------------------------------------------------------


@in_time
def test_the_first_of_time_and_io_count_ends_a_worker(run_worker):
    r = run_worker(io_size=8, time=30, io_count=1000, region_end=100000)
    assert r.io_count_read == 1000
    assert r.mseconds < 5000
    r = run_worker(io_size=8, time=0.3, io_count=1 << 60, region_end=100000)
    assert 300 <= r.mseconds < 400


@in_time
def test_io_per_second_has_an_entry_for_each_whole_second(nvme0n1):
    outputs = {seconds: [] for seconds in (0.5, 1, 1.5, 2)}
    workers = [
        nvme0n1.ioworker(io_size=8, iops=100, time=seconds, output_io_per_second=output).start()
        for seconds, output in outputs.items()
    ]
    results = [worker.close() for worker in workers]
    assert [len(output) for output in outputs.values()] == [0, 1, 1, 2]
    assert [r.io_count_read for r in results] == [50, 100, 150, 200]
    assert results[0].iops_consistency == 0


@pytest.mark.timing
def test_a_drive_that_stands_still_has_seconds_of_no_io_and_none_is_missing(own):
    counts = [99] * 9
    own.nvme0.timeout = 20000
    worker = own.nvme0n1.ioworker(io_size=8, time=3, region_end=1000, output_io_per_second=counts).start()
    time.sleep(0.5)
    os.kill(own.ssd.pid, signal.SIGSTOP)
    time.sleep(1.7)
    os.kill(own.ssd.pid, signal.SIGCONT)
    r = worker.close()
    assert r.error == 0
    assert len(counts) == 3
    assert counts[0] > 0 and counts[1] == 0 and counts[2] > 0
    assert sum(counts) <= r.io_count_read
    assert r.latency_max_us > 1_500_000
    assert worker.iops_consistency() == 0


@pytest.mark.timing
def test_no_entry_is_added_by_commands_that_end_after_the_time(own):
    counts = []
    own.nvme0.timeout = 20000
    worker = own.nvme0n1.ioworker(io_size=8, time=1, region_end=1000, output_io_per_second=counts).start()
    time.sleep(0.7)
    os.kill(own.ssd.pid, signal.SIGSTOP)
    time.sleep(1.6)
    os.kill(own.ssd.pid, signal.SIGCONT)
    r = worker.close()
    assert len(counts) == 1
    assert r.mseconds > 2000
    assert counts[0] < r.io_count_read <= counts[0] + 63


# -- queue depth ------------------------------------------------------------------------------------------


@pytest.mark.timing
@pytest.mark.parametrize("qdepth", [2, 3, 64])
def test_one_less_than_the_queue_depth_is_in_flight(own, qdepth):
    """The drive is stopped, so what is in flight stays. A depth of 2 is strictly serial."""
    worker = own.nvme0n1.ioworker(io_size=8, time=2, qdepth=qdepth, region_end=1000).start()
    wait_until(lambda: worker.progress[2] > 100)
    os.kill(own.ssd.pid, signal.SIGSTOP)
    time.sleep(0.1)
    _, sent, completed = worker.progress
    os.kill(own.ssd.pid, signal.SIGCONT)
    assert sent - completed == qdepth - 1
    assert all(s - c <= qdepth - 1 for _, s, c in (worker.progress for _ in range(200)) if s >= c)
    worker.__exit__(RuntimeError, None, None)  # it need not go on to the end of its time


def test_the_deepest_queue_is_what_the_drive_and_1024_allow(own):
    most = min(1024, (own.nvme0.cap & 0xFFFF) + 1)
    assert own.nvme0n1.ioworker(io_size=1, io_count=5000, qdepth=most).start().close().io_count_read == 5000
    for qdepth in (most + 1, 1, 0, -1, 2.5):
        with pytest.raises((AssertionError, TypeError)):
            own.nvme0n1.ioworker(io_count=1, qdepth=qdepth)


# -- what is told -----------------------------------------------------------------------------------------


def test_percentiles_average_and_distribution_are_of_the_same_latencies(run_worker):
    latency = {100: None, 0: None, 50: None, 99.99: None, 90: None, 99: None}
    r = run_worker(io_size=8, io_count=10000, region_end=100000, output_percentile_latency=latency)
    assert list(latency) == [100, 0, 50, 99.99, 90, 99]
    values = [latency[p] for p in sorted(latency)]
    assert values == sorted(values)
    assert latency[100] == r.latency_max_us
    assert latency[0] <= r.latency_average_us <= latency[100]
    assert isinstance(r.latency_average_us, float)
    spread = r.latency_distribution
    assert len(spread) == 1_000_000
    assert sum(spread) == 10000
    assert sum(us * count for us, count in enumerate(spread) if count) / 10000 == pytest.approx(
        r.latency_average_us, rel=0.02, abs=1
    )
    for p in (50, 90, 99):
        below = sum(spread[: latency[p] + 1])
        assert below >= 10000 * p / 100 * 0.98
    assert {p: ns // 1000 for p, ns in r.latency_percentile_ns.items()} == latency
    assert any(ns % 1000 for ns in r.latency_percentile_ns.values())


@pytest.mark.parametrize(
    "options",
    [
        {"output_io_per_second": {}},
        {"output_percentile_latency": []},
        {"output_cmdlog_list": {}},
        {"output_percentile_latency": {101: None}},
        {"output_percentile_latency": {-1: None}},
    ],
    ids=str,
)
def test_an_output_of_the_wrong_kind_is_asserted(nvme0n1, options):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_count=1, **options)


def test_iops_consistency_is_the_count_at_its_place_over_the_mean(nvme0n1):
    counts = []
    worker = nvme0n1.ioworker(io_size=8, iops=50, time=1, output_io_per_second=counts).start()
    r = worker.close()
    assert r.iops_consistency == worker.iops_consistency() == 1
    counts[:] = [7, 1, 9, 3, 5, 10, 8, 2, 6, 4]  # the mean is 5.5
    for percentage, count in {0: 10, 9: 10, 10: 9, 50: 5, 89.9: 2, 90: 1, 99.9: 1, 100: 1}.items():
        assert worker.iops_consistency(percentage) == pytest.approx(count / 5.5)
    counts[:] = range(1000, 0, -1)
    assert worker.iops_consistency() == pytest.approx(1 / 500.5)
    assert worker.iops_consistency(29) == pytest.approx(710 / 500.5)


def test_iops_consistency_needs_its_list(nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, io_count=1).start()
    assert "iops_consistency" not in worker.close()
    with pytest.raises(AssertionError):
        worker.iops_consistency()


def test_the_result_has_its_fields_and_they_are_of_their_type(run_worker):
    r = run_worker(io_size=8, io_count=100, read_percentage=50, region_end=1000)
    for name in (
        "io_count_read",
        "io_count_nonread",
        "io_count_write",
        "mseconds",
        "latency_max_us",
        "error",
    ):
        assert isinstance(r[name], int), name
    assert isinstance(r.cpu_usage, float)
    assert 0 < r.cpu_usage <= 1
    assert r.mseconds >= 1, "rounded up"
    assert "latency_distribution" not in r


@pytest.mark.timing
def test_cpu_usage_tells_a_worker_that_waits_from_one_that_works(run_worker):
    idle = run_worker(io_size=1, iops=20, time=0.5)
    busy = run_worker(io_size=32, time=0.5, region_end=1 << 20, lba_random=False, read_percentage=0)
    assert 0 < idle.cpu_usage < busy.cpu_usage <= 1


def test_the_last_commands_are_the_last_ones_oldest_first(run_worker):
    log = [None] * 10
    run_worker(io_size=8, lba_random=False, io_count=10007, region_end=1 << 20, output_cmdlog_list=log)
    assert log == [(8 * i, 8, 2) for i in range(9997, 10007)]
    log = [None] * 9000
    run_worker(io_size=8, lba_random=False, io_count=10007, region_end=1 << 20, output_cmdlog_list=log)
    assert log == [(8 * i, 8, 2) for i in range(1007, 10007)], "more than a log has by itself"
    log = []
    run_worker(io_size=8, io_count=10, output_cmdlog_list=log)
    assert log == []


def test_a_worker_runs_on_the_cpu_that_it_is_told(nvme0n1):
    cpus = sorted(os.sched_getaffinity(0))
    for cpu in cpus[:2]:
        worker = nvme0n1.ioworker(io_size=8, time=0.2, cpu_id=cpu).start()
        wait_until(partial(has_sent, worker))
        allowed = os.sched_getaffinity(pid_of(worker))
        worker.close()
        assert allowed == {cpu}
    assert sorted(os.sched_getaffinity(0)) == cpus


@pytest.mark.parametrize("cpu", [-1, 1023, 1 << 20, 1 << 70])
def test_a_cpu_that_is_not_there_is_asserted(nvme0n1, cpu):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_count=1, cpu_id=cpu)


def test_workers_share_no_cpu_as_long_as_there_are_enough_and_leave_one_to_the_drive(nvme0n1):
    cpus = sorted(os.sched_getaffinity(0))
    count = min(len(cpus), 4)
    workers = [nvme0n1.ioworker(io_size=8, time=0.3).start() for _ in range(count)]
    masks = []
    for worker in workers:
        wait_until(partial(has_sent, worker))
        masks.append(os.sched_getaffinity(pid_of(worker)))
    for worker in workers:
        worker.close()
    if len(cpus) == 1:
        assert masks == [set(cpus)]
        return
    assert all(len(mask) == 1 and cpus[0] not in mask for mask in masks)
    assert len(set.union(*masks)) == min(count, len(cpus) - 1)


@pytest.mark.timing
def test_more_workers_than_cpus_share_the_drive_evenly(nvme0n1):
    """None below a quarter of the mean. Sharing a CPU with the virtual SSD, one had a twentieth."""
    for _ in attempts(3):
        workers = [nvme0n1.ioworker(io_size=8, time=1, region_end=1000).start() for _ in range(8)]
        counts = [worker.close().io_count_read for worker in workers]
        assert all(counts)
        if min(counts) * 4 * len(counts) >= sum(counts):
            return


def test_srand_repeats_sizes_opcodes_and_lbas(run_worker):
    def run(seed):
        d.srand(seed)
        log = [None] * 300
        run_worker(io_size=[1, 8], io_count=300, read_percentage=50, lba_random=50, output_cmdlog_list=log)
        return log

    assert run(7) == run(7) != run(8)
    assert run(0) == run(0) == run(1 << 64) == run(-(1 << 64)) != run(7)
