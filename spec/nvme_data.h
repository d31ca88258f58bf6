/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors in the data of commands: SGLs, ranges, zones, reservations, directives.
 * NVM Express Base Specification 2.1; NVM Command Set Specification 1.1; Zoned Namespace Command Set Specification
 * 1.2.
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/descriptors.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_DATA_H
#define SPEC_NVME_DATA_H

#include <stddef.h>
#include <stdint.h>

/* types of SGL descriptors. Section 4.3.2. */
enum nvme_sgl_type {
	NVME_SGL_DATA_BLOCK = 0x0,
	NVME_SGL_BIT_BUCKET = 0x1,
	NVME_SGL_SEGMENT = 0x2,
	NVME_SGL_LAST_SEGMENT = 0x3,
	NVME_SGL_KEYED_DATA_BLOCK = 0x4,
	NVME_SGL_TRANSPORT_DATA_BLOCK = 0x5,
	NVME_SGL_VENDOR = 0xf, /* vendor specific */
};

/* SGL Descriptor: data block, bit bucket, segment or last segment. Section 4.3.2. */
struct nvme_sgl_descriptor {
	uint64_t addr; /* address; in a bit bucket reserved */
	uint32_t length; /* length, bytes */
	uint8_t rsvd12[3];
	uint8_t sglid; /* identifier, bits 3:0 SUBTYPE, 7:4 TYPE */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_sgl_descriptor) == 16, "SGL descriptor");

/* Source Range Entry of Copy, format 1h: 32-bit and 64-bit guards, this namespace. Section NVM 3.3.2. */
struct nvme_copy_range_1 {
	uint8_t rsvd0[8];
	uint64_t slba; /* first LBA */
	uint16_t nlb; /* LBAs, 0's based */
	uint8_t rsvd18[8];
	uint8_t elbt[10]; /* expected reference and storage tags */
	uint16_t elbat; /* expected application tag */
	uint16_t elbatm; /* mask of the application tag */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_copy_range_1) == 40, "source range, format 1h");

/* Source Range Entry of Copy, format 2h: 16-bit guards, any namespace. Section NVM 3.3.2. */
struct nvme_copy_range_2 {
	uint32_t snsid; /* source namespace */
	uint8_t rsvd4[4];
	uint64_t slba; /* first LBA */
	uint16_t nlb; /* LBAs, 0's based */
	uint8_t rsvd18[4];
	uint16_t sopt; /* options, bits 15 FCO */
	uint32_t elbrt; /* expected reference tag */
	uint16_t elbat; /* expected application tag */
	uint16_t elbatm; /* mask of the application tag */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_copy_range_2) == 32, "source range, format 2h");

/* Source Range Entry of Copy, format 3h: 32-bit and 64-bit guards, any namespace. Section NVM 3.3.2. */
struct nvme_copy_range_3 {
	uint32_t snsid; /* source namespace */
	uint8_t rsvd4[4];
	uint64_t slba; /* first LBA */
	uint16_t nlb; /* LBAs, 0's based */
	uint8_t rsvd18[4];
	uint16_t sopt; /* options, bits 15 FCO */
	uint8_t rsvd24[2];
	uint8_t elbt[10]; /* expected reference and storage tags */
	uint16_t elbat; /* expected application tag */
	uint16_t elbatm; /* mask of the application tag */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_copy_range_3) == 40, "source range, format 3h");

/* LBA Status Descriptor Entry. Section NVM 4.2.1. */
struct nvme_lba_status_descriptor {
	uint64_t dslba; /* first LBA */
	uint32_t nlb; /* LBAs, 0's based */
	uint8_t rsvd12;
	uint8_t status; /* status */
	uint8_t rsvd14[2];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_status_descriptor) == 16, "LBA status descriptor");

/* LBA Status Descriptor List, data of Get LBA Status. Section NVM 4.2.1. */
struct nvme_lba_status_list {
	uint32_t nlsd; /* descriptors */
	uint8_t cmpc; /* completion condition: 1 all of MNDW, 2 all of RL, bits 2:0 CMPC */
	uint8_t rsvd5[3];
	struct nvme_lba_status_descriptor descriptors[]; /* descriptors */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lba_status_list) == 8, "LBA status descriptor list");

/* status of an LBA status descriptor. */
#define NVME_LBA_STATUS_UNREADABLE 0x1u /* a read of each LBA may fail */
#define NVME_LBA_STATUS_MARKED 0x2u /* Write Uncorrectable wrote each LBA; 0 tells nothing */

/* ESA of an LBA Migration Queue entry. Section NVM 5.6. */
enum nvme_migration_entry_kind {
	NVME_ENTRY_BETWEEN = 0, /* neither first nor last */
	NVME_ENTRY_FIRST = 1, /* since logging started, or the controller was resumed */
	NVME_ENTRY_STOPPED = 2, /* the last: the host has stopped logging */
	NVME_ENTRY_SUSPENDED = 3, /* the last: the controller is suspended */
	NVME_ENTRY_FULL = 7, /* the last: the queue has become full, and logging has stopped */
};

/* LBACIR of an LBA Migration Queue entry: what has changed. Section NVM 5.6. */
enum nvme_migration_change {
	NVME_CHANGE_RANGE = 0, /* the LBAs that the entry names */
	NVME_CHANGE_NAMESPACE = 1, /* all LBAs of the namespace */
	NVME_CHANGE_NONE = 2,
};

/* LBA Migration Queue Entry Type 0. Section NVM 5.6. */
struct nvme_migration_queue_entry {
	uint32_t nsid; /* namespace */
	uint32_t nlb; /* LBAs, 0's based */
	uint64_t slba; /* first LBA */
	uint8_t rsvd16[15];
	uint8_t lbamqa; /* attributes, bits 0 CDQP, 3:1 ESA, 5 DLBA, 7:6 LBACIR */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_migration_queue_entry) == 32, "LBA migration queue entry");

/* I/O Submission Queue State. Section 5.1.17.1.3. */
struct nvme_sq_state {
	uint64_t iosqprp1; /* address: PRP1 of the command that created it */
	uint16_t iosqqsize; /* entries, 0's based */
	uint16_t iosqqid; /* identifier */
	uint16_t iosqcqid; /* completion queue */
	uint16_t iosqa; /* attributes, bits 0 IOSQPC, 2:1 IOSQPRIO */
	uint16_t iosqhp; /* head pointer */
	uint16_t iosqtp; /* tail pointer */
	uint8_t rsvd20[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_sq_state) == 24, "state of an I/O submission queue");

/* I/O Completion Queue State. Section 5.1.17.1.3. */
struct nvme_cq_state {
	uint64_t iocqprp1; /* address: PRP1 of the command that created it */
	uint16_t iocqqsize; /* entries, 0's based */
	uint16_t iocqqid; /* identifier */
	uint16_t iocqhp; /* head pointer */
	uint16_t iocqtp; /* tail pointer */
	uint32_t iocqa; /* attributes, bits 0 IOCQPC, 1 IOCQIEN, 2 S0PT, 31:16 IOCQIV */
	uint8_t rsvd20[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_cq_state) == 24, "state of an I/O completion queue");

/*
 * Controller State, and the header of the NVMe Controller State; the completion queues follow the last field. Section
 * 5.1.17.1.3.
 */
struct nvme_controller_state {
	uint16_t ver; /* version of this structure, 0 */
	uint8_t csattr; /* attributes, bits 0 CSUP */
	uint8_t rsvd3[13];
	uint64_t nvmecss[2]; /* size of what follows this header of 48 bytes, dwords */
	uint64_t vss[2]; /* size of the vendor specific state after it, dwords */
	uint16_t nvmever; /* version of the state of the queues, 0 */
	uint16_t niosq; /* I/O submission queues */
	uint16_t niocq; /* I/O completion queues */
	uint8_t rsvd54[2];
	struct nvme_sq_state iosq[]; /* submission queues */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_controller_state) == 56, "controller state");

/* ZS of a zone descriptor. Section ZNS 3.4.2. */
enum nvme_zone_state {
	NVME_ZONE_STATE_EMPTY = 0x1,
	NVME_ZONE_STATE_IMPLICITLY_OPENED = 0x2,
	NVME_ZONE_STATE_EXPLICITLY_OPENED = 0x3,
	NVME_ZONE_STATE_CLOSED = 0x4,
	NVME_ZONE_STATE_READ_ONLY = 0xd,
	NVME_ZONE_STATE_FULL = 0xe,
	NVME_ZONE_STATE_OFFLINE = 0xf,
};

/* Zone Descriptor. Section ZNS 3.4.2.2.3. */
struct nvme_zone_descriptor {
	uint8_t zt; /* type, bits 3:0 ZT */
	uint8_t zs; /* state, bits 7:4 ZS */
	uint8_t za; /* attributes, bits 0 ZFC, 1 FZR, 2 RZR, 3 ZRWAV, 7 ZDEV */
	uint8_t zai; /* attributes information, bits 1:0 RRL, 3:2 FRL */
	uint8_t rsvd4[4];
	uint64_t zcap; /* capacity, LBAs */
	uint64_t zslba; /* first LBA */
	uint64_t wp; /* write pointer, an LBA */
	uint8_t rsvd32[32];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_zone_descriptor) == 64, "zone descriptor");

/* Report Zones, data of Zone Management Receive. Section ZNS 3.4.2.2.1. */
struct nvme_zone_report {
	uint64_t nz; /* zones */
	uint8_t rsvd8[56];
	struct nvme_zone_descriptor zones[]; /* zones */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_zone_report) == 64, "report zones");

/* RTYPE of reservations. Section 8.1.22. */
enum nvme_reservation_type {
	NVME_RESERVATION_WRITE_EXCLUSIVE = 1,
	NVME_RESERVATION_EXCLUSIVE_ACCESS = 2,
	NVME_RESERVATION_WRITE_EXCLUSIVE_REGISTRANTS = 3,
	NVME_RESERVATION_EXCLUSIVE_ACCESS_REGISTRANTS = 4,
	NVME_RESERVATION_WRITE_EXCLUSIVE_ALL = 5,
	NVME_RESERVATION_EXCLUSIVE_ACCESS_ALL = 6,
};

/* Registered Controller. Section 7.8. */
struct nvme_registered_ctrl {
	uint16_t cntlid; /* controller */
	uint8_t rcsts; /* status, bits 0 HLDRSV */
	uint8_t rsvd3[5];
	uint8_t hostid[8]; /* host identifier */
	uint64_t rkey; /* reservation key */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_registered_ctrl) == 24, "registered controller");

/* Reservation Status, data of Reservation Report. Section 7.8. */
struct nvme_reservation_status {
	uint32_t gen; /* generation */
	uint8_t rtype; /* reservation, 0: none, enum nvme_reservation_type */
	uint16_t regctl; /* registered controllers */
	uint8_t rsvd7[2];
	uint8_t ptpls; /* persist through power loss */
	uint8_t rsvd10[14];
	struct nvme_registered_ctrl controllers[]; /* registered controllers */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reservation_status) == 24, "reservation status");

/* Registered Controller, extended. Section 7.8. */
struct nvme_registered_ctrl_ext {
	uint16_t cntlid; /* controller */
	uint8_t rcsts; /* status, bits 0 HLDRSV */
	uint8_t rsvd3[5];
	uint64_t rkey; /* reservation key */
	uint8_t hostid[16]; /* host identifier */
	uint8_t rsvd32[32];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_registered_ctrl_ext) == 64, "registered controller, extended");

/* Reservation Status, extended: data of Reservation Report with EDS. Section 7.8. */
struct nvme_reservation_status_ext {
	uint32_t gen; /* generation */
	uint8_t rtype; /* reservation, 0: none, enum nvme_reservation_type */
	uint16_t regctl; /* registered controllers */
	uint8_t rsvd7[2];
	uint8_t ptpls; /* persist through power loss */
	uint8_t rsvd10[54];
	struct nvme_registered_ctrl_ext controllers[]; /* registered controllers */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reservation_status_ext) == 64, "reservation status, extended");

/* data of Reservation Acquire, Register and Release. Release has the first 8 bytes only. Section 7.5. */
struct nvme_reservation_keys {
	uint64_t crkey; /* current key */
	uint64_t key; /* preempted key (Acquire) or new key (Register) */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_reservation_keys) == 16, "reservation keys");

/* Identify directive: return parameters. Section 8.1.8.2.1.1. */
struct nvme_directives {
	uint8_t supported[32]; /* supported, one a bit */
	uint8_t enabled[32]; /* enabled, one a bit */
	uint8_t persistent[32]; /* enabled beyond a reset, one a bit */
	uint8_t rsvd96[4000];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_directives) == 4096, "identify directive");

/* Streams directive: return parameters. Section 8.1.8.3.1.1. */
struct nvme_streams_params {
	uint16_t msl; /* streams at most */
	uint16_t nssa; /* streams of the subsystem that are available */
	uint16_t nsso; /* streams of the subsystem that are open */
	uint8_t nssc; /* capability, bits 0 SSID */
	uint8_t rsvd7[9];
	uint32_t sws; /* stream write size, LBAs */
	uint16_t sgs; /* stream granularity, SWS */
	uint16_t nsa; /* streams that the namespace has allocated */
	uint16_t nso; /* streams of the namespace that are open */
	uint8_t rsvd26[6];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_streams_params) == 32, "streams parameters");

/* Streams directive: get status. Section 8.1.8.3.1.2. */
struct nvme_streams_status {
	uint16_t osc; /* open streams */
	uint16_t sid[]; /* stream identifiers */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_streams_status) == 2, "streams status");

/* Reclaim Unit Handle Status Descriptor. Section 7.3.1.1. */
struct nvme_ruh_status {
	uint16_t pid; /* placement identifier */
	uint16_t ruhid; /* reclaim unit handle */
	uint32_t earutr; /* time until the reclaim unit is replaced, 0: not reported, s */
	uint64_t ruamw; /* space left in the reclaim unit, LBAs */
	uint8_t rsvd16[16];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ruh_status) == 32, "reclaim unit handle status descriptor");

/* Reclaim Unit Handle Status, data of I/O Management Receive. Section 7.3.1.1. */
struct nvme_ruh_status_list {
	uint8_t rsvd0[14];
	uint16_t nruhsd; /* descriptors */
	struct nvme_ruh_status ruhs[]; /* descriptors */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ruh_status_list) == 16, "reclaim unit handle status");

/* data of Namespace Management that creates a namespace. Section 5.1.21.1.1. */
struct nvme_ns_management_data {
	uint64_t nsze; /* size, LBAs */
	uint64_t ncap; /* capacity, LBAs */
	uint8_t rsvd16[10];
	uint8_t flbas; /* LBA format */
	uint8_t rsvd27[2];
	uint8_t dps; /* protection */
	uint8_t nmic; /* sharing */
	uint8_t rsvd31[61];
	uint32_t anagrpid; /* ANA group */
	uint8_t rsvd96[4];
	uint16_t nvmsetid; /* NVM set */
	uint16_t endgid; /* endurance group */
	uint8_t rsvd104[280];
	uint64_t lbstm; /* mask of the storage tag */
	uint16_t nphndls; /* placement handles */
	uint8_t rsvd394[105];
	uint8_t znsco; /* options of a zoned namespace, bit 0: allocate random write areas */
	uint32_t rar; /* requested active zones, 0: the drive chooses */
	uint32_t ror; /* requested open zones, 0: the drive chooses */
	uint32_t rnumzrwa; /* requested random write areas of zones */
	uint16_t phndl[128]; /* reclaim unit handle of each placement handle */
	uint8_t rsvd768[3328];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ns_management_data) == 4096, "data of Namespace Management");

#endif
