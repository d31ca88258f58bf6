/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/transfer.h"

#include "spec/commands.h"
#include "spec/nvme_field.h"

/* The length that a field of the command counts, in units of unit bytes. */
static uint64_t counted(const struct nvme_cmd *cmd, const struct spec_length *length, uint64_t unit)
{
	uint64_t count = nvme_get_field(cmd, length->low) | nvme_get_field(cmd, length->high)
								    << nvme_field_width(length->low);

	if (length->zero_is_any && count == 0)
		return PYN_TRANSFER_ANY;
	return (count + length->zeroes_based) * unit;
}

static uint64_t unit_of(const struct nvme_cmd *cmd, const struct spec_length *length)
{
	return nvme_get_field(cmd, length->other) & length->other_bits ? length->other_unit : length->unit;
}

static uint64_t transfer(const struct nvme_cmd *cmd, enum spec_table table, uint32_t lba_bytes)
{
	const struct spec_length *length = &spec_commands[table][cmd->opc].length;

	if (nvme_get_field(cmd, length->when) != length->when_value)
		return PYN_TRANSFER_ANY;
	switch (length->kind) {
	case SPEC_LENGTH_FIXED:
		return length->unit;
	case SPEC_LENGTH_COUNT:
		return counted(cmd, length, unit_of(cmd, length));
	case SPEC_LENGTH_LBAS:
		return lba_bytes ? counted(cmd, length, lba_bytes) : PYN_TRANSFER_ANY;
	default:
		return PYN_TRANSFER_ANY;
	}
}

uint64_t pyn_transfer_admin(const struct nvme_cmd *cmd)
{
	return transfer(cmd, SPEC_ADMIN, 0);
}

uint64_t pyn_transfer_io(const struct nvme_cmd *cmd, uint32_t lba_bytes)
{
	return transfer(cmd, SPEC_IO, lba_bytes);
}

uint64_t pyn_transfer_key(const struct nvme_cmd *cmd)
{
	return transfer(cmd, spec_commands[SPEC_KV][cmd->opc].name ? SPEC_KV : SPEC_IO, 0);
}

bool pyn_transfers_lbas(uint8_t opcode)
{
	return spec_commands[SPEC_IO][opcode].length.kind == SPEC_LENGTH_LBAS;
}
