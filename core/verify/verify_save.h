/* SPDX-License-Identifier: BSD-3-Clause */
/* Saves in a file what verification knows of a namespace, for another process, and loads it there. */
#ifndef PYN_VERIFY_VERIFY_SAVE_H
#define PYN_VERIFY_VERIFY_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "core/verify/verify.h"
#include "core/verify/verify_format.h"

/* LBAs of a file, by what it says of their data. */
struct pyn_saved {
	uint64_t known; /* saved, or judged again from now on */
	uint64_t stale; /* not judged, since they have changed, or may have, after they were saved */
	uint64_t lost;  /* not judged, since they were not durable at a loss of power */
};

/*
 * Save all that is known of a namespace, data and metadata. LBAs with a write in flight are left out. The file
 * replaces the one of that name at once, when it is complete and on the disk. From then on each change is recorded in
 * it, see verify_files.h. Errors: PYN_ERROR_STATE, an IO worker writes, or a command whose effect is unknown is in
 * flight; PYN_ERROR_MEMORY; PYN_ERROR_SYSTEM.
 */
int pyn_verify_save(struct pyn_verify *verify, const char *path, const struct pyn_save_identity *identity,
		    const struct pyn_save_counts *counts, struct pyn_saved *saved, struct pyn_error *err);

/*
 * Load such a file into the table of the same namespace. What this process has changed, or knows, already stays as
 * it is. No other thread may use the namespace meanwhile. trust_counts: do not compare how many writes the drive has
 * counted. From then on each change is recorded in the file.
 * Errors: PYN_ERROR_CONTENT, the file is damaged or of another version, or describes another drive, namespace or LBA
 * format, or the drive has executed writes that it does not know; those of pyn_verify_save.
 */
int pyn_verify_load(struct pyn_verify *verify, const char *path, const struct pyn_save_identity *identity,
		    const struct pyn_save_counts *counts, bool trust_counts, struct pyn_saved *saved,
		    struct pyn_error *err);

/* Whether this process follows a file of this namespace. */
bool pyn_verify_is_saved(struct pyn_verify *verify);

/* Record in the files that the drive was closed; durable: by a normal shutdown. */
void pyn_verify_note_close(struct pyn_verify *verify, bool durable, const struct pyn_save_counts *counts);

#endif
