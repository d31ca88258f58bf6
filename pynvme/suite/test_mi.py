# SPDX-License-Identifier: BSD-3-Clause
"""The Management Interface, in band: what it reports is what the drive reports elsewhere."""

from __future__ import annotations

import struct
from typing import NamedTuple

import nvme

from pynvme.spec import AdminOpcode, LogId, MiEffectsLog, Status
from pynvme.spec.mi import (
    MiController,
    MiControllerHealth,
    MiDataType,
    MiOpcode,
    MiStatus,
    MiSubsystem,
    MiSubsystemHealth,
)
from pynvme.suite import needs, requirement
from pynvme.suite.claims import EXPENDABLE, SWITCHED_POWER, admin, log
from pynvme.suite.drive import Drive
from pynvme.suite.health import smart
from pynvme.suite.marks import Need

pytestmark = needs(admin(AdminOpcode.MI_RECEIVE), admin(AdminOpcode.MI_SEND))

IN_BAND = "Base 2.1, 5.1.18 NVMe-MI Receive and 5.1.19 NVMe-MI Send, and NVMe-MI 2.0, 4.3"
READ = "NVMe-MI 2.0, 5.7 Read NVMe-MI Data Structure"
SUBSYSTEM = "NVMe-MI 2.0, 5.6 NVM Subsystem Health Status Poll"
CONTROLLER = "NVMe-MI 2.0, 5.3 Controller Health Status Poll"
CONFIGURATION = "NVMe-MI 2.0, 5.1 Configuration Get and 5.2 Configuration Set"
VPD = "NVMe-MI 2.0, 5.12 VPD Read"
VPD_WRITE = "NVMe-MI 2.0, 5.13 VPD Write"

EFFECTS = "Base 2.1, 5.1.12.1.20 NVMe-MI Commands Supported and Effects"

HARMLESS = (
    MiOpcode.READ_DATA_STRUCTURE,
    MiOpcode.SUBSYSTEM_HEALTH_STATUS_POLL,
    MiOpcode.CONTROLLER_HEALTH_STATUS_POLL,
    MiOpcode.CONFIGURATION_GET,
    MiOpcode.VPD_READ,
)
"""Commands that change nothing."""
MESSAGE = 0x804
"""Dword 10: message type 4, NVMe-MI, and NVMe-MI message type 1, a command of the interface."""
SENDS = (MiOpcode.CONFIGURATION_SET, MiOpcode.VPD_WRITE)
CLEAR = ALL = 1 << 31
CECO = 0x20
"""The bit of the composite controller status that says that CC.EN has changed."""
FUNCTIONS = 1 << 24
ENTRIES = 0xFE
"""MAXRENT: 255 controllers, the most that a poll may ask for."""
EVERY_CHANGE = 0x1F
FILL = 0xEE
CELSIUS = 273
SECOND = 10
"""By how many Kelvin the temperature may change between two commands."""


def writes_left(drive: Drive) -> int:
    """VWCR of Identify Controller, which changes with each write."""
    buf = nvme.Buffer(4096)
    drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=1)
    return int(buf[254]) & 0x7F


VPD_WRITES = Need(
    "Vital Product Data that can be written (VWCI: VWCRV, and VWCR above 0)",
    lambda drive: int(drive.id_ctrl.vwci) >> 7 == 1 and writes_left(drive) > 0,
)


class Answer(NamedTuple):
    """A response: status, NVMe Management Response, and data."""

    status: int
    response: int
    data: bytes


def send(drive: Drive, opcode: int, nmd0: int = 0, nmd1: int = 0, by: int | None = None) -> Answer:
    """Send a command of the interface by the admin command that is meant for it, or another one."""
    buf = nvme.Buffer(4096, ptype=32, pvalue=FILL * 0x01010101)
    wanted = AdminOpcode.MI_SEND if opcode in SENDS else AdminOpcode.MI_RECEIVE
    fields = {"cdw10": MESSAGE, "cdw11": opcode, "cdw12": nmd0, "cdw13": nmd1}
    command = drive.admin(wanted if by is None else by, buf, **fields)
    drive.succeed(command, IN_BAND)
    return Answer(command.cdw0 & 0xFF, command.cdw0 >> 8, bytes(buf[:]))


def must(drive: Drive, clause: str, answer: Answer, status: MiStatus = MiStatus.SUCCESS) -> Answer:
    """Raise a finding unless the interface answered with this status."""
    drive.check(answer.status == status, clause, f"status {status:#04x}", f"{answer.status:#04x}")
    return answer


def structure(drive: Drive, kind: MiDataType, ctrlid: int = 0) -> bytes:
    """A data structure, as long as the response says."""
    answer = must(drive, READ, send(drive, MiOpcode.READ_DATA_STRUCTURE, kind << 24 | ctrlid))
    length = answer.response & 0xFFFF
    rest = answer.data[length:]
    drive.check(rest == bytes([FILL]) * len(rest), READ, f"{length} bytes of data", rest[:16].hex())
    return answer.data[:length]


@requirement("MI-1", READ)
def test_data_structures_agree_with_identify(drive: Drive) -> None:
    """The interface names the controllers and their PCI identifiers as Identify does.

    1. Read the information of the subsystem, the list of controllers, and the information of this one.
    2. Read the list from the next CNTLID on. This controller is not in it.
    3. Read a structure that there is not: Invalid Parameter.
    """
    subsystem = MiSubsystem(structure(drive, MiDataType.SUBSYSTEM))
    drive.check(subsystem.mjr in (1, 2), READ, "version 1 or 2", int(subsystem.mjr))
    own = int(drive.id_ctrl.cntlid)
    listed = controllers(drive, 0)
    drive.check(own in listed, READ, f"a list with controller {own}", listed)
    drive.check(listed == sorted(set(listed)), READ, "CNTLIDs in ascending order", listed)
    later = controllers(drive, own + 1)
    drive.check(later == [one for one in listed if one > own], READ, f"CNTLIDs above {own}", later)
    about = MiController(structure(drive, MiDataType.CONTROLLER, own))
    pairs = ((about.vid, drive.id_ctrl.vid), (about.ssvid, drive.id_ctrl.ssvid))
    drive.check(all(a == b for a, b in pairs), READ, "VID and SSVID of Identify", pairs)
    answer = send(drive, MiOpcode.READ_DATA_STRUCTURE, 0xFE << 24)
    must(drive, READ, answer, MiStatus.INVALID_PARAMETER)


def controllers(drive: Drive, first: int) -> list[int]:
    """The CNTLIDs from one on."""
    data = structure(drive, MiDataType.CONTROLLER_LIST, first)
    count = int.from_bytes(data[:2], "little")
    drive.check(len(data) >= 2 + 2 * count, READ, f"a list of {count} controllers", len(data))
    return list(struct.unpack_from(f"<{count}H", data, 2))


def health_of(drive: Drive, changed: bool = False, clear: bool = False) -> list[MiControllerHealth]:
    """The health of the controllers, or of those that have changed."""
    nmd0 = FUNCTIONS | ENTRIES << 16 | (0 if changed else ALL)
    nmd1 = EVERY_CHANGE | (CLEAR if clear else 0)
    answer = must(drive, CONTROLLER, send(drive, MiOpcode.CONTROLLER_HEALTH_STATUS_POLL, nmd0, nmd1))
    count = answer.response >> 16
    return [MiControllerHealth(answer.data[16 * index : 16 * index + 16]) for index in range(count)]


def subsystem_health(drive: Drive, clear: bool = False) -> MiSubsystemHealth:
    """The health of the subsystem."""
    command = MiOpcode.SUBSYSTEM_HEALTH_STATUS_POLL
    return MiSubsystemHealth(must(drive, SUBSYSTEM, send(drive, command, 0, CLEAR if clear else 0)).data[:8])


@requirement("MI-2", f"{SUBSYSTEM}, and 5.3 Controller Health Status Poll")
def test_health_agrees_with_the_smart_log(drive: Drive) -> None:
    """Both polls report temperature, life, spare and warnings as the SMART log does.

    1. Poll the subsystem and the controllers. Read the SMART log before and after.
    """
    before = smart(drive)
    whole = subsystem_health(drive)
    (found,) = [one for one in health_of(drive) if one.ctlid == drive.id_ctrl.cntlid]
    after = smart(drive)
    kelvin = (int(before.ctemp), int(after.ctemp))
    warm = min(kelvin) - SECOND <= found.ctemp <= max(kelvin) + SECOND
    drive.check(warm, CONTROLLER, f"CTEMP of about {kelvin[0]} K", int(found.ctemp))
    degrees = int(whole.ctemp) - 256 if whole.ctemp >= 128 else int(whole.ctemp)
    warm = min(kelvin) - SECOND <= degrees + CELSIUS <= max(kelvin) + SECOND
    drive.check(warm, SUBSYSTEM, f"CTEMP of about {kelvin[0] - CELSIUS} degrees Celsius", degrees)
    lives = (int(before.pused), int(after.pused))
    for clause, name, seen, known in (
        (CONTROLLER, "PDLU", int(found.pdlu), lives),
        (SUBSYSTEM, "PDLU", int(whole.pdlu), lives),
        (CONTROLLER, "SPARE", int(found.spare), (int(before.avsp), int(after.avsp))),
    ):
        drive.check(seen in known, clause, f"{name} {known[0]}, as the SMART log says", seen)
    if int(before.cw) == int(after.cw):
        warnings = int(before.cw) & 0x1F
        seen = int(found.cwarn) & 0x1F
        drive.check(seen == warnings, CONTROLLER, f"CWARN {warnings:#04x}, as the SMART log", f"{seen:#04x}")
        seen = ~int(whole.sw) & 0x1F
        drive.check(seen == warnings, SUBSYSTEM, f"a 0 in SW for each of {warnings:#04x}", f"{seen:#04x}")


@requirement("MI-3", CONTROLLER)
def test_changes_are_reported_until_they_are_cleared(drive: Drive) -> None:
    """A poll with clear ends the report of changes, and a reset is a change.

    1. Poll with clear. A poll of controllers that have changed then lists none, but for the temperature.
    2. Reset the controller. It is listed, with CECO, and the subsystem has CECO, too.
    3. Clear by Configuration Set, Health Status Change. CECO is gone.
    """
    own = drive.id_ctrl.cntlid
    health_of(drive, clear=True)
    subsystem_health(drive, clear=True)
    drive.check(not subsystem_health(drive).ccs.ceco, SUBSYSTEM, "CECO 0, since it was cleared", 1)
    drive.reset()
    listed = [one for one in health_of(drive, changed=True) if one.ctlid == own]
    seen = [int(one.csts) for one in listed]
    drive.check(len(listed) == 1, CONTROLLER, f"controller {own}, which was reset", seen)
    drive.check(bool(listed[0].csts.ceco), CONTROLLER, "CECO 1 after a reset", seen)
    drive.check(bool(subsystem_health(drive).ccs.ceco), SUBSYSTEM, "CECO 1 after a reset", 0)
    must(drive, CONFIGURATION, send(drive, MiOpcode.CONFIGURATION_SET, 2, 0xFFFF))
    drive.check(not subsystem_health(drive).ccs.ceco, CONFIGURATION, "CECO 0, since it was cleared", 1)


@requirement("MI-4", CONFIGURATION)
def test_only_the_selected_changes_are_cleared(drive: Drive) -> None:
    """Configuration Set, Health Status Change, clears the bits that it names. Others are refused.

    1. Reset the controller. Clear all bits but CECO, and then CECO.
    2. Get and set identifiers that are reserved, and those of MCTP, which in band there are not.
    """
    drive.reset()
    change = 2
    for bits, kept in ((0x1FFF & ~CECO, True), (CECO, False)):
        must(drive, CONFIGURATION, send(drive, MiOpcode.CONFIGURATION_SET, change, bits))
        seen = bool(subsystem_health(drive).ccs.ceco)
        drive.check(seen == kept, CONFIGURATION, f"CECO {kept:d} after bits {bits:#06x} were cleared", seen)
    must(drive, CONFIGURATION, send(drive, MiOpcode.CONFIGURATION_GET, change))
    for identifier in (0x00, 0x01, 0x03, 0x70):
        for opcode in (MiOpcode.CONFIGURATION_GET, MiOpcode.CONFIGURATION_SET):
            answer = send(drive, opcode, 1 << 8 | identifier, 64)
            must(drive, CONFIGURATION, answer, MiStatus.INVALID_PARAMETER)


@requirement("MI-5", VPD)
def test_vital_product_data_are_read_in_pieces(drive: Drive) -> None:
    """The Vital Product Data read in pieces are the same, and a piece beyond their end is refused.

    1. Read all, and pieces of random place and length.
    2. Read beyond the largest length that there can be: Invalid Parameter.
    """
    length = 256
    answer = send(drive, MiOpcode.VPD_READ, 0, length)
    while answer.status and length > 8:
        length //= 2
        answer = send(drive, MiOpcode.VPD_READ, 0, length)
    data = must(drive, VPD, answer).data[:length]
    for _ in range(10):
        first = drive.random.randrange(length)
        count = drive.random.randrange(1, length - first + 1)
        piece = must(drive, VPD, send(drive, MiOpcode.VPD_READ, first, count)).data[:count]
        wanted = data[first : first + count]
        drive.check(piece == wanted, VPD, f"bytes {first} to {first + count - 1}", piece[:16].hex())
    must(drive, VPD, send(drive, MiOpcode.VPD_READ, 0xFFFF, 1), MiStatus.INVALID_PARAMETER)


def vpd(drive: Drive, first: int, count: int) -> bytes:
    return must(drive, VPD, send(drive, MiOpcode.VPD_READ, first, count)).data[:count]


def write_vpd(drive: Drive, first: int, data: bytes, count: int) -> Answer:
    """Write Vital Product Data, which endure few writes."""
    buf = nvme.Buffer(4096, ptype=0, pvalue=0)
    buf[: len(data)] = data
    fields = {"cdw10": MESSAGE, "cdw11": int(MiOpcode.VPD_WRITE), "cdw12": first, "cdw13": count}
    command = drive.admin(AdminOpcode.MI_SEND, buf, **fields)
    drive.succeed(command, IN_BAND)
    return Answer(command.cdw0 & 0xFF, command.cdw0 >> 8, b"")


@requirement("MI-7", VPD_WRITE)
@needs(EXPENDABLE, SWITCHED_POWER, VPD_WRITES)
def test_vital_product_data_are_written(drive: Drive) -> None:
    """What is written to the Vital Product Data stays, and nothing else changes.

    1. Write two bytes in the middle, read all, reset the controller and cycle the power.
    2. Write no bytes, and bytes beyond the end.
    3. VWCI of Identify Controller counts the writes. Write until it is 0, and once more.
    """
    length, place = 256, 200
    before = vpd(drive, 0, length)
    data = bytes(byte ^ 0x5A for byte in before[place : place + 2])
    wanted = before[:place] + data + before[place + 2 :]

    def must_hold(when: str) -> None:
        seen = vpd(drive, 0, length)
        wrong = [at for at in range(length) if seen[at] != wanted[at]]
        drive.check(not wrong, VPD_WRITE, f"what was written, and the rest, {when}", wrong)

    left = writes_left(drive)
    must(drive, VPD_WRITE, write_vpd(drive, place, data, 2))
    now = writes_left(drive)
    drive.check(now == left - 1, VPD_WRITE, f"VWCR {left - 1} after a write", now)
    must(drive, VPD_WRITE, write_vpd(drive, place, b"", 0))
    for first, count in ((length - 1, 2), (0xFFFF, 1)):
        answer = write_vpd(drive, first, bytes(2), count)
        must(drive, VPD_WRITE, answer, MiStatus.INVALID_PARAMETER)
    must_hold("at once")
    drive.reset()
    must_hold("after a reset")
    drive.power_cycle()
    must_hold("after a loss of power")
    for _ in range(writes_left(drive)):
        must(drive, VPD_WRITE, write_vpd(drive, place, data, 2))
    drive.check(writes_left(drive) == 0, VPD_WRITE, "VWCR 0 in the end", writes_left(drive))
    must(drive, VPD_WRITE, write_vpd(drive, place, bytes(2), 2), MiStatus.VPD_UPDATES_EXCEEDED)
    must_hold("after a write that was refused")


@requirement("MI-8", CONTROLLER)
def test_a_poll_returns_what_it_was_asked_for(drive: Drive) -> None:
    """A poll lists the controllers of its selection, no more than MAXRENT says, and clears on request only.

    1. Reset the controller. Poll the changes of the spare, and those of CSTS twice without clear.
    2. Poll without a type of controllers, from the next CNTLID on, one entry, and 256 entries.
    3. Poll with clear, and without.
    """
    own = int(drive.id_ctrl.cntlid)
    csts, spare = 0x01, 0x08

    def poll(nmd0: int, nmd1: int = 0) -> list[int]:
        answer = must(drive, CONTROLLER, send(drive, MiOpcode.CONTROLLER_HEALTH_STATUS_POLL, nmd0, nmd1))
        count = answer.response >> 16
        return [int(MiControllerHealth(answer.data[16 * at : 16 * at + 16]).ctlid) for at in range(count)]

    health_of(drive, clear=True)
    drive.reset()
    changed = FUNCTIONS | ENTRIES << 16
    found = poll(changed, spare)
    drive.check(own not in found, CONTROLLER, "no change of the spare", found)
    for _ in range(2):
        found = poll(changed, csts)
        drive.check(own in found, CONTROLLER, f"controller {own}, which was reset", found)
    found = poll(ALL | ENTRIES << 16)
    drive.check(not found, CONTROLLER, "no controller, since no type is included", found)
    found = poll(ALL | FUNCTIONS | ENTRIES << 16 | own + 1)
    drive.check(own not in found, CONTROLLER, f"controllers from {own + 1} on", found)
    found = poll(ALL | FUNCTIONS)
    drive.check(len(found) == 1, CONTROLLER, "one entry, as MAXRENT says", found)
    answer = send(drive, MiOpcode.CONTROLLER_HEALTH_STATUS_POLL, ALL | FUNCTIONS | 0xFF << 16)
    must(drive, CONTROLLER, answer, MiStatus.INVALID_PARAMETER)
    poll(changed, csts | CLEAR)
    found = poll(changed, csts)
    drive.check(own not in found, CONTROLLER, "no change since the last poll cleared it", found)


@requirement("MI-6", IN_BAND)
def test_wrong_messages_are_refused(drive: Drive) -> None:
    """A wrong header fails the command, and an unknown opcode fails in the interface.

    1. Send another message type, another NVMe-MI message type, and a response: Invalid Field.
    2. Send reserved opcodes, and a command by the admin command of the other direction.
    """
    for header in (0x803, 0x884, MESSAGE | 1 << 15):
        command = drive.admin(AdminOpcode.MI_RECEIVE, nvme.Buffer(4096), cdw10=header, cdw11=1)
        drive.expect(command, IN_BAND, Status.INVALID_FIELD)
    for opcode in (0x7F, 0xBF):
        must(drive, IN_BAND, send(drive, opcode), MiStatus.INVALID_OPCODE)
    wrong = send(drive, MiOpcode.CONFIGURATION_GET, 3, by=AdminOpcode.MI_SEND)
    drive.check(wrong.status != MiStatus.SUCCESS, IN_BAND, "a failure, since it returns data", wrong.status)


@requirement("MI-9", EFFECTS)
@needs(log(LogId.MI_EFFECTS))
def test_commands_are_supported_as_reported(drive: Drive) -> None:
    """The interface has each command that log page 13h lists, and no other one.

    1. Read log page 13h. A command that is not listed has no effects.
    2. Send the commands that change nothing, and reserved opcodes. The interface answers Invalid Command
       Opcode to those that are not listed, and only to those.
    """
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(LogId.MI_EFFECTS, buf, 4096), EFFECTS)
    effects = MiEffectsLog(bytes(buf[:])).micss
    for opcode, one in enumerate(effects):
        drive.check(
            bool(one.csupp) or not int(one), EFFECTS, f"no effects of opcode {opcode:02x}h", f"{int(one):#x}"
        )
    reserved = [opcode for opcode in range(0x10, 0xC0) if opcode not in list(MiOpcode)]
    for opcode in (*HARMLESS, *drive.random.sample(reserved, 8)):
        listed = bool(effects[opcode].csupp)
        known = send(drive, opcode).status != MiStatus.INVALID_OPCODE
        text = f"opcode {opcode:02x}h, whose CSUPP is {int(listed)}, {'known' if listed else 'refused'}"
        drive.check(known == listed, EFFECTS, text, "known" if known else "refused")
