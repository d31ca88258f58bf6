# SPDX-License-Identifier: BSD-3-Clause
"""The examples that the project began with, as they stand but for the drive's address and its values."""

import logging
import re
import time

import nvme as d
import pytemperature
import pytest
from offered import SPDK, lba_bytes

from tests.fix_load import loaded

NO_TEMPERATURE = "SMART tells 0 K (Base 2.0, 5.16.1.3)"


@pytest.fixture
def bdf(pciaddr):
    return pciaddr.encode()


def test_identify_data_are_read_into_a_buffer_and_dumped(bdf, capsys):
    nvme0 = d.Controller(bdf)
    id_buf = d.Buffer(4096)
    nvme0.identify(id_buf, nsid=0xFFFFFFFF, cns=1)
    nvme0.waitdone()
    id_buf.dump()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "buffer"
    assert len(lines) == 1 + 4096 // 16
    assert bytes.fromhex(lines[1][10:58].replace(" ", "")) == id_buf[0:16]


def test_hello_world_is_read_back_from_inside_the_callback_of_the_write(bdf, capsys):
    data_buf = d.Buffer(4096)
    data_buf[100:] = b"hello world"
    nvme0 = d.Controller(bdf)
    nvme0n1 = d.Namespace(nvme0, 1)
    qpair = d.Qpair(nvme0, 16)
    called = []

    def write_cb(cdw0, status):
        data_buf[100:] = b"-----------"
        nvme0n1.read(qpair, data_buf, 0, 1).waitdone()
        called.append(status >> 1)

    nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb).waitdone()
    qpair.cmdlog()
    assert data_buf[100:111] == b"hello world"
    assert called == [0]
    text = capsys.readouterr().out
    assert text.index("READ (02)") < text.index("WRITE (01)"), "the newest command comes first"


def four_workers(nvme0, nvme0n1, counts):
    """Run the example of four concurrent workers; counts are the io_count of each."""
    with nvme0n1.ioworker(
        lba_start=0, io_size=min(256, nvme0.mdts // lba_bytes(nvme0n1)), lba_align=8,
        lba_random=False,
        region_start=0, region_end=100000,
        read_percentage=0,
        iops=0, io_count=counts[0], time=0,
        qprio=0, qdepth=16
    ) as first, nvme0n1.ioworker(
        lba_start=0, io_size=7, lba_align=11,
        lba_random=False,
        region_start=0, region_end=1000,
        read_percentage=0,
        iops=0, io_count=counts[1], time=1000,
        qprio=0, qdepth=64
    ) as second, nvme0n1.ioworker(
        lba_start=0, io_size=8, lba_align=64,
        lba_random=False,
        region_start=10000, region_end=1000000,
        read_percentage=67,
        iops=10000, io_count=counts[2], time=1000,
        qprio=0, qdepth=16
    ) as third, nvme0n1.ioworker(
        lba_start=0, io_size=8, lba_align=8,
        lba_random=True,
        region_start=0, region_end=0xFFFFFFFFFFFFFFFF,
        read_percentage=0,
        iops=10, io_count=counts[3], time=0,
        qprio=0, qdepth=16
    ) as fourth:  # fmt: skip
        logpage_buf = d.Buffer(512)
        nvme0.getlogpage(2, logpage_buf, 512).waitdone()
        logging.info("current temperature: %d" % pytemperature.k2c(logpage_buf[50] & 0xFFFF))  # noqa: UP031
        logging.info("composite temperature: %d" % pytemperature.k2c(logpage_buf.data(2, 1)))  # noqa: UP031
        assert 0 < pytemperature.k2c(logpage_buf.data(2, 1)) < 100
        time.sleep(5)
    return [worker.close() for worker in (first, second, third, fourth)]


def check_four_workers(results, counts):
    assert [r.error for r in results] == [0, 0, 0, 0]
    assert [r.io_count_read + r.io_count_nonread for r in results] == counts
    assert results[0].io_count_read == 0
    assert results[2].io_count_read / counts[2] == pytest.approx(0.67, abs=0.03)
    assert results[2].mseconds >= 1000 * (counts[2] - 1) // 10000
    assert results[3].mseconds >= 1000 * (counts[3] - 1) // 10
    assert results[3].mseconds < 60_000 or loaded()


@pytest.mark.differs(SPDK, NO_TEMPERATURE)
def test_four_workers_run_while_the_temperature_is_read(bdf):
    nvme0 = d.Controller(bdf)
    nvme0n1 = d.Namespace(nvme0, 1)
    counts = [10000, 100, 50000, 60]
    check_four_workers(four_workers(nvme0, nvme0n1, counts), counts)


@pytest.mark.slow
@pytest.mark.differs(SPDK, NO_TEMPERATURE)
def test_four_workers_run_in_full_length_while_the_temperature_is_read(bdf):
    nvme0 = d.Controller(bdf)
    nvme0n1 = d.Namespace(nvme0, 1)
    counts = [1000000, 100, 1000000, 100]
    check_four_workers(four_workers(nvme0, nvme0n1, counts), counts)


def test_random_4k_reads_run_for_ten_seconds(bdf):
    nvme0 = d.Controller(bdf)
    nvme0n1 = d.Namespace(nvme0, 1)
    r = nvme0n1.ioworker(io_size = 8, lba_align = 8,
                         lba_random = True, qdepth = 16,
                         read_percentage = 100, time = 10).start().close()  # fmt: skip
    print(r.io_count_read)
    print(r.mseconds)
    print("IOPS: %dK/s\n", r.io_count_read / r.mseconds)
    assert r.error == 0
    assert r.mseconds >= 10000
    assert r.mseconds < 10500 or loaded()
    assert r.io_count_nonread == 0
    assert r.io_count_read / r.mseconds > 1 or loaded()


def test_buffer_examples_give_the_documented_output(capsys):
    b = d.Buffer(1024, "example")
    b[0] = 0x5A
    b[1:3] = [1, 2]
    b[4:] = [10, 11, 12, 13]
    text = b.dump(16)
    expected = "example\n00000000  5a 01 02 00 0a 0b 0c 0d  00 00 00 00 00 00 00 00   Z..............."
    assert capsys.readouterr().out.rstrip("\n") == expected
    assert text.rstrip("\n") == expected
    assert b[:8:2] == b"Z\x02\n\x0c"
    assert b.data(2) == 2
    assert b[2] == 2
    assert b.data(2, 0) == 0x02015A
    assert len(b) == 1024
    assert repr(b) == "<buffer name: example>"
    b[8:] = b"xyc"
    b.dump(16)
    assert capsys.readouterr().out.rstrip("\n") == (
        "example\n00000000  5a 01 02 00 0a 0b 0c 0d  78 79 63 00 00 00 00 00   Z.......xyc....."
    )


def test_buffer_example_of_a_dsm_range_gives_the_documented_output(capsys):
    b = d.Buffer()
    b.set_dsm_range(1, 0x1234567887654321, 0xABCDEF12)
    b.dump(64)
    assert capsys.readouterr().out.rstrip("\n") == (
        "buffer\n"
        "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  ................\n"
        "00000010  00 00 00 00 12 ef cd ab  21 43 65 87 78 56 34 12  ........!Ce.xV4.\n"
        "00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  ................\n"
        "00000030  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00   ................"
    )


def test_controller_examples_hold(bdf, capsys):
    n = d.Controller(bdf)
    assert re.fullmatch("0x[0-9a-f]{1,8}", hex(n[0]))
    assert n[0] == n.cap & 0xFFFFFFFF
    if n[0x1C] & 1 << 4:  # NSSRO: a test before this one has reset the subsystem
        n[0x1C] = 1 << 4
    assert hex(n[0x1C]) == "0x1"
    serial = n.id_data(23, 4, str)
    assert serial and serial == serial.strip()
    assert n.supports(0x18) is bool(n.id_data(321, 320))  # KAS
    assert n.supports(0x80) is bool(n.id_data(257, 256) & 2)  # OACS
    id_buf = d.Buffer()
    n.identify(id_buf).waitdone()
    assert id_buf.dump(64).startswith("buffer\n00000000  ")
    assert id_buf[4:24].decode().strip() == serial
    capsys.readouterr()

    n.cmdlog(2)
    lines = capsys.readouterr().out.splitlines()
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
    assert re.search("dump qpair 0, latest tail in cmdlog: [0-9]+$", lines[0])
    assert len(lines) == 1 + 2 * 4
    for i in (1, 5):
        assert re.search(f"index [0-9]+, {stamp}$", lines[i])
        assert re.search(f"index [0-9]+, {stamp}$", lines[i + 2])
    assert re.search(r"IDENTIFY \(06\) sqid:0 cid:\d+ nsid:\d+ cdw10:00000001 cdw11:00000000$", lines[2])
    assert re.search(r"SUCCESS \(00/00\) sqid:0 cid:\d+ cdw0:0 sqhd:[0-9a-f]{4} p:[01] m:0 dnr:0$", lines[4])
