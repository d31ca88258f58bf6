# SPDX-License-Identifier: BSD-3-Clause
"""Malformed messages: after any number of them the drive still serves the next client.

PYNVME_RANDOM_MESSAGES sets how many (5,000 in the short form), PYNVME_RANDOM_SEED repeats a run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import select
import socket
import struct
from collections.abc import Iterator

from client import (
    DEVICE_RESET,
    DMA_MAP,
    DMA_READ,
    DMA_UNMAP,
    DMA_WRITE,
    GET_INFO,
    GET_IRQ_INFO,
    GET_REGION_INFO,
    HEADER,
    QEMU_JSON,
    REGION_READ,
    REGION_WRITE,
    REGION_WRITE_MULTI,
    REPLY,
    SET_IRQS,
    VERSION,
    Client,
    EventFd,
    Memory,
    Nvme,
    message,
)
from seed import SEED

from pynvme import control

COUNT = int(os.environ.get("PYNVME_RANDOM_MESSAGES", "5000"))

# Each of these must have succeeded at least once.
REACHED = {DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE}
REACHED |= {DEVICE_RESET}
# An unmapping has to name a mapping exactly: some short runs have none.
RARE = {DMA_UNMAP}
ENOUGH = 50_000  # messages, after which even those must have succeeded

EDGES = [*range(9), 15, 16, 24, 32, 63, 64, 65, 4095, 4096, 4097, 16384, 1 << 20, 1 << 31, 0xFFFFFFFF]
EDGES_64 = [*EDGES, 1 << 32, 1 << 47, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1]


class Generator:
    """Messages that are almost right: a field is mostly sensible, sometimes an edge, sometimes anything."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, sensible: list[int], bits: int = 32) -> int:
        dice = self.random.random()
        if dice < 0.93:
            return self.random.choice(sensible)
        if dice < 0.98:
            return self.random.choice(EDGES_64 if bits == 64 else EDGES) & ((1 << bits) - 1)
        return self.random.getrandbits(bits)

    def junk(self, most: int) -> bytes:
        return self.random.randbytes(self.random.randrange(most)) if self.random.random() < 0.2 else b""

    def address(self) -> int:
        return self.number([0, 0x1000, 0x2000, 0x10000, 0x100000], 64)

    def payload(self, command: int) -> bytes:
        n, size = self.number, [4096, 65536]
        if command in (DMA_READ, DMA_WRITE):  # the drive's own commands, in the wrong direction
            command += REGION_READ - DMA_READ
        if command == REGION_WRITE_MULTI:
            count = n([1, 2, 8])
            return struct.pack("<Q", count) + self.random.randbytes(24 * min(count, 300))
        if command == VERSION:
            return struct.pack("<HH", n([0], 16), n([0, 1], 16)) + self.random.choice([b"", QEMU_JSON])
        if command == DMA_MAP:
            head = struct.pack("<IIQ", n([32]), n([0, 1, 2, 3]), n([0, 4096], 64))
            return head + struct.pack("<QQ", self.address(), n(size, 64))
        if command == DMA_UNMAP:
            return struct.pack("<IIQQ", n([24]), n([0, 0, 0, 2]), self.address(), n(size, 64))
        if command == GET_REGION_INFO:
            return struct.pack("<IIIIQQ", n([32, 64, 4096]), 0, n([0, 4, 5, 7]), 0, 0, 0)
        if command == SET_IRQS:
            flags = self.random.choice([1, 2, 4]) | self.random.choice([8, 16, 32])
            where = struct.pack("<III", n([0, 2]), n([0, 1, 64]), n([0, 1, 2]))
            bools = self.random.randbytes(self.random.randrange(4))
            return struct.pack("<II", n([20]), n([flags])) + where + bools
        if command in (REGION_READ, REGION_WRITE):
            count = n([1, 2, 4, 8])
            offsets = [0, 4, 0x14, 0x24, 0x28, 0x30, 0x1000, 0x1004]
            head = struct.pack("<QII", n(offsets, 64), n([0, 0, 4, 5, 7]), count)
            return head + (self.random.randbytes(min(count, 20000)) if command == REGION_WRITE else b"")
        return struct.pack("<4I", n([16]), n([0]), n([0, 2]), n([0]))

    def message(self) -> bytes:
        """The bytes of one message; sometimes its header lies, or bits of it are flipped."""
        command = self.number([*range(1, 19), *[REGION_READ] * 3, *[REGION_WRITE] * 6], 16)
        flags = self.random.choice([0, 0, 0, 0, 0x10, 0x10, 1, 0x20, self.random.getrandbits(32)])
        data = bytearray(
            message(
                command, self.payload(command) + self.junk(300), id=self.random.getrandbits(16), flags=flags
            )
        )
        if self.random.random() < 0.003:
            data[4:8] = self.number([16, 32, 64]).to_bytes(4, "little")
        for _ in range(self.random.choice([0] * 100 + [1, 3])):
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        if self.random.random() < 0.003:
            del data[self.random.randrange(len(data)) :]
        return bytes(data)


@contextlib.contextmanager
def descriptors_of_all_kinds() -> Iterator[list[int]]:
    """Mostly a memfd and an eventfd, which the drive needs, and other descriptors, which it cannot use."""
    with contextlib.ExitStack() as stack:
        memory = stack.enter_context(Memory(1 << 20)).fd
        event = stack.enter_context(EventFd()).fd
        wrong = [os.memfd_create(name, os.MFD_ALLOW_SEALING) for name in ("empty", "short", "sealed")]
        os.ftruncate(wrong[1], 100)
        os.ftruncate(wrong[2], 1 << 20)
        fcntl.fcntl(wrong[2], fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE)
        wrong += os.pipe()
        wrong += [os.open(path, os.O_RDWR) for path in ("/dev/zero", "/dev/null")]
        wrong += [os.open("/", os.O_RDONLY), os.open("/dev", os.O_PATH), os.open(__file__, os.O_RDONLY)]
        wrong += [end.detach() for end in socket.socketpair()]
        for fd in wrong:
            stack.callback(os.close, fd)
        yield [*[memory] * 12, *[event] * 8, *wrong]


def drain(client: Client, said: bytearray, quiet: float = 0.0) -> None:
    """Read replies and close their descriptors until the drive is silent for this many seconds."""
    while select.select([client.socket], [], [], quiet)[0]:
        data, ancillary, _, _ = client.socket.recvmsg(1 << 16, 4096)
        for _, _, content in ancillary:
            for (fd,) in struct.iter_unpack("<i", content[: len(content) & ~3]):
                os.close(fd)
        if not data:
            raise ConnectionResetError
        said += data


def succeeded(said: bytes) -> set[int]:
    """The commands to which the drive replied without an error."""
    commands, at = set(), 0
    while at + HEADER.size <= len(said):
        _, command, size, flags, _ = HEADER.unpack_from(said, at)
        assert size >= HEADER.size
        commands |= {command} if flags == REPLY else set()
        at += size
    return commands


def bombard(server, generator: Generator, count: int, fds: list[int]) -> tuple[int, set[int]]:
    """One client: send until the drive closes the connection, or count messages.

    Returns how many were sent and which commands succeeded."""
    numbers = [0] * 200 + [1] * 100 + [2] * 20 + [8] * 5 + [9]
    sent, said = 0, bytearray()
    with Client(server.folder) as client:
        client.socket.settimeout(5)
        with contextlib.suppress(ConnectionError):  # a time-out would be a drive that hangs
            while sent < count:
                client.send_raw(
                    generator.message(), generator.random.choices(fds, k=generator.random.choice(numbers))
                )
                sent += 1
                drain(client, said)
            drain(client, said, quiet=0.02)
    return sent, succeeded(said)


def test_the_drive_survives_whatever_is_sent(server) -> None:
    print(f"PYNVME_RANDOM_SEED={SEED} repeats this run")
    generator = Generator(SEED)
    with Client(server.folder) as client:
        client.config_read(0, 1)
        descriptors = server.descriptors()
    with descriptors_of_all_kinds() as fds:
        left, reached = COUNT, set()
        while left > 0:
            sent, good = bombard(server, generator, min(left, 100), fds)
            left, reached = left - sent, reached | good
            assert server.process.poll() is None, f"seed {SEED}: {server.errors()}"
    needed = REACHED if COUNT >= ENOUGH else REACHED - RARE
    assert reached >= needed, "these messages are too wild to reach much of the drive"

    with Client(server.folder) as client:
        assert len(client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0)).payload) == 16
        assert server.descriptors() == descriptors, f"seed {SEED}"
        # Configuration space may hold anything by now, such as D3hot. Only a power cycle resets it.
        control.power(server.folder, False)
        control.power(server.folder, True)
        nvme = Nvme(client)
        nvme.enable()
        assert nvme.admin.execute(0x06, prp1=nvme.memory.alloc(4096), cdw10=1)[1] == 0, f"seed {SEED}"
        nvme.close()


def test_pure_noise_is_survived_too(server) -> None:
    generator = random.Random(SEED)
    for _ in range(max(1, COUNT // 50)):
        version = None if generator.random() < 0.5 else (0, 1)
        with Client(server.folder, version) as client, contextlib.suppress(ConnectionError):
            client.send_raw(generator.randbytes(generator.randrange(1, 4 * HEADER.size)))
    with Client(server.folder) as client:
        client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))
