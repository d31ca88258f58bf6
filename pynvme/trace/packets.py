# SPDX-License-Identifier: BSD-3-Clause
"""Makes the packets of a capture from the records of any number of queues, in the order of their times.

Most packets are a command without data, or a completion without comments. Those are made by arrays of numpy,
some millions a second. All others are made one by one, by :class:`pynvme.trace.pcapng.Conversation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy

from pynvme.trace import pcapng
from pynvme.trace.command import NEVER, RECORD, Command, Fault
from pynvme.trace.pcapng import (
    ARBITRATION,
    BEFORE_NS,
    CAPSULE_CMD,
    CAPSULE_RESP,
    FID,
    GET_FEATURES,
    SET_FEATURES,
    SGL,
    TARGET_PORT,
    Conversation,
)

Array = numpy.ndarray[Any, Any]

DTYPE = numpy.dtype(
    [
        ("sqe", "u1", 64),
        ("cqe", "u1", 16),
        ("submitted", "<u8"),
        ("latency", "<u8"),
        ("number", "<u8"),
        ("slba", "<u8"),
        ("nlb", "<u4"),
        ("qid", "<u2"),
        ("told", "<u2"),
        ("reserved", "<u8"),
    ]
)
"""A record of RECORD."""

AT_ONCE = 1 << 16
"""Packets that are made at once."""

_IP, _TCP, _PDU = 28, 48, 68  # where the headers begin in a block
_SQE, _CQE = 64, 16
_CAPSULE, _RESPONSE = 8 + _SQE, 8 + _CQE
_DATA_AFTER = 24  # the header of C2HData


@dataclass
class Source:
    """The commands of one queue, from its creation to its deletion."""

    conversation: Conversation
    records: bytes
    """In the order of their submission."""
    data: dict[int, bytes] = field(default_factory=dict)
    """Data that were kept, by the index of the record."""
    faults: dict[int, tuple[Fault, ...]] = field(default_factory=dict)
    comment: str = ""
    """Of its first packet."""


class _Queue:
    """The events of a queue: the beginning of its conversation, commands and completions."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.records: Array = numpy.frombuffer(source.records, dtype=DTYPE)
        records = self.records
        self.completed = records["latency"] != NEVER
        ended = numpy.nonzero(self.completed)[0]
        count = len(records)
        self.row = numpy.concatenate([[0], numpy.arange(count), ended])
        self.kind = numpy.repeat(numpy.array([_BEGIN, _SEND, _END]), [1, count, len(ended)])
        begin = max(int(records["submitted"].min()), BEFORE_NS) - BEFORE_NS
        ends = records["submitted"][ended] + records["latency"][ended]
        self.time = numpy.concatenate([numpy.array([begin], dtype="<u8"), records["submitted"], ends])
        # The completion that frees a CID may have the time of the submission that uses it next.
        self.rank = 2 * self.row + (self.kind == _END) - 3 * (self.kind == _BEGIN)
        self.slow = self._slow()
        self.lengths = numpy.where(self.kind == _SEND, _CAPSULE, _RESPONSE)
        for index in numpy.nonzero(self.slow)[0]:
            self.lengths[index] = self._sent(int(index))[int(self.kind[index] == _END)]

    def command(self, row: int) -> Command:
        return Command(
            self.records[row].tobytes(), self.source.faults.get(row, ()), self.source.data.get(row)
        )

    def _slow(self) -> Array:
        """Which events need more than a plain packet."""
        records = self.records
        status = records["cqe"][:, 14].astype("u2") | records["cqe"][:, 15].astype("u2") << 8
        bad = (status >> 1 & 0x7FF != 0) | (records["told"] & 0xFF != 0)
        has_data = numpy.zeros(len(records), dtype=bool)
        has_data[list(self.source.data)] = True
        faulty = numpy.zeros(len(records), dtype=bool)
        faulty[list(self.source.faults)] = True
        by_sgl = records["sqe"][:, 1] & 0xC0 != 0
        features = (records["qid"] == 0) & numpy.isin(records["sqe"][:, 0], (SET_FEATURES, GET_FEATURES))
        renamed = features & (records["sqe"][:, FID] == ARBITRATION)
        slow_send = has_data | faulty | by_sgl | renamed | ~self.completed
        slow_end = (has_data | bad)[self.completed]
        return numpy.concatenate([[True], slow_send, slow_end])

    def _sent(self, event: int) -> tuple[int, int]:
        """The bytes of a TCP stream that an event sends, to the drive and from it."""
        if self.kind[event] == _BEGIN:
            return 0, 0
        row = int(self.row[event])
        data = pcapng.shown_data(self.command(row)) or b""
        direction = int(self.records["sqe"][row, 0]) & 3
        if self.kind[event] == _SEND:
            return _CAPSULE + (len(data) if direction == 1 else 0), 0
        pieces = -(-len(data) // pcapng.LARGEST_SEGMENT)
        return 0, _RESPONSE + (len(data) + _DATA_AFTER * pieces if direction == 2 else 0)

    def number(self, order: Array) -> tuple[Array, Array]:
        """The TCP sequence numbers before each event, to the drive and from it. ``order``: of the events."""
        talk = self.source.conversation
        talk.sent = {True: 0, False: 0}
        talk.begin(0)
        talk.take()
        found = []
        for to_drive in (True, False):
            is_ours = (self.kind == (_SEND if to_drive else _END))[order]
            sent = numpy.where(is_ours, self.lengths[order], 0).cumsum()
            before = numpy.empty(len(order), dtype="u8")
            before[order] = talk.sent[to_drive] + sent - numpy.where(is_ours, self.lengths[order], 0)
            found.append(before & 0xFFFFFFFF)
        return found[0], found[1]

    def make(self, event: int, ours: int, theirs: int) -> bytes:
        """The blocks of an event that needs more than a plain packet."""
        talk = self.source.conversation
        if self.kind[event] == _BEGIN:
            talk.sent = {True: 0, False: 0}
            talk.begin(int(self.time[event]), self.source.comment)
            return talk.take()
        talk.sent = {True: ours, False: theirs}
        command = self.command(int(self.row[event]))
        if self.kind[event] == _SEND:
            talk.command(command)
        else:
            talk.completion(command)
        return talk.take()


_BEGIN, _SEND, _END = 0, 1, 2


class _Plain:
    """Plain packets of one kind."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        payload = _CAPSULE if kind == _SEND else _RESPONSE
        self.size = _PDU + payload + 4
        talk = Conversation(0)
        sqe = bytearray(64)
        record = RECORD.pack(bytes(sqe), bytes(16), 0, 0, 1, 0, 0, 0, 0, 0)
        (talk.command if kind == _SEND else talk.completion)(Command(record))
        self.template: Array = numpy.frombuffer(talk.take(), dtype="u1")
        assert len(self.template) == self.size and self.template[_PDU] in (CAPSULE_CMD, CAPSULE_RESP)

    def make(self, times: Array, talks: Array, ours: Array, theirs: Array, records: Array) -> Array:
        """The blocks, a row each. ``talks``: host, target and port of each, as bytes in network order."""
        blocks = numpy.tile(self.template, (len(times), 1))
        to_drive = self.kind == _SEND
        _put(blocks, 12, (times >> numpy.uint64(32)).astype("<u4"))
        _put(blocks, 16, (times & numpy.uint64(0xFFFFFFFF)).astype("<u4"))
        host, target, port = talks[:, 0:4], talks[:, 4:8], talks[:, 8:10]
        blocks[:, _IP + 12 : _IP + 16] = host if to_drive else target
        blocks[:, _IP + 16 : _IP + 20] = target if to_drive else host
        fixed = numpy.frombuffer(TARGET_PORT.to_bytes(2, "big"), dtype="u1")
        blocks[:, _TCP : _TCP + 2] = port if to_drive else fixed
        blocks[:, _TCP + 2 : _TCP + 4] = fixed if to_drive else port
        _put(blocks, _TCP + 4, (ours if to_drive else theirs).astype(">u4"))
        _put(blocks, _TCP + 8, (theirs if to_drive else ours).astype(">u4"))
        if to_drive:
            sqe = blocks[:, _PDU + 8 : _PDU + 8 + _SQE]
            address = sqe[:, 24:40].copy()
            sqe[:] = records["sqe"]
            sqe[:, 1] = sqe[:, 1] & 0x3F | SGL
            sqe[:, 24:40] = address
        else:
            cqe = blocks[:, _PDU + 8 : _PDU + 8 + _CQE]
            cqe[:] = records["cqe"]
            cqe[:, 14] &= 0xFE
        self._sum(blocks)
        return blocks

    def _sum(self, blocks: Array) -> None:
        """Compute the checksums of IP and TCP."""
        blocks[:, _IP + 10 : _IP + 12] = 0
        _put(blocks, _IP + 10, _checksum(_words(blocks, _IP, _TCP).sum(axis=1, dtype="u8")))
        blocks[:, _TCP + 16 : _TCP + 18] = 0
        total = _words(blocks, _TCP, self.size - 4).sum(axis=1, dtype="u8")
        total += _words(blocks, _IP + 12, _IP + 20).sum(axis=1, dtype="u8")
        total += numpy.uint64(6 + self.size - 4 - _TCP)
        _put(blocks, _TCP + 16, _checksum(total))


def _words(blocks: Array, begin: int, end: int) -> Array:
    words: Array = numpy.ascontiguousarray(blocks[:, begin:end]).view(">u2")
    return words


def _checksum(total: Array) -> Array:
    for _ in range(2):
        total = (total & numpy.uint64(0xFFFF)) + (total >> numpy.uint64(16))
    found: Array = (~total & numpy.uint64(0xFFFF)).astype(">u2")
    return found


def _put(blocks: Array, place: int, values: Array) -> None:
    """Set a field of all rows."""
    width = values.dtype.itemsize
    blocks[:, place : place + width] = values.view("u1").reshape(-1, width)


def write(
    sources: Sequence[Source], file: BinaryIO, comment: str = "", names: dict[bytes, str] | None = None
) -> None:
    """Write the commands of queues as a capture. ``names`` are those of the addresses of drives."""
    file.write(pcapng.head(comment))
    file.write(pcapng.names(names or {}))
    queues = [_Queue(source) for source in sources if source.records]
    if not queues:
        return
    events = _Events(queues)
    for piece in events.pieces():
        file.write(piece)


class _Events:
    """The events of all queues."""

    def __init__(self, queues: list[_Queue]) -> None:
        numbers = [queue.number(numpy.lexsort((queue.rank, queue.time))) for queue in queues]
        self.queues = queues
        self.time, self.rank, self.row, self.kind, self.slow = (
            numpy.concatenate([getattr(queue, name) for queue in queues])
            for name in ("time", "rank", "row", "kind", "slow")
        )
        self.ours, self.theirs = (numpy.concatenate([pair[side] for pair in numbers]) for side in (0, 1))
        sizes = [len(queue.time) for queue in queues]
        self.owner = numpy.repeat(numpy.arange(len(queues)), sizes)
        # The first event of each queue, and its first record.
        self.first = numpy.cumsum([0, *sizes[:-1]])
        self.start = numpy.cumsum([0, *(len(queue.records) for queue in queues[:-1])])
        self.records = numpy.concatenate([queue.records for queue in queues])
        self.talks = numpy.array([_talk(queue.source.conversation) for queue in queues], dtype="u1")
        self.plain = {kind: _Plain(kind) for kind in (_SEND, _END)}

    def pieces(self) -> Iterator[bytes]:
        """The packets of all events in the order of their times, some at once."""
        order = numpy.lexsort((self.rank, self.owner, self.time))
        for begin in range(0, len(order), AT_ONCE):
            yield self._piece(order[begin : begin + AT_ONCE])

    def _piece(self, events: Array) -> bytes:
        made = {int(place): self._slow(int(events[place])) for place in numpy.nonzero(self.slow[events])[0]}
        is_plain = ~self.slow[events]
        lengths = numpy.zeros(len(events), dtype="i8")
        for place, block in made.items():
            lengths[place] = len(block)
        chosen = {kind: numpy.nonzero((self.kind[events] == kind) & is_plain)[0] for kind in self.plain}
        for kind, places in chosen.items():
            lengths[places] = self.plain[kind].size
        starts = lengths.cumsum() - lengths
        out = numpy.empty(int(lengths.sum()), dtype="u1")
        words = out.view("<u4")
        for kind, places in chosen.items():
            blocks = self._fast(kind, events[places]).view("<u4")
            words[starts[places][:, None] // 4 + numpy.arange(blocks.shape[1])] = blocks
        for place, block in made.items():
            out[int(starts[place]) :][: len(block)] = numpy.frombuffer(block, dtype="u1")
        return out.tobytes()

    def _slow(self, event: int) -> bytes:
        owner = int(self.owner[event])
        own = event - int(self.first[owner])
        return self.queues[owner].make(own, int(self.ours[event]), int(self.theirs[event]))

    def _fast(self, kind: int, events: Array) -> Array:
        owner = self.owner[events]
        records = self.records[self.start[owner] + self.row[events]]
        return self.plain[kind].make(
            self.time[events], self.talks[owner], self.ours[events], self.theirs[events], records
        )


def _talk(talk: Conversation) -> list[int]:
    return [*talk.host, *talk.target, *talk.port.to_bytes(2, "big")]
