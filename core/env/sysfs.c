/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EAL asks sysfs which CPUs there are and which kernel modules, and does not start where there is no sysfs: in a
 * plain chroot, in some containers. The linker sends two of its calls here (see tools/native.mk), and where sysfs is
 * missing they get the answer that is true there: the CPUs that the scheduler gives us, and no module.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CPUS "/sys/devices/system/cpu"
#define MODULES "/sys/module"

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_rte_eal_check_module(const char *name);
int __wrap_rte_eal_check_module(const char *name);

static bool may_run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	return cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(cpu, &set);
}

int __wrap_access(const char *path, int mode)
{
	int rc = __real_access(path, mode), number = errno;
	unsigned cpu;

	if (rc < 0 && sscanf(path, CPUS "/cpu%u/", &cpu) == 1 && __real_access(CPUS, F_OK) < 0 && may_run_on(cpu))
		return 0;
	errno = number;
	return rc;
}

/* 1: loaded, 0: not loaded. */
int __wrap_rte_eal_check_module(const char *name)
{
	return __real_access(MODULES, F_OK) < 0 ? 0 : __real_rte_eal_check_module(name);
}
