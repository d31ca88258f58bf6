# SPDX-License-Identifier: BSD-3-Clause
"""SGLs: lists of any shape, bit buckets, lengths, and what the drive must refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import nvme
import pytest

from pynvme.sgl import BitBucket, DataBlock, Descriptor, LastSegment, Segment, Sgl
from pynvme.spec import AdminOpcode, IoOpcode, SglType, Status
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import ROOM
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Kind, Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import judge
from pynvme.suite.writing import Writer, must_be_right, whole

SUPPORTED = Need("SGLs (SGLS bits 1:0)", lambda drive: int(drive.id_ctrl.sgls.sgls) in (1, 2))
BUCKETS = Need("bit bucket descriptors (SGLS bit 16)", lambda drive: bool(drive.id_ctrl.sgls.sbbds))

pytestmark = needs(ROOM, SUPPORTED)

LISTS = "Base 2.0, 4.1.2 Scatter Gather List"
FIELD = "Base 2.0, 5.17.2.1 Identify Controller, SGLS"
BUCKET = f"{LISTS}, SGL Bit Bucket descriptor"
SEGMENTS = f"{LISTS}, SGL Segment and SGL Last Segment descriptors"
TYPES = f"{LISTS}, SGL Descriptor Type and Sub Type"
STATUSES = "Base 2.0, 3.3.3.2.1 Status Field, Generic Command Status"

PAGE = 4096
GUARD = b"\xa5"
ADDRESS, OFFSET, TRANSPORT = 0, 1, 0xA
"""Sub types: what the address field is."""


SHOWN = 6
"""How many descriptors of a segment a finding shows."""


def shown(sgl: Sgl | Descriptor) -> str:
    """A list with what its segments hold, for people."""
    one = sgl.first if isinstance(sgl, Sgl) else sgl
    inside = list(one) if isinstance(one, Segment) else []
    texts = [shown(each) for each in inside[:SHOWN]] + (["…"] if len(inside) > SHOWN else [])
    return f"{one!r}" + (f" of {', '.join(texts)}" if texts else "")


class Lists:
    """Sends commands whose data a list of the test's own describes."""

    def __init__(self, drive: Drive, model: Model, writer: Writer) -> None:
        self.drive = drive
        self.model = model
        self.writer = writer
        self.size = drive.lba_size
        self.unit = 4 if int(drive.id_ctrl.sgls.sgls) == 2 else 1
        """What addresses and lengths of data blocks are multiples of."""
        self.memory = nvme.Buffer(1 << 18)
        """The data of the lists, at any places."""

    def send(
        self, opcode: int, sgl: Sgl | Descriptor, slba: int = 0, nlb: int = 1, data: bytes = b""
    ) -> Command:
        """Send a command, and wait. Any status is the caller's to judge. data are what its list describes."""
        drive, dwords = self.drive, (slba & 0xFFFFFFFF, slba >> 32, nlb - 1, 0, 0, 0)
        drive.note(f"the data of the next command are described by {shown(sgl)}")
        command = Command(drive.qpair.sqid, opcode, drive.nsid, dwords)
        drive.history.add(command)
        meta = self.metadata(opcode, data, nlb)
        drive.ns.send_cmd(
            opcode, drive.qpair, None, drive.nsid, *dwords, cb=command.completed, sgl=sgl, meta=meta
        )
        command.cid = drive.qpair.latest_cid
        drive.reap(drive.qpair)
        drive.must_end(command)
        return command

    def metadata(self, opcode: int, data: bytes, nlb: int) -> nvme.Buffer | Sgl | None:
        """Metadata that do not follow the data, at MPTR or, if the drive can, described by an SGL there."""
        whole = nvme.Buffer(max(len(data), nlb * self.size))
        whole[: len(data)] = data
        meta = self.drive.metadata(opcode, whole, self.drive.nsid, nlb - 1)
        if meta is None or not self.drive.id_ctrl.sgls.mptrss or self.drive.random.randrange(2):
            return meta
        cut = self.unit * self.drive.random.randint(1, max(1, len(meta) // self.unit - 1))
        self.drive.note(f"the metadata of the next command are described by an SGL, cut at byte {cut}")
        return Sgl(DataBlock(meta, 0, cut), DataBlock(meta, cut, len(meta) - cut))

    def cuts(self, length: int, pieces: int) -> list[int]:
        """Lengths of pieces that are this long together, of random sizes."""
        dice, most = self.drive.random, length // self.unit
        marks = sorted(dice.sample(range(1, most), min(pieces, most) - 1)) if most > 1 else []
        bounds = [0, *(mark * self.unit for mark in marks), length]
        return [after - before for before, after in zip(bounds, bounds[1:])]

    def blocks(self, lengths: Iterable[int]) -> list[DataBlock]:
        """Data blocks of these lengths, in memory that is not contiguous, and not in order."""
        dice, found, at = self.drive.random, [], 0
        for length in lengths:
            at += self.unit * dice.randint(0, 9)
            found.append(DataBlock(self.memory, at, length))
            at += length + self.unit
        places = [block.address for block in found]
        if len({block.length for block in found}) == 1:
            dice.shuffle(places)
        for block, place in zip(found, places):
            block.address = place
        return found

    def gathered(self, blocks: Sequence[Descriptor]) -> bytes:
        """The bytes of memory that data blocks describe, in their order."""
        base = self.memory.phys_addr
        places = ((one.address - base, one.length) for one in blocks if one.type == SglType.DATA_BLOCK)
        return b"".join(self.memory[at : at + length] for at, length in places)

    def scatter(self, blocks: Sequence[Descriptor], data: bytes) -> None:
        """Put data where data blocks are, in their order."""
        for one in blocks:
            if one.type == SglType.DATA_BLOCK:
                at = one.address - self.memory.phys_addr
                self.memory[at : at + one.length] = data[: one.length]
                data = data[one.length :]

    def clear(self) -> None:
        """Fill the memory with bytes that no LBA holds."""
        self.memory[:] = GUARD * len(self.memory)

    def read(self, slba: int, nlb: int, blocks: Sequence[Descriptor], sgl: Sgl | Descriptor) -> None:
        """Read LBAs by a list whose data blocks are these, and judge the data and the bytes around them."""
        self.clear()
        command = self.send(IoOpcode.READ, sgl, slba, nlb)
        self.drive.succeed(command, LISTS)
        judge(self.drive, self.model, slba, self.gathered(blocks), command)
        self.nothing_else(blocks)

    def nothing_else(self, blocks: Sequence[Descriptor]) -> None:
        """Raise a finding if bytes of memory that no data block describes have changed."""
        described = sum(one.length for one in blocks if one.type == SglType.DATA_BLOCK)
        self.scatter(blocks, GUARD * described)
        self.drive.check(
            self.memory[:] == GUARD * len(self.memory),
            LISTS,
            "a read changes the bytes that its list describes, and no others",
            "others have changed",
        )

    def write(self, slba: int, nlb: int, blocks: Sequence[Descriptor], sgl: Sgl | Descriptor) -> None:
        """Write LBAs by a list whose data blocks are these, and read them by PRPs."""
        change = self.model.begin(Kind.DATA, (slba, nlb))
        data = self.model.data(change)
        self.scatter(blocks, data)
        change.command = self.send(IoOpcode.WRITE, sgl, slba, nlb, data)
        self.model.end(change, change.command.ok)
        self.drive.succeed(change.command, LISTS)
        self.writer.read(slba, nlb)

    def both(self, slba: int, nlb: int, blocks: Sequence[Descriptor], sgl: Sgl | Descriptor) -> None:
        """Write LBAs by a list, and read them by the same list."""
        self.write(slba, nlb, blocks, sgl)
        self.read(slba, nlb, blocks, sgl)

    def refused(self, sgl: Sgl | Descriptor, slba: int, clause: str, *statuses: int, nlb: int = 1) -> None:
        """Read and write by a list that the drive must refuse, and see that nothing is written."""
        self.clear()
        for opcode in (IoOpcode.READ, IoOpcode.WRITE):
            self.drive.expect(self.send(opcode, sgl, slba, nlb), clause, *statuses)
        self.writer.read(slba, nlb)


@pytest.fixture
def lists(drive: Drive, model: Model, writer: Writer) -> Lists:
    """Give what the tests of this area share."""
    return Lists(drive, model, writer)


def lengths_of(lists: Lists, most: int) -> Iterator[tuple[int, int]]:
    """Numbers of LBAs, each with a number of pieces."""
    dice = lists.drive.random
    for nlb in (1, 2, 8, min(32, most)):
        for pieces in (1, 2, 3, dice.randint(4, 40)):
            yield min(nlb, most), pieces


@requirement("SGL-1", FIELD)
def test_the_field_of_sgls(drive: Drive) -> None:
    """SGLS describes what a PCIe drive can have.

    1. Read SGLS. No drive of PCIe has keyed or transport data blocks.
    """
    sgls = drive.id_ctrl.sgls
    drive.check(int(sgls) & 0xFFC000F8 == 0, FIELD, "reserved bits are 0", f"{int(sgls):#x}")
    for name, what in (("kdbds", "keyed"), ("tsglds", "transport")):
        drive.check(
            not sgls[name], FIELD, f"no {what} data blocks, which PCIe does not have", f"{int(sgls):#x}"
        )


@requirement("SGL-2", LISTS)
@takes(0.5)
def test_lists_of_any_shape(drive: Drive, writer: Writer, lists: Lists, budget: Budget) -> None:
    """A list describes data in pieces of any size, at any places in memory.

    1. Write LBAs by lists of random pieces, and read them by PRPs and by other lists.
    2. Compare the bytes between the pieces.
    """
    most = min(drive.most_lbas, 64)
    base = writer.region(most)
    for _ in budget.turns(least=2):
        for nlb, pieces in lengths_of(lists, most):
            blocks = lists.blocks(lists.cuts(nlb * lists.size, pieces))
            lists.both(base, nlb, blocks, Sgl(*blocks))


@requirement("SGL-3", SEGMENTS)
@takes(0.5)
def test_segments_lead_to_segments(drive: Drive, writer: Writer, lists: Lists, budget: Budget) -> None:
    """A list may be a chain of segments of any number of descriptors.

    1. Write and read LBAs by chains of segments of 2, 3, 5 and 17 descriptors.
    """
    base = writer.region(16)
    for _ in budget.turns(least=1):
        for per_segment in (2, 3, 5, 17):
            blocks = lists.blocks(lists.cuts(8 * lists.size, drive.random.randint(6, 40)))
            lists.both(base, 8, blocks, Sgl(*blocks, per_segment=per_segment))


@requirement("SGL-4", SEGMENTS)
def test_segments_cross_pages(drive: Drive, writer: Writer, lists: Lists) -> None:
    """A segment is contiguous, and may cross pages of memory.

    1. Write and read LBAs by a segment of more descriptors than a page holds.
    2. The same with segments that begin near the end of a page.
    """
    base, nlb = writer.region(16), max(1, PAGE // lists.size)
    blocks = lists.blocks([lists.unit * 4] * (nlb * lists.size // (lists.unit * 4)))[: PAGE // 16 + 44]
    rest = nlb * lists.size - sum(block.length for block in blocks)
    if rest:
        blocks.append(DataBlock(lists.memory, 1 << 17, rest))
    lists.both(base, nlb, blocks, Sgl(*blocks))
    for before_end in (16, 24, 40):
        blocks = lists.blocks(lists.cuts(lists.size, 6))
        segment = nvme.Buffer(2 * PAGE, "SGL segment")
        at = PAGE - before_end
        segment[at : at + 96] = b"".join(bytes(block) for block in blocks)
        last = Descriptor(SglType.LAST_SEGMENT, segment, 96)
        last.address += at
        lists.both(base, 1, blocks, last)


@requirement("SGL-5", LISTS)
def test_data_blocks_without_data(drive: Drive, writer: Writer, lists: Lists) -> None:
    """A data block of length 0 is valid, and describes nothing.

    1. Write and read LBAs by lists that begin with such descriptors, and have some in between.
    """
    base = writer.region(8)
    for places in ((0,), (1,), (0, 1, 2, 3), (2, 5)):
        blocks: list[Descriptor] = [*lists.blocks(lists.cuts(2 * lists.size, 6))]
        for place in places:
            blocks.insert(place, DataBlock(lists.memory, drive.random.randrange(9) * lists.unit, 0))
        lists.both(base, 2, blocks, Sgl(*blocks))
        lists.both(base, 2, blocks, Sgl(*blocks, per_segment=3))


@requirement("SGL-6", BUCKET)
@needs(BUCKETS)
@takes(0.2)
def test_bit_buckets_of_reads(
    drive: Drive, model: Model, writer: Writer, lists: Lists, budget: Budget
) -> None:
    """A bit bucket takes bytes of a read, which the drive transfers nowhere.

    1. Read LBAs by lists of data blocks and bit buckets in turn, and by a bit bucket alone.
    2. Compare the data with the parts of the LBAs.
    """
    base, nlb = writer.region(8), 4
    expected = model.certain(base, nlb) or b""
    for _ in budget.turns(least=4):
        lengths = lists.cuts(nlb * lists.size, drive.random.randint(2, 12))
        first = drive.random.randrange(2)
        blocks = iter(lists.blocks(length for i, length in enumerate(lengths) if i % 2 == first))
        whole_list = [next(blocks) if i % 2 == first else BitBucket(one) for i, one in enumerate(lengths)]
        wanted, at = b"", 0
        for one in whole_list:
            wanted += expected[at : at + one.length] if one.type == SglType.DATA_BLOCK else b""
            at += one.length
        lists.clear()
        drive.succeed(lists.send(IoOpcode.READ, Sgl(*whole_list), base, nlb), BUCKET)
        drive.check(
            lists.gathered(whole_list) == wanted,
            BUCKET,
            f"the parts of the data by {whole_list}",
            "other data",
        )
        lists.nothing_else(whole_list)
    drive.succeed(lists.send(IoOpcode.READ, BitBucket(nlb * lists.size), base, nlb), BUCKET)


@requirement("SGL-7", BUCKET)
@needs(BUCKETS)
def test_bit_buckets_of_writes(drive: Drive, writer: Writer, lists: Lists) -> None:
    """In a write, a bit bucket describes nothing.

    1. Write LBAs by lists with bit buckets in between, and read them.
    """
    base = writer.region(8)
    for places in ((0,), (1, 3), (2, 3, 4)):
        blocks: list[Descriptor] = [*lists.blocks(lists.cuts(2 * lists.size, 5))]
        for place in places:
            blocks.insert(place, BitBucket(drive.random.randint(1, 4 * lists.size)))
        lists.write(base, 2, blocks, Sgl(*blocks))


@requirement("SGL-8", f"{STATUSES}, Data SGL Length Invalid")
def test_lists_that_are_too_short(drive: Drive, writer: Writer, lists: Lists) -> None:
    """A list that describes less than the command transfers is refused.

    1. Read and write by lists of several pieces, which lack an LBA, or as little as the alignment allows.
    2. Read the LBAs: nothing was written.
    """
    base, clause = writer.region(8), f"{STATUSES}, Data SGL Length Invalid"
    for missing in (lists.unit, lists.size, 2 * lists.size - lists.unit):
        for pieces in (1, 4):
            blocks = lists.blocks(lists.cuts(2 * lists.size - missing, pieces))
            lists.refused(Sgl(*blocks), base, clause, Status.INVALID_SGL_LENGTH, nlb=2)
    lists.refused(DataBlock(lists.memory, 0, 0), base, clause, Status.INVALID_SGL_LENGTH)


@requirement("SGL-9", f"{FIELD}, SGL Length Larger than Amount of Data")
def test_lists_that_are_too_long(drive: Drive, writer: Writer, lists: Lists) -> None:
    """If SGLS.SGLLS is set, a list may describe more than the command transfers, and else it is refused.

    1. Read and write by lists with one more piece.
    """
    base, clause = writer.region(8), f"{FIELD}, SGL Length Larger than Amount of Data"
    for pieces in (1, 2, 5):
        blocks = lists.blocks([*lists.cuts(2 * lists.size, pieces), 4 * lists.unit])
        if drive.id_ctrl.sgls.sglls:
            lists.write(base, 2, blocks, Sgl(*blocks))
            lists.read(base, 2, blocks[:-1], Sgl(*blocks))
        else:
            lists.refused(Sgl(*blocks), base, clause, Status.INVALID_SGL_LENGTH, nlb=2)


@requirement("SGL-10", TYPES)
def test_types_that_the_drive_lacks(drive: Drive, writer: Writer, lists: Lists) -> None:
    """Descriptors of types that the drive does not support are refused.

    1. Read and write by a descriptor of each such type, in the command and in a segment.
    2. Read the LBAs: nothing was written.
    """
    base, size = writer.region(8), lists.size
    known = {SglType.DATA_BLOCK, SglType.SEGMENT, SglType.LAST_SEGMENT}
    if drive.id_ctrl.sgls.sbbds:
        known.add(SglType.BIT_BUCKET)
    for number in sorted(set(range(0xF)) - known):
        wrong = Descriptor(number, lists.memory, size)
        lists.refused(wrong, base, TYPES, Status.INVALID_SGL_TYPE)
        block = DataBlock(lists.memory, 2 * size, size)
        lists.refused(Sgl(block, wrong), base, TYPES, Status.INVALID_SGL_TYPE, nlb=2)


@requirement("SGL-11", TYPES)
def test_sub_types_that_the_drive_lacks(drive: Drive, writer: Writer, lists: Lists) -> None:
    """A data block whose address is an offset, or of the transport, is refused by a drive without these.

    1. Read and write by data blocks of each sub type that is reserved or not supported.
    """
    base = writer.region(8)
    for number in (OFFSET, 2, TRANSPORT, 0xF):
        if number == OFFSET and drive.id_ctrl.sgls.sgloff:
            continue
        wrong = Descriptor(SglType.DATA_BLOCK, lists.memory, lists.size, subtype=number)
        lists.refused(wrong, base, TYPES, Status.INVALID_SGL_TYPE)


@requirement("SGL-12", SEGMENTS)
def test_segments_of_a_wrong_length(drive: Drive, writer: Writer, lists: Lists) -> None:
    """The length of a segment is a multiple of 16 above 0.

    1. Read and write by segments with other lengths.
    """
    base = writer.region(8)
    block = DataBlock(lists.memory, 0, lists.size)
    for length in (0, 1, 8, 15, 17, 24):
        lists.refused(LastSegment(block, length=length), base, SEGMENTS, Status.INVALID_SGL_SEGMENT)
    lists.refused(Segment(LastSegment(block, length=24)), base, SEGMENTS, Status.INVALID_SGL_SEGMENT)


@requirement("SGL-13", SEGMENTS)
def test_segment_descriptors_in_wrong_places(drive: Drive, writer: Writer, lists: Lists) -> None:
    """The last segment leads to no other one, and only the last descriptor of a segment leads on.

    1. Read and write by a last segment that ends with a segment descriptor, of both types.
    2. The same with a segment descriptor before the last one of a segment.
    """
    base, size = writer.region(8), lists.size
    whole_lba, half = DataBlock(lists.memory, 0, size), DataBlock(lists.memory, 0, size // 2)
    rest = DataBlock(lists.memory, size, size // 2)
    wrong = (Status.INVALID_SGL_SEGMENT, Status.INVALID_SGL_COUNT)
    for kind in (Segment, LastSegment):
        inner = kind(whole_lba) if kind is LastSegment else Segment(LastSegment(whole_lba))
        lists.refused(LastSegment(inner), base, SEGMENTS, *wrong)
        lists.refused(LastSegment(half, LastSegment(rest)), base, SEGMENTS, *wrong)
        middle = kind(half) if kind is LastSegment else Segment(LastSegment(half))
        lists.refused(Segment(middle, LastSegment(rest)), base, SEGMENTS, *wrong)


@requirement("SGL-14", f"{STATUSES}, SGL Data Block Granularity Invalid")
def test_alignment_of_data_blocks(drive: Drive, writer: Writer, lists: Lists) -> None:
    """By SGLS, data blocks have any alignment, or that of dwords.

    1. Read and write by data blocks at odd addresses, and of odd lengths.
    """
    base, size, clause = writer.region(8), lists.size, f"{STATUSES}, SGL Data Block Granularity Invalid"
    odd = [DataBlock(lists.memory, shift, size) for shift in (1, 2, 3)]
    pieces = [
        [DataBlock(lists.memory, 0, cut), DataBlock(lists.memory, 8192, size - cut)] for cut in (1, 2, 5)
    ]
    for blocks in ([one] for one in odd):
        if lists.unit == 1:
            lists.both(base, 1, blocks, blocks[0])
        else:
            lists.refused(blocks[0], base, clause, Status.SGL_GRANULARITY_INVALID)
    for several in pieces:
        if lists.unit == 1:
            lists.both(base, 1, several, Sgl(*several))
        else:
            lists.refused(Sgl(*several), base, clause, Status.SGL_GRANULARITY_INVALID)


@requirement("SGL-15", "Base 2.0, 3.3.3.1 Submission Queue Entry, PSDT")
def test_commands_that_must_use_prps(drive: Drive, lists: Lists) -> None:
    """Admin commands have no SGLs, and an SGL for metadata needs SGLS.MPTRSS.

    1. Send Identify and Get Log Page with PSDT 01b and 10b. They fail with Invalid Field.
    2. The same with reads and PSDT 10b, if the drive does not support it, and 11b.
    """
    clause, buf = "Base 2.0, 3.3.3.1 Submission Queue Entry, PSDT", nvme.Buffer(PAGE)
    for psdt in (1, 2, 3):
        for opcode, cdw10 in ((AdminOpcode.IDENTIFY, 1), (AdminOpcode.GET_LOG_PAGE, 127 << 16 | 2)):
            command = drive.admin(opcode | psdt << 14, buf, cdw10=cdw10)
            drive.expect(command, clause, Status.INVALID_FIELD)
    for psdt in (2, 3):
        if psdt == 2 and drive.id_ctrl.sgls.mptrss:
            continue
        drive.expect(drive.io(IoOpcode.READ | psdt << 14, buf), clause, Status.INVALID_FIELD)


@requirement("SGL-16", LISTS)
def test_other_commands_with_lists(drive: Drive, model: Model, writer: Writer, lists: Lists) -> None:
    """All commands that transfer data take a list.

    1. Compare LBAs by a list, with the right data and with one wrong byte.
    2. Deallocate LBAs by a list in pieces. Read them, and those beside them.
    """
    base = writer.region(16)
    if drive.ns.supports(IoOpcode.COMPARE):
        blocks = lists.blocks(lists.cuts(2 * lists.size, 5))
        right = model.certain(base, 2) or b""
        lists.scatter(blocks, right)
        clause = clauses.of_io(IoOpcode.COMPARE)
        drive.succeed(lists.send(IoOpcode.COMPARE, Sgl(*blocks), base, 2, right), clause)
        lists.scatter(blocks, model.content.spoil(drive.random, right))
        command = lists.send(IoOpcode.COMPARE, Sgl(*blocks), base, 2, right)
        drive.expect(command, clause, Status.COMPARE_FAILURE)
    if drive.ns.supports(IoOpcode.DSM):
        ranges = nvme.Buffer(32)
        ranges.set_dsm_range(0, base + 4, 2)
        ranges.set_dsm_range(1, base + 9, 3)
        blocks = lists.blocks([8, 4, 20])
        lists.scatter(blocks, ranges[:])
        change = model.begin(Kind.DEALLOCATED, (base + 4, 2), (base + 9, 3))
        change.command = lists.send(IoOpcode.DSM, Sgl(*blocks), 1 | 4 << 32)
        model.end(change, change.command.ok)
        drive.succeed(change.command, clauses.of_io(IoOpcode.DSM))
        writer.read(base, 16)


@requirement("SGL-17", LISTS)
def test_the_largest_transfer_by_a_list(drive: Drive, writer: Writer, lists: Lists) -> None:
    """The largest transfer that MDTS allows may be a list of many pieces.

    1. Write and read it by a single data block, and by pieces of one LBA.
    """
    nlb = min(drive.most_lbas, (len(lists.memory) >> 1) // lists.size)
    base = writer.region(nlb)
    block = DataBlock(lists.memory, 0, nlb * lists.size)
    lists.both(base, nlb, [block], block)
    blocks = lists.blocks([lists.size] * nlb)
    lists.both(base, nlb, blocks, Sgl(*blocks, per_segment=100))


@requirement("SGL-18", LISTS)
def test_a_load_of_lists_and_prps(drive: Drive, model: Model) -> None:
    """A drive takes commands with SGLs and with PRPs in one queue.

    1. Let workers write and read a region, half of their commands with SGLs, which verify what they read.
    """
    length = 2048
    base = drive.random.randrange(drive.nsze - length)
    for percentage in (0, 100):
        drive.note(f"a worker, half of its commands with SGLs, {percentage} % reads")
        worker = drive.ns.ioworker(
            io_size=min(16, drive.most_lbas),
            lba_random=False,
            read_percentage=percentage,
            sgl_percentage=50,
            qdepth=16,
            region_start=base,
            region_end=base + length,
        )
        must_be_right(drive, worker.start().close())
    must_be_right(drive, whole(drive, base, length, 100).start().close())
    model.forget(range(base, base + length))
