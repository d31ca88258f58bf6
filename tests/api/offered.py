# SPDX-License-Identifier: BSD-3-Clause
"""What a drive reports to support: a test that needs more is skipped, and the reason names the bit."""

import contextlib
import os
import time
import warnings

import pytest

from pynvme import lba_format, pci
from tests.fix_engines import selected
from tests.fix_load import loaded

IN_GUEST = "PYNVME_GUEST" in os.environ
"""Whether this is the guest of tools/qemu; the drive of --pciaddr is then behind the kernel's vfio-pci."""


# Drives that are known to break the specification, for the mark `differs`: the model in Identify, and what is
# wrong. docs/found.md has a line for each.
SPDK = "SPDK bdev Controller"
LONE_HALF = "a lone half of a fused pair hangs the target (Base 2.0, 3.4.2)"
MDTS_IS_EXCEEDED = "a transfer above MDTS is accepted (Base 2.0, 5.17.2.1, MDTS)"
NO_VECTOR_TABLE = "the MSI-X table cannot be read or written (PCIe Base 5.0, 7.7.2)"
NO_DOORBELL_EVENT = "a doorbell of no queue is no event (Base 2.0, 5.2)"
THRESHOLD_STAYS = "a temperature threshold that is set reads 0 (Base 2.0, 5.27.1.3)"


def lba_bytes(nvme0n1):
    """Bytes that an LBA takes in a buffer: its data, and its metadata where they lie in the same buffer."""
    return lba_format.buffer_bytes(nvme0n1.id_ns)


def needs_opcode(nvme0n1, opcode, what):
    """Skip if the Commands Supported and Effects log, or ONCS, says that the drive lacks an IO command."""
    if not nvme0n1.supports(opcode):
        pytest.skip(
            f"needs a drive with {what} (opcode {opcode:02x}h: Commands Supported and Effects, or ONCS)"
        )


def needs_fused(nvme0):
    """Skip if the drive has no fused Compare and Write."""
    if not nvme0.id_ctrl.fuses.fcws:
        pytest.skip("needs a drive with fused Compare and Write (FUSES bit 0)")


def needs_changeable(nvme0, fid, what):
    """Skip if the drive reports that a feature cannot be changed.

    Get Features tells its capabilities (ONCS bit 4); else setting its own value is refused.
    """
    if nvme0.id_ctrl.oncs.ssfs:
        if not nvme0.getfeatures(fid, sel=3).waitdone() & 4:
            pytest.skip(
                f"needs a drive on which {what} is changeable (Get Features {fid:02x}h, SEL 3, bit 2)"
            )
        return
    value = nvme0.getfeatures(fid).waitdone()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nvme0.setfeatures(fid, cdw11=value).waitdone()
    if any("01/0e" in str(one.message) for one in caught):
        pytest.skip(f"needs a drive on which {what} is changeable (Set Features {fid:02x}h, 01/0e)")


def has_shadow_doorbells(nvme0):
    """Whether the engine has moved the doorbells of this drive into memory."""
    address = nvme0.addr.decode() if isinstance(nvme0.addr, bytes) else nvme0.addr
    return selected() == "spdk" and pci.normal(address) is not None and bool(nvme0.id_ctrl.oacs.dbcs)


def _switch_bus_mastering(pcie, nvme0, on):
    try:
        pcie[4] = pcie[4] & ~4 | 4 * on
    except NotImplementedError as error:
        nvme0.reset()  # which turns it on
        pytest.skip(f"needs a drive that accepts a byte for its Command register: {error}")


@contextlib.contextmanager
def commands_wait(pcie, nvme0):
    """Bus mastering is off in here, so that the drive cannot be faster than the script.

    That it waits then is what drives do; one that calls it a fatal error instead skips the test. So does one
    with shadow doorbells, which lie in memory: it reads them once, and not again when bus mastering is on.
    """
    if has_shadow_doorbells(nvme0):
        pytest.skip(
            "needs doorbells that are registers; SPDK puts those of this drive into memory (OACS bit 8)"
        )
    _switch_bus_mastering(pcie, nvme0, False)
    try:
        yield
    finally:
        _switch_bus_mastering(pcie, nvme0, True)
    if nvme0[0x1C] & 2:
        nvme0.reset()
        pytest.skip("needs a drive that waits for bus mastering; this one gives up (CSTS.CFS)")


def wait_set(pair, timeout=2.0):
    """Give the seconds until the vector of a queue is raised."""
    start = time.monotonic()
    while not pair.msix_isset():
        assert time.monotonic() - start < timeout or loaded()
    return time.monotonic() - start


def needs_aborted(cdw0, what):
    """Skip if Abort found nothing to abort: a drive aborts on a best effort basis (Base 2.0, 5.1)."""
    if cdw0 & 1:
        pytest.skip(f"needs a drive that aborts {what} (Abort, dword 0 bit 0)")
