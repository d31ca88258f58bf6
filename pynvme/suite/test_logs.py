# SPDX-License-Identifier: BSD-3-Clause
"""Logs, counters and events: what they count is what has happened."""

from __future__ import annotations

from collections.abc import Iterator

import nvme
import pytest

from pynvme.spec import AdminOpcode, ErrorLogEntry, FeatureId, FirmwareLog, IoOpcode, SmartLog
from pynvme.suite import needs, requirement
from pynvme.suite.claims import EVENTS, LOG_OFFSETS, PLAIN, ROOM, TELEMETRY
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command

SMART = "Base 2.0, 5.16.1.3 SMART / Health Information"
ERRORS = "Base 2.0, 5.16.1.2 Error Information"
AER = "Base 2.0, 5.2 Asynchronous Event Request"
THRESHOLD = "Base 2.0, 5.27.1.3 Temperature Threshold"
FIRMWARE = "Base 2.0, 5.16.1.4 Firmware Slot Information"
TELEMETRY_CLAUSE = "Base 2.0, 5.16.1.8 Telemetry Host-Initiated"

UNIT = 1000 * 512
HOTTEST = 0xFFFF


def smart(drive: Drive, rae: bool = True) -> SmartLog:
    """The SMART / Health Information log. It is read without re-arming events."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(2, buf, 512, rae=rae), SMART)
    return SmartLog(bytes(buf[:]))


@requirement("LOGS-1", SMART)
@needs(PLAIN, ROOM)
def test_commands_and_data_are_counted(drive: Drive) -> None:
    """Host commands are counted exactly, data in thousands of 512 bytes, and nothing else counts.

    1. Read the log, send a number of reads and writes, flushes and admin commands, and read it again.
    2. Compare the differences with what was sent. Data units are rounded up.
    """
    nlb = min(drive.most_lbas, 100)
    buf = nvme.Buffer(nlb * drive.lba_size)
    for opcode, data, commands in ((IoOpcode.WRITE, "duw", "hwc"), (IoOpcode.READ, "dur", "hrc")):
        for count in (1, 41):
            before = smart(drive)
            for index in range(count):
                drive.succeed(drive.io(opcode, buf, index * nlb, nlb), SMART)
                if index % 8 == 0:
                    drive.flush()
                    drive.admin(AdminOpcode.GET_FEATURES, cdw10=7)
            after = smart(drive)
            for name in ("hwc", "hrc"):
                expected = before[name] + count * (name == commands)
                drive.check(after[name] == expected, SMART, f"{name.upper()} {expected}", after[name])
            units = count * nlb * drive.lba_size / UNIT
            grown = after[data] - before[data]
            drive.check(
                units - 1 < grown < units + 1, SMART, f"{data.upper()} grows by {units:.2f}, rounded", grown
            )


@requirement("LOGS-2", SMART)
def test_the_health_log_is_plausible(drive: Drive) -> None:
    """Temperature, spare and life are in their ranges, counters do not go back, reserved bits are 0.

    1. Read the log several times, before and after a reset.
    """
    last = smart(drive)
    for turn in range(6):
        if turn == 3:
            drive.reset()
        now = smart(drive)
        drive.check(200 < now.ctemp < 400, SMART, "a temperature of 200 to 400 K", now.ctemp)
        drive.check(now.avsp <= 100 and now.avspt <= 100, SMART, "spare of 100 % at most", now.avsp)
        drive.check(not now.cw >> 6, SMART, "critical warnings without reserved bits", f"{int(now.cw):#x}")
        is_low, warning = now.avsp < now.avspt, f"{int(now.cw):#x}"
        drive.check(bool(now.cw & 1) == is_low, SMART, f"critical warning bit 0 is {is_low:d}", warning)
        for name in ("dur", "duw", "hrc", "hwc", "cbt", "pwrc", "poh", "upl", "mdie", "neile"):
            drive.check(now[name] >= last[name], SMART, f"{name.upper()} {last[name]} or more", now[name])
        last = now


@requirement("LOGS-3", ERRORS)
@needs(PLAIN, ROOM)
def test_entries_of_the_error_log(drive: Drive) -> None:
    """The entry of an error names the queue, the command, the status and the LBA, and SMART counts it.

    1. Let reads past the end fail, and a Get Features of a reserved FID.
    2. If the drive logs them, compare the newest entry, and the number of entries.
    """
    buf = nvme.Buffer(drive.lba_size)
    for lba in (drive.nsze + 5, drive.nsze + (1 << 33)):
        before = smart(drive).neile
        must_be_logged(drive, drive.io(IoOpcode.READ, buf, lba), before, lba)
    before = smart(drive).neile
    must_be_logged(drive, drive.get_feature(0x77), before)


def must_be_logged(drive: Drive, command: Command, before: int, lba: int | None = None) -> None:
    """Judge the entry of a command that has to fail, if there is a new one since `before` entries."""
    drive.refused(command, ERRORS)
    entries = error_log(drive, 2)
    newest, count = entries[0], smart(drive).neile
    if newest.ecnt == before or not newest.ecnt:
        return
    drive.check(count == before + 1, SMART, f"{before + 1} entries in the error log", count)
    drive.check(newest.ecnt == count, ERRORS, f"error count {count} in the newest entry", newest.ecnt)
    found = (newest.sqid, newest.cid, int(newest.status) >> 1 & 0x7FF)
    wanted = (command.qid, command.cid, command.status)
    drive.check(found == wanted, ERRORS, f"SQID, CID and status {wanted}", found)
    if lba is not None:
        drive.check(newest.lba == lba, ERRORS, f"LBA {lba:#x}", f"{newest.lba:#x}")
    older = entries[1].ecnt
    drive.check(older < newest.ecnt, ERRORS, "the newest entry first", f"{newest.ecnt} before {older}")


def error_log(drive: Drive, count: int) -> list[ErrorLogEntry]:
    """The newest entries of the error log."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(1, buf, 64 * count), ERRORS)
    data = bytes(buf[: 64 * count])
    return [ErrorLogEntry(data[64 * index : 64 * index + 64]) for index in range(count)]


@pytest.fixture
def events(drive: Drive) -> Iterator[list[int]]:
    """Dword 0 of each asynchronous event, as it comes. Temperature events are enabled."""
    found: list[int] = []
    drive.nvme0.register_aer_cb(lambda cdw0, status: found.append(cdw0))
    before = drive.get_feature(FeatureId.ASYNC_EVENT).cdw0
    threshold = drive.get_feature(FeatureId.TEMPERATURE).cdw0
    set_threshold(drive, HOTTEST)
    drive.set_feature(FeatureId.ASYNC_EVENT, before | 0x1F)
    smart(drive, rae=False)
    drive.poll(lambda: False, 0.01)
    found.clear()
    yield found
    drive.set_feature(FeatureId.TEMPERATURE, threshold)
    drive.set_feature(FeatureId.ASYNC_EVENT, before)
    drive.nvme0.register_aer_cb(None)


def set_threshold(drive: Drive, kelvin: int) -> None:
    """Set the over temperature threshold of the composite temperature."""
    drive.succeed(drive.set_feature(FeatureId.TEMPERATURE, kelvin), THRESHOLD)


def must_come(drive: Drive, events: list[int], count: int, why: str) -> None:
    """Wait for temperature events."""
    drive.poll(lambda: len(events) >= count, 3.0)
    drive.check(len(events) == count, AER, f"{count} events, {why}", [f"{event:#x}" for event in events])
    for event in events:
        drive.check(event & 0xFFFF == 0x0101, AER, "type 1, temperature threshold (0101h)", f"{event:#x}")
        drive.check(event >> 16 & 0xFF == 2, AER, "log page 02h", f"{event >> 16 & 0xFF:02x}h")


@requirement("LOGS-4", THRESHOLD)
@needs(EVENTS)
def test_a_temperature_above_the_threshold_is_an_event(drive: Drive, events: list[int]) -> None:
    """A threshold below the temperature gives one event and the critical warning, and only that.

    1. Set the threshold below the temperature. One event comes, and critical warning bit 1 is set.
    2. Set it above the temperature. No event comes, and the bit is clear.
    """
    kelvin = int(smart(drive).ctemp)
    set_threshold(drive, kelvin - 5)
    must_come(drive, events, 1, "since the temperature is above the threshold")
    warning = int(smart(drive).cw)
    drive.check(bool(warning & 2), SMART, "critical warning bit 1", f"{warning:#x}")
    set_threshold(drive, kelvin + 50)
    drive.poll(lambda: len(events) > 1, 0.1)
    drive.check(len(events) == 1, AER, "no event, since the temperature is below the threshold", len(events))
    warning = int(smart(drive).cw)
    drive.check(not warning & 2, SMART, "critical warning bit 1 is 0", f"{warning:#x}")


@requirement("LOGS-5", AER)
@needs(EVENTS)
def test_an_event_is_masked_until_its_log_is_read(drive: Drive, events: list[int]) -> None:
    """After an event, none of its type comes before its log page is read without RAE.

    1. Cause an event, and cause it again. No second event comes.
    2. Read the log with RAE. Still none comes. Read it without, and cause it again. It comes.
    """
    kelvin = int(smart(drive).ctemp)
    set_threshold(drive, kelvin - 5)
    must_come(drive, events, 1, "since the temperature is above the threshold")
    for rae in (None, True):
        if rae:
            smart(drive, rae=True)
        set_threshold(drive, kelvin + 50)
        set_threshold(drive, kelvin - 5)
        drive.poll(lambda: len(events) > 1, 0.1)
        drive.check(
            len(events) == 1,
            AER,
            "no second event before the log was read",
            f"{len(events)} events",
        )
    set_threshold(drive, kelvin + 50)
    smart(drive, rae=False)
    set_threshold(drive, kelvin - 5)
    must_come(drive, events, 2, "since reading the log without RAE has re-armed it")


@requirement("LOGS-6", AER)
@needs(EVENTS)
def test_events_that_are_disabled_do_not_come(drive: Drive, events: list[int]) -> None:
    """A critical warning whose bit in feature 0Bh is 0 gives no event.

    1. Disable temperature events, and set the threshold below the temperature.
    """
    kelvin = int(smart(drive).ctemp)
    drive.set_feature(FeatureId.ASYNC_EVENT, 0)
    set_threshold(drive, kelvin - 5)
    drive.poll(lambda: bool(events), 0.1)
    drive.check(not events, AER, "no event, since it is disabled", [f"{event:#x}" for event in events])


@requirement("LOGS-7", FIRMWARE)
def test_the_firmware_log_agrees_with_identify(drive: Drive) -> None:
    """The active slot exists, and holds the revision that Identify reports.

    1. Read the log page and Identify, and compare them.
    """
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(3, buf, 512), FIRMWARE)
    log = FirmwareLog(bytes(buf[:]))
    slot, slots = int(log.afi.cafsi), int(drive.id_ctrl.frmw.nofs)
    drive.check(1 <= slot <= slots, FIRMWARE, f"an active slot of 1 to {slots}", slot)
    revision = bytes(buf[8 * slot : 8 * slot + 8]).decode(errors="replace").strip()
    wanted = drive.id_ctrl.fr.strip()
    drive.check(revision == wanted, FIRMWARE, f"revision {wanted!r} in slot {slot}", repr(revision))


@requirement("LOGS-8", TELEMETRY_CLAUSE)
@needs(TELEMETRY, LOG_OFFSETS)
def test_telemetry_of_the_host(drive: Drive) -> None:
    """Telemetry is captured on request, its areas follow each other, and parts of it agree.

    1. Create a capture, and read its header and a part, twice.
    2. The parts are the same, and the area bounds do not decrease.
    """
    buf, again = nvme.Buffer(4096), nvme.Buffer(4096)
    drive.succeed(drive.log_page(7, buf, 512, lsp=1), TELEMETRY_CLAUSE)
    areas = [buf.data(at + 1, at) for at in (8, 10, 12)]
    drive.check(areas == sorted(areas), TELEMETRY_CLAUSE, "bounds of areas that do not decrease", areas)
    drive.check(buf[0] == 7, TELEMETRY_CLAUSE, "log page 07h in byte 0", f"{buf[0]:02x}h")
    length = min(4096, 512 * areas[0])
    if length:
        drive.succeed(drive.log_page(7, buf, length, 512), TELEMETRY_CLAUSE)
        drive.succeed(drive.log_page(7, again, length, 512), TELEMETRY_CLAUSE)
        same = buf[:length] == again[:length]
        drive.check(same, TELEMETRY_CLAUSE, "the data of the capture, as before", "others")
    behind = 512 * (max(areas) + 1) + 512
    drive.refused(drive.log_page(7, buf, 512, behind), "Base 2.0, 5.16 Get Log Page, Log Page Offset")
