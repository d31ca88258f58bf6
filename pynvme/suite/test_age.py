# SPDX-License-Identifier: BSD-3-Clause
"""Age: what was written long ago is there, and the health log tells how old and worn the drive is.

A virtual SSD grows old at once. On other drives, only the tests that need no more than a few seconds run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import nvme
import pytest

from pynvme.spec import FeatureId, IoOpcode, SmartLog, Status
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.ageing import VIRTUAL_TIME, Ageing, ageing_of, writable_without_backup
from pynvme.suite.claims import ROOM
from pynvme.suite.drive import Drive
from pynvme.suite.health import SMART, smart
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.promises import Promises
from pynvme.suite.traffic import Traffic, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(ROOM)

READ = clauses.of_io(IoOpcode.READ)
WARNING = f"{SMART}, Critical Warning"

AER = "Base 2.0, 5.2 Asynchronous Event Request, SMART / Health Status"
RELIABILITY_EVENT, TEMPERATURE_EVENT, SPARE_EVENT = 0x020001, 0x020101, 0x020201
"""Dword 0 of asynchronous events: log page, information and type."""

HOTTEST = 0xFFFF
COOL, HOT = 303, 345
"""Temperatures in Kelvin."""

LATE_WEAR = 2.0
"""Seconds in which a drive may count what was written as wear."""

AGES = (1, 1_000, 20_000, 15_000, 40_000)
"""Hours that are added, one after the other. They reach beyond 2^15 and 2^16."""


@pytest.fixture
def ageing(drive: Drive) -> Iterator[Ageing]:
    """What lets the drive grow old. The drive is as worn afterwards as it was before, but its hours stay."""
    found = ageing_of(drive)
    if found is None:
        pytest.skip(f"needs {VIRTUAL_TIME.text}")
    before = smart(drive)
    drive.may_warn = True
    yield found
    found.age(
        used=int(before.pused),
        spare=int(before.avsp),
        read_only=bool(before.cw.amro),
        backup_failed=bool(before.cw.vmbf),
    )


def endurance(drive: Drive) -> int:
    """How many bytes wear this drive out, or 0 if nobody knows."""
    found = ageing_of(drive)
    return int(found.options().get("endurance") or 0) if found is not None else 0


@pytest.fixture
def settled(drive: Drive, ageing: Ageing) -> None:
    """A drive that has counted as wear what the tests before have written."""
    if endurance(drive):
        drive.poll(lambda: False, LATE_WEAR)


@pytest.fixture
def writable(drive: Drive, ageing: Ageing) -> Iterator[None]:
    """A drive of OCP's specification goes on writing while its backup has failed."""
    with writable_without_backup(drive):
        yield


def pass_hours(drive: Drive, ageing: Ageing, hours: int) -> None:
    """Let hours pass, which the health log has to count."""
    before = int(smart(drive).poh)
    drive.note(f"{hours} hours pass", f"# {hours} power-on hours pass")
    ageing.age(hours=hours)
    after = int(smart(drive).poh)
    drive.check(
        before + hours <= after <= before + hours + 1, SMART, f"{before + hours} power-on hours", after
    )


def must_agree(drive: Drive) -> SmartLog:
    """Raise a finding unless spare, life and warnings of the health log agree with each other."""
    log = smart(drive)
    is_low = log.avsp < log.avspt
    seen = f"{int(log.cw):#x}, with a spare of {log.avsp} % and a threshold of {log.avspt} %"
    drive.check(bool(log.cw.ascbt) == is_low, WARNING, f"critical warning bit 0 is {is_low:d}", seen)
    drive.check(log.avsp <= 100, SMART, "a spare of 100 % at most", log.avsp)
    return log


@requirement("AGE-1", READ)
@needs(VIRTUAL_TIME)
def test_data_of_years_ago(drive: Drive, model: Model, writer: Writer, ageing: Ageing) -> None:
    """Data that were written years ago are there, also those that were read or overwritten meanwhile.

    1. Write regions. One is read at each age, one is overwritten, one is left alone. Flush.
    2. Let months and years pass, up to more than eight, with a reset or a power cycle between.
    3. Read all of them, and write and read at each age.
    """
    read, hot, cold = (writer.region(600) for _ in range(3))
    writer.flush()
    for turn, hours in enumerate(AGES):
        pass_hours(drive, ageing, hours)
        if turn % 2:
            writer.flush()
            drive.power_cycle()
            model.power_lost()
        elif turn:
            drive.reset()
        read_back(drive, model, range(read, read + 600))
        writer.write(hot + drive.random.randrange(500), 100)
        traffic = Traffic(drive, model, [(hot, 600)])
        traffic.run(lambda: traffic.count >= 400)  # noqa: B023 - run() ends in this turn
        read_back(drive, model, range(hot, hot + 600))
    read_back(drive, model, range(cold, cold + 600))
    read_back(drive, model, model.known())


@requirement("AGE-2", f"{SMART}, Power On Hours")
@needs(VIRTUAL_TIME)
@pytest.mark.usefixtures("settled")
def test_power_on_hours(drive: Drive, ageing: Ageing) -> None:
    """Power-on hours count the hours that pass, and no reset and no power cycle takes them back.

    1. Let hours pass, and read the log several times, after a reset and after a power cycle too.
    2. The hours are those of before and those that passed. Spare, life and warnings are as before.
    """
    for turn, hours in enumerate((1, 1000, 9000)):
        before = must_agree(drive)
        pass_hours(drive, ageing, hours)
        for restart in (None, Drive.reset, Drive.power_cycle if turn else Drive.reset):
            if restart is not None:
                restart(drive)
            for _ in range(3):
                after = must_agree(drive)
                wanted = before.poh + hours
                drive.check(
                    wanted <= after.poh <= wanted + 1, SMART, f"{wanted} power-on hours", int(after.poh)
                )
                for name in ("avsp", "avspt", "pused", "mdie"):
                    drive.check(
                        after[name] == before[name], SMART, f"{name.upper()} {before[name]}", after[name]
                    )
                cbt = before.cbt + 1
                drive.check(after.cbt <= cbt, SMART, f"{cbt} minutes of busy time at most", int(after.cbt))


@requirement("AGE-3", f"{SMART}, Percentage Used and Available Spare")
@needs(VIRTUAL_TIME)
@pytest.mark.usefixtures("settled")
def test_wear_is_reported(drive: Drive, ageing: Ageing) -> None:
    """Used life and spare are reported as they are, with the warning once the spare is below its threshold.

    1. Let the drive wear, in steps. Compare the log at each step, after a reset and a power cycle too.
    """
    low = max(int(smart(drive).avspt) - 1, 1)
    for used, spare in ((3, 99), (50, 60), (99, low + 1), (101, low), (255, 1)):
        ageing.age(used=used, spare=spare)
        for restart in (None, Drive.reset, Drive.power_cycle):
            if restart is not None:
                restart(drive)
            log = must_agree(drive)
            drive.check(log.pused == used, SMART, f"{used} % used", int(log.pused))
            drive.check(log.avsp == spare, SMART, f"a spare of {spare} %", int(log.avsp))
            drive.check(not log.cw.amro, WARNING, "critical warning bit 3 is 0", f"{int(log.cw):#x}")


@requirement("AGE-4", f"{WARNING}, bit 3, and NVM 1.0, 3.2.6 Write")
@needs(VIRTUAL_TIME)
def test_a_worn_out_drive_is_read_only(drive: Drive, model: Model, writer: Writer, ageing: Ageing) -> None:
    """A drive whose media are read-only says so, refuses what changes data, and its data can be read.

    1. Write, flush, and let the drive wear out. Critical warning bit 3 is set.
    2. Writes, zeroes and marks fail, and change nothing. Reads succeed, also after a power cycle.
    3. Once the drive is not read-only any more, writes succeed.
    """
    base = writer.region(64)
    writer.flush()
    for spare in (None, 0):
        ageing.age(read_only=spare is None, spare=spare)
        must_stay_read_only(drive, model, base, 64)
        ageing.age(read_only=False, spare=100)
        log = must_agree(drive)
        drive.check(not log.cw.amro, WARNING, "critical warning bit 3 is 0", f"{int(log.cw):#x}")
        writer.write(base, 64)
        read_back(drive, model, range(base, base + 64))
        writer.flush()


def must_be_refused(drive: Drive, base: int) -> None:
    """Raise a finding unless commands that change data fail."""
    buf = nvme.Buffer(8 * drive.lba_size)
    for opcode in (IoOpcode.WRITE, IoOpcode.WRITE_ZEROES, IoOpcode.WRITE_UNCORRECTABLE):
        if drive.ns.supports(opcode):
            command = drive.io(opcode, buf, base + 8, 8)
            drive.refused(command, f"{WARNING}, bit 3")


@requirement("AGE-5", f"{WARNING}, bit 4")
@needs(VIRTUAL_TIME)
@pytest.mark.usefixtures("writable")
def test_a_failed_backup_is_reported(drive: Drive, ageing: Ageing) -> None:
    """Critical warning bit 4 is set while the backup of volatile memory has failed, and only then.

    1. Let the backup fail, and read the log, after a reset and a power cycle too. Repair it.
    2. What the drive promises of its data holds each time.
    """
    promises = Promises(drive)
    for is_bad in (True, False):
        ageing.age(backup_failed=is_bad)
        for restart in (None, Drive.reset, Drive.power_cycle):
            if restart is not None:
                restart(drive)
            seen = smart(drive).cw
            drive.check(
                bool(seen.vmbf) == is_bad, WARNING, f"critical warning bit 4 is {is_bad:d}", f"{int(seen):#x}"
            )
        promises.judge()


@requirement("AGE-6", SMART)
@takes(2)
def test_the_health_log_over_time(drive: Drive, model: Model, writer: Writer, budget: Budget) -> None:
    """While seconds pass, times of the health log do not run ahead, its counts stand, and data stay.

    1. Write a region, and read it again and again for a while.
    2. Compare the health log each time. Nothing goes back, and nothing but reads is counted.
    """
    base = writer.region(128)
    first = last = must_agree(drive)
    drive.ledger.judge(drive, first)
    start = time.monotonic()
    for _ in budget.turns(least=4):
        read_back(drive, model, range(base, base + 128))
        time.sleep(budget.limit / 20)
        now = must_agree(drive)
        for name in ("cbt", "poh", "hrc", "dur", "wctt", "cctt"):
            drive.check(now[name] >= last[name], SMART, f"{name.upper()} {last[name]} or more", now[name])
        for name in ("pwrc", "upl", "mdie", "neile", "duw", "hwc", "avspt"):
            drive.check(now[name] == first[name], SMART, f"{name.upper()} {first[name]}", now[name])
        passed = time.monotonic() - start
        for name, unit in (("poh", 3600), ("cbt", 60), ("wctt", 60), ("cctt", 60)):
            most = first[name] + int(passed / unit) + 1
            drive.check(now[name] <= most, SMART, f"{name.upper()} {most} at most", now[name])
        last = now


@requirement("AGE-7", f"{SMART}, Composite Temperature")
@needs(VIRTUAL_TIME)
def test_a_hot_drive_keeps_its_promises(drive: Drive, ageing: Ageing) -> None:
    """A drive that is hot, or that throttles, says how hot it is, and keeps what it promises of its data.

    1. Heat the drive above its warning and its critical temperature, let it throttle, and cool it. Let hours
       pass at each temperature.
    2. The health log has the temperature, critical warning bit 1 above the threshold, and the minutes above
       WCTEMP and CCTEMP. What the drive promises of its data holds each time.
    """
    promises = Promises(drive)
    warning, critical = int(drive.id_ctrl.wctemp) or HOT, int(drive.id_ctrl.cctemp) or HOT + 10
    try:
        for kelvin, throttle in ((warning + 2, False), (critical + 2, False), (COOL, True), (COOL, False)):
            drive.note(f"the drive has {kelvin} K", f"# the drive has {kelvin} K")
            ageing.age(temperature=kelvin, throttle=throttle)
            drive.poll(lambda: smart(drive).ctemp >= kelvin, 2.0)  # noqa: B023 - poll() ends in this turn
            found = int(smart(drive).ctemp)
            drive.check(found >= kelvin, SMART, f"a temperature of {kelvin} K, or more by its load", found)
            must_count_heat(drive, ageing)
            promises.judge()
    finally:
        ageing.age(temperature=COOL, throttle=False)


def must_count_heat(drive: Drive, ageing: Ageing) -> None:
    """Raise a finding unless the health log warns of the temperature, and counts how long it lasts."""
    threshold = drive.get_feature(FeatureId.TEMPERATURE).cdw0 & 0xFFFF
    before = smart(drive)
    kelvin = int(before.ctemp)
    if kelvin >= threshold:
        drive.check(bool(before.cw.ttc), WARNING, f"bit 1 at {kelvin} K", f"{int(before.cw):#x}")
    ageing.age(hours=2)
    now = smart(drive)
    for name, limit in (("wctt", int(drive.id_ctrl.wctemp)), ("cctt", int(drive.id_ctrl.cctemp))):
        minutes = now[name] - before[name]
        if limit and kelvin >= limit:
            drive.check(minutes >= 120, SMART, f"{name.upper()} grows by 2 hours at {kelvin} K", minutes)
        elif limit and now.ctemp < limit:
            drive.check(minutes <= 1, SMART, f"{name.upper()} stays at {kelvin} K", minutes)


class Cause(NamedTuple):
    """Something that makes a drive warn, its event, and the bit of feature 0Bh that enables it."""

    name: str
    begin: dict[str, Any]
    end: dict[str, Any]
    event: int
    enabled: int


def causes(drive: Drive) -> list[Cause]:
    """What can make this drive warn."""
    log = smart(drive)
    low = max(int(log.avspt) - 1, 1)
    found = [
        Cause("a low spare", {"spare": low}, {"spare": int(log.avsp)}, SPARE_EVENT, 1),
        Cause("read-only media", {"read_only": True}, {"read_only": False}, RELIABILITY_EVENT, 8),
        Cause("a failed backup", {"backup_failed": True}, {"backup_failed": False}, RELIABILITY_EVENT, 16),
    ]
    threshold = drive.get_feature(FeatureId.TEMPERATURE).cdw0 & 0xFFFF
    if COOL < threshold < HOTTEST:
        hot, cool = {"temperature": threshold + 2}, {"temperature": COOL}
        found.append(Cause("heat", hot, cool, TEMPERATURE_EVENT, 2))
    return found


@requirement("AGE-8", AER)
@needs(VIRTUAL_TIME)
@pytest.mark.usefixtures("writable")
def test_each_warning_is_an_event(drive: Drive, ageing: Ageing) -> None:
    """A critical warning that begins is one event if feature 0Bh enables it, and none if it does not.

    1. Let the spare run low, the media become read-only, the backup fail, and the drive become hot, in random
       order, with the event disabled and enabled.
    2. One event comes that names the cause and log page 02h, and none once the cause is over.
    """
    events: list[int] = []
    drive.nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    wanted = [(cause, enabled) for cause in causes(drive) for enabled in (False, True)]
    for cause, enabled in drive.random.sample(wanted, len(wanted)):
        value = cause.enabled if enabled else 0x1F & ~cause.enabled
        drive.succeed(drive.set_feature(FeatureId.ASYNC_EVENT, value), AER)
        drive.note(cause.name, f"# {cause.name}")
        ageing.age(**cause.begin)
        drive.poll(lambda: bool(events), 3.0 if enabled else 0.05)
        right = [cause.event] if enabled else []
        text = f"{[hex(one) for one in right]} of {cause.name}, feature 0Bh {value:#x}"
        drive.check(events == right, AER, f"events {text}", [hex(one) for one in events])
        warning = int(smart(drive).cw)
        drive.check(bool(warning & cause.enabled), WARNING, f"a bit of {cause.name}", f"{warning:#x}")
        ageing.age(**cause.end)
        must_be_read(drive)
        drive.poll(lambda: False, 0.01)
        drive.check(events == right, AER, f"no more events than {text}", [hex(one) for one in events])
        events.clear()
    drive.nvme0.register_aer_cb(None)


def must_be_read(drive: Drive) -> None:
    """Read the health log without RAE, so that the next event can come."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(2, buf, 512), SMART)


BYTES_OF_A_UNIT = 512_000
"""Of Data Units Written."""
MOST_ENDURANCE = 1 << 27
"""Bytes that a test can write until a drive is worn out."""


WEARS = Need(
    "a virtual SSD that wears out (option endurance, 128 MiB at most)",
    lambda drive: 0 < endurance(drive) <= MOST_ENDURANCE,
)


@requirement("AGE-9", f"{SMART}, Percentage Used, Available Spare and Critical Warning")
@needs(WEARS)
def test_a_drive_that_is_written_to_death(drive: Drive, model: Model, writer: Writer, ageing: Ageing) -> None:
    """Writes wear a drive: its life passes, then its spare, and in the end it is read-only with all data.

    1. Write a region again and again, and read the health log, until a write is refused, after twice the
       drive's endurance and a little more at most. Reset and lose the power meanwhile.
    2. Percentage Used follows what was written, and the spare follows when the life is over. Critical
       warning bit 0 is set below the threshold, and bit 3 without spare. Nothing goes back.
    3. Without spare, what changes data is refused with 00/20, and all can be read.
    """
    ageing.age(used=0, spare=100, read_only=False)
    total = endurance(drive)
    nlb = max(1, min(drive.most_lbas, total // 200 // drive.lba_size))
    base, turns = writer.region(nlb), 22 * total // (10 * nlb * drive.lba_size)
    writer.flush()
    first = last = must_agree(drive)
    restarts = {turns * share // 8: restart for share, restart in ((1, Drive.reset), (5, Drive.power_cycle))}
    for turn in range(turns):
        if not writer.write_unless(base, nlb, Status.NS_WRITE_PROTECTED):
            break
        if turn in restarts:
            writer.flush()
            restarts[turn](drive)
        if turn % 16 == 0:
            must_be_worn(drive, first, total)
        last = must_wear(drive, first, last, total)
        if last.avsp == 0:
            break
    drive.poll(lambda: smart(drive).avsp == 0, LATE_WEAR)
    last = smart(drive)
    drive.check(last.avsp == 0, SMART, f"no spare after {2 * total} bytes", f"{int(last.avsp)} %")
    writer.flush()
    must_stay_read_only(drive, model, base, nlb)


def must_stay_read_only(drive: Drive, model: Model, base: int, nlb: int) -> None:
    """The drive warns, refuses changes and has the data, now and after a reset and a power cycle."""
    for restart in (None, Drive.reset, Drive.power_cycle):
        if restart is not None:
            restart(drive)
        log = must_agree(drive)
        drive.check(bool(log.cw.amro), WARNING, "critical warning bit 3, read-only", f"{int(log.cw):#x}")
        must_be_refused(drive, base)
        read_back(drive, model, range(base, base + nlb))


def used_by(drive: Drive, first: SmartLog, total: int) -> range:
    """The percentages that may be used after what was written since the first log."""
    units = smart(drive).duw - first.duw
    least, most = (
        min(int(first.pused) + 100 * BYTES_OF_A_UNIT * (units + more) // total + more, 255)
        for more in (-2, 2)
    )
    return range(least, most + 1)


def must_be_worn(drive: Drive, first: SmartLog, total: int) -> None:
    """Raise a finding unless the drive soon counts what was written as wear."""
    wanted = used_by(drive, first, total)
    drive.poll(lambda: smart(drive).pused >= wanted[0], LATE_WEAR)
    found = int(smart(drive).pused)
    drive.check(found >= wanted[0], SMART, f"{wanted[0]} % used, or more", found)


def must_wear(drive: Drive, first: SmartLog, last: SmartLog, total: int) -> SmartLog:
    """Raise a finding unless the health log tells how worn the drive is. Returns the log."""
    wanted = used_by(drive, first, total)
    now = must_agree(drive)
    drive.check(now.pused <= wanted[-1], SMART, f"{wanted[-1]} % used, or less", int(now.pused))
    drive.check(now.pused >= last.pused, SMART, f"{int(last.pused)} % used, or more", int(now.pused))
    drive.check(now.avsp <= last.avsp, SMART, f"{int(last.avsp)} % spare, or less", int(now.avsp))
    if now.pused <= 100:
        drive.check(now.avsp == first.avsp, SMART, "all spare before the end of its life", int(now.avsp))
    return now
