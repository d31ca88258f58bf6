/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much a command transfers. The PRPs must describe exactly that: whether PRP 2 is a page of data or a list
 * follows from the transfer's length (NVM Express Base Specification 2.0, section 4.1.1), and the device knows only
 * the command's, not the buffer's.
 */
#ifndef PYN_IO_TRANSFER_H
#define PYN_IO_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/nvme/types.h"
#include "spec/nvme_cmd.h"

/* Bytes of data of an admin command; PYN_TRANSFER_ANY: it does not say. */
uint64_t pyn_transfer_admin(const struct nvme_cmd *cmd);

/* Bytes of data of an I/O command; lba_bytes: what it transfers of each LBA, 0: not known. */
uint64_t pyn_transfer_io(const struct nvme_cmd *cmd, uint32_t lba_bytes);

/* Whether an I/O command transfers the contents of LBAs, and with them their metadata. */
bool pyn_transfers_lbas(uint8_t opcode);

#endif
