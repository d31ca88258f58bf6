/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C (Castagnoli, reflected, as in iSCSI and NVMe): what verification remembers of each LBA.
 *
 * There are three codes with the same results, and which one is used is decided when the library is loaded: with
 * AVX-512 and VPCLMULQDQ wide multiplications (64 bytes in two instructions); with SSE4.2 and PCLMULQDQ three streams
 * of the CRC instruction, which hides its latency; elsewhere tables.
 * Data need no alignment. All functions may be called from any thread.
 */
#ifndef PYN_IO_CRC32C_H
#define PYN_IO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of length bytes at data. seed: 0, or the CRC of the bytes before them, so that
 * pyn_crc32c(pyn_crc32c(0, a), b) is the CRC of a and b in a row. */
uint32_t pyn_crc32c(uint32_t seed, const void *data, size_t length);

/* The CRCs of count blocks of block bytes each that lie one after the other: crc[i] is the CRC of block i.
 * Faster than one by one: neighbours are computed together, and nothing has to be combined. */
void pyn_crc32c_blocks(const void *data, size_t block, size_t count, uint32_t *crc);

/* What pyn_crc32c_restamp must know about a size of blocks. Plain data, the same in every process. */
struct pyn_crc32c_stamp {
	uint32_t shift; /* x^(8 * (block - 8) - 33) modulo the polynomial, reflected */
};

/* block: bytes, at least 16. */
struct pyn_crc32c_stamp pyn_crc32c_stamp_for(size_t block);

/*
 * The CRC of a block whose first and last 8 bytes are first and last (little-endian) and where base is the CRC of the
 * same block with zeros in their place. Exact, and independent of the block's size: a CRC is linear.
 */
uint32_t pyn_crc32c_restamp(const struct pyn_crc32c_stamp *stamp, uint32_t base, uint64_t first, uint64_t last);

/* The same of count blocks, in a fraction of the time of as many calls: crc[i] is the CRC of the block with first + i
 * and last + i, whose base is base[i]. crc may be base. */
void pyn_crc32c_restamp_blocks(const struct pyn_crc32c_stamp *stamp, const uint32_t *base, uint64_t first,
			       uint64_t last, size_t count, uint32_t *crc);

enum pyn_crc32c_code { PYN_CRC32C_TABLES, PYN_CRC32C_INSTRUCTIONS, PYN_CRC32C_WIDE };

/* Take this code, or the best below it that the CPU has; returns which. Loading the library takes the best, a test
 * calls this to see all of them. Not while another thread computes. */
enum pyn_crc32c_code pyn_crc32c_choose(enum pyn_crc32c_code wanted);

#endif
