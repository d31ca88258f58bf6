# SPDX-License-Identifier: BSD-3-Clause
"""Where an IO worker's commands go: sizes, alignment, steps, regions, distributions."""

from collections import Counter

import nvme as d
import pytest
from offered import needs_opcode


@pytest.fixture
def trace(run_worker):
    """Give ``trace(count, **options)``: the (slba, nlb, opcode) of all commands of a worker, in order."""

    def run(count, **options):
        log = [None] * count
        r = run_worker(output_cmdlog_list=log, **options)
        assert r.error == 0
        assert r.io_count_read + r.io_count_nonread == sum(entry != (0, 0, 0) for entry in log)
        return [entry for entry in log if entry != (0, 0, 0)]

    return run


def sequential(trace, count=100, **options):
    return [entry[:2] for entry in trace(count, lba_random=False, **options)]


END = 1000000


def whole(log):
    """Sizes of the commands that the end of the region did not cut."""
    return [nlb for lba, nlb, _ in log if lba + nlb < END]


# -- sizes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[3], [1, 8, 9], range(1, 6), range(8, 33, 8), (2, 4), [8, 8, 16]])
def test_sizes_of_a_list_or_range_are_all_sent_and_equally_often(trace, sizes):
    seen = Counter(whole(trace(6000, io_size=sizes, io_count=6000, region_end=END)))
    assert set(seen) == set(sizes)
    for size, count in Counter(sizes).items():
        assert seen[size] == pytest.approx(6000 * count / len(sizes), abs=6 * 6000**0.5 / 2)


def test_as_many_sizes_as_a_transfer_can_have_are_possible(trace, nvme0, lba_size):
    """Of 16 IOs a size on average, each comes with a probability of 1 - exp(-16)."""
    most = nvme0.mdts // lba_size
    sizes, count = range(1, most + 1), 16 * most
    seen = Counter(whole(trace(count, io_size=sizes, io_count=count, region_end=END)))
    assert len(seen) > most * 0.99
    assert max(seen) == most


def test_the_ratios_of_a_dict_are_kept_and_a_ratio_of_0_is_never_sent(trace):
    sizes = {1: 1, 2: 0, 7: 3, 16: 6}
    seen = Counter(whole(trace(8000, io_size=sizes, io_count=8000, region_end=END)))
    assert set(seen) == {1, 7, 16}
    for size, share in sizes.items():
        assert seen[size] == pytest.approx(800 * share, abs=6 * (8000 * 0.25) ** 0.5)


def test_each_size_has_the_alignment_at_its_place_in_the_list(trace):
    align = {1: 3, 8: 8, 20: 64}
    log = trace(3000, io_size=list(align), lba_align=list(align.values()), io_count=3000, region_end=100000)
    assert all(lba % align[nlb] == 0 for lba, nlb, _ in log)
    assert any(lba % 64 for lba, nlb, _ in log if nlb == 8)
    log = trace(3000, io_size={1: 5, 8: 1}, lba_align=[4, 16], io_count=3000, region_end=100000)
    assert all(lba % {1: 4, 8: 16}[nlb] == 0 for lba, nlb, _ in log)


@pytest.mark.parametrize(
    "options",
    [
        {"io_size": 0},
        {"io_size": -1},
        {"io_size": 65537},
        {"io_size": []},
        {"io_size": {}},
        {"io_size": {8: 0}},
        {"io_size": {8: -1}},
        {"io_size": [8, 0]},
        {"io_size": [1, 8], "lba_align": [1]},
        {"io_size": [1, 8], "lba_align": [1, 2, 3]},
        {"lba_align": -1},
        {"lba_align": 1 << 32},
        {"lba_align": 1024, "region_start": 1, "region_end": 1024},
        {"io_size": [8, 100], "region_end": 100},
        {"io_size": {8: 1, 100: 0}, "region_end": 100},
        {"region_start": 100, "region_end": 100},
        {"region_start": 1 << 40},
        {"region_start": -1},
        {"region_end": 1 << 64},
        {"lba_random": 101},
        {"lba_random": -1},
        {"lba_step": 1 << 63},
        {"distribution": [100] * 99},
        {"distribution": [100] * 99 + [99]},
        {"distribution": [101] * 101},
        {"distribution": [200] * 51 + [0] * 48 + [-200]},
    ],
    ids=str,
)
def test_what_names_no_place_is_asserted(nvme0n1, options):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(**{"io_count": 1, **options})


def test_one_size_above_the_region_becomes_the_region(trace):
    log = trace(20, io_size=100, lba_align=32, io_count=20, region_start=32, region_end=64)
    assert set(log) == {(32, 32, 2)}
    assert sequential(trace, io_size=1000000, region_start=8, region_end=40) == [(8, 32)]


# -- the ends of a region ---------------------------------------------------------------------------------


def test_random_io_is_cut_at_the_end_of_the_region(trace):
    log = trace(3000, io_size=8, io_count=3000, region_start=1000, region_end=1021)
    assert {lba for lba, _, _ in log} == set(range(1000, 1021))
    assert all(nlb == min(8, 1021 - lba) for lba, nlb, _ in log)


def test_a_region_ends_with_the_namespace(trace, nvme0n1):
    nsze = nvme0n1.id_ns.nsze
    assert sequential(trace, io_size=8, region_start=nsze - 20, region_end=1 << 60) == [
        (nsze - 20, 8),
        (nsze - 12, 8),
        (nsze - 4, 4),
    ]
    log = trace(500, io_size=8, io_count=500, region_start=nsze - 20)
    assert {lba for lba, _, _ in log} == set(range(nsze - 20, nsze))
    assert all(lba + nlb <= nsze for lba, nlb, _ in log)


# -- sequential -------------------------------------------------------------------------------------------


def test_sequential_io_begins_again_at_the_region_and_is_cut_in_each_pass(trace):
    once = [(10, 8), (18, 8), (26, 4)]
    assert sequential(trace, io_size=8, io_count=7, region_start=10, region_end=30) == [*once, *once, once[0]]


def test_lba_start_is_the_first_lba_and_is_raised_to_the_region(trace):
    region = {"io_size": 8, "io_count": 4, "region_start": 100, "region_end": 200}
    assert sequential(trace, lba_start=180, **region) == [(180, 8), (188, 8), (196, 4), (100, 8)]
    assert sequential(trace, lba_start=7, **region) == [(100, 8), (108, 8), (116, 8), (124, 8)]
    assert sequential(trace, lba_start=200, **region)[0] == (100, 8)


@pytest.mark.parametrize(
    ("options", "lbas"),
    [
        ({"lba_step": 8}, [0, 8, 16, 24]),
        ({"lba_step": 1}, [0, 1, 2, 3]),
        ({"lba_step": 500}, [0, 500, 0, 500]),
        ({"lba_step": 0, "lba_start": 40}, [40, 40, 40, 40]),
        ({"lba_step": -8, "lba_start": 16}, [16, 8, 0, 992]),
        ({"lba_step": -1, "lba_start": 1}, [1, 0, 992, 991]),
        ({"lba_step": -8, "lba_start": 112, "region_start": 100}, [112, 104, 992, 984]),
        ({"lba_step": -400, "lba_start": 500}, [500, 100, 992, 592]),
        ({"lba_step": 8, "lba_align": 32}, [0, 32, 64, 96]),
        ({"lba_step": -8, "lba_align": 32, "lba_start": 64}, [64, 32, 0, 992]),
        ({"lba_align": 5}, [0, 10, 20, 30]),
        ({"lba_start": 3, "lba_align": 5}, [5, 15, 25, 35]),
    ],
    ids=str,
)
def test_a_step_goes_from_lba_to_lba_and_round_in_the_region(trace, options, lbas):
    log = sequential(trace, io_size=8, io_count=4, **{"region_end": 1000, **options})
    assert log == [(lba, 8) for lba in lbas]


def test_sequential_io_of_several_sizes_is_contiguous(trace):
    log = sequential(trace, io_size=[1, 2, 8], io_count=90, region_end=100000)
    at = 0
    for lba, nlb in log:
        assert lba == at
        at += nlb


def test_a_flush_leaves_no_hole_in_sequential_io(trace):
    log = trace(2000, io_size=8, lba_random=False, region_end=8000, op_percentage={1: 60, 0: 40})
    assert [lba for lba, _, opcode in log if opcode == 1] == list(range(0, 8000, 8))
    assert sum(opcode == 0 for _, _, opcode in log) == pytest.approx(667, abs=150)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"region_end": 1000}, 125),
        ({"region_end": 1001}, 126),
        ({"region_start": 992, "region_end": 1000}, 1),
        ({"region_end": 1000, "io_size": 7}, 143),
        ({"region_start": 100, "region_end": 1000, "lba_start": 500}, 113),
        ({"region_end": 1000, "lba_step": 100}, 10),
        ({"region_end": 1000, "lba_step": -8}, 125),
        ({"region_end": 1000, "lba_align": 10}, 100),
        ({"region_end": 30, "io_size": 64}, 1),
    ],
    ids=str,
)
def test_sequential_io_of_one_size_without_a_stop_fills_the_region_once(trace, options, count):
    log = trace(200, lba_random=False, read_percentage=0, **{"io_size": 8, **options})
    assert len(log) == len(set(log)) == count
    if not options.keys() & {"lba_step", "lba_align"}:
        written = Counter(lba + i for lba, nlb, _ in log for i in range(nlb))
        assert written.keys() == set(range(options.get("region_start", 0), options["region_end"]))


@pytest.mark.parametrize(
    "options",
    [
        {"region_end": 1000},
        {"region_end": 1000, "lba_random": 1},
        {"lba_random": False},
        {"region_end": 1000, "lba_random": False, "io_size": [4, 8]},
        {"region_end": 1000, "lba_random": False, "io_size": {4: 1, 8: 1}},
        {"region_end": 1000, "lba_random": False, "lba_step": 0},
        {"region_end": 1000, "lba_random": False, "op_percentage": {0: 100}},
        {"region_end": 1000, "lba_random": False, "time": -1},
        {"region_end": 1000, "lba_random": False, "io_count": -1},
    ],
    ids=str,
)
def test_anything_else_needs_a_stop(nvme0n1, options):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(**options)


# -- random -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percentage", [0, 1, 30, 80, 100])
def test_lba_random_is_the_percentage_of_random_io_and_the_rest_stays_in_sequence(trace, percentage):
    log = trace(4000, io_size=1, lba_random=percentage, io_count=4000, region_end=1 << 22)
    expected, in_sequence = 0, 0
    for lba, _, _ in log:
        if lba == expected:
            expected += 1
            in_sequence += 1
    assert in_sequence / 40 == pytest.approx(100 - percentage, abs=0 if percentage in (0, 100) else 5)


@pytest.mark.parametrize(
    ("start", "end", "align"), [(0, 100000, 1), (4096, 4096 + 123457, 1), (0, 640000, 64), (3, 100002, 7)]
)
def test_a_distribution_gives_each_hundredth_of_the_region_its_share(trace, start, end, align):
    """Chi-square: with 59 degrees of freedom above 120 once in 500,000; the seed repeats it."""
    distribution = [400] * 20 + [50] * 40 + [0] * 40
    d.srand(20261126)
    log = trace(
        20000,
        io_size=1,
        lba_align=align,
        io_count=20000,
        region_start=start,
        region_end=end,
        distribution=distribution,
    )
    ends = [start + (end - start) * (part + 1) // 100 for part in range(100)]
    seen = Counter(next(part for part in range(100) if lba < ends[part]) for lba, _, _ in log)
    assert sum(seen.values()) == 20000
    assert not any(seen[part] for part in range(60, 100))
    chi = sum((seen[part] - distribution[part] * 2) ** 2 / (distribution[part] * 2) for part in range(60))
    assert chi < 120


def test_a_distribution_over_fewer_lbas_than_parts_stays_in_the_region(trace):
    log = trace(500, io_size=8, io_count=500, region_start=5, region_end=35, distribution=[100] * 100)
    assert {lba for lba, _, _ in log} == set(range(5, 35))


# -- uncorrectable LBAs -----------------------------------------------------------------------------------


@pytest.fixture
def bad(nvme0n1, qpair, buf):
    """Mark LBAs uncorrectable: 16…23, 35, 96…99 of the region [0, 100)."""
    needs_opcode(nvme0n1, 4, "Write Uncorrectable")
    for lba, count in ((16, 8), (35, 1), (96, 4)):
        nvme0n1.write_uncorrectable(qpair, lba, count).waitdone()
    yield {*range(16, 24), 35, *range(96, 100)}
    nvme0n1.write_zeroes(qpair, 0, 4096).waitdone()


@pytest.mark.parametrize(
    "options", [{"read_percentage": 100}, {"read_percentage": 0}, {"op_percentage": {12: 100}}]
)
def test_sequential_io_goes_round_what_is_known_to_be_uncorrectable(trace, bad, options):
    log = trace(100, io_size=8, lba_random=False, region_end=100, **options)
    touched = Counter(lba + i for lba, nlb, _ in log for i in range(nlb))
    assert touched.keys() == set(range(100)) - bad
    assert set(touched.values()) == {1}
    assert [entry[:2] for entry in log[:5]] == [(0, 8), (8, 8), (24, 8), (32, 3), (36, 8)]


def test_a_worker_that_goes_round_sends_as_many_ios_as_it_was_asked_for(trace, bad):
    log = trace(300, io_size=8, lba_random=False, io_count=300, region_end=100)
    assert len(log) == 300
    assert not bad & {lba + i for lba, nlb, _ in log for i in range(nlb)}
    stepped = sequential(trace, io_size=4, lba_step=16, io_count=7, region_end=100)
    assert stepped == [(0, 4), (32, 3), (48, 4), (64, 4), (80, 4), (0, 4), (32, 3)]


def test_an_uncorrectable_lba_is_reached_by_random_io_and_where_there_is_nothing_else(nvme0n1, bad):
    for options in (
        {"region_start": 16, "region_end": 24, "lba_random": False},
        {"region_start": 16, "region_end": 24, "lba_random": True},
        {"lba_step": 0, "lba_start": 16, "lba_random": False},
    ):
        worker = nvme0n1.ioworker(io_size=8, io_count=100, **options).start()
        with pytest.warns(UserWarning) as caught:
            assert worker.close().error == -6
        assert (
            str(caught[-1].message) == "ioworker device respond an ERROR status: 02/81 Unrecovered Read Error"
        )


# -- transfers whose PRP lists have several pages ------------------------------------------------------------


@pytest.fixture(scope="module")
def unlimited():
    """Give a namespace of a drive without MDTS."""
    nvme0 = d.Controller("vssd:name=unlimited,mdts=0,size=1G")
    yield d.Namespace(nvme0)
    nvme0.pcie.close()


def test_io_of_more_than_2_mib_is_written_read_and_verified(unlimited):
    """Lists of one page, filled to the last entry, and of up to five; cut at the region's end, too."""
    page = 8
    sizes = [513 * page, 514 * page, 515 * page, (1 + 511 + 512) * page, 16384, 8 * page]
    region = {"region_start": 1, "region_end": 60001}
    with unlimited.ioworker(
        io_size=sizes, lba_random=False, io_count=30, read_percentage=0, qdepth=4, **region
    ) as worker:
        pass
    assert worker.close().error == 0
    for random in (False, True):
        counts = dict.fromkeys(sizes)
        r = unlimited.ioworker(io_size=list(counts), lba_random=random, io_count=60, qdepth=4, **region)
        r = r.start().close()
        assert (r.error, r.lba_mismatch) == (0, 0)
        assert r.lba_verified > 60000


def test_the_largest_io_is_65536_lbas(unlimited):
    for percentage in (0, 100):
        r = unlimited.ioworker(
            io_size=65536, io_count=3, lba_random=False, read_percentage=percentage, qdepth=2
        )
        r = r.start().close()
        assert (r.error, r.lba_mismatch) == (0, 0)
    assert r.lba_verified == 3 * 65536
    with pytest.raises(AssertionError):
        unlimited.ioworker(io_size=65537, io_count=1)


@pytest.mark.parametrize("wrong", [None, "50", 0.5, [50], 101, -1, {}], ids=repr)
def test_a_share_of_random_io_that_is_none_is_asserted(nvme0n1, wrong):
    with pytest.raises(AssertionError, match="lba_random must be a bool, or an int from 0 to 100"):
        nvme0n1.ioworker(io_size=8, io_count=1, lba_random=wrong)
