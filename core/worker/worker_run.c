/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* CPU sets */
#include "core/worker/worker_run.h"
#include "core/worker/extra.h"
#include "core/worker/zones.h"

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

#define CLOSE_RANGE 436 /* call number; headers before glibc 2.34 lack it, kernels before 5.9 the call */

/* For the SIGBUS handler, which has no argument for it. */
static struct pyn_worker_run *the_run;

/* ---- the process ---- */

/* The end of the run: the time of the last completion, or the end of its time. */
static uint64_t over(const struct pyn_worker_run *run, uint64_t now)
{
	if (!run->state.stopping || run->state.leave)
		return now;
	if (now >= run->clock.ends && run->clock.last_completion < run->clock.ends && !run->result.error &&
	    run->ios.sent < run->ios.to_send)
		return run->clock.ends;
	return run->clock.last_completion;
}

/* IOs are counted by opcode when they are sent; subtract those that have not completed. */
static void count_by_opcode(struct pyn_worker_run *run)
{
	if (run->state.kind != PYN_WORKER_VARIED)
		run->result.io_count[0] = run->ios.sent;
	for (uint16_t i = 0; i < run->slot_count; i++)
		if (run->slots[i].number)
			run->result.io_count[run->slots[i].op]--;
}

/* Write the result. Also called if the worker ends in the middle of the loop. */
static void finish(struct pyn_worker_run *run)
{
	uint64_t now = pyn_ticks();

	pyn_worker_publish(run);
	count_by_opcode(run);
	run->result.ticks = over(run, now) - run->clock.started;
	run->result.busy_ticks = run->clock.busy_ticks;
	if (run->config.seconds) {
		pyn_worker_count_seconds(run, now, true);
		pyn_worker_count_last_second(run);
	}
	if (run->state.extra)
		pyn_extra_finish(run);
	if (run->state.zones)
		pyn_zones_stop(run);
	if (run->state.leave && pyn_worker_is_cut_off(run))
		run->result.ended_by = atomic_load(&run->device_shared->end);
	run->shared->result = run->result;
	atomic_store_explicit(&run->shared->finished, 1, memory_order_release);
}

/* The mapping of the BAR is gone (a reset, a removal), or the file that it maps was truncated. */
static void on_sigbus(int signal)
{
	(void)signal;
	if (!pyn_worker_is_cut_off(the_run))
		the_run->result.error = PYN_WORKER_GONE;
	the_run->state.leave = true;
	finish(the_run);
	_exit(0);
}

static void own_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &action, NULL);
	/* Ctrl-C reaches the whole process group, and the script decides when to stop us. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = on_sigbus;
	sigaction(SIGBUS, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Close inherited descriptors: a socket would keep the drive of a dead script busy, a pipe its reader waiting. */
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

/* Convert to ticks, at least 1, so that an end is after the start. */
static uint64_t ticks_of(uint64_t ns, uint64_t hz)
{
	uint64_t ticks = (uint64_t)((unsigned __int128)ns * hz / 1000000000u);

	return ticks ? ticks : 1;
}

/* IOs per tick, times 2^64. Rounded up by more than the error of a double, so that IOs due at the end of a second
 * count. */
static uint64_t rate_of(double per_tick)
{
	double rate = per_tick * 0x1p64 * (1 + 0x1p-50);

	return rate < 0x1p63 ? (uint64_t)rate + 1 : UINT64_MAX >> 1;
}

/* rate × time, rounded as a user expects: a third of a second is no whole number of nanoseconds. */
static uint64_t rated_of(double iops, uint64_t time_ns)
{
	double count = iops * (double)time_ns / 1e9 * (1 + 2e-9);

	return count < 0x1p63 ? (uint64_t)count : UINT64_MAX;
}

static void start_clock(struct pyn_worker_run *run)
{
	uint64_t hz = pyn_ticks_hz();

	run->clock.started = pyn_ticks();
	run->clock.last_completion = run->clock.started;
	run->clock.next_chore = run->clock.started;
	run->seconds.ticks = hz;
	run->seconds.next = run->clock.started + hz;
	run->clock.ends = UINT64_MAX;
	if (run->config.time_ns)
		run->clock.ends = run->clock.started + ticks_of(run->config.time_ns, hz);
	if (run->config.iops && !run->config.extra.poisson)
		run->rate.per_tick = rate_of(run->config.iops / (double)hz);
	run->rate.all = run->config.time_ns ? rated_of(run->config.iops, run->config.time_ns) : UINT64_MAX;
	run->rate.limits = run->rate.per_tick || run->config.steps;
	if (run->state.extra)
		pyn_extra_start(run);
}

static void (*loop_of_this_processor(void))(struct pyn_worker_run *)
{
#ifdef PYN_WORKER_HAS_V3
	if (__builtin_cpu_supports("x86-64-v3"))
		return pyn_worker_loop_v3;
#endif
	return pyn_worker_loop;
}

static void __attribute__((noreturn)) cannot_run(struct pyn_worker_run *run)
{
	start_clock(run);
	run->result.error = PYN_WORKER_INIT;
	run->state.leave = true;
	finish(run);
	_exit(0);
}

void pyn_worker_main(struct pyn_worker_run *run)
{
	the_run = run;
	pyn_verify_forked();
	own_signals();
	if (!run->engine->forked(run->queue))
		cannot_run(run);
	close_descriptors(run);
	pin(run->config.cpu);
	prctl(PR_SET_TIMERSLACK, 1); /* so that sleeps are as short as requested */
	start_clock(run);
	pyn_worker_chores(run, run->clock.started); /* a reset may have removed its queue already */
	if (!run->state.leave)
		loop_of_this_processor()(run);
	finish(run);
	_exit(0);
}
