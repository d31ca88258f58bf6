# SPDX-License-Identifier: BSD-3-Clause
"""Device Self-test runs in the background, and log page 06h reports its progress and result."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import DEVICE_RESET, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    FORMAT,
    FORMAT_IN_PROGRESS,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    OK,
    POWER,
    SANITIZE,
    SANITIZE_IN_PROGRESS,
    Host,
    Start,
    control,
    identify,
    log_page,
)
from server import Server

from tests.fix_load import loaded

SELF_TEST = 0x14
IN_PROGRESS = 0x11D
SHORT, EXTENDED, ABORT = 1, 2, 0xF
PASSED, ABORTED, RESET, FORMATTED, SANITIZED = 0, 1, 2, 4, 9


class Result(NamedTuple):
    """An entry of log page 06h."""

    operation: int
    status: int
    valid: int
    hours: int
    nsid: int


def begin(nvme: Nvme, operation: int, nsid: int = ALL_NAMESPACES) -> int:
    return nvme.admin.execute(SELF_TEST, nsid=nsid, cdw10=operation)[1]


def progress(nvme: Nvme) -> tuple[int, int]:
    """The current operation, and its progress in percent."""
    data = log_page(nvme, 6, 564)
    assert data[0] & 0xF0 == 0 and data[1] & 0x80 == 0 and data[2:4] == bytes(2)
    return data[0], data[1]


def results(nvme: Nvme) -> list[Result]:
    """The results, the newest first."""
    data = log_page(nvme, 6, 564)
    entries = [data[at : at + 28] for at in range(4, 564, 28)]
    used = [entry for entry in entries if entry[0] & 0xF != 0xF]
    assert entries[: len(used)] == used, "those that are not in use come last"
    found = []
    for entry in used:
        status, segment, valid, _, hours, nsid, lba, sct, sc = struct.unpack("<4BQIQBB2x", entry)
        assert (segment, lba, sct, sc) == (0, 0, 0, 0)
        found.append(Result(status >> 4, status & 0xF, valid, hours, nsid))
    return found


def wait(nvme: Nvme, timeout: float = 10) -> None:
    """Wait until no test runs."""
    deadline = time.monotonic() + timeout
    while progress(nvme)[0]:
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.005)


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    """Two namespaces; a short test takes 50 ms and an extended one 200."""
    times = ("--self-test-time", "50", "--extended-self-test-time", "200")
    host = Host(start("--size", "1M", "--namespaces", "2", *times))
    yield host
    host.close()


@pytest.fixture
def slow(start: Start) -> Iterator[Host]:
    """A drive whose self-test takes longer than any wait here."""
    times = ("--self-test-time", "600000", "--sanitize-time", "50")
    host = Host(start("--size", "1M", "--namespaces", "2", *times))
    yield host
    host.close()


def test_identify_tells_what_there_is(host: Host) -> None:
    data = identify(host.nvme, cns=1)
    assert data[256] & 0x10, "OACS"
    assert int.from_bytes(data[316:318], "little") == 1, "EDSTT: a minute"
    assert data[318] == 1, "DSTO: one at a time"


@pytest.mark.parametrize(
    "options, minutes",
    [
        ([], 1),
        (["--self-test-time", "600000"], 100),
        (["--extended-self-test-time", "3600000"], 60),
        (["--self-test-time", "600000", "--extended-self-test-time", "60000"], 1),
        (["--extended-self-test-time", "60001"], 2),
        (["--extended-self-test-time", "0"], 1),
    ],
)
def test_edstt_is_as_long_as_an_extended_test(start: Start, options: list[str], minutes: int) -> None:
    host = Host(start("--size", "1M", *options))
    assert int.from_bytes(identify(host.nvme, cns=1)[316:318], "little") == minutes
    host.close()


def test_an_extended_one_takes_five_seconds_and_goes_on_through_resets(start: Start) -> None:
    host = Host(start("--size", "1M"))
    begun = time.monotonic()
    assert begin(host.nvme, EXTENDED) == OK
    for kind in ("controller", "function", "conventional", "subsystem", "power"):
        time.sleep(0.5)
        before = progress(host.nvme)[1]
        if kind == "function":
            host.client.config_write(0x69, b"\xa8")
        elif kind == "conventional":
            host.client.ok(DEVICE_RESET)
        elif kind == "subsystem":
            host.client.write32(0x20, 0x4E564D65)
        elif kind == "power":
            control(host.server, POWER, 0)
            control(host.server, POWER, 1)
        host.start()
        operation, after = progress(host.nvme)
        assert operation == EXTENDED and after >= before, kind
    wait(host.nvme)
    took = time.monotonic() - begun
    assert took >= 5
    assert took < 9 or loaded()
    assert results(host.nvme) == [Result(EXTENDED, PASSED, 0, 0, ALL_NAMESPACES)]
    host.close()


def test_a_new_drive_has_no_results(host: Host) -> None:
    assert log_page(host.nvme, 6, 564) == bytes(4) + (b"\x0f" + bytes(27)) * 20


@pytest.mark.parametrize("operation, seconds", [(SHORT, 0.05), (EXTENDED, 0.2)])
def test_it_takes_its_time_and_passes(host: Host, operation: int, seconds: float) -> None:
    begun = time.monotonic()
    assert begin(host.nvme, operation) == OK
    seen = []
    while (now := progress(host.nvme))[0]:
        assert now[0] == operation
        seen.append(now[1])
        assert host.disk.command(2, 0) == OK, "I/O goes on"
    took = time.monotonic() - begun
    assert seconds <= took
    assert took < 10 or loaded()
    assert seen == sorted(seen) and seen[0] < 50 and max(seen) < 100
    assert results(host.nvme) == [Result(operation, PASSED, 0, 0, ALL_NAMESPACES)]
    assert progress(host.nvme) == (0, 0)


def test_namespaces(host: Host) -> None:
    for nsid, valid in ((0, 0), (1, 1), (2, 1), (ALL_NAMESPACES, 0)):
        assert begin(host.nvme, SHORT, nsid) == OK
        wait(host.nvme)
        assert results(host.nvme)[0] == Result(SHORT, PASSED, valid, 0, nsid)
    for nsid in (3, 33, 0xFFFFFFFE):
        assert begin(host.nvme, SHORT, nsid) == INVALID_NAMESPACE
        assert begin(host.nvme, EXTENDED, nsid) == INVALID_NAMESPACE


def test_operations_that_are_not_there(host: Host) -> None:
    for operation in (0, *range(3, 15)):
        assert begin(host.nvme, operation) == INVALID_FIELD
    assert results(host.nvme) == [] and progress(host.nvme) == (0, 0)


def test_one_at_a_time(slow: Host) -> None:
    for running in (SHORT, EXTENDED):
        assert begin(slow.nvme, running) == OK
        for operation in (SHORT, EXTENDED):
            assert begin(slow.nvme, operation) == IN_PROGRESS
        assert progress(slow.nvme)[0] == running
        assert begin(slow.nvme, ABORT, nsid=0) == OK
        assert progress(slow.nvme) == (0, 0)
    assert [(entry.operation, entry.status) for entry in results(slow.nvme)] == [
        (EXTENDED, ABORTED),
        (SHORT, ABORTED),
    ]


def test_an_abort_of_nothing_is_no_error(host: Host) -> None:
    assert begin(host.nvme, ABORT) == OK
    assert results(host.nvme) == []


def test_the_newest_twenty_results_are_kept(slow: Host) -> None:
    for number in range(25):
        assert begin(slow.nvme, SHORT, nsid=number % 3) == OK
        assert begin(slow.nvme, ABORT) == OK
    assert [entry.nsid for entry in results(slow.nvme)] == [number % 3 for number in range(24, 4, -1)]


def test_a_reset_aborts_a_short_one(slow: Host) -> None:
    for way in ("controller", "conventional", "subsystem"):
        assert begin(slow.nvme, SHORT) == OK
        if way == "controller":
            slow.nvme.disable()
        elif way == "conventional":
            slow.client.ok(13)
        else:
            slow.client.write32(0x20, 0x4E564D65)
        slow.nvme.enable()
        assert progress(slow.nvme) == (0, 0)
    assert [(entry.operation, entry.status) for entry in results(slow.nvme)] == [(SHORT, RESET)] * 3


@pytest.mark.timing
def test_an_extended_one_goes_on_after_a_reset(host: Host) -> None:
    assert begin(host.nvme, EXTENDED) == OK
    host.nvme.disable()
    host.nvme.enable()
    assert progress(host.nvme)[0] == EXTENDED
    wait(host.nvme)
    assert results(host.nvme) == [Result(EXTENDED, PASSED, 0, 0, ALL_NAMESPACES)]


def test_an_extended_one_goes_on_when_the_power_is_back(start: Start) -> None:
    host = Host(start("--size", "1M", "--self-test-time", "1000"))
    assert begin(host.nvme, EXTENDED) == OK
    while (before := progress(host.nvme)[1]) < 5:
        time.sleep(0.005)
    control(host.server, POWER, 0)
    time.sleep(0.5)
    control(host.server, POWER, 1)
    host.start()
    operation, after = progress(host.nvme)
    assert operation == EXTENDED and before <= after < before + 12, "without power it does not go on"
    host.close()


def test_power_loss_ends_a_short_one(slow: Host) -> None:
    assert begin(slow.nvme, SHORT, nsid=1) == OK
    slow.power_cycle()
    assert results(slow.nvme) == [Result(SHORT, RESET, 1, 0, 1)]


def test_a_file_keeps_results_and_what_is_left(start: Start, folder: str) -> None:
    options = ("--size", "1M", "--self-test-time", "600000", "--file", os.path.join(folder, "drive"))
    server = Server(os.path.join(folder, "first"), *options)
    host = Host(server)
    assert begin(host.nvme, SHORT) == OK and begin(host.nvme, ABORT) == OK
    assert begin(host.nvme, EXTENDED, nsid=1) == OK
    host.close()
    server.process.kill()
    server.process.wait()
    host = Host(start(*options))
    assert progress(host.nvme)[0] == EXTENDED
    assert [(entry.operation, entry.status) for entry in results(host.nvme)] == [(SHORT, ABORTED)]
    host.close()


@pytest.mark.parametrize(
    "tested, formatted, ends",
    [
        (ALL_NAMESPACES, 2, True),
        (1, 1, True),
        (1, ALL_NAMESPACES, True),
        (1, 2, False),
        (0, ALL_NAMESPACES, False),
    ],
)
def test_a_format_of_what_is_tested_ends_it(slow: Host, tested: int, formatted: int, ends: bool) -> None:
    assert begin(slow.nvme, EXTENDED, tested) == OK
    assert slow.nvme.admin.execute(FORMAT, nsid=formatted)[1] == OK
    assert progress(slow.nvme)[0] == (0 if ends else EXTENDED)
    assert [entry.status for entry in results(slow.nvme)] == ([FORMATTED] if ends else [])


@pytest.mark.parametrize("tested", [0, 1, ALL_NAMESPACES])
def test_a_sanitize_operation_ends_it(slow: Host, tested: int) -> None:
    assert begin(slow.nvme, EXTENDED, tested) == OK
    assert slow.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
    assert begin(slow.nvme, SHORT, 0) == SANITIZE_IN_PROGRESS
    deadline = time.monotonic() + 10
    while log_page(slow.nvme, 0x81, 4)[2] & 7 == 2:
        assert time.monotonic() < deadline or loaded()
    assert progress(slow.nvme) == (0, 0)
    assert [entry.status for entry in results(slow.nvme)] == [SANITIZED]


@pytest.mark.timing
def test_what_is_being_formatted_cannot_be_tested(slow: Host) -> None:
    formatting = slow.nvme.admin.submit(sqe(FORMAT, nsid=1))
    for nsid, status in ((1, FORMAT_IN_PROGRESS), (ALL_NAMESPACES, FORMAT_IN_PROGRESS), (2, OK)):
        cid = slow.nvme.admin.submit(sqe(SELF_TEST, nsid=nsid, cdw10=SHORT))
        found = slow.nvme.admin.wait()
        assert (found.cid, found.status) == (cid, status)
    assert slow.nvme.admin.wait().cid == formatting
