# SPDX-License-Identifier: BSD-3-Clause
"""What holds for every command: callbacks, waitdone, warnings, time out."""

import functools
import os
import re
import signal
import time
import warnings

import nvme as d
import pytest

from tests.fix_load import loaded

OUT_OF_RANGE = 1 << 60


@pytest.fixture
def small(nvme0):
    """Give a queue of 16 entries."""
    pair = d.Qpair(nvme0, 16)
    yield pair
    pair.delete()


def test_admin_commands_return_the_controller_and_io_commands_the_queue(nvme0, nvme0n1, small, buf):
    assert nvme0.identify(buf) is nvme0
    nvme0.waitdone()
    assert nvme0n1.read(small, buf, 0) is small
    small.waitdone()


def test_a_callback_of_one_parameter_gets_the_four_dwords(nvme0):
    got = []
    nvme0.getfeatures(7, cb=lambda cpl: got.append(cpl)).waitdone()
    (cpl,) = got
    assert len(cpl) == 4
    assert cpl[3] & 0xFFFF == nvme0.latest_cid
    assert cpl[3] >> 17 == 0
    assert cpl[2] >> 16 == 0, "the admin queue is SQ 0"


def test_a_callback_of_two_parameters_gets_cdw0_and_the_status_with_the_phase_bit(nvme0):
    dwords, pair = [], []
    nvme0.getfeatures(7, cb=dwords.append).waitdone()
    nvme0.getfeatures(7, cb=lambda cdw0, status1: pair.append((cdw0, status1))).waitdone()
    cdw0, status1 = pair[0]
    assert cdw0 == dwords[0][0]
    assert status1 >> 1 == 0
    assert status1 < 1 << 16


def test_the_status_of_a_callback_splits_into_sct_and_sc(nvme0n1, small, buf):
    got = []
    with pytest.warns(UserWarning, match=r"^ERROR status: 00/80"):
        nvme0n1.read(small, buf, OUT_OF_RANGE, cb=lambda cdw0, status1: got.append(status1)).waitdone()
    assert (got[0] >> 9 & 7, got[0] >> 1 & 0xFF) == (0, 0x80)


class Counter:
    """Callables of every kind that a script may pass."""

    def __init__(self):
        self.calls = []

    def method(self, cdw0, status1):
        self.calls.append(2)

    def __call__(self, cpl):
        self.calls.append(len(cpl))

    @staticmethod
    def static(calls, cpl):
        calls.append(len(cpl))


def test_methods_partials_and_objects_are_callbacks_too(nvme0):
    counter = Counter()
    nvme0.getfeatures(7, cb=counter.method).waitdone()
    nvme0.getfeatures(7, cb=counter).waitdone()
    nvme0.getfeatures(7, cb=functools.partial(Counter.static, counter.calls)).waitdone()
    assert counter.calls == [2, 4, 4]


@pytest.mark.parametrize("wrong", [lambda: None, lambda a, b, c: None], ids=["none", "three"])
def test_a_callback_of_another_shape_warns_at_completion_and_the_test_goes_on(nvme0, wrong):
    nvme0.getfeatures(7, cb=wrong)
    with pytest.warns(UserWarning, match=r"^callback: "):
        nvme0.waitdone()
    nvme0.getfeatures(7).waitdone()


def test_an_assertion_in_a_callback_becomes_a_warning(nvme0):
    def check(cpl):
        raise AssertionError("expected more of this drive")

    with pytest.warns(UserWarning, match=r"^ASSERT: expected more of this drive"):
        nvme0.getfeatures(7, cb=check).waitdone()
    nvme0.getfeatures(7).waitdone()


def test_any_other_exception_in_a_callback_leaves_waitdone_and_loses_no_completion(
    nvme0, nvme0n1, small, buf
):
    done = []

    def explode(cpl):
        raise KeyError("of the script")

    nvme0n1.read(small, buf, 0, cb=explode)
    nvme0n1.read(small, buf, 0, cb=done.append)
    with pytest.raises(KeyError, match="of the script"):
        small.waitdone(2)
    assert len(done) <= 1
    small.waitdone(1 - len(done))
    assert len(done) == 1


def test_an_error_status_is_a_warning_with_and_without_a_callback(nvme0n1, small, buf):
    for cb in (None, lambda cpl: None):
        with pytest.warns(UserWarning, match=r"^ERROR status: 00/80") as caught:
            nvme0n1.read(small, buf, OUT_OF_RANGE, cb=cb).waitdone()
        assert len(caught) == 1


def test_a_warning_that_is_made_an_error_loses_nothing(nvme0n1, small, buf):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nvme0n1.read(small, buf, OUT_OF_RANGE)
        with pytest.raises(UserWarning, match="00/80"):
            small.waitdone()
    nvme0n1.read(small, buf, 0).waitdone()


def test_waitdone_reaps_exactly_what_is_expected_and_returns_cdw0_of_the_last(nvme0, nvme0n1, small, buf):
    done = []
    for _ in range(5):
        nvme0n1.read(small, buf, 0, cb=done.append)
    small.waitdone(3)
    assert len(done) == 3
    small.waitdone(2)
    assert len(done) == 5
    nvme0.getfeatures(7, cb=done.append)
    assert nvme0.waitdone() == done[-1][0]


def test_waitdone_of_nothing_returns_at_once(nvme0, small):
    start = time.monotonic()
    small.waitdone(0)
    nvme0.waitdone(0)
    assert time.monotonic() - start < 0.1 or loaded()


def test_callbacks_run_inside_waitdone_only(nvme0n1, small, buf):
    done = []
    nvme0n1.read(small, buf, 0, cb=done.append)
    time.sleep(0.05)
    assert done == []
    small.waitdone()
    assert len(done) == 1


def test_waitdone_inside_callbacks_nests(nvme0n1, small, buf):
    depths = []

    def again(depth):
        def cb(cpl):
            depths.append(depth)
            if depth < 10:
                nvme0n1.read(small, buf, 0, cb=again(depth + 1)).waitdone()

        return cb

    nvme0n1.read(small, buf, 0, cb=again(1)).waitdone()
    assert depths == list(range(1, 11))


def test_a_callback_may_wait_for_the_admin_queue_and_for_another_queue(nvme0, nvme0n1, small, buf):
    other = d.Qpair(nvme0, 4)
    seen = []

    def cb(cpl):
        seen.append(nvme0.getfeatures(7).waitdone())
        nvme0n1.read(other, d.Buffer(), 0, cb=seen.append).waitdone()

    nvme0n1.read(small, buf, 0, cb=cb).waitdone()
    assert len(seen) == 2
    other.delete()


def test_the_drivers_own_commands_eat_no_completion_of_the_script(nvme0, nvme0n1):
    done = []
    nvme0.getfeatures(7, cb=done.append)
    pair = d.Qpair(nvme0, 4)
    assert nvme0.id_data(23, 4, str)
    pair.delete()
    with nvme0n1.ioworker(io_size=8, io_count=10):
        pass
    assert done == [], "callbacks run inside waitdone only"
    nvme0.waitdone()
    assert len(done) == 1


def test_a_command_above_the_depth_is_asserted_and_the_queue_stays_usable(nvme0, nvme0n1, buf):
    pair = d.Qpair(nvme0, 4)
    for _ in range(3):
        nvme0n1.read(pair, buf, 0)
    with pytest.raises(AssertionError):
        nvme0n1.read(pair, buf, 0)
    pair.waitdone(3)
    nvme0n1.read(pair, buf, 0).waitdone()
    pair.delete()


def test_integral_floats_are_integers_and_others_are_type_errors(nvme0n1, small, buf):
    nvme0n1.read(small, buf, 8.0, 1.0).waitdone()
    with pytest.raises(TypeError):
        nvme0n1.read(small, buf, 8.5)
    with pytest.raises(TypeError):
        nvme0n1.read(small, buf, "8")


def test_latest_cid_and_latency_are_of_the_command_sent_last(nvme0, nvme0n1, small, buf):
    got = []
    nvme0n1.read(small, buf, 0, cb=got.append)
    cid = small.latest_cid
    small.waitdone()
    assert got[0][3] & 0xFFFF == cid
    assert 0 < small.latest_latency < 1_000_000
    nvme0.getfeatures(7, cb=got.append)
    cid = nvme0.latest_cid
    nvme0.waitdone()
    assert got[1][3] & 0xFFFF == cid


@pytest.mark.needs_engine("cids")
def test_admin_cids_begin_with_the_highest_free_one(nvme0):
    cids = []
    for _ in range(3):
        nvme0.getfeatures(7)
        cids.append(nvme0.latest_cid)
    nvme0.waitdone(3)
    assert all(0 <= cid <= 127 for cid in cids)
    assert cids == sorted(cids, reverse=True)
    assert len(set(cids)) == 3


def test_126_admin_commands_may_be_in_flight_beside_the_aer(nvme0):
    for _ in range(126):
        nvme0.getfeatures(7)
    with pytest.raises(AssertionError):
        nvme0.getfeatures(7)
    nvme0.waitdone(126)


def test_a_silent_drive_is_a_timeout_warning_and_an_all_ones_completion(own):
    nvme0 = own.nvme0
    got = []
    nvme0.timeout = 300
    os.kill(own.ssd.pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        nvme0.getfeatures(7, cb=got.append)
        cid = nvme0.latest_cid
        with pytest.warns(UserWarning, match=rf"^drive timeout: qpair: 0, cid: {cid}$"):
            nvme0.waitdone()
        took = time.monotonic() - start
        assert took > 0.25
        assert took < 2 or loaded()
    finally:
        os.kill(own.ssd.pid, signal.SIGCONT)
    assert list(got[0]) == [0xFFFFFFFF] * 4
    assert nvme0.timeout == 300


def test_a_late_completion_is_nobodys(own):
    """A completion after the timeout neither counts nor runs a callback."""
    pair = d.Qpair(own.nvme0, 4)
    done = []
    own.nvme0.timeout = 300
    os.kill(own.ssd.pid, signal.SIGSTOP)
    try:
        own.nvme0n1.read(pair, d.Buffer(), 0, 8, cb=done.append)
        with pytest.warns(UserWarning, match=rf"^drive timeout: qpair: {pair.sqid}, cid: \d+$"):
            pair.waitdone()
    finally:
        os.kill(own.ssd.pid, signal.SIGCONT)
    own.nvme0.timeout = 10000
    time.sleep(0.05)
    for _ in range(10):
        own.nvme0n1.read(pair, d.Buffer(), 0, 8, cb=done.append).waitdone()
    assert len(done) == 11
    assert [cpl[3] >> 17 for cpl in done[1:]] == [0] * 10


def test_a_queue_whose_commands_all_timed_out_goes_on_once_the_drive_answers(own):
    pair = d.Qpair(own.nvme0, 3)
    own.nvme0n1.flush(pair).waitdone()
    own.nvme0.timeout = 50
    os.kill(own.ssd.pid, signal.SIGSTOP)
    try:
        own.nvme0n1.flush(pair)
        own.nvme0n1.flush(pair)
        with pytest.warns(UserWarning, match="^drive timeout: "):
            pair.waitdone(2)
        with pytest.raises(AssertionError, match="is full with 2 commands in flight"):
            own.nvme0n1.flush(pair)
    finally:
        os.kill(own.ssd.pid, signal.SIGCONT)
    own.nvme0.timeout = 10000
    time.sleep(0.2)
    own.nvme0n1.flush(pair)
    own.nvme0n1.flush(pair)
    pair.waitdone(2)


def test_the_drivers_own_commands_go_on_after_as_many_time_outs_as_there_may_be(own):
    own.nvme0.timeout = 5
    os.kill(own.ssd.pid, signal.SIGSTOP)
    try:
        for _ in range(100):
            with pytest.raises((TimeoutError, d.NamespaceCreationError)) as caught:
                d.Namespace(own.nvme0, 1)
            if "has not answered" in str(caught.value):
                break
        else:
            pytest.fail("a hundred commands of the driver's own are in flight")
    finally:
        os.kill(own.ssd.pid, signal.SIGCONT)
    own.nvme0.timeout = 10000
    time.sleep(0.2)
    assert d.Namespace(own.nvme0, 1).nsid == 1


def test_timeout_is_rw_in_milliseconds_and_survives_a_reset(nvme0):
    assert nvme0.timeout == 10000
    nvme0.timeout = 12345
    nvme0.reset()
    assert nvme0.timeout == 12345


@pytest.mark.slow
def test_waitdone_with_nothing_in_flight_gives_up(own):
    own.nvme0.timeout = 1000
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"^pynvme timeout in driver$"):
        own.nvme0.waitdone()
    took = time.monotonic() - start
    assert took > 20.5
    assert took < 23 or loaded()


@pytest.mark.parametrize("options", [(), ("-O",)], ids=["plain", "python -O"])
def test_asserted_means_asserted_under_optimisation_too(python, own_ssd, options):
    done = python(
        f"""
import nvme as d
n = d.Controller({own_ssd.address!r})
for wrong in (lambda: d.Buffer(0), lambda: d.Qpair(n, 1), lambda: n.format(lbaf=16), lambda: n.format(ses=8)):
    try:
        wrong()
    except AssertionError as error:
        print("asserted")
    else:
        print("accepted")
""",
        *options,
    )
    assert done.stdout.split() == ["asserted"] * 4, done.stderr
    assert not re.search("Traceback|Segmentation", done.stderr)
