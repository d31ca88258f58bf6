/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features and asynchronous events.
 * NVM Express Base Specification 2.1, sections 5.1.2, 5.1.11 and 5.1.25.
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/features.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_FEATURE_H
#define SPEC_NVME_FEATURE_H

#include <stddef.h>
#include <stdint.h>

/* features. Section 5.1.25.1. */
enum nvme_fid {
	NVME_FEAT_ARBITRATION = 0x01, /* Arbitration */
	NVME_FEAT_POWER = 0x02, /* Power Management */
	NVME_FEAT_LBA_RANGE = 0x03, /* LBA Range Type */
	NVME_FEAT_TEMPERATURE = 0x04, /* Temperature Threshold */
	NVME_FEAT_ERROR_RECOVERY = 0x05, /* Error Recovery */
	NVME_FEAT_VWC = 0x06, /* Volatile Write Cache */
	NVME_FEAT_QUEUES = 0x07, /* Number of Queues */
	NVME_FEAT_COALESCING = 0x08, /* Interrupt Coalescing */
	NVME_FEAT_VECTOR = 0x09, /* Interrupt Vector Configuration */
	NVME_FEAT_ATOMICITY = 0x0a, /* Write Atomicity Normal */
	NVME_FEAT_ASYNC_EVENT = 0x0b, /* Asynchronous Event Configuration */
	NVME_FEAT_APST = 0x0c, /* Autonomous Power State Transition */
	NVME_FEAT_HMB = 0x0d, /* Host Memory Buffer */
	NVME_FEAT_TIMESTAMP = 0x0e, /* Timestamp */
	NVME_FEAT_KATO = 0x0f, /* Keep Alive Timer */
	NVME_FEAT_HCTM = 0x10, /* Host Controlled Thermal Management */
	NVME_FEAT_NOPSC = 0x11, /* Non-Operational Power State Config */
	NVME_FEAT_READ_RECOVERY = 0x12, /* Read Recovery Level Config */
	NVME_FEAT_PREDICTABLE_LATENCY = 0x13, /* Predictable Latency Mode Config */
	NVME_FEAT_PREDICTABLE_LATENCY_WINDOW = 0x14, /* Predictable Latency Mode Window */
	NVME_FEAT_LBA_STATUS = 0x15, /* LBA Status Information Report Interval */
	NVME_FEAT_HOST_BEHAVIOR = 0x16, /* Host Behavior Support */
	NVME_FEAT_SANITIZE = 0x17, /* Sanitize Config */
	NVME_FEAT_ENDURANCE_GROUP = 0x18, /* Endurance Group Event Configuration */
	NVME_FEAT_COMMAND_SET_PROFILE = 0x19, /* I/O Command Set Profile */
	NVME_FEAT_SPINUP = 0x1a, /* Spinup Control */
	NVME_FEAT_POWER_LOSS_SIGNALING = 0x1b, /* Power Loss Signaling Config */
	NVME_FEAT_FDP = 0x1d, /* Flexible Data Placement */
	NVME_FEAT_FDP_EVENTS = 0x1e, /* Flexible Data Placement Events */
	NVME_FEAT_NS_ADMIN_LABEL = 0x1f, /* Namespace Admin Label */
	NVME_FEAT_CONTROLLER_DATA_QUEUE = 0x21, /* Controller Data Queue */
	NVME_FEAT_POWER_LIMIT = 0x23, /* Power Limit */
	NVME_FEAT_POWER_THRESHOLD = 0x24, /* Power Threshold */
	NVME_FEAT_POWER_MEASUREMENT = 0x25, /* Power Measurement */
	NVME_FEAT_EMBEDDED_MGMT_ADDRESS = 0x78, /* Embedded Management Controller Address */
	NVME_FEAT_HOST_MGMT_ADDRESS = 0x79, /* Host Management Agent Address */
	NVME_FEAT_ENHANCED_CTRL_METADATA = 0x7d, /* Enhanced Controller Metadata */
	NVME_FEAT_CTRL_METADATA = 0x7e, /* Controller Metadata */
	NVME_FEAT_NS_METADATA = 0x7f, /* Namespace Metadata */
	NVME_FEAT_SOFTWARE_PROGRESS = 0x80, /* Software Progress Marker */
	NVME_FEAT_HOST_ID = 0x81, /* Host Identifier */
	NVME_FEAT_RESERVATION_MASK = 0x82, /* Reservation Notification Mask */
	NVME_FEAT_RESERVATION_PERSISTENCE = 0x83, /* Reservation Persistence */
	NVME_FEAT_WRITE_PROTECTION = 0x84, /* Namespace Write Protection Config */
	NVME_FEAT_BOOT_WRITE_PROTECTION = 0x85, /* Boot Partition Write Protection Config */
};

/* SEL of Get Features. Section 5.1.11. */
enum nvme_feature_select {
	NVME_SEL_CURRENT = 0,
	NVME_SEL_DEFAULT = 1,
	NVME_SEL_SAVED = 2,
	NVME_SEL_SUPPORTED = 3, /* capabilities of the feature */
};

/* What SEL 3 returns in dword 0 of the completion. Section 5.1.11. */
#define NVME_FEATURE_SAVEABLE 0x1u /* its value can be saved */
#define NVME_FEATURE_PER_NS 0x2u /* each namespace has its own value */
#define NVME_FEATURE_CHANGEABLE 0x4u /* Set Features can change it */

/* Set Features, command dword 10. */
#define NVME_SET_FEATURES_SV (UINT32_C(1) << 31) /* save */

/* Bits of features' command dword 11. */
#define NVME_DULBE 0x10000u /* reading a deallocated LBA gives an error */
#define NVME_WCE 0x1u /* volatile write cache: enabled */
#define NVME_ASYNC_EVENT_TELEMETRY 0x400u /* telemetry notices */
#define NVME_APSTE 0x1u /* autonomous power state transition: enabled */
#define NVME_HMB_EHM 0x1u /* host memory buffer: enabled */
#define NVME_HMB_MR 0x2u /* and the memory is returned as it was left */
#define NVME_NOPPME 0x1u /* non-operational power state: work in the background may need more power */
#define NVME_NODRM 0x1u /* sanitize: warn instead of fail if No-Deallocate is inhibited */
/* after a reset of the subsystem, rotational media start with Power Management only */
#define NVME_SPINUP_CONTROL 0x1u
#define NVME_POWER_LIMIT_PLV 0xffffu /* most power, 0: no limit */
#define NVME_POWER_THRESHOLD_EPT (UINT32_C(1) << 31) /* the threshold is enabled */
#define NVME_POWER_MEASUREMENT_ACT 0xfu /* action: 0 stop, 1 start */
#define NVME_POWER_MEASUREMENT_PMTS 0xf0u /* what is measured, 0: the whole NVM subsystem */
#define NVME_EXHID 0x1u /* the host identifier has 128 bits */

/* an entry of feature 03h, up to 64 of them. Section NVM 4.1.3.1. */
struct nvme_lba_range_type {
	uint8_t type; /* 0: general, 1: filesystem, 2: RAID, 3: cache, 4: page or swap file */
	uint8_t attr; /* attributes, bits 0 OVRWRT, 1 HIDE */
	uint8_t rsvd2[14];
	uint64_t slba; /* first LBA */
	uint64_t nlb; /* LBAs, 0's based */
	uint8_t guid[16]; /* unique identifier */
	uint8_t rsvd48[16];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_range_type) == 64, "FID 03h");

/* LBA Range Type, FID 03h; NUM of dword 11 (0's based) says how many entries there are. Section NVM 4.1.3.1. */
struct nvme_lba_range_types {
	struct nvme_lba_range_type entries[64]; /* ranges */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_range_types) == 4096, "FID 03h");

/* Autonomous Power State Transition, FID 0Ch. Section 5.1.25.1.6. */
struct nvme_apst {
	uint64_t entries[32]; /* one for each power state, bits 7:3 ITPS, 31:8 ITPT */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_apst) == 256, "FID 0Ch");

/* Feature 0Dh: the list at HMDLLA has an entry of 16 bytes for each range. Section 5.1.25.2.4. */
struct nvme_hmb_descriptor {
	uint64_t badd; /* address */
	uint32_t bsize; /* size, pages of CC.MPS, as is HSIZE */
	uint8_t rsvd12[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_hmb_descriptor) == 16, "HMB descriptor");

/* Feature 0Dh: data of Get Features. Section 5.1.25.2.4. */
struct nvme_hmb_attributes {
	uint32_t hsize; /* size, pages of CC.MPS */
	uint32_t hmdlal; /* address of the descriptors, low */
	uint32_t hmdlau; /* address of the descriptors, high */
	uint32_t hmdlec; /* descriptors */
	uint8_t rsvd16[4080];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_hmb_attributes) == 4096, "FID 0Dh");

/* Timestamp, FID 0Eh. Section 5.1.25.1.7. */
struct nvme_timestamp {
	uint8_t tstmp[6]; /* time since 1970-01-01, UTC, ms */
	uint8_t attr; /* attributes, bits 0 SYNCH, 3:1 TSO */
	uint8_t rsvd7;
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_timestamp) == 8, "FID 0Eh");

/* Predictable Latency Mode Config, FID 13h. Section 5.1.25.1.12. */
struct nvme_predictable_latency_config {
	uint16_t ee; /* enabled events, bits 0 DTWINRW, 1 DTWINWW, 2 DTWINTW, 14 ATEDE, 15 ATEDWE */
	uint8_t rsvd2[30];
	uint64_t dtwinrt; /* read threshold, 4 KiB */
	uint64_t dtwinwt; /* write threshold */
	uint64_t dtwintt; /* time threshold, ms */
	uint8_t rsvd56[456];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_predictable_latency_config) == 512, "FID 13h");

/* Feature 16h: capabilities of the host. Each field but CDFE is 0 or 1. Section 5.1.25.1.14. */
struct nvme_host_behavior {
	uint8_t acre; /* it retries commands that the controller interrupted */
	uint8_t etdas; /* it knows telemetry data area 4 */
	uint8_t lbafee; /* it knows extended LBA formats, and more than 16 */
	uint8_t hdisns; /* it knows dispersed namespaces */
	uint16_t cdfe; /* Copy descriptor formats 2h and above that it uses, one a bit */
	uint8_t rsvd6[506];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_host_behavior) == 512, "FID 16h");

/* an entry of the data of Get Features for FID 1Eh. Section 5.1.25.1.21. */
struct nvme_fdp_event_support {
	uint8_t evt; /* event type */
	uint8_t evta; /* attributes, bits 0 FDPEE */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_event_support) == 2, "FID 1Eh");

/* Controller Data Queue, FID 21h, as Get Features returns it. Section 5.1.25.1.23. */
struct nvme_data_queue_pointers {
	uint32_t hp; /* head pointer, a slot */
	uint32_t tpt; /* tail pointer trigger, a slot; 0 without one */
	uint8_t rsvd8[504];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_data_queue_pointers) == 512, "FID 21h");

/* Metadata Element Descriptor of FID 7Dh to 7Fh. Section 5.1.25.1.26. */
struct nvme_metadata_element {
	uint8_t et; /* element type, bits 5:0 ET */
	uint8_t er; /* element revision, bits 3:0 ER */
	uint16_t elen; /* length of the value, bytes */
	uint8_t eval[]; /* value */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_metadata_element) == 4, "metadata element");

/* Host Metadata, FID 7Dh to 7Fh. Section 5.1.25.1.26. */
struct nvme_host_metadata {
	uint8_t nmed; /* elements */
	uint8_t rsvd1;
	uint8_t elements[]; /* elements */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_host_metadata) == 2, "FID 7Eh");

/* WPS of feature 84h. Section 8.1.16. */
enum nvme_write_protection {
	NVME_WRITE_PROTECTION_NONE = 0,
	NVME_WRITE_PROTECTION_PROTECTED = 1,
	NVME_WRITE_PROTECTION_UNTIL_POWER_CYCLE = 2,
	NVME_WRITE_PROTECTION_PERMANENT = 3,
};

/* BPWPS of feature 85h. Section 8.1.3.3. */
enum nvme_boot_protection {
	NVME_BOOT_UNCHANGED = 0, /* only in Set Features: leave the state as it is */
	NVME_BOOT_UNLOCKED = 1, /* the partition can be written */
	NVME_BOOT_LOCKED = 2, /* the partition cannot be written until it is unlocked */
	NVME_BOOT_LOCKED_UNTIL_POWER_CYCLE = 3, /* nor can it be unlocked before the next power cycle */
	NVME_BOOT_BY_RPMB = 4, /* only in Get Features: RPMB controls the state */
};

/* Asynchronous events: dword 0 of the completion is type, information << 8, log page << 16. Section 5.1.2. */
enum nvme_event_type {
	NVME_EVENT_ERROR = 0,
	NVME_EVENT_SMART = 1, /* health */
	NVME_EVENT_NOTICE = 2,
	NVME_EVENT_IMMEDIATE = 3,
	NVME_EVENT_ONE_SHOT = 4, /* once, and without a log page */
	NVME_EVENT_IO_COMMAND_SET = 6, /* specific to an I/O command set */
	NVME_EVENT_VENDOR = 7,
};

/* Information of events of type 0. Section 5.1.2. */
enum nvme_event_error {
	NVME_EVENT_INVALID_DOORBELL = 0, /* a doorbell of a queue that does not exist was written */
	NVME_EVENT_INVALID_DOORBELL_VALUE = 1,
	NVME_EVENT_DIAGNOSTIC_FAILURE = 2,
	NVME_EVENT_PERSISTENT_ERROR = 3, /* internal, and not transient */
	NVME_EVENT_TRANSIENT_ERROR = 4, /* internal */
	NVME_EVENT_FIRMWARE_LOAD_ERROR = 5,
};

/* Information of events of type 1. Section 5.1.2. */
enum nvme_event_smart {
	NVME_EVENT_RELIABILITY = 0, /* of the subsystem is degraded */
	NVME_EVENT_TEMPERATURE = 1, /* a threshold was reached */
	NVME_EVENT_SPARE = 2, /* spare is below its threshold */
};

/* Information of events of type 2. Section 5.1.2. */
enum nvme_event_notice {
	NVME_EVENT_NS_CHANGED = 0, /* log page 04h */
	NVME_EVENT_FIRMWARE = 1, /* an activation is starting */
	NVME_EVENT_TELEMETRY = 2, /* log page 08h has changed */
	NVME_EVENT_ANA_CHANGED = 3,
	NVME_EVENT_PREDICTABLE_LATENCY = 4, /* aggregate log has changed */
	NVME_EVENT_LBA_STATUS = 5, /* LBAs may be unrecoverable */
	NVME_EVENT_ENDURANCE_GROUP = 6, /* aggregate log has changed */
	NVME_EVENT_REACHABILITY_GROUP = 7,
	NVME_EVENT_REACHABILITY_ASSOCIATION = 8,
	NVME_EVENT_ALLOCATED_NS_CHANGED = 9,
	NVME_EVENT_ZONE_CHANGED = 239, /* a zone descriptor has changed */
};

/* Information of events of type 6. Section 5.1.2. */
enum nvme_event_io {
	NVME_EVENT_RESERVATION = 0, /* log page 80h is available */
	NVME_EVENT_SANITIZE_COMPLETED = 1,
	NVME_EVENT_SANITIZE_DEALLOCATED = 2, /* completed, with unexpected deallocation */
	NVME_EVENT_MEDIA_VERIFICATION = 3, /* a sanitize operation has entered the media verification state */
};

/* Information of events of type 4; dword 1 of the completion bits 15:0 are the data queue. Section 5.1.2. */
enum nvme_event_one_shot {
	NVME_EVENT_DATA_QUEUE_TAIL = 0, /* an entry of a controller data queue is posted */
	NVME_EVENT_DATA_QUEUE_FULL = 1, /* a controller data queue has become full */
	NVME_EVENT_POWER_THRESHOLD = 2, /* a power threshold is exceeded */
};

/* scale of a power, which is a value of 16 bits. Section 5.1.13.2.1. */
enum nvme_power_scale {
	NVME_POWER_SCALE_NOT_REPORTED = 0,
	NVME_POWER_SCALE_UNITS_0_0001_W = 1,
	NVME_POWER_SCALE_UNITS_0_01_W = 2,
};

#endif
