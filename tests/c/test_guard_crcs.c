/* SPDX-License-Identifier: BSD-3-Clause */
/* The guards of protection information, by the check values that the specifications publish. */
/* sources: core/util/guards.c core/util/crc32c.c */
#include "core/util/crc32c.h"
#include "core/util/guards.h"
#include "core/util/random.h"
#include "tests/c/test.h"

#define LBA 4096

/* The data of the specification's examples: 4 KiB of zeros, of ones, ascending and descending bytes. */
enum { ZEROS, ONES, ASCENDING, DESCENDING };

static const uint8_t *example(int kind)
{
	static uint8_t data[LBA];

	for (unsigned i = 0; i < LBA; i++)
		data[i] = (uint8_t)(kind == ZEROS ? 0 : kind == ONES ? 0xff : kind == ASCENDING ? i : 255 - i % 256);
	return data;
}

TEST(the_guard_of_16_bits_is_the_crc_of_t10_dif)
{
	CHECK_EQ(pyn_crc16(0, "123456789", 9), 0xd0db);
	CHECK_EQ(pyn_crc16(0, "", 0), 0);
	CHECK_EQ(pyn_crc16(0, example(ZEROS), LBA), 0);
}

TEST(the_guard_of_32_bits_has_the_published_values)
{
	CHECK_EQ(pyn_crc32c(0, example(ZEROS), LBA), 0x98f94189);
	CHECK_EQ(pyn_crc32c(0, example(ONES), LBA), 0x25c1fe13);
	CHECK_EQ(pyn_crc32c(0, example(ASCENDING), LBA), 0x9c71fe32);
	CHECK_EQ(pyn_crc32c(0, example(DESCENDING), LBA), 0x214941a8);
}

TEST(the_guard_of_64_bits_has_the_published_values)
{
	CHECK_EQ(pyn_crc64(0, "123456789", 9), UINT64_C(0xae8b14860a799888));
	CHECK_EQ(pyn_crc64(0, "", 0), 0);
	CHECK_EQ(pyn_crc64(0, example(ZEROS), LBA), UINT64_C(0x6482d367eb22b64e));
	CHECK_EQ(pyn_crc64(0, example(ONES), LBA), UINT64_C(0xc0ddba7302eca3ac));
	CHECK_EQ(pyn_crc64(0, example(ASCENDING), LBA), UINT64_C(0x3e729f5f6750449c));
	CHECK_EQ(pyn_crc64(0, example(DESCENDING), LBA), UINT64_C(0x9a2df64b8e9e517e));
}

/* The definitions, a bit at a time. */

static uint16_t slow_16(uint16_t crc, const uint8_t *data, size_t length)
{
	for (; length > 0; length--) {
		crc ^= (uint16_t)(*data++ << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc << 1 ^ (crc & 0x8000 ? 0x8bb7 : 0));
	}
	return crc;
}

static uint64_t slow_64(const uint8_t *data, size_t length)
{
	uint64_t crc = UINT64_MAX;

	for (; length > 0; length--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ UINT64_C(0x9a6c9329ac4bc9b5) : crc >> 1;
	}
	return ~crc;
}

TEST(every_length_and_alignment_and_a_crc_in_two_pieces_is_as_defined)
{
	struct pyn_random random = {7};
	uint8_t data[600];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)pyn_random_next(&random);
	for (size_t start = 0; start < 9; start++)
		for (size_t length = 0; start + length <= sizeof(data); length += 1 + length / 40) {
			const uint8_t *at = data + start;
			size_t half = length / 3;

			CHECK_EQ(pyn_crc16(0, at, length), slow_16(0, at, length));
			CHECK_EQ(pyn_crc64(0, at, length), slow_64(at, length));
			CHECK_EQ(pyn_crc16(pyn_crc16(0, at, half), at + half, length - half), slow_16(0, at, length));
			CHECK_EQ(pyn_crc64(pyn_crc64(0, at, half), at + half, length - half), slow_64(at, length));
		}
}
