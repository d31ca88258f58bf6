/* SPDX-License-Identifier: BSD-3-Clause */
/* What a buffer is filled with before it is written to a drive. */
#ifndef PYN_IO_PATTERN_H
#define PYN_IO_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "core/util/random.h"
#include "core/util/error.h"

/* The ptype of Buffer and ioworker; pvalue means something else in each. */
enum pyn_pattern {
	PYN_PATTERN_CONSTANT = 0,    /* pvalue 0: zeros, any other: 0xff in every byte */
	PYN_PATTERN_WORD = 32,       /* pvalue, little-endian, repeated; cut at the end */
	PYN_PATTERN_RANDOM = 0xbeef, /* random data in the first pvalue percent (0 … 100), zeros after */
};

/* Whether ptype is one of the above and pvalue is in its range.
 * Errors: PYN_ERROR_ARGUMENT, EINVAL. */
int pyn_pattern_check(uint32_t ptype, uint32_t pvalue, struct pyn_error *err);

/* Fill length bytes at data; *random moves on by one step for each 8 random bytes. A pattern that pyn_pattern_check
 * refuses is refused in the same way, and data stay as they were. */
int pyn_pattern_fill(void *data, size_t length, uint32_t ptype, uint32_t pvalue, struct pyn_random *random,
		     struct pyn_error *err);

/* The same with the generator of this process, of which each call takes the next piece, whichever thread makes it. */
int pyn_pattern_fill_next(void *data, size_t length, uint32_t ptype, uint32_t pvalue, struct pyn_error *err);

/* Seed that generator; without a seed the time does. */
void pyn_seed(uint64_t seed);

#endif
