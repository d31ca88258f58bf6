# SPDX-License-Identifier: BSD-3-Clause
"""Packs and unpacks the binary records of a virtual SSD's control socket.

The layouts are those of ``vssd/control_protocol.h``. Each request uses a new connection, so that threads and
forked processes may send requests at any time.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
from typing import NamedTuple

MAGIC = 0x44535356
VERSION = 1
DATA_MAX = 65536
SOCKET = "control"

INFO, GEOMETRY, COUNTERS, POWER, PEEK, POKE, QUIT, OPTIONS = range(1, 9)
TRACE, REFUSALS = 10, 11
PLANT, FAULTS, REMOVE, CLEAR, RELEASE, FIRED, AGE, ANA, ANSWER, ANSWERED = range(12, 22)
ANSWER_ADMIN, ANSWER_REMOVE = 0x100, 0x200

_REQUEST = struct.Struct("<IHHIIQQ")
_REPLY = struct.Struct("<IHHII")
_INFO = struct.Struct("<IIQQ6I")
_GEOMETRY = struct.Struct("<IIQ")
_COUNTERS = struct.Struct("<11Q")
_REFUSAL = struct.Struct("<4H40s96s112s")
_PLANTED = struct.Struct("<QQ")
_ANSWERED = struct.Struct("<Q64s")
_AGE = struct.Struct("<Q6I")
_UNCHANGED = 0xFFFFFFFF
_FIRED = struct.Struct("<4QI2H3B5xQ")

_PLACES = (
    "command",
    "data",
    "completion",
    "register",
    "config",
    "doorbell",
    "interrupt",
    "event",
    "reset",
    "power",
)

_INFO_NULL, _INFO_FILE, _INFO_POWERED, _INFO_CLIENT = 1, 2, 4, 8

# Seconds that a virtual SSD may take to answer. It does not answer while it waits for a client's memory.
TIMEOUT = 10.0


class VirtualSsdError(RuntimeError):
    """A virtual SSD does not start, has ended, or does not answer."""


class Geometry(NamedTuple):
    """The bytes per LBA and the number of LBAs of a namespace."""

    lba_size: int
    nsze: int


class Counters(NamedTuple):
    """Counts of a virtual SSD since it started. ``errors`` counts commands with a status other than 0.

    ``hmb_hits``, ``hmb_misses`` and ``hmb_errors`` count map entries that it found, did not find, or found
    damaged in the host memory buffer.
    """

    commands_admin: int
    commands_read: int
    commands_write: int
    commands_other: int
    bytes_read: int
    bytes_written: int
    errors: int
    power_cycles: int
    hmb_hits: int
    hmb_misses: int
    hmb_errors: int


class Refusal(NamedTuple):
    """A command that failed, and why.

    ``command`` is its name, ``status`` is SCT << 8 | SC. ``field`` names the wrong field of the command, such
    as ``"CDW10 bits 11:9 (SES)"``, ``"CDW11:10 (SLBA)"`` or ``"NSID"``, or a state, such as
    ``"a format is in progress"``. ``section`` is the section of the specification that requires the refusal,
    such as ``"Base 2.1, 5.1.10"``.
    """

    command: str
    qid: int
    cid: int
    status: int
    field: str
    section: str


class Rule(NamedTuple):
    """A planted fault rule: its number, how often its conditions held, how often it fired, and its text."""

    number: int
    matched: int
    fired: int
    text: str


class Fired(NamedTuple):
    """A fault rule that fired.

    ``entry`` counts from the first one that the drive ever made. ``time`` is in seconds since 1970, ``rule``
    the number of the rule, and ``place`` where it acted: ``"command"``, ``"data"``, ``"completion"``,
    ``"register"`` and so on. ``opcode``, ``cid``, ``nsid`` and ``slba`` are those of the command as the host
    sent it, and None if there was none. ``slba`` is CDW11:10, also of commands without LBAs. ``ticks`` is the
    time stamp counter of the CPU at that moment.
    """

    entry: int
    time: float
    rule: int
    place: str
    qid: int
    cid: int | None
    opcode: int | None
    nsid: int | None
    slba: int | None
    ticks: int = 0


class Info(NamedTuple):
    """The process of a virtual SSD, its state, and the options of its start.

    ``size`` is that of each namespace and ``cache_size`` that of the volatile write cache, in bytes. ``mdts``
    and ``nvme_version`` are as in Identify and in the register VS.
    """

    pid: int
    null: bool
    file: bool
    powered: bool
    client: bool
    size: int
    cache_size: int
    namespaces: int
    lba_size: int
    queues: int
    queue_entries: int
    mdts: int
    nvme_version: int


def request(
    folder: str, command: int, nsid: int = 0, lba: int = 0, argument: int = 0, data: bytes = b""
) -> bytes:
    """Send one request to the virtual SSD in ``folder`` and return the data of its answer.

    Raises ValueError if there is no such namespace, LBA or argument, NotImplementedError if the virtual SSD
    does not know the request, and VirtualSsdError if it has ended or does not answer.
    """
    try:
        head = _REQUEST.pack(MAGIC, VERSION, command, nsid, len(data), lba, argument)
    except struct.error as error:
        raise ValueError(f"nsid {nsid} or LBA {lba} fits no field of a request: {error}") from error
    answer = _exchange(folder, head + data)
    if len(answer) < _REPLY.size:
        raise VirtualSsdError(
            f"the virtual SSD in {folder} answered with {len(answer)} bytes, which is no reply"
        )
    magic, version, replied, failure, length = _REPLY.unpack_from(answer)
    if (magic, version, length) != (MAGIC, VERSION, len(answer) - _REPLY.size):
        raise VirtualSsdError(f"the virtual SSD in {folder} is of another version than this pynvme")
    if failure == errno.EINVAL:
        raise ValueError(
            f"the virtual SSD in {folder} has no LBA {lba} in namespace {nsid}, or not of this size"
        )
    if failure == errno.ENOTSUP:
        raise NotImplementedError(f"the virtual SSD in {folder} does not know the request {command}")
    if failure or replied != command:
        raise VirtualSsdError(f"the virtual SSD in {folder} refused: {os.strerror(failure)}")
    return answer[_REPLY.size :]


def _exchange(folder: str, packet: bytes) -> bytes:
    """Send one packet, and return the packet of the answer."""
    path = os.path.join(folder, SOCKET)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(TIMEOUT)
        try:
            peer.connect(path)
            peer.sendall(packet)
            answer = peer.recv(_REPLY.size + DATA_MAX)
        except socket.timeout as error:
            raise VirtualSsdError(
                f"the virtual SSD in {folder} did not answer within {TIMEOUT:g} s"
            ) from error
        except OSError as error:
            raise VirtualSsdError(f"no virtual SSD answers at {path}: {error.strerror or error}") from error
    if not answer:
        raise VirtualSsdError(f"the virtual SSD in {folder} ended before it answered")
    return answer


def _unpack(record: struct.Struct, folder: str, data: bytes) -> tuple[int, ...]:
    if len(data) != record.size:
        raise VirtualSsdError(f"the virtual SSD in {folder} is of another version than this pynvme")
    return record.unpack(data)


def info(folder: str) -> Info:
    """The process, state and options of the virtual SSD in ``folder``."""
    pid, flags, *options = _unpack(_INFO, folder, request(folder, INFO))
    states = [bool(flags & bit) for bit in (_INFO_NULL, _INFO_FILE, _INFO_POWERED, _INFO_CLIENT)]
    return Info(pid, *states, *options)


def options(folder: str) -> dict[str, str]:
    """The values of its options by name, with ``_`` for ``-``."""
    try:
        found = json.loads(request(folder, OPTIONS))
        return {name.replace("-", "_"): str(value) for name, value in found.items()}
    except (ValueError, AttributeError) as error:
        raise VirtualSsdError(
            f"the virtual SSD in {folder} is of another version than this pynvme: {error}"
        ) from error


def geometry(folder: str, nsid: int) -> Geometry:
    """LBA size and number of LBAs of a namespace."""
    lba_size, _, nsze = _unpack(_GEOMETRY, folder, request(folder, GEOMETRY, nsid))
    return Geometry(lba_size, nsze)


def counters(folder: str, of_all: bool = False) -> Counters:
    """The counts of a controller since the start, or the sums of all controllers of the drive."""
    return Counters(*_unpack(_COUNTERS, folder, request(folder, COUNTERS, argument=int(of_all))))


def power(folder: str, on: bool) -> None:
    """Switch the power on or off."""
    request(folder, POWER, argument=int(bool(on)))


def trace(folder: str, on: bool) -> None:
    """Start to trace refusals with an empty trace, or stop."""
    request(folder, TRACE, argument=int(bool(on)))


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode()


def refusals(folder: str) -> list[Refusal]:
    """The last commands that failed, the oldest first. ValueError if the trace is off."""
    try:
        data = request(folder, REFUSALS)
    except ValueError:
        raise ValueError("refusals are not traced: call trace(True) before the commands") from None
    if len(data) % _REFUSAL.size:
        raise VirtualSsdError(f"the virtual SSD in {folder} is of another version than this pynvme")
    return [
        Refusal(_text(command), qid, cid, status, _text(field), _text(section))
        for qid, cid, status, _, command, field, section in _REFUSAL.iter_unpack(data)
    ]


def peek(folder: str, nsid: int, lba: int) -> bytes:
    """The data of an LBA as stored."""
    return request(folder, PEEK, nsid, lba)


def poke(folder: str, nsid: int, lba: int, data: bytes) -> None:
    """Replace the data of an LBA."""
    request(folder, POKE, nsid, lba, data=data)


def quit(folder: str) -> None:
    """End the virtual SSD's process."""
    request(folder, QUIT)


def plant(folder: str, text: str) -> tuple[int, int]:
    """Plant the fault rules of a text, one a line. Return the number of the first one, and their count.

    ValueError if a rule is wrong, with the reason; then none is planted.
    """
    data = text.encode(errors="replace")
    if len(data) > DATA_MAX:
        raise ValueError(f"the fault rules have {len(data)} bytes: plant them in parts of at most {DATA_MAX}")
    answer = request(folder, PLANT, data=data)
    first, count = _PLANTED.unpack_from(answer)
    if len(answer) > _PLANTED.size:
        raise ValueError(answer[_PLANTED.size :].decode(errors="replace"))
    return first, count


def faults(folder: str) -> list[Rule]:
    """The planted fault rules, in the order of planting."""
    found: list[Rule] = []
    while lines := request(folder, FAULTS, argument=len(found)).decode().splitlines():
        for line in lines:
            number, matched, fired_, text = line.split(" ", 3)
            found.append(Rule(int(number), int(matched), int(fired_), text))
    return found


def _name_rule(folder: str, command: int, rule: int | str) -> None:
    try:
        if isinstance(rule, str):
            request(folder, command, data=rule.encode())
        else:
            request(folder, command, argument=rule)
    except ValueError:
        raise ValueError(f"the virtual SSD in {folder} has no fault rule {rule!r}") from None


def remove_fault(folder: str, rule: int | str) -> None:
    """Remove a fault rule by its number or name. ValueError if there is none."""
    _name_rule(folder, REMOVE, rule)


def release_fault(folder: str, rule: int | str) -> None:
    """Complete the commands that a fault rule holds. ValueError if there is no such rule."""
    _name_rule(folder, RELEASE, rule)


def clear_faults(folder: str) -> None:
    """Remove all fault rules."""
    request(folder, CLEAR)


def fired(folder: str, first: int = 0) -> list[Fired]:
    """The log of fault rules that fired, from the entry with that index on, as far as it is kept."""
    found: list[Fired] = []
    while data := request(folder, FIRED, argument=first):
        if len(data) % _FIRED.size:
            raise VirtualSsdError(f"the virtual SSD in {folder} is of another version than this pynvme")
        for record in _FIRED.iter_unpack(data):
            entry, time, rule, slba, nsid, qid, cid, opcode, has_command, place, ticks = record
            at = entry, time / 1e9, rule, _PLACES[place], qid
            if has_command:
                found.append(Fired(*at, cid, opcode, nsid, slba, ticks))
            else:
                found.append(Fired(*at, None, None, None, None, ticks))
        first = found[-1].entry + 1
    return found


def age(folder: str, hours: int, *wear: int | None) -> None:
    """Let the drive grow old. ``wear``: the parameters of :meth:`VirtualSsd.age`, None for unchanged."""
    try:
        data = _AGE.pack(hours, *(_UNCHANGED if one is None else one for one in wear))
        request(folder, AGE, data=data)
    except (struct.error, ValueError):
        raise ValueError(
            "hours must be 0 to 10000000, used 0 to 255 and spare 0 to 100 percent, and temperature 233 to "
            f"398 K, not {hours} and {wear}"
        ) from None


def answer(
    folder: str, opcode: int, admin: bool, data: bytes, result: int, status: int, receive: int
) -> None:
    """Plant an answer to a vendor specific opcode. ValueError if it is none, or a value is out of range."""
    argument = opcode | (ANSWER_ADMIN if admin else 0) | status << 16 | receive << 32
    try:
        request(folder, ANSWER, lba=result, argument=argument, data=data)
    except ValueError:
        least = 0xC0 if admin else 0x80
        raise ValueError(
            f"opcode {opcode:#x} is not vendor specific, which begin at {least:#x}, or status {status:#x} is "
            f"above 0x7ff, or {receive} bytes to receive are more than 65464"
        ) from None


def answered(folder: str, opcode: int, admin: bool) -> tuple[int, bytes, bytes]:
    """How many commands an answer had, the last one, and its data. ValueError if none is planted."""
    data = request(folder, ANSWERED, argument=opcode | (ANSWER_ADMIN if admin else 0))
    count, sqe = _ANSWERED.unpack_from(data)
    return count, sqe, data[_ANSWERED.size :]


def remove_answer(folder: str, opcode: int, admin: bool) -> None:
    """Remove an answer."""
    request(folder, ANSWER, argument=opcode | (ANSWER_ADMIN if admin else 0) | ANSWER_REMOVE)


def ana(folder: str, state: int, group: int) -> None:
    """Change the state of an ANA group, 0 for all, at the controller in ``folder``."""
    try:
        request(folder, ANA, group, argument=state)
    except ValueError:
        raise ValueError(
            f"the virtual SSD in {folder} has no ANA group {group}: its option ana is their number"
        ) from None
