# SPDX-License-Identifier: BSD-3-Clause
"""How the driver gets its memory: scripts that start at once, are killed meanwhile, or have little memory.

Each is tried with ordinary memory, and with hugepages where 512 MiB of them are free.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.signals import takes_ctrl_c

START = "import nvme; nvme.Buffer(4096); print('started', flush=True)"
AND_WAIT = START + "; import sys; sys.stdin.read()"
AT_ONCE = 6
SECONDS = 60


def free_hugepages_mib():
    folder = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
    try:
        free, reserved = (int((folder / f"{name}_hugepages").read_text()) for name in ("free", "resv"))
    except OSError:
        return 0
    return (free - reserved) * 2


@pytest.fixture(params=["ordinary memory", "hugepages"])
def kind(request, monkeypatch):
    """The kind of memory, which started scripts use if there is enough."""
    monkeypatch.delenv("PYNVME_HUGE", raising=False)
    monkeypatch.delenv("PYNVME_MEM", raising=False)
    if request.param == "ordinary memory":
        monkeypatch.setenv("PYNVME_HUGE", "0")
    elif free_hugepages_mib() < 512:
        pytest.skip("fewer than 512 MiB of hugepages are free")
    return request.param


def python(code, **more):
    return subprocess.Popen(
        takes_ctrl_c([sys.executable, "-c", code]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def traces():
    """Give the files that a start could leave on this machine."""
    folders = ["/run/dpdk", "/dev/shm", "/dev/hugepages"]
    return {path for folder in folders for path in Path(folder).glob("**/*") if "pynvme" in str(path)}


def test_scripts_that_start_at_once_all_get_memory(kind):
    scripts = [python(AND_WAIT) for _ in range(AT_ONCE)]
    # All of them hold what they got until the last has started.
    said = [script.stdout.readline() for script in scripts]
    ends = [script.communicate(timeout=SECONDS) for script in scripts]
    assert said == ["started\n"] * AT_ONCE, ends
    assert [script.returncode for script in scripts] == [0] * AT_ONCE


def test_a_script_killed_while_it_starts_keeps_nobody_from_starting(kind):
    before, free = traces(), free_hugepages_mib()
    chance = random.Random(5)
    for _ in range(10):
        victims = [python(START) for _ in range(3)]
        time.sleep(chance.uniform(0.02, 0.25))
        for victim in victims:
            victim.kill()
        other = python(START)
        for one in [*victims, other]:
            one.communicate(timeout=SECONDS)
        assert other.returncode == 0
    assert traces() <= before
    assert free_hugepages_mib() >= free


def test_ctrl_c_ends_a_script_that_starts(kind):
    code = """
import nvme, sys
try:
    print("ready", flush=True)
    nvme.Buffer(4096)
    sys.stdin.read()
except KeyboardInterrupt:
    sys.exit(7)
"""
    for delay in (0, 0.01, 0.05, 0.1, 0.2):
        script = python(code)
        assert script.stdout.readline() == "ready\n"
        time.sleep(delay)
        script.send_signal(signal.SIGINT)
        script.communicate(timeout=SECONDS)
        assert script.returncode == 7, delay


def test_another_thread_goes_on_while_the_driver_starts(kind):
    code = """
import nvme, threading, time
gaps, ended = [0.0], False
def watch():
    last = time.monotonic()
    while not ended:
        time.sleep(0.001)
        gaps.append(time.monotonic() - last)
        last = time.monotonic()
thread = threading.Thread(target=watch)
thread.start()
begin = time.monotonic()
nvme.Buffer(4096)
took = time.monotonic() - begin
ended = True
thread.join()
print(took, len(gaps))
"""
    took, looks = map(float, run(code).stdout.split())
    assert looks >= took / 0.05


@pytest.mark.parametrize("descriptors", [*range(5, 16)])
def test_with_few_descriptors_it_starts_or_says_so(descriptors):
    code = f"""
import nvme, resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors + 40}))
try:
    nvme.Buffer(1)
except MemoryError as error:
    assert "ulimit -n" in str(error), error
    resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors + 40}, {descriptors + 40}))
    nvme.Buffer(1)
else:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == {descriptors}, "the script's limit stays"
print("started")
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")


def test_the_driver_starts_without_a_thread_of_its_own(kind):
    code = """
import nvme, os
nvme.Buffer(4096)
print(len(os.listdir("/proc/self/task")), "librte_eal" in open("/proc/self/maps").read())
"""
    threads, shared = run(code).stdout.split()
    if shared == "True":
        pytest.skip("DPDK's libraries are shared here: its calls cannot be replaced")
    assert threads == "1"


@pytest.mark.parametrize("mib", [48, 64, 80, 100, 150, 300, 3000])
def test_with_little_address_space_it_starts(mib, kind):
    code = f"""
import nvme, resource
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + ({mib} << 20), resource.RLIM_INFINITY))
nvme.Buffer(1 << 20)
print("started")
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")


def test_a_size_that_was_asked_for_and_does_not_fit_is_told_and_can_be_mended():
    code = """
import nvme, os, resource
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), resource.RLIM_INFINITY))
try:
    nvme.Buffer(1)
except MemoryError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
nvme.Buffer(1)
"""
    done = run(code, PYNVME_HUGE="0", PYNVME_MEM="1024")
    assert done.returncode == 0, done.stderr
    assert "1024 MiB" in done.stdout and "ulimit -v" in done.stdout and "PYNVME_MEM" in done.stdout


def test_hugepages_that_a_user_asks_for_and_there_are_not_are_an_error():
    done = run(START, PYNVME_HUGE="1", PYNVME_MEM="65536")
    assert done.returncode == 1
    assert "MemoryError: PYNVME_HUGE=1, but" in done.stderr and "nr_hugepages" in done.stderr


def test_hugepages_are_what_a_script_gets_where_they_are_free():
    if free_hugepages_mib() < 512:
        pytest.skip("fewer than 512 MiB of hugepages are free")
    code = START + "; print(open('/proc/self/smaps').read())"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYNVME_")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "KernelPageSize:     2048 kB" in done.stdout


def test_a_start_keeps_ignored_signals_ignored():
    code = f"""
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
{START}
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
"""
    assert run(code).stdout == "started\nTrue\n"


def test_locked_memory_may_be_limited():
    """A virtual SSD locks no memory."""
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
{START}
"""
    assert run(code).stdout == "started\n"
    assert resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != 0
