# SPDX-License-Identifier: BSD-3-Clause
"""IO workers as scripts of the first generation start them."""

import logging
import time

import nvme as d
import pytest

from tests.fix_load import loaded


def test_read_for_a_second(nvme0n1):
    r = (
        nvme0n1.ioworker(io_size=8, lba_align=8, lba_random=True, qdepth=16, read_percentage=100, time=1)
        .start()
        .close()
    )
    logging.info("IOPS: %dK/s", r.io_count_read / r.mseconds)
    assert r.io_count_read > 1000 or loaded()
    assert r.io_count_nonread == 0
    assert r.mseconds >= 1000
    assert r.mseconds < 1500 or loaded()
    assert r.error == 0


def test_count(nvme0n1):
    r = (
        nvme0n1.ioworker(
            lba_start=0,
            io_size=8,
            lba_align=8,
            lba_random=False,
            region_start=0,
            region_end=10000,
            read_percentage=0,
            iops=0,
            io_count=1000,
            time=0,
            qprio=0,
            qdepth=16,
        )
        .start()
        .close()
    )
    assert r.io_count_nonread == 1000
    assert r["io_count_read"] == 0


@pytest.mark.parametrize("io_size", [1, 2, 7, 8, 64, 256])
@pytest.mark.parametrize("lba_random", [True, False])
def test_sizes(nvme0n1, io_size, lba_random):
    r = (
        nvme0n1.ioworker(
            io_size=io_size,
            lba_align=io_size,
            lba_random=lba_random,
            region_start=0,
            region_end=100000,
            read_percentage=50,
            io_count=100,
            qdepth=16,
        )
        .start()
        .close()
    )
    assert r.io_count_read + r.io_count_nonread == 100
    assert r.error == 0


@pytest.mark.parametrize("read_percentage", [0, 33, 67, 100])
def test_mix(nvme0n1, read_percentage):
    r = (
        nvme0n1.ioworker(
            io_size=8,
            lba_align=8,
            lba_random=True,
            region_end=80000,
            read_percentage=read_percentage,
            io_count=3000,
        )
        .start()
        .close()
    )
    assert abs(r.io_count_read / 30 - read_percentage) < 6


def test_rate(nvme0n1):
    r = nvme0n1.ioworker(io_size=8, lba_align=8, iops=500, time=2, qdepth=4).start().close()
    assert abs(r.io_count_read - 1000) <= 4 or loaded()


def test_count_and_time_whichever_comes_first(nvme0n1):
    start = time.time()
    r = nvme0n1.ioworker(io_size=8, lba_align=8, io_count=10, time=1000).start().close()
    assert time.time() - start < 5 or loaded()
    assert r.io_count_read == 10


def test_longer_than_mdts(nvme0, nvme0n1):
    with pytest.warns(
        UserWarning, match="host ERROR -2: io_size is larger|respond an ERROR status: 00/02"
    ) as told:
        nvme0n1.ioworker(io_size=nvme0.mdts // 512 + 1, io_count=1).start().close()
    assert len(told) == 2


def test_context_manager(nvme0n1):
    with nvme0n1.ioworker(io_size=8, io_count=100) as w:
        pass
    assert w.close().io_count_read == 100


def test_four_at_once(nvme0n1):
    workers = [
        nvme0n1.ioworker(
            lba_start=i * 10000,
            io_size=8,
            lba_align=8,
            lba_random=True,
            region_start=i * 10000,
            region_end=(i + 1) * 10000,
            read_percentage=50,
            time=1,
            qdepth=8,
        ).start()
        for i in range(4)
    ]
    results = [w.close() for w in workers]
    assert all(r.io_count_read > 0 and r.io_count_nonread > 0 and r.error == 0 for r in results)


def test_admin_commands_meanwhile(nvme0, nvme0n1, buf):
    with nvme0n1.ioworker(io_size=8, lba_align=8, time=1, qdepth=16):
        for _ in range(100):
            nvme0.getlogpage(2, buf, 512).waitdone()


def test_io_of_the_script_meanwhile(nvme0n1, qpair, buf):
    with nvme0n1.ioworker(
        io_size=8, lba_align=8, region_start=100000, region_end=200000, read_percentage=0, time=1
    ):
        for lba in range(100):
            nvme0n1.write(qpair, buf, lba * 8, 8).waitdone()
            nvme0n1.read(qpair, buf, lba * 8, 8).waitdone()


def test_written_by_one_read_by_the_next(nvme0n1):
    fill = {
        "lba_random": False,
        "io_size": 8,
        "lba_align": 8,
        "region_start": 0,
        "region_end": 8000,
        "qdepth": 16,
    }
    assert nvme0n1.ioworker(read_percentage=0, io_count=1000, **fill).start().close().error == 0
    assert nvme0n1.ioworker(read_percentage=100, io_count=1000, **fill).start().close().error == 0


def test_read_of_what_the_drive_lost(nvme0n1, qpair):
    if not nvme0n1.supports(4):
        pytest.skip("needs a drive with Write Uncorrectable")
    nvme0n1.write_uncorrectable(qpair, 100, 8).waitdone()
    with pytest.warns(UserWarning, match="host ERROR -6: io cmd error|respond an ERROR status: 02/81"):
        nvme0n1.ioworker(
            io_size=8, lba_align=4, lba_random=True, region_start=100, region_end=108, io_count=10, qdepth=2
        ).start().close()
    nvme0n1.write(qpair, d.Buffer(4096), 100, 8).waitdone()


def test_one_worker_more_than_queues(nvme0, nvme0n1):
    count = (nvme0.getfeatures(7).waitdone() & 0xFFFF) + 1
    workers = [nvme0n1.ioworker(io_size=8, time=1, iops=100, qdepth=2).start() for _ in range(count + 1)]
    with pytest.warns(UserWarning, match="ioworker host ERROR -1: init fail in pyx") as caught:
        results = [w.close() for w in workers]
    assert len(caught) == 1
    assert [r.error for r in results] == [0] * count + [-1]


def test_worker_ends_when_the_controller_is_reset(nvme0, nvme0n1):
    w = nvme0n1.ioworker(io_size=8, time=30, qdepth=16).start()
    time.sleep(0.3)
    nvme0.reset()
    start = time.time()
    w.close()
    assert time.time() - start < 3 or loaded()
    assert nvme0n1.ioworker(io_size=8, io_count=10).start().close().io_count_read == 10
