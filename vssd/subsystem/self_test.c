/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device Self-test. NVM Express Base Specification 2.0, sections 5.9, 5.16.1.7 and 8.6.
 *
 * It takes its time in the background and finds nothing: this drive has no parts that could fail. An extended one
 * outlives resets and power, a short one neither.
 */
#include "vssd/ctrl/device.h"

#include <string.h>

#include "core/util/clock.h"

#define MS_NS UINT64_C(1000000)
#define MS_PER_MINUTE 60000u
#define MS_PER_HOUR 3600000u
#define EXTENDED_FACTOR 10u /* as long as a short one, unless the user says how long */
#define WHOLE 10000u        /* what nv->self_test.left counts in */

static uint32_t duration_ms(const struct vssd_ctrl *ctrl, uint8_t operation)
{
	if (operation != NVME_SELF_TEST_EXTENDED)
		return ctrl->options.self_test_ms;
	if (ctrl->options.extended_self_test_ms != VSSD_TIME_DERIVED)
		return ctrl->options.extended_self_test_ms;
	return ctrl->options.self_test_ms * EXTENDED_FACTOR;
}

uint16_t vssd_self_test_minutes(const struct vssd_ctrl *ctrl)
{
	uint32_t ms = duration_ms(ctrl, NVME_SELF_TEST_EXTENDED);

	return (uint16_t)(ms < MS_PER_MINUTE ? 1 : (ms + MS_PER_MINUTE - 1) / MS_PER_MINUTE);
}

/* Go on with what nv->self_test says is left. */
static void proceed(struct vssd_ctrl *ctrl)
{
	struct vssd_self_test *test = &ctrl->nv->self_test;

	ctrl->self_test_share = pyn_ns_to_ticks(duration_ms(ctrl, test->operation) * MS_NS) / WHOLE;
	ctrl->self_test_due = pyn_ticks() + ctrl->self_test_share * test->left;
}

/* Write down how it ended: the newest result comes first. */
static void end(struct vssd_ctrl *ctrl, enum nvme_self_test_status status)
{
	struct vssd_self_test *test = &ctrl->nv->self_test;
	bool of_one_ns = test->nsid != 0 && test->nsid != NVME_NSID_ALL;

	vssd_health_account(ctrl);
	memmove(&test->results[1], &test->results[0], sizeof(test->results) - sizeof(test->results[0]));
	test->results[0] = (struct nvme_self_test_result){
		.dsts = (uint8_t)(test->operation << 4 | status),
		.vdi = of_one_ns ? NVME_SELF_TEST_VDI_NSID : 0,
		.poh = ctrl->nv->totals.power_on_ms / MS_PER_HOUR,
		.nsid = test->nsid,
	};
	if (test->count < NVME_SELF_TEST_RESULTS)
		test->count++;
	test->operation = 0;
}

/* Namespaces that are being formatted, say, cannot be tested. */
static uint16_t check_namespaces(struct vssd_ctrl *ctrl, uint32_t nsid)
{
	if (nsid != 0 && nsid != NVME_NSID_ALL && !vssd_ns_find(ctrl, nsid))
		return NVME_SC_INVALID_NAMESPACE;
	for (uint32_t i = 0; nsid != 0 && i < ctrl->options.namespaces; i++)
		if (ctrl->ns[i].refuse && (nsid == NVME_NSID_ALL || nsid == i + 1))
			return ctrl->ns[i].refuse;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_self_test(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_self_test *test = &ctrl->nv->self_test;
	uint8_t operation = cmd->cdw10 & 0xf;
	uint16_t status;

	if (operation == NVME_SELF_TEST_ABORT) {
		if (test->operation)
			end(ctrl, NVME_SELF_TEST_ABORTED);
		return NVME_SC_SUCCESS;
	}
	if (operation != NVME_SELF_TEST_SHORT && operation != NVME_SELF_TEST_EXTENDED)
		return vssd_invalid_field(request, VSSD_FIELD_CDW10);
	status = check_namespaces(ctrl, cmd->nsid);
	if (status)
		return status;
	if (test->operation)
		return NVME_SC_SELF_TEST_IN_PROGRESS;
	test->operation = operation;
	test->nsid = cmd->nsid;
	test->left = WHOLE;
	proceed(ctrl);
	return NVME_SC_SUCCESS;
}

void vssd_self_test_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_self_test *test = &ctrl->nv->self_test;
	uint64_t left = ctrl->self_test_due - ctrl->now;

	if (ctrl->now >= ctrl->self_test_due) {
		end(ctrl, NVME_SELF_TEST_PASSED);
		return;
	}
	left = ctrl->self_test_share ? left / ctrl->self_test_share : 0;
	/* What has not ended has something left: 100 % is said of none that still runs. */
	test->left = left >= WHOLE ? WHOLE : left ? (uint32_t)left : 1;
}

void vssd_self_test_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	struct vssd_self_test *test = &ctrl->nv->self_test;

	if (test->operation == NVME_SELF_TEST_SHORT)
		end(ctrl, NVME_SELF_TEST_RESET);
	else if (test->operation && kind == VSSD_RESET_POWER)
		proceed(ctrl);
}

void vssd_self_test_end(struct vssd_ctrl *ctrl, uint32_t nsid, enum nvme_self_test_status status)
{
	const struct vssd_self_test *test = &ctrl->nv->self_test;
	bool overlaps = nsid == NVME_NSID_ALL || test->nsid == NVME_NSID_ALL || nsid == test->nsid;

	/* A test of the controller alone does not mind a format. */
	if (test->operation && (status == NVME_SELF_TEST_SANITIZE || (overlaps && test->nsid != 0)))
		end(ctrl, status);
}

void vssd_self_test_log(const struct vssd_ctrl *ctrl, struct nvme_self_test_log *log)
{
	const struct vssd_self_test *test = &ctrl->nv->self_test;

	log->cdsto = test->operation;
	if (test->operation)
		log->cdstc = (uint8_t)((WHOLE - test->left) * 100 / WHOLE);
	memcpy(log->results, test->results, sizeof(log->results));
	for (unsigned i = test->count; i < NVME_SELF_TEST_RESULTS; i++)
		log->results[i] = (struct nvme_self_test_result){.dsts = NVME_SELF_TEST_UNUSED};
}

/* What comes from a file may say anything. */
void vssd_self_test_init(struct vssd_ctrl *ctrl)
{
	struct vssd_self_test *test = &ctrl->nv->self_test;

	if (test->operation != NVME_SELF_TEST_SHORT && test->operation != NVME_SELF_TEST_EXTENDED)
		test->operation = 0;
	if (test->left > WHOLE)
		test->left = WHOLE;
	if (test->count > NVME_SELF_TEST_RESULTS)
		test->count = NVME_SELF_TEST_RESULTS;
}
