# SPDX-License-Identifier: BSD-3-Clause
"""Scatter gather lists: what the drive announces, reads and refuses. Base 2.1, 4.3.2."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    COMPARE,
    COMPARE_FAILURE,
    DATA_TRANSFER_ERROR,
    DSM,
    FLUSH,
    IDENTIFY,
    INVALID_FIELD,
    OK,
    READ,
    WRITE,
    Host,
    Start,
    identify,
    pattern,
)

BLOCK, BUCKET, SEGMENT, LAST, KEYED, TRANSPORT, VENDOR = 0, 1, 2, 3, 4, 5, 15
BY_SGL, BY_TWO_SGLS, RESERVED = 0x40, 0x80, 0xC0  # PSDT, in bits 15:8 of CDW0
BAD_SEGMENT, BAD_COUNT, BAD_LENGTH, BAD_TYPE, BAD_GRANULARITY = 0x00D, 0x00E, 0x00F, 0x011, 0x01E
UNMAPPED = 0x1234_0000

Descriptor = tuple[int, int, int]  # type and subtype in one byte, address, length


def packed(descriptor: Descriptor) -> bytes:
    kind, address, length = descriptor
    return struct.pack("<QI3xB", address, length, kind)


def test_the_descriptors_here_are_the_bytes_of_the_specification() -> None:
    assert packed((LAST << 4 | 1, 0x1122334455667788, 0x99AABBCC)).hex() == "8877665544332211ccbbaa9900000031"


class Sgls:
    """A host that sends commands by SGLs, on LBAs 0 to 15 with a pattern."""

    def __init__(self, host: Host) -> None:
        self.host, self.nvme = host, host.nvme
        self.memory = self.nvme.memory
        self.queue = host.disk.queue
        self.data = self.memory.alloc(64 << 10)
        host.disk.write(0, pattern(0, 16))

    def put(self, descriptors: list[Descriptor], at: int | None = None) -> int:
        """The address of a segment of these."""
        if at is None:
            at = self.memory.alloc(16 * len(descriptors), align=8)
        self.memory.write(at, b"".join(packed(descriptor) for descriptor in descriptors))
        return at

    def last(self, descriptors: list[Descriptor]) -> Descriptor:
        return (LAST << 4, self.put(descriptors), 16 * len(descriptors))

    def segment(self, descriptors: list[Descriptor]) -> Descriptor:
        return (SEGMENT << 4, self.put(descriptors), 16 * len(descriptors))

    def send(self, opcode: int, first: Descriptor, lba: int = 0, count: int = 1, psdt: int = BY_SGL) -> int:
        pointer, rest = struct.unpack("<QQ", packed(first))
        fields = {"prp1": pointer, "prp2": rest, "flags": psdt}
        return self.queue.execute(opcode, nsid=1, cdw10=lba, cdw12=count - 1, **fields)[1]


@pytest.fixture
def byte(start: Start) -> Iterator[Sgls]:
    host = Host(start("--size", "16M", "--sgls", "byte"))
    yield Sgls(host)
    host.close()


@pytest.fixture
def dword(start: Start) -> Iterator[Sgls]:
    host = Host(start("--size", "16M", "--sgls", "dword"))
    yield Sgls(host)
    host.close()


@pytest.mark.parametrize(
    "options, announced",
    [
        ("", 0),
        ("--sgls none", 0),
        ("--sgls byte", 0x50001),
        ("--sgls dword", 2),
        ("--sgls byte --nvme-version 1.0", 0),
        ("--sgls byte --nvme-version 1.1", 0x50001),
        ("--sgls dword --nvme-version 1.2.1", 0),
        ("--sgls dword --nvme-version 1.3", 2),
    ],
)
def test_identify_announces_sgls_and_psdt_is_refused_without_them(
    start: Start, options: str, announced: int
) -> None:
    host = Host(start("--size", "16M", *options.split()))
    sgls = Sgls(host)
    assert struct.unpack_from("<I", identify(host.nvme, 1), 536) == (announced,)
    expected = OK if announced else INVALID_FIELD
    assert sgls.send(READ, (BLOCK, sgls.data, 512)) == expected
    assert sgls.send(READ, (BLOCK, sgls.data, 512), psdt=BY_TWO_SGLS) == INVALID_FIELD
    assert sgls.send(READ, (BLOCK, sgls.data, 512), psdt=RESERVED) == INVALID_FIELD
    assert sgls.send(FLUSH, (BLOCK, 0, 0)) == expected
    host.close()


def test_admin_commands_have_prps_only(byte: Sgls) -> None:
    for psdt in (BY_SGL, BY_TWO_SGLS, RESERVED):
        assert (
            byte.nvme.admin.execute(IDENTIFY, prp1=byte.data, prp2=4096, cdw10=1, flags=psdt)[1]
            == INVALID_FIELD
        )


def test_one_data_block_of_any_alignment(byte: Sgls) -> None:
    for offset in (0, 1, 3, 511, 4095):
        byte.memory.write(byte.data, bytes(16384))
        assert byte.send(READ, (BLOCK, byte.data + offset, 4096), 0, 8) == OK
        found = byte.memory.read(byte.data, 16384)
        assert found == bytes(offset) + pattern(0, 8) + bytes(16384 - 4096 - offset)


def test_all_commands_with_data_read_sgls(byte: Sgls) -> None:
    data = pattern(40, 3, seed=9)
    byte.memory.write(byte.data + 7, data)
    pieces: list[Descriptor] = [
        (BLOCK, byte.data + 7, 1),
        (BLOCK, byte.data + 8, 700),
        (BLOCK, byte.data + 708, 835),
    ]
    assert byte.send(WRITE, byte.last(pieces), 40, 3) == OK
    assert byte.host.disk.read(40, 3) == data
    assert byte.send(COMPARE, byte.last(pieces), 40, 3) == OK
    byte.memory.write(byte.data + 708, b"\xff")
    assert byte.send(COMPARE, byte.last(pieces), 40, 3) == COMPARE_FAILURE
    byte.memory.write(byte.data + 2, struct.pack("<IIQ", 0, 3, 40))
    pointer, rest = struct.unpack("<QQ", packed((BLOCK, byte.data + 2, 16)))
    fields = {"cdw10": 0, "cdw11": 4, "prp1": pointer, "prp2": rest, "flags": BY_SGL}
    assert byte.queue.execute(DSM, nsid=1, **fields)[1] == OK
    assert byte.host.disk.read(40, 3) == bytes(1536)


def test_a_fused_pair_by_sgls(byte: Sgls) -> None:
    old, new = byte.data, byte.data + 1024
    byte.memory.write(old, pattern(0, 1))
    byte.memory.write(new, pattern(0, 1, seed=3))
    for opcode, flags, data in ((COMPARE, 1, old), (WRITE, 2, new)):
        pointer, rest = struct.unpack("<QQ", packed((BLOCK, data, 512)))
        byte.queue.submit(
            sqe(opcode, nsid=1, prp1=pointer, prp2=rest, flags=flags | BY_SGL), ring=opcode == WRITE
        )
    assert [byte.queue.wait().status for _ in range(2)] == [OK, OK]
    assert byte.host.disk.read(0, 1) == pattern(0, 1, seed=3)


def test_segments_lead_to_segments(byte: Sgls) -> None:
    end = byte.last([(BLOCK, byte.data + 1000, 24), (BLOCK, byte.data, 1000)])
    middle = byte.segment([(BLOCK, byte.data + 2048, 0), end])
    assert byte.send(READ, byte.segment([middle]), 2, 2) == OK
    found = byte.memory.read(byte.data, 1024)
    assert found[1000:] + found[:1000] == pattern(2, 2)


def test_a_bit_bucket_takes_what_is_read_and_gives_nothing(byte: Sgls) -> None:
    byte.memory.write(byte.data, b"\xee" * 1024)
    pieces: list[Descriptor] = [
        (BLOCK, byte.data, 100),
        (BUCKET << 4, UNMAPPED, 312),
        (BLOCK, byte.data + 100, 100),
    ]
    assert byte.send(READ, byte.last(pieces)) == OK
    assert byte.memory.read(byte.data, 201) == pattern(0, 1)[:100] + pattern(0, 1)[412:] + b"\xee"
    assert byte.send(READ, (BUCKET << 4, 0, 8192), 0, 16) == OK
    # A write has no use for its length, so the data are too short, or come from the other descriptors alone.
    assert byte.send(WRITE, byte.last(pieces), 60) == BAD_LENGTH
    assert byte.host.disk.read(60) == bytes(512)
    data = pattern(60, 1)
    byte.memory.write(byte.data, data)
    whole: list[Descriptor] = [(BLOCK, byte.data, 9), (BUCKET << 4, 0, 77), (BLOCK, byte.data + 9, 503)]
    assert byte.send(WRITE, byte.last(whole), 60) == OK
    assert byte.host.disk.read(60) == data


WRONG: list[tuple[Descriptor, int]] = [
    ((BLOCK << 4 | 1, 0, 512), BAD_TYPE),
    ((BLOCK << 4 | 10, 0, 512), BAD_TYPE),
    ((BUCKET << 4 | 1, 0, 512), BAD_TYPE),
    ((SEGMENT << 4 | 1, 0, 16), BAD_TYPE),
    ((KEYED << 4, 0, 512), BAD_TYPE),
    ((KEYED << 4 | 15, 0, 512), BAD_TYPE),
    ((TRANSPORT << 4 | 10, 0, 512), BAD_TYPE),
    ((6 << 4, 0, 512), BAD_TYPE),
    ((VENDOR << 4, 0, 512), BAD_TYPE),
    ((SEGMENT << 4, 0, 0), BAD_SEGMENT),
    ((LAST << 4, 0, 0), BAD_SEGMENT),
    ((LAST << 4, 0, 24), BAD_SEGMENT),
    ((LAST << 4, 4, 16), BAD_SEGMENT),
    ((LAST << 4, UNMAPPED, 16), DATA_TRANSFER_ERROR),
    ((BLOCK, UNMAPPED, 512), DATA_TRANSFER_ERROR),
    ((BLOCK, 2**64 - 256, 512), DATA_TRANSFER_ERROR),
    ((BLOCK, 0, 511), BAD_LENGTH),
    ((BLOCK, 0, 0), BAD_LENGTH),
]


def test_wrong_descriptors_are_refused_in_the_command_and_in_a_list(byte: Sgls) -> None:
    for (kind, address, length), status in WRONG:
        if address < UNMAPPED:
            address += byte.data  # zeros: as a segment, data blocks of 0 bytes
        wrong = (kind, address, length)
        leads_on = kind >> 4 in (SEGMENT, LAST)
        for opcode in (READ, WRITE):
            assert byte.send(opcode, wrong, 80) == status, (wrong, opcode)
            around = byte.segment([wrong]) if leads_on else byte.last([wrong])
            assert byte.send(opcode, around, 80) == status, (wrong, opcode)
    assert byte.host.disk.read(80) == bytes(512)


def test_the_rules_of_segments(byte: Sgls) -> None:
    block: Descriptor = (BLOCK, byte.data, 512)
    # The last segment leads to no other, a segment ends with one that does, and only there.
    assert byte.send(READ, byte.last([byte.last([block])])) == BAD_SEGMENT
    assert byte.send(READ, byte.last([(BLOCK, byte.data, 256), byte.segment([block])])) == BAD_SEGMENT
    assert byte.send(READ, byte.segment([block])) == BAD_SEGMENT
    assert byte.send(READ, byte.segment([byte.last([block]), block])) == BAD_COUNT
    assert byte.send(READ, byte.last([byte.last([block]), block])) == BAD_COUNT


def test_an_endless_list_is_refused(byte: Sgls) -> None:
    loop = byte.memory.alloc(16, align=8)
    byte.put([(SEGMENT << 4, loop, 16)], loop)
    assert byte.send(READ, (SEGMENT << 4, loop, 16)) == BAD_COUNT
    nothing = byte.put([(BLOCK, 0, 0), (SEGMENT << 4, 0, 32)])
    byte.put([(BLOCK, 0, 0), (SEGMENT << 4, nothing, 32)], nothing)
    assert byte.send(WRITE, (SEGMENT << 4, nothing, 32)) == BAD_COUNT
    assert byte.send(READ, (LAST << 4, byte.data, 0xFFFFFFF0)) == BAD_COUNT


def test_a_longer_list_is_read_as_far_as_it_is_needed(byte: Sgls) -> None:
    byte.memory.write(byte.data, bytes(4096))
    assert byte.send(READ, (BLOCK, byte.data, 1 << 31)) == OK
    assert byte.memory.read(byte.data, 1024) == pattern(0, 1) + bytes(512)
    pieces: list[Descriptor] = [(BLOCK, byte.data, 500), (BLOCK, byte.data + 500, 500), (VENDOR << 4, 0, 1)]
    assert byte.send(READ, byte.last(pieces), 1) == OK
    assert byte.memory.read(byte.data, 1024) == pattern(1, 1) + bytes(512)


def test_with_dword_granularity(dword: Sgls) -> None:
    at = dword.data
    assert dword.send(READ, (BLOCK, at + 4, 512)) == OK
    assert dword.memory.read(at + 4, 512) == pattern(0, 1)
    for address, length in ((at + 1, 512), (at + 2, 512), (at, 510), (at, 514)):
        assert dword.send(READ, (BLOCK, address, length)) == BAD_GRANULARITY
    pieces: list[Descriptor] = [(BLOCK, at, 4), (BLOCK, at + 8, 508)]
    assert dword.send(WRITE, dword.last(pieces), 70) == OK
    assert dword.host.disk.read(70) == dword.memory.read(at, 4) + dword.memory.read(at + 8, 508)
    # It has no bit buckets, and reads no list that is longer than the data.
    assert dword.send(READ, (BUCKET << 4, 0, 512)) == BAD_TYPE
    assert dword.send(READ, (BLOCK, at, 516)) == BAD_LENGTH
    assert dword.send(READ, dword.last([(BLOCK, at, 512), (BLOCK, at, 4)])) == BAD_LENGTH
    assert dword.send(READ, dword.last([(BLOCK, at, 512), (BLOCK, at, 0)])) == OK
    assert dword.send(READ, dword.segment([(BLOCK, at, 512), dword.last([(BLOCK, at, 0)])])) == OK
    assert dword.send(READ, dword.last([(BLOCK, at, 512), (VENDOR << 4, at, 0)])) == BAD_TYPE


def scattered(sgls: Sgls, random: random.Random, length: int) -> tuple[Descriptor, list[tuple[int, int]]]:
    """A legal SGL of `length` bytes, and where each piece lies: (address, bytes), address 0 for a bucket."""
    places: list[tuple[int, int]] = []
    descriptors: list[Descriptor] = []
    at = sgls.data
    while length:
        size = min(length, random.choice((1, 2, 3, 16, 100, 511, 513, 4097)))
        at += random.choice((0, 0, 1, 5))
        bucket = random.random() < 0.1
        places.append((0 if bucket else at, size))
        descriptors.append((BUCKET << 4 if bucket else BLOCK, places[-1][0], size))
        if random.random() < 0.1:
            descriptors.append((BLOCK, UNMAPPED, 0))
        at += 0 if bucket else size
        length -= size
    cut = random.randrange(1, len(descriptors) + 1)
    first, rest = descriptors[:cut], descriptors[cut:]
    if not rest:
        return sgls.last(first), places
    return sgls.segment([*first, sgls.last(rest)]), places


def test_random_lists_move_the_right_bytes(byte: Sgls) -> None:
    for turn in range(75):
        chance = random.Random(turn)
        count = chance.randrange(1, 17)
        lba = chance.randrange(0, 1000)
        data = pattern(lba, count, seed=turn)
        list_of, places = scattered(byte, chance, len(data))
        byte.memory.write(byte.data, bytes(48 << 10))
        byte.host.disk.write(lba, data)
        assert byte.send(READ, list_of, lba, count) == OK
        expected = bytearray(48 << 10)
        done = 0
        for address, size in places:
            if address:
                expected[address - byte.data : address - byte.data + size] = data[done : done + size]
            done += size
        assert byte.memory.read(byte.data, 48 << 10) == expected
        # Written back by the same list: only if it has no bucket, which describes no data of a write.
        status = byte.send(WRITE, list_of, lba + 2000, count)
        assert status == (BAD_LENGTH if any(not address for address, _ in places) else OK)
        if status == OK:
            assert byte.host.disk.read(lba + 2000, count) == data
        byte.memory.free_to(byte.data - byte.memory.iova + (64 << 10))


def test_a_list_of_very_many_pieces(byte: Sgls) -> None:
    pieces: list[Descriptor] = [(BLOCK, byte.data + 2 * i, 1) for i in range(8192)]
    assert byte.send(READ, byte.last(pieces), 0, 16) == OK
    assert byte.memory.read(byte.data, 16384)[::2] == pattern(0, 16)


def test_lists_and_data_by_messages(start: Start) -> None:
    """Memory that the client has not mapped, but answers for."""
    host = Host(start("--size", "16M", "--sgls", "byte"))
    sgls = Sgls(host)
    kept = {0x5000_0000 + i: byte for i, byte in enumerate(pattern(0, 2, seed=5))}
    kept.update({0x5001_0000 + i: byte for i, byte in enumerate(packed((BLOCK, 0x5000_0000, 1024)))})

    def answer(command: object) -> bytes | None:
        address, count = struct.unpack_from("<QQ", command.payload)  # type: ignore[attr-defined]
        return command.payload[:16] + bytes(kept[address + i] for i in range(count))  # type: ignore[attr-defined]

    host.client.dma_map(0x5000_0000, 1 << 20, None)
    host.client.on_command = answer
    pointer, rest = struct.unpack("<QQ", packed((LAST << 4, 0x5001_0000, 16)))
    sgls.queue.submit(sqe(WRITE, nsid=1, prp1=pointer, prp2=rest, flags=BY_SGL, cdw10=100, cdw12=1))
    while (found := sgls.queue.poll()) is None:
        host.client.read32(0)
    assert found.status == OK
    assert host.disk.read(100, 2) == pattern(0, 2, seed=5)
    host.close()


def test_fault_rules_read_lists_wrongly(start: Start) -> None:
    """Each rule has an LBA of its own. What the list lacks, a read drops, and a write stores as zeros."""
    names = ("last-segment", "zero-length", "bucket", "bucket-write", "page", "order")
    rules = [
        word for lba, name in enumerate(names) for word in ("--fault", f"lba={lba} psdt=1 do sgl={name}")
    ]
    host = Host(start("--size", "16M", "--sgls", "byte", *rules))
    sgls, data = Sgls(host), pattern(0, 16)
    at, memory = sgls.data, sgls.memory

    def read(lba: int, first: Descriptor) -> bytes:
        memory.write(at, b"\xee" * 2048)
        assert sgls.send(READ, first, lba) == OK
        return memory.read(at, 512)

    def lba_of(lba: int) -> bytes:
        return data[512 * lba : 512 * lba + 512]

    untouched = b"\xee" * 512
    halves: list[Descriptor] = [(BLOCK, at, 256), (BLOCK, at + 256, 256)]
    assert read(0, sgls.last(halves)) == untouched
    assert read(0, sgls.segment([(BLOCK, at, 100), sgls.last([(BLOCK, at + 100, 412)])])) == (
        lba_of(0)[:100] + untouched[100:]
    )
    assert read(1, sgls.last([halves[0], (BLOCK, at, 0), halves[1]])) == lba_of(1)[:256] + untouched[256:]
    assert read(2, sgls.last([(BLOCK, at, 100), (BUCKET << 4, 0, 312), (BLOCK, at + 100, 100)])) == (
        lba_of(2)[:200] + untouched[200:]
    )
    assert read(5, sgls.last(halves)) == lba_of(5)[256:] + lba_of(5)[:256]

    page = memory.alloc(8192)
    sgls.put([halves[1]], page)
    sgls.put([halves[0], halves[1]], page + 4096 - 16)
    assert read(4, (LAST << 4, page + 4096 - 16, 32)) == lba_of(4)
    sgls.put([(BLOCK, at + 1024, 256)], page)
    assert read(4, (LAST << 4, page + 4096 - 16, 32)) == lba_of(4)[:256] + untouched[256:]

    memory.write(at, pattern(99, 1))
    assert sgls.send(WRITE, sgls.last([halves[0], (BUCKET << 4, 0, 77), halves[1]]), 3) == OK
    assert host.disk.read(3) == pattern(99, 1)[:256] + bytes(77) + pattern(99, 1)[256 : 512 - 77]
    assert sgls.send(WRITE, sgls.last(halves), 0) == OK
    assert host.disk.read(0) == bytes(512)
    memory.write(at, bytes(512))
    assert sgls.send(READ, sgls.last(halves), 6) == OK
    assert memory.read(at, 512) == lba_of(6)
    host.close()
