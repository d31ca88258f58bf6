# SPDX-License-Identifier: BSD-3-Clause
"""The submission queue entries of IO commands, dword for dword, and where they say that their data lie.

Written by hand from NVM Command Set Specification 1.0, section 3, Zoned Namespace Command Set Specification
1.1, section 3.4, and, for PRPs, NVM Express Base Specification 2.0, section 4.1.1.
"""

from __future__ import annotations

import random
import struct
from types import SimpleNamespace
from typing import Any, Callable

import nvme
import pytest
from drive import READ, WRITE, Command, Drive
from fake import wait_until

Sender = Callable[[nvme.Namespace, nvme.Qpair, nvme.Buffer], Any]
BIG = 0x123456789ABCDEF0

# What is called; opcode, dwords 10 to 15, whether it has data.
COMMANDS: dict[str, tuple[Sender, int, tuple[int, ...], bool]] = {
    "read": (lambda n, q, b: n.read(q, b, 5), 0x02, (5, 0, 0, 0, 0, 0), True),
    "read, all fields": (
        lambda n, q, b: n.read(q, b, BIG, 8, 0xC400, 0x13131313, 0x14141414, 0x15151515),
        0x02,
        (0x9ABCDEF0, 0x12345678, 0xC4000007, 0x13131313, 0x14141414, 0x15151515),
        True,
    ),
    "write": (lambda n, q, b: n.write(q, b, 5, 2), 0x01, (5, 0, 1, 0, 0, 0), True),
    "write, all fields": (
        lambda n, q, b: n.write(q, b, BIG, 8, 0x4010, 0x13131313, 0x14141414, 0x15151515),
        0x01,
        (0x9ABCDEF0, 0x12345678, 0x40100007, 0x13131313, 0x14141414, 0x15151515),
        True,
    ),
    "compare": (lambda n, q, b: n.compare(q, b, 9, 3, 0x4000), 0x05, (9, 0, 0x40000002, 0, 0, 0), True),
    "write_uncorrectable": (
        lambda n, q, b: n.write_uncorrectable(q, BIG, 65536),
        0x04,
        (0x9ABCDEF0, 0x12345678, 0xFFFF, 0, 0, 0),
        False,
    ),
    "write_zeroes": (lambda n, q, b: n.write_zeroes(q, 7), 0x08, (7, 0, 0, 0, 0, 0), False),
    "write_zeroes, all fields": (
        lambda n, q, b: n.write_zeroes(q, BIG, 65536, 0x0200),
        0x08,
        (0x9ABCDEF0, 0x12345678, 0x0200FFFF, 0, 0, 0),
        False,
    ),
    "read, flags in their place": (
        lambda n, q, b: n.read(q, b, 5, 8, 1 << 31),
        0x02,
        (5, 0, 0x80000007, 0, 0, 0),
        True,
    ),
    "write, flags in their place": (
        lambda n, q, b: n.write(q, b, 5, 8, io_flags=0xC0100000),
        0x01,
        (5, 0, 0xC0100007, 0, 0, 0),
        True,
    ),
    "compare, flags in their place": (
        lambda n, q, b: n.compare(q, b, 5, 8, 1 << 16),
        0x05,
        (5, 0, 0x00010007, 0, 0, 0),
        True,
    ),
    "write_zeroes, flags in their place": (
        lambda n, q, b: n.write_zeroes(q, 5, 8, 1 << 25),
        0x08,
        (5, 0, 0x02000007, 0, 0, 0),
        False,
    ),
    "verify, flags in their place": (
        lambda n, q, b: n.verify(q, 5, 8, 1 << 30),
        0x0C,
        (5, 0, 0x40000007, 0, 0, 0),
        False,
    ),
    "verify": (lambda n, q, b: n.verify(q, 7, 16, 0x8000), 0x0C, (7, 0, 0x8000000F, 0, 0, 0), False),
    "flush": (lambda n, q, b: n.flush(q), 0x00, (0, 0, 0, 0, 0, 0), False),
    "dsm": (lambda n, q, b: n.dsm(q, b, 1), 0x09, (0, 4, 0, 0, 0, 0), True),
    "dsm, all fields": (lambda n, q, b: n.dsm(q, b, 256, 0x7), 0x09, (255, 7, 0, 0, 0, 0), True),
    "zns_mgmt_send": (
        lambda n, q, b: n.zns_mgmt_send(q, None, BIG, 4, all=True),
        0x79,
        (0x9ABCDEF0, 0x12345678, 0, 0x104, 0, 0),
        False,
    ),
    "zns_mgmt_receive": (
        lambda n, q, b: n.zns_mgmt_receive(q, b, BIG, extended=False, state=3),
        0x7A,
        (0x9ABCDEF0, 0x12345678, 1023, 0x10300, 0, 0),
        True,
    ),
    "zns_mgmt_receive, extended": (
        lambda n, q, b: n.zns_mgmt_receive(q, b, dwords=16, partial=False),
        0x7A,
        (0, 0, 15, 1, 0, 0),
        True,
    ),
    "reservation_report": (
        lambda n, q, b: n.reservation_report(q, b, dwords=16, extended=True),
        0x0E,
        (15, 1, 0, 0, 0, 0),
        True,
    ),
    "send_cmd": (lambda n, q, b: n.send_cmd(0x90, q), 0x90, (0, 0, 0, 0, 0, 0), False),
    "send_cmd, all fields": (
        lambda n, q, b: n.send_cmd(0x0291, q, b, 1, 0x10, 0x11, 0x12, 0x13, 0x14, 0xFFFFFFFF),
        0x0291,
        (0x10, 0x11, 0x12, 0x13, 0x14, 0xFFFFFFFF),
        True,
    ),
}


@pytest.fixture
def own(drive: Drive, opened: Callable[..., SimpleNamespace]) -> SimpleNamespace:
    """A drive whose IO commands succeed, whatever they say."""
    for opcode in range(0x100):
        drive.on_io[opcode] = lambda command: (0x600D, 0)
    return opened()


@pytest.mark.parametrize(("send", "opcode", "dwords", "data"), COMMANDS.values(), ids=COMMANDS)
def test_io_command(
    drive: Drive, own: SimpleNamespace, send: Sender, opcode: int, dwords: tuple[int, ...], data: bool
) -> None:
    buf = nvme.Buffer(4096)
    assert send(own.nvme0n1, own.qpair, buf) is own.qpair, "IO methods chain"
    assert own.qpair.waitdone() == 0x600D
    command = drive.commands[-1]
    assert command[0] == opcode | own.qpair.latest_cid << 16
    assert command[1] == 1
    assert command[2:6] == (0, 0, 0, 0), "reserved and MPTR"
    assert command[10:16] == dwords
    assert (command.prp1, command.prp2) == ((buf.phys_addr, 0) if data else (0, 0))


@pytest.mark.parametrize(
    "send, opcode, dword10",
    [
        (lambda n, q: n.reservation_register(q, BIG, 7, 2, True, 3), 0x0D, 0xC000000A),
        (lambda n, q: n.reservation_acquire(q, 6, 7, BIG, 2, True), 0x11, 0x60A),
        (lambda n, q: n.reservation_release(q, 3, 7, 1), 0x15, 0x301),
    ],
)
def test_reservation_command(
    drive: Drive, own: SimpleNamespace, send: Callable[..., nvme.Qpair], opcode: int, dword10: int
) -> None:
    assert send(own.nvme0n1, own.qpair).waitdone() == 0x600D
    command = drive.commands[-1]
    assert command[0] & 0xFF == opcode and command[1] == 1
    assert command[10:16] == (dword10, 0, 0, 0, 0, 0)
    assert command.prp1 and command.prp2 == 0


@pytest.mark.parametrize("flags", [-1, 0x10001, 0xFFFF0001, 1 << 32, 0x8000FFFF])
def test_flags_that_are_neither_bits_31_16_nor_in_their_place_are_asserted(
    own: SimpleNamespace, flags: int
) -> None:
    with pytest.raises(AssertionError, match="io_flags"):
        own.nvme0n1.read(own.qpair, nvme.Buffer(4096), 0, 1, flags)


def test_nsid_of_a_raw_command_is_the_scripts(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0n1.send_cmd(0x90, own.qpair, nsid=0xFFFFFFFF).waitdone()
    assert drive.commands[-1][1] == 0xFFFFFFFF


def test_dsm_sends_its_ranges(drive: Drive, own: SimpleNamespace) -> None:
    ranges = []

    def dsm(command: Command) -> tuple[int, int]:
        ranges.append(drive.gather(command, 16 * (command[10] + 1)))
        return 0, 0

    drive.on_io[9] = dsm
    buf = nvme.Buffer(4096)
    buf.set_dsm_range(0, 0x1122334455667788, 0x99AABBCC, attr=0xDDEEFF00)
    buf.set_dsm_range(1, 1, 2)
    own.nvme0n1.dsm(own.qpair, buf, 2).waitdone()
    assert ranges[0].hex() == "00ffeeddccbbaa998877665544332211" + "00000000020000000100000000000000"


# Data


SHAPES = [
    (0, 512),
    (0, 4096),
    (512, 512),
    (3584, 512),
    (3584, 1024),  # PRP 2 is a page
    (4, 4096),
    (0, 8192),
    (4092, 4608),  # three pages, the first of them with one dword: PRP 2 is a list
    (0, 12288),
    (2048, 12288),
    (0, 128 * 1024),
    (4092, 128 * 1024),
    (0, 513 * 4096),  # the list fills its page to the last entry
    (0, 514 * 4096),  # one more: the last entry leads to a second page
    (512, 514 * 4096),
    (0, 1025 * 4096),
]


@pytest.mark.parametrize(("offset", "length"), SHAPES)
def test_prps_lead_to_the_data_of_a_read(
    drive: Drive, own: SimpleNamespace, offset: int, length: int
) -> None:
    """Transfers at any offset and length touch nothing but their data."""
    data = random.Random(length).randbytes(length)

    def read(command: Command) -> tuple[int, int]:
        drive.scatter(command, data)
        return 0, 0

    drive.on_io[READ] = read
    room = (offset + length + 4096 + 4095) // 4096 * 4096
    buf = nvme.Buffer(room, pvalue=0x5A5A5A5A, ptype=32)
    buf.offset = offset
    own.nvme0n1.read(own.qpair, buf, 0, length // 512).waitdone()
    buf.offset = 0
    found = bytes(memoryview(buf))
    assert found[offset : offset + length] == data
    assert set(found[:offset] + found[offset + length :]) == {0x5A}


@pytest.mark.parametrize(("offset", "length"), SHAPES)
def test_prps_lead_to_the_data_of_a_write(
    drive: Drive, own: SimpleNamespace, offset: int, length: int
) -> None:
    received = []

    def write(command: Command) -> tuple[int, int]:
        received.append(drive.gather(command, length))
        return 0, 0

    drive.on_io[WRITE] = write
    buf = nvme.Buffer((offset + length + 4095) // 4096 * 4096)
    data = random.Random(length).randbytes(length)
    memoryview(buf)[offset : offset + length] = data
    buf.offset = offset
    own.nvme0n1.send_cmd(WRITE, own.qpair, buf, 1, 0, 0, length // 512 - 1).waitdone()
    assert received[0][:length] == data


def test_prp2_and_list_are_as_small_as_can_be(drive: Drive, own: SimpleNamespace) -> None:
    """PRP 2: unused for one page, the second page for two, a list with an entry a page for three."""
    buf = nvme.Buffer(16384)
    for blocks, offset in ((8, 0), (16, 0), (24, 0), (8, 512), (16, 512)):
        buf.offset = offset
        own.nvme0n1.read(own.qpair, buf, 0, blocks).waitdone()
    none, page, entries, shifted_page, shifted_list = drive.commands[-5:]
    start = buf.phys_addr - buf.offset
    assert (none.prp1, none.prp2) == (start, 0)
    assert (page.prp1, page.prp2) == (start, start + 4096)
    assert entries.prp2 not in range(start, start + 16384)
    assert [int.from_bytes(drive.dma_read(entries.prp2 + 8 * i, 8), "little") for i in range(2)] == [
        start + 4096,
        start + 8192,
    ]
    assert (shifted_page.prp1, shifted_page.prp2) == (start + 512, start + 4096)
    assert shifted_list.prp2 not in range(start, start + 16384)


def test_each_command_in_flight_has_a_prp_list_of_its_own(drive: Drive, own: SimpleNamespace) -> None:
    drive.on_io[READ] = lambda command: None
    buffers = [nvme.Buffer(16384) for _ in range(15)]
    for buf in buffers:
        own.nvme0n1.read(own.qpair, buf, 0, 32)
    wait_until(lambda: len([c for c in drive.held if c.sqid]) == 15)
    commands = [c for c in drive.held if c.sqid]
    assert len({c.prp2 for c in commands}) == 15
    for i, command in reversed(list(enumerate(commands))):
        drive.scatter(command, bytes([i]) * 16384)
        drive.complete(command)
    own.qpair.waitdone(15)
    for i, buf in enumerate(buffers):
        assert bytes(memoryview(buf)) == bytes([i]) * 16384


def test_write_stamps_lba_and_token_into_each_lba(drive: Drive, own: SimpleNamespace) -> None:
    received = []

    def write(command: Command) -> tuple[int, int]:
        received.append(drive.gather(command, command.nlb * 512))
        return 0, 0

    drive.on_io[WRITE] = write
    buf = nvme.Buffer(2048)
    for _ in range(2):
        own.nvme0n1.write(own.qpair, buf, 0x1000, 4).waitdone()
    lbas = [data[at : at + 512] for data in received for at in range(0, 2048, 512)]
    numbers = [int.from_bytes(lba[:8], "little") for lba in lbas]
    tokens = [int.from_bytes(lba[-8:], "little") for lba in lbas]
    assert numbers == [0x1000, 0x1001, 0x1002, 0x1003] * 2
    assert [token - tokens[0] for token in tokens] == list(range(8))
    own.nvme0n1.send_cmd(WRITE, own.qpair, nvme.Buffer(512), 1, 0x1000).waitdone()
    assert received[-1] == bytes(512), "send_cmd sends what it was given"


def test_rings_go_round_many_times(drive: Drive, opened: Callable[..., SimpleNamespace]) -> None:
    """Every command arrives once and in order, also where tail and head wrap and the phase turns."""
    own = opened(depth=5)
    buf = nvme.Buffer(512)
    for batch in range(12):
        for i in range(4):
            own.nvme0n1.read(own.qpair, buf, 4 * batch + i)
        own.qpair.waitdone(4)
    assert [c.slba for c in drive.commands if c.sqid] == list(range(48))
    own.pcie.register(0)
    assert drive.cq_head(1) == 48 % 5


@pytest.mark.parametrize(("dps", "pract", "bytes_an_lba"), [(0, False, 520), (1, False, 520), (1, True, 512)])
def test_metadata_between_the_lbas_of_a_buffer_are_transferred_too(
    drive: Drive, opened: Callable[..., SimpleNamespace], dps: int, pract: bool, bytes_an_lba: int
) -> None:
    """Extended LBAs of 512 + 8 bytes: the drive writes all of them, so the PRPs must lead to that much."""
    drive.identify_namespace[26] = 0x10  # FLBAS: metadata at the end of each LBA's data
    drive.identify_namespace[29] = dps
    struct.pack_into("<H", drive.identify_namespace, 128, 8)
    own = opened()
    flags = 0x2000 if pract else 0
    length = 64 * bytes_an_lba
    data = random.Random(dps).randbytes(length)

    def read(command: Command) -> tuple[int, int]:
        drive.scatter(command, data)
        return 0, 0

    drive.on_io[READ] = read
    buf = nvme.Buffer(65536, pvalue=0x5A5A5A5A, ptype=32)
    buf.offset = 16
    own.nvme0n1.read(own.qpair, buf, 0, 64, flags).waitdone()
    buf.offset = 0
    assert buf[16 : 16 + length] == data
    assert set(buf[16 + length :]) == {0x5A}
    with pytest.raises(AssertionError, match=f"transfers {length} bytes"):
        own.nvme0n1.read(own.qpair, nvme.Buffer(length - 1), 0, 64, flags)

    received = []

    def write(command: Command) -> tuple[int, int]:
        received.append(drive.gather(command, length))
        return 0, 0

    drive.on_io[WRITE] = write
    memoryview(buf)[:length] = data
    own.nvme0n1.write(own.qpair, buf, 0, 64, flags).waitdone()
    if dps and not pract:
        assert received[0][:length] == data, "a stamp would make the guards of the script wrong"
        return
    for lba in range(64):
        sent, wanted = (raw[lba * bytes_an_lba :][:bytes_an_lba] for raw in (received[0], data))
        assert sent[:8] == struct.pack("<Q", lba), "stamps lie in the data, not in the metadata"
        assert (sent[8:504], sent[512:]) == (wanted[8:504], wanted[512:])


# Less described than is transferred


@pytest.mark.parametrize(("offset", "size"), [(0, 512), (4, 512), (0, 4096), (2048, 12288), (512, 0)])
@pytest.mark.parametrize("pages", [1, 2, 3, 600, 1100])
def test_a_read_of_more_than_the_buffer_touches_the_buffer_and_a_spare_page(
    drive: Drive, own: SimpleNamespace, offset: int, size: int, pages: int
) -> None:
    data = random.Random(pages).randbytes(pages * 4096)
    spare = set()

    def read(command: Command) -> tuple[int, int]:
        spare.update(address - address % 4096 for address, _ in drive.pieces(command, len(data)))
        drive.scatter(command, data)
        return 0, 0

    drive.on_io[READ] = read
    buf = nvme.Buffer(32768, pvalue=0x5A5A5A5A, ptype=32)
    start = buf.phys_addr
    buf.offset, buf.size = offset, size
    own.nvme0n1.read(own.qpair, buf, 0, len(data) // 512).waitdone()
    end = (offset + size + 4095) // 4096 * 4096 if size else offset
    got = min(end - offset, len(data))
    assert buf[offset : offset + got] == data[:got]
    assert set(buf[:offset] + buf[offset + got :]) == {0x5A}
    assert len(spare - set(range(start, start + 32768, 4096))) == (offset + len(data) > end), "one spare page"


@pytest.mark.parametrize("pages", [1, 2, 3, 300])
@pytest.mark.parametrize("offset", [0, 512])
def test_a_command_that_nobody_knows_finds_memory_for_whatever_it_transfers(
    drive: Drive, own: SimpleNamespace, offset: int, pages: int
) -> None:
    """If a script has set the size, PRP 2 must suit both a page of data and a list."""
    data = random.Random(pages).randbytes(pages * 4096)

    def vendor(command: Command) -> tuple[int, int]:
        drive.scatter(command, data)
        return 0, 0

    drive.on_io[0x92] = vendor
    buf = nvme.Buffer(16384, pvalue=0x5A5A5A5A, ptype=32)
    buf.offset, buf.size = offset, 512
    if pages == 1 and offset == 0:
        pytest.skip("PRP 2 is reserved then, and a drive that looks at it is not served")
    for _ in range(2):
        own.nvme0n1.send_cmd(0x92, own.qpair, buf).waitdone()
    assert set(buf[4096:]) == {0x5A}


def test_a_write_of_more_than_the_buffer_takes_the_rest_from_elsewhere(
    drive: Drive, own: SimpleNamespace
) -> None:
    received = []

    def write(command: Command) -> tuple[int, int]:
        received.append(drive.gather(command, 16384))
        return 0, 0

    drive.on_io[WRITE] = write
    buf = nvme.Buffer(16384, ptype=0xBEEF, pvalue=100)
    buf.size = 4096
    data = buf[:]
    own.nvme0n1.write(own.qpair, buf, 0, 32).waitdone()
    assert received[0][:4096] == data[:4096] == buf[:4096]
    assert received[0][4096:] == bytes(12288)
