# SPDX-License-Identifier: BSD-3-Clause
"""Endurance groups and NVM sets: their lists, capacities and counters, and Capacity Management."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import nvme
import pytest

from pynvme.capacity import configurations
from pynvme.spec import (
    AdminOpcode,
    CapacityConfigurationsLog,
    CapacityOperation,
    Cns,
    EnduranceGroupEventsLog,
    EnduranceGroupList,
    EnduranceGroupLog,
    FeatureId,
    IdentifyController,
    IdentifyNamespace,
    LogId,
    NvmSetList,
    Status,
)
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import ROOM, admin
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.writing import Writer

GROUPS = Need("endurance groups (CTRATT bit 4)", lambda drive: bool(drive.id_ctrl.ctratt.egs))
SETS = Need("NVM sets (CTRATT bit 2)", lambda drive: bool(drive.id_ctrl.ctratt.nsets))
FIXED = Need("fixed Capacity Management (CTRATT bit 11)", lambda drive: bool(drive.id_ctrl.ctratt.fcm))
VARIABLE = Need("variable Capacity Management (CTRATT bit 12)", lambda drive: bool(drive.id_ctrl.ctratt.vcm))
DELETION = Need("Delete Endurance Group (CTRATT bit 13)", lambda drive: bool(drive.id_ctrl.ctratt.deg))

LEAST_ROOM = 8 << 20
UNALLOCATED = Need(
    f"{LEAST_ROOM >> 20} MiB of capacity that no endurance group has (Identify Controller, UNVMCAP)",
    lambda drive: int(drive.id_ctrl.unvmcap) >= LEAST_ROOM,
)
NOTICES = Need(
    "Endurance Group Event Aggregate Log Page Change notices (OAES bit 14)",
    lambda drive: bool(drive.id_ctrl.oaes.egea),
)

pytestmark = needs(ROOM, GROUPS)

MANAGEMENT = clauses.of_admin(AdminOpcode.CAPACITY_MANAGEMENT)
CREATION = clauses.of_admin(AdminOpcode.NS_MANAGEMENT)
IDENTIFY = clauses.of_admin(AdminOpcode.IDENTIFY)
GROUP_LIST = "Base 2.0, 5.17.2.18 Endurance Group List"
SET_LIST = "Base 2.0, 5.17.2.5 NVM Set List"
INFORMATION = "Base 2.0, 5.16.1.10 Endurance Group Information"
LIST = "Base 2.0, 5.16.1.18 Supported Capacity Configuration List"
MODEL = "Base 2.0, 3.8 NVM Capacity Model"
WHERE = "NVM 1.0, 4.1.5.1 Identify Namespace, NVMSETID and ENDGID"
EVENTS = "Base 2.0, 5.27.1.20 Endurance Group Event Configuration"
AGGREGATE = "Base 2.1, 5.1.12.1.16 Endurance Group Event Aggregate"
CREATE, DELETE = 0, 1
WARNINGS = 0xD
"""EGCW: the critical warnings of spare capacity, reliability, and groups that are read-only."""


class Set(NamedTuple):
    """An NVM set. Capacities are in bytes."""

    endgid: int
    total: int
    left: int


class Division:
    """Asks the drive how it is divided, and changes it."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self._made: list[tuple[CapacityOperation, int]] = []
        self._namespaces: list[int] = []

    def identify(self, cns: Cns, nsid: int = 0, cdw11: int = 0) -> bytes:
        """Data of Identify, which must succeed."""
        buf = nvme.Buffer(4096)
        done = self.drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=cns, cdw11=cdw11)
        self.drive.succeed(done, IDENTIFY)
        return bytes(buf[:])

    def ctrl(self) -> IdentifyController:
        """Identify Controller as it is now."""
        return IdentifyController(self.identify(Cns.CTRL))

    def groups(self, least: int = 0) -> list[int]:
        """The identifiers of the endurance groups from one on."""
        found = EnduranceGroupList(self.identify(Cns.ENDURANCE_GROUP_LIST, cdw11=least))
        return [int(one) for one in found.endgid]

    def sets(self, least: int = 0) -> dict[int, Set]:
        """The NVM sets from one on."""
        found = NvmSetList(self.identify(Cns.NVM_SET_LIST, cdw11=least))
        return {
            int(one.nvmsetid): Set(int(one.endgid), int(one.tnvmsetcap), int(one.unvmsetcap))
            for one in found.entry
        }

    def log(self, endgid: int) -> EnduranceGroupLog:
        """Log page 09h of a group, which must succeed."""
        buf = nvme.Buffer(512)
        self.drive.succeed(self.send_log(endgid, buf), INFORMATION)
        return EnduranceGroupLog(bytes(buf[:]))

    def send_log(self, endgid: int, buf: nvme.Buffer) -> Command:
        """Send a Get Log Page of log page 09h."""
        numd = 127 << 16
        return self.drive.admin(
            AdminOpcode.GET_LOG_PAGE, buf, 0, cdw10=numd | LogId.ENDURANCE_GROUP, cdw11=endgid << 16
        )

    def namespace(self, nsid: int) -> IdentifyNamespace:
        """Identify Namespace, active or not."""
        allocated = self.drive.nvme0.supports(AdminOpcode.NS_MANAGEMENT)
        return IdentifyNamespace(self.identify(Cns.ALLOCATED_NS if allocated else Cns.NS, nsid))

    def manage(self, oper: CapacityOperation, elid: int = 0, size: int = 0) -> Command:
        """Send Capacity Management. The status is the caller's to judge."""
        done = self.drive.admin(
            AdminOpcode.CAPACITY_MANAGEMENT,
            cdw10=elid << 16 | oper,
            cdw11=size & 0xFFFFFFFF,
            cdw12=size >> 32,
        )
        creates = {
            CapacityOperation.CREATE_ENDURANCE_GROUP: CapacityOperation.DELETE_ENDURANCE_GROUP,
            CapacityOperation.CREATE_NVM_SET: CapacityOperation.DELETE_NVM_SET,
        }
        if done.ok and oper in creates:
            self._made.append((creates[oper], done.cdw0 & 0xFFFF))
        if done.ok and (oper, elid) in self._made:
            self._made.remove((oper, elid))
        return done

    def managed(self, oper: CapacityOperation, elid: int = 0, size: int = 0) -> int:
        """Send Capacity Management, which must succeed. Returns the identifier of what was created."""
        return self.drive.succeed(self.manage(oper, elid, size), MANAGEMENT).cdw0 & 0xFFFF

    def create(self, size: int, setid: int = 0, endgid: int = 0) -> Command:
        """Send a creation of a namespace of so many bytes. The status is the caller's to judge."""
        nsze, buf = size // self.drive.lba_size, nvme.Buffer(4096)
        buf[0:16] = struct.pack("<QQ", nsze, nsze)
        buf[26] = int(self.namespace(self.drive.nsid).flbas)
        buf[100:104] = struct.pack("<HH", setid, endgid)
        done = self.drive.admin(AdminOpcode.NS_MANAGEMENT, buf, 0, cdw10=CREATE)
        if done.ok:
            self._namespaces.append(done.cdw0)
        return done

    def delete(self, nsid: int) -> None:
        """Delete a namespace, which must succeed."""
        self.drive.succeed(self.drive.admin(AdminOpcode.NS_MANAGEMENT, None, nsid, cdw10=DELETE), CREATION)
        self._namespaces.remove(nsid)

    def clean_up(self) -> None:
        """Delete what the test has created."""
        for nsid in self._namespaces:
            self.drive.admin(AdminOpcode.NS_MANAGEMENT, None, nsid, cdw10=DELETE)
        for oper, elid in reversed(self._made):
            self.drive.admin(AdminOpcode.CAPACITY_MANAGEMENT, cdw10=elid << 16 | oper)

    def containers(self) -> list[tuple[int, int, int]]:
        """NVMSETID, ENDGID and bytes left of the places where a namespace can be created."""
        if self.drive.id_ctrl.ctratt.nsets:
            return [(setid, one.endgid, one.left) for setid, one in self.sets().items()]
        return [(0, endgid, int(self.log(endgid).uegcap)) for endgid in self.groups()]


@pytest.fixture
def division(drive: Drive) -> Iterator[Division]:
    """Give what the tests of this area share. What a test has created is deleted."""
    division = Division(drive)
    drive.at_end(division.clean_up)
    yield division


@requirement("CAPACITY-1", GROUP_LIST)
def test_the_list_of_groups(drive: Drive, division: Division) -> None:
    """The list of endurance groups ascends, and begins where the host wants.

    1. Read the list from 0 on, from each group on, and from behind the last one on.
    2. Read the information of groups that the list does not have. It is refused.
    """
    groups, most = division.groups(), int(drive.id_ctrl.endgidmax)
    drive.check(groups == sorted(set(groups)), GROUP_LIST, "ascending identifiers", groups)
    drive.check(all(1 <= one <= most for one in groups), GROUP_LIST, f"from 1 to ENDGIDMAX ({most})", groups)
    for endgid in groups:
        later = division.groups(endgid)
        wanted = [one for one in groups if one >= endgid]
        drive.check(later == wanted, GROUP_LIST, f"from {endgid} on: {wanted}", later)
    if groups:
        drive.check(not division.groups(groups[-1] + 1), GROUP_LIST, "none behind the last one", "some")
    for endgid in {0, most + 1, *range(1, most + 1)} - set(groups):
        drive.refused(division.send_log(endgid, nvme.Buffer(512)), INFORMATION)


@requirement("CAPACITY-2", SET_LIST)
@needs(SETS)
def test_the_list_of_sets(drive: Drive, division: Division) -> None:
    """The list of NVM sets ascends, begins where the host wants, and names groups that exist.

    1. Read the list from 0 on, from each set on, and from behind the last one on.
    """
    sets, groups, most = division.sets(), division.groups(), int(drive.id_ctrl.nsetidmax)
    drive.check(list(sets) == sorted(sets), SET_LIST, "ascending identifiers", list(sets))
    drive.check(all(1 <= one <= most for one in sets), SET_LIST, f"from 1 to NSETIDMAX ({most})", list(sets))
    for setid, one in sets.items():
        drive.check(one.endgid in groups, SET_LIST, f"a group of set {setid} that exists", one.endgid)
        drive.check(one.left <= one.total, SET_LIST, f"UNVMSETCAP of set {setid} up to {one.total}", one.left)
        later, wanted = list(division.sets(setid)), [other for other in sets if other >= setid]
        drive.check(later == wanted, SET_LIST, f"from {setid} on: {wanted}", later)
    if sets:
        drive.check(not division.sets(max(sets) + 1), SET_LIST, "none behind the last one", "some")


@requirement("CAPACITY-3", MODEL)
def test_capacities_add_up(drive: Drive, division: Division) -> None:
    """Groups have no more capacity than the drive, sets no more than their group, namespaces than their set.

    1. Add up TEGCAP, TNVMSETCAP and NVMCAP, and compare the sums with what the containers have.
    """
    ctrl = division.ctrl()
    logs = {endgid: division.log(endgid) for endgid in division.groups()}
    total = sum(int(log.tegcap) for log in logs.values())
    most = int(ctrl.tnvmcap)
    drive.check(total <= most, MODEL, f"at most {most} bytes in groups (TNVMCAP)", total)
    sets = division.sets() if ctrl.ctratt.nsets else {}
    for endgid, log in logs.items():
        inside = sum(one.total for one in sets.values() if one.endgid == endgid)
        left = int(log.tegcap) - int(log.uegcap)
        drive.check(left >= 0, MODEL, f"UEGCAP of group {endgid} up to TEGCAP ({log.tegcap})", log.uegcap)
        if sets:
            drive.check(inside <= left, MODEL, f"at most {left} bytes in sets of group {endgid}", inside)
    used: dict[int, int] = {}
    for nsid in drive.nsids:
        ns = division.namespace(nsid)
        drive.check(int(ns.endgid) in logs, WHERE, f"namespace {nsid} is in a group that exists", ns.endgid)
        if sets:
            found = sets.get(int(ns.nvmsetid))
            drive.check(
                found is not None and found.endgid == int(ns.endgid),
                WHERE,
                f"namespace {nsid} is in a set of group {ns.endgid}",
                ns.nvmsetid,
            )
            used[int(ns.nvmsetid)] = used.get(int(ns.nvmsetid), 0) + int(ns.nvmcap)
    for setid, amount in used.items():
        most = sets[setid].total - sets[setid].left
        drive.check(amount <= most, MODEL, f"at most {most} bytes of namespaces in set {setid}", amount)


@requirement("CAPACITY-4", INFORMATION)
def test_each_group_counts_its_own(drive: Drive, division: Division, writer: Writer) -> None:
    """Host commands to a namespace count in its endurance group, and in no other one.

    1. Write and read LBAs of a namespace, some hundred commands, and compare the counters before and after.
    """
    groups, mine = division.groups(), int(division.namespace(drive.nsid).endgid)
    before = {endgid: division.log(endgid) for endgid in groups}
    base = writer.region(64)
    for _ in range(100):
        writer.write(base + drive.random.randrange(32), 1)
        writer.read(base, 1)
    for endgid in groups:
        now, then = division.log(endgid), before[endgid]
        for name, least in (("hwc", 101), ("hrc", 100)):
            grown = int(now[name]) - int(then[name])
            wanted = range(least, least + 1 if len(drive.nsids) == 1 else 1 << 32)
            if endgid == mine:
                drive.check(grown in wanted, INFORMATION, f"{least} more in {name.upper()}", grown)
            else:
                drive.check(grown == 0, INFORMATION, f"{name.upper()} of group {endgid} as before", grown)


@requirement("CAPACITY-5", CREATION)
@needs(admin(AdminOpcode.NS_MANAGEMENT))
def test_namespaces_are_created_where_the_host_wants(drive: Drive, division: Division) -> None:
    """A namespace is created in the NVM set and the endurance group of its data, whose capacity it takes.

    1. Create a namespace in each set, or in each group of a drive without sets. Compare what is left.
    2. Ask for more than is left, for sets and groups that do not exist, and for a set of another group.
    """
    places = division.containers()
    size = 1 << 20
    for setid, endgid, left in places:
        if left >= size:
            nsid = drive.succeed(division.create(size, setid, endgid), CREATION).cdw0
            ns = division.namespace(nsid)
            seen = (int(ns.nvmsetid), int(ns.endgid))
            drive.check(seen == (setid, endgid), WHERE, f"set {setid}, group {endgid}", seen)
            now = {(one, group): rest for one, group, rest in division.containers()}
            taken = left - now[setid, endgid]
            drive.check(taken == int(ns.nvmcap), MODEL, f"NVMCAP ({ns.nvmcap}) less is left", taken)
            division.delete(nsid)
            drive.check(division.containers() == places, MODEL, "all of it is back", division.containers())
        done = division.create(left + (1 << 20), setid, endgid)
        drive.expect(done, CREATION, Status.NS_INSUFFICIENT_CAPACITY)
        for other in division.groups():
            if setid and other != endgid:
                drive.expect(division.create(size, setid, other), CREATION, Status.INVALID_FIELD)
    wrong = [(0, int(drive.id_ctrl.endgidmax) + 1)]
    if drive.id_ctrl.ctratt.nsets:
        wrong.append((int(drive.id_ctrl.nsetidmax) + 1, 0))
    for setid, endgid in wrong:
        drive.expect(division.create(size, setid, endgid), CREATION, Status.INVALID_FIELD)


@requirement("CAPACITY-6", MANAGEMENT)
@needs(VARIABLE, DELETION, UNALLOCATED)
def test_groups_and_sets_are_created_and_deleted(drive: Drive, division: Division) -> None:
    """Capacity Management creates groups and sets of the capacity that it names, and deletes them again.

    1. Create a group of a part of UNVMCAP, a set in it, and a namespace in the set. Compare all capacities.
    2. Ask for more than is left of each, for no capacity, and for elements that do not exist.
    3. Delete the group: its sets and namespaces are gone, and the capacity is back.
    """
    before = division.groups(), int(division.ctrl().unvmcap)
    size = before[1] // 2
    endgid = division.managed(CapacityOperation.CREATE_ENDURANCE_GROUP, 0, size)
    drive.check(endgid not in (0, *before[0]), MANAGEMENT, "an identifier that was not in use", endgid)
    drive.check(
        division.groups() == sorted([*before[0], endgid]), GROUP_LIST, "the new group", division.groups()
    )
    log = division.log(endgid)
    drive.check(size <= int(log.tegcap) == int(log.uegcap), MODEL, f"at least {size} bytes", log.tegcap)
    left = int(division.ctrl().unvmcap)
    drive.check(before[1] - left == int(log.tegcap), MODEL, f"TEGCAP ({log.tegcap}) less in UNVMCAP", left)
    wrong = CapacityOperation.CREATE_ENDURANCE_GROUP
    drive.expect(division.manage(wrong, 0, left + (1 << 20)), MANAGEMENT, Status.INSUFFICIENT_CAPACITY)
    drive.refused(division.manage(wrong, 0, 0), MANAGEMENT)
    if drive.id_ctrl.ctratt.nsets:
        _check_sets_of(drive, division, endgid, int(log.tegcap))
    division.managed(CapacityOperation.DELETE_ENDURANCE_GROUP, endgid)
    now = division.groups(), int(division.ctrl().unvmcap)
    drive.check(now == before, MODEL, f"groups and UNVMCAP as before {before}", now)
    for elid in {0, endgid, int(drive.id_ctrl.endgidmax) + 1}:
        done = division.manage(CapacityOperation.DELETE_ENDURANCE_GROUP, elid)
        drive.expect(done, MANAGEMENT, Status.INVALID_FIELD)


def _check_sets_of(drive: Drive, division: Division, endgid: int, capacity: int) -> None:
    """Create sets in a new group, and a namespace in one of them."""
    size = capacity // 4
    first, second = (division.managed(CapacityOperation.CREATE_NVM_SET, endgid, size) for _ in range(2))
    sets = division.sets()
    for setid in (first, second):
        drive.check(setid in sets and sets[setid].endgid == endgid, SET_LIST, f"set {setid}", sets)
        drive.check(
            sets[setid].left == sets[setid].total >= size, MODEL, f"at least {size} bytes", sets[setid]
        )
    rest = capacity - sets[first].total - sets[second].total
    seen = int(division.log(endgid).uegcap)
    drive.check(seen == rest, MODEL, f"{rest} bytes that no set has", seen)
    for elid, amount, status in (
        (endgid, rest + (1 << 20), Status.INSUFFICIENT_CAPACITY),
        (int(drive.id_ctrl.endgidmax) + 1, size, Status.INVALID_FIELD),
    ):
        drive.expect(division.manage(CapacityOperation.CREATE_NVM_SET, elid, amount), MANAGEMENT, status)
    division.managed(CapacityOperation.DELETE_NVM_SET, second)
    drive.check(second not in division.sets(), SET_LIST, f"no set {second}", division.sets())
    done = division.manage(CapacityOperation.DELETE_NVM_SET, second)
    drive.expect(done, MANAGEMENT, Status.INVALID_FIELD)
    nsid = drive.succeed(division.create(1 << 20, first), CREATION).cdw0
    division.managed(CapacityOperation.DELETE_NVM_SET, first)
    division._namespaces.remove(nsid)
    gone = division.identify(Cns.ALLOCATED_NS, nsid)
    drive.check(not any(gone), MANAGEMENT, f"namespace {nsid} is gone with its set", "it exists")


@requirement("CAPACITY-7", LIST)
@needs(FIXED)
def test_the_configurations_that_can_be_selected(drive: Drive, division: Division) -> None:
    """A drive with fixed Capacity Management lists its configurations, one of which it has.

    1. Read the list: identifiers differ, and the capacities add up to at most TNVMCAP.
    2. Select the configuration that is selected, which changes nothing, and others, which are refused.
    """
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(LogId.CAPACITY_CONFIGURATIONS, buf, 4096, nsid=0), LIST)
    found = configurations(CapacityConfigurationsLog(bytes(buf[:])))
    numbers = [one.ccid for one in found]
    drive.check(len(set(numbers)) == len(found) and 0 not in numbers, LIST, "different identifiers", numbers)
    most = int(drive.id_ctrl.tnvmcap)
    for one in found:
        total = sum(group.tegcap for group in one.groups)
        drive.check(total <= most, LIST, f"at most {most} bytes in configuration {one.ccid}", total)
    drive.succeed(drive.log_page(LogId.MEDIA_UNIT_STATUS, buf, 16, nsid=0), LIST)
    selected, before = buf.data(5, 4), division.groups()
    drive.check(selected in [0, *numbers], LIST, f"a selected configuration of {numbers}, or 0", selected)
    if selected:
        division.managed(CapacityOperation.SELECT_CONFIGURATION, selected)
        for other in (*numbers, max(numbers) + 1):
            if other != selected:
                drive.refused(division.manage(CapacityOperation.SELECT_CONFIGURATION, other), MANAGEMENT)
    drive.check(division.groups() == before, MANAGEMENT, f"groups {before}", division.groups())


@requirement("CAPACITY-8", EVENTS)
def test_events_of_each_group_can_be_enabled(drive: Drive, division: Division) -> None:
    """Feature 18h has a value for each endurance group.

    1. Enable events of one group, and read the feature of each group.
    2. Name groups that do not exist.
    """
    fid, warnings = FeatureId.ENDURANCE_GROUP, 1
    groups = division.groups()
    for chosen in groups:
        drive.succeed(drive.set_feature(fid, warnings << 16 | chosen), EVENTS)
        for endgid in groups:
            seen = drive.succeed(drive.get_feature(fid, cdw11=endgid), EVENTS).cdw0 >> 16 & 0xFF
            wanted = warnings if endgid == chosen else 0
            drive.check(seen == wanted, EVENTS, f"EGCW {wanted:#x} of group {endgid}", f"{seen:#x}")
        drive.succeed(drive.set_feature(fid, chosen), EVENTS)
    for endgid in (0, int(drive.id_ctrl.endgidmax) + 1):
        drive.refused(drive.set_feature(fid, warnings << 16 | endgid), EVENTS)
        drive.refused(drive.get_feature(fid, cdw11=endgid), EVENTS)


@requirement("CAPACITY-9", MANAGEMENT)
@needs(admin(AdminOpcode.CAPACITY_MANAGEMENT))
def test_operations_that_the_drive_lacks(drive: Drive, division: Division) -> None:
    """Capacity Management refuses operations that CTRATT does not announce, and reserved ones.

    1. Send them, and compare groups and capacities.
    """
    ctratt, before = drive.id_ctrl.ctratt, (division.groups(), int(division.ctrl().unvmcap))
    wrong = list(range(len(CapacityOperation), 16))
    if not ctratt.fcm:
        wrong.append(CapacityOperation.SELECT_CONFIGURATION)
    if not ctratt.vcm:
        wrong += [CapacityOperation.CREATE_ENDURANCE_GROUP, CapacityOperation.CREATE_NVM_SET]
    if not ctratt.deg:
        wrong.append(CapacityOperation.DELETE_ENDURANCE_GROUP)
    if not ctratt.dnvms:
        wrong.append(CapacityOperation.DELETE_NVM_SET)
    for oper in wrong:
        command = drive.admin(AdminOpcode.CAPACITY_MANAGEMENT, cdw10=1 << 16 | oper, cdw11=1 << 20)
        drive.expect(command, MANAGEMENT, Status.INVALID_FIELD)
    now = division.groups(), int(division.ctrl().unvmcap)
    drive.check(now == before, MANAGEMENT, f"as before {before}", now)


@requirement("CAPACITY-10", AGGREGATE)
@needs(NOTICES)
def test_only_groups_with_enabled_warnings_have_events(drive: Drive, division: Division) -> None:
    """Log page 0Fh lists groups in ascending order, and only those with a critical warning that is enabled.

    1. Disable the events of all groups, and read log page 09h of each group, which clears its events. Log
       page 0Fh is empty.
    2. Enable all of them, and read log page 0Fh, and log page 09h of each group that it lists.
    """
    groups = division.groups()
    for enabled in (0, WARNINGS):
        for endgid in groups:
            drive.succeed(drive.set_feature(FeatureId.ENDURANCE_GROUP, enabled << 16 | endgid), EVENTS)
            if not enabled:
                division.log(endgid)
        listed = events_of(drive)
        wanted = [one for one in groups if enabled and int(division.log(one).cw) and one in listed]
        drive.check(listed == wanted, AGGREGATE, f"groups {wanted} with EGCW {enabled:#x}", listed)
    for endgid in groups:
        drive.succeed(drive.set_feature(FeatureId.ENDURANCE_GROUP, endgid), EVENTS)


def events_of(drive: Drive) -> list[int]:
    """The endurance groups of log page 0Fh."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(LogId.ENDURANCE_GROUP_EVENTS, buf, 8, nsid=0, rae=True), AGGREGATE)
    size = min(8 + -(-2 * buf.data(7, 0) // 4) * 4, len(buf))
    drive.succeed(drive.log_page(LogId.ENDURANCE_GROUP_EVENTS, buf, size, nsid=0), AGGREGATE)
    return [int(one) for one in EnduranceGroupEventsLog(bytes(buf[:size])).entry]
