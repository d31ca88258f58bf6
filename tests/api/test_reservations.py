# SPDX-License-Identifier: BSD-3-Clause
"""Reservations by two hosts in one script: the commands by name, their fields, their data, verification."""

import nvme as d
import pytest

from pynvme import spec, vssd

NAME = "vssd:size=16M,controllers=2,reservations,name=reservations"
A, B = 0xA1A2A3A4A5A6A7A8, 0xB1B2B3B4B5B6B7B8
CONFLICT = "00/83"


class Party:
    """A host, with one of the controllers."""

    def __init__(self, address, identifier):
        self.pcie = d.Pcie(address)
        self.ctrl = d.Controller(self.pcie)
        self.ctrl.setfeatures(0x81, cdw11=1, buf=self.identifier(identifier)).waitdone()
        self.qpair = d.Qpair(self.ctrl, 16)
        self.ns = d.Namespace(self.ctrl)

    @staticmethod
    def identifier(text):
        buf = d.Buffer(4096)
        buf[0:16] = text.ljust(16, b".")
        return buf

    def report(self):
        buf = d.Buffer(4096)
        self.ns.reservation_report(self.qpair, buf, extended=True).waitdone()
        return buf.decode("reservation_status_extended")


@pytest.fixture
def parties():
    found = [Party(NAME, b"host A"), Party(f"{NAME},controller=2", b"host B")]
    yield found
    for one in found:
        one.pcie.close()
    vssd.discard(NAME)


def test_two_hosts_share_a_namespace_by_reservations(parties):
    a, b = parties
    buf = d.Buffer(4096, pvalue=7, ptype=32)
    a.ns.write(a.qpair, buf, 0, 8).waitdone()
    a.ns.reservation_register(a.qpair, new_key=A, persist=3).waitdone()
    a.ns.reservation_acquire(a.qpair, spec.ReservationType.WRITE_EXCLUSIVE, key=A).waitdone()
    with pytest.warns(UserWarning, match=CONFLICT):
        b.ns.write(b.qpair, buf, 0, 8).waitdone()
    b.ns.read(b.qpair, d.Buffer(4096), 0, 8).waitdone()
    assert b.ns.verify_stats().mismatch == 0
    b.ns.reservation_register(b.qpair, new_key=B).waitdone()
    found = b.report()
    assert (found.gen, found.rtype, found.regctl, found.ptpls) == (2, 1, 2, 1)
    assert [(one.cntlid, int(one.rcsts), one.rkey) for one in found.controllers] == [(1, 1, A), (2, 0, B)]
    b.ns.reservation_acquire(b.qpair, 2, key=B, preempt_key=A, action=1).waitdone()
    with pytest.warns(UserWarning, match=CONFLICT):
        a.ns.read(a.qpair, d.Buffer(4096), 0, 8).waitdone()
    log = d.Buffer(4096)
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x800006"):
        a.ctrl.getlogpage(0x80, log, 64).waitdone()
    page = log.decode("reservation_log")
    assert (page.lpc, page.rnlpt, page.nsid) == (1, 1, 1)
    b.ns.reservation_release(b.qpair, 2, key=B).waitdone()
    b.ns.reservation_release(b.qpair, key=B, action=1).waitdone()
    assert b.report().regctl == 0
    a.ns.read(a.qpair, d.Buffer(4096), 0, 8).waitdone()
    assert a.ns.verify_stats().mismatch == 0


def test_a_worker_of_another_host_gets_conflicts_and_no_false_alarm(parties):
    a, b = parties
    a.ns.reservation_register(a.qpair, new_key=A).waitdone()
    a.ns.reservation_acquire(a.qpair, 2, key=A).waitdone()
    worker = a.ns.ioworker(io_size=8, io_count=500, region_end=256, read_percentage=50).start()
    assert worker.close().error == 0
    failed = pytest.warns(UserWarning, match="io cmd error")
    with failed, pytest.warns(UserWarning, match="Reservation Conflict"):
        assert b.ns.ioworker(io_size=8, io_count=10, region_end=256).start().close().error == -6
    assert a.ns.verify_stats().mismatch == b.ns.verify_stats().mismatch == 0
    a.ns.reservation_register(a.qpair, key=A, action=1).waitdone()


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.ns.reservation_register(p.qpair, new_key=1 << 64),
        lambda p: p.ns.reservation_register(p.qpair, action=8),
        lambda p: p.ns.reservation_register(p.qpair, persist=4),
        lambda p: p.ns.reservation_acquire(p.qpair, 256),
        lambda p: p.ns.reservation_acquire(p.qpair, 1, preempt_key=-1),
        lambda p: p.ns.reservation_release(p.qpair, 1, action=8),
        lambda p: p.ns.reservation_report(p.qpair, d.Buffer(16), dwords=5),
        lambda p: p.ns.reservation_report(p.qpair, d.Buffer(16), dwords=0),
    ],
)
def test_values_that_fit_no_field_are_refused(parties, call):
    with pytest.raises(AssertionError):
        call(parties[0])
