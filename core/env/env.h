/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The environment: the memory that a device may access, memory that forked workers share, and DPDK's EAL.
 * Everything starts with the first use; including this header or loading the module starts nothing.
 */
#ifndef PYN_ENV_ENV_H
#define PYN_ENV_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

/*
 * Start the EAL and map the DMA memory, once a process. Any thread may call it. It waits for no other process.
 * The memory is of hugepages where at least 512 MiB of them are free, else ordinary shared memory, 4 GiB of which
 * costs what is used of it. The environment variable PYNVME_HUGE=0 forces the latter and PYNVME_HUGE=1 the former;
 * PYNVME_MEM=MIB sets the size.
 * A forked process that did not start it itself gets PYN_ERROR_STATE.
 * Errors: PYN_ERROR_MEMORY, there is not enough; PYN_ERROR_ARGUMENT, a variable is malformed; after these two a later
 * call tries again. PYN_ERROR_SYSTEM, the EAL does not start; later calls return the same.
 */
int pyn_env_start(struct pyn_error *err);

/* The same before a device is opened that has all of this memory locked: where PYNVME_MEM does not say how much, it
 * is less, what this process may lock and, without hugepages, a quarter of what is available; 64 MiB at least. */
int pyn_env_start_locked(struct pyn_error *err);

/* MiB of memory that the kernel can still give to this process, by its own estimate. */
size_t pyn_env_available_mib(void);

/* DMA memory: zeroed, contiguous for the device, whole pages of 4 KiB that nothing else shares; starts the
 * environment. align is a power of two, in bytes. NULL: no memory, *err says so. */
void *pyn_dma_alloc(size_t size, size_t align, struct pyn_error *err);

/* Give it back. NULL is allowed. In a process that did not allocate it this does nothing. */
void pyn_dma_free(void *memory);

/*
 * An address as a device uses it: virtual, physical, or in the device's own memory, by struct pyn_dma_view. It is a
 * type of its own, so that the compiler refuses it where a pointer or a number is meant. 0 is no address. It becomes
 * a number only where one is written for the device: into a register, a command, or a message.
 */
struct pyn_iova {
	uint64_t value;
};

/* The address offset bytes behind another one. */
static inline struct pyn_iova pyn_iova_add(struct pyn_iova iova, uint64_t offset)
{
	return (struct pyn_iova){iova.value + offset};
}

/* The address that a device behind an IOMMU or a socket is given for this byte of DMA memory: the virtual one. */
static inline struct pyn_iova pyn_dma_iova(const void *memory)
{
	return (struct pyn_iova){(uint64_t)(uintptr_t)memory};
}

/* How one device addresses memory. All zeros: by virtual addresses, and it has none of its own. */
struct pyn_dma_view {
	bool physical;         /* there is no IOMMU: by physical addresses, which pyn_dma_physical_learn found */
	const uint8_t *window; /* where memory of the device's own is mapped here, page-aligned; NULL: none */
	size_t window_size;    /* bytes */
	struct pyn_iova window_address; /* and where it has that itself */
};

/*
 * Find out where the arena lies physically; once, later calls return 0 at once. Only hugepages stay where they are.
 * Errors: PYN_ERROR_MEMORY, the arena is not of hugepages, or this process may not know.
 */
int pyn_dma_physical_learn(struct pyn_error *err);

/* Whether that has been done. */
bool pyn_dma_physical_known(void);

/* The physical address of a byte of DMA memory, after pyn_dma_physical_learn; 0: it is none. */
struct pyn_iova pyn_dma_physical(const void *memory);

/* Physically contiguous is what lies in one of these. */
#define PYN_DMA_HUGE_PAGE ((size_t)2 << 20)

/* The address by which a device reaches this byte of DMA memory or of its own memory. */
static inline struct pyn_iova pyn_dma_address(const struct pyn_dma_view *view, const void *memory)
{
	size_t at = (size_t)((uintptr_t)memory - (uintptr_t)view->window);

	if (at < view->window_size)
		return pyn_iova_add(view->window_address, at);
	return view->physical ? pyn_dma_physical(memory) : pyn_dma_iova(memory);
}

/* How many bytes of DMA memory are allocated now. Tests look for leaks with it. */
size_t pyn_dma_in_use(void);

/* A piece of the arena that lies in one file: what a device must map to reach all DMA memory. */
struct pyn_dma_region {
	void *address;
	size_t length;
	int fd;          /* stays the environment's */
	uint64_t offset; /* in the file */
	bool huge;       /* of hugepages */
};

/* The whole arena, fixed since the start, in ascending order of address. Returns the number of regions; 0 before it.
 */
size_t pyn_dma_regions(const struct pyn_dma_region **regions);

/* Memory shared with the processes forked later, zeros until touched, not reserved: a table for a whole
 * drive costs what of it is used. NULL: *err says why. */
void *pyn_shared_map(size_t size, struct pyn_error *err);
void pyn_shared_unmap(void *memory, size_t size);

/* Which process this is: grows by one in each forked child, so that a copied handle can see that it is a copy. */
uint32_t pyn_process_number(void);

#endif
