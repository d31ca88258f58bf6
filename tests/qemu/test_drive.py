# SPDX-License-Identifier: BSD-3-Clause
"""A drive behind the kernel's PCIe, whichever way the guest has: what holds for each of them."""

from __future__ import annotations

import os

import nvme as d
import pytest

from pynvme import pci
from tests.qemu.conftest import driver_of

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

WAY = "vfio-pci" if os.listdir("/sys/kernel/iommu_groups") else "uio_pci_generic"


def test_the_drive_is_taken_and_says_who_it_is(nvme0, plain):
    assert driver_of(plain) == WAY
    assert nvme0.id_data(23, 4, str).strip() == "plain"
    assert "QEMU" in nvme0.id_data(63, 24, str)
    assert nvme0[0x1C] & 1


def test_a_verified_worker_finds_no_mismatch(nvme0n1):
    assert nvme0n1.verify_enable(True)
    nvme0n1.ioworker(region_end=4096, lba_random=False, read_percentage=0, io_count=512).start().close()
    result = nvme0n1.ioworker(region_end=4096, read_percentage=50, time=5, qdepth=16).start().close()
    assert result.error == 0
    assert result.io_count_read > 0 and result.io_count_nonread > 0
    assert result.lba_verified > 0
    assert result.lba_mismatch == 0


@pytest.mark.parametrize("reset", ["reset", "flr"])
def test_after_a_reset_the_controller_is_initialised_again(pcie, nvme0, nvme0n1, reset):
    assert getattr(pcie, reset)() is True
    nvme0.reset()
    pair = d.Qpair(nvme0, 8)
    nvme0n1.read(pair, d.Buffer(4096), 0, 8).waitdone()
    pair.delete()


def test_in_d3hot_the_registers_are_away_and_the_process_lives(plain, run_script):
    """A process of its own: a doorbell that nobody answers must not end it."""
    pci.release()
    done = run_script(f"""
pcie = d.Pcie({plain!r})
nvme0 = d.Controller(pcie)
pair, buf, namespace = d.Qpair(nvme0, 8), d.Buffer(4096), d.Namespace(nvme0, 1)
pcie.power_state = 3
print("asleep", pcie.power_state, flush=True)
try:
    namespace.read(pair, buf, 0, 8).waitdone()
except Exception as error:
    print(type(error).__name__, error, flush=True)
pcie.power_state = 0
nvme0.reset()
pair = d.Qpair(nvme0, 8)
namespace.read(pair, buf, 0, 8).waitdone()
print("awake", flush=True)
""")
    assert done.returncode == 0, done.stdout
    assert "awake" in done.stdout
