# SPDX-License-Identifier: BSD-3-Clause
"""Resets and aborts under load: what must stay stays, what must go goes, and nothing comes late."""

from __future__ import annotations

import time
from typing import Callable

import nvme
import pytest

from pynvme.spec import AdminOpcode, FeatureId, IoOpcode, Register, Status
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import ENTRIES, FLR, HOT_RESET, ROOM, SELECT, SUBSYSTEM_RESET, feature, io, queues
from pynvme.suite.drive import SHUTDOWN, Drive
from pynvme.suite.features import SAVED, changeable
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Change, Kind, Model
from pynvme.suite.options import Budget
from pynvme.suite.rawqueue import Memory, RawCq, RawSq
from pynvme.suite.traffic import GUARD, PAGE, Slot, Traffic, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(ROOM, ENTRIES, queues(2))

RESET = "Base 2.0, 3.7.2 Controller Level Reset"
ABORT = "Base 2.0, 5.1 Abort"
CANCEL = "Base 2.1, 7.1 Cancel"

ONE, SEVERAL = 0, 1
"""Actions of Cancel."""
ALL = 0xFFFFFFFF


def shut_down_and_reset(drive: Drive) -> float:
    """Shut the controller down, and reset it. Returns the seconds of the reset."""
    drive.delete_qpairs()
    drive.shut_down()
    return drive.reset()


KINDS: dict[str, tuple[Need | None, Callable[[Drive], float]]] = {
    "controller": (None, Drive.reset),
    "function": (FLR, Drive.flr),
    "subsystem": (SUBSYSTEM_RESET, Drive.subsystem_reset),
    "link": (HOT_RESET, Drive.hot_reset),
    "shutdown": (None, shut_down_and_reset),
}
FLR_LIMIT = 0.3
"""Seconds: 100 ms of the drive, as much of the host, and what a busy host takes."""

each_reset = pytest.mark.parametrize("kind", list(KINDS))


@pytest.fixture
def reset(drive: Drive, kind: str) -> Callable[[], float]:
    """Reset by this kind. Returns the seconds until the controller is ready."""
    need, function = KINDS[kind]
    if need is not None and not need.met(drive):
        pytest.skip(f"needs {need.text}")
    return lambda: function(drive)


@requirement("RESETS-1", RESET)
@needs(queues(3))
@each_reset
@takes(0.6)
def test_resets_under_load(drive: Drive, model: Model, budget: Budget, reset: Callable[[], float]) -> None:
    """A reset with commands in flight loses no completed data, and the controller is ready within CAP.TO.

    1. Send random IO on two queues, and reset with commands in flight.
    2. Read all LBAs: each holds its last data, or those of a command that was in flight.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    traffic = Traffic(drive, model, [(base, 500), (base + 2048, 100)])
    for _ in budget.turns(least=2):
        for _ in range(drive.random.choice((1, 20, 100))):
            traffic.step()
        seconds = reset()
        traffic.abandon()
        drive.check(
            seconds <= drive.seconds_to_ready + 1,
            "Base 2.0, 3.1.3.1 CAP.TO",
            f"ready within {drive.seconds_to_ready} s",
            f"{seconds:.1f} s",
        )
        read_back(drive, model, model.known())


@requirement("RESETS-2", RESET)
@takes(0.5)
def test_no_memory_is_written_after_the_reset(drive: Drive, writer: Writer, budget: Budget) -> None:
    """Once CSTS.RDY is 0, the drive writes neither data nor completions to memory.

    1. Fill a raw queue with reads, ring its doorbell, and clear CC.EN after a random moment.
    2. When CSTS.RDY is 0, fill all of that memory with a pattern.
    3. Nothing has changed it a moment later, nor after the controller is enabled again.
    """
    nlb = min(drive.most_lbas, 64)
    base = writer.region(nlb)
    for _ in budget.turns(least=2):
        assert drive.qpair.sqid == 1
        cq = RawCq(drive, 2, 64)
        sq = RawSq(cq)
        slots = [Slot(nlb * drive.lba_size) for _ in range(60)]
        for cid, slot in enumerate(slots):
            buf = slot.prepare(0, PAGE)
            sq.put(IoOpcode.READ, cid, base, min(nlb, PAGE // drive.lba_size), prp1=buf.phys_addr)
        sq.ring()
        time.sleep(drive.random.random() * 1e-4)
        disable(drive)
        for slot in slots:
            slot.prepare(0, PAGE)
        cq.memory[:] = GUARD[: len(cq.memory)]
        time.sleep(0.02)
        must_be_untouched(drive, slots, cq.memory, "before the controller is enabled again")
        drive.reset()
        time.sleep(0.005)
        must_be_untouched(drive, slots, cq.memory, "after the controller is enabled again")


def disable(drive: Drive) -> None:
    """Clear CC.EN, and wait until CSTS.RDY is 0."""
    drive.note("CC.EN = 0", "nvme0[0x14] = nvme0[0x14] & ~1", "while nvme0[0x1c] & 1: pass")
    drive.nvme0[Register.CC] = drive.nvme0[Register.CC] & ~1
    end = time.monotonic() + drive.seconds_to_ready + 1
    while drive.csts.rdy:
        drive.check(time.monotonic() < end, RESET, "CSTS.RDY is 0 within CAP.TO", "CSTS.RDY is still 1")


def must_be_untouched(drive: Drive, slots: list[Slot], completions: Memory, when: str) -> None:
    """Raise a finding if the drive has written to memory."""
    for slot in slots:
        drive.check(set(slot.data()) == {0xC3}, RESET, f"no data after CSTS.RDY is 0, {when}", "data")
    drive.check(set(completions[:]) == {0xC3}, RESET, f"no completion after CSTS.RDY is 0, {when}", "one")


@requirement("RESETS-3", "Base 2.0, 5.27 Set Features, 3.7.2 Controller Level Reset")
@needs(SELECT)
@each_reset
def test_features_after_a_reset(drive: Drive, reset: Callable[[], float]) -> None:
    """After a reset, each feature that can be saved has its saved value, and not a newer one.

    1. Set another value of each feature, without saving it, and reset.
    2. Compare the current value with the saved one.
    """
    for one in changeable(drive):
        if drive.can_save(one.fid):
            one.set(drive, one.other(drive, one.get(drive)))
    reset()
    for one in changeable(drive):
        if drive.can_save(one.fid):
            one.must_be(drive, one.get(drive, SAVED), "the saved value, after a reset")


@requirement("RESETS-4", RESET)
@each_reset
def test_queues_are_gone_after_a_reset(drive: Drive, reset: Callable[[], float]) -> None:
    """A reset deletes all I/O queues, so that each identifier is free again.

    1. Create queues, fill one with commands, and reset without ringing its doorbell.
    2. Ring the old doorbell, and create the same queues again. Nothing is executed but what they are sent.
    """
    data = nvme.Buffer(PAGE)
    drive.may_warn = True  # by the old doorbell
    for _ in range(2):
        assert drive.qpair.sqid == 1
        old = RawSq(RawCq(drive, 2, 64))
        for cid in range(8):
            old.put(IoOpcode.READ, cid, prp1=data.phys_addr)
        reset()
        old.ring()
        assert drive.qpair.sqid == 1
        cq = RawCq(drive, 2, 16)
        sq = RawSq(cq, entries=16)
        cq.nothing_more()
        sq.put(IoOpcode.READ, 0x77, prp1=data.phys_addr)
        sq.ring()
        drive.succeed(cq.take(1)[0], RESET)
        cq.nothing_more()
        cq.delete()
        drive.delete_qpairs()


@requirement("RESETS-5", RESET)
@each_reset
def test_many_resets_in_a_row(drive: Drive, model: Model, writer: Writer, reset: Callable[[], float]) -> None:
    """The controller comes back from each of many resets, in the same state.

    1. Write, and reset many times, with and without an IO between.
    2. CSTS reports no fatal status, CAP is the same, and the data are there.
    """
    cap = drive.nvme0.cap
    base = writer.region(32)
    for turn in range(drive.random.randint(5, 8)):
        seconds = reset()
        drive.check(
            seconds <= drive.seconds_to_ready + 1,
            "Base 2.0, 3.1.3.1 CAP.TO",
            f"ready within {drive.seconds_to_ready} s",
            f"{seconds:.1f} s",
        )
        drive.check(
            drive.csts.rdy == 1 and not drive.csts.cfs, RESET, "CSTS.RDY 1 and CSTS.CFS 0", drive.csts
        )
        drive.check(drive.nvme0.cap == cap, RESET, f"CAP {cap:#x}", f"{drive.nvme0.cap:#x}")
        if turn % 3 == 0:
            read_back(drive, model, range(base, base + 32))


@requirement("RESETS-6", ABORT)
@takes(1.5)
def test_aborts_and_rewrites(drive: Drive, model: Model, budget: Budget) -> None:
    """An aborted write completes, as the Abort says, and never lands after its completion.

    1. Send writes, and Aborts of most of them at once.
    2. A write has completed with Command Abort Requested if and only if dword 0 bit 0 of its Abort is 0.
       Those that no Abort names succeed.
    3. Write the same LBAs again, and read them at once, and once more later.
    """
    count, nlb = 24, min(8, drive.most_lbas)
    base = drive.random.randrange(drive.nsze - 4096)
    slots = [Slot(nlb * drive.lba_size) for _ in range(count)]
    writer = Writer(drive, model)
    for turn in budget.turns(least=3):
        writes = [send_write(drive, model, slot, base + nlb * index, nlb) for index, slot in enumerate(slots)]
        wanted = [drive.random.random() < 0.8 for _ in writes]
        aborts = [
            drive.send_admin(AdminOpcode.ABORT, cdw10=write.command.cid << 16 | drive.qpair.sqid)
            for write, is_named in zip(writes, wanted)
            if is_named and write.command is not None
        ]
        drive.reap(drive.nvme0, len(aborts))
        drive.reap(drive.qpair, count)
        for write, is_named in zip(writes, wanted):
            assert write.command is not None
            drive.must_end(write.command)
            model.end(write, write.command.ok)
            if not is_named:
                drive.succeed(write.command, ABORT)
        named = [write for write, is_named in zip(writes, wanted) if is_named]
        for write, abort in zip(named, aborts):
            assert write.command is not None
            drive.expect(write.command, ABORT, Status.SUCCESS, Status.ABORT_REQUESTED)
            drive.expect(abort, ABORT, Status.SUCCESS, Status.ABORT_LIMIT_EXCEEDED)
            if abort.ok and not abort.cdw0 & 1:
                drive.expect(write.command, ABORT, Status.ABORT_REQUESTED)
            elif abort.ok:
                drive.succeed(write.command, ABORT)
        for index in range(count):
            writer.write(base + nlb * index, nlb)
        read_back(drive, model, range(base, base + nlb * count))
        if turn % 8 == 0:
            time.sleep(0.02)
            read_back(drive, model, range(base, base + nlb * count))


def send_write(drive: Drive, model: Model, slot: Slot, slba: int, nlb: int) -> Change:
    """Send a write, and do not wait for it."""
    change = model.begin(Kind.DATA, (slba, nlb))
    data = model.content.range(slba, nlb, change.generation)
    change.command = drive.send(
        drive.qpair,
        IoOpcode.WRITE,
        slot.prepare(0, len(data), data),
        cdw10=slba & 0xFFFFFFFF,
        cdw11=slba >> 32,
        cdw12=nlb - 1,
    )
    return change


@requirement("RESETS-7", "Base 2.0, 5.6 and 5.7 Delete I/O Queues")
@takes(0.5)
def test_deletion_of_queues_under_load(drive: Drive, model: Model, budget: Budget) -> None:
    """Deleting a submission queue ends its commands, and none of them lands later.

    1. Send writes, and delete the queue pair with these in flight.
    2. Write the same LBAs by another queue, and read them.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    nlb = min(8, drive.most_lbas)
    slots = [Slot(nlb * drive.lba_size) for _ in range(30)]
    writer = Writer(drive, model)
    for _ in budget.turns(least=2):
        pair = drive.qpair
        writes = [send_write(drive, model, slot, base + nlb * index, nlb) for index, slot in enumerate(slots)]
        drive.delete_qpairs()
        drive.reap(pair, len(writes))
        for write in writes:
            assert write.command is not None
            model.end(write, write.command.ok)
        writer.write(base, nlb * len(slots))
        read_back(drive, model, range(base, base + nlb * len(slots)))


@requirement("RESETS-8", SHUTDOWN)
@pytest.mark.parametrize("abrupt", [False, True])
def test_shutdown_and_return(drive: Drive, model: Model, writer: Writer, abrupt: bool) -> None:
    """CSTS.SHST reports the end of a shutdown, and a reset clears it and brings the data back.

    1. Write, and shut down. CSTS.SHST is 10b.
    2. Reset. CSTS.SHST is 00b, and the data are there.
    """
    for _ in range(3):
        base = writer.region(32)
        drive.delete_qpairs()
        drive.shut_down(abrupt)
        drive.check(drive.csts.shst == 2, SHUTDOWN, "CSTS.SHST is 10b", drive.csts)
        drive.reset()
        drive.check(drive.csts.shst == 0, SHUTDOWN, "CSTS.SHST is 00b after CC.EN was set", drive.csts)
        read_back(drive, model, range(base, base + 32))


@requirement("RESETS-9", "Base 2.0, 3.1.3.1 CAP.TO and 5.27.1.2 Power Management")
@needs(feature(FeatureId.POWER))
def test_resets_in_each_power_state(drive: Drive, model: Model, writer: Writer) -> None:
    """The controller comes back from each power state, also a non-operational one.

    1. Enter each power state, and reset.
    2. The controller is ready within CAP.TO, and its data are there.
    """
    base = writer.region(16)
    for state in range(drive.id_ctrl.npss + 1):
        drive.succeed(drive.set_feature(2, state), "Base 2.0, 5.27.1.2 Power Management")
        drive.reset()
        read_back(drive, model, range(base, base + 16))


@requirement("RESETS-10", "PCIe 5.0, 6.6.2 Function Level Reset")
@needs(FLR)
def test_the_time_of_a_function_level_reset(drive: Drive) -> None:
    """A function level reset takes 100 ms at most, and the function can be used after that.

    1. Reset the function several times, and measure how long it does not answer. The quickest reset counts,
       and the host waits 100 ms itself.
    2. Read its configuration space and CAP.
    """
    clause = "PCIe 5.0, 6.6.2 Function Level Reset"
    cap, identity = drive.nvme0.cap, drive.pcie.register(0)
    quickest, turn = 60.0, 0
    while turn < 3 or (turn < 8 and quickest > FLR_LIMIT):
        turn += 1
        drive.delete_qpairs()
        drive.note("function level reset", "pcie.flr()")
        start = time.monotonic()
        drive.pcie.flr()
        quickest = min(quickest, time.monotonic() - start)
        time.sleep(0.1)
        drive.check(drive.pcie.register(0) == identity, clause, f"vendor and device {identity:#x}", "others")
        drive.check(drive.nvme0.cap == cap, clause, f"CAP {cap:#x}", f"{drive.nvme0.cap:#x}")
        drive.reset()
    took = f"the quickest of {turn} took {quickest * 1000:.0f} ms"
    drive.check(quickest <= FLR_LIMIT, clause, "a function level reset within 100 ms", took)


@requirement("RESETS-11", "Base 2.0, 3.7.2 Controller Level Reset, 3.1.3 Controller Properties")
def test_registers_after_a_reset(drive: Drive) -> None:
    """A controller reset keeps AQA, ASQ and ACQ, and other resets clear CC.

    1. Clear CC.EN, and compare the registers of the admin queue with those before. CSTS.RDY is 0.
    2. Reset the function, the NVM subsystem, and the link, if the drive can. CC.EN and CSTS.RDY are 0.
    """
    clause = "Base 2.0, 3.7.2 Controller Level Reset, 3.1.3 Controller Properties"
    kept = [Register.AQA, Register.ASQ, Register.ASQ + 4, Register.ACQ, Register.ACQ + 4]
    before = [drive.nvme0[offset] for offset in kept]
    drive.delete_qpairs()
    disable(drive)
    found = [drive.nvme0[offset] for offset in kept]
    drive.check(
        found == before,
        clause,
        f"AQA, ASQ and ACQ {[hex(value) for value in before]} after CC.EN was cleared",
        [hex(value) for value in found],
    )
    drive.check(not drive.csts.cfs, clause, "CSTS.CFS is 0", drive.csts)
    drive.reset()
    kinds = ((FLR, drive.pcie.flr), (SUBSYSTEM_RESET, drive.subsystem.reset), (HOT_RESET, drive.pcie.reset))
    for need, reset in kinds:
        if not need.met(drive):
            continue
        drive.delete_qpairs()
        reset()
        time.sleep(0.1)
        control = drive.nvme0[Register.CC]
        drive.check(not control & 1, clause, f"CC.EN is 0 after {need.text}", f"CC {control:#x}")
        end = time.monotonic() + drive.seconds_to_ready
        while drive.csts.rdy and time.monotonic() < end:
            time.sleep(0.001)
        drive.check(not drive.csts.rdy, clause, f"CSTS.RDY is 0 after {need.text}", drive.csts)
        drive.reset()


@requirement("RESETS-16", "Base 2.0, 3.1.3 Controller Properties, AQA, ASQ, ACQ and CC")
def test_registers_keep_what_is_written(drive: Drive) -> None:
    """While the controller is disabled, AQA, ASQ, ACQ and CC read as written, and their reserved bits as 0.

    1. Disable the controller, write random values to these registers, and read all of them, several times.
    2. Reset the function, if the drive can. AQA and CC are 0. Enable the controller, and send commands.
    """
    clause = "Base 2.0, 3.1.3 Controller Properties, AQA, ASQ, ACQ and CC"
    masks = {
        int(Register.AQA): 0x0FFF0FFF,
        Register.ASQ: 0xFFFFF000,
        Register.ASQ + 4: 0xFFFFFFFF,
        Register.ACQ: 0xFFFFF000,
        Register.ACQ + 4: 0xFFFFFFFF,
        Register.CC: 0x00FF0000,
    }
    drive.delete_qpairs()
    disable(drive)
    wanted = {offset: drive.nvme0[offset] & mask for offset, mask in masks.items()}
    for _ in range(24):
        offset = drive.random.choice(list(masks))
        wanted[offset] = drive.random.getrandbits(32) & masks[offset]
        drive.nvme0[offset] = wanted[offset]
        found = {offset: drive.nvme0[offset] for offset in masks}
        found[Register.CC] &= masks[Register.CC]
        different = [
            f"{offset:#x}: {found[offset]:#x} instead of {wanted[offset]:#x}"
            for offset in masks
            if found[offset] != wanted[offset]
        ]
        drive.check(not different, clause, "registers that read as written", ", ".join(different))
        drive.check(not drive.csts.rdy and not drive.csts.cfs, clause, "CSTS.RDY and CSTS.CFS 0", drive.csts)
    if FLR.met(drive):
        drive.pcie.flr()
        time.sleep(0.1)
        found = {offset: drive.nvme0[offset] for offset in (Register.AQA, Register.CC)}
        drive.check(not any(found.values()), clause, "AQA and CC are 0 after a function level reset", found)
    drive.reset()
    drive.succeed(drive.io(IoOpcode.READ, nvme.Buffer(max(PAGE, drive.lba_size))), clause)


@requirement("RESETS-12", "Base 2.0, 3.7.1 NVM Subsystem Reset")
@needs(SUBSYSTEM_RESET)
def test_only_the_right_value_resets_the_subsystem(drive: Drive) -> None:
    """A value other than "NVMe" in NSSR does nothing, and CSTS.NSSRO reports a reset until it is cleared.

    1. Write other values to NSSR. The controller is ready, and queues are there.
    2. Reset the subsystem. CSTS.NSSRO is 1. Write 1 to it. It is 0, also after a controller reset.
    """
    clause = "Base 2.0, 3.7.1 NVM Subsystem Reset"
    right, nssro = 0x4E564D65, 1 << 4
    buf = nvme.Buffer(max(PAGE, drive.lba_size))
    drive.succeed(drive.io(IoOpcode.READ, buf), clause)
    wrong = [right ^ 1 << drive.random.randrange(32) for _ in range(4)]
    for value in (0, 1, 0xFFFFFFFF, int.from_bytes(right.to_bytes(4, "little"), "big"), *wrong):
        drive.nvme0[Register.NSSR] = value
        drive.check(bool(drive.csts.rdy), clause, f"CSTS.RDY 1 after {value:#x} in NSSR", drive.csts)
    drive.succeed(drive.io(IoOpcode.READ, buf), clause)
    drive.subsystem_reset()
    drive.check(bool(drive.csts.nssro), clause, "CSTS.NSSRO is 1 after an NVM subsystem reset", drive.csts)
    drive.nvme0[Register.CSTS] = nssro
    drive.check(not drive.csts.nssro, clause, "CSTS.NSSRO is 0 after 1 was written to it", drive.csts)
    drive.reset()
    drive.check(not drive.csts.nssro, clause, "CSTS.NSSRO stays 0", drive.csts)


@requirement("RESETS-13", RESET)
@each_reset
def test_resets_with_a_full_completion_queue(drive: Drive, reset: Callable[[], float]) -> None:
    """A reset ends commands that wait for room in their completion queue, and they post nothing later.

    1. Send more reads than the completion queue has entries, and leave its doorbell alone.
    2. Reset, and use queues with the same identifiers.
    """
    data = nvme.Buffer(max(PAGE, drive.lba_size))
    for _ in range(2):
        assert drive.qpair.sqid == 1
        old_cq = RawCq(drive, 2, drive.random.randint(2, 5))
        old_sq = RawSq(old_cq, entries=32)
        for cid in range(drive.random.randint(8, 31)):
            old_sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
        old_sq.ring()
        time.sleep(drive.random.random() * 0.002)
        reset()
        old_cq.memory[:] = GUARD[: len(old_cq.memory)]
        assert drive.qpair.sqid == 1
        cq = RawCq(drive, 2, 16)
        sq = RawSq(cq, entries=16)
        for cid in range(18):
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
            if cid % 3 == 2:
                sq.ring()
                for command in cq.take(3):
                    drive.succeed(command, RESET)
        cq.nothing_more()
        drive.check(
            set(old_cq.memory[:]) == {0xC3}, RESET, "no completion in the queue of before the reset", "one"
        )
        cq.delete()
        drive.delete_qpairs()


@requirement("RESETS-14", ABORT)
@takes(0.5)
def test_aborted_commands_complete_once(drive: Drive, budget: Budget) -> None:
    """A command that an Abort names completes once, also if its completion queue is full.

    1. Send reads to a raw queue with a small or large completion queue, and abort random ones of them.
    2. Each completes once, with success or Command Abort Requested, as its Abort says.
    """
    data = nvme.Buffer(max(PAGE, drive.lba_size))
    assert drive.qpair.sqid == 1
    for _ in budget.turns(least=2):
        cq = RawCq(drive, 2, drive.random.choice((4, 16, 64)))
        sq = RawSq(cq, entries=64)
        reads = [sq.put(IoOpcode.READ, 7 * cid, prp1=data.phys_addr) for cid in range(50)]
        sq.ring()
        aborts = {
            read.cid: drive.send_admin(AdminOpcode.ABORT, cdw10=read.cid << 16 | 2)
            for read in drive.random.sample(reads, drive.random.randint(1, 8))
        }
        time.sleep(drive.random.random() * 0.001)
        cq.take(len(reads))
        drive.reap(drive.nvme0, len(aborts))
        cq.nothing_more()
        for read in reads:
            abort = aborts.get(read.cid)
            if abort is not None and abort.ok and not abort.cdw0 & 1:
                drive.expect(read, ABORT, Status.ABORT_REQUESTED)
            else:
                drive.succeed(read, ABORT)
        for abort in aborts.values():
            drive.expect(abort, ABORT, Status.SUCCESS, Status.ABORT_LIMIT_EXCEEDED)
        cq.delete()


@requirement("RESETS-17", CANCEL)
@needs(io(IoOpcode.CANCEL))
@takes(0.5)
def test_cancelled_commands(drive: Drive, budget: Budget) -> None:
    """Cancel aborts the commands of its queue that it names, as many as dword 0 says, and no others.

    1. Send reads to two raw queues, and to one of them also a Cancel among its reads: of one of them, or of
       all, of one namespace or of any. A drive with two namespaces gets flushes of the other one as well.
    2. Each command completes once. One that is not named succeeds, also if it is in the other queue. Others
       succeed, or complete with Command Abort Requested: CMDA of them, and no more than CEDA besides.
    3. Name no command, the Cancel itself, another queue, a CID with all, and a reserved action.
    """
    data = nvme.Buffer(max(PAGE, drive.lba_size))
    cqs = [RawCq(drive, qid, 64) for qid in (2, 3)]
    mine, other = (RawSq(cq, entries=64) for cq in cqs)
    for _ in budget.turns(least=4):
        reads = send_reads(drive, mine, data, 40) + send_reads(drive, other, data, 40)
        one, several = drive.random.randrange(40), drive.random.random() < 0.7
        nsid = drive.random.choice((ALL, *drive.nsids[:2]))
        named = [
            read
            for read in reads
            if read.qid == mine.qid and (several or read.cid == one) and nsid in (ALL, read.nsid)
        ]
        cid, action = (0xFFFF, SEVERAL) if several else (one, ONE)
        it = mine.put_any(IoOpcode.CANCEL, 200, nsid, (cid << 16 | mine.qid, action, 0, 0, 0, 0))
        late = [mine.put(IoOpcode.READ, 100 + i, i, prp1=data.phys_addr) for i in range(16)]
        if several and nsid in (ALL, drive.nsid):
            named += late
        other.ring()
        mine.ring()
        cqs[0].take(40 + 1 + 16)
        cqs[1].take(40)
        judge_cancelled(drive, it, named, [*reads, *late])
    for nsid, cid, qid, action, status in (
        (ALL, 7, mine.qid, ONE, Status.SUCCESS),
        (ALL, 9, mine.qid, ONE, Status.INVALID_COMMAND_ID),
        (ALL, 0xFFFF, other.qid, SEVERAL, Status.INVALID_FIELD),
        (ALL, 7, mine.qid, SEVERAL, Status.INVALID_FIELD),
        (ALL, 0xFFFF, mine.qid, 3, Status.INVALID_FIELD),
    ):
        it = mine.put_any(IoOpcode.CANCEL, 9, nsid, (cid << 16 | qid, action, 0, 0, 0, 0))
        mine.ring()
        cqs[0].take(1)
        drive.expect(it, CANCEL, status)
        drive.check(it.cdw0 == 0 or not it.ok, CANCEL, "dword 0 is 0: nothing was aborted", f"{it.cdw0:#x}")
    for cq in cqs:
        cq.nothing_more()
        cq.delete()


def send_reads(drive: Drive, sq: RawSq, data: nvme.Buffer, count: int) -> list[Command]:
    """Put reads into a queue, and flushes of another namespace if there is one."""
    sent = []
    for cid in range(count):
        if len(drive.nsids) > 1 and cid % 4 == 3:
            sent.append(sq.put_any(IoOpcode.FLUSH, cid, drive.nsids[1], (0, 0, 0, 0, 0, 0)))
        else:
            sent.append(sq.put(IoOpcode.READ, cid, 7 * cid, prp1=data.phys_addr))
    return sent


def judge_cancelled(drive: Drive, it: Command, named: list[Command], sent: list[Command]) -> None:
    """Judge a Cancel and the commands around it."""
    for command in sent:
        if command in named:
            drive.expect(command, CANCEL, Status.SUCCESS, Status.ABORT_REQUESTED)
        else:
            drive.succeed(command, CANCEL)
    foreign = len(named) == 0
    drive.expect(it, CANCEL, Status.SUCCESS, *((Status.INVALID_FIELD,) if foreign else ()))
    aborted = sum(command.status == Status.ABORT_REQUESTED for command in named)
    if it.ok:
        drive.check(
            it.cdw0 & 0xFFFF <= aborted <= (it.cdw0 & 0xFFFF) + (it.cdw0 >> 16),
            CANCEL,
            f"CMDA {aborted}, the commands that were aborted, or less if CEDA has the others",
            f"CMDA {it.cdw0 & 0xFFFF}, CEDA {it.cdw0 >> 16}",
        )


@requirement("RESETS-15", RESET)
@each_reset
def test_changes_of_data_survive_resets(
    drive: Drive, model: Model, writer: Writer, reset: Callable[[], float]
) -> None:
    """Zeroes, deallocations and marks survive a reset as writes do, also those that no flush covers.

    1. Write a region, change parts of it by each command that the drive has, and reset.
    2. Read the region, also after the next reset.
    """
    base = writer.region(256)
    for _ in range(2):
        for at in drive.random.sample(range(0, 256, 8), 12):
            nlb = drive.random.randint(1, 8)
            kind = drive.random.choice([opcode for opcode in CHANGES if drive.ns.supports(opcode)])
            CHANGES[kind](writer, base + at, nlb)
        reset()
        read_back(drive, model, range(base, base + 256))
    writer.write(base, 256)


CHANGES: dict[IoOpcode, Callable[[Writer, int, int], object]] = {
    IoOpcode.WRITE: lambda writer, slba, nlb: writer.write(slba, nlb),
    IoOpcode.WRITE_ZEROES: lambda writer, slba, nlb: writer.zeroes(slba, nlb),
    IoOpcode.DSM: lambda writer, slba, nlb: writer.deallocate((slba, nlb)),
    IoOpcode.WRITE_UNCORRECTABLE: lambda writer, slba, nlb: writer.uncorrectable(slba, nlb),
}
