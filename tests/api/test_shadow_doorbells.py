# SPDX-License-Identifier: BSD-3-Clause
"""Shadow doorbells on a virtual SSD: IO of scripts and workers, resets, and buffers of a script's own."""

import nvme as d
import pytest

ADDRESS = "vssd:name=shadow-doorbells,size=64M,doorbell_buffer"


@pytest.fixture
def nvme0():
    """Give a drive with Doorbell Buffer Config, and no queue."""
    nvme0 = d.Controller(d.Pcie(ADDRESS))
    yield nvme0
    nvme0.pcie.close()


def test_io_rings_only_when_the_drive_asks(nvme0):
    for _ in range(2):
        nvme0.enable_shadow_doorbells()
        ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 16)
        for lba in range(40):
            buf = d.Buffer(512)
            buf[100] = lba
            ns.write(qpair, buf, lba).waitdone()
        for lba in range(40):
            ns.read(qpair, d.Buffer(512), lba)
            qpair.waitdone()
        with ns.ioworker(io_size=8, lba_random=True, read_percentage=50, io_count=3000, qdepth=32) as worker:
            pass
        assert worker.close().error == 0
        qpair.delete()
        nvme0.reset()
    ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 16)
    ns.read(qpair, d.Buffer(512), 3).waitdone()
    qpair.delete()


def test_a_script_has_its_own_buffers(nvme0):
    pages = d.Buffer(8192)
    nvme0.doorbell_buffer_config(pages).waitdone()
    with pytest.raises(AssertionError, match="8192 bytes"):
        nvme0.doorbell_buffer_config(d.Buffer(4096))
    nvme0.reset()
