# SPDX-License-Identifier: BSD-3-Clause
"""Features: current, default and saved values, and what they do."""

from __future__ import annotations

import time

import nvme
import pytest

from pynvme.spec import AdminOpcode, ApstEntries, FeatureId, IoOpcode, Status, Timestamp
from pynvme.suite import needs, requirement
from pynvme.suite.claims import (
    DULBE,
    HOST_MEMORY,
    PLAIN,
    POWER_STATES,
    ROOM,
    SELECT,
    TIMESTAMP,
    ZEROED,
    feature,
    io,
)
from pynvme.suite.drive import Drive
from pynvme.suite.features import CURRENT, DEFAULT, GET_CLAUSE, SAVED, SET_CLAUSE, changeable, saveable
from pynvme.suite.history import status_text
from pynvme.suite.model import Model
from pynvme.suite.traffic import MISMATCH, PAGE, Traffic, read_back
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
        command = drive.get_feature(fid, sel=3)
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

    1. Get a feature with each of them.
    """
    for sel in range(4, 8):
        drive.expect(drive.get_feature(FeatureId.ARBITRATION, sel), GET_CLAUSE, Status.INVALID_FIELD)


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
        stamp, end = timestamp(drive), time.monotonic()
        if stamp.attr.tso == 0 and turn >= 5:
            most = int((end - start + TICK) * 1000)
            drive.check(stamp.tstmp <= most, TIME, f"{most} ms at most since the reset", stamp.tstmp)
            continue
        drive.check(stamp.attr.tso == 1, TIME, "origin 001b, since the time was set", stamp.attr.tso)
        most = wanted + int((end - start + TICK) * 1000)
        drive.check(last <= stamp.tstmp <= most, TIME, f"{last} to {most}", stamp.tstmp)
        last = stamp.tstmp
        time.sleep(0.02)


def timestamp(drive: Drive) -> Timestamp:
    """The clock of the drive."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.get_feature(FeatureId.TIMESTAMP, buf=buf), TIME)
    return Timestamp(bytes(buf[:8]))


@requirement("FEATURES-5", DULBE_CLAUSE)
@needs(PLAIN, ROOM, DULBE, ZEROED, io(IoOpcode.DSM), feature(FeatureId.ERROR_RECOVERY))
def test_errors_of_deallocated_blocks(drive: Drive, model: Model, writer: Writer) -> None:
    """With DULBE, a read of a deallocated LBA fails, and that of a written one does not.

    1. Write LBAs, deallocate whole units among them, and read these.
    2. Set DULBE. Where zeros were read, a read fails now, and all others succeed.
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
            statuses = (Status.DEALLOCATED_OR_UNWRITTEN,) if lba in gone else (Status.SUCCESS,)
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

    def take_back(self) -> None:
        """Take it back."""
        self._drive.succeed(self._drive.set_feature(FeatureId.HMB, 0), HMB)

    def guards_are_intact(self) -> bool:
        """Whether the pages around and between the pieces are as they were."""
        guards = (0, self._first + 1, self._first + self._second + 2)
        return all(set(self._memory[page * PAGE : page * PAGE + PAGE]) == {0xC3} for page in guards)

    def is_untouched(self) -> bool:
        """Whether all of it is as it was."""
        return set(self._memory[:]) == {0xC3}


@requirement("FEATURES-12", HMB)
@needs(PLAIN, ROOM, HOST_MEMORY)
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
