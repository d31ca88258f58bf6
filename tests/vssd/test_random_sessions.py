# SPDX-License-Identifier: BSD-3-Clause
"""Clients that know how to use the drive, and misbehave in the midst of it; and random
records for its control socket.

Each leaves in its own way. The next one is served, and the process has neither more descriptors nor more
memory than before. PYNVME_RANDOM_SESSIONS sets how many there are, PYNVME_RANDOM_SEED repeats a run.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
import struct
import time
from collections.abc import Callable

import pytest
from client import (
    BAR0,
    CONFIG,
    DEVICE_RESET,
    DMA_MAP,
    DMA_UNMAP,
    GET_INFO,
    REGION_READ,
    REGION_WRITE,
    SET_IRQS,
    Client,
    EventFd,
    Nvme,
    Queue,
    message,
    sqe,
)
from seed import SEED
from server import Server

SESSIONS = int(os.environ.get("PYNVME_RANDOM_SESSIONS", "60"))
STEPS = 40
WARM_UP = 20
PM_CONTROL = 0x44  # in configuration space
GROWTH = 8 << 20  # bytes: what a process may grow by without a leak, the largest message being 1 MiB

REQUEST = struct.Struct("<IHHIIQQ")
MAGIC, VERSION, POWER, QUIT = 0x44535356, 1, 4, 7


@pytest.fixture(autouse=True)
def small_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    """AddressSanitizer keeps up to 256 MiB of freed memory, which would look like a leak."""
    options = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{options}:quarantine_size_mb=1".lstrip(":"))


def resident(server: Server) -> int:
    with open(f"/proc/{server.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Session:
    """A client with an enabled controller, and its possible misbehaviour."""

    def __init__(self, client: Client, dice: random.Random) -> None:
        self.client, self.dice = client, dice
        self.nvme = Nvme(client, 1 << 20)
        self.queue: Queue | None = None
        self.buffer = self.nvme.memory.alloc(65536)

    def map(self, fds: list[int]) -> None:
        memory = self.nvme.memory
        self.client.call(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, memory.iova, memory.size), fds)

    def start(self) -> None:
        """Check that the basics work, whatever happened before."""
        self.client.config_write(PM_CONTROL, bytes(2))
        self.client.ok(DEVICE_RESET)
        self.client.ok(DMA_UNMAP, struct.pack("<IIQQ", 24, 2, 0, 0))
        self.map([self.nvme.memory.fd])
        self.nvme.memory.free_to(0)
        self.nvme.memory.used = 65536
        self.nvme.enable(16)
        self.queue = self.nvme.create_queue(1, 32)

    def do_io(self) -> None:
        """Send commands without consuming their completions."""
        for _ in range(self.dice.randrange(1, 31)):
            assert self.queue
            opcode, lba = self.dice.choice((0, 1, 2, 2, 5, 8, 9)), self.dice.randrange(2000)
            address = self.buffer if self.dice.random() < 0.8 else self.dice.getrandbits(48)
            entry = sqe(
                opcode, nsid=1, prp1=address, prp2=self.buffer, cdw10=lba, cdw12=self.dice.randrange(20)
            )
            self.queue.submit(entry, ring=False)
        self.queue.ring()

    def do_format(self) -> None:
        self.nvme.admin.submit(sqe(0x80, nsid=1, cdw10=self.dice.randrange(2)))

    def do_unmap(self) -> None:
        """Unmap the memory of the queues and map it again, sometimes without a file."""
        memory = self.nvme.memory
        self.client.call(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, memory.iova, memory.size))
        if self.dice.random() < 0.7:
            self.map([memory.fd] if self.dice.random() < 0.9 else [])

    def do_shorten(self) -> None:
        """Truncate the memory without unmapping it."""
        self.do_io()
        os.ftruncate(self.nvme.memory.fd, self.dice.choice((0, 4096, 65536)))
        try:
            self.client.call(GET_INFO, bytes(16))
        finally:
            os.ftruncate(self.nvme.memory.fd, self.nvme.memory.size)

    def do_pipeline(self) -> None:
        """A thousand messages before the first reply is read."""
        kinds = [
            (REGION_READ, struct.pack("<QII", 0, BAR0, 64)),
            (REGION_READ, struct.pack("<QII", 0, CONFIG, 256)),
            (GET_INFO, struct.pack("<4I", 16, 0, 0, 0)),
            (REGION_WRITE, struct.pack("<QIII", 0x10, BAR0, 4, 0)),
        ]
        sent = [self.dice.choice(kinds)[:2] for _ in range(1000)]
        self.client.send_raw(b"".join(message(command, payload) for command, payload in sent))
        for command, _ in sent:
            assert self.client.reply().command == command

    def do_pause(self) -> None:
        """Send half a message, pause, and send the rest."""
        data = message(REGION_READ, struct.pack("<QII", 0, BAR0, 8), id=99)
        cut = self.dice.randrange(1, len(data))
        self.client.send_raw(data[:cut])
        time.sleep(self.dice.choice((0, 0.001, 0.02)))
        self.client.send_raw(data[cut:])
        assert self.client.reply().id == 99

    def do_interrupts(self) -> None:
        """Send descriptors that are no eventfds, and an eventfd that is closed here at once."""
        with EventFd() as event, open(os.devnull, "w") as null, self.nvme.client.socket.dup() as own:
            for fd in (event.fd, null.fileno(), own.fileno(), self.nvme.memory.fd):
                request = struct.pack("<5I", 20, 4 | 32, 2, self.dice.randrange(66), 1)
                self.client.call(SET_IRQS, request, [fd])

    def do_configuration(self) -> None:
        offset = self.dice.choice((4, 0x10, 0x40, 0x44, 0x52, 0x68, 0x70, self.dice.randrange(4092)))
        self.client.config_write(offset, self.dice.randbytes(self.dice.choice((1, 2, 4))))

    def do_registers(self) -> None:
        offset = self.dice.choice((0x14, 0x20, 0x24, 0x28, 0x30, 0x1000, 0x1004, 0x1008, 0x100C))
        self.client.bar_write(
            offset, self.dice.choice((bytes(4), self.dice.randbytes(4), b"\x01\x00\x46\x00"))
        )

    def run(self, steps: int) -> None:
        doing = [self.do_io] * 6 + [self.do_pause, self.do_interrupts, self.do_registers, self.start]
        doing += [self.do_configuration]
        doing += [self.do_format, self.do_unmap] if self.dice.random() < 0.5 else []
        doing += [self.do_pipeline] if self.dice.random() < 0.1 else []
        doing += [self.do_shorten] if self.dice.random() < 0.1 else []
        self.start()
        for _ in range(steps):
            self.dice.choice(doing)()

    def leave(self) -> None:
        """Disconnect between messages, or within one."""
        if self.dice.random() < 0.3:
            half = message(REGION_WRITE, bytes(4096))[: self.dice.randrange(1, 4000)]
            with contextlib.suppress(ConnectionError):
                self.client.send_raw(half)
        self.nvme.close()


def a_session(server: Server, dice: random.Random) -> None:
    """The drive may close the connection after misbehaviour, but a time-out means that it hangs."""
    with Client(server.folder) as client:
        session = Session(client, dice)
        with contextlib.suppress(ConnectionError):
            session.run(dice.randrange(STEPS))
        session.leave()


def rounds(server: Server, once: Callable[[random.Random], None], count: int) -> None:
    """Do it so many times; after a few the process must not grow any more."""
    print(f"PYNVME_RANDOM_SEED={SEED} repeats this run")
    dice = random.Random(SEED)
    descriptors = memory = 0
    for number in range(count + WARM_UP):
        once(dice)
        assert server.process.poll() is None, f"seed {SEED}: {server.errors()}"
        if number == WARM_UP:
            with Client(server.folder):
                descriptors, memory = server.descriptors(), resident(server)
    with Client(server.folder) as client:
        client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))
        assert server.descriptors() == descriptors, f"seed {SEED}"
        assert resident(server) < memory + GROWTH, f"seed {SEED}"


def test_clients_that_misbehave_in_the_midst_of_it(start) -> None:
    server = start("--size", "4M")
    rounds(server, lambda dice: a_session(server, dice), SESSIONS)


def test_many_clients_that_come_and_go(server) -> None:
    def once(dice: random.Random) -> None:
        clients = []
        for _ in range(dice.randrange(1, 4)):
            with contextlib.suppress(ConnectionError):  # there is room for one
                clients.append(Client(server.folder, dice.choice((None, (0, 1)))))
        for client in clients:
            client.socket.close()

    rounds(server, once, SESSIONS * 5)


MI_MESSAGE_TYPE = 0x84


def some_record(dice: random.Random) -> bytes:
    """A request, usually with one wrong field, but never the one that ends the process."""
    command = dice.choice((1, 2, 3, 4, 5, 5, 6, 6, 16, 17, dice.getrandbits(16)))
    argument = dice.choice((0, 1, 1, 1, dice.getrandbits(64)))
    if command == QUIT:
        command = POWER
    data = dice.randbytes(dice.choice((0, 0, 1, 511, 512, 512, 512, 4096, 65536)))
    fields = [MAGIC, VERSION, command, 1, len(data), dice.randrange(16), argument]
    widths = (32, 16, 16, 32, 32, 64, 64)
    if dice.random() < 0.5:
        wrong = dice.choice((0, 1, 3, 4, 5, 6))
        fields[wrong] = dice.choice((0, 1, 1 << (widths[wrong] - 1), dice.getrandbits(widths[wrong])))
    packet = REQUEST.pack(*fields) + data
    if dice.random() < 0.05:
        packet = packet[: dice.randrange(1, len(packet))]
    elif dice.random() < 0.05:
        packet = dice.randbytes(dice.randrange(1, 300))
    # A message of the Management Interface whose check is wrong is discarded without an answer.
    return packet if packet[0] != MI_MESSAGE_TYPE else bytes(1) + packet[1:]


def test_random_records_on_the_control_socket_are_answered(start) -> None:
    server = start("--size", "4M")

    def once(dice: random.Random) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
            peer.settimeout(5)
            peer.connect(os.path.join(server.folder, "control"))
            for _ in range(dice.randrange(60)):
                peer.send(some_record(dice))
                answer = peer.recv(1 << 17)
                magic, version, command, error, length = struct.unpack_from("<IHHII", answer)
                assert (magic, version, length) == (MAGIC, VERSION, len(answer) - 16)
                assert command != QUIT and error in (0, errno.EINVAL, errno.EPROTO, errno.ENOTSUP)
            if dice.random() < 0.5:
                peer.send(some_record(dice))  # and leave before it is answered

    rounds(server, once, SESSIONS * 2)
