# SPDX-License-Identifier: BSD-3-Clause
"""A drive goes and comes back: by the button of its slot, by a hand, or by the kernel's list."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading

import nvme as d
import pytest

from pynvme import pci
from tests.qemu.conftest import FUNCTIONS, disk_of, driver_of
from tests.qemu.monitor import press_button, pull_out, put_in, wait_for

SECONDS = 240  # for a script, in a guest that shares its machine

UNDER_WORKERS = """
import nvme as d
pcie = d.Pcie({address!r})
nvme0 = d.Controller(pcie)
namespace = d.Namespace(nvme0, 1)
workers = [namespace.ioworker(time=300, qdepth=8).start() for _ in range(4)]
while min(worker.progress[2] for worker in workers) == 0:
    pass
print("running", flush=True)
print("errors", [worker.close().error for worker in workers], flush=True)
try:
    nvme0.getfeatures(7).waitdone()
except Exception as error:
    print(type(error).__name__, error, flush=True)
pcie.close()
print("closed", flush=True)
{after}
"""


@pytest.fixture(autouse=True)
def in_its_slot(plain):
    """Start with a drive that the kernel has, and leave one."""
    pci.release()
    pci.Machine().restore()
    disk_of(plain)
    yield
    pci.release()
    if not (FUNCTIONS / plain).exists():
        put_in("plain", plain)


@pytest.fixture
def under_workers(in_its_slot, plain):
    """Give a script with four workers, each of which has done IO; after a line it opens the drive again."""
    after = f"input(); print(d.Controller({plain!r}).id_data(23, 4, str))"
    process = subprocess.Popen(
        [sys.executable, "-c", UNDER_WORKERS.format(address=plain, after=after)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    too_long = threading.Timer(SECONDS, process.kill)
    too_long.start()
    assert process.stdout.readline() == "running\n"
    yield process
    too_long.cancel()
    process.kill()
    process.communicate()


def read_until(script: subprocess.Popen[str], wanted: str) -> str:
    """Give what a script says until a line; it must come."""
    said = ""
    for line in script.stdout:
        said += line
        if line.strip() == wanted:
            return said
    raise AssertionError(f"the script ended without {wanted!r}: {said}")


@pytest.mark.parametrize("how", ["button", "hand"])
def test_a_drive_goes_under_four_workers_and_is_opened_again_by_the_same_process(plain, under_workers, how):
    """The button: the kernel asks for the drive. A hand: its registers read as all ones, then it is gone."""
    press_button("plain") if how == "button" else pull_out(plain)
    said = read_until(under_workers, "closed")
    errors = re.search(r"errors \[(.*)\]", said)[1].split(", ")
    assert len(errors) == 4 and "0" not in errors, said
    assert re.search(r"gone|removed|answers nothing", said), said
    wait_for(lambda: not (FUNCTIONS / plain).exists(), 60, "the kernel forgets the drive")

    put_in("plain", plain)
    disk_of(plain)
    said, _ = under_workers.communicate("\n", timeout=120)
    assert under_workers.returncode == 0, said
    assert said.split()[-1] == "plain", said
    assert driver_of(plain) == "nvme", "given back, as a drive that never went"
    assert not os.path.exists(f"/run/pynvme/{plain}")


def test_within_one_process_a_drive_is_removed_and_found_again(plain):
    pcie = d.Pcie(plain)
    with pytest.raises(pci.DriveError, match=r"is open in process .*: Pcie\.close\(\) first"):
        pci.remove(plain)
    pcie.close()
    pci.remove(plain.removeprefix("0000:"))
    assert not (FUNCTIONS / plain).exists()
    with pytest.raises(d.NvmeEnumerateError, match=rf"no PCIe function {plain}.*/sys/bus/pci/rescan"):
        d.Pcie(plain)
    with pytest.raises(pci.DriveError, match="there is no NVMe controller"):
        pci.remove(plain)
    assert pci.rescan() == [plain]
    assert pci.rescan() == []
    pcie = d.Pcie(plain)
    assert d.Controller(pcie).id_data(23, 4, str).strip() == "plain"
    pcie.close()
    pci.release()
    assert driver_of(plain) == "nvme"
    assert disk_of(plain).is_block_device()


def test_a_drive_that_the_kernel_uses_is_not_removed(plain):
    with disk_of(plain).open("rb"), pytest.raises(pci.DriveError, match=f"process {os.getpid()} "):
        pci.remove(plain)
    assert disk_of(plain).is_block_device()
