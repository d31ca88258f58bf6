# SPDX-License-Identifier: BSD-3-Clause
"""A vfio-user client in raw bytes, and NVMe queues made by hand on top of it.

It shares no code with the driver, so that the same mistake in both cannot go unnoticed. It can send messages
that the protocol forbids. Two levels:

    with Client(folder) as client:  # connected; VERSION done, unless version=None
        client.call(4, struct.pack("<4I", 16, 0, 0, 0)).payload  # DEVICE_GET_INFO
        client.config_read(0, 4)
        client.bar_write(0x14, bytes(4))

        nvme = Nvme(client)  # maps a memfd as the host's memory
        nvme.enable()  # memory space and bus master on, admin queue, CC.EN = 1
        buffer = nvme.memory.alloc(4096)  # an IOVA
        cdw0, status = nvme.admin.execute(opcode=6, prp1=buffer, cdw10=1)  # Identify; status is SCT << 8 | SC
        nvme.memory.read(buffer, 4096)  # its bytes
        queue = nvme.create_queue(1, 32)  # I/O queue pair 1, 32 entries
        queue.execute(opcode=1, nsid=1, prp1=buffer, cdw10=0, cdw12=0)  # write LBA 0
        queue.submit(sqe(opcode=2, nsid=1, prp1=buffer), ring=False)
        queue.ring()
        queue.wait()

Everything that waits gives up after `TIMEOUT` seconds with socket.timeout or TimeoutError (one and the same
since Python 3.10); a connection that the other end closed raises ConnectionError.
"""

from __future__ import annotations

import array
import ctypes
import itertools
import mmap
import os
import select
import socket
import struct
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Callable, NamedTuple

TIMEOUT = 10.0

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS, GET_IRQ_INFO, SET_IRQS = range(
    1, 9
)
REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, DEVICE_RESET = range(9, 14)
REGION_WRITE_MULTI, DEVICE_FEATURE = 15, 16

REPLY, NO_REPLY, ERROR = 0x01, 0x10, 0x20
BAR0, MSIX_TABLE, MSIX_PBA, CONFIG = 0, 4, 5, 7
DOORBELLS = 0x1000

HEADER = struct.Struct("<HHIII")

QEMU_JSON = (
    b'{"capabilities":{"max_msg_fds":16,"max_data_xfer_size":1048576,"pgsizes":4096,"max_dma_maps":65535,'
    b'"write_multiple":true,"migration":{"pgsize":4096,"max_bitmap_size":268435456}}}\0'
)


class Message(NamedTuple):
    """A received message. The caller closes its descriptors."""

    id: int
    command: int
    flags: int
    error: int
    payload: bytes
    fds: list[int]


def message(
    command: int,
    payload: bytes = b"",
    *,
    id: int = 0,
    flags: int = 0,
    error: int = 0,
    size: int | None = None,
) -> bytes:
    """The bytes of a message. `size`: a wrong length for its header."""
    return (
        HEADER.pack(id, command, HEADER.size + len(payload) if size is None else size, flags, error) + payload
    )


class Client:
    """A connection to a virtual SSD's folder, or to the socket `cntrl` itself."""

    def __init__(
        self, address: str, version: tuple[int, int] | None = (0, 1), json: bytes = QEMU_JSON
    ) -> None:
        path = os.path.join(address, "cntrl") if os.path.isdir(address) else address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(TIMEOUT)
        self._id = 0
        # Called with each command of the server. It returns the payload of the reply, or None for an error
        # reply.
        self.on_command: Callable[[Message], bytes | None] = lambda command: None
        try:
            self.socket.connect(path)
            if version is not None:
                self.ok(VERSION, struct.pack("<HH", *version) + json)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    # Messages

    def send_raw(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Send any bytes, with descriptors attached to the first."""
        if fds:
            sent = self.socket.sendmsg(
                [data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
            )
            data = data[sent:]
        if data:
            self.socket.sendall(data)

    def send(self, command: int, payload: bytes = b"", fds: Sequence[int] = (), flags: int = 0) -> int:
        """Send a command; returns its message id."""
        self._id = (self._id + 1) & 0xFFFF
        self.send_raw(message(command, payload, id=self._id, flags=flags), fds)
        return self._id

    def receive(self) -> Message:
        """The next message, in exactly one recvmsg for the header, as libvfio-user reads it."""
        data, control, flags, _ = self.socket.recvmsg(HEADER.size, socket.CMSG_SPACE(8 * 4))
        fds = array.array("i")
        for level, kind, content in control:
            assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            fds.frombytes(content)
        if not data:
            raise ConnectionResetError("the virtual SSD closed the connection")
        assert len(data) == HEADER.size, "the header came in pieces"
        assert not flags & socket.MSG_CTRUNC
        id, command, size, flags, error = HEADER.unpack(data)
        payload = b""
        while len(payload) < size - HEADER.size:
            piece = self.socket.recv(size - HEADER.size - len(payload))
            if not piece:
                raise ConnectionResetError("the virtual SSD closed the connection within a message")
            payload += piece
        return Message(id, command, flags, error, payload, list(fds))

    def answer(self, command: Message) -> None:
        """Answer a command of the server with what `on_command` says."""
        payload = self.on_command(command)
        flags = REPLY if payload is not None else REPLY | ERROR
        error = 0 if payload is not None else 22
        self.send_raw(message(command.command, payload or b"", id=command.id, flags=flags, error=error))

    def reply(self) -> Message:
        """The next reply; commands of the server that come before it are answered."""
        while True:
            found = self.receive()
            if found.flags & 0xF == REPLY:
                return found
            self.answer(found)

    def call(self, command: int, payload: bytes = b"", fds: Sequence[int] = (), flags: int = 0) -> Message:
        """Send a command and return its reply, an error one as well. The reply repeats id and command."""
        id = self.send(command, payload, fds, flags)
        found = self.reply()
        assert (found.id, found.command) == (id, command)
        return found

    def ok(self, command: int, payload: bytes = b"", fds: Sequence[int] = ()) -> Message:
        """As call(); an error reply raises OSError with its errno."""
        found = self.call(command, payload, fds)
        if found.flags & ERROR:
            raise OSError(found.error, f"command {command}: {os.strerror(found.error)}")
        return found

    def error(self, command: int, payload: bytes = b"", fds: Sequence[int] = ()) -> int:
        """As call(); returns the errno of the error reply, or 0 if there was no error."""
        found = self.call(command, payload, fds)
        for fd in found.fds:
            os.close(fd)
        if not found.flags & ERROR:
            return 0
        assert found.payload == b"" and found.error != 0
        return found.error

    def is_closed(self) -> bool:
        """Wait for the other end to close the connection; replies that come first are dropped."""
        try:
            while True:
                for fd in self.receive().fds:
                    os.close(fd)
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    # Regions

    def region_read(self, region: int, offset: int, count: int) -> bytes:
        request = struct.pack("<QII", offset, region, count)
        payload = self.ok(REGION_READ, request).payload
        assert payload[:16] == request and len(payload) == 16 + count
        return payload[16:]

    def region_write(self, region: int, offset: int, data: bytes) -> None:
        request = struct.pack("<QII", offset, region, len(data))
        assert self.ok(REGION_WRITE, request + data).payload == request

    def config_read(self, offset: int, count: int) -> bytes:
        return self.region_read(CONFIG, offset, count)

    def config_write(self, offset: int, data: bytes) -> None:
        self.region_write(CONFIG, offset, data)

    def bar_read(self, offset: int, count: int) -> bytes:
        return self.region_read(BAR0, offset, count)

    def bar_write(self, offset: int, data: bytes) -> None:
        self.region_write(BAR0, offset, data)

    def read32(self, offset: int) -> int:
        return int.from_bytes(self.bar_read(offset, 4), "little")

    def read64(self, offset: int) -> int:
        return int.from_bytes(self.bar_read(offset, 8), "little")

    def write32(self, offset: int, value: int) -> None:
        self.bar_write(offset, value.to_bytes(4, "little"))

    def write64(self, offset: int, value: int) -> None:
        self.bar_write(offset, value.to_bytes(8, "little"))

    def map_doorbells(self) -> mmap.mmap:
        """The doorbells, mapped: offset 0 is SQ0TDBL. They have one page, or more with many queues."""
        reply = self.ok(GET_REGION_INFO, struct.pack("<IIIIQQ", 4096, 0, BAR0, 0, 0, 0))
        try:
            _, flags, _, cap_offset, _, offset = struct.unpack_from("<IIIIQQ", reply.payload)
            assert flags & 0xC == 0xC and len(reply.fds) == 1
            id, version, _, areas, _, start, size = struct.unpack_from("<HHIIIQQ", reply.payload, cap_offset)
            assert (id, version, areas, start, size % 4096) == (1, 1, 1, DOORBELLS, 0)
            return mmap.mmap(reply.fds[0], size, offset=offset + start)
        finally:
            for fd in reply.fds:
                os.close(fd)

    # Memory and interrupts

    def dma_map(self, address: int, size: int, fd: int | None, offset: int = 0, flags: int = 3) -> None:
        self.ok(DMA_MAP, struct.pack("<IIQQQ", 32, flags, offset, address, size), () if fd is None else (fd,))

    def dma_unmap(self, address: int, size: int) -> None:
        request = struct.pack("<IIQQ", 24, 0, address, size)
        assert self.ok(DMA_UNMAP, request).payload == request

    def set_eventfd(self, vector: int, eventfd: int, index: int = 2) -> None:
        """Let an MSI-X vector (index 2) raise an eventfd."""
        self.ok(SET_IRQS, struct.pack("<5I", 20, 4 | 32, index, vector, 1), (eventfd,))


class EventFd:
    """An eventfd for an interrupt. Python has os.eventfd() only since 3.10."""

    def __init__(self, blocking: bool = False) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.eventfd(0, os.O_CLOEXEC | (0 if blocking else os.O_NONBLOCK))
        assert self.fd >= 0, os.strerror(ctypes.get_errno())

    def __enter__(self) -> EventFd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)

    def count(self, timeout: float = 0.0) -> int:
        """How often it was raised since the last call; waits up to `timeout` seconds for the first one."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return int.from_bytes(os.read(self.fd, 8), "little") if poll.poll(timeout * 1000) else 0


class Memory:
    """Host memory: a memfd, mapped here, and for the device at `iova` if a client is given."""

    def __init__(self, size: int, iova: int = 0x7000_0000_0000, client: Client | None = None) -> None:
        self.iova, self.size, self.page = iova, size, 4096
        self.fd = os.memfd_create("host", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, size)
        self.view = mmap.mmap(self.fd, size)
        self.used = 0
        if client is not None:
            client.dma_map(iova, size, self.fd)

    def __enter__(self) -> Memory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.view.close()
        os.close(self.fd)

    def alloc(self, size: int, align: int = 0) -> int:
        """Allocate a piece, at a page by default, and return its IOVA."""
        align = align or self.page
        start = -(-self.used // align) * align
        assert start + size <= self.size, "this Memory is too small"
        self.used = start + size
        return self.iova + start

    def free_to(self, used: int) -> None:
        """Free and zero all that was allocated since this much was used. The drive must use it no more."""
        self.view[used:] = bytes(self.size - used)
        self.used = used

    def read(self, address: int, size: int) -> bytes:
        return self.view[address - self.iova : address - self.iova + size]

    def write(self, address: int, data: bytes) -> None:
        self.view[address - self.iova : address - self.iova + len(data)] = data


def sqe(
    opcode: int,
    cid: int = 0,
    nsid: int = 0,
    prp1: int = 0,
    prp2: int = 0,
    mptr: int = 0,
    flags: int = 0,
    **cdws: int,
) -> bytes:
    """A submission queue entry; `flags` is bits 15:8 of CDW0 (FUSE, PSDT), cdw2, cdw3, cdw10 … by name."""
    words = [cdws.pop(f"cdw{n}", 0) for n in (2, 3, 10, 11, 12, 13, 14, 15)]
    assert not cdws, f"no such fields: {sorted(cdws)}"
    head = struct.pack("<BBHIIIQQQ", opcode, flags, cid, nsid, words[0], words[1], mptr, prp1, prp2)
    return head + struct.pack("<6I", *words[2:])


def store32(page: mmap.mmap, offset: int, value: int) -> None:
    """One 32-bit store, as a doorbell wants it: struct.pack_into clears the bytes first, visibly."""
    with memoryview(page) as data, data.cast("I") as words:
        words[offset // 4] = value


class Completion(NamedTuple):
    """A completion queue entry. status is SCT << 8 | SC; crd, more and dnr are its other bits."""

    cdw0: int
    cdw1: int
    sqhd: int
    sqid: int
    cid: int
    status: int
    more: bool
    dnr: bool
    crd: int


class Queue:
    """An SQ and its CQ of equal depth in the host's memory, doorbells by the mapped page."""

    def __init__(self, memory: Memory, doorbells: mmap.mmap, qid: int, depth: int) -> None:
        self.memory, self.doorbells, self.qid, self.depth = memory, doorbells, qid, depth
        self.sq, self.cq = memory.alloc(depth * 64), memory.alloc(depth * 16)
        self.tail = self.head = 0
        self.phase = 1
        self.next_cid = 0

    def ring(self) -> None:
        """Tell the controller the tail."""
        store32(self.doorbells, 8 * self.qid, self.tail)

    def submit(self, entry: bytes, ring: bool = True) -> int:
        """Put an entry into the SQ with a new command identifier, and return that."""
        cid = self.next_cid
        self.next_cid = (cid + 1) & 0xFFFF
        self.memory.write(self.sq + self.tail * 64, entry[:2] + cid.to_bytes(2, "little") + entry[4:])
        self.tail = (self.tail + 1) % self.depth
        if ring:
            self.ring()
        return cid

    def poll(self) -> Completion | None:
        """The next completion, if there is one; rings the CQ head doorbell at once."""
        # Read the phase first: words read before it may be stale.
        if self.memory.read(self.cq + self.head * 16 + 14, 1)[0] & 1 != self.phase:
            return None
        entry = self.memory.read(self.cq + self.head * 16, 16)
        cdw0, cdw1, sqhd, sqid, cid, status = struct.unpack("<IIHHHH", entry)
        self.head = (self.head + 1) % self.depth
        self.phase ^= self.head == 0
        store32(self.doorbells, 8 * self.qid + 4, self.head)
        return Completion(
            *(cdw0, cdw1, sqhd, sqid, cid),
            *(status >> 1 & 0x7FF, bool(status & 0x4000), bool(status & 0x8000), status >> 12 & 3),
        )

    def posted(self) -> int:
        """How many completions are in the CQ that nobody has taken."""
        phases = [self.memory.read(self.cq + 16 * i + 14, 1)[0] & 1 for i in range(self.depth)]
        order = range(self.head, self.head + self.depth)
        return sum(
            1 for _ in itertools.takewhile(lambda i: phases[i % self.depth] == self._phase_at(i), order)
        )

    def _phase_at(self, index: int) -> int:
        """The phase of a new entry; an index of depth or more is beyond the wrap."""
        return self.phase ^ (index >= self.depth)

    def wait_posted(self, count: int, timeout: float = TIMEOUT) -> None:
        """Wait until so many completions are in the CQ, and take none of them."""
        deadline = time.monotonic() + timeout
        while self.posted() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"queue {self.qid}: fewer than {count} completions within {timeout} s")
            time.sleep(0)

    def wait(self, timeout: float = TIMEOUT) -> Completion:
        """The next completion."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.poll()
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"queue {self.qid}: no completion within {timeout} s")
            time.sleep(0)

    def execute(self, opcode: int, **fields: int) -> tuple[int, int]:
        """Send one command, whose fields are those of sqe(), and wait for it: (cdw0, status)."""
        cid = self.submit(sqe(opcode, **fields))
        found = self.wait()
        assert (found.cid, found.sqid) == (cid, self.qid)
        return found.cdw0, found.status


class Nvme:
    """A host for one controller: memory, admin queue, I/O queues."""

    def __init__(self, client: Client, memory_size: int = 16 << 20, iova: int = 0x7000_0000_0000) -> None:
        self.client = client
        self.memory = Memory(memory_size, iova, client)
        self.doorbells = client.map_doorbells()
        self.admin: Queue

    def close(self) -> None:
        """Unmap what is here; the client stays connected."""
        self.doorbells.close()
        self.memory.close()

    def wait_ready(self, ready: bool, timeout: float = TIMEOUT) -> None:
        """Wait until CSTS.RDY has this value."""
        deadline = time.monotonic() + timeout
        while bool(self.client.read32(0x1C) & 1) != ready:
            if time.monotonic() > deadline:
                raise TimeoutError(f"CSTS is {self.client.read32(0x1C):#x}")
            time.sleep(0.0005)

    def disable(self) -> None:
        self.client.write32(0x14, self.client.read32(0x14) & ~1)
        self.wait_ready(False)

    def enable(self, depth: int = 64, css: int = 0, mps: int = 0) -> None:
        """Disable the controller, give it a new admin queue and enable it.

        `css`: CC.CSS, 6 for all sets; `mps`: CC.MPS, the size of the pages that are allocated from now on.
        """
        self.memory.page = 4096 << mps
        self.client.config_write(4, (0x0006).to_bytes(2, "little"))
        self.disable()
        self.admin = Queue(self.memory, self.doorbells, 0, depth)
        self.client.write32(0x24, (depth - 1) << 16 | (depth - 1))
        self.client.write64(0x28, self.admin.sq)
        self.client.write64(0x30, self.admin.cq)
        self.client.write32(0x14, 4 << 20 | 6 << 16 | mps << 7 | css << 4 | 1)
        self.wait_ready(True)

    def create_queue(self, qid: int, depth: int, vector: int | None = None) -> Queue:
        """Create I/O CQ and SQ qid; without a vector the CQ raises no interrupt."""
        queue = Queue(self.memory, self.doorbells, qid, depth)
        ien = 0 if vector is None else vector << 16 | 2
        size = (depth - 1) << 16 | qid
        _, status = self.admin.execute(0x05, prp1=queue.cq, cdw10=size, cdw11=ien | 1)
        assert status == 0, f"create CQ {qid}: status {status:#05x}"
        _, status = self.admin.execute(0x01, prp1=queue.sq, cdw10=size, cdw11=qid << 16 | 1)
        assert status == 0, f"create SQ {qid}: status {status:#05x}"
        return queue

    def delete_queue(self, queue: Queue) -> None:
        for opcode in (0x00, 0x04):
            _, status = self.admin.execute(opcode, cdw10=queue.qid)
            assert status == 0, f"delete queue {queue.qid}: status {status:#05x}"
