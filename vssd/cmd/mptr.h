/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metadata in a buffer of their own, to which MPTR leads: as an address, or as that of an SGL segment. NVM Express
 * Base Specification 2.0, section 4.1.2 and figure 87 (PSDT).
 */
#ifndef VSSD_CMD_MPTR_H
#define VSSD_CMD_MPTR_H

#include "vssd/cmd/request.h"

/* Check MPTR of a command that transfers nlb LBAs' metadata. direction: VSSD_DMA_READ if the controller reads them.
 * Returns a status. */
uint16_t vssd_mptr_check(struct vssd_request *request, uint64_t nlb, uint32_t direction);

/* Copy the metadata of nlb LBAs from (get) or to (put) host memory; `lbas` has VSSD_METADATA_LBA bytes for each. Both
 * return a status. */
uint16_t vssd_mptr_get(struct vssd_request *request, uint64_t nlb, uint8_t *lbas);
uint16_t vssd_mptr_put(struct vssd_request *request, uint64_t nlb, const uint8_t *lbas);

#endif
