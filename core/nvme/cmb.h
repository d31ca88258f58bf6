/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller memory buffer. NVM Express Base Specification 2.0, sections 8.5, 3.1.3.11, 3.1.3.12 and 3.1.3.15 f. */
#ifndef PYN_NVME_CMB_H
#define PYN_NVME_CMB_H

#include "core/nvme/ctrlr.h"

/* Read what the controller memory buffer offers. Sets CMBMSC.CRE first if CAP.CMBS = 1, which makes its registers
 * readable. */
int pyn_cmb_info(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err);

/* Map the buffer and enable it for commands, unless it is open already. Its pages are then allocated from ctrlr->cmb.
 * Errors: PYN_ERROR_UNSUPPORTED, the controller has none, or it cannot be mapped. */
int pyn_cmb_open(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

/* Set the address of an open buffer again after a reset, which may have cleared it. */
int pyn_cmb_restore(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

/* Close the buffer; call it before the device is closed. Pages that are still allocated become ordinary memory. */
void pyn_cmb_close(struct pyn_ctrlr *ctrlr);

#endif
