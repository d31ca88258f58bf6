/* SPDX-License-Identifier: BSD-3-Clause */
/* Which commands a drive has, of those in the tables. */
#include "vssd/cmd/table.h"

#include "vssd/ctrl/device.h"

static const struct vssd_command *find(const struct vssd_ctrl *ctrl, const struct vssd_command *table, uint8_t opcode)
{
	const struct vssd_command *command = &table[opcode];

	if (!command->execute || !vssd_since(ctrl, command->since))
		return NULL;
	return ctrl->null_store && command->flags & VSSD_NEEDS_STORE ? NULL : command;
}

const struct vssd_command *vssd_admin_command(const struct vssd_ctrl *ctrl, uint8_t opcode)
{
	return find(ctrl, ctrl->commands.admin, opcode);
}

static const struct vssd_command *io_table(const struct vssd_ctrl *ctrl, uint8_t csi)
{
	return csi < VSSD_NUM_COMMAND_SETS ? ctrl->commands.io[csi] : NULL;
}

const struct vssd_command *vssd_io_command(const struct vssd_ctrl *ctrl, uint8_t csi, uint8_t opcode)
{
	const struct vssd_command *table = io_table(ctrl, csi);

	return table ? find(ctrl, table, opcode) : NULL;
}

static void fill(const struct vssd_ctrl *ctrl, const struct vssd_command *table, uint32_t effects[256])
{
	for (unsigned i = 0; i < 256; i++) {
		const struct vssd_command *command = find(ctrl, table, (uint8_t)i);

		effects[i] = command ? NVME_EFFECT_CSUPP | command->effects : 0;
		if (!vssd_since(ctrl, NVME_2_0))
			effects[i] &= ~NVME_EFFECT_SCOPES;
	}
}

void vssd_admin_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256])
{
	fill(ctrl, ctrl->commands.admin, effects);
	/* A format of all namespaces changes the capabilities of several. */
	if (ctrl->options.namespaces > 1)
		effects[NVME_ADMIN_FORMAT_NVM] |= NVME_EFFECT_NIC;
}

bool vssd_io_effects(const struct vssd_ctrl *ctrl, uint8_t csi, uint32_t effects[256])
{
	const struct vssd_command *table = io_table(ctrl, csi);

	if (table)
		fill(ctrl, table, effects);
	return table != NULL;
}
