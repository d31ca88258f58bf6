# SPDX-License-Identifier: BSD-3-Clause
"""The Management Interface (NVMe-MI 2.0) of a drive, in band and out of band.

::

    mi = Mi(nvme0)                      # in band, by NVMe-MI Send and Receive
    mi.subsystem_health().pdlu          # percent of the life that is used
    mi.controller_health()[0].ctemp     # Kelvin

    with Mctp("/tmp/drive") as endpoint:    # out of band, on the control socket of a virtual SSD
        mi = Mi(endpoint)
        mi.vpd()[:8]
        endpoint.admin(AdminOpcode.IDENTIFY, cdw10=1)   # also while the controller is disabled
        endpoint.ns_create(2048).result     # the new NSID
        endpoint.pcie_memory_read(0x1C, 4)  # CSTS
        mi.shutdown()                       # of the whole subsystem

A message is what MCTP carries as message type 4: a header of four bytes, a command, its data, and a CRC-32C
of all of that. A virtual SSD with the option ``mi`` takes such messages as packets on its socket ``control``.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pynvme import namespace_data, spec
from pynvme.closing import Closing
from pynvme.spec import AdminOpcode
from pynvme.spec.enums import NamespaceAttachment, NamespaceManagement
from pynvme.spec.formats import ADMIN_COMMANDS
from pynvme.spec.mi import (
    MiConfiguration,
    MiDataType,
    MiMessageType,
    MiOpcode,
    MiPcieOpcode,
    MiPrimitive,
    MiStatus,
)
from pynvme.values import check, field

if TYPE_CHECKING:
    import nvme

TYPE = 0x84
"""The first byte of a message: MCTP message type 4, with an integrity check."""
RESPONSE = 0x80
IN_BUFFER = 1
"""Of byte 2: the data are in the Management Endpoint Buffer."""
DIRECTION, TO_DRIVE, FROM_DRIVE = 3, 1, 2
"""Of an admin opcode: which way its data go."""
MOST = 4096
"""Bytes of the data of a message."""
SECONDS = 5.0
SENDS = frozenset(
    {
        MiOpcode.CONFIGURATION_SET,
        MiOpcode.VPD_WRITE,
        MiOpcode.RESET,
        MiOpcode.ENDPOINT_BUFFER_WRITE,
        MiOpcode.SHUTDOWN,
    }
)
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
    """A command of the Management Interface failed, or the endpoint does not execute an admin command.

    Attributes:
        status: a pynvme.spec.mi.MiStatus
        location: after Invalid Parameter, the byte of the request message in which the wrong field begins,
            where byte 4 is the opcode. Otherwise 0
    """

    def __init__(self, opcode: int, status: int, location: int = 0) -> None:
        names = {int(one): one.name.replace("_", " ").lower() for one in MiStatus}
        at = f" at byte {location}" if location else ""
        super().__init__(f"NVMe-MI command {opcode:#04x}: {names.get(status, f'status {status:#x}')}{at}")
        self.status = status
        self.location = location


def _failed(opcode: int, word: int) -> MiError:
    """The error of an error response, whose first dword is word. NVMe-MI 1.2, section 4.1.2."""
    status = word & 0xFF
    return MiError(opcode, status, word >> 16 if status == MiStatus.INVALID_PARAMETER else 0)


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

    Args:
        path: the folder, or the socket
        timeout: seconds to wait for a response
        ctrlid: the controller that admin commands are for, 16 bits

    Raises:
        OSError: there is no endpoint
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float = SECONDS, ctrlid: int = 1) -> None:
        self.ctrlid = field(ctrlid, 16, "ctrlid")
        self._waiting: defaultdict[tuple[int, int], deque[bytes]] = defaultdict(deque)
        """Responses that came while another one was awaited, by message type and slot."""
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

    def exchange(
        self, body: bytes, kind: int = MiMessageType.COMMAND, slot: int = 0, flags: int = 0
    ) -> bytes:
        """Send a message of this NVMe-MI message type, and return the response without header and CRC.

        flags: byte 2 of the message; 1: the data are in the Management Endpoint Buffer.

        A response to an earlier message that nobody received, since it came too late, is dropped.
        TimeoutError if the endpoint discards the message, or is paused. ValueError if the response is
        malformed.
        """
        self._drop(kind, slot)
        self.send(body, kind, slot, flags)
        return self.receive(kind, slot)

    def send(self, body: bytes, kind: int = MiMessageType.COMMAND, slot: int = 0, flags: int = 0) -> None:
        """Send a message to a command slot, 0 or 1, and do not wait for its response."""
        message = bytes([TYPE, kind << 3 | field(slot, 1, "slot"), field(flags, 8, "flags"), 0]) + body
        self._socket.send(message + struct.pack("<I", crc32c(message)))

    def receive(self, kind: int = MiMessageType.COMMAND, slot: int = 0) -> bytes:
        """Wait for the response to a message, and return it as exchange() does.

        Responses of the other slot may come first, and are kept for a later call. After More Processing
        Required, it waits for the response proper, for as long as that says at least.
        """
        body = self._receive(kind, slot)
        if kind == MiMessageType.PRIMITIVE or body[0] != MiStatus.MORE_PROCESSING_REQUIRED:
            return body
        timeout = self._socket.gettimeout()
        self._socket.settimeout(max(timeout or 0, struct.unpack_from("<H", body, 2)[0] / 10))
        try:
            return self._receive(kind, slot)
        finally:
            self._socket.settimeout(timeout)

    def _receive(self, kind: int, slot: int) -> bytes:
        """The next response of a slot. Those of others wait: a slot may be faster than the other one."""
        while not self._waiting[kind, slot]:
            self._take()
        return self._waiting[kind, slot].popleft()

    def _take(self) -> None:
        """Receive a response."""
        answer = self._socket.recv(2 * MOST)
        if not answer:
            raise ConnectionResetError("the endpoint has closed the connection: the virtual SSD has ended")
        if len(answer) < 12 or answer[0] != TYPE or not answer[1] & RESPONSE:
            raise ValueError(f"{answer[:16].hex()} is no response of the Management Interface")
        if crc32c(answer[:-4]) != struct.unpack("<I", answer[-4:])[0]:
            raise ValueError("the integrity check of the response is wrong")
        self._waiting[answer[1] >> 3 & 15, answer[1] & 1].append(answer[4:-4])

    def _drop(self, kind: int, slot: int) -> None:
        """Drop the responses of a slot that have come."""
        timeout = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            while True:
                self._take()
        except BlockingIOError:
            self._waiting[kind, slot].clear()
        finally:
            self._socket.settimeout(timeout)

    def primitive(self, opcode: int, parameter: int = 0, slot: int = 0, tag: int = 0) -> int:
        """Send a control primitive to a command slot, and return CPSR, 16 bits. MiError if it is refused."""
        body = struct.pack(
            "<BBH", field(opcode, 8, "opcode"), field(tag, 8, "tag"), field(parameter, 16, "parameter")
        )
        status, same, result = struct.unpack_from("<BBH", self.exchange(body, MiMessageType.PRIMITIVE, slot))
        if same != tag:
            raise ValueError(f"the response of a control primitive has tag {same:#04x}, not {tag:#04x}")
        if status:
            raise MiError(opcode, status)
        return int(result)

    def pause(self) -> int:
        """Pause: from now on, responses to commands wait. Returns the flags of both slots."""
        return self.primitive(MiPrimitive.PAUSE)

    def resume(self) -> None:
        """Resume: the endpoint sends the responses that wait; receive() them."""
        self.primitive(MiPrimitive.RESUME)

    def abort(self, slot: int = 0) -> int:
        """Abort the command of a slot, and resume. Returns CPAS: 2 if it was partly done, else 0."""
        return self.primitive(MiPrimitive.ABORT, slot=slot) & 3

    def get_state(self, slot: int = 0, clear: bool = False) -> spec.MiEndpointState:
        """Get State of the endpoint. clear: clear its errors."""
        return spec.MiEndpointState(self.primitive(MiPrimitive.GET_STATE, int(clear), slot))

    def replay(self, slot: int = 0, kind: int = MiMessageType.COMMAND) -> bytes | None:
        """Replay: the last response of a slot, as exchange() returns it. None: there is none."""
        return self.receive(kind, slot) if self.primitive(MiPrimitive.REPLAY, slot=slot) & 1 else None

    def command(self, opcode: int, nmd0: int = 0, nmd1: int = 0, data: bytes = b"") -> Answer:
        """Send a command of the Management Interface.

        Reset has no response, which would be lost with all that the endpoint has: the answer is then empty.
        """
        body = struct.pack("<B3xII", opcode, nmd0, nmd1) + data
        answer = self._reset(body) if opcode == MiOpcode.RESET else self.exchange(body)
        (word,) = struct.unpack_from("<I", answer)
        return Answer(word & 0xFF, word >> 8, answer[4:])

    def _reset(self, body: bytes) -> bytes:
        """Send a Reset, which is answered if it is refused, before the primitive that follows it."""
        self._drop(MiMessageType.COMMAND, 0)
        self.send(body)
        held = self.get_state().ssta
        return self.receive() if held or self._waiting[MiMessageType.COMMAND, 0] else bytes(4)

    def admin_command(
        self,
        opcode: int,
        nsid: int = 0,
        ctrlid: int | None = None,
        offset: int = 0,
        length: int = MOST,
        data: bytes = b"",
        in_buffer: bool = False,
        **dwords: int,
    ) -> AdminAnswer:
        """Send an admin command to a controller. NVMe-MI 2.0, section 6.

        An endpoint may have Identify, Get Log Page, Device Self-test, Get and Set Features of those features
        that belong to the drive and not to the host, Format NVM, Namespace Management and Attachment,
        Firmware Image Download and Commit, Security Send and Receive, Sanitize, Lockdown, Virtualization
        Management, Capacity Management, Get LBA Status, and vendor specific commands. A virtual SSD has those
        that it has in band.

        Args:
            opcode: of the command, 8 bits. Commands of queues, events and directives, Abort, Keep Alive,
                Doorbell Buffer Config, and NVMe-MI Send and Receive are prohibited
            nsid: namespace, 32 bits
            ctrlid: controller, 16 bits. None: that of this object
            offset: where in the data that the drive returns the response begins, in bytes
            length: bytes of the response, 4096 at most
            data: what is sent to the drive, 4096 bytes at most
            in_buffer: the data are in the Management Endpoint Buffer. A command that sends data takes the
                first `length` bytes of it, which Mi.buffer_write() has put there; those that one returns are
                there for Mi.buffer_read(), and not in the answer. length: as many as the buffer has
            dwords: cdw10 to cdw15, each 32 bits

        Returns:
            dword 0 and the status field of the completion, and the data

        Raises:
            MiError: the endpoint does not execute the command
            TimeoutError: no response came

        Example:
            >>> endpoint.admin_command(AdminOpcode.IDENTIFY, cdw10=1, length=64).data[4:24]
        """
        words = [field(dwords.pop(f"cdw{number}", 0), 32, f"cdw{number}") for number in range(10, 16)]
        check(not dwords, f"{', '.join(dwords)} is no dword from cdw10 to cdw15")
        check(not (data and in_buffer), "data must be empty: they are in the buffer")
        wanted = field(length, 32, "length") if in_buffer or opcode & DIRECTION == FROM_DRIVE else len(data)
        entry = struct.pack(
            "<BBHI16xII8x",
            field(opcode, 8, "opcode"),
            0,
            self.ctrlid if ctrlid is None else field(ctrlid, 16, "ctrlid"),
            field(nsid, 32, "nsid"),
            field(offset, 32, "offset"),
            wanted,
        )
        body = entry + struct.pack("<6I", *words) + data
        answer = self.exchange(body, MiMessageType.ADMIN, flags=IN_BUFFER if in_buffer else 0)
        if answer[0]:
            raise _failed(opcode, int.from_bytes(answer[:4], "little"))
        if len(answer) < 16:
            raise ValueError(f"the response to an admin command has {len(answer)} bytes, and no completion")
        result, _, status = struct.unpack_from("<III", answer, 4)
        return AdminAnswer(result, status >> 17, answer[16:])

    def admin(self, opcode: int, *args: Any, **fields: Any) -> tuple[int, bytes]:
        """Send an admin command, with the parameters of admin_command(), without dword 0 of its completion.

        Returns:
            the status field of the completion, and the data
        """
        return self.admin_command(opcode, *args, **fields)[1:]

    def pcie_command(
        self,
        opcode: int,
        length: int,
        offset: int,
        bar: int = 0,
        data: bytes = b"",
        ctrlid: int | None = None,
    ) -> bytes:
        """Send a PCIe command to a controller. NVMe-MI 2.0, section 7.

        An endpoint may have each of them or not. A virtual SSD has those of configuration space and memory,
        and no I/O space.

        Args:
            opcode: of the command, 8 bits: a pynvme.spec.mi.MiPcieOpcode
            length: bytes, 16 bits, 4096 at most
            offset: in configuration space, or in the memory of the BAR, 64 bits
            bar: number of the BAR, 3 bits: 0 has the registers of the controller
            data: what is written, padded with zeros to whole dwords here
            ctrlid: controller, 16 bits. None: that of this object

        Returns:
            what was read

        Raises:
            MiError: the endpoint refuses the command: PCIE_INACCESSIBLE if the function does not answer,
                ACCESS_DENIED if it is prohibited
            TimeoutError: no response came
        """
        head = struct.pack(
            "<BBHIQ",
            field(opcode, 8, "opcode"),
            0,
            self.ctrlid if ctrlid is None else field(ctrlid, 16, "ctrlid"),
            field(bar, 3, "bar") << 16 | field(length, 16, "length"),
            field(offset, 64, "offset"),
        )
        answer = self.exchange(head + data + bytes(-len(data) % 4), MiMessageType.PCIE)
        if answer[0]:
            raise _failed(opcode, int.from_bytes(answer[:4], "little"))
        return answer[4 : 4 + length]

    def pcie_config_read(self, offset: int, length: int = 4, ctrlid: int | None = None) -> bytes:
        """PCIe Configuration Read.

        Example:
            >>> endpoint.pcie_config_read(0, 4)         # Vendor ID and Device ID
        """
        return self.pcie_command(MiPcieOpcode.CONFIG_READ, length, offset, ctrlid=ctrlid)

    def pcie_config_write(self, offset: int, data: bytes, ctrlid: int | None = None) -> None:
        """PCIe Configuration Write."""
        self.pcie_command(MiPcieOpcode.CONFIG_WRITE, len(data), offset, data=data, ctrlid=ctrlid)

    def pcie_memory_read(
        self, offset: int, length: int = 4, bar: int = 0, ctrlid: int | None = None
    ) -> bytes:
        """PCIe Memory Read, of a register in BAR 0 by default.

        Example:
            >>> endpoint.pcie_memory_read(0x1C)[0] & 1  # CSTS.RDY
        """
        return self.pcie_command(MiPcieOpcode.MEMORY_READ, length, offset, bar, ctrlid=ctrlid)

    def pcie_memory_write(self, offset: int, data: bytes, bar: int = 0, ctrlid: int | None = None) -> None:
        """PCIe Memory Write."""
        self.pcie_command(MiPcieOpcode.MEMORY_WRITE, len(data), offset, bar, data, ctrlid)

    def _named(
        self,
        opcode: AdminOpcode,
        fields: dict[str, int],
        nsid: int = 0,
        data: bytes = b"",
        length: int = MOST,
    ) -> AdminAnswer:
        """Send a command with these fields."""
        words = ADMIN_COMMANDS[opcode].dwords(**fields)
        return self.admin_command(opcode, nsid, None, 0, length, data, False, **words)

    def format(
        self, lbaf: int = 0, ses: int = 0, nsid: int = 1, mset: int = 0, pi: int = 0, pil: int = 0
    ) -> AdminAnswer:
        """Format NVM, as Controller.format(), and wait until it has ended."""
        index = field(lbaf, 6, "lbaf")
        fields = {"lbafl": index & 15, "lbafu": index >> 4, "ses": ses, "mset": mset, "pi": pi, "pil": pil}
        return self._named(AdminOpcode.FORMAT_NVM, fields, nsid)

    def ns_create(self, *args: Any, **fields: Any) -> AdminAnswer:
        """Create a namespace, with the parameters of Controller.ns_create() but cb.

        The result is its NSID.
        """
        words, data = namespace_data.creation(*args, **fields)
        return self._named(AdminOpcode.NS_MANAGEMENT, words, data=data)

    def ns_delete(self, nsid: int) -> AdminAnswer:
        """Delete a namespace; 0xffffffff: all."""
        return self._named(AdminOpcode.NS_MANAGEMENT, {"sel": NamespaceManagement.DELETE}, nsid)

    def ns_attach(self, nsid: int, cntlid: int | Sequence[int] = 1) -> AdminAnswer:
        """Attach a namespace to one or several controllers, in ascending order of CNTLID."""
        data = namespace_data.controller_list(cntlid)
        return self._named(AdminOpcode.NS_ATTACHMENT, {"sel": NamespaceAttachment.ATTACH}, nsid, data)

    def ns_detach(self, nsid: int, cntlid: int | Sequence[int] = 1) -> AdminAnswer:
        """Detach a namespace from one or several controllers."""
        data = namespace_data.controller_list(cntlid)
        return self._named(AdminOpcode.NS_ATTACHMENT, {"sel": NamespaceAttachment.DETACH}, nsid, data)

    def fw_download(self, data: bytes, offset: int) -> AdminAnswer:
        """Firmware Image Download of a piece, 4096 bytes at most. offset: where in the image, bytes."""
        check(len(data) >= 4 and len(data) % 4 == 0, f"data must be whole dwords, not {len(data)} bytes")
        fields = {"numd": len(data) // 4 - 1, "ofst": field(offset, 34, "offset") // 4}
        return self._named(AdminOpcode.FW_DOWNLOAD, fields, data=data)

    def fw_commit(self, slot: int, action: int) -> AdminAnswer:
        """Firmware Commit, as Controller.fw_commit()."""
        return self._named(AdminOpcode.FW_COMMIT, {"fs": slot, "ca": action})

    def security_send(self, data: bytes, spsp: int, secp: int = 1, nssf: int = 0) -> AdminAnswer:
        """Security Send, 4096 bytes at most."""
        fields = {"spsp": spsp, "secp": secp, "nssf": nssf, "tl": len(data)}
        return self._named(AdminOpcode.SECURITY_SEND, fields, data=data)

    def security_receive(self, spsp: int, secp: int = 1, nssf: int = 0, size: int = MOST) -> AdminAnswer:
        """Security Receive. size: bytes, 4096 at most."""
        fields = {"spsp": spsp, "secp": secp, "nssf": nssf, "al": size}
        return self._named(AdminOpcode.SECURITY_RECEIVE, fields, length=size)

    def sanitize(self, option: int = 2, pattern: int = 0) -> AdminAnswer:
        """Start a sanitize operation, as Controller.sanitize()."""
        return self.admin_command(AdminOpcode.SANITIZE, cdw10=option, cdw11=pattern)

    def lockdown(self, ofi: int, scp: int = 0, prhbt: int = 1, ifc: int = 0, uidx: int = 0) -> AdminAnswer:
        """Lockdown, as Controller.lockdown(): ifc 2 prohibits it out of band only, 0 in band only, 1 both.

        Example:
            >>> endpoint.lockdown(AdminOpcode.FORMAT_NVM, ifc=2)
            >>> endpoint.format().status & 0x7FF        # 0x23, and a host can still format
        """
        fields = {"ofi": ofi, "scp": scp, "prhbt": prhbt, "ifc": ifc, "uidx": uidx}
        return self._named(AdminOpcode.LOCKDOWN, fields)

    def virtualization_management(self, act: int, rt: int = 0, cntlid: int = 0, nr: int = 0) -> AdminAnswer:
        """Virtualization Management, as that of Controller. The result is how many resources there are."""
        fields = {"act": act, "rt": rt, "cntlid": cntlid, "nr": nr}
        return self._named(AdminOpcode.VIRTUALIZATION, fields)

    def capacity_management(self, oper: int, elid: int = 0, cap: int = 0) -> AdminAnswer:
        """Capacity Management, as that of Controller. The result is the identifier of what was created."""
        return self._named(AdminOpcode.CAPACITY_MANAGEMENT, {"oper": oper, "elid": elid, "cap": cap})

    def get_lba_status(
        self, slba: int = 0, rl: int = 0, atype: int = 0x10, nsid: int = 1, size: int = MOST
    ) -> AdminAnswer:
        """Get LBA Status, as Controller.get_lba_status(). size: bytes of the list, a multiple of 4."""
        check(size >= 4 and size % 4 == 0, f"size must be whole dwords, not {size} bytes")
        fields = {"slba": slba, "rl": rl, "atype": atype, "mndw": size // 4 - 1}
        return self._named(AdminOpcode.GET_LBA_STATUS, fields, nsid, length=size)


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
            raise _failed(opcode, answer.response << 8 | answer.status)
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
        words = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data) - 1, 2)]
        if not words or words[0] >= len(words):
            raise ValueError(f"the list of controllers is longer than the {len(data)} bytes of the response")
        return words[1 : 1 + words[0]]

    def controller(self, ctrlid: int) -> spec.MiController:
        """Controller Information."""
        return spec.MiController(self._read(MiDataType.CONTROLLER, ctrlid=ctrlid))

    def commands(self, ctrlid: int = 1) -> spec.MiCommandList:
        """Optionally Supported Command List. ctrlid: the controller whose admin commands it has, 16 bits."""
        return spec.MiCommandList(self._read(MiDataType.OPTIONAL_COMMANDS, ctrlid=ctrlid))

    def buffer_commands(self) -> spec.MiCommandList:
        """Management Endpoint Buffer Command Support List: commands whose data can be in the buffer."""
        return spec.MiCommandList(self._read(MiDataType.ENDPOINT_COMMANDS))

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
        if identifier == MiConfiguration.SMBUS_FREQUENCY:
            self.command(MiOpcode.CONFIGURATION_SET, nmd0 | field(value, 4, "value") << 8)
        else:
            self.command(MiOpcode.CONFIGURATION_SET, nmd0, field(value, 16, "value"))

    def reset(self) -> None:
        """Reset: an NVM Subsystem Reset, out of band only. It ends all that the endpoint has."""
        self.command(MiOpcode.RESET)

    def shutdown(self, abrupt: bool = False) -> None:
        """Shutdown: an NVM Subsystem Shutdown, out of band only.

        All controllers report CSTS.SHST 10b and CSTS.ST. Only reset() or a loss of power starts them again.
        """
        self.command(MiOpcode.SHUTDOWN, int(abrupt) << 24)

    def buffer_read(self, offset: int = 0, length: int = MOST) -> bytes:
        """Management Endpoint Buffer Read. port().meb is its size, bytes. length: 4096 at most."""
        answer = self.command(
            MiOpcode.ENDPOINT_BUFFER_READ, field(offset, 32, "offset"), field(length, 32, "length")
        )
        return answer.data[:length]

    def buffer_write(self, data: bytes, offset: int = 0) -> None:
        """Management Endpoint Buffer Write, 4096 bytes at most.

        Example:
            >>> mi.buffer_write(image[:4096]); mi.buffer_write(image[4096:8192], 4096)
            >>> endpoint.admin_command(AdminOpcode.FW_DOWNLOAD, length=8192, in_buffer=True, cdw10=2047)
        """
        self.command(MiOpcode.ENDPOINT_BUFFER_WRITE, field(offset, 32, "offset"), len(data), data)

    def vpd(self, offset: int = 0, length: int = 256) -> bytes:
        """VPD Read: Vital Product Data."""
        answer = self.command(MiOpcode.VPD_READ, field(offset, 16, "offset"), field(length, 16, "length"))
        return answer.data[:length]

    def vpd_write(self, data: bytes, offset: int = 0) -> None:
        """VPD Write."""
        self.command(MiOpcode.VPD_WRITE, field(offset, 16, "offset"), field(len(data), 16, "length"), data)
