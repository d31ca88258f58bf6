# SPDX-License-Identifier: BSD-3-Clause
"""A drive through uio_pci_generic, in a guest without an IOMMU: physical addresses, and no interrupts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nvme as d
import pytest

from pynvme import pci
from tests.qemu.conftest import FUNCTIONS, disk_of, driver_of

pytestmark = [
    pytest.mark.filterwarnings("error::UserWarning"),
    pytest.mark.skipif(bool(os.listdir("/sys/kernel/iommu_groups")), reason="this guest has an IOMMU"),
]

MIB = 1 << 20


def physical(address: int) -> int:
    """Ask the kernel for the physical address of a byte of this process."""
    with open("/proc/self/pagemap", "rb") as file:
        file.seek(address // 4096 * 8)
        return (int.from_bytes(file.read(8), "little") & ((1 << 55) - 1)) * 4096 + address % 4096


def address_of(buffer: d.Buffer) -> int:
    import numpy

    return numpy.asarray(buffer).ctypes.data


def test_the_drive_is_given_physical_addresses(nvme0):
    buf = d.Buffer(4096)
    assert buf.phys_addr == physical(address_of(buf))
    assert nvme0[0x28] | nvme0[0x2C] << 32 < 1 << 40, "the admin submission queue is in this machine's memory"


@pytest.mark.parametrize("kib", [4, 8, 64, 512])
def test_what_was_written_is_read(nvme0, nvme0n1, qpair, kib):
    size = min(kib << 10, nvme0.mdts)
    data, back = d.Buffer(size), d.Buffer(size)
    data[:] = os.urandom(size)
    nvme0n1.write(qpair, data, 8, size // 512).waitdone()
    nvme0n1.read(qpair, back, 8, size // 512).waitdone()
    assert back[:] == data[:]


def test_each_page_of_a_large_buffer_is_found(nvme0n1, qpair):
    """Over the end of a hugepage, behind which anything may lie."""
    large = d.Buffer(4 * MIB)
    at = -address_of(large) % (2 * MIB) - 4096 * 3
    large.offset, large.size = at % (4 * MIB), 24576
    large[large.offset : large.offset + 24576] = os.urandom(24576)
    nvme0n1.write(qpair, large, 0, 48).waitdone()
    back = d.Buffer(24576)
    nvme0n1.read(qpair, back, 0, 48).waitdone()
    assert back[:] == large[large.offset : large.offset + 24576]


def test_a_worker_with_large_transfers_and_trims(nvme0, nvme0n1):
    largest = min(nvme0.mdts, 512 << 10) // 512
    result = nvme0n1.ioworker(
        io_size=[8, largest],
        region_end=1 << 16,
        op_percentage={1: 50, 2: 40, 9: 10},
        time=3,
        qdepth=32,
    )
    result = result.start().close()
    assert result.error == 0
    assert result.lba_mismatch == 0


def test_interrupts_are_refused_by_the_reason(qpair):
    with pytest.raises(NotImplementedError, match="uio_pci_generic has no MSI-X"):
        qpair.msix_isset()


def test_it_is_given_back_at_the_end(plain, run_script):
    pci.release()
    assert run_script(f"d.Controller({plain!r})").returncode == 0
    assert driver_of(plain) == "nvme"
    assert disk_of(plain).is_block_device()
    assert (FUNCTIONS / plain / "driver_override").read_text().strip() == "(null)"


def test_a_second_session_is_refused(plain, run_script):
    pci.release()
    other = f"import nvme; nvme.Controller({plain!r})"
    done = run_script(
        f"held = d.Controller({plain!r})\n"
        "import subprocess, sys\n"
        f"print(subprocess.run([sys.executable, '-c', {other!r}], stderr=subprocess.PIPE, text=True).stderr)"
    )
    assert "is in use by process" in done.stdout


def test_a_drive_bound_by_hand_belongs_to_the_first_who_opens_it(plain, run_script):
    pci.release()
    bound = subprocess.run(
        [sys.executable, "-m", "pynvme", "bind", plain], capture_output=True, text=True, check=True
    )
    assert f"{plain} is bound to uio_pci_generic, /dev/uio" in bound.stdout
    other = f"import nvme; nvme.Controller({plain!r})"
    done = run_script(
        f"held = d.Controller({plain!r})\n"
        "import subprocess, sys\n"
        f"print(subprocess.run([sys.executable, '-c', {other!r}], stderr=subprocess.PIPE, text=True).stderr)"
    )
    subprocess.run([sys.executable, "-m", "pynvme", "bind", "--restore"], check=True)
    assert "is in use by process" in done.stdout and "which has /dev/uio" in done.stdout
    assert driver_of(plain) == "nvme"


def test_without_hugepages_it_is_refused_and_nothing_is_left(plain, run_script):
    pci.release()
    done = subprocess.run(
        [sys.executable, "-c", f"import nvme; nvme.Controller({plain!r})"],
        env={**os.environ, "PYNVME_HUGE": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "without an IOMMU a drive can use hugepages only" in done.stderr
    assert driver_of(plain) == "nvme"


UNDER_WORKERS = """
import pathlib, time
nvme0 = d.Controller({plain!r})
namespace = d.Namespace(nvme0, 1)
workers = [namespace.ioworker(read_percentage=50, time=60, qdepth=8).start() for _ in range(2)]
time.sleep(1)
pathlib.Path("/sys/bus/pci/devices/{plain}/remove").write_text("1")
import warnings
warnings.simplefilter("ignore")
print("errors", [worker.close().error for worker in workers], flush=True)
try:
    print("CSTS", hex(nvme0[0x1c]))
    nvme0[0x14] = 0
    d.Qpair(nvme0, 8)
except Exception as error:
    print(type(error).__name__, error)
print("lives", flush=True)
"""


def test_a_drive_that_vanishes_under_workers_ends_them_and_the_process_lives(plain, run_script):
    """Its registers are unmapped while doorbells are rung: nothing asks the process before."""
    pci.release()
    done = run_script(UNDER_WORKERS.format(plain=plain))
    Path("/sys/bus/pci/rescan").write_text("1")
    disk_of(plain)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert "lives" in lines
    assert "0" not in next(line for line in lines if line.startswith("errors")).split("[")[1]
