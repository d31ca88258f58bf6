# SPDX-License-Identifier: BSD-3-Clause
"""One command of a command log, decoded."""

from __future__ import annotations

import struct
from datetime import datetime, timezone
from typing import Any, NamedTuple

from pynvme import spec
from pynvme.command_format import CommandFormat

# One command as the driver hands it over, in the layout of struct _Record of binding/cmdlog.pyx.
RECORD = struct.Struct("<64s16sQQQQIHHQ")
"""Submission and completion queue entry, submission in ns since 1970, latency in ns, number, first LBA and
LBAs of a range in the data, QID, what the script was told and the command set, reserved."""

NEVER = 0xFFFF_FFFF_FFFF_FFFF
"""The latency of a command that has not completed."""

TIMED_OUT, MISMATCH = 1, 2
MISMATCH_STATUS = 0x781

_DWORDS = struct.Struct("<BBHIIIQQQIIIIII")


class Fault(NamedTuple):
    """A fault rule of a virtual SSD that fired on a command, ``time_ns`` after 1970."""

    time_ns: int
    text: str


class Command:
    """A command of a queue with its completion, if it has completed.

    A field of the command is an attribute by the specification's name, in lower case, such as ``c.slba``,
    ``c.lid`` or ``c.numdl``, with the value that the command has: ``c.nlb`` is 0's based, while ``c.lbas``
    is the number of LBAs.
    """

    __slots__ = ("_raw", "data", "faults")

    def __init__(self, raw: bytes, faults: tuple[Fault, ...] = (), data: bytes | None = None) -> None:
        """Decode a record. It is not checked, since the driver or :func:`pynvme.trace.load` wrote it."""
        self._raw = RECORD.unpack(raw)
        self.faults = faults
        """The fault rules of a virtual SSD that fired on it."""
        self.data = data
        """What it transferred, if that was kept (``cmdlog_keep()``), or None."""

    @property
    def raw(self) -> bytes:
        """The record."""
        return RECORD.pack(*self._raw)

    # -- the command --

    @property
    def sqe(self) -> spec.SubmissionQueueEntry:
        """Its 64 bytes, with their fields. CID and data pointers are those that the driver has filled in."""
        return spec.SubmissionQueueEntry(self._raw[0])

    @property
    def number(self) -> int:
        """Its number in its queue, which counts from 1."""
        return int(self._raw[4])

    @property
    def qid(self) -> int:
        """The queue identifier, 0 for the admin queue."""
        return int(self._raw[7])

    @property
    def cid(self) -> int:
        """The command identifier."""
        return int(_DWORDS.unpack(self._raw[0])[2])

    @property
    def opcode(self) -> int:
        """The opcode, dword 0 bits 7:0."""
        return int(self._raw[0][0])

    @property
    def nsid(self) -> int:
        """The namespace identifier."""
        return int(_DWORDS.unpack(self._raw[0])[3])

    @property
    def format(self) -> CommandFormat | None:
        """Names and places of its fields, or None if the specification has no such opcode."""
        if self.csi == spec.CommandSet.KV and self.opcode in spec.KV_COMMANDS:
            return spec.KV_COMMANDS[self.opcode]
        return (spec.IO_COMMANDS if self.qid else spec.ADMIN_COMMANDS).get(self.opcode)

    @property
    def csi(self) -> int:
        """The command set, which the log has for Key Value namespaces (1); 0 for all others."""
        return int(self._raw[8]) >> 8

    @property
    def _told(self) -> int:
        """What the script was told instead of the status: TIMED_OUT, MISMATCH, or 0."""
        return int(self._raw[8]) & 0xFF

    @property
    def key(self) -> bytes | None:
        """The key of a command of the Key Value Command Set, or None."""
        if self.csi != spec.CommandSet.KV or self.opcode not in spec.KV_COMMANDS:
            return None
        sqe = self._raw[0]
        return bytes(sqe[8:16] + sqe[56:64])[: sqe[44]]

    @property
    def name(self) -> str:
        """The command's name in the specification, such as ``Read`` or ``Get Log Page``."""
        known = self.format
        if known is not None:
            return known.name
        kind = "vendor specific" if self.opcode >= (0x80 if self.qid else 0xC0) else "unknown"
        return f"{kind} {self.opcode:02X}h"

    @property
    def fields(self) -> dict[str, int]:
        """The fields of the command by their names, or its dwords if the opcode is unknown."""
        known = self.format
        if known is not None:
            return known.decode(self._raw[0])
        return {f"cdw{10 + i}": value for i, value in enumerate(_DWORDS.unpack(self._raw[0])[9:])}

    @property
    def sgl(self) -> spec.SglDescriptor | None:
        """The descriptor in the command that leads to its data, or None if PRPs do (PSDT is 0)."""
        return spec.SglDescriptor(self._raw[0][24:40]) if self._raw[0][1] & 0xC0 else None

    @property
    def slba(self) -> int | None:
        """The first LBA, for Dataset Management that of its first range, or None if it names no LBA."""
        if self._raw[6]:
            return int(self._raw[5])
        known = self.format
        names = known is not None and (known.names_lbas or any(f.name == "slba" for f in known.fields))
        return int.from_bytes(self._raw[0][40:48], "little") if names else None

    @property
    def lbas(self) -> int | None:
        """The number of LBAs, or None if the command does not tell."""
        if self._raw[6]:
            return int(self._raw[6])
        known = self.format
        if known is None or not any(field.name == "nlb" for field in known.fields):
            return None
        return self.fields["nlb"] + 1

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            fields = self.fields
            if name in fields:
                return fields[name]
            if name in spec.SubmissionQueueEntry.FIELDS:
                return getattr(self.sqe, name)
            raise AttributeError(f"{self.name} has no field {name}: it has {', '.join(fields) or 'none'}")
        raise AttributeError(name)

    # -- its completion --

    @property
    def completed(self) -> bool:
        """Whether a completion was reaped."""
        return bool(self._raw[3] != NEVER)

    @property
    def cqe(self) -> spec.CompletionQueueEntry | None:
        """The 16 bytes of the completion as the drive wrote them, or None."""
        return spec.CompletionQueueEntry(self._raw[1]) if self.completed else None

    @property
    def cdw0(self) -> int | None:
        """Dword 0 of the completion, or None."""
        return int.from_bytes(self._raw[1][0:4], "little") if self.completed else None

    @property
    def status(self) -> int | None:
        """SCT << 8 | SC, or None if it has not completed.

        A read with wrong data has 781h, as the script gets it, and not the drive's status.
        """
        if not self.completed:
            return None
        if self._told == MISMATCH:
            return MISMATCH_STATUS
        return int.from_bytes(self._raw[1][14:16], "little") >> 1 & 0x7FF

    @property
    def sct(self) -> int | None:
        """The status code type, or None."""
        status = self.status
        return None if status is None else status >> 8

    @property
    def sc(self) -> int | None:
        """The status code, or None."""
        status = self.status
        return None if status is None else status & 0xFF

    @property
    def dnr(self) -> bool:
        """Whether the completion says not to retry the command."""
        return self.completed and bool(self._raw[1][15] & 0x80)

    @property
    def status_name(self) -> str:
        """The status with its name, such as ``00/02 Invalid Field in Command``, or ``not completed``."""
        from pynvme import status as _status

        status = self.status
        if status is None:
            return "timed out" if self._told == TIMED_OUT else "not completed"
        if status == MISMATCH_STATUS and self._told == MISMATCH:
            return "07/81 Data Verification Failed"
        return f"{_status.code(status)} {_status.name(status)}"

    @property
    def failed(self) -> bool:
        """Whether it completed with an error status, or did not complete in time."""
        return bool(self.status) or self._told == TIMED_OUT

    # -- time --

    @property
    def submitted_ns(self) -> int:
        """When it was submitted, in ns since 1970."""
        return int(self._raw[2])

    @property
    def completed_ns(self) -> int | None:
        """When its completion was reaped, in ns since 1970, or None."""
        return int(self._raw[2] + self._raw[3]) if self.completed else None

    @property
    def submitted(self) -> datetime:
        """When it was submitted, in local time, to a microsecond."""
        whole, rest = divmod(self.submitted_ns, 1_000_000_000)
        return datetime.fromtimestamp(whole, timezone.utc).replace(microsecond=rest // 1000).astimezone()

    @property
    def latency_ns(self) -> int | None:
        """The time from submission to completion, in ns, or None."""
        return int(self._raw[3]) if self.completed else None

    # -- all together --

    @property
    def warnings(self) -> list[str]:
        """The texts of the warnings that the driver has issued for this command."""
        if self._told == TIMED_OUT:
            return [f"drive timeout: qpair: {self.qid}, cid: {self.cid}"]
        status = self.status
        return [f"ERROR status: {self.status_name}"] if status else []

    def decode(self) -> Any:
        """The data as a structure of the specification, or None.

        None means that they were not kept, or that the specification gives them no structure. Identify, Get
        Log Page, and the features that transfer data have one.
        """
        from pynvme.trace import payload

        return payload.decode(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, texts, lists and dicts, for JSON. Data are hexadecimal."""
        return {
            "number": self.number,
            "qid": self.qid,
            "cid": self.cid,
            "opcode": self.opcode,
            "name": self.name,
            "nsid": self.nsid,
            "fields": {name: int(value) for name, value in self.fields.items()},
            "slba": self.slba,
            "lbas": self.lbas,
            "submitted_ns": self.submitted_ns,
            "completed_ns": self.completed_ns,
            "latency_ns": self.latency_ns,
            "status": self.status,
            "status_name": self.status_name,
            "cdw0": self.cdw0,
            "warnings": self.warnings,
            "faults": [{"time_ns": fault.time_ns, "text": fault.text} for fault in self.faults],
            "data": None if self.data is None else self.data.hex(),
        }

    def what(self) -> str:
        """Its fields that are not 0, in one line."""
        parts = []
        slba, lbas, key = self.slba, self.lbas, self.key
        if key is not None:
            parts.append(f"key {key!r}")
        if slba is not None:
            parts.append(f"LBA {slba:#x}" + (f" to {slba + lbas - 1:#x}" if lbas and lbas > 1 else ""))
        for name, value in self.fields.items():
            if value and name not in ("slba", "nlb", "kl"):
                shown = getattr(value, "name", None) or (hex(value) if value > 9 else value)
                parts.append(f"{name}={shown}")
        return " ".join(parts)

    def __repr__(self) -> str:
        latency = "" if self.latency_ns is None else f" after {self.latency_ns / 1000:.3f} us"
        where = f"queue {self.qid} cid {self.cid} nsid {self.nsid:#x}"
        what = self.what()
        return f"<{self.name}{', ' if what else ''}{what}; {where}; {self.status_name}{latency}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Command):
            return NotImplemented
        return (self._raw, self.faults, self.data) == (other._raw, other.faults, other.data)

    def __hash__(self) -> int:
        return hash(self._raw)
