/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of commands, one for each command set: which commands the drive has, and what dispatch.c checks before
 * it executes them. The table of the admin commands is in admin.c, that of the NVM command set in nvm.c, that of
 * zoned namespaces in zone_commands.c, that of the Key Value Command Set in key_value.c. What the specification says
 * about a command, such as its effects and its first version, is in spec/commands.h.
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
#define VSSD_NEEDS_NS 0x01u              /* NSID names a namespace */
#define VSSD_NEEDS_NS_OR_ALL 0x02u       /* or is FFFFFFFFh */
#define VSSD_NEEDS_MEDIA 0x04u           /* no format or sanitize operation keeps the data from being used */
#define VSSD_NEEDS_STORE 0x08u           /* a drive that keeps no data does not have the command */
#define VSSD_DURING_SANITIZE 0x10u       /* an admin command allowed while a sanitize operation runs or has failed */
#define VSSD_FUSED_FIRST 0x20u           /* can be the first half of a fused operation */
#define VSSD_FUSED_SECOND 0x40u          /* can be the second half */
#define VSSD_NEEDS_COPY 0x80u            /* the drive has it with the option --copy only */
#define VSSD_NEEDS_NS_MANAGEMENT 0x100u  /* the drive has it with the option --namespace-management only */
#define VSSD_NEEDS_FDP 0x200u            /* the drive has it with the option --fdp only, also as version 2.0 */
#define VSSD_NEEDS_RESERVATIONS 0x800u   /* the drive has it with the option --reservations only */
#define VSSD_NEEDS_DIRECTIVES 0x400u     /* the drive has it with the options --fdp or --streams only */
#define VSSD_NEEDS_SECURITY 0x10000u     /* the drive has a security protocol */
#define VSSD_NEEDS_MI 0x20000u           /* the drive has it with the option --mi only */
#define VSSD_NEEDS_LBA_STATUS 0x80000u   /* the drive has it with the option --lba-status only */
#define VSSD_NEEDS_VIRTUAL 0x800000u     /* a primary controller has it */
#define VSSD_NEEDS_LOCKDOWN 0x100000u    /* the drive has it with the option --lockdown only */
#define VSSD_NEEDS_SHADOW 0x40000u       /* the drive has it with the option --doorbell-buffer only */
#define VSSD_NEEDS_CAPACITY 0x400000u    /* the drive has it with the option --capacity-management only */
#define VSSD_NEEDS_KEEP_ALIVE 0x2000000u /* the drive has it with the option --keep-alive only */
#define VSSD_NEEDS_MIGRATION 0x1000000u  /* the controller that manages migration has it, also as version 2.0 */

struct vssd_command {
	uint16_t (*execute)(struct vssd_request *request); /* NULL: there is no such command */
	uint32_t flags;                                    /* VSSD_* as above */
};

extern const struct vssd_command vssd_admin_commands[256];
extern const struct vssd_command vssd_nvm_commands[256];
extern const struct vssd_command vssd_zns_commands[256]; /* those that the NVM command set lacks */
extern const struct vssd_command vssd_kv_commands[256];
extern const struct vssd_command vssd_vendor_command; /* one that has a planted answer */

/* Flush and Cancel, which all command sets have. */
uint16_t vssd_flush(struct vssd_request *request);
uint16_t vssd_cancel(struct vssd_request *request);

#define VSSD_NUM_COMMAND_SETS 3u

/* The tables of a controller, found through it because Identify and the log pages, themselves admin commands, report
 * what the tables hold. */
struct vssd_commands {
	const struct vssd_command *admin;
	const struct vssd_command *io[VSSD_NUM_COMMAND_SETS]; /* by CSI; NULL: the drive does not have it */
	const struct vssd_command *vendor;                    /* one that has a planted answer */
};

/* Look up a command. NULL: this drive does not have it, or not in the version of NVMe that it claims. */
const struct vssd_command *vssd_admin_command(const struct vssd_ctrl *ctrl, uint8_t opcode);
const struct vssd_command *vssd_io_command(const struct vssd_ctrl *ctrl, uint8_t csi, uint8_t opcode);

/* What the specification says about an I/O command of this command set. */
const struct spec_command *vssd_io_known(uint8_t csi, uint8_t opcode);

/* Fill in the two parts of log page 05h. False: the drive does not have that command set. */
void vssd_admin_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);
bool vssd_io_effects(const struct vssd_ctrl *ctrl, uint8_t csi, uint32_t effects[256]);

#endif
