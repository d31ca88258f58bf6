# SPDX-License-Identifier: BSD-3-Clause
"""Resets, power, AERs. A script goes on at once after a reset: the next command initialises."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


def test_registers(nvme0):
    assert hex(nvme0[0]).startswith("0x")
    assert nvme0[0x1C] & 1
    assert nvme0[8] >= 0x10000
    assert nvme0[0x14] & 1


def test_controller_reset(nvme0, buf):
    nvme0.reset()
    assert nvme0[0x1C] == 1
    nvme0.identify(buf).waitdone()


def test_controller_reset_ends_the_queues(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 16)
    nvme0.reset()
    del qpair
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


def test_pci_reset_then_the_script_goes_on(nvme0, nvme0n1, pcie, buf):
    pcie.reset()
    nvme0.identify(buf).waitdone()
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


def test_pci_reset_then_a_queue(nvme0, nvme0n1, pcie, buf):
    pcie.reset()
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


def test_subsystem_reset_then_the_script_goes_on(nvme0, nvme0n1, subsystem, buf):
    if not subsystem.reset():
        pytest.skip("needs a drive with NSSR")
    assert nvme0[0x1C] & 0x10, "CSTS.NSSRO"
    nvme0[0x1C] = 0x10
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


def test_power_cycle_then_the_script_goes_on(nvme0, nvme0n1, subsystem, buf):
    def power_cycles():
        nvme0.getlogpage(2, buf, 512).waitdone()
        return buf.data(127, 112)

    before = power_cycles()
    start = time.time()
    subsystem.power_cycle(1)
    took = time.time() - start
    assert took > 0.9
    assert took < 5 or loaded()
    assert power_cycles() == before + 1
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


@pytest.mark.parametrize("abrupt", [False, True])
def test_shutdown_notification(nvme0, subsystem, buf, abrupt):
    subsystem.shutdown_notify(abrupt)
    assert nvme0[0x1C] >> 2 & 3 == 2
    nvme0.reset()
    assert nvme0[0x1C] >> 2 & 3 == 0
    nvme0.identify(buf).waitdone()


def test_clean_shutdown_before_power_off_is_not_unsafe(nvme0, subsystem, buf):
    def unsafe_shutdowns():
        nvme0.getlogpage(2, buf, 512).waitdone()
        return buf.data(159, 144)

    before = unsafe_shutdowns()
    subsystem.shutdown_notify()
    subsystem.power_cycle(0)
    nvme0.reset()
    assert unsafe_shutdowns() == before
    subsystem.power_cycle(0)
    nvme0.reset()
    assert unsafe_shutdowns() == before + 1


def test_flushed_data_survive_a_power_cycle(nvme0, nvme0n1, subsystem):
    data, back = d.Buffer(512), d.Buffer(512)
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.write(qpair, data, 99, 1).waitdone()
    nvme0n1.flush(qpair).waitdone()
    subsystem.power_cycle(0)
    nvme0.reset()
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, back, 99, 1).waitdone()
    assert back[:] == data[:]


def test_config_space(nvme0, pcie):
    assert pcie[0] | pcie[1] << 8 == nvme0.id_data(1, 0)
    assert pcie[0:4] == [pcie[0], pcie[1], pcie[2], pcie[3]]
    assert pcie.register(8) >> 8 == 0x010802, "an NVMe controller"


def test_capabilities(pcie):
    pm = pcie.cap_offset(1)
    assert pcie[pm] == 1
    assert pcie.cap_offset(0x10) is not None
    assert pcie.cap_offset(0xEE) is None


def test_reset_with_reads_in_flight(nvme0, nvme0n1):
    buf = d.Buffer(4096)
    for _ in range(10):
        qpair = d.Qpair(nvme0, 64)
        for lba in range(60):
            nvme0n1.read(qpair, buf, lba, 8)
        nvme0.reset()
        del qpair


def test_aer_of_a_wrong_doorbell_value(nvme0):
    events = []
    nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    qpair = d.Qpair(nvme0, 8)
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10100"):
        nvme0[0x1000 + 8 * qpair.sqid] = 0x1234
        time.sleep(0.1)
        nvme0.getfeatures(7).waitdone()
    assert events == [0x10100]
    nvme0.register_aer_cb(None)
    nvme0.reset()


def test_aer_of_the_temperature(nvme0):
    log = d.Buffer(512)
    limit = nvme0.getfeatures(4).waitdone()
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x20101"):
        nvme0.setfeatures(4, 200).waitdone()
        time.sleep(0.2)
        nvme0.getlogpage(2, log, 512).waitdone()
    assert log[0] & 2, "critical warning: temperature"
    nvme0.setfeatures(4, limit).waitdone()


def test_one_more_aer_and_its_abort(nvme0):
    nvme0.aer()
    cid = nvme0.latest_cid
    with pytest.warns(UserWarning, match="ERROR status: 00/07"):
        assert nvme0.abort(cid).waitdone() == 0
        nvme0.getfeatures(7).waitdone()


def test_too_many_aers(nvme0):
    for _ in range(nvme0.id_data(259)):
        nvme0.aer()
    nvme0.aer()
    with pytest.warns(UserWarning, match="ERROR status: 01/05"):
        nvme0.getfeatures(7).waitdone()
    nvme0.reset()


@pytest.mark.parametrize("round", range(10))
def test_repeated_resets(nvme0, pcie, subsystem, round):
    (nvme0.reset, pcie.reset, subsystem.reset)[round % 3]()
    nvme0.reset()
    assert nvme0[0x1C] & 1
