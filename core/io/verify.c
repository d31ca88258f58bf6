/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/verify_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/env/env.h"

#define EPOCHS PYN_CELL_EPOCH    /* epochs 1 … EPOCHS go round; 0 is durable */
#define SWEEP_EVERY (EPOCHS / 2) /* flushes between two sweeps, so that no epoch in a cell is ever ambiguous */

#define NEVER_ENDS (UINT64_C(1) << 30) /* in the count of a CONFLICT: one of its writes has nobody to end it */

static _Atomic uint64_t *the_token; /* the next one to be given out */
static uint64_t the_first_token;

int pyn_token_start(struct pyn_error *err)
{
	uint64_t start = 0;

	if (the_token)
		return 0;
	_Atomic uint64_t *token = pyn_shared_map(sizeof(*token), err);

	if (!token)
		return -ENOMEM;
	/* A drive's data outlive a script: a counter that began at 0 again would make old data look right. */
	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		start = (uint64_t)(uintptr_t)token * UINT64_C(0x9e3779b97f4a7c15);
	the_first_token = start >> 1;
	atomic_store(token, the_first_token);
	the_token = token;
	return 0;
}

uint64_t pyn_token_take(uint64_t count)
{
	return atomic_fetch_add_explicit(the_token, count, memory_order_relaxed);
}

/* -- cells ---------------------------------------------------------------------------------------------------- */

static void touch(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	for (uint64_t chunk = slba >> PYN_VERIFY_CHUNK_SHIFT; chunk <= (slba + nlb - 1) >> PYN_VERIFY_CHUNK_SHIFT;
	     chunk++)
		if (!atomic_load_explicit(&verify->touched[chunk], memory_order_relaxed))
			atomic_store_explicit(&verify->touched[chunk], 1, memory_order_relaxed);
}

/* What a cell becomes when one more write is in flight; cell is what it will hold if no other one interferes. */
static inline uint64_t begun(uint64_t old, uint64_t cell)
{
	/* CONFLICT is the last state, and BUSY the bit above: nothing is in flight where the number is less. */
	if (__builtin_expect(old >> PYN_CELL_STATE_SHIFT < PYN_CELL_CONFLICT, 1))
		return cell | PYN_CELL_BUSY;
	if (pyn_cell_state_of(old) == PYN_CELL_CONFLICT)
		return old + 1;
	return pyn_cell_make(PYN_CELL_CONFLICT, 2, 0);
}

static inline void cell_begin(_Atomic uint64_t *where, uint64_t cell)
{
	uint64_t old = atomic_load_explicit(where, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(where, &old, begun(old, cell), memory_order_acq_rel,
						      memory_order_relaxed))
		;
}

/* What a cell becomes when one write less is in flight. One that was not begun stays as it is: only a device that
 * completes what was never sent gets here. */
static inline uint64_t ended(uint64_t old, bool known, uint64_t epoch)
{
	const uint64_t busy = PYN_CELL_BUSY >> PYN_CELL_STATE_SHIFT;

	/* BUSY, and in another state than CONFLICT, which is the last one. */
	if (__builtin_expect((old >> PYN_CELL_STATE_SHIFT) - busy < PYN_CELL_CONFLICT && known, 1))
		return (old & ~(PYN_CELL_BUSY | PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT)) |
		       epoch << PYN_CELL_EPOCH_SHIFT;
	if (pyn_cell_state_of(old) == PYN_CELL_CONFLICT)
		return (old & PYN_CELL_CRC) > 1 ? old - 1 : pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
	return old & PYN_CELL_BUSY ? pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0) : old;
}

static inline void cell_end(_Atomic uint64_t *where, bool known, uint64_t epoch)
{
	uint64_t old = atomic_load_explicit(where, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(where, &old, ended(old, known, epoch), memory_order_acq_rel,
						      memory_order_relaxed))
		;
}

/* Change each cell of a range that says something. What was never touched is not touched now. */
static void for_each_cell(struct pyn_verify *verify, uint64_t slba, uint64_t nlb,
			  uint64_t (*change)(const struct pyn_verify *, uint64_t cell))
{
	uint64_t past = slba + pyn_verify_clip(verify, slba, nlb);

	for (uint64_t lba = slba; lba < past;) {
		uint64_t next_chunk = ((lba >> PYN_VERIFY_CHUNK_SHIFT) + 1) << PYN_VERIFY_CHUNK_SHIFT;

		if (!pyn_verify_is_touched(verify, lba)) {
			lba = next_chunk;
			continue;
		}
		for (; lba < past && lba < next_chunk; lba++) {
			uint64_t old = atomic_load_explicit(&verify->cells[lba], memory_order_relaxed), next;

			do {
				next = old ? change(verify, old) : 0;
			} while (next != old && !atomic_compare_exchange_weak(&verify->cells[lba], &old, next));
		}
	}
}

/* -- life ----------------------------------------------------------------------------------------------------- */

static uint32_t crc_of_zeros(uint32_t size)
{
	static const uint8_t zeros[512];
	uint32_t crc = 0;

	for (uint32_t done = 0; done < size; done += sizeof(zeros))
		crc = pyn_crc32c(crc, zeros, size - done < sizeof(zeros) ? size - done : sizeof(zeros));
	return crc;
}

static int map(struct pyn_verify *verify, struct pyn_error *err)
{
	if (verify->nlba > SIZE_MAX / sizeof(uint64_t) / 2)
		return pyn_error(err, PYN_ERROR_NAMESPACE, EINVAL, "namespace %u reports %llu LBAs", verify->nsid,
				 (unsigned long long)verify->nlba);
	verify->cells_size = (verify->nlba ? verify->nlba : 1) * sizeof(uint64_t);
	verify->touched_size = (verify->nlba >> PYN_VERIFY_CHUNK_SHIFT) + 1;
	verify->shared = pyn_shared_map(sizeof(*verify->shared), err);
	if (verify->shared)
		verify->cells = pyn_shared_map(verify->cells_size, err);
	if (verify->cells)
		verify->touched = pyn_shared_map(verify->touched_size, err);
	return verify->touched ? 0 : -ENOMEM;
}

static void destroy(struct pyn_verify *verify)
{
	pyn_shared_unmap((void *)verify->touched, verify->touched_size);
	pyn_shared_unmap((void *)verify->cells, verify->cells_size);
	pyn_shared_unmap(verify->shared, sizeof(*verify->shared));
	free(verify);
}

struct pyn_verify *pyn_verify_create(uint32_t nsid, uint64_t nlba, uint32_t lba_size, struct pyn_error *err)
{
	struct pyn_verify *verify = calloc(1, sizeof(*verify));

	if (!verify) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the verification of namespace %u", nsid);
		return NULL;
	}
	verify->nsid = nsid;
	verify->nlba = nlba;
	verify->lba_size = lba_size;
	verify->zero_crc = crc_of_zeros(lba_size);
	if (map(verify, err) < 0) {
		destroy(verify);
		return NULL;
	}
	atomic_init(&verify->references, 1);
	atomic_store(&verify->shared->epoch, 1);
	atomic_store(&verify->shared->limit, verify->nlba);
	atomic_store(&verify->shared->volatile_cache, 1); /* until the drive says that it has none */
	return verify;
}

void pyn_verify_get(struct pyn_verify *verify)
{
	if (verify)
		atomic_fetch_add(&verify->references, 1);
}

void pyn_verify_put(struct pyn_verify *verify)
{
	if (verify && atomic_fetch_sub(&verify->references, 1) == 1)
		destroy(verify);
}

uint32_t pyn_verify_nsid(const struct pyn_verify *verify)
{
	return verify->nsid;
}

uint32_t pyn_verify_lba_size(const struct pyn_verify *verify)
{
	return verify->lba_size;
}

uint64_t pyn_verify_nlba(const struct pyn_verify *verify)
{
	return verify->nlba;
}

void pyn_verify_set_limit(struct pyn_verify *verify, uint64_t nlba)
{
	atomic_store(&verify->shared->limit, nlba < verify->nlba ? nlba : verify->nlba);
}

void pyn_verify_set_dlfeat(struct pyn_verify *verify, bool zeros)
{
	atomic_store(&verify->shared->dlfeat_zeros, zeros);
}

void pyn_verify_set_volatile_cache(struct pyn_verify *verify, bool on)
{
	atomic_store(&verify->shared->volatile_cache, on);
}

/* -- writes --------------------------------------------------------------------------------------------------- */

void pyn_verify_stamp(const struct pyn_verify *verify, void *data, uint64_t slba, uint32_t nlb, uint64_t token)
{
	uint8_t *lba = data;
	size_t size = verify->lba_size;

	for (uint64_t past = slba + nlb; slba != past; slba++, token++, lba += size) {
		memcpy(lba, &slba, sizeof(slba));
		memcpy(lba + size - sizeof(token), &token, sizeof(token));
	}
}

void pyn_verify_write_begin_crc(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint32_t *crc,
				uint64_t token)
{
	uint32_t count = (uint32_t)pyn_verify_clip(verify, slba, nlb);

	if (count == 0)
		return;
	touch(verify, slba, count);
	for (_Atomic uint64_t *cell = &verify->cells[slba], *past = cell + count; cell < past; cell++)
		cell_begin(cell, pyn_cell_make(PYN_CELL_DATA, *crc++, pyn_token_hash(token++)));
}

/*
 * Data without a token can come back: zeros, then something else, then zeros again, all of it while one read is in
 * flight, must not look like "no change". So these cells bear the number of the change in place of a token's hash.
 */
static uint64_t next_change(struct pyn_verify *verify)
{
	return atomic_fetch_add_explicit(&verify->shared->changes, 1, memory_order_relaxed) & PYN_CELL_HASH;
}

void pyn_verify_write_begin(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data, bool stamped,
			    uint64_t token)
{
	const uint8_t *lba = data;
	uint64_t count = pyn_verify_clip(verify, slba, nlb);
	uint64_t change = stamped ? 0 : next_change(verify);

	if (count == 0)
		return;
	touch(verify, slba, count);
	for (uint64_t done = 0; done < count; done += PYN_VERIFY_BATCH) {
		uint32_t crc[PYN_VERIFY_BATCH];
		uint32_t batch = count - done < PYN_VERIFY_BATCH ? (uint32_t)(count - done) : PYN_VERIFY_BATCH;

		pyn_crc32c_blocks(lba + done * verify->lba_size, verify->lba_size, batch, crc);
		for (uint32_t i = 0; i < batch; i++)
			cell_begin(&verify->cells[slba + done + i],
				   stamped ? pyn_cell_make(PYN_CELL_DATA, crc[i], pyn_token_hash(token + done + i))
					   : pyn_cell_make(PYN_CELL_RAW, crc[i], change));
	}
}

/* What a cell will be after a deallocation: the old data may return, so what is known of them is kept. */
static uint64_t deallocated(const struct pyn_verify *verify, uint64_t old, uint64_t change)
{
	if (!atomic_load_explicit(&verify->shared->dlfeat_zeros, memory_order_relaxed))
		return pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
	switch (pyn_cell_state_of(old)) {
	case PYN_CELL_DATA:
	case PYN_CELL_RAW:
	case PYN_CELL_DEALLOCATED:
		return pyn_cell_make(PYN_CELL_DEALLOCATED, (uint32_t)old, change);
	case PYN_CELL_ZEROES:
		return pyn_cell_make(PYN_CELL_ZEROES, verify->zero_crc, change);
	default:
		return pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
	}
}

static void cell_begin_deallocation(const struct pyn_verify *verify, _Atomic uint64_t *where, uint64_t change)
{
	uint64_t old = atomic_load_explicit(where, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(where, &old, begun(old, deallocated(verify, old, change)),
						      memory_order_acq_rel, memory_order_relaxed))
		;
}

void pyn_verify_change_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_cell_state state)
{
	uint64_t count = pyn_verify_clip(verify, slba, nlb);
	uint64_t change = next_change(verify);
	uint64_t cell = pyn_cell_make(state, state == PYN_CELL_ZEROES ? verify->zero_crc : 0, change);

	if (count == 0)
		return;
	if (state == PYN_CELL_UNCORRECTABLE)
		atomic_store_explicit(&verify->shared->has_uncorrectable, 1, memory_order_relaxed);
	touch(verify, slba, count);
	for (uint64_t i = 0; i < count; i++) {
		if (state == PYN_CELL_DEALLOCATED)
			cell_begin_deallocation(verify, &verify->cells[slba + i], change);
		else
			cell_begin(&verify->cells[slba + i], cell);
	}
}

void pyn_verify_write_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome)
{
	struct pyn_verify_shared *shared = verify->shared;
	uint64_t count = pyn_verify_clip(verify, slba, nlb);
	uint64_t epoch = 0;

	if (outcome == PYN_WRITE_DONE && atomic_load_explicit(&shared->volatile_cache, memory_order_relaxed)) {
		epoch = (atomic_load_explicit(&shared->epoch, memory_order_acquire) - 1) % EPOCHS + 1;
		if (!atomic_load_explicit(&shared->dirty, memory_order_relaxed))
			atomic_store_explicit(&shared->dirty, 1, memory_order_release);
	}
	for (_Atomic uint64_t *cell = &verify->cells[slba], *past = cell + count; cell < past; cell++)
		cell_end(cell, outcome != PYN_WRITE_FAILED, epoch);
}

static uint64_t lose_count(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT)
		return cell + NEVER_ENDS;
	return cell & PYN_CELL_BUSY ? pyn_cell_make(PYN_CELL_CONFLICT, NEVER_ENDS + 1, 0)
				    : pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
}

void pyn_verify_write_lost(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	for_each_cell(verify, slba, nlb, lose_count);
}

/* A write in flight stays counted: its end must not be taken for that of another one that began meanwhile. */
static uint64_t forget(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT)
		return cell;
	return cell & PYN_CELL_BUSY ? pyn_cell_make(PYN_CELL_CONFLICT, 1, 0) : 0;
}

void pyn_verify_forget(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	for_each_cell(verify, slba, nlb, forget);
}

void pyn_verify_hold(struct pyn_verify *verify)
{
	atomic_fetch_add(&verify->shared->held, 1);
}

void pyn_verify_release(struct pyn_verify *verify)
{
	uint32_t held = atomic_load(&verify->shared->held);

	while (held && !atomic_compare_exchange_weak(&verify->shared->held, &held, held - 1))
		;
}

/* -- flush and power ------------------------------------------------------------------------------------------ */

static bool is_durable(const struct pyn_verify *verify, uint64_t cell)
{
	uint64_t epoch = cell >> PYN_CELL_EPOCH_SHIFT & PYN_CELL_EPOCH;
	uint64_t now = atomic_load(&verify->shared->epoch);
	uint64_t durable = atomic_load(&verify->shared->durable);

	if (epoch == 0)
		return true;
	/* How many epochs ago: fewer than EPOCHS, because a sweep came in between. */
	uint64_t age = ((now - 1) % EPOCHS + 1 + EPOCHS - epoch) % EPOCHS;

	return now - age <= durable;
}

static uint64_t make_durable(const struct pyn_verify *verify, uint64_t cell)
{
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT || cell & PYN_CELL_BUSY || !is_durable(verify, cell))
		return cell;
	return cell & ~(PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT);
}

static uint64_t lose(const struct pyn_verify *verify, uint64_t cell)
{
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT || cell & PYN_CELL_BUSY || is_durable(verify, cell))
		return cell;
	return pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
}

uint64_t pyn_verify_flush_begin(struct pyn_verify *verify)
{
	struct pyn_verify_shared *shared = verify->shared;

	/* A flush covers the writes that completed before it was submitted: later ones get the next epoch. */
	if (!atomic_exchange(&shared->dirty, 0))
		return atomic_load(&shared->epoch) - 1;
	return atomic_fetch_add(&shared->epoch, 1);
}

void pyn_verify_flush_end(struct pyn_verify *verify, uint64_t epoch)
{
	struct pyn_verify_shared *shared = verify->shared;
	uint64_t durable = atomic_load(&shared->durable);
	uint64_t swept = atomic_load(&shared->swept);

	while (durable < epoch && !atomic_compare_exchange_weak(&shared->durable, &durable, epoch))
		;
	if (epoch > swept && epoch - swept >= SWEEP_EVERY &&
	    atomic_compare_exchange_strong(&shared->swept, &swept, epoch))
		for_each_cell(verify, 0, verify->nlba, make_durable);
}

bool pyn_token_was_given_out(uint64_t token)
{
	uint64_t newest = atomic_load_explicit(the_token, memory_order_relaxed);

	return token - the_first_token < newest - the_first_token;
}

void pyn_verify_power_lost(struct pyn_verify *verify)
{
	for_each_cell(verify, 0, verify->nlba, lose);
}

/* -- telling -------------------------------------------------------------------------------------------------- */

/* Most often there is something in one of them only. */
static void add(_Atomic uint64_t *sum, uint64_t count)
{
	if (count)
		atomic_fetch_add_explicit(sum, count, memory_order_relaxed);
}

void pyn_verify_count(struct pyn_verify *verify, const struct pyn_verify_counts *counts)
{
	add(&verify->shared->judged, counts->judged);
	add(&verify->shared->unverified, counts->unverified);
	add(&verify->shared->mismatch, counts->mismatch);
}

void pyn_verify_get_counts(const struct pyn_verify *verify, struct pyn_verify_counts *counts)
{
	counts->judged = atomic_load_explicit(&verify->shared->judged, memory_order_relaxed);
	counts->unverified = atomic_load_explicit(&verify->shared->unverified, memory_order_relaxed);
	counts->mismatch = atomic_load_explicit(&verify->shared->mismatch, memory_order_relaxed);
}
