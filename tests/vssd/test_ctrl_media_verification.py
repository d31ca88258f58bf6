# SPDX-License-Identifier: BSD-3-Clause
"""Media verification: after a sanitize operation the host reads what the media hold, until it ends this.

Base 2.1, sections 5.1.22 and 8.1.24.3.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    FLUSH,
    INVALID_FIELD,
    OK,
    READ,
    SANITIZE,
    SANITIZE_IN_PROGRESS,
    SET_FEATURES,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    Host,
    Start,
    identify,
    log_page,
    pattern,
)

from tests.fix_load import loaded

BLOCK_ERASE, OVERWRITE, CRYPTO_ERASE, EXIT = 2, 3, 4, 5
AUSE, NDAS, EMVS = 1 << 3, 1 << 9, 1 << 10
IDLE, RESTRICTED, FAILED, UNRESTRICTED, _, VERIFICATION, DEALLOCATION = range(7)
ENTERED, COMPLETED = 0x810306, 0x810106


class Log(NamedTuple):
    """Log page 81h: SPROG, SOS, MVCNCLD, SANS, FAILS and ETPVDS."""

    progress: int
    status: int
    canceled: int
    state: int
    fails: int
    seconds: int


def sanitize_log(nvme: Nvme, retain: bool = True) -> Log:
    data = log_page(nvme, 0x81, retain=retain)
    progress, status = struct.unpack_from("<HH", data)
    seconds, state = struct.unpack_from("<IB", data, 32)
    assert data[37:] == bytes(475)
    return Log(progress, status & 7, status >> 9 & 1, state & 15, state >> 4, seconds)


def sanitize(nvme: Nvme, action: int) -> int:
    return nvme.admin.execute(SANITIZE, cdw10=action)[1]


def wait_for(nvme: Nvme, state: int) -> Log:
    deadline = time.monotonic() + 10
    while sanitize_log(nvme).state != state:
        assert time.monotonic() < deadline or loaded(), sanitize_log(nvme)
    return sanitize_log(nvme)


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M", "--sanitize-time", "20", "--media-verification"))
    yield host
    host.close()


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, there in (((), 0), (("--media-verification",), 1)):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            assert identify(nvme, 1)[328] >> 3 & 1 == there, "SANICAP"
            assert sanitize(nvme, EXIT) == INVALID_FIELD
            assert sanitize(nvme, CRYPTO_ERASE | EMVS) == (OK if there else INVALID_FIELD)
            nvme.close()


@pytest.mark.parametrize("action", [BLOCK_ERASE, CRYPTO_ERASE])
@pytest.mark.parametrize("ause", [0, AUSE])
def test_the_host_reads_the_media_and_ends_it(host: Host, action: int, ause: int) -> None:
    nvme, disk = host.nvme, host.disk
    old = pattern(0, 16)
    disk.write(0, old)
    assert disk.command(WRITE_UNCORRECTABLE, 20) == OK
    events = [nvme.admin.submit(sqe(ASYNC_EVENT)) for _ in range(2)]
    nvme.admin.submit(sqe(SANITIZE, cdw10=action | EMVS | ause))
    ends = [nvme.admin.wait() for _ in range(2)]
    assert ends[0].status == OK and (ends[1].cid, ends[1].cdw0) == (events[0], ENTERED)
    assert sanitize_log(nvme) == Log(0xFFFF, 2, 0, VERIFICATION, 0, 1)
    data = disk.read(0, 16)
    assert data != old and (action == CRYPTO_ERASE or data == bytes(8192))
    assert disk.command(READ, 20) == OK, "no error of the media is one"
    assert disk.command(READ, 100) == OK
    for opcode in (WRITE, WRITE_UNCORRECTABLE, VERIFY, FLUSH):
        assert disk.command(opcode, 0) == SANITIZE_IN_PROGRESS
    assert sanitize(nvme, action) == sanitize(nvme, 1) == SANITIZE_IN_PROGRESS
    assert sanitize_log(nvme, retain=False).state == VERIFICATION
    assert sanitize(nvme, EXIT) == OK
    end = nvme.admin.wait()
    assert (end.cid, end.cdw0) == (events[1], COMPLETED)
    assert sanitize_log(nvme) == Log(0xFFFF, 1, 0, IDLE, 0, 1)
    assert disk.read(0, 16) == bytes(8192) and sanitize(nvme, EXIT) == INVALID_FIELD


def test_what_cannot_be_verified(host: Host) -> None:
    for wrong in (OVERWRITE | 1 << 4 | EMVS, BLOCK_ERASE | NDAS | EMVS, CRYPTO_ERASE | NDAS | EMVS):
        assert sanitize(host.nvme, wrong) == INVALID_FIELD
    assert sanitize_log(host.nvme).status == 0


def test_states_of_the_operation(start: Start) -> None:
    host = Host(start("--size", "1M", "--sanitize-time", "60000", "--media-verification"))
    nvme = host.nvme
    for ause, state in ((0, RESTRICTED),):
        assert sanitize(nvme, BLOCK_ERASE | EMVS | ause) == OK
        found = sanitize_log(nvme)
        assert (found.status, found.state, found.seconds) == (2, state, 8) and found.progress < 0xFFFF
        assert host.disk.command(READ, 0) == SANITIZE_IN_PROGRESS
        assert sanitize(nvme, EXIT) == INVALID_FIELD
    host.close()


def test_a_failure_names_its_state(start: Start) -> None:
    host = Host(
        start("--size", "1M", "--sanitize-time", "4", "--media-verification", "--sanitize-failures", "2")
    )
    for ause, state in ((AUSE, UNRESTRICTED), (0, RESTRICTED)):
        assert sanitize(host.nvme, BLOCK_ERASE | EMVS | ause) == OK
        assert wait_for(host.nvme, state + 1) == Log(0xFFFF, 3, 0, state + 1, state, 1)
    host.close()


def test_a_controller_reset_changes_nothing_and_others_cancel_it(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    assert sanitize(nvme, CRYPTO_ERASE | EMVS) == OK
    wait_for(nvme, VERIFICATION)
    host.start()
    assert sanitize_log(nvme).state == VERIFICATION and host.disk.command(READ, 0) == OK
    host.power_cycle()
    assert wait_for(nvme, IDLE) == Log(0xFFFF, 1, 1, IDLE, 0, 1)
    assert sanitize(nvme, CRYPTO_ERASE | EMVS) == OK
    assert sanitize_log(nvme).canceled == 0
    wait_for(nvme, VERIFICATION)
    assert sanitize(nvme, EXIT) == OK
    wait_for(nvme, IDLE)
    assert nvme.admin.execute(SET_FEATURES, cdw10=0x17)[1] == OK and disk is not None


def test_a_reset_during_the_erasure_cancels_it_too(start: Start) -> None:
    host = Host(start("--size", "1M", "--sanitize-time", "300", "--media-verification"))
    assert sanitize(host.nvme, CRYPTO_ERASE | EMVS) == OK
    host.power_cycle()
    assert sanitize_log(host.nvme).canceled == 1 or loaded()
    assert wait_for(host.nvme, IDLE)[1:4] == (1, 1, IDLE)
    assert host.disk.read(0, 8) == bytes(4096)
    host.close()
