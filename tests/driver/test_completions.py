# SPDX-License-Identifier: BSD-3-Clause
"""Completions reach their own command in any order; the driver logs invalid ones and ignores them."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import READ, Command, Drive
from fake import lasts_at_most, wait_until

from tests.signals import alarm

Opener = Callable[..., SimpleNamespace]


def io_held(drive: Drive, count: int) -> list[Command]:
    """The IO commands in flight, once there are so many."""
    wait_until(lambda: len([c for c in drive.held if c.sqid]) == count)
    return [c for c in drive.held if c.sqid]


def still_works(own: SimpleNamespace, drive: Drive) -> None:
    """Check that the queue still accepts its full depth of commands, and that each completes once."""
    drive.on_io.clear()
    buf = nvme.Buffer(512)
    for lba in range(15):
        own.nvme0n1.read(own.qpair, buf, lba)
    own.qpair.waitdone(15)
    assert "0 in flight" in repr(own.qpair)


@pytest.fixture
def own(drive: Drive, opened: Opener) -> SimpleNamespace:
    """A drive that holds its reads until the test completes them."""
    drive.on_io[READ] = lambda command: None
    return opened()


# Order


def test_completions_out_of_order_reach_their_own_commands(drive: Drive, own: SimpleNamespace) -> None:
    done: list[tuple[int, int]] = []
    buf = nvme.Buffer(512)
    for lba in range(15):
        own.nvme0n1.read(own.qpair, buf, lba, cb=lambda cdw0, status, lba=lba: done.append((lba, cdw0)))
    for command in reversed(io_held(drive, 15)):
        drive.complete(command, cdw0=0x100 + command.slba)
    assert own.qpair.waitdone(15) == 0x100
    assert done == [(lba, 0x100 + lba) for lba in reversed(range(15))]


def test_completion_reaches_the_callback_as_the_device_wrote_it(drive: Drive, own: SimpleNamespace) -> None:
    seen = []
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0, cb=seen.append)
    command = io_held(drive, 1)[0]
    drive.complete(command, cdw0=0xDEADBEEF)
    assert own.qpair.waitdone() == 0xDEADBEEF
    assert seen == [(0xDEADBEEF, 0, 1 << 16 | 1, command.cid | 1 << 16)]


def test_two_queues_do_not_take_each_others_completions(drive: Drive, own: SimpleNamespace) -> None:
    other, buf, done = nvme.Qpair(own.nvme0, 16), nvme.Buffer(512), []
    own.nvme0n1.read(own.qpair, buf, 1, cb=lambda cpl: done.append(1))
    own.nvme0n1.read(other, buf, 2, cb=lambda cpl: done.append(2))
    first, second = sorted(io_held(drive, 2), key=lambda c: c.sqid)
    assert first.cid == second.cid, "both are the first of their queue"
    drive.complete(second)
    other.waitdone()
    assert done == [2]
    drive.complete(first)
    own.qpair.waitdone()
    assert done == [2, 1]


# Statuses


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0x001, "00/01"),
        (0x080, "00/80"),
        (0x10A, "01/0a"),
        (0x281, "02/81"),
        (0x370, "03/70"),
        (0x4FF, "04/ff"),
        (0x5A5, "05/a5"),
        (0x601, "06/01"),
        (0x781, "07/81"),
        (0x7FF, "07/ff"),
    ],
)
def test_error_status_is_a_warning_and_no_exception(
    drive: Drive, own: SimpleNamespace, status: int, text: str
) -> None:
    seen = []
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0, cb=lambda cdw0, status1: seen.append(status1))
    drive.complete(io_held(drive, 1)[0], cdw0=77, status=status)
    with pytest.warns(UserWarning, match=f"ERROR status: {text}"):
        assert own.qpair.waitdone() == 77
    assert [s >> 1 & 0x7FF for s in seen] == [status]


@pytest.mark.parametrize("more", [0b0001, 0b0011, 0b0100, 0b1000, 0b1111])
def test_crd_more_and_do_not_retry_are_no_errors(drive: Drive, own: SimpleNamespace, more: int) -> None:
    """CRD, M and DNR are not part of the status code: with SCT 0 and SC 0 the command has succeeded."""
    seen = []
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0, cb=lambda cdw0, status1: seen.append(status1))
    drive.complete(io_held(drive, 1)[0], more=more)
    own.qpair.waitdone()
    assert seen == [more << 12 | 1]


def test_admin_error_status_is_a_warning(drive: Drive, own: SimpleNamespace) -> None:
    drive.on_admin[0xC0] = lambda command: (0, 0x002)
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        own.nvme0.send_cmd(0xC0).waitdone()


# Invalid completions


def logs(own: SimpleNamespace, caplog: pytest.LogCaptureFixture, text: str) -> bool:
    """Whether the driver logs this. Its log records reach Python with the next call."""
    deadline = time.monotonic() + 5
    while text not in caplog.text and time.monotonic() < deadline:
        _look(own.qpair)
    return text in caplog.text


@pytest.mark.parametrize("cid", [1, 14, 15, 16, 0x7FFF, 0xFFFF])
def test_completion_of_a_command_that_is_not_in_flight_is_logged_and_does_nothing(
    drive: Drive, own: SimpleNamespace, caplog: pytest.LogCaptureFixture, cid: int
) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    command = io_held(drive, 1)[0]
    assert command.cid == 0
    for _ in range(3):
        drive.complete(command, cid=cid, status=0x281)
    drive.complete(command, cdw0=42)
    assert own.qpair.waitdone() == 42
    assert logs(own, caplog, f"queue 1: completion of CID {cid}, which is not in flight (status 02/81)")
    still_works(own, drive)


def test_admin_completion_of_a_command_that_is_not_in_flight_does_nothing(
    drive: Drive, own: SimpleNamespace
) -> None:
    def lie(command: Command) -> tuple[int, int]:
        for cid in (0, 5, 126, 128, 160, 161, 0xFFFF):
            if cid != command.cid:
                drive.complete(command, cid=cid)
        return 42, 0

    drive.on_admin[0xC0] = lie
    assert own.nvme0.send_cmd(0xC0).waitdone() == 42
    assert own.nvme0.id_data(23, 4, str) == "FAKE0001"


def test_completion_that_comes_twice_counts_once(drive: Drive, own: SimpleNamespace) -> None:
    buf = nvme.Buffer(512)
    own.nvme0n1.read(own.qpair, buf, 0)
    own.nvme0n1.read(own.qpair, buf, 1)
    first, second = io_held(drive, 2)
    drive.complete(first, cdw0=1)
    drive.complete(first, cdw0=2)
    drive.complete(second, cdw0=3)
    assert own.qpair.waitdone() == 1
    assert own.qpair.waitdone() == 3
    still_works(own, drive)


def test_wrong_sqid_in_a_completion_is_shown_and_does_no_harm(drive: Drive, own: SimpleNamespace) -> None:
    """The driver matches a completion by its queue, and shows the script the SQID that the device wrote."""
    seen = []
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0, cb=seen.append)
    drive.complete(io_held(drive, 1)[0], sqid=0x55AA)
    own.qpair.waitdone()
    assert seen[0][2] >> 16 == 0x55AA
    still_works(own, drive)


def test_entry_with_the_phase_of_the_last_pass_is_not_taken(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    command = io_held(drive, 1)[0]
    queue = drive.cqs[1]
    with drive.lock:  # as an entry would lie there that was never written in this pass
        drive.dma_write(queue.base, bytes([0xAA] * 12) + command.cid.to_bytes(2, "little") + b"\0\0")
    time.sleep(0.05)
    assert "1 in flight" in repr(own.qpair)
    drive.complete(command, cdw0=9)
    assert own.qpair.waitdone() == 9


def test_whole_queue_of_lies_stops_nothing(drive: Drive, own: SimpleNamespace) -> None:
    """The device posts more of them than the queue has entries: the driver must consume them like others."""
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    command = io_held(drive, 1)[0]
    for count in range(40):
        drive.complete(command, cid=1000 + count)
        if count % 8 == 7:  # no device may overwrite what the host has not taken
            _look(own.qpair)
    drive.complete(command, cdw0=5)
    assert own.qpair.waitdone() == 5
    still_works(own, drive)


class Enough(BaseException):
    """Ends a wait of the driver."""


def _look(qpair: nvme.Qpair) -> None:
    """Have the driver poll the queue for 30 ms, until a signal; only once if nothing is in flight."""
    with pytest.raises((Enough, TimeoutError)), alarm(0.03, Enough):
        qpair.waitdone()


def test_completion_for_a_deleted_queue_does_nothing(drive: Drive, own: SimpleNamespace) -> None:
    """A device that still writes into a queue whose deletion it has confirmed."""
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    command = io_held(drive, 1)[0]
    stale = drive.cqs[1]
    own.qpair.delete()
    with pytest.warns(UserWarning, match="ERROR status: 00/08"):
        own.qpair.waitdone()
    with drive.lock:
        drive._post(stale, bytes(12) + (command.cid | 1 << 16).to_bytes(4, "little"))
    with pytest.raises(RuntimeError, match="Qpair 1 is deleted"):
        own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    own.qpair = nvme.Qpair(own.nvme0, 16)
    still_works(own, drive)


# Asynchronous events


def test_aer_is_told_sent_again_and_not_counted(drive: Drive, own: SimpleNamespace) -> None:
    wait_until(lambda: [c for c in drive.held if c.sqid == 0])
    events = []
    own.nvme0.register_aer_cb(events.append)
    first = next(c for c in drive.held if c.sqid == 0)
    drive.complete(first, cdw0=0x00020101)
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x20101"):
        admin_command(own, drive)
    assert [cpl[0] for cpl in events] == [0x00020101]
    wait_until(lambda: [c for c in drive.held if c.sqid == 0])
    assert next(c for c in drive.held if c.sqid == 0).opcode == 0x0C


def admin_command(own: SimpleNamespace, drive: Drive) -> None:
    """Send a command that succeeds, and wait only for it."""
    drive.on_admin[0xC0] = lambda command: (0, 0)
    assert own.nvme0.send_cmd(0xC0).waitdone() == 0


def test_aer_that_fails_is_not_sent_again(drive: Drive, own: SimpleNamespace) -> None:
    wait_until(lambda: [c for c in drive.held if c.sqid == 0])
    drive.complete(next(c for c in drive.held if c.sqid == 0), status=0x105)
    with pytest.warns(UserWarning, match="ERROR status: 01/05"):
        admin_command(own, drive)
    own.pcie.register(0)
    assert not [c for c in drive.held if c.sqid == 0]


def test_aer_that_ends_with_its_queue_is_silent(drive: Drive, own: SimpleNamespace) -> None:
    wait_until(lambda: [c for c in drive.held if c.sqid == 0])
    drive.complete(next(c for c in drive.held if c.sqid == 0), status=0x008)
    admin_command(own, drive)


def test_aer_storm_does_not_starve_a_command(drive: Drive, own: SimpleNamespace) -> None:
    """A device that completes each AER at once: the script's own command still ends, and so does waitdone."""
    count = [0]

    def storm(command: Command) -> tuple[int, int] | None:
        count[0] += 1
        return (0x00010002, 0) if count[0] < 200 else None

    drive.on_admin[0x0C] = storm
    wait_until(lambda: [c for c in drive.held if c.sqid == 0])
    drive.complete(next(c for c in drive.held if c.sqid == 0), cdw0=0x00010002)
    with lasts_at_most(5), pytest.warns(UserWarning, match="AER notification"):
        admin_command(own, drive)


# What ends while commands are in flight


def test_deleting_a_queue_completes_what_was_in_flight_with_00_08(drive: Drive, own: SimpleNamespace) -> None:
    buf = nvme.Buffer(512)
    for lba in range(5):
        own.nvme0n1.read(own.qpair, buf, lba)
    io_held(drive, 5)
    own.qpair.delete()
    with pytest.warns(UserWarning, match="ERROR status: 00/08") as told:
        own.qpair.waitdone(5)
    assert len(told) == 5


def test_reset_completes_what_was_in_flight_with_00_08(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    io_held(drive, 1)
    own.nvme0.reset()
    with pytest.warns(UserWarning, match="ERROR status: 00/08"):
        own.qpair.waitdone()
    own.qpair = nvme.Qpair(own.nvme0, 16)
    still_works(own, drive)


def test_close_completes_what_was_in_flight_with_00_08(drive: Drive, own: SimpleNamespace) -> None:
    """The same for a script that waits only after the controller is gone."""
    drive.on_admin[0xC0] = lambda command: None
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    own.nvme0.send_cmd(0xC0)
    io_held(drive, 1)
    own.pcie.close()
    with lasts_at_most(1), pytest.warns(UserWarning, match="ERROR status: 00/08") as told:
        own.qpair.waitdone()
        own.nvme0.waitdone()
    assert len(told) == 2


def test_worker_of_a_device_that_goes_ends(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0.timeout = 1000
    worker = own.nvme0n1.ioworker(time=10, qdepth=4, region_end=64).start()
    io_held(drive, 3)
    drive.hang_up()
    with lasts_at_most(3), pytest.warns(UserWarning, match="ioworker host ERROR"):
        result = worker.close()
    assert result.error != 0
    assert result.io_count_read == 0


def test_device_that_goes_completes_what_was_in_flight_with_03_70_within_a_second(
    drive: Drive, own: SimpleNamespace
) -> None:
    buf = nvme.Buffer(512)
    for lba in range(3):
        own.nvme0n1.read(own.qpair, buf, lba)
    drive.on_admin[0xC0] = lambda command: None
    own.nvme0.send_cmd(0xC0)
    io_held(drive, 3)
    drive.hang_up()
    with lasts_at_most(1), pytest.warns(UserWarning, match="ERROR status: 03/70") as told:
        own.qpair.waitdone(3)
        own.nvme0.waitdone()
    assert len(told) == 4
    with pytest.raises(SystemError, match=r"gone|closed the connection"):
        own.nvme0[0x1C]
    with pytest.raises(nvme.QpairCreationError, match="gone"):
        nvme.Qpair(own.nvme0, 8)
    with lasts_at_most(1):
        own.pcie.close()


def test_device_that_goes_while_waited_for_ends_the_wait(drive: Drive, own: SimpleNamespace) -> None:
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0)
    io_held(drive, 1)
    timer = threading.Timer(0.2, drive.hang_up)
    timer.start()
    with lasts_at_most(1.2), pytest.warns(UserWarning, match="ERROR status: 03/70"):
        own.qpair.waitdone()
    timer.join()


def test_device_that_goes_can_be_opened_again(drive: Drive, own: SimpleNamespace) -> None:
    drive.hang_up()
    with drive.lock:
        drive.registers[0x14:0x18] = bytes(4)
        drive._disable()
    own.pcie = nvme.Pcie(drive.address)
    own.nvme0 = nvme.Controller(own.pcie)
    own.nvme0n1 = nvme.Namespace(own.nvme0)
    own.qpair = nvme.Qpair(own.nvme0, 16)
    still_works(own, drive)
    own.pcie.close()
