# SPDX-License-Identifier: BSD-3-Clause
"""Logs, counters and events: what they count is what has happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Callable

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    Cap,
    Cns,
    EnduranceGroupList,
    EnduranceGroupLog,
    ErrorLogEntry,
    FeatureId,
    FirmwareLog,
    IdentifyNamespaceIndependent,
    IoOpcode,
    LbaStatusDescriptors,
    LbaStatusLog,
    LbaStatusNamespace,
    LogId,
    PersistentEvent,
    PersistentEventLog,
    PersistentEventType,
    PowerMeasurementLog,
    Register,
    RotationalMediaLog,
    SanitizeLog,
    SelfTestLog,
    SmartLog,
    Status,
    TelemetryLog,
)
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import (
    EVENTS,
    FLR,
    HOT_RESET,
    LOG_OFFSETS,
    ROOM,
    SANITIZES,
    SUBSYSTEM_RESET,
    SWITCHED_POWER,
    TELEMETRY,
    admin,
    feature,
    io,
    log,
    saveable,
    version,
)
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.features import HOT, host_behavior
from pynvme.suite.health import SMART, smart
from pynvme.suite.history import MISMATCH, Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import MIX, Traffic
from pynvme.suite.writing import Writer

ERRORS = "Base 2.0, 5.16.1.2 Error Information"
AER = "Base 2.0, 5.2 Asynchronous Event Request"
THRESHOLD = "Base 2.0, 5.27.1.3 Temperature Threshold"
FIRMWARE = "Base 2.0, 5.16.1.4 Firmware Slot Information"
TELEMETRY_CLAUSE = "Base 2.0, 5.16.1.8 Telemetry Host-Initiated"

UNIT = 1000 * 512
HOTTEST = 0xFFFF


MOST_KELVIN = 20
"""By how much the temperature of a drive changes within a second at most."""


@requirement("LOGS-1", SMART)
@needs(ROOM)
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
            units = count * nlb * int(drive.ns.lba_size) / UNIT
            grown = after[data] - before[data]
            drive.check(
                units - 1 < grown < units + 1, SMART, f"{data.upper()} grows by {units:.2f}, rounded", grown
            )


@requirement("LOGS-2", SMART)
def test_the_health_log_is_plausible(drive: Drive) -> None:
    """Temperature, spare and life are in their ranges, counters do not go back, reserved bits are 0.

    1. Read the log several times, before and after a reset.
    2. Compare its fields with their ranges, and with each other.
    """
    last = smart(drive)
    for turn in range(6):
        if turn == 3:
            drive.reset()
        now = smart(drive)
        drive.check(200 < now.ctemp < 400, SMART, "a temperature of 200 to 400 K", now.ctemp)
        drive.check(now.avsp <= 100 and now.avspt <= 100, SMART, "spare of 100 % at most", now.avsp)
        drive.check(not now.cw >> 6, SMART, "critical warnings without reserved bits", f"{int(now.cw):#x}")
        must_be_explained(drive, now)
        for name in ("dur", "duw", "hrc", "hwc", "cbt", "pwrc", "poh", "upl", "mdie", "neile"):
            drive.check(now[name] >= last[name], SMART, f"{name.upper()} {last[name]} or more", now[name])
        last = now


def must_be_explained(drive: Drive, log: SmartLog) -> None:
    """Raise a finding unless critical warnings and times of the health log agree with its other fields."""
    is_low, warning = log.avsp < log.avspt, f"{int(log.cw):#x}"
    drive.check(bool(log.cw.ascbt) == is_low, SMART, f"critical warning bit 0 is {is_low:d}", warning)
    is_worn = bool(is_low or log.mdie or log.pused >= 100)
    drive.check(is_worn or not log.cw.ndr, SMART, "no degraded reliability without errors or wear", warning)
    has_region, has_groups = bool(Cap(drive.nvme0.cap).pmrs), bool(drive.id_ctrl.ctratt.egs)
    drive.check(has_region or not log.cw.pmrro, SMART, "no warning of a region, without one", warning)
    groups = f"{int(log.egcws):#x}"
    drive.check(has_groups or not int(log.egcws), SMART, "no warning of a group, without one", groups)
    if log.cw.amro:
        command = drive.io(IoOpcode.WRITE, nvme.Buffer(max(4096, drive.lba_size)), drive.nsze - 1)
        drive.refused(command, f"{SMART}, Critical Warning, bit 3")
    minutes = 60 * (log.poh + 1)
    for name, most in (("cbt", minutes), ("wctt", minutes), ("cctt", minutes), ("upl", log.pwrc)):
        drive.check(log[name] <= most, SMART, f"{name.upper()} {most} at most, by POH or PWRC", log[name])
    for name in ("ttmt1", "ttmt2"):
        drive.check(log[name] <= 60 * minutes, SMART, f"{name.upper()} {60 * minutes} at most", log[name])


@requirement("LOGS-3", ERRORS)
@needs(ROOM)
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
    arm(drive)
    drive.poll(lambda: False, 0.01)
    found.clear()
    yield found
    drive.set_feature(FeatureId.TEMPERATURE, threshold)
    drive.set_feature(FeatureId.ASYNC_EVENT, before)
    drive.nvme0.register_aer_cb(None)


def arm(drive: Drive) -> None:
    """Enable the events of critical warnings, of which none is there."""
    set_threshold(drive, HOTTEST)
    enabled = drive.get_feature(FeatureId.ASYNC_EVENT).cdw0
    drive.succeed(drive.set_feature(FeatureId.ASYNC_EVENT, enabled | 0x1F), AER)
    smart(drive, rae=False)


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


def generation(drive: Drive) -> int:
    """The generation number of the host-initiated capture."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(7, buf, 512), TELEMETRY_CLAUSE)
    return int(TelemetryLog(buf[:]).thdgn)


@requirement("LOGS-8", TELEMETRY_CLAUSE)
@needs(TELEMETRY, LOG_OFFSETS)
def test_telemetry_of_the_host(drive: Drive) -> None:
    """Telemetry is captured on request, its areas follow each other, and parts of it agree.

    1. Create a capture, and read its header and a part, twice.
    2. The parts are the same, and the area bounds do not decrease.
    3. A read without a request leaves the generation number, and the next request adds 1.
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
    number = generation(drive)
    drive.succeed(drive.log_page(7, buf, 512), TELEMETRY_CLAUSE)
    drive.check(
        generation(drive) == number,
        TELEMETRY_CLAUSE,
        "the generation, since no capture was asked for",
        "another",
    )
    if drive.nvme0[Register.VS] >= 0x00020000:
        drive.succeed(drive.log_page(7, buf, 512, lsp=1), TELEMETRY_CLAUSE)
        found, wanted = generation(drive), (number + 1) % 256
        drive.check(found == wanted, TELEMETRY_CLAUSE, f"generation {wanted} of a new capture", found)
    behind = 512 * (max(areas) + 1) + 512
    drive.refused(drive.log_page(7, buf, 512, behind), "Base 2.0, 5.16 Get Log Page, Log Page Offset")


AREA_4 = Need("telemetry data area 4 (LPA bit 6)", lambda drive: bool(drive.id_ctrl.lpa.da4s))


@requirement("LOGS-26", TELEMETRY_CLAUSE)
@needs(TELEMETRY, LOG_OFFSETS, AREA_4)
def test_telemetry_area_4_is_for_hosts_that_enable_it(drive: Drive) -> None:
    """A capture has data area 4 if the host has set ETDAS, and only then; it follows area 3 and can be read.

    1. Set ETDAS of Host Behavior Support, create a capture, and read its last block.
    2. Clear ETDAS, and create another. DA4LB is 0.
    """
    buf = nvme.Buffer(512)
    with host_behavior(drive, etdas=1):
        drive.succeed(drive.log_page(7, buf, 512, lsp=1), TELEMETRY_CLAUSE)
        header = TelemetryLog(buf[:])
        third, fourth = int(header.da3lb), int(header.da4lb)
        drive.check(fourth >= third, TELEMETRY_CLAUSE, f"DA4LB from DA3LB, {third}, on", fourth)
        if fourth:
            drive.succeed(drive.log_page(7, buf, 512, 512 * fourth), TELEMETRY_CLAUSE)
    with host_behavior(drive, etdas=0):
        drive.succeed(drive.log_page(7, buf, 512, lsp=1), TELEMETRY_CLAUSE)
        found = int(TelemetryLog(buf[:]).da4lb)
        drive.check(not found, TELEMETRY_CLAUSE, "DA4LB 0, since ETDAS is 0", found)


TELEMETRY_EVENT, TELEMETRY_NOTICE = 0x080202, 1 << 10
"""Dword 0 of the event, and the bit of feature 0Bh that enables it."""


def controller_telemetry(drive: Drive, rae: bool = True) -> TelemetryLog:
    """The header of log page 08h, twice, with fields that are plausible and do not change."""
    headers = []
    for _ in range(2):
        buf = nvme.Buffer(512)
        buf[:] = drive.random.randbytes(1) * 512
        drive.succeed(drive.log_page(8, buf, 512, rae=True), CONTROLLER_TELEMETRY)
        headers.append(buf[:])
    first = TelemetryLog(headers[0])
    drive.check(headers[0] == headers[1], CONTROLLER_TELEMETRY, "the header as before", "another")
    drive.check(first.lid == 8, CONTROLLER_TELEMETRY, "log page 08h in byte 0", f"{int(first.lid):02x}h")
    areas = [int(first.da1lb), int(first.da2lb), int(first.da3lb)]
    drive.check(areas == sorted(areas), CONTROLLER_TELEMETRY, "bounds of areas that do not decrease", areas)
    drive.check(first.tcda < 2, CONTROLLER_TELEMETRY, "TCDA of 0 or 1", int(first.tcda))
    if not rae:
        drive.succeed(drive.log_page(8, nvme.Buffer(512), 512), CONTROLLER_TELEMETRY)
    return first


CONTROLLER_TELEMETRY = "Base 2.0, 5.16.1.9 Telemetry Controller-Initiated"


@requirement("LOGS-20", CONTROLLER_TELEMETRY)
@needs(TELEMETRY, LOG_OFFSETS, EVENTS, ROOM)
def test_telemetry_of_the_controller(drive: Drive, events: list[int]) -> None:
    """If the drive captures telemetry by itself, its number grows by 1, an event tells it, and it stays.

    1. Read log page 08h without RAE. Enable its event. Let reads of an LBA fail, if the drive can mark it.
    2. Read the log page again. If there are new data, one event has come, and none otherwise. Parts of it
       are the same each time. Disable the event. None comes.
    """
    buf, again = nvme.Buffer(4096), nvme.Buffer(4096)
    for notice in (TELEMETRY_NOTICE, 0):
        drive.succeed(drive.set_feature(FeatureId.ASYNC_EVENT, notice), AER)
        before = controller_telemetry(drive, rae=False)
        drive.poll(lambda: False, 0.005)
        events.clear()
        let_reads_fail(drive)
        drive.poll(lambda: bool(events), 0.05)
        after = controller_telemetry(drive)
        grown = (after.tcdgn - before.tcdgn) % 256
        drive.check(grown < 2, CONTROLLER_TELEMETRY, "one capture at most, as it was not read", grown)
        wanted = [TELEMETRY_EVENT] if grown and notice else []
        seen = [hex(event) for event in events]
        drive.check(events == wanted, CONTROLLER_TELEMETRY, f"events {[hex(one) for one in wanted]}", seen)
        drive.check(bool(after.tcda) or not grown, CONTROLLER_TELEMETRY, "TCDA 1 of a new capture", "0")
        if after.tcda and after.da1lb:
            for part in (buf, again):
                drive.succeed(drive.log_page(8, part, 512, 512, rae=True), CONTROLLER_TELEMETRY)
            drive.check(buf[:512] == again[:512], CONTROLLER_TELEMETRY, "the data as before", "others")
    controller_telemetry(drive, rae=False)


def let_reads_fail(drive: Drive) -> None:
    """Mark an LBA, if the drive can, read it, and write it again."""
    buf, lba = nvme.Buffer(max(4096, drive.lba_size)), drive.random.randrange(drive.nsze)
    if not drive.ns.supports(IoOpcode.WRITE_UNCORRECTABLE):
        return
    drive.succeed(drive.io(IoOpcode.WRITE_UNCORRECTABLE, None, lba), CONTROLLER_TELEMETRY)
    for _ in range(3):
        drive.refused(drive.io(IoOpcode.READ, buf, lba), CONTROLLER_TELEMETRY)
    drive.succeed(drive.io(IoOpcode.WRITE, buf, lba), CONTROLLER_TELEMETRY)


COUNTERS = ("dur", "duw", "hrc", "hwc", "pwrc", "upl", "mdie", "neile")
"""Counters that stand if nothing happens."""
TIMES = {"cbt": 60, "poh": 3600, "wctt": 60, "cctt": 60, "ttmt1": 1, "ttmt2": 1}
"""Counters of time, with the seconds of their units."""


@requirement("LOGS-9", SMART)
@needs(ROOM)
def test_counters_stand_if_nothing_happens(drive: Drive) -> None:
    """Commands that are neither read nor write move no counter, and counters of time move with the time.

    1. Read the log many times, with admin commands, flushes and other IO between.
    2. Compare all counters with those of the first time.
    """
    first, start = smart(drive), time.monotonic()
    others: list[Callable[[], Command]] = [
        lambda: drive.admin(AdminOpcode.IDENTIFY, nvme.Buffer(4096), cdw10=Cns.CTRL),
        lambda: drive.get_feature(FeatureId.ARBITRATION),
        lambda: drive.log_page(3, nvme.Buffer(512), 512),
        drive.flush,
    ]
    if drive.ns.supports(IoOpcode.DSM):
        others.append(lambda: drive.deallocate([(0, 8)]))
    for _ in range(drive.random.randint(20, 40)):
        drive.succeed(drive.random.choice(others)(), SMART)
        now, most = smart(drive), time.monotonic() - start
        for name in COUNTERS:
            drive.check(now[name] == first[name], SMART, f"{name.upper()} stays {first[name]}", now[name])
        for name, unit in TIMES.items():
            grown = now[name] - first[name]
            drive.check(
                0 <= grown <= most / unit + 1, SMART, f"{name.upper()} grows as the time does", f"{grown}"
            )
        jump = abs(now.ctemp - first.ctemp)
        drive.check(jump <= MOST_KELVIN, SMART, f"a temperature near {first.ctemp}", f"{now.ctemp}")
        for sensor, kelvin in enumerate(now.tsen):
            drive.check(
                not kelvin or 200 < kelvin < 400, SMART, f"200 to 400 K of sensor {sensor + 1}", kelvin
            )


def shut_down_and_reset(drive: Drive) -> None:
    """Shut the controller down normally, and reset it."""
    drive.delete_qpairs()
    drive.shut_down()
    drive.reset()


def shut_down_and_cycle(drive: Drive) -> None:
    """Shut the controller down normally, and switch the power off and on."""
    drive.delete_qpairs()
    drive.shut_down()
    drive.power_cycle()


RESETTING: dict[str, Callable[[Drive], object]] = {
    "controller": Drive.reset,
    "function": Drive.flr,
    "subsystem": Drive.subsystem_reset,
    "link": Drive.hot_reset,
    "shutdown": shut_down_and_reset,
    "power": shut_down_and_cycle,
    "sudden": Drive.power_cycle,
}
"""Ways to reset. The last one may lose the counts of the last moment."""

NEEDED = {
    "function": FLR,
    "subsystem": SUBSYSTEM_RESET,
    "link": HOT_RESET,
    "power": SWITCHED_POWER,
    "sudden": SWITCHED_POWER,
}


@pytest.fixture
def reset(drive: Drive, kind: str) -> Callable[[], object]:
    """Reset by this kind."""
    need = NEEDED.get(kind)
    if need is not None and not need.met(drive):
        pytest.skip(f"needs {need.text}")
    return lambda: RESETTING[kind](drive)


@requirement("LOGS-10", SMART)
@needs(ROOM)
@pytest.mark.parametrize("kind", list(RESETTING))
def test_counters_survive_each_kind_of_reset(drive: Drive, kind: str, reset: Callable[[], object]) -> None:
    """A reset changes no counter but those of the driver's commands, and only a loss of power counts as one.

    1. Read and write, read the log, reset, and read the log several times.
    2. Compare all counters. PWRC grows by one with a loss of power, and UPL if no shutdown came before it.
    """
    buf = nvme.Buffer(drive.lba_size)
    for index in range(drive.random.randint(1, 8)):
        drive.succeed(drive.io(IoOpcode.WRITE, buf, index), SMART)
        drive.succeed(drive.io(IoOpcode.READ, buf, index), SMART)
    before, start = smart(drive), time.monotonic()
    reset()
    added = {"pwrc": int(kind in ("power", "sudden")), "upl": int(kind == "sudden")}
    for _ in range(3):
        now, most = smart(drive), time.monotonic() - start
        for name in COUNTERS:
            wanted, found = before[name] + added.get(name, 0), now[name]
            if name == "neile":
                right = found >= wanted or kind == "sudden"
            else:
                right = found == wanted or (kind == "sudden" and name not in added and found < wanted)
            drive.check(right, SMART, f"{name.upper()} {wanted} after a {kind} reset", found)
        for name, unit in TIMES.items():
            grown = now[name] - before[name]
            drive.check(
                0 <= grown <= most / unit + 1, SMART, f"{name.upper()} grows as the time does", f"{grown}"
            )
        for name in ("avspt", "pused", "tmt1tc", "tmt2tc"):
            drive.check(now[name] == before[name], SMART, f"{name.upper()} stays {before[name]}", now[name])


def lba_failures(drive: Drive) -> list[Callable[[], Command]]:
    """IO commands that fail."""
    buf = nvme.Buffer(max(4096, drive.lba_size))
    far = drive.nsze + drive.random.randrange(1 << 40)
    found: list[Callable[[], Command]] = [lambda: drive.io(IoOpcode.READ, buf, far)]
    for opcode in (IoOpcode.WRITE, IoOpcode.COMPARE, IoOpcode.WRITE_ZEROES, IoOpcode.VERIFY):
        if drive.ns.supports(opcode):
            found.append(lambda opcode=opcode: drive.io(opcode, buf, far))  # type: ignore[misc]
    return found


def other_failures(drive: Drive) -> list[Callable[[], Command]]:
    """Admin commands that fail."""
    buf = nvme.Buffer(4096)
    return [
        lambda: drive.get_feature(drive.random.randrange(0x30, 0x78)),
        lambda: drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=drive.random.randrange(0x30, 0xC0)),
        lambda: drive.admin(AdminOpcode.DELETE_SQ, cdw10=0xFFFF),
        lambda: drive.admin(AdminOpcode.DELETE_CQ, cdw10=0),
        lambda: drive.admin(AdminOpcode.IDENTIFY, buf, 0xFFFFFFFE, cdw10=0),
    ]


@requirement("LOGS-11", ERRORS)
@needs(ROOM)
def test_the_error_log_agrees_with_failing_commands(drive: Drive) -> None:
    """Each entry belongs to one failing command, in their order, and no other command makes one.

    1. Let random commands fail, with right ones between, more than the log has entries.
    2. Each new entry has the queue, CID, status, NSID and LBA of such a command, a location of the wrong
       parameter within the command, and a count one lower than the entry before.
    """
    failures = lba_failures(drive) + other_failures(drive)
    entries = int(drive.id_ctrl.elpe) + 1
    failed: list[Command] = []
    before = smart(drive).neile
    for _ in range(min(entries + 4, 40)):
        command = drive.refused(drive.random.choice(failures)(), ERRORS)
        failed.append(command)
        if drive.random.random() < 0.3:
            drive.succeed(drive.get_feature(FeatureId.ARBITRATION), ERRORS)
    made = smart(drive).neile - before
    drive.check(made <= len(failed), ERRORS, f"{len(failed)} new entries at most", made)
    found = error_log(drive, min(entries, made)) if made else []
    rest = iter(reversed(failed))
    for index, entry in enumerate(found):
        drive.check(entry.ecnt == before + made - index, ERRORS, f"count {before + made - index}", entry.ecnt)
        seen = (entry.sqid, entry.cid, int(entry.status) >> 1 & 0x7FF)
        match = next((one for one in rest if (one.qid, one.cid, one.status) == seen), None)
        if match is None:
            raise drive.finding(
                ERRORS, "SQID, CID and status of a command that has failed, in order", f"{seen}\n{entry}"
            )
        must_agree(drive, entry, match)


def must_agree(drive: Drive, entry: ErrorLogEntry, command: Command) -> None:
    """Raise a finding unless an entry is that of a command."""
    same = entry.nsid == command.nsid or (not command.has_range and entry.nsid in (0, ALL_NAMESPACES))
    drive.check(same, ERRORS, f"NSID {command.nsid:#x}", f"{entry.nsid:#x}")
    place = int(entry.pel)
    drive.check(
        place == 0xFFFF or (place & 0xFF < 64 and not place >> 11),
        ERRORS,
        "a location of the parameter within the 64 bytes of the command",
        f"{place:#x}",
    )
    if command.has_range:
        drive.check(entry.lba == command.slba, ERRORS, f"LBA {command.slba:#x}", f"{entry.lba:#x}")
    drive.check(bool(entry.status.dnr) == command.dnr, ERRORS, f"DNR {command.dnr:d}", entry.status.dnr)


@requirement("LOGS-12", ERRORS)
@pytest.mark.parametrize("kind", list(RESETTING))
def test_error_counts_survive_each_kind_of_reset(
    drive: Drive, kind: str, reset: Callable[[], object]
) -> None:
    """The count of errors goes on after a reset and a loss of power, and entries do not change.

    1. Let a command fail, read the log, and reset.
    2. The counts are the same, and an entry that is still there is the same. The next failure counts on.
    """
    before = smart(drive).neile
    drive.refused(drive.get_feature(0x77), ERRORS)
    count, first = smart(drive).neile, error_log(drive, 1)[0]
    reset()
    again = smart(drive).neile
    right = again >= count or kind == "sudden"
    drive.check(right, SMART, f"{count} entries in the error log, or more, after a {kind} reset", again)
    entry = error_log(drive, 1)[0]
    same = entry.ecnt != first.ecnt or bytes(entry) == bytes(first)
    drive.check(same, ERRORS, f"the entry {first}", f"another\n{entry}")
    drive.refused(drive.get_feature(0x77), ERRORS)
    found, wanted = smart(drive).neile, again + count - before
    drive.check(found == wanted, SMART, f"{wanted} entries in the error log", found)


@requirement("LOGS-13", THRESHOLD)
@needs(EVENTS, version(0x00010200))
def test_each_threshold_is_an_event(drive: Drive, events: list[int]) -> None:
    """Over and under temperature thresholds of each sensor give one event each, and the critical warning.

    1. For each sensor and type, set a threshold that its temperature has reached. One event comes.
    2. Take it back. Critical warning bit 1 is clear, and no event comes.
    """
    first = smart(drive)
    sensors = {0: int(first.ctemp)}
    sensors |= {index + 1: int(kelvin) for index, kelvin in enumerate(first.tsen) if kelvin}
    places = [(sensor, kind) for sensor in sensors for kind in (0, 1)]
    for sensor, kind in drive.random.sample(places, len(places)):
        harmless = (0, HOT)[not kind]
        try:
            crossed = sensors[sensor] + (20 if kind else -20)
            before = len(events)
            set_threshold(drive, kind << 20 | sensor << 16 | crossed)
            must_come(drive, events, before + 1, f"by sensor {sensor}, type {kind}")
            warning = int(smart(drive).cw)
            drive.check(bool(warning & 2), SMART, f"critical warning bit 1, sensor {sensor}", f"{warning:#x}")
        finally:
            set_threshold(drive, kind << 20 | sensor << 16 | harmless)
        warning = int(smart(drive, rae=False).cw)
        drive.check(not warning & 2, SMART, "critical warning bit 1 is 0", f"{warning:#x}")
        drive.poll(lambda: False, 0.03)
        drive.check(len(events) == before + 1, AER, "no more events", len(events) - before)


@requirement("LOGS-14", AER)
@needs(EVENTS)
def test_one_event_completes_one_request(drive: Drive, events: list[int]) -> None:
    """Of several outstanding requests, an event completes one, and the others stay for later ones.

    1. Leave as many requests with the drive as AERL allows. Cause an event. One request completes.
    2. Reset in each way. No request is left, so that the same number is accepted again.
    """
    kelvin = int(smart(drive).ctemp)
    kinds = [kind for kind in RESETTING if kind not in NEEDED or NEEDED[kind].met(drive)]
    arm(drive)
    for kind in drive.random.sample(kinds, len(kinds)):
        must_complete_one(drive, events, kelvin)
        RESETTING[kind](drive)
        arm(drive)
    must_complete_one(drive, events, kelvin)
    drive.reset()


def must_complete_one(drive: Drive, events: list[int], kelvin: int) -> None:
    """Send all requests that the drive allows, and cause one event."""
    allowed, before = min(int(drive.id_ctrl.aerl), 60), len(events)
    requests = [drive.send_admin(AdminOpcode.ASYNC_EVENT) for _ in range(allowed)]

    def ended() -> int:
        return sum(one.done for one in requests) + len(events) - before

    drive.poll(lambda: ended() > 0, 0.02)
    drive.check(not ended(), AER, f"{allowed + 1} requests outstanding (AERL)", f"{ended()} completed")
    set_threshold(drive, kelvin - 5)
    drive.poll(lambda: ended() > 0, 3.0)
    drive.poll(lambda: ended() > 1, 0.05)
    drive.check(ended() == 1, AER, "one event", f"{ended()} requests have completed")


@requirement("LOGS-15", FIRMWARE)
def test_the_firmware_log_has_the_slots_of_frmw(drive: Drive) -> None:
    """The firmware log has revisions of slots that FRMW reports, and no activation is pending.

    1. Read the log page several times, and compare it with Identify.
    """
    slots = int(drive.id_ctrl.frmw.nofs)
    for _ in range(drive.random.randint(3, 9)):
        buf = nvme.Buffer(512)
        drive.succeed(drive.log_page(3, buf, 512), FIRMWARE)
        log = FirmwareLog(bytes(buf[:]))
        drive.check(1 <= log.afi.cafsi <= slots, FIRMWARE, f"an active slot of 1 to {slots}", log.afi)
        drive.check(not log.afi.nafsi, FIRMWARE, "no slot that the next reset activates", log.afi)
        rest = bytes(buf[8 * (slots + 1) : 64])
        drive.check(not any(rest), FIRMWARE, f"zeros for slots above {slots}", rest.hex())
        revisions = [bytes(buf[8 * slot : 8 * slot + 8]) for slot in range(1, slots + 1)]
        for slot, revision in enumerate(revisions, 1):
            printable = not any(revision) or all(0x20 <= byte < 0x7F for byte in revision)
            drive.check(printable, FIRMWARE, f"text, or zeros, in slot {slot}", revision.hex())
        wanted = drive.id_ctrl.fr
        found = revisions[log.afi.cafsi - 1].decode(errors="replace")
        drive.check(found.strip() == wanted.strip(), FIRMWARE, f"revision {wanted!r}", repr(found))


@requirement("LOGS-16", SMART)
@needs(ROOM)
def test_data_units_of_any_size(drive: Drive) -> None:
    """Data units count the bytes of reads and writes of any size, and host commands count each of them.

    1. Send random reads and writes, and read the log after random numbers of them.
    """
    most = drive.most_lbas
    buf, base = nvme.Buffer(most * drive.lba_size), drive.random.randrange(drive.nsze - 2 * most)
    for slba in (base, base + most):
        drive.succeed(drive.io(IoOpcode.WRITE, buf, slba, most), SMART)
    first = smart(drive)
    sectors = {"dur": 0, "duw": 0}
    commands = {"hrc": 0, "hwc": 0}
    for _ in range(6):
        for _ in range(drive.random.randint(1, 30)):
            nlb = drive.random.choice((1, drive.random.randint(1, most)))
            opcode, data, counter = drive.random.choice(
                ((IoOpcode.READ, "dur", "hrc"), (IoOpcode.WRITE, "duw", "hwc"))
            )
            slba = base + drive.random.randrange(2 * most - nlb + 1)
            drive.expect(drive.io(opcode, buf, slba, nlb), SMART, Status.SUCCESS, MISMATCH)
            sectors[data] += nlb * int(drive.ns.lba_size) // 512
            commands[counter] += 1
        now = smart(drive)
        for name, count in commands.items():
            grown = now[name] - first[name]
            drive.check(grown == count, SMART, f"{name.upper()} grows by {count}", grown)
        for name, count in sectors.items():
            grown = now[name] - first[name]
            drive.check(
                count / 1000 - 1 < grown < count / 1000 + 1,
                SMART,
                f"{name.upper()} grows by {count / 1000:.2f}, rounded",
                grown,
            )


@requirement("LOGS-17", "Base 2.0, 5.16.1.7 Device Self-test and 5.16.1.17 Sanitize Status")
def test_the_logs_of_background_operations_are_plausible(drive: Drive) -> None:
    """While no self-test and no sanitize operation runs, their logs say so, and have no reserved values.

    1. Read log pages 06h and 81h several times.
    """
    clause = "Base 2.0, 5.16.1.7 Device Self-test and 5.16.1.17 Sanitize Status"
    for _ in range(drive.random.randint(3, 8)):
        buf = nvme.Buffer(4096)
        if drive.has_log(6):
            drive.succeed(drive.log_page(6, buf, SelfTestLog.SIZE), clause)
            tests = SelfTestLog(buf[: SelfTestLog.SIZE])
            drive.check(not tests.cdsto.dsts, clause, "no self-test in progress", tests.cdsto)
            for entry in tests.results:
                known = entry.dsts.dstr <= 9 or entry.dsts.dstr == 0xF
                drive.check(known, clause, "a result that is not reserved", entry.dsts)
        if drive.has_log(0x81):
            drive.succeed(drive.log_page(0x81, buf, 512), clause)
            sanitize = SanitizeLog(buf[:512])
            drive.check(sanitize.sprog == 0xFFFF, clause, "SPROG FFFFh, since none runs", sanitize.sprog)
            drive.check(sanitize.sstat.sos < 5, clause, "a status that is not reserved", sanitize.sstat)
            drive.check(sanitize.sstat.sos != 2, clause, "no sanitize operation in progress", sanitize.sstat)


@requirement("LOGS-18", SMART)
@needs(ROOM)
@takes(0.8)
def test_counters_under_load(drive: Drive, budget: Budget) -> None:
    """After many IOs at full speed, host commands and data units have grown by exactly these.

    1. Run a worker that writes, and one that reads, and read the log before and after each.
    """
    nlb = min(8, drive.most_lbas)
    span, seconds = 64 * nlb, max(0.3, budget.limit / 2)
    start = drive.random.randrange(drive.nsze - span)
    for percentage, counter, data in ((0, "hwc", "duw"), (100, "hrc", "dur")):
        before = smart(drive)
        worker = drive.ns.ioworker(
            io_size=nlb,
            lba_random=False,
            read_percentage=percentage,
            region_start=start,
            region_end=start + span,
            time=seconds,
        )
        done = worker.start().close()
        after = smart(drive)
        drive.check(done.error == 0, SMART, "no failed IO", f"error {done.error}, status {done.status:#x}")
        counts = {"hwc": done.io_count_write, "hrc": done.io_count_read}
        for name, count in counts.items():
            grown = after[name] - before[name]
            drive.check(grown == count, SMART, f"{name.upper()} grows by {count}", grown)
        units = counts[counter] * nlb * int(drive.ns.lba_size) / UNIT
        grown = after[data] - before[data]
        drive.check(
            units - 1 < grown < units + 1, SMART, f"{data.upper()} grows by {units:.2f}, rounded", grown
        )


SANITIZED = "Base 2.0, 8.21 Sanitize Operations, and 5.2 Asynchronous Event Request"


@requirement("LOGS-19", SANITIZED)
@needs(SANITIZES)
def test_the_end_of_a_sanitize_operation_is_an_event(drive: Drive, events: list[int]) -> None:
    """When a sanitize operation ends, one event of it comes, and none before.

    1. Start an operation that the drive has, and wait until log page 81h reports its end.
    2. One event has come, of type 6, information 1 or 2, log page 81h. Read the log without RAE.
    """
    able = int(drive.id_ctrl.sanicap)
    actions = [action for action, bit in ((2, 1), (4, 0), (3, 2)) if able >> bit & 1]
    action = drive.random.choice(actions)
    passes = 1 << 4 if action == 3 else 0
    command = drive.admin(AdminOpcode.SANITIZE, cdw10=passes | action, cdw11=0x5A5A5A5A)
    drive.succeed(command, SANITIZED)
    buf, early, end = nvme.Buffer(512), True, time.monotonic() + 3600
    while early and time.monotonic() < end:
        time.sleep(0.005)
        come = len(events)
        drive.succeed(drive.log_page(0x81, buf, 512, rae=True), SANITIZED)
        early = SanitizeLog(buf[:]).sstat.sos == 2
        drive.check(not (early and come), SANITIZED, "no event before the end", events)
    drive.poll(lambda: bool(events), 3.0)
    right = [
        event & 7 == 6 and event >> 8 & 0xFF in (1, 2) and event >> 16 & 0xFF == 0x81 for event in events
    ]
    drive.check(right == [True], SANITIZED, "one event 810106h or 810206h", [hex(event) for event in events])
    drive.succeed(drive.log_page(0x81, buf, 512), SANITIZED)
    drive.poll(lambda: len(events) > 1, 0.05)
    drive.check(len(events) == 1, SANITIZED, "no second event", [hex(event) for event in events])


@requirement("LOGS-21", AER)
@needs(EVENTS, ROOM)
def test_no_event_without_a_cause(drive: Drive, events: list[int], model: Model) -> None:
    """While nothing happens that an event is of, none comes, though all of them are enabled.

    1. Enable all events that the drive announces, with thresholds beyond the temperature.
    2. Send random IO of all kinds but marks, and admin commands, of which some fail. No event comes.
    """
    notices = int(drive.id_ctrl.oaes) & 0x300 | bool(drive.id_ctrl.lpa.ts) << 10
    drive.succeed(drive.set_feature(FeatureId.ASYNC_EVENT, 0x1F | notices), AER)
    drive.poll(lambda: False, 0.005)
    events.clear()
    base = drive.random.randrange(drive.nsze - 4096)
    mix = {kind: share for kind, share in MIX.items() if kind != "uncorrectable"}
    traffic = Traffic(drive, model, [(base, 1000)], mix)
    kinds = [*other_failures(drive), *lba_failures(drive)]
    kinds += [lambda: drive.log_page(2, nvme.Buffer(512), 512, rae=True), lambda: drive.get_feature(1)]
    kinds += [lambda: drive.admin(AdminOpcode.IDENTIFY, nvme.Buffer(4096), cdw10=Cns.CTRL)]
    kinds += [lambda: drive.admin(AdminOpcode.ABORT, cdw10=0xFFFF0000)]
    for send in drive.random.sample(3 * kinds, 3 * len(kinds)):
        for _ in range(12):
            traffic.step()
        send()
    traffic.drain()
    drive.poll(lambda: bool(events), 0.02)
    drive.check(not events, AER, "no event, since nothing has happened", [f"{event:#x}" for event in events])


PERSISTENT = "Base 2.0, 5.16.1.14 Persistent Event Log"
READ_IT, ESTABLISH, RELEASE = 0, 1, 2


def persistent_events(drive: Drive, again: bool = False) -> list[PersistentEvent]:
    """The events of the persistent event log, the newest first, read in pieces within one context.

    again: read all of it twice, with something between that makes an event.
    """
    buf = nvme.Buffer(512)
    drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=RELEASE)
    drive.succeed(drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=ESTABLISH), PERSISTENT)
    header = bytes(buf[:])
    length = PersistentEventLog(header).tll
    drive.check(512 <= length <= drive.id_ctrl.pels << 16, PERSISTENT, "TLL of 512 to PELS", length)

    def whole() -> bytes:
        data = b""
        while len(data) < length:
            piece = nvme.Buffer(min(512, length - len(data) + -length % 4))
            command = drive.log_page(LogId.PERSISTENT_EVENT, piece, len(piece), offset=len(data), lsp=READ_IT)
            drive.succeed(command, PERSISTENT)
            data += bytes(piece[:])
        return data[:length]

    data = whole()
    drive.check(data[:512] == header, PERSISTENT, "the header that established the context", data[:32].hex())
    if again:
        drive.succeed(drive.set_feature(FeatureId.ARBITRATION, 7, save=True), PERSISTENT)
        drive.check(whole() == data, PERSISTENT, "the same log page, as long as the context exists")
    drive.succeed(drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=RELEASE), PERSISTENT)
    found, at = [], 512
    while at + 24 <= length:
        event = PersistentEvent(data[at:])
        found.append(event)
        at += 3 + event.ehl + event.el
    drive.check(at == length, PERSISTENT, f"events of {length} bytes", at)
    count = PersistentEventLog(header).tnev
    drive.check(count == len(found), PERSISTENT, f"TNEV {len(found)}", count)
    return found


@requirement("LOGS-22", PERSISTENT)
@needs(log(LogId.PERSISTENT_EVENT), saveable(FeatureId.ARBITRATION))
def test_the_persistent_event_log_is_whole_and_stands_while_its_context_exists(drive: Drive) -> None:
    """The header counts the events, all bytes belong to events, and a context keeps both as they are.

    1. Read without a context: Command Sequence Error.
    2. Establish one, read all in pieces, make an event, and read all again.
    3. Walk the events by their lengths. Their sum is TLL, their number TNEV, and their types are in SEB.
    """
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=RELEASE), PERSISTENT)
    command = drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=READ_IT)
    drive.expect(command, PERSISTENT, Status.COMMAND_SEQUENCE_ERROR)
    found = persistent_events(drive, again=True)
    drive.succeed(drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=ESTABLISH), PERSISTENT)
    again = drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=ESTABLISH)
    drive.expect(again, PERSISTENT, Status.COMMAND_SEQUENCE_ERROR)
    supported = int.from_bytes(bytes(buf[480:512]), "little")
    for event in found:
        drive.check(supported >> event.et & 1 == 1, PERSISTENT, "an event type of SEB", f"{event.et:#x}")
    drive.succeed(drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=RELEASE), PERSISTENT)


@requirement("LOGS-23", PERSISTENT)
@needs(log(LogId.PERSISTENT_EVENT))
def test_a_reset_is_a_persistent_event_and_releases_the_context(drive: Drive) -> None:
    """A controller reset is recorded with the firmware revision, and ends the reporting context.

    1. Count the events. Establish a context, and reset the controller.
    2. Reading without a new context fails. The newest events hold one more Power-on or Reset.
    """
    buf = nvme.Buffer(512)

    def resets() -> int:
        return sum(event.et == PersistentEventType.POWER_ON for event in persistent_events(drive))

    before = resets()
    drive.succeed(drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=ESTABLISH), PERSISTENT)
    drive.reset()
    command = drive.log_page(LogId.PERSISTENT_EVENT, buf, 512, lsp=READ_IT)
    drive.expect(command, PERSISTENT, Status.COMMAND_SEQUENCE_ERROR)
    after = persistent_events(drive)
    count = sum(event.et == PersistentEventType.POWER_ON for event in after)
    drive.check(count > before or len(after) > 1000, PERSISTENT, f"{before + 1} resets or more", count)


LBA_STATUS = clauses.of_admin(AdminOpcode.GET_LBA_STATUS)
LBA_STATUS_LOG = "NVM 1.0, 4.1.4.5 LBA Status Information"
SCAN, TRACKED = 0x10, 0x11
ALERT_ENABLED, ALERT = 1 << 13, 0x0E0502


def unreadable(drive: Drive, atype: int, slba: int, rl: int, dwords: int = 1024) -> list[tuple[int, int]]:
    """The first and the last LBA of each run that Get LBA Status reports. Judges the list."""
    buf = nvme.Buffer(4096)
    fields = {"cdw10": slba & 0xFFFFFFFF, "cdw11": slba >> 32, "cdw12": dwords - 1, "cdw13": atype << 24 | rl}
    command = drive.admin(AdminOpcode.GET_LBA_STATUS, buf, drive.nsid, **fields)
    drive.succeed(command, LBA_STATUS)
    count = LbaStatusDescriptors(buf[:8]).nlsd
    drive.check(8 + 16 * count <= 4 * dwords, LBA_STATUS, f"NLSD that fits into {dwords} dwords", count)
    found = LbaStatusDescriptors(buf[: 8 + 16 * count])
    runs = [(entry.dslba, entry.dslba + entry.nlb) for entry in found.descriptors]
    places = [place for run in runs for place in run]
    in_order = places == sorted(places) and all(before[1] < after[0] for before, after in zip(runs, runs[1:]))
    drive.check(in_order, LBA_STATUS, "descriptors in the order of their LBAs", runs)
    inside = not runs or (slba <= runs[0][0] and runs[-1][1] < slba + rl)
    drive.check(inside, LBA_STATUS, f"LBAs of the range {slba:#x}+{rl}", runs)
    room = 8 + 16 * (count + 1) <= 4 * dwords
    drive.check(found.cmpc.cmpc == 2 or not room, LBA_STATUS, "CMPC 2, since the list ends", found.cmpc.cmpc)
    return runs


@requirement("LOGS-24", LBA_STATUS)
@needs(ROOM, admin(AdminOpcode.GET_LBA_STATUS), io(IoOpcode.WRITE_UNCORRECTABLE))
def test_lba_status_lists_no_lba_that_was_written(drive: Drive, model: Model) -> None:
    """Get LBA Status reports runs in order, in the range, cut where MNDW ends, and none that was written.

    1. Mark LBAs of a region as uncorrectable, and read one: 02/81.
    2. Compare the lists of a scan, of the tracked LBAs, of parts of the region, and with room for one run.
    3. Write the whole region. No LBA of it is reported any more.
    4. Ask beyond the end of the namespace, and with reserved action types.
    """
    writer = Writer(drive, model)
    base = writer.region(200)
    for offset, nlb in ((10, 1), (20, 7), (60, 2)):
        writer.uncorrectable(base + offset, nlb)
    buf = nvme.Buffer(drive.lba_size)
    drive.expect(drive.io(IoOpcode.READ, buf, base + 10, 1), LBA_STATUS, Status.UNRECOVERED_READ_ERROR)
    for atype in (SCAN, TRACKED):
        runs = unreadable(drive, atype, base, 200)
        part = [(max(first, base + 22), last) for first, last in runs if last >= base + 22]
        again = unreadable(drive, atype, base + 22, 178)
        drive.check(again == part, LBA_STATUS, f"the rest of the same list, {part}", again)
        one = unreadable(drive, atype, base, 200, 6)
        drive.check(one == runs[:1], LBA_STATUS, f"the first run, {runs[:1]}", one)
    writer.write(base, 200)
    for atype in (SCAN, TRACKED):
        runs = unreadable(drive, atype, base, 200)
        drive.check(not runs, LBA_STATUS, "no LBA, since all were written", runs)
    for slba, rl, atype, status in (
        (drive.nsze, 1, SCAN, Status.LBA_OUT_OF_RANGE),
        (drive.nsze - 1, 2, TRACKED, Status.LBA_OUT_OF_RANGE),
        (0, 1, 0xFF, Status.INVALID_FIELD),
    ):
        fields = {"cdw10": slba & 0xFFFFFFFF, "cdw11": slba >> 32, "cdw12": 1, "cdw13": atype << 24 | rl}
        command = drive.admin(AdminOpcode.GET_LBA_STATUS, nvme.Buffer(4096), drive.nsid, **fields)
        drive.expect(command, LBA_STATUS, status)


def lba_status_page(drive: Drive, rae: bool) -> bytes:
    """Log page 0Eh. Judges its lengths."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(LogId.LBA_STATUS, buf, 4096, rae=rae), LBA_STATUS_LOG)
    data = bytes(buf[:])
    head, at = LbaStatusLog(data[:16]), 16
    for _ in range(head.nlslne):
        if at + 16 > len(data):
            return data
        element = LbaStatusNamespace(data[at : at + 16])
        known = element.ratype in (SCAN, TRACKED) and element.neid in drive.nsids
        drive.check(known, LBA_STATUS_LOG, "an active namespace, and RATYPE 10h or 11h", element)
        at += 16 + (0 if element.nlrd == 0xFFFFFFFF else 16 * element.nlrd)
    drive.check(head.lslplen == at, LBA_STATUS_LOG, f"LSLPLEN {at}", head.lslplen)
    return data


@requirement("LOGS-25", LBA_STATUS_LOG)
@needs(ROOM, log(LogId.LBA_STATUS), io(IoOpcode.WRITE_UNCORRECTABLE), EVENTS)
def test_the_lba_status_log_stands_while_it_is_read_and_its_event_comes(
    drive: Drive, events: list[int], model: Model
) -> None:
    """Log page 0Eh does not change until it is read without RAE. Tracked LBAs raise an event.

    1. Read the page without RAE. Enable its event, with the report interval that the drive proposes.
    2. Mark LBAs as uncorrectable, and read them. If the drive tracks them, the event comes.
    3. Read the page with RAE, mark more LBAs, and read it again. It is the same.
    4. Read it without RAE, and again: the generation has grown if there are LBAs that were not in it.
    """
    writer = Writer(drive, model)
    base = writer.region(64)
    enabled = drive.get_feature(FeatureId.ASYNC_EVENT).cdw0
    drive.succeed(drive.set_feature(FeatureId.ASYNC_EVENT, enabled | ALERT_ENABLED), AER)
    interval = drive.get_feature(FeatureId.LBA_STATUS, 1).cdw0
    drive.succeed(drive.set_feature(FeatureId.LBA_STATUS, interval), LBA_STATUS_LOG)
    lba_status_page(drive, rae=False)
    mark_and_read(drive, writer, base)
    if unreadable(drive, TRACKED, base, 64):
        drive.poll(lambda: ALERT in events, 3.0 + 0.1 * (interval & 0xFFFF))
        drive.check(ALERT in events, AER, f"the event {ALERT:#x}", [f"{event:#x}" for event in events])
    first = lba_status_page(drive, rae=True)
    mark_and_read(drive, writer, base + 32)
    again = lba_status_page(drive, rae=True)
    drive.check(
        again == first, LBA_STATUS_LOG, "the same page, since the host is reading it", again[:64].hex()
    )
    lba_status_page(drive, rae=False)
    last = lba_status_page(drive, rae=False)
    grown = LbaStatusLog(last[:16]).lsgc - LbaStatusLog(first[:16]).lsgc & 0xFFFF
    same = last[16:] == first[16:]
    drive.check(same or grown > 0, LBA_STATUS_LOG, "a greater LSGC, since the page names other LBAs", grown)
    writer.write(base, 64)


def mark_and_read(drive: Drive, writer: Writer, lba: int) -> None:
    """Mark an LBA as uncorrectable, and read it."""
    writer.uncorrectable(lba, 1)
    command = drive.io(IoOpcode.READ, nvme.Buffer(drive.lba_size), lba, 1)
    drive.expect(command, LBA_STATUS, Status.UNRECOVERED_READ_ERROR)


METER = "Base 2.3, 5.2.12.1.33 Power Measurement"
POWER_THRESHOLD = "Base 2.3, 5.2.26.1.26 Power Threshold"
START, STOP = 1, 0
OVER_THRESHOLD = 2 << 8 | 4
"""Power Threshold Exceeded, a one-shot event."""
INTERVAL = 1.0
"""Seconds of an interval power measurement."""


def power_log(drive: Drive) -> PowerMeasurementLog:
    """Log page 25h. Judges what is true of any."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(LogId.POWER_MEASUREMENT, buf, PowerMeasurementLog.SIZE), METER)
    size = min(PowerMeasurementLog(buf[:]).sze, 4096)
    drive.check(size >= PowerMeasurementLog.SIZE, METER, f"SZE {PowerMeasurementLog.SIZE} or more", size)
    drive.succeed(drive.log_page(LogId.POWER_MEASUREMENT, buf, size & ~3), METER)
    found = PowerMeasurementLog(bytes(buf[: size & ~3]))
    drive.check(found.phbs == 250, METER, "PHBS 250 mW", found.phbs)
    drive.check(found.nphd <= found.nphds, METER, f"NPHD {found.nphds} at most", found.nphd)
    counted = sum(one.phbc for one in found.phd) + found.phdoc
    if found.nphds:
        drive.check(
            counted == found.pmc, METER, f"{found.pmc} measurements in the histogram, as PMC", counted
        )
    lowest = [milliwatts(one.phblt) for one in found.phd]
    rising = all(below < above for below, above in zip(lowest, lowest[1:]))
    drive.check(rising, METER, "bins in the order of their power", lowest)
    average, most = milliwatts(found.aipwr), milliwatts(found.mipwr)
    drive.check(average <= most, METER, f"AIPWR of {most} mW at most, which is MIPWR", average)
    return found


def milliwatts(power: Any) -> float:
    """A power with a scale."""
    return float(power.pwrv) * {1: 0.1, 2: 10}.get(int(power.pwrs), 0)


@requirement("LOGS-27", METER)
@needs(log(LogId.POWER_MEASUREMENT), feature(FeatureId.POWER_MEASUREMENT))
def test_a_power_measurement_counts_seconds_until_it_stops(drive: Drive) -> None:
    """A measurement begins with nothing, counts an interval a second, and ends by Set Features.

    1. Start one that stops after some minutes, and read the log page: the next generation number, and the
       minutes that are left. Wait 2 s. The intervals that have passed are in the histogram.
    2. Start another one without a stop time, which begins with nothing. Stop it. It counts no more.
    """
    fid, minutes = FeatureId.POWER_MEASUREMENT, min(3, int(drive.id_ctrl.msmt))
    before = power_log(drive)
    for turn, stop_time in ((1, minutes), (2, 0)):
        drive.succeed(drive.set_feature(fid, stop_time << 16 | START), METER)
        start = time.monotonic()
        found = power_log(drive)
        drive.check(bool(found.pma.pme), METER, "PME 1, since it was started", 0)
        wanted = before.pmgn + turn & 0xFF
        drive.check(found.pmgn == wanted, METER, f"generation {wanted}", found.pmgn)
        most = int(time.monotonic() - start) + 1
        drive.check(found.pmc <= most, METER, f"{most} intervals at most since the start", found.pmc)
        left = range(max(stop_time - 1, 0), stop_time + 1)
        drive.check(found.smtr in left, METER, f"SMTR {stop_time} or a minute less", found.smtr)
        time.sleep(2.2 * INTERVAL if stop_time else 0)
        found, most = power_log(drive), int(time.monotonic() - start) + 1
        least = int(2 * INTERVAL) - 1 if stop_time else 0
        drive.check(
            least <= found.pmc <= most, METER, f"{least} to {most} intervals since the start", found.pmc
        )
    drive.succeed(drive.set_feature(fid, STOP), METER)
    stopped = power_log(drive)
    drive.check(not stopped.pma.pme, METER, "PME 0, since it was stopped", 1)
    time.sleep(1.2 * INTERVAL)
    found = power_log(drive)
    drive.check(found.pmc == stopped.pmc, METER, f"PMC {stopped.pmc}, since it was stopped", found.pmc)


@requirement("LOGS-28", POWER_THRESHOLD)
@needs(feature(FeatureId.POWER_THRESHOLD), feature(FeatureId.POWER_MEASUREMENT))
def test_a_power_above_the_threshold_is_an_event_once(drive: Drive) -> None:
    """An enabled threshold below the power of the drive raises one event, and one above it raises none.

    1. Enable a threshold of 655 W for a while. No event comes.
    2. Enable one of 0.0001 W. Its event comes, and comes only once.
    """
    events: list[int] = []
    before = drive.get_feature(FeatureId.POWER_THRESHOLD).cdw0
    drive.nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    try:
        drive.succeed(drive.set_feature(FeatureId.POWER_THRESHOLD, 1 << 31 | 2 << 16 | 0xFFFF), AER)
        drive.poll(lambda: OVER_THRESHOLD in events, 0.3)
        drive.check(OVER_THRESHOLD not in events, POWER_THRESHOLD, "no event below 655.35 W", "one")
        drive.succeed(drive.set_feature(FeatureId.POWER_THRESHOLD, 1 << 31 | 1 << 16 | 1), AER)
        drive.poll(lambda: OVER_THRESHOLD in events, 3.0 * INTERVAL)
        drive.poll(lambda: events.count(OVER_THRESHOLD) > 1, 0.3)
        count = events.count(OVER_THRESHOLD)
        drive.check(count == 1, POWER_THRESHOLD, f"one event {OVER_THRESHOLD:#x} above 0.1 mW", count)
    finally:
        drive.set_feature(FeatureId.POWER_THRESHOLD, before)
        drive.listen()


ROTATIONAL = "Base 2.0, 5.16.1.22 Rotational Media Information"


@requirement("LOGS-29", ROTATIONAL)
@needs(log(LogId.ROTATIONAL_MEDIA), SWITCHED_POWER)
def test_rotational_media_are_reported_alike_and_count_their_starts(drive: Drive) -> None:
    """Namespaces and endurance groups say alike that their media turn, and each start of a spindle counts.

    1. Read log pages 09h and 16h of each endurance group, and Identify (CNS 08h) of its namespaces.
    2. Cycle the power, and read log page 16h again. A spindle has started once more if Spinup Control is
       disabled, and no counter has gone back.
    """
    buf = nvme.Buffer(4096)
    drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=Cns.ENDURANCE_GROUP_LIST), ROTATIONAL)
    groups = list(EnduranceGroupList(buf[:]).endgid)
    drive.check(bool(groups), ROTATIONAL, "endurance groups, since a drive with rotational media has some", 0)
    turning, before = [], {}
    for endgid in groups:
        drive.succeed(drive.log_page(LogId.ENDURANCE_GROUP, buf, 512, lsi=endgid), ROTATIONAL)
        if EnduranceGroupLog(buf[:512]).egfeat.egrmedia:
            turning.append(endgid)
            before[endgid] = rotational_log(drive, endgid)
    drive.check(bool(turning), ROTATIONAL, "EGRMEDIA of some endurance group, as there is log page 16h", 0)
    for nsid in drive.nsids:
        drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=Cns.INDEPENDENT_NS), ROTATIONAL)
        found = IdentifyNamespaceIndependent(buf)
        turns = int(found.endgid in turning)
        drive.check(found.nsfeat.rmedia == turns, ROTATIONAL, f"RMEDIA {turns}", found.nsfeat.rmedia)
    starts = int(not drive.succeed(drive.get_feature(FeatureId.SPINUP), ROTATIONAL).cdw0 & 1)
    drive.power_cycle()
    for endgid, old in before.items():
        new = rotational_log(drive, endgid)
        text = f"SPINC {old.spinc + starts} or more after a power cycle"
        drive.check(new.spinc >= old.spinc + starts, ROTATIONAL, text, new.spinc)
        for name in ("fspinc", "ldc", "fldc"):
            drive.check(new[name] >= old[name], ROTATIONAL, f"{name.upper()} {old[name]} or more", new[name])


def rotational_log(drive: Drive, endgid: int) -> RotationalMediaLog:
    """Log page 16h of an endurance group."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(LogId.ROTATIONAL_MEDIA, buf, 512, lsi=endgid), ROTATIONAL)
    found = RotationalMediaLog(buf[:])
    drive.check(found.endgid == endgid, ROTATIONAL, f"ENDGID {endgid}", found.endgid)
    drive.check(found.numa > 0, ROTATIONAL, "an actuator", found.numa)
    drive.check(found.nrs > 0, ROTATIONAL, "a speed, or 1", found.nrs)
    return found
