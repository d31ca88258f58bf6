# SPDX-License-Identifier: BSD-3-Clause
"""Z: zones."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

STATES = "ZNS 1.1, 2.1.1.4 Zone State Machine"
RESOURCES = "ZNS 1.1, 2.1.1.4.1 Zone resources"
SEND = "ZNS 1.1, 3.4.3 Zone Management Send"
RECEIVE = "ZNS 1.1, 3.4.2 Zone Management Receive"
APPEND = "ZNS 1.1, 3.4.1 Zone Append"
WRITES = "ZNS 1.1, 2.1.1.2 Sequential Write Required zones"

DRIVE: dict[str, str | int] = {
    "size": "64M",
    "namespaces": 2,
    "zoned": 1,
    "zone_size": "1M",
    "zone_capacity": "768K",
}
ALWAYS = "opcode=identify do zone="


def _bug(number: int, name: str, title: str, inside: str, clause: str, *rules: str) -> Bug:
    return Bug(f"Z{number}", name, title, inside, clause, rules, options=DRIVE, areas=("zones",))


BUGS = (
    _bug(
        1,
        "zone-open-limit",
        "More zones are open than MOR",
        "The count of open zones is compared with the number of all zones.",
        RESOURCES,
        f"{ALWAYS}open-limit count=1",
    ),
    _bug(
        2,
        "zone-active-limit",
        "More zones are active than MAR",
        "A zone that a write opens is not counted.",
        RESOURCES,
        f"{ALWAYS}active-limit count=1",
    ),
    _bug(
        3,
        "zone-victim-explicit",
        "A zone that the host has opened is closed for another",
        "To make room, the drive takes the open zone with the lowest number.",
        RESOURCES,
        f"{ALWAYS}victim count=1",
    ),
    _bug(
        4,
        "zone-reset-keeps-data",
        "A reset zone still has its data",
        "Only the write pointer is set back. The map stays.",
        SEND,
        f"{ALWAYS}old-data count=1",
    ),
    _bug(
        5,
        "zone-finish-loses-end",
        "The last block before a finish is lost",
        "The open page is padded before its data are in it.",
        SEND,
        f"{ALWAYS}lose-end count=1",
    ),
    _bug(
        6,
        "zone-pointer-after-power-loss",
        "After a loss of power the write pointer is before data that were flushed",
        "The pointer is found by a search that stops at the last checkpoint.",
        STATES,
        f"{ALWAYS}pointer count=1",
    ),
    _bug(
        7,
        "zone-reset-keeps-extension",
        "A reset leaves the descriptor extension valid",
        "ZDEV is not cleared.",
        SEND,
        f"{ALWAYS}extension count=1",
    ),
    _bug(
        8,
        "zone-write-with-gap",
        "A write may begin behind the write pointer",
        "The check is less than instead of not equal.",
        WRITES,
        f"{ALWAYS}gap count=1",
    ),
    _bug(
        9,
        "zone-write-past-capacity",
        "A write reaches past the capacity of its zone",
        "The check compares with the size of the zone.",
        WRITES,
        f"{ALWAYS}capacity count=1",
    ),
    _bug(
        10,
        "zone-open-after-power-loss",
        "Zones are still open after a loss of power",
        "The table of states is restored as it was.",
        STATES,
        f"{ALWAYS}stay-open count=1",
    ),
    _bug(
        11,
        "zone-append-wrong-lba",
        "The completion of an append names the LBA behind its data",
        "The drive reports the write pointer after it has advanced.",
        APPEND,
        "opcode=zone-append do add cqe.result=1",
    ),
    _bug(
        12,
        "zone-report-partial-count",
        "A partial report counts all zones",
        "The bit Partial Report is ignored.",
        RECEIVE,
        "opcode=zone-management-receive do set cdw13[16:16]=0",
    ),
    _bug(
        13,
        "zone-report-all-states",
        "A report has zones of other states",
        "ZRASF is ignored.",
        RECEIVE,
        "opcode=zone-management-receive do set cdw13[15:8]=0",
    ),
    _bug(
        14,
        "zone-report-from-start",
        "A report begins with the first zone, whatever SLBA is",
        "SLBA is ignored.",
        RECEIVE,
        "opcode=zone-management-receive do set slba=0",
    ),
    _bug(
        15,
        "zone-reset-all-ignored",
        "A reset of all zones does nothing",
        "Select All is not implemented, and reports success.",
        SEND,
        "opcode=zone-management-send cdw13[8:0]=0x104 do skip",
    ),
    _bug(
        16,
        "zone-append-corrupt",
        "The first byte of an append is wrong",
        "The address of the data is used before it is aligned.",
        APPEND,
        "opcode=zone-append every=3 do flip byte=0 bit=0",
    ),
    Bug(
        "Z17",
        "append-keeps-reference-tags",
        "An append with PIREMAP stores the reference tags of the host",
        "The tags count from the start of the zone. A read that checks those of the LBAs fails.",
        f"{APPEND}, PIREMAP",
        ("opcode=zone-append do set cdw12[25:25]=0",),
        {**DRIVE, "protection": True},
        areas=("zones",),
    ),
)
