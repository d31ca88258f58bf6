# SPDX-License-Identifier: BSD-3-Clause
"""LBA formats, by what Identify Namespace says of them (NVM Command Set 1.1, 4.1.5.1)."""

from __future__ import annotations

from pynvme.spec import IdentifyNamespace
from pynvme.spec.identify import LbaFormat


def index_in_use(ns: IdentifyNamespace) -> int:
    """Index of the LBA format that is in use. Bits 5:4 of it count only if there are more than 16 formats."""
    high = ns.flbas.lbafih if ns.nlbaf > 15 else 0
    return ns.flbas.lbafil | high << 4


def in_use(ns: IdentifyNamespace) -> LbaFormat:
    """The LBA format that is in use."""
    return ns.lbaf[index_in_use(ns)]


def size_in_use(ns: IdentifyNamespace) -> int:
    """Bytes of an LBA, without metadata, in the format that is in use."""
    return 1 << in_use(ns).lbads


def count(ns: IdentifyNamespace) -> int:
    """How many LBA formats there are: NLBAF is 0's based, and the structure has room for 64."""
    return min(ns.nlbaf + 1, len(ns.lbaf))


def find(ns: IdentifyNamespace, data_size: int, meta_size: int = 0) -> int | None:
    """Index of the first LBA format with so many bytes of data and of metadata; None: there is none."""
    for index, lbaf in enumerate(ns.lbaf[: count(ns)]):
        if lbaf.lbads and (1 << lbaf.lbads, lbaf.ms) == (data_size, meta_size):
            return index
    return None


def buffer_bytes(ns: IdentifyNamespace) -> int:
    """Bytes that an LBA takes in a buffer: its data, and its metadata where they lie in the same buffer."""
    return size_in_use(ns) + (in_use(ns).ms if ns.flbas.mdbs else 0)
