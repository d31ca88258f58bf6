# SPDX-License-Identifier: BSD-3-Clause
"""Command logs as captures that Wireshark opens as NVMe, and back.

A queue is a TCP conversation of NVMe/TCP (NVM Express NVMe over TCP Transport Specification 1.1) between port
40000 + QID of the host and port 4420 of the drive. It begins with ICReq, ICResp and a Connect that names the
QID. Without the Connect, Wireshark takes the admin queue for an I/O queue. Then each command is a capsule,
data that were kept are in it or in C2HData, and each completion is a response capsule. The times of the
packets are those of the log, to a nanosecond, so that ``nvme.cmd_latency`` is the latency. Warnings of the
driver, and fault rules that fired, are comments of the packets.

PRPs and SGLs of PCIe mean nothing in NVMe/TCP. The capture has a transport data block SGL descriptor in
their place, and an SGL descriptor of the command is a comment of the packet. The feature Arbitration has the
number 00h, see :func:`is_arbitration`.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from typing import BinaryIO

from pynvme.trace.command import NEVER, RECORD, Command
from pynvme.trace.log import CommandLog

HOST, TARGET = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
HOST_PORT, TARGET_PORT = 40000, 4420
LINKTYPE_RAW = 101
ICREQ, ICRESP, CAPSULE_CMD, CAPSULE_RESP, C2H_DATA = 0, 1, 4, 5, 7
LAST_PDU = 0x04
LARGEST_SEGMENT = 32768
GET_LOG_PAGE = 0x02
LEAST_OF_LOG = {
    0x01: 128,
    0x02: 512,
    0x03: 512,
    0x05: 4096,
    0x07: 512,
    0x08: 512,
    0x0B: 16,
    0x0C: 16,
    0x81: 512,
}
"""Bytes of a log page that Wireshark needs, by LID. It needs two entries of Error Information."""
SET_FEATURES, GET_FEATURES, ARBITRATION = 0x09, 0x0A, 0x01
IS_ARBITRATION = "feature 01h, Arbitration: shown as 00h, since Wireshark takes 01h for malformed"
"""The comment of a command whose FID is 00h in the capture."""
FABRICS, CONNECT = 0x7F, 0x01
TRANSPORT_SGL = 0x5A
SGL = 0x40  # PSDT 01b
SYN, FIN, ACK, PUSH = 0x02, 0x01, 0x10, 0x08
BEFORE_NS = 1  # from the beginning of a conversation to its first command
NO_CID = 0xFFFF

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6
_COMMENT = 1
_DPTR = slice(24, 40)
FID = 40
"""The place of the FID in a command."""


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def head(comment: str = "") -> bytes:
    """The section, and an interface whose time stamps are in ns."""
    from pynvme import __version__

    program = _option(_COMMENT, comment.encode()) if comment else b""
    program += _option(4, f"pynvme {__version__}".encode()) + _option(0, b"")
    section = _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + program)
    options = _option(2, b"nvme") + _option(9, b"\x09") + _option(0, b"")
    return section + _block(_INTERFACE, struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + options)


def names(known: dict[bytes, str]) -> bytes:
    """A block with the names of addresses, which Wireshark shows."""
    records = b"".join(
        _option(1, address + name.encode()[:1000] + b"\0") for address, name in sorted(known.items())
    )
    return _block(_NAMES, records + _option(0, b"")) if known else b""


def _checksum(data: bytes) -> int:
    """The Internet checksum, the complement of the sum of big-endian words."""
    words = array("H", data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    swapped = (total & 0xFF) << 8 | total >> 8  # the sum of swapped words is the swapped sum
    return ~swapped & 0xFFFF


def shown_data(command: Command) -> bytes | None:
    """The data for a packet, or None.

    Wireshark decodes the whole structure of a log page, and takes data that are shorter for malformed.
    """
    data = command.data
    if data is None or command.qid or command.opcode != GET_LOG_PAGE:
        return data
    return data if len(data) >= LEAST_OF_LOG.get(int(command.lid), 0) else None


def is_arbitration(command: Command) -> bool:
    """Whether it sets or gets the feature Arbitration.

    Wireshark has not registered a field of it, and takes each packet that it decodes with it for malformed.
    """
    return (
        command.qid == 0
        and command.opcode in (SET_FEATURES, GET_FEATURES)
        and bytes(command.sqe)[FID] == ARBITRATION
    )


class Conversation:
    """Packets of the TCP connection of one queue, in both directions."""

    def __init__(self, qid: int, host: bytes = HOST, target: bytes = TARGET) -> None:
        self.qid = qid
        self.host, self.target = host, target
        self.sent = {True: 0, False: 0}
        """The next sequence number, by whether the host sends."""
        self.port = HOST_PORT + qid if HOST_PORT + qid < 65536 else qid
        self._blocks: list[bytes] = []

    def take(self) -> bytes:
        """The blocks of the packets that were made since the last call."""
        blocks = b"".join(self._blocks)
        self._blocks.clear()
        return blocks

    def begin(self, now: int, comment: str = "") -> None:
        """Connect the queue, with all packets at one moment, in ns since 1970."""
        comments = [comment] if comment else []
        for from_host, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
            self._segment(from_host, b"", now, comments, flags)
            comments = []
        sizes = struct.pack("<HBBI112x", 0, 0, 0, 0)
        self._pdu(True, ICREQ, 0, sizes, b"", now)
        largest = struct.pack("<HBBI112x", 0, 0, 0, 1 << 20)
        self._pdu(False, ICRESP, 0, largest, b"", now)
        sqe = struct.pack("<BBHB19x", FABRICS, SGL, NO_CID, CONNECT) + _descriptor(1024)
        sqe += struct.pack("<HHHBxI12x", 0, self.qid, 31 if self.qid == 0 else 1023, 0, 0)
        name = b"nqn.2014-08.org.nvmexpress:pynvme"
        data = struct.pack("<16sH238x256s256s256x", b"", 0xFFFF, name, name)
        self._pdu(True, CAPSULE_CMD, 0, sqe, data, now)
        cqe = struct.pack("<IIHHHH", 1, 0, 1, self.qid, NO_CID, 0)
        self._pdu(False, CAPSULE_RESP, 0, cqe, b"", now)

    def command(self, command: Command) -> None:
        """The capsule of a command, with its data if they go to the drive."""
        raw = bytes(command.sqe)
        to_drive = command.data if command.data is not None and command.opcode & 3 == 1 else b""
        sqe = bytearray(raw)
        sqe[1] = sqe[1] & 0x3F | SGL
        sqe[_DPTR] = _descriptor(len(shown_data(command) or b""))
        comments = [
            f"fault fired {fault.time_ns - command.submitted_ns} ns after the submission: {fault.text}"
            for fault in command.faults
        ]
        if command.sgl is not None:
            comments.append(f"data pointer: SGL descriptor {raw[_DPTR].hex()}")
        if is_arbitration(command):
            sqe[FID] = 0
            comments.append(IS_ARBITRATION)
        if not command.completed:
            comments += command.warnings or ["not completed"]
        self._pdu(True, CAPSULE_CMD, 0, bytes(sqe), to_drive, command.submitted_ns, comments)

    def completion(self, command: Command) -> None:
        """The data that the drive has transferred, if they were kept, and the response capsule."""
        now = command.completed_ns
        assert now is not None
        data = shown_data(command)
        if data is not None and command.opcode & 3 == 2:
            for start in range(0, len(data), LARGEST_SEGMENT):
                part = data[start : start + LARGEST_SEGMENT]
                last = LAST_PDU if start + len(part) == len(data) else 0
                place = struct.pack("<HHIII", command.cid, 0, start, len(part), 0)
                self._pdu(False, C2H_DATA, last, place, part, now)
        cqe = bytearray(bytes(command.cqe or b""))
        cqe[14] &= 0xFE  # the phase tag, which NVMe/TCP has not
        comments = command.warnings
        if data is None and command.data is not None:
            comments = [*comments, f"its data are shorter than their structure: {command.data.hex()}"]
        self._pdu(False, CAPSULE_RESP, 0, bytes(cqe), b"", now, comments)

    def _pdu(
        self,
        from_host: bool,
        kind: int,
        flags: int,
        head: bytes,
        data: bytes,
        now: int,
        comments: list[str] | None = None,
    ) -> None:
        length = 8 + len(head)
        pdo = length if data else 0
        pdu = struct.pack("<BBBBI", kind, flags, length, pdo, length + len(data)) + head + data
        for start in range(0, len(pdu), LARGEST_SEGMENT + length):
            # Wireshark shows the message at its last segment.
            is_last = start + LARGEST_SEGMENT + length >= len(pdu)
            part = pdu[start : start + LARGEST_SEGMENT + length]
            self._segment(from_host, part, now, comments if is_last else None)

    def _segment(
        self,
        from_host: bool,
        payload: bytes,
        now: int,
        comments: list[str] | None = None,
        flags: int = ACK | PUSH,
    ) -> None:
        ports = (self.port, TARGET_PORT) if from_host else (TARGET_PORT, self.port)
        addresses = self.host + self.target if from_host else self.target + self.host
        sequence, seen = self.sent[from_host], self.sent[not from_host] if flags & ACK else 0
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, seen, 0x50, flags, 0xFFFF, 0, 0)
        pseudo = addresses + struct.pack(">BBH", 0, 6, len(tcp) + len(payload))
        tcp = tcp[:16] + struct.pack(">H", _checksum(pseudo + tcp + payload)) + tcp[18:]
        taken = len(payload) + bool(flags & (SYN | FIN))
        self.sent[from_host] = (sequence + taken) & 0xFFFFFFFF
        head = (
            struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp) + len(payload), 0, 0x4000, 64, 6, 0) + addresses
        )
        head = head[:10] + struct.pack(">H", _checksum(head)) + head[12:]
        packet = head + tcp + payload
        fixed = struct.pack("<IIIII", 0, now >> 32, now & 0xFFFFFFFF, len(packet), len(packet))
        options = b"".join(_option(_COMMENT, text.encode()[:65000]) for text in comments or ())
        if options:
            options += _option(0, b"")
        self._blocks.append(_block(_PACKET, fixed + packet + bytes(-len(packet) % 4) + options))


def _descriptor(length: int) -> bytes:
    """A transport SGL data block descriptor (Base 2.1, 4.3.2)."""
    return struct.pack("<QI3xB", 0, length, TRANSPORT_SGL)


def write(log: CommandLog, file: BinaryIO) -> None:
    """Write a log as a capture."""
    from pynvme.trace import packets

    by_queue: dict[int, list[Command]] = {}
    for command in log:
        by_queue.setdefault(command.qid, []).append(command)
    queues = [
        packets.Source(
            Conversation(qid),
            b"".join(command.raw for command in commands),
            {i: command.data for i, command in enumerate(commands) if command.data is not None},
            {i: command.faults for i, command in enumerate(commands) if command.faults},
        )
        for qid, commands in sorted(by_queue.items())
    ]
    packets.write(queues, file)


# ---- back ----


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            raise ValueError(f"the block at byte {at} is damaged")
        yield kind, data[at + 8 : at + length - 4]
        at += length


class _Stream:
    """What was sent in one direction of a conversation, in whole PDUs."""

    def __init__(self) -> None:
        self._rest = b""

    def pdus(self, payload: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """The type, the header and the data of each PDU that is complete with this segment."""
        self._rest += payload
        while len(self._rest) >= 8:
            kind, _, length, pdo, whole = struct.unpack_from("<BBBBI", self._rest)
            if whole < 8 or length < 8:
                raise ValueError("a PDU is damaged")
            if len(self._rest) < whole:
                return
            data = self._rest[pdo:whole] if pdo else b""
            head, self._rest = self._rest[8:length], self._rest[whole:]
            yield kind, head, data


class _Queue:
    """The commands of one conversation."""

    def __init__(self, qid: int) -> None:
        self.qid = qid
        self.commands: list[_Sent] = []
        self._in_flight: dict[int, _Sent] = {}
        self._streams = {True: _Stream(), False: _Stream()}

    def packet(self, from_host: bool, payload: bytes, now: int, options: bytes = b"") -> None:
        """Take a segment of the conversation, with the options of its block."""
        for kind, head, data in self._streams[from_host].pdus(payload):
            if kind == CAPSULE_CMD and head[0] != FABRICS:
                if IS_ARBITRATION.encode() in options:
                    head = head[:FID] + bytes([ARBITRATION]) + head[FID + 1 :]
                cid = int.from_bytes(head[2:4], "little")
                self._in_flight[cid] = _Sent(head[:64], now, bytearray(data))
                self.commands.append(self._in_flight[cid])
            elif kind == C2H_DATA:
                cid, _, start = struct.unpack_from("<HHI", head)
                if cid in self._in_flight:
                    self._in_flight[cid].data[start : start + len(data)] = data
            elif kind == CAPSULE_RESP:
                sent = self._in_flight.pop(int.from_bytes(head[12:14], "little"), None)
                if sent is not None:
                    sent.cqe, sent.latency = head[:16], now - sent.submitted


class _Sent:
    """A command whose completion may still come."""

    def __init__(self, sqe: bytes, submitted: int, data: bytearray) -> None:
        self.sqe, self.submitted, self.data = sqe, submitted, data
        self.cqe, self.latency = bytes(16), NEVER

    def command(self, qid: int, number: int) -> Command:
        raw = RECORD.pack(self.sqe, self.cqe, self.submitted, self.latency, number, 0, 0, qid, 0, 0)
        return Command(raw, data=bytes(self.data) if self.data else None)


def read(data: bytes) -> CommandLog:
    """The commands of a capture that :func:`write` wrote. Comments, and numbers in the queue, are lost.

    Raises:
        ValueError: it is no such capture
    """
    queues: dict[tuple[bytes, int], _Queue] = {}
    for kind, body in _blocks(data):
        if kind != _PACKET or len(body) < 60:
            continue
        _, high, low, length = struct.unpack_from("<IIII", body)
        packet = body[20 : 20 + length]
        source, target = struct.unpack_from(">HH", packet, 20)
        if packet[0] != 0x45 or packet[9] != 6 or TARGET_PORT not in (source, target):
            raise ValueError("it has other packets than those of a command log")
        from_host = target == TARGET_PORT
        port, host = (source, packet[12:16]) if from_host else (target, packet[16:20])
        qid = port - HOST_PORT if port >= HOST_PORT else port
        queue = queues.setdefault((host, port), _Queue(qid))
        queue.packet(from_host, packet[40:], high << 32 | low, body[20 + length :])
    found = [
        one.command(queue.qid, i + 1) for queue in queues.values() for i, one in enumerate(queue.commands)
    ]
    return CommandLog(sorted(found, key=lambda c: (c.submitted_ns, c.qid, c.number)))
