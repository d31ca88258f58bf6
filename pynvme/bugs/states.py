# SPDX-License-Identifier: BSD-3-Clause
"""G: power states, heat, wear, time."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

POWER = "Base 2.0, 5.27.1.2 Power Management"
APST = "Base 2.0, 5.27.1.10 Autonomous Power State Transition"
HMB = "Base 2.0, 5.27.1.22 Host Memory Buffer"
SMART = "Base 2.0, 5.16.1.3 SMART / Health Information"
LATENCY = "OCP Datacenter NVMe SSD 2.0, CTO-3"

BUGS = (
    Bug(
        "G1",
        "never-wakes",
        "The drive does not wake from a non-operational power state",
        "The doorbell does not start the clocks again.",
        APST,
        ("on=doorbell queue=io while=asleep do drop",),
        areas=("features", "resets"),
        market=True,
    ),
    Bug(
        "G2",
        "wakes-slowly",
        "Waking takes longer than the exit latency",
        "EXLAT is the time of the link alone. The first command takes seconds.",
        "Base 2.0, 5.17.2.1 Identify Controller, Power State Descriptor, EXLAT",
        (
            "name=asleep on=doorbell queue=io while=asleep do add value=0",
            "queue=io since=rule:asleep nth=1 do late=2s",
        ),
        areas=("features",),
    ),
    Bug(
        "G3",
        "host-memory-used-after-disable",
        "The host memory buffer is used after it was disabled",
        "Set Features succeeds, and the drive goes on to write there.",
        HMB,
        ("opcode=set-features feature=0dh cdw11[0:0]=0 do skip",),
        areas=("features",),
        market=True,
    ),
    Bug(
        "G4",
        "host-memory-trusted",
        "The contents of a returned host memory buffer are trusted without MR",
        "The drive does not look at the bit, and uses a map that is not its own.",
        f"{HMB}, Memory Return",
        waits_for="a host memory buffer whose contents matter",
    ),
    Bug(
        "G5",
        "gc-stall",
        "A write takes 9 s",
        "Garbage collection finds no free block, and waits for an erase of many.",
        LATENCY,
        ("opcode=write nth=2500 do late=9s",),
        areas=("latency",),
    ),
    Bug(
        "G6",
        "throttling-stops",
        "Thermal throttling stops IO",
        "The heavy throttle state sets the number of active dies to zero.",
        "Base 2.0, 5.27.1.16 Host Controlled Thermal Management",
        ("queue=io while=throttling do late=20s",),
        areas=("age", "features", "latency"),
    ),
    Bug(
        "G7",
        "worn-out-drops-writes",
        "A worn-out drive reports success and drops writes",
        "Writes fail inside, and the path of the completion does not see it. Critical warning bit 3 stays 0.",
        f"{SMART}, Critical Warning",
        ("name=worn opcode=write nth=1500 do add nsid=0", "opcode=write after=rule:worn do skip"),
        areas=("data", "latency"),
        market=True,
    ),
    Bug(
        "G8",
        "power-state-not-reported",
        "Get Features returns power state 0 in each state",
        "The state is known to the core that manages the power only.",
        POWER,
        ("opcode=get-features feature=2 cdw10[10:8]=0 do set cqe.result[4:0]=0",),
        areas=("features",),
    ),
    Bug(
        "G9",
        "unknown-power-state-accepted",
        "A power state above NPSS is accepted",
        "The number is not compared with NPSS.",
        POWER,
        ("opcode=set-features feature=2 status=00/02 do set cqe.sc=0 cqe.dnr=0",),
        areas=("features",),
    ),
    Bug(
        "G10",
        "admin-commands-stall",
        "An admin command takes 11 s",
        "Get Log Page waits for the end of a background operation.",
        "OCP Datacenter NVMe SSD 2.0, CTO-1",
        ("log=02h nth=20 do late=11s",),
        areas=("latency",),
    ),
    Bug(
        "G11",
        "trim-blocks-reads",
        "Reads wait for a large deallocation",
        "The deallocation holds the lock of the map, and takes seconds.",
        LATENCY,
        ("opcode=dataset-management cdw10[7:0]>=200 do late=9s",),
        areas=("latency",),
    ),
    Bug(
        "G12",
        "spare-below-threshold-without-warning",
        "The spare is below its threshold, and no warning is set",
        "Critical warning bit 0 is computed when the drive starts.",
        f"{SMART}, Available Spare",
        ("log=02h do bytes at=3 size=1 value=2",),
        areas=("logs",),
    ),
    Bug(
        "G13",
        "power-on-hours-go-back",
        "Power-on hours go back",
        "The counter is stored each hour, and read back from the older copy.",
        f"{SMART}, Power On Hours",
        (
            "log=02h do bytes at=128 size=4 add=100",
            "log=02h since=reset nth=2 do bytes at=128 size=4 add=-50",
        ),
        areas=("logs",),
    ),
    Bug(
        "G14",
        "throttling-loses-writes",
        "Writes are lost while the drive throttles",
        "The queue of writes overflows while it is slowed down.",
        "Base 2.0, 5.27.1.16 Host Controlled Thermal Management",
        ("opcode=write while=throttling every=5 do skip",),
        areas=("age", "features", "data"),
    ),
    Bug(
        "G15",
        "writes-slow-down-for-ever",
        "After 64 MiB, the drive writes 1 MiB a second",
        "The cache of fast blocks is never emptied.",
        LATENCY,
        ("opcode=write do pace=20K burst=8M",),
        areas=("latency",),
        market=True,
    ),
    Bug(
        "G16",
        "resets-count-as-power-cycles",
        "A controller reset counts as a power cycle",
        "The counter is incremented by the code that enables the controller.",
        f"{SMART}, Power Cycles",
        ("log=02h after=disable do bytes at=112 size=8 add=1",),
        areas=("logs", "resets", "power"),
    ),
)
