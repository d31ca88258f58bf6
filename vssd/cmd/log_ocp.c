/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/log_ocp.h"

#include <string.h>

#include "vssd/cmd/admin.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

#define CELSIUS_0 273u         /* Kelvin */
#define ERASES_OF_A_LIFE 3000u /* of a block, until it is worn out */
#define WRITES_OF_A_LIFE 1000u /* of the whole drive, unless the option --endurance says more */
#define RESET_WAIT_MS 100u     /* after a panic */
#define SMART_VERSION 4u       /* of log page C0h */
#define ERROR_RECOVERY_VERSION 3u
#define FIRMWARE_HISTORY_VERSION 1u
#define CAPABILITIES_VERSION 1u
#define UNSUPPORTED_VERSION 1u
#define TCG_VERSION 1u

/* Bits of log page C4h from bit 1 on: DEAC, FUA and limits; crypto erase, block erase, overwrite and deallocation;
 * the attribute deallocate; one LBA, and all of them. */
#define WRITE_ZEROES_ALL 0xfu
#define SANITIZE_ALL 0xfu
#define DSM_ALL 0x1u
#define WRITE_UNCORRECTABLE_ALL 0x7u
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
	log->capacitor_health = vssd_ocp_plp_failed(ctrl->subsystem) ? 0 : 100;
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

void vssd_ocp_firmware_history(const struct vssd_ctrl *ctrl, struct nvme_ocp_firmware_history_log *log)
{
	const struct vssd_ocp_saved *saved = &ctrl->subsystem->annex->ocp;

	log->lid = NVME_OCP_LOG_FIRMWARE_HISTORY;
	log->valid = saved->activations;
	memcpy(log->entries, saved->activation, saved->activations * sizeof(saved->activation[0]));
	log->version = FIRMWARE_HISTORY_VERSION;
	log->guid[0] = UINT64_C(0xA3F6DAB4769A796D);
	log->guid[1] = UINT64_C(0xD11CF3AC8AB24DE2);
}

static bool has(const struct vssd_ctrl *ctrl, uint8_t opcode)
{
	return vssd_io_command(ctrl, NVME_CSI_NVM, opcode);
}

/* Bit 15 of a field says that the drive does what the specification requires; bit 0 that it has the command. */
static uint16_t complies(bool there, unsigned more)
{
	return there ? (uint16_t)(0x8000u | more << 1 | 1u) : 0;
}

void vssd_ocp_capabilities(const struct vssd_ctrl *ctrl, struct nvme_ocp_capabilities_log *log)
{
	uint8_t states[128] = {0};

	log->pcie_ports = 1;
	log->write_zeroes = complies(has(ctrl, NVME_IO_WRITE_ZEROES), WRITE_ZEROES_ALL);
	log->sanitize = complies(true, SANITIZE_ALL);
	log->dsm = complies(has(ctrl, NVME_IO_DSM), DSM_ALL);
	log->write_uncorrectable = complies(has(ctrl, NVME_IO_WRITE_UNCORRECTABLE), WRITE_UNCORRECTABLE_ALL);
	log->fused = complies(true, 0);
	vssd_ocp_power_states(states);
	log->min_power_state = vssd_power_watts(VSSD_FIRST_NOPS - 1);
	memcpy(log->power_states, states, sizeof(states));
	log->version = CAPABILITIES_VERSION;
	log->guid[0] = UINT64_C(0x98C9E1D10D054297);
	log->guid[1] = UINT64_C(0xB7053C914B58495D);
}

/* What the drive lacks: a link, security protocols and an SMBus. */
void vssd_ocp_unsupported(struct nvme_ocp_unsupported_log *log)
{
	static const char *const lacks[] = {"PCI-1", "SEC-1", "SMBUS-1"};

	log->count = sizeof(lacks) / sizeof(lacks[0]);
	for (unsigned i = 0; i < log->count; i++)
		memcpy(log->requirements[i], lacks[i], strlen(lacks[i]));
	log->version = UNSUPPORTED_VERSION;
	log->guid[0] = UINT64_C(0xBB2C23990E9C722F);
	log->guid[1] = UINT64_C(0xC7BB98B7D0324863);
}

/* The drive has no security protocols, so all counts are 0. */
void vssd_ocp_tcg(struct nvme_ocp_tcg_log *log)
{
	log->version = TCG_VERSION;
	log->guid[0] = UINT64_C(0x83E6E07EBD244006);
	log->guid[1] = UINT64_C(0x54E02A9DFA5447C0);
}

void vssd_ocp_uuid_list(struct nvme_uuid_list *list)
{
	static const uint8_t uuid[16] = {0xc1, 0x94, 0xd5, 0x5b, 0xe0, 0x94, 0x47, 0x94,
					 0xa2, 0x1d, 0x29, 0x99, 0x8f, 0x56, 0xbe, 0x6f};

	memcpy(list->entry[VSSD_OCP_UUID_INDEX - 1].uuid, uuid, sizeof(uuid));
}
