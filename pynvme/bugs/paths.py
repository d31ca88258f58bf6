# SPDX-License-Identifier: BSD-3-Clause
"""P: paths to namespaces."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

LOG = "Base 2.0, 5.16.1.12 Asymmetric Namespace Access"
STATES = "Base 2.0, 8.1.3 Asymmetric Namespace Access states"
PROCESSING = "Base 2.0, 8.1.4 Asymmetric Namespace Access Command Processing"
NOTICE = "Base 2.0, 5.2 Asynchronous Event Request, Asymmetric Namespace Access Change"

TWO = {"namespaces": 2, "ana": 2}
LOST = "on=power-up do ana=inaccessible group=2"
CHANGES = "opcode=write nth=20 do ana=non-optimized group=1 count=1"

BUGS = (
    Bug(
        "P1",
        "path-error-not-retried",
        "I/O to an inaccessible namespace fails with DNR",
        "The host gives up, though another controller would serve it. One function makes all failures final.",
        PROCESSING,
        (LOST, "status=03/02 do set cqe.dnr=1"),
        TWO,
        areas=("paths",),
        market=True,
    ),
    Bug(
        "P2",
        "path-error-as-internal-error",
        "I/O to an inaccessible namespace fails with an internal error",
        "The layer below reports that it cannot reach the medium, and the status of the path is lost.",
        PROCESSING,
        (LOST, "status=03/02 do set cqe.sct=0 cqe.sc=6"),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P3",
        "ana-change-not-announced",
        "The state of an ANA group changes without an event",
        "The notice is raised before the log page is written, and the log page clears it.",
        NOTICE,
        (CHANGES, "on=event event=ana-changed do drop"),
        TWO,
        areas=("paths",),
        market=True,
    ),
    Bug(
        "P4",
        "ana-change-not-counted",
        "The change count of the ANA log page does not count",
        "A host that reads the page in parts does not notice that it has changed in between.",
        LOG,
        (CHANGES, "log=0ch do bytes at=0 size=8 value=0"),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P5",
        "ana-count-survives-reset",
        "The ANA change count goes on after a reset",
        "The count lies in the memory that the reset leaves alone.",
        LOG,
        ("log=0ch do bytes at=0 size=8 add=1",),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P6",
        "ana-last-group-missing",
        "The ANA log page lacks its last group",
        "The loop over the groups ends one too early.",
        LOG,
        ("log=0ch do bytes at=8 size=2 value=1",),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P7",
        "ana-group-of-another-namespace",
        "The ANA log page names another namespace than the one in the group",
        "The index of the namespace is written, which counts from 0.",
        LOG,
        ("log=0ch cdw10[14:8]=0 do bytes at=48 size=4 value=2",),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P8",
        "ana-groups-only-ignored",
        "Return Groups Only has no effect",
        "The log specific parameter is not looked at.",
        LOG,
        ("opcode=get-log-page log=0ch do set cdw10[14:8]=0",),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P9",
        "ana-state-not-announced",
        "A state is reported that ANACAP does not announce",
        "The capabilities are those of the drive before.",
        STATES,
        (LOST, "cns=1 do bytes at=343 size=1 and=0xfb"),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P10",
        "ana-capacity-of-a-lost-namespace",
        "Identify Namespace tells the use of a namespace that is not accessible",
        "The number is the last one that the controller has seen.",
        PROCESSING,
        (LOST, "cns=0 nsid=2 do bytes at=16 size=8 value=0x1234"),
        TWO,
        areas=("paths",),
    ),
    Bug(
        "P11",
        "ana-without-mnan",
        "MNAN is 0 though the drive reports ANA",
        "Linux then does not know how large the log page can be, and refuses the controller.",
        STATES,
        ("cns=1 do bytes at=540 size=4 value=0",),
        TWO,
        areas=("paths",),
        market=True,
    ),
)
