# SPDX-License-Identifier: BSD-3-Clause
"""Commands and their refusals: the drive does what it reports, and refuses everything else."""

from __future__ import annotations

from typing import Callable

import nvme
import pytest

from pynvme.spec import (
    AdminOpcode,
    Cap,
    Cns,
    EffectsLog,
    FeatureId,
    IdentifyNamespaceIndependent,
    IoOpcode,
    Register,
    Status,
)
from pynvme.suite import clauses, needs, requirement
from pynvme.suite.claims import FUSED, KNOWN, LOG_OFFSETS, ROOM, io, log, queues, version
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.history import Command, status_text
from pynvme.suite.model import Kind, Model
from pynvme.suite.traffic import PAGE, Slot, read_back
from pynvme.suite.writing import Writer

ONES = {f"cdw{number}": 0xFFFFFFFF for number in range(10, 16)}
NO_NAMESPACE = 0xFFFFFFFE

# Admin commands that all ones do not make harmless: they wait for an event, or name memory.
NOT_SENT = {AdminOpcode.ASYNC_EVENT, AdminOpcode.DOORBELL_BUFFER_CONFIG, AdminOpcode.KEEP_ALIVE}

OACS = {
    "ssrs": (AdminOpcode.SECURITY_SEND, AdminOpcode.SECURITY_RECEIVE),
    "fnvms": (AdminOpcode.FORMAT_NVM,),
    "fwds": (AdminOpcode.FW_COMMIT, AdminOpcode.FW_DOWNLOAD),
    "nms": (AdminOpcode.NS_MANAGEMENT, AdminOpcode.NS_ATTACHMENT),
    "dsts": (AdminOpcode.SELF_TEST,),
    "dirs": (AdminOpcode.DIRECTIVE_SEND, AdminOpcode.DIRECTIVE_RECEIVE),
    "nsrs": (AdminOpcode.MI_SEND, AdminOpcode.MI_RECEIVE),
    "vms": (AdminOpcode.VIRTUALIZATION,),
    "dbcs": (AdminOpcode.DOORBELL_BUFFER_CONFIG,),
    "glss": (AdminOpcode.GET_LBA_STATUS,),
    "cfls": (AdminOpcode.LOCKDOWN,),
}
ONCS = {
    "nvmcmps": (IoOpcode.COMPARE,),
    "nvmwusv": (IoOpcode.WRITE_UNCORRECTABLE,),
    "nvmdsmsv": (IoOpcode.DSM,),
    "nvmwzsv": (IoOpcode.WRITE_ZEROES,),
    "reservs": (
        IoOpcode.RESERVATION_REGISTER,
        IoOpcode.RESERVATION_REPORT,
        IoOpcode.RESERVATION_ACQUIRE,
        IoOpcode.RESERVATION_RELEASE,
    ),
    "nvmvfys": (IoOpcode.VERIFY,),
    "nvmcpys": (IoOpcode.COPY,),
}
LIMITS = {"nvmwusv": "wusl", "nvmdsmsv": "dmrl", "nvmwzsv": "wzsl"}
"""A command whose bit of ONCS is 0 exists if it has this limit (NVM 1.1, 4.1.5.4)."""
MANDATORY_ADMIN = (
    AdminOpcode.DELETE_SQ,
    AdminOpcode.CREATE_SQ,
    AdminOpcode.GET_LOG_PAGE,
    AdminOpcode.DELETE_CQ,
    AdminOpcode.CREATE_CQ,
    AdminOpcode.IDENTIFY,
    AdminOpcode.ABORT,
    AdminOpcode.SET_FEATURES,
    AdminOpcode.GET_FEATURES,
    AdminOpcode.ASYNC_EVENT,
)
MANDATORY_IO = (IoOpcode.FLUSH, IoOpcode.WRITE, IoOpcode.READ)
MEDIA = {
    IoOpcode.READ: "NVM 1.0, 3.2.4 Read",
    IoOpcode.WRITE: "NVM 1.0, 3.2.6 Write",
    IoOpcode.COMPARE: "NVM 1.0, 3.2.1 Compare",
    IoOpcode.WRITE_ZEROES: "NVM 1.0, 3.2.8 Write Zeroes",
    IoOpcode.WRITE_UNCORRECTABLE: "NVM 1.0, 3.2.7 Write Uncorrectable",
    IoOpcode.VERIFY: "NVM 1.0, 3.2.5 Verify",
}

IDENTIFY = "Base 2.0, 5.17 Identify"
LOG = "Base 2.0, 5.16 Get Log Page"
STATUS = "Base 2.0, 3.3.3.2.1 Status Field"
EFFECTS = "Base 2.0, 5.16.1.6 Commands Supported and Effects"
ABORT = "Base 2.0, 5.1 Abort"
FEATURES = "Base 2.0, 5.15 Get Features and 5.27 Set Features"
CREATE_CQ = "Base 2.0, 5.4 Create I/O Completion Queue"
CREATE_SQ = "Base 2.0, 5.5 Create I/O Submission Queue"
DELETE_CQ = "Base 2.0, 5.6 Delete I/O Completion Queue"
DELETE_SQ = "Base 2.0, 5.7 Delete I/O Submission Queue"


@pytest.fixture
def page() -> Slot:
    """Memory for a page of data, with guards around it."""
    return Slot(4096)


Send = Callable[[Drive, Slot], Command]

REFUSALS: tuple[tuple[str, int, Send], ...] = (
    (
        IDENTIFY,
        Status.INVALID_FIELD,
        lambda d, page: d.admin(
            AdminOpcode.IDENTIFY, page.prepare(0, PAGE), d.nsid, cdw10=d.random.randrange(0x22, 0xC0)
        ),
    ),
    (
        FEATURES,
        Status.INVALID_FIELD,
        lambda d, page: d.get_feature(d.random.randrange(0x22, 0x78)),
    ),
    (
        FEATURES,
        Status.INVALID_FIELD,
        lambda d, page: d.set_feature(d.random.randrange(0x22, 0x78), d.random.getrandbits(32)),
    ),
    (
        LOG,
        Status.INVALID_LOG_PAGE,
        lambda d, page: d.log_page(
            d.random.choice((*range(0x24, 0x70), *range(0x82, 0xBF))), page.prepare(0, 512), 512
        ),
    ),
    (
        IDENTIFY,
        Status.INVALID_NAMESPACE,
        lambda d, page: d.admin(
            AdminOpcode.IDENTIFY,
            page.prepare(0, PAGE),
            d.random.randrange(int(d.id_ctrl.nn) + 1, NO_NAMESPACE),
        ),
    ),
    (
        "Base 2.0, 3.2.1.2 NSID and Namespace Usage",
        Status.INVALID_NAMESPACE,
        lambda d, page: d.io(
            IoOpcode.READ,
            page.prepare(0, PAGE),
            nsid=d.random.randrange(int(d.id_ctrl.nn) + 1, NO_NAMESPACE),
        ),
    ),
    (
        DELETE_SQ,
        Status.INVALID_QID,
        lambda d, page: d.admin(
            AdminOpcode.DELETE_SQ, cdw10=d.random.randrange(d.nvme0.max_qpairs + 1, 1 << 16)
        ),
    ),
    (
        DELETE_CQ,
        Status.INVALID_QID,
        lambda d, page: d.admin(
            AdminOpcode.DELETE_CQ, cdw10=d.random.randrange(d.nvme0.max_qpairs + 1, 1 << 16)
        ),
    ),
)
"""Commands that no drive executes, each with the clause and the status."""


def effects(drive: Drive) -> EffectsLog:
    """The Commands Supported and Effects log."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(5, buf, 4096), EFFECTS)
    return EffectsLog(bytes(buf[:]))


OF_ONE = (0x09, 0x0A, 0x20, 0x21, 0x22, 0x23, 0xBF)
"""Log pages of an endurance group or an NVM set, which LSI has to name, or of a zoned namespace (NSID)."""


@requirement("COMMANDS-1", STATUS)
@needs(log(5))
def test_admin_opcodes_are_supported_as_reported(drive: Drive, page: Slot) -> None:
    """An admin command exists if and only if log page 05h lists it.

    1. Send each opcode with all ones in its dwords, which no supported command accepts.
    2. An opcode that is not listed fails with Invalid Command Opcode, and a listed one otherwise.
    """
    listed = effects(drive).acs
    for opcode in range(256):
        supported = bool(listed[opcode].csupp)
        if supported and (opcode in NOT_SENT or opcode >= 0xC0):
            continue
        buf = page.prepare(0, 4096)
        buf.size = 4096
        command = drive.admin(opcode, buf, NO_NAMESPACE, **ONES)
        must_agree(drive, command, supported)


@requirement("COMMANDS-2", STATUS)
@needs(log(5))
def test_io_opcodes_are_supported_as_reported(drive: Drive, page: Slot) -> None:
    """An IO command exists if and only if log page 05h lists it.

    1. Send each opcode with all ones in its dwords.
    2. An opcode that is not listed fails with Invalid Command Opcode, and a listed one otherwise.
    """
    listed = effects(drive).iocs
    for opcode in range(256):
        supported = bool(listed[opcode].csupp)
        if supported and opcode >= 0x80:
            continue
        buf = page.prepare(0, 4096)
        buf.size = 4096
        must_agree(drive, drive.run(opcode, buf, None, None, **ONES), supported)


def must_agree(drive: Drive, command: Command, supported: bool) -> None:
    """Compare a command's status with whether its opcode is listed."""
    wanted = (
        "another status, since log page 05h lists it" if supported else "00/01, since log page 05h lacks it"
    )
    drive.check(
        (command.status != Status.INVALID_OPCODE) == supported,
        EFFECTS,
        f"opcode {command.opcode:02x}h: {wanted}",
        status_text(command.status),
    )


def is_announced(drive: Drive, bit: str) -> bool:
    """Whether a bit of ONCS, or a limit in its place, announces its commands."""
    return bool(drive.id_ctrl.oncs[bit] or (bit in LIMITS and drive.limits and drive.limits[LIMITS[bit]]))


@requirement("COMMANDS-3", EFFECTS)
@needs(log(5))
def test_identify_agrees_with_the_supported_commands(drive: Drive) -> None:
    """The bits of OACS and ONCS agree with log page 05h, mandatory commands exist, and writes change LBAs.

    1. Read Identify and log page 05h.
    2. Compare each bit of OACS and ONCS with the entries of its commands.
    """
    found = effects(drive)
    for name, opcodes in OACS.items():
        for opcode in opcodes:
            bit, listed = bool(drive.id_ctrl.oacs[name]), bool(found.acs[opcode].csupp)
            drive.check(bit == listed, EFFECTS, f"{opcode.name} as OACS says ({bit})", listed)
    for name, io_opcodes in ONCS.items():
        for io_opcode in io_opcodes:
            bit, listed = is_announced(drive, name), bool(found.iocs[io_opcode].csupp)
            drive.check(bit == listed, EFFECTS, f"{io_opcode.name} as ONCS says ({bit})", listed)
    sanitizes, alive = bool(int(drive.id_ctrl.sanicap) & 7), bool(drive.id_ctrl.kas)
    for bit, opcode in ((sanitizes, AdminOpcode.SANITIZE), (alive, AdminOpcode.KEEP_ALIVE)):
        listed = bool(found.acs[opcode].csupp)
        drive.check(bit == listed, EFFECTS, f"{opcode.name} as SANICAP and KAS say ({bit})", listed)
    for opcode in MANDATORY_ADMIN:
        drive.check(
            bool(found.acs[opcode].csupp), EFFECTS, f"{opcode.name}, which is mandatory", "not supported"
        )
    for io_opcode in MANDATORY_IO:
        drive.check(
            bool(found.iocs[io_opcode].csupp), EFFECTS, f"{io_opcode.name} is supported", "not supported"
        )
    drive.check(bool(found.iocs[IoOpcode.WRITE].lbcc), EFFECTS, "WRITE changes LBAs (LBCC 1)", "LBCC 0")


MANDATORY_CNS = {
    int(Cns.NS): 0x00010000,
    int(Cns.CTRL): 0x00010000,
    int(Cns.ACTIVE_NS_LIST): 0x00010100,
    int(Cns.NS_DESCRIPTORS): 0x00010300,
}
"""Structures that each controller has, with the version that made them mandatory."""


@requirement("COMMANDS-4", IDENTIFY)
@needs(KNOWN)
def test_identify_structures(drive: Drive, page: Slot) -> None:
    """The mandatory structures are there, a reserved CNS is refused, and no byte lies outside of the page.

    1. Identify with each CNS into a page at an odd offset, and check the bytes around it.
    2. A reserved CNS fails with Invalid Field.
    """
    for cns in range(256):
        buf = page.prepare(4 * drive.random.randrange(1024), 4096)
        command = drive.admin(AdminOpcode.IDENTIFY, buf, drive.nsid, cdw10=cns)
        drive.check(page.intact(), IDENTIFY, "4096 bytes of data", f"CNS {cns:02x}h has changed other bytes")
        if drive.nvme0[Register.VS] >= MANDATORY_CNS.get(cns, 1 << 32):
            drive.succeed(command, IDENTIFY)
            drive.check(set(page.data()) != {0xC3}, IDENTIFY, f"data of CNS {cns:02x}h", "no data")
        elif 0x22 <= cns < 0xC0:
            drive.expect(command, IDENTIFY, Status.INVALID_FIELD)


@requirement("COMMANDS-5", IDENTIFY)
def test_identify_of_namespaces_that_do_not_exist(drive: Drive, page: Slot) -> None:
    """An invalid NSID is refused, and an inactive one has no data.

    1. Identify NSIDs 0, NN + 1 and FFFFFFFEh.
    2. Identify all NSIDs that the list of active namespaces names.
    """
    structures = [Cns.NS]
    if drive.nvme0[Register.VS] >= MANDATORY_CNS[Cns.NS_DESCRIPTORS]:
        structures.append(Cns.NS_DESCRIPTORS)
    for cns in structures:
        for nsid in (0, int(drive.id_ctrl.nn) + 1, NO_NAMESPACE):
            command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, 4096), nsid, cdw10=cns)
            drive.expect(command, IDENTIFY, Status.INVALID_NAMESPACE)
        for nsid in drive.nsids:
            command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, 4096), nsid, cdw10=cns)
            drive.succeed(command, IDENTIFY)
            drive.check(any(page.data()), IDENTIFY, f"data of active namespace {nsid}", "zeros")


@requirement("COMMANDS-6", "Base 2.0, 5.17.2.3 Namespace Identification Descriptor list")
@needs(version(MANDATORY_CNS[Cns.NS_DESCRIPTORS]))
def test_identifiers_agree(drive: Drive, page: Slot) -> None:
    """The identifiers of a namespace are the same in both structures, and differ between namespaces.

    1. Read NGUID and EUI64 from Identify Namespace and from the descriptors.
    2. Compare them.
    """
    clause = "Base 2.0, 5.17.2.3 Namespace Identification Descriptor list"
    seen: dict[bytes, int] = {}
    for each in drive.by_namespace():
        each.succeed(each.admin(AdminOpcode.IDENTIFY, page.prepare(0, 4096), each.nsid, cdw10=3), clause)
        descriptors, at, identified = page.data(), 0, False
        space = each.ns.id_ns
        wanted = {1: bytes(space.eui64), 2: bytes(space.nguid)}
        while at < 4092 and descriptors[at]:
            kind, length = descriptors[at], descriptors[at + 1]
            value = descriptors[at + 4 : at + 4 + length]
            if kind in wanted:
                drive.check(
                    value == wanted[kind], clause, f"identifier {kind}: {wanted[kind].hex()}", value.hex()
                )
            identified |= kind in (1, 2, 3) and any(value)
            at += 4 + length
        drive.check(identified, clause, "an EUI64, an NGUID or a UUID", "none")
        for value in filter(any, wanted.values()):
            drive.check(
                value not in seen, clause, f"an identifier of namespace {each.nsid} alone", value.hex()
            )
            seen[value] = each.nsid


@requirement("COMMANDS-7", LOG)
@needs(log(0))
def test_log_pages_are_supported_as_reported(drive: Drive, page: Slot) -> None:
    """A log page can be read if and only if log page 00h lists it.

    1. Get each log page, 512 bytes.
    2. One that is not listed fails with Invalid Log Page.
    """
    buf = nvme.Buffer(1024)
    drive.succeed(drive.log_page(0, buf, 1024), LOG)
    groups = dict.fromkeys((9, *range(0x20, 0x24)), int(drive.ns.id_ns.endgid))
    for lid in range(256):
        if buf[4 * lid] & 1 and lid in OF_ONE:
            command = drive.log_page(lid, page.prepare(0, 512), 512)
            drive.check(
                command.status != Status.INVALID_LOG_PAGE, LOG, f"log page {lid:02x}h", "Invalid Log Page"
            )
        elif buf[4 * lid] & 1:
            if lid not in (7, 8, 0x0D):  # telemetry is long, and the persistent event log needs a context
                lsi = groups.get(lid, 0)
                drive.succeed(drive.log_page(lid, page.prepare(0, 512), 512, lsi=lsi), LOG)
                drive.check(page.intact(), LOG, "512 bytes", f"log page {lid:02x}h has changed other bytes")
        else:
            command = drive.log_page(lid, page.prepare(0, 512), 512)
            drive.expect(command, LOG, Status.INVALID_LOG_PAGE)


@requirement("COMMANDS-8", LOG)
@pytest.mark.parametrize("lid, size", [(1, 64), (2, 512), (3, 512), (5, 4096)])
def test_lengths_of_log_pages(drive: Drive, page: Slot, lid: int, size: int) -> None:
    """The drive transfers NUMD + 1 dwords of a log page, and nothing of its memory behind the page's end.

    1. Read 4 bytes, some, all, and beyond the end.
    2. The beginning is always the same, no other bytes change, and behind the end there is no data.
    """
    if not drive.has_log(lid):
        pytest.skip(f"needs log page {lid:02x}h")
    drive.succeed(drive.log_page(lid, page.prepare(0, size), size), LOG)
    whole = page.data()
    for length in (4, 8, size // 2, size, 4096):
        command = drive.log_page(lid, page.prepare(4 * drive.random.randrange(1024), length), length)
        drive.succeed(command, LOG)
        drive.check(page.intact(), LOG, f"{length} bytes", "other bytes have changed")
        if lid in (3, 5):
            data = page.data()
            drive.check(data[:size] == whole[:length], LOG, "the same data as before", "other data")
    if size < 4096 and lid != 1:
        rest = set(page.data()[size:])
        drive.check(rest <= {0, 0xC3, 0xFF}, LOG, f"nothing behind byte {size}", "bytes of another origin")


@requirement("COMMANDS-9", "Base 2.0, 5.16 Get Log Page, Log Page Offset")
@needs(LOG_OFFSETS, log(5))
def test_offsets_of_log_pages(drive: Drive, page: Slot) -> None:
    """A log page in pieces is the log page, and an offset behind its end is refused.

    1. Read log page 05h as a whole, and in pieces of several sizes.
    2. Read log page 02h from an offset behind its end.
    """
    clause = "Base 2.0, 5.16 Get Log Page, Log Page Offset"
    drive.succeed(drive.log_page(5, page.prepare(0, 4096), 4096), clause)
    whole = page.data()
    for size, offset in ((4, 4), (512, 1024), (1024, 3072), (2048, 508), (100, 1028)):
        drive.succeed(drive.log_page(5, page.prepare(0, size), size, offset), clause)
        drive.check(
            page.data() == whole[offset : offset + size], clause, f"the {size} bytes at {offset}", "others"
        )
    for offset in (516, 4096, 1 << 32, 1 << 63):
        command = drive.log_page(2, page.prepare(0, 512), 512, offset)
        drive.expect(command, clause, Status.INVALID_FIELD)


@requirement("COMMANDS-10", FEATURES)
@needs(KNOWN)
def test_reserved_features_are_refused(drive: Drive) -> None:
    """Get Features and Set Features refuse a reserved FID with Invalid Field.

    1. Get and set FIDs 00h and 20h to 77h, in the ranges that the specification reserves, with random values.
    """
    for fid in (0x00, *range(0x22, 0x78)):
        sel = drive.random.randrange(4) if drive.id_ctrl.oncs.ssfs else 0
        drive.expect(drive.get_feature(fid, sel), FEATURES, Status.INVALID_FIELD)
        value, save = drive.random.getrandbits(32), sel == 3
        drive.expect(drive.set_feature(fid, value, save), FEATURES, Status.INVALID_FIELD)


@requirement("COMMANDS-11", "Base 2.0, 3.2.1.2 NSID and Namespace Usage")
@pytest.mark.parametrize("opcode", [IoOpcode.FLUSH, *MEDIA, IoOpcode.DSM], ids=lambda opcode: opcode.name)
def test_invalid_namespaces_are_refused(drive: Drive, page: Slot, opcode: IoOpcode) -> None:
    """An IO command with an NSID that does not exist fails with Invalid Namespace or Format.

    1. Send the command to NSIDs 0, NN + 1, FFFFFFFEh, and FFFFFFFFh unless it is a flush.
    """
    if not drive.can(opcode):
        pytest.skip(f"needs {opcode.name}")
    nsids = [0, int(drive.id_ctrl.nn) + 1, NO_NAMESPACE]
    if opcode not in (IoOpcode.FLUSH, IoOpcode.DSM):
        nsids.append(ALL_NAMESPACES)
    for nsid in nsids:
        command = drive.io(opcode, page.prepare(0, 4096), nsid=nsid)
        drive.expect(command, "Base 2.0, 3.2.1.2 NSID and Namespace Usage", Status.INVALID_NAMESPACE)


@requirement("COMMANDS-12", "NVM 1.0, 3.2 NVM Command Set Commands, LBA Out of Range")
@needs(ROOM)
@pytest.mark.parametrize("opcode", list(MEDIA), ids=lambda opcode: opcode.name)
def test_lbas_out_of_range_are_refused(drive: Drive, model: Model, opcode: IoOpcode) -> None:
    """A command that reaches past the last LBA fails with LBA Out of Range, and changes nothing.

    1. Write the first and the last LBAs.
    2. Send the command to ranges behind the end, across it, and around the end of 32 and of 64 bits.
    3. Read the first and the last LBAs.
    """
    if not drive.can(opcode):
        pytest.skip(f"needs {opcode.name}")
    end, slot, most = drive.nsze, Slot(16 * drive.lba_size), min(16, drive.most_lbas)
    writer, two = Writer(drive, model), min(2, most)
    for slba in (0, end - 16):
        writer.write(slba, 16)
    for slba, nlb in (
        (end, 1),
        (end - two + 1, two),
        (end - most // 2, most),
        (end + (1 << 32), 1),
        (1 << 32 | 1 << 63, 1),
        ((1 << 64) - 1, 1),
        ((1 << 64) - 1, two),
        ((1 << 64) - most // 2 - 1, most),
    ):
        command = drive.io(opcode, slot.prepare(0, nlb * drive.lba_size), slba, nlb)
        drive.expect(command, MEDIA[opcode], Status.LBA_OUT_OF_RANGE)
    read_back(drive, model, [*range(16), *range(end - 16, end)])


@requirement("COMMANDS-13", "NVM 1.0, 3.2.3 Dataset Management, LBA Out of Range")
@needs(ROOM, io(IoOpcode.DSM))
def test_deallocation_out_of_range_is_refused(drive: Drive, model: Model) -> None:
    """A Dataset Management whose range passes the last LBA fails, and does not wrap.

    1. Write the first and the last LBAs.
    2. Deallocate ranges behind the end, across it, and that wrap, alone and after a valid one.
    3. Read.
    """
    end = drive.nsze
    writer = Writer(drive, model)
    for slba in (0, 1 << 10, end - 16):
        writer.write(slba, 16)
    for bad in ((end, 1), (end - 1, 2), (end - 4, 0xFFFFFFFF), ((1 << 64) - 8, 16), (end + (1 << 32), 8)):
        for ranges in ([bad], [(1 << 10, 8), bad]):
            change = model.begin(Kind.DEALLOCATED, ranges[0]) if len(ranges) > 1 else None
            command = drive.deallocate(ranges)
            if change is not None:
                change.command = command
            drive.expect(
                command, "NVM 1.0, 3.2.3 Dataset Management, LBA Out of Range", Status.LBA_OUT_OF_RANGE
            )
    # The LBAs across the end are not at stake: a drive may have begun with the part that exists.
    read_back(drive, model, [*range(16), *range(1 << 10, (1 << 10) + 16), end - 16, end - 5])


@requirement("COMMANDS-14", "Base 2.0, 3.3.3.1 Submission Queue Entry, FUSE and PSDT")
def test_reserved_bits_of_dword_0_are_refused(drive: Drive, page: Slot) -> None:
    """FUSE 11b and PSDT 11b are reserved, and fail with Invalid Field.

    1. Send Identify and Read with each of them.
    """
    clause = "Base 2.0, 3.3.3.1 Submission Queue Entry, FUSE and PSDT"
    for bits in (3 << 8, 3 << 14):
        command = drive.admin(AdminOpcode.IDENTIFY | bits, page.prepare(0, 4096), cdw10=1)
        drive.expect(command, clause, Status.INVALID_FIELD)
        command = drive.io(IoOpcode.READ | bits, page.prepare(0, 4096))
        drive.expect(command, clause, Status.INVALID_FIELD)


@requirement("COMMANDS-15", ABORT)
def test_abort_of_commands_that_are_not_there(drive: Drive) -> None:
    """An Abort of nothing succeeds and says so, and kills no command of another queue.

    1. Send an Asynchronous Event Request, which stays in flight.
    2. Abort its CID in another submission queue, a CID that is not in use, and a queue that does not exist.
    3. The request is still in flight.
    """
    request = drive.send_admin(AdminOpcode.ASYNC_EVENT)
    for cid, sqid in ((request.cid, drive.qpair.sqid), (0xFFFF, 0), (request.cid, 0x7FFF)):
        command = drive.admin(AdminOpcode.ABORT, cdw10=cid << 16 | sqid)
        if sqid == 0x7FFF:
            drive.expect(command, ABORT, Status.SUCCESS, Status.INVALID_FIELD, Status.INVALID_QID)
            continue
        drive.succeed(command, ABORT)
        drive.check(bool(command.cdw0 & 1), ABORT, "dword 0 bit 0 is 1, not aborted", f"{command.cdw0:#x}")
    drive.check(not request.done, ABORT, "the Asynchronous Event Request in flight", request)
    drive.reset()


@requirement("COMMANDS-16", ABORT)
def test_abort_tells_what_it_did(drive: Drive) -> None:
    """If an Abort says that it has aborted a command, that command completes with Command Abort Requested.

    1. Send an Asynchronous Event Request and abort it.
    2. Compare the completions of both.
    """
    request = drive.send_admin(AdminOpcode.ASYNC_EVENT)
    command = drive.admin(AdminOpcode.ABORT, cdw10=request.cid << 16)
    drive.succeed(command, ABORT)
    if command.cdw0 & 1:
        drive.check(not request.done, ABORT, "the request in flight, since dword 0 bit 0 is 1", request)
    else:
        drive.poll(lambda: request.done)
        drive.expect(request, ABORT, Status.ABORT_REQUESTED)
    drive.reset()


@requirement("COMMANDS-17", ABORT)
def test_many_aborts_at_once(drive: Drive) -> None:
    """More Aborts than ACL + 1 all complete, some perhaps with Abort Command Limit Exceeded.

    1. Send ACL + 33 Aborts of a CID that is not in use, and wait for all.
    """
    count = min(120, int(drive.id_ctrl.acl) + 33)
    commands = [drive.send_admin(AdminOpcode.ABORT, cdw10=0xFFFF0000 | 1) for _ in range(count)]
    drive.reap(drive.nvme0, count)
    for command in commands:
        drive.must_end(command)
        drive.expect(command, ABORT, Status.SUCCESS, Status.ABORT_LIMIT_EXCEEDED)


@requirement("COMMANDS-18", "Base 2.0, 5.2 Asynchronous Event Request, AERL")
def test_one_event_request_too_many(drive: Drive) -> None:
    """The drive holds AERL + 1 Asynchronous Event Requests, and refuses one more.

    1. Send AERL + 2 requests, of which the driver has sent one already.
    2. One completes with Asynchronous Event Request Limit Exceeded, and the others stay.
    """
    clause = "Base 2.0, 5.2 Asynchronous Event Request, AERL"
    allowed = int(drive.id_ctrl.aerl)
    if allowed > 100:
        pytest.skip("needs AERL below the entries of the admin queue")
    requests = [drive.send_admin(AdminOpcode.ASYNC_EVENT) for _ in range(allowed + 1)]
    drive.poll(lambda: any(request.done for request in requests))
    ended = [request for request in requests if request.done]
    drive.check(
        len(ended) == 1, clause, f"one of {allowed + 2} requests fails", f"{len(ended)} have completed"
    )
    drive.expect(ended[0], clause, Status.AER_LIMIT_EXCEEDED)
    drive.reset()


def vectors_of(drive: Drive) -> int:
    """How many vectors MSI-X has, or more than any drive has if there is no MSI-X."""
    at = drive.pcie.cap_offset(0x11)
    return 2048 if at is None else (drive.pcie.register(at + 2, 2) & 0x7FF) + 1


@requirement("COMMANDS-19", CREATE_CQ)
@needs(queues(2))
def test_wrong_completion_queues_are_refused(drive: Drive) -> None:
    """Create I/O Completion Queue refuses each wrong identifier, size, vector and address.

    1. Create completion queues with one wrong field each.
    2. Create a right one, and delete it.
    """
    most, granted = drive.nvme0.cap & 0xFFFF, drive.nvme0.max_qpairs
    free, used = granted, drive.qpair.sqid
    memory = nvme.Buffer(4096)

    def create(qid: int, entries: int = 16, flags: int = 1) -> Command:
        return drive.admin(AdminOpcode.CREATE_CQ, memory, cdw10=entries - 1 << 16 | qid, cdw11=flags)

    for qid in (0, used, granted + 1, 0xFFFF):
        drive.expect(create(qid), CREATE_CQ, Status.INVALID_QID)
    drive.expect(create(free, 1), CREATE_CQ, Status.INVALID_QUEUE_SIZE)
    if most < 0xFFFF:
        drive.expect(create(free, most + 2), CREATE_CQ, Status.INVALID_QUEUE_SIZE)
    for vector in {vectors_of(drive), 2047} - {2048}:
        drive.expect(create(free, flags=vector << 16 | 3), CREATE_CQ, Status.INVALID_INTERRUPT_VECTOR)
    if drive.nvme0.cap >> 16 & 1:
        drive.expect(create(free, flags=0), CREATE_CQ, Status.INVALID_FIELD)
    drive.succeed(create(free), CREATE_CQ)
    drive.succeed(drive.admin(AdminOpcode.DELETE_CQ, cdw10=free), DELETE_CQ)


@requirement("COMMANDS-20", CREATE_SQ)
@needs(queues(2))
def test_wrong_submission_queues_are_refused(drive: Drive) -> None:
    """Create I/O Submission Queue refuses each wrong identifier, size, completion queue and address.

    1. Create a completion queue, and submission queues of it with one wrong field each.
    2. Delete the completion queue before its submission queue, and in the right order.
    """
    most, granted = drive.nvme0.cap & 0xFFFF, drive.nvme0.max_qpairs
    free, used = granted, drive.qpair.sqid
    cq_memory, memory = nvme.Buffer(4096), nvme.Buffer(4096)

    def create(qid: int, entries: int = 16, flags: int = 1, cqid: int = free) -> Command:
        dwords = {"cdw10": entries - 1 << 16 | qid, "cdw11": cqid << 16 | flags}
        return drive.admin(AdminOpcode.CREATE_SQ, memory, **dwords)

    command = drive.admin(AdminOpcode.CREATE_CQ, cq_memory, cdw10=15 << 16 | free, cdw11=1)
    drive.succeed(command, CREATE_CQ)
    for qid in (0, used, granted + 1, 0xFFFF):
        drive.expect(create(qid), CREATE_SQ, Status.INVALID_QID)
    drive.expect(create(free, 1), CREATE_SQ, Status.INVALID_QUEUE_SIZE)
    if most < 0xFFFF:
        drive.expect(create(free, most + 2), CREATE_SQ, Status.INVALID_QUEUE_SIZE)
    wrong = (Status.CQ_INVALID, Status.INVALID_QID)
    for cqid in (0, free - 1 if free - 1 != used else free - 2, granted + 1):
        drive.expect(create(free, cqid=cqid), CREATE_SQ, *wrong)
    if drive.nvme0.cap >> 16 & 1:
        drive.expect(create(free, flags=0), CREATE_SQ, Status.INVALID_FIELD)
    drive.succeed(create(free), CREATE_SQ)
    command = drive.admin(AdminOpcode.DELETE_CQ, cdw10=free)
    drive.expect(command, DELETE_CQ, Status.INVALID_QUEUE_DELETION)
    drive.succeed(drive.admin(AdminOpcode.DELETE_SQ, cdw10=free), DELETE_SQ)
    drive.succeed(drive.admin(AdminOpcode.DELETE_CQ, cdw10=free), DELETE_CQ)


@requirement("COMMANDS-21", DELETE_SQ)
def test_queues_that_do_not_exist_are_not_deleted(drive: Drive) -> None:
    """Deleting the admin queues, or queues that do not exist, fails with Invalid Queue Identifier.

    1. Delete QID 0, a free one, and one beyond those that were granted.
    """
    for qid in (0, drive.nvme0.max_qpairs, drive.nvme0.max_qpairs + 1, 0xFFFF):
        drive.expect(drive.admin(AdminOpcode.DELETE_SQ, cdw10=qid), DELETE_SQ, Status.INVALID_QID)
        drive.expect(drive.admin(AdminOpcode.DELETE_CQ, cdw10=qid), DELETE_CQ, Status.INVALID_QID)


@requirement("COMMANDS-22", "Base 2.0, 3.4.2 Fused Operation")
@needs(ROOM, FUSED)
def test_fused_compare_and_write(drive: Drive, model: Model) -> None:
    """The write of a fused pair is done if and only if the compare succeeds.

    1. Send pairs whose compare fits, and pairs whose compare does not.
    2. Read the LBAs after each pair.
    """
    clause = "Base 2.0, 3.4.2 Fused Operation"
    writer, size = Writer(drive, model), drive.lba_size
    most = min(drive.most_lbas, int(drive.id_ctrl.acwu) + 1, 8)
    base = writer.region(32)
    old, new = Slot(most * size), Slot(most * size)
    for nlb in {1, most}:
        for equal in (True, False, True):
            data = model.certain(base, nlb)
            assert data is not None
            wrong = bytes([data[0] ^ 1]) + data[1:]
            compare_buf = old.prepare(0, nlb * size, data if equal else wrong)
            change = model.begin(Kind.DATA, (base, nlb))
            write_buf = new.prepare(0, nlb * size, model.content.range(base, nlb, change.generation))
            dwords = {"cdw10": base & 0xFFFFFFFF, "cdw11": base >> 32, "cdw12": nlb - 1}
            pair = drive.qpair
            compare = drive.send(pair, IoOpcode.COMPARE | 1 << 8, compare_buf, None, None, **dwords)
            change.command = write = drive.send(
                pair, IoOpcode.WRITE | 2 << 8, write_buf, None, None, **dwords
            )
            drive.reap(pair, 2)
            if equal:
                model.end(change, True)
                drive.succeed(compare, clause)
                drive.succeed(write, clause)
            else:
                model.forget(range(base, base + nlb))
                drive.expect(compare, clause, Status.COMPARE_FAILURE)
                drive.expect(write, clause, Status.ABORTED_FAILED_FUSED)
                slot = Slot(nlb * size)
                drive.succeed(drive.io(IoOpcode.READ, slot.prepare(0, nlb * size), base, nlb), clause)
                drive.check(
                    slot.data() == data, clause, "the old data, since the compare failed", "other data"
                )
            read_back(drive, model, range(base, base + 32))


@requirement("COMMANDS-23", "Base 2.0, 3.4.2 Fused Operation")
@needs(FUSED)
def test_halves_of_fused_pairs_are_refused(drive: Drive, page: Slot) -> None:
    """A half of a fused pair without the other one is aborted, and a command after it is not.

    1. Send a second half alone, and a first half that another command follows.
    """
    clause = "Base 2.0, 3.4.2 Fused Operation"
    command = drive.io(IoOpcode.WRITE | 2 << 8, page.prepare(0, 4096))
    drive.expect(command, clause, Status.ABORTED_MISSING_FUSED, Status.INVALID_FIELD)
    pair = drive.qpair
    first = drive.send(pair, IoOpcode.COMPARE | 1 << 8, page.buf)
    other = drive.send(pair, IoOpcode.READ, page.buf)
    drive.reap(pair, 2)
    drive.expect(first, clause, Status.ABORTED_MISSING_FUSED, Status.INVALID_FIELD)
    drive.succeed(other, clause)


@requirement("COMMANDS-24", "Base 2.0, 5.27.1.5 Number of Queues")
def test_the_number_of_queues_cannot_change_any_more(drive: Drive) -> None:
    """Number of Queues refuses FFFFh, and a change after queues were created.

    1. Create a queue pair, and set the feature.
    """
    clause = "Base 2.0, 5.27.1.5 Number of Queues"
    command = drive.set_feature(FeatureId.QUEUES, 0xFFFFFFFF)
    drive.expect(command, clause, Status.INVALID_FIELD, Status.COMMAND_SEQUENCE_ERROR)
    assert drive.qpair.sqid
    drive.expect(drive.set_feature(FeatureId.QUEUES, 0), clause, Status.COMMAND_SEQUENCE_ERROR)


def with_nothing_else(drive: Drive, command: Command, clause: str) -> None:
    """Raise a finding unless dword 0 of a completion is 0, which the command does not use."""
    drive.check(
        not command.cdw0, clause, f"{command.name}: dword 0 is 0, since it is not used", f"{command.cdw0:#x}"
    )


@requirement("COMMANDS-25", "NVM 1.0, 3.2 NVM Command Set Commands, LBA Out of Range")
@needs(ROOM)
@pytest.mark.parametrize("opcode", list(MEDIA), ids=lambda opcode: opcode.name)
def test_each_bit_of_the_lba_counts(drive: Drive, page: Slot, opcode: IoOpcode) -> None:
    """Each bit of SLBA that is beyond the end of the namespace makes the command fail.

    1. Send the command with one such bit, and with random ones, set in an LBA that exists.
    2. Each fails with LBA Out of Range. So does one LBA more than reaches to the end, for random numbers.
    """
    if not drive.can(opcode):
        pytest.skip(f"needs {opcode.name}")
    end, most = drive.nsze, max(1, PAGE // drive.lba_size)
    bits = [1 << bit for bit in range(64) if 1 << bit >= end]
    lbas = [bit | drive.random.randrange(end) & bit - 1 for bit in bits]
    lbas += [drive.random.randrange(end, 1 << 64) for _ in range(8)]
    for slba in lbas:
        command = drive.io(opcode, page.prepare(0, PAGE), slba, drive.random.randint(1, most))
        drive.expect(command, MEDIA[opcode], Status.LBA_OUT_OF_RANGE)
    if opcode in (IoOpcode.WRITE_ZEROES, IoOpcode.WRITE_UNCORRECTABLE, IoOpcode.VERIFY):
        most = min(drive.most_lbas, 1 << 16)
    for nlb in drive.random.sample(range(1, most + 1), min(most, 8)):
        slot = Slot(nlb * drive.lba_size)
        command = drive.io(opcode, slot.prepare(0, nlb * drive.lba_size), end - nlb + 1, nlb)
        drive.expect(command, MEDIA[opcode], Status.LBA_OUT_OF_RANGE)


@requirement("COMMANDS-26", "NVM 1.0, 3.2.4 Read and 3.2.6 Write")
@needs(ROOM)
def test_hints_change_no_data(drive: Drive, model: Model) -> None:
    """Limited Retry and the hints of Dataset Management in dword 13 change neither data nor status.

    1. Write, read, and compare with each access frequency and latency, and all other hints.
    """
    clause = "NVM 1.0, 3.2.4 Read and 3.2.6 Write"
    writer, size = Writer(drive, model), drive.lba_size
    base, slot = writer.region(64), Slot(8 * drive.lba_size)
    hints = [frequency | latency << 4 for frequency in range(7) for latency in range(4)]
    for hint in drive.random.sample(hints, 12):
        hint |= drive.random.getrandbits(2) << 6
        flags = drive.random.getrandbits(1) << 15
        slba, nlb = base + drive.random.randrange(56), drive.random.randint(1, 8)
        nlb = min(nlb, drive.most_lbas)
        change = model.begin(Kind.DATA, (slba, nlb))
        data = model.content.range(slba, nlb, change.generation)
        change.command = drive.io(
            IoOpcode.WRITE, slot.prepare(0, len(data), data), slba, nlb, flags=flags, cdw13=hint
        )
        model.end(change, change.command.ok)
        drive.succeed(change.command, clause)
        buf = slot.prepare(0, nlb * size)
        command = drive.io(IoOpcode.READ, buf, slba, nlb, flags=flags, cdw13=hint)
        drive.succeed(command, clause)
        drive.check(slot.data() == data, clause, f"the data, with hints {hint:#x}", "other data")
    read_back(drive, model, range(base, base + 64))


@requirement("COMMANDS-27", "Base 2.0, 3.3.3.1 Submission Queue Entry, FUSE and PSDT")
def test_flags_of_any_command_are_refused(drive: Drive, page: Slot) -> None:
    """Each command refuses a reserved FUSE or PSDT, and SGLs if the controller does not support them.

    1. Send random admin and IO commands, each with one such value. They fail with Invalid Field.
    """
    clause = "Base 2.0, 3.3.3.1 Submission Queue Entry, FUSE and PSDT"
    fuse, psdt = 8, 14
    wrong = [3 << psdt, 3 << fuse]
    supported = [one for one in (IoOpcode.FLUSH, *MEDIA, IoOpcode.DSM) if drive.can(one)]
    if not drive.id_ctrl.sgls.sgls:
        wrong += [1 << psdt, 2 << psdt]
    admin = ((AdminOpcode.IDENTIFY, 1), (AdminOpcode.GET_LOG_PAGE, 127 << 16 | 2))
    with_data = [one for one in supported if one & 3]
    for bits in wrong:
        for opcode, cdw10 in admin:
            command = drive.admin(opcode | bits, page.prepare(0, PAGE), cdw10=cdw10)
            drive.expect(command, clause, Status.INVALID_FIELD)
        for io_opcode in supported if bits >> psdt == 0 else with_data:
            command = drive.io(io_opcode | bits, page.prepare(0, PAGE))
            drive.expect(command, clause, Status.INVALID_FIELD)
    for io_opcode in supported:
        if io_opcode != IoOpcode.WRITE:
            command = drive.io(io_opcode | 2 << fuse, page.prepare(0, PAGE))
            drive.refused(command, "Base 2.0, 3.4.2 Fused Operation")


@requirement("COMMANDS-28", ABORT)
@needs(ROOM, queues(2))
def test_aborts_of_another_queue_touch_nothing(drive: Drive, model: Model) -> None:
    """An Abort names a command by its CID and its submission queue, and touches no other.

    1. Send writes in one queue, and Aborts of their CIDs in another queue, which is empty.
    2. All writes succeed, and each Abort says that it has aborted nothing. Read the LBAs.
    """
    other = drive.new_qpair(16)
    base, count, nlb = drive.random.randrange(drive.nsze - 4096), 24, min(8, drive.most_lbas)
    slots = [Slot(nlb * drive.lba_size) for _ in range(count)]
    for _ in range(6):
        writes, aborts = [], []
        for index, slot in enumerate(slots):
            slba = base + nlb * index
            change = model.begin(Kind.DATA, (slba, nlb))
            data = model.content.range(slba, nlb, change.generation)
            dwords = {"cdw10": slba & 0xFFFFFFFF, "cdw11": slba >> 32, "cdw12": nlb - 1}
            buf = slot.prepare(0, len(data), data)
            change.command = drive.send(drive.qpair, IoOpcode.WRITE, buf, None, None, **dwords)
            writes.append(change)
        for change in writes:
            assert change.command is not None
            where = change.command.cid << 16 | other.sqid
            aborts.append(drive.send_admin(AdminOpcode.ABORT, cdw10=where))
        drive.reap(drive.nvme0, count)
        drive.reap(drive.qpair, count)
        for change, abort in zip(writes, aborts):
            assert change.command is not None
            drive.must_end(change.command)
            model.end(change, change.command.ok)
            drive.succeed(change.command, ABORT)
            drive.expect(abort, ABORT, Status.SUCCESS, Status.ABORT_LIMIT_EXCEEDED)
            drive.check(
                not abort.ok or bool(abort.cdw0 & 1),
                ABORT,
                f"dword 0 bit 0 is 1, since queue {other.sqid} is empty",
                f"{abort.cdw0:#x}",
            )
        read_back(drive, model, range(base, base + nlb * count))


@requirement("COMMANDS-29", "Base 2.0, 3.3.3.2 Common Completion Queue Entry")
def test_dword_0_of_commands_that_do_not_use_it(drive: Drive, page: Slot) -> None:
    """A command that defines no dword 0 of its completion returns 0 in it.

    1. Send Identify, Get Log Page, Create and Delete commands, Set Features, and IO commands.
    """
    clause = "Base 2.0, 3.3.3.2 Common Completion Queue Entry"
    memory, free = nvme.Buffer(PAGE), drive.nvme0.max_qpairs
    assert drive.qpair.sqid != free or free == 1
    for _ in range(4):
        commands = [
            drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, PAGE), cdw10=Cns.CTRL),
            drive.log_page(2, page.prepare(0, 512), 512, rae=True),
            drive.io(IoOpcode.READ, page.prepare(0, max(PAGE, drive.lba_size))),
            drive.flush(),
        ]
        if free > 1:
            commands += [
                drive.admin(AdminOpcode.CREATE_CQ, memory, cdw10=15 << 16 | free, cdw11=1),
                drive.admin(AdminOpcode.DELETE_CQ, cdw10=free),
            ]
        for command in commands:
            drive.succeed(command, clause)
            with_nothing_else(drive, command, clause)


RESERVED_ADMIN = (0x03, 0x07, 0x0B, 0x0E, 0x0F, 0x12, 0x13, 0x16, 0x17)


@requirement("COMMANDS-30", "Base 2.0, 5.17.2.1 Identify Controller, OACS and ONCS")
def test_commands_that_are_not_announced_are_refused(drive: Drive, page: Slot) -> None:
    """A command whose bit in OACS, ONCS, SANICAP or KAS is 0 fails with Invalid Command Opcode.

    1. Send each of them, with dwords that are right if the command existed, and with other ones.
    2. Send opcodes that are reserved.
    """
    clause = "Base 2.0, 5.17.2.1 Identify Controller, OACS and ONCS"
    ctrl = drive.id_ctrl
    absent = [one for bit, several in OACS.items() if not ctrl.oacs[bit] for one in several]
    if not int(ctrl.sanicap) & 7:
        absent.append(AdminOpcode.SANITIZE)
    if not ctrl.kas:
        absent.append(AdminOpcode.KEEP_ALIVE)
    for opcode in drive.random.sample([*absent, *RESERVED_ADMIN], len(absent) + len(RESERVED_ADMIN)):
        for nsid, dwords in ((0, {}), (drive.nsid, {}), (ALL_NAMESPACES, {"cdw10": 1}), (NO_NAMESPACE, ONES)):
            command = drive.admin(opcode, page.prepare(0, PAGE), nsid, **dwords)
            drive.expect(command, clause, Status.INVALID_OPCODE)
    missing = [one for bit, several in ONCS.items() if not is_announced(drive, bit) for one in several]
    for io_opcode in missing:
        for dwords in ({}, {"cdw12": 1}, ONES):
            command = drive.run(io_opcode, page.prepare(0, PAGE), None, None, **dwords)
            drive.expect(command, clause, Status.INVALID_OPCODE)


@requirement("COMMANDS-31", IDENTIFY)
@needs(version(0x00010100))
def test_lists_of_namespaces(drive: Drive, page: Slot) -> None:
    """The list of active namespaces begins behind the NSID of the command, ascends, and ends with zeros.

    1. Read it from 0, from each NSID of it, from random ones, and from those that are refused.
    """
    for start in {0, *drive.nsids, int(drive.id_ctrl.nn), drive.random.randrange(1, 0xFFFFFFFE)}:
        command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, PAGE), start, cdw10=Cns.ACTIVE_NS_LIST)
        drive.succeed(command, IDENTIFY)
        data = page.data()
        found = [int.from_bytes(data[at : at + 4], "little") for at in range(0, PAGE, 4)]
        wanted = [nsid for nsid in drive.nsids if nsid > start]
        wanted += [0] * (1024 - len(wanted))
        drive.check(found == wanted, IDENTIFY, f"NSIDs {wanted[:8]} above {start:#x}", found[:8])
    for start in (NO_NAMESPACE, ALL_NAMESPACES):
        command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, PAGE), start, cdw10=Cns.ACTIVE_NS_LIST)
        drive.expect(command, IDENTIFY, Status.INVALID_NAMESPACE)


@requirement("COMMANDS-32", IDENTIFY)
@needs(version(0x00020000))
def test_structures_of_the_command_set(drive: Drive, page: Slot) -> None:
    """Structures of an I/O command set are those of CSI, and agree with those of all command sets.

    1. Identify with CNS 05h to 08h and 1Ch, for namespaces and command sets that exist and that do not.
    """
    if not Cap(drive.nvme0.cap).css & 0x40:
        pytest.skip("needs I/O command sets (CAP.CSS bit 6)")

    def get(cns: int, nsid: int = 0, csi: int = 0) -> Command:
        return drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, PAGE), nsid, cdw10=cns, cdw11=csi << 24)

    command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, PAGE), cdw10=0xFFFF << 16 | Cns.COMMAND_SETS)
    drive.succeed(command, IDENTIFY)
    drive.check(bool(page.data()[0] & 1), IDENTIFY, "the NVM command set in vector 0 of CNS 1Ch", "none")
    for nsid in drive.nsids:
        drive.succeed(get(Cns.CSI_NS, nsid), IDENTIFY)
        drive.succeed(get(Cns.INDEPENDENT_NS, nsid), IDENTIFY)
        ready = bool(IdentifyNamespaceIndependent(page.data()).nstat & 1)
        drive.check(ready, IDENTIFY, f"NSTAT.NRDY of active namespace {nsid}", "0")
    drive.succeed(get(Cns.CSI_CTRL), IDENTIFY)
    drive.succeed(get(Cns.CSI_ACTIVE_NS_LIST), IDENTIFY)
    data = page.data()
    found = [int.from_bytes(data[at : at + 4], "little") for at in range(0, PAGE, 4)]
    listed = [nsid for nsid in found if nsid]
    right = listed == sorted(set(listed) & set(drive.nsids)) and drive.nsid in listed
    drive.check(right, IDENTIFY, f"NSIDs of {drive.nsids[:8]}, in ascending order", found[:8])
    for nsid in (0, int(drive.id_ctrl.nn) + 1, NO_NAMESPACE):
        for cns in (Cns.CSI_NS, Cns.INDEPENDENT_NS):
            drive.expect(get(cns, nsid), IDENTIFY, Status.INVALID_NAMESPACE)
    csi = drive.random.randrange(4, 0x30)
    for cns, nsid in ((Cns.CSI_NS, drive.nsid), (Cns.CSI_CTRL, 0), (Cns.CSI_ACTIVE_NS_LIST, 0)):
        drive.refused(get(cns, nsid, csi), IDENTIFY)


@requirement("COMMANDS-33", LOG)
@needs(LOG_OFFSETS)
def test_log_pages_in_random_pieces(drive: Drive, page: Slot) -> None:
    """Each piece of a log page that does not change is that piece of the whole page.

    1. Read each such page as a whole, and pieces of random offset and length, with NSID 0 and FFFFFFFFh.
    2. An offset that is no multiple of 4 is refused, or rounded down. One behind the end is refused.
    3. Read pieces of the health log between two reads of it. Each byte is that of one of them.
    """
    clause = "Base 2.0, 5.16 Get Log Page, Log Page Offset"
    whole = Slot(PAGE)
    for lid, size in CONSTANT_PAGES.items():
        if not drive.has_log(lid):
            continue
        drive.succeed(drive.log_page(lid, whole.prepare(0, size), size), clause)
        for _ in range(6):
            offset = 4 * drive.random.randrange(size // 4)
            length = 4 * drive.random.randint(1, (size - offset) // 4)
            nsid = drive.random.choice((0, ALL_NAMESPACES))
            buf = page.prepare(4 * drive.random.randrange(1024), length)
            drive.succeed(drive.log_page(lid, buf, length, offset, nsid), clause)
            drive.check(page.intact(), clause, f"{length} bytes", "other bytes have changed")
            same = page.data() == whole.data()[offset : offset + length]
            drive.check(same, clause, f"the {length} bytes at {offset} of log page {lid:02x}h", "others")
        offset = 4 * drive.random.randrange(1, size // 8) + drive.random.randint(1, 3)
        command = drive.log_page(lid, page.prepare(0, 64), 64, offset)
        drive.expect(command, clause, Status.SUCCESS, Status.INVALID_FIELD)
        if command.ok:
            same = page.data() == whole.data()[offset & ~3 : (offset & ~3) + 64]
            drive.check(same, clause, f"the 64 bytes at {offset & ~3}", "others")
        behind = size + 4 * drive.random.randrange(1, 1 << drive.random.randrange(1, 60))
        command = drive.log_page(lid, page.prepare(0, 4), 4, behind)
        drive.expect(command, clause, Status.INVALID_FIELD)
    for length in (4, 4 * drive.random.randint(2, 127), 508):
        offset = 4 * drive.random.randint(0, 1) if length == 4 else 0
        pages = []
        for piece in (False, True, False):
            start, size = (offset, length) if piece else (0, 512)
            drive.succeed(drive.log_page(2, page.prepare(0, size), size, start), clause)
            pages.append(bytes(page.data()))
        before, part, after = pages
        wrong = [
            offset + at
            for at, byte in enumerate(part)
            if byte not in (before[offset + at], after[offset + at])
        ]
        drive.check(not wrong, clause, f"{length} bytes at {offset} as in log page 02h", f"bytes {wrong[:8]}")


CONSTANT_PAGES = {0: 1024, 3: 512, 5: 4096, 0x12: 1024, 0x13: 4096}
"""Log pages that nothing changes, with their sizes."""


@requirement("COMMANDS-34", "Base 2.0, 4.1.1 Physical Region Page Entry and List")
@needs(ROOM)
def test_wrong_offsets_of_pages(drive: Drive, model: Model) -> None:
    """PRP 1 that is no multiple of 4 is refused, or used as if it were. Other bytes never change.

    1. Read and Identify with such PRP entries, and look at all bytes around.
    """
    clause = "Base 2.0, 4.1.1 Physical Region Page Entry and List"
    writer = Writer(drive, model)
    base, slot = writer.region(8), Slot(PAGE)
    nlb = max(1, 2048 // drive.lba_size)
    if nlb * drive.lba_size > PAGE:
        pytest.skip("needs LBAs of a page at most (LBADS)")
    for _ in range(4):
        offset = 4 * drive.random.randrange(256)
        buf = slot.prepare(offset, nlb * drive.lba_size)
        buf.offset = offset + drive.random.randint(1, 3)
        command = drive.io(IoOpcode.READ, buf, base, nlb)
        buf.offset = offset
        drive.expect(command, clause, Status.SUCCESS, 0x781, Status.INVALID_PRP_OFFSET, Status.INVALID_FIELD)
        drive.check(slot.intact(), clause, "only the bytes from the rounded offset on", "others have changed")


@requirement("COMMANDS-35", STATUS)
@needs(KNOWN)
def test_refusals_come_again(drive: Drive, page: Slot) -> None:
    """A command that no drive executes is refused each time, also after commands that succeed.

    1. Send random commands of this kind, each twice, with right commands between. Compare the statuses.
    """
    for _ in range(24):
        clause, status, send = drive.random.choice(REFUSALS)
        drive.expect(send(drive, page), clause, status)
        drive.expect(send(drive, page), clause, status)
        drive.succeed(drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, PAGE), cdw10=1), IDENTIFY)


DSM_LIMITED = f"{clauses.of_io(IoOpcode.DSM)}, DMRL, DMRSL and DMSL"
LIMITED = "NVM 1.0, 4.1.5.4 I/O Command Set specific Identify Controller, VSL, WZSL and WUSL"


@requirement("COMMANDS-36", LIMITED)
@needs(version(0x00020000), ROOM)
def test_limits_of_commands_without_data(drive: Drive, model: Model, writer: Writer) -> None:
    """A Verify, Write Zeroes or Write Uncorrectable above its limit is refused, and changes nothing.

    1. Read the limits, and send each limit, if that is no more than 65536 LBAs.
    2. Send one LBA more than each of them, to LBAs that are written, and read these.
    """
    if not drive.limits:
        pytest.skip("needs limits (Identify, CNS 06h)")
    changes: dict[IoOpcode, Callable[[int, int], object]] = {
        IoOpcode.VERIFY: lambda slba, nlb: drive.succeed(drive.io(IoOpcode.VERIFY, None, slba, nlb), LIMITED),
        IoOpcode.WRITE_ZEROES: writer.zeroes,
        IoOpcode.WRITE_UNCORRECTABLE: writer.uncorrectable,
    }
    for opcode, change in changes.items():
        most = drive.size_limit(opcode)
        if not most or most >= min(1 << 16, drive.nsze) or not drive.ns.supports(opcode):
            continue
        base = writer.region(most + 1)
        drive.expect(drive.io(opcode, None, base, most + 1), LIMITED, Status.INVALID_FIELD)
        read_back(drive, model, range(base, base + most + 1))
        change(base, most)
        read_back(drive, model, range(base, base + most + 1))
        writer.write(base, most)


@requirement("COMMANDS-38", DSM_LIMITED)
@needs(version(0x00020000), ROOM)
def test_limits_of_dataset_management(drive: Drive, model: Model, writer: Writer) -> None:
    """A Dataset Management above a limit fails with Command Size Limit Exceeded, and changes nothing.

    1. Read the limits: ranges, LBAs of a range, and LBAs of all ranges.
    2. Send one range more, one LBA more in a range, and one LBA more in all, and read what they name.
    3. Send the limits themselves.
    """
    ranges, length, total = drive.dsm_limits()
    if not ranges:
        pytest.skip("needs limits of Dataset Management (ONCS bit 2 is 0, and Identify, CNS 06h)")
    room = min(1 << 13, drive.nsze // 2)
    base = writer.region(room)
    each = min(length, room, total)
    count = -(-total // each)
    above = []
    if ranges < 256 and ranges < min(room, total):
        above.append([(base + i, 1) for i in range(ranges + 1)])
    if length < room and length < total:
        above.append([(base, length + 1)])
    if total < room and count <= ranges:
        pieces = [(base + i * each, min(each, total + 1 - i * each)) for i in range(-(-(total + 1) // each))]
        above += [pieces] if len(pieces) <= ranges else []
    for wrong in above:
        drive.expect(drive.deallocate(wrong), DSM_LIMITED, Status.COMMAND_SIZE_LIMIT_EXCEEDED)
        read_back(drive, model, range(base, base + room))
    writer.deallocate((base, each))
    writer.deallocate(*((base + i, 1) for i in range(min(ranges, total, room))))
    read_back(drive, model, range(base, base + room))


@requirement("COMMANDS-37", "Base 2.0, 1.4.2 Reserved and Unused Fields, and 5 Admin Command Set")
@needs(ROOM)
def test_reserved_values_of_operations_are_refused(drive: Drive, model: Model, writer: Writer) -> None:
    """A sanitize action, secure erase, self-test or commit action that is reserved fails, and starts nothing.

    1. Send each command that the drive has with such values, in random order.
    2. Read what was written before.
    """
    base = writer.region(32)
    lbaf = int(drive.ns.id_ns.flbas.lbafil)
    refused: tuple[Status, ...] = (Status.INVALID_FIELD,)
    of_firmware = (*refused, Status.INVALID_FIRMWARE_SLOT, Status.INVALID_FIRMWARE_IMAGE)
    wanted = [(AdminOpcode.SANITIZE, 0, action, refused) for action in (0, 6, 7)]
    wanted += [(AdminOpcode.FORMAT_NVM, drive.nsid, ses << 9 | lbaf, refused) for ses in range(3, 8)]
    wanted += [(AdminOpcode.SELF_TEST, ALL_NAMESPACES, code, refused) for code in range(4, 14)]
    wanted += [(AdminOpcode.FW_COMMIT, 0, action << 3 | 1, of_firmware) for action in (4, 5)]
    for opcode, nsid, cdw10, statuses in drive.random.sample(wanted, len(wanted)):
        if drive.nvme0.supports(opcode):
            command = drive.admin(opcode, None, nsid, cdw10=cdw10)
            drive.expect(command, clauses.of_admin(opcode), *statuses)
    read_back(drive, model, range(base, base + 32))
