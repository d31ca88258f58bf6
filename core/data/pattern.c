/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/pattern.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "core/util/clock.h"

static void fill_word(uint8_t *data, size_t length, uint32_t word)
{
	size_t tail = length % sizeof(word);

	for (size_t i = 0; i < length - tail; i += sizeof(word))
		memcpy(data + i, &word, sizeof(word));
	memcpy(data + length - tail, &word, tail);
}

static void fill_random(uint8_t *data, size_t length, struct pyn_random *random)
{
	size_t tail = length % sizeof(uint64_t);

	for (size_t i = 0; i < length - tail; i += sizeof(uint64_t)) {
		uint64_t bits = pyn_random_next(random);

		memcpy(data + i, &bits, sizeof(bits));
	}
	if (tail) {
		uint64_t bits = pyn_random_next(random);

		memcpy(data + length - tail, &bits, tail);
	}
}

/* length * percent / 100, rounded down, without overflow. */
static size_t percent_of(size_t length, uint32_t percent)
{
	return length / 100 * percent + length % 100 * percent / 100;
}

int pyn_pattern_check(uint32_t ptype, uint32_t pvalue, struct pyn_error *err)
{
	switch (ptype) {
	case PYN_PATTERN_CONSTANT:
	case PYN_PATTERN_WORD:
		return 0;
	case PYN_PATTERN_RANDOM:
		if (pvalue <= 100)
			return 0;
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "pvalue of ptype 0xbeef is the percentage of random data, 0 to 100, not %u", pvalue);
	default:
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "ptype is 0 (zeros or ones), 32 (a 32-bit value) or 0xbeef (random), not 0x%x",
				 ptype);
	}
}

int pyn_pattern_fill(void *data, size_t length, uint32_t ptype, uint32_t pvalue, struct pyn_random *random,
		     struct pyn_error *err)
{
	int rc = pyn_pattern_check(ptype, pvalue, err);

	if (rc)
		return rc;
	if (ptype == PYN_PATTERN_CONSTANT) {
		memset(data, pvalue ? 0xff : 0, length);
	} else if (ptype == PYN_PATTERN_WORD) {
		fill_word(data, length, pvalue);
	} else {
		size_t part = percent_of(length, pvalue);

		fill_random(data, part, random);
		memset((uint8_t *)data + part, 0, length - part);
	}
	return 0;
}

/* ---- the generator of this process ---- */

static _Atomic uint64_t the_state;
static atomic_bool is_seeded;

void pyn_seed(uint64_t seed)
{
	atomic_store(&the_state, pyn_random_stream(seed, 0).state);
	atomic_store(&is_seeded, true);
}

/* Reserve the next count numbers of the sequence for this thread. */
static struct pyn_random take(uint64_t count)
{
	if (!atomic_load(&is_seeded))
		pyn_seed(pyn_ticks());
	return (struct pyn_random){atomic_fetch_add(&the_state, count * PYN_RANDOM_STEP)};
}

int pyn_pattern_fill_next(void *data, size_t length, uint32_t ptype, uint32_t pvalue, struct pyn_error *err)
{
	size_t part = ptype == PYN_PATTERN_RANDOM ? percent_of(length, pvalue) : 0;
	struct pyn_random random = take((part + sizeof(uint64_t) - 1) / sizeof(uint64_t));

	return pyn_pattern_fill(data, length, ptype, pvalue, &random, err);
}
