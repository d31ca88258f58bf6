/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/guards.h"

#include <string.h>

#define POLYNOMIAL_16 0x8bb7u
#define POLYNOMIAL_64 UINT64_C(0x9a6c9329ac4bc9b5) /* AD93D23594C93659h, reflected */

/* Entry [i][b] is byte b moved over i more bytes. */
static uint16_t the_tables_16[8][256];
static uint64_t the_tables_64[8][256];

__attribute__((constructor)) static void init(void)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t crc = byte << 8;
		uint64_t wide = byte;

		for (int bit = 0; bit < 8; bit++) {
			crc = crc << 1 ^ (crc & 0x8000 ? POLYNOMIAL_16 : 0);
			wide = wide >> 1 ^ (wide & 1 ? POLYNOMIAL_64 : 0);
		}
		the_tables_16[0][byte] = (uint16_t)crc;
		the_tables_64[0][byte] = wide;
	}
	for (unsigned i = 1; i < 8; i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			uint16_t crc = the_tables_16[i - 1][byte];
			uint64_t wide = the_tables_64[i - 1][byte];

			the_tables_16[i][byte] = (uint16_t)(crc << 8 ^ the_tables_16[0][crc >> 8]);
			the_tables_64[i][byte] = wide >> 8 ^ the_tables_64[0][wide & 0xff];
		}
	}
}

uint16_t pyn_crc16(uint16_t seed, const void *data, size_t length)
{
	const uint8_t *at = data;
	uint16_t crc = seed;

	for (; length >= 8; length -= 8, at += 8) {
		uint16_t next = the_tables_16[7][at[0] ^ crc >> 8] ^ the_tables_16[6][at[1] ^ (crc & 0xff)];

		for (unsigned i = 2; i < 8; i++)
			next ^= the_tables_16[7 - i][at[i]];
		crc = next;
	}
	for (; length; length--, at++)
		crc = (uint16_t)(crc << 8 ^ the_tables_16[0][crc >> 8 ^ *at]);
	return crc;
}

uint64_t pyn_crc64(uint64_t seed, const void *data, size_t length)
{
	const uint8_t *at = data;
	uint64_t crc = ~seed;

	for (; length >= 8; length -= 8, at += 8) {
		uint64_t word, next = 0;

		memcpy(&word, at, sizeof(word));
		word ^= crc;
		for (unsigned i = 0; i < 8; i++)
			next ^= the_tables_64[7 - i][word >> 8 * i & 0xff];
		crc = next;
	}
	for (; length; length--, at++)
		crc = crc >> 8 ^ the_tables_64[0][(crc ^ *at) & 0xff];
	return ~crc;
}
