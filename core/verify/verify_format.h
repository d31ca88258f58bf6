/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout of a file of pyn_verify_save, little-endian:
 *
 *     header    PYN_SAVE_HEADER bytes: struct pyn_save_header and zeros
 *     body      header.body_bytes: runs, each a struct pyn_save_run with its cells
 *     records   struct pyn_save_record, appended as long as a process uses the file
 *
 * A run is of the data, or of the metadata, of LBAs. A file without metadata has the version PYN_SAVE_PLAIN.
 *
 * A cell is 8 bytes, as in verify.h, with an epoch of 0 (the data are durable) or 1 (they are not), of a known state,
 * and without a write in flight. The file has cells of LBAs that were touched only, in any order. A run that repeats
 * an LBA says nothing of it that an earlier run has not.
 *
 * The records say what has happened to the namespace since the body was written. A record is forced to the disk
 * before its command is sent, together with their number (struct pyn_save_count, at byte PYN_SAVE_COUNT). So if the
 * machine dies meanwhile, the last record may be cut off, or end with zeros. Its command was never sent, and the
 * record is left out. All other damage makes the file useless.
 */
#ifndef PYN_VERIFY_VERIFY_FORMAT_H
#define PYN_VERIFY_VERIFY_FORMAT_H

#include <stdint.h>

#define PYN_SAVE_MAGIC "pynvme verify\n"
#define PYN_SAVE_PLAIN 1u
#define PYN_SAVE_VERSION 2u   /* with metadata */
#define PYN_SAVE_HEADER 4096u /* bytes */
#define PYN_SAVE_COUNT 2048u
#define PYN_SAVE_END UINT64_C(0xa55a55aaa55a55aa) /* the last 8 bytes of a record are never 0 */

/* Counts of SMART / Health Information that tell what happened to the drive meanwhile. */
struct pyn_save_counts {
	uint64_t known;  /* 0: the drive has not reported them */
	uint64_t losses; /* unexpected power losses */
	uint64_t cycles; /* power cycles */
	uint64_t writes; /* host write commands */
	uint64_t units;  /* data units written */
};

/* The namespace that a file describes. */
struct pyn_save_identity {
	char serial[20];
	char model[40];
	uint8_t eui64[8];
	uint8_t nguid[16];
	uint32_t nsid;
	uint64_t nlba;
	uint32_t lba_size; /* bytes */
	uint32_t metadata; /* bytes of an LBA */
};

struct pyn_save_header {
	char magic[16];
	uint32_t version;
	uint32_t crc; /* CRC-32C of this structure with 0 here */
	struct pyn_save_identity identity;
	struct pyn_save_counts counts; /* when the body was written */
	uint64_t saved;                /* seconds since 1970 */
	uint64_t body_bytes;
	uint64_t lbas;     /* whose data are in the body */
	uint32_t body_crc; /* CRC-32C */
	uint32_t quiet;    /* 1: no command that changes data was in flight, so no later one is in counts.writes */
};

struct pyn_save_run {
	uint64_t slba;
	uint32_t count;
	uint32_t table; /* enum pyn_save_table */
};

enum pyn_save_table {
	PYN_SAVE_DATA = 0,
	PYN_SAVE_METADATA,
	PYN_SAVE_TABLES,
};

enum pyn_save_kind {
	PYN_SAVE_CHANGE = 1, /* LBAs slba … slba + nlb - 1 are about to change: nothing is known of them */
	PYN_SAVE_LOSS,       /* the power was lost: nothing is known of what was not durable */
	PYN_SAVE_CLOSE,      /* the drive was closed; counts are those at that time */
};

struct pyn_save_record {
	uint32_t crc; /* CRC-32C of this structure with 0 here */
	uint32_t kind;
	uint64_t slba;
	uint64_t nlb;
	uint64_t durable; /* of PYN_SAVE_CLOSE: 1 after a normal shutdown, which makes everything durable */
	struct pyn_save_counts counts;
	uint64_t end; /* PYN_SAVE_END */
};

struct pyn_save_count {
	uint64_t records;
	uint64_t inverse; /* ~records */
};

_Static_assert(sizeof(struct pyn_save_identity) == 104, "identity");
_Static_assert(sizeof(struct pyn_save_header) == 200, "header");
_Static_assert(sizeof(struct pyn_save_record) == 80, "record");

#endif
