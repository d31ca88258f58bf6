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
 * Start the EAL and map the DMA memory, once per process. Any thread may call it. It waits for no other process.
 * The memory consists of hugepages if at least 512 MiB of them are free, otherwise of 4 GiB of ordinary shared
 * memory, of which only pages that are used cost memory. The environment variable PYNVME_HUGE=1 forces the former,
 * PYNVME_HUGE=0 the latter; PYNVME_MEM=MIB sets the size. A process that was forked after the start gets
 * PYN_ERROR_STATE. Errors: PYN_ERROR_MEMORY, there is not enough; PYN_ERROR_ARGUMENT, a variable is malformed; after
 * these two a later call tries again. PYN_ERROR_SYSTEM, the EAL does not start; later calls return the same error.
 */
int pyn_env_start(struct pyn_error *err);

/* The same, before opening a device that locks all of this memory. Without PYNVME_MEM the memory is then no more than
 * this process may lock and, without hugepages, a quarter of the available memory, but at least 64 MiB. */
int pyn_env_start_locked(struct pyn_error *err);

/* The version of DPDK that is linked, such as "DPDK 22.11.5". Starts nothing. */
const char *pyn_env_dpdk(void);

/* MiB of memory that a PCIe device locks: the DMA memory, and that of SPDK, if this process uses it. 0 before the
 * start. */
size_t pyn_env_locked_mib(void);

/* MiB of memory that the kernel estimates it can still give to this process. */
size_t pyn_env_available_mib(void);

/* Allocate DMA memory: zeroed, contiguous for the device, in whole pages of 4 KiB that nothing else shares. Starts
 * the environment. align is a power of two, in bytes. NULL: no memory, see *err. */
void *pyn_dma_alloc(size_t size, size_t align, struct pyn_error *err);

/* The largest memory page of any open device (CC.MPS), 4 KiB if none has larger ones, and the change of a device. */
uint32_t pyn_dma_page(void);
void pyn_dma_page_change(uint8_t mps_before, uint8_t mps_now);

/* Free memory of pyn_dma_alloc. NULL is allowed. Does nothing in a process other than the one that allocated it. */
void pyn_dma_free(void *memory);

/*
 * An address as a device uses it: virtual, physical, or in the device's own memory, depending on struct pyn_dma_view.
 * It is a type of its own, so that the compiler refuses it in place of a pointer or a number. 0 is no address. It is
 * converted to a number only to be written for the device, into a register, a command, or a message.
 */
struct pyn_iova {
	uint64_t value;
};

/* The address offset bytes after iova. */
static inline struct pyn_iova pyn_iova_add(struct pyn_iova iova, uint64_t offset)
{
	return (struct pyn_iova){iova.value + offset};
}

/* The address of a byte of DMA memory for a device behind an IOMMU or a socket: its virtual address. */
static inline struct pyn_iova pyn_dma_iova(const void *memory)
{
	return (struct pyn_iova){(uint64_t)(uintptr_t)memory};
}

/* How one device addresses memory. All zeros: by virtual addresses, and the device has no memory of its own. */
struct pyn_dma_view {
	bool physical;                  /* no IOMMU: by physical addresses, which pyn_dma_physical_learn found */
	uint8_t mps;                    /* CC.MPS: its memory pages have 2^mps * 4 KiB */
	const uint8_t *window;          /* our mapping of the device's own memory, page-aligned; NULL: none */
	size_t window_size;             /* bytes */
	struct pyn_iova window_address; /* the device's address of that memory */
};

/* Bytes of a memory page of the device. */
static inline uint32_t pyn_dma_view_page(const struct pyn_dma_view *view)
{
	return UINT32_C(4096) << view->mps;
}

/*
 * Look up the physical addresses of the arena. This works only with hugepages, since only they stay in place. Once it
 * succeeded, later calls return 0 at once.
 * Errors: PYN_ERROR_MEMORY, the arena has no hugepages, or the kernel does not tell this process.
 */
int pyn_dma_physical_learn(struct pyn_error *err);

/* Whether pyn_dma_physical_learn has succeeded. */
bool pyn_dma_physical_known(void);

/* The physical address of a byte of DMA memory, after pyn_dma_physical_learn; 0: memory is not DMA memory. */
struct pyn_iova pyn_dma_physical(const void *memory);

/* Memory within one page of this size is physically contiguous. */
#define PYN_DMA_HUGE_PAGE ((size_t)2 << 20)

/* The address by which a device reaches this byte of DMA memory or of its own memory. */
static inline struct pyn_iova pyn_dma_address(const struct pyn_dma_view *view, const void *memory)
{
	size_t at = (size_t)((uintptr_t)memory - (uintptr_t)view->window);

	if (at < view->window_size)
		return pyn_iova_add(view->window_address, at);
	return view->physical ? pyn_dma_physical(memory) : pyn_dma_iova(memory);
}

/* Bytes of DMA memory that are allocated now. Tests find leaks with it. */
size_t pyn_dma_in_use(void);

/* Call for a device that may go on writing although it is closed. The memory that is allocated now is never
 * allocated again after it was freed, so that the device harms nobody. Returns its size in bytes, without what is
 * kept already for another device. */
size_t pyn_dma_keep_all(void);

/* Bytes that were freed, but are kept until the process ends. */
size_t pyn_dma_lost(void);

/* A part of the arena that lies in one file. A device must map all of them to reach all DMA memory. */
struct pyn_dma_region {
	void *address;
	size_t length;
	int fd;          /* owned by the environment; do not close it */
	uint64_t offset; /* in the file */
	bool huge;       /* of hugepages */
};

/* The regions of the arena in ascending order of address; they do not change after the start. Returns their number, 0
 * before the start. */
size_t pyn_dma_regions(const struct pyn_dma_region **regions);

/* Map zeroed memory that is shared with processes forked later. Only pages that are touched cost memory, so a table
 * for a whole drive is cheap. NULL: see *err. */
void *pyn_shared_map(size_t size, struct pyn_error *err);
void pyn_shared_unmap(void *memory, size_t size);

/* A number for this process. It grows by one in each forked child, so that a handle can tell that it is a copy. */
uint32_t pyn_process_number(void);

#endif
