/* SPDX-License-Identifier: BSD-3-Clause */
/* A tester's queue pair over an engine that does what the test says: slots, time, quarantine, and a device that errs.
 */
/* sources: spec/commands.c core/drive/inflight.c core/verify/track*.c core/verify/tables.c core/data/buffer.c
 * core/data/protection.c core/data/cmdlog.c core/data/held.c core/data/kept.c core/data/capture.c
 * core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <errno.h>
#include <pthread.h>

#include "core/env/env.h"
#include "core/drive/inflight.h"
#include "core/util/clock.h"
#include "tests/c/test.h"

#define SLOTS 128u
#define OWN 4u
#define WAITING 512u
#define VERIFY_LBA 512u

/* ---- an engine whose device is the test ---- */

struct pyn_engine_qpair {
	unsigned submitted, rung;
	bool in_device[SLOTS + OWN];
	struct nvme_cmd cmds[SLOTS + OWN];
	struct pyn_completion waiting[WAITING];
	unsigned first, count;
	bool alive, refuses, answers_own;
	unsigned polls;
};

static struct pyn_engine_qpair the_queue;
static struct pyn_error err;
static uint32_t the_timeout_ms;
static struct pyn_inflight *the_qpair;

static void post(uint16_t slot, uint16_t status)
{
	the_queue.waiting[(the_queue.first + the_queue.count++) % WAITING] = (struct pyn_completion){
		.slot = slot, .cpl = {.cdw0 = 0xc0de0000u + slot, .cid = slot, .status = (uint16_t)(status << 1)}};
}

static int fake_submit(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		       struct pyn_error *error)
{
	(void)data;
	if (queue->refuses)
		return pyn_error(error, PYN_ERROR_MEMORY, ENOMEM, "no list");
	CHECK(!queue->in_device[slot]);
	cmd->cid = slot;
	queue->cmds[slot] = *cmd;
	queue->in_device[slot] = true;
	queue->submitted++;
	if (queue->answers_own && slot >= SLOTS)
		post(slot, 0);
	return 0;
}

static void fake_ring(struct pyn_engine_qpair *queue)
{
	queue->rung = queue->submitted;
}

static unsigned fake_poll(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max)
{
	unsigned count = 0;

	queue->polls++;
	for (; count < max && queue->count; count++) {
		completions[count] = queue->waiting[queue->first];
		queue->first = (queue->first + 1) % WAITING;
		queue->count--;
		if (completions[count].slot < SLOTS + OWN)
			queue->in_device[completions[count].slot] = false;
	}
	return count;
}

static bool fake_alive(struct pyn_ctrlr *ctrlr)
{
	(void)ctrlr;
	return the_queue.alive;
}

static int fake_reg_read(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t *value,
			 struct pyn_error *error)
{
	(void)ctrlr, (void)offset, (void)size, (void)value;
	return pyn_error(error, PYN_ERROR_UNSUPPORTED, ENOTSUP, "no registers");
}

static const struct pyn_engine the_engine = {.name = "fake",
					     .submit = fake_submit,
					     .ring = fake_ring,
					     .poll = fake_poll,
					     .alive = fake_alive,
					     .reg_read = fake_reg_read};

/* ---- what each test begins and ends with ---- */

static unsigned the_begun, the_ended, the_failed;

static void observe(void *context, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl,
		    enum pyn_command_stage what)
{
	(void)context;
	(void)cmd;
	/* Before it is sent, and after it has ended: in between the device may act. */
	if (what == PYN_COMMAND_SENT)
		CHECK_EQ(the_queue.submitted, the_begun);
	CHECK_EQ(cpl != NULL, what == PYN_COMMAND_DONE || what == PYN_COMMAND_FAILED);
	*(what == PYN_COMMAND_SENT ? &the_begun : &the_ended) += 1;
	the_failed += what == PYN_COMMAND_FAILED;
}

static void create(struct pyn_inflight_config config)
{
	config.timeout_ms = &the_timeout_ms;
	config.drive = "drive";
	the_timeout_ms = 10000;
	the_queue = (struct pyn_engine_qpair){.alive = true};
	the_begun = the_ended = 0;
	the_qpair = pyn_inflight_create(&the_engine, NULL, &config, &err);
	pyn_inflight_attach(the_qpair, &the_queue);
}

static const struct pyn_inflight_config the_admin = {
	.slots = SLOTS, .in_flight = SLOTS - 1, .own_slots = OWN, .highest_first = true};

static void destroy(void)
{
	pyn_inflight_abort_all(the_qpair, 8);
	pyn_inflight_destroy(the_qpair);
}

#define QPAIR_TEST(name, config)                                                                                     \
	static void name##_body(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		size_t before = pyn_dma_in_use();                                                                    \
		create(config);                                                                                      \
		name##_body();                                                                                       \
		destroy();                                                                                           \
		CHECK_EQ(pyn_dma_in_use(), before);                                                                  \
	}                                                                                                            \
	static void name##_body(void)

#define IO_QUEUE ((struct pyn_inflight_config){.qid = 3, .slots = 15, .in_flight = 15})

/* Submit one command; its CID, or the negative error. */
static int submit_opcode(uint8_t opcode)
{
	struct pyn_command command = {.cmd = {.opc = opcode}};
	uint16_t cid;
	int rc = pyn_inflight_submit(the_qpair, &command, &cid, &err);

	return rc < 0 ? rc : cid;
}

static int submit(void)
{
	return submit_opcode(2);
}

static struct pyn_completed the_completed[SLOTS];

static unsigned fetch(unsigned max)
{
	return pyn_inflight_fetch(the_qpair, the_completed, max);
}

/* Let deadlines be looked at again: they are once a millisecond. */
static unsigned fetch_later(unsigned max)
{
	struct timespec pause = {.tv_nsec = 3000000};

	nanosleep(&pause, NULL);
	return fetch(max);
}

/* ---- slots ---- */

QPAIR_TEST(the_highest_free_cid_comes_first_on_the_admin_queue, the_admin)
{
	CHECK_EQ(submit(), 127);
	CHECK_EQ(submit(), 126);
	CHECK_EQ(submit(), 125);
	post(126, 0);
	CHECK_EQ(fetch(9), 1);
	CHECK_EQ(submit(), 126);
	post(127, 0);
	post(125, 0);
	CHECK_EQ(fetch(9), 2);
	CHECK_EQ(submit(), 127);
	CHECK_EQ(submit(), 125);
	CHECK_EQ(submit(), 124);
}

QPAIR_TEST(as_many_commands_as_the_queue_takes_and_not_one_more, the_admin)
{
	for (unsigned i = 0; i < SLOTS - 1; i++)
		CHECK_EQ(submit(), 127 - (int)i);
	CHECK_EQ(submit(), -EBUSY);
	CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);
	CHECK_HAS(err.text, "127");
	CHECK_EQ(the_queue.rung, SLOTS - 1);
	post(50, 0);
	CHECK_EQ(submit(), -EBUSY); /* the script has not fetched it */
	CHECK_EQ(fetch(1), 1);
	CHECK_EQ(submit(), 50);
	CHECK_EQ(submit(), -EBUSY);
}

QPAIR_TEST(all_slots_of_an_io_queue_come_and_go, IO_QUEUE)
{
	for (unsigned round = 0; round < 20; round++) {
		bool seen[15] = {false};

		for (unsigned i = 0; i < 15; i++) {
			int cid = submit();

			if (!CHECK(cid >= 0 && cid < 15 && !seen[cid]))
				return;
			seen[cid] = true;
		}
		CHECK_EQ(submit(), -EBUSY);
		for (unsigned i = 0; i < 15; i++)
			post((uint16_t)((i * 7 + round) % 15), 0);
		CHECK_EQ(fetch(4), 4);
		CHECK_EQ(fetch(SLOTS), 11);
		CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
	}
}

QPAIR_TEST(completions_come_in_their_order_with_what_was_sent, IO_QUEUE)
{
	struct pyn_command command = {.cmd = {.opc = 2, .cdw10 = 77}, .user = &command};
	uint16_t first, second;

	pyn_inflight_submit(the_qpair, &command, &first, &err);
	command.cmd.cdw10 = 78;
	pyn_inflight_submit(the_qpair, &command, &second, &err);
	post(second, 0x281);
	post(first, 0);
	CHECK_EQ(fetch(9), 2);
	CHECK_EQ(the_completed[0].cpl.cid, second);
	CHECK_EQ(the_completed[0].cmd.cdw10, 78);
	CHECK_EQ(the_completed[0].cpl.status >> 1, 0x281);
	CHECK_EQ(the_completed[0].cpl.cdw0, 0xc0de0000u + second);
	CHECK(the_completed[0].user == &command);
	CHECK(!the_completed[0].timed_out && !the_completed[0].mismatch);
	CHECK_EQ(the_completed[1].cpl.cid, first);
}

QPAIR_TEST(a_submission_that_the_engine_refuses_leaves_nothing_behind, the_admin)
{
	struct pyn_buffer *buffer = pyn_buffer_create(4096, &err);
	struct pyn_command command = {.cmd = {.opc = 2}, .buffer = buffer, .length = 4096};
	uint16_t cid;

	the_queue.refuses = true;
	for (unsigned i = 0; i < 3 * SLOTS; i++)
		CHECK_EQ(pyn_inflight_submit(the_qpair, &command, &cid, &err), -ENOMEM);
	CHECK_EQ(buffer->references, 1);
	CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
	the_queue.refuses = false;
	CHECK_EQ(submit(), 127);
	pyn_buffer_put(buffer);
}

QPAIR_TEST(a_queue_that_is_gone_refuses, IO_QUEUE)
{
	pyn_inflight_abort_all(the_qpair, 8);
	CHECK_EQ(submit(), -ENODEV);
	CHECK_STR(err.text, "Qpair 3 is deleted");
	CHECK_EQ(fetch(1), 0);
}

/* ---- a device that errs ---- */

QPAIR_TEST(completions_of_nothing_are_ignored, the_admin)
{
	int cid = submit();

	post(5, 0);         /* free */
	post(SLOTS + 1, 0); /* one of the driver's own, free */
	post(SLOTS + OWN, 0);
	post(UINT16_MAX, 0);
	CHECK_EQ(fetch(9), 0);
	post((uint16_t)cid, 0);
	post((uint16_t)cid, 0); /* twice */
	CHECK_EQ(fetch(9), 1);
	CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
	for (unsigned i = 0; i < SLOTS - 1; i++)
		CHECK(submit() >= 0);
	CHECK_EQ(submit(), -EBUSY);
}

/* ---- time ---- */

QPAIR_TEST(a_command_that_times_out_is_told_once_and_stays_in_quarantine, IO_QUEUE)
{
	struct pyn_buffer *buffer = pyn_buffer_create(4096, &err);
	struct pyn_command command = {.cmd = {.opc = 2}, .buffer = buffer, .length = 4096};
	uint16_t late;

	the_timeout_ms = 1;
	pyn_inflight_submit(the_qpair, &command, &late, &err);
	CHECK_EQ(fetch_later(9), 1);
	CHECK(the_completed[0].timed_out);
	CHECK_EQ(the_completed[0].cpl.cdw0, UINT32_MAX);
	CHECK_EQ(the_completed[0].cpl.status, UINT16_MAX);
	CHECK_EQ(fetch_later(9), 0);
	CHECK_EQ(buffer->references, 2); /* the device may still write into it */
	the_timeout_ms = 10000;
	for (unsigned i = 0; i < 14; i++)
		CHECK(submit() != late);
	CHECK_EQ(submit(), -EBUSY);
	post(late, 0);
	CHECK_EQ(fetch(9), 0); /* the script has been told already */
	CHECK_EQ(buffer->references, 1);
	CHECK_EQ(submit(), late);
	pyn_buffer_put(buffer);
}

QPAIR_TEST(a_late_completion_before_the_script_fetched_the_timeout_is_no_second_one, IO_QUEUE)
{
	the_timeout_ms = 1;
	int late = submit();

	CHECK_EQ(fetch_later(0), 0); /* it has timed out now */
	post((uint16_t)late, 0);
	CHECK_EQ(fetch(9), 1);
	CHECK(the_completed[0].timed_out);
	the_timeout_ms = 10000;
	CHECK_EQ(submit(), late);
	CHECK_EQ(fetch_later(9), 0);
}

QPAIR_TEST(what_has_completed_in_time_is_no_timeout_however_late_somebody_looks, IO_QUEUE)
{
	struct timespec pause = {.tv_nsec = 5000000};

	the_timeout_ms = 1;
	for (unsigned i = 0; i < 15; i++)
		post((uint16_t)submit(), 0);
	nanosleep(&pause, NULL);
	CHECK_EQ(fetch(SLOTS), 15);
	for (unsigned i = 0; i < 15; i++)
		CHECK(!the_completed[i].timed_out);
}

/* More than one batch waits, and all of them are late. */
QPAIR_TEST(all_completions_that_wait_are_seen_before_a_deadline_is_judged, the_admin)
{
	struct timespec pause = {.tv_nsec = 5000000};

	the_timeout_ms = 1;
	for (unsigned i = 0; i < 100; i++)
		post((uint16_t)submit(), 0);
	nanosleep(&pause, NULL);
	unsigned count = 0, timed_out = 0;

	for (unsigned got = 1; got;) {
		got = fetch(SLOTS);
		for (unsigned i = 0; i < got; i++)
			timed_out += the_completed[i].timed_out;
		count += got;
	}
	CHECK_EQ(count, 100);
	CHECK_EQ(timed_out, 0);
}

QPAIR_TEST(a_stuck_command_times_out_while_others_complete_all_the_time, IO_QUEUE)
{
	int stuck = submit();
	bool told = false;

	the_timeout_ms = 20;
	uint64_t end = pyn_monotonic_ns() + UINT64_C(5000000000);

	while (!told && pyn_monotonic_ns() < end) {
		post((uint16_t)submit(), 0); /* each look finds something */
		unsigned count = fetch(SLOTS);

		for (unsigned i = 0; i < count; i++)
			told |= the_completed[i].timed_out && the_completed[i].cmd.cid == stuck;
	}
	CHECK(told);
}

QPAIR_TEST(an_asynchronous_event_request_never_times_out, the_admin)
{
	the_timeout_ms = 1;
	int aer = submit_opcode(0x0c);

	CHECK_EQ(fetch_later(9), 0);
	post((uint16_t)aer, 0);
	CHECK_EQ(fetch(9), 1);
	CHECK(the_completed[0].asynchronous);
}

QPAIR_TEST(a_wait_ends_with_its_budget_or_a_completion, IO_QUEUE)
{
	uint64_t started = pyn_monotonic_ns();
	int cid = submit();

	CHECK_EQ(pyn_inflight_wait(the_qpair, the_completed, 1, 20000), 0);
	CHECK(pyn_monotonic_ns() - started >= 19000000);
	post((uint16_t)cid, 0);
	CHECK_EQ(pyn_inflight_wait(the_qpair, the_completed, 1, UINT64_MAX), 1);
	post((uint16_t)submit(), 0);
	CHECK_EQ(pyn_inflight_wait(the_qpair, the_completed, 1, UINT64_MAX / 1000), 1);
	CHECK_EQ(pyn_inflight_wait(the_qpair, the_completed, 1, 0), 0);
}

QPAIR_TEST(an_io_queue_with_nothing_in_flight_is_not_waited_for, IO_QUEUE)
{
	uint64_t started = pyn_monotonic_ns();

	CHECK_EQ(pyn_inflight_wait(the_qpair, the_completed, 1, UINT64_MAX), 0);
	CHECK(pyn_monotonic_ns() - started < UINT64_C(1000000000));
}

QPAIR_TEST(an_event_is_fetched_from_between_the_completions_of_commands, the_admin)
{
	int before = submit(), event = submit_opcode(0x0c), after = submit();

	CHECK_EQ(pyn_inflight_events(the_qpair), 1);
	CHECK(!pyn_inflight_wait_event(the_qpair, the_completed, 1000));
	post((uint16_t)before, 0);
	post((uint16_t)event, 0);
	post((uint16_t)after, 0);
	CHECK(pyn_inflight_wait_event(the_qpair, the_completed, 1000));
	CHECK(the_completed[0].asynchronous);
	CHECK_EQ(the_completed[0].cpl.cid, event);
	CHECK_EQ(pyn_inflight_events(the_qpair), 0);
	CHECK(!pyn_inflight_wait_event(the_qpair, the_completed, UINT64_MAX));
	CHECK_EQ(fetch(9), 2);
	CHECK_EQ(the_completed[0].cpl.cid, before);
	CHECK_EQ(the_completed[1].cpl.cid, after);
	/* The last one of the list is taken out, and what comes next is found behind the others. */
	event = submit_opcode(0x0c);
	before = submit();
	post((uint16_t)before, 0);
	post((uint16_t)event, 0);
	CHECK(pyn_inflight_wait_event(the_qpair, the_completed, 1000));
	after = submit();
	post((uint16_t)after, 0);
	CHECK_EQ(fetch(9), 2);
	CHECK_EQ(the_completed[1].cpl.cid, after);
	CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
}

/* ---- the driver's own commands ---- */

QPAIR_TEST(an_own_command_leaves_the_scripts_completions_to_the_script, the_admin)
{
	struct nvme_cmd cmd = {.opc = 6};
	struct nvme_cpl cpl = {0};
	int before = submit(), also = submit();

	the_queue.answers_own = true;
	post((uint16_t)also, 0);
	post((uint16_t)before, 1);
	CHECK_EQ(pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &err), 0);
	CHECK(cpl.cid >= SLOTS);
	CHECK_EQ(fetch(9), 2);
	CHECK_EQ(the_completed[0].cpl.cid, also);
	CHECK_EQ(the_completed[1].cpl.cid, before);
	CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
}

QPAIR_TEST(own_commands_run_while_the_script_has_all_its_own_in_flight, the_admin)
{
	struct nvme_cmd cmd = {.opc = 6};
	struct nvme_cpl cpl;

	for (unsigned i = 0; i < SLOTS - 1; i++)
		submit();
	the_queue.answers_own = true;
	for (unsigned i = 0; i < 3 * OWN; i++)
		CHECK_EQ(pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &err), 0);
}

QPAIR_TEST(an_own_command_that_times_out_is_quarantined_until_its_completion, the_admin)
{
	struct pyn_buffer *buffer = pyn_buffer_create(4096, &err);
	struct nvme_cmd cmd = {.opc = 6};
	struct nvme_cpl cpl;

	the_timeout_ms = 2;
	for (unsigned i = 0; i < OWN; i++) {
		CHECK_EQ(pyn_inflight_execute(the_qpair, &cmd, buffer, &cpl, &err), -ETIMEDOUT);
		CHECK_EQ(err.kind, PYN_ERROR_TIMEOUT);
	}
	CHECK_EQ(buffer->references, 1 + OWN);
	CHECK_EQ(pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &err), -EBUSY);
	for (unsigned i = 0; i < OWN; i++)
		post((uint16_t)(SLOTS + i), 0);
	CHECK_EQ(fetch(9), 0);
	CHECK_EQ(buffer->references, 1);
	the_queue.answers_own = true;
	CHECK_EQ(pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &err), 0);
	pyn_buffer_put(buffer);
}

static void *execute_in_thread(void *rc)
{
	struct nvme_cmd cmd = {.opc = 6};
	struct pyn_error error;
	struct nvme_cpl cpl = {0};

	*(int *)rc = pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &error);
	if (*(int *)rc == 0)
		*(int *)rc = cpl.status >> 1;
	return NULL;
}

QPAIR_TEST(an_own_command_that_waits_ends_when_the_queue_goes, the_admin)
{
	struct timespec pause = {.tv_nsec = 20000000};
	pthread_t thread;
	int rc = -1;

	pthread_create(&thread, NULL, execute_in_thread, &rc);
	nanosleep(&pause, NULL);
	CHECK_EQ(submit(), 127); /* it does not hold the lock while it waits */
	pyn_inflight_abort_all(the_qpair, 8);
	pthread_join(thread, NULL);
	CHECK(rc == 8 || rc == -ENODEV);
}

QPAIR_TEST(a_device_that_is_gone_completes_everything_with_a_status_that_says_so, the_admin)
{
	struct nvme_cmd cmd = {.opc = 6};
	struct nvme_cpl cpl;

	submit();
	submit();
	the_queue.alive = false;
	CHECK_EQ(fetch_later(9), 2);
	CHECK_EQ(the_completed[0].cpl.status >> 1, 0x370);
	CHECK_EQ(pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &err), -ENODEV);
	CHECK_EQ(err.kind, PYN_ERROR_GONE);
}

/* ---- the end ---- */

QPAIR_TEST(what_had_completed_keeps_its_status_when_the_queue_goes, the_admin)
{
	for (unsigned i = 0; i < 100; i++)
		post((uint16_t)submit(), 0);
	int aborted = submit();

	pyn_inflight_abort_all(the_qpair, 8);
	CHECK_EQ(fetch(SLOTS), 101);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(the_completed[i].cpl.status >> 1, 0);
	CHECK_EQ(the_completed[100].cpl.cid, aborted);
	CHECK_EQ(the_completed[100].cpl.status >> 1, 8);
	CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
}

QPAIR_TEST(quarantine_ends_with_the_queue_and_all_slots_are_there_for_the_next, IO_QUEUE)
{
	the_timeout_ms = 1;
	for (unsigned i = 0; i < 15; i++)
		submit();
	CHECK_EQ(fetch_later(SLOTS), 15);
	CHECK_EQ(submit(), -EBUSY);
	pyn_inflight_abort_all(the_qpair, 8);
	CHECK_EQ(fetch(SLOTS), 0);
	the_queue = (struct pyn_engine_qpair){.alive = true};
	pyn_inflight_attach(the_qpair, &the_queue);
	for (unsigned i = 0; i < 15; i++)
		CHECK(submit() >= 0);
}

QPAIR_TEST(the_drivers_own_aer_ends_in_silence_and_a_scripts_is_told, the_admin)
{
	struct pyn_command command = {.cmd = {.opc = 0x0c}, .user = &command};
	uint16_t cid;

	submit_opcode(0x0c);
	pyn_inflight_submit(the_qpair, &command, &cid, &err);
	pyn_inflight_abort_all(the_qpair, 8);
	CHECK_EQ(fetch(9), 1);
	CHECK(the_completed[0].asynchronous && the_completed[0].user == &command);
	CHECK_EQ(pyn_inflight_outstanding(the_qpair), 0);
}

/* ---- who looks on ---- */

QPAIR_TEST(each_command_of_the_script_is_observed_before_it_is_sent_and_when_it_has_ended,
	   ((struct pyn_inflight_config){
		   .slots = SLOTS, .in_flight = SLOTS - 1, .own_slots = OWN, .on_command = observe}))
{
	struct nvme_cmd cmd = {.opc = 6};
	struct nvme_cpl cpl;
	int cid = submit();

	CHECK_EQ(the_begun, 1);
	post((uint16_t)cid, 2);
	fetch(1);
	CHECK_EQ(the_ended, 1);
	CHECK_EQ(the_failed, 1);
	the_timeout_ms = 1;
	cid = submit();
	CHECK_EQ(fetch_later(9), 1);
	CHECK_EQ(the_ended, 1); /* the device still has it */
	post((uint16_t)cid, 0);
	fetch(1);
	CHECK_EQ(the_ended, 2);
	CHECK_EQ(the_failed, 1);
	submit();
	pyn_inflight_abort_all(the_qpair, 8);
	CHECK_EQ(the_ended, 3);
	pyn_inflight_attach(the_qpair, &the_queue);
	the_queue.refuses = true;
	submit();
	CHECK_EQ(the_begun, 4);
	CHECK_EQ(the_ended, 4);
	the_queue.refuses = false;
	the_queue.answers_own = true;
	the_timeout_ms = 10000;
	pyn_inflight_execute(the_qpair, &cmd, NULL, &cpl, &err);
	CHECK_EQ(the_begun, 4);
	CHECK_EQ(the_ended, 4);
}

QPAIR_TEST(a_mismatch_is_the_status_07_81_and_tells_what_was_found, IO_QUEUE)
{
	struct pyn_buffer *buffer = pyn_buffer_create(4096, &err);
	struct pyn_command command = {.cmd = {.opc = 1, .cdw10 = 9}, .buffer = buffer, .length = 512, .stamp = true};
	uint16_t cid;

	pyn_token_start(&err);
	command.verify = pyn_verify_create(1, 100, VERIFY_LBA, &err);
	pyn_inflight_submit(the_qpair, &command, &cid, &err);
	post(cid, 0);
	CHECK_EQ(fetch(1), 1);
	command.cmd.opc = 2;
	command.check = true;
	for (int wrong = 0; wrong < 2; wrong++) {
		pyn_inflight_submit(the_qpair, &command, &cid, &err);
		buffer->data[33] ^= (uint8_t)wrong;
		post(cid, 0);
		CHECK_EQ(fetch(1), 1);
		CHECK_EQ(the_completed[0].mismatch, wrong);
		CHECK_EQ(the_completed[0].cpl.status >> 1, wrong ? 0x781 : 0);
	}
	CHECK_EQ(the_completed[0].found.lba, 9);
	CHECK_EQ(the_completed[0].found.kind, PYN_MISMATCH_CORRUPT);
	pyn_verify_put(command.verify);
	pyn_buffer_put(buffer);
}

QPAIR_TEST(the_log_holds_commands_and_their_completions, IO_QUEUE)
{
	struct pyn_cmdlog_entry entry;
	int first = submit(), second = submit();

	post((uint16_t)first, 0x102);
	fetch(1);
	CHECK(pyn_cmdlog_read(pyn_inflight_cmdlog(the_qpair), 0, &entry));
	CHECK_EQ(entry.cmd.cid, second);
	CHECK_EQ(entry.completed, 0);
	CHECK(pyn_cmdlog_read(pyn_inflight_cmdlog(the_qpair), 1, &entry));
	CHECK_EQ(entry.cmd.cid, first);
	CHECK_EQ(entry.cpl.status >> 1, 0x102);
	CHECK(entry.completed >= entry.submitted);
}
