# SPDX-License-Identifier: BSD-3-Clause
"""Data verification finds and names each kind of wrong data, and never reports right data.

The data are changed behind the drive's back, on the virtual SSD, so the drive itself reports success.
"""

import logging
import warnings

import nvme as d
import pytest
from offered import IN_GUEST

MISMATCH = r"^ERROR status: 07/81"


@pytest.fixture
def written(nvme0n1, qpair, ssd, lba_size, verify):
    """Give ``written(lba, count)``: writes fresh data there and returns what the drive stored of each LBA."""

    def write(lba, count=1):
        nvme0n1.write(qpair, d.Buffer(count * lba_size, ptype=0xBEEF, pvalue=100), lba, count).waitdone()
        return [ssd.peek(1, lba + i) for i in range(count)]

    return write


def bit_flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def spoil_corrupt(ssd, written, lba):
    (data,) = written(lba)
    ssd.poke(1, lba, bit_flipped(data, 8 * 200 + 3))


def spoil_misdirected(ssd, written, lba):
    written(lba)
    (other,) = written(lba + 1000)
    ssd.poke(1, lba, other)


def spoil_stale(ssd, written, lba):
    (old,) = written(lba)
    written(lba)
    ssd.poke(1, lba, old)


def spoil_lost(ssd, written, lba):
    (data,) = written(lba)
    ssd.poke(1, lba, bytes(len(data)))


SPOILS = {
    "corrupt": spoil_corrupt,
    "misdirected": spoil_misdirected,
    "stale": spoil_stale,
    "lost": spoil_lost,
}


@pytest.fixture(params=sorted(SPOILS))
def spoiled(request, nvme0n1, qpair, ssd, written):
    """Give (lba, class) of an LBA corrupted that way; it is rewritten after the test."""
    lba = 300_000 + 16 * sorted(SPOILS).index(request.param)
    written(lba - 4, 12)
    SPOILS[request.param](ssd, written, lba)
    yield lba, request.param
    written(lba - 4, 12)


def test_wrong_data_are_a_status_and_their_class_for_a_script(nvme0n1, qpair, spoiled, lba_size, caplog):
    lba, kind = spoiled
    before = nvme0n1.verify_stats()
    got = []
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(8 * lba_size), lba - 2, 8, cb=got.append).waitdone()
    assert got[0][3] >> 17 & 0x7FF == 0x781
    assert kind in caplog.text
    assert f"{lba}" in caplog.text or f"{lba:#x}" in caplog.text
    after = nvme0n1.verify_stats()
    assert after.mismatch == before.mismatch + 1


def test_wrong_data_are_a_status_and_their_class_for_a_worker(nvme0n1, spoiled, caplog):
    lba, kind = spoiled
    before = nvme0n1.verify_stats()
    worker = nvme0n1.ioworker(
        io_size=4, lba_random=False, region_start=lba - 4, region_end=lba + 8, io_count=3
    ).start()
    with pytest.warns(UserWarning) as caught:
        r = worker.close()
    assert [str(warning.message) for warning in caught] == [
        "ioworker host ERROR -6: io cmd error",
        "ioworker device respond an ERROR status: 07/81 Data Verification Failed",
    ]
    assert r.error == -6
    assert kind in caplog.text
    assert f"{lba}" in caplog.text or f"{lba:#x}" in caplog.text
    assert nvme0n1.verify_stats().mismatch > before.mismatch


@pytest.mark.parametrize("byte", [0, 7, 8, 255, -9, -8, -1])
def test_one_flipped_bit_anywhere_is_found(nvme0n1, qpair, ssd, written, lba_size, byte):
    (data,) = written(310_000)
    ssd.poke(1, 310_000, bit_flipped(data, 8 * (byte % lba_size) + 5))
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(lba_size), 310_000).waitdone()
    ssd.poke(1, 310_000, data)
    nvme0n1.read(qpair, d.Buffer(lba_size), 310_000).waitdone()


def test_each_lba_of_a_read_is_judged_on_its_own(nvme0n1, qpair, ssd, written, lba_size, caplog):
    data = written(311_000, 8)
    before = nvme0n1.verify_stats()
    for i in (5, 7):
        ssd.poke(1, 311_000 + i, bit_flipped(data[i], 1000))
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(8 * lba_size), 311_000, 8).waitdone()
    after = nvme0n1.verify_stats()
    assert after.mismatch - before.mismatch == 2
    assert after.judged - before.judged == 8
    assert "311005" in caplog.text or f"{311005:#x}" in caplog.text
    written(311_000, 8)


def test_verification_that_is_off_judges_nothing_but_still_tracks_writes(
    nvme0n1, qpair, ssd, written, lba_size
):
    (old,) = written(312_000)
    nvme0n1.verify_enable(False)
    before = nvme0n1.verify_stats()
    ssd.poke(1, 312_000, bit_flipped(old, 9))
    nvme0n1.read(qpair, d.Buffer(lba_size), 312_000).waitdone()
    assert nvme0n1.verify_stats().judged == before.judged
    nvme0n1.write(qpair, d.Buffer(lba_size, pvalue=1), 312_000).waitdone()
    assert nvme0n1.verify_enable() is True
    nvme0n1.read(qpair, d.Buffer(lba_size), 312_000).waitdone()
    assert nvme0n1.verify_stats().judged == before.judged + 1


def test_an_lba_that_nobody_wrote_is_counted_as_unverified(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.verify_enable()
    own.nvme0n1.read(pair, d.Buffer(4096), 5000, 8).waitdone()
    stats = own.nvme0n1.verify_stats()
    assert (stats.judged, stats.mismatch) == (0, 0)


def test_every_written_lba_is_unique_and_stamped_in_the_callers_buffer(nvme0n1, qpair, lba_size, verify):
    b = d.Buffer(8 * lba_size, pvalue=1)
    nvme0n1.write(qpair, b, 313_000, 8).waitdone()
    tokens = []
    for i in range(8):
        lba = b[i * lba_size : (i + 1) * lba_size]
        assert int.from_bytes(lba[:8], "little") == 313_000 + i
        tokens.append(int.from_bytes(lba[-8:], "little"))
        assert lba[8:-8] == b"\xff" * (lba_size - 16)
    assert tokens == list(range(tokens[0], tokens[0] + 8))


def test_zeroes_are_expected_after_write_zeroes(nvme0n1, qpair, ssd, written, lba_size):
    (old,) = written(314_000)
    nvme0n1.write_zeroes(qpair, 314_000).waitdone()
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, d.Buffer(lba_size), 314_000).waitdone()
    assert nvme0n1.verify_stats().judged == before.judged + 1
    ssd.poke(1, 314_000, old)
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(lba_size), 314_000).waitdone()
    written(314_000)


@pytest.fixture
def deallocated(nvme0n1, qpair, written):
    """Give ``deallocated(lba)``: writes there, deallocates it, and returns what had been written."""
    if nvme0n1.id_ns.dlfeat.rdb != 1:
        pytest.skip("deallocated LBAs need not read as zeros (DLFEAT)")

    def deallocate(lba):
        (old,) = written(lba)
        ranges = d.Buffer(4096)
        ranges.set_dsm_range(0, lba, 1)
        nvme0n1.dsm(qpair, ranges, 1).waitdone()
        return old

    return deallocate


def test_the_old_data_may_stay_after_deallocation_and_turn_into_zeros_later(
    nvme0n1, qpair, ssd, deallocated, lba_size
):
    before = nvme0n1.verify_stats()
    ssd.poke(1, 315_000, deallocated(315_000))
    nvme0n1.read(qpair, d.Buffer(lba_size), 315_000).waitdone()
    ssd.poke(1, 315_000, bytes(lba_size))
    nvme0n1.read(qpair, d.Buffer(lba_size), 315_000).waitdone()
    assert nvme0n1.verify_stats().judged == before.judged + 2


@pytest.mark.parametrize("how", ["script", "worker"])
def test_zeros_that_were_read_after_deallocation_have_to_stay(
    nvme0n1, qpair, ssd, written, deallocated, lba_size, run_worker, how
):
    old = deallocated(315_010)
    if how == "script":
        nvme0n1.read(qpair, d.Buffer(lba_size), 315_010).waitdone()
    else:
        run_worker(io_size=1, io_count=1, region_start=315_010, region_end=315_011)
    ssd.poke(1, 315_010, old)
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(lba_size), 315_010).waitdone()
    written(315_010)
    nvme0n1.read(qpair, d.Buffer(lba_size), 315_010).waitdone()


@pytest.mark.parametrize("written_before", [True, False])
def test_zeroes_are_expected_after_write_zeroes_that_deallocates(
    nvme0n1, qpair, ssd, written, lba_size, written_before
):
    lba = 315_020 + written_before
    if written_before:
        written(lba)
    nvme0n1.write_zeroes(qpair, lba, 1, io_flags=0x200).waitdone()
    ssd.poke(1, lba, bit_flipped(ssd.peek(1, lba), 4001))
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(lba_size), lba).waitdone()
    written(lba)


def test_an_uncorrectable_lba_that_reads_well_is_a_mismatch_until_it_is_written(
    nvme0n1, qpair, written, lba_size
):
    written(316_000)
    nvme0n1.write_uncorrectable(qpair, 316_000).waitdone()
    with pytest.warns(UserWarning, match=r"^ERROR status: 02/81"):
        nvme0n1.read(qpair, d.Buffer(lba_size), 316_000).waitdone()
    written(316_000)
    nvme0n1.read(qpair, d.Buffer(lba_size), 316_000).waitdone()


def test_data_that_send_cmd_wrote_are_what_is_expected(nvme0n1, qpair, ssd, lba_size, verify):
    b = d.Buffer(lba_size, ptype=0xBEEF, pvalue=100)
    kept = b[:]
    nvme0n1.send_cmd(1, qpair, b, nsid=1, cdw10=317_000).waitdone()
    assert b[:] == kept, "send_cmd does not stamp"
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, d.Buffer(lba_size), 317_000).waitdone()
    after = nvme0n1.verify_stats()
    assert after.mismatch == before.mismatch
    if after.judged > before.judged:
        ssd.poke(1, 317_000, bit_flipped(kept, 77))
        with pytest.warns(UserWarning, match=MISMATCH):
            nvme0n1.read(qpair, d.Buffer(lba_size), 317_000).waitdone()
    nvme0n1.write(qpair, b, 317_000).waitdone()


def test_a_buffer_changed_by_the_script_while_the_write_is_in_flight_is_no_false_alarm(
    nvme0n1, qpair, lba_size, verify
):
    b = d.Buffer(8 * lba_size)
    for i in range(200):
        nvme0n1.write(qpair, b, 318_000, 8)
        b[100:] = bytes([i])
        qpair.waitdone()
        nvme0n1.write(qpair, b, 318_000, 8).waitdone()
        nvme0n1.read(qpair, d.Buffer(8 * lba_size), 318_000, 8).waitdone()


def test_writes_that_overlap_in_flight_are_no_false_alarm(nvme0n1, qpair, lba_size, verify):
    buffers = [d.Buffer(8 * lba_size, ptype=0xBEEF, pvalue=100) for _ in range(16)]
    for _ in range(50):
        for i, b in enumerate(buffers):
            nvme0n1.write(qpair, b, 319_000 + i % 5, 8)
            nvme0n1.read(qpair, d.Buffer(8 * lba_size), 319_000 + i % 3, 8)
        qpair.waitdone(32)
        nvme0n1.read(qpair, d.Buffer(16 * lba_size), 319_000, 12).waitdone()


def mixed(nvme0n1, count, **options):
    return nvme0n1.ioworker(
        io_size=[1, 3, 8, 16],
        io_count=count,
        region_start=400_000,
        region_end=404_096,
        read_percentage=50,
        **options,
    )


def test_a_million_mixed_ios_on_overlapping_regions_are_no_false_alarm(nvme0n1, verify, caplog):
    """Fewer on a slow machine, as many as the time allows."""
    seconds = 8 if IN_GUEST else 20
    before = nvme0n1.verify_stats()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        workers = [mixed(nvme0n1, 500_000, qdepth=qdepth, time=seconds).start() for qdepth in (17, 64)]
        results = [worker.close() for worker in workers]
    after = nvme0n1.verify_stats()
    assert [r.error for r in results] == [0, 0]
    assert all(r.io_count_read + r.io_count_write == 500_000 or r.mseconds >= 1000 * seconds for r in results)
    assert after.mismatch == before.mismatch
    assert after.judged > before.judged, "something must have been judged all the same"
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_one_worker_alone_judges_nearly_all_that_it_reads(nvme0n1, run_worker, verify):
    run_worker(io_size=32, lba_random=False, read_percentage=0, region_start=500_000, region_end=532_000)
    before = nvme0n1.verify_stats()
    r = run_worker(io_size=8, io_count=20_000, region_start=500_000, region_end=532_000)
    after = nvme0n1.verify_stats()
    assert r.error == 0
    read = after.judged - before.judged + after.unverified - before.unverified
    assert read == pytest.approx(8 * 20_000, rel=0.01)
    assert (after.judged - before.judged) / read > 0.999


def test_what_a_worker_wrote_is_verified_by_a_script_and_the_other_way_round(
    nvme0n1, run_worker, qpair, ssd, lba_size, verify
):
    run_worker(io_size=8, lba_random=False, read_percentage=0, region_start=540_000, region_end=540_032)
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, d.Buffer(32 * lba_size), 540_000, 32).waitdone()
    assert nvme0n1.verify_stats().judged == before.judged + 32
    ssd.poke(1, 540_023, bit_flipped(ssd.peek(1, 540_023), 4000))
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(qpair, d.Buffer(32 * lba_size), 540_000, 32).waitdone()
    nvme0n1.write(qpair, d.Buffer(32 * lba_size), 540_000, 32).waitdone()


def test_the_table_outlives_the_controller_on_a_private_drive(pciaddr, lba_size, ssd):
    if not pciaddr.startswith("vssd"):
        pytest.skip("needs a private virtual SSD")

    def opened():
        pcie = d.Pcie(pciaddr)
        nvme0 = d.Controller(pcie)
        return pcie, d.Namespace(nvme0), d.Qpair(nvme0, 8)

    pcie, nvme0n1, pair = opened()
    nvme0n1.write(pair, d.Buffer(lba_size), 320_000).waitdone()
    pcie.close()
    ssd.poke(1, 320_000, bit_flipped(ssd.peek(1, 320_000), 1))
    pcie, nvme0n1, pair = opened()
    nvme0n1.verify_enable()
    with pytest.warns(UserWarning, match=MISMATCH):
        nvme0n1.read(pair, d.Buffer(lba_size), 320_000).waitdone()
    nvme0n1.write(pair, d.Buffer(lba_size), 320_000).waitdone()
    pcie.close()


def test_writes_lost_with_the_power_are_no_false_alarm(own):
    pair = d.Qpair(own.nvme0, 64)
    for i in range(60):
        own.nvme0n1.write(pair, d.Buffer(4096), 8 * i, 8).waitdone()
    own.ssd.power(False)
    own.ssd.power(True)
    own.nvme0.reset()
    pair = d.Qpair(own.nvme0, 64)
    for i in range(60):
        own.nvme0n1.read(pair, d.Buffer(4096), 8 * i, 8).waitdone()
    assert own.nvme0n1.verify_stats().mismatch == 0


def test_flushed_data_survive_the_power_and_their_loss_would_be_found(own):
    pair = d.Qpair(own.nvme0, 64)
    own.nvme0n1.write(pair, d.Buffer(4096, ptype=0xBEEF, pvalue=100), 0, 8).waitdone()
    own.nvme0n1.flush(pair).waitdone()
    own.ssd.power(False)
    own.ssd.power(True)
    own.nvme0.reset()
    pair = d.Qpair(own.nvme0, 64)
    own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()
    assert own.nvme0n1.verify_stats().judged == 8
    own.ssd.poke(1, 3, bytes(512))
    with pytest.warns(UserWarning, match=MISMATCH):
        own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()
