/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes that write and read the same LBAs through one table, and are killed at any instruction again and again:
 * nothing is ever called wrong, and the table stays whole.
 */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/util/crc32c.h"
#include "core/util/random.h"
#include "core/verify/verify_cells.h"
#include "tests/c/tables.h"

#define LBA 512u
#define PLACES 256u /* LBAs that are written and read, in pieces of PIECE that lie all over the table */
#define PIECE 64u
#define APART UINT64_C(100003)
#define NLBA (UINT64_C(1) << 33)
#define LARGEST 24u
#define PROCESSES 4u
#define KILLS 400u
#define FAR (UINT64_C(1) << 32) /* from here on is written in a row */
#define NEAR_ONCE_IN 60u
#define TABLES 20u /* for all the kills, where each moves what it has once */

enum state { IDLE, MOVING, BEGUN };

/* Of one process, for the one that looks after it. */
struct flight {
	uint64_t lba;
	uint32_t nlb;
	_Atomic uint32_t state;
};

struct drive {
	struct flight flight[PROCESSES];
	_Atomic uint64_t checked, mismatches, rounds;
	_Atomic uint64_t next; /* LBA of the noise that is written in a row */
	uint8_t data[PLACES][LBA];
};

static struct drive *the_drive;
static struct pyn_verify *the_table;
static enum form the_form; /* MOVED: what is written and read moves at some time */
static struct pyn_error err;

static uint64_t lba_of(uint32_t place)
{
	return the_form == FLAT ? place : place / PIECE * APART + 20 + place % PIECE;
}

static void set_state(struct flight *flight, enum state state)
{
	atomic_thread_fence(memory_order_seq_cst);
	atomic_store(&flight->state, state);
}

static void write_lbas(struct flight *flight, uint32_t place, uint32_t nlb)
{
	uint8_t data[LARGEST * LBA] = {0};
	uint32_t crc[LARGEST];
	uint64_t token = pyn_token_take(nlb), lba = lba_of(place);

	pyn_verify_stamp(the_table, data, lba, nlb, token);
	pyn_crc32c_blocks(data, LBA, nlb, crc);
	flight->lba = lba;
	flight->nlb = nlb;
	set_state(flight, MOVING);
	pyn_verify_write_begin_crc(the_table, lba, nlb, crc, token);
	set_state(flight, BEGUN);
	memcpy(the_drive->data[place], data, nlb * LBA);
	atomic_thread_fence(memory_order_seq_cst);
	set_state(flight, MOVING);
	pyn_verify_write_end(the_table, lba, nlb, PYN_WRITE_DONE);
	set_state(flight, IDLE);
}

static void read_lbas(uint32_t place, uint32_t nlb)
{
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch mismatch;
	uint8_t data[LARGEST * LBA];
	uint64_t cells[LARGEST];

	pyn_verify_read_begin(the_table, lba_of(place), nlb, cells);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(data, the_drive->data[place], nlb * LBA);
	atomic_thread_fence(memory_order_seq_cst);
	pyn_verify_read_end(the_table, lba_of(place), nlb, data, cells, &counts, &mismatch);
	atomic_fetch_add(&the_drive->checked, counts.checked);
	atomic_fetch_add(&the_drive->mismatches, mismatch.count);
}

/* A whole block near a piece, but not of it. */
static uint64_t block_near(struct pyn_random *random)
{
	for (;;) {
		uint64_t first = lba_of((uint32_t)pyn_random_below(random, PLACES / PIECE) * PIECE);
		uint64_t page = first & ~(uint64_t)(PYN_BLOCK * PYN_PAGE_BLOCKS - 1);
		uint64_t lba = page + pyn_random_below(random, 2 * PYN_PAGE_BLOCKS) * PYN_BLOCK;

		if (lba + PYN_BLOCK <= first || lba >= first + PIECE)
			return lba;
	}
}

/* Elsewhere, so that nodes are made and merged and buckets split all the time, and blocks move. */
static void make_noise(struct flight *flight, struct pyn_random *random)
{
	flight->lba = (the_form == FLAT ? PLACES : PLACES / PIECE * APART);
	flight->lba += pyn_random_below(random, the_form == NODES ? 1 << 24 : 1 << 20);
	flight->nlb = 1 + (uint32_t)pyn_random_below(random, 8);
	if (the_form == MOVED && pyn_random_below(random, 2)) {
		flight->nlb = 8;
		flight->lba = FAR + atomic_fetch_add(&the_drive->next, flight->nlb);
	} else if (the_form == MOVED && pyn_random_below(random, NEAR_ONCE_IN) == 0) {
		flight->nlb = PYN_BLOCK;
		flight->lba = block_near(random);
	}
	set_state(flight, MOVING);
	pyn_verify_change_begin(the_table, flight->lba, flight->nlb, PYN_CELL_ZEROES);
	set_state(flight, BEGUN);
	set_state(flight, MOVING);
	pyn_verify_write_end(the_table, flight->lba, flight->nlb, PYN_WRITE_DONE);
	set_state(flight, IDLE);
}

static void work(unsigned index, uint64_t seed)
{
	struct pyn_random random = pyn_random_stream(seed, index);
	struct flight *flight = &the_drive->flight[index];

	pyn_verify_forked();
	for (;;) {
		uint32_t nlb = 1 + (uint32_t)pyn_random_below(&random, LARGEST);
		uint32_t place = (uint32_t)(pyn_random_below(&random, PLACES / PIECE) * PIECE +
					    pyn_random_below(&random, PIECE - nlb + 1));

		switch (pyn_random_below(&random, 8)) {
		case 0:
			write_lbas(flight, place, nlb);
			break;
		case 1:
		case 2:
			make_noise(flight, &random);
			break;
		default:
			read_lbas(place, nlb);
			break;
		}
		if (pyn_random_below(&random, 300) == 0)
			pyn_verify_flush_end(the_table, pyn_verify_flush_begin(the_table));
		if (pyn_random_below(&random, 3000) == 0)
			pyn_verify_forget(the_table, lba_of(place), nlb);
		atomic_fetch_add(&the_drive->rounds, 1);
	}
}

static pid_t start(unsigned index, uint64_t seed)
{
	pyn_verify_changer_begin(the_table);
	pid_t pid = fork();

	if (pid == 0)
		work(index, seed);
	return pid;
}

/* As a worker's end does it. */
static void give_up(struct flight *flight)
{
	if (flight->state == BEGUN)
		pyn_verify_change_end(the_table, flight->lba, flight->nlb, PYN_WRITE_FAILED);
	else if (flight->state == MOVING)
		pyn_verify_write_lost(the_table, flight->lba, flight->nlb);
	flight->state = IDLE;
	pyn_verify_changer_end(the_table);
}

static void end(pid_t pid, unsigned index)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	give_up(&the_drive->flight[index]);
}

static void count_node(void *user, uint64_t lba, _Atomic uint64_t *cells, uint32_t count)
{
	uint64_t cell;

	(void)count;
	++*(uint64_t *)user;
	/* Who is killed may leave nodes of what has moved. */
	if (pyn_dense_has(&the_table->dense, lba >> PYN_BLOCK_SHIFT))
		return;
	/* In the chain in which it is, it is found. */
	pyn_verify_read_begin(the_table, lba, 1, &cell);
	if (pyn_cell_load(cells))
		CHECK(cell);
}

static void check_nodes(unsigned kills)
{
	uint64_t nodes = 0, live = atomic_load(&the_table->nodes.shared->live);

	for (uint64_t bucket = 0; bucket < atomic_load(&the_table->nodes.shared->buckets); bucket++)
		pyn_nodes_each(&the_table->nodes, bucket, count_node, &nodes);
	/* Who is killed loses a count or a node. */
	CHECK(nodes <= live + kills && live <= nodes + kills);
	if (the_form == MOVED)
		return;
	CHECK(nodes > 10000);
	CHECK(atomic_load(&the_table->nodes.shared->buckets) > PYN_STRIPES * 4);
}

static void check_that_all_locks_are_free(void)
{
	for (unsigned i = 0; i < PYN_STRIPES; i++) {
		pyn_stripe_lock(the_table, &the_table->stripes[i], PYN_LOCK_SWEEP);
		pyn_stripe_unlock(&the_table->stripes[i]);
	}
}

/* When all have ended, no LBA counts a write of the dead: each is checked again once it was written. */
static void check_that_all_is_checked_again(void)
{
	uint64_t before = the_drive->checked;

	for (uint32_t place = 0; place < PLACES; place += LARGEST / 3)
		write_lbas(&the_drive->flight[0], place, LARGEST / 3);
	for (uint32_t place = 0; place < PLACES; place += LARGEST / 3)
		read_lbas(place, LARGEST / 3);
	CHECK_EQ(the_drive->checked - before, PLACES);
}

static unsigned pieces_that_moved(void)
{
	unsigned count = 0;

	for (uint32_t place = 0; place < PLACES; place += PIECE)
		count += pyn_dense_has(&the_table->dense, lba_of(place) >> PYN_BLOCK_SHIFT);
	return count;
}

/* Returns how many pieces have moved. */
static unsigned run(enum form form, unsigned kills, uint64_t seed)
{
	struct pyn_random random = pyn_random_stream(42, seed);
	unsigned moved = 0;
	pid_t pids[PROCESSES];

	pyn_token_start(&err);
	the_drive = mmap(NULL, sizeof(*the_drive), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	the_form = form;
	the_table = new_table(1, form == FLAT ? UINT64_C(1) << 21 : NLBA, LBA, form == FLAT ? FLAT : NODES);
	for (unsigned i = 0; i < PROCESSES; i++)
		pids[i] = start(i, seed * 10000 + i);
	for (unsigned i = 0; i < kills; i++) {
		unsigned index = (unsigned)pyn_random_below(&random, PROCESSES);
		struct timespec pause = {.tv_nsec = (long)pyn_random_below(&random, 6000000)};

		nanosleep(&pause, NULL);
		end(pids[index], index);
		pids[index] = start(index, seed * 10000 + PROCESSES + i);
	}
	for (unsigned i = 0; i < PROCESSES; i++)
		end(pids[i], i);
	check_that_all_locks_are_free();
	check_that_all_is_checked_again();
	printf("    %llu rounds, %llu LBAs checked\n", (unsigned long long)the_drive->rounds,
	       (unsigned long long)the_drive->checked);
	CHECK_EQ(the_drive->mismatches, 0);
	CHECK(the_drive->checked > kills * 10);
	if (form != FLAT) {
		check_nodes(kills);
		moved = pieces_that_moved();
	}
	pyn_verify_put(the_table);
	munmap(the_drive, sizeof(*the_drive));
	return moved;
}

TEST(processes_that_are_killed_leave_a_table_of_nodes_that_is_whole_and_right)
{
	run(NODES, KILLS, 0);
}

TEST(so_do_those_that_are_killed_while_blocks_move)
{
	unsigned moved = 0;

	for (unsigned i = 0; i < TABLES; i++)
		moved += run(MOVED, KILLS / TABLES, 2 + i);
	printf("    %u of %u pieces have moved\n", moved, TABLES * PLACES / PIECE);
	CHECK(moved > TABLES * PLACES / PIECE / 8);
}

TEST(processes_that_are_killed_leave_a_flat_table_that_is_right)
{
	run(FLAT, KILLS, 1);
}
