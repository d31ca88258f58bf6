# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules that change data, reports and ranges."""

from __future__ import annotations

import struct
import time

import pytest
from client import sqe
from ctrl_helpers import (
    DSM,
    FLUSH,
    FORMAT,
    FUA,
    OK,
    READ,
    SANITIZE,
    UNRECOVERED_READ,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
    smart,
)
from fault_helpers import clear, fired_count, plant
from server import Server


def flipped(data: bytes, byte: int, bit: int) -> bytes:
    return data[:byte] + bytes([data[byte] ^ 1 << bit]) + data[byte + 1 :]


def trim(disk: Disk, *ranges: tuple[int, int]) -> int:
    """The status of a Dataset Management that deallocates these ranges of (SLBA, LBAs)."""
    disk.nvme.memory.write(disk.buffer, b"".join(struct.pack("<IIQ", 0, nlb, slba) for slba, nlb in ranges))
    return disk.queue.execute(DSM, nsid=1, prp1=disk.buffer, cdw10=len(ranges) - 1, cdw11=4)[1]


READS = pattern(0, 4)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("flip byte=5 bit=3", flipped(READS, 5, 3)),
        ("fill=0xaa at=512 size=512", READS[:512] + b"\xaa" * 512 + READS[1024:]),
        ("fill=0", bytes(2048)),
        ("bytes at=8 size=4 value=0x11223344", READS[:8] + b"\x44\x33\x22\x11" + READS[12:]),
        ("bytes at=0 size=2 add=-1", b"\xff\xff" + READS[2:]),
        ("bytes at=512 size=8 xor=0xff", READS[:512] + bytes([READS[512] ^ 0xFF]) + READS[513:]),
        ("swap at=0 from=1024", READS[1024:1536] + READS[512:1024] + READS[:512] + READS[1536:]),
        ("shift=4", READS[-4:] + READS[:-4]),
        ("torn=700", READS[:700] + b"\xa5" * 1348),
        ("torn=700 reverse", b"\xa5" * 700 + READS[700:]),
    ],
)
def test_data_that_are_read_change(server: Server, disk: Disk, action: str, expected: bytes) -> None:
    plant(server, f"opcode=read slba=0 do {action} count=1")
    assert disk.read(0, 4) == expected
    assert disk.read(0, 4) == READS, "what is stored is right"


WRITTEN = pattern(0, 4, seed=9)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("flip byte=5 bit=3", flipped(WRITTEN, 5, 3)),
        ("fill=0 at=100 size=10", WRITTEN[:100] + bytes(10) + WRITTEN[110:]),
        ("torn=1000", WRITTEN[:1000] + READS[1000:]),
        ("torn=1000 reverse", READS[:1000] + WRITTEN[1000:]),
        ("older", READS),
        ("older at=512 size=512", WRITTEN[:512] + READS[512:1024] + WRITTEN[1024:]),
        ("swap", WRITTEN[512:1024] + WRITTEN[:512] + WRITTEN[1024:]),
    ],
)
def test_data_that_are_written_change(server: Server, disk: Disk, action: str, expected: bytes) -> None:
    plant(server, f"opcode=write do {action} count=1")
    disk.write(0, WRITTEN)
    assert disk.read(0, 4) == expected
    assert disk.read(4, 4) == pattern(4, 4), "no other LBA has changed"
    disk.write(0, WRITTEN)
    assert disk.read(0, 4) == WRITTEN


def test_only_the_lbas_of_the_condition_change(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read lba=2..3 do fill=0", "opcode=read lba=6 do flip byte=1")
    data = disk.read(0, 8)
    assert data[:1024] + data[2048:3072] == pattern(0, 2) + pattern(4, 2)
    assert data[1024:2048] == bytes(1024)
    assert data[3072:3584] == flipped(pattern(6, 1), 1, 0)
    assert disk.read(3, 2) == bytes(512) + pattern(4, 1)


def test_scrambled_data_depend_on_the_seed(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read do scramble seed=5 at=512")
    first = disk.read(0, 4)
    assert first[:512] == READS[:512] and first[512:] != READS[512:]
    assert disk.read(0, 4) == first


def test_a_read_finds_the_data_before_the_last_write(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read writes>=2 do older")
    disk.write(1, pattern(1, 2, seed=1))
    assert disk.read(0, 4) == pattern(0, 1) + pattern(1, 2, seed=1) + pattern(3, 1), "written once"
    disk.write(1, pattern(1, 2, seed=2))
    assert disk.read(1, 2) == pattern(1, 2, seed=1)
    assert disk.read(5) == pattern(5, 1)


def test_only_another_queue_reads_wrong_data(server: Server, host: Host, disk: Disk) -> None:
    other = Disk(host.nvme, host.nvme.create_queue(2, 8))
    plant(server, "opcode=read writer=other do flip")
    disk.write(3, pattern(3, 1))
    assert disk.read(3) == pattern(3, 1)
    assert other.read(3) == flipped(pattern(3, 1), 0, 0)
    assert other.read(4) == pattern(4, 1), "written before the rule"


@pytest.mark.parametrize(
    ("with_", "rest"),
    [("zeroes", bytes(512)), ("data", WRITTEN[:512]), ("older", pattern(9, 1)), ("bad", None)],
)
def test_neighbours_in_the_unit_change(server: Server, disk: Disk, with_: str, rest: bytes | None) -> None:
    plant(server, f"opcode=write lba=8..15 bytes<=512 do neighbours=2048 with={with_}")
    disk.write(8, pattern(8, 4, seed=1))
    disk.write(8, WRITTEN[:512])
    assert disk.read(8) == WRITTEN[:512]
    if rest is None:
        assert [disk.command(READ, lba) for lba in (9, 11, 12)] == [UNRECOVERED_READ, UNRECOVERED_READ, OK]
    else:
        assert disk.read(9) == rest
        assert disk.read(12, 4) == pattern(12, 4)


def test_aliased_addresses(server: Server, disk: Disk) -> None:
    plant(server, "opcode=write do set slba[3]=0", "opcode=read do set slba[3]=0")
    disk.write(9, pattern(9, 1, seed=3))
    assert disk.read(1) == pattern(9, 1, seed=3)
    clear(server)
    assert disk.read(9) == pattern(9, 1)


def test_data_of_another_namespace(start: Start) -> None:
    host = Host(start("--size", "16M", "--namespaces", "2"))
    try:
        second = Disk(host.nvme, host.nvme.create_queue(2, 8), nsid=2)
        host.disk.write(0, pattern(0, 1))
        second.write(0, pattern(0, 1, seed=2))
        plant(host.server, "opcode=read nsid=1 do set nsid=2")
        assert host.disk.read(0) == pattern(0, 1, seed=2)
    finally:
        host.close()


def test_wrong_only_after_a_power_cycle(server: Server, host: Host, disk: Disk) -> None:
    disk.flush()
    plant(server, "opcode=read after=power-up do flip")
    assert host.disk.read(0) == pattern(0, 1)
    host.power_cycle()
    assert host.disk.read(0) == flipped(pattern(0, 1), 0, 0)


def test_addresses_of_data_lose_bits(server: Server, disk: Disk) -> None:
    memory = disk.nvme.memory
    low = memory.alloc(4096)
    plant(server, f"opcode=read do set address[11:0]=0 address[12]={low >> 12 & 1}")
    memory.write(low, bytes(512))
    assert disk.queue.execute(READ, nsid=1, prp1=low + 512)[1] == OK
    assert memory.read(low, 512) == pattern(0, 1), "the offset in the page is lost"


# ranges


def test_ranges_are_rounded(server: Server, disk: Disk) -> None:
    plant(server, "opcode=dataset-management do round=8", "opcode=write-zeroes do round=4 inward")
    assert trim(disk, (2, 1), (9, 0)) == OK
    assert disk.read(0, 16) == bytes(8 * 512) + pattern(8, 8)
    assert disk.command(WRITE_ZEROES, 9, 6) == OK
    assert disk.read(8, 8) == pattern(8, 8), "no unit of 4 lies inside"
    assert disk.command(WRITE_ZEROES, 9, 7) == OK
    assert disk.read(8, 8) == pattern(8, 4) + bytes(4 * 512)
    plant(server, "opcode=write-uncorrectable do round=8")
    assert disk.command(WRITE_UNCORRECTABLE, 20) == OK
    assert [disk.command(READ, lba) for lba in (15, 16, 23, 24)] == [
        OK,
        UNRECOVERED_READ,
        UNRECOVERED_READ,
        OK,
    ]


def test_ranges_in_the_list_change(server: Server, disk: Disk) -> None:
    plant(server, "opcode=dataset-management do bytes at=4 size=4 add=1")
    assert trim(disk, (2, 1), (5, 1)) == OK
    assert disk.read(0, 8) == pattern(0, 2) + bytes(1024) + pattern(4, 1) + bytes(512) + pattern(6, 2)
    clear(server)
    disk.write(0, pattern(0, 16))
    plant(server, "opcode=dataset-management cdw10[7:0]>=1 do set cdw10[7:0]=0")
    assert trim(disk, (2, 1), (5, 1)) == OK
    assert disk.read(0, 8) == pattern(0, 2) + bytes(512) + pattern(3, 5)


@pytest.mark.parametrize("yields", [False, True])
def test_a_late_deallocation(server: Server, disk: Disk, yields: bool) -> None:
    number = plant(server, f"opcode=dataset-management do early=150{' yield' * yields}")
    assert trim(disk, (2, 4)) == OK
    assert disk.read(2, 4) == pattern(2, 4)
    disk.nvme.memory.write(disk.buffer, bytes(4096))
    disk.write(3, pattern(3, 1, seed=7))
    assert disk.command(WRITE_UNCORRECTABLE, 5) == OK
    time.sleep(0.4)
    assert fired_count(server, number) == 1
    expected = pattern(3, 1, seed=7) if yields else bytes(512)
    assert disk.read(2, 3) == bytes(512) + expected + bytes(512)
    assert disk.command(READ, 5) == (UNRECOVERED_READ if yields else OK)


def test_a_write_lands_after_a_newer_one(server: Server, disk: Disk) -> None:
    plant(server, "opcode=write do early=150 count=1")
    disk.write(0, pattern(0, 1, seed=1))
    disk.write(0, pattern(0, 1, seed=2))
    assert disk.read(0) == pattern(0, 1, seed=2)
    time.sleep(0.4)
    assert disk.read(0) == pattern(0, 1, seed=1)


# reports


def test_bytes_of_logs_identify_and_features(server: Server, host: Host) -> None:
    plant(
        server,
        "log=2 do bytes at=1 size=2 value=0x2801",
        "cns=1 do bytes at=24 size=4 value=0x42414221",
        "feature=14 opcode=get-features do bytes at=0 size=6 value=5",
    )
    assert smart(host.nvme, 1, 2) == 0x2801
    assert log_page(host.nvme, 2, 4, offset=4)[:4] != b"", "the offset counts from the start of the page"
    assert int.from_bytes(log_page(host.nvme, 2, 512)[3:4], "little") == 100
    assert identify(host.nvme, 1)[24:28] == b"!BAB"
    buffer = host.nvme.memory.alloc(4096)
    assert host.nvme.admin.execute(0x0A, prp1=buffer, cdw10=0x0E)[1] == OK
    assert host.nvme.memory.read(buffer, 6) == b"\5\0\0\0\0\0"


def test_the_offset_counts_from_the_start_of_the_page(server: Server, host: Host) -> None:
    plant(server, "log=2 do bytes at=3 value=77")
    assert log_page(host.nvme, 2, 4, offset=4)[3] != 77
    assert log_page(host.nvme, 2, 8)[3] == 77
    clear(server)
    plant(server, "log=2 do bytes at=4 value=77")
    assert log_page(host.nvme, 2, 4, offset=4)[0] == 77


def test_a_counter_stands_still(server: Server, disk: Disk) -> None:
    plant(server, "log=2 do bytes at=64 size=16 freeze", "log=2 do bytes at=80 size=8 and=0x3")
    reads = smart(disk.nvme, 64)
    for _ in range(8):
        disk.read(0)
    assert smart(disk.nvme, 64) == reads
    assert smart(disk.nvme, 80) <= 3
    clear(server)
    assert smart(disk.nvme, 64) == reads + 8


def test_results_of_features_change(server: Server, host: Host) -> None:
    plant(server, "opcode=get-features feature=2 do set cqe.result[4:0]=2")
    assert get_feature(host.nvme, 2) & 0x1F == 2
    clear(server)
    plant(server, "opcode=set-features feature=6 do skip")
    assert set_feature(host.nvme, 6, 0) == OK
    assert get_feature(host.nvme, 6) == 1


@pytest.mark.parametrize("how", ["format", "sanitize"])
def test_an_erasure_leaves_a_part(start: Start, how: str) -> None:
    host = Host(start("--size", "16M", "--namespaces", "2", "--sanitize-time", "20"))
    try:
        disks = [Disk(host.nvme, host.disk.queue, nsid) for nsid in (1, 2)]
        for disk in disks:
            disk.write(0, pattern(0, 16))
            disk.write(16, pattern(16, 16))
            disk.write(32, pattern(32, 16))
            disk.flush()
        plant(host.server, "queue=admin do leave=8K..12K")
        if how == "format":
            assert host.nvme.admin.execute(FORMAT, nsid=0xFFFFFFFF)[1] == OK
        else:
            assert host.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
            while log_page(host.nvme, 0x81)[2] & 7 != 1:
                time.sleep(0.01)
        for disk in disks:
            assert disk.read(0, 16) == bytes(8192)
            assert disk.read(16, 16) == pattern(16, 16)
            assert disk.read(32, 16) == bytes(8192)
    finally:
        host.close()


def test_bytes_change_only_where_they_have_a_value(server: Server, disk: Disk) -> None:
    number = plant(server, "opcode=dataset-management do bytes at=4 size=4 if=0 each=16 value=3")
    assert trim(disk, (0, 1), (4, 0), (8, 2), (12, 0)) == OK
    data = disk.read(0, 16)
    gone = {0, 4, 5, 6, 8, 9, 12, 13, 14}
    for lba in range(16):
        expected = bytes(512) if lba in gone else pattern(lba, 1)
        assert data[lba * 512 :][:512] == expected, lba
    assert fired_count(server, number) == 1


def test_a_field_across_the_border_of_two_pieces_changes(server: Server, host: Host) -> None:
    plant(
        server, "log=2 do bytes at=32 size=8 value=0x1122334455667788", "log=2 do bytes at=48 size=8 or=0xff"
    )
    assert log_page(host.nvme, 2, 4, offset=32) == bytes.fromhex("88776655")
    assert log_page(host.nvme, 2, 8, offset=36)[:4] == bytes.fromhex("44332211")
    assert log_page(host.nvme, 2, 4, offset=52)[0] == 0


def test_lbas_of_a_deallocation_are_those_of_its_ranges(server: Server, disk: Disk) -> None:
    number = plant(server, "opcode=dataset-management lba=0x10..0x1f do status=00/06")
    written = plant(server, "opcode=dataset-management writes>=2 do status=00/07")
    assert trim(disk, (0, 4), (0x20, 4)) == OK
    assert trim(disk, (0, 4), (0xE, 2)) == OK
    assert trim(disk, (0, 4), (0xE, 3)) == 0x006
    assert fired_count(server, number) == 1
    for _ in range(2):
        disk.write(5, pattern(5, 1))
    assert trim(disk, (4, 4)) == OK
    assert trim(disk, (5, 1)) == 0x007
    assert fired_count(server, written) == 1


def test_zeros_change_as_other_data(server: Server, disk: Disk) -> None:
    disk.write(0, pattern(0, 1, seed=9))
    disk.write(0, pattern(0, 16))
    plant(
        server,
        "opcode=write-zeroes lba=0..3 do torn=1024",
        "opcode=write-zeroes lba=8 do fill=0x11 at=0 size=9",
    )
    assert disk.command(WRITE_ZEROES, 0, 12) == OK
    data = disk.read(0, 16)
    assert data[: 2 * 512] == bytes(1024) and data[2 * 512 : 4 * 512] == pattern(2, 2)
    assert data[4 * 512 : 8 * 512] == bytes(2048)
    assert data[8 * 512 : 9 * 512] == b"\x11" * 9 + bytes(503)
    assert data[9 * 512 :] == bytes(3 * 512) + pattern(12, 4)


def test_a_rule_of_data_does_not_fire_where_there_are_none(server: Server, disk: Disk) -> None:
    number = plant(server, "queue=io do flip byte=1 bit=1")
    for opcode in (WRITE_UNCORRECTABLE, VERIFY, FLUSH):
        disk.command(opcode, 15)
    assert fired_count(server, number) == 0


def test_the_rest_of_torn_data_that_are_no_lbas_is_zero(server: Server, disk: Disk) -> None:
    plant(server, "opcode=dataset-management do torn=16")
    assert trim(disk, (1, 1), (2, 1)) == OK
    assert disk.read(0, 4) == pattern(0, 1) + bytes(512) + pattern(2, 2)


# the volatile cache


def survivors(start: Start, *rules: str, durable: bool = True) -> list[bytes]:
    """Which LBAs hold their new data (n), their old ones (o) or something else after a power loss."""
    host = Host(start("--size", "16M"))
    try:
        if durable:
            host.disk.write(0, pattern(0, 16))
            assert host.disk.queue.execute(FLUSH, nsid=1)[1] == OK
        plant(host.server, *rules)
        host.disk.write(0, pattern(0, 16, seed=1))
        host.power_cycle()
        return [host.disk.read(lba) for lba in range(16)]
    finally:
        host.close()


OLD = [pattern(lba, 1) for lba in range(16)]
NEW = [pattern(lba, 1, seed=1) for lba in range(16)]


def test_all_of_the_cache_may_survive(start: Start) -> None:
    assert survivors(start, "on=power-loss do cache chance=1") == NEW
    assert survivors(start, "on=power-loss do cache") == OLD


@pytest.mark.parametrize("durable", [True, False])
def test_some_lbas_survive_by_the_seed(start: Start, durable: bool) -> None:
    old = OLD if durable else [bytes(512)] * 16
    found = survivors(start, "on=power-loss do cache chance=0.5 seed=3", durable=durable)
    assert all(data in (new, before) for data, new, before in zip(found, NEW, old))
    assert found not in (NEW, old)
    assert survivors(start, "on=power-loss do cache chance=0.5 seed=3", durable=durable) == found
    assert survivors(start, "on=power-loss do cache chance=0.5 seed=4", durable=durable) != found


def test_lost_lbas_may_be_torn(start: Start) -> None:
    found = survivors(start, "on=power-loss do cache torn=100")
    assert found == [new[:100] + old[100:] for new, old in zip(NEW, OLD)]


def test_a_lost_lba_may_damage_a_durable_one(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        host.disk.write(0, pattern(0, 16))
        host.disk.flush()
        plant(host.server, "on=power-loss do cache pair=8")
        host.disk.write(1, pattern(1, 1, seed=1))
        host.power_cycle()
        data = host.disk.read(0, 16)
        assert data[: 9 * 512] == pattern(0, 9) and data[10 * 512 :] == pattern(10, 6)
        assert data[9 * 512 : 10 * 512] != pattern(9, 1)
    finally:
        host.close()


def test_the_power_fails_within_a_write(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        host.disk.write(0, pattern(0, 8), FUA)
        plant(host.server, "opcode=write do power-off at=1024")
        host.nvme.memory.write(host.disk.buffer, pattern(0, 8, seed=1))
        host.disk.queue.submit(sqe(WRITE, nsid=1, prp1=host.disk.buffer, cdw12=7 | FUA))
        deadline = time.monotonic() + 10
        while host.client.read32(8) != 0xFFFFFFFF and time.monotonic() < deadline:
            time.sleep(0.01)
        clear(host.server)
        host.power_cycle()
        assert host.disk.read(0, 8) == pattern(0, 2, seed=1) + pattern(2, 6)
    finally:
        host.close()
