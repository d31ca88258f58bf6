/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of each command and status, in tables that host and virtual SSD compile. commands.c is made from
 * spec/commands.py and spec/status.py. Data only, no behaviour.
 */
#ifndef SPEC_COMMANDS_H
#define SPEC_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opcodes mean something else in each of them. The NVM and the Zoned Namespace Command Set share one. */
enum spec_table { SPEC_ADMIN, SPEC_IO, SPEC_KV, SPEC_TABLES };

/* Whose data a command changes. */
enum spec_changes {
	SPEC_CHANGES_UNKNOWN, /* nobody knows: it may change any */
	SPEC_CHANGES_NONE,
	SPEC_CHANGES_RANGE,  /* of the LBAs that it names */
	SPEC_CHANGES_RANGES, /* of the LBAs that a list in its data names */
	SPEC_CHANGES_ZONE,
	SPEC_CHANGES_NAMESPACE, /* of the namespace of its NSID; 0: of none */
	SPEC_CHANGES_FORMATTED, /* of the namespace of its NSID, or of all, as FNA says */
	SPEC_CHANGES_ALL        /* of all namespaces */
};

/* Bits of spec_command.flags. */
#define SPEC_NAMES_LBAS 0x01u /* SLBA is in command dwords 10 and 11, NLB in dword 12 */
#define SPEC_BY_WORKERS 0x02u /* I/O workers can send it */
#define SPEC_REIDENTIFY 0x04u /* what Identify says of namespaces may differ afterwards */
#define SPEC_RESHAPES 0x08u   /* LBAs of the namespace that it names may have another size afterwards */
#define SPEC_MANDATORY 0x10u  /* a controller of this command set has it */

enum spec_length_kind {
	SPEC_LENGTH_ANY,   /* the command does not say */
	SPEC_LENGTH_FIXED, /* unit bytes */
	SPEC_LENGTH_COUNT, /* unit bytes × what a field says */
	SPEC_LENGTH_LBAS   /* LBAs × what a field says */
};

/* How much a command transfers. */
struct spec_length {
	uint8_t kind;
	bool zeroes_based; /* the field is one less than the count */
	bool zero_is_any;  /* a count of 0 does not say how much */
	uint8_t when_value;
	uint8_t other_bits;
	uint16_t unit;
	uint16_t other_unit;
	uint32_t low, high; /* enum nvme_field: the parts of the count; 0: there is none */
	uint32_t when;      /* the rule holds where this field is when_value */
	uint32_t other;     /* where this field has one of other_bits the unit is other_unit */
};

struct spec_command {
	const char *name;      /* in capitals, for logs; NULL: no command has this opcode, and the rest is 0 */
	const char *title;     /* as in the specification */
	const char *section;   /* "Base 2.1, 5.1.10" */
	uint32_t effects;      /* NVME_EFFECT_* of log page 05h, without CSUPP */
	uint32_t announced;    /* a drive has it if one of these bits is set … */
	uint16_t announced_by; /* … in the 32 bits at this byte of Identify Controller */
	uint8_t changes;       /* enum spec_changes */
	uint8_t flags;
	uint32_t since; /* enum nvme_version */
	struct spec_length length;
};

extern const struct spec_command spec_commands[SPEC_TABLES][256];

/* By sct << 8 | sc; NULL: no name. */
#define SPEC_STATUSES 0x400u
extern const char *const spec_status_names[SPEC_STATUSES];

#endif
