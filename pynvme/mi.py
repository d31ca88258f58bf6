# SPDX-License-Identifier: BSD-3-Clause
"""The Management Interface (NVMe-MI 2.0) of a drive, in band and out of band.

::

    mi = Mi(nvme0)                      # in band, by NVMe-MI Send and Receive
    mi.subsystem_health().pdlu          # percent of the life that is used
    mi.controller_health()[0].ctemp     # Kelvin

    with Mctp("/tmp/drive") as endpoint:    # out of band, on the control socket of a virtual SSD
        mi = Mi(endpoint)
        mi.vpd()[:8]
        endpoint.admin(0x06, cdw10=1)       # Identify Controller, also while the controller is disabled
        endpoint.ns_create(2048).result     # the new NSID

A message is what MCTP carries as message type 4: a header of four bytes, a command, its data, and a CRC-32C
of all of that. A virtual SSD with the option ``mi`` takes such messages as packets on its socket ``control``.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pynvme import spec
from pynvme.closing import Closing
from pynvme.spec.mi import MiDataType, MiOpcode, MiStatus
from pynvme.values import check, field

if TYPE_CHECKING:
    import nvme

TYPE = 0x84
"""The first byte of a message: MCTP message type 4, with an integrity check."""
RESPONSE = 0x80
DIRECTION, TO_DRIVE, FROM_DRIVE = 3, 1, 2
"""Of an admin opcode: which way its data go."""
PRIMITIVE, MI, ADMIN = 0, 1, 2
"""NVMe-MI message types."""
MOST = 4096
SECONDS = 5.0
SENDS = frozenset({MiOpcode.CONFIGURATION_SET, MiOpcode.VPD_WRITE})
"""Commands that return no data, which NVMe-MI Send carries in band."""
CLEAR = 1 << 31
ALL = 1 << 31
FUNCTIONS = 1 << 24
ENTRIES = 0xFE
"""The largest MAXRENT of a poll: 255 controllers, since 256 are not allowed."""
HEALTH_CHANGES = 0xFFFF
"""The bits of the composite controller status that Configuration Set clears."""
SELECT_ALL = 0x1F


class MiError(OSError):
    """A command of the Management Interface failed. `status` is a pynvme.spec.mi.MiStatus."""

    def __init__(self, opcode: int, status: int) -> None:
        names = {int(one): one.name.replace("_", " ").lower() for one in MiStatus}
        super().__init__(f"NVMe-MI command {opcode:#04x}: {names.get(status, f'status {status:#x}')}")
        self.status = status


class Answer(NamedTuple):
    """The response to a command."""

    status: int
    response: int
    """NVMe Management Response, 24 bits."""
    data: bytes


class AdminAnswer(NamedTuple):
    """The completion of an admin command out of band."""

    result: int
    """Dword 0."""
    status: int
    """The status field, 15 bits; 0: success."""
    data: bytes


def crc32c(data: bytes) -> int:
    """The CRC-32C that ends a message."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC = [_crc_of(byte) for byte in range(256)]


class Mctp(Closing):
    """An endpoint out of band: the folder of a virtual SSD that has the option `mi`, or the path of a socket.

    Any program can send it messages: see the description of this module.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float = SECONDS) -> None:
        name = os.fspath(path)
        place = os.path.join(name, "control") if os.path.isdir(name) else name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(place)
        except OSError as error:
            self._socket.close()
            text = f"there is no endpoint of a virtual SSD at {place}: {error.strerror or error}"
            raise OSError(error.errno, text) from None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def exchange(self, body: bytes, kind: int = MI, slot: int = 0) -> bytes:
        """Send a message of this NVMe-MI message type, and return the response without header and CRC.

        TimeoutError if the endpoint discards the message, or is paused. ValueError if the response is
        malformed.
        """
        self.send(body, kind, slot)
        return self.receive(kind, slot)

    def send(self, body: bytes, kind: int = MI, slot: int = 0) -> None:
        """Send a message to a command slot, 0 or 1, and do not wait for its response."""
        message = bytes([TYPE, kind << 3 | field(slot, 1, "slot"), 0, 0]) + body
        self._socket.send(message + struct.pack("<I", crc32c(message)))

    def receive(self, kind: int = MI, slot: int = 0) -> bytes:
        """Wait for the response to a message, and return it as exchange() does.

        After More Processing Required, it waits for the response proper, for as long as that says at least.
        """
        body = self._receive(kind, slot)
        if kind == PRIMITIVE or body[0] != MiStatus.MORE_PROCESSING_REQUIRED:
            return body
        timeout = self._socket.gettimeout()
        self._socket.settimeout(max(timeout or 0, struct.unpack_from("<H", body, 2)[0] / 10))
        try:
            return self._receive(kind, slot)
        finally:
            self._socket.settimeout(timeout)

    def _receive(self, kind: int, slot: int) -> bytes:
        answer = self._socket.recv(2 * MOST)
        if len(answer) < 12 or answer[:2] != bytes([TYPE, RESPONSE | kind << 3 | slot]):
            raise ValueError(
                f"{answer[:16].hex()} is no response of NVMe-MI message type {kind}, slot {slot}"
            )
        if crc32c(answer[:-4]) != struct.unpack("<I", answer[-4:])[0]:
            raise ValueError("the integrity check of the response is wrong")
        return answer[4:-4]

    def primitive(self, opcode: int, parameter: int = 0, slot: int = 0, tag: int = 0) -> int:
        """Send a control primitive to a command slot, and return CPSR, 16 bits. MiError if it is refused."""
        body = struct.pack(
            "<BBH", field(opcode, 8, "opcode"), field(tag, 8, "tag"), field(parameter, 16, "parameter")
        )
        status, same, result = struct.unpack_from("<BBH", self.exchange(body, PRIMITIVE, slot))
        if same != tag:
            raise ValueError(f"the response of a control primitive has tag {same:#04x}, not {tag:#04x}")
        if status:
            raise MiError(opcode, status)
        return int(result)

    def pause(self) -> int:
        """Pause: from now on, responses to commands wait. Returns the flags of both slots."""
        return self.primitive(0)

    def resume(self) -> None:
        """Resume: the endpoint sends the responses that wait; receive() them."""
        self.primitive(1)

    def abort(self, slot: int = 0) -> int:
        """Abort the command of a slot, and resume. Returns CPAS: 2 if it was partly done, else 0."""
        return self.primitive(2, slot=slot) & 3

    def get_state(self, slot: int = 0, clear: bool = False) -> spec.MiEndpointState:
        """Get State of the endpoint. clear: clear its errors."""
        return spec.MiEndpointState(self.primitive(3, int(clear), slot))

    def replay(self, slot: int = 0, kind: int = MI) -> bytes | None:
        """Replay: the last response of a slot, as exchange() returns it. None: there is none."""
        return self.receive(kind, slot) if self.primitive(4, slot=slot) & 1 else None

    def command(self, opcode: int, nmd0: int = 0, nmd1: int = 0, data: bytes = b"") -> Answer:
        """Send a command of the Management Interface."""
        answer = self.exchange(struct.pack("<B3xII", opcode, nmd0, nmd1) + data)
        (word,) = struct.unpack_from("<I", answer)
        return Answer(word & 0xFF, word >> 8, answer[4:])

    def admin(
        self,
        opcode: int,
        nsid: int = 0,
        ctrlid: int = 1,
        offset: int = 0,
        length: int = MOST,
        data: bytes = b"",
        **dwords: int,
    ) -> tuple[int, bytes]:
        """Send an admin command to a controller: the status field of its completion, and its data.

        As admin_command(), without dword 0 of the completion.
        """
        return self.admin_command(opcode, nsid, ctrlid, offset, length, data, **dwords)[1:]

    def admin_command(
        self,
        opcode: int,
        nsid: int = 0,
        ctrlid: int = 1,
        offset: int = 0,
        length: int = MOST,
        data: bytes = b"",
        **dwords: int,
    ) -> AdminAnswer:
        """Send an admin command to a controller. NVMe-MI 2.0, section 6.

        A virtual SSD has Identify, Get Log Page, Device Self-test, Get and Set Features of those features
        that belong to the drive and not to the host, and, if it has them in band, Format NVM, Namespace
        Management and Attachment, Firmware Image Download and Commit, Security Send and Receive, and
        Sanitize.

        Args:
            opcode: of the command, 8 bits. Commands of queues and events, Abort and Keep Alive are prohibited
            nsid: namespace, 32 bits
            ctrlid: controller, 16 bits
            offset: where in the data that the drive returns the response begins, in bytes
            length: bytes of the response, 4096 at most
            data: what is sent to the drive, 4096 bytes at most
            dwords: cdw10 to cdw15, each 32 bits

        Raises:
            MiError: the endpoint does not execute the command
            TimeoutError: no response came

        Example:
            >>> endpoint.admin_command(0x06, cdw10=1, length=64).data[4:24]
        """
        words = [field(dwords.pop(f"cdw{number}", 0), 32, f"cdw{number}") for number in range(10, 16)]
        check(not dwords, f"{', '.join(dwords)} is no dword from cdw10 to cdw15")
        wanted = field(length, 32, "length") if opcode & DIRECTION == FROM_DRIVE else len(data)
        entry = struct.pack(
            "<BBHI16xII8x",
            field(opcode, 8, "opcode"),
            0,
            field(ctrlid, 16, "ctrlid"),
            field(nsid, 32, "nsid"),
            field(offset, 32, "offset"),
            wanted,
        )
        answer = self.exchange(entry + struct.pack("<6I", *words) + data, ADMIN)
        if answer[0]:
            raise MiError(opcode, answer[0])
        result, _, status = struct.unpack_from("<III", answer, 4)
        return AdminAnswer(result, status >> 17, answer[16:])

    def format(
        self, lbaf: int = 0, ses: int = 0, nsid: int = 1, mset: int = 0, pi: int = 0, pil: int = 0
    ) -> AdminAnswer:
        """Format NVM, as Controller.format(), and wait until it has ended."""
        index = field(lbaf, 6, "lbaf")
        shape = field(mset, 1, "mset") << 4 | field(pi, 3, "pi") << 5 | field(pil, 1, "pil") << 8
        cdw10 = index & 15 | shape | field(ses, 3, "ses") << 9 | index >> 4 << 12
        return self.admin_command(0x80, nsid, cdw10=cdw10)

    def ns_create(
        self, nsze: int, ncap: int | None = None, flbas: int = 0, dps: int = 0, nmic: int = 0, csi: int = 0
    ) -> AdminAnswer:
        """Create a namespace, as Controller.ns_create(). The result is its NSID."""
        data = spec.NamespaceManagementData(bytearray(MOST))
        data.nsze = field(nsze, 64, "nsze")
        data.ncap = data.nsze if ncap is None else field(ncap, 64, "ncap")
        data.flbas, data.dps, data.nmic = (
            field(flbas, 8, "flbas"),
            field(dps, 8, "dps"),
            field(nmic, 8, "nmic"),
        )
        return self.admin_command(0x0D, data=bytes(data), cdw11=field(csi, 8, "csi") << 24)

    def ns_delete(self, nsid: int) -> AdminAnswer:
        """Delete a namespace; 0xffffffff: all."""
        return self.admin_command(0x0D, nsid, cdw10=1)

    def _attachment(self, nsid: int, cntlid: int | Sequence[int], sel: int) -> AdminAnswer:
        ids = [cntlid] if isinstance(cntlid, int) else list(cntlid)
        check(len(ids) <= 2047, f"cntlid has {len(ids)} controllers, but a controller list has 2047 at most")
        words = [len(ids), *(field(one, 16, "cntlid") for one in ids)]
        return self.admin_command(
            0x15, nsid, data=struct.pack(f"<{len(words)}H", *words).ljust(MOST, b"\0"), cdw10=sel
        )

    def ns_attach(self, nsid: int, cntlid: int | Sequence[int] = 1) -> AdminAnswer:
        """Attach a namespace to one or several controllers, in ascending order of CNTLID."""
        return self._attachment(nsid, cntlid, 0)

    def ns_detach(self, nsid: int, cntlid: int | Sequence[int] = 1) -> AdminAnswer:
        """Detach a namespace from one or several controllers."""
        return self._attachment(nsid, cntlid, 1)

    def fw_download(self, data: bytes, offset: int) -> AdminAnswer:
        """Firmware Image Download of a piece, 4096 bytes at most. offset: where in the image, bytes."""
        check(len(data) >= 4 and len(data) % 4 == 0, f"data must be whole dwords, not {len(data)} bytes")
        return self.admin_command(
            0x11, data=data, cdw10=len(data) // 4 - 1, cdw11=field(offset, 34, "offset") // 4
        )

    def fw_commit(self, slot: int, action: int) -> AdminAnswer:
        """Firmware Commit, as Controller.fw_commit()."""
        return self.admin_command(0x10, cdw10=field(slot, 3, "slot") | field(action, 3, "action") << 3)

    def security_send(self, data: bytes, spsp: int, secp: int = 1, nssf: int = 0) -> AdminAnswer:
        """Security Send, 4096 bytes at most."""
        return self.admin_command(0x81, data=data, cdw10=_protocol(spsp, secp, nssf), cdw11=len(data))

    def security_receive(self, spsp: int, secp: int = 1, nssf: int = 0, size: int = MOST) -> AdminAnswer:
        """Security Receive. size: bytes, 4096 at most."""
        cdw10 = _protocol(spsp, secp, nssf)
        return self.admin_command(0x82, length=size, cdw10=cdw10, cdw11=field(size, 32, "size"))

    def sanitize(self, option: int = 2, pattern: int = 0) -> AdminAnswer:
        """Start a sanitize operation, as Controller.sanitize()."""
        return self.admin_command(0x84, cdw10=option, cdw11=pattern)


def _protocol(spsp: int, secp: int, nssf: int) -> int:
    """Dword 10 of the security commands."""
    return field(secp, 8, "secp") << 24 | field(spsp, 16, "spsp") << 8 | field(nssf, 8, "nssf")


class InBand:
    """The same by NVMe-MI Send and NVMe-MI Receive."""

    def __init__(self, nvme0: nvme.Controller) -> None:
        self._nvme0 = nvme0

    def command(self, opcode: int, nmd0: int = 0, nmd1: int = 0, data: bytes = b"") -> Answer:
        """Send a command of the Management Interface."""
        import nvme

        buf = nvme.Buffer(MOST, ptype=0, pvalue=0)
        buf[: len(data)] = data
        send = self._nvme0.mi_send if opcode in SENDS else self._nvme0.mi_receive
        word = int(send(opcode, nmd0, nmd1, buf).waitdone())
        return Answer(word & 0xFF, word >> 8, bytes(buf[:]))


class Mi:
    """Commands of the Management Interface, to a Controller (in band) or through an Mctp (out of band).

    All of them raise MiError if the drive refuses the command.
    """

    def __init__(self, drive: nvme.Controller | Mctp | InBand) -> None:
        self._endpoint = drive if isinstance(drive, (Mctp, InBand)) else InBand(drive)

    def command(self, opcode: int, nmd0: int = 0, nmd1: int = 0, data: bytes = b"") -> Answer:
        """Send any command."""
        answer = self._endpoint.command(
            field(opcode, 8, "opcode"), field(nmd0, 32, "nmd0"), field(nmd1, 32, "nmd1"), data
        )
        if answer.status:
            raise MiError(opcode, answer.status)
        return answer

    def subsystem_health(self, clear: bool = False) -> spec.MiSubsystemHealth:
        """NVM Subsystem Health Status Poll. clear: from now on, report later changes only."""
        answer = self.command(MiOpcode.SUBSYSTEM_HEALTH_STATUS_POLL, 0, CLEAR if clear else 0)
        return spec.MiSubsystemHealth(bytearray(answer.data[:8]))

    def controller_health(
        self, first: int = 0, changed: bool = False, clear: bool = False
    ) -> list[spec.MiControllerHealth]:
        """Controller Health Status Poll of the controllers from CNTLID `first` on.

        changed: only of those of which something has changed. clear: from now on, report later changes only.
        """
        nmd0 = FUNCTIONS | ENTRIES << 16 | field(first, 16, "first") | (0 if changed else ALL)
        answer = self.command(
            MiOpcode.CONTROLLER_HEALTH_STATUS_POLL, nmd0, SELECT_ALL | (CLEAR if clear else 0)
        )
        count = answer.response >> 16
        return [spec.MiControllerHealth(bytearray(answer.data[16 * i : 16 * i + 16])) for i in range(count)]

    def _read(self, kind: MiDataType, port: int = 0, ctrlid: int = 0) -> bytearray:
        nmd0 = kind << 24 | field(port, 8, "port") << 16 | field(ctrlid, 16, "ctrlid")
        answer = self.command(MiOpcode.READ_DATA_STRUCTURE, nmd0)
        return bytearray(answer.data[: answer.response & 0xFFFF])

    def subsystem(self) -> spec.MiSubsystem:
        """NVM Subsystem Information."""
        return spec.MiSubsystem(self._read(MiDataType.SUBSYSTEM))

    def port(self, number: int = 0) -> spec.MiPort:
        """Port Information."""
        return spec.MiPort(self._read(MiDataType.PORT, port=number))

    def controllers(self, first: int = 0) -> list[int]:
        """The CNTLIDs of the controllers from `first` on."""
        data = self._read(MiDataType.CONTROLLER_LIST, ctrlid=first)
        (count,) = struct.unpack_from("<H", data)
        return list(struct.unpack_from(f"<{count}H", data, 2))

    def controller(self, ctrlid: int) -> spec.MiController:
        """Controller Information."""
        return spec.MiController(self._read(MiDataType.CONTROLLER, ctrlid=ctrlid))

    def commands(self) -> spec.MiCommandList:
        """Optionally Supported Command List."""
        return spec.MiCommandList(self._read(MiDataType.OPTIONAL_COMMANDS))

    def configuration(self, identifier: int, port: int = 0) -> int:
        """Configuration Get: 1 SMBus frequency, 3 MCTP transmission unit. In band there is neither."""
        nmd0 = field(port, 8, "port") << 24 | field(identifier, 8, "identifier")
        return self.command(MiOpcode.CONFIGURATION_GET, nmd0).response

    def configure(self, identifier: int, value: int = HEALTH_CHANGES, port: int = 0) -> None:
        """Configuration Set: 1 SMBus frequency, 2 clear changes of health, 3 MCTP transmission unit.

        value: the frequency, bytes, or the bits of the composite controller status to clear, all by default.
        In band, only the changes of health can be cleared.
        """
        nmd0 = field(port, 8, "port") << 24 | field(identifier, 8, "identifier")
        if identifier == 1:
            self.command(MiOpcode.CONFIGURATION_SET, nmd0 | field(value, 4, "value") << 8)
        else:
            self.command(MiOpcode.CONFIGURATION_SET, nmd0, field(value, 16, "value"))

    def vpd(self, offset: int = 0, length: int = 256) -> bytes:
        """VPD Read: Vital Product Data."""
        answer = self.command(MiOpcode.VPD_READ, field(offset, 16, "offset"), field(length, 16, "length"))
        return answer.data[:length]

    def vpd_write(self, data: bytes, offset: int = 0) -> None:
        """VPD Write."""
        self.command(MiOpcode.VPD_WRITE, field(offset, 16, "offset"), field(len(data), 16, "length"), data)
