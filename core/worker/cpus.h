/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPU each worker of this process runs on. Any thread may call these functions. */
#ifndef PYN_WORKER_CPUS_H
#define PYN_WORKER_CPUS_H

/* Count a worker on a CPU, and return it: the wanted one, or, if that is negative, the one with the fewest workers,
 * and among equals the highest. The lowest CPU is left to the virtual SSD and the script: a polling worker on the
 * same CPU would keep it from the SSD that it waits for. -1: there is no other CPU. */
int pyn_cpu_reserve(int wanted);

/* The worker has ended. cpu may be -1. */
void pyn_cpu_release(int cpu);

#endif
