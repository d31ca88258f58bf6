# SPDX-License-Identifier: BSD-3-Clause
"""SGLs, which our driver and scripts build, and another controller reads (Base 4.1.2)."""

from __future__ import annotations

import os
import re

import nvme as d
import pytest

from pynvme.sgl import DataBlock, LastSegment, Segment, Sgl

READ = 2


def test_the_drive_takes_sgls(nvme0):
    assert nvme0.id_ctrl.sgls.sgls


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("size", [512, 4096, 5120, 65536])
def test_data_that_the_driver_describes(nvme0n1, qpair, size):
    buf, back = d.Buffer(size, ptype=0xBEEF, pvalue=100), d.Buffer(size)
    nvme0n1.write(qpair, buf, 16, size // 512, sgl=True).waitdone()
    before = nvme0n1.verify_stats().judged
    nvme0n1.read(qpair, back, 16, size // 512, sgl=True).waitdone()
    assert back[:] == buf[:]
    assert nvme0n1.verify_stats().judged - before == size // 512
    nvme0n1.read(qpair, back, 16, size // 512).waitdone()
    assert back[:] == buf[:], "by PRPs, too"


def one_segment(pieces):
    return Sgl(*pieces)


def two_segments(pieces):
    return Sgl(*pieces, per_segment=4)


def three_segments(pieces):
    """Neighbours differ in their length, since QEMU refuses others (docs/found.md)."""
    return Sgl(Segment(*pieces[:2], Segment(pieces[2], LastSegment(*pieces[3:]))))


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("shape", [one_segment, two_segments, three_segments])
def test_a_list_in_pieces_and_segments(nvme0n1, qpair, shape):
    data = os.urandom(4096)
    buf, back = d.Buffer(8192), d.Buffer(8192)
    buf[:4096] = data
    cuts = (0, 4, 1000, 1004, 2048, 3000, 4096)
    pieces = [DataBlock(buf, start, end - start) for start, end in zip(cuts, cuts[1:])]
    nvme0n1.write(qpair, None, 100, 8, sgl=shape(pieces)).waitdone()
    nvme0n1.read(qpair, back, 100, 8).waitdone()
    assert bytes(back[:4096]) == data
    target = d.Buffer(4096)
    halves = [DataBlock(target, 2048, 2048), DataBlock(target, 0, 2048)]
    nvme0n1.read(qpair, None, 100, 8, sgl=Sgl(*halves)).waitdone()
    assert bytes(target[:]) == data[2048:] + data[:2048]


def test_wrong_lists_are_refused(nvme0n1, qpair):
    buf = d.Buffer(4096)
    for status, sgl in (
        ("00/0f", Sgl(DataBlock(buf, 0, 512))),
        ("00/0d", Sgl(LastSegment(DataBlock(buf), length=24))),
    ):
        with pytest.warns(UserWarning, match=re.escape(f"ERROR status: {status}")):
            nvme0n1.read(qpair, None, 0, 8, sgl=sgl).waitdone()


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_worker_describes_some_of_its_data(nvme0n1):
    result = (
        nvme0n1.ioworker(
            io_size=16, read_percentage=50, io_count=400, qdepth=8, region_end=4096, sgl_percentage=50
        )
        .start()
        .close()
    )
    assert (result.error, result.lba_mismatch) == (0, 0) and result.lba_verified > 0
