/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one command means for verification: which LBAs it reads or changes, from its submission to its completion.
 * Any command of the NVM Command Set, whoever made it and however it ends.
 */
#ifndef PYN_IO_TRACK_H
#define PYN_IO_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/buffer.h"
#include "core/verify/tables.h"
#include "core/verify/verify.h"
#include "spec/nvme_cmd.h"

enum pyn_effect {
	PYN_EFFECT_NONE = 0,
	PYN_EFFECT_READ,
	PYN_EFFECT_WRITE,
	PYN_EFFECT_CHANGE,  /* Write Zeroes, Write Uncorrectable, Copy, DSM deallocate */
	PYN_EFFECT_UNCLEAR, /* data change that nobody can tell, or too much of them to note it LBA by LBA */
	PYN_EFFECT_UNKNOWN, /* the same, by an opcode that nobody here knows */
	PYN_EFFECT_APPEND,  /* Zone Append: its completion says what it has written */
	PYN_EFFECT_FLUSH,
};

/* LBAs that one command may deallocate with a note for each (128 MiB of table); of more nothing is known afterwards.
 */
#define PYN_TRACK_MOST (UINT64_C(1) << 24)

#define PYN_TRACK_INLINE 16u /* LBAs of a read whose cells need no memory of their own */

struct pyn_track {
	struct pyn_verify *verify; /* a reference; NULL: nothing is tracked, or all tells */
	struct pyn_tables *all;    /* of a command to all namespaces; NULL: of one */
	enum pyn_effect effect;
	bool check;      /* a read is to be compared */
	bool lacks_data; /* and cannot be */
	bool fua;
	bool is_changer;       /* counted by pyn_verify_changer_begin */
	uint32_t disturbances; /* of an append: pyn_verify_disturbances */
	uint32_t ranges;       /* of a change: one, or those of a DSM command */
	uint64_t slba;
	uint64_t nlb;       /* of a change: those of its first LBAs that are noted */
	uint64_t all_lbas;  /* of a change */
	uint64_t epoch;     /* of a flush */
	uint64_t submitted; /* ticks */
	struct pyn_buffer_use use;
	struct nvme_dsm_range *dsm; /* a copy: the script may change its buffer; attr: how many LBAs are noted */
	uint32_t *crc;              /* of each LBA of a write or an append: inline_crc, or memory of its own */
	uint64_t *cells;            /* snapshot of a read: inline_cells, or memory of its own */
	union {
		uint64_t inline_cells[PYN_TRACK_INLINE];
		uint32_t inline_crc[PYN_TRACK_INLINE];
	};
};

/*
 * Before an I/O command is submitted. buffer may be NULL; offset and length say where its data are. stamp: put LBA
 * and token into the data of a write first. check: compare what a read returns. Never fails: without memory, nothing
 * is judged.
 */
void pyn_track_begin(struct pyn_track *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
		     struct pyn_buffer *buffer, uint32_t offset, uint32_t length, bool stamp, bool check);

/* The same for a command to all namespaces (NSID FFFFFFFFh), which nobody stamps or judges. all becomes the track's.
 */
void pyn_track_begin_all(struct pyn_track *track, struct pyn_tables *all, const struct nvme_cmd *cmd,
			 struct pyn_buffer *buffer, uint32_t offset, uint32_t length);

/* Whether an I/O opcode is none of those that this file knows: what it does to data only its vendor can tell. */
bool pyn_track_is_unknown(uint8_t opcode);

/* It has completed like this (dwords 1:0 and the status count, without its phase). False: the data are not what they
 * must be, *mismatch tells. */
bool pyn_track_end(struct pyn_track *track, const struct nvme_cpl *cpl, struct pyn_mismatch *mismatch);

/* It will not complete any more, and what it did is unknown. */
void pyn_track_cancel(struct pyn_track *track);

#endif
