# SPDX-License-Identifier: BSD-3-Clause
"""Format, sanitize, self-test and firmware: what they end, what they leave, and what interrupts them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Callable, NamedTuple

import nvme
import pytest

from pynvme import firmware
from pynvme.spec import (
    AdminOpcode,
    FeatureId,
    FirmwareAction,
    FirmwareLog,
    IoOpcode,
    SanitizeAction,
    SanitizeLog,
    SanitizeState,
    SanitizeStatus,
    SelfTest,
    SelfTestLog,
    SelfTestStatus,
    Status,
)
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import ROOM, SANITIZES, admin
from pynvme.suite.drive import ALL_NAMESPACES, LONGEST_ADMIN, Drive
from pynvme.suite.health import counters_go_on, smart
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.outage import Outages
from pynvme.suite.promises import Promises
from pynvme.suite.traffic import MIX, Slot, Traffic, model_of, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(ROOM)

FORMAT = clauses.of_admin(AdminOpcode.FORMAT_NVM)
SANITIZE = "Base 2.0, 5.24 Sanitize and 8.1.20 Sanitize Operations"
TEST = "Base 2.0, 5.9 Device Self-test and 8.1.7 Device Self-test Operations"
COMMIT = clauses.of_admin(AdminOpcode.FW_COMMIT)
DOWNLOAD = clauses.of_admin(AdminOpcode.FW_DOWNLOAD)
FIRMWARE = "Base 2.0, 5.16.1.4 Firmware Slot Information"
AER = clauses.of_admin(AdminOpcode.ASYNC_EVENT)

OWN_IMAGES = Need(
    "firmware images that the drive takes (it is a virtual SSD)",
    lambda drive: drive.id_ctrl.mn.strip() == "pynvme virtual SSD",
)

LBAS = 256
PATIENCE = 600.0
"""Seconds that a format, a sanitize operation or a self-test may take."""

RESTARTS: dict[str, Callable[[Drive], float]] = {"reset": Drive.reset, "power": Drive.power_cycle}
VERIFICATION = "Base 2.1, 8.1.24.3.6 Media Verification state, and 5.1.22 Sanitize"
VERIFICATION_EVENT = 0x810306
SANITIZE_EVENT, NAMESPACE_EVENT, ACTIVATION_EVENT = 0x810106, 0x040002, 0x030102
"""Dword 0 of asynchronous events: log page, information and type."""
each_restart = pytest.mark.parametrize("restart", list(RESTARTS))

CAPABILITIES = {
    SanitizeAction.BLOCK_ERASE: "bes",
    SanitizeAction.CRYPTO_ERASE: "ces",
    SanitizeAction.OVERWRITE: "ows",
}


@pytest.fixture(autouse=True)
def patience(drive: Drive) -> Iterator[None]:
    """Wait longer for commands, and leave the drive in the LBA format in which it was."""
    before, lbaf = drive.nvme0.timeout, drive.ns.id_ns.flbas.lbafil
    drive.nvme0.timeout = int(PATIENCE * 1000)
    yield
    drive.nvme0.timeout = before  # also for a drive that does not answer any more
    if drive.ns.id_ns.flbas.lbafil != lbaf:
        drive.nvme0.timeout = int(PATIENCE * 1000)
        format_nvm(drive, lbaf)
        drive.nvme0.timeout = before


def format_nvm(drive: Drive, lbaf: int, ses: int = 0, nsid: int | None = None) -> None:
    """Format the first namespace, or another one, or all. This has to succeed."""
    nsid = drive.nsid if nsid is None else nsid
    with counters_go_on(drive):
        drive.succeed(drive.admin(AdminOpcode.FORMAT_NVM, nsid=nsid, cdw10=ses << 9 | lbaf), FORMAT)
    drive.measure()


@contextlib.contextmanager
def events_of(drive: Drive, enabled: int = 0) -> Iterator[list[int]]:
    """Dword 0 of each asynchronous event, as it comes. Bits of feature 0Bh are enabled in here."""
    found: list[int] = []
    drive.nvme0.register_aer_cb(lambda cdw0, status: found.append(cdw0))
    before = drive.get_feature(FeatureId.ASYNC_EVENT).cdw0
    drive.set_feature(FeatureId.ASYNC_EVENT, before | enabled)
    drive.poll(lambda: False, 0.01)
    found.clear()
    try:
        yield found
    finally:
        drive.set_feature(FeatureId.ASYNC_EVENT, before)
        drive.nvme0.register_aer_cb(None)


def must_come_once(drive: Drive, events: list[int], event: int, why: str) -> None:
    """Raise a finding unless an asynchronous event comes, and only once."""
    drive.poll(lambda: event in events, 2.0)
    drive.poll(lambda: False, 0.005)  # for another one
    seen = [f"{one:#x}" for one in events]
    drive.check(events.count(event) == 1, AER, f"one event {event:#x}, {why}", seen)


def must_be_gone(drive: Drive, model: Model, slba: int, nlb: int, clause: str) -> None:
    """Raise a finding if one of these LBAs still holds data of the model."""
    slot = Slot(nlb * drive.lba_size)
    command = drive.io(IoOpcode.READ, slot.prepare(0, nlb * drive.lba_size), slba, nlb)
    if not command.ok:
        return
    data, size = slot.data(), drive.lba_size
    left = [lba for lba in range(nlb) if model.content.stamp(data[lba * size : (lba + 1) * size])]
    if left:
        bad = [slba + lba for lba in left]
        raise drive.finding(
            clause, "no data from before", f"those of {len(left)} LBAs", bad, model.writers(bad[:8])
        )


@requirement("MEDIA-1", FORMAT)
@needs(admin(AdminOpcode.FORMAT_NVM))
@pytest.mark.parametrize("ses", [0, 1, 2], ids=["none", "user-data", "cryptographic"])
def test_format_erases_its_namespace_only(drive: Drive, ses: int) -> None:
    """A format leaves none of the namespace's data, its identifiers, and all other namespaces.

    1. Write to each namespace, and format the first one.
    2. Its data are gone, its identifiers the same. Data of the others are there, unless FNA says that a
       format is of all.
    3. What the drive promises of its data still holds.
    """
    fna = drive.id_ctrl.fna
    if ses == 2 and not fna.cryes:
        pytest.skip("needs a cryptographic erase (FNA bit 2)")
    promises = Promises(drive)
    writers = [Writer(each, model_of(each)) for each in drive.by_namespace()]
    places = [writer.region(min(LBAS, drive.most_lbas)) for writer in writers]
    before = drive.ns.id_ns
    format_nvm(drive, before.flbas.lbafil, ses)
    after = drive.ns.id_ns
    for name in ("nguid", "eui64"):
        drive.check(before[name] == after[name], FORMAT, f"{name.upper()} {before[name]}", after[name])
    is_of_all = bool(fna.sens if ses else fna.fns)
    for index, (writer, slba) in enumerate(zip(writers, places)):
        nlb = min(LBAS, writer.drive.most_lbas)
        if index == 0 or is_of_all:
            must_be_gone(writer.drive, writer.model, slba, nlb, FORMAT)
        else:
            read_back(writer.drive, writer.model, range(slba, slba + nlb))
    promises.judge()


@requirement("MEDIA-2", FORMAT)
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_each_lba_format(drive: Drive) -> None:
    """After a change of the LBA format, sizes and limits are those of the new one.

    1. Format with each LBA format without metadata.
    2. Identify reports it. The last LBA can be written and read, and the one behind it is refused.
    """
    space = drive.ns.id_ns
    usable = [n for n in range(space.nlbaf + 1) if space.lbaf[n].lbads and not space.lbaf[n].ms]
    capacity = drive.nsze * drive.lba_size
    for lbaf in [*usable, space.flbas.lbafil]:
        format_nvm(drive, lbaf)
        size = 1 << drive.ns.id_ns.lbaf[lbaf].lbads
        drive.check(drive.ns.id_ns.flbas.lbafil == lbaf, FORMAT, f"FLBAS {lbaf}", drive.ns.id_ns.flbas)
        found = drive.nsze * size
        drive.check(
            abs(found - capacity) <= capacity // 16, FORMAT, f"NSZE of about {capacity} bytes", f"{found}"
        )
        model = model_of(drive)
        writer = Writer(drive, model)
        end = drive.nsze
        writer.write(end - 4, 4)
        writer.write(0, 4)
        read_back(drive, model, [0, 1, 2, 3, end - 4, end - 3, end - 2, end - 1])
        buf = nvme.Buffer(2 * size)
        for slba, nlb in ((end, 1), (end - 1, 2)):
            drive.expect(drive.io(IoOpcode.WRITE, buf, slba, nlb), FORMAT, Status.LBA_OUT_OF_RANGE)


@requirement("MEDIA-3", FORMAT)
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_wrong_formats_are_refused(drive: Drive, model: Model, writer: Writer) -> None:
    """A format that does not exist is refused, and changes nothing.

    1. Send Format NVM with an LBA format above NLBAF, a reserved SES, and wrong NSIDs.
    2. The data are there.
    """
    base = writer.region(16)
    space = drive.ns.id_ns
    lbaf = space.flbas.lbafil

    def refused(nsid: int, cdw10: int, *statuses: Status) -> None:
        drive.expect(drive.admin(AdminOpcode.FORMAT_NVM, nsid=nsid, cdw10=cdw10), FORMAT, *statuses)

    if space.nlbaf < 15:
        refused(drive.nsid, space.nlbaf + 1, Status.INVALID_FORMAT)
        refused(drive.nsid, 15, Status.INVALID_FORMAT)
    for ses in range(3, 8):
        refused(drive.nsid, ses << 9 | lbaf, Status.INVALID_FIELD)
    refused(drive.nsid, 7 << 5 | lbaf, Status.INVALID_FIELD, Status.INVALID_FORMAT)
    if drive.id_ctrl.fna.fnvmbs:
        refused(ALL_NAMESPACES, lbaf, Status.INVALID_FIELD, Status.INVALID_NAMESPACE)
    for nsid in (0, drive.id_ctrl.nn + 1, 0xFFFFFFFE):
        refused(nsid, lbaf, Status.INVALID_NAMESPACE)
    read_back(drive, model, range(base, base + 16))


@requirement("MEDIA-4", FORMAT)
@needs(admin(AdminOpcode.FORMAT_NVM))
@each_restart
def test_an_interrupted_format(drive: Drive, restart: str) -> None:
    """After a reset or a loss of power in a format, the drive comes back, and can be formatted and used.

    1. Write, send a format, and interrupt it at several moments.
    2. Format again. It succeeds, none of the old data are there, and new data can be written.
    """
    if restart == "power" and not drive.can_switch_power():
        pytest.skip("needs a power that can be switched")
    lbaf = drive.ns.id_ns.flbas.lbafil
    for delay in (0, 0.002, 0.01, 0.019):
        model = model_of(drive)
        writer = Writer(drive, model)
        nlb = min(LBAS, drive.most_lbas)
        base = writer.region(nlb)
        interrupted = drive.send_admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=1 << 9 | lbaf)
        time.sleep(delay)
        RESTARTS[restart](drive)
        if not interrupted.done:
            drive.reap(drive.nvme0)
        if interrupted.ok:
            must_be_gone(drive, model, base, nlb, FORMAT)
        format_nvm(drive, lbaf, 1)
        must_be_gone(drive, model, base, nlb, FORMAT)
        model = model_of(drive)
        Writer(drive, model).write(base, nlb)
        read_back(drive, model, range(base, base + nlb))


@requirement("MEDIA-12", FORMAT)
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_formats_of_all_kinds(drive: Drive) -> None:
    """A format of one or all namespaces, to each LBA format, with each secure erase, leaves no old data.

    1. Write to the beginning, the end, and between in each namespace, with and without a flush.
    2. Format one namespace, or all by NSID FFFFFFFFh, to each LBA format without metadata, with each SES.
    3. Old data of what was formatted are gone, those of other namespaces are there, and Identify has the
       format. The first and the last LBA can be written and read.
    """
    space, fna = drive.ns.id_ns, drive.id_ctrl.fna
    first = space.flbas.lbafil
    usable = [n for n in range(space.nlbaf + 1) if space.lbaf[n].lbads and not space.lbaf[n].ms]
    kinds = [0, 1, 2] if fna.cryes else [0, 1]
    reaches = (False,) if fna.fnvmbs else (False, True)
    wanted = [(lbaf, ses, every) for lbaf in usable for ses in kinds for every in reaches]
    drive.random.shuffle(wanted)
    for turn, (lbaf, ses, every) in enumerate([*wanted, (first, 0, reaches[-1])]):
        data = [written(each) for each in drive.by_namespace()]
        if turn % 2:
            drive.flush()
        format_nvm(drive, lbaf, ses, ALL_NAMESPACES if every else drive.nsid)
        is_of_all = every or bool(fna.sens if ses else fna.fns)
        for index, (writer, places) in enumerate(data):
            if index and not is_of_all:
                read_back(writer.drive, writer.model, writer.model.known())
                continue
            fresh = writer.drive
            must_be_in_format(fresh, lbaf)
            for slba, nlb in places:
                must_be_gone_bytes(fresh, writer.model, slba, nlb)
            again = Writer(fresh, model_of(fresh))
            again.write(fresh.nsze - 2, 2)
            again.write(0, 2)
            read_back(fresh, again.model, again.model.known())


def written(drive: Drive) -> tuple[Writer, list[tuple[int, int]]]:
    """Write to the beginning and the end of a namespace, at powers of 2, and to random places."""
    drive.measure()
    nlb = min(LBAS, drive.most_lbas)
    places = [(0, nlb), (drive.random.randrange(nlb, drive.nsze - 2 * nlb), nlb), (drive.nsze - nlb, nlb)]
    places += [(1 << bit, 8) for bit in range(9, drive.nsze.bit_length()) if (1 << bit) + 8 <= drive.nsze]
    places += [(drive.random.randrange(drive.nsze - 8), 8) for _ in range(10)]
    writer = Writer(drive, model_of(drive))
    for slba, count in places:
        writer.write(slba, count)
    return writer, places


def must_be_in_format(drive: Drive, lbaf: int) -> None:
    """Raise a finding unless Identify reports this LBA format, and a format that has ended."""
    drive.measure()
    space = drive.ns.id_ns
    drive.check(space.flbas.lbafil == lbaf, FORMAT, f"FLBAS {lbaf}", space.flbas)
    drive.check(not space.fpi.remaining, FORMAT, "FPI: 0 % of the format remains", space.fpi)


def must_be_gone_bytes(drive: Drive, model: Model, slba: int, nlb: int) -> None:
    """As must_be_gone(), where the size of LBAs may have changed since the model was made."""
    first = slba * model.content.size // drive.lba_size
    count = max(1, nlb * model.content.size // drive.lba_size)
    slot = Slot(count * drive.lba_size)
    if not drive.io(IoOpcode.READ, slot.prepare(0, count * drive.lba_size), first, count).ok:
        return
    data, size = slot.data(), model.content.size
    left = [at for at in range(0, len(data), size) if model.content.stamp(data[at : at + size])]
    drive.check(not left, FORMAT, "no data from before", f"{len(left)} blocks of {size} bytes of them")


@requirement("MEDIA-13", FORMAT)
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_commands_during_a_format(drive: Drive, model: Model, writer: Writer) -> None:
    """During a format, its progress goes one way, a second format does no harm, and admin commands succeed.

    1. Send a format, and another one, and read FPI until the first completes. What remains does not grow.
       Read the health log and a feature meanwhile.
    2. Then both have ended, Identify reports no format in progress, and the data are gone.
    """
    nlb = min(LBAS, drive.most_lbas)
    base = writer.region(nlb)
    lbaf = drive.ns.id_ns.flbas.lbafil
    buf = nvme.Buffer(4096)
    first = drive.send_admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=lbaf)
    second = drive.send_admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=lbaf)
    remaining = 100
    while not first.done:
        look = drive.send_admin(AdminOpcode.IDENTIFY, buf, drive.nsid, cdw10=0)
        must_answer(drive, look, (first, second))
        found = buf[32]
        if first.done or not look.ok or not found >> 7:
            break
        left = found & 0x7F
        drive.check(left <= remaining, FORMAT, f"{remaining} % or less remain (FPI)", f"{left} %")
        remaining = left
        for opcode, cdw10 in (
            (AdminOpcode.GET_LOG_PAGE, 127 << 16 | 1 << 15 | 2),
            (AdminOpcode.GET_FEATURES, 1),
        ):
            nsid = ALL_NAMESPACES if opcode is AdminOpcode.GET_LOG_PAGE else 0
            other = drive.send_admin(opcode, buf, nsid, cdw10=cdw10)
            must_answer(drive, other, (first, second))
            drive.succeed(other, FORMAT)
    for command in (first, second):
        while not command.done:
            drive.reap(drive.nvme0)
    drive.succeed(first, FORMAT)
    drive.must_end(second)
    drive.measure()
    must_be_in_format(drive, lbaf)
    must_be_gone(drive, model, base, nlb, FORMAT)


def must_answer(drive: Drive, command: Command, formats: tuple[Command, ...]) -> None:
    """Wait for a command beside formats, and for no longer than usual once these have ended."""
    while not command.done:
        if all(one.done for one in formats):
            drive.nvme0.timeout = int(LONGEST_ADMIN * 1000)
        drive.reap(drive.nvme0)


@requirement("MEDIA-14", AER)
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_a_change_of_the_format_is_an_event(drive: Drive) -> None:
    """A format that changes a namespace is a Namespace Attribute Changed event, and log page 04h names it.

    1. Enable the event, and format with another LBA format.
    2. One event comes, and the log page lists the namespace, until it was read.
    """
    space = drive.ns.id_ns
    before = space.flbas.lbafil
    usable = [n for n in range(space.nlbaf + 1) if space.lbaf[n].lbads and not space.lbaf[n].ms]
    other = next((n for n in usable if space.lbaf[n].lbads != space.lbaf[before].lbads), None)
    if other is None or not drive.id_ctrl.oaes.nsan:
        pytest.skip("needs two LBA sizes, and Namespace Attribute Notices (OAES bit 8)")
    buf = nvme.Buffer(4096)
    drive.log_page(4, buf, 4096)
    with events_of(drive, 1 << 8) as events:
        format_nvm(drive, other)
        must_come_once(drive, events, NAMESPACE_EVENT, "since a namespace has changed")
        drive.log_page(4, buf, 4096, rae=True)
        listed = [buf.data(at + 3, at) for at in range(0, 64, 4)]
        drive.check(
            drive.nsid in listed,
            "Base 2.0, 5.16.1.5 Changed Namespace List",
            f"namespace {drive.nsid}, whose format has changed",
            listed,
        )
        drive.log_page(4, buf, 4096)
        drive.log_page(4, buf, 4096)
        drive.check(
            buf.data(3, 0) == 0,
            "Base 2.0, 5.16.1.5 Changed Namespace List",
            "no namespace, since the page was read",
            f"{buf.data(3, 0):#x}",
        )


def sanitize_log(drive: Drive) -> SanitizeLog:
    """The Sanitize Status log."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(0x81, buf, 512), SANITIZE)
    return SanitizeLog(bytes(buf[:]))


class Wish(NamedTuple):
    """A sanitize operation."""

    cdw10: int
    pattern: int

    @property
    def passes(self) -> int:
        """Passes of an overwrite, or 0."""
        return (self.cdw10 >> 4 & 15 or 16) if self.cdw10 & 7 == SanitizeAction.OVERWRITE else 0

    def leaves_its_pattern(self, drive: Drive) -> bool:
        """Whether the pattern can be read after the operation."""
        able = drive.id_ctrl.sanicap
        return bool(self.passes and self.cdw10 & NDAS and not able.ndi and able.nodmmas == 1)


AUSE, OIPBP, NDAS = 1 << 3, 1 << 8, 1 << 9


def wish(drive: Drive, action: SanitizeAction) -> Wish:
    """An operation with random options that the drive has to accept."""
    rng = drive.random
    able = drive.id_ctrl.sanicap
    cdw10 = int(action) | rng.choice((0, AUSE))
    if able.nodmmas == 1 and not able.ndi and action is SanitizeAction.OVERWRITE:
        cdw10 |= NDAS  # since the pattern can be read then
    elif not able.ndi:
        cdw10 |= rng.choice((0, NDAS))
    if action is SanitizeAction.OVERWRITE:
        cdw10 |= rng.choice((1, 1, 2, 3)) << 4 | rng.choice((0, OIPBP))
    return Wish(cdw10, rng.getrandbits(32))


def start_sanitize(drive: Drive, wanted: Wish) -> None:
    """Start a sanitize operation."""
    command = drive.admin(AdminOpcode.SANITIZE, cdw10=wanted.cdw10, cdw11=wanted.pattern)
    drive.succeed(command, SANITIZE)


def in_progress(drive: Drive) -> bool:
    """Whether a sanitize operation is in progress."""
    return sanitize_log(drive).sstat.sos == SanitizeStatus.IN_PROGRESS


class Restriction:
    """What a drive has to refuse during a sanitize operation, and what it must not refuse.

    Make it before the operation, since the log of supported commands cannot be read meanwhile.
    """

    KINDS = (
        IoOpcode.READ,
        IoOpcode.WRITE,
        IoOpcode.COMPARE,
        IoOpcode.WRITE_ZEROES,
        IoOpcode.WRITE_UNCORRECTABLE,
        IoOpcode.VERIFY,
    )

    def __init__(self, drive: Drive, wanted: Wish) -> None:
        self._drive = drive
        self._io = [opcode for opcode in self.KINDS if drive.ns.supports(opcode)]
        others = (
            (AdminOpcode.FORMAT_NVM, drive.nsid, int(drive.ns.id_ns.flbas.lbafil)),
            (AdminOpcode.SELF_TEST, ALL_NAMESPACES, int(SelfTest.SHORT)),
            (AdminOpcode.SANITIZE, 0, wanted.cdw10),
        )
        self._admin = [other for other in others if drive.nvme0.supports(other[0])]
        self.has_ended = False
        """Whether the drive has executed one of them, since the operation ended a moment before."""

    def judge(self) -> None:
        """Send some of these commands, and raise a finding if a status is wrong."""
        drive, buf = self._drive, nvme.Buffer(4096)
        for opcode in drive.random.sample(self._io, 2):
            command = drive.io(opcode, buf)
            must_be_in_progress(drive, command)
            self.has_ended |= command.ok
        if sanitize_log(drive).sprog < 0x8000:  # far from its end, after which these would be executed
            self._judge_admin()
        for command in (
            drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=1),
            drive.log_page(2, buf, 512),
            drive.get_feature(FeatureId.QUEUES),
        ):
            drive.succeed(command, SANITIZE)

    def _judge_admin(self) -> None:
        opcode, nsid, cdw10 = self._drive.random.choice(self._admin)
        command = self._drive.admin(opcode, None, nsid, cdw10=cdw10)
        must_be_in_progress(self._drive, command)
        if command.ok:
            pytest.skip("the sanitize operation has ended before another operation was refused")


def must_be_in_progress(drive: Drive, command: Command) -> None:
    """Raise a finding unless a command was refused with Sanitize In Progress, if there still is one."""
    if in_progress(drive):
        drive.expect(command, SANITIZE, Status.SANITIZE_IN_PROGRESS)


def end_sanitize(drive: Drive, wanted: Wish, restriction: Restriction) -> None:
    """Wait for the end of a sanitize operation, and judge its log page and its restrictions on the way."""
    start, end, progress = time.monotonic(), time.monotonic() + PATIENCE, 0
    looked_done = 0.0
    while True:
        log = sanitize_log(drive)
        drive.check(
            log.scdw10 == wanted.cdw10, SANITIZE, f"SCDW10 {wanted.cdw10:#x}", f"{int(log.scdw10):#x}"
        )
        if log.sstat.sos != SanitizeStatus.IN_PROGRESS:
            break
        drive.check(log.sprog >= progress, SANITIZE, f"progress {progress} or more", log.sprog)
        progress = log.sprog
        for _ in range(drive.random.randrange(3)):
            log = sanitize_log(drive)
            still = log.sstat.sos == SanitizeStatus.IN_PROGRESS
            drive.check(log.sprog >= progress, SANITIZE, f"progress {progress} or more", log.sprog)
            progress = log.sprog if still else progress
        if progress >= 0xFFFE and not looked_done:
            looked_done = time.monotonic()
        restriction.judge()
        drive.check(time.monotonic() < end, SANITIZE, f"an end within {PATIENCE:g} s", f"progress {progress}")
        time.sleep(drive.random.random() * 0.06)
    passed, early = time.monotonic() - start, looked_done - start
    drive.check(
        not looked_done or passed < 1 or early > passed / 4,
        SANITIZE,
        f"a progress that is the part that is done (SPROG), of {passed:.1f} s",
        f"its end after {early:.1f} s",
    )
    must_have_ended(drive, wanted)


def must_have_ended(drive: Drive, wanted: Wish) -> None:
    """Raise a finding unless the log page tells that this operation has succeeded."""
    log = sanitize_log(drive)
    done = (SanitizeStatus.SUCCESS, SanitizeStatus.DEALLOCATED)
    drive.check(log.sstat.sos in done, SANITIZE, "success (SSTAT 1 or 4)", f"SSTAT {int(log.sstat.sos)}")
    drive.check(log.sprog == 0xFFFF, SANITIZE, "progress FFFFh at the end", f"{log.sprog:#x}")
    drive.check(log.sstat.opc == wanted.passes, SANITIZE, f"{wanted.passes} passes", int(log.sstat.opc))
    drive.check(log.scdw10 == wanted.cdw10, SANITIZE, f"SCDW10 {wanted.cdw10:#x}", f"{int(log.scdw10):#x}")


def must_be_the_pattern(drive: Drive, wanted: Wish, slba: int, nlb: int) -> None:
    """Raise a finding unless LBAs hold the pattern of an overwrite, in either order of bytes."""
    length = nlb * drive.lba_size
    slot = Slot(length)
    drive.succeed(drive.io(IoOpcode.READ, slot.prepare(0, length), slba, nlb), SANITIZE)
    data = slot.data()
    legal = [wanted.pattern.to_bytes(4, order) * (length // 4) for order in ("little", "big")]
    drive.check(data in legal, SANITIZE, f"the pattern {wanted.pattern:08x}h in each dword", data[:16].hex())


@requirement("MEDIA-5", SANITIZE)
@needs(SANITIZES)
@pytest.mark.parametrize("action", list(CAPABILITIES), ids=lambda action: action.name)
def test_sanitize_erases_everything(drive: Drive, action: SanitizeAction) -> None:
    """A sanitize operation refuses IO until its end, and leaves no data in any namespace.

    1. Write to many places of each namespace, flush, write more, and start the operation, with random
       options.
    2. Until it has ended, IO, formats and self-tests fail with Sanitize In Progress, Identify, features and
       the health log do not, and the progress does not go back.
    3. Its event comes once. The log page has the command, its passes, and that no data were written since.
    4. The data are gone, in the place of them the pattern if it can be read, and new ones can be written.
    5. What the drive promises of its data still holds.
    """
    if not drive.id_ctrl.sanicap[CAPABILITIES[action]]:
        pytest.skip(f"needs {action.name} (SANICAP)")
    promises = Promises(drive)
    data = [written(each) for each in drive.by_namespace()]
    drive.flush()
    for writer, places in data:
        writer.write(*drive.random.choice(places))
    wanted = wish(drive, action)
    restriction = Restriction(drive, wanted)
    with events_of(drive) as events, counters_go_on(drive):
        start_sanitize(drive, wanted)
        end_sanitize(drive, wanted, restriction)
        must_come_once(drive, events, SANITIZE_EVENT, "since a sanitize operation has ended")
    erased = sanitize_log(drive).sstat.gde
    is_right = erased == 1 or restriction.has_ended
    drive.check(is_right, SANITIZE, "Global Data Erased, since nothing was written yet", "it is 0")
    for writer, places in data:
        for slba, nlb in places:
            must_be_gone(writer.drive, writer.model, slba, nlb, SANITIZE)
        slba, nlb = drive.random.choice(places)
        if wanted.leaves_its_pattern(drive) and not restriction.has_ended:
            must_be_the_pattern(writer.drive, wanted, slba, nlb)
        model = model_of(writer.drive)
        Writer(writer.drive, model).write(slba, nlb)
        read_back(writer.drive, model, range(slba, slba + nlb))
    erased = sanitize_log(drive).sstat.gde
    drive.check(erased == 0, SANITIZE, "no Global Data Erased, since data were written", "it is 1")
    drive.reset()
    must_have_ended(drive, wanted)
    promises.judge()


@requirement("MEDIA-6", SANITIZE)
@needs(SANITIZES)
@each_restart
def test_an_interrupted_sanitize_goes_on(drive: Drive, restart: str) -> None:
    """A reset or a loss of power does not end a sanitize operation, and no data are left at its end.

    1. Write, start the operation, and interrupt it a moment later, and once more.
    2. It goes on, with IO refused until its end. The data are gone.
    3. After another interruption, the log page tells the same of it.
    """
    if restart == "power" and not drive.can_switch_power():
        pytest.skip("needs a power that can be switched")
    action = drive.random.choice([one for one, name in CAPABILITIES.items() if drive.id_ctrl.sanicap[name]])
    writer, places = written(drive)
    writer.flush()
    wanted = wish(drive, action)
    restriction = Restriction(drive, wanted)
    start_sanitize(drive, wanted)
    for delay in (0.1, 0.02):
        time.sleep(delay)
        before = sanitize_log(drive)
        RESTARTS[restart](drive)
        log = sanitize_log(drive)
        states = [SanitizeStatus.IN_PROGRESS, SanitizeStatus.SUCCESS, SanitizeStatus.DEALLOCATED]
        sos = log.sstat.sos
        drive.check(sos in states, SANITIZE, "an operation that goes on", f"SSTAT {int(sos)}")
        if sos != SanitizeStatus.IN_PROGRESS and before.sstat.sos == SanitizeStatus.IN_PROGRESS:
            drive.check(
                before.sprog > 0x4000, SANITIZE, "an operation in progress", "its end, far from its progress"
            )
    end_sanitize(drive, wanted, restriction)
    for slba, nlb in places:
        must_be_gone(drive, writer.model, slba, nlb, SANITIZE)
    RESTARTS[restart](drive)
    must_have_ended(drive, wanted)


@requirement("MEDIA-7", SANITIZE)
@needs(SANITIZES)
def test_wrong_sanitize_commands_are_refused(drive: Drive, model: Model, writer: Writer) -> None:
    """A reserved action, or one that SANICAP lacks, is refused, and changes nothing.

    1. Send Sanitize with each such action. The data are there.
    """
    base = writer.region(16)
    lacking = [one for one, name in CAPABILITIES.items() if not drive.id_ctrl.sanicap[name]]
    for action in (0, 6, 7, *lacking):
        drive.expect(drive.admin(AdminOpcode.SANITIZE, cdw10=action), SANITIZE, Status.INVALID_FIELD)
    read_back(drive, model, range(base, base + 16))


def self_test_log(drive: Drive) -> SelfTestLog:
    """The Device Self-test log."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(6, buf, 564), TEST)
    return SelfTestLog(bytes(buf[:564]))


def start_test(drive: Drive, code: SelfTest) -> int:
    """Start or abort a self-test. Returns the status."""
    return drive.admin(AdminOpcode.SELF_TEST, nsid=ALL_NAMESPACES, cdw10=code).status


def must_end(drive: Drive, code: SelfTest, result: SelfTestStatus) -> None:
    """Raise a finding unless the newest entry of the log is of this self-test with this result."""
    log = self_test_log(drive)
    drive.check(log.cdsto.dsts == 0, TEST, "no self-test in progress", int(log.cdsto.dsts))
    newest = log.results[0].dsts
    drive.check(newest.dstc == code, TEST, f"an entry of self-test {code:d}", int(newest.dstc))
    drive.check(newest.dstr == result, TEST, f"result {result.name}", f"{int(newest.dstr):#x}")


@requirement("MEDIA-8", TEST)
@needs(admin(AdminOpcode.SELF_TEST))
def test_a_short_self_test(drive: Drive, model: Model, writer: Writer) -> None:
    """A short self-test reports its progress, refuses a second one, passes, and leaves the data.

    1. Start it, and start another one. That fails with Device Self-test in Progress.
    2. Wait, with IO meanwhile, and read the result.
    3. What the drive promises of its data still holds.
    """
    promises = Promises(drive)
    base = writer.region(16)
    drive.check(start_test(drive, SelfTest.SHORT) == 0, TEST, "a short self-test", "a refusal")
    if self_test_log(drive).cdsto.dsts:
        status = start_test(drive, SelfTest.SHORT)
        drive.check(status == Status.SELF_TEST_IN_PROGRESS, TEST, "01/1D", f"{status:#x}")
    end, progress = time.monotonic() + PATIENCE, 0
    while self_test_log(drive).cdsto.dsts:
        found = int(self_test_log(drive).cdstc.dstcp)
        is_plausible = progress <= found <= 100 or found == 0
        drive.check(is_plausible, TEST, f"progress {progress} % or more, up to 100 %", f"{found} %")
        progress = found
        read_back(drive, model, range(base, base + 16))
        drive.check(time.monotonic() < end, TEST, f"an end within {PATIENCE:g} s", f"{progress} %")
        time.sleep(0.02)
    must_end(drive, SelfTest.SHORT, SelfTestStatus.PASSED)
    read_back(drive, model, range(base, base + 16))
    promises.judge()


@requirement("MEDIA-9", TEST)
@needs(admin(AdminOpcode.SELF_TEST))
def test_self_tests_that_are_ended(drive: Drive) -> None:
    """An abort and a controller reset end a short self-test, each with its result.

    1. Start one and abort it. Start one and reset.
    2. The log has the result, and another one can be started.
    """
    for end, result in (
        (lambda: start_test(drive, SelfTest.ABORT), SelfTestStatus.ABORTED),
        (drive.reset, SelfTestStatus.RESET),
    ):
        older = self_test_log(drive)
        drive.check(start_test(drive, SelfTest.SHORT) == 0, TEST, "a short self-test", "a refusal")
        must_be_running(drive, older)
        end()
        must_end(drive, SelfTest.SHORT, result)


@requirement("MEDIA-15", TEST)
@needs(admin(AdminOpcode.SELF_TEST))
def test_an_extended_self_test(drive: Drive, model: Model, writer: Writer) -> None:
    """An extended self-test goes on after a reset, and an abort ends it, with its results in order.

    1. Start it, reset the controller, and switch the power off and on. It is still in progress.
    2. Abort it. The newest entry has the result, the others are those from before.
    """
    restarts = [Drive.reset, *([Drive.power_cycle] if drive.can_switch_power() else [])]
    base = writer.region(16)
    writer.flush()
    older = self_test_log(drive)
    drive.check(start_test(drive, SelfTest.EXTENDED) == 0, TEST, "an extended self-test", "a refusal")
    must_be_running(drive, older)
    for restart in restarts:
        restart(drive)
        log = self_test_log(drive)
        running = log.cdsto.dsts
        drive.check(running == SelfTest.EXTENDED, TEST, "a self-test that goes on", int(running))
        read_back(drive, model, range(base, base + 16))
    drive.check(start_test(drive, SelfTest.ABORT) == 0, TEST, "an abort", "a refusal")
    must_end(drive, SelfTest.EXTENDED, SelfTestStatus.ABORTED)
    must_be_next(drive, older)


def must_be_running(drive: Drive, older: SelfTestLog) -> None:
    """Skip the test if a self-test has ended at once. If there is no result of it, that is a finding."""
    log = self_test_log(drive)
    if log.cdsto.dsts:
        return
    entries = [bytes(one) for one in log.results]
    is_new = entries != [bytes(one) for one in older.results] or len(set(entries)) == 1
    drive.check(is_new, TEST, "a self-test in progress, or its result", "neither")
    pytest.skip("needs a self-test that takes a moment")


def must_be_next(drive: Drive, older: SelfTestLog) -> None:
    """Raise a finding unless the log has one more entry than it had, the older ones unchanged."""
    log = self_test_log(drive)
    same = [bytes(one) for one in log.results][1:] == [bytes(one) for one in older.results][:-1]
    drive.check(same, TEST, "the older entries behind the newest one", "others")
    hours, newest = smart(drive).poh, log.results[0].poh
    drive.check(newest <= hours, TEST, f"power-on hours of {hours} at most", newest)


@requirement("MEDIA-16", TEST)
@needs(admin(AdminOpcode.SELF_TEST))
def test_self_tests_of_each_namespace(drive: Drive) -> None:
    """Each self-test has an entry of its own, with the namespace that was tested.

    1. Run a short self-test of the controller, of each namespace, and of all, and end it by an abort.
    2. The newest entry has the result, and, if it has a namespace, that one. The others are unchanged.
    """
    for nsid in (0, *drive.nsids, ALL_NAMESPACES):
        older = self_test_log(drive)
        status = drive.admin(AdminOpcode.SELF_TEST, nsid=nsid, cdw10=SelfTest.SHORT).status
        drive.check(status == 0, TEST, f"a short self-test of namespace {nsid:#x}", f"status {status:#x}")
        must_be_running(drive, older)
        start_test(drive, SelfTest.ABORT)
        must_end(drive, SelfTest.SHORT, SelfTestStatus.ABORTED)
        must_be_next(drive, older)
        newest = self_test_log(drive).results[0]
        if newest.vdi.nsidv:
            drive.check(newest.nsid == nsid, TEST, f"namespace {nsid:#x}", f"{int(newest.nsid):#x}")


@requirement("MEDIA-17", TEST)
@needs(admin(AdminOpcode.SELF_TEST), admin(AdminOpcode.FORMAT_NVM))
def test_a_format_ends_a_self_test(drive: Drive) -> None:
    """A format of the namespace that is tested ends the self-test, with this result.

    1. Start an extended self-test of the namespace, and format the namespace.
    2. No self-test is in progress, and the newest entry has result 4.
    """
    older = self_test_log(drive)
    command = drive.admin(AdminOpcode.SELF_TEST, nsid=drive.nsid, cdw10=SelfTest.EXTENDED)
    drive.succeed(command, TEST)
    must_be_running(drive, older)
    format_nvm(drive, drive.ns.id_ns.flbas.lbafil)
    must_end(drive, SelfTest.EXTENDED, SelfTestStatus.FORMAT)
    must_be_next(drive, older)


@requirement("MEDIA-10", COMMIT)
@needs(admin(AdminOpcode.FW_COMMIT))
def test_wrong_firmware_commands_are_refused(drive: Drive) -> None:
    """A slot that does not exist, a read-only one, and a wrong image are refused, and the revision stays.

    1. Commit to such slots, and commit an image of zeros.
    2. The revision and the active slot are the same, also after a reset.
    """
    frmw, revision = drive.id_ctrl.frmw, drive.id_ctrl.fr
    image = nvme.Buffer(4096)

    def commit(slot: int, action: int) -> int:
        return drive.admin(AdminOpcode.FW_COMMIT, cdw10=action << 3 | slot).status

    command = drive.admin(AdminOpcode.FW_DOWNLOAD, image, cdw10=1023, cdw11=0)
    drive.expect(command, DOWNLOAD, Status.SUCCESS, Status.INVALID_FIELD, Status.INVALID_FIRMWARE_IMAGE)
    if frmw.nofs < 7:
        status = commit(frmw.nofs + 1, FirmwareAction.REPLACE)
        drive.check(
            status == Status.INVALID_FIRMWARE_SLOT,
            COMMIT,
            "01/06 for a slot that is not there",
            f"{status:#x}",
        )
    if frmw.ffsro:
        status = commit(1, FirmwareAction.REPLACE)
        drive.check(
            status == Status.INVALID_FIRMWARE_SLOT, COMMIT, "01/06 for a read-only slot", f"{status:#x}"
        )
    slot = frmw.nofs
    if not (frmw.ffsro and slot == 1):
        status = commit(slot, FirmwareAction.REPLACE)
        drive.check(status != 0, COMMIT, "a refusal of an image of zeros", "success")
    drive.reset()
    drive.check(drive.id_ctrl.fr == revision, COMMIT, f"revision {revision!r}", repr(drive.id_ctrl.fr))


@requirement("MEDIA-11", COMMIT)
@needs(admin(AdminOpcode.FW_COMMIT))
def test_activation_keeps_the_data(drive: Drive, model: Model, writer: Writer) -> None:
    """The image of the active slot can be activated again by a reset, and the data are there afterwards.

    1. Write, activate the active slot at the next reset, and reset.
    2. Compare the revision, and read.
    """
    nlb = min(LBAS, drive.most_lbas)
    base, revision = writer.region(nlb), drive.id_ctrl.fr
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(3, buf, 512), COMMIT)
    with counters_go_on(drive):
        command = drive.admin(AdminOpcode.FW_COMMIT, cdw10=FirmwareAction.ACTIVATE << 3 | buf[0] & 7)
        drive.expect(
            command,
            COMMIT,
            Status.SUCCESS,
            Status.FW_NEEDS_CONVENTIONAL_RESET,
            Status.FW_NEEDS_SUBSYSTEM_RESET,
            Status.FW_NEEDS_CONTROLLER_RESET,
        )
        drive.reset()
    drive.check(drive.id_ctrl.fr == revision, COMMIT, f"revision {revision!r}", repr(drive.id_ctrl.fr))
    read_back(drive, model, range(base, base + nlb))


def firmware_log(drive: Drive) -> FirmwareLog:
    """The Firmware Slot Information log."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(3, buf, 512), FIRMWARE)
    return FirmwareLog(bytes(buf[:]))


def download(drive: Drive, image: bytes, leave_out: int | None = None) -> None:
    """Download an image in pieces, in random order, perhaps without one of them."""
    unit = 4096 * max(1, int(drive.id_ctrl.fwug)) if drive.id_ctrl.fwug != 0xFF else 4
    size = max(unit, 4096)
    starts = list(range(0, len(image), size))
    drive.random.shuffle(starts)
    for start in starts:
        if start // size == leave_out:
            continue
        piece = image[start : start + size]
        buf = nvme.Buffer(len(piece))
        buf[:] = piece
        command = drive.admin(AdminOpcode.FW_DOWNLOAD, buf, cdw10=len(piece) // 4 - 1, cdw11=start // 4)
        drive.succeed(command, DOWNLOAD)


def commit(drive: Drive, slot: int, action: FirmwareAction) -> Command:
    """Send a Firmware Commit."""
    return drive.admin(AdminOpcode.FW_COMMIT, cdw10=action << 3 | slot)


def must_run(drive: Drive, revision: str, slot: int, when: str) -> None:
    """Raise a finding unless this revision, in this slot, is active, by Identify and by the log page."""
    found = drive.id_ctrl.fr.strip()
    drive.check(found == revision, COMMIT, f"revision {revision!r}, {when}", repr(found))
    log = firmware_log(drive)
    drive.check(log.afi.cafsi == slot, FIRMWARE, f"active slot {slot}, {when}", int(log.afi.cafsi))
    seen = log.frs[slot - 1].strip()
    drive.check(seen == revision, FIRMWARE, f"revision {revision!r} in slot {slot}, {when}", repr(seen))


@requirement("MEDIA-18", COMMIT)
@needs(admin(AdminOpcode.FW_COMMIT), OWN_IMAGES)
def test_updates_of_the_firmware(drive: Drive, model: Model, writer: Writer) -> None:
    """An image that was downloaded in any order is stored, activated as its commit says, and keeps the data.

    1. Download images in pieces in random order, and commit them to each slot by actions 0, 1 and 3, and
       activate a stored one by action 2.
    2. The revision changes at the reset, or at once for action 3, and not before. The other slots are as
       they were. The event comes, the data are there, also after a loss of power.
    3. Images with a byte wrong, or with a piece left out, are refused, and nothing changes.
    4. What the drive promises of its data still holds, after each activation.
    """
    promises = Promises(drive)
    base = writer.region(64)
    original, slots = drive.id_ctrl.fr.strip(), int(drive.id_ctrl.frmw.nofs)
    home = int(firmware_log(drive).afi.cafsi)
    first = 2 if drive.id_ctrl.frmw.ffsro else 1
    can_activate_now = bool(drive.id_ctrl.frmw.fawr)
    others = [one for one in range(first, slots + 1) if one != home]
    if not others:
        pytest.skip("needs a second firmware slot (FRMW bits 3:1)")
    for turn, slot in enumerate(others):
        must_refuse_bad_images(drive, slot)
        before = firmware_log(drive)
        revision = f"T{drive.random.randrange(10**6)}"
        image = firmware.make(revision, size=4096 * drive.random.randint(2, 6))
        download(drive, image)
        if turn % 2 and can_activate_now:
            with events_of(drive, 1 << 9) as events:
                drive.succeed(commit(drive, slot, FirmwareAction.ACTIVATE_NOW), COMMIT)
                must_come_once(drive, events, ACTIVATION_EVENT, "since an image was activated")
            must_run(drive, revision, slot, "after an activation without a reset")
        else:
            store_for_later(drive, slot, image)
            running = before.frs[before.afi.cafsi - 1].strip()
            must_run(drive, running, int(before.afi.cafsi), "before the reset that activates the new image")
            drive.reset()
            must_run(drive, revision, slot, "after the reset")
        after = firmware_log(drive)
        for other in range(1, slots + 1):
            same = other == slot or after.frs[other - 1] == before.frs[other - 1]
            drive.check(same, FIRMWARE, f"slot {other} as before", repr(after.frs[other - 1]))
        read_back(drive, model, range(base, base + 64))
        promises.judge()
        writer.write(base, 64)
    drive.succeed(commit(drive, home, FirmwareAction.ACTIVATE), COMMIT)
    drive.reset()
    must_run(drive, original, home, "after its activation by action 2 and a reset")
    read_back(drive, model, range(base, base + 64))


def store_for_later(drive: Drive, slot: int, image: bytes) -> None:
    """Commit the downloaded image by action 0, which activates nothing, and then for the next reset."""
    drive.succeed(commit(drive, slot, FirmwareAction.REPLACE), COMMIT)
    next_one = int(firmware_log(drive).afi.nafsi)
    drive.check(next_one == 0, FIRMWARE, "no slot to activate at the next reset, after action 0", next_one)
    if drive.random.random() < 0.5:
        download(drive, image)
        drive.succeed(commit(drive, slot, FirmwareAction.REPLACE_ACTIVATE), COMMIT)
    else:
        drive.succeed(commit(drive, slot, FirmwareAction.ACTIVATE), COMMIT)
    next_one = int(firmware_log(drive).afi.nafsi)
    drive.check(next_one in (0, slot), FIRMWARE, f"slot {slot} to activate at the next reset", next_one)


def must_refuse_bad_images(drive: Drive, slot: int) -> None:
    """Raise a finding unless damaged images are refused, and change nothing."""
    before = bytes(firmware_log(drive))
    image = firmware.make("BAD", size=3 * 4096)
    at = drive.random.randrange(32, len(image))
    damaged = image[:at] + bytes([image[at] ^ 1 << drive.random.randrange(8)]) + image[at + 1 :]
    for what, leave_out in ((damaged, None), (image, drive.random.randrange(3))):
        download(drive, what, leave_out)
        command = commit(drive, slot, FirmwareAction.REPLACE_ACTIVATE)
        drive.expect(command, COMMIT, Status.INVALID_FIRMWARE_IMAGE)
    drive.check(bytes(firmware_log(drive)) == before, FIRMWARE, "the slots as before", "others")


@requirement("MEDIA-19", "NVM 1.0, 4.1.5.1 Identify Namespace, FLBAS, and 3.2 NVM Command Set Commands")
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_data_in_each_other_format(drive: Drive) -> None:
    """What is read is what was written in each LBA format, and after losses of power too.

    1. Format with each LBA format that has another LBA size and no metadata.
    2. Send random IO of all kinds and small sizes, and read all that was touched. If the power can be
       switched, cut it under load, several times.
    """
    space = drive.ns.id_ns
    size = space.lbaf[space.flbas.lbafil].lbads
    formats = [space.lbaf[n] for n in range(space.nlbaf + 1)]
    others = [n for n, one in enumerate(formats) if one.lbads not in (0, size) and not one.ms]
    if not others:
        pytest.skip("needs a second LBA size (LBADS)")
    has_switch = drive.can_switch_power()
    for lbaf in others:
        format_nvm(drive, lbaf)
        model = model_of(drive)
        length = min(1000, drive.nsze // 4)
        spaces = [(0, length), (drive.nsze // 2 - length // 2, length), (drive.nsze - length, length)]
        sizes = [one for one in (1, 1, 1, 2, 3, 4, 7, 8, 9, 16, 31) if one <= length]
        traffic = Traffic(drive, model, spaces, queues=3, sizes=sizes)
        traffic.run(lambda: traffic.count >= 1500)  # noqa: B023 - run() ends in this turn
        read_back(drive, model, model.known())
        if has_switch:
            outages = Outages(drive, model, [(length, 100)], MIX)
            for steps in (3, 30, 30, 100):
                outages.cut(steps)


EMVS = 1 << 10
VERIFIES = Need("media verification (SANICAP bit 3)", lambda drive: bool(drive.id_ctrl.sanicap.vers))


@requirement("MEDIA-20", VERIFICATION)
@needs(VERIFIES)
def test_the_media_can_be_read_until_the_host_ends_it(drive: Drive, model: Model) -> None:
    """After an erasure with EMVS the host reads the media, nothing else changes, and SANACT 5 ends it.

    1. Write LBAs. Erase with EMVS, and wait for the state Media Verification and its event.
    2. Read LBAs: success, and none of the old data. Write: Sanitize In Progress.
    3. End it by SANACT 5. The operation ends, with its event. SANACT 5 is invalid then.
    4. EMVS is invalid with an overwrite, and with No-Deallocate.
    """
    able = drive.id_ctrl.sanicap
    action = SanitizeAction.BLOCK_ERASE if able.bes else SanitizeAction.CRYPTO_ERASE
    for wrong in ([SanitizeAction.OVERWRITE | 1 << 4] if able.ows else []) + [action | NDAS]:
        command = drive.admin(AdminOpcode.SANITIZE, cdw10=wrong | EMVS)
        drive.expect(command, VERIFICATION, Status.INVALID_FIELD)
    writer = Writer(drive, model)
    base = writer.region(8)
    buf = nvme.Buffer(8 * drive.lba_size)
    drive.succeed(drive.io(IoOpcode.READ, buf, base, 8), VERIFICATION)
    old = bytes(buf[:])
    with events_of(drive) as events:
        drive.succeed(drive.admin(AdminOpcode.SANITIZE, cdw10=action | EMVS | AUSE), VERIFICATION)
        state(drive, SanitizeState.MEDIA_VERIFICATION)
        must_come_once(drive, events, VERIFICATION_EVENT, "since the media can be read")
        for slba in (base, drive.random.randrange(drive.nsze - 8)):
            drive.succeed(drive.io(IoOpcode.READ, buf, slba, 8), VERIFICATION)
            drive.check(bytes(buf[:]) != old, VERIFICATION, "not the data from before", bytes(buf[:16]).hex())
        command = drive.io(IoOpcode.WRITE, buf, base, 8)
        drive.expect(command, VERIFICATION, Status.SANITIZE_IN_PROGRESS)
        drive.succeed(
            drive.admin(AdminOpcode.SANITIZE, cdw10=SanitizeAction.EXIT_MEDIA_VERIFICATION), VERIFICATION
        )
        log = state(drive, SanitizeState.IDLE)
        drive.check(log.sstat.sos == SanitizeStatus.SUCCESS, VERIFICATION, "SOS 1", log.sstat.sos)
        must_come_once(drive, events, SANITIZE_EVENT, "since the operation has ended")
    command = drive.admin(AdminOpcode.SANITIZE, cdw10=SanitizeAction.EXIT_MEDIA_VERIFICATION)
    drive.expect(command, VERIFICATION, Status.INVALID_FIELD)


def state(drive: Drive, wanted: SanitizeState) -> SanitizeLog:
    """Wait until the sanitize operation is in a state. Read the log with RAE, so that events stay."""
    end, buf = time.monotonic() + PATIENCE, nvme.Buffer(512)
    while True:
        drive.succeed(drive.log_page(0x81, buf, 512, rae=True), VERIFICATION)
        log = SanitizeLog(bytes(buf[:]))
        if log.ssi.sans == wanted:
            drive.succeed(drive.log_page(0x81, buf, 512), VERIFICATION)
            return log
        drive.check(time.monotonic() < end, VERIFICATION, f"SANS {wanted:d}", int(log.ssi.sans))
        drive.poll(lambda: False, 0.002)
