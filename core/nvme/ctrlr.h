/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVMe controller: bring-up, shutdown, and what its queues share. NVM Express Base Specification 2.0, section 3.5
 * (initialisation), 3.6 (shutdown), 3.7 (resets). The errors of each function are those of its namesake in the seam
 * above, struct pyn_engine.
 */
#ifndef PYN_NVME_CTRLR_H
#define PYN_NVME_CTRLR_H

#include "core/nvme/regs.h"
#include "core/nvme/types.h"
#include "core/pci/pci.h"

struct pyn_window;

struct pyn_ctrlr {
	struct pyn_pci *pci;
	uint64_t cap;                        /* CAP as it was read last */
	bool enabled;                        /* the device was given the admin rings and not disabled since */
	bool vectors;                        /* interrupts are in use: MSI-X is enabled again after a reset */
	struct pyn_engine_qpair *admin;      /* from the first set-up on */
	struct pyn_window *cmb;              /* its memory buffer, once it is used */
	void *spare;                         /* a page of DMA memory for what commands transfer beyond their data */
	struct pyn_engine_qpair *quarantine; /* queues that are free but for what the device may still write */
};

int pyn_ctrlr_attach(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err);
void pyn_ctrlr_detach(struct pyn_ctrlr *ctrlr);

/* The admin queue alone: memory, empty rings, AQA, ASQ, ACQ, and bus mastering. CC is not touched: EN should be 0. */
int pyn_ctrlr_admin_setup(struct pyn_ctrlr *ctrlr, uint16_t depth, struct pyn_error *err);

int pyn_ctrlr_enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);
int pyn_ctrlr_disable(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
int pyn_ctrlr_shutdown(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err);

/* Read CAP if that has not been done. */
static inline int pyn_ctrlr_cap(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return ctrlr->cap ? 0 : pyn_reg_read64(ctrlr->pci, NVME_REG_CAP, &ctrlr->cap, err);
}

#endif
