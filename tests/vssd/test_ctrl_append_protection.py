# SPDX-License-Identifier: BSD-3-Clause
"""Zone Append with protection information, whose reference tags the drive remaps (ZNS 1.1, 3.4.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ctrl_helpers import OK, Disk, Start
from protection_helpers import APP, GUARD, KINDS, PRACT, REF, SHAPES, Protected
from server import Server

APPEND, REMAP = 0x7D, 1 << 25
INVALID_PI, BAD_GUARD, BAD_REF = 0x181, 0x282, 0x284
ZONE = 128  # LBAs
EMPTY, OPENED = 1, 2
ALL_SETS = 6  # CC.CSS


class Appending(Protected):
    """A host of a drive whose only namespace is zoned."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.host.nvme.enable(css=ALL_SETS)
        self.host.disk = Disk(self.host.nvme, self.host.nvme.create_queue(1, 16), 1)
        self.queue = self.host.disk.queue

    def protect(self, lbaf: int, type: int, extended: bool = False, first: bool = False) -> None:
        super().protect(lbaf, type, extended, first)
        self.zone = ZONE * 512 // self.lba

    def zone_state(self, start: int) -> int:
        fields = {"cdw10": start, "cdw12": 1023, "cdw13": 1 << 16}
        assert self.queue.execute(0x7A, nsid=1, prp1=self.data, **fields)[1] == OK
        return self.memory.read(self.data, 128)[65] >> 4


@pytest.fixture
def drive(start: Start) -> Iterator[Appending]:
    zoned = ("--zoned", "1", "--zone-size", "64K")
    drive = Appending(start("--size", "1M", "--protection", *zoned))
    yield drive
    drive.host.close()


def test_reference_tags_of_the_host_become_those_of_the_lbas(drive: Appending) -> None:
    """Media Reference Tag[0] = ILBRT + (ALBA - ZSLBA), and each further one is 1 more."""
    for shape in [shape for shape in SHAPES[::7] if shape[1] != 3]:
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        start, checks = drive.zone, GUARD | APP | REF
        first = start if drive.type == 1 else 1000
        for done, count in ((0, 3), (3, 5)):
            data, metadata = drive.some(count, done)
            sent = [drive.information(*one, first + i) for i, one in enumerate(zip(data, metadata))]
            drive.put(data, sent)
            assert drive.send(APPEND, start, count, REMAP | checks, **drive.tags(first)) == OK, shape
            stored = [drive.information(*one, first + done + i) for i, one in enumerate(zip(data, metadata))]
            assert drive.read(start + done, count) == (data, stored), shape


def test_golden_bytes_of_an_lba_of_zeros(drive: Appending) -> None:
    drive.protect(2, 1)
    drive.put([bytes(512)] * 3, [bytes.fromhex("0000a55a00000080")] * 3)
    for alone in (False, True):
        start = 0x100 if alone else 0x80
        tags = drive.tags(start)
        assert drive.send(APPEND, start, 3, REMAP | (PRACT if alone else 0), **tags) == OK
        found = [one.hex() for one in drive.read(start, 3)[1]]
        assert found == [f"0000a55a{start + i:08x}" for i in range(3)]
        drive.put([bytes(512)] * 3, [bytes(8)] * 3)


def test_the_drive_makes_information_with_the_tags_of_the_lbas(drive: Appending) -> None:
    for shape in [shape for shape in SHAPES[::9] if shape[1] != 3]:
        drive.storage_bits = 16 if KINDS[shape[0]].guard == 4 else 0
        drive.protect(*shape)
        start = drive.zone
        for done, count in ((0, 2), (2, 4)):
            data, metadata = drive.some(count, done)
            if drive.alone():
                drive.memory.write(drive.data, b"".join(data))
            else:
                drive.put(data, metadata)
            fields = drive.tags(start)
            if drive.alone():  # no metadata are transferred
                fields["prp2"] = drive.data + 4096 if count * drive.lba <= 8192 else drive.list
            assert drive.send(APPEND, start, count, REMAP | PRACT, **fields) == OK, shape
            stored = [drive.information(*one, start + done + i) for i, one in enumerate(zip(data, metadata))]
            assert drive.read(start + done, count) == (data, stored), shape


def test_which_types_remap(drive: Appending) -> None:
    """Type 1 must, and type 3 must not: Invalid Protection Information, and the zone stays as it is."""
    for type, remap, status in ((1, 0, INVALID_PI), (2, 0, OK), (3, 0, OK), (3, REMAP, INVALID_PI)):
        drive.protect(2, type)
        start = drive.zone
        data, metadata = drive.some(2, type)
        sent = [drive.information(*one, 7) for one in zip(data, metadata)]
        drive.put(data, sent)
        assert drive.send(APPEND, start, 2, GUARD | remap, **drive.tags(7)) == status, (type, remap)
        assert drive.zone_state(start) == (OPENED if status == OK else EMPTY)
        if status == OK:
            assert drive.read(start, 2) == (data, sent), "without modification"
    drive.format(2)
    data, metadata = drive.some(2, 9)
    drive.put(data, metadata)
    assert drive.send(APPEND, ZONE, 2, REMAP) == OK
    assert drive.read(ZONE, 2) == (data, metadata), "without protection information the bit means nothing"


def test_what_the_host_sends_is_checked_with_the_tags_of_the_start_of_the_zone(drive: Appending) -> None:
    drive.protect(2, 1)
    start = drive.zone
    data, metadata = drive.some(2, 1)

    def attempt(reference: int, initial: int, guard: int | None = None) -> int:
        drive.put(
            data,
            [
                drive.information(*one, reference + i, guard=guard)
                for i, one in enumerate(zip(data, metadata))
            ],
        )
        return drive.send(APPEND, start, 2, REMAP | GUARD | REF, **drive.tags(initial))

    assert attempt(start, start) == OK
    assert attempt(start + 2, start) == BAD_REF, "the tags of the LBAs"
    assert attempt(start + 2, start + 2) == INVALID_PI, "type 1 wants the LBA in the command"
    assert attempt(start, start, guard=0) == BAD_GUARD
    assert attempt(start, start) == OK
    assert drive.read(start + 2, 2)[0] == data
