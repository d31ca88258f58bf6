# SPDX-License-Identifier: BSD-3-Clause
"""Sanitize, its log page and its event."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import Nvme, sqe
from ctrl_helpers import (
    ABORT,
    ALL_NAMESPACES,
    ASYNC_EVENT,
    COMPARE,
    CREATE_CQ,
    DSM,
    FLUSH,
    FORMAT,
    FORMAT_IN_PROGRESS,
    GET_LOG,
    INVALID_FIELD,
    INVALID_OPCODE,
    INVALID_QID,
    LBA_OUT_OF_RANGE,
    OK,
    PEEK,
    POWER,
    READ,
    SANITIZE,
    SANITIZE_FAILED,
    SANITIZE_IN_PROGRESS,
    UNWRITTEN,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
)
from server import Server

from tests.fix_load import loaded

EXIT_FAILURE, BLOCK_ERASE, OVERWRITE, CRYPTO_ERASE = 1, 2, 3, 4
AUSE, OIPBP, NDAS = 1 << 3, 1 << 8, 1 << 9
NEVER, SUCCESS, IN_PROGRESS, FAILED = range(4)
COMPLETED = 0x810106

QUICK = ("--size", "1M", "--sanitize-time", "30")
SLOW = ("--size", "1M", "--sanitize-time", "60000")


class Log(NamedTuple):
    """Log page 81h. status, passes and erased are SSTAT; times is the six estimates."""

    progress: int
    status: int
    passes: int
    erased: bool
    cdw10: int
    times: tuple[int, ...]


def sanitize_log(nvme: Nvme, retain: bool = False) -> Log:
    data = log_page(nvme, 0x81, retain=retain)
    assert data[32:] == bytes(480)
    progress, status, cdw10, *times = struct.unpack_from("<HHI6I", data)
    assert status < 0x200
    return Log(progress, status & 7, status >> 3 & 0x1F, bool(status & 0x100), cdw10, tuple(times))


def sanitize(nvme: Nvme, action: int, pattern: int = 0) -> int:
    return nvme.admin.execute(SANITIZE, cdw10=action, cdw11=pattern)[1]


def wait_end(nvme: Nvme) -> Log:
    """The log when the operation is over."""
    deadline = time.monotonic() + 10
    while True:
        log = sanitize_log(nvme)
        if log.status != IN_PROGRESS:
            return log
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.005)


def host_of(start: Start, *options: str) -> Iterator[Host]:
    host = Host(start(*options))
    yield host
    host.close()


@pytest.fixture
def quick(start: Start) -> Iterator[Host]:
    yield from host_of(start, *QUICK)


@pytest.fixture
def slow(start: Start) -> Iterator[Host]:
    """A drive whose sanitize operations do not end within a test."""
    yield from host_of(start, *SLOW)


@pytest.fixture
def failing(start: Start) -> Iterator[Host]:
    """A drive whose first sanitize operation fails."""
    yield from host_of(start, *QUICK, "--sanitize-failures", "1")


def test_identify_says_what_there_is(nvme: Nvme) -> None:
    capabilities = int.from_bytes(identify(nvme, 1)[328:332], "little")
    assert capabilities == 1 << 30 | 7, "all three; No-Deallocate is obeyed and changes nothing afterwards"


def test_a_new_drive_was_never_sanitized_nor_written(quick: Host) -> None:
    assert sanitize_log(quick.nvme) == Log(0xFFFF, NEVER, 0, True, 0, (1,) * 6)


@pytest.mark.parametrize("opcode", [WRITE, WRITE_ZEROES])
def test_a_write_is_told_until_the_next_operation(quick: Host, opcode: int) -> None:
    assert quick.disk.command(READ, 0) == OK
    assert sanitize_log(quick.nvme).erased
    assert quick.disk.command(opcode, 0) == OK
    assert not sanitize_log(quick.nvme).erased
    assert sanitize(quick.nvme, BLOCK_ERASE) == OK
    assert not sanitize_log(quick.nvme).erased
    assert wait_end(quick.nvme).erased


@pytest.mark.parametrize("action", [BLOCK_ERASE, OVERWRITE | 1 << 4, OVERWRITE, CRYPTO_ERASE])
def test_nothing_is_left_of_the_data(quick: Host, action: int) -> None:
    nvme, disk = quick.nvme, quick.disk
    disk.write(0, pattern(0, 16))
    disk.flush()
    disk.write(8, pattern(8, 16, seed=1))
    assert disk.command(WRITE_UNCORRECTABLE, 100) == OK
    assert sanitize(nvme, action, 0x12345678) == OK
    log = wait_end(nvme)
    passes = {OVERWRITE: 16, OVERWRITE | 1 << 4: 1}.get(action, 0)
    assert log == Log(0xFFFF, SUCCESS, passes, True, action, (1,) * 6)
    assert disk.read(0, 16) == bytes(8192) and disk.read(8, 16) == bytes(8192)
    assert disk.read(100) == bytes(512)
    assert set_feature(nvme, 5, 1 << 16, nsid=1) == OK
    assert disk.command(READ, 0) == UNWRITTEN, "they are deallocated"
    disk.write(0, pattern(0, 1, seed=2))
    assert disk.read(0) == pattern(0, 1, seed=2)


@pytest.mark.parametrize("action", [BLOCK_ERASE, OVERWRITE | 1 << 4, CRYPTO_ERASE])
def test_no_deallocate_is_obeyed(quick: Host, action: int) -> None:
    nvme, disk = quick.nvme, quick.disk
    disk.write(0, pattern(0, 16))
    assert sanitize(nvme, action | NDAS, 0x12345678) == OK
    assert wait_end(nvme).status == SUCCESS
    assert set_feature(nvme, 5, 1 << 16, nsid=1) == OK
    for lba in (0, 2047):
        found = disk.read(lba)
        if action == CRYPTO_ERASE:
            assert found not in (pattern(lba, 1), bytes(512))
        else:
            assert found == (bytes(512) if action == BLOCK_ERASE else b"\x78\x56\x34\x12" * 128)
    disk.write(1, pattern(1, 1, seed=2))
    assert disk.read(1) == pattern(1, 1, seed=2)
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert set_feature(nvme, 5, 0, nsid=1) == OK
    assert disk.read(0) == bytes(512), "a format takes the pattern away as well"


@pytest.mark.parametrize("passes", [1, 2, 3, 16])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_last_pass_writes_the_pattern_itself(quick: Host, passes: int, inverted: bool) -> None:
    action = OVERWRITE | (passes % 16) << 4 | (OIPBP if inverted else 0) | NDAS
    assert sanitize(quick.nvme, action, 0xDEADBEEF) == OK
    assert wait_end(quick.nvme).passes == passes
    assert quick.disk.read(1000, 2) == struct.pack("<I", 0xDEADBEEF) * 256


def test_passes_are_inverted_in_between(start: Start) -> None:
    """The control socket reads the data, which no host may do yet: two passes, the first one inverted."""
    server = start("--size", "1M", "--sanitize-time", "400")
    host = Host(server)
    assert sanitize(host.nvme, OVERWRITE | 2 << 4 | OIPBP, 0x11223344) == OK
    found = []
    while sanitize_log(host.nvme).status == IN_PROGRESS:
        word = control(server, PEEK, 1, lba=0)[-512:][:4]
        if word not in found:
            found.append(word)
    inverted = bytes(0xFF ^ byte for byte in b"\x44\x33\x22\x11")
    assert [word for word in found if word != bytes(4)] == [inverted, b"\x44\x33\x22\x11"]
    host.close()


def test_it_takes_as_long_as_the_option_says(start: Start) -> None:
    host = Host(start("--size", "1M", "--sanitize-time", "300"))
    begin = time.monotonic()
    assert sanitize(host.nvme, BLOCK_ERASE) == OK
    assert time.monotonic() - begin < 0.25 or loaded(), "the command itself does not wait"
    seen = []
    while (log := sanitize_log(host.nvme)).status == IN_PROGRESS:
        assert log.cdw10 == BLOCK_ERASE
        seen.append(log.progress)
    took = time.monotonic() - begin
    assert took >= 0.3
    assert took < 3 or loaded()
    assert seen == sorted(seen) and len(set(seen)) > 5 and seen[-1] < 0xFFFF
    assert log.progress == 0xFFFF
    host.close()


@pytest.mark.parametrize("action", [0, 5, 6, 7, EXIT_FAILURE, EXIT_FAILURE | AUSE])
def test_actions_that_there_are_not(quick: Host, action: int) -> None:
    """The same for Exit Failure Mode without a failure."""
    assert sanitize(quick.nvme, action) == INVALID_FIELD
    assert sanitize_log(quick.nvme).status == NEVER
    assert sanitize(quick.nvme, BLOCK_ERASE) == OK
    assert wait_end(quick.nvme).status == SUCCESS
    assert sanitize(quick.nvme, action) == INVALID_FIELD


ALLOWED_ADMIN = {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0C, SANITIZE}
ALLOWED_LOGS = {1, 2, 4, 0x81}


class Known(NamedTuple):
    """Log pages 05h and 00h cannot be read during an operation."""

    effects: tuple[int, ...]
    logs: tuple[int, ...]


def learn(nvme: Nvme) -> Known:
    return Known(
        struct.unpack("<512I", log_page(nvme, 5, 2048)), struct.unpack("<256I", log_page(nvme, 0, 1024))
    )


def check_admin(nvme: Nvme, known: Known, status: int) -> None:
    for opcode in range(256):
        if known.effects[opcode] & 1 and opcode not in ALLOWED_ADMIN:
            found = nvme.admin.execute(opcode, nsid=1, prp1=nvme.memory.alloc(4096))[1]
            assert found == status, f"admin opcode {opcode:#04x}"
    identify(nvme, 1)
    assert set_feature(nvme, 4, 350) == OK and get_feature(nvme, 4) == 350
    assert nvme.admin.execute(ABORT, cdw10=0x1234 << 16)[1] == OK
    nvme.delete_queue(nvme.create_queue(5, 8))
    assert nvme.admin.execute(CREATE_CQ, cdw10=0)[1] == INVALID_QID


def check_logs(nvme: Nvme, known: Known, status: int) -> None:
    for lid in range(256):
        found = nvme.admin.execute(
            GET_LOG, nsid=ALL_NAMESPACES, prp1=nvme.memory.alloc(4096), cdw10=127 << 16 | 1 << 15 | lid
        )[1]
        if lid in ALLOWED_LOGS:
            assert found == OK, f"log page {lid:#04x}"
        elif known.logs[lid] & 1:
            assert found == status, f"log page {lid:#04x}"


def check_io(disk: Disk, known: Known, status: int) -> None:
    for opcode in range(256):
        if known.effects[256 + opcode] & 1:
            assert disk.command(opcode, 0) == status, f"IO opcode {opcode:#04x}"
    assert disk.queue.execute(FLUSH, nsid=ALL_NAMESPACES)[1] == status
    assert disk.command(0x7F, 0) == INVALID_OPCODE


def check_restrictions(host: Host, known: Known, status: int) -> None:
    """Commands allowed while an operation is in progress or has failed: Base Specification 2.0, 5.24."""
    check_admin(host.nvme, known, status)
    check_logs(host.nvme, known, status)
    check_io(host.disk, known, status)


def test_meanwhile_only_what_tells_nothing_of_data_is_done(slow: Host) -> None:
    known = learn(slow.nvme)
    assert sanitize(slow.nvme, BLOCK_ERASE) == OK
    check_restrictions(slow, known, SANITIZE_IN_PROGRESS)
    for action in (EXIT_FAILURE, BLOCK_ERASE, CRYPTO_ERASE, 0):
        assert sanitize(slow.nvme, action) == SANITIZE_IN_PROGRESS


def test_meanwhile_the_error_log_names_no_lba(slow: Host) -> None:
    assert slow.disk.command(READ, 1 << 40) == LBA_OUT_OF_RANGE
    assert struct.unpack_from("<Q", log_page(slow.nvme, 1, 64), 16)[0] == 1 << 40
    assert sanitize(slow.nvme, BLOCK_ERASE) == OK
    assert struct.unpack_from("<Q", log_page(slow.nvme, 1, 64), 16)[0] == 0


def test_a_format_keeps_it_from_starting(start: Start) -> None:
    host = Host(start(*QUICK, "--format-time", "300"))
    formatting = host.nvme.admin.submit(sqe(FORMAT, nsid=1))
    assert sanitize(host.nvme, BLOCK_ERASE) == FORMAT_IN_PROGRESS
    assert host.nvme.admin.wait().cid == formatting
    assert sanitize(host.nvme, BLOCK_ERASE) == OK
    host.close()


@pytest.mark.timing
def test_all_namespaces_are_sanitized(start: Start) -> None:
    host = Host(start(*QUICK, "--namespaces", "3"))
    host.disk.nsid = 3
    host.disk.write(7, pattern(7, 1))
    assert sanitize(host.nvme, BLOCK_ERASE) == OK
    for nsid in (1, 2, 3):
        host.disk.nsid = nsid
        assert host.disk.command(READ, 7) == SANITIZE_IN_PROGRESS
    wait_end(host.nvme)
    assert host.disk.read(7) == bytes(512)
    host.close()


@pytest.mark.parametrize("kind", ["controller", "subsystem", "shutdown", "power", "host"])
@pytest.mark.timing
def test_it_goes_on_whatever_happens(start: Start, kind: str) -> None:
    """Nothing that a host can do stops or restarts the operation."""
    server = start("--size", "1M", "--sanitize-time", "500")
    host = Host(server)
    host.disk.write(0, pattern(0, 1))
    host.disk.flush()
    begin = time.monotonic()
    assert sanitize(host.nvme, OVERWRITE | 4 << 4 | NDAS, 0xCAFEF00D) == OK
    while sanitize_log(host.nvme).progress < 0x4000:
        time.sleep(0.005)
    before = sanitize_log(host.nvme).progress
    if kind == "subsystem":
        host.client.write32(0x20, 0x4E564D65)
        host.start()
    elif kind == "power":
        host.power_cycle()
    elif kind == "host":
        host.close()
        host = Host(server)
    else:
        if kind == "shutdown":
            host.shut_down()
        host.start()
    log = sanitize_log(host.nvme)
    assert log.status == IN_PROGRESS and log.progress >= before
    assert host.disk.command(READ, 0) == SANITIZE_IN_PROGRESS
    assert wait_end(host.nvme) == Log(0xFFFF, SUCCESS, 4, True, log.cdw10, (1,) * 6)
    took = time.monotonic() - begin
    assert took >= 0.5
    assert took < 4 or loaded()
    assert host.disk.read(0) == struct.pack("<I", 0xCAFEF00D) * 128
    host.close()


def test_a_killed_drive_goes_on_when_it_is_started_again(start: Start, folder: str) -> None:
    options = (*QUICK, "--file", os.path.join(folder, "file"))
    server = Server(os.path.join(folder, "x"), *options[:2], "--sanitize-time", "60000", *options[4:])
    assert server.word == "ready"
    host = Host(server)
    host.disk.write(0, pattern(0, 1))
    host.disk.flush()
    assert sanitize(host.nvme, OVERWRITE | 1 << 4 | NDAS, 0x01020304) == OK
    host.close()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    server.log.close()
    host = Host(start(*options))
    assert wait_end(host.nvme).status == SUCCESS
    assert host.disk.read(0) == struct.pack("<I", 0x01020304) * 128
    host.close()


def test_what_was_in_the_cache_is_gone_at_once(slow: Host) -> None:
    slow.disk.write(0, pattern(0, 1, seed=1))
    slow.disk.flush()
    slow.disk.write(0, pattern(0, 1, seed=2))
    assert sanitize(slow.nvme, BLOCK_ERASE) == OK
    control(slow.server, POWER, 0)
    control(slow.server, POWER, 1)
    slow.start()
    assert sanitize_log(slow.nvme).status == IN_PROGRESS
    assert control(slow.server, PEEK, 1, lba=0)[-512:] != pattern(0, 1, seed=2)


def test_its_event_is_there_before_the_log_says_done(quick: Host) -> None:
    nvme = quick.nvme
    for _ in range(3):
        request = nvme.admin.submit(sqe(ASYNC_EVENT))
        assert sanitize(nvme, BLOCK_ERASE) == OK
        buffer = nvme.memory.alloc(512)
        status = IN_PROGRESS
        event = None
        while status == IN_PROGRESS:
            reading = nvme.admin.submit(sqe(GET_LOG, prp1=buffer, cdw10=127 << 16 | 0x81))
            while (found := nvme.admin.wait()).cid != reading:
                assert (found.cid, found.cdw0, found.status) == (request, COMPLETED, OK)
                event = found
            status = nvme.memory.read(buffer + 2, 1)[0] & 7
        assert status == SUCCESS and event is not None


def test_its_event_is_there_although_events_are_disabled(quick: Host) -> None:
    assert set_feature(quick.nvme, 0x0B, 0) == OK
    assert sanitize(quick.nvme, BLOCK_ERASE) == OK
    request = quick.nvme.admin.submit(sqe(ASYNC_EVENT))
    found = quick.nvme.admin.wait()
    assert (found.cid, found.cdw0) == (request, COMPLETED)


def test_its_event_waits_for_whoever_comes_after_a_reset(start: Start) -> None:
    host = Host(start("--size", "1M", "--sanitize-time", "100"))
    assert sanitize(host.nvme, BLOCK_ERASE) == OK
    host.nvme.disable()
    time.sleep(0.2)
    host.nvme.enable()
    request = host.nvme.admin.submit(sqe(ASYNC_EVENT))
    found = host.nvme.admin.wait()
    assert (found.cid, found.cdw0) == (request, COMPLETED)
    host.close()


def test_an_operation_that_fails_is_told(failing: Host) -> None:
    request = failing.nvme.admin.submit(sqe(ASYNC_EVENT))
    known = learn(failing.nvme)
    assert sanitize(failing.nvme, BLOCK_ERASE | AUSE) == OK
    found = failing.nvme.admin.wait()
    assert (found.cid, found.cdw0) == (request, COMPLETED)
    assert sanitize_log(failing.nvme) == Log(0xFFFF, FAILED, 0, True, BLOCK_ERASE | AUSE, (1,) * 6)
    check_restrictions(failing, known, SANITIZE_FAILED)
    failing.power_cycle()
    check_restrictions(failing, known, SANITIZE_FAILED)


def test_a_host_may_leave_the_failure_of_an_unrestricted_operation(failing: Host) -> None:
    assert sanitize(failing.nvme, BLOCK_ERASE | AUSE) == OK
    assert wait_end(failing.nvme).status == FAILED
    assert sanitize(failing.nvme, EXIT_FAILURE) == OK
    assert sanitize_log(failing.nvme).status == FAILED, "the most recent operation still is that one"
    assert failing.disk.command(READ, 0) == OK and failing.disk.command(VERIFY, 0) == OK
    failing.power_cycle()
    assert failing.disk.command(COMPARE, 0) != SANITIZE_FAILED
    assert sanitize(failing.nvme, EXIT_FAILURE) == INVALID_FIELD
    assert sanitize(failing.nvme, CRYPTO_ERASE) == OK
    assert wait_end(failing.nvme).status == SUCCESS


def test_a_restricted_operation_that_failed_needs_another_one(failing: Host) -> None:
    assert sanitize(failing.nvme, BLOCK_ERASE) == OK
    assert wait_end(failing.nvme).status == FAILED
    assert sanitize(failing.nvme, EXIT_FAILURE) == SANITIZE_FAILED
    assert sanitize(failing.nvme, EXIT_FAILURE | AUSE) == SANITIZE_FAILED
    assert sanitize(failing.nvme, BLOCK_ERASE | AUSE) == SANITIZE_FAILED
    assert failing.disk.command(DSM, 0) == SANITIZE_FAILED
    assert sanitize(failing.nvme, BLOCK_ERASE) == OK
    assert wait_end(failing.nvme).status == SUCCESS
    assert failing.disk.command(READ, 0) == OK
