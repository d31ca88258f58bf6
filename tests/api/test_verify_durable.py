# SPDX-License-Identifier: BSD-3-Clause
"""Data that must survive a power loss, and whose loss is found: flushes, shutdowns, FUA, and no cache.

Each test corrupts what the drive has kept, by `poke`: where pynvme expects it, the read is a mismatch; where
nobody can know whether it survived, it counts as unverified.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

WCE, FUA, FLUSH, ALL = 6, 0x4000, 0, 0xFFFFFFFF


class Two:
    """A virtual SSD with two namespaces, and what a test does to it."""

    def __init__(self, ssd: VirtualSsd) -> None:
        self.ssd = ssd
        self.pcie = d.Pcie(ssd.address)
        self.nvme0 = d.Controller(self.pcie)
        self.ns = [d.Namespace(self.nvme0, nsid) for nsid in (1, 2)]
        self.qpair = d.Qpair(self.nvme0, 16)

    def write(self, lba: int, **options: int) -> None:
        for ns in self.ns:
            ns.write(self.qpair, d.Buffer(512), lba, 1, **options).waitdone()

    def cycle(self) -> None:
        """Lose the power without the driver noticing."""
        self.ssd.power(False)
        self.ssd.power(True)
        self.nvme0.reset()
        self.qpair = d.Qpair(self.nvme0, 16)

    def found(self, lba: int) -> list[bool | None]:
        """For each namespace whether a flipped bit of that LBA is found; None: it is not verified."""
        return [self._found(ns, lba) for ns in self.ns]

    def _found(self, ns: d.Namespace, lba: int) -> bool | None:
        data = bytearray(self.ssd.peek(ns.nsid, lba))
        data[100] ^= 1
        self.ssd.poke(ns.nsid, lba, data)
        before = ns.verify_stats()
        with pytest.warns(UserWarning, match="^ERROR status: 07/81|^read"):
            ns.read(self.qpair, d.Buffer(512), lba).waitdone()
            warnings.warn("read", stacklevel=1)
        after = ns.verify_stats()
        data[100] ^= 1
        self.ssd.poke(ns.nsid, lba, data)
        return None if after.judged == before.judged else after.mismatch > before.mismatch


@pytest.fixture
def two() -> Iterator[Two]:
    with VirtualSsd(size="64M", namespaces=2) as ssd:
        drive = Two(ssd)
        yield drive
        drive.pcie.close()


def test_a_flush_of_one_namespace_covers_that_one(two: Two) -> None:
    two.write(5)
    two.ns[1].flush(two.qpair).waitdone()
    two.cycle()
    assert two.found(5) == [None, True]


def test_a_flush_of_all_namespaces_covers_each(two: Two) -> None:
    two.write(5)
    two.ns[0].send_cmd(FLUSH, two.qpair, nsid=ALL).waitdone()
    two.write(6)
    two.cycle()
    assert two.found(5) == [True, True]
    assert two.found(6) == [None, None]


def test_a_flush_that_another_namespace_s_object_sends_is_the_one_that_it_names(two: Two) -> None:
    two.write(5)
    two.ns[0].send_cmd(FLUSH, two.qpair, nsid=2).waitdone()
    two.cycle()
    assert two.found(5) == [None, True]


def test_a_flush_covers_what_workers_wrote_and_a_worker_s_flush_what_a_script_wrote(two: Two) -> None:
    two.write(5)
    for ns in two.ns:
        ns.ioworker(
            io_size=1, io_count=64, lba_random=False, region_start=64, read_percentage=0
        ).start().close()
    two.ns[0].send_cmd(FLUSH, two.qpair, nsid=ALL).waitdone()
    two.write(6)
    two.ns[1].ioworker(io_sequence=[(0, FLUSH, 0, 0)]).start().close()
    two.cycle()
    assert two.found(70) == [True, True]
    assert two.found(5) == [True, True]
    assert two.found(6) == [None, True]


def test_fua_survives_alone(two: Two) -> None:
    two.write(5, io_flags=FUA)
    two.write(6)
    for ns in two.ns:
        ns.write_zeroes(two.qpair, 7, 1, io_flags=FUA).waitdone()
    two.cycle()
    assert two.found(5) == [True, True]
    assert two.found(6) == [None, None]
    assert two.found(7) == [True, True]


@pytest.mark.parametrize("abrupt", [False, True])
@pytest.mark.parametrize("how", ["shutdown_notify", "registers"])
def test_a_normal_shutdown_covers_everything_and_an_abrupt_one_promises_nothing(
    two: Two, abrupt: bool, how: str
) -> None:
    two.write(5)
    if how == "shutdown_notify":
        d.Subsystem(two.nvme0).shutdown_notify(abrupt)
    else:
        two.nvme0[0x14] = two.nvme0[0x14] & ~0xC000 | (0x8000 if abrupt else 0x4000)
        while two.nvme0[0x1C] >> 2 & 3 != 2:
            pass
    # The drive has everything, and counts no loss: as if it had been lost all the same.
    two.nvme0.reset()
    d.Subsystem(two.nvme0).power_cycle(0)
    two.nvme0.reset()
    two.qpair = d.Qpair(two.nvme0, 16)
    assert two.found(5) == [None if abrupt else True] * 2


def set_wce(two: Two, on: bool, **options: int) -> None:
    two.nvme0.setfeatures(WCE, cdw11=int(on), **options).waitdone()


def test_without_a_cache_that_is_on_each_write_survives(two: Two) -> None:
    two.write(5)
    set_wce(two, False)
    two.write(6)
    for ns in two.ns:
        ns.write_zeroes(two.qpair, 7).waitdone()
        ns.ioworker(
            io_size=1, io_count=64, lba_random=False, region_start=64, read_percentage=0
        ).start().close()
    two.cycle()
    assert two.found(6) == [True, True]
    assert two.found(7) == [True, True]
    assert two.found(70) == [True, True]
    assert two.found(5) == [None, None]


def test_the_cache_is_on_again_after_a_reset_unless_that_was_saved(two: Two) -> None:
    assert two.nvme0.id_ctrl.oncs.ssfs
    set_wce(two, False)
    two.nvme0.reset()
    two.qpair = d.Qpair(two.nvme0, 16)
    two.write(5)
    two.cycle()
    assert two.found(5) == [None, None]
    set_wce(two, False, sv=1)
    two.cycle()
    two.write(6)
    two.cycle()
    assert two.found(6) == [True, True]
    set_wce(two, True)
    two.write(7)
    two.cycle()
    assert two.found(7) == [None, None]
    assert two.found(6) == [True, True]


def test_the_cache_is_asked_for_at_opening(two: Two) -> None:
    set_wce(two, False, sv=1)
    two.qpair = None
    two.pcie.close()
    again = Two(two.ssd)
    again.write(5)
    again.cycle()
    assert again.found(5) == [True, True]
    again.pcie.close()


def test_the_cache_switched_by_a_raw_command_counts_too(two: Two) -> None:
    two.nvme0.send_cmd(0x09, cdw10=WCE, cdw11=0).waitdone()
    two.write(5)
    two.nvme0.send_cmd(0x09, cdw10=WCE, cdw11=1).waitdone()
    two.write(6)
    two.cycle()
    assert two.found(5) == [True, True]
    assert two.found(6) == [None, None]


def test_two_switches_in_flight_at_once_leave_it_unknown(two: Two) -> None:
    two.nvme0.setfeatures(WCE, cdw11=1)
    two.nvme0.setfeatures(WCE, cdw11=0)
    two.nvme0.waitdone(2)
    two.write(5)
    set_wce(two, False)
    two.write(6)
    two.cycle()
    assert two.found(5) == [None, None]
    assert two.found(6) == [True, True]


def test_a_worker_that_runs_while_the_cache_is_switched_is_judged_from_then_on(two: Two) -> None:
    workers = [
        ns.ioworker(
            io_size=1, time=1, qdepth=2, lba_random=False, region_start=64, region_end=72, read_percentage=0
        )
        for ns in two.ns
    ]
    with contextlib.ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
        set_wce(two, False)
    two.cycle()
    assert two.found(66) == [True, True]


# -- power that another hand cut -------------------------------------------------------------------------


def own_initialisation(nvme0: d.Controller) -> None:
    """The minimum that a queue needs, without Identify."""
    nvme0[0x14] = 0
    while nvme0[0x1C] & 1:
        pass
    nvme0.init_adminq()
    nvme0[0x14] = 0x00460001
    while not nvme0[0x1C] & 1:
        pass


@pytest.fixture
def bare() -> Iterator[SimpleNamespace]:
    """Give a drive that the script initialises itself, without init_ns()."""
    with VirtualSsd(size="64M") as ssd:
        pcie = d.Pcie(ssd.address)
        nvme0 = d.Controller(pcie, nvme_init_func=own_initialisation)
        yield SimpleNamespace(ssd=ssd, nvme0=nvme0, ns=d.Namespace(nvme0))
        pcie.close()


def test_power_that_another_hand_cut_is_seen_by_an_initialisation_of_one_s_own(bare: SimpleNamespace) -> None:
    qpair, b = d.Qpair(bare.nvme0, 8), d.Buffer(512)
    for lba in (5, 6):
        bare.ns.write(qpair, b, lba).waitdone()
    bare.ns.flush(qpair).waitdone()
    bare.ns.write(qpair, b, 5).waitdone()
    bare.ssd.power(False)
    bare.ssd.power(True)
    bare.nvme0.reset()
    qpair = d.Qpair(bare.nvme0, 8)
    before = bare.ns.verify_stats()
    for lba in (5, 6):
        bare.ns.read(qpair, d.Buffer(512), lba).waitdone()
    after = bare.ns.verify_stats()
    assert (after.judged, after.unverified) == (before.judged + 1, before.unverified + 1)
