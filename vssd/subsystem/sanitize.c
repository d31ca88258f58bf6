/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sanitize: all data of the subsystem are destroyed, in the background and whatever happens meanwhile. What there is
 * to know of it lies in the system area, so that a drive whose power fails goes on where it was.
 * NVM Express Base Specification 2.0, sections 5.16.1.25, 5.24 and 8.21.
 */
#include "core/util/clock.h"
#include "vssd/cmd/direct.h"
#include "vssd/ctrl/device.h"

#define MS_NS UINT64_C(1000000)
#define BLOCKS_PER_POLL (UINT64_C(1) << 18)
#define PASSES_MAX 16u /* OWPASS 0 stands for them */
#define SPROG_DENOMINATOR 65536u
#define SPROG_IDLE UINT16_MAX

static uint32_t action_of(uint32_t cdw10)
{
	return cdw10 & NVME_SANITIZE_ACTION;
}

static uint32_t passes_of(uint32_t cdw10)
{
	uint32_t passes = cdw10 >> NVME_SANITIZE_OWPASS_SHIFT & 0xf;

	if (action_of(cdw10) != NVME_SANITIZE_OVERWRITE)
		return 0;
	return passes ? passes : PASSES_MAX;
}

/* How often the operation goes over the medium: an overwrite that is to leave nothing allocated once more. */
static uint32_t sweeps_of(uint32_t cdw10)
{
	uint32_t passes = passes_of(cdw10);

	return passes == 0 ? 1 : passes + (cdw10 & NVME_SANITIZE_NDAS ? 0 : 1);
}

static uint64_t work_of(const struct vssd_ctrl *ctrl)
{
	return ctrl->blocks * sweeps_of(ctrl->nv->sanitize.cdw10);
}

/* What blocks hold after a sweep. Base Specification 2.0, figure "Sanitize Operations - Overwrite Mechanism": where
 * passes are inverted, the last one writes the pattern as it was given. */
static uint32_t content_of(uint32_t cdw10, uint32_t sweep)
{
	uint32_t passes = passes_of(cdw10);

	if (sweep < passes)
		return cdw10 & NVME_SANITIZE_OIPBP && (passes - 1 - sweep) % 2 ? VSSD_POOL_INVERTED
									       : VSSD_POOL_PATTERN;
	if (!(cdw10 & NVME_SANITIZE_NDAS))
		return VSSD_POOL_UNWRITTEN;
	return action_of(cdw10) == NVME_SANITIZE_CRYPTO_ERASE ? VSSD_POOL_PATTERN : VSSD_POOL_ZEROES;
}

/* Without its key, data are noise: the same everywhere is noise enough for whoever compares it with what was there.
 */
static void make_content(struct vssd_ctrl *ctrl)
{
	const struct vssd_sanitize_state *state = &ctrl->nv->sanitize;

	if (passes_of(state->cdw10))
		vssd_store_pattern(ctrl->store, state->pattern, 0);
	else if (action_of(state->cdw10) == NVME_SANITIZE_CRYPTO_ERASE)
		vssd_store_pattern(ctrl->store, (uint32_t)ctrl->now | 1, UINT32_C(0x9e3779b9));
}

uint16_t vssd_sanitize_refuses(const struct vssd_ctrl *ctrl)
{
	switch (ctrl->nv->sanitize.status) {
	case NVME_SANITIZE_IN_PROGRESS:
		return NVME_SC_SANITIZE_IN_PROGRESS;
	case NVME_SANITIZE_FAILED:
		return ctrl->nv->sanitize.left ? NVME_SC_SUCCESS : NVME_SC_SANITIZE_FAILED;
	default:
		return NVME_SC_SUCCESS;
	}
}

static void set_status(struct vssd_ctrl *ctrl, enum nvme_sanitize_status status, bool left)
{
	ctrl->nv->sanitize.left = left;
	ctrl->nv->sanitize.status = (uint8_t)status;
	for (uint32_t i = 0; i < ctrl->options.namespaces; i++)
		ctrl->ns[i].refuse = vssd_sanitize_refuses(ctrl);
	vssd_direct_update(ctrl);
}

void vssd_sanitize_written(struct vssd_ctrl *ctrl)
{
	if (ctrl->nv->sanitize.written)
		return;
	ctrl->nv->sanitize.written = true;
	vssd_direct_update(ctrl);
}

/* ---- the command ---- */

/* The way out of a failure. One of a restricted operation has no other than another operation. */
static uint16_t exit_failure(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct vssd_sanitize_state *state = &ctrl->nv->sanitize;

	if (state->status != NVME_SANITIZE_FAILED || state->left)
		return vssd_invalid_field(request, VSSD_FIELD_CDW10);
	if (!(state->cdw10 & NVME_SANITIZE_AUSE))
		return NVME_SC_SANITIZE_FAILED;
	set_status(ctrl, NVME_SANITIZE_FAILED, true);
	return NVME_SC_SUCCESS;
}

static uint16_t check_start(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t cdw10 = request->cmd.cdw10;
	const struct vssd_sanitize_state *state = &ctrl->nv->sanitize;

	if (state->status == NVME_SANITIZE_IN_PROGRESS)
		return NVME_SC_SANITIZE_IN_PROGRESS;
	if (ctrl->format.running)
		return NVME_SC_FORMAT_IN_PROGRESS;
	if (vssd_firmware_pending(ctrl))
		return vssd_firmware_pending(ctrl);
	if (action_of(cdw10) < NVME_SANITIZE_BLOCK_ERASE || action_of(cdw10) > NVME_SANITIZE_CRYPTO_ERASE)
		return vssd_invalid_field(request, VSSD_FIELD_CDW10);
	/* The failure of a restricted operation is mended by another restricted one alone. */
	if (vssd_sanitize_refuses(ctrl) && !(state->cdw10 & NVME_SANITIZE_AUSE) && cdw10 & NVME_SANITIZE_AUSE)
		return NVME_SC_SANITIZE_FAILED;
	return NVME_SC_SUCCESS;
}

/* So that the time that is left agrees with the work that is. */
static void set_clock(struct vssd_ctrl *ctrl)
{
	struct vssd_sanitize *sanitize = &ctrl->sanitize;
	double share = (double)ctrl->nv->sanitize.done / (double)work_of(ctrl);

	sanitize->duration = pyn_ns_to_ticks(ctrl->options.sanitize_ms * MS_NS);
	sanitize->start = pyn_ticks() - (uint64_t)(share * (double)sanitize->duration);
}

uint16_t vssd_sanitize(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_sanitize_state *state = &ctrl->nv->sanitize;
	uint16_t status;

	if (action_of(cmd->cdw10) == NVME_SANITIZE_EXIT_FAILURE && state->status != NVME_SANITIZE_IN_PROGRESS)
		return exit_failure(request);
	status = check_start(request);
	if (status)
		return status;
	state->cdw10 = cmd->cdw10;
	state->pattern = cmd->cdw11;
	state->done = 0;
	ctrl->sanitize.announce = false;
	vssd_event_forget(ctrl, VSSD_EVENT_SANITIZED);
	vssd_store_lose(ctrl->store);
	vssd_hmb_forget(ctrl);
	make_content(ctrl);
	set_clock(ctrl);
	set_status(ctrl, NVME_SANITIZE_IN_PROGRESS, false);
	vssd_self_test_end(ctrl, NVME_NSID_ALL, NVME_SELF_TEST_SANITIZE);
	return NVME_SC_SUCCESS;
}

/* ---- the operation ---- */

void vssd_sanitize_resume(struct vssd_ctrl *ctrl)
{
	if (ctrl->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS)
		set_clock(ctrl);
	set_status(ctrl, ctrl->nv->sanitize.status, ctrl->nv->sanitize.left);
}

/* The work that is to be done by now. */
static uint64_t work_due(const struct vssd_ctrl *ctrl)
{
	const struct vssd_sanitize *sanitize = &ctrl->sanitize;
	uint64_t elapsed = ctrl->now - sanitize->start;
	uint64_t work = work_of(ctrl);

	if (elapsed >= sanitize->duration)
		return work;
	return (uint64_t)((double)work * ((double)elapsed / (double)sanitize->duration));
}

static void advance(struct vssd_ctrl *ctrl, uint64_t target)
{
	struct vssd_sanitize_state *state = &ctrl->nv->sanitize;
	uint64_t blocks = ctrl->blocks;

	while (state->done < target) {
		uint64_t first = state->done % blocks;
		uint64_t count = target - state->done < blocks - first ? target - state->done : blocks - first;

		vssd_erase(ctrl, first, count, content_of(state->cdw10, (uint32_t)(state->done / blocks)));
		state->done += count;
	}
}

static void conclude(struct vssd_ctrl *ctrl, enum nvme_sanitize_status status)
{
	if (status == NVME_SANITIZE_SUCCESS)
		ctrl->nv->sanitize.written = false;
	set_status(ctrl, status, false);
	ctrl->sanitize.announce = true;
}

/* Whether the operation is one of those that an option lets fail; they do so half-way. */
static bool fails_now(struct vssd_ctrl *ctrl)
{
	return ctrl->sanitize.failures < ctrl->options.sanitize_failures &&
	       ctrl->nv->sanitize.done >= work_of(ctrl) / 2;
}

void vssd_sanitize_poll(struct vssd_ctrl *ctrl)
{
	const struct vssd_sanitize_state *state = &ctrl->nv->sanitize;

	if (state->status == NVME_SANITIZE_IN_PROGRESS) {
		uint64_t due = work_due(ctrl), most = ctrl->null_store ? due : state->done + BLOCKS_PER_POLL;

		advance(ctrl, due < most ? due : most);
		if (fails_now(ctrl)) {
			ctrl->sanitize.failures++;
			conclude(ctrl, NVME_SANITIZE_FAILED);
		} else if (state->done == work_of(ctrl) &&
			   ctrl->now - ctrl->sanitize.start >= ctrl->sanitize.duration) {
			conclude(ctrl, NVME_SANITIZE_SUCCESS);
		}
	}
	/* A controller that does not run has no right to the host's memory. It takes no commands either: the event is
	 * there before anybody can read that the operation is over. */
	if (ctrl->sanitize.announce && ctrl->running) {
		ctrl->sanitize.announce = false;
		vssd_event_raise(ctrl, VSSD_EVENT_SANITIZED);
	}
}

/* ---- the log page ---- */

void vssd_sanitize_log(const struct vssd_ctrl *ctrl, struct nvme_sanitize_log *log)
{
	const struct vssd_sanitize_state *state = &ctrl->nv->sanitize;
	uint32_t seconds = (ctrl->options.sanitize_ms + 999) / 1000;
	uint64_t sweeps = state->done / ctrl->blocks, passes = passes_of(state->cdw10);

	log->sprog = SPROG_IDLE;
	if (state->status == NVME_SANITIZE_IN_PROGRESS) {
		uint64_t share = (uint64_t)((double)state->done / (double)work_of(ctrl) * SPROG_DENOMINATOR);

		log->sprog = (uint16_t)(share < SPROG_IDLE ? share : SPROG_IDLE - 1);
	}
	log->sstat = (uint16_t)(state->status | (sweeps < passes ? sweeps : passes) << NVME_SANITIZE_PASSES_SHIFT |
				(state->written ? 0 : NVME_SANITIZE_GLOBAL_DATA_ERASED));
	log->scdw10 = state->cdw10;
	log->eto = log->etbe = log->etce = seconds;
	if (vssd_since(ctrl, NVME_1_4))
		log->etond = log->etbend = log->etcend = seconds;
}
