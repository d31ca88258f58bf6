/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns for the data of a buffer. */
#ifndef PYN_DATA_PATTERN_H
#define PYN_DATA_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "core/util/random.h"
#include "core/util/error.h"

/* The ptype of Buffer and ioworker. It decides what pvalue means. */
enum pyn_pattern {
	PYN_PATTERN_CONSTANT = 0,    /* pvalue 0: zeros; any other value: 0xff in every byte */
	PYN_PATTERN_WORD = 32,       /* pvalue, little-endian, repeated; cut at the end */
	PYN_PATTERN_RANDOM = 0xbeef, /* random data in the first pvalue percent (0 … 100), zeros after */
};

/* Check that ptype is one of the above and pvalue in its range. Errors: PYN_ERROR_ARGUMENT, EINVAL. */
int pyn_pattern_check(uint32_t ptype, uint32_t pvalue, struct pyn_error *err);

/* Fill length bytes at data. *random advances by one step for each 8 random bytes. Returns the errors of
 * pyn_pattern_check, and then leaves data unchanged. */
int pyn_pattern_fill(void *data, size_t length, uint32_t ptype, uint32_t pvalue, struct pyn_random *random,
		     struct pyn_error *err);

/* The same with the generator of this process. Each call, from any thread, uses the next part of its sequence. */
int pyn_pattern_fill_next(void *data, size_t length, uint32_t ptype, uint32_t pvalue, struct pyn_error *err);

/* Seed the generator of this process. Without this call the time is the seed. */
void pyn_seed(uint64_t seed);

#endif
