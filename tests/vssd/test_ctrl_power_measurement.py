# SPDX-License-Identifier: BSD-3-Clause
"""Power Limit, Power Threshold and Power Measurement (features 23h to 25h, log page 25h), byte by byte."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    NOT_SAVEABLE,
    OK,
    READ,
    SET_FEATURES,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    set_feature,
    smart,
)

LIMIT, THRESHOLD, MEASUREMENT, LID = 0x23, 0x24, 0x25, 0x25
POWER_STATE, AGE, UNCHANGED = 0x02, 18, 0xFFFFFFFF
FINE, COARSE = 1 << 16, 2 << 16  # the scales: units of 0.1 mW and of 10 mW
ENABLE = 1 << 31
INVALID_POWER_LIMIT = 0x13E
EVENT = 4 | 2 << 8  # one-shot, power threshold exceeded, no log page
INTERVAL = 1.25  # seconds: an interval, and two samples
BINS, SIZE = 33, 64 + 33 * 8


class Page(NamedTuple):
    """Log page 25h. Powers are in milliwatts."""

    pmgn: int
    pma: int
    pmc: int
    smtr: int
    smts: int
    average: float
    most: float
    most_at: int
    bins: list[int]


def milliwatts(power: int) -> float:
    return (power & 0xFFFF) * {1: 0.1, 2: 10}[power >> 16]


def page(nvme: Nvme) -> Page:
    data = log_page(nvme, LID, SIZE)
    ver, pmgn, pma, sze, pmc, nphd, smtr, smts = struct.unpack_from("<BBHIIHHQ", data)
    phds, phbs, nphds, vss, phdoc = struct.unpack_from("<HHHHI", data, 24)
    aipwr, mipwr, mipwrt, ipwrpe = struct.unpack_from("<IIQB", data, 40)
    assert (ver, sze, nphd, phds, phbs, nphds, vss, phdoc, ipwrpe) == (0, SIZE, BINS, 8, 250, BINS, 0, 0, 255)
    assert data[36:40] == bytes(4) and data[57:64] == bytes(7)
    bins = [struct.unpack_from("<II", data, 64 + 8 * index) for index in range(BINS)]
    assert [milliwatts(lowest) for _, lowest in bins] == [250 * index for index in range(BINS)]
    powers = [milliwatts(power) if pmc else power for power in (aipwr, mipwr)]
    return Page(pmgn, pma, pmc, smtr, smts, *powers, mipwrt, [count for count, _ in bins])


def limit(nvme: Nvme, value: int, save: bool = False) -> int:
    return nvme.admin.execute(SET_FEATURES, cdw10=save << 31 | LIMIT, cdw13=value)[1]


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M", "--power-measurement"))
    yield host
    host.close()


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, there in (
        ((), 0),
        (("--power-measurement",), 1),
        (("--power-measurement", "--nvme-version", "1.4"), 0),
    ):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            data = identify(nvme, 1)
            assert struct.unpack_from("<I", data, 96)[0] >> 20 == 3 * there, "CTRATT: PLS, PMS"
            told = struct.unpack_from("<B4xHHH", data, 385)
            assert told == ((2, 800, 4 << 8 | 100, 1440) if there else (0, 0, 0, 0)), "MUPA, MUP, IPMSR, MSMT"
            for fid in (LIMIT, THRESHOLD, MEASUREMENT):
                assert set_feature(nvme, fid, 0) == (OK if there else INVALID_FIELD)
            status = nvme.admin.execute(GET_LOG, prp1=nvme.memory.alloc(4096), cdw10=LID | 3 << 16)[1]
            assert status == (OK if there else INVALID_LOG_PAGE)
            assert log_page(nvme, 2)[232:244] == bytes(12), "OLEC, IPM: nothing before the first second"
            nvme.close()


def test_a_measurement_counts_each_second(host: Host) -> None:
    nvme = host.nvme
    zeros = [0] * BINS
    assert page(nvme) == Page(0, 0x0C, 0, 0, 0, 0, 0, 0, zeros), "estimated, with a timestamp of the maximum"
    assert set_feature(nvme, POWER_STATE, 3) == OK, "50 mW"
    assert set_feature(nvme, MEASUREMENT, 1) == OK and get_feature(nvme, MEASUREMENT) == 1
    assert page(nvme) == Page(1, 0x0D, 0, 0, 0, 0, 0, 0, zeros)
    time.sleep(2 * INTERVAL)
    assert set_feature(nvme, MEASUREMENT, 0) == OK and get_feature(nvme, MEASUREMENT) == 0
    found = page(nvme)
    assert found.pma == 0x0C and found.pmc >= 2 and found.bins == [found.pmc, *zeros[1:]]
    assert found.smts and 0 < found.most_at < found.smts
    assert smart(nvme, 240, 4) == 500 | FINE, "IPM: 50 mW"
    assert smart(nvme, 232, 8) == 1, "OLEC, rounded up"
    assert (found.average, found.most) == (50, 50) or found.most > 50, "an interval may hold older samples"
    time.sleep(INTERVAL)
    assert page(nvme) == found, "it has stopped"
    assert set_feature(nvme, MEASUREMENT, 1) == OK
    assert page(nvme)[:5] == (2, 0x0D, 0, 0, 0), "the next generation starts with nothing"
    assert set_feature(nvme, MEASUREMENT, 1, save=True) == NOT_SAVEABLE


@pytest.mark.parametrize(
    "fid, value, status",
    [
        (LIMIT, 0, OK),
        (LIMIT, 400 | COARSE, OK),
        (LIMIT, 40000 | FINE, OK),
        (LIMIT, 0xFFFF | COARSE, OK),
        (LIMIT, 399 | COARSE, INVALID_POWER_LIMIT),
        (LIMIT, 39999 | FINE, INVALID_POWER_LIMIT),
        (LIMIT, 1 | COARSE, INVALID_POWER_LIMIT),
        (LIMIT, 400, INVALID_FIELD),
        (LIMIT, 400 | 3 << 16, INVALID_FIELD),
        (THRESHOLD, 1234, OK),
        (THRESHOLD, 1234 | FINE, OK),
        (THRESHOLD, 3 << 16, INVALID_FIELD),
        (THRESHOLD, 1234 | ENABLE, INVALID_FIELD),
        (THRESHOLD, 1234 | COARSE | 1 << 20, INVALID_FIELD),
        (MEASUREMENT, 1440 << 16 | 1, OK),
        (MEASUREMENT, 1441 << 16 | 1, INVALID_FIELD),
        (MEASUREMENT, 2, INVALID_FIELD),
        (MEASUREMENT, 0xC1, INVALID_FIELD),
    ],
)
def test_values(host: Host, fid: int, value: int, status: int) -> None:
    set_it = limit(host.nvme, value) if fid == LIMIT else set_feature(host.nvme, fid, value)
    assert set_it == status
    assert get_feature(host.nvme, fid) == (value if status == OK else 0)
    assert get_feature(host.nvme, fid, 3) == (4 if fid == MEASUREMENT else 5), "what can be saved"


def test_a_limit_holds(host: Host) -> None:
    nvme, queue = host.nvme, host.disk.queue
    assert limit(nvme, 500 | COARSE) == OK
    powers = [struct.unpack_from("<H", identify(nvme, 1), 2048 + 32 * state)[0] for state in range(5)]
    assert powers == [500, 500, 400, 500, 50], "MP of operational states; the others are in units of 0.1 mW"
    time.sleep(0.25)  # the drive slows down with the next sample
    assert set_feature(nvme, MEASUREMENT, 1) == OK
    begin, count = time.monotonic(), 0
    while time.monotonic() < begin + 2 * INTERVAL:
        for _ in range(8):
            queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
        for _ in range(8):
            assert queue.wait().status == OK
        count += 8
    assert count < (time.monotonic() - begin) / 0.0002 + 8, "a limit below 6 W throttles as heat does"
    found = page(nvme)
    assert found.pmc >= 2 and 1250 <= found.average <= found.most <= 5000
    assert limit(nvme, 0) == OK
    assert struct.unpack_from("<H", identify(nvme, 1), 2048)[0] == 800


def test_a_saved_limit_outlasts_a_power_cycle(host: Host) -> None:
    assert limit(host.nvme, 600 | COARSE, save=True) == OK
    assert limit(host.nvme, 0) == OK
    host.power_cycle()
    assert get_feature(host.nvme, LIMIT) == 600 | COARSE
    assert struct.unpack_from("<H", identify(host.nvme, 1), 2048)[0] == 600
    assert limit(host.nvme, 0, save=True) == OK


def test_the_threshold_is_an_event_once(host: Host) -> None:
    nvme = host.nvme
    for _ in range(2):
        nvme.admin.submit(sqe(ASYNC_EVENT))
    assert set_feature(nvme, THRESHOLD, 800 | COARSE | ENABLE) == OK
    time.sleep(INTERVAL)
    assert nvme.admin.poll() is None and get_feature(nvme, THRESHOLD) == 800 | COARSE | ENABLE
    for power in (1, 19990):
        assert set_feature(nvme, THRESHOLD, power | FINE | ENABLE) == OK, "below the 2 W of an idle drive"
        found = nvme.admin.wait()
        assert (found.status, found.cdw0) == (OK, EVENT)
        assert get_feature(nvme, THRESHOLD) == power | FINE, "the host enables it again"
    assert set_feature(nvme, THRESHOLD, 1 | FINE) == OK
    nvme.admin.submit(sqe(ASYNC_EVENT))
    time.sleep(0.25)
    assert nvme.admin.poll() is None


def test_a_measurement_stops_by_its_time_and_by_a_reset(host: Host) -> None:
    nvme = host.nvme
    assert set_feature(nvme, MEASUREMENT, 61 << 16 | 1) == OK
    assert get_feature(nvme, MEASUREMENT) == 61 << 16 | 1 and page(nvme).smtr == 61
    for left, running in ((1, 1), (0, 0)):
        control(host.server, AGE, data=struct.pack("<QIIIIII", 1, *[UNCHANGED] * 6))
        time.sleep(0.3)
        found = page(nvme)
        assert (found.smtr, found.pma & 1, bool(found.smts)) == (left, running, not running)
    assert get_feature(nvme, MEASUREMENT) == 0
    assert set_feature(nvme, MEASUREMENT, 1) == OK
    nvme.disable()
    nvme.enable()
    assert get_feature(nvme, MEASUREMENT) == 0 and page(nvme).pma == 0x0C
