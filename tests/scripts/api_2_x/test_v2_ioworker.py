# SPDX-License-Identifier: BSD-3-Clause
"""IO workers of every shape, and what they report."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


def run(nvme0n1, **options):
    return nvme0n1.ioworker(**options).start().close()


def commands(nvme0n1, count, **options):
    """The commands that a worker sent, as (slba, nlb, opcode)."""
    log = [None] * count
    run(nvme0n1, io_count=count, output_cmdlog_list=log, qdepth=2, **options)
    return log


def test_result(nvme0n1):
    r = run(nvme0n1, io_size=8, io_count=1000)
    assert r.io_count_read == 1000
    assert (r.io_count_write, r.io_count_nonread, r.error) == (0, 0, 0)
    assert r.mseconds > 0
    assert 0 < r.latency_average_us <= r.latency_max_us
    assert isinstance(r.latency_average_us, float)
    assert 0 < r.cpu_usage <= 1
    assert r.io_count_read == r["io_count_read"]


def test_default_is_a_read_of_8_lbas_at_random(nvme0n1):
    log = commands(nvme0n1, 50)
    assert {(nlb, opcode) for _, nlb, opcode in log} == {(8, 2)}
    assert len({slba for slba, _, _ in log}) > 40


def test_time(nvme0n1):
    start = time.time()
    r = run(nvme0n1, time=1)
    assert r.mseconds >= 1000
    assert r.mseconds < 1200 or loaded()
    assert time.time() - start < 2 or loaded()


def test_needs_an_end(nvme0n1):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_size=8)


def test_sequential(nvme0n1):
    log = commands(nvme0n1, 20, io_size=8, lba_random=False)
    assert log == [(8 * i, 8, 2) for i in range(20)]


def test_sequential_from_lba_start(nvme0n1):
    log = commands(nvme0n1, 5, io_size=8, lba_random=False, lba_start=1000)
    assert [slba for slba, _, _ in log] == [1000, 1008, 1016, 1024, 1032]


def test_lba_start_is_raised_to_the_region(nvme0n1):
    log = commands(nvme0n1, 2, io_size=8, lba_random=False, lba_start=3, region_start=50, region_end=1000)
    assert log[0][0] == 50


def test_step(nvme0n1):
    log = commands(nvme0n1, 5, io_size=4, lba_random=False, lba_step=16)
    assert [slba for slba, _, _ in log] == [0, 16, 32, 48, 64]


def test_step_smaller_than_the_io(nvme0n1):
    log = commands(nvme0n1, 5, io_size=8, lba_random=False, lba_step=1)
    assert [slba for slba, _, _ in log] == [0, 1, 2, 3, 4]


def test_step_backwards(nvme0n1):
    log = commands(nvme0n1, 5, io_size=8, lba_random=False, lba_step=-8, lba_start=80)
    assert [slba for slba, _, _ in log] == [80, 72, 64, 56, 48]


def test_fill_of_a_region(nvme0n1):
    log = [None] * 13
    r = run(
        nvme0n1,
        io_size=8,
        lba_random=False,
        region_start=100,
        region_end=200,
        read_percentage=0,
        qdepth=2,
        output_cmdlog_list=log,
    )
    assert r.io_count_write == 13
    assert log[0] == (100, 8, 1)
    assert log[-1] == (196, 4, 1), "the last IO is cut at the region's end"


def test_sequential_wraps_in_the_region(nvme0n1):
    log = commands(nvme0n1, 8, io_size=8, lba_random=False, region_start=16, region_end=48)
    assert [slba for slba, _, _ in log] == [16, 24, 32, 40] * 2


@pytest.mark.parametrize("align", [1, 4, 8, 64])
def test_alignment(nvme0n1, align):
    log = commands(nvme0n1, 100, io_size=3, lba_align=align, region_end=10000)
    assert all(slba % align == 0 for slba, _, _ in log)
    if align == 1:
        assert any(slba % 2 for slba, _, _ in log)


def test_random_stays_in_the_region(nvme0n1):
    log = commands(nvme0n1, 200, io_size=8, region_start=1000, region_end=1100)
    assert all(slba >= 1000 and slba + nlb <= 1100 for slba, nlb, _ in log)


def test_io_size_above_the_region_becomes_the_region(nvme0n1):
    log = commands(nvme0n1, 3, io_size=64, lba_random=False, region_start=0, region_end=8)
    assert {(slba, nlb) for slba, nlb, _ in log} == {(0, 8)}


def test_several_sizes(nvme0n1):
    log = commands(nvme0n1, 300, io_size=[1, 8, 64])
    assert {nlb for _, nlb, _ in log} == {1, 8, 64}


def test_range_of_sizes(nvme0n1):
    log = commands(nvme0n1, 300, io_size=range(1, 8))
    assert {nlb for _, nlb, _ in log} == set(range(1, 8))


def test_ratio_of_sizes(nvme0n1):
    log = commands(nvme0n1, 1000, io_size={1: 2, 8: 7, 16: 1})
    counts = {size: sum(nlb == size for _, nlb, _ in log) for size in (1, 8, 16)}
    assert sum(counts.values()) == 1000
    assert 140 < counts[1] < 260 and 640 < counts[8] < 760 and 60 < counts[16] < 140


def test_alignment_of_each_size(nvme0n1):
    log = commands(nvme0n1, 300, io_size=[1, 8, 64], lba_align=[1, 8, 64], region_end=100000)
    assert all(slba % nlb == 0 for slba, nlb, _ in log)


def test_largest_size_must_be_below_the_region(nvme0n1):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_size=[1, 100], region_end=100, io_count=1)


def test_percentage_of_random(nvme0n1):
    log = commands(nvme0n1, 1000, io_size=8, lba_random=50, lba_align=8)
    jumps = sum(b[0] != a[0] + 8 for a, b in zip(log, log[1:]))
    assert 300 < jumps < 950


def test_opcodes_by_percentage_and_their_counts(nvme0n1):
    share = {2: 40, 1: 45, 0: 5, 8: 10}
    r = run(nvme0n1, io_size=8, op_percentage=share, io_count=1000, region_end=10000)
    assert sum(share.values()) == 1000
    assert share[2] == r.io_count_read
    assert share[1] == r.io_count_write
    assert r.io_count_nonread == share[1] + share[0] + share[8]


@pytest.mark.parametrize("opcode", [0, 1, 2, 8, 9, 0xC])
def test_each_opcode(nvme0n1, opcode):
    if not nvme0n1.supports(opcode):
        pytest.skip("needs a drive with that command")
    share = {opcode: 100}
    r = run(nvme0n1, io_size=8, op_percentage=share, io_count=100, region_end=10000)
    assert r.error == 0
    assert share == {opcode: 100}


def test_percentages_must_sum_up(nvme0n1):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(op_percentage={2: 50, 1: 49}, io_count=1)
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(read_percentage=101, io_count=1)


@pytest.mark.parametrize("qdepth", [2, 3, 16, 64, 1024])
def test_depths(nvme0n1, qdepth):
    r = run(nvme0n1, io_size=8, qdepth=qdepth, io_count=2000)
    assert r.io_count_read == 2000


@pytest.mark.parametrize("qdepth", [0, 1, 1025])
def test_depths_refused(nvme0n1, qdepth):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(qdepth=qdepth, io_count=1)


@pytest.mark.parametrize("iops", [10, 100, 1234])
def test_rate(nvme0n1, iops):
    r = run(nvme0n1, io_size=8, iops=iops, time=2)
    assert abs(r.io_count_read - 2 * iops) <= 2 or loaded()


def test_rate_every_second(nvme0n1):
    counts = []
    run(nvme0n1, io_size=8, iops=1000, time=3, output_io_per_second=counts)
    assert len(counts) == 3
    assert all(abs(count - 1000) <= 50 for count in counts) or loaded()


def test_counts_a_second_and_consistency(nvme0n1):
    counts = []
    w = nvme0n1.ioworker(io_size=8, time=2, output_io_per_second=counts).start()
    r = w.close()
    assert len(counts) == 2
    assert sum(counts) <= r.io_count_read
    assert 0 < w.iops_consistency() <= 1
    assert 0 < w.iops_consistency(50) <= 1


def test_consistency_must_be_asked_for(nvme0n1):
    w = nvme0n1.ioworker(io_size=8, io_count=10).start()
    w.close()
    with pytest.raises(AssertionError):
        w.iops_consistency()


def test_percentiles(nvme0n1):
    percentiles = dict.fromkeys([10, 50, 99, 99.9, 100])
    r = run(nvme0n1, io_size=8, io_count=5000, output_percentile_latency=percentiles)
    values = [percentiles[p] for p in sorted(percentiles)]
    assert values == sorted(values)
    assert all(value is not None for value in values)
    assert len(r.latency_distribution) == 1_000_000
    assert sum(r.latency_distribution) <= 5000
    assert r.latency_distribution[0] >= 0


def test_last_commands_with_zero_tuples_before(nvme0n1):
    log = [None] * 10
    run(nvme0n1, io_size=8, lba_random=False, io_count=3, output_cmdlog_list=log, qdepth=2)
    assert log == [(0, 0, 0)] * 7 + [(0, 8, 2), (8, 8, 2), (16, 8, 2)]


def test_replay(nvme0n1):
    sequence = [(0, 1, 0, 8), (1000, 2, 0, 8), (50_000, 1, 64, 16), (60_000, 0, 0, 0), (100_000, 2, 64, 16)]
    log = [None] * 5
    start = time.time()
    r = run(nvme0n1, io_sequence=sequence, output_cmdlog_list=log, qdepth=2)
    assert time.time() - start >= 0.1
    assert r.mseconds >= 100
    assert (r.io_count_read, r.io_count_write) == (2, 2)
    assert [(slba, opcode) for slba, _, opcode in log] == [(0, 1), (0, 2), (64, 1), (0, 0), (64, 2)]


def test_distribution(nvme0n1):
    distribution = [0] * 100
    distribution[10] = 10000
    log = commands(nvme0n1, 200, io_size=1, distribution=distribution, region_end=10000)
    assert all(1000 <= slba < 1100 for slba, _, _ in log)


def test_distribution_of_two_parts(nvme0n1):
    distribution = [9000] + [0] * 98 + [1000]
    log = commands(nvme0n1, 500, io_size=1, distribution=distribution, region_end=10000)
    first = sum(slba < 100 for slba, _, _ in log)
    assert 400 < first < 490
    assert all(slba < 100 or slba >= 9900 for slba, _, _ in log)


@pytest.mark.parametrize("wrong", [[100] * 99, [100] * 99 + [99], [0] * 100])
def test_distribution_refused(nvme0n1, wrong):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(distribution=wrong, io_count=1)


@pytest.mark.parametrize(
    "ptype, pvalue", [(0, 0), (0, 1), (32, 0x5AA5F00F), (0xBEEF, 0), (0xBEEF, 50), (0xBEEF, 100)]
)
def test_patterns(nvme0n1, qpair, ptype, pvalue):
    run(nvme0n1, io_size=8, lba_random=False, region_end=80, read_percentage=0, ptype=ptype, pvalue=pvalue)
    b = d.Buffer(4096)
    nvme0n1.read(qpair, b, 8, 8).waitdone()
    assert b.data_head == 8
    if ptype == 32:
        assert b.data(255, 252) == pvalue
    if (ptype, pvalue) == (0, 1):
        assert b[252:256] == b"\xff" * 4


def test_progress_and_running(nvme0n1):
    w = nvme0n1.ioworker(io_size=8, iops=100, time=1)
    assert w.running
    w.start()
    time.sleep(0.5)
    assert w.running
    _ident, sent, completed = w.progress
    assert completed <= sent
    assert 20 < completed < 80 or loaded()
    w.close()
    assert not w.running


def test_close_twice(nvme0n1):
    w = nvme0n1.ioworker(io_size=8, io_count=10).start()
    assert w.close() == w.close()


def test_close_without_start(nvme0n1):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_size=8, io_count=10).close()


def test_cpu(nvme0n1):
    assert run(nvme0n1, io_size=8, io_count=100, cpu_id=0).io_count_read == 100


def test_fw_debug(nvme0n1, qpair):
    assert run(nvme0n1, io_size=8, io_count=100, fw_debug=True).io_count_read == 100


def test_error_of_the_drive(nvme0n1, qpair, buf):
    if not nvme0n1.supports(4):
        pytest.skip("needs a drive with Write Uncorrectable")
    nvme0n1.write_uncorrectable(qpair, 504, 8).waitdone()
    with pytest.warns(UserWarning, match="host ERROR -6: io cmd error|device respond an ERROR status: 02/81"):
        r = run(nvme0n1, io_size=8, region_start=504, region_end=512, io_count=10)
    assert r.error == -6
    nvme0n1.write(qpair, buf, 504, 8).waitdone()


def test_longer_than_mdts(nvme0, nvme0n1):
    with pytest.warns(UserWarning, match="host ERROR -2: io_size is larger than MDTS|status: 00/02") as told:
        assert run(nvme0n1, io_size=nvme0.mdts // 512 + 1, io_count=1).error == -2
    assert len(told) == 2


def test_17th_worker_on_16_queues(nvme0, nvme0n1):
    count = (nvme0.getfeatures(7).waitdone() & 0xFFFF) + 1
    if count > 32:
        pytest.skip("needs a drive with fewer queues")
    workers = [nvme0n1.ioworker(io_size=8, iops=100, time=1, qdepth=2).start() for _ in range(count + 1)]
    with pytest.warns(UserWarning, match="ioworker host ERROR -1: init fail in pyx") as told:
        results = [w.close() for w in workers]
    assert len(told) == 1
    assert [r.error for r in results] == [0] * count + [-1]


def test_many_workers_one_after_the_other(nvme0n1):
    for _ in range(30):
        assert run(nvme0n1, io_size=8, io_count=20, qdepth=4).io_count_read == 20


def test_context_managers(nvme0n1):
    with (
        nvme0n1.ioworker(io_size=8, io_count=1000, region_end=1000),
        nvme0n1.ioworker(
            io_size=16, io_count=1000, region_start=1000, region_end=2000, read_percentage=0
        ) as b,
    ):
        assert b.running in (True, False)
    assert b.close().io_count_write == 1000


def test_exception_inside_the_context_ends_the_worker(nvme0n1):
    start = time.time()
    with pytest.raises(KeyError), nvme0n1.ioworker(io_size=8, time=60):
        raise KeyError("of the script")
    assert time.time() - start < 5 or loaded()


def test_worker_while_the_script_resets_nothing(nvme0, nvme0n1, buf):
    with nvme0n1.ioworker(io_size=8, time=1):
        for _ in range(20):
            nvme0.getlogpage(2, buf, 512).waitdone()
            qpair = d.Qpair(nvme0, 16)
            nvme0n1.read(qpair, buf, 0, 8).waitdone()
            qpair.delete()


@pytest.mark.parametrize("read_percentage", [0, 30, 100])
def test_mix_by_percentage(nvme0n1, read_percentage):
    r = run(nvme0n1, io_size=8, region_end=10000, read_percentage=read_percentage, io_count=2000)
    assert abs(r.io_count_read / 20 - read_percentage) < 6
    assert r.io_count_read + r.io_count_nonread == 2000


def test_written_data_are_verified_by_later_readers(nvme0n1, verify):
    run(nvme0n1, io_size=16, lba_random=False, region_end=16000, read_percentage=0)
    r = run(nvme0n1, io_size=[1, 7, 8, 31], region_end=16000, io_count=3000)
    assert r.error == 0


def test_temperature_under_load(nvme0, nvme0n1):
    smart = d.Buffer(512)
    temperatures = []
    with nvme0n1.ioworker(io_size=64, time=1, read_percentage=0, region_end=100000):
        for _ in range(5):
            nvme0.getlogpage(2, smart, 512).waitdone()
            temperatures.append(smart.data(2, 1))
            time.sleep(0.15)
    assert all(273 < t < 373 for t in temperatures)


@pytest.mark.slow
def test_exact_rate_of_12345(nvme0n1):
    counts = []
    r = run(nvme0n1, io_size=8, iops=12345, time=3, output_io_per_second=counts)
    assert len(counts) == 3
    assert abs(r.io_count_read - 3 * 12345) <= 64 or loaded()
