# SPDX-License-Identifier: BSD-3-Clause
"""Wear, heat and defects: SMART, events and behaviour tell the same."""

from __future__ import annotations

import struct
import time

import pytest
from client import sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    OK,
    READ,
    WRITE,
    Host,
    Start,
    control,
    pattern,
    set_feature,
    smart,
)
from fault_helpers import clear, fired_count, plant
from server import Server

from tests.fix_load import loaded

AGE, UNCHANGED = 18, 0xFFFFFFFF
WRITE_PROTECTED = 0x020
WARNINGS = 0
SPARE_EVENT = 2 << 16 | 2 << 8 | 1  # log page 2, spare below the threshold, SMART
SPARE, TEMPERATURE, READ_ONLY, BACKUP = 1, 2, 8, 16


def age(server: Server, **what: int) -> None:
    """hours, used, spare, read_only, backup_failed, temperature, throttle"""
    names = ("used", "spare", "read_only", "backup_failed", "temperature", "throttle")
    control(
        server,
        AGE,
        data=struct.pack("<Q6I", what.get("hours", 0), *(what.get(name, UNCHANGED) for name in names)),
    )


def becomes(host: Host, warnings: int) -> bool:
    deadline = time.monotonic() + 10
    while smart(host.nvme, WARNINGS, 1) != warnings and time.monotonic() < deadline:
        time.sleep(0.01)
    return smart(host.nvme, WARNINGS, 1) == warnings


def fill(host: Host, size: int) -> int:
    """Write this many bytes, in pieces of 8 KiB. The status of the last one."""
    status = OK
    for _ in range(size // 8192):
        status = host.disk.command(WRITE, 0, 16)
    return status


def test_writes_wear_the_drive_out(start: Start) -> None:
    host = Host(start("--size", "16M", "--endurance", "3200K"))
    try:
        assert fill(host, 1600 << 10) == OK
        time.sleep(0.3)
        assert smart(host.nvme, 5, 1) == 50 and smart(host.nvme, 3, 1) == 100
        assert fill(host, 1600 << 10) == OK
        time.sleep(0.3)
        assert smart(host.nvme, 5, 1) == 100 and smart(host.nvme, WARNINGS, 1) == 0
        event = host.nvme.admin.submit(sqe(ASYNC_EVENT))
        assert fill(host, 2944 << 10) == OK
        entry = host.nvme.admin.wait()
        assert (entry.cid, entry.cdw0) == (event, SPARE_EVENT)
        time.sleep(0.3)
        assert smart(host.nvme, WARNINGS, 1) == SPARE
        assert smart(host.nvme, 5, 1) == 192 and smart(host.nvme, 3, 1) == 8
        host.power_cycle()
        assert smart(host.nvme, 5, 1) == 192
        assert fill(host, 288 << 10) == OK
        assert becomes(host, SPARE | READ_ONLY)
        assert host.disk.command(WRITE, 0) == WRITE_PROTECTED
        assert host.disk.command(READ, 0) == OK
    finally:
        host.close()


def test_a_drive_without_backup_writes_through_its_cache(server: Server, host: Host) -> None:
    host.disk.write(0, pattern(0, 1))
    age(server, backup_failed=1)
    assert becomes(host, BACKUP)
    host.disk.write(1, pattern(1, 1))
    host.power_cycle()
    assert host.disk.read(0, 2) == pattern(0, 2), "what was in the cache is durable as well"
    assert smart(host.nvme, WARNINGS, 1) == BACKUP
    host.disk.write(2, pattern(2, 1))
    host.power_cycle()
    assert host.disk.read(2) == pattern(2, 1), "also after a power cycle"
    age(server, backup_failed=0)
    host.disk.write(3, pattern(3, 1))
    host.power_cycle()
    assert host.disk.read(3) == bytes(512)


MANY, HEAVY = 60, 60 * 200e-6


def seconds(host: Host) -> float:
    """How long 60 reads take that are submitted at once."""
    queue = host.nvme.create_queue(2, 64)
    for _ in range(MANY):
        queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer), ring=False)
    began = time.monotonic()
    queue.ring()
    queue.wait_posted(MANY)
    taken = time.monotonic() - began
    for _ in range(MANY):
        queue.wait()
    host.nvme.delete_queue(queue)
    return taken


def test_a_hot_drive_warns_and_throttles(server: Server, host: Host) -> None:
    number = plant(server, "while=throttling opcode=flush do status=00/06")
    age(server, temperature=360)
    assert becomes(host, TEMPERATURE)
    assert smart(host.nvme, 1, 2) >= 360
    assert seconds(host) >= HEAVY
    assert host.disk.queue.execute(0, nsid=1)[1] == 0x006
    assert fired_count(server, number) == 1
    age(server, hours=3)
    assert smart(host.nvme, 192, 4) >= 180 and smart(host.nvme, 196, 4) >= 180
    age(server, temperature=303)
    before = smart(host.nvme, 192, 4)
    age(server, hours=3)
    assert smart(host.nvme, 192, 4) <= before + 1
    assert becomes(host, 0)
    assert host.disk.queue.execute(0, nsid=1)[1] == OK
    assert min(seconds(host) for _ in range(5)) < HEAVY or loaded()


def test_a_throttling_drive_is_slow_and_right(server: Server, host: Host) -> None:
    age(server, throttle=1)
    assert seconds(host) >= HEAVY
    for lba in range(50):
        host.disk.write(lba, pattern(lba, 1))
    assert host.disk.read(0, 16) == pattern(0, 16)
    age(server, throttle=0)
    assert smart(host.nvme, WARNINGS, 1) == 0


def test_host_controlled_thermal_management_slows_down(server: Server, host: Host) -> None:
    age(server, temperature=340)
    assert set_feature(host.nvme, 0x10, 325 << 16 | 335) == OK
    deadline = time.monotonic() + 10
    while smart(host.nvme, 220, 4) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seconds(host) >= HEAVY
    assert smart(host.nvme, 220, 4) == 1, "one transition to heavy thermal management"


@pytest.mark.parametrize(
    ("defect", "warning", "status"),
    [
        ("capacitor", BACKUP, OK),
        ("spare", SPARE | READ_ONLY, WRITE_PROTECTED),
        ("read-only", READ_ONLY, WRITE_PROTECTED),
        ("heat", TEMPERATURE, OK),
        ("throttle", 0, OK),
        ("die", 0, OK),
    ],
)
def test_rules_plant_defects(server: Server, host: Host, defect: str, warning: int, status: int) -> None:
    plant(server, f"opcode=read nth=2 do defect={defect}")
    assert host.disk.command(READ, 0) == OK
    assert smart(host.nvme, WARNINGS, 1) == 0
    host.disk.command(READ, 0)
    assert becomes(host, warning)
    assert host.disk.command(WRITE, 0) == status
    clear(server)
    plant(server, "opcode=flush do defect=none")
    assert host.disk.queue.execute(0, nsid=1)[1] == OK
    assert becomes(host, 0)
    assert host.disk.command(WRITE, 0) == OK
    assert smart(host.nvme, 3, 1) == 100


def test_a_condition_counts_what_was_written(server: Server, host: Host) -> None:
    before = 512 * 16 * 20
    fill(host, before)
    number = plant(server, f"opcode=write written>={before + 8192 * 3} do late=1")
    for _ in range(6):
        host.disk.command(WRITE, 0, 16)
    assert fired_count(server, number) == 4, "the condition is checked at the completion"
