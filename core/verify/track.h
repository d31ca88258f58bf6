/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tracks for verification which LBAs one command reads or changes, from its submission to its completion. Handles
 * every command of the NVM and the Key Value Command Set, whoever built it and however it ends.
 */
#ifndef PYN_VERIFY_TRACK_H
#define PYN_VERIFY_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/buffer.h"
#include "core/verify/tables.h"
#include "core/verify/track_copy.h"
#include "core/verify/track_key.h"
#include "core/verify/track_meta.h"
#include "core/verify/verify.h"
#include "spec/nvme_cmd.h"

enum pyn_effect {
	PYN_EFFECT_NONE = 0,
	PYN_EFFECT_READ,
	PYN_EFFECT_WRITE,
	PYN_EFFECT_CHANGE,  /* Write Zeroes, Write Uncorrectable, Copy, DSM deallocate */
	PYN_EFFECT_UNCLEAR, /* changes unknown data, or too many LBAs to note each */
	PYN_EFFECT_UNKNOWN, /* the same, by an unknown opcode */
	PYN_EFFECT_APPEND,  /* Zone Append: its completion says which LBAs it has written */
	PYN_EFFECT_FLUSH,
	PYN_EFFECT_KEY, /* of the Key Value Command Set */
};

/* The most LBAs of one deallocation that are noted one by one (128 MiB of table). After a larger one they are
 * unknown. */
#define PYN_TRACK_MOST (UINT64_C(1) << 24)

#define PYN_TRACK_INLINE 16u /* the most LBAs of a read whose cells need no allocation */

struct pyn_track {
	struct pyn_verify *verify; /* a reference; NULL: nothing is tracked, or see all */
	struct pyn_tables *all;    /* for a command to all namespaces; NULL: to one */
	enum pyn_effect effect;
	bool check;      /* a read: compare its data */
	bool lacks_data; /* and its data are not in the buffer */
	bool fua;
	bool is_changer;       /* counted by pyn_verify_changer_begin */
	uint32_t disturbances; /* append: pyn_verify_disturbances at its submission */
	uint32_t ranges;       /* change: 1, or the number of ranges of a DSM command */
	uint64_t slba;
	uint64_t nlb;       /* change: how many of its first LBAs are noted */
	uint64_t all_lbas;  /* change: all its LBAs */
	uint64_t epoch;     /* flush */
	uint64_t submitted; /* ticks */
	struct pyn_buffer_use use;
	struct pyn_track_meta meta;
	struct pyn_track_key key;
	struct nvme_dsm_range *dsm; /* a copy, since the script may change its buffer; attr: number of noted LBAs */
	struct pyn_copy *copy;      /* NULL: no copy */
	uint32_t *crc;              /* for each LBA of a write or an append: inline_crc, or allocated */
	uint64_t *cells;            /* snapshot of a read: inline_cells, or allocated */
	union {
		uint64_t inline_cells[PYN_TRACK_INLINE];
		uint32_t inline_crc[PYN_TRACK_INLINE];
	};
};

/*
 * Begin to track an I/O command; call it before the submission. buffer may be NULL; offset and length locate the data
 * in it. stamp: put LBA and token into the data of a write first. check: compare the data that a read returns. Never
 * fails: without memory, nothing is judged.
 */
void pyn_track_begin(struct pyn_track *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
		     struct pyn_buffer *buffer, uint32_t offset, uint32_t length, bool stamp, bool check);

/* The same for a command whose metadata may lie in a buffer of their own. */
void pyn_track_begin_metadata(struct pyn_track *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
			      struct pyn_buffer *buffer, uint32_t offset, uint32_t length,
			      const struct pyn_metadata *metadata, bool stamp, bool check);

/* The same for a command to all namespaces (NSID FFFFFFFFh), which is never stamped or judged. The track takes
 * ownership of all. */
void pyn_track_begin_all(struct pyn_track *track, struct pyn_tables *all, const struct nvme_cmd *cmd,
			 struct pyn_buffer *buffer, uint32_t offset, uint32_t length);

/* Whether an I/O opcode is unknown here, so that only its vendor can tell what it does to data. */
bool pyn_track_is_unknown(uint8_t opcode);

/* End tracking a completed command. Uses dwords 1:0 and the status of cpl, without the phase. false: the data are
 * wrong, see *mismatch. */
bool pyn_track_end(struct pyn_track *track, const struct nvme_cpl *cpl, struct pyn_mismatch *mismatch);

/* End tracking a command that will never complete; its effect is unknown. */
void pyn_track_cancel(struct pyn_track *track);

#endif
