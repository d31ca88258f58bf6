# SPDX-License-Identifier: BSD-3-Clause
"""LBAs of each size, verified: by commands of the script, and by IO workers."""

import nvme as d
import pytest

SIZES = (512, 1024, 2048, 8192, 16384, 65536)


@pytest.mark.parametrize("size", SIZES)
def test_reads_of_each_lba_size_are_verified(size):
    nvme0 = d.Controller(d.Pcie(f"vssd:name=lba-{size},size=64M,lba_size={size}"))
    nvme0n1, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 16)
    assert nvme0n1.lba_size == size
    buf = d.Buffer(2 * size)
    nvme0n1.write(qpair, buf, 7, 2).waitdone()
    nvme0n1.read(qpair, d.Buffer(2 * size), 7, 2).waitdone()
    assert nvme0n1.verify_stats().judged == 2 and nvme0n1.verify_stats().mismatch == 0
    worker = nvme0n1.ioworker(io_size=1, lba_random=True, read_percentage=50, io_count=400, qdepth=8)
    assert worker.start().close().io_count_write > 0
    assert nvme0n1.verify_stats().mismatch == 0
    qpair.delete()
    nvme0.pcie.close()
