/* SPDX-License-Identifier: BSD-3-Clause */
/* Another library that runs on the same EAL and uses the DMA memory: SPDK, in a build that has it. Internal to
 * core/env and the library's binding, which defines pyn_env_guest. */
#ifndef PYN_ENV_GUEST_H
#define PYN_ENV_GUEST_H

#include <stdbool.h>
#include <stddef.h>

struct pyn_env_guest {
	bool (*is_wanted)(void); /* whether this process uses it */
	size_t mib;              /* MiB of ordinary memory that the EAL gets for it, or less within limits */
};

#ifdef PYN_WITH_SPDK
/* Weak, since programs such as C tests link core/env without the library: then it is absent. */
extern const struct pyn_env_guest pyn_env_guest __attribute__((weak));
#endif

#endif
