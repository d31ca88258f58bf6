/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/util/crc32c.c */
#include "core/util/crc32c.h"
#include "core/util/random.h"
#include "tests/c/test.h"

#define LENGTH 20000

static uint8_t the_data[LENGTH + 8];

__attribute__((constructor)) static void fill(void)
{
	struct pyn_random random = {42};

	for (size_t i = 0; i < sizeof(the_data); i++)
		the_data[i] = (uint8_t)pyn_random_next(&random);
}

/* A test that is run with the tables, and with each of the faster codes that this CPU has. */
#define TEST_EACH(name)                                                                                              \
	static void name##_once(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		CHECK_EQ(pyn_crc32c_choose(PYN_CRC32C_TABLES), PYN_CRC32C_TABLES);                                   \
		name##_once();                                                                                       \
		pyn_crc32c_choose(PYN_CRC32C_INSTRUCTIONS);                                                          \
		name##_once();                                                                                       \
		pyn_crc32c_choose(PYN_CRC32C_WIDE);                                                                  \
		name##_once();                                                                                       \
	}                                                                                                            \
	static void name##_once(void)

/* The definition, a bit at a time. */
static uint32_t reference(const uint8_t *data, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ UINT32_C(0x82f63b78) : crc >> 1;
	}
	return ~crc;
}

TEST_EACH(published_values_come_out)
{
	uint8_t bytes[32];

	CHECK_EQ(pyn_crc32c(0, "123456789", 9), 0xe3069283);
	CHECK_EQ(pyn_crc32c(0, "", 0), 0);
	/* RFC 3720, B.4: 32 bytes of zeros, of ones, ascending, descending. */
	memset(bytes, 0, sizeof(bytes));
	CHECK_EQ(pyn_crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQ(pyn_crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	CHECK_EQ(pyn_crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(31 - i);
	CHECK_EQ(pyn_crc32c(0, bytes, sizeof(bytes)), 0x113fdb5c);
}

TEST_EACH(every_length_equals_the_definition)
{
	static const size_t long_ones[] = {4079, 4080, 4081, 4095, 4096, 4104, 4160, 8160, 8192, 8319, 12289, LENGTH};

	for (size_t length = 0; length <= 1100; length++)
		CHECK_EQ(pyn_crc32c(0, the_data, length), reference(the_data, length));

	for (size_t i = 0; i < sizeof(long_ones) / sizeof(long_ones[0]); i++)
		CHECK_EQ(pyn_crc32c(0, the_data, long_ones[i]), reference(the_data, long_ones[i]));
}

TEST_EACH(data_need_no_alignment)
{
	for (size_t offset = 0; offset < 8; offset++)
		CHECK_EQ(pyn_crc32c(0, the_data + offset, 4096), reference(the_data + offset, 4096));
}

TEST_EACH(nothing_beyond_the_end_is_read)
{
	for (size_t length = 0; length <= 800; length++) {
		uint8_t *exact = malloc(length + 1);

		if (!CHECK(exact))
			return;
		memcpy(exact + 1, the_data, length);
		CHECK_EQ(pyn_crc32c(0, exact + 1, length), reference(the_data, length));
		free(exact);
	}
}

TEST_EACH(pieces_chain_to_the_whole)
{
	struct pyn_random random = {7};
	uint32_t whole = reference(the_data, LENGTH);

	for (int i = 0; i < 200; i++) {
		size_t first = pyn_random_below(&random, LENGTH + 1);
		uint32_t crc = pyn_crc32c(0, the_data, first);

		CHECK_EQ(pyn_crc32c(crc, the_data + first, LENGTH - first), whole);
	}
}

TEST_EACH(blocks_have_the_crc_of_each_and_write_no_more)
{
	static const size_t sizes[] = {8, 17, 255, 256, 257, 512, 520, 528, 767, 768, 4096, 4104};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t block = sizes[s];

		for (size_t count = 0; count <= 10 && count * block <= LENGTH; count++) {
			uint32_t crc[11];

			memset(crc, 0xa5, sizeof(crc));
			pyn_crc32c_blocks(the_data + 1, block, count, crc);
			for (size_t i = 0; i < count; i++)
				CHECK_EQ(crc[i], reference(the_data + 1 + i * block, block));
			CHECK_EQ(crc[count], 0xa5a5a5a5);
		}
	}
}

TEST_EACH(a_restamped_crc_is_that_of_the_stamped_block)
{
	static const size_t sizes[] = {16, 17, 24, 63, 64, 80, 512, 520, 528, 4096, 4104, 4160};
	struct pyn_random random = {3};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t block = sizes[s];
		struct pyn_crc32c_stamp stamp = pyn_crc32c_stamp_for(block);
		uint8_t data[4160];

		for (int i = 0; i < 100; i++) {
			uint64_t first = pyn_random_next(&random), last = pyn_random_next(&random);

			memcpy(data, the_data + pyn_random_below(&random, LENGTH - block), block);
			memset(data, 0, 8);
			memset(data + block - 8, 0, 8);
			uint32_t base = reference(data, block);

			CHECK_EQ(pyn_crc32c_restamp(&stamp, base, 0, 0), base);
			memcpy(data, &first, 8);
			memcpy(data + block - 8, &last, 8);
			CHECK_EQ(pyn_crc32c_restamp(&stamp, base, first, last), reference(data, block));
		}
	}
}

TEST_EACH(many_restamped_blocks_have_the_crc_of_each_and_write_no_more)
{
	struct pyn_crc32c_stamp stamp = pyn_crc32c_stamp_for(512);
	uint32_t base[20], crc[21];

	for (int i = 0; i < 20; i++)
		base[i] = (uint32_t)i * 0x9e3779b9u;
	for (size_t count = 0; count <= 20; count++) {
		memset(crc, 0xa5, sizeof(crc));
		/* The numbers carry into their upper half on the way. */
		pyn_crc32c_restamp_blocks(&stamp, base, UINT32_MAX - 5, UINT64_MAX - 5, count, crc);
		for (size_t i = 0; i < count; i++)
			CHECK_EQ(crc[i], pyn_crc32c_restamp(&stamp, base[i], UINT32_MAX - UINT64_C(5) + i,
							    UINT64_MAX - 5 + i));
		CHECK_EQ(crc[count], 0xa5a5a5a5);
	}
	pyn_crc32c_restamp_blocks(&stamp, base, 1, 2, 20, base);
	CHECK_EQ(base[3], pyn_crc32c_restamp(&stamp, 3 * 0x9e3779b9u, 4, 5));
}
