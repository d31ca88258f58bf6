# SPDX-License-Identifier: BSD-3-Clause
"""A virtual function of a drive, opened by its address while the kernel's driver has the physical one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pynvme import pci
from tests.qemu.conftest import FUNCTIONS, disk_of, driver_of

# NVMe Base Specification 2.0, section 5.22, Virtualization Management: actions and kinds of resources.
ALLOCATE, ASSIGN, ONLINE = 1, 8, 9
QUEUES, INTERRUPTS = 0, 1
PRIMARY, SECONDARY = 0, 1  # controller identifiers


def nvme(command: str) -> None:
    done = subprocess.run(["nvme", *command.split()], capture_output=True, text=True)
    assert done.returncode == 0, f"nvme {command}: {done.stdout}{done.stderr}"


def manage(controller: str, identifier: int, kind: int, action: int, number: int) -> None:
    nvme(f"virt-mgmt /dev/{controller} -c {identifier} -r {kind} -a {action} -n {number}")


@pytest.fixture
def physical(drive):
    address = drive("sriov")
    pci.release()
    disk_of(address)
    yield address
    (FUNCTIONS / address / "sriov_numvfs").write_text("0")


@pytest.fixture
def virtual(physical):
    """One virtual function, with queues and interrupts of its own, that no driver has."""
    folder = FUNCTIONS / physical
    controller = next((folder / "nvme").glob("nvme*")).name
    # What the primary controller has of flexible resources it gives up with a reset.
    manage(controller, PRIMARY, INTERRUPTS, ALLOCATE, 0)
    manage(controller, PRIMARY, QUEUES, ALLOCATE, 0)
    nvme(f"reset /dev/{controller}")
    (folder / "sriov_drivers_autoprobe").write_text("0")
    (folder / "sriov_numvfs").write_text("1")
    manage(controller, SECONDARY, INTERRUPTS, ASSIGN, 2)
    manage(controller, SECONDARY, QUEUES, ASSIGN, 3)
    manage(controller, SECONDARY, QUEUES, ONLINE, 0)
    return (folder / "virtfn0").resolve().name


@pytest.mark.needs_engine("interrupts")
def test_a_virtual_function_is_opened_by_its_address(physical, virtual, run_script):
    done = run_script(f"""
pcie = d.Pcie({virtual!r})
nvme0 = d.Controller(pcie)
print("serial", nvme0.id_data(23, 4, str).strip(), "controller", nvme0.id_data(79, 78))
namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 16), d.Buffer(4096)
buf[:] = b"virtual " * 512
namespace.verify_enable(False)
namespace.write(pair, buf, 0, 8).waitdone()
namespace.flush(pair).waitdone()
pair.msix_clear()
namespace.read(pair, buf, 0, 8).waitdone()
print("interrupt", pair.msix_isset())
pair.delete()
namespace.verify_enable()
worker = namespace.ioworker(region_start=8, region_end=1024, read_percentage=50, time=2, qdepth=8)
result = worker.start().close()
print("worker", result.error, result.lba_mismatch, result.lba_verified > 0)
pcie.close()
""")
    assert done.returncode == 0, done.stdout
    assert f"serial sriov controller {SECONDARY}" in done.stdout
    assert "interrupt True" in done.stdout
    assert "worker 0 0 True" in done.stdout
    assert driver_of(virtual) == ""
    assert driver_of(physical) == "nvme"
    data = subprocess.run(
        ["dd", f"if={disk_of(physical)}", "bs=4096", "count=1", "iflag=direct", "status=none"],
        check=True,
        capture_output=True,
    ).stdout
    assert data[8:504] == (b"virtual " * 512)[8:504], "the physical function sees the same namespace"


def test_the_physical_function_is_refused_while_its_virtual_one_is_there(physical, virtual, run_script):
    """The kernel would take the virtual functions away with its driver, from under whoever uses them."""
    done = run_script(f"d.Controller({physical!r})")
    assert done.returncode == 1
    assert f"{physical} is in use: it has virtual functions ({virtual})" in done.stdout
    assert driver_of(physical) == "nvme"
    assert Path(FUNCTIONS / virtual).exists()
