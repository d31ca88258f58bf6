/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a drive knows without power, beside its data: sections in the system area of its store, changed in place.
 *
 * A section has a head that tells what it is, its version and its length. A program takes the sections that it knows,
 * keeps those that it does not, and begins those that are missing with zeros. So a section may grow at its end; one
 * whose members get another meaning gets another version, and is unknown to older programs.
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
	uint16_t length; /* bytes behind this head, a multiple of 8 */
};

struct vssd_identity {
	struct vssd_section head;
	char serial[VSSD_SERIAL_SIZE];
	bool in_use; /* enabled since it was last shut down; found set at power-up: the power went unannounced */
};

struct vssd_formats {
	struct vssd_section head;
	uint8_t lbaf[VSSD_MAX_NAMESPACES]; /* by NSID - 1 */
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
	uint32_t thermal_count[2]; /* transitions to the light and to the heavy saving of power */
	uint64_t thermal_ms[2];
};

/* The format that is running. */
struct vssd_format_state {
	struct vssd_section head;
	bool running;
	uint8_t lbaf;
	uint8_t first; /* indexes of namespaces, the last one included */
	uint8_t last;
};

/* The sanitize operation that is in progress, or was the last. */
struct vssd_sanitize_state {
	struct vssd_section head;
	uint64_t done;    /* blocks, of as many as it goes over: each once a pass */
	uint32_t cdw10;   /* of the command that started it */
	uint32_t pattern; /* of an overwrite */
	uint8_t status;   /* enum nvme_sanitize_status */
	bool left;        /* it failed, and the host has left the failure mode */
	bool written;     /* by the host, since then or, where there was none, ever */
};

struct vssd_saved_features {
	struct vssd_section head;
	uint64_t apst[VSSD_APST_ENTRIES];
	uint8_t valid[256]; /* by FID */
	uint32_t value[256];
};

struct vssd_firmware_slot {
	char revision[8]; /* NULs: the slot is empty */
	uint8_t needs;    /* what its image asks for to become active, see firmware.c */
};

struct vssd_firmware_slots {
	struct vssd_section head;
	struct vssd_firmware_slot slots[VSSD_FIRMWARE_SLOTS];
	uint8_t active; /* 1 …, as is next */
	uint8_t next;   /* 0: no other than the active one */
};

/* Generations of telemetry data. */
struct vssd_generations {
	struct vssd_section head;
	uint8_t host;
	uint8_t ctrl;
};

struct vssd_self_test {
	struct vssd_section head;
	uint8_t operation; /* enum nvme_self_test; 0: none */
	uint8_t count;     /* of results */
	uint32_t nsid;
	uint32_t left; /* of 10000 */
	struct nvme_self_test_result results[NVME_SELF_TEST_RESULTS];
};

/* The system area; what this program does not know lies behind it. */
struct vssd_nonvolatile {
	struct vssd_section head; /* of the area: its tag is VSSD_AREA, its length that of all sections */
	struct vssd_identity identity;
	struct vssd_formats formats;
	struct vssd_totals totals;
	struct vssd_format_state formatting;
	struct vssd_sanitize_state sanitize;
	struct vssd_saved_features features;
	struct vssd_firmware_slots firmware;
	struct vssd_generations telemetry;
	struct vssd_self_test self_test;
};
_Static_assert(sizeof(struct vssd_nonvolatile) <= VSSD_SYSTEM_SIZE, "system area");

/* Take over what is in a store's system area: new, of this program, or of another version. *is_new: there was
 * nothing, all is zeros. 0, or -EINVAL: it holds something else; file names it. */
int vssd_nonvolatile_open(struct vssd_store *store, const char *file, struct vssd_nonvolatile **nv, bool *is_new,
			  struct pyn_error *err);

#endif
