# SPDX-License-Identifier: BSD-3-Clause
"""A drive is pulled out while workers run on it, and put in again."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from pynvme import pci
from tests.qemu.conftest import FUNCTIONS, disk_of

UNDER_WORKERS = """
import nvme as d, time
pcie = d.Pcie({address!r})
nvme0 = d.Controller(pcie)
namespace = d.Namespace(nvme0, 1)
workers = [namespace.ioworker(time=120, qdepth=8).start() for _ in range(4)]
print("running", flush=True)
print("errors", [worker.close().error for worker in workers], flush=True)
try:
    nvme0.getfeatures(7).waitdone()
except Exception as error:
    print(type(error).__name__, error, flush=True)
pcie.close()
print("lives", flush=True)
"""


def monitor(command: str) -> None:
    """Have QEMU's monitor do something; the guest's second serial port is its terminal."""
    with open("/dev/ttyS1", "wb", buffering=0) as terminal:
        terminal.write(f"\r{command}\r".encode())  # what was there before is a command of its own


def pulled_out(script: subprocess.Popen[str], times: int = 4) -> str:
    """Pull the drive out until the script ends, which a busy guest may not hear at once: what it said."""
    for _ in range(times):
        monitor("device_del plain")
        try:
            return script.communicate(timeout=20)[0]
        except subprocess.TimeoutExpired:
            continue
    script.kill()
    raise TimeoutError(f"the script does not end: {script.communicate()[0]}")


def wait_for(condition, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not after {seconds} s")
        time.sleep(0.1)


@pytest.mark.filterwarnings("ignore")
def test_a_drive_is_pulled_out_under_four_workers_and_put_in_again(plain):
    pci.give_back()
    pci.Machine().restore()
    disk_of(plain)
    script = subprocess.Popen(
        [sys.executable, "-c", UNDER_WORKERS.format(address=plain)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert script.stdout.readline() == "running\n"
    time.sleep(2)
    port = (FUNCTIONS / plain).resolve().parent.name
    said = pulled_out(script)
    assert script.returncode == 0, said
    lines = said.splitlines()
    errors = next(line for line in lines if line.startswith("errors"))
    assert "0" not in errors.split("[")[1], said
    assert "lives" in lines
    assert any("gone" in line or "removed" in line for line in lines), said
    wait_for(lambda: not (FUNCTIONS / plain).exists(), 20, "the kernel forgets the drive")

    monitor("device_add nvme,id=plain,bus=rp-plain,serial=plain,drive=d-plain")
    wait_for((FUNCTIONS / plain).exists, 20, f"{port} finds the drive")
    disk_of(plain)
    hello = f"import nvme; print(nvme.Controller({plain!r}).id_data(63, 24, str))"
    done = subprocess.run([sys.executable, "-c", hello], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(f"/run/pynvme/{plain}")
