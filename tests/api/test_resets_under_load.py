# SPDX-License-Identifier: BSD-3-Clause
"""Resets, power states and power loss under load: a worker runs, and the script has commands in flight."""

import time
import warnings

import nvme as d
import pytest

from tests.fix_load import loaded

NOT_SENT = 0x008  # aborted with its queue


def smart(nvme0, first, last):
    log = d.Buffer(512)
    nvme0.getlogpage(2, log, 512).waitdone()
    return log.data(last, first)


def power_cycles(nvme0):
    return smart(nvme0, 112, 127)


def unsafe_shutdowns(nvme0):
    return smart(nvme0, 144, 159)


def power_cycle(own):
    d.Subsystem(own.nvme0).power_cycle(0)


def power_cycle_by_callbacks(own):
    d.Subsystem(
        own.nvme0, poweron_cb=lambda: own.ssd.power(True), poweroff_cb=lambda: own.ssd.power(False)
    ).power_cycle(0)


def shutdown_and_power_cycle(own):
    subsystem = d.Subsystem(own.nvme0)
    assert subsystem.shutdown_notify() is True
    assert own.nvme0[0x1C] >> 2 & 3 == 2, "CSTS.SHST: complete"
    subsystem.power_cycle(0)


EVENTS = {
    "controller reset": lambda own: own.nvme0.reset(),
    "hot reset": lambda own: own.pcie.reset(),
    "FLR": lambda own: own.pcie.flr(),
    "NSSR": lambda own: d.Subsystem(own.nvme0).reset(),
    "power cycle": power_cycle,
    "power cycle by callbacks": power_cycle_by_callbacks,
    "shutdown": shutdown_and_power_cycle,
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_everything_ends_with_a_status_and_works_afterwards(own, event):
    nvme0, nvme0n1 = own.nvme0, own.nvme0n1
    for _ in range(2):
        worker = nvme0n1.ioworker(io_size=8, time=30, read_percentage=50, region_end=20000, qdepth=64).start()
        while worker.progress[2] == 0:
            time.sleep(0.001)
        pair, statuses = d.Qpair(nvme0, 64), []
        buffers = [d.Buffer(131072) for _ in range(63)]
        for i, buf in enumerate(buffers):
            nvme0n1.write(
                pair, buf, 30000 + 256 * i, 256, cb=lambda cdw0, s, to=statuses: to.append(s >> 1 & 0x7FF)
            )
        event(own)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # how many were still in flight is chance
            pair.waitdone(63)
        assert set(statuses) <= {0, NOT_SENT}
        result = worker.close()
        assert result.error == 0
        nvme0.reset()
        nvme0n1.verify_enable()
        fresh = d.Qpair(nvme0, 16)
        assert fresh.sqid == 1
        for i in range(63):
            nvme0n1.read(fresh, buffers[i], 30000 + 256 * i, 256).waitdone()
        result = nvme0n1.ioworker(io_size=8, io_count=3000, region_end=20000).start().close()
        assert (result.error, result.io_count_read) == (0, 3000)
        fresh.delete()
    assert nvme0n1.verify_stats().mismatch == 0


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_power_cycles_and_unsafe_shutdowns_are_counted(own, event):
    nvme0 = own.nvme0
    cycles, unsafe = power_cycles(nvme0), unsafe_shutdowns(nvme0)
    event(own)
    nvme0.reset()
    name = next(name for name, each in EVENTS.items() if each is event)
    assert power_cycles(nvme0) - cycles == (name.startswith(("power", "shutdown")))
    assert unsafe_shutdowns(nvme0) - unsafe == name.startswith("power")


def test_an_abrupt_shutdown_that_was_notified_is_not_unsafe(own):
    unsafe = unsafe_shutdowns(own.nvme0)
    subsystem = d.Subsystem(own.nvme0)
    assert subsystem.shutdown_notify(abrupt=True) is True
    assert own.nvme0[0x14] >> 14 & 3 == 2, "CC.SHN: abrupt"
    assert own.nvme0[0x1C] >> 2 & 3 == 2
    subsystem.power_cycle(0)
    own.nvme0.reset()
    assert unsafe_shutdowns(own.nvme0) == unsafe


def test_d3hot_keeps_a_running_controller_with_its_commands(own):
    """The drive fetches commands whose doorbell was written before or in D3hot once it is in D0 again."""
    nvme0n1, pcie = own.nvme0n1, own.pcie
    worker = nvme0n1.ioworker(io_size=8, time=1, read_percentage=50, region_end=20000).start()
    pair = d.Qpair(own.nvme0, 64)
    done = []
    for turn in range(3):
        while worker.progress[2] == 0:
            time.sleep(0.001)
        pcie.power_state = 3
        for lba in range(63):
            nvme0n1.write(pair, d.Buffer(512), 30000 + lba, cb=done.append)
        assert pcie.power_state == 3
        with pytest.raises(SystemError):
            own.nvme0[0x1C]
        before = worker.progress[2]
        time.sleep(0.03)
        assert worker.progress[2] - before <= 64, "nothing goes on"
        pcie.power_state = 0
        pair.waitdone(63)
        assert len(done) == 63 * (turn + 1)
        assert own.nvme0[0x1C] & 1
    result = worker.close()
    assert result.error == 0
    assert result.io_count_read > 0
    assert nvme0n1.verify_stats().mismatch == 0


def test_aspm_changes_under_load(own):
    worker = own.nvme0n1.ioworker(io_size=8, io_count=50000, region_end=20000).start()
    for turn in range(40):
        own.pcie.aspm = turn % 4
        assert own.pcie.aspm == turn % 4
    assert worker.close().error == 0


def test_a_shutdown_makes_durable_what_a_worker_wrote(own):
    nvme0n1 = own.nvme0n1
    result = (
        nvme0n1.ioworker(io_size=8, io_count=2000, read_percentage=0, lba_random=False, region_end=16000)
        .start()
        .close()
    )
    assert result.io_count_write == 2000
    shutdown_and_power_cycle(own)
    before = nvme0n1.verify_stats()
    pair = d.Qpair(own.nvme0, 8)
    for lba in range(0, 16000, 160):
        nvme0n1.read(pair, d.Buffer(4096), lba, 8).waitdone()
    after = nvme0n1.verify_stats()
    assert after.judged - before.judged == 800 and after.mismatch == 0


def test_an_initialisation_without_a_reset_before_it_ends_workers_too(own):
    """A worker that continued would ring doorbells of queues that belong to others by then."""
    worker = own.nvme0n1.ioworker(io_size=8, time=60, qdepth=8, region_end=1000).start()
    deadline = time.monotonic() + 20
    while worker.progress[2] == 0:
        assert time.monotonic() < deadline or loaded()
    own.nvme0.init_adminq()
    assert not worker.running, "it has left by the time the controller is enabled"
    assert worker.close().error == 0
    own.nvme0.reset()
