# SPDX-License-Identifier: BSD-3-Clause
"""Flexible Data Placement of a drive that we did not write: QEMU's (8.1 and later)."""

from __future__ import annotations

import nvme as d
import pytest

from pynvme import spec

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = "fdp"
HANDLES, SIZE = 4, 8 << 20
"""As tools/qemu/run makes it: reclaim unit handles, and bytes of a reclaim unit."""


@pytest.fixture
def fdp(nvme0n1):
    return nvme0n1.fdp


def left(fdp, qpair):
    """LBAs that fit into the current reclaim unit of each handle."""
    return {int(one.pid): int(one.ruamw) for one in fdp.status(qpair)}


def test_the_configuration_is_that_of_the_drive(fdp, nvme0):
    assert nvme0.id_ctrl.ctratt.fdps
    assert fdp.enabled
    assert (int(fdp.configuration.nruh), int(fdp.configuration.runs)) == (HANDLES, SIZE)
    assert len(fdp.usage) == HANDLES


def test_a_write_goes_to_its_handle(fdp, nvme0n1, qpair):
    before, stats = left(fdp, qpair), fdp.stats
    assert sorted(before) == [0, 1, 2]
    buf = d.Buffer(64 << 10)
    count = len(buf) // nvme0n1.lba_size
    for turn in range(4):
        nvme0n1.write(qpair, buf, turn * count, count, placement=2).waitdone()
    after, now = left(fdp, qpair), fdp.stats
    assert before[2] - after[2] == 4 * count and before[1] == after[1]
    assert int(now.hbmw) - int(stats.hbmw) == 4 * len(buf)
    assert fdp.waf >= 1.0


def test_an_update_gives_a_new_reclaim_unit(fdp, nvme0n1, qpair):
    nvme0n1.write(qpair, d.Buffer(4096), 0, 4096 // nvme0n1.lba_size, placement=1).waitdone()
    whole = SIZE // nvme0n1.lba_size
    assert left(fdp, qpair)[1] < whole
    fdp.update(qpair, 1)
    assert left(fdp, qpair)[1] == whole


def test_events_of_the_host(fdp, nvme0n1, qpair):
    fdp.set_events(spec.FdpEventType.RU_NOT_FULLY_WRITTEN, handle=1)
    assert fdp.reported(1)[spec.FdpEventType.RU_NOT_FULLY_WRITTEN]
    nvme0n1.write(qpair, d.Buffer(4096), 0, 4096 // nvme0n1.lba_size, placement=1).waitdone()
    fdp.update(qpair, 1)
    event = fdp.events()[-1]
    assert (event.et, int(event.pid), int(event.nsid)) == (spec.FdpEventType.RU_NOT_FULLY_WRITTEN, 1, 1)


def test_a_worker_places_its_writes(fdp, nvme0n1, qpair):
    before = left(fdp, qpair)
    result = (
        nvme0n1.ioworker(
            io_size=8, lba_random=False, read_percentage=0, io_count=64, qdepth=4, placement=[1, 2]
        )
        .start()
        .close()
    )
    assert (result.error, result.io_count_nonread) == (0, 64)
    after = left(fdp, qpair)
    assert before[1] - after[1] == before[2] - after[2] == 32 * 8
    assert before[0] == after[0]
