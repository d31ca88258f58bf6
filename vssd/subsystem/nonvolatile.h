/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The non-volatile state of a drive besides its data: sections in the system area of its store, changed in place.
 *
 * The head of a section has its tag, version and length. A program loads the sections that it knows, keeps unknown
 * ones unchanged, and fills missing ones with zeros. New members can be added at the end of a section. If members
 * change their meaning, the section needs a new version, which older programs then treat as unknown.
 *
 * A file may hold any values. The init() of each part replaces those that it could not work with. Truth values are
 * uint8_t, since a bool may only hold 0 and 1.
 */
#ifndef VSSD_SUBSYSTEM_NONVOLATILE_H
#define VSSD_SUBSYSTEM_NONVOLATILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_log.h"
#include "vssd/options.h"
#include "vssd/store/store.h"

#define VSSD_APST_ENTRIES 32u
#define VSSD_FIRMWARE_SLOTS 3u

struct vssd_section {
	_Alignas(8) uint32_t tag;
	uint16_t version;
	uint16_t length; /* bytes after this head, a multiple of 8 */
};

struct vssd_identity {
	struct vssd_section head;
	char serial[VSSD_SERIAL_SIZE];
	uint8_t in_use; /* enabled since the last shutdown; if set at power-up, the last power loss was unannounced */
};

struct vssd_formats {
	struct vssd_section head;
	uint8_t lbaf[VSSD_MAX_NAMESPACES]; /* by NSID - 1 */
	uint8_t large;                     /* log2 of the LBA size of every second format; 0: 12 */
	uint8_t reserved[7];
};

struct vssd_totals {
	struct vssd_section head;
	uint64_t sectors_read; /* units of 512 bytes, as is sectors_written */
	uint64_t sectors_written;
	uint64_t reads;
	uint64_t writes;
	uint64_t busy_ms;
	uint64_t power_cycles;
	uint64_t power_on_ms;
	uint64_t unsafe_shutdowns;
	uint64_t media_errors;
	uint64_t errors;           /* error log entries ever made */
	uint64_t warning_ms;       /* at or above WCTEMP */
	uint64_t critical_ms;      /* at or above CCTEMP */
	uint32_t thermal_count[2]; /* transitions to light and to heavy thermal management */
	uint64_t thermal_ms[2];
	uint64_t energy;  /* millijoules, of a drive that measures its power */
	uint64_t spinups; /* of a drive with rotational media */
	uint8_t spinup_control;
	uint8_t reserved[7];
};

/* The running format. */
struct vssd_format_state {
	struct vssd_section head;
	uint8_t running;
	uint8_t lbaf;
	uint8_t first; /* index of the first namespace, and of the last one */
	uint8_t last;
	uint32_t nsids; /* a bit for each namespace, by NSID - 1; 0: all from first to last */
};

/* The current sanitize operation, or the last one. */
struct vssd_sanitize_state {
	struct vssd_section head;
	uint64_t done;    /* blocks processed; each counts once for each pass */
	uint32_t cdw10;   /* of the command that started it */
	uint32_t pattern; /* of an overwrite */
	uint8_t status;   /* enum nvme_sanitize_status */
	uint8_t left;     /* it failed, and the host has exited failure mode */
	uint8_t written;  /* the host has written since the last successful operation, or ever */
	uint8_t phase;    /* enum vssd_sanitize_phase, of an operation in progress or that has failed */
	uint8_t canceled; /* a reset has canceled the media verification */
	uint8_t cntlid;   /* of the controller that started it; 0: an older version of this program did */
};

struct vssd_saved_features {
	struct vssd_section head;
	uint64_t apst[VSSD_APST_ENTRIES];
	uint8_t valid[256]; /* by FID */
	uint32_t value[256];
};

struct vssd_firmware_slot {
	char revision[8]; /* all NUL: the slot is empty */
	uint8_t needs;    /* the reset that the image needs to become active, see firmware.c */
};

struct vssd_firmware_slots {
	struct vssd_section head;
	struct vssd_firmware_slot slots[VSSD_FIRMWARE_SLOTS];
	uint8_t active; /* slot numbers from 1 on, as is next */
	uint8_t next;   /* the slot to activate at a reset; 0: none */
};

/* Generation numbers of telemetry data. */
struct vssd_generations {
	struct vssd_section head;
	uint8_t host;
	uint8_t ctrl;
};

struct vssd_self_test {
	struct vssd_section head;
	uint8_t operation; /* enum nvme_self_test; 0: none */
	uint8_t count;     /* number of results */
	uint32_t nsid;
	uint32_t left; /* remaining work; 10000 is a whole test */
	struct nvme_self_test_result results[NVME_SELF_TEST_RESULTS];
};

/* How worn the drive is. All zeros: it is new. */
struct vssd_wear {
	struct vssd_section head;
	uint8_t used;          /* percent of the life, as in SMART; 255: at least as much */
	uint8_t spare_lost;    /* percent of the spare, 100 at most */
	uint8_t backup_failed; /* the volatile memory has no backup: its capacitors are defective */
	uint8_t read_only;     /* by request; without spare it is so as well */
	uint8_t reserved[4];
	uint64_t counted; /* sectors written that have worn the drive already, with the option endurance */
};

/* A namespace of a drive with Namespace Management. blocks 0: there is none of this NSID. */
struct vssd_ns_record {
	uint64_t first_block;
	uint64_t blocks;
	uint64_t bytes;
	uint32_t number;
	uint16_t attached;
	uint8_t shared : 1;
	uint8_t anagrpid : 7; /* 0: the drive chooses it */
	uint8_t csi;          /* enum nvme_csi */
};

/* The running move of the blocks of a namespace. nsid 0: there is none. */
struct vssd_ns_move {
	uint64_t to;
	uint64_t done; /* blocks */
	uint32_t nsid;
	uint32_t reserved;
};

struct vssd_ns_table {
	struct vssd_section head;
	uint32_t created; /* namespaces that the host has ever created */
	uint8_t managed;  /* the records below describe the namespaces, and not the options */
	uint8_t reserved[3];
	struct vssd_ns_move move;
	struct vssd_ns_record ns[VSSD_MAX_NAMESPACES]; /* by NSID - 1 */
};

/* Flexible resources of the primary controller, by enum vssd_resource: from its next reset on, see virtual.h. */
struct vssd_share {
	struct vssd_section head;
	uint16_t flexible[2];
	uint8_t reserved[4];
};

/* The storage tag masks of namespaces. */
struct vssd_tag_masks {
	struct vssd_section head;
	uint64_t off[VSSD_MAX_NAMESPACES]; /* by NSID - 1: bits of the storage tag that are not checked */
};

/* The system area; sections that this program does not know follow. */
struct vssd_nonvolatile {
	struct vssd_section head; /* of the area: tag VSSD_AREA, and the length of all sections */
	struct vssd_identity identity;
	struct vssd_formats formats;
	struct vssd_totals totals;
	struct vssd_format_state formatting;
	struct vssd_sanitize_state sanitize;
	struct vssd_saved_features features;
	struct vssd_firmware_slots firmware;
	struct vssd_generations telemetry;
	struct vssd_self_test self_test;
	struct vssd_wear wear;
	struct vssd_ns_table namespaces;
	struct vssd_share share;
	struct vssd_tag_masks masks;
};
_Static_assert(sizeof(struct vssd_nonvolatile) <= VSSD_SYSTEM_SIZE, "system area");

/* Load the system area of a store, which may be empty or from another version of this program. *is_new: it was empty,
 * and is all zeros. 0, or -EINVAL: it is invalid; the message names file. */
int vssd_nonvolatile_open(struct vssd_store *store, const char *file, struct vssd_nonvolatile **nv, bool *is_new,
			  struct pyn_error *err);

#endif
