/* SPDX-License-Identifier: BSD-3-Clause */
/* Tracks for verification what one command of the Key Value Command Set does to its key. Used by track.c. */
#ifndef PYN_VERIFY_TRACK_KEY_H
#define PYN_VERIFY_TRACK_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/buffer.h"
#include "core/verify/keys.h"
#include "core/verify/verify.h"
#include "spec/nvme_cmd.h"

struct pyn_track_key {
	uint64_t number;          /* of the key */
	uint64_t before;          /* its cell at the submission */
	uint64_t begun;           /* and after a change has begun */
	struct pyn_digest digest; /* of the value that a change leaves */
	struct pyn_key key;
	uint32_t length; /* of the value of a Store (VS), or of the host's buffer (HBS) */
	uint8_t opcode;
	bool noted;   /* a change was begun, or is one of a key beyond the limit */
	bool known;   /* the key has a number, and is below the limit */
	bool compare; /* judge what the drive returns */
	bool whole;   /* the buffer has the whole value of a Store */
};

/* Whether an opcode of the Key Value Command Set changes data. */
bool pyn_track_key_changes(uint8_t opcode);

/* Whether it is unknown what an opcode does. */
bool pyn_track_key_is_unknown(uint8_t opcode);

/* Begin to track a command. use: of its data, which may have no buffer. */
void pyn_track_key_begin(struct pyn_track_key *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
			 const struct pyn_buffer_use *use, bool check);

/* End it, with the use of its buffer. submitted: ticks. False: the drive returned something wrong, see *mismatch. */
bool pyn_track_key_end(struct pyn_track_key *track, struct pyn_verify *verify, struct pyn_buffer_use *use,
		       const struct nvme_cpl *cpl, uint64_t submitted, struct pyn_mismatch *mismatch);

#endif
