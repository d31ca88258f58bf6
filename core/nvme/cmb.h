/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller memory buffer. NVM Express Base Specification 2.0, sections 8.5, 3.1.3.11, 3.1.3.12 and 3.1.3.15 f. */
#ifndef PYN_NVME_CMB_H
#define PYN_NVME_CMB_H

#include "core/nvme/ctrlr.h"

/* Ask; the registers are let appear where CAP.CMBS says that they can. */
int pyn_cmb_info(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err);

/* Map it and let commands address it, unless that has been done; ctrlr->cmb gives out its pages from then on.
 * Errors: PYN_ERROR_UNSUPPORTED, there is none, or it cannot be reached here. */
int pyn_cmb_open(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

/* A reset may have made the controller forget where it is. Nothing happens where it is not open. */
int pyn_cmb_restore(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

/* Before the device is closed: who still has pages of it keeps ordinary memory. */
void pyn_cmb_close(struct pyn_ctrlr *ctrlr);

#endif
