# SPDX-License-Identifier: BSD-3-Clause
"""Traces of other tools, and pynvme's own, as the ``io_sequence`` of an IO worker.

A reader yields (time in ns, opcode, first byte, bytes, device). :func:`sequence` turns that into LBAs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pynvme.loading import install
from pynvme.trace.log import CommandLog

FLUSH, WRITE, READ, WRITE_ZEROES, DSM = 0x00, 0x01, 0x02, 0x08, 0x09
SENT = frozenset((FLUSH, WRITE, READ, 0x04, 0x05, WRITE_ZEROES, DSM, 0x0C))
"""The opcodes that an IO worker can send."""

SECTOR = 512
LARGEST = 65536
Step = tuple[int, int, int, int]


class Io(NamedTuple):
    """One IO of a trace. If ``in_lbas``, it begins at an LBA and has a number of LBAs, otherwise of bytes."""

    time_ns: int
    opcode: int
    start: int
    length: int
    device: str
    in_lbas: bool = False


# ---- fio ----

_FIO_ACTIONS = {
    "read": READ,
    "write": WRITE,
    "sync": FLUSH,
    "datasync": FLUSH,
    "trim": DSM,
}
_FIO_FILES = frozenset(("add", "open", "close"))


def fio(lines: Iterable[str]) -> Iterator[Io]:
    """An iolog of fio, of version 2 (with waits) or 3 (with times). Both count in us."""
    version = 0
    waited = 0
    for number, line in enumerate(lines, 1):
        words = line.split()
        if number == 1:
            found = re.fullmatch(r"fio version ([23]) iolog", line.strip())
            if not found:
                raise ValueError("line 1 must be 'fio version 2 iolog' or 'fio version 3 iolog'")
            version = int(found[1])
            continue
        if not words:
            continue
        now = waited
        if version == 3:
            now, words = _number(words[0], number), words[1:]
        if len(words) == 2 and words[1] in _FIO_FILES:
            continue
        if len(words) == 2 and words[1] in _FIO_ACTIONS:
            words += ["0", "0"]
        if len(words) != 4:
            raise ValueError(f"line {number} is no entry of an iolog: {line.strip()!r}")
        name, action, start, length = words
        if action == "wait" and version == 2:
            waited += _number(start, number)
        elif action in _FIO_ACTIONS:
            opcode = _FIO_ACTIONS[action]
            yield Io(now * 1000, opcode, _number(start, number), _number(length, number), name)
        elif action not in _FIO_FILES:
            raise ValueError(f"line {number} has an unknown action, {action!r}")


def _number(word: str, line: int) -> int:
    if not word.isdecimal():
        raise ValueError(f"line {line}: {word!r} is no number")
    return int(word)


# ---- blkparse ----

_BLKPARSE = re.compile(
    r"\s*(?P<device>\d+,\d+)\s+\d+\s+\d+\s+(?P<s>\d+)\.(?P<ns>\d{9})\s+\d+\s+(?P<action>[A-Z]+)\s+"
    r"(?P<rwbs>[A-Z]+)(?:\s+(?P<sector>\d+)\s+\+\s+(?P<sectors>\d+))?"
)

_RWBS = re.compile(r"(F?)([WDR]?)")
"""The flags of an IO: F for a flush before it, then the operation. An F after it means FUA."""
_RWBS_OPCODES = {"W": WRITE, "D": DSM, "R": READ}


def blkparse(lines: Iterable[str]) -> Iterator[Io]:
    """The text of blkparse in its default format: each IO when it was issued to the drive (action D).

    A trace without this action has those that were queued (Q) instead.
    """
    issued: list[Io] = []
    queued: list[Io] = []
    for line in lines:
        found = _BLKPARSE.match(line)
        if not found or found["action"] not in ("D", "Q"):
            continue
        flags = _RWBS.match(found["rwbs"])
        kept = issued if found["action"] == "D" else queued
        time_ns = int(found["s"]) * 1_000_000_000 + int(found["ns"])
        start, length = int(found["sector"] or 0) * SECTOR, int(found["sectors"] or 0) * SECTOR
        if flags and flags[1]:
            kept.append(Io(time_ns, FLUSH, 0, 0, found["device"]))
        if flags and flags[2] in _RWBS_OPCODES and length:
            kept.append(Io(time_ns, _RWBS_OPCODES[flags[2]], start, length, found["device"]))
    yield from issued or queued


# ---- Linux's trace events of NVMe ----

_FTRACE = re.compile(
    r".*?\s(?P<s>\d+)\.(?P<us>\d+):\s+nvme_setup_cmd:\s+(?P<ctrl>\w+):\s+(?:disk=(?P<disk>\S+),\s+)?"
    r"qid=(?P<qid>\d+),.*?cmd=\((?P<command>nvme_\w+)\s*(?P<fields>[^)]*)\)"
)
_FTRACE_OPCODES = {
    "nvme_cmd_read": READ,
    "nvme_cmd_write": WRITE,
    "nvme_cmd_flush": FLUSH,
    "nvme_cmd_write_zeroes": WRITE_ZEROES,
    "nvme_cmd_compare": 0x05,
    "nvme_cmd_write_uncor": 0x04,
    "nvme_cmd_verify": 0x0C,
}


def ftrace(lines: Iterable[str]) -> Iterator[Io]:
    """The text of Linux's trace event nvme:nvme_setup_cmd. LBAs are the drive's, 0's based lengths as well.

    Dataset Management is left out, since the event does not have its ranges.
    """
    for line in lines:
        found = _FTRACE.match(line)
        opcode = _FTRACE_OPCODES.get(found["command"]) if found else None
        if not found or opcode is None:
            continue
        time_ns = int(found["s"]) * 1_000_000_000 + int(found["us"].ljust(9, "0")[:9])
        fields = dict(re.findall(r"(\w+)=(\w+)", found["fields"]))
        device = found["disk"] or found["ctrl"]
        if opcode == FLUSH:
            yield Io(time_ns, FLUSH, 0, 0, device, True)
        elif "slba" in fields and "len" in fields:
            yield Io(time_ns, opcode, int(fields["slba"]), int(fields["len"]) + 1, device, True)


# ---- pynvme's own ----


def _own(log: CommandLog) -> Iterator[Io]:
    for command in log:
        if command.qid == 0 or command.opcode not in SENT:
            continue
        lbas = 0 if command.opcode == FLUSH else command.lbas
        if lbas is not None and (lbas or command.opcode == FLUSH):
            device = str(command.nsid)
            yield Io(command.submitted_ns, command.opcode, command.slba or 0, lbas, device, True)


def _table(rows: Iterable[Iterable[int]]) -> Iterator[Io]:
    for submitted, qid, opcode, slba, lbas, nsid in rows:
        if qid and opcode in SENT and (lbas or opcode == FLUSH):
            yield Io(int(submitted), int(opcode), int(slba), int(lbas), str(nsid), True)


_COLUMNS = ("submitted_ns", "qid", "opcode", "slba", "lbas", "nsid")


def _numpy(name: str) -> Iterator[Io]:
    import numpy

    table = numpy.load(name)
    if table.dtype.names is None or not set(_COLUMNS) <= set(table.dtype.names):
        raise ValueError("it has not the columns of a command log")
    return _table(zip(*(table[column].tolist() for column in _COLUMNS)))


def _parquet(name: str) -> Iterator[Io]:
    import importlib

    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError(f"{name}: a .parquet file needs pyarrow: {install('pyarrow')}") from error
    table = parquet.read_table(name, columns=list(_COLUMNS))
    return _table(zip(*(table.column(column).to_pylist() for column in _COLUMNS)))


def chrome(name: str) -> Iterator[Io]:
    """A trace for Perfetto that :meth:`CommandLog.save` wrote. The commands are its slices of I/O queues."""
    import json

    with open(name, encoding="utf-8") as file:
        loaded = json.load(file)
    if not isinstance(loaded, dict) or (loaded.get("otherData") or {}).get("format") != "pynvme commands":
        raise ValueError("it is no trace of pynvme")
    for event in loaded["traceEvents"]:
        args = event.get("args", {})
        if event["ph"] != "X" or event["cat"] != "io" or args["opcode"] not in SENT:
            continue
        if args["opcode"] == FLUSH or args.get("lbas"):
            now = round(event["ts"] * 1000)
            start, length = args.get("slba", 0), args.get("lbas", 0)
            yield Io(now, args["opcode"], start, length, str(args["nsid"]), True)


# ---- all together ----

TEXTS: dict[str, Callable[[Iterable[str]], Iterator[Io]]] = {
    "fio": fio,
    "blkparse": blkparse,
    "ftrace": ftrace,
}
BINARY: dict[str, Callable[[str], Iterator[Io]]] = {
    "trace": lambda name: _own(_load(name)),
    "pcapng": lambda name: _own(_load(name)),
    "json": chrome,
    "npy": _numpy,
    "parquet": _parquet,
}
FORMATS = (*TEXTS, *BINARY)


def _load(name: str) -> CommandLog:
    from pynvme.trace import files

    return files.load(name)


def kind_of(name: str) -> str:
    """The format of a file, by its suffix or by what it begins with."""
    suffix = os.path.splitext(name)[1].lstrip(".").lower()
    if suffix in BINARY:
        return suffix
    with open(name, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("fio version"):
                return "fio"
            if _BLKPARSE.match(line):
                return "blkparse"
            if "nvme_setup_cmd:" in line:
                return "ftrace"
    raise ValueError(f"{name} is no trace that pynvme knows. It knows {', '.join(FORMATS)}")


def _ios(name: str, format: str | None) -> list[Io]:
    kind = kind_of(name) if format is None else format
    if kind in BINARY:
        return list(BINARY[kind](name))
    if kind not in TEXTS:
        raise ValueError(f"there is no format {kind!r}: there are {', '.join(FORMATS)}")
    with open(name, encoding="utf-8", errors="replace") as file:
        try:
            return list(TEXTS[kind](file))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def sequence(
    source: str | os.PathLike[str] | CommandLog,
    lba_size: int = SECTOR,
    *,
    format: str | None = None,
    device: str | None = None,
    speed: float = 1.0,
    nlba: int = 0,
    most: int = LARGEST,
) -> list[Step]:
    """A trace as a list of (time in us, opcode, first LBA, LBAs), for ``ioworker(io_sequence=…)``.

    It has reads, writes, flushes, deallocations and the other commands that a worker can send. An IO that is
    larger than ``most`` becomes several. Bytes that do not begin or end at an LBA are extended to whole LBAs.

    Args:
        source: a command log, or a file: an iolog of fio (version 2 or 3), the text of blkparse, of Linux's
            trace event nvme_setup_cmd, or a file of :meth:`CommandLog.save`
        lba_size: bytes of an LBA of the namespace that replays it
        format: "fio", "blkparse", "ftrace", "trace", "pcapng", "json", "npy" or "parquet". By default the
            file tells
        device: replay only this one of several, as the trace names it: a file of fio, "259,0" of blkparse,
            "nvme0n1" of Linux, and an NSID of pynvme
        speed: 2.0 replays in half of the time
        nlba: the LBAs of the namespace, into which larger LBAs are folded. By default they stay
        most: the largest IO in LBAs, at most 65536

    Raises:
        ValueError: the file is none of these, is damaged, or has no IO
        OSError: it cannot be read
    """
    if not 1 <= most <= LARGEST:
        raise ValueError(f"most must be from 1 to {LARGEST} LBAs, not {most}")
    if not 0 < speed < 1e9:
        raise ValueError(f"speed must be a number above 0, not {speed}")
    if isinstance(source, CommandLog):
        name, ios = "the log", list(_own(source))
    else:
        name = os.fspath(source)
        ios = _ios(name, format)
    devices = sorted({io.device for io in ios})
    ios = [io for io in ios if device is None or io.device == device]
    if not ios:
        known = (
            f" of device {device!r}: it has {', '.join(devices)}" if device is not None and devices else ""
        )
        raise ValueError(f"{name} has no IO{known}")
    ios.sort(key=lambda io: io.time_ns)
    began = ios[0].time_ns
    steps: list[Step] = []
    for io in ios:
        time_us = round((io.time_ns - began) / 1000 / speed)
        steps += _steps(time_us, io, lba_size, nlba, most)
    return steps


def _steps(time_us: int, io: Io, lba_size: int, nlba: int, most: int) -> Iterator[Step]:
    if io.opcode == FLUSH:
        yield time_us, FLUSH, 0, 0
        return
    start, end = io.start, io.start + io.length
    if not io.in_lbas:
        start, end = start // lba_size, -(-end // lba_size)
    while start < end:
        at = start % nlba if nlba else start
        count = min(end - start, most, nlba - at if nlba else most)
        yield time_us, io.opcode, at, count
        start += count
