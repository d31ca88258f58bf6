# SPDX-License-Identifier: BSD-3-Clause
"""Queues, doorbells, physical region pages and interrupts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import nvme
import pytest

from pynvme.spec import FeatureId, IoOpcode, Register
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import PLAIN, ROOM, VECTORS, WEIGHTED, feature
from pynvme.suite.drive import Drive
from pynvme.suite.model import Kind, Model
from pynvme.suite.options import Budget
from pynvme.suite.rawqueue import CQE_CLAUSE, RawCq, RawSq
from pynvme.suite.traffic import GUARD_CLAUSE, PAGE, Traffic, judge, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(PLAIN, ROOM)

PHASE = "Base 2.0, 4.2.4 Completion Queue Entry, Phase Tag"
FULL = "Base 2.0, 3.3.1.5 Full Queue"
TAIL = "Base 2.0, 3.3.1.1 Queue Setup & Initialization and 3.3.1.2 Queue Usage"
PRP = "Base 2.0, 4.1.1 Physical Region Page Entry and List"
PENDING = "PCIe 5.0, 7.7.2 MSI-X Capability and Table Structure, Pending Bits"
COALESCING = "Base 2.0, 5.27.1.6 Interrupt Coalescing"
VECTOR = "Base 2.0, 5.27.1.7 Interrupt Vector Configuration"
QID = 2
"""A queue identifier for raw queues. Single commands use queue 1, which opens first."""

SIZES = ((2, 2), (3, 2), (5, 3), (4, 5), (7, 16), (64, 1000), (1000, 64))
"""Entries of submission and completion queues."""


@pytest.fixture
def data(drive: Drive) -> nvme.Buffer:
    """Data for one LBA, whose contents do not matter."""
    return nvme.Buffer(max(drive.lba_size, PAGE))


@pytest.fixture(autouse=True)
def first_queue(drive: Drive) -> Iterator[None]:
    """Take queue 1 for single commands, so that the others are free."""
    assert drive.qpair.sqid == 1
    yield


@requirement("QUEUES-1", PHASE)
@pytest.mark.parametrize("sq_entries, cq_entries", SIZES)
def test_queues_of_any_size_wrap(drive: Drive, data: nvme.Buffer, sq_entries: int, cq_entries: int) -> None:
    """The phase inverts each time that the completion queue wraps, also if its size is no power of two.

    1. Create a submission and a completion queue of odd sizes.
    2. Send commands one by one and in bursts, until both queues have wrapped twice.
    3. Each command completes once, with its SQID and CID, and no entry is posted beyond.
    """
    most = (drive.nvme0.cap & 0xFFFF) + 1
    cq = RawCq(drive, QID, min(cq_entries, most))
    sq = RawSq(cq, entries=min(sq_entries, most))
    total, sent = 2 * max(sq.entries, cq.entries) + 3, 0
    while sent < total:
        burst = min(drive.random.choice((1, 2, 63, 1000)), sq.entries - 1, cq.entries - 1, total - sent)
        for _ in range(burst):
            sq.put(IoOpcode.READ, sent & 0x7FFF, prp1=data.phys_addr)
            sent += 1
        sq.ring()
        for command in cq.take(burst):
            drive.succeed(command, PHASE)
    cq.nothing_more()
    cq.delete()


@requirement("QUEUES-2", FULL)
def test_a_full_completion_queue_is_not_overwritten(drive: Drive, data: nvme.Buffer) -> None:
    """While the head doorbell stays, the drive posts one completion less than the queue has entries.

    1. Send more commands than the completion queue has entries, and leave its doorbell alone.
    2. The drive stops at one less than its entries. Then take entries, some at a time.
    3. Each command completes exactly once.
    """
    cq = RawCq(drive, QID, 5)
    sq = RawSq(cq, entries=64)
    for cid in range(40):
        sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
    sq.ring()
    seen: list[int] = []
    while len(seen) < 40:
        taken = drive.random.randint(1, 4)
        time.sleep(0.002)
        drive.check(
            not (cq.is_posted(3) and cq.is_posted(4)), FULL, "at most 4 of 5 entries", "the 5th entry"
        )
        seen += [command.cid for command in cq.take(min(taken, 40 - len(seen)))]
    drive.check(sorted(seen) == list(range(40)), FULL, "each CID once", seen)
    cq.nothing_more()
    cq.delete()


@requirement("QUEUES-3", CQE_CLAUSE)
def test_all_bits_of_a_command_identifier(drive: Drive, data: nvme.Buffer) -> None:
    """A completion has the CID of its command, all 16 bits of it.

    1. Send commands whose CIDs have one bit set, one bit clear, and random ones, several at a time.
    2. Each CID comes back once.
    """
    cids = [0, *(1 << bit for bit in range(16)), *(0xFFFF ^ 1 << bit for bit in range(16)), 0xFFFE]
    cids = sorted({*cids, *(drive.random.randrange(0xFFFF) for _ in range(200))})
    drive.random.shuffle(cids)
    cq = RawCq(drive, QID, 64)
    sq = RawSq(cq)
    for start in range(0, len(cids), 50):
        for cid in cids[start : start + 50]:
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
        sq.ring()
        for command in cq.take(len(cids[start : start + 50])):
            drive.succeed(command, CQE_CLAUSE)
    cq.nothing_more()
    cq.delete()


@requirement("QUEUES-4", TAIL)
def test_entries_behind_the_tail_are_not_executed(drive: Drive, writer: Writer, model: Model) -> None:
    """The drive executes the entries before the tail, and never one behind it.

    1. Fill the whole submission queue with writes, and ring the doorbell for some of them.
    2. Only these complete, and only their LBAs change. Do that around the wrap of the queue too.
    """
    base = writer.region(64)
    other = nvme.Buffer(PAGE, ptype=0xBEEF, pvalue=100)
    source = nvme.Buffer(max(PAGE, drive.lba_size))
    cq = RawCq(drive, QID, 16)
    sq = RawSq(cq, entries=8)
    for turn in range(24):
        count = turn % 3 + 1
        for behind in range(count, 7):
            sq.put(IoOpcode.WRITE, 0x100 + behind, base + 32 + behind, prp1=other.phys_addr, behind=behind)
        for index in range(count):
            slba = base + turn % 8 * 3 + index
            change = model.begin(Kind.DATA, (slba, 1))
            source[: drive.lba_size] = model.content.of(slba, change.generation)
            change.command = sq.put(IoOpcode.WRITE, turn * 4 + index, slba, prp1=source.phys_addr)
            sq.ring()
            drive.succeed(cq.take(1)[0], TAIL)
            model.end(change, True)
    cq.nothing_more()
    cq.delete()
    read_back(drive, model, range(base, base + 64))


@requirement("QUEUES-5", CQE_CLAUSE)
def test_submission_queues_share_a_completion_queue(drive: Drive, data: nvme.Buffer) -> None:
    """Completions name the submission queue of their command.

    1. Create several submission queues of different sizes with one completion queue.
    2. Send commands with the same CIDs to all, and take all completions.
    """
    cq = RawCq(drive, QID, 64)
    count = min(4, drive.nvme0.max_qpairs - QID)
    queues = [RawSq(cq, QID + index, entries=4 + 5 * index) for index in range(max(1, count))]
    for turn in range(30):
        sent = 0
        for queue in queues:
            for index in range(drive.random.randint(1, 3)):
                queue.put(IoOpcode.READ, turn * 4 + index, prp1=data.phys_addr)
                sent += 1
        for queue in drive.random.sample(queues, len(queues)):
            queue.ring()
        for command in cq.take(sent):
            drive.succeed(command, CQE_CLAUSE)
    cq.nothing_more()
    cq.delete()


@requirement("QUEUES-6", PRP)
def test_prp_lists_at_all_offsets(drive: Drive, model: Model, writer: Writer) -> None:
    """A PRP list begins where PRP 2 points, and may continue on another page.

    1. Read data into pages in random order, with PRP 1 at an offset, and a list at offsets 8 to 4088.
    2. Write from such pages too. Compare the data and the bytes around them.
    """
    pages = min(drive.most_lbas * drive.lba_size, 16 * PAGE) // PAGE
    if pages < 3:
        pytest.skip("needs transfers of three pages (MDTS)")
    cq = RawCq(drive, QID, 64)
    sq = RawSq(cq)
    nlb = (pages - 1) * PAGE // drive.lba_size
    base = writer.region(nlb)
    memory, lists = nvme.Buffer((pages + 2) * PAGE), nvme.Buffer(2 * PAGE)
    for turn, at in enumerate((0, 8, 16, 2048, 4088 - 8 * 3, 4080, 4088)):
        offset = drive.random.choice((0, 4, 512, 2052, 4092))
        order = drive.random.sample(range(pages + 2), pages)
        prps = [memory.phys_addr + page * PAGE for page in order]
        fill_list(lists, at, prps[1 : pages if offset else pages - 1], lists.phys_addr + PAGE)
        memory[:] = b"\xc3" * len(memory)
        if turn % 2:
            change = model.begin(Kind.DATA, (base, nlb))
            scatter(memory, order, offset, model.content.range(base, nlb, change.generation))
            command = sq.put(IoOpcode.WRITE, turn, base, nlb, prps[0] + offset, lists.phys_addr + at)
            change.command = command
            sq.ring()
            drive.succeed(cq.take(1)[0], PRP)
            model.end(change, True)
            read_back(drive, model, range(base, base + nlb))
        else:
            command = sq.put(IoOpcode.READ, turn, base, nlb, prps[0] + offset, lists.phys_addr + at)
            sq.ring()
            drive.succeed(cq.take(1)[0], PRP)
            data = gather(memory, order, offset, nlb * drive.lba_size)
            judge(drive, model, base, data, command)
            scatter(memory, order, offset, b"\xc3" * len(data))
            drive.check(set(memory[:]) == {0xC3}, GUARD_CLAUSE, "only these bytes", "others have changed too")
    cq.delete()


def fill_list(lists: nvme.Buffer, at: int, entries: list[int], second: int) -> None:
    """Put PRP entries at an offset of the first page. What does not fit goes to the second one."""
    room = (PAGE - at) // 8
    if len(entries) > room:
        here, there = entries[: room - 1], entries[room - 1 :]
        here = [*here, second]
    else:
        here, there = entries, []
    lists[at : at + 8 * len(here)] = b"".join(entry.to_bytes(8, "little") for entry in here)
    lists[PAGE : PAGE + 8 * len(there)] = b"".join(entry.to_bytes(8, "little") for entry in there)


def pieces(order: list[int], offset: int, length: int) -> Iterator[tuple[int, int]]:
    """First byte and length of each piece of data, which begin at an offset of the first page."""
    for page in order:
        if length <= 0:
            return
        size = min(PAGE - offset, length)
        yield page * PAGE + offset, size
        length -= size
        offset = 0


def scatter(memory: nvme.Buffer, order: list[int], offset: int, data: bytes) -> None:
    """Put data into pages in this order."""
    done = 0
    for at, size in pieces(order, offset, len(data)):
        memory[at : at + size] = data[done : done + size]
        done += size


def gather(memory: nvme.Buffer, order: list[int], offset: int, length: int) -> bytes:
    """Take data from pages in this order."""
    return b"".join(memory[at : at + size] for at, size in pieces(order, offset, length))


@requirement("QUEUES-7", CQE_CLAUSE)
@takes(4)
def test_all_queues_at_once(drive: Drive, model: Model, budget: Budget) -> None:
    """Commands in all queues, as many as fit, complete once each, with the right data.

    1. Create as many queue pairs as the drive grants, at most 16, of different depths.
    2. Send random IO to all of them.
    """
    queues = min(16, drive.nvme0.max_qpairs - 1)
    base = drive.random.randrange(drive.nsze - 8192)
    traffic = Traffic(drive, model, [(base, 8000)], queues=queues, depth=drive.random.choice((3, 30, 100)))
    traffic.run(lambda: budget.spent)
    read_back(drive, model, model.known())


@requirement("QUEUES-8", TAIL)
def test_a_wrong_doorbell_does_no_harm(drive: Drive, data: nvme.Buffer) -> None:
    """A doorbell value that is no entry of the queue executes nothing, and leaves other queues alone.

    1. Write a tail beyond the end of a submission queue.
    2. No completion comes, and another queue works.
    """
    cq = RawCq(drive, QID, 16)
    sq = RawSq(cq, entries=8)
    sq.tail = 9
    sq.ring()
    cq.nothing_more(0.05)
    drive.succeed(drive.io(IoOpcode.READ, data), TAIL)
    drive.reset()


@requirement("QUEUES-9", PENDING)
@needs(VECTORS)
def test_a_masked_interrupt_is_pending(drive: Drive, data: nvme.Buffer) -> None:
    """An interrupt while its vector is masked comes after the mask is removed.

    1. Mask the vector, and complete a command. There is no interrupt.
    2. Unmask the vector. The interrupt comes. Without a completion there is none.
    """
    pair = drive.new_qpair(16)
    for _ in range(5):
        pair.msix_clear()
        pair.msix_mask()
        drive.succeed(drive.io(IoOpcode.READ, data, qpair=pair), PENDING)
        drive.check(not pair.msix_isset(), PENDING, "no interrupt while the vector is masked", "one")
        pair.msix_unmask()
        must_interrupt(drive, pair, 1.0, PENDING)
    pair.msix_clear()
    pair.msix_mask()
    pair.msix_unmask()
    drive.check(not pair.msix_isset(), PENDING, "no interrupt without a completion", "one")


@requirement("QUEUES-10", "Base 2.0, 5.4 Create I/O Completion Queue, IEN")
@needs(VECTORS)
def test_each_completion_interrupts(drive: Drive, data: nvme.Buffer) -> None:
    """A queue with interrupts enabled interrupts at each completion, and one without never.

    1. Complete commands one at a time in both.
    """
    clause = "Base 2.0, 5.4 Create I/O Completion Queue, IEN"
    pair = drive.new_qpair(16)
    for _ in range(20):
        pair.msix_clear()
        drive.succeed(drive.io(IoOpcode.READ, data, qpair=pair), clause)
        must_interrupt(drive, pair, 1.0, clause)
    silent = nvme.Qpair(drive.nvme0, 16, ien=False, iv=0)
    silent.msix_clear()
    drive.io(IoOpcode.READ, data, qpair=silent)
    drive.check(not silent.msix_isset(), clause, "no interrupt, since IEN is 0", "one")
    silent.delete()


@requirement("QUEUES-11", COALESCING)
@needs(VECTORS, feature(FeatureId.COALESCING))
def test_the_last_completion_interrupts(drive: Drive, data: nvme.Buffer) -> None:
    """With coalescing, an interrupt comes after the aggregation time, even if the threshold is not reached.

    1. Set the threshold to 256 entries, and the time to 10 ms.
    2. Complete one command. The interrupt comes within a second.
    """
    pair = drive.new_qpair(16)
    with drive.feature_set(FeatureId.COALESCING, 100 << 8 | 255):
        for _ in range(3):
            pair.msix_clear()
            drive.succeed(drive.io(IoOpcode.READ, data, qpair=pair), COALESCING)
            must_interrupt(drive, pair, 2.0, COALESCING)


@requirement("QUEUES-12", VECTOR)
@needs(VECTORS, feature(FeatureId.COALESCING), feature(FeatureId.VECTOR))
def test_a_vector_without_coalescing(drive: Drive, data: nvme.Buffer) -> None:
    """A vector with Coalescing Disable (CD) interrupts at once, whatever the coalescing.

    1. Set coalescing to 256 entries and 25 ms, and CD for the vector of a queue.
    2. Complete commands. Some interrupt within 20 ms, which none would if the drive coalesced them.
    """
    pair = drive.new_qpair(16)
    vector = pair.sqid
    with drive.feature_set(FeatureId.COALESCING, 255 << 8 | 255):
        drive.succeed(drive.set_feature(FeatureId.VECTOR, 1 << 16 | vector), VECTOR)
        quickest, end = 1.0, time.monotonic() + 5
        while quickest > 0.02 and time.monotonic() < end:
            pair.msix_clear()
            start = time.monotonic()
            drive.succeed(drive.io(IoOpcode.READ, data, qpair=pair), VECTOR)
            quickest = min(quickest, must_interrupt(drive, pair, 2.0, VECTOR) - start)
        drive.succeed(drive.set_feature(FeatureId.VECTOR, vector), VECTOR)
        took = f"the quickest of 5 s took {quickest * 1000:.1f} ms"
        drive.check(quickest <= 0.02, VECTOR, "an interrupt at once, since CD is 1", took)


def must_interrupt(drive: Drive, pair: nvme.Qpair, seconds: float, clause: str) -> float:
    """Wait for the interrupt of a queue. Returns when it came, by time.monotonic()."""
    end = time.monotonic() + seconds
    while not pair.msix_isset():
        if time.monotonic() > end:
            raise drive.finding(clause, f"an interrupt of queue {pair.sqid} within {seconds:g} s", "none")
    return time.monotonic()


URGENT, HIGH, MEDIUM, LOW = range(4)
ARBITRATION = "Base 2.0, 3.4.4 Command Arbitration"


@requirement("QUEUES-13", ARBITRATION)
@needs(WEIGHTED)
def test_weighted_round_robin(drive: Drive, data: nvme.Buffer) -> None:
    """With weighted round robin, urgent commands come first, and each other class gets its turn.

    1. Enable the controller with CC.AMS 001b, and create a queue of each class.
    2. Fill all queues while the drive cannot fetch, and let it go.
    3. Urgent commands complete first, and a low one before the last high one.
    """
    drive.delete_qpairs()
    enable_weighted(drive)
    drive.set_feature(FeatureId.ARBITRATION, 7 << 24 | 3 << 16 | 1 << 8 | 3)
    cq = RawCq(drive, 1, 256)
    counts = {LOW: 12, MEDIUM: 24, HIGH: 48, URGENT: 40}
    queues = {level: RawSq(cq, 1 + level, priority=level) for level in counts}
    drive.pcie[4] = drive.pcie[4] & ~4
    for level, count in counts.items():
        for cid in range(count):
            queues[level].put(IoOpcode.READ, cid, prp1=data.phys_addr)
        queues[level].ring()
    drive.pcie[4] = drive.pcie[4] | 4
    if drive.csts.cfs:
        drive.reset()
        pytest.skip("needs a drive that waits for bus mastering (CSTS.CFS)")
    order = [command.qid - 1 for command in cq.take(sum(counts.values()))]
    first = order[: counts[URGENT] + counts[URGENT] // 4].count(URGENT)
    drive.check(
        first >= counts[URGENT] * 3 // 4, ARBITRATION, "most urgent commands first", f"order {order[:60]}"
    )
    last_high = len(order) - 1 - order[::-1].index(HIGH)
    for level in (MEDIUM, LOW):
        drive.check(order.index(level) < last_high, ARBITRATION, f"a turn of class {level}", f"order {order}")
    cq.delete()
    drive.reset()


def enable_weighted(drive: Drive) -> None:
    """Initialise the controller with weighted round robin."""
    drive.note("initialisation with CC.AMS 001b")
    drive.nvme0.init_adminq()
    drive.nvme0[Register.CC] = 4 << 20 | 6 << 16 | 1 << 11 | 1
    end = time.monotonic() + drive.seconds_to_ready + 1
    while not drive.csts.rdy:
        drive.check(time.monotonic() < end, ARBITRATION, "CSTS.RDY is 1", "0")
    drive.nvme0.init_ns()
    drive.nvme0.init_queues(drive.nvme0.setfeatures(7, cdw11=0x000F000F).waitdone())
