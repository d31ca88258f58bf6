# SPDX-License-Identifier: BSD-3-Clause
"""What a report tells of the drives: read at their first use and after the last test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pynvme.report.run import Drive

if TYPE_CHECKING:
    import nvme

_VS = 0x08
_IDENTIFY = 0x06


def address_of(nvme0: nvme.Controller) -> str:
    """The address of a controller as a text."""
    address = nvme0.addr
    return address.decode() if isinstance(address, bytes) else str(address)


def first_look(nvme0: nvme.Controller) -> Drive:
    """Describe a drive before the first test. It sends some admin commands beside those of the test."""
    ctrl = nvme0.id_ctrl
    version = int(nvme0[_VS])
    drive = Drive(
        address_of(nvme0),
        model=ctrl.mn,
        serial=ctrl.sn,
        firmware=ctrl.fr,
        version=f"{version >> 16}.{version >> 8 & 0xFF}" + (f".{version & 0xFF}" if version & 0xFF else ""),
        cap=nvme0.cap,
        queues=nvme0.max_qpairs,
        id_ctrl=bytes(ctrl).hex(),
    )
    with contextlib.suppress(OSError):
        drive.smart_before = bytes(nvme0.smart).hex()
    with contextlib.suppress(OSError):
        drive.id_ns = _namespace(nvme0)
    return drive


def _namespace(nvme0: nvme.Controller) -> str:
    import nvme

    buf = nvme.Buffer(4096, "Identify Namespace")
    nvme0._ask(_IDENTIFY, buf, 1)  # type: ignore[attr-defined]
    return bytes(buf[:]).hex()


def last_look(drive: Drive) -> None:
    """Open a drive once more, and read its health log."""
    import nvme

    try:
        pcie = nvme.Pcie(drive.address)
        try:
            drive.smart_after = bytes(nvme.Controller(pcie).smart).hex()
        finally:
            pcie.close()
    except Exception as error:
        drive.problem = f"{type(error).__name__}: {error}"
