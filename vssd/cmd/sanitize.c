/* SPDX-License-Identifier: BSD-3-Clause */
/* The Sanitize command: checks it, and starts the operation, which vssd/subsystem/sanitize.c executes in the
 * background. NVM Express Base Specification 2.0, section 5.24. */
#include "vssd/cmd/admin.h"
#include "vssd/cmd/guard.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

/* Exit Failure Mode. After a restricted operation it is not allowed: only another restricted operation helps. */
static uint16_t exit_failure(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	if (state->status != NVME_SANITIZE_FAILED || state->left)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_SANITIZE_SANACT, "SANACT, without a failure"), VSSD_OWN);
	if (!(state->cdw10 & NVME_SANITIZE_AUSE))
		return vssd_refuse(request, NVME_SC_SANITIZE_FAILED,
				   VSSD_STATE("the failed operation was a restricted one"), VSSD_BASE("8.1.24"));
	if (!request->is_trial)
		vssd_sanitize_exit_failure(subsystem);
	return NVME_SC_SUCCESS;
}

static uint16_t exit_verification(struct vssd_request *request)
{
	if (!vssd_sanitize_is_verified(request->ctrl->subsystem))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_SANITIZE_SANACT, "SANACT, without media verification"),
				   VSSD_OWN);
	if (!request->is_trial)
		vssd_sanitize_exit_verification(request->ctrl->subsystem);
	return NVME_SC_SUCCESS;
}

/* EMVS: media verification follows an erase that deallocates. */
static uint16_t check_verification(struct vssd_request *request, uint32_t action)
{
	bool can = request->ctrl->options->optional.media.verification && action != NVME_SANITIZE_OVERWRITE &&
		   !(request->cmd.cdw10 & NVME_SANITIZE_NDAS);

	if (can || !(request->cmd.cdw10 & NVME_SANITIZE_EMVS))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_SANITIZE_EMVS, "EMVS"), VSSD_OWN);
}

static uint16_t check_start(struct vssd_request *request, uint32_t action)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	if (state->status == NVME_SANITIZE_IN_PROGRESS)
		return vssd_refuse_busy(request, NVME_SC_SANITIZE_IN_PROGRESS);
	if (subsystem->format.running)
		return vssd_refuse_busy(request, NVME_SC_FORMAT_IN_PROGRESS);
	if (vssd_firmware_pending(subsystem))
		return vssd_refuse(request, vssd_firmware_pending(subsystem),
				   VSSD_STATE("a firmware image waits for a reset"), VSSD_BASE("3.11"));
	if (action < NVME_SANITIZE_BLOCK_ERASE || action > NVME_SANITIZE_CRYPTO_ERASE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_SANITIZE_SANACT, "SANACT"),
				   VSSD_OWN);
	if (request->cmd.cdw10 & NVME_SANITIZE_NDAS && !vssd_sanitize_leaves_data(subsystem) &&
	    !(request->ctrl->features.value[NVME_FEAT_SANITIZE] & NVME_NODRM))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_SANITIZE_NDAS, "NDAS, which SANICAP.NDI inhibits"),
				   VSSD_OWN);
	/* After a failed restricted operation, only another restricted one is allowed. */
	if (vssd_sanitize_refuses(subsystem) && !(state->cdw10 & NVME_SANITIZE_AUSE) &&
	    request->cmd.cdw10 & NVME_SANITIZE_AUSE)
		return vssd_refuse(request, NVME_SC_SANITIZE_FAILED, VSSD_FIELD(NVME_FIELD_SANITIZE_AUSE, "AUSE"),
				   VSSD_BASE("8.1.24"));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_sanitize(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint32_t action = (uint32_t)nvme_get_field(&request->cmd, NVME_FIELD_SANITIZE_SANACT);
	uint16_t status;

	if (action == NVME_SANITIZE_EXIT_FAILURE && subsystem->nv->sanitize.status != NVME_SANITIZE_IN_PROGRESS)
		return exit_failure(request);
	if (action == NVME_SANITIZE_EXIT_MEDIA_VERIFICATION && subsystem->options.optional.media.verification)
		return exit_verification(request);
	status = check_start(request, action);
	if (!status)
		status = check_verification(request, action);
	if (!status)
		status = vssd_guard_erasure(request, NULL);
	if (!status)
		status = vssd_reservation_check_all(request, VSSD_ACCESS_WRITE);
	if (!status && !request->is_trial)
		vssd_sanitize_start(subsystem, vssd_cntlid(&request->ctrl->listener), request->cmd.cdw10,
				    request->cmd.cdw11);
	return status;
}
