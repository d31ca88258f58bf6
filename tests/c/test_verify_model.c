/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verification against a model that is too simple to be wrong: commands of several writers and readers begin, are
 * executed by a device LBA by LBA, and end, in any order. What the device returns is right, so nothing may be found;
 * where it is made wrong, exactly what can be judged must be found. And once more with threads that really race.
 */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <pthread.h>
#include <stdatomic.h>

#include "core/util/crc32c.h"
#include "core/util/random.h"
#include "core/verify/verify_table.h"
#include "tests/c/tables.h"

#define LBA 512u
#define NLBA 16u
#define ACTORS 7u
#define LARGEST 4u            /* LBAs of a command */
#define FIRST (PYN_BLOCK - 6) /* in the table: they lie in two blocks */
#define AT(lba) (FIRST + (lba))
#define STEPS 60000u
#define SEEDS 40u

#define NOISE 100000u /* LBAs of the table that the model does not look at */

enum kind { IDLE, WRITE, RAW_WRITE, ZEROES, UNCORRECTABLE, DEALLOCATE, READ, FLUSH, KINDS };

/* What the device holds. */
struct block {
	uint8_t data[LBA];
	bool bad; /* uncorrectable */
};

static struct block the_cache[NLBA], the_media[NLBA]; /* what is read, and what a power loss leaves */

/* What the model knows of an LBA. */
struct knowledge {
	bool known, durable, bad;
	bool conflict;           /* of the writes in flight: it will be unknown when they have ended */
	bool lost;               /* a write whose process died is counted and will never end */
	struct block one, other; /* what it may hold; other: after a deallocation */
	unsigned in_flight;
	uint64_t version; /* grows with each change */
};

static struct knowledge the_lbas[NLBA];

/* One command: begun, executed for some of its LBAs, ended. */
struct actor {
	enum kind kind;
	uint64_t slba;
	uint32_t nlb;
	bool executed[LARGEST];
	bool fails;
	struct block blocks[LARGEST]; /* what it writes, or has read */
	uint8_t data[LARGEST * LBA];
	uint64_t cells[LARGEST];    /* of a read */
	uint64_t versions[LARGEST]; /* of a read, or of a flush over all LBAs */
	uint64_t flushed[NLBA];
	uint64_t epoch;
};

static struct actor the_actors[ACTORS];
static struct pyn_verify *the_table;
static struct pyn_random the_random;
static enum form the_form; /* MOVED: what the model looks at moves half-way */
static unsigned the_judged, the_planted, the_alarms, the_held, the_steps_with_moved;
static struct pyn_error err;

static uint32_t some(uint32_t below)
{
	return (uint32_t)pyn_random_below(&the_random, below);
}

static bool is_write(const struct actor *actor)
{
	return actor->kind >= WRITE && actor->kind <= DEALLOCATE;
}

/* ---- begin ---- */

static void count_write(struct actor *actor, uint32_t nlb)
{
	for (uint32_t i = 0; i < nlb; i++) {
		struct knowledge *lba = &the_lbas[actor->slba + i];

		lba->version++;
		if (lba->in_flight++)
			lba->conflict = true;
	}
}

static void begin_write(struct actor *actor)
{
	uint64_t token = pyn_token_take(actor->nlb);

	memset(actor->data, actor->kind == ZEROES ? 0 : (int)some(3), sizeof(actor->data));
	switch (actor->kind) {
	case WRITE:
		pyn_verify_stamp(the_table, actor->data, AT(actor->slba), actor->nlb, token);
		pyn_verify_write_begin(the_table, AT(actor->slba), actor->nlb, actor->data, true, token);
		break;
	case RAW_WRITE: /* of few different data, so that they come again */
		pyn_verify_write_begin(the_table, AT(actor->slba), actor->nlb, actor->data, false, 0);
		break;
	case ZEROES:
		pyn_verify_change_begin(the_table, AT(actor->slba), actor->nlb, PYN_CELL_ZEROES);
		break;
	case UNCORRECTABLE:
		pyn_verify_change_begin(the_table, AT(actor->slba), actor->nlb, PYN_CELL_UNCORRECTABLE);
		break;
	default:
		pyn_verify_change_begin(the_table, AT(actor->slba), actor->nlb, PYN_CELL_DEALLOCATED);
		break;
	}
	for (uint32_t i = 0; i < actor->nlb; i++) {
		memcpy(actor->blocks[i].data, actor->data + i * LBA, LBA);
		actor->blocks[i].bad = actor->kind == UNCORRECTABLE;
	}
	count_write(actor, actor->nlb);
}

static void begin(struct actor *actor)
{
	*actor = (struct actor){.kind = (enum kind)(1 + some(KINDS - 1)), .slba = some(NLBA), .fails = some(10) == 0};
	if (some(2))
		actor->kind = READ;
	actor->nlb = 1 + some(LARGEST);
	if (actor->nlb > NLBA - actor->slba)
		actor->nlb = (uint32_t)(NLBA - actor->slba);
	if (actor->kind == READ) {
		pyn_verify_read_begin(the_table, AT(actor->slba), actor->nlb, actor->cells);
		for (uint32_t i = 0; i < actor->nlb; i++)
			actor->versions[i] = the_lbas[actor->slba + i].version;
	} else if (actor->kind == FLUSH) {
		actor->epoch = pyn_verify_flush_begin(the_table);
		for (unsigned i = 0; i < NLBA; i++)
			actor->flushed[i] = the_lbas[i].in_flight ? UINT64_MAX : the_lbas[i].version;
	} else {
		begin_write(actor);
	}
}

/* ---- the device ---- */

static void execute_one(struct actor *actor, uint32_t i)
{
	struct block *block = &the_cache[actor->slba + i];

	actor->executed[i] = true;
	if (actor->kind == READ)
		actor->blocks[i] = *block;
	else if (actor->kind == DEALLOCATE && some(2))
		*block = (struct block){.bad = false}; /* the other half of them: the advice is not taken */
	else if (actor->kind != DEALLOCATE)
		*block = actor->blocks[i];
}

static void execute(struct actor *actor)
{
	if (actor->kind == FLUSH) {
		memcpy(the_media, the_cache, sizeof(the_media));
		actor->executed[0] = true;
	} else if (actor->kind != IDLE)
		execute_one(actor, some(actor->nlb));
}

static bool is_executed(const struct actor *actor)
{
	for (uint32_t i = 0; i < (actor->kind == FLUSH ? 1 : actor->nlb); i++)
		if (!actor->executed[i])
			return false;
	return true;
}

/* ---- end ---- */

/* What an LBA holds after the only write in flight has succeeded. */
static void learn(struct knowledge *lba, const struct actor *actor, uint32_t i)
{
	lba->durable = false;
	if (actor->kind != DEALLOCATE) {
		lba->known = true;
		lba->one = lba->other = actor->blocks[i];
		lba->bad = actor->blocks[i].bad;
		return;
	}
	/* Zeros, or what was there, as far as that was known. Twice deallocated: still the same two. */
	lba->known = lba->known && !lba->bad;
	lba->other = (struct block){.bad = false};
}

static void end_write(struct actor *actor)
{
	pyn_verify_write_end(the_table, AT(actor->slba), actor->nlb,
			     actor->fails ? PYN_WRITE_FAILED : PYN_WRITE_DONE);
	for (uint32_t i = 0; i < actor->nlb; i++) {
		struct knowledge *lba = &the_lbas[actor->slba + i];

		lba->version++;
		lba->in_flight--;
		if (lba->conflict || actor->fails)
			lba->known = false;
		else
			learn(lba, actor, i);
		if (lba->in_flight == 0)
			lba->conflict = false;
	}
}

static void end_flush(struct actor *actor)
{
	if (actor->fails)
		return;
	pyn_verify_flush_end(the_table, actor->epoch);
	for (unsigned i = 0; i < NLBA; i++)
		if (actor->flushed[i] == the_lbas[i].version)
			the_lbas[i].durable = true;
}

static bool is_checkable(const struct actor *actor, uint32_t i)
{
	const struct knowledge *lba = &the_lbas[actor->slba + i];

	return !the_held && lba->known && !lba->in_flight && !lba->lost && lba->version == actor->versions[i];
}

static bool same(const struct block *a, const struct block *b)
{
	return a->bad == b->bad && memcmp(a->data, b->data, LBA) == 0;
}

static void end_read(struct actor *actor)
{
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch mismatch;
	unsigned judgeable = 0, wrong = 0;

	for (uint32_t i = 0; i < actor->nlb; i++) {
		struct knowledge *lba = &the_lbas[actor->slba + i];

		if (some(8) == 0) {
			/* The device errs: old data, another LBA's, a flipped bit, and none that it should have. */
			actor->blocks[i].data[some(LBA)] ^= (uint8_t)(1 + some(255));
			actor->blocks[i].bad = false;
		}
		if (actor->blocks[i].bad)
			return; /* the read fails */
		memcpy(actor->data + i * LBA, actor->blocks[i].data, LBA);
		if (!is_checkable(actor, i))
			continue;
		judgeable++;
		wrong += !same(&actor->blocks[i], &lba->one) && !same(&actor->blocks[i], &lba->other);
	}
	pyn_verify_read_end(the_table, AT(actor->slba), actor->nlb, actor->data, actor->cells, &counts, &mismatch);
	CHECK_EQ(counts.checked, judgeable);
	CHECK_EQ(counts.unverified, actor->nlb - judgeable);
	CHECK_EQ(mismatch.count, wrong);
	the_judged += judgeable;
	the_planted += wrong;
	the_alarms += mismatch.count;
}

static void end(struct actor *actor)
{
	if (is_write(actor))
		end_write(actor);
	else if (actor->kind == FLUSH)
		end_flush(actor);
	else
		end_read(actor);
	actor->kind = IDLE;
}

/* ---- disasters ---- */

/* The process of a writer is killed while it ends its write: for some LBAs it did, for some it did not. */
static void die(struct actor *actor)
{
	uint32_t ended = some(actor->nlb + 1);

	pyn_verify_write_end(the_table, AT(actor->slba), ended, PYN_WRITE_FAILED);
	pyn_verify_write_lost(the_table, AT(actor->slba), actor->nlb);
	for (uint32_t i = 0; i < actor->nlb; i++) {
		struct knowledge *lba = &the_lbas[actor->slba + i];

		lba->version++;
		lba->known = false;
		if (i < ended && --lba->in_flight == 0)
			lba->conflict = false;
		if (lba->in_flight)
			lba->lost = true;
		if (i >= ended)
			lba->in_flight--;
	}
	actor->kind = IDLE;
}

static void forget(void)
{
	uint64_t slba = some(NLBA), nlb = some(NLBA);

	pyn_verify_forget(the_table, AT(slba), nlb);
	for (uint64_t i = slba; i < slba + nlb && i < NLBA; i++) {
		the_lbas[i].version++;
		the_lbas[i].known = false;
		if (the_lbas[i].in_flight)
			the_lbas[i].conflict = true;
	}
}

static void lose_power(void)
{
	for (unsigned i = 0; i < ACTORS; i++) {
		if (is_write(&the_actors[i])) {
			the_actors[i].fails = true;
			end_write(&the_actors[i]);
		}
		the_actors[i].kind = IDLE;
	}
	pyn_verify_power_lost(the_table);
	for (unsigned i = 0; i < NLBA; i++) {
		if (!the_lbas[i].durable) {
			the_lbas[i].known = false;
			the_lbas[i].version++;
		}
		if (some(2))
			the_cache[i] = the_media[i];
	}
	memcpy(the_media, the_cache, sizeof(the_media));
}

static void disaster(void)
{
	struct actor *actor = &the_actors[some(ACTORS)];

	switch (some(8)) {
	case 0:
		lose_power();
		break;
	case 1:
		forget();
		break;
	case 2:
		if (is_write(actor) && is_executed(actor) && some(4) == 0)
			die(actor);
		break;
	default:
		if (the_held) {
			pyn_verify_resume(the_table);
			the_held--;
		} else if (some(4) == 0) {
			pyn_verify_suspend(the_table);
			the_held++;
		}
		break;
	}
}

/* Writes all over the table, of which the model knows nothing: nodes are merged, chains split. */
static void make_noise(struct pyn_random *random)
{
	uint32_t nlb = 1 + (uint32_t)pyn_random_below(random, 40);
	uint64_t slba = AT(NLBA) + pyn_random_below(random, NOISE);

	pyn_verify_change_begin(the_table, slba, nlb, PYN_CELL_ZEROES);
	pyn_verify_write_end(the_table, slba, nlb, PYN_WRITE_DONE);
}

/* Once in a while another whole block of the page is written in which the model's LBAs begin, until all of it moves:
 * in the middle of what the model does. */
static void make_dense(struct pyn_random *random, uint32_t once_in)
{
	const uint64_t first = (AT(NLBA) >> PYN_BLOCK_SHIFT) + 1;
	uint64_t block = first + pyn_random_below(random, PYN_PAGE_BLOCKS - first);

	if (pyn_random_below(random, once_in))
		return;
	pyn_verify_change_begin(the_table, block << PYN_BLOCK_SHIFT, PYN_BLOCK, PYN_CELL_ZEROES);
	pyn_verify_write_end(the_table, block << PYN_BLOCK_SHIFT, PYN_BLOCK, PYN_WRITE_DONE);
}

static bool has_moved(void)
{
	return !pyn_verify_is_flat(the_table) && pyn_dense_has(&the_table->dense, FIRST >> PYN_BLOCK_SHIFT) &&
	       pyn_dense_has(&the_table->dense, AT(NLBA - 1) >> PYN_BLOCK_SHIFT);
}

static void step(void)
{
	struct actor *actor = &the_actors[some(ACTORS)];

	if (some(8) == 0)
		make_noise(&the_random);
	if (the_form == MOVED)
		make_dense(&the_random, STEPS / 40);
	if (some(200) == 0)
		disaster();
	else if (actor->kind == IDLE)
		begin(actor);
	else if (!is_executed(actor))
		execute(actor);
	else
		end(actor);
}

static void run(uint64_t seed)
{
	the_random = pyn_random_stream(seed, 1);
	memset(the_actors, 0, sizeof(the_actors));
	memset(the_lbas, 0, sizeof(the_lbas));
	memset(the_cache, 0, sizeof(the_cache));
	memset(the_media, 0, sizeof(the_media));
	the_held = 0;
	the_form = (enum form)(seed % FORMS);
	the_table = new_table(1, AT(NLBA) + NOISE, LBA, the_form == FLAT ? FLAT : NODES);
	pyn_verify_set_dlfeat(the_table, true);
	for (unsigned i = 0; i < STEPS && the_tests.failures == 0; i++) {
		step();
		the_steps_with_moved += has_moved();
	}
	if (the_tests.failures)
		printf("    with seed %llu\n", (unsigned long long)seed);
	pyn_verify_put(the_table);
}

TEST(any_order_of_commands_gives_no_false_alarm_and_every_error_that_can_be_judged)
{
	pyn_token_start(&err);
	the_judged = the_planted = the_alarms = the_steps_with_moved = 0;
	for (uint64_t seed = 0; seed < SEEDS && the_tests.failures == 0; seed++)
		run(seed);
	CHECK_EQ(the_alarms, the_planted);
	/* It would be easy to raise no alarm by judging nothing. */
	CHECK(the_judged > SEEDS * STEPS / 200);
	CHECK(the_planted > the_judged / 20);
	CHECK(the_steps_with_moved > SEEDS * STEPS / 20);
	CHECK(the_steps_with_moved < SEEDS * STEPS / 3);
}

/* ---- threads ---- */

#define THREADS 4u
#define ROUNDS 6000u
#define TABLES 60u /* in each of which all moves once */

static unsigned the_rounds;

static pthread_mutex_t the_locks[NLBA];
static _Atomic uint64_t the_thread_judged, the_thread_mismatches;

static void transfer(uint8_t *to, const uint8_t *from, uint64_t lba)
{
	pthread_mutex_lock(&the_locks[lba]);
	memcpy(to, from, LBA);
	pthread_mutex_unlock(&the_locks[lba]);
}

static void thread_write(uint64_t slba, uint32_t nlb)
{
	uint8_t data[LARGEST * LBA] = {0};
	uint32_t crc[LARGEST];
	uint64_t token = pyn_token_take(nlb);

	pyn_verify_stamp(the_table, data, AT(slba), nlb, token);
	pyn_crc32c_blocks(data, LBA, nlb, crc);
	pyn_verify_write_begin_crc(the_table, AT(slba), nlb, crc, token);
	for (uint32_t i = 0; i < nlb; i++)
		transfer(the_cache[slba + i].data, data + i * LBA, slba + i);
	pyn_verify_write_end(the_table, AT(slba), nlb, PYN_WRITE_DONE);
}

static void thread_read(uint64_t slba, uint32_t nlb)
{
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch mismatch;
	uint8_t data[LARGEST * LBA];
	uint64_t cells[LARGEST];

	pyn_verify_read_begin(the_table, AT(slba), nlb, cells);
	for (uint32_t i = 0; i < nlb; i++)
		transfer(data + i * LBA, the_cache[slba + i].data, slba + i);
	pyn_verify_read_end(the_table, AT(slba), nlb, data, cells, &counts, &mismatch);
	atomic_fetch_add(&the_thread_judged, counts.checked);
	atomic_fetch_add(&the_thread_mismatches, mismatch.count);
}

static void *race(void *seed)
{
	struct pyn_random random = pyn_random_stream((uint64_t)(uintptr_t)seed, 2);

	for (unsigned round = 0; round < the_rounds; round++) {
		uint32_t nlb = 1 + (uint32_t)pyn_random_below(&random, LARGEST);
		uint64_t slba = pyn_random_below(&random, NLBA - LARGEST);

		if (pyn_random_below(&random, 4) == 0)
			thread_write(slba, nlb);
		else
			thread_read(slba, nlb);
		if (pyn_random_below(&random, 4) == 0)
			make_noise(&random);
		if (the_form == MOVED)
			make_dense(&random, 4);
		if (pyn_random_below(&random, 500) == 0)
			pyn_verify_flush_end(the_table, pyn_verify_flush_begin(the_table));
	}
	return NULL;
}

static void race_in_a_table(enum form form, unsigned rounds)
{
	pthread_t threads[THREADS];

	the_thread_judged = 0;
	the_form = form;
	the_rounds = rounds;
	pyn_token_start(&err);
	the_table = new_table(1, AT(NLBA) + NOISE, LBA, form == FLAT ? FLAT : NODES);
	for (unsigned i = 0; i < NLBA; i++)
		pthread_mutex_init(&the_locks[i], NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, race, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(the_thread_mismatches, 0);
	CHECK(the_thread_judged > rounds);
	CHECK(form != MOVED || has_moved());
	pyn_verify_put(the_table);
}

TEST(threads_that_race_over_few_lbas_give_no_false_alarm)
{
	race_in_a_table(FLAT, ROUNDS);
	race_in_a_table(NODES, ROUNDS);
	for (unsigned i = 0; i < TABLES; i++)
		race_in_a_table(MOVED, ROUNDS / 20);
}
