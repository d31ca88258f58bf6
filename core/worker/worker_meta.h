/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker does for metadata and protection information, beside the path of plain IOs: it fills in MPTR and
 * tags, makes the metadata of writes, and follows what the metadata of LBAs are to be.
 */
#ifndef PYN_WORKER_WORKER_META_H
#define PYN_WORKER_WORKER_META_H

#include "core/worker/worker_run.h"

/* Of one slot. */
struct pyn_worker_meta {
	uint8_t *data; /* the metadata of its command, in DMA memory; NULL: none, or in the buffer of the data */
	uint64_t mptr;
	uint64_t *cells; /* of a read: a snapshot for each LBA */
	uint32_t *crc;   /* of a write: of the data of each LBA, then of its metadata */
};

/* Whether a worker has anything to do here. */
static inline bool pyn_worker_has_metadata(const struct pyn_worker_config *config)
{
	return config->metadata.layout.protection.ms;
}

/* Bytes of DMA memory that each slot needs for metadata, for commands of up to `largest` LBAs; whole pages. */
size_t pyn_worker_meta_bytes(const struct pyn_worker_run *run, uint32_t largest);

/* Allocate the rest. Errors: PYN_ERROR_MEMORY. */
int pyn_worker_meta_create(struct pyn_worker_run *run, uint32_t largest, struct pyn_error *err);
void pyn_worker_meta_destroy(struct pyn_worker_run *run);

/* Give a slot its DMA memory. Errors: PYN_ERROR_ARGUMENT, it is not contiguous for the device. */
int pyn_worker_meta_place(struct pyn_worker_run *run, uint16_t index, void *memory, struct pyn_error *err);

/* Prepare the described command of a slot. A change other than a write has begun in the table of the data. */
void pyn_worker_meta_begin(struct pyn_worker_run *run, struct pyn_worker_slot *slot);

/* Make the data and metadata of an append, which are to lie at this LBA if the drive executes commands in order. The
 * LBA's metadata are unknown until it ends. */
void pyn_worker_meta_append(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t lba,
			    uint64_t token);

/* Begin the write of an append, which was made for the expected LBA and which the drive wrote to another, in both
 * tables; its flight names the LBAs. The reference tags are those that the drive has put there. */
void pyn_worker_meta_appended(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t expected,
			      uint64_t lba, uint64_t token);

/* End it in the table of the metadata. */
void pyn_worker_meta_append_end(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
				enum pyn_write_outcome outcome);

/* End a change. It has ended in the table of the data. */
void pyn_worker_meta_end(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status);

/* Judge a read. */
bool pyn_worker_meta_judge(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
			   struct pyn_mismatch *mismatch);

#endif
