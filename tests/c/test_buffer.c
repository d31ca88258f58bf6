/* SPDX-License-Identifier: BSD-3-Clause */
/* Who disturbs whom in a buffer: byte by byte, for every pair of uses, and against a model that looks at each byte.
 */
/* sources: core/data/buffer.c core/env/*.c core/util/*.c */
/* dpdk */
#include "core/env/env.h"
#include "core/data/buffer.h"
#include "core/util/random.h"
#include "tests/c/test.h"

enum use { READS, WRITES, STAMPS }; /* the device writes into it; reads from it; the host stamps first */

static struct pyn_buffer *the_buffer;
static struct pyn_error err;

static void begin(struct pyn_buffer_use *use, uint32_t offset, uint32_t length, enum use kind)
{
	pyn_buffer_use_begin(use, the_buffer, offset, length, kind == READS, kind == STAMPS);
}

TEST(a_buffer_goes_with_its_last_reference)
{
	size_t before = pyn_dma_in_use();
	struct pyn_buffer_use use;

	the_buffer = pyn_buffer_create(10000, &err);
	if (!CHECK(the_buffer))
		return;
	CHECK_EQ((uintptr_t)the_buffer->data % PYN_PAGE, 0);
	CHECK_EQ(the_buffer->data[9999], 0);
	begin(&use, 0, 10000, READS);
	pyn_buffer_put(the_buffer);
	CHECK(pyn_dma_in_use() > before);
	pyn_buffer_use_end(&use);
	CHECK_EQ(pyn_dma_in_use(), before);
	pyn_buffer_put(NULL);
}

TEST(a_buffer_that_does_not_fit_is_an_error)
{
	struct pyn_buffer *other = pyn_buffer_create(1, &err); /* with it 4 GiB are not all there */

	CHECK(!pyn_buffer_create(0, &err));
	CHECK(!pyn_buffer_create(UINT32_MAX, &err));
	CHECK_EQ(err.kind, PYN_ERROR_MEMORY);
	pyn_buffer_put(other);
}

TEST(commands_on_the_same_bytes_know_of_each_other)
{
	/* Whether the first and the second of two commands may be judged; the second begins while the first goes on.
	 */
	static const bool own[3][3][2] = {
		[READS] = {[READS] = {false, false}, [WRITES] = {true, false}, [STAMPS] = {false, false}},
		[WRITES] = {[READS] = {false, true}, [WRITES] = {true, true}, [STAMPS] = {false, true}},
		[STAMPS] = {[READS] = {false, true}, [WRITES] = {true, true}, [STAMPS] = {false, true}},
	};
	struct pyn_buffer_use first, second;

	the_buffer = pyn_buffer_create(8 * PYN_PAGE, &err);
	for (enum use a = READS; a <= STAMPS; a++)
		for (enum use b = READS; b <= STAMPS; b++)
			for (int order = 0; order < 2; order++) {
				bool ends[2];

				begin(&first, 0, 2 * PYN_PAGE, a);
				begin(&second, PYN_PAGE, 2 * PYN_PAGE, b);
				ends[order] = pyn_buffer_use_end(order ? &second : &first);
				ends[!order] = pyn_buffer_use_end(order ? &first : &second);
				if (!CHECK_EQ(ends[0], own[a][b][0]) || !CHECK_EQ(ends[1], own[a][b][1]))
					printf("    first %d, second %d\n", (int)a, (int)b);
			}
	pyn_buffer_put(the_buffer);
}

TEST(commands_on_different_pages_do_not_disturb_each_other)
{
	struct pyn_buffer_use uses[8];

	the_buffer = pyn_buffer_create(8 * PYN_PAGE, &err);
	for (unsigned i = 0; i < 8; i++)
		begin(&uses[i], i * PYN_PAGE, PYN_PAGE, (enum use)(i % 3));
	for (unsigned i = 0; i < 8; i++)
		CHECK(pyn_buffer_use_end(&uses[i]));
	pyn_buffer_put(the_buffer);
}

TEST(one_command_after_the_other_is_its_own)
{
	struct pyn_buffer_use use;

	the_buffer = pyn_buffer_create(PYN_PAGE, &err);
	for (unsigned i = 0; i < 10; i++) {
		begin(&use, 0, PYN_PAGE, (enum use)(i % 3));
		CHECK(pyn_buffer_use_end(&use));
	}
	pyn_buffer_put(the_buffer);
}

TEST(a_change_by_the_script_disturbs_what_uses_these_pages_now)
{
	struct pyn_buffer_use first, second, third;

	the_buffer = pyn_buffer_create(3 * PYN_PAGE, &err);
	pyn_buffer_changed(the_buffer, 0, 3 * PYN_PAGE);
	begin(&first, 0, PYN_PAGE, WRITES);
	begin(&second, PYN_PAGE, PYN_PAGE, READS);
	begin(&third, 2 * PYN_PAGE, PYN_PAGE, WRITES);
	pyn_buffer_changed(the_buffer, PYN_PAGE - 1, 2); /* one byte of the first page, one of the second */
	CHECK(!pyn_buffer_use_end(&first));
	CHECK(!pyn_buffer_use_end(&second));
	CHECK(pyn_buffer_use_end(&third));
	pyn_buffer_put(the_buffer);
}

TEST(every_offset_and_length_stays_inside_the_pages)
{
	struct pyn_buffer_use use;

	for (uint32_t size = PYN_PAGE - 1; size <= 2 * PYN_PAGE + 1; size += 1021) {
		the_buffer = pyn_buffer_create(size, &err);
		for (uint32_t offset = 0; offset <= size; offset += 97)
			for (uint32_t length = 0; length <= size - offset; length += 89) {
				begin(&use, offset, length, READS);
				pyn_buffer_changed(the_buffer, offset, length);
				pyn_buffer_use_end(&use);
			}
		begin(&use, size, 0, READS);
		CHECK(pyn_buffer_use_end(&use));
		begin(&use, 0, size, READS);
		CHECK(pyn_buffer_use_end(&use));
		pyn_buffer_put(the_buffer);
	}
}

TEST(commands_on_parts_of_a_page_do_not_disturb_each_other)
{
	struct pyn_buffer_use uses[8];

	the_buffer = pyn_buffer_create(2 * PYN_PAGE, &err);
	for (unsigned shift = 0; shift < 2; shift++) {
		for (unsigned i = 0; i < 8; i++)
			begin(&uses[i], PYN_PAGE * shift / 2 + 512 * i, 512, READS);
		pyn_buffer_changed(the_buffer, PYN_PAGE * shift / 2 + 512 * 3 + 511, 1);
		for (unsigned i = 0; i < 8; i++)
			CHECK_EQ(pyn_buffer_use_end(&uses[i]), i != 3);
	}
	pyn_buffer_put(the_buffer);
}

#define BYTES (5 * PYN_PAGE)
#define MOST 24u

/* What a use is, for a model that knows nothing of pages. */
struct known {
	struct pyn_buffer_use use;
	bool in_flight, to_host, disturbed;
	uint32_t offset, length;
};

static bool share_bytes(const struct known *a, uint32_t offset, uint32_t length)
{
	return a->in_flight && a->length && length && a->offset < offset + length && offset < a->offset + a->length;
}

static void model_change(struct known *all, uint32_t offset, uint32_t length)
{
	for (unsigned i = 0; i < MOST; i++)
		if (share_bytes(&all[i], offset, length))
			all[i].disturbed = true;
}

static void model_begin(struct known *all, struct known *one, enum use kind)
{
	one->to_host = kind == READS;
	one->disturbed = false;
	for (unsigned i = 0; i < MOST; i++)
		if (share_bytes(&all[i], one->offset, one->length) && all[i].to_host)
			one->disturbed = true;
	if (kind != WRITES)
		model_change(all, one->offset, one->length);
	one->in_flight = true;
}

static uint32_t length_from(struct pyn_random *random, uint32_t offset)
{
	uint32_t most = pyn_random_below(random, 3) ? 600 : BYTES;

	most = most < BYTES - offset ? most : BYTES - offset;
	return (uint32_t)pyn_random_below(random, most + 1);
}

TEST(uses_at_random_are_disturbed_exactly_where_they_share_bytes)
{
	static struct known all[MOST];
	unsigned own = 0, disturbed = 0;

	the_buffer = pyn_buffer_create(BYTES, &err);
	for (uint64_t seed = 0; seed < 20 && the_tests.failures == 0; seed++) {
		struct pyn_random random = pyn_random_stream(seed, 0);

		for (unsigned turn = 0; turn < 20000 && the_tests.failures == 0; turn++) {
			struct known *one = &all[pyn_random_below(&random, MOST)];
			uint32_t offset = (uint32_t)pyn_random_below(&random, BYTES + 1);

			if (one->in_flight) {
				one->in_flight = false;
				CHECK_EQ(pyn_buffer_use_end(&one->use), !one->disturbed);
				*(one->disturbed ? &disturbed : &own) += 1;
			} else if (pyn_random_below(&random, 8) == 0) {
				uint32_t length = length_from(&random, offset);

				model_change(all, offset, length);
				pyn_buffer_changed(the_buffer, offset, length);
			} else {
				enum use kind = (enum use)pyn_random_below(&random, 3);

				one->offset = offset;
				one->length = length_from(&random, offset);
				model_begin(all, one, kind);
				begin(&one->use, one->offset, one->length, kind);
			}
		}
	}
	for (unsigned i = 0; i < MOST; i++)
		if (all[i].in_flight)
			pyn_buffer_use_end(&all[i].use);
	CHECK(own > 10000 && disturbed > 10000);
	CHECK_EQ(the_buffer->references, 1);
	pyn_buffer_put(the_buffer);
}

/* All queues of a large drive at once, with the same bytes: each beginning looks at one other. */
TEST(more_commands_than_65536_may_use_the_same_bytes)
{
	enum { COMMANDS = 70000 };
	static struct pyn_buffer_use uses[COMMANDS];
	struct pyn_buffer_use use;

	the_buffer = pyn_buffer_create(PYN_PAGE, &err);
	for (unsigned i = 0; i < COMMANDS; i++)
		begin(&uses[i], 0, 512, READS);
	for (unsigned i = 0; i < 65536; i++)
		pyn_buffer_use_end(&uses[i]);
	begin(&use, 0, 512, WRITES);
	CHECK(!pyn_buffer_use_end(&use)); /* others are still being read into */
	for (unsigned i = 65536; i < COMMANDS; i++)
		pyn_buffer_use_end(&uses[i]);
	begin(&use, 0, 512, WRITES);
	CHECK(pyn_buffer_use_end(&use));
	pyn_buffer_put(the_buffer);
}
