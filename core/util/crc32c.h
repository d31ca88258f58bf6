/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C (Castagnoli, reflected, as in iSCSI and NVMe). Verification keeps the CRC of each LBA.
 *
 * There are three implementations with the same results. The library chooses one when it is loaded. With AVX-512 and
 * VPCLMULQDQ it uses wide multiplications (64 bytes in two instructions). With SSE4.2 and PCLMULQDQ it computes three
 * streams at once, which hides the latency of the CRC instruction. Otherwise it uses tables.
 * Data need no alignment. All functions may be called from any thread.
 */
#ifndef PYN_UTIL_CRC32C_H
#define PYN_UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of length bytes at data. seed is 0, or the CRC of the bytes before them: pyn_crc32c(pyn_crc32c(0, a), b) is
 * the CRC of a followed by b. */
uint32_t pyn_crc32c(uint32_t seed, const void *data, size_t length);

/* The CRCs of count adjacent blocks of block bytes each: crc[i] is the CRC of block i. This is faster than a call for
 * each block, since neighbours are computed together and nothing has to be combined. */
void pyn_crc32c_blocks(const void *data, size_t block, size_t count, uint32_t *crc);

/* A constant that pyn_crc32c_restamp needs for each block size. Plain data, the same in every process. */
struct pyn_crc32c_stamp {
	uint32_t shift; /* x^(8 * (block - 8) - 33) modulo the polynomial, reflected */
};

/* block: bytes, at least 16. */
struct pyn_crc32c_stamp pyn_crc32c_stamp_for(size_t block);

/*
 * The CRC of a block whose first and last 8 bytes are first and last (little-endian). base is the CRC of the same
 * block with zeros in their place. The result is exact, since a CRC is linear, and takes the same time for any block
 * size.
 */
uint32_t pyn_crc32c_restamp(const struct pyn_crc32c_stamp *stamp, uint32_t base, uint64_t first, uint64_t last);

/* The same for count blocks, in a fraction of the time that count calls take: crc[i] is the CRC of the block with
 * first + i and last + i, whose base is base[i]. crc may be base. */
void pyn_crc32c_restamp_blocks(const struct pyn_crc32c_stamp *stamp, const uint32_t *base, uint64_t first,
			       uint64_t last, size_t count, uint32_t *crc);

enum pyn_crc32c_code { PYN_CRC32C_TABLES, PYN_CRC32C_INSTRUCTIONS, PYN_CRC32C_WIDE };

/* Use this implementation, or the best one below it that the CPU supports; returns the one chosen. Loading the
 * library chooses the best; tests call this to try all of them. Do not call it while another thread computes a
 * CRC. */
enum pyn_crc32c_code pyn_crc32c_choose(enum pyn_crc32c_code wanted);

#endif
