/* SPDX-License-Identifier: BSD-3-Clause */
/* Which commands fail while the ANA state of a namespace forbids it: NVM Express Base Specification 2.1, section
 * 8.1.1.4. Each function returns a status. */
#ifndef VSSD_CMD_ANA_H
#define VSSD_CMD_ANA_H

#include "vssd/cmd/request.h"

/* Refuse what uses this namespace. */
uint16_t vssd_ana_check_ns(struct vssd_request *request, const struct vssd_ns *ns);

/* Refuse what uses all namespaces that are attached: the first one that is not accessible decides. */
uint16_t vssd_ana_check_all(struct vssd_request *request);

/* Refuse a command by the namespaces that NSID names, except for those admin commands that judge themselves. */
uint16_t vssd_ana_check(struct vssd_request *request);

/* Refuse Get or Set Features of a feature of namespaces, by those that NSID names. */
uint16_t vssd_ana_check_feature(struct vssd_request *request);

#endif
