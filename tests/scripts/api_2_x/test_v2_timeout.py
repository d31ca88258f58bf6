# SPDX-License-Identifier: BSD-3-Clause
"""Commands that take longer than they may, and what happens while something else goes on."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


@pytest.fixture
def slow():
    """Give a drive that takes its time: 800 ms for a format."""
    pcie = d.Pcie("vssd:size=64M,format_time=800,name=slow")
    yield d.Controller(pcie)
    pcie.close()


def test_format_longer_than_the_timeout(slow):
    slow.timeout = 200
    start = time.time()
    cpls = []
    slow.format(0, cb=cpls.append)
    with pytest.warns(UserWarning, match=r"drive timeout: qpair: 0, cid: \d+"):
        slow.waitdone()
    took = time.time() - start
    assert took > 0.15
    assert took < 0.7 or loaded()
    assert list(cpls[0]) == [0xFFFFFFFF] * 4
    slow.timeout = 10000
    slow.getfeatures(7).waitdone()
    time.sleep(0.8)
    assert d.Namespace(slow).id_data(7, 0) > 0


def test_format_of_the_namespace_waits_longer_and_leaves_the_timeout(slow):
    slow.timeout = 200
    assert d.Namespace(slow).format(512) == 0
    assert slow.timeout == 200
    slow.timeout = 10000


def test_admin_commands_during_a_format(slow):
    slow.format(0)
    values = [slow.id_data(23, 4, str) for _ in range(5)]
    assert len(set(values)) == 1
    slow.waitdone()


def test_io_during_a_format(slow):
    namespace, qpair = d.Namespace(slow), d.Qpair(slow, 8)
    slow.format(0)
    with pytest.warns(UserWarning, match="ERROR status: 00/84"):
        namespace.read(qpair, d.Buffer(), 0, 8).waitdone()
    slow.waitdone()
    namespace.read(qpair, d.Buffer(), 0, 8).waitdone()
    qpair.delete()


def test_percentage_of_the_format_that_remains(slow):
    seen = []
    slow.format(0)
    for _ in range(6):
        seen.append(slow.id_data(32, nsid=1, cns=0) & 0x7F)
        time.sleep(0.05)
    slow.waitdone()
    assert seen == sorted(seen, reverse=True) and seen[0] > 0
    assert slow.id_data(32, nsid=1, cns=0) & 0x7F == 0


def test_reset_during_a_format(slow):
    slow.format(0)
    slow.reset()
    with pytest.warns(UserWarning, match="ERROR status: 00/08"):
        slow.waitdone()
    time.sleep(1)
    namespace, qpair = d.Namespace(slow), d.Qpair(slow, 8)
    namespace.read(qpair, d.Buffer(), 0, 8).waitdone()
    qpair.delete()


def test_shortest_timeout(nvme0):
    nvme0.timeout = 1
    assert nvme0.timeout == 1
    try:
        nvme0.format(0, ses=1).waitdone()
    except UserWarning as told:
        assert "drive timeout: qpair: 0" in str(told)
    nvme0.timeout = 10000
    time.sleep(0.2)
    nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_aers_do_not_time_out(nvme0):
    nvme0.timeout = 50
    time.sleep(0.2)
    nvme0.timeout = 10000
    nvme0.getfeatures(7).waitdone()


def test_d3hot_under_a_worker(pcie, nvme0n1):
    with nvme0n1.ioworker(io_size=8, region_end=10000, time=1, qdepth=16) as w:
        for _ in range(3):
            time.sleep(0.1)
            pcie.power_state = 3
            time.sleep(0.05)
            pcie.power_state = 0
    assert w.close().error == 0


def test_bus_mastering_off_under_a_worker(pcie, nvme0n1):
    with nvme0n1.ioworker(io_size=8, region_end=10000, time=1, qdepth=16) as w:
        time.sleep(0.2)
        pcie[4] = pcie[4] & ~4
        time.sleep(0.1)
        pcie[4] = pcie[4] | 4
    assert w.close().error == 0


def test_namespace_features_have_a_namespace(nvme0):
    origin = nvme0.getfeatures(5).waitdone()
    nvme0.setfeatures(5, cdw11=77).waitdone()
    assert nvme0.getfeatures(5).waitdone() & 0xFFFF == 77
    nvme0.setfeatures(5, cdw11=origin).waitdone()


@pytest.mark.parametrize("fid", [1, 2, 4, 5, 6, 7, 8, 9, 10, 11])
def test_each_feature_is_set_to_what_it_is(nvme0, fid):
    value = nvme0.getfeatures(fid).waitdone()
    nvme0.setfeatures(fid, cdw11=value).waitdone()
    assert nvme0.getfeatures(fid).waitdone() == value


def test_deallocated_lbas_may_be_errors(nvme0, nvme0n1, qpair):
    if not nvme0n1.id_data(24) & 4:
        pytest.skip("needs a drive with Deallocated or Unwritten Logical Block errors (NSFEAT bit 2)")
    ranges, b = d.Buffer(4096), d.Buffer(512)
    nvme0n1.write(qpair, b, 5, 1).waitdone()
    ranges.set_dsm_range(0, 5, 1)
    nvme0n1.dsm(qpair, ranges, 1).waitdone()
    nvme0.setfeatures(5, cdw11=1 << 16).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 02/87"):
        nvme0n1.read(qpair, b, 5, 1).waitdone()
    nvme0.setfeatures(5, cdw11=0).waitdone()
    nvme0n1.read(qpair, b, 5, 1).waitdone()
