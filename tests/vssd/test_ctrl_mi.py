# SPDX-License-Identifier: BSD-3-Clause
"""The Management Interface in band: health, data structures, configuration, Vital Product Data.

NVMe-MI 2.0, sections 4.3 and 5, and Base 2.1, sections 5.1.18 and 5.1.19.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ctrl_helpers import (
    GET_FEATURES,
    INVALID_FIELD,
    INVALID_OPCODE,
    OK,
    SET_FEATURES,
    Host,
    Start,
    firmware_image,
    get_feature,
    identify,
    log_page,
)
from mctp import (
    ABORT,
    BAD_COMMAND_SIZE,
    BAD_OPCODE,
    BAD_PARAMETER,
    BAD_SIZE,
    EXCEEDED,
    MI,
    PAUSE,
    REPLAY,
    RESUME,
    STATE,
    Endpoint,
    entry,
    message,
)
from nvme_cli import COMPILER, PROGRAM

NS_MANAGEMENT, SEND, RECEIVE = 0x0D, 0x1D, 0x1E
READ, SUBSYSTEM, CONTROLLER, SET, GET, VPD_READ, VPD_WRITE, RESET = range(8)
CLEAR, ALL, FUNCTIONS = 1 << 31, 1 << 31, 1 << 24
EVERYTHING = 0x1F
"""NMD1 of a poll of controllers: all selections."""


class Managed(Host):
    def mi(
        self, opcode: int, nmd0: int = 0, nmd1: int = 0, admin: int = RECEIVE, header: int = 0x804
    ) -> tuple[int, int, bytes]:
        """The response, the status of the Management Interface, and the data."""
        memory, buffer = self.nvme.memory, self.disk.buffer
        if admin == RECEIVE:
            memory.write(buffer, b"\xee" * 4096)
        word, status = self.nvme.admin.execute(
            admin, prp1=buffer, cdw10=header, cdw11=opcode, cdw12=nmd0, cdw13=nmd1
        )
        assert status == OK
        return word >> 8, word & 0xFF, memory.read(buffer, 4096)

    def refused(self, **fields: int) -> int:
        return self.nvme.admin.execute(RECEIVE, prp1=self.disk.buffer, **fields)[1]

    def ccs(self) -> int:
        """The composite controller status."""
        return struct.unpack_from("<H", self.mi(SUBSYSTEM)[2], 4)[0]


@pytest.fixture
def host(start: Start) -> Iterator[Managed]:
    host = Managed(start("--size", "1M", "--mi", "--serial", "MI-1", "--namespace-management", "--lockdown"))
    yield host
    host.close()


def test_a_drive_without_the_option_has_none_of_it(start: Start) -> None:
    host = Managed(start("--size", "1M"))
    for opcode in (SEND, RECEIVE):
        assert host.nvme.admin.execute(opcode, prp1=host.disk.buffer, cdw10=0x804)[1] == INVALID_OPCODE
    id = identify(host.nvme, 1)
    assert not id[256] & 1 << 6 and id[253:256] == bytes(3) and log_page(host.nvme, 0x13, 4096) == bytes(4096)
    host.close()


def test_what_is_announced(host: Managed) -> None:
    id = identify(host.nvme, 1)
    assert id[256] & 1 << 6 and tuple(id[253:256]) == (1, 0x80 | 16, 0), "OACS, NVMSR, VWCI, MEC"
    effects = struct.unpack("<1024I", log_page(host.nvme, 0x13, 4096))
    assert [i for i, effect in enumerate(effects) if effect & 1] == [0, 1, 2, 3, 4, 5, 6]
    assert host.mi(RESET)[1] == host.mi(RESET, admin=SEND)[1] == host.mi(0xFF)[1] == BAD_OPCODE
    assert host.mi(SUBSYSTEM, admin=SEND)[1] == host.mi(SET)[1] == BAD_OPCODE, "by the other command"
    for header in (0x803, 0x1004, 0x884, 0x8804):
        assert host.refused(cdw10=header, cdw11=SUBSYSTEM) == INVALID_FIELD, "MT, NMIMT, IC, ROR"


def test_health_of_the_subsystem(host: Managed) -> None:
    response, status, data = host.mi(SUBSYSTEM)
    assert (response, status) == (0, 0) and data[8:] == b"\xee" * 4088
    nss, warnings, celsius, used, ccs, reserved = struct.unpack_from("<BBbBHH", data)
    kelvin = struct.unpack_from("<H", log_page(host.nvme, 2), 1)[0]
    assert (nss, warnings, used, reserved) == (0x38, 0xFF, 0, 0) and abs(celsius + 273 - kelvin) <= 1
    assert ccs & 0x21 == 0x21, "ready, and enabled since the changes were cleared"
    assert host.mi(SUBSYSTEM, nmd1=CLEAR)[1] == 0 and host.ccs() & ~0x200 == 1
    host.nvme.enable()
    host.start()
    assert host.ccs() & ~0x200 == 0x21, "enabled again"
    assert host.mi(SET, 2, 0x1FDF, admin=SEND)[:2] == (0, 0) and host.ccs() & ~0x200 == 0x21, "not CECO"
    assert host.mi(SET, 2, 0x20, admin=SEND)[:2] == (0, 0) and host.ccs() & ~0x200 == 1, "CECO"
    assert host.nvme.admin.execute(0x0D, nsid=1, cdw10=1)[1] == OK
    assert host.ccs() & ~0x200 == 0x41, "a namespace has changed"


def test_health_of_controllers(host: Managed) -> None:
    response, status, data = host.mi(CONTROLLER, ALL | FUNCTIONS)
    assert (response >> 16, response & 0xFFFF, status) == (1, 0, 0) and data[16:] == b"\xee" * 4080
    ctlid, csts, ctemp, used, spare, warnings = struct.unpack_from("<HHHBBB", data)
    assert (ctlid, csts & 1, used, spare, warnings) == (1, 1, 0, 100, 0) and 290 < ctemp < 350
    assert data[9:16] == bytes(7)
    assert host.mi(CONTROLLER, ALL | FUNCTIONS | 2)[0] == 0, "none from CNTLID 2 on"
    assert host.mi(CONTROLLER, ALL)[0] == 0, "no functions are wanted"
    assert host.mi(CONTROLLER, FUNCTIONS, EVERYTHING | CLEAR)[0] >> 16 == 1, "it has changed"
    assert host.mi(CONTROLLER, FUNCTIONS, 1)[0] == 0, "not since"
    for most, wanted in ((0, 1 << 16), (0xFE, 1 << 16), (0xFF, None)):
        response, status, _ = host.mi(CONTROLLER, ALL | FUNCTIONS | most << 16)
        assert status == BAD_PARAMETER if wanted is None else (response, status) == (wanted, 0), "MAXRENT"


def test_data_structures(host: Managed) -> None:
    def structure(kind: int, ctrlid: int = 0, port: int = 0) -> bytes:
        response, status, data = host.mi(READ, kind << 24 | port << 16 | ctrlid)
        assert status == 0 and data[response:] == b"\xee" * (4096 - response)
        return data[:response]

    assert structure(0) == bytes([0, 1, 2]) + bytes(29), "one port, NVMe-MI 1.2"
    port = structure(1)
    assert len(port) == 32 and struct.unpack_from("<BBHI6B", port) == (1, 0, 4096, 65536, 1, 7, 3, 4, 4, 0)
    assert structure(2) == struct.pack("<HH", 1, 1) and structure(2, 2) == bytes(2)
    config = host.client.config_read(0, 64)
    controller = structure(3, 1)
    assert len(controller) == 32 and (controller[0], controller[5:8]) == (0, b"\1\0\0")
    assert controller[8:12] == config[:4] and controller[12:16] == config[0x2C:0x30]
    assert structure(4) == bytes([2, 0, 8, VPD_READ, 8, VPD_WRITE])
    for wrong in (1 << 24 | 1 << 16, 3 << 24 | 2, 6 << 24, 0xFF << 24):
        assert host.mi(READ, wrong)[1] == BAD_PARAMETER


def test_configuration(host: Managed, endpoint: Endpoint) -> None:
    """NVMe-MI 2.0, figure 61: in band there is Health Status Change only."""
    mi = endpoint.mi
    assert mi(GET, 1)[:2] == (1, 0) and mi(GET, 3)[:2] == (64, 0) and mi(GET, 2)[:2] == (0, 0)
    assert mi(SET, 1 | 3 << 8)[:2] == (0, 0) and mi(GET, 1)[:2] == (3, 0)
    assert mi(SET, 3, 250)[:2] == (0, 0) and mi(GET, 3)[:2] == (250, 0)
    for nmd0, nmd1 in ((1, 0), (1 | 4 << 8, 0), (3, 63), (3, 4097), (4, 0), (3 | 1 << 24, 64)):
        assert mi(SET, nmd0, nmd1)[1] == BAD_PARAMETER
    assert mi(GET, 4)[1] == mi(GET, 1 | 1 << 24)[1] == BAD_PARAMETER
    assert host.mi(GET, 2)[:2] == (0, 0) and host.mi(SET, 2, admin=SEND)[:2] == (0, 0)
    for wrong in (0, 1, 3, 4):
        assert host.mi(GET, wrong)[1] == host.mi(SET, wrong | 1 << 8, 64, admin=SEND)[1] == BAD_PARAMETER
    assert mi(GET, 3)[0] == 250


def test_vital_product_data(host: Managed) -> None:
    def vpd(offset: int = 0, length: int = 256) -> bytes:
        assert host.mi(VPD_READ, offset, length)[1] == 0
        return host.nvme.memory.read(host.disk.buffer, length)

    data = vpd()
    assert data[0] == 1 and sum(data[:8]) & 0xFF == 0, "the common header of IPMI"
    area = data[8 * data[4] :][: 8 * data[8 * data[4] + 1]]
    assert area[:4] == bytes([1, 14, 25, 0xC8]) and sum(area) & 0xFF == 0
    assert area[4:12] == b"pynvme  " and b"MI-1".ljust(20) in area
    record = data[8 * data[5] :][:64]
    assert (record[0], record[1] & 0x80, record[2]) == (0x0B, 0x80, 59) and sum(record[:5]) & 0xFF == 0
    assert (sum(record[5:]) + record[3]) & 0xFF == 0
    assert vpd(250, 6) == data[250:] and vpd(0, 0) == b""
    assert host.mi(VPD_READ, 250, 7)[1] == host.mi(VPD_READ, 257, 0)[1] == BAD_PARAMETER
    assert host.mi(VPD_WRITE, 250, 7, admin=SEND)[1] == BAD_PARAMETER
    host.nvme.memory.write(host.disk.buffer, b"ABCDEF")
    assert host.mi(VPD_WRITE, 250, 6, admin=SEND)[:2] == (0, 0)
    assert identify(host.nvme, 1)[254] == 0x80 | 15
    host.power_cycle()
    assert vpd() == data[:250] + b"ABCDEF"
    assert host.mi(VPD_WRITE, 256, 0, admin=SEND)[1] == host.mi(VPD_READ, 256, 0)[1] == 0, "no bytes"
    for left in range(15, 0, -1):
        assert identify(host.nvme, 1)[254] == 0x80 | left
        assert host.mi(VPD_WRITE, 0, 1, admin=SEND)[1] == 0
    assert host.mi(VPD_WRITE, 0, 1, admin=SEND)[1] == EXCEEDED and identify(host.nvme, 1)[254] == 0x80


def test_vital_product_data_belong_to_the_subsystem(start: Start, folder: str) -> None:
    """All controllers have the same, and a file keeps them and their number of writes."""
    options = ("--size", "1M", "--mi", "--controllers", "2", "--file", os.path.join(folder, "drive"))
    server = start(*options)
    second: Any = SimpleNamespace(folder=os.path.join(server.folder, "2"))
    host, other = Managed(server), Managed(second)
    host.nvme.memory.write(host.disk.buffer, b"both")
    assert host.mi(VPD_WRITE, 100, 4, admin=SEND)[1] == 0
    assert other.mi(VPD_READ, 100, 4)[2][:4] == b"both"
    host.close()
    other.close()
    server.stop()
    server.check_end = lambda: None  # type: ignore[method-assign]
    host = Managed(start(*options))
    assert host.mi(VPD_READ, 100, 4)[2][:4] == b"both" and identify(host.nvme, 1)[254] == 0x80 | 15
    host.close()


# Out of band


def test_messages_out_of_band_say_the_same(host: Managed, endpoint: Endpoint) -> None:
    for opcode, nmd0 in ((READ, 0), (READ, 1 << 24), (READ, 3 << 24 | 1), (READ, 5 << 24), (GET, 2)):
        response, status, data = host.mi(opcode, nmd0)
        assert endpoint.mi(opcode, nmd0) == (response, status, data[: response if opcode == READ else 0])
    assert endpoint.mi(SUBSYSTEM)[2] == host.mi(SUBSYSTEM)[2][:8]
    assert endpoint.mi(READ, 6 << 24)[1] == BAD_PARAMETER and endpoint.mi(0xC0)[1] == BAD_OPCODE
    assert endpoint.mi(VPD_WRITE, 0, 4, b"ABCD")[1] == 0 and endpoint.mi(VPD_READ, 0, 4)[2] == b"ABCD"
    for data in (b"ABC", b"ABCDE", b""):
        assert endpoint.mi(VPD_WRITE, 0, 4, data)[1] == BAD_SIZE, "too little data, or too much"
    assert endpoint.mi(SUBSYSTEM, 0, CLEAR)[1] == 0
    in_band, out_of_band = host.ccs(), struct.unpack_from("<H", endpoint.mi(SUBSYSTEM)[2], 4)[0]
    assert (in_band & 0x20, out_of_band & 0x20) == (0x20, 0), "each has its own changes"
    assert endpoint.refused(b"\1\0\0\0", MI) == (BAD_COMMAND_SIZE, 0), "the command is too short"


def test_the_wrong_field_is_named(host: Managed, endpoint: Endpoint) -> None:
    """Parameter Error Location, NVMe-MI 1.2, figure 29: the bit and the byte follow the status."""
    for opcode, nmd0, nmd1, byte in (
        (READ, 6 << 24, 0, 11),
        (READ, 1 << 24 | 1 << 16, 0, 10),
        (READ, 3 << 24 | 9, 0, 8),
        (CONTROLLER, ALL | FUNCTIONS | 0xFF << 16, 0, 10),
        (GET, 4, 0, 8),
        (GET, 1 << 24 | 1, 0, 11),
        (SET, 1 | 4 << 8, 0, 9),
        (SET, 3, 63, 12),
        (VPD_READ, 257, 0, 8),
        (VPD_READ, 250, 7, 12),
    ):
        assert endpoint.refused(struct.pack("<B3xII", opcode, nmd0, nmd1), MI) == (BAD_PARAMETER, byte)
        if opcode not in (GET, SET):
            assert host.mi(opcode, nmd0, nmd1)[:2] == (byte << 8, BAD_PARAMETER), "in band"
    poll = struct.pack("<B3xII", READ, 0, 0)
    endpoint.socket.send(message(poll, MI, flags=1))
    assert endpoint.receive(MI) == bytes([BAD_PARAMETER, 0, 2, 0]), "it does not use the buffer"
    endpoint.socket.send(message(poll, MI, flags=0xFC))
    assert endpoint.receive(MI)[0] == 0, "reserved bits are ignored, and are 0 in the response"


def test_control_primitives(host: Managed, endpoint: Endpoint) -> None:
    poll = struct.pack("<B3xII", READ, 0, 0)
    whole = message(poll, MI)
    assert endpoint.primitive(ABORT) == endpoint.primitive(ABORT, slot=1) == (0, 0)
    endpoint.primitive(STATE, 1)
    assert endpoint.primitive(REPLAY) == endpoint.primitive(STATE) == (0, 0), "no response yet"
    first = endpoint.ask(poll, MI)
    assert endpoint.primitive(REPLAY) == (0, 1) and endpoint.receive(MI) == first
    assert endpoint.primitive(REPLAY, 1)[0] == BAD_PARAMETER
    assert endpoint.primitive(REPLAY, slot=1) == (0, 0), "the other slot"
    assert endpoint.primitive(PAUSE) == (0, 3)
    endpoint.socket.send(whole)
    assert endpoint.primitive(STATE) == (0, 0x8003) and endpoint.primitive(STATE, slot=1) == (0, 0x8000)
    endpoint.socket.send(whole)
    assert endpoint.primitive(STATE) == (0, 0x800B), "a command for a slot that is not idle"
    assert endpoint.primitive(RESUME) == (0, 0) and endpoint.receive(MI) == first
    endpoint.socket.send(whole[:-1] + b"!")
    assert endpoint.primitive(STATE, 1) == (0, 0x18) and endpoint.primitive(STATE) == (0, 0)
    endpoint.primitive(PAUSE)
    endpoint.socket.send(whole)
    assert endpoint.primitive(ABORT) == (0, 0), "and the endpoint goes on"
    assert endpoint.ask(poll, MI) == first
    for opcode in (5, 0xFF):
        assert endpoint.primitive(opcode)[0] == BAD_OPCODE


def test_admin_commands_out_of_band(host: Managed, endpoint: Endpoint) -> None:
    whole = identify(host.nvme, 1)
    assert endpoint.execute(entry(0x06, 1, dlen=4096)) == (0, OK, whole)
    assert endpoint.execute(entry(0x06, 1, offset=24, dlen=40)) == (0, OK, whole[24:64])
    smart = endpoint.execute(entry(0x02, 127 << 16 | 2, nsid=0xFFFFFFFF, dlen=512))
    assert smart[:2] == (0, OK) and len(smart[2]) == 512 and smart[2][3] == 100
    assert endpoint.execute(entry(0x06, 0x77))[1] == INVALID_FIELD
    threshold, arbitration, timestamp = 4, 1, 0x0E
    assert endpoint.execute(entry(SET_FEATURES, threshold, 333)) == (0, OK, b"")
    assert get_feature(host.nvme, threshold) == 333
    assert endpoint.execute(entry(GET_FEATURES, threshold)) == (333, OK, b"")
    time = entry(SET_FEATURES, timestamp, dlen=8)
    assert endpoint.execute(time + b"\x78\x56\x34\x12\0\0\0\0")[1] == OK
    assert endpoint.execute(entry(GET_FEATURES, timestamp, dlen=8))[2][2:4] == b"\x34\x12"
    assert endpoint.refused(time + bytes(4)) == (BAD_SIZE, 0), "too little data"
    assert endpoint.refused(entry(GET_FEATURES, timestamp, dlen=8) + bytes(4)) == (BAD_SIZE, 0), "it has none"
    for prohibited in (arbitration, 3, 5, 6, 7, 8, 9, 10, 11, 13, 15, 0x16, 0x81):
        for opcode in (GET_FEATURES, SET_FEATURES):
            assert endpoint.refused(entry(opcode, prohibited)) == (BAD_PARAMETER, 44), "MI 1.2, figure 125"
    for wrong, byte in (
        ({"ctrl": 2}, 6),
        ({"ctrl": 0x101}, 6),
        ({"dlen": 4097}, 32),
        ({"offset": 1 << 31}, 28),
    ):
        assert endpoint.refused(entry(0x06, 1, **wrong)) == (BAD_PARAMETER, byte)
    host.client.write32(0x14, 0)
    serial = endpoint.execute(entry(0x06, 1, dlen=20, offset=4))[2]
    assert serial == b"MI-1".ljust(20), "also while the controller is disabled"


def test_a_response_has_a_part_of_more_than_4096_bytes(host: Managed, endpoint: Endpoint) -> None:
    """NVMe-MI 1.2, section 6.2: DOFST and DLEN choose from all that the command returns, here 8 KiB."""
    log = entry(0x02, 2047 << 16 | 0x07, nsid=0xFFFFFFFF, offset=4096, dlen=512)
    status, data = endpoint.execute(log)[1:]
    assert status == OK and data == log_page(host.nvme, 0x07, 512, offset=4096)
    assert data != log_page(host.nvme, 0x07, 512)


def test_wrong_messages_are_discarded(host: Managed, endpoint: Endpoint) -> None:
    poll = struct.pack("<B3xII", SUBSYSTEM, 0, 0)
    whole = message(poll, MI)
    endpoint.socket.send(whole[:-1] + bytes([whole[-1] ^ 1]))
    endpoint.socket.send(b"\x84")
    endpoint.socket.send(b"\x84" * 11)
    endpoint.socket.send(message(poll, 0x10 | MI))
    assert endpoint.is_silent()
    assert endpoint.mi(SUBSYSTEM)[1] == 0


@pytest.mark.skipif(not (PROGRAM and COMPILER), reason="nvme-cli and a C compiler are needed")
def test_nvme_cli_talks_to_the_endpoint_by_libnvme(host: Managed, tmp_path: Path) -> None:
    """libnvme writes and checks the messages; nvme_mctp.c carries them instead of the kernel's MCTP."""
    assert COMPILER and PROGRAM
    library = tmp_path / "mctp.so"
    source = Path(__file__).with_name("nvme_mctp.c")
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    environment = {
        "LD_PRELOAD": str(library),
        "NVME_MCTP_SOCKET": os.path.join(host.server.folder, "control"),
        "PATH": os.environ.get("PATH", ""),
        "LC_ALL": "C",
    }

    def run(line: str) -> subprocess.CompletedProcess[str]:
        name, *words = line.split()
        words = [PROGRAM, name, "mctp:1,9:1", *words]
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=20)

    def nvme(command: str) -> Any:
        return json.loads(run(f"{command} -o json").stdout)

    assert (nvme("id-ctrl")["sn"].strip(), nvme("id-ctrl")["vwci"]) == ("MI-1", 0x80 | 16)
    assert nvme("smart-log")["avail_spare"] == 100
    image = tmp_path / "image"
    image.write_bytes(firmware_image("MI 3"))
    for line in (
        "format -n 1 --force",
        "delete-ns -n 1",
        "create-ns -s 64 -c 64 -f 0",
        "attach-ns -n 1 -c 1",
        f"fw-download -f {image} -x 4096",
        "fw-commit -s 2 -a 3",
        "admin-passthru --opcode=0x24 --cdw10=0x8050",  # Lockdown of Format NVM, out of band
    ):
        done = run(line)
        if "create_ns" in done.stderr and "not a direct transport" in done.stderr:
            # nvme-cli 2.16 does so by device files only, since it also asks one for Identify.
            data = struct.pack("<QQ", 64, 64).ljust(4096, b"\0")
            host.nvme.memory.write(host.disk.buffer, data)
            assert host.nvme.admin.execute(NS_MANAGEMENT, prp1=host.disk.buffer) == (1, OK)
            continue
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    assert identify(host.nvme, 1)[64:72] == b"MI 3    "
    assert struct.unpack_from("<Q", identify(host.nvme, 0, 1)) == (64,)
    assert "Lockdown" in run("format -n 1 --force").stderr
    assert host.nvme.admin.execute(0x80, nsid=1)[1] == OK
    newest = nvme("error-log")["errors"][0]
    assert (newest["sqid"], newest["cmdid"], newest["status_field"] & 0x7FF) == (0xFFFF, 0xFFFF, 0x23)
    directive_send = run("admin-passthru --opcode=0x19")
    assert "NVMe-MI status: Invalid Parameter(0x4)" in directive_send.stderr
    assert run("sanitize -a start-block-erase").returncode == 0
