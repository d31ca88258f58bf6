# SPDX-License-Identifier: BSD-3-Clause
"""Virtual functions: their resources and states, resets, and IO of several functions."""

from __future__ import annotations

from collections.abc import Iterator

import nvme
import pytest

from pynvme import sriov
from pynvme.spec import AdminOpcode, FeatureId, IoOpcode, Register, Status
from pynvme.spec import PrimaryControllerCapabilities as Capabilities
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import FLR, SWITCHED_POWER
from pynvme.suite.drive import CC_EN, Drive
from pynvme.suite.functions import (
    ASSIGN,
    CAPABILITIES,
    LIST,
    MANAGEMENT,
    OFFLINE,
    ONLINE,
    QUEUES,
    SHARE,
    VECTORS,
    VI,
    VIRTUAL,
    VQ,
    Functions,
)
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

RESOURCES = "Base 2.0, 8.26 Virtualization Enhancements, Flexible Resources"
STATES = "Base 2.0, 8.26.3 Secondary Controller States and Resource Configuration"
IDENTITY = "Base 2.0, 5.17.2.1 Identify Controller, CNTLID and CMIC"
FUNCTION_RESET = "PCIe 5.0, 6.6.2 Function Level Reset"

pytestmark = needs(VIRTUAL)
SEVERAL = Need("two virtual functions (TotalVFs)", lambda drive: sriov.total(drive.nvme0) > 1)

TYPES = {VQ: ("vq", "VQ"), VI: ("vi", "VI")}

RDY, CFS = 1, 2
ENTRY_SIZES, PLAIN_CC = 0x460000, 0x1F
"""CC.IOCQES and CC.IOSQES. The queues of 32 entries in AQA."""
TRIED = 0.2
"""Seconds in which a controller that is offline must not become ready."""


@pytest.fixture
def functions(drive: Drive) -> Iterator[Functions]:
    """The drive with its virtual functions."""
    made = Functions(drive)
    try:
        yield made
    finally:
        made.close()


def total_of(caps: Capabilities, rt: int) -> tuple[int, int, int, int]:
    """Flexible resources of a type: in total, assigned, of the primary controller, of a secondary at most."""
    name = TYPES[rt][0]
    return tuple(int(caps[f"{name}{what}"]) for what in ("frt", "rfa", "rfap", "frsm"))  # type: ignore[return-value]


@requirement("FUNCTIONS-1", CAPABILITIES)
def test_the_capabilities_are_plausible(functions: Functions) -> None:
    """The capabilities are those of this controller, and no more is assigned than there is.

    1. Read Identify, CNS 14h, and compare it with Identify Controller and Number of Queues.
    """
    drive, caps = functions.drive, functions.capabilities()
    drive.check(
        int(caps.cntlid) == int(drive.id_ctrl.cntlid), CAPABILITIES, "CNTLID of this controller", caps.cntlid
    )
    for rt, (_, title) in TYPES.items():
        total, assigned, own, most = total_of(caps, rt)
        if not int(caps.crt) >> rt & 1:
            drive.check(not (total or assigned or own), CAPABILITIES, f"no flexible {title} resources", total)
            continue
        drive.check(total > 0, CAPABILITIES, f"flexible {title} resources (CRT bit {rt})", total)
        drive.check(assigned == 0, CAPABILITIES, f"no {title} resources of secondary controllers", assigned)
        drive.check(own <= total, CAPABILITIES, f"at most {total} {title} resources allocated", own)
        drive.check(0 < most <= total, CAPABILITIES, f"1 to {total} {title} resources of a controller", most)
    queues = int(caps.vqprt) + int(caps.vqrfap)
    seen = drive.nvme0.max_qpairs
    drive.check(1 <= seen <= queues - 1, CAPABILITIES, f"1 to {queues - 1} I/O queues", seen)


@requirement("FUNCTIONS-2", LIST)
def test_the_list_has_each_function_once(functions: Functions) -> None:
    """Each virtual function has a controller, with ascending identifiers, from CNTID on.

    1. Read Identify, CNS 15h, from 0, from each identifier, and from behind the last one.
    """
    drive, entries = functions.drive, functions.listed()
    total = min(sriov.total(drive.nvme0), 127)
    scids = [one.scid for one in entries]
    drive.check(len(entries) == total, LIST, f"{total} secondary controllers", len(entries))
    drive.check(scids == sorted(set(scids)), LIST, "identifiers ascend", scids)
    own = int(drive.id_ctrl.cntlid)
    drive.check(own not in scids, LIST, f"no primary controller, {own}, among secondary ones", scids)
    drive.check({one.pcid for one in entries} == {own}, LIST, f"the primary controller {own}", entries)
    vfns = sorted(one.vfn for one in entries)
    drive.check(vfns == list(range(1, total + 1)), LIST, f"virtual functions 1 to {total}", vfns)
    drive.check(not any(one.online for one in entries), LIST, "all are offline", entries)
    for index, scid in enumerate(scids):
        found = functions.listed(scid)
        drive.check(found == entries[index:], LIST, f"the list from {scid} on", found)
    beyond = functions.listed(scids[-1] + 1)
    drive.check(not beyond, LIST, "no entry behind the last controller", beyond)


@requirement("FUNCTIONS-3", RESOURCES)
def test_resources_are_assigned_and_counted(functions: Functions) -> None:
    """What is assigned is listed and counted, and can be taken away and given to another controller.

    1. Assign random numbers of queues and vectors to the controllers in turn.
    2. After each command, read both structures of Identify.
    3. Take everything away.
    """
    drive, caps = functions.drive, functions.capabilities()
    types = [rt for rt in TYPES if int(caps.crt) >> rt & 1]
    given: dict[tuple[int, int], int] = {}
    for turn in range(16):
        entry = functions.entries[turn % len(functions.entries)]
        for rt in types:
            total, _, own, most = total_of(caps, rt)
            others = sum(count for (scid, kind), count in given.items() if kind == rt and scid != entry.scid)
            wanted = drive.random.randint(0, max(0, min(most, total - own - others)))
            done = functions.succeed(ASSIGN, entry.scid, rt, wanted)
            drive.check(done.cdw0 >= wanted, MANAGEMENT, f"at least {wanted} resources (NRM)", done.cdw0)
            given[entry.scid, rt] = done.cdw0
        must_be_assigned(functions, given)
    for entry in functions.entries:
        for rt in types:
            given[entry.scid, rt] = functions.succeed(ASSIGN, entry.scid, rt, 0).cdw0
    must_be_assigned(functions, given)


def must_be_assigned(functions: Functions, given: dict[tuple[int, int], int]) -> None:
    """Raise a finding unless both structures tell what is assigned."""
    drive, caps = functions.drive, functions.capabilities()
    listed = {one.scid: one for one in functions.listed()}
    for (scid, rt), count in given.items():
        seen = listed[scid].nvi if rt == VI else listed[scid].nvq
        drive.check(seen == count, LIST, f"{count} {TYPES[rt][1]} resources of {scid}", seen)
    for rt, (_, title) in TYPES.items():
        sum_of = sum(count for (_, kind), count in given.items() if kind == rt)
        assigned = total_of(caps, rt)[1]
        drive.check(assigned == sum_of, CAPABILITIES, f"{sum_of} {title} resources assigned", assigned)


@requirement("FUNCTIONS-4", MANAGEMENT)
def test_wrong_commands_are_refused(functions: Functions) -> None:
    """A wrong controller, type, number or action is refused with its status, and nothing changes.

    1. Send Virtualization Management with a wrong field in all ways.
    2. Read both structures of Identify again.
    """
    drive, caps = functions.drive, functions.capabilities()
    own, known = int(caps.cntlid), {one.scid for one in functions.listed()}
    before = functions.listed()
    unknown = next(number for number in range(1, 0x10000) if number not in known and number != own)
    for act in (OFFLINE, ASSIGN, ONLINE):
        for cntlid in (own, unknown, 0xFFFE):
            drive.expect(functions.manage(act, cntlid), MANAGEMENT, Status.INVALID_CONTROLLER_ID)
    for cntlid in (functions.first, unknown):
        drive.expect(functions.manage(SHARE, cntlid), MANAGEMENT, Status.INVALID_CONTROLLER_ID)
    for rt in range(2, 8):
        drive.expect(functions.manage(ASSIGN, functions.first, rt), MANAGEMENT, Status.INVALID_RESOURCE_ID)
        drive.expect(functions.manage(SHARE, own, rt), MANAGEMENT, Status.INVALID_RESOURCE_ID)
    for rt in (rt for rt in TYPES if int(caps.crt) >> rt & 1):
        total, _, _, most = total_of(caps, rt)
        for number in (most + 1, total + 1, 0xFFFF):
            done = functions.manage(ASSIGN, functions.first, rt, number)
            drive.expect(done, MANAGEMENT, Status.INVALID_NUM_RESOURCES)
        done = functions.manage(SHARE, own, rt, total + 1)
        drive.expect(done, MANAGEMENT, Status.INVALID_NUM_RESOURCES)
    for reserved in (0, 2, 6, 10, 15):
        drive.expect(functions.manage(reserved, functions.first), MANAGEMENT, Status.INVALID_FIELD)
    now = functions.listed()
    drive.check(now == before, MANAGEMENT, f"what was there before, {before}", now)


@requirement("FUNCTIONS-5", RESOURCES)
@needs(SEVERAL)
def test_no_more_is_assigned_than_there_is(functions: Functions) -> None:
    """Flexible resources are given to one controller only.

    1. Assign as many to each controller as it takes, until none are left.
    2. Ask for one more than are left, for a controller that has room.
    """
    drive, caps = functions.drive, functions.capabilities()
    for rt in (rt for rt in TYPES if int(caps.crt) >> rt & 1):
        total, _, own, most = total_of(caps, rt)
        left = total - own
        for entry in functions.entries:
            wanted = min(left + 1, most)
            done = functions.manage(ASSIGN, entry.scid, rt, wanted)
            if wanted > left:
                drive.expect(done, RESOURCES, Status.INVALID_NUM_RESOURCES)
                break
            left -= drive.succeed(done, RESOURCES).cdw0


@requirement("FUNCTIONS-6", STATES)
def test_a_controller_needs_resources_to_be_online(functions: Functions) -> None:
    """A controller is brought online only with two queues and a vector, and is changed only offline.

    1. Bring a controller online without resources, without vectors, and with one queue.
    2. Assign what it needs, bring it online twice, and assign more.
    3. Take it offline twice. It has lost its resources.
    """
    drive, scid = functions.drive, functions.first
    wrong = Status.INVALID_SECONDARY_STATE
    drive.expect(functions.manage(ONLINE, scid), STATES, wrong)
    functions.succeed(ASSIGN, scid, VQ, QUEUES)
    drive.expect(functions.manage(ONLINE, scid), STATES, wrong)
    functions.succeed(ASSIGN, scid, VI, VECTORS)
    functions.succeed(ASSIGN, scid, VQ, QUEUES - 1)
    drive.expect(functions.manage(ONLINE, scid), STATES, wrong)
    drive.check(not functions.entry(scid).online, STATES, "still offline", functions.entry(scid))
    functions.succeed(ASSIGN, scid, VQ, QUEUES)
    for _ in range(2):
        functions.succeed(ONLINE, scid)
    before = functions.entry(scid)
    drive.check(bool(before.online), LIST, "online (SCS bit 0)", before)
    drive.check(before[4:] == (QUEUES, VECTORS), LIST, f"{QUEUES} queues and {VECTORS} vector", before)
    for rt in (VQ, VI):
        drive.expect(functions.manage(ASSIGN, scid, rt, QUEUES), STATES, wrong)
    drive.check(
        functions.entry(scid) == before, STATES, f"what was assigned before, {before}", functions.entry(scid)
    )
    for _ in range(2):
        functions.succeed(OFFLINE, scid)
    after = functions.entry(scid)
    drive.check(
        after[2] == 0 and after[4:] == (0, 0), MANAGEMENT, "offline, without flexible resources", after
    )


@requirement("FUNCTIONS-7", STATES)
def test_a_function_that_is_not_enabled_stays_offline(functions: Functions) -> None:
    """The controller of a virtual function that is disabled cannot be brought online.

    1. Assign resources to a controller, disable all functions, and bring it online.
    """
    drive, scid = functions.drive, functions.first
    functions.bring_up()
    drive.note("disable all virtual functions", "sriov.enable(nvme0, 0)")
    sriov.enable(drive.nvme0, 0)
    entry = functions.entry(scid)
    drive.check(not entry.online, STATES, "offline, since VF Enable is 0", entry)
    functions.succeed(ASSIGN, scid, VQ, QUEUES)
    functions.succeed(ASSIGN, scid, VI, VECTORS)
    drive.expect(functions.manage(ONLINE, scid), STATES, Status.INVALID_SECONDARY_STATE)
    functions.enable()


@requirement("FUNCTIONS-8", STATES)
def test_a_controller_that_is_offline_cannot_be_used(functions: Functions) -> None:
    """While a controller is offline, CSTS.CFS is 1, and it does not become ready.

    1. Read CSTS of a function, and enable its controller.
    2. Bring it online, and read CSTS.
    3. Take it offline, and read CSTS.
    """
    drive = functions.drive
    csts = functions.csts()
    drive.check(bool(csts & CFS), STATES, "CSTS.CFS = 1 of a controller that is offline", f"{csts:#x}")
    queue = nvme.Buffer(8192)
    with functions.registers() as controller:
        controller[Register.AQA] = PLAIN_CC << 16 | PLAIN_CC
        for register, address in ((Register.ASQ, queue.phys_addr), (Register.ACQ, queue.phys_addr + 4096)):
            controller[register] = address & 0xFFFFFFFF
            controller[register + 4] = address >> 32
        controller[Register.CC] = ENTRY_SIZES | CC_EN
        became = drive.poll(lambda: bool(controller[Register.CSTS] & RDY), TRIED)
        drive.check(not became, STATES, "CSTS.RDY = 0 of a controller that is offline", "1")
        controller[Register.CC] = 0
    functions.bring_up()
    csts = functions.csts()
    drive.check(
        not csts & (CFS | RDY), STATES, "CSTS.CFS and RDY = 0 of one that was brought online", f"{csts:#x}"
    )
    functions.succeed(OFFLINE, functions.first)
    csts = functions.csts()
    drive.check(bool(csts & CFS), STATES, "CSTS.CFS = 1 of one that was taken offline", f"{csts:#x}")


@requirement("FUNCTIONS-9", IDENTITY)
def test_each_function_has_an_identity(functions: Functions) -> None:
    """A virtual function belongs to the same subsystem, has its own CNTLID, and says what it is.

    1. Compare Identify Controller of a virtual function with that of the physical one.
    2. Compare the active namespaces.
    """
    drive = functions.drive
    functions.bring_up()
    vf = functions.open()
    own, other = drive.id_ctrl, vf.id_ctrl
    drive.check(int(other.cntlid) == functions.first, IDENTITY, f"CNTLID {functions.first}", other.cntlid)
    drive.check(str(other.sn) == str(own.sn), IDENTITY, f"the serial number {own.sn}", other.sn)
    drive.check(str(other.subnqn) == str(own.subnqn), IDENTITY, f"the subsystem {own.subnqn}", other.subnqn)
    drive.check(bool(own.cmic.mctrs), IDENTITY, "several controllers (CMIC bit 1)", int(own.cmic))
    drive.check(
        set(vf.nsids) <= set(drive.nsids),
        clauses.of_admin(AdminOpcode.IDENTIFY),
        f"some of the namespaces {drive.nsids}",
        vf.nsids,
    )


@requirement("FUNCTIONS-10", IDENTITY)
def test_a_virtual_function_says_what_it_is(functions: Functions) -> None:
    """CMIC bit 2 is 1 for a virtual function, and 0 for a physical one.

    1. Read Identify Controller of both.
    """
    functions.bring_up()
    bits = bool(functions.drive.id_ctrl.cmic.ft), bool(functions.open().id_ctrl.cmic.ft)
    functions.drive.check(bits == (False, True), IDENTITY, "CMIC bit 2 is 0 and 1", bits)


@requirement("FUNCTIONS-11", MANAGEMENT)
def test_a_virtual_function_manages_nothing(functions: Functions) -> None:
    """Only the primary controller executes Virtualization Management, and returns its structures.

    1. Send them to a virtual function.
    """
    functions.bring_up()
    vf = functions.open()
    vf.refused(vf.admin(AdminOpcode.VIRTUALIZATION, cdw10=functions.first << 16 | OFFLINE), MANAGEMENT)
    entry = functions.entry(functions.first)
    functions.drive.check(bool(entry.online), MANAGEMENT, "still online", entry)
    functions.drive.check(not vf.id_ctrl.oacs.vms, MANAGEMENT, "OACS bit 7 = 0 of a virtual function", 1)


@requirement("FUNCTIONS-12", RESOURCES)
def test_queues_and_vectors_are_those_assigned(functions: Functions) -> None:
    """A virtual function has the queues and interrupt vectors that it was given, and no others.

    1. Bring a function online with as many as one can have, or four.
    2. Read Number of Queues, and create all I/O queues.
    3. Create one more, and one with the first vector that it has not.
    """
    drive, caps = functions.drive, functions.capabilities()
    total_vq, _, own_vq, most_vq = total_of(caps, VQ)
    total_vi, _, own_vi, most_vi = total_of(caps, VI)
    queues, vectors = min(4, most_vq, total_vq - own_vq), min(2, most_vi, total_vi - own_vi)
    functions.bring_up(queues=queues, vectors=vectors)
    vf = functions.open()
    seen = vf.nvme0.max_qpairs
    drive.check(
        seen <= queues - 1, RESOURCES, f"{queues - 1} I/O queues (VQ resources without the admin queue)", seen
    )
    buf = nvme.Buffer(4096)
    clause = clauses.of_admin(AdminOpcode.CREATE_CQ)
    done = vf.admin(AdminOpcode.CREATE_CQ, buf, cdw10=15 << 16 | queues, cdw11=1)
    drive.expect(done, clause, Status.INVALID_QID)
    done = vf.admin(AdminOpcode.CREATE_CQ, buf, cdw10=15 << 16 | 1, cdw11=vectors << 16 | 3)
    drive.expect(done, clause, Status.INVALID_INTERRUPT_VECTOR)
    pairs = [vf.new_qpair() for _ in range(seen)]
    for index, pair in enumerate(pairs):
        drive.succeed(
            vf.io(IoOpcode.READ, nvme.Buffer(vf.lba_size), index, qpair=pair), clauses.of_io(IoOpcode.READ)
        )
    vf.delete_qpairs()


@requirement("FUNCTIONS-13", clauses.of_io(IoOpcode.READ))
def test_functions_read_what_others_have_written(functions: Functions) -> None:
    """The namespaces are shared: each function reads what was written last, by whichever.

    1. Write some LBAs by a function that is chosen at random.
    2. Read them, with the LBAs around them, by the other one.
    """
    drive = functions.drive
    functions.bring_up()
    both = (drive, functions.open())
    clause = clauses.of_io(IoOpcode.READ)
    held: dict[int, bytes] = {}
    base = drive.random.randrange(max(1, drive.nsze - 64))
    width = min(64, drive.nsze)
    for turn in range(48):
        writer, reader = both if drive.random.random() < 0.5 else both[::-1]
        slba = base + drive.random.randrange(width)
        nlb = min(drive.random.randint(1, 8), base + width - slba, drive.most_lbas)
        buf = nvme.Buffer(nlb * drive.lba_size)
        buf[:] = data = drive.random.randbytes(len(buf))
        drive.succeed(writer.io(IoOpcode.WRITE, buf, slba, nlb), clauses.of_io(IoOpcode.WRITE))
        for index in range(nlb):
            held[slba + index] = data[index * drive.lba_size : (index + 1) * drive.lba_size]
        for lba in [lba for lba in held if slba - 2 <= lba < slba + nlb + 2]:
            back = nvme.Buffer(drive.lba_size)
            drive.succeed(reader.io(IoOpcode.READ, back, lba), clause)
            drive.check(
                bytes(back[:]) == held[lba],
                clause,
                f"what turn {turn} or an earlier one wrote to LBA {lba}",
                "other data",
            )


@requirement("FUNCTIONS-14", clauses.of_io(IoOpcode.WRITE))
def test_functions_work_at_the_same_time(functions: Functions) -> None:
    """Commands of several functions, with the same queue and command identifiers, do not mix.

    1. Write different LBAs by each function, many at a time.
    2. Read all of them by each function.
    """
    drive = functions.drive
    functions.bring_up()
    both = (drive, functions.open())
    pairs = [one.new_qpair() for one in both]
    clause, count = clauses.of_io(IoOpcode.WRITE), min(48, drive.nsze // 2)
    written: dict[int, bytes] = {}
    sent: list[tuple[Drive, nvme.Qpair, Command]] = []
    kept = []
    for index in range(count):
        for which, (one, pair) in enumerate(zip(both, pairs)):
            buf = nvme.Buffer(drive.lba_size)
            buf[:] = written[2 * index + which] = drive.random.randbytes(drive.lba_size)
            kept.append(buf)
            sent.append((one, pair, one.send(pair, IoOpcode.WRITE, buf, cdw10=2 * index + which)))
    for one, pair in zip(both, pairs):
        one.reap(pair, count)
    for one, _, command in sent:
        one.must_end(command)
        drive.succeed(command, clause)
    for one, pair in zip(both, pairs):
        for lba, data in written.items():
            back = nvme.Buffer(drive.lba_size)
            drive.succeed(one.io(IoOpcode.READ, back, lba, qpair=pair), clauses.of_io(IoOpcode.READ))
            drive.check(bytes(back[:]) == data, clause, f"what was written to LBA {lba}", "other data")


@requirement("FUNCTIONS-15", FUNCTION_RESET)
@needs(SEVERAL, FLR)
def test_a_function_level_reset_is_that_of_one_function(functions: Functions) -> None:
    """A function level reset of a virtual function leaves all others alone, and itself online.

    1. Bring two functions online, and create queues on them and on the physical one.
    2. Reset the first one, and read by the queues of the others.
    3. Initialise the first one again, and use it.
    """
    drive = functions.drive
    for entry in functions.entries[:2]:
        functions.bring_up(entry.scid)
    first, second = functions.open(0), functions.open(1)
    kept = [(one, one.new_qpair()) for one in (drive, second)]
    buf = nvme.Buffer(drive.lba_size)
    before = functions.entry(functions.first)
    first.flr()
    for one, pair in kept:
        drive.check(one.csts.rdy == 1, FUNCTION_RESET, "the other functions are ready", int(one.csts))
        drive.succeed(one.io(IoOpcode.READ, buf, qpair=pair), FUNCTION_RESET)
    after = functions.entry(functions.first)
    drive.check(after == before, STATES, f"the same state and resources, {before}", after)
    drive.succeed(first.io(IoOpcode.READ, buf), FUNCTION_RESET)


@requirement("FUNCTIONS-16", "Base 2.0, 3.7.2 Controller Level Reset")
@needs(SEVERAL)
def test_a_controller_reset_is_that_of_one_controller(functions: Functions) -> None:
    """A Controller Reset of a virtual function leaves all others alone, and itself online.

    1. Bring two functions online, and create queues on both.
    2. Disable and enable one of them, and read by the queues of the other.
    """
    drive = functions.drive
    for entry in functions.entries[:2]:
        functions.bring_up(entry.scid)
    first, second = functions.open(0), functions.open(1)
    pair, buf = second.new_qpair(), nvme.Buffer(drive.lba_size)
    first.reset()
    drive.succeed(second.io(IoOpcode.READ, buf, qpair=pair), "Base 2.0, 3.7.2 Controller Level Reset")
    entry = functions.entry(functions.first)
    drive.check(bool(entry.online), STATES, "still online", entry)
    drive.succeed(first.io(IoOpcode.READ, buf), "Base 2.0, 3.7.2 Controller Level Reset")


@requirement("FUNCTIONS-17", STATES)
@pytest.mark.parametrize("kind", ["controller", "function"])
def test_a_reset_of_the_primary_controller_takes_others_offline(functions: Functions, kind: str) -> None:
    """A Controller Level Reset of the primary controller takes secondary ones offline, without resources.

    1. Bring a function online, and use it.
    2. Reset the primary controller by CC.EN, or its function.
    3. Look at the list, and at CSTS of the function. Bring it online again, and use it.
    """
    drive = functions.drive
    functions.bring_up()
    vf, buf = functions.open(), nvme.Buffer(drive.lba_size)
    drive.succeed(vf.io(IoOpcode.READ, buf), clauses.of_io(IoOpcode.READ))
    functions.close_one(vf)
    if kind == "controller":
        drive.reset()
    elif drive.has_flr():
        drive.flr()
    entry = functions.entry(functions.first)
    drive.check(not entry.online, STATES, "offline, after a reset of the primary controller", entry)
    drive.check(entry[4:] == (0, 0), STATES, "no flexible resources of a controller that is offline", entry)
    functions.enable()
    csts = functions.csts()
    drive.check(bool(csts & CFS), STATES, "CSTS.CFS = 1 of a controller that is offline", f"{csts:#x}")
    functions.bring_up()
    drive.succeed(functions.open().io(IoOpcode.READ, buf), clauses.of_io(IoOpcode.READ))


def must_have_share(functions: Functions, wanted: int, when: str) -> None:
    """Raise a finding unless the primary controller has so many flexible queues."""
    seen = int(functions.capabilities().vqrfap)
    functions.drive.check(
        seen == wanted, RESOURCES, f"{wanted} VQ resources of the primary controller {when}", seen
    )


@requirement("FUNCTIONS-18", RESOURCES)
@needs(FLR)
def test_the_share_of_the_primary_controller(functions: Functions) -> None:
    """The resources of the primary controller change at its next reset that is no Controller Reset.

    1. Set them, read them, and reset the controller by CC.EN.
    2. Reset the function. The controller has them, and as many more I/O queues.
    """
    drive, caps = functions.drive, functions.capabilities()
    before, own = drive.nvme0.max_qpairs, int(caps.cntlid)
    wanted = min(2, int(caps.vqfrt))
    done = functions.succeed(SHARE, own, VQ, wanted)
    drive.check(done.cdw0 >= wanted, MANAGEMENT, f"at least {wanted} resources (NRM)", done.cdw0)
    wanted = done.cdw0
    must_have_share(functions, 0, "before a reset")
    drive.reset()
    must_have_share(functions, 0, "after a Controller Reset")
    drive.flr()
    must_have_share(functions, wanted, "after a function level reset")
    now = drive.nvme0.max_qpairs
    most = int(caps.vqprt) + wanted - 1
    drive.check(before <= now <= most, RESOURCES, f"{before} to {most} I/O queues", now)
    functions.succeed(SHARE, own, VQ, 0)
    drive.flr()
    must_have_share(functions, 0, "after they were removed")


@requirement("FUNCTIONS-19", MANAGEMENT)
@needs(FLR, SWITCHED_POWER)
def test_the_share_survives_a_power_cycle(functions: Functions) -> None:
    """The resources of the primary controller persist through a loss of power. Others are offline then.

    1. Set them, and switch the power off and on, twice.
    """
    drive, caps = functions.drive, functions.capabilities()
    wanted = functions.succeed(SHARE, int(caps.cntlid), VQ, min(2, int(caps.vqfrt))).cdw0
    functions.bring_up()
    for _ in range(2):
        drive.power_cycle()
        must_have_share(functions, wanted, "after a power cycle")
        drive.check(
            not any(one.online for one in functions.listed()), STATES, "all are offline", functions.listed()
        )
    functions.enable()


@requirement("FUNCTIONS-20", clauses.of_admin(AdminOpcode.SET_FEATURES))
def test_features_of_a_controller_are_its_own(functions: Functions) -> None:
    """A feature whose scope is the controller has a value in each of them.

    1. Set Asynchronous Event Configuration of a virtual and of the physical function.
    2. Read both.
    """
    drive = functions.drive
    functions.bring_up()
    vf, fid = functions.open(), FeatureId.ASYNC_EVENT
    clause = clauses.of_admin(AdminOpcode.SET_FEATURES)
    with drive.feature_set(fid, 0x1F):
        drive.succeed(vf.set_feature(fid, 0x01), clause)
        seen = drive.get_feature(fid).cdw0, vf.get_feature(fid).cdw0
        drive.check(seen == (0x1F, 0x01), clause, "1fh and 01h", [f"{one:#x}" for one in seen])
