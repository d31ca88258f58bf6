/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/util/clock.h"

#define ROOM (UINT32_C(1) << 20) /* bytes that are written at once */
#define SHORTEST_NAP_NS 2000000u /* a log of 4096 commands lasts some 8 ms at 500,000 IOPS */
#define LONGEST_NAP_NS 8000000u
#define WORKER_LAST 4096u     /* commands at the end of a worker, with worker_most */
#define WORKER_ENTRIES 32767u /* more than 60 ms of 500,000 IOPS, since the thread may wait for a CPU */

/* A command that has not been written yet: it is in flight, or has just completed. */
struct waiting {
	struct pyn_cmdlog_entry entry;
	bool has_data;
};

struct queue {
	struct queue *next;
	const struct pyn_cmdlog *log;
	char *drive;
	uint16_t qid;
	bool is_worker;
	pyn_capture_data data;
	void *context;
	uint32_t number; /* in the capture; 0: not in it yet */
	uint64_t seen;   /* commands looked at, by their numbers */
	struct pyn_capture_about about;
	struct pyn_capture_counts counts;
	struct waiting *waiting;
	size_t waiting_count, waiting_room;
};

static struct {
	pthread_mutex_t lock;
	struct queue *queues;
	bool runs, stopping;
	_Atomic uint32_t process; /* that the capture, and the list, belong to */
	pthread_t thread;
	int file;
	int error; /* of the first write that failed */
	uint32_t queue_count;
	uint64_t worker_most;
	uint64_t start_ticks, start_ns;
	uint64_t settled; /* commands that completed before are known as a whole */
	uint32_t used;
	unsigned char *room;
	struct {
		uint32_t queue; /* 0: none */
		uint32_t at;    /* in room */
	} open;                 /* a chunk of commands at the end of room, to which more can be added */
} the = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the file ---- */

static void flush(void)
{
	uint32_t at = 0;

	while (at < the.used && !the.error) {
		ssize_t done = write(the.file, the.room + at, the.used - at);

		if (done > 0)
			at += (uint32_t)done;
		else if (done < 0 && errno != EINTR)
			the.error = errno;
	}
	the.used = 0;
	the.open.queue = 0;
}

static void put(const void *bytes, size_t size)
{
	if (size == 0)
		return;
	memcpy(the.room + the.used, bytes, size);
	the.used += (uint32_t)size;
}

static void put_chunk(const struct queue *queue, enum pyn_capture_kind kind, const void *first, size_t first_size,
		      const void *second, size_t second_size)
{
	struct pyn_capture_chunk chunk = {kind, queue->number, first_size + second_size};

	if (the.used + sizeof(chunk) + chunk.size > ROOM)
		flush();
	the.open.queue = kind == PYN_CAPTURE_COMMANDS ? queue->number : 0;
	the.open.at = the.used;
	put(&chunk, sizeof(chunk));
	put(first, first_size);
	put(second, second_size);
}

/* Add a command to the chunk before, if that has commands of the same queue. */
static void put_record(const struct queue *queue, const struct pyn_cmdlog_record *record)
{
	struct pyn_capture_chunk chunk;

	if (the.open.queue != queue->number || the.used + sizeof(*record) > ROOM) {
		put_chunk(queue, PYN_CAPTURE_COMMANDS, record, sizeof(*record), NULL, 0);
		return;
	}
	put(record, sizeof(*record));
	memcpy(&chunk, the.room + the.open.at, sizeof(chunk));
	chunk.size += sizeof(*record);
	memcpy(the.room + the.open.at, &chunk, sizeof(chunk));
}

/* One clock for the whole capture, so that no time goes back. */
static uint64_t time_of(uint64_t ticks)
{
	if (ticks >= the.start_ticks)
		return the.start_ns + pyn_ticks_to_ns(ticks - the.start_ticks);
	return the.start_ns - pyn_ticks_to_ns(the.start_ticks - ticks);
}

static void put_command(struct queue *queue, const struct pyn_cmdlog_entry *entry)
{
	struct pyn_cmdlog_record record;

	pyn_cmdlog_record_of(&record, entry, queue->qid);
	record.submitted = time_of(entry->submitted);
	if (entry->completed)
		record.latency = time_of(entry->completed) - record.submitted;
	put_record(queue, &record);
	queue->counts.written++;
}

static void put_data(struct queue *queue, struct waiting *one)
{
	unsigned char data[PYN_CAPTURE_DATA_MOST];
	uint64_t number = atomic_load_explicit(&one->entry.number, memory_order_relaxed);
	uint32_t length;

	if (!queue->data || one->has_data)
		return;
	one->has_data = true;
	length = queue->data(queue->context, number, data, sizeof(data));
	if (length)
		put_chunk(queue, PYN_CAPTURE_DATA, &number, sizeof(number), data,
			  length < sizeof(data) ? length : sizeof(data));
}

/* ---- queues ---- */

static uint64_t capacity(const struct pyn_cmdlog *log)
{
	return log->last / sizeof(log->entries[0]) + 1;
}

static bool is_complete(const struct pyn_cmdlog_entry *entry)
{
	return atomic_load_explicit(&entry->completed, memory_order_relaxed) != 0;
}

/* Whether nothing more will be written to the entry of a command. */
static bool is_settled(const struct pyn_cmdlog_entry *entry)
{
	return is_complete(entry) && atomic_load_explicit(&entry->completed, memory_order_relaxed) < the.settled;
}

/* Look again at commands that were in flight, and write those that have ended. */
static void look_again(struct queue *queue, bool is_last)
{
	size_t left = 0;

	for (size_t i = 0; i < queue->waiting_count; i++) {
		struct waiting *one = &queue->waiting[i];
		struct pyn_cmdlog_entry now;
		bool is_there = pyn_cmdlog_read_number(queue->log, one->entry.number, &now);

		if (is_there)
			one->entry = now;
		if (is_complete(&one->entry))
			put_data(queue, one);
		if (is_there && !is_last && !is_settled(&one->entry)) {
			if (left != i)
				queue->waiting[left] = *one;
			left++;
			continue;
		}
		queue->counts.half += !is_there && !is_complete(&one->entry);
		put_command(queue, &one->entry);
	}
	queue->waiting_count = left;
}

static void wait_for(struct queue *queue, const struct pyn_cmdlog_entry *entry)
{
	if (queue->waiting_count == queue->waiting_room) {
		size_t room = queue->waiting_room ? 2 * queue->waiting_room : 64;
		struct waiting *more = realloc(queue->waiting, room * sizeof(*more));

		if (!more) {
			queue->counts.half += !is_complete(entry);
			put_command(queue, entry);
			return;
		}
		queue->waiting = more;
		queue->waiting_room = room;
	}
	struct waiting *one = &queue->waiting[queue->waiting_count++];

	*one = (struct waiting){.entry = *entry};
	if (is_complete(entry))
		put_data(queue, one);
}

/* Look at the commands up to a number for the first time. */
static void look_at(struct queue *queue, uint64_t last)
{
	while (queue->seen < last) {
		struct pyn_cmdlog_entry entry;

		if (!pyn_cmdlog_read_number(queue->log, ++queue->seen, &entry))
			queue->counts.lost++;
		else if (is_settled(&entry) && !queue->data)
			put_command(queue, &entry);
		else
			wait_for(queue, &entry);
	}
}

/* Go to a number, and count the commands in between. */
static void pass_over(struct queue *queue, uint64_t number, uint64_t *counter)
{
	if (number <= queue->seen)
		return;
	*counter += number - queue->seen;
	queue->seen = number;
}

/* Copy what is new in a log. is_last: also what has not completed. */
static void copy(struct queue *queue, bool is_last)
{
	uint64_t count = atomic_load_explicit(&queue->log->count, memory_order_acquire);
	uint64_t oldest = count > capacity(queue->log) ? count - capacity(queue->log) : 0;
	uint64_t most = UINT64_MAX;
	bool is_limited = queue->is_worker && the.worker_most;

	if (is_limited)
		most = queue->about.before + the.worker_most;
	look_again(queue, is_last);
	pass_over(queue, oldest < most ? oldest : most, &queue->counts.lost);
	look_at(queue, count < most ? count : most);
	if (!is_last)
		return;
	if (is_limited)
		pass_over(queue, count > WORKER_LAST ? count - WORKER_LAST : 0, &queue->counts.skipped);
	pass_over(queue, oldest, &queue->counts.lost);
	look_at(queue, count);
	look_again(queue, true);
}

static void add(struct queue *queue)
{
	queue->number = ++the.queue_count;
	queue->seen = atomic_load_explicit(&queue->log->count, memory_order_acquire);
	queue->about = (struct pyn_capture_about){queue->qid, queue->is_worker, 0, queue->seen};
	queue->counts = (struct pyn_capture_counts){0};
	put_chunk(queue, PYN_CAPTURE_QUEUE, &queue->about, sizeof(queue->about), queue->drive, strlen(queue->drive));
}

static void finish(struct queue *queue)
{
	copy(queue, true);
	queue->counts.sent = queue->seen - queue->about.before;
	put_chunk(queue, PYN_CAPTURE_END, &queue->counts, sizeof(queue->counts), NULL, 0);
	free(queue->waiting);
	queue->waiting = NULL;
	queue->waiting_count = queue->waiting_room = 0;
	queue->number = 0;
}

/* Take the lock. false: this is a forked process, whose parent has the capture and the thread. */
static bool enter(void)
{
	uint32_t process = pyn_process_number() + 1, owner = atomic_load(&the.process);

	if (owner && owner != process)
		return false;
	pthread_mutex_lock(&the.lock);
	atomic_store(&the.process, process);
	return true;
}

void pyn_capture_begin(const struct pyn_cmdlog *log, const char *drive, uint16_t qid, bool is_worker,
		       pyn_capture_data data, void *context)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	char *name = strdup(drive);

	if (!queue || !name || !enter()) {
		free(queue);
		free(name);
		return;
	}
	*queue = (struct queue){
		.next = the.queues,
		.log = log,
		.drive = name,
		.qid = qid,
		.is_worker = is_worker,
		.data = data,
		.context = context,
	};
	the.queues = queue;
	if (the.runs)
		add(queue);
	pthread_mutex_unlock(&the.lock);
}

void pyn_capture_end(const struct pyn_cmdlog *log)
{
	if (!enter())
		return;
	struct queue **link = &the.queues;

	while (*link && (*link)->log != log)
		link = &(*link)->next;
	struct queue *queue = *link;

	if (queue) {
		if (the.runs)
			finish(queue);
		*link = queue->next;
		free(queue->drive);
		free(queue);
	}
	pthread_mutex_unlock(&the.lock);
}

/* ---- the thread ---- */

static uint64_t work(void)
{
	uint64_t now = pyn_ticks(), before = 0, after = 0;

	for (struct queue *queue = the.queues; queue; queue = queue->next) {
		before += queue->seen;
		copy(queue, false);
		after += queue->seen;
	}
	the.settled = now;
	return after - before;
}

static void *run(void *unused)
{
	struct timespec nap = {.tv_nsec = SHORTEST_NAP_NS};
	bool stopping = false;

	(void)unused;
	while (!stopping) {
		pthread_mutex_lock(&the.lock);
		bool idle = work() == 0;

		stopping = the.stopping;
		pthread_mutex_unlock(&the.lock);
		if (!idle)
			nap.tv_nsec = SHORTEST_NAP_NS;
		else if (nap.tv_nsec < LONGEST_NAP_NS)
			nap.tv_nsec *= 2;
		if (!stopping)
			nanosleep(&nap, NULL);
	}
	return NULL;
}

/* The thread takes no signals, which are for the script. */
static int start_thread(void)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&the.thread, NULL, run, NULL);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

bool pyn_capture_runs(void)
{
	if (!enter())
		return false;
	bool runs = the.runs;

	pthread_mutex_unlock(&the.lock);
	return runs;
}

uint32_t pyn_capture_depth(uint32_t wanted, uint32_t least)
{
	uint32_t depth = wanted > least ? wanted : least;

	return depth < WORKER_ENTRIES && pyn_capture_runs() ? WORKER_ENTRIES : depth;
}

/* Close the file, under the lock. */
static void leave(void)
{
	close(the.file);
	free(the.room);
	the.room = NULL;
	the.runs = false;
}

static int begin(const char *path, uint64_t worker_most, struct pyn_error *err)
{
	if (the.runs)
		return pyn_error(err, PYN_ERROR_STATE, EALREADY, "a capture is running already");
	the.room = malloc(ROOM);
	if (!the.room)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a capture");
	the.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (the.file < 0) {
		free(the.room);
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "%s: %s", path, strerror(errno));
	}
	the.runs = true;
	the.stopping = false;
	the.error = 0;
	the.used = the.queue_count = 0;
	the.open.queue = 0;
	the.worker_most = worker_most;
	the.start_ticks = pyn_ticks();
	the.start_ns = pyn_ticks_to_realtime_ns(the.start_ticks);
	the.settled = 0;
	for (struct queue *queue = the.queues; queue; queue = queue->next)
		add(queue);
	int rc = start_thread();

	if (rc) {
		leave();
		return pyn_error(err, PYN_ERROR_SYSTEM, rc, "no thread for a capture: %s", strerror(rc));
	}
	return 0;
}

int pyn_capture_start(const char *path, uint64_t worker_most, struct pyn_error *err)
{
	if (!enter())
		return pyn_error(err, PYN_ERROR_STATE, ENOTSUP, "this process was forked from one that uses drives");
	int rc = begin(path, worker_most, err);

	pthread_mutex_unlock(&the.lock);
	return rc;
}

int pyn_capture_stop(struct pyn_error *err)
{
	if (!enter())
		return pyn_error(err, PYN_ERROR_STATE, EINVAL, "this process has no capture");
	bool runs = the.runs && !the.stopping;

	the.stopping = true;
	pthread_mutex_unlock(&the.lock);
	if (!runs)
		return pyn_error(err, PYN_ERROR_STATE, EINVAL, "no capture is running");
	pthread_join(the.thread, NULL);
	pthread_mutex_lock(&the.lock);
	for (struct queue *queue = the.queues; queue; queue = queue->next)
		finish(queue);
	flush();
	leave();
	int rc = the.error;

	pthread_mutex_unlock(&the.lock);
	return rc ? pyn_error(err, PYN_ERROR_SYSTEM, rc, "the capture is not complete: %s", strerror(rc)) : 0;
}
