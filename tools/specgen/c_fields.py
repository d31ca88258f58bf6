# SPDX-License-Identifier: BSD-3-Clause
"""Generates spec/nvme_field.h, with the place of each field of each command."""

from __future__ import annotations

from spec.commands import COMMANDS
from spec.schema import Arg, Command
from tools.specgen.c_header import with_comment

HEAD = """\
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of commands, and how to read and write them.
 * Generated from spec/commands.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_FIELD_H
#define SPEC_NVME_FIELD_H

#include "spec/nvme_cmd.h"

/* Bits of a command dword. A field of 64 bits takes this dword and the next. */
#define NVME_FIELD(dword, low, width) ((dword) << 16 | (low) << 8 | (width))

enum nvme_field {"""
TAIL = """\
};

/* The width of a field in bits; 0 if there is no field. */
static inline uint32_t nvme_field_width(uint32_t field)
{
	return field & 0xff;
}

static inline uint64_t nvme_get_field(const struct nvme_cmd *cmd, uint32_t field)
{
	const uint32_t *dword = (const uint32_t *)cmd + (field >> 16);

	if (nvme_field_width(field) == 64)
		return (uint64_t)dword[1] << 32 | dword[0];
	return dword[0] >> (field >> 8 & 31) & ((UINT64_C(1) << nvme_field_width(field)) - 1);
}

/* Replace a field, and leave the other bits of its dword. Bits of value above the field's width are lost. */
static inline void nvme_set_field(struct nvme_cmd *cmd, uint32_t field, uint64_t value)
{
	uint32_t *dword = (uint32_t *)cmd + (field >> 16);
	uint32_t shift = field >> 8 & 31, mask;

	if (nvme_field_width(field) == 64) {
		dword[0] = (uint32_t)value;
		dword[1] = (uint32_t)(value >> 32);
		return;
	}
	mask = (uint32_t)((UINT64_C(1) << nvme_field_width(field)) - 1) << shift;
	dword[0] = (dword[0] & ~mask) | ((uint32_t)value << shift & mask);
}

#endif
"""


def name(command: Command, field: Arg) -> str:
    """A field's name in C, such as NVME_FIELD_IDENTIFY_CNS."""
    of = "KV_" if command.set == "kv" else ""
    return f"NVME_FIELD_{of}{command.c}_{field.name.upper()}"


def lines(command: Command) -> list[str]:
    found = []
    for field in command.fields:
        assert field.width <= 32 or (field.low, field.width) == (0, 64), f"{name(command, field)} is split"
        place = f"NVME_FIELD({field.dword}, {field.low}, {field.width})"
        notes = [field.text, field.unit, "0's based" if field.zeroes_based else ""]
        found += with_comment(f"\t{name(command, field)} = {place},", ", ".join(filter(None, notes)))
    return found


def render() -> str:
    return "\n".join([HEAD, *(line for command in COMMANDS for line in lines(command)), TAIL])
