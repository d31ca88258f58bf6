/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries of SPDK's engine for the controller; core/engine/engine.h has the contracts. */
#ifndef PYN_SPDK_ATTACH_H
#define PYN_SPDK_ATTACH_H

#include "spdk/private.h"

#define PYN_SPDK_ADMIN_SLOTS 160u /* SPDK's admin queue of 256 entries holds 192 commands, with its own */

int pyn_spdk_attach(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err);
bool pyn_spdk_isolate(struct pyn_ctrlr *ctrlr);
void pyn_spdk_detach(struct pyn_ctrlr *ctrlr);
int pyn_spdk_disable(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
int pyn_spdk_enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, uint32_t timeout_ms, struct pyn_error *err);
int pyn_spdk_admin_setup(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);
int pyn_spdk_shutdown(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err);

#endif
