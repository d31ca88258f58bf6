# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules of registers, resets, interrupts, doorbells, events and power."""

from __future__ import annotations

import time
from typing import Callable

import pytest
from client import DEVICE_RESET, MSIX_TABLE, Completion, EventFd, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    FLUSH,
    OK,
    POWER,
    READ,
    WRITE,
    Host,
    Start,
    control,
    get_feature,
    log_page,
    pattern,
    set_feature,
)
from fault_helpers import clear, fired, fired_count, plant
from server import Server

CAP, CC, CSTS, AQA = 0, 0x14, 0x1C, 0x24
ENABLED = 4 << 20 | 6 << 16 | 1
ONES = 0xFFFFFFFF
DEVICE_CONTROL = 0x68


def becomes(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether the condition holds within this time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def flr(host: Host) -> None:
    control_word = host.client.config_read(DEVICE_CONTROL, 2)
    host.client.config_write(DEVICE_CONTROL, bytes([control_word[0], control_word[1] | 0x80]))


# registers and configuration space


def test_registers_read_something_else(server: Server, host: Host) -> None:
    cap = host.client.read64(CAP)
    number = plant(server, "register=CSTS access=read do set value=0xffffffff count=2")
    assert [host.client.read32(CSTS) for _ in range(3)] == [ONES, ONES, 1]
    assert fired_count(server, number) == 2
    plant(server, "register=CAP do set value[39:32]=3", "register=0x1c do set value[3:2]=2")
    assert host.client.read64(CAP) == cap & ~(0xFF << 32) | 3 << 32
    assert host.client.read32(CSTS) == 9


def test_writes_of_registers_are_changed_or_dropped(server: Server, host: Host) -> None:
    before = host.client.read32(AQA)
    plant(server, "register=AQA access=write do drop count=1", "register=AQA access=write do add value=1")
    host.client.write32(AQA, 0x70007)
    assert host.client.read32(AQA) == before
    host.client.write32(AQA, 0x70007)
    assert host.client.read32(AQA) == 0x70008


def test_configuration_space(server: Server, host: Host) -> None:
    plant(server, "config=0 do set value[15:0]=0x1234", "config=4 access=write do drop")
    assert host.client.config_read(0, 2) == b"\x34\x12"
    assert host.client.config_read(1, 1) == b"\x12"
    command = host.client.config_read(4, 2)
    host.client.config_write(4, bytes(2))
    assert host.client.config_read(4, 2) == command


def test_a_byte_of_configuration_space_is_in_its_dword(server: Server, host: Host) -> None:
    dword = host.client.config_read(0x50, 4)
    number = plant(server, "config=0x52 access=read do set value[31:24]=0x5a")
    assert host.client.config_read(0x50, 4) == dword[:3] + b"\x5a"
    assert host.client.config_read(0x4C, 4) and host.client.config_read(0x54, 4)
    assert fired_count(server, number) == 1


# resets


def test_a_disable_that_hangs(server: Server, host: Host) -> None:
    plant(server, "on=disable do hang")
    host.client.write32(CC, ENABLED & ~1)
    time.sleep(0.05)
    assert host.client.read32(CSTS) == 1
    clear(server)
    host.client.ok(DEVICE_RESET)
    host.start()
    assert host.disk.command(READ, 0) == OK


def test_ready_comes_late(server: Server, host: Host) -> None:
    plant(server, "on=disable do late=100", "on=enable do late=200")
    began = time.monotonic()
    host.nvme.disable()
    assert time.monotonic() - began >= 0.1
    began = time.monotonic()
    host.start()
    assert time.monotonic() - began >= 0.2
    assert host.disk.command(READ, 0) == OK


def test_ready_never_comes_or_the_status_is_fatal(server: Server, host: Host) -> None:
    host.nvme.disable()
    plant(server, "on=enable do hang count=1", "on=enable do fatal count=1")
    host.client.write32(CC, ENABLED)
    assert not becomes(lambda: bool(host.client.read32(CSTS) & 1), 0.1)
    assert becomes(lambda: bool(host.client.read32(CSTS) & 2)) is True
    clear(server)
    host.client.write32(CC, ENABLED & ~1)
    host.start()


def test_a_reset_keeps_what_it_should_reset(server: Server, host: Host) -> None:
    assert set_feature(host.nvme, 1, 3) == OK
    plant(server, "on=flr do keep=features")
    flr(host)
    assert host.client.read32(CSTS) == 0
    host.start()
    assert get_feature(host.nvme, 1) == 3
    clear(server)
    flr(host)
    host.start()
    assert get_feature(host.nvme, 1) != 3


def test_a_reset_keeps_queues(server: Server, host: Host) -> None:
    plant(server, "on=flr do keep=queues")
    flr(host)
    host.nvme.enable()
    buffer = host.nvme.memory.alloc(4096)
    assert host.nvme.admin.execute(0x05, prp1=buffer, cdw10=7 << 16 | 1, cdw11=1)[1] == 0x101


def test_an_flr_that_is_ignored_or_hangs(server: Server, host: Host) -> None:
    plant(server, "on=flr do hang")
    flr(host)
    assert host.client.read32(CSTS) == ONES and host.client.config_read(0, 4) == b"\xff" * 4
    clear(server)
    time.sleep(0.05)
    assert host.client.read32(CSTS) == ONES
    host.power_cycle()
    plant(server, "on=flr do late=150")
    flr(host)
    assert host.client.read32(CSTS) == ONES
    assert becomes(lambda: host.client.read32(CSTS) == 0)
    host.start()


@pytest.mark.parametrize("abrupt", [False, True])
def test_a_shutdown_that_does_nothing(start: Start, abrupt: bool) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, f"on={'abrupt-' * abrupt}shutdown do skip")
        host.disk.write(0, pattern(0, 1))
        host.client.write32(CC, ENABLED | (2 if abrupt else 1) << 14)
        assert becomes(lambda: host.client.read32(CSTS) & 0xC == 8)
        host.power_cycle()
        assert host.disk.read(0) == bytes(512)
    finally:
        host.close()


def test_a_shutdown_takes_time_or_for_ever(server: Server, host: Host) -> None:
    plant(server, "on=shutdown do late=100 count=1", "on=shutdown nth=2 do hang")
    began = time.monotonic()
    host.client.write32(CC, ENABLED | 1 << 14)
    assert host.client.read32(CSTS) & 0xC == 4
    assert becomes(lambda: host.client.read32(CSTS) & 0xC == 8)
    assert time.monotonic() - began >= 0.1
    host.start()
    host.client.write32(CC, ENABLED | 1 << 14)
    time.sleep(0.1)
    assert host.client.read32(CSTS) & 0xC == 4


def test_commands_fail_for_a_while_after_a_reset(server: Server, host: Host) -> None:
    plant(server, "since=reset within=10s nth=2 opcode=read do status=00/82 dnr=0")
    assert [host.disk.command(READ, 0) for _ in range(3)] == [OK] * 3
    for _ in range(2):
        host.start()
        assert [host.disk.command(READ, 0) for _ in range(3)] == [OK, 0x082, OK]


# interrupts, doorbells, events


def test_interrupts_are_lost_doubled_and_invented(server: Server, host: Host) -> None:
    with EventFd() as eventfd:
        host.client.set_eventfd(3, eventfd.fd)
        queue = host.nvme.create_queue(2, 8, vector=3)
        plant(server, "on=interrupt queue=2 nth=2 do drop", "on=interrupt vector=3 nth=3 do twice")
        counts = []
        for _ in range(4):
            queue.submit(sqe(FLUSH, nsid=1))
            queue.wait()
            counts.append(eventfd.count(0.2))
        assert counts == [1, 0, 2, 1]
        plant(server, "opcode=flush queue=1 do interrupt=3")
        host.disk.flush()
        assert eventfd.count(1) == 1


def test_an_interrupt_of_a_masked_vector_is_lost(server: Server, host: Host) -> None:
    with EventFd() as eventfd:
        host.client.set_eventfd(3, eventfd.fd)
        queue = host.nvme.create_queue(2, 8, vector=3)
        number = plant(server, "on=interrupt masked vector=3 do drop")
        for masked in (0, 1, 0):
            host.client.region_write(MSIX_TABLE, 3 * 16 + 12, masked.to_bytes(4, "little"))
            queue.submit(sqe(FLUSH, nsid=1))
            queue.wait()
        assert fired_count(server, number) == 1
        assert eventfd.count(0.2) == 2, "unmasking does not deliver the one that was lost"


@pytest.mark.parametrize("overwritten", [False, True])
def test_a_full_completion_queue_is_overwritten(server: Server, host: Host, overwritten: bool) -> None:
    queue = host.nvme.create_queue(2, 4)
    if overwritten:
        plant(server, "on=doorbell ring=sq queue=2 do overrun")
    first = queue.submit(sqe(FLUSH, nsid=1))
    for _ in range(2):
        queue.submit(sqe(FLUSH, nsid=1))
    time.sleep(0.05)
    for _ in range(3):
        queue.submit(sqe(FLUSH, nsid=1))
    time.sleep(0.05)
    entries = host.nvme.memory.read(queue.cq, 4 * 16)
    last = max(int.from_bytes(entries[at + 12 : at + 14], "little") for at in range(0, 64, 16))
    assert last == first + (5 if overwritten else 2), "a queue of four holds three"


def test_doorbells_are_ignored(server: Server, host: Host) -> None:
    number = plant(server, "on=doorbell queue=1 ring=sq nth=1 do drop")
    queue = host.disk.queue
    queue.submit(sqe(FLUSH, nsid=1))
    time.sleep(0.05)
    assert queue.poll() is None and fired_count(server, number) == 1
    queue.submit(sqe(FLUSH, nsid=1))
    assert [queue.wait().status, queue.wait().status] == [OK, OK]


def test_events_are_lost_doubled_and_invented(server: Server, host: Host) -> None:
    def await_events(count: int) -> list[int]:
        return [host.nvme.admin.submit(sqe(ASYNC_EVENT)) for _ in range(count)]

    def arrived() -> list[Completion]:
        time.sleep(0.1)
        return [found for _ in range(4) if (found := host.nvme.admin.poll()) is not None]

    await_events(4)
    plant(server, "on=event event=temperature nth=1 do drop", "on=event event=temperature nth=2 do storm=2")
    plant(server, "opcode=flush do event=temperature")
    host.disk.flush()
    assert arrived() == []
    host.disk.flush()
    assert [entry.cdw0 for entry in arrived()] == [0x20101] * 3
    log_page(host.nvme, 2)


# power and the link


def test_the_power_fails_at_a_command_and_returns(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "opcode=write nth=2 do power-cycle off=50")
        host.disk.write(0, pattern(0, 1))
        host.disk.queue.submit(sqe(WRITE, nsid=1, prp1=host.disk.buffer, cdw10=1))
        assert becomes(lambda: host.client.read32(CSTS) == 0)
        assert host.disk.queue.poll() is None
        host.start()
        assert host.disk.read(0) == bytes(512), "it was not flushed"
        assert [entry.opcode for entry in fired(host.server)] == [WRITE]
    finally:
        host.close()


def test_something_happens_when_the_power_returns(server: Server, host: Host) -> None:
    number = plant(server, "on=power-up power-ups=2 do fatal delay=1")
    defect = plant(server, "on=power-loss do defect=capacitor")
    control(server, POWER, 0)
    control(server, POWER, 1)
    assert becomes(lambda: host.client.read32(CSTS) & 2 != 0)
    assert (fired_count(server, number), fired_count(server, defect)) == (1, 1)
    clear(server)
    host.client.ok(DEVICE_RESET)
    host.start()
    assert log_page(host.nvme, 2)[0] == 0x10


def test_the_power_fails_some_time_after_a_flush(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "opcode=flush do power-off delay=30..60")
        host.disk.write(0, pattern(0, 1))
        host.disk.flush()
        host.disk.write(1, pattern(1, 1))
        assert becomes(lambda: host.client.read32(CSTS) == ONES)
        clear(host.server)
        control(host.server, POWER, 1)
        host.start()
        assert host.disk.read(0, 2) == pattern(0, 1) + bytes(512)
    finally:
        host.close()


def test_the_link_goes_down_and_comes_back(server: Server, host: Host) -> None:
    plant(server, "opcode=read do gone off=100")
    host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
    assert becomes(lambda: host.client.read32(CSTS) == ONES)
    assert host.client.config_read(0, 4) == b"\xff" * 4
    assert becomes(lambda: host.client.config_read(0, 4) != b"\xff" * 4)
    clear(server)
    host.start()
    assert host.disk.command(READ, 0) == OK


def test_the_drive_resets_itself_or_stops(server: Server, host: Host) -> None:
    plant(server, "opcode=read do reset=controller count=1", "opcode=flush do fatal count=1")
    host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
    assert becomes(lambda: host.client.read32(CSTS) & 1 == 0)
    host.start()
    host.disk.queue.submit(sqe(FLUSH, nsid=1))
    assert becomes(lambda: host.client.read32(CSTS) & 2 == 2)
    host.start()
    assert host.disk.command(READ, 0) == OK


def test_an_abort_that_does_nothing(server: Server, host: Host) -> None:
    plant(server, "opcode=abort do skip result=1", "opcode=write do hold")
    cid = host.disk.queue.submit(sqe(WRITE, nsid=1, prp1=host.disk.buffer))
    time.sleep(0.02)
    assert host.nvme.admin.execute(8, cdw10=cid << 16 | 1) == (1, OK)
    clear(server)
    assert host.disk.queue.wait().status == OK


@pytest.mark.parametrize(
    "state", ["unflushed>=1", "while!=asleep", "power-ups<=1", "temperature>=200", "age=0"]
)
def test_states_are_conditions(server: Server, host: Host, state: str) -> None:
    number = plant(server, f"opcode=read {state} do late=1us")
    host.disk.write(0, pattern(0, 1))
    host.disk.read(0)
    assert fired_count(server, number) == 1


@pytest.mark.parametrize("state, times", [("while=asleep", 1), ("while!=asleep", 2)])
def test_io_that_wakes_the_drive_finds_it_asleep(server: Server, host: Host, state: str, times: int) -> None:
    number = plant(server, f"opcode=write {state} do late=1us")
    host.disk.write(0, pattern(0, 1))
    assert host.nvme.admin.execute(9, cdw10=2, cdw11=4)[1] == OK
    host.disk.write(0, pattern(0, 1))
    host.disk.write(0, pattern(0, 1))
    assert fired_count(server, number) == times
    assert host.nvme.admin.execute(10, cdw10=2) == (0, OK)
