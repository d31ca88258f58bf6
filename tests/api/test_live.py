# SPDX-License-Identifier: BSD-3-Clause
"""Samples of workers while they run, and the line that shows them."""

import contextlib
import math
import re
import sys
import textwrap
import threading
import time
from types import SimpleNamespace

import numpy
import pytest

from pynvme import live, live_option
from pynvme.samples import GROUP, MOST, Samples, edges, percentiles, sum_of
from tests.fix_load import loaded

SCRIPT = """
import nvme as d, sys
nvme0 = d.Controller("vssd")
ns = d.Namespace(nvme0)
ns.ioworker(io_count=3000, read_percentage=0, region_end=1 << 12, progress=True).start().close()
workers = [ns.ioworker(time=0.8, io_size=1, region_end=1 << 12, progress=True).start() for _ in range(2)]
print("the script prints")
results = [worker.close() for worker in workers]
print("end", len(results[0].samples) > 0)
"""


def test_the_samples_have_the_ios_of_the_result(nvme0n1):
    latency = {50: None, 99: None}
    given = {"io_size": {8: 1, 16: 1}, "output_percentile_latency": latency, "progress": True}
    result = nvme0n1.ioworker(time=0.5, region_end=1 << 12, **given).start().close()
    samples = result.samples
    assert samples.completed.sum() == samples.counts.sum() == result.io_count_read > 0
    assert samples.time[-1] == pytest.approx(result.mseconds / 1e3, abs=0.02)
    assert (samples.iops * samples.seconds).sum() == pytest.approx(result.io_count_read)
    assert samples.bandwidth == pytest.approx(samples.iops * 12 * 512)
    for percentage, us in zip((50, 99), samples.total((50, 99))):
        assert us == pytest.approx(result.latency_percentile_ns[percentage] / 1e3, rel=0.08)
    assert samples.percentile(50).shape == samples.time.shape
    assert sorted(samples.to_dict()) == ["bandwidth", "iops", "p50", "p99", "p99.9", "time"]
    assert threading.active_count() == 1, "the thread ends with the last worker"
    assert "samples" not in nvme0n1.ioworker(io_count=1).start().close()


def test_the_bandwidth_of_a_sequence_is_that_of_its_steps(nvme0n1):
    steps = [(0, 1, 0, 8), (1, 2, 0, 4), (2, 0, 0, 0), (3, 8, 8, 8)]
    result = nvme0n1.ioworker(io_sequence=steps, progress=True).start().close()
    assert result.samples.io_bytes == 512 * (8 + 4) / 4


def test_a_worker_that_is_dropped_is_not_followed_any_more(nvme0n1):
    worker = nvme0n1.ioworker(time=60, progress=True).start()
    assert worker._sample() is not None
    del worker
    for _ in range(50):
        if threading.active_count() == 1:
            break
        threading.Event().wait(0.05)
    assert threading.active_count() == 1


def made(rates, period=0.1):
    """Samples of a worker that completed so many IOs in each period, all of them in some 10 us."""
    samples = Samples(4096)
    samples.begin(1_000)
    counts = numpy.zeros((len(edges()) - 1) * GROUP, dtype=numpy.uint64)
    bucket = int(numpy.searchsorted(edges(), 10.0)) * GROUP
    done = 0
    for number, rate in enumerate(rates, 1):
        done += rate
        counts = counts.copy()
        counts[bucket] += numpy.uint64(rate)
        samples.add(1_000 + round(number * period * 1e9), done, counts)
    return samples


def test_many_samples_become_fewer_and_keep_all_ios():
    samples = made([3] * (MOST * 3 + 1))
    assert len(samples) <= MOST
    assert samples.completed.sum() == samples.counts.sum() == 3 * (MOST * 3 + 1)
    assert samples.iops == pytest.approx(30)
    assert made([3] * 7).shortened(3).completed.sum() == 21


def test_the_last_sample_ends_with_the_worker():
    samples = made([10, 10, 10])
    last = samples._ends[-1], 30, samples._last
    samples.finish(last, 0.25)
    assert samples.time[-1] == pytest.approx(0.25) and samples.completed.tolist() == [10, 20]
    assert samples.counts.sum() == 30


def test_percentiles_of_nothing_and_of_one_are_told():
    counts = numpy.zeros(len(edges()) - 1, dtype=numpy.uint64)
    assert math.isnan(percentiles(counts, [99])[0])
    counts[100] = 1
    assert edges()[100] < percentiles(counts, [0])[0] <= percentiles(counts, [100])[0] <= edges()[101]


def test_the_sum_of_workers_has_all_their_ios():
    total = sum_of([made([10, 20, 30]), made([1, 2], period=0.15)])
    assert total.completed.sum() == total.counts.sum() == 63 and len(total) == 3
    with pytest.raises(ValueError, match="no samples"):
        sum_of([])


@pytest.mark.parametrize(
    ("us", "told"), [(0.4, "0.4 us"), (9.96, "10 us"), (999.4, "999 us"), (1234, "1.2 ms"), (2.5e6, "2.5 s")]
)
def test_a_latency_has_a_unit(us, told):
    assert live.latency(us) == told


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0"), (99999, "99,999"), (123456, "123 k"), (1234567, "1.23 M"), (5e12, "5.0 T")]
)
def test_a_count_is_short(count, told):
    assert live.short(count) == told


def test_a_terminal_shows_a_line_while_workers_run(terminal):
    shown = terminal("-c", SCRIPT, columns=110)
    text = shown.read_until("end True")
    assert shown.ended(10) and shown.process.returncode == 0
    assert re.search(r"\d\.\d s, \d\.\d s left  [\d,]+ IOPS  [\d,]+ MB/s  p99 \S+ .s", text), text
    assert re.search(r"2 workers  \d\.\d s", text)
    assert re.search(r"[\d,.]+(?: [kM])? LBAs verified", text) or loaded()
    assert "\x1b[?25h" in text.rpartition("\x1b[?25l")[2], "the cursor is visible again"
    assert "the script prints\r\n" in text


def test_the_temperature_is_read_while_the_script_waits_for_something_else(monkeypatch, nvme0n1):
    shown = []
    screen = SimpleNamespace(update=shown.append, close=lambda: None)
    monkeypatch.setattr(live.monitor, "make_screen", lambda: screen)
    deadline = time.monotonic() + 20
    with contextlib.suppress(KeyError), nvme0n1.ioworker(time=60, region_end=1 << 12, progress=True):
        while "°C" not in "".join(shown) and time.monotonic() < deadline:
            time.sleep(0.02)
        raise KeyError("end the worker early")
    assert re.search(r"p99 \S+ .s  \d+ °C", "".join(shown)), shown


class Drive:
    """A controller that would be disturbed by a command of the monitor's own."""

    def __init__(self, nvme0):
        self.nvme0 = nvme0
        self.thermometer = live.Thermometer(nvme0)

    def asked(self):
        """Whether the thermometer sends a command now."""
        before = len(self.nvme0.cmdlog_list(1000))
        self.thermometer.look()
        return len(self.nvme0.cmdlog_list(1000)) > before


def test_the_temperature_is_not_read_when_that_would_disturb_the_script(nvme0, buf, faults):
    drive = Drive(nvme0)
    assert drive.asked() and drive.thermometer.kelvin == nvme0.smart.ctemp
    assert not drive.asked(), "once a second"
    held = live.Thermometer(nvme0)
    rule = faults("opcode=identify do hold")
    nvme0.identify(buf)
    drive.thermometer = held
    assert not drive.asked()
    rule.release()
    nvme0.waitdone()
    assert drive.asked()
    nvme0[0x14] = 0
    drive.thermometer = live.Thermometer(nvme0)
    assert not drive.asked() and not nvme0[0x1C] & 1, "and the controller stays disabled"


def test_a_pipe_shows_nothing_and_the_samples_are_there(python):
    done = python(SCRIPT)
    assert (done.stdout, done.stderr) == ("the script prints\nend True\n", "")


def test_the_option_of_pytest_shows_a_line_on_its_terminal(pytester, terminal):
    pytester.makepyfile(
        test_it=textwrap.dedent("""
        def test_worker(nvme0n1):
            print("captured")
            nvme0n1.ioworker(time=0.7).start().close()
        """)
    )
    arguments = ["-m", "pytest", "-p", "pynvme.plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    shown = terminal(*arguments, "--nvme-live", str(pytester.path / "test_it.py"), columns=110)
    text = shown.read_until("1 passed")
    assert re.search(r"s left  [\d,]+ IOPS", text) and "captured" not in text
    after = text.rpartition(" IOPS")[2]
    assert re.search(r"\x1b\[1A\x1b\[\d+C(\x1b\[\d*m)?\.", after), "the dot stands where it would without"


@pytest.mark.parametrize("given", [{"verbose": -1}, {"workerinput": {}}], ids=["-q", "xdist"])
def test_the_option_shows_nothing_where_a_line_would_disturb(monkeypatch, given):
    option = SimpleNamespace(verbose=given.get("verbose", 0))
    config = SimpleNamespace(getoption=lambda *_: True, option=option, **given)
    monkeypatch.setattr(live_option, "_terminal", lambda config: pytest.fail("looks for a terminal"))
    live_option.configure(config)


def test_the_line_costs_a_worker_nothing(run_worker):
    """It is drawn by the process of the script, and the worker does not know of it."""
    options = {"io_count": 20000, "io_size": 1, "region_end": 1 << 12}
    run_worker(**options)
    took = {
        progress: min(run_worker(**options, progress=progress).mseconds for _ in range(3))
        for progress in (False, True)
    }
    assert took[True] < took[False] * 1.5 + 20 or loaded()


def test_a_notebook_shows_the_line_below_its_cell(monkeypatch, nvme0n1):
    class ZMQInteractiveShell:
        """The shell of a notebook, by whose name it is known."""

    shown = []
    handle = SimpleNamespace(update=lambda what: shown.append(repr(what)))
    display = SimpleNamespace(display=lambda what, display_id: handle)
    monkeypatch.setitem(
        sys.modules, "IPython", SimpleNamespace(get_ipython=ZMQInteractiveShell, display=display)
    )
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    nvme0n1.ioworker(time=0.5, region_end=1 << 12, progress=True).start().close()
    assert re.match(r"\d\.\d s, \d\.\d s left  [\d,]+ IOPS", shown[-1])
    assert live.monitor._screen is None
