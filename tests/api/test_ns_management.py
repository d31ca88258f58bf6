# SPDX-License-Identifier: BSD-3-Clause
"""Scripts that create, delete, attach and detach namespaces, and what verification and workers make of it."""

from __future__ import annotations

import time
import warnings

import nvme as d
import pytest

from pynvme import spec
from pynvme.vssd import VirtualSsd

MIB = 1 << 20
DRIVE = "vssd:name=managed,size=16M,namespaces=2,namespace_management=1"
CNTLID = 1


@pytest.fixture(scope="module")
def drive():
    """A drive of two namespaces; each test leaves both as they were."""
    nvme0 = d.Controller(d.Pcie(DRIVE))
    yield nvme0
    nvme0.pcie.close()


@pytest.fixture
def nvme0(drive):
    yield drive
    drive.ns_delete(0xFFFFFFFF).waitdone()
    for _ in range(2):
        drive.ns_attach(drive.ns_create(16 * MIB // 512).waitdone()).waitdone()


def nsids(nvme0, cns=2):
    buf = d.Buffer(4096)
    nvme0.identify(buf, cns=cns).waitdone()
    return [nsid for nsid in spec.NamespaceList(buf).nsid if nsid]


def write_some(nvme0, nsid, pattern):
    """Write and read LBAs 0 to 63."""
    ns, qpair, buf = d.Namespace(nvme0, nsid), d.Qpair(nvme0, 16), d.Buffer(32768, pvalue=pattern)
    ns.write(qpair, buf, 0, 64).waitdone()
    ns.read(qpair, buf, 0, 64).waitdone()
    qpair.delete()
    return ns


def test_a_namespace_is_deleted_and_created_again(nvme0):
    ns = write_some(nvme0, 2, 0x11)
    other = write_some(nvme0, 1, 0x22)
    old = ns.id_ns.nguid
    nvme0.ns_delete(2).waitdone()
    assert nsids(nvme0) == nsids(nvme0, 0x10) == [1]
    assert nvme0.id_ctrl.unvmcap == 16 * MIB
    qpair, buf = d.Qpair(nvme0, 16), d.Buffer(32768)
    with pytest.raises(d.NamespaceCreationError, match=r"namespace 2 of .* is not active"):
        ns.read(qpair, buf, 0, 64)
    assert nvme0.ns_create(4096, flbas=1).waitdone() == 2
    assert nsids(nvme0) == [1] and nsids(nvme0, 0x10) == [1, 2] and nvme0.id_ctrl.unvmcap == 0
    nvme0.ns_attach(2, [CNTLID]).waitdone()
    assert ns.lba_size == 4096 and ns.capacity == 16 * MIB and ns.id_ns.nguid != old
    ns.read(qpair, buf, 0, 8).waitdone()  # not what the deleted one held, which is no false alarm
    assert not any(buf[:])
    other.read(qpair, buf, 0, 64).waitdone()
    assert buf[8:16] != bytes(8)
    qpair.delete()


def test_verification_keeps_what_the_other_namespace_holds(nvme0):
    """A creation and a deletion forget nothing of other namespaces: a changed LBA there is still found."""
    other = write_some(nvme0, 1, 0x22)
    write_some(nvme0, 2, 0x33)
    nvme0.ns_delete(2).waitdone()
    nvme0.ns_create(1024).waitdone()
    qpair, buf = d.Qpair(nvme0, 16), d.Buffer(512)
    judged = other.verify_stats().judged
    other.read(qpair, buf, 7).waitdone()
    assert other.verify_stats().judged == judged + 1
    VirtualSsd.attach(DRIVE).poke(1, 7, bytes(512))
    with pytest.warns(UserWarning, match="07/81"):
        other.read(qpair, buf, 7).waitdone()
    other.write(qpair, buf, 7).waitdone()
    qpair.delete()


def test_a_detached_namespace_keeps_its_data_and_their_verification(nvme0):
    ns = write_some(nvme0, 2, 0x44)
    nvme0.ns_detach(2).waitdone()
    assert nsids(nvme0) == [1]
    nvme0.ns_attach(2).waitdone()
    qpair, buf = d.Qpair(nvme0, 16), d.Buffer(32768)
    judged = ns.verify_stats().judged
    ns.read(qpair, buf, 0, 64).waitdone()
    assert ns.verify_stats().judged == judged + 64
    qpair.delete()


@pytest.mark.parametrize("how", ["delete", "detach"])
def test_workers_of_a_namespace_that_goes_end_with_its_status(nvme0, how):
    ns, other = d.Namespace(nvme0, 2), d.Namespace(nvme0, 1)
    given = {"io_size": 8, "qdepth": 32, "read_percentage": 50, "time": 8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gone, stays = ns.ioworker(**given).start(), other.ioworker(**{**given, "time": 0.5}).start()
        time.sleep(0.2)
        (nvme0.ns_delete(2) if how == "delete" else nvme0.ns_detach(2)).waitdone()
        result = gone.close()
    assert (result.error, result.status) == (-6, 0x02), "Invalid Field: the NSID is not active any more"
    assert stays.close().error == 0
    if how == "delete":
        assert nvme0.ns_create(1024).waitdone() == 2
    nvme0.ns_attach(2).waitdone()
    result = ns.ioworker(io_size=8, read_percentage=50, region_end=1024, io_count=2000).start().close()
    assert result.error == 0 and result.lba_mismatch == 0


def test_wrong_lists_and_sizes_are_the_drives_to_refuse(nvme0):
    for command, status in (
        (lambda: nvme0.ns_attach(2), "01/18"),
        (lambda: nvme0.ns_attach(2, 5), "01/1c"),
        (lambda: nvme0.ns_attach(2, []), "01/1c"),
        (lambda: nvme0.ns_create(1 << 40), "01/15"),
        (lambda: nvme0.ns_create(8, 4), "01/1b"),
        (lambda: nvme0.ns_delete(9), "00/02"),
    ):
        with pytest.warns(UserWarning, match=f"ERROR status: {status}"):
            command().waitdone()
    with pytest.raises(AssertionError, match="2047"):
        nvme0.ns_attach(2, range(3000))


def test_another_host_may_change_the_namespaces(nvme0):
    """The driver identifies again after the event, which another controller may have caused."""
    events = []
    nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    nvme0.getlogpage(4, d.Buffer(4096)).waitdone()
    nvme0.setfeatures(0x0B, cdw11=0x100).waitdone()
    with pytest.warns(UserWarning, match="AER notification"):
        nvme0.ns_detach(2).waitdone()
        events or nvme0.wait_event(5)
    assert events == [0x040002]
    assert nvme0.log(4).nsid[0] == 2
    nvme0.register_aer_cb(None)


def test_each_field_is_where_the_specification_has_it(drive):
    """The bytes of the data, by the command log."""
    drive.cmdlog_keep(4096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drive.ns_create(1, 2, 3, 4, 5, 6, 7, 8, csi=9).waitdone()
        drive.ns_create(0, csi=2, rar=0x11223344, ror=0x22, rnumzrwa=0x33).waitdone()
        zoned = drive.cmdlog_list(1)[0].data
        drive.ns_create(0, lbstm=0x1122334455667788, phndls=[0x99AA, 0xBB]).waitdone()
        more = drive.cmdlog_list(1)[0].data
        drive.ns_attach(2, [1, 0x203]).waitdone()
    assert more[384:394] == bytes.fromhex("8877665544332211 0200") and more[:384] == bytes(384)
    assert more[394:512] == bytes(118) and more[512:] == bytes.fromhex("aa99 bb00") + bytes(3580)
    assert zoned[499:512] == bytes.fromhex("01 44332211 22000000 33000000") and zoned[:499] == bytes(499)
    sent = {command.opcode: command for command in drive.cmdlog_list() if command.opcode in (0x0D, 0x15)}
    sent[0x0D] = next(command for command in drive.cmdlog_list() if command.cdw11 == 9 << 24)
    data = bytearray(4096)
    data[0], data[8], data[26], data[29], data[30], data[92], data[100], data[102] = range(1, 9)
    assert sent[0x0D].data == data and (sent[0x0D].cdw10, sent[0x0D].cdw11) == (0, 9 << 24)
    assert sent[0x15].data[:6] == bytes([2, 0, 1, 0, 3, 2]) and sent[0x15].nsid == 2
    drive.cmdlog_keep(0)
