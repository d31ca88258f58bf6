# SPDX-License-Identifier: BSD-3-Clause
"""LBA formats of Identify Namespace (NVM Command Set 1.1, 4.1.5.1)."""

from __future__ import annotations

from pynvme.spec import IdentifyNamespace
from pynvme.spec.identify import LbaFormat


def index_in_use(ns: IdentifyNamespace) -> int:
    """Index of the current LBA format. Its bits 5:4 count only if there are more than 16 formats."""
    high = ns.flbas.lbafih if ns.nlbaf > 15 else 0
    return ns.flbas.lbafil | high << 4


def in_use(ns: IdentifyNamespace) -> LbaFormat:
    """The current LBA format."""
    return ns.lbaf[index_in_use(ns)]


def size_in_use(ns: IdentifyNamespace) -> int:
    """Bytes of an LBA in the current LBA format, without metadata."""
    return 1 << in_use(ns).lbads


def count(ns: IdentifyNamespace) -> int:
    """How many LBA formats there are. NLBAF is 0's based, and the structure has room for 64."""
    return min(ns.nlbaf + 1, len(ns.lbaf))


def find(ns: IdentifyNamespace, data_size: int, meta_size: int = 0) -> int | None:
    """Index of the first LBA format with these bytes of data and metadata, or None."""
    for index, lbaf in enumerate(ns.lbaf[: count(ns)]):
        if lbaf.lbads and (1 << lbaf.lbads, lbaf.ms) == (data_size, meta_size):
            return index
    return None


def buffer_bytes(ns: IdentifyNamespace) -> int:
    """Bytes that an LBA takes in a buffer, with its metadata if they are in the same buffer."""
    return size_in_use(ns) + (in_use(ns).ms if ns.flbas.mdbs else 0)
