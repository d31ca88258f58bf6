# SPDX-License-Identifier: BSD-3-Clause
"""Paths to namespaces: Asymmetric Namespace Access (ANA)."""

from __future__ import annotations

import nvme

from pynvme import spec
from pynvme.spec import AdminOpcode, AnaState, FeatureId, IoOpcode, LogId, Status
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.drive import Drive
from pynvme.suite.marks import Need

LOG = "Base 2.0, 5.16.1.12 Asymmetric Namespace Access"
STATES = "Base 2.0, 8.1.3 Asymmetric Namespace Access states"
PROCESSING = "Base 2.0, 8.1.4 Asymmetric Namespace Access Command Processing"
MNAN = "Base 2.0, 5.17.2.1 Identify Controller, MNAN"
NOTICE = "Base 2.0, 5.2 Asynchronous Event Request, Asymmetric Namespace Access Change"

REPORTED = Need("Asymmetric Namespace Access (CMIC bit 3)", lambda drive: bool(drive.id_ctrl.cmic.anars))
NOTICES = Need("ANA change notices (OAES bit 11)", lambda drive: bool(drive.id_ctrl.oaes.anan))

pytestmark = needs(REPORTED)

CHANGED = 0x0C0302
"""Dword 0 of the event: a notice, ANA change, log page 0Ch."""
NOTICE_BIT = 1 << 11
WRITES = 64

REFUSALS = {
    AnaState.INACCESSIBLE: Status.ANA_INACCESSIBLE,
    AnaState.PERSISTENT_LOSS: Status.ANA_PERSISTENT_LOSS,
    AnaState.CHANGE: Status.ANA_TRANSITION,
}
CAPABILITIES = {
    AnaState.OPTIMIZED: "raopts",
    AnaState.NON_OPTIMIZED: "ranopts",
    AnaState.INACCESSIBLE: "rainas",
    AnaState.PERSISTENT_LOSS: "rapls",
    AnaState.CHANGE: "racs",
}
"""The bit of ANACAP that says whether the controller reports a state."""


def ana_log(drive: Drive, only_groups: bool = False, rae: bool = True) -> spec.AnaLog:
    """The log page, which fits 4 KiB of a drive with few namespaces, and is read as a whole otherwise."""
    ctrl = drive.id_ctrl
    size = 16 + 32 * int(ctrl.nanagrpid) + 4 * int(ctrl.mnan or ctrl.nn)
    size = min(-(-size // 4) * 4, drive.nvme0.mdts or size, 1 << 16)
    buf = nvme.Buffer(max(size, 4096))
    drive.succeed(drive.log_page(LogId.ANA, buf, size, rae=rae, lsp=int(only_groups)), LOG)
    return spec.AnaLog(bytes(buf[:size]))


def groups_of(log: spec.AnaLog) -> dict[int, tuple[int, int, list[int]]]:
    """Of each group its change count, its state, and its namespaces."""
    return {
        int(one.agid): (int(one.chngc), int(one.state.anastate), [int(nsid) for nsid in one.nsid])
        for one in log.groups
    }


def state_of(drive: Drive, nsid: int) -> int:
    """The state of the group of a namespace; 0 if the log page does not have the namespace."""
    return next((state for _, state, nsids in groups_of(ana_log(drive)).values() if nsid in nsids), 0)


@requirement("PATHS-1", LOG)
def test_the_log_page_has_each_namespace_in_its_group(drive: Drive) -> None:
    """Groups and namespaces ascend, each active namespace is in the group of its ANAGRPID, and in no other.

    1. Read log page 0Ch, and Identify Namespace of each active namespace.
    """
    ctrl, log = drive.id_ctrl, ana_log(drive)
    groups = groups_of(log)
    numbers = [int(one.agid) for one in log.groups]
    drive.check(len(numbers) == int(log.nagd), LOG, f"{int(log.nagd)} groups (NAGD)", len(numbers))
    drive.check(numbers == sorted(set(numbers)), LOG, "ANA Group IDs ascend", numbers)
    most = int(ctrl.anagrpmax)
    drive.check(all(0 < one <= most for one in numbers), LOG, f"ANA Group IDs of 1 to {most}", numbers)
    drive.check(
        len(numbers) <= int(ctrl.nanagrpid), LOG, f"at most {int(ctrl.nanagrpid)} groups", len(numbers)
    )
    for number, (_, _, nsids) in groups.items():
        drive.check(nsids == sorted(set(nsids)), LOG, f"NSIDs of group {number} ascend", nsids)
    found = sorted(nsid for _, _, nsids in groups.values() for nsid in nsids)
    drive.check(found == sorted(drive.nsids), LOG, f"the active namespaces {drive.nsids}", found)
    buf = nvme.Buffer(4096)
    for number, (_, _, nsids) in groups.items():
        for nsid in nsids:
            drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, nsid), clauses.ADMIN[AdminOpcode.IDENTIFY])
            seen = buf.data(95, 92)
            drive.check(seen == number, LOG, f"ANAGRPID {number} of namespace {nsid}", seen)


@requirement("PATHS-2", LOG)
def test_groups_without_namespaces_are_the_same_groups(drive: Drive) -> None:
    """With Return Groups Only the log page has the same groups, states and counts, and no namespaces.

    1. Read log page 0Ch with RGO = 0 and RGO = 1.
    """
    whole, bare = ana_log(drive), ana_log(drive, only_groups=True)
    drive.check(
        int(bare.chngc) == int(whole.chngc), LOG, f"the change count {int(whole.chngc)}", int(bare.chngc)
    )
    expected: dict[int, tuple[int, int, list[int]]] = {
        number: (count, state, []) for number, (count, state, _) in groups_of(whole).items()
    }
    seen = groups_of(bare)
    drive.check(seen == expected, LOG, f"the groups {expected}", seen)
    counts = [int(one.nnv) for one in bare.groups]
    drive.check(not any(counts), LOG, "no NSIDs with RGO", counts)


@requirement("PATHS-3", STATES)
def test_each_state_is_one_that_anacap_announces(drive: Drive) -> None:
    """A controller reports only states whose bit of ANACAP is set.

    1. Read Identify Controller and log page 0Ch.
    """
    ctrl = drive.id_ctrl
    mnan, nn = int(ctrl.mnan), int(ctrl.nn)
    drive.check(0 < mnan <= nn, MNAN, f"MNAN of 1 to {nn} (NN), since the drive reports ANA", mnan)
    drive.check(int(ctrl.anatt) > 0, STATES, "an ANA transition time (ANATT) above 0", int(ctrl.anatt))
    for number, (_, state, _) in groups_of(ana_log(drive)).items():
        known = [one for one in AnaState if one == state]
        drive.check(bool(known), STATES, f"a state of group {number} that the specification has", state)
        bit = CAPABILITIES[known[0]]
        drive.check(
            bool(getattr(ctrl.anacap, bit)), STATES, f"ANACAP announces {known[0].name}", int(ctrl.anacap)
        )


@requirement("PATHS-4", LOG)
def test_change_counts_start_at_0(drive: Drive) -> None:
    """A controller reset clears the change counts of the log page and of each group.

    1. Reset the controller, and read log page 0Ch.
    """
    drive.reset()
    log = ana_log(drive)
    drive.check(int(log.chngc) == 0, LOG, "a change count of 0 after a reset", int(log.chngc))
    counts = {number: count for number, (count, _, _) in groups_of(log).items()}
    drive.check(not any(counts.values()), LOG, "change counts of groups of 0 after a reset", counts)


def judge_io(drive: Drive, one: Drive, state: int) -> None:
    """Judge commands to a namespace whose group has a state."""
    buf = nvme.Buffer(one.lba_size)
    metadata = int(one.ns.metadata_size)
    opcodes = [IoOpcode.FLUSH] if metadata else [IoOpcode.READ, IoOpcode.WRITE, IoOpcode.FLUSH]
    for opcode in opcodes:
        done = one.run(opcode) if opcode == IoOpcode.FLUSH else one.io(opcode, buf)
        expected = REFUSALS.get(AnaState(state), Status.SUCCESS)
        if state_of(drive, one.nsid) != state:
            return
        drive.expect(done, PROCESSING, expected)
        if expected != Status.SUCCESS:
            drive.check(not done.dnr, PROCESSING, "DNR = 0, since another path may serve the host", "DNR = 1")


@requirement("PATHS-5", PROCESSING)
def test_commands_end_as_the_state_says(drive: Drive) -> None:
    """Commands to a namespace succeed in two states, and fail with the status of each of the others.

    1. For each namespace, write, read and flush, and look up its state before and after.
    2. Read its Identify Namespace, whose NUSE is 0 if the namespace is not accessible.
    3. Get the feature Error Recovery, which is not available then.
    """
    for one in drive.by_namespace():
        state = state_of(drive, one.nsid)
        judge_io(drive, one, state)
        buf = nvme.Buffer(4096)
        drive.succeed(one.admin(AdminOpcode.IDENTIFY, buf, one.nsid), PROCESSING)
        feature = one.get_feature(FeatureId.ERROR_RECOVERY, nsid=one.nsid)
        if state_of(drive, one.nsid) != state:
            continue
        if state not in REFUSALS:
            drive.succeed(feature, PROCESSING)
            continue
        drive.check(buf.data(7, 0) > 0, PROCESSING, "NSZE in any state", 0)
        if state != AnaState.CHANGE:
            used = buf.data(23, 16)
            drive.check(used == 0, PROCESSING, "NUSE = 0 while it is not accessible", used)
        drive.expect(feature, PROCESSING, REFUSALS[AnaState(state)])


@requirement("PATHS-6", NOTICE)
@needs(NOTICES)
def test_a_change_is_announced_and_counted(drive: Drive) -> None:
    """If the state of a group changes, there is an event, and the change count goes up. Else it does not.

    1. Enable ANA change notices, and read log page 0Ch, which clears the event.
    2. Write and read for a while.
    3. Read log page 0Ch again, and compare.
    """
    seen: list[int] = []
    enabled = drive.get_feature(FeatureId.ASYNC_EVENT).cdw0 | NOTICE_BIT
    with drive.feature_set(FeatureId.ASYNC_EVENT, enabled):
        drive.nvme0.register_aer_cb(lambda cdw0, status: seen.append(cdw0))
        before = ana_log(drive, rae=False)
        buf = nvme.Buffer(drive.lba_size)
        for number in range(0 if int(drive.ns.metadata_size) else WRITES):
            drive.io(IoOpcode.READ if number & 1 else IoOpcode.WRITE, buf)
        after = ana_log(drive)
        changed = groups_of(before) != groups_of(after)
        drive.poll(lambda: CHANGED in seen, 1.0 if changed else 0.05)
        drive.listen()
        ana_log(drive, rae=False)
    states = [{number: state for number, (_, state, _) in groups_of(log).items()} for log in (before, after)]
    counts = [int(log.chngc) for log in (before, after)]
    if states[0] != states[1]:
        drive.check(CHANGED in seen, NOTICE, f"an event {CHANGED:#x}", [f"{one:#x}" for one in seen])
        drive.check(counts[0] != counts[1], LOG, "another change count", counts[1])
    elif not changed:
        drive.check(counts[0] == counts[1], LOG, f"the change count {counts[0]}", counts[1])
        drive.check(CHANGED not in seen, NOTICE, "no event without a change", f"{CHANGED:#x}")
