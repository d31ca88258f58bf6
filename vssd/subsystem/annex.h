/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The annex: non-volatile state that is too large for the system area. Each part has a head. If a file holds another
 * version of a part, or none, the part begins with zeros. New parts are added at the end.
 */
#ifndef VSSD_SUBSYSTEM_ANNEX_H
#define VSSD_SUBSYSTEM_ANNEX_H

#include <stdint.h>

#include "spec/nvme_ocp.h"
#include "vssd/options.h"
#include "vssd/store/store.h"
#include "vssd/subsystem/reservation.h"

#define VSSD_ACTIVATIONS 20u /* of firmware, that log page C2h of OCP keeps */

#define VSSD_TRACKED 180u /* runs of unreadable LBAs */

#define VSSD_PEL_BYTES (65536u - 512u) /* of the events of log page 0Dh, without its header */

struct vssd_annex_head {
	uint32_t tag;
	uint32_t version;
};

/* What OCP's features and log pages keep over power loss. */
struct vssd_ocp_saved {
	struct vssd_annex_head head;
	uint8_t latency_is_saved;
	uint8_t latency[15]; /* the beginning of struct nvme_ocp_latency_config, as the host has saved it */
	uint32_t activations;
	uint8_t action; /* the commit action of the image that waits for a reset */
	uint8_t reserved[3];
	struct nvme_ocp_firmware_activation activation[VSSD_ACTIVATIONS]; /* oldest first */
};

/* The persistent event log: whole events, oldest first. */
struct vssd_pel_saved {
	struct vssd_annex_head head;
	uint32_t used; /* bytes */
	uint16_t generation;
	uint8_t reserved[2];
	uint8_t bytes[VSSD_PEL_BYTES];
};

/* Unreadable LBAs of a namespace that the drive knows of. */
struct vssd_tracked {
	uint32_t nsid;
	uint32_t reserved;
	uint64_t first;
	uint64_t end; /* behind the last one */
};

/* The tracked LBAs, in the order of their NSIDs and LBAs. */
struct vssd_tracked_saved {
	struct vssd_annex_head head;
	uint32_t used;
	uint16_t generation; /* of log page 0Eh */
	uint8_t reserved[2];
	struct vssd_tracked tracked[VSSD_TRACKED];
};

/* An NVM set. blocks 0: there is none of this identifier. */
struct vssd_set {
	uint64_t blocks;
	uint16_t endgid;
	uint8_t reserved[6];
};

/* A division of the capacity. */
struct vssd_plan {
	uint64_t groups[VSSD_MAX_GROUPS]; /* blocks, by ENDGID - 1; 0: there is none */
	struct vssd_set sets[VSSD_MAX_SETS];
};

/* What endurance groups count. */
struct vssd_group_counts {
	uint64_t sectors_read; /* units of 512 bytes, as is sectors_written */
	uint64_t sectors_written;
	uint64_t reads;
	uint64_t writes;
	uint64_t media_errors;
	uint64_t errors;
};

struct vssd_division {
	struct vssd_annex_head head;
	uint8_t in_use;
	uint8_t has_sets;
	uint16_t selected; /* capacity configuration; 0: none */
	uint8_t reserved[4];
	struct vssd_plan first; /* what the drive began with, which is configuration 1 */
	struct vssd_plan now;
	struct vssd_group_counts counts[VSSD_MAX_GROUPS];
	uint16_t ns_endgid[VSSD_MAX_NAMESPACES]; /* by NSID - 1 */
	uint16_t ns_setid[VSSD_MAX_NAMESPACES];
	uint8_t recovery[VSSD_MAX_SETS + 1]; /* saved read recovery level of each set, of the drive at 0; plus one */
	uint8_t padding[7];
};

/* The reservations of all namespaces, by NSID - 1. */
struct vssd_reservations {
	struct vssd_annex_head head;
	struct vssd_reservation of[VSSD_MAX_NAMESPACES];
};

/* The limits of a zoned namespace that the host has created. */
struct vssd_zone_record {
	uint32_t active;
	uint32_t open;
	uint32_t zrwas;
	uint32_t is_set; /* 0: the limits are those of the options */
};

struct vssd_zone_limits_saved {
	struct vssd_annex_head head;
	struct vssd_zone_record of[VSSD_MAX_NAMESPACES]; /* by NSID - 1 */
};

struct vssd_annex {
	struct vssd_ocp_saved ocp;
	struct vssd_pel_saved pel;
	struct vssd_tracked_saved tracked;
	struct vssd_division division;
	struct vssd_reservations reservations;
	struct vssd_zone_limits_saved zones;
};
_Static_assert(sizeof(struct vssd_annex) <= VSSD_ANNEX_SIZE, "annex");

/* Get the annex of a store, with valid heads. */
struct vssd_annex *vssd_annex_open(struct vssd_store *store);

#endif
