/* SPDX-License-Identifier: BSD-3-Clause */
/* Locked LBAs: handlers ask only if vssd_ns.guarded is set, so that other drives pay nothing. */
#ifndef VSSD_CMD_GUARD_H
#define VSSD_CMD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/cmd/request.h"

/* Refuse a command whose LBAs are locked, or that is not a Read while reads return TCG's table MBR. Returns a status.
 */
uint16_t vssd_guard(struct vssd_request *request, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb, bool write);

/* Whether a Read gets its data from the table MBR: *offset is then that of the first byte in the store. */
bool vssd_guard_shadows(const struct vssd_request *request, uint64_t slba, uint64_t nlb, uint64_t *offset);

/* Refuse to change a namespace that is write protected; NULL: any namespace. Returns a status. */
uint16_t vssd_guard_protection(struct vssd_request *request, const struct vssd_ns *ns);

/* Refuse to format a namespace, or to sanitize (NULL), while LBAs are locked. Returns a status. */
uint16_t vssd_guard_erasure(struct vssd_request *request, const struct vssd_ns *ns);

#endif
