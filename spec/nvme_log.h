/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log pages, features and asynchronous events.
 * NVM Express Base Specification 2.0, sections 5.2, 5.16 and 5.27.
 * Layout only, no behaviour: host and virtual SSD both include it.
 */
#ifndef SPEC_NVME_LOG_H
#define SPEC_NVME_LOG_H

#include <stddef.h>
#include <stdint.h>

enum nvme_lid {
	NVME_LOG_SUPPORTED = 0x00,
	NVME_LOG_ERROR = 0x01,
	NVME_LOG_SMART = 0x02,
	NVME_LOG_FIRMWARE = 0x03,
	NVME_LOG_CHANGED_NS = 0x04,
	NVME_LOG_EFFECTS = 0x05,
	NVME_LOG_SELF_TEST = 0x06,
	NVME_LOG_TELEMETRY_HOST = 0x07,
	NVME_LOG_TELEMETRY_CTRL = 0x08,
	NVME_LOG_ENDURANCE_GROUP = 0x09,
	NVME_LOG_PERSISTENT_EVENT = 0x0d,
	NVME_LOG_LBA_STATUS = 0x0e,
	NVME_LOG_FEATURE_EFFECTS = 0x12,
	NVME_LOG_MI_EFFECTS = 0x13,
	NVME_LOG_RESERVATION = 0x80,
	NVME_LOG_SANITIZE = 0x81,
};

/* Get Log Page, command dword 10. */
#define NVME_LOG_RAE 0x8000u    /* retain asynchronous event */
#define NVME_LOG_CREATE 0x0100u /* LSP of log page 07h: capture the state now */

/* Log page 00h: one entry for each LID. */
struct nvme_supported_logs {
	uint32_t lids[256];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_supported_logs) == 1024, "LID 00h");

#define NVME_LOG_LSUPP 0x1u
#define NVME_LOG_IOS 0x2u /* offsets may be indexes */

/* Log page 01h, one entry, the newest comes first. */
struct nvme_error_log_entry {
	uint64_t ecnt; /* 1 for the first error of the drive's life; 0: this entry is not in use */
	uint16_t sqid;
	uint16_t cid;
	uint16_t status; /* bits 15:1 as in the completion, bit 0 its phase tag */
	uint16_t pel;    /* bits 7:0 byte, 10:8 bit of the command in error; FFFFh: no particular one */
	uint64_t lba;
	uint32_t nsid;
	uint8_t vsia;
	uint8_t trtype;
	uint8_t rsvd30[2];
	uint64_t csinfo; /* command specific */
	uint16_t ttsi;
	uint8_t rsvd42[22];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_error_log_entry) == 64, "LID 01h");

/* Log page 02h, 512 bytes. 128-bit numbers are two little-endian halves, the low one first. */
struct nvme_smart_log {
	uint8_t cw;     /* NVME_SMART_* */
	uint16_t ctemp; /* composite temperature, Kelvin; bytes 2:1 */
	uint8_t avsp;   /* percent */
	uint8_t avspt;
	uint8_t pused;
	uint8_t egcws;
	uint8_t rsvd7[25];
	uint64_t dur[2]; /* data units read: 1000 units of 512 bytes, rounded up */
	uint64_t duw[2];
	uint64_t hrc[2]; /* host read commands */
	uint64_t hwc[2];
	uint64_t cbt[2];   /* controller busy time, minutes */
	uint64_t pwrc[2];  /* power cycles */
	uint64_t poh[2];   /* power on hours */
	uint64_t upl[2];   /* unexpected power losses (unsafe shutdowns) */
	uint64_t mdie[2];  /* media and data integrity errors */
	uint64_t neile[2]; /* entries ever made in the error log */
	uint32_t wctt;     /* minutes at or above WCTEMP */
	uint32_t cctt;     /* minutes at or above CCTEMP */
	uint16_t tsen[8];  /* temperature sensors, Kelvin; 0: not there */
	uint32_t tmt1tc;
	uint32_t tmt2tc;
	uint32_t ttmt1;
	uint32_t ttmt2;
	uint8_t rsvd232[280];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_smart_log) == 512, "LID 02h");
_Static_assert(offsetof(struct nvme_smart_log, dur) == 32, "DUR");
_Static_assert(offsetof(struct nvme_smart_log, pwrc) == 112, "PWRC");
_Static_assert(offsetof(struct nvme_smart_log, wctt) == 192, "WCTT");

/* Critical warnings, and the bits of feature 0Bh that let them raise an event. */
#define NVME_SMART_SPARE 0x01u
#define NVME_SMART_TEMPERATURE 0x02u
#define NVME_SMART_RELIABILITY 0x04u
#define NVME_SMART_READ_ONLY 0x08u
#define NVME_SMART_BACKUP 0x10u
#define NVME_SMART_PMR 0x20u

/* Log page 03h, 512 bytes. */
struct nvme_firmware_log {
	uint8_t afi; /* bits 2:0 active slot, 6:4 slot of the next reset, 0: none was chosen */
	uint8_t rsvd1[7];
	char frs[7][8]; /* revision in slots 1 … 7; NULs: empty */
	uint8_t rsvd64[448];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_firmware_log) == 512, "LID 03h");

/* Log page 04h: NSIDs that changed; FFFFFFFFh in the first entry: more than fit. */
#define NVME_CHANGED_NS_MAX 1024u

/* Log page 05h: one entry for each opcode. */
struct nvme_effects_log {
	uint32_t acs[256];
	uint32_t iocs[256];
	uint8_t rsvd2048[2048];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_effects_log) == 4096, "LID 05h");

#define NVME_EFFECT_CSUPP (1u << 0) /* supported */
#define NVME_EFFECT_LBCC (1u << 1)  /* may change contents of LBAs */
#define NVME_EFFECT_NCC (1u << 2)   /* may change a namespace's capabilities */
#define NVME_EFFECT_NIC (1u << 3)   /* may change the number of namespaces */
#define NVME_EFFECT_CCC (1u << 4)   /* may change the controller's capabilities */
#define NVME_EFFECT_CSE_SHIFT 16    /* 1: no other command for the namespace, 2: for any, while it runs */

/* Bits 31:20, the scope: reserved before 2.0. */
#define NVME_EFFECT_SCOPES 0xfff00000u
#define NVME_EFFECT_SCOPE_NS (1u << 20)
#define NVME_EFFECT_SCOPE_CTRL (1u << 21)
#define NVME_EFFECT_SCOPE_SUBSYSTEM (1u << 25)

/* Log page 06h. */
#define NVME_SELF_TEST_RESULTS 20u

struct nvme_self_test_result {
	uint8_t dsts; /* bits 7:4 enum nvme_self_test, 3:0 enum nvme_self_test_status */
	uint8_t segn; /* that failed */
	uint8_t vdi;  /* NVME_SELF_TEST_VDI_*: which of the next fields are valid */
	uint8_t rsvd3;
	uint64_t poh; /* power on hours when it ended */
	uint32_t nsid;
	uint64_t flba; /* failing LBA */
	uint8_t sct;
	uint8_t sc;
	uint8_t vs[2];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_self_test_result) == 28, "self-test result");

#define NVME_SELF_TEST_VDI_NSID 0x1u
#define NVME_SELF_TEST_VDI_FLBA 0x2u
#define NVME_SELF_TEST_VDI_SCT 0x4u
#define NVME_SELF_TEST_VDI_SC 0x8u

struct nvme_self_test_log {
	uint8_t cdsto; /* bits 3:0 operation in progress: enum nvme_self_test, 0: none */
	uint8_t cdstc; /* bits 6:0 percent of it that are done */
	uint8_t rsvd2[2];
	struct nvme_self_test_result results[NVME_SELF_TEST_RESULTS]; /* the newest comes first */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_self_test_log) == 564, "LID 06h");

enum nvme_self_test_status {
	NVME_SELF_TEST_PASSED = 0x0,
	NVME_SELF_TEST_ABORTED = 0x1, /* by a Device Self-test command */
	NVME_SELF_TEST_RESET = 0x2,   /* ended by a Controller Level Reset */
	NVME_SELF_TEST_NS_REMOVED = 0x3,
	NVME_SELF_TEST_FORMAT = 0x4,
	NVME_SELF_TEST_FATAL = 0x5,
	NVME_SELF_TEST_UNKNOWN_SEGMENT = 0x6, /* failed, as the next one did */
	NVME_SELF_TEST_SEGMENT = 0x7,
	NVME_SELF_TEST_UNKNOWN = 0x8, /* aborted for an unknown reason */
	NVME_SELF_TEST_SANITIZE = 0x9,
	NVME_SELF_TEST_UNUSED = 0xf, /* no such entry */
};

/* Log pages 07h and 08h: this header, then blocks of 512 bytes. An area begins with block 1 and ends with its last
 * block, 0: there is no such area. */
#define NVME_TELEMETRY_BLOCK 512u

struct nvme_telemetry_log {
	uint8_t lid;
	uint8_t rsvd1[4];
	uint8_t ieee[3];
	uint16_t da1lb;
	uint16_t da2lb;
	uint16_t da3lb;
	uint8_t rsvd14[2];
	uint32_t da4lb;
	uint8_t rsvd20[361];
	uint8_t thdgn; /* generation of the host-initiated data; reserved in log page 08h */
	uint8_t tcda;  /* 1: there are controller-initiated data */
	uint8_t tcdgn;
	uint8_t reasonid[128];
	uint8_t blocks[];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_telemetry_log) == 512, "LID 07h");
_Static_assert(offsetof(struct nvme_telemetry_log, reasonid) == 384, "reason identifier");

/* Log page 12h: one entry for each FID; bits as in log page 05h, bit 0 supported. */
struct nvme_feature_effects_log {
	uint32_t fids[256];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_feature_effects_log) == 1024, "LID 12h");

/* Log page 13h: one entry for each opcode of the Management Interface; bits as in log page 05h. */
struct nvme_mi_effects_log {
	uint32_t micss[256];
	uint8_t rsvd1024[3072];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_effects_log) == 4096, "LID 13h");

/* Log page 81h, 512 bytes. Times are seconds, FFFFFFFFh: not reported. */
struct nvme_sanitize_log {
	uint16_t sprog; /* of 65536; FFFFh where none is in progress */
	uint16_t sstat; /* bits 2:0 enum nvme_sanitize_status, 7:3 overwrite passes that are done, NVME_SANITIZE_* */
	uint32_t scdw10;
	uint32_t eto;
	uint32_t etbe;
	uint32_t etce;
	uint32_t etond; /* these with No-Deallocate After Sanitize */
	uint32_t etbend;
	uint32_t etcend;
	uint8_t rsvd32[480];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_sanitize_log) == 512, "LID 81h");

enum nvme_sanitize_status {
	NVME_SANITIZE_NEVER = 0,
	NVME_SANITIZE_SUCCESS = 1,
	NVME_SANITIZE_IN_PROGRESS = 2,
	NVME_SANITIZE_FAILED = 3,
	NVME_SANITIZE_DEALLOCATED = 4, /* successfully, but for No-Deallocate After Sanitize */
};

#define NVME_SANITIZE_PASSES_SHIFT 3
#define NVME_SANITIZE_GLOBAL_DATA_ERASED 0x100u

enum nvme_fid {
	NVME_FEAT_ARBITRATION = 0x01,
	NVME_FEAT_POWER = 0x02,
	NVME_FEAT_LBA_RANGE = 0x03,
	NVME_FEAT_TEMPERATURE = 0x04,
	NVME_FEAT_ERROR_RECOVERY = 0x05,
	NVME_FEAT_VWC = 0x06,
	NVME_FEAT_QUEUES = 0x07,
	NVME_FEAT_COALESCING = 0x08,
	NVME_FEAT_VECTOR = 0x09,
	NVME_FEAT_ATOMICITY = 0x0a,
	NVME_FEAT_ASYNC_EVENT = 0x0b,
	NVME_FEAT_APST = 0x0c,
	NVME_FEAT_HMB = 0x0d,
	NVME_FEAT_TIMESTAMP = 0x0e,
	NVME_FEAT_KATO = 0x0f,
	NVME_FEAT_HCTM = 0x10,
	NVME_FEAT_NOPSC = 0x11,
	NVME_FEAT_HOST_BEHAVIOR = 0x16,
	NVME_FEAT_SANITIZE = 0x17,
	NVME_FEAT_COMMAND_SET_PROFILE = 0x19,
	NVME_FEAT_SOFTWARE_PROGRESS = 0x80,
	NVME_FEAT_HOST_ID = 0x81,
};

/* SEL of Get Features, command dword 10 bits 10:8. */
enum nvme_feature_select {
	NVME_SEL_CURRENT = 0,
	NVME_SEL_DEFAULT = 1,
	NVME_SEL_SAVED = 2,
	NVME_SEL_SUPPORTED = 3,
};

/* What SEL 3 returns in dword 0 of the completion. */
#define NVME_FEATURE_SAVEABLE 0x1u
#define NVME_FEATURE_PER_NS 0x2u
#define NVME_FEATURE_CHANGEABLE 0x4u

/* Feature 0Bh: the bits of OAES, and one that has none there, since telemetry is announced by LPA. */
#define NVME_ASYNC_EVENT_TELEMETRY (1u << 10)

#define NVME_SET_FEATURES_SV (UINT32_C(1) << 31) /* command dword 10: save */

/* Bits of features' command dword 11. */
#define NVME_WCE 0x1u     /* volatile write cache: enabled */
#define NVME_APSTE 0x1u   /* autonomous power state transition: enabled */
#define NVME_HMB_EHM 0x1u /* host memory buffer: enabled */
#define NVME_HMB_MR 0x2u  /* and the memory is returned as it was left */
#define NVME_NOPPME 0x1u  /* non-operational power state: work in the background may need more power */
#define NVME_NODRM 0x1u   /* sanitize: a warning instead of a refusal where No-Deallocate is inhibited */
#define NVME_EXHID 0x1u   /* the host identifier has 128 bits */

/* Feature 0Dh: what is at HMDLLA, an entry of 16 bytes for each range; and what Get Features returns, 4096 bytes. */
struct nvme_hmb_descriptor {
	uint64_t badd;
	uint32_t bsize; /* pages of CC.MPS, as is hsize */
	uint32_t rsvd12;
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_hmb_descriptor) == 16, "HMB descriptor");

struct nvme_hmb_attributes {
	uint32_t hsize;
	uint32_t hmdlal;
	uint32_t hmdlau;
	uint32_t hmdlec;
	uint8_t rsvd16[4080];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_hmb_attributes) == 4096, "FID 0Dh");

/* Feature 16h, 512 bytes: what the host can cope with. Each field is 0 or 1. */
struct nvme_host_behavior {
	uint8_t acre;   /* it retries commands that the controller interrupted */
	uint8_t etdas;  /* since 2.0: it knows telemetry data area 4 */
	uint8_t lbafee; /* since 2.0: it knows extended LBA formats, and more than 16 */
	uint8_t rsvd3[509];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_host_behavior) == 512, "FID 16h");

/* Asynchronous events: dword 0 of the completion is type, information << 8, log page << 16. */
enum nvme_event_type {
	NVME_EVENT_ERROR = 0,
	NVME_EVENT_SMART = 1,
	NVME_EVENT_NOTICE = 2,
	NVME_EVENT_IMMEDIATE = 3,
	NVME_EVENT_IO_COMMAND_SET = 6,
	NVME_EVENT_VENDOR = 7,
};

enum nvme_event_error { NVME_EVENT_INVALID_DOORBELL = 0, NVME_EVENT_INVALID_DOORBELL_VALUE = 1 };
enum nvme_event_smart { NVME_EVENT_RELIABILITY = 0, NVME_EVENT_TEMPERATURE = 1, NVME_EVENT_SPARE = 2 };
enum nvme_event_notice { NVME_EVENT_NS_CHANGED = 0, NVME_EVENT_FIRMWARE = 1, NVME_EVENT_TELEMETRY = 2 };
enum nvme_event_io { NVME_EVENT_SANITIZE_COMPLETED = 1, NVME_EVENT_SANITIZE_DEALLOCATED = 2 };

#endif
