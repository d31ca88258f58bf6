# SPDX-License-Identifier: BSD-3-Clause
"""Writes command logs to files, in the format of the suffix, and reads pynvme's own."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from pynvme.trace.command import RECORD, Command, Fault
from pynvme.trace.log import CommandLog

VERSION = 1
_PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
_HEADER, _RECORDS, _DATA = "header.json", "records.bin", "data.bin"


def _numpy(log: CommandLog, file: BinaryIO) -> None:
    import numpy

    from pynvme.trace import arrays

    numpy.save(file, arrays.table(log))


def _parquet(log: CommandLog, file: BinaryIO) -> None:
    from pynvme.trace import arrays

    table = arrays.arrow(log)
    import importlib

    importlib.import_module("pyarrow.parquet").write_table(table, file)


def _pcapng(log: CommandLog, file: BinaryIO) -> None:
    from pynvme.trace import pcapng

    pcapng.write(log, file)


def _perfetto(log: CommandLog, file: BinaryIO) -> None:
    from pynvme.trace import perfetto

    perfetto.write(log, file)


def _own(log: CommandLog, file: BinaryIO) -> None:
    """A zip of a header in JSON, the records of the driver, and the data that were kept."""
    faults = {i: [list(fault) for fault in c.faults] for i, c in enumerate(log) if c.faults}
    data = [(i, c.data) for i, c in enumerate(log) if c.data is not None]
    header = {
        "format": "pynvme trace",
        "version": VERSION,
        "drive": log.drive,
        "commands": len(log),
        "faults": faults,
        "data": [[i, len(kept)] for i, kept in data],
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(_HEADER, json.dumps(header))
        packed.writestr(_RECORDS, log.records())
        packed.writestr(_DATA, b"".join(kept for _, kept in data))


WRITERS: dict[str, Callable[[CommandLog, BinaryIO], None]] = {
    "pcapng": _pcapng,
    "json": _perfetto,
    "npy": _numpy,
    "parquet": _parquet,
    "trace": _own,
}


def _named(file: str | os.PathLike[str], format: str | None) -> str:
    try:
        name = os.fspath(file)
    except TypeError:
        raise TypeError(f"file must be a name, not {type(file).__name__}") from None
    suffix = format if format is not None else os.path.splitext(name)[1]
    suffix = suffix.lower().lstrip(".")
    if suffix not in WRITERS:
        known = ", ".join(f".{one}" for one in WRITERS)
        raise ValueError(f"{name}: there is no format {suffix!r}: the suffix must be one of {known}")
    return suffix


def save(log: CommandLog, file: str | os.PathLike[str], format: str | None = None) -> None:
    """Write a log. The file gets its name when it is complete. CommandLog.save() has the documentation."""
    writer = WRITERS[_named(file, format)]
    fixed = CommandLog(list(log), log.drive)
    with replaced(os.fspath(file)) as out:
        writer(fixed, out)


@contextlib.contextmanager
def replaced(path: str) -> Iterator[BinaryIO]:
    """A file that gets its name when it is complete, and replaces one that has this name."""
    descriptor, temporary = tempfile.mkstemp(prefix=".pynvme-", dir=os.path.dirname(path) or ".")
    try:
        with open(descriptor, "wb") as out:
            yield out
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load(file: str | os.PathLike[str]) -> CommandLog:
    """Read a log from a ``.trace`` or ``.pcapng`` file that :meth:`CommandLog.save` wrote.

    A ``.trace`` file gives the same log again. Captures have no PRPs, no numbers of the commands, and
    comments instead of faults and time-outs.

    Raises:
        ValueError: the file is neither, is damaged, or was written by a later version of pynvme
    """
    name = os.fspath(file)
    try:
        with open(name, "rb") as opened:
            if opened.read(4) == _PCAPNG_MAGIC:
                from pynvme.trace import pcapng

                opened.seek(0)
                return pcapng.read(opened.read())
        with zipfile.ZipFile(name) as packed:
            header = json.loads(packed.read(_HEADER))
            records, data = packed.read(_RECORDS), packed.read(_DATA)
        return _read(header, records, data)
    except (
        zipfile.BadZipFile,
        KeyError,
        TypeError,
        IndexError,
        ValueError,
        AttributeError,
        struct.error,
    ) as error:
        raise ValueError(f"{name} is no trace of pynvme, or is damaged: {error}") from None


def _read(header: dict[str, Any], records: bytes, data: bytes) -> CommandLog:
    if header["format"] != "pynvme trace" or header["version"] > VERSION:
        raise ValueError(f"its format is {header['format']!r} of version {header['version']}")
    count = header["commands"]
    if len(records) != count * RECORD.size or sum(length for _, length in header["data"]) != len(data):
        raise ValueError("it is shorter than its header says")
    kept: dict[int, bytes] = {}
    at = 0
    for index, length in header["data"]:
        kept[index] = data[at : at + length]
        at += length
    commands = []
    for index in range(count):
        faults = tuple(Fault(int(when), str(text)) for when, text in header["faults"].get(str(index), ()))
        raw = records[index * RECORD.size : (index + 1) * RECORD.size]
        commands.append(Command(raw, faults, kept.get(index)))
    return CommandLog(commands, str(header["drive"]))
