# SPDX-License-Identifier: BSD-3-Clause
"""Data integrity: what is read is what was written."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator

import pytest

from pynvme.spec import FeatureId, IoOpcode, Status
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import ATOMIC, MDTS, ROOM, TWO_NAMESPACES, ZEROED, io
from pynvme.suite.drive import Drive
from pynvme.suite.history import MISMATCH, Command
from pynvme.suite.model import Kind, Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import (
    DEAC,
    GUARD_CLAUSE,
    PAGE,
    Slot,
    Traffic,
    any_size,
    model_of,
    read_back,
    runs,
)
from pynvme.suite.writing import Writer, must_be_right, whole

pytestmark = needs(ROOM)

WRITE = clauses.of_io(IoOpcode.WRITE)
DSM = clauses.of_io(IoOpcode.DSM)
COMPARE = clauses.of_io(IoOpcode.COMPARE)
UNIT = 8
"""LBAs around which neighbours are checked. A mapping unit is rarely smaller than 4 KiB."""


@requirement("DATA-1", WRITE)
@takes(4)
def test_mixed_io_at_the_beginning_the_end_and_between(drive: Drive, model: Model, budget: Budget) -> None:
    """Reads return what was written last, under a mix of all IO commands.

    1. Send random IO of all kinds, with odd sizes, offsets and buffers, on several queues, to three regions.
    2. Judge each completion, and the bytes around each buffer.
    3. Read all that was touched.
    """
    length = min(3000, drive.nsze // 4)
    last = drive.nsze - length
    spaces = [(0, length), (last, length), (drive.random.randrange(length, last - length), length)]
    traffic = Traffic(drive, model, spaces, queues=3, sizes=any_size(drive))
    traffic.run(lambda: budget.spent)
    read_back(drive, model, model.known())


@requirement("DATA-2", WRITE)
@takes(2)
def test_hot_overwrites_of_few_lbas(drive: Drive, model: Model, budget: Budget) -> None:
    """An LBA that is overwritten again and again never returns older data.

    1. Write a few adjacent LBAs in random order, in pieces smaller than a mapping unit, from several queues.
    2. Read them between the writes.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    mix = {"write": 60, "read": 30, "flush": 1, "compare": 5, "trim": 1, "zeroes": 1}
    traffic = Traffic(drive, model, [(base, 48), (base + 512, 16)], mix, queues=4, sizes=(1, 1, 1, 2, 3))
    traffic.run(lambda: budget.spent)
    read_back(drive, model, model.known())


@requirement("DATA-3", WRITE)
@takes(2)
def test_cold_data_survive_overwrites_elsewhere(drive: Drive, model: Model, budget: Budget) -> None:
    """Data that are not written again stay as they are while others are overwritten.

    1. Write a region, and read it.
    2. Overwrite every second piece of it, and a region elsewhere, many times.
    3. Read the whole region.
    """
    base = drive.random.randrange(drive.nsze - 16000)
    setup = Traffic(drive, model, [(base, 4096)], {"write": 1}, depth=32, sizes=(8, 16, 64))
    setup.run(lambda: setup.count > 500)
    hot = [(base + start, 8) for start in range(3, 4096, 64)] + [(base + 8192, 4096)]
    Traffic(drive, model, hot, {"write": 8, "trim": 1, "flush": 1}, depth=32).run(lambda: budget.spent)
    read_back(drive, model, model.known())


FULL_SPEED = {
    "small": ((1, 2, 3, 5, 8), (5, 64), 2048),
    "large": ((8, 13, 16, 64, 100, 255), (16, 64), 8192),
    "deep": ((1, 4, 8, 9), (1024, 300), 1 << 15),
}
"""Sizes of IO in LBAs, the depth of each worker, and the LBAs of its region."""


@requirement("DATA-17", WRITE)
@takes(3)
@pytest.mark.parametrize("load", list(FULL_SPEED))
def test_full_speed(drive: Drive, budget: Budget, load: str) -> None:
    """At full speed, too, reads return what was written last.

    1. Two workers send random IO of all kinds to a region each, as fast as the drive completes it, and verify
       what they read.
    2. A worker reads both regions.
    """
    wanted, depths, length = FULL_SPEED[load]
    sizes = [size for size in wanted if size <= drive.most_lbas]
    most_entries = (drive.nvme0.cap & 0xFFFF) + 1
    mix = {
        IoOpcode.WRITE: 46,
        IoOpcode.READ: 46,
        IoOpcode.WRITE_ZEROES: 3,
        IoOpcode.DSM: 3,
        IoOpcode.FLUSH: 1,
        IoOpcode.VERIFY: 1,
    }
    kinds = {int(opcode): share for opcode, share in mix.items() if drive.can(opcode)}
    kinds[IoOpcode.READ] += 100 - sum(kinds.values())
    region = min(length, drive.nsze // 4)
    starts = [drive.random.randrange(drive.nsze // 2 - region) + half for half in (0, drive.nsze // 2)]
    drive.note(f"two workers with IO of {sizes} LBAs from {starts[0]:#x} and {starts[1]:#x} on")
    workers = [
        drive.ns.ioworker(
            io_size=sizes,
            op_percentage=dict(kinds),
            time=max(0.2, budget.limit / 2),
            qdepth=min(depth, most_entries),
            region_start=start,
            region_end=start + region,
        ).start()
        for start, depth in zip(starts, depths)
    ]
    for worker in workers:
        must_be_right(drive, worker.close())
    for start in starts:
        options = {"region_start": start, "region_end": start + region, "read_percentage": 100}
        reader = drive.ns.ioworker(io_size=8, lba_random=False, qdepth=8, **options)  # type: ignore[arg-type]
        must_be_right(drive, reader.start().close())


@requirement("DATA-25", WRITE)
def test_much_data_without_a_flush(drive: Drive, model: Model, writer: Writer) -> None:
    """Much data that nothing has flushed is there, and still is after the flush.

    1. Write a region, some 70 MiB elsewhere, which fill most caches, and the region in part, without a flush.
    2. Read the region and the other data, flush, and read both again.
    """
    length = min(144_000, drive.nsze // 3)
    base = writer.region(600)
    start = 0 if base >= length else drive.nsze - length
    for percentage in (0, 100):
        must_be_right(drive, whole(drive, start, length, percentage).start().close())
        writer.write(base + drive.random.randrange(500), 60)
        read_back(drive, model, range(base, base + 600))
    writer.flush()
    read_back(drive, model, range(base, base + 600))
    must_be_right(drive, whole(drive, start, length, 100).start().close())


@requirement("DATA-22", WRITE)
def test_the_whole_address_space(drive: Drive) -> None:
    """Data all over the namespace are there after everything was written.

    1. A worker writes a few LBAs out of each thousand of the whole namespace, in order.
    2. Another one reads and verifies them.
    """
    nlb, step, most = 8, 1021, 16384
    step = max(step, drive.nsze // most)
    count = (drive.nsze - nlb) // step
    for percentage in (0, 100):
        drive.note(
            f"a worker with {count} IOs of {nlb} LBAs, each {step} LBAs on, {percentage} % of them reads"
        )
        worker = drive.ns.ioworker(
            io_size=nlb,
            lba_random=False,
            lba_step=step,
            io_count=count,
            read_percentage=percentage,
            qdepth=32,
            region_end=drive.nsze,
        )
        must_be_right(drive, worker.start().close())


@requirement("DATA-4", WRITE)
def test_no_address_bit_is_lost(drive: Drive, model: Model, writer: Writer) -> None:
    """Each LBA is a place of its own, whatever the bits of its address.

    1. Write LBA x, and x with bit k inverted, for all k up to the last LBA, in random order.
    2. Read all of them.
    """
    top = drive.nsze
    places = {drive.random.randrange(top), 0, top - 1, top // 2}
    for place in list(places):
        places |= {place ^ 1 << k for k in range(top.bit_length()) if place ^ 1 << k < top}
    order = sorted(places)
    drive.random.shuffle(order)
    for lba in order:
        writer.write(lba, 1)
    read_back(drive, model, order)


@requirement("DATA-5", WRITE)
def test_writes_leave_their_neighbours(drive: Drive, model: Model, writer: Writer) -> None:
    """A write of any size at any offset changes its own LBAs only.

    1. Write a region of several mapping units.
    2. Write 1 to 17 LBAs at each offset of a unit, and read the region after each write.
    """
    base = writer.region(6 * UNIT)
    for nlb in (1, 2, 3, UNIT - 1, UNIT, UNIT + 1, 2 * UNIT + 1):
        for offset in range(UNIT):
            writer.write(base + 2 * UNIT + offset, nlb)
            read_back(drive, model, range(base, base + 6 * UNIT))


@requirement("DATA-6", GUARD_CLAUSE)
def test_transfers_of_all_sizes_at_all_offsets(drive: Drive, model: Model, writer: Writer) -> None:
    """The drive transfers exactly the data, wherever they lie in memory.

    1. Write and read 1, 2, 3, … LBAs up to MDTS, with PRP 1 at offsets 0, 4, 512, 4092, … of its page.
    2. Compare the data, and the bytes around them.
    """
    size = drive.lba_size
    sizes = {1, 2, 3, PAGE // size, PAGE // size + 1, 2 * PAGE // size, 2 * PAGE // size + 1, drive.most_lbas}
    base = writer.region(drive.most_lbas)
    for nlb in sorted(n for n in sizes if 0 < n <= drive.most_lbas):
        for offset in (0, 4, 8, 508, 512, 2048, 3584, 4088, 4092):
            writer.write(base, nlb, offset=offset)
            writer.read(base, nlb, offset=drive.random.choice((0, offset, PAGE - offset & PAGE - 4)))
    read_back(drive, model, range(base, base + drive.most_lbas))


@requirement("DATA-7", "Base 2.0, 5.17.2.1 Identify Controller, MDTS")
@needs(MDTS)
def test_a_transfer_above_mdts_is_refused(drive: Drive, model: Model, writer: Writer) -> None:
    """A transfer above MDTS fails with Invalid Field, and changes neither memory nor data.

    1. Write and read MDTS, and verify that it works.
    2. Write, read and compare one LBA more, and check the status, the LBAs, and the buffer.
    """
    most = drive.nvme0.mdts // drive.lba_size
    base = writer.region(most + 1)
    slot = Slot((most + 1) * drive.lba_size)
    buf = slot.prepare(0, (most + 1) * drive.lba_size)
    clause = "Base 2.0, 5.17.2.1 Identify Controller, MDTS"
    drive.expect(drive.io(IoOpcode.READ, buf, base, most + 1), clause, Status.INVALID_FIELD)
    drive.check(
        set(slot.data()) == {0xC3} and slot.intact(),
        clause,
        "no data",
        "the refused read has transferred data",
    )
    for opcode in (IoOpcode.WRITE, IoOpcode.COMPARE):
        if drive.ns.supports(opcode):
            drive.expect(drive.io(opcode, buf, base, most + 1), clause, Status.INVALID_FIELD)
    read_back(drive, model, range(base, base + most + 1))


@requirement("DATA-8", DSM)
@needs(io(IoOpcode.DSM))
def test_deallocation_leaves_its_neighbours(drive: Drive, model: Model, writer: Writer) -> None:
    """A deallocation of any size at any offset changes its own LBAs only.

    1. Write a region.
    2. Deallocate 1 to 17 LBAs at each offset of a mapping unit, and read the region each time.
    """
    base = writer.region(6 * UNIT)
    for nlb in (1, 3, UNIT - 1, UNIT, UNIT + 1, 2 * UNIT + 1):
        for offset in range(UNIT):
            writer.write(base, 6 * UNIT)
            writer.deallocate((base + 2 * UNIT + offset, nlb))
            read_back(drive, model, range(base, base + 6 * UNIT))


@requirement("DATA-9", DSM)
@needs(io(IoOpcode.DSM))
def test_deallocation_of_many_ranges(drive: Drive, model: Model, writer: Writer) -> None:
    """A deallocation of up to 256 ranges, of odd lengths and of length 0, touches only these.

    1. Write a region.
    2. Deallocate 1, 2, 128, 129, 255 and 256 ranges, in random order, some of length 0.
    3. Read the region, and what lies behind it.
    """
    base = writer.region(256 * 17)
    for count in (1, 2, 127, 128, 129, 255, 256):
        writer.write(base, 256 * 17)
        ranges = [
            (base + index * 17 + drive.random.randrange(5), drive.random.randrange(12))
            for index in range(count)
        ]
        ranges[drive.random.randrange(count)] = (base + 16, 0)
        drive.random.shuffle(ranges)
        writer.deallocate(*ranges)
        read_back(drive, model, range(base, base + 256 * 17))


@requirement("DATA-10", "NVM 1.0, 3.2.3.2.1 Dataset Management, Deallocate")
@needs(io(IoOpcode.DSM))
@takes(1.5)
def test_a_write_after_a_deallocation_stays(
    drive: Drive, model: Model, writer: Writer, budget: Budget
) -> None:
    """A deallocation that the drive does later never takes a newer write with it.

    1. Write, deallocate, and write again at once, or after a pause.
    2. Read, wait, and read again, several times.
    """
    base = writer.region(4096)
    for turn in budget.turns(least=20):
        slba = base + drive.random.randrange(4000)
        writer.write(slba, 32)
        writer.deallocate((slba, 48))
        writer.write(slba + 3, 11)
        read_back(drive, model, range(slba, slba + 48))
        if turn % 16 == 15:
            read_back(drive, model, range(base, base + 4096))


@requirement("DATA-11", "NVM 1.0, 4.1.5.1 Identify Namespace, DLFEAT")
@needs(io(IoOpcode.DSM), ZEROED)
def test_a_deallocated_lba_keeps_its_value(drive: Drive, model: Model, writer: Writer) -> None:
    """A deallocated LBA that was read as zeros stays zeros until it is written.

    1. Write, and deallocate aligned ranges.
    2. Read them several times, with flushes and other writes between.
    """
    base = writer.region(256)
    writer.deallocate((base + 64, 64))
    for _ in range(5):
        read_back(drive, model, range(base, base + 256))
        writer.flush()
        writer.write(base, 16)


@requirement("DATA-12", clauses.of_io(IoOpcode.WRITE_ZEROES))
@needs(io(IoOpcode.WRITE_ZEROES))
def test_write_zeroes_of_all_sizes(drive: Drive, model: Model, writer: Writer) -> None:
    """Write Zeroes makes NLB + 1 LBAs zero, and no other, with and without DEAC.

    1. Write a region.
    2. Write zeroes of 1 to 65 LBAs at several offsets, and read the region each time.
    """
    base = writer.region(96)
    for nlb in (1, 2, 7, 8, 9, 16, 17, 64, 65):
        for offset in (0, 1, 7, 8):
            writer.write(base, 96)
            writer.zeroes(base + 8 + offset, nlb, deallocate=drive.random.random() < 0.5)
            read_back(drive, model, range(base, base + 96))


@requirement("DATA-13", clauses.of_io(IoOpcode.WRITE_UNCORRECTABLE))
@needs(io(IoOpcode.WRITE_UNCORRECTABLE))
def test_uncorrectable_marks(drive: Drive, model: Model, writer: Writer) -> None:
    """A mark covers its own LBAs only, and a write removes it.

    1. Mark 1 to 9 LBAs at each offset of a mapping unit. They fail, and their neighbours can be read.
    2. Write some of the marked LBAs. These can be read, and the others fail.
    """
    base = writer.region(6 * UNIT)
    for nlb in (1, 2, UNIT - 1, UNIT, UNIT + 1):
        for offset in range(0, UNIT, 3):
            writer.write(base, 6 * UNIT)
            slba = base + 2 * UNIT + offset
            writer.uncorrectable(slba, nlb)
            read_back(drive, model, range(base, base + 6 * UNIT))
            writer.write(slba + nlb // 2, 1)
            read_back(drive, model, range(base, base + 6 * UNIT))


@requirement("DATA-14", COMPARE)
@needs(io(IoOpcode.COMPARE))
def test_compare_sees_the_latest_data(drive: Drive, model: Model, writer: Writer) -> None:
    """Compare succeeds with the data of the latest write, and fails with any others.

    1. Write, and compare at once with the same data.
    2. Compare with one byte changed, in the first, a middle and the last LBA, and with the older data.
    """
    clause = COMPARE
    base = writer.region(64)
    size = drive.lba_size
    slot = Slot(33 * size)
    for nlb in (n for n in (1, 2, 8, 9, 33) if n <= drive.most_lbas):
        old = model.certain(base, nlb)
        writer.write(base, nlb)
        data = model.certain(base, nlb)
        assert old is not None and data is not None
        drive.succeed(drive.io(IoOpcode.COMPARE, slot.prepare(0, nlb * size, data), base, nlb), clause)
        last = (nlb - 1) * size + int(drive.ns.lba_size) - 1  # before metadata, which a Compare may leave out
        for at in (0, nlb // 2 * size, last):
            other = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
            command = drive.io(IoOpcode.COMPARE, slot.prepare(0, nlb * size, other), base, nlb)
            drive.expect(command, clause, Status.COMPARE_FAILURE)
        command = drive.io(IoOpcode.COMPARE, slot.prepare(0, nlb * size, old), base, nlb)
        drive.expect(command, clause, Status.COMPARE_FAILURE)
        read_back(drive, model, range(base, base + nlb))


@requirement("DATA-15", "NVM 1.0, 2.1.4 Atomic Operation, AWUN and NAWUN")
@needs(ATOMIC)
@takes(1)
def test_concurrent_writes_are_atomic(drive: Drive, model: Model, budget: Budget) -> None:
    """A read next to writes of the same LBAs returns all of one write, up to the atomic unit.

    1. Send writes of the same LBAs on two queues, and reads of them on a third one, all at the same time.
    2. Each read has the data of one write only.
    """
    unit = min(drive.atomic_lbas, drive.most_lbas)
    base = drive.random.randrange(drive.nsze // 256 - 1) * 256
    writer = Writer(drive, model)
    pairs = [drive.new_qpair(8) for _ in range(3)]
    slots = [[Slot(unit * drive.lba_size) for _ in range(4)] for _ in pairs]
    for _ in budget.turns(least=20):
        nlb = min(unit, drive.random.choice((2, 3, 8, 9, 16, 16, unit)))
        length = nlb * drive.lba_size
        dwords = {"cdw10": base & 0xFFFFFFFF, "cdw11": base >> 32, "cdw12": nlb - 1}
        writer.write(base, nlb)
        commands = []
        for index in range(4):
            for writes in (0, 1):
                change = model.begin(Kind.DATA, (base, nlb))
                buf = slots[writes][index].prepare(0, length, model.data(change))
                change.command = drive.send(pairs[writes], IoOpcode.WRITE, buf, None, None, **dwords)
                commands.append(change.command)
            buf = slots[2][index].prepare(0, length)
            commands.append(drive.send(pairs[2], IoOpcode.READ, buf, None, None, **dwords))
        for pair in pairs:
            drive.reap(pair, 4)
        for command in commands:
            drive.must_end(command)
            drive.check(command.status in (0, MISMATCH), WRITE, "success", command)
        for slot in slots[2]:
            must_be_one_write(drive, model, base, slot.data())
        model.forget(range(base, base + nlb))


def must_be_one_write(drive: Drive, model: Model, base: int, data: bytes) -> None:
    """Raise a finding unless these data are of one write."""
    size = drive.lba_size
    nlb = len(data) // size
    stamps = [model.content.stamp(data[lba * size : (lba + 1) * size]) for lba in range(nlb)]
    right = [stamp is not None and stamp.lba == base + lba for lba, stamp in enumerate(stamps)]
    generations = sorted({stamp.generation for stamp in stamps if stamp is not None})
    if not all(right) or len(generations) > 1:
        raise drive.finding(
            "NVM 1.0, 2.1.4 Atomic Operation, AWUN and NAWUN",
            f"{nlb} LBAs of one write",
            f"data of writes {generations}, and {right.count(False)} LBAs of none",
            range(base, base + nlb),
            model.writers([base]),
        )


@requirement("DATA-16", "NVM 1.0, 3.2.3 Dataset Management, NR")
@needs(io(IoOpcode.DSM), ZEROED)
def test_all_ranges_of_a_deallocation_count(drive: Drive, model: Model, writer: Writer) -> None:
    """A drive that deallocates ranges does not leave the same ones out each time, by their number.

    1. Deallocate 256 aligned ranges of equal length, several times, in another order each time.
    2. Deallocation is advice, so that a range may be left. But ranges of the same number, left each time and
       more often than chance would do it, are ranges that the drive does not look at.
    """
    rounds, count, length = 5, 256, 8
    base = writer.region(count * length + 64)
    base += -base % 64
    left: list[set[int]] = []
    for _ in range(rounds):
        writer.write(base, count * length)
        order = drive.random.sample(range(count), count)
        writer.deallocate(*((base + place * length, length) for place in order))
        read_back(drive, model, range(base, base + count * length))
        left.append(
            {number for number, place in enumerate(order) if holds_data(model, base + place * length)}
        )
    always = set.intersection(*left)
    by_chance = count * math.prod(len(numbers) / count for numbers in left)
    drive.check(
        is_chance(len(always), by_chance),
        "NVM 1.0, 3.2.3 Dataset Management, NR",
        f"all {count} ranges",
        f"{len(always)} ranges, by their number, are never deallocated: {sorted(always)[:8]}",
    )


def is_chance(found: int, expected: float) -> bool:
    """Whether so many can be found where a number is expected, by Poisson's law."""
    return found == 0 or found * math.log(expected) - math.lgamma(found + 1) > math.log(1e-9)


def holds_data(model: Model, lba: int) -> bool:
    """Whether an LBA that was deallocated still held its data when it was read."""
    change = model.holds_now(lba)
    return change is not None and change.kind is Kind.DATA


@requirement("DATA-18", WRITE)
@takes(1.5)
def test_mixed_io_at_borders_of_the_address(drive: Drive, model: Model, budget: Budget) -> None:
    """Reads return what was written last where a bit of the address changes, and a command crosses that.

    1. Send random IO of all kinds around each LBA that is a power of 2, and at the end of the namespace.
    2. Read all that was touched.
    """
    around = 40
    borders = [1 << bit for bit in range(6, drive.nsze.bit_length()) if (1 << bit) + around < drive.nsze]
    spaces = [(border - around, 2 * around) for border in borders]
    spaces += [(drive.nsze - around, around), (3 * drive.nsze // 4 - around, 2 * around)]
    sizes = (1, 1, 2, 3, 7, 8, 8, 9, 16, 33, 2 * around)
    Traffic(drive, model, spaces, queues=3, sizes=sizes).run(lambda: budget.spent)
    read_back(drive, model, model.known())


@requirement("DATA-19", WRITE)
def test_each_size(drive: Drive, model: Model, writer: Writer) -> None:
    """Writes and reads of each size transfer all of their LBAs, and change no others.

    1. Write 1, 2, 3, … LBAs up to MDTS, each at a random place, from a random offset in a page.
    2. Read them at once, and the whole region at the end.
    """
    most = drive.most_lbas
    sizes = [*range(1, min(most, 128) + 1)]
    sizes += drive.random.sample(range(129, most + 1), min(128, max(0, most - 128)))
    base = writer.region(2 * most)
    drive.random.shuffle(sizes)
    for nlb in sizes:
        slba = base + drive.random.randint(0, 2 * most - nlb)
        writer.write(slba, nlb, offset=drive.random.randrange(PAGE // 4) * 4)
        writer.read(slba, nlb, offset=drive.random.randrange(PAGE // 4) * 4)
    read_back(drive, model, range(base, base + 2 * most))


@requirement("DATA-20", WRITE)
def test_an_lba_that_is_overwritten_hundreds_of_times(drive: Drive, model: Model, writer: Writer) -> None:
    """A read returns the last of 300 writes, after each of them.

    1. Write one LBA, and a few adjacent ones, again and again, and read them after each write.
    2. Read what is next to them at the end.
    """
    base = writer.region(64)
    for turn in range(300):
        for slba, nlb in ((base + 5, 1), (base + 16, 8), (base + 43, 3)):
            writer.write(slba, nlb)
            writer.read(slba, nlb)
        if turn % 64 == 63:
            writer.flush()
    read_back(drive, model, range(base, base + 64))


@requirement("DATA-21", WRITE)
@takes(7)
def test_data_after_a_pause(drive: Drive, model: Model, writer: Writer, budget: Budget) -> None:
    """Data stay as they are while the drive has nothing to do, and its first command after that is right.

    1. Write, write zeroes and deallocate parts of a region, with and without a flush, and do nothing for a
       while, up to more than 5 s.
    2. Begin with a read, or with a write, and read the whole region, twice.
    """
    base = writer.region(600)
    has = drive.ns.supports
    for turn, share in enumerate((0.01, 0.05, 0.15, 0.75)):
        writer.write(base + drive.random.randrange(100), 50)
        if has(IoOpcode.WRITE_ZEROES):
            writer.zeroes(base + 200 + drive.random.randrange(50), 40)
        if has(IoOpcode.DSM):
            writer.deallocate((base + 300 + drive.random.randrange(50), 40))
        if turn % 2:
            writer.flush()
        time.sleep(share * budget.limit)
        if turn == 2:
            writer.write(base + drive.random.randrange(100), 20)
        read_back(drive, model, range(base, base + 600))
        read_back(drive, model, range(base, base + 600))


@contextlib.contextmanager
def cache_disabled(drive: Drive) -> Iterator[None]:
    """Have the volatile write cache disabled."""
    with drive.feature_set(FeatureId.VWC, 0):
        yield


@contextlib.contextmanager
def host_memory_lent(drive: Drive) -> Iterator[None]:
    """Lend the drive a host memory buffer."""
    drive.note("host memory buffer", "nvme0.enable_hmb()")
    drive.nvme0.enable_hmb()
    try:
        yield
    finally:
        drive.nvme0.disable_hmb()


def settings(drive: Drive) -> Iterator[contextlib.AbstractContextManager[None]]:
    """Settings of this drive under which its data have to be the same."""
    if drive.id_ctrl.vwc.vwcp and drive.can_change(FeatureId.VWC):
        yield cache_disabled(drive)
    if int(drive.id_ctrl.hmpre):
        yield host_memory_lent(drive)
    for state in range(1, drive.id_ctrl.npss + 1):
        if not drive.id_ctrl.psd[state].flags.nops:
            yield drive.feature_set(FeatureId.POWER, state)


@requirement("DATA-23", WRITE)
@takes(1.5)
def test_mixed_io_in_each_setting(drive: Drive, model: Model, budget: Budget) -> None:
    """Reads return what was written last without the cache, with host memory, and in each power state.

    1. Disable the cache, lend host memory, and enter each operational power state, in turn.
    2. Send random IO of all kinds each time, and read all at the end, in the setting of the start.
    """
    base = drive.random.randrange(drive.nsze - 4096)
    wanted = list(settings(drive))
    traffic = Traffic(drive, model, [(base, 2000), (base + 3000, 64)], queues=2)
    for setting in wanted:
        part = budget.part(1 / len(wanted))
        with setting:
            traffic.run(lambda: part.spent)  # noqa: B023 - run() ends in this turn
    read_back(drive, model, model.known())


@requirement("DATA-24", WRITE)
@needs(TWO_NAMESPACES)
@takes(3)
def test_mixed_io_in_all_namespaces(drive: Drive, budget: Budget) -> None:
    """IO to one namespace touches no other one, also at the same LBAs and at the same time.

    1. Send random IO of all kinds to the same LBAs of each namespace, by turns.
    2. Read all that was touched in each.
    """
    least = min(each.nsze for each in drive.by_namespace())
    slba = drive.random.randrange(least - 4096)
    spaces = [(0, 400), (slba, 400), (least - 400, 400)]
    loads = [Traffic(each, model_of(each), spaces, depth=8) for each in drive.by_namespace()]
    while not budget.spent:
        for _ in range(16):
            for load in loads:
                load.step()
    for load in loads:
        load.drain()
        read_back(load.drive, load.model, load.model.known())


@requirement("DATA-26", DSM)
@needs(io(IoOpcode.DSM))
def test_attributes_change_no_data(drive: Drive, model: Model, writer: Writer) -> None:
    """A Dataset Management without AD changes no data, whatever its attributes say.

    1. Write a region, and send Dataset Management with each combination of IDR and IDW, and attributes.
    2. Read the region each time.
    """
    base = writer.region(64)
    for attributes in (0, 1, 2, 3):
        drive.succeed(drive.deallocate([(base, 30), (base + 40, 8)], attributes=attributes), DSM)
        read_back(drive, model, range(base, base + 64))


LENGTHS = (100, 128, 129, 255, 256, 257, 1000, 1024, 1025, 4096, 5000, 16384, 32768, 65535, 65536)
"""LBAs of a command that transfers no data. NLB has 16 bits."""


class Probe:
    """Sends commands to a long range, and looks at some LBAs in and around it.

    A drive may refuse a length above MDTS, but what it accepts it has to do.

    Args:
        writer: sends the commands
        slba, nlb: the range
    """

    def __init__(self, writer: Writer, slba: int, nlb: int) -> None:
        rng = writer.drive.random
        self._drive, self._model, self._writer = writer.drive, writer.model, writer
        self.slba, self.nlb = slba, nlb
        bits = range(nlb.bit_length())
        inside = {(1 << bit) - offset for bit in bits for offset in (0, 1)}
        inside |= {rng.randrange(nlb) for _ in range(4)}
        self.points = sorted(slba + one for one in {*inside, -1, 0, nlb - 1, nlb} if one <= nlb)
        self._inside = runs((lba for lba in self.points if slba <= lba < slba + nlb), nlb)

    def write(self) -> None:
        """Write the LBAs that will be looked at."""
        for lba in self.points:
            self._writer.write(lba, 1)

    def change(self, opcode: IoOpcode, kind: Kind, flags: int = 0) -> None:
        """Change the range, and look."""
        if not self._drive.can(opcode):
            return
        change = self._model.begin(kind, *self._inside)
        if opcode is IoOpcode.DSM:
            command = self._drive.deallocate([(self.slba, self.nlb)])
        else:
            command = self._drive.io(opcode, None, self.slba, self.nlb, flags=flags)
        change.command = command
        self._model.end(change, command.ok)
        self._must_be_done(command)
        read_back(self._drive, self._model, self.points)

    def _must_be_done(self, command: Command) -> None:
        if self.nlb > self._drive.most_lbas and command.status == Status.INVALID_FIELD:
            pytest.skip(f"the drive does not accept {self.nlb} LBAs in a command without data")
        self._drive.succeed(command, clauses.of_io(command.opcode))

    def verify(self) -> None:
        """Verify the range, whose LBAs are all readable, and again with a marked LBA."""
        supports = self._drive.can
        if not supports(IoOpcode.VERIFY):
            return
        self._must_be_done(self._drive.io(IoOpcode.VERIFY, None, self.slba, self.nlb))
        if supports(IoOpcode.WRITE_UNCORRECTABLE):
            ((lba, _), *_) = self._drive.random.sample(self._inside, 1)
            self._writer.uncorrectable(lba, 1)
            command = self._drive.io(IoOpcode.VERIFY, None, self.slba, self.nlb)
            self._drive.expect(command, clauses.of_io(IoOpcode.VERIFY), Status.UNRECOVERED_READ_ERROR)


@requirement("DATA-27", f"{clauses.of_io(IoOpcode.WRITE_ZEROES)}, NLB, and other commands without data")
@needs(io(IoOpcode.WRITE_ZEROES))
def test_lengths_of_commands_without_data(drive: Drive, model: Model, writer: Writer) -> None:
    """Zeroes, marks, deallocations and Verify of up to 65536 LBAs reach all of their LBAs, and no others.

    1. Write LBAs at the beginning, the end, around, and at each power of 2 of a range.
    2. Write zeroes, verify, mark, write zeroes with DEAC, and deallocate the range, and read these LBAs each
       time.
    """
    most = min(max(LENGTHS), drive.nsze // 4)
    slba = drive.random.randrange(1, drive.nsze - most - 1)
    for nlb in (length for length in LENGTHS if length <= most):
        probe = Probe(writer, slba, nlb)
        probe.write()
        probe.change(IoOpcode.WRITE_ZEROES, Kind.ZEROES)
        probe.verify()
        probe.change(IoOpcode.WRITE_UNCORRECTABLE, Kind.UNCORRECTABLE)
        probe.change(IoOpcode.WRITE_ZEROES, Kind.ZEROES, DEAC * drive.takes_deac)
        probe.write()
        probe.change(IoOpcode.DSM, Kind.DEALLOCATED)
        probe.change(IoOpcode.WRITE_ZEROES, Kind.ZEROES)
