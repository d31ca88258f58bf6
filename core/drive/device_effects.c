/* SPDX-License-Identifier: BSD-3-Clause */
/* What a script's commands do to what is known of a drive: its data, its namespaces, its queues, its write cache. */
#include "core/drive/device_private.h"

#include "core/verify/tables.h"
#include "core/util/clock.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"

static void forget_all(struct pyn_verify *verify)
{
	pyn_verify_forget(verify, 0, UINT64_MAX);
}

void pyn_device_forget(struct pyn_device *device)
{
	pyn_tables_each(device->address, UINT32_MAX, forget_all);
}

/* -- the commands that only the drive knows ---------------------------------------------------------------------- */

static void take_effects(struct pyn_device *device, const struct nvme_effects_log *log)
{
	const uint32_t both = NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC;

	for (unsigned opcode = 0; opcode < 256; opcode++) {
		device->keeps_data[0][opcode] = (log->acs[opcode] & both) == NVME_EFFECT_CSUPP;
		device->keeps_data[1][opcode] = (log->iocs[opcode] & both) == NVME_EFFECT_CSUPP;
	}
}

static void ask_for_effects(struct pyn_device *device)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_GET_LOG_PAGE,
		.nsid = UINT32_MAX,
		.cdw10 = NVME_LOG_EFFECTS | (sizeof(struct nvme_effects_log) / 4 - 1) << 16,
	};
	struct pyn_error ignored;
	struct pyn_buffer *buffer = pyn_buffer_create(sizeof(struct nvme_effects_log), &ignored);

	if (buffer && pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, &ignored) == 0)
		take_effects(device, (const struct nvme_effects_log *)buffer->data);
	pyn_buffer_put(buffer);
}

void pyn_device_ask_effects(struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	struct pyn_error ignored;

	pyn_device_lock(device);
	/* Once for good: a command must mean at its end what it meant when it was sent. */
	if (!device->asked_effects && pyn_device_check(device, &ignored) == 0) {
		device->asked_effects = true;
		if (id->lpa & NVME_LPA_EFFECTS)
			ask_for_effects(device);
	}
	pyn_device_unlock(device);
}

bool pyn_device_keeps_data(const struct pyn_device *device, uint8_t opcode, bool io)
{
	return device->keeps_data[io][opcode];
}

bool pyn_device_admin_is_unknown(uint8_t opcode)
{
	switch (opcode) {
	case NVME_ADMIN_DELETE_SQ:
	case NVME_ADMIN_CREATE_SQ:
	case NVME_ADMIN_GET_LOG_PAGE:
	case NVME_ADMIN_DELETE_CQ:
	case NVME_ADMIN_CREATE_CQ:
	case NVME_ADMIN_IDENTIFY:
	case NVME_ADMIN_ABORT:
	case NVME_ADMIN_SET_FEATURES:
	case NVME_ADMIN_GET_FEATURES:
	case NVME_ADMIN_ASYNC_EVENT:
	case NVME_ADMIN_NS_MANAGEMENT:
	case NVME_ADMIN_FW_COMMIT:
	case NVME_ADMIN_FW_DOWNLOAD:
	case NVME_ADMIN_SELF_TEST:
	case NVME_ADMIN_NS_ATTACHMENT:
	case NVME_ADMIN_KEEP_ALIVE:
	case NVME_ADMIN_DIRECTIVE_SEND:
	case NVME_ADMIN_DIRECTIVE_RECEIVE:
	case NVME_ADMIN_VIRTUALIZATION:
	case NVME_ADMIN_MI_RECEIVE:
	case NVME_ADMIN_CAPACITY_MANAGEMENT:
	case NVME_ADMIN_LOCKDOWN:
	case NVME_ADMIN_DOORBELL_BUFFER_CONFIG:
	case NVME_ADMIN_FORMAT_NVM:
	case NVME_ADMIN_SECURITY_SEND:
	case NVME_ADMIN_SECURITY_RECEIVE:
	case NVME_ADMIN_SANITIZE:
	case NVME_ADMIN_GET_LBA_STATUS:
		return false;
	default:
		/* NVMe-MI Send among them: it carries a command of another interface. */
		return true;
	}
}

static bool may_change_data(const struct pyn_device *device, uint8_t opcode)
{
	return pyn_device_admin_is_unknown(opcode) && !pyn_device_keeps_data(device, opcode, false);
}

/* -- data and namespaces ----------------------------------------------------------------------------------------- */

/* Which namespaces' data an admin command changes; 0: of none. */
static uint32_t changed_namespaces(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	switch (cmd->opc) {
	case NVME_ADMIN_FORMAT_NVM:
		return id->fna & (NVME_FNA_FORMAT_ALL | NVME_FNA_ERASE_ALL) ? UINT32_MAX : cmd->nsid;
	case NVME_ADMIN_SANITIZE:
	case NVME_ADMIN_NS_MANAGEMENT:
	case NVME_ADMIN_CAPACITY_MANAGEMENT:
	case NVME_ADMIN_SECURITY_SEND: /* may erase by a change of keys */
		return UINT32_MAX;
	default:
		return may_change_data(device, cmd->opc) ? UINT32_MAX : 0;
	}
}

/* Which namespaces may have LBAs of another size afterwards; 0: none. */
static uint32_t reshaped_namespaces(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	if (cmd->opc == NVME_ADMIN_NS_MANAGEMENT)
		return cmd->nsid;
	if (may_change_data(device, cmd->opc))
		return UINT32_MAX;
	return cmd->opc == NVME_ADMIN_FORMAT_NVM && cmd->nsid ? changed_namespaces(device, cmd) : 0;
}

/* Until its namespace is identified again: commands that another one sends may come before. */
static void judge_nothing(struct pyn_verify *verify)
{
	pyn_verify_set_limit(verify, 0);
}

/* -- queues ------------------------------------------------------------------------------------------------------ */

/* A script made a queue, or deleted one that it or the driver made. */
static void observe_queue(struct pyn_device *device, const struct nvme_cmd *cmd)
{
	bool is_sq = cmd->opc == NVME_ADMIN_CREATE_SQ || cmd->opc == NVME_ADMIN_DELETE_SQ;
	uint8_t made = is_sq ? PYN_SCRIPT_MADE_SQ : PYN_SCRIPT_MADE_CQ;
	uint8_t deleted = is_sq ? PYN_SCRIPT_DELETED_SQ : PYN_SCRIPT_DELETED_CQ;
	_Atomic uint8_t *known = &device->by_script[(uint16_t)cmd->cdw10];

	if (cmd->opc == NVME_ADMIN_CREATE_SQ || cmd->opc == NVME_ADMIN_CREATE_CQ)
		atomic_fetch_or(known, made);
	else if (atomic_load(known) & made)
		atomic_fetch_and(known, (uint8_t)~made);
	else
		atomic_fetch_or(known, deleted);
}

static bool is_queue_command(const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_ADMIN_CREATE_SQ || cmd->opc == NVME_ADMIN_CREATE_CQ ||
	       cmd->opc == NVME_ADMIN_DELETE_SQ || cmd->opc == NVME_ADMIN_DELETE_CQ;
}

/* -- the write cache --------------------------------------------------------------------------------------------- */

void pyn_device_set_durable_since(struct pyn_device *device, uint64_t ticks)
{
	device->durable_since = ticks;
	pyn_tables_durable_since(device->address, ticks);
}

/*
 * Set Features, Volatile Write Cache: from when it is sent the cache may be on, and from its end it is as it was
 * asked for, unless another one was in flight at the same time: then nobody knows which came last.
 */
static void observe_cache(struct pyn_device *device, const struct nvme_cmd *cmd, enum pyn_observed what)
{
	struct pyn_cache_changes *cache = &device->cache;

	if (what == PYN_OBSERVED_SENT) {
		cache->mixed = cache->in_flight++ > 0;
		cache->was_off = device->durable_since != UINT64_MAX;
		cache->count++;
		pyn_device_set_durable_since(device, UINT64_MAX);
		return;
	}
	cache->in_flight--;
	bool stays_off = cache->was_off && (what == PYN_OBSERVED_REFUSED || !(cmd->cdw11 & NVME_WCE));

	if (!cache->mixed && (stays_off || (what == PYN_OBSERVED_DONE && !(cmd->cdw11 & NVME_WCE))))
		pyn_device_set_durable_since(device, pyn_ticks());
}

static bool sets_cache(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	return cmd->opc == NVME_ADMIN_SET_FEATURES && (uint8_t)cmd->cdw10 == NVME_FEAT_VWC &&
	       (id->vwc & NVME_VWC_PRESENT);
}

/* -- all of it --------------------------------------------------------------------------------------------------- */

static bool reshapes(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_ADMIN_FW_COMMIT ||
	       (cmd->opc != NVME_ADMIN_SECURITY_SEND && changed_namespaces(device, cmd)) ||
	       cmd->opc == NVME_ADMIN_FORMAT_NVM;
}

static void forget_changed(struct pyn_device *device, const struct nvme_cmd *cmd)
{
	pyn_tables_each(device->address, changed_namespaces(device, cmd), forget_all);
	pyn_tables_each(device->address, reshaped_namespaces(device, cmd), judge_nothing);
}

/* Commands that change data do so from when they are sent to when they have ended, however they end. */
static void observe_data(struct pyn_device *device, const struct nvme_cmd *cmd, enum pyn_observed what)
{
	if (!changed_namespaces(device, cmd) && cmd->opc != NVME_ADMIN_FORMAT_NVM)
		return;
	/* All tables are held: which ones are meant may change between the two calls, and the holds must not. */
	if (what == PYN_OBSERVED_SENT) {
		pyn_tables_each(device->address, UINT32_MAX, pyn_verify_hold);
		return;
	}
	if (what != PYN_OBSERVED_REFUSED)
		forget_changed(device, cmd);
	pyn_tables_each(device->address, UINT32_MAX, pyn_verify_release);
}

void pyn_device_observe(void *context, const struct nvme_cmd *cmd, enum pyn_observed what)
{
	struct pyn_device *device = context;

	if (what == PYN_OBSERVED_DONE && is_queue_command(cmd))
		observe_queue(device, cmd);
	if (sets_cache(device, cmd))
		observe_cache(device, cmd, what);
	observe_data(device, cmd, what);
	if (reshapes(device, cmd))
		atomic_fetch_add(&device->namespace_generation, 1);
}
