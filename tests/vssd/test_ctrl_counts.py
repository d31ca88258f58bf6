# SPDX-License-Identifier: BSD-3-Clause
"""What SMART counts: which commands, by what they did. NVM Command Set Specification, section 1.4.2.

Data Units Read: Compare, Read, Verify. Host Read Commands: Compare, Copy, Read. Data Units Written and Host
Write Commands: Copy, Write. Data count when they moved, commands when they complete, with whatever status.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import sqe
from ctrl_helpers import (
    ABORT,
    COMPARE,
    COMPARE_FAILURE,
    DSM,
    FLUSH,
    GET_LOG,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    UNRECOVERED_READ,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Host,
    Start,
    log_page,
    pattern,
)

COPY = 0x19
PAGE_LBAS = 16  # what the buffer of Disk holds: two pages of 512 bytes an LBA
ROUNDS = 125  # 125 x 16 LBAs are 2000 of 512 bytes, two data units


class Counts(NamedTuple):
    units_read: int
    units_written: int
    reads: int
    writes: int


def counts(host: Host) -> Counts:
    data = log_page(host.nvme, 2)
    return Counts(*(int.from_bytes(data[at : at + 16], "little") for at in (32, 48, 64, 80)))


def grown(before: Counts, after: Counts) -> Counts:
    return Counts(*(new - old for old, new in zip(before, after)))


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M"))
    yield host
    host.close()


@pytest.mark.parametrize(
    "opcode, expected",
    [
        (READ, (2, 0, ROUNDS, 0)),
        (COMPARE, (2, 0, ROUNDS, 0)),
        (VERIFY, (2, 0, 0, 0)),
        (WRITE, (0, 2, 0, ROUNDS)),
        (WRITE_ZEROES, (0, 0, 0, 0)),
        (WRITE_UNCORRECTABLE, (0, 0, 0, 0)),
        (FLUSH, (0, 0, 0, 0)),
    ],
)
def test_a_command_counts_where_the_specification_says(
    host: Host, opcode: int, expected: tuple[int, ...]
) -> None:
    before = counts(host)
    for _ in range(ROUNDS):
        assert host.disk.command(opcode, 0, PAGE_LBAS) == OK
    assert grown(before, counts(host)) == expected


def test_copy_is_a_read_and_a_write_command_and_writes_data(start: Start) -> None:
    """NVM Command Set 1.2, 1.4.2.7, 1.4.2.8 and 1.4.2.10. One that is refused writes nothing."""
    host = Host(start("--size", "16M", "--copy", "--endurance-groups", "1"))

    def group() -> tuple[int, int]:
        cdw10 = 127 << 16 | 9
        assert host.nvme.admin.execute(GET_LOG, prp1=host.disk.buffer, cdw10=cdw10, cdw11=1 << 16)[1] == OK
        data = host.nvme.memory.read(host.disk.buffer, 512)
        return int.from_bytes(data[96:112], "little"), int.from_bytes(data[112:128], "little")

    ranges = b"".join(bytes(8) + bytes(8) + (249).to_bytes(4, "little") + bytes(12) for _ in range(4))
    before, groups = counts(host), group()
    host.nvme.memory.write(host.disk.buffer, ranges)
    command = {"nsid": 1, "prp1": host.disk.buffer, "cdw12": 3}
    for _ in range(2):
        assert host.disk.queue.execute(COPY, cdw10=4096, **command)[1] == OK
    assert grown(before, counts(host)) == (0, 2, 2, 2), "2000 LBAs of 512 bytes"
    found = group()
    assert found == (groups[0] + 2, groups[1] + 2)
    host.nvme.memory.write(host.disk.buffer, ranges)
    assert host.disk.queue.execute(COPY, cdw11=1, **command)[1] == LBA_OUT_OF_RANGE
    assert grown(before, counts(host)) == (0, 2, 3, 3)
    host.close()


def test_deallocating_counts_nowhere(host: Host) -> None:
    host.nvme.memory.write(host.disk.buffer, bytes(4) + (64).to_bytes(4, "little") + bytes(8))
    before = counts(host)
    assert host.disk.queue.execute(DSM, nsid=1, prp1=host.disk.buffer, cdw11=4)[1] == OK
    assert grown(before, counts(host)) == (0, 0, 0, 0)


@pytest.mark.parametrize("size", ["512", "4096"])
def test_units_are_of_512_bytes_whatever_the_lba(start: Start, size: str) -> None:
    host = Host(start("--size", "16M", "--lba-size", size))
    host.disk.lba_size = int(size)
    before = counts(host)
    for _ in range(ROUNDS):
        for opcode in (READ, VERIFY, WRITE):
            assert host.disk.command(opcode, 0, 8192 // int(size)) == OK
    assert grown(before, counts(host))[:2] == (4, 2)
    host.close()


def test_what_is_begun_counts_as_a_unit(host: Host) -> None:
    assert counts(host)[:2] == (0, 0)
    assert host.disk.command(VERIFY, 0, 1) == OK
    assert counts(host)[:2] == (1, 0)
    assert host.disk.command(WRITE, 0, 1) == OK
    assert counts(host)[:2] == (1, 1)


@pytest.mark.parametrize("opcode", [READ, COMPARE, VERIFY, WRITE])
@pytest.mark.parametrize("nsid, lba, status", [(1, 1 << 40, LBA_OUT_OF_RANGE), (9, 0, INVALID_NAMESPACE)])
def test_what_is_refused_moves_nothing_and_was_a_command(
    host: Host, opcode: int, nsid: int, lba: int, status: int
) -> None:
    before = counts(host)
    host.disk.nsid = nsid
    assert host.disk.command(opcode, lba, 8) == status
    assert grown(before, counts(host)) == (0, 0, opcode in (READ, COMPARE), opcode == WRITE)


def test_what_cannot_be_read_was_a_read(host: Host) -> None:
    assert host.disk.command(WRITE_UNCORRECTABLE, 8, 8) == OK
    for opcode, reads in ((READ, 1), (COMPARE, 1), (VERIFY, 0)):
        before = counts(host)
        assert host.disk.command(opcode, 8, 8) == UNRECOVERED_READ
        assert grown(before, counts(host)) == (0, 0, reads, 0)


def test_a_comparison_that_differs_has_read(host: Host) -> None:
    host.disk.write(0, pattern(0, 8))
    host.nvme.memory.write(host.disk.buffer, b"\xee" * 4096)
    before = counts(host)
    assert host.disk.command(COMPARE, 0, 8) == COMPARE_FAILURE
    assert grown(before, counts(host)) == (1, 0, 1, 0)


def test_flags_that_are_wrong_make_it_no_other_command(host: Host) -> None:
    before = counts(host)
    assert host.disk.queue.execute(READ, nsid=1, prp1=host.disk.buffer, flags=0x40)[1] == INVALID_FIELD
    assert host.disk.queue.execute(WRITE, nsid=1, prp1=host.disk.buffer, flags=0x40)[1] == INVALID_FIELD
    assert grown(before, counts(host)) == (0, 0, 1, 1)


def test_both_halves_of_a_fused_pair_count(host: Host) -> None:
    for data, halves in ((bytes(512), [OK, OK]), (b"\xee" * 512, [COMPARE_FAILURE, 0x009])):
        host.nvme.memory.write(host.disk.buffer, data)
        before = counts(host)
        for opcode, flags in ((COMPARE, 1), (WRITE, 2)):
            host.disk.queue.submit(sqe(opcode, nsid=1, prp1=host.disk.buffer, flags=flags), ring=False)
        host.disk.queue.ring()
        assert [host.disk.queue.wait().status for _ in range(2)] == halves
        assert grown(before, counts(host))[2:] == (1, 1)


def test_one_that_is_aborted_completes_as_well(host: Host) -> None:
    """Bus mastering is off while they are put into the queue: the Abort finds the read there."""
    before = counts(host)
    host.client.config_write(4, (2).to_bytes(2, "little"))
    cid = host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
    host.nvme.admin.submit(sqe(ABORT, cdw10=cid << 16 | 1))
    host.client.config_write(4, (6).to_bytes(2, "little"))
    assert host.disk.queue.wait().status == 0x007
    assert host.nvme.admin.wait().cdw0 & 1 == 0
    assert grown(before, counts(host)) == (0, 0, 1, 0)


def test_other_namespaces_and_power_keep_the_counts(start: Start) -> None:
    host = Host(start("--size", "1M", "--namespaces", "2"))
    host.disk.nsid = 2
    for _ in range(ROUNDS):
        assert host.disk.command(VERIFY, 0, PAGE_LBAS) == OK
    assert host.disk.command(READ, 0) == OK
    found = counts(host)
    assert found == (3, 0, 1, 0)
    host.power_cycle()
    assert counts(host) == found
    host.close()
