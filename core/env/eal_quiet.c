/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tricks that keep the EAL quiet, all in this file. The linker sends some of its calls here (--wrap in
 * tools/native.mk). Which file of DPDK makes the call, as of 22.11; when another version no longer does, the trick
 * can go:
 *
 *   access                eal_lcore.c       it does not start without sysfs, as in a plain chroot and some containers
 *   rte_eal_check_module  eal_vfio.c        the same
 *   mkdir                 eal_filesystem.c  it makes a folder in /run for the files of several processes
 *   __rte_panic           eal.c and others  it aborts the process if a call of the system fails
 *   stderr                eal.c and others  its first errors go there, whatever stream it was given
 *   openlog               eal_log.c         it puts its name on the messages of the whole process
 *   affinity, signal mask, RLIMIT_NOFILE    rte_eal_init() and its threads change them
 *
 * libraries.c has the stand-ins for functions of other libraries.
 */
#define _GNU_SOURCE 1
#include "core/env/eal_quiet.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
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

static _Thread_local bool is_starting;
static jmp_buf the_panic;
static char *the_words; /* of a panic; NULL: nobody starts the EAL */
static size_t the_words_size;

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
void __wrap___rte_panic(const char *function, const char *format, ...) __attribute__((noreturn));

/* It makes a folder in /run for the files of several processes, of which it has none with --no-shconf. */
int __wrap_mkdir(const char *path, mode_t mode)
{
	return is_starting ? 0 : __real_mkdir(path, mode);
}

/* It aborts the process where a call of the system fails that it cannot do without. A start that panics is one that
 * failed; a thread of the EAL's own that does, which serves interrupts that nobody has, ends. */
void __wrap___rte_panic(const char *function, const char *format, ...)
{
	va_list arguments;

	(void)function;
	if (!is_starting)
		pthread_exit(NULL);
	va_start(arguments, format);
	vsnprintf(the_words, the_words_size, format, arguments);
	va_end(arguments);
	the_words[strcspn(the_words, "\n")] = '\0';
	longjmp(the_panic, 1);
}

static int start_or_panic(int (*start)(const cpu_set_t *cpus), const cpu_set_t *cpus)
{
	int rc;

	if (setjmp(the_panic)) {
		is_starting = false;
		return PYN_EAL_PANIC;
	}
	is_starting = true;
	rc = start(cpus);
	is_starting = false;
	return rc;
}

/* The EAL changes some things of the process, and not only for itself. */
int pyn_eal_quietly(int (*start)(const cpu_set_t *cpus), FILE *stream, char *why, size_t size)
{
	struct rlimit files;
	sigset_t all, signals;
	FILE *saved_stderr = stderr;
	bool know_files = !getrlimit(RLIMIT_NOFILE, &files);
	cpu_set_t cpus;
	int rc;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		CPU_ZERO(&cpus);
	/* The EAL's thread inherits the mask: a Ctrl-C has to reach a thread of the script, to interrupt what it
	 * does. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &signals);
	/* Some of the EAL's first errors are written to stderr, whatever stream it was given. */
	stderr = stream;
	the_words = why;
	the_words_size = size;
	rc = start_or_panic(start, &cpus);
	stderr = saved_stderr;
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	if (CPU_COUNT(&cpus))
		sched_setaffinity(0, sizeof(cpus), &cpus);
	if (know_files)
		setrlimit(RLIMIT_NOFILE, &files);
	closelog(); /* the EAL opened it, and put its name on the process's messages */
	return rc;
}
