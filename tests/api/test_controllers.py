# SPDX-License-Identifier: BSD-3-Clause
"""Several controllers of one virtual SSD, opened by one script: shared data, shared verification."""

import contextlib
import os

import nvme as d
import pytest

from pynvme import vssd

MISMATCH = r"^ERROR status: 07/81"


class Port:
    """One controller, with a queue and a namespace."""

    def __init__(self, address, nsid=1):
        self.pcie = d.Pcie(address)
        self.ctrl = d.Controller(self.pcie)
        self.qpair = d.Qpair(self.ctrl, 32)
        self.ns = d.Namespace(self.ctrl, nsid)

    def write(self, lba, count=8):
        self.ns.write(self.qpair, d.Buffer(512 * count, pvalue=lba, ptype=32), lba, count).waitdone()

    def judged(self, lba, count=8):
        """How many LBAs of a read were judged. A mismatch is a warning, which fails the test."""
        before = self.ns.verify_stats()
        self.ns.read(self.qpair, d.Buffer(512 * count), lba, count).waitdone()
        after = self.ns.verify_stats()
        assert after.mismatch == 0
        return after.judged - before.judged


@pytest.fixture
def ports(request):
    """A function that opens the two controllers of a private virtual SSD of this test."""
    opened = []
    name = f"vssd:size=16M,controllers=2,name={request.node.name}"

    def both():
        opened.extend(Port(f"{name}{which}") for which in ("", ",controller=2"))
        return opened[-2:]

    yield both
    for port in opened:
        with contextlib.suppress(RuntimeError):
            port.pcie.close()
    vssd.discard(name)


def test_what_one_writes_the_other_reads_and_judges(ports):
    a, b = ports()
    assert (a.ctrl.id_data(79, 78), b.ctrl.id_data(79, 78)) == (1, 2)
    a.write(0)
    assert b.judged(0) == 8
    b.write(4)
    assert a.judged(0, 12) == 12
    workers = [
        port.ns.ioworker(io_size=8, io_count=2000, region_end=1024, read_percentage=50) for port in (a, b)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        assert worker.close().error == 0
    assert a.ns.verify_stats().mismatch == b.ns.verify_stats().mismatch == 0
    a.write(0, 64)
    assert b.judged(0, 64) == 64


def test_a_wrong_byte_is_found_through_either(ports):
    a, b = ports()
    a.write(0)
    with vssd.VirtualSsd.attach(b.ctrl.addr) as ssd:
        assert [os.path.basename(path) for path in ssd.addresses[1:]] == ["2"]
        ssd.poke(1, 3, bytes(512))
    with pytest.warns(UserWarning, match=MISMATCH):
        b.ns.read(b.qpair, d.Buffer(4096), 0, 8).waitdone()


def test_a_loss_of_power_leaves_what_is_not_surely_durable_unknown(ports):
    a, b = ports()
    a.write(0)
    a.ns.flush(a.qpair).waitdone()
    d.Subsystem(a.ctrl).power_cycle(0)
    for port in (a, b):
        port.ctrl.reset()
        port.qpair = d.Qpair(port.ctrl, 32)
    assert b.judged(0) == 0, (
        "the flush of one covers what that one has completed, and nobody knows which it was"
    )
    b.write(0)
    a.pcie.close()
    b.ns.flush(b.qpair).waitdone()
    d.Subsystem(b.ctrl).power_cycle(0)
    b.ctrl.reset()
    b.qpair = d.Qpair(b.ctrl, 32)
    assert b.judged(0) == 8, "with one controller open, a flush covers everything"


def test_a_format_by_one_is_known_to_the_other(ports):
    a, b = ports()
    a.write(0)
    a.ctrl.timeout = 30000
    a.ctrl.format(1, 1).waitdone()  # 4096 bytes
    b.ns.write(b.qpair, d.Buffer(4096, pvalue=7, ptype=32), 0, 1).waitdone()
    assert b.ns.id_data(26) & 15 == 1, "the format of 4096 bytes"
    a.ns.read(a.qpair, d.Buffer(4096), 0, 1).waitdone()
    assert a.ns.verify_stats().mismatch == 0
    a.ns.write(a.qpair, d.Buffer(4096, pvalue=8, ptype=32), 0, 1).waitdone()
    b.ns.read(b.qpair, d.Buffer(4096), 0, 1).waitdone()
    assert b.ns.verify_stats().mismatch == 0


def test_closing_one_and_opening_it_again_is_no_false_alarm(ports):
    a, b = ports()
    a.write(0)
    a.pcie.close()
    assert b.judged(0) == 8
    b.write(0)
    b.pcie.close()
    a, b = ports()
    assert a.judged(0) == 8, "both were closed with a shutdown, and nobody else used them"
    b.write(0)
    assert a.judged(0) == 8


def test_private_namespaces_are_known_to_their_controllers_alone(request):
    name = f"vssd:size=16M,controllers=2,namespaces=2,private_namespaces=2,name={request.node.name}"
    a, b = Port(name, 1), Port(f"{name},controller=2", 2)
    a.write(0)
    b.write(0)
    with pytest.raises(d.NamespaceCreationError):
        d.Namespace(a.ctrl, 2)
    assert a.judged(0) == b.judged(0) == 8
    a.pcie.close()
    b.pcie.close()
    vssd.discard(name)


@pytest.mark.parametrize(
    "address, reason",
    [
        ("vssd:controller=2", "controller takes 1 to 1"),
        ("vssd:controllers=2,controller=3", "controller takes 1 to 2"),
        ("vssd:controllers=2,controller=x", "controller takes 1 to 2"),
        ("vssd:controllers=2,controller=1,controller=2", "controller is there twice"),
    ],
)
def test_the_number_of_a_controller_is_checked(address, reason):
    with pytest.raises(d.NvmeEnumerateError, match=reason):
        d.Controller(d.Pcie(address))
