# SPDX-License-Identifier: BSD-3-Clause
"""Zones of a virtual SSD: reports as objects, transitions, appends and what verification makes of them."""

import struct

import nvme as d
import pytest

from pynvme.spec import ZoneState
from pynvme.vssd import VirtualSsd

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

OPTIONS = (
    "size=64M,namespaces=2,zoned=1,zone_size=256K,zone_capacity=192K,"
    "zrwas=2,zrwa_size=16K,zrwa_granularity=8K"
)
ZONE, CAPACITY = 512, 384  # LBAs


class Opened:
    """A drive whose second namespace is zoned."""

    def __init__(self):
        self.pcie = d.Pcie(f"vssd:name=zones,{OPTIONS}")
        self.nvme0 = d.Controller(self.pcie)
        self.ns = d.Namespace(self.nvme0, 2)
        self.qpair = d.Qpair(self.nvme0, 64)


@pytest.fixture(scope="module")
def opened():
    found = Opened()
    yield found
    found.pcie.close()


@pytest.fixture
def zones(opened):
    """Its zones, all empty."""
    opened.ns.zns_mgmt_send(opened.qpair, None, action=4, all=True).waitdone()
    return opened.ns.zones(opened.qpair)


def judged(ns, action):
    before = ns.verify_stats()
    action()
    after = ns.verify_stats()
    assert after.mismatch == before.mismatch
    return after.judged - before.judged


def random_buffer(lbas=1):
    return d.Buffer(512 * lbas, ptype=0xBEEF, pvalue=100)


def test_a_report_of_more_zones_than_one_command_can_transfer(opened, zones):
    assert [zone.slba for zone in zones] == [ZONE * i for i in range(256)]
    assert {(zone.state, zone.capacity) for zone in zones} == {(ZoneState.EMPTY, CAPACITY)}
    assert [zone.slba for zone in opened.ns.zones(opened.qpair, 100 * ZONE + 1)] == [
        ZONE * i for i in range(100, 256)
    ]
    zones[7].open()
    assert [zone.slba for zone in opened.ns.zones(opened.qpair, state=3)] == [7 * ZONE]
    assert opened.ns.zones(opened.qpair, state=5) == []


def test_a_zone_opens_closes_fills_and_is_reset(zones):
    zone = zones[3]
    states = [zone.open().state, zone.close().state, zone.finish().state, zone.reset().state]
    assert states == [ZoneState.EXPLICITLY_OPENED, ZoneState.CLOSED, ZoneState.FULL, ZoneState.EMPTY]
    assert zone.append(random_buffer(3), 3) == 3 * ZONE
    assert (zone.refresh().wp, zone.state) == (3 * ZONE + 3, ZoneState.IMPLICITLY_OPENED)
    assert repr(zone) == "<Zone 0x600: IMPLICITLY_OPENED, wp 0x603, 384 LBAs>"


def test_what_the_drive_refuses_is_a_warning(opened, zones):
    with pytest.warns(UserWarning, match="ERROR status: 01/bf"):
        zones[3].close()
    zones[3].finish()
    with pytest.warns(UserWarning, match="ERROR status: 01/b9"):
        assert zones[3].append(random_buffer()) is None
    with pytest.warns(UserWarning, match="ERROR status: 01/bc"):
        opened.ns.write(opened.qpair, random_buffer(), 5 * ZONE + 1).waitdone()


def test_a_namespace_without_zones_has_no_report(opened):
    plain = d.Namespace(opened.nvme0, 1)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="is this namespace zoned"):
        plain.zones(opened.qpair)


def test_appends_in_flight_are_verified_where_the_drive_has_put_them(opened, zones):
    chosen = {}
    buffers = [random_buffer(2) for _ in range(32)]
    for index, buf in enumerate(buffers):
        opened.ns.zone_append(
            opened.qpair, buf, ZONE, 2, cb=lambda cpl, index=index: chosen.__setitem__(index, cpl[0])
        )
    opened.qpair.waitdone(32)
    assert sorted(chosen.values()) == [ZONE + 2 * i for i in range(32)]
    back = d.Buffer(1024)
    for index, buf in enumerate(buffers):
        read = lambda lba=chosen[index]: opened.ns.read(opened.qpair, back, lba, 2).waitdone()  # noqa: E731
        assert judged(opened.ns, read) == 2
        assert bytes(back[:]) == bytes(buf[:])


def test_a_descriptor_extension(opened, zones):
    buf = d.Buffer(64)
    buf[:] = bytes(range(64))
    assert (zones[9].set_extension(buf).state, zones[9].za.zdev) == (ZoneState.CLOSED, 1)
    report = d.Buffer(64 + 128)
    opened.ns.zns_mgmt_receive(opened.qpair, report, 9 * ZONE).waitdone()
    assert bytes(report[128:192]) == bytes(range(64)), "an extended report by default"


def test_a_random_write_area(opened, zones):
    zone = zones[11].open(zrwa=True)
    assert zone.za.zrwav == 1
    for lba in (5, 3, 5):
        opened.ns.write(opened.qpair, random_buffer(), zone.slba + lba).waitdone()
    assert (
        judged(opened.ns, lambda: opened.ns.read(opened.qpair, d.Buffer(512), zone.slba + 5).waitdone()) == 1
    )
    assert zone.flush(zone.slba + 15).wp == zone.slba + 16


def test_a_loss_of_power_is_no_mismatch():
    """What was flushed is judged. The rest may be lost, and the write pointer with it."""
    with VirtualSsd(size="64M", zoned=1, zone_size="256K") as ssd:
        nvme0 = d.Controller(ssd.address)
        ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 16)
        zone = ns.zones(qpair)[1]
        zone.append(random_buffer(8), 8)
        ns.flush(qpair).waitdone()
        zone.append(random_buffer(8), 8)
        ssd.power(False)
        ssd.power(True)
        nvme0.reset()
        qpair = d.Qpair(nvme0, 16)
        zone = ns.zones(qpair)[1]
        assert (zone.state, zone.wp) == (ZoneState.CLOSED, ZONE + 8)
        assert judged(ns, lambda: ns.read(qpair, d.Buffer(8192), ZONE, 16).waitdone()) == 8
        assert zone.append(random_buffer(8), 8) == ZONE + 8
        assert judged(ns, lambda: ns.read(qpair, d.Buffer(8192), ZONE, 16).waitdone()) == 16
        nvme0.pcie.close()


def test_the_structures_have_names(opened, zones):
    buf = d.Buffer(4096)
    opened.nvme0.identify(buf, nsid=2, cns=5, csi=2).waitdone()
    found = buf.decode("id_ns_zns")
    assert (found.mar, found.mor, found.numzrwa) == (31, 15, 1)
    assert (found.lbafe[0].zsze, found.lbafe[0].zdes, found.ozcs.zrwasup) == (ZONE, 1, 1)
    assert struct.unpack_from("<H", bytes(buf[:]), 50)[0] == 32
