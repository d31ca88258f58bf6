# SPDX-License-Identifier: BSD-3-Clause
"""A vfio-user device serves one client: a second script waits for a while, then names the first one."""

import os
import signal
import subprocess
import sys
import threading
import time

import nvme as d
import pytest

from pynvme import clients
from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded
from tests.signals import takes_ctrl_c

HOLD = """
import sys, nvme
pcie = nvme.Pcie(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""

# A server that, unlike ours, does not reply to others while it has a client.
SILENT = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(4)
print("listens", flush=True)
first = server.accept()[0]
sys.stdin.read()
"""
CONNECT = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
print("connected", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def shared():
    with VirtualSsd(size="64M") as ssd:
        yield ssd.address


@pytest.fixture
def other():
    """Give ``other(code, argument)``: another process, which has said its first word."""
    started = []

    def start(code, argument):
        process = subprocess.Popen(
            takes_ctrl_c([sys.executable, "-c", code, argument]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def test_a_script_waits_for_another_one_that_is_about_to_end(shared, other):
    first = other(HOLD, shared)
    timer = threading.Timer(1, first.stdin.close)
    timer.start()
    pcie = d.Pcie(shared)
    assert d.Controller(pcie).id_data(23, 4, str)
    pcie.close()
    timer.join()
    assert first.wait(10) == 0


def test_it_says_who_has_the_device_and_waits_no_longer_than_some_seconds(shared, other):
    first = other(HOLD, shared)
    start = time.monotonic()
    with pytest.raises(d.NvmeEnumerateError, match="one client at a time") as told:
        d.Pcie(shared)
    took = time.monotonic() - start
    assert took >= clients.PATIENCE
    assert took < clients.PATIENCE + 3 or loaded()
    assert f"process {first.pid} ({sys.executable} -c import sys, nvme" in str(told.value)
    assert "end that process" in str(told.value)
    assert first.poll() is None


def test_of_a_device_that_does_not_answer_meanwhile_it_says_so_too(tmp_path, other):
    path = str(tmp_path / "cntrl")
    other(SILENT, path)
    first = other(CONNECT, path)
    start = time.monotonic()
    with pytest.raises(d.NvmeEnumerateError, match="did not answer within 2000 ms") as told:
        d.Pcie(str(tmp_path))
    assert time.monotonic() - start < clients.PATIENCE + 5 or loaded()
    assert f"process {first.pid} (" in str(told.value)


def test_ctrl_c_ends_the_wait(shared, other):
    other(HOLD, shared)
    second = other("import nvme, sys; print(flush=True); nvme.Pcie(sys.argv[1])", shared)
    time.sleep(1)
    start = time.monotonic()
    second.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in second.communicate(timeout=30)[1]
    assert time.monotonic() - start < 2 or loaded()


def test_scripts_that_share_a_device_one_after_the_other_all_get_it(shared):
    code = "import sys, time, nvme; p = nvme.Pcie(sys.argv[1]); time.sleep(0.1); p.close()"
    scripts = [
        subprocess.Popen([sys.executable, "-c", code, shared], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ends = [script.communicate(timeout=60)[1] for script in scripts]
    assert ends == [""] * 4 or loaded()


def test_a_device_of_this_process_is_not_waited_for(shared, tmp_path):
    pcie = d.Pcie(shared)
    os.symlink(shared, tmp_path / "again")
    start = time.monotonic()
    with pytest.raises(d.NvmeEnumerateError, match="this process has it open already"):
        d.Pcie(str(tmp_path / "again"))
    assert time.monotonic() - start < 1 or loaded()
    pcie.close()
