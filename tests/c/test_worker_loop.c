/* SPDX-License-Identifier: BSD-3-Clause */
/* The process of an IO worker, over an engine that is a memory: exact counts and rates, hostile completions, sudden
 * death. */
/* sources: core/worker/worker_run.c core/worker/worker_chores.c core/worker/worker_loop.c core/worker/workload.c
 * core/worker/skew.c core/worker/extra.c core/worker/watch.c core/worker/worker_meta.c core/worker/zones.c
 * core/worker/zone_choice.c
 * core/verify/*.c core/data/*.c
 * core/engine/not_offered.c core/env/*.c core/util/*.c spec/commands.c */
/* dpdk */
#define _GNU_SOURCE 1
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "core/env/env.h"
#include "core/worker/worker_run.h"
#include "core/util/clock.h"
#include "tests/c/test.h"

#define LBA 512u
#define NLBA 4096u
#define QDEPTH 17u
#define SLOTS (QDEPTH - 1)
#define LARGEST 8u
#define MOST_SECONDS 10u

/* ---- an engine whose drive is a memory; it runs in the worker's process ---- */

static struct {
	unsigned stuck_after;  /* commands; those after it never complete. 0: all complete */
	unsigned refuse_after; /* submissions; those after it fail. 0: none */
	unsigned gone_after;   /* submissions; the doorbell after them is not there any more. 0: it stays */
	bool babbles;          /* completes what was never sent, too */
	uint16_t status;
} the_drive;

struct pyn_engine_qpair {
	struct nvme_cmd waiting[SLOTS];
	uint8_t *data[SLOTS];
	unsigned count, rung, sent;
};

static struct pyn_engine_qpair the_queue;
static uint8_t *the_memory; /* shared: what the drive stores */

static int drive_submit(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
			struct pyn_error *err)
{
	(void)slot;
	queue->sent++;
	if (the_drive.refuse_after && queue->sent > the_drive.refuse_after)
		return pyn_error(err, PYN_ERROR_MEMORY, 12, "no list");
	if (the_drive.stuck_after && queue->sent > the_drive.stuck_after)
		return 0;
	queue->data[queue->count] = data.address;
	queue->waiting[queue->count++] = *cmd;
	return 0;
}

static void drive_ring(struct pyn_engine_qpair *queue)
{
	if (the_drive.gone_after && queue->sent > the_drive.gone_after)
		raise(SIGBUS);
	queue->rung = queue->count;
}

static void execute(const struct nvme_cmd *cmd, uint8_t *data)
{
	size_t bytes = ((cmd->cdw12 & 0xffff) + 1) * (size_t)LBA;
	uint8_t *stored = the_memory + cmd->cdw10 * (size_t)LBA;

	if (cmd->opc == NVME_IO_READ)
		memcpy(data, stored, bytes);
	else if (cmd->opc == NVME_IO_WRITE)
		memcpy(stored, data, bytes);
	else if (cmd->opc == NVME_IO_WRITE_ZEROES)
		memset(stored, 0, bytes);
}

static unsigned drive_poll(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max)
{
	unsigned count = 0;

	if (the_drive.babbles && queue->rung > 2 && max > 4) {
		/* The same one twice, a free one, and two that do not exist. */
		completions[count++] = (struct pyn_completion){.slot = UINT16_MAX};
		completions[count++] = (struct pyn_completion){.slot = SLOTS};
	}
	for (unsigned i = 0; i < queue->rung && count + 1 < max; i++) {
		uint16_t slot = queue->waiting[i].cid;

		execute(&queue->waiting[i], queue->data[i]);
		completions[count++] = (struct pyn_completion){
			.slot = slot, .cpl = {.cid = slot, .status = (uint16_t)(the_drive.status << 1)}};
		if (the_drive.babbles && i + 1 == queue->rung) {
			completions[count] = completions[count - 1];
			count++;
		}
	}
	queue->count = queue->rung = 0;
	return count;
}

static bool drive_forked(struct pyn_engine_qpair *queue)
{
	(void)queue;
	return true;
}

static const struct pyn_engine the_engine = {.name = "memory",
					     .rings = &pyn_engine_no_rings,
					     .forked = drive_forked,
					     .submit = drive_submit,
					     .ring = drive_ring,
					     .poll = drive_poll};

/* ---- what worker.c does before a worker's fork ---- */

static struct pyn_error err;
static struct pyn_worker_run the_run __attribute__((aligned(64)));
static struct pyn_worker_slot the_slots[SLOTS] __attribute__((aligned(64)));
static uint16_t the_free[SLOTS];
static struct pyn_device_shared *the_device;
static struct pyn_verify *the_table;
static int the_pid;

static void *shared(size_t size)
{
	return pyn_shared_map(size, &err);
}

static void build_slot(uint16_t index)
{
	struct pyn_worker_slot *slot = &the_slots[index];
	size_t size = LARGEST * LBA;

	memset(slot, 0, sizeof(*slot));
	slot->read_data = aligned_alloc(4096, size);
	slot->write_data = aligned_alloc(4096, size);
	slot->read.memory = slot->read_data;
	slot->write.memory = slot->write_data;
	slot->cells = calloc(LARGEST, sizeof(uint64_t));
	slot->base_crc = calloc(LARGEST, sizeof(uint32_t));
	memset(slot->write_data, 0, size);
	memset(slot->read_data, 0, size);
	for (uint32_t i = 0; i < LARGEST; i++)
		slot->base_crc[i] = pyn_crc32c(0, slot->write_data + i * LBA, LBA);
	the_free[the_run.free.count++] = index;
}

/* read_percentage reads, the rest writes; of 8 LBAs over the whole drive. */
static void set_up(uint8_t read_percentage)
{
	pyn_ticks_hz();
	pyn_token_start(&err);
	memset(&the_drive, 0, sizeof(the_drive));
	memset(&the_queue, 0, sizeof(the_queue));
	memset(&the_run, 0, sizeof(the_run));
	the_memory = shared((size_t)NLBA * LBA);
	the_device = shared(sizeof(*the_device));
	the_table = pyn_verify_create(1, NLBA, LBA, &err);
	the_run.config = (struct pyn_worker_config){
		.workload = {.sizes = 1,
			     .io_size = {LARGEST},
			     .lba_align = {1},
			     .weight = {1},
			     .ops = 2,
			     .opcode = {NVME_IO_READ, NVME_IO_WRITE},
			     .percentage = {read_percentage, (uint8_t)(100 - read_percentage)},
			     .random_percentage = 100,
			     .region_end = NLBA},
		.nsid = 1,
		.lba_size = LBA,
		.nlba = NLBA,
		.qdepth = QDEPTH,
		.check = true,
		.cpu = -1,
		.seconds = MOST_SECONDS,
	};
	pyn_workload_init(&the_run.workload, &the_run.config.workload, NLBA, pyn_random_stream(1, 0), &err);
	the_run.engine = &the_engine;
	the_run.queue = &the_queue;
	the_run.device_shared = the_device;
	the_run.timeout_ms = 10000;
	the_run.verify = the_table;
	the_run.noted = NLBA;
	the_run.stamp = pyn_crc32c_stamp_for(LBA);
	the_run.shared = shared(sizeof(*the_run.shared));
	pyn_histogram_init(&the_run.shared->latency);
	the_run.flight = shared(SLOTS * sizeof(struct pyn_worker_flight));
	the_run.seconds.ios = shared((MOST_SECONDS + 1) * sizeof(uint32_t));
	the_run.log = pyn_cmdlog_create(QDEPTH, &err);
	the_run.slots = the_slots;
	the_run.free.slots = the_free;
	the_run.slot_count = SLOTS;
	the_run.ios.to_send = UINT64_MAX;
	for (uint16_t i = 0; i < SLOTS; i++)
		build_slot(i);
}

static void start(void)
{
	the_run.parent_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	the_pid = fork();
	if (the_pid == 0)
		pyn_worker_main(&the_run);
	close(the_run.parent_pidfd);
}

/* Its end: 0 by itself, else the signal. */
static int wait_for_end(void)
{
	int status = 0;

	waitpid(the_pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static const struct pyn_worker_result *run(void)
{
	start();
	CHECK_EQ(wait_for_end(), 0);
	CHECK_EQ(the_run.shared->finished, 1);
	return &the_run.shared->result;
}

static void tear_down(void)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		free(the_slots[i].read_data);
		free(the_slots[i].write_data);
		free(the_slots[i].cells);
		free(the_slots[i].base_crc);
	}
	pyn_cmdlog_destroy(the_run.log);
	pyn_shared_unmap(the_run.shared, sizeof(*the_run.shared));
	pyn_shared_unmap(the_run.flight, SLOTS * sizeof(struct pyn_worker_flight));
	pyn_shared_unmap(the_run.seconds.ios, (MOST_SECONDS + 1) * sizeof(uint32_t));
	pyn_shared_unmap(the_memory, (size_t)NLBA * LBA);
	pyn_shared_unmap(the_device, sizeof(*the_device));
	pyn_verify_put(the_table);
}

#define WORKER_TEST(name, read_percentage)                                                                           \
	static void name##_body(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		set_up(read_percentage);                                                                             \
		name##_body();                                                                                       \
		tear_down();                                                                                         \
	}                                                                                                            \
	static void name##_body(void)

static uint64_t sum(const struct pyn_worker_result *result)
{
	return result->io_count[0] + result->io_count[1];
}

static void sleep_ms(unsigned ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&pause, NULL);
}

/* ---- counts and rates ---- */

WORKER_TEST(a_count_is_sent_to_the_last_one_and_all_that_is_known_is_judged, 50)
{
	the_run.ios.to_send = 54321;
	const struct pyn_worker_result *result = run();

	CHECK_EQ(result->error, 0);
	CHECK_EQ(sum(result), 54321);
	CHECK_EQ(the_run.shared->sent, 54321);
	CHECK_EQ(the_run.shared->completed, 54321);
	CHECK_EQ(the_run.shared->latency.count, 54321);
	CHECK_EQ(result->verified.mismatch, 0);
	CHECK(result->verified.checked > result->io_count[0] * LARGEST / 4);
}

WORKER_TEST(what_the_drive_stores_wrong_is_found, 100)
{
	uint64_t token = pyn_token_take(LARGEST);

	pyn_verify_stamp(the_table, the_memory, 0, LARGEST, token);
	pyn_verify_write_begin(the_table, 0, LARGEST, the_memory, true, token);
	pyn_verify_write_end(the_table, 0, LARGEST, PYN_WRITE_DONE);
	the_memory[3 * LBA + 7] ^= 1;
	the_run.ios.to_send = 100000;
	const struct pyn_worker_result *result = run();

	CHECK_EQ(result->error, PYN_WORKER_IO_ERROR);
	CHECK_EQ(result->status, PYN_STATUS_MISMATCH);
	CHECK_EQ(result->mismatch.lba, 3);
	CHECK(sum(result) < 100000);
}

/* The k-th IO, from 1, is due k / rate after the start: so many in a time, and never one more. */
static void rate_and_time(double iops, uint64_t ms, uint64_t expected)
{
	set_up(100);
	the_run.config.iops = iops;
	the_run.config.time_ns = ms * 1000000;
	const struct pyn_worker_result *result = run();

	CHECK_EQ(result->error, 0);
	/* The worker makes up for a stop at the end, but not for a long one. */
	if (!CHECK(sum(result) <= expected) || !CHECK_TIME(sum(result) == expected))
		printf("    %g IOPS for %llu ms\n", iops, (unsigned long long)ms);
	tear_down();
}

TEST(a_rate_is_exact_over_its_time)
{
	rate_and_time(10, 500, 5);
	rate_and_time(1, 500, 0);
	rate_and_time(2, 500, 1); /* at the end */
	rate_and_time(3, 1000, 3);
	rate_and_time(7, 300, 2); /* at 143 and 286 ms */
	rate_and_time(1000, 500, 500);
	rate_and_time(30000, 200, 6000);
}

TEST(each_io_of_a_rate_is_due_a_whole_interval_after_the_one_before)
{
	struct pyn_worker_run slow = {.clock = {.started = 1000, .ends = UINT64_MAX},
				      .rate = {.per_tick = UINT64_C(1) << 57, .all = 3}}; /* one in 128 ticks */

	CHECK_EQ(pyn_worker_scheduled(&slow, 1000), 0);
	CHECK_EQ(pyn_worker_scheduled(&slow, 1127), 0);
	CHECK_EQ(pyn_worker_scheduled(&slow, 1128), 1);
	CHECK_EQ(pyn_worker_scheduled(&slow, 1255), 1);
	CHECK_EQ(pyn_worker_scheduled(&slow, 1256), 2);
	CHECK_EQ(pyn_worker_scheduled(&slow, 9000), 3);
}

WORKER_TEST(what_a_stop_shortly_before_the_end_held_up_is_made_up_for, 100)
{
	the_run.config.iops = 20000;
	the_run.config.time_ns = 500000000;
	start();
	sleep_ms(480);
	kill(the_pid, SIGSTOP);
	sleep_ms(30);
	kill(the_pid, SIGCONT);
	CHECK_EQ(wait_for_end(), 0);
	CHECK(sum(&the_run.shared->result) <= 10000);
	CHECK_TIME(sum(&the_run.shared->result) == 10000);
	CHECK(pyn_ticks_to_ns(the_run.shared->result.ticks) >= 500000000);
}

WORKER_TEST(a_drive_that_is_slower_than_the_rate_is_not_waited_for, 100)
{
	the_run.config.iops = 1e8;
	the_run.config.time_ns = 200000000;
	const struct pyn_worker_result *result = run();

	CHECK(sum(result) < 20000000);
	CHECK(pyn_ticks_to_ns(result->ticks) >= 200000000);
	CHECK_TIME(pyn_ticks_to_ns(result->ticks) < 400000000);
}

WORKER_TEST(a_rate_is_exact_in_each_second, 100)
{
	the_run.config.iops = 10;
	the_run.config.time_ns = UINT64_C(2000000000);
	const struct pyn_worker_result *result = run();

	CHECK(sum(result) <= 20);
	CHECK_TIME(sum(result) == 20);
	CHECK_EQ(the_run.shared->per_second_count, 2);
	CHECK_TIME(the_run.seconds.ios[0] == 10);
	CHECK_TIME(the_run.seconds.ios[1] == 10);
}

WORKER_TEST(a_count_at_a_rate_takes_its_time, 100)
{
	uint64_t started = pyn_monotonic_ns();

	the_run.config.iops = 100;
	the_run.ios.to_send = 31;
	CHECK_EQ(sum(run()), 31);
	CHECK(pyn_monotonic_ns() - started >= 299000000); /* the last one is due at 300 ms */
}

WORKER_TEST(a_rate_above_any_clock_is_no_limit, 100)
{
	the_run.config.iops = 1e19;
	the_run.ios.to_send = 100000;
	CHECK_EQ(sum(run()), 100000);
	CHECK(pyn_ticks_to_ns(the_run.shared->result.ticks) < UINT64_C(10000000000));
}

WORKER_TEST(a_time_of_nothing_ends_at_once, 100)
{
	the_run.config.time_ns = 1;
	CHECK_EQ(run()->error, 0);
}

/* ---- ends ---- */

WORKER_TEST(a_stop_drains_what_is_in_flight, 50)
{
	start();
	sleep_ms(50);
	atomic_store(&the_run.shared->stop, 1);
	CHECK_EQ(wait_for_end(), 0);
	CHECK_EQ(the_run.shared->result.error, 0);
	CHECK_EQ(the_run.shared->sent, the_run.shared->completed);
	CHECK(the_run.shared->sent > 0);
}

WORKER_TEST(a_reset_ends_it_without_an_error_and_without_draining, 0)
{
	the_drive.stuck_after = 100;
	start();
	sleep_ms(50);
	atomic_fetch_add(&the_device->cut_offs, 1);
	CHECK_EQ(wait_for_end(), 0);
	CHECK_EQ(the_run.shared->result.error, 0);
	CHECK_EQ(the_run.shared->completed, 100);
	CHECK_EQ(the_run.shared->sent, 100 + SLOTS);
	for (unsigned i = 0; i < SLOTS; i++)
		CHECK_EQ(the_run.flight[i].state, PYN_FLIGHT_BEGUN);
}

WORKER_TEST(a_reset_before_it_started_sends_nothing, 0)
{
	the_run.cut_offs = 7;
	atomic_store(&the_device->cut_offs, 8);
	CHECK_EQ(run()->error, 0);
	CHECK_EQ(the_run.shared->sent, 0);
}

WORKER_TEST(a_command_that_never_completes_is_a_timeout, 0)
{
	the_drive.stuck_after = 100;
	the_run.timeout_ms = 100;
	CHECK_EQ(run()->error, PYN_WORKER_IO_TIMEOUT);
	CHECK_EQ(sum(&the_run.shared->result), 100);
}

WORKER_TEST(a_doorbell_that_goes_away_ends_it_and_what_had_completed_is_counted, 50)
{
	the_drive.gone_after = 1000;
	CHECK_EQ(run()->error, PYN_WORKER_GONE);
	CHECK(sum(&the_run.shared->result) > 500);
	CHECK_EQ(sum(&the_run.shared->result), the_run.shared->latency.count);
}

WORKER_TEST(so_are_plain_reads_when_a_doorbell_goes_away, 100)
{
	the_run.config.workload.ops = 1;
	pyn_workload_init(&the_run.workload, &the_run.config.workload, NLBA, pyn_random_stream(1, 0), &err);
	the_drive.gone_after = 1000;
	CHECK_EQ(run()->error, PYN_WORKER_GONE);
	CHECK(sum(&the_run.shared->result) > 500);
	CHECK_EQ(sum(&the_run.shared->result), the_run.shared->latency.count);
}

WORKER_TEST(a_process_that_was_stopped_for_longer_than_a_timeout_sees_no_timeout, 50)
{
	the_run.timeout_ms = 150;
	start();
	for (unsigned i = 0; i < 4; i++) {
		sleep_ms(20 + i);
		kill(the_pid, SIGSTOP);
		sleep_ms(300);
		kill(the_pid, SIGCONT);
	}
	sleep_ms(250);
	atomic_store(&the_run.shared->stop, 1);
	CHECK_EQ(wait_for_end(), 0);
	CHECK_EQ(the_run.shared->result.error, 0);
}

WORKER_TEST(an_error_status_ends_it_and_is_told, 0)
{
	the_drive.status = 0x281;
	const struct pyn_worker_result *result = run();

	CHECK_EQ(result->error, PYN_WORKER_IO_ERROR);
	CHECK_EQ(result->status, 0x281);
	CHECK_EQ(the_run.shared->sent, the_run.shared->completed);
	for (unsigned i = 0; i < SLOTS; i++)
		CHECK_EQ(the_run.flight[i].state, PYN_FLIGHT_NONE);
}

WORKER_TEST(completions_of_nothing_are_ignored, 50)
{
	the_drive.babbles = true;
	the_run.ios.to_send = 10000;
	const struct pyn_worker_result *result = run();

	CHECK_EQ(result->error, 0);
	CHECK_EQ(sum(result), 10000);
	CHECK_EQ(the_run.shared->completed, 10000);
	CHECK_EQ(result->verified.mismatch, 0);
}

WORKER_TEST(a_submission_that_the_engine_refuses_ends_it_and_what_was_sent_is_drained, 0)
{
	the_drive.refuse_after = 1000;
	const struct pyn_worker_result *result = run();

	CHECK_EQ(result->error, PYN_WORKER_MEMORY);
	CHECK_EQ(the_run.shared->sent, 1000);
	CHECK_EQ(sum(result), 1000);
	for (unsigned i = 0; i < SLOTS; i++)
		CHECK_EQ(the_run.flight[i].state, PYN_FLIGHT_NONE);
}

/* A script that runs as a service has no standard streams: their numbers are free for anything. */
WORKER_TEST(it_watches_its_parent_also_where_there_are_no_standard_streams, 50)
{
	int saved = dup(0);

	the_run.ios.to_send = 2000000;
	the_run.config.iops = 5000;
	the_run.config.time_ns = 400000000;
	close(0);
	start(); /* the parent's pidfd is 0 now */
	dup2(saved, 0);
	close(saved);
	CHECK_EQ(wait_for_end(), 0);
	CHECK(sum(&the_run.shared->result) <= 2000);
	CHECK_TIME(sum(&the_run.shared->result) == 2000);
}

/* ---- sudden death ---- */

/* What worker.c does after the death. Returns LBAs of which nobody knows whether the dead one counts on them. */
static unsigned abandon_flight(void)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < SLOTS; i++) {
		struct pyn_worker_flight *flight = &the_run.flight[i];

		if (flight->state == PYN_FLIGHT_BEGUN) {
			pyn_verify_write_end(the_table, flight->slba, flight->nlb, PYN_WRITE_FAILED);
		} else if (flight->state == PYN_FLIGHT_MOVING) {
			pyn_verify_write_lost(the_table, flight->slba, flight->nlb);
			lost += flight->nlb;
		}
		flight->state = PYN_FLIGHT_NONE;
	}
	pyn_verify_changer_end(the_table);
	return lost;
}

static uint64_t judge_all_after_writing_all(void)
{
	static uint64_t cells[NLBA];
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch mismatch;
	uint64_t token = pyn_token_take(NLBA);

	pyn_verify_stamp(the_table, the_memory, 0, NLBA, token);
	pyn_verify_write_begin(the_table, 0, NLBA, the_memory, true, token);
	pyn_verify_write_end(the_table, 0, NLBA, PYN_WRITE_DONE);
	pyn_verify_read_begin(the_table, 0, NLBA, cells);
	CHECK(pyn_verify_read_end(the_table, 0, NLBA, the_memory, cells, &counts, &mismatch));
	return counts.checked;
}

TEST(a_worker_killed_at_any_instruction_leaves_no_lba_busy)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < 60; i++) {
		struct timespec pause = {.tv_nsec = 1000000 + 37123 * (long)i};

		set_up(20);
		pyn_verify_changer_begin(the_table);
		start();
		nanosleep(&pause, NULL);
		kill(the_pid, SIGKILL);
		CHECK_EQ(wait_for_end(), SIGKILL);
		unsigned moving = abandon_flight();

		CHECK(moving <= LARGEST);
		lost += moving;
		CHECK_EQ(judge_all_after_writing_all(), NLBA);
		tear_down();
	}
	CHECK(lost < 60 * LARGEST); /* most deaths hit no begin and no end */
}
