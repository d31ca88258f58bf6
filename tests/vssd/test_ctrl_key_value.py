# SPDX-License-Identifier: BSD-3-Clause
"""Key Value namespaces: the five commands, their refusals, and what a loss of power leaves (KV 1.1)."""

from __future__ import annotations

import os
import random
import signal
import struct
import time
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    ALL_NAMESPACES,
    FLUSH,
    FORMAT,
    INVALID_FIELD,
    INVALID_FORMAT,
    INVALID_OPCODE,
    OK,
    POWER,
    SANITIZE,
    WRITE,
    Start,
    control,
    identify,
    log_page,
    set_feature,
)
from server import Server

STORE, RETRIEVE, LIST, DELETE, EXIST = 0x01, 0x02, 0x06, 0x10, 0x14
CAPACITY_EXCEEDED, INVALID_VALUE_SIZE, INVALID_KEY_SIZE, DOES_NOT_EXIST, KEY_EXISTS = (
    0x81,
    0x85,
    0x86,
    0x87,
    0x89,
)
INVALID_COMMAND_SET = 0x12C
ONLY_IF_EXISTS, ONLY_IF_NEW = 1 << 8, 1 << 9
ALL_SETS = 6
KV = 1 << 24  # CSI in dword 11 of Identify
LONG = 3 * 4096 + 17
OPTIONS = ("--size", "2M", "--namespaces", "2", "--key-value", "1")


class Host:
    """A host of a drive whose second namespace has keys."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = Client(server.folder)
        self.nvme = Nvme(self.client)
        self.enable()

    def enable(self, css: int = ALL_SETS) -> None:
        self.nvme.enable(css=css)
        self.queue = self.nvme.create_queue(1, 16)
        self.buffer = self.nvme.memory.alloc(17 * 4096)
        self.list = self.nvme.memory.alloc(4096)
        pages = [self.buffer + 4096 * (1 + i) for i in range(16)]
        self.nvme.memory.write(self.list, struct.pack("<16Q", *pages))

    def close(self) -> None:
        self.nvme.close()
        self.client.close()

    def power_cycle(self) -> None:
        control(self.server, POWER, 0)
        control(self.server, POWER, 1)
        self.enable()

    def send(self, opcode: int, key: bytes, cdw10: int = 0, cdw11: int = 0, nsid: int = 2) -> tuple[int, int]:
        """Dword 0 and the status of a command with a key, whose data are in the buffer of 17 pages."""
        words = struct.unpack("<4I", key[:16].ljust(16, b"\xee"))
        return self.queue.execute(
            opcode,
            nsid=nsid,
            prp1=self.buffer,
            prp2=self.list if cdw10 > 8192 else self.buffer + 4096,
            cdw2=words[0],
            cdw3=words[1],
            cdw14=words[2],
            cdw15=words[3],
            cdw10=cdw10,
            cdw11=len(key) | cdw11,
        )

    def store(self, key: bytes, value: bytes, options: int = 0) -> int:
        self.nvme.memory.write(self.buffer, value)
        return self.send(STORE, key, len(value), options)[1]

    def retrieve(self, key: bytes, room: int = 65536) -> tuple[int, bytes]:
        """The status, or the size of the value and its first bytes."""
        self.nvme.memory.write(self.buffer, b"\xa5" * 65536)
        size, status = self.send(RETRIEVE, key, room)
        data = self.nvme.memory.read(self.buffer, 65536)
        known = min(room, size)
        assert data[known if not status else 0 :] == b"\xa5" * (65536 - (known if not status else 0))
        return (status, b"") if status else (size, data[:known])

    def value(self, key: bytes) -> bytes:
        size, data = self.retrieve(key)
        assert size == len(data), f"{key!r}: status {size:#x}"
        return data

    def keys(self, start: bytes = b"", room: int = 4096) -> list[bytes]:
        self.nvme.memory.write(self.buffer, b"\xa5" * 65536)
        _, status = self.send(LIST, start, room)
        assert status == OK
        data, found, at = self.nvme.memory.read(self.buffer, 65536), [], 4
        for _ in range(struct.unpack_from("<I", data)[0]):
            length = struct.unpack_from("<H", data, at)[0]
            found.append(data[at + 2 : at + 2 + length])
            padded = (2 + length + 3) // 4 * 4
            assert not any(data[at + 2 + length : at + padded])
            at += padded
        assert at <= room and data[at : at + 8] == b"\xa5" * 8
        return found

    def flush(self, nsid: int = 2) -> None:
        assert self.queue.execute(FLUSH, nsid=nsid)[1] == OK


@pytest.fixture
def kv(start: Start) -> Iterator[Host]:
    host = Host(start(*OPTIONS))
    yield host
    host.close()


def value(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size) if size else b""


def test_values_of_all_sizes(kv: Host) -> None:
    for size in (0, 1, 4047, 4048, 4049, 4096, 8192, LONG, 65536):
        key = b"size %d" % size
        assert kv.store(key, value(size, size)) == OK
        assert kv.retrieve(key) == (size, value(size, size))
        assert kv.send(EXIST, key) == (0, OK)
    for size in (0, 1, 4096, LONG):
        assert kv.retrieve(b"size 65536", size) == (65536, value(65536, 65536)[:size])
    assert kv.store(b"size 65536", b"short") == OK  # a new value takes the place of the old one
    assert kv.value(b"size 65536") == b"short"


def test_keys_differ_in_each_byte_and_in_their_length(kv: Host) -> None:
    keys = [b"\0" * n for n in range(1, 17)] + [b"\0" * n + b"\1" + b"\0" * (15 - n) for n in range(16)]
    for index, key in enumerate(keys):
        assert kv.store(key, b"value %d" % index) == OK
    for index, key in enumerate(keys):
        assert kv.value(key) == b"value %d" % index
    assert kv.keys() == sorted(keys)
    assert kv.send(DELETE, keys[3])[1] == OK
    assert kv.send(EXIST, keys[3])[1] == DOES_NOT_EXIST
    assert kv.keys() == sorted(set(keys) - {keys[3]})


def test_options_of_store(kv: Host) -> None:
    assert kv.store(b"a", b"1", ONLY_IF_EXISTS) == DOES_NOT_EXIST
    assert kv.store(b"a", b"1", ONLY_IF_NEW) == OK
    assert kv.store(b"a", b"2", ONLY_IF_NEW) == KEY_EXISTS
    assert kv.value(b"a") == b"1"
    assert kv.store(b"a", b"3", ONLY_IF_EXISTS | 1 << 10) == OK  # bit 2: not compressed
    assert kv.value(b"a") == b"3"
    assert kv.store(b"a", b"4", ONLY_IF_EXISTS | ONLY_IF_NEW) == INVALID_FIELD


def test_refusals(start: Start) -> None:
    kv = Host(start(*OPTIONS, "--kv-key-length", "8", "--kv-value-length", "8K", "--kv-keys", "2"))
    for opcode in (STORE, RETRIEVE, DELETE, EXIST):
        assert kv.send(opcode, b"")[1] == INVALID_KEY_SIZE
        assert kv.send(opcode, b"123456789")[1] == INVALID_KEY_SIZE
        assert kv.send(opcode, b"x", cdw11=0xF0)[1] == INVALID_KEY_SIZE
        if opcode != STORE:
            assert kv.send(opcode, b"12345678")[1] == DOES_NOT_EXIST
    assert kv.send(LIST, b"123456789", 4096)[1] == INVALID_KEY_SIZE
    assert kv.send(LIST, b"", 3)[1] == INVALID_FIELD
    assert kv.store(b"a", bytes(8193)) == INVALID_VALUE_SIZE
    assert kv.send(RETRIEVE, b"a", (128 << 10) + 1)[1] == DOES_NOT_EXIST
    assert kv.store(b"a", b"1") == kv.store(b"b", b"2") == OK
    assert kv.send(RETRIEVE, b"a", (128 << 10) + 1)[1] == INVALID_FIELD  # above MDTS
    assert kv.store(b"c", b"3") == CAPACITY_EXCEEDED
    assert kv.store(b"a", b"4") == OK
    assert kv.send(DELETE, b"b")[1] == OK
    assert kv.store(b"c", b"3") == OK
    for opcode in (0x04, 0x05, 0x08, 0x09, 0x19, 0x7D, 0x11):
        assert kv.send(opcode, b"a")[1] == INVALID_OPCODE
    assert kv.send(EXIST, b"a", nsid=1)[1] == INVALID_OPCODE
    kv.close()


def test_a_full_namespace(kv: Host) -> None:
    count = 0
    while kv.store(b"%d" % count, value(count, 65536)) == OK:
        count += 1
    assert count == (2 << 20) // (65536 + 4096)
    assert struct.unpack_from("<Q", identify(kv.nvme, 5, 2, KV), 16)[0] == count * (65536 + 4096)
    assert (
        kv.store(b"0", value(99, 65536)) == CAPACITY_EXCEEDED
    )  # needs room for the new value beside the old one
    assert kv.value(b"0") == value(0, 65536)
    assert kv.send(DELETE, b"1")[1] == OK
    assert kv.store(b"0", value(99, 65536)) == OK
    assert kv.value(b"0") == value(99, 65536)


def test_lists_in_pieces(kv: Host) -> None:
    keys = sorted(b"key %d" % i for i in range(60))
    for key in keys:
        assert kv.store(key, b"") == OK
    found: list[bytes] = []
    start = b""
    while True:
        piece = kv.keys(start, 100)
        found += piece[1:] if start else piece
        if not piece[1:]:
            break
        start = piece[-1]
    assert found == keys
    assert kv.keys(b"key 2") == [key for key in keys if key >= b"key 2"]
    assert kv.keys(b"key 2/") == [key for key in keys if key >= b"key 2/"]  # does not exist
    assert kv.keys(b"z") == []
    assert kv.keys(b"", 4) == []


def test_a_loss_of_power(kv: Host) -> None:
    assert kv.store(b"old", value(1, LONG)) == kv.store(b"gone", b"x") == OK
    kv.flush()
    assert kv.store(b"old", value(2, 100)) == kv.store(b"old", value(3, LONG)) == kv.store(b"new", b"y") == OK
    assert kv.send(DELETE, b"gone")[1] == OK
    assert kv.keys() == [b"new", b"old"]
    kv.power_cycle()
    assert kv.keys() == [b"gone", b"old"]
    assert kv.value(b"old") == value(1, LONG)
    assert kv.store(b"old", value(4, LONG)) == OK
    assert kv.send(DELETE, b"gone")[1] == OK
    kv.flush(ALL_NAMESPACES)
    kv.power_cycle()
    assert kv.keys() == [b"old"]
    assert kv.value(b"old") == value(4, LONG)
    assert set_feature(kv.nvme, 6, 0) == OK  # without a cache
    assert kv.store(b"now", b"z") == OK
    assert kv.send(DELETE, b"old")[1] == OK
    kv.power_cycle()
    assert kv.keys() == [b"now"]
    assert struct.unpack_from("<Q", identify(kv.nvme, 5, 2, KV), 16)[0] == 4096


def test_a_small_cache_keeps_the_newest(start: Start) -> None:
    kv = Host(start(*OPTIONS, "--cache", "16K"))
    for index in range(6):
        assert kv.store(b"%d" % index, b"x") == OK
    kv.power_cycle()
    assert kv.keys() == [b"0", b"1"]
    kv.close()


@pytest.mark.parametrize("killed", [False, True])
def test_a_file_keeps_the_keys(start: Start, folder: str, killed: bool) -> None:
    options = (*OPTIONS, "--file", os.path.join(folder, "store"))
    server = Server(os.path.join(folder, "first"), *options)
    kv = Host(server)
    dice, known = random.Random(4), {}
    for _ in range(120):
        key = b"%d" % dice.randrange(20)
        if dice.random() < 0.3 and key in known:
            assert kv.send(DELETE, key)[1] == OK
            del known[key]
        else:
            known[key] = value(dice.randrange(1 << 30), dice.choice((0, 5, 4048, 9000)))
            assert kv.store(key, known[key]) == OK
    kv.flush()
    used = struct.unpack_from("<Q", identify(kv.nvme, 5, 2, KV), 16)[0]
    assert kv.store(b"lost", value(0, LONG)) == kv.send(DELETE, min(known))[1] == OK
    if killed:
        os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.log.close()
    kv.close()
    kv = Host(start(*options))
    assert kv.keys() == sorted(known)
    assert {key: kv.value(key) for key in known} == known
    assert struct.unpack_from("<Q", identify(kv.nvme, 5, 2, KV), 16)[0] == used
    count = 0
    while kv.store(b"more %d" % count, value(count, 65536)) == OK:
        count += 1  # the blocks of what was lost are free
    assert count == ((2 << 20) - used) // (65536 + 4096)
    kv.close()


def test_format_and_sanitize(start: Start) -> None:
    kv = Host(start(*OPTIONS, "--sanitize-time", "1"))
    assert kv.store(b"a", value(1, LONG)) == OK
    assert kv.nvme.admin.execute(FORMAT, nsid=2, cdw10=1)[1] == INVALID_FORMAT
    assert kv.value(b"a") == value(1, LONG)
    assert kv.nvme.admin.execute(FORMAT, nsid=2)[1] == OK
    assert kv.keys() == []
    assert kv.store(b"b", value(2, LONG)) == OK
    kv.flush()
    assert kv.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
    while log_page(kv.nvme, 0x81, 32)[2] & 7 == 2:
        time.sleep(0.001)
    assert kv.keys() == []
    assert kv.store(b"c", value(3, LONG)) == OK
    kv.flush()
    kv.power_cycle()
    assert kv.keys() == [b"c"]
    kv.close()


def test_identify(start: Start) -> None:
    kv = Host(start(*OPTIONS, "--kv-key-length", "12", "--kv-value-length", "100K", "--kv-keys", "1000"))
    nvme = kv.nvme
    assert kv.store(b"a", value(1, 5000)) == OK
    data = identify(nvme, 5, 2, KV)
    assert struct.unpack_from("<QQQ", data) == (2 << 20, 0, 3 * 4096)
    assert struct.unpack_from("<HBBII", data, 72) == (12, 0, 0, 100 << 10, 1000)
    assert not any(data[88:]) and data[25] == 0  # one format
    assert data[48:72] == b"".join(one for one in (identify(nvme, 3, 2)[16:32], identify(nvme, 3, 2)[4:12]))
    assert not any(identify(nvme, 6, 0, KV))
    assert identify(nvme, 0x1C | 0xFFFF << 16)[0] == 0b011
    assert struct.unpack_from("<3I", identify(nvme, 2)) == (1, 2, 0)
    assert struct.unpack_from("<2I", identify(nvme, 7, 0, KV)) == (2, 0)
    assert struct.unpack_from("<2I", identify(nvme, 7, 0, 0)) == (1, 0)
    assert identify(nvme, 3, 2)[32:37] == bytes((4, 1, 0, 0, 1))  # CSI
    for cns, cdw11, status in (
        (0, 0, INVALID_COMMAND_SET),
        (5, 0, INVALID_FIELD),
        (5, 2 << 24, INVALID_COMMAND_SET),
    ):
        assert nvme.admin.execute(6, nsid=2, prp1=kv.buffer, cdw10=cns, cdw11=cdw11)[1] == status
    assert nvme.admin.execute(6, nsid=1, prp1=kv.buffer, cdw10=5, cdw11=KV)[1] == INVALID_FIELD
    kv.close()


MANAGED = ("--namespace-management", "--unallocated", "8M")


def create_keys(kv: Host, nsze: int, rest: bytes = b"", csi: int = 1) -> tuple[int, int]:
    """Namespace Management, create, of CSI 1 (KV 1.1, 4.1.6): the NSID and the status."""
    kv.nvme.memory.write(kv.buffer, struct.pack("<Q", nsze).ljust(8, b"\0") + rest.ljust(4088, b"\0"))
    nsid, status = kv.nvme.admin.execute(0x0D, prp1=kv.buffer, cdw10=0, cdw11=csi << 24)
    return nsid, status


def attach_keys(kv: Host, nsid: int) -> int:
    kv.nvme.memory.write(kv.buffer, struct.pack("<HH", 1, 1).ljust(4096, b"\0"))
    return kv.nvme.admin.execute(0x15, nsid=nsid, prp1=kv.buffer, cdw10=0)[1]


@pytest.mark.parametrize("killed", [False, True])
def test_namespace_management_creates_and_deletes_them(start: Start, folder: str, killed: bool) -> None:
    """NSZE counts bytes. What describes LBAs is reserved. A file keeps the namespace and its keys."""
    options = (*OPTIONS, *MANAGED, "--file", os.path.join(folder, "drive"))
    server = Server(os.path.join(folder, "first"), *options)
    kv = Host(server)
    reserved = bytearray(4088)
    reserved[26 - 8] = reserved[384 - 8] = 0xFF
    assert create_keys(kv, 1 << 20, bytes(reserved)) == (3, OK), "FLBAS and NPHNDLS are reserved"
    assert attach_keys(kv, 3) == OK
    data = identify(kv.nvme, 5, 3, KV)
    assert struct.unpack_from("<QQQ", data) == (1 << 20, 0, 0)
    assert identify(kv.nvme, 3, 3)[32:37] == b"\4\1\0\0\1", "the CSI is in the descriptors"
    kv.nvme.memory.write(kv.buffer, b"of namespace 3")
    assert kv.send(STORE, b"key", 14, nsid=3)[1] == OK and kv.send(EXIST, b"key")[1] == DOES_NOT_EXIST
    kv.flush(3)
    assert create_keys(kv, 0)[1] == INVALID_FIELD and create_keys(kv, 64 << 20)[1] == 0x115
    assert create_keys(kv, 1 << 20, csi=3)[1] == create_keys(kv, 1 << 20, csi=2)[1] == 0x129, "nor zones"
    if killed:
        os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.log.close()
    kv.close()
    again = Host(start(*options))
    assert again.send(RETRIEVE, b"key", 4096, nsid=3) == (14, OK)
    assert again.nvme.memory.read(again.buffer, 14) == b"of namespace 3"
    assert again.nvme.admin.execute(0x0D, nsid=3, cdw10=1)[1] == OK
    assert again.send(RETRIEVE, b"key", 4096, nsid=3)[1] == INVALID_FIELD, "no such namespace"
    assert create_keys(again, 1 << 20) == (3, OK) and attach_keys(again, 3) == OK
    assert again.send(EXIST, b"key", nsid=3)[1] == DOES_NOT_EXIST, "it is a new one"
    again.close()


def test_a_drive_without_keys_creates_none(start: Start) -> None:
    kv = Host(start("--size", "2M", *MANAGED))
    assert create_keys(kv, 1 << 20)[1] == 0x129, "I/O Command Set Not Supported"
    kv.close()


def test_effects_and_command_sets(kv: Host) -> None:
    buffer = kv.nvme.memory.alloc(4096)
    assert kv.nvme.admin.execute(2, prp1=buffer, cdw10=1023 << 16 | 5, cdw14=KV)[1] == OK
    effects = struct.unpack("<256I", kv.nvme.memory.read(buffer + 1024, 1024))
    assert [opcode for opcode in range(256) if effects[opcode] & 1] == [0, 1, 2, 6, 0x10, 0x14]
    assert effects[STORE] & 2 and effects[DELETE] & 2 and not effects[RETRIEVE] & 2  # LBCC
    kv.enable(css=0)  # without the Key Value Command Set
    assert kv.send(EXIST, b"a")[1] == INVALID_OPCODE
    assert kv.queue.execute(WRITE, nsid=1, prp1=kv.buffer)[1] == OK


def test_contradictions(folder: str) -> None:
    for options, says in (
        (("--key-value", "2"), "must be larger"),
        (("--key-value", "1", "--null"), "keeps no values"),
        (("--key-value", "1", "--nvme-version", "1.4"), "need NVMe 2.0"),
        (("--key-value", "1", "--size", "17T"), "at most 16 TiB"),
        (("--key-value", "1", "--kv-value-length", "2M"), "a size like 64K"),
    ):
        server = Server(os.path.join(folder, "refused"), *options)
        assert says in server.word
        server.stop()
        server.log.close()
