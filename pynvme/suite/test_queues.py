# SPDX-License-Identifier: BSD-3-Clause
"""Queues, doorbells, physical region pages and interrupts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import nvme
import pytest

from pynvme.spec import AdminOpcode, Cap, Cns, FeatureId, IoOpcode, Register, Status
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import ENTRIES, ROOM, VECTORS, WEIGHTED, admin, feature, queues
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.history import Command
from pynvme.suite.model import Kind, Model
from pynvme.suite.options import Budget
from pynvme.suite.rawqueue import CQE_CLAUSE, Memory, RawAdmin, RawCq, RawSq
from pynvme.suite.traffic import GUARD_CLAUSE, PAGE, Traffic, judge, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(ROOM, ENTRIES, queues(2))

PHASE = "Base 2.0, 4.2.4 Completion Queue Entry, Phase Tag"
FULL = "Base 2.0, 3.3.1.5 Full Queue"
TAIL = "Base 2.0, 3.3.1.1 Queue Setup & Initialization and 3.3.1.2 Queue Usage"
PRP = "Base 2.0, 4.1.1 Physical Region Page Entry and List"
PENDING = "PCIe 5.0, 7.7.2 MSI-X Capability and Table Structure, Pending Bits"
COALESCING = "Base 2.0, 5.27.1.6 Interrupt Coalescing"
VECTOR = "Base 2.0, 5.27.1.7 Interrupt Vector Configuration"
QID = 2
INTERRUPT_S = 3
"""Seconds from a command to its interrupt, of which most are the time of the command."""
"""A queue identifier for raw queues. Single commands use queue 1, which opens first."""

SIZES = ((2, 2), (3, 2), (5, 3), (4, 5), (7, 16), (64, 1000), (1000, 64), (0, 0))
"""Entries of submission and completion queues. 0 is a random number."""


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
    2. Send commands one by one and in bursts, until both queues have wrapped twice, or more often if small.
    3. Each command completes once, with its SQID and CID, and no entry is posted beyond.
    """
    most = (drive.nvme0.cap & 0xFFFF) + 1
    sq_entries = sq_entries or drive.random.randint(2, 300)
    cq_entries = cq_entries or drive.random.randint(2, 300)
    cq = RawCq(drive, QID, min(cq_entries, most))
    sq = RawSq(cq, entries=min(sq_entries, most))
    total, sent = max(2 * max(sq.entries, cq.entries), 30) + 3, 0
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
    sqs = [RawSq(cq, QID + index, entries=4 + 5 * index) for index in range(max(1, count))]
    for turn in range(15):
        sent = 0
        for queue in sqs:
            for index in range(drive.random.randint(1, 3)):
                queue.put(IoOpcode.READ, turn * 4 + index, prp1=data.phys_addr)
                sent += 1
        for queue in drive.random.sample(sqs, len(sqs)):
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


def pieces(order: list[int], offset: int, length: int, page: int) -> Iterator[tuple[int, int]]:
    """First byte and length of each piece of data, which begin at an offset of the first page."""
    for index in order:
        if length <= 0:
            return
        size = min(page - offset, length)
        yield index * page + offset, size
        length -= size
        offset = 0


def scatter(
    memory: nvme.Buffer | Memory, order: list[int], offset: int, data: bytes, page: int = PAGE
) -> None:
    """Put data into pages in this order."""
    done = 0
    for at, size in pieces(order, offset, len(data), page):
        memory[at : at + size] = data[done : done + size]
        done += size


def gather(
    memory: nvme.Buffer | Memory, order: list[int], offset: int, length: int, page: int = PAGE
) -> bytes:
    """Take data from pages in this order."""
    return b"".join(memory[at : at + size] for at, size in pieces(order, offset, length, page))


@requirement("QUEUES-7", CQE_CLAUSE)
@takes(2)
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
@pytest.mark.parametrize("ring", ["tail", "head"])
def test_a_wrong_doorbell_does_no_harm(drive: Drive, data: nvme.Buffer, ring: str) -> None:
    """A doorbell value that is no entry of the queue executes nothing, and leaves other queues alone.

    1. Write a tail or a head beyond the end of a queue, with several values.
    2. No completion comes, and another queue works. One event comes, of an invalid doorbell value.
    """
    events: list[int] = []
    drive.nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    entries = drive.random.randint(4, 40)
    for value in (entries, entries + 1, drive.random.randrange(entries, 0xFFFF), 0xFFFF):
        cq = RawCq(drive, QID, 16 if ring == "tail" else entries)
        sq = RawSq(cq, entries=entries)
        for cid in range(3):
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
            sq.ring()
            drive.succeed(cq.take(1)[0], TAIL)
        if ring == "tail":
            sq.tail = value
            sq.ring()
        else:
            cq.write_doorbell(value)
        cq.nothing_more(0.02)
        drive.succeed(drive.io(IoOpcode.READ, data), TAIL)
        must_report(drive, events, INVALID_VALUE, f"of {ring} {value:#x} in a queue of {entries} entries")
        drive.reset()
        assert drive.qpair.sqid == 1
    drive.nvme0.register_aer_cb(None)


INVALID_REGISTER, INVALID_VALUE = 0x010000, 0x010100
"""Dword 0 of the events of doorbells: log page 01h, information, and type 0."""


def must_report(drive: Drive, events: list[int], event: int, why: str) -> None:
    """Raise a finding unless there is one event of a doorbell, and no other one."""
    drive.poll(lambda: bool(events), 2.0)
    drive.poll(lambda: False, 0.002)
    drive.check(events == [event], DOORBELLS, f"one event {event:#x} {why}", [hex(one) for one in events])
    events.clear()


DOORBELLS = "Base 2.0, 5.2 Asynchronous Event Request, Error Status"


@requirement("QUEUES-25", DOORBELLS)
def test_doorbells_of_queues_that_do_not_exist(drive: Drive, data: nvme.Buffer) -> None:
    """A doorbell of a queue that does not exist does nothing. It may be an event.

    1. Write random values to doorbells of queues that were granted and not created.
    2. Queues that exist work. An event, if there is one, is of an invalid doorbell register, and comes once.
       PCIe Transport 1.0, 3.1.2.1, does not define the result. Read the error log to enable the next event.
    """
    events: list[int] = []
    drive.nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    stride = 4 << (drive.nvme0.cap >> 32 & 0xF)
    log = nvme.Buffer(64)
    drive.log_page(1, log, 64)
    for _ in range(4):
        qid, is_cq = drive.random.randint(QID, drive.nvme0.max_qpairs), drive.random.getrandbits(1)
        drive.nvme0[Register.DOORBELLS + (2 * qid + is_cq) * stride] = drive.random.randint(1, 0xFFFF)
        drive.succeed(drive.io(IoOpcode.READ, data), DOORBELLS)
        drive.poll(lambda: bool(events), 0.02)
        drive.poll(lambda: False, 0.002)
        if events:
            must_report(
                drive, events, INVALID_REGISTER, f"at most, of a doorbell of queue {qid}, without one"
            )
        drive.succeed(drive.log_page(1, log, 64), DOORBELLS)
    drive.nvme0.register_aer_cb(None)


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
        command = drive.send(pair, IoOpcode.READ, data)
        time.sleep(0.005)
        drive.check(not pair.msix_isset(), PENDING, "no interrupt while the vector is masked", "one")
        pair.msix_unmask()
        must_interrupt(drive, pair, PENDING)
        must_succeed(drive, pair, command, PENDING)
    pair.msix_clear()
    pair.msix_mask()
    pair.msix_unmask()
    drive.check(not pair.msix_isset(), PENDING, "no interrupt without a completion", "one")


@requirement("QUEUES-10", "Base 2.0, 5.4 Create I/O Completion Queue, IEN")
@needs(VECTORS, queues(3))
def test_each_completion_interrupts(drive: Drive, data: nvme.Buffer) -> None:
    """A queue with interrupts enabled interrupts at each completion, and one without never.

    1. Complete commands one at a time in both.
    """
    clause = "Base 2.0, 5.4 Create I/O Completion Queue, IEN"
    pair = drive.new_qpair(16)
    for _ in range(20):
        pair.msix_clear()
        must_interrupt_at_a_read(drive, pair, data, clause)
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
            must_interrupt_at_a_read(drive, pair, data, COALESCING)


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
            quickest = min(quickest, must_interrupt_at_a_read(drive, pair, data, VECTOR) - start)
        drive.succeed(drive.set_feature(FeatureId.VECTOR, vector), VECTOR)
        took = f"the quickest of 5 s took {quickest * 1000:.1f} ms"
        drive.check(quickest <= 0.02, VECTOR, "an interrupt at once, since CD is 1", took)


def must_interrupt(drive: Drive, pair: nvme.Qpair, clause: str) -> float:
    """Wait for the interrupt of a queue. Returns when it came, by time.monotonic()."""
    end = time.monotonic() + INTERRUPT_S
    while not pair.msix_isset():
        if time.monotonic() > end:
            raise drive.finding(clause, f"an interrupt of queue {pair.sqid} within {INTERRUPT_S} s", "none")
    return time.monotonic()


def must_interrupt_at_a_read(drive: Drive, pair: nvme.Qpair, data: nvme.Buffer, clause: str) -> float:
    """Read an LBA, and wait for the interrupt. Returns when it came, by time.monotonic().

    A drive need not interrupt for an entry that the host has acknowledged already, so this waits for the
    interrupt before it takes the completion.
    """
    command = drive.send(pair, IoOpcode.READ, data)
    came = must_interrupt(drive, pair, clause)
    must_succeed(drive, pair, command, clause)
    return came


def must_succeed(drive: Drive, pair: nvme.Qpair | nvme.Controller, command: Command, clause: str) -> None:
    """Wait for a command that was sent, which must succeed."""
    drive.reap(pair)
    drive.must_end(command)
    drive.succeed(command, clause)


URGENT, HIGH, MEDIUM, LOW = range(4)
ARBITRATION = "Base 2.0, 3.4.4 Command Arbitration"


@requirement("QUEUES-13", ARBITRATION)
@needs(WEIGHTED, queues(4))
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


PAGES = "Base 2.0, 3.1.3.5 Controller Configuration, CC.MPS"


@requirement("QUEUES-14", PAGES)
@takes(0.5)
def test_each_size_of_memory_pages(drive: Drive, model: Model, writer: Writer, budget: Budget) -> None:
    """With each memory page size of CAP, PRP entries and lists describe pages of this size.

    1. Enable the controller with each CC.MPS from CAP.MPSMIN to CAP.MPSMAX, in random order.
    2. Identify, and read and write several pages, with PRP 1 at an offset, and a list at an offset.
    """
    cap = Cap(drive.nvme0.cap)
    sizes = list(range(cap.mpsmin, cap.mpsmax + 1))
    sizes = drive.random.sample(sizes, len(sizes))[:6]
    nlb = drive.most_lbas
    base = writer.region(nlb)
    for mps in sizes:
        admin = RawAdmin(drive, mps=mps)
        answer = Memory(2 * admin.page, admin.page)
        first = int(answer.buf.offset)
        for offset in (0, admin.page - 2048):
            answer.buf.offset = first + offset
            command = admin.run(AdminOpcode.IDENTIFY, answer.buf, cdw10=Cns.CTRL)
            drive.succeed(command, PAGES)
            serial = answer[offset + 4 : offset + 24]
            drive.check(any(serial), PAGES, f"Identify Controller with pages of {admin.page} bytes", "zeros")
        drive.succeed(admin.run(AdminOpcode.SET_FEATURES, cdw10=FeatureId.QUEUES, cdw11=0x000F000F), PAGES)
        cq = RawCq(drive, 1, 16, admin=admin.run, page=admin.page)
        sq = RawSq(cq, entries=16)
        for turn in range(4):
            transfer(drive, model, sq, base, nlb, bool(turn % 2))
        cq.delete()
        drive.reset()
        read_back(drive, model, range(base, base + nlb))
        if budget.spent:
            break


def transfer(drive: Drive, model: Model, sq: RawSq, base: int, nlb: int, writes: bool) -> None:
    """Read or write LBAs, with pages in random order, and compare the data."""
    page, length = sq.cq.page, nlb * drive.lba_size
    offset = drive.random.choice((0, 4 * drive.random.randrange(page // 4)))
    count = -(-(offset + length) // page)
    memory = Memory((count + 1) * page, page)
    lists = Memory(page, page)
    order = drive.random.sample(range(count + 1), count)
    prps = [memory.phys_addr + index * page for index in order]
    prp2 = prps[1] if count == 2 else 0
    if count > 2:
        at = 8 * drive.random.randrange(page // 8 - count)
        lists[at : at + 8 * (count - 1)] = b"".join(prp.to_bytes(8, "little") for prp in prps[1:])
        prp2 = lists.phys_addr + at
    memory[:] = b"\xc3" * len(memory)
    expected = model.certain(base, nlb)
    if writes:
        change = model.begin(Kind.DATA, (base, nlb))
        scatter(memory, order, offset, model.content.range(base, nlb, change.generation), page)
        change.command = sq.put(IoOpcode.WRITE, 1, base, nlb, prps[0] + offset, prp2)
        sq.ring()
        drive.succeed(sq.cq.take(1)[0], PAGES)
        model.end(change, True)
        return
    command = sq.put(IoOpcode.READ, 1, base, nlb, prps[0] + offset, prp2)
    sq.ring()
    drive.succeed(sq.cq.take(1)[0], PAGES)
    data = gather(memory, order, offset, length, page)
    drive.check(
        data == expected, PAGES, f"the data of LBA {base:#x}, with pages of {page} bytes", f"{command}"
    )
    scatter(memory, order, offset, b"\xc3" * length, page)
    drive.check(set(memory[:]) == {0xC3}, GUARD_CLAUSE, "only these bytes", "others have changed too")


ADMIN_QUEUES = "Base 2.0, 3.1.3.7 Admin Queue Attributes"


@requirement("QUEUES-15", ADMIN_QUEUES)
def test_admin_queues_of_any_size_wrap(drive: Drive) -> None:
    """Admin queues have the sizes of AQA, wrap, and each entry is right, with all 16 bits of its CID.

    1. Enable the controller with admin queues of random sizes, also 2 entries.
    2. Send commands of several kinds in bursts until both have wrapped several times, with random CIDs.
    """
    buf = nvme.Buffer(PAGE)
    kinds: list[tuple[int, int, dict[str, int]]] = [
        (AdminOpcode.GET_FEATURES, 0, {"cdw10": FeatureId.ARBITRATION}),
        (AdminOpcode.IDENTIFY, buf.phys_addr, {"cdw10": Cns.CTRL}),
        (AdminOpcode.GET_LOG_PAGE, buf.phys_addr, {"cdw10": 127 << 16 | 1 << 15 | 2}),
        (AdminOpcode.ABORT, 0, {"cdw10": 0xFFFF0000}),
    ]
    if drive.can_change(FeatureId.ARBITRATION):
        kinds.append((AdminOpcode.SET_FEATURES, 0, {"cdw10": FeatureId.ARBITRATION, "cdw11": 7}))
    sizes = [(2, 2), *((drive.random.randint(2, 70), drive.random.randint(2, 70)) for _ in range(2))]
    for sq_entries, cq_entries in sizes:
        admin = RawAdmin(drive, sq_entries, cq_entries)
        cids = drive.random.sample(range(0xFFFF), 3 * max(sq_entries, cq_entries) + 5)
        cids = [*(1 << bit for bit in range(16)), *cids]
        while cids:
            burst = min(drive.random.randint(1, 8), sq_entries - 1, cq_entries - 1, len(cids))
            for cid in set(cids[:burst]):
                opcode, prp1, dwords = drive.random.choice(kinds)
                nsid = ALL_NAMESPACES if opcode == AdminOpcode.GET_LOG_PAGE else 0
                admin.put(opcode, cid, nsid, prp1, **dwords)
            admin.sq.ring()
            for command in admin.cq.take(len(set(cids[:burst]))):
                drive.succeed(command, ADMIN_QUEUES)
            cids = cids[burst:]
        admin.cq.nothing_more()
    drive.reset()


VECTORS_CLAUSE = "Base 2.0, 5.4 Create I/O Completion Queue, IV"


@requirement("QUEUES-16", VECTORS_CLAUSE)
@needs(VECTORS, queues(3))
def test_each_queue_has_its_vector(drive: Drive, data: nvme.Buffer) -> None:
    """A completion raises the vector of its queue, and no other one.

    1. Create as many queues as the drive grants, at most 40, with vectors of their numbers, with random other
       ones, and with vectors that queues share.
    2. Complete commands in random queues. Their vectors are raised, and the others are not. A masked one is
       raised once it is not masked any more.
    """
    at = drive.pcie.cap_offset(0x11)
    assert at is not None
    vectors = (drive.pcie.register(at + 2, 2) & 0x7FF) + 1
    count = min(40, drive.nvme0.max_qpairs - 1, vectors - 2)
    if count < 2:
        pytest.skip("needs two queues with vectors of their own (MSI-X table size)")
    others = range(2, vectors)
    for chosen in (
        list(range(2, count + 2)),
        drive.random.sample(others, min(count, len(others))),
        drive.random.choices(others, k=count),
    ):
        pairs = [(nvme.Qpair(drive.nvme0, 8, iv=vector), vector) for vector in chosen]
        for pair, _ in pairs:
            must_interrupt_at_a_read(drive, pair, data, VECTORS_CLAUSE)
        for _ in range(2):
            must_raise_their_vectors(drive, pairs, data)
        for pair, _ in pairs:
            pair.delete()


def must_raise_their_vectors(drive: Drive, pairs: list[tuple[nvme.Qpair, int]], data: nvme.Buffer) -> None:
    """Complete commands in some queues, and look at the vectors of all."""
    (masked, masked_vector), *used = drive.random.sample(pairs, min(len(pairs), 8))
    used = [(pair, vector) for pair, vector in used if vector != masked_vector]
    raised = {vector for _, vector in used}
    for pair, _ in pairs:
        pair.msix_clear()
    masked.msix_mask()
    late = drive.send(masked, IoOpcode.READ, data)
    for pair, _ in used:
        must_interrupt_at_a_read(drive, pair, data, VECTORS_CLAUSE)
    for pair, vector in pairs:
        if vector not in raised:
            silent = not pair.msix_isset()
            drive.check(silent, VECTORS_CLAUSE, f"no interrupt of vector {vector}", "one")
    masked.msix_unmask()
    must_interrupt(drive, masked, VECTORS_CLAUSE)
    must_succeed(drive, masked, late, VECTORS_CLAUSE)


CREATION = "Base 2.0, 5.4 to 5.7 Create and Delete I/O Queues"


class Queues:
    """Queues that are created and deleted at random, with what each command must return."""

    def __init__(self, drive: Drive, data: nvme.Buffer) -> None:
        self.drive = drive
        self.data = data
        self.cqs: dict[int, RawCq] = {}
        self.sqs: dict[int, RawSq] = {}
        self.qids = list(range(QID, min(drive.nvme0.max_qpairs, 12) + 1))
        self.most = min((drive.nvme0.cap & 0xFFFF) + 1, 200)

    def step(self) -> None:
        """Create, delete or use one."""
        qid = self.drive.random.choice(self.qids)
        self.drive.random.choice((self.create_cq, self.create_sq, self.delete_cq, self.delete_sq, self.use))(
            qid
        )

    def create_cq(self, qid: int) -> None:
        """Create a completion queue, or fail to, since it exists."""
        if qid in self.cqs:
            command = self.drive.admin(AdminOpcode.CREATE_CQ, self.data, cdw10=15 << 16 | qid, cdw11=1)
            self.drive.expect(command, CREATION, Status.INVALID_QID)
        else:
            self.cqs[qid] = RawCq(self.drive, qid, self.drive.random.randint(2, self.most))

    def create_sq(self, qid: int) -> None:
        """Create a submission queue of any completion queue, or fail to, since one of them is wrong."""
        cqid = self.drive.random.choice(self.qids)
        cdw11 = cqid << 16 | 1
        if qid in self.sqs or cqid not in self.cqs:
            command = self.drive.admin(AdminOpcode.CREATE_SQ, self.data, cdw10=15 << 16 | qid, cdw11=cdw11)
            self.drive.expect(command, CREATION, Status.INVALID_QID, Status.CQ_INVALID)
        else:
            entries = self.drive.random.randint(2, self.most)
            self.sqs[qid] = RawSq(self.cqs[cqid], qid, entries)

    def delete_cq(self, qid: int) -> None:
        """Delete a completion queue, or fail to, since it does not exist or is in use."""
        cq = self.cqs.get(qid)
        if cq is not None and not cq.queues:
            cq.delete()
            del self.cqs[qid]
            return
        command = self.drive.admin(AdminOpcode.DELETE_CQ, cdw10=qid)
        self.drive.expect(
            command, CREATION, Status.INVALID_QID if cq is None else Status.INVALID_QUEUE_DELETION
        )

    def delete_sq(self, qid: int) -> None:
        """Delete a submission queue, or fail to, since it does not exist."""
        if qid in self.sqs:
            self.sqs.pop(qid).delete()
            return
        command = self.drive.admin(AdminOpcode.DELETE_SQ, cdw10=qid)
        self.drive.expect(command, CREATION, Status.INVALID_QID)

    def use(self, _: int) -> None:
        """Send commands to all queues, and take their completions."""
        for qid, sq in self.sqs.items():
            count = self.drive.random.randint(1, min(sq.entries, sq.cq.entries) - 1)
            for cid in range(count):
                sq.put(IoOpcode.READ, cid << 4 | qid, prp1=self.data.phys_addr)
            sq.ring()
            for command in sq.cq.take(count):
                self.drive.succeed(command, CREATION)

    def close(self) -> None:
        """Delete all of them."""
        for cq in self.cqs.values():
            cq.nothing_more(0)
            cq.delete()


@requirement("QUEUES-17", CREATION)
@needs(queues(3))
@takes(0.5)
def test_queues_are_created_and_deleted_in_any_order(drive: Drive, data: nvme.Buffer, budget: Budget) -> None:
    """A queue can be created if its identifier is free, and deleted if nothing uses it, in any order.

    1. Create and delete queues of random identifiers and sizes, right ones and wrong ones.
    2. Compare each status, and send commands to all queues that exist.
    """
    some = Queues(drive, data)
    for _ in budget.turns(least=25):
        some.step()
    some.use(0)
    some.close()


@requirement("QUEUES-18", "Base 2.0, 5.7 Delete I/O Submission Queue")
@takes(0.5)
def test_a_deleted_queue_posts_nothing(drive: Drive, data: nvme.Buffer, budget: Budget) -> None:
    """Once a submission queue is deleted, none of its commands completes, and none has completed twice.

    1. Fill a submission queue with reads, and delete it after a random moment.
    2. Take the completions. They have success or Aborted due to SQ Deletion, and no other follows.
    3. Use the completion queue for another submission queue with the same identifier.
    """
    clause = "Base 2.0, 5.7 Delete I/O Submission Queue"
    for _ in budget.turns(least=3):
        cq = RawCq(drive, QID, drive.random.choice((256, 64)))
        sq = RawSq(cq, entries=64)
        for cid in range(drive.random.randint(1, 60)):
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
        sq.ring()
        time.sleep(drive.random.random() * 2e-4)
        drive.succeed(drive.admin(AdminOpcode.DELETE_SQ, cdw10=QID), clause)
        ended: list[Command] = []
        while (command := cq.poll()) is not None:
            ended.append(command)
        cq.ring()
        for command in ended:
            drive.expect(command, clause, Status.SUCCESS, Status.ABORTED_SQ_DELETION)
        cq.nothing_more(0.003)
        cq.forget(QID)
        again = RawSq(cq, entries=8)
        for cid in range(9):
            again.put(IoOpcode.READ, cid, prp1=data.phys_addr)
            again.ring()
            drive.succeed(cq.take(1)[0], clause)
        cq.nothing_more(0)
        cq.delete()


NUMBER = "Base 2.0, 5.27.1.5 Number of Queues"


@requirement("QUEUES-19", NUMBER)
def test_the_queues_that_are_granted_can_be_created(drive: Drive, data: nvme.Buffer) -> None:
    """As many queues can be created as Number of Queues grants, each works, and no more can.

    1. After a reset, ask for a random number of queues. Get Features returns what was granted.
    2. Create all of them, at most 64, the last one too. The next identifier is refused. Use each.
    """
    for wanted in (1, drive.random.randint(2, 40), 0xFFFF):
        admin = RawAdmin(drive)
        asked = wanted - 1 << 16 | wanted - 1
        command = admin.run(AdminOpcode.SET_FEATURES, cdw10=FeatureId.QUEUES, cdw11=asked)
        granted = drive.succeed(command, NUMBER).cdw0
        command = admin.run(AdminOpcode.GET_FEATURES, cdw10=FeatureId.QUEUES)
        drive.succeed(command, NUMBER)
        drive.check(command.cdw0 == granted, NUMBER, f"{granted:#x} queues, as granted", f"{command.cdw0:#x}")
        sqs, cqs = (granted & 0xFFFF) + 1, (granted >> 16) + 1
        qids = [qid for qid in range(1, min(sqs, cqs) + 1) if qid <= 63 or qid == min(sqs, cqs)]
        queues = []
        for qid in drive.random.sample(qids, len(qids)):
            queues.append(RawSq(RawCq(drive, qid, 8, admin=admin.run), entries=8))
        for sq in queues:
            sq.put(IoOpcode.READ, sq.qid, prp1=data.phys_addr)
            sq.ring()
        for sq in queues:
            drive.succeed(sq.cq.take(1)[0], NUMBER)
        if cqs < 0xFFFF:
            beyond = cqs + 1
            command = admin.run(AdminOpcode.CREATE_CQ, data, cdw10=15 << 16 | beyond, cdw11=1)
            drive.expect(command, NUMBER, Status.INVALID_QID)
        for sq in queues:
            sq.cq.delete()
        drive.reset()


@requirement("QUEUES-20", ARBITRATION)
@needs(queues(3))
def test_round_robin_serves_each_queue(drive: Drive, data: nvme.Buffer) -> None:
    """With round robin and a burst of one command, no queue waits until another one is empty.

    1. Create several queues, and fill them while the drive cannot fetch.
    2. Let it go. Before any queue has come to its end, each other one has begun.
    """
    count = min(4, drive.nvme0.max_qpairs - 1)
    drive.set_feature(FeatureId.ARBITRATION, 0)
    cq = RawCq(drive, QID, 256)
    queues = [RawSq(cq, QID + index, entries=64) for index in range(count)]
    drive.pcie[4] = drive.pcie[4] & ~4
    for sq in queues:
        for cid in range(60):
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
        sq.ring()
    drive.pcie[4] = drive.pcie[4] | 4
    if drive.csts.cfs:
        drive.reset()
        pytest.skip("needs a drive that waits for bus mastering (CSTS.CFS)")
    order = [command.qid for command in cq.take(60 * count)]
    last = min(len(order) - 1 - order[::-1].index(sq.qid) for sq in queues)
    begun = set(order[:last])
    drive.check(len(begun) == count, ARBITRATION, "a turn of each queue", f"order {order}")
    cq.delete()
    drive.reset()


@requirement("QUEUES-21", TAIL)
@needs(queues(QID + 3))
@takes(0.5)
def test_rings_wrap_many_times(drive: Drive, data: nvme.Buffer, budget: Budget) -> None:
    """Queues of random sizes that share completion queues work for many turns of their rings.

    1. Create two completion queues, and submission queues of both.
    2. Send bursts of random length in random queues, and ring a doorbell once for a burst, or more often.
    """
    most = min((drive.nvme0.cap & 0xFFFF) + 1, 40)
    cqs = [RawCq(drive, QID + index, drive.random.randint(2, most)) for index in range(2)]
    sqs = [RawSq(cqs[index % 2], QID + index, drive.random.randint(2, most)) for index in range(4)]
    cid = 0
    for _ in budget.turns(least=25):
        sq = drive.random.choice(sqs)
        count = drive.random.randint(1, min(sq.entries, sq.cq.entries) - 1)
        each = drive.random.random() < 0.3
        for _ in range(count):
            cid = (cid + 1) % 0xFFFF
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
            if each:
                sq.ring()
        if not each:
            sq.ring()
        for command in sq.cq.take(count):
            drive.succeed(command, TAIL)
    for cq in cqs:
        cq.nothing_more(0.002)
        cq.delete()


@requirement("QUEUES-22", CQE_CLAUSE)
def test_entries_of_commands_that_fail(drive: Drive, data: nvme.Buffer) -> None:
    """The entry of a failed command has its SQID, CID and SQHD, and no fields that the command does not use.

    1. Send reads that fail for several reasons, with right ones between, in random order.
    2. Each has the status of its reason, and the right ones succeed.
    """
    cq = RawCq(drive, QID, 64)
    sq = RawSq(cq, entries=32)
    none = (0, 0, 0, 0, 0, 0)
    beyond = (drive.nsze & 0xFFFFFFFF, drive.nsze >> 32, 0, 0, 0, 0)
    kinds = (
        (IoOpcode.READ, drive.nsid, none, Status.SUCCESS),
        (IoOpcode.FLUSH, drive.nsid, none, Status.SUCCESS),
        (IoOpcode.READ, drive.nsid, beyond, Status.LBA_OUT_OF_RANGE),
        (IoOpcode.READ, int(drive.id_ctrl.nn) + 1, none, Status.INVALID_NAMESPACE),
        (0x3F, drive.nsid, none, Status.INVALID_OPCODE),
        (IoOpcode.READ | 3 << 14, drive.nsid, none, Status.INVALID_FIELD),
    )
    for _ in range(12):
        wanted: dict[int, int] = {}
        for _ in range(drive.random.randint(1, 31)):
            opcode, nsid, dwords, status = drive.random.choice(kinds)
            cid = len(wanted) << 8 | drive.random.getrandbits(8)
            wanted[cid] = status
            sq.put_any(opcode, cid, nsid, dwords, prp1=data.phys_addr)
        sq.ring()
        for command in cq.take(len(wanted)):
            drive.expect(command, CQE_CLAUSE, wanted[command.cid])
    cq.nothing_more()
    cq.delete()


@requirement("QUEUES-23", TAIL)
@takes(0.5)
def test_queues_of_random_sizes(drive: Drive, data: nvme.Buffer, budget: Budget) -> None:
    """Queues of any size execute each entry once, and complete in each entry.

    1. Create queues of random sizes about powers of two, up to 257 entries, with random identifiers.
    2. Fill them as far as they go, until both have wrapped.
    """
    most = (drive.nvme0.cap & 0xFFFF) + 1
    sizes = sorted({min(most, max(2, (1 << bit) + by)) for bit in range(1, 9) for by in (-1, 0, 1)})
    for _ in budget.turns(least=2):
        qid = drive.random.randint(QID, drive.nvme0.max_qpairs)
        cq = RawCq(drive, qid, drive.random.choice(sizes))
        sq = RawSq(cq, entries=drive.random.choice(sizes))
        left, cid = max(sq.entries, cq.entries) + 5, 0
        while left > 0:
            count = min(sq.entries - 1, cq.entries - 1, left)
            for _ in range(count):
                cid = (cid + 1) % 0xFFFF
                sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
            sq.ring()
            for command in cq.take(count):
                drive.succeed(command, TAIL)
            left -= count
        cq.nothing_more(0)
        cq.delete()


@requirement("QUEUES-24", "Base 2.0, 5.4 Create I/O Completion Queue, PC")
def test_queues_in_several_pieces(drive: Drive, data: nvme.Buffer) -> None:
    """If CAP.CQR is 0, a queue may lie in pages that do not follow each other.

    1. Create a completion queue whose pages a PRP list names, and delete it.
    """
    clause = "Base 2.0, 5.4 Create I/O Completion Queue, PC"
    if drive.nvme0.cap >> 16 & 1:
        pytest.skip("needs queues that need not be contiguous (CAP.CQR is 0)")
    pages, memory = nvme.Buffer(PAGE), nvme.Buffer(4 * PAGE)
    for index, page in enumerate((3, 1)):
        pages[8 * index : 8 * index + 8] = (memory.phys_addr + page * PAGE).to_bytes(8, "little")
    command = drive.admin(AdminOpcode.CREATE_CQ, pages, cdw10=511 << 16 | QID, cdw11=0)
    drive.succeed(command, clause)
    drive.succeed(drive.admin(AdminOpcode.DELETE_CQ, cdw10=QID), clause)


@requirement("QUEUES-26", CQE_CLAUSE)
def test_entries_of_commands_of_each_kind(
    drive: Drive, data: nvme.Buffer, model: Model, writer: Writer
) -> None:
    """The entry of each kind of IO command has its SQID, CID and SQHD, and is posted once.

    1. Send commands of all kinds that the drive has to a raw queue, in bursts and in random order.
    2. All succeed. Overwrite the LBAs.
    """
    base, pages = writer.region(64), nvme.Buffer(PAGE)
    model.forget(range(base, base + 64))
    pages.set_dsm_range(0, base + 40, 4)
    for lba in range(base, base + 16):
        drive.succeed(drive.io(IoOpcode.WRITE, data, lba), CQE_CLAUSE)
    cq = RawCq(drive, QID, drive.random.randint(20, 40))
    sq = RawSq(cq, entries=drive.random.randint(20, 40))
    kept = (IoOpcode.READ, IoOpcode.COMPARE, IoOpcode.VERIFY)
    changing = (IoOpcode.WRITE, IoOpcode.WRITE_ZEROES, IoOpcode.WRITE_UNCORRECTABLE)
    kinds = [one for one in (IoOpcode.FLUSH, IoOpcode.DSM, *kept, *changing) if drive.ns.supports(one)]
    read = nvme.Buffer(max(drive.lba_size, PAGE))
    for turn in range(20):
        count = drive.random.randint(1, 16)
        for index in range(count):
            opcode, cid = drive.random.choice(kinds), turn << 8 | index
            lba = base + (drive.random.randrange(16) if opcode in kept else 16 + index)
            dwords = (lba & 0xFFFFFFFF, lba >> 32, 0, 0, 0, 0)
            prp1 = {IoOpcode.READ: read.phys_addr, IoOpcode.DSM: pages.phys_addr}.get(opcode, data.phys_addr)
            if opcode is IoOpcode.DSM:
                dwords = (0, 4, 0, 0, 0, 0)
            elif opcode is IoOpcode.FLUSH:
                dwords = (0, 0, 0, 0, 0, 0)
            sq.put_any(opcode, cid, drive.nsid, dwords, prp1)
        sq.ring()
        for command in cq.take(count):
            drive.succeed(command, CQE_CLAUSE)
        cq.nothing_more(0)
    cq.nothing_more()
    cq.delete()
    writer.write(base, 64)


INTERRUPTS = "PCIe Transport 1.0, 3.5 Interrupts, and Base 2.0, 5.4 Create I/O Completion Queue, IV"


@requirement("QUEUES-27", INTERRUPTS)
@needs(VECTORS, queues(3))
def test_the_admin_queue_interrupts_by_vector_0(drive: Drive) -> None:
    """A completion of the admin queue raises vector 0, also after it was masked, and nothing else does.

    1. Send admin commands one at a time, and look at vector 0 after each, and some time later.
    2. Send IO to a queue with another vector. Vector 0 is not raised.
    """
    first, other = nvme.Qpair(drive.nvme0, 8, iv=0), drive.new_qpair(8)
    buf = nvme.Buffer(max(PAGE, drive.lba_size))
    for turn in range(12):
        first.msix_clear()
        if turn % 4 == 3:
            first.msix_mask()
        command = drive.send_admin(AdminOpcode.GET_FEATURES, cdw10=FeatureId.ARBITRATION)
        if turn % 4 == 3:
            time.sleep(0.005)
            first.msix_unmask()
        must_interrupt(drive, first, INTERRUPTS)
        must_succeed(drive, drive.nvme0, command, INTERRUPTS)
    first.msix_clear()
    for _ in range(4):
        drive.succeed(drive.io(IoOpcode.READ, buf, qpair=other), INTERRUPTS)
    time.sleep(0.01)
    drive.check(not first.msix_isset(), INTERRUPTS, "no interrupt of vector 0", "one")
    first.delete()


@requirement("QUEUES-28", INTERRUPTS)
@needs(VECTORS, queues(6))
def test_no_interrupt_without_a_completion(drive: Drive, model: Model, writer: Writer) -> None:
    """A vector whose queue has no new completion is silent, whatever other queues and the admin queue do.

    1. Complete a command in several queues, and clear their interrupts.
    2. Send IO of all kinds to other queues, and admin commands. None of the first ones is raised.
    """
    data = nvme.Buffer(max(PAGE, drive.lba_size))
    idle = [drive.qpair, *(drive.new_qpair(8) for _ in range(3))]
    base = drive.random.randrange(drive.nsze - 4096)
    traffic = Traffic(drive, model, [(base, 1000)], queues=2)
    for _ in range(3):
        for pair in idle:
            must_interrupt_at_a_read(drive, pair, data, INTERRUPTS)
        for pair in idle:
            pair.msix_clear()
        for _ in range(100):
            traffic.step()
        traffic.drain()
        for _ in range(5):
            drive.succeed(drive.get_feature(FeatureId.ARBITRATION), INTERRUPTS)
        time.sleep(0.005)
        for pair in idle:
            silent = not pair.msix_isset()
            drive.check(
                silent, INTERRUPTS, f"no interrupt of queue {pair.sqid}, which has done nothing", "one"
            )


@requirement("QUEUES-29", "Base 2.0, 3.1.3.1 CAP.MQES")
def test_the_largest_queues(drive: Drive, data: nvme.Buffer) -> None:
    """Queues of as many entries as CAP.MQES says can be created, and work.

    1. Create a completion and a submission queue of that size.
    2. Send bursts of random length, and one as long as the queue if it has 4096 entries or fewer.
    """
    clause = "Base 2.0, 3.1.3.1 CAP.MQES"
    most = (drive.nvme0.cap & 0xFFFF) + 1
    cq = RawCq(drive, QID, most)
    sq = RawSq(cq, entries=most)
    bursts = [drive.random.randint(1, min(300, most - 1)) for _ in range(3)]
    for count in [*bursts, *([most - 1] if most <= 4096 else [])]:
        for cid in range(count):
            sq.put(IoOpcode.READ, cid, prp1=data.phys_addr)
        sq.ring()
        for command in cq.take(count):
            drive.succeed(command, clause)
    cq.nothing_more()
    cq.delete()


SGLS = "Base 2.0, 4.1.2 Scatter Gather List, and 5.17.2.1 Identify Controller, SGLS"


@requirement("QUEUES-30", SGLS)
def test_data_by_an_sgl(drive: Drive, writer: Writer, model: Model) -> None:
    """If SGLS reports SGLs, a data block descriptor in a command names its data.

    1. Read LBAs to several places in memory by such descriptors, and compare the data.
    """
    if not drive.id_ctrl.sgls.sgls:
        pytest.skip("needs SGLs (SGLS bits 1:0)")
    base, memory = writer.region(8), nvme.Buffer(2 * PAGE)
    cq = RawCq(drive, QID, 16)
    sq = RawSq(cq, entries=16)
    for nlb in (1, 2, max(1, PAGE // drive.lba_size)):
        length, at = nlb * drive.lba_size, 4 * drive.random.randrange(8)
        dwords = (base & 0xFFFFFFFF, base >> 32, nlb - 1, 0, 0, 0)
        command = sq.put_any(IoOpcode.READ | 1 << 14, nlb, drive.nsid, dwords, memory.phys_addr + at, length)
        sq.ring()
        drive.succeed(cq.take(1)[0], SGLS)
        judge(drive, model, base, memory[at : at + length], command)
    cq.delete()


SHADOW = "Base 2.1, 5.2.5 Doorbell Buffer Config"


@requirement("QUEUES-31", SHADOW)
@needs(ROOM, queues(3), admin(AdminOpcode.DOORBELL_BUFFER_CONFIG))
def test_doorbells_in_memory_serve_as_those_in_registers(drive: Drive, model: Model) -> None:
    """After Doorbell Buffer Config, commands whose doorbells are in memory complete, with the right data.

    1. Reset the controller, and let it read doorbells from memory. It asks for rings by EventIdx.
    2. Random IO on two queues, which wrap. All commands complete, and all data are right.
    3. Reset the controller. The same with registers.
    """
    base = drive.random.randrange(drive.nsze - 1000)
    drive.reset()
    drive.note("doorbells in memory", "nvme0.enable_shadow_doorbells()")
    try:
        drive.nvme0.enable_shadow_doorbells()
    except NotImplementedError as error:
        if "engine" in str(error):
            pytest.skip(str(error))
        raise drive.finding(SHADOW, "success", str(error)) from None
    random_io(drive, model, base)
    drive.reset()
    random_io(drive, model, base)


def random_io(drive: Drive, model: Model, base: int) -> None:
    """Send random IO to two queues, and read all of it back."""
    traffic = Traffic(drive, model, [(base, 1000)], queues=2, depth=drive.random.choice((3, 20)))
    traffic.run(lambda: traffic.count >= 400)
    read_back(drive, model, model.known())
