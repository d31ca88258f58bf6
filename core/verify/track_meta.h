/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The metadata of a command: where they lie in the host's memory, and what they are to be in the drive. For track.c,
 * which follows the data, and calls these functions beside.
 */
#ifndef PYN_VERIFY_TRACK_META_H
#define PYN_VERIFY_TRACK_META_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/buffer.h"
#include "core/data/protection.h"
#include "core/verify/track_copy.h"
#include "core/verify/verify.h"
#include "spec/nvme_cmd.h"

/* The buffer of a command for metadata. All zeros: none. */
struct pyn_metadata {
	struct pyn_buffer *buffer; /* at which MPTR points; NULL: none */
	uint32_t offset;           /* in it, bytes */
	uint32_t length;           /* bytes of it that the command may use */
	bool protects;             /* a stamped write: put protection information into the metadata first */
	bool own;                  /* without a buffer: MPTR is the script's own, and leads to an SGL */
};

/* The LBAs of a read in the host's memory, with the snapshots of their cells. */
struct pyn_lbas {
	uint8_t *data;
	uint32_t stride;   /* bytes from the data of an LBA to those of the next */
	uint8_t *metadata; /* NULL: not transferred */
	uint32_t metadata_stride;
	uint64_t *cells, *metadata_cells;
};

/* Judge a read of a namespace with metadata LBA by LBA, as pyn_verify_read_end does the data of adjacent ones. An LBA
 * counts as judged if its data or its metadata are known. */
bool pyn_judge_lbas(const struct pyn_verify *verify, const struct pyn_verify *metadata, uint64_t slba, uint32_t nlb,
		    const struct pyn_lbas *lbas, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch);

struct pyn_track_meta {
	struct pyn_verify *verify; /* of the metadata, a reference; NULL: nothing is tracked */
	struct pyn_layout layout;
	uint32_t bytes;            /* of metadata of each LBA that the command transfers */
	uint32_t stride;           /* bytes from the data of an LBA to those of the next */
	struct pyn_buffer_use use; /* of the buffer at MPTR; its buffer is NULL without one */
	uint32_t *crc;             /* of a write, for each LBA; NULL: unknown */
	struct nvme_cmd cmd;       /* that write */
	uint64_t *cells;           /* of a read: a snapshot for each LBA; NULL: it judges none */
	struct pyn_copy *copy;
	bool is_changer;
};

/* Begin: hold the buffer, and take a reference to the table of the metadata of verify, which may be NULL. */
void pyn_track_meta_begin(struct pyn_track_meta *meta, const struct pyn_verify *verify, const struct nvme_cmd *cmd,
			  const struct pyn_metadata *buffer, bool is_changer);

/* The metadata of LBA number i, whose data are at data; NULL: the command does not transfer them. */
uint8_t *pyn_track_meta_at(const struct pyn_track_meta *meta, uint64_t i, uint8_t *data, uint32_t lba_size);

/* The CRC of the metadata that LBA number i has after a write of these data. false: it is not known. */
bool pyn_track_meta_crc(const struct pyn_track_meta *meta, const struct nvme_cmd *cmd, uint64_t i, uint8_t *data,
			uint32_t lba_size, uint32_t *crc);

/* A Zone Append of nlb LBAs was written that many LBAs behind the start of its zone: if the drive has remapped its
 * reference tags (ZNS 3.4.1.1), make its crc, if there is one, that of what it has stored. data: of the first LBA. */
void pyn_track_meta_appended(struct pyn_track_meta *meta, uint64_t distance, uint64_t nlb, uint8_t *data,
			     uint32_t lba_size);

/* Begin a read, a write (its crc is filled in or NULL), another change, or a copy of these LBAs. */
void pyn_track_meta_read(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb);
void pyn_track_meta_write(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb);
void pyn_track_meta_change(struct pyn_track_meta *meta, const struct nvme_cmd *cmd, uint64_t slba, uint64_t nlb);
void pyn_track_meta_copy(struct pyn_track_meta *meta, const struct nvme_cmd *cmd, const uint8_t *ranges,
			 uint64_t slba, uint64_t nlb);

/* End the write, or the other change, of these LBAs. */
void pyn_track_meta_write_end(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb,
			      enum pyn_write_outcome outcome);
void pyn_track_meta_change_end(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb,
			       enum pyn_write_outcome outcome);

/* Release the buffer. Returns whether nothing has disturbed it; true without one. */
bool pyn_track_meta_release(struct pyn_track_meta *meta);

/* Drop everything. */
void pyn_track_meta_end(struct pyn_track_meta *meta);

#endif
