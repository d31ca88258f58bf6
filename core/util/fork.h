/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PYN_UTIL_FORK_H
#define PYN_UTIL_FORK_H

#include <sys/types.h>

/*
 * Like fork(), but does not run the handlers that libraries registered (pthread_atfork), which take locks and start
 * threads. A C library older than glibc 2.34 cannot skip them; there they run. The function is looked up at run time,
 * so a module that was built with a newer C library runs with an older one.
 */
pid_t pyn_fork(void);

#endif
