/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* CPU sets */
#include "core/io/worker_run.h"

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
#include "core/nvme/ring.h"
#include "core/util/clock.h"

#define SUBMIT_BATCH 32u
#define POLL_BATCH 32u
#define CRC_BATCH 64u
#define CHORE_NS UINT64_C(1000000)    /* between two looks at what is not an IO */
#define PARENT_NS UINT64_C(100000000) /* between two looks at the parent and at deadlines */
#define MAKE_UP_NS UINT64_C(50000000) /* after its time, to send what a rate owes */
#define EMPTY_TURNS_BEFORE_YIELD 1000u
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* The SIGBUS handler knows nothing else. */
static struct pyn_worker_run *the_run;

/* -- one command ---------------------------------------------------------------------------------------------- */

/* NVMe Base Specification 2.0, section 4.1.1: PRP2 is reserved, the second page, or a list. */
static ALWAYS_INLINE uint64_t second_prp(uint64_t *list, uint32_t length)
{
	if (length <= PYN_PAGE)
		return 0;
	return length <= 2 * PYN_PAGE ? list[0] : pyn_dma_iova(list);
}

static ALWAYS_INLINE void prepare_read(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	slot->cmd.prp1 = pyn_dma_iova(slot->read_data);
	slot->cmd.prp2 = second_prp(slot->read_prp_list, slot->nlb * run->config.lba_size);
	if (run->config.judge)
		pyn_verify_read_begin(run->verify, slot->slba, slot->nlb, slot->cells);
}

static void stamp_and_expect(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint64_t token)
{
	uint32_t crc[CRC_BATCH];

	pyn_verify_stamp(run->verify, slot->write_data, slot->slba, slot->nlb, token);
	for (uint32_t done = 0; done < slot->nlb; done += CRC_BATCH) {
		uint32_t batch = slot->nlb - done < CRC_BATCH ? slot->nlb - done : CRC_BATCH;

		/* The data differ from what they were by their stamps only: no need to read them again. */
		pyn_crc32c_restamp_blocks(&run->stamp, slot->base_crc + done, slot->slba + done, token + done, batch,
					  crc);
		pyn_verify_write_begin_crc(run->verify, slot->slba + done, batch, crc, token + done);
	}
}

static ALWAYS_INLINE void begin_flight(struct pyn_worker_flight *flight, const struct pyn_worker_slot *slot)
{
	flight->slba = slot->slba;
	flight->nlb = slot->nlb;
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
}

static ALWAYS_INLINE void prepare_write(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index)
{
	slot->cmd.prp1 = pyn_dma_iova(slot->write_data);
	slot->cmd.prp2 = second_prp(slot->write_prp_list, slot->nlb * run->config.lba_size);
	if (!run->verify)
		return;
	begin_flight(&run->flight[index], slot);
	stamp_and_expect(run, slot, pyn_token_take(slot->nlb));
	pyn_flight_set(&run->flight[index], PYN_FLIGHT_BEGUN);
}

static void prepare_other(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index, uint8_t opcode)
{
	enum pyn_cell_state state = PYN_CELL_UNKNOWN;

	slot->cmd.prp1 = slot->cmd.prp2 = 0;
	switch (opcode) {
	case NVME_IO_FLUSH:
		slot->cmd.cdw10 = slot->cmd.cdw11 = slot->cmd.cdw12 = 0;
		if (run->verify)
			slot->slba = pyn_verify_flush_begin(run->verify);
		return;
	case NVME_IO_COMPARE:
		slot->cmd.prp1 = pyn_dma_iova(slot->write_data);
		slot->cmd.prp2 = second_prp(slot->write_prp_list, slot->nlb * run->config.lba_size);
		return;
	case NVME_IO_VERIFY:
		return;
	case NVME_IO_WRITE_ZEROES:
		state = PYN_CELL_ZEROES;
		break;
	case NVME_IO_WRITE_UNCORRECTABLE:
		state = PYN_CELL_UNCORRECTABLE;
		break;
	case NVME_IO_DSM:
		*slot->range = (struct nvme_dsm_range){0, slot->nlb, slot->slba};
		slot->cmd.prp1 = pyn_dma_iova(slot->range);
		slot->cmd.cdw10 = 0;
		slot->cmd.cdw11 = NVME_DSM_AD;
		slot->cmd.cdw12 = 0;
		state = PYN_CELL_DEALLOCATED;
		break;
	default:
		return;
	}
	if (!run->verify)
		return;
	begin_flight(&run->flight[index], slot);
	pyn_verify_change_begin(run->verify, slot->slba, slot->nlb, state);
	pyn_flight_set(&run->flight[index], PYN_FLIGHT_BEGUN);
}

/* Leave of an IO its first part that is not known to be uncorrectable and begins at an aligned LBA. False: there is
 * none, or contiguous IO comes to it with its next one, which is whole then. */
static bool cut_out_uncorrectable(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	uint64_t past = io->slba + io->nlb;

	for (uint64_t lba = io->slba; lba < past;) {
		bool uncorrectable;
		uint64_t alike = pyn_verify_alike(run->verify, lba, past - lba, &uncorrectable);

		if (lba + alike < past)
			pyn_workload_go_on_at(&run->workload, lba + alike);
		if (!uncorrectable) {
			io->slba = lba;
			io->nlb = (uint32_t)alike;
			return true;
		}
		if (run->workload.contiguous)
			return false;
		lba = pyn_workload_align_up(lba + alike, run->workload.lba_align[io->size]);
	}
	return false;
}

/* Sequential IO goes round what is known to be uncorrectable. Where nothing else is in the region it is sent after
 * all: then the drive's errors are what the script gets. */
static __attribute__((noinline)) bool skip_uncorrectable(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	uint32_t wraps = run->workload.wraps;

	while (io->sequential && !cut_out_uncorrectable(run, io)) {
		if (run->workload.stays || run->workload.wraps - wraps > 1) {
			run->skips_nothing = true;
			return true;
		}
		if (!pyn_workload_next(&run->workload, io))
			return false;
	}
	return true;
}

static ALWAYS_INLINE bool next_io(struct pyn_worker_run *run, struct pyn_workload_io *io, uint8_t *opcode)
{
	if (run->config.steps) {
		const struct pyn_workload_step *step = &run->config.sequence[run->step++];

		*io = (struct pyn_workload_io){.slba = step->slba, .nlb = step->nlb};
		*opcode = (uint8_t)step->opcode;
		for (uint8_t op = 0; op < run->config.workload.ops; op++)
			if (run->config.workload.opcode[op] == *opcode)
				io->op = op;
		return true;
	}
	if (!pyn_workload_next(&run->workload, io))
		return false;
	if (io->sequential && run->verify && !run->skips_nothing && pyn_verify_has_uncorrectable(run->verify) &&
	    !skip_uncorrectable(run, io))
		return false;
	*opcode = run->config.workload.opcode[io->op];
	return true;
}

/* False: there is no IO any more, the region is filled. */
static ALWAYS_INLINE bool prepare(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index)
{
	struct pyn_workload_io io;
	uint8_t opcode;

	if (!next_io(run, &io, &opcode))
		return false;
	slot->slba = io.slba;
	slot->nlb = io.nlb;
	slot->op = io.op;
	slot->cmd.opc = opcode;
	slot->cmd.cdw10 = (uint32_t)io.slba;
	slot->cmd.cdw11 = (uint32_t)(io.slba >> 32);
	slot->cmd.cdw12 = io.nlb - 1;
	if (opcode == NVME_IO_READ)
		prepare_read(run, slot);
	else if (opcode == NVME_IO_WRITE)
		prepare_write(run, slot, index);
	else
		prepare_other(run, slot, index, opcode);
	return true;
}

/* Not inline: an error is the end of the IO path. */
static __attribute__((noinline)) void failed(struct pyn_worker_run *run, uint16_t status)
{
	if (atomic_load_explicit(&run->device_shared->generation, memory_order_relaxed) != run->generation) {
		/* A reset aborts what is in flight: that is how a worker ends, not an error. */
		run->leave = true;
		return;
	}
	run->stopping = true;
	if (run->config.fw_debug)
		run->leave = true;
	if (run->result.error)
		return;
	run->result.error = PYN_WORKER_IO_ERROR;
	run->result.status = status;
}

static __attribute__((noinline)) void mismatched(struct pyn_worker_run *run, const struct pyn_mismatch *found)
{
	if (run->result.mismatched_reads++ == 0)
		run->result.mismatch = *found;
	failed(run, PYN_STATUS_MISMATCH);
}

static ALWAYS_INLINE void end_of_change(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index,
					uint16_t status)
{
	struct pyn_worker_flight *flight = &run->flight[index];

	if (slot->cmd.opc == NVME_IO_FLUSH && run->verify && !status)
		pyn_verify_flush_end(run->verify, slot->slba);
	if (!run->verify || atomic_load_explicit(&flight->state, memory_order_relaxed) == PYN_FLIGHT_NONE)
		return;
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	pyn_verify_write_end(run->verify, slot->slba, slot->nlb, status ? PYN_WRITE_FAILED : PYN_WRITE_DONE);
	pyn_flight_set(flight, PYN_FLIGHT_NONE);
}

static __attribute__((noinline)) void not_sent(struct pyn_worker_run *run, struct pyn_worker_slot *slot,
					       uint16_t index)
{
	slot->submitted = 0;
	end_of_change(run, slot, index, PYN_STATUS_MISMATCH);
	run->free_slots[run->free_count++] = index;
	run->stopping = true;
	run->result.error = PYN_WORKER_MEMORY;
}

/* -- the loop: compiled for our own rings, and for the engine's table ------------------------------------------ */

/* How many IOs may be sent now. With a rate the k-th one, from 0, is due k / iops after the start: none at the end.
 */
static ALWAYS_INLINE uint64_t due(const struct pyn_worker_run *run, uint64_t now)
{
	uint64_t most = SUBMIT_BATCH, count = 0;

	if (now >= run->ends)
		now = run->ends - 1;
	if (run->rate)
		most = (uint64_t)((unsigned __int128)(now - run->started) * run->rate >> 64) + 1 - run->sent;
	if (!run->config.steps)
		return most;
	uint64_t elapsed_us = pyn_ticks_to_ns(now - run->started) / 1000;

	while (run->step + count < run->config.steps && count < most && count < SUBMIT_BATCH &&
	       run->config.sequence[run->step + count].time_us <= elapsed_us)
		count++;
	return count;
}

static ALWAYS_INLINE unsigned submit(struct pyn_worker_run *run, uint64_t now, const bool rings)
{
	uint64_t batch = run->free_count < SUBMIT_BATCH ? run->free_count : SUBMIT_BATCH;

	if (run->stopping || batch == 0)
		return 0;
	if (batch > run->to_send)
		batch = run->to_send;
	if (run->rate_limited) {
		uint64_t allowed = due(run, now);

		if (batch > allowed)
			batch = allowed;
	}
	for (uint64_t i = 0; i < batch; i++) {
		uint16_t index = run->free_slots[--run->free_count];
		struct pyn_worker_slot *slot = &run->slots[index];

		if (!prepare(run, slot, index)) {
			run->free_slots[run->free_count++] = index;
			run->to_send = batch = i;
			break;
		}
		slot->submitted = now;
		if (rings) {
			pyn_ring_put(run->ring, &slot->cmd);
		} else {
			struct pyn_data data = {NULL, 0};

			if (slot->cmd.prp1) {
				data.address = (void *)(uintptr_t)slot->cmd.prp1;
				data.length = slot->cmd.opc == NVME_IO_DSM ? sizeof(struct nvme_dsm_range)
									   : slot->nlb * run->config.lba_size;
			}
			if (run->engine->submit(run->queue, index, &slot->cmd, data, NULL) < 0) {
				not_sent(run, slot, index);
				batch = i;
				break;
			}
		}
		slot->logged = pyn_cmdlog_submit(run->log, &slot->cmd, now);
		if (slot->cmd.opc == NVME_IO_DSM)
			pyn_cmdlog_range(run->log, slot->logged, slot->slba, slot->nlb);
	}
	if (batch) {
		if (rings)
			pyn_ring_submit(run->ring);
		else
			run->engine->ring(run->queue);
		run->sent += batch;
		run->to_send -= batch;
		atomic_store_explicit(&run->shared->sent, run->sent, memory_order_relaxed);
	}
	if (run->to_send == 0)
		run->stopping = true;
	return (unsigned)batch;
}

static ALWAYS_INLINE void complete(struct pyn_worker_run *run, uint16_t index, const struct nvme_cpl *cpl,
				   uint64_t now)
{
	struct pyn_worker_slot *slot;
	uint16_t status = (uint16_t)(cpl->status >> 1 & 0x7ff);

	/* A device may write anything into an entry. */
	if (index >= run->slot_count || run->slots[index].submitted == 0)
		return;
	slot = &run->slots[index];
	pyn_histogram_record(&run->shared->latency, now - slot->submitted);
	pyn_cmdlog_complete(run->log, slot->logged, cpl, now);
	slot->submitted = 0;
	run->result.io_count[slot->op]++;
	if (slot->cmd.opc == NVME_IO_READ) {
		struct pyn_mismatch found;

		if (run->config.judge && !status &&
		    !pyn_verify_read_end(run->verify, slot->slba, slot->nlb, slot->read_data, slot->cells,
					 &run->counts, &found))
			mismatched(run, &found);
	} else {
		end_of_change(run, slot, index, status);
	}
	if (status)
		failed(run, status);
	run->free_slots[run->free_count++] = index;
	run->completed++;
}

static ALWAYS_INLINE unsigned reap(struct pyn_worker_run *run, uint64_t before, const bool rings)
{
	struct pyn_completion completions[POLL_BATCH];
	unsigned count = 0;

	if (rings) {
		while (count < POLL_BATCH && pyn_ring_take(run->ring, &completions[count].cpl)) {
			completions[count].slot = completions[count].cpl.cid;
			count++;
		}
	} else {
		count = run->engine->poll(run->queue, completions, POLL_BATCH);
	}
	if (count < POLL_BATCH)
		run->polled = before;
	if (count == 0)
		return 0;
	uint64_t now = pyn_ticks();

	for (unsigned i = 0; i < count; i++)
		complete(run, completions[i].slot, &completions[i].cpl, now);
	if (rings)
		pyn_ring_release(run->ring);
	run->last_completion = now;
	atomic_store_explicit(&run->shared->completed, run->completed, memory_order_relaxed);
	return count;
}

/* -- what is not an IO ---------------------------------------------------------------------------------------- */

static void count_seconds(struct pyn_worker_run *run, uint64_t now)
{
	while (now >= run->next_second) {
		if (run->second < run->config.seconds)
			run->per_second[run->second++] = (uint32_t)(run->completed - run->second_base);
		atomic_store_explicit(&run->shared->per_second_count, run->second, memory_order_release);
		run->second_base = run->completed;
		run->next_second += run->second_ticks;
	}
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
		uint64_t submitted = run->slots[i].submitted;

		if (submitted && run->polled > submitted && run->polled - submitted > allowed)
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
	return run->rate && now - run->ends < pyn_ns_to_ticks(MAKE_UP_NS) && due(run, run->ends);
}

static __attribute__((noinline)) void chores(struct pyn_worker_run *run, uint64_t now)
{
	static uint64_t next_parent;

	run->next_chore = now + pyn_ns_to_ticks(CHORE_NS);
	publish(run);
	if (atomic_load_explicit(&run->shared->stop, memory_order_relaxed))
		run->stopping = true;
	if (atomic_load_explicit(&run->device_shared->generation, memory_order_relaxed) != run->generation)
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

/* A worker that waits for the time of its next IO with nothing in flight has no reason to burn its CPU. */
static void rest(const struct pyn_worker_run *run, unsigned *empty)
{
	struct timespec pause = {.tv_nsec = 50000};

	if (++*empty < EMPTY_TURNS_BEFORE_YIELD)
		return;
	*empty = 0;
	if (run->rate_limited && run->free_count == run->slot_count)
		nanosleep(&pause, NULL);
	else
		sched_yield();
}

static ALWAYS_INLINE void loop(struct pyn_worker_run *run, const bool rings)
{
	unsigned empty = 0;
	uint64_t now = pyn_ticks();

	for (;;) {
		unsigned done = reap(run, now, rings) + submit(run, now, rings);
		uint64_t after = pyn_ticks();

		if (done) {
			run->busy_ticks += after - now;
			empty = 0;
		} else {
			rest(run, &empty);
		}
		now = after;
		if (run->config.seconds && now >= run->next_second)
			count_seconds(run, now);
		if (now >= run->next_chore || now >= run->ends)
			chores(run, now);
		if (run->leave || (run->stopping && run->free_count == run->slot_count))
			return;
	}
}

static void loop_over_rings(struct pyn_worker_run *run)
{
	loop(run, true);
}

static void loop_over_table(struct pyn_worker_run *run)
{
	loop(run, false);
}

/* -- the process ---------------------------------------------------------------------------------------------- */

/* When it was over: with the last completion, or when its time was. */
static uint64_t over(const struct pyn_worker_run *run, uint64_t now)
{
	if (!run->stopping || run->leave)
		return now;
	if (now >= run->ends && run->last_completion < run->ends && !run->result.error && run->to_send)
		return run->ends;
	return run->last_completion;
}

static void finish(struct pyn_worker_run *run)
{
	uint64_t now = pyn_ticks();

	publish(run);
	run->result.ticks = over(run, now) - run->started;
	run->result.busy_ticks = run->busy_ticks;
	if (run->config.seconds)
		count_seconds(run, now);
	run->shared->result = run->result;
	atomic_store_explicit(&run->shared->finished, 1, memory_order_release);
}

/* The BAR went away under a doorbell (a reset, a removal), or somebody truncated what it maps. */
static void on_sigbus(int signal)
{
	(void)signal;
	if (atomic_load(&the_run->device_shared->generation) == the_run->generation)
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
	syscall(SYS_close_range, kept + 1, ~0U, 0);
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

/* IOs a tick, times 2^64, rounded down by more than a double may be off: the IO that is due at the end is never sent.
 */
static uint64_t rate_of(double per_tick)
{
	double rate = per_tick * 0x1p64 * (1 - 0x1p-50);

	return rate < 1 ? 1 : rate < 0x1p63 ? (uint64_t)rate : UINT64_MAX >> 1;
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
	run->rate_limited = run->rate || run->config.steps;
}

void pyn_worker_main(struct pyn_worker_run *run)
{
	the_run = run;
	own_signals();
	close_descriptors(run);
	pin(run->config.cpu);
	prctl(PR_SET_TIMERSLACK, 1); /* naps are as short as they say */
	start_clock(run);
	chores(run, run->started); /* its queue may be gone already, with a reset */
	if (!run->leave && run->ring)
		loop_over_rings(run);
	else if (!run->leave)
		loop_over_table(run);
	finish(run);
	_exit(0);
}
