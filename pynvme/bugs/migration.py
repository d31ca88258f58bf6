# SPDX-License-Identifier: BSD-3-Clause
"""L: live migration."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

TRACK = "Base 2.1, 5.1.27.1.1 Log User Data Changes"
SUSPEND = "Base 2.1, 5.1.17.1.1 Suspend"
STATE = "Base 2.1, 5.1.16.1.1 Get Controller State"
SET = "Base 2.1, 5.1.17.1.3 Set Controller State"
HEAD = "Base 2.1, 5.1.25.1.23 Controller Data Queue"
CREATE = "Base 2.1, 5.1.4 Controller Data Queue"
MIGRATION = "Base 2.1, 8.1.12 Host Managed Live Migration"

ONE = {"virtual_functions": 1, "migration": True}
SUCCESS = "do set cqe.sct=0 cqe.sc=0"


def _bug(
    number: int, name: str, title: str, inside: str, clause: str, rule: str, market: bool = False
) -> Bug:
    return Bug(f"L{number}", name, title, inside, clause, (rule,), ONE, areas=("migration",), market=market)


BUGS = (
    _bug(
        1,
        "migration-log-never-starts",
        "Track Send succeeds, and nothing is logged",
        "The command is accepted, and its bit is never read by the write path.",
        TRACK,
        "opcode=track-send do skip",
    ),
    _bug(
        2,
        "migration-suspended-goes-on",
        "A suspended controller goes on fetching commands",
        "Only new doorbells are ignored, and the commands of doorbells that were seen are executed.",
        SUSPEND,
        "opcode=migration-send cdw10[7:0]=0 do skip",
    ),
    _bug(
        3,
        "migration-state-with-wrong-tail",
        "The tail of a submission queue in the state is one too high",
        "The doorbell counts as the last entry, and not as the one behind it. The next command is lost.",
        STATE,
        "opcode=migration-receive do bytes at=74 size=2 add=1",
    ),
    _bug(
        4,
        "migration-state-with-old-phase",
        "The state has the wrong phase tag of slot 0 (S0PT)",
        "The phase of the next entry is stored, which differs at each wrap. Completions are lost.",
        STATE,
        "opcode=migration-receive do bytes at=96 size=1 xor=4",
        market=True,
    ),
    _bug(
        5,
        "migration-head-not-checked",
        "The head of a data queue moves to slots without an entry",
        "The value is stored as it is, and the queue counts as full or as empty.",
        HEAD,
        f"opcode=set-features feature=21h status=00/02 {SUCCESS}",
    ),
    _bug(
        6,
        "migration-second-queue",
        "A controller gets a second user data migration queue",
        "The table is searched for a free entry, and not for the controller.",
        CREATE,
        f"opcode=controller-data-queue status=00/02 {SUCCESS}",
    ),
    _bug(
        7,
        "migration-state-set-while-running",
        "The state of a controller is set while it is running",
        "The check is made in the function that sets the admin queue, which this command does not use.",
        SET,
        f"opcode=migration-send status=01/3a {SUCCESS}",
    ),
    _bug(
        8,
        "migration-function-with-hmb",
        "A controller that can be migrated asks for a host memory buffer",
        "Its contents would have to be migrated, too. The field is the same for all drives of the series.",
        MIGRATION,
        "cns=1 controller!=1 do bytes at=272 size=4 value=16384",
    ),
)
