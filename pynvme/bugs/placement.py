# SPDX-License-Identifier: BSD-3-Clause
"""I: placement, by Flexible Data Placement and by streams."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

FDP = "Base 2.1, 8.1.10 Flexible Data Placement"
STATUS = "Base 2.1, 7.3.1.1 Reclaim Unit Handle Status"
UPDATE = "Base 2.1, 7.4.1.1 Reclaim Unit Handle Update"
STATISTICS = "Base 2.1, 5.1.12.1.30 FDP Statistics"
EVENTS = "Base 2.1, 5.1.12.1.31 FDP Events"
STREAMS = "Base 2.1, 8.1.8.3 Streams"

WITH_FDP: dict[str, str | int] = {"fdp": 1, "size": "64M"}
WITH_STREAMS: dict[str, str | int] = {"streams": 1, "size": "64M"}
AREAS = ("placement",)

BUGS = (
    Bug(
        "I1",
        "reclaim-unit-never-counts",
        "RUAMW stays as it is while the reclaim unit is written",
        "The handle's table is updated when a reclaim unit is full, and the status reads from there.",
        STATUS,
        ("opcode=io-management-receive do bytes at=24 size=8 freeze",),
        WITH_FDP,
        AREAS,
    ),
    Bug(
        "I2",
        "reclaim-unit-update-ignored",
        "A Reclaim Unit Handle Update succeeds and does nothing",
        "The update waits for the next full superblock, and the request is forgotten.",
        UPDATE,
        ("opcode=io-management-send do skip",),
        WITH_FDP,
        AREAS,
    ),
    Bug(
        "I3",
        "placement-statistics-lost",
        "The FDP statistics are 0 after a loss of power",
        "They are restored in the background, and the first read comes too early.",
        STATISTICS,
        ("log=22h since=power-up nth=1 do bytes at=0 size=8 value=0",),
        WITH_FDP,
        AREAS,
    ),
    Bug(
        "I4",
        "placement-event-lost",
        "FDP events are not logged",
        "The log has room for the events of the controller, and none for those of the host.",
        EVENTS,
        ("log=23h do bytes at=0 size=4 value=0",),
        WITH_FDP,
        AREAS,
    ),
    Bug(
        "I5",
        "invalid-placement-refused",
        "A write with an invalid placement identifier fails",
        "The identifier is checked as an LBA is. The specification wants a write elsewhere, and an event.",
        FDP,
        ("opcode=write cdw12[23:20]=2 cdw13[31:16]>=0x100 do status=00/02",),
        WITH_FDP,
        AREAS,
    ),
    Bug(
        "I6",
        "placement-ignored",
        "All writes go to the first reclaim unit handle",
        "The path for large writes does not pass the directive on.",
        FDP,
        ("opcode=write cdw12[23:20]=2 do set cdw12[23:20]=0",),
        WITH_FDP,
        AREAS,
    ),
    Bug(
        "I7",
        "stream-stays-open",
        "A released stream is still open",
        "The identifier is removed from the table of the namespace, and not from that of the subsystem.",
        STREAMS,
        ("opcode=directive-send cdw11[15:0]=0x101 do skip",),
        WITH_STREAMS,
        AREAS,
    ),
    Bug(
        "I8",
        "stream-survives-disable",
        "The Streams directive cannot be disabled",
        "Directive Send with ENDIR 0 succeeds, and changes a copy.",
        "Base 2.1, 8.1.8 Directives",
        ("opcode=directive-send cdw11[15:0]=1 cdw12[0:0]=0 do skip",),
        WITH_STREAMS,
        AREAS,
    ),
)
