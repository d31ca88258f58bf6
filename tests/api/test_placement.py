# SPDX-License-Identifier: BSD-3-Clause
"""Where writes go: Flexible Data Placement and streams, by commands, by nvme0n1.fdp, and by workers."""

import struct
from collections import Counter

import nvme as d
import pytest

from pynvme import spec
from pynvme.vssd import VirtualSsd

DRIVE = "vssd:name=placement,size=64M,fdp,streams"
FULL = 64 << 20


@pytest.fixture(scope="module")
def drive():
    """Give a drive that has both, a namespace, and a queue."""
    nvme0 = d.Controller(d.Pcie(DRIVE))
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    yield nvme0, nvme0n1, qpair
    qpair.delete()
    nvme0.pcie.close()


def left(fdp, qpair):
    return {int(one.pid): int(one.ruamw) for one in fdp.status(qpair)}


def test_handles_of_a_new_namespace():
    with VirtualSsd(size="16M", fdp=True, namespace_management=True) as ssd:
        nvme0 = d.Controller(ssd.address)
        nvme0.ns_delete(1).waitdone()
        nsid = nvme0.ns_create(4096, phndls=[5, 2, 7]).waitdone()
        nvme0.ns_attach(nsid).waitdone()
        nvme0n1, qpair = d.Namespace(nvme0, nsid), d.Qpair(nvme0, 8)
        assert [(one.pid, one.ruhid) for one in nvme0n1.fdp.status(qpair)] == [(0, 5), (1, 2), (2, 7)]
        for wrong in ([8], [0, 0], [0xFFFF]):
            with pytest.warns(UserWarning, match="00/2a"):
                nvme0.ns_create(4096, phndls=wrong).waitdone()
        with pytest.raises(AssertionError, match="128 at most"):
            nvme0.ns_create(4096, phndls=range(129))
        with pytest.raises(AssertionError, match="phndls"):
            nvme0.ns_create(4096, phndls=[1 << 16])
        qpair.delete()
        nvme0n1.close()
        nvme0.pcie.close()


def test_what_the_objects_say(drive):
    _nvme0, nvme0n1, qpair = drive
    fdp = nvme0n1.fdp
    assert (fdp.group, fdp.enabled, fdp.usage) == (1, True, [1] * 8)
    first, second = fdp.configurations
    assert (first.nruh, first.nrg, first.fdpa.rgif, first.ruh[0].ruht) == (8, 1, 0, 1)
    assert (second.nruh, second.nrg, second.fdpa.rgif, second.ruh[3].ruht) == (4, 2, 1, 2)
    assert fdp.configuration.runs == first.runs == FULL // 128
    assert fdp.waf == 1.0 and repr(fdp) == "<Fdp of namespace 1>"
    whole = first.runs // nvme0n1.lba_size
    buf = d.Buffer(4096)
    nvme0n1.write(qpair, buf, 0, 8, placement=3).waitdone()
    nvme0n1.write(qpair, buf, 8, 8, io_flags=0x4020, dword13=3 << 16).waitdone()
    nvme0n1.write(qpair, buf, 16, 8).waitdone()
    assert left(fdp, qpair) == {pid: whole - {0: 8, 3: 16}.get(pid, 0) for pid in range(8)}
    assert (fdp.stats.hbmw, fdp.stats.mbmw, fdp.stats.mbe) == (3 * 4096, 3 * 4096, 0)
    assert [one.ruhid for one in fdp.status(qpair)] == list(range(8))
    fdp.set_events(0, 3, handle=3)
    others = dict.fromkeys((0x01, 0x02, 0x80, 0x81), False)
    assert fdp.reported(3) == {**others, 0x00: True, 0x03: True} and not any(fdp.reported().values())
    fdp.set_events(3, handle=3, enable=False)
    assert fdp.reported(3) == {**others, 0x00: True, 0x03: False}
    fdp.update(qpair, 3, 0)
    assert set(left(fdp, qpair).values()) == {whole}
    (event,) = fdp.events()
    assert (event.et, event.pid, event.nsid, event.ruhid) == (spec.FdpEventType.RU_NOT_FULLY_WRITTEN, 3, 1, 3)
    assert fdp.events(by_host=False) == []
    nvme0n1.read(qpair, d.Buffer(4096), 0, 8).waitdone()
    for wrong in (lambda: fdp.update(qpair), lambda: fdp.update(qpair, 1 << 16), lambda: fdp.set_events(256)):
        with pytest.raises(AssertionError):
            wrong()


def test_bytes_of_the_commands(drive):
    _nvme0, nvme0n1, qpair = drive
    buf = d.Buffer(512)
    nvme0n1.write(qpair, buf, 5, placement=0xABCD, io_flags=0x4000, dword13=7).waitdone()
    nvme0n1.io_mgmt_receive(qpair, buf).waitdone()
    nvme0n1.io_mgmt_send(qpair, buf, mo=0, mos=0x1234).waitdone()
    write, receive, send = (bytes(one.sqe) for one in list(qpair.cmdlog_list(3))[-3:])
    assert struct.unpack_from("<III", write, 44) == (0, 1 << 30 | 2 << 20, 0xABCD << 16 | 7)
    assert (receive[0], struct.unpack_from("<II", receive, 40)) == (0x12, (1, 127))
    assert (send[0], struct.unpack_from("<II", send, 40)) == (0x1D, (0x1234 << 16, 0))
    with pytest.raises(AssertionError, match="exclude each other"):
        nvme0n1.write(qpair, buf, 0, placement=1, stream=1)
    for taken in ({"io_flags": 0x10}, {"dword13": 1 << 16}, {"io_flags": 1 << 20}):
        with pytest.raises(AssertionError, match="must be 0"):
            nvme0n1.write(qpair, buf, 0, placement=1, **taken)
    with pytest.raises(AssertionError, match="placement"):
        nvme0n1.write(qpair, buf, 0, placement=1 << 16)


def test_streams_are_opened_and_released(drive):
    nvme0, nvme0n1, qpair = drive
    buf = d.Buffer(4096)
    nvme0.directive_receive(1, buf=buf).waitdone()
    found = buf.decode(spec.Directives)
    assert (found.supported[0], found.enabled[0], found.persistent[0]) == (7, 5, 4)
    nvme0.directive_send(1, value=1 << 8 | 1).waitdone()
    nvme0n1.write(qpair, buf, 0, 8, stream=77).waitdone()
    status = d.Buffer(64)
    nvme0.directive_receive(2, 1, buf=status).waitdone()
    assert list(status.decode(spec.StreamsStatus).sid) == [77]
    nvme0.directive_send(1, 1, 77).waitdone()
    nvme0.directive_receive(1, 1, buf=buf).waitdone()
    assert (buf.decode(spec.StreamsParameters).msl, buf.decode(spec.StreamsParameters).nso) == (16, 0)
    assert nvme0.directive_receive(3, 1, value=4).waitdone() == 4
    assert nvme0.directive_send(2, 1).waitdone() == 0
    worker = nvme0n1.ioworker(
        io_count=30, read_percentage=0, placement=[5, 6], placement_type="streams", region_end=1024
    )
    assert worker.start().close().error == 0
    nvme0.directive_receive(2, 1, buf=status).waitdone()
    assert set(status.decode(spec.StreamsStatus).sid) == {5, 6}
    nvme0.directive_send(1, value=1 << 8).waitdone()
    with pytest.warns(UserWarning, match="00/02"):
        nvme0n1.write(qpair, buf, 0, stream=77).waitdone()


def counts(ssd, nvme0n1, pids, **workload):
    """How many writes of a worker named each identifier."""
    found = Counter()
    rules = {pid: ssd.fault(f"opcode=write cdw13={pid << 16} do late=1us") for pid in pids}
    try:
        result = nvme0n1.ioworker(**workload).start().close()
        assert result.error == 0
        found.update({pid: rule.matched for pid, rule in rules.items()})
    finally:
        for rule in rules.values():
            rule.remove()
    return found


def test_workers_place_their_writes(drive):
    _nvme0, nvme0n1, _qpair = drive
    ssd = VirtualSsd.attach(DRIVE)
    usual = {"io_size": 8, "io_count": 120, "read_percentage": 0, "region_end": 8192}
    assert counts(ssd, nvme0n1, [1, 4], placement=[1, 4], **usual) == {1: 60, 4: 60}
    assert counts(ssd, nvme0n1, [6], placement=6, **usual) == {6: 120}
    assert counts(ssd, nvme0n1, [1, 2, 3], placement={1: 6, 2: 3, 3: 3}, **usual) == {1: 60, 2: 30, 3: 30}
    drawn = counts(ssd, nvme0n1, range(8), placement=range(8), placement_select="random", **usual)
    assert sum(drawn.values()) == 120 and 0 < min(drawn.values()) < max(drawn.values()) < 60
    mixed = counts(
        ssd, nvme0n1, [2, 5], placement=[2, 5], **{**usual, "read_percentage": 50, "lba_random": False}
    )
    assert 0 < sum(mixed.values()) < 120 and abs(mixed[2] - mixed[5]) <= 1
    before = nvme0n1.verify_stats().mismatch
    nvme0n1.ioworker(io_size=8, io_count=200, region_end=8192).start().close()
    assert nvme0n1.verify_stats().mismatch == before == 0
    for wrong, error in (
        ({"placement": []}, "names no identifier"),
        ({"placement": [1 << 16]}, "placement"),
        ({"placement": {1: 0}}, "at least 1"),
        ({"placement": {1: 300, 2: 1}}, "add up"),
        ({"placement": [1] * 257}, "257 entries"),
        ({"placement": 1, "placement_type": "fdb"}, "placement_type"),
        ({"placement": 1, "placement_select": "scheme"}, "placement_select"),
    ):
        with pytest.raises(AssertionError, match=error):
            nvme0n1.ioworker(io_count=1, **wrong)
    with pytest.raises(TypeError, match="placement must be"):
        nvme0n1.ioworker(io_count=1, placement="1")


def test_placement_lowers_the_write_amplification():
    """The same hot and cold data, apart in two handles and mixed in one."""
    found = {}
    for name, (hot, cold) in {"mixed": (0, 0), "apart": (0, 1)}.items():
        nvme0 = d.Controller(d.Pcie(f"vssd:name=waf-{name},size=16M,fdp"))
        nvme0n1 = d.Namespace(nvme0)
        half = nvme0n1.id_ns.nsze // 2
        qpair, buf = d.Qpair(nvme0, 16), d.Buffer(4096)
        for lba in range(0, half, 8):  # by turns: two workers might run one after the other
            nvme0n1.write(qpair, buf, lba, 8, placement=hot)
            nvme0n1.write(qpair, buf, half + lba, 8, placement=cold).waitdone(2)
        hot_io = nvme0n1.ioworker(
            io_size=8, io_count=12000, read_percentage=0, placement=hot, region_end=half, lba_align=8
        )
        assert hot_io.start().close().error == 0
        found[name] = nvme0n1.fdp.waf
        nvme0.pcie.close()
    assert 1.0 <= found["apart"] < found["mixed"], found


def test_a_drive_without_it():
    nvme0 = d.Controller(d.Pcie("vssd:name=unplaced,size=1M"))
    fdp = d.Namespace(nvme0).fdp
    assert (fdp.group, fdp.enabled) == (0, False)
    with pytest.raises(OSError):
        _ = fdp.stats
    nvme0.pcie.close()
