/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much a command transfers. The PRPs must describe exactly that length: it decides whether PRP 2 is a page of
 * data or a list (NVM Express Base Specification 2.0, section 4.1.1), and the device knows the length of the command,
 * not of the buffer.
 */
#ifndef PYN_DATA_TRANSFER_H
#define PYN_DATA_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/nvme/types.h"
#include "spec/nvme_cmd.h"

/* Bytes that an admin command transfers; PYN_TRANSFER_ANY: the command does not say. */
uint64_t pyn_transfer_admin(const struct nvme_cmd *cmd);

/* Bytes that an I/O command transfers. lba_bytes: bytes per LBA, 0 if unknown. */
uint64_t pyn_transfer_io(const struct nvme_cmd *cmd, uint32_t lba_bytes);

/* The same for a command to a Key Value namespace. */
uint64_t pyn_transfer_key(const struct nvme_cmd *cmd);

/* Whether an I/O command transfers the contents of LBAs, and with them their metadata. */
bool pyn_transfers_lbas(uint8_t opcode);

#endif
