/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Submission and completion queue entries, opcodes and statuses, and the fields of commands.
 * NVM Express Base Specification 2.1, sections 3.3.3, 5 and 7; NVM Command Set Specification 1.1, section 3.
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/commands.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_CMD_H
#define SPEC_NVME_CMD_H

#include <stdint.h>

/* Submission queue entry, 64 bytes. Section 3.3.3.1. */
struct nvme_cmd {
	uint8_t opc; /* dword 0 bits 7:0 */
	uint8_t flags; /* dword 0 bits 15:8: FUSE in bits 1:0, PSDT in bits 7:6 */
	uint16_t cid; /* dword 0 bits 31:16 */
	uint32_t nsid;
	uint32_t cdw2;
	uint32_t cdw3;
	uint64_t mptr; /* metadata pointer */
	uint64_t prp1;
	uint64_t prp2;
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw13;
	uint32_t cdw14;
	uint32_t cdw15;
};
_Static_assert(sizeof(struct nvme_cmd) == 64, "SQE");

/* nvme_cmd.flags. Fused operations: section 3.4.2. PSDT: section 3.3.3.1. */
#define NVME_FUSE 0x03u
#define NVME_FUSE_FIRST 0x01u
#define NVME_FUSE_SECOND 0x02u
#define NVME_PSDT 0xc0u
#define NVME_PSDT_SGL 0x40u /* data by an SGL */
#define NVME_PSDT_MPTR_SGL 0x80u /* and MPTR is one */

/* Completion queue entry, 16 bytes. Section 3.3.3.2. */
struct nvme_cpl {
	uint32_t cdw0; /* command specific */
	uint32_t cdw1;
	uint16_t sqhd; /* SQ head pointer */
	uint16_t sqid;
	uint16_t cid;
	uint16_t status; /* dword 3 bits 31:16: P, SC, SCT, CRD, M, DNR, see NVME_STATUS_* */
};
_Static_assert(sizeof(struct nvme_cpl) == 16, "CQE");

/* The 16 bits of nvme_cpl.status. */
#define NVME_STATUS_P 0x0001u /* phase tag */
#define NVME_STATUS_SC(s) (((unsigned)(s) >> 1) & 0xffu)
#define NVME_STATUS_SCT(s) (((unsigned)(s) >> 9) & 0x7u)
#define NVME_STATUS_CRD(s) (((unsigned)(s) >> 12) & 0x3u) /* command retry delay: which of CRDT1 to CRDT3 */
#define NVME_STATUS_M 0x4000u /* more is in the error log */
#define NVME_STATUS_DNR 0x8000u /* do not retry */

/* SCT and SC as one number, sct << 8 | sc. Handlers return it, and tables have it as their key. */
#define NVME_SC(sct, sc) ((uint16_t)((sct) << 8 | (sc)))

/* Status code types. Section 4.2.3. */
enum nvme_sct {
	NVME_SCT_GENERIC = 0,
	NVME_SCT_COMMAND = 1, /* command specific */
	NVME_SCT_MEDIA = 2, /* media and data integrity errors */
	NVME_SCT_PATH = 3, /* path related */
	NVME_SCT_VENDOR = 7, /* vendor specific */
};

/* Status code type << 8 | status code. Section 4.2.3. */
enum nvme_status {
	NVME_SC_SUCCESS = 0x000,
	NVME_SC_INVALID_OPCODE = 0x001, /* the drive does not have the command */
	NVME_SC_INVALID_FIELD = 0x002, /* a field has a value that is reserved, or not supported */
	NVME_SC_CID_CONFLICT = 0x003, /* the CID is already in use */
	NVME_SC_DATA_TRANSFER_ERROR = 0x004, /* data or metadata could not be transferred */
	NVME_SC_ABORTED_POWER_LOSS = 0x005, /* a loss of power was announced */
	NVME_SC_INTERNAL_ERROR = 0x006,
	NVME_SC_ABORT_REQUESTED = 0x007, /* by an Abort command */
	NVME_SC_ABORTED_SQ_DELETION = 0x008, /* its submission queue was deleted */
	NVME_SC_ABORTED_FAILED_FUSED = 0x009, /* the other command of the pair failed */
	NVME_SC_ABORTED_MISSING_FUSED = 0x00a, /* the other command of the pair is not there */
	NVME_SC_INVALID_NAMESPACE = 0x00b, /* no active namespace, or its format is wrong */
	NVME_SC_COMMAND_SEQUENCE_ERROR = 0x00c, /* the command may not come now */
	NVME_SC_INVALID_SGL_SEGMENT = 0x00d, /* the segment descriptor is wrong, or not the last but one */
	NVME_SC_INVALID_SGL_COUNT = 0x00e, /* too many descriptors */
	NVME_SC_INVALID_SGL_LENGTH = 0x00f, /* the descriptors have less than the command transfers */
	NVME_SC_INVALID_SGL_METADATA_LENGTH = 0x010,
	NVME_SC_INVALID_SGL_TYPE = 0x011,
	NVME_SC_INVALID_CMB_USE = 0x012, /* the command may not use the controller memory buffer */
	NVME_SC_INVALID_PRP_OFFSET = 0x013, /* a PRP entry does not lie at a page, or at a dword */
	NVME_SC_ATOMIC_WRITE_UNIT_EXCEEDED = 0x014,
	NVME_SC_OPERATION_DENIED = 0x015, /* the host may not do that */
	NVME_SC_INVALID_SGL_OFFSET = 0x016,
	NVME_SC_HOST_ID_INCONSISTENT = 0x018, /* another controller has the host identifier in another size */
	NVME_SC_KEEP_ALIVE_EXPIRED = 0x019,
	NVME_SC_KEEP_ALIVE_INVALID = 0x01a,
	NVME_SC_PREEMPT_ABORT = 0x01b, /* by a reservation: Preempt and Abort */
	NVME_SC_SANITIZE_FAILED = 0x01c, /* the last sanitize operation failed */
	NVME_SC_SANITIZE_IN_PROGRESS = 0x01d,
	NVME_SC_SGL_GRANULARITY_INVALID = 0x01e,
	NVME_SC_IN_CMB_NOT_SUPPORTED = 0x01f,
	NVME_SC_NS_WRITE_PROTECTED = 0x020,
	NVME_SC_COMMAND_INTERRUPTED = 0x021, /* send it again */
	NVME_SC_TRANSIENT_TRANSPORT = 0x022,
	NVME_SC_PROHIBITED_BY_LOCKDOWN = 0x023, /* by a Lockdown command */
	NVME_SC_ADMIN_COMMAND_MEDIA_NOT_READY = 0x024,
	NVME_SC_INVALID_KEY_TAG = 0x025,
	NVME_SC_DISPERSED_NS_NOT_ENABLED = 0x026,
	NVME_SC_HOST_ID_NOT_INITIALIZED = 0x027,
	NVME_SC_INCORRECT_KEY = 0x028,
	NVME_SC_FDP_DISABLED = 0x029, /* flexible data placement is off */
	NVME_SC_INVALID_PLACEMENT_HANDLE_LIST = 0x02a,
	NVME_SC_LBA_OUT_OF_RANGE = 0x080, /* beyond the end of the namespace */
	NVME_SC_CAPACITY_EXCEEDED = 0x081, /* more LBAs are allocated than NCAP */
	NVME_SC_NAMESPACE_NOT_READY = 0x082,
	NVME_SC_RESERVATION_CONFLICT = 0x083, /* another host has reserved the namespace */
	NVME_SC_FORMAT_IN_PROGRESS = 0x084,
	NVME_SC_INVALID_VALUE_SIZE = 0x085, /* KV */
	NVME_SC_INVALID_KEY_SIZE = 0x086, /* KV */
	NVME_SC_KEY_DOES_NOT_EXIST = 0x087, /* KV */
	NVME_SC_UNRECOVERED_ERROR = 0x088, /* KV */
	NVME_SC_KEY_EXISTS = 0x089, /* KV */
	NVME_SC_CQ_INVALID = 0x100, /* it does not exist */
	NVME_SC_INVALID_QID = 0x101,
	NVME_SC_INVALID_QUEUE_SIZE = 0x102, /* 0, or more than CAP.MQES */
	NVME_SC_ABORT_LIMIT_EXCEEDED = 0x103, /* more than ACL */
	NVME_SC_AER_LIMIT_EXCEEDED = 0x105, /* more than AERL */
	NVME_SC_INVALID_FIRMWARE_SLOT = 0x106, /* no such slot, or it is read only */
	NVME_SC_INVALID_FIRMWARE_IMAGE = 0x107,
	NVME_SC_INVALID_INTERRUPT_VECTOR = 0x108,
	NVME_SC_INVALID_LOG_PAGE = 0x109,
	NVME_SC_INVALID_FORMAT = 0x10a, /* no such LBA format, or not with these settings */
	NVME_SC_FW_NEEDS_CONVENTIONAL_RESET = 0x10b, /* committed; activated by that reset */
	NVME_SC_INVALID_QUEUE_DELETION = 0x10c, /* a submission queue still uses the completion queue */
	NVME_SC_FEATURE_NOT_SAVEABLE = 0x10d,
	NVME_SC_FEATURE_NOT_CHANGEABLE = 0x10e,
	NVME_SC_FEATURE_NOT_NS_SPECIFIC = 0x10f, /* it has no value for each namespace */
	NVME_SC_FW_NEEDS_SUBSYSTEM_RESET = 0x110, /* committed; activated by that reset */
	NVME_SC_FW_NEEDS_CONTROLLER_RESET = 0x111, /* committed; activated by that reset */
	NVME_SC_FW_NEEDS_MAX_TIME_VIOLATION = 0x112, /* activation at once would take longer than MTFA */
	NVME_SC_FW_ACTIVATION_PROHIBITED = 0x113,
	NVME_SC_OVERLAPPING_RANGE = 0x114, /* of a firmware image or a range list */
	NVME_SC_NS_INSUFFICIENT_CAPACITY = 0x115,
	NVME_SC_NS_ID_UNAVAILABLE = 0x116,
	NVME_SC_NS_ALREADY_ATTACHED = 0x118,
	NVME_SC_NS_IS_PRIVATE = 0x119,
	NVME_SC_NS_NOT_ATTACHED = 0x11a,
	NVME_SC_THIN_PROVISIONING_NOT_SUPPORTED = 0x11b,
	NVME_SC_CONTROLLER_LIST_INVALID = 0x11c,
	NVME_SC_SELF_TEST_IN_PROGRESS = 0x11d,
	NVME_SC_BOOT_PARTITION_WRITE_PROHIBITED = 0x11e,
	NVME_SC_INVALID_CONTROLLER_ID = 0x11f,
	NVME_SC_INVALID_SECONDARY_STATE = 0x120,
	NVME_SC_INVALID_NUM_RESOURCES = 0x121,
	NVME_SC_INVALID_RESOURCE_ID = 0x122,
	NVME_SC_SANITIZE_PROHIBITED_PMR = 0x123,
	NVME_SC_ANA_GROUP_ID_INVALID = 0x124,
	NVME_SC_ANA_ATTACH_FAILED = 0x125,
	NVME_SC_INSUFFICIENT_CAPACITY = 0x126, /* by Capacity Management */
	NVME_SC_NS_ATTACHMENT_LIMIT_EXCEEDED = 0x127,
	NVME_SC_PROHIBITION_NOT_SUPPORTED = 0x128, /* by Lockdown */
	NVME_SC_COMMAND_SET_NOT_SUPPORTED = 0x129,
	NVME_SC_COMMAND_SET_NOT_ENABLED = 0x12a,
	NVME_SC_COMMAND_SET_COMBINATION_REJECTED = 0x12b,
	NVME_SC_INVALID_COMMAND_SET = 0x12c,
	NVME_SC_ID_UNAVAILABLE = 0x12d,
	NVME_SC_NS_IS_DISPERSED = 0x12e,
	NVME_SC_INVALID_DISCOVERY_INFORMATION = 0x12f,
	NVME_SC_ZONING_DATA_STRUCTURE_LOCKED = 0x130, /* of a discovery controller */
	NVME_SC_ZONING_DATA_STRUCTURE_NOT_FOUND = 0x131,
	NVME_SC_INSUFFICIENT_DISCOVERY_RESOURCES = 0x132,
	NVME_SC_REQUESTED_FUNCTION_DISABLED = 0x133,
	NVME_SC_ZONEGROUP_ORIGINATOR_INVALID = 0x134,
	NVME_SC_INVALID_HOST = 0x135,
	NVME_SC_INVALID_NVM_SUBSYSTEM = 0x136,
	NVME_SC_INVALID_CONTROLLER_DATA_QUEUE = 0x137,
	NVME_SC_NOT_ENOUGH_RESOURCES = 0x138,
	NVME_SC_CONTROLLER_SUSPENDED = 0x139,
	NVME_SC_CONTROLLER_NOT_SUSPENDED = 0x13a,
	NVME_SC_CONTROLLER_DATA_QUEUE_FULL = 0x13b,
	NVME_SC_INVALID_POWER_LIMIT = 0x13e, /* it prohibits all operational power states */
	NVME_SC_STREAM_ALLOCATION_FAILED = 0x17f,
	NVME_SC_CONFLICTING_ATTRIBUTES = 0x180, /* of Dataset Management */
	NVME_SC_INVALID_PROTECTION_INFO = 0x181,
	NVME_SC_WRITE_TO_READ_ONLY = 0x182,
	NVME_SC_COMMAND_SIZE_LIMIT_EXCEEDED = 0x183,
	NVME_SC_INVALID_COMMAND_ID = 0x184, /* of Cancel */
	NVME_SC_INCOMPATIBLE_NAMESPACE = 0x185, /* of Copy */
	NVME_SC_FAST_COPY_NOT_POSSIBLE = 0x186,
	NVME_SC_OVERLAPPING_IO_RANGE = 0x187, /* of Copy */
	NVME_SC_NAMESPACE_NOT_REACHABLE = 0x188,
	NVME_SC_INSUFFICIENT_RESOURCES = 0x189,
	NVME_SC_ZRWA_INVALID_ZONE_OPERATION = 0x1b6, /* ZNS */
	NVME_SC_ZRWA_RESOURCES_UNAVAILABLE = 0x1b7, /* ZNS */
	NVME_SC_ZONE_BOUNDARY_ERROR = 0x1b8, /* ZNS: the LBAs lie in two zones */
	NVME_SC_ZONE_IS_FULL = 0x1b9, /* ZNS */
	NVME_SC_ZONE_IS_READ_ONLY = 0x1ba, /* ZNS */
	NVME_SC_ZONE_IS_OFFLINE = 0x1bb, /* ZNS */
	NVME_SC_ZONE_INVALID_WRITE = 0x1bc, /* ZNS: not at the write pointer */
	NVME_SC_TOO_MANY_ACTIVE_ZONES = 0x1bd, /* ZNS */
	NVME_SC_TOO_MANY_OPEN_ZONES = 0x1be, /* ZNS */
	NVME_SC_INVALID_ZONE_STATE_TRANSITION = 0x1bf, /* ZNS */
	NVME_SC_WRITE_FAULT = 0x280,
	NVME_SC_UNRECOVERED_READ_ERROR = 0x281,
	NVME_SC_GUARD_CHECK_ERROR = 0x282,
	NVME_SC_APPLICATION_TAG_CHECK_ERROR = 0x283,
	NVME_SC_REFERENCE_TAG_CHECK_ERROR = 0x284,
	NVME_SC_COMPARE_FAILURE = 0x285, /* the data differ */
	NVME_SC_ACCESS_DENIED = 0x286, /* the LBAs are locked */
	NVME_SC_DEALLOCATED_OR_UNWRITTEN = 0x287, /* an error by feature 05h */
	NVME_SC_STORAGE_TAG_CHECK_ERROR = 0x288,
	NVME_SC_INTERNAL_PATH_ERROR = 0x300,
	NVME_SC_ANA_PERSISTENT_LOSS = 0x301,
	NVME_SC_ANA_INACCESSIBLE = 0x302,
	NVME_SC_ANA_TRANSITION = 0x303,
	NVME_SC_CONTROLLER_PATHING_ERROR = 0x360,
	NVME_SC_HOST_PATHING_ERROR = 0x370,
	NVME_SC_ABORTED_BY_HOST = 0x371,
};

/* Opcodes of admin commands. */
enum nvme_admin_opcode {
	NVME_ADMIN_DELETE_SQ = 0x00,
	NVME_ADMIN_CREATE_SQ = 0x01,
	NVME_ADMIN_GET_LOG_PAGE = 0x02,
	NVME_ADMIN_DELETE_CQ = 0x04,
	NVME_ADMIN_CREATE_CQ = 0x05,
	NVME_ADMIN_IDENTIFY = 0x06,
	NVME_ADMIN_ABORT = 0x08,
	NVME_ADMIN_SET_FEATURES = 0x09,
	NVME_ADMIN_GET_FEATURES = 0x0a,
	NVME_ADMIN_ASYNC_EVENT = 0x0c,
	NVME_ADMIN_NS_MANAGEMENT = 0x0d,
	NVME_ADMIN_FW_COMMIT = 0x10,
	NVME_ADMIN_FW_DOWNLOAD = 0x11,
	NVME_ADMIN_SELF_TEST = 0x14,
	NVME_ADMIN_NS_ATTACHMENT = 0x15,
	NVME_ADMIN_KEEP_ALIVE = 0x18,
	NVME_ADMIN_DIRECTIVE_SEND = 0x19,
	NVME_ADMIN_DIRECTIVE_RECEIVE = 0x1a,
	NVME_ADMIN_VIRTUALIZATION = 0x1c,
	NVME_ADMIN_MI_SEND = 0x1d, /* carries a command of another interface, which may change any data */
	NVME_ADMIN_MI_RECEIVE = 0x1e,
	NVME_ADMIN_CAPACITY_MANAGEMENT = 0x20,
	NVME_ADMIN_LOCKDOWN = 0x24,
	NVME_ADMIN_TRACK_SEND = 0x3d,
	NVME_ADMIN_TRACK_RECEIVE = 0x3e,
	NVME_ADMIN_MIGRATION_SEND = 0x41, /* may load another state into a controller */
	NVME_ADMIN_MIGRATION_RECEIVE = 0x42,
	NVME_ADMIN_CONTROLLER_DATA_QUEUE = 0x45,
	NVME_ADMIN_DOORBELL_BUFFER_CONFIG = 0x7c,
	NVME_ADMIN_FORMAT_NVM = 0x80,
	NVME_ADMIN_SECURITY_SEND = 0x81, /* may erase by a change of keys */
	NVME_ADMIN_SECURITY_RECEIVE = 0x82,
	NVME_ADMIN_SANITIZE = 0x84,
	NVME_ADMIN_GET_LBA_STATUS = 0x86,
};

/* Opcodes of the NVM and the Zoned Namespace Command Set. */
enum nvme_io_opcode {
	NVME_IO_FLUSH = 0x00,
	NVME_IO_WRITE = 0x01,
	NVME_IO_READ = 0x02,
	NVME_IO_WRITE_UNCORRECTABLE = 0x04,
	NVME_IO_COMPARE = 0x05,
	NVME_IO_WRITE_ZEROES = 0x08,
	NVME_IO_DSM = 0x09,
	NVME_IO_VERIFY = 0x0c,
	NVME_IO_RESERVATION_REGISTER = 0x0d,
	NVME_IO_RESERVATION_REPORT = 0x0e,
	NVME_IO_RESERVATION_ACQUIRE = 0x11,
	NVME_IO_MANAGEMENT_RECEIVE = 0x12,
	NVME_IO_RESERVATION_RELEASE = 0x15,
	NVME_IO_CANCEL = 0x18,
	NVME_IO_COPY = 0x19, /* source ranges of formats 1h and 3h are 40 bytes long */
	NVME_IO_MANAGEMENT_SEND = 0x1d,
	NVME_IO_ZONE_MGMT_SEND = 0x79,
	NVME_IO_ZONE_MGMT_RECEIVE = 0x7a,
	NVME_IO_ZONE_APPEND = 0x7d,
};

/* Opcodes of the Key Value Command Set. */
enum nvme_kv_opcode {
	NVME_KV_STORE = 0x01,
	NVME_KV_RETRIEVE = 0x02,
	NVME_KV_LIST = 0x06,
	NVME_KV_DELETE = 0x10,
	NVME_KV_EXIST = 0x14,
};

/* Bits 1:0 of an opcode: how data move. Section 3.3.3.1. */
enum nvme_data_direction {
	NVME_DATA_NONE = 0,
	NVME_DATA_TO_DEVICE = 1,
	NVME_DATA_FROM_DEVICE = 2,
	NVME_DATA_BOTH = 3,
};

/* Create I/O Submission Queue and Create I/O Completion Queue, command dword 11. */
#define NVME_QUEUE_PC 0x1u /* physically contiguous */
#define NVME_QUEUE_IEN 0x2u /* completion queue: interrupts enabled */
#define NVME_QUEUE_QPRIO_SHIFT 1 /* submission queue: priority, 2 bits */

/* QPRIO of Create I/O Submission Queue, for weighted round robin. Section 5.2.2. */
enum nvme_queue_priority {
	NVME_QPRIO_URGENT = 0,
	NVME_QPRIO_HIGH = 1,
	NVME_QPRIO_MEDIUM = 2,
	NVME_QPRIO_LOW = 3,
};

/* Firmware Commit, command dword 10. */
#define NVME_FW_SLOT_MASK 0x7u
#define NVME_FW_ACTION_SHIFT 3 /* enum nvme_fw_action */

/* CA of Firmware Commit. Section 5.1.8. */
enum nvme_fw_action {
	NVME_FW_REPLACE = 0, /* put the downloaded image into the slot */
	NVME_FW_REPLACE_ACTIVATE = 1, /* and activate it at the next reset */
	NVME_FW_ACTIVATE = 2, /* activate the image in the slot at the next reset */
	NVME_FW_ACTIVATE_NOW = 3, /* activate the downloaded image, or else the image in the slot, at once */
	NVME_FW_BOOT_REPLACE = 6, /* put the downloaded image into the boot partition */
	NVME_FW_BOOT_ACTIVATE = 7, /* make it the active boot partition */
};

/* STC of Device Self-test. Section 5.1.5. */
enum nvme_self_test {
	NVME_SELF_TEST_SHORT = 0x1,
	NVME_SELF_TEST_EXTENDED = 0x2,
	NVME_SELF_TEST_HOST_INITIATED_REFRESH = 0x3,
	NVME_SELF_TEST_VENDOR = 0xe,
	NVME_SELF_TEST_ABORT = 0xf, /* the operation that is in progress */
};

/* SES of Format NVM. Section 5.1.10. */
enum nvme_secure_erase {
	NVME_ERASE_NONE = 0,
	NVME_ERASE_USER_DATA = 1,
	NVME_ERASE_CRYPTO = 2, /* erase the key */
};

/* Sanitize, command dword 10. Section 5.1.22. */
#define NVME_SANITIZE_ACTION 0x7u /* enum nvme_sanitize_action */
#define NVME_SANITIZE_AUSE 0x8u /* allow unrestricted sanitize exit */
#define NVME_SANITIZE_OWPASS_SHIFT 4 /* overwrite passes, 4 bits; 0: 16 */
#define NVME_SANITIZE_OIPBP 0x100u /* overwrite: invert the pattern between passes */
#define NVME_SANITIZE_NDAS 0x200u /* no-deallocate after sanitize */
#define NVME_SANITIZE_EMVS 0x400u /* enter the media verification state */

/* SANACT of Sanitize. Section 5.1.22. */
enum nvme_sanitize_action {
	NVME_SANITIZE_EXIT_FAILURE = 1, /* end the failure mode */
	NVME_SANITIZE_BLOCK_ERASE = 2,
	NVME_SANITIZE_OVERWRITE = 3,
	NVME_SANITIZE_CRYPTO_ERASE = 4,
	NVME_SANITIZE_EXIT_MEDIA_VERIFICATION = 5,
};

/* SEL of Namespace Management. Section 5.1.21. */
enum nvme_ns_management {
	NVME_NS_CREATE = 0,
	NVME_NS_DELETE = 1,
};

/* ACT of Virtualization Management. Section 5.2.6. */
enum nvme_virtualization_action {
	NVME_VIRTUALIZATION_PRIMARY_FLEXIBLE = 1, /* set the flexible resources of the primary controller */
	NVME_VIRTUALIZATION_SECONDARY_OFFLINE = 7,
	NVME_VIRTUALIZATION_SECONDARY_ASSIGN = 8, /* assign resources to a secondary controller */
	NVME_VIRTUALIZATION_SECONDARY_ONLINE = 9,
};

/* SEL of Controller Data Queue. Section 5.1.4. */
enum nvme_data_queue_operation {
	NVME_DATA_QUEUE_CREATE = 0,
	NVME_DATA_QUEUE_DELETE = 1,
};

/* SEL of Track Send. Section 5.1.27. */
enum nvme_tracking {
	NVME_TRACK_USER_DATA = 0, /* log changes of user data */
	NVME_TRACK_MEMORY = 1, /* track changes of host memory */
};

/* SEL of Migration Send. Section 5.1.17. */
enum nvme_migration_send {
	NVME_MIGRATION_SUSPEND = 0,
	NVME_MIGRATION_RESUME = 1,
	NVME_MIGRATION_SET_STATE = 2, /* set the controller's state */
};

/* SEQIND of Migration Send: which part of the state a command has. Section 5.1.17.1.3. */
enum nvme_migration_sequence {
	NVME_SEQUENCE_MIDDLE = 0,
	NVME_SEQUENCE_FIRST = 1,
	NVME_SEQUENCE_LAST = 2,
	NVME_SEQUENCE_ENTIRE = 3, /* the first and the last */
};

/* SEL of Namespace Attachment. Section 5.1.20. */
enum nvme_ns_attachment {
	NVME_NS_ATTACH = 0,
	NVME_NS_DETACH = 1,
};

/* SCP of Lockdown: the kind of OFI. Section 5.1.15. */
enum nvme_lockdown_scope {
	NVME_LOCKDOWN_ADMIN = 0, /* an admin command by its opcode */
	NVME_LOCKDOWN_FEATURE = 2, /* a feature by its FID */
	NVME_LOCKDOWN_MI = 3, /* a command of the Management Interface by its opcode */
	NVME_LOCKDOWN_PCIE = 4, /* a PCIe command of the Management Interface by its opcode */
};

/* IFC of Lockdown: by which interface the command is prohibited. Section 5.1.15. */
enum nvme_lockdown_interface {
	NVME_LOCKDOWN_BY_ADMIN_QUEUE = 0, /* the admin submission queue */
	NVME_LOCKDOWN_BY_ADMIN_QUEUE_AND_OUT_OF_BAND = 1, /* it, and out of band on a management endpoint */
	NVME_LOCKDOWN_BY_OUT_OF_BAND = 2, /* out of band on a management endpoint */
};

/* OPER of Capacity Management. Section 5.1.3. */
enum nvme_capacity_operation {
	NVME_CAPACITY_SELECT_CONFIGURATION = 0,
	NVME_CAPACITY_CREATE_ENDURANCE_GROUP = 1,
	NVME_CAPACITY_DELETE_ENDURANCE_GROUP = 2,
	NVME_CAPACITY_CREATE_NVM_SET = 3,
	NVME_CAPACITY_DELETE_NVM_SET = 4,
};

/* Command dword 12 of Read, Write and their relatives. */
#define NVME_RW_LR (UINT32_C(1) << 31) /* limited retry */
#define NVME_RW_FUA (UINT32_C(1) << 30) /* force unit access */
#define NVME_RW_PRACT (UINT32_C(1) << 29) /* protection information action */
#define NVME_RW_CHECK_GUARD (UINT32_C(1) << 28) /* PRCHK: check the guard */
#define NVME_RW_CHECK_APP (UINT32_C(1) << 27) /* PRCHK: check the application tag */
#define NVME_RW_CHECK_REF (UINT32_C(1) << 26) /* PRCHK: check the reference tag */
#define NVME_RW_STC (UINT32_C(1) << 24) /* check the storage tag */
#define NVME_RW_DEAC (UINT32_C(1) << 25) /* Write Zeroes: deallocate */

/* Dataset Management: one range, 16 bytes. */
struct nvme_dsm_range {
	uint32_t attr; /* context attributes */
	uint32_t nlb; /* length in LBAs, not 0's based */
	uint64_t slba;
};
_Static_assert(sizeof(struct nvme_dsm_range) == 16, "DSM range");

#define NVME_DSM_AD 0x4u /* command dword 11: deallocate */

/* Copy: a source range of format 0h. Section NVM 3.3.2. */
struct nvme_copy_range {
	uint8_t rsvd0[8];
	uint64_t slba;
	uint16_t nlb; /* how many LBAs, 0's based */
	uint8_t rsvd18[6];
	uint32_t elbt; /* expected initial reference tag */
	uint16_t elbat; /* expected application tag */
	uint16_t elbatm; /* its mask */
};
_Static_assert(sizeof(struct nvme_copy_range) == 32, "Copy range");

/* ZSA of Zone Management Send. Section ZNS 3.4.3. */
enum nvme_zone_send {
	NVME_ZONE_CLOSE = 0x01,
	NVME_ZONE_FINISH = 0x02,
	NVME_ZONE_OPEN = 0x03,
	NVME_ZONE_RESET = 0x04,
	NVME_ZONE_OFFLINE = 0x05,
	NVME_ZONE_SET_DESCRIPTOR_EXTENSION = 0x10,
	NVME_ZONE_FLUSH = 0x11, /* of a random write area, explicitly */
};

/* ZRA of Zone Management Receive. Section ZNS 3.4.2. */
enum nvme_zone_receive {
	NVME_ZONE_REPORT = 0x00,
	NVME_ZONE_REPORT_EXTENDED = 0x01,
};

#endif
