/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log pages. This header includes features and asynchronous events.
 * NVM Express Base Specification 2.1, section 5.1.12.
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/logs.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_LOG_H
#define SPEC_NVME_LOG_H

#include <stddef.h>
#include <stdint.h>
#include "spec/nvme_feature.h"

/* log pages. Section 5.1.12.1. */
enum nvme_lid {
	NVME_LOG_SUPPORTED = 0x00, /* Supported Log Pages */
	NVME_LOG_ERROR = 0x01, /* Error Information */
	NVME_LOG_SMART = 0x02, /* SMART / Health Information */
	NVME_LOG_FIRMWARE = 0x03, /* Firmware Slot Information */
	NVME_LOG_CHANGED_NS = 0x04, /* Changed Attached Namespace List */
	NVME_LOG_EFFECTS = 0x05, /* Commands Supported and Effects */
	NVME_LOG_SELF_TEST = 0x06, /* Device Self-test */
	NVME_LOG_TELEMETRY_HOST = 0x07, /* Telemetry Host-Initiated */
	NVME_LOG_TELEMETRY_CTRL = 0x08, /* Telemetry Controller-Initiated */
	NVME_LOG_ENDURANCE_GROUP = 0x09, /* Endurance Group Information */
	NVME_LOG_PREDICTABLE_LATENCY = 0x0a, /* Predictable Latency Per NVM Set */
	NVME_LOG_PREDICTABLE_LATENCY_EVENTS = 0x0b, /* Predictable Latency Event Aggregate */
	NVME_LOG_ANA = 0x0c, /* Asymmetric Namespace Access */
	NVME_LOG_PERSISTENT_EVENT = 0x0d, /* Persistent Event */
	NVME_LOG_LBA_STATUS = 0x0e, /* LBA Status Information */
	NVME_LOG_ENDURANCE_GROUP_EVENTS = 0x0f, /* Endurance Group Event Aggregate */
	NVME_LOG_MEDIA_UNIT_STATUS = 0x10, /* Media Unit Status */
	NVME_LOG_CAPACITY_CONFIGURATIONS = 0x11, /* Supported Capacity Configuration List */
	NVME_LOG_FEATURE_EFFECTS = 0x12, /* Feature Identifiers Supported and Effects */
	NVME_LOG_MI_EFFECTS = 0x13, /* NVMe-MI Commands Supported and Effects */
	NVME_LOG_LOCKDOWN = 0x14, /* Command and Feature Lockdown */
	NVME_LOG_BOOT_PARTITION = 0x15, /* Boot Partition */
	NVME_LOG_ROTATIONAL_MEDIA = 0x16, /* Rotational Media Information */
	NVME_LOG_DISPERSED_NS = 0x17, /* Dispersed Namespace Participating NVM Subsystems */
	NVME_LOG_MANAGEMENT_ADDRESSES = 0x18, /* Management Address List */
	NVME_LOG_REACHABILITY_GROUPS = 0x1a, /* Reachability Groups */
	NVME_LOG_REACHABILITY_ASSOCIATIONS = 0x1b, /* Reachability Associations */
	NVME_LOG_CHANGED_ALLOCATED_NS = 0x1c, /* Changed Allocated Namespace List */
	NVME_LOG_FDP_CONFIGURATIONS = 0x20, /* FDP Configurations */
	NVME_LOG_FDP_RUH_USAGE = 0x21, /* Reclaim Unit Handle Usage */
	NVME_LOG_FDP_STATISTICS = 0x22, /* FDP Statistics */
	NVME_LOG_FDP_EVENTS = 0x23, /* FDP Events */
	NVME_LOG_POWER_MEASUREMENT = 0x25, /* Power Measurement */
	NVME_LOG_DISCOVERY = 0x70, /* Discovery */
	NVME_LOG_RESERVATION = 0x80, /* Reservation Notification */
	NVME_LOG_SANITIZE = 0x81, /* Sanitize Status */
	NVME_LOG_CHANGED_ZONES = 0xbf, /* Changed Zone List */
};

/* Get Log Page, command dword 10. */
#define NVME_LOG_RAE 0x8000u /* retain asynchronous event */
#define NVME_LOG_CREATE 0x0100u /* LSP of log page 07h: capture the state now */

/* Supported Log Pages, LID 00h. Section 5.1.12.1.1. */
struct nvme_supported_logs {
	uint32_t lids[256]; /* one entry for each LID, bits 31:16 LIDS */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_supported_logs) == 1024, "LID 00h");

#define NVME_LOG_LSUPP 0x1u /* supported */
#define NVME_LOG_IOS 0x2u /* offsets may be indexes */

/* an entry of log page 01h; the newest comes first. Section 5.1.12.1.2. */
struct nvme_error_log_entry {
	uint64_t ecnt; /* 1 for the first error of the drive's life; 0: this entry is not in use */
	uint16_t sqid; /* submission queue */
	uint16_t cid; /* command */
	/* bits 15:1 as in the completion, bit 0 its phase tag, bits 0 P, 8:1 SC, 11:9 SCT, 13:12 CRD, 14 M, 15 DNR */
	uint16_t status;
	uint16_t pel; /* parameter in error; FFFFh: no particular one, bits 7:0 BYTE, 10:8 BIT */
	uint64_t lba; /* first LBA in error */
	uint32_t nsid; /* namespace */
	uint8_t vsia; /* LID of more information, vendor specific; 0: none */
	uint8_t trtype; /* transport */
	uint8_t csi; /* command set, enum nvme_csi */
	uint8_t opc; /* opcode, valid with LPVER */
	uint64_t csinfo; /* command specific */
	uint16_t ttsi; /* transport specific */
	uint8_t rsvd42[21];
	uint8_t lpver; /* version of the entry */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_error_log_entry) == 64, "LID 01h");

/*
 * SMART / Health Information, LID 02h. 128-bit numbers are two little-endian halves, the low one first. Section
 * 5.1.12.1.3.
 */
struct nvme_smart_log {
	uint8_t cw; /* critical warnings */
	uint16_t ctemp; /* composite temperature, Kelvin */
	uint8_t avsp; /* available spare, percent */
	uint8_t avspt; /* available spare threshold, percent */
	uint8_t pused; /* life that is used; may exceed 100, 255: 255 and more, percent */
	uint8_t egcws; /* critical warnings of all endurance groups, bits 0 EGASCBT, 2 EGNDR, 3 EGAMRO */
	uint8_t rsvd7[25];
	uint64_t dur[2]; /* data units read, rounded up, 1000 units of 512 bytes */
	uint64_t duw[2]; /* data units written, rounded up, 1000 units of 512 bytes */
	uint64_t hrc[2]; /* host read commands */
	uint64_t hwc[2]; /* host write commands */
	uint64_t cbt[2]; /* controller busy time, minutes */
	uint64_t pwrc[2]; /* power cycles */
	uint64_t poh[2]; /* power on hours, hours */
	uint64_t upl[2]; /* unexpected power losses (unsafe shutdowns) */
	uint64_t mdie[2]; /* media and data integrity errors */
	uint64_t neile[2]; /* entries ever made in the error log */
	uint32_t wctt; /* time at or above WCTEMP, minutes */
	uint32_t cctt; /* time at or above CCTEMP, minutes */
	uint16_t tsen[8]; /* temperature sensors 1 to 8; 0: not there, Kelvin */
	uint32_t tmt1tc; /* transitions to thermal management temperature 1 */
	uint32_t tmt2tc; /* transitions to thermal management temperature 2 */
	uint32_t ttmt1; /* time in thermal management temperature 1, s */
	uint32_t ttmt2; /* time in thermal management temperature 2, s */
	uint64_t olec; /* energy consumed in the life of the drive, rounded up, 0: not reported, watt-hours */
	uint32_t ipm; /* average power of the last second, 0: not reported, bits 15:0 IPMV, 17:16 IPMS, 23:20 PMT */
	uint8_t rsvd244[268];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_smart_log) == 512, "LID 02h");
_Static_assert(offsetof(struct nvme_smart_log, dur) == 32, "DUR");
_Static_assert(offsetof(struct nvme_smart_log, pwrc) == 112, "PWRC");
_Static_assert(offsetof(struct nvme_smart_log, wctt) == 192, "WCTT");

/* Critical warnings, and the bits of feature 0Bh that let them raise an event. */
#define NVME_SMART_SPARE 0x1u /* spare is below its threshold */
#define NVME_SMART_TEMPERATURE 0x2u /* temperature is beyond a threshold */
#define NVME_SMART_RELIABILITY 0x4u /* reliability is degraded */
#define NVME_SMART_READ_ONLY 0x8u /* media are read-only */
#define NVME_SMART_BACKUP 0x10u /* backup of volatile memory has failed */
#define NVME_SMART_PMR 0x20u /* persistent memory region is read-only */

/* Firmware Slot Information, LID 03h. Section 5.1.12.1.4. */
struct nvme_firmware_log {
	uint8_t afi; /* active firmware, bits 2:0 CAFSI, 6:4 NAFSI */
	uint8_t rsvd1[7];
	char frs[7][8]; /* revision in slots 1 … 7; NULs: empty */
	uint8_t rsvd64[448];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_firmware_log) == 512, "LID 03h");

#define NVME_CHANGED_NS_MAX 1024u /* log page 04h: NSIDs that changed; FFFFFFFFh in the first entry: more than fit */

/* Commands Supported and Effects, LID 05h: one entry for each opcode. Section 5.1.12.1.6. */
struct nvme_effects_log {
	uint32_t acs[256]; /* admin commands, by opcode, bits 15:14 CSER, 19 USS, 31:20 CSP */
	uint32_t iocs[256]; /* I/O commands, by opcode, bits 15:14 CSER, 19 USS, 31:20 CSP */
	uint8_t rsvd2048[2048];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_effects_log) == 4096, "LID 05h");

#define NVME_EFFECT_CSUPP 0x1u /* supported */
#define NVME_EFFECT_LBCC 0x2u /* may change contents of LBAs */
#define NVME_EFFECT_NCC 0x4u /* may change a namespace's capabilities */
#define NVME_EFFECT_NIC 0x8u /* may change the number of namespaces */
#define NVME_EFFECT_CCC 0x10u /* may change the controller's capabilities */
#define NVME_EFFECT_CSE_SHIFT 16 /* 1: no other command for the namespace, 2: for any, while it runs */

/* Scopes, of CSP and FSP. */
#define NVME_EFFECT_SCOPES 0xfff00000u /* reserved before 2.0 */
#define NVME_EFFECT_SCOPE_NS (UINT32_C(1) << 20) /* a namespace */
#define NVME_EFFECT_SCOPE_CTRL (UINT32_C(1) << 21) /* a controller */
#define NVME_EFFECT_SCOPE_NVM_SET (UINT32_C(1) << 22) /* an NVM set */
#define NVME_EFFECT_SCOPE_GROUP (UINT32_C(1) << 23) /* an endurance group */
#define NVME_EFFECT_SCOPE_SUBSYSTEM (UINT32_C(1) << 25) /* the subsystem */

#define NVME_SELF_TEST_RESULTS 20u

/* Self-test Result. Section 5.1.12.1.7. */
struct nvme_self_test_result {
	uint8_t dsts; /* status, bits 3:0 DSTR, 7:4 DSTC */
	uint8_t segn; /* segment that failed */
	uint8_t vdi; /* which of the next fields are valid */
	uint8_t rsvd3;
	uint64_t poh; /* power on hours when it ended, hours */
	uint32_t nsid; /* namespace */
	uint64_t flba; /* failing LBA */
	uint8_t sct; /* status code type, bits 2:0 SCT */
	uint8_t sc; /* status code */
	uint8_t vs[2]; /* vendor specific */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_self_test_result) == 28, "self-test result");

#define NVME_SELF_TEST_VDI_NSID 0x1u /* NSID is valid */
#define NVME_SELF_TEST_VDI_FLBA 0x2u /* FLBA is valid */
#define NVME_SELF_TEST_VDI_SCT 0x4u /* SCT is valid */
#define NVME_SELF_TEST_VDI_SC 0x8u /* SC is valid */

/* Device Self-test, LID 06h. Section 5.1.12.1.7. */
struct nvme_self_test_log {
	uint8_t cdsto; /* operation in progress, bits 3:0 DSTS */
	uint8_t cdstc; /* completion, bits 6:0 DSTCP */
	uint8_t rsvd2[2];
	struct nvme_self_test_result results[20]; /* the newest comes first */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_self_test_log) == 564, "LID 06h");

/* result of a self-test. Section 5.1.12.1.7. */
enum nvme_self_test_status {
	NVME_SELF_TEST_PASSED = 0x0,
	NVME_SELF_TEST_ABORTED = 0x1, /* by a Device Self-test command */
	NVME_SELF_TEST_RESET = 0x2, /* ended by a Controller Level Reset */
	NVME_SELF_TEST_NS_REMOVED = 0x3, /* a namespace was removed */
	NVME_SELF_TEST_FORMAT = 0x4, /* a Format NVM was processed */
	NVME_SELF_TEST_FATAL = 0x5, /* a fatal or unknown error */
	NVME_SELF_TEST_UNKNOWN_SEGMENT = 0x6, /* failed, as the next one did */
	NVME_SELF_TEST_SEGMENT = 0x7, /* failed in the segment that SEGN names */
	NVME_SELF_TEST_UNKNOWN = 0x8, /* aborted for an unknown reason */
	NVME_SELF_TEST_SANITIZE = 0x9, /* a sanitize operation was started */
	NVME_SELF_TEST_UNUSED = 0xf, /* no such entry */
};

#define NVME_TELEMETRY_BLOCK 512u

/*
 * Telemetry, LID 07h and 08h: this header, then blocks of 512 bytes. An area begins with block 1 and ends with its
 * last block, 0: there is no such area. Section 5.1.12.1.8.
 */
struct nvme_telemetry_log {
	uint8_t lid; /* log page, enum nvme_lid */
	uint8_t rsvd1[4];
	uint8_t ieee[3]; /* IEEE OUI of the vendor */
	uint16_t da1lb; /* last block of area 1, 0: no such area */
	uint16_t da2lb; /* last block of area 2 */
	uint16_t da3lb; /* last block of area 3 */
	uint8_t rsvd14[2];
	uint32_t da4lb; /* last block of area 4 */
	uint8_t rsvd20[360];
	uint8_t ths; /* scope of the host-initiated data */
	uint8_t thdgn; /* generation of the host-initiated data; in log page 08h the scope */
	uint8_t tcda; /* 1: controller-initiated data are available */
	uint8_t tcdgn; /* generation of the controller-initiated data */
	uint8_t reasonid[128]; /* reason identifier */
	uint8_t blocks[]; /* blocks of 512 bytes; an area begins with block 1 */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_telemetry_log) == 512, "LID 07h");
_Static_assert(offsetof(struct nvme_telemetry_log, reasonid) == 384, "REASONID");

/* Endurance Group Information, LID 09h. Section 5.1.12.1.10. */
struct nvme_endurance_group_log {
	uint8_t cw; /* critical warnings, bits 0 EGASCBT, 2 EGNDR, 3 EGAMRO */
	uint8_t egfeat; /* features */
	uint8_t rsvd2;
	uint8_t avsp; /* available spare, percent */
	uint8_t avspt; /* available spare threshold, percent */
	uint8_t pused; /* life that is used, percent */
	uint16_t did; /* domain */
	uint8_t rsvd8[24];
	uint64_t ee[2]; /* endurance estimate, 10^9 bytes */
	uint64_t dur[2]; /* data units read, 10^9 bytes */
	uint64_t duw[2]; /* data units written, 10^9 bytes */
	uint64_t muw[2]; /* media units written, 10^9 bytes */
	uint64_t hrc[2]; /* host read commands */
	uint64_t hwc[2]; /* host write commands */
	uint64_t mdie[2]; /* media and data integrity errors */
	uint64_t neile[2]; /* entries ever made in the error log */
	uint64_t tegcap[2]; /* total capacity, bytes */
	uint64_t uegcap[2]; /* unallocated capacity, bytes */
	uint8_t rsvd192[320];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_endurance_group_log) == 512, "LID 09h");

/* EGFEAT. */
#define NVME_EGFEAT_ROTATIONAL 0x1u /* rotational media */

/* Predictable Latency Per NVM Set, LID 0Ah. Section 5.1.12.1.11. */
struct nvme_predictable_latency_log {
	uint8_t status; /* status, bits 2:0 WSTATE */
	uint8_t rsvd1;
	uint16_t evttype; /* events */
	uint8_t rsvd4[28];
	uint64_t dtwinrt; /* deterministic window, reads typical, 4 KiB */
	uint64_t dtwinwt; /* deterministic window, writes typical */
	uint64_t dtwintm; /* deterministic window, time at most, ms */
	uint64_t ndwintmh; /* non-deterministic window, time at least, high, ms */
	uint64_t ndwintml; /* non-deterministic window, time at least, low, ms */
	uint8_t rsvd72[56];
	uint64_t dtwinre; /* deterministic window, reads estimated, 4 KiB */
	uint64_t dtwinwe; /* deterministic window, writes estimated */
	uint64_t dtwinte; /* deterministic window, time estimated, ms */
	uint8_t rsvd152[360];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_predictable_latency_log) == 512, "LID 0Ah");

/* Predictable Latency Event Aggregate, LID 0Bh. Section 5.1.12.1.12. */
struct nvme_predictable_latency_events_log {
	uint64_t ne; /* entries */
	uint16_t entry[]; /* NVM sets with events */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_predictable_latency_events_log) == 8, "LID 0Bh");

/* asymmetric namespace access states. Section 8.1.1.3. */
enum nvme_ana_state {
	NVME_ANA_OPTIMIZED = 0x1,
	NVME_ANA_NON_OPTIMIZED = 0x2,
	NVME_ANA_INACCESSIBLE = 0x3,
	NVME_ANA_PERSISTENT_LOSS = 0x4,
	NVME_ANA_CHANGE = 0xf,
};

/* ANA Group Descriptor. Section 5.1.12.1.13. */
struct nvme_ana_group {
	uint32_t agid; /* ANA group */
	uint32_t nnv; /* NSIDs */
	uint64_t chngc; /* change count */
	uint8_t state; /* state, bits 3:0 ANASTATE */
	uint8_t rsvd17[15];
	uint32_t nsid[]; /* namespaces */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ana_group) == 32, "ANA group descriptor");

/* Asymmetric Namespace Access, LID 0Ch. Section 5.1.12.1.13. */
struct nvme_ana_log {
	uint64_t chngc; /* change count */
	uint16_t nagd; /* descriptors */
	uint8_t rsvd10[6];
	uint8_t groups[]; /* ANA groups */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ana_log) == 16, "LID 0Ch");

/* types of persistent events. Section 5.1.12.1.14. */
enum nvme_persistent_event_type {
	NVME_PERSISTENT_SMART = 0x01, /* SMART / Health Log Snapshot */
	NVME_PERSISTENT_FIRMWARE_COMMIT = 0x02, /* Firmware Commit */
	NVME_PERSISTENT_TIMESTAMP = 0x03, /* Timestamp Change */
	NVME_PERSISTENT_POWER_ON = 0x04, /* Power-on or Reset */
	NVME_PERSISTENT_HARDWARE_ERROR = 0x05, /* NVM Subsystem Hardware Error */
	NVME_PERSISTENT_CHANGE_NS = 0x06, /* Change Namespace */
	NVME_PERSISTENT_FORMAT_START = 0x07, /* Format NVM Start */
	NVME_PERSISTENT_FORMAT_COMPLETION = 0x08, /* Format NVM Completion */
	NVME_PERSISTENT_SANITIZE_START = 0x09, /* Sanitize Start */
	NVME_PERSISTENT_SANITIZE_COMPLETION = 0x0a, /* Sanitize Completion */
	NVME_PERSISTENT_SET_FEATURE = 0x0b, /* Set Feature */
	NVME_PERSISTENT_TELEMETRY = 0x0c, /* Telemetry Log Created */
	NVME_PERSISTENT_THERMAL = 0x0d, /* Thermal Excursion */
	NVME_PERSISTENT_VERIFICATION = 0x0e, /* Sanitize Media Verification */
	NVME_PERSISTENT_VENDOR = 0xde, /* vendor specific */
	NVME_PERSISTENT_TCG = 0xdf, /* TCG defined */
};

/* an event of log page 0Dh. Section 5.1.12.1.14. */
struct nvme_persistent_event {
	uint8_t et; /* event type, enum nvme_persistent_event_type */
	uint8_t etr; /* revision of the event type */
	uint8_t ehl; /* length of the header, without its first 3 bytes, bytes */
	uint8_t ehai; /* additional information, bits 1:0 PIT */
	uint16_t cntlid; /* controller */
	uint64_t ets; /* time stamp, ms */
	uint16_t pelpid; /* port */
	uint8_t rsvd16[4];
	uint16_t vsil; /* length of vendor specific information, bytes */
	uint16_t el; /* length of the data after the header, bytes */
	uint8_t data[]; /* vendor specific information, then the event's data */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_persistent_event) == 24, "persistent event");

/* Persistent Event, LID 0Dh: this header, then events. Section 5.1.12.1.14. */
struct nvme_persistent_event_log {
	uint8_t lid; /* log page, enum nvme_lid */
	uint8_t rsvd1[3];
	uint32_t tnev; /* events */
	uint64_t tll; /* length of the log page, bytes */
	uint8_t lrev; /* revision of this header */
	uint8_t rsvd17;
	uint16_t lhl; /* length of this header, without its first 20 bytes, bytes */
	uint64_t ts; /* time stamp, ms */
	uint64_t poh[2]; /* power on hours, hours */
	uint64_t pcc; /* power cycles */
	uint16_t vid; /* PCI Vendor ID */
	uint16_t ssvid; /* PCI Subsystem Vendor ID */
	char sn[20]; /* serial number */
	char mn[40]; /* model number */
	char subnqn[256]; /* NVM subsystem NVMe qualified name */
	uint16_t gnum; /* generation */
	uint32_t rci; /* reporting context */
	uint8_t rsvd378[102];
	uint8_t seb[32]; /* supported events, one a bit */
	uint8_t events[]; /* events, the newest comes first */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_persistent_event_log) == 512, "LID 0Dh");

/* Firmware Commit event, type 02h. Section 5.1.12.1.14. */
struct nvme_firmware_commit_event {
	char ofr[8]; /* old firmware revision */
	char nfr[8]; /* new firmware revision */
	uint8_t fca; /* commit action, enum nvme_fw_action */
	uint8_t fs; /* slot */
	uint8_t sct; /* status code type of the Firmware Commit */
	uint8_t sc; /* status code of the Firmware Commit */
	uint16_t vafcrc; /* vendor's result code */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_firmware_commit_event) == 22, "persistent event 02h");

/* Timestamp Change event, type 03h. Section 5.1.12.1.14. */
struct nvme_timestamp_event {
	uint64_t pts; /* previous time stamp, ms */
	uint64_t msr; /* time since the last reset, ms */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_timestamp_event) == 16, "persistent event 03h");

/*
 * an entry of a Power-on or Reset event, type 04h; 8 bytes of firmware revision come before the first. Section
 * 5.1.12.1.14.
 */
struct nvme_power_on_entry {
	uint16_t cntlid; /* controller */
	uint8_t fwa; /* 1: a firmware activation was pending */
	uint8_t opip; /* operation in progress, one a bit */
	uint8_t rsvd4[12];
	uint32_t cpc; /* power cycles of the controller */
	uint64_t poms; /* time since power on, ms */
	uint64_t cts; /* time stamp of the controller, ms */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_power_on_entry) == 36, "persistent event 04h");

/* Change Namespace event, type 06h. Section 5.1.12.1.14. */
struct nvme_change_ns_event {
	uint32_t nsmcdw10; /* dword 10 of Namespace Management */
	uint8_t rsvd4[4];
	uint64_t nsze; /* size, LBAs */
	uint8_t rsvd16[8];
	uint64_t nscap; /* capacity, LBAs */
	uint8_t flbas; /* LBA format */
	uint8_t dps; /* protection */
	uint8_t nmic; /* sharing */
	uint8_t rsvd35;
	uint32_t anagrpid; /* ANA group */
	uint16_t nvmsetid; /* NVM set */
	uint8_t rsvd42[2];
	uint32_t nsid; /* namespace */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_change_ns_event) == 48, "persistent event 06h");

/* Format NVM Start event, type 07h. Section 5.1.12.1.14. */
struct nvme_format_start_event {
	uint32_t nsid; /* namespace */
	uint8_t fna; /* FNA of Identify Controller */
	uint8_t rsvd5[3];
	uint32_t fnvmcdw10; /* dword 10 of Format NVM */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_format_start_event) == 12, "persistent event 07h");

/* Format NVM Completion event, type 08h. Section 5.1.12.1.14. */
struct nvme_format_completion_event {
	uint32_t nsid; /* namespace */
	uint8_t sfpi; /* smallest FPI that was seen */
	uint8_t fnvms; /* status of the format */
	uint16_t cinf; /* completion information */
	uint32_t status; /* status field */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_format_completion_event) == 12, "persistent event 08h");

/* Sanitize Start event, type 09h. Section 5.1.12.1.14. */
struct nvme_sanitize_start_event {
	uint32_t sanicap; /* SANICAP of Identify Controller */
	uint32_t scdw10; /* dword 10 of Sanitize */
	uint32_t scdw11; /* dword 11 of Sanitize */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_sanitize_start_event) == 12, "persistent event 09h");

/* Sanitize Completion event, type 0Ah. Section 5.1.12.1.14. */
struct nvme_sanitize_completion_event {
	uint16_t sprog; /* progress, 1/65536 */
	uint16_t sstat; /* status */
	uint16_t cinf; /* completion information */
	uint8_t rsvd6[2];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_sanitize_completion_event) == 8, "persistent event 0Ah");

/* Thermal Excursion event, type 0Dh. Section 5.1.12.1.14. */
struct nvme_thermal_event {
	uint8_t ovt; /* temperature above the threshold, Kelvin */
	uint8_t thld; /* which threshold was crossed */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_thermal_event) == 2, "persistent event 0Dh");

/* LBA Range Descriptor of log page 0Eh. Section NVM 4.1.4.5. */
struct nvme_lba_status_range {
	uint64_t rslba; /* first LBA */
	uint32_t rnlb; /* LBAs, 0's based */
	uint8_t rsvd12[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_status_range) == 16, "LBA range descriptor");

/* LBA Status Namespace Element. Section NVM 4.1.4.5. */
struct nvme_lba_status_ns {
	uint32_t neid; /* namespace */
	uint32_t nlrd; /* ranges, FFFFFFFFh: use Get LBA Status */
	uint8_t ratype; /* recommended action of Get LBA Status */
	uint8_t rsvd9[7];
	struct nvme_lba_status_range ranges[]; /* ranges */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_status_ns) == 16, "LBA status namespace element");

/* LBA Status Information, LID 0Eh. Section NVM 4.1.4.5. */
struct nvme_lba_status_log {
	uint32_t lslplen; /* length of the log page, bytes */
	uint32_t nlslne; /* namespaces */
	uint32_t estulb; /* LBAs that are estimated to be unrecoverable */
	uint8_t rsvd12[2];
	uint16_t lsgc; /* generation */
	uint8_t elements[]; /* namespaces */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_status_log) == 16, "LID 0Eh");

/* Endurance Group Event Aggregate, LID 0Fh. Section 5.1.12.1.16. */
struct nvme_endurance_group_events_log {
	uint64_t ne; /* entries */
	uint16_t entry[]; /* endurance groups with events */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_endurance_group_events_log) == 8, "LID 0Fh");

/* Media Unit Status Descriptor. Section 5.1.12.1.17. */
struct nvme_media_unit {
	uint16_t muid; /* media unit */
	uint16_t did; /* domain */
	uint16_t endgid; /* endurance group */
	uint16_t nvmsetid; /* NVM set */
	uint16_t caf; /* capacity adjustment factor, 1/100 */
	uint8_t avsp; /* available spare, percent */
	uint8_t pused; /* life that is used, percent */
	uint8_t mucs; /* channels, bits 3:0 MUCS */
	uint8_t cio; /* offset of the channel list, bytes */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_media_unit) == 14, "media unit status descriptor");

/* Media Unit Status, LID 10h. Section 5.1.12.1.17. */
struct nvme_media_unit_status_log {
	uint16_t nmu; /* media units */
	uint16_t cchans; /* channels */
	uint16_t scc; /* selected configuration */
	uint8_t rsvd6[10];
	struct nvme_media_unit units[]; /* media units */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_media_unit_status_log) == 16, "LID 10h");

/* Endurance Group Configuration Descriptor. Section 5.1.12.1.18. */
struct nvme_group_configuration {
	uint16_t endgid; /* endurance group */
	uint16_t caf; /* capacity adjustment factor, 1/100 */
	uint8_t rsvd4[12];
	uint64_t tegcap[2]; /* total capacity, bytes */
	uint64_t segcap[2]; /* spare capacity, bytes */
	uint64_t ee[2]; /* endurance estimate, 10^9 bytes */
	uint8_t rsvd64[16];
	uint16_t egsets; /* NVM sets, whose identifiers follow, and then the channels */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_group_configuration) == 82, "endurance group configuration descriptor");

/* Capacity Configuration Descriptor. Section 5.1.12.1.18. */
struct nvme_capacity_configuration {
	uint16_t ccid; /* configuration */
	uint16_t did; /* domain */
	uint16_t egcn; /* endurance groups, whose descriptors follow */
	uint8_t rsvd6[26];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_capacity_configuration) == 32, "capacity configuration descriptor");

/* Supported Capacity Configuration List, LID 11h. Section 5.1.12.1.18. */
struct nvme_capacity_configurations_log {
	uint8_t sccn; /* configurations */
	uint8_t rsvd1[15];
	uint8_t descriptors[]; /* capacity configuration descriptors, of different lengths */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_capacity_configurations_log) == 16, "LID 11h");

/*
 * Feature Identifiers Supported and Effects, LID 12h: one entry for each FID; bits as in log page 05h. Section
 * 5.1.12.1.19.
 */
struct nvme_feature_effects_log {
	uint32_t fids[256]; /* features, by FID, bits 0 FSUPP, 1 UDCC, 2 NCC, 3 NIC, 4 CCC, 19 USS, 31:20 FSP */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_feature_effects_log) == 1024, "LID 12h");

/*
 * NVMe-MI Commands Supported and Effects, LID 13h: one entry for each opcode of the Management Interface; bits as in
 * log page 05h. Section 5.1.12.1.20.
 */
struct nvme_mi_effects_log {
	uint32_t micss[256]; /* commands, by opcode, bits 0 CSUPP, 1 UDCC, 2 NCC, 3 NIC, 4 CCC, 31:20 CSP */
	uint8_t rsvd1024[3072];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_effects_log) == 4096, "LID 13h");

/* Command and Feature Lockdown, LID 14h. Section 5.1.12.1.21. */
struct nvme_lockdown_log {
	uint8_t cfila; /* contents of the list, bits 3:0 SCP, 5:4 CS */
	uint8_t rsvd1[2];
	uint8_t lngth; /* identifiers */
	uint8_t cfil[508]; /* opcodes or FIDs */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lockdown_log) == 512, "LID 14h");

/* Boot Partition, LID 15h. Section 5.1.12.1.22. */
struct nvme_boot_partition_log {
	uint8_t lid; /* log page, enum nvme_lid */
	uint8_t rsvd1[3];
	uint32_t bpinfo; /* boot partition information, bits 14:0 BPSZ, 31 ABPID */
	uint8_t rsvd8[8];
	uint8_t bpdata[]; /* the boot partition */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_boot_partition_log) == 16, "LID 15h");

/* Rotational Media Information, LID 16h. Section 5.1.12.1.23. */
struct nvme_rotational_media_log {
	uint16_t endgid; /* endurance group */
	uint16_t numa; /* actuators */
	uint16_t nrs; /* nominal rotational speed, 1: not reported, 1/minute */
	uint8_t rsvd6[2];
	uint32_t spinc; /* spinups */
	uint32_t fspinc; /* spinups that failed */
	uint32_t ldc; /* loads of heads */
	uint32_t fldc; /* loads that failed */
	uint8_t rsvd24[488];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_rotational_media_log) == 512, "LID 16h");

/* Dispersed Namespace Participating NVM Subsystems, LID 17h. */
struct nvme_dispersed_ns_log {
	uint64_t genctr; /* generation counter */
	uint64_t numpsub; /* participating NVM subsystems */
	uint8_t rsvd16[240];
	char nqn[][256]; /* NQNs of the subsystems */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_dispersed_ns_log) == 256, "LID 17h");

/* Management Address Descriptor. */
struct nvme_management_address {
	uint8_t mat; /* type: 1 NVM subsystem, 2 fabric interface manager */
	uint8_t rsvd1[3];
	char madrs[508]; /* address */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_management_address) == 512, "management address descriptor");

/* Management Address List, LID 18h. */
struct nvme_management_addresses_log {
	struct nvme_management_address mad[8]; /* addresses */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_management_addresses_log) == 4096, "LID 18h");

/* Reachability Group Descriptor. Section 5.1.12.1.25. */
struct nvme_reachability_group {
	uint32_t rgid; /* reachability group */
	uint32_t nnid; /* NSIDs */
	uint64_t chngc; /* change count */
	uint8_t rsvd16[16];
	uint32_t nsid[]; /* namespaces */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reachability_group) == 32, "reachability group descriptor");

/* Reachability Groups, LID 1Ah. Section 5.1.12.1.25. */
struct nvme_reachability_groups_log {
	uint64_t chngc; /* change count */
	uint16_t nrgd; /* descriptors */
	uint8_t rsvd10[6];
	uint8_t groups[]; /* groups */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reachability_groups_log) == 16, "LID 1Ah");

/* Reachability Association Descriptor. Section 5.1.12.1.26. */
struct nvme_reachability_association {
	uint32_t rasid; /* reachability association */
	uint32_t nrid; /* reachability groups */
	uint64_t chngc; /* change count */
	uint8_t rac; /* characteristics */
	uint8_t rsvd17[15];
	uint32_t rgid[]; /* groups */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reachability_association) == 32, "reachability association descriptor");

/* Reachability Associations, LID 1Bh. Section 5.1.12.1.26. */
struct nvme_reachability_associations_log {
	uint64_t chngc; /* change count */
	uint16_t nrad; /* descriptors */
	uint8_t rsvd10[6];
	uint8_t associations[]; /* associations */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reachability_associations_log) == 16, "LID 1Bh");

/* Reservation Notification, LID 80h. Section 5.1.12.1.32. */
struct nvme_reservation_log {
	uint64_t lpc; /* counter of log pages, 0: there is none */
	uint8_t rnlpt; /* 0: none, 1: registration preempted, 2: reservation released, 3: reservation preempted */
	uint8_t nalp; /* log pages that are still unread */
	uint8_t rsvd10[2];
	uint32_t nsid; /* namespace */
	uint8_t rsvd16[48];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reservation_log) == 64, "LID 80h");

/* SOS of the sanitize log page. Section 5.1.12.1.33. */
enum nvme_sanitize_status {
	NVME_SANITIZE_NEVER = 0, /* since the drive was made */
	NVME_SANITIZE_SUCCESS = 1,
	NVME_SANITIZE_IN_PROGRESS = 2,
	NVME_SANITIZE_FAILED = 3,
	NVME_SANITIZE_DEALLOCATED = 4, /* successfully, but for No-Deallocate After Sanitize */
};

/* states of the sanitize operation. Section 8.1.24.3. */
enum nvme_sanitize_state {
	NVME_SANITIZE_STATE_IDLE = 0,
	NVME_SANITIZE_STATE_RESTRICTED_PROCESSING = 1,
	NVME_SANITIZE_STATE_RESTRICTED_FAILURE = 2,
	NVME_SANITIZE_STATE_UNRESTRICTED_PROCESSING = 3,
	NVME_SANITIZE_STATE_UNRESTRICTED_FAILURE = 4,
	NVME_SANITIZE_STATE_MEDIA_VERIFICATION = 5,
	NVME_SANITIZE_STATE_POST_VERIFICATION_DEALLOCATION = 6,
};

/* Sanitize Status, LID 81h. Times are in seconds. FFFFFFFFh means not reported. Section 5.1.12.1.33. */
struct nvme_sanitize_log {
	uint16_t sprog; /* progress, FFFFh if none is in progress, 1/65536 */
	uint16_t sstat; /* status, bits 2:0 SOS */
	uint32_t scdw10; /* dword 10 of the latest Sanitize */
	uint32_t eto; /* estimated time of an overwrite, s */
	uint32_t etbe; /* estimated time of a block erase, s */
	uint32_t etce; /* estimated time of a crypto erase, s */
	uint32_t etond; /* overwrite with No-Deallocate After Sanitize, s */
	uint32_t etbend; /* block erase with No-Deallocate After Sanitize, s */
	uint32_t etcend; /* crypto erase with No-Deallocate After Sanitize, s */
	uint32_t etpvds; /* post-verification deallocation, s */
	uint8_t ssi; /* state, bits 3:0 SANS, 7:4 FAILS */
	uint8_t rsvd37[475];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_sanitize_log) == 512, "LID 81h");

/* SSTAT. */
#define NVME_SANITIZE_PASSES_SHIFT 3 /* overwrite passes that are done */
#define NVME_SANITIZE_GLOBAL_DATA_ERASED 0x100u /* no user data were written since */
#define NVME_SANITIZE_MVCNCLD 0x200u /* media verification was canceled */

/* Power Histogram Descriptor of log page 25h. Section Base 2.3 5.2.12.1.33. */
struct nvme_power_histogram {
	uint32_t phbc; /* interval power measurements in the bin */
	uint32_t phblt; /* its lowest power, bits 15:0 PWRV, 17:16 PWRS */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_power_histogram) == 8, "power histogram descriptor");

/* Power Measurement, LID 25h. Section Base 2.3 5.2.12.1.33. */
struct nvme_power_measurement_log {
	uint8_t ver; /* version */
	uint8_t pmgn; /* generation number: measurements started, modulo 256 */
	uint16_t pma; /* attributes, bits 1 NCPDF, 4 PHDO, 15:12 PMT */
	uint32_t sze; /* size of the log page, bytes */
	uint32_t pmc; /* interval power measurements, each of a second */
	uint16_t nphd; /* histogram descriptors */
	uint16_t smtr; /* time until the measurement stops, 0: not specified, minutes */
	uint64_t smts; /* when the measurement has stopped, bits 47:0 TSTMP, 48 SYNCH, 51:49 TSO */
	uint16_t phds; /* size of a histogram descriptor, bytes */
	uint16_t phbs; /* size of a bin, mW */
	uint16_t nphds; /* histogram descriptors at most */
	uint16_t vss; /* size of what the vendor defines, bytes */
	uint32_t phdoc; /* measurements above the last bin */
	uint8_t rsvd36[4];
	uint32_t aipwr; /* average of the measurements, bits 15:0 PWRV, 17:16 PWRS */
	uint32_t mipwr; /* the highest one, bits 15:0 PWRV, 17:16 PWRS */
	uint64_t mipwrt; /* when that was, bits 47:0 TSTMP, 48 SYNCH, 51:49 TSO */
	uint8_t ipwrpe; /* error of a measurement at most, 255: not reported, percent */
	uint8_t rsvd57[7];
	struct nvme_power_histogram phd[]; /* histogram descriptors */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_power_measurement_log) == 64, "LID 25h");
_Static_assert(offsetof(struct nvme_power_measurement_log, pmc) == 8, "PMC");
_Static_assert(offsetof(struct nvme_power_measurement_log, aipwr) == 40, "AIPWR");

/* PMA. */
#define NVME_PMA_PME 0x1u /* a measurement is running */
#define NVME_PMA_EPF 0x4u /* the power is estimated */
#define NVME_PMA_MIPWRTS 0x8u /* MIPWRT is reported */

/* Changed Zone List, LID BFh. Section ZNS 4.1.3. */
struct nvme_changed_zones_log {
	uint16_t nrzid; /* zones; FFFFh: more than fit */
	uint8_t rsvd2[6];
	uint64_t zslba[511]; /* first LBAs of zones that changed */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_changed_zones_log) == 4096, "LID BFh");

#endif
