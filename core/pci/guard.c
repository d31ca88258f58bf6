/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define GUARDS_MAX 128u

/* The handler reads this without a lock, so memory is set last and cleared first. */
struct guard {
	_Atomic(uintptr_t) memory; /* 0: free */
	size_t length;
	_Atomic(bool) *gone;
};

static struct guard the_guards[GUARDS_MAX];
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction the_other; /* the previous handler of SIGBUS */

static bool replace(struct guard *guard, uintptr_t address)
{
	uintptr_t memory = atomic_load(&guard->memory);

	if (!memory || address - memory >= guard->length)
		return false;
	if (mmap((void *)memory, guard->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		return false;
	memset((void *)memory, 0xff, guard->length);
	atomic_store(guard->gone, true);
	return true;
}

/* Call the previous handler. If it is the default, restore it: the access is repeated and ends the process. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
	if (the_other.sa_flags & SA_SIGINFO)
		the_other.sa_sigaction(signal, info, context);
	else if (the_other.sa_handler == SIG_DFL || the_other.sa_handler == SIG_IGN)
		sigaction(SIGBUS, &the_other, NULL);
	else
		the_other.sa_handler(signal);
}

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	int number = errno;

	for (unsigned i = 0; i < GUARDS_MAX; i++) {
		if (replace(&the_guards[i], (uintptr_t)info->si_addr)) {
			errno = number;
			return;
		}
	}
	pass_on(signal, info, context);
	errno = number;
}

/* Install our handler again: others, such as faulthandler, may have replaced it. */
static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK}, now;

	if (sigaction(SIGBUS, NULL, &now) || (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_sigbus))
		return;
	the_other = now;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

int pyn_guard_add(void *memory, size_t length, _Atomic(bool) *gone, struct pyn_error *err)
{
	struct guard *guard = the_guards;
	int rc = 0;

	pthread_mutex_lock(&the_lock);
	while (guard < the_guards + GUARDS_MAX && atomic_load(&guard->memory))
		guard++;
	if (guard == the_guards + GUARDS_MAX) {
		rc = pyn_error(err, PYN_ERROR_MEMORY, ENOSPC, "at most %u mappings of devices can be guarded",
			       GUARDS_MAX);
	} else {
		install();
		guard->length = length;
		guard->gone = gone;
		atomic_store(&guard->memory, (uintptr_t)memory);
	}
	pthread_mutex_unlock(&the_lock);
	return rc;
}

void pyn_guard_remove(void *memory)
{
	pthread_mutex_lock(&the_lock);
	for (unsigned i = 0; i < GUARDS_MAX; i++)
		if (memory && atomic_load(&the_guards[i].memory) == (uintptr_t)memory)
			atomic_store(&the_guards[i].memory, 0);
	pthread_mutex_unlock(&the_lock);
}
