/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/env/env.h"
#include "core/io/crc32c.h"

#define CRC_MASK UINT64_C(0xffffffff)
#define HASH_SHIFT 32
#define HASH_BITS 14
#define HASH_MASK ((UINT64_C(1) << HASH_BITS) - 1)
#define EPOCH_SHIFT 46
#define EPOCH_BITS 13
#define EPOCH_MASK ((UINT64_C(1) << EPOCH_BITS) - 1)
#define STATE_SHIFT 59
#define STATE_MASK UINT64_C(15)
#define BUSY (UINT64_C(1) << 63)

#define EPOCHS EPOCH_MASK        /* epochs 1 … EPOCHS go round; 0 is durable */
#define SWEEP_EVERY (EPOCHS / 2) /* flushes between two sweeps, so that no epoch in a cell is ever ambiguous */

#define CHUNK_SHIFT 16 /* LBAs of which "was ever touched" is kept together */
#define CRC_BATCH 64u  /* LBAs of which the CRCs are computed at once */

#define NEVER_ENDS (UINT64_C(1) << 30) /* in the count of a CONFLICT: one of its writes has nobody to end it */

/* In memory that all processes share. */
struct shared {
	_Atomic uint64_t epoch;   /* in which completed writes are now, from 1 */
	_Atomic uint64_t durable; /* all epochs up to this one have been flushed */
	_Atomic uint64_t swept;   /* the epoch of the last sweep */
	_Atomic uint64_t judged;
	_Atomic uint64_t unverified;
	_Atomic uint64_t mismatch;
	_Atomic uint64_t changes; /* changes without a token, to tell one from the next */
	_Atomic uint64_t limit;   /* LBAs from here on are not judged */
	_Atomic uint32_t held;    /* while it is not 0 nothing is judged */
	_Atomic uint32_t dirty;   /* a write completed in this epoch */
	_Atomic uint32_t dlfeat_zeros;
	_Atomic uint32_t volatile_cache;
	_Atomic uint32_t has_uncorrectable; /* from the first Write Uncorrectable on */
};

struct pyn_verify {
	_Atomic uint32_t references; /* of this process */
	uint32_t nsid;
	uint32_t lba_size;
	uint64_t nlba;
	uint32_t zero_crc;        /* of an LBA of zeros */
	_Atomic uint64_t *cells;  /* nlba of them */
	_Atomic uint8_t *touched; /* one for each chunk of cells */
	size_t cells_size;
	size_t touched_size;
	struct shared *shared;
};

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

static inline enum pyn_cell_state cell_state(uint64_t cell)
{
	return (enum pyn_cell_state)(cell >> STATE_SHIFT & STATE_MASK);
}

static inline uint64_t cell_make(enum pyn_cell_state state, uint32_t crc, uint64_t hash)
{
	return (uint64_t)state << STATE_SHIFT | hash << HASH_SHIFT | crc;
}

/* Tokens of one LBA often differ by a power of two (a region written again and again): mix before cutting. */
static inline uint64_t token_hash(uint64_t token)
{
	return token * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HASH_BITS);
}

static inline bool cell_expects_data(uint64_t cell)
{
	enum pyn_cell_state state = cell_state(cell);

	return state == PYN_CELL_DATA || state == PYN_CELL_RAW || state == PYN_CELL_ZEROES ||
	       state == PYN_CELL_DEALLOCATED;
}

/* The part of a range that the table covers: the drive refuses what lies beyond the namespace. */
static uint64_t clip(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	if (slba >= verify->nlba)
		return 0;
	return nlb < verify->nlba - slba ? nlb : verify->nlba - slba;
}

static void touch(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	for (uint64_t chunk = slba >> CHUNK_SHIFT; chunk <= (slba + nlb - 1) >> CHUNK_SHIFT; chunk++)
		if (!atomic_load_explicit(&verify->touched[chunk], memory_order_relaxed))
			atomic_store_explicit(&verify->touched[chunk], 1, memory_order_relaxed);
}

/* What a cell becomes when one more write is in flight; cell is what it will hold if no other one interferes. */
static inline uint64_t begun(uint64_t old, uint64_t cell)
{
	if (cell_state(old) == PYN_CELL_CONFLICT)
		return old + 1;
	return old & BUSY ? cell_make(PYN_CELL_CONFLICT, 2, 0) : cell | BUSY;
}

static inline void cell_begin(_Atomic uint64_t *where, uint64_t cell)
{
	uint64_t old = atomic_load_explicit(where, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(where, &old, begun(old, cell), memory_order_acq_rel,
						      memory_order_relaxed))
		;
}

static inline void cell_end(_Atomic uint64_t *where, bool known, uint64_t epoch)
{
	uint64_t old = atomic_load_explicit(where, memory_order_relaxed), next;

	do {
		if (cell_state(old) == PYN_CELL_CONFLICT)
			next = (old & CRC_MASK) > 1 ? old - 1 : cell_make(PYN_CELL_UNKNOWN, 0, 0);
		else if (!(old & BUSY))
			return; /* not begun: only a device that completes what was never sent gets here */
		else if (!known)
			next = cell_make(PYN_CELL_UNKNOWN, 0, 0);
		else
			next = (old & ~(BUSY | EPOCH_MASK << EPOCH_SHIFT)) | epoch << EPOCH_SHIFT;
	} while (!atomic_compare_exchange_weak_explicit(where, &old, next, memory_order_acq_rel,
							memory_order_relaxed));
}

/* Change each cell of a range that says something. What was never touched is not touched now. */
static void for_each_cell(struct pyn_verify *verify, uint64_t slba, uint64_t nlb,
			  uint64_t (*change)(const struct pyn_verify *, uint64_t cell))
{
	uint64_t past = slba + clip(verify, slba, nlb);

	for (uint64_t lba = slba; lba < past;) {
		uint64_t next_chunk = ((lba >> CHUNK_SHIFT) + 1) << CHUNK_SHIFT;

		if (!atomic_load_explicit(&verify->touched[lba >> CHUNK_SHIFT], memory_order_relaxed)) {
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
	verify->touched_size = (verify->nlba >> CHUNK_SHIFT) + 1;
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
	atomic_store(&verify->shared->limit, UINT64_MAX);
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
	atomic_store(&verify->shared->limit, nlba);
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

	for (uint32_t i = 0; i < nlb; i++, lba += verify->lba_size) {
		uint64_t number = slba + i, stamp = token + i;

		memcpy(lba, &number, sizeof(number));
		memcpy(lba + verify->lba_size - sizeof(stamp), &stamp, sizeof(stamp));
	}
}

void pyn_verify_write_begin_crc(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint32_t *crc,
				uint64_t token)
{
	uint32_t count = (uint32_t)clip(verify, slba, nlb);

	if (count == 0)
		return;
	touch(verify, slba, count);
	for (uint32_t i = 0; i < count; i++)
		cell_begin(&verify->cells[slba + i], cell_make(PYN_CELL_DATA, crc[i], token_hash(token + i)));
}

/*
 * Data without a token can come back: zeros, then something else, then zeros again, all of it while one read is in
 * flight, must not look like "no change". So these cells bear the number of the change in place of a token's hash.
 */
static uint64_t next_change(struct pyn_verify *verify)
{
	return atomic_fetch_add_explicit(&verify->shared->changes, 1, memory_order_relaxed) & HASH_MASK;
}

void pyn_verify_write_begin(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data, bool stamped,
			    uint64_t token)
{
	const uint8_t *lba = data;
	uint64_t count = clip(verify, slba, nlb);
	uint64_t change = stamped ? 0 : next_change(verify);

	if (count == 0)
		return;
	touch(verify, slba, count);
	for (uint64_t done = 0; done < count; done += CRC_BATCH) {
		uint32_t crc[CRC_BATCH];
		uint32_t batch = count - done < CRC_BATCH ? (uint32_t)(count - done) : CRC_BATCH;

		pyn_crc32c_blocks(lba + done * verify->lba_size, verify->lba_size, batch, crc);
		for (uint32_t i = 0; i < batch; i++)
			cell_begin(&verify->cells[slba + done + i],
				   stamped ? cell_make(PYN_CELL_DATA, crc[i], token_hash(token + done + i))
					   : cell_make(PYN_CELL_RAW, crc[i], change));
	}
}

/* What a cell will be after a deallocation: the old data may return, so what is known of them is kept. */
static uint64_t deallocated(const struct pyn_verify *verify, uint64_t old, uint64_t change)
{
	if (!atomic_load_explicit(&verify->shared->dlfeat_zeros, memory_order_relaxed))
		return cell_make(PYN_CELL_UNKNOWN, 0, 0);
	switch (cell_state(old)) {
	case PYN_CELL_DATA:
	case PYN_CELL_RAW:
	case PYN_CELL_DEALLOCATED:
		return cell_make(PYN_CELL_DEALLOCATED, (uint32_t)old, change);
	case PYN_CELL_ZEROES:
		return cell_make(PYN_CELL_ZEROES, verify->zero_crc, change);
	default:
		return cell_make(PYN_CELL_UNKNOWN, 0, 0);
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
	uint64_t count = clip(verify, slba, nlb);
	uint64_t change = next_change(verify);
	uint64_t cell = cell_make(state, state == PYN_CELL_ZEROES ? verify->zero_crc : 0, change);

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
	struct shared *shared = verify->shared;
	uint64_t count = clip(verify, slba, nlb);
	uint64_t epoch = 0;

	if (outcome == PYN_WRITE_DONE && atomic_load_explicit(&shared->volatile_cache, memory_order_relaxed)) {
		epoch = (atomic_load_explicit(&shared->epoch, memory_order_acquire) - 1) % EPOCHS + 1;
		if (!atomic_load_explicit(&shared->dirty, memory_order_relaxed))
			atomic_store_explicit(&shared->dirty, 1, memory_order_release);
	}
	for (uint64_t i = 0; i < count; i++)
		cell_end(&verify->cells[slba + i], outcome != PYN_WRITE_FAILED, epoch);
}

static uint64_t lose_count(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	if (cell_state(cell) == PYN_CELL_CONFLICT)
		return cell + NEVER_ENDS;
	return cell & BUSY ? cell_make(PYN_CELL_CONFLICT, NEVER_ENDS + 1, 0) : cell_make(PYN_CELL_UNKNOWN, 0, 0);
}

void pyn_verify_write_lost(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	for_each_cell(verify, slba, nlb, lose_count);
}

/* A write in flight stays counted: its end must not be taken for that of another one that began meanwhile. */
static uint64_t forget(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	if (cell_state(cell) == PYN_CELL_CONFLICT)
		return cell;
	return cell & BUSY ? cell_make(PYN_CELL_CONFLICT, 1, 0) : 0;
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

/* -- reads ---------------------------------------------------------------------------------------------------- */

void pyn_verify_read_begin(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, uint64_t *snapshot)
{
	uint32_t count = (uint32_t)clip(verify, slba, nlb);

	for (uint32_t i = 0; i < count; i++)
		snapshot[i] = atomic_load_explicit(&verify->cells[slba + i], memory_order_relaxed);
}

static bool all_zeros(const uint8_t *data, uint32_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Whether the data would have been right with another 8 bytes at this place: then only the stamp was hit. */
static bool right_but_for(const struct pyn_verify *verify, const uint8_t *data, uint32_t offset, uint64_t value,
			  uint32_t expected)
{
	uint32_t crc = pyn_crc32c(0, data, offset);

	crc = pyn_crc32c(crc, &value, sizeof(value));
	offset += sizeof(value);
	return pyn_crc32c(crc, data + offset, verify->lba_size - offset) == expected;
}

static bool given_out(uint64_t token)
{
	uint64_t newest = atomic_load_explicit(the_token, memory_order_relaxed);

	return token - the_first_token < newest - the_first_token;
}

/* Whether only one bit of the token was flipped. That to an older token is taken for an older write instead. */
static bool token_is_damaged(const struct pyn_verify *verify, const uint8_t *data, uint64_t token, uint32_t expected)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t undone = token ^ UINT64_C(1) << bit;

		if (right_but_for(verify, data, verify->lba_size - 8, undone, expected))
			return undone < token || !given_out(token);
	}
	return false;
}

/*
 * What the data of an LBA that is not as expected are. A stamp that names another LBA or another token shows where
 * the data come from, unless the stamp itself is what was damaged: then the data are right but for one of its fields.
 * Old data may bear the token of an earlier session, which can be any; zeros for an LBA are too common to say "LBA
 * 0".
 */
static enum pyn_mismatch_class classify(const struct pyn_verify *verify, uint64_t lba, const uint8_t *data,
					uint64_t cell, struct pyn_mismatch *mismatch)
{
	uint32_t size = verify->lba_size, expected = (uint32_t)cell;
	uint64_t token, found;

	memcpy(&found, data, sizeof(found));
	memcpy(&token, data + size - sizeof(token), sizeof(token));
	mismatch->found_lba = found;
	mismatch->found_token = token;
	if (all_zeros(data, size))
		return PYN_MISMATCH_LOST;
	if (found >= verify->nlba || (found == 0 && !given_out(token)))
		return PYN_MISMATCH_CORRUPT;
	if (found != lba)
		return right_but_for(verify, data, 0, lba, expected) ? PYN_MISMATCH_CORRUPT
								     : PYN_MISMATCH_MISDIRECTED;
	/* No write has token 0: the end of the LBA was lost. */
	if (token == 0)
		return PYN_MISMATCH_CORRUPT;
	if (cell_state(cell) == PYN_CELL_DATA && token_hash(token) == (cell >> HASH_SHIFT & HASH_MASK))
		return PYN_MISMATCH_CORRUPT;
	return token_is_damaged(verify, data, token, expected) ? PYN_MISMATCH_CORRUPT : PYN_MISMATCH_STALE;
}

static bool judge(const struct pyn_verify *verify, uint64_t lba, const uint8_t *data, uint64_t cell, uint32_t crc,
		  struct pyn_mismatch *mismatch)
{
	struct pyn_mismatch found = {.lba = lba, .expected_crc = (uint32_t)cell, .found_crc = crc};

	if (cell_state(cell) != PYN_CELL_UNCORRECTABLE) {
		if (crc == (uint32_t)cell)
			return true;
		if (cell_state(cell) == PYN_CELL_DEALLOCATED && crc == verify->zero_crc)
			return true;
		found.class = classify(verify, lba, data, cell, &found);
	} else {
		found.class = PYN_MISMATCH_READABLE;
	}
	if (mismatch->count == 0)
		*mismatch = found;
	mismatch->count++;
	return false;
}

/* How many LBAs of a read can be judged at all. What is held is forgotten before it is released: look here first. */
static uint32_t judgeable(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb)
{
	uint64_t limit = atomic_load_explicit(&verify->shared->limit, memory_order_relaxed);

	if (atomic_load_explicit(&verify->shared->held, memory_order_acquire) || slba >= limit)
		return 0;
	return (uint32_t)clip(verify, slba, nlb < limit - slba ? nlb : limit - slba);
}

bool pyn_verify_read_end(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data,
			 const uint64_t *snapshot, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	uint32_t count = judgeable(verify, slba, nlb);

	mismatch->count = 0;
	counts->unverified += nlb - count;
	for (uint32_t done = 0; done < count; done += CRC_BATCH) {
		uint32_t batch = count - done < CRC_BATCH ? count - done : CRC_BATCH;
		const uint8_t *lba = (const uint8_t *)data + (size_t)done * verify->lba_size;
		uint32_t crc[CRC_BATCH];
		uint64_t known = 0; /* a bit for each LBA that can be judged */

		for (uint32_t i = 0; i < batch; i++) {
			uint64_t cell = snapshot[done + i];
			bool same =
				cell == atomic_load_explicit(&verify->cells[slba + done + i], memory_order_relaxed);

			if (same && !(cell & BUSY) &&
			    (cell_expects_data(cell) || cell_state(cell) == PYN_CELL_UNCORRECTABLE))
				known |= UINT64_C(1) << i;
		}
		counts->unverified += batch - (uint32_t)__builtin_popcountll(known);
		if (!known)
			continue;
		counts->judged += (uint32_t)__builtin_popcountll(known);
		pyn_crc32c_blocks(lba, verify->lba_size, batch, crc);
		for (uint32_t i = 0; i < batch; i++)
			if (known >> i & 1)
				judge(verify, slba + done + i, lba + (size_t)i * verify->lba_size, snapshot[done + i],
				      crc[i], mismatch);
	}
	counts->mismatch += mismatch->count;
	return mismatch->count == 0;
}

bool pyn_verify_has_uncorrectable(const struct pyn_verify *verify)
{
	return atomic_load_explicit(&verify->shared->has_uncorrectable, memory_order_relaxed);
}

static bool is_uncorrectable(const struct pyn_verify *verify, uint64_t lba)
{
	return cell_state(atomic_load_explicit(&verify->cells[lba], memory_order_relaxed)) == PYN_CELL_UNCORRECTABLE;
}

uint64_t pyn_verify_alike(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb, bool *uncorrectable)
{
	uint64_t count = clip(verify, slba, nlb), alike = 1;

	*uncorrectable = count && is_uncorrectable(verify, slba);
	while (alike < count && is_uncorrectable(verify, slba + alike) == *uncorrectable)
		alike++;
	return alike < count || *uncorrectable ? alike : nlb;
}

/* -- flush and power ------------------------------------------------------------------------------------------ */

static bool is_durable(const struct pyn_verify *verify, uint64_t cell)
{
	uint64_t epoch = cell >> EPOCH_SHIFT & EPOCH_MASK;
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
	if (cell_state(cell) == PYN_CELL_CONFLICT || cell & BUSY || !is_durable(verify, cell))
		return cell;
	return cell & ~(EPOCH_MASK << EPOCH_SHIFT);
}

static uint64_t lose(const struct pyn_verify *verify, uint64_t cell)
{
	if (cell_state(cell) == PYN_CELL_CONFLICT || cell & BUSY || is_durable(verify, cell))
		return cell;
	return cell_make(PYN_CELL_UNKNOWN, 0, 0);
}

uint64_t pyn_verify_flush_begin(struct pyn_verify *verify)
{
	struct shared *shared = verify->shared;

	/* A flush covers the writes that completed before it was submitted: later ones get the next epoch. */
	if (!atomic_exchange(&shared->dirty, 0))
		return atomic_load(&shared->epoch) - 1;
	return atomic_fetch_add(&shared->epoch, 1);
}

void pyn_verify_flush_end(struct pyn_verify *verify, uint64_t epoch)
{
	struct shared *shared = verify->shared;
	uint64_t durable = atomic_load(&shared->durable);
	uint64_t swept = atomic_load(&shared->swept);

	while (durable < epoch && !atomic_compare_exchange_weak(&shared->durable, &durable, epoch))
		;
	if (epoch > swept && epoch - swept >= SWEEP_EVERY &&
	    atomic_compare_exchange_strong(&shared->swept, &swept, epoch))
		for_each_cell(verify, 0, verify->nlba, make_durable);
}

void pyn_verify_power_lost(struct pyn_verify *verify)
{
	for_each_cell(verify, 0, verify->nlba, lose);
}

/* -- telling -------------------------------------------------------------------------------------------------- */

void pyn_verify_count(struct pyn_verify *verify, const struct pyn_verify_counts *counts)
{
	atomic_fetch_add_explicit(&verify->shared->judged, counts->judged, memory_order_relaxed);
	atomic_fetch_add_explicit(&verify->shared->unverified, counts->unverified, memory_order_relaxed);
	atomic_fetch_add_explicit(&verify->shared->mismatch, counts->mismatch, memory_order_relaxed);
}

void pyn_verify_get_counts(const struct pyn_verify *verify, struct pyn_verify_counts *counts)
{
	counts->judged = atomic_load_explicit(&verify->shared->judged, memory_order_relaxed);
	counts->unverified = atomic_load_explicit(&verify->shared->unverified, memory_order_relaxed);
	counts->mismatch = atomic_load_explicit(&verify->shared->mismatch, memory_order_relaxed);
}

void pyn_mismatch_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size)
{
	static const char *const what[] = {
		[PYN_MISMATCH_NONE] = "right",
		[PYN_MISMATCH_CORRUPT] = "corrupt: not what was written last, nor anything else that was",
		[PYN_MISMATCH_STALE] = "stale: an older write of this LBA",
		[PYN_MISMATCH_MISDIRECTED] = "misdirected: the data of another LBA",
		[PYN_MISMATCH_LOST] = "lost: zeros where data were",
		[PYN_MISMATCH_READABLE] = "readable, though it was marked uncorrectable",
	};
	unsigned class = mismatch->class < sizeof(what) / sizeof(what[0]) ? mismatch->class : 0;

	snprintf(text, size,
		 "nsid %u LBA 0x%llx is %s; %u LBA%s of this read mismatch; CRC-32C expected %08x, found %08x; "
		 "the data name LBA 0x%llx, token 0x%llx",
		 nsid, (unsigned long long)mismatch->lba, what[class], mismatch->count,
		 mismatch->count == 1 ? "" : "s", mismatch->expected_crc, mismatch->found_crc,
		 (unsigned long long)mismatch->found_lba, (unsigned long long)mismatch->found_token);
}
