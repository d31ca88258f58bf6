/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory the machine, the control groups and the resource limits allow this process. Internal to core/env.
 * Sizes are in MiB; SIZE_MAX means unlimited. */
#ifndef PYN_ENV_LIMITS_H
#define PYN_ENV_LIMITS_H

#include <stddef.h>

/* Memory that the kernel estimates it can still give to this process: MemAvailable, or what the process's memory
 * control groups leave if that is less. Without /proc it is the free memory. */
size_t pyn_limits_available_mib(void);

/* Address space that RLIMIT_AS (ulimit -v) still allows. */
size_t pyn_limits_address_space_mib(void);

/* The largest file that RLIMIT_FSIZE (ulimit -f) allows; the memory of a memfd counts as one. */
size_t pyn_limits_file_mib(void);

/* Memory that RLIMIT_MEMLOCK (ulimit -l) lets this process lock; unlimited for root. */
size_t pyn_limits_locked_mib(void);

#endif
