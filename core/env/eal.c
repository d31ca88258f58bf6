/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/env/eal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_memory.h>

#include "core/util/log.h"

#define ARENA_DEFAULT_MIB 4096u
#define ARENA_MIN_MIB 16u
#define ARENA_LOCKED_MIN_MIB 64u
#define ARENA_MAX_MIB (64u * 1024u) /* 4 KiB pages: 12 KiB and 40 us for each MiB */
#define HUGE_MIN_MIB 512u
#define HUGE_PAGE_MIB 2u
#define HUGE_FREE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define LAST_WORDS 160

/* The EAL speaks in lines, but writes them in pieces. */
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

/* A number from the environment; absent or empty: *value stays. */
static int environment_number(const char *name, unsigned low, unsigned high, unsigned *value, struct pyn_error *err)
{
	const char *text = getenv(name);
	unsigned long number;
	char *end;

	if (!text || !*text)
		return 0;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || *text == '-' || number < low || number > high)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%s=%.40s: a whole number from %u to %u is expected", name, text, low, high);
	*value = (unsigned)number;
	return 0;
}

static unsigned huge_free_mib(void)
{
	FILE *file = fopen(HUGE_FREE_PAGES, "re");
	unsigned long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	if (pages > ARENA_MAX_MIB / HUGE_PAGE_MIB)
		pages = ARENA_MAX_MIB / HUGE_PAGE_MIB;
	return (unsigned)pages * HUGE_PAGE_MIB;
}

/* Half of what is free: other sessions on this machine want some as well. */
static unsigned huge_share_mib(unsigned free_mib)
{
	unsigned share = free_mib / 2 > HUGE_MIN_MIB ? free_mib / 2 : HUGE_MIN_MIB;

	return share < ARENA_DEFAULT_MIB ? share : ARENA_DEFAULT_MIB;
}

size_t pyn_eal_available_mib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[128];
	size_t mib = SIZE_MAX;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			mib = (size_t)(kib >> 10);
	if (file)
		fclose(file);
	return mib;
}

/* No larger than what would still be of use, and smaller only where the user says so: an error tells of the rest. */
static unsigned lower(unsigned mib, unsigned long long bound)
{
	if (bound < ARENA_LOCKED_MIN_MIB)
		bound = ARENA_LOCKED_MIN_MIB;
	return bound < mib ? (unsigned)bound : mib;
}

static unsigned lockable_mib(unsigned mib, bool huge)
{
	struct rlimit limit;

	if (!huge)
		mib = lower(mib, pyn_eal_available_mib() / 4);
	/* Root has the capability to lock more. */
	if (geteuid() && !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur != RLIM_INFINITY)
		mib = lower(mib, limit.rlim_cur >> 20);
	return huge ? mib / HUGE_PAGE_MIB * HUGE_PAGE_MIB : mib;
}

int pyn_eal_memory_choose(struct pyn_eal_memory *memory, bool locked, struct pyn_error *err)
{
	unsigned free_mib = huge_free_mib(), mib = 0, huge = 2;
	int rc;

	rc = environment_number("PYNVME_HUGE", 0, 1, &huge, err);
	if (!rc)
		rc = environment_number("PYNVME_MEM", ARENA_MIN_MIB, ARENA_MAX_MIB, &mib, err);
	if (rc)
		return rc;

	unsigned wanted = mib > HUGE_MIN_MIB ? mib : HUGE_MIN_MIB;
	if (huge == 1 && free_mib < wanted)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
				 "PYNVME_HUGE=1, but %u MiB of 2 MiB hugepages are free and %u are needed: "
				 "reserve more (sysctl vm.nr_hugepages), or unset PYNVME_HUGE",
				 free_mib, wanted);
	memory->huge = huge && free_mib >= wanted;
	if (mib)
		memory->mib = mib;
	else
		memory->mib = memory->huge ? huge_share_mib(free_mib) : ARENA_DEFAULT_MIB;
	if (!mib && locked)
		memory->mib = lockable_mib(memory->mib, memory->huge);
	return 0;
}

/* "0@(0,1,5)": one lcore that floats over the CPUs the caller may use; the EAL would pin it to one otherwise. */
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

static int eal_init(const struct pyn_eal_memory *memory, const cpu_set_t *cpus)
{
	char lcores[8 + RTE_MAX_LCORE * 5], mib[16];
	char *arguments[16];
	int count = 0;

	lcores_describe(cpus, lcores, sizeof(lcores));
	snprintf(mib, sizeof(mib), "%u", memory->mib);
	arguments[count++] = "pynvme";
	if (memory->huge) {
		arguments[count++] = "--in-memory";
		arguments[count++] = "--single-file-segments";
	} else {
		arguments[count++] = "--no-huge";
		arguments[count++] = "--no-shconf";
	}
	arguments[count++] = "-m";
	arguments[count++] = mib;
	arguments[count++] = "--iova-mode=va";
	arguments[count++] = "--no-pci";
	arguments[count++] = "--no-telemetry";
	arguments[count++] = "--lcores";
	arguments[count++] = lcores;
	arguments[count] = NULL;
	return rte_eal_init(count, arguments);
}

static int arena_is_full(int socket, size_t limit, size_t length)
{
	(void)socket;
	(void)limit;
	(void)length;
	return -1;
}

/* Devices map the arena once: memory that the EAL added later would be unknown to them. */
static void arena_freeze(void)
{
	for (unsigned i = 0; i < rte_socket_count(); i++)
		rte_mem_alloc_validator_register("pynvme", arena_is_full, rte_socket_id_by_idx(i), 0);
}

int pyn_eal_start(const struct pyn_eal_memory *memory, struct pyn_error *err)
{
	sigset_t all, signals;
	FILE *stream, *saved_stderr = stderr;
	cpu_set_t cpus;
	int rc;

	stream = log_stream_open();
	if (!stream)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "no log stream for DPDK: %s", strerror(errno));
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		CPU_ZERO(&cpus);
	rte_openlog_stream(stream);

	/* The EAL's thread inherits the mask: a Ctrl-C has to reach a thread of the script, to interrupt what it
	 * does. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &signals);
	/* Some of the EAL's first errors are written to stderr, whatever stream it was given. */
	stderr = stream;
	rc = eal_init(memory, &cpus);
	stderr = saved_stderr;
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	if (CPU_COUNT(&cpus))
		sched_setaffinity(0, sizeof(cpus), &cpus);
	closelog(); /* the EAL opened it, and put its name on the process's messages */
	fflush(stream);

	if (rc >= 0) {
		arena_freeze();
		return 0;
	}
	int number = rte_errno > 0 ? rte_errno : EIO;
	return pyn_error(err, number == ENOMEM ? PYN_ERROR_MEMORY : PYN_ERROR_SYSTEM, number,
			 "DPDK did not start with %u MiB of %s: %.100s; %s", memory->mib,
			 memory->huge ? "hugepages" : "memory", the_log.last[0] ? the_log.last : rte_strerror(number),
			 memory->huge ? "PYNVME_HUGE=0 does without hugepages" : "PYNVME_MEM sets another size");
}
