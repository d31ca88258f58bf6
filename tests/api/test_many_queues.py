# SPDX-License-Identifier: BSD-3-Clause
"""Hundreds of queue pairs at once, with verified data, and workers behind them."""

from __future__ import annotations

import gc
import random

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

COUNT = 1000


@pytest.fixture
def own():
    with VirtualSsd(size="64M", queues=65535) as drive:
        nvme0 = d.Controller(drive.address)
        yield nvme0, d.Namespace(nvme0)
        nvme0.pcie.close()
    gc.collect()


def test_a_thousand_queue_pairs_at_once(own):
    nvme0, ns = own
    assert nvme0.max_qpairs == 65535
    chance = random.Random(1)
    pairs = [d.Qpair(nvme0, 4) for _ in range(COUNT)]
    assert sorted(pair.sqid for pair in pairs) == list(range(1, COUNT + 1))
    buf = d.Buffer(512, ptype=0xBEEF, pvalue=100)
    for lba, pair in enumerate(pairs):
        ns.write(pair, buf, lba, 1).waitdone()
    backs = [d.Buffer(512) for _ in pairs]
    chance.shuffle(pairs)
    for lba, pair in enumerate(pairs):
        ns.read(pair, backs[lba], lba, 1)
    for pair in pairs:
        pair.waitdone()
    assert ns.verify_stats() == {"judged": COUNT, "unverified": 0, "mismatch": 0}
    assert [int.from_bytes(back[:8], "little") for back in backs] == list(range(COUNT))

    # A worker gets the next identifier, and so does a queue pair after it.
    worker = ns.ioworker(io_size=8, read_percentage=50, lba_random=True, io_count=2000).start()
    assert worker.close().error == 0
    for pair in pairs:
        pair.delete()
    assert ns.verify_stats()["mismatch"] == 0
    assert d.Qpair(nvme0, 8).sqid == 1


def test_queues_are_gone_after_a_reset(own):
    nvme0, ns = own
    for _ in range(2):
        pairs = [d.Qpair(nvme0, 2) for _ in range(80)]
        nvme0.reset()
        del pairs
    pair = d.Qpair(nvme0, 8)
    ns.read(pair, d.Buffer(512), 0, 1).waitdone()
    assert pair.sqid == 1
