/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* CPU sets */
#include "core/worker/cpus.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

static uint16_t the_cpus[CPU_SETSIZE]; /* workers on each */
static pthread_mutex_t the_cpu_lock = PTHREAD_MUTEX_INITIALIZER;

int pyn_cpu_reserve(int wanted)
{
	bool is_lowest = true;
	int taken = -1;
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	pthread_mutex_lock(&the_cpu_lock);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (!is_lowest && (taken < 0 || the_cpus[cpu] <= the_cpus[taken]))
			taken = cpu;
		is_lowest = false;
	}
	if (wanted >= 0 && wanted < CPU_SETSIZE)
		taken = wanted;
	if (taken >= 0 && the_cpus[taken] < UINT16_MAX)
		the_cpus[taken]++;
	pthread_mutex_unlock(&the_cpu_lock);
	return taken;
}

void pyn_cpu_release(int cpu)
{
	if (cpu < 0)
		return;
	pthread_mutex_lock(&the_cpu_lock);
	if (the_cpus[cpu])
		the_cpus[cpu]--;
	pthread_mutex_unlock(&the_cpu_lock);
}
