/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device Self-test. NVM Express Base Specification 2.0, sections 5.9, 5.16.1.7 and 8.6.
 *
 * A test runs in the background and always passes: this drive has no parts that could fail. An extended test survives
 * resets and power loss, a short one neither.
 */
#include "vssd/subsystem/self_test.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/subsystem/subsystem.h"

#define MS_NS UINT64_C(1000000)
#define MS_PER_MINUTE 60000u
#define MS_PER_HOUR 3600000u
#define EXTENDED_FACTOR 10u /* an extended test takes this many times as long, by default */
#define WHOLE 10000u        /* nv->self_test.left of a whole test */

static uint32_t duration_ms(const struct vssd_subsystem *subsystem, uint8_t operation)
{
	if (operation != NVME_SELF_TEST_EXTENDED)
		return subsystem->options.times.self_test_ms;
	if (subsystem->options.times.extended_self_test_ms != VSSD_TIME_DERIVED)
		return subsystem->options.times.extended_self_test_ms;
	return subsystem->options.times.self_test_ms * EXTENDED_FACTOR;
}

uint16_t vssd_self_test_minutes(const struct vssd_subsystem *subsystem)
{
	uint32_t ms = duration_ms(subsystem, NVME_SELF_TEST_EXTENDED);

	return (uint16_t)(ms < MS_PER_MINUTE ? 1 : (ms + MS_PER_MINUTE - 1) / MS_PER_MINUTE);
}

/* Continue with the remaining work in nv->self_test. */
static void proceed(struct vssd_subsystem *subsystem)
{
	struct vssd_self_test *test = &subsystem->nv->self_test;

	subsystem->self_test.share = pyn_ns_to_ticks(duration_ms(subsystem, test->operation) * MS_NS) / WHOLE;
	subsystem->self_test.due = pyn_ticks() + subsystem->self_test.share * test->left;
}

/* Log the result; the newest one comes first. */
static void end(struct vssd_subsystem *subsystem, enum nvme_self_test_status status)
{
	struct vssd_self_test *test = &subsystem->nv->self_test;
	bool of_one_ns = test->nsid != 0 && test->nsid != NVME_NSID_ALL;

	vssd_health_account(subsystem);
	memmove(&test->results[1], &test->results[0], sizeof(test->results) - sizeof(test->results[0]));
	test->results[0] = (struct nvme_self_test_result){
		.dsts = (uint8_t)(test->operation << 4 | status),
		.vdi = of_one_ns ? NVME_SELF_TEST_VDI_NSID : 0,
		.poh = subsystem->nv->totals.power_on_ms / MS_PER_HOUR,
		.nsid = test->nsid,
	};
	if (test->count < NVME_SELF_TEST_RESULTS)
		test->count++;
	test->operation = 0;
}

void vssd_self_test_start(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint8_t operation,
			  uint32_t nsid)
{
	struct vssd_self_test *test = &subsystem->nv->self_test;

	subsystem->self_test.owner = owner;
	test->operation = operation;
	test->nsid = nsid;
	test->left = WHOLE;
	proceed(subsystem);
	vssd_subsystem_wake(subsystem);
}

void vssd_self_test_stop(struct vssd_subsystem *subsystem, enum nvme_self_test_status status)
{
	if (subsystem->nv->self_test.operation)
		end(subsystem, status);
}

static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	struct vssd_self_test *test = &subsystem->nv->self_test;
	uint64_t left = subsystem->self_test.due - now;

	if (!test->operation)
		return;
	if (now >= subsystem->self_test.due) {
		end(subsystem, NVME_SELF_TEST_PASSED);
		return;
	}
	left = subsystem->self_test.share ? left / subsystem->self_test.share : 0;
	/* At least 1 is left while the test runs, so that it never reports 100 %. */
	test->left = left >= WHOLE ? WHOLE : left ? (uint32_t)left : 1;
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	return subsystem->nv->self_test.operation ? 0 : VSSD_NEVER;
}

/* The reset of another controller does not concern the test. */
static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	struct vssd_self_test *test = &subsystem->nv->self_test;

	if (by && subsystem->self_test.owner && by != subsystem->self_test.owner)
		return;
	if (test->operation == NVME_SELF_TEST_SHORT)
		end(subsystem, NVME_SELF_TEST_RESET);
	else if (test->operation && kind == VSSD_RESET_POWER)
		proceed(subsystem);
}

void vssd_self_test_give_way(struct vssd_subsystem *subsystem, uint32_t nsid, enum nvme_self_test_status status)
{
	const struct vssd_self_test *test = &subsystem->nv->self_test;
	bool overlaps = nsid == NVME_NSID_ALL || test->nsid == NVME_NSID_ALL || nsid == test->nsid;

	/* A format does not end a test of the controller alone. */
	if (test->operation && (status == NVME_SELF_TEST_SANITIZE || (overlaps && test->nsid != 0)))
		end(subsystem, status);
}

void vssd_self_test_log(const struct vssd_subsystem *subsystem, struct nvme_self_test_log *log)
{
	const struct vssd_self_test *test = &subsystem->nv->self_test;

	log->cdsto = test->operation;
	if (test->operation)
		log->cdstc = (uint8_t)((WHOLE - test->left) * 100 / WHOLE);
	memcpy(log->results, test->results, sizeof(log->results));
	for (unsigned i = test->count; i < NVME_SELF_TEST_RESULTS; i++)
		log->results[i] = (struct nvme_self_test_result){.dsts = NVME_SELF_TEST_UNUSED};
}

/* Check the state, which may come from a file with any contents. */
static void init(struct vssd_subsystem *subsystem)
{
	struct vssd_self_test *test = &subsystem->nv->self_test;

	if (test->operation != NVME_SELF_TEST_SHORT && test->operation != NVME_SELF_TEST_EXTENDED)
		test->operation = 0;
	if (test->left > WHOLE)
		test->left = WHOLE;
	if (test->count > NVME_SELF_TEST_RESULTS)
		test->count = NVME_SELF_TEST_RESULTS;
}

const struct vssd_subsystem_part vssd_self_test_part = {.init = init, .reset = reset, .poll = poll, .due = due};
