# SPDX-License-Identifier: BSD-3-Clause
"""Loss of power: durable data are there, others are old or new, and the drive comes back."""

from __future__ import annotations

import nvme
import pytest

from pynvme.spec import AdminOpcode, Cns, FeatureId, IoOpcode, SmartLog
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import CACHE, PLAIN, ROOM, SELECT, SWITCHED_POWER, TWO_NAMESPACES, feature, io
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.features import saveable
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.outage import Outages
from pynvme.suite.traffic import model_of, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(PLAIN, ROOM, SWITCHED_POWER)

FLUSH = "Base 2.0, 7.1 Flush"
SHUTDOWN = "Base 2.0, 3.6.1 Memory-based Transport Controller Shutdown"

LOAD = {"write": 50, "write_fua": 8, "flush": 8, "read": 8, "zeroes": 6, "trim": 5, "uncorrectable": 2}


@requirement("POWER-1", FLUSH)
@takes(10)
def test_cuts_at_any_moment_under_load(drive: Drive, model: Model, budget: Budget) -> None:
    """After a cut, each LBA holds its durable data or newer ones, and no write of an atomic size is torn.

    1. Send random writes, FUA writes, zeroes, deallocations and flushes on two queues.
    2. Cut the power at a random moment, with commands in flight.
    3. Switch it on, and read all LBAs that were ever touched.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 600), (base + 2048, 200), (drive.nsze - 100, 100)], LOAD)
    for _ in budget.turns(least=5):
        outages.cut(drive.random.choice((1, 3, 10, 40, 150)))


@requirement("POWER-2", FLUSH)
@takes(4)
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
@takes(3)
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
@takes(2)
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


@requirement("POWER-7", "NVM 1.0, 3.2.6 Write, FUA")
@needs(CACHE)
@takes(1)
def test_fua_writes_are_durable(drive: Drive, writer: Writer, model: Model, budget: Budget) -> None:
    """A completed write, or Write Zeroes, with FUA survives, next to others that need not.

    1. Write LBAs in turn with and without FUA, in one mapping unit too.
    2. Cut the power and read all.
    """
    base = writer.region(64)
    writer.flush()
    zeroes = drive.ns.supports(IoOpcode.WRITE_ZEROES)
    for _ in budget.turns(least=3):
        for _ in range(8):
            slba, nlb = base + drive.random.randrange(56), drive.random.choice((1, 1, 2, 8))
            writer.write(slba, nlb)
            writer.write(base + drive.random.randrange(56), drive.random.choice((1, 3, 8)), fua=True)
            if zeroes:
                writer.zeroes(base + drive.random.randrange(56), 1, fua=True)
        cycle(drive, model)
        read_back(drive, model, model.known())


@requirement("POWER-8", "NVM 1.0, 3.2.4 Read, FUA")
@needs(CACHE)
def test_fua_reads_make_durable(drive: Drive, writer: Writer, model: Model) -> None:
    """What a read with FUA has returned survives.

    1. Write without FUA, and read with FUA.
    2. Cut the power and read again.
    """
    for nlb in (1, 8, 9):
        base = writer.region(32)
        writer.write(base + 3, nlb)
        writer.read(base + 3, nlb, fua=True)
        model.settle(base + 3, nlb)
        cycle(drive, model)
        read_back(drive, model, range(base, base + 32))


@requirement("POWER-9", SHUTDOWN)
@takes(2)
def test_a_shutdown_saves_everything(drive: Drive, model: Model, budget: Budget) -> None:
    """Once CSTS.SHST reports the end of a normal shutdown, the power may go.

    1. Write without a flush, and shut down normally.
    2. Cut the power as soon as CSTS.SHST is 10b, and read.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 512)], {"write": 8, "zeroes": 1, "trim": 1})
    for _ in budget.turns(least=3):
        for _ in range(60):
            outages.traffic.step()
        outages.traffic.drain()
        drive.delete_qpairs()
        drive.shut_down()
        model.all_durable()
        outages.cut_now()


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


@requirement("POWER-11", "NVM 1.0, 3.2.7 Write Uncorrectable")
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


@requirement("POWER-12", "Base 2.0, 5.27 Set Features, Save")
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


@requirement("POWER-13", "Base 2.0, 5.17 Identify")
@takes(1)
def test_the_drive_is_the_same_after_cuts(drive: Drive, model: Model, budget: Budget) -> None:
    """Identify, the size and the identifiers do not change by losses of power.

    1. Read the Identify structures.
    2. Cut the power under load, several times, and compare them after each cut.
    """
    wanted = identified(drive)
    base = drive.random.randrange(drive.nsze - 4096)
    outages = Outages(drive, model, [(base, 256)], LOAD)
    for _ in budget.turns(least=4):
        outages.cut(20)
        found = identified(drive)
        for name, data in wanted.items():
            different = [at for at in range(4096) if data[at] != found[name][at]]
            drive.check(
                not different,
                "Base 2.0, 5.17 Identify",
                f"{name} as before the loss of power",
                f"bytes {different[:16]} differ",
            )


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


@requirement("POWER-15", "Base 2.0, 5.16.1.3 SMART / Health Information")
def test_the_counters_of_power(drive: Drive) -> None:
    """Power Cycles counts each power-on, and Unsafe Shutdowns each loss without a shutdown.

    1. Cut the power without a shutdown, and compare the counters.
    2. Shut down, cut the power, and compare them.
    """
    clause = "Base 2.0, 5.16.1.3 SMART / Health Information"
    for shut_down in (False, True, False):
        before = smart(drive)
        if shut_down:
            drive.shut_down()
        drive.power_cycle()
        after = smart(drive)
        drive.check(
            after.pwrc == before.pwrc + 1,
            clause,
            f"{before.pwrc + 1} power cycles",
            after.pwrc,
        )
        unsafe = before.upl + (not shut_down)
        drive.check(after.upl == unsafe, clause, f"{unsafe} unsafe shutdowns", after.upl)


def cycle(drive: Drive, model: Model) -> None:
    """Lose the power and come back. The model knows it."""
    drive.power_off()
    model.power_lost()
    drive.power_on()


def identified(drive: Drive) -> dict[str, bytes]:
    """The Identify structures that must not change."""
    found = {}
    for name, cns, nsid in (
        ("Identify Controller", Cns.CTRL, 0),
        ("Identify Namespace", Cns.NS, drive.nsid),
        ("Namespace Identification Descriptors", Cns.NS_DESCRIPTORS, drive.nsid),
        ("the list of active namespaces", Cns.ACTIVE_NS_LIST, 0),
    ):
        buf = nvme.Buffer(4096)
        if drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=cns).ok:
            if cns == Cns.NS:
                buf[16:24] = bytes(8)  # NUSE may change
            found[name] = buf[:]
    return found


def smart(drive: Drive) -> SmartLog:
    """The SMART / Health Information log."""
    buf = nvme.Buffer(512)
    drive.succeed(drive.log_page(2, buf, 512), "Base 2.0, 5.16.1.3 SMART / Health Information")
    return SmartLog(bytes(buf[:]))
