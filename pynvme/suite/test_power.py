# SPDX-License-Identifier: BSD-3-Clause
"""Loss of power: durable data are there, others are old or new, and the drive comes back."""

from __future__ import annotations

import time
from typing import Callable

import nvme
import pytest

from pynvme.spec import AdminOpcode, FeatureId, FirmwareAction, IoOpcode, Register, SelfTest, SmartLog
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import (
    CACHE,
    ROOM,
    SELECT,
    SWITCHED_POWER,
    TWO_NAMESPACES,
    admin,
    feature,
    io,
)
from pynvme.suite.drive import ALL_NAMESPACES, SAVE, SHUTDOWN, Drive
from pynvme.suite.features import SAVED, changeable, saveable
from pynvme.suite.health import SMART, smart
from pynvme.suite.history import Command
from pynvme.suite.identity import CLAUSE as IDENTIFY
from pynvme.suite.identity import must_be_the_same
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.outage import Outages
from pynvme.suite.promises import Promises
from pynvme.suite.traffic import model_of, read_back
from pynvme.suite.writing import Writer, must_be_right, whole

pytestmark = needs(ROOM, SWITCHED_POWER)

FLUSH = clauses.of_io(IoOpcode.FLUSH)
FIRMWARE = "Base 2.0, 5.16.1.4 Firmware Slot Information"
SAVING = "Base 2.0, 5.27 Set Features, Save"

LOAD = {
    "write": 50,
    "write_fua": 8,
    "flush": 8,
    "read": 6,
    "read_fua": 3,
    "zeroes": 5,
    "zeroes_fua": 2,
    "zeroes_deac": 2,
    "zeroes_deac_fua": 2,
    "trim": 5,
    "uncorrectable": 2,
}


@requirement("POWER-1", FLUSH)
@takes(6)
def test_cuts_at_any_moment_under_load(drive: Drive, model: Model, budget: Budget) -> None:
    """After a cut, each LBA holds its durable data or newer ones, and no write of an atomic size is torn.

    1. Send random writes, FUA writes, zeroes, deallocations and flushes on two queues.
    2. Cut the power at a random moment, with commands in flight.
    3. Switch it on, and read all LBAs that were ever touched.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 600), (base + 2048, 200), (drive.nsze - 100, 100)], LOAD)
    for _ in budget.turns(least=5):
        outages.cut(drive.random.choice((1, 1, 3, 10, 40, 150, 400)))


@requirement("POWER-2", FLUSH)
@takes(3)
def test_flushed_data_survive_a_cut_at_any_delay(drive: Drive, model: Model, budget: Budget) -> None:
    """What a flush covers survives, whether the power goes right after the flush or up to a second later.

    1. Write random LBAs, and flush.
    2. Cut the power after a random delay, half of the time at once, and in between write other LBAs.
    3. Read all.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 512)], {"write": 1})
    writer = Writer(drive, model)
    for _ in budget.turns(least=4):
        for _ in range(drive.random.choice((1, 20))):
            outages.traffic.step()
        outages.traffic.drain()
        writer.flush()
        delay = drive.random.choice((0, 0, 0, 1e-4, 1e-3, 0.01, 0.05, min(0.7, budget.limit / 8)))
        outages.cut(drive.random.choice((0, 0, 30)), delay)


@requirement("POWER-3", "NVM 1.0, 2.1.4 Atomic Operation, AWUPF and NAWUPF")
@takes(2)
def test_interrupted_writes_are_atomic(drive: Drive, model: Model, budget: Budget) -> None:
    """A write that a cut interrupts is there as a whole, or not at all, up to the atomic unit.

    1. Write and flush a region, and overwrite it with writes from one LBA to the atomic unit.
    2. Cut the power with these in flight, and read the region.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 64), (base + 1024, 2048)], {"write": 30, "flush": 1})
    unit = outages._atomicity.unit
    outages.traffic.sizes = sorted({1, max(1, unit // 2), min(unit, drive.most_lbas), min(unit, 8)})
    for _ in budget.turns(least=4):
        outages.cut(drive.random.choice((2, 12, 30)))


@requirement("POWER-4", "Base 2.0, 7.1 Flush, NSID FFFFFFFFh")
@needs(CACHE)
def test_a_flush_of_all_namespaces(drive: Drive) -> None:
    """A flush with NSID FFFFFFFFh covers every namespace, if VWC says that it flushes all.

    1. Write to each namespace, flush with NSID FFFFFFFFh, and cut the power.
    2. Read each namespace.
    """
    if drive.id_ctrl.vwc.fb != 3:
        pytest.skip("needs a flush of all namespaces (VWC bits 2:1 are 11b)")
    writers = [Writer(each, model_of(each)) for each in drive.by_namespace()]
    places = [writer.region(64) for writer in writers]
    begun = [writer.model.flush_begin() for writer in writers]
    drive.succeed(drive.flush(ALL_NAMESPACES), FLUSH)
    drive.power_cycle()
    for writer, slba, order in zip(writers, places, begun):
        writer.model.flush_end(order)
        writer.model.power_lost()
        read_back(writer.drive, writer.model, range(slba, slba + 64))


@requirement("POWER-5", "Base 2.0, 7.1 Flush")
@needs(CACHE, TWO_NAMESPACES)
def test_a_flush_of_one_namespace(drive: Drive) -> None:
    """A flush of a namespace covers that namespace, whichever it is.

    1. Write to each namespace, flush each in turn, and cut the power.
    2. Read each namespace.
    """
    for each in drive.by_namespace():
        writer = Writer(each, model_of(each))
        slba = writer.region(64)
        writer.flush()
        drive.power_cycle()
        writer.model.power_lost()
        read_back(each, writer.model, range(slba, slba + 64))


@requirement("POWER-6", "Base 2.0, 5.27.1.4 Volatile Write Cache")
@needs(CACHE, feature(FeatureId.VWC))
@takes(1.5)
def test_writes_without_the_cache_are_durable(drive: Drive, model: Model, budget: Budget) -> None:
    """While the cache is disabled, each completed write survives.

    1. Disable the volatile write cache.
    2. Write, write zeroes and deallocate, and cut the power with commands in flight.
    3. Read all.
    """
    model.volatile = False
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 256)], {"write": 10, "zeroes": 1, "trim": 1})
    for _ in budget.turns(least=3):
        drive.succeed(drive.set_feature(FeatureId.VWC, 0), "Base 2.0, 5.27.1.4 Volatile Write Cache")
        outages.cut(drive.random.choice((2, 30)), drained=drive.random.random() < 0.5)


MOST_CACHED = 4096
"""LBAs that a test leaves in the cache."""


@requirement("POWER-7", "NVM 1.0, 3.2.6 Write, FUA")
@needs(CACHE)
@takes(1)
def test_fua_writes_are_durable(drive: Drive, writer: Writer, model: Model, budget: Budget) -> None:
    """A completed write, or Write Zeroes, with FUA survives, next to others that need not.

    1. Leave nothing, some or much in the cache.
    2. Write LBAs in turn with and without FUA, in one mapping unit too.
    3. Cut the power and read all.
    """
    base, other = writer.region(256), drive.random.randrange(drive.nsze - MOST_CACHED)
    writer.flush()
    zeroes = drive.ns.supports(IoOpcode.WRITE_ZEROES)
    for turn in budget.turns(least=3):
        if turn:
            writer.write(other, drive.random.choice((64, 1000, MOST_CACHED)))
        for _ in range(8):
            slba, nlb = base + drive.random.randrange(56), drive.random.choice((1, 1, 2, 8))
            writer.write(slba, nlb)
            fua = drive.random.choice((1, 3, 8, 16, 40, min(200, drive.most_lbas)))
            writer.write(base + drive.random.randrange(56), fua, fua=True)
            if zeroes:
                is_trim = drive.random.random() < 0.5
                writer.zeroes(base + drive.random.randrange(56), 1, deallocate=is_trim, fua=True)
        cycle(drive, model)
        read_back(drive, model, model.known())


@requirement("POWER-8", "NVM 1.0, 3.2.4 Read, FUA")
@needs(CACHE)
def test_fua_reads_make_durable(drive: Drive, writer: Writer, model: Model) -> None:
    """What a read with FUA has returned survives.

    1. Write without FUA, and read with FUA.
    2. Cut the power and read again.
    """
    for nlb in (1, 8, 9, 50, min(200, drive.most_lbas)):
        base = writer.region(drive.random.choice((256, 1000, MOST_CACHED)))
        writer.write_and_read_durably(base + 3, nlb)
        cycle(drive, model)
        read_back(drive, model, range(base, base + 256))


@requirement("POWER-9", SHUTDOWN)
@takes(1.5)
def test_a_shutdown_saves_everything(drive: Drive, model: Model, budget: Budget) -> None:
    """Once CSTS.SHST reports the end of a normal shutdown, the power may go.

    1. Write without a flush, and shut down normally.
    2. Cut the power as soon as CSTS.SHST is 10b, and read.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 512)], {"write": 8, "zeroes": 1, "trim": 1})
    for _ in budget.turns(least=3):
        outages.cut_after_shutdown(60)


@requirement("POWER-10", SHUTDOWN)
def test_an_abrupt_shutdown_keeps_what_was_flushed(drive: Drive, model: Model, writer: Writer) -> None:
    """An abrupt shutdown ends, and loses nothing that a flush covers.

    1. Write, flush, write more, and shut down abruptly.
    2. Cut the power and read.
    """
    for _ in range(3):
        base = writer.region(64)
        writer.flush()
        writer.write(base + 20, 30)
        drive.delete_qpairs()
        drive.shut_down(abrupt=True)
        cycle(drive, model)
        read_back(drive, model, range(base, base + 64))


@requirement("POWER-11", clauses.of_io(IoOpcode.WRITE_UNCORRECTABLE))
@needs(io(IoOpcode.WRITE_UNCORRECTABLE))
def test_uncorrectable_marks_survive(drive: Drive, model: Model, writer: Writer) -> None:
    """Marks that a flush covers survive, and neither spread nor come back after a write.

    1. Mark LBAs, write some of them again, flush, and cut the power.
    2. Read them and their neighbours.
    """
    for nlb in (1, 3, 8):
        base = writer.region(32)
        writer.uncorrectable(base + 7, nlb)
        writer.write(base + 7 + nlb - 1, 2)
        writer.flush()
        cycle(drive, model)
        read_back(drive, model, range(base, base + 32))


@requirement("POWER-12", SAVING)
@needs(SELECT)
def test_saved_features_survive(drive: Drive) -> None:
    """A saved value is the current one after a cut, and one that was not saved is not.

    1. Save a value of each feature that can be saved, and cut the power.
    2. Compare the current and the saved value.
    3. Set another value without saving it, cut the power, and compare.
    """
    before = {one: one.get(drive) for one in saveable(drive)}
    others = {one: one.other(drive, value) for one, value in before.items()}
    for one, value in others.items():
        one.set(drive, value, save=True)
    drive.power_cycle()
    for one, value in others.items():
        one.must_be(drive, value, "since it was saved before the loss of power")
        one.set(drive, before[one])
    drive.power_cycle()
    for one, value in others.items():
        one.must_be(drive, value, "the saved value, since the newer one was not saved")
        one.set(drive, before[one], save=True)


@requirement("POWER-13", IDENTIFY)
@takes(1.5)
def test_the_drive_is_the_same_after_cuts(drive: Drive, model: Model, budget: Budget) -> None:
    """Identify, the firmware, the saved features and the counters of power are right after each cut.

    1. Cut the power under load, several times.
    2. After each cut, compare Identify with that of the beginning of the session, the firmware log, the saved
       values of features, which are the current ones too, and the counters.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 256)], LOAD)
    saved = {one: one.get(drive, SAVED) for one in saveable(drive)}
    firmware = firmware_log(drive)
    for _ in budget.turns(least=4):
        before = smart(drive)
        outages.cut(20)
        must_be_the_same(drive, drive.first, "after a loss of power")
        found = firmware_log(drive)
        drive.check(found == firmware, FIRMWARE, "the slots as before the loss of power", "others")
        must_be_counted(before, drive, 1, 1)
        for one, value in saved.items():
            one.must_be(drive, value, "since nothing has changed it", SAVED)
            one.must_be(drive, value, "the saved value, after a loss of power")


def firmware_log(drive: Drive) -> bytes:
    """The Firmware Slot Information log."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(3, buf, 512), FIRMWARE)
    return buf[:]


def must_be_counted(before: SmartLog, drive: Drive, cycles: int, unsafe: int) -> None:
    """Raise a finding unless so many power cycles were counted, and so many of them as unsafe shutdowns."""
    after = smart(drive)
    cycles, unsafe = before.pwrc + cycles, before.upl + unsafe
    drive.check(after.pwrc == cycles, SMART, f"{cycles} power cycles", after.pwrc)
    drive.check(after.upl == unsafe, SMART, f"{unsafe} unsafe shutdowns", after.upl)
    drive.ledger.judge(drive, after)


@requirement("POWER-14", "Base 2.0, 3.1.3.1 CAP.TO and 3.5.3 Controller Ready Modes")
def test_the_first_commands_after_ready(drive: Drive, writer: Writer, model: Model) -> None:
    """The drive is ready within CAP.TO, and its first IO succeeds.

    1. Write, flush, and cut the power.
    2. Measure the time until CSTS.RDY. Read as the first command, the next time write.
    """
    limit = drive.seconds_to_ready
    base = writer.region(64)
    writer.flush()
    for turn in range(4):
        drive.power_off()
        model.power_lost()
        seconds = drive.power_on()
        drive.check(
            seconds <= limit, "Base 2.0, 3.1.3.1 CAP.TO", f"ready within {limit} s", f"{seconds:.1f} s"
        )
        if turn % 2:
            writer.write(base, 8)
        writer.read(base, 64)


@requirement("POWER-15", SMART)
def test_the_counters_of_power(drive: Drive, writer: Writer) -> None:
    """Power Cycles counts each power-on, Unsafe Shutdowns each loss without a shutdown, and none is lost.

    1. Write, cut the power without a shutdown, and compare the counters.
    2. Write, shut down, cut the power, and compare them. After that, none of the others has gone back.
    3. Reset by each kind of reset, and compare them. They are the same.
    4. All of them agree with what has happened since the beginning of the session.
    """
    drive.ledger.judge(drive, smart(drive))
    for shut_down in (False, True, False, True):
        writer.region(100)
        before = smart(drive)
        if shut_down:
            drive.delete_qpairs()
            drive.shut_down()
            writer.model.all_durable()
        cycle(drive, writer.model)
        after = smart(drive)
        must_be_counted(before, drive, 1, int(not shut_down))
        for name in ("dur", "duw", "hrc", "hwc", "cbt", "poh", "mdie", "neile", "wctt", "cctt", "pused"):
            drive.check(
                not shut_down or after[name] >= before[name],
                SMART,
                f"{name.upper()} {before[name]} or more after a shutdown and a power cycle",
                after[name],
            )
    before = smart(drive)
    reset_often(drive)
    must_be_counted(before, drive, 0, 0)


@requirement("POWER-16", SAVING)
@needs(SELECT)
@takes(1)
def test_cuts_while_features_are_saved(drive: Drive, budget: Budget) -> None:
    """A cut while a value is saved leaves the old or the new one, and the new one once it has completed.

    1. Send a Set Features with SV for a feature, and cut the power after a random moment.
    2. Its saved value is the current one, and so is that of another feature. At the end, all are.
    """
    all_of_them = saveable(drive)
    if not all_of_them:
        pytest.skip("needs a feature that can be saved (Get Features, SEL 3, bit 0)")
    first = {one: one.get(drive, SAVED) for one in all_of_them}
    now = dict(first)
    for turn in budget.turns(least=len(all_of_them)):
        one = all_of_them[turn % len(all_of_them)]
        old, new = now[one], one.other(drive, now[one])
        command = drive.send_admin(
            AdminOpcode.SET_FEATURES,
            nsid=drive.nsid if drive.capabilities(one.fid) & 2 else 0,
            cdw10=SAVE | one.fid,
            cdw11=new | one.selector,
        )
        if drive.random.random() < 0.5:
            drive.reap(drive.nvme0)
        completed = command.ok
        drive.power_cycle()
        take(drive, command)
        legal = (new,) if completed else (old, new)
        found = now[one] = one.get(drive, SAVED)
        wanted = " or ".join(f"{value:#x}" for value in legal)
        drive.check(found in legal, SAVING, f"feature {one.fid:02x}h: {wanted}", f"{found:#x}")
        other = drive.random.choice(all_of_them)
        other.must_be(drive, now[other], "the saved value, after a loss of power")
    for other, value in now.items():
        other.must_be(drive, value, "the saved value, after losses of power")
    for one, value in first.items():
        one.set(drive, value, save=True)


@requirement("POWER-17", FLUSH)
@takes(1)
def test_cuts_in_quick_succession(drive: Drive, model: Model, writer: Writer, budget: Budget) -> None:
    """A drive that loses its power again at once, or before it was used, has its durable data.

    1. Write, flush, write more, and cut the power.
    2. Switch it on and off again, without an initialisation and after short times, and read all.
    """
    base = writer.region(256)
    for _ in budget.turns(least=4):
        writer.write(base + drive.random.randrange(200), 40)
        writer.flush()
        writer.write(base + drive.random.randrange(200), 40)
        drive.power_off()
        model.power_lost()
        for _ in range(drive.random.randint(1, 4)):
            time.sleep(drive.random.choice((0, 0, 0.001, 0.01)))
            drive.switch_on()
            time.sleep(drive.random.choice((0, 0, 0.001, 0.01)))
            drive.power_off()
        drive.power_on()
        read_back(drive, model, range(base, base + 256))


@requirement("POWER-18", SHUTDOWN)
@takes(1)
def test_cuts_during_a_shutdown(drive: Drive, model: Model, budget: Budget) -> None:
    """A cut while the controller shuts down loses nothing that a flush covers.

    1. Write and flush, write more, and set CC.SHN.
    2. Cut the power after a random moment, without waiting for CSTS.SHST, and read all.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 400)], LOAD)
    for turn in budget.turns(least=4):
        for _ in range(60):
            outages.traffic.step()
        outages.traffic.drain()
        drive.note("CC.SHN", "nvme0[0x14] = nvme0[0x14] | 0x4000")
        drive.nvme0[Register.CC] = drive.nvme0[Register.CC] | (turn % 2 + 1) << 14
        drive.ledger.unsure()
        time.sleep(drive.random.choice((0, 0, 0.0003, 0.002)))
        outages.cut_now()


@requirement("POWER-19", FLUSH)
@needs(TWO_NAMESPACES)
@takes(2)
def test_cuts_under_load_on_all_namespaces(drive: Drive, budget: Budget) -> None:
    """After a cut, the durable data of each namespace are there, whichever was flushed.

    1. Send random IO, with flushes, to each namespace by turns, and cut the power.
    2. Read all LBAs of each namespace that were ever touched.
    """
    outages = []
    for each in drive.by_namespace():
        base = drive.random.randrange(each.nsze - 4096)
        outages.append(Outages(each, model_of(each), [(0, 200), (base, 200)], LOAD))
    for _ in budget.turns(least=4):
        for _ in range(drive.random.choice((5, 50))):
            for one in outages:
                one.traffic.step()
        drive.power_off()
        for one in outages:
            one.lose()
        drive.power_on()
        for one in outages:
            one.judge()


@requirement("POWER-20", FLUSH)
def test_much_flushed_data_survive(drive: Drive, model: Model, writer: Writer) -> None:
    """One flush covers all data, however much they are, and much more before the cut does not harm them.

    1. Write a region, some 70 MiB elsewhere, and flush. Overwrite a part of the region, and write some 30 MiB
       more.
    2. Cut the power, and read the region and what was flushed.
    """
    length = min(144_000, drive.nsze // 4)
    base = drive.random.randrange(drive.nsze // 2, drive.nsze - 3000)
    writer.write(base, 3000)
    must_be_right(drive, whole(drive, 0, length, 0).start().close())
    writer.flush()
    writer.write(base + 1000, 700)
    must_be_right(drive, whole(drive, length, length // 2, 0).start().close())
    cycle(drive, model)
    read_back(drive, model, range(base, base + 3000))
    must_be_right(drive, whole(drive, 0, length, 100).start().close())


@requirement("POWER-21", "Base 2.0, 3.5 Controller Initialization")
@takes(1)
def test_cuts_during_admin_commands(drive: Drive, model: Model, writer: Writer, budget: Budget) -> None:
    """A cut during any admin command leaves the drive as it was, with its data.

    1. Write and flush. Send a firmware download, a commit of what is no image, a self-test, reads of log
       pages, or an Identify, and cut the power with it in flight.
    2. Compare Identify and the firmware log, and read the data.
    """
    base = writer.region(64)
    writer.flush()
    firmware = firmware_log(drive)
    kinds = in_flight(drive)
    for turn in budget.turns(least=2 * len(kinds)):
        opcode, dwords = kinds[turn % len(kinds)]
        buf = nvme.Buffer(4096)
        nsid = ALL_NAMESPACES if opcode in (AdminOpcode.SELF_TEST, AdminOpcode.GET_LOG_PAGE) else 0
        command = drive.send_admin(opcode, buf, nsid, **dwords)
        time.sleep(drive.random.choice((0, 0, 0.0002, 0.003)))
        cycle(drive, model)
        take(drive, command)
        must_be_the_same(drive, drive.first, "after a loss of power")
        found = firmware_log(drive)
        drive.check(found == firmware, FIRMWARE, "the slots as before the loss of power", "others")
        read_back(drive, model, range(base, base + 64))


def in_flight(drive: Drive) -> list[tuple[AdminOpcode, dict[str, int]]]:
    """Admin commands that change nothing for good, with their dwords."""
    kinds: list[tuple[AdminOpcode, dict[str, int]]] = [
        (AdminOpcode.IDENTIFY, {"cdw10": 1}),
        (AdminOpcode.GET_LOG_PAGE, {"cdw10": 127 << 16 | 2}),
    ]
    if admin(AdminOpcode.FW_DOWNLOAD).met(drive):
        kinds.append((AdminOpcode.FW_DOWNLOAD, {"cdw10": 1023}))
    slots, is_read_only = int(drive.id_ctrl.frmw.nofs), bool(drive.id_ctrl.frmw.ffsro)
    if admin(AdminOpcode.FW_COMMIT).met(drive) and not (is_read_only and slots == 1):
        kinds.append((AdminOpcode.FW_COMMIT, {"cdw10": FirmwareAction.REPLACE << 3 | slots}))
    if admin(AdminOpcode.SELF_TEST).met(drive):
        kinds.append((AdminOpcode.SELF_TEST, {"cdw10": SelfTest.SHORT}))
    return kinds


def change_features(drive: Drive) -> None:
    """Change each feature, and back."""
    for one in changeable(drive):
        before = one.get(drive)
        one.set(drive, one.other(drive, before))
        one.set(drive, before)


def use_many_queues(drive: Drive) -> None:
    """Create as many queues as there are, use each, and delete them."""
    buf = nvme.Buffer(4096)
    for _ in range(2):
        for _ in range(min(drive.nvme0.max_qpairs, 16)):
            drive.succeed(
                drive.io(IoOpcode.READ, buf, qpair=drive.new_qpair(16)), clauses.of_io(IoOpcode.READ)
            )
        drive.delete_qpairs()


def read_logs(drive: Drive) -> None:
    """Read all log pages that there are, and create a capture of telemetry."""
    buf = nvme.Buffer(4096)
    for lid in (1, 2, 3, 4, 5, 6, 7, 8, 0x0D, 0x81):
        drive.log_page(lid, buf, 512)
    drive.log_page(7, buf, 512, lsp=1)


def reset_often(drive: Drive) -> None:
    """Reset by each kind of reset, several times."""
    kinds = [Drive.reset, *([Drive.flr] if drive.has_flr() else [])]
    kinds += [Drive.subsystem_reset] if drive.nvme0.cap >> 36 & 1 else []
    for kind in 3 * kinds:
        kind(drive)


def visit_power_states(drive: Drive) -> None:
    """Enter each power state, with a command in each, and return."""
    buf = nvme.Buffer(4096)
    for state in [*range(drive.id_ctrl.npss + 1), 0]:
        drive.set_feature(FeatureId.POWER, state)
        drive.io(IoOpcode.READ, buf)


def fail_often(drive: Drive) -> None:
    """Send commands that fail."""
    buf = nvme.Buffer(4096)
    for turn in range(20):
        drive.io(IoOpcode.READ, buf, drive.nsze + turn)
        drive.io(IoOpcode.WRITE, buf, drive.nsze + turn)
        drive.get_feature(0x77)


def self_test(drive: Drive) -> None:
    """Start a short self-test, and abort it."""
    for code in (SelfTest.SHORT, SelfTest.ABORT):
        drive.admin(AdminOpcode.SELF_TEST, nsid=ALL_NAMESPACES, cdw10=code)


def offer_firmware(drive: Drive) -> None:
    """Download and commit what is no image."""
    for opcode, dwords in in_flight(drive):
        if opcode in (AdminOpcode.FW_DOWNLOAD, AdminOpcode.FW_COMMIT):
            drive.admin(opcode, nvme.Buffer(4096), **dwords)


EVENTS: dict[str, tuple[Callable[[Drive], None], ...]] = {
    "settings": (change_features, visit_power_states),
    "commands": (use_many_queues, read_logs, fail_often),
    "operations": (self_test, offer_firmware, reset_often),
}
"""What may leave a drive in another mode."""


@requirement("POWER-22", FLUSH)
@pytest.mark.parametrize("event", list(EVENTS))
def test_promises_after_an_event(drive: Drive, event: str) -> None:
    """What a drive promises of its data holds whatever has happened before.

    1. Change features and queues, read logs, reset, visit power states, let commands fail, test, or offer
       firmware.
    2. Send random IO, and cut the power after a flush, a FUA write, a write without the cache, and a
       shutdown. Read all each time.
    """
    promises = Promises(drive)
    for happen in EVENTS[event]:
        happen(drive)
    promises.judge()


def take(drive: Drive, command: Command) -> None:
    """Take the completion of an admin command that a loss of power has ended."""
    if not command.done:
        drive.reap(drive.nvme0)


def cycle(drive: Drive, model: Model) -> None:
    """Lose the power and come back. The model knows it."""
    drive.power_off()
    model.power_lost()
    drive.power_on()
