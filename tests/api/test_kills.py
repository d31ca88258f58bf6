# SPDX-License-Identifier: BSD-3-Clause
"""Killed workers, virtual SSDs and scripts: pynvme reports it within a second, and nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from random import Random

import nvme as d
import pytest

from tests.fix_load import loaded
from tests.forking import fork


def children(pid="self"):
    """PIDs of the children of a process, of all of its threads."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return set(found)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def started(own):
    """Give ``started(**options)``: a running worker and its PID."""

    def start(**options):
        before = children()
        worker = own.nvme0n1.ioworker(**{"io_size": 8, "time": 30, "region_end": 100000, **options}).start()
        (pid,) = children() - before
        assert wait_until(lambda: worker.progress[2] > 0, 2)
        return worker, pid

    return start


@pytest.mark.parametrize("read_percentage", [100, 0, 50])
def test_a_killed_worker_is_told_within_a_second_and_other_queues_go_on(own, started, read_percentage):
    other = d.Qpair(own.nvme0, 8)
    worker, pid = started(read_percentage=read_percentage, qdepth=64)
    time.sleep(0.2)
    start = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    with pytest.warns(UserWarning, match="^ioworker host ERROR"):
        r = worker.close()
    assert time.monotonic() - start < 1 or loaded()
    assert r.error
    assert not alive(pid)
    for lba in range(0, 2000, 8):
        own.nvme0n1.read(other, d.Buffer(4096), lba, 8).waitdone()
    assert own.nvme0n1.verify_stats().mismatch == 0
    r = own.nvme0n1.ioworker(io_size=8, io_count=1000, region_end=100000).start().close()
    assert (r.error, r.io_count_read) == (0, 1000)


def test_workers_killed_one_after_the_other_use_up_no_queue_and_no_memory(own, started):
    in_use = None
    for _ in range(20):
        worker, pid = started(read_percentage=50)
        os.kill(pid, signal.SIGKILL)
        with pytest.warns(UserWarning, match="^ioworker host ERROR"):
            worker.close()
        in_use = in_use or d._dma_in_use()
    assert d._dma_in_use() == in_use
    pair = d.Qpair(own.nvme0, 4)
    assert pair.sqid == 1


REGION = 2048  # LBAs; few, so that writes of several workers are in flight over the same ones


def go_over(own, read_percentage):
    own.nvme0n1.ioworker(
        io_size=8, lba_random=False, io_count=REGION // 8, region_end=REGION, read_percentage=read_percentage
    ).start().close()


def read(own):
    """Read the region; return what verification says of these reads: judged, unverified, mismatch."""
    before = own.nvme0n1.verify_stats()
    go_over(own, 100)
    after = own.nvme0n1.verify_stats()
    return tuple(after[name] - before[name] for name in ("judged", "unverified", "mismatch"))


def kill_at_random(started, random):
    """Two workers over the same LBAs, each killed at some instruction; give them to be closed."""
    sizes = random.choice([1, 8, 24, [1, 8, 24, 100]])
    beside, other = started(io_size=8, read_percentage=30, region_end=REGION, qdepth=32)
    worker, pid = started(io_size=sizes, read_percentage=20, region_end=REGION, qdepth=64)
    time.sleep(random.uniform(0, 0.02))
    os.kill(pid, signal.SIGKILL)
    yield worker
    os.kill(other, signal.SIGKILL)
    yield beside


@pytest.mark.parametrize("ends_by_reset", [True, False])
def test_lbas_of_killed_workers_are_verified_again_once_they_are_written(own, started, ends_by_reset):
    random = Random(50)
    for _ in range(25):
        for worker in kill_at_random(started, random):
            with pytest.warns(UserWarning, match="^ioworker host ERROR"):
                worker.close()
        if ends_by_reset:
            own.nvme0.reset()
        go_over(own, 0)
        assert read(own) == (REGION, 0, 0)


def test_lbas_of_a_killed_worker_are_verified_again_beside_one_that_reads(own, started):
    random = Random(51)
    reader, reading = started(io_size=8, read_percentage=100, region_end=REGION)
    for _ in range(20):
        for worker in kill_at_random(started, random):
            with pytest.warns(UserWarning, match="^ioworker host ERROR"):
                worker.close()
    go_over(own, 0)
    os.kill(reading, signal.SIGKILL)
    with pytest.warns(UserWarning, match="^ioworker host ERROR"):
        reader.close()
    assert read(own) == (REGION, 0, 0)


def test_a_worker_beside_a_killed_one_goes_on(own, started):
    first, pid = started(region_end=10000)
    second, _ = started(region_start=10000, region_end=20000, time=2)
    os.kill(pid, signal.SIGKILL)
    with pytest.warns(UserWarning, match="^ioworker host ERROR"):
        first.close()
    r = second.close()
    assert r.error == 0
    assert r.mseconds >= 2000


def test_a_stopped_worker_goes_on_where_it_was(own, started):
    worker, pid = started(time=2)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(pid, signal.SIGCONT)
    assert worker.close().error == 0


def test_a_worker_started_from_a_thread_that_ends_goes_on(own):
    workers = []

    def start():
        workers.append(own.nvme0n1.ioworker(io_size=8, time=1, region_end=100000).start())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    (worker,) = workers
    r = worker.close()
    assert r.error == 0
    assert r.mseconds >= 1000


def ends_with_an_error(use):
    """Run use(); return whether it raised or warned, as it must once the drive is gone."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            use()
        except Exception:
            return True
    return bool(caught)


def test_commands_to_a_killed_virtual_ssd_end_with_an_error_within_a_second(own):
    pair = d.Qpair(own.nvme0, 8)
    os.kill(own.ssd.pid, signal.SIGSTOP)
    own.nvme0n1.read(pair, d.Buffer(4096), 0, 8)
    own.nvme0.getfeatures(7)
    start = time.monotonic()
    os.kill(own.ssd.pid, signal.SIGKILL)
    assert ends_with_an_error(pair.waitdone)
    assert time.monotonic() - start < 1 or loaded()
    assert ends_with_an_error(own.nvme0.waitdone)
    assert time.monotonic() - start < 2 or loaded()
    assert ends_with_an_error(lambda: own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone())
    with pytest.raises(SystemError):
        own.nvme0[0x1C]
    with pytest.raises((d.QpairCreationError, SystemError)):
        d.Qpair(own.nvme0, 4)
    pair.delete()
    own.pcie.close()
    assert time.monotonic() - start < 5 or loaded()


def stop_for_longer_than_an_answer_may_take(own):
    """Stop the virtual SSD, find it silent, and let it go on."""
    os.kill(own.ssd.pid, signal.SIGSTOP)
    with pytest.raises(SystemError, match="does not answer"):
        own.nvme0[0x1C]
    start = time.monotonic()
    with pytest.raises(SystemError, match=r"still does not answer .* as soon as it goes on"):
        own.nvme0.reset()
    assert time.monotonic() - start < 1 or loaded()
    os.kill(own.ssd.pid, signal.SIGCONT)


def use(own):
    pair = d.Qpair(own.nvme0, 8)
    buf = d.Buffer(4096)
    own.nvme0n1.write(pair, buf, 0, 8).waitdone()
    own.nvme0n1.read(pair, buf, 0, 8).waitdone()
    pair.delete()
    r = own.nvme0n1.ioworker(io_size=8, io_count=100, read_percentage=50, region_end=1000).start().close()
    assert (r.error, r.lba_mismatch) == (0, 0)


def resume_by(own, what):
    resets = {"Controller": own.nvme0.reset, "Pcie": own.pcie.reset, "FLR": own.pcie.flr}
    return resets.get(what, lambda: None)


@pytest.mark.parametrize("what", ["nothing", "Controller", "Pcie", "FLR"])
def test_a_virtual_ssd_that_was_stopped_is_used_again_when_it_goes_on(own, what):
    use(own)
    for _ in range(2):
        stop_for_longer_than_an_answer_may_take(own)
        resume_by(own, what)()
        use(own)


def test_commands_in_flight_in_a_stopped_virtual_ssd_complete_when_it_goes_on(own):
    pair = d.Qpair(own.nvme0, 8)
    buf = d.Buffer(4096)
    os.kill(own.ssd.pid, signal.SIGSTOP)
    own.nvme0n1.write(pair, buf, 0, 8)
    own.nvme0n1.read(pair, d.Buffer(4096), 8, 8)
    with pytest.raises(SystemError, match="does not answer"):
        own.nvme0[0x1C]
    os.kill(own.ssd.pid, signal.SIGCONT)
    pair.waitdone(2)
    own.nvme0n1.read(pair, buf, 0, 8).waitdone()
    stats = own.nvme0n1.verify_stats()
    assert (stats.judged, stats.mismatch) == (8, 0)


def close_while_stopped(own, pair):
    """Close the virtual SSD while it is stopped with a read in flight. Return the address of its data."""
    buf = d.Buffer(4096)
    address = buf.phys_addr
    os.kill(own.ssd.pid, signal.SIGSTOP)
    own.nvme0n1.read(pair, buf, 0, 8)
    own.pcie.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pair.waitdone()
    return address


def test_a_stopped_virtual_ssd_that_goes_on_after_the_close_writes_to_no_other_memory(own, caplog):
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096, ptype=32, pvalue=0x11223344), 0, 8).waitdone()
    lost, reserved = d._dma_lost(), d._dma_in_use()
    address = close_while_stopped(own, pair)
    assert "stay reserved until this process ends" in caplog.text
    assert 4096 < d._dma_lost() - lost <= reserved + 4096
    later = [d.Buffer(4096, ptype=32, pvalue=0x55667788) for _ in range(2000)]
    assert address not in [buf.phys_addr for buf in later]
    os.kill(own.ssd.pid, signal.SIGCONT)
    time.sleep(1)
    assert {bytes(buf) for buf in later} == {b"\x88\x77\x66\x55" * 1024}


def test_a_killed_virtual_ssd_keeps_no_memory(own):
    pair = d.Qpair(own.nvme0, 8)
    lost = d._dma_lost()
    os.kill(own.ssd.pid, signal.SIGSTOP)
    own.nvme0n1.read(pair, d.Buffer(4096), 0, 8)
    os.kill(own.ssd.pid, signal.SIGKILL)
    assert ends_with_an_error(pair.waitdone)
    own.pcie.close()
    assert d._dma_lost() == lost


def test_workers_of_a_killed_virtual_ssd_end_within_a_second(own, started):
    workers = [started(region_start=i * 10000, region_end=(i + 1) * 10000)[0] for i in range(2)]
    start = time.monotonic()
    os.kill(own.ssd.pid, signal.SIGKILL)
    for worker in workers:
        assert ends_with_an_error(worker.close)
    assert time.monotonic() - start < 2 or loaded()
    own.pcie.close()


def test_a_private_virtual_ssd_that_was_killed_is_started_anew(python):
    done = python(
        """
import os, signal, time, warnings
import nvme
from pynvme.vssd import VirtualSsd
warnings.simplefilter("ignore")
pcie = nvme.Pcie("vssd")
nvme.Controller(pcie)
with VirtualSsd.attach("vssd") as ssd:
    first = ssd.pid
os.kill(first, signal.SIGKILL)
pcie.close()
pcie = nvme.Pcie("vssd")
assert nvme.Controller(pcie)[0x1C] & 1
with VirtualSsd.attach("vssd") as ssd:
    assert ssd.pid != first
pcie.close()
print("again")
"""
    )
    assert done.stdout.split() == ["again"], done.stderr


OPEN = """
import nvme, os, time
pcie = nvme.Pcie("vssd")
nvme0 = nvme.Controller(pcie)
nvme0n1 = nvme.Namespace(nvme0)
def tell():
    pids = open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read()
    print("children", pids, "ready", flush=True)
"""

INTERRUPTED = {
    "in waitdone": "nvme0.timeout = 60000\ntell()\nnvme0.waitdone()\n",
    "in a worker's close": "w = nvme0n1.ioworker(io_size=8, time=60).start()\ntell()\nw.close()\n",
    "beside workers": (
        "with nvme0n1.ioworker(io_size=8, time=60, read_percentage=50), nvme0n1.ioworker(time=60):\n"
        "    tell()\n    time.sleep(60)\n"
    ),
}


@pytest.mark.parametrize("where", sorted(INTERRUPTED))
def test_ctrl_c_ends_the_script_within_a_second_and_leaves_nothing(terminal, where):
    script = terminal("-c", OPEN + INTERRUPTED[where])
    text = script.read_until("ready")
    pids = [int(pid) for pid in re.search(r"children ([\d ]+) ready", text).group(1).split()]
    assert pids, "at least the virtual SSD"
    time.sleep(0.3)
    script.interrupt()
    assert script.ended(1.5) or loaded(), script.text
    assert "KeyboardInterrupt" in script.text
    assert wait_until(lambda: not any(alive(pid) for pid in pids), 1), "a child outlived the script"


def test_a_script_goes_on_after_ctrl_c_in_waitdone(terminal):
    script = terminal(
        "-c",
        OPEN
        + """
tell()
nvme0.timeout = 60000
try:
    nvme0.waitdone()
except KeyboardInterrupt:
    pass
nvme0.timeout = 10000
print("features %x" % nvme0.getfeatures(7).waitdone(), flush=True)
r = nvme0n1.ioworker(io_size=8, io_count=1000).start().close()
print("reads", r.io_count_read, flush=True)
""",
    )
    script.read_until("ready")
    time.sleep(0.3)
    script.interrupt()
    script.read_until("features ")
    script.read_until("reads 1000")
    assert script.ended(3) or loaded()
    assert script.process.returncode == 0


def test_a_killed_script_leaves_no_child_and_no_busy_drive(own_ssd, environment, python):
    code = OPEN.replace('"vssd"', repr(own_ssd.address)) + (
        "w = nvme0n1.ioworker(io_size=8, time=60, read_percentage=50).start()\ntell()\nw.close()\n"
    )
    script = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True
    )
    with script:
        line = script.stdout.readline()
        pids = [int(pid) for pid in re.search(r"children ([\d ]+) ready", line).group(1).split()]
        time.sleep(0.2)
        script.kill()
    assert wait_until(lambda: not any(alive(pid) for pid in pids), 2), "a worker outlived its script"
    pcie = d.Pcie(own_ssd.address)
    assert d.Controller(pcie)[0x1C] & 1
    pcie.close()


def test_a_forked_child_of_the_script_closes_nothing_of_its_parent(own):
    pair = d.Qpair(own.nvme0, 8)
    pid = fork()
    if pid == 0:
        del pair
        os._exit(0)
    os.waitpid(pid, 0)
    own.nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()


def test_a_multiprocessing_child_that_exits_leaves_the_private_drive_running(python):
    done = python(
        """
import multiprocessing, os, sys
import nvme
pcie = nvme.Pcie("vssd")
nvme0 = nvme.Controller(pcie)
pid = os.fork()
if pid == 0:
    sys.exit(0)
os.waitpid(pid, 0)
print("%x" % (nvme0.getfeatures(7).waitdone() & 0xffff))
pcie.close()
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()


def test_a_drive_that_finds_no_descriptor_says_which_limit_and_leaves_nothing_open(python):
    done = python(
        """
import gc, os, resource
import nvme as d

def descriptors():
    return len(os.listdir("/proc/self/fd"))

nvme0 = d.Controller("vssd:size=16M")
d.Qpair(nvme0, 2)
gc.collect()
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
before, failed = descriptors(), 0
for room in range(16):
    resource.setrlimit(resource.RLIMIT_NOFILE, (before + room, hard))
    try:
        other = d.Controller("vssd:size=16M,name=other")
        pair = d.Qpair(other, 2)
        other.pcie.close()
        break
    except (d.NvmeEnumerateError, d.QpairCreationError) as error:
        failed += 1
        assert f"may have {before + room} files open (RLIMIT_NOFILE)" in str(error), error
        assert "ulimit -n" in str(error)
    # The same drive is still the same drive.
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    gc.collect()
    assert descriptors() == before, (room, descriptors() - before)
    assert nvme0[0x1C] & 1
print(failed > 3 and room < 15)
"""
    )
    assert done.stdout.split() == ["True"], done.stderr
    assert "Traceback" not in done.stderr, done.stderr
