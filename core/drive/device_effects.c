/* SPDX-License-Identifier: BSD-3-Clause */
/* Notes the effects of a script's commands on the data, namespaces, queues and write cache of a drive. */
#include "core/drive/device_private.h"

#include "core/verify/tables.h"
#include "core/util/clock.h"
#include "spec/commands.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"

static bool may_change_data(const struct pyn_device *device, uint8_t opcode)
{
	return pyn_device_admin_is_unknown(opcode) && !pyn_device_keeps_data(device, opcode, false);
}

/* ---- data and namespaces ---- */

/* The namespaces that a Format NVM command changes: that of its NSID, or all. */
static uint32_t formatted(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	return id->fna & (NVME_FNA_FORMAT_ALL | NVME_FNA_ERASE_ALL) ? UINT32_MAX : cmd->nsid;
}

/* The namespaces whose data an admin command changes; 0: none. */
static uint32_t changed_namespaces(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	switch (spec_commands[SPEC_ADMIN][cmd->opc].changes) {
	case SPEC_CHANGES_NONE:
		return 0;
	case SPEC_CHANGES_NAMESPACE:
		return cmd->nsid;
	case SPEC_CHANGES_FORMATTED:
		return formatted(device, cmd);
	case SPEC_CHANGES_UNKNOWN:
		return may_change_data(device, cmd->opc) ? UINT32_MAX : 0;
	default:
		return UINT32_MAX;
	}
}

/* The namespaces whose LBA size an admin command may change; 0: none. */
static uint32_t reshaped_namespaces(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	const struct spec_command *command = &spec_commands[SPEC_ADMIN][cmd->opc];

	if (may_change_data(device, cmd->opc))
		return UINT32_MAX;
	if (!(command->flags & SPEC_RESHAPES) || cmd->nsid == 0)
		return 0;
	return command->changes == SPEC_CHANGES_FORMATTED ? formatted(device, cmd) : cmd->nsid;
}

/* Check nothing until the namespace is identified again: other threads may send commands before that. */
static void check_nothing(struct pyn_verify *verify)
{
	pyn_verify_set_limit(verify, 0);
}

/* ---- queues ---- */

/* Note that a script created a queue, or deleted one of its own or of the driver. */
static void on_queue_command(struct pyn_device *device, const struct nvme_cmd *cmd)
{
	bool is_sq = cmd->opc == NVME_ADMIN_CREATE_SQ || cmd->opc == NVME_ADMIN_DELETE_SQ;
	uint8_t made = is_sq ? PYN_SCRIPT_MADE_SQ : PYN_SCRIPT_MADE_CQ;
	uint8_t deleted = is_sq ? PYN_SCRIPT_DELETED_SQ : PYN_SCRIPT_DELETED_CQ;
	_Atomic uint8_t *known = &device->io.by_script[(uint16_t)cmd->cdw10];

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

/* ---- the write cache ---- */

/*
 * Note a Set Features, Volatile Write Cache. Once it is sent the cache may be on; after its end the cache is in the
 * requested state, unless another such command was in flight at the same time: then the last one is unknown.
 */
static void on_cache_command(struct pyn_device *device, const struct nvme_cmd *cmd, enum pyn_command_stage what)
{
	struct pyn_cache_changes *cache = &device->cache;

	if (what == PYN_COMMAND_SENT) {
		cache->mixed = cache->in_flight++ > 0;
		cache->was_off = pyn_tables_own_durable(device->tables) != UINT64_MAX;
		cache->count++;
		pyn_device_set_durable_since(device, UINT64_MAX);
		return;
	}
	cache->in_flight--;
	bool stays_off = cache->was_off && (what == PYN_COMMAND_REFUSED || !(cmd->cdw11 & NVME_WCE));

	if (!cache->mixed && (stays_off || (what == PYN_COMMAND_DONE && !(cmd->cdw11 & NVME_WCE))))
		pyn_device_set_durable_since(device, pyn_ticks());
}

static bool sets_cache(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	return cmd->opc == NVME_ADMIN_SET_FEATURES && (uint8_t)cmd->cdw10 == NVME_FEAT_VWC &&
	       (id->vwc & NVME_VWC_PRESENT);
}

/* ---- what Identify says ---- */

#define FIRST_VENDOR_FEATURE 0xc0u

/* Whether setting a feature changes Identify data: Host Behavior Support changes the number of LBA formats, and write
 * protection is a namespace attribute. */
static bool feature_changes_identify(uint8_t fid)
{
	return fid == NVME_FEAT_HOST_BEHAVIOR || fid == NVME_FEAT_COMMAND_SET_PROFILE || fid == NVME_FEAT_FDP ||
	       fid == NVME_FEAT_WRITE_PROTECTION || fid >= FIRST_VENDOR_FEATURE;
}

/* Whether an event reports a change of Identify data, by another controller or by the drive's firmware. */
static bool event_changes_identify(uint32_t event)
{
	uint8_t type = event & 7, information = (uint8_t)(event >> 8);

	return type == NVME_EVENT_VENDOR ||
	       (type == NVME_EVENT_NOTICE &&
		(information == NVME_EVENT_NS_CHANGED || information == NVME_EVENT_FIRMWARE ||
		 information == NVME_EVENT_ALLOCATED_NS_CHANGED));
}

static bool changes_identify(const struct pyn_device *device, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl)
{
	if (cmd->opc == NVME_ADMIN_SET_FEATURES)
		return feature_changes_identify((uint8_t)cmd->cdw10);
	if (cmd->opc == NVME_ADMIN_ASYNC_EVENT)
		return cpl && event_changes_identify(cpl->cdw0);
	return may_change_data(device, cmd->opc) || spec_commands[SPEC_ADMIN][cmd->opc].flags & SPEC_REIDENTIFY;
}

/* ---- all of it ---- */

static void forget_changed(struct pyn_device *device, const struct nvme_cmd *cmd)
{
	pyn_device_forget_namespaces(device, changed_namespaces(device, cmd));
	pyn_tables_each(device->tables, reshaped_namespaces(device, cmd), check_nothing);
}

/* Whether a command may change any data. Format NVM may, even before FNA tells in which namespaces. */
static bool may_change(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	return may_change_data(device, cmd->opc) || spec_commands[SPEC_ADMIN][cmd->opc].changes > SPEC_CHANGES_NONE;
}

static void suspend_changed(struct pyn_verify *verify)
{
	pyn_verify_suspend(verify);
	pyn_verify_will_change(verify, 0, UINT64_MAX);
}

/* Suspend verification from the submission of a command that changes data to its end, however it ends. */
static void on_data_command(struct pyn_device *device, const struct nvme_cmd *cmd, enum pyn_command_stage what)
{
	if (!may_change(device, cmd))
		return;
	/* Suspend all tables: the set of affected ones may change between the two calls, that of the holds must
	 * not. */
	if (what == PYN_COMMAND_SENT) {
		pyn_tables_each(device->tables, UINT32_MAX, suspend_changed);
		return;
	}
	if (what != PYN_COMMAND_REFUSED)
		forget_changed(device, cmd);
	pyn_tables_each(device->tables, UINT32_MAX, pyn_verify_resume);
}

void pyn_device_on_command(void *context, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl,
			   enum pyn_command_stage what)
{
	struct pyn_device *device = context;

	if (what == PYN_COMMAND_DONE && is_queue_command(cmd))
		on_queue_command(device, cmd);
	if (sets_cache(device, cmd))
		on_cache_command(device, cmd, what);
	on_data_command(device, cmd, what);
	if (changes_identify(device, cmd, cpl))
		pyn_tables_changed(device->tables);
}
