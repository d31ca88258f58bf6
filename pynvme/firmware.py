# SPDX-License-Identifier: BSD-3-Clause
"""Downloads firmware images to drives, and makes images for virtual SSDs.

A virtual SSD accepts only images of this form, so that it can detect a damaged image::

    bytes  7:0    "PYNVMEFW"
    bytes 15:8    firmware revision: what Identify Controller and log page 03h show, ASCII, padded with blanks
    bytes 19:16   length of the image, header included; a multiple of 4096
    bytes 23:20   CRC-32C of the image, these four bytes counted as zeros
    byte  24      what activates it: 0 nothing more, a reset: 1 any, 2 conventional, 3 of the NVM subsystem
    bytes 31:25   zeros
    the rest      anything

Numbers are little-endian. An update, in a script::

    pathlib.Path("new.bin").write_bytes(pynvme.firmware.make("2.0"))
    nvme0.downfw("new.bin", slot=2, action=3)
"""

from __future__ import annotations

import os
import random
import struct
from typing import TYPE_CHECKING

from pynvme import values

if TYPE_CHECKING:
    import nvme

__all__ = ["RESETS", "SIZE_MAX", "download", "make"]

_MAGIC = b"PYNVMEFW"
_HEADER = struct.Struct("<8s8sIIB7x")
_PIECE = 4096

#: Bytes of the largest image that a virtual SSD accepts.
SIZE_MAX = 8 << 20

#: The largest image file, in bytes, since /dev/zero and its like have no end.
_FILE_MAX = 256 << 20

#: The resets that an image may need before it runs, and their codes in the image.
RESETS = {None: 0, "controller": 1, "conventional": 2, "subsystem": 3}


def make(version: str, size: int = 65536, reset: str | None = None) -> bytes:
    """Make a firmware image that a virtual SSD accepts.

    version is its revision, 1 to 8 printable ASCII characters, the first of them not a blank. size is its
    number of bytes, a multiple of 4096 up to :data:`SIZE_MAX`. If reset is None, the image can be activated
    while the drive runs. Otherwise it needs any "controller" reset, a "conventional" one (PCI reset or
    power), or a reset of the NVM "subsystem" (or power). The same arguments make the same image.

    Raises ValueError for any other argument.

    >>> nvme0.fw_download(buf, 0).waitdone()            # buf[:] = pynvme.firmware.make("2.0", size=4096)
    """
    if not 1 <= len(version) <= 8 or not version.isascii() or not version.isprintable() or version[0] == " ":
        raise ValueError(f"a firmware revision has 1 to 8 printable ASCII characters, not {version!r}")
    if size % _PIECE or not _PIECE <= size <= SIZE_MAX:
        raise ValueError(f"an image has a multiple of {_PIECE} bytes, up to {SIZE_MAX}, not {size}")
    if reset not in RESETS:
        raise ValueError(f"reset is one of {', '.join(map(repr, RESETS))}, not {reset!r}")
    code = (
        random.Random(version).getrandbits(8 * (size - _HEADER.size)).to_bytes(size - _HEADER.size, "little")
    )
    fields = (_MAGIC, version.ljust(8).encode(), size)
    crc = _crc32c(_HEADER.pack(*fields, 0, RESETS[reset]) + code)
    return _HEADER.pack(*fields, crc, RESETS[reset]) + code


def download(
    nvme0: nvme.Controller, filename: str | bytes | os.PathLike[str], slot: int, action: int
) -> None:
    """Download an image piece by piece, then commit it, for Controller.downfw()."""
    from nvme import Buffer

    values.field(slot, 3, "slot")
    values.field(action, 3, "action")
    if not isinstance(filename, (str, bytes, os.PathLike)):  # an int would be a descriptor, and closed
        raise TypeError(f"filename must be a path, not {type(filename).__name__}")
    with open(filename, "rb") as image:
        data = image.read(_FILE_MAX + 1)
    if len(data) > _FILE_MAX:
        raise ValueError(f"{filename!r} is no firmware image: it has more than {_FILE_MAX >> 20} MiB")
    granularity = nvme0.id_ctrl.fwug  # in 4 KiB, 0 is not reported, FFh is no restriction
    unit = 4 if granularity in (0, 0xFF) else 4096 * granularity
    piece = max(min(nvme0.mdts or 65536, 65536) // unit, 1) * unit
    for at in range(0, len(data), piece):
        part = data[at : at + piece]
        buf = Buffer((len(part) + unit - 1) // unit * unit, "firmware")
        buf[: len(part)] = part
        nvme0.fw_download(buf, at).waitdone()
    nvme0.fw_commit(slot, action).waitdone()


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_TABLE = [_remainder(byte) for byte in range(256)]


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
