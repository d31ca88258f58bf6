# SPDX-License-Identifier: BSD-3-Clause
"""Virtual functions of a drive: the SR-IOV capability of its physical function.

Their controllers are secondary ones. They work once the primary controller has given them resources and
brought them online, by Virtualization Management. ``docs/how-to/virtual-ssd.md`` has an example.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pynvme import pci
from pynvme.address import PRIVATE, is_private, normal, root_of

if TYPE_CHECKING:
    import nvme

CAPABILITY = 0x10
_CONTROL, _TOTAL_VFS, _NUM_VFS = 0x08, 0x0E, 0x10
"""Registers of the capability (PCIe 9.3.3)."""
_VF_ENABLE, _VF_MSE = 1, 8
SETTLE = 0.1
"""Seconds that the system must leave virtual functions alone after VF Enable is set (PCIe 9.3.3.3.1)."""


def total(nvme0: nvme.Controller) -> int:
    """The most virtual functions that a drive can have (TotalVFs), or 0 without an SR-IOV capability.

    Args:
        nvme0: the controller of the physical function
    """
    at = nvme0.pcie.cap_offset(CAPABILITY, extended=True)
    return 0 if at is None else nvme0.pcie.register(at + _TOTAL_VFS, 2)


def enable(nvme0: nvme.Controller, count: int) -> list[str]:
    """Enable the first virtual functions of a drive (NumVFs and VF Enable, PCIe 9.3.3.3), or disable all.

    On a PCIe drive the kernel does this, which needs root, vfio-pci, and a mainboard whose firmware supports
    SR-IOV. The functions last until they are disabled, or until the drive is rebound to the kernel's driver.
    Close their controllers before.

    Args:
        nvme0: the controller of the physical function
        count: how many, 0 to :func:`total`. 0 disables all

    Returns:
        their addresses, for Controller and Pcie, in the order of their numbers (VFN)

    Raises:
        ValueError: count is not 0 to :func:`total`
        NotImplementedError: the function has no SR-IOV capability, or its driver cannot enable it
        pynvme.pci.DriveError: the kernel refuses, or a virtual function is still in use

    Example:
        >>> addresses = sriov.enable(nvme0, 2)
        >>> for rt in 0, 1:                             # queues, interrupts
        ...     nvme0.virtualization_management(8, rt, cntlid=2, nr=2).waitdone()
        >>> nvme0.virtualization_management(9, cntlid=2).waitdone()
        >>> vf = nvme.Controller(addresses[0])
    """
    at = nvme0.pcie.cap_offset(CAPABILITY, extended=True)
    if at is None:
        raise NotImplementedError("the function has no SR-IOV capability, so it has no virtual functions")
    most = total(nvme0)
    if not 0 <= count <= most:
        raise ValueError(f"the drive can have 0 to {most} virtual functions (TotalVFs), not {count}")
    address = os.fsdecode(nvme0.addr)
    bdf = normal(address)
    if bdf is not None:
        return pci.enable_functions(bdf, count)
    pcie = nvme0.pcie
    pcie[at + _CONTROL] = 0
    if count:
        pcie[at + _NUM_VFS] = count
        pcie[at + _CONTROL] = _VF_ENABLE | _VF_MSE
        time.sleep(SETTLE)
    return [_of_virtual_ssd(address, number) for number in range(1, count + 1)]


def _of_virtual_ssd(address: str, number: int) -> str:
    """The address of a virtual function of a virtual SSD, whose controllers follow the primary one."""
    if is_private(address):
        options = address[len(PRIVATE) + 1 :]
        return f"{PRIVATE}:{options},controller={number + 1}"
    folder = address if os.path.isdir(address) else os.path.dirname(address) or "."
    return os.path.join(root_of(folder), str(number + 1))
