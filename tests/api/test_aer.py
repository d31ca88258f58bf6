# SPDX-License-Identifier: BSD-3-Clause
"""Asynchronous events and Abort: what is outstanding, what is sent again, what is masked."""

import time

import nvme as d
import pytest

BAD_VALUE, BAD_REGISTER = 0x10100, 0x10000


@pytest.fixture
def pair(nvme0):
    """Give a queue of 4 entries, whose doorbell takes wrong values."""
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
    """Wait for commands of no interest, so that an AER that has completed is told."""
    deadline = time.monotonic() + seconds
    while not enough() and time.monotonic() < deadline:
        nvme0.getfeatures(7).waitdone()


def read_error_log(nvme0):
    nvme0.getlogpage(1, d.Buffer(4096), 4096).waitdone()


def hear(nvme0, got, count, text):
    """Let so many events come, and their warning."""
    with pytest.warns(UserWarning, match=f"^AER notification is triggered: {text:#x}$"):
        run_commands(nvme0, lambda: len(got) >= count, 5)
    assert len(got) == count


def test_one_aer_is_outstanding_after_the_default_initialisation(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 00/07$") as caught:
        assert nvme0.abort(127).waitdone() & 1 == 0, "CID 127 was aborted"
    assert len(caught) == 1
    assert nvme0.abort(126).waitdone() & 1 == 1, "and there was no other"


def test_an_aborted_aer_is_not_sent_again_and_its_cid_is_free(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 00/07$"):
        nvme0.abort(127).waitdone()
    for _ in range(127):
        nvme0.getfeatures(7)
    with pytest.raises(AssertionError):
        nvme0.getfeatures(7)
    nvme0.waitdone(127)
    nvme0.aer()
    assert nvme0.latest_cid == 127


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
    with pytest.warns(UserWarning, match="^ERROR status: 00/07$"):
        nvme0.abort(127).waitdone()
    nvme0.aer(cb=lambda cdw0, status1: got.append(cdw0))
    for count in (1, 2, 3):
        wrong_value(nvme0, pair)
        hear(nvme0, got, count, BAD_VALUE)
        read_error_log(nvme0)
    assert got == [BAD_VALUE] * 3


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
    limit = nvme0.id_data(259) + 1  # AERL
    for _ in range(limit - 1):
        nvme0.aer()
    with pytest.warns(UserWarning, match="^ERROR status: 01/05$"):
        nvme0.aer()
        run_commands(nvme0)
    for cid in range(127, 127 - limit, -1):
        with pytest.warns(UserWarning, match="^ERROR status: 00/07$"):
            nvme0.abort(cid).waitdone()


def test_a_command_that_waits_is_aborted(nvme0, nvme0n1, pcie, buf):
    """Bus mastering is off while the queue fills, so that the drive cannot be faster."""
    pair = d.Qpair(nvme0, 16)
    statuses = {}
    cids = []
    pcie[4] = pcie[4] & ~4
    for lba in range(10):
        nvme0n1.read(pair, buf, lba, cb=lambda cpl: statuses.update({cpl[3] & 0xFFFF: cpl[3] >> 17 & 0x7FF}))
        cids.append(pair.latest_cid)
    nvme0.abort(cids[4], pair.sqid)
    pcie[4] = pcie[4] | 4
    if nvme0.waitdone() & 1:
        pytest.skip("the drive aborts nothing that waits in a submission queue")
    with pytest.warns(UserWarning, match="^ERROR status: 00/07$") as caught:
        pair.waitdone(10)
    assert len(caught) == 1
    assert statuses == {cid: 0x007 if cid == cids[4] else 0 for cid in cids}
    pair.delete()


def test_abort_of_a_command_that_is_done_says_so(nvme0, nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0).waitdone()
    assert nvme0.abort(qpair.latest_cid, qpair.sqid).waitdone() & 1 == 1


def test_an_aborted_write_counts_as_unverified(nvme0, nvme0n1, pcie, verify):
    pair = d.Qpair(nvme0, 16)
    buf, back = d.Buffer(512, ptype=0xBEEF, pvalue=100), d.Buffer(512)
    nvme0n1.write(pair, buf, 90).waitdone()
    pcie[4] = pcie[4] & ~4
    nvme0n1.write(pair, buf, 90)
    nvme0.abort(pair.latest_cid, pair.sqid)
    pcie[4] = pcie[4] | 4
    if nvme0.waitdone() & 1:
        pytest.skip("the drive aborts nothing that waits in a submission queue")
    with pytest.warns(UserWarning, match="^ERROR status: 00/07$"):
        pair.waitdone()
    before = nvme0n1.verify_stats()
    nvme0n1.read(pair, back, 90).waitdone()
    after = nvme0n1.verify_stats()
    assert (after.judged, after.unverified) == (before.judged, before.unverified + 1)
    pair.delete()
