/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes that write and read the same LBAs through one table, and are killed at any instruction again and again:
 * nothing is ever called wrong, and the table stays whole.
 */
/* sources: core/io/verify*.c core/io/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/io/crc32c.h"
#include "core/io/random.h"
#include "core/io/verify_cells.h"
#include "tests/c/test.h"

#define LBA 512u
#define PLACES 256u /* LBAs that are written and read, in pieces of PIECE that lie all over the table */
#define PIECE 64u
#define APART UINT64_C(100003)
#define NLBA (UINT64_C(1) << 33)
#define LARGEST 24u
#define PROCESSES 4u
#define KILLS 400u

enum state { IDLE, MOVING, BEGUN };

/* Of one process, for the one that looks after it. */
struct flight {
	uint64_t lba;
	uint32_t nlb;
	_Atomic uint32_t state;
};

struct drive {
	struct flight flight[PROCESSES];
	_Atomic uint64_t judged, mismatches, rounds;
	uint8_t data[PLACES][LBA];
};

static struct drive *the_drive;
static struct pyn_verify *the_table;
static struct pyn_error err;

static uint64_t lba_of(uint32_t place)
{
	return the_table->cells ? place : place / PIECE * APART + 20 + place % PIECE;
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
	atomic_fetch_add(&the_drive->judged, counts.judged);
	atomic_fetch_add(&the_drive->mismatches, mismatch.count);
}

/* Elsewhere, so that nodes are made and merged and buckets split all the time. */
static void make_noise(struct flight *flight, struct pyn_random *random)
{
	flight->lba = (the_table->cells ? PLACES : PLACES / PIECE * APART) + pyn_random_below(random, 1 << 20);
	flight->nlb = 1 + (uint32_t)pyn_random_below(random, 8);
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

	(void)cells;
	(void)count;
	++*(uint64_t *)user;
	/* In the chain in which it is, it is found. */
	pyn_verify_read_begin(the_table, lba, 1, &cell);
	if (pyn_cell_load(cells))
		CHECK(cell);
}

static void check_nodes(void)
{
	uint64_t nodes = 0, live = atomic_load(&the_table->nodes.shared->live);

	for (uint64_t bucket = 0; bucket < atomic_load(&the_table->nodes.shared->buckets); bucket++)
		pyn_nodes_each(&the_table->nodes, bucket, count_node, &nodes);
	CHECK(nodes > 10000);
	/* Who is killed loses a count or a node. */
	CHECK(nodes <= live + KILLS && live <= nodes + KILLS);
	CHECK(atomic_load(&the_table->nodes.shared->buckets) > PYN_STRIPES * 4);
}

static void check_that_all_locks_are_free(void)
{
	for (unsigned i = 0; i < PYN_STRIPES; i++) {
		pyn_stripe_lock(the_table, &the_table->stripes[i], PYN_LOCK_SWEEP);
		pyn_stripe_unlock(&the_table->stripes[i]);
	}
}

static void run(bool flat)
{
	struct pyn_random random = pyn_random_stream(42, flat);
	pid_t pids[PROCESSES];

	pyn_token_start(&err);
	the_drive = mmap(NULL, sizeof(*the_drive), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	the_table = pyn_verify_create_as(1, flat ? UINT64_C(1) << 21 : NLBA, LBA, flat, &err);
	for (unsigned i = 0; i < PROCESSES; i++)
		pids[i] = start(i, i);
	for (unsigned i = 0; i < KILLS; i++) {
		unsigned index = (unsigned)pyn_random_below(&random, PROCESSES);
		struct timespec pause = {.tv_nsec = (long)pyn_random_below(&random, 6000000)};

		nanosleep(&pause, NULL);
		end(pids[index], index);
		pids[index] = start(index, PROCESSES + i);
	}
	for (unsigned i = 0; i < PROCESSES; i++)
		end(pids[i], i);
	check_that_all_locks_are_free();
	printf("    %llu rounds, %llu LBAs judged\n", (unsigned long long)the_drive->rounds,
	       (unsigned long long)the_drive->judged);
	CHECK_EQ(the_drive->mismatches, 0);
	CHECK(the_drive->judged > KILLS * 10);
	if (!flat)
		check_nodes();
	pyn_verify_put(the_table);
	munmap(the_drive, sizeof(*the_drive));
}

TEST(processes_that_are_killed_leave_a_table_of_nodes_that_is_whole_and_right)
{
	run(false);
}

TEST(processes_that_are_killed_leave_a_flat_table_that_is_right)
{
	run(true);
}
