# SPDX-License-Identifier: BSD-3-Clause
"""Resets under IO, shutdown, power: what is counted, what is lost, what comes back."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


def smart(nvme0):
    b = d.Buffer(512)
    nvme0.getlogpage(2, b, 512).waitdone()
    return b


def power_cycles(nvme0):
    return smart(nvme0).data(127, 112)


def unsafe_shutdowns(nvme0):
    return smart(nvme0).data(159, 144)


def resets(nvme0, pcie, subsystem):
    return {
        "controller": nvme0.reset,
        "hot": lambda: (pcie.reset(), nvme0.reset()),
        "flr": lambda: (pcie.flr(), nvme0.reset()),
        "nssr": lambda: (subsystem.reset(), nvme0.reset()),
        "power": lambda: (subsystem.power_cycle(0), nvme0.reset()),
    }


KINDS = ["controller", "hot", "flr", "nssr", "power"]


@pytest.mark.parametrize("kind", KINDS)
def test_namespace_stays_valid(nvme0, nvme0n1, pcie, subsystem, buf, kind):
    resets(nvme0, pcie, subsystem)[kind]()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


@pytest.mark.parametrize("kind", KINDS)
def test_commands_in_flight_complete(nvme0, nvme0n1, pcie, subsystem, kind):
    qpair, statuses = d.Qpair(nvme0, 64), []
    for i in range(63):
        nvme0n1.read(
            qpair, d.Buffer(131072), i * 256, 256, cb=lambda cpl: statuses.append(cpl[3] >> 17 & 0x7FF)
        )
    resets(nvme0, pcie, subsystem)[kind]()
    while len(statuses) < 63:
        try:
            qpair.waitdone(63 - len(statuses))
        except UserWarning as told:
            assert "ERROR status: 00/08" in str(told)
    assert set(statuses) <= {0, 8}
    qpair.delete()


@pytest.mark.parametrize("kind", KINDS)
def test_workers_end_by_themselves(nvme0, nvme0n1, pcie, subsystem, kind):
    options = {"io_size": 8, "region_end": 100000, "read_percentage": 50, "time": 30, "qdepth": 16}
    workers = [nvme0n1.ioworker(**options).start() for _ in range(2)]
    time.sleep(0.3)
    resets(nvme0, pcie, subsystem)[kind]()
    start = time.time()
    results = [w.close() for w in workers]
    assert time.time() - start < 5 or loaded()
    assert [r.error for r in results] == [0, 0]
    assert all(r.io_count_read > 0 for r in results)
    assert nvme0n1.ioworker(io_size=8, io_count=100).start().close().io_count_read == 100


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_resets_count_no_power_cycle(nvme0, pcie, subsystem, kind):
    before = power_cycles(nvme0)
    resets(nvme0, pcie, subsystem)[kind]()
    assert power_cycles(nvme0) == before


def test_power_cycle_counts(nvme0, subsystem):
    before, unsafe = power_cycles(nvme0), unsafe_shutdowns(nvme0)
    subsystem.power_cycle(0)
    nvme0.reset()
    assert power_cycles(nvme0) == before + 1
    assert unsafe_shutdowns(nvme0) == unsafe + 1


def test_power_cycle_takes_its_time(nvme0, subsystem):
    start = time.time()
    assert subsystem.power_cycle(1) is True
    took = time.time() - start
    assert took > 0.9
    assert took < 3 or loaded()
    nvme0.reset()


@pytest.mark.parametrize("abrupt", [False, True])
def test_shutdown_notification(nvme0, subsystem, abrupt):
    assert subsystem.shutdown_notify(abrupt) is True
    assert nvme0[0x1C] >> 2 & 3 == 2
    unsafe = None
    nvme0.reset()
    assert nvme0[0x1C] >> 2 & 3 == 0
    unsafe = unsafe_shutdowns(nvme0)
    subsystem.shutdown_notify(abrupt=abrupt)
    subsystem.power_cycle(0)
    nvme0.reset()
    assert unsafe_shutdowns(nvme0) == unsafe


def test_off_and_on(nvme0, subsystem):
    assert subsystem.poweroff() is True
    time.sleep(0.1)
    assert subsystem.poweron() is True
    nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_registers_without_power(nvme0, subsystem):
    subsystem.poweroff()
    try:
        with pytest.raises(SystemError):
            nvme0[0x1C]
    finally:
        subsystem.poweron()
        nvme0.reset()


def test_callbacks_instead_of_the_switch(nvme0):
    calls = []
    subsystem = d.Subsystem(
        nvme0, poweron_cb=lambda: calls.append("on"), poweroff_cb=lambda: calls.append("off")
    )
    subsystem.power_cycle(0)
    assert calls == ["off", "on"]
    nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_nssr_by_hand(nvme0):
    if not nvme0.cap >> 36 & 1:
        pytest.skip("needs a drive with NSSR")
    nvme0[0x20] = 0x4E564D65
    deadline = time.time() + 5
    while nvme0[0x1C] & 1:
        assert time.time() < deadline or loaded()
    assert nvme0[0x1C] & 0x10
    nvme0.reset()
    nvme0[0x1C] = 0x10
    assert not nvme0[0x1C] & 0x10


def test_shutdown_by_hand(nvme0):
    nvme0[0x14] = nvme0[0x14] & ~0xC000 | 1 << 14
    deadline = time.time() + 5
    while nvme0[0x1C] >> 2 & 3 != 2:
        assert time.time() < deadline or loaded()
    nvme0.reset()


def test_disable_by_hand_under_io(nvme0, nvme0n1):
    qpair = d.Qpair(nvme0, 64)
    for i in range(63):
        nvme0n1.read(qpair, d.Buffer(131072), i * 256, 256)
    nvme0[0x14] = nvme0[0x14] & ~1
    deadline = time.time() + 5
    while nvme0[0x1C] & 1:
        assert time.time() < deadline or loaded()
    nvme0.reset()
    qpair.delete()
    nvme0.getfeatures(7).waitdone()


def test_cache_off_loses_nothing(nvme0, nvme0n1, subsystem):
    if not nvme0.id_data(525) & 1:
        pytest.skip("needs a drive with a volatile write cache")
    nvme0.setfeatures(6, cdw11=0).waitdone()
    qpair, b, back = d.Qpair(nvme0, 8), d.Buffer(512), d.Buffer(512)
    nvme0n1.write(qpair, b, 12345, 1).waitdone()
    subsystem.power_cycle(0)
    nvme0.reset()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.read(qpair, back, 12345, 1).waitdone()
    assert back[:] == b[:]
    nvme0.setfeatures(6, cdw11=1).waitdone()
    qpair.delete()


@pytest.mark.parametrize("how", ["flush", "fua", "shutdown"])
def test_what_must_survive_a_power_loss(nvme0, nvme0n1, subsystem, how):
    qpair, b, back = d.Qpair(nvme0, 8), d.Buffer(4096), d.Buffer(4096)
    nvme0n1.write(qpair, b, 800, 8, io_flags=0x4000 if how == "fua" else 0).waitdone()
    if how == "flush":
        nvme0n1.flush(qpair).waitdone()
    elif how == "shutdown":
        subsystem.shutdown_notify()
    subsystem.power_cycle(0)
    nvme0.reset()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.read(qpair, back, 800, 8).waitdone()
    assert back[:] == b[:]
    qpair.delete()


def test_power_state_survives_a_format_and_not_a_power_cycle(nvme0, nvme0n1, subsystem):
    nvme0.setfeatures(2, cdw11=2).waitdone()
    nvme0n1.format(512)
    assert nvme0.getfeatures(2).waitdone() & 0x1F == 2
    subsystem.power_cycle(0)
    nvme0.reset()
    assert nvme0.getfeatures(2).waitdone() & 0x1F == 0


def test_script_of_the_first_generation_goes_on_at_once(nvme0, nvme0n1, pcie, subsystem, buf):
    pcie.reset()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    subsystem.power_cycle(0)
    nvme0.identify(buf).waitdone()
    subsystem.reset()
    nvme0.getfeatures(7).waitdone()


def test_twenty_resets_of_each_kind(nvme0, nvme0n1, pcie, subsystem, buf):
    every = resets(nvme0, pcie, subsystem)
    for i in range(100):
        every[KINDS[i % 5]]()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


@pytest.mark.parametrize("kind", KINDS)
def test_admin_commands_in_flight(nvme0, pcie, subsystem, kind):
    done = []
    for _ in range(50):
        nvme0.getfeatures(7, cb=lambda cpl: done.append(cpl[3] >> 17 & 0x7FF))
    resets(nvme0, pcie, subsystem)[kind]()
    while len(done) < 50:
        try:
            nvme0.waitdone(50 - len(done))
        except UserWarning as told:
            assert "ERROR status: 00/08" in str(told)
    assert set(done) <= {0, 8}
    nvme0.getfeatures(7).waitdone()
