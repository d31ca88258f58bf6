/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture: each command is in its file once, as it ended, and what could not be copied is counted. */
/* sources: core/data/capture.c core/data/cmdlog.c core/env/*.c core/util/*.c */
/* dpdk */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/data/capture.h"
#include "core/util/clock.h"
#include "core/util/fork.h"
#include "tests/c/test.h"

#define ENTRIES 4096u
#define MOST 100000u

static struct pyn_error err;
static char the_path[64];
static unsigned char *the_file;
static size_t the_size;

/* What the file has of one queue. */
struct found {
	unsigned commands, completed, mismatches, data;
	struct pyn_capture_about about;
	struct pyn_capture_counts counts;
	bool has_end, is_each_once;
	unsigned char seen[MOST];
};

static struct found the_found;

static void start(uint64_t worker_most)
{
	snprintf(the_path, sizeof(the_path), "/tmp/pynvme-capture-%d", getpid());
	CHECK(pyn_capture_start(the_path, worker_most, &err) == 0);
}

static void load(void)
{
	struct stat about;
	int file = open(the_path, O_RDONLY);

	CHECK(fstat(file, &about) == 0);
	the_size = (size_t)about.st_size;
	free(the_file);
	the_file = malloc(the_size + 1);
	CHECK(read(file, the_file, the_size) == (ssize_t)the_size);
	close(file);
	unlink(the_path);
}

static void take_commands(const unsigned char *bytes, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += sizeof(struct pyn_cmdlog_record)) {
		struct pyn_cmdlog_record record;

		memcpy(&record, bytes + at, sizeof(record));
		the_found.commands++;
		the_found.completed += record.latency != UINT64_MAX;
		the_found.mismatches += record.told == PYN_CMDLOG_MISMATCH;
		if (!CHECK(record.number < MOST && record.cmd.cdw10 == (uint32_t)record.number))
			return;
		if (record.latency != UINT64_MAX)
			CHECK(record.cpl.cdw0 == record.cmd.cdw10);
		the_found.is_each_once &= the_found.seen[record.number]++ == 0;
	}
}

/* Stop, and read what the file has of a queue, by its number. */
static void look(uint32_t queue)
{
	struct pyn_capture_chunk chunk;

	memset(&the_found, 0, sizeof(the_found));
	the_found.is_each_once = true;
	for (size_t at = 0; at + sizeof(chunk) <= the_size; at += sizeof(chunk) + chunk.size) {
		const unsigned char *body = the_file + at + sizeof(chunk);

		memcpy(&chunk, the_file + at, sizeof(chunk));
		if (chunk.queue != queue)
			continue;
		if (chunk.kind == PYN_CAPTURE_QUEUE)
			memcpy(&the_found.about, body, sizeof(the_found.about));
		else if (chunk.kind == PYN_CAPTURE_COMMANDS)
			take_commands(body, chunk.size);
		else if (chunk.kind == PYN_CAPTURE_DATA)
			the_found.data++;
		else if (CHECK(chunk.kind == PYN_CAPTURE_END))
			memcpy(&the_found.counts, body, sizeof(the_found.counts));
		the_found.has_end |= chunk.kind == PYN_CAPTURE_END;
	}
}

static void stop(void)
{
	CHECK(pyn_capture_stop(&err) == 0);
	load();
}

static uint64_t submit(struct pyn_cmdlog *log)
{
	struct nvme_cmd cmd = {.cdw10 = (uint32_t)log->count + 1};

	return pyn_cmdlog_submit(log, &cmd, pyn_ticks());
}

static void complete(struct pyn_cmdlog *log, uint64_t number)
{
	struct nvme_cpl cpl = {.cdw0 = (uint32_t)number};

	pyn_cmdlog_complete(log, number, &cpl, pyn_ticks());
}

static void send(struct pyn_cmdlog *log, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		complete(log, submit(log));
}

/* Send so slowly that the thread keeps up. */
static void send_slowly(struct pyn_cmdlog *log, unsigned count)
{
	for (; count > 500; count -= 500) {
		send(log, 500);
		usleep(10000);
	}
	send(log, count);
}

static struct pyn_cmdlog *begin(bool is_worker)
{
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);

	pyn_capture_begin(log, "drive", 3, is_worker, NULL, NULL);
	return log;
}

static void finish(struct pyn_cmdlog *log)
{
	pyn_capture_end(log);
	pyn_cmdlog_destroy(log);
}

TEST(each_command_is_there_once_however_many_there_are)
{
	struct pyn_cmdlog *before = begin(false), *log;

	send(before, 10);
	start(0);
	log = begin(false);
	send_slowly(log, 3 * ENTRIES);
	send(before, 5);
	finish(log);
	stop();
	finish(before);
	look(2);
	CHECK(the_found.commands + the_found.counts.lost == 3 * ENTRIES && the_found.is_each_once &&
	      the_found.has_end);
	CHECK(the_found.counts.sent == 3 * ENTRIES && the_found.counts.written == the_found.commands);
	CHECK(the_found.completed + the_found.counts.half == the_found.commands && the_found.about.qid == 3);
	CHECK(the_found.commands > ENTRIES);
	look(1);
	CHECK(the_found.commands == 5 && the_found.about.before == 10 && the_found.counts.sent == 5);
}

TEST(what_was_overwritten_is_counted)
{
	start(0);
	struct pyn_cmdlog *log = begin(false);
	uint64_t slow = submit(log);

	usleep(100000); /* long enough for the thread to see the slow command, unless the machine is very busy */
	send(log, 3 * ENTRIES);
	complete(log, slow); /* the entry has been reused */
	finish(log);
	stop();
	look(1);
	CHECK(the_found.counts.sent == 3 * ENTRIES + 1 && the_found.counts.lost > 0 && the_found.is_each_once);
	CHECK(the_found.counts.written + the_found.counts.lost == the_found.counts.sent);
	CHECK(the_found.counts.half == the_found.commands - the_found.completed);
	CHECK(the_found.counts.half == the_found.seen[slow]);
}

TEST(a_late_end_and_what_the_script_was_told_are_there)
{
	start(0);
	struct pyn_cmdlog *log = begin(false);
	uint64_t late = submit(log), wrong = submit(log);

	submit(log); /* never completes */
	usleep(30000);
	complete(log, late);
	complete(log, wrong);
	pyn_cmdlog_tell(log, wrong, PYN_CMDLOG_MISMATCH);
	finish(log);
	stop();
	look(1);
	CHECK(the_found.commands == 3 && the_found.completed == 2 && the_found.mismatches == 1);
	CHECK(the_found.counts.half == 0 && the_found.counts.lost == 0);
}

TEST(of_a_worker_the_first_and_the_last_commands_are_there)
{
	start(100);
	struct pyn_cmdlog *log = begin(true);

	send(log, 50);
	usleep(30000);
	send(log, 2 * ENTRIES);
	finish(log);
	stop();
	look(1);
	CHECK(the_found.about.is_worker && the_found.is_each_once);
	CHECK(the_found.commands + the_found.counts.lost == 100 + ENTRIES);
	CHECK(the_found.counts.skipped == 2 * ENTRIES + 50 - 100 - ENTRIES);
	CHECK(the_found.counts.lost || (the_found.seen[1] && the_found.seen[50]));
	CHECK(the_found.seen[2 * ENTRIES + 50] && !the_found.seen[ENTRIES]);
	CHECK(pyn_capture_depth(10, 3) == 10);
}

static uint32_t data_of(void *context, uint64_t number, void *into, uint32_t size)
{
	(void)context;
	memset(into, 7, 16);
	return number == 2 && size >= 16 ? 16 : 0;
}

TEST(data_are_there)
{
	start(0);
	struct pyn_cmdlog *log = pyn_cmdlog_create(2, &err);

	pyn_capture_begin(log, "drive", 0, false, data_of, NULL);
	CHECK(pyn_capture_depth(3, 10) > 10000);
	send(log, 3);
	finish(log);
	stop();
	look(1);
	CHECK(the_found.commands == 3 && the_found.data == 1);
}

TEST(errors)
{
	CHECK(pyn_capture_stop(&err) == -EINVAL && err.kind == PYN_ERROR_STATE);
	CHECK(pyn_capture_start("/nowhere/x", 0, &err) == -ENOENT && err.kind == PYN_ERROR_SYSTEM);
	start(0);
	CHECK(pyn_capture_start(the_path, 0, &err) == -EALREADY);
	stop();
	CHECK(pyn_capture_start("/dev/full", 0, &err) == 0);
	finish(begin(false));
	CHECK(pyn_capture_stop(&err) == -ENOSPC && strstr(err.text, "not complete"));
	CHECK(!pyn_capture_runs());
}

TEST(a_forked_process_leaves_the_capture_alone)
{
	start(0);
	struct pyn_cmdlog *log = begin(false);
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		bool is_right = !pyn_capture_runs() && pyn_capture_stop(&err) == -EINVAL;

		pyn_capture_end(log);
		_exit(is_right ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	send(log, 2);
	finish(log);
	stop();
	look(1);
	CHECK(the_found.commands == 2 && the_found.has_end);
	free(the_file);
	the_file = NULL;
}
