# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the NVMe controller share: opcodes, statuses and commands by name.

Numbers are copied from the specification and not taken from our headers, so that a wrong header is found.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Callable

from client import Client, Nvme, Queue
from server import Server

Start = Callable[..., Server]  # the fixture `start`

DELETE_SQ, CREATE_SQ, GET_LOG, DELETE_CQ, CREATE_CQ, IDENTIFY, ABORT = (
    0x00,
    0x01,
    0x02,
    0x04,
    0x05,
    0x06,
    0x08,
)
SET_FEATURES, GET_FEATURES, ASYNC_EVENT, FORMAT, SANITIZE = 0x09, 0x0A, 0x0C, 0x80, 0x84
FLUSH, WRITE, READ, WRITE_UNCORRECTABLE, COMPARE, WRITE_ZEROES, DSM, VERIFY = 0, 1, 2, 4, 5, 8, 9, 0x0C

OK = 0x000
INVALID_OPCODE, INVALID_FIELD, DATA_TRANSFER_ERROR, ABORT_REQUESTED = 0x001, 0x002, 0x004, 0x007
SANITIZE_FAILED, SANITIZE_IN_PROGRESS = 0x01C, 0x01D
INVALID_NAMESPACE, SEQUENCE_ERROR, INVALID_PRP_OFFSET = 0x00B, 0x00C, 0x013
LBA_OUT_OF_RANGE, FORMAT_IN_PROGRESS = 0x080, 0x084
CQ_INVALID, INVALID_QID, INVALID_QUEUE_SIZE, AER_LIMIT = 0x100, 0x101, 0x102, 0x105
INVALID_VECTOR, INVALID_LOG_PAGE, INVALID_FORMAT, INVALID_QUEUE_DELETION = 0x108, 0x109, 0x10A, 0x10C
NOT_SAVEABLE, NOT_NS_SPECIFIC = 0x10D, 0x10F
UNRECOVERED_READ, COMPARE_FAILURE, UNWRITTEN = 0x281, 0x285, 0x287

FUA, DEAC = 1 << 30, 1 << 25
ALL_NAMESPACES = 0xFFFFFFFF

CC_ENABLED = 4 << 20 | 6 << 16 | 1

POWER, PEEK, POKE = 4, 5, 6  # of the control socket


def identify(nvme: Nvme, cns: int, nsid: int = 0, cdw11: int = 0) -> bytes:
    """The 4096 bytes of an Identify that must succeed."""
    buffer = nvme.memory.alloc(4096)
    _, status = nvme.admin.execute(IDENTIFY, nsid=nsid, prp1=buffer, cdw10=cns, cdw11=cdw11)
    assert status == OK
    return nvme.memory.read(buffer, 4096)


def log_page(nvme: Nvme, lid: int, length: int = 512, offset: int = 0, retain: bool = False) -> bytes:
    """`length` bytes (at most 4096) of a log page. Its memory is free again, since tests wait by reading."""
    used, buffer = nvme.memory.used, nvme.memory.alloc(4096)
    dwords = length // 4 - 1
    cdw10 = dwords << 16 | retain << 15 | lid
    _, status = nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=cdw10, cdw12=offset)
    assert status == OK
    data = nvme.memory.read(buffer, length)
    nvme.memory.write(buffer, bytes(4096))
    nvme.memory.used = used
    return data


def smart(nvme: Nvme, offset: int, size: int = 16) -> int:
    """A field of the SMART log, as a number."""
    return int.from_bytes(log_page(nvme, 2)[offset : offset + size], "little")


def get_feature(nvme: Nvme, fid: int, select: int = 0, cdw11: int = 0, nsid: int = 0) -> int:
    """Dword 0 of a Get Features that must succeed."""
    value, status = nvme.admin.execute(GET_FEATURES, nsid=nsid, cdw10=select << 8 | fid, cdw11=cdw11)
    assert status == OK
    return value


def set_feature(nvme: Nvme, fid: int, value: int, save: bool = False, nsid: int = 0) -> int:
    """The status of a Set Features."""
    return nvme.admin.execute(SET_FEATURES, nsid=nsid, cdw10=save << 31 | fid, cdw11=value)[1]


def set_data(nvme: Nvme, fid: int, data: bytes, cdw11: int = 0, save: bool = False) -> int:
    """The status of a Set Features with data."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, data)
    return nvme.admin.execute(SET_FEATURES, cdw10=save << 31 | fid, cdw11=cdw11, prp1=buffer)[1]


def pattern(lba: int, count: int, size: int = 512, seed: int = 0) -> bytes:
    """Data of `count` LBAs that differ everywhere: each 8 bytes hold LBA, seed and place."""
    return b"".join(
        struct.pack("<HHI", seed & 0xFFFF, place, (lba + index) & 0xFFFFFFFF)
        for index in range(count)
        for place in range(size // 8)
    )


def crc32c(data: bytes) -> int:
    """The CRC of iSCSI, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def firmware_image(revision: str, pieces: int = 2, needs: int = 0) -> bytes:
    """An image as pynvme/firmware.py describes it."""

    def header(crc: int) -> bytes:
        return struct.pack("<8s8sIIB7x", b"PYNVMEFW", revision.ljust(8).encode(), pieces * 4096, crc, needs)

    code = bytes(range(256)) * (4096 // 256 * pieces)
    code = code[32:]
    return header(crc32c(header(0) + code)) + code


class Disk:
    """Reads and writes of whole LBAs through one queue, with a buffer of up to two pages (no PRP list)."""

    def __init__(self, nvme: Nvme, queue: Queue, nsid: int = 1, lba_size: int = 512) -> None:
        self.nvme, self.queue, self.nsid, self.lba_size = nvme, queue, nsid, lba_size
        self.buffer = nvme.memory.alloc(8192)

    def command(self, opcode: int, lba: int, count: int = 1, flags: int = 0) -> int:
        """The status of a command for these LBAs, whose data are in self.buffer."""
        _, status = self.queue.execute(
            opcode,
            nsid=self.nsid,
            prp1=self.buffer,
            prp2=self.buffer + 4096 if count * self.lba_size > 4096 else 0,
            cdw10=lba & 0xFFFFFFFF,
            cdw11=lba >> 32,
            cdw12=(count - 1) | flags,
        )
        return status

    def write(self, lba: int, data: bytes, flags: int = 0) -> None:
        self.nvme.memory.write(self.buffer, data)
        assert self.command(WRITE, lba, len(data) // self.lba_size, flags) == OK

    def read(self, lba: int, count: int = 1) -> bytes:
        self.nvme.memory.write(self.buffer, b"\xa5" * count * self.lba_size)
        assert self.command(READ, lba, count) == OK
        return self.nvme.memory.read(self.buffer, count * self.lba_size)

    def flush(self) -> None:
        assert self.queue.execute(FLUSH, nsid=self.nsid)[1] == OK


def control(
    server: Server, command: int, argument: int = 0, lba: int = 0, data: bytes = b"", nsid: int = 1
) -> bytes:
    """Send a request on the control socket, which must succeed, and return the data of the reply."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(10)
        peer.connect(os.path.join(server.folder, "control"))
        peer.send(struct.pack("<IHHIIQQ", 0x44535356, 1, command, nsid, len(data), lba, argument) + data)
        answer = peer.recv(1 << 17)
    assert struct.unpack_from("<IHHI", answer)[3] == 0
    return answer[16:]


class Host:
    """A client with an enabled controller and one queue."""

    def __init__(self, server: Server) -> None:
        self.server, self.client = server, Client(server.folder)
        self.nvme = Nvme(self.client)
        self.start()

    def start(self) -> None:
        self.nvme.enable()
        self.disk = Disk(self.nvme, self.nvme.create_queue(1, 16))

    def power_cycle(self) -> None:
        control(self.server, POWER, 0)
        assert self.client.read32(8) == 0xFFFFFFFF and self.client.config_read(0, 4) == b"\xff" * 4
        control(self.server, POWER, 1)
        self.start()

    def shut_down(self) -> None:
        self.client.write32(0x14, 4 << 20 | 6 << 16 | 1 << 14 | 1)
        assert self.client.read32(0x1C) & 0xC == 8

    def close(self) -> None:
        self.nvme.close()
        self.client.close()
