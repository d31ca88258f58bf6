/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/env/eal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_memory.h>
#include <rte_version.h>

#include "core/env/arena.h"
#include "core/env/eal_quiet.h"
#include "core/env/env.h"
#include "core/env/guest.h"
#include "core/env/limits.h"
#include "core/util/log.h"

#define DESCRIPTORS 10 /* five stay open, the others only during the start */
#define OWN_MIB "2"    /* memory that the EAL gets for itself */
#define LARGEST_PAGE ((size_t)2 << 20)
#define LAST_WORDS 160

static size_t the_guest_mib; /* 0: there is no guest */

size_t pyn_eal_guest_mib(void)
{
	return the_guest_mib;
}

const char *pyn_env_dpdk(void)
{
	return rte_version();
}

/* Assembles lines: the EAL writes them in pieces. */
static struct {
	char line[LAST_WORDS];
	size_t length;
	char last[LAST_WORDS]; /* the last complete line */
} the_log;

static void log_line_end(void)
{
	the_log.line[the_log.length] = '\0';
	if (the_log.length) {
		memcpy(the_log.last, the_log.line, the_log.length + 1);
		pyn_log(PYN_LOG_DEBUG, "%s", the_log.line);
	}
	the_log.length = 0;
}

static ssize_t log_write(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			log_line_end();
		else if (the_log.length < sizeof(the_log.line) - 1)
			the_log.line[the_log.length++] = text[i];
	}
	return (ssize_t)size;
}

static FILE *log_stream_open(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = log_write});

	if (stream)
		setvbuf(stream, NULL, _IOLBF, 0);
	return stream;
}

/* Write "0@(0,1,5)": one lcore that floats over the CPUs of the caller. By default the EAL would pin it to one. */
static void lcores_describe(const cpu_set_t *cpus, char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "0@(");
	const char *comma = "";

	for (unsigned cpu = 0; cpu < RTE_MAX_LCORE; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		length += (size_t)snprintf(text + length, size - length, "%s%u", comma, cpu);
		comma = ",";
	}
	snprintf(text + length, size - length, "%s)", *comma ? "" : "0");
}

/* With these arguments the EAL opens no file that another process could hold a lock on. */
static int eal_init(const cpu_set_t *cpus)
{
	static char lcores[8 + RTE_MAX_LCORE * 5];
	static char *arguments[] = {
		"pynvme",   "--no-huge",      "--no-shconf", "-m",   OWN_MIB, "--iova-mode=va",
		"--no-pci", "--no-telemetry", "--lcores",    lcores, NULL,
	};

	lcores_describe(cpus, lcores, sizeof(lcores));
	return rte_eal_init((int)(sizeof(arguments) / sizeof(arguments[0])) - 1, arguments);
}

#ifdef PYN_WITH_SPDK
#define GUEST_LEAST_MIB 8
#define GUEST_SMALL_MIB 32u

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* MiB that this process may use for the guest. The arena needs most of what the limits of address space and of locked
 * memory allow, and gets all that PYNVME_MEM asks for, or what is of use. */
static size_t most_of_guest(bool locked)
{
	size_t most = pyn_limits_address_space_mib(), lockable = locked ? pyn_limits_locked_mib() : SIZE_MAX;
	size_t arena = pyn_arena_wanted_mib();

	if (arena == SIZE_MAX)
		arena = PYN_ARENA_LOCKED_LEAST_MIB;
	if (most != SIZE_MAX)
		most /= 4;
	if (lockable != SIZE_MAX)
		most = smaller(most, smaller(lockable / 4, lockable > arena ? lockable - arena : 0));
	return smaller(most, pyn_limits_file_mib());
}

/* The memory that the guest wants, or as much as the limits of this process leave beside the arena. The kernel locks
 * all of it whenever a PCIe drive is opened, so where PYNVME_MEM asks for a small arena, it is small too. */
static size_t memory_of_guest(bool locked)
{
	size_t mib = pyn_env_guest.mib, most = most_of_guest(locked);

	while (mib > GUEST_SMALL_MIB && mib > pyn_arena_wanted_mib() / 2)
		mib /= 2;
	while (mib > most && mib > GUEST_LEAST_MIB)
		mib /= 2;
	return mib;
}

/*
 * For a device behind an IOMMU, DPDK maps its memory page by page, and 256 MiB are one page more than the kernel
 * allows in a container (dma_entry_limit of vfio_iommu_type1). So let it walk over whole ranges. The linker redirects
 * this call of eal_vfio.c here.
 */
struct walk {
	rte_memseg_walk_t visit;
	void *argument;
};

int __wrap_rte_memseg_walk(rte_memseg_walk_t visit, void *argument);

static int visit_range(const struct rte_memseg_list *list, const struct rte_memseg *first, size_t length,
		       void *argument)
{
	const struct walk *walk = argument;
	struct rte_memseg whole = *first;

	whole.len = length;
	return walk->visit(list, &whole, walk->argument);
}

int __wrap_rte_memseg_walk(rte_memseg_walk_t visit, void *argument)
{
	struct walk walk = {.visit = visit, .argument = argument};

	return rte_memseg_contig_walk(visit_range, &walk);
}

/* The same, with memory and PCI functions for the guest. */
static int eal_init_for_guest(const cpu_set_t *cpus)
{
	static char lcores[8 + RTE_MAX_LCORE * 5], mib[24];
	static char *arguments[] = {
		"pynvme",         "--no-huge",      "--no-shconf", "-m",   mib,
		"--iova-mode=va", "--no-telemetry", "--lcores",    lcores, NULL,
	};

	snprintf(mib, sizeof(mib), "%zu", the_guest_mib);
	lcores_describe(cpus, lcores, sizeof(lcores));
	return rte_eal_init((int)(sizeof(arguments) / sizeof(arguments[0])) - 1, arguments);
}
#endif

static int init(const cpu_set_t *cpus)
{
#ifdef PYN_WITH_SPDK
	if (the_guest_mib)
		return eal_init_for_guest(cpus);
#endif
	return eal_init(cpus);
}

static void guest_measure(bool locked)
{
#ifdef PYN_WITH_SPDK
	if (&pyn_env_guest && pyn_env_guest.is_wanted())
		the_guest_mib = memory_of_guest(locked);
#else
	(void)locked;
#endif
}

/* Check for file descriptors before the EAL starts: a shortage may pass, but a failed start cannot be repeated. */
static int descriptors_check(struct pyn_error *err)
{
	int fds[DESCRIPTORS], count = 0, number = 0;

	while (count < DESCRIPTORS && (fds[count] = open("/", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	if (count < DESCRIPTORS)
		number = errno;
	for (int i = 0; i < count; i++)
		close(fds[i]);
	if (!number)
		return 0;
	return pyn_error(
		err, PYN_ERROR_MEMORY, number,
		"DMA memory needs %d file descriptors, and this process gets %d (%s): close some, or raise the "
		"limit (ulimit -n)",
		DESCRIPTORS, count, strerror(number));
}

int pyn_eal_can_start(struct pyn_error *err)
{
	return descriptors_check(err);
}

int pyn_eal_start(bool locked, struct pyn_error *err)
{
	FILE *stream = log_stream_open();
	int rc, number;

	if (!stream)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "no log stream for DPDK: %s", strerror(errno));
	guest_measure(locked);
	rte_openlog_stream(stream);
	rc = pyn_eal_quietly(init, stream, the_log.last, sizeof(the_log.last));
	fflush(stream);
	if (rc >= 0)
		return 0;
	number = rc != PYN_EAL_PANIC && rte_errno > 0 ? rte_errno : EIO;
	return pyn_error(err, number == ENOMEM ? PYN_ERROR_MEMORY : PYN_ERROR_SYSTEM, number,
			 "DPDK did not start: %.120s; check the limits of this process (ulimit -a)",
			 the_log.last[0] ? the_log.last : rte_strerror(number));
}

void pyn_eal_register(void *address, size_t length)
{
	size_t page = length & -length;

	if (page > LARGEST_PAGE)
		page = LARGEST_PAGE;
	/* Only DPDK's libraries need this, and we use none of them on this memory: a refusal is no error. */
	if (rte_extmem_register(address, length, NULL, 0, page))
		pyn_log(PYN_LOG_INFO, "DPDK does not accept the DMA memory: %s", rte_strerror(rte_errno));
}
