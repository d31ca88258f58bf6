# SPDX-License-Identifier: BSD-3-Clause
"""Asynchronous events and Abort: outstanding AERs, resubmission, masking."""

import time
import warnings

import nvme as d
import pytest
from offered import NO_DOORBELL_EVENT, SPDK, commands_wait, needs_aborted

BAD_VALUE, BAD_REGISTER = 0x10100, 0x10000


@pytest.fixture
def pair(nvme0):
    """Give a queue of 4 entries, to whose doorbell tests write wrong values."""
    pair = d.Qpair(nvme0, 4)
    yield pair
    pair.delete()


def wrong_value(nvme0, pair):
    nvme0[0x1000 + 8 * pair.sqid] = 0xFFFF
    nvme0[0x1000 + 8 * pair.sqid] = 0  # the next wrong one is a change again


def wrong_register(nvme0):
    pairs = nvme0.getfeatures(7).waitdone() & 0xFFFF
    nvme0[0x1000 + 8 * (pairs + 1)] = 1


def run_commands(nvme0, enough=lambda: False, seconds=0.1):
    """Wait for unrelated commands, so that pynvme processes an AER that has completed."""
    deadline = time.monotonic() + seconds
    while not enough() and time.monotonic() < deadline:
        nvme0.getfeatures(7).waitdone()


def read_error_log(nvme0):
    nvme0.getlogpage(1, d.Buffer(4096), 4096).waitdone()


def hear(nvme0, got, count, text):
    """Wait for `count` events, and expect their warning."""
    with pytest.warns(UserWarning, match=f"^AER notification is triggered: {text:#x}$"):
        run_commands(nvme0, lambda: len(got) >= count, 5)
    assert len(got) == count


def abort_aers(nvme0, cids):
    """Abort these AERs; return how many completed as aborted. Skip if the drive does not abort AERs."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cdw0 = [nvme0.abort(cid).waitdone() for cid in cids]
    for each in cdw0:
        needs_aborted(each, "Asynchronous Event Requests")
    assert {str(warning.message) for warning in caught} == {"ERROR status: 00/07 Command Abort Requested"}
    return len(caught)


def test_one_aer_is_outstanding_after_the_default_initialisation(nvme0):
    assert abort_aers(nvme0, [127]) == 1
    assert nvme0.abort(126).waitdone() & 1 == 1, "and there was no other"


def test_an_aborted_aer_is_not_sent_again_and_its_cid_is_free(nvme0):
    abort_aers(nvme0, [127])
    for _ in range(127):
        nvme0.getfeatures(7)
    with pytest.raises(AssertionError):
        nvme0.getfeatures(7)
    nvme0.waitdone(127)
    nvme0.aer()
    assert nvme0.latest_cid == 127


@pytest.mark.needs_engine("cids")
def test_cids_beside_the_aer_are_126_to_1_highest_first(nvme0):
    cids = []
    for _ in range(126):
        nvme0.getfeatures(7)
        cids.append(nvme0.latest_cid)
    assert cids == list(range(126, 0, -1))
    nvme0.waitdone(126)
    nvme0.getfeatures(7).waitdone()
    assert nvme0.latest_cid == 126


def test_an_aer_is_sent_again_with_the_same_callback(nvme0, pair):
    got = []
    abort_aers(nvme0, [127])
    nvme0.aer(cb=lambda cdw0, status1: got.append(cdw0))
    for count in (1, 2, 3):
        wrong_value(nvme0, pair)
        hear(nvme0, got, count, BAD_VALUE)
        read_error_log(nvme0)
    assert got == [BAD_VALUE] * 3


@pytest.mark.differs(SPDK, NO_DOORBELL_EVENT)
@pytest.mark.differs(
    "QEMU NVMe Ctrl", "from about 8 on, it drops events while their type is masked (Base 2.0, 5.2)"
)
def test_an_event_is_masked_until_its_log_page_is_read(nvme0, pair, aer):
    got = []
    aer(lambda cdw0, status1: got.append(cdw0))
    wrong_value(nvme0, pair)
    hear(nvme0, got, 1, BAD_VALUE)
    wrong_register(nvme0)  # another event, of the same type
    run_commands(nvme0)
    assert len(got) == 1
    with pytest.warns(UserWarning, match=f"^AER notification is triggered: {BAD_REGISTER:#x}$"):
        read_error_log(nvme0)
        run_commands(nvme0, lambda: len(got) == 2, 5)
    assert got == [BAD_VALUE, BAD_REGISTER]
    read_error_log(nvme0)


def test_an_aer_completes_beside_commands_and_counts_for_none(nvme0, pair, aer):
    got, done = [], []
    aer(lambda cpl: got.append(cpl))
    wrong_value(nvme0, pair)
    with pytest.warns(UserWarning, match=f"^AER notification is triggered: {BAD_VALUE:#x}$"):
        for _ in range(100):
            nvme0.getfeatures(7, cb=done.append)
        nvme0.waitdone(100)
        run_commands(nvme0, lambda: got, 5)
    assert len(done) == 100
    (cpl,) = got
    assert (cpl[0], cpl[3] & 0xFFFF) == (BAD_VALUE, 127)
    assert nvme0.latest_cid != 127, "that it was sent again is the driver's business"
    read_error_log(nvme0)


def test_register_aer_cb_takes_the_function_that_was_registered_last(nvme0, pair):
    first, second = [], []
    nvme0.register_aer_cb(lambda cdw0, status1: first.append(cdw0))
    nvme0.register_aer_cb(lambda cdw0, status1: second.append(cdw0))
    wrong_value(nvme0, pair)
    hear(nvme0, second, 1, BAD_VALUE)
    read_error_log(nvme0)
    nvme0.register_aer_cb(None)
    wrong_value(nvme0, pair)
    with pytest.warns(UserWarning, match="^AER notification"):
        run_commands(nvme0, seconds=0.2)
    assert (first, len(second)) == ([], 1)
    read_error_log(nvme0)


def test_more_requests_than_the_drive_takes_are_refused(nvme0):
    """The next initialisation ends the AERs that the drive holds."""
    for _ in range(nvme0.id_ctrl.aerl):  # 0's based, and one is there
        nvme0.aer()
    run_commands(nvme0)
    with pytest.warns(UserWarning, match="^ERROR status: 01/05"):
        nvme0.aer()
        run_commands(nvme0)


def test_all_the_requests_that_a_drive_takes_are_aborted(nvme0):
    limit = nvme0.id_ctrl.aerl + 1
    for _ in range(limit - 1):
        nvme0.aer()
    assert abort_aers(nvme0, range(127, 127 - limit, -1)) == limit


def test_a_command_that_waits_is_aborted(nvme0, nvme0n1, pcie, buf):
    pair = d.Qpair(nvme0, 16)
    statuses = {}
    cids = []
    with commands_wait(pcie, nvme0):
        for lba in range(10):
            nvme0n1.read(
                pair, buf, lba, cb=lambda cpl: statuses.update({cpl[3] & 0xFFFF: cpl[3] >> 17 & 0x7FF})
            )
            cids.append(pair.latest_cid)
        nvme0.abort(cids[4], pair.sqid)
    needs_aborted(nvme0.waitdone(), "what waits in a submission queue")
    with pytest.warns(UserWarning, match="^ERROR status: 00/07") as caught:
        pair.waitdone(10)
    assert len(caught) == 1
    assert statuses == {cid: 0x007 if cid == cids[4] else 0 for cid in cids}
    pair.delete()


def test_abort_of_a_command_that_is_done_says_so(nvme0, nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0).waitdone()
    assert nvme0.abort(qpair.latest_cid, qpair.sqid).waitdone() & 1 == 1


def test_an_aborted_write_counts_as_unverified(nvme0, nvme0n1, pcie, verify, lba_size):
    pair = d.Qpair(nvme0, 16)
    buf, back = d.Buffer(lba_size, ptype=0xBEEF, pvalue=100), d.Buffer(lba_size)
    nvme0n1.write(pair, buf, 90).waitdone()
    with commands_wait(pcie, nvme0):
        nvme0n1.write(pair, buf, 90)
        nvme0.abort(pair.latest_cid, pair.sqid)
    needs_aborted(nvme0.waitdone(), "what waits in a submission queue")
    with pytest.warns(UserWarning, match="^ERROR status: 00/07"):
        pair.waitdone()
    before = nvme0n1.verify_stats()
    nvme0n1.read(pair, back, 90).waitdone()
    after = nvme0n1.verify_stats()
    assert (after.judged, after.unverified) == (before.judged, before.unverified + 1)
    pair.delete()
