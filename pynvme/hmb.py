# SPDX-License-Identifier: BSD-3-Clause
"""The host memory buffer, which is host memory for a drive's exclusive use (feature 0Dh)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nvme

_FEATURE = 0x0D
_UNIT = 4096  # of HMPRE


def lend(nvme0: nvme.Controller) -> tuple[nvme.Buffer, nvme.Buffer]:
    """Give a drive as much memory as it prefers. Return the buffers, to keep while the drive uses them.

    NotImplementedError if it prefers none.
    """
    from nvme import Buffer

    wanted, page = nvme0.id_ctrl.hmpre * _UNIT, nvme0.memory_page_size
    pages = (wanted + page - 1) // page
    if not pages:
        raise NotImplementedError("the drive prefers no host memory buffer (Identify Controller, HMPRE is 0)")
    memory = Buffer(pages * page, "host memory buffer")
    pieces = _pieces(memory, pages, page)
    descriptors = Buffer(len(pieces) * 16, "host memory descriptors")
    for place, (address, count) in enumerate(pieces):
        entry = address.to_bytes(8, "little") + count.to_bytes(4, "little")
        descriptors[place * 16 : place * 16 + 12] = entry
    list_address = descriptors.phys_addr
    nvme0.setfeatures(
        _FEATURE,
        cdw11=1,
        cdw12=pages,
        cdw13=list_address & 0xFFFFFFFF,
        cdw14=list_address >> 32,
        cdw15=len(pieces),
    ).waitdone()
    return memory, descriptors


def take_back(nvme0: nvme.Controller) -> None:
    """Disable the host memory buffer."""
    nvme0.setfeatures(_FEATURE, cdw11=0).waitdone()


def _pieces(memory: nvme.Buffer, pages: int, size: int) -> list[tuple[int, int]]:
    """The parts of the memory that are contiguous for a device, as (address, pages of this size)."""
    pieces: list[tuple[int, int]] = []
    for page in range(pages):
        memory.offset = page * size
        address = memory.phys_addr
        first, count = pieces[-1] if pieces else (0, 0)
        if count and first + count * size == address:
            pieces[-1] = first, count + 1
        else:
            pieces.append((address, 1))
    del memory.offset
    return pieces
