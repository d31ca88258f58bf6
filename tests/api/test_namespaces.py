# SPDX-License-Identifier: BSD-3-Clause
"""Thirty-two namespaces: verified workers on all at once, and for each its own table of what is expected."""

import contextlib

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

COUNT = 32


@pytest.fixture
def drive():
    with VirtualSsd(size="4M", namespaces=COUNT, queues=64) as ssd:
        pcie = d.Pcie(ssd.address)
        nvme0 = d.Controller(pcie)
        nvme0.init_queues(63 << 16 | 63)
        yield ssd, nvme0, [d.Namespace(nvme0, nsid) for nsid in range(1, COUNT + 1)]
        pcie.close()


def work(nvme0n, **options):
    return nvme0n.ioworker(
        io_size=8, lba_random=True, read_percentage=50, region_end=4096, qdepth=4, **options
    )


def test_verified_workers_on_thirty_two_namespaces_at_once(drive):
    ssd, _nvme0, namespaces = drive
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(work(n, io_count=300)) for n in namespaces]
        results = [worker.close() for worker in workers]
    assert [result.error for result in results] == [0] * COUNT
    assert sum(result.io_count_read + result.io_count_nonread for result in results) == 300 * COUNT
    assert ssd.counters().bytes_written > 0


def test_what_one_namespace_holds_is_expected_of_no_other(drive):
    """The same LBA holds different data in each; a corruption is reported only for its own namespace."""
    ssd, nvme0, namespaces = drive
    qpair, back = d.Qpair(nvme0, 8), d.Buffer(4096)
    written = []
    for nvme0n in namespaces:
        data = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
        nvme0n.write(qpair, data, 8, 8).waitdone()
        written.append(bytes(data[:]))
    assert len(set(written)) == COUNT
    ssd.poke(7, 8, ssd.peek(8, 8))
    for nvme0n, data in zip(namespaces, written):
        if nvme0n.nsid == 7:
            with pytest.warns(UserWarning, match="^ERROR status: 07/81"):
                nvme0n.read(qpair, back, 8, 8).waitdone()
        else:
            nvme0n.read(qpair, back, 8, 8).waitdone()
            assert bytes(back[:]) == data


def test_a_format_of_one_leaves_the_others_and_their_workers_alone(drive):
    _ssd, nvme0, namespaces = drive
    qpair, back = d.Qpair(nvme0, 8), d.Buffer(4096)
    namespaces[4].write(qpair, d.Buffer(4096, ptype=0xBEEF, pvalue=100), 0, 8).waitdone()
    with work(namespaces[0], time=1), work(namespaces[9], time=1):
        namespaces[4].format(4096)
    namespaces[4].read(qpair, back, 0).waitdone()
    assert back[:] == bytes(4096)
    assert [n.id_ns.flbas.lbafil for n in namespaces] == [0] * 4 + [1] + [0] * 27
    work(namespaces[4], io_count=100).start().close()


def test_a_namespace_tells_its_lba_size_and_repr_is_right_after_a_format(own):
    nvme0n1 = own.nvme0n1
    assert (nvme0n1.lba_size, nvme0n1.metadata_size) == (512, 0)
    before = nvme0n1.capacity // 512
    assert f"{before} LBAs of 512 bytes" in repr(nvme0n1)
    nvme0n1.format(4096)
    assert f"{before // 8} LBAs of 4096 bytes" in repr(nvme0n1)
    assert (nvme0n1.lba_size, nvme0n1.metadata_size) == (4096, 0)
    own.nvme0.format(0).waitdone()
    assert f"{before} LBAs of 512 bytes" in repr(nvme0n1)
    own.pcie.close()
    assert "LBAs of 512 bytes" in repr(nvme0n1), "as it was known last"
