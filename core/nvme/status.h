/* SPDX-License-Identifier: BSD-3-Clause */
/* What statuses and opcodes are called, in capitals, for logs and errors. Never NULL. */
#ifndef PYN_NVME_STATUS_H
#define PYN_NVME_STATUS_H

#include <stdint.h>

/* status: of a completion (P, CRD, M and DNR do not matter). "SUCCESS", "LBA OUT OF RANGE"; "VENDOR SPECIFIC" or
 * "UNKNOWN" where there is no name. */
const char *pyn_status_name(uint16_t status);

/* "IDENTIFY", "READ"; "VENDOR SPECIFIC" (opcodes C0h … FFh, and 80h … FFh of IO) or "UNKNOWN". */
const char *pyn_admin_opcode_name(uint8_t opcode);
const char *pyn_io_opcode_name(uint8_t opcode);

#endif
