# SPDX-License-Identifier: BSD-3-Clause
"""Waits that may never end: an idle queue, an asynchronous event; and what interrupts a wait."""

import threading
import time

import nvme as d
import pytest
from offered import IN_GUEST

from tests.fix_load import loaded
from tests.signals import alarm

BAD_VALUE = 0x10100


@pytest.fixture
def pair(nvme0):
    """Give a queue of 4 entries, to whose doorbell tests write wrong values."""
    pair = d.Qpair(nvme0, 4)
    yield pair
    pair.delete()


def raise_event(nvme0, pair):
    nvme0[0x1000 + 8 * pair.sqid] = 0xFFFF
    nvme0[0x1000 + 8 * pair.sqid] = 0


def acknowledge(nvme0):
    nvme0.getlogpage(1, d.Buffer(4096), 4096).waitdone()


def later(function, *arguments):
    timer = threading.Timer(0.3, function, arguments)
    timer.start()
    return timer


# -- idle queues ------------------------------------------------------------------------------------------


def test_an_io_queue_with_nothing_in_flight_says_so_at_once(nvme0n1, pair, buf, caplog):
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"^pynvme timeout in driver$"):
        pair.waitdone()
    nvme0n1.read(pair, buf, 0)
    nvme0n1.read(pair, buf, 8)
    with pytest.raises(TimeoutError, match=r"^pynvme timeout in driver$"):
        pair.waitdone(3)
    assert time.monotonic() - start < 1 or loaded()
    nvme0n1.read(pair, buf, 0).waitdone()
    assert pair.waitdone(0) == 0
    assert caplog.text == "", "the exception says all"


def test_the_admin_queue_waits_for_events_without_the_cpu(nvme0, pair):
    """waitdone() does not count AERs, but processes them; nothing else is in flight."""
    nvme0.timeout = 1000
    heard = []
    nvme0.register_aer_cb(heard.append)
    timer = later(raise_event, nvme0, pair)
    before = time.process_time()
    with (
        pytest.warns(UserWarning, match=rf"^AER notification is triggered: {BAD_VALUE:#x}$"),
        pytest.raises(Interrupted),
        alarm(1.5, Interrupted),
    ):
        nvme0.waitdone()
    assert time.process_time() - before < (1.2 if IN_GUEST else 0.4), "polling would take 1.5"
    assert len(heard) == 1
    timer.join()
    nvme0.timeout = 10000
    acknowledge(nvme0)


# -- events -----------------------------------------------------------------------------------------------


def test_an_event_is_waited_for_without_another_command(nvme0, pair):
    heard = []
    nvme0.register_aer_cb(heard.append)
    for _ in range(2):
        timer = later(raise_event, nvme0, pair)
        before, start = time.process_time(), time.monotonic()
        with pytest.warns(UserWarning, match=f"^AER notification is triggered: {BAD_VALUE:#x}$"):
            assert nvme0.wait_event(timeout=10) == BAD_VALUE
        assert time.monotonic() - start < 5 or loaded()
        assert time.process_time() - before < 0.25
        timer.join()
        acknowledge(nvme0)  # and the request is sent again
    assert len(heard) == 2


def test_an_event_that_came_before_is_there_at_once(nvme0, pair):
    raise_event(nvme0, pair)
    time.sleep(0.1)
    with pytest.warns(UserWarning, match="AER notification"):
        assert nvme0.wait_event(timeout=0) == BAD_VALUE
    acknowledge(nvme0)


def test_completions_of_commands_stay_for_waitdone(nvme0, pair):
    done = []
    for fid in (7, 6):
        nvme0.getfeatures(fid, cb=lambda cdw0, status, fid=fid: done.append(fid))
    time.sleep(0.05)
    raise_event(nvme0, pair)
    with pytest.warns(UserWarning, match="AER notification"):
        assert nvme0.wait_event(timeout=5) == BAD_VALUE
    assert done == []
    nvme0.waitdone(2)
    assert sorted(done) == [6, 7]
    acknowledge(nvme0)


def test_no_event_is_a_timeout_after_the_time_that_was_given(nvme0):
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no asynchronous event within 0\.3 s"):
        nvme0.wait_event(timeout=0.3)
    took = time.monotonic() - start
    assert took >= 0.3
    assert took < 2 or loaded()
    with pytest.raises(AssertionError):
        nvme0.wait_event(timeout=-1)
    with pytest.raises(TypeError):
        nvme0.wait_event(timeout="1")


def test_without_a_request_in_flight_there_is_nothing_to_wait_for(own):
    nvme0 = own.nvme0
    with pytest.warns(UserWarning, match="ERROR status: 00/07"):
        nvme0.abort(127).waitdone()
        nvme0.getfeatures(7).waitdone()
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"no Asynchronous Event Request is in flight: .* aer\(\)"):
        nvme0.wait_event(timeout=5)
    assert time.monotonic() - start < 2 or loaded()
    nvme0.aer()
    pair = d.Qpair(nvme0, 4)
    raise_event(nvme0, pair)
    with pytest.warns(UserWarning, match="AER notification"):
        assert nvme0.wait_event(timeout=5) == BAD_VALUE


def test_another_threads_commands_go_on_while_one_waits_for_an_event(nvme0, nvme0n1, pair, buf):
    caught = []

    def wait():
        try:
            nvme0.wait_event(timeout=1)
        except TimeoutError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    count = 0
    while thread.is_alive():
        nvme0n1.read(pair, buf, 0).waitdone()
        nvme0.getfeatures(7).waitdone()
        count += 1
    assert caught
    assert count > (5 if IN_GUEST else 100) or loaded(), "waiting for the other thread would give 1"


# -- what interrupts a wait -------------------------------------------------------------------------------


class Interrupted(Exception):
    """What a signal handler raises, as pytest-timeout's does."""


@pytest.mark.parametrize("wait", ["waitdone", "admin waitdone", "wait_event", "close", "with"])
def test_an_exception_of_a_signal_handler_ends_a_wait_and_nothing_stays(own, wait):
    own.nvme0.timeout = 30000
    pair = d.Qpair(own.nvme0, 8)
    worker = own.nvme0n1.ioworker(io_size=8, time=30, region_end=1000)
    in_use = d._dma_in_use()

    def body():
        if wait == "waitdone":
            own.pcie[4] = own.pcie[4] & ~4
            own.nvme0n1.read(pair, d.Buffer(4096), 0)
            pair.waitdone()
        elif wait == "admin waitdone":
            own.pcie[4] = own.pcie[4] & ~4
            own.nvme0.getfeatures(7).waitdone()
        elif wait == "wait_event":
            own.nvme0.wait_event()
        elif wait == "close":
            worker.start().close()
        else:
            with worker:
                time.sleep(30)

    start = time.monotonic()
    with pytest.raises(Interrupted), alarm(0.5, Interrupted):
        body()
    assert time.monotonic() - start < 3 or loaded()
    own.pcie[4] = own.pcie[4] | 4
    if wait in ("close", "with"):
        r = worker.close()
        assert (r.error, r.ended_by) == (0, "stop")
        assert r.io_count_read > 0
        assert d._dma_in_use() <= in_use
    own.nvme0.reset()
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.read(pair, d.Buffer(4096), 0).waitdone()
