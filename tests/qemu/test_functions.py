# SPDX-License-Identifier: BSD-3-Clause
"""Virtual functions that a script enables, while it has the physical function itself (PCIe 9, Base 8.2.6)."""

from __future__ import annotations

import nvme as d
import pytest

from pynvme import decode, sriov
from pynvme.pci import DriveError
from pynvme.spec import Cns
from pynvme.spec import VirtualizationAction as Act

pytestmark = [pytest.mark.needs_engine("interrupts"), pytest.mark.filterwarnings("error::UserWarning")]

DRIVE = "sriov"
SECONDARY = 1
QUEUES, INTERRUPTS = 0, 1


def give(nvme0, cntlid, queues, vectors):
    """Assign resources, and bring the controller online."""
    for rt, count in ((QUEUES, queues), (INTERRUPTS, vectors)):
        nvme0.virtualization_management(Act.SECONDARY_ASSIGN, rt, cntlid=cntlid, nr=count).waitdone()
    nvme0.virtualization_management(Act.SECONDARY_ONLINE, cntlid=cntlid).waitdone()


def free(nvme0, pcie):
    """Take the flexible resources from the primary controller, which a function level reset does."""
    for rt in QUEUES, INTERRUPTS:
        nvme0.virtualization_management(Act.PRIMARY_FLEXIBLE, rt, cntlid=0, nr=0).waitdone()
    pcie.flr()
    nvme0.reset()


def online(nvme0):
    """The secondary controllers that are online."""
    entries = decode.identify(nvme0, Cns.SECONDARY_CTRL_LIST).entry
    return [int(entry.scid) for entry in entries if entry.scs.scst]


@pytest.fixture
def addresses(nvme0, pcie):
    """Two virtual functions, whose controllers are offline."""
    free(nvme0, pcie)
    yield sriov.enable(nvme0, 2)
    sriov.enable(nvme0, 0)


def test_a_script_has_both_functions(nvme0, nvme0n1, addresses):
    assert sriov.total(nvme0) == len(addresses) == 2
    give(nvme0, SECONDARY, queues=3, vectors=2)
    assert online(nvme0) == [SECONDARY]
    vf = d.Controller(d.Pcie(addresses[0]))
    namespace, qpair = d.Namespace(vf, 1), d.Qpair(vf, 16)
    assert vf.id_data(79, 78) == SECONDARY
    buf, back = d.Buffer(4096, ptype=0xBEEF, pvalue=100), d.Buffer(4096)
    namespace.write(qpair, buf, 0, 8).waitdone()
    own = d.Qpair(nvme0, 16)
    nvme0n1.read(own, back, 0, 8).waitdone()
    assert back[:] == buf[:], "the namespace is shared"
    assert nvme0n1.verify_stats().judged >= 8, "and what the virtual function wrote is known"
    workers = [
        one.ioworker(
            io_size=8, region_start=start, region_end=start + 4096, read_percentage=50, io_count=400, qdepth=8
        ).start()
        for one, start in ((namespace, 0), (nvme0n1, 8192))
    ]
    for worker in workers:
        result = worker.close()
        assert (result.error, result.lba_mismatch) == (0, 0) and result.lba_verified > 0
    for one in (qpair, own):
        one.delete()
    vf.pcie.close()
    nvme0.virtualization_management(Act.SECONDARY_OFFLINE, cntlid=SECONDARY).waitdone()
    assert online(nvme0) == []


def test_a_virtual_function_in_use_is_not_disabled(nvme0, addresses):
    give(nvme0, SECONDARY, queues=2, vectors=1)
    vf = d.Controller(addresses[0])
    with pytest.raises(DriveError, match=f"the virtual function {addresses[0]} is open in process"):
        sriov.enable(nvme0, 0)
    vf.pcie.close()
    assert sriov.enable(nvme0, 2) == addresses, "they are there"


def test_wrong_numbers_of_functions(nvme0):
    with pytest.raises(ValueError, match="0 to 2 virtual functions"):
        sriov.enable(nvme0, 3)


def test_other_drives_have_none(drive):
    plain = d.Controller(d.Pcie(drive("plain")))
    assert sriov.total(plain) == 0
    with pytest.raises(NotImplementedError, match="no SR-IOV capability"):
        sriov.enable(plain, 1)
    plain.pcie.close()
