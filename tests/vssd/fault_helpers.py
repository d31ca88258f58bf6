# SPDX-License-Identifier: BSD-3-Clause
"""Planting fault rules through the control socket, by raw bytes."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ctrl_helpers import control
from server import Server

PLANT, FAULTS, REMOVE, CLEAR, RELEASE, FIRED = 12, 13, 14, 15, 16, 17


class Entry(NamedTuple):
    """An entry of the log of rules that fired."""

    rule: int
    place: int
    qid: int
    cid: int
    opcode: int
    nsid: int
    slba: int


def plant(server: Server, *rules: str) -> int:
    """Plant rules, which must be right, and return the number of the first one."""
    answer = control(server, PLANT, data="\n".join(rules).encode())
    first, count = struct.unpack_from("<QQ", answer)
    assert count == len(rules), answer[16:].decode()
    return int(first)


def wrong(server: Server, rule: str) -> str:
    """Plant a rule that must be refused, and return the reason."""
    answer = control(server, PLANT, data=rule.encode())
    assert struct.unpack_from("<QQ", answer)[1] == 0
    return answer[16:].decode()


def clear(server: Server) -> None:
    control(server, CLEAR)


def faults(server: Server) -> list[str]:
    """The planted rules: number, matched, fired and text."""
    return control(server, FAULTS).decode().splitlines()


def fired_count(server: Server, number: int) -> int:
    return next(int(line.split()[2]) for line in faults(server) if line.split()[0] == str(number))


def fired(server: Server) -> list[Entry]:
    data = control(server, FIRED)
    return [
        Entry(number, place, qid, cid, opcode, nsid, slba)
        for _, _, number, slba, nsid, qid, cid, opcode, _, place, _ in struct.iter_unpack("<4QI2H3B5xQ", data)
    ]
