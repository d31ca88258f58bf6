/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/log_ocp.h"

#include <string.h>

#include "vssd/ctrl/controller.h"

#define CELSIUS_0 273u         /* Kelvin */
#define ERASES_OF_A_LIFE 3000u /* of a block, until it is worn out */
#define WRITES_OF_A_LIFE 1000u /* of the whole drive, unless the option --endurance says more */
#define RESET_WAIT_MS 100u     /* after a panic */
#define SMART_VERSION 4u       /* of log page C0h */
#define ERROR_RECOVERY_VERSION 3u
#define OCP_MAJOR 2u /* of the specification */
#define OCP_MINOR 5u

static void put_48(uint8_t at[6], uint64_t value)
{
	memcpy(at, &value, 6);
}

static uint64_t used_lbas(const struct vssd_ctrl *ctrl)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		used += ctrl->ns[i].nsid ? ctrl->ns[i].nsze : 0;
	return used;
}

static uint8_t free_blocks(const struct vssd_ctrl *ctrl)
{
	uint64_t blocks = ctrl->subsystem->blocks, used = ctrl->null_store ? 0 : vssd_store_used(ctrl->store);

	return (uint8_t)(used < blocks ? (blocks - used) * 100 / blocks : 0);
}

static uint64_t life_bytes(const struct vssd_ctrl *ctrl)
{
	return ctrl->options->endurance ? ctrl->options->endurance
					: ctrl->subsystem->blocks * VSSD_BLOCK_SIZE * WRITES_OF_A_LIFE;
}

static void put_wear(const struct vssd_ctrl *ctrl, struct nvme_ocp_smart_log *log)
{
	const struct vssd_wear *wear = &ctrl->nv->wear;
	uint32_t erases = wear->used * ERASES_OF_A_LIFE / 100;

	put_48(log->bad_user_blocks_raw, wear->spare_lost);
	log->bad_user_blocks_normalised = (uint16_t)(100 - wear->spare_lost);
	log->bad_system_blocks_normalised = 100;
	log->max_erase_count = log->min_erase_count = erases;
	log->average_erase_count = erases;
	log->capacitor_health = wear->backup_failed ? 0 : 100;
	log->endurance_estimate[0] = life_bytes(ctrl);
	log->system_program_fails_normalised = log->system_read_fails_normalised = 100;
	log->system_erase_fails_normalised = 100;
	log->bad_blocks_in_use_normalised = 100;
}

void vssd_ocp_smart(struct vssd_ctrl *ctrl, struct nvme_ocp_smart_log *log)
{
	const struct vssd_totals *totals = &ctrl->nv->totals;
	const struct vssd_health *health = &ctrl->subsystem->health;

	log->media_units_written[0] = totals->sectors_written * VSSD_SECTOR_SIZE;
	log->media_units_read[0] = totals->sectors_read * VSSD_SECTOR_SIZE;
	put_wear(ctrl, log);
	log->uncorrectable_reads = totals->media_errors;
	log->throttling_events = (uint8_t)(totals->thermal_count[0] + totals->thermal_count[1]);
	log->throttling_status = health->throttling;
	log->dssd_major = OCP_MAJOR;
	log->dssd_minor = OCP_MINOR;
	log->incomplete_shutdowns = (uint32_t)totals->unsafe_shutdowns;
	log->free_blocks = free_blocks(ctrl);
	log->total_nuse = used_lbas(ctrl);
	log->dies = 1;
	log->max_temperature = (uint8_t)(health->hottest - CELSIUS_0);
	memcpy(log->firmware_revision, ctrl->subsystem->firmware.revision, sizeof(log->firmware_revision));
	memcpy(log->lowest_firmware, log->firmware_revision, sizeof(log->lowest_firmware));
	log->version = SMART_VERSION;
	log->guid[0] = UINT64_C(0xA4F2BFEA2810AFC5);
	log->guid[1] = UINT64_C(0xAFD514C97C6F4F9C);
}

void vssd_ocp_error_recovery(struct nvme_ocp_error_recovery_log *log)
{
	log->panic_reset_wait = RESET_WAIT_MS;
	log->panic_reset_action =
		NVME_OCP_HELPS_CONTROLLER_RESET | NVME_OCP_HELPS_SUBSYSTEM_RESET | NVME_OCP_HELPS_POWER_CYCLE;
	log->version = ERROR_RECOVERY_VERSION;
	log->guid[0] = UINT64_C(0xAE3430FE2131D944);
	log->guid[1] = UINT64_C(0x5A1983BA3DFD4DAB);
}

void vssd_ocp_uuid_list(struct nvme_uuid_list *list)
{
	static const uint8_t uuid[16] = {0xc1, 0x94, 0xd5, 0x5b, 0xe0, 0x94, 0x47, 0x94,
					 0xa2, 0x1d, 0x29, 0x99, 0x8f, 0x56, 0xbe, 0x6f};

	memcpy(list->entry[VSSD_OCP_UUID_INDEX - 1].uuid, uuid, sizeof(uuid));
}
