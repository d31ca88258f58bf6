# SPDX-License-Identifier: BSD-3-Clause
"""Data integrity: what is read is what was written."""

from __future__ import annotations

import math

import nvme
import pytest

from pynvme.spec import IoOpcode, Status
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import ATOMIC, MDTS, PLAIN, ROOM, ZEROED, io
from pynvme.suite.drive import Drive
from pynvme.suite.model import Kind, Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import GUARD_CLAUSE, MISMATCH, PAGE, Slot, Traffic, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(PLAIN, ROOM)

WRITE = "NVM 1.0, 3.2.6 Write"
DSM = "NVM 1.0, 3.2.3 Dataset Management"
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
    last = drive.nsze - 1000
    spaces = [(0, 1000), (last, 1000), (drive.random.randrange(1000, last - 1000), 1000)]
    traffic = Traffic(drive, model, spaces, queues=3)
    traffic.run(lambda: budget.spent)
    read_back(drive, model, model.known())


@requirement("DATA-2", WRITE)
@takes(3)
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
@takes(3)
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
    2. Write and read one LBA more, and check the status, the LBAs, and the buffer.
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
    drive.expect(drive.io(IoOpcode.WRITE, buf, base, most + 1), clause, Status.INVALID_FIELD)
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
@takes(2)
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
        drive.succeed(drive.flush(), "Base 2.0, 7.1 Flush")
        writer.write(base, 16)


@requirement("DATA-12", "NVM 1.0, 3.2.8 Write Zeroes")
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


@requirement("DATA-13", "NVM 1.0, 3.2.7 Write Uncorrectable")
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


@requirement("DATA-14", "NVM 1.0, 3.2.1 Compare")
@needs(io(IoOpcode.COMPARE))
def test_compare_sees_the_latest_data(drive: Drive, model: Model, writer: Writer) -> None:
    """Compare succeeds with the data of the latest write, and fails with any others.

    1. Write, and compare at once with the same data.
    2. Compare with one byte changed, in the first, a middle and the last LBA, and with the older data.
    """
    clause = "NVM 1.0, 3.2.1 Compare"
    base = writer.region(64)
    size = drive.lba_size
    slot = Slot(33 * size)
    for nlb in (n for n in (1, 2, 8, 9, 33) if n <= drive.most_lbas):
        old = model.certain(base, nlb)
        writer.write(base, nlb)
        data = model.certain(base, nlb)
        assert old is not None and data is not None
        drive.succeed(drive.io(IoOpcode.COMPARE, slot.prepare(0, nlb * size, data), base, nlb), clause)
        for at in (0, nlb * size // 2, nlb * size - 1):
            other = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
            command = drive.io(IoOpcode.COMPARE, slot.prepare(0, nlb * size, other), base, nlb)
            drive.expect(command, clause, Status.COMPARE_FAILURE)
        command = drive.io(IoOpcode.COMPARE, slot.prepare(0, nlb * size, old), base, nlb)
        drive.expect(command, clause, Status.COMPARE_FAILURE)
        read_back(drive, model, range(base, base + nlb))


@requirement("DATA-15", "NVM 1.0, 2.1.4 Atomic Operation, AWUN and NAWUN")
@needs(ATOMIC)
@takes(2)
def test_concurrent_writes_are_atomic(drive: Drive, model: Model, budget: Budget) -> None:
    """A read next to writes of the same LBAs returns all of one write, up to the atomic unit.

    1. Send writes of the same LBAs on two queues, and reads of them on a third one, all at the same time.
    2. Each read has the data of one write only.
    """
    nlb = min(drive.atomic_lbas, drive.most_lbas, 16)
    base = drive.random.randrange(drive.nsze // 64 - 1) * 64
    length = nlb * drive.lba_size
    Writer(drive, model).write(base, nlb)
    pairs = [drive.new_qpair(8) for _ in range(3)]
    slots = [[Slot(length) for _ in range(4)] for _ in pairs]
    dwords = {"cdw10": base & 0xFFFFFFFF, "cdw11": base >> 32, "cdw12": nlb - 1}
    for _ in budget.turns(least=20):
        commands = []
        for index in range(4):
            for writes in (0, 1):
                change = model.begin(Kind.DATA, (base, nlb))
                data = model.content.range(base, nlb, change.generation)
                buf = slots[writes][index].prepare(0, length, data)
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


@requirement("DATA-17", WRITE)
@takes(4)
@pytest.mark.parametrize("size", ["small", "large"])
def test_full_speed(drive: Drive, budget: Budget, size: str) -> None:
    """At full speed, too, reads return what was written last.

    1. Two workers send random IO of all kinds to a small region each, as fast as the drive completes it, and
       verify what they read.
    2. A worker reads both regions.
    """
    sizes = {"small": [1, 2, 3, 5, 8], "large": [8, 16, min(64, drive.most_lbas), min(13, drive.most_lbas)]}[
        size
    ]
    mix = {
        IoOpcode.WRITE: 46,
        IoOpcode.READ: 46,
        IoOpcode.WRITE_ZEROES: 3,
        IoOpcode.DSM: 3,
        IoOpcode.FLUSH: 2,
    }
    kinds = {int(opcode): share for opcode, share in mix.items() if drive.ns.supports(opcode)}
    kinds[IoOpcode.READ] += 100 - sum(kinds.values())
    region = 2048
    starts = [drive.random.randrange(drive.nsze // 2 - region) + half for half in (0, drive.nsze // 2)]
    drive.note(f"two workers with IO of {sizes} LBAs from {starts[0]:#x} and {starts[1]:#x} on")
    workers = [
        drive.ns.ioworker(
            io_size=sizes,
            op_percentage=dict(kinds),
            time=max(0.2, budget.limit / 2),
            qdepth=depth,
            region_start=start,
            region_end=start + region,
        ).start()
        for start, depth in zip(starts, (5, 64))
    ]
    for worker in workers:
        must_be_right(drive, worker.close())
    for start in starts:
        options = {"region_start": start, "region_end": start + region, "read_percentage": 100}
        reader = drive.ns.ioworker(io_size=8, lba_random=False, qdepth=8, **options)  # type: ignore[arg-type]
        must_be_right(drive, reader.start().close())


def must_be_right(drive: Drive, result: nvme.DotDict) -> None:
    """Judge the result of a worker, which has verified what it read."""
    seen = f"{result.lba_mismatch} wrong LBAs, error {result.error}, status {result.status:#x}"
    drive.check(not result.lba_mismatch and not result.error, WRITE, "the data that were written", seen)


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
