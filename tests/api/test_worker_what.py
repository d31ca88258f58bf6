# SPDX-License-Identifier: BSD-3-Clause
"""What an IO worker sends: opcodes and their shares, data, tokens, replays."""

import time
from collections import Counter

import nvme as d
import pytest
from exact import in_time
from offered import needs_opcode

FLUSH, WRITE, READ, UNCORRECTABLE, COMPARE, ZEROES, DSM, VERIFY = 0, 1, 2, 4, 5, 8, 9, 12


def token(ssd, lba):
    return int.from_bytes(ssd.peek(1, lba)[-8:], "little")


@pytest.fixture
def fill(run_worker):
    """Give ``fill(**options)``: a worker that writes its region once, 8 LBAs an IO."""

    def run(**options):
        r = run_worker(**{"io_size": 8, "lba_random": False, "read_percentage": 0, **options})
        assert r.error == 0
        return r

    return run


# -- opcodes ----------------------------------------------------------------------------------------------


def test_the_drive_gets_the_opcodes_that_the_dict_counts(run_worker, ssd):
    opcodes = {READ: 40, WRITE: 30, FLUSH: 5, ZEROES: 10, DSM: 5, VERIFY: 10}
    asked = dict(opcodes)
    log = [None] * 3000
    before = ssd.counters()
    r = run_worker(io_size=8, io_count=3000, region_end=100000, op_percentage=opcodes, output_cmdlog_list=log)
    after = ssd.counters()
    assert r.error == 0
    assert opcodes == Counter(opcode for _, _, opcode in log)
    assert opcodes[READ] == r.io_count_read == after.commands_read - before.commands_read
    assert opcodes[WRITE] == r.io_count_write == after.commands_write - before.commands_write
    assert r.io_count_nonread == 3000 - r.io_count_read
    assert after.commands_other - before.commands_other == 3000 - r.io_count_read - r.io_count_write
    for opcode, percentage in asked.items():
        share = percentage / 100
        assert opcodes[opcode] == pytest.approx(3000 * share, abs=6 * (3000 * share * (1 - share)) ** 0.5)


@pytest.mark.parametrize("percentage", [0, 1, 50, 99, 100])
def test_read_percentage_is_the_share_of_reads_and_the_rest_are_writes(run_worker, percentage):
    r = run_worker(io_size=8, io_count=3000, region_end=100000, read_percentage=percentage)
    assert r.io_count_read + r.io_count_write == 3000
    assert r.io_count_nonread == r.io_count_write
    assert r.io_count_read / 30 == pytest.approx(percentage, abs=0 if percentage in (0, 100) else 5)


def test_every_opcode_does_what_it_says(run_worker, fill, ssd, nvme0, lba_size):
    fill(region_end=64)
    region = {"io_size": 8, "lba_random": False, "region_end": 64}
    run_worker(**{**region, "region_end": 8}, op_percentage={ZEROES: 100})
    assert ssd.peek(1, 7) == bytes(lba_size) != ssd.peek(1, 8)
    run_worker(**{**region, "region_start": 8, "region_end": 16}, op_percentage={DSM: 100})
    assert ssd.peek(1, 8) == ssd.peek(1, 15) == bytes(lba_size) != ssd.peek(1, 16)
    run_worker(**{**region, "region_start": 16, "region_end": 24}, op_percentage={UNCORRECTABLE: 100})
    for opcode in (READ, VERIFY):
        with pytest.warns(UserWarning) as caught:
            assert run_worker(io_sequence=[(0, opcode, 16, 1)]).error == -6
        assert str(caught[-1].message).endswith("02/81 Unrecovered Read Error")
    fill(region_end=64)  # goes round them, so they are written by a replay
    most = min(64, nvme0.mdts // lba_size)
    run_worker(io_sequence=[(0, WRITE, 16, 8), (1000, VERIFY, 0, most), (2000, READ, 0, most)])


def test_a_compare_worker_compares_its_pattern(run_worker, ssd, lba_size):
    run_worker(io_size=8, lba_random=False, region_end=64, op_percentage={ZEROES: 100})
    zeros = {"io_size": 8, "ptype": 0, "pvalue": 0, "region_end": 64, "op_percentage": {COMPARE: 100}}
    assert run_worker(io_count=100, **zeros).error == 0
    ssd.poke(1, 40, bytes(lba_size - 1) + b"x")
    with pytest.warns(UserWarning) as caught:
        assert run_worker(lba_random=False, **{**zeros, "op_percentage": {COMPARE: 100}}).error == -6
    assert [str(warning.message) for warning in caught] == [
        "ioworker host ERROR -6: io cmd error",
        "ioworker device respond an ERROR status: 02/85 Compare Failure",
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"op_percentage": {}},
        {"op_percentage": {2: 99}},
        {"op_percentage": {2: 101}},
        {"op_percentage": {2: 150, 1: -50}},
        {"op_percentage": {3: 100}},
        {"op_percentage": {0x81: 100}},
        {"read_percentage": 101},
        {"read_percentage": -1},
    ],
    ids=str,
)
def test_a_share_or_an_opcode_that_is_none_is_asserted(nvme0n1, options):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_count=1, **options)


def test_commands_without_data_are_not_bound_by_mdts(run_worker, nvme0, nvme0n1, lba_size):
    size = 65536
    assert size * lba_size > nvme0.mdts
    for opcode in filter(nvme0n1.supports, (ZEROES, DSM, UNCORRECTABLE)):
        log = [None]
        r = run_worker(
            io_size=size,
            lba_random=False,
            region_start=100000,
            region_end=100000 + size,
            op_percentage={opcode: 100},
            output_cmdlog_list=log,
        )
        assert r.error == 0
        assert log == [(100000, size, opcode)]
    needs_opcode(nvme0n1, ZEROES, "Write Zeroes")
    assert run_worker(io_sequence=[(0, ZEROES, 100000, size), (0, READ, 100000, 8)]).error == 0


# -- data -------------------------------------------------------------------------------------------------


def test_what_a_worker_stores_is_its_pattern_between_lba_and_token(fill, ssd):
    fill(region_end=16, ptype=32, pvalue=0x12345678)
    for lba in range(16):
        stored = ssd.peek(1, lba)
        assert int.from_bytes(stored[:8], "little") == lba
        assert stored[8:-8] == (0x12345678).to_bytes(4, "little") * ((len(stored) - 16) // 4)
    fill(region_end=16, ptype=0, pvalue=0)
    assert not any(ssd.peek(1, 5)[8:-8])
    fill(region_end=16, ptype=0, pvalue=1)
    assert set(ssd.peek(1, 5)[8:-8]) == {0xFF}


@pytest.mark.parametrize("percentage", [0, 50, 100])
def test_the_random_pattern_fills_its_percentage_of_each_io(fill, ssd, percentage):
    fill(region_end=64, io_size=16, pvalue=percentage)
    for lba in range(64):
        is_random = lba % 16 < 16 * percentage // 100
        assert (len(set(ssd.peek(1, lba)[8:-8])) > 100) == is_random


def test_the_counter_of_tokens_moves_by_one_for_each_lba_that_is_written(fill, nvme0n1, qpair, buf, ssd):
    nvme0n1.write(qpair, buf, 5000).waitdone()
    first = token(ssd, 5000)
    fill(region_end=1003, io_size=7)
    nvme0n1.read(qpair, buf, 0).waitdone()
    r = nvme0n1.ioworker(
        io_size=8, io_count=500, region_end=1003, op_percentage={READ: 70, FLUSH: 10, VERIFY: 20}
    )
    assert r.start().close().error == 0
    nvme0n1.write(qpair, buf, 5000).waitdone()
    assert token(ssd, 5000) - first == 1003 + 1
    assert {token(ssd, lba) - first for lba in range(1003)} == set(range(1, 1004))


def test_no_two_writes_of_workers_beside_each_other_bear_the_same_token(nvme0n1, qpair, buf, ssd):
    nvme0n1.write(qpair, buf, 5000).waitdone()
    first = token(ssd, 5000)
    workers = [
        nvme0n1.ioworker(
            io_size=4, lba_random=False, read_percentage=0, region_start=i * 256, region_end=(i + 1) * 256
        ).start()
        for i in range(4)
    ]
    assert all(worker.close().error == 0 for worker in workers)
    assert {token(ssd, lba) - first for lba in range(1024)} == set(range(1, 1025))


# -- replays ----------------------------------------------------------------------------------------------


def test_a_replay_sends_every_opcode_as_it_is_and_counts_it(run_worker, fill, nvme0n1, qpair, lba_size):
    fill(region_end=1000)
    sequence = [
        (0, WRITE, 100, 8),
        (3000, READ, 100, 8),
        (6000, FLUSH, 0, 1),
        (9000, ZEROES, 200, 16),
        (12000, DSM, 300, 24),
        (15000, VERIFY, 100, 8),
        (18000, UNCORRECTABLE, 400, 4),
    ]
    sequence = [entry for entry in sequence if nvme0n1.supports(entry[1])]
    sent = [entry[1] for entry in sequence]
    log = [None] * (len(sent) + 2)
    counts = {READ: 100}
    r = run_worker(io_sequence=sequence, output_cmdlog_list=log, op_percentage=counts, qdepth=2)
    assert log == [(0, 0, 0)] * 2 + [(slba, nlb, opcode) for _, opcode, slba, nlb in sequence]
    assert (r.error, r.io_count_read, r.io_count_write, r.io_count_nonread) == (0, 1, 1, len(sent) - 1)
    assert counts == dict.fromkeys(sent, 1)
    nvme0n1.write(qpair, d.Buffer(4 * lba_size), 400, 4).waitdone()


@in_time
def test_no_io_of_a_replay_is_early_and_the_last_one_is_not_late(nvme0n1):
    times = [0, 50000, 50000, 120000, 200000, 200001, 300000, 450000]
    worker = nvme0n1.ioworker(io_sequence=[(us, READ, 8 * i, 8) for i, us in enumerate(times)])
    before = time.monotonic()
    worker.start()
    seen = set()
    while worker.running:
        sent = worker.progress[1]
        elapsed_us = (time.monotonic() - before) * 1e6
        assert sent <= sum(us <= elapsed_us for us in times)
        seen.add(sent)
        time.sleep(0.002)
    r = worker.close()
    assert {1, 3, 4} <= seen, "the pauses are there"
    assert 450 <= r.mseconds < 550
    assert r.io_count_read == len(times)


def test_a_replay_whose_times_are_all_past_keeps_its_order(run_worker):
    sequence = [(0, READ, i * 8, 8) for i in range(1000)]
    log = [None] * 1000
    run_worker(io_sequence=sequence, output_cmdlog_list=log, qdepth=16)
    assert [lba for lba, _, _ in log] == [lba for _, _, lba, _ in sequence]


@in_time
def test_a_replay_ends_with_whichever_end_is_first(run_worker):
    sequence = [(i * 10000, READ, i * 8, 8) for i in range(100)]
    assert run_worker(io_sequence=sequence, io_count=7).io_count_read == 7
    assert run_worker(io_sequence=sequence[:5], io_count=7).io_count_read == 5
    r = run_worker(io_sequence=sequence, time=0.1)
    assert r.io_count_read == 10  # at 0, 10, … 90 ms
    r = run_worker(io_sequence=[(0, READ, 0, 8)] * 20, iops=100)
    assert r.io_count_read == 20
    assert r.mseconds >= 190


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ((0, READ, 0), TypeError),
        (READ, TypeError),
        ((0, READ, 0, 8, 0), TypeError),
        ((0, 3, 0, 8), AssertionError),
        ((0, READ, 0, 0), AssertionError),
        ((0, READ, 0, 65537), AssertionError),
        ((0, READ, -1, 8), AssertionError),
        ((0, READ, 1 << 64, 8), AssertionError),
        ((-1, READ, 0, 8), AssertionError),
        ((0.5, READ, 0, 8), TypeError),
    ],
    ids=str,
)
def test_an_entry_of_a_replay_that_is_none_is_an_error_at_the_call(nvme0n1, entry, error):
    with pytest.raises(error):
        nvme0n1.ioworker(io_sequence=[(0, READ, 0, 8), entry])


def test_an_empty_replay_is_asserted(nvme0n1):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(io_sequence=[])


# -- durability -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flushed", [True, False])
def test_what_a_worker_flushed_is_verified_after_a_loss_of_power(own, flushed):
    def run(**options):
        r = own.nvme0n1.ioworker(io_size=8, lba_random=False, region_end=800, **options).start().close()
        assert r.error == 0
        return r

    run(read_percentage=0)
    if flushed:
        run(op_percentage={FLUSH: 100}, io_count=1)
    d.Subsystem(own.nvme0).power_cycle(0)
    own.nvme0.reset()
    r = run(read_percentage=100)
    assert (r.lba_verified, r.lba_unverified) == ((800, 0) if flushed else (0, 800))
