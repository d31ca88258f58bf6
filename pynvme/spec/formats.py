# SPDX-License-Identifier: BSD-3-Clause
"""The fields of commands.

Generated from spec/commands.py by `python -m tools.specgen`. Change it there.
"""

from pynvme.command_format import CommandField, CommandFormat
from pynvme.spec import enums

ADMIN_COMMANDS: dict[int, CommandFormat] = {
    0x00: CommandFormat(
        "Delete I/O Submission Queue",
        "DELETE IO SQ",
        False,
        (
            CommandField("qid", 10, 0, 15, "queue identifier", "", False),
        ),
    ),
    0x01: CommandFormat(
        "Create I/O Submission Queue",
        "CREATE IO SQ",
        False,
        (
            CommandField("qid", 10, 0, 15, "queue identifier", "", False),
            CommandField("qsize", 10, 16, 31, "entries", "", True),
            CommandField("pc", 11, 0, 0, "physically contiguous", "", False),
            CommandField("qprio", 11, 1, 2, "priority", "", False, enums.QueuePriority),
            CommandField("cqid", 11, 16, 31, "completion queue", "", False),
            CommandField("nvmsetid", 12, 0, 15, "NVM set", "", False),
        ),
    ),
    0x02: CommandFormat(
        "Get Log Page",
        "GET LOG PAGE",
        False,
        (
            CommandField("lid", 10, 0, 7, "log page identifier", "", False),
            CommandField("lsp", 10, 8, 14, "log specific", "", False),
            CommandField("rae", 10, 15, 15, "retain the asynchronous event", "", False),
            CommandField("numdl", 10, 16, 31, "how much is transferred, bits 15:0", "dwords", True),
            CommandField("numdu", 11, 0, 15, "bits 31:16", "", False),
            CommandField("lsi", 11, 16, 31, "log specific identifier", "", False),
            CommandField("lpo", 12, 0, 63, "offset", "bytes, or an index where OT is set", False),
            CommandField("uidx", 14, 0, 6, "index into the UUID list", "", False),
            CommandField("ot", 14, 23, 23, "LPO is an index", "", False),
            CommandField("csi", 14, 24, 31, "command set", "", False),
        ),
    ),
    0x04: CommandFormat(
        "Delete I/O Completion Queue",
        "DELETE IO CQ",
        False,
        (
            CommandField("qid", 10, 0, 15, "queue identifier", "", False),
        ),
    ),
    0x05: CommandFormat(
        "Create I/O Completion Queue",
        "CREATE IO CQ",
        False,
        (
            CommandField("qid", 10, 0, 15, "queue identifier", "", False),
            CommandField("qsize", 10, 16, 31, "entries", "", True),
            CommandField("pc", 11, 0, 0, "physically contiguous", "", False),
            CommandField("ien", 11, 1, 1, "interrupts enabled", "", False),
            CommandField("iv", 11, 16, 31, "interrupt vector", "", False),
        ),
    ),
    0x06: CommandFormat(
        "Identify",
        "IDENTIFY",
        False,
        (
            CommandField("cns", 10, 0, 7, "controller or namespace structure", "", False),
            CommandField("cntid", 10, 16, 31, "controller", "", False),
            CommandField("cnssid", 11, 0, 15, "specific to CNS", "", False),
            CommandField("csi", 11, 24, 31, "command set", "", False),
            CommandField("uidx", 14, 0, 6, "index into the UUID list", "", False),
        ),
    ),
    0x08: CommandFormat(
        "Abort",
        "ABORT",
        False,
        (
            CommandField("sqid", 10, 0, 15, "submission queue", "", False),
            CommandField("cid", 10, 16, 31, "the command to abort", "", False),
        ),
    ),
    0x09: CommandFormat(
        "Set Features",
        "SET FEATURES",
        False,
        (
            CommandField("fid", 10, 0, 7, "feature identifier", "", False),
            CommandField("sv", 10, 31, 31, "save", "", False),
            CommandField("value", 11, 0, 31, "the feature's dword 11", "", False),
            CommandField("uidx", 14, 0, 6, "index into the UUID list", "", False),
        ),
    ),
    0x0A: CommandFormat(
        "Get Features",
        "GET FEATURES",
        False,
        (
            CommandField("fid", 10, 0, 7, "feature identifier", "", False),
            CommandField("sel", 10, 8, 10, "which value", "", False, enums.FeatureSelect),
            CommandField("uidx", 14, 0, 6, "index into the UUID list", "", False),
        ),
    ),
    0x0C: CommandFormat(
        "Asynchronous Event Request",
        "ASYNC EVENT REQUEST",
        False,
        (
        ),
    ),
    0x0D: CommandFormat(
        "Namespace Management",
        "NAMESPACE MANAGEMENT",
        False,
        (
            CommandField("sel", 10, 0, 3, "operation", "", False, enums.NamespaceManagement),
            CommandField("csi", 11, 24, 31, "command set", "", False),
        ),
    ),
    0x10: CommandFormat(
        "Firmware Commit",
        "FIRMWARE COMMIT",
        False,
        (
            CommandField("fs", 10, 0, 2, "firmware slot; 0: the drive chooses", "", False),
            CommandField("ca", 10, 3, 5, "commit action", "", False, enums.FirmwareAction),
            CommandField("bpid", 10, 31, 31, "boot partition", "", False),
        ),
    ),
    0x11: CommandFormat(
        "Firmware Image Download",
        "FIRMWARE IMAGE DOWNLOAD",
        False,
        (
            CommandField("numd", 10, 0, 31, "how much is transferred", "dwords", True),
            CommandField("ofst", 11, 0, 31, "offset in the image", "dwords", False),
        ),
    ),
    0x14: CommandFormat(
        "Device Self-test",
        "DEVICE SELF-TEST",
        False,
        (
            CommandField("stc", 10, 0, 3, "self-test code", "", False, enums.SelfTest),
        ),
    ),
    0x15: CommandFormat(
        "Namespace Attachment",
        "NAMESPACE ATTACHMENT",
        False,
        (
            CommandField("sel", 10, 0, 3, "operation", "", False, enums.NamespaceAttachment),
        ),
    ),
    0x18: CommandFormat(
        "Keep Alive",
        "KEEP ALIVE",
        False,
        (
        ),
    ),
    0x19: CommandFormat(
        "Directive Send",
        "DIRECTIVE SEND",
        False,
        (
            CommandField("numd", 10, 0, 31, "how much is transferred", "dwords", True),
            CommandField("doper", 11, 0, 7, "operation", "", False),
            CommandField("dtype", 11, 8, 15, "directive", "", False, enums.DirectiveType),
            CommandField("dspec", 11, 16, 31, "directive specific", "", False),
            CommandField(
                "value", 12, 0, 31,
                "operation specific: ENDIR in bit 0, TDTYPE in bits 15:8",
                "",
                False,
            ),
        ),
    ),
    0x1A: CommandFormat(
        "Directive Receive",
        "DIRECTIVE RECEIVE",
        False,
        (
            CommandField("numd", 10, 0, 31, "how much is transferred", "dwords", True),
            CommandField("doper", 11, 0, 7, "operation", "", False),
            CommandField("dtype", 11, 8, 15, "directive", "", False, enums.DirectiveType),
            CommandField("dspec", 11, 16, 31, "directive specific", "", False),
            CommandField("value", 12, 0, 31, "operation specific: NSR in bits 15:0", "", False),
        ),
    ),
    0x1C: CommandFormat(
        "Virtualization Management",
        "VIRTUALIZATION MANAGEMENT",
        False,
        (
            CommandField("act", 10, 0, 3, "action", "", False, enums.VirtualizationAction),
            CommandField("rt", 10, 8, 10, "resources: 0 queues, 1 interrupts", "", False),
            CommandField("cntlid", 10, 16, 31, "controller", "", False),
            CommandField("nr", 11, 0, 15, "how many resources", "", False),
        ),
    ),
    0x1D: CommandFormat(
        "NVMe-MI Send",
        "NVME-MI SEND",
        False,
        (
            CommandField("mt", 10, 0, 6, "MCTP message type: 4", "", False),
            CommandField("ic", 10, 7, 7, "an integrity check follows", "", False),
            CommandField("csi", 10, 8, 8, "command slot", "", False),
            CommandField(
                "nmimt", 10, 11, 14,
                "NVMe-MI message type: 1 MI command, 2 admin, 4 PCIe",
                "",
                False,
            ),
            CommandField("ror", 10, 15, 15, "a response, not a request", "", False),
            CommandField("opc", 11, 0, 7, "opcode of the MI command", "", False),
            CommandField("nmd0", 12, 0, 31, "its dword 0", "", False),
            CommandField("nmd1", 13, 0, 31, "its dword 1", "", False),
        ),
    ),
    0x1E: CommandFormat(
        "NVMe-MI Receive",
        "NVME-MI RECEIVE",
        False,
        (
            CommandField("mt", 10, 0, 6, "MCTP message type: 4", "", False),
            CommandField("ic", 10, 7, 7, "an integrity check follows", "", False),
            CommandField("csi", 10, 8, 8, "command slot", "", False),
            CommandField(
                "nmimt", 10, 11, 14,
                "NVMe-MI message type: 1 MI command, 2 admin, 4 PCIe",
                "",
                False,
            ),
            CommandField("ror", 10, 15, 15, "a response, not a request", "", False),
            CommandField("opc", 11, 0, 7, "opcode of the MI command", "", False),
            CommandField("nmd0", 12, 0, 31, "its dword 0", "", False),
            CommandField("nmd1", 13, 0, 31, "its dword 1", "", False),
        ),
    ),
    0x20: CommandFormat(
        "Capacity Management",
        "CAPACITY MANAGEMENT",
        False,
        (
            CommandField("oper", 10, 0, 3, "operation", "", False, enums.CapacityOperation),
            CommandField("elid", 10, 16, 31, "configuration, endurance group or NVM set", "", False),
            CommandField("cap", 11, 0, 63, "capacity", "bytes", False),
        ),
    ),
    0x24: CommandFormat(
        "Lockdown",
        "LOCKDOWN",
        False,
        (
            CommandField("ofi", 10, 8, 15, "opcode or feature identifier", "", False),
            CommandField("scp", 10, 0, 3, "scope: the kind of OFI", "", False, enums.LockdownScope),
            CommandField("prhbt", 10, 4, 4, "1: prohibited, 0: allowed", "", False),
            CommandField("ifc", 10, 5, 6, "by which interface", "", False, enums.LockdownInterface),
            CommandField("uidx", 14, 0, 6, "index into the UUID list", "", False),
        ),
    ),
    0x3D: CommandFormat(
        "Track Send",
        "TRACK SEND",
        False,
        (
            CommandField("sel", 10, 0, 7, "operation", "", False, enums.Tracking),
            CommandField("lact", 10, 16, 19, "logging action: 1 start, 0 stop", "", False),
            CommandField("cdqid", 11, 0, 15, "controller data queue", "", False),
        ),
    ),
    0x3E: CommandFormat(
        "Track Receive",
        "TRACK RECEIVE",
        False,
        (
            CommandField("sel", 10, 0, 7, "selects: 0 tracked memory changes", "", False),
            CommandField("mos", 10, 16, 31, "management operation specific", "", False),
        ),
    ),
    0x41: CommandFormat(
        "Migration Send",
        "MIGRATION SEND",
        False,
        (
            CommandField("sel", 10, 0, 7, "operation", "", False, enums.MigrationSend),
            CommandField(
                "seqind", 10, 16, 17,
                "which part of the state, to set it",
                "",
                False,
                enums.MigrationSequence,
            ),
            CommandField("cntlid", 11, 0, 15, "controller", "", False),
            CommandField(
                "stype", 11, 16, 23,
                "to suspend: 0 notify, 1 suspend; to set the state: CSVI, index of its version",
                "",
                False,
            ),
            CommandField(
                "csuuidi", 11, 24, 30,
                "to set the state: bits 6:0 of the index of the vendor's format",
                "",
                False,
            ),
            CommandField(
                "dudmq", 11, 31, 31,
                "to suspend: delete its user data migration queue; else bit 7 of CSUUIDI",
                "",
                False,
            ),
            CommandField("cso", 12, 0, 63, "offset in the state", "bytes", False),
            CommandField("uidx", 14, 0, 6, "UUID index", "", False),
            CommandField("numd", 15, 0, 31, "length of the part", "dwords", False),
        ),
    ),
    0x42: CommandFormat(
        "Migration Receive",
        "MIGRATION RECEIVE",
        False,
        (
            CommandField("sel", 10, 0, 7, "selects: 0 the controller's state", "", False),
            CommandField(
                "csvi", 10, 16, 23,
                "index of the version of the state; 0: without the state of the queues",
                "",
                False,
            ),
            CommandField("cntlid", 11, 0, 15, "controller", "", False),
            CommandField("csuuidi", 11, 16, 23, "index of the vendor's format; 0: none", "", False),
            CommandField("csuidxp", 11, 24, 31, "parameter of the vendor's format", "", False),
            CommandField("cso", 12, 0, 63, "offset in the state", "bytes", False),
            CommandField("uidx", 14, 0, 6, "UUID index", "", False),
            CommandField("numd", 15, 0, 31, "length", "dwords", True),
        ),
    ),
    0x45: CommandFormat(
        "Controller Data Queue",
        "CONTROLLER DATA QUEUE",
        False,
        (
            CommandField("sel", 10, 0, 7, "operation", "", False, enums.DataQueueOperation),
            CommandField("qt", 10, 16, 23, "type of the queue to create: 0 user data migration", "", False),
            CommandField(
                "cdqid", 11, 0, 15,
                "queue to delete; to create one, bit 0 (PC): it is physically contiguous",
                "",
                False,
            ),
            CommandField("cntlid", 11, 16, 31, "controller whose changes it gets", "", False),
            CommandField("cdqsize", 12, 0, 31, "size", "dwords", False),
        ),
    ),
    0x7C: CommandFormat(
        "Doorbell Buffer Config",
        "DOORBELL BUFFER CONFIG",
        False,
        (
        ),
    ),
    0x80: CommandFormat(
        "Format NVM",
        "FORMAT NVM",
        False,
        (
            CommandField("lbafl", 10, 0, 3, "index of the LBA format, bits 3:0", "", False),
            CommandField("mset", 10, 4, 4, "metadata lie at the end of each LBA", "", False),
            CommandField("pi", 10, 5, 7, "type of protection information", "", False),
            CommandField("pil", 10, 8, 8, "which is in the first bytes of the metadata", "", False),
            CommandField("ses", 10, 9, 11, "secure erase", "", False, enums.SecureErase),
            CommandField("lbafu", 10, 12, 13, "index of the LBA format, bits 5:4", "", False),
        ),
    ),
    0x81: CommandFormat(
        "Security Send",
        "SECURITY SEND",
        False,
        (
            CommandField("nssf", 10, 0, 7, "specific to NVMe", "", False),
            CommandField("spsp", 10, 8, 23, "specific to the protocol", "", False),
            CommandField("secp", 10, 24, 31, "security protocol", "", False),
            CommandField("tl", 11, 0, 31, "how much is transferred", "bytes", False),
        ),
    ),
    0x82: CommandFormat(
        "Security Receive",
        "SECURITY RECEIVE",
        False,
        (
            CommandField("nssf", 10, 0, 7, "specific to NVMe", "", False),
            CommandField("spsp", 10, 8, 23, "specific to the protocol", "", False),
            CommandField("secp", 10, 24, 31, "security protocol", "", False),
            CommandField("al", 11, 0, 31, "how much there is room for", "bytes", False),
        ),
    ),
    0x84: CommandFormat(
        "Sanitize",
        "SANITIZE",
        False,
        (
            CommandField("sanact", 10, 0, 2, "action", "", False, enums.SanitizeAction),
            CommandField("ause", 10, 3, 3, "allow unrestricted sanitize exit", "", False),
            CommandField("owpass", 10, 4, 7, "overwrite passes; 0: 16", "", False),
            CommandField("oipbp", 10, 8, 8, "overwrite: invert the pattern between passes", "", False),
            CommandField("ndas", 10, 9, 9, "no-deallocate after sanitize", "", False),
            CommandField("emvs", 10, 10, 10, "enter media verification", "", False),
            CommandField("ovrpat", 11, 0, 31, "overwrite pattern", "", False),
        ),
    ),
    0x86: CommandFormat(
        "Get LBA Status",
        "GET LBA STATUS",
        False,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("mndw", 12, 0, 31, "most that is returned", "dwords", True),
            CommandField("rl", 13, 0, 15, "how many LBAs; 0: to the end", "", False),
            CommandField("atype", 13, 24, 31, "10h: scan, 11h: tracked LBAs", "", False),
        ),
    ),
}
"""Admin commands by their opcodes."""

IO_COMMANDS: dict[int, CommandFormat] = {
    0x00: CommandFormat(
        "Flush",
        "FLUSH",
        False,
        (
        ),
    ),
    0x01: CommandFormat(
        "Write",
        "WRITE",
        True,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("dtype", 12, 20, 23, "directive", "", False, enums.DirectiveType),
            CommandField("stc", 12, 24, 24, "check the storage tag", "", False),
            CommandField(
                "prinfo", 12, 26, 29,
                "PRACT in bit 3, checks of guard, application and reference tag in bits 2:0",
                "",
                False,
            ),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField(
                "dsm", 13, 0, 7,
                "hints: frequency, latency, sequential, incompressible",
                "",
                False,
            ),
            CommandField(
                "dspec", 13, 16, 31,
                "directive specific: stream identifier or placement handle",
                "",
                False,
            ),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
    0x02: CommandFormat(
        "Read",
        "READ",
        True,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("stc", 12, 24, 24, "check the storage tag", "", False),
            CommandField(
                "prinfo", 12, 26, 29,
                "PRACT in bit 3, checks of guard, application and reference tag in bits 2:0",
                "",
                False,
            ),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField(
                "dsm", 13, 0, 7,
                "hints: frequency, latency, sequential, incompressible",
                "",
                False,
            ),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
    0x04: CommandFormat(
        "Write Uncorrectable",
        "WRITE UNCORRECTABLE",
        True,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("dtype", 12, 20, 23, "directive", "", False, enums.DirectiveType),
            CommandField(
                "dspec", 13, 16, 31,
                "directive specific: stream identifier or placement handle",
                "",
                False,
            ),
        ),
    ),
    0x05: CommandFormat(
        "Compare",
        "COMPARE",
        True,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("stc", 12, 24, 24, "check the storage tag", "", False),
            CommandField(
                "prinfo", 12, 26, 29,
                "PRACT in bit 3, checks of guard, application and reference tag in bits 2:0",
                "",
                False,
            ),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
    0x08: CommandFormat(
        "Write Zeroes",
        "WRITE ZEROES",
        True,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("dtype", 12, 20, 23, "directive", "", False, enums.DirectiveType),
            CommandField("stc", 12, 24, 24, "check the storage tag", "", False),
            CommandField("deac", 12, 25, 25, "deallocate", "", False),
            CommandField(
                "prinfo", 12, 26, 29,
                "PRACT in bit 3, checks of guard, application and reference tag in bits 2:0",
                "",
                False,
            ),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField(
                "dspec", 13, 16, 31,
                "directive specific: stream identifier or placement handle",
                "",
                False,
            ),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
    0x09: CommandFormat(
        "Dataset Management",
        "DATASET MANAGEMENT",
        False,
        (
            CommandField("nr", 10, 0, 7, "how many ranges", "", True),
            CommandField("idr", 11, 0, 0, "will be read as a whole", "", False),
            CommandField("idw", 11, 1, 1, "will be written as a whole", "", False),
            CommandField("ad", 11, 2, 2, "deallocate", "", False),
        ),
    ),
    0x0C: CommandFormat(
        "Verify",
        "VERIFY",
        True,
        (
            CommandField("slba", 10, 0, 63, "first LBA", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("stc", 12, 24, 24, "check the storage tag", "", False),
            CommandField(
                "prinfo", 12, 26, 29,
                "PRACT in bit 3, checks of guard, application and reference tag in bits 2:0",
                "",
                False,
            ),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
    0x0D: CommandFormat(
        "Reservation Register",
        "RESERVATION REGISTER",
        False,
        (
            CommandField("rrega", 10, 0, 2, "action", "", False, enums.ReservationRegister),
            CommandField("iekey", 10, 3, 3, "ignore the existing key", "", False),
            CommandField("cptpl", 10, 30, 31, "change of persistence through power loss", "", False),
        ),
    ),
    0x0E: CommandFormat(
        "Reservation Report",
        "RESERVATION REPORT",
        False,
        (
            CommandField("numd", 10, 0, 31, "how much is transferred", "dwords", True),
            CommandField("eds", 11, 0, 0, "extended data structure", "", False),
        ),
    ),
    0x11: CommandFormat(
        "Reservation Acquire",
        "RESERVATION ACQUIRE",
        False,
        (
            CommandField("racqa", 10, 0, 2, "action", "", False, enums.ReservationAcquire),
            CommandField("iekey", 10, 3, 3, "ignore the existing key", "", False),
            CommandField("rtype", 10, 8, 15, "type", "", False, enums.ReservationType),
        ),
    ),
    0x12: CommandFormat(
        "I/O Management Receive",
        "IO MANAGEMENT RECEIVE",
        False,
        (
            CommandField("mo", 10, 0, 7, "operation: 1 reclaim unit handle status", "", False),
            CommandField("mos", 10, 16, 31, "operation specific", "", False),
            CommandField("numd", 11, 0, 31, "how much is transferred", "dwords", True),
        ),
    ),
    0x15: CommandFormat(
        "Reservation Release",
        "RESERVATION RELEASE",
        False,
        (
            CommandField("rrela", 10, 0, 2, "action", "", False, enums.ReservationRelease),
            CommandField("iekey", 10, 3, 3, "ignore the existing key", "", False),
            CommandField("rtype", 10, 8, 15, "type", "", False, enums.ReservationType),
        ),
    ),
    0x18: CommandFormat(
        "Cancel",
        "CANCEL",
        False,
        (
            CommandField("sqid", 10, 0, 15, "submission queue", "", False),
            CommandField("cid", 10, 16, 31, "the command to abort; FFFFh: several", "", False),
            CommandField("act", 11, 0, 1, "0: one command, 1: several", "", False),
        ),
    ),
    0x19: CommandFormat(
        "Copy",
        "COPY",
        False,
        (
            CommandField("sdlba", 10, 0, 63, "first LBA of the destination", "", False),
            CommandField("nr", 12, 0, 7, "how many source ranges", "", True),
            CommandField(
                "cdfmt", 12, 8, 11,
                "format of the source ranges; 0h: struct nvme_copy_range",
                "",
                False,
            ),
            CommandField("prinfor", 12, 12, 15, "PRINFO of the reads", "", False),
            CommandField("stcr", 12, 24, 24, "check the storage tag of the reads", "", False),
            CommandField("stcw", 12, 25, 25, "of the writes", "", False),
            CommandField("prinfow", 12, 26, 29, "PRINFO of the writes", "", False),
            CommandField("dtype", 12, 20, 23, "directive", "", False, enums.DirectiveType),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField(
                "dspec", 13, 16, 31,
                "directive specific: stream identifier or placement handle",
                "",
                False,
            ),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
    0x1D: CommandFormat(
        "I/O Management Send",
        "IO MANAGEMENT SEND",
        False,
        (
            CommandField("mo", 10, 0, 7, "operation: 1 reclaim unit handle update", "", False),
            CommandField(
                "mos", 10, 16, 31,
                "operation specific: how many placement identifiers, 0's based",
                "",
                False,
            ),
        ),
    ),
    0x79: CommandFormat(
        "Zone Management Send",
        "ZONE MANAGEMENT SEND",
        False,
        (
            CommandField("slba", 10, 0, 63, "first LBA of the zone", "", False),
            CommandField("zsa", 13, 0, 7, "action", "", False, enums.ZoneSendAction),
            CommandField("selectall", 13, 8, 8, "all zones", "", False),
            CommandField("zsaso", 13, 9, 9, "action specific: allocate a random write area", "", False),
        ),
    ),
    0x7A: CommandFormat(
        "Zone Management Receive",
        "ZONE MANAGEMENT RECEIVE",
        False,
        (
            CommandField("slba", 10, 0, 63, "an LBA of the first zone", "", False),
            CommandField("numd", 12, 0, 31, "how much is transferred", "dwords", True),
            CommandField("zra", 13, 0, 7, "selects the report", "", False, enums.ZoneReceiveAction),
            CommandField("zrasf", 13, 8, 15, "zones of which state; 0: all", "", False),
            CommandField("partial", 13, 16, 16, "count only zones that are returned", "", False),
        ),
    ),
    0x7D: CommandFormat(
        "Zone Append",
        "ZONE APPEND",
        False,
        (
            CommandField("zslba", 10, 0, 63, "first LBA of the zone", "", False),
            CommandField("nlb", 12, 0, 15, "how many LBAs", "", True),
            CommandField("piremap", 12, 25, 25, "remap the reference tag", "", False),
            CommandField(
                "prinfo", 12, 26, 29,
                "PRACT in bit 3, checks of guard, application and reference tag in bits 2:0",
                "",
                False,
            ),
            CommandField("fua", 12, 30, 30, "force unit access", "", False),
            CommandField("lr", 12, 31, 31, "limited retry", "", False),
            CommandField("lbst", 14, 0, 31, "expected initial reference tag and storage tag", "", False),
            CommandField("lbat", 15, 0, 15, "expected application tag", "", False),
            CommandField("lbatm", 15, 16, 31, "mask of the application tag", "", False),
        ),
    ),
}
"""Commands of the NVM and the Zoned Namespace Command Set."""

KV_COMMANDS: dict[int, CommandFormat] = {
    0x01: CommandFormat(
        "Store",
        "STORE",
        False,
        (
            CommandField("vs", 10, 0, 31, "size of the value", "bytes", False),
            CommandField("kl", 11, 0, 7, "length of the key", "bytes", False),
            CommandField(
                "so", 11, 8, 15,
                "options: bit 0 only if the key exists, 1 only if it does not, 2 not compressed",
                "",
                False,
            ),
        ),
    ),
    0x02: CommandFormat(
        "Retrieve",
        "RETRIEVE",
        False,
        (
            CommandField("hbs", 10, 0, 31, "size of the host's buffer", "bytes", False),
            CommandField("kl", 11, 0, 7, "length of the key", "bytes", False),
            CommandField("ro", 11, 8, 15, "options: bit 0 not decompressed", "", False),
        ),
    ),
    0x06: CommandFormat(
        "List",
        "LIST",
        False,
        (
            CommandField("hbs", 10, 0, 31, "size of the host's buffer", "bytes", False),
            CommandField("kl", 11, 0, 7, "length of the key", "bytes", False),
        ),
    ),
    0x10: CommandFormat(
        "Delete",
        "DELETE",
        False,
        (
            CommandField("kl", 11, 0, 7, "length of the key", "bytes", False),
        ),
    ),
    0x14: CommandFormat(
        "Exist",
        "EXIST",
        False,
        (
            CommandField("kl", 11, 0, 7, "length of the key", "bytes", False),
        ),
    ),
}
"""Commands of the Key Value Command Set."""
