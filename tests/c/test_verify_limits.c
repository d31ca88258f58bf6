/* SPDX-License-Identifier: BSD-3-Clause */
/* What verification does not check: beyond a limit, and where data change that nobody notes. */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include "core/util/crc32c.h"
#include "core/verify/verify_table.h"

#define LBA 512u
#define NLBA UINT64_C(1000)

#include "tests/c/table_test.h"

/* As whoever sends a command does it. */
static void write_noted(uint64_t slba, uint32_t nlb)
{
	uint64_t noted = pyn_verify_note_begin(the_table, slba, nlb);

	write_lbas(slba, (uint32_t)noted);
	pyn_verify_note_end(the_table, slba, nlb, noted);
}

TABLE_TEST(lbas_from_the_limit_on_are_neither_noted_nor_judged)
{
	pyn_verify_set_limit(the_table, 10);
	write_noted(5, 20);
	CHECK_EQ(judge(5, 20), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 5);
	the_data[7 * LBA] ^= 1;
	CHECK_EQ(judge(5, 20), PYN_MISMATCH_NONE);
	CHECK_EQ(judge(10, 8), -1);
	pyn_verify_set_limit(the_table, UINT64_MAX);
	CHECK_EQ(judge(10, 8), -1);
	write_noted(10, 8);
	CHECK_EQ(judge(10, 8), PYN_MISMATCH_NONE);
}

TABLE_TEST(what_is_written_beyond_the_limit_is_unknown_and_what_is_not_stays_known)
{
	write_noted(0, 30);
	pyn_verify_set_limit(the_table, 10);
	write_noted(8, 12);
	pyn_verify_set_limit(the_table, UINT64_MAX);
	CHECK_EQ(judge(10, 10), -1);
	write_noted(0, 30);
	pyn_verify_set_limit(the_table, 0);
	CHECK_EQ(judge(0, 30), -1);
	pyn_verify_set_limit(the_table, UINT64_MAX);
	CHECK_EQ(judge(0, 30), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 30);
	write_noted(0, 20);
	CHECK_EQ(judge(0, 20), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 20);
}

TABLE_TEST(a_limit_that_rises_over_a_write_in_flight_is_judged_by_when_that_has_ended)
{
	pyn_verify_set_limit(the_table, 10);
	uint64_t noted = pyn_verify_note_begin(the_table, 8, 8);

	begin_write(8, (uint32_t)noted);
	pyn_verify_set_limit(the_table, UINT64_MAX);
	/* Ends first: which of the two the device took last nobody knows. */
	write_noted(10, 20);
	CHECK_EQ(judge(10, 20), -1);
	pyn_verify_write_end(the_table, 8, noted, PYN_WRITE_DONE);
	pyn_verify_note_end(the_table, 8, 8, noted);
	CHECK_EQ(judge(10, 20), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 14);
}

/* By one who has noted his writes since before the limit was lowered, as a worker does. */
TABLE_TEST(what_others_note_beyond_the_limit_is_not_believed_where_a_write_in_flight_is_not_noted)
{
	pyn_verify_set_limit(the_table, 10);
	uint64_t noted = pyn_verify_note_begin(the_table, 16, 8);

	write_lbas(16, 16);
	CHECK_EQ(noted, 0);
	pyn_verify_note_end(the_table, 16, 8, noted);
	pyn_verify_set_limit(the_table, UINT64_MAX);
	CHECK_EQ(judge(16, 8), -1);
	CHECK(judge(24, 8) > 0);
}

TABLE_TEST(what_is_changed_untracked_is_not_judged_and_unknown_afterwards)
{
	struct pyn_verify_untracked one, other;

	write_lbas(0, 128);
	pyn_verify_untracked_begin(the_table, &one, 16, 16);
	pyn_verify_untracked_begin(the_table, &other, 24, 32);
	CHECK_EQ(judge(0, 16), PYN_MISMATCH_NONE);
	CHECK_EQ(judge(12, 5), -1);
	CHECK_EQ(judge(40, 1), -1);
	CHECK(judge(56, 72) > 0); /* the_data is that of LBA 0 */
	write_lbas(16, 8);
	CHECK_EQ(judge(16, 8), -1);
	pyn_verify_untracked_end(the_table, &one);
	CHECK_EQ(judge(16, 8), -1);
	write_lbas(16, 8);
	CHECK_EQ(judge(16, 8), PYN_MISMATCH_NONE);
	CHECK_EQ(judge(24, 8), -1);
	pyn_verify_untracked_end(the_table, &other);
	CHECK_EQ(judge(24, 32), -1);
	write_lbas(24, 32);
	CHECK_EQ(judge(24, 32), PYN_MISMATCH_NONE);
	CHECK_EQ(atomic_load(&the_table->shared->suspended), 0);
	CHECK_EQ(atomic_load(&the_table->shared->loose), 0);
}

/* A read that was sent before the end is not judged by what was known before the begin. */
TABLE_TEST(a_read_over_the_end_of_untracked_changes_is_not_judged)
{
	struct pyn_verify_untracked range;
	uint64_t cells[8];

	write_lbas(0, 8);
	pyn_verify_untracked_begin(the_table, &range, 0, 8);
	pyn_verify_read_begin(the_table, 0, 8, cells);
	pyn_verify_untracked_end(the_table, &range);
	memset(the_data, 1, sizeof(the_data));
	CHECK(pyn_verify_read_end(the_table, 0, 8, the_data, cells, &the_counts, &the_mismatch));
	CHECK_EQ(the_counts.checked, 0);
}

/* Data that happen to be what was written before prove nothing. */
TABLE_TEST(the_short_way_judges_nothing_while_changes_are_untracked)
{
	struct pyn_verify_untracked range;
	uint64_t cells[8];

	write_lbas(0, 8);
	pyn_verify_read_begin(the_table, 0, 8, cells);
	CHECK(pyn_verify_read_is_right(the_table, 0, 8, the_data, cells, &the_counts));
	CHECK_EQ(the_counts.checked, 8);
	pyn_verify_untracked_begin(the_table, &range, 0, 8);
	CHECK(!pyn_verify_read_is_right(the_table, 0, 8, the_data, cells, &the_counts));
	CHECK_EQ(the_counts.checked, 8);
	pyn_verify_untracked_end(the_table, &range);
}

TABLE_TEST(of_many_untracked_ranges_each_is_held)
{
	struct pyn_verify_untracked ranges[PYN_VERIFY_RANGES + 20];
	const unsigned count = sizeof(ranges) / sizeof(ranges[0]);

	for (unsigned i = 0; i < count; i++) {
		pyn_verify_untracked_begin(the_table, &ranges[i], i * 8, 8);
		write_lbas(i * 8, 8);
		CHECK_EQ(judge(i * 8, 8), -1);
	}
	for (unsigned i = count; i-- > 0;)
		pyn_verify_untracked_end(the_table, &ranges[i]);
	write_lbas(0, 8);
	CHECK_EQ(judge(0, 8), PYN_MISMATCH_NONE);
}
