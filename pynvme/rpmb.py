# SPDX-License-Identifier: BSD-3-Clause
"""Replay protected memory blocks (RPMB): authenticated reads and writes by Security Send and Receive.

::

    from pynvme.rpmb import Rpmb

    rpmb = Rpmb(nvme0, key=bytes(range(32)))
    rpmb.program_key()                  # once in the life of the drive: nothing undoes it
    rpmb.write(0, b"secret".ljust(512, b"\\0"))
    rpmb.read(0, 1)[:6]                 # b'secret'
    rpmb.counter()                      # 1: each write counts
    rpmb.configure(boot_protection=True, lock0=True, lock1=False)

Each object is one target. It checks the MAC, the nonce and the counter of every response, so what it returns
is what the drive with this key has said now. Base 2.1, section 8.1.21.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, NamedTuple, Protocol, Union, cast

from pynvme.spec.rpmb import RpmbConfiguration, RpmbFrame, RpmbMessage, RpmbResult

if TYPE_CHECKING:
    import nvme

__all__ = ["Rpmb", "RpmbError", "RpmbInfo", "Wire", "info", "sign"]

PROTOCOL, SPSP = 0xEA, 1
SECTOR = 512
KEY_SIZE = 32
HEAD = RpmbFrame.SIZE
MAC_AT, TARGET_AT = 191, 223
UNIT = 128 << 10
MOST_TARGETS = 7

WITH_RESULT = (RpmbMessage.PROGRAM_KEY, RpmbMessage.WRITE, RpmbMessage.WRITE_CONFIGURATION)
"""Requests whose response a Result Read asks for."""
UNSIGNED = (RpmbMessage.PROGRAM_KEY,)

Key = Union[bytes, bytearray, memoryview]


class RpmbError(Exception):
    """A request has failed, or its response is not what a drive with this key would send.

    Attributes:
        result: the status of the operation, a :class:`pynvme.spec.RpmbResult`, or None if it is not known
        expired: whether the Write Counter has reached its maximum
        nvme_status: the status of the command, SCT << 8 | SC, or 0
    """

    def __init__(
        self, text: str, result: RpmbResult | int | None = None, expired: bool = False, nvme_status: int = 0
    ) -> None:
        super().__init__(text)
        self.result = result
        self.expired = expired
        self.nvme_status = nvme_status


class RpmbInfo(NamedTuple):
    """What Identify Controller (RPMBS) says about RPMB."""

    targets: int
    """How many targets there are; 0: the drive has no RPMB."""
    size: int
    """Bytes of a target."""
    access: int
    """Bytes that one request may read or write."""
    method: int
    """The authentication method, 0 is HMAC SHA-256."""


class Wire(Protocol):
    """How frames reach a drive. A Controller is wrapped in one."""

    def send(self, target: int, data: bytes) -> None:
        """Security Send. Raises RpmbError if it fails."""

    def receive(self, target: int, size: int) -> bytes:
        """Security Receive. Raises RpmbError if it fails."""


class ControllerWire:
    """Security commands of a Controller, with protocol EAh."""

    def __init__(self, nvme0: nvme.Controller) -> None:
        self._nvme0 = nvme0
        self._ended: list[int] = []

    def _done(self, cdw0: int, status: int) -> None:
        self._ended.append(status >> 1 & 0x7FF)

    def _check(self, name: str, target: int) -> None:
        status = self._ended.pop()
        if status:
            raise RpmbError(
                f"{name} to RPMB target {target} failed with status {status >> 8:02x}/{status & 0xFF:02x}",
                nvme_status=status,
            )

    def send(self, target: int, data: bytes) -> None:
        """Security Send."""
        import nvme

        buf = nvme.Buffer(len(data), "RPMB frame")
        buf[:] = data
        self._nvme0.security_send(buf, SPSP, PROTOCOL, target, cb=self._done).waitdone()
        self._check("Security Send", target)

    def receive(self, target: int, size: int) -> bytes:
        """Security Receive."""
        import nvme

        buf = nvme.Buffer(size, "RPMB frame")
        self._nvme0.security_receive(buf, SPSP, PROTOCOL, target, cb=self._done).waitdone()
        self._check("Security Receive", target)
        return bytes(buf[:])


def info(nvme0: nvme.Controller) -> RpmbInfo:
    """What a drive says about its RPMB.

    Example:
        >>> info(nvme0).targets
    """
    rpmbs = nvme0.id_ctrl.rpmbs
    if not rpmbs.nrpmbu:
        return RpmbInfo(0, 0, 0, 0)
    return RpmbInfo(
        int(rpmbs.nrpmbu), (int(rpmbs.tsz) + 1) * UNIT, (int(rpmbs.asz) + 1) * SECTOR, int(rpmbs.auth)
    )


def sign(frame: bytes, key: Key) -> bytes:
    """A frame with its MAC, which is made of all bytes from the target on, also of those of the data."""
    mac = hmac.new(bytes(key), frame[TARGET_AT:], hashlib.sha256).digest()
    return frame[:MAC_AT] + mac + frame[TARGET_AT:]


def _key_of(key: Key) -> bytes:
    found = bytes(key)
    if len(found) != KEY_SIZE:
        raise ValueError(f"an RPMB key has {KEY_SIZE} bytes, not {len(found)}")
    return found


class Rpmb:
    """One RPMB target of a drive.

    Args:
        drive: the Controller, or a :class:`Wire`
        target: number of the target, 0 to 6. Only target 0 has the Device Configuration Block
        key: the 32 bytes of its key. Without it, responses are not authenticated, and nothing can be written
        access: bytes that one request may read or write, by default as Identify says (RPMBS)

    Raises:
        ValueError: the drive is a Controller, and has no such target; the key does not have 32 bytes

    All methods raise :class:`RpmbError` if the drive refuses a request, or if a response is not authentic.

    Example:
        >>> rpmb = Rpmb(nvme0, key=bytes(range(32)))
        >>> rpmb.program_key()
    """

    def __init__(
        self,
        drive: nvme.Controller | Wire,
        target: int = 0,
        key: Key | None = None,
        access: int | None = None,
    ) -> None:
        if hasattr(drive, "id_ctrl"):
            controller = cast("nvme.Controller", drive)
            found = info(controller)
            if not 0 <= target < found.targets:
                raise ValueError(f"the drive has {found.targets} RPMB targets, and no target {target}")
            self.wire: Wire = ControllerWire(controller)
            access = access or found.access
        else:
            self.wire = drive
        if not 0 <= target < MOST_TARGETS:
            raise ValueError(f"an RPMB target is 0 to {MOST_TARGETS - 1}, not {target}")
        self.target = target
        self.key = None if key is None else _key_of(key)
        self.access = access or SECTOR
        """Bytes that one request may read or write."""

    def __repr__(self) -> str:
        return f"<Rpmb target {self.target}>"

    # ---- frames ----

    def frame(
        self,
        message: int,
        counter: int = 0,
        address: int = 0,
        sectors: int = 0,
        nonce: bytes = bytes(16),
        data: bytes = b"",
    ) -> bytes:
        """A request as bytes, signed if there is a key. Tests can change it, and send it by :meth:`exchange`.

        Example:
            >>> again = rpmb.frame(3, counter=0, address=0, sectors=1, data=bytes(512))  # a write
        """
        made = RpmbFrame()
        made.target, made.counter, made.address, made.sectors = self.target, counter, address, sectors
        made.nonce, made.message = nonce, message
        frame = bytes(made) + data
        return frame if self.key is None else sign(frame, self.key)

    def exchange(self, frame: bytes, data_size: int = 0) -> tuple[RpmbFrame, bytes]:
        """Send a request, and return the response and its data, unchecked.

        Requests that write get a Result Read request before the response is received.
        """
        message = int.from_bytes(frame[254:256], "little")
        self.wire.send(self.target, frame)
        if message in WITH_RESULT:
            self.wire.send(self.target, self.frame(RpmbMessage.READ_RESULT))
        answer = self.wire.receive(self.target, HEAD + data_size)
        return RpmbFrame(answer[:HEAD]), answer[HEAD:]

    def _ask(
        self, message: RpmbMessage, data_size: int = 0, address: int = 0, sectors: int = 0
    ) -> tuple[RpmbFrame, bytes]:
        """Send a request that reads, and return its response, checked."""
        nonce = secrets.token_bytes(16)
        frame = self.frame(message, address=address, sectors=sectors, nonce=nonce)
        answer, data = self.exchange(frame, data_size)
        self._check(message, answer, data)
        if bytes(answer.nonce) != nonce:
            raise RpmbError(f"the response of RPMB target {self.target} has the nonce of another request")
        return answer, data

    def _check(self, message: RpmbMessage, answer: RpmbFrame, data: bytes) -> None:
        """Raise RpmbError unless a response belongs to a request, is a success, and is authentic."""
        name = message.name.lower().replace("_", " ")
        if answer.message != message << 8:
            raise RpmbError(
                f"RPMB target {self.target} has answered the request to {name} with message "
                f"{int(answer.message):04x}h, not {message << 8:04x}h"
            )
        status, expired = answer.result.status, bool(answer.result.expired)
        if status:
            text = status.name.lower().replace("_", " ") if isinstance(status, RpmbResult) else "unknown"
            what = f"the request to {name} failed on RPMB target {self.target}"
            raise RpmbError(f"{what}: {text} ({int(answer.result):02x}h)", status, expired)
        if self.key is None or message in UNSIGNED:
            return
        whole = bytes(answer) + data
        if not hmac.compare_digest(whole, sign(whole, self.key)):
            raise RpmbError(f"the response of RPMB target {self.target} has a wrong MAC: it has another key")

    def _write(self, message: RpmbMessage, counter: int, data: bytes, address: int = 0) -> None:
        """Send an authenticated write with this counter, and check the response."""
        if self.key is None:
            raise ValueError("a write to RPMB needs the key of the target: Rpmb(nvme0, key=...)")
        sectors = len(data) // SECTOR
        frame = self.frame(message, counter=counter, address=address, sectors=sectors, data=data)
        answer, _ = self.exchange(frame)
        self._check(message, answer, b"")
        if answer.counter != counter + 1:
            text = f"after a write, the counter of RPMB target {self.target} is {int(answer.counter)}"
            raise RpmbError(f"{text}, not {counter + 1}")

    # ---- requests ----

    def program_key(self, key: Key | None = None) -> None:
        """Program the key of the target, by default the one of this object. Nothing can change it afterwards.

        Args:
            key: 32 bytes, which this object uses from now on

        Raises:
            RpmbError: the target has a key already
            ValueError: there is no key, or it does not have 32 bytes

        Example:
            >>> Rpmb(nvme0, 1).program_key(bytes(range(32)))
        """
        wanted = self.key if key is None else _key_of(key)
        if wanted is None:
            raise ValueError("program_key() takes a key of 32 bytes")
        made = RpmbFrame()
        made.target, made.message, made.mac = self.target, RpmbMessage.PROGRAM_KEY, wanted
        answer, data = self.exchange(bytes(made))
        self._check(RpmbMessage.PROGRAM_KEY, answer, data)
        self.key = wanted

    def counter(self) -> int:
        """The Write Counter: how many writes the target has had."""
        answer, _ = self._ask(RpmbMessage.READ_COUNTER)
        return int(answer.counter)

    def write(self, address: int, data: bytes) -> int:
        """Write sectors, in as many requests as needed. Returns the counter afterwards.

        Args:
            address: the first sector of 512 bytes
            data: a multiple of 512 bytes
        """
        if not data or len(data) % SECTOR:
            raise ValueError(f"RPMB data are a multiple of {SECTOR} bytes, not {len(data)}")
        counter = self.counter()
        for at in range(0, len(data), self.access):
            piece = bytes(data[at : at + self.access])
            self._write(RpmbMessage.WRITE, counter, piece, address + at // SECTOR)
            counter += 1
        return counter

    def read(self, address: int, sectors: int = 1) -> bytes:
        """Read sectors of 512 bytes, from a sector on."""
        if sectors < 1:
            raise ValueError(f"read() takes at least one sector, not {sectors}")
        found = b""
        while sectors:
            count = min(sectors, self.access // SECTOR)
            found += self._ask(RpmbMessage.READ, count * SECTOR, address=address, sectors=count)[1]
            address += count
            sectors -= count
        return found

    # ---- the Device Configuration Block ----

    def _configuration(self) -> tuple[RpmbConfiguration, int]:
        answer, data = self._ask(RpmbMessage.READ_CONFIGURATION, SECTOR, sectors=1)
        return RpmbConfiguration(bytearray(data)), int(answer.counter)

    def configuration(self) -> RpmbConfiguration:
        """Read the Device Configuration Block, which target 0 has."""
        return self._configuration()[0]

    def configuration_counter(self) -> int:
        """The Write Counter of the Device Configuration Block, which is not that of target 0."""
        return self._configuration()[1]

    def write_configuration(self, configuration: RpmbConfiguration | bytes) -> None:
        """Write the Device Configuration Block: 512 bytes."""
        data = bytes(configuration)
        if len(data) != SECTOR:
            raise ValueError(f"a Device Configuration Block has {SECTOR} bytes, not {len(data)}")
        self._write(RpmbMessage.WRITE_CONFIGURATION, self.configuration_counter(), data)

    def configure(
        self,
        *,
        boot_protection: bool | None = None,
        lock0: bool | None = None,
        lock1: bool | None = None,
        until_power_cycle: bool | None = None,
        permanent: bool | None = None,
    ) -> RpmbConfiguration:
        """Change bits of the Device Configuration Block, and leave those that are None.

        Returns the block as it was written.

        Args:
            boot_protection: RPMB protects the boot partitions from now on. Nothing undoes it
            lock0, lock1: whether boot partition 0, and 1, is write locked. A reset locks both again
            until_power_cycle, permanent: whether feature 84h may protect namespaces until the next power
                cycle, or for ever. A reset clears both

        Example:
            >>> rpmb.configure(until_power_cycle=True)
            >>> nvme0.send_cmd(9, nsid=1, cdw10=0x84, cdw11=2).waitdone()
        """
        configuration = self.configuration()
        wanted = (
            ("bppe", "enabled", boot_protection),
            ("bpl", "bp0", lock0),
            ("bpl", "bp1", lock1),
            ("wpc", "until_power_cycle", until_power_cycle),
            ("wpc", "permanent", permanent),
        )
        for field, bit, value in wanted:
            if value is not None:
                setattr(getattr(configuration, field), bit, int(value))
        self.write_configuration(configuration)
        return configuration
