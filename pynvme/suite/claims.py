# SPDX-License-Identifier: BSD-3-Clause
"""What a drive may lack, each with the bit that reports it."""

from __future__ import annotations

from pynvme.spec import AdminOpcode, FeatureId, IoOpcode, Register
from pynvme.suite.marks import Need

LEAST_LBAS = 1 << 14
LATEST = 0x00020100
"""The version of the specification whose fields this package knows. A newer drive may use more."""


def io(opcode: IoOpcode) -> Need:
    """An IO command, without a limit that is below the sizes that tests send."""
    return Need(
        f"{opcode.name} (opcode {opcode:02x}h: Commands Supported and Effects, or ONCS)",
        lambda drive: drive.can(opcode),
    )


def admin(opcode: AdminOpcode) -> Need:
    """An admin command."""
    return Need(
        f"{opcode.name} (opcode {opcode:02x}h: Commands Supported and Effects, or OACS)",
        lambda drive: bool(drive.nvme0.supports(opcode)),
    )


def feature(fid: FeatureId) -> Need:
    """A feature that can be changed."""
    return Need(f"{fid.name} (Get Features {fid:02x}h, SEL 3, bit 2)", lambda drive: drive.can_change(fid))


def saveable(fid: FeatureId) -> Need:
    """A feature that can be saved."""
    return Need(f"{fid.name}, saveable (Get Features {fid:02x}h, SEL 3, bit 0)", lambda d: d.can_save(fid))


def log(lid: int) -> Need:
    """A log page."""
    return Need(
        f"log page {lid:02x}h (Supported Log Pages, or a Get Log Page that succeeds)",
        lambda drive: drive.has_log(lid),
    )


def version(least: int) -> Need:
    """A version of the specification, as the register VS has it."""
    return Need(
        f"version {least >> 16}.{least >> 8 & 0xFF} or later (VS)",
        lambda drive: bool(drive.nvme0[Register.VS] >= least),
    )


def queues(least: int) -> Need:
    """A number of IO queues."""
    return Need(f"{least} IO queues (Number of Queues)", lambda drive: drive.nvme0.max_qpairs >= least)


COMMAND_SETS = Need(
    "selectable I/O command sets (CAP.CSS bit 6)", lambda drive: bool(drive.nvme0.cap >> 43 & 1)
)
ENTRIES = Need("queues of 64 entries (CAP.MQES)", lambda drive: drive.nvme0.cap & 0xFFFF >= 63)
KNOWN = Need("a drive of NVMe 2.1 or older (VS)", lambda drive: drive.nvme0[Register.VS] <= LATEST)
SWITCHED_POWER = Need("a power that can be switched", lambda drive: drive.can_switch_power())
HOT_RESET = Need("a link that can be reset (pcie.reset)", lambda drive: drive.can_reset_hot())
EXPENDABLE = Need(
    "a drive that may be changed for ever (a private virtual SSD)", lambda drive: bool(drive.is_expendable)
)
CACHE = Need("a volatile write cache (VWC bit 0)", lambda drive: bool(drive.id_ctrl.vwc.vwcp))
NO_CACHE = Need("no volatile write cache (VWC bit 0 is 0)", lambda drive: not drive.id_ctrl.vwc.vwcp)
SELECT = Need(
    "saved and default values of features (ONCS bit 4)", lambda drive: bool(drive.id_ctrl.oncs.ssfs)
)
FUSED = Need("fused Compare and Write (FUSES bit 0)", lambda drive: bool(drive.id_ctrl.fuses.fcws))
SUBSYSTEM_RESET = Need("NVM Subsystem Reset (CAP.NSSRS)", lambda drive: bool(drive.nvme0.cap >> 36 & 1))
MDTS = Need("a limit of transfers (MDTS)", lambda drive: drive.nvme0.mdts != 0)
TWO_NAMESPACES = Need("two active namespaces (Identify, CNS 02h)", lambda drive: len(drive.nsids) > 1)
ROOM = Need(
    f"a namespace of {LEAST_LBAS} LBAs (NSZE)",
    lambda drive: int(drive.ns.id_ns.nsze) >= LEAST_LBAS,
)
ZEROED = Need(
    "zeros from deallocated LBAs (DLFEAT bits 2:0 are 001b)", lambda drive: drive.ns.id_ns.dlfeat.rdb == 1
)
WEIGHTED = Need("weighted round robin (CAP.AMS bit 0)", lambda drive: bool(drive.nvme0.cap >> 17 & 1))
FLR = Need(
    "function level reset (Device Capabilities, bit 28)",
    lambda drive: drive.has_flr(),
)
LOG_OFFSETS = Need("log page offsets (LPA bit 2)", lambda drive: bool(drive.id_ctrl.lpa.lpeds))
VECTORS = Need("MSI-X (capability 11h)", lambda drive: drive.pcie.cap_offset(0x11) is not None)
DULBE = Need("errors of deallocated blocks (NSFEAT bit 2)", lambda drive: bool(drive.ns.id_ns.nsfeat.dae))
POWER_STATES = Need("power states (NPSS is not 0)", lambda drive: int(drive.id_ctrl.npss) > 0)
TIMESTAMP = Need("the feature Timestamp (ONCS bit 6)", lambda drive: bool(drive.id_ctrl.oncs.tss))
EVENTS = Need(
    "temperature thresholds that can be changed, and a temperature (SMART, CTEMP)",
    lambda drive: drive.can_change(FeatureId.TEMPERATURE) and drive.has_temperature(),
)
TELEMETRY = Need("telemetry (LPA bit 3)", lambda drive: bool(drive.id_ctrl.lpa.ts))


SANITIZES = Need("sanitize operations (SANICAP bits 2:0)", lambda drive: bool(int(drive.id_ctrl.sanicap) & 7))
ATOMIC = Need("atomic writes of two LBAs (AWUN, NAWUN)", lambda drive: drive.atomic_lbas > 1)
HOST_MEMORY = Need("a host memory buffer (HMPRE)", lambda drive: int(drive.id_ctrl.hmpre) > 0)
POWER_MANAGEMENT = Need(
    "PCI Power Management (capability 01h)", lambda drive: drive.pcie.cap_offset(1) is not None
)
