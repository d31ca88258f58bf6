# SPDX-License-Identifier: BSD-3-Clause
"""What scripts do wrong: an exception each time, never a crash, a hang or a drive left without power."""

import contextlib
import threading
import time

import nvme as d
import pytest

REFUSALS = (d.QpairCreationError, d.QpairDeletionError, d.NvmeEnumerateError, RuntimeError, SystemError)


class NoController(d.Controller):
    def __init__(self):
        pass


class NoPcie(d.Pcie):
    def __init__(self):
        pass


@pytest.mark.parametrize(
    "use",
    [
        lambda: repr(NoController()),
        lambda: NoController()[0],
        lambda: NoController().identify(),
        lambda: NoController().reset(),
        lambda: d.Qpair(NoController(), 8),
        lambda: d.Namespace(NoController()),
        lambda: d.Subsystem(NoController()).reset(),
        lambda: repr(NoPcie()),
        lambda: NoPcie()[0],
        lambda: NoPcie().close(),
        lambda: d.Controller(NoPcie()),
        lambda: d.IOWorker.__new__(d.IOWorker).start(),
    ],
)
def test_an_object_whose_init_was_not_called_says_so(use):
    with pytest.raises((AttributeError, RuntimeError)):
        use()


def test_memory_that_somebody_views_is_not_replaced():
    buf = d.Buffer(100)
    with memoryview(buf), pytest.raises(BufferError):
        buf.__init__(200)
    buf.__init__(200)
    assert len(buf) == 200


def test_the_power_of_a_closed_drive_is_left_alone(nvme0, pcie, pciaddr):
    subsystem = d.Subsystem(nvme0)
    pcie.close()
    for use in (subsystem.poweroff, lambda: subsystem.power_cycle(0.1)):
        with pytest.raises(RuntimeError, match="closed"):
            use()
    again = d.Controller(pciaddr)
    assert again[0x1C] & 1
    again.pcie.close()


def test_a_subsystem_reset_under_a_queue_creation_ends_it_at_once(nvme0):
    subsystem = d.Subsystem(nvme0)
    stop = threading.Event()

    def create_and_delete():
        while not stop.is_set():
            with contextlib.suppress(*REFUSALS):
                d.Qpair(nvme0, 32).delete()

    threads = [threading.Thread(target=create_and_delete) for _ in range(2)]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    try:
        for _ in range(5):
            with contextlib.suppress(*REFUSALS):
                subsystem.reset()
                nvme0.reset()
        assert time.monotonic() - started < 5
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    nvme0.reset()


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1.5])
def test_what_is_no_integer_is_a_type_error(value):
    with pytest.raises(TypeError):
        d.Buffer(value)


def test_odd_arguments_of_a_worker_are_told_at_the_call(nvme0n1):
    for options in (
        {"time": float("nan")},
        {"time": -1},
        {"io_sequence": [(0, 2, 0)]},
        {"iops": -1, "time": 1},
    ):
        with pytest.raises((AssertionError, TypeError)):
            nvme0n1.ioworker(**options)
    with pytest.raises(TypeError):
        nvme0n1.ioworker(time=1, output_percentile_latency={"a": None})
