/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of a command set: one table each, which says what a drive has, and what is checked before a command is
 * executed. admin.c has that of the admin commands, nvm.c that of the NVM command set. What the specification says of
 * a command, such as its effects and the version that it came with, is in spec/commands.h.
 */
#ifndef VSSD_CMD_TABLE_H
#define VSSD_CMD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/commands.h"
#include "spec/nvme_cmd.h"
#include "spec/nvme_regs.h"
#include "vssd/cmd/request.h"

/* What dispatch.c checks. */
#define VSSD_NEEDS_NS 0x01u        /* NSID is that of a namespace */
#define VSSD_NEEDS_NS_OR_ALL 0x02u /* or FFFFFFFFh */
#define VSSD_NEEDS_MEDIA 0x04u     /* and its data may be used at the moment: no format, no sanitize operation */
#define VSSD_NEEDS_STORE 0x08u     /* a drive that keeps no data does not have the command */
#define VSSD_DURING_SANITIZE                                                                                         \
	0x10u                  /* an admin command that is allowed while a sanitize operation runs, or has failed */
#define VSSD_FUSED_FIRST 0x20u /* it can be the first half of a fused operation, or its second */
#define VSSD_FUSED_SECOND 0x40u

struct vssd_command {
	uint16_t (*execute)(struct vssd_request *request); /* NULL: there is no such command */
	uint32_t flags;                                    /* VSSD_* as above */
};

extern const struct vssd_command vssd_admin_commands[256];
extern const struct vssd_command vssd_nvm_commands[256];

#define VSSD_NUM_COMMAND_SETS 3u

/* The tables of a controller. Identify and the log pages, which tell of the tables, are commands of one. */
struct vssd_commands {
	const struct vssd_command *admin;
	const struct vssd_command *io[VSSD_NUM_COMMAND_SETS]; /* by CSI; NULL: the drive does not have it */
};

/* NULL: this drive, of the version that it claims, has no such command. */
const struct vssd_command *vssd_admin_command(const struct vssd_ctrl *ctrl, uint8_t opcode);
const struct vssd_command *vssd_io_command(const struct vssd_ctrl *ctrl, uint8_t csi, uint8_t opcode);

/* What the specification says of an I/O command of this command set. */
const struct spec_command *vssd_io_known(uint8_t csi, uint8_t opcode);

/* The two parts of log page 05h; false: the drive does not have that command set. */
void vssd_admin_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);
bool vssd_io_effects(const struct vssd_ctrl *ctrl, uint8_t csi, uint32_t effects[256]);

#endif
