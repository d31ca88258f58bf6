# SPDX-License-Identifier: BSD-3-Clause
"""The process is killed while a client uses it: durable data survive, and every block is intact.

PYNVME_RANDOM_SEED repeats a run.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import struct
import time
from collections.abc import Iterator

import pytest
from client import Client, EventFd, Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    CREATE_CQ,
    FLUSH,
    FORMAT,
    FUA,
    OK,
    READ,
    SANITIZE,
    WRITE,
    Disk,
    Host,
    identify,
    log_page,
    pattern,
    smart,
)
from seed import SEED
from server import Server

from tests.fix_load import loaded
from tests.forking import fork

UNSAFE_SHUTDOWNS, POWER_CYCLES = 144, 112  # bytes of the SMART log
SANITIZED, SANITIZING = 1, 2
NSSR, RESET_WORD, NSSRO = 0x20, 0x4E564D65, 1 << 4


class Drive:
    """A drive whose data are in a file, in one folder, started again and again."""

    def __init__(self, folder: str, *options: str) -> None:
        self.folder = os.path.join(folder, "drive")
        self.options = ["--size", "4M", "--file", os.path.join(folder, "data"), *options]
        self.start()

    def start(self) -> None:
        self.server = Server(self.folder, *self.options)
        assert self.server.word == "ready", self.server.word
        self.host = Host(self.server)

    def kill(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        assert self.host.client.is_closed(), "its client is told"
        self.host.close()
        self.server.log.close()

    def restart(self) -> Host:
        self.kill()
        self.start()
        return self.host

    def close(self) -> None:
        self.host.close()
        self.server.check_end()
        self.server.log.close()


@pytest.fixture
def drive(folder: str) -> Iterator[Drive]:
    drive = Drive(folder)
    yield drive
    drive.close()


def test_what_was_flushed_is_there_again(drive: Drive) -> None:
    serial = identify(drive.host.nvme, 1)[4:24]
    losses = smart(drive.host.nvme, UNSAFE_SHUTDOWNS)
    drive.host.disk.write(0, pattern(0, 8))
    drive.host.disk.flush()
    drive.host.disk.write(8, pattern(8, 8), FUA)
    drive.host.disk.write(16, pattern(16, 8))
    host = drive.restart()
    assert identify(host.nvme, 1)[4:24] == serial
    assert smart(host.nvme, UNSAFE_SHUTDOWNS) == losses + 1
    assert host.disk.read(0, 8) == pattern(0, 8) and host.disk.read(8, 8) == pattern(8, 8)
    assert host.disk.read(16, 8) in (bytes(4096), pattern(16, 8))


def test_a_shut_down_drive_loses_nothing_and_counts_nothing(drive: Drive) -> None:
    losses = smart(drive.host.nvme, UNSAFE_SHUTDOWNS)
    drive.host.disk.write(16, pattern(16, 8))
    drive.host.shut_down()
    host = drive.restart()
    assert host.disk.read(16, 8) == pattern(16, 8)
    assert smart(host.nvme, UNSAFE_SHUTDOWNS) == losses


def test_kills_at_any_moment(drive: Drive) -> None:
    """After a kill during writes and flushes each block holds the durable data, or newer ones."""
    print(f"PYNVME_RANDOM_SEED={SEED} repeats this run")
    dice = random.Random(SEED)
    durable: dict[int, int] = {}
    version = 0
    for _ in range(8):
        host, newest = drive.host, dict(durable)
        for _ in range(dice.randrange(60)):
            block = dice.randrange(64)
            version += 1
            host.disk.write(block * 8, pattern(block * 8, 8, seed=version))
            newest[block] = version
            if dice.random() < 0.2:
                host.disk.flush()
                durable = dict(newest)
        buffers = [host.nvme.memory.alloc(4096) for _ in range(dice.randrange(1, 14))]
        for buffer in buffers:  # and some of which nobody knows whether they were taken
            block = dice.randrange(64, 128)
            host.nvme.memory.write(buffer, pattern(block * 8, 8))
            host.disk.queue.submit(sqe(WRITE, nsid=1, prp1=buffer, cdw10=block * 8, cdw12=7), ring=False)
        host.disk.queue.ring()
        time.sleep(dice.choice((0, 0, 0.001)))
        host = drive.restart()
        for block in range(64):
            data = host.disk.read(block * 8, 8)
            seed = struct.unpack_from("<H", data)[0]
            assert data in (bytes(4096), pattern(block * 8, 8, seed=seed)), f"block {block} is torn"
            assert durable.get(block, 0) & 0xFFFF <= seed <= newest.get(block, 0) & 0xFFFF, f"block {block}"
            durable[block] = seed
        for block in range(64, 128):
            assert host.disk.read(block * 8, 8) in (bytes(4096), pattern(block * 8, 8))


def test_a_format_that_was_going_on_is_done(folder: str) -> None:
    drive = Drive(folder, "--format-time", "60000", "--namespaces", "2")
    for nsid in (1, 2):
        Disk(drive.host.nvme, drive.host.disk.queue, nsid).write(0, pattern(0, 8), FUA)
    drive.host.nvme.admin.submit(sqe(FORMAT, nsid=2, cdw10=1))
    time.sleep(0.05)
    host = drive.restart()
    assert host.disk.read(0, 8) == pattern(0, 8)
    assert Disk(host.nvme, host.disk.queue, 2, 4096).read(0) == bytes(4096), "LBAs of 4096 bytes, and empty"
    drive.close()


def test_a_sanitize_operation_goes_on(folder: str) -> None:
    drive = Drive(folder, "--sanitize-time", "600")
    drive.host.disk.write(0, pattern(0, 8), FUA)
    assert drive.host.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
    host = drive.restart()
    assert log_page(host.nvme, 0x81)[2] & 7 in (SANITIZING, SANITIZED)
    end = time.monotonic() + 20
    while log_page(host.nvme, 0x81)[2] & 7 != SANITIZED:
        assert time.monotonic() < end or loaded()
        time.sleep(0.01)
    assert host.disk.read(0, 8) == bytes(4096)
    drive.close()


def test_requests_of_events_and_slow_commands_in_flight_break_nothing(folder: str) -> None:
    drive = Drive(folder, "--format-time", "60000", "--sanitize-time", "60000")
    for entry in (sqe(ASYNC_EVENT), sqe(ASYNC_EVENT), sqe(FORMAT, nsid=1)):
        drive.host.nvme.admin.submit(entry)
    host = drive.restart()
    assert host.disk.command(READ, 0) == OK
    drive.close()


def test_a_drive_without_a_file_is_a_new_one_in_the_same_folder(folder: str) -> None:
    first = Server(os.path.join(folder, "drive"), "--size", "1M")
    client = Client(first.folder)
    first.process.kill()
    first.process.wait()
    assert client.is_closed()
    client.close()
    with pytest.raises(OSError):
        Client(first.folder)
    second = Server(first.folder, "--size", "1M")
    assert second.word == "ready", second.word
    host = Host(second)
    assert host.disk.read(0, 8) == bytes(4096)
    host.close()
    second.check_end()
    for server in (first, second):
        server.log.close()


def test_a_message_that_is_under_way_ends_with_the_connection(drive: Drive) -> None:
    """A client that waits for a reply notices the end, and does not wait for ever."""
    drive.server.process.send_signal(signal.SIGSTOP)
    drive.host.client.send(4, struct.pack("<4I", 16, 0, 0, 0))
    drive.server.process.send_signal(signal.SIGKILL)
    with pytest.raises(ConnectionError):
        drive.host.client.receive()
    drive.restart()


# The client is killed, and the drive continues


def test_a_client_that_is_killed_amid_its_io_makes_room(server: Server) -> None:
    for _ in range(5):
        child = fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                host = Host(server)
                while True:
                    host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
                    host.disk.queue.wait()
            os._exit(1)
        time.sleep(0.2)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        end = time.monotonic() + 10
        while True:
            try:
                host = Host(server)
                break
            except ConnectionError:
                assert time.monotonic() < end or loaded()
        host.disk.write(0, pattern(0, 8))
        assert host.disk.read(0, 8) == pattern(0, 8)
        host.close()


# NSSR


def test_nssr_under_load(server: Server) -> None:
    """No completion follows, the queues are gone, and durable data stay durable."""
    host = Host(server)
    for number in range(10):
        host.disk.write(0, pattern(0, 8, seed=number))
        assert host.disk.queue.execute(FLUSH, nsid=1)[1] == OK
        for _ in range(10):
            host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer, cdw12=7), ring=False)
        host.disk.queue.ring()
        host.client.write32(NSSR, RESET_WORD)
        completions = host.nvme.memory.read(host.disk.queue.cq, 16 * 16)
        assert host.client.read32(0x1C) == NSSRO and host.client.read32(0x14) == 0
        time.sleep(0.01)
        assert host.nvme.memory.read(host.disk.queue.cq, 16 * 16) == completions
        host.client.write32(0x1C, NSSRO)
        host.nvme.memory.free_to(0)
        host.start()
        assert host.client.read32(0x1C) == 1
        assert host.disk.read(0, 8) == pattern(0, 8, seed=number)
    host.close()


@pytest.mark.parametrize("value", [0, 1, 0x4E564D64, 0x654D564E, 0xFFFFFFFF])
def test_other_words_reset_nothing(nvme: Nvme, value: int) -> None:
    nvme.client.write32(NSSR, value)
    assert nvme.client.read32(0x1C) == 1


# Single vectors, slow commands


def test_slow_commands_do_not_hold_up_others_nor_their_interrupts(start) -> None:
    """A format takes its time; meanwhile reads of another namespace come, all queues having one vector."""
    host = Host(start("--size", "1M", "--namespaces", "2", "--format-time", "700"))
    nvme = host.nvme
    with EventFd() as event:
        host.client.set_eventfd(0, event.fd)
        nvme.delete_queue(host.disk.queue)
        queues = [nvme.create_queue(qid, 8, vector=0) for qid in (1, 2, 3)]
        begun = time.monotonic()
        nvme.admin.submit(sqe(FORMAT, nsid=2))
        event.count(0.05)
        reads = 0
        while nvme.admin.poll() is None:
            for queue in queues:
                queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
                assert event.count(5) >= 1
                assert queue.wait().status == OK
                reads += 1
        assert time.monotonic() - begun >= 0.7 and reads >= 3
        # The last vector, and one past it.
        assert (
            nvme.admin.execute(
                CREATE_CQ, prp1=nvme.memory.alloc(4096), cdw10=7 << 16 | 4, cdw11=64 << 16 | 3
            )[1]
            == OK
        )
    host.close()
