# SPDX-License-Identifier: BSD-3-Clause
"""Sessions with a TPer: packets, the session manager, and methods (Core 3.2.3, 3.3.7, 5.2 and 5.3)."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Protocol, Union

from pynvme.tcg.level0 import Level0
from pynvme.tcg.tokens import Named, Token, Value, decode, encode

if TYPE_CHECKING:
    import nvme

__all__ = ["STATUS", "Session", "Tcg", "TcgError", "Wire", "discover", "pin_bytes", "uid"]

STATUS = {
    0x00: "SUCCESS",
    0x01: "NOT_AUTHORIZED",
    0x02: "OBSOLETE",
    0x03: "SP_BUSY",
    0x04: "SP_FAILED",
    0x05: "SP_DISABLED",
    0x06: "SP_FROZEN",
    0x07: "NO_SESSIONS_AVAILABLE",
    0x08: "UNIQUENESS_CONFLICT",
    0x09: "INSUFFICIENT_SPACE",
    0x0A: "INSUFFICIENT_ROWS",
    0x0C: "INVALID_PARAMETER",
    0x0F: "TPER_MALFUNCTION",
    0x10: "TRANSACTION_FAILURE",
    0x11: "RESPONSE_OVERFLOW",
    0x12: "AUTHORITY_LOCKED_OUT",
    0x3F: "FAIL",
}
"""Status codes of methods (Core 5.1.5)."""

Pin = Union[str, bytes]

_LEVEL_0 = 1
_PROTOCOL = 1
_COMID_PROTOCOL = 2
_TPER_RESET, _BLOCK_SID = 4, 5
_HEADERS = struct.Struct(">IHHIII IIIHHII 6xHI")
_BUFFER = 2048
_TIMEOUT = 10.0

_SESSION_MANAGER = 0xFF
_PROPERTIES = 0xFF01
_START_SESSION = 0xFF02

THIS_SP = 1
_METHODS, _GET_ACL, _ACCESS_CONTROL = 0x0000000600000000, 0x000000060000000D, 0x0000000700000000
GET, SET, GEN_KEY, REVERT_SP, NEXT, AUTHENTICATE = (
    0x0000000600000016,
    0x0000000600000017,
    0x0000000600000010,
    0x0000000600000011,
    0x0000000600000008,
    0x000000060000001C,
)
REVERT, ACTIVATE, RANDOM = 0x0000000600000202, 0x0000000600000203, 0x0000000600000601


class TcgError(Exception):
    """A method, or a security command, has failed.

    Attributes:
        status: the status of the method (a key of :data:`STATUS`), or None if the command itself failed
        nvme_status: the status of the command, SCT << 8 | SC, or 0
    """

    def __init__(self, text: str, status: int | None = None, nvme_status: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.nvme_status = nvme_status


def uid(number: int) -> bytes:
    """A UID as the 8 bytes of a stream."""
    return number.to_bytes(8, "big")


def pin_bytes(pin: Pin) -> bytes:
    """A PIN as bytes; text is encoded as UTF-8."""
    return pin.encode() if isinstance(pin, str) else bytes(pin)


class Wire(Protocol):
    """How security commands reach a drive. A Controller is wrapped in one."""

    def send(self, protocol: int, specific: int, data: bytes) -> None:
        """Security Send. Raises TcgError if it fails."""

    def receive(self, protocol: int, specific: int, size: int) -> bytes:
        """Security Receive. Raises TcgError if it fails."""


class ControllerWire:
    """Security commands of a Controller."""

    def __init__(self, nvme0: nvme.Controller) -> None:
        self._nvme = nvme0
        self._ended: list[int] = []

    def _done(self, cdw0: int, status: int) -> None:
        self._ended.append(status >> 1 & 0x7FF)

    def _execute(
        self, name: str, send: Callable[..., nvme.Controller], protocol: int, *arguments: Any
    ) -> None:
        specific = arguments[1]
        self._ended.clear()
        send(*arguments, secp=protocol, cb=self._done).waitdone()
        status = self._ended.pop()
        if status:
            raise TcgError(
                f"{name} (protocol {protocol:02X}h, SPSP {specific:04X}h) failed with status "
                f"{status >> 8:02x}/{status & 0xFF:02x}",
                nvme_status=status,
            )

    def send(self, protocol: int, specific: int, data: bytes) -> None:
        from nvme import Buffer

        buf = Buffer(len(data), "security send")
        buf[:] = data
        self._execute("Security Send", self._nvme.security_send, protocol, buf, specific)

    def receive(self, protocol: int, specific: int, size: int) -> bytes:
        from nvme import Buffer

        buf = Buffer(size, "security receive")
        self._execute("Security Receive", self._nvme.security_receive, protocol, buf, specific)
        return bytes(buf[:])


def _wire(drive: nvme.Controller | Wire) -> Wire:
    return drive if hasattr(drive, "receive") else ControllerWire(drive)  # type: ignore[return-value]


def discover(drive: nvme.Controller | Wire) -> Level0:
    """Level 0 Discovery: Security Receive with protocol 01h and SPSP 0001h.

    Raises:
        TcgError: the drive refuses the command, since it has no security protocols of TCG
        ValueError: the data are malformed

    Example:
        >>> print(pynvme.tcg.discover(nvme0).locking.enabled)
    """
    return Level0.decode(_wire(drive).receive(_PROTOCOL, _LEVEL_0, _BUFFER))


class Tcg:
    """A TPer, to open sessions with.

    Args:
        drive: a Controller, or an object with the functions of :class:`Wire`
        timeout: how long to wait for a response, in seconds

    Raises LookupError if the drive has no SSC that pynvme knows, otherwise as :func:`discover`.
    """

    def __init__(self, drive: nvme.Controller | Wire, timeout: float = _TIMEOUT) -> None:
        self.wire = _wire(drive)
        self.timeout = timeout
        self.comid = discover(self.wire).comid

    def discover(self) -> Level0:
        """Level 0 Discovery again: whether LBAs are locked changes."""
        return discover(self.wire)

    def exchange(self, tokens: bytes, tsn: int = 0, hsn: int = 0) -> list[Value]:
        """Send a stream of tokens and return the decoded response; an empty list if there is none.

        Raises TcgError if the drive refuses a command, or does not respond in time.
        """
        padded = tokens + bytes(-len(tokens) % 4)
        head = _HEADERS.pack(
            *(0, self.comid, 0, 0, 0, 36 + len(padded)),
            *(tsn, hsn, 0, 0, 0, 0, 12 + len(padded)),
            *(0, len(tokens)),
        )
        packet = head + padded
        self.wire.send(_PROTOCOL, self.comid, packet + bytes(-len(packet) % 512))
        return self._receive()

    def _receive(self) -> list[Value]:
        deadline = time.monotonic() + self.timeout
        size = _BUFFER
        while True:
            data = self.wire.receive(_PROTOCOL, self.comid, size)
            outstanding, least, length = struct.unpack_from(">III", data, 8)
            if length:
                return self._tokens(data)
            if outstanding == 0:
                return []
            size = max(size, -(-least // 512) * 512)
            if time.monotonic() > deadline:
                raise TcgError(f"the drive has not responded to a method within {self.timeout:g} s")

    @staticmethod
    def _tokens(data: bytes) -> list[Value]:
        length = int.from_bytes(data[52:56], "big")
        if length > len(data) - _HEADERS.size:
            raise TcgError(f"the drive's response says that it has {length} bytes, more than were received")
        try:
            return decode(data[_HEADERS.size : _HEADERS.size + length])
        except ValueError as error:
            raise TcgError(f"the drive's response is malformed: {error}") from None

    def call(
        self, invoking: int, method: int, params: Iterable[Value] = (), tsn: int = 0, hsn: int = 0
    ) -> list[Value]:
        """Call a method, and return the list of its results.

        Raises TcgError with the status if it is not SUCCESS.
        """
        call = encode(Token.CALL, uid(invoking), uid(method), list(params), Token.END_OF_DATA, [0, 0, 0])
        return self._results(self.exchange(call, tsn, hsn), method)

    @staticmethod
    def _results(values: list[Value], method: int) -> list[Value]:
        status = values[-1] if values else None
        if not isinstance(status, list) or len(status) != 3 or not isinstance(status[0], int):
            raise TcgError(f"the drive has not responded to method {method:016X}h by a status: {values}")
        if status[0]:
            name = STATUS.get(status[0], "an unknown status")
            raise TcgError(f"method {method:016X}h failed: {name} ({status[0]:02X}h)", status=status[0])
        return next((value for value in values if isinstance(value, list)), [])

    def properties(self, **host: int) -> tuple[dict[str, int], dict[str, int]]:
        """Exchange properties (Core 5.2.2.1): those of the TPer, and those of the host that it has noted.

        Example:
            >>> tper, host = Tcg(nvme0).properties(MaxComPacketSize=4096)
        """
        params: list[Value] = []
        if host:
            params = [Named(0, [Named(name.encode(), value) for name, value in host.items()])]
        results = self.call(_SESSION_MANAGER, _PROPERTIES, params)
        noted = next((one.value for one in results if isinstance(one, Named)), [])
        return _properties(results[0]), _properties(noted)

    def session(
        self,
        sp: int,
        authority: int | None = None,
        pin: Pin = b"",
        write: bool = True,
        timeout: int | None = None,
    ) -> Session:
        """Open a session (Core 5.2.3.1). Use it in a ``with`` statement, which ends it.

        Args:
            sp: the UID of the SP
            authority: the UID of the authority that signs it, or None for Anybody
            pin: the PIN of the authority
            write: whether methods that change something are allowed
            timeout: the drive ends the session after so many milliseconds without a command

        Raises TcgError, for a wrong PIN with the status NOT_AUTHORIZED.
        """
        params: list[Value] = [1, uid(sp), int(write)]
        if authority is not None:
            params += [Named(0, pin_bytes(pin)), Named(3, uid(authority))]
        if timeout is not None:
            params.append(Named(5, timeout))
        results = self.call(_SESSION_MANAGER, _START_SESSION, params)
        if len(results) < 2 or not isinstance(results[0], int) or not isinstance(results[1], int):
            raise TcgError(f"SyncSession does not have the numbers of the session: {results}")
        return Session(self, results[1], results[0])

    def tper_reset(self) -> None:
        """Reset the TPer, by protocol 02h and ComID 0004h (Opal 3.3.3): all sessions end, and ranges lock.

        Only ranges whose LockOnReset has the type 3 (programmatic) lock. Raises TcgError unless
        ProgrammaticResetEnable of the table TPerInfo is set.

        Example:
            >>> with opal.session(0x0000020500000001, 0x0000000900000006, "secret") as admin_sp:
            ...     admin_sp.set(0x0000020100030001, {8: 1})
            >>> opal.tper_reset()
        """
        self.wire.send(_COMID_PROTOCOL, _TPER_RESET, bytes(512))

    def block_sid(self, by_hardware_reset: bool = False) -> None:
        """Let nobody be authenticated as SID, by protocol 02h and ComID 0005h.

        This is Block SID Authentication 1.01, 4.2. A power cycle ends it, and a Revert of the Admin SP. It
        has no effect if somebody owns the drive, so that SID has another PIN than MSID. Feature 0402h of
        discover() tells whether SID is blocked.

        Args:
            by_hardware_reset: a hardware reset ends it as well

        Raises:
            TcgError: the drive does not support it, or SID is blocked already

        Example:
            >>> opal.block_sid()
            >>> opal.discover()[0x0402].sid_blocked
            True
        """
        self.wire.send(_COMID_PROTOCOL, _BLOCK_SID, bytes([by_hardware_reset]) + bytes(511))

    def stack_reset(self) -> None:
        """End the session and drop the response of the ComID, by protocol 02h (Core 3.3.4.6)."""
        head = struct.pack(">HHI", self.comid, 0, 2)
        self.wire.send(_COMID_PROTOCOL, self.comid, head + bytes(512 - len(head)))
        answer = self.wire.receive(_COMID_PROTOCOL, self.comid, 512)
        if int.from_bytes(answer[12:16], "big") != 0:
            raise TcgError("the drive has not reset the stack of its ComID")


def _properties(values: Value) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in values if isinstance(values, list) else ():
        if isinstance(one, Named) and isinstance(one.name, bytes) and isinstance(one.value, int):
            found[one.name.decode("ascii", "replace")] = one.value
    return found


class Session:
    """An open session. :meth:`end` ends it, as leaving its ``with`` statement does.

    Attributes:
        tsn, hsn: its numbers
    """

    def __init__(self, tcg: Tcg, tsn: int, hsn: int) -> None:
        self.tcg = tcg
        self.tsn = tsn
        self.hsn = hsn
        self.is_open = True

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_open:
            self.end()

    def end(self) -> None:
        """End the session. The drive has ended it already if it does not respond."""
        self.is_open = False
        self.tcg.exchange(encode(Token.END_OF_SESSION), self.tsn, self.hsn)

    def call(self, invoking: int, method: int, *params: Value) -> list[Value]:
        """Call any method of an object, and return the list of its results. Raises TcgError."""
        return self.tcg.call(invoking, method, params, self.tsn, self.hsn)

    def get(self, row: int, first: int | None = None, last: int | None = None) -> dict[int, Value]:
        """Get the columns first to last of an object (Core 5.3.3.6), by default all that may be read.

        Columns that the authority may not read are left out.
        """
        cells: list[Value] = []
        if first is not None:
            cells.append(Named(3, first))
        if last is not None:
            cells.append(Named(4, last))
        results = self.call(row, GET, cells)
        columns = results[0] if results and isinstance(results[0], list) else []
        return {
            int(one.name): one.value
            for one in columns
            if isinstance(one, Named) and isinstance(one.name, int)
        }

    def set(self, row: int, columns: Mapping[int, Value]) -> None:
        """Set columns of an object (Core 5.3.3.7): all, or none if it fails."""
        self.call(row, SET, Named(1, [Named(column, value) for column, value in columns.items()]))

    def read(self, table: int, offset: int, length: int) -> bytes:
        """Read bytes of a table of bytes, such as MBR or DataStore."""
        results = self.call(table, GET, [Named(1, offset), Named(2, offset + length - 1)])
        return results[0] if results and isinstance(results[0], bytes) else b""

    def write(self, table: int, offset: int, data: bytes, piece: int = 1024) -> None:
        """Write bytes of a table of bytes, in pieces."""
        for at in range(0, len(data), piece):
            self.call(table, SET, Named(0, offset + at), Named(1, data[at : at + piece]))

    def next(self, table: int, where: int | None = None, count: int | None = None) -> list[int]:
        """The UIDs of the rows of a table (Core 5.3.3.8)."""
        params: list[Value] = []
        if where is not None:
            params.append(Named(0, uid(where)))
        if count is not None:
            params.append(Named(1, count))
        results = self.call(table, NEXT, *params)
        rows = results[0] if results and isinstance(results[0], list) else []
        return [int.from_bytes(one, "big") for one in rows if isinstance(one, bytes)]

    def authenticate(self, authority: int, pin: Pin = b"") -> bool:
        """Authenticate one more authority in this session (Core 5.3.3.12): whether the PIN is right.

        Raises TcgError if the drive accepts no more tries (AUTHORITY_LOCKED_OUT).
        """
        return self.call(THIS_SP, AUTHENTICATE, uid(authority), Named(0, pin_bytes(pin)))[:1] == [1]

    def acl(self, row: int, method: int) -> list[int]:
        """GetACL (Core 5.3.3.13): the UIDs of the access control elements that a method of an object has.

        Args:
            row: the UID of the object, or of a table
            method: the number of the method, as 16h for Get and 17h for Set

        Raises:
            TcgError: the object has no such method

        Example:
            >>> [f"{one:016x}" for one in admin_sp.acl(0x0000000B00000001, 0x17)]    # Set of C_PIN_SID
            ['0000000800008c03']
        """
        results = self.call(_ACCESS_CONTROL, _GET_ACL, uid(row), uid(_METHODS | method))
        rows = results[0] if results and isinstance(results[0], list) else []
        return [int.from_bytes(one, "big") for one in rows if isinstance(one, bytes)]

    def random(self, count: int) -> bytes:
        """Random bytes of the drive, at most 32 (Core 5.6.4.1)."""
        results = self.call(THIS_SP, RANDOM, count)
        return results[0] if results and isinstance(results[0], bytes) else b""
