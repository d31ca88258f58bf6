/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verification: what each LBA of a namespace must hold, known to all processes of a script.
 *
 * One 8-byte cell for each LBA that was touched, in shared memory: 8 to 60 bytes an LBA with what it takes to find
 * it, in large namespaces; in small ones, of up to 2^24 LBAs, 4 KiB for 512 LBAs of which any was touched. A write
 * changes the cells when it is submitted (begin) and when it completes (end); a read copies them at submission and at
 * completion, and judges only LBAs whose cell did not change in between and has no write in flight. Everything else
 * is counted as unverified: a false alarm is never raised.
 *
 *   31:0  CRC-32C of the LBA's data; in state CONFLICT: how many writes are in flight
 *   45:32 hash of the token that stamps the data; without one, the number of the change
 *   58:46 flush epoch in which the write completed; 0: it survives a power loss
 *   62:59 state
 *   63    one write is in flight: the fields say what it writes
 */
#ifndef PYN_IO_VERIFY_H
#define PYN_IO_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

enum pyn_cell_state {
	PYN_CELL_NEVER = 0,     /* nothing is known */
	PYN_CELL_DATA,          /* written with a token: stamped by us, but for what Zone Append writes */
	PYN_CELL_RAW,           /* written, but not stamped */
	PYN_CELL_ZEROES,        /* Write Zeroes */
	PYN_CELL_DEALLOCATED,   /* zeros, or still what was written before: deallocation is advice */
	PYN_CELL_UNCORRECTABLE, /* a read must fail */
	PYN_CELL_UNKNOWN,       /* a write failed, overlapped another, or was lost with the power */
	PYN_CELL_CONFLICT,      /* the last one: several writes are in flight; becomes UNKNOWN when all have ended */
};

enum pyn_mismatch_class {
	PYN_MISMATCH_NONE = 0,
	PYN_MISMATCH_CORRUPT,     /* neither of the others: the data were changed */
	PYN_MISMATCH_STALE,       /* an older write of this LBA */
	PYN_MISMATCH_MISDIRECTED, /* the data of another LBA */
	PYN_MISMATCH_LOST,        /* zeros where data were */
	PYN_MISMATCH_READABLE,    /* an LBA marked uncorrectable was read without an error */
};

/* What was found wrong: the first LBA of it, and how many in all. */
struct pyn_mismatch {
	uint64_t lba;
	uint64_t found_lba;   /* what the first 8 bytes say */
	uint64_t found_token; /* what the last 8 bytes say */
	uint32_t expected_crc;
	uint32_t found_crc;
	uint32_t count;  /* LBAs that mismatch */
	uint32_t kind;   /* enum pyn_mismatch_class, of the first */
	uint32_t zeroed; /* deallocated LBAs of this read that held zeros: see pyn_verify_note_zeros */
};

struct pyn_verify_counts {
	uint64_t checked;    /* LBAs read and compared, mismatches included */
	uint64_t unverified; /* LBAs read of which nothing was known */
	uint64_t mismatch;
};

struct pyn_verify; /* the table of one namespace */

/* A table for nlba LBAs of lba_size bytes, for good, with one reference. Costs address space now and memory as LBAs
 * are touched. NULL: *err says why. */
struct pyn_verify *pyn_verify_create(uint32_t nsid, uint64_t nlba, uint32_t lba_size, struct pyn_error *err);

/* A forked process says that it is one, before it writes: the locks of a process that has died are taken from it. */
void pyn_verify_forked(void);

/* References, of this process: a namespace, a worker and each command in flight hold one. NULL is allowed. */
void pyn_verify_get(struct pyn_verify *verify);
void pyn_verify_put(struct pyn_verify *verify);

uint32_t pyn_verify_nsid(const struct pyn_verify *verify);
uint32_t pyn_verify_lba_size(const struct pyn_verify *verify);
uint64_t pyn_verify_nlba(const struct pyn_verify *verify);

/* Verify the first nlba LBAs only; UINT64_MAX, which is how it starts: all. Of what is written
 * beyond nothing is known, and it takes no memory. */
void pyn_verify_set_limit(struct pyn_verify *verify, uint64_t nlba);

uint64_t pyn_verify_limit(const struct pyn_verify *verify);

/* Before a change begins: how many of its LBAs, the first ones, are below the limit. Begin and end the change over
 * these, whatever the limit is then; afterwards note_end is told the same. */
uint64_t pyn_verify_note_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);
void pyn_verify_note_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, uint64_t noted);

/*
 * Somebody changes a range for some time and notes nothing of it: until the end nothing of it is judged, and then
 * nothing of it is known. What is noted in it meanwhile is noted for nothing. At the end no change is in flight.
 */
struct pyn_verify_untracked {
	uint64_t slba, nlb;
	unsigned place;
	bool suspended;
};
void pyn_verify_untracked_begin(struct pyn_verify *verify, struct pyn_verify_untracked *range, uint64_t slba,
				uint64_t nlb);
void pyn_verify_untracked_end(struct pyn_verify *verify, struct pyn_verify_untracked *range);

/* What a deallocated LBA may read as (Identify, DLFEAT 2:0): zeros are part of what is expected, or nothing is. */
void pyn_verify_set_dlfeat(struct pyn_verify *verify, bool zeros);

/* LBAs in a zone (ZNS 4.1.5.1, ZSZE); 0, which is how it starts: the namespace is not zoned. */
void pyn_verify_set_zone_size(struct pyn_verify *verify, uint64_t lbas);
uint64_t pyn_verify_zone_size(const struct pyn_verify *verify);

/* Writes submitted at this time (pyn_ticks) or later need no flush: they survive a power loss once they have
 * completed, because the drive has no volatile write cache, or has it switched off since then. UINT64_MAX, which is
 * how it starts: each needs one. */
void pyn_verify_set_durable_since(struct pyn_verify *verify, uint64_t ticks);
uint64_t pyn_verify_durable_since(const struct pyn_verify *verify);

/* Take count tokens of the one counter of all processes; returns the first. */
uint64_t pyn_token_take(uint64_t count);

/* Whether a token has been given out since the counter was started. */
bool pyn_token_was_given_out(uint64_t token);

/* Start that counter, at random, before anything forks. */
int pyn_token_start(struct pyn_error *err);

/* Put the LBA in the first and a token in the last 8 bytes of each LBA of data. */
void pyn_verify_stamp(const struct pyn_verify *verify, void *data, uint64_t slba, uint32_t nlb, uint64_t token);

/* Writes. data is what is written; stamped: by pyn_verify_stamp with this token. */
void pyn_verify_write_begin(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data, bool stamped,
			    uint64_t token);

/* The same for a caller who knows the CRC of each LBA already; none lies beyond the table. */
void pyn_verify_write_begin_crc(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint32_t *crc,
				uint64_t token);

/* Write Zeroes, deallocation, Write Uncorrectable: state is what the LBAs will be. */
void pyn_verify_change_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_cell_state state);

enum pyn_write_outcome {
	PYN_WRITE_DONE,    /* completed with success */
	PYN_WRITE_DURABLE, /* with success, and needs no flush: FUA, or submitted since pyn_verify_durable_since */
	PYN_WRITE_FAILED,  /* an error, an abort, or data that cannot be known: old or new, nobody knows */
};

/* The end of a write that was begun over exactly these LBAs … */
void pyn_verify_write_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome);

/* … and that of any other change, or where nobody knows which of both it was. */
void pyn_verify_change_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome);

/* A process died in the middle of a begin or an end of these LBAs: nobody knows which of them count its write. Those
 * that are busy now are not judged before a moment when nothing is in flight, see below; the others are unknown until
 * they are written. */
void pyn_verify_write_lost(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);

/*
 * Whoever begins and ends changes, by itself or by a process that it forks, counts as a changer of this process from
 * before its first begin until after its last end, or until nothing of it is in flight and write_lost is told of
 * the rest. When there is no changer, what a cell counts in flight was left by processes that died: such LBAs become
 * unknown, and are judged again once they are written.
 */
void pyn_verify_changer_begin(struct pyn_verify *verify);
void pyn_verify_changer_end(struct pyn_verify *verify);

/* Nothing is known of these LBAs any more, in all processes. Writes in flight stay counted, and leave them unknown.
 */
void pyn_verify_forget(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);

/*
 * The data change at a time that nobody knows, as in a format or a deallocation of a whole drive. No read is checked
 * between suspend and as many calls of resume. Suspend before the command is sent; when it has ended, forget what it
 * changed, then resume.
 */
void pyn_verify_suspend(struct pyn_verify *verify);
void pyn_verify_resume(struct pyn_verify *verify);

/* For a change that says only at its end which LBAs it was: whether, since pyn_verify_disturbances, nothing was
 * forgotten and no other change than a write has ended. Ask when its cells have begun: what ends later finds them,
 * what is held forgets them.
 */
uint32_t pyn_verify_disturbances(const struct pyn_verify *verify);
bool pyn_verify_is_undisturbed(const struct pyn_verify *verify, uint32_t since);

/* Reads: snapshot has room for nlb cells and is filled at submission … */
void pyn_verify_read_begin(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, uint64_t *snapshot);

/* … and judged at a successful completion. Adds to *counts; returns whether all is right, else *mismatch tells. */
bool pyn_verify_read_end(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data,
			 uint64_t *snapshot, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch);

/*
 * A deallocated LBA that was read as zeros has to stay so until it is written (NVM Command Set Specification 1.0,
 * 3.2.3.2.1): where mismatch->zeroed is not 0, call this with the snapshot of that read as read_end has left it, as
 * soon as it is sure that the data came from the drive. LBAs that have changed since are left alone.
 */
void pyn_verify_note_zeros(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint64_t *snapshot);

/* Whether any LBA was ever marked uncorrectable, by any process; one load. */
bool pyn_verify_has_uncorrectable(const struct pyn_verify *verify);

/* How many LBAs from slba on, nlb at most, are alike: known to be uncorrectable, which *uncorrectable tells, or not
 * so. At least 1, for an nlb that is not 0. */
uint64_t pyn_verify_alike(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb, bool *uncorrectable);

/* Flush: begin at submission gives the epoch that end is told at a successful completion. */
uint64_t pyn_verify_flush_begin(struct pyn_verify *verify);
void pyn_verify_flush_end(struct pyn_verify *verify, uint64_t epoch);

/* The drive lost power without a shutdown: what was not flushed is unknown. Nothing is in flight. */
void pyn_verify_power_lost(struct pyn_verify *verify);

/* The counts over all processes since the table was made, and how a process adds its own. */
void pyn_verify_count(struct pyn_verify *verify, const struct pyn_verify_counts *counts);
void pyn_verify_get_counts(const struct pyn_verify *verify, struct pyn_verify_counts *counts);

/* One sentence for the log: "nsid 1 LBA 0x10 is stale: …". */
void pyn_mismatch_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size);

#endif
