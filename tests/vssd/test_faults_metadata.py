# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules on namespaces with metadata: what moves the data of an LBA moves its metadata, and no check of
protection information fails that would not fail on a drive with this bug."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import COMPARE, OK, READ, WRITE, WRITE_ZEROES, Start
from fault_helpers import clear, plant
from metadata_helpers import Drive
from protection_helpers import ALL, GUARD, PRACT, REF, Protected

GUARD_ERROR, REF_ERROR = 0x282, 0x284
COUNT = 8
Lbas = tuple[list[bytes], list[bytes]]


@pytest.fixture
def drive(start: Start) -> Iterator[Protected]:
    drive = Protected(start("--size", "8M", "--protection", "--cache", "1M"))
    yield drive
    drive.host.close()


SHAPES = [(2, 1, False), (2, 1, True), (4, 2, False), (7, 3, True), (8, 1, False), (15, 2, True)]
"""LBA format, type of protection information, and whether the metadata follow the data."""


def put(drive: Protected, lba: int, seed: int, flags: int = ALL) -> Lbas:
    """Write COUNT LBAs with right protection information, and all checks that the type has."""
    lbas = drive.protected(lba, COUNT, seed)
    drive.put(*lbas)
    assert drive.send(WRITE, lba, COUNT, flags & (drive.checks() | PRACT), **drive.tags(lba)) == OK
    return lbas


def checked(drive: Protected, lba: int, count: int = COUNT) -> int:
    """The status of a read with all checks."""
    return drive.send(READ, lba, count, drive.checks(), **drive.tags(lba))


def mixed(old: Lbas, new: Lbas, newer: range) -> Lbas:
    """LBAs of which some are newer."""
    return tuple(  # type: ignore[return-value]
        [b[i] if i in newer else a[i] for i in range(COUNT)] for a, b in zip(old, new)
    )


def each_shape(drive: Protected) -> Iterator[str]:
    for lbaf, type, extended in SHAPES:
        drive.protect(lbaf, type, extended)
        yield f"format {lbaf}, type {type}, {'extended' if extended else 'separate'}"
        clear(drive.host.server)


def settle(drive: Protected, seconds: float = 0.02) -> None:
    """Wait until the drive has executed what it has put off."""
    time.sleep(seconds)
    drive.host.disk.flush()


def test_a_write_that_completes_early_takes_its_metadata_when_it_completes(drive: Protected) -> None:
    for shape in each_shape(drive):
        plant(drive.host.server, "opcode=write do early=5")
        lbas = put(drive, 16, 1)
        drive.memory.write(drive.data, b"\x5a" * (64 << 10))
        drive.memory.write(drive.meta, b"\x5a" * (8 << 10))
        settle(drive)
        assert drive.read(16, COUNT) == lbas, shape
        assert checked(drive, 16) == OK, shape


def test_what_yields_leaves_newer_metadata(drive: Protected) -> None:
    """The LBAs written meanwhile keep their data and their metadata."""
    for shape in each_shape(drive):
        plant(drive.host.server, "opcode=write nth=1 do early=5 yield=1")
        old = put(drive, 16, 1)
        new = drive.protected(18, COUNT, 2)
        drive.put(*new)
        assert drive.send(WRITE, 18, 4, drive.checks(), **drive.tags(18)) == OK
        settle(drive)
        drive_data, drive_meta = drive.read(16, COUNT)
        assert drive_data == old[0][:2] + new[0][:4] + old[0][6:], shape
        assert drive_meta == old[1][:2] + new[1][:4] + old[1][6:], shape
        assert checked(drive, 16) == OK, shape


def test_a_deallocation_that_yields_leaves_newer_metadata(drive: Protected) -> None:
    for shape in each_shape(drive):
        put(drive, 16, 1)
        plant(drive.host.server, "opcode=write-zeroes do early=5 yield=1")
        assert drive.send(WRITE_ZEROES, 16, COUNT, 1 << 25, prp1=0, mptr=0) == OK
        new = put(drive, 16, 2)
        settle(drive)
        assert drive.read(16, COUNT) == new, shape
        assert checked(drive, 16) == OK, shape


def test_pieces_take_their_metadata_along(drive: Protected) -> None:
    for shape in each_shape(drive):
        for flags in (ALL, PRACT):
            plant(drive.host.server, f"opcode=write do split={2 * drive.lba} gap=10us reverse=1")
            data, metadata = put(drive, 16, 3 + flags, flags)
            if flags == ALL:
                assert drive.read(16, COUNT) == (data, metadata), shape
            elif not (drive.extended and drive.alone()):
                assert drive.read(16, COUNT)[0] == data, shape
            assert checked(drive, 16) == OK, shape
            clear(drive.host.server)


def test_what_is_not_transferred_keeps_its_metadata(drive: Protected) -> None:
    """Whole LBAs of a torn write stay as they were. An LBA that is torn itself has a wrong guard."""
    for shape in each_shape(drive):
        step = drive.lba + (drive.ms if drive.extended else 0)
        for how, kept in (("", range(3)), (" reverse=1", range(3, COUNT))):
            clear(drive.host.server)
            old = put(drive, 16, 1)
            plant(drive.host.server, f"opcode=write do torn={3 * step}{how}")
            new = put(drive, 16, 2)
            assert drive.read(16, COUNT) == mixed(old, new, kept), shape
            assert checked(drive, 16) == OK, shape
        clear(drive.host.server)
        plant(drive.host.server, f"opcode=write do torn={3 * step + 64}")
        put(drive, 16, 3)
        assert checked(drive, 16) == GUARD_ERROR, shape
        assert checked(drive, 16, 3) == OK and checked(drive, 20, 4) == OK, shape


def test_a_read_that_is_cut_leaves_the_rest_of_the_hosts_memory(drive: Protected) -> None:
    for shape in each_shape(drive):
        lbas = put(drive, 16, 1)
        step = drive.lba + (drive.ms if drive.extended else 0)
        plant(drive.host.server, f"opcode=read do torn={2 * step}")
        rest = [b"\xa5" * drive.lba] * 6, [b"\xa5" * drive.ms] * 6
        assert drive.read(16, COUNT) == (lbas[0][:2] + rest[0], lbas[1][:2] + rest[1]), shape


def test_older_data_come_with_older_metadata(drive: Protected) -> None:
    """No check finds them: they were right when they were written."""
    for shape in each_shape(drive):
        plant(drive.host.server, "opcode=read do older", "opcode=write nth=3 do older")
        first, second = put(drive, 16, 1), put(drive, 16, 2)
        assert drive.read(16, COUNT) == first, shape
        assert checked(drive, 16) == OK, shape
        put(drive, 16, 3)
        clear(drive.host.server)
        assert drive.read(16, COUNT) == second, shape
        assert checked(drive, 16) == OK, shape


def test_lbas_that_change_places_take_their_metadata(drive: Protected) -> None:
    """The guard of each is right, and its reference tag is that of the other."""
    for shape in each_shape(drive):
        step = drive.lba + (drive.ms if drive.extended else 0)
        for rule, order in (
            (f"swap at=0 from={2 * step} size={step}", [2, 1, 0, 3, 4, 5, 6, 7]),
            (f"shift={step}", [7, 0, 1, 2, 3, 4, 5, 6]),
        ):
            plant(drive.host.server, f"opcode=write do {rule}")
            data, metadata = put(drive, 16, 1)
            clear(drive.host.server)
            assert drive.read(16, COUNT) == ([data[i] for i in order], [metadata[i] for i in order]), shape
            tags = drive.tags(16)
            assert drive.send(READ, 16, COUNT, GUARD, **tags) == OK, shape
            if drive.type != 3:
                assert drive.send(READ, 16, COUNT, REF, **tags) == REF_ERROR, shape


def test_data_that_change_behind_the_check_have_a_wrong_guard(drive: Protected) -> None:
    """The write succeeds, and the next read with a check finds what was damaged inside the drive."""
    for shape in each_shape(drive):
        for flags in (ALL, PRACT):
            plant(drive.host.server, "opcode=write do flip byte=3 bit=1")
            put(drive, 16, 1, flags)
            clear(drive.host.server)
            assert checked(drive, 16) == GUARD_ERROR, shape
        put(drive, 16, 2)
        plant(drive.host.server, "opcode=read do flip byte=3 bit=1")
        assert checked(drive, 16) == OK, shape


def test_a_write_to_another_place_has_the_tags_of_its_own(drive: Protected) -> None:
    for shape in each_shape(drive):
        old = put(drive, 16, 1)
        plant(drive.host.server, "opcode=write do add slba=32")
        new = put(drive, 16, 2)
        clear(drive.host.server)
        assert drive.read(16, COUNT) == old and checked(drive, 16) == OK, shape
        assert drive.read(48, COUNT) == new, shape
        assert checked(drive, 48) == (OK if drive.type == 3 else REF_ERROR), shape
        plant(drive.host.server, "opcode=read do add slba=32")
        assert checked(drive, 16) == OK, shape


def test_neighbours_take_metadata_with_their_data(drive: Protected) -> None:
    """A write brings back what the other LBAs of its unit held before."""
    for shape in each_shape(drive):
        unit = COUNT * drive.lba
        plant(drive.host.server, f"opcode=write nlb=0 do neighbours={unit} with=older")
        old = put(drive, 16, 1)
        put(drive, 16, 2)
        one = drive.protected(18, 1, 3)
        drive.put(*one)
        assert drive.send(WRITE, 18, 1, drive.checks(), **drive.tags(18)) == OK
        assert drive.read(16, COUNT) == _with(old, one, 2), shape
        assert checked(drive, 16) == OK, shape


def _with(lbas: Lbas, one: Lbas, at: int) -> Lbas:
    data, metadata = list(lbas[0]), list(lbas[1])
    data[at], metadata[at] = one[0][0], one[1][0]
    return data, metadata


def test_zeroes_that_are_cut_leave_old_metadata(drive: Protected) -> None:
    for shape in each_shape(drive):
        data, metadata = put(drive, 16, 1)
        plant(drive.host.server, f"opcode=write-zeroes do torn={5 * drive.lba}")
        tags = drive.tags(16)
        assert drive.send(WRITE_ZEROES, 16, COUNT, PRACT, **tags) == OK
        found = drive.read(16, COUNT)
        assert found[0] == [bytes(drive.lba)] * 5 + data[5:], shape
        assert found[1][5:] == metadata[5:], shape
        assert checked(drive, 16) == OK, shape


def test_a_range_that_is_rounded_has_the_tags_of_its_lbas(drive: Protected) -> None:
    for shape in each_shape(drive):
        put(drive, 16, 1)
        plant(drive.host.server, "opcode=write-zeroes do round=8")
        assert drive.send(WRITE_ZEROES, 18, 2, PRACT, **drive.tags(18)) == OK
        assert drive.read(16, COUNT)[0] == [bytes(drive.lba)] * COUNT, shape
        tags = drive.tags(16 if drive.type != 3 else 18)
        assert drive.send(READ, 16, COUNT, drive.checks(), **tags) == OK, shape


def test_what_a_power_loss_leaves_has_its_own_metadata(drive: Protected) -> None:
    """Each LBA is whole with its metadata, whether it survives, is lost, or has a version in between."""
    for shape in each_shape(drive):
        for rule in ("cache chance=0.5 seed=3", "cache versions=1 seed=4"):
            plant(drive.host.server, f"on=power-loss do {rule}")
            versions = [put(drive, 16, 10)]
            drive.host.disk.flush()
            versions += [put(drive, 16, seed) for seed in (11, 12)]
            drive.host.power_cycle()
            drive.queue = drive.host.disk.queue
            data, metadata = drive.read(16, COUNT)
            for i in range(COUNT):
                assert (data[i], metadata[i]) in [(a[i], b[i]) for a, b in versions], shape
            assert checked(drive, 16) == OK, shape
            clear(drive.host.server)


def test_the_power_fails_within_a_write(start: Start) -> None:
    drive = Protected(start("--size", "8M", "--protection", "--cache", "0"))
    for shape in each_shape(drive):
        step = drive.lba + (drive.ms if drive.extended else 0)
        old = put(drive, 16, 1)
        drive.host.disk.flush()
        plant(drive.host.server, f"opcode=write do power-cycle at={2 * step} off=1")
        new = drive.protected(16, COUNT, 2)
        drive.put(*new)
        drive.queue.submit(
            sqe(
                WRITE, 1, nsid=1, prp1=drive.data, prp2=drive.list, mptr=drive.meta, cdw10=16, cdw12=COUNT - 1
            )
        )
        time.sleep(0.02)
        clear(drive.host.server)
        drive.host.start()
        drive.queue = drive.host.disk.queue
        assert drive.read(16, COUNT) in (old, mixed(old, new, range(2))), shape
        assert checked(drive, 16) == OK, shape
    drive.host.close()


def test_a_compare_sees_the_metadata_of_its_data(drive: Protected) -> None:
    for shape in each_shape(drive):
        lbas = put(drive, 16, 1)
        plant(drive.host.server, "opcode=compare do early=1")
        drive.put(*lbas)
        assert drive.send(COMPARE, 16, COUNT) == OK, shape
        settle(drive)


def test_metadata_without_protection_information_move_with_their_data(start: Start) -> None:
    drive = Drive(start("--size", "8M", "--metadata"))
    for lbaf, extended in ((2, False), (7, True), (6, False)):
        drive.format(lbaf, extended)
        step = drive.lba + (drive.ms if extended else 0)
        old = drive.some(COUNT, 1)
        drive.write(16, *old)
        plant(drive.host.server, f"opcode=write do torn={4 * step}")
        new = drive.some(COUNT, 2)
        drive.write(16, *new)
        clear(drive.host.server)
        assert drive.read(16, COUNT) == mixed(old, new, range(4))
    drive.host.close()
