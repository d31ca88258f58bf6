/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of statuses and opcodes in capitals, for logs and errors. Never NULL. */
#ifndef PYN_NVME_STATUS_H
#define PYN_NVME_STATUS_H

#include <stdint.h>

/* The name of a completion's status: "SUCCESS", "LBA OUT OF RANGE"; "VENDOR SPECIFIC" or "UNKNOWN" if it has no name.
 * P, CRD, M and DNR are ignored. */
const char *pyn_status_name(uint16_t status);

/* "IDENTIFY", "READ"; "VENDOR SPECIFIC" (opcodes C0h … FFh, and 80h … FFh of IO) or "UNKNOWN". csi: the command set.
 */
const char *pyn_admin_opcode_name(uint8_t opcode);
const char *pyn_io_opcode_name(uint8_t csi, uint8_t opcode);

#endif
