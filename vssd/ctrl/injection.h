/* SPDX-License-Identifier: BSD-3-Clause */
/* The errors that a host has requested by feature C0h of OCP. vssd/cmd/feature_injection.c makes fault rules of them.
 */
#ifndef VSSD_CTRL_INJECTION_H
#define VSSD_CTRL_INJECTION_H

#include <stdint.h>

#include "spec/nvme_ocp.h"

#define VSSD_INJECTIONS 127u

struct vssd_injected {
	struct nvme_ocp_error_injection entry;
	uint64_t rule; /* number of its fault rule; 0: none */
};

struct vssd_injection {
	uint32_t count;
	struct vssd_injected at[VSSD_INJECTIONS];
};

#endif
