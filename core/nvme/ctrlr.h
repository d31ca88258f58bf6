/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVMe controller: initialisation, shutdown, and the state that its queues share. NVM Express Base
 * Specification 2.0, sections 3.5 (initialisation), 3.6 (shutdown) and 3.7 (resets). Each function returns the errors
 * that struct pyn_engine, the seam above, describes for the function of the same name.
 */
#ifndef PYN_NVME_CTRLR_H
#define PYN_NVME_CTRLR_H

#include "core/nvme/quarantine.h"
#include "core/nvme/regs.h"
#include "core/nvme/types.h"
#include "core/pci/pci.h"

struct pyn_window;

struct pyn_ctrlr {
	struct pyn_pci *pci;
	uint64_t cap;                   /* CAP when it was last read; 0: not yet */
	bool enabled;                   /* the device has the admin rings and has not been disabled since */
	bool vectors;                   /* interrupts are in use, so MSI-X is enabled again after a reset */
	struct pyn_engine_qpair *admin; /* NULL until the first set-up */
	struct pyn_window *cmb;         /* the controller memory buffer; NULL: not in use */
	void *spare;                 /* a memory page of DMA memory for what commands transfer beyond their buffer */
	uint32_t spare_size;         /* bytes */
	uint8_t wanted_mps;          /* CC.MPS of the next initialisation; PYN_MPS_SMALLEST: CAP.MPSMIN */
	volatile uint32_t *shadow;   /* DMA memory of shadow doorbells, then of EventIdxs; NULL: not in use */
	struct pyn_kept *quarantine; /* deleted queues whose memory the device may still write to */
};

int pyn_ctrlr_attach(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err);
void pyn_ctrlr_detach(struct pyn_ctrlr *ctrlr);

/* Set up only the admin queue: memory, empty rings, AQA, ASQ, ACQ, and bus mastering. Does not touch CC; CC.EN should
 * be 0. */
int pyn_ctrlr_admin_setup(struct pyn_ctrlr *ctrlr, uint16_t depth, struct pyn_error *err);

int pyn_ctrlr_enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);
int pyn_ctrlr_disable(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
int pyn_ctrlr_shutdown(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err);

#define PYN_MPS_SMALLEST UINT8_MAX
#define PYN_MPS_MOST 9u /* 2 MiB: memory of larger pages need not be contiguous */

/* The largest CC.MPS that the controller, whose CAP was read, and this driver allow. */
static inline uint8_t pyn_ctrlr_most_mps(const struct pyn_ctrlr *ctrlr)
{
	uint64_t most = NVME_GET(ctrlr->cap, NVME_CAP_MPSMAX);

	return (uint8_t)(most < PYN_MPS_MOST ? most : PYN_MPS_MOST);
}

/* Choose the size of memory pages for the next initialisation and those after it. Errors: PYN_ERROR_ARGUMENT. */
int pyn_ctrlr_choose_page(struct pyn_ctrlr *ctrlr, uint32_t bytes, struct pyn_error *err);

/* Use this CC.MPS from now on; the controller is disabled. Errors: PYN_ERROR_MEMORY. */
int pyn_ctrlr_use_mps(struct pyn_ctrlr *ctrlr, uint8_t mps, struct pyn_error *err);

/* A script is about to write CC. */
int pyn_ctrlr_before_cc(struct pyn_ctrlr *ctrlr, uint32_t cc, struct pyn_error *err);

/* Read CAP, unless ctrlr->cap holds it already. */
static inline int pyn_ctrlr_cap(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return ctrlr->cap ? 0 : pyn_reg_read64(ctrlr->pci, NVME_REG_CAP, &ctrlr->cap, err);
}

#endif
