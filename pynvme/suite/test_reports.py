# SPDX-License-Identifier: BSD-3-Clause
"""What the drive reports of itself: registers, configuration space, Identify and constant log pages."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    Cap,
    Cc,
    Cns,
    EffectsLog,
    ErrorLogEntry,
    FeatureEffectsLog,
    FeatureId,
    FirmwareLog,
    IdentifyController,
    IdentifyNamespace,
    IdentifyNamespaceIndependent,
    IdentifyNamespaceNvm,
    IoOpcode,
    Register,
    SanitizeLog,
    SelfTestLog,
    SmartLog,
    Status,
    SupportedLogPages,
)
from pynvme.structure import Structure
from pynvme.suite import needs, requirement
from pynvme.suite.claims import FLR, KNOWN, POWER_MANAGEMENT, SUBSYSTEM_RESET, SWITCHED_POWER, log
from pynvme.suite.drive import Drive
from pynvme.suite.identity import must_be_the_same
from pynvme.suite.marks import Need
from pynvme.suite.reserved import in_use, in_use_of_word
from pynvme.suite.rules import (
    CONTROLLER_RULES,
    NAMESPACE_RULES,
    Rule,
    rules_of_namespaces,
    wrong_effects,
)

RESERVED = "Base 2.0, 1.4.2 Reserved and Unused Fields"
CONTROLLER = "Base 2.0, 5.17.2.1 Identify Controller"
NAMESPACE = "NVM 1.0, 4.1.5.1 Identify Namespace"
PROPERTIES = "Base 2.0, 3.1.3 Controller Properties"
HEADER = "PCIe 5.0, 7.5.1 PCI-Compatible Configuration Registers"
EFFECTS = "Base 2.0, 5.16.1.6 Commands Supported and Effects"


def filled(drive: Drive) -> nvme.Buffer:
    """A page of a random byte, so that a transfer that is too short shows."""
    buf = nvme.Buffer(4096)
    buf[:] = drive.random.randbytes(1) * 4096
    return buf


def identify(drive: Drive, cns: int, nsid: int = 0, cdw11: int = 0) -> bytes:
    """An Identify structure."""
    buf = filled(drive)
    command = drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=cns, cdw11=cdw11)
    drive.succeed(command, "Base 2.0, 5.17 Identify")
    return buf[:]


def must_hold(drive: Drive, rules: tuple[Rule, ...], structure: Any, clause: str) -> None:
    """Raise a finding for the first rule that does not hold."""
    for rule in rules:
        drive.check(rule.holds(structure), clause, rule.text, f"not in\n{structure}")


@requirement("REPORTS-1", CONTROLLER)
def test_the_controller_is_plausible(drive: Drive) -> None:
    """Fields of Identify Controller have values that a drive can have, and agree with each other.

    1. Compare each field with its range, and with the register VS.
    """
    controller = IdentifyController(identify(drive, Cns.CTRL))
    must_hold(drive, CONTROLLER_RULES, controller, CONTROLLER)
    version = drive.nvme0[Register.VS]
    if controller.ver:
        found = int(controller.ver)
        drive.check(found == version, CONTROLLER, f"VER as VS, {version:#x}", f"{found:#x}")


@requirement("REPORTS-2", NAMESPACE)
def test_each_namespace_is_plausible(drive: Drive) -> None:
    """Fields of Identify Namespace have values that a namespace can have, and agree with each other.

    1. Compare each field with its range, for each active namespace, and with what the controller claims.
    2. Compare them with the structure of all command sets (CNS 08h), if the drive has it.
    """
    rules = NAMESPACE_RULES + rules_of_namespaces(drive.id_ctrl)
    for nsid in drive.nsids:
        space = IdentifyNamespace(identify(drive, Cns.NS, nsid))
        must_hold(drive, rules, space, NAMESPACE)
        if has_command_sets(drive):
            other = IdentifyNamespaceIndependent(identify(drive, Cns.INDEPENDENT_NS, nsid))
            for name in ("nmic", "rescap", "anagrpid", "nsattr", "nvmsetid", "endgid"):
                wanted, found = int(space[name]), int(other[name])
                text = f"{name.upper()} of CNS 08h as in CNS 00h, {wanted:#x}"
                drive.check(wanted == found, NAMESPACE, text, f"{found:#x}")


def has_command_sets(drive: Drive) -> bool:
    """Whether the controller has I/O command sets, and their structures."""
    return bool(drive.nvme0[Register.VS] >= 0x00020000 and Cap(drive.nvme0.cap).css & 0x40)


@requirement("REPORTS-3", RESERVED)
@needs(KNOWN)
def test_reserved_fields_are_zero(drive: Drive) -> None:
    """Reserved bytes and bits of Identify, logs and registers are zero.

    1. Read the structures and registers, and look at all that the specification reserves.
    """
    structures: list[Any] = [
        IdentifyController(identify(drive, Cns.CTRL)),
        *(IdentifyNamespace(identify(drive, Cns.NS, nsid)) for nsid in drive.nsids),
    ]
    for lid, kind in STRUCTURES.items():
        buf = filled(drive)
        if drive.has_log(lid):
            drive.succeed(drive.log_page(lid, buf, kind.SIZE, rae=True), RESERVED)
            data = bytearray(buf[: kind.SIZE])
            if kind is ErrorLogEntry and data[14:16] == NO_PARAMETER:
                data[14:16] = bytes(2)
            structures.append(kind(data))
    if has_command_sets(drive):
        structures += [
            IdentifyNamespaceIndependent(identify(drive, Cns.INDEPENDENT_NS, nsid)) for nsid in drive.nsids
        ]
    for structure in structures:
        found = in_use(structure)
        name = type(structure).__name__
        drive.check(not found, RESERVED, f"zero in reserved fields of {name}", "; ".join(found[:8]))
    for register in (Cap(drive.nvme0.cap), drive.csts, Cc(drive.nvme0[Register.CC])):
        bits = in_use_of_word(register)
        drive.check(not bits, RESERVED, f"zero in reserved bits of {type(register).__name__}", bits)


NO_PARAMETER = b"\xff\xff"
"""Parameter Error Location of an entry whose error is of no field of the command."""

STRUCTURES: dict[int, type[Structure]] = {
    0x00: SupportedLogPages,
    0x01: ErrorLogEntry,
    0x02: SmartLog,
    0x03: FirmwareLog,
    0x05: EffectsLog,
    0x06: SelfTestLog,
    0x12: FeatureEffectsLog,
    0x81: SanitizeLog,
}
"""Log pages of a fixed length, and the first entry of the error log."""


@requirement("REPORTS-4", EFFECTS)
@needs(log(5))
def test_effects_of_commands_are_plausible(drive: Drive) -> None:
    """Unsupported commands have no effects, reads do not change data, and writes do.

    1. Read log page 05h, and compare its entries.
    """
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(5, buf, 4096), EFFECTS)
    effects = EffectsLog(buf[:])
    wrong = wrong_effects(effects)
    drive.check(not wrong, EFFECTS, wrong[0] if wrong else "", "; ".join(wrong[:4]))
    for opcode in (IoOpcode.READ, IoOpcode.COMPARE, IoOpcode.VERIFY):
        entry = effects.iocs[opcode]
        drive.check(
            not entry.lbcc, EFFECTS, f"no change of data by {opcode.name} (LBCC 0)", f"{int(entry):#x}"
        )


@requirement("REPORTS-5", "Base 2.0, 5.17 Identify")
def test_reports_do_not_change(drive: Drive) -> None:
    """What does not change by itself is the same at each read, and after a reset.

    1. Compare Identify with that of the beginning of the session.
    2. Read Identify and constant log pages many times, and after a controller reset, and compare them.
    """
    must_be_the_same(drive, drive.first, "at the beginning of the session")
    first, repeats = constant_reports(drive), drive.random.randint(12, 24)
    for turn in range(repeats):
        if turn == repeats // 2:
            drive.reset()
        for name, data in constant_reports(drive).items():
            different = [at for at, byte in enumerate(data) if byte != first[name][at]]
            drive.check(
                not different,
                "Base 2.0, 5.17 Identify",
                f"{name} as before",
                f"bytes {different[:16]} differ",
            )


def constant_reports(drive: Drive) -> dict[str, bytes]:
    """Reports that nothing in this test changes."""
    found = {"Identify Controller": identify(drive, Cns.CTRL)}
    for nsid in drive.nsids:
        data = identify(drive, Cns.NS, nsid)
        found[f"Identify Namespace {nsid}"] = data[:16] + bytes(8) + data[24:]  # without NUSE
        if drive.nvme0[Register.VS] >= 0x00010300:
            found[f"descriptors of namespace {nsid}"] = identify(drive, Cns.NS_DESCRIPTORS, nsid)
    if drive.nvme0[Register.VS] >= 0x00010100:
        found["list of namespaces"] = identify(drive, Cns.ACTIVE_NS_LIST)
    for lid in (0, 3, 5, 0x12):
        buf = filled(drive)
        if drive.log_page(lid, buf, 512).ok:
            found[f"log page {lid:02x}h"] = buf[:512]
    return found


@requirement("REPORTS-6", PROPERTIES)
def test_registers_are_plausible(drive: Drive) -> None:
    """Registers have values that an enabled controller can have, and those of the driver read as written.

    1. Read CAP, VS, CC, CSTS and AQA many times, and compare their fields.
    """
    cap, version = Cap(drive.nvme0.cap), drive.nvme0[Register.VS]
    for holds, text in (
        (cap.mqes >= 1, "queues of two entries (CAP.MQES)"),
        (cap.css != 0, "a command set (CAP.CSS)"),
        (cap.mpsmin <= cap.mpsmax, "CAP.MPSMIN not above CAP.MPSMAX"),
        (cap.to > 0, "CAP.TO above 0"),
        (version >> 16 in (1, 2), "version 1 or 2 (VS)"),
    ):
        drive.check(holds, PROPERTIES, text, f"CAP {int(cap):#x}, VS {version:#x}")
    control = drive.nvme0[Register.CC]
    for _ in range(drive.random.randint(20, 60)):
        csts = drive.csts
        good = csts.rdy and not csts.cfs and not csts.shst and not csts.pp
        drive.check(bool(good), PROPERTIES, "CSTS: ready, and nothing else", csts)
        drive.check(drive.nvme0.cap == int(cap), PROPERTIES, f"CAP {int(cap):#x}", f"{drive.nvme0.cap:#x}")
        found = drive.nvme0[Register.CC]
        drive.check(found == control, PROPERTIES, f"CC {control:#x}", f"{found:#x}")
        drive.check(drive.nvme0[Register.VS] == version, PROPERTIES, f"VS {version:#x}", "another")


@requirement("REPORTS-7", HEADER)
def test_configuration_space_is_plausible(drive: Drive) -> None:
    """The function is an NVMe controller, its list of capabilities ends, and reading changes nothing.

    1. Read the header and the capabilities twice, and follow the list.
    """
    first = drive.pcie[0:0x100]
    drive.check(first[9:12] == [2, 8, 1], HEADER, "class code 010802h", first[9:12])
    drive.check(bool(first[4] & 4), HEADER, "bus mastering, which the driver has enabled", f"{first[4]:#x}")
    seen: set[int] = set()
    at = first[0x34] & ~3 if first[6] & 0x10 else 0
    while at:
        drive.check(at >= 0x40 and at not in seen, HEADER, "a list of capabilities that ends", f"{at:#x}")
        seen.add(at)
        at = first[at + 1] & ~3
    again = drive.pcie[0:0x100]
    different = [at for at in range(0x100) if first[at] != again[at]]
    drive.check(not different, HEADER, "the same configuration space", f"bytes {different} differ")


@requirement("REPORTS-8", "PCIe 5.0, 5.3.1.4 D3 State")
@needs(POWER_MANAGEMENT)
def test_the_controller_returns_from_d3(drive: Drive) -> None:
    """After D3hot the controller works as before, also with what it was told.

    1. Enter D3hot, return to D0, and compare CC and CSTS. Send admin and IO commands.
    """
    clause = "PCIe 5.0, 5.3.1.4 D3 State"
    buf = nvme.Buffer(max(4096, drive.lba_size))
    for _ in range(3):
        drive.succeed(drive.io(IoOpcode.READ, buf), clause)
        drive.note("D3hot and D0", "pcie.power_state = 3", "pcie.power_state = 0")
        drive.pcie.power_state = 3
        drive.check(drive.pcie.power_state == 3, clause, "power state 3", drive.pcie.power_state)
        drive.pcie.power_state = 0
        drive.check(bool(drive.csts.rdy), clause, "CSTS.RDY 1", drive.csts)
        drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=1), clause)
        drive.succeed(drive.io(IoOpcode.READ, buf), clause)


RESETTING: dict[str, tuple[Need, Callable[[Drive], object]]] = {
    "function": (FLR, Drive.flr),
    "subsystem": (SUBSYSTEM_RESET, Drive.subsystem_reset),
    "power": (SWITCHED_POWER, Drive.power_cycle),
}


@requirement("REPORTS-9", "Base 2.0, 5.17 Identify")
@pytest.mark.parametrize("kind", list(RESETTING))
def test_reports_survive_each_kind_of_reset(drive: Drive, kind: str) -> None:
    """What does not change by itself is the same after each kind of reset, and so are the registers.

    1. Read Identify, constant log pages, CAP and VS, reset, and compare them, twice.
    """
    need, reset = RESETTING[kind]
    if not need.met(drive):
        pytest.skip(f"needs {need.text}")
    first, cap, version = constant_reports(drive), drive.nvme0.cap, drive.nvme0[Register.VS]
    for _ in range(2):
        reset(drive)
        drive.check(drive.nvme0.cap == cap, PROPERTIES, f"CAP {cap:#x}", f"{drive.nvme0.cap:#x}")
        drive.check(drive.nvme0[Register.VS] == version, PROPERTIES, f"VS {version:#x}", "another")
        for name, data in constant_reports(drive).items():
            different = [at for at, byte in enumerate(data) if byte != first[name][at]]
            same = f"{name} as before the reset"
            drive.check(not different, "Base 2.0, 5.17 Identify", same, f"bytes {different[:16]} differ")


class Claim(NamedTuple):
    """A bit of Identify, and how to see whether it is true."""

    text: str
    is_claimed: Callable[[IdentifyController], object]
    is_there: Callable[[Drive], bool]


def has_feature(fid: FeatureId) -> Callable[[Drive], bool]:
    """Ask for a feature."""
    return lambda drive: drive.get_feature(fid).ok


def has_log(lid: int) -> Callable[[Drive], bool]:
    """Ask for a log page."""
    return lambda drive: drive.has_log(lid)


def has_structure(cns: Cns) -> Callable[[Drive], bool]:
    """Ask for an Identify structure."""
    return lambda drive: drive.admin(AdminOpcode.IDENTIFY, nvme.Buffer(4096), cdw10=cns).ok


CLAIMS = (
    Claim("feature 0Eh, as ONCS bit 6", lambda c: c.oncs.tss, has_feature(FeatureId.TIMESTAMP)),
    Claim("feature 06h, as VWC bit 0", lambda c: c.vwc.vwcp, has_feature(FeatureId.VWC)),
    Claim("feature 0Ch, as APSTA bit 0", lambda c: c.apsta.aspts, has_feature(FeatureId.APST)),
    Claim("feature 0Dh, as HMPRE", lambda c: c.hmpre, has_feature(FeatureId.HMB)),
    Claim("feature 10h, as HCTMA bit 0", lambda c: c.hctma.hctms, has_feature(FeatureId.HCTM)),
    Claim("feature 11h, as CTRATT bit 1", lambda c: c.ctratt.nopspm, has_feature(FeatureId.NOPSC)),
    Claim("log page 05h, as LPA bit 1", lambda c: c.lpa.cses, has_log(5)),
    Claim("log page 06h, as OACS bit 4", lambda c: c.oacs.dsts, has_log(6)),
    Claim("log page 81h, as SANICAP 2:0", lambda c: int(c.sanicap) & 7, has_log(0x81)),
    Claim("log page 00h, as LPA bit 5", lambda c: c.lpa.mlps, has_log(0)),
    Claim("log page 12h, as LPA bit 5", lambda c: c.lpa.mlps, has_log(0x12)),
    Claim("log page 07h, as LPA bit 3", lambda c: c.lpa.ts, has_log(7)),
    Claim("log page 08h, as LPA bit 3", lambda c: c.lpa.ts, has_log(8)),
    Claim("CNS 04h, as CTRATT bit 2", lambda c: c.ctratt.nsets, has_structure(Cns.NVM_SET_LIST)),
    Claim("CNS 17h, as CTRATT bit 9", lambda c: c.ctratt.ulist, has_structure(Cns.UUID_LIST)),
)


@requirement("REPORTS-10", CONTROLLER)
def test_what_identify_claims_is_there(drive: Drive) -> None:
    """Each bit of Identify that claims a feature or a log page is 1 if and only if the drive has it.

    1. Get each feature and log page, and compare with its bit.
    2. Compare VID and SSVID with configuration space, and the default temperature threshold with WCTEMP.
    """
    ctrl = drive.id_ctrl
    for claim in CLAIMS:
        claimed, there = bool(claim.is_claimed(ctrl)), claim.is_there(drive)
        drive.check(claimed == there, CONTROLLER, f"{claim.text} says ({claimed})", f"{there}")
    for name, offset in (("vid", 0), ("ssvid", 0x2C)):
        wanted = drive.pcie.register(offset, 2)
        drive.check(
            ctrl[name] == wanted, CONTROLLER, f"{name.upper()} {wanted:#x}, as PCI says", f"{ctrl[name]:#x}"
        )
    if ctrl.oncs.ssfs and ctrl.wctemp:
        found = drive.get_feature(FeatureId.TEMPERATURE, sel=1).cdw0 & 0xFFFF
        clause = "Base 2.0, 5.27.1.3 Temperature Threshold"
        drive.check(found == ctrl.wctemp, clause, f"the default {ctrl.wctemp} (WCTEMP)", found)
    total = sum(int(drive.namespaces[nsid].id_ns.nvmcap) for nsid in drive.nsids)
    if ctrl.tnvmcap:
        total += int(ctrl.unvmcap)
        drive.check(total <= ctrl.tnvmcap, CONTROLLER, f"TNVMCAP of {total} or more", int(ctrl.tnvmcap))
    if ctrl.lpa.smarts:
        command = drive.log_page(2, nvme.Buffer(512), 512, nsid=drive.nsid)
        drive.check(command.ok, CONTROLLER, "log page 02h of a namespace, as LPA bit 0 says", f"{command}")
    drive.check(max(drive.nsids) <= ctrl.nn, CONTROLLER, f"NN of {max(drive.nsids)} or more", int(ctrl.nn))


@requirement("REPORTS-11", PROPERTIES)
@needs(KNOWN)
def test_registers_that_are_not_there_are_zero(drive: Drive) -> None:
    """Reserved registers, and those of features that CAP does not report, are zero. NSSR reads as zero.

    1. Read the registers of the controller memory buffer, boot partitions and persistent memory region.
    2. Read random reserved offsets.
    """
    cap = Cap(drive.nvme0.cap)
    offsets = [Register.NSSR, 0x18]
    offsets += [] if cap.cmbs else [Register.CMBLOC, Register.CMBSZ, Register.CMBMSC, Register.CMBSTS]
    offsets += [] if cap.bps else [Register.BPINFO, Register.BPRSEL, Register.BPMBL]
    offsets += [] if cap.pmrs else list(range(Register.PMRCAP, Register.PMRMSCU + 4, 4))
    offsets += [] if cap.crms else [Register.CRTO]
    offsets += drive.random.sample([*range(0x6C, 0xE00, 4), *range(0xE1C, 0x1000, 4)], 24)
    for offset in offsets:
        value = drive.nvme0[offset]
        drive.check(value == 0, PROPERTIES, f"register {offset:#x} is 0", f"{value:#x}")
    for there, offset, name in (
        (cap.bps, Register.BPINFO, "BPINFO"),
        (cap.pmrs, Register.PMRCAP, "PMRCAP"),
    ):
        value = drive.nvme0[offset]
        drive.check(not there or bool(value), PROPERTIES, f"{name} that is not 0, as CAP says", f"{value:#x}")
    if cap.crms & 1:
        ready = drive.nvme0[Register.CRTO] & 0xFFFF
        drive.check(ready > 0, "Base 2.0, 3.1.3 CRTO", "CRTO.CRWMT above 0, since CAP.CRMS has bit 0", ready)


@requirement("REPORTS-12", PROPERTIES)
def test_registers_that_cannot_be_written(drive: Drive) -> None:
    """CAP, VS and CSTS stay when the host writes them, and so does the controller.

    1. Write random values to CAP and VS, and zeros to CSTS. Read all registers, and send commands.
    """
    watched = [Register.CAP, Register.CAP + 4, Register.VS, Register.CC, Register.CSTS, Register.AQA]
    before = [drive.nvme0[offset] for offset in watched]
    for _ in range(4):
        for offset in (Register.CAP, Register.CAP + 4, Register.VS):
            drive.nvme0[offset] = drive.random.getrandbits(32)
        drive.nvme0[Register.CSTS] = 0
        found = [drive.nvme0[offset] for offset in watched]
        drive.check(
            found == before,
            PROPERTIES,
            f"registers {[hex(value) for value in before]}",
            f"{[hex(value) for value in found]}",
        )
    drive.succeed(drive.io(IoOpcode.READ, nvme.Buffer(max(4096, drive.lba_size))), PROPERTIES)


@requirement("REPORTS-13", HEADER)
def test_configuration_space_that_cannot_be_written(drive: Drive) -> None:
    """Identifiers, class and capabilities of the function stay when the host writes them.

    1. Write other values to read-only bytes of the header and of capabilities, and compare all bytes.
    """
    places = [0, 1, 2, 3, 8, 9, 10, 11, 0x0E, 0x2C, 0x2D, 0x2E, 0x2F, 0x34, 0x3D]
    before = drive.pcie[0:0x100]
    for capability in (1, 0x10, 0x11):
        at = drive.pcie.cap_offset(capability)
        places += [] if at is None else [at, at + 1]
    for at in drive.random.sample(places, len(places)):
        drive.pcie[at] = before[at] ^ 0xFF
    after = drive.pcie[0:0x100]
    different = [at for at in range(0x100) if before[at] != after[at]]
    drive.check(not different, HEADER, "the same configuration space", f"bytes {different} differ")
    drive.succeed(drive.io(IoOpcode.READ, nvme.Buffer(max(4096, drive.lba_size))), HEADER)


FORMATS = "NVM 1.1, 4.1.5.5 and 4.1.5.6 Identify by Format Index"


@requirement("REPORTS-14", FORMATS)
def test_each_lba_format_is_described_as_in_the_namespace(drive: Drive) -> None:
    """Identify by the index of an LBA format (CNS 09h and 0Ah) tells what Identify Namespace tells.

    1. Read both structures for each format. Compare the formats and capabilities with CNS 00h and 05h.
    2. Read them for an index that has no format.
    """
    kinds = (Cns.CSI_NS_USER_FORMATS, Cns.CSI_NS_FORMATS)
    for cns in kinds:
        if not drive.admin(AdminOpcode.IDENTIFY, nvme.Buffer(4096), cdw10=cns).ok:
            pytest.skip(f"needs Identify with CNS {cns:02x}h")
    space = IdentifyNamespace(identify(drive, Cns.NS, drive.nsid))
    more = IdentifyNamespaceNvm(identify(drive, Cns.CSI_NS, drive.nsid))
    formats = int(space.nlbaf) + 1
    for index in range(formats):
        other = IdentifyNamespace(identify(drive, kinds[0], cdw11=index))
        for name in ("nlbaf", "mc", "dpc"):
            wanted, seen = int(space[name]), int(other[name])
            drive.check(wanted == seen, FORMATS, f"{name.upper()} as in CNS 00h, {wanted:#x}", f"{seen:#x}")
        drive.check(bytes(other)[128:384] == bytes(space)[128:384], FORMATS, "LBAFs as in CNS 00h", "others")
        drive.check(not any(bytes(other)[:24]), FORMATS, "0 in NSZE, NCAP and NUSE", bytes(other)[:24].hex())
        found = bytes(IdentifyNamespaceNvm(identify(drive, kinds[1], cdw11=index)))
        drive.check(found[8:268] == bytes(more)[8:268], FORMATS, "PIC and ELBAFs as in CNS 05h", "others")
    for cns in kinds:
        command = drive.admin(AdminOpcode.IDENTIFY, nvme.Buffer(4096), cdw10=cns, cdw11=formats)
        drive.expect(command, FORMATS, Status.INVALID_FIELD)
