/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chooses the next IO of a worker: opcode, first LBA and number of LBAs. It is part of the IO path, so it consists of
 * arithmetic on one structure, without a division and without other memory.
 */
#ifndef PYN_WORKER_WORKLOAD_H
#define PYN_WORKER_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/random.h"
#include "core/util/error.h"
#include "core/worker/skew.h"

#define PYN_WORKLOAD_SIZES 4096u
#define PYN_WORKLOAD_OPS 16u
#define PYN_WORKLOAD_PARTS 100u
#define PYN_WORKLOAD_WEIGHT 10000u /* the sum of a distribution */

/* One entry of a replay: due at time_us after the start. */
struct pyn_workload_step {
	uint64_t time_us;
	uint64_t slba;
	uint32_t nlb;
	uint32_t opcode;
};

/* The workload that the script requests. Plain data, in units of LBAs. */
struct pyn_workload_config {
	uint32_t sizes;                         /* number of io_size, 1 … PYN_WORKLOAD_SIZES */
	uint32_t io_size[PYN_WORKLOAD_SIZES];   /* LBAs, 1 … 65536 */
	uint32_t lba_align[PYN_WORKLOAD_SIZES]; /* LBAs, for each io_size; at least 1 */
	uint32_t weight[PYN_WORKLOAD_SIZES];    /* relative frequencies; at least one is not 0 */
	uint32_t ops;                           /* number of opcodes, 1 … PYN_WORKLOAD_OPS */
	uint8_t opcode[PYN_WORKLOAD_OPS];
	uint8_t percentage[PYN_WORKLOAD_OPS]; /* the sum is 100 */
	uint32_t random_percentage;           /* 0 … 100; the rest is sequential */
	bool contiguous;                      /* sequential: each IO begins at the end of the previous one */
	bool fill;                            /* sequential IO of one size covers the region once, then ends */
	int64_t step;          /* if not contiguous: LBAs from one SLBA to the next; 0: always the same */
	uint64_t region_start; /* first LBA */
	uint64_t region_end;   /* past the last LBA */
	uint64_t lba_start;    /* where the sequential part begins */
	bool has_distribution;
	uint32_t distribution[PYN_WORKLOAD_PARTS]; /* the sum is PYN_WORKLOAD_WEIGHT */
	enum pyn_skew_kind skew; /* instead of distribution: popular blocks of the largest io_size */
	double skew_parameter;
};

struct pyn_workload_io {
	uint64_t slba;
	uint32_t nlb;
	uint16_t size; /* index into io_size */
	uint8_t op;    /* index into opcode */
	bool sequential;
};

/* Properties that each IO checks. */
struct pyn_workload_traits {
	bool plain; /* random IO of one size and one opcode: one IO differs from the next by its SLBA, unless it is
		       cut */
	bool always_random, never_random, one_size, one_op, has_distribution;
	bool contiguous, stays, down, fill;
	bool equal_weights;
};

struct pyn_workload {
	struct pyn_random random;
	uint64_t start, end; /* of the region, end not included */
	uint64_t next;       /* SLBA of the next sequential IO */
	uint64_t fill_from;  /* of the first one */
	int64_t step;
	uint32_t wraps;            /* how often the sequential part started over */
	uint32_t random_threshold; /* of 2^32: below it an IO is random; with always_random all are */
	uint64_t last_whole;       /* after this SLBA an IO of the first size is cut */
	struct pyn_workload_traits is;
	uint8_t flush_op; /* index of the opcode without LBAs; PYN_WORKLOAD_OPS: none */
	uint32_t total_weight;
	uint32_t sizes;
	uint32_t io_size[PYN_WORKLOAD_SIZES];
	uint32_t lba_align[PYN_WORKLOAD_SIZES];
	uint64_t first[PYN_WORKLOAD_SIZES];      /* the first aligned LBA of the region */
	uint64_t positions[PYN_WORKLOAD_SIZES];  /* number of aligned LBAs from there on */
	uint64_t again[PYN_WORKLOAD_SIZES];      /* where the sequential part starts over */
	uint32_t weight_end[PYN_WORKLOAD_SIZES]; /* sum of the weights up to and including this one */
	uint8_t op_of[100];
	uint8_t part_of[PYN_WORKLOAD_WEIGHT];
	uint64_t part_first[PYN_WORKLOAD_PARTS]; /* first LBA of each part of a distribution */
	uint64_t part_size[PYN_WORKLOAD_PARTS];  /* its LBAs */
	struct pyn_skew skew;
	uint64_t skew_unit; /* LBAs of a block */
};

/* Check config and initialise the workload. The region is clipped to nlba, the size of the namespace. A single
 * io_size larger than the region is clipped to it. Errors: PYN_ERROR_ARGUMENT. */
int pyn_workload_init(struct pyn_workload *workload, const struct pyn_workload_config *config, uint64_t nlba,
		      struct pyn_random random, struct pyn_error *err);

/* The largest IO of this workload, in LBAs. */
uint32_t pyn_workload_largest(const struct pyn_workload *workload);

/* A random aligned LBA for size index i, by the distribution over the region, or by the popularity of blocks. It lies
 * in the part that was drawn, if that has an aligned LBA. */
uint64_t pyn_workload_distributed_slba(struct pyn_workload *workload, uint32_t i);

/* The first size whose sum of weights is above pick. */
static inline uint32_t pyn_workload_weighted(const struct pyn_workload *workload, uint32_t pick)
{
	uint32_t low = 0, high = workload->sizes - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (pick < workload->weight_end[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static inline uint32_t pyn_workload_size(struct pyn_workload *workload)
{
	if (workload->is.one_size)
		return 0;
	uint32_t pick = (uint32_t)pyn_random_below(&workload->random, workload->total_weight);

	return workload->is.equal_weights ? pick : pyn_workload_weighted(workload, pick);
}

/* lba rounded down to a multiple of align; align 1 is the common case, and powers of two need no division. */
static inline uint64_t pyn_workload_align_down(uint64_t lba, uint32_t align)
{
	return (align & (align - 1)) == 0 ? lba & ~(uint64_t)(align - 1) : lba / align * align;
}

/* The same rounded up; UINT64_MAX, which no region contains, if it does not fit. */
static inline uint64_t pyn_workload_align_up(uint64_t lba, uint32_t align)
{
	uint64_t sum;

	if (__builtin_add_overflow(lba, align - 1, &sum))
		return UINT64_MAX;
	return pyn_workload_align_down(sum, align);
}

/* The next sequential LBA after slba; UINT64_MAX if it does not fit into 64 bits. */
static inline uint64_t pyn_workload_after(const struct pyn_workload *workload, uint64_t slba, uint32_t i)
{
	int64_t step = workload->is.contiguous ? (int64_t)workload->io_size[i] : workload->step;
	uint64_t next;

	return __builtin_add_overflow(slba, step, &next) ? UINT64_MAX : next;
}

/* Align an LBA in the direction of the step: in the other direction a small step would not advance. */
static inline uint64_t pyn_workload_aligned(const struct pyn_workload *workload, uint64_t lba, uint32_t i)
{
	return workload->is.down ? pyn_workload_align_down(lba, workload->lba_align[i])
				 : pyn_workload_align_up(lba, workload->lba_align[i]);
}

/* Whether the sequential part has covered the region when it reaches at, after it has started over once. */
static inline bool pyn_workload_is_filled(const struct pyn_workload *workload, uint64_t at)
{
	if (workload->wraps != 1)
		return workload->wraps > 1;
	return workload->is.down ? at <= workload->fill_from : at >= workload->fill_from;
}

/* The next sequential LBA. false: the region is filled. */
static inline bool pyn_workload_sequential_slba(struct pyn_workload *workload, uint32_t i, uint64_t *slba)
{
	uint64_t at = pyn_workload_aligned(workload, workload->next, i);

	if (at >= workload->end || at < workload->start) {
		at = workload->again[i];
		workload->wraps++;
	}
	if (workload->is.fill && pyn_workload_is_filled(workload, at))
		return false;
	if (!workload->is.stays)
		workload->next = pyn_workload_after(workload, at, i);
	*slba = at;
	return true;
}

/* Continue contiguous IO at lba, where the last IO was cut, instead of at the end of a whole IO. */
static inline void pyn_workload_go_on_at(struct pyn_workload *workload, uint64_t lba)
{
	if (workload->is.contiguous)
		workload->next = lba;
}

/* A random aligned LBA for size index i, uniformly distributed. */
static inline uint64_t pyn_workload_random_slba(struct pyn_workload *workload, uint32_t i)
{
	return workload->first[i] +
	       pyn_random_below(&workload->random, workload->positions[i]) * workload->lba_align[i];
}

/* Choose the next IO. It is cut at the end of the region. false: there is none, since the region is filled. */
static inline bool pyn_workload_next(struct pyn_workload *workload, struct pyn_workload_io *io)
{
	uint32_t i = pyn_workload_size(workload);
	bool random = workload->is.always_random ||
		      (!workload->is.never_random &&
		       (uint32_t)pyn_random_next(&workload->random) < workload->random_threshold);

	io->size = (uint16_t)i;
	io->sequential = !random;
	io->op = workload->is.one_op ? 0 : workload->op_of[pyn_random_below(&workload->random, 100)];
	if (random) {
		io->slba = workload->is.has_distribution ? pyn_workload_distributed_slba(workload, i)
							 : pyn_workload_random_slba(workload, i);
	} else if (io->op == workload->flush_op) {
		/* A Flush has no LBA, and must not leave a gap in the sequence. */
		io->slba = workload->start;
		io->sequential = false;
	} else if (!pyn_workload_sequential_slba(workload, i, &io->slba)) {
		return false;
	}
	uint64_t left = workload->end - io->slba;

	io->nlb = workload->io_size[i] < left ? workload->io_size[i] : (uint32_t)left;
	return true;
}

#endif
