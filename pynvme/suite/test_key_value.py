# SPDX-License-Identifier: BSD-3-Clause
"""Keys and values: what is stored is there, and nothing else, also after a loss of power."""

from __future__ import annotations

from typing import Any, Callable

import nvme
import pytest

from pynvme.key_value import keys_of
from pynvme.spec import CommandSet, KvOpcode, Status
from pynvme.suite import needs, requirement
from pynvme.suite.claims import SWITCHED_POWER
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

DELETE = "KV 1.1, 3.2.1 Delete"
EXIST = "KV 1.1, 3.2.2 Exist"
LIST = "KV 1.1, 3.2.3 List"
RETRIEVE = "KV 1.1, 3.2.4 Retrieve"
STORE = "KV 1.1, 3.2.5 Store"
IDENTIFY = "KV 1.1, 4.1.5.1 Identify Namespace"
FLUSH = "Base 2.1, 7.2 Flush"

ONLY_IF_EXISTS, ONLY_IF_NEW = 1, 2
LARGEST = 1 << 20
FEW = 40


KEYS = Need(
    "a Key Value namespace (Identify, CNS 07h with CSI 01h)",
    lambda drive: bool(drive.namespaces_of(CommandSet.KV)),
)

pytestmark = needs(KEYS)


class KeyCommand(Command):
    """A command of the Key Value Command Set."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name of its opcode."""
        return KvOpcode(self.opcode).name


class Keys:
    """Commands to the first Key Value namespace. Each test deletes the keys that it has stored."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.nsid = drive.namespaces_of(CommandSet.KV)[0]
        self.kv = nvme.KeyValue(drive.nvme0, self.nsid)
        drive.note(f"Key Value namespace {self.nsid}", f"kv = d.KeyValue(nvme0, {self.nsid})")
        fmt = self.kv.id_ns.kvf[0]
        self.most_key = min(int(fmt.kml), 16)
        self.most_value = min(int(fmt.vml) or LARGEST, drive.nvme0.mdts or LARGEST, LARGEST)
        self.most_keys = int(fmt.mnk)
        self.stored: dict[bytes, bytes] = {}

    def send(self, opcode: int, script: str, method: Callable[..., Any], *args: Any, **names: Any) -> Command:
        """Send a command, and wait."""
        pair = self.drive.qpair
        command = KeyCommand(pair.sqid, opcode, self.nsid, (0,) * 6)
        method(pair, *args, cb=command.completed, **names)
        command.cid = pair.latest_cid
        self.drive.reap(pair)
        self.drive.note(
            f"{script}: status {command.status:#05x}, dword 0 {command.cdw0:#x}", f"{script}.waitdone()"
        )
        self.drive.must_end(command)
        return command

    def store(self, key: bytes, value: bytes, options: int = 0, **names: int) -> Command:
        buf = nvme.Buffer(max(4, len(value)))
        buf[: len(value)] = value
        script = f"kv.store(qpair, {key!r}, buf, {len(value)}, {options})"
        done = self.send(KvOpcode.STORE, script, self.kv.store, key, buf, len(value), options, **names)
        if done.ok:
            self.stored[key] = value
        return done

    def retrieve(self, key: bytes, room: int | None = None, **names: int) -> tuple[Command, bytes]:
        room = self.most_value if room is None else room
        buf = nvme.Buffer(max(4, room))
        script = f"kv.retrieve(qpair, {key!r}, buf, {room})"
        done = self.send(KvOpcode.RETRIEVE, script, self.kv.retrieve, key, buf, room, **names)
        return done, bytes(buf[: min(room, done.cdw0)]) if done.ok else b""

    def delete(self, key: bytes, **names: int) -> Command:
        done = self.send(KvOpcode.DELETE, f"kv.delete(qpair, {key!r})", self.kv.delete, key, **names)
        if done.ok:
            self.stored.pop(key, None)
        return done

    def exist(self, key: bytes, **names: int) -> Command:
        return self.send(KvOpcode.EXIST, f"kv.exist(qpair, {key!r})", self.kv.exist, key, **names)

    def some_keys(self, key: bytes = b"", room: int = 4096, **names: int) -> tuple[Command, list[bytes]]:
        buf = nvme.Buffer(max(4, room))
        script = f"kv.list(qpair, buf, {key!r}, {room})"
        done = self.send(KvOpcode.LIST, script, self.kv.list, buf, key, room, **names)
        try:
            return done, keys_of(bytes(buf[:room])) if done.ok else []
        except ValueError as error:
            raise self.drive.finding(LIST, "keys within the host's buffer", str(error)) from None

    def every_key(self, room: int = 4096) -> list[bytes]:
        """All keys, by as many lists as it takes."""
        found: list[bytes] = []
        while True:
            done, some = self.some_keys(found[-1] if found else b"", room)
            self.drive.succeed(done, LIST)
            fresh = some[1:] if found else some
            if not fresh:
                return found
            found += fresh

    def must_have(self, key: bytes, value: bytes | None, clause: str) -> None:
        """A finding unless a key has this value, or (None) does not exist."""
        done, seen = self.retrieve(key)
        there = self.exist(key)
        if value is None:
            self.drive.expect(done, clause, Status.KEY_DOES_NOT_EXIST)
            self.drive.expect(there, EXIST, Status.KEY_DOES_NOT_EXIST)
            return
        self.drive.succeed(done, clause)
        self.drive.succeed(there, EXIST)
        right = (done.cdw0, seen) == (len(value), value)
        self.drive.check(
            right, clause, f"the {len(value)} bytes stored for key {key!r}", f"{done.cdw0} bytes, other"
        )

    def must_have_all(self, clause: str) -> None:
        for key, value in self.stored.items():
            self.must_have(key, value, clause)

    def key(self, length: int | None = None) -> bytes:
        """A random key that the namespace does not have."""
        while True:
            length = length or self.drive.random.randint(1, self.most_key)
            key = self.drive.random.randbytes(length)
            if self.exist(key).status == Status.KEY_DOES_NOT_EXIST:
                return key
            length = None

    def value(self, length: int) -> bytes:
        return self.drive.random.randbytes(length)

    def clear(self) -> None:
        for key in list(self.stored):
            self.delete(key)


@pytest.fixture
def keys(drive: Drive) -> Any:
    """Give what the tests of this area share."""
    keys = Keys(drive)
    yield keys
    keys.clear()


@requirement("KEY_VALUE-1", STORE)
def test_values_of_all_sizes(drive: Drive, keys: Keys) -> None:
    """Each key has the value that was stored last, as a whole.

    1. Store values of 0 bytes up to VML, or MDTS, around each power of two.
    2. Store other values of other sizes for the same keys. Retrieve all.
    """
    sizes = {0, 1, keys.most_value}
    for shift in range(2, 21, 2):
        sizes |= {(1 << shift) - 1, 1 << shift, (1 << shift) + 1}
    sizes = {size for size in sizes if size <= keys.most_value}
    used = {keys.key(): size for size in sorted(sizes)}
    for size_of in (used, dict(zip(used, sorted(sizes, reverse=True)))):
        for key, size in size_of.items():
            drive.succeed(keys.store(key, keys.value(size)), STORE)
        keys.must_have_all(RETRIEVE)


@requirement("KEY_VALUE-2", STORE)
def test_keys_differ_in_each_bit_and_in_their_length(drive: Drive, keys: Keys) -> None:
    """Two keys that differ in one bit, or only in their length, are two keys.

    1. Store a value for a key, for the keys that differ from it in one bit, and for its beginnings.
    2. Retrieve all, delete half of them, and retrieve all again.
    """
    base = keys.key(keys.most_key)
    near = {base[: n + 1] for n in range(len(base))}
    for byte in range(len(base)):
        changed = bytearray(base)
        changed[byte] ^= 1 << drive.random.randrange(8)
        near.add(bytes(changed))
    near.add(bytes(keys.most_key))
    near.add(b"\0")
    for key in near:
        drive.succeed(keys.store(key, b"value of " + key), STORE)
    keys.must_have_all(RETRIEVE)
    for key in sorted(near)[::2]:
        drive.succeed(keys.delete(key), DELETE)
    for key in near:
        keys.must_have(key, keys.stored.get(key), DELETE)


@requirement("KEY_VALUE-3", STORE)
def test_options_of_store(drive: Drive, keys: Keys) -> None:
    """Store changes a key only if it exists, or only if it does not, as its options say.

    1. Store with each option for a key that does not exist, and for one that does. Retrieve it each time.
    """
    key = keys.key()
    drive.expect(keys.store(key, keys.value(9), ONLY_IF_EXISTS), STORE, Status.KEY_DOES_NOT_EXIST)
    keys.must_have(key, None, STORE)
    drive.succeed(keys.store(key, keys.value(9), ONLY_IF_NEW), STORE)
    drive.expect(keys.store(key, keys.value(9), ONLY_IF_NEW), STORE, Status.KEY_EXISTS)
    keys.must_have_all(STORE)
    drive.succeed(keys.store(key, keys.value(10), ONLY_IF_EXISTS), STORE)
    keys.must_have_all(STORE)


@requirement("KEY_VALUE-4", STORE)
def test_wrong_sizes_are_refused(drive: Drive, keys: Keys) -> None:
    """Keys of 0 bytes and of more than KML, and values above VML, are refused, and change nothing.

    1. Send each command with KL 0 and above KML. Store a value that is longer than VML.
    """
    key = keys.key(1)
    value = keys.value(5)
    drive.succeed(keys.store(key, value), STORE)
    for kl in (0, keys.most_key + 1, 17, 255):
        for done in (
            keys.store(key, b"other", kl=kl),
            keys.retrieve(key, kl=kl)[0],
            keys.delete(key, kl=kl),
            keys.exist(key, kl=kl),
        ):
            drive.expect(done, STORE, Status.INVALID_KEY_SIZE)
            keys.stored = {key: value}
    vml = int(keys.kv.id_ns.kvf[0].vml)
    if vml < (drive.nvme0.mdts or LARGEST):
        drive.expect(keys.store(key, bytes(vml + 1)), STORE, Status.INVALID_VALUE_SIZE)
        keys.stored = {key: value}
    keys.must_have_all(STORE)


@requirement("KEY_VALUE-5", RETRIEVE)
def test_a_short_buffer_gets_the_first_bytes(drive: Drive, keys: Keys) -> None:
    """A Retrieve into a buffer that is too short transfers what fits, and tells the length of the value.

    1. Retrieve a value of several pages into buffers of many sizes. The bytes behind them stay as they are.
    """
    key, size = keys.key(), min(3 * 4096 + 77, keys.most_value)
    value = keys.value(size)
    drive.succeed(keys.store(key, value), STORE)
    for room in (0, 1, 4, 511, 4096, 4097, size - 1, size, min(size + 9, keys.most_value)):
        done, seen = keys.retrieve(key, room)
        drive.succeed(done, RETRIEVE)
        drive.check(done.cdw0 == size, RETRIEVE, f"the length {size} in dword 0", done.cdw0)
        drive.check(seen == value[:room], RETRIEVE, f"the first {room} bytes of the value", "other bytes")


@requirement("KEY_VALUE-6", LIST)
def test_lists_have_each_key_once(drive: Drive, keys: Keys) -> None:
    """Lists name each key once, in the same order each time, and none that was deleted.

    1. Store some keys, and delete some of them. List all in one piece, and in pieces of several sizes.
    2. List from each key on.
    """
    before = set(keys.every_key())
    for _ in range(FEW):
        drive.succeed(keys.store(keys.key(), b"x"), STORE)
    for key in list(keys.stored)[:5]:
        drive.succeed(keys.delete(key), DELETE)
    order = keys.every_key()
    right = len(order) == len(set(order)) and set(order) == before | set(keys.stored)
    drive.check(right, LIST, f"{len(before | set(keys.stored))} keys, each once", f"{len(order)} keys")
    for room in (64, 100, 1000):
        drive.check(keys.every_key(room) == order, LIST, f"the same keys by lists of {room} bytes", "others")
    for index in range(0, len(order), 7):
        done, seen = keys.some_keys(order[index], 512)
        drive.succeed(done, LIST)
        drive.check(
            seen == order[index : index + len(seen)], LIST, f"keys from {order[index]!r} on", seen[:3]
        )


@requirement("KEY_VALUE-7", FLUSH)
@needs(SWITCHED_POWER)
def test_a_loss_of_power_keeps_what_was_flushed(drive: Drive, keys: Keys) -> None:
    """After a loss of power, each key has what was flushed, or a value that was stored later, as a whole.

    1. Store, delete and flush. Store and delete more, and switch the power off and on.
    2. Retrieve all keys, and list them.
    """
    names = [keys.key() for _ in range(12)]
    possible: dict[bytes, set[bytes | None]] = {}
    for key in names[:8]:
        drive.succeed(keys.store(key, keys.value(drive.random.choice((3, 4000, 9000)))), STORE)
    for key in names[6:8]:
        drive.succeed(keys.delete(key), DELETE)
    drive.succeed(drive.flush(keys.nsid), FLUSH)
    for key in names:
        possible[key] = {keys.stored.get(key)}
    for key in names[2:6] + names[8:]:
        for _ in range(2):
            drive.succeed(keys.store(key, keys.value(drive.random.choice((5, 5000)))), STORE)
            possible[key].add(keys.stored[key])
    for key in names[4:6]:
        drive.succeed(keys.delete(key), DELETE)
        possible[key].add(None)
    drive.power_cycle()
    for key in names:
        done, seen = keys.retrieve(key)
        value = None if done.status == Status.KEY_DOES_NOT_EXIST else seen
        right = value in possible[key] and (value is None) != done.ok
        drive.check(
            right,
            FLUSH,
            f"one of {len(possible[key])} values of key {key!r}",
            done.status or f"{len(seen)} bytes",
        )
        keys.stored.pop(key, None)
        if value is not None:
            keys.stored[key] = value
    drive.check(set(keys.stored) <= set(keys.every_key()), LIST, "each key that exists in the list", "fewer")


@requirement("KEY_VALUE-8", IDENTIFY)
def test_capacity(drive: Drive, keys: Keys) -> None:
    """Identify counts what keys and values occupy, and a namespace has no more keys than MNK.

    1. Store and delete values, and look at NUSE. Store keys up to MNK, if those are few.
    """
    used = int(keys.kv.id_ns.nuse)
    names = [keys.key() for _ in range(4)]
    for key in names:
        drive.succeed(keys.store(key, keys.value(min(20000, keys.most_value))), STORE)
    now = int(keys.kv.id_ns.nuse)
    drive.check(now > used, IDENTIFY, f"NUSE above {used} after four values were stored", now)
    for key in names:
        drive.succeed(keys.delete(key), DELETE)
    drive.succeed(drive.flush(keys.nsid), FLUSH)
    now = int(keys.kv.id_ns.nuse)
    drive.check(now == used, IDENTIFY, f"NUSE {used} after they were deleted", now)
    room = keys.most_keys - len(keys.every_key())
    if not keys.most_keys or room > 1000:
        return
    for _ in range(room):
        drive.succeed(keys.store(keys.key(keys.most_key), b""), STORE)
    drive.expect(keys.store(keys.key(keys.most_key), b""), STORE, Status.CAPACITY_EXCEEDED)
