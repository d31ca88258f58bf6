# SPDX-License-Identifier: BSD-3-Clause
"""Where writes go: the reclaim units of Flexible Data Placement, its statistics and events, and streams."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import nvme
import pytest

from pynvme.spec import AdminOpcode, FdpEventType, FeatureId, IoOpcode, LogId, Status
from pynvme.suite import needs, requirement
from pynvme.suite.claims import ROOM, SWITCHED_POWER, admin
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.traffic import read_back
from pynvme.suite.writing import Writer

FDP = "Base 2.1, 8.1.10 Flexible Data Placement"
STATUS = "Base 2.1, 7.3.1.1 Reclaim Unit Handle Status"
UPDATE = "Base 2.1, 7.4.1.1 Reclaim Unit Handle Update"
STATISTICS = "Base 2.1, 5.1.12.1.30 FDP Statistics"
EVENTS = "Base 2.1, 5.1.12.1.31 FDP Events"
STREAMS = "Base 2.1, 8.1.8.3 Streams"
DATA_PLACEMENT, STREAM = 2, 1
"""DTYPE."""
PARAMETERS, OPEN = 1, 2
"""Operations of Directive Receive for streams."""
RELEASE, RELEASE_ALL = 1, 2
"""Operations of Directive Send for streams."""
IDENTIFY = 0


def places(drive: Drive) -> bool:
    """Whether Flexible Data Placement is enabled for the first namespace."""
    if not drive.id_ctrl.ctratt.fdps:
        return False
    return bool(drive.get_feature(FeatureId.FDP, cdw11=int(drive.ns.id_ns.endgid)).cdw0 & 1)


def has_streams(drive: Drive) -> bool:
    """Whether the Identify directive lists streams."""
    buf = nvme.Buffer(4096)
    done = drive.admin(AdminOpcode.DIRECTIVE_RECEIVE, buf, drive.nsid, cdw10=1023, cdw11=IDENTIFY << 8 | 1)
    return done.ok and bool(buf[0] >> STREAM & 1)


PLACES = Need("Flexible Data Placement, enabled (CTRATT bit 19, feature 1Dh)", places)
HAS_STREAMS = Need(
    "the Streams directive (Directive Receive, bit 1 of the supported directives)", has_streams
)

pytestmark = needs(ROOM)


def bytes_of_lba(drive: Drive) -> int:
    """Bytes of an LBA with its metadata, as HBMW counts them."""
    return int(drive.ns.lba_size) + int(drive.ns.metadata_size)


class Handle(NamedTuple):
    """What I/O Management Receive says of a placement identifier."""

    ruhid: int
    left: int
    """LBAs that its reclaim unit has left."""


class Placer:
    """Writes with placement identifiers, and reads what the drive says of them."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.group = int(drive.ns.id_ns.endgid)
        self.first = drive.random.randrange(drive.nsze // 2)

    def write(self, nlb: int, pid: int | None, at: int = 0) -> Command:
        """Write LBAs of one place. Any status is the caller's to judge."""
        buf = nvme.Buffer(nlb * self.drive.lba_size)
        dtype, dspec = (0, 0) if pid is None else (DATA_PLACEMENT, pid)
        return self.drive.io(IoOpcode.WRITE, buf, self.first + at, nlb, flags=dtype << 4, cdw13=dspec << 16)

    def handles(self) -> dict[int, Handle]:
        """The placement identifiers of the namespace."""
        buf = nvme.Buffer(16 + 32 * 256)
        done = self.drive.run(IoOpcode.MANAGEMENT_RECEIVE, buf, cdw10=1, cdw11=len(buf) // 4 - 1)
        self.drive.succeed(done, STATUS)
        (count,) = struct.unpack_from("<H", buf[14:16])
        found = {}
        for at in range(16, 16 + 32 * min(count, 256), 32):
            pid, ruhid, _, left = struct.unpack("<HHIQ", buf[at : at + 16])
            found[pid] = Handle(ruhid, left)
        return found

    def update(self, *pids: int) -> Command:
        """Let these identifiers use new reclaim units."""
        buf = nvme.Buffer(max(4, 2 * len(pids)))
        buf[: 2 * len(pids)] = struct.pack(f"<{len(pids)}H", *pids)
        return self.drive.run(IoOpcode.MANAGEMENT_SEND, buf, cdw10=(len(pids) - 1) << 16 | 1)

    def log(self, lid: int, size: int, lsp: int = 0) -> bytes:
        """A log page of the endurance group."""
        buf = nvme.Buffer(size)
        cdw10 = (size // 4 - 1) << 16 | lsp << 8 | lid
        done = self.drive.admin(AdminOpcode.GET_LOG_PAGE, buf, cdw10=cdw10, cdw11=self.group << 16)
        self.drive.succeed(done, FDP)
        return bytes(buf[:])

    def statistics(self) -> tuple[int, int, int]:
        """HBMW, MBMW and MBE, in bytes."""
        data = self.log(LogId.FDP_STATISTICS, 64)
        host, media, erased = (int.from_bytes(data[at : at + 16], "little") for at in (0, 16, 32))
        return host, media, erased

    def events(self) -> list[bytes]:
        """The events that the host has caused."""
        data = self.log(LogId.FDP_EVENTS, 4096, lsp=1)
        (count,) = struct.unpack_from("<I", data)
        return [data[64 * i : 64 * i + 64] for i in range(1, min(count, 63) + 1)]

    def enable(self, kind: int, on: bool = True) -> Command:
        """Enable an event type for the first placement handle."""
        buf = nvme.Buffer(4)
        buf[0] = kind
        return self.drive.set_feature(
            FeatureId.FDP_EVENTS, 1 << 16, nsid=self.drive.nsid, buf=buf, cdw12=int(on)
        )


@pytest.fixture
def placer(drive: Drive, model: Model) -> Iterator[Placer]:
    """Give what the tests share. The LBAs that it writes are unknown to the model until then."""
    placer = Placer(drive)
    yield placer
    Writer(drive, model).write(placer.first, 256)


@requirement("PLACEMENT-1", STATUS)
@needs(PLACES)
def test_identifiers_configuration_and_usage_agree(drive: Drive, placer: Placer) -> None:
    """Reclaim units of a namespace have the size of the configuration, and their handles are in use.

    1. Read the configuration in use, the usage of the handles, and the status of all placement identifiers.
    """
    value = drive.get_feature(FeatureId.FDP, cdw11=placer.group).cdw0
    data = placer.log(LogId.FDP_CONFIGURATIONS, 4096)
    (count,) = struct.unpack_from("<H", data)
    index, at = value >> 8 & 0xFF, 16
    drive.check(index <= count, FDP, f"a configuration from 0 to {count} in use", index)
    for _ in range(index):
        at += struct.unpack_from("<H", data, at)[0]
    groups, handles, _, _, unit = struct.unpack_from("<IHHIQ", data, at + 4)
    drive.check(bool(data[at + 2] & 0x80), FDP, "a valid configuration in use (FDPA bit 7)", data[at + 2])
    usage = placer.log(LogId.FDP_RUH_USAGE, 8 + 8 * (handles or 1))
    found = placer.handles()
    drive.check(
        bool(found) and len(found) % groups == 0, STATUS, f"identifiers for {groups} groups", len(found)
    )
    for pid, (ruhid, left) in found.items():
        drive.check(ruhid < handles, STATUS, f"identifier {pid:#x}: a handle below {handles}", ruhid)
        drive.check(usage[8 + 8 * ruhid] != 0, FDP, f"handle {ruhid} is in use", usage[8 + 8 * ruhid])
        whole = unit // drive.lba_size
        drive.check(left <= whole, STATUS, f"identifier {pid:#x}: at most {whole} LBAs left", left)


@requirement("PLACEMENT-2", STATUS)
@needs(PLACES)
def test_a_write_uses_its_own_reclaim_unit(drive: Drive, placer: Placer) -> None:
    """A write with a placement identifier uses the reclaim unit of that identifier, and no other one.

    1. Update all identifiers, so that their reclaim units are empty.
    2. Write 8 LBAs to each, one after the other, and read the status each time.
    """
    drive.succeed(placer.update(*placer.handles()), UPDATE)
    before = placer.handles()
    nlb = min(8, drive.most_lbas)
    for pid in before:
        drive.succeed(placer.write(nlb, pid), FDP)
        after = placer.handles()
        same = {one for one in before if (before[one].ruhid, one >> 15) == (before[pid].ruhid, pid >> 15)}
        seen = before[pid].left - after[pid].left
        drive.check(seen == nlb, STATUS, f"identifier {pid:#x}: {nlb} LBAs fewer are left", seen)
        others = {one: after[one].left for one in before if one not in same}
        wanted = {one: before[one].left for one in others}
        drive.check(others == wanted, STATUS, f"the others have what they had, {wanted}", others)
        before = after


@requirement("PLACEMENT-3", UPDATE)
@needs(PLACES)
def test_an_update_takes_an_empty_reclaim_unit(drive: Drive, placer: Placer) -> None:
    """An update moves an identifier to an empty reclaim unit, and reports that the old one was not full.

    1. Enable the event Reclaim Unit Not Fully Written.
    2. Write to the first identifier, update it, and read the status and the events.
    3. Update an identifier that is invalid.
    """
    drive.succeed(placer.enable(FdpEventType.RU_NOT_FULLY_WRITTEN), EVENTS)
    pid = min(placer.handles())
    drive.succeed(placer.update(pid), UPDATE)
    whole = placer.handles()[pid].left
    drive.succeed(placer.write(min(8, drive.most_lbas), pid), FDP)
    before = len(placer.events())
    drive.succeed(placer.update(pid), UPDATE)
    left = placer.handles()[pid].left
    drive.check(left == whole, UPDATE, f"{whole} LBAs are left in the new reclaim unit", left)
    events = placer.events()
    drive.check(
        bool(events) and (len(events) > before or before == 63), EVENTS, "one event more", len(events)
    )
    kind, flags, found = struct.unpack_from("<BBH", events[-1])
    wanted = f"an event of type 0 with identifier {pid:#x}"
    seen = f"type {kind:#x}, flags {flags:#x}, identifier {found:#x}"
    drive.check(
        kind == FdpEventType.RU_NOT_FULLY_WRITTEN and bool(flags & 1) and found == pid, EVENTS, wanted, seen
    )
    drive.expect(placer.update(0xFFFF), UPDATE, Status.INVALID_FIELD)
    placer.enable(FdpEventType.RU_NOT_FULLY_WRITTEN, False)


@requirement("PLACEMENT-4", FDP)
@needs(PLACES)
def test_a_write_with_an_invalid_identifier_succeeds(drive: Drive, placer: Placer) -> None:
    """A write with an invalid placement identifier succeeds, and an event reports the identifier.

    1. Enable the event Invalid Placement Identifier.
    2. Write with an identifier that the namespace does not have, and read the events.
    """
    drive.succeed(placer.enable(FdpEventType.INVALID_PID), EVENTS)
    known = placer.handles()
    pid = next(one for one in range(0xFFFF, 0, -1) if one not in known)
    before = len(placer.events())
    drive.succeed(placer.write(1, pid), FDP)
    events = placer.events()
    drive.check(
        bool(events) and (len(events) > before or before == 63), EVENTS, "one event more", len(events)
    )
    kind, _, found = struct.unpack_from("<BBH", events[-1])
    seen = f"type {kind:#x}, identifier {found:#x}"
    wanted = f"an event of type 3 with identifier {pid:#x}"
    drive.check(kind == FdpEventType.INVALID_PID and found == pid, EVENTS, wanted, seen)
    placer.enable(FdpEventType.INVALID_PID, False)


@requirement("PLACEMENT-5", STATISTICS)
@needs(PLACES)
def test_statistics_count_what_is_written(drive: Drive, placer: Placer) -> None:
    """The statistics count each byte that the host writes, and the media write no less.

    1. Write LBAs, with and without an identifier, and read the statistics before and after.
    """
    pid = max(placer.handles())
    nlb = min(8, drive.most_lbas)
    before = placer.statistics()
    for turn in range(16):
        drive.succeed(placer.write(nlb, pid if turn % 2 else None, at=nlb * turn), FDP)
    after = placer.statistics()
    wanted, seen = 16 * nlb * bytes_of_lba(drive), after[0] - before[0]
    drive.check(seen == wanted, STATISTICS, f"HBMW grows by {wanted}", seen)
    drive.check(
        after[1] >= before[1] and after[2] >= before[2], STATISTICS, "MBMW and MBE never shrink", after
    )


@requirement("PLACEMENT-6", STATISTICS)
@needs(PLACES, SWITCHED_POWER)
def test_statistics_and_reclaim_units_survive_a_loss_of_power(
    drive: Drive, model: Model, placer: Placer
) -> None:
    """Statistics do not go back, and identifiers keep their handles, when the power is lost.

    1. Write, flush, and read the statistics and the status.
    2. Cut the power, and read them again.
    """
    start, nlb = placer.statistics()[0], min(8, drive.most_lbas)
    drive.succeed(placer.write(nlb, min(placer.handles())), FDP)
    drive.succeed(drive.flush(), FDP)
    before, handles = placer.statistics(), placer.handles()
    wrote = nlb * bytes_of_lba(drive)
    drive.check(before[0] - start == wrote, STATISTICS, f"HBMW grows by {wrote}", before[0] - start)
    drive.power_off()
    model.power_lost()
    drive.power_on()
    after = placer.statistics()
    drive.check(all(a >= b for a, b in zip(after, before)), STATISTICS, f"at least {before}", after)
    again = {pid: one.ruhid for pid, one in placer.handles().items()}
    wanted = {pid: one.ruhid for pid, one in handles.items()}
    drive.check(again == wanted, STATUS, f"the handles {wanted}", again)


@requirement("PLACEMENT-7", FDP)
@needs(PLACES)
def test_placed_data_are_read_back(drive: Drive, model: Model, writer: Writer, placer: Placer) -> None:
    """Data that were written with any placement identifier are the data that a read returns.

    1. Write LBAs without an identifier, and overwrite some of them with each identifier.
    2. Read all of them.
    """
    base = writer.region(256)
    size = drive.lba_size
    for index, pid in enumerate(placer.handles()):
        lba = base + drive.random.randrange(250)
        data = drive.random.randbytes(size)
        buf = nvme.Buffer(size)
        buf[:] = data
        done = drive.io(IoOpcode.WRITE, buf, lba, 1, flags=DATA_PLACEMENT << 4, cdw13=pid << 16)
        drive.succeed(done, FDP)
        back = nvme.Buffer(size)
        drive.succeed(drive.io(IoOpcode.READ, back, lba, 1), FDP)
        drive.check(bytes(back[:]) == data, FDP, f"the data of write {index} at LBA {lba:#x}", "other data")
        writer.write(lba, 1)
    read_back(drive, model, range(base, base + 256))


class Streamer:
    """Sends directives, and writes to streams."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.first = drive.random.randrange(drive.nsze // 2)

    def send(self, doper: int, dtype: int = STREAM, dspec: int = 0, value: int = 0) -> Command:
        """Directive Send."""
        word = dspec << 16 | dtype << 8 | doper
        return self.drive.admin(
            AdminOpcode.DIRECTIVE_SEND, nvme.Buffer(4096), self.drive.nsid, cdw11=word, cdw12=value
        )

    def receive(self, doper: int, size: int, value: int = 0) -> bytes:
        """Directive Receive of the Streams directive, which must succeed."""
        buf = nvme.Buffer(size)
        done = self.drive.admin(
            AdminOpcode.DIRECTIVE_RECEIVE,
            buf,
            self.drive.nsid,
            cdw10=size // 4 - 1,
            cdw11=STREAM << 8 | doper,
            cdw12=value,
        )
        self.drive.succeed(done, STREAMS)
        return bytes(buf[:])

    def enable(self, on: bool = True) -> Command:
        """Enable or disable the directive."""
        return self.send(1, IDENTIFY, value=STREAM << 8 | on)

    def open(self) -> set[int]:
        """The open streams of the namespace."""
        data = self.receive(OPEN, 1024)
        count = min(struct.unpack_from("<H", data)[0], 511)
        return set(struct.unpack_from(f"<{count}H", data, 2))

    def write(self, sid: int) -> Command:
        """Write to a stream."""
        buf = nvme.Buffer(self.drive.lba_size)
        return self.drive.io(IoOpcode.WRITE, buf, self.first, 1, flags=STREAM << 4, cdw13=sid << 16)


@pytest.fixture
def streamer(drive: Drive, model: Model) -> Iterator[Streamer]:
    """Give a drive whose Streams directive is enabled until the end of the test."""
    streamer = Streamer(drive)
    drive.succeed(streamer.enable(), STREAMS)
    yield streamer
    streamer.enable(False)
    Writer(drive, model).write(streamer.first, 1)


@requirement("PLACEMENT-8", STREAMS)
@needs(admin(AdminOpcode.DIRECTIVE_RECEIVE), HAS_STREAMS)
def test_a_stream_is_open_from_a_write_to_its_release(drive: Drive, streamer: Streamer) -> None:
    """A write opens its stream, a release closes it and no other one, and releasing the resources closes all.

    1. Write to three streams, and read which are open.
    2. Release one, and read again.
    3. Release the resources, and read again.
    """
    msl = struct.unpack_from("<H", streamer.receive(PARAMETERS, 32))[0]
    drive.check(msl > 0, STREAMS, "MSL above 0", msl)
    sids = set(drive.random.sample(range(1, 0x10000), min(3, msl)))
    for sid in sids:
        drive.succeed(streamer.write(sid), STREAMS)
    drive.check(streamer.open() == sids, STREAMS, f"the streams {sids} are open", streamer.open())
    number = struct.unpack_from("<H", streamer.receive(PARAMETERS, 32), 24)[0]
    drive.check(number == len(sids), STREAMS, f"NSO {len(sids)}", number)
    released = sids.pop()
    drive.succeed(streamer.send(RELEASE, dspec=released), STREAMS)
    drive.check(streamer.open() == sids, STREAMS, f"the streams {sids} are open", streamer.open())
    drive.succeed(streamer.send(RELEASE_ALL), STREAMS)
    drive.check(streamer.open() == set(), STREAMS, "no stream is open", streamer.open())


@requirement("PLACEMENT-9", "Base 2.1, 8.1.8 Directives")
@needs(admin(AdminOpcode.DIRECTIVE_RECEIVE), HAS_STREAMS)
def test_a_directive_that_is_disabled_is_refused(drive: Drive, streamer: Streamer) -> None:
    """A write to a stream fails while the directive is disabled, and after a reset, which disables it.

    1. Disable the directive, and write to a stream.
    2. Enable it, reset the controller, and write to a stream.
    """
    clause = "Base 2.1, 8.1.8 Directives"
    drive.succeed(streamer.write(1), clause)
    drive.succeed(streamer.enable(False), clause)
    drive.expect(streamer.write(1), clause, Status.INVALID_FIELD)
    drive.succeed(streamer.enable(), clause)
    drive.reset()
    drive.expect(streamer.write(1), clause, Status.INVALID_FIELD)
