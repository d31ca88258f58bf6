/* SPDX-License-Identifier: BSD-3-Clause */
/* The command log: order, wrap-around, late completions, and a reader that races the writer. */
/* sources: core/data/cmdlog.c core/env/*.c core/util/*.c */
/* dpdk */
#include <pthread.h>

#include "core/data/cmdlog.h"
#include "tests/c/test.h"

#define ENTRIES 4096u
#define RACES 300000u
#define READS 100u

static struct pyn_error err;

/* A command and a completion that tell their number wherever they can. */
static uint64_t submit(struct pyn_cmdlog *log, uint32_t number)
{
	struct nvme_cmd cmd = {.cid = (uint16_t)number, .cdw10 = number, .cdw15 = number};

	return pyn_cmdlog_submit(log, &cmd, number);
}

static void complete(struct pyn_cmdlog *log, uint64_t number)
{
	struct nvme_cpl cpl = {.cdw0 = (uint32_t)number, .cid = (uint16_t)number};

	pyn_cmdlog_complete(log, number, &cpl, number);
}

TEST(an_empty_log_has_no_entry)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);
	struct pyn_cmdlog_entry entry;

	CHECK(!pyn_cmdlog_read(log, 0, &entry));
	CHECK(!pyn_cmdlog_read(log, UINT64_MAX, &entry));
	pyn_cmdlog_destroy(log);
}

TEST(the_newest_comes_first_with_its_completion)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);
	struct pyn_cmdlog_entry entry;

	for (uint32_t number = 1; number <= 10; number++)
		CHECK_EQ(submit(log, number), number);
	complete(log, 7);
	for (uint32_t age = 0; age < 10; age++) {
		if (!CHECK(pyn_cmdlog_read(log, age, &entry)))
			continue;
		CHECK_EQ(entry.cmd.cdw10, 10 - age);
		CHECK_EQ(entry.submitted, 10 - age);
		CHECK_EQ(entry.completed, age == 3 ? 7 : 0);
	}
	CHECK(!pyn_cmdlog_read(log, 10, &entry));
	pyn_cmdlog_destroy(log);
}

TEST(a_log_that_is_full_keeps_the_last_ones)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);
	struct pyn_cmdlog_entry entry;

	for (uint32_t number = 1; number <= 3 * ENTRIES + 5; number++)
		submit(log, number);
	CHECK(pyn_cmdlog_read(log, ENTRIES - 1, &entry));
	CHECK_EQ(entry.cmd.cdw10, 2 * ENTRIES + 6);
	CHECK(!pyn_cmdlog_read(log, ENTRIES, &entry));
	pyn_cmdlog_destroy(log);
}

TEST(a_completion_does_not_reach_the_entry_that_took_its_place)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);
	struct pyn_cmdlog_entry entry;

	for (uint32_t number = 1; number <= ENTRIES + 1; number++)
		submit(log, number);
	complete(log, 1); /* its entry is number 4097's now */
	CHECK(pyn_cmdlog_read(log, 0, &entry));
	CHECK_EQ(entry.cmd.cdw10, ENTRIES + 1);
	CHECK_EQ(entry.completed, 0);
	complete(log, ENTRIES + 1);
	CHECK(pyn_cmdlog_read(log, 0, &entry));
	CHECK_EQ(entry.cpl.cdw0, ENTRIES + 1);
	pyn_cmdlog_destroy(log);
}

TEST(a_used_entry_shows_no_completion_of_before)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);
	struct pyn_cmdlog_entry entry;

	for (uint32_t number = 1; number <= ENTRIES; number++)
		complete(log, submit(log, number));
	submit(log, ENTRIES + 1);
	CHECK(pyn_cmdlog_read(log, 0, &entry));
	CHECK_EQ(entry.completed, 0);
	pyn_cmdlog_destroy(log);
}

TEST(a_log_is_always_longer_than_its_queue)
{
	for (uint32_t depth = 1024; depth <= 65536; depth *= 4) {
		struct pyn_cmdlog *log = pyn_cmdlog_create(depth, &err);

		uint64_t entries = log->last / sizeof(log->entries[0]) + 1;

		CHECK(entries > depth && entries >= ENTRIES);
		CHECK_EQ(entries & (entries - 1), 0);
		CHECK(pyn_cmdlog_entry(log, 1) == pyn_cmdlog_entry(log, entries + 1));
		pyn_cmdlog_destroy(log);
	}
}

static _Atomic uint32_t reads;

/* Goes on until the reader has met it often enough, however seldom it gets a CPU. */
static void *write_log(void *context)
{
	for (uint32_t number = 1; number <= RACES || reads < READS; number++)
		complete(context, submit(context, number));
	return NULL;
}

/* Whatever a reader gets belongs together. */
TEST(a_reader_that_races_the_writer_sees_whole_entries_or_none)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);
	struct pyn_cmdlog_entry entry = {0};
	pthread_t writer;

	reads = 0;
	pthread_create(&writer, NULL, write_log, log);
	while (entry.cmd.cdw10 < RACES || reads < READS) {
		/* The newest, which is written now, and the oldest, which is the next to be overwritten. */
		if (!pyn_cmdlog_read(log, reads % 2 ? ENTRIES - 1 : 0, &entry) && !pyn_cmdlog_read(log, 0, &entry))
			continue;
		reads++;
		if (!CHECK_EQ(entry.cmd.cdw15, entry.cmd.cdw10) || !CHECK_EQ(entry.submitted, entry.cmd.cdw10))
			break;
		if (entry.completed &&
		    (!CHECK_EQ(entry.completed, entry.cmd.cdw10) || !CHECK_EQ(entry.cpl.cdw0, entry.cmd.cdw10)))
			break;
	}
	reads = READS;
	pthread_join(writer, NULL);
	pyn_cmdlog_destroy(log);
}
