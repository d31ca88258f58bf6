/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of the host, and the bus by which the controller accesses it.
 *
 * Each region is mapped twice: for the fuzzer, and, between guard pages and with the access rights of the region, for
 * the controller. While the controller must not access host memory, or a region is not in its DMA map, its mapping
 * has no access rights, so that the first use of a stale pointer is found.
 *
 * A shadow holds the expected value of each byte. Pages that a command in flight may write are named. Only the fuzzer
 * may change any other page.
 */
#ifndef TESTS_C_FUZZ_MEMORY_H
#define TESTS_C_FUZZ_MEMORY_H

#include "tests/c/fuzz/random.h"
#include "vssd/bus/bus.h"

#define FUZZ_PAGE 4096u

/* Queues begin in FUZZ_QUEUES, and may extend this far into FUZZ_REMOTE. */
#define FUZZ_REMOTE_QUEUES 131072u

enum fuzz_region_id {
	FUZZ_QUEUES,
	FUZZ_REMOTE, /* directly after the queues; accessed by messages */
	FUZZ_DATA,
	FUZZ_MORE,     /* directly after the data */
	FUZZ_READONLY, /* directly after that; the controller may not write to it */
	FUZZ_WRITEONLY,
	FUZZ_ODD,    /* neither its size nor its place in memory is a multiple of a page */
	FUZZ_SKEWED, /* begins where that ends, in the middle of a page, and is not aligned to words */
	FUZZ_TOP,    /* ends where 64 bits end */
	FUZZ_NUM_REGIONS,
};

struct fuzz_region {
	uint64_t iova;
	uint64_t size;
	uint8_t *host;   /* the fuzzer's view */
	uint8_t *device; /* the controller's view; NULL: by messages */
	uint8_t *shadow; /* the expected contents */
	uint16_t *named; /* by page: commands in flight that may write it */
	bool *stale;     /* by page: was named since its shadow was updated */
	bool *taken;     /* by page: allocated by fuzz_memory_alloc */
	bool mapped;     /* in the controller's DMA map */
};

struct fuzz_memory {
	struct vssd_bus bus; /* comes first: ops get a pointer to it */
	struct fuzz_region regions[FUZZ_NUM_REGIONS];
	struct fuzz_random *random;
	uint32_t fail_one_in; /* one of this many accesses by message fails; 0: none */
	bool fail_queues;     /* also where queues may be */
	bool forbidden;       /* the controller must not access memory */
	uint64_t interrupts;  /* raised so far */
	uint64_t failures;    /* of accesses by message so far */
};

/* Allocate the memory and map all of it. */
void fuzz_memory_open(struct fuzz_memory *memory, struct fuzz_random *random);
void fuzz_memory_close(struct fuzz_memory *memory);

/* Add a region to the controller's DMA map, or take it out. */
void fuzz_memory_map(struct fuzz_memory *memory, enum fuzz_region_id id);
void fuzz_memory_unmap(struct fuzz_memory *memory, enum fuzz_region_id id);

/* Treat any access by the controller as an error from now on, or stop that. */
void fuzz_memory_forbid(struct fuzz_memory *memory, bool forbidden);

/* The fuzzer's view of length bytes that lie in one region; else NULL. */
uint8_t *fuzz_memory_at(struct fuzz_memory *memory, uint64_t iova, uint64_t length);

/* Write for the fuzzer. The bytes may lie in several regions, but must not lie outside of all. */
void fuzz_memory_put(struct fuzz_memory *memory, uint64_t iova, const void *data, uint64_t length);
void fuzz_memory_get(struct fuzz_memory *memory, uint64_t iova, void *data, uint64_t length);

/* Note that a command in flight may write these bytes, or that it has ended. Ignores parts outside of all regions. */
void fuzz_memory_name(struct fuzz_memory *memory, uint64_t iova, uint64_t length, bool in_flight);

/* Make the current contents of these bytes the expected ones. */
void fuzz_memory_accept(struct fuzz_memory *memory, uint64_t iova, uint64_t length);

/* Check that these bytes have the expected values. */
bool fuzz_memory_is_untouched(struct fuzz_memory *memory, uint64_t iova, uint64_t length);

/* Report each page that changed although no command named it. */
void fuzz_memory_check(struct fuzz_memory *memory);

/* Start anew: all contents are expected, and no page is named or taken. */
void fuzz_memory_adopt(struct fuzz_memory *memory);

/* Allocate size bytes (a power of two, a page or more), aligned to their size. Returns the address; 0: none are left.
 */
uint64_t fuzz_memory_alloc(struct fuzz_memory *memory, uint32_t size);
void fuzz_memory_free(struct fuzz_memory *memory, uint64_t iova, uint32_t size);

#endif
