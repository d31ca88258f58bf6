# SPDX-License-Identifier: BSD-3-Clause
"""V: virtual functions."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

CAPABILITIES = "Base 2.0, 5.17.2.13 Primary Controller Capabilities"
LIST = "Base 2.0, 5.17.2.14 Secondary Controller List"
MANAGEMENT = "Base 2.0, 5.28 Virtualization Management"
RESOURCES = "Base 2.0, 8.26 Virtualization Enhancements, Flexible Resources"
STATES = "Base 2.0, 8.26.3 Secondary Controller States and Resource Configuration"
IDENTITY = "Base 2.0, 5.17.2.1 Identify Controller, CNTLID and CMIC"
FUNCTION_RESET = "PCIe 5.0, 6.6.2 Function Level Reset"

THREE = {"virtual_functions": 3}
MANAGE = "opcode=virtualization-management"
SUCCESS = "do set cqe.sct=0 cqe.sc=0"


def _bug(
    number: int, name: str, title: str, inside: str, clause: str, *rules: str, market: bool = False
) -> Bug:
    return Bug(f"V{number}", name, title, inside, clause, rules, THREE, areas=("functions",), market=market)


BUGS = (
    _bug(
        1,
        "vf-resources-not-counted",
        "Assigned resources are missing in the Primary Controller Capabilities",
        "The structure is filled in at power-up, and never again.",
        CAPABILITIES,
        "cns=14h do bytes at=36 size=4 value=0",
    ),
    _bug(
        2,
        "vf-list-ignores-cntid",
        "The Secondary Controller List always begins with the first controller",
        "A host that reads the list in parts gets the same part again.",
        LIST,
        "cns=15h do set cdw10[31:16]=0",
    ),
    _bug(
        3,
        "vf-list-lacks-the-last",
        "The Secondary Controller List lacks its last entry",
        "The number of entries is written 0's based.",
        LIST,
        "cns=15h do bytes at=0 size=1 add=-1",
    ),
    _bug(
        4,
        "vf-number-from-0",
        "The virtual function number of the first secondary controller is 0",
        "The index of the function is written, and 0 means that there is no virtual function.",
        LIST,
        "cns=15h do bytes at=40 size=2 if=1 value=0",
        market=True,
    ),
    _bug(
        5,
        "vf-resource-type-ignored",
        "Virtualization Management accepts reserved types of resources",
        "All types but the first count as interrupts.",
        MANAGEMENT,
        f"{MANAGE} status=01/22 {SUCCESS}",
    ),
    _bug(
        6,
        "vf-resources-overcommitted",
        "More resources are assigned than the drive has",
        "The sum over all controllers is not compared, and queues of two functions share their memory.",
        RESOURCES,
        f"{MANAGE} status=01/21 {SUCCESS}",
        market=True,
    ),
    _bug(
        7,
        "vf-unknown-controller-as-invalid-field",
        "An unknown controller is refused with Invalid Field in Command",
        "The check of all fields comes first, and knows one status only.",
        MANAGEMENT,
        f"{MANAGE} status=01/1f do set cqe.sct=0 cqe.sc=2",
    ),
    _bug(
        8,
        "vf-online-without-resources",
        "A secondary controller is brought online without resources",
        "The host's driver then waits for a controller that cannot have queues.",
        STATES,
        f"{MANAGE} cdw10[3:0]=9 status=01/20 {SUCCESS}",
        market=True,
    ),
    _bug(
        9,
        "vf-resources-change-online",
        "Resources of a controller that is online can be changed",
        "The queues in use lose their resources.",
        STATES,
        f"{MANAGE} do functions=assign-online",
    ),
    _bug(
        10,
        "vf-offline-keeps-resources",
        "A controller that is taken offline keeps its resources",
        "Other functions cannot get them, until the next power cycle.",
        MANAGEMENT,
        f"{MANAGE} do functions=keep-resources",
        market=True,
    ),
    _bug(
        11,
        "vf-online-after-primary-reset",
        "A reset of the primary controller leaves secondary controllers online",
        "Two hosts use the drive with different ideas of who has which resources.",
        STATES,
        f"{MANAGE} do functions=stay-online",
        market=True,
    ),
    _bug(
        12,
        "vf-reset-resets-others",
        "A function level reset of one virtual function resets all of them",
        "One virtual machine that restarts stops the I/O of all others.",
        FUNCTION_RESET,
        f"{MANAGE} do functions=reset-all",
        market=True,
    ),
    _bug(
        13,
        "vf-share-changed-by-controller-reset",
        "A Controller Reset changes the resources of the primary controller",
        "All resets go through one function, which takes over what was requested.",
        RESOURCES,
        f"{MANAGE} do functions=share-early",
    ),
    _bug(
        14,
        "vf-share-lost-with-power",
        "A power cycle takes the resources of the primary controller",
        "The setting is kept in volatile memory.",
        MANAGEMENT,
        f"{MANAGE} do functions=forget-share",
    ),
    _bug(
        15,
        "vf-with-queues-of-the-primary",
        "A virtual function creates more queues than it has resources",
        "The limit of the physical function is compared.",
        RESOURCES,
        f"{MANAGE} do functions=all-queues",
    ),
    _bug(
        16,
        "vf-offline-looks-healthy",
        "CSTS.CFS is 0 of a controller that is offline",
        "The host's driver enables it, and waits for CAP.TO.",
        STATES,
        "register=CSTS access=read value=2 controller!=1 do set value=0",
    ),
    _bug(
        17,
        "vf-works-offline",
        "A controller that is offline can be enabled",
        "Only the list shows the state.",
        STATES,
        f"{MANAGE} do functions=work-offline",
        "cns=15h do functions=work-offline",
    ),
    _bug(
        18,
        "vf-write-misdirected",
        "A write of a virtual function goes to the LBA after the one it names",
        "The offset of the function's region is counted from 1.",
        "NVM 1.0, 3.2.4 Read",
        "opcode=write controller!=1 do add slba=1",
    ),
    _bug(
        19,
        "vf-reads-stale-data",
        "A virtual function reads older data",
        "The read cache of a function does not see what other functions write.",
        "NVM 1.0, 3.2.4 Read",
        "opcode=read controller!=1 writes>=2 do older",
        market=True,
    ),
    _bug(
        20,
        "vf-with-cntlid-of-the-primary",
        "Identify Controller of a virtual function has the CNTLID of the physical one",
        "The structure is the same for all functions.",
        IDENTITY,
        "cns=1 controller!=1 do bytes at=78 size=2 value=1",
    ),
    _bug(
        21,
        "vf-with-cmic-of-the-primary",
        "CMIC does not say that a controller belongs to a virtual function",
        "The structure is the same for all functions.",
        IDENTITY,
        "cns=1 controller!=1 do bytes at=76 size=1 and=0xfb",
    ),
)
