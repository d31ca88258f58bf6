# SPDX-License-Identifier: BSD-3-Clause
"""Asynchronous events."""

import time

import nvme as d
import pytest


def settle(nvme0):
    """Give the drive a moment, then reap."""
    for _ in range(5):
        time.sleep(0.02)
        nvme0.getfeatures(7).waitdone()


def test_aer_fixture(nvme0, qpair, aer):
    cpls = []
    aer(lambda cpl: cpls.append(cpl))
    nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10100"):
        settle(nvme0)
    assert cpls[0][0] == 0x10100


def test_unregistered_again(nvme0, qpair):
    nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10100"):
        settle(nvme0)


def test_aer_is_sent_again(nvme0, qpair, aer):
    events = []
    aer(lambda cdw0, status: events.append(cdw0))
    for _ in range(3):
        nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
        with pytest.warns(UserWarning, match="AER notification is triggered: 0x10100"):
            settle(nvme0)
        nvme0[0x1000 + 8 * qpair.sqid] = 0
        nvme0.getlogpage(1, d.Buffer(4096), 64).waitdone()
    assert events == [0x10100] * 3


def test_event_is_masked_until_its_log_is_read(nvme0, qpair, aer):
    events = []
    aer(lambda cdw0, status: events.append(cdw0))
    with pytest.warns(UserWarning, match="AER notification is triggered"):
        nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
        settle(nvme0)
        nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFE
        settle(nvme0)
    assert len(events) == 1
    with pytest.warns(UserWarning, match="AER notification is triggered"):
        nvme0.getlogpage(1, d.Buffer(4096), 64).waitdone()
        settle(nvme0)
    assert len(events) == 2


def test_invalid_doorbell_register(nvme0, aer):
    events = []
    aer(lambda cdw0, status: events.append(cdw0))
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10000"):
        nvme0[0x1000 + 8 * 15] = 1
        settle(nvme0)
    assert events == [0x10000]


def test_callback_of_its_own(nvme0, qpair):
    mine = []
    nvme0.aer(cb=lambda cdw0, status: mine.append(cdw0))
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x"):
        nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
        settle(nvme0)
        nvme0.setfeatures(4, cdw11=200).waitdone()
        settle(nvme0)
    assert mine in ([0x10100], [0x20101])


def test_temperature_event(nvme0, aer):
    events = []
    aer(lambda cdw0, status: events.append(cdw0))
    origin = nvme0.getfeatures(4).waitdone()
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x20101"):
        nvme0.setfeatures(4, cdw11=200).waitdone()
        settle(nvme0)
    smart = d.Buffer(512)
    nvme0.setfeatures(4, cdw11=origin).waitdone()
    nvme0.getlogpage(2, smart, 512).waitdone()
    assert events == [0x20101]
    settle(nvme0)
    nvme0.getlogpage(2, smart, 512).waitdone()
    assert not smart[0] & 2


def test_temperature_event_disabled(nvme0):
    enabled, limit = nvme0.getfeatures(0xB).waitdone(), nvme0.getfeatures(4).waitdone()
    nvme0.setfeatures(0xB, cdw11=enabled & ~2).waitdone()
    nvme0.setfeatures(4, cdw11=200).waitdone()
    settle(nvme0)
    nvme0.setfeatures(4, cdw11=limit).waitdone()
    nvme0.setfeatures(0xB, cdw11=enabled).waitdone()
    nvme0.getlogpage(2, d.Buffer(512), 512).waitdone()


def test_aer_does_not_count(nvme0, qpair):
    done = []
    nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
    time.sleep(0.05)
    for _ in range(4):
        nvme0.getfeatures(7, cb=done.append)
    with pytest.warns(UserWarning, match="AER notification is triggered"):
        nvme0.waitdone(4)
    assert len(done) == 4


def test_aer_limit(nvme0):
    for _ in range(nvme0.id_data(259)):
        nvme0.aer()
    nvme0.aer()
    with pytest.warns(UserWarning, match="ERROR status: 01/05"):
        nvme0.getfeatures(7).waitdone()


def test_abort_all_aers(nvme0):
    cids = []
    for _ in range(nvme0.id_data(259)):
        nvme0.aer()
        cids.append(nvme0.latest_cid)
    with pytest.warns(UserWarning, match="ERROR status: 00/07") as told:
        for cid in cids:
            assert nvme0.abort(cid).waitdone() & 1 == 0
        nvme0.getfeatures(7).waitdone()
    assert len(told) == len(cids)


def test_exception_in_the_callback_of_an_aer(nvme0, qpair, aer):
    def explode(cdw0, status):
        raise KeyError("of the script")

    aer(explode)
    nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
    time.sleep(0.05)
    nvme0.getfeatures(7)
    with pytest.warns(UserWarning, match="AER"), pytest.raises(KeyError, match="of the script"):
        nvme0.waitdone()
    nvme0.waitdone()


def test_resets_are_silent(nvme0, pcie, subsystem):
    for _ in range(5):
        nvme0.reset()
        pcie.reset()
        nvme0.reset()
        subsystem.reset()
        nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_events_of_before_a_reset_are_told_once(nvme0, qpair):
    nvme0[0x1000 + 8 * qpair.sqid] = 0xFFFF
    time.sleep(0.05)
    nvme0.reset()
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10100") as told:
        nvme0.getfeatures(7).waitdone()
    assert len(told) == 1
    for _ in range(nvme0.id_data(259)):
        nvme0.aer()
    nvme0.getfeatures(7).waitdone()


def test_queues_reset_and_deleted_in_any_order_ring_no_wrong_doorbell(nvme0, nvme0n1, buf):
    for _ in range(20):
        qpair = d.Qpair(nvme0, 64)
        for _ in range(63):
            nvme0n1.read(qpair, buf, 0, 8)
        nvme0.reset()
        qpair.delete()
    for _ in range(20):
        qpair = d.Qpair(nvme0, 64)
        for _ in range(63):
            nvme0n1.read(qpair, buf, 0, 8)
        qpair.delete()
    settle(nvme0)
