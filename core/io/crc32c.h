/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C (Castagnoli, reflected, as in iSCSI and NVMe): what verification remembers of each LBA.
 *
 * On a CPU with SSE4.2 and PCLMULQDQ three streams go at once, which hides the latency of the instruction;
 * elsewhere tables do it, with the same results. Which one is decided when the library is loaded.
 * Data need no alignment. All functions may be called from any thread.
 */
#ifndef PYN_IO_CRC32C_H
#define PYN_IO_CRC32C_H

#include <stdbool.h>
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

/*
 * Take the instructions where the CPU has them and they are wanted, else the tables; says whether it is the
 * instructions. Loading the library does it with true; a test calls it to see both. Not while another thread
 * computes.
 */
bool pyn_crc32c_choose(bool instructions);

#endif
