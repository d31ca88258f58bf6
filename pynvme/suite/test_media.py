# SPDX-License-Identifier: BSD-3-Clause
"""Format, sanitize, self-test and firmware: what they end, what they leave, and what interrupts them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Callable

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    FirmwareAction,
    IoOpcode,
    SanitizeAction,
    SanitizeLog,
    SanitizeStatus,
    SelfTest,
    SelfTestLog,
    SelfTestStatus,
    Status,
)
from pynvme.suite import needs, requirement
from pynvme.suite.claims import PLAIN, ROOM, SANITIZES, admin
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.model import Model
from pynvme.suite.traffic import Slot, model_of, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(PLAIN, ROOM)

FORMAT = "Base 2.0, 5.14 Format NVM"
SANITIZE = "Base 2.0, 5.24 Sanitize and 8.1.20 Sanitize Operations"
TEST = "Base 2.0, 5.9 Device Self-test and 8.1.7 Device Self-test Operations"
COMMIT = "Base 2.0, 5.12 Firmware Commit"
DOWNLOAD = "Base 2.0, 5.13 Firmware Image Download"

LBAS = 256
PATIENCE = 600.0
"""Seconds that a format, a sanitize operation or a self-test may take."""

RESTARTS: dict[str, Callable[[Drive], float]] = {"reset": Drive.reset, "power": Drive.power_cycle}
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
    if drive.ns.id_ns.flbas.lbafil != lbaf:
        format_nvm(drive, lbaf)
    drive.nvme0.timeout = before


def format_nvm(drive: Drive, lbaf: int, ses: int = 0) -> None:
    """Format the first namespace, which has to succeed."""
    command = drive.admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=ses << 9 | lbaf)
    drive.succeed(command, FORMAT)
    drive.measure()


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
    """
    fna = drive.id_ctrl.fna
    if ses == 2 and not fna.cryes:
        pytest.skip("needs a cryptographic erase (FNA bit 2)")
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
    for delay in (0, 0.002, 0.01):
        model = model_of(drive)
        writer = Writer(drive, model)
        nlb = min(LBAS, drive.most_lbas)
        base = writer.region(nlb)
        interrupted = drive.send_admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=1 << 9 | lbaf)
        time.sleep(delay)
        RESTARTS[restart](drive)
        if not interrupted.done:
            drive.reap(drive.nvme0)
        format_nvm(drive, lbaf, 1)
        must_be_gone(drive, model, base, nlb, FORMAT)
        model = model_of(drive)
        Writer(drive, model).write(base, nlb)
        read_back(drive, model, range(base, base + nlb))


def sanitize_log(drive: Drive) -> SanitizeLog:
    """The Sanitize Status log."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(0x81, buf, 512), SANITIZE)
    return SanitizeLog(bytes(buf[:]))


def start_sanitize(drive: Drive, action: SanitizeAction) -> None:
    """Start a sanitize operation."""
    overwrite = 1 << 4 if action is SanitizeAction.OVERWRITE else 0
    drive.succeed(drive.admin(AdminOpcode.SANITIZE, cdw10=action | overwrite, cdw11=0x5A5A5A5A), SANITIZE)


def end_sanitize(drive: Drive, progress: int = 0) -> None:
    """Wait for the end of a sanitize operation, and judge its progress on the way."""
    end = time.monotonic() + PATIENCE
    buf = nvme.Buffer(drive.lba_size)
    while True:
        log = sanitize_log(drive)
        if log.sstat.sos != SanitizeStatus.IN_PROGRESS:
            break
        drive.check(log.sprog >= progress, SANITIZE, f"progress {progress} or more", log.sprog)
        progress = log.sprog
        for opcode in (IoOpcode.READ, IoOpcode.WRITE):
            command = drive.io(opcode, buf)
            if sanitize_log(drive).sstat.sos == SanitizeStatus.IN_PROGRESS:
                drive.expect(command, SANITIZE, Status.SANITIZE_IN_PROGRESS)
        drive.check(time.monotonic() < end, SANITIZE, f"an end within {PATIENCE:g} s", f"progress {progress}")
        time.sleep(0.02)
    done = (SanitizeStatus.SUCCESS, SanitizeStatus.DEALLOCATED)
    drive.check(log.sstat.sos in done, SANITIZE, "success (SSTAT 1 or 4)", f"SSTAT {int(log.sstat.sos)}")
    drive.check(log.sprog == 0xFFFF, SANITIZE, "progress FFFFh at the end", f"{log.sprog:#x}")


@requirement("MEDIA-5", SANITIZE)
@needs(SANITIZES)
@pytest.mark.parametrize("action", list(CAPABILITIES), ids=lambda action: action.name)
def test_sanitize_erases_everything(drive: Drive, action: SanitizeAction) -> None:
    """A sanitize operation refuses IO until its end, and leaves no data in any namespace.

    1. Write to each namespace, flush, and start the operation.
    2. Until it has ended, reads and writes fail with Sanitize In Progress, and the progress does not go back.
    3. The data are gone, and new ones can be written.
    """
    if not drive.id_ctrl.sanicap[CAPABILITIES[action]]:
        pytest.skip(f"needs {action.name} (SANICAP)")
    writers = [Writer(each, model_of(each)) for each in drive.by_namespace()]
    places = [writer.region(min(LBAS, writer.drive.most_lbas)) for writer in writers]
    drive.flush()
    start_sanitize(drive, action)
    end_sanitize(drive)
    for writer, slba in zip(writers, places):
        nlb = min(LBAS, writer.drive.most_lbas)
        must_be_gone(writer.drive, writer.model, slba, nlb, SANITIZE)
        model = model_of(writer.drive)
        Writer(writer.drive, model).write(slba, nlb)
        read_back(writer.drive, model, range(slba, slba + nlb))


@requirement("MEDIA-6", SANITIZE)
@needs(SANITIZES)
@each_restart
def test_an_interrupted_sanitize_goes_on(drive: Drive, model: Model, writer: Writer, restart: str) -> None:
    """A reset or a loss of power does not end a sanitize operation, and no data are left at its end.

    1. Write, start the operation, and interrupt it a moment later.
    2. It goes on, with IO refused until its end. The data are gone.
    """
    if restart == "power" and not drive.can_switch_power():
        pytest.skip("needs a power that can be switched")
    action = next(one for one, name in CAPABILITIES.items() if drive.id_ctrl.sanicap[name])
    nlb = min(LBAS, drive.most_lbas)
    base = writer.region(nlb)
    writer.flush()
    start_sanitize(drive, action)
    time.sleep(0.1)
    progress = sanitize_log(drive)
    RESTARTS[restart](drive)
    log = sanitize_log(drive)
    states = [SanitizeStatus.IN_PROGRESS, SanitizeStatus.SUCCESS, SanitizeStatus.DEALLOCATED]
    drive.check(log.sstat.sos in states, SANITIZE, "an operation that goes on", f"SSTAT {int(log.sstat.sos)}")
    if log.sstat.sos != SanitizeStatus.IN_PROGRESS and progress.sstat.sos == SanitizeStatus.IN_PROGRESS:
        drive.check(
            progress.sprog > 0x4000, SANITIZE, "an operation in progress", "its end, far from its progress"
        )
    end_sanitize(drive)
    must_be_gone(drive, model, base, nlb, SANITIZE)


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
    """
    base = writer.region(16)
    drive.check(start_test(drive, SelfTest.SHORT) == 0, TEST, "a short self-test", "a refusal")
    if self_test_log(drive).cdsto.dsts:
        status = start_test(drive, SelfTest.SHORT)
        drive.check(status == Status.SELF_TEST_IN_PROGRESS, TEST, "01/1D", f"{status:#x}")
    end, progress = time.monotonic() + PATIENCE, 0
    while self_test_log(drive).cdsto.dsts:
        found = int(self_test_log(drive).cdstc.dstcp)
        drive.check(found >= progress or found == 0, TEST, f"progress {progress} % or more", f"{found} %")
        progress = found
        read_back(drive, model, range(base, base + 16))
        drive.check(time.monotonic() < end, TEST, f"an end within {PATIENCE:g} s", f"{progress} %")
        time.sleep(0.02)
    must_end(drive, SelfTest.SHORT, SelfTestStatus.PASSED)
    read_back(drive, model, range(base, base + 16))


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
        drive.check(start_test(drive, SelfTest.SHORT) == 0, TEST, "a short self-test", "a refusal")
        if not self_test_log(drive).cdsto.dsts:
            pytest.skip("needs a self-test that takes a moment")
        end()
        must_end(drive, SelfTest.SHORT, result)


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
