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
    IdentifyController,
    IdentifyNamespace,
    IoOpcode,
    Register,
    SmartLog,
)
from pynvme.suite import needs, requirement
from pynvme.suite.claims import POWER_MANAGEMENT, log
from pynvme.suite.drive import Drive
from pynvme.suite.reserved import LATEST, in_use, in_use_of_word

RESERVED = "Base 2.0, 1.4.2 Reserved and Unused Fields"
CONTROLLER = "Base 2.0, 5.17.2.1 Identify Controller"
NAMESPACE = "NVM 1.0, 4.1.5.1 Identify Namespace"
PROPERTIES = "Base 2.0, 3.1.3 Controller Properties"
HEADER = "PCIe 5.0, 7.5.1 PCI-Compatible Configuration Registers"
EFFECTS = "Base 2.0, 5.16.1.6 Commands Supported and Effects"
REPEATS = 12


class Rule(NamedTuple):
    """Something that holds for a structure."""

    text: str
    holds: Callable[[Any], bool]


def is_text(value: str) -> bool:
    """Whether a text has printable characters only."""
    return all(0x20 <= ord(letter) < 0x7F for letter in value)


CONTROLLER_RULES = (
    Rule("a PCI vendor ID", lambda c: c.vid not in (0, 0xFFFF)),
    Rule("a serial number of printable characters", lambda c: bool(c.sn.strip()) and is_text(c.sn)),
    Rule("a model number of printable characters", lambda c: bool(c.mn.strip()) and is_text(c.mn)),
    Rule("a firmware revision of printable characters", lambda c: bool(c.fr.strip()) and is_text(c.fr)),
    Rule("namespaces (NN)", lambda c: 0 < c.nn < 0xFFFFFFFF),
    Rule("submission queue entries of 64 bytes (SQES)", lambda c: c.sqes.mins == 6 <= c.sqes.maxs),
    Rule("completion queue entries of 16 bytes (CQES)", lambda c: c.cqes.mins == 4 <= c.cqes.maxs),
    Rule("power states (NPSS below 32)", lambda c: c.npss < 32),
    Rule("firmware slots (FRMW 3:1 from 1 to 7)", lambda c: 1 <= c.frmw.nofs <= 7),
    Rule("a temperature threshold (WCTEMP not above CCTEMP)", lambda c: not c.cctemp or c.wctemp <= c.cctemp),
    Rule("host memory (HMMIN not above HMPRE)", lambda c: c.hmmin <= c.hmpre),
    Rule("thermal temperatures (MNTMT not above MXTMT)", lambda c: c.mntmt <= c.mxtmt),
    Rule("an atomic unit (AWUPF not above AWUN)", lambda c: c.awupf <= c.awun),
    Rule("capacity (UNVMCAP not above TNVMCAP)", lambda c: not c.tnvmcap or c.unvmcap <= c.tnvmcap),
    Rule("an I/O controller (CNTRLTYPE 0 or 1)", lambda c: int(c.cntrltype) in (0, 1)),
    Rule("a subsystem name (SUBNQN nqn.…)", lambda c: not c.subnqn or c.subnqn.startswith("nqn.")),
)

NAMESPACE_RULES = (
    Rule("a size (NSZE)", lambda n: n.nsze > 0),
    Rule("a capacity (NCAP from 1 to NSZE)", lambda n: 0 < n.ncap <= n.nsze),
    Rule("a utilization (NUSE not above NCAP)", lambda n: n.nuse <= n.ncap),
    Rule("a format that exists (FLBAS not above NLBAF)", lambda n: n.flbas.lbafil <= n.nlbaf),
    Rule(
        "LBAs of at least 512 bytes (LBADS of the format in use)",
        lambda n: 9 <= n.lbaf[n.flbas.lbafil].lbads <= 16,
    ),
    Rule("a value of deallocated LBAs (DLFEAT 2:0 below 3)", lambda n: n.dlfeat.rdb < 3),
    Rule("formats (NLBAF below 64)", lambda n: n.nlbaf < 64),
    Rule(
        "NVMCAP that holds NSZE",
        lambda n: not n.nvmcap or n.nvmcap >= n.ncap << n.lbaf[n.flbas.lbafil].lbads,
    ),
    Rule("an atomic unit (NAWUPF not above NAWUN)", lambda n: n.nawupf <= n.nawun or not n.nsfeat.nsabp),
    Rule(
        "no protection that it cannot have (DPS within DPC)", lambda n: not int(n.dps) & 7 or int(n.dpc) != 0
    ),
)


def identify(drive: Drive, cns: int, nsid: int = 0) -> bytes:
    """An Identify structure."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=cns), "Base 2.0, 5.17 Identify")
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

    1. Compare each field with its range, for each active namespace.
    """
    for nsid in drive.nsids:
        must_hold(drive, NAMESPACE_RULES, IdentifyNamespace(identify(drive, Cns.NS, nsid)), NAMESPACE)


@requirement("REPORTS-3", RESERVED)
def test_reserved_fields_are_zero(drive: Drive) -> None:
    """Reserved bytes and bits of Identify, logs and registers are zero.

    1. Read the structures and registers, and look at all that the specification reserves.
    """
    if drive.nvme0[Register.VS] > LATEST:
        pytest.skip("needs a drive of NVMe 2.1 or older (VS)")
    smart = nvme.Buffer(512)
    drive.succeed(drive.log_page(2, smart, 512), RESERVED)
    structures: list[Any] = [
        IdentifyController(identify(drive, Cns.CTRL)),
        SmartLog(smart[:]),
        *(IdentifyNamespace(identify(drive, Cns.NS, nsid)) for nsid in drive.nsids),
    ]
    for structure in structures:
        found = in_use(structure)
        name = type(structure).__name__
        drive.check(not found, RESERVED, f"zero in reserved fields of {name}", "; ".join(found[:8]))
    for register in (Cap(drive.nvme0.cap), drive.csts, Cc(drive.nvme0[Register.CC])):
        bits = in_use_of_word(register)
        drive.check(not bits, RESERVED, f"zero in reserved bits of {type(register).__name__}", bits)


@requirement("REPORTS-4", EFFECTS)
@needs(log(5))
def test_effects_of_commands_are_plausible(drive: Drive) -> None:
    """Unsupported commands have no effects, and reads do not change data.

    1. Read log page 05h, and compare its entries.
    """
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(5, buf, 4096), EFFECTS)
    effects = EffectsLog(buf[:])
    for name, entries in (("admin", effects.acs), ("I/O", effects.iocs)):
        for opcode in range(256):
            entry = entries[opcode]
            drive.check(
                bool(entry.csupp) or not int(entry),
                EFFECTS,
                f"no effects of {name} opcode {opcode:02x}h, which is not supported",
                f"{int(entry):#x}",
            )
    for opcode in (IoOpcode.READ, IoOpcode.FLUSH, IoOpcode.COMPARE, IoOpcode.VERIFY):
        entry = effects.iocs[opcode]
        drive.check(
            not entry.lbcc, EFFECTS, f"no change of data by {opcode.name} (LBCC 0)", f"{int(entry):#x}"
        )


@requirement("REPORTS-5", "Base 2.0, 5.17 Identify")
def test_reports_do_not_change(drive: Drive) -> None:
    """What does not change by itself is the same at each read, and after a reset.

    1. Read Identify and constant log pages many times, and after a controller reset, and compare them.
    """
    first = constant_reports(drive)
    for turn in range(REPEATS):
        if turn == REPEATS // 2:
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
        found[f"descriptors of namespace {nsid}"] = identify(drive, Cns.NS_DESCRIPTORS, nsid)
    found["list of namespaces"] = identify(drive, Cns.ACTIVE_NS_LIST)
    for lid in (0, 3, 5):
        buf = nvme.Buffer(4096)
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
    for _ in range(REPEATS):
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
