/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The expected data of namespace 1, for each sector of 512 bytes. If commands overlap, or the drive lost power with
 * data in its cache, a sector is unknown until it is written or read again.
 */
#ifndef TESTS_C_FUZZ_MODEL_H
#define TESTS_C_FUZZ_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define FUZZ_SECTOR 512u
#define FUZZ_MAX_SECTORS 512u

enum fuzz_content {
	FUZZ_UNKNOWN,
	FUZZ_KNOWN,         /* data */
	FUZZ_UNCORRECTABLE, /* cannot be read */
};

struct fuzz_sector {
	enum fuzz_content content;
	bool is_volatile;    /* changed after the last flush */
	bool contended;      /* more than one change is, or was, in flight, so that their order is unknown */
	uint16_t changes;    /* in flight */
	uint32_t version;    /* grows with each change that is submitted */
	uint64_t changed_at; /* the time of its last change's completion */
	uint8_t data[FUZZ_SECTOR];
};

struct fuzz_model {
	uint32_t count; /* of sectors */
	bool keeps;     /* the drive keeps data; a null store does not */
	uint64_t time;  /* grows with each submission and completion */
	struct fuzz_sector sectors[FUZZ_MAX_SECTORS];
};

/* A range of sectors that was valid when it was made. */
struct fuzz_range {
	uint32_t first;
	uint32_t count;
};

/* A new drive: zeros. */
void fuzz_model_open(struct fuzz_model *model, uint32_t count, bool keeps);

/* Note the submission of a command that changes sectors. */
void fuzz_model_begin(struct fuzz_model *model, struct fuzz_range range);

/* Note that it completed and set the sectors to this state, durably or not. data: of the whole range, for FUZZ_KNOWN.
 */
void fuzz_model_end(struct fuzz_model *model, struct fuzz_range range, enum fuzz_content content, const uint8_t *data,
		    bool durable);

/* Note that it completed without a change. */
void fuzz_model_refused(struct fuzz_model *model, struct fuzz_range range);

/* Note that a format submitted at this time is done. All sectors are durably zero, except for later writes. */
void fuzz_model_erased(struct fuzz_model *model, uint64_t submitted_at);

/* Note that a format was stopped, and may have erased any sector durably. */
void fuzz_model_abort_erasure(struct fuzz_model *model);

/* Note that the changes in flight will not complete, and may have been executed or not. */
void fuzz_model_abandon(struct fuzz_model *model);

/* Make all sectors unknown, with no change in flight. */
void fuzz_model_forget(struct fuzz_model *model);

/* Note that a flush submitted at this time is done. */
void fuzz_model_flushed(struct fuzz_model *model, uint64_t submitted_at);
void fuzz_model_power_lost(struct fuzz_model *model);

/* Whether reads of the sector can be judged at the moment. */
bool fuzz_model_is_stable(const struct fuzz_model *model, uint32_t sector);

/* Judge the data read from a stable sector, and report wrong ones. If the sector was unknown, it is known from now
 * on. */
void fuzz_model_read(struct fuzz_model *model, uint32_t sector, const uint8_t *data, const char *how);

#endif
