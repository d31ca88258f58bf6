/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* P_PIDFD */
#include "core/worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/data/capture.h"
#include "core/data/pattern.h"
#include "core/data/transfer.h"
#include "core/engine/engine.h"
#include "core/worker/cpus.h"
#include "core/worker/worker_meta.h"
#include "core/worker/worker_run.h"
#include "core/worker/extra.h"
#include "core/worker/zones.h"
#include "core/util/clock.h"
#include "core/util/fork.h"
#include "core/util/log.h"
#include "spec/commands.h"

#define KILLED_MS 10000u /* a process ends within this time after SIGKILL; its memory is freed afterwards */

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct pyn_worker {
	struct pyn_device *device; /* holds a reference */
	struct pyn_io_qpair *queue;
	struct pyn_verify *verify; /* a reference, or NULL */
	struct pyn_verify_untracked untracked;
	bool is_untracked; /* from its start to the end of its queue: verification does not note its changes */
	bool is_changer;   /* for the same time: it counts as a process that changes cells */
	bool is_writer;    /* for the same time: files of verification are told of its region */
	struct pyn_worker_run *run; /* in private memory: the child works on its copy */
	struct pyn_worker_shared *shared;
	struct pyn_worker_flight *flight; /* shared, like per_second */
	uint32_t *per_second;
	struct pyn_cmdlog *log;
	uint8_t *data;           /* the buffers and lists of all slots */
	uint8_t *private_memory; /* slots, base CRCs, snapshots */
	struct pyn_workload_step *sequence;
	uint32_t process; /* pyn_process_number of the process that created it */
	int pid;
	int pidfd;
	int cpu; /* counted in the_cpus; -1: none */
	int exit_signal;
	uint32_t ended_by; /* enum pyn_device_end; the process itself may have been killed before it recorded it */
	bool started, ended, finished;
	bool left; /* the queue stays, for a debugger, or because the drive has not confirmed its deletion */
};

/* ---- memory ---- */

static bool sends(const struct pyn_worker_config *config, uint8_t opcode)
{
	for (uint32_t i = 0; i < config->workload.ops; i++)
		if (config->workload.opcode[i] == opcode && (config->workload.percentage[i] || config->steps))
			return true;
	return false;
}

bool pyn_worker_sends(uint8_t opcode)
{
	return spec_commands[SPEC_IO][opcode].flags & SPEC_BY_WORKERS;
}

static bool writes_lbas(uint8_t opcode)
{
	return pyn_transfers_lbas(opcode) && opcode & NVME_DATA_TO_DEVICE;
}

static bool is_data_change(uint8_t opcode)
{
	return spec_commands[SPEC_IO][opcode].changes != SPEC_CHANGES_NONE;
}

static bool sends_any(const struct pyn_worker_config *config, bool (*is_one)(uint8_t opcode))
{
	for (uint32_t i = 0; i < config->workload.ops; i++)
		if (is_one(config->workload.opcode[i]) && (config->workload.percentage[i] || config->steps))
			return true;
	return false;
}

static bool changes_data(const struct pyn_worker_config *config)
{
	for (uint32_t i = 0; i < config->steps; i++)
		if (is_data_change(config->sequence[i].opcode))
			return true;
	for (uint32_t i = 0; i < config->workload.ops; i++)
		if (is_data_change(config->workload.opcode[i]) && config->workload.percentage[i])
			return true;
	return false;
}

/* The LBAs of its commands. A replay may also leave the region of the workload. */
static struct pyn_region region_of(const struct pyn_worker_run *run)
{
	struct pyn_region region = {run->workload.start, run->workload.end};

	if (run->config.extra.regions)
		return pyn_extra_hull(&run->config.extra);
	for (uint32_t i = 0; i < run->config.steps; i++) {
		const struct pyn_workload_step *step = &run->config.sequence[i];

		if (i == 0)
			region = (struct pyn_region){step->slba, step->slba + step->nlb};
		region.start = step->slba < region.start ? step->slba : region.start;
		region.past = step->slba + step->nlb > region.past ? step->slba + step->nlb : region.past;
	}
	return region;
}

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

/* The memory of one slot. */
struct layout {
	uint32_t largest; /* LBAs of the largest transfer */
	size_t page;      /* bytes of a memory page of the device */
	size_t data;      /* bytes of a buffer, whole pages */
	size_t list;      /* bytes that the engine needs to describe it */
	size_t range;     /* bytes for the range of a DSM command: a page, or 0 */
	size_t meta;      /* bytes of separate metadata, whole pages */
	bool reads, writes;
};

static size_t dma_of_slot(const struct layout *layout)
{
	return ((size_t)layout->reads + layout->writes) * (layout->data + layout->list) + layout->range +
	       layout->meta;
}

static size_t private_of_slot(const struct layout *layout)
{
	return round_up(sizeof(struct pyn_worker_slot), 64) +
	       round_up(layout->largest * (sizeof(uint32_t) + sizeof(uint64_t)), 64);
}

/* The largest transfer, in LBAs. A command without data may have more LBAs. */
static uint32_t largest_transfer(const struct pyn_worker_run *run)
{
	const struct pyn_worker_config *config = &run->config;
	uint32_t largest = 0;

	if (!config->steps)
		return sends_any(config, pyn_transfers_lbas) ? pyn_workload_largest(&run->workload) : 0;
	for (uint32_t i = 0; i < config->steps; i++) {
		const struct pyn_workload_step *step = &config->sequence[i];

		if (pyn_transfers_lbas(step->opcode) && step->nlb > largest)
			largest = step->nlb;
	}
	return largest;
}

static struct layout layout_of(const struct pyn_worker *worker)
{
	const struct pyn_worker_run *run = worker->run;
	struct layout layout = {.largest = largest_transfer(run), .page = pyn_device_page(worker->device)};

	layout.data = round_up((size_t)layout.largest * run->config.lba_size, layout.page);
	layout.list = pyn_device_list_bytes(worker->device, (uint32_t)layout.data);
	layout.reads = sends(&run->config, NVME_IO_READ);
	layout.writes = sends_any(&run->config, writes_lbas);
	layout.meta = round_up(pyn_worker_meta_bytes(run, layout.largest), layout.page);
	layout.range = sends(&run->config, NVME_IO_DSM) ? layout.page : 0;
	return layout;
}

/* Let the engine prepare a template for a buffer of this many bytes. Its list follows the buffer in memory. */
static int prepare_data(struct pyn_worker *worker, struct pyn_data_template *data, void *memory, size_t bytes,
			struct pyn_error *err)
{
	*data = (struct pyn_data_template){.memory = memory, .list = (uint8_t *)memory + bytes};
	return pyn_device_prepare_template(worker->device, data, (uint32_t)bytes, err);
}

static void base_crcs(const struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint32_t largest)
{
	uint32_t size = run->config.lba_size;

	for (uint32_t i = 0; i < largest; i++) {
		uint8_t *lba = slot->write_data + (size_t)i * size;

		memset(lba, 0, sizeof(uint64_t));
		memset(lba + size - sizeof(uint64_t), 0, sizeof(uint64_t));
		slot->base_crc[i] = pyn_crc32c(0, lba, size);
	}
}

static void place_private(const struct pyn_worker *worker, const struct layout *layout, uint16_t index)
{
	const struct pyn_worker_run *run = worker->run;
	struct pyn_worker_slot *slot = &run->slots[index];
	uint8_t *memory = worker->private_memory + run->slot_count * round_up(sizeof(struct pyn_worker_slot), 64) +
			  index * round_up(layout->largest * (sizeof(uint32_t) + sizeof(uint64_t)), 64);

	slot->cells = (uint64_t *)memory;
	slot->base_crc = (uint32_t *)(slot->cells + layout->largest);
	slot->write_crc = (uint32_t *)slot->cells; /* a command is a read or a write */
}

static void compress(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint32_t largest)
{
	size_t size = run->config.lba_size, zeros = size * run->config.extra.compress / 100;

	for (uint32_t i = 0; i < largest; i++)
		memset(slot->write_data + (i + 1) * size - zeros, 0, zeros);
}

static int build_write_data(struct pyn_worker *worker, const struct layout *layout, struct pyn_worker_slot *slot,
			    struct pyn_random *random, struct pyn_error *err)
{
	const struct pyn_worker_run *run = worker->run;
	int rc = prepare_data(worker, &slot->write, slot->write_data, layout->data, err);

	if (!rc)
		rc = pyn_pattern_fill(slot->write_data, (size_t)layout->largest * run->config.lba_size,
				      run->config.ptype, run->config.pvalue, random, err);
	if (!rc)
		compress(run, slot, layout->largest);
	if (!rc && run->noted && !run->state.meta.slots)
		base_crcs(run, slot, layout->largest);
	return rc;
}

static int build_slot(struct pyn_worker *worker, const struct layout *layout, uint16_t index,
		      struct pyn_random *random, struct pyn_error *err)
{
	struct pyn_worker_slot *slot = &worker->run->slots[index];
	uint8_t *memory = worker->data + index * dma_of_slot(layout);
	int rc = 0;

	place_private(worker, layout, index);
	if (layout->reads) {
		slot->read_data = memory;
		rc = prepare_data(worker, &slot->read, memory, layout->data, err);
		memory += layout->data + layout->list;
	}
	if (!rc && layout->writes) {
		slot->write_data = memory;
		rc = build_write_data(worker, layout, slot, random, err);
		memory += layout->data + layout->list;
	}
	if (!rc && layout->range)
		rc = prepare_data(worker, &slot->range, memory, layout->range, err);
	if (!rc && layout->meta)
		rc = pyn_worker_meta_place(worker->run, index, memory + layout->range, err);
	return rc;
}

static int allocate(struct pyn_worker *worker, struct pyn_error *err)
{
	struct pyn_worker_run *run = worker->run;
	struct layout layout = layout_of(worker);
	struct pyn_random random = pyn_random_stream(run->config.seed, UINT64_MAX);
	size_t flight = run->slot_count * sizeof(struct pyn_worker_flight);

	worker->data = pyn_dma_alloc(run->slot_count * dma_of_slot(&layout) + layout.page, layout.page, err);
	worker->shared = pyn_dma_alloc(sizeof(*worker->shared), 64, err);
	worker->flight = pyn_dma_alloc(flight, 64, err);
	worker->log = pyn_cmdlog_create(pyn_capture_depth(run->config.log_entries, run->slot_count + 1u), err);
	worker->per_second = pyn_dma_alloc((run->config.seconds + 1) * sizeof(uint32_t), 64, err);
	worker->private_memory = aligned_alloc(64, run->slot_count * private_of_slot(&layout));
	run->free.slots = calloc(run->slot_count, sizeof(*run->free.slots));
	if (!worker->data || !worker->shared || !worker->flight || !worker->log || !worker->per_second ||
	    !worker->private_memory || !run->free.slots)
		return -ENOMEM;
	memset(worker->private_memory, 0, run->slot_count * private_of_slot(&layout));
	pyn_histogram_init(&worker->shared->latency);
	run->slots = (struct pyn_worker_slot *)worker->private_memory;
	run->shared = worker->shared;
	run->flight = worker->flight;
	run->log = worker->log;
	run->seconds.ios = worker->per_second;
	int rc = pyn_extra_create(run, err);

	if (!rc)
		rc = pyn_worker_meta_create(run, layout.largest, err);
	for (uint16_t i = 0; !rc && i < run->slot_count; i++) {
		rc = build_slot(worker, &layout, i, &random, err);
		run->free.slots[run->free.count++] = (uint16_t)(run->slot_count - 1 - i);
	}
	return rc;
}

/* ---- life ---- */

/* Hold the part of its region where verification does not note its changes. A worker that only reads holds nothing.
 */
static void begin_untracked(struct pyn_worker *worker)
{
	struct pyn_worker_run *run = worker->run;
	struct pyn_region region = region_of(run);
	uint64_t from = region.start < run->noted ? run->noted : region.start;

	if (!worker->verify || from >= region.past || !changes_data(&run->config))
		return;
	pyn_verify_untracked_begin(worker->verify, &worker->untracked, from, region.past - from);
	worker->is_untracked = true;
}

static void end_untracked(struct pyn_worker *worker)
{
	if (worker->is_untracked)
		pyn_verify_untracked_end(worker->verify, &worker->untracked);
	worker->is_untracked = false;
}

static void begin_changes(struct pyn_worker *worker)
{
	if (!worker->verify || !worker->run->noted || !changes_data(&worker->run->config))
		return;
	pyn_verify_changer_begin(worker->verify);
	if (worker->run->state.meta.verify)
		pyn_verify_changer_begin(worker->run->state.meta.verify);
	worker->is_changer = true;
}

static void begin_writing(struct pyn_worker *worker)
{
	struct pyn_region region = region_of(worker->run);

	if (!worker->verify || !changes_data(&worker->run->config))
		return;
	pyn_verify_writer_begin(worker->verify, region.start, region.past - region.start);
	worker->is_writer = true;
}

static void end_writing(struct pyn_worker *worker)
{
	if (worker->is_writer)
		pyn_verify_writer_end(worker->verify);
	worker->is_writer = false;
}

static void end_changes(struct pyn_worker *worker)
{
	if (worker->is_changer)
		pyn_verify_changer_end(worker->verify);
	if (worker->is_changer && worker->run->state.meta.verify)
		pyn_verify_changer_end(worker->run->state.meta.verify);
	worker->is_changer = false;
}

static void abandon(struct pyn_verify *verify, const struct pyn_worker_flight *flight)
{
	if (flight->state == PYN_FLIGHT_BEGUN)
		pyn_verify_change_end(verify, flight->slba, flight->nlb, PYN_WRITE_FAILED);
	else if (flight->state == PYN_FLIGHT_MOVING)
		pyn_verify_write_lost(verify, flight->slba, flight->nlb);
}

/* Make the LBAs of its in-flight writes unknown. Call it once the queue is deleted. */
static void abandon_flight(struct pyn_worker *worker)
{
	end_untracked(worker);
	for (uint16_t i = 0; worker->verify && i < worker->run->slot_count; i++) {
		abandon(worker->verify, &worker->flight[i]);
		if (worker->run->state.meta.verify)
			abandon(worker->run->state.meta.verify, &worker->flight[i]);
		worker->flight[i].state = PYN_FLIGHT_NONE;
	}
	end_changes(worker);
	end_writing(worker);
}

static void destroy(struct pyn_worker *worker)
{
	pyn_capture_end(worker->log);
	pyn_cmdlog_destroy(worker->log);
	pyn_dma_free(worker->data);
	pyn_dma_free(worker->flight);
	pyn_dma_free(worker->per_second);
	pyn_dma_free(worker->shared);
	if (worker->run) {
		pyn_verify_put(worker->run->state.meta.verify);
		pyn_worker_meta_destroy(worker->run);
		pyn_zones_destroy(worker->run);
		free(worker->run->free.slots);
		pyn_extra_destroy(worker->run);
	}
	pyn_verify_put(worker->verify);
	free(worker->private_memory);
	free(worker->sequence);
	free(worker->run);
	free(worker);
}

/* Called when a reset has removed a queue that pyn_worker_free left to the device. */
static void queue_gone(void *user)
{
	struct pyn_worker *worker = user;

	abandon_flight(worker);
	destroy(worker);
}

/* If the device does not confirm the deletion, it may still write to the buffers: then the queue stays. */
static void delete_queue(struct pyn_worker *worker)
{
	struct pyn_error err;

	if (worker->left)
		return;
	if (pyn_io_qpair_delete(worker->queue, &err) == 0) {
		abandon_flight(worker);
		return;
	}
	worker->left = true;
	pyn_log(PYN_LOG_WARNING,
		"queue %u of an IO worker could not be deleted; its memory stays allocated until a reset: %s",
		worker->queue->qid, err.text);
}

static void free_queue(struct pyn_io_qpair *queue)
{
	pyn_device_lock(queue->device);
	queue->stop = NULL; /* under the lock, so that it is not running now */
	pyn_device_unlock(queue->device);
	pyn_io_qpair_free(queue);
}

static void end_process(struct pyn_worker *worker)
{
	struct pyn_worker_result ignored;

	if (worker->started && !worker->ended) {
		pyn_worker_kill(worker);
		pyn_worker_wait(worker, KILLED_MS);
		pyn_worker_finish(worker, &ignored);
	}
	pyn_cpu_release(worker->cpu);
	if (worker->pidfd >= 0)
		close(worker->pidfd);
}

void pyn_worker_free(struct pyn_worker *worker)
{
	if (!worker)
		return;
	if (worker->process != pyn_process_number()) {
		destroy(worker); /* a copy in a forked process: pyn_dma_free leaves the memory of another process
				    alone */
		return;
	}
	struct pyn_device *device = worker->device;
	struct pyn_io_qpair *queue = worker->queue;

	end_process(worker);
	if (queue)
		delete_queue(worker);
	if (worker->left) {
		pyn_io_qpair_hand_over(queue, queue_gone, worker);
	} else {
		if (queue)
			free_queue(queue);
		destroy(worker);
	}
	pyn_device_put(device);
}

static int check_mdts(const struct pyn_worker *worker, struct pyn_error *err)
{
	uint64_t mdts = pyn_device_mdts(worker->device);
	uint64_t length = (uint64_t)largest_transfer(worker->run) * worker->run->config.lba_size;

	if (length > worker->run->engine->largest_transfer)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "io_size is %llu bytes; one command transfers %u at most",
				 (unsigned long long)length, worker->run->engine->largest_transfer);
	if (mdts == 0 || length <= mdts)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
			 "io_size is %llu bytes, which is larger than MDTS: the drive transfers %llu at most",
			 (unsigned long long)length, (unsigned long long)mdts);
}

static int check_sgls(const struct pyn_worker *worker, struct pyn_error *err)
{
	if (worker->run->config.extra.sgl_percentage == 0 ||
	    !pyn_engine_withheld(worker->run->engine, PYN_CAN_SGLS, PYN_ADDRESS_SOCKET))
		return 0;
	return pyn_engine_withholds(PYN_CAN_SGLS, err);
}

static int copy_sequence(struct pyn_worker *worker, const struct pyn_worker_config *config, struct pyn_error *err)
{
	worker->sequence = malloc(config->steps * sizeof(*worker->sequence));
	if (!worker->sequence)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for an io_sequence of %u entries",
				 config->steps);
	memcpy(worker->sequence, config->sequence, config->steps * sizeof(*worker->sequence));
	worker->run->config.sequence = worker->sequence;
	return 0;
}

static int create_run(struct pyn_worker *worker, const struct pyn_worker_config *config, struct pyn_error *err)
{
	struct pyn_worker_run *run = aligned_alloc(64, round_up(sizeof(*run), 64));
	int rc;

	worker->run = run;
	if (!run)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for an IO worker");
	memset(run, 0, sizeof(*run));
	rc = pyn_device_check(worker->device, err);
	if (rc)
		return rc;
	run->config = *config;
	rc = config->steps ? copy_sequence(worker, config, err) : 0;
	if (rc)
		return rc;
	run->verify = worker->verify;
	if (worker->verify && pyn_worker_has_metadata(config))
		run->state.meta.verify = pyn_verify_metadata(worker->verify);
	run->config.check = config->check && worker->verify;
	run->noted = config->track && worker->verify ? pyn_verify_limit(worker->verify) : 0;
	run->stamp = pyn_crc32c_stamp_for(config->lba_size);
	run->slot_count = (uint16_t)(config->qdepth - 1);
	run->ios.to_send = config->io_count ? config->io_count : UINT64_MAX;
	if (config->steps && config->steps < run->ios.to_send)
		run->ios.to_send = config->steps;
	run->timeout_ms = *pyn_device_timeout_ms(worker->device);
	run->engine = pyn_device_engine(worker->device);
	run->device_shared = pyn_device_shared(worker->device);
	rc = pyn_workload_init(&run->workload, &config->workload, config->nlba, pyn_random_stream(config->seed, 0),
			       err);
	run->workload.is.plain &= !config->extra.regions;
	if (!rc && region_of(run).start >= run->noted)
		run->noted = 0;
	return rc;
}

/* End the process before its queue is removed, by a reset or a close. */
static void stop_process(void *user, uint32_t grace_ms)
{
	struct pyn_worker *worker = user;

	if (!worker->ended_by)
		worker->ended_by = atomic_load(&pyn_device_shared(worker->device)->end);
	if (pyn_worker_wait(worker, grace_ms))
		return;
	pyn_worker_kill(worker);
	pyn_worker_wait(worker, KILLED_MS);
}

static int create_queue(struct pyn_worker *worker, struct pyn_error *err)
{
	struct pyn_worker_run *run = worker->run;
	struct pyn_io_qpair_config config = {
		.depth = run->config.qdepth,
		.priority = run->config.priority,
		.vector = 0xffff,
		.for_worker = true,
	};
	/* Read this before creating the queue, so that the worker notices a reset in between. */
	run->cut_offs = atomic_load(&run->device_shared->cut_offs);
	int rc = pyn_io_qpair_create(worker->device, &config, &worker->queue, err);

	if (rc)
		return rc;
	worker->queue->stop = stop_process;
	worker->queue->user = worker;
	run->queue = worker->queue->queue;
	run->rings = run->engine->rings->of(run->queue);
	return 0;
}

static int build(struct pyn_worker *worker, const struct pyn_worker_config *config, int *result,
		 struct pyn_error *err)
{
	int rc = create_run(worker, config, err);

	*result = PYN_WORKER_INIT;
	if (!rc)
		rc = check_sgls(worker, err);
	if (rc)
		return rc;
	rc = check_mdts(worker, err);
	if (rc) {
		*result = PYN_WORKER_MDTS;
		return rc;
	}
	rc = config->zones.on ? pyn_zones_create(worker->run, worker->device, err) : 0;
	if (rc)
		return rc;
	rc = allocate(worker, err);
	if (rc) {
		*result = PYN_WORKER_MEMORY;
		return rc;
	}
	rc = create_queue(worker, err);
	if (!rc)
		*result = PYN_WORKER_OK;
	return rc;
}

int pyn_worker_create(struct pyn_device *device, const struct pyn_worker_config *config, struct pyn_verify *verify,
		      struct pyn_worker **out, int *result, struct pyn_error *err)
{
	struct pyn_worker *worker = calloc(1, sizeof(*worker));
	int rc;

	*result = PYN_WORKER_MEMORY;
	if (!worker)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for an IO worker");
	pyn_device_get(device);
	worker->device = device;
	pyn_verify_get(verify);
	worker->verify = verify;
	worker->process = pyn_process_number();
	worker->pidfd = -1;
	worker->cpu = -1;
	rc = build(worker, config, result, err);
	if (rc) {
		pyn_worker_free(worker);
		return rc;
	}
	*out = worker;
	return 0;
}

/* Block signals until the child has its own handlers: the script's handlers must not run in it. */
static int fork_worker(struct pyn_worker *worker)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int pid = pyn_fork();

	if (pid == 0)
		pyn_worker_main(worker->run);
	int number = errno;

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = number;
	return pid;
}

/* Open a pidfd of the process. Without one, nobody could tell when its memory may be freed, so kill it. */
static int watch(struct pyn_worker *worker, struct pyn_error *err)
{
	worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	if (worker->pidfd >= 0)
		return 0;
	int rc = pyn_error(err, PYN_ERROR_SYSTEM, errno, "pidfd_open: %s", strerror(errno));

	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
	return rc;
}

static int start(struct pyn_worker *worker, struct pyn_error *err)
{
	if (!worker->queue->queue)
		return pyn_error(err, PYN_ERROR_STATE, ENODEV, "the drive was reset before the IO worker started");
	int rc = worker->run->state.zones ? pyn_zones_learn(worker->run, worker->device, err) : 0;

	if (rc)
		return rc;
	worker->run->parent_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (worker->run->parent_pidfd < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "pidfd_open: %s", strerror(errno));
	worker->cpu = pyn_cpu_reserve(worker->run->config.cpu);
	worker->run->config.cpu = worker->cpu;
	begin_untracked(worker);
	begin_changes(worker);
	begin_writing(worker);
	pyn_capture_begin(worker->log, pyn_device_address(worker->device), worker->queue->qid, true, NULL, NULL);
	worker->pid = fork_worker(worker);
	int number = errno;

	close(worker->run->parent_pidfd);
	if (worker->pid < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, number, "cannot start a process for the IO worker: %s",
				 strerror(number));
	rc = watch(worker, err);
	worker->started = !rc;
	return rc;
}

int pyn_worker_start(struct pyn_worker *worker, struct pyn_error *err)
{
	/* A reset frees the memory of queues, and must know about the process before. */
	pyn_device_lock(worker->device);
	int rc = start(worker, err);

	pyn_device_unlock(worker->device);
	return rc;
}

static void reap(struct pyn_worker *worker)
{
	siginfo_t info = {0};

	/* The script may have reaped it, by os.wait(). Then only the shared result tells how it ended. */
	if (waitid(P_PIDFD, (id_t)worker->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		return;
	if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		worker->exit_signal = info.si_status;
	worker->ended = true;
	pyn_cpu_release(worker->cpu);
	worker->cpu = -1;
}

bool pyn_worker_wait(struct pyn_worker *worker, uint32_t budget_ms)
{
	struct pollfd end = {.fd = worker->pidfd, .events = POLLIN};

	if (!worker->started || worker->ended)
		return true;
	if (poll(&end, 1, (int)budget_ms) > 0)
		reap(worker);
	return worker->ended;
}

void pyn_worker_stop(struct pyn_worker *worker)
{
	atomic_store(&worker->shared->stop, 1);
}

void pyn_worker_kill(struct pyn_worker *worker)
{
	if (worker->started && !worker->ended)
		syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
}

void pyn_worker_finish(struct pyn_worker *worker, struct pyn_worker_result *result)
{
	bool reset = atomic_load(&pyn_device_shared(worker->device)->cut_offs) != worker->run->cut_offs;

	*result = worker->shared->result;
	if (worker->started && !atomic_load(&worker->shared->finished)) {
		result->error = reset ? PYN_WORKER_OK : PYN_WORKER_DIED;
		result->signal = worker->exit_signal;
		result->ended_by = reset ? worker->ended_by : PYN_END_NONE;
	}
	if (worker->finished)
		return;
	worker->finished = true;
	pyn_zones_leave(worker->run);
	/* If a script disabled the controller by a register write, the device object still lists the queue, but the
	 * controller answers nothing. */
	worker->left = reset || (worker->run->config.fw_debug && result->error);
	delete_queue(worker);
}

int pyn_worker_pid(const struct pyn_worker *worker)
{
	return worker->started ? worker->pid : 0;
}

uint16_t pyn_worker_qid(const struct pyn_worker *worker)
{
	return worker->queue->qid;
}

const struct pyn_worker_shared *pyn_worker_shared(const struct pyn_worker *worker)
{
	return worker->shared;
}

const uint32_t *pyn_worker_per_second(const struct pyn_worker *worker)
{
	return worker->per_second;
}

const struct pyn_cmdlog *pyn_worker_cmdlog(const struct pyn_worker *worker)
{
	return worker->log;
}

const struct pyn_histogram *pyn_worker_by_opcode(const struct pyn_worker *worker)
{
	return worker->run->state.extra ? worker->run->state.extra->by_opcode : NULL;
}

const struct pyn_history *pyn_worker_history(const struct pyn_worker *worker)
{
	return worker->run->state.extra ? worker->run->state.extra->history : NULL;
}
