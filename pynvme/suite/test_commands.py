# SPDX-License-Identifier: BSD-3-Clause
"""Commands and their refusals: the drive does what it reports, and refuses everything else."""

from __future__ import annotations

import nvme
import pytest

from pynvme.spec import AdminOpcode, Cns, EffectsLog, FeatureId, IoOpcode, Status
from pynvme.suite import needs, requirement
from pynvme.suite.claims import FUSED, LOG_OFFSETS, PLAIN, ROOM, io, log
from pynvme.suite.drive import ALL_NAMESPACES, Drive
from pynvme.suite.history import Command, status_text
from pynvme.suite.model import Kind, Model
from pynvme.suite.traffic import Slot, read_back
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
}
ONCS = {
    "nvmcmps": (IoOpcode.COMPARE,),
    "nvmwusv": (IoOpcode.WRITE_UNCORRECTABLE,),
    "nvmdsmsv": (IoOpcode.DSM,),
    "nvmwzsv": (IoOpcode.WRITE_ZEROES,),
    "reservs": (IoOpcode.RESERVATION_REGISTER, IoOpcode.RESERVATION_REPORT),
    "nvmvfys": (IoOpcode.VERIFY,),
    "nvmcpys": (IoOpcode.COPY,),
}
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
CREATE_CQ = "Base 2.0, 5.4 Create I/O Completion Queue"
CREATE_SQ = "Base 2.0, 5.5 Create I/O Submission Queue"
DELETE_CQ = "Base 2.0, 5.6 Delete I/O Completion Queue"
DELETE_SQ = "Base 2.0, 5.7 Delete I/O Submission Queue"


@pytest.fixture
def page() -> Slot:
    """Memory for a page of data, with guards around it."""
    return Slot(4096)


def effects(drive: Drive) -> EffectsLog:
    """The Commands Supported and Effects log."""
    buf = nvme.Buffer(4096)
    drive.succeed(drive.log_page(5, buf, 4096), EFFECTS)
    return EffectsLog(bytes(buf[:]))


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
            bit, listed = bool(drive.id_ctrl.oncs[name]), bool(found.iocs[io_opcode].csupp)
            drive.check(bit == listed, EFFECTS, f"{io_opcode.name} as ONCS says ({bit})", listed)
    for opcode in MANDATORY_ADMIN:
        drive.check(
            bool(found.acs[opcode].csupp), EFFECTS, f"{opcode.name}, which is mandatory", "not supported"
        )
    for io_opcode in MANDATORY_IO:
        drive.check(
            bool(found.iocs[io_opcode].csupp), EFFECTS, f"{io_opcode.name} is supported", "not supported"
        )
    drive.check(bool(found.iocs[IoOpcode.WRITE].lbcc), EFFECTS, "WRITE changes LBAs (LBCC 1)", "LBCC 0")


@requirement("COMMANDS-4", IDENTIFY)
def test_identify_structures(drive: Drive, page: Slot) -> None:
    """The mandatory structures are there, a reserved CNS is refused, and no byte lies outside of the page.

    1. Identify with each CNS into a page at an odd offset, and check the bytes around it.
    2. A reserved CNS fails with Invalid Field.
    """
    for cns in range(256):
        buf = page.prepare(4 * drive.random.randrange(1024), 4096)
        command = drive.admin(AdminOpcode.IDENTIFY, buf, drive.nsid, cdw10=cns)
        drive.check(page.intact(), IDENTIFY, "4096 bytes of data", f"CNS {cns:02x}h has changed other bytes")
        if cns in (Cns.NS, Cns.CTRL, Cns.ACTIVE_NS_LIST, Cns.NS_DESCRIPTORS):
            drive.succeed(command, IDENTIFY)
            drive.check(set(page.data()) != {0xC3}, IDENTIFY, f"data of CNS {cns:02x}h", "no data")
        elif 0x20 <= cns < 0xC0:
            drive.expect(command, IDENTIFY, Status.INVALID_FIELD)


@requirement("COMMANDS-5", IDENTIFY)
def test_identify_of_namespaces_that_do_not_exist(drive: Drive, page: Slot) -> None:
    """An invalid NSID is refused, and an inactive one has no data.

    1. Identify NSIDs 0, NN + 1 and FFFFFFFEh.
    2. Identify all NSIDs that the list of active namespaces names.
    """
    for cns in (Cns.NS, Cns.NS_DESCRIPTORS):
        for nsid in (0, int(drive.id_ctrl.nn) + 1, NO_NAMESPACE):
            command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, 4096), nsid, cdw10=cns)
            drive.expect(command, IDENTIFY, Status.INVALID_NAMESPACE)
        for nsid in drive.nsids:
            command = drive.admin(AdminOpcode.IDENTIFY, page.prepare(0, 4096), nsid, cdw10=cns)
            drive.succeed(command, IDENTIFY)
            drive.check(any(page.data()), IDENTIFY, f"data of active namespace {nsid}", "zeros")


@requirement("COMMANDS-6", "Base 2.0, 5.17.2.3 Namespace Identification Descriptor list")
def test_identifiers_agree(drive: Drive, page: Slot) -> None:
    """The identifiers of a namespace are the same in both structures, and differ between namespaces.

    1. Read NGUID and EUI64 from Identify Namespace and from the descriptors.
    2. Compare them.
    """
    clause = "Base 2.0, 5.17.2.3 Namespace Identification Descriptor list"
    seen: dict[bytes, int] = {}
    for each in drive.by_namespace():
        each.succeed(each.admin(AdminOpcode.IDENTIFY, page.prepare(0, 4096), each.nsid, cdw10=3), clause)
        descriptors, at = page.data(), 0
        space = each.ns.id_ns
        wanted = {1: bytes(space.eui64), 2: bytes(space.nguid)}
        while at < 4092 and descriptors[at]:
            kind, length = descriptors[at], descriptors[at + 1]
            value = descriptors[at + 4 : at + 4 + length]
            if any(wanted.get(kind, b"")):
                drive.check(
                    value == wanted[kind], clause, f"identifier {kind}: {wanted[kind].hex()}", value.hex()
                )
            at += 4 + length
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
    for lid in range(256):
        if buf[4 * lid] & 1:
            if lid not in (7, 8, 0x0D):  # telemetry is long, and the persistent event log needs a context
                drive.succeed(drive.log_page(lid, page.prepare(0, 512), 512), LOG)
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


@requirement("COMMANDS-10", "Base 2.0, 5.15 Get Features and 5.27 Set Features")
def test_reserved_features_are_refused(drive: Drive) -> None:
    """Get Features and Set Features refuse a reserved FID with Invalid Field.

    1. Get and set FIDs 00h and 20h to 77h, in the ranges that the specification reserves.
    """
    clause = "Base 2.0, 5.15 Get Features and 5.27 Set Features"
    for fid in (0x00, *range(0x20, 0x78, 7), 0x77):
        drive.expect(drive.get_feature(fid), clause, Status.INVALID_FIELD)
        drive.expect(drive.set_feature(fid, 0), clause, Status.INVALID_FIELD)


@requirement("COMMANDS-11", "Base 2.0, 3.2.1.2 NSID and Namespace Usage")
@pytest.mark.parametrize("opcode", [IoOpcode.FLUSH, *MEDIA, IoOpcode.DSM], ids=lambda opcode: opcode.name)
def test_invalid_namespaces_are_refused(drive: Drive, page: Slot, opcode: IoOpcode) -> None:
    """An IO command with an NSID that does not exist fails with Invalid Namespace or Format.

    1. Send the command to NSIDs 0, NN + 1, FFFFFFFEh, and FFFFFFFFh unless it is a flush.
    """
    if not drive.ns.supports(opcode):
        pytest.skip(f"needs {opcode.name}")
    nsids = [0, int(drive.id_ctrl.nn) + 1, NO_NAMESPACE]
    if opcode not in (IoOpcode.FLUSH, IoOpcode.DSM):
        nsids.append(ALL_NAMESPACES)
    for nsid in nsids:
        command = drive.io(opcode, page.prepare(0, 4096), nsid=nsid)
        drive.expect(command, "Base 2.0, 3.2.1.2 NSID and Namespace Usage", Status.INVALID_NAMESPACE)


@requirement("COMMANDS-12", "NVM 1.0, 3.2 NVM Command Set Commands, LBA Out of Range")
@needs(PLAIN, ROOM)
@pytest.mark.parametrize("opcode", list(MEDIA), ids=lambda opcode: opcode.name)
def test_lbas_out_of_range_are_refused(drive: Drive, model: Model, opcode: IoOpcode) -> None:
    """A command that reaches past the last LBA fails with LBA Out of Range, and changes nothing.

    1. Write the first and the last LBAs.
    2. Send the command to ranges behind the end, across it, and around the end of 32 and of 64 bits.
    3. Read the first and the last LBAs.
    """
    if not drive.ns.supports(opcode):
        pytest.skip(f"needs {opcode.name}")
    end, slot = drive.nsze, Slot(16 * drive.lba_size)
    writer = Writer(drive, model)
    for slba in (0, end - 16):
        writer.write(slba, 16)
    for slba, nlb in (
        (end, 1),
        (end - 1, 2),
        (end - 8, 16),
        (end + (1 << 32), 1),
        (1 << 32 | 1 << 63, 1),
        ((1 << 64) - 1, 1),
        ((1 << 64) - 1, 2),
        ((1 << 64) - 8, 16),
    ):
        command = drive.io(opcode, slot.prepare(0, nlb * drive.lba_size), slba, nlb)
        drive.expect(command, MEDIA[opcode], Status.LBA_OUT_OF_RANGE)
    read_back(drive, model, [*range(16), *range(end - 16, end)])


@requirement("COMMANDS-13", "NVM 1.0, 3.2.3 Dataset Management, LBA Out of Range")
@needs(PLAIN, ROOM, io(IoOpcode.DSM))
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


@requirement("COMMANDS-19", CREATE_CQ)
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
    drive.expect(create(free, flags=2047 << 16 | 3), CREATE_CQ, Status.INVALID_INTERRUPT_VECTOR)
    if drive.nvme0.cap >> 16 & 1:
        drive.expect(create(free, flags=0), CREATE_CQ, Status.INVALID_FIELD)
    drive.succeed(create(free), CREATE_CQ)
    drive.succeed(drive.admin(AdminOpcode.DELETE_CQ, cdw10=free), DELETE_CQ)


@requirement("COMMANDS-20", CREATE_SQ)
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
@needs(PLAIN, ROOM, FUSED)
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
@needs(PLAIN, FUSED)
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
