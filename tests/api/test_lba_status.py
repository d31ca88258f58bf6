# SPDX-License-Identifier: BSD-3-Clause
"""Get LBA Status and its log page, as scripts read them."""

import nvme as d
import pytest

from pynvme import spec

ADDRESS = "vssd:name=lba-status,size=64M,lba_status"


def test_unreadable_lbas_have_names():
    nvme0 = d.Controller(d.Pcie(ADDRESS))
    ns, qpair, buf = d.Namespace(nvme0), d.Qpair(nvme0, 8), d.Buffer(4096)
    ns.write_uncorrectable(qpair, 100, 3).waitdone()
    ns.write_uncorrectable(qpair, 200, 1).waitdone()
    for atype in (0x10, 0x11):
        nvme0.get_lba_status(buf, atype=atype).waitdone()
        found = buf.decode(spec.LbaStatusDescriptors)
        assert (found.nlsd, found.cmpc.cmpc) == (2, 2)
        assert [(entry.dslba, entry.nlb, entry.status.unreadable) for entry in found.descriptors] == [
            (100, 2, 1),
            (200, 0, 1),
        ]
    nvme0.get_lba_status(buf, slba=101, rl=50).waitdone()
    assert [entry.dslba for entry in buf.decode(spec.LbaStatusDescriptors).descriptors] == [101]
    log = nvme0.log(0x0E)
    assert isinstance(log, spec.LbaStatusLog)
    assert (log.lslplen, log.estulb, log.lsgc) == (64, 4, 1)
    assert [(one.rslba, one.rnlb) for one in log.elements[0].ranges] == [(100, 2), (200, 0)]
    assert nvme0.features.lba_status.lsipi == nvme0.features.lba_status.lsiri == 2
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0.get_lba_status(buf, slba=1 << 40).waitdone()
    ns.write(qpair, d.Buffer(512 * 101), 100, 101).waitdone()
    qpair.delete()
    nvme0.pcie.close()
