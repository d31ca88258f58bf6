/* SPDX-License-Identifier: BSD-3-Clause */
/* The LBAs of a namespace on the medium, with their metadata. The caller has checked the range. */
#ifndef VSSD_CMD_STORED_H
#define VSSD_CMD_STORED_H

#include <stdint.h>

#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/namespace.h"

/* Copy the data of nlb LBAs from the medium. */
void vssd_stored_data(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		      uint8_t *to);

/* Copy the metadata of nlb LBAs from or to the medium, VSSD_METADATA_LBA bytes for each, as the host sees them. The
 * data of LBAs that are written were written before. */
void vssd_metadata_get(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       uint8_t *to);
void vssd_metadata_put(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       const uint8_t *from);

#define VSSD_LBA_MOST 65536u /* bytes of data of the largest LBA */

/* Write one LBA. False: there is no memory for another block. */
bool vssd_stored_write(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t lba, const uint8_t *data,
		       const uint8_t *metadata);

#endif
