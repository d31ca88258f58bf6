/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power states, those that the host chooses and those that the drive goes to by itself, and the temperatures at which
 * it saves power. NVM Express Base Specification 2.0, sections 5.27.1.2, 5.27.1.9, 5.27.1.13 and 8.15.
 */
#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/direct.h"
#include "vssd/cmd/dptr.h"
#include "vssd/ctrl/device.h"

#define PS 0x1fu
#define MS_NS UINT64_C(1000000)
#define ITPS(entry) ((uint32_t)((entry) >> 3) & PS) /* of an entry of the APST table */
#define ITPT_MS(entry) ((uint32_t)((entry) >> 8) & 0xffffffu)
#define APST_KEPT UINT64_C(0xfffffff8) /* bits of an entry that mean something */

static uint32_t state_of(const struct vssd_ctrl *ctrl)
{
	return ctrl->feature[NVME_FEAT_POWER] & PS;
}

static bool is_operational(uint32_t state)
{
	return state < VSSD_FIRST_NOPS;
}

static void enter(struct vssd_ctrl *ctrl, uint32_t state)
{
	ctrl->feature[NVME_FEAT_POWER] = (ctrl->feature[NVME_FEAT_POWER] & ~PS) | state;
	if (is_operational(state))
		ctrl->power_state.operational = state;
	ctrl->power_state.asleep = !is_operational(state);
	ctrl->power_state.since = pyn_ticks();
	vssd_direct_update(ctrl);
}

uint8_t vssd_power_npss(const struct vssd_ctrl *ctrl)
{
	return vssd_since(ctrl, NVME_1_1) ? VSSD_NPSS : VSSD_FIRST_NOPS - 1;
}

uint16_t vssd_power_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;

	if ((cmd->cdw11 & PS) > vssd_power_npss(ctrl))
		return vssd_invalid_field(request, VSSD_FIELD_CDW11);
	/* The workload hint came with 1.2. */
	ctrl->feature[NVME_FEAT_POWER] = cmd->cdw11 & (vssd_since(ctrl, NVME_1_2) ? 0xff : PS);
	enter(ctrl, cmd->cdw11 & PS);
	return NVME_SC_SUCCESS;
}

void vssd_power_wake(struct vssd_ctrl *ctrl)
{
	enter(ctrl, ctrl->power_state.operational);
}

/* ---- autonomous power state transition ---- */

/* Only to a state without operation, and one that needs less. */
static bool apst_is_valid(const uint64_t table[VSSD_APST_ENTRIES])
{
	for (uint32_t state = 0; state <= VSSD_NPSS; state++) {
		uint32_t next = ITPS(table[state]);

		if (ITPT_MS(table[state]) && (is_operational(next) || next > VSSD_NPSS || next <= state))
			return false;
	}
	return true;
}

uint16_t vssd_apst_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t table[VSSD_APST_ENTRIES];
	uint16_t status = vssd_data_receive(request, table, sizeof(table));

	if (status)
		return status;
	if (!apst_is_valid(table))
		return NVME_SC_INVALID_FIELD; /* in its data */
	for (uint32_t i = 0; i < VSSD_APST_ENTRIES; i++)
		ctrl->power_state.apst[i] = table[i] & APST_KEPT;
	ctrl->feature[NVME_FEAT_APST] = cmd->cdw11 & NVME_APSTE;
	ctrl->power_state.since = pyn_ticks();
	if (cmd->cdw10 & NVME_SET_FEATURES_SV)
		memcpy(ctrl->nv->features.apst, ctrl->power_state.apst, sizeof(ctrl->nv->features.apst));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_apst_get(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	static const uint64_t initial[VSSD_APST_ENTRIES];
	const uint64_t *table = select == NVME_SEL_CURRENT ? ctrl->power_state.apst
				: select == NVME_SEL_SAVED ? ctrl->nv->features.apst
							   : initial;

	request->result = vssd_feature_value(ctrl, NVME_FEAT_APST, select);
	return vssd_data_send(request, table, sizeof(initial));
}

static uint64_t io_taken(const struct vssd_ctrl *ctrl)
{
	return ctrl->counters.commands_read + ctrl->counters.commands_write + ctrl->counters.commands_other;
}

/* Background work of the drive's own keeps it awake as IO does. */
static bool is_busy(const struct vssd_ctrl *ctrl)
{
	return io_taken(ctrl) != ctrl->power_state.io_taken || ctrl->format.running ||
	       ctrl->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS || ctrl->nv->self_test.operation;
}

/* The state may be younger than this poll, in which it was entered. */
static bool is_idle_for(const struct vssd_ctrl *ctrl, uint32_t ms)
{
	return (int64_t)(ctrl->now - ctrl->power_state.since) >= (int64_t)pyn_ns_to_ticks(ms * MS_NS);
}

void vssd_power_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_power_state *power = &ctrl->power_state;
	uint64_t entry = power->apst[state_of(ctrl)];

	if (is_busy(ctrl)) {
		power->since = ctrl->now;
		power->io_taken = io_taken(ctrl);
	} else if (ITPT_MS(entry) && is_idle_for(ctrl, ITPT_MS(entry))) {
		enter(ctrl, ITPS(entry));
	}
}

void vssd_power_reset(struct vssd_ctrl *ctrl)
{
	ctrl->power_state = (struct vssd_power_state){.io_taken = io_taken(ctrl)};
	memcpy(ctrl->power_state.apst, ctrl->nv->features.apst, sizeof(ctrl->power_state.apst));
	enter(ctrl, state_of(ctrl));
}

/* ---- host controlled thermal management ---- */

uint16_t vssd_thermal_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t light = cmd->cdw11 >> 16, heavy = cmd->cdw11 & 0xffff;

	if (light && (light < VSSD_MNTMT || light > VSSD_MXTMT))
		return vssd_invalid_field(request, VSSD_FIELD_CDW11);
	if (heavy && (heavy < VSSD_MNTMT || heavy > VSSD_MXTMT))
		return vssd_invalid_field(request, VSSD_FIELD_CDW11);
	if (light && heavy && light >= heavy)
		return vssd_invalid_field(request, VSSD_FIELD_CDW11);
	ctrl->feature[NVME_FEAT_HCTM] = cmd->cdw11;
	return NVME_SC_SUCCESS;
}

unsigned vssd_thermal_level(const struct vssd_ctrl *ctrl)
{
	uint32_t light = ctrl->feature[NVME_FEAT_HCTM] >> 16, heavy = ctrl->feature[NVME_FEAT_HCTM] & 0xffff;

	if (heavy && ctrl->health.temperature >= heavy)
		return 2;
	return light && ctrl->health.temperature >= light ? 1 : 0;
}
