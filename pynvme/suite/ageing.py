# SPDX-License-Identifier: BSD-3-Clause
"""Virtual time, for drives that have it: years pass at once. And the end of drives of OCP's specification."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import nvme

from pynvme.spec import OcpFeatureId, OcpLogId
from pynvme.suite.drive import Drive
from pynvme.suite.marks import Need
from pynvme.vssd import VirtualSsd, VirtualSsdError

__all__ = ["OCP_GUID", "VIRTUAL_TIME", "Ageing", "ageing_of", "has_ocp_logs", "writable_without_backup"]

OCP_GUID = "AFD514C97C6F4F9CA4F2BFEA2810AFC5"
"""Of OCP's log page C0h. Other vendors may have something else there."""
FAILURE_MODE = OcpFeatureId.READ_ONLY_WRITE_THROUGH
NORMAL = 3
"""The failure mode of a drive that goes on as before."""

Ageing = VirtualSsd
"""What lets a drive grow old, by its method ``age``."""


def ageing_of(drive: Drive) -> Ageing | None:
    """What lets this drive grow old, or None."""
    with contextlib.suppress(VirtualSsdError, OSError, ValueError):
        return VirtualSsd.attach(drive.identity()["address"])
    return None


VIRTUAL_TIME = Need("virtual time (it is a virtual SSD)", lambda drive: ageing_of(drive) is not None)


def has_ocp_logs(drive: Drive) -> bool | None:
    """Whether log page C0h is OCP's, or None if the drive has no log page C0h."""
    buf = nvme.Buffer(512)
    if not drive.log_page(OcpLogId.SMART, buf, 512).ok:
        return None
    return bytes(buf[496:512])[::-1].hex().upper() == OCP_GUID


@contextlib.contextmanager
def writable_without_backup(drive: Drive) -> Iterator[None]:
    """Have a drive of OCP's specification write on while its capacitors are defective (feature C2h)."""
    if not has_ocp_logs(drive):
        yield
        return
    clause = "OCP Datacenter NVMe SSD 2.0, Read Only / Write Through Mode (Feature Identifier C2h)"
    before = drive.get_feature(FAILURE_MODE).cdw0 & 7
    drive.succeed(drive.set_feature(FAILURE_MODE, NORMAL << 30, save=True), clause)
    try:
        yield
    finally:
        drive.set_feature(FAILURE_MODE, before << 30, save=True)
