/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SPDK in this process: its start, its messages, and the calls of it that the linker redirects here (--wrap in
 * tools/native.mk), since the public interface has no other way. wire.c has more of them.
 *
 *   spdk_mem_get_fd_and_offset    SPDK asks DPDK for the file of memory, and DPDK does not know that of the arena
 *   spdk_pci_event_listen         it opens a socket for hot-plug events, which nobody reads here
 *   spdk_zmalloc, spdk_free       a forked process must know which memory the device uses; and SPDK frees a namespace
 *                                 before the command that identifies it
 */
#define _GNU_SOURCE 1
#include "spdk/private.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spdk/env.h>
#include <spdk/env_dpdk.h>
#include <spdk/log.h>

#include "core/env/env.h"
#include "core/env/guest.h"
#include "core/util/log.h"

#define WORDS 160

/* For the queues of SPDK and their trackers of 4 KiB. Only what is used costs memory. */
#define MEMORY_MIB 256

static bool is_wanted(void)
{
	const char *name = getenv(PYN_ENGINE_VARIABLE);

	return name && strcmp(name, pyn_engine_spdk.name) == 0;
}

extern const struct pyn_env_guest pyn_env_guest;
const struct pyn_env_guest pyn_env_guest = {.is_wanted = is_wanted, .mib = MEMORY_MIB};

/* ---- messages ---- */

static _Thread_local char the_words[WORDS];
static bool is_hushed;

static enum pyn_log_level level_of(int level)
{
	/* SPDK reports as errors what a test provokes. What fails because of one returns it as an error. */
	return level <= SPDK_LOG_NOTICE ? PYN_LOG_INFO : PYN_LOG_DEBUG;
}

static void say(int level, const char *file, const int line, const char *function, const char *format, va_list words)
{
	char text[WORDS];

	(void)file, (void)line, (void)function;
	if (is_hushed)
		return;
	vsnprintf(text, sizeof(text), format, words);
	text[strcspn(text, "\n")] = '\0';
	if (level <= SPDK_LOG_ERROR)
		memcpy(the_words, text, sizeof(text));
	pyn_log(level_of(level), "SPDK: %s", text);
}

void pyn_spdk_listen(void)
{
	the_words[0] = '\0';
}

const char *pyn_spdk_said(void)
{
	return the_words;
}

void pyn_spdk_hush(void)
{
	is_hushed = true;
}

/* ---- start ---- */

static int register_memory(struct pyn_error *err)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	for (size_t i = 0; i < count; i++) {
		int rc = spdk_mem_register(regions[i].address, regions[i].length);

		/* EBUSY: SPDK has found it among DPDK's external memory. */
		if (rc && rc != -EBUSY)
			return pyn_error(err, PYN_ERROR_SYSTEM, -rc, "SPDK does not take the DMA memory: %s",
					 strerror(-rc));
	}
	return 0;
}

static int start(struct pyn_error *err)
{
	int rc;

	spdk_log_open(say);
	rc = spdk_env_dpdk_post_init(true);
	if (rc)
		return pyn_error(err, PYN_ERROR_SYSTEM, -rc, "SPDK did not start: %s", pyn_spdk_said());
	return register_memory(err);
}

int pyn_spdk_start(struct pyn_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct pyn_error cause;
	static bool done;
	static int rc;

	pthread_mutex_lock(&lock);
	if (!done)
		rc = start(&cause);
	done = true;
	pthread_mutex_unlock(&lock);
	if (rc && err)
		*err = cause;
	return rc;
}

bool pyn_spdk_is_memory_of(uint64_t address)
{
	uint64_t offset;

	return spdk_mem_get_fd_and_offset((void *)(uintptr_t)address, &offset) >= 0;
}

/* ---- calls of SPDK ---- */

int __real_spdk_mem_get_fd_and_offset(void *address, uint64_t *offset);
int __wrap_spdk_mem_get_fd_and_offset(void *address, uint64_t *offset);
int __wrap_spdk_pci_event_listen(void);
void *__real_spdk_zmalloc(size_t size, size_t align, uint64_t *unused, int numa, uint32_t flags);
void *__wrap_spdk_zmalloc(size_t size, size_t align, uint64_t *unused, int numa, uint32_t flags);
void __real_spdk_free(void *memory);
void __wrap_spdk_free(void *memory);

int __wrap_spdk_mem_get_fd_and_offset(void *address, uint64_t *offset)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)((uintptr_t)address - (uintptr_t)regions[i].address);

		if (at < regions[i].length) {
			*offset = regions[i].offset + at;
			return regions[i].fd;
		}
	}
	return __real_spdk_mem_get_fd_and_offset(address, offset);
}

int __wrap_spdk_pci_event_listen(void)
{
	return -ENOTSUP;
}

/* Pages that the device uses for all queues, such as its shadow doorbells. */
#define PAGES_MAX 1024u
static _Atomic(void *) the_pages[PAGES_MAX];

static bool is_page_of_device(size_t size, size_t align, uint32_t flags)
{
	return size == PYN_SPDK_PAGE && align == PYN_SPDK_PAGE && flags & SPDK_MALLOC_DMA &&
	       flags & SPDK_MALLOC_SHARE;
}

static _Thread_local void *the_newest_pages[2];

static void replace_page(void *one, void *other)
{
	for (unsigned i = 0; i < PAGES_MAX; i++) {
		void *expected = one;

		if (atomic_compare_exchange_strong(&the_pages[i], &expected, other))
			return;
	}
}

static void add_page(void *page)
{
	replace_page(NULL, page);
	the_newest_pages[0] = the_newest_pages[1];
	the_newest_pages[1] = page;
}

void pyn_spdk_newest_pages(void **first, void **second)
{
	*first = the_newest_pages[0];
	*second = the_newest_pages[1];
}

bool pyn_spdk_each_page(bool (*visit)(void *page, size_t size))
{
	for (unsigned i = 0; i < PAGES_MAX; i++) {
		void *page = atomic_load(&the_pages[i]);

		if (page && !visit(page, PYN_SPDK_PAGE))
			return false;
	}
	return true;
}

static _Thread_local struct {
	bool on;
	void *memory;
	size_t size;
} the_watch;

void *__wrap_spdk_zmalloc(size_t size, size_t align, uint64_t *unused, int numa, uint32_t flags)
{
	void *memory = __real_spdk_zmalloc(size, align, unused, numa, flags);

	if (the_watch.on && align == PYN_SPDK_PAGE) {
		the_watch.memory = memory;
		the_watch.size = size;
	}
	if (memory && is_page_of_device(size, align, flags))
		add_page(memory);
	return memory;
}

/* Memory that SPDK has freed on this thread, and that is kept for a while. */
static _Thread_local struct {
	bool on;
	void **memory;
	size_t count;
} the_freed;

void pyn_spdk_keep_freed(void)
{
	the_freed.on = true;
}

void pyn_spdk_free_kept(void)
{
	the_freed.on = false;
	while (the_freed.count)
		__real_spdk_free(the_freed.memory[--the_freed.count]);
	free(the_freed.memory);
	the_freed.memory = NULL;
}

static void keep(void *memory)
{
	void **more = realloc(the_freed.memory, (the_freed.count + 1) * sizeof(*more));

	if (!more)
		return;
	the_freed.memory = more;
	the_freed.memory[the_freed.count++] = memory;
}

void __wrap_spdk_free(void *memory)
{
	if (memory && (uintptr_t)memory % PYN_SPDK_PAGE == 0)
		replace_page(memory, NULL);
	if (memory && the_freed.on)
		keep(memory);
	else
		__real_spdk_free(memory);
}

void pyn_spdk_watch(void)
{
	the_watch.on = true;
	the_watch.memory = NULL;
}

void *pyn_spdk_watched(size_t *size)
{
	the_watch.on = false;
	*size = the_watch.size;
	return the_watch.memory;
}
