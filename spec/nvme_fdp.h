/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log pages of Flexible Data Placement, 20h to 23h.
 * NVM Express Base Specification 2.1, sections 5.1.12.1.28 to 5.1.12.1.31.
 * Layout only, no behaviour.
 * Generated from spec/logs.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_FDP_H
#define SPEC_NVME_FDP_H

#include <stdint.h>

/* types of reclaim unit handles. Section 5.1.12.1.28. */
enum nvme_ruht {
	NVME_RUHT_INITIALLY_ISOLATED = 1,
	NVME_RUHT_PERSISTENTLY_ISOLATED = 2,
};

/* Reclaim Unit Handle Descriptor. Section 5.1.12.1.28. */
struct nvme_ruh {
	uint8_t ruht; /* type, enum nvme_ruht */
	uint8_t rsvd1[3];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ruh) == 4, "reclaim unit handle descriptor");

/* FDP Configuration Descriptor. Section 5.1.12.1.28. */
struct nvme_fdp_configuration {
	uint16_t dsze; /* length of this descriptor, bytes */
	uint8_t fdpa; /* attributes, bits 3:0 RGIF, 4 FDPVWC, 7 FDPCV */
	uint8_t vss; /* vendor specific size, bytes */
	uint32_t nrg; /* reclaim groups */
	uint16_t nruh; /* reclaim unit handles */
	uint16_t maxpids; /* placement identifiers, 0's based */
	uint32_t nns; /* namespaces that are supported */
	uint64_t runs; /* nominal size of a reclaim unit, bytes */
	uint32_t erutl; /* estimated time limit of a reclaim unit, 0: none, s */
	uint8_t rsvd28[36];
	struct nvme_ruh ruh[]; /* reclaim unit handles */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_configuration) == 64, "FDP configuration descriptor");

/* FDP Configurations, LID 20h. Section 5.1.12.1.28. */
struct nvme_fdp_configurations_log {
	uint16_t nfdpc; /* configurations, 0's based */
	uint8_t ver; /* version */
	uint8_t rsvd3;
	uint32_t size; /* length of the log page, bytes */
	uint8_t rsvd8[8];
	uint8_t configurations[]; /* configurations */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_configurations_log) == 16, "LID 20h");

/* Reclaim Unit Handle Usage Descriptor. Section 5.1.12.1.29. */
struct nvme_ruh_usage {
	uint8_t ruha; /* attributes: 0 not in use, 1 named by a host, 2 by the controller */
	uint8_t rsvd1[7];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ruh_usage) == 8, "reclaim unit handle usage descriptor");

/* Reclaim Unit Handle Usage, LID 21h. Section 5.1.12.1.29. */
struct nvme_fdp_usage_log {
	uint16_t nruh; /* reclaim unit handles */
	uint8_t rsvd2[6];
	struct nvme_ruh_usage ruh[]; /* reclaim unit handles */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_usage_log) == 8, "LID 21h");

/* FDP Statistics, LID 22h. Section 5.1.12.1.30. */
struct nvme_fdp_statistics_log {
	uint64_t hbmw[2]; /* bytes of host data that were written, with metadata, bytes */
	uint64_t mbmw[2]; /* bytes that were written to media, bytes */
	uint64_t mbe[2]; /* bytes of media that were erased, bytes */
	uint8_t rsvd48[16];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_statistics_log) == 64, "LID 22h");

/* types of FDP events. Section 5.1.12.1.31. */
enum nvme_fdp_event_type {
	NVME_FDP_EVENT_RU_NOT_FULLY_WRITTEN = 0x00, /* a reclaim unit was not written to capacity */
	NVME_FDP_EVENT_RU_TIME_LIMIT = 0x01, /* the time limit of a reclaim unit was exceeded */
	NVME_FDP_EVENT_RESET = 0x02, /* a reset modified reclaim unit handles */
	NVME_FDP_EVENT_INVALID_PID = 0x03, /* invalid placement identifier */
	NVME_FDP_EVENT_MEDIA_REALLOCATED = 0x80, /* by the controller */
	NVME_FDP_EVENT_RUH_CHANGED = 0x81, /* implicitly, by the controller */
};

/* FDP Event. Section 5.1.12.1.31. */
struct nvme_fdp_event {
	uint8_t et; /* type, enum nvme_fdp_event_type */
	uint8_t fdpef; /* which fields are valid, bits 0 PIV, 1 NSIDV, 2 LV */
	uint16_t pid; /* placement identifier */
	uint64_t ets; /* time stamp, as feature 0Eh */
	uint32_t nsid; /* namespace */
	uint8_t ets_specific[16]; /* specific to the type */
	uint16_t rgid; /* reclaim group */
	uint8_t ruhid; /* reclaim unit handle */
	uint8_t rsvd35[5];
	uint8_t vs[24]; /* vendor specific */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_event) == 64, "FDP event");

/* FDP Events, LID 23h. Section 5.1.12.1.31. */
struct nvme_fdp_events_log {
	uint32_t nfdpe; /* events */
	uint8_t rsvd4[60];
	struct nvme_fdp_event events[]; /* events */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_fdp_events_log) == 64, "LID 23h");

#endif
