# SPDX-License-Identifier: BSD-3-Clause
"""Hostile messages of the Management Interface, while its drive is reset, loses its power and is formatted.

They have any length, wrong integrity checks, offsets and slots. They come from several peers, which go;
control primitives are among them. Each response is well formed, and the endpoint goes on.
PYNVME_RANDOM_MESSAGES sets how many messages there are, PYNVME_RANDOM_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import struct

import pytest
from ctrl_helpers import OK, POWER, Host, Start, control, crc32c
from fault_helpers import clear, plant
from mctp import ABORT, ADMIN, MI, PCIE, PRIMITIVE, RESUME, STATE, TAG, Endpoint, entry, message
from seed import SEED

MESSAGES = min(int(os.environ.get("PYNVME_RANDOM_MESSAGES", "900")), 20000)
NSSR, RESET = 0x20, 0x4E564D65
OPCODES = (
    *(0x02, 0x06, 0x09, 0x0A, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x1C, 0x20, 0x24, 0x80, 0x81, 0x82, 0x84, 0x86),
    *(0x00, 0x0C, 0x19, 0x1E, 0x7C, 0x7F, 0xC0, 0xFF),
)
FIRST = {
    0x02: [size << 16 | lid for size in (15, 127, 2047) for lid in (*range(0x20), 0x81, 0xC0)],
    0x06: [*range(0x20)],
    0x09: [2, 4, 0x0C, 0x0E, 0x10, 0x11, 0x17, 0xC5, 0x1D, 0x84],
    0x0A: [2, 4, 0x0E, 0x304, 0x20E],
    0x0D: [0, 0, 1],
    0x10: [2 << 3 | 3, 1 << 3 | 2, 3 << 3],
    0x11: [1023],
    0x14: [1, 2, 0xF],
    0x15: [0, 1],
    0x1C: [8 | 2 << 16, 9 | 2 << 16, 7 | 2 << 16, 1 | 1 << 16],
    0x20: [1, 2 | 1 << 16, 2 | 2 << 16, 3 | 1 << 16, 4 | 1 << 16],
    0x24: [
        opcode << 8 | interface << 5 | prohibit << 4
        for opcode in (0x80, 0x14)
        for interface in range(4)
        for prohibit in (0, 1)
    ],
    0x80: [0, 0, 1, 1 << 9],
    0x81: [1 << 24 | 1 << 8, 0xEA << 24, 1 << 24 | 0x1000 << 8],
    0x82: [0, 1 << 24 | 1 << 8, 0xEA << 24, 2 << 24 | 0x1000 << 8],
    0x84: [1, 2, 2, 3, 4],
}
"""Of an opcode: values of dword 10 that make sense."""
USUAL = sorted(FIRST.keys() - {0x84})
"""A sanitize operation keeps the drive from most others, and is rarer."""
DATA = {0x09: 8, 0x0D: 4096, 0x11: 4096, 0x15: 4096, 0x81: 512}
"""Of an opcode: how many bytes it needs."""
LENGTHS = (0, 1, 3, 4, 8, 64, 512, 4092, 4095, 4096, 4097, 8192, 1 << 20, 1 << 31, (1 << 32) - 1)
DRIVES = (
    ("--profile", "everything", "--controllers", "2"),
    ("--virtual-functions", "2", "--lockdown", "--lba-status", "--namespace-management"),
    ("--namespaces", "2", "--endurance-groups", "2", "--namespace-management", "--rpmb"),
)


class Chaos:
    """Draws what happens next."""

    def __init__(self, host: Host, dice: random.Random) -> None:
        self.host, self.dice = host, dice
        self.peers = [Endpoint(host.server.folder)]

    def word(self) -> int:
        dice = self.dice
        return dice.choice(
            (0, 1, dice.randrange(16), 1 << dice.randrange(32), dice.randrange(1 << 32), 0xFFFFFFFF)
        )

    def admin(self) -> bytes:
        """Mostly a request that the endpoint executes."""
        dice = self.dice
        opcode = dice.choice(USUAL if dice.random() < 0.9 else OPCODES)
        dwords = [self.word() for _ in range(6)]
        if opcode in FIRST:
            dwords[0] = dice.choice(FIRST[opcode]) if dice.random() < 0.8 else self.word()
        if opcode in (0x81, 0x82):
            dwords[1] = 512
        nsid = dice.choice((0, 1, 1, 1, 2, 0xFFFFFFFF))
        length = DATA.get(opcode, 0)
        dlen = length if opcode & 3 == 1 else dice.choice((64, 512, 4096)) if opcode & 3 == 2 else 0
        fields = {"nsid": nsid, "dlen": dlen, "offset": dice.choice((0, 0, 0, 4, 4096)), "ctrl": 1}
        wrong = dice.choice((None, None, None, "dlen", "offset", "offset", "ctrl", "length"))
        if wrong in fields:
            fields[wrong] = dice.choice((2, 3, 0, 0xFFFF) if wrong == "ctrl" else LENGTHS)
        data = dice.randbytes(dice.choice(LENGTHS[:10])) if wrong == "length" else self.data(opcode, length)
        return entry(opcode, *dwords, **fields) + data

    def data(self, opcode: int, length: int) -> bytes:
        blocks, controllers = struct.pack("<QQ", 64, 64), struct.pack("<HH", 1, 1)
        tame = {0x0D: blocks, 0x15: controllers}.get(opcode, b"").ljust(length, b"\0")
        return tame if self.dice.random() < 0.7 else self.dice.randbytes(length)

    def command(self) -> bytes:
        dice = self.dice
        nmd0 = dice.choice((self.word(), dice.randrange(6) << 24 | dice.randrange(4), dice.randrange(300)))
        body = struct.pack("<B3xII", dice.choice((*range(13), 10, 11, 0xFF)), nmd0, self.word())
        return body + dice.randbytes(dice.choice((0, 0, 0, 1, 4, 256, 4096)))

    def pcie(self) -> bytes:
        """Mostly reads, and writes of registers."""
        dice = self.dice
        opcode, length = (
            dice.choice((0, 0, 1, 2, 2, 3, 3, 4, 5, 0xFF)),
            dice.choice((0, 1, 4, 4, 8, 64, 4096, 4097)),
        )
        offset = dice.choice((0, 4, 0x14, 0x1C, 0x20, 0x24, 0x64, 0x1000, 0x1004, 4092, self.word()))
        head = struct.pack("<BBH", opcode, 0, dice.choice((1, 1, 1, 2, 3)))
        head += struct.pack("<IQ", dice.choice((0, 0, 0, 1, 4, 5, 6)) << 16 | length, offset)
        return head + dice.randbytes((length + 3) // 4 * 4 if opcode in (1, 3) else dice.choice((0, 0, 0, 4)))

    def packet(self) -> bytes:
        dice = self.dice
        kind = dice.choice((PRIMITIVE, MI, MI, *(ADMIN,) * 8, PCIE, PCIE, 15))
        body = {ADMIN: self.admin, MI: self.command, PCIE: self.pcie}.get(
            kind, lambda: bytes([dice.randrange(7)]) + dice.randbytes(dice.choice((3, 3, 3, 0, 7, 60)))
        )()
        whole = message(body, kind, dice.randrange(2), 0 if dice.random() < 0.9 else dice.randrange(256))
        if dice.random() < 0.1:
            cut = whole[: dice.randrange(5, len(whole))]
            whole = cut[:-4] + struct.pack("<I", crc32c(cut[:-4])) if dice.random() < 0.7 else cut
        return b"\x84" + dice.randbytes(dice.randrange(5000)) if dice.random() < 0.02 else whole

    def event(self) -> None:
        """Something that happens to the drive, or to who talks to it."""
        what = self.dice.randrange(8)
        if what == 0:
            self.settle()
            self.host.client.config_write(0x44, bytes(2))  # what PCIe commands may have left: D0,
            self.host.client.config_write(4, b"\6\0")  # memory space and bus mastering, no shutdown
            self.host.client.write32(NSSR, RESET)
            self.host.client.write32(0x14, 0)
            self.host.start()
        elif what == 1:
            self.host.client.write32(NSSR, RESET)
        elif what == 2:
            control(self.host.server, POWER, 0)
            for _ in range(self.dice.randrange(3)):
                self.send()
            control(self.host.server, POWER, 1)
        elif what == 3 and len(self.peers) < 4:
            self.peers.append(Endpoint(self.host.server.folder))
        elif what == 4 and len(self.peers) > 1:
            self.peers.pop(self.dice.randrange(len(self.peers))).close()
        elif what == 5:
            self.host.client.write32(0x14, self.dice.choice((0, 1, 1 << 14 | 1)))

    def send(self) -> None:
        self.dice.choice(self.peers).socket.send(self.packet())

    def settle(self) -> None:
        """Wait until all messages are answered, so that none of them shuts the drive down meanwhile."""
        for peer in self.peers:
            peer.send(struct.pack("<BBH", STATE, TAG, 0), PRIMITIVE)
            while (answer := peer.socket.recv(8192))[1] & 0x78 or answer[5] != TAG:
                pass

    def drain(self) -> None:
        """Each response that has come is whole."""
        for peer in self.peers:
            peer.socket.setblocking(False)
            while True:
                try:
                    answer = peer.socket.recv(8192)
                except BlockingIOError:
                    break
                assert answer[0] == 0x84 and answer[1] & 0x86 == 0x80 and answer[2] & 0xFE == answer[3] == 0
                assert 12 <= len(answer) <= 4120 and answer[4] <= 0x2A
                assert crc32c(answer[:-4]).to_bytes(4, "little") == answer[-4:]
            peer.socket.settimeout(10)


@pytest.mark.parametrize("options", DRIVES, ids=("everything", "functions", "groups"))
def test_hostile_messages(start: Start, options: tuple[str, ...]) -> None:
    host = Host(start("--size", "4M", "--mi", "--format-time", "20", *options))
    for rule in (
        "late=0..3",
        "never",
        "twice",
        "flip byte=1",
        "set cqe.sc=5",
        "torn=7",
        "status=00/06",
        "skip",
    ):
        plant(host.server, f"queue=out-of-band every=17 do {rule}")
    dice = random.Random(f"{SEED} {options}")
    chaos = Chaos(host, dice)
    for number in range(MESSAGES // len(DRIVES)):
        chaos.send()
        if dice.random() < 0.05:
            chaos.event()
        if number % 4 == 0:
            chaos.drain()
            chaos.peers[0].send(struct.pack("<BBH", RESUME, 0, 0), PRIMITIVE)
    for peer in chaos.peers:
        peer.close()
    clear(host.server)
    host.power_cycle()
    endpoint = Endpoint(host.server.folder)
    for slot in (0, 1):
        assert endpoint.primitive(ABORT, slot=slot)[0] == 0
    assert endpoint.primitive(RESUME) == (0, 0)
    assert endpoint.execute(entry(0x06, 1, dlen=64))[1] == OK
    endpoint.close()
    host.close()
