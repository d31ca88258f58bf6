/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Submission and completion queue entries, opcodes and status values.
 * NVM Express Base Specification 2.0, section 3.3.3; NVM Command Set Specification 1.0, section 3.
 * Layout only, no behaviour: host and virtual SSD both include it.
 */
#ifndef SPEC_NVME_CMD_H
#define SPEC_NVME_CMD_H

#include <stdint.h>

/* Submission queue entry, 64 bytes. */
struct nvme_cmd {
	uint8_t opc;   /* cdw0 7:0 */
	uint8_t flags; /* cdw0 15:8: FUSE in bits 1:0, PSDT in bits 7:6 */
	uint16_t cid;  /* cdw0 31:16 */
	uint32_t nsid;
	uint32_t cdw2;
	uint32_t cdw3;
	uint64_t mptr;
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

/* nvme_cmd.flags. Fused operations: section 3.4.2. */
#define NVME_FUSE 0x03u
#define NVME_FUSE_FIRST 0x01u
#define NVME_FUSE_SECOND 0x02u
#define NVME_PSDT 0xc0u

/* Completion queue entry, 16 bytes. */
struct nvme_cpl {
	uint32_t cdw0; /* command specific */
	uint32_t cdw1;
	uint16_t sqhd; /* SQ head pointer */
	uint16_t sqid;
	uint16_t cid;
	uint16_t status; /* dword 3 31:16: P, SC, SCT, CRD, M, DNR, see NVME_STATUS_* */
};
_Static_assert(sizeof(struct nvme_cpl) == 16, "CQE");

/* The 16 bits of nvme_cpl.status. */
#define NVME_STATUS_P 0x0001u
#define NVME_STATUS_SC(s) (((unsigned)(s) >> 1) & 0xffu)
#define NVME_STATUS_SCT(s) (((unsigned)(s) >> 9) & 7u)
#define NVME_STATUS_CRD(s) (((unsigned)(s) >> 12) & 3u)
#define NVME_STATUS_M 0x4000u
#define NVME_STATUS_DNR 0x8000u

/* SCT and SC as one number, sct << 8 | sc: what handlers return and tables are keyed by. */
#define NVME_SC(sct, sc) ((uint16_t)((sct) << 8 | (sc)))

enum nvme_sct {
	NVME_SCT_GENERIC = 0,
	NVME_SCT_COMMAND = 1,
	NVME_SCT_MEDIA = 2,
	NVME_SCT_PATH = 3,
	NVME_SCT_VENDOR = 7
};

enum nvme_status {
	NVME_SC_SUCCESS = 0x000,
	NVME_SC_INVALID_OPCODE = 0x001,
	NVME_SC_INVALID_FIELD = 0x002,
	NVME_SC_CID_CONFLICT = 0x003,
	NVME_SC_DATA_TRANSFER_ERROR = 0x004,
	NVME_SC_ABORTED_POWER_LOSS = 0x005,
	NVME_SC_INTERNAL_ERROR = 0x006,
	NVME_SC_ABORT_REQUESTED = 0x007,
	NVME_SC_ABORTED_SQ_DELETION = 0x008,
	NVME_SC_ABORTED_FAILED_FUSED = 0x009,
	NVME_SC_ABORTED_MISSING_FUSED = 0x00a,
	NVME_SC_INVALID_NAMESPACE = 0x00b,
	NVME_SC_COMMAND_SEQUENCE_ERROR = 0x00c,
	NVME_SC_INVALID_SGL_SEGMENT = 0x00d,
	NVME_SC_INVALID_SGL_COUNT = 0x00e,
	NVME_SC_INVALID_SGL_LENGTH = 0x00f,
	NVME_SC_INVALID_SGL_METADATA_LENGTH = 0x010,
	NVME_SC_INVALID_SGL_TYPE = 0x011,
	NVME_SC_INVALID_CMB_USE = 0x012,
	NVME_SC_INVALID_PRP_OFFSET = 0x013,
	NVME_SC_ATOMIC_WRITE_UNIT_EXCEEDED = 0x014,
	NVME_SC_OPERATION_DENIED = 0x015,
	NVME_SC_INVALID_SGL_OFFSET = 0x016,
	NVME_SC_HOST_ID_INCONSISTENT = 0x018,
	NVME_SC_KEEP_ALIVE_EXPIRED = 0x019,
	NVME_SC_KEEP_ALIVE_INVALID = 0x01a,
	NVME_SC_PREEMPT_ABORT = 0x01b,
	NVME_SC_SANITIZE_FAILED = 0x01c,
	NVME_SC_SANITIZE_IN_PROGRESS = 0x01d,
	NVME_SC_SGL_GRANULARITY_INVALID = 0x01e,
	NVME_SC_IN_CMB_NOT_SUPPORTED = 0x01f,
	NVME_SC_NS_WRITE_PROTECTED = 0x020,
	NVME_SC_COMMAND_INTERRUPTED = 0x021,
	NVME_SC_TRANSIENT_TRANSPORT = 0x022,
	NVME_SC_ADMIN_COMMAND_MEDIA_NOT_READY = 0x024,
	NVME_SC_LBA_OUT_OF_RANGE = 0x080,
	NVME_SC_CAPACITY_EXCEEDED = 0x081,
	NVME_SC_NAMESPACE_NOT_READY = 0x082,
	NVME_SC_RESERVATION_CONFLICT = 0x083,
	NVME_SC_FORMAT_IN_PROGRESS = 0x084,

	NVME_SC_CQ_INVALID = 0x100,
	NVME_SC_INVALID_QID = 0x101,
	NVME_SC_INVALID_QUEUE_SIZE = 0x102,
	NVME_SC_ABORT_LIMIT_EXCEEDED = 0x103,
	NVME_SC_AER_LIMIT_EXCEEDED = 0x105,
	NVME_SC_INVALID_FIRMWARE_SLOT = 0x106,
	NVME_SC_INVALID_FIRMWARE_IMAGE = 0x107,
	NVME_SC_INVALID_INTERRUPT_VECTOR = 0x108,
	NVME_SC_INVALID_LOG_PAGE = 0x109,
	NVME_SC_INVALID_FORMAT = 0x10a,
	NVME_SC_FW_NEEDS_CONVENTIONAL_RESET = 0x10b,
	NVME_SC_INVALID_QUEUE_DELETION = 0x10c,
	NVME_SC_FEATURE_NOT_SAVEABLE = 0x10d,
	NVME_SC_FEATURE_NOT_CHANGEABLE = 0x10e,
	NVME_SC_FEATURE_NOT_NS_SPECIFIC = 0x10f,
	NVME_SC_FW_NEEDS_SUBSYSTEM_RESET = 0x110,
	NVME_SC_FW_NEEDS_CONTROLLER_RESET = 0x111,
	NVME_SC_FW_NEEDS_MAX_TIME_VIOLATION = 0x112,
	NVME_SC_FW_ACTIVATION_PROHIBITED = 0x113,
	NVME_SC_OVERLAPPING_RANGE = 0x114,
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
	NVME_SC_COMMAND_SET_NOT_SUPPORTED = 0x129,
	NVME_SC_INVALID_COMMAND_SET = 0x12c,
	NVME_SC_CONFLICTING_ATTRIBUTES = 0x180,
	NVME_SC_INVALID_PROTECTION_INFO = 0x181,
	NVME_SC_WRITE_TO_READ_ONLY = 0x182,

	NVME_SC_WRITE_FAULT = 0x280,
	NVME_SC_UNRECOVERED_READ_ERROR = 0x281,
	NVME_SC_GUARD_CHECK_ERROR = 0x282,
	NVME_SC_APPLICATION_TAG_CHECK_ERROR = 0x283,
	NVME_SC_REFERENCE_TAG_CHECK_ERROR = 0x284,
	NVME_SC_COMPARE_FAILURE = 0x285,
	NVME_SC_ACCESS_DENIED = 0x286,
	NVME_SC_DEALLOCATED_OR_UNWRITTEN = 0x287,
};

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
	NVME_ADMIN_MI_SEND = 0x1d,
	NVME_ADMIN_MI_RECEIVE = 0x1e,
	NVME_ADMIN_CAPACITY_MANAGEMENT = 0x20,
	NVME_ADMIN_LOCKDOWN = 0x24,
	NVME_ADMIN_DOORBELL_BUFFER_CONFIG = 0x7c,
	NVME_ADMIN_FORMAT_NVM = 0x80,
	NVME_ADMIN_SECURITY_SEND = 0x81,
	NVME_ADMIN_SECURITY_RECEIVE = 0x82,
	NVME_ADMIN_SANITIZE = 0x84,
	NVME_ADMIN_GET_LBA_STATUS = 0x86,
};

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
	NVME_IO_COPY = 0x19,
	NVME_IO_MANAGEMENT_SEND = 0x1d,
	NVME_IO_ZONE_MGMT_SEND = 0x79,
	NVME_IO_ZONE_MGMT_RECEIVE = 0x7a,
	NVME_IO_ZONE_APPEND = 0x7d,
};

/* Bits 1:0 of an opcode: how data move. */
enum nvme_data_direction {
	NVME_DATA_NONE = 0,
	NVME_DATA_TO_DEVICE = 1,
	NVME_DATA_FROM_DEVICE = 2,
	NVME_DATA_BOTH = 3
};

/* Command dword 12 of Read, Write and their relatives. */
#define NVME_RW_LR (UINT32_C(1) << 31)    /* limited retry */
#define NVME_RW_FUA (UINT32_C(1) << 30)   /* force unit access */
#define NVME_RW_PRACT (UINT32_C(1) << 29) /* protection information action */
#define NVME_RW_DEAC (UINT32_C(1) << 25)  /* Write Zeroes: deallocate */

/* Dataset Management: one range, 16 bytes. */
struct nvme_dsm_range {
	uint32_t attr;
	uint32_t nlb; /* length in LBAs, not 0's based */
	uint64_t slba;
};
_Static_assert(sizeof(struct nvme_dsm_range) == 16, "DSM range");

#define NVME_DSM_AD 0x4u /* cdw11: deallocate */

/* Firmware Commit, command dword 10: bits 2:0 slot, 5:3 commit action. */
#define NVME_FW_SLOT_MASK 0x7u
#define NVME_FW_ACTION_SHIFT 3

enum nvme_fw_action {
	NVME_FW_REPLACE = 0,          /* put the downloaded image into the slot */
	NVME_FW_REPLACE_ACTIVATE = 1, /* and activate it at the next reset */
	NVME_FW_ACTIVATE = 2,         /* activate what is in the slot at the next reset */
	NVME_FW_ACTIVATE_NOW = 3,     /* activate the downloaded image, or else what is in the slot, at once */
	NVME_FW_BOOT_REPLACE = 6,
	NVME_FW_BOOT_ACTIVATE = 7,
};

/* Device Self-test, command dword 10 bits 3:0. */
enum nvme_self_test {
	NVME_SELF_TEST_SHORT = 0x1,
	NVME_SELF_TEST_EXTENDED = 0x2,
	NVME_SELF_TEST_VENDOR = 0xe,
	NVME_SELF_TEST_ABORT = 0xf,
};

/* Sanitize, command dword 10. Base Specification 2.0, section 5.24. */
#define NVME_SANITIZE_ACTION 0x7u /* enum nvme_sanitize_action */
#define NVME_SANITIZE_AUSE 0x8u   /* allow unrestricted sanitize exit */
#define NVME_SANITIZE_OWPASS_SHIFT 4
#define NVME_SANITIZE_OIPBP 0x100u /* overwrite: invert the pattern between passes */
#define NVME_SANITIZE_NDAS 0x200u  /* no-deallocate after sanitize */

enum nvme_sanitize_action {
	NVME_SANITIZE_EXIT_FAILURE = 1,
	NVME_SANITIZE_BLOCK_ERASE = 2,
	NVME_SANITIZE_OVERWRITE = 3,
	NVME_SANITIZE_CRYPTO_ERASE = 4,
};

#endif
