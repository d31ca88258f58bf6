# SPDX-License-Identifier: BSD-3-Clause
"""The drive has what Identify Controller announces, and refuses what it does not announce, bit by bit."""

from __future__ import annotations

from typing import Callable, NamedTuple

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ABORT_REQUESTED,
    ALL_NAMESPACES,
    COMPARE,
    DSM,
    FLUSH,
    FORMAT,
    GET_FEATURES,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    INVALID_OPCODE,
    NOT_SAVEABLE,
    OK,
    SANITIZE,
    SET_FEATURES,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Start,
    get_feature,
    identify,
    pattern,
)

Probe = Callable[[Nvme], bool]  # whether the drive does it


class Bit(NamedTuple):
    """A bit of Identify Controller: byte offset of its field, its number, and its test."""

    name: str
    offset: int
    number: int
    probe: Probe


def admin(opcode: int, **fields: int) -> Probe:
    """Whether the admin command exists, whatever its status for these fields."""

    def probe(nvme: Nvme) -> bool:
        return nvme.admin.execute(opcode, prp1=nvme.memory.alloc(4096), **fields)[1] != INVALID_OPCODE

    return probe


def io(opcode: int, **fields: int) -> Probe:
    def probe(nvme: Nvme) -> bool:
        queue, buffer = nvme.create_queue(9, 8), nvme.memory.alloc(4096)
        status = queue.execute(opcode, nsid=1, prp1=buffer, **fields)[1]
        nvme.delete_queue(queue)
        return status != INVALID_OPCODE

    return probe


def log(lid: int, **fields: int) -> Probe:
    def probe(nvme: Nvme) -> bool:
        fields.setdefault("nsid", ALL_NAMESPACES)
        _, status = nvme.admin.execute(
            GET_LOG, prp1=nvme.memory.alloc(4096), cdw10=127 << 16 | 1 << 15 | lid, **fields
        )
        assert status in (OK, INVALID_LOG_PAGE, INVALID_FIELD)
        return status == OK

    return probe


def feature(fid: int, nsid: int = 0) -> Probe:
    """There is such a feature; SEL 3 needs no data."""

    def probe(nvme: Nvme) -> bool:
        return nvme.admin.execute(GET_FEATURES, nsid=nsid, cdw10=3 << 8 | fid)[1] == OK

    return probe


def event(number: int) -> Probe:
    """The event can be enabled."""

    def probe(nvme: Nvme) -> bool:
        nvme.admin.execute(SET_FEATURES, cdw10=0x0B, cdw11=1 << number)
        return get_feature(nvme, 0x0B) == 1 << number

    return probe


def saves(nvme: Nvme) -> bool:
    return nvme.admin.execute(SET_FEATURES, cdw10=1 << 31 | 0x0B, cdw11=0)[1] not in (
        INVALID_FIELD,
        NOT_SAVEABLE,
    )


def identifies_in_128_bits(nvme: Nvme) -> bool:
    return (
        nvme.admin.execute(SET_FEATURES, cdw10=0x81, cdw11=1, prp1=nvme.memory.alloc(4096))[1]
        != INVALID_FIELD
    )


def erases(erasure: int) -> Probe:
    def probe(nvme: Nvme) -> bool:
        return nvme.admin.execute(FORMAT, nsid=1, cdw10=erasure << 9)[1] == OK

    return probe


def sanitizes(action: int) -> Probe:
    def probe(nvme: Nvme) -> bool:
        status = nvme.admin.execute(SANITIZE, cdw10=action)[1]
        assert status in (OK, INVALID_FIELD)
        return status == OK

    return probe


def fuses(nvme: Nvme) -> bool:
    """The drive does not refuse a Compare and a Write because they are fused."""
    queue, buffer = nvme.create_queue(9, 8), nvme.memory.alloc(4096)
    for opcode, flags in ((COMPARE, 1), (WRITE, 2)):
        queue.submit(sqe(opcode, nsid=1, prp1=buffer, flags=flags), ring=False)
    queue.ring()
    return [queue.wait().status for _ in range(2)] == [OK, OK]


def takes_format_of_all(nvme: Nvme) -> bool:
    return nvme.admin.execute(FORMAT, nsid=ALL_NAMESPACES)[1] == OK


def never(nvme: Nvme) -> bool:
    """Bits that need more than one controller or a network must be clear."""
    return False


OAES, CTRATT, OACS, LPA, SANICAP, ONCS, FUSES, FNA, VWC = 92, 96, 256, 261, 328, 520, 522, 524, 525
APSTA, HCTMA = 265, 322

BITS = [
    Bit("OAES namespace attributes", OAES, 8, event(8)),
    Bit("OAES firmware activation", OAES, 9, event(9)),
    Bit("OAES ANA change", OAES, 11, event(11)),
    Bit("OAES predictable latency", OAES, 12, event(12)),
    Bit("OAES LBA status", OAES, 13, event(13)),
    Bit("OAES endurance group", OAES, 14, event(14)),
    Bit("OAES NVM subsystem shutdown", OAES, 15, event(15)),
    Bit("OAES zone descriptor", OAES, 27, event(27)),
    Bit("OAES discovery log", OAES, 31, event(31)),
    Bit("CTRATT host identifier of 128 bits", CTRATT, 0, identifies_in_128_bits),
    Bit("CTRATT non-operational power state permissive mode", CTRATT, 1, feature(0x11)),
    Bit("CTRATT NVM sets", CTRATT, 2, never),
    Bit("CTRATT read recovery levels", CTRATT, 3, feature(0x12)),
    Bit("CTRATT endurance groups", CTRATT, 4, log(0x09)),
    Bit("CTRATT predictable latency", CTRATT, 5, feature(0x13)),
    Bit("CTRATT traffic based keep alive", CTRATT, 6, feature(0x0F)),
    Bit("CTRATT namespace granularity", CTRATT, 7, never),
    Bit("CTRATT UUID list", CTRATT, 9, never),
    Bit("OACS security", OACS, 0, admin(0x82)),
    Bit("OACS format", OACS, 1, admin(FORMAT, nsid=77)),
    Bit("OACS firmware download", OACS, 2, admin(0x11)),
    Bit("OACS firmware commit", OACS, 2, admin(0x10)),
    Bit("OACS namespace management", OACS, 3, admin(0x0D)),
    Bit("OACS namespace attachment", OACS, 3, admin(0x15)),
    Bit("OACS self-test", OACS, 4, admin(0x14)),
    Bit("OACS directives", OACS, 5, admin(0x1A)),
    Bit("OACS management interface", OACS, 6, admin(0x1E)),
    Bit("OACS virtualization", OACS, 7, admin(0x1C)),
    Bit("OACS doorbell buffers", OACS, 8, admin(0x7C)),
    Bit("OACS LBA status", OACS, 9, admin(0x86)),
    Bit("OACS lockdown", OACS, 10, admin(0x24)),
    Bit("LPA SMART of each namespace", LPA, 0, log(2, nsid=1)),
    Bit("LPA effects", LPA, 1, log(5)),
    Bit("LPA offsets", LPA, 2, log(2, cdw12=4)),
    Bit("LPA telemetry of the host", LPA, 3, log(7)),
    Bit("LPA telemetry of the controller", LPA, 3, log(8)),
    Bit("LPA persistent events", LPA, 4, log(0x0D)),
    Bit("LPA supported log pages", LPA, 5, log(0)),
    Bit("LPA features' effects", LPA, 5, log(0x12)),
    Bit("LPA management interface's effects", LPA, 5, log(0x13)),
    Bit("APSTA", APSTA, 0, feature(0x0C)),
    Bit("HCTMA", HCTMA, 0, feature(0x10)),
    Bit("SANICAP crypto erase", SANICAP, 0, sanitizes(4)),
    Bit("SANICAP block erase", SANICAP, 1, sanitizes(2)),
    Bit("SANICAP overwrite", SANICAP, 2, sanitizes(3)),
    Bit("ONCS compare", ONCS, 0, io(COMPARE)),
    Bit("ONCS write uncorrectable", ONCS, 1, io(WRITE_UNCORRECTABLE)),
    Bit("ONCS dataset management", ONCS, 2, io(DSM)),
    Bit("ONCS write zeroes", ONCS, 3, io(WRITE_ZEROES)),
    Bit("ONCS save and select", ONCS, 4, saves),
    Bit("ONCS reservation register", ONCS, 5, io(0x0D)),
    Bit("ONCS reservation report", ONCS, 5, io(0x0E)),
    Bit("ONCS timestamp", ONCS, 6, feature(0x0E)),
    Bit("ONCS verify", ONCS, 7, io(VERIFY)),
    Bit("ONCS copy", ONCS, 8, io(0x19)),
    Bit("FUSES compare and write", FUSES, 0, fuses),
    Bit("FNA crypto erase", FNA, 2, erases(2)),
    Bit("VWC", VWC, 0, feature(0x06)),
]


@pytest.mark.parametrize("bit", BITS, ids=[bit.name for bit in BITS])
def test_what_is_announced_is_there_and_nothing_else(nvme: Nvme, bit: Bit) -> None:
    announced = bool(identify(nvme, 1)[bit.offset + bit.number // 8] >> bit.number % 8 & 1)
    assert bit.probe(nvme) == announced


@pytest.mark.parametrize(
    "offset, size, known",
    [
        (OAES, 4, 0x8800FB00),
        (OACS, 2, 0x07FF),
        (LPA, 1, 0x7F),
        (SANICAP, 4, 0xE0000007),
        (ONCS, 2, 0x07FF),
        (FUSES, 2, 1),
        (FNA, 1, 0x0F),
        (VWC, 1, 0x07),
        (APSTA, 1, 1),
        (HCTMA, 2, 1),
    ],
)
def test_no_bit_is_set_that_the_specification_reserves(
    nvme: Nvme, offset: int, size: int, known: int
) -> None:
    assert int.from_bytes(identify(nvme, 1)[offset : offset + size], "little") & ~known == 0


def test_formats_are_of_one_namespace_as_fna_says(start: Start) -> None:
    with Client(start("--size", "1M", "--namespaces", "2").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        fna = identify(nvme, 1)[FNA]
        assert fna & 3 == 0, "neither formats nor erasures go to all namespaces"
        disks = [Disk(nvme, nvme.create_queue(nsid, 8), nsid) for nsid in (1, 2)]
        for erasure in (0, 1, 2):
            for disk in disks:
                disk.write(0, pattern(0, 8))
            assert nvme.admin.execute(FORMAT, nsid=1, cdw10=erasure << 9)[1] == OK
            assert disks[0].read(0, 8) == bytes(4096) and disks[1].read(0, 8) == pattern(0, 8)
        assert takes_format_of_all(nvme) == (fna & 8 == 0)
        assert disks[1].read(0, 8) == bytes(4096)
        nvme.close()


@pytest.mark.parametrize("cache", ["0", "1M"])
def test_the_cache_is_what_vwc_says(start: Start, cache: str) -> None:
    with Client(start("--size", "1M", "--cache", cache).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        vwc = identify(nvme, 1)[VWC]
        assert bool(vwc & 1) == (cache != "0") == feature(0x06)(nvme)
        assert vwc >> 1 == 3, "Flush of all namespaces is known to be supported"
        assert nvme.create_queue(1, 8).execute(FLUSH, nsid=ALL_NAMESPACES)[1] == OK
        nvme.close()


def test_optional_features_and_numbers_go_together(nvme: Nvme) -> None:
    data = identify(nvme, 1)
    assert (data[272:276] != bytes(4)) == feature(0x0D)(nvme), "HMPRE"
    assert (data[320:322] != bytes(2)) == feature(0x0F)(nvme) == admin(0x18)(nvme), "KAS"
    assert data[536:540] == bytes(4), "no SGLs"
    assert nvme.admin.execute(0x06, prp1=nvme.memory.alloc(4096), cdw10=1, flags=0x40)[1] == INVALID_FIELD
    dae = identify(nvme, 0, nsid=1)[24] >> 2 & 1
    assert dae == 1 and nvme.admin.execute(SET_FEATURES, nsid=1, cdw10=5, cdw11=1 << 16)[1] == OK
    assert get_feature(nvme, 5, nsid=1) == 1 << 16


def test_as_many_events_and_aborts_as_announced(nvme: Nvme) -> None:
    limit = identify(nvme, 1)[259] + 1
    requests = [nvme.admin.submit(sqe(0x0C)) for _ in range(limit)]
    assert nvme.admin.execute(0x0C)[1] == 0x105
    for cid in requests:
        nvme.admin.submit(sqe(0x08, cdw10=cid << 16))
    statuses = sorted(nvme.admin.wait().status for _ in range(2 * limit))
    assert statuses == [OK] * limit + [ABORT_REQUESTED] * limit
