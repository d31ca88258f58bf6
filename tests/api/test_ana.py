# SPDX-License-Identifier: BSD-3-Clause
"""Asymmetric Namespace Access through two controllers: the log page, states, events, verification."""

import nvme as d
import pytest

from pynvme import spec, vssd

NAME = "vssd:size=16M,namespaces=3,controllers=2,ana=2,name=ana"
NOTICE, CHANGED = 1 << 11, 0x0C0302


class Path:
    """A controller, with a queue and a namespace."""

    def __init__(self, address):
        self.pcie = d.Pcie(address)
        self.ctrl = d.Controller(self.pcie)
        self.qpair = d.Qpair(self.ctrl, 16)
        self.ns = d.Namespace(self.ctrl)


@pytest.fixture
def paths():
    found = [Path(NAME), Path(f"{NAME},controller=2")]
    yield found
    for one in found:
        one.pcie.close()
    vssd.discard(NAME)


def states(log):
    return {group.agid: (group.state.anastate, group.chngc, list(group.nsid)) for group in log.groups}


def test_the_log_page_follows_the_states(paths):
    a, b = paths
    ssd = vssd.VirtualSsd.attach(NAME)
    found = a.ctrl.ana_log()
    assert isinstance(found, spec.AnaLog) and (found.chngc, found.nagd) == (0, 2)
    assert states(found) == {1: (1, 0, [1, 3]), 2: (1, 0, [2])}
    events = []
    for path in paths:
        path.ctrl.setfeatures(0x0B, cdw11=NOTICE).waitdone()
    b.ctrl.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    ssd.ana("non-optimized", group=2, controller=2)
    with pytest.warns(UserWarning, match="AER notification is triggered: 0xc0302"):
        assert b.ctrl.wait_event(10) == CHANGED
    assert events == [CHANGED]
    assert states(b.ctrl.ana_log(rae=False)) == {1: (1, 0, [1, 3]), 2: (2, 1, [2])}
    assert states(b.ctrl.ana_log(groups_only=True)) == {1: (1, 0, []), 2: (2, 1, [])}
    assert states(a.ctrl.ana_log())[2] == (1, 0, [2])
    ssd.ana(spec.AnaState.CHANGE, controller=2)
    with pytest.warns(UserWarning, match="AER notification"):
        b.ctrl.wait_event(10)
    buf = d.Buffer(4096)
    b.ctrl.getlogpage(0x0C, buf, 256).waitdone()
    assert states(buf.decode("ana_log")) == {1: (15, 1, [1, 3]), 2: (15, 2, [2])}


def test_a_path_that_is_lost_leaves_the_data_to_the_other(paths):
    a, b = paths
    ssd = vssd.VirtualSsd.attach(NAME)
    buf = d.Buffer(4096, pvalue=5, ptype=32)
    a.ns.write(a.qpair, buf, 0, 8).waitdone()
    for state, status in (("inaccessible", "03/02"), ("persistent-loss", "03/01"), ("change", "03/03")):
        ssd.ana(state, 1, 1)
        for command in (a.ns.read, a.ns.write):
            with pytest.warns(UserWarning, match=f"ERROR status: {status}"):
                command(a.qpair, d.Buffer(4096), 0, 8).waitdone()
        before = b.ns.verify_stats()
        b.ns.read(b.qpair, d.Buffer(4096), 0, 8).waitdone()
        assert b.ns.verify_stats().mismatch == before.mismatch == 0
    ssd.ana("optimized")
    a.ns.read(a.qpair, d.Buffer(4096), 0, 8).waitdone()
    assert a.ns.verify_stats().mismatch == 0


def test_a_worker_ends_at_a_path_that_is_lost(paths):
    a, _ = paths
    with vssd.VirtualSsd.attach(NAME).fault("opcode=read nth=50 do ana=inaccessible count=1"):
        worker = a.ns.ioworker(io_size=8, read_percentage=100, io_count=200)
        with pytest.warns(UserWarning, match="03/02 Asymmetric Access Inaccessible|ioworker host ERROR"):
            worker.start().close()


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"state": "lost"}, "there is no ANA state 'lost': use one of optimized, non-optimized"),
        ({"state": 7}, "there is no ANA state 7"),
        ({"state": "change", "group": 3}, "has no ANA group 3"),
        ({"state": "change", "controller": 3}, "there is no controller 3: the drive has 2"),
        ({"state": "change", "controller": 0}, "there is no controller 0"),
    ],
)
def test_wrong_states_groups_and_controllers(paths, wanted, text):
    with pytest.raises(ValueError, match=text):
        vssd.VirtualSsd.attach(NAME).ana(**wanted)


@pytest.mark.differs("QEMU NVMe Ctrl", "a reserved log page is 00/02, not 01/09 (Base 2.0, 5.16.2)")
def test_a_drive_without_ana(nvme0):
    if nvme0.id_ctrl.cmic.anars:
        pytest.skip("the drive reports ANA (CMIC bit 3)")
    with pytest.raises(OSError, match="01/09"):
        nvme0.ana_log()
