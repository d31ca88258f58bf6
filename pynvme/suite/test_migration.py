# SPDX-License-Identifier: BSD-3-Clause
"""Live migration: the log of changes, suspended controllers, and their state."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    Cns,
    ControllerState,
    ControllerStateFormats,
    CqState,
    FeatureId,
    IoOpcode,
    MigrationChange,
    MigrationEntry,
    MigrationQueueEntry,
    MigrationSend,
    SqState,
    Status,
)
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import admin
from pynvme.suite.drive import Drive
from pynvme.suite.functions import VIRTUAL, Functions
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

MIGRATION = "Base 2.1, 8.1.12 Host Managed Live Migration"
QUEUES = "Base 2.1, 8.1.6 Controller Data Queue"
CREATE = "Base 2.1, 5.1.4 Controller Data Queue"
TRACK = "Base 2.1, 5.1.27.1.1 Log User Data Changes"
SUSPEND = "Base 2.1, 5.1.17.1.1 Suspend"
RESUME = "Base 2.1, 5.1.17.1.2 Resume"
STATE = "Base 2.1, 5.1.16.1.1 Get Controller State"
SET = "Base 2.1, 5.1.17.1.3 Set Controller State"
HEAD = "Base 2.1, 5.1.25.1.23 Controller Data Queue"
ENTRIES = "NVM 1.1, 5.6 LBA Migration Queue"

LOGS = Need(
    "a log of changes of user data (TRATTR: TUDCS)", lambda drive: bool(int(drive.id_ctrl.trattr) >> 1 & 1)
)

pytestmark = needs(admin(AdminOpcode.MIGRATION_SEND), VIRTUAL)

ENTRY = MigrationQueueEntry.SIZE
SLOTS = 128
FEW = 8
"""Slots of a queue that wraps."""
QUIET = 0.2
"""Seconds in which a controller that is suspended must not complete a command."""
LBAS = 4096
"""The first LBAs, which tests write."""
VERSION = 1 << 16
"""Dword 10 of Migration Receive: the first version of the state."""


class Entry(NamedTuple):
    """An entry of the log."""

    nsid: int
    slba: int
    nlb: int
    kind: int
    what: int
    deallocated: bool


class Log:
    """A queue that gets the changes of a controller."""

    def __init__(self, drive: Drive, cntlid: int, slots: int = SLOTS) -> None:
        self.drive, self.slots = drive, slots
        self._buf = nvme.Buffer(max(4096, slots * ENTRY))
        self._at, self._phase = 0, 1
        created = create(drive, self._buf, cntlid, slots)
        self.cdqid = drive.succeed(created, CREATE).cdw0 & 0xFFFF

    def track(self, start: bool) -> Command:
        """Start or stop the log."""
        return self.drive.admin(AdminOpcode.TRACK_SEND, cdw10=start << 16, cdw11=self.cdqid)

    def take(self) -> list[Entry]:
        """The entries that are new, by the phase tag."""
        found: list[Entry] = []
        while True:
            raw = bytes(self._buf[self._at * ENTRY : (self._at + 1) * ENTRY])
            if raw[-1] & 1 != self._phase:
                return found
            one = MigrationQueueEntry(raw)
            given = one.lbamqa
            found.append(
                Entry(
                    int(one.nsid),
                    int(one.slba),
                    int(one.nlb) + 1,
                    int(given.esa),
                    int(given.lbacir),
                    bool(given.dlba),
                )
            )
            self._at = (self._at + 1) % self.slots
            self._phase ^= self._at == 0

    def must_come(self, kind: int) -> list[Entry]:
        """Wait for an entry of a kind, and return all up to it."""
        found: list[Entry] = []
        end = time.monotonic() + 5
        while not any(one.kind == kind for one in found) and time.monotonic() < end:
            found += self.take()
        kinds = [one.kind for one in found]
        self.drive.check(kind in kinds, ENTRIES, f"an entry with ESA {kind}", f"ESA of the entries {kinds}")
        return found

    def set_head(self, head: int | None = None) -> Command:
        """Set the head, by default behind the entries that were taken."""
        fields = {"cdw10": FeatureId.CONTROLLER_DATA_QUEUE, "cdw11": self.cdqid}
        cdw12 = self._at if head is None else head
        return self.drive.admin(AdminOpcode.SET_FEATURES, None, cdw12=cdw12, **fields)


def create(drive: Drive, buf: nvme.Buffer, cntlid: int, slots: int) -> Command:
    """Create a queue."""
    fields = {"cdw11": cntlid << 16 | 1, "cdw12": slots * ENTRY // 4}
    return drive.admin(AdminOpcode.CONTROLLER_DATA_QUEUE, buf, **fields)


def send(drive: Drive, operation: int, cntlid: int, stype: int = 1) -> Command:
    """Send Migration Send without data."""
    return drive.admin(AdminOpcode.MIGRATION_SEND, cdw10=operation, cdw11=stype << 16 | cntlid)


class Pair:
    """The controller that manages migration, and a virtual function that it can suspend."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.functions = Functions(drive)
        self.functions.bring_up()
        self.cntlid = self.functions.first
        self.child = self.functions.open()

    def suspend(self) -> None:
        """Suspend the other controller."""
        self.drive.succeed(send(self.drive, MigrationSend.SUSPEND, self.cntlid), SUSPEND)

    def resume(self) -> None:
        """Resume it."""
        self.drive.succeed(send(self.drive, MigrationSend.RESUME, self.cntlid), RESUME)

    def state(self) -> tuple[ControllerState, list[SqState], list[CqState], int]:
        """The state of the other controller, and dword 0."""
        buf, fields = nvme.Buffer(4096), {"cdw10": VERSION, "cdw11": self.cntlid, "cdw15": 1023}
        done = self.drive.succeed(self.drive.admin(AdminOpcode.MIGRATION_RECEIVE, buf, **fields), STATE)
        raw = bytes(buf[:])
        count, more = struct.unpack_from("<HH", raw, 50)
        self.drive.check(count + more <= 168, STATE, "as many queues as were created", (count, more))
        pieces = [raw[at : at + 24] for at in range(56, 56 + 24 * (count + more), 24)]
        sqs = [SqState(piece) for piece in pieces[:count]]
        return ControllerState(raw[:56]), sqs, [CqState(piece) for piece in pieces[count:]], done.cdw0

    def write(self, slba: int, nlb: int = 1) -> None:
        """Write LBAs by the other controller."""
        done = self.child.io(IoOpcode.WRITE, nvme.Buffer(nlb * self.child.lba_size), slba, nlb)
        self.drive.succeed(done, clauses.of_io(IoOpcode.WRITE))

    def close(self) -> None:
        """Let the other controller go, whatever a test has left."""
        send(self.drive, MigrationSend.RESUME, self.cntlid)
        self.functions.close()
        self.drive.reset()


@pytest.fixture
def pair(drive: Drive) -> Iterator[Pair]:
    """A manager and a controller that it can suspend."""
    made = Pair(drive)
    try:
        yield made
    finally:
        made.close()


@requirement("MIGRATION-1", MIGRATION)
def test_only_the_manager_says_that_it_manages(pair: Pair) -> None:
    """A controller that can be migrated does not manage migration, and neither has a host memory buffer.

    1. Read Identify Controller of both, and the formats of the state (CNS 20h).
    2. Send the commands of migration to the controller that can be migrated.
    """
    drive, child = pair.drive, pair.child
    for one, name in ((drive, "the manager"), (child, "the other controller")):
        seen = int(one.id_ctrl.hmpre)
        drive.check(seen == 0, MIGRATION, f"HMPRE of {name} is 0", seen)
    buf = nvme.Buffer(4096)
    drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=Cns.CONTROLLER_STATE_FORMATS), MIGRATION)
    versions = int(ControllerStateFormats(bytes(buf[:])).nv)
    drive.check(versions > 0, MIGRATION, "a version of the controller state (NV)", versions)
    if int(drive.id_ctrl.trattr) & 2:
        seen = int(drive.id_ctrl.mcudmq)
        drive.check(seen > 0, MIGRATION, "user data migration queues (MCUDMQ)", seen)
    for opcode in (AdminOpcode.MIGRATION_SEND, AdminOpcode.MIGRATION_RECEIVE):
        child.expect(child.admin(opcode, buf, cdw11=pair.cntlid), MIGRATION, Status.INVALID_OPCODE)


@requirement("MIGRATION-2", ENTRIES)
@needs(LOGS)
def test_the_log_has_each_change(pair: Pair) -> None:
    """Entries cover each LBA that the controller writes or deallocates between start and stop.

    1. Create a queue, write with the other controller, and start the log.
    2. Write, write zeroes to and deallocate random LBAs, and read some, with the other controller.
    3. Stop the log, and write again.
    4. Compare the entries with the LBAs.
    """
    drive, child = pair.drive, pair.child
    log, changed = Log(drive, pair.cntlid), set[int]()
    pair.write(LBAS - 1)
    drive.succeed(log.track(True), TRACK)
    for _ in range(48):
        nlb = drive.random.randint(1, 8)
        slba = drive.random.randrange(LBAS - 8)
        kind = drive.random.choice((IoOpcode.WRITE, IoOpcode.WRITE_ZEROES, IoOpcode.DSM, IoOpcode.READ))
        if kind == IoOpcode.DSM and drive.can(IoOpcode.DSM):
            drive.succeed(child.deallocate([(slba, nlb)]), clauses.of_io(kind))
        elif kind == IoOpcode.WRITE_ZEROES and drive.can(IoOpcode.WRITE_ZEROES):
            drive.succeed(child.io(kind, None, slba, nlb), clauses.of_io(kind))
        elif kind == IoOpcode.READ:
            drive.succeed(child.io(kind, nvme.Buffer(8 * child.lba_size), slba, nlb), clauses.of_io(kind))
            continue
        else:
            pair.write(slba, nlb)
        changed |= set(range(slba, slba + nlb))
    drive.succeed(log.track(False), TRACK)
    entries = log.must_come(MigrationEntry.STOPPED)
    must_cover(pair, entries, changed)
    kinds = [one.kind for one in entries]
    drive.check(kinds[0] == MigrationEntry.FIRST, ENTRIES, "ESA 1 of the first entry", kinds[0])
    drive.check(kinds[-1] == MigrationEntry.STOPPED, ENTRIES, "ESA 2 of the last entry", kinds[-1])
    between = [kind for kind in kinds[1:-1] if kind != MigrationEntry.BETWEEN]
    drive.check(not between, ENTRIES, "ESA 0 of all others", between)
    pair.write(0)
    time.sleep(QUIET)
    left = log.take()
    drive.check(not left, TRACK, "no entries after the log was stopped", left)


def must_cover(pair: Pair, entries: list[Entry], changed: set[int]) -> None:
    """Raise a finding unless entries name all these LBAs of the first namespace."""
    named = set[int]()
    for one in entries:
        if one.what == MigrationChange.NAMESPACE and one.nsid == pair.child.nsid:
            return
        if one.what == MigrationChange.RANGE and one.nsid == pair.child.nsid:
            named |= set(range(one.slba, min(one.slba + one.nlb, LBAS)))
    missing = sorted(changed - named)
    pair.drive.check(
        not missing, ENTRIES, "an entry for each LBA that has changed", f"none for {missing[:8]}"
    )


@requirement("MIGRATION-3", QUEUES)
@needs(LOGS)
def test_the_queue_wraps(pair: Pair) -> None:
    """The phase tag is inverted each time that the queue wraps, and each change has its entry.

    1. Create a queue of 8 slots, and start the log.
    2. Write LBA after LBA with the other controller, take the entries, and set the head.
    """
    drive = pair.drive
    log = Log(drive, pair.cntlid, FEW)
    drive.succeed(log.track(True), TRACK)
    entries: list[Entry] = []
    for lba in range(5 * FEW):
        pair.write(2 * lba)
        end = time.monotonic() + 1
        while not (new := log.take()) and time.monotonic() < end:
            pass
        drive.check(len(new) > 0, QUEUES, f"an entry for LBA {2 * lba}, with another phase tag", "none")
        entries += new
        drive.succeed(log.set_head(), HEAD)
    must_cover(pair, entries, {2 * lba for lba in range(5 * FEW)})


@requirement("MIGRATION-4", ENTRIES)
@needs(LOGS)
def test_a_full_queue_says_so(pair: Pair) -> None:
    """The last entry of a queue that becomes full says so, and none is overwritten.

    1. Create a queue of 8 slots, start the log, and write more LBAs than it has slots.
    2. Take the entries, set the head, and start the log again.
    """
    drive = pair.drive
    log = Log(drive, pair.cntlid, FEW)
    drive.succeed(log.track(True), TRACK)
    for lba in range(2 * FEW):
        pair.write(2 * lba)
    entries = log.must_come(MigrationEntry.FULL)
    drive.check(len(entries) == FEW - 1, QUEUES, f"{FEW - 1} entries in {FEW} slots", len(entries))
    drive.succeed(log.set_head(), HEAD)
    drive.succeed(log.track(True), TRACK)
    pair.write(1)
    drive.succeed(log.track(False), TRACK)
    must_cover(pair, log.must_come(MigrationEntry.STOPPED), {1})


@requirement("MIGRATION-5", HEAD)
@needs(LOGS)
def test_the_head_moves_over_entries_only(pair: Pair) -> None:
    """A head beyond what was posted is refused, and so is a queue that does not exist.

    1. Set the head of an empty queue.
    2. Write, and set the head to slots without an entry.
    """
    drive = pair.drive
    log = Log(drive, pair.cntlid)
    drive.expect(log.set_head(1), HEAD, Status.INVALID_FIELD)
    drive.succeed(log.track(True), TRACK)
    pair.write(0)
    drive.succeed(log.track(False), TRACK)
    posted = len(log.must_come(MigrationEntry.STOPPED))
    for head in (posted + 1, SLOTS - 1, SLOTS, 1 << 31):
        drive.expect(log.set_head(head), HEAD, Status.INVALID_FIELD)
    drive.succeed(log.set_head(), HEAD)
    log.cdqid ^= 0x8000
    drive.expect(log.set_head(), HEAD, Status.INVALID_CONTROLLER_DATA_QUEUE)


@requirement("MIGRATION-6", CREATE)
@needs(LOGS)
def test_queues_that_are_refused(pair: Pair) -> None:
    """A queue for a second time, of a wrong size, or for no controller is refused with its status.

    1. Create queues with a wrong field in all ways.
    2. Delete a queue twice, and start its log.
    """
    drive, buf = pair.drive, nvme.Buffer(4096)
    own = int(drive.id_ctrl.cntlid)
    for cntlid in (own, 0xFFFD):
        drive.expect(create(drive, buf, cntlid, FEW), CREATE, Status.INVALID_CONTROLLER_ID)
    for dwords in (1, 7, 9):
        fields = {"cdw11": pair.cntlid << 16 | 1, "cdw12": dwords}
        done = drive.admin(AdminOpcode.CONTROLLER_DATA_QUEUE, buf, **fields)
        drive.expect(done, CREATE, Status.INVALID_FIELD)
    log = Log(drive, pair.cntlid)
    drive.expect(create(drive, buf, pair.cntlid, FEW), CREATE, Status.INVALID_FIELD)
    delete = {"cdw10": 1, "cdw11": log.cdqid}
    drive.succeed(drive.admin(AdminOpcode.CONTROLLER_DATA_QUEUE, None, **delete), CREATE)
    done = drive.admin(AdminOpcode.CONTROLLER_DATA_QUEUE, None, **delete)
    drive.expect(done, CREATE, Status.INVALID_CONTROLLER_DATA_QUEUE)
    drive.expect(log.track(True), TRACK, Status.INVALID_CONTROLLER_DATA_QUEUE)


@requirement("MIGRATION-7", SUSPEND)
def test_a_suspended_controller_executes_nothing(pair: Pair) -> None:
    """A suspended controller fetches no commands, and executes all of them once it is resumed.

    1. Suspend the other controller, and submit writes to it.
    2. Read the LBAs with the manager. They are as before.
    3. Resume it. The writes complete.
    """
    drive, child = pair.drive, pair.child
    for lba in range(8):
        pair.write(lba)
    back, queue = nvme.Buffer(8 * drive.lba_size), child.qpair
    read = clauses.of_io(IoOpcode.READ)
    drive.succeed(drive.io(IoOpcode.READ, back, 0, 8), read)
    before = bytes(back[:])
    pair.suspend()
    new = nvme.Buffer(8 * drive.lba_size, pvalue=100, ptype=0xBEEF)
    command = child.send(queue, IoOpcode.WRITE, new, cdw12=7)
    time.sleep(QUIET)
    drive.succeed(drive.io(IoOpcode.READ, back, 0, 8), read)
    seen = bytes(back[:]) == before
    drive.check(seen, SUSPEND, "the data of before, since a suspended controller fetches nothing", "others")
    pair.resume()
    child.reap(queue)
    child.must_end(command)
    drive.succeed(command, RESUME)


@requirement("MIGRATION-8", STATE)
def test_the_state_is_that_of_the_queues(pair: Pair) -> None:
    """The state has each I/O queue with its address, size and pointers.

    1. Execute random numbers of commands on two queue pairs of the other controller, and suspend it.
    2. Read its state.
    """
    drive, child = pair.drive, pair.child
    queue, count = child.new_qpair(16), drive.random.randint(1, 40)
    for _ in range(count):
        drive.succeed(
            child.io(IoOpcode.READ, nvme.Buffer(child.lba_size), 0, 1, qpair=queue),
            clauses.of_io(IoOpcode.READ),
        )
    pair.suspend()
    state, sqs, cqs, csup = pair.state()
    drive.check(csup & 1 == 1, STATE, "CSUP is 1 in dword 0", csup)
    drive.check(bool(state.csattr.csup), STATE, "CSUP is 1 in CSATTR", int(state.csattr))
    size = 2 + 6 * (len(sqs) + len(cqs))
    seen = int.from_bytes(bytes(state)[16:32], "little")
    drive.check(seen == size, STATE, f"NVMECSS {size}, for {len(sqs)} and {len(cqs)} queues", seen)
    sq = {int(one.iosqqid): one for one in sqs}.get(queue.sqid)
    cq = {int(one.iocqqid): one for one in cqs}.get(queue.sqid)
    drive.check(sq is not None and cq is not None, STATE, f"queue {queue.sqid} in the state", (sqs, cqs))
    assert sq is not None and cq is not None
    depth, at = 16, count % 16
    expected = (depth - 1, at, at)
    found = int(sq.iosqqsize), int(sq.iosqhp), int(sq.iosqtp)
    drive.check(found == expected, STATE, f"size, head and tail {expected} of the submission queue", found)
    found = int(cq.iocqqsize), int(cq.iocqhp), int(cq.iocqtp)
    drive.check(found == expected, STATE, f"size, head and tail {expected} of the completion queue", found)
    phase = count // 16 % 2 == 0
    slot0 = bool(cq.iocqa.s0pt)
    expected0 = phase if at else not phase
    drive.check(slot0 == expected0, STATE, f"S0PT {int(expected0)} after {count} completions", int(slot0))
    pair.resume()


@requirement("MIGRATION-9", SET)
def test_migration_send_is_refused(pair: Pair) -> None:
    """Wrong controllers and operations are refused, and a state is set only while a controller is suspended.

    1. Send Migration Send with a wrong field in all ways.
    """
    drive = pair.drive
    own = int(drive.id_ctrl.cntlid)
    for operation in (MigrationSend.SUSPEND, MigrationSend.RESUME):
        for cntlid in (own, 0xFFFD):
            drive.expect(send(drive, operation, cntlid), SUSPEND, Status.INVALID_CONTROLLER_ID)
    drive.expect(send(drive, 3, pair.cntlid), SET, Status.INVALID_FIELD)
    drive.expect(send(drive, MigrationSend.SUSPEND, pair.cntlid, stype=2), SUSPEND, Status.INVALID_FIELD)
    state = {"cdw10": 3 << 16 | MigrationSend.SET_STATE, "cdw11": 1 << 16 | pair.cntlid, "cdw15": 12}
    done = drive.admin(AdminOpcode.MIGRATION_SEND, nvme.Buffer(4096), **state)
    drive.expect(done, SET, Status.CONTROLLER_NOT_SUSPENDED)


@requirement("MIGRATION-10", MIGRATION)
@needs(LOGS)
def test_resets_end_it(pair: Pair) -> None:
    """A reset of the manager deletes its queues, and resumes what it has suspended.

    1. Create a queue, suspend the other controller, and reset the manager by CC.EN.
    2. Read the state of the other controller, and create the queue again.
    """
    drive = pair.drive
    log = Log(drive, pair.cntlid)
    pair.suspend()
    drive.reset()
    *_, csup = pair.state()
    drive.check(csup & 1 == 0, MIGRATION, "CSUP 0 after a reset of the manager", csup)
    drive.expect(log.track(True), TRACK, Status.INVALID_CONTROLLER_DATA_QUEUE)
    Log(drive, pair.cntlid)
