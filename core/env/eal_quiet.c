/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All the tricks that keep the EAL from changing or ending the process. The linker redirects some of its calls here
 * (--wrap in tools/native.mk). The table names the file of DPDK 22.11 that makes the call. Once a newer version does
 * not make it, the trick can go:
 *
 *   access                  eal_lcore.c       the EAL does not start without sysfs (plain chroot, some containers)
 *   rte_eal_check_module    eal_vfio.c        the same
 *   mkdir                   eal_filesystem.c  it creates a directory in /run for files shared between processes
 *   __rte_panic             eal.c and others  it aborts the process if a system call fails
 *   rte_ctrl_thread_create  eal_interrupts.c  it starts a thread for interrupts, and we use none of them
 *   stderr                  eal.c and others  it writes its first errors there, whatever its log stream is
 *   openlog                 eal_log.c         it puts its name on the syslog messages of the whole process
 *   affinity, RLIMIT_NOFILE                   rte_eal_init() changes them
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
#include <stdint.h>
#include <stdlib.h>
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
static char *the_words; /* receives the message of a panic; NULL: no start is under way */
static size_t the_words_size;

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
void __wrap___rte_panic(const char *function, const char *format, ...) __attribute__((noreturn));
int __wrap_rte_ctrl_thread_create(pthread_t *thread, const char *name, const pthread_attr_t *attributes,
				  void *(*run)(void *), void *argument);
int __wrap_rte_thread_create_internal_control(void *thread, const char *name, uint32_t (*run)(void *),
					      void *argument);

/* With --no-shconf the EAL shares no files, so it does not need the directory that it creates for them. */
int __wrap_mkdir(const char *path, mode_t mode)
{
	return is_starting ? 0 : __real_mkdir(path, mode);
}

/* The EAL starts no thread. Its first allocation would take 64 MiB or more of the address space, even if only for a
 * moment, and the EAL panics if another one then fails. */
int __wrap_rte_ctrl_thread_create(pthread_t *thread, const char *name, const pthread_attr_t *attributes,
				  void *(*run)(void *), void *argument)
{
	(void)thread;
	(void)name;
	(void)attributes;
	(void)run;
	(void)argument;
	return 0;
}

/* The name of the same function since DPDK 23.11. */
int __wrap_rte_thread_create_internal_control(void *thread, const char *name, uint32_t (*run)(void *), void *argument)
{
	(void)thread;
	(void)name;
	(void)run;
	(void)argument;
	return 0;
}

/* A panic makes the start fail instead of ending the process. */
void __wrap___rte_panic(const char *function, const char *format, ...)
{
	va_list arguments;

	(void)function;
	if (!is_starting)
		abort();
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
	/* A signal must not interrupt a call of the EAL, which would not make it again. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &signals);
	/* The EAL writes some of its first errors to stderr, whatever its log stream is. */
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
	closelog(); /* the EAL called openlog() with its own name */
	return rc;
}
