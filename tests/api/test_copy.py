# SPDX-License-Identifier: BSD-3-Clause
"""Copy: what it sends, and that verification knows what the destination holds."""

import struct

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

DRIVE = "vssd:name=copy,size=64M,namespaces=2,copy"
FUA = 1 << 14
BEHAVIOR = 0x16


@pytest.fixture(scope="module")
def copier():
    """Give a drive that has Copy, two namespaces and a queue."""
    nvme0 = d.Controller(d.Pcie(DRIVE))
    first, second = d.Namespace(nvme0, 1), d.Namespace(nvme0, 2)
    first.verify_enable()
    qpair = d.Qpair(nvme0, 16)
    yield nvme0, first, second, qpair
    qpair.delete()
    nvme0.pcie.close()


def judged(ns):
    return ns.verify_stats().judged


def test_bytes_of_source_ranges():
    buf = d.Buffer(4096, ptype=32, pvalue=0xFFFFFFFF)
    buf.set_copy_range(0, 0x1122334455667788, 65536)
    buf.set_copy_range(1, 5, 1, nsid=0xAABBCCDD)
    assert buf[:64] == struct.pack("<IIQHH12s", 0, 0, 0x1122334455667788, 65535, 0, bytes(12)) + struct.pack(
        "<IIQHH12s", 0xAABBCCDD, 0, 5, 0, 0, bytes(12)
    )
    buf.set_copy_range(2, 7, 3, size=40)
    assert buf[80:120] == struct.pack("<QQH22s", 0, 7, 2, bytes(22))
    assert buf[120:122] == b"\xff\xff"


def test_the_command(copier):
    _, ns, _, qpair = copier
    buf = d.Buffer()
    for index in range(3):
        buf.set_copy_range(index, 8 * index, 8)
    ns.copy(qpair, buf, 0x1000, 3, io_flags=FUA).waitdone()
    (command,) = qpair.cmdlog_list(1)
    assert bytes(command.sqe)[0] == 0x19
    assert struct.unpack_from("<QI", bytes(command.sqe), 40) == (0x1000, 1 << 30 | 2)
    assert (command.name, command.nr, command.sdlba) == ("Copy", 2, 0x1000)


def test_a_copy_is_verified(copier):
    _, ns, _, qpair = copier
    buf, data, back = d.Buffer(), d.Buffer(8 * 512, ptype=0xBEEF, pvalue=100), d.Buffer(8 * 512)
    ns.write(qpair, data, 100, 8).waitdone()
    buf.set_copy_range(0, 104, 4)
    buf.set_copy_range(1, 100, 4)
    ns.copy(qpair, buf, 200, 2).waitdone()
    before = judged(ns)
    ns.read(qpair, back, 200, 8).waitdone()
    assert judged(ns) == before + 8
    assert back[:] == data[2048:] + data[:2048]


@pytest.mark.parametrize(
    "rule",
    [
        "opcode=copy do skip",
        "opcode=copy do add cdw10=1",
        "opcode=copy do set cdw12=0",
        "opcode=copy do bytes at=8 size=1 add=1",
    ],
)
def test_a_wrong_copy_is_found(copier, rule):
    _, ns, _, qpair = copier
    buf, data = d.Buffer(), d.Buffer(16 * 512, ptype=0xBEEF, pvalue=100)
    ns.write(qpair, data, 400, 16).waitdone()
    ns.write(qpair, data, 500, 16).waitdone()
    buf.set_copy_range(0, 400, 4)
    buf.set_copy_range(1, 408, 4)
    with VirtualSsd.attach(DRIVE).fault(rule) as fault:
        ns.copy(qpair, buf, 500, 2).waitdone()
        assert fault.fired == 1
    with pytest.warns(UserWarning, match="^ERROR status: 07/81"):
        ns.read(qpair, data, 500, 8).waitdone()


def test_formats_with_a_namespace(copier):
    nvme0, first, second, qpair = copier
    buf, data, back = d.Buffer(), d.Buffer(512, ptype=0xBEEF, pvalue=100), d.Buffer(512)
    behavior = d.Buffer(512)
    behavior[4] = 1 << 2
    nvme0.setfeatures(BEHAVIOR, buf=behavior).waitdone()
    second.write(qpair, data, 3).waitdone()
    first.write(qpair, data, 50).waitdone()
    buf.set_copy_range(0, 3, 1, nsid=2)
    first.copy(qpair, buf, 50, 1, format=2).waitdone()
    before = first.verify_stats()
    first.read(qpair, back, 50).waitdone()
    second.read(qpair, data, 3).waitdone()
    assert back[:] == data[:]
    assert first.verify_stats().unverified == before.unverified + 1, "another namespace's data"
    for format, status in ((1, "00/02"), (3, "00/02")):
        with pytest.warns(UserWarning, match=f"^ERROR status: {status}"):
            first.copy(qpair, buf, 50, 1, format=format).waitdone()


def test_fua(copier):
    nvme0, ns, _, qpair = copier
    buf, data, back = d.Buffer(), d.Buffer(512, ptype=0xBEEF, pvalue=100), d.Buffer(512)
    ns.write(qpair, data, 5).waitdone()
    ns.flush(qpair).waitdone()
    buf.set_copy_range(0, 5, 1)
    ns.copy(qpair, buf, 300, 1, io_flags=FUA).waitdone()
    ns.copy(qpair, buf, 301, 1).waitdone()
    d.Subsystem(nvme0).power_cycle(0)
    nvme0.reset()
    again = d.Qpair(nvme0, 8)
    before = ns.verify_stats()
    ns.read(again, back, 300).waitdone()
    assert back[:] == data[:]
    ns.read(again, back, 301).waitdone()
    after = ns.verify_stats()
    assert (after.judged, after.unverified) == (before.judged + 1, before.unverified + 1)
    again.delete()


def test_the_range_that_could_not_be_copied(copier):
    nvme0, ns, _, _ = copier
    qpair, buf, found = d.Qpair(nvme0, 8), d.Buffer(), []
    buf.set_copy_range(0, 0, 8)
    buf.set_copy_range(1, ns.id_ns.nsze - 1, 2)
    with pytest.warns(UserWarning, match="^ERROR status: 00/80"):
        ns.copy(qpair, buf, 100, 2, cb=lambda cdw0, status: found.append(cdw0)).waitdone()
    assert found == [1]
    qpair.delete()
