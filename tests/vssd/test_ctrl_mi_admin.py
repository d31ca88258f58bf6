# SPDX-License-Identifier: BSD-3-Clause
"""Admin commands that change the drive, out of band. NVMe-MI 1.2, section 6."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from client import sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    FORMAT,
    FORMAT_IN_PROGRESS,
    INVALID_FIELD,
    INVALID_OPCODE,
    OK,
    POWER,
    SANITIZE,
    Host,
    Start,
    control,
    firmware_image,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
    smart,
)
from mctp import (
    ABORT,
    BAD_COMMAND_SIZE,
    BAD_OPCODE,
    BAD_PARAMETER,
    BAD_SIZE,
    DENIED,
    MI,
    MORE_TIME,
    PAUSE,
    PRIMITIVE,
    REPLAY,
    RESUME,
    STATE,
    Endpoint,
    entry,
)

LOCKDOWN, PROHIBITED = 0x24, 0x023
MANAGE, COMMIT, DOWNLOAD, ATTACH, SEND, RECEIVE = 0x0D, 0x10, 0x11, 0x15, 0x81, 0x82
CHANGED = 4 << 16 | 0 << 8 | 2
"""An event: log page 04h, Attached Namespace Attribute Changed, Notice."""


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "4M", "--mi", "--namespace-management", "--tcg"))
    yield host
    host.close()


def test_a_namespace_created_out_of_band_is_seen_in_band(host: Host, endpoint: Endpoint) -> None:
    assert set_feature(host.nvme, 0xB, 0x100) == OK
    assert endpoint.execute(entry(MANAGE, 1, nsid=1)) == (0, OK, b""), "delete, without data"
    host.nvme.admin.submit(sqe(ASYNC_EVENT))
    assert host.nvme.admin.wait().cdw0 == CHANGED and log_page(host.nvme, 4, 8) == struct.pack("<II", 1, 0)
    blocks = struct.pack("<QQ", 64, 64).ljust(4096, b"\0")
    assert endpoint.execute(entry(MANAGE, 0, dlen=4096) + blocks) == (1, OK, b"")
    assert identify(host.nvme, 0x10)[:8] == struct.pack("<II", 1, 0) and identify(host.nvme, 2)[:4] == bytes(
        4
    )
    host.nvme.admin.submit(sqe(ASYNC_EVENT))
    first = struct.pack("<HH", 1, 1).ljust(4096, b"\0")
    assert endpoint.execute(entry(ATTACH, 0, nsid=1, dlen=4096) + first) == (0, OK, b"")
    assert host.nvme.admin.wait().cdw0 == CHANGED and log_page(host.nvme, 4, 8) == struct.pack("<II", 1, 0)
    assert identify(host.nvme, 0, 1)[:8] == struct.pack("<Q", 64)
    host.disk.write(63, pattern(63, 1))
    assert host.disk.read(63) == pattern(63, 1)
    assert endpoint.execute(entry(ATTACH, 0, nsid=1, dlen=4096) + first)[1] == 0x118, "already attached"


def test_format(host: Host, endpoint: Endpoint) -> None:
    host.disk.write(0, pattern(0, 8))
    golden = bytes.fromhex("841000008000010001000000") + bytes(56) + bytes.fromhex("9a4aa9c4")
    endpoint.socket.send(golden)
    assert endpoint.receive()[:1] == bytes([MORE_TIME]) and endpoint.receive() == bytes(16)
    assert host.disk.read(0, 8) == bytes(4096)
    assert host.nvme.admin.poll() is None, "its completion is in no queue"
    host.client.write32(0x14, 0)
    endpoint.erase(entry(FORMAT, nsid=0xFFFFFFFF))
    assert endpoint.execute(entry(FORMAT, 15, nsid=1))[1] == 0x10A, "invalid format"


def test_firmware(host: Host, endpoint: Endpoint) -> None:
    image = firmware_image("MI 1")
    for at in (0, 4096):
        assert endpoint.execute(entry(DOWNLOAD, 1023, at // 4, dlen=4096) + image[at : at + 4096])[1] == OK
    assert endpoint.execute(entry(COMMIT, 3 << 3 | 2), later=True)[1] == OK
    assert identify(host.nvme, 1)[64:72] == b"MI 1    "
    assert endpoint.execute(entry(COMMIT, 1 << 3 | 2))[1] == 0x107, "no image"
    assert endpoint.execute(entry(DOWNLOAD, 1023, dlen=4096) + image[:4096])[1] == OK
    assert endpoint.execute(entry(DOWNLOAD, 1023, dlen=4096) + image[:4096])[1] == 0x114, "overlapping range"


def test_security(endpoint: Endpoint) -> None:
    """Level 0 Discovery names the base ComID, and a stack reset of it succeeds."""
    status, found = endpoint.execute(entry(RECEIVE, 1 << 24 | 1 << 8, 512, dlen=512))[1:]
    assert status == OK and len(found) == 512
    at = 48
    while found[at : at + 2] != b"\2\3":
        at += 4 + found[at + 3]
    comid = int.from_bytes(found[at + 4 : at + 6], "big")
    reset = struct.pack(">HHI", comid, 0, 2).ljust(512, b"\0")
    assert endpoint.execute(entry(SEND, 2 << 24 | comid << 8, 512, dlen=512) + reset) == (0, OK, b"")
    status, answer = endpoint.execute(entry(RECEIVE, 2 << 24 | comid << 8, 512, dlen=512))[1:]
    assert status == OK and answer[:16] == struct.pack(">HHIHHI", comid, 0, 2, 0, 4, 0)
    assert endpoint.execute(entry(SEND, 0x77 << 24, 4, dlen=4) + bytes(4))[1] == 2, "an unknown protocol"


def test_sanitize(host: Host, endpoint: Endpoint) -> None:
    host.disk.write(0, pattern(0, 1))
    endpoint.erase(entry(SANITIZE, 2), later=False)
    log = entry(2, 127 << 16 | 0x81, nsid=0xFFFFFFFF, dlen=512)
    while endpoint.execute(log)[2][2] & 7 == 2:
        pass
    assert endpoint.execute(log)[2][2] & 7 in (1, 4) and host.disk.read(0) == bytes(512)
    assert endpoint.execute(entry(SANITIZE, 7))[1] == 2


def test_what_is_refused(host: Host, endpoint: Endpoint) -> None:
    """NVMe-MI 1.2, figure 114 and section 6.2: a prohibited opcode is an Invalid Parameter."""
    for opcode in (0, 1, 4, 5, 8, 0x0C, 0x18, 0x19, 0x1A, 0x1D, 0x1E, 0x7C, 0x7F):
        assert endpoint.refused(entry(opcode)) == (BAD_PARAMETER, 4), "prohibited, whatever the drive has"
    for opcode in (0x03, 0x1C, 0x20, 0x24, 0x45, 0x86, 0xC0, 0xFF):
        assert endpoint.refused(entry(opcode)) == (BAD_OPCODE, 0), "unknown, or not on this drive"
    for wrong, dlen, length in ((entry, 4096, 4092), (entry, 4092, 4092), (entry, 4096, 0), (entry, 8, 4096)):
        assert endpoint.refused(wrong(MANAGE, 0, dlen=dlen) + bytes(length)) == (BAD_SIZE, 0)
    assert endpoint.refused(entry(MANAGE, 0, dlen=4100) + bytes(4100)) == (BAD_PARAMETER, 32), "too long"
    assert endpoint.refused(entry(DOWNLOAD, 2047, dlen=8192) + bytes(8192)) == (BAD_PARAMETER, 32)
    assert endpoint.refused(entry(DOWNLOAD, 2047, dlen=4096) + bytes(4096)) == (BAD_SIZE, 0), "NUMD says more"
    assert endpoint.refused(entry(SEND, 1 << 24, 8, dlen=4) + bytes(4)) == (BAD_SIZE, 0)
    assert endpoint.refused(entry(FORMAT, nsid=1) + bytes(4)) == (BAD_SIZE, 0), "it has no data"
    assert endpoint.refused(entry(FORMAT, nsid=1)[:-1]) == (BAD_COMMAND_SIZE, 0)
    assert identify(host.nvme, 2)[:8] == struct.pack("<II", 1, 0)


def test_a_drive_without_the_commands(start: Start) -> None:
    host = Host(start("--size", "1M", "--mi"))
    endpoint = Endpoint(host.server.folder)
    for opcode in (MANAGE, ATTACH, SEND, RECEIVE):
        assert host.nvme.admin.execute(opcode)[1] == INVALID_OPCODE
        assert endpoint.refused(entry(opcode)) == (BAD_OPCODE, 0)
    endpoint.close()
    host.close()


def test_a_format_that_takes_long(start: Start) -> None:
    """Its slot is busy, the other one is not; Abort and the loss of power end it, and its peer may leave."""
    host = Host(start("--size", "1M", "--mi", "--format-time", "30000"))
    endpoint = Endpoint(host.server.folder)
    run = entry(FORMAT, nsid=1)
    endpoint.send(run)
    assert endpoint.receive() == struct.pack("<BBH", MORE_TIME, 0, 350), "MPRT: 35 s"
    assert endpoint.state() & 3 == 2, "SSTA: process"
    endpoint.send(run)
    assert endpoint.state() & 8, "the slot is not idle"
    assert endpoint.execute(run, slot=1)[1] == FORMAT_IN_PROGRESS
    assert endpoint.primitive(ABORT) == (0, 2) and endpoint.state() & 3 == 0, "aborted, partly done"
    host.disk.write(0, pattern(0, 1))
    endpoint.send(run)
    assert endpoint.receive()[0] == MORE_TIME
    control(host.server, POWER, 0)
    control(host.server, POWER, 1)
    assert endpoint.state() & 3 == 0
    endpoint.send(run)
    assert endpoint.receive()[0] == MORE_TIME
    endpoint.close()
    endpoint = Endpoint(host.server.folder)
    assert endpoint.primitive(ABORT) == (0, 2)
    endpoint.close()
    host.close()


def lock(ofi: int, interface: int, prohibit: int = 1, scope: int = 0) -> bytes:
    """A Lockdown: interface 0 the admin queue, 1 both, 2 out of band."""
    return entry(LOCKDOWN, ofi << 8 | interface << 5 | prohibit << 4 | scope)


def test_lockdown_prohibits_by_interface(start: Start) -> None:
    """Base 2.1, 8.1.5: a command that is prohibited at one door runs at the other one."""
    host = Host(start("--size", "1M", "--mi", "--lockdown"))
    endpoint = Endpoint(host.server.folder)
    self_test, stop, timestamp = 0x14, 0xF, 0x0E

    def in_band(opcode: int, cdw10: int) -> int:
        return host.nvme.admin.execute(opcode, nsid=0xFFFFFFFF, cdw10=cdw10, prp1=host.disk.buffer)[1]

    def out_of_band(opcode: int, cdw10: int, data: bytes = b"") -> int:
        body = entry(opcode, cdw10, nsid=0xFFFFFFFF, dlen=len(data)) + data
        return endpoint.execute(body)[1]

    def listed(contents: int, scope: int = 0) -> list[int]:
        lsp = contents << 4 | scope
        page = endpoint.execute(entry(2, 127 << 16 | lsp << 8 | 0x14, nsid=0xFFFFFFFF, dlen=512))[2]
        assert page[0] == lsp
        return list(page[4 : 4 + page[3]])

    for interface, queue, door in ((0, PROHIBITED, OK), (2, OK, PROHIBITED), (1, PROHIBITED, PROHIBITED)):
        assert endpoint.execute(lock(self_test, interface)) == (0, OK, b"")
        assert (in_band(self_test, stop), out_of_band(self_test, stop)) == (queue, door)
        assert listed(1) == [self_test] * (queue != OK) and listed(2) == [self_test] * (door != OK)
        assert endpoint.execute(lock(timestamp, interface, scope=2))[1] == OK
        found = in_band(0x09, timestamp), out_of_band(0x09, timestamp, bytes(8))
        assert found == (queue, door)
        assert listed(1, 2) == [timestamp] * (queue != OK) and listed(2, 2) == [timestamp] * (door != OK)
        assert (
            endpoint.execute(lock(self_test, 1, 0))[1] == endpoint.execute(lock(timestamp, 1, 0, 2))[1] == OK
        )
    poll = 1
    assert endpoint.execute(lock(poll, 2, scope=3))[1] == OK
    assert endpoint.refused(struct.pack("<B3xII", poll, 0, 0), MI) == (DENIED, 0)
    assert host.nvme.admin.execute(0x1E, prp1=host.disk.buffer, cdw10=0x804, cdw11=poll)[1] == OK
    assert (
        endpoint.execute(lock(LOCKDOWN, 2))[1] == OK
        and endpoint.execute(lock(poll, 2, 0, 3))[1] == PROHIBITED
    )
    assert host.nvme.admin.execute(LOCKDOWN, cdw10=LOCKDOWN << 8 | 2 << 5)[1] == OK, "allowed in band"
    assert endpoint.execute(lock(poll, 2, 0, 3))[1] == OK and endpoint.mi(poll)[1] == 0
    assert endpoint.execute(lock(0x06, 2))[1] == 0x128, "Identify cannot be prohibited"
    endpoint.close()
    host.close()


def test_lba_status_and_capacity_out_of_band(start: Start) -> None:
    division = ("--endurance-groups", "2", "--capacity-management", "variable", "--namespaces", "2")
    options = ("--namespace-management", "--lba-status", "--unallocated", "4M", *division)
    host = Host(start("--size", "4M", "--mi", *options))
    endpoint = Endpoint(host.server.folder)
    assert host.disk.command(4, 3) == OK, "Write Uncorrectable of LBA 3"
    status = entry(0x86, 0, 0, 7, 0x10 << 24, nsid=1, dlen=32)
    found = struct.pack("<IB3xQIBBH8x", 1, 2, 3, 0, 0, 1, 0)
    assert endpoint.execute(status) == (0, OK, found), "one LBA that cannot be read, and the range is done"
    assert endpoint.execute(entry(0x86, 0, 0, 7, 0, nsid=1, dlen=32))[1] == 2, "ATYPE"
    assert endpoint.execute(entry(0x86, 0, 0, 7, 0x10 << 24, nsid=99, dlen=32))[1] == 0x0B
    create, delete = 1, 2
    assert endpoint.execute(entry(0x20, delete | 9 << 16))[1] == 2, "there is no group 9"
    assert endpoint.execute(entry(0x20, delete | 2 << 16)) == (0, OK, b"")
    assert identify(host.nvme, 0x19)[:4] == struct.pack("<HH", 1, 1)
    assert endpoint.execute(entry(0x20, create, 1 << 20)) == (2, OK, b""), "ENDGID"
    assert identify(host.nvme, 0x19)[:6] == struct.pack("<HHH", 2, 1, 2)
    endpoint.close()
    host.close()


def test_virtual_functions_out_of_band(start: Start) -> None:
    """The endpoint reaches each controller of the subsystem by its CTLID."""
    host = Host(start("--size", "1M", "--mi", "--virtual-functions", "1"))
    endpoint = Endpoint(host.server.folder)
    manage = 0x1C
    assert endpoint.execute(entry(manage, 8 | 2 << 16, 3)) == (3, OK, b""), (
        "assign three queues to controller 2"
    )
    assert struct.unpack_from("<H", identify(host.nvme, 0x15), 32 + 10) == (3,), "NVQ"
    assert endpoint.execute(entry(manage, 9 | 2 << 16))[1] == 0x120, "the function is not enabled"
    assert endpoint.execute(entry(0x06, 1, ctrl=2, offset=78, dlen=4))[2][:2] == b"\2\0", "CNTLID"
    assert endpoint.refused(entry(manage, 8 | 2 << 16, 3, ctrl=2)) == (BAD_OPCODE, 0), "it is no primary one"
    assert endpoint.refused(entry(0x06, 1, ctrl=3)) == (BAD_PARAMETER, 6)
    endpoint.close()
    host.close()


def test_each_controller_has_its_own_features(start: Start) -> None:
    host = Host(start("--size", "1M", "--mi", "--controllers", "2"))
    endpoint = Endpoint(host.server.folder)
    assert endpoint.execute(entry(0x09, 4, 333, ctrl=2))[1] == OK
    assert endpoint.execute(entry(0x0A, 4, ctrl=2))[0] == 333 != endpoint.execute(entry(0x0A, 4))[0]
    assert get_feature(host.nvme, 4) != 333
    endpoint.close()
    host.close()


def test_the_health_of_the_subsystem_is_that_of_all_controllers(start: Start) -> None:
    """CCS is composite, and the configuration is that of the one port, whichever socket is asked."""
    host = Host(start("--size", "1M", "--mi", "--controllers", "2"))
    folder: Any = SimpleNamespace(folder=os.path.join(host.server.folder, "2"))
    second = Host(folder)
    endpoints = Endpoint(host.server.folder), Endpoint(second.server.folder)

    def ccs(endpoint: Endpoint, clear: int = 0) -> int:
        return struct.unpack_from("<H", endpoint.mi(1, nmd1=clear << 31)[2], 4)[0] & 0x21

    for endpoint in endpoints:
        for which in (host, second):
            ccs(endpoint, 1)
            assert ccs(endpoints[0]) == ccs(endpoints[1]) == 1, "ready"
            which.client.write32(0x14, 0)
            assert ccs(endpoints[0]) == ccs(endpoints[1]) == 0x21, "CECO; the other one is ready"
            which.start()
        assert endpoint.mi(3, 2, 0xFFFF)[1] == 0 and ccs(endpoints[0]) == 1, "cleared in both"
    assert endpoints[0].mi(3, 3, 250)[1] == 0 and endpoints[1].mi(4, 3)[0] == 250
    for one in (*endpoints, host, second):
        one.close()


def test_errors_are_logged_without_a_queue(host: Host, endpoint: Endpoint) -> None:
    """Log page 01h of the controller. FFFFh: the command is in no submission queue and has no CID."""
    before = smart(host.nvme, 176)
    assert endpoint.execute(entry(0x06, 0x77, nsid=5, dlen=4096))[1] == INVALID_FIELD
    log = log_page(host.nvme, 1, 64)
    count, sqid, cid, status, pel, lba, nsid = struct.unpack_from("<QHHHHQI", log)
    assert (count, sqid, cid) == (smart(host.nvme, 176), 0xFFFF, 0xFFFF) and count == before + 1
    assert (status, pel, lba, nsid) == (0x4000 << 1 | INVALID_FIELD << 1, 40, 0, 5), "DNR; the byte of CNS"
    assert endpoint.execute(entry(2, 15 << 16 | 1, nsid=0xFFFFFFFF, dlen=64))[2] == log, (
        "the same out of band"
    )
    endpoint.send(entry(0x06, 0x77, dlen=4096))
    assert struct.unpack_from("<I", endpoint.receive(), 12)[0] >> 16 == status, "as in the completion"
    assert endpoint.refused(entry(0x0C)) == (BAD_PARAMETER, 4)
    assert smart(host.nvme, 176) == before + 2, "what the interface refuses is no admin command"
    host.client.write32(0x14, 0)
    assert endpoint.execute(entry(0x06, 0x77, dlen=4096))[1] == INVALID_FIELD, "also without an admin queue"


def test_a_drive_without_power_is_silent(host: Host, endpoint: Endpoint) -> None:
    """A power cycle ends what the endpoint held, and it is not paused any more."""
    poll = entry(0x06, 1, dlen=64)
    endpoint.primitive(PAUSE)
    endpoint.send(poll)
    assert endpoint.state() == 0x8003
    control(host.server, POWER, 0)
    endpoint.send(poll)
    endpoint.send(bytes(4), PRIMITIVE)
    assert endpoint.is_silent()
    control(host.server, POWER, 1)
    assert endpoint.state() == 0 and endpoint.primitive(REPLAY) == (0, 0)
    assert endpoint.execute(poll)[1] == OK


def test_a_subsystem_reset_resets_the_endpoint(start: Start) -> None:
    """It is an event of Get State, and takes the configuration back; a controller reset is neither."""
    host = Host(start("--size", "1M", "--mi", "--format-time", "30000"))
    endpoint = Endpoint(host.server.folder)
    set_unit, get_unit = (3, 3, 250), (4, 3)
    endpoint.send(entry(FORMAT, nsid=1))
    assert endpoint.receive()[0] == MORE_TIME
    assert endpoint.mi(*set_unit, slot=1)[1] == 0
    host.client.write32(0x14, 0)
    host.start()
    assert endpoint.state() == 2 and endpoint.mi(*get_unit, slot=1)[0] == 250
    endpoint.primitive(PAUSE)
    host.client.write32(0x20, 0x4E564D65)
    assert endpoint.state(1) == 0x4000, "NSSRO; idle and not paused"
    assert endpoint.primitive(STATE, 1) == (0, 0x4000) and endpoint.state() == 0, "CESF"
    assert endpoint.is_silent(), "the format has no response"
    assert endpoint.mi(*get_unit)[0] == 64 and endpoint.mi(*set_unit)[1] == 0
    host.start()
    host.power_cycle()
    assert endpoint.state() == 0 and endpoint.mi(*get_unit)[0] == 64
    endpoint.close()
    host.close()


def test_a_format_while_the_endpoint_is_paused(start: Start) -> None:
    """More Processing Required comes once it resumes, unless the format has ended by then."""
    host = Host(start("--size", "1M", "--mi", "--format-time", "400"))
    endpoint = Endpoint(host.server.folder)
    endpoint.primitive(PAUSE)
    endpoint.send(entry(FORMAT, nsid=1))
    assert endpoint.state() == 0x8002
    assert endpoint.primitive(RESUME) == (0, 0) and endpoint.receive()[0] == MORE_TIME
    assert endpoint.primitive(PAUSE) == (0, 3) and endpoint.primitive(RESUME) == (0, 0)
    assert endpoint.completion() == (0, OK, b""), "it comes once"
    endpoint.primitive(PAUSE)
    endpoint.send(entry(FORMAT, nsid=1))
    while endpoint.state() == 0x8002:
        pass
    assert endpoint.state() == 0x8003
    assert endpoint.primitive(RESUME) == (0, 0) and endpoint.completion() == (0, OK, b"")
    endpoint.close()
    host.close()


def test_a_response_goes_to_who_asked(host: Host, endpoint: Endpoint) -> None:
    """Another management controller that resumes the endpoint does not get it."""
    other = Endpoint(host.server.folder)
    other.primitive(PAUSE)
    endpoint.send(entry(0x06, 1, dlen=64))
    other.send(entry(0x06, 1, offset=4, dlen=20), slot=1)
    assert endpoint.primitive(RESUME) == (0, 0)
    assert len(endpoint.completion()[2]) == 64 and len(other.completion(1)[2]) == 20
    assert other.primitive(REPLAY) == (0, 1) and len(other.completion()[2]) == 64, "but may replay it"
    other.close()
    assert endpoint.is_silent()
