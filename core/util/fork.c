/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1 /* RTLD_DEFAULT */
#include "core/util/fork.h"

#include <dlfcn.h>
#include <unistd.h>

pid_t pyn_fork(void)
{
	union {
		void *address;
		pid_t (*call)(void);
	} without_handlers = {dlsym(RTLD_DEFAULT, "_Fork")};

	return without_handlers.address ? without_handlers.call() : fork();
}
