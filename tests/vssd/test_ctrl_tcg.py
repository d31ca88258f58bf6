# SPDX-License-Identifier: BSD-3-Clause
"""Security protocols 00h to 02h: a TPer with the Opal SSC, by raw bytes and by pynvme.tcg."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ctrl_helpers import (
    COMPARE,
    FORMAT,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    OK,
    READ,
    SANITIZE,
    SEQUENCE_ERROR,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Host,
    Start,
    identify,
    pattern,
)
from server import Server
from tcg_helpers import (
    COMID,
    INVALID_PARAMETER,
    LOCKED_OUT,
    NO_SESSIONS,
    NOT_AUTHORIZED,
    SECURITY_RECEIVE,
    SECURITY_SEND,
    RawWire,
    failed,
    packet,
)

from pynvme.tcg import Named, Opal, TcgError, opal
from pynvme.tcg.session import THIS_SP, uid

ACCESS_DENIED, OPERATION_DENIED = 0x286, 0x015
SERIAL = "SED0"
MSID, PSID = b"MSID-" + SERIAL.encode(), b"PSID-" + SERIAL.encode()
PIN = "secret"


class Sed:
    """A host of a virtual SSD that encrypts itself."""

    def __init__(self, start: Start, *options: str) -> None:
        self.host = Host(start("--size", "16M", "--tcg", "--serial", SERIAL, *options))
        self.restart()

    def restart(self) -> None:
        """The memory of the client is new after a power cycle."""
        self.disk = self.host.disk
        self.wire = RawWire(self.host.nvme)
        self.opal = Opal(self.wire)

    def power_cycle(self) -> None:
        self.host.power_cycle()
        self.restart()

    def own(self) -> None:
        self.opal.take_ownership(PIN)
        self.opal.activate(PIN)

    def command(self, opcode: int, lba: int, count: int = 1) -> int:
        return self.disk.command(opcode, lba, count)

    def write(self, lba: int, data: bytes) -> None:
        for at in range(0, len(data), 8192):
            self.disk.write(lba + at // 512, data[at : at + 8192])

    def read(self, lba: int, count: int) -> bytes:
        return b"".join(self.disk.read(at, min(16, lba + count - at)) for at in range(lba, lba + count, 16))

    def attempt(self, lba: int, count: int = 1) -> tuple[int, int]:
        """The statuses of a read and of a write."""
        return self.command(READ, lba, count), self.command(WRITE, lba, count)


@pytest.fixture
def sed(start: Start) -> Iterator[Sed]:
    sed = Sed(start)
    yield sed
    sed.host.close()


def refused(error: pytest.ExceptionInfo[TcgError]) -> tuple[int | None, int]:
    return failed(error.value)


# ---- the commands, and their bytes ----


def test_a_drive_without_the_option_has_no_security_commands(host: Host) -> None:
    assert not identify(host.nvme, 1)[256] & 1, "OACS"
    wire = RawWire(host.nvme)
    assert wire.command(SECURITY_RECEIVE, 0, 0, 512) == INVALID_OPCODE
    assert wire.command(SECURITY_SEND, 1, COMID, 512) == INVALID_OPCODE


def test_protocol_0_and_the_checks_of_fields(sed: Sed) -> None:
    wire = sed.wire
    assert identify(sed.host.nvme, 1)[256] & 1, "OACS"
    assert wire.receive(0, 0, 512) == bytes.fromhex("0000000000000003 000102") + bytes(501)
    assert wire.receive(0, 1, 16) == bytes(16), "no certificate"
    assert wire.receive(0, 0, 8) == bytes.fromhex("0000000000000003"), "cut short"
    assert wire.command(SECURITY_RECEIVE, 0, 0, 0) == OK
    assert wire.command(SECURITY_RECEIVE, 0, 2, 512) == INVALID_FIELD
    for protocol in (3, 6, 0xEA, 0xEF):
        assert wire.command(SECURITY_RECEIVE, protocol, 1, 512) == INVALID_FIELD
    for protocol in (0, 3, 0xEA):
        assert wire.command(SECURITY_SEND, protocol, COMID, 512) == INVALID_FIELD
    assert wire.command(SECURITY_SEND, 1, COMID, 0) == INVALID_FIELD, "TL"
    assert wire.command(SECURITY_RECEIVE, 1, COMID + 1, 512) == INVALID_FIELD, "ComID"
    assert wire.command(SECURITY_RECEIVE, 1, 1, 1 << 20) == INVALID_FIELD, "above MDTS"
    for nsid, status in ((0, OK), (1, OK), (0xFFFFFFFF, OK), (5, INVALID_NAMESPACE)):
        assert wire.command(SECURITY_RECEIVE, 1, 1, 512, nsid=nsid) == status


def test_level_0_discovery_by_its_bytes(sed: Sed) -> None:
    descriptors = (
        "0001 10 0c 51000000 0000000000000000"
        "0002 10 0c 09000000 0000000000000000"
        "0003 10 1c 0000000000000000 00000200 0000000000000001 0000000000000000"
        "0202 10 0c 0000 0001 00a00000 00000001"
        "0203 20 10 1004 0001 00 0004 0008 00 00 0000000000"
        "0402 20 0c 00 00 00000000000000000000"
        "0404 10 20 0000 06" + "00" * 29
    )
    body = bytes.fromhex(descriptors.replace(" ", ""))
    head = (44 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000001") + bytes(40)
    assert sed.wire.receive(1, 1, 512) == (head + body).ljust(512, b"\0")


def test_a_session_by_its_bytes(sed: Sed) -> None:
    """Read the PIN of MSID, in a session of Anybody (Core 3.2, 5.2.3)."""
    wire = sed.wire
    start = "f8a800000000000000ffa8000000000000ff02f08169a8000002050000000100f1f9f0000000f1"
    wire.send(1, COMID, packet(bytes.fromhex(start)))
    answer = wire.receive(1, COMID, 512)
    expected = "f8a800000000000000ffa8000000000000ff03f08169821000f1f9f0000000f1"
    size = len(expected) // 2
    assert int.from_bytes(answer[52:56], "big") == size
    assert answer[56 : 56 + size].hex() == expected
    get = "f8a80000000b00008402a80000000600000016f0f0f20303f3f20403f3f1f1f9f0000000f1"
    wire.send(1, COMID, packet(bytes.fromhex(get), tsn=0x1000, hsn=0x69))
    answer = wire.receive(1, COMID, 512)
    assert answer[20:28].hex() == "0000100000000069"
    tokens = bytes.fromhex("f0f0f203a9") + MSID + bytes.fromhex("f3f1f1f9f0000000f1")
    assert answer[56 : 56 + len(tokens)] == tokens
    wire.send(1, COMID, packet(b"\xfa", tsn=0x1000, hsn=0x69))
    assert wire.receive(1, COMID, 512)[52:57].hex() == "00000001fa"
    wire.send(1, COMID, packet(bytes.fromhex(get), tsn=0x1000, hsn=0x69))
    assert wire.receive(1, COMID, 512)[8:20] == bytes(12), "the session is over, so there is no response"


def test_a_response_that_does_not_fit_waits(sed: Sed) -> None:
    properties = bytes.fromhex("f8a800000000000000ffa8000000000000ff01f0f1f9f0000000f1")
    sed.wire.send(1, COMID, packet(properties))
    with pytest.raises(TcgError) as error:
        sed.wire.send(1, COMID, packet(properties))
    assert refused(error) == (None, SEQUENCE_ERROR)
    outstanding, least = (
        int.from_bytes(sed.wire.receive(1, COMID, 64)[at : at + 4], "big") for at in (8, 12)
    )
    assert outstanding == least > 512
    answer = sed.wire.receive(1, COMID, 2048)
    assert b"MaxComPacketSize\x84\x00\x01\x00\x00" in answer
    assert sed.wire.receive(1, COMID, 64)[8:20] == bytes(12)


def test_headers_that_lie(sed: Sed) -> None:
    good = packet(b"\xfa")
    for at, value in ((4, 0x77), (16, 0x7F), (19, len(good))):
        bad = good[:at] + bytes([value]) + good[at + 1 :]
        with pytest.raises(TcgError) as error:
            sed.wire.send(1, COMID, bad)
        assert refused(error) == (None, INVALID_FIELD), at
    for at, value in ((40, 0x7F), (43, 2), (52, 1), (55, 0xFF)):
        sed.wire.send(1, COMID, good[:at] + bytes([value]) + good[at + 1 :])
        assert sed.wire.receive(1, COMID, 512)[8:20] == bytes(12), "discarded"
    with pytest.raises(TcgError):
        sed.wire.send(1, COMID, bytes(19))


# ---- sessions ----


def test_sessions_and_properties(sed: Sed) -> None:
    tper, host = sed.opal.properties(MaxComPacketSize=4096, Other=7)
    assert tper["MaxSessions"] == 1 and tper["MaxComPacketSize"] == 65536
    assert host == {"MaxComPacketSize": 4096, "Other": 7}
    with sed.opal.session(opal.ADMIN_SP) as first:
        assert len(first.random(32)) == 32 and first.random(8) != first.random(8)
        with pytest.raises(TcgError) as error:
            first.random(33)
        assert refused(error) == (INVALID_PARAMETER, 0)
        with pytest.raises(TcgError) as error:
            sed.opal.session(opal.ADMIN_SP)
        assert refused(error) == (NO_SESSIONS, 0)
        with pytest.raises(TcgError) as error:
            first.set(opal.C_PIN_SID, {3: b"x"})
        assert refused(error) == (NOT_AUTHORIZED, 0)
        assert opal.LOCKING_SP in first.next(0x0000020500000000)
        assert first.next(0x0000020500000000, where=opal.ADMIN_SP, count=1) == [opal.LOCKING_SP]
        assert first.get(opal.C_PIN_MSID) == {0: uid(opal.C_PIN_MSID), 3: MSID}
        assert first.get(opal.ADMIN_SP)[6] == 9
    for sp in (opal.LOCKING_SP, 0x0000020500000003):
        with pytest.raises(TcgError) as error:
            sed.opal.session(sp)
        assert refused(error) == (INVALID_PARAMETER, 0), "inactive, or none"
    with pytest.raises(TcgError) as error:
        sed.opal.session(opal.ADMIN_SP, opal.SID, "wrong")
    assert refused(error) == (NOT_AUTHORIZED, 0)


def test_a_session_without_write_changes_nothing(sed: Sed) -> None:
    with sed.opal.session(opal.ADMIN_SP, opal.SID, MSID, write=False) as admin:
        with pytest.raises(TcgError) as error:
            admin.set(opal.C_PIN_SID, {3: b"new"})
        assert refused(error) == (NOT_AUTHORIZED, 0)
    sed.opal.take_ownership(PIN)


def test_a_stack_reset_and_a_reset_of_the_controller_end_sessions(sed: Sed) -> None:
    sed.opal.session(opal.ADMIN_SP)
    sed.opal.stack_reset()
    sed.opal.session(opal.ADMIN_SP)
    sed.host.nvme.disable()
    sed.host.nvme.enable()
    session = sed.opal.session(opal.ADMIN_SP)
    sed.wire.send(2, COMID, COMID.to_bytes(2, "big") + bytes.fromhex("000000000001"))
    answer = sed.wire.receive(2, COMID, 64)
    assert answer[:16].hex() == "1004000000000001" + "00000022" + "00000003", "associated"
    session.end()
    assert sed.wire.receive(2, COMID, 64)[4:16] == bytes(12), "no response available"


def test_a_session_times_out(sed: Sed) -> None:
    session = sed.opal.session(opal.ADMIN_SP, timeout=1)
    time.sleep(0.01)
    assert sed.opal.exchange(b"\xfa", session.tsn, session.hsn) == []
    sed.opal.session(opal.ADMIN_SP).end()


def test_a_transaction_is_undone(sed: Sed) -> None:
    sed.own()
    with sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN) as locking:
        assert sed.opal.exchange(bytes.fromhex("fb00"), locking.tsn, locking.hsn) == [0xFB, 0]
        locking.set(0x0000080200000001, {5: 1, 7: 1})
        assert sed.command(READ, 0) == OK, "not in force yet"
        assert sed.opal.exchange(bytes.fromhex("fc01"), locking.tsn, locking.hsn) == [0xFC, 1]
        assert locking.get(0x0000080200000001, 5, 7) == {5: 0, 6: 0, 7: 0}
        sed.opal.exchange(bytes.fromhex("fb00"), locking.tsn, locking.hsn)
        locking.set(0x0000080200000001, {5: 1, 7: 1})
        sed.opal.exchange(bytes.fromhex("fc00"), locking.tsn, locking.hsn)
        assert sed.command(READ, 0) == ACCESS_DENIED


# ---- ownership and PINs ----


def test_ownership_outlives_a_power_cycle_and_ends_by_revert(sed: Sed) -> None:
    assert sed.opal.msid() == MSID
    sed.opal.take_ownership(PIN)
    with pytest.raises(TcgError) as error:
        sed.opal.take_ownership(PIN)
    assert refused(error) == (NOT_AUTHORIZED, 0), "SID does not have the PIN of MSID any more"
    sed.power_cycle()
    sed.opal.set_sid_pin(PIN, "other")
    assert not sed.opal.is_active()
    sed.opal.activate("other")
    sed.opal.activate("other")
    assert sed.opal.is_active() and sed.opal.discover().locking.enabled
    sed.opal.revert("other")
    assert not sed.opal.is_active()
    sed.opal.take_ownership(PIN)


def test_tries_are_limited(sed: Sed) -> None:
    sed.opal.take_ownership(PIN)
    for _ in range(5):
        with pytest.raises(TcgError) as error:
            sed.opal.set_sid_pin("wrong", "x")
        assert refused(error) == (NOT_AUTHORIZED, 0)
    for pin in ("wrong", PIN):
        with pytest.raises(TcgError) as error:
            sed.opal.set_sid_pin(pin, "x")
        assert refused(error) == (LOCKED_OUT, 0)
    with sed.opal.session(opal.ADMIN_SP) as session, pytest.raises(TcgError):
        session.authenticate(opal.SID, PIN)
    sed.power_cycle()
    with sed.opal.session(opal.ADMIN_SP) as session:
        assert not session.authenticate(opal.SID, "wrong")
        assert session.authenticate(opal.SID, PIN)
        assert session.get(opal.C_PIN_SID, 5, 7) == {5: 5, 6: 0, 7: 0}
        assert 3 not in session.get(opal.C_PIN_SID), "nobody reads a PIN"


def test_psid(sed: Sed) -> None:
    sed.own()
    sed.write(0, pattern(0, 8))
    with pytest.raises(TcgError):
        sed.opal.revert_psid("wrong")
    sed.opal.revert_psid(PSID)
    assert sed.read(0, 8) == bytes(8 * 512)
    sed.opal.take_ownership(PIN)


# ---- ranges ----


def block_sid(sed: Sed, *data: int) -> int:
    """Block SID Authentication, by its bytes: protocol 02h, ComID 0005h."""
    sed.host.nvme.memory.write(sed.wire.buffer, bytes(data).ljust(512, b"\0"))
    return sed.wire.command(SECURITY_SEND, 2, 5, 512)


def feature_402(sed: Sed) -> tuple[int, ...]:
    """The descriptor of Block SID Authentication in Level 0 Discovery: version, length, and two bytes."""
    data = sed.wire.receive(1, 1, 512)
    at = data.index(b"\x04\x02\x20\x0c")
    return data[at + 2], data[at + 3], data[at + 4], data[at + 5]


def test_block_sid_by_its_bytes(sed: Sed) -> None:
    """Block SID Authentication 1.01, 4.1 and 4.2."""
    assert feature_402(sed) == (0x20, 12, 0, 0)
    assert block_sid(sed, 0, 1) == INVALID_FIELD, "the Locking SP cannot be frozen"
    assert sed.wire.command(SECURITY_SEND, 2, 5, 0) == INVALID_FIELD, "no data"
    assert block_sid(sed, 0) == OK and feature_402(sed) == (0x20, 12, 2, 0)
    assert block_sid(sed, 1) == INVALID_FIELD, "it is blocked already"
    for _ in range(6):
        with pytest.raises(TcgError) as error:
            sed.opal.session(opal.ADMIN_SP, opal.SID, MSID)
        assert refused(error) == (NOT_AUTHORIZED, OK), "and not LOCKED_OUT: no try counts"
    with sed.opal.session(opal.ADMIN_SP) as session:
        assert session.authenticate(opal.SID, MSID) is False
    sed.host.start()
    sed.restart()
    assert feature_402(sed) == (0x20, 12, 2, 0), "a reset of the controller changes nothing"
    sed.power_cycle()
    assert feature_402(sed) == (0x20, 12, 0, 0)
    assert block_sid(sed, 1) == OK and feature_402(sed) == (0x20, 12, 2, 1)
    sed.host.client.write32(0x20, 0x4E564D65)
    sed.host.start()
    sed.restart()
    assert feature_402(sed) == (0x20, 12, 0, 0), "a hardware reset was selected"
    assert block_sid(sed, 0) == OK
    sed.opal.revert_psid(PSID)
    assert feature_402(sed) == (0x20, 12, 0, 0), "Revert unblocks"
    sed.own()
    assert feature_402(sed) == (0x20, 12, 1, 0), "the PIN of SID is not that of MSID"
    assert block_sid(sed, 0) == OK and feature_402(sed) == (0x20, 12, 1, 0), "without effect"
    sed.opal.set_sid_pin(PIN, PIN)


def test_get_acl_by_its_bytes(sed: Sed) -> None:
    """Core 5.3.3.13: the list of the ACEs of a method; Opal 4.2.1.5 and 4.3.1.6."""
    sed.own()
    with sed.opal.session(opal.LOCKING_SP) as session:
        call = (
            b"\xf8\xa8"
            + bytes.fromhex("0000000700000000")
            + b"\xa8"
            + bytes.fromhex("000000060000000d")
            + b"\xf0"
            b"\xa8"
            + bytes.fromhex("0000080200030001")
            + b"\xa8"
            + bytes.fromhex("0000000600000017")
            + b"\xf1\xf9\xf0\x00\x00\x00\xf1"
        )
        sed.wire.send(1, COMID, packet(call, session.tsn, session.hsn))
        aces = ("0003f001", "0003e001", "0003e801", "00000004")
        listed = b"".join(b"\xa8" + bytes.fromhex("00000008" + one) for one in aces)
        answer = sed.wire.receive(1, COMID, 512)
        assert answer[56:].startswith(b"\xf0\xf0" + listed + b"\xf1\xf1\xf9\xf0\x00\x00\x00\xf1")
        for row, method in ((0x0000000B00030001, 0x10), (0x0000080200030077, 0x17), (opal.C_PIN_MSID, 0x16)):
            with pytest.raises(TcgError) as error:
                session.acl(row, method)
            assert refused(error) == (NOT_AUTHORIZED, OK)


def test_each_element_of_an_acl_can_be_read(sed: Sed) -> None:
    """Each ACE that GetACL names is a row of the table ACE, and says who may use the method."""
    sed.own()
    table, get, set_ = 0x0000000800000000, 0x16, 0x17
    for sp, user, rows in (
        (
            opal.ADMIN_SP,
            opal.SID,
            (opal.C_PIN_SID, 0x0000000B00000201, 0x0000020100030001, 0x0000110100000001),
        ),
        (opal.LOCKING_SP, 0x0000000900010001, (0x0000080200000001, 0x0000000B00030008, opal.MBR_CONTROL)),
    ):
        with sed.opal.session(sp, user, PIN) as session:
            aces = session.next(table)
            assert aces == sorted(aces)
            for row in rows:
                for method in (get, set_):
                    named = session.acl(row, method)
                    assert named and set(named) <= set(aces)
                    assert all(3 in session.get(one) for one in named), "BooleanExpr"


def test_a_transaction_of_bytes_is_undone(sed: Sed) -> None:
    """Core 3.2.3.4: bytes of DataStore, in their order; also if a reset ends the session."""
    sed.own()
    admin = opal.LOCKING_SP, 0x0000000900010001, PIN
    with sed.opal.session(*admin) as session:
        session.write(opal.DATASTORE, 0, b"first of all")
        for status, wanted in ((1, b"first of all"), (0, b"FIRxx of all")):
            sed.opal.exchange(b"\xfb\x00", session.tsn, session.hsn)
            session.write(opal.DATASTORE, 0, b"FIRST")
            session.write(opal.DATASTORE, 3, b"xx")
            assert session.read(opal.DATASTORE, 0, 12) == b"FIRxx of all"
            sed.opal.exchange(bytes([0xFC, status]), session.tsn, session.hsn)
            assert session.read(opal.DATASTORE, 0, 12) == wanted
        sed.opal.exchange(b"\xfb\x00", session.tsn, session.hsn)
        session.write(opal.DATASTORE, 0, b"lost")
        sed.opal.stack_reset()
    with sed.opal.session(*admin) as session:
        assert session.read(opal.DATASTORE, 0, 12) == b"FIRxx of all"


def test_a_locked_range_refuses_reads_and_writes(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(1, 16, 16, pin=PIN)
    sed.write(0, pattern(0, 64))
    assert sed.opal.range(1, PIN) == (16, 16, True, True, False, False, (0,))
    sed.opal.lock(1, pin=PIN)
    assert sed.opal.discover().locking.locked
    for lba, count, locked in ((0, 16, False), (15, 1, False), (15, 2, True), (16, 1, True), (31, 1, True)):
        assert sed.attempt(lba, count) == ((ACCESS_DENIED, ACCESS_DENIED) if locked else (OK, OK)), lba
    assert sed.attempt(31, 2) == (ACCESS_DENIED, ACCESS_DENIED)
    assert sed.attempt(32, 1) == (OK, OK)
    for opcode in (COMPARE, WRITE_ZEROES, WRITE_UNCORRECTABLE, VERIFY):
        assert sed.command(opcode, 20) == ACCESS_DENIED, opcode
    sed.opal.lock(1, pin=PIN, read=False)
    assert sed.command(READ, 16) == OK and sed.command(WRITE, 16) == ACCESS_DENIED
    assert sed.read(16, 16) == pattern(16, 16)
    sed.opal.unlock(1, pin=PIN)
    assert sed.attempt(16, 16) == (OK, OK)
    assert not sed.opal.discover().locking.locked


def test_locks_come_back_with_the_power_only(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(2, 8, 8, pin=PIN)
    sed.opal.set_range(0, pin=PIN)
    sed.host.nvme.disable()
    sed.host.start()
    sed.restart()
    assert sed.attempt(8) == (OK, OK)
    sed.power_cycle()
    assert sed.attempt(8) == sed.attempt(0) == (ACCESS_DENIED, ACCESS_DENIED)
    sed.opal.unlock(0, pin=PIN)
    assert sed.attempt(0) == (OK, OK) and sed.attempt(8) == (ACCESS_DENIED, ACCESS_DENIED)


def test_ranges_that_are_wrong(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(1, 100, 100, pin=PIN)
    lbas = 16 * 2048
    for start, length in ((150, 1), (0, 101), (199, 5), (lbas - 1, 2), (lbas, 1), (1, (1 << 64) - 1)):
        with pytest.raises(TcgError) as error:
            sed.opal.set_range(2, start, length, pin=PIN)
        assert refused(error) == (INVALID_PARAMETER, 0), (start, length)
    assert sed.opal.range(2, PIN)[:2] == (0, 0)
    sed.opal.set_range(2, 200, lbas - 200, pin=PIN)
    with pytest.raises(TcgError) as error:
        sed.opal.set_range(0, 0, 1, pin=PIN)
    assert refused(error) == (NOT_AUTHORIZED, 0), "the global range has no start"
    with pytest.raises(TcgError):
        sed.opal.set_range(9, 0, 1, pin=PIN)
    assert sed.opal.max_ranges(PIN) == 8


def test_a_new_key_erases_its_range_only(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(1, 13, 30, pin=PIN)
    sed.opal.set_range(2, 50, 10, pin=PIN)
    sed.write(0, pattern(0, 64))
    sed.opal.gen_key(1, pin=PIN)
    kept = pattern(0, 13), pattern(43, 21)
    assert (sed.read(0, 13), sed.read(43, 21)) == kept
    assert sed.read(13, 30) == bytes(30 * 512)
    sed.power_cycle()
    for one in (1, 2):
        sed.opal.unlock(one, pin=PIN)
    assert sed.read(13, 30) == bytes(30 * 512), "durably"
    sed.write(0, pattern(0, 64))
    sed.opal.gen_key(0, pin=PIN)
    assert sed.read(0, 13) == bytes(13 * 512) and sed.read(60, 4) == bytes(4 * 512)
    assert sed.read(13, 30) == pattern(13, 30) and sed.read(50, 10) == pattern(50, 10)


def test_users(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(1, 0, 8, pin=PIN)
    sed.opal.set_range(2, 8, 8, pin=PIN)
    with pytest.raises(TcgError):
        sed.opal.lock(1, pin="user pin", user="User3")
    sed.opal.enable_user("User3", "user pin", pin=PIN)
    with pytest.raises(TcgError) as error:
        sed.opal.lock(1, pin="user pin", user="User3")
    assert refused(error) == (NOT_AUTHORIZED, 0)
    sed.opal.allow(1, "User3", "User4", pin=PIN)
    sed.opal.lock(1, pin="user pin", user="User3")
    assert sed.attempt(0) == (ACCESS_DENIED, ACCESS_DENIED)
    assert sed.opal.range(1, "user pin", "User3").read_locked
    with pytest.raises(TcgError):
        sed.opal.set_range(1, 0, 4, pin="user pin", user="User3")
    with pytest.raises(TcgError):
        sed.opal.lock(2, pin="user pin", user="User3")
    sed.opal.set_pin("User3", "changed", pin="user pin", by="User3")
    sed.opal.unlock(1, pin="changed", user="User3")
    with sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN) as locking:
        terms = locking.get(0x000000080003E001, 3, 3)[3]
        reference, either = bytes.fromhex("00000c05"), bytes.fromhex("0000040e")
        users = [uid(0x0000000900030003), uid(0x0000000900030004)]
        assert terms == [Named(reference, users[0]), Named(reference, users[1]), Named(either, 1)]
        for wrong in (
            [],
            [Named(either, 1)],
            terms[:2],
            [Named(reference, uid(5))],
            [*terms, Named(either, 1)],
        ):
            with pytest.raises(TcgError) as error:
                locking.set(0x000000080003E001, {3: wrong})
            assert refused(error) == (INVALID_PARAMETER, 0), wrong
    sed.opal.disable_user("User3", pin=PIN)
    with pytest.raises(TcgError):
        sed.opal.unlock(1, pin="changed", user="User3")


def test_revert_sp_may_keep_the_global_range(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(1, 8, 8, pin=PIN)
    sed.write(0, pattern(0, 24))
    sed.opal.revert_locking(PIN, keep_global=True)
    assert sed.read(0, 8) == pattern(0, 8) and sed.read(16, 8) == pattern(16, 8)
    assert sed.read(8, 8) == bytes(8 * 512)
    sed.opal.activate(PIN)
    sed.opal.revert_locking(PIN)
    assert sed.read(0, 24) == bytes(24 * 512)
    sed.write(0, pattern(0, 8))
    sed.opal.revert(PIN)
    assert sed.read(0, 8) == pattern(0, 8), "Revert leaves the data if the Locking SP was never active"


def test_the_shadow_mbr(sed: Sed) -> None:
    sed.own()
    sed.write(0, pattern(0, 16))
    sed.disk.flush()
    boot = bytes(range(256)) * 8
    sed.opal.write_mbr(512, boot, pin=PIN)
    assert sed.opal.read_mbr(512, 1024, pin=PIN) == boot[:1024]
    sed.opal.set_mbr(pin=PIN, enable=True)
    assert sed.read(0, 8) == bytes(512) + boot + bytes(8 * 512 - 512 - len(boot))
    assert sed.command(WRITE, 0) == sed.command(COMPARE, 0) == sed.command(VERIFY, 0) == ACCESS_DENIED
    sed.opal.set_mbr(pin=PIN, done=True)
    assert sed.read(0, 16) == pattern(0, 16)
    sed.power_cycle()
    assert sed.read(1, 4) == boot, "MBRDone is cleared by the power cycle"
    level0 = sed.opal.discover().locking
    assert level0.mbr_enabled and not level0.mbr_done
    sed.opal.set_mbr(pin=PIN, enable=False)
    assert sed.read(0, 16) == pattern(0, 16)
    with pytest.raises(TcgError):
        sed.opal.write_mbr((128 << 20) - 1, b"ab", pin=PIN)


@pytest.mark.parametrize(
    "options", [["--metadata-size", "8"], ["--metadata-size", "16", "--extended-lba"], ["--pi", "1"]]
)
def test_the_shadow_mbr_of_a_namespace_with_metadata(start: Start, options: list[str]) -> None:
    """The table MBR has no metadata, so reads of it are denied, and nothing of the LBAs reaches the host."""
    sed = Sed(start, *options)
    memory, queue = sed.host.nvme.memory, sed.disk.queue
    data, meta = memory.alloc(4096), memory.alloc(4096)
    size = 512 + (16 if "--extended-lba" in options else 0)

    def command(opcode: int, fill: bytes, flags: int = 0) -> tuple[int, bytes]:
        memory.write(data, fill * 4096)
        memory.write(meta, fill * 4096)
        fields = {"prp1": data, "mptr": meta, "cdw10": 0, "cdw12": 3 | flags}
        status = queue.execute(opcode, nsid=1, **fields)[1]
        return status, memory.read(data, 4096) + memory.read(meta, 4096)

    sed.own()
    assert command(WRITE, b"\x5c")[0] == OK
    sed.opal.write_mbr(0, b"boot", pin=PIN)
    sed.opal.set_mbr(pin=PIN, enable=True)
    for flags in (0, 1 << 29, 1 << 30):  # PRACT, FUA
        for opcode in (READ, WRITE, COMPARE, VERIFY):
            assert command(opcode, b"\xa5", flags) == (ACCESS_DENIED, b"\xa5" * 8192)
    sed.opal.set_mbr(pin=PIN, done=True)
    status, found = command(READ, b"\xa5")
    assert status == OK and found[: 4 * size] == b"\x5c" * 4 * size
    if size == 512:
        assert found[4096:4128] == b"\x5c" * 32
    sed.host.close()


def test_format_and_sanitize_are_denied_while_locked(sed: Sed) -> None:
    sed.own()
    sed.opal.set_range(1, 8, 8, pin=PIN)
    sed.opal.lock(1, pin=PIN)
    assert sed.host.nvme.admin.execute(FORMAT, nsid=1)[1] == OPERATION_DENIED
    assert sed.host.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OPERATION_DENIED
    sed.opal.unlock(1, pin=PIN)
    assert sed.host.nvme.admin.execute(FORMAT, nsid=1)[1] == OK


def test_several_namespaces_have_the_global_range_only(start: Start) -> None:
    sed = Sed(start, "--namespaces", "2")
    sed.own()
    with pytest.raises(TcgError) as error:
        sed.opal.set_range(1, 0, 8, pin=PIN)
    assert refused(error) == (INVALID_PARAMETER, 0)
    sed.opal.set_range(0, pin=PIN)
    sed.opal.lock(0, pin=PIN)
    for nsid in (1, 2):
        sed.disk.nsid = nsid
        assert sed.attempt(0) == (ACCESS_DENIED, ACCESS_DENIED)
    sed.host.close()


def test_a_file_keeps_locks_and_tables(folder: str, tmp_path: Path) -> None:
    """They are durable at once, so that even a killed process loses none."""

    def start(*options: str) -> Server:
        return Server(folder, "--file", str(tmp_path / "drive"), *options)

    sed = Sed(start)
    sed.own()
    sed.opal.set_range(1, 8, 8, pin=PIN)
    sed.opal.write_mbr(0, b"boot", pin=PIN)
    sed.host.close()
    sed.host.server.process.kill()
    sed.host.server.stop()
    again = Sed(start)
    assert again.attempt(8) == (ACCESS_DENIED, ACCESS_DENIED) and again.attempt(0) == (OK, OK)
    assert again.opal.read_mbr(0, 4, pin=PIN) == b"boot"
    again.opal.revert(PIN)
    assert again.attempt(8) == (OK, OK)
    again.host.close()
    again.host.server.stop()
    sed.host.server.log.close()
    again.host.server.log.close()


def test_random_bytes_are_survived(sed: Sed) -> None:
    """Any bytes get a response with a status, or none, and leave the drive able to work."""
    sed.own()
    session = sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN)
    chance = random.Random(1)
    calls = [
        f"f8 a8{target} a800000006000000{method} f0 {params} f1 f9 f0000000f1".replace(" ", "")
        for target in ("0000080200030001", "0000080300000001", "000000080003e001", "0000080400000000")
        for method, params in (
            ("16", "f0f20303f3f2040af3f1"),
            ("17", "f201f0f20300f3f20408f3f1f3"),
            ("17", "f20005f3f201a461626364f3"),
            ("08", "f20101f3"),
        )
    ]
    for _ in range(600):
        tokens = bytearray(bytes.fromhex(chance.choice(calls)))
        for _ in range(chance.randrange(4)):
            tokens[chance.randrange(len(tokens))] = chance.choice(
                (*range(0xF0, 0x100), chance.randrange(256))
            )
        if chance.random() < 0.2:
            del tokens[chance.randrange(len(tokens)) :]
        number = session.tsn if chance.random() < 0.8 else 0
        sed.wire.send(1, COMID, packet(bytes(tokens), number, session.hsn if number else 0))
        sed.wire.receive(1, COMID, 4096)
    sed.opal.stack_reset()
    with sed.opal.session(opal.ADMIN_SP) as admin:
        assert admin.call(THIS_SP, 0x0000000600000601, 4)
