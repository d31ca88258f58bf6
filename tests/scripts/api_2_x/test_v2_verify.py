# SPDX-License-Identifier: BSD-3-Clause
"""Verification: what is read is what was written, and no false alarm, ever."""

import time

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd


@pytest.fixture
def ssd(pciaddr, nvme0):
    """Give the back door of a virtual SSD; a drive in a slot has none."""
    try:
        return VirtualSsd.attach(pciaddr)
    except Exception as error:
        pytest.skip(f"needs a virtual SSD: {error}")


def test_fixture(verify):
    assert verify is True


def test_enable_returns_true(nvme0n1):
    assert nvme0n1.verify_enable(False) is not None
    assert nvme0n1.verify_enable() is True


def corrupt(ssd, lba, change):
    ssd.poke(1, lba, change(ssd.peek(1, lba)))


@pytest.mark.parametrize("byte", [0, 8, 256, 503, 504, 511])
def test_flipped_bit(ssd, nvme0n1, qpair, buf, verify, byte):
    nvme0n1.write(qpair, buf, 40, 8).waitdone()
    corrupt(ssd, 43, lambda data: data[:byte] + bytes([data[byte] ^ 4]) + data[byte + 1 :])
    status = []
    with pytest.warns(UserWarning, match="ERROR status: 07/81"):
        nvme0n1.read(qpair, buf, 40, 8, cb=lambda cdw0, s: status.append(s)).waitdone()
    assert status[0] >> 1 & 0x7FF == 0x781
    nvme0n1.write(qpair, buf, 40, 8).waitdone()
    nvme0n1.read(qpair, buf, 40, 8).waitdone()


def test_classes_of_mismatch_are_named(ssd, nvme0n1, qpair, verify, caplog):
    b = d.Buffer(512)
    old = []
    for lba in (50, 51):
        nvme0n1.write(qpair, b, lba, 1).waitdone()
        old.append(b[:])
        nvme0n1.write(qpair, b, lba, 1).waitdone()
    other = ssd.peek(1, 51)
    for data, name in (
        (other, "misdirected"),
        (old[0], "stale"),
        (bytes(512), "lost"),
        (b"\x5a" * 512, "corrupt"),
    ):
        good = ssd.peek(1, 50)
        ssd.poke(1, 50, data)
        caplog.clear()
        with pytest.warns(UserWarning, match="ERROR status: 07/81"):
            nvme0n1.read(qpair, b, 50, 1).waitdone()
        assert name in caplog.text
        ssd.poke(1, 50, good)
    nvme0n1.read(qpair, b, 50, 1).waitdone()


def test_off_and_on(ssd, nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 60, 8).waitdone()
    corrupt(ssd, 60, lambda data: b"\0" * 512)
    nvme0n1.verify_enable(False)
    nvme0n1.read(qpair, buf, 60, 8).waitdone()
    nvme0n1.verify_enable()
    with pytest.warns(UserWarning, match="ERROR status: 07/81"):
        nvme0n1.read(qpair, buf, 60, 8).waitdone()
    nvme0n1.write(qpair, buf, 60, 8).waitdone()


def test_first_lbas_only(ssd, nvme0, qpair, buf):
    nvme0n1 = d.Namespace(nvme0, 1, 100)
    nvme0n1.verify_enable()
    for lba in (96, 200):
        nvme0n1.write(qpair, buf, lba, 4).waitdone()
        corrupt(ssd, lba, lambda data: b"\x11" * 512)
    nvme0n1.read(qpair, buf, 200, 4).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 07/81"):
        nvme0n1.read(qpair, buf, 96, 4).waitdone()
    for lba in (96, 200):
        nvme0n1.write(qpair, buf, lba, 4).waitdone()
    nvme0n1.close()


def test_mismatch_found_by_a_worker(ssd, nvme0n1, qpair, buf, verify):
    nvme0n1.ioworker(
        io_size=8, lba_random=False, region_end=800, read_percentage=0, io_count=100
    ).start().close()
    good = ssd.peek(1, 404)
    ssd.poke(1, 404, b"\xee" * 512)
    with pytest.warns(UserWarning, match="host ERROR -6|respond an ERROR status: 07/81"):
        nvme0n1.ioworker(io_size=8, lba_random=False, region_end=800, io_count=100).start().close()
    ssd.poke(1, 404, good)
    assert (
        nvme0n1.ioworker(io_size=8, lba_random=False, region_end=800, io_count=100).start().close().error == 0
    )


def test_write_zeroes_and_trim_are_expected(nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.write_zeroes(qpair, 0, 4).waitdone()
    ranges = d.Buffer(4096)
    ranges.set_dsm_range(0, 4, 2)
    nvme0n1.dsm(qpair, ranges, 1).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()


def test_raw_writes_are_tracked(ssd, nvme0n1, qpair, verify):
    raw = d.Buffer(512, ptype=0xBEEF, pvalue=100)
    nvme0n1.send_cmd(1, qpair, raw, 1, 70, 0, 0).waitdone()
    nvme0n1.read(qpair, raw, 70, 1).waitdone()
    corrupt(ssd, 70, lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:])
    with pytest.warns(UserWarning, match="ERROR status: 07/81"):
        nvme0n1.read(qpair, raw, 70, 1).waitdone()
    nvme0n1.send_cmd(1, qpair, raw, 1, 70, 0, 0).waitdone()


def test_overlapping_writes_in_flight(nvme0n1, qpair, verify):
    buffers = [d.Buffer(4096) for _ in range(100)]
    for i, b in enumerate(buffers):
        nvme0n1.write(qpair, b, i % 7, 8)
    qpair.waitdone(100)
    nvme0n1.read(qpair, buffers[0], 0, 8).waitdone()


def test_one_buffer_for_many_commands(nvme0n1, qpair, buf, verify):
    for i in range(100):
        nvme0n1.write(qpair, buf, i * 8, 8)
    qpair.waitdone(100)
    for i in range(100):
        nvme0n1.read(qpair, buf, i * 8, 8)
    qpair.waitdone(100)


def test_reads_race_with_writes(nvme0n1, qpair, verify):
    out, back = [d.Buffer(4096) for _ in range(50)], [d.Buffer(4096) for _ in range(50)]
    for a, b in zip(out, back):
        nvme0n1.write(qpair, a, 16, 8)
        nvme0n1.read(qpair, b, 18, 8)
    qpair.waitdone(100)


def test_workers_that_write_the_same_lbas(nvme0n1, verify):
    options = {"io_size": 8, "region_end": 1000, "read_percentage": 50, "time": 1, "qdepth": 16}
    workers = [nvme0n1.ioworker(**options).start() for _ in range(2)]
    assert [w.close().error for w in workers] == [0, 0]
    assert (
        nvme0n1.ioworker(io_size=8, lba_random=False, region_end=1000, io_count=125).start().close().error
        == 0
    )


def test_controller_reset_in_the_middle_of_writes(nvme0, nvme0n1, verify):
    for _ in range(5):
        qpair = d.Qpair(nvme0, 64)
        for i in range(60):
            nvme0n1.write(qpair, d.Buffer(4096), i * 8, 8)
        nvme0.reset()
        qpair.delete()
    qpair, b = d.Qpair(nvme0, 8), d.Buffer(4096)
    for i in range(60):
        nvme0n1.read(qpair, b, i * 8, 8).waitdone()
    qpair.delete()


def test_power_loss_with_writes_not_flushed(nvme0, nvme0n1, subsystem, verify):
    with nvme0n1.ioworker(io_size=8, region_end=10000, read_percentage=20, time=20, qdepth=32):
        time.sleep(0.3)
        subsystem.power_cycle(0)
        nvme0.reset()
    r = nvme0n1.ioworker(io_size=8, lba_random=False, region_end=10000, io_count=1250).start().close()
    assert r.error == 0


def test_flushed_data_are_checked_after_a_power_loss(ssd, nvme0, nvme0n1, subsystem, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 88, 8).waitdone()
    nvme0n1.flush(qpair).waitdone()
    subsystem.power_cycle(0)
    nvme0.reset()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.read(qpair, buf, 88, 8).waitdone()
    assert buf.data_head == 88
    corrupt(ssd, 88, lambda data: b"\x77" * 512)
    with pytest.warns(UserWarning, match="ERROR status: 07/81"):
        nvme0n1.read(qpair, buf, 88, 8).waitdone()
    nvme0n1.write(qpair, buf, 88, 8).waitdone()
    qpair.delete()


def test_after_a_format_everything_may_be_read(nvme0, nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0.format(0).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()


def test_table_outlives_the_controller_object(ssd, pciaddr, buf):
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    qpair = d.Qpair(nvme0, 8)
    d.Namespace(nvme0).write(qpair, buf, 92, 8).waitdone()
    pcie.close()
    corrupt(ssd, 92, lambda data: b"\x33" * 512)
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    nvme0n1, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
    if pciaddr.startswith("vssd"):
        with pytest.warns(UserWarning, match="ERROR status: 07/81"):
            nvme0n1.read(qpair, buf, 92, 8).waitdone()
    nvme0n1.write(qpair, buf, 92, 8).waitdone()
    pcie.close()
