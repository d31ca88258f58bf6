# SPDX-License-Identifier: BSD-3-Clause
"""J: endurance groups and NVM sets."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

GROUPS = "Base 2.0, 5.17.2.18 Endurance Group List"
SETS = "Base 2.0, 5.17.2.5 NVM Set List"
INFORMATION = "Base 2.0, 5.16.1.10 Endurance Group Information"
MODEL = "Base 2.0, 3.8 NVM Capacity Model"
MANAGEMENT = "Base 2.0, 5.3 Capacity Management"

DIVIDED: dict[str, str | int] = {
    "size": "32M",
    "namespaces": 2,
    "unallocated": "64M",
    "endurance_groups": 2,
    "nvm_sets": 2,
    "namespace_management": True,
    "capacity_management": "variable",
}
ROOMY: dict[str, str | int] = {
    "size": "32M",
    "namespaces": 2,
    "unallocated": "64M",
    "endurance_groups": 2,
    "nvm_sets": 2,
    "namespace_management": True,
}
"""With capacity in the sets that no namespace has."""
FIXED: dict[str, str | int] = {**ROOMY, "capacity_management": "fixed"}

BUGS = (
    Bug(
        "J1",
        "group-list-ignores-the-first",
        "The Endurance Group List begins at the first group, whichever the host wants",
        "Dword 11 of Identify is read for namespaces and controllers only.",
        GROUPS,
        ("cns=0x19 do set cdw11[15:0]=0",),
        DIVIDED,
        ("capacity",),
    ),
    Bug(
        "J2",
        "one-log-for-all-groups",
        "Endurance Group Information is that of group 1, whichever the host wants",
        "The identifier in dword 11 is not passed on to the task that makes the page.",
        INFORMATION,
        ("log=9 do set cdw11[31:16]=1",),
        DIVIDED,
        ("capacity",),
    ),
    Bug(
        "J3",
        "namespace-in-any-set",
        "A namespace is created in a set of the drive's choice",
        "NVMSETID and ENDGID of the data are read from a copy that ends before them.",
        "Base 2.0, 5.23 Namespace Management",
        ("opcode=namespace-management cdw10[3:0]=0 do bytes at=100 size=4 value=0",),
        ROOMY,
        ("capacity",),
    ),
    Bug(
        "J4",
        "set-capacity-stands",
        "UNVMSETCAP does not change when namespaces are created",
        "The list is made when the drive starts.",
        f"{MODEL}, NVM Sets",
        ("cns=4 do bytes at=160 size=8 freeze", "cns=4 do bytes at=288 size=8 freeze"),
        ROOMY,
        ("capacity",),
    ),
    Bug(
        "J5",
        "group-above-the-capacity",
        "An endurance group above UNVMCAP seems to be created",
        "The capacity is compared when the first namespace is created.",
        MANAGEMENT,
        ("opcode=capacity-management status=01/26 do set cqe.sct=0 cqe.sc=0 cqe.dnr=0",),
        DIVIDED,
        ("capacity",),
    ),
    Bug(
        "J6",
        "unallocated-capacity-stands",
        "UNVMCAP does not change when endurance groups are created",
        "It counts namespaces, and groups without namespaces are none.",
        f"{MODEL}, Endurance Groups",
        ("cns=1 do bytes at=296 size=8 freeze",),
        DIVIDED,
        ("capacity",),
    ),
    Bug(
        "J7",
        "namespaces-in-group-1",
        "Identify Namespace reports endurance group 1 for all",
        "ENDGID is a constant, from when the drive had one group.",
        "NVM 1.0, 4.1.5.1 Identify Namespace, NVMSETID and ENDGID",
        ("cns=0 do bytes at=102 size=2 value=1", "cns=0x11 do bytes at=102 size=2 value=1"),
        DIVIDED,
        ("capacity",),
    ),
    Bug(
        "J8",
        "group-events-in-one-register",
        "Endurance Group Event Configuration has one value for all groups",
        "ENDGID is checked, and not used as an index.",
        "Base 2.0, 5.27.1.20 Endurance Group Event Configuration",
        ("feature=0x18 cdw11[15:0]=2 do set cdw11[15:0]=1",),
        DIVIDED,
        ("capacity",),
    ),
    Bug(
        "J9",
        "any-configuration-selected",
        "A capacity configuration that is not listed can be selected",
        "The identifier is an index into a table, and is not compared with its length.",
        f"{MANAGEMENT}, Select Capacity Configuration",
        ("opcode=capacity-management status=00/02 do set cqe.sc=0 cqe.dnr=0",),
        FIXED,
        ("capacity",),
    ),
)
