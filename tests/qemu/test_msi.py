# SPDX-License-Identifier: BSD-3-Clause
"""MSI, on a function that is no drive: QEMU's NVMe controllers have MSI-X and the pin only."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.qemu.conftest import FUNCTIONS

ROOT = Path(__file__).parents[2]
SOURCES = ["tests/qemu/msi.c", "core/pci/vfio_irq.c", "core/util/error.c", "core/util/log.c"]


@pytest.fixture
def edu():
    """Give the address of QEMU's teaching device, bound to vfio-pci."""
    found = [path for path in FUNCTIONS.iterdir() if (path / "device").read_text().strip() == "0x11e8"]
    if not found:
        pytest.skip("this guest has no function called edu")
    function = found[0]
    (function / "driver_override").write_text("vfio-pci")
    Path("/sys/bus/pci/drivers_probe").write_text(function.name)
    yield function.name
    (function / "driver/unbind").write_text(function.name)
    (function / "driver_override").write_text("\n")


def test_a_function_with_msi_alone_interrupts_by_it(edu, tmp_path):
    program = tmp_path / "msi"
    subprocess.run(["cc", "-Wall", "-Werror", "-I", ROOT, "-o", program, *SOURCES], cwd=ROOT, check=True)
    group = (FUNCTIONS / edu / "iommu_group").resolve().name
    done = subprocess.run([program, f"/dev/vfio/{group}", edu], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "MSI works\n"), done.stderr
