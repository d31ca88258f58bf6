# SPDX-License-Identifier: BSD-3-Clause
"""Limits of commands besides MDTS: what CNS 06h reports is what the drive refuses (NVM 1.1, 4.1.5.4)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from ctrl_helpers import (
    DSM,
    INVALID_FIELD,
    OK,
    VERIFY,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Host,
    Start,
    identify,
    pattern,
)
from server import Server

SIZE_LIMIT = 0x183
LIMITS = "--vsl 1 --wzsl 2 --wusl 3 --dmrl 4 --dmrsl 100 --dmsl 250"
WUSV, DSMSV, WZSV, VERIFIES = 1 << 1, 1 << 2, 1 << 3, 1 << 7


@pytest.fixture(params=["512", "4096"])
def limited(start: Start, request: pytest.FixtureRequest) -> Iterator[Host]:
    host = Host(start("--size", "16M", "--lba-size", request.param, *LIMITS.split()))
    host.disk.lba_size = int(request.param)
    yield host
    host.close()


def deallocate(host: Host, *ranges: tuple[int, int]) -> int:
    data = b"".join(struct.pack("<IIQ", 0, nlb, slba) for slba, nlb in ranges)
    host.nvme.memory.write(host.disk.buffer, data)
    command = {"cdw10": len(ranges) - 1, "cdw11": 4}
    return host.disk.queue.execute(DSM, nsid=1, prp1=host.disk.buffer, **command)[1]


def test_what_identify_says(limited: Host) -> None:
    """A command with a limit has its bit of ONCS cleared. That of Verify says only that it is there."""
    data = identify(limited.nvme, 6)
    assert data[:16] == struct.pack("<4BIQ", 1, 2, 3, 4, 100, 250) and data[16:] == bytes(4080)
    oncs = struct.unpack_from("<H", identify(limited.nvme, 1), 520)[0]
    assert oncs & (WUSV | DSMSV | WZSV | VERIFIES) == VERIFIES


def test_a_drive_without_limits_reports_none(host: Host) -> None:
    assert identify(host.nvme, 6) == bytes(4096)
    oncs = struct.unpack_from("<H", identify(host.nvme, 1), 520)[0]
    assert oncs & (WUSV | DSMSV | WZSV | VERIFIES) == WUSV | DSMSV | WZSV | VERIFIES
    assert host.disk.command(WRITE_ZEROES, 0, 2048) == host.disk.command(VERIFY, 0, 2048) == OK


@pytest.mark.parametrize("opcode, limit", [(VERIFY, 1), (WRITE_ZEROES, 2), (WRITE_UNCORRECTABLE, 3)])
def test_a_command_above_its_limit_is_refused_and_changes_nothing(
    limited: Host, opcode: int, limit: int
) -> None:
    disk, size = limited.disk, limited.disk.lba_size
    most = (4096 << limit) // size
    written = pattern(most, 1, size=size)
    disk.write(most, written)
    assert disk.command(opcode, 0, most + 1) == INVALID_FIELD
    assert disk.read(most) == written
    assert disk.command(opcode, 0, most) == OK
    assert disk.read(most) == written


def test_dataset_management_above_its_limits_is_refused(limited: Host) -> None:
    """The number of ranges, the LBAs of one, and those of all."""
    for ranges, status in (
        ([(i, 1) for i in range(4)], OK),
        ([(i, 1) for i in range(5)], SIZE_LIMIT),
        ([(0, 100)], OK),
        ([(200, 1), (0, 101)], SIZE_LIMIT),
        ([(0, 100), (100, 100), (300, 50)], OK),
        ([(0, 100), (100, 100), (300, 51)], SIZE_LIMIT),
    ):
        assert deallocate(limited, *ranges) == status, ranges


@pytest.mark.parametrize(
    "options, says",
    [
        (("--dmrl", "4"), "together"),
        (("--dmsl", "4", "--dmrsl", "4"), "together"),
        (("--wzsl", "1", "--nvme-version", "1.4"), "need NVMe 2.0"),
    ],
)
def test_contradictions(folder: str, options: tuple[str, ...], says: str) -> None:
    server = Server(os.path.join(folder, "refused"), *options)
    assert says in server.word
    server.stop()
    server.log.close()
