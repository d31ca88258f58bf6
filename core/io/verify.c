/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/verify_table.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/env/env.h"

#define EPOCHS PYN_CELL_EPOCH    /* epochs 1 … EPOCHS go round; 0 is durable */
#define SWEEP_EVERY (EPOCHS / 2) /* flushes between two sweeps, so that no epoch in a cell is ever ambiguous */

#define NEVER_ENDS (UINT64_C(1) << 30) /* in the count of a CONFLICT: one of its writes has nobody to end it */

#define SPINS_BEFORE_YIELD 100u
#define SPINS_BEFORE_DOUBT 10000u /* whether who has a lock is still alive */

static uint32_t the_process;        /* who this is, in locks */
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

/* -- changing them -------------------------------------------------------------------------------------------- */

/*
 * Cells are changed under the lock of their group, one atomic instruction for eight LBAs, and are read without it:
 * each is stored in one piece. A process may be killed while it holds a lock; whoever waits for it then takes the
 * lock over, and the cells of that group are never judged again.
 */

static uint64_t lose_count(uint64_t cell)
{
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT)
		return (cell & PYN_CELL_CRC) < NEVER_ENDS ? cell + NEVER_ENDS : cell;
	return cell & PYN_CELL_BUSY ? pyn_cell_make(PYN_CELL_CONFLICT, NEVER_ENDS + 1, 0)
				    : pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
}

static inline uint64_t cell_load(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

static inline void cell_store(_Atomic uint64_t *cell, uint64_t value)
{
	atomic_store_explicit(cell, value, memory_order_relaxed);
}

/* Ended, and perhaps not yet reaped. Without /proc a process that was not reaped is taken for a living one. */
static bool has_died(uint32_t process)
{
	char path[32], text[256], *end;
	ssize_t length = 0;

	if (kill((pid_t)process, 0) < 0 && errno == ESRCH)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/stat", process);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	/* The state follows the name, which may hold anything but this. */
	end = strrchr(text, ')');
	return end && (end[2] == 'Z' || end[2] == 'X');
}

/* Somebody else has it: for some 100 ns, or until the kernel lets him go on, or for ever. */
static __attribute__((noinline)) void wait_for_lock(struct pyn_verify *verify, uint64_t group)
{
	_Atomic uint32_t *lock = &verify->locks[group];

	for (unsigned turn = 1;; turn++) {
		uint32_t owner = 0;

		if (atomic_compare_exchange_strong_explicit(lock, &owner, the_process, memory_order_acquire,
							    memory_order_relaxed))
			return;
		if (turn % SPINS_BEFORE_YIELD == 0)
			sched_yield();
		if (turn % SPINS_BEFORE_DOUBT || !has_died(owner) ||
		    !atomic_compare_exchange_strong_explicit(lock, &owner, the_process, memory_order_acquire,
							     memory_order_relaxed))
			continue;
		uint64_t lba = group << PYN_VERIFY_GROUP_SHIFT, past = lba + (1u << PYN_VERIFY_GROUP_SHIFT);

		for (; lba < past && lba < verify->nlba; lba++)
			cell_store(&verify->cells[lba], lose_count(cell_load(&verify->cells[lba])));
		return;
	}
}

static inline void lock_group(struct pyn_verify *verify, uint64_t lba)
{
	uint32_t nobody = 0;

	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(&verify->locks[lba >> PYN_VERIFY_GROUP_SHIFT],
								      &nobody, the_process, memory_order_acquire,
								      memory_order_relaxed),
			     0))
		wait_for_lock(verify, lba >> PYN_VERIFY_GROUP_SHIFT);
}

/* What was stored in the cells is seen before this. */
static inline void unlock_group(struct pyn_verify *verify, uint64_t lba)
{
	atomic_store_explicit(&verify->locks[lba >> PYN_VERIFY_GROUP_SHIFT], 0, memory_order_release);
}

/* The part of a range that lies in the group of its first LBA. */
static inline uint64_t group_past(uint64_t lba, uint64_t past)
{
	uint64_t next = (lba | ((1u << PYN_VERIFY_GROUP_SHIFT) - 1)) + 1;

	return next < past ? next : past;
}

/* One more write is in flight for each of these LBAs; cells: what they will hold. */
static void begin_cells(struct pyn_verify *verify, uint64_t slba, uint32_t count, const uint64_t *cells)
{
	for (uint64_t lba = slba, past = slba + count; lba < past;) {
		uint64_t first = lba, end = group_past(lba, past);

		lock_group(verify, first);
		for (; lba < end; lba++)
			cell_store(&verify->cells[lba], begun(cell_load(&verify->cells[lba]), *cells++));
		unlock_group(verify, first);
	}
}

static bool says_something(const struct pyn_verify *verify, uint64_t lba, uint64_t past)
{
	uint64_t any = 0;

	for (; lba < past; lba++)
		any |= cell_load(&verify->cells[lba]);
	return any;
}

/* Change each cell of a range that says something. What was never touched is not touched now. */
static void for_each_cell(struct pyn_verify *verify, uint64_t slba, uint64_t nlb,
			  uint64_t (*change)(const struct pyn_verify *, uint64_t cell))
{
	uint64_t past = slba + pyn_verify_clip(verify, slba, nlb), end;

	for (uint64_t lba = slba; lba < past; lba = end) {
		if (!pyn_verify_is_touched(verify, lba)) {
			end = ((lba >> PYN_VERIFY_CHUNK_SHIFT) + 1) << PYN_VERIFY_CHUNK_SHIFT;
			continue;
		}
		end = group_past(lba, past);
		if (!says_something(verify, lba, end))
			continue;
		lock_group(verify, lba);
		for (uint64_t i = lba; i < end; i++) {
			uint64_t old = cell_load(&verify->cells[i]);

			if (old)
				cell_store(&verify->cells[i], change(verify, old));
		}
		unlock_group(verify, lba);
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
	verify->locks_size = ((verify->nlba >> PYN_VERIFY_GROUP_SHIFT) + 1) * sizeof(uint32_t);
	verify->touched_size = (verify->nlba >> PYN_VERIFY_CHUNK_SHIFT) + 1;
	verify->shared = pyn_shared_map(sizeof(*verify->shared), err);
	if (verify->shared)
		verify->cells = pyn_shared_map(verify->cells_size, err);
	if (verify->cells)
		verify->locks = pyn_shared_map(verify->locks_size, err);
	if (verify->locks)
		verify->touched = pyn_shared_map(verify->touched_size, err);
	return verify->touched ? 0 : -ENOMEM;
}

static void destroy(struct pyn_verify *verify)
{
	pyn_shared_unmap((void *)verify->touched, verify->touched_size);
	pyn_shared_unmap((void *)verify->locks, verify->locks_size);
	pyn_shared_unmap((void *)verify->cells, verify->cells_size);
	pyn_shared_unmap(verify->shared, sizeof(*verify->shared));
	free(verify);
}

void pyn_verify_forked(void)
{
	the_process = (uint32_t)getpid();
}

struct pyn_verify *pyn_verify_create(uint32_t nsid, uint64_t nlba, uint32_t lba_size, struct pyn_error *err)
{
	struct pyn_verify *verify = calloc(1, sizeof(*verify));

	if (!verify) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the verification of namespace %u", nsid);
		return NULL;
	}
	the_process = (uint32_t)getpid(); /* this may be a fork of who made another one */
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
	atomic_store(&verify->shared->durable_since, UINT64_MAX); /* until the drive says that it has no cache */
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

uint64_t pyn_verify_durable_since(const struct pyn_verify *verify)
{
	return atomic_load_explicit(&verify->shared->durable_since, memory_order_relaxed);
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
	for (uint64_t lba = slba, past = slba + count; lba < past;) {
		_Atomic uint64_t *cell = &verify->cells[lba], *end = &verify->cells[group_past(lba, past)];

		lock_group(verify, lba);
		for (; cell < end; cell++)
			cell_store(cell, begun(cell_load(cell),
					       pyn_cell_make(PYN_CELL_DATA, *crc++, pyn_token_hash(token++))));
		unlock_group(verify, lba);
		lba = group_past(lba, past);
	}
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

		uint64_t cells[PYN_VERIFY_BATCH];

		pyn_crc32c_blocks(lba + done * verify->lba_size, verify->lba_size, batch, crc);
		for (uint32_t i = 0; i < batch; i++)
			cells[i] = stamped ? pyn_cell_make(PYN_CELL_DATA, crc[i], pyn_token_hash(token + done + i))
					   : pyn_cell_make(PYN_CELL_RAW, crc[i], change);
		begin_cells(verify, slba + done, batch, cells);
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
	for (uint64_t lba = slba, past = slba + count; lba < past;) {
		uint64_t first = lba, end = group_past(lba, past);

		lock_group(verify, first);
		for (; lba < end; lba++) {
			uint64_t old = cell_load(&verify->cells[lba]);

			if (state == PYN_CELL_DEALLOCATED)
				cell = deallocated(verify, old, change);
			cell_store(&verify->cells[lba], begun(old, cell));
		}
		unlock_group(verify, first);
	}
}

void pyn_verify_write_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome)
{
	struct pyn_verify_shared *shared = verify->shared;
	uint64_t count = pyn_verify_clip(verify, slba, nlb);
	uint64_t epoch = 0;

	if (outcome == PYN_WRITE_DONE) {
		epoch = (atomic_load_explicit(&shared->epoch, memory_order_acquire) - 1) % EPOCHS + 1;
		if (!atomic_load_explicit(&shared->dirty, memory_order_relaxed))
			atomic_store_explicit(&shared->dirty, 1, memory_order_release);
	}
	for (uint64_t lba = slba, past = slba + count; lba < past;) {
		_Atomic uint64_t *cell = &verify->cells[lba], *end = &verify->cells[group_past(lba, past)];

		lock_group(verify, lba);
		for (; cell < end; cell++)
			cell_store(cell, ended(cell_load(cell), outcome != PYN_WRITE_FAILED, epoch));
		unlock_group(verify, lba);
		lba = group_past(lba, past);
	}
}

/* What a cell becomes whose LBA held zeros when it was read: snapshot, where it is still as it was then. */
static uint64_t seen_as_zeros(const struct pyn_verify *verify, uint64_t cell, uint64_t snapshot)
{
	const uint64_t same = ~(PYN_CELL_STATE << PYN_CELL_STATE_SHIFT | PYN_CELL_CRC);

	if (pyn_cell_state_of(cell) != PYN_CELL_DEALLOCATED || (cell ^ snapshot) & same)
		return cell;
	return (snapshot & ~PYN_CELL_CRC) | verify->zero_crc;
}

void pyn_verify_observe_zeros(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint64_t *snapshot)
{
	uint64_t count = pyn_verify_clip(verify, slba, nlb);

	for (uint64_t i = 0; i < count; i++) {
		_Atomic uint64_t *cell = &verify->cells[slba + i];

		if (pyn_cell_state_of(snapshot[i]) != PYN_CELL_ZEROES)
			continue;
		lock_group(verify, slba + i);
		cell_store(cell, seen_as_zeros(verify, cell_load(cell), snapshot[i]));
		unlock_group(verify, slba + i);
	}
}

/* Before the cells are changed: who notes a change finds it counted, or the cells as they were. */
static void hit(struct pyn_verify *verify)
{
	atomic_fetch_add(&verify->shared->hits, 1);
}

void pyn_verify_change_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, enum pyn_write_outcome outcome)
{
	hit(verify);
	pyn_verify_write_end(verify, slba, nlb, outcome);
}

static uint64_t write_lost(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	return lose_count(cell);
}

void pyn_verify_write_lost(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	hit(verify);
	for_each_cell(verify, slba, nlb, write_lost);
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
	hit(verify);
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

uint32_t pyn_verify_calm_begin(const struct pyn_verify *verify)
{
	return atomic_load(&verify->shared->hits);
}

bool pyn_verify_calm_end(const struct pyn_verify *verify, uint32_t since)
{
	/* The cells that were begun are seen by whoever counts from now on. */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&verify->shared->hits) == since;
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
