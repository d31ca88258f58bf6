# SPDX-License-Identifier: BSD-3-Clause
"""What scripts do wrong: an exception each time, never a crash, a hang or a drive left without power."""

import contextlib
import os
import signal
import threading
import time
import warnings

import nvme as d
import pytest

from tests.fix_load import loaded
from tests.forking import fork

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
        lambda: NoController()[0],
        lambda: NoController().identify(),
        lambda: NoController().reset(),
        lambda: d.Qpair(NoController(), 8),
        lambda: d.Namespace(NoController()),
        lambda: d.Subsystem(NoController()).reset(),
        lambda: NoPcie()[0],
        lambda: NoPcie().close(),
        lambda: d.Controller(NoPcie()),
        lambda: d.IOWorker.__new__(d.IOWorker).start(),
    ],
)
def test_an_object_whose_init_was_not_called_says_so(use):
    with pytest.raises((AttributeError, RuntimeError)):
        use()


def test_what_exists_is_not_made_again(nvme0, pcie):
    buf = d.Buffer(100)
    for again in (lambda: buf.__init__(200), lambda: nvme0.__init__("vssd"), lambda: pcie.__init__("vssd")):
        with pytest.raises(AssertionError, match="exists already"):
            again()
    assert len(buf) == 100


def test_an_argument_that_makes_the_buffer_anew_is_refused():
    buf = d.Buffer(4096)

    class Index:
        def __index__(self):
            buf.__init__(16)
            return 4095

    for use in (lambda: buf[Index()], lambda: buf.data(Index()), lambda: buf.__setitem__(0, Index())):
        with pytest.raises(AssertionError, match="exists already"):
            use()


@pytest.mark.parametrize("dword", ["lba", "lba_count", "dword15"])
def test_an_argument_that_formats_the_drive_does_not_make_a_buffer_too_short(own, dword):
    qpair = d.Qpair(own.nvme0, 16)
    buf = d.Buffer(8 * 512)

    class Index:
        def __init__(self, value):
            self.value = value

        def __index__(self):
            own.nvme0n1.format(4096)
            return self.value

    values = {"lba": 0, "lba_count": 8}
    values[dword] = Index(values.get(dword, 0))
    with pytest.raises(AssertionError, match="transfers 32768 bytes"):
        own.nvme0n1.read(qpair, buf, **values)


def test_a_drive_that_transfers_more_than_was_meant_breaks_no_memory(own):
    """The length of a raw command is in its dwords: the drive fills whole pages, and none of ours."""
    own.nvme0n1.verify_enable(False)
    qpair = d.Qpair(own.nvme0, 16)
    large = d.Buffer(256 * 512, pvalue=100, ptype=0xBEEF)
    own.nvme0n1.write(qpair, large, 0, 256).waitdone()
    for size in (1, 512, 4096, 4096 * 3 + 512):
        for _ in range(15):
            own.nvme0n1.read(qpair, large, 0, 256)
        qpair.waitdone(15)
        large[:] = bytes(len(large))
        bufs = [d.Buffer(size) for _ in range(15)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for buf in bufs:
                own.nvme0n1.send_cmd(2, qpair, buf, cdw12=255)
            qpair.waitdone(15)
        assert not any(large), "an earlier command's memory is not this one's"
        del bufs, buf
        assert not any(any(d.Buffer(5000)) for _ in range(20))


@pytest.mark.parametrize("time_s", [0.1, 0.2, 0.3])
def test_a_worker_may_be_closed_by_several_threads_and_signal_handlers(nvme0n1, time_s):
    worker = nvme0n1.ioworker(io_size=8, time=time_s).start()
    before = signal.signal(signal.SIGALRM, lambda *_: worker.close())
    signal.setitimer(signal.ITIMER_REAL, time_s / 2)
    results = []
    threads = [threading.Thread(target=lambda: results.append(worker.close())) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        results.append(worker.close())
        while worker.running:
            assert len(worker.progress) == 3
    finally:
        for thread in threads:
            thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(results) == 5
    assert all(result is results[0] for result in results)


def test_a_forked_child_that_leaves_the_block_leaves_the_worker_to_its_parent(nvme0n1):
    with nvme0n1.ioworker(io_size=8, time=1.5) as worker:
        pid = fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                worker.__exit__(ValueError, None, None)
                try:
                    worker.close()
                except RuntimeError:
                    os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert worker.running
    assert worker.close().mseconds >= 1500
    assert worker.close().error == 0


def test_a_forked_child_that_waits_for_its_parents_commands_is_told(nvme0, nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0)
    nvme0.getfeatures(7)
    pid = fork()
    if pid == 0:
        signal.alarm(5)
        told = 0
        for queue in (qpair, nvme0):
            try:
                queue.waitdone()
            except RuntimeError as error:
                told += "another process" in str(error)
        os._exit(told != 2)
    assert os.waitpid(pid, 0)[1] == 0
    qpair.waitdone()
    nvme0.waitdone()


def test_a_forked_child_never_waits_for_a_lock_of_its_parent(nvme0, pcie):
    stop = threading.Event()

    def use():
        while not stop.is_set():
            pcie.register(0)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            pid = fork()
            if pid == 0:
                signal.alarm(5)
                for touch in (lambda: nvme0[0x1C], lambda: pcie[0], nvme0.reset, pcie.close, nvme0.identify):
                    with contextlib.suppress(RuntimeError):
                        touch()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_firmware_image_is_named_by_its_path_and_no_descriptor_is_closed(nvme0):
    with open(os.devnull, "rb") as file:
        with pytest.raises(TypeError):
            nvme0.downfw(file.fileno())
        os.fstat(file.fileno())


def test_a_range_of_sizes_too_many_is_told_at_once(nvme0n1):
    with pytest.raises(AssertionError, match="sizes"):
        nvme0n1.ioworker(io_size=range(1, 1 << 40), time=1)


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
        assert time.monotonic() - started < 5 or loaded()
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


def test_a_raw_command_needs_no_buffer_of_its_exact_size(own):
    """Whether PRP 2 is a page or a list follows from the transfer, which can be shorter than the buffer."""
    qpair = d.Qpair(own.nvme0, 8)
    data = d.Buffer(16 * 512)
    own.nvme0n1.write(qpair, data, 0, 16).waitdone()
    for offset in (0, 512):
        large = d.Buffer(65536)
        large.offset = offset
        own.nvme0n1.send_cmd(2, qpair, large, cdw12=15).waitdone()
        assert large[offset : offset + len(data)] == data[:]
        own.nvme0n1.send_cmd(1, qpair, large, cdw10=100, cdw12=15).waitdone()
        again = d.Buffer(len(data))
        own.nvme0n1.read(qpair, again, 100, 16).waitdone()
        assert again[:] == data[:]
        own.nvme0.identify(large, nsid=1, cns=0).waitdone()
        own.nvme0.identify(data, nsid=1, cns=0).waitdone()
        assert large[offset : offset + 4096] == data[:4096]
        own.nvme0n1.read(qpair, data, 0, 16).waitdone()
