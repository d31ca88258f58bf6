# SPDX-License-Identifier: BSD-3-Clause
"""Memory pages above 4 KiB: the driver's queues, PRPs, workers, and buffers (CC.MPS)."""

from __future__ import annotations

import gc
import subprocess
import sys

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

PAGES = [4096, 8192, 16384, 65536]

pytestmark = pytest.mark.needs_engine("memory-pages")


@pytest.fixture
def ssd():
    with VirtualSsd(size="256M", mdts=0, doorbell_buffer=True) as drive:
        yield drive
    gc.collect()


@pytest.fixture(params=PAGES)
def paged(request, ssd):
    nvme0 = d.Controller(ssd.address, memory_page_size=request.param)
    yield nvme0
    nvme0.pcie.close()


def mps(nvme0):
    return nvme0[0x14] >> 7 & 15


def test_the_initialisation_sets_it(paged, request):
    page = request.node.callspec.params["paged"]
    assert (paged.memory_page_size, 4096 << mps(paged)) == (page, page)
    paged.reset()
    assert (paged.memory_page_size, 4096 << mps(paged)) == (page, page)


def test_by_default_it_is_the_smallest(ssd):
    nvme0 = d.Controller(ssd.address)
    assert (nvme0.memory_page_size, mps(nvme0)) == (4096, 0)
    nvme0.pcie.close()


@pytest.mark.parametrize("size", [0x20000, 1 << 21])
def test_pages_that_the_controller_does_not_have(ssd, size):
    with pytest.raises(d.NvmeEnumerateError, match=r"has no memory pages of \d+ KiB: it has 4 to 64 KiB"):
        d.Controller(ssd.address, memory_page_size=size)


@pytest.mark.parametrize("size", [1, 2048, 6000, 1 << 22, 1 << 31])
def test_sizes_that_are_none(ssd, size):
    with pytest.raises((AssertionError, ValueError), match="give a power of two from 4096 to 2097152"):
        d.Controller(ssd.address, memory_page_size=size)


def test_a_script_that_writes_cc_itself(ssd):
    def init(nvme0):
        nvme0[0x14] = 0
        wait_ready(nvme0, 0)
        nvme0.init_adminq()
        nvme0[0x14] = 0x00460001 | 3 << 7
        wait_ready(nvme0, 1)
        nvme0.init_ns()
        nvme0.init_queues(nvme0.setfeatures(7, cdw11=0x00030003).waitdone())

    nvme0 = d.Controller(ssd.address, nvme_init_func=init)
    assert nvme0.memory_page_size == 32768
    round_trip(nvme0, 300 << 10)
    nvme0.pcie.close()


def wait_ready(nvme0, wanted):
    while nvme0[0x1C] & 1 != wanted:
        pass


def round_trip(nvme0, size, offset=0):
    """Write and read so many bytes, at an offset in their buffers."""
    ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
    data = d.Buffer(offset + size, ptype=0xBEEF, pvalue=100)
    back = d.Buffer(offset + size + 4096, pvalue=0xA5A5A5A5, ptype=32)
    data.offset = back.offset = offset
    ns.write(qpair, data, 8, size // 512).waitdone()
    ns.read(qpair, back, 8, size // 512).waitdone()
    assert back[offset : offset + size] == data[offset : offset + size]
    assert back[:offset] == b"\xa5" * offset and back[offset + size :] == b"\xa5" * 4096
    assert ns.verify_stats()["mismatch"] == 0
    qpair.delete()


@pytest.mark.parametrize("size", [512, 4096, 65536, 66048, 131072, 200 << 10, 2 << 20, 32 << 20])
def test_transfers_of_each_length(paged, size):
    round_trip(paged, size)


@pytest.mark.parametrize("offset", [512, 4096, 61440, 65024])
def test_transfers_at_an_offset(paged, offset):
    for size in (512, 8192, 131072):
        round_trip(paged, size, offset)


def test_admin_commands_logs_and_features(paged):
    buf = d.Buffer(4096)
    paged.identify(buf).waitdone()
    assert buf[77] == 0
    paged.getlogpage(2, d.Buffer(512), 512).waitdone()
    paged.getfeatures(7).waitdone()


def test_workers(paged):
    ns = d.Namespace(paged)
    half = {"read_percentage": 50}
    trims = {"op_percentage": {9: 20, 2: 40, 1: 40}}
    for words in ({"io_size": 8, **half}, {"io_size": [1, 9, 300, 1024], **half}, {"io_size": 8, **trims}):
        result = ns.ioworker(lba_random=True, qdepth=16, io_count=1000, **words).start().close()
        assert result.error == 0
    stats = ns.verify_stats()
    assert stats["mismatch"] == 0 and stats["judged"] > 0


def test_shadow_doorbells(paged):
    paged.enable_shadow_doorbells()
    round_trip(paged, 131072)


def test_the_host_memory_buffer(paged):
    if not paged.id_ctrl.hmpre:
        pytest.skip("needs a host memory buffer")
    paged.enable_hmb()
    round_trip(paged, 131072)
    paged.disable_hmb()


def test_a_buffer_that_is_too_small_is_not_overrun(paged):
    ns, qpair = d.Namespace(paged), d.Qpair(paged, 8)
    neighbours = [d.Buffer(4096, pvalue=0x5A5A5A5A, ptype=32) for _ in range(64)]
    for at in range(0, 64, 2):
        neighbours[at].size = 512
        ns.read(qpair, neighbours[at], 0, 256).waitdone()
    assert all(neighbours[at][:] == b"\x5a" * 4096 for at in range(1, 64, 2))
    qpair.delete()


OLDER_BUFFER = """
import nvme as d

buf = d.Buffer(4096)
nvme0 = d.Controller("vssd", memory_page_size=65536)
ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
ns.read(qpair, buf, 0, 8).waitdone()
buf.size = 512
ns.read(qpair, buf, 0, 16)
"""


def test_a_buffer_from_before_such_pages_is_refused_where_it_is_too_small():
    done = subprocess.run([sys.executable, "-c", OLDER_BUFFER], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Create the buffer after the controller was initialised" in done.stderr
