/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PYN_UTIL_FORK_H
#define PYN_UTIL_FORK_H

#include <sys/types.h>

/*
 * As fork(), without the handlers that libraries have registered (pthread_atfork): they take locks and start threads.
 * A C library before glibc 2.34 cannot leave them out, and there they run. It is looked up when it is called, so a
 * module that was built with a newer C library runs with an older one.
 */
pid_t pyn_fork(void);

#endif
