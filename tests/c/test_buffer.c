/* SPDX-License-Identifier: BSD-3-Clause */
/* Who disturbs whom in a buffer: page by page, for every pair of uses. */
/* sources: core/io/buffer.c core/env/*.c core/util/*.c */
/* dpdk */
#include "core/env/env.h"
#include "core/io/buffer.h"
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

/* All queues of a large drive at once: more than 16 bits count. */
TEST(more_commands_than_65536_may_use_one_page)
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
