/* SPDX-License-Identifier: BSD-3-Clause */
/* On request: memory, the arrival of IOs, and histograms by opcode. watch.c has what looks at a worker now and then.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "core/worker/extra.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/env/env.h"
#include "core/util/clock.h"
#include "core/worker/watch.h"

#define ARRIVALS 65536u /* Poisson arrivals that are kept */

static bool wants_any(const struct pyn_extra_config *config)
{
	return config->poisson || config->think_ns || config->max_latency_ns || config->by_opcode ||
	       config->from_due || config->history_ns || config->steady_seconds || config->target_ns;
}

static int no_memory(struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the histograms of an IO worker");
}

static int create_by_opcode(struct pyn_worker_run *run, struct pyn_error *err)
{
	run->state.extra->by_opcode = pyn_dma_alloc(run->config.workload.ops * sizeof(struct pyn_histogram), 64, err);
	if (!run->state.extra->by_opcode)
		return no_memory(err);
	for (uint32_t i = 0; i < run->config.workload.ops; i++)
		pyn_histogram_init(&run->state.extra->by_opcode[i]);
	return 0;
}

static int create_from_due(struct pyn_worker_run *run, struct pyn_error *err)
{
	struct pyn_extra *extra = run->state.extra;

	extra->from_due = pyn_dma_alloc(sizeof(*extra->from_due), 64, err);
	if (!extra->from_due)
		return no_memory(err);
	pyn_histogram_init(extra->from_due);
	run->shared->from_due = extra->from_due;
	if (run->config.extra.poisson)
		extra->arrivals = calloc(ARRIVALS, sizeof(*extra->arrivals));
	return extra->arrivals || !run->config.extra.poisson ? 0 : no_memory(err);
}

/* The kernel allocates its pages when the worker writes to them. */
static int create_history(struct pyn_worker_run *run, struct pyn_error *err)
{
	size_t bytes = sizeof(struct pyn_history) + run->config.extra.history_words * sizeof(uint64_t);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return no_memory(err);
	run->state.extra->history = memory;
	run->state.extra->counted = calloc(PYN_HISTOGRAM_BUCKETS, sizeof(uint64_t));
	return run->state.extra->counted ? 0 : no_memory(err);
}

static int create_target(struct pyn_worker_run *run, struct pyn_error *err)
{
	run->state.extra->before = calloc(1, sizeof(*run->state.extra->before));
	if (!run->state.extra->before)
		return no_memory(err);
	run->state.extra->low = 0;
	run->state.extra->high = run->state.extra->depth = run->slot_count;
	return 0;
}

int pyn_extra_create(struct pyn_worker_run *run, struct pyn_error *err)
{
	const struct pyn_extra_config *config = &run->config.extra;
	int rc = 0;

	if (!wants_any(config))
		return 0;
	run->state.extra = calloc(1, sizeof(*run->state.extra));
	if (!run->state.extra)
		return no_memory(err);
	run->state.extra->random = pyn_random_stream(run->config.seed, 1);
	run->state.extra->think_at = config->think_ios;
	if (config->by_opcode)
		rc = create_by_opcode(run, err);
	if (!rc && config->from_due)
		rc = create_from_due(run, err);
	if (!rc && config->history_ns)
		rc = create_history(run, err);
	if (!rc && config->target_ns)
		rc = create_target(run, err);
	return rc;
}

void pyn_extra_destroy(struct pyn_worker_run *run)
{
	struct pyn_extra *extra = run->state.extra;

	if (!extra)
		return;
	if (extra->history)
		munmap(extra->history,
		       sizeof(struct pyn_history) + run->config.extra.history_words * sizeof(uint64_t));
	pyn_dma_free(extra->by_opcode);
	pyn_dma_free(extra->from_due);
	free(extra->arrivals);
	free(extra->before);
	free(extra->counted);
	free(extra);
}

/* ---- the arrival of IOs ---- */

static double pause_of(struct pyn_extra *extra)
{
	return -log(1 - pyn_skew_uniform(&extra->random)) * extra->mean_ticks;
}

void pyn_extra_start(struct pyn_worker_run *run)
{
	struct pyn_extra *extra = run->state.extra;
	const struct pyn_extra_config *config = &run->config.extra;

	if (config->poisson) {
		extra->mean_ticks = (double)pyn_ticks_hz() / run->config.iops;
		extra->next_arrival = pause_of(extra);
	}
	if (config->poisson || config->think_ns || config->target_ns)
		run->rate.limits = true;
	pyn_watch_start(run);
}

/* Number of IOs that have arrived and were not sent. */
static uint64_t waiting(struct pyn_worker_run *run, uint64_t now)
{
	struct pyn_extra *extra = run->state.extra;

	while (extra->arrived - run->ios.sent < PYN_WORKER_BATCH &&
	       extra->next_arrival <= (double)(now - run->clock.started)) {
		extra->arrived++;
		if (extra->arrivals)
			extra->arrivals[extra->arrived % ARRIVALS] = (struct pyn_arrival){
				extra->arrived, run->clock.started + (uint64_t)extra->next_arrival};
		extra->next_arrival += pause_of(extra);
	}
	return extra->arrived - run->ios.sent;
}

/* Number of IOs that may be sent before the next pause; a pause begins when all of them have completed. */
static uint64_t before_pause(struct pyn_worker_run *run, uint64_t now)
{
	struct pyn_extra *extra = run->state.extra;

	if (extra->think_until) {
		if (now < extra->think_until)
			return 0;
		extra->think_until = 0;
		extra->think_at += run->config.extra.think_ios;
	}
	if (run->ios.sent < extra->think_at)
		return extra->think_at - run->ios.sent;
	if (run->free.count == run->slot_count)
		extra->think_until = now + pyn_ns_to_ticks(run->config.extra.think_ns);
	return 0;
}

uint64_t pyn_extra_due(struct pyn_worker_run *run, uint64_t now, uint64_t most)
{
	struct pyn_extra *extra = run->state.extra;
	uint64_t limit = PYN_WORKER_BATCH;

	if (extra->mean_ticks) {
		limit = waiting(run, now);
		most = limit < most ? limit : most;
	}
	if (run->config.extra.think_ns) {
		limit = before_pause(run, now);
		most = limit < most ? limit : most;
	}
	if (extra->depth) {
		uint32_t in_flight = (uint32_t)(run->slot_count - run->free.count);

		limit = in_flight < extra->depth ? extra->depth - in_flight : 0;
		most = limit < most ? limit : most;
	}
	return most;
}

/* ---- several regions ---- */

void pyn_extra_place(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	const struct pyn_extra_config *config = &run->config.extra;
	uint64_t joined = 0;

	for (uint32_t i = 0; i < config->regions; i++) {
		const struct pyn_region *region = &config->region[i];
		uint64_t size = region->past - region->start;

		if (io->slba - joined >= size) {
			joined += size;
			continue;
		}
		uint64_t left = size - (io->slba - joined);

		if (io->nlb > left) {
			io->nlb = (uint32_t)left;
			if (io->sequential)
				pyn_workload_go_on_at(&run->workload, joined + size);
		}
		io->slba = region->start + (io->slba - joined);
		return;
	}
}

struct pyn_region pyn_extra_hull(const struct pyn_extra_config *config)
{
	struct pyn_region hull = config->region[0];

	for (uint32_t i = 1; i < config->regions; i++) {
		hull.start = config->region[i].start < hull.start ? config->region[i].start : hull.start;
		hull.past = config->region[i].past > hull.past ? config->region[i].past : hull.past;
	}
	return hull;
}

/* ---- by opcode, and from the due time ---- */

/* When an IO was due, in ticks. An arrival that is no longer known, since so many others came later, counts from its
 * submission. */
static uint64_t due_of(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	const struct pyn_extra *extra = run->state.extra;
	uint64_t number = slot->number, due = slot->submitted;

	if (extra->arrivals) {
		const struct pyn_arrival *arrival = &extra->arrivals[number % ARRIVALS];

		due = arrival->number == number ? arrival->ticks : due;
	} else if (run->config.steps) {
		uint64_t step = number < run->config.steps ? number - 1 : run->config.steps - 1u;

		due = run->clock.started + pyn_ns_to_ticks(run->config.sequence[step].time_us * 1000);
	} else if (run->rate.per_tick) {
		unsigned __int128 ticks = (((unsigned __int128)number << 64) - 1) / run->rate.per_tick + 1;

		due = run->clock.started + (uint64_t)ticks;
	}
	return due < slot->submitted ? due : slot->submitted;
}

void pyn_extra_time(struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	const struct pyn_cmdlog_entry *entry = pyn_cmdlog_entry(run->log, slot->number);

	struct pyn_extra *extra = run->state.extra;

	if (extra->by_opcode)
		pyn_histogram_record(&extra->by_opcode[slot->op], entry->completed - slot->submitted);
	if (extra->from_due) {
		uint64_t due = due_of(run, slot);

		pyn_histogram_record(extra->from_due, entry->completed > due ? entry->completed - due : 0);
	}
}

void pyn_extra_chores(struct pyn_worker_run *run, uint64_t now)
{
	pyn_watch(run, now);
}

void pyn_extra_second(struct pyn_worker_run *run)
{
	if (run->config.extra.steady_seconds)
		pyn_watch_steady(run);
}

void pyn_extra_finish(struct pyn_worker_run *run)
{
	pyn_watch_finish(run);
}
