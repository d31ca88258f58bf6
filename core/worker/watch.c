/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/worker/watch.h"

#include <string.h>

#include "core/util/clock.h"

#define SETTLING_PARTS 10u     /* of a window: the time that IOs of another depth get to end */
#define RANGE 0.20             /* SNIA PTS: of the mean */
#define EXCURSION 0.10         /* SNIA PTS: of the mean */
#define HISTORY_INDEX_BITS 32u /* of a word of struct pyn_history */

void pyn_watch_start(struct pyn_worker_run *run)
{
	struct pyn_extra *extra = run->state.extra;
	const struct pyn_extra_config *config = &run->config.extra;

	extra->next_histogram = run->clock.started + pyn_ns_to_ticks(config->history_ns);
	extra->window_begins = run->clock.started + pyn_ns_to_ticks(config->target_window_ns / SETTLING_PARTS);
}

/* ---- the largest latency ---- */

static bool is_too_slow(const struct pyn_worker_run *run)
{
	uint64_t most = pyn_ns_to_ticks(run->config.extra.max_latency_ns);

	if (run->shared->latency.max > most)
		return true;
	for (uint16_t i = 0; i < run->slot_count; i++) {
		const struct pyn_worker_slot *slot = &run->slots[i];

		/* The time of the last poll, as for time-outs: this process may have been stopped since. */
		if (slot->number && run->clock.polled > slot->submitted && run->clock.polled - slot->submitted > most)
			return true;
	}
	return false;
}

static void check_latency(struct pyn_worker_run *run)
{
	if (run->result.error || !is_too_slow(run))
		return;
	run->result.error = PYN_WORKER_TOO_SLOW;
	run->state.stopping = true;
}

/* ---- histograms of intervals ---- */

static void save_interval(struct pyn_worker_run *run)
{
	struct pyn_history *history = run->state.extra->history;
	uint64_t used = history->used, start = used++;
	uint64_t *counted = run->state.extra->counted;

	if (history->is_full || used > run->config.extra.history_words) {
		history->is_full = true;
		return;
	}
	for (uint64_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++) {
		uint64_t added = run->shared->latency.buckets[i] - counted[i];

		if (!added)
			continue;
		if (used >= run->config.extra.history_words) {
			history->is_full = true;
			return;
		}
		history->words[used++] = i << HISTORY_INDEX_BITS | (added < UINT32_MAX ? added : UINT32_MAX);
		counted[i] += added;
	}
	history->words[start] = used - start - 1;
	history->used = used;
	history->intervals++;
}

static void save_intervals(struct pyn_worker_run *run, uint64_t now)
{
	uint64_t interval = pyn_ns_to_ticks(run->config.extra.history_ns);

	while (now >= run->state.extra->next_histogram) {
		save_interval(run);
		run->state.extra->next_histogram += interval;
	}
}

void pyn_watch_finish(struct pyn_worker_run *run)
{
	if (run->state.extra->history)
		save_interval(run);
}

/* ---- the highest depth that holds a latency ---- */

static void begin_window(struct pyn_worker_run *run, uint64_t now)
{
	struct pyn_extra *extra = run->state.extra;

	*extra->before = run->shared->latency;
	extra->in_window = true;
	extra->window_begins = now;
	extra->window_ends = now + pyn_ns_to_ticks(run->config.extra.target_window_ns);
}

/* Turn *before into the histogram of the window, whose largest value is that of its highest bucket. */
static void subtract(struct pyn_histogram *before, const struct pyn_histogram *now)
{
	before->count = now->count - before->count;
	before->min = UINT64_MAX;
	before->max = 0;
	for (uint32_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++) {
		before->buckets[i] = now->buckets[i] - before->buckets[i];
		if (!before->buckets[i])
			continue;
		if (before->min == UINT64_MAX)
			before->min = pyn_histogram_lowest(i);
		before->max = pyn_histogram_highest(i);
	}
	if (before->max > now->max)
		before->max = now->max;
}

static void try_depth(struct pyn_worker_run *run, uint64_t now)
{
	struct pyn_extra *extra = run->state.extra;

	extra->depth = (extra->low + extra->high + 1) / 2;
	extra->in_window = false;
	extra->window_begins = now + pyn_ns_to_ticks(run->config.extra.target_window_ns / SETTLING_PARTS);
}

/* Judge the window, and search on by halves: low holds the latency (or is 0), and high may. */
static void end_window(struct pyn_worker_run *run, uint64_t now)
{
	struct pyn_extra *extra = run->state.extra;
	struct pyn_found *found = &run->result.found;
	uint64_t most = pyn_ns_to_ticks(run->config.extra.target_ns);

	subtract(extra->before, &run->shared->latency);
	uint64_t latency = pyn_histogram_percentile(extra->before, run->config.extra.target_percentage);

	if (found->windows < PYN_FOUND_WINDOWS)
		found->window[found->windows++] = (struct pyn_found_window){
			.depth = extra->depth,
			.ios = extra->before->count,
			.ticks = now - extra->window_begins,
			.latency = latency,
		};
	if (extra->before->count && latency <= most)
		extra->low = extra->depth;
	else
		extra->high = extra->depth - 1;
	if (extra->low < extra->high) {
		try_depth(run, now);
		return;
	}
	found->is_depth_found = true;
	found->depth = extra->low;
	run->state.stopping = true;
}

static void search_depth(struct pyn_worker_run *run, uint64_t now)
{
	struct pyn_extra *extra = run->state.extra;

	if (run->state.stopping)
		return;
	if (!extra->in_window && now >= extra->window_begins)
		begin_window(run, now);
	else if (extra->in_window && now >= extra->window_ends)
		end_window(run, now);
}

/* ---- the steady state ---- */

bool pyn_is_steady(const double *values, uint32_t count)
{
	double sum = 0, least = values[0], most = values[0], slope = 0, spread = 0;
	double middle = (double)(count - 1) / 2;

	for (uint32_t i = 0; i < count; i++) {
		sum += values[i];
		least = values[i] < least ? values[i] : least;
		most = values[i] > most ? values[i] : most;
		slope += ((double)i - middle) * values[i];
		spread += ((double)i - middle) * ((double)i - middle);
	}
	double mean = sum / count, excursion = slope / spread * (double)(count - 1);

	if (mean <= 0)
		return false;
	return most - least <= RANGE * mean && excursion <= EXCURSION * mean && -excursion <= EXCURSION * mean;
}

void pyn_watch_steady(struct pyn_worker_run *run)
{
	uint32_t length = run->config.extra.steady_seconds;
	uint32_t rounds = run->seconds.count / length;
	double values[PYN_STEADY_ROUNDS] = {0};

	if (run->seconds.count % length || rounds < PYN_STEADY_ROUNDS || run->state.stopping)
		return;
	for (uint32_t i = 0; i < PYN_STEADY_ROUNDS * length; i++)
		values[i / length] += run->seconds.ios[run->seconds.count - PYN_STEADY_ROUNDS * length + i];
	if (!pyn_is_steady(values, PYN_STEADY_ROUNDS))
		return;
	run->result.found.is_steady = true;
	run->state.stopping = true;
}

void pyn_watch(struct pyn_worker_run *run, uint64_t now)
{
	const struct pyn_extra_config *config = &run->config.extra;

	if (config->max_latency_ns)
		check_latency(run);
	if (run->state.extra->history)
		save_intervals(run, now);
	if (config->target_ns)
		search_depth(run, now);
}
