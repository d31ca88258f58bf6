# SPDX-License-Identifier: BSD-3-Clause
"""The system area of a drive's file: sections that programs of other versions can read.

A section is a tag of four characters, a version and a length (16 bits each), and then that many bytes. data/
has a drive from before there were sections, which was killed while it was enabled.
"""

from __future__ import annotations

import contextlib
import lzma
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import Client, Nvme
from ctrl_helpers import READ, UNRECOVERED_READ, Disk, get_feature, identify, log_page, pattern, smart
from server import Server

BEFORE = Path(__file__).parent / "data" / "drive_before_sections.xz"
AREA, AREA_SIZE = 4096, 4096
OPTIONS = ("--size", "64K", "--namespaces", "2", "--cache", "64K")
TAGS = [b"IDEN", b"NSFM", b"TOTL", b"FMT ", b"SANI", b"FEAT", b"FW  ", b"TELE", b"STST"]


def old_drive(folder: str) -> str:
    path = os.path.join(folder, "drive")
    Path(path).write_bytes(lzma.decompress(BEFORE.read_bytes()))
    return path


def area(path: str) -> bytes:
    with open(path, "rb") as file:
        file.seek(AREA)
        return file.read(AREA_SIZE)


def set_area(path: str, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(AREA)
        file.write(data.ljust(AREA_SIZE, b"\0"))


Sections = dict[tuple[bytes, int], bytes]


def sections(path: str) -> Sections:
    """The sections in the system area of a file, by tag and version."""
    data = area(path)
    tag, version, length = struct.unpack_from("<4sHH", data)
    assert (tag, version) == (b"VSSD", 1) and not any(data[8 + length :])
    found: Sections = {}
    at = 8
    while at < 8 + length:
        tag, version, size = struct.unpack_from("<4sHH", data, at)
        assert size % 8 == 0 and (tag, version) not in found
        found[tag, version] = data[at + 8 : at + 8 + size]
        at += 8 + size
    assert at == 8 + length
    return found


def packed(parts: Sections) -> bytes:
    body = b"".join(struct.pack("<4sHH", *name, len(content)) + content for name, content in parts.items())
    return struct.pack("<4sHH", b"VSSD", 1, len(body)) + body


@contextlib.contextmanager
def running(path: str, *options: str) -> Iterator[Nvme]:
    """The drive lives once, with a host."""
    server = Server(f"{path}-lives", *OPTIONS, *options, "--file", path)
    try:
        assert server.word == "ready"
        with Client(server.folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            yield nvme
            nvme.close()
        server.check_end()
    finally:
        server.stop()
        server.log.close()


def run(path: str, *options: str) -> None:
    with running(path, *options):
        pass


def check_old_drive(nvme: Nvme) -> None:
    """Check all that the host left on the drive in data/."""
    disk = Disk(nvme, nvme.create_queue(1, 8))
    assert disk.read(5, 1) == pattern(5, 1) and disk.read(6, 2) == pattern(6, 2)
    assert disk.command(READ, 9) == UNRECOVERED_READ
    second = Disk(nvme, disk.queue, 2, 4096)
    assert second.read(1, 1) == pattern(1, 1, 4096)
    assert identify(nvme, 1)[4:24] == b"OLD-DRIVE-1         "
    assert identify(nvme, 0, 1)[26] == 0 and identify(nvme, 0, 2)[26] == 1, "the LBA formats"
    assert get_feature(nvme, 1) == 0x05060703 and get_feature(nvme, 6) == 0
    slots = log_page(nvme, 3)
    assert (slots[0], slots[8:16], slots[24:32]) == (3, b"1.0     ", b"7.3     ")
    assert identify(nvme, 1)[64:72] == b"7.3     "
    assert log_page(nvme, 6, 564)[4] == 0x10 and log_page(nvme, 6, 564)[32] == 0x0F
    assert log_page(nvme, 7)[381] == 1, "the generation of telemetry data that the host asked for"


def test_a_drive_from_before_sections_is_as_it_was(folder: str) -> None:
    path = old_drive(folder)
    assert area(path)[:24] == struct.pack("<I20s", 2, b"OLD-DRIVE-1         ")
    for life in (3, 4):
        with running(path) as nvme:
            totals = [smart(nvme, offset) for offset in (32, 48, 112, 144, 160)]
            # Data units read and written, power cycles, unsafe shutdowns, media errors.
            assert totals == [life - 3, 1, life, life - 2, life - 2]
            assert log_page(nvme, 8)[383] == 2 * (life - 2), "power losses and read errors"
            check_old_drive(nvme)
    assert sections(path)[b"IDEN", 1].startswith(b"OLD-DRIVE-1         ")


def test_a_new_drive_is_made_of_sections(folder: str) -> None:
    path = os.path.join(folder, "drive")
    run(path, "--serial", "NEW", "--lba-size", "4096")
    found = sections(path)
    assert found[b"IDEN", 1].startswith(b"NEW".ljust(20))
    assert found[b"NSFM", 1] == b"\1" * 32 + b"\x0c" + bytes(7)
    assert struct.unpack_from("<12Q", found[b"TOTL", 1])[5] == 1, "power cycles"


def test_sections_of_other_programs_are_kept(folder: str) -> None:
    path = old_drive(folder)
    run(path)
    found = sections(path)
    others: Sections = {(b"????", 1): b"\xa5" * 40, (b"TOTL", 2): b"newer   ", (b"none", 7): b""}
    # Unknown sections before, between and after known ones.
    parts = {(b"????", 1): others[b"????", 1], **found, **others}
    set_area(path, packed(parts))
    for _ in range(2):
        run(path)
        left = sections(path)
        assert {name: left[name] for name in others} == others
        assert left[b"FEAT", 1] == found[b"FEAT", 1] and set(left) == set(parts)


def test_a_section_that_another_version_made_longer_or_shorter_keeps_what_both_know(folder: str) -> None:
    path = old_drive(folder)
    run(path)
    found = sections(path)
    set_area(
        path,
        packed({**found, (b"IDEN", 1): found[b"IDEN", 1] + b"x" * 16, (b"TOTL", 1): found[b"TOTL", 1][:48]}),
    )
    run(path)
    left = sections(path)
    assert left[b"IDEN", 1] == found[b"IDEN", 1]
    cycles = struct.unpack_from("<Q", found[b"TOTL", 1], 40)[0]
    assert left[b"TOTL", 1][:40] == found[b"TOTL", 1][:40]
    assert struct.unpack_from("<Q", left[b"TOTL", 1], 40)[0] == cycles + 1
    assert len(left[b"TOTL", 1]) == len(found[b"TOTL", 1])
    assert struct.unpack_from("<Q", left[b"TOTL", 1], 72)[0] == 0, "errors, which were cut off"


@pytest.mark.parametrize("tag", TAGS)
def test_a_section_that_is_missing_has_its_defaults(folder: str, tag: bytes) -> None:
    path = old_drive(folder)
    run(path)
    found = sections(path)
    set_area(path, packed({name: content for name, content in found.items() if name[0] != tag}))
    with running(path) as nvme:
        assert get_feature(nvme, 1) == (7 if tag == b"FEAT" else 0x05060703)
        assert identify(nvme, 1)[64:72] == (b"1.0     " if tag == b"FW  " else b"7.3     ")
        assert smart(nvme, 112) == (1 if tag == b"TOTL" else 4)
    left = sections(path)
    assert set(left) == set(found) and len(left[tag, 1]) == len(found[tag, 1])


def damaged(data: bytes) -> list[bytes]:
    length = struct.unpack_from("<H", data, 6)[0]
    return [
        b"\3\0\0\0" + data[4:],  # neither raw nor sections
        data[:4] + b"\2\0" + data[6:],  # an area of a later version
        data[:6] + b"\xff\xff" + data[8:],  # longer than the page
        data[:6] + struct.pack("<H", length + 4) + data[8:],  # ends within a head
        data[:14] + b"\xff\x7f" + data[16:],  # a section that is longer than the rest
        data[:14] + b"\x1b\0" + data[16:],  # and one of an odd length
    ]


@pytest.mark.parametrize("damage", range(6))
def test_an_area_that_makes_no_sense_is_refused_and_left_alone(folder: str, damage: int) -> None:
    path = old_drive(folder)
    run(path)
    wrong = damaged(area(path))[damage]
    set_area(path, wrong)
    refused = Server(os.path.join(folder, "refused"), *OPTIONS, "--file", path)
    assert refused.process.wait(20) == 1
    assert path in refused.errors() and "give another file" in refused.errors()
    assert area(path) == wrong
    refused.log.close()


def test_what_finds_no_room_any_more_is_dropped(folder: str) -> None:
    path = old_drive(folder)
    run(path)
    found = sections(path)
    room = AREA_SIZE - len(packed(found)) - 8
    set_area(path, packed({(b"????", 1): b"z" * room, **found}))
    run(path)
    assert (b"????", 1) in sections(path)
    del found[b"TELE", 1]
    set_area(path, packed({(b"????", 1): b"z" * (room + 16), **found}))
    run(path)
    assert (b"????", 1) not in sections(path) and (b"TELE", 1) in sections(path)


IN_PROGRESS, OVERWRITE = 2, 3


def changed(folder: str, tag: bytes, content: bytes) -> str:
    """A drive with other contents at the beginning of a section."""
    path = old_drive(folder)
    run(path)
    found = sections(path)
    before = found[tag, 1]
    set_area(path, packed({**found, (tag, 1): (content + before[len(content) :])[: len(before)]}))
    return path


@pytest.mark.parametrize("fill", [b"\xff", b"\x80\x01\x7f"])
@pytest.mark.parametrize("tag", TAGS)
def test_a_drive_works_whatever_a_section_holds(folder: str, tag: bytes, fill: bytes) -> None:
    with running(changed(folder, tag, fill * 4096)) as nvme:
        size = 4096 if identify(nvme, 0, 1)[26] & 0xF else 512
        disk = Disk(nvme, nvme.create_queue(1, 8), 1, size)
        disk.write(3, pattern(3, 1, size))
        assert disk.read(3, 1) == pattern(3, 1, size)
        assert log_page(nvme, 0x81)[2] & 7 in (0, 1, 3)
        assert get_feature(nvme, 2) & 0x1F <= 4, "the power state"
        assert log_page(nvme, 3)[0] & 7 in (1, 2, 3), "the active slot"


@pytest.mark.parametrize(("action", "done"), [(OVERWRITE, 65), (2, (1 << 64) - 1), (5, 0)])
def test_a_sanitize_operation_that_cannot_be_does_not_last_for_ever(
    folder: str, action: int, done: int
) -> None:
    state = struct.pack("<QIIBBB", done, action | 1 << 4, 0, IN_PROGRESS, 0, 0)
    with running(changed(folder, b"SANI", state)) as nvme:
        assert log_page(nvme, 0x81)[2] & 7 == 0, "never sanitized"
        disk = Disk(nvme, nvme.create_queue(1, 8))
        assert disk.read(5, 1) == pattern(5, 1)


def test_a_power_state_cannot_be_saved(folder: str) -> None:
    valid = bytearray(256)
    valid[2] = 1
    values = struct.pack("<256I", *(31 if fid == 2 else 0 for fid in range(256)))
    with running(changed(folder, b"FEAT", bytes(256) + bytes(valid) + values)) as nvme:
        assert get_feature(nvme, 2) == 0


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"virtual SSD 1\n", "cannot read"),
        (b"virtual SSD 9\n", "cannot read"),
        (b"no virtual SS", "does not hold"),
    ],
)
def test_a_file_of_another_version_is_refused_as_that(folder: str, first: bytes, said: str) -> None:
    path = old_drive(folder)
    with open(path, "r+b") as file:
        file.write(first)
    refused = Server(os.path.join(folder, "refused"), *OPTIONS, "--file", path)
    assert refused.process.wait(20) == 1
    assert path in refused.errors() and said in refused.errors()
    refused.log.close()
