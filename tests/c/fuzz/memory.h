/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's memory, and the bus through which the controller reaches it.
 *
 * Each region is mapped twice: for the fuzzer, and for the controller between guard pages and with no more rights
 * than the region grants it. While the controller has no business in host memory, or a region is not in its DMA map,
 * its mapping has no rights at all, so that a pointer that was kept too long is found by the first use of it.
 *
 * Beside each byte stands what it has to be (the shadow). Pages that a command in flight may write are named; all
 * others must not change but by the fuzzer's own hand.
 */
#ifndef TESTS_C_FUZZ_MEMORY_H
#define TESTS_C_FUZZ_MEMORY_H

#include "tests/c/fuzz/random.h"
#include "vssd/bus/bus.h"

#define FUZZ_PAGE 4096u

/* Queues lie from the start of FUZZ_QUEUES, and may reach so far into FUZZ_REMOTE. */
#define FUZZ_REMOTE_QUEUES 131072u

enum fuzz_region_id {
	FUZZ_QUEUES,
	FUZZ_REMOTE, /* right behind the queues; reached by messages */
	FUZZ_DATA,
	FUZZ_MORE,     /* right behind the data */
	FUZZ_READONLY, /* right behind that: the controller may not write it */
	FUZZ_WRITEONLY,
	FUZZ_ODD,    /* neither its size nor its place in memory is a multiple of a page */
	FUZZ_SKEWED, /* begins where that ends, in the middle of a page; not even aligned to words */
	FUZZ_TOP,    /* ends where 64 bits end */
	FUZZ_NUM_REGIONS,
};

struct fuzz_region {
	uint64_t iova;
	uint64_t size;
	uint8_t *host;   /* the fuzzer's view */
	uint8_t *device; /* the controller's view; NULL: by messages */
	uint8_t *shadow; /* what it has to hold */
	uint16_t *named; /* by page: commands in flight that may write it */
	bool *stale;     /* by page: was named since the shadow was taken */
	bool *taken;     /* by page: fuzz_memory_alloc gave it away */
	bool mapped;     /* in the controller's DMA map */
};

struct fuzz_memory {
	struct vssd_bus bus; /* comes first: ops get a pointer to it */
	struct fuzz_region regions[FUZZ_NUM_REGIONS];
	struct fuzz_random *random;
	uint32_t fail_one_in; /* an access by message fails so often; 0: never */
	bool fail_queues;     /* also where queues may be */
	bool forbidden;       /* the controller must not touch anything */
	uint64_t interrupts;  /* raised so far */
	uint64_t failures;    /* of accesses by message so far */
};

/* Make the memory and map all of it. */
void fuzz_memory_open(struct fuzz_memory *memory, struct fuzz_random *random);
void fuzz_memory_close(struct fuzz_memory *memory);

/* Add a region to the controller's DMA map, or take it out. */
void fuzz_memory_map(struct fuzz_memory *memory, enum fuzz_region_id id);
void fuzz_memory_unmap(struct fuzz_memory *memory, enum fuzz_region_id id);

/* From now on any access by the controller is an error; or is not any more. */
void fuzz_memory_forbid(struct fuzz_memory *memory, bool forbidden);

/* The fuzzer's view of length bytes that lie in one region; else NULL. */
uint8_t *fuzz_memory_at(struct fuzz_memory *memory, uint64_t iova, uint64_t length);

/* The fuzzer writes; they may lie in several regions, but must lie in some. */
void fuzz_memory_put(struct fuzz_memory *memory, uint64_t iova, const void *data, uint64_t length);
void fuzz_memory_get(struct fuzz_memory *memory, uint64_t iova, void *data, uint64_t length);

/* A command that may write these bytes is in flight; or is not any more. Parts that no region holds do not matter. */
void fuzz_memory_name(struct fuzz_memory *memory, uint64_t iova, uint64_t length, bool in_flight);

/* What these bytes hold now is right. */
void fuzz_memory_accept(struct fuzz_memory *memory, uint64_t iova, uint64_t length);

/* The length bytes are what they have to be. */
bool fuzz_memory_is_untouched(struct fuzz_memory *memory, uint64_t iova, uint64_t length);

/* Report each page that changed although no command named it. */
void fuzz_memory_check(struct fuzz_memory *memory);

/* Anything may have been written: begin anew, nothing is named or taken. */
void fuzz_memory_adopt(struct fuzz_memory *memory);

/* size bytes (a power of two, a page or more), aligned to their size, that nobody else uses. 0: none are left. */
uint64_t fuzz_memory_alloc(struct fuzz_memory *memory, uint32_t size);
void fuzz_memory_free(struct fuzz_memory *memory, uint64_t iova, uint32_t size);

#endif
