/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/env/env.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/env/arena.h"
#include "core/env/eal.h"
#include "core/env/heap.h"
#include "core/env/limits.h"
#include "core/env/owner.h"

static _Atomic(uint32_t) the_number = 1;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

/* The EAL can be started only once, so its result is kept for later calls. Mapping the memory can be tried again. */
static struct {
	pthread_mutex_t lock;
	_Atomic(bool) running;
	pid_t pid;       /* of the process that started the environment */
	uint32_t number; /* its pyn_process_number() */
	bool eal_done;
	int eal_rc;
	struct pyn_error eal_error;
} the_start = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void forked_child(void)
{
	atomic_fetch_add(&the_number, 1);
	/* A thread of the parent may have held the lock. */
	pthread_mutex_init(&the_start.lock, NULL);
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forked_child);
}

uint32_t pyn_process_number(void)
{
	pthread_once(&watch_once, watch_forks);
	return atomic_load(&the_number);
}

/* A worker is forked without handlers, so the process number alone does not tell it from its parent. */
bool pyn_env_is_owner(void)
{
	return atomic_load(&the_start.running) && the_start.pid == getpid() &&
	       the_start.number == atomic_load(&the_number);
}

static int start(bool locked, struct pyn_error *err)
{
	const struct pyn_dma_region *arena = pyn_arena();
	int rc;

	if (!the_start.eal_done) {
		rc = pyn_eal_can_start(err);
		if (rc)
			return rc;
		the_start.eal_done = true;
		the_start.eal_rc = pyn_eal_start(locked, &the_start.eal_error);
	}
	if (the_start.eal_rc) {
		*err = the_start.eal_error;
		return the_start.eal_rc;
	}
	rc = pyn_arena_map(locked, pyn_eal_guest_mib(), err);
	if (rc)
		return rc;
	rc = pyn_heap_start(arena->address, arena->length, err);
	if (rc) {
		pyn_arena_unmap();
		return rc;
	}
	pyn_eal_register(arena->address, arena->length);
	return 0;
}

static int start_once(bool locked, struct pyn_error *err)
{
	struct pyn_error cause;
	int rc;

	if (the_start.pid && (the_start.pid != getpid() || the_start.number != pyn_process_number()))
		return pyn_error(
			err, PYN_ERROR_STATE, EPERM,
			"process %d was forked from %d, which drives the devices: a forked process cannot open or "
			"allocate; start a new one (multiprocessing: 'spawn')",
			getpid(), the_start.pid);
	if (atomic_load(&the_start.running))
		return 0;
	the_start.number = pyn_process_number();
	the_start.pid = getpid();
	rc = start(locked, &cause);
	atomic_store(&the_start.running, !rc);
	if (rc && err)
		*err = cause;
	return rc;
}

static int start_env(bool locked, struct pyn_error *err)
{
	int rc;

	if (pyn_env_is_owner())
		return 0;
	pyn_process_number();
	pthread_mutex_lock(&the_start.lock);
	rc = start_once(locked, err);
	pthread_mutex_unlock(&the_start.lock);
	return rc;
}

int pyn_env_start(struct pyn_error *err)
{
	return start_env(false, err);
}

int pyn_env_start_locked(struct pyn_error *err)
{
	return start_env(true, err);
}

size_t pyn_env_locked_mib(void)
{
	return (pyn_arena()->length >> 20) + pyn_eal_guest_mib();
}

size_t pyn_env_available_mib(void)
{
	return pyn_limits_available_mib();
}

void *pyn_shared_map(size_t size, struct pyn_error *err)
{
	void *memory = MAP_FAILED;

	errno = EINVAL;
	if (size)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		pyn_error(err, PYN_ERROR_MEMORY, errno, "no address space for %zu bytes of shared memory: %s", size,
			  strerror(errno));
		return NULL;
	}
	return memory;
}

void pyn_shared_unmap(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}
