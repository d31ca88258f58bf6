# SPDX-License-Identifier: BSD-3-Clause
"""IO workers with zonemode="zbd": what they send to zones, and that they find what a drive does wrong."""

import logging
from collections import Counter

import nvme as d
import pytest

from pynvme.spec import ZoneState
from pynvme.vssd import VirtualSsd

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = (
    "vssd:name=zonemode,size=16M,zoned=1,zone_size=256K,zone_capacity=192K,zasl=2,offline_zones=1,"
    "read_only_zones=1,max_open_zones=6,max_active_zones=8"
)
ZONE, CAPACITY, ZONES = 512, 384, 64  # LBAs, and how many can be used
EMPTY, FULL = ZoneState.EMPTY, ZoneState.FULL


class Opened:
    """A drive with a zoned namespace."""

    def __init__(self, address=DRIVE):
        self.pcie = d.Pcie(address)
        self.nvme0 = d.Controller(self.pcie)
        self.ns = d.Namespace(self.nvme0)
        self.qpair = d.Qpair(self.nvme0, 64)

    def start(self, io_size=8, qdepth=17, **given):
        return self.ns.ioworker(io_size=io_size, qdepth=qdepth, zonemode="zbd", **given).start()

    def run(self, **given):
        return self.start(**given).close()

    def states(self):
        return Counter(zone.state for zone in self.ns.zones(self.qpair))

    def reset(self):
        self.ns.zns_mgmt_send(self.qpair, None, action=4, all=True).waitdone()


@pytest.fixture(scope="module")
def drive():
    found = Opened()
    yield found
    found.pcie.close()


@pytest.fixture
def opened(drive):
    """Its zones, all empty."""
    drive.reset()
    return drive


@pytest.fixture
def ssd(opened):
    return VirtualSsd.attach(DRIVE)


@pytest.mark.parametrize("appends", [0, 100])
def test_sequential_writes_fill_each_zone_once_and_reads_verify_them(opened, appends):
    end = 8 * ZONE
    for resets in (0, 8):
        done = opened.run(lba_random=False, read_percentage=0, region_end=end, zone_append=appends)
        assert (done.io_count_append, done.io_count_write) == ((384, 0) if appends else (0, 384))
        assert (done.io_count_nonread, done.zone_resets, done.error) == (384, resets, 0)
        assert [zone.state for zone in opened.ns.zones(opened.qpair)[:9]] == [FULL] * 8 + [EMPTY]
        read = opened.run(lba_random=False, region_end=end)
        assert (read.io_count_read, read.lba_verified, read.lba_unverified) == (384, 8 * CAPACITY, 0)


def test_zoneskip_leaves_zones_out(opened):
    done = opened.run(lba_random=False, read_percentage=0, region_end=9 * ZONE, zoneskip=2 * ZONE)
    assert done.io_count_write == 3 * CAPACITY // 8
    states = [zone.state for zone in opened.ns.zones(opened.qpair)[:9]]
    assert states == [FULL, EMPTY, EMPTY] * 3
    assert opened.run(lba_random=False, region_end=9 * ZONE, zoneskip=2 * ZONE).lba_verified == 3 * CAPACITY


def test_ios_are_cut_at_the_capacity_and_at_what_is_written(opened):
    done = opened.run(io_size=100, lba_random=False, read_percentage=0, region_end=ZONE)
    assert (done.io_count_write, opened.states()[FULL]) == (4, 1)
    read = opened.run(io_size=256, lba_random=False, region_end=ZONE)
    assert (read.io_count_read, read.lba_verified) == (2, CAPACITY)


def test_random_io_is_verified_and_respects_the_limits(opened):
    share = {0: 2, 1: 24, 2: 40, 0xC: 4, 0x7D: 24, 0x79: 6}
    done = opened.run(io_size=[1, 7, 8, 32], op_percentage=share, io_count=6000, read_beyond_wp=True)
    assert done.error == done.lba_mismatch == 0 and done.lba_verified > 5000
    assert sum(share.values()) == 6000 and set(share) == {0, 1, 2, 0xC, 0x7D, 0x79}
    assert done.io_count_read + done.io_count_nonread == 6000
    assert done.zone_resets >= share[0x79] > 100 and done.io_count_append == share[0x7D] > 1000
    assert opened.states()[ZoneState.IMPLICITLY_OPENED] <= 6


@pytest.mark.parametrize("wanted", [0, 1])
def test_resets_that_the_worker_needs_are_no_ios(opened, wanted):
    share = {1: 100 - wanted, 0x79: wanted}
    done = opened.run(op_percentage=share, io_count=2000, max_open_zones=2, region_end=8 * ZONE)
    assert sum(share.values()) == done.io_count_nonread == 2000
    assert (share[0x79] > 0) == wanted and done.zone_resets > share[0x79] + 10


def test_several_workers_share_the_limits_of_one_namespace(opened):
    workers = [
        opened.start(
            read_percentage=30,
            max_open_zones=2,
            zone_append=50 * i,
            region_start=20 * i * ZONE,
            region_end=20 * (i + 1) * ZONE,
            io_count=2000,
        )
        for i in range(3)
    ]
    results = [worker.close() for worker in workers]
    assert [done.error for done in results] == [0, 0, 0] and sum(done.zone_resets for done in results)
    assert all(done.lba_verified > 1000 and not done.lba_mismatch for done in results)
    assert 0 < opened.states()[ZoneState.IMPLICITLY_OPENED] <= 6


def test_max_open_zones_bounds_the_zones_that_are_partly_written(opened):
    opened.run(read_percentage=0, max_open_zones=2, io_count=100, io_size=4)
    states = opened.states()
    assert (states[ZoneState.IMPLICITLY_OPENED], states[FULL], states[EMPTY]) == (2, 0, 60)
    opened.reset()
    opened.run(read_percentage=0, max_open_zones=1, io_count=31, io_size=128)
    states = opened.states()
    assert states[ZoneState.IMPLICITLY_OPENED] == 1 and 1 <= states[FULL] <= 10


def test_resets_by_threshold_and_frequency(opened):
    end = 10 * ZONE
    given = {"read_percentage": 0, "region_end": end, "io_count": 480, "io_size": 8}
    none = opened.run(**given, zone_reset_threshold=0.9, zone_reset_frequency=1)
    assert none.zone_resets > 0  # of full zones: the threshold is above all that fits
    opened.reset()
    often = opened.run(**given, zone_reset_threshold=0, zone_reset_frequency=0.5)
    assert often.zone_resets > 150 and often.io_count_write == 480


def test_without_data_reads_become_writes_or_end_the_worker(opened):
    writable = (ZONES - 2) * ZONE
    assert opened.run(io_count=100, region_end=writable).io_count_read == 0
    assert opened.run(op_percentage={0x79: 100}, io_count=100).zone_resets == 0
    assert opened.run(io_count=100).lba_unverified > 0  # in the zone that is read-only
    done = opened.run(read_percentage=99, io_count=4000)
    assert done.io_count_write >= 1 and done.io_count_read + done.io_count_write == 4000


def test_unwritten_lbas_read_as_zeros_once_the_worker_knows_them(opened):
    given = {"read_percentage": 0, "lba_random": False, "region_end": 2 * ZONE}
    opened.run(**given, read_beyond_wp=True)
    for _ in range(2):
        opened.run(**given, read_beyond_wp=True, io_size=16, zone_append=100)  # resets both zones first
    done = opened.run(lba_random=False, region_end=2 * ZONE, read_beyond_wp=True)
    assert (done.io_count_read, done.lba_verified, done.lba_unverified) == (128, 2 * ZONE, 0)
    # A script's append makes the rest of its zone unknown, and a later read cannot be judged wrongly.
    zone = opened.ns.zones(opened.qpair)[0]
    zone.reset()
    assert zone.append(d.Buffer(4096), 8) == 0
    opened.ns.read(opened.qpair, d.Buffer(4096), 0, 8).waitdone()
    assert opened.ns.verify_stats().mismatch == 0


def test_a_variable_capacity_is_learnt_after_each_reset():
    address = "vssd:name=variable,size=8M,zoned=1,zone_size=1M,variable_capacity"
    varied = Opened(address)
    try:
        for i in range(4):
            done = varied.run(
                lba_random=False, read_percentage=0, region_end=2048 * 4, zone_append=50 * (i % 2)
            )
            capacity = sum(zone.capacity for zone in varied.ns.zones(varied.qpair)[:4])
            read = varied.run(lba_random=False, region_end=8192)
            assert (done.error, read.lba_verified) == (0, capacity) and done.zone_resets == (4 if i else 0)
            assert done.io_count_nonread == 4 * -(-capacity // 4 // 8)
        assert capacity < 4 * 2048
    finally:
        varied.pcie.close()


@pytest.mark.parametrize(
    ("rule", "given", "status", "text"),
    [
        ("opcode=zone-append every=21 do add cqe.result=8", {"zone_append": 100}, 0x781, "Zone Append of 8"),
        (
            "opcode=zone-append nth=21 do add cqe.result=8",
            {"zone_append": 100, "qdepth": 2},
            0x781,
            "LBA 0xa8, but by the write pointer the appends in flight went to LBAs 0xa0 to 0xa7",
        ),
        ("opcode=zone-append nth=21 do set cqe.result=0x7000", {"zone_append": 100}, 0x781, "0x7000"),
        (
            "opcode=zone-append nth=21 do set nlb=7",
            {"zone_append": 100, "io_size": 4, "qdepth": 2},
            0x781,
            "Append of 4",
        ),
        ("opcode=zone-append nth=21 do set nlb=7", {"zone_append": 100, "io_size": 4}, 0x1B9, "Zone Is Full"),
        ("opcode=zone-append nth=21 do set nlb=3", {"zone_append": 100}, 0x781, "Zone Append of 8"),
        ("opcode=write nth=21 do set nlb=7", {"io_size": 4}, 0x1BC, "Zone Invalid Write"),
        ("opcode=zone-append nth=21 do flip byte=77 bit=1", {"zone_append": 100}, 0x781, "corrupt"),
        ("opcode=write nth=21 do flip byte=77 bit=1", {}, 0x781, "corrupt"),
        ("opcode=zone-management-send nth=3 do skip", {}, 0x1B9, "Zone Is Full"),
    ],
)
def test_what_a_drive_does_wrong_is_found(opened, ssd, caplog, rule, given, status, text):
    common = {"lba_random": False, "region_end": 2 * ZONE}
    with (
        ssd.fault(rule) as fault,
        caplog.at_level(logging.ERROR),
        pytest.warns(UserWarning, match="ioworker"),
    ):
        done = opened.run(**common, read_percentage=0, **given)
        for _ in range(2):  # reads find wrong data, and a second round resets the zones before
            if not done.error:
                done = opened.run(**common)
            if not done.error:
                done = opened.run(**common, read_percentage=0, **given)
        assert fault.fired >= 1
    assert (done.error, done.status) == (-6, status)
    assert text.lower() in caplog.text.lower()


def test_a_worker_that_may_continue_leaves_a_bad_zone_to_a_reset(opened, ssd):
    with ssd.fault("opcode=write every=50 do status=02/80"), pytest.warns(UserWarning, match="02/80"):
        done = opened.run(read_percentage=50, io_count=2000, continue_on_error=True)
    assert (done.error, done.lba_mismatch) == (0, 0) and done.io_count_failed == done.io_count_write // 50
    assert done.zone_resets >= done.io_count_failed // 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"zonemode": "strided"}, "zonemode must be"),
        ({"zonemode": None, "zone_append": 5}, "zone_append needs zonemode"),
        ({"region_start": 8}, "begin and end at a multiple of 512"),
        ({"region_end": 1000}, "begin and end at a multiple of 512"),
        ({"lba_step": 3}, "zonemode excludes"),
        ({"placement": 3}, "zonemode excludes"),
        ({"op_percentage": {9: 100}}, "not opcode 0x9"),
        ({"zone_append": 101}, "percentage of the writes"),
        ({"zone_append": 50, "read_percentage": 0, "io_size": 64}, "16384 at most"),
        ({"zoneskip": 8}, "zoneskip must be a multiple"),
        ({"zone_reset_frequency": 2}, "zone_reset_frequency must be from 0 to 1"),
        ({"zone_reset_threshold": -1}, "zone_reset_threshold must be from 0 to 1"),
    ],
)
def test_what_is_refused(opened, given, text):
    with pytest.raises(AssertionError, match=text):
        opened.ns.ioworker(**{"zonemode": "zbd", "io_count": 1, **given})


def test_zones_outside_of_the_region_may_take_all_that_can_be_active(opened, caplog):
    for zone in opened.ns.zones(opened.qpair)[:8]:
        zone.append(d.Buffer(512))
    with pytest.warns(UserWarning, match="-1"), caplog.at_level(logging.ERROR):
        done = opened.run(read_percentage=0, io_count=10, region_start=8 * ZONE)
    assert done.error == -1 and "outside of the worker's region" in caplog.text
    assert opened.run(read_percentage=0, io_count=10).error == 0


def test_a_conventional_namespace_has_no_zones(nvme0n1):
    with pytest.raises(AssertionError, match="has no zones"):
        nvme0n1.ioworker(zonemode="zbd", io_count=1)
