# SPDX-License-Identifier: BSD-3-Clause
"""Subsystem: power, shutdown notification, NVM subsystem reset."""

import time
from types import SimpleNamespace

import nvme as d
import pytest

from tests.fix_load import loaded


@pytest.fixture
def own(own):
    """Give also ``own.subsystem``."""
    return SimpleNamespace(**vars(own), subsystem=d.Subsystem(own.nvme0))


def works(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096), 64, 8).waitdone()
    own.nvme0n1.read(pair, d.Buffer(4096), 64, 8).waitdone()
    pair.delete()
    return True


def test_a_power_cycle_takes_the_time_that_was_asked_for(own):
    start = time.monotonic()
    assert own.subsystem.power_cycle(1) is True
    took = time.monotonic() - start
    assert took >= 1
    assert took < 3 or loaded()
    own.nvme0.reset()
    assert works(own)


def test_registers_read_all_ones_while_the_power_is_off(own):
    assert own.subsystem.poweroff() is True
    with pytest.raises(SystemError):
        own.nvme0[0x1C]
    assert own.subsystem.poweron() is True
    own.nvme0.reset()
    assert works(own)


def test_a_script_that_resets_nothing_itself_goes_on_at_once_after_a_power_cycle(own):
    own.subsystem.power_cycle(0)
    assert works(own)


def test_the_power_module_of_a_bench_is_asked_instead(own):
    asked = []
    bench = d.Subsystem(
        own.nvme0, poweron_cb=lambda: asked.append("on"), poweroff_cb=lambda: asked.append("off")
    )
    before = own.ssd.counters().power_cycles
    assert bench.power_cycle(0) is True
    assert asked == ["off", "on"]
    assert own.ssd.counters().power_cycles == before


@pytest.mark.parametrize("abrupt", [False, True])
def test_a_shutdown_notification_is_completed_and_a_reset_brings_the_controller_back(own, abrupt):
    assert own.subsystem.shutdown_notify(abrupt) is True
    assert own.nvme0[0x1C] >> 2 & 3 == 2, "CSTS.SHST: shutdown processing complete"
    own.nvme0.reset()
    assert works(own)


def test_nothing_is_lost_by_a_power_loss_after_a_shutdown(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096, ptype=0xBEEF, pvalue=100), 0, 8).waitdone()
    stored = [own.ssd.peek(1, lba) for lba in range(8)]
    own.subsystem.shutdown_notify()
    own.subsystem.power_cycle(0)
    assert [own.ssd.peek(1, lba) for lba in range(8)] == stored


def test_what_was_not_flushed_is_lost_by_a_power_loss(own):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096, ptype=0xBEEF, pvalue=100), 0, 8).waitdone()
    own.subsystem.power_cycle(0)
    assert own.ssd.peek(1, 0) == bytes(512)


def test_a_subsystem_reset_is_seen_in_csts_until_the_controller_is_reset(own):
    if not own.nvme0.cap >> 36 & 1:
        pytest.skip("needs a drive with NVM Subsystem Reset (CAP.NSSRS)")
    assert own.subsystem.reset() is True
    own.nvme0.reset()
    assert own.nvme0[0x1C] & 0x11 == 0x11, "RDY, and NSSRO"
    assert works(own)


def test_workers_end_without_an_error_when_the_power_goes(own):
    worker = own.nvme0n1.ioworker(io_size=8, time=30, read_percentage=50, region_end=10000).start()
    time.sleep(0.3)
    start = time.monotonic()
    own.subsystem.poweroff()
    result = worker.close()
    assert time.monotonic() - start < 3 or loaded()
    assert result.error == 0
    assert result.io_count_read + result.io_count_write > 0
    own.subsystem.poweron()
    own.nvme0.reset()
    assert works(own)
    assert own.nvme0n1.verify_stats().mismatch == 0
