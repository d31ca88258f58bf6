# SPDX-License-Identifier: BSD-3-Clause
"""Reservations: registration, keys, types, and what outlives a loss of power."""

from __future__ import annotations

from collections.abc import Iterator

import nvme
import pytest

from pynvme import spec
from pynvme.spec import FeatureId, IoOpcode, LogId, ReservationType, Status
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.ageing import ageing_of
from pynvme.suite.claims import ROOM, SWITCHED_POWER, io
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

CLAUSE = "Base 2.0, 8.19 Reservations"
REGISTER = clauses.of_io(IoOpcode.RESERVATION_REGISTER)
ACQUIRE = clauses.of_io(IoOpcode.RESERVATION_ACQUIRE)
RELEASE = clauses.of_io(IoOpcode.RESERVATION_RELEASE)
REPORT = clauses.of_io(IoOpcode.RESERVATION_REPORT)
PTPL = f"{CLAUSE}, Persist Through Power Loss"
PREEMPTING = f"{CLAUSE}, 8.19.7 Preempting a Reservation or Registration"

NOTIFICATION = "Base 2.0, 5.16.1.24 Reservation Notification"
MASK = "Base 2.1, 5.1.25.1.29 Reservation Notification Mask"
PERSISTENCE = "Base 2.1, 5.1.25.1.30 Reservation Persistence"

PERSISTENT = Need(
    "reservations that persist through power loss (RESCAP bit 0)",
    lambda drive: bool(drive.ns.id_ns.rescap.ptpls),
)

pytestmark = needs(io(IoOpcode.RESERVATION_REGISTER), ROOM)

UNREGISTER, REPLACE = 1, 2
CLEAR = 1
PREEMPT, PREEMPT_AND_ABORT = 1, 2
IN_FLIGHT = 16
END, PERSIST = 2, 3
"""CPTPL: registrations end with a power loss, or persist."""

REGISTRATION_PREEMPTED, RESERVATION_RELEASED, RESERVATION_PREEMPTED = 1, 2, 3
"""Types of notifications."""

EXCLUSIVE_ACCESS = tuple(kind for kind in ReservationType if kind.name.startswith("EXCLUSIVE_ACCESS"))
"""Types that keep others from reading."""

NO_RELEASES = 1 << 2
"""A bit of the mask: no notifications of reservations that are released."""
REGISTRANTS_ONLY = (
    ReservationType.WRITE_EXCLUSIVE_REGISTRANTS,
    ReservationType.EXCLUSIVE_ACCESS_REGISTRANTS,
)

KEY, OTHER = 0x0123456789ABCDEF, 0xFEDCBA9876543210


class Registrant:
    """Sends the commands of one host, which has an identifier of 64 bits, through a controller."""

    def __init__(self, drive: Drive, identifier: bytes = b"pynvme..") -> None:
        self.drive = drive
        self.identifier = identifier
        self.identify()

    def identify(self) -> None:
        """Tell the controller which host it has, which a reset makes it forget."""
        buf = nvme.Buffer(8)
        buf[:] = self.identifier
        done = self.drive.set_feature(FeatureId.HOST_ID, buf=buf)
        self.drive.succeed(done, clauses.ADMIN[spec.AdminOpcode.SET_FEATURES])

    def _send(self, opcode: int, cdw10: int, *keys: int) -> Command:
        buf = nvme.Buffer(8 * len(keys))
        buf[:] = b"".join(key.to_bytes(8, "little") for key in keys)
        return self.drive.run(opcode, buf, cdw10=cdw10)

    def register(self, new: int, key: int = 0, action: int = 0, cptpl: int = 0) -> Command:
        return self._send(IoOpcode.RESERVATION_REGISTER, cptpl << 30 | action, key, new)

    def acquire(self, kind: int, key: int = KEY, prkey: int = 0, action: int = 0) -> Command:
        return self._send(IoOpcode.RESERVATION_ACQUIRE, kind << 8 | action, key, prkey)

    def release(self, kind: int, key: int = KEY, action: int = 0) -> Command:
        return self._send(IoOpcode.RESERVATION_RELEASE, kind << 8 | action, key)

    def report(self) -> spec.ReservationStatus:
        buf = nvme.Buffer(4096)
        done = self.drive.run(IoOpcode.RESERVATION_REPORT, buf, cdw10=buf.size // 4 - 1)
        self.drive.succeed(done, REPORT)
        return spec.ReservationStatus(bytes(buf[:]))

    def must_be(self, keys: list[int], kind: int, clause: str) -> None:
        """A finding unless the report has these keys and this type."""
        found = self.report()
        seen = [int(one.rkey) for one in list(found.controllers)[: int(found.regctl)]]
        seen.sort()
        self.drive.check(seen == sorted(keys), clause, f"the registered keys are {keys}", seen)
        self.drive.check(int(found.rtype) == kind, clause, f"the type is {kind}", int(found.rtype))

    def notification(self) -> tuple[int, int]:
        """The type and namespace of the oldest notification of log page 80h, which is read and gone."""
        buf = nvme.Buffer(64)
        self.drive.succeed(self.drive.log_page(LogId.RESERVATION, buf, 64), NOTIFICATION)
        return int(buf[8]), int(buf.data(15, 12))

    def access(self, clause: str, reads: bool, writes: bool) -> None:
        """A finding unless this host may read and write as told."""
        buf = nvme.Buffer(self.drive.lba_size)
        for opcode, may in ((IoOpcode.READ, reads), (IoOpcode.WRITE, writes)):
            wanted = Status.SUCCESS if may else Status.RESERVATION_CONFLICT
            self.drive.expect(self.drive.io(opcode, buf), clause, wanted)

    def must_hear(self, kind: int) -> None:
        """A finding unless the oldest notification has this type, and names the namespace."""
        seen = self.notification()
        wanted = (kind, self.drive.nsid)
        self.drive.check(seen == wanted, NOTIFICATION, f"type and namespace {wanted}", seen)

    def leave(self) -> None:
        """Remove all registrations, whoever has them."""
        self.register(KEY, action=0)
        for key in (KEY, OTHER):
            self.release(0, key, CLEAR)


@pytest.fixture
def host(drive: Drive) -> Iterator[Registrant]:
    registrant = Registrant(drive)
    registrant.leave()
    yield registrant
    registrant.leave()


def others_of(drive: Drive) -> list[str]:
    """The addresses of the other controllers of the subsystem, as far as the suite can know them."""
    ssd = ageing_of(drive)
    return ssd.addresses[1 : int(ssd.options()["controllers"])] if ssd is not None else []


SECOND = Need("a second controller (of a virtual SSD, --controllers 2)", lambda drive: bool(others_of(drive)))


@pytest.fixture
def another(drive: Drive, host: Registrant) -> Iterator[Registrant]:
    """Another host, at the second controller of the subsystem."""
    controller = nvme.Controller(others_of(drive)[0])
    second = Drive(controller, nvme.Subsystem(controller), drive.seed, drive.test)
    try:
        yield Registrant(second, b"another.")
    finally:
        host.leave()
        second.delete_qpairs()
        controller.pcie.close()


def types_of(drive: Drive) -> list[int]:
    """The types of reservations that the namespace can have."""
    return [int(kind) for kind in ReservationType if int(drive.ns.id_ns.rescap) >> int(kind) & 1]


@requirement("RESERVATIONS-1", REGISTER)
def test_a_registration_is_reported(drive: Drive, host: Registrant) -> None:
    """A host registers, replaces its key and ends its registration, and the report and its generation follow.

    1. Register a key, and register it again.
    2. Replace it by another one.
    3. End the registration.
    """
    first = int(host.report().gen)
    drive.succeed(host.register(KEY), REGISTER)
    host.must_be([KEY], 0, REGISTER)
    drive.succeed(host.register(OTHER, KEY, REPLACE), REGISTER)
    host.must_be([OTHER], 0, REGISTER)
    drive.succeed(host.register(0, OTHER, UNREGISTER), REGISTER)
    host.must_be([], 0, REGISTER)
    count = (int(host.report().gen) - first) % (1 << 32)
    drive.check(count == 3, REPORT, "the generation has gone up by 3", count)


@requirement("RESERVATIONS-2", CLAUSE)
def test_a_wrong_key_is_refused(drive: Drive, host: Registrant) -> None:
    """A command with a key that the host does not have is a conflict, and changes nothing.

    1. Acquire and release without a registration.
    2. Register another key, acquire, release, clear, replace and unregister with a wrong one.
    """
    drive.expect(host.acquire(1), ACQUIRE, Status.RESERVATION_CONFLICT)
    drive.expect(host.release(1), RELEASE, Status.RESERVATION_CONFLICT)
    drive.succeed(host.register(KEY), REGISTER)
    for command, clause in (
        (host.register(OTHER), REGISTER),
        (host.register(OTHER, OTHER, REPLACE), REGISTER),
        (host.register(0, OTHER, UNREGISTER), REGISTER),
        (host.acquire(1, OTHER), ACQUIRE),
        (host.release(1, OTHER), RELEASE),
        (host.release(0, OTHER, CLEAR), RELEASE),
    ):
        drive.expect(command, clause, Status.RESERVATION_CONFLICT)
    host.must_be([KEY], 0, CLAUSE)


@requirement("RESERVATIONS-3", ACQUIRE)
def test_each_type_is_acquired_and_released(drive: Drive, host: Registrant) -> None:
    """The holder of a reservation of any type may read and write, and no other type is acquired or released.

    1. For each type of RESCAP, acquire it, read the report, write and read.
    2. Acquire and release another type.
    3. Release it.
    """
    buf = nvme.Buffer(drive.lba_size)
    drive.succeed(host.register(KEY), REGISTER)
    types = types_of(drive)
    for kind in types:
        drive.succeed(host.acquire(kind), ACQUIRE)
        host.must_be([KEY], kind, ACQUIRE)
        drive.succeed(drive.io(IoOpcode.WRITE, buf), ACQUIRE)
        drive.succeed(drive.io(IoOpcode.READ, buf), ACQUIRE)
        for other in types:
            if other != kind:
                drive.expect(host.acquire(other), ACQUIRE, Status.RESERVATION_CONFLICT)
                drive.expect(host.release(other), RELEASE, Status.INVALID_FIELD)
        host.must_be([KEY], kind, RELEASE)
        drive.succeed(host.release(kind), RELEASE)
        host.must_be([KEY], 0, RELEASE)


@requirement("RESERVATIONS-4", PTPL)
@needs(PERSISTENT, SWITCHED_POWER)
def test_reservations_outlive_a_loss_of_power_as_ptpl_says(drive: Drive, host: Registrant) -> None:
    """With PTPL = 1 registration and reservation are there after a loss of power, and else they are not.

    1. Register a key with CPTPL = 11b, and acquire a reservation.
    2. Cut the power, and read the report.
    3. Do the same with CPTPL = 10b.
    """
    kind = types_of(drive)[0]
    for cptpl, keys in ((PERSIST, [KEY]), (END, [])):
        drive.succeed(host.register(KEY, cptpl=cptpl), REGISTER)
        drive.succeed(host.acquire(kind), ACQUIRE)
        drive.power_cycle()
        host.identify()
        host.must_be(keys, kind if keys else 0, PTPL)
    drive.succeed(host.register(KEY), REGISTER)


@requirement("RESERVATIONS-5", PREEMPTING)
def test_a_holder_preempts_itself(drive: Drive, host: Registrant) -> None:
    """A holder that preempts itself changes the type, and a key that nobody has preempts nothing.

    1. Preempt with a key that nobody has, and with the key 0.
    2. For each type of RESCAP, preempt with the own key, and read the report and its generation.
    3. Send reads, and Preempt and Abort with the own key. Each read succeeds or is aborted.
    """
    types = types_of(drive)
    drive.succeed(host.register(KEY), REGISTER)
    drive.succeed(host.acquire(types[0]), ACQUIRE)
    wrong = host.acquire(types[0], prkey=OTHER, action=PREEMPT)
    drive.expect(wrong, PREEMPTING, Status.RESERVATION_CONFLICT)
    wrong = host.acquire(types[0], prkey=0, action=PREEMPT)
    if types[0] < ReservationType.WRITE_EXCLUSIVE_ALL:
        drive.expect(wrong, PREEMPTING, Status.INVALID_FIELD)
    host.must_be([KEY], types[0], PREEMPTING)
    single = [kind for kind in types if kind < ReservationType.WRITE_EXCLUSIVE_ALL]
    for kind in single[1:] + single[:1]:
        before = int(host.report().gen)
        drive.succeed(host.acquire(kind, prkey=KEY, action=PREEMPT), PREEMPTING)
        host.must_be([KEY], kind, PREEMPTING)
        count = (int(host.report().gen) - before) % (1 << 32)
        drive.check(count == 1, REPORT, "the generation has gone up by 1", count)
    if single:
        abort_reads(drive, host, single[0])


def abort_reads(drive: Drive, host: Registrant, kind: int) -> None:
    """Preempt and Abort while reads are in flight."""
    buf = nvme.Buffer(drive.lba_size)
    pair = drive.new_qpair()
    reads = [drive.send(pair, IoOpcode.READ, buf) for _ in range(IN_FLIGHT)]
    drive.succeed(host.acquire(kind, prkey=KEY, action=PREEMPT_AND_ABORT), PREEMPTING)
    drive.reap(pair, len(reads))
    for read in reads:
        drive.must_end(read)
        drive.expect(read, PREEMPTING, Status.SUCCESS, Status.PREEMPT_ABORT)
    host.must_be([KEY], kind, PREEMPTING)
    drive.succeed(drive.io(IoOpcode.READ, buf), PREEMPTING)


@requirement("RESERVATIONS-6", f"{CLAUSE}, Reservation Types")
@needs(SECOND)
def test_two_hosts_share_a_namespace_as_the_type_says(
    drive: Drive, host: Registrant, another: Registrant
) -> None:
    """Each type of reservation lets other registrants, and hosts that are none, read and write or refuses it.

    1. For each type of RESCAP, acquire it at the first controller. Read and write at the second one, by a
       host that is no registrant.
    2. Register that host, and do the same. Both controllers report both registrants.
    3. With a type of registrants only, release the reservation. The other registrant is told.
    """
    clause = f"{CLAUSE}, Reservation Types"
    for kind in types_of(drive):
        excludes_reads = kind in EXCLUSIVE_ACCESS
        drive.succeed(host.register(KEY), REGISTER)
        drive.succeed(host.acquire(kind), ACQUIRE)
        another.access(clause, reads=not excludes_reads, writes=False)
        drive.succeed(another.register(OTHER), REGISTER)
        may = kind not in (ReservationType.WRITE_EXCLUSIVE, ReservationType.EXCLUSIVE_ACCESS)
        another.access(clause, reads=may or not excludes_reads, writes=may)
        host.access(clause, reads=True, writes=True)
        for one in (host, another):
            one.must_be([KEY, OTHER], kind, REPORT)
        another.drive.expect(another.acquire(kind, KEY), ACQUIRE, Status.RESERVATION_CONFLICT)
        drive.succeed(host.release(kind), RELEASE)
        if may:
            another.must_hear(RESERVATION_RELEASED)
        another.access(clause, reads=True, writes=True)
        drive.succeed(host.release(0, KEY, CLEAR), RELEASE)
        another.must_hear(RESERVATION_PREEMPTED)
        host.must_be([], 0, RELEASE)


@requirement("RESERVATIONS-7", PREEMPTING)
@needs(SECOND)
def test_a_host_preempts_another_one(drive: Drive, host: Registrant, another: Registrant) -> None:
    """A host at the second controller takes the reservation, and the registration of the holder is gone.

    1. Register both hosts, and acquire a reservation at the first controller.
    2. Preempt it at the second controller. Read the reports, and the notification of the first host.
    3. The first host is a stranger now. It registers again.
    """
    kind = types_of(drive)[0]
    drive.succeed(host.register(KEY), REGISTER)
    drive.succeed(another.register(OTHER), REGISTER)
    drive.succeed(host.acquire(kind), ACQUIRE)
    drive.succeed(another.acquire(kind, OTHER, KEY, PREEMPT), PREEMPTING)
    for one in (host, another):
        one.must_be([OTHER], kind, PREEMPTING)
    host.must_hear(REGISTRATION_PREEMPTED)
    host.access(PREEMPTING, reads=kind not in EXCLUSIVE_ACCESS, writes=False)
    another.access(PREEMPTING, reads=True, writes=True)
    drive.expect(host.release(kind), RELEASE, Status.RESERVATION_CONFLICT)
    drive.succeed(host.register(KEY), REGISTER)
    another.must_be([KEY, OTHER], kind, REGISTER)


@requirement("RESERVATIONS-8", PTPL)
@needs(PERSISTENT, SWITCHED_POWER, SECOND)
def test_reservations_of_two_hosts_outlive_a_loss_of_power(
    drive: Drive, host: Registrant, another: Registrant
) -> None:
    """With PTPL = 1 both registrants and the holder are the same after a loss of power, at both controllers.

    1. Register both hosts with CPTPL = 11b, and acquire a reservation at the first controller.
    2. Cut the power, tell both controllers their hosts, and read the reports. Only the holder writes.
    """
    kind = types_of(drive)[0]
    drive.succeed(host.register(KEY, cptpl=PERSIST), REGISTER)
    drive.succeed(another.register(OTHER, cptpl=PERSIST), REGISTER)
    drive.succeed(host.acquire(kind), ACQUIRE)
    another.drive.delete_qpairs()
    drive.power_cycle()
    another.drive.nvme0.reset()
    for one in (host, another):
        one.identify()
        one.must_be([KEY, OTHER], kind, PTPL)
    host.access(PTPL, reads=True, writes=True)
    another.access(PTPL, reads=kind not in EXCLUSIVE_ACCESS, writes=False)


@requirement("RESERVATIONS-9", PERSISTENCE)
@needs(PERSISTENT)
def test_persistence_is_the_same_in_all_its_places(drive: Drive, host: Registrant) -> None:
    """Feature 83h is the persistence that a report has, and that a registration changes with CPTPL.

    1. Register keys with CPTPL = 11b and 10b. Get the feature, and read the report.
    2. Set the feature, and read the report.
    """
    fid, nsid = FeatureId.RESERVATION_PERSISTENCE, drive.nsid

    def must_be(ptpl: int, when: str) -> None:
        seen = drive.succeed(drive.get_feature(fid, nsid=nsid), PERSISTENCE).cdw0 & 1
        drive.check(seen == ptpl, PERSISTENCE, f"PTPL {ptpl} {when}", seen)
        seen = int(host.report().ptpls)
        drive.check(seen == ptpl, REPORT, f"PTPLS {ptpl} {when}", seen)

    for cptpl in (PERSIST, END):
        drive.succeed(host.register(KEY, cptpl=cptpl), REGISTER)
        must_be(int(cptpl == PERSIST), f"after a registration with CPTPL {cptpl:02b}b")
    for ptpl in (1, 0):
        drive.succeed(drive.set_feature(fid, ptpl, nsid=nsid), PERSISTENCE)
        must_be(ptpl, f"once it is set to {ptpl}")


@requirement("RESERVATIONS-10", MASK)
@needs(SECOND)
def test_masked_notifications_do_not_come(drive: Drive, host: Registrant, another: Registrant) -> None:
    """A host does not hear of a release that it has masked in feature 82h, and hears of it otherwise.

    1. Register both hosts. Mask releases at the second controller only.
    2. Acquire a reservation of registrants only at the first controller, release it, and read log page 80h
       of the second one.
    3. Do the same without the mask.
    """
    fid, second = FeatureId.RESERVATION_MASK, another.drive
    drive.succeed(host.register(KEY), REGISTER)
    drive.succeed(another.register(OTHER), REGISTER)
    while another.notification()[0]:
        pass
    kinds = [kind for kind in types_of(drive) if kind in REGISTRANTS_ONLY]
    for kind, mask in [(kind, mask) for kind in kinds for mask in (NO_RELEASES, 0)]:
        second.succeed(second.set_feature(fid, mask, nsid=drive.nsid), MASK)
        for one, wanted in ((second, mask), (drive, 0)):
            seen = one.succeed(one.get_feature(fid, nsid=drive.nsid), MASK).cdw0
            drive.check(seen == wanted, MASK, f"the mask {wanted:#x}", f"{seen:#x}")
        drive.succeed(host.acquire(kind), ACQUIRE)
        drive.succeed(host.release(kind), RELEASE)
        if not mask:
            another.must_hear(RESERVATION_RELEASED)
        seen = another.notification()[0]
        drive.check(seen == 0, MASK, "no notification" + " of what is masked" * bool(mask), seen)
