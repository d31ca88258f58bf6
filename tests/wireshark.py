# SPDX-License-Identifier: BSD-3-Clause
"""Have tshark decode the data of an admin command in a generated capture of NVMe/TCP."""

from __future__ import annotations

import functools
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TSHARK = shutil.which("tshark")
HOST, TARGET = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
HOST_PORT, TARGET_PORT = 40000, 4420  # tshark takes this port for NVMe/TCP
LINKTYPE_RAW = 101
CAPSULE_CMD, CAPSULE_RESP, C2H_DATA = 4, 5, 7
LAST_PDU = 0x04


class Conversation:
    """Packets of one TCP connection, in both directions."""

    def __init__(self) -> None:
        self.sent = {True: 1, False: 1}  # the next sequence number, by whether the host sends
        self.packets: list[bytes] = []

    def segment(self, from_host: bool, payload: bytes) -> None:
        ports = (HOST_PORT, TARGET_PORT) if from_host else (TARGET_PORT, HOST_PORT)
        tcp = struct.pack(
            ">HHIIBBHHH", *ports, self.sent[from_host], self.sent[not from_host], 0x50, 0x18, 0xFFFF, 0, 0
        )
        self.sent[from_host] += len(payload)
        addresses = HOST + TARGET if from_host else TARGET + HOST
        length = 20 + len(tcp) + len(payload)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0, 64, 6, 0) + addresses
        self.packets.append(ip + tcp + payload)

    def command(self, sqe: bytes) -> None:
        self.segment(True, struct.pack("<BBBBI", CAPSULE_CMD, 0, 72, 0, 72) + sqe)

    def completion(self, cid: int, data: bytes = b"") -> None:
        if data:
            head = struct.pack("<BBBBI", C2H_DATA, LAST_PDU, 24, 24, 24 + len(data))
            self.segment(False, head + struct.pack("<HHIII", cid, 0, 0, len(data), 0) + data)
        cqe = struct.pack("<IIHHHH", 0, 0, 0, 0, cid, 0)
        self.segment(False, struct.pack("<BBBBI", CAPSULE_RESP, 0, 24, 0, 24) + cqe)

    def pcap(self) -> bytes:
        head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, LINKTYPE_RAW)
        records = [
            struct.pack("<IIII", 1, number * 1000, len(packet), len(packet)) + packet
            for number, packet in enumerate(self.packets)
        ]
        return head + b"".join(records)


def entry(opcode: int, cid: int, nsid: int, cdw10: int) -> bytes:
    """A submission queue entry with a transport SGL for its data."""
    return struct.pack("<BBHI32xI20x", opcode, 0x40, cid, nsid, cdw10)


def connect() -> bytes:
    """Fabrics Connect of the admin queue: without it the dissector takes every queue for an I/O queue."""
    return struct.pack("<BBHB35xHHHBBI12x", 0x7F, 0x40, 1, 0x01, 0, 0, 31, 0, 0, 0)


def decode(folder: Path, opcode: int, nsid: int, cdw10: int, data: bytes) -> dict[str, list[str]]:
    """The fields of what an admin command returns, by tshark: all values of each name, in their order."""
    talk = Conversation()
    talk.command(connect())
    talk.completion(1)
    talk.command(entry(opcode, 2, nsid, cdw10))
    talk.completion(2, data)
    capture = folder / "capture.pcap"
    capture.write_bytes(talk.pcap())
    assert TSHARK
    done = subprocess.run(
        [TSHARK, "-r", str(capture), "-T", "pdml"], check=True, capture_output=True, text=True, timeout=120
    )
    found: dict[str, list[str]] = {}
    for field in ElementTree.fromstring(done.stdout).iter("field"):
        name = field.get("name", "")
        if name.startswith("nvme."):
            found.setdefault(name, []).append(field.get("show", ""))
    return found


def known_fields(prefix: str) -> dict[str, str]:
    """The fields that tshark has below a name, and their kinds (FT_UINT8 …)."""
    return {name: kind for name, kind in _fields_of_nvme().items() if name.startswith(prefix)}


@functools.cache
def _fields_of_nvme() -> dict[str, str]:
    assert TSHARK
    done = subprocess.run([TSHARK, "-G", "fields"], check=True, capture_output=True, text=True, timeout=120)
    rows = (line.split("\t") for line in done.stdout.splitlines() if line.startswith("F\t"))
    return {row[2]: row[3] for row in rows if row[2].startswith("nvme")}
