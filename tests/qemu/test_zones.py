# SPDX-License-Identifier: BSD-3-Clause
"""A zoned namespace: its zones, what may be written where, and what verification makes of it (ZNS 1.1)."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

import nvme as d
import pytest

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = "zoned"
LBA = 4096
APPEND = 0x7D
CLOSE, FINISH, OPEN, RESET = 1, 2, 3, 4
EMPTY, IMPLICITLY_OPEN, EXPLICITLY_OPEN, CLOSED, FULL = 1, 2, 3, 4, 14
INVALID_WRITE, BOUNDARY, IS_FULL = "01/bc", "01/b8", "01/b9"


class Zone(NamedTuple):
    """What the drive reports of a zone (ZNS 3.4.2.2.1): 64 bytes."""

    kind: int
    state: int
    capacity: int
    start: int
    pointer: int


@pytest.fixture
def size(nvme0n1, qpair):
    """LBAs of a zone (Identify, CNS 05h, CSI 02h: LBAFE0.ZSZE); all zones are empty."""
    nvme0n1.zns_mgmt_send(qpair, None, action=RESET, all=True).waitdone()
    return nvme0n1.id_data(2823, 2816, cns=5, csi=2)


def report(nvme0n1, qpair, slba=0, state=0):
    buf = d.Buffer(4096)
    nvme0n1.zns_mgmt_receive(qpair, buf, slba, extended=False, state=state).waitdone()
    zones = []
    for at in range(64, 64 + 64 * min(int(buf.data(7, 0)), 63), 64):
        kind, state, capacity, start, pointer = struct.unpack("<BB6xQQQ", bytes(buf[at : at + 32]))
        zones.append(Zone(kind & 15, state >> 4, capacity, start, pointer))
    return zones


def append(nvme0n1, qpair, buf, zone, count=1):
    """Append to a zone: the LBA that the drive has chosen."""
    chosen = []
    nvme0n1.send_cmd(
        APPEND,
        qpair,
        buf,
        cdw10=zone,
        cdw12=count - 1,
        cb=lambda cpl: chosen.append(cpl[0] | cpl[1] << 32),
    ).waitdone()
    return chosen[0]


def judged(nvme0n1, action):
    """Do something: how many LBAs were compared meanwhile."""
    before = nvme0n1.verify_stats().judged
    action()
    return nvme0n1.verify_stats().judged - before


def test_the_report_has_each_zone(nvme0n1, qpair, size):
    zones = report(nvme0n1, qpair)
    nsze = nvme0n1.id_data(7, 0)
    assert size == 4096
    assert [zone.start for zone in zones] == list(range(0, nsze, size))
    assert {(zone.kind, zone.state, zone.capacity) for zone in zones} == {(2, EMPTY, size)}
    assert [zone.start for zone in report(nvme0n1, qpair, slba=5 * size)] == list(range(5 * size, nsze, size))


def test_a_zone_opens_closes_fills_and_is_reset(nvme0n1, qpair, size):
    def state():
        return report(nvme0n1, qpair, slba=size)[0].state

    buf = d.Buffer(LBA)
    nvme0n1.write(qpair, buf, size).waitdone()
    assert state() == IMPLICITLY_OPEN
    for action, after in ((CLOSE, CLOSED), (OPEN, EXPLICITLY_OPEN), (FINISH, FULL)):
        nvme0n1.zns_mgmt_send(qpair, None, size, action).waitdone()
        assert state() == after
    assert [zone.start for zone in report(nvme0n1, qpair, state=5)] == [size]
    with pytest.warns(UserWarning, match=IS_FULL):
        nvme0n1.write(qpair, buf, size + 1).waitdone()
    nvme0n1.zns_mgmt_send(qpair, None, size, RESET).waitdone()
    assert report(nvme0n1, qpair, slba=size)[0] == Zone(2, EMPTY, size, size, size)


def test_only_at_its_pointer_a_zone_is_written(nvme0n1, qpair, size):
    buf = d.Buffer(2 * LBA)
    nvme0n1.write(qpair, buf, 0, 2).waitdone()
    for lba in (0, 1, 3):
        with pytest.warns(UserWarning, match=INVALID_WRITE):
            nvme0n1.write(qpair, buf, lba).waitdone()
    nvme0n1.write(qpair, buf, 2).waitdone()


def test_no_write_goes_past_the_end_of_its_zone(nvme0n1, qpair, size):
    nvme0n1.write_zeroes(qpair, 0, size - 1).waitdone()
    with pytest.warns(UserWarning, match=BOUNDARY):
        nvme0n1.write(qpair, d.Buffer(2 * LBA), size - 1, 2).waitdone()
    nvme0n1.write(qpair, d.Buffer(LBA), size - 1).waitdone()
    assert report(nvme0n1, qpair)[0].state == FULL


def test_what_is_appended_is_verified_where_the_drive_has_put_it(nvme0n1, qpair, size):
    assert nvme0n1.verify_enable(True)
    written = [bytes(os.urandom(3 * LBA)) for _ in range(4)]
    lbas = []
    for data in written:
        buf = d.Buffer(3 * LBA)
        buf[:] = data
        lbas.append(append(nvme0n1, qpair, buf, 2 * size, 3))
    assert lbas == [2 * size + 3 * index for index in range(4)]
    back = d.Buffer(3 * LBA)
    for lba, data in zip(lbas, written):
        assert judged(nvme0n1, lambda lba=lba: nvme0n1.read(qpair, back, lba, 3).waitdone()) == 3
        assert bytes(back[:]) == data


def test_appends_in_flight_together_get_lbas_of_their_own(nvme0n1, qpair, size):
    chosen = {}
    buffers = [d.Buffer(LBA, ptype=0xBEEF, pvalue=100) for _ in range(16)]
    for index, buf in enumerate(buffers):
        nvme0n1.send_cmd(
            APPEND,
            qpair,
            buf,
            cdw10=size,
            cb=lambda cpl, index=index: chosen.__setitem__(index, cpl[0]),
        )
    qpair.waitdone(16)
    assert sorted(chosen.values()) == list(range(size, size + 16))
    back = d.Buffer(LBA)
    for index, buf in enumerate(buffers):
        assert judged(nvme0n1, lambda lba=chosen[index]: nvme0n1.read(qpair, back, lba).waitdone()) == 1
        assert bytes(back[:]) == bytes(buf[:])


def test_a_reset_forgets_its_zone_and_no_other(nvme0n1, qpair, size):
    buf, back = d.Buffer(LBA), d.Buffer(LBA)
    for zone in (0, 1, 2):
        nvme0n1.write(qpair, buf, zone * size).waitdone()
    nvme0n1.zns_mgmt_send(qpair, None, size, RESET).waitdone()
    for zone, count in ((0, 1), (1, 0), (2, 1)):
        assert judged(nvme0n1, lambda z=zone: nvme0n1.read(qpair, back, z * size).waitdone()) == count
    assert append(nvme0n1, qpair, d.Buffer(LBA, ptype=0xBEEF, pvalue=100), size) == size
    assert judged(nvme0n1, lambda: nvme0n1.read(qpair, back, size).waitdone()) == 1


def test_a_verified_worker_writes_a_zone_in_order_and_reads_it_at_random(nvme0n1, qpair, size):
    assert nvme0n1.verify_enable(True)
    first = 3 * size
    wrote = nvme0n1.ioworker(
        io_size=8,
        lba_random=False,
        read_percentage=0,
        qdepth=2,
        region_start=first,
        region_end=first + 1024,
        io_count=128,
    )
    result = wrote.start().close()
    assert (result.error, result.io_count_nonread) == (0, 128)
    assert report(nvme0n1, qpair, slba=first)[0].pointer == first + 1024
    result = (
        nvme0n1.ioworker(
            io_size=4, lba_align=4, region_start=first, region_end=first + 1024, io_count=500, qdepth=16
        )
        .start()
        .close()
    )
    assert (result.error, result.lba_mismatch) == (0, 0)
    assert result.lba_verified == 2000


def test_a_worker_keeps_to_the_pointers(nvme0n1, qpair, size):
    """zonemode="zbd": it writes, appends, reads and resets zones, and what it reads is judged."""
    result = (
        nvme0n1.ioworker(
            zonemode="zbd",
            io_size=8,
            qdepth=8,
            region_start=4 * size,
            region_end=8 * size,
            read_percentage=30,
            zone_append=50,
            io_count=3000,
        )
        .start()
        .close()
    )
    assert (result.error, result.lba_mismatch) == (0, 0)
    assert result.io_count_append > 0 and result.lba_verified > 0
    pointers = [zone.pointer - zone.start for zone in report(nvme0n1, qpair, slba=4 * size)[:4]]
    assert sum(pointers) >= 8 * result.io_count_nonread or result.zone_resets


def test_zones_by_name(nvme0n1, qpair, size):
    """The objects of nvme0n1.zones: each method is one command, and the object has the state after it."""
    zone = nvme0n1.zones(qpair)[9]
    assert (zone.slba, zone.state, zone.capacity) == (9 * size, EMPTY, size)
    assert zone.open().state == EXPLICITLY_OPEN
    buf = d.Buffer(2 * LBA, ptype=0xBEEF, pvalue=100)
    assert [zone.append(buf, 2) for _ in range(2)] == [9 * size, 9 * size + 2]
    assert zone.refresh().wp == 9 * size + 4
    assert zone.close().state == CLOSED
    assert zone.finish().state == FULL
    back = d.Buffer(2 * LBA)
    assert judged(nvme0n1, lambda: nvme0n1.read(qpair, back, 9 * size + 2, 2).waitdone()) == 2
    assert bytes(back[:]) == bytes(buf[:])
    assert (zone.reset().state, zone.wp) == (EMPTY, 9 * size)
