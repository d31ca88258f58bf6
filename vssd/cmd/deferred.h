/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that a fault rule completed before they are executed. */
#ifndef VSSD_CMD_DEFERRED_H
#define VSSD_CMD_DEFERRED_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/part.h"

struct vssd_fault_rule;

extern const struct vssd_part vssd_deferred_part;

/* Execute a command later, as a rule with the action early says. */
void vssd_defer(struct vssd_request *request, struct vssd_fault_rule *rule);

/* Execute those that are due. */
void vssd_deferred_run(struct vssd_ctrl *ctrl, void (*execute)(struct vssd_request *request));

#endif
