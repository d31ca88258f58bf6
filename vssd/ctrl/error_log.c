/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Do Not Retry bit of failed commands, and the error log.
 * NVM Express Base Specification 2.0, sections 3.3.3.2.1 and 5.16.1.2.
 */
#include "vssd/ctrl/error_log.h"

#include <string.h>

#include "vssd/ctrl/controller.h"

#define CRD_SHIFT 12 /* of the status field */

/* Whether the same command may succeed if the host retries it, through any controller of the subsystem. */
static bool may_retry(uint16_t status)
{
	switch (status) {
	case NVME_SC_ABORT_REQUESTED:
	case NVME_SC_ABORTED_SQ_DELETION:
	case NVME_SC_ABORTED_FAILED_FUSED:
	case NVME_SC_ABORTED_MISSING_FUSED:
	case NVME_SC_DATA_TRANSFER_ERROR:
	case NVME_SC_INTERNAL_ERROR:
	case NVME_SC_COMMAND_SEQUENCE_ERROR:
	case NVME_SC_COMMAND_INTERRUPTED:
	case NVME_SC_TRANSIENT_TRANSPORT:
	case NVME_SC_ADMIN_COMMAND_MEDIA_NOT_READY:
	case NVME_SC_SANITIZE_IN_PROGRESS:
	case NVME_SC_FORMAT_IN_PROGRESS:
	case NVME_SC_NAMESPACE_NOT_READY:
	case NVME_SC_AER_LIMIT_EXCEEDED:
	case NVME_SC_INVALID_QUEUE_DELETION:
	case NVME_SC_SELF_TEST_IN_PROGRESS:
	case NVME_SC_WRITE_FAULT:
	case NVME_SC_ANA_PERSISTENT_LOSS:
	case NVME_SC_ANA_INACCESSIBLE:
	case NVME_SC_ANA_TRANSITION:
		return true;
	default:
		return false;
	}
}

/* Which Command Retry Delay Time the host should let pass before it retries the command: 1 to 3, or 0 for none. The
 * host must have enabled it (ACRE). Longer operations have the longer times. */
static unsigned retry_delay(const struct vssd_ctrl *ctrl, uint16_t status)
{
	if (!ctrl->options->times.retry_ms || !ctrl->features.behavior.acre)
		return 0;
	switch (status) {
	case NVME_SC_COMMAND_INTERRUPTED:
	case NVME_SC_NAMESPACE_NOT_READY:
	case NVME_SC_ADMIN_COMMAND_MEDIA_NOT_READY:
	case NVME_SC_ANA_TRANSITION:
		return 1;
	case NVME_SC_FORMAT_IN_PROGRESS:
	case NVME_SC_SELF_TEST_IN_PROGRESS:
		return 2;
	case NVME_SC_SANITIZE_IN_PROGRESS:
		return 3;
	default:
		return 0;
	}
}

uint16_t vssd_status_field(const struct vssd_ctrl *ctrl, uint16_t status)
{
	unsigned field = (unsigned)status << 1 | retry_delay(ctrl, status) << CRD_SHIFT;

	return (uint16_t)(field | (status && !may_retry(status) ? NVME_STATUS_DNR : 0));
}

void vssd_error_log_add(struct vssd_ctrl *ctrl, struct nvme_error_log_entry entry)
{
	entry.ecnt = ++ctrl->nv->totals.errors;
	ctrl->errors.entries[(entry.ecnt - 1) % (VSSD_ELPE + 1)] = entry;
}

void vssd_error_of_none(struct vssd_ctrl *ctrl)
{
	vssd_error_log_add(
		ctrl, (struct nvme_error_log_entry){.sqid = UINT16_MAX, .cid = UINT16_MAX, .pel = VSSD_NO_LOCATION});
}

/* The count includes entries of earlier processes and of other controllers, which are not kept here. */
const struct nvme_error_log_entry *vssd_error_log_entry(const struct vssd_ctrl *ctrl, uint32_t i)
{
	uint64_t made = ctrl->nv->totals.errors;
	const struct nvme_error_log_entry *entry;

	if (i > VSSD_ELPE || i >= made)
		return NULL;
	entry = &ctrl->errors.entries[(made - 1 - i) % (VSSD_ELPE + 1)];
	return entry->ecnt == made - i ? entry : NULL;
}

static void power(struct vssd_ctrl *ctrl, bool on)
{
	if (on)
		memset(ctrl->errors.entries, 0, sizeof(ctrl->errors.entries));
}

const struct vssd_part vssd_error_log_part = {.power = power};
