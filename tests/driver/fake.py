# SPDX-License-Identifier: BSD-3-Clause
"""The other end of the driver's socket: a vfio-user server that a test scripts.

It speaks the protocol as its specification says, and takes nothing for granted of the driver: what breaks a
rule raises, and the test fails. A hook makes it answer wrong. It shares no code with the driver or with the
virtual SSD. `drive.Drive` puts an NVMe controller on top.

    server.on_message[VERSION] = lambda message: server.reply(message, b"")   # instead of the usual answer
    server.start()
    nvme.Controller(server.address)
"""

from __future__ import annotations

import array
import contextlib
import json
import mmap
import os
import select
import shutil
import socket
import struct
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import Callable, NamedTuple

from tests.fix_load import loaded
from tests.forking import fork

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS, GET_IRQ_INFO, SET_IRQS = range(
    1, 9
)
REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, DEVICE_RESET = range(9, 14)

COMMAND, REPLY, NO_REPLY, ERROR = 0x00, 0x01, 0x10, 0x20
BAR0, MSIX_TABLE, CONFIG = 0, 4, 7
NUM_REGIONS, NUM_IRQS, NUM_VECTORS = 9, 5, 8
READ, WRITE, MMAP, CAPS = 1, 2, 4, 8  # flags of a region
SPARSE_MMAP = 1

PAGE = 4096
BAR_SIZE = 0x4000
DOORBELLS = 0x1000  # where they begin, and how many bytes of them are offered for mmap

HEADER = struct.Struct("<HHIII")
REGION_INFO = struct.Struct("<IIIIQQ")
ACCESS = struct.Struct("<QII")

LOOK = 0.0003
"""Seconds between two looks at the doorbells, which give no notice."""
PATIENCE = 10.0
"""Seconds after which a driver that does not take its messages is a failure."""


class Message(NamedTuple):
    """A message as it came. Its descriptors are closed after it was handled."""

    id: int
    command: int
    flags: int
    error: int
    payload: bytes
    fds: list[int]


class Mapping(NamedTuple):
    """A region of the driver's memory. file is None if it came without a descriptor."""

    address: int
    size: int
    file: mmap.mmap | None


class DriverBrokeRule(AssertionError):
    """The driver violated a specification."""


def check(good: bool, text: str) -> None:
    if not good:
        raise DriverBrokeRule(text)


def message(
    command: int, payload: bytes = b"", *, id: int = 0, flags: int = REPLY, error: int = 0, size: int = -1
) -> bytes:
    """The bytes of a message. size: a wrong length for its header."""
    return HEADER.pack(id, command, HEADER.size + len(payload) if size < 0 else size, flags, error) + payload


def sparse_areas(*areas: tuple[int, int], next: int = 0) -> bytes:
    """The capability that lists what of a region can be mapped: offsets and sizes."""
    head = struct.pack("<HHIII", SPARSE_MMAP, 1, next, len(areas), 0)
    return head + b"".join(struct.pack("<QQ", *area) for area in areas)


class Server:
    """A device behind a socket, one client at a time."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="pynvme-fake-")
        self.address = self.folder
        self.lock = threading.RLock()
        """Held while a message is handled and while doorbells are looked at."""
        self.on_message: dict[int, Callable[[Message], None]] = {}
        """By command: answers it, or does not, in place of the server; `answer` is the usual way."""
        self.messages: list[Message] = []
        self.answers_to_us: list[Message] = []
        """What the driver replied to DMA_READ and DMA_WRITE."""
        self.memory: list[Mapping] = []
        self.config = bytearray(PAGE)
        self.config[0:4] = struct.pack("<HH", 0x1B36, 0x0010)
        self.config[9:12] = bytes([0x02, 0x08, 0x01])  # class code: NVM, NVMe
        self.table = bytearray(PAGE)
        """BAR 4, for who puts an MSI-X capability into configuration space."""
        self.version = (0, 0)
        self.capabilities: dict[str, object] = {"max_msg_fds": 8, "max_data_xfer_size": 1 << 20}
        self.doorbell_fd = os.memfd_create("doorbells", os.MFD_CLOEXEC)
        os.truncate(self.doorbell_fd, BAR_SIZE)
        self.doorbells = mmap.mmap(self.doorbell_fd, BAR_SIZE)
        """As large as BAR 0; what the driver stores into the mapped part of it is at the same offset here."""
        self.client: socket.socket | None = None
        self._failures: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.path.join(self.folder, "cntrl"))
        self._listener.listen(1)
        self._wake, self._waker = os.pipe()
        self._thread: threading.Thread | None = None
        self._child = 0

    # What a device on top of it defines

    def bar_read(self, offset: int, count: int) -> bytes:
        return bytes(count)

    def bar_write(self, offset: int, data: bytes) -> None:
        pass

    def look_at_doorbells(self) -> None:
        pass

    # Life

    def start(self, *, process: bool = False) -> str:
        """Serve in a thread, so that the test and its hooks see the same objects; returns the address.

        process: in a child, for what the driver does while it holds Python's lock: there a thread could not
        answer. The test sees nothing of what goes on in it but that it failed.
        """
        if process:
            self._child = fork()
            if not self._child:
                self._run_child()
        else:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self.address

    def stop(self) -> None:
        """End the server and release its resources. Raises what went wrong in it."""
        os.close(self._waker)
        if self._thread is not None:
            self._thread.join(PATIENCE)
            if self._thread.is_alive():
                self._failures.append("a hook of the fake does not end")
        if self._child and os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1]):
            self._failures.append("the fake's process failed: what it wrote is above")
        self._disconnect()
        self._listener.close()
        os.close(self._wake)
        self.doorbells.close()
        os.close(self.doorbell_fd)
        shutil.rmtree(self.folder)
        assert not self._failures, "\n".join(self._failures)

    def _run_child(self) -> None:
        os.close(self._waker)
        self._run()
        for failure in self._failures:
            os.write(2, failure.encode())
        os._exit(1 if self._failures else 0)

    def _run(self) -> None:
        while not self._failures:
            source = self.client or self._listener
            ready = self._ready(source, None if source is self._listener else LOOK)
            if self._wake in ready:
                return
            with self.lock:
                if source is not (self.client or self._listener):
                    continue  # the test has hung up meanwhile
                try:
                    self._step(source in ready)
                except (ConnectionError, socket.timeout):
                    self._disconnect()
                except Exception:
                    self._failures.append(traceback.format_exc())
                    self._disconnect()

    def _ready(self, source: socket.socket, seconds: float | None) -> list[object]:
        """What can be read: the pipe that wakes us, and source. Nothing if the test hangs up meanwhile."""
        try:
            return select.select([self._wake, source], [], [], seconds)[0]
        except (OSError, ValueError):  # a closed socket
            with self.lock:
                if source is self.client:
                    raise
            return []

    def _step(self, ready: bool) -> None:
        if self.client is None:
            if ready:
                self.client, _ = self._listener.accept()
                self.client.settimeout(PATIENCE)
            return
        if ready:
            self.handle(self.receive())
        self.look_at_doorbells()

    def _disconnect(self) -> None:
        if self.client is not None:
            # At once, also while the thread waits for this socket.
            with contextlib.suppress(OSError):
                self.client.shutdown(socket.SHUT_RDWR)
            self.client.close()
            self.client = None
        for mapping in self.memory:
            if mapping.file is not None:
                mapping.file.close()
        self.memory.clear()

    def hang_up(self) -> None:
        """Close the connection like a device that dies. Called from a hook or from the test."""
        with self.lock:
            self._disconnect()

    # Messages

    def receive(self) -> Message:
        """The next message of the driver: its header has to come in one piece, with the descriptors."""
        assert self.client is not None
        data, control, flags, _ = self.client.recvmsg(HEADER.size, socket.CMSG_SPACE(8 * 4))
        fds = array.array("i")
        for _level, _kind, content in control:
            fds.frombytes(content[: len(content) // 4 * 4])
        if not data:
            raise ConnectionResetError
        check(len(data) == HEADER.size, f"a header in pieces: {data!r}")
        check(not flags & socket.MSG_CTRUNC, "more than 8 descriptors with one message")
        id, command, size, flags, error = HEADER.unpack(data)
        check(HEADER.size <= size <= HEADER.size + 16 + (1 << 20), f"a message of {size} bytes")
        payload = b""
        while len(payload) < size - HEADER.size:
            piece = self.client.recv(size - HEADER.size - len(payload))
            if not piece:
                raise ConnectionResetError
            payload += piece
        return Message(id, command, flags, error, payload, list(fds))

    def handle(self, message: Message) -> None:
        """Do what a message says; a hook decides first."""
        try:
            if message.flags & 0xF == REPLY:
                self.answers_to_us.append(message)
                return
            self.messages.append(message)
            hook = self.on_message.get(message.command)
            if hook is not None:
                hook(message)
            else:
                self.answer(message)
        finally:
            for fd in message.fds:
                os.close(fd)

    def send_raw(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Send any bytes, and the descriptors with the first of them."""
        if self.client is None:
            raise ConnectionResetError
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.client.sendmsg([data], rights)
        self.client.sendall(data[sent:])

    def reply(self, to: Message, payload: bytes = b"", fds: Sequence[int] = ()) -> None:
        self.send_raw(message(to.command, payload, id=to.id), fds)

    def refuse(self, to: Message, error: int, payload: bytes = b"") -> None:
        self.send_raw(message(to.command, payload, id=to.id, flags=REPLY | ERROR, error=error))

    def ask(self, command: int, payload: bytes) -> Message:
        """Ask something of the driver, which must be about to wait for a reply; the driver's answer."""
        self.send_raw(message(command, payload, id=0x7777, flags=COMMAND))
        answer = self.receive()
        check(answer.flags & 0xF == REPLY, "a command came where a reply was due")
        check((answer.id, answer.command) == (0x7777, command), f"an answer to something else: {answer}")
        self.answers_to_us.append(answer)
        return answer

    # The default replies

    def answer(self, message: Message) -> None:
        """Reply as the specification says."""
        answers = {
            VERSION: self._version,
            DMA_MAP: self._dma_map,
            DMA_UNMAP: self._dma_unmap,
            GET_INFO: self._get_info,
            GET_REGION_INFO: self._get_region_info,
            GET_IRQ_INFO: self._get_irq_info,
            REGION_READ: self._region_read,
            REGION_WRITE: self._region_write,
            SET_IRQS: self.reply,
            DEVICE_RESET: self.reply,
        }
        check(message.command in answers, f"a command that no client needs: {message.command}")
        answers[message.command](message)

    def _version(self, message: Message) -> None:
        major, minor = struct.unpack_from("<HH", message.payload)
        text = message.payload[4:]
        check(text.endswith(b"\0"), "the JSON of VERSION has no terminating NUL")
        check("capabilities" in json.loads(text[:-1]), f"no capabilities in {text!r}")
        check(len(self.messages) == 1 or not self.memory, "VERSION is the first message of a connection")
        self.version = (major, minor)
        offer = json.dumps({"capabilities": self.capabilities}).encode() + b"\0"
        self.reply(message, struct.pack("<HH", major, minor) + offer)

    def _dma_map(self, message: Message) -> None:
        argsz, flags, offset, address, size = struct.unpack("<IIQQQ", message.payload)
        check(argsz == 32 and flags == 3, f"DMA_MAP with argsz {argsz}, flags {flags:#x}")
        check(len(message.fds) == 1, f"DMA_MAP with {len(message.fds)} descriptors")
        check(address % PAGE == 0 and size % PAGE == 0 and size > 0, f"DMA_MAP of {size:#x} at {address:#x}")
        for other in self.memory:
            check(
                address + size <= other.address or other.address + other.size <= address,
                "overlapping mappings",
            )
        file = mmap.mmap(message.fds[0], size, offset=offset)
        self.memory.append(Mapping(address, size, file))
        self.reply(message)

    def _dma_unmap(self, message: Message) -> None:
        argsz, _flags, address, size = struct.unpack("<IIQQ", message.payload)
        check(argsz == 24, f"DMA_UNMAP with argsz {argsz}")
        found = [m for m in self.memory if (m.address, m.size) == (address, size)]
        check(len(found) == 1, f"DMA_UNMAP of {size:#x} bytes at {address:#x}, which were not mapped so")
        self.memory.remove(found[0])
        if found[0].file is not None:
            found[0].file.close()
        self.reply(message, message.payload)

    def _get_info(self, message: Message) -> None:
        check(len(message.payload) == 16, "GET_INFO has 16 bytes")
        self.reply(message, struct.pack("<IIII", 16, 3, NUM_REGIONS, NUM_IRQS))

    def region_info(self, index: int) -> tuple[bytes, list[int]]:
        """What the reply to GET_REGION_INFO says, and the descriptors that go with it."""
        if index == CONFIG:
            return REGION_INFO.pack(32, READ | WRITE, index, 0, PAGE, 0), []
        if index == MSIX_TABLE:
            return REGION_INFO.pack(32, READ | WRITE, index, 0, PAGE, 0), []
        if index != BAR0:
            return REGION_INFO.pack(32, 0, index, 0, 0, 0), []
        areas = sparse_areas((DOORBELLS, DOORBELLS))
        info = REGION_INFO.pack(32 + len(areas), READ | WRITE | MMAP | CAPS, index, 32, BAR_SIZE, 0)
        return info + areas, [self.doorbell_fd]

    def _get_region_info(self, message: Message) -> None:
        argsz, _flags, index, _caps, _size, _offset = REGION_INFO.unpack_from(message.payload)
        check(argsz >= 32 and index < NUM_REGIONS, f"GET_REGION_INFO of region {index}, argsz {argsz}")
        info, fds = self.region_info(index)
        check(len(info) <= argsz, "the driver asks for less than the answer")
        self.reply(message, info, fds)

    def _get_irq_info(self, message: Message) -> None:
        index = struct.unpack_from("<I", message.payload, 8)[0]
        check(index < NUM_IRQS, f"GET_IRQ_INFO of index {index}")
        count = NUM_VECTORS if index == 2 else 0
        self.reply(message, struct.pack("<IIII", 16, 1, index, count))

    def _region(self, message: Message) -> tuple[int, int, int, bytes]:
        offset, region, count = ACCESS.unpack_from(message.payload)
        data = message.payload[ACCESS.size :]
        check(region in (BAR0, MSIX_TABLE, CONFIG), f"access to region {region}")
        check(offset + count <= (BAR_SIZE if region == BAR0 else PAGE), f"{count} bytes at {offset:#x}")
        if region == BAR0:
            check(count in (4, 8) and offset % count == 0, f"a register of {count} bytes at {offset:#x}")
        return offset, region, count, data

    def _region_read(self, message: Message) -> None:
        offset, region, count, data = self._region(message)
        check(not data, "REGION_READ with data")
        space = self.table if region == MSIX_TABLE else self.config
        found = bytes(space[offset : offset + count])
        self.reply(message, message.payload + (self.bar_read(offset, count) if region == BAR0 else found))

    def _region_write(self, message: Message) -> None:
        offset, region, count, data = self._region(message)
        check(len(data) == count, f"REGION_WRITE of {count} bytes with {len(data)}")
        if region == BAR0:
            self.bar_write(offset, data)
        elif region == MSIX_TABLE:
            self.table[offset : offset + count] = data
        else:
            self.config[offset : offset + count] = data
        self.reply(message, message.payload[: ACCESS.size])

    # The driver's memory

    def dma_read(self, address: int, count: int) -> bytes:
        """Fetch bytes; an address that the driver has not mapped raises."""
        mapping, start = self._find(address, count)
        assert mapping.file is not None
        return mapping.file[start : start + count]

    def dma_write(self, address: int, data: bytes) -> None:
        mapping, start = self._find(address, len(data))
        assert mapping.file is not None
        mapping.file[start : start + len(data)] = data

    def _find(self, address: int, count: int) -> tuple[Mapping, int]:
        for mapping in self.memory:
            if mapping.address <= address and address + count <= mapping.address + mapping.size:
                return mapping, address - mapping.address
        raise DriverBrokeRule(f"{count} bytes at {address:#x}: the driver has not mapped them")


def wait_until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until another thread has made the condition true, and fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline or loaded(), "it did not happen in time"
        time.sleep(0.001)


@contextlib.contextmanager
def lasts_at_most(seconds: float) -> Iterator[None]:
    """Fail if the block takes longer, because a wait in it is not bounded."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took <= seconds or loaded(), f"took {took:.1f} s, more than {seconds}"
