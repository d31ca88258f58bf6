/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* CPU sets */
#include "core/worker/worker_run.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include "core/env/env.h"
#include "core/util/clock.h"

#define CLOSE_RANGE 436               /* its number: headers before glibc 2.34 lack it, kernels before 5.9 the call */
#define CHORE_NS UINT64_C(1000000)    /* between two looks at what is not an IO */
#define PARENT_NS UINT64_C(100000000) /* between two looks at the parent and at deadlines */
#define MAKE_UP_NS UINT64_C(50000000) /* after its time, to send what a rate owes */

/* The SIGBUS handler knows nothing else. */
static struct pyn_worker_run *the_run;

/* -- what is not an IO ---------------------------------------------------------------------------------------- */

/* IOs that count for the second that ends at run->next_second. What a rate made due at its very end comes back a
 * moment after it, and belongs to it; what comes next does not. *open: some of those may still come back. */
static uint64_t completed_in_time(const struct pyn_worker_run *run, uint64_t now, bool *open)
{
	*open = false;
	if (!run->rate || run->config.steps)
		return run->completed;
	uint64_t due = pyn_worker_scheduled(run, run->next_second);

	if (due > run->to_send)
		due = run->to_send;
	if (run->completed >= due)
		return due;
	/* Of a drive that cannot keep up with its rate nothing is waited for. */
	*open = now - run->next_second < pyn_ns_to_ticks(MAKE_UP_NS) && due - run->completed <= run->slot_count;
	return run->completed;
}

static void close_second(struct pyn_worker_run *run, uint64_t completed)
{
	if (run->second < run->config.seconds)
		run->per_second[run->second++] = (uint32_t)(completed - run->second_base);
	atomic_store_explicit(&run->shared->per_second_count, run->second, memory_order_release);
	run->second_base = completed;
	run->next_second += run->second_ticks;
}

void pyn_worker_count_seconds(struct pyn_worker_run *run, uint64_t now, bool all)
{
	while (now >= run->next_second) {
		bool open;
		uint64_t completed = completed_in_time(run, now, &open);

		if (open && !all)
			return;
		close_second(run, completed);
	}
}

/* Who was done in the middle of a second has its last one counted where at least half of it was over. */
static void count_last_second(struct pyn_worker_run *run)
{
	bool done = run->sent == run->to_send && !run->leave && !run->result.error;

	if (done && run->last_completion + run->second_ticks / 2 >= run->next_second)
		close_second(run, run->completed);
}

/* By a reset, a loss of power, or the end of the session. */
static bool is_cut_off(const struct pyn_worker_run *run)
{
	return atomic_load_explicit(&run->device_shared->generation, memory_order_acquire) != run->generation;
}

static bool parent_is_dead(const struct pyn_worker_run *run)
{
	struct pollfd parent = {.fd = run->parent_pidfd, .events = POLLIN};

	return poll(&parent, 1, 0) > 0;
}

/* By the time of the last poll, not by now: this process may have been stopped since, for longer than a deadline. */
static bool something_timed_out(const struct pyn_worker_run *run)
{
	uint64_t allowed = pyn_ns_to_ticks((uint64_t)run->timeout_ms * 1000000u);

	for (unsigned i = 0; i < run->slot_count; i++) {
		const struct pyn_worker_slot *slot = &run->slots[i];

		if (slot->number && run->polled > slot->submitted && run->polled - slot->submitted > allowed)
			return true;
	}
	return false;
}

static void publish(struct pyn_worker_run *run)
{
	if (!run->verify || (run->counts.judged | run->counts.unverified) == 0)
		return;
	pyn_verify_count(run->verify, &run->counts);
	run->result.verified.judged += run->counts.judged;
	run->result.verified.unverified += run->counts.unverified;
	run->result.verified.mismatch += run->counts.mismatch;
	run->counts = (struct pyn_verify_counts){0};
}

/* IOs that were due in time are sent although it is over, as long as it takes to make up for a moment without a CPU;
 * a drive that is slower than the rate is not waited for. */
static bool makes_up(const struct pyn_worker_run *run, uint64_t now)
{
	return run->rate && now - run->ends < pyn_ns_to_ticks(MAKE_UP_NS) && pyn_worker_due(run, run->ends);
}

void pyn_worker_chores(struct pyn_worker_run *run, uint64_t now)
{
	static uint64_t next_parent;

	run->next_chore = now + pyn_ns_to_ticks(CHORE_NS);
	publish(run);
	if (atomic_load_explicit(&run->shared->stop, memory_order_relaxed))
		run->stopping = true;
	if (is_cut_off(run))
		run->leave = true;
	if (now >= run->ends && !makes_up(run, now))
		run->stopping = true;
	if (now < next_parent)
		return;
	next_parent = now + pyn_ns_to_ticks(PARENT_NS);
	if (parent_is_dead(run))
		run->leave = true;
	if (something_timed_out(run)) {
		run->result.error = PYN_WORKER_IO_TIMEOUT;
		run->leave = true;
	}
}

/* -- the process ---------------------------------------------------------------------------------------------- */

/* When it was over: with the last completion, or when its time was. */
static uint64_t over(const struct pyn_worker_run *run, uint64_t now)
{
	if (!run->stopping || run->leave)
		return now;
	if (now >= run->ends && run->last_completion < run->ends && !run->result.error && run->sent < run->to_send)
		return run->ends;
	return run->last_completion;
}

/* IOs are counted by opcode when they are sent: what has not come back is none. */
static void count_by_opcode(struct pyn_worker_run *run)
{
	if (run->kind != PYN_WORKER_VARIED)
		run->result.io_count[0] = run->sent;
	for (uint16_t i = 0; i < run->slot_count; i++)
		if (run->slots[i].number)
			run->result.io_count[run->slots[i].op]--;
}

/* Also when it ends in the middle of the loop. */
static void finish(struct pyn_worker_run *run)
{
	uint64_t now = pyn_ticks();

	publish(run);
	count_by_opcode(run);
	run->result.ticks = over(run, now) - run->started;
	run->result.busy_ticks = run->busy_ticks;
	if (run->config.seconds) {
		pyn_worker_count_seconds(run, now, true);
		count_last_second(run);
	}
	if (run->leave && is_cut_off(run))
		run->result.ended_by = atomic_load(&run->device_shared->end);
	run->shared->result = run->result;
	atomic_store_explicit(&run->shared->finished, 1, memory_order_release);
}

/* The BAR went away under a doorbell (a reset, a removal), or somebody truncated what it maps. */
static void on_sigbus(int signal)
{
	(void)signal;
	if (!is_cut_off(the_run))
		the_run->result.error = PYN_WORKER_GONE;
	the_run->leave = true;
	finish(the_run);
	_exit(0);
}

static void own_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &action, NULL);
	/* Ctrl-C reaches the whole process group: the script decides what it means for us. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = on_sigbus;
	sigaction(SIGBUS, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* An inherited socket keeps a dead script's drive busy, an inherited pipe somebody else waiting. */
static void close_descriptors(struct pyn_worker_run *run)
{
	const int kept = 3;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Where a script runs without standard streams, it lies where they are going to be. */
	int parent = fcntl(run->parent_pidfd, F_DUPFD_CLOEXEC, kept + 1);

	for (int fd = 0; fd < kept && null >= 0; fd++)
		dup2(null, fd);
	run->parent_pidfd = dup2(parent >= 0 ? parent : run->parent_pidfd, kept);
	if (syscall(CLOSE_RANGE, kept + 1, ~0U, 0) == 0)
		return;
	for (int fd = kept + 1, end = (int)sysconf(_SC_OPEN_MAX); fd < end; fd++)
		close(fd);
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* At least 1: an end lies after the start. */
static uint64_t ticks_of(uint64_t ns, uint64_t hz)
{
	uint64_t ticks = (uint64_t)((unsigned __int128)ns * hz / 1000000000u);

	return ticks ? ticks : 1;
}

/* IOs a tick, times 2^64, rounded up by more than a double may be off: what is due at the end of a second is. */
static uint64_t rate_of(double per_tick)
{
	double rate = per_tick * 0x1p64 * (1 + 0x1p-50);

	return rate < 0x1p63 ? (uint64_t)rate + 1 : UINT64_MAX >> 1;
}

/* rate × time, as a person means it: a third of a second is no whole number of nanoseconds. */
static uint64_t rated_of(double iops, uint64_t time_ns)
{
	double count = iops * (double)time_ns / 1e9 * (1 + 2e-9);

	return count < 0x1p63 ? (uint64_t)count : UINT64_MAX;
}

static void start_clock(struct pyn_worker_run *run)
{
	uint64_t hz = pyn_ticks_hz();

	run->started = pyn_ticks();
	run->last_completion = run->started;
	run->next_chore = run->started;
	run->second_ticks = hz;
	run->next_second = run->started + hz;
	run->ends = UINT64_MAX;
	if (run->config.time_ns)
		run->ends = run->started + ticks_of(run->config.time_ns, hz);
	if (run->config.iops)
		run->rate = rate_of(run->config.iops / (double)hz);
	run->rated = run->config.time_ns ? rated_of(run->config.iops, run->config.time_ns) : UINT64_MAX;
	run->rate_limited = run->rate || run->config.steps;
}

static void (*loop_of_this_processor(void))(struct pyn_worker_run *)
{
#if PYN_WORKER_HAS_V3
	if (__builtin_cpu_supports("x86-64-v3"))
		return pyn_worker_loop_v3;
#endif
	return pyn_worker_loop;
}

void pyn_worker_main(struct pyn_worker_run *run)
{
	the_run = run;
	pyn_verify_forked();
	own_signals();
	close_descriptors(run);
	pin(run->config.cpu);
	prctl(PR_SET_TIMERSLACK, 1); /* naps are as short as they say */
	start_clock(run);
	pyn_worker_chores(run, run->started); /* its queue may be gone already, with a reset */
	if (!run->leave)
		loop_of_this_processor()(run);
	finish(run);
	_exit(0);
}
