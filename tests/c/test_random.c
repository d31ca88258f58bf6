/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/random.h"
#include "tests/c/test.h"

/* Computed from the published formula with integers of any size. */
TEST(the_sequence_of_wyrand_comes_out)
{
	static const uint64_t expected[] = {
		UINT64_C(13725641357320173039), UINT64_C(13099500103347697343), UINT64_C(1505849618603060667),
		UINT64_C(4583617122484789469),  UINT64_C(6263199662288134956),
	};
	struct pyn_random random = {1234567};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		CHECK_EQ(pyn_random_next(&random), expected[i]);
}

TEST(a_range_is_kept_and_reached_at_both_ends)
{
	static const uint64_t ranges[] = {1, 2, 3, 7, 100};
	struct pyn_random random = {0};

	for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
		unsigned first = 0, last = 0;

		for (int i = 0; i < 10000; i++) {
			uint64_t value = pyn_random_below(&random, ranges[r]);

			CHECK(value < ranges[r]);
			first += value == 0;
			last += value == ranges[r] - 1;
		}
		CHECK(first && last);
	}
}

TEST(ranges_beyond_32_bits_are_filled_evenly)
{
	const uint64_t range = UINT64_C(10) << 60; /* ten parts of 2^60 each, no power of two */
	unsigned parts[10] = {0};
	struct pyn_random random = {5};

	for (int i = 0; i < 100000; i++) {
		uint64_t part = pyn_random_below(&random, range) >> 60;

		if (!CHECK(part < 10))
			return;
		parts[part]++;
	}
	for (int i = 0; i < 10; i++) /* 10,000 with a standard deviation of 95 */
		CHECK(parts[i] > 9500 && parts[i] < 10500);
}

TEST(an_empty_range_gives_0)
{
	struct pyn_random random = {1};

	CHECK_EQ(pyn_random_below(&random, 0), 0);
}

TEST(bits_are_as_often_0_as_1)
{
	unsigned ones[64] = {0};
	struct pyn_random random = {9};

	for (int i = 0; i < 100000; i++) {
		uint64_t value = pyn_random_next(&random);

		for (int bit = 0; bit < 64; bit++)
			ones[bit] += value >> bit & 1;
	}
	for (int bit = 0; bit < 64; bit++) /* 50,000 with a standard deviation of 158 */
		CHECK(ones[bit] > 49000 && ones[bit] < 51000);
}

TEST(a_stream_repeats_with_its_seed)
{
	struct pyn_random a = pyn_random_stream(11, 3), b = pyn_random_stream(11, 3);

	for (int i = 0; i < 100; i++)
		CHECK_EQ(pyn_random_next(&a), pyn_random_next(&b));
}

TEST(streams_of_neighbouring_seeds_and_workers_share_no_values)
{
	uint64_t seen[8][8][16];
	const uint64_t *all = &seen[0][0][0];
	const size_t count = sizeof(seen) / sizeof(*all);

	for (uint64_t seed = 0; seed < 8; seed++) {
		for (uint64_t stream = 0; stream < 8; stream++) {
			struct pyn_random random = pyn_random_stream(seed, stream);

			for (int i = 0; i < 16; i++)
				seen[seed][stream][i] = pyn_random_next(&random);
		}
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			CHECK(all[i] != all[j]);
}
