# SPDX-License-Identifier: BSD-3-Clause
"""Security: TCG Opal, RPMB, write protection of namespaces and boot partitions, and Lockdown.

The tests of Opal need a drive that nobody owns, and revert it at the end. What nothing undoes, such as the
key of an RPMB target, is changed on private virtual SSDs only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Callable, TypeVar

import nvme
import pytest

from pynvme.rpmb import Rpmb, RpmbError, sign
from pynvme.spec import (
    AdminOpcode,
    BootProtectionState,
    FeatureId,
    IoOpcode,
    LockdownInterface,
    LockdownScope,
    LogId,
    RpmbConfiguration,
    RpmbMessage,
    RpmbResult,
    Status,
    WriteProtectionState,
)
from pynvme.spec.mi import MiOpcode
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import EXPENDABLE, ROOM, SWITCHED_POWER, admin, log
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.tcg import Level0, Opal, Session, Tcg, TcgError, discover, encode, opal
from pynvme.tcg.tokens import Token

Result = TypeVar("Result")

RECEIVE = clauses.of_admin(AdminOpcode.SECURITY_RECEIVE)
COMMIT = clauses.of_admin(AdminOpcode.FW_COMMIT)
CORE = "TCG Core 2.01, "
LEVEL_0 = f"{CORE}3.3.6 Level 0 Discovery"
SESSIONS = f"{CORE}3.3.7 Session Manager"
TRANSACTIONS = f"{CORE}3.2.3.4 Transactions"
STACK_RESET = f"{CORE}3.3.4.6 Stack Protocol Reset"
OPAL = "TCG Opal 2.01, "
OWNERSHIP = f"{OPAL}4.2.8 C_PIN (Admin SP)"
TRIES = f"{CORE}5.3.4.1.1.2 Authentication attempts"
ACTIVATE = f"{OPAL}5.1.1 Activate"
REVERT = f"{OPAL}5.1.2 Revert"
REVERT_SP = f"{OPAL}5.1.3 RevertSP"
LOCKING = f"{OPAL}4.3.5.2 Locking"
RANGE_ERRORS = "TCG Storage Interface Interactions 1.08, 3.3.10 NVMe: access of a locked LBA range"
ACCESS_CONTROL = f"{OPAL}4.3.1.6 ACE (Locking SP)"
GEN_KEY = f"{CORE}5.3.3.16 GenKey"
TPER_RESET = f"{OPAL}3.3.3 TPER_RESET"
MBR = f"{OPAL}4.3.5.4 MBR and MBRControl"
POWER_CYCLE = f"{OPAL}4.3.5.2 Locking, LockOnReset"
BLOCK_SID = "TCG Block SID Authentication 1.01, 4.2 Block SID Authentication command"
PSID = "TCG PSID 1.00, 4.2 Admin SP"
ACL = f"{CORE}5.3.3.13 GetACL"
ACL_ADMIN_SP = f"{OPAL}4.2.1.5 AccessControl (Admin SP)"
ACL_LOCKING_SP = f"{OPAL}4.3.1.6 AccessControl (Locking SP)"
METHODS = f"{OPAL}4.2.1.4 MethodID"
DATASTORE = f"{OPAL}4.3.8.1 DataStore"
AUTHENTICATE = f"{CORE}5.3.3.12 Authenticate"
RANDOM = f"{OPAL}4.2.9.1 Random"
RPMB = "Base 2.0, 8.18 Replay Protected Memory Block"
RPMBS = "Base 2.0, 5.17.2.1 Identify Controller, RPMBS"
WRITE_PROTECTION = "Base 2.0, 8.12 Namespace Write Protection"
BOOT = "Base 2.0, 8.2 Boot Partitions"
LOCKDOWN = "Base 2.0, 8.4 Command and Feature Lockdown"

NOT_AUTHORIZED, NO_SESSIONS, INVALID_PARAMETER, LOCKED_OUT = 0x01, 0x07, 0x0C, 0x12
SP_BUSY = 0x03
OPAL_2, BLOCKED = 0x0203, 0x0402
TRY_LIMIT, TRY_TRIES, PERSISTENCE = 5, 6, 7
"""Columns of C_PIN."""
PIN, OTHER = b"pynvme 1", b"pynvme 2"
"""PINs of the same length."""
FIRST = 4096
"""About where the locking range begins."""
KEY = bytes(range(32))
WRONG_KEY = bytes(32)
SECTOR = 512
FRAME = 256


class SuiteWire:
    """Security commands that the history of the drive has."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive

    def command(self, opcode: int, protocol: int, specific: int, buf: nvme.Buffer, nssf: int = 0) -> Command:
        dword = protocol << 24 | specific << 8 | nssf
        return self.drive.admin(opcode, buf, cdw10=dword, cdw11=len(buf))

    def send(self, protocol: int, specific: int, data: bytes) -> None:
        buf = nvme.Buffer(len(data))
        buf[:] = data
        done = self.command(AdminOpcode.SECURITY_SEND, protocol, specific, buf)
        if not done.ok:
            raise TcgError("Security Send failed", nvme_status=done.status)

    def receive(self, protocol: int, specific: int, size: int) -> bytes:
        buf = nvme.Buffer(size)
        done = self.command(AdminOpcode.SECURITY_RECEIVE, protocol, specific, buf)
        if not done.ok:
            raise TcgError("Security Receive failed", nvme_status=done.status)
        return bytes(buf[:])


class RpmbWire(SuiteWire):
    """Frames of RPMB that the history of the drive has."""

    def send(self, target: int, data: bytes) -> None:  # type: ignore[override]
        buf = nvme.Buffer(len(data))
        buf[:] = data
        done = self.command(AdminOpcode.SECURITY_SEND, 0xEA, 1, buf, target)
        if not done.ok:
            raise RpmbError("Security Send failed", nvme_status=done.status)

    def receive(self, target: int, size: int) -> bytes:  # type: ignore[override]
        buf = nvme.Buffer(size)
        done = self.command(AdminOpcode.SECURITY_RECEIVE, 0xEA, 1, buf, target)
        if not done.ok:
            raise RpmbError("Security Receive failed", nvme_status=done.status)
        return bytes(buf[:])


def level0_of(drive: Drive) -> Level0 | None:
    """Level 0 Discovery, or None if the drive has no TPer."""
    if not drive.id_ctrl.oacs.ssrs:
        return None
    try:
        return discover(SuiteWire(drive))
    except (TcgError, ValueError):
        return None


def is_unowned(drive: Drive) -> bool:
    """Whether a drive has Opal 2, its Locking SP is inactive, and the PIN of SID is that of MSID."""
    level0 = level0_of(drive)
    if level0 is None or OPAL_2 not in level0 or level0.locking.enabled:
        return False
    tcg = Opal(SuiteWire(drive))
    try:
        with tcg.session(opal.ADMIN_SP, opal.SID, tcg.msid()):
            return True
    except TcgError:
        return False


def rpmb_targets(drive: Drive) -> int:
    return int(drive.id_ctrl.rpmbs.nrpmbu)


SECURITY = admin(AdminOpcode.SECURITY_RECEIVE)
TPER = Need("a TPer (security protocol 01h, Level 0 Discovery)", lambda drive: level0_of(drive) is not None)
UNOWNED = Need("TCG Opal 2, of which nobody has taken ownership (Level 0 Discovery, SID)", is_unowned)
BLOCKS_SID = Need(
    "Block SID Authentication (Level 0 Discovery, 0402h)", lambda d: BLOCKED in (level0_of(d) or ())
)
LABEL = Need("a PSID that the suite knows (a private virtual SSD)", lambda drive: bool(drive.is_expendable))
ONE_NAMESPACE = Need("a single namespace (Identify, CNS 02h)", lambda drive: len(drive.nsids) == 1)
HAS_RPMB = Need("RPMB targets (RPMBS bits 2:0)", lambda drive: rpmb_targets(drive) > 0)
TWO_TARGETS = Need("two RPMB targets (RPMBS bits 2:0)", lambda drive: rpmb_targets(drive) > 1)
PROTECTION = Need("write protection of namespaces (NWPC bit 0)", lambda d: bool(int(d.id_ctrl.nwpc) & 1))
UNTIL_POWER_CYCLE = Need(
    "protection until a power cycle (NWPC bit 1)", lambda d: bool(int(d.id_ctrl.nwpc) & 2)
)
BOOT_PARTITIONS = Need("boot partitions (CAP.BPS)", lambda drive: bool(drive.nvme0.cap >> 45 & 1))
BOOT_BY_RPMB = Need(
    "boot partitions that RPMB protects (BPCAP bits 1:0)", lambda d: int(d.id_ctrl.bpcap) & 3 == 2
)
BOOT_BY_FEATURE = Need(
    "boot partitions that feature 85h protects (BPCAP bit 2)", lambda d: bool(int(d.id_ctrl.bpcap) & 4)
)

pytestmark = needs(ROOM)


# ---- what tests share ----


def must(
    drive: Drive, clause: str, expected: str, call: Callable[..., Result], *given: Any, **named: Any
) -> Result:
    """The result of a call, which must not be refused."""
    try:
        return call(*given, **named)
    except (TcgError, RpmbError) as error:
        raise drive.finding(clause, expected, str(error)) from None


def refused(
    drive: Drive,
    clause: str,
    what: str,
    statuses: Sequence[int],
    call: Callable[..., object],
    *given: Any,
    **named: Any,
) -> None:
    """A finding unless a call is refused, with one of these statuses if there are any."""
    expected = f"{what} is refused" + "".join(f" ({one:02x}h)" for one in statuses)
    try:
        call(*given, **named)
    except TcgError as error:
        drive.check(not statuses or error.status in statuses, clause, expected, error)
    else:
        raise drive.finding(clause, expected, "success")


class Sed:
    """A self-encrypting drive with the PIN of this test, and the data around a locking range."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.opal = Opal(SuiteWire(drive))
        granule = self._granule()
        self.start = -(-FIRST // granule) * granule
        self.count = -(-64 // granule) * granule
        self.end = self.start + self.count

    def _granule(self) -> int:
        """The LBAs that a range must be a multiple of."""
        geometry = self.opal.discover().features.get(0x0003)
        return max(1, int(geometry.alignment_granularity)) if geometry and geometry.align else 1

    def own(self, activate: bool = True) -> None:
        """Take ownership, and activate the Locking SP."""
        must(self.drive, OWNERSHIP, "ownership can be taken", self.opal.take_ownership, PIN)
        self.drive.at_end(self.leave)
        if activate:
            must(self.drive, ACTIVATE, "the Locking SP can be activated", self.opal.activate, PIN)

    def leave(self) -> None:
        """Revert the drive, by whichever PIN it has, so that the next test finds it unowned."""
        with contextlib.suppress(TcgError):
            self.opal.stack_reset()
        for pin in (PIN, OTHER):
            with contextlib.suppress(TcgError):
                self.opal.revert(pin)
                return

    def set_range(self, number: int = 1) -> None:
        place = number, self.start, self.count
        must(self.drive, LOCKING, "a range can be set up", self.opal.set_range, *place, pin=PIN)

    def lock(self, number: int = 1, read: bool = True, write: bool = True) -> None:
        locks = {"pin": PIN, "read": read, "write": write}
        must(self.drive, LOCKING, "a range can be locked and unlocked", self.opal.lock, number, **locks)

    def unlock(self, number: int = 1) -> None:
        self.lock(number, False, False)

    # data

    def write(self, slba: int, nlb: int) -> bytes:
        """Write random data, which must succeed."""
        data = b""
        for at, count in self._pieces(slba, nlb):
            buf = nvme.Buffer(count * self.drive.lba_size)
            buf[:] = piece = self.drive.random.randbytes(len(buf))
            self.drive.succeed(self.drive.io(IoOpcode.WRITE, buf, at, count), LOCKING)
            data += piece
        return data

    def write_in_and_around(self) -> tuple[bytes, bytes, bytes]:
        """Write the 8 LBAs before the range, the range, and the 8 behind it. Returns the data of each."""
        return self.write(self.start - 8, 8), self.write(self.start, self.count), self.write(self.end, 8)

    def _pieces(self, slba: int, nlb: int) -> list[tuple[int, int]]:
        """Ranges of LBAs that one command may transfer each."""
        most = self.drive.most_lbas
        return [(at, min(most, slba + nlb - at)) for at in range(slba, slba + nlb, most)]

    def read(self, slba: int, nlb: int, clause: str = LOCKING) -> bytes:
        data = b""
        for at, count in self._pieces(slba, nlb):
            buf = nvme.Buffer(count * self.drive.lba_size)
            self.drive.succeed(self.drive.io(IoOpcode.READ, buf, at, count), clause)
            data += bytes(buf[:])
        return data

    def must_hold(self, slba: int, data: bytes, clause: str) -> None:
        nlb = len(data) // self.drive.lba_size
        if self.read(slba, nlb, clause) != data:
            raise self.drive.finding(clause, "the data of before", "other data", range(slba, slba + nlb))

    def must_be_gone(self, slba: int, data: bytes, clause: str) -> None:
        """A finding if any LBA still has its old data."""
        size = self.drive.lba_size
        now = self.read(slba, len(data) // size, clause)
        kept = [at for at in range(len(data) // size) if now[at * size :][:size] == data[at * size :][:size]]
        if kept:
            lbas = [slba + at for at in kept]
            raise self.drive.finding(clause, "the data are gone", f"{len(kept)} LBAs have them", lbas)

    def judge(self, slba: int, nlb: int, reads: bool, writes: bool, clause: str = RANGE_ERRORS) -> None:
        """A finding unless reads and writes of LBAs are allowed, or denied, as these say."""
        buf = nvme.Buffer(nlb * self.drive.lba_size)
        for opcode, allowed in ((IoOpcode.READ, reads), (IoOpcode.WRITE, writes)):
            done = self.drive.io(opcode, buf, slba, nlb)
            self.drive.expect(done, clause, Status.SUCCESS if allowed else Status.ACCESS_DENIED)


@pytest.fixture
def sed(drive: Drive) -> Sed:
    return Sed(drive)


# ---- protocols ----


@requirement("SECURITY-1", f"{RECEIVE}, Security Protocol 00h")
@needs(SECURITY)
def test_the_list_of_security_protocols(drive: Drive) -> None:
    """Protocol 00h lists the protocols in ascending order, and those that are not listed are refused.

    1. Receive protocol 00h with SPSP 0000h.
    2. Compare it with RPMBS of Identify Controller.
    3. Receive data of protocols that are not listed.
    """
    clause = f"{RECEIVE}, Security Protocol 00h"
    wire, buf = SuiteWire(drive), nvme.Buffer(512)
    drive.succeed(wire.command(AdminOpcode.SECURITY_RECEIVE, 0, 0, buf), clause)
    length = buf[6] << 8 | buf[7]
    listed = list(bytes(buf[8 : 8 + min(length, 504)]))
    drive.check(
        listed[:1] == [0] and listed == sorted(set(listed)), clause, "an ascending list from 00h on", listed
    )
    has_rpmb = rpmb_targets(drive) > 0
    drive.check((0xEA in listed) == has_rpmb, RPMBS, f"EAh in the list: {has_rpmb}", listed)
    for protocol in sorted({0x01, 0x02, 0x07, 0x40, 0xEA, 0xEE} - set(listed)):
        done = wire.command(AdminOpcode.SECURITY_RECEIVE, protocol, 1, nvme.Buffer(512))
        drive.expect(done, RECEIVE, Status.INVALID_FIELD)


@requirement("SECURITY-2", LEVEL_0)
@needs(SECURITY, TPER)
def test_level_0_discovery(drive: Drive) -> None:
    """Level 0 Discovery is well-formed, names an SSC, and stays the same when it is read in pieces.

    1. Receive Level 0 Discovery as a whole, and its first 48 bytes.
    2. Check the features that each drive with Opal has.
    """
    wire = SuiteWire(drive)
    whole = must(drive, LEVEL_0, "Level 0 Discovery", wire.receive, 1, 1, 2048)
    short = must(drive, LEVEL_0, "Level 0 Discovery", wire.receive, 1, 1, 48)
    drive.check(short == whole[:48], LEVEL_0, "the same beginning for a shorter length", short.hex())
    try:
        found = Level0.decode(whole)
    except ValueError as error:
        raise drive.finding(LEVEL_0, "well-formed features", str(error)) from None
    codes = list(found.features)
    drive.check(codes == sorted(codes), LEVEL_0, "features in ascending order", codes)
    if OPAL_2 in found:
        drive.check({1, 2} <= set(codes), f"{OPAL}3.1.1", "the features TPer and Locking", codes)
        seen = found[OPAL_2]
        drive.check(seen.admins >= 4 and seen.users >= 8, f"{OPAL}3.1.1", "4 Admins and 8 Users", seen.fields)


# ---- sessions, and who may do what ----


@requirement("SECURITY-3", OWNERSHIP)
@needs(SECURITY, UNOWNED)
def test_ownership_is_taken_and_reverted(drive: Drive, sed: Sed) -> None:
    """Whoever knows the PIN of SID owns the drive, and Revert gives it the PIN of MSID again.

    1. Take ownership by MSID, and try the PIN of MSID and a wrong one of the same length.
    2. Change the PIN, and revert by it.
    3. Take ownership by MSID again.
    """
    sed.own(activate=False)
    msid = sed.opal.msid()
    for pin in (msid, OTHER):
        refused(drive, OWNERSHIP, f"the PIN {pin!r}", (NOT_AUTHORIZED,), sed.opal.set_sid_pin, pin, PIN)
    must(drive, OWNERSHIP, "the owner changes the PIN", sed.opal.set_sid_pin, PIN, OTHER)
    refused(drive, OWNERSHIP, "the old PIN", (NOT_AUTHORIZED,), sed.opal.activate, PIN)
    must(drive, REVERT, "Revert by SID", sed.opal.revert, OTHER)
    must(drive, REVERT, "SID has the PIN of MSID", sed.opal.take_ownership, PIN)


@requirement("SECURITY-4", SESSIONS)
@needs(SECURITY, UNOWNED)
def test_sessions_are_opened_and_refused(drive: Drive, sed: Sed) -> None:
    """A session is of one SP, authority and kind, and each thing that is not allowed in it is refused.

    1. Start sessions with an inactive SP, with an SP that does not exist, and by a wrong PIN.
    2. Change a column in a session without Write, and as Anybody.
    3. Start a second session with Write while the first is open.
    4. Use the numbers of a session that has ended.
    """
    tcg: Tcg = sed.opal
    refused(drive, SESSIONS, "a session with an inactive SP", (), tcg.session, opal.LOCKING_SP)
    refused(drive, SESSIONS, "a session with SP 0205:0000FFFFh", (), tcg.session, 0x000002050000FFFF)
    wrong = opal.ADMIN_SP, opal.SID, b"not the PIN"
    refused(drive, SESSIONS, "a wrong PIN", (NOT_AUTHORIZED,), tcg.session, *wrong)
    sed.own(activate=False)
    change = {3: OTHER}
    with tcg.session(opal.ADMIN_SP, opal.SID, PIN, write=False) as session:
        refused(drive, SESSIONS, "Set without Write", (), session.set, opal.C_PIN_SID, change)
        found = must(drive, ACCESS_CONTROL, "Get by SID", session.get, opal.C_PIN_SID)
        drive.check(3 not in found, ACCESS_CONTROL, "nobody can read the PIN of SID", found)
    with tcg.session(opal.ADMIN_SP) as session:
        anybody = "Set by Anybody"
        refused(drive, ACCESS_CONTROL, anybody, (NOT_AUTHORIZED,), session.set, opal.C_PIN_SID, change)
        if must(drive, SESSIONS, "Properties", tcg.properties)[0].get("MaxSessions", 1) == 1:
            second = opal.ADMIN_SP, opal.SID, PIN
            refused(drive, SESSIONS, "a second session", (NO_SESSIONS, SP_BUSY), tcg.session, *second)
    ended = Session(tcg, session.tsn, session.hsn)
    refused(drive, SESSIONS, "a method of a session that has ended", (), ended.get, opal.C_PIN_MSID)


@requirement("SECURITY-5", STACK_RESET)
@needs(SECURITY, UNOWNED)
def test_a_stack_reset_ends_a_session(drive: Drive, sed: Sed) -> None:
    """A stack reset ends the session of its ComID, and another one can be started.

    1. Start a session, reset the stack of the ComID, and use the session.
    2. Start another session.
    """
    sed.own(activate=False)
    started = opal.ADMIN_SP, opal.SID, PIN
    session = must(drive, SESSIONS, "a session", sed.opal.session, *started)
    must(drive, STACK_RESET, "a stack reset", sed.opal.stack_reset)
    refused(drive, STACK_RESET, "a method after the reset", (), session.get, opal.C_PIN_MSID)
    must(drive, STACK_RESET, "another session", sed.opal.session, *started).end()


@requirement("SECURITY-6", TRIES)
@needs(SECURITY, UNOWNED, SWITCHED_POWER)
def test_wrong_pins_are_counted(drive: Drive, sed: Sed) -> None:
    """After TryLimit wrong PINs the right one is refused too, until a power cycle.

    1. Read TryLimit and Persistence of the PIN of Admin1, and skip the rest if there is no limit.
    2. Try so many wrong PINs, then the right one.
    3. Cut the power, and try the right one.
    """
    sed.own()
    row = 0x0000000B00010001
    with sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN) as session:
        columns = session.get(row, TRY_LIMIT, PERSISTENCE)
    limit, persistence = columns.get(TRY_LIMIT, 0), columns.get(PERSISTENCE, 0)
    if not isinstance(limit, int) or not 0 < limit <= 64 or persistence:
        pytest.skip("needs a TryLimit from 1 to 64 whose tries a power cycle clears")
    for _ in range(limit):
        refused(drive, TRIES, "a wrong PIN", (NOT_AUTHORIZED, LOCKED_OUT), sed.opal.range, 0, OTHER)
    after = "the right PIN after so many wrong ones"
    refused(drive, TRIES, after, (LOCKED_OUT,), sed.opal.range, 0, PIN)
    drive.power_cycle()
    must(drive, TRIES, "the right PIN after a power cycle", sed.opal.range, 0, PIN)


@requirement("SECURITY-7", TRANSACTIONS)
@needs(SECURITY, UNOWNED)
def test_a_transaction_is_undone(drive: Drive, sed: Sed) -> None:
    """What an aborted transaction has changed is as before, and a committed one stays.

    1. Change the name of User1 in a transaction, and abort it.
    2. Do the same, and commit it.
    """
    sed.own()
    user = 0x0000000900030001
    with sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN) as session:
        for name, status in ((b"aborted", 1), (b"kept", 0)):
            before = session.get(user, 2, 2)
            sed.opal.exchange(encode(Token.START_TRANSACTION, 0), session.tsn, session.hsn)
            must(drive, TRANSACTIONS, "Set", session.set, user, {2: name})
            sed.opal.exchange(encode(Token.END_TRANSACTION, status), session.tsn, session.hsn)
            found = session.get(user, 2, 2)
            wanted = before if status else {2: name}
            drive.check(found == wanted, TRANSACTIONS, f"the name is {wanted}", found)


@requirement("SECURITY-28", BLOCK_SID)
@needs(SECURITY, UNOWNED, BLOCKS_SID, SWITCHED_POWER)
def test_sid_is_blocked_until_a_power_cycle(drive: Drive, sed: Sed) -> None:
    """While SID is blocked, its PIN opens no session, no reset ends that, and a power cycle does.

    1. Block SID without Hardware Reset, and read Level 0 Discovery.
    2. Start a session as SID, and authenticate SID in another one. Block it again.
    3. Reset the controller, and cycle the power.
    """
    tcg = sed.opal
    msid = tcg.msid()

    def must_be(owned: bool, blocked: bool, when: str) -> None:
        found = must(drive, BLOCK_SID, "Level 0 Discovery", tcg.discover)[BLOCKED]
        seen = bool(found.sid_value), bool(found.sid_blocked)
        drive.check(
            seen == (owned, blocked), BLOCK_SID, f"SID value, SID blocked {when}: {owned, blocked}", seen
        )

    must_be(False, False, "at first")
    must(drive, BLOCK_SID, "SID can be blocked", tcg.block_sid)
    for when in ("after the command", "after a controller reset"):
        must_be(False, True, when)
        by_sid = opal.ADMIN_SP, opal.SID, msid
        refused(drive, BLOCK_SID, f"a session as SID {when}", (NOT_AUTHORIZED,), tcg.session, *by_sid)
        with must(drive, SESSIONS, "a session as Anybody", tcg.session, opal.ADMIN_SP) as session:
            result = must(drive, BLOCK_SID, "Authenticate", session.authenticate, opal.SID, msid)
            drive.check(not result, BLOCK_SID, "Authenticate returns False for SID", result)
        refused(drive, BLOCK_SID, "a second Block SID Authentication", (), tcg.block_sid)
        drive.reset()
    drive.power_cycle()
    must_be(False, False, "after a power cycle")
    sed.own(activate=False)
    must(drive, BLOCK_SID, "the command, once SID has another PIN", tcg.block_sid)
    must_be(True, False, "once SID has another PIN")
    must(drive, BLOCK_SID, "the owner changes the PIN", tcg.set_sid_pin, PIN, OTHER)


@requirement("SECURITY-29", ACL)
@needs(SECURITY, UNOWNED)
def test_access_control_lists(drive: Drive, sed: Sed) -> None:
    """GetACL returns the access control elements that Opal prescribes, to anybody.

    1. Get the lists of methods of the Admin SP, as Anybody.
    2. Get those of the Locking SP, and the list of a method that the object does not have.
    """
    sed.own()
    ace, get, set_, gen_key, next_, activate = 0x0000000800000000, 0x16, 0x17, 0x10, 0x08, 0x0203
    anybody = ace + 1
    admin_sp = {
        (opal.C_PIN_SID, get): [0x8C02],
        (opal.C_PIN_SID, set_): [0x8C03],
        (opal.C_PIN_MSID, get): [0x8C04],
        (opal.LOCKING_SP, activate): [0x30002],
        (0x0000000B00000000, next_): [1],
        (0x0000020100030001, set_): [0x30003],
    }
    locking_sp = {
        (0x0000000B00030001, set_): [0x3A801],
        (0x0000080200030001, get): [0x3D001, 3],
        (0x0000080200030001, set_): [0x3F001, 0x3E001, 0x3E801, 4],
        (0x0000080200000001, set_): [0x3F000, 0x3E000, 0x3E800, 4],
        (0x0000080600030001, gen_key): [0x3B801],
        (opal.MBR_CONTROL, set_): [0x3F800, 0x3F801],
        (opal.MBR, set_): [2],
        (opal.DATASTORE, get): [0x3FC00],
    }
    for sp, clause, lists in (
        (opal.ADMIN_SP, ACL_ADMIN_SP, admin_sp),
        (opal.LOCKING_SP, ACL_LOCKING_SP, locking_sp),
    ):
        with must(drive, SESSIONS, "a session as Anybody", sed.opal.session, sp) as session:
            for (row, method), wanted in lists.items():
                seen = must(drive, ACL, f"GetACL of {row:016x}h", session.acl, row, method)
                # Drives for Opal 2.00 have no common names.
                required = {ace + one for one in wanted if one not in (3, 4)}
                allowed = required | {ace + one for one in wanted}
                if not required <= set(seen) <= allowed | {anybody}:
                    text = f"method {method:02x}h of {row:016x}h has {sorted(map(hex, required))}"
                    raise drive.finding(clause, text, " ".join(hex(one) for one in seen))
    with must(drive, SESSIONS, "a session as Anybody", sed.opal.session, opal.ADMIN_SP) as session:
        refused(drive, ACL, "GetACL of Set of C_PIN_MSID", (), session.acl, opal.C_PIN_MSID, set_)


@requirement("SECURITY-30", DATASTORE)
@needs(SECURITY, UNOWNED)
def test_the_table_datastore(drive: Drive, sed: Sed) -> None:
    """Bytes of the table DataStore are read back, an abort undoes others, and Anybody has no access.

    1. Write bytes at the start and at the end, and read them.
    2. Write others in a transaction, read them, and abort it.
    3. Read and write as Anybody, and past the end.
    """
    sed.own()
    size = int(sed.opal.discover()[0x0202].max_size)
    data, other = drive.random.randbytes(1500), drive.random.randbytes(700)
    with sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN) as session:
        for offset in (0, size - len(data)):
            must(drive, DATASTORE, "Set of DataStore", session.write, opal.DATASTORE, offset, data)
            seen = must(drive, DATASTORE, "Get of DataStore", session.read, opal.DATASTORE, offset, len(data))
            drive.check(seen == data, DATASTORE, f"the bytes written at {offset}", seen[:16].hex())
        sed.opal.exchange(encode(Token.START_TRANSACTION, 0), session.tsn, session.hsn)
        must(drive, TRANSACTIONS, "Set of DataStore", session.write, opal.DATASTORE, 400, other)
        seen = session.read(opal.DATASTORE, 400, len(other))
        drive.check(seen == other, TRANSACTIONS, "a transaction sees its own bytes", seen[:16].hex())
        sed.opal.exchange(encode(Token.END_TRANSACTION, 1), session.tsn, session.hsn)
        seen = session.read(opal.DATASTORE, 0, len(data))
        drive.check(seen == data, TRANSACTIONS, "an aborted transaction leaves the bytes", seen[:16].hex())
        past = opal.DATASTORE, size - 1, bytes(2)
        refused(drive, DATASTORE, "Set past the end", (INVALID_PARAMETER,), session.write, *past)
    with sed.opal.session(opal.LOCKING_SP) as session:
        here = opal.DATASTORE, 0
        refused(drive, ACCESS_CONTROL, "Get by Anybody", (NOT_AUTHORIZED,), session.read, *here, 8)
        refused(drive, ACCESS_CONTROL, "Set by Anybody", (NOT_AUTHORIZED,), session.write, *here, bytes(8))


@requirement("SECURITY-31", METHODS)
@needs(SECURITY, UNOWNED)
def test_methods_in_a_session(drive: Drive, sed: Sed) -> None:
    """Authenticate and Random work in a session, and methods and objects that there are not are refused.

    1. Authenticate SID by a wrong and by the right PIN, and change the PIN.
    2. Get 32 random bytes twice.
    3. Call a method that does not exist, Get of an unknown object, and Set of one.
    4. Use the session after that.
    """
    sed.own(activate=False)
    with sed.opal.session(opal.ADMIN_SP) as session:
        change = opal.C_PIN_SID, {3: OTHER}
        refused(drive, AUTHENTICATE, "Set before", (NOT_AUTHORIZED,), session.set, *change)
        for pin, expected in ((OTHER, False), (PIN, True)):
            seen = must(drive, AUTHENTICATE, "Authenticate", session.authenticate, opal.SID, pin)
            drive.check(seen == expected, AUTHENTICATE, f"Authenticate returns {expected}", seen)
        must(drive, AUTHENTICATE, "Set by SID", session.set, *change)
        two = [must(drive, RANDOM, "Random", session.random, 32) for _ in range(2)]
        lengths = [len(one) for one in two]
        drive.check(
            lengths == [32, 32] and two[0] != two[1], RANDOM, "32 other bytes each time", two[1].hex()
        )
        for number in (0x0000000600000077, 0x00000006FFFFFFFF):
            refused(drive, METHODS, f"method {number:016x}h", (), session.call, opal.C_PIN_SID, number)
        nobody = 0x0000000B00007777
        refused(drive, METHODS, "Set of an object that does not exist", (), session.set, nobody, {3: OTHER})
        with contextlib.suppress(TcgError):
            columns = session.get(nobody)
            drive.check(not columns, METHODS, "no columns of an object that does not exist", columns)
        must(drive, SESSIONS, "Get after refused calls", session.get, opal.C_PIN_SID)


@requirement("SECURITY-32", PSID)
@needs(SECURITY, UNOWNED, LABEL)
def test_the_psid_reverts_a_lost_drive(drive: Drive, sed: Sed) -> None:
    """The PSID of the label reverts a drive whose PINs are lost, and a wrong one does not.

    1. Take ownership, lock a range with data, and revert by a wrong PSID.
    2. Revert by the PSID.
    """
    sed.own()
    data = sed.write(sed.start, sed.count)
    sed.set_range()
    sed.lock()
    label = f"PSID-{str(drive.id_ctrl.sn).strip()}"
    refused(drive, PSID, "a wrong PSID", (NOT_AUTHORIZED,), sed.opal.revert_psid, label[:-1] + "?")
    sed.judge(sed.start, sed.count, reads=False, writes=False)
    must(drive, PSID, "Revert by the PSID", sed.opal.revert_psid, label)
    drive.check(not sed.opal.is_active(), REVERT, "an inactive Locking SP", "an active one")
    sed.must_be_gone(sed.start, data, REVERT)
    must(drive, REVERT, "SID has the PIN of MSID", sed.opal.take_ownership, PIN)


# ---- ranges ----


@requirement("SECURITY-8", RANGE_ERRORS)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE)
def test_a_locked_range_denies_exactly_its_lbas(drive: Drive, sed: Sed) -> None:
    """A locked range denies all commands that touch one of its LBAs, and no other one.

    1. Set up a range, write it and the LBAs around it, and lock it.
    2. Read and write its first and last LBA, the LBAs before and behind it, and across its ends.
    3. Lock it for reads only, and for writes only.
    4. Unlock it, and read what was written before.
    """
    sed.own()
    sed.set_range()
    before, inside, behind = sed.write_in_and_around()
    sed.lock()
    half, some = max(1, min(4, drive.most_lbas // 2)), min(3, drive.most_lbas)
    across = ((sed.start - half, 2 * half), (sed.end - half, 2 * half)) if drive.most_lbas > 1 else ()
    for slba, nlb in ((sed.start, 1), (sed.end - 1, 1), (sed.start + 5, some), *across):
        sed.judge(slba, nlb, False, False)
    for slba in (sed.start - 1, sed.end):
        sed.judge(slba, 1, True, True)
    sed.must_hold(sed.start - 8, before[: 7 * drive.lba_size], LOCKING)
    sed.must_hold(sed.end + 1, behind[drive.lba_size :], LOCKING)
    sed.lock(write=False)
    buf = nvme.Buffer(drive.lba_size)
    drive.expect(drive.io(IoOpcode.READ, buf, sed.start), RANGE_ERRORS, Status.ACCESS_DENIED)
    sed.unlock()
    sed.must_hold(sed.start, inside, LOCKING)
    sed.lock(read=False)
    drive.expect(drive.io(IoOpcode.WRITE, buf, sed.start), RANGE_ERRORS, Status.ACCESS_DENIED)
    sed.must_hold(sed.start, inside, LOCKING)


@requirement("SECURITY-9", LOCKING)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE)
def test_ranges_that_cannot_be_are_refused(drive: Drive, sed: Sed) -> None:
    """Ranges do not overlap, nor reach past the end of the namespace, and a failed Set changes nothing.

    1. Set up a range.
    2. Set up another one that overlaps it, one past the end, and one whose end is above 2^64.
    """
    sed.own()
    sed.set_range()
    before = sed.opal.range(2, PIN)
    middle = sed.start + sed.count // 2
    for start, count in ((middle, sed.count), (drive.nsze, sed.count), (sed.start, (1 << 64) - 1)):
        what = f"a range of {count} LBAs from LBA {start} on"
        refused(drive, LOCKING, what, (), sed.opal.set_range, 2, start, count, pin=PIN)
    drive.check(sed.opal.range(2, PIN) == before, LOCKING, f"range 2 is {before}", sed.opal.range(2, PIN))


@requirement("SECURITY-10", ACCESS_CONTROL)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE)
def test_a_user_may_what_an_admin_allows(drive: Drive, sed: Sed) -> None:
    """A user who is not enabled has no session, and one who is may lock a range only if an Admin allows it.

    1. Start a session as User1, who is not enabled.
    2. Enable User1, and unlock the range as User1.
    3. Allow it, and unlock the range. Set up ranges and change another PIN as User1.
    4. Disable User1.
    """
    sed.own()
    sed.set_range()
    sed.lock()
    user = {"pin": OTHER, "user": "User1"}
    no = (NOT_AUTHORIZED,)
    unlock, clause = sed.opal.unlock, ACCESS_CONTROL
    refused(drive, clause, "a session of a user who is not enabled", no, unlock, 1, **user)
    must(drive, clause, "User1 is enabled", sed.opal.enable_user, "User1", OTHER, pin=PIN)
    refused(drive, clause, "the unlocking by a user who may not", no, unlock, 1, **user)
    sed.judge(sed.start, 1, False, False)
    must(drive, clause, "User1 is allowed", sed.opal.allow, 1, "User1", pin=PIN)
    must(drive, clause, "User1 unlocks the range", unlock, 1, **user)
    sed.judge(sed.start, 1, True, True)
    refused(drive, clause, "a new range by a user", no, sed.opal.set_range, 2, 0, sed.start, **user)
    admin = "the PIN of Admin1 by a user"
    refused(drive, clause, admin, no, sed.opal.set_pin, "Admin1", OTHER, pin=OTHER, by="User1")
    must(drive, clause, "User1 is disabled", sed.opal.disable_user, "User1", pin=PIN)
    refused(drive, clause, "a session of a disabled user", no, unlock, 1, **user)


@requirement("SECURITY-11", POWER_CYCLE)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE, SWITCHED_POWER)
def test_a_power_cycle_locks(drive: Drive, sed: Sed) -> None:
    """A range with enabled locks is locked after a power cycle, and not by a controller reset.

    1. Set up a range, write it, and flush.
    2. Reset the controller, and read the range.
    3. Cut the power, and read it. Unlock it, and read what was written.
    """
    sed.own()
    sed.set_range()
    data = sed.write(sed.start, sed.count)
    drive.succeed(drive.flush(), clauses.of_io(IoOpcode.FLUSH))
    drive.reset()
    sed.must_hold(sed.start, data, POWER_CYCLE)
    drive.power_cycle()
    sed.judge(sed.start, 1, False, False, POWER_CYCLE)
    sed.judge(sed.end, 1, True, True, POWER_CYCLE)
    sed.unlock()
    sed.must_hold(sed.start, data, POWER_CYCLE)


@requirement("SECURITY-12", GEN_KEY)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE)
def test_a_new_key_loses_the_data_of_its_range(drive: Drive, sed: Sed) -> None:
    """After GenKey no LBA of the range has its old data, and all others have theirs.

    1. Set up a range, and write it and the LBAs around it.
    2. Generate its key, and read all of them.
    """
    sed.own()
    sed.set_range()
    before, inside, behind = sed.write_in_and_around()
    must(drive, GEN_KEY, "GenKey by Admin1", sed.opal.gen_key, 1, pin=PIN)
    sed.must_be_gone(sed.start, inside, GEN_KEY)
    sed.must_hold(sed.start - 8, before, GEN_KEY)
    sed.must_hold(sed.end, behind, GEN_KEY)
    data = sed.write(sed.start, sed.count)
    sed.must_hold(sed.start, data, GEN_KEY)


@requirement("SECURITY-13", REVERT)
@needs(SECURITY, UNOWNED)
def test_revert_erases_the_drive(drive: Drive, sed: Sed) -> None:
    """Revert erases all data. RevertSP with KeepGlobalRangeKey keeps those of the global range.

    1. Activate the Locking SP, write, and revert it with KeepGlobalRangeKey.
    2. Activate it, write, and revert the Admin SP.
    """
    sed.own()
    data = sed.write(sed.start, sed.count)
    must(drive, REVERT_SP, "RevertSP by Admin1", sed.opal.revert_locking, PIN, keep_global=True)
    sed.must_hold(sed.start, data, REVERT_SP)
    drive.check(not sed.opal.is_active(), REVERT_SP, "an inactive Locking SP", "an active one")
    must(drive, ACTIVATE, "Activate", sed.opal.activate, PIN)
    must(drive, REVERT, "Revert by SID", sed.opal.revert, PIN)
    sed.must_be_gone(sed.start, data, REVERT)
    drive.check(not sed.opal.is_active(), REVERT, "an inactive Locking SP", "an active one")


@requirement("SECURITY-14", MBR)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE, SWITCHED_POWER)
def test_the_shadow_mbr(drive: Drive, sed: Sed) -> None:
    """While MBREnable is set and MBRDone is not, reads return the table MBR, and writes are denied.

    1. Write the first LBAs and the table MBR, and enable it.
    2. Read and write the first LBAs. Set MBRDone, and read the user's data.
    3. Cut the power, and read the table again.
    """
    sed.own()
    data = sed.write(0, 8)
    drive.succeed(drive.flush(), clauses.of_io(IoOpcode.FLUSH))
    table = drive.random.randbytes(8 * drive.lba_size)
    must(drive, MBR, "Set of the table MBR", sed.opal.write_mbr, 0, table, pin=PIN)
    must(drive, MBR, "MBREnable", sed.opal.set_mbr, pin=PIN, enable=True, done=False)
    sed.must_hold(0, table, MBR)
    buf = nvme.Buffer(drive.lba_size)
    drive.expect(drive.io(IoOpcode.WRITE, buf, 0), MBR, Status.ACCESS_DENIED)
    must(drive, MBR, "MBRDone", sed.opal.set_mbr, pin=PIN, done=True)
    sed.must_hold(0, data, MBR)
    drive.power_cycle()
    sed.must_hold(0, table, f"{MBR}, DoneOnReset")
    must(drive, MBR, "MBRDone", sed.opal.set_mbr, pin=PIN, done=True)
    sed.must_hold(0, data, MBR)


@requirement("SECURITY-33", TPER_RESET)
@needs(SECURITY, UNOWNED, ONE_NAMESPACE)
def test_a_tper_reset_locks(drive: Drive, sed: Sed) -> None:
    """A TPer reset is refused until SID allows it, and then locks the ranges whose LockOnReset names it.

    1. Set up two ranges, of which the first one has LockOnReset with type 3.
    2. Reset the TPer before and after ProgrammaticResetEnable is set.
    3. Read both ranges.
    """
    sed.own()
    sed.set_range()
    other = sed.end + sed.count
    must(drive, LOCKING, "a range can be set up", sed.opal.set_range, 2, other, sed.count, pin=PIN)
    with sed.opal.session(opal.LOCKING_SP, 0x0000000900010001, PIN) as session:
        must(drive, TPER_RESET, "LockOnReset", session.set, 0x0000080200030001, {9: [0, 3]})
    refused(drive, TPER_RESET, "a TPer reset that is not enabled", (), sed.opal.tper_reset)
    sed.judge(sed.start, 1, True, True, TPER_RESET)
    with sed.opal.session(opal.ADMIN_SP, opal.SID, PIN) as session:
        must(drive, TPER_RESET, "ProgrammaticResetEnable", session.set, 0x0000020100030001, {8: 1})
    open_one = sed.opal.session(opal.ADMIN_SP)
    must(drive, TPER_RESET, "a TPer reset", sed.opal.tper_reset)
    refused(drive, TPER_RESET, "a method after the reset", (), open_one.get, opal.C_PIN_MSID)
    sed.judge(sed.start, 1, False, False, TPER_RESET)
    sed.judge(other, 1, True, True, TPER_RESET)


# ---- RPMB ----


class Target:
    """An RPMB target that has the key of these tests."""

    def __init__(self, drive: Drive, number: int = 0) -> None:
        self.drive = drive
        wire = RpmbWire(drive)
        access = (int(drive.id_ctrl.rpmbs.asz) + 1) * SECTOR
        self.rpmb = Rpmb(wire, number, KEY, access)
        self.other = Rpmb(wire, number, WRONG_KEY, access)
        self.sectors = (int(drive.id_ctrl.rpmbs.tsz) + 1) * 256
        """Sectors of the target."""
        self.program()

    def program(self) -> None:
        """Program the key, unless an earlier test has done so."""
        try:
            self.rpmb.counter()
        except RpmbError as error:
            self.drive.check(error.result is RpmbResult.NO_KEY, RPMB, "a target without a key says so", error)
            must(self.drive, RPMB, "the key can be programmed", self.rpmb.program_key)

    def result(self, frame: bytes, data_size: int = 0) -> int:
        """The result of a request."""
        return int(must(self.drive, RPMB, "a response", self.rpmb.exchange, frame, data_size)[0].result)

    def fails(self, what: str, frame: bytes, *results: RpmbResult) -> None:
        """A finding unless a request fails with one of these results."""
        found = self.result(frame)
        wanted = " or ".join(one.name for one in results)
        self.drive.check(found & 0x7F in results, RPMB, f"{what}: {wanted}", f"{found:04x}h")

    def write_frame(self, address: int, data: bytes, counter: int, rpmb: Rpmb | None = None) -> bytes:
        sectors = len(data) // SECTOR
        return (rpmb or self.rpmb).frame(RpmbMessage.WRITE, counter, address, sectors, data=data)

    def must_hold(self, address: int, data: bytes) -> None:
        found = must(
            self.drive, RPMB, "Authenticated Data Read", self.rpmb.read, address, len(data) // SECTOR
        )
        self.drive.check(found == data, RPMB, "the data that were written last", "other data")

    def must_count(self, counter: int) -> None:
        found = must(self.drive, RPMB, "Read Write Counter", self.rpmb.counter)
        self.drive.check(found == counter, RPMB, f"Write Counter {counter}", found)


@pytest.fixture
def target(drive: Drive) -> Target:
    return Target(drive)


@requirement("SECURITY-15", RPMB)
@needs(SECURITY, HAS_RPMB, EXPENDABLE)
def test_rpmb_data_are_written_and_read(drive: Drive, target: Target) -> None:
    """What an authenticated write has written is read again, and each write counts once.

    1. Write one sector, and as many as a request may have, at the beginning and the end of the target.
    2. Read them, and read the counter.
    """
    most = target.rpmb.access // SECTOR
    counter = must(drive, RPMB, "Read Write Counter", target.rpmb.counter)
    for address, count in ((0, 1), (1, most), (target.sectors - most, most), (target.sectors - 1, 1)):
        data = drive.random.randbytes(count * SECTOR)
        counter += 1
        found = must(drive, RPMB, "Authenticated Data Write", target.rpmb.write, address, data)
        drive.check(found == counter, RPMB, f"Write Counter {counter}", found)
        target.must_hold(address, data)
    target.must_count(counter)


@requirement("SECURITY-16", RPMB)
@needs(SECURITY, HAS_RPMB, EXPENDABLE)
def test_rpmb_writes_that_are_not_authentic(drive: Drive, target: Target) -> None:
    """A write with a wrong key, a changed byte, another counter, or a second time, changes nothing.

    1. Write a sector, and send the same frame again.
    2. Send frames with a wrong key, a changed byte of the data, and a counter that is too large.
    3. Read the sector and the counter.
    """
    counter = must(drive, RPMB, "Read Write Counter", target.rpmb.counter)
    data, other = drive.random.randbytes(SECTOR), drive.random.randbytes(SECTOR)
    frame = target.write_frame(3, data, counter)
    drive.check(target.result(frame) == 0, RPMB, "an authenticated write succeeds", "a failure")
    target.fails("a replay", frame, RpmbResult.COUNTER_FAILURE)
    counter += 1
    target.fails(
        "a counter that is too large", target.write_frame(3, other, counter + 1), RpmbResult.COUNTER_FAILURE
    )
    wrong = RpmbResult.AUTHENTICATION_FAILURE
    target.fails("a wrong key", target.write_frame(3, other, counter, target.other), wrong)
    changed = bytearray(target.write_frame(3, other, counter))
    changed[FRAME + drive.random.randrange(SECTOR)] ^= 1
    target.fails("a changed byte", bytes(changed), wrong)
    target.must_hold(3, data)
    target.must_count(counter)


@requirement("SECURITY-17", RPMB)
@needs(SECURITY, HAS_RPMB, EXPENDABLE)
def test_rpmb_requests_that_are_wrong(drive: Drive, target: Target) -> None:
    """A key is programmed once, addresses end with the target, and a frame belongs to its target.

    1. Program a key again, and read by the first one.
    2. Write and read behind the end.
    3. Send a frame whose target is not that of the command.
    """
    key = bytearray(sign(bytes(FRAME), WRONG_KEY))
    key[191:223], key[254] = WRONG_KEY, RpmbMessage.PROGRAM_KEY
    found = target.result(bytes(key))
    drive.check(found & 0x7F != 0, RPMB, "a second key is refused", f"{found:04x}h")
    counter = must(drive, RPMB, "a response by the first key", target.rpmb.counter)
    end = RpmbResult.ADDRESS_FAILURE
    target.fails("a write past the end", target.write_frame(target.sectors, bytes(SECTOR), counter), end)
    target.fails(
        "a read past the end", target.rpmb.frame(RpmbMessage.READ, address=target.sectors, sectors=1), end
    )
    buf = nvme.Buffer(FRAME)
    buf[:] = target.rpmb.frame(RpmbMessage.READ_COUNTER)
    done = SuiteWire(drive).command(AdminOpcode.SECURITY_SEND, 0xEA, 1, buf, rpmb_targets(drive) - 1 or 7)
    drive.expect(done, RPMB, Status.INVALID_FIELD)
    target.must_count(counter)


@requirement("SECURITY-18", RPMB)
@needs(SECURITY, HAS_RPMB, EXPENDABLE, SWITCHED_POWER)
def test_rpmb_outlives_a_loss_of_power(drive: Drive, target: Target) -> None:
    """Key, counter and data are there after a loss of power, and a response is not.

    1. Write a sector, cut the power, and read sector and counter.
    2. Send the frame of before.
    """
    counter = must(drive, RPMB, "Read Write Counter", target.rpmb.counter)
    data = drive.random.randbytes(SECTOR)
    frame = target.write_frame(5, data, counter)
    drive.check(target.result(frame) == 0, RPMB, "an authenticated write succeeds", "a failure")
    drive.power_cycle()
    target.must_hold(5, data)
    target.must_count(counter + 1)
    target.fails("a replay", frame, RpmbResult.COUNTER_FAILURE)


@requirement("SECURITY-19", RPMB)
@needs(SECURITY, TWO_TARGETS, EXPENDABLE)
def test_rpmb_targets_have_nothing_in_common(drive: Drive) -> None:
    """A write to one target changes neither the data nor the counter of another one.

    1. Write a sector of target 0 and of the last one.
    2. Write it again in the last one, and read both.
    """
    one, two = Target(drive), Target(drive, rpmb_targets(drive) - 1)
    data = drive.random.randbytes(SECTOR)
    counter = must(drive, RPMB, "Authenticated Data Write", one.rpmb.write, 9, data)
    for _ in range(2):
        other = drive.random.randbytes(SECTOR)
        must(drive, RPMB, "Authenticated Data Write", two.rpmb.write, 9, other)
    one.must_hold(9, data)
    one.must_count(counter)
    two.must_hold(9, other)


# ---- write protection of namespaces ----


class Protection:
    """Sets the write protection of the first namespace, and ends it after the test."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        drive.at_end(self.end)

    def end(self) -> None:
        """End the protection, if the host can."""
        self.set(WriteProtectionState.NONE)

    def set(self, state: int) -> Command:
        return self.drive.set_feature(FeatureId.WRITE_PROTECTION, state, nsid=self.drive.nsid)

    def must_be(self, state: WriteProtectionState, clause: str = WRITE_PROTECTION) -> None:
        """A finding unless the namespace has this state, and Identify and writes agree with it."""
        done = self.drive.get_feature(FeatureId.WRITE_PROTECTION, nsid=self.drive.nsid)
        self.drive.succeed(done, WRITE_PROTECTION)
        self.drive.check(done.cdw0 & 7 == state, clause, f"the state {state.name}", done.cdw0)
        attributes = int(self.drive.ns.id_ns.nsattr) & 1
        self.drive.check(attributes == (state != 0), clause, f"NSATTR bit 0 is {state != 0:d}", attributes)
        wanted = Status.NS_WRITE_PROTECTED if state else Status.SUCCESS
        buf = nvme.Buffer(self.drive.lba_size)
        self.drive.expect(self.drive.io(IoOpcode.WRITE, buf, 0), clause, wanted)
        self.drive.succeed(self.drive.io(IoOpcode.READ, buf, 0), clause)


@pytest.fixture
def protection(drive: Drive) -> Protection:
    return Protection(drive)


@requirement("SECURITY-20", WRITE_PROTECTION)
@needs(PROTECTION, SWITCHED_POWER)
def test_a_namespace_is_protected_from_writes(drive: Drive, protection: Protection) -> None:
    """A protected namespace refuses what changes it, over resets and losses of power, until the host ends it.

    1. Write, protect the namespace, and write and read.
    2. Send other commands that change data, and Format NVM.
    3. Reset the controller, cut the power, and write. End the protection, and read.
    """
    buf = nvme.Buffer(drive.lba_size)
    buf[:] = data = drive.random.randbytes(len(buf))
    drive.succeed(drive.io(IoOpcode.WRITE, buf, 1), clauses.of_io(IoOpcode.WRITE))
    drive.succeed(protection.set(WriteProtectionState.PROTECTED), WRITE_PROTECTION)
    protection.must_be(WriteProtectionState.PROTECTED)
    for opcode in (IoOpcode.WRITE_ZEROES, IoOpcode.WRITE_UNCORRECTABLE):
        if drive.ns.supports(opcode):
            drive.expect(drive.io(opcode, None, 1), WRITE_PROTECTION, Status.NS_WRITE_PROTECTED)
    if drive.ns.supports(IoOpcode.DSM):
        drive.expect(drive.deallocate([(1, 1)]), WRITE_PROTECTION, Status.NS_WRITE_PROTECTED)
    done = drive.admin(AdminOpcode.FORMAT_NVM, None, drive.nsid, cdw10=int(drive.ns.id_ns.flbas) & 0xF)
    drive.expect(done, WRITE_PROTECTION, Status.NS_WRITE_PROTECTED)
    drive.succeed(drive.flush(), WRITE_PROTECTION)
    drive.reset()
    protection.must_be(WriteProtectionState.PROTECTED)
    drive.power_cycle()
    protection.must_be(WriteProtectionState.PROTECTED, f"{WRITE_PROTECTION}, power cycles")
    drive.succeed(protection.set(WriteProtectionState.NONE), WRITE_PROTECTION)
    protection.must_be(WriteProtectionState.NONE)
    drive.succeed(drive.io(IoOpcode.READ, buf, 1), WRITE_PROTECTION)
    drive.check(bytes(buf[:]) == data, WRITE_PROTECTION, "the data of before", "other data")


@requirement("SECURITY-21", WRITE_PROTECTION)
@needs(UNTIL_POWER_CYCLE, HAS_RPMB, EXPENDABLE, SWITCHED_POWER)
def test_protection_until_a_power_cycle_ends_with_it(
    drive: Drive, protection: Protection, target: Target
) -> None:
    """RPMB allows protection until a power cycle, no host ends it, and a power cycle does.

    1. Try it before the Device Configuration Block allows it, then allow it.
    2. Protect the namespace, try to end it, and reset the controller.
    3. Cut the power.
    """
    until = WriteProtectionState.UNTIL_POWER_CYCLE
    must(drive, RPMB, "WPC can be cleared", target.rpmb.configure, until_power_cycle=False)
    drive.refused(protection.set(until), f"{RPMB}, Device Configuration Block")
    must(drive, RPMB, "WPC can be set", target.rpmb.configure, until_power_cycle=True)
    drive.succeed(protection.set(until), WRITE_PROTECTION)
    protection.must_be(until)
    for state in (WriteProtectionState.NONE, WriteProtectionState.PROTECTED):
        drive.expect(protection.set(state), WRITE_PROTECTION, Status.FEATURE_NOT_CHANGEABLE)
    drive.reset()
    protection.must_be(until)
    drive.power_cycle()
    protection.must_be(WriteProtectionState.NONE, f"{WRITE_PROTECTION}, power cycles")
    drive.refused(protection.set(until), f"{RPMB}, Device Configuration Block, WPC after a power cycle")


# ---- boot partitions ----


class BootPartition:
    """Boot partition 0, which gets back what it had after the test."""

    PIECE = 4096
    REPLACE = 6

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.size = (drive.nvme0[0x40] & 0x7FFF) * 131072
        self.before = self.read(self.size)
        drive.at_end(self._restore)

    def read(self, size: int = 8192) -> bytes:
        """The beginning of the partition, by log page 15h."""
        found = b""
        buf = nvme.Buffer(self.PIECE)
        while len(found) < size:
            offset = 16 + len(found)
            length = min(self.PIECE, size - len(found))
            done = self.drive.admin(
                AdminOpcode.GET_LOG_PAGE,
                buf,
                0xFFFFFFFF,
                cdw10=(length // 4 - 1) << 16 | LogId.BOOT_PARTITION,
                cdw12=offset,
            )
            self.drive.succeed(done, f"{BOOT}, log page 15h")
            found += bytes(buf[:length])
        return found

    def replace(self, image: bytes) -> Command:
        """Download an image, and replace the partition by it."""
        buf = nvme.Buffer(self.PIECE)
        for at in range(0, len(image), self.PIECE):
            buf[:] = image[at : at + self.PIECE]
            dwords = {"cdw10": self.PIECE // 4 - 1, "cdw11": at // 4}
            self.drive.succeed(self.drive.admin(AdminOpcode.FW_DOWNLOAD, buf, **dwords), BOOT)
        return self.commit()

    def commit(self) -> Command:
        return self.drive.admin(AdminOpcode.FW_COMMIT, cdw10=self.REPLACE << 3)

    def replaced(self, image: bytes, clause: str = BOOT) -> None:
        """Replace the partition, which must succeed."""
        self.drive.succeed(self.replace(image), clause)
        self.drive.check(self.read(len(image)) == image, clause, "the image of before", "other data")

    def prohibited(self, image: bytes, clause: str) -> None:
        """A finding unless the partition cannot be replaced. The controller may keep the image."""
        before = self.read()
        self.drive.expect(self.replace(image), clause, Status.BOOT_PARTITION_WRITE_PROHIBITED)
        self.drive.check(self.read() == before, clause, "the partition of before", "other data")
        self.drive.reset()

    def _restore(self) -> None:
        self.replace(self.before)


@pytest.fixture
def boot(drive: Drive) -> BootPartition:
    return BootPartition(drive)


def image_of(drive: Drive) -> bytes:
    return drive.random.randbytes(2 * BootPartition.PIECE)


def lock_states(drive: Drive) -> tuple[int, int]:
    """The states of both partitions, by feature 85h."""
    done = drive.succeed(drive.get_feature(FeatureId.BOOT_WRITE_PROTECTION), BOOT)
    return done.cdw0 & 7, done.cdw0 >> 3 & 7


@requirement("SECURITY-22", BOOT)
@needs(BOOT_PARTITIONS, log(LogId.BOOT_PARTITION), EXPENDABLE)
def test_a_boot_partition_is_replaced(drive: Drive, boot: BootPartition) -> None:
    """A boot partition is replaced by Firmware Commit, unless it is write locked, and read by its log page.

    1. Unlock it, if it has feature 85h, and skip the rest if RPMB has locked it.
    2. Replace it twice, and read it. Reset the controller, and read it.
    """
    if int(drive.id_ctrl.bpcap) & 4:
        drive.set_feature(FeatureId.BOOT_WRITE_PROTECTION, BootProtectionState.UNLOCKED)
        if lock_states(drive)[0] != BootProtectionState.UNLOCKED:
            pytest.skip("needs a boot partition that RPMB does not protect")
    elif boot.replace(boot.before).status == Status.BOOT_PARTITION_WRITE_PROHIBITED:
        pytest.skip("needs a boot partition that RPMB does not protect")
    for _ in range(2):
        image = image_of(drive)
        boot.replaced(image)
    drive.reset()
    drive.check(boot.read(len(image)) == image, BOOT, "the image after a reset", "other data")


@requirement("SECURITY-23", f"{BOOT}, Boot Partition Write Protection Config")
@needs(BOOT_BY_FEATURE, EXPENDABLE, SWITCHED_POWER)
def test_feature_85h_locks_boot_partitions(drive: Drive, boot: BootPartition) -> None:
    """A boot partition is locked until the host unlocks it, and a power cycle locks it.

    1. Replace a locked partition, unlock it, and replace it.
    2. Reset the controller, and cut the power.
    3. Lock it until a power cycle, and unlock it before and after.
    """
    clause = f"{BOOT}, Boot Partition Write Protection Config"
    state = BootProtectionState
    fid = FeatureId.BOOT_WRITE_PROTECTION
    if state.BY_RPMB in lock_states(drive):
        pytest.skip("needs boot partitions that RPMB does not protect")
    drive.succeed(drive.set_feature(fid, state.LOCKED), clause)
    boot.prohibited(image_of(drive), clause)
    drive.succeed(drive.set_feature(fid, state.UNLOCKED), clause)
    boot.replaced(image_of(drive), clause)
    drive.power_cycle()
    drive.check(lock_states(drive)[0] == state.LOCKED, clause, "a power cycle locks it", lock_states(drive))
    drive.succeed(drive.set_feature(fid, state.LOCKED_UNTIL_POWER_CYCLE), clause)
    drive.expect(drive.set_feature(fid, state.UNLOCKED), clause, Status.FEATURE_NOT_CHANGEABLE)
    drive.reset()
    boot.prohibited(image_of(drive), clause)
    drive.power_cycle()
    drive.check(lock_states(drive)[0] == state.LOCKED, clause, "a power cycle ends it", lock_states(drive))
    drive.succeed(drive.set_feature(fid, state.UNLOCKED), clause)
    boot.replaced(image_of(drive), clause)


@requirement("SECURITY-24", f"{BOOT}, RPMB Boot Partition Write Protection")
@needs(BOOT_PARTITIONS, BOOT_BY_RPMB, HAS_RPMB, EXPENDABLE)
def test_rpmb_locks_boot_partitions(drive: Drive, boot: BootPartition, target: Target) -> None:
    """The Device Configuration Block locks boot partitions for ever, one by one, and a reset locks them.

    1. Enable the protection with partition 0 unlocked, and replace it.
    2. Lock it, and replace it. Try to disable the protection.
    3. Unlock it, and reset the controller.
    """
    clause = f"{BOOT}, RPMB Boot Partition Write Protection"
    change = target.rpmb.configure
    must(drive, RPMB, "BPPE can be set", change, boot_protection=True, lock0=False, lock1=True)
    boot.replaced(image_of(drive), clause)
    must(drive, RPMB, "BPL can be set", change, lock0=True)
    boot.prohibited(image_of(drive), clause)
    off = RpmbConfiguration()
    counter = must(drive, RPMB, "the counter", target.rpmb.configuration_counter)
    frame = target.rpmb.frame(RpmbMessage.WRITE_CONFIGURATION, counter, sectors=1, data=bytes(off))
    target.fails("the end of the protection", frame, RpmbResult.INVALID_CONFIGURATION)
    must(drive, RPMB, "BPL can be cleared", change, lock0=False)
    drive.reset()
    found = must(drive, RPMB, "the Device Configuration Block", target.rpmb.configuration)
    drive.check(int(found.bpl) & 3 == 3, clause, "a reset locks both partitions", int(found.bpl))
    boot.prohibited(image_of(drive), clause)
    must(drive, RPMB, "BPL can be cleared", change, lock0=False)


# ---- Lockdown ----


class Locks:
    """Prohibits opcodes and features, and allows them again after the test."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self._prohibited: list[tuple[int, int, LockdownInterface]] = []
        drive.at_end(self._allow)

    def _allow(self) -> None:
        for identifier, scope, interface in self._prohibited:
            self.send(identifier, scope, False, interface)

    def send(
        self,
        identifier: int,
        scope: int = 0,
        prohibit: bool = True,
        interface: LockdownInterface = LockdownInterface.ADMIN_QUEUE,
    ) -> Command:
        dword = identifier << 8 | interface << 5 | prohibit << 4 | scope
        return self.drive.admin(AdminOpcode.LOCKDOWN, cdw10=dword)

    def prohibit(
        self,
        identifier: int,
        scope: int = 0,
        interface: LockdownInterface = LockdownInterface.ADMIN_QUEUE,
    ) -> None:
        self._prohibited.append((identifier, scope, interface))
        self.drive.succeed(self.send(identifier, scope, True, interface), LOCKDOWN)

    def listed(self, contents: int, scope: int = 0) -> list[int]:
        """The identifiers of log page 14h: 0 can be prohibited, 1 are in band, 2 are out of band."""
        buf = nvme.Buffer(512)
        done = self.drive.admin(
            AdminOpcode.GET_LOG_PAGE, buf, cdw10=127 << 16 | (contents << 4 | scope) << 8 | LogId.LOCKDOWN
        )
        self.drive.succeed(done, f"{LOCKDOWN}, log page 14h")
        found = list(bytes(buf[4 : 4 + buf[3]]))
        about = buf[0]
        self.drive.check(about == contents << 4 | scope, LOCKDOWN, "CFILA as requested", f"{about:02x}h")
        self.drive.check(found == sorted(set(found)), LOCKDOWN, "an ascending list", found)
        return found


@pytest.fixture
def locks(drive: Drive) -> Locks:
    return Locks(drive)


FEATURES_CHANGED = (FeatureId.ARBITRATION, FeatureId.COALESCING, FeatureId.VWC, FeatureId.TEMPERATURE)


@requirement("SECURITY-25", LOCKDOWN)
@needs(admin(AdminOpcode.LOCKDOWN), log(LogId.LOCKDOWN))
def test_a_prohibited_command_is_refused(drive: Drive, locks: Locks) -> None:
    """A prohibited opcode or feature is refused, also after a reset, until it is allowed again.

    1. Read what can be prohibited.
    2. Prohibit Format NVM or Device Self-test, and a feature, and send both.
    3. Reset the controller, and send them. Allow them, and send the feature.
    """
    opcodes, features = locks.listed(0), locks.listed(0, 2)
    opcode = next((one for one in (AdminOpcode.SELF_TEST, AdminOpcode.FORMAT_NVM) if one in opcodes), None)
    fid = next((one for one in FEATURES_CHANGED if one in features and drive.can_change(one)), None)
    if opcode is None or fid is None:
        pytest.skip("needs an opcode and a feature that can be prohibited (log page 14h)")
    value = drive.succeed(drive.get_feature(fid), clauses.of_admin(AdminOpcode.GET_FEATURES)).cdw0
    prohibited = Status.PROHIBITED_BY_LOCKDOWN
    locks.prohibit(opcode)
    locks.prohibit(fid, 2)
    for _ in range(2):
        drive.expect(drive.admin(opcode, None, drive.nsid, cdw10=0xF), LOCKDOWN, prohibited)
        drive.expect(drive.set_feature(fid, value), LOCKDOWN, prohibited)
        drive.succeed(drive.get_feature(fid), LOCKDOWN)
        drive.check(opcode in locks.listed(1), LOCKDOWN, f"{opcode:02x}h in the log page", locks.listed(1))
        drive.check(fid in locks.listed(1, 2), LOCKDOWN, f"{fid:02x}h in the log page", locks.listed(1, 2))
        drive.reset()
    drive.succeed(locks.send(fid, 2, False), LOCKDOWN)
    drive.succeed(drive.set_feature(fid, value), LOCKDOWN)
    drive.check(
        fid not in locks.listed(1, 2), LOCKDOWN, f"{fid:02x}h is no longer listed", locks.listed(1, 2)
    )


@requirement("SECURITY-34", LOCKDOWN)
@needs(admin(AdminOpcode.LOCKDOWN), log(LogId.LOCKDOWN))
def test_prohibitions_are_by_interface(drive: Drive, locks: Locks) -> None:
    """A command that is prohibited out of band still runs on the admin queue, and each is listed for its own.

    1. Prohibit Device Self-test out of band only. A drive without an endpoint refuses that.
    2. Send one that aborts self-tests in band. Read both lists of log page 14h.
    3. Allow it, prohibit it on the admin queue only, send it, and read both lists.
    4. With NVMe-MI in band: prohibit a health poll out of band only, and send it in band.
    """
    out_of_band = LockdownInterface.OUT_OF_BAND
    opcode = AdminOpcode.SELF_TEST
    if opcode not in locks.listed(0):
        pytest.skip("needs a Device Self-test that can be prohibited (log page 14h)")
    if locks.send(opcode, interface=out_of_band).status == Status.INVALID_FIELD:
        pytest.skip("needs a management endpoint, out of band")

    def judge(status: Status, *lists: bool) -> None:
        drive.expect(drive.admin(opcode, None, drive.nsid, cdw10=0xF), LOCKDOWN, status)
        found = tuple(opcode in locks.listed(contents) for contents in (1, 2))
        drive.check(found == lists, LOCKDOWN, f"in the lists of both interfaces: {lists}", found)

    locks.prohibit(opcode, interface=out_of_band)
    judge(Status.SUCCESS, False, True)
    drive.succeed(locks.send(opcode, 0, False, out_of_band), LOCKDOWN)
    locks.prohibit(opcode)
    judge(Status.PROHIBITED_BY_LOCKDOWN, True, False)
    poll = MiOpcode.SUBSYSTEM_HEALTH_STATUS_POLL
    if poll in locks.listed(0, LockdownScope.MI):
        locks.prohibit(poll, LockdownScope.MI, out_of_band)
        done = drive.admin(AdminOpcode.MI_RECEIVE, nvme.Buffer(4096), cdw10=0x804, cdw11=poll)
        drive.succeed(done, LOCKDOWN)


@requirement("SECURITY-26", LOCKDOWN)
@needs(admin(AdminOpcode.LOCKDOWN), log(LogId.LOCKDOWN), SWITCHED_POWER)
def test_a_power_cycle_ends_prohibitions(drive: Drive, locks: Locks) -> None:
    """After a power cycle nothing is prohibited.

    1. Prohibit all opcodes that can be, but for Lockdown.
    2. Cut the power, and read the log page.
    """
    for opcode in locks.listed(0):
        if opcode != AdminOpcode.LOCKDOWN:
            locks.prohibit(opcode)
    drive.power_cycle()
    drive.check(not locks.listed(1), f"{LOCKDOWN}, power cycles", "nothing is prohibited", locks.listed(1))


@requirement("SECURITY-27", LOCKDOWN)
@needs(admin(AdminOpcode.LOCKDOWN), log(LogId.LOCKDOWN))
def test_what_cannot_be_prohibited(drive: Drive, locks: Locks) -> None:
    """An opcode or a feature that log page 14h does not list cannot be prohibited.

    1. Prohibit opcodes and features that are not listed.
    2. Use a scope that does not exist.
    """
    for scope in (0, 2):
        listed = locks.listed(0, scope)
        for identifier in [one for one in range(256) if one not in listed][::37]:
            done = locks.send(identifier, scope)
            drive.expect(done, LOCKDOWN, Status.PROHIBITION_NOT_SUPPORTED, Status.INVALID_FIELD)
    drive.expect(locks.send(0x80, 0xF), LOCKDOWN, Status.INVALID_FIELD)
    drive.check(not locks.listed(1), LOCKDOWN, "nothing is prohibited", locks.listed(1))
