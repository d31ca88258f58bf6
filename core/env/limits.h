/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory this process may have: by the machine, by its control groups, by its own limits. Internal to
 * core/env. Sizes are MiB; SIZE_MAX where nothing limits it. */
#ifndef PYN_ENV_LIMITS_H
#define PYN_ENV_LIMITS_H

#include <stddef.h>

/* Memory that the kernel can still give to this process, by its own estimate: MemAvailable, or what this process's
 * memory control groups leave if that is less. Without /proc it is the free memory. */
size_t pyn_limits_available_mib(void);

/* What RLIMIT_AS (ulimit -v) leaves of the address space. */
size_t pyn_limits_address_space_mib(void);

/* The largest file that RLIMIT_FSIZE (ulimit -f) allows; the memory of a memfd counts as one. */
size_t pyn_limits_file_mib(void);

/* What RLIMIT_MEMLOCK (ulimit -l) lets this process lock; nothing limits a process with CAP_IPC_LOCK. */
size_t pyn_limits_locked_mib(void);

#endif
