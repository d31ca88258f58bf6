/* SPDX-License-Identifier: BSD-3-Clause */
/* Look-up in the tables of commands, by the drive's version and options. */
#include "vssd/cmd/table.h"

#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/keep_alive.h"

/* Whether the drive has a command that needs an option, as far as placement and management are concerned. */
static bool has_option(const struct vssd_ctrl *ctrl, uint32_t flags)
{
	if (flags & VSSD_NEEDS_FDP && !ctrl->subsystem->fdp)
		return false;
	if (flags & VSSD_NEEDS_LBA_STATUS && !vssd_lba_status_is_there(ctrl->options))
		return false;
	if (flags & VSSD_NEEDS_MI && !ctrl->options->optional.mi)
		return false;
	if (flags & VSSD_NEEDS_KEEP_ALIVE && !vssd_has_keep_alive(ctrl))
		return false;
	if (flags & VSSD_NEEDS_CAPACITY && !ctrl->options->division.management)
		return false;
	if (flags & VSSD_NEEDS_MIGRATION && !vssd_migration_is_manager(ctrl))
		return false;
	return !(flags & VSSD_NEEDS_DIRECTIVES) || ctrl->subsystem->fdp || ctrl->options->optional.streams;
}

/* FDP and migration came into version 2.1, as additions that drives of version 2.0 have, too. */
static bool is_of_version(const struct vssd_ctrl *ctrl, const struct vssd_command *command,
			  const struct spec_command *known)
{
	return vssd_since(ctrl, command->flags & (VSSD_NEEDS_FDP | VSSD_NEEDS_MIGRATION) ? NVME_2_0 : known->since);
}

/* The command, or NULL if the drive does not have it. */
static const struct vssd_command *find(const struct vssd_ctrl *ctrl, const struct vssd_command *command,
				       const struct spec_command *known)
{
	if (!command->execute || !is_of_version(ctrl, command, known) || !has_option(ctrl, command->flags))
		return NULL;
	if (command->flags & VSSD_NEEDS_COPY && !ctrl->options->optional.copy)
		return NULL;
	if (command->flags & VSSD_NEEDS_RESERVATIONS && !ctrl->options->optional.reservations)
		return NULL;
	if (command->flags & VSSD_NEEDS_NS_MANAGEMENT && !ctrl->options->optional.ns_management)
		return NULL;
	if (command->flags & VSSD_NEEDS_SECURITY && !ctrl->subsystem->security->tcg &&
	    !ctrl->subsystem->security->rpmb)
		return NULL;
	if (command->flags & VSSD_NEEDS_LOCKDOWN && !ctrl->options->optional.lockdown)
		return NULL;
	if (command->flags & VSSD_NEEDS_SHADOW && !ctrl->options->optional.doorbell_buffer)
		return NULL;
	if (command->flags & VSSD_NEEDS_VIRTUAL && !vssd_is_primary(ctrl->subsystem, &ctrl->listener))
		return NULL;
	return ctrl->null_store && command->flags & VSSD_NEEDS_STORE ? NULL : command;
}

/* Whether an answer was planted for a vendor specific opcode. */
static bool has_answer(const struct vssd_ctrl *ctrl, bool admin, uint8_t opcode)
{
	return ctrl->subsystem->faults->answers.of[admin][opcode];
}

const struct vssd_command *vssd_admin_command(const struct vssd_ctrl *ctrl, uint8_t opcode)
{
	if (has_answer(ctrl, true, opcode))
		return ctrl->tables.commands->vendor;
	return find(ctrl, &ctrl->tables.commands->admin[opcode], &spec_commands[SPEC_ADMIN][opcode]);
}

/* Whether an opcode means the same in all command sets (Base 2.1, section 7). */
static bool is_common(uint8_t opcode)
{
	return opcode == NVME_IO_FLUSH || opcode == NVME_IO_CANCEL || opcode == NVME_IO_RESERVATION_REGISTER ||
	       opcode == NVME_IO_RESERVATION_REPORT || opcode == NVME_IO_RESERVATION_ACQUIRE ||
	       opcode == NVME_IO_RESERVATION_RELEASE;
}

const struct spec_command *vssd_io_known(uint8_t csi, uint8_t opcode)
{
	return &spec_commands[csi == NVME_CSI_KV && !is_common(opcode) ? SPEC_KV : SPEC_IO][opcode];
}

static const struct vssd_command *io_table(const struct vssd_ctrl *ctrl, uint8_t csi)
{
	if (csi == NVME_CSI_ZNS && !ctrl->options->zones.namespaces)
		return NULL;
	if (csi == NVME_CSI_KV && !ctrl->options->kv.namespaces)
		return NULL;
	return csi < VSSD_NUM_COMMAND_SETS ? ctrl->tables.commands->io[csi] : NULL;
}

const struct vssd_command *vssd_io_command(const struct vssd_ctrl *ctrl, uint8_t csi, uint8_t opcode)
{
	const struct vssd_command *table = io_table(ctrl, csi);

	if (has_answer(ctrl, false, opcode))
		return ctrl->tables.commands->vendor;
	if (table && csi == NVME_CSI_ZNS && !table[opcode].execute)
		table = ctrl->tables.commands->io[NVME_CSI_NVM];
	return table ? find(ctrl, &table[opcode], vssd_io_known(csi, opcode)) : NULL;
}

/* An entry of log page 05h; 0 if command is NULL because the drive does not have it. */
static uint32_t effects_of(const struct vssd_ctrl *ctrl, const struct vssd_command *command,
			   const struct spec_command *known)
{
	if (!command)
		return 0;
	return NVME_EFFECT_CSUPP |
	       (vssd_since(ctrl, NVME_2_0) ? known->effects : known->effects & ~NVME_EFFECT_SCOPES);
}

void vssd_admin_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256])
{
	for (unsigned i = 0; i < 256; i++)
		effects[i] = effects_of(ctrl, vssd_admin_command(ctrl, (uint8_t)i), &spec_commands[SPEC_ADMIN][i]);
	/* A format of all namespaces changes the capabilities of several. */
	if (vssd_subsystem_nn(ctrl->subsystem) > 1)
		effects[NVME_ADMIN_FORMAT_NVM] |= NVME_EFFECT_NIC;
}

bool vssd_io_effects(const struct vssd_ctrl *ctrl, uint8_t csi, uint32_t effects[256])
{
	for (unsigned i = 0; io_table(ctrl, csi) && i < 256; i++)
		effects[i] = effects_of(ctrl, vssd_io_command(ctrl, csi, (uint8_t)i), vssd_io_known(csi, (uint8_t)i));
	return io_table(ctrl, csi) != NULL;
}
