# SPDX-License-Identifier: BSD-3-Clause
"""What a worker does on request: popular blocks, arrivals, pauses, limits of latency, and further outputs.

Times of IOs come from the command log. Seeds are fixed, so that the statistics are the same in each run.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy
import nvme as d
import pytest

from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded

REGION = 8000
BLOCK = 8


class Drive:
    """A drive of this file, its namespace and its virtual SSD."""

    def __init__(self) -> None:
        self.pcie = d.Pcie("vssd:name=worker_extra,size=64M")
        self.nvme0 = d.Controller(self.pcie)
        self.nvme0n1 = d.Namespace(self.nvme0)
        self.ssd = VirtualSsd.attach("vssd:name=worker_extra,size=64M")

    def run(self, **options: Any) -> tuple[Any, d.IOWorker]:
        """The result of a worker, and the worker."""
        d.srand(11)
        worker = self.nvme0n1.ioworker(**{"io_size": BLOCK, "region_end": REGION, **options}).start()
        return worker.close(), worker


@pytest.fixture(scope="module")
def drive():
    one = Drive()
    yield one
    one.pcie.close()


def blocks(worker: d.IOWorker) -> Counter[int]:
    """How often each block was read, of the last commands."""
    return Counter(c.slba // BLOCK for c in worker.cmdlog_list())


def test_zipf_reads_popular_blocks_as_often_as_its_formula_says(drive):
    _, worker = drive.run(zipf=1.2, io_count=4000)
    counts = sorted(blocks(worker).values(), reverse=True)
    zeta = sum(k**-1.2 for k in range(1, REGION // BLOCK + 1))
    for rank in (1, 2):
        wanted = 4000 * rank**-1.2 / zeta
        assert abs(counts[rank - 1] - wanted) < 4 * math.sqrt(wanted)
    assert all(c.slba % BLOCK == 0 and c.lbas == BLOCK for c in worker.cmdlog_list())
    _, other = drive.run(zipf=1.2, io_count=4000, read_percentage=50)
    assert blocks(worker).most_common(1)[0][0] == blocks(other).most_common(1)[0][0]  # the same for all


def test_pareto_gives_most_io_to_few_blocks(drive):
    _, worker = drive.run(pareto=0.2, io_count=4000)
    counts = sorted(blocks(worker).values(), reverse=True)
    assert abs(sum(counts[:200]) / 4000 - 0.8) < 0.03 and len(counts) > 400


@pytest.mark.timing
def test_poisson_arrivals_have_the_rate_in_the_mean_and_are_irregular(drive):
    """tests/c/test_watch.c judges the distribution, which a machine under load would change here."""
    rate = 2000
    r, worker = drive.run(poisson=True, iops=rate, io_count=1000, qdepth=64)
    pauses = numpy.diff([c.submitted_ns for c in worker.cmdlog_list()]) / 1e9
    assert r.io_count_read == 1000 and abs(len(pauses) / pauses.sum() / rate - 1) < 0.15
    assert pauses.std() / pauses.mean() > 0.7 and (pauses > 2 / rate).mean() > 0.05


@pytest.mark.timing
def test_think_time_is_between_groups_of_ios(drive):
    r, worker = drive.run(think_time=3000, think_ios=4, io_count=40, qdepth=8)
    log = worker.cmdlog_list()
    for group in range(1, 10):
        ended = max(c.completed_ns for c in log[4 * group - 4 : 4 * group])
        assert log[4 * group].submitted_ns - ended >= 2_990_000
        assert log[4 * group + 3].submitted_ns - log[4 * group].submitted_ns < 3_000_000
    assert r.io_count_read == 40 and r.mseconds >= 27


def test_a_latency_above_the_limit_ends_the_worker_and_the_log_shows_the_command(drive, caplog):
    with drive.ssd.fault("opcode=read lba=808 do late=60ms"), pytest.warns(UserWarning, match="-9: latency"):
        r, worker = drive.run(max_latency=50000, lba_random=False, io_count=100000, qdepth=4)
    assert r.error == -9 and 100 < r.io_count_read < 100000 and r.latency_max_us >= 50000
    text = next(one.getMessage() for one in caplog.records if "error -9" in one.getMessage())
    assert "us for SUCCESS" in text and "READ (02)" in text and "LBA 0x328 to 0x32f" in text
    slow = worker.cmdlog_list().filter(lambda c: (c.latency_ns or 0) > 50_000_000)
    assert {c.slba for c in slow} == {808}
    r, _ = drive.run(max_latency=5_000_000, io_count=1000)
    assert r.error == 0 and r.io_count_read == 1000


def test_a_command_that_does_not_come_back_ends_it_too(drive, caplog):
    drive.nvme0.timeout = 300
    with drive.ssd.fault("opcode=read lba=808 do hold"), pytest.warns(UserWarning, match="-9: latency"):
        r, _ = drive.run(max_latency=20000, lba_random=False, io_count=100000, qdepth=4)
    drive.nvme0.timeout = 10000
    assert r.error == -9
    text = next(one.getMessage() for one in caplog.records if "error -9" in one.getMessage())
    assert "no completion of READ (02)" in text and "LBA 0x328" in text


def test_it_continues_after_errors_and_counts_them(drive):
    with drive.ssd.fault("opcode=read lba=80 do status=02/81"), pytest.warns(UserWarning, match="02/81"):
        r, worker = drive.run(continue_on_error=True, lba_random=False, io_count=2000)
    assert (r.error, r.io_count_read, r.io_count_failed, r.status) == (0, 2000, 2, 0x281)
    assert [c.slba for c in worker.cmdlog_list().failures] == [80, 80]
    with drive.ssd.fault("opcode=read lba=80 do status=02/81"), pytest.warns(UserWarning):
        r, _ = drive.run(lba_random=False, io_count=2000)
    assert r.error == -6 and r.io_count_read < 2000 and "io_count_failed" not in r


def test_latencies_by_opcode(drive):
    wanted = {1: {50: None, 100: None}, 2: {50: None}, 9: {50: None}}
    with drive.ssd.fault("opcode=write do late=2ms"):
        r, worker = drive.run(
            op_percentage={1: 20, 2: 80}, io_count=300, qdepth=4, output_opcode_latency=wanted
        )
    log = worker.cmdlog_list()
    for opcode in (1, 2):
        latencies = sorted(c.latency_ns for c in log.filter(opcode=opcode))
        middle = latencies[(len(latencies) - 1) // 2] / 1000
        assert wanted[opcode][50] == pytest.approx(middle, rel=0.02, abs=1.5)
        mean = sum(latencies) / len(latencies) / 1000
        assert r.latency_average_us_by_opcode[opcode] == pytest.approx(mean, rel=0.001, abs=0.01)
        assert r.latency_percentile_ns_by_opcode[opcode][50] // 1000 == wanted[opcode][50]
    assert wanted[1][100] == max(c.latency_ns for c in log.filter(opcode=1)) // 1000 and wanted[9][50] == 0
    assert wanted[1][50] > 2000


STALL, COUNT = 0.2, 60


@pytest.mark.parametrize(
    "pace",
    [
        {"iops": 1000},
        {"iops": 1000, "poisson": True},
        {"io_sequence": [(i * 1000, 2, 0, 1) for i in range(60)]},
    ],
    ids=["rate", "poisson", "replay"],
)
def test_latencies_from_the_due_time_have_the_wait_for_a_stalled_drive(drive, pace):
    due, sent = {50: None, 100: None}, {50: None}
    with drive.ssd.fault(f"opcode=read do late={STALL * 1000:.0f}ms count=1"):
        r, worker = drive.run(
            io_count=COUNT, qdepth=2, output_due_latency=due, output_percentile_latency=sent, **pace
        )
    log = worker.cmdlog_list()
    began = log[0].submitted_ns
    assert sent[50] < due[50] < due[100] and due[100] >= STALL * 1e6
    assert r.latency_due_percentile_ns[50] // 1000 == due[50]
    if "poisson" not in pace:  # IO k is due k ms after the first one, which was sent as soon as it was due
        exact = sorted(c.completed_ns - began - i * 1_000_000 for i, c in enumerate(log))
        assert due[50] == pytest.approx(exact[COUNT // 2 - 1] / 1000, rel=0.02, abs=5000)


@pytest.mark.parametrize("read_percentage", [0, 100])
@pytest.mark.parametrize("verify", [False, True])
def test_latencies_of_one_opcode_are_those_of_all(drive, read_percentage, verify):
    opcode = 2 if read_percentage else 1
    drive.nvme0n1.verify_enable(verify)
    one, all_ = {opcode: {50: None, 99: None}}, {50: None, 99: None}
    r, _ = drive.run(
        read_percentage=read_percentage,
        io_count=3000,
        output_opcode_latency=one,
        output_percentile_latency=all_,
    )
    drive.nvme0n1.verify_enable(True)
    assert one[opcode] == all_ and r.io_count_read + r.io_count_write == 3000


def test_histograms_of_intervals_have_every_io_once(drive):
    histograms: list[Any] = []
    latency = {100: None}
    r, _ = drive.run(
        time=0.4, output_latency_histograms=histograms, histogram_ms=50, output_percentile_latency=latency
    )
    assert 8 <= len(histograms) <= 12
    assert sum(int(one[:, 1].sum()) for one in histograms) == r.io_count_read
    highest = max(int(one[:, 0].max()) for one in histograms if len(one))
    assert latency[100] <= highest / 1000 <= latency[100] * 1.01 + 2
    assert all((numpy.diff(one[:, 0].astype(numpy.int64)) > 0).all() for one in histograms)


@pytest.mark.slow
def test_the_steady_state_ends_it(drive):
    r, _ = drive.run(steady_state=1, iops=500, time=30)
    assert r.steady_state and r.mseconds >= 5000
    assert r.mseconds < 8500 or loaded()


def test_a_run_may_end_before_it_is_steady(drive):
    r, _ = drive.run(steady_state=1, iops=500, time=0.2)
    assert not r.steady_state


@pytest.mark.timing
def test_the_highest_depth_that_holds_a_latency(drive):
    """Each read takes 2 ms for each command in flight, since the rule delays them one after the other."""
    options = {"latency_window": 0.1, "qdepth": 17, "time": 20}
    with drive.ssd.fault("opcode=read do late=1ms"):
        r, _ = drive.run(latency_target=1_000_000, latency_percentile=90, **options)
        assert r.latency_target_depth == 16 and [one[0] for one in r.latency_target_windows] == [16]
        r, _ = drive.run(latency_target=500, latency_percentile=50, **options)
        assert r.latency_target_depth == 0
        assert [one[0] for one in r.latency_target_windows] == [16, 8, 4, 2, 1]
        assert all(iops > 0 and latency >= 1000 for _, iops, latency in r.latency_target_windows)


def test_regions_are_used_by_their_size_and_nothing_between(drive):
    regions = [(0, 800), (2400, 2408), (4000, 5600)]
    _, worker = drive.run(regions=regions, region_end=0xFFFFFFFFFFFFFFFF, io_count=4000)
    counts = Counter(
        next(i for i, (start, end) in enumerate(regions) if start <= c.slba and c.slba + c.lbas <= end)
        for c in worker.cmdlog_list()
    )
    assert abs(counts[2] / 4000 - 1600 / 2408) < 0.03 and abs(counts[0] / 4000 - 800 / 2408) < 0.03


def test_sequential_io_goes_through_the_regions(drive):
    _, worker = drive.run(
        regions=[(0, 20), (100, 116)], region_end=0xFFFFFFFFFFFFFFFF, lba_random=False, read_percentage=0
    )
    places = [(c.slba, c.lbas) for c in worker.cmdlog_list()]
    assert places == [(0, 8), (8, 8), (16, 4), (100, 8), (108, 8)]
    _, worker = drive.run(regions=[(100, 116), (0, 8)], region_end=0xFFFFFFFFFFFFFFFF, lba_random=False)
    assert [c.slba for c in worker.cmdlog_list()] == [100, 108, 0]


def test_data_compress_as_requested(drive):
    drive.run(compress=75, read_percentage=0, lba_random=False, region_end=8, io_size=1)
    for lba in range(8):
        data = drive.ssd.peek(1, lba)
        assert data[8:128].count(0) < 12 and data[136:504] == bytes(368)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"zipf": 1}, "zipf must be a theta above 0, up to 5 and not 1, not 1"),
        ({"zipf": 0}, "zipf must be a theta"),
        ({"pareto": 1}, "pareto must be a share between 0 and 1, not 1"),
        ({"zipf": 0.5, "pareto": 0.5}, "zipf and pareto exclude each other"),
        ({"zipf": 0.5, "distribution": [100] * 100}, "zipf and distribution exclude each other"),
        ({"zipf": 0.5, "lba_random": False}, "zipf is for random IO"),
        ({"poisson": True}, "poisson needs iops"),
        ({"poisson": True, "iops": 5, "io_sequence": [(0, 2, 0, 1)]}, "poisson and io_sequence exclude"),
        ({"think_time": -1}, "think_time must be from 0 to 1e"),
        ({"think_ios": 0}, "think_ios must be at least 1"),
        ({"max_latency": -1}, "max_latency must be from 0"),
        ({"latency_percentile": 0}, "latency_percentile must be above 0"),
        ({"latency_window": 0.001}, "latency_window must be at least 0.01 s"),
        ({"compress": 101}, "compress must be a percentage from 0 to 100, not 101"),
        ({"steady_state": -1}, "steady_state must be a round of 0 to 3600 seconds, not -1"),
        ({"histogram_ms": 1}, "histogram_ms must be from 10 to 3600000, not 1"),
        ({"output_opcode_latency": []}, "output_opcode_latency must be a dict, not list"),
        ({"output_opcode_latency": {2: {101: None}}}, "a percentile is from 0 to 100, not 101"),
        ({"output_due_latency": {}}, "output_due_latency needs iops or io_sequence"),
        ({"output_due_latency": [], "iops": 1}, "output_due_latency must be a dict, not list"),
        ({"output_latency_histograms": {}}, "output_latency_histograms must be a list, not dict"),
        ({"regions": []}, "regions has 0 entries; 1 to 64 are possible"),
        ({"regions": [(8, 8)]}, "is empty in a namespace"),
        ({"regions": [(0, 16), (8, 24)]}, "regions overlap at LBA 8"),
        ({"regions": [(4, 16)], "lba_align": 8}, "must begin and end at a multiple of lba_align 8"),
        ({"regions": [(0, 16)], "lba_start": 8}, "regions replaces region_start, region_end and lba_start"),
    ],
)
def test_wrong_requests_are_refused(drive, options, text):
    with pytest.raises(AssertionError, match=text):
        drive.nvme0n1.ioworker(io_count=1, **options)


@pytest.mark.parametrize("options", [{"regions": 5}, {"regions": [5]}, {"zipf": "a"}, {"compress": 0.5}])
def test_wrong_types_are_refused(drive, options):
    with pytest.raises(TypeError, match=r"ioworker\(\): "):
        drive.nvme0n1.ioworker(io_count=1, **options)
