# SPDX-License-Identifier: BSD-3-Clause
"""The keys of a Key Value namespace, from the data of List commands (KV 1.1, section 3.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nvme

LARGEST = 65536
"""Bytes of a list that every_key() asks for, or MDTS if that is less."""


def keys_of(data: bytes | memoryview) -> list[bytes]:
    """The keys in the data of a List.

    Raises:
        ValueError: the data are too short for the keys that they claim to have
    """
    view = memoryview(data).cast("B")
    found, at = [], 4
    for number in range(int.from_bytes(view[:4], "little")):
        length = int.from_bytes(view[at : at + 2], "little")
        if at + 2 + length > len(view):
            raise ValueError(f"key {number} of the list reaches past its {len(view)} bytes")
        found.append(bytes(view[at + 2 : at + 2 + length]))
        at += (2 + length + 3) // 4 * 4
    return found


def every_key(kv: nvme.KeyValue, qpair: nvme.Qpair, start: bytes, mdts: int) -> list[bytes]:
    """All keys from one on, in the order of the drive, by as many List commands as it takes."""
    from nvme import Buffer

    buf = Buffer(min(mdts, LARGEST) if mdts else LARGEST, "list of keys")
    found: list[bytes] = []
    last = None
    while True:
        statuses: list[int] = []

        def done(cdw0: int, status1: int, into: list[int] = statuses) -> None:
            into.append(status1 >> 1 & 0x7FF)

        kv.list(qpair, buf, start, cb=done).waitdone()
        if statuses != [0]:
            return found
        keys = keys_of(bytes(buf[:]))
        fresh = keys[1:] if last is not None and keys[:1] == [last] else keys
        found += fresh
        if not fresh:
            return found
        start = last = keys[-1]
