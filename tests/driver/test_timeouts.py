# SPDX-License-Identifier: BSD-3-Clause
"""A device that is late or silent: every wait has an end, and what it may still write to stays reserved."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import CREATE_CQ, IDENTIFY, READ, Command, Drive
from fake import REGION_READ, lasts_at_most, wait_until

from tests.fix_load import loaded
from tests.signals import ctrl_c_raises

Opener = Callable[..., SimpleNamespace]


@pytest.fixture
def own(drive: Drive, opened: Opener) -> SimpleNamespace:
    """A drive that holds its reads until the test completes them, and a driver that waits 100 ms for them."""
    drive.on_io[READ] = lambda command: None
    own = opened(depth=4)
    own.nvme0.timeout = 100
    return own


def time_out(own: SimpleNamespace, cid: int) -> None:
    with lasts_at_most(1), pytest.warns(UserWarning, match=f"drive timeout: qpair: 1, cid: {cid}$"):
        assert own.qpair.waitdone() == 0xFFFFFFFF


def held(drive: Drive) -> list[Command]:
    return [c for c in drive.held if c.sqid]


def test_timeout_is_a_warning_and_a_completion_of_all_ones(drive: Drive, own: SimpleNamespace) -> None:
    seen: list[tuple[int, ...]] = []
    start = time.monotonic()
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0, cb=seen.append)
    time_out(own, 0)
    assert time.monotonic() - start >= 0.1
    assert seen == [(0xFFFFFFFF,) * 4]


def test_admin_command_times_out_as_queue_0(drive: Drive, own: SimpleNamespace) -> None:
    drive.on_admin[0xC0] = lambda command: None
    own.nvme0.send_cmd(0xC0)
    cid = own.nvme0.latest_cid
    with lasts_at_most(1), pytest.warns(UserWarning, match=f"drive timeout: qpair: 0, cid: {cid}$"):
        assert own.nvme0.waitdone() == 0xFFFFFFFF


def test_aer_does_not_time_out(drive: Drive, own: SimpleNamespace) -> None:
    wait_until(lambda: drive.held)
    own.nvme0.timeout = 20
    time.sleep(0.1)
    drive.on_admin[0xC0] = lambda command: (0, 0)
    own.nvme0.send_cmd(0xC0).waitdone()
    assert [c.opcode for c in drive.held] == [0x0C]


def test_slot_of_a_late_command_stays_reserved_until_it_completes(drive: Drive, own: SimpleNamespace) -> None:
    buf = nvme.Buffer(512)
    own.nvme0n1.read(own.qpair, buf, 0)
    assert own.qpair.latest_cid == 0
    time_out(own, 0)
    drive.on_io.clear()
    cids = []
    for lba in range(20):
        own.nvme0n1.read(own.qpair, buf, lba).waitdone()
        cids.append(own.qpair.latest_cid)
    assert 0 not in cids, "its CID is still the device's"
    late = held(drive)[0]
    drive.complete(late, cdw0=99)
    for lba in range(4):
        own.nvme0n1.read(own.qpair, buf, lba).waitdone()
    cids = []
    for lba in range(3):
        own.nvme0n1.read(own.qpair, buf, lba)
        cids.append(own.qpair.latest_cid)
    own.qpair.waitdone(3)
    assert sorted(cids) == [0, 1, 2], "after the late completion it can be used again"


def test_late_completion_is_nobodys_second_completion(drive: Drive, own: SimpleNamespace) -> None:
    seen: list[int] = []
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0, cb=lambda cpl: seen.append(cpl[0]))
    time_out(own, 0)
    drive.complete(held(drive)[0], cdw0=99)
    drive.on_io.clear()
    assert own.nvme0n1.read(own.qpair, nvme.Buffer(512), 1).waitdone() == 0
    assert seen == [0xFFFFFFFF]


def test_completion_after_the_timeout_and_before_waitdone_counts_once(
    drive: Drive, own: SimpleNamespace
) -> None:
    """Two commands time out; both complete after the script has fetched only one of the timeouts."""
    buf = nvme.Buffer(512)
    own.nvme0n1.read(own.qpair, buf, 0)
    own.nvme0n1.read(own.qpair, buf, 1)
    time_out(own, 0)
    for command in held(drive):
        drive.complete(command, cdw0=99)
    time_out(own, 1)
    drive.on_io.clear()
    for lba in range(3):
        own.nvme0n1.read(own.qpair, buf, lba)
    assert own.qpair.waitdone(3) == 0
    assert "0 in flight" in repr(own.qpair)


def test_buffer_of_a_late_command_stays_the_devices(drive: Drive, own: SimpleNamespace) -> None:
    """The script drops the buffer; late data must not reach memory that was allocated again."""
    buf = nvme.Buffer(65536)
    address = buf.phys_addr
    own.nvme0n1.read(own.qpair, buf, 0, 128)
    time_out(own, 0)
    in_use = nvme._dma_in_use()
    del buf
    gc.collect()
    assert nvme._dma_in_use() == in_use
    others = [nvme.Buffer(65536) for _ in range(8)]
    assert all(abs(other.phys_addr - address) >= 65536 for other in others)
    late = held(drive)[0]
    drive.scatter(late, b"\xee" * 65536)
    assert all(bytes(memoryview(other)) == bytes(65536) for other in others)
    drive.complete(late)
    drive.on_io.clear()
    own.nvme0n1.read(own.qpair, others[0], 0).waitdone()
    assert nvme._dma_in_use() <= in_use + 8 * 65536 - 65536, "after the late completion it is given back"


def test_queue_of_nothing_but_late_commands_is_full(drive: Drive, own: SimpleNamespace) -> None:
    buf = nvme.Buffer(512)
    for lba in range(3):
        own.nvme0n1.read(own.qpair, buf, lba)
    for cid in range(3):
        time_out(own, cid)
    with pytest.raises(AssertionError, match="is full with 3 commands in flight"):
        own.nvme0n1.read(own.qpair, buf, 0)
    own.nvme0.reset()
    own.qpair = nvme.Qpair(own.nvme0, 4)
    drive.on_io.clear()
    own.nvme0n1.read(own.qpair, buf, 0).waitdone()


def test_queue_can_be_deleted_with_late_commands(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    time_out(own, 0)
    own.qpair.delete()
    assert "deleted" in repr(own.qpair)
    own.qpair = nvme.Qpair(own.nvme0, 4)
    drive.on_io.clear()
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0).waitdone()


def test_longer_timeout_set_meanwhile_counts(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    own.nvme0.timeout = 5000
    wait_until(lambda: held(drive))
    timer = threading.Timer(0.4, lambda: drive.complete(held(drive)[0], cdw0=4))
    timer.start()
    assert own.qpair.waitdone() == 4
    timer.join()


def test_completion_from_before_the_deadline_is_no_timeout(drive: Drive, own: SimpleNamespace) -> None:
    """The script stopped at a breakpoint, but the device had completed the command in time."""
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    wait_until(lambda: held(drive))
    drive.complete(held(drive)[0], cdw0=6)
    time.sleep(0.3)
    assert own.qpair.waitdone() == 6


# The driver's own commands


def test_identify_that_is_never_answered_ends_the_initialisation(drive: Drive) -> None:
    drive.on_admin[IDENTIFY] = lambda command: None
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie, nvme_init_func=True)
    nvme0.timeout = 100
    nvme0.init_adminq()
    nvme0[0x14] = 0x00460001
    while not nvme0[0x1C] & 1:
        pass
    expected = pytest.raises(nvme.NvmeEnumerateError, match=r"did not complete command 0x06 .*100 ms")
    with lasts_at_most(1), expected:
        nvme0.init_ns()
    pcie.close()


def test_a_command_to_a_controller_that_is_not_enabled_is_given_up_at_once(drive: Drive) -> None:
    nvme0 = nvme.Controller(nvme.Pcie(drive.start()), nvme_init_func=True)
    nvme0.init_adminq()
    with lasts_at_most(1), pytest.raises(nvme.NvmeEnumerateError, match=r"not ready .* command 0x06"):
        nvme0.init_ns()
    nvme0.pcie.close()


def test_queue_creation_that_is_never_answered_is_an_exception(drive: Drive, own: SimpleNamespace) -> None:
    drive.on_admin[CREATE_CQ] = lambda command: None
    with lasts_at_most(1), pytest.raises(nvme.QpairCreationError, match="did not complete command 0x05"):
        nvme.Qpair(own.nvme0, 8)
    drive.on_admin.clear()
    # The drive may still create that queue, so its memory and QID stay reserved until close().
    assert nvme.Qpair(own.nvme0, 8).sqid == own.qpair.sqid + 2
    own.nvme0.reset()
    assert nvme.Qpair(own.nvme0, 8).sqid == 1


def test_late_completion_of_the_drivers_own_command_is_not_the_next_ones(
    drive: Drive, own: SimpleNamespace
) -> None:
    drive.on_admin[IDENTIFY] = lambda command: None
    with pytest.raises(TimeoutError):
        own.nvme0.id_data(23, 4, str)
    wait_until(lambda: [c for c in drive.held if c.opcode == IDENTIFY])
    late = next(c for c in drive.held if c.opcode == IDENTIFY)
    drive.on_admin.clear()

    def both(command: Command) -> tuple[int, int] | None:
        drive.complete(late, status=0x006)
        return drive.identify(command)

    drive.on_admin[IDENTIFY] = both
    assert own.nvme0.id_data(23, 4, str) == "FAKE0001"


def test_ctrl_c_interrupts_waitdone_with_nothing_in_flight(drive: Drive, own: SimpleNamespace) -> None:
    with lasts_at_most(2), pytest.raises(KeyboardInterrupt):
        interrupted(own.qpair.waitdone)


# Signals


def interrupted(wait: Callable[[], object]) -> None:
    """Press Ctrl-C 0.2 s after a wait has begun."""
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    with ctrl_c_raises():
        timer.start()
        try:
            wait()
        finally:
            timer.join()


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """A signal every 2 ms, whose handler does nothing but interrupt system calls."""
    count = [0]

    def tick(*_: object) -> None:
        count[0] += 1

    before = signal.signal(signal.SIGALRM, tick)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    yield count
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_ctrl_c_interrupts_waitdone_and_loses_nothing(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0.timeout = 10000
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    with lasts_at_most(1.5), pytest.raises(KeyboardInterrupt):
        interrupted(own.qpair.waitdone)
    drive.complete(held(drive)[0], cdw0=8)
    assert own.qpair.waitdone() == 8


def test_ctrl_c_interrupts_the_admin_queue(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0.timeout = 10000
    drive.on_admin[0xC0] = lambda command: None
    own.nvme0.send_cmd(0xC0)
    with lasts_at_most(1.5), pytest.raises(KeyboardInterrupt):
        interrupted(own.nvme0.waitdone)
    drive.complete(next(c for c in drive.held if c.opcode == 0xC0), cdw0=8)
    assert own.nvme0.waitdone() == 8


def test_ctrl_c_while_a_message_is_not_answered_comes_after_its_bounded_wait(
    drive: Drive, own: SimpleNamespace
) -> None:
    drive.on_message[REGION_READ] = lambda message: None
    with lasts_at_most(3), pytest.raises(KeyboardInterrupt):
        interrupted(lambda: own.nvme0[0x1C])


def test_signals_disturb_neither_bring_up_nor_io(drive: Drive, alarms: list[int]) -> None:
    def slowly(value: int) -> int:
        time.sleep(0.003)
        return value

    drive.ready_after = 0.1
    drive.on_read[0x1C] = slowly
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    nvme0n1, qpair, buf = nvme.Namespace(nvme0), nvme.Qpair(nvme0, 8), nvme.Buffer(4096)
    for lba in range(100):
        nvme0n1.write(qpair, buf, lba).waitdone()
    pcie.close()
    assert alarms[0] > 10 or loaded()
