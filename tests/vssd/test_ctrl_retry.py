# SPDX-License-Identifier: BSD-3-Clause
"""Command Retry Delay: CRDT1 to CRDT3 of Identify, ACRE of Host Behavior Support, CRD of a status."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import Client, Completion, Nvme, sqe
from ctrl_helpers import (
    FORMAT,
    FORMAT_IN_PROGRESS,
    INVALID_OPCODE,
    OK,
    READ,
    Disk,
    Host,
    Start,
    identify,
    log_page,
    set_data,
)
from fault_helpers import plant

HOST_BEHAVIOR = 0x16
COMMAND_INTERRUPTED = 0x021


def delays(nvme: Nvme) -> tuple[int, ...]:
    """CRDT1 to CRDT3."""
    return struct.unpack_from("<3H", identify(nvme, 1), 128)


def enable(nvme: Nvme, acre: int) -> None:
    assert set_data(nvme, HOST_BEHAVIOR, bytes((acre,)) + bytes(511)) == OK


def refused_by_a_format(nvme: Nvme) -> Completion:
    """The completion of a Format NVM during another one."""
    first, second = (nvme.admin.submit(sqe(FORMAT, nsid=1)) for _ in range(2))
    refused = nvme.admin.wait()
    assert (refused.cid, refused.status, refused.dnr) == (second, FORMAT_IN_PROGRESS, False)
    assert nvme.admin.wait().cid == first
    return refused


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M", "--retry-delay", "150"))
    yield host
    host.close()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), (0, 0, 0)),
        (("--retry-delay", "1"), (1, 2, 4)),
        (("--retry-delay", "150"), (2, 4, 8)),
        (("--retry-delay", "1638300"), (16383, 32766, 65532)),
        (("--retry-delay", "150", "--nvme-version", "1.3"), (0, 0, 0)),
        (("--profile", "everything"), (1, 2, 4)),
    ],
)
def test_the_delays_are_in_units_of_100_ms(
    start: Start, options: tuple[str, ...], found: tuple[int, ...]
) -> None:
    with Client(start("--size", "1M", *options).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert delays(nvme) == found
        nvme.close()


def test_a_command_that_comes_too_early_names_a_delay_if_the_host_has_enabled_it(host: Host) -> None:
    for acre, crd in ((0, 0), (1, 2), (0, 0)):
        enable(host.nvme, acre)
        assert refused_by_a_format(host.nvme).crd == crd
        entry = log_page(host.nvme, 1, 64)
        assert struct.unpack_from("<H", entry, 12)[0] >> 12 & 3 == crd, "the same status is in the error log"


def test_a_command_that_will_fail_again_names_none(host: Host) -> None:
    enable(host.nvme, 1)
    host.nvme.admin.submit(sqe(0x7F))
    refused = host.nvme.admin.wait()
    assert (refused.status, refused.dnr, refused.crd) == (INVALID_OPCODE, True, 0)


def test_a_reset_takes_it_back(host: Host) -> None:
    enable(host.nvme, 1)
    host.nvme.disable()
    host.nvme.enable()
    assert refused_by_a_format(host.nvme).crd == 0


def test_a_drive_without_delays_names_none(start: Start) -> None:
    host = Host(start("--size", "1M"))
    enable(host.nvme, 1)
    assert refused_by_a_format(host.nvme).crd == 0
    host.close()


@pytest.mark.parametrize(("words", "crd"), [("", 1), ("crd=3", 3), ("crd=0", 0)])
def test_an_interrupted_command_names_one_that_a_rule_may_change(start: Start, words: str, crd: int) -> None:
    server = start("--size", "1M", "--retry-delay", "100")
    host = Host(server)
    enable(host.nvme, 1)
    plant(server, f"opcode=read do status=00/21 {words}")
    disk: Disk = host.disk
    disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer))
    found = disk.queue.wait()
    assert (found.status, found.dnr, found.crd) == (COMMAND_INTERRUPTED, False, crd)
    host.close()
