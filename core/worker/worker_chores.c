/* SPDX-License-Identifier: BSD-3-Clause */
/* The other work of a worker: counts seconds, and checks the script, the device, the time and its parent. */
#include "core/worker/worker_run.h"
#include "core/worker/extra.h"

#include <poll.h>

#include "core/util/clock.h"

#define CHORE_NS UINT64_C(1000000)    /* between two chores */
#define PARENT_NS UINT64_C(100000000) /* between two checks of the parent and of deadlines */
#define MAKE_UP_NS UINT64_C(50000000) /* extra time to send IOs that the rate made due */

/* Number of IOs that count for the second that ends at run->seconds.next. IOs that the rate made due at its very end
 * complete a moment later and still count; later ones do not. *open: some of those have not completed yet. */
static uint64_t completed_in_time(const struct pyn_worker_run *run, uint64_t now, bool *open)
{
	*open = false;
	if (!run->rate.per_tick || run->config.steps)
		return run->ios.completed;
	uint64_t due = pyn_worker_scheduled(run, run->seconds.next);

	if (due > run->ios.to_send)
		due = run->ios.to_send;
	if (run->ios.completed >= due)
		return due;
	/* Do not wait for a drive that cannot keep up with the rate. */
	*open = now - run->seconds.next < pyn_ns_to_ticks(MAKE_UP_NS) && due - run->ios.completed <= run->slot_count;
	return run->ios.completed;
}

static void close_second(struct pyn_worker_run *run, uint64_t completed)
{
	if (run->seconds.count < run->config.seconds)
		run->seconds.ios[run->seconds.count++] = (uint32_t)(completed - run->seconds.base);
	atomic_store_explicit(&run->shared->per_second_count, run->seconds.count, memory_order_release);
	run->seconds.base = completed;
	run->seconds.next += run->seconds.ticks;
	if (run->state.extra)
		pyn_extra_second(run);
}

void pyn_worker_count_seconds(struct pyn_worker_run *run, uint64_t now, bool all)
{
	while (now >= run->seconds.next) {
		bool open;
		uint64_t completed = completed_in_time(run, now, &open);

		if (open && !all)
			return;
		close_second(run, completed);
	}
}

void pyn_worker_count_last_second(struct pyn_worker_run *run)
{
	bool done = run->ios.sent == run->ios.to_send && !run->state.leave && !run->result.error;

	if (done && run->clock.last_completion + run->seconds.ticks / 2 >= run->seconds.next)
		close_second(run, run->ios.completed);
}

bool pyn_worker_is_cut_off(const struct pyn_worker_run *run)
{
	return atomic_load_explicit(&run->device_shared->cut_offs, memory_order_acquire) != run->cut_offs;
}

static bool parent_is_dead(const struct pyn_worker_run *run)
{
	struct pollfd parent = {.fd = run->parent_pidfd, .events = POLLIN};

	return poll(&parent, 1, 0) > 0;
}

/* Uses the time of the last poll instead of now: this process may have been stopped since for longer than a
 * deadline. */
static bool something_timed_out(const struct pyn_worker_run *run)
{
	uint64_t allowed = pyn_ns_to_ticks((uint64_t)run->timeout_ms * 1000000u);

	for (unsigned i = 0; i < run->slot_count; i++) {
		const struct pyn_worker_slot *slot = &run->slots[i];

		if (slot->number && run->clock.polled > slot->submitted &&
		    run->clock.polled - slot->submitted > allowed)
			return true;
	}
	return false;
}

void pyn_worker_publish(struct pyn_worker_run *run)
{
	if (!run->verify || (run->counts.checked | run->counts.unverified) == 0)
		return;
	pyn_verify_count(run->verify, &run->counts);
	run->result.verified.checked += run->counts.checked;
	run->result.verified.unverified += run->counts.unverified;
	run->result.verified.mismatch += run->counts.mismatch;
	run->counts = (struct pyn_verify_counts){0};
}

/* Whether to send IOs that were due in time although the time is over, to make up for a moment without a CPU. Does
 * not wait for a drive that is slower than the rate. */
static bool makes_up(struct pyn_worker_run *run, uint64_t now)
{
	return run->rate.per_tick && now - run->clock.ends < pyn_ns_to_ticks(MAKE_UP_NS) &&
	       pyn_worker_due(run, run->clock.ends);
}

void pyn_worker_chores(struct pyn_worker_run *run, uint64_t now)
{
	static uint64_t next_parent;

	run->clock.next_chore = now + pyn_ns_to_ticks(CHORE_NS);
	pyn_worker_publish(run);
	if (atomic_load_explicit(&run->shared->stop, memory_order_relaxed))
		run->state.stopping = true;
	if (pyn_worker_is_cut_off(run))
		run->state.leave = true;
	if (now >= run->clock.ends && !makes_up(run, now))
		run->state.stopping = true;
	if (run->state.extra)
		pyn_extra_chores(run, now);
	if (now < next_parent)
		return;
	next_parent = now + pyn_ns_to_ticks(PARENT_NS);
	if (parent_is_dead(run))
		run->state.leave = true;
	if (something_timed_out(run)) {
		if (!run->result.error)
			run->result.error = PYN_WORKER_IO_TIMEOUT;
		run->state.leave = true;
	}
}
