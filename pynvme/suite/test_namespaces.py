# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces that the host creates, attaches, detaches and deletes.

Each test creates namespaces in capacity that no namespace has, and deletes them again. The namespaces that
were there stay as they are.
"""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Iterator

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    Cns,
    CommandSet,
    CommandSetVectors,
    ControllerList,
    FeatureId,
    IdentifyController,
    IdentifyNamespace,
    IoOpcode,
    NamespaceGranularityList,
    NamespaceList,
    Status,
)
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import COMMAND_SETS, ROOM, admin
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import read_back
from pynvme.suite.writing import Writer

LEAST_ROOM = 16 << 20
"""Bytes that no namespace may have, so that tests can create some."""
UNALLOCATED = Need(
    f"{LEAST_ROOM >> 20} MiB of capacity that no namespace has (Identify Controller, UNVMCAP), in one place "
    "(NSETIDMAX 0, ENDGIDMAX up to 1)",
    lambda drive: (
        int(drive.id_ctrl.unvmcap) >= LEAST_ROOM
        and not drive.id_ctrl.nsetidmax
        and int(drive.id_ctrl.endgidmax) <= 1
    ),
)

pytestmark = needs(ROOM, admin(AdminOpcode.NS_MANAGEMENT), UNALLOCATED)

MANAGEMENT = clauses.of_admin(AdminOpcode.NS_MANAGEMENT)
ATTACHMENT = clauses.of_admin(AdminOpcode.NS_ATTACHMENT)
IDENTIFY = clauses.of_admin(AdminOpcode.IDENTIFY)
CAPACITY = "Base 2.0, 5.17.2.1 Identify Controller, TNVMCAP and UNVMCAP"
INACTIVE = "Base 2.0, 3.2.1.3 NSID types, an inactive NSID"
UNWRITTEN = "NVM 1.0, 3.2.3.2.1 Deallocated or Unwritten Logical Blocks"
CHANGED = "Base 2.0, 5.16.1.5 Changed Namespace List"
CREATE, DELETE = 0, 1
ATTACH, DETACH = 0, 1
CHANGED_LIST = 0x04
CHANGED_EVENT = CHANGED_LIST << 16 | 0 << 8 | 2
"""Dword 0 of the event of namespaces that have changed: a notice, whose log page is 04h."""
CHANGED_ENABLED = 1 << 8
NO_CONTROLLER = 0xFFEF
"""The largest CNTLID that a controller may have, which hardly any has."""
GRANULARITY = Need("namespace granularity (CTRATT bit 7)", lambda drive: bool(drive.id_ctrl.ctratt.ng))
SOME = 64
"""LBAs that a test writes at a place."""


class Namespaces:
    """Creates and deletes namespaces, and asks the drive for them."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self._made: list[int] = []
        self.before = self.capacity()[1]
        """UNVMCAP when the test began, in bytes."""
        self.nsze = (self.before // 4 >> 20 << 20) // drive.lba_size
        """LBAs of a namespace of a quarter of it."""
        self._flbas = int(self.identify(Cns.NS, drive.nsid)[26])

    def identify(self, cns: Cns, nsid: int = 0, cntid: int = 0, csi: int = 0) -> bytes:
        """Data of Identify, which must succeed."""
        buf = nvme.Buffer(4096)
        done = self.drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=cntid << 16 | cns, cdw11=csi << 24)
        self.drive.succeed(done, IDENTIFY)
        return bytes(buf[:])

    def capacity(self) -> tuple[int, int]:
        """TNVMCAP and UNVMCAP in bytes."""
        ctrl = IdentifyController(self.identify(Cns.CTRL))
        return int(ctrl.tnvmcap), int(ctrl.unvmcap)

    def listed(self, cns: Cns, csi: int = 0) -> list[int]:
        """The NSIDs of a namespace list."""
        return [int(nsid) for nsid in NamespaceList(self.identify(cns, csi=csi)).nsid if nsid]

    def controllers(self, nsid: int) -> list[int]:
        """The CNTLIDs that a namespace is attached to."""
        data = self.identify(Cns.NS_CTRL_LIST, nsid)
        return list(struct.unpack_from(f"<{data[0] | data[1] << 8}H", data, 2))

    def create(self, nsze: int, ncap: int | None = None, flbas: int | None = None) -> Command:
        """Send a creation. The status is the caller's to judge."""
        buf = nvme.Buffer(4096)
        buf[0:16] = struct.pack("<QQ", nsze, nsze if ncap is None else ncap)
        buf[26] = self._flbas if flbas is None else flbas
        done = self.drive.admin(AdminOpcode.NS_MANAGEMENT, buf, 0, cdw10=CREATE)
        if done.ok:
            self._made.append(done.cdw0)
        return done

    def created(self, nsze: int | None = None) -> int:
        """Create a namespace, which must succeed. Returns its NSID."""
        done = self.create(self.nsze if nsze is None else nsze)
        return self.drive.succeed(done, MANAGEMENT).cdw0

    def attached(self) -> int:
        """Create a namespace, and attach it. Returns its NSID."""
        nsid = self.created()
        self.drive.succeed(self.attach(nsid), ATTACHMENT)
        return nsid

    def attach(self, nsid: int, sel: int = ATTACH, cntlid: int | None = None) -> Command:
        """Attach a namespace to this controller or another one, or detach it."""
        buf = nvme.Buffer(4096)
        mine = int(self.drive.id_ctrl.cntlid)
        buf[0:4] = struct.pack("<HH", 1, mine if cntlid is None else cntlid)
        return self.drive.admin(AdminOpcode.NS_ATTACHMENT, buf, nsid, cdw10=sel)

    def delete(self, nsid: int) -> Command:
        """Delete a namespace."""
        done = self.drive.admin(AdminOpcode.NS_MANAGEMENT, None, nsid, cdw10=DELETE)
        if done.ok and nsid in self._made:
            self._made.remove(nsid)
        return done

    def deleted(self, nsid: int) -> None:
        """Delete a namespace, which must succeed."""
        self.drive.succeed(self.delete(nsid), MANAGEMENT)

    def clean_up(self) -> None:
        """Delete what the test has created."""
        for nsid in list(self._made):
            self.delete(nsid)

    def write(self, nsid: int, slba: int, nlb: int) -> bytes:
        """Write random data, and return them."""
        buf = nvme.Buffer(nlb * self.drive.lba_size)
        buf[:] = data = self.drive.random.randbytes(len(buf))
        command = self.drive.io(IoOpcode.WRITE, buf, slba, nlb, nsid)
        self.drive.succeed(command, clauses.of_io(IoOpcode.WRITE))
        return data

    def read(self, nsid: int, slba: int, nlb: int) -> bytes:
        """Data of LBAs."""
        buf = nvme.Buffer(nlb * self.drive.lba_size)
        command = self.drive.io(IoOpcode.READ, buf, slba, nlb, nsid)
        self.drive.succeed(command, clauses.of_io(IoOpcode.READ))
        return bytes(buf[:])

    def places(self) -> list[int]:
        """First LBAs over the whole of a namespace: its ends, and some between."""
        last = self.nsze - SOME
        return [0, SOME, *sorted(self.drive.random.sample(range(2 * SOME, last - SOME, SOME), 12)), last]


@pytest.fixture
def namespaces(drive: Drive) -> Iterator[Namespaces]:
    """Give what the tests of this area share. At the end, the namespaces that a test created are deleted."""
    found = Namespaces(drive)
    yield found
    with contextlib.suppress(Exception):
        found.clean_up()


@requirement("NAMESPACES-1", CAPACITY)
def test_the_capacity_is_accounted_for(drive: Drive, namespaces: Namespaces) -> None:
    """What a namespace takes is missing in UNVMCAP until it is deleted, and TNVMCAP never changes.

    1. Create two namespaces. After each, compare UNVMCAP with what it was and NVMCAP of the namespace.
    2. Delete them in the same order, and compare again.
    """
    total, free = namespaces.capacity()
    drive.check(free <= total, CAPACITY, f"UNVMCAP up to TNVMCAP ({total})", free)
    taken: dict[int, int] = {}
    for _ in range(2):
        nsid = namespaces.created()
        ns = IdentifyNamespace(namespaces.identify(Cns.ALLOCATED_NS, nsid))
        drive.check(int(ns.nsze) == namespaces.nsze, MANAGEMENT, f"NSZE is {namespaces.nsze}", int(ns.nsze))
        taken[nsid] = int(ns.nvmcap) or namespaces.nsze * drive.lba_size
        drive.check(
            taken[nsid] >= namespaces.nsze * drive.lba_size, CAPACITY, "NVMCAP covers NSZE", taken[nsid]
        )
        _must_be(drive, namespaces, (total, free - sum(taken.values())), f"after the creation of {nsid}")
    for nsid in list(taken):
        namespaces.deleted(nsid)
        del taken[nsid]
        _must_be(drive, namespaces, (total, free - sum(taken.values())), f"after the deletion of {nsid}")


def _must_be(drive: Drive, namespaces: Namespaces, wanted: tuple[int, int], when: str) -> None:
    """Raise a finding unless TNVMCAP and UNVMCAP are these."""
    seen = namespaces.capacity()
    drive.check(seen == wanted, CAPACITY, f"TNVMCAP and UNVMCAP are {wanted}, {when}", seen)


@requirement("NAMESPACES-2", "Base 2.0, 5.17.2 Identify, namespace lists")
def test_the_lists_tell_what_is_allocated_and_active(drive: Drive, namespaces: Namespaces) -> None:
    """A namespace is in the list of allocated NSIDs while it exists, and in that of active ones if attached.

    1. Create a namespace, attach it, detach it, and delete it.
    2. After each step, read both lists (CNS 10h, 02h), and the controllers that it is attached to (12h).
       Identify Namespace (CNS 00h) has zeros unless it is attached.
    """
    active, allocated = namespaces.listed(Cns.ACTIVE_NS_LIST), namespaces.listed(Cns.ALLOCATED_NS_LIST)
    nsid = namespaces.created()
    drive.check(nsid not in allocated, MANAGEMENT, "an NSID that no namespace has", nsid)

    def must_be(exists: bool, is_active: bool, when: str) -> None:
        for cns, before, there in (
            (Cns.ALLOCATED_NS_LIST, allocated, exists),
            (Cns.ACTIVE_NS_LIST, active, is_active),
        ):
            wanted = sorted([*before, nsid] if there else before)
            seen = namespaces.listed(cns)
            drive.check(seen == wanted, IDENTIFY, f"CNS {cns:02x}h lists {wanted}, {when}", seen)
        if exists:
            mine = [int(drive.id_ctrl.cntlid)] if is_active else []
            ctrls = namespaces.controllers(nsid)
            drive.check(ctrls == mine, IDENTIFY, f"CNS 12h lists {mine}, {when}", ctrls)
            nsze = int(IdentifyNamespace(namespaces.identify(Cns.NS, nsid)).nsze)
            wants = namespaces.nsze if is_active else 0
            drive.check(nsze == wants, IDENTIFY, f"NSZE in CNS 00h is {wants}, {when}", nsze)

    must_be(True, False, "once it is created")
    drive.succeed(namespaces.attach(nsid), ATTACHMENT)
    must_be(True, True, "once it is attached")
    drive.succeed(namespaces.attach(nsid, DETACH), ATTACHMENT)
    must_be(True, False, "once it is detached")
    namespaces.deleted(nsid)
    must_be(False, False, "once it is deleted")


@requirement("NAMESPACES-3", UNWRITTEN)
@takes(0.5)
def test_a_new_namespace_shows_no_old_data(drive: Drive, namespaces: Namespaces, budget: Budget) -> None:
    """The LBAs of a new namespace are unwritten, also if its NSID and its blocks were another one's.

    1. Create and attach a namespace, write to its first and last LBAs and between, and flush.
    2. Delete it, create another one, and attach it. Its LBAs have what DLFEAT says, or at least not the data.
    """
    for _ in budget.turns(least=2):
        nsid = namespaces.attached()
        old = {slba: namespaces.write(nsid, slba, SOME) for slba in namespaces.places()}
        drive.flush(nsid)
        namespaces.deleted(nsid)
        again = namespaces.attached()
        behaviour = int(drive.ns.id_ns.dlfeat.rdb)
        for slba, data in old.items():
            seen = namespaces.read(again, slba, SOME)
            where = f"LBA {slba:#x} of the new namespace {again}"
            if behaviour in (1, 2):
                wanted = bytes([0, 0, 0xFF][behaviour : behaviour + 1]) * len(seen)
                drive.check(
                    seen == wanted, UNWRITTEN, f"{where} has only bytes {wanted[0]:02x}h", "other data"
                )
            size = drive.lba_size
            shown = [at for at in range(0, len(data), size) if seen[at : at + size] == data[at : at + size]]
            drive.check(not shown, UNWRITTEN, f"{where} has no data of the deleted one", "its old data")
        namespaces.deleted(again)


@requirement("NAMESPACES-4", MANAGEMENT)
@takes(0.5)
def test_a_deletion_beside_io_in_flight(
    drive: Drive, model: Model, writer: Writer, namespaces: Namespaces, budget: Budget
) -> None:
    """Commands that are in flight when their namespace is deleted complete. Others lose nothing.

    1. Write a region of the first namespace.
    2. Create and attach a namespace, and fill a queue with reads and writes of it. Delete it meanwhile.
    3. All commands complete. IO to the NSID fails from then on, and the region has its data.
    """
    base = writer.region(256)
    for _ in budget.turns(least=3):
        nsid = namespaces.attached()
        pair = drive.qpair
        buffers = [nvme.Buffer(8 * drive.lba_size) for _ in range(32)]
        commands = []
        for index, buf in enumerate(buffers):
            opcode = IoOpcode.WRITE if index % 3 else IoOpcode.READ
            slba = drive.random.randrange(namespaces.nsze - 8)
            commands.append(drive.send(pair, opcode, buf, nsid, cdw10=slba, cdw12=7))
        deletion = namespaces.delete(nsid)
        drive.reap(pair, len(commands))
        drive.succeed(deletion, MANAGEMENT)
        for command in commands:
            drive.must_end(command)
        _must_be_inactive(drive, nsid)
        writer.write(base + drive.random.randrange(200), 8)
        read_back(drive, model, range(base, base + 256))


def _must_be_inactive(drive: Drive, nsid: int) -> None:
    """Raise a finding unless IO to an NSID fails as it does without an active namespace."""
    buf = nvme.Buffer(drive.lba_size)
    for opcode in (IoOpcode.READ, IoOpcode.WRITE, IoOpcode.FLUSH):
        done = drive.io(opcode, None if opcode is IoOpcode.FLUSH else buf, 0, 1, nsid)
        drive.expect(done, INACTIVE, Status.INVALID_FIELD, Status.INVALID_NAMESPACE)


@requirement("NAMESPACES-5", ATTACHMENT)
def test_a_detached_namespace_keeps_its_data(drive: Drive, namespaces: Namespaces) -> None:
    """IO to a detached namespace fails, and its data are there once it is attached again.

    1. Create and attach a namespace, write, and detach it. IO fails.
    2. Reset the controller, attach the namespace, and read.
    """
    nsid = namespaces.attached()
    data = {slba: namespaces.write(nsid, slba, SOME) for slba in namespaces.places()}
    drive.succeed(namespaces.attach(nsid, DETACH), ATTACHMENT)
    _must_be_inactive(drive, nsid)
    drive.reset()
    _must_be_inactive(drive, nsid)
    drive.succeed(namespaces.attach(nsid), ATTACHMENT)
    for slba, wanted in data.items():
        seen = namespaces.read(nsid, slba, SOME)
        drive.check(seen == wanted, ATTACHMENT, f"LBA {slba:#x} as it was written before", "other data")


@requirement("NAMESPACES-6", MANAGEMENT)
def test_what_is_wrong_is_refused_and_changes_nothing(drive: Drive, namespaces: Namespaces) -> None:
    """Wrong sizes, formats, NSIDs and controllers are refused with their status, and nothing changes.

    1. Create with more LBAs than UNVMCAP has, with NSZE 0, with NCAP above NSZE, and with a format beyond
       NLBAF.
    2. Attach a namespace twice, detach it twice, and attach it to a controller that does not exist.
    3. Delete, attach and detach with an NSID that no namespace has.
    4. Read the capacity and the lists.
    """
    before = namespaces.capacity(), namespaces.listed(Cns.ALLOCATED_NS_LIST)
    lbas = before[0][1] // drive.lba_size
    short = Status.NS_INSUFFICIENT_CAPACITY
    for nsze in (lbas + 1, 2 * lbas, 1 << 52, (1 << 64) - 1):
        drive.expect(namespaces.create(nsze), MANAGEMENT, short)
    drive.refused(namespaces.create(0), MANAGEMENT)
    drive.refused(namespaces.create(64, 65), MANAGEMENT)
    formats = int(drive.ns.id_ns.nlbaf) + 1
    if formats < 15:
        drive.expect(namespaces.create(lbas // 8, flbas=formats), MANAGEMENT, Status.INVALID_FORMAT)
    nsid = namespaces.created()
    drive.expect(namespaces.attach(nsid, DETACH), ATTACHMENT, Status.NS_NOT_ATTACHED)
    if drive.id_ctrl.cntlid != NO_CONTROLLER:
        wrong = namespaces.attach(nsid, cntlid=NO_CONTROLLER)
        drive.expect(wrong, ATTACHMENT, Status.CONTROLLER_LIST_INVALID)
    drive.succeed(namespaces.attach(nsid), ATTACHMENT)
    already = (Status.NS_ALREADY_ATTACHED, Status.NS_IS_PRIVATE)
    drive.expect(namespaces.attach(nsid), ATTACHMENT, *already)
    namespaces.deleted(nsid)
    drive.refused(namespaces.delete(nsid), MANAGEMENT)
    for sel in (ATTACH, DETACH):
        drive.refused(namespaces.attach(nsid, sel), ATTACHMENT)
    drive.refused(namespaces.attach(ALL_NAMESPACES), ATTACHMENT)
    after = namespaces.capacity(), namespaces.listed(Cns.ALLOCATED_NS_LIST)
    drive.check(after == before, MANAGEMENT, f"capacity and NSIDs as before, {before}", after)


@requirement("NAMESPACES-7", CHANGED)
@needs(
    Need(
        "events of namespaces that have changed (OAES bit 8)",
        lambda drive: bool(int(drive.id_ctrl.oaes) & CHANGED_ENABLED),
    )
)
def test_the_changed_list_names_what_has_changed(drive: Drive, namespaces: Namespaces) -> None:
    """Attaching and detaching a namespace puts it into the changed list, until that is read.

    1. Enable the event (feature 0Bh, bit 8), and read the list.
    2. Attach a namespace, and read the list twice. Detach it, and read it twice again.
    3. Each event that came is the one of log page 04h.
    """
    seen: list[int] = []
    drive.nvme0.register_aer_cb(lambda cdw0, status: seen.append(cdw0))
    drive.at_end(drive.listen)
    buf = nvme.Buffer(4096)

    def changed(rae: bool = False) -> list[int]:
        drive.succeed(drive.log_page(CHANGED_LIST, buf, 4096, rae=rae), CHANGED)
        return [int(nsid) for nsid in NamespaceList(bytes(buf[:])).nsid if nsid]

    nsid = namespaces.created()
    enabled = drive.get_feature(FeatureId.ASYNC_EVENT).cdw0
    with drive.feature_set(FeatureId.ASYNC_EVENT, enabled | CHANGED_ENABLED):
        changed()
        for sel in (ATTACH, DETACH):
            drive.poll(lambda: False, 0.005)
            seen.clear()
            drive.succeed(namespaces.attach(nsid, sel), ATTACHMENT)
            drive.poll(lambda: bool(seen), 0.1)
            told = changed()
            drive.check(nsid in told, CHANGED, f"log page 04h lists {nsid}", told)
            told = changed()
            drive.check(not told, CHANGED, "log page 04h is empty once it was read", told)
            notices = [one for one in seen if one & 7 == 2]
            wanted = all(one & 0xFFFFFF == CHANGED_EVENT for one in notices)
            drive.check(wanted, CHANGED, f"events {CHANGED_EVENT:#x}", [f"{one:#x}" for one in notices])


@requirement("NAMESPACES-8", MANAGEMENT)
@takes(0.5)
def test_namespaces_do_not_share_lbas(drive: Drive, namespaces: Namespaces, budget: Budget) -> None:
    """Namespaces that are created and deleted in any order never have an LBA in common.

    1. Create and delete namespaces of several sizes at random, and write to each what no other one has.
    2. Read all of them after each step.
    """
    dice, held = drive.random, dict[int, tuple[int, bytes]]()
    for _ in budget.turns(least=8):
        if held and (len(held) > 2 or dice.randrange(3) == 0):
            gone = dice.choice(list(held))
            namespaces.deleted(gone)
            del held[gone]
        else:
            nsze = namespaces.nsze // dice.choice((1, 2, 4))
            nsid = namespaces.created(nsze)
            drive.succeed(namespaces.attach(nsid), ATTACHMENT)
            slba = dice.choice((0, nsze - SOME))
            held[nsid] = slba, namespaces.write(nsid, slba, SOME)
        for nsid, (slba, wanted) in held.items():
            same = namespaces.read(nsid, slba, SOME) == wanted
            drive.check(
                same, MANAGEMENT, f"LBA {slba:#x} of namespace {nsid} as it was written", "other data"
            )


@requirement("NAMESPACES-9", "Base 2.0, 5.17.2 Identify, Controller List")
def test_namespaces_are_attached_to_controllers_of_the_subsystem(
    drive: Drive, namespaces: Namespaces
) -> None:
    """CNS 13h lists the controllers in ascending order, with this one and all that have a namespace.

    1. Create and attach a namespace. Read CNS 13h from CNTLID 0 on, and CNS 12h of each active namespace.
    2. Read CNS 13h from this controller on, and from the next CNTLID on.
    """
    clause, own = "Base 2.0, 5.17.2 Identify, Controller List", int(drive.id_ctrl.cntlid)

    def controllers(least: int) -> list[int]:
        return [int(one) for one in ControllerList(namespaces.identify(Cns.CTRL_LIST, cntid=least)).cntlid]

    namespaces.attached()
    found = controllers(0)
    drive.check(found == sorted(set(found)), clause, "CNTLIDs in ascending order", found)
    drive.check(own in found, clause, f"a list with this controller, {own}", found)
    for nsid in namespaces.listed(Cns.ACTIVE_NS_LIST):
        having = namespaces.controllers(nsid)
        drive.check(
            set(having) <= set(found), clause, f"namespace {nsid} attached to some of {found}", having
        )
    for least in (own, own + 1):
        wanted, seen = [one for one in found if one >= least], controllers(least)
        drive.check(seen == wanted, clause, f"{wanted} from CNTLID {least} on", seen)


@requirement("NAMESPACES-10", "Base 2.0, 5.17.2 Identify, allocated namespaces of a command set")
@needs(COMMAND_SETS)
def test_allocated_namespaces_belong_to_a_command_set(drive: Drive, namespaces: Namespaces) -> None:
    """CNS 1Ah of all command sets is CNS 10h, and CNS 1Bh of a namespace is its CNS 05h when it is active.

    1. Create a namespace. CNS 1Ah of the NVM Command Set lists it, and CNS 07h does not.
    2. Read CNS 1Ah of each command set of CNS 1Ch, and compare with CNS 10h.
    3. Read CNS 1Bh, attach the namespace, and read CNS 1Bh and CNS 05h.
    """
    clause = "Base 2.0, 5.17.2 Identify, allocated namespaces of a command set"
    nsid = namespaces.created()
    for cns, wanted in ((Cns.CSI_ALLOCATED_NS_LIST, True), (Cns.CSI_ACTIVE_NS_LIST, False)):
        seen = namespaces.listed(cns, CommandSet.NVM)
        text = f"CNS {cns:02x}h {'with' if wanted else 'without'} the new namespace {nsid}"
        drive.check((nsid in seen) == wanted, clause, text, seen)
    sets = CommandSetVectors(namespaces.identify(Cns.COMMAND_SETS, cntid=0xFFFF)).iocsc
    having = [csi for csi in range(64) if any(int(one) >> csi & 1 for one in sets)]
    found = sorted(one for csi in having for one in namespaces.listed(Cns.CSI_ALLOCATED_NS_LIST, csi))
    everyone = namespaces.listed(Cns.ALLOCATED_NS_LIST)
    drive.check(found == everyone, clause, f"{everyone} in the lists of command sets {having}", found)
    before = namespaces.identify(Cns.CSI_ALLOCATED_NS, nsid)
    drive.succeed(namespaces.attach(nsid), ATTACHMENT)
    active = namespaces.identify(Cns.CSI_NS, nsid)
    for data, when in ((before, "before"), (namespaces.identify(Cns.CSI_ALLOCATED_NS, nsid), "after")):
        text = f"CNS 1Bh {when} the attachment as CNS 05h {active[:32].hex()}…"
        drive.check(data == active, clause, text, f"{data[:32].hex()}…")


@requirement("NAMESPACES-11", "NVM 1.1, 4.1.5.6 Namespace Granularity List")
@needs(GRANULARITY)
def test_a_namespace_of_the_reported_granularity_wastes_nothing(drive: Drive, namespaces: Namespaces) -> None:
    """A namespace whose size is a multiple of both granularities takes no more than it has.

    1. Read CNS 16h. It has a descriptor for each LBA format, or one for all, and 0 behind them.
    2. Create a namespace of one multiple, in an LBA format without metadata, and read its NVMCAP.
    """
    clause = "NVM 1.1, 4.1.5.6 Namespace Granularity List"
    data, ns = namespaces.identify(Cns.NS_GRANULARITY), drive.ns.id_ns
    found = NamespaceGranularityList(data)
    count, least = int(data[4]) + 1, int(ns.nlbaf) + 1 if found.attributes.gdv else 1
    drive.check(least <= count <= 16, clause, f"{least} to 16 descriptors", count)
    rest = data[32 + 16 * count : 288]
    drive.check(not any(rest), clause, f"0 behind {count} descriptors", rest.hex())
    lbaf = int(ns.flbas.lbafil)
    one = found.entry[lbaf if found.attributes.gdv else 0]
    unit = math.lcm(*(int(each) or 1 for each in (one.nszegran, one.ncapgran)), drive.lba_size)
    if ns.lbaf[lbaf].ms or unit > namespaces.before:
        return
    nsid = namespaces.created(unit // drive.lba_size)
    seen = int(IdentifyNamespace(namespaces.identify(Cns.ALLOCATED_NS, nsid)).nvmcap)
    drive.check(seen in (0, unit), clause, f"NVMCAP of {unit} bytes, or 0 if it is not reported", seen)
