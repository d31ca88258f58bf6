# SPDX-License-Identifier: BSD-3-Clause
"""Features: current, default and saved values, and what they do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Callable

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    ApstEntries,
    Cns,
    CommandSet,
    FeatureEffectsLog,
    FeatureId,
    HostMetadata,
    IoOpcode,
    LogId,
    PowerMeasurementLog,
    SmartLog,
    Status,
    Timestamp,
)
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import (
    COMMAND_SETS,
    DULBE,
    FLR,
    HOST_MEMORY,
    HOT_RESET,
    NO_CACHE,
    POWER_STATES,
    ROOM,
    SELECT,
    SUBSYSTEM_RESET,
    SWITCHED_POWER,
    TIMESTAMP,
    TWO_NAMESPACES,
    VECTORS,
    ZEROED,
    admin,
    feature,
    io,
    log,
    queues,
    version,
)
from pynvme.suite.drive import Drive
from pynvme.suite.features import (
    CURRENT,
    DEFAULT,
    GET_CLAUSE,
    HOT,
    SAVED,
    SET_CLAUSE,
    Setting,
    changeable,
    host_behavior,
    saveable,
)
from pynvme.suite.health import smart
from pynvme.suite.history import MISMATCH, Command, status_text
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import PAGE, Slot, Traffic, read_back
from pynvme.suite.writing import Writer

POWER = "Base 2.0, 5.27.1.2 Power Management"
TIME = "Base 2.0, 5.27.1.14 Timestamp"
DULBE_CLAUSE = "NVM 1.0, 4.1.3.2 Error Recovery, DULBE"
TICK = 0.2
"""Seconds by which a clock of a drive may differ."""


@requirement("FEATURES-1", GET_CLAUSE)
@needs(SELECT)
def test_current_default_and_saved_values(drive: Drive) -> None:
    """Each of the three values of a feature changes only as Set Features says.

    1. Set another value without saving it. Only the current value changes.
    2. Save it. The saved value changes too, and the default never does.
    """
    for one in changeable(drive):
        before, default, saved = (one.get(drive, sel) for sel in (CURRENT, DEFAULT, SAVED))
        other = one.other(drive, before)
        one.set(drive, other)
        one.must_be(drive, other, "which was set", CURRENT)
        one.must_be(drive, default, "which nothing changes", DEFAULT)
        one.must_be(drive, saved, "since the new value was not saved", SAVED)
        if drive.can_save(one.fid):
            one.set(drive, other, save=True)
            one.must_be(drive, other, "which was saved", SAVED)
            one.must_be(drive, default, "which nothing changes", DEFAULT)
            one.set(drive, saved, save=True)
        one.set(drive, before)
        one.must_be(drive, before, "which was set again", CURRENT)


@requirement("FEATURES-2", GET_CLAUSE)
@needs(SELECT)
def test_capabilities_are_what_the_drive_does(drive: Drive) -> None:
    """A feature that is not saveable, or not changeable, refuses to be saved, or changed.

    1. Get the capabilities of each feature of one dword.
    2. Save its own value if it is not saveable, and set it if it is not changeable.
    """
    for fid in (1, 2, 4, 5, 6, 8, 0x0A, 0x0B, 0x10, 0x11, 0x17, 0x80):
        command = drive.get_capabilities(fid)
        if not command.ok:
            drive.expect(command, GET_CLAUSE, Status.INVALID_FIELD)
            continue
        nsid = drive.nsid if command.cdw0 & 2 else 0
        value = drive.succeed(drive.get_feature(fid, nsid=nsid), GET_CLAUSE).cdw0
        if not command.cdw0 & 4:
            drive.expect(drive.set_feature(fid, value, nsid=nsid), SET_CLAUSE, Status.FEATURE_NOT_CHANGEABLE)
        elif not command.cdw0 & 1:
            refused = drive.set_feature(fid, value, save=True, nsid=nsid)
            drive.expect(refused, SET_CLAUSE, Status.FEATURE_NOT_SAVEABLE)


@requirement("FEATURES-3", GET_CLAUSE)
@needs(SELECT)
def test_reserved_selections_are_refused(drive: Drive) -> None:
    """SEL 4 to 7 are reserved, and fail with Invalid Field.

    1. Get each feature of one dword with one of them, and the first feature with each.
    """
    for sel in range(4, 8):
        drive.expect(drive.get_feature(FeatureId.ARBITRATION, sel), GET_CLAUSE, Status.INVALID_FIELD)
    for one in changeable(drive):
        command = drive.get_feature(one.fid, drive.random.randrange(4, 8), cdw11=one.selector)
        drive.expect(command, GET_CLAUSE, Status.INVALID_FIELD)


@requirement("FEATURES-4", TIME)
@needs(TIMESTAMP)
def test_the_clock_counts(drive: Drive) -> None:
    """The timestamp counts milliseconds from the value that was set, and does not go back.

    1. Set a time, and read it several times.
    2. Reset the controller. The clock goes on with origin 001b, or starts again with origin 000b.
    """
    wanted = 1_700_000_000_000 + drive.random.randrange(1 << 30)
    buf = nvme.Buffer(8)
    buf[:8] = wanted.to_bytes(8, "little")
    drive.succeed(drive.set_feature(FeatureId.TIMESTAMP, buf=buf), TIME)
    start, last = time.monotonic(), wanted
    for turn in range(10):
        if turn == 5:
            drive.reset()
        moment = time.monotonic()
        stamp, end = timestamp(drive), time.monotonic()
        if stamp.attr.tso == 0 and turn >= 5:
            most = int((end - start + TICK) * 1000)
            drive.check(stamp.tstmp <= most, TIME, f"{most} ms at most since the reset", stamp.tstmp)
            continue
        drive.check(stamp.attr.tso == 1, TIME, "origin 001b, since the time was set", stamp.attr.tso)
        most = wanted + int((end - start + TICK) * 1000)
        least = last if stamp.attr.synch else max(last, wanted + int((moment - start - TICK) * 1000))
        drive.check(least <= stamp.tstmp <= most, TIME, f"{least} to {most}", stamp.tstmp)
        last = stamp.tstmp
        time.sleep(0.08)


def timestamp(drive: Drive) -> Timestamp:
    """The clock of the drive."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.get_feature(FeatureId.TIMESTAMP, buf=buf), TIME)
    return Timestamp(bytes(buf[:8]))


@requirement("FEATURES-5", DULBE_CLAUSE)
@needs(ROOM, DULBE, ZEROED, io(IoOpcode.DSM), feature(FeatureId.ERROR_RECOVERY))
def test_errors_of_deallocated_blocks(drive: Drive, model: Model, writer: Writer) -> None:
    """With DULBE, a read of a deallocated LBA fails, and that of a written one does not.

    1. Write LBAs, deallocate whole units among them, and read these.
    2. Set DULBE. Where zeros were read, a read fails now. Those that were not deallocated succeed.
    3. Write one of them, and read it. Clear DULBE. All reads succeed.
    """
    base = writer.region(128) & ~63
    writer.write(base, 128)
    writer.deallocate((base + 32, 32))
    read_back(drive, model, range(base, base + 128))
    buf = nvme.Buffer(drive.lba_size)
    gone = [lba for lba in range(base + 32, base + 64) if not any(read(drive, buf, lba))]
    set_dulbe(drive, True)
    try:
        for lba in range(base, base + 128):
            command = drive.io(IoOpcode.READ, buf, lba)
            statuses = [] if lba in gone else [Status.SUCCESS]
            if base + 32 <= lba < base + 64:
                statuses.append(Status.DEALLOCATED_OR_UNWRITTEN)
            drive.expect(command, DULBE_CLAUSE, *statuses)
        writer.write(base + 40, 3)
        for lba in range(base + 40, base + 43):
            drive.succeed(drive.io(IoOpcode.READ, buf, lba), DULBE_CLAUSE)
    finally:
        set_dulbe(drive, False)
    read_back(drive, model, range(base, base + 128))


def read(drive: Drive, buf: nvme.Buffer, lba: int) -> bytes:
    """The data of an LBA."""
    command = drive.io(IoOpcode.READ, buf, lba)
    drive.check(command.status in (0, MISMATCH), DULBE_CLAUSE, "a read", status_text(command.status))
    return buf[: drive.lba_size]


def set_dulbe(drive: Drive, on: bool) -> None:
    """Set DULBE of the first namespace."""
    command = drive.set_feature(FeatureId.ERROR_RECOVERY, on << 16, nsid=drive.nsid)
    drive.succeed(command, DULBE_CLAUSE)


@requirement("FEATURES-6", POWER)
@needs(POWER_STATES)
def test_io_in_each_power_state(drive: Drive) -> None:
    """In each power state an IO completes, within its latencies, and the feature tells the state.

    1. Set each power state, get it, and read.
    2. An IO in a non-operational state takes the exit latency at most, and what it takes in state 0.
    """
    buf = nvme.Buffer(drive.lba_size)
    normal = max(drive.io(IoOpcode.READ, buf).seconds for _ in range(10))
    try:
        for state in range(drive.id_ctrl.npss + 1):
            psd = drive.id_ctrl.psd[state]
            drive.succeed(drive.set_feature(FeatureId.POWER, state), POWER)
            found = drive.succeed(drive.get_feature(FeatureId.POWER), POWER).cdw0 & 0x1F
            drive.check(found == state, POWER, f"power state {state}", found)
            time.sleep(int(psd.enlat) / 1e6)
            command = drive.io(IoOpcode.READ, buf)
            drive.succeed(command, POWER)
            limit = (int(psd.enlat) + int(psd.exlat)) / 1e6 + normal + 0.5
            drive.check(command.seconds <= limit, POWER, f"{limit:.3f} s at most", f"{command.seconds:.3f} s")
    finally:
        drive.set_feature(FeatureId.POWER, 0)


@requirement("FEATURES-7", POWER)
@needs(POWER_STATES)
def test_power_states_that_do_not_exist(drive: Drive) -> None:
    """A power state above NPSS is refused with Invalid Field.

    1. Set NPSS + 1 and 31.
    """
    for state in {drive.id_ctrl.npss + 1, 31} - {32}:
        drive.expect(drive.set_feature(FeatureId.POWER, state), POWER, Status.INVALID_FIELD)


@requirement("FEATURES-8", "Base 2.0, 5.27.1.10 Autonomous Power State Transition")
@needs(feature(FeatureId.APST), POWER_STATES)
def test_the_drive_wakes_from_autonomous_transitions(drive: Drive) -> None:
    """A drive that has changed its power state by itself completes the next IO.

    1. Let each operational state change to the deepest one after 10 ms.
    2. Wait, read, and send an admin command, several times. The table reads as it was set.
    """
    clause = "Base 2.0, 5.27.1.10 Autonomous Power State Transition"
    deepest = int(drive.id_ctrl.npss)
    if not drive.id_ctrl.psd[deepest].flags.nops:
        pytest.skip("needs a non-operational power state (PSD, NOPS)")
    table, buf = nvme.Buffer(256), nvme.Buffer(max(4096, drive.lba_size))
    for state in range(deepest):
        table[8 * state : 8 * state + 8] = (10 << 8 | deepest << 3).to_bytes(8, "little")
    wanted = table[:]
    drive.succeed(drive.set_feature(FeatureId.APST, 1, buf=table), clause)
    try:
        drive.succeed(drive.get_feature(FeatureId.APST, buf=buf), clause)
        entries = ApstEntries(bytes(buf[:256])).entries
        right = ApstEntries(bytes(wanted)).entries
        drive.check(list(entries) == list(right), clause, "the table that was set", list(entries)[:5])
        for _ in range(4):
            time.sleep(0.05)
            drive.succeed(drive.io(IoOpcode.READ, buf), clause)
            time.sleep(0.05)
            drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=1), clause)
    finally:
        table[:] = bytes(256)
        drive.set_feature(FeatureId.APST, 0, buf=table)


@requirement("FEATURES-9", "Base 2.0, 5.27.1.16 Host Controlled Thermal Management")
@needs(feature(FeatureId.HCTM))
def test_wrong_thermal_temperatures_are_refused(drive: Drive) -> None:
    """TMT1 has to be below TMT2, and both within MNTMT and MXTMT.

    1. Set equal, swapped and too high temperatures, each of which fails with Invalid Field.
    """
    clause = "Base 2.0, 5.27.1.16 Host Controlled Thermal Management"
    low, high = int(drive.id_ctrl.mntmt), int(drive.id_ctrl.mxtmt)
    for first, second in ((high, high), (high, high - 1), (high - 1, high + 1), (low - 1, high)):
        command = drive.set_feature(FeatureId.HCTM, first << 16 | second)
        drive.expect(command, clause, Status.INVALID_FIELD)


@requirement("FEATURES-10", SET_CLAUSE)
@needs(SELECT)
def test_features_do_not_change_each_other(drive: Drive) -> None:
    """Setting one feature changes no other.

    1. Read the current values of all features, set each in turn, and compare the others.
    """
    settings = changeable(drive)
    values = {one: one.get(drive) for one in settings}
    for changed in settings:
        changed.set(drive, changed.other(drive, values[changed]))
        for one in settings:
            if one is not changed:
                one.must_be(drive, values[one], f"though feature {changed.fid:02x}h was set")
        changed.set(drive, values[changed])


@requirement("FEATURES-11", SET_CLAUSE)
@needs(SELECT)
def test_saved_values_survive_resets(drive: Drive) -> None:
    """A saved value is the current one after a controller reset.

    1. Save another value of each feature, and reset.
    2. Compare, and restore the values.
    """
    before = {one: one.get(drive, SAVED) for one in saveable(drive)}
    others = {one: one.other(drive, value) for one, value in before.items()}
    for one, value in others.items():
        one.set(drive, value, save=True)
    drive.reset()
    for one, value in others.items():
        one.must_be(drive, value, "since it was saved before the reset")
        one.must_be(drive, value, "since it was saved before the reset", SAVED)
    for one, value in before.items():
        one.set(drive, value, save=True)


@requirement("FEATURES-13", SET_CLAUSE)
def test_any_legal_value_can_be_set(drive: Drive) -> None:
    """Get Features returns each value that Set Features has accepted, in all of its bits.

    1. Set each feature of one dword to random legal values, some of which are saved.
    2. Compare the current value, the saved one if it was saved, and the default, which stays.
    """
    for one in changeable(drive):
        before = one.get(drive)
        selects = bool(drive.id_ctrl.oncs.ssfs)
        default = one.get(drive, DEFAULT) if selects else 0
        old = saved = one.get(drive, SAVED) if selects else 0
        for _ in range(4):
            value = one.draw(drive, drive.random)
            save = drive.can_save(one.fid) and drive.random.random() < 0.4
            one.set(drive, value, save)
            saved = value | one.selector if save else saved
            one.must_be(drive, value | one.selector, "which was set")
            if selects:
                one.must_be(drive, saved, "which was saved last", SAVED)
                one.must_be(drive, default, "which nothing changes", DEFAULT)
        if saved != old:
            one.set(drive, old, save=True)
        one.set(drive, before)


@requirement("FEATURES-14", SET_CLAUSE)
@needs(TWO_NAMESPACES, feature(FeatureId.ERROR_RECOVERY))
def test_each_namespace_has_its_own_value(drive: Drive) -> None:
    """A feature with a value for each namespace keeps them apart, and NSID FFFFFFFFh sets all.

    1. Set another TLER of each namespace, in random order, and get all of them.
    2. Set all by FFFFFFFFh.
    """
    if not drive.capabilities(FeatureId.ERROR_RECOVERY) & 2:
        pytest.skip("needs Error Recovery for each namespace (Get Features 05h, SEL 3, bit 1)")
    nsids = drive.random.sample(drive.nsids, len(drive.nsids))
    wanted = {nsid: drive.random.getrandbits(16) for nsid in nsids}
    try:
        for nsid, value in wanted.items():
            drive.succeed(drive.set_feature(FeatureId.ERROR_RECOVERY, value, nsid=nsid), SET_CLAUSE)
        must_recover(drive, wanted)
        value = drive.random.getrandbits(16)
        drive.succeed(drive.set_feature(FeatureId.ERROR_RECOVERY, value, nsid=0xFFFFFFFF), SET_CLAUSE)
        must_recover(drive, dict.fromkeys(nsids, value))
    finally:
        drive.set_feature(FeatureId.ERROR_RECOVERY, 0, nsid=0xFFFFFFFF)


def must_recover(drive: Drive, wanted: dict[int, int]) -> None:
    """Raise a finding unless Error Recovery of each namespace has its value."""
    for nsid, value in wanted.items():
        found = drive.succeed(drive.get_feature(FeatureId.ERROR_RECOVERY, nsid=nsid), GET_CLAUSE).cdw0
        drive.check(found == value, SET_CLAUSE, f"TLER {value:#x} of namespace {nsid}", f"{found:#x}")


THRESHOLD = "Base 2.0, 5.27.1.3 Temperature Threshold"
OVER, UNDER = 0, 1


@requirement("FEATURES-15", THRESHOLD)
@needs(feature(FeatureId.TEMPERATURE), version(0x00010200))
def test_thresholds_of_each_sensor(drive: Drive) -> None:
    """Each sensor has its own over and under temperature threshold, and reserved ones are refused.

    1. Set all thresholds in random order, and get them.
    2. Set all sensors at once (TMPSEL Fh). Set reserved sensors and types, which changes nothing.
    """
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(2, buf, 512, rae=True), "Base 2.0, 5.16.1.3 SMART / Health Information")
    sensors = [0, *(index + 1 for index, kelvin in enumerate(SmartLog(buf[:]).tsen) if kelvin)]
    places = [(sensor, kind) for sensor in sensors for kind in (OVER, UNDER)]
    default = {place: threshold(drive, *place) for place in places}
    try:
        values = {place: any_threshold(drive, place[1]) for place in places}
        for (sensor, kind), value in drive.random.sample(list(values.items()), len(values)):
            command = drive.set_feature(FeatureId.TEMPERATURE, kind << 20 | sensor << 16 | value)
            drive.succeed(command, THRESHOLD)
        for sel in (9, 0xE):
            command = drive.set_feature(FeatureId.TEMPERATURE, sel << 16 | HOT)
            drive.expect(command, THRESHOLD, Status.INVALID_FIELD)
        for kind in (2, 3):
            command = drive.set_feature(FeatureId.TEMPERATURE, kind << 20 | HOT)
            drive.expect(command, THRESHOLD, Status.INVALID_FIELD)
        for place, value in values.items():
            found = threshold(drive, *place)
            drive.check(found == value, THRESHOLD, f"{value} of sensor and type {place}", found)
        kind, value = drive.random.choice((OVER, UNDER)), HOT + drive.random.randrange(100)
        value = value if kind == OVER else value - HOT
        command = drive.set_feature(FeatureId.TEMPERATURE, kind << 20 | 0xF << 16 | value)
        drive.succeed(command, THRESHOLD)
        for place in places:
            wanted = value if place[1] == kind else values[place]
            found = threshold(drive, *place)
            drive.check(found == wanted, THRESHOLD, f"{wanted} of sensor and type {place}", found)
    finally:
        for (sensor, kind), value in default.items():
            drive.set_feature(FeatureId.TEMPERATURE, kind << 20 | sensor << 16 | value)


def threshold(drive: Drive, sensor: int, kind: int) -> int:
    """A threshold in Kelvin."""
    command = drive.get_feature(FeatureId.TEMPERATURE, cdw11=kind << 20 | sensor << 16)
    return drive.succeed(command, THRESHOLD).cdw0 & 0xFFFF


def any_threshold(drive: Drive, kind: int) -> int:
    """A threshold that no temperature reaches."""
    return drive.random.randrange(HOT, 0x10000) if kind == OVER else drive.random.randrange(100)


@requirement("FEATURES-16", "Base 2.0, 5.27.1.4 Volatile Write Cache")
@needs(NO_CACHE)
def test_the_cache_feature_without_a_cache(drive: Drive) -> None:
    """Without a volatile write cache, its feature is refused with Invalid Field.

    1. Get and set the feature.
    """
    clause = "Base 2.0, 5.27.1.4 Volatile Write Cache"
    drive.expect(drive.get_feature(FeatureId.VWC), clause, Status.INVALID_FIELD)
    drive.expect(drive.set_feature(FeatureId.VWC, 1), clause, Status.INVALID_FIELD)


@requirement("FEATURES-17", SET_CLAUSE)
@needs(SELECT)
def test_refused_values_change_nothing(drive: Drive) -> None:
    """A Set Features that fails leaves the current and the saved value as they were.

    1. Set features with a wrong NSID, and save those that cannot be saved.
    2. Each fails, with the status of its reason. Compare the values.
    """
    for one in changeable(drive):
        own = bool(drive.capabilities(one.fid) & 2)
        values = [one.get(drive, sel) for sel in (CURRENT, SAVED)]
        other = one.other(drive, values[0])
        command = drive.set_feature(one.fid, other | one.selector, nsid=int(drive.id_ctrl.nn) + 1)
        drive.expect(command, SET_CLAUSE, *wrong_nsid(own))
        if not own:
            command = drive.set_feature(one.fid, other | one.selector, nsid=drive.nsid)
            drive.expect(command, SET_CLAUSE, Status.FEATURE_NOT_NS_SPECIFIC)
        if not drive.can_save(one.fid):
            command = drive.set_feature(one.fid, other | one.selector, True, drive.nsid if own else 0)
            drive.expect(command, SET_CLAUSE, Status.FEATURE_NOT_SAVEABLE)
        for sel, value in zip((CURRENT, SAVED), values):
            one.must_be(drive, value, "since Set Features was refused", sel)


def wrong_nsid(own: bool) -> tuple[int, ...]:
    """Statuses of an NSID that does not exist, if the feature has a value for each namespace, and if not."""
    if own:
        return (Status.INVALID_NAMESPACE,)
    return Status.INVALID_NAMESPACE, Status.FEATURE_NOT_NS_SPECIFIC, Status.INVALID_FIELD


@requirement("FEATURES-18", "Base 2.0, 5.27.1.7 Interrupt Vector Configuration")
@needs(VECTORS, feature(FeatureId.VECTOR))
def test_each_vector_has_its_own_setting(drive: Drive) -> None:
    """Coalescing Disable is kept for each vector, and a vector that does not exist is refused.

    1. Set CD of all vectors at random, and get them in another order.
    """
    clause = "Base 2.0, 5.27.1.7 Interrupt Vector Configuration"
    at = drive.pcie.cap_offset(0x11)
    assert at is not None
    count = min((drive.pcie.register(at + 2, 2) & 0x7FF) + 1, 64)
    wanted = {vector: drive.random.getrandbits(1) for vector in range(1, count)}
    try:
        for vector, cd in wanted.items():
            drive.succeed(drive.set_feature(FeatureId.VECTOR, cd << 16 | vector), clause)
        for vector, cd in drive.random.sample(list(wanted.items()), len(wanted)):
            found = drive.succeed(drive.get_feature(FeatureId.VECTOR, cdw11=vector), clause).cdw0
            drive.check(found == cd << 16 | vector, clause, f"CD {cd} of vector {vector}", f"{found:#x}")
        drive.refused(drive.set_feature(FeatureId.VECTOR, 0xFFFF), clause)
    finally:
        for vector in wanted:
            drive.set_feature(FeatureId.VECTOR, vector)


RESETTING: dict[str, Callable[[Drive], object]] = {
    "controller": Drive.reset,
    "function": Drive.flr,
    "subsystem": Drive.subsystem_reset,
    "link": Drive.hot_reset,
    "power": Drive.power_cycle,
}
LOST = "Base 2.0, 4.2 Feature Values"


def can(drive: Drive, kind: str) -> bool:
    """Whether a drive can be reset in this way."""
    needed = {"function": FLR, "subsystem": SUBSYSTEM_RESET, "link": HOT_RESET, "power": SWITCHED_POWER}
    need = needed.get(kind)
    return need is None or need.met(drive)


@requirement("FEATURES-19", LOST)
@needs(SELECT)
@pytest.mark.parametrize("kind", list(RESETTING))
def test_values_after_each_kind_of_reset(drive: Drive, kind: str) -> None:
    """After a reset or a loss of power, a feature has its saved value, or its default if it has none.

    1. Save random values of the features that can be saved, and set others after that.
    2. Reset, and compare the current, saved and default values. A feature that persists without being saved
       has the value that was set last.
    """
    if not can(drive, kind):
        pytest.skip(f"needs {kind} resets")
    settings = changeable(drive)
    before = {one: [one.get(drive, sel) for sel in (DEFAULT, SAVED)] for one in settings}
    wanted: dict[Setting, int] = {}
    for one in settings:
        wanted[one] = before[one][0]
        if drive.can_save(one.fid):
            value = one.draw(drive, drive.random)
            one.set(drive, value, save=True)
            wanted[one] = value | one.selector
        newest = one.draw(drive, drive.random)
        one.set(drive, newest)
        if one.persists and not drive.can_save(one.fid):
            wanted[one] = newest | one.selector
    RESETTING[kind](drive)
    for one, value in wanted.items():
        one.must_be(drive, value, f"after a reset of kind {kind}", CURRENT, LOST)
        one.must_be(drive, before[one][0], f"after a reset of kind {kind}", DEFAULT, LOST)
        if drive.can_save(one.fid):
            one.must_be(drive, value, f"after a reset of kind {kind}", SAVED, LOST)
            one.set(drive, before[one][1], save=True)


@requirement("FEATURES-20", GET_CLAUSE)
def test_the_data_of_features(drive: Drive) -> None:
    """A feature whose value is a structure transfers this structure, and no other byte.

    1. Get each such feature that the drive has into a page at an odd offset, and look at the bytes around.
    """
    for fid, size in ((FeatureId.APST, 256), (FeatureId.TIMESTAMP, 8), (FeatureId.HOST_BEHAVIOR, 512)):
        slot = Slot(size)
        for offset in (0, 4 * drive.random.randrange(1024), PAGE - 4):
            buf = slot.prepare(offset, size)
            buf.size = size
            if not drive.get_feature(fid, buf=buf).ok:
                break
            drive.check(
                slot.intact(), GET_CLAUSE, f"{size} bytes of feature {fid:02x}h", "other bytes have changed"
            )
            whole = slot.data()[-1] != 0xC3
            drive.check(whole, GET_CLAUSE, f"{size} bytes of feature {fid:02x}h", "less")


@requirement("FEATURES-23", POWER)
@needs(POWER_STATES)
@takes(1)
def test_admin_commands_in_each_power_state(drive: Drive, budget: Budget) -> None:
    """In each power state, also one that the drive has entered by itself, all admin commands complete.

    1. Enter each power state by Set Features, in random order, and the deepest one by APST if the drive can.
    2. Send each kind of admin command, in random order, and an IO after that.
    """
    buf = nvme.Buffer(max(PAGE, drive.lba_size))
    for state in drive.random.sample(range(drive.id_ctrl.npss + 1), drive.id_ctrl.npss + 1):
        kinds = list(admin_commands(drive, buf))
        for send in drive.random.sample(kinds, len(kinds)):
            drive.succeed(drive.set_feature(FeatureId.POWER, state), POWER)
            if state and not budget.spent:
                time.sleep(min(int(drive.id_ctrl.psd[state].enlat) / 1e6, 0.02) + 0.001)
            drive.succeed(send(), POWER)
        drive.succeed(drive.io(IoOpcode.READ, buf), POWER)
    drive.succeed(drive.set_feature(FeatureId.POWER, 0), POWER)
    deepest = int(drive.id_ctrl.npss)
    if not drive.id_ctrl.psd[deepest].flags.nops or not drive.can_change(FeatureId.APST):
        return
    table = nvme.Buffer(256)
    for state in range(deepest):
        table[8 * state : 8 * state + 8] = (5 << 8 | deepest << 3).to_bytes(8, "little")
    try:
        drive.succeed(drive.set_feature(FeatureId.APST, 1, buf=table), POWER)
        kinds = list(admin_commands(drive, buf))
        for send in drive.random.sample(kinds, len(kinds)):
            time.sleep(0.02)
            drive.succeed(send(), POWER)
            drive.succeed(drive.io(IoOpcode.READ, buf), POWER)
    finally:
        table[:] = bytes(256)
        drive.set_feature(FeatureId.APST, 0, buf=table)


def admin_commands(drive: Drive, buf: nvme.Buffer) -> Iterator[Callable[[], Command]]:
    """Admin commands of each kind that change nothing for long."""
    memory, free = nvme.Buffer(PAGE), drive.nvme0.max_qpairs
    yield lambda: drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=Cns.CTRL)
    yield lambda: drive.admin(AdminOpcode.IDENTIFY, buf, drive.nsid, cdw10=Cns.NS)
    yield lambda: drive.log_page(2, buf, 512, rae=True)
    yield lambda: drive.log_page(1, buf, 64, rae=True)
    yield lambda: drive.get_feature(FeatureId.ARBITRATION)
    yield lambda: drive.set_feature(FeatureId.ARBITRATION, 7)
    yield lambda: drive.admin(AdminOpcode.ABORT, cdw10=0xFFFF0000)
    if free < 2:
        return

    def queue() -> Command:
        command = drive.admin(AdminOpcode.CREATE_CQ, memory, cdw10=15 << 16 | free, cdw11=1)
        return drive.admin(AdminOpcode.DELETE_CQ, cdw10=free) if command.ok else command

    yield queue


THERMAL = "Base 2.0, 5.27.1.16 Host Controlled Thermal Management"


@requirement("FEATURES-24", THERMAL)
@needs(ROOM, feature(FeatureId.HCTM), queues(3))
def test_thermal_management_throttles_and_counts(drive: Drive, model: Model) -> None:
    """Above TMT1 and TMT2 the drive counts transitions and time, and IO is right. It ends with the setting.

    1. Set TMT1 below the temperature, and then TMT2, with random IO in both.
    2. The transitions of TMT1 and then TMT2 have grown, and their times do not shrink. Set both to 0.
    """
    low, high = int(drive.id_ctrl.mntmt), int(drive.id_ctrl.mxtmt)
    kelvin = int(smart(drive).ctemp)
    if not low + 4 < kelvin < high - 20:
        pytest.skip("needs a temperature between MNTMT and MXTMT")
    base = drive.random.randrange(drive.nsze - 4096)
    traffic = Traffic(drive, model, [(base, 500)])
    before, wanted = smart(drive), 0
    try:
        for first, second, name in ((kelvin - 3, high, "tmt1tc"), (low, kelvin - 3, "tmt2tc")):
            drive.succeed(drive.set_feature(FeatureId.HCTM, first << 16 | second), THERMAL)
            wanted += 150
            while traffic.count < wanted:
                traffic.step()
            traffic.drain()
            end = time.monotonic() + 3
            while smart(drive)[name] == before[name] and time.monotonic() < end:
                time.sleep(0.02)
            now = smart(drive)
            drive.check(now[name] > before[name], THERMAL, f"{name.upper()} above {before[name]}", now[name])
    finally:
        drive.set_feature(FeatureId.HCTM, 0)
    after = smart(drive)
    for name in ("tmt1tc", "tmt2tc", "ttmt1", "ttmt2"):
        drive.check(
            after[name] >= before[name], THERMAL, f"{name.upper()} {before[name]} or more", after[name]
        )
    read_back(drive, model, model.known())


HOST_ID = "Base 2.0, 5.27.1.25 Host Identifier"


@requirement("FEATURES-21", HOST_ID)
def test_the_host_identifier(drive: Drive) -> None:
    """The host identifier reads as it was set, and a reset clears it.

    1. Set a random identifier of 64 bits, or of 128 if CTRATT has bit 0, and get it.
    2. Reset, and get it. It is 0.
    """
    long = bool(drive.id_ctrl.ctratt.hids)
    size = 16 if long else 8
    drive.reset()
    if not drive.get_feature(FeatureId.HOST_ID, cdw11=long).ok:
        pytest.skip("needs the feature Host Identifier (81h)")
    slot, wanted = Slot(16), drive.random.randbytes(size)
    command = drive.set_feature(FeatureId.HOST_ID, long, buf=slot.prepare(0, size, wanted))
    drive.succeed(command, HOST_ID)
    for what in (wanted, bytes(size)):
        command = drive.get_feature(FeatureId.HOST_ID, cdw11=long, buf=slot.prepare(2044, size))
        drive.succeed(command, HOST_ID)
        drive.check(slot.data() == what, HOST_ID, f"identifier {what.hex()}", slot.data().hex())
        drive.check(slot.intact(), HOST_ID, f"{size} bytes", "other bytes have changed")
        drive.reset()


@requirement("FEATURES-22", "Base 2.0, 5.16.1.18 Feature Identifiers Supported and Effects")
@needs(log(0x12))
def test_features_exist_as_reported(drive: Drive) -> None:
    """A feature can be got if and only if log page 12h lists it.

    1. Get each feature. One that is not listed fails with Invalid Field.
    """
    clause = "Base 2.0, 5.16.1.18 Feature Identifiers Supported and Effects"
    buf = nvme.Buffer(1024)
    drive.succeed(drive.log_page(0x12, buf, 1024), clause)
    listed = FeatureEffectsLog(buf[:])
    selectors: dict[int, int] = {
        FeatureId.VECTOR: 1,
        FeatureId.HOST_ID: int(drive.id_ctrl.ctratt.hids),
        FeatureId.READ_RECOVERY: int(drive.ns.id_ns.nvmsetid),
        FeatureId.ENDURANCE_GROUP: int(drive.ns.id_ns.endgid),
        FeatureId.FDP: int(drive.ns.id_ns.endgid),
        FeatureId.FDP_EVENTS: 1 << 16,
    }
    for fid in range(0xC0):
        supported = bool(listed.fids[fid].fsupp)
        nsid = drive.nsid if fid in (FeatureId.ERROR_RECOVERY, FeatureId.FDP_EVENTS) else 0
        command = drive.get_feature(fid, nsid=nsid, cdw11=selectors.get(fid, 0))
        if supported:
            drive.check(
                command.status != Status.INVALID_FIELD,
                clause,
                f"feature {fid:02x}h, which log page 12h lists",
                status_text(command.status),
            )
        else:
            drive.expect(command, clause, Status.INVALID_FIELD)


HMB = "Base 2.0, 5.27.1.22 Host Memory Buffer"


class HostMemory:
    """Memory that the drive may use, in several pieces with guards between them."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        pages = max(int(drive.id_ctrl.hmmin), min(int(drive.id_ctrl.hmpre), 64))
        self._first, self._second = pages - pages // 2, pages // 2
        self._memory = nvme.Buffer((pages + 3) * PAGE)
        self._list = nvme.Buffer(PAGE)
        self.poison()

    def poison(self) -> None:
        """Fill all of it with a pattern."""
        self._memory[:] = b"\xc3" * len(self._memory)

    def lend(self) -> None:
        """Let the drive use it."""
        at = self._memory.phys_addr + PAGE
        pieces = [(at, self._first)]
        if self._second:
            pieces.append((at + (self._first + 1) * PAGE, self._second))
        for index, (address, pages) in enumerate(pieces):
            self._list[16 * index : 16 * index + 12] = address.to_bytes(8, "little") + pages.to_bytes(
                4, "little"
            )
        command = self._drive.admin(
            AdminOpcode.SET_FEATURES,
            cdw10=FeatureId.HMB,
            cdw11=1,
            cdw12=self._first + self._second,
            cdw13=self._list.phys_addr & 0xFFFFFFF0,
            cdw14=self._list.phys_addr >> 32,
            cdw15=len(pieces),
        )
        self._drive.succeed(command, HMB)

        self._must_be_reported(True)
        buf = nvme.Buffer(PAGE)
        self._drive.succeed(self._drive.get_feature(FeatureId.HMB, buf=buf), HMB)
        at = self._list.phys_addr
        wanted = [self._first + self._second, at & 0xFFFFFFF0, at >> 32, len(pieces)]
        found = [buf.data(at + 3, at) for at in range(0, 16, 4)]
        self._drive.check(found == wanted, HMB, f"HSIZE, HMDLAL, HMDLAU and HMDLEC {wanted}", found)

    def _must_be_reported(self, is_lent: bool) -> None:
        """Raise a finding unless Get Features tells whether the buffer is enabled."""
        value = self._drive.succeed(self._drive.get_feature(FeatureId.HMB), HMB).cdw0
        self._drive.check(bool(value & 1) == is_lent, HMB, f"EHM {is_lent:d} of Get Features", f"{value:#x}")

    def take_back(self) -> None:
        """Take it back."""
        self._drive.succeed(self._drive.set_feature(FeatureId.HMB, 0), HMB)
        self._must_be_reported(False)

    def guards_are_intact(self) -> bool:
        """Whether the pages around and between the pieces are as they were."""
        guards = (0, self._first + 1, self._first + self._second + 2)
        return all(set(self._memory[page * PAGE : page * PAGE + PAGE]) == {0xC3} for page in guards)

    def is_untouched(self) -> bool:
        """Whether all of it is as it was."""
        return set(self._memory[:]) == {0xC3}


@requirement("FEATURES-12", HMB)
@needs(ROOM, HOST_MEMORY, queues(3))
def test_host_memory_is_used_only_while_it_is_lent(drive: Drive, model: Model) -> None:
    """The drive writes to no memory beyond its host memory buffer, and to none of it after it was taken back.

    1. Lend memory in two pieces, with guards around them, and send random IO. The guards are intact.
    2. Take it back, fill it with a pattern, and send IO. Nothing has changed.
    3. Lend it again, reset, fill it, and send IO. Nothing has changed.
    """
    memory = HostMemory(drive)
    base = drive.random.randrange(drive.nsze - 4096)

    def run() -> None:
        traffic = Traffic(drive, model, [(base, 4000)])
        traffic.run(lambda: traffic.count >= 300)

    for end in (memory.take_back, drive.reset):
        memory.lend()
        run()
        drive.delete_qpairs()
        drive.check(memory.guards_are_intact(), HMB, "no bytes outside of the buffer", "others have changed")
        end()
        memory.poison()
        run()
        drive.check(memory.is_untouched(), HMB, "memory that was taken back stays", "bytes have changed")
    read_back(drive, model, model.known())


@requirement("FEATURES-25", POWER)
@needs(ROOM, POWER_STATES)
def test_each_command_wakes_the_drive(drive: Drive, model: Model, writer: Writer) -> None:
    """A command of any kind that finds the drive in a non-operational power state does what it always does.

    1. Enter each such power state before each kind of command that reads, changes or flushes data.
    2. Read all. Write and flush in such states, lose the power, and read all again, if it can be switched.
    """
    states = [n for n in range(drive.id_ctrl.npss + 1) if drive.id_ctrl.psd[n].flags.nops]
    if not states:
        pytest.skip("needs a non-operational power state (PSD, NOPS)")
    can_switch = SWITCHED_POWER.met(drive)  # tries it, so that it comes before the first write
    base = writer.region(128)

    def asleep(send: Callable[[], object]) -> None:
        drive.succeed(drive.set_feature(FeatureId.POWER, drive.random.choice(states)), POWER)
        time.sleep(drive.random.choice((0, 0.003, 0.008)))
        send()

    kinds = sleepers(writer, base)
    for send in drive.random.sample(2 * kinds, 2 * len(kinds)):
        asleep(send)
    asleep(lambda: read_back(drive, model, range(base, base + 128)))
    if can_switch:
        asleep(lambda: writer.write(base + 5, 40))
        asleep(lambda: writer.write(base + 60, 9, fua=True))
        asleep(writer.flush)
        drive.power_cycle()
        model.power_lost()
        read_back(drive, model, range(base, base + 128))
    drive.set_feature(FeatureId.POWER, 0)


def sleepers(writer: Writer, base: int) -> list[Callable[[], object]]:
    """Commands of each kind that the drive has, to random LBAs of a region of 128."""
    rng, has = writer.drive.random, writer.drive.ns.supports

    def somewhere() -> tuple[int, int]:
        return base + rng.randrange(100), rng.randint(1, 20)

    found: list[Callable[[], object]] = [
        lambda: writer.write(*somewhere()),
        lambda: writer.write(*somewhere(), fua=True),
        lambda: writer.read(*somewhere()),
        lambda: writer.read(*somewhere(), fua=True),
        writer.flush,
    ]
    if has(IoOpcode.WRITE_ZEROES):
        found.append(lambda: writer.zeroes(*somewhere()))
    if has(IoOpcode.WRITE_UNCORRECTABLE):
        found.append(lambda: writer.uncorrectable(*somewhere()))
    if has(IoOpcode.DSM):
        found.append(lambda: writer.deallocate(somewhere()))
    return found


RETRY = "Base 2.0, 3.3.3.2.1 Status Field, Command Retry Delay"


@requirement("FEATURES-26", RETRY)
@needs(feature(FeatureId.HOST_BEHAVIOR))
def test_retry_delays_are_for_hosts_that_enable_them(drive: Drive) -> None:
    """A status names a Command Retry Delay only if the host has enabled it, and only one that the drive has.

    1. With ACRE 1 and ACRE 0, let commands fail that can be sent again, such as a second self-test.
    2. CRD is 0 with ACRE 0, and in a status with DNR. Otherwise it is 0, or CRDT of that number is not 0.
    """
    delays = (1, *(int(drive.id_ctrl[f"crdt{number}"]) for number in (1, 2, 3)))
    for acre in (1, 0):
        with host_behavior(drive, acre=acre):
            for command in failing(drive):
                text = f"CRD 0, since {'DNR is 1' if acre else 'ACRE is 0'}"
                may = bool(acre) and not command.dnr
                drive.check(may or not command.crd, RETRY, text, f"CRD {command.crd}")
                text = f"a CRD whose CRDT is not 0, of CRDT1 to CRDT3 {delays[1:]}"
                drive.check(not may or bool(delays[command.crd]), RETRY, text, f"CRD {command.crd}")


def failing(drive: Drive) -> Iterator[Command]:
    """Commands that have failed, with DNR and without it."""
    buf = nvme.Buffer(4096)
    yield drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=0xFE)
    yield drive.admin(AdminOpcode.GET_LOG_PAGE, buf, cdw10=0x7F)
    if drive.nvme0.supports(AdminOpcode.SELF_TEST):
        for code in (1, 1, 0xF):
            yield drive.admin(AdminOpcode.SELF_TEST, nsid=0xFFFFFFFF, cdw10=code)


PROFILE = "Base 2.1, 5.1.25.1.17 I/O Command Set Profile"
COMBINATIONS = 512
"""Vectors of Identify, CNS 1Ch."""


@requirement("FEATURES-27", PROFILE)
@needs(COMMAND_SETS, feature(FeatureId.COMMAND_SET_PROFILE))
def test_the_profile_is_a_combination_that_the_drive_has(drive: Drive) -> None:
    """The I/O Command Set Profile names a vector of CNS 1Ch, with the command sets of all active namespaces.

    1. Read the vectors, the feature, and the active namespaces of each command set (CNS 07h).
    2. Set the feature to its own value, and to vectors that are 0, which the drive refuses.
    """
    buf, fid = nvme.Buffer(4096), FeatureId.COMMAND_SET_PROFILE
    drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=0xFFFF << 16 | Cns.COMMAND_SETS), PROFILE)
    vectors = [buf.data(8 * index + 7, 8 * index) for index in range(COMBINATIONS)]
    now = drive.succeed(drive.get_feature(fid), PROFILE).cdw0 & 0x1FF
    drive.check(vectors[now] != 0, PROFILE, f"command sets in vector {now}, which is in use", 0)
    for csi in CommandSet:
        listed = drive.namespaces_of(csi)
        text = f"bit {int(csi)} in vector {now}, since namespaces {listed} have that command set"
        drive.check(bool(vectors[now] >> csi & 1) or not listed, PROFILE, text, f"{vectors[now]:#x}")
    drive.succeed(drive.set_feature(fid, now), PROFILE)
    empty = [index for index, vector in enumerate(vectors) if not vector]
    for index in drive.random.sample(empty, min(4, len(empty))):
        drive.refused(drive.set_feature(fid, index), PROFILE)
        seen = drive.succeed(drive.get_feature(fid), PROFILE).cdw0 & 0x1FF
        drive.check(seen == now, PROFILE, f"IOCSCI {now} as before", seen)


SPINUP = "Base 2.0, 5.27.1.24 Spinup Control"


@requirement("FEATURES-29", SPINUP)
@needs(ROOM, feature(FeatureId.SPINUP), SWITCHED_POWER)
def test_spinup_control_keeps_the_spindle_at_rest(drive: Drive, model: Model, writer: Writer) -> None:
    """With Spinup Control, rotational media start only when the host selects an operational power state.

    1. Write and flush, enable Spinup Control, and switch the power off and on. The setting has persisted, and
       the controller is in a non-operational power state.
    2. Set power state 0, and read all.
    """
    before = drive.succeed(drive.get_feature(FeatureId.SPINUP), SPINUP).cdw0
    base = writer.region(64)
    writer.write(base, 64)
    writer.flush()
    try:
        for value in (1, 0):
            drive.succeed(drive.set_feature(FeatureId.SPINUP, value), SPINUP)
            drive.power_cycle()
            model.power_lost()
            found = drive.succeed(drive.get_feature(FeatureId.SPINUP), SPINUP).cdw0 & 1
            drive.check(found == value, SPINUP, f"SCE {value}, which persists", found)
            state = drive.succeed(drive.get_feature(FeatureId.POWER), POWER).cdw0 & 0x1F
            at_rest = bool(drive.id_ctrl.psd[state].flags.nops)
            drive.check(at_rest or not value, SPINUP, "a non-operational power state", state)
            drive.succeed(drive.set_feature(FeatureId.POWER, 0), POWER)
            read_back(drive, model, range(base, base + 64))
    finally:
        drive.set_feature(FeatureId.SPINUP, before)


POWER_LIMIT = "Base 2.3, 5.2.26.1.25 Power Limit"
CENTIWATTS = 2 << 16
"""The scale of 0.01 W."""


def limit_power(drive: Drive, value: int, save: bool = False) -> Command:
    """Set the power limit, which is in dword 13."""
    cdw10 = save << 31 | FeatureId.POWER_LIMIT
    return drive.admin(AdminOpcode.SET_FEATURES, cdw10=cdw10, cdw13=value)


def limits(drive: Drive) -> list[int]:
    """The current power limit, the default, and the saved one."""
    fid = FeatureId.POWER_LIMIT
    return [drive.succeed(drive.get_feature(fid, sel), POWER_LIMIT).cdw0 for sel in (CURRENT, DEFAULT, SAVED)]


@requirement("FEATURES-28", POWER_LIMIT)
@needs(SELECT, feature(FeatureId.POWER_LIMIT), log(LogId.POWER_MEASUREMENT))
def test_a_power_limit_is_kept(drive: Drive) -> None:
    """A power limit is refused if no operational power state is left, and holds otherwise.

    1. Set limits of 0.01 W, and of less than the operational power state with the least power needs: Invalid
       Power Limit. The limit is as before.
    2. Set the power of that state, and save it if that is possible. Read for more than a second, while the
       drive measures. The highest interval is not above the limit.
    """
    current, default, saved = limits(drive)
    drive.succeed(limit_power(drive, 0), POWER_LIMIT)
    states = [drive.id_ctrl.psd[n] for n in range(drive.id_ctrl.npss + 1)]
    least = min(int(psd.mp) // (100 if psd.flags.mxps else 1) for psd in states if not psd.flags.nops)
    if not least:
        pytest.skip("needs the power of operational power states (PSD, MP)")
    buf = nvme.Buffer(drive.most_lbas * drive.lba_size)
    can_save = drive.can_save(FeatureId.POWER_LIMIT)
    try:
        for value in (1, least - 1):
            command = limit_power(drive, value | CENTIWATTS)
            drive.expect(command, POWER_LIMIT, Status.INVALID_POWER_LIMIT)
            found = limits(drive)
            drive.check(found == [0, default, saved], POWER_LIMIT, f"{[0, default, saved]} as before", found)
        value = least | CENTIWATTS
        drive.succeed(limit_power(drive, value, can_save), POWER_LIMIT)
        wanted, found = [value, default, value if can_save else saved], limits(drive)
        drive.check(found == wanted, POWER_LIMIT, f"{wanted}: current, default and saved", found)
        drive.succeed(drive.set_feature(FeatureId.POWER_MEASUREMENT, 1), POWER_LIMIT)
        end = time.monotonic() + 1.3
        while time.monotonic() < end:
            drive.succeed(drive.io(IoOpcode.READ, buf, 0, drive.most_lbas), POWER_LIMIT)
        drive.succeed(drive.log_page(LogId.POWER_MEASUREMENT, buf, PowerMeasurementLog.SIZE), POWER_LIMIT)
        power = PowerMeasurementLog(bytes(buf[: PowerMeasurementLog.SIZE])).mipwr
        most = power.pwrv / (100 if power.pwrs == 1 else 1)
        drive.check(most <= least, POWER_LIMIT, f"intervals of {least / 100} W at most", f"{most / 100} W")
    finally:
        drive.set_feature(FeatureId.POWER_MEASUREMENT, 0)
        if can_save:
            limit_power(drive, saved, True)
        limit_power(drive, current)


ALIVE = "Base 2.0, 3.9 Keep Alive"
MOST_GRANULARITY = 10
"""The largest KAS, in units of 100 ms, for which the test does not take too long."""


@requirement("FEATURES-30", ALIVE)
@needs(admin(AdminOpcode.KEEP_ALIVE), feature(FeatureId.KATO))
def test_a_silent_host_makes_the_controller_fail(drive: Drive) -> None:
    """While Keep Alive commands come in time, a controller works. Without them, it sets CSTS.CFS.

    1. Set a Keep Alive Timer, and send Keep Alive for longer than its time. CSTS.CFS is 0.
    2. Be silent for twice the time. CSTS.CFS is 1. Reset the controller, which then works.
    """
    granularity = int(drive.id_ctrl.kas)
    if granularity > MOST_GRANULARITY:
        pytest.skip(f"needs a Keep Alive granularity of {MOST_GRANULARITY} * 100 ms at most (KAS)")
    drive.succeed(drive.set_feature(FeatureId.KATO, max(300, granularity * 100)), ALIVE)
    kato = drive.succeed(drive.get_feature(FeatureId.KATO), ALIVE).cdw0
    is_multiple = kato >= 300 and kato % (granularity * 100) == 0
    drive.check(is_multiple, ALIVE, f"a KATO of 300 or more, and a multiple of {granularity * 100}", kato)
    last = start = time.monotonic()
    while time.monotonic() < start + 1.7 * kato / 1000:
        time.sleep(kato / 10000)
        was_late = time.monotonic() - last > 0.8 * kato / 1000
        drive.check(was_late or not drive.csts.cfs, ALIVE, "CFS 0, since Keep Alives come", 1)
        if was_late:
            drive.reset()
            pytest.skip("the host was too busy to send Keep Alive in time")
        drive.succeed(drive.admin(AdminOpcode.KEEP_ALIVE), ALIVE)
        last = time.monotonic()
    time.sleep(2 * kato / 1000 + 0.2)
    failed = drive.csts.cfs
    drive.reset()
    drive.check(bool(failed), ALIVE, f"CFS 1 after {2 * kato} ms without Keep Alive", failed)
    drive.succeed(drive.get_feature(FeatureId.KATO), ALIVE)


METADATA = "Base 2.1, 5.1.25.1.26 Host Metadata"
REPLACE, DELETE = 0, 1 << 13


def leave(drive: Drive, fid: int, action: int, elements: dict[int, bytes], nsid: int = 0) -> None:
    """Replace or delete elements of a host's metadata."""
    data = bytes([len(elements), 0])
    data += b"".join(
        bytes([et, 0]) + len(value).to_bytes(2, "little") + value for et, value in elements.items()
    )
    buf = nvme.Buffer(4096)
    buf[: len(data)] = data
    drive.succeed(drive.set_feature(fid, action, nsid=nsid, buf=buf), METADATA)


def elements_of(drive: Drive, fid: int, nsid: int = 0) -> list[tuple[int, bytes]]:
    """The types and values of a host's metadata, in order of the types."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.get_feature(fid, nsid=nsid, buf=buf), METADATA)
    return sorted((int(one.et.et), bytes(one.eval)) for one in HostMetadata(bytes(buf[:])).elements)


def unused_types(drive: Drive, elements: list[tuple[int, bytes]]) -> list[int]:
    """Two element types that the metadata do not have."""
    return drive.random.sample(sorted(set(range(1, 0x18)) - {et for et, _ in elements}), 2)


def must_hold(drive: Drive, fid: int, wanted: list[tuple[int, bytes]], nsid: int = 0) -> None:
    """Raise a finding unless the metadata have these elements, in any order."""
    found = elements_of(drive, fid, nsid)
    drive.check(found == sorted(wanted), METADATA, f"elements {sorted(wanted)}", found)


@requirement("FEATURES-31", METADATA)
@needs(feature(FeatureId.CTRL_METADATA))
def test_metadata_of_the_host_are_replaced_and_deleted(drive: Drive) -> None:
    """Elements of Controller Metadata are added, replaced and deleted by their types. Others stay.

    1. Add elements of two types that are not there. Replace one by a longer one and by a shorter one.
    2. Delete one, then the other.
    """
    fid = FeatureId.CTRL_METADATA
    before = elements_of(drive, fid)
    one, other = unused_types(drive, before)
    try:
        leave(drive, fid, REPLACE, {one: b"pynvme", other: b"other"})
        must_hold(drive, fid, [*before, (one, b"pynvme"), (other, b"other")])
        for value in (b"a longer value", b"short"):
            leave(drive, fid, REPLACE, {one: value})
            must_hold(drive, fid, [*before, (one, value), (other, b"other")])
        leave(drive, fid, DELETE, {one: b""})
        must_hold(drive, fid, [*before, (other, b"other")])
    finally:
        leave(drive, fid, DELETE, {one: b"", other: b""})
    must_hold(drive, fid, before)


@requirement("FEATURES-32", METADATA)
@needs(TWO_NAMESPACES, feature(FeatureId.NS_METADATA))
def test_each_namespace_has_its_own_metadata(drive: Drive) -> None:
    """Namespace Metadata of one namespace are not those of another.

    1. Add an element of the same type to each namespace, with another value, and get all of them.
    2. Delete that of one namespace. Those of the others stay.
    """
    fid = FeatureId.NS_METADATA
    before = {nsid: elements_of(drive, fid, nsid) for nsid in drive.nsids}
    one = unused_types(drive, [element for elements in before.values() for element in elements])[0]
    try:
        for nsid in drive.nsids:
            leave(drive, fid, REPLACE, {one: b"namespace %d" % nsid}, nsid)
        gone = drive.random.choice(drive.nsids)
        for deleted in ([], [gone]):
            for nsid in deleted:
                leave(drive, fid, DELETE, {one: b""}, nsid)
            for nsid in drive.nsids:
                element = [] if nsid in deleted else [(one, b"namespace %d" % nsid)]
                must_hold(drive, fid, before[nsid] + element, nsid)
    finally:
        for nsid in drive.nsids:
            leave(drive, fid, DELETE, {one: b""}, nsid)
