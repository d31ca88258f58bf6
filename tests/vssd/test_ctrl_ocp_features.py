# SPDX-License-Identifier: BSD-3-Clause
"""The latency monitor, and features C1h to C7h of OCP's Datacenter NVMe SSD specification, byte by byte."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator

import pytest
from client import Nvme
from ctrl_helpers import (
    DSM,
    GET_FEATURES,
    INVALID_FIELD,
    OK,
    READ,
    SET_FEATURES,
    WRITE,
    Host,
    Start,
    control,
    firmware_image,
    get_feature,
    log_page,
    pattern,
    set_feature,
    smart,
)
from fault_helpers import clear, plant

CLEAR_HISTORY, FAILURE_MODE, CLEAR_PCIE, LATENCY, PLP_CHECK, POWER_STATE = 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7
READ_ONLY, WRITE_THROUGH, NORMAL = 1, 2, 3
AGE, UNCHANGED = 18, 0xFFFFFFFF
WRITE_PROTECTED = 0x020
TRIM_AT, WRITE_AT, READ_AT = 0, 1, 2  # in the arrays of the log page
NOTHING = 0xFFFFFFFFFFFFFFFF


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M", "--ocp"))
    yield host
    host.close()


def age(host: Host, hours: int = 0, spare: int = UNCHANGED, backup_failed: int = UNCHANGED) -> None:
    data = struct.pack("<Q6I", hours, UNCHANGED, spare, UNCHANGED, backup_failed, UNCHANGED, UNCHANGED)
    control(host.server, AGE, data=data)


# The latency monitor


class Monitor:
    """Log page C3h, whose arrays have the fields of bucket 3 first."""

    def __init__(self, nvme: Nvme) -> None:
        self.data = log_page(nvme, 0xC3)
        assert self.data[496:][::-1] == uuid.UUID("85D45E58-D4E6-4370-9C6C-84D08CC07A92").bytes

    def counters(self, first: int = 0x20) -> list[tuple[int, int, int]]:
        """Trims, writes and reads of each bucket."""
        assert not any(self.data[first + 16 * i + k] for i in range(4) for k in range(4)), "reserved"
        return [struct.unpack_from("<3I", self.data, first + 16 * i + 4) for i in range(4)]

    def measured(self, bucket: int, kind: int, first: int = 0xC0) -> int:
        return struct.unpack_from("<H", self.data, first + 6 * (3 - bucket) + 2 * kind)[0]

    def stamp(self, bucket: int, kind: int, first: int = 0x60) -> int:
        return struct.unpack_from("<Q", self.data, first + 24 * (3 - bucket) + 8 * kind)[0]

    def number(self, offset: int, size: int = 2) -> int:
        return int.from_bytes(self.data[offset : offset + size], "little")


def configure(
    nvme: Nvme,
    timer: int = 1,
    thresholds: tuple[int, int, int, int] = (0, 3, 7, 11),
    mode: int = 0xFFF,
    window: int = 0,
    trigger: int = 0,
    discard: int = 0,
    enable: int = 1,
    save: bool = False,
) -> None:
    """Thresholds are in units of 5 ms, and 0's based: 5, 20, 40 and 60 ms."""
    buffer = nvme.memory.alloc(4096)
    raw = struct.pack("<H4BHBHBB", timer, *thresholds, mode, window, trigger, discard, enable)
    nvme.memory.write(buffer, raw.ljust(4096, b"\0"))
    assert nvme.admin.execute(SET_FEATURES, prp1=buffer, cdw10=save << 31 | LATENCY)[1] == OK


def configuration(nvme: Nvme, select: int = 0) -> bytes:
    buffer = nvme.memory.alloc(4096)
    assert nvme.admin.execute(GET_FEATURES, prp1=buffer, cdw10=select << 8 | LATENCY)[1] == OK
    data = nvme.memory.read(buffer, 4096)
    assert not any(data[13:])
    return data[:13]


DEFAULT = struct.pack("<H4BHBHBB", 0x7E0, 5, 0x13, 0x1E, 0x2E, 0xFFF, 10, 0, 0, 1)
NO_TIME = [(0, 0, 0)] * 4


def late(host: Host, milliseconds: int, opcode: int, lba: int = 0) -> None:
    """A command that takes at least so long. A trim transfers its range."""
    plant(host.server, f"queue=io do late={milliseconds}ms")
    if opcode == DSM:
        host.nvme.memory.write(host.disk.buffer, struct.pack("<IIQ", 0, 8, lba))
        fields = {"cdw10": 0, "cdw11": 4}
        assert host.disk.queue.execute(DSM, nsid=1, prp1=host.disk.buffer, **fields)[1] == OK
    else:
        assert host.disk.command(opcode, lba) == OK
    clear(host.server)


def test_the_monitor_of_a_new_drive(host: Host) -> None:
    log = Monitor(host.nvme)
    assert log.data[:14] == b"\7\0\0\0" + DEFAULT[:9] + b"\0", "it counts, with modes and latencies"
    assert log.counters() == log.counters(0xF0) == NO_TIME
    assert {log.stamp(bucket, kind) for bucket in range(4) for kind in range(3)} == {NOTHING}
    assert log.number(494) == 1
    assert [configuration(host.nvme, select) for select in range(3)] == [DEFAULT] * 3
    assert get_feature(host.nvme, LATENCY, 3) == 5, "saveable and changeable"


def test_each_command_counts_in_the_bucket_of_its_latency(host: Host) -> None:
    configure(host.nvme)
    assert host.disk.command(READ, 0) == OK, "too quick to count"
    late(host, 8, READ)
    late(host, 22, WRITE)
    late(host, 25, WRITE)
    late(host, 42, DSM)
    late(host, 62, READ)
    log = Monitor(host.nvme)
    # An overloaded machine may complete one later still, and never earlier.
    assert [sum(kind) for kind in zip(*log.counters())] == [1, 2, 2]
    assert log.measured(3, READ_AT) >= 62 and log.stamp(3, READ_AT) < 600_000
    assert log.counters()[3][READ_AT] >= 1 and log.counters()[3][TRIM_AT] <= 1
    for bucket, least in enumerate((5, 20, 40, 60)):
        for kind, count in enumerate(log.counters()[bucket]):
            assert (log.measured(bucket, kind) >= least) == (count > 0)
            assert (log.stamp(bucket, kind) == NOTHING) == (count == 0)
    assert log.number(0xD8) == 0, "the stamps are times since power-up"


def test_the_modes_keep_the_first_or_the_largest_latency(host: Host) -> None:
    for mode, expected in ((0, range(62, 95)), (0xFFF, range(95, 5000))):
        configure(host.nvme, mode=mode)
        for milliseconds in (62, 95, 70):
            late(host, milliseconds, READ)
        log = Monitor(host.nvme)
        assert log.counters()[3] == (0, 0, 3) and log.measured(3, READ_AT) in expected


def test_old_buckets_become_static(host: Host) -> None:
    configure(host.nvme, timer=24)
    late(host, 62, READ)
    age(host, hours=1)
    log = Monitor(host.nvme)
    assert log.number(2) == 12 and log.counters()[3] == (0, 0, 1), "an hour is twelve times five minutes"
    measured = log.measured(3, READ_AT)
    age(host, hours=1)
    log = Monitor(host.nvme)
    assert log.number(2) == 0 and log.counters() == NO_TIME
    assert log.counters(0xF0)[3] == (0, 0, 1) and log.measured(3, READ_AT, 0x190) == measured
    age(host, hours=4)
    assert Monitor(host.nvme).counters(0xF0) == NO_TIME, "nothing was slow for two periods"


def test_a_counter_triggers_a_debug_log_once(host: Host) -> None:
    configure(host.nvme, trigger=1 << 9, thresholds=(0, 1, 2, 3))
    late(host, 40, WRITE)
    log = Monitor(host.nvme)
    assert (log.number(0x1C0), log.number(0x1CE), log.number(0x1C4, 8)) == (1 << 9, 0, NOTHING)
    before = log_page(host.nvme, 8)[383]
    late(host, 40, READ)
    log = Monitor(host.nvme)
    assert log.number(0x1CE) == 1 << 9 and log.number(0x1C2) >= 40 and log.number(0x1CC) == 8
    telemetry = log_page(host.nvme, 8)
    assert telemetry[383] == before + 1 and b"latency" in telemetry[384:512]
    late(host, 60, READ)
    assert Monitor(host.nvme).data[0x1C0:0x1D1] == log.data[0x1C0:0x1D1], "until the host discards it"
    configure(host.nvme, trigger=1 << 9, discard=1, enable=0)
    assert Monitor(host.nvme).number(0x1CE) == 0


def test_a_disabled_monitor_keeps_its_counts_and_counts_no_more(host: Host) -> None:
    configure(host.nvme)
    late(host, 62, READ)
    configure(host.nvme, enable=0)
    late(host, 62, READ)
    log = Monitor(host.nvme)
    assert log.data[0] == 6 and log.counters()[3] == (0, 0, 1)
    configure(host.nvme)
    assert Monitor(host.nvme).counters() == NO_TIME


def test_the_configuration_is_saved(host: Host) -> None:
    configure(host.nvme, timer=7, save=True)
    saved = configuration(host.nvme, 2)
    configure(host.nvme, timer=9)
    late(host, 62, READ)
    host.power_cycle()
    assert saved == configuration(host.nvme) == configuration(host.nvme, 2) != configuration(host.nvme, 1)
    assert Monitor(host.nvme).counters() == NO_TIME


# Failures


def test_the_failure_mode_of_a_new_drive(host: Host) -> None:
    assert [get_feature(host.nvme, FAILURE_MODE, select) for select in range(4)] == [READ_ONLY] * 3 + [5]
    for mode in (WRITE_THROUGH, NORMAL, 0):
        assert set_feature(host.nvme, FAILURE_MODE, mode << 30) == OK
        assert get_feature(host.nvme, FAILURE_MODE) == (mode or READ_ONLY), "0 is the default"


@pytest.mark.parametrize("mode", [READ_ONLY, WRITE_THROUGH, NORMAL])
@pytest.mark.parametrize("failure", [{"backup_failed": 1}, {"spare": 0}], ids=["plp", "eol"])
def test_what_the_drive_does_when_it_fails(host: Host, mode: int, failure: dict[str, int]) -> None:
    assert set_feature(host.nvme, FAILURE_MODE, mode << 30, save=True) == OK
    host.disk.write(0, pattern(0, 8))
    host.disk.flush()
    age(host, **failure)
    assert bool(smart(host.nvme, 0, 1) & 0x10) == ("backup_failed" in failure), "the critical warning"
    assert bool(smart(host.nvme, 0, 1) & 0x08) == (mode == READ_ONLY), "all of the media are read-only"
    host.nvme.memory.write(host.disk.buffer, pattern(0, 8, seed=1))
    assert host.disk.command(WRITE, 0, 8) == (WRITE_PROTECTED if mode == READ_ONLY else OK)
    host.power_cycle()
    assert host.disk.read(0, 8) == pattern(0, 8, seed=mode == WRITE_THROUGH), (
        "the cache was bypassed, or lost"
    )
    assert get_feature(host.nvme, FAILURE_MODE) == mode
    age(host, spare=100, backup_failed=0)
    assert host.disk.command(WRITE, 0) == OK


def test_the_check_of_the_power_loss_protection(host: Host) -> None:
    assert [get_feature(host.nvme, PLP_CHECK, select) for select in range(4)] == [15, 15, 15, 5]
    assert set_feature(host.nvme, PLP_CHECK, 0) == OK
    age(host, backup_failed=1)
    health = struct.unpack_from("<H", log_page(host.nvme, 0xC0), 128)[0]
    assert (health, smart(host.nvme, 0, 1)) == (100, 0), "nobody looks"
    assert host.disk.command(WRITE, 0) == OK
    assert set_feature(host.nvme, PLP_CHECK, 0x1234 << 16, save=True) == OK
    assert get_feature(host.nvme, PLP_CHECK) == get_feature(host.nvme, PLP_CHECK, 2) == 0x1234
    health = struct.unpack_from("<H", log_page(host.nvme, 0xC0), 128)[0]
    assert (health, smart(host.nvme, 0, 1)) == (0, 0x18)
    assert host.disk.command(WRITE, 0) == WRITE_PROTECTED


# Firmware


def activate(nvme: Nvme, revision: str, slot: int, action: int) -> None:
    buffer = nvme.memory.alloc(8192)
    nvme.memory.write(buffer, firmware_image(revision))
    assert nvme.admin.execute(0x11, prp1=buffer, prp2=buffer + 4096, cdw10=2047)[1] == OK
    assert nvme.admin.execute(0x10, cdw10=action << 3 | slot)[1] == OK
    if action != 3:
        nvme.disable()
        nvme.enable()


def history(nvme: Nvme) -> list[bytes]:
    data = log_page(nvme, 0xC2, 4096)
    assert data[0] == 0xC2 and data[4080:][::-1] == uuid.UUID("D11CF3AC-8AB2-4DE2-A3F6-DAB4769A796D").bytes
    assert struct.unpack_from("<H", data, 4078) == (1,)
    count = struct.unpack_from("<I", data, 4)[0]
    assert not any(data[8 + 64 * count : 4078])
    return [data[8 + 64 * index :][:64] for index in range(count)]


def test_the_history_of_firmware_activations(host: Host) -> None:
    assert history(host.nvme) == []
    activate(host.nvme, "2.0", 2, 1)
    activate(host.nvme, "3.0", 3, 3)
    first, second = history(host.nvme)
    assert first[:2] == b"\1\x40" and struct.unpack_from("<H", first, 4) == (1,)
    assert first[30:46] == b"1.0     2.0     " and first[46:50] == b"\2\1\0\0"
    assert second[30:46] == b"2.0     3.0     " and second[46:50] == b"\3\3\0\0"
    assert struct.unpack_from("<Q", second, 22)[0] == smart(host.nvme, 112)
    host.power_cycle()
    assert history(host.nvme) == [first, second]
    for turn in range(22):
        activate(host.nvme, f"4.{turn}", 2, 1)
    entries = history(host.nvme)
    assert len(entries) == 20 and entries[-1][38:46] == b"4.21    "
    assert struct.unpack_from("<H", entries[-1], 4) == (24,)
    assert set_feature(host.nvme, CLEAR_HISTORY, 0) == OK and len(history(host.nvme)) == 20
    assert set_feature(host.nvme, CLEAR_HISTORY, 1 << 31) == OK
    assert history(host.nvme) == []


# Power, and what the drive can do


def test_power_states_by_their_watts(host: Host) -> None:
    data = log_page(host.nvme, 0xC4, 4096)
    assert data[4080:][::-1] == uuid.UUID("B7053C91-4B58-495D-98C9-E1D10D054297").bytes
    states = {watts: data[16 + watts] & 0x1F for watts in range(128) if data[16 + watts] & 0x80}
    assert states == {8: 0, 6: 1, 4: 2} and struct.unpack_from("<H", data, 14) == (4,)
    assert struct.unpack_from("<8H", data) == (1, 0, 0x801F, 0x801F, 0x8003, 0x800F, 0x8001, 4)
    for watts, state in states.items():
        assert set_feature(host.nvme, POWER_STATE, watts) == OK
        assert (get_feature(host.nvme, POWER_STATE), get_feature(host.nvme, 2)) == (watts, state)
    for watts in (0, 5, 127):
        assert set_feature(host.nvme, POWER_STATE, watts) == INVALID_FIELD
    assert get_feature(host.nvme, POWER_STATE, 1) == 8


def test_what_the_drive_lacks(host: Host) -> None:
    data = log_page(host.nvme, 0xC5, 4096)
    assert data[4080:][::-1] == uuid.UUID("C7BB98B7-D032-4863-BB2C-23990E9C722F").bytes
    count = struct.unpack_from("<H", data)[0]
    names = [data[16 + 16 * index :][:16].rstrip(b"\0").decode() for index in range(253)]
    assert all(names[:count]) and not any(names[count:])
    data = log_page(host.nvme, 0xC7)
    assert data[496:][::-1] == uuid.UUID("54E02A9D-FA54-47C0-83E6-E07EBD244006").bytes
    assert data[:494] == bytes(494) and data[494:496] == b"\1\0", "no TCG"


def test_the_index_of_the_uuid_selects_features_as_well(host: Host) -> None:
    assert set_feature(host.nvme, CLEAR_PCIE, 1 << 31) == OK
    for index, status in ((0, OK), (1, OK), (2, INVALID_FIELD)):
        assert host.nvme.admin.execute(GET_FEATURES, cdw10=FAILURE_MODE, cdw14=index)[1] == status
        fields = {"cdw10": FAILURE_MODE, "cdw11": NORMAL << 30, "cdw14": index}
        assert host.nvme.admin.execute(SET_FEATURES, **fields)[1] == status
    assert get_feature(host.nvme, CLEAR_PCIE) == 0
