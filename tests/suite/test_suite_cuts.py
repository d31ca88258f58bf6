# SPDX-License-Identifier: BSD-3-Clause
"""Losses of power, one after the other: legal ones are no finding, and each forbidden one is found soon.

`make soak` runs these, with 10,000 legal cuts (PYNVME_SOAK_CUTS).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.suite import Finding, model
from pynvme.suite.drive import Drive
from pynvme.suite.outage import Outages
from pynvme.suite.test_power import LOAD
from pynvme.suite.traffic import model_of
from pynvme.suite.writing import Writer
from pynvme.vssd import VirtualSsd

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]

CUTS = int(os.environ.get("PYNVME_SOAK_CUTS", "300"))
WITHIN = 200
"""Cuts within which a forbidden order has to be found."""

STEPS = (1, 1, 3, 10, 40, 150)
MOST_GROWTH = 8 << 20
"""Bytes by which a process may grow in the second half of its cuts."""

LEGAL = {
    "none": (),
    "any LBA": ("on=power-loss do cache chance=0.5",),
    "any version": ("on=power-loss do cache chance=0.3 versions",),
    "late deallocations": ("opcode=dataset-management do early=20..200 yield",),
}

FORBIDDEN = {
    "flushes that do nothing": "opcode=flush do skip",
    "a flush of three that does nothing": "opcode=flush every=3 do skip",
    "flushes that complete too early": "opcode=flush do early=5",
    "FUA that does nothing": "opcode=write fua=1 do set fua=0",
    "FUA of zeroes that does nothing": "opcode=write-zeroes fua=1 do set fua=0",
    "reads with FUA that do nothing": "opcode=read fua=1 do set fua=0",
    "what was flushed a second ago is lost": "on=power-loss do cache flushed=1s",
    "a part of what was flushed is lost": "on=power-loss do cache flushed=1s chance=0.9",
    "older versions of what was flushed": "on=power-loss do cache flushed=1s versions chance=0.5",
    "a part of an LBA": "on=power-loss do cache chance=0.5 torn=256",
    "the paired page": "on=power-loss do cache pair=8",
    "a shutdown that saves nothing": "on=shutdown do skip",
    "a cache that stays enabled": "opcode=set-features feature=6 cdw11[0:0]=0 do skip",
    "writes without the cache that come late": "while=write-through opcode=write do early=20",
    "deallocations over newer writes": "opcode=dataset-management do early=20..60",
}


@pytest.fixture
def own() -> Iterator[SimpleNamespace]:
    with VirtualSsd(size="64M") as ssd:
        nvme0 = d.Controller(ssd.address)
        drive = Drive(nvme0, d.Subsystem(nvme0), 3, "a_test")
        drive.ns.verify_enable(False)
        yield SimpleNamespace(ssd=ssd, drive=drive, model=model_of(drive))
        nvme0.pcie.close()


def cut_often(drive: Drive, model: model.Model, count: int) -> Iterator[int]:
    """Cut the power under load, in several ways, and count the cuts."""
    writer = Writer(drive, model)
    outages = Outages(drive, model, [(100, 600), (40_000, 200), (drive.nsze - 100, 100)], LOAD)
    for turn in range(count):
        yield turn
        if turn % 5 == 3:
            outages.cut_after_shutdown(20)
        elif turn % 5 == 4:
            outages.cut_without_cache(20)
        elif turn % 5 == 2:
            writer.write_and_read_durably(100 + drive.random.randrange(500), drive.random.randint(1, 20))
            outages.cut_now()
        else:
            outages.cut(drive.random.choice(STEPS))


@pytest.mark.parametrize("order", list(FORBIDDEN))
def test_each_forbidden_order_is_found(own: SimpleNamespace, order: str) -> None:
    own.ssd.fault(FORBIDDEN[order])
    with pytest.raises(Finding):
        for _ in cut_often(own.drive, own.model, WITHIN):
            pass


def resident(pid: int) -> int:
    """Bytes of memory of a process that are in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("order", list(LEGAL))
def test_legal_orders_are_no_finding_and_nothing_leaks(
    own: SimpleNamespace, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the suite remembers of a run is limited here, since it would grow longer than the cuts take."""
    monkeypatch.setattr(model, "REMEMBERED", 2000)
    own.drive.history._entries = type(own.drive.history._entries)(maxlen=2000)
    if LEGAL[order]:
        own.ssd.fault(*LEGAL[order])
    pids = [os.getpid(), own.ssd.pid]
    before = [0, 0]
    for turn in cut_often(own.drive, own.model, CUTS // len(LEGAL)):
        if turn == CUTS // len(LEGAL) // 2:
            before = [resident(pid) for pid in pids]
    grown = [resident(pid) - size for pid, size in zip(pids, before)]
    assert max(grown) < MOST_GROWTH, grown
