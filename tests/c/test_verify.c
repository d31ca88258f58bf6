/* SPDX-License-Identifier: BSD-3-Clause */
/* What verification expects of an LBA after everything that can happen to it, and how it calls what is wrong. */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <time.h>

#include "core/util/crc32c.h"
#include "core/verify/verify_table.h"

#define LBA 512u
#define NLBA UINT64_C(1000)
#define EPOCHS 8191u      /* after so many flushes the epochs of cells come again */
#define SWEEP_EVERY 4095u /* flushes */

#include "tests/c/table_test.h"

static void change(uint64_t slba, uint64_t nlb, enum pyn_cell_state state)
{
	pyn_verify_change_begin(the_table, slba, nlb, state);
	pyn_verify_write_end(the_table, slba, nlb, PYN_WRITE_DONE);
}

static void flush(void)
{
	pyn_verify_flush_end(the_table, pyn_verify_flush_begin(the_table));
}

/* ---- states ---- */

TABLE_TEST(an_lba_that_nobody_wrote_is_not_judged)
{
	CHECK_EQ(judge(0, 8), -1);
	CHECK_EQ(the_counts.unverified, 8);
}

TABLE_TEST(written_data_are_right_and_any_flipped_bit_is_corrupt)
{
	write_lbas(40, 2);
	CHECK_EQ(judge(40, 2), PYN_MISMATCH_NONE);
	for (unsigned byte = 0; byte < LBA; byte++) {
		the_data[byte] ^= 1u << byte % 8;
		/* A flipped bit of the token may make an older one of it, and so an older write. */
		int class = judge(40, 2);
		CHECK(class == PYN_MISMATCH_CORRUPT || (byte >= LBA - 8 && class == PYN_MISMATCH_STALE));
		CHECK_EQ(the_mismatch.count, 1);
		the_data[byte] ^= 1u << byte % 8;
	}
}

TABLE_TEST(an_lba_whose_end_was_lost_is_corrupt_and_no_older_write)
{
	write_lbas(40, 1);
	for (unsigned kept = 8; kept <= LBA - 8; kept += 8) {
		begin_write(40, 1);
		pyn_verify_write_end(the_table, 40, 1, PYN_WRITE_DONE);
		memset(the_data + kept, 0, LBA - kept);
		CHECK_EQ(judge(40, 1), PYN_MISMATCH_CORRUPT);
		memset(the_data, 0x5a, LBA);
	}
}

TABLE_TEST(uncorrectable_lbas_are_found_in_runs_also_while_they_become_so)
{
	bool bad;

	CHECK(!pyn_verify_has_uncorrectable(the_table));
	CHECK_EQ(pyn_verify_alike(the_table, 0, 65536, &bad), 65536);
	CHECK(!bad);
	change(10, 5, PYN_CELL_UNCORRECTABLE);
	CHECK(pyn_verify_has_uncorrectable(the_table));
	CHECK_EQ(pyn_verify_alike(the_table, 8, 8, &bad), 2);
	CHECK(!bad);
	CHECK_EQ(pyn_verify_alike(the_table, 10, 8, &bad), 5);
	CHECK(bad);
	CHECK_EQ(pyn_verify_alike(the_table, 12, 2, &bad), 2);
	CHECK(bad);
	CHECK_EQ(pyn_verify_alike(the_table, 15, 8, &bad), 8);
	CHECK(!bad);
	pyn_verify_change_begin(the_table, 15, 2, PYN_CELL_UNCORRECTABLE);
	CHECK_EQ(pyn_verify_alike(the_table, 10, 100, &bad), 7);
	CHECK(bad);
	begin_write(10, 2);
	CHECK_EQ(pyn_verify_alike(the_table, 10, 100, &bad), 2);
	CHECK(!bad);
}

TABLE_TEST(the_last_lba_may_be_uncorrectable_and_what_is_beyond_is_not)
{
	bool bad;

	change(NLBA - 2, 2, PYN_CELL_UNCORRECTABLE);
	CHECK_EQ(pyn_verify_alike(the_table, NLBA - 2, 100, &bad), 2);
	CHECK(bad);
	CHECK_EQ(pyn_verify_alike(the_table, NLBA, 100, &bad), 100);
	CHECK(!bad);
	CHECK_EQ(pyn_verify_alike(the_table, UINT64_MAX, 100, &bad), 100);
	CHECK(!bad);
}

TABLE_TEST(a_write_in_flight_is_not_judged)
{
	begin_write(5, 1);
	CHECK_EQ(judge(5, 1), -1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(a_write_that_failed_leaves_it_unknown_until_it_is_written_again)
{
	write_lbas(5, 1);
	begin_write(5, 1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_FAILED);
	CHECK_EQ(judge(5, 1), -1);
	write_lbas(5, 1);
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(writes_that_overlap_leave_it_unknown_when_the_last_has_ended)
{
	for (unsigned writers = 2; writers < 40; writers++) {
		for (unsigned i = 0; i < writers; i++)
			begin_write(5, 1);
		for (unsigned i = 0; i < writers; i++) {
			CHECK_EQ(judge(5, 1), -1);
			pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
		}
		CHECK_EQ(judge(5, 1), -1);
	}
	write_lbas(5, 1);
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(a_write_that_ends_while_another_goes_on_does_not_end_the_other)
{
	begin_write(5, 1);
	begin_write(5, 1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
	begin_write(5, 1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
	CHECK_EQ(judge(5, 1), -1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
	CHECK_EQ(judge(5, 1), -1);
}

TABLE_TEST(an_end_that_was_never_begun_changes_nothing)
{
	write_lbas(5, 1);
	pyn_verify_write_end(the_table, 4, 3, PYN_WRITE_FAILED);
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_NONE);
	CHECK_EQ(judge(4, 1), -1);
}

TABLE_TEST(raw_data_are_judged_by_their_crc_alone)
{
	pyn_verify_write_begin(the_table, 9, 2, the_data, false, 0);
	pyn_verify_write_end(the_table, 9, 2, PYN_WRITE_DONE);
	CHECK_EQ(judge(9, 2), PYN_MISMATCH_NONE);
	the_data[LBA + 100] ^= 1;
	CHECK_EQ(judge(9, 2), PYN_MISMATCH_CORRUPT);
	CHECK_EQ(the_mismatch.lba, 10);
}

TABLE_TEST(a_caller_who_knows_the_crc_gets_the_same_cell)
{
	uint64_t token = pyn_token_take(3), by_data[3], by_crc[3];
	uint32_t crc[3];

	pyn_verify_stamp(the_table, the_data, 20, 3, token);
	pyn_crc32c_blocks(the_data, LBA, 3, crc);
	pyn_verify_write_begin(the_table, 20, 3, the_data, true, token);
	pyn_verify_read_begin(the_table, 20, 3, by_data);
	pyn_verify_write_end(the_table, 20, 3, PYN_WRITE_DONE);
	pyn_verify_write_begin_crc(the_table, 20, 3, crc, token);
	pyn_verify_read_begin(the_table, 20, 3, by_crc);
	CHECK_MEM(by_crc, by_data, sizeof(by_crc));
}

TABLE_TEST(zeroes_are_expected_after_write_zeroes)
{
	change(9, 1, PYN_CELL_ZEROES);
	CHECK_EQ(judge(9, 1), PYN_MISMATCH_CORRUPT);
	memset(the_data, 0, LBA);
	CHECK_EQ(judge(9, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(an_uncorrectable_lba_that_reads_is_a_mismatch)
{
	write_lbas(9, 1);
	change(9, 1, PYN_CELL_UNCORRECTABLE);
	CHECK_EQ(judge(9, 1), PYN_MISMATCH_READABLE);
	write_lbas(9, 1);
	CHECK_EQ(judge(9, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(deallocation_leaves_zeros_or_the_old_data_where_dlfeat_says_zeros)
{
	pyn_verify_set_dlfeat(the_table, true);
	write_lbas(9, 1);
	for (int twice = 0; twice < 2; twice++) {
		change(9, 1, PYN_CELL_DEALLOCATED);
		CHECK_EQ(judge(9, 1), PYN_MISMATCH_NONE);
		the_data[77] ^= 1;
		CHECK(judge(9, 1) > 0);
		the_data[77] ^= 1;
	}
	memset(the_data, 0, LBA);
	CHECK_EQ(judge(9, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(deallocation_of_zeroes_leaves_zeros_and_of_the_unknown_the_unknown)
{
	pyn_verify_set_dlfeat(the_table, true);
	change(9, 1, PYN_CELL_ZEROES);
	change(9, 1, PYN_CELL_DEALLOCATED);
	CHECK_EQ(judge(9, 1), PYN_MISMATCH_CORRUPT);
	change(10, 1, PYN_CELL_DEALLOCATED);
	CHECK_EQ(judge(10, 1), -1);
	change(11, 1, PYN_CELL_UNCORRECTABLE);
	change(11, 1, PYN_CELL_DEALLOCATED);
	CHECK_EQ(judge(11, 1), -1);
}

TABLE_TEST(deallocation_leaves_anything_where_dlfeat_does_not_say)
{
	write_lbas(9, 1);
	change(9, 1, PYN_CELL_DEALLOCATED);
	CHECK_EQ(judge(9, 1), -1);
}

/* ---- reads while something changes ---- */

TABLE_TEST(a_change_in_flight_at_any_time_of_a_read_leaves_it_unverified)
{
	uint64_t cells[1];

	for (int begin = 0; begin < 3; begin++)
		for (int end = begin; end < 3; end++) {
			write_lbas(5, 1);
			for (int now = 0; now < 3; now++) {
				if (now == 1)
					pyn_verify_read_begin(the_table, 5, 1, cells);
				if (now == begin)
					begin_write(5, 1);
				if (now == end)
					pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
			}
			the_counts = (struct pyn_verify_counts){0};
			memset(the_data, 1, LBA);
			CHECK(pyn_verify_read_end(the_table, 5, 1, the_data, cells, &the_counts, &the_mismatch) ||
			      (begin == 0 && end == 0));
			CHECK_EQ(the_counts.checked, begin == 0 && end == 0);
		}
}

/* Data that bear no token come back as they were: still there was something else in between, which was read. */
TABLE_TEST(data_without_a_token_that_come_back_during_a_read_are_not_taken_for_unchanged)
{
	uint64_t cells[1];

	for (int state = 0; state < 3; state++) {
		for (int round = 0; round < 2; round++) {
			if (round == 1)
				pyn_verify_read_begin(the_table, 5, 1, cells);
			write_lbas(5, 1);
			if (state == 0)
				change(5, 1, PYN_CELL_ZEROES);
			else if (state == 1)
				change(5, 1, PYN_CELL_UNCORRECTABLE);
			else {
				memset(the_data, 3, LBA);
				pyn_verify_write_begin(the_table, 5, 1, the_data, false, 0);
				pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
			}
		}
		memset(the_data, 0x5a, LBA);
		the_counts = (struct pyn_verify_counts){0};
		CHECK(pyn_verify_read_end(the_table, 5, 1, the_data, cells, &the_counts, &the_mismatch));
		CHECK_EQ(the_counts.unverified, 1);
	}
}

TABLE_TEST(nothing_is_judged_while_the_table_is_held)
{
	write_lbas(5, 1);
	the_data[9] ^= 1;
	pyn_verify_suspend(the_table);
	pyn_verify_suspend(the_table);
	CHECK_EQ(judge(5, 1), -1);
	pyn_verify_resume(the_table);
	CHECK_EQ(judge(5, 1), -1);
	pyn_verify_resume(the_table);
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_CORRUPT);
	pyn_verify_resume(the_table); /* once too often: of a table that was made after the hold */
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_CORRUPT);
}

TABLE_TEST(what_is_forgotten_is_not_judged_and_the_rest_is)
{
	write_lbas(100, 50);
	pyn_verify_forget(the_table, 110, 10);
	CHECK_EQ(judge(100, 50), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 40);
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	CHECK_EQ(judge(100, 50), -1);
}

/* The end of a write that began before everything was forgotten must not be taken for the end of a later one. */
TABLE_TEST(writes_in_flight_when_everything_is_forgotten_stay_counted)
{
	begin_write(5, 1);
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	begin_write(5, 1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE); /* of the first */
	CHECK_EQ(judge(5, 1), -1);
	pyn_verify_write_end(the_table, 5, 1, PYN_WRITE_DONE);
	CHECK_EQ(judge(5, 1), -1);
	write_lbas(5, 1);
	CHECK_EQ(judge(5, 1), PYN_MISMATCH_NONE);
	begin_write(6, 1);
	begin_write(6, 1);
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	pyn_verify_write_end(the_table, 6, 1, PYN_WRITE_DONE);
	begin_write(6, 1);
	pyn_verify_write_end(the_table, 6, 1, PYN_WRITE_DONE);
	CHECK_EQ(judge(6, 1), -1);
}

/* The dead may have begun its write, and may have ended it: none of both may make another one look ended. */
TABLE_TEST(a_write_whose_process_died_half_way_ends_no_other_one)
{
	for (int counted = 0; counted < 2; counted++)
		for (unsigned others = 0; others < 4; others++) {
			uint64_t lba = 10 + 4 * (uint64_t)counted + others;

			for (unsigned i = 0; i < others + (unsigned)counted; i++)
				begin_write(lba, 1);
			pyn_verify_write_lost(the_table, lba, 1);
			for (unsigned i = 0; i < others; i++) {
				pyn_verify_write_end(the_table, lba, 1, PYN_WRITE_DONE);
				CHECK_EQ(judge(lba, 1), -1);
			}
			begin_write(lba, 1);
			CHECK_EQ(judge(lba, 1), -1);
			pyn_verify_write_end(the_table, lba, 1, PYN_WRITE_DONE);
			CHECK_EQ(judge(lba, 1), others + (unsigned)counted ? -1 : PYN_MISMATCH_NONE);
		}
}

/* ---- flush and power ---- */

TABLE_TEST(power_loss_forgets_what_was_not_flushed)
{
	write_lbas(1, 1);
	flush();
	write_lbas(2, 1);
	begin_write(3, 1);
	pyn_verify_write_end(the_table, 3, 1, PYN_WRITE_DURABLE);
	write_lbas(1, 1);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judge(1, 1), -1);
	CHECK_EQ(judge(2, 1), -1);
	pyn_verify_stamp(the_table, the_data, 3, 1, 0);
	CHECK(judge(3, 1) > 0);
}

TABLE_TEST(a_flush_covers_what_had_completed_when_it_was_sent_and_no_more)
{
	write_lbas(1, 1);
	uint64_t epoch = pyn_verify_flush_begin(the_table);

	write_lbas(2, 1);
	pyn_verify_flush_end(the_table, epoch);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judge(2, 1), -1);
	CHECK(judge(1, 1) > 0); /* the_data are those of LBA 2 */
}

TABLE_TEST(a_flush_that_failed_covers_nothing_and_the_next_one_everything)
{
	write_lbas(1, 1);
	pyn_verify_flush_begin(the_table);
	write_lbas(2, 1);
	pyn_verify_flush_begin(the_table);
	flush();
	pyn_verify_power_lost(the_table);
	CHECK(judge(1, 1) > 0);
	CHECK_EQ(judge(2, 1), PYN_MISMATCH_NONE);
	write_lbas(1, 1);
	pyn_verify_flush_begin(the_table);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judge(1, 1), -1);
}

TABLE_TEST(only_writes_submitted_since_the_cache_is_off_need_no_flush)
{
	CHECK_EQ(pyn_verify_outcome(the_table, true, UINT64_MAX - 1), PYN_WRITE_DONE);
	pyn_verify_set_durable_since(the_table, 100);
	CHECK_EQ(pyn_verify_durable_since(the_table), 100);
	CHECK_EQ(pyn_verify_outcome(the_table, true, 99), PYN_WRITE_DONE);
	CHECK_EQ(pyn_verify_outcome(the_table, true, 100), PYN_WRITE_DURABLE);
	CHECK_EQ(pyn_verify_outcome(the_table, false, 100), PYN_WRITE_FAILED);
	pyn_verify_set_durable_since(the_table, 0);
	CHECK_EQ(pyn_verify_outcome(the_table, true, 0), PYN_WRITE_DURABLE);
}

static uint64_t zeros_cells[4];

/* Read zeros there, and tell the table so where they are to be observed. */
static bool reads_zeros(uint64_t lba, bool observe)
{
	static uint8_t zeros[512];
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch found;

	pyn_verify_read_begin(the_table, lba, 1, zeros_cells);
	bool right = pyn_verify_read_end(the_table, lba, 1, zeros, zeros_cells, &counts, &found);

	if (found.zeroed && observe)
		pyn_verify_note_zeros(the_table, lba, 1, zeros_cells);
	return right && counts.checked == 1;
}

TABLE_TEST(what_was_seen_as_zeros_after_a_deallocation_has_to_stay_so)
{
	pyn_verify_set_dlfeat(the_table, true);
	write_lbas(1, 1);
	pyn_verify_change_begin(the_table, 1, 1, PYN_CELL_DEALLOCATED);
	pyn_verify_change_end(the_table, 1, 1, PYN_WRITE_DONE);
	CHECK_EQ(judge(1, 1), PYN_MISMATCH_NONE); /* the old data: nothing is known by that */
	CHECK(reads_zeros(1, false));
	CHECK_EQ(judge(1, 1), PYN_MISMATCH_NONE);
	CHECK(reads_zeros(1, true));
	CHECK(judge(1, 1) > 0);
	CHECK(reads_zeros(1, true));
	pyn_verify_power_lost(the_table); /* the deallocation was not flushed */
	CHECK_EQ(judge(1, 1), -1);
}

TABLE_TEST(zeros_that_were_seen_before_another_change_say_nothing)
{
	pyn_verify_set_dlfeat(the_table, true);
	write_lbas(1, 1);
	for (unsigned i = 0; i < 2; i++) {
		pyn_verify_change_begin(the_table, 1, 1, PYN_CELL_DEALLOCATED);
		pyn_verify_change_end(the_table, 1, 1, PYN_WRITE_DONE);
		if (i == 0)
			CHECK(reads_zeros(1, false));
	}
	pyn_verify_note_zeros(the_table, 1, 1, zeros_cells);
	CHECK_EQ(judge(1, 1), PYN_MISMATCH_NONE);
	write_lbas(1, 1);
	pyn_verify_note_zeros(the_table, 1, 1, zeros_cells);
	CHECK_EQ(judge(1, 1), PYN_MISMATCH_NONE);
}

TABLE_TEST(epochs_that_come_again_are_not_mistaken)
{
	static const unsigned flushes[] = {SWEEP_EVERY - 1, SWEEP_EVERY, SWEEP_EVERY + 1, EPOCHS - 1,
					   EPOCHS,          EPOCHS + 1,  2 * EPOCHS,      3 * EPOCHS + 1};

	for (unsigned i = 0; i < sizeof(flushes) / sizeof(flushes[0]); i++) {
		write_lbas(1, 1);
		for (unsigned k = 0; k < flushes[i]; k++) {
			write_lbas(2, 1);
			flush();
		}
		write_lbas(2, 1);
		pyn_verify_power_lost(the_table);
		CHECK_EQ(judge(2, 1), -1);
		if (!CHECK(judge(1, 1) > 0))
			printf("    after %u flushes\n", flushes[i]);
	}
}

TABLE_TEST(an_epoch_that_no_flush_made_durable_is_lost_however_old_it_is)
{
	write_lbas(1, 1);
	for (unsigned i = 0; i < 2 * EPOCHS; i++) {
		write_lbas(2, 1);
		pyn_verify_flush_begin(the_table); /* and it fails */
	}
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judge(1, 1), -1);
}

/* ---- ranges ---- */

TABLE_TEST(what_lies_beyond_the_table_is_counted_as_unverified_and_touches_nothing)
{
	static const uint64_t beyond[] = {NLBA,           NLBA + 1,  UINT64_C(1) << 32, (UINT64_C(1) << 32) + 5,
					  UINT64_MAX - 3, UINT64_MAX};

	for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		write_lbas(beyond[i], 8);
		change(beyond[i], UINT64_MAX, PYN_CELL_ZEROES);
		pyn_verify_forget(the_table, beyond[i], UINT64_MAX);
		pyn_verify_write_lost(the_table, beyond[i], 8);
		CHECK_EQ(judge(beyond[i], 8), -1);
	}
	CHECK_EQ(judge(0, 128), -1);
}

TABLE_TEST(a_range_over_the_end_is_cut_there)
{
	write_lbas(NLBA - 3, 8);
	CHECK_EQ(judge(NLBA - 3, 8), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 3);
	CHECK_EQ(the_counts.unverified, 5);
	change(NLBA - 1, UINT64_MAX, PYN_CELL_ZEROES);
	CHECK(judge(NLBA - 1, 1) > 0);
}

/* Old data are right or wrong, and nobody knows which. */
TABLE_TEST(old_data_of_lbas_that_were_written_meanwhile_are_not_judged)
{
	static uint8_t old[8 * LBA];
	uint64_t snapshot[8];

	write_lbas(0, 8);
	memcpy(old, the_data, sizeof(old));
	pyn_verify_read_begin(the_table, 0, 8, snapshot);
	write_lbas(0, 8);
	CHECK(pyn_verify_read_end(the_table, 0, 8, old, snapshot, &the_counts, &the_mismatch));
	CHECK_EQ(the_counts.checked, 0);
	CHECK_EQ(the_counts.unverified, 8);
}

/* A device may complete what lies beyond its namespace, and the snapshot of such a read is what it was before. */
TABLE_TEST(what_lies_beyond_the_table_is_not_looked_at)
{
	static const uint64_t places[] = {NLBA, NLBA - 7, UINT64_C(1) << 50, UINT64_MAX - 7, UINT64_MAX - 3};
	uint64_t snapshot[8];

	write_lbas(0, 8);
	pyn_verify_read_begin(the_table, 0, 8, snapshot);
	CHECK(pyn_verify_read_is_right(the_table, 0, 8, the_data, snapshot, &the_counts));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		pyn_verify_read_begin(the_table, 0, 8, snapshot);
		CHECK(!pyn_verify_read_is_right(the_table, places[i], 8, the_data, snapshot, &the_counts));
		CHECK(pyn_verify_read_end(the_table, places[i], 8, the_data, snapshot, &the_counts, &the_mismatch));
	}
}

/* Shared memory of this process that is there, KiB. */
static uint64_t resident_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssShmem: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

TEST(a_table_of_16_tb_is_there_at_once_and_costs_what_is_touched)
{
	const uint64_t nlba = (UINT64_C(16) << 40) / LBA;
	uint64_t before = resident_kib();
	clock_t started = clock();

	pyn_token_start(&err);
	the_table = pyn_verify_create(1, nlba, LBA, &err);
	if (!CHECK(the_table))
		return;
	write_lbas(0, 8);
	write_lbas(nlba / 2, 8);
	write_lbas(nlba - 8, 8);
	CHECK_EQ(judge(nlba - 8, 8), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 8);
	flush();
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judge(nlba - 8, 8), PYN_MISMATCH_NONE);
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	CHECK_EQ(judge(nlba - 8, 8), -1);
	CHECK(clock() - started < CLOCKS_PER_SEC / 10);
	CHECK(resident_kib() - before < 8192);
	end_test();
}

TEST(of_a_namespace_that_is_larger_than_any_table_the_first_lbas_are_judged)
{
	const uint64_t sizes[] = {UINT64_C(1) << 37, UINT64_C(1) << 54, UINT64_MAX};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		the_table = pyn_verify_create(1, sizes[i], LBA, &err);
		if (!CHECK(the_table))
			return;
		write_lbas(PYN_NODES_MOST_LBAS / 16 - 8, 8);
		CHECK_EQ(judge(PYN_NODES_MOST_LBAS / 16 - 8, 8), PYN_MISMATCH_NONE);
		write_lbas(sizes[i] - 8, 8);
		CHECK(judge(sizes[i] - 8, 8) == (sizes[i] > PYN_NODES_MOST_LBAS ? -1 : PYN_MISMATCH_NONE));
		end_test();
	}
}

TEST(every_lba_size_is_judged)
{
	static uint8_t data[65536];

	pyn_token_start(&err);
	for (uint32_t size = 512; size <= sizeof(data); size *= 2) {
		uint64_t cell, token = pyn_token_take(1);
		struct pyn_verify *table = pyn_verify_create(1, 4, size, &err);

		pyn_verify_stamp(table, data, 3, 1, token);
		pyn_verify_write_begin(table, 3, 1, data, true, token);
		pyn_verify_write_end(table, 3, 1, PYN_WRITE_DONE);
		pyn_verify_read_begin(table, 3, 1, &cell);
		CHECK(pyn_verify_read_end(table, 3, 1, data, &cell, &the_counts, &the_mismatch));
		memset(data, 0, size);
		CHECK(!pyn_verify_read_end(table, 3, 1, data, &cell, &the_counts, &the_mismatch));
		CHECK_EQ(the_mismatch.kind, PYN_MISMATCH_LOST);
		pyn_verify_put(table);
	}
}

/* ---- what a mismatch is called ---- */

TABLE_TEST(each_kind_of_wrong_data_has_its_class)
{
	uint8_t old[LBA], other[LBA];

	write_lbas(50, 1);
	memcpy(old, the_data, LBA);
	write_lbas(60, 1);
	memcpy(other, the_data, LBA);
	write_lbas(50, 1);
	memcpy(the_data, old, LBA);
	CHECK_EQ(judge(50, 1), PYN_MISMATCH_STALE);
	CHECK_EQ(the_mismatch.found_lba, 50);
	memcpy(the_data, other, LBA);
	CHECK_EQ(judge(50, 1), PYN_MISMATCH_MISDIRECTED);
	CHECK_EQ(the_mismatch.found_lba, 60);
	memset(the_data, 0, LBA);
	CHECK_EQ(judge(50, 1), PYN_MISMATCH_LOST);
	memset(the_data, 0xff, LBA);
	CHECK_EQ(judge(50, 1), PYN_MISMATCH_CORRUPT);
}

TABLE_TEST(a_damaged_stamp_is_corruption_and_not_another_lba)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		write_lbas(50, 1);
		the_data[bit / 8] ^= 1u << bit % 8;
		CHECK_EQ(judge(50, 1), PYN_MISMATCH_CORRUPT);
	}
}

TABLE_TEST(the_first_of_several_mismatches_is_told_and_all_are_counted)
{
	write_lbas(200, 128);
	the_data[3 * LBA + 9] ^= 1;
	memset(the_data + 100 * LBA, 0, 2 * LBA);
	CHECK_EQ(judge(200, 128), PYN_MISMATCH_CORRUPT);
	CHECK_EQ(the_mismatch.lba, 203);
	CHECK_EQ(the_mismatch.count, 3);
	CHECK_EQ(the_counts.mismatch, 3);
	CHECK_EQ(the_counts.checked, 128);
}

TABLE_TEST(a_mismatch_is_told_in_one_sentence)
{
	char text[512], little[8];

	write_lbas(0x32, 1);
	memset(the_data, 0, LBA);
	judge(0x32, 1);
	pyn_mismatch_text(&the_mismatch, 7, text, sizeof(text));
	CHECK_HAS(text, "nsid 7 LBA 0x32 is lost");
	pyn_mismatch_text(&the_mismatch, 7, little, sizeof(little));
	CHECK_STR(little, "nsid 7 ");
	the_mismatch.kind = 99; /* from shared memory */
	pyn_mismatch_text(&the_mismatch, 7, text, sizeof(text));
}

TABLE_TEST(counts_add_up_over_everybody)
{
	struct pyn_verify_counts counts = {10, 20, 3};

	pyn_verify_count(the_table, &counts);
	pyn_verify_count(the_table, &counts);
	pyn_verify_get_counts(the_table, &counts);
	CHECK_EQ(counts.checked, 20);
	CHECK_EQ(counts.unverified, 40);
	CHECK_EQ(counts.mismatch, 6);
}

TABLE_TEST(tokens_are_given_out_once)
{
	uint64_t first = pyn_token_take(5);

	CHECK_EQ(pyn_token_take(1), first + 5);
	CHECK_EQ(pyn_token_start(&err), 0);
	CHECK_EQ(pyn_token_take(1), first + 6);
}
