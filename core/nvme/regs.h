/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller registers over a PCI function's BAR 0. */
#ifndef PYN_NVME_REGS_H
#define PYN_NVME_REGS_H

#include "core/pci/pci.h"
#include "spec/nvme_regs.h"

/* Write one register. Errors: those of bar_write in core/pci. */
int pyn_reg_write32(struct pyn_pci *pci, uint32_t offset, uint32_t value, struct pyn_error *err);
int pyn_reg_write64(struct pyn_pci *pci, uint32_t offset, uint64_t value, struct pyn_error *err);

/*
 * Read one of the registers that are never all ones as long as the controller is there: CAP, VS, CC, CSTS, CRTO.
 * Errors: PYN_ERROR_GONE, if it reads all ones, and those of bar_read in core/pci.
 */
int pyn_reg_read32(struct pyn_pci *pci, uint32_t offset, uint32_t *value, struct pyn_error *err);
int pyn_reg_read64(struct pyn_pci *pci, uint32_t offset, uint64_t *value, struct pyn_error *err);

/*
 * Wait up to timeout_ms until (CSTS & mask) == wanted. If fatal is set, CSTS.CFS = 1 ends the wait with
 * PYN_ERROR_ENUMERATE. *csts is the value read last. Errors: PYN_ERROR_TIMEOUT, PYN_ERROR_GONE.
 */
int pyn_csts_wait(struct pyn_pci *pci, uint32_t mask, uint32_t wanted, bool fatal, uint32_t timeout_ms,
		  uint32_t *csts, struct pyn_error *err);

#endif
