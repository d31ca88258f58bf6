# SPDX-License-Identifier: BSD-3-Clause
"""Sanitize and format with verification and workers: no false alarm, and data are judged again afterwards."""

import time
import warnings

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded


@pytest.fixture
def milliseconds():
    """How long a sanitize takes."""
    return 300


@pytest.fixture
def drive(milliseconds):
    with VirtualSsd(size="64M", sanitize_time=milliseconds) as ssd:
        pcie = d.Pcie(ssd.address)
        nvme0 = d.Controller(pcie)
        yield ssd, nvme0, d.Namespace(nvme0, 1)
        pcie.close()


def status_of(nvme0):
    log = d.Buffer(512)
    nvme0.getlogpage(0x81, log, 20).waitdone()
    return log.data(3, 2) & 7


def wait_end(nvme0):
    deadline = time.monotonic() + 20
    while status_of(nvme0) == 2:
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.01)
    assert status_of(nvme0) == 1


def write(nvme0n1, qpair, lba, count=8):
    data = d.Buffer(count * 512, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(qpair, data, lba, count).waitdone()
    return data


def start_by_method(nvme0):
    nvme0.sanitize(option=2).waitdone()


def start_by_send_cmd(nvme0):
    nvme0.send_cmd(0x84, cdw10=3 | 1 << 4 | 1 << 9, cdw11=0x12345678).waitdone()


@pytest.mark.parametrize("start", [start_by_method, start_by_send_cmd])
def test_reads_after_a_sanitize_are_no_alarm_and_new_data_are_judged(drive, start):
    ssd, nvme0, nvme0n1 = drive
    qpair, back = d.Qpair(nvme0, 16), d.Buffer(4096)
    write(nvme0n1, qpair, 0)
    nvme0n1.write_uncorrectable(qpair, 100, 1).waitdone()
    with pytest.warns(UserWarning, match="^AER notification is triggered: 0x810106$"):
        start(nvme0)
        with pytest.warns(UserWarning, match="^ERROR status: 00/1d"):
            nvme0n1.read(qpair, back, 0, 8).waitdone()
        wait_end(nvme0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nvme0n1.read(qpair, back, 0, 8).waitdone()
        nvme0n1.read(qpair, back, 100, 1).waitdone()
    data = write(nvme0n1, qpair, 4)
    nvme0n1.read(qpair, back, 4, 8).waitdone()
    assert back[:] == data[:]
    ssd.poke(1, 4, bytes(512))
    with pytest.warns(UserWarning, match="^ERROR status: 07/81"):
        nvme0n1.read(qpair, back, 4, 1).waitdone()


def test_what_is_in_flight_when_a_sanitize_comes_is_no_alarm(drive):
    """Each command completes with the old data, or with Sanitize In Progress."""
    _, nvme0, nvme0n1 = drive
    qpair, back = d.Qpair(nvme0, 512), [d.Buffer(4096) for _ in range(32)]
    for lba in range(0, 256, 8):
        write(nvme0n1, qpair, lba)
    statuses = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(5):
            for lba, buf in zip(range(0, 256, 8), back):
                nvme0n1.read(qpair, buf, lba, 8, cb=lambda cdw0, status: statuses.append(status >> 1 & 0x7FF))
                nvme0n1.write(
                    qpair, buf, lba + 1024, 8, cb=lambda cdw0, status: statuses.append(status >> 1 & 0x7FF)
                )
        nvme0.sanitize()
        qpair.waitdone(len(back) * 10)
        nvme0.waitdone()
        wait_end(nvme0)
        for lba in range(0, 2048, 8):
            nvme0n1.read(
                qpair, back[0], lba, 8, cb=lambda cdw0, status: statuses.append(status >> 1 & 0x7FF)
            ).waitdone()
    assert len(statuses) == 576 and set(statuses) <= {0, 0x1D}


def test_a_worker_that_a_sanitize_meets_ends_with_its_status_and_the_next_one_runs(drive):
    _, nvme0, nvme0n1 = drive
    with pytest.warns(UserWarning) as told:
        worker = nvme0n1.ioworker(io_size=8, read_percentage=50, time=30, region_end=4096, qdepth=16).start()
        time.sleep(0.3)
        nvme0.sanitize().waitdone()
        result = worker.close()
        wait_end(nvme0)
    texts = {str(warning.message) for warning in told}
    assert "ioworker device respond an ERROR status: 00/1d Sanitize in Progress" in texts
    assert not [text for text in texts if "07/81" in text]
    assert result.mseconds < 10000 or loaded()
    again = (
        nvme0n1.ioworker(io_size=8, read_percentage=50, io_count=5000, region_end=4096, qdepth=16)
        .start()
        .close()
    )
    assert again.error == 0 and again.io_count_read + again.io_count_nonread == 5000


@pytest.mark.parametrize("milliseconds", [3000])
def test_a_sanitize_outlasts_an_initialisation_and_a_power_cycle(drive):
    _, nvme0, nvme0n1 = drive
    qpair = d.Qpair(nvme0, 16)
    write(nvme0n1, qpair, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nvme0.sanitize().waitdone()
        nvme0.reset()
        assert status_of(nvme0) == 2
        d.Subsystem(nvme0).power_cycle(0)
        nvme0.reset()
        assert status_of(nvme0) == 2
        wait_end(nvme0)
    back = d.Buffer(4096)
    nvme0n1.read(d.Qpair(nvme0, 16), back, 0, 8).waitdone()
    assert back[:] == bytes(4096)


@pytest.mark.parametrize("ses", [0, 1, 2])
def test_workers_run_after_each_format_there_and_back(drive, ses):
    _, nvme0, nvme0n1 = drive
    for size, lbas in ((4096, 1 << 14), (512, 1 << 17)):
        nvme0n1.format(size, ses=ses)
        assert nvme0n1.id_ns.nsze == lbas
        one = {"read_percentage": 50, "io_size": 4096 // size, "io_count": 3000, "region_end": 4096}
        with nvme0n1.ioworker(**one), nvme0n1.ioworker(**one, region_start=2048, lba_random=False):
            pass
        qpair, back = d.Qpair(nvme0, 8), d.Buffer(size)
        nvme0n1.read(qpair, back, 8000).waitdone()
        assert back[:] == bytes(size), "data of the other format"
        nvme0n1.write(qpair, d.Buffer(size, ptype=0xBEEF, pvalue=100), 8000).waitdone()
        qpair.delete()
