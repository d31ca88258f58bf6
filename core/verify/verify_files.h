/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files that hold what verification knows of a namespace (verify_save.h), from the moment when this process has
 * saved or loaded one. Each stays true while the process goes on: before a command changes LBAs, a record with their
 * range is appended to each file and forced to the disk. So a file is right after the process, or the machine, died
 * at any moment.
 *
 * A record may name more LBAs than the command. The first ones of a file are as exact as a bit for each of at most
 * 2^20 pieces of the namespace allows, later ones are coarser, so that a file costs at most some thousand of them.
 * What a file does not know any more costs nothing.
 */
#ifndef PYN_VERIFY_VERIFY_FILES_H
#define PYN_VERIFY_VERIFY_FILES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "core/verify/verify_format.h"

struct pyn_verify_file;

struct pyn_verify_files {
	_Atomic uint64_t
		*settled;  /* a bit for each piece: no file knows it any more, so that changes need no record */
	uint64_t *changed; /* the same: this process has changed it; under the lock */
	uint64_t nlba;
	unsigned shift;           /* LBAs of a piece: 2^shift */
	_Atomic uint32_t regions; /* workers that change LBAs */
	pthread_mutex_t lock;
	struct pyn_verify_file *first;
};

/* Create it without files, for a namespace of nlba LBAs. NULL: no memory. */
struct pyn_verify_files *pyn_verify_files_create(uint64_t nlba);
void pyn_verify_files_free(struct pyn_verify_files *files);

/* Record a change, as far as its pieces are not settled. */
void pyn_verify_files_record(struct pyn_verify_files *files, uint64_t slba, uint64_t nlb);

/*
 * Note that LBAs are about to change, or may have changed. Call it after their cells say that a write is in flight,
 * and before the command is sent: whoever saves meanwhile then finds one or the other.
 */
static inline void pyn_verify_intend(struct pyn_verify_files *files, uint64_t slba, uint64_t nlb)
{
	uint64_t piece = slba >> files->shift;

	if (slba >= files->nlba || nlb == 0)
		return;
	if ((slba + nlb - 1) >> files->shift == piece &&
	    atomic_load_explicit(&files->settled[piece / 64], memory_order_acquire) >> piece % 64 & 1)
		return;
	pyn_verify_files_record(files, slba, nlb);
}

/* The same for a worker, for all LBAs that it may change. Nothing can be saved or loaded before the end. */
void pyn_verify_region_begin(struct pyn_verify_files *files, uint64_t slba, uint64_t nlb);
void pyn_verify_region_end(struct pyn_verify_files *files);

/* Note in each file that the power was lost, or that the drive was closed; durable: by a normal shutdown. */
void pyn_verify_files_lost(struct pyn_verify_files *files);
void pyn_verify_files_closed(struct pyn_verify_files *files, bool durable, const struct pyn_save_counts *counts);

/* Whether there is any file. */
bool pyn_verify_has_files(struct pyn_verify_files *files);

/* Whether this process changed, or may have changed, an LBA since the table was created. */
bool pyn_verify_files_changed(const struct pyn_verify_files *files, uint64_t lba);

/* ---- for verify_save.c ---- */

/* Create what is known of a file: nothing in it is stale. NULL: no memory. */
struct pyn_verify_file *pyn_verify_file_create(const struct pyn_verify_files *files, const char *path);
void pyn_verify_file_free(struct pyn_verify_file *file);

/* Note that records of a file name these LBAs, and ask for it. */
void pyn_verify_file_set_stale(const struct pyn_verify_files *files, struct pyn_verify_file *file, uint64_t slba,
			       uint64_t nlb);
bool pyn_verify_file_is_stale(const struct pyn_verify_files *files, const struct pyn_verify_file *file, uint64_t lba);

/* Begin to follow a file that is open at fd, which gets its owner, with count records that end at byte `at`. With fd
 * -1, changes are only remembered until finish. */
void pyn_verify_file_follow(struct pyn_verify_files *files, struct pyn_verify_file *file, int fd, uint64_t at,
			    uint64_t count);

/* Append what was remembered to the new file that is open at fd, from byte `at` on, force it to the disk, and give it
 * its name. On an error fd and temporary are left to the caller, who must then call abandon. Files that have lost
 * their name by that are not followed any more. */
int pyn_verify_file_finish(struct pyn_verify_files *files, struct pyn_verify_file *file, int fd, uint64_t at,
			   const char *temporary, struct pyn_error *err);

/* Do not follow it any more, and free it. */
void pyn_verify_file_abandon(struct pyn_verify_files *files, struct pyn_verify_file *file);

#endif
