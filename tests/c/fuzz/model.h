/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What namespace 1 has to hold, sector by sector of 512 bytes. Where commands overlap, or the drive lost power with
 * data in its cache, a sector is unknown until it is written, or read, again.
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
	bool contended;      /* more than one change is, or was, in flight: nobody knows which comes last */
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

/* A command that changes sectors was submitted. */
void fuzz_model_begin(struct fuzz_model *model, struct fuzz_range range);

/* It is over, and the sectors hold what it says, durably or not; data: of the whole range, for FUZZ_KNOWN. */
void fuzz_model_end(struct fuzz_model *model, struct fuzz_range range, enum fuzz_content content, const uint8_t *data,
		    bool durable);

/* It is over, and has changed nothing. */
void fuzz_model_refused(struct fuzz_model *model, struct fuzz_range range);

/* A format that was submitted at this time is done: zeros, durably, but where something was written meanwhile. */
void fuzz_model_erased(struct fuzz_model *model, uint64_t submitted_at);

/* A format was stopped: it may have erased anything, durably. */
void fuzz_model_abort_erasure(struct fuzz_model *model);

/* What was in flight is never completed: it may have been done, or not. */
void fuzz_model_abandon(struct fuzz_model *model);

/* Nobody knows what there is; nothing is in flight. */
void fuzz_model_forget(struct fuzz_model *model);

/* A flush that was submitted at this time is done. */
void fuzz_model_flushed(struct fuzz_model *model, uint64_t submitted_at);
void fuzz_model_power_lost(struct fuzz_model *model);

/* Whether reads of the sector can be judged at the moment. */
bool fuzz_model_is_stable(const struct fuzz_model *model, uint32_t sector);

/* data were read from a stable sector: report where they are wrong; what was unknown is known from now on. */
void fuzz_model_read(struct fuzz_model *model, uint32_t sector, const uint8_t *data, const char *how);

#endif
