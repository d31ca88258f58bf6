# SPDX-License-Identifier: BSD-3-Clause
"""Zones: states, limits, reports, appends, and what a loss of power leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import nvme
import pytest

from pynvme import lba_format
from pynvme.protection import Format, Pi, check, explain, protect
from pynvme.spec import (
    AdminOpcode,
    ChangedZonesLog,
    CommandSet,
    IoOpcode,
    LogId,
    Status,
    ZoneReport,
    ZoneSendAction,
    ZoneState,
)
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import SWITCHED_POWER, admin
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.metadata import protected_bytes

STATES = "ZNS 1.1, 2.1.1.4 Zone State Machine"
RESOURCES = "ZNS 1.1, 2.1.1.4.1 Zone resources"
SEND = "ZNS 1.1, 3.4.3 Zone Management Send"
RECEIVE = "ZNS 1.1, 3.4.2 Zone Management Receive"
APPEND = "ZNS 1.1, 3.4.1 Zone Append"
REMAP = f"{APPEND}, PIREMAP"
CHANGED = "ZNS 1.1, 4.1.3 Changed Zone List"
WRITES = "ZNS 1.1, 2.1.1.2 Sequential Write Required zones"

TAG = 0x5AA5
"""An application tag."""
PIREMAP = 1 << 9
"""A bit of dword 12, from bit 16 on."""
NO_LIMIT = 0xFFFFFFFF
OPEN = (ZoneState.IMPLICITLY_OPENED, ZoneState.EXPLICITLY_OPENED)
UNUSABLE = (ZoneState.READ_ONLY, ZoneState.OFFLINE)
BY_CONTROLLER = 7
"""Bits of ZA: the controller has finished the zone, or recommends to finish or to reset it."""
TOO_MANY = 0xFFFF
"""NRZID: more zones than the list has room for."""
FILTERS = {
    1: ZoneState.EMPTY,
    2: ZoneState.IMPLICITLY_OPENED,
    3: ZoneState.EXPLICITLY_OPENED,
    4: ZoneState.CLOSED,
    5: ZoneState.FULL,
}
"""ZRASF, and the state that it selects."""


ZONED = Need(
    "a zoned namespace (Identify, CNS 07h with CSI 02h)",
    lambda drive: bool(drive.namespaces_of(CommandSet.ZNS)),
)

NOTICES = Need("Zone Descriptor Changed notices (OAES bit 27)", lambda drive: bool(drive.id_ctrl.oaes.zdcn))

pytestmark = needs(ZONED)


class Zone(NamedTuple):
    """What a report tells of a zone."""

    slba: int
    state: int
    wp: int
    capacity: int
    attributes: int
    has_extension: bool


class Zones:
    """Commands to the first zoned namespace, whose zones begin empty."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.nsid = drive.namespaces_of(CommandSet.ZNS)[0]
        self.ns = nvme.Namespace(drive.nvme0, self.nsid)
        self.lba_size = lba_format.buffer_bytes(self.ns.id_ns)
        buf = nvme.Buffer(4096)
        drive.admin(AdminOpcode.IDENTIFY, buf, self.nsid, cdw10=5, cdw11=CommandSet.ZNS << 24)
        self.id = buf.decode("id_ns_zns")
        self.size = int(self.id.lbafe[int(self.ns.id_ns.flbas) & 0xF].zsze)
        self.extension = int(self.id.lbafe[int(self.ns.id_ns.flbas) & 0xF].zdes) * 64
        self.reset_all()

    def reset_all(self) -> None:
        self.drive.succeed(self.manage(ZoneSendAction.RESET, 0, flags=1 << 8), SEND)

    def manage(self, action: int, slba: int, flags: int = 0, buf: nvme.Buffer | None = None) -> Command:
        return self.drive.io(
            IoOpcode.ZONE_MGMT_SEND, buf, slba, nsid=self.nsid, cdw12=0, cdw13=action | flags
        )

    def report(
        self, slba: int = 0, state: int = 0, size: int = 4096, partial: bool = True
    ) -> tuple[int, list[Zone]]:
        """What the header counts, and the zones that fit."""
        buf = nvme.Buffer(size)
        done = self.drive.io(
            IoOpcode.ZONE_MGMT_RECEIVE,
            buf,
            slba,
            nsid=self.nsid,
            cdw12=size // 4 - 1,
            cdw13=state << 8 | partial << 16,
        )
        self.drive.succeed(done, RECEIVE)
        found = buf.decode(ZoneReport)
        count = min(int(found.nz), size // 64 - 1)
        return int(found.nz), [
            Zone(int(one.zslba), int(one.zs.zs), int(one.wp), int(one.zcap), int(one.za), bool(one.za.zdev))
            for one in found.zones[:count]
        ]

    def zone(self, slba: int) -> Zone:
        count, zones = self.report(slba)
        self.drive.check(count > 0, RECEIVE, f"the zone at LBA {slba:#x}", "no zone")
        return zones[0]

    def must_be(self, slba: int, state: int, clause: str, wp: int | None = None) -> None:
        """A finding unless a zone has this state, and this write pointer."""
        seen = self.zone(slba)
        holds = (seen.slba, seen.state) == (slba, state) and (wp is None or seen.wp == wp)
        pointer = "" if wp is None else f" with its write pointer at {wp:#x}"
        self.drive.check(
            holds, clause, f"the zone at LBA {slba:#x} in state {ZoneState(state).name}{pointer}", seen
        )

    def data(self, count: int) -> bytes:
        return self.drive.random.randbytes(count * self.lba_size)

    def write(self, lba: int, data: bytes, flags: int = 0) -> Command:
        buf = nvme.Buffer(len(data))
        buf[:] = data
        count = len(data) // self.lba_size
        return self.drive.io(IoOpcode.WRITE, buf, lba, count, nsid=self.nsid, flags=flags)

    def append(self, slba: int, data: bytes) -> tuple[Command, int]:
        """The command, and the LBA that its completion tells."""
        buf = nvme.Buffer(len(data))
        buf[:] = data
        count = len(data) // self.lba_size
        fmt = self.ns.protection
        flags = PIREMAP if fmt is not None and fmt.type == 1 else 0  # which type 1 demands
        done = self.drive.io(IoOpcode.ZONE_APPEND, buf, slba, count, self.nsid, flags, cdw14=slba)
        return done, done.cdw0

    def must_hold(self, lba: int, data: bytes, clause: str) -> None:
        buf = nvme.Buffer(len(data))
        count = len(data) // self.lba_size
        self.drive.succeed(self.drive.io(IoOpcode.READ, buf, lba, count, nsid=self.nsid), clause)
        seen, wanted = (self._without_tuples(each) for each in (bytes(buf[:]), data))
        self.drive.check(seen == wanted, clause, f"LBAs from {lba:#x} on as they were written", "other data")

    def _without_tuples(self, data: bytes) -> bytes:
        """The bytes of LBAs that the drive does not make itself, such as reference tags."""
        place = protected_bytes(self.ns)
        if place is None:
            return data
        lbas = (data[at : at + self.lba_size] for at in range(0, len(data), self.lba_size))
        return b"".join(one[: place.start] + one[place.stop :] for one in lbas)

    def some(self, count: int) -> Sequence[int]:
        """The first LBAs of zones that can be used, from a random one on."""
        nsze = int(self.ns.id_ns.nsze)
        first = self.drive.random.randrange(max(1, nsze // self.size - count - 2))
        return range(first * self.size, (first + count) * self.size, self.size)


@pytest.fixture
def zones(drive: Drive) -> Zones:
    """Give what the tests of this area share."""
    return Zones(drive)


@requirement("ZONES-1", STATES)
def test_zones_change_their_states(drive: Drive, zones: Zones) -> None:
    """Each action leads to its state, and is refused where there is no such transition.

    1. Open, close, finish and reset a zone, written and not written.
    2. Close an empty zone, and open and close a full one.
    """
    (slba,) = zones.some(1)
    plan = (
        (ZoneSendAction.OPEN, ZoneState.EXPLICITLY_OPENED),
        (ZoneSendAction.CLOSE, ZoneState.CLOSED),
        (ZoneSendAction.OPEN, ZoneState.EXPLICITLY_OPENED),
        (ZoneSendAction.FINISH, ZoneState.FULL),
        (ZoneSendAction.RESET, ZoneState.EMPTY),
    )
    for written in (0, 3):
        if written:
            drive.succeed(zones.write(slba, zones.data(written)), WRITES)
            zones.must_be(slba, ZoneState.IMPLICITLY_OPENED, STATES, slba + written)
        for action, state in plan:
            drive.succeed(zones.manage(action, slba), SEND)
            zones.must_be(slba, state, STATES)
    zones.must_be(slba, ZoneState.EMPTY, STATES, slba)
    refused = Status.INVALID_ZONE_STATE_TRANSITION
    drive.expect(zones.manage(ZoneSendAction.CLOSE, slba), STATES, refused)
    drive.succeed(zones.manage(ZoneSendAction.FINISH, slba), SEND)
    for action in (ZoneSendAction.OPEN, ZoneSendAction.CLOSE):
        drive.expect(zones.manage(action, slba), STATES, refused)


@requirement("ZONES-2", RECEIVE)
def test_reports(drive: Drive, zones: Zones) -> None:
    """A report begins with the zone of SLBA, has the zones of the state, and counts what it returns, or all.

    1. Bring zones into five states, and report each state.
    2. Report from the middle of a zone on, with and without Partial Report, into buffers of several sizes.
    """
    some = zones.some(5)
    for slba, action in zip(some, (ZoneSendAction.OPEN, ZoneSendAction.OPEN, None, ZoneSendAction.FINISH)):
        done = zones.write(slba, zones.data(2)) if action is None else zones.manage(action, slba)
        drive.succeed(done, SEND)
    drive.succeed(zones.manage(ZoneSendAction.CLOSE, some[1]), SEND)
    expected = dict(zip((3, 4, 2, 5), some))
    for state, slba in expected.items():
        _, seen = zones.report(state=state)
        right = [zone.slba for zone in seen] == [slba] and seen[0].state == FILTERS[state]
        drive.check(right, RECEIVE, f"ZRASF {state} reports the zone at LBA {slba:#x} only", seen[:3])
    last = int(zones.ns.id_ns.nsze) // zones.size * zones.size - zones.size
    first = max(0, last - 9 * zones.size)
    every = (last - first) // zones.size + 1
    for count in (1, 3, every):
        for partial in (True, False):
            nz, seen = zones.report(first + zones.size // 2, size=64 + 64 * count, partial=partial)
            wanted = count if partial else every
            drive.check(nz == wanted, RECEIVE, f"{wanted} zones, with Partial Report {partial}", nz)
            drive.check(seen[0].slba == first, RECEIVE, f"the zone at LBA {first:#x} first", seen[0])


@requirement("ZONES-3", RESOURCES)
def test_limits_of_open_and_active_zones(drive: Drive, zones: Zones) -> None:
    """No more zones are open or active than MOR and MAR allow, and only zones that a write opened are closed.

    1. Open one zone by a write, and others explicitly until MOR is reached. Open another one.
    2. All explicitly opened ones are still open, and that of the write is closed. Open one more.
    3. Close them, and make others active, up to MAR. Write to one more.
    """
    if int(zones.id.mor) == NO_LIMIT or int(zones.id.mar) == NO_LIMIT:
        pytest.skip("this drive does not limit open and active zones (MOR, MAR)")
    most, active = int(zones.id.mor) + 1, int(zones.id.mar) + 1
    some = zones.some(active + 2)
    drive.succeed(zones.write(some[0], zones.data(1)), WRITES)
    for slba in some[1 : most + 1]:
        done = zones.manage(ZoneSendAction.OPEN, slba)
        if active > most:
            drive.succeed(done, RESOURCES)
    if active > most:
        for slba in some[1 : most + 1]:
            zones.must_be(slba, ZoneState.EXPLICITLY_OPENED, RESOURCES)
        zones.must_be(some[0], ZoneState.CLOSED, RESOURCES)
        drive.expect(zones.manage(ZoneSendAction.OPEN, some[0]), RESOURCES, Status.TOO_MANY_OPEN_ZONES)
        drive.succeed(zones.manage(ZoneSendAction.CLOSE, 0, 1 << 8), SEND)
        for slba in some[most + 1 : active]:
            drive.succeed(zones.write(slba, zones.data(1)), WRITES)
    drive.expect(zones.write(some[active], zones.data(1)), RESOURCES, Status.TOO_MANY_ACTIVE_ZONES)


@requirement("ZONES-4", WRITES)
def test_a_zone_is_written_at_its_pointer_and_up_to_its_capacity(drive: Drive, zones: Zones) -> None:
    """A write that does not begin at the write pointer, or reaches past the capacity, fails.

    1. Write before and behind the write pointer.
    2. Fill the zone but for its last LBAs, and write past its end. Write those LBAs, and one more.
    """
    (slba,) = zones.some(1)
    capacity = zones.zone(slba).capacity
    drive.succeed(zones.write(slba, zones.data(2)), WRITES)
    for lba in (slba, slba + 1, slba + 3):
        drive.expect(zones.write(lba, zones.data(1)), WRITES, Status.ZONE_INVALID_WRITE)
    zones.must_be(slba, ZoneState.IMPLICITLY_OPENED, WRITES, slba + 2)
    at, end = slba + 2, slba + capacity
    most = max(1, min(128, drive.most_lbas))
    while at < end - 2:
        count = min(most, end - 2 - at)
        drive.succeed(zones.write(at, bytes(count * zones.lba_size)), WRITES)
        at += count
    drive.expect(zones.write(at, zones.data(3)), WRITES, Status.ZONE_BOUNDARY_ERROR)
    drive.succeed(zones.write(at, zones.data(2)), WRITES)
    zones.must_be(slba, ZoneState.FULL, STATES)
    drive.expect(zones.write(slba, zones.data(1)), WRITES, Status.ZONE_IS_FULL)


@requirement("ZONES-5", APPEND)
def test_appends_are_where_their_completions_say(drive: Drive, zones: Zones) -> None:
    """Each append gets LBAs of its own, one after the other, and has its data there.

    1. Append pieces of several sizes to two zones in turn, and read each where its completion says.
    """
    expected = {slba: slba for slba in zones.some(2)}
    written: list[tuple[int, bytes]] = []
    for _ in range(8):
        for slba in expected:
            data = zones.data(drive.random.randint(1, 8))
            done, lba = zones.append(slba, data)
            drive.succeed(done, APPEND)
            drive.check(
                lba == expected[slba] & 0xFFFFFFFF, APPEND, f"LBA {expected[slba]:#x}", f"LBA {lba:#x}"
            )
            written.append((expected[slba], data))
            expected[slba] += len(data) // zones.lba_size
    for lba, data in written:
        zones.must_hold(lba, data, APPEND)
    for slba, wp in expected.items():
        zones.must_be(slba, ZoneState.IMPLICITLY_OPENED, APPEND, wp)


def remapping_types(ns: nvme.Namespace) -> list[int]:
    """The types of protection information with reference tags that the drive can replace (DPC)."""
    dpc = ns.id_ns.dpc
    return [number for number, bit in ((2, dpc.pit2s), (1, dpc.pit1s)) if bit]


def extended_formats(ns: nvme.Namespace) -> list[int]:
    """The LBA formats with 8 bytes of metadata or more, which may follow the data of each LBA."""
    space = ns.id_ns
    found = [n for n in range(space.nlbaf + 1) if space.lbaf[n].lbads and space.lbaf[n].ms >= 8]
    return found if space.mc.mtelba and space.dpc.piilb else []


def _can_remap(drive: Drive) -> bool:
    ns = nvme.Namespace(drive.nvme0, drive.namespaces_of(CommandSet.ZNS)[0])
    return bool(remapping_types(ns) and extended_formats(ns))


REMAPS = Need(
    "protection information of type 1 or 2, behind each LBA of a zoned namespace (DPC, MC, LBA formats)",
    lambda drive: bool(drive.namespaces_of(CommandSet.ZNS)) and _can_remap(drive),
)


@contextlib.contextmanager
def protected(drive: Drive, nsid: int, pi: int) -> Iterator[tuple[Zones, Format]]:
    """A zoned namespace with protection information of a type, and at the end as it was before."""
    ns, timeout = nvme.Namespace(drive.nvme0, nsid), drive.nvme0.timeout
    space, clause = ns.id_ns, clauses.of_admin(AdminOpcode.FORMAT_NVM)
    lbaf, dps = int(space.flbas.lbafil), int(space.dps)
    before = (
        (lbaf >> 4) << 12 | (dps >> 3 & 1) << 8 | (dps & 7) << 5 | int(space.flbas.mdbs) << 4 | lbaf & 0xF
    )
    lbaf = drive.random.choice(extended_formats(ns))
    drive.nvme0.timeout = 600_000
    try:
        cdw10 = (lbaf >> 4) << 12 | pi << 5 | 1 << 4 | lbaf & 0xF
        drive.succeed(drive.admin(AdminOpcode.FORMAT_NVM, nsid=nsid, cdw10=cdw10), clause)
        inside = Zones(drive)
        fmt = inside.ns.protection
        found = fmt.type if fmt is not None else 0
        drive.check(found == pi, clause, f"DPS with type {pi}", f"type {found}")
        assert fmt is not None
        yield inside, fmt
    finally:
        drive.admin(AdminOpcode.FORMAT_NVM, nsid=nsid, cdw10=before)
        drive.nvme0.timeout = timeout


def append_protected(zones: Zones, fmt: Format, slba: int, count: int, pi: Pi) -> Command:
    """Append random LBAs with the tags of pi. The drive replaces the reference tags."""
    drive, size = zones.drive, zones.lba_size
    if pi.pract and fmt.metadata == fmt.size:
        size -= fmt.size  # the drive makes all of the metadata
    buf = nvme.Buffer(count * size)
    buf[:] = drive.random.randbytes(len(buf))
    if not pi.pract:
        protect(fmt, buf, slba, count, pi=pi)
    cdw12, _, _, cdw14, cdw15 = pi.dwords(fmt, IoOpcode.ZONE_APPEND, slba)
    flags = cdw12 >> 16
    done = drive.io(IoOpcode.ZONE_APPEND, buf, slba, count, zones.nsid, flags, cdw14=cdw14, cdw15=cdw15)
    drive.succeed(done, REMAP)
    return done


@requirement("ZONES-9", REMAP)
@needs(admin(AdminOpcode.FORMAT_NVM), REMAPS)
def test_appends_get_the_reference_tags_of_their_lbas(drive: Drive, zones: Zones) -> None:
    """With PIREMAP, the drive replaces the reference tags of an append by those of the LBAs that it chooses.

    1. Format the namespace with protection information, in types 2 and 1 as far as the drive has them.
    2. Append pieces to a zone, with PIREMAP and tuples that count from the start of the zone, or made by the
       drive (PRACT). Let the drive check them.
    3. Read them without checks. The guards and application tags are right, and each reference tag is that of
       the start of the zone, plus the distance from there.
    """
    for pi in remapping_types(zones.ns):
        with protected(drive, zones.nsid, pi) as (inside, fmt):
            (slba,), mask = inside.some(1), (1 << fmt.reference) - 1
            first = slba & mask if pi == 1 else drive.random.randrange(1 << 31) & mask
            where = slba
            for pract in (False, True, False, True):
                count = drive.random.randint(1, 8)
                done = append_protected(inside, fmt, slba, count, Pi(pract, ref_tag=first, app_tag=TAG))
                drive.check(done.cdw0 == where, APPEND, f"LBA {where:#x}", f"LBA {done.cdw0:#x}")
                buf = nvme.Buffer(count * inside.lba_size)
                drive.succeed(drive.io(IoOpcode.READ, buf, where, count, nsid=zones.nsid), APPEND)
                tags = Pi(ref_tag=first + where - slba & mask, app_tag=TAG)
                faults = check(fmt, buf, where, count, pi=tags)
                drive.check(not faults, REMAP, f"the tuples of LBA {where:#x} on", explain(faults))
                where += count


@requirement("ZONES-6", f"{SEND}, Reset Zone")
def test_a_reset_zone_is_empty_and_has_no_old_data(drive: Drive, zones: Zones) -> None:
    """A reset deallocates all LBAs of a zone, and leaves no descriptor extension.

    1. Set a descriptor extension, write, finish and reset a zone. Read it.
    2. Reset all zones at once, and look at them.
    """
    slba, other = zones.some(2)
    if zones.extension:
        buf = nvme.Buffer(zones.extension, ptype=0xBEEF, pvalue=100)
        done = zones.manage(ZoneSendAction.SET_DESCRIPTOR_EXTENSION, slba, buf=buf)
        drive.succeed(done, f"{SEND}, Set Zone Descriptor Extension")
    data = zones.data(8)
    for one in (slba, other):
        drive.succeed(zones.write(one, data), WRITES)
    drive.succeed(zones.manage(ZoneSendAction.FINISH, slba), SEND)
    drive.succeed(zones.manage(ZoneSendAction.RESET, slba), SEND)
    zones.must_be(slba, ZoneState.EMPTY, f"{SEND}, Reset Zone", slba)
    extension = zones.zone(slba).has_extension
    drive.check(not extension, f"{SEND}, Reset Zone", "no descriptor extension", "ZDEV is 1")
    if zones.ns.id_ns.dlfeat.rdb == 1:
        zones.must_hold(slba, bytes(len(data)), f"{SEND}, Reset Zone")
    zones.must_hold(other, data, f"{SEND}, Reset Zone")
    zones.reset_all()
    zones.must_be(other, ZoneState.EMPTY, f"{SEND}, Select All", other)


@requirement("ZONES-7", f"{SEND}, Finish Zone")
def test_a_finished_zone_keeps_its_data(drive: Drive, zones: Zones) -> None:
    """Finishing a zone changes no data.

    1. Write a few LBAs, finish the zone, and read them.
    """
    (slba,) = zones.some(1)
    data = zones.data(19)
    drive.succeed(zones.write(slba, data), WRITES)
    drive.succeed(zones.manage(ZoneSendAction.FINISH, slba), SEND)
    zones.must_hold(slba, data, f"{SEND}, Finish Zone")


@requirement("ZONES-8", STATES)
@needs(SWITCHED_POWER)
def test_a_loss_of_power_closes_zones_and_keeps_their_pointers(drive: Drive, zones: Zones) -> None:
    """After a loss of power no zone is open, and the write pointer is not before data that were flushed.

    1. Write to two zones, flush, write more to one of them, open a third, and switch the power off and on.
    2. Compare states and pointers, and read what was flushed. Write on at the pointer.
    """
    some = zones.some(3)
    data = [zones.data(24), zones.data(9)]
    for slba, one in zip(some, data):
        drive.succeed(zones.write(slba, one), WRITES)
    drive.succeed(drive.flush(zones.nsid), WRITES)
    drive.succeed(zones.write(some[0] + 24, zones.data(8)), WRITES)
    drive.succeed(zones.manage(ZoneSendAction.OPEN, some[2]), SEND)
    drive.power_cycle()
    for slba, least, most in zip(some, (24, 9, 0), (32, 9, 0)):
        seen = zones.zone(slba)
        drive.check(seen.state not in OPEN, STATES, f"the zone at LBA {slba:#x} is not open", seen)
        pointer = seen.wp - slba
        drive.check(
            least <= pointer <= most,
            STATES,
            f"the write pointer of the zone at LBA {slba:#x} {least} to {most} LBAs behind its start",
            pointer,
        )
    for slba, one in zip(some, data):
        zones.must_hold(slba, one, STATES)
    pointer = zones.zone(some[1]).wp
    drive.succeed(zones.write(pointer, zones.data(1)), WRITES)


@requirement("ZONES-10", CHANGED)
@needs(NOTICES)
def test_only_changes_by_the_controller_are_listed(drive: Drive, zones: Zones) -> None:
    """The Changed Zone List names zones that the controller has changed, and none that the host changes.

    1. Read log page BFh, which clears it. Write to a zone, open another one, and finish a third.
    2. Read log page BFh, and the descriptors of the zones that it lists, whose state or attributes say so.
    """
    changed(zones)
    some = zones.some(3)
    drive.succeed(zones.write(some[0], zones.data(3)), WRITES)
    drive.succeed(zones.manage(ZoneSendAction.OPEN, some[1]), SEND)
    drive.succeed(zones.manage(ZoneSendAction.FINISH, some[2]), SEND)
    found = changed(zones)
    for slba in found:
        seen = zones.zone(slba)
        drive.check(seen.slba == slba, CHANGED, f"the first LBA of a zone, not {slba:#x}", seen)
        why = seen.state in UNUSABLE or seen.attributes & BY_CONTROLLER
        drive.check(bool(why), CHANGED, f"a change of zone {slba:#x} by the controller", seen)
    drive.check(len(set(found)) == len(found), CHANGED, "each zone once", found)


def changed(zones: Zones) -> list[int]:
    """The zones of log page BFh, which is empty afterwards. None if it has room for less than all of them."""
    buf = nvme.Buffer(4096)
    zones.drive.succeed(zones.drive.log_page(LogId.CHANGED_ZONES, buf, 4096, nsid=zones.nsid), CHANGED)
    found = ChangedZonesLog(bytes(buf[:]))
    count = int(found.nrzid)
    return [] if count == TOO_MANY else [int(one) for one in found.zslba][:count]
