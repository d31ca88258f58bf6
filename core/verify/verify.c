/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/verify_cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/env/env.h"

#define EPOCHS PYN_CELL_EPOCH /* epochs 1 … EPOCHS are reused in turn; 0 is durable */
#define CONFLICT ((uint64_t)PYN_CELL_CONFLICT << PYN_CELL_STATE_SHIFT)
#define SWEEP_EVERY (EPOCHS / 2) /* flushes between two sweeps, so that no epoch in a cell is ever ambiguous */

static _Atomic uint64_t *the_token; /* the next token to take */
static uint64_t the_first_token;

int pyn_token_start(struct pyn_error *err)
{
	uint64_t start = 0;

	if (the_token)
		return 0;
	_Atomic uint64_t *token = pyn_shared_map(sizeof(*token), err);

	if (!token)
		return -ENOMEM;
	/* Start at random: the data of a drive outlive a script, and with repeated tokens old data would look
	 * right. */
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

/* ---- cells ---- */

/* The value of a cell once one more write is in flight. cell is its value after the write if no other interferes. */
static inline uint64_t begun(uint64_t old, uint64_t cell)
{
	/* CONFLICT is the last state, and BUSY the bit above it: in a smaller number nothing is in flight. */
	if (__builtin_expect(old < CONFLICT, 1))
		return cell | PYN_CELL_BUSY;
	if (pyn_cell_state_of(old) == PYN_CELL_CONFLICT)
		return old + 1;
	return pyn_cell_make(PYN_CELL_CONFLICT, 2, 0);
}

/* The value of a cell once one write less is in flight. A cell without a write in flight stays as it is; that happens
 * only if a device completes a command that was never sent. */
static inline uint64_t ended(uint64_t old, bool known, uint64_t epoch)
{
	/* BUSY, and not in CONFLICT, the last state. The epoch of a cell in flight is 0. */
	if (__builtin_expect(old - PYN_CELL_BUSY < CONFLICT && known, 1))
		return (old - PYN_CELL_BUSY) | epoch << PYN_CELL_EPOCH_SHIFT;
	if (pyn_cell_state_of(old) == PYN_CELL_CONFLICT)
		return (old & PYN_CELL_CRC) > 1 ? old - 1 : pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
	return old & PYN_CELL_BUSY ? pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0) : old;
}

/* ---- life ---- */

static uint32_t crc_of_zeros(uint32_t size)
{
	static const uint8_t zeros[512];
	uint32_t crc = 0;

	for (uint32_t done = 0; done < size; done += sizeof(zeros))
		crc = pyn_crc32c(crc, zeros, size - done < sizeof(zeros) ? size - done : sizeof(zeros));
	return crc;
}

static int map_flat(struct pyn_verify *verify, struct pyn_error *err)
{
	verify->cells_size = (verify->nlba ? verify->nlba : 1) * sizeof(uint64_t);
	verify->touched_size = (verify->nlba >> PYN_VERIFY_PAGE_SHIFT) + 1;
	verify->eight_past = verify->nlba >= 8 ? verify->nlba - 7 : 0;
	verify->cells = pyn_shared_map(verify->cells_size, err);
	if (verify->cells)
		verify->touched = pyn_shared_map(verify->touched_size, err);
	return verify->touched ? 0 : -ENOMEM;
}

static int map_large(struct pyn_verify *verify, struct pyn_error *err)
{
	int ret = pyn_nodes_map(&verify->nodes, verify->past, verify->stripes, err);

	return ret < 0 ? ret : pyn_dense_map(&verify->dense, verify->past, err);
}

static int map(struct pyn_verify *verify, bool flat, struct pyn_error *err)
{
	verify->past = verify->nlba < PYN_NODES_MOST_LBAS ? verify->nlba : PYN_NODES_MOST_LBAS;
	verify->shared = pyn_shared_map(sizeof(*verify->shared), err);
	if (verify->shared)
		verify->stripes = pyn_shared_map(PYN_STRIPES * sizeof(*verify->stripes), err);
	verify->common = verify->shared;
	if (!verify->stripes)
		return -ENOMEM;
	return flat ? map_flat(verify, err) : map_large(verify, err);
}

static void destroy(struct pyn_verify *verify)
{
	pyn_verify_put(verify->metadata);
	pyn_keys_free(verify->keys);
	pyn_verify_files_free(verify->files);
	pyn_dense_unmap(&verify->dense);
	pyn_nodes_unmap(&verify->nodes);
	pyn_shared_unmap((void *)verify->touched, verify->touched_size);
	pyn_shared_unmap((void *)verify->cells, verify->cells_size);
	pyn_shared_unmap(verify->stripes, PYN_STRIPES * sizeof(*verify->stripes));
	pyn_shared_unmap(verify->shared, sizeof(*verify->shared));
	free(verify);
}

struct pyn_verify *pyn_verify_create(uint32_t nsid, uint64_t nlba, uint32_t lba_size, struct pyn_error *err)
{
	return pyn_verify_create_as(nsid, nlba, lba_size, nlba <= PYN_VERIFY_FLAT_MOST, err);
}

struct pyn_verify *pyn_verify_create_as(uint32_t nsid, uint64_t nlba, uint32_t lba_size, bool flat,
					struct pyn_error *err)
{
	struct pyn_verify *verify = calloc(1, sizeof(*verify));

	if (!verify) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the verification of namespace %u", nsid);
		return NULL;
	}
	pyn_the_process = (uint32_t)getpid(); /* this may be a fork of a process that created a table */
	verify->process = pyn_process_number();
	verify->nsid = nsid;
	verify->nlba = nlba;
	verify->lba_size = lba_size;
	verify->zero_crc = crc_of_zeros(lba_size);
	verify->files = pyn_verify_files_create(nlba);
	if (!verify->files)
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the verification of namespace %u", nsid);
	if (!verify->files || map(verify, flat, err)) {
		destroy(verify);
		return NULL;
	}
	atomic_init(&verify->references, 1);
	atomic_store(&verify->shared->epoch, 1);
	atomic_store(&verify->shared->noted, verify->past);
	atomic_store(&verify->shared->limit, verify->past);
	for (unsigned i = 0; i < PYN_VERIFY_RANGES; i++)
		atomic_store(&verify->shared->ranges[i].from, PYN_VERIFY_FREE_RANGE);
	atomic_store(&verify->shared->durable_since, UINT64_MAX); /* until the drive reports that it has no cache */
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

int pyn_verify_set_keys(struct pyn_verify *verify, struct pyn_error *err)
{
	if (!verify->keys)
		verify->keys = pyn_keys_create(err);
	return verify->keys ? 0 : -ENOMEM;
}

bool pyn_verify_has_keys(const struct pyn_verify *verify)
{
	return verify->keys;
}

int pyn_verify_set_layout(struct pyn_verify *verify, const struct pyn_layout *layout, struct pyn_error *err)
{
	struct pyn_verify *before = verify->metadata, *table = NULL;
	uint32_t bytes = layout->protection.ms;

	verify->layout = *layout;

	if (bytes == (before ? before->lba_size : 0))
		return 0;
	if (bytes)
		table = pyn_verify_create(verify->nsid, verify->nlba, bytes, err);
	if (bytes && !table)
		return -ENOMEM;
	if (table)
		table->common = verify->shared;
	verify->metadata = table;
	pyn_verify_put(before);
	return 0;
}

const struct pyn_layout *pyn_verify_layout(const struct pyn_verify *verify)
{
	return &verify->layout;
}

struct pyn_verify *pyn_verify_metadata(const struct pyn_verify *verify)
{
	pyn_verify_get(verify->metadata);
	return verify->metadata;
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

void pyn_verify_set_dlfeat(struct pyn_verify *verify, bool zeros)
{
	atomic_store(&verify->shared->dlfeat_zeros, zeros);
}

void pyn_verify_set_zone_size(struct pyn_verify *verify, uint64_t lbas)
{
	atomic_store(&verify->shared->zone, lbas);
}

uint64_t pyn_verify_zone_size(const struct pyn_verify *verify)
{
	return atomic_load_explicit(&verify->shared->zone, memory_order_relaxed);
}

void pyn_verify_set_durable_since(struct pyn_verify *verify, uint64_t ticks)
{
	atomic_store(&verify->shared->durable_since, ticks);
}

void pyn_verify_set_several(struct pyn_verify *verify, bool several)
{
	atomic_store(&verify->shared->several, several);
}

uint64_t pyn_verify_durable_since(const struct pyn_verify *verify)
{
	return atomic_load_explicit(&verify->shared->durable_since, memory_order_relaxed);
}

/* ---- writes ---- */

void pyn_verify_stamp(const struct pyn_verify *verify, void *data, uint64_t slba, uint32_t nlb, uint64_t token)
{
	uint8_t *lba = data;
	size_t size = verify->lba_size;

	for (uint64_t past = slba + nlb; slba != past; slba++, token++, lba += size) {
		memcpy(lba, &slba, sizeof(slba));
		memcpy(lba + size - sizeof(token), &token, sizeof(token));
	}
}

/* Returns the next value of cell i of a range. */
typedef uint64_t next_cell(const void *user, uint64_t i, uint64_t old);

static inline __attribute__((always_inline)) void change_span(struct pyn_span span, uint64_t i, uint64_t count,
							      next_cell *next, const void *user)
{
	for (_Atomic uint64_t *cell = span.cells, *end = cell + count; cell < end; cell++, i++)
		pyn_cell_store(cell, next(user, i, pyn_cell_load(cell)));
}

static inline __attribute__((always_inline)) void change_flat(struct pyn_verify *verify, uint64_t slba, uint64_t past,
							      bool make, next_cell *next, const void *user)
{
	for (uint64_t lba = slba, end; lba < past; lba = end) {
		struct pyn_stripe *stripe = &verify->stripes[pyn_nodes_stripe(lba >> PYN_BLOCK_SHIFT)];

		end = pyn_block_past(lba, past);
		pyn_stripe_lock(verify, stripe, lba >> PYN_BLOCK_SHIFT);
		if (make)
			pyn_cells_touch(verify, lba);
		change_span((struct pyn_span){&verify->cells[lba], end}, lba - slba, end - lba, next, user);
		pyn_stripe_unlock(stripe);
	}
}

/* Change cells of one block that has not moved. */
static inline __attribute__((always_inline)) void change_nodes(struct pyn_verify *verify, uint64_t lba, uint64_t past,
							       uint64_t i, next_cell *next, const void *user)
{
	for (struct pyn_span span; lba < past; i += span.past - lba, lba = span.past) {
		span = pyn_nodes_span(&verify->nodes, lba, past);
		if (span.cells)
			change_span(span, i, span.past - lba, next, user);
	}
}

static inline __attribute__((always_inline)) void
change_large(struct pyn_verify *verify, uint64_t slba, uint64_t past, bool make, next_cell *next, const void *user)
{
	for (uint64_t lba = slba, end; lba < past; lba = end) {
		uint64_t block = lba >> PYN_BLOCK_SHIFT;
		struct pyn_stripe *stripe = pyn_stripe_of(verify, block);
		unsigned todo = 0;

		end = pyn_block_past(lba, past);
		pyn_stripe_lock(verify, stripe, block);
		if (pyn_dense_has(&verify->dense, block) || (make && pyn_dense_make(verify, lba, end, &todo)))
			change_span((struct pyn_span){&verify->dense.cells[lba], end}, lba - slba, end - lba, next,
				    user);
		else
			change_nodes(verify, lba, end, lba - slba, next, user);
		pyn_stripe_unlock(stripe);
		if (todo)
			pyn_dense_settle(verify, block, todo);
	}
}

/* Change the cells of a range. make: create cells for all its LBAs; otherwise change only existing ones. */
static inline __attribute__((always_inline)) void change_cells(struct pyn_verify *verify, uint64_t slba, uint64_t nlb,
							       bool make, next_cell *next, const void *user)
{
	uint64_t past = slba + pyn_verify_clip(verify->past, slba, nlb);

	if (pyn_verify_is_flat(verify))
		change_flat(verify, slba, past, make, next, user);
	else
		change_large(verify, slba, past, make, next, user);
}

struct stamped {
	const uint32_t *crc;
	uint64_t token;
};

static inline uint64_t begin_stamped(const void *user, uint64_t i, uint64_t old)
{
	const struct stamped *stamped = user;

	return begun(old, pyn_cell_make(PYN_CELL_DATA, stamped->crc[i], pyn_token_hash(stamped->token + i)));
}

void pyn_verify_write_begin_crc(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint32_t *crc,
				uint64_t token)
{
	const struct stamped stamped = {crc, token};

	if (pyn_verify_is_flat(verify))
		change_flat(verify, slba, slba + nlb, true, begin_stamped, &stamped);
	else
		change_large(verify, slba, slba + nlb, true, begin_stamped, &stamped);
}

/*
 * Data without a token can return: zeros, then other data, then zeros again, all during one read, must not look like
 * "no change". So such cells hold the number of the change instead of the hash of a token.
 */
static uint64_t next_change(struct pyn_verify *verify)
{
	return atomic_fetch_add_explicit(&verify->shared->changes, 1, memory_order_relaxed) & PYN_CELL_HASH;
}

struct raw {
	const uint32_t *crc;
	uint64_t change;
};

static inline uint64_t begin_raw(const void *user, uint64_t i, uint64_t old)
{
	const struct raw *raw = user;

	return begun(old, pyn_cell_make(PYN_CELL_RAW, raw->crc[i], raw->change));
}

void pyn_verify_write_begin(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data, bool stamped,
			    uint64_t token)
{
	const uint8_t *lba = data;
	uint64_t count = pyn_verify_clip(verify->past, slba, nlb);
	uint64_t change = stamped ? 0 : next_change(verify);

	for (uint64_t done = 0; done < count; done += PYN_VERIFY_BATCH) {
		uint32_t crc[PYN_VERIFY_BATCH];
		uint32_t batch = count - done < PYN_VERIFY_BATCH ? (uint32_t)(count - done) : PYN_VERIFY_BATCH;
		const struct raw raw = {crc, change};

		pyn_crc32c_blocks(lba + done * verify->lba_size, verify->lba_size, batch, crc);
		if (stamped)
			pyn_verify_write_begin_crc(verify, slba + done, batch, crc, token + done);
		else
			change_cells(verify, slba + done, batch, true, begin_raw, &raw);
	}
}

/* The value of a cell after a deallocation. It keeps what is known of the old data, since a read may still return
 * them. */
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

struct change {
	const struct pyn_verify *verify;
	uint64_t cell, number;
};

static inline uint64_t begin_change(const void *user, uint64_t i, uint64_t old)
{
	(void)i;
	return begun(old, ((const struct change *)user)->cell);
}

static inline uint64_t begin_deallocation(const void *user, uint64_t i, uint64_t old)
{
	const struct change *change = user;

	(void)i;
	return begun(old, deallocated(change->verify, old, change->number));
}

void pyn_verify_change_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_cell_state state)
{
	uint64_t number = next_change(verify);
	uint64_t cell = pyn_cell_make(state, state == PYN_CELL_ZEROES ? verify->zero_crc : 0, number);
	const struct change change = {verify, cell, number};

	if (state == PYN_CELL_UNCORRECTABLE)
		atomic_store_explicit(&verify->shared->has_uncorrectable, 1, memory_order_relaxed);
	if (state == PYN_CELL_DEALLOCATED)
		change_cells(verify, slba, nlb, true, begin_deallocation, &change);
	else
		change_cells(verify, slba, nlb, true, begin_change, &change);
}

struct end {
	bool known;
	uint64_t epoch;
};

static inline uint64_t end_one(const void *user, uint64_t i, uint64_t old)
{
	const struct end *end = user;

	(void)i;
	return ended(old, end->known, end->epoch);
}

/* The epoch of cells that change now and need a flush. */
static inline uint64_t current_epoch(struct pyn_verify *verify)
{
	struct pyn_verify_shared *shared = verify->common;
	uint64_t epoch = (atomic_load_explicit(&shared->epoch, memory_order_acquire) - 1) % EPOCHS + 1;

	if (!atomic_load_explicit(&shared->dirty, memory_order_relaxed))
		atomic_store_explicit(&shared->dirty, 1, memory_order_release);
	return epoch;
}

void pyn_verify_write_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome)
{
	struct end end = {.known = outcome != PYN_WRITE_FAILED};

	if (outcome == PYN_WRITE_DONE)
		end.epoch = current_epoch(verify);
	change_cells(verify, slba, nlb, false, end_one, &end);
}

struct seen {
	uint32_t zero_crc;
	uint64_t epoch; /* 0: what is durable stays durable */
	const uint64_t *snapshot;
};

/* The value of a cell whose LBA was read as zeros: that of the snapshot, if the cell has not changed since the
 * read. */
static inline uint64_t seen_as_zeros(const void *user, uint64_t i, uint64_t cell)
{
	const uint64_t same = ~(PYN_CELL_STATE << PYN_CELL_STATE_SHIFT | PYN_CELL_CRC);
	const struct seen *seen = user;
	uint64_t snapshot = seen->snapshot[i];

	if (pyn_cell_state_of(snapshot) != PYN_CELL_ZEROES || pyn_cell_state_of(cell) != PYN_CELL_DEALLOCATED ||
	    (cell ^ snapshot) & same)
		return cell;
	snapshot = (snapshot & ~PYN_CELL_CRC) | seen->zero_crc;
	if (seen->epoch)
		snapshot = (snapshot & ~(PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT)) | seen->epoch
											    << PYN_CELL_EPOCH_SHIFT;
	return snapshot;
}

void pyn_verify_note_zeros(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint64_t *snapshot)
{
	/* The deallocation may have come after the last flush, which then does not cover it. */
	bool needs_flush = pyn_verify_durable_since(verify) == UINT64_MAX;
	const struct seen seen = {verify->zero_crc, needs_flush ? current_epoch(verify) : 0, snapshot};

	change_cells(verify, slba, nlb, false, seen_as_zeros, &seen);
}

static _Atomic uint32_t *disturbances_of(const struct pyn_verify *verify, uint64_t zone)
{
	return &verify->shared->zone_disturbances[zone % PYN_VERIFY_ZONES];
}

/* Count a disturbance before changing the cells: a concurrent note then finds the count, or the unchanged cells. */
static void count_disturbance(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	uint64_t size = pyn_verify_zone_size(verify);

	if (size && nlb && slba / size == (slba + (nlb - 1)) / size && slba + (nlb - 1) >= slba)
		atomic_fetch_add(disturbances_of(verify, slba / size), 1);
	else
		atomic_fetch_add(&verify->shared->disturbances, 1);
}

void pyn_verify_change_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome)
{
	count_disturbance(verify, slba, nlb);
	pyn_verify_write_end(verify, slba, nlb, outcome);
}

void pyn_verify_write_lost(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	count_disturbance(verify, slba, nlb);
	pyn_cells_each(verify, slba, nlb, pyn_cell_lose_count);
}

/* Forget a cell, but keep its writes in flight: the end of one must not count as that of another that begins
 * later. */
static uint64_t forget(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT)
		return cell;
	return cell & PYN_CELL_BUSY ? pyn_cell_make(PYN_CELL_CONFLICT, 1, 0) : 0;
}

void pyn_verify_forget(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	count_disturbance(verify, slba, nlb);
	pyn_cells_each(verify, slba, nlb, forget);
	if (verify->metadata)
		pyn_cells_each(verify->metadata, slba, nlb, forget);
	pyn_verify_intend(verify->files, slba, nlb);
}

void pyn_verify_will_change(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	pyn_verify_intend(verify->files, slba, nlb);
}

void pyn_verify_writer_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	pyn_verify_region_begin(verify->files, slba, nlb);
}

void pyn_verify_writer_end(struct pyn_verify *verify)
{
	pyn_verify_region_end(verify->files);
}

/* ---- zones ---- */

static uint64_t vacate(const struct pyn_verify *verify, uint64_t cell)
{
	return cell & PYN_CELL_BUSY ? cell : forget(verify, cell);
}

void pyn_verify_vacate(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	pyn_cells_each(verify, slba, nlb, vacate);
	if (verify->metadata)
		pyn_cells_each(verify->metadata, slba, nlb, vacate);
}

static uint64_t vacate_zeros(const struct pyn_verify *verify, uint64_t cell)
{
	return pyn_cell_state_of(cell) == PYN_CELL_ZEROES ? vacate(verify, cell) : cell;
}

void pyn_verify_vacate_unwritten(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	if (atomic_load(&verify->shared->has_unwritten))
		pyn_cells_each(verify, slba, nlb, vacate_zeros);
}

enum pyn_cell_state pyn_verify_unwritten(struct pyn_verify *verify)
{
	if (!atomic_load(&verify->shared->dlfeat_zeros))
		return PYN_CELL_UNKNOWN;
	atomic_store(&verify->shared->has_unwritten, 1);
	return PYN_CELL_ZEROES;
}

uint32_t pyn_verify_disturbances(const struct pyn_verify *verify, uint64_t lba)
{
	uint64_t size = pyn_verify_zone_size(verify);

	return atomic_load(&verify->shared->disturbances) +
	       (size ? atomic_load(disturbances_of(verify, lba / size)) : 0);
}

bool pyn_verify_is_undisturbed(const struct pyn_verify *verify, uint64_t lba, uint32_t since)
{
	/* A process that counts a disturbance from now on sees the cells that were begun. */
	atomic_thread_fence(memory_order_seq_cst);
	return pyn_verify_disturbances(verify, lba) == since;
}

/* ---- flush and power ---- */

static bool is_durable(const struct pyn_verify *verify, uint64_t cell)
{
	uint64_t epoch = cell >> PYN_CELL_EPOCH_SHIFT & PYN_CELL_EPOCH;
	uint64_t now = atomic_load(&verify->common->epoch);
	uint64_t durable = atomic_load(&verify->common->durable);

	if (epoch == 0)
		return true;
	/* Fewer than EPOCHS epochs ago, because sweeps come in between. */
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

uint64_t pyn_verify_saved_cell(const struct pyn_verify *verify, uint64_t cell)
{
	enum pyn_cell_state state = pyn_cell_state_of(cell);

	if (cell & PYN_CELL_BUSY || state == PYN_CELL_NEVER || state >= PYN_CELL_UNKNOWN)
		return 0;
	return (cell & ~(PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT)) |
	       (is_durable(verify, cell) ? 0 : UINT64_C(1) << PYN_CELL_EPOCH_SHIFT);
}

struct restored {
	const struct pyn_verify *verify;
	const uint64_t *cells;
	uint64_t epoch;
};

/* What is known already is newer than what was saved. */
static inline uint64_t restore_one(const void *user, uint64_t i, uint64_t old)
{
	const struct restored *restored = user;
	uint64_t cell = restored->cells[i], known = cell & ~(PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT);

	if (old)
		return old;
	if (pyn_cell_state_of(cell) == PYN_CELL_DEALLOCATED &&
	    !atomic_load_explicit(&restored->verify->shared->dlfeat_zeros, memory_order_relaxed))
		return 0;
	return cell == known ? known : known | restored->epoch << PYN_CELL_EPOCH_SHIFT;
}

void pyn_verify_restore(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint64_t *cells)
{
	const struct restored restored = {verify, cells, current_epoch(verify)};

	for (uint32_t i = 0; i < nlb; i++)
		if (pyn_cell_state_of(cells[i]) == PYN_CELL_UNCORRECTABLE)
			atomic_store_explicit(&verify->shared->has_uncorrectable, 1, memory_order_relaxed);
	change_cells(verify, slba, nlb, true, restore_one, &restored);
}

/* Change each known cell, of data and metadata. */
static void change_all(struct pyn_verify *verify, pyn_cell_change *change)
{
	pyn_cells_each(verify, 0, verify->nlba, change);
	if (verify->metadata)
		pyn_cells_each(verify->metadata, 0, verify->nlba, change);
}

uint64_t pyn_verify_flush_begin(struct pyn_verify *verify)
{
	struct pyn_verify_shared *shared = verify->shared;

	if (atomic_load(&shared->several))
		return 0;
	/* A flush covers writes that completed before its submission; later ones get the next epoch. */
	if (!atomic_exchange(&shared->dirty, 0))
		return atomic_load(&shared->epoch) - 1;
	return atomic_fetch_add(&shared->epoch, 1);
}

void pyn_verify_flush_end(struct pyn_verify *verify, uint64_t epoch)
{
	struct pyn_verify_shared *shared = verify->shared;
	uint64_t durable = atomic_load(&shared->durable);
	uint64_t swept = atomic_load(&shared->swept);

	if (atomic_load(&shared->several))
		return;
	while (durable < epoch && !atomic_compare_exchange_weak(&shared->durable, &durable, epoch))
		;
	if (epoch > swept && epoch - swept >= SWEEP_EVERY &&
	    atomic_compare_exchange_strong(&shared->swept, &swept, epoch))
		change_all(verify, make_durable);
}

bool pyn_token_was_given_out(uint64_t token)
{
	uint64_t newest = atomic_load_explicit(the_token, memory_order_relaxed);

	return token - the_first_token < newest - the_first_token;
}

void pyn_verify_power_lost(struct pyn_verify *verify)
{
	pyn_verify_files_lost(verify->files);
	change_all(verify, lose);
}

/* ---- counts ---- */

/* Usually only one of the counts is not 0. */
static void add(_Atomic uint64_t *sum, uint64_t count)
{
	if (count)
		atomic_fetch_add_explicit(sum, count, memory_order_relaxed);
}

void pyn_verify_count(struct pyn_verify *verify, const struct pyn_verify_counts *counts)
{
	add(&verify->shared->checked, counts->checked);
	add(&verify->shared->unverified, counts->unverified);
	add(&verify->shared->mismatch, counts->mismatch);
}

void pyn_verify_get_counts(const struct pyn_verify *verify, struct pyn_verify_counts *counts)
{
	counts->checked = atomic_load_explicit(&verify->shared->checked, memory_order_relaxed);
	counts->unverified = atomic_load_explicit(&verify->shared->unverified, memory_order_relaxed);
	counts->mismatch = atomic_load_explicit(&verify->shared->mismatch, memory_order_relaxed);
}
