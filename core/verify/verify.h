/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verification: records what each LBA of a namespace must hold, for all processes of a script.
 *
 * Each LBA that was touched has a cell of 8 bytes in shared memory. With what it takes to find the cell, an LBA of a
 * large namespace costs 8 to 60 bytes. A small namespace, of up to 2^24 LBAs, costs 4 KiB for every 512 LBAs of which
 * any was touched. A write changes the cells when it is submitted (begin) and when it completes (end). A read copies
 * them at its submission and at its completion, and judges only LBAs whose cell did not change in between and has no
 * write in flight. All others count as unverified, so there is never a false alarm.
 *
 *   31:0  CRC-32C of the LBA's data; in state CONFLICT: number of writes in flight
 *   45:32 hash of the token that stamps the data; without a token, the number of the change
 *   58:46 flush epoch in which the write completed; 0: it survives a power loss
 *   62:59 state
 *   63    one write is in flight: the fields say what it writes
 */
#ifndef PYN_VERIFY_VERIFY_H
#define PYN_VERIFY_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/data/protection.h"
#include "core/util/error.h"
#include "core/verify/keys.h"

enum pyn_cell_state {
	PYN_CELL_NEVER = 0,     /* nothing is known */
	PYN_CELL_DATA,          /* written with a token: stamped by us, except by Zone Append */
	PYN_CELL_RAW,           /* written, but not stamped */
	PYN_CELL_ZEROES,        /* Write Zeroes */
	PYN_CELL_DEALLOCATED,   /* zeros, or still the old data: deallocation is advice */
	PYN_CELL_UNCORRECTABLE, /* a read must fail */
	PYN_CELL_UNKNOWN,       /* a write failed, overlapped another, or was lost with the power */
	PYN_CELL_CONFLICT, /* several writes are in flight; UNKNOWN once all have ended; must be the last state */
};

enum pyn_mismatch_class {
	PYN_MISMATCH_NONE = 0,
	PYN_MISMATCH_CORRUPT,     /* none of the others: the data were changed */
	PYN_MISMATCH_STALE,       /* an older write of this LBA */
	PYN_MISMATCH_MISDIRECTED, /* the data of another LBA */
	PYN_MISMATCH_LOST,        /* zeros instead of data */
	PYN_MISMATCH_READABLE,    /* an LBA marked uncorrectable was read without an error */
	PYN_MISMATCH_METADATA,    /* the data are right or unknown, the metadata are not what was written */
	PYN_MISMATCH_APPEND, /* an append reported an LBA where it cannot have written: see struct pyn_mismatch */
};

/* A mismatch of a read: its first wrong LBA, and the number of wrong LBAs. Of an append, lba is what it reported, and
 * it must have written to LBAs from found_lba to found_token, which is not included. */
struct pyn_mismatch {
	uint64_t lba;
	uint64_t found_lba;   /* the first 8 bytes, of the metadata if these are wrong */
	uint64_t found_token; /* the last 8 bytes */
	uint32_t expected_crc;
	uint32_t found_crc;
	uint32_t count;  /* LBAs that mismatch */
	uint32_t kind;   /* enum pyn_mismatch_class, of the first */
	uint32_t zeroed; /* deallocated LBAs of this read that held zeros: see pyn_verify_note_zeros */
	/* If the key has a length, its value is wrong: lba and found_lba are the lengths of the expected and the
	 * found value (all ones: the key does not exist), and other is the key whose value was found, if it has a
	 * length. */
	struct pyn_key key;
	struct pyn_key other;
};

struct pyn_verify_counts {
	uint64_t checked;    /* LBAs read and compared, mismatches included */
	uint64_t unverified; /* LBAs read whose expected data were unknown */
	uint64_t mismatch;
};

struct pyn_verify; /* the table of one namespace */

/* Create a table for nlba LBAs of lba_size bytes, with one reference. It takes address space now, and memory as LBAs
 * are touched. NULL: see *err. */
struct pyn_verify *pyn_verify_create(uint32_t nsid, uint64_t nlba, uint32_t lba_size, struct pyn_error *err);

/* Make the table that of a Key Value namespace: see keys.h. It has LBAs of sizeof(struct pyn_digest) bytes. Once is
 * enough. 0, or -ENOMEM. */
int pyn_verify_set_keys(struct pyn_verify *verify, struct pyn_error *err);
bool pyn_verify_has_keys(const struct pyn_verify *verify);

/* Call this in a forked process before it writes: locks name their owner, and those of a dead process are taken
 * over. */
void pyn_verify_forked(void);

/* Take and drop a reference of this process. A namespace, a worker and each command in flight hold one. NULL is
 * allowed. */
void pyn_verify_get(struct pyn_verify *verify);
void pyn_verify_put(struct pyn_verify *verify);

/*
 * Tell the table of a namespace where metadata lie. Those of layout.protection.ms bytes have a table of their own,
 * whose LBAs are the metadata of an LBA. It is kept as long as this size is the same, and begins with nothing known.
 * What makes LBAs unknown in the table of the data does so in both; all other changes are begun and ended in each of
 * them. Flushes, limits and holds are those of the data's table. Do not call it while another thread uses the
 * namespace.
 */
int pyn_verify_set_layout(struct pyn_verify *verify, const struct pyn_layout *layout, struct pyn_error *err);
const struct pyn_layout *pyn_verify_layout(const struct pyn_verify *verify);

/* The table of the metadata, with a reference for the caller; NULL: none. Drop it before that of the data's table. */
struct pyn_verify *pyn_verify_metadata(const struct pyn_verify *verify);

uint32_t pyn_verify_nsid(const struct pyn_verify *verify);
uint32_t pyn_verify_lba_size(const struct pyn_verify *verify);
uint64_t pyn_verify_nlba(const struct pyn_verify *verify);

/* Verify only the first nlba LBAs; UINT64_MAX, the initial value: all. Writes beyond are not recorded and take no
 * memory. */
void pyn_verify_set_limit(struct pyn_verify *verify, uint64_t nlba);

uint64_t pyn_verify_limit(const struct pyn_verify *verify);

/* Call before a change begins. Returns how many of its first LBAs are below the limit. Begin and end the change over
 * exactly these, even if the limit changes, then pass the number to note_end. */
uint64_t pyn_verify_note_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);
void pyn_verify_note_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, uint64_t noted);

/*
 * A range that is changed for some time without notes, for example by a worker. It is not judged until the end, and
 * is unknown then; notes made meanwhile are lost. Call end when no change of it is in flight any more.
 */
struct pyn_verify_untracked {
	uint64_t slba, nlb;
	unsigned place;
	bool suspended;
};
void pyn_verify_untracked_begin(struct pyn_verify *verify, struct pyn_verify_untracked *range, uint64_t slba,
				uint64_t nlb);
void pyn_verify_untracked_end(struct pyn_verify *verify, struct pyn_verify_untracked *range);

/* Set what a deallocated LBA may read as (Identify, DLFEAT 2:0): zeros or its old data, or anything. */
void pyn_verify_set_dlfeat(struct pyn_verify *verify, bool zeros);

/* Set the LBAs of a zone (ZNS 4.1.5.1, ZSZE); 0, the initial value: the namespace is not zoned. */
void pyn_verify_set_zone_size(struct pyn_verify *verify, uint64_t lbas);
uint64_t pyn_verify_zone_size(const struct pyn_verify *verify);

/* Writes submitted at this time (pyn_ticks) or later need no flush: they survive a power loss once they have
 * completed, since the drive has no volatile write cache, or it has been off since then. UINT64_MAX, the initial
 * value: each write needs a flush. */
void pyn_verify_set_durable_since(struct pyn_verify *verify, uint64_t ticks);
uint64_t pyn_verify_durable_since(const struct pyn_verify *verify);

/* Note whether several controllers use the table. Then a Flush proves nothing: it covers what its own controller has
 * completed, and the table does not know which one that was. */
void pyn_verify_set_several(struct pyn_verify *verify, bool several);

/* Take count tokens from the counter that all processes share; returns the first. */
uint64_t pyn_token_take(uint64_t count);

/* Whether pyn_token_take has returned this token since the counter was started. */
bool pyn_token_was_given_out(uint64_t token);

/* Start the counter at a random number. Call it before any fork. */
int pyn_token_start(struct pyn_error *err);

/* Put the LBA into the first and a token into the last 8 bytes of each LBA of data. */
void pyn_verify_stamp(const struct pyn_verify *verify, void *data, uint64_t slba, uint32_t nlb, uint64_t token);

/* Begin a write of data. stamped: by pyn_verify_stamp with this token. */
void pyn_verify_write_begin(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data, bool stamped,
			    uint64_t token);

/* The same for a caller that has the CRC of each LBA already. No LBA may lie beyond the table. */
void pyn_verify_write_begin_crc(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint32_t *crc,
				uint64_t token);

/* Begin a Write Zeroes, deallocation or Write Uncorrectable; state is the state of the LBAs afterwards. */
void pyn_verify_change_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_cell_state state);

enum pyn_write_outcome {
	PYN_WRITE_DONE,    /* completed with success */
	PYN_WRITE_DURABLE, /* with success, and needs no flush: FUA, or submitted since durable_since */
	PYN_WRITE_FAILED,  /* an error, an abort, or unknown data: the LBAs may hold old or new data */
};

/* End a write that was begun over exactly these LBAs … */
void pyn_verify_write_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome);

/* … and end any other change, or one that may have been either. */
void pyn_verify_change_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome);

/* Note that a process died during a begin or an end of these LBAs, so it is unknown which of them count its write.
 * Those that are busy now are not judged before a moment when nothing is in flight, see below; the others are unknown
 * until they are written. */
void pyn_verify_write_lost(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);

/*
 * Code that begins and ends changes, itself or in a process that it forks, counts as a changer of this process. It is
 * one from before its first begin until after its last end, or until nothing of it is in flight and it has called
 * write_lost for the rest. Without any changer, writes in flight in cells were left by dead processes: such LBAs
 * become unknown, and are judged again once they are written.
 */
void pyn_verify_changer_begin(struct pyn_verify *verify);
void pyn_verify_changer_end(struct pyn_verify *verify);

/*
 * Record in the files of this namespace (verify_save.h) that LBAs are about to change, or may have. Call will_change
 * after the begin of the change, and before its command is sent. Call writer_begin before the start of a process that
 * changes LBAs of a range, and writer_end when it has ended. Costs next to nothing without files.
 */
void pyn_verify_will_change(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);
void pyn_verify_writer_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);
void pyn_verify_writer_end(struct pyn_verify *verify);

/* Make these LBAs unknown in all processes. Writes in flight stay counted, and leave them unknown. */
void pyn_verify_forget(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);

/*
 * The data change at a time that nobody knows, as in a format or a deallocation of a whole drive. No read is checked
 * between suspend and as many calls of resume. Suspend before the command is sent; when it has ended, forget what it
 * changed, then resume.
 */
void pyn_verify_suspend(struct pyn_verify *verify);
void pyn_verify_resume(struct pyn_verify *verify);

/*
 * For a change whose LBAs are known only at its end. is_undisturbed tells whether nothing was forgotten, and no
 * change other than a write has ended, since pyn_verify_disturbances returned `since`. Both ask for the zone of lba;
 * without zones, for the whole namespace. Call it after the cells of the change have begun: a change that ends later
 * finds them, and a held range forgets them.
 */
uint32_t pyn_verify_disturbances(const struct pyn_verify *verify, uint64_t lba);
bool pyn_verify_is_undisturbed(const struct pyn_verify *verify, uint64_t lba, uint32_t since);

/* Make LBAs unknown to which appends in flight may write. This is no disturbance. LBAs with a write in flight stay as
 * they are. */
void pyn_verify_vacate(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);

/* The state of unwritten LBAs of a zone: zeros if DLFEAT promises them, else unknown. Ask before a change to it
 * begins. vacate_unwritten makes them unknown again in a zone to which somebody appends who does not know where. */
enum pyn_cell_state pyn_verify_unwritten(struct pyn_verify *verify);
void pyn_verify_vacate_unwritten(struct pyn_verify *verify, uint64_t slba, uint64_t nlb);

/* Begin a read: fill snapshot, which has room for nlb cells. Call it at submission … */
void pyn_verify_read_begin(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, uint64_t *snapshot);

/* … and judge the read at a successful completion. Adds to *counts. Returns whether all is right; else see
 * *mismatch. */
bool pyn_verify_read_end(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data,
			 uint64_t *snapshot, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch);

/*
 * Note deallocated LBAs that read as zeros: they must stay zeros until they are written (NVM Command Set
 * Specification 1.0, 3.2.3.2.1), unless the power is lost before the next flush, since the drive may have deallocated
 * them after the last one. If mismatch->zeroed is not 0, call this with the snapshot as read_end left it, once it is
 * certain that the data came from the drive. Skips LBAs that have changed since.
 */
void pyn_verify_note_zeros(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint64_t *snapshot);

/* Whether any process ever marked an LBA uncorrectable. Costs one load. */
bool pyn_verify_has_uncorrectable(const struct pyn_verify *verify);

/* Number of LBAs from slba on, at most nlb, that are all uncorrectable, or all not; *uncorrectable says which. At
 * least 1 if nlb is not 0. */
uint64_t pyn_verify_alike(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb, bool *uncorrectable);

/* Call flush_begin at the submission of a Flush, and pass the epoch that it returns to flush_end at a successful
 * completion. */
uint64_t pyn_verify_flush_begin(struct pyn_verify *verify);
void pyn_verify_flush_end(struct pyn_verify *verify, uint64_t epoch);

/* Note that the drive lost power without a shutdown: LBAs that were not flushed become unknown. Nothing may be in
 * flight. */
void pyn_verify_power_lost(struct pyn_verify *verify);

/* Add counts of this process, and get those of all processes since the table was created. */
void pyn_verify_count(struct pyn_verify *verify, const struct pyn_verify_counts *counts);
void pyn_verify_get_counts(const struct pyn_verify *verify, struct pyn_verify_counts *counts);

/* Write one sentence for the log: "nsid 1 LBA 0x10 is stale: …". */
void pyn_mismatch_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size);

#endif
