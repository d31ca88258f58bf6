/* SPDX-License-Identifier: BSD-3-Clause */
/* PRPs that are built once and copied into many commands (struct pyn_data_template), for callers that fill rings
 * themselves. struct pyn_engine_rings has the contracts. */
#ifndef PYN_NVME_DATA_TEMPLATE_H
#define PYN_NVME_DATA_TEMPLATE_H

#include <stddef.h>

#include "core/nvme/types.h"

size_t pyn_data_template_list_bytes(struct pyn_ctrlr *ctrlr, uint32_t most);
void pyn_data_template_prepare(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most);
void pyn_data_template_describe(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length);

#endif
