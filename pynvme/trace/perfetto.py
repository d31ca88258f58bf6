# SPDX-License-Identifier: BSD-3-Clause
"""Command logs as traces in Chrome's JSON format, for ui.perfetto.dev and chrome://tracing.

Each queue is a process of the trace, and each command a slice. Slices of one track must not overlap, so a
queue has as many tracks as it had commands in flight at a time. Counters show the commands in flight of each
queue, and the temperature, as far as the log has readings of SMART (log page 02h) with their data. Failed
commands and fault rules that fired are marks. Times are in us from the first submission, to a ns.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from pynvme import spec
from pynvme.structure import Kelvin
from pynvme.trace.command import Command
from pynvme.trace.log import CommandLog

DRIVE = 0
"""The process of what belongs to no queue. Queue QID is process QID + 1."""

Event = dict[str, Any]


def _pid(qid: int) -> int:
    return qid + 1


def _meta(kind: str, pid: int, tid: int, **args: Any) -> Event:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": args}


def lanes(commands: list[Command], end: int) -> list[int]:
    """The track of each command, from 0 on, so that none overlap. Commands are in the order of submission."""
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    found = []
    for command in commands:
        while busy and busy[0][0] <= command.submitted_ns:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        found.append(lane)
        completed = end if command.completed_ns is None else command.completed_ns
        # A slice of no length ends after it has begun, too.
        heapq.heappush(busy, (max(completed, command.submitted_ns + 1), lane))
    return found


class _Trace:
    """The events of a log, whose times are relative to its first submission."""

    def __init__(self, log: CommandLog) -> None:
        self.log = log
        self.base = min((c.submitted_ns for c in log), default=0)
        times = [c.submitted_ns if c.completed_ns is None else c.completed_ns for c in log]
        self.end = max(times, default=0)

    def ts(self, ns: int) -> float:
        return (ns - self.base) / 1000

    def events(self) -> Iterator[Event]:
        yield _meta("process_name", DRIVE, 0, name=f"drive {self.log.drive}".strip())
        by_queue: dict[int, list[Command]] = {}
        for command in self.log:
            by_queue.setdefault(command.qid, []).append(command)
        for qid, commands in sorted(by_queue.items()):
            yield from self._queue(qid, sorted(commands, key=lambda c: (c.submitted_ns, c.number)))
        yield from self._temperature()

    def _queue(self, qid: int, commands: list[Command]) -> Iterator[Event]:
        pid = _pid(qid)
        yield _meta("process_name", pid, 0, name=f"queue {qid}" + ("" if qid else " (admin)"))
        yield _meta("process_sort_index", pid, 0, sort_index=pid)
        found = lanes(commands, self.end)
        for lane in range(max(found) + 1):
            yield _meta("thread_name", pid, lane, name=f"in flight {lane + 1}")
            yield _meta("thread_sort_index", pid, lane, sort_index=lane)
        for lane, command in zip(found, commands):
            yield self._slice(pid, lane, command)
            yield from self._marks(pid, lane, command)
        yield from self._depth(pid, commands)

    def _slice(self, pid: int, lane: int, command: Command) -> Event:
        end = self.end if command.completed_ns is None else command.completed_ns
        args = {
            "status": command.status_name,
            "opcode": command.opcode,
            "cid": command.cid,
            "nsid": command.nsid,
            "number": command.number,
            "latency_ns": command.latency_ns,
            **{name: int(value) for name, value in command.fields.items()},
        }
        if command.lbas is not None:
            args |= {"lbas": command.lbas, "slba": command.slba}
        event = {
            "ph": "X",
            "name": command.name if command.completed else f"{command.name} (not completed)",
            "cat": "io" if command.qid else "admin",
            "pid": pid,
            "tid": lane,
            "ts": self.ts(command.submitted_ns),
            "dur": (end - command.submitted_ns) / 1000,
            "args": args,
        }
        return {**event, "cname": "terrible"} if command.failed else event

    def _marks(self, pid: int, lane: int, command: Command) -> Iterator[Event]:
        end = self.end if command.completed_ns is None else command.completed_ns
        marks = [(end, text) for text in command.warnings]
        marks += [(fault.time_ns, f"fault: {fault.text}") for fault in command.faults]
        for when, text in marks:
            place = {"pid": pid, "tid": lane, "ts": self.ts(when), "s": "t"}
            yield {"ph": "i", "name": text, "cat": "finding", **place}

    def _depth(self, pid: int, commands: list[Command]) -> Iterator[Event]:
        """How many commands are in flight, whenever that changes."""
        changes: dict[int, int] = {}
        for command in commands:
            changes[command.submitted_ns] = changes.get(command.submitted_ns, 0) + 1
            if command.completed_ns is not None:
                changes[command.completed_ns] = changes.get(command.completed_ns, 0) - 1
        depth = 0
        for when, change in sorted(changes.items()):
            depth += change
            place = {"pid": pid, "tid": 0, "ts": self.ts(when)}
            yield {"ph": "C", "name": "in flight", **place, "args": {"commands": depth}}

    def _temperature(self) -> Iterator[Event]:
        for command in self.log.filter(qid=0, opcode=int(spec.AdminOpcode.GET_LOG_PAGE)):
            found = command.decode()
            if isinstance(found, spec.SmartLog) and command.completed_ns is not None:
                place = {"pid": DRIVE, "tid": 0, "ts": self.ts(command.completed_ns)}
                celsius = {"celsius": Kelvin(found.ctemp).celsius}
                yield {"ph": "C", "name": "composite temperature", **place, "args": celsius}


def write(log: CommandLog, file: BinaryIO) -> None:
    """Write a log as a trace."""
    trace = _Trace(log)
    other = {"format": "pynvme commands", "version": 1, "drive": log.drive, "start_ns": str(trace.base)}
    file.write(f'{{"displayTimeUnit": "ns", "otherData": {json.dumps(other)}, "traceEvents": [\n'.encode())
    for number, event in enumerate(sorted(trace.events(), key=lambda event: event.get("ts", -1.0))):
        file.write((",\n" if number else "").encode() + json.dumps(event).encode())
    file.write(b"\n]}\n")
