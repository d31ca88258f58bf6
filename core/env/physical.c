/* SPDX-License-Identifier: BSD-3-Clause */
/* Physical addresses of the arena, for devices without an IOMMU. Documentation/admin-guide/mm/pagemap of Linux. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/env/arena.h"
#include "core/env/env.h"
#include "core/util/cleanup.h"

#define PAGE 4096u
#define FRAME ((UINT64_C(1) << 55) - 1) /* number, in an entry of pagemap */
#define PRESENT (UINT64_C(1) << 63)
#define HOW_MANY "`echo 512 | sudo tee /proc/sys/vm/nr_hugepages` reserves 1 GiB"

static struct {
	pthread_mutex_t lock;
	_Atomic(bool) known;
	struct pyn_iova **pages; /* [region][hugepage]: its physical address */
} the_map = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int find_page(int pagemap, const char *memory, struct pyn_iova *physical, struct pyn_error *err)
{
	uint64_t entry = 0;

	(void)*(const volatile char *)memory; /* a page that was never accessed has no entry */
	if (pread(pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)memory / PAGE * sizeof(entry))) != sizeof(entry))
		return pyn_error(err, PYN_ERROR_MEMORY, errno, "/proc/self/pagemap cannot be read: %s",
				 strerror(errno));
	/* Without CAP_SYS_ADMIN the kernel reports frame number 0. */
	if (!(entry & PRESENT) || !(entry & FRAME))
		return pyn_error(err, PYN_ERROR_MEMORY, EPERM,
				 "without an IOMMU a drive is given physical addresses, which only root may read "
				 "(CAP_SYS_ADMIN)");
	physical->value = (entry & FRAME) * PAGE;
	return 0;
}

static int find_region(int pagemap, const struct pyn_dma_region *region, struct pyn_iova **pages,
		       struct pyn_error *err)
{
	size_t count = region->length / PYN_DMA_HUGE_PAGE;
	int rc = 0;

	if (!region->huge || region->length % PYN_DMA_HUGE_PAGE)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOTSUP,
				 "without an IOMMU a drive can use hugepages only, and this session has none: at "
				 "least 512 MiB must be free when it starts (" HOW_MANY ")");
	rc = pyn_arena_fill(region->length, err);
	if (rc)
		return rc;
	*pages = calloc(count, sizeof(**pages));
	if (!*pages)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for %zu physical addresses", count);
	for (size_t i = 0; i < count && !rc; i++)
		rc = find_page(pagemap, (const char *)region->address + i * PYN_DMA_HUGE_PAGE, &(*pages)[i], err);
	return rc;
}

static void map_free(struct pyn_iova **pages, size_t count)
{
	for (size_t i = 0; pages && i < count; i++)
		free(pages[i]);
	free(pages);
}

static int learn(struct pyn_error *err)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);
	struct pyn_iova **pages = calloc(count + 1, sizeof(*pages));
	int pagemap PYN_CLOSE = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (!pages || pagemap < 0)
		rc = pyn_error(err, PYN_ERROR_MEMORY, errno, "/proc/self/pagemap cannot be opened: %s",
			       strerror(errno));
	for (size_t i = 0; i < count && !rc; i++)
		rc = find_region(pagemap, &regions[i], &pages[i], err);
	if (rc) {
		map_free(pages, count);
		return rc;
	}
	the_map.pages = pages;
	atomic_store(&the_map.known, true);
	return 0;
}

int pyn_dma_physical_learn(struct pyn_error *err)
{
	int rc = pyn_env_start(err);

	if (rc)
		return rc;
	pthread_mutex_lock(&the_map.lock);
	rc = atomic_load(&the_map.known) ? 0 : learn(err);
	pthread_mutex_unlock(&the_map.lock);
	return rc;
}

bool pyn_dma_physical_known(void)
{
	return atomic_load(&the_map.known);
}

struct pyn_iova pyn_dma_physical(const void *memory)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)((uintptr_t)memory - (uintptr_t)regions[i].address);

		if (at < regions[i].length)
			return pyn_iova_add(the_map.pages[i][at / PYN_DMA_HUGE_PAGE], at % PYN_DMA_HUGE_PAGE);
	}
	return (struct pyn_iova){0};
}
