/* SPDX-License-Identifier: BSD-3-Clause */
/* Which process started the environment. Internal to core/env. */
#ifndef PYN_ENV_OWNER_H
#define PYN_ENV_OWNER_H

#include <stdbool.h>

/* Whether the environment runs and this process started it. */
bool pyn_env_is_owner(void);

#endif
