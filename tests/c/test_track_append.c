/* SPDX-License-Identifier: BSD-3-Clause */
/* Zones for verification: appends, resets, and what comes between. */
/* sources: spec/commands.c core/verify/track*.c core/verify/tables.c core/data/buffer.c core/data/protection.c
 * core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include "tests/c/track.h"

/* ---- zones ---- */

#define ZONE 1024u
#define ZONE_CLOSE 1u
#define ZONE_FINISH 2u
#define ZONE_OPEN 3u
#define ZONE_RESET 4u
#define ZONE_OFFLINE 5u
#define ZONE_ALL 0x100u

static struct nvme_cmd manage(uint32_t action, uint64_t slba)
{
	struct nvme_cmd cmd = io(NVME_IO_ZONE_MGMT_SEND, slba, 1);

	cmd.cdw12 = 0;
	cmd.cdw13 = action;
	return cmd;
}

static void begin_append(uint64_t zone, uint32_t nlb)
{
	begin(io(NVME_IO_ZONE_APPEND, zone, nlb), nlb * LBA, true);
}

static void append_ends_at(uint64_t lba)
{
	const struct nvme_cpl cpl = {.cdw0 = (uint32_t)lba, .cdw1 = (uint32_t)(lba >> 32)};

	CHECK(pyn_track_end(&the_track, &cpl, &the_mismatch));
}

static void append(uint64_t zone, uint32_t nlb, uint64_t lba)
{
	begin_append(zone, nlb);
	append_ends_at(lba);
}

TRACK_TEST(a_zone_reset_makes_everything_unknown_where_the_zones_are_not)
{
	write_lbas(100, 1);
	run(manage(ZONE_RESET, 0), 0, false, OK);
	CHECK_EQ(reads(100, 1), -1);
}

TRACK_TEST(a_zone_reset_makes_its_zone_unknown_and_no_other)
{
	static const uint32_t actions[] = {ZONE_RESET, ZONE_OFFLINE};

	pyn_verify_set_zone_size(the_table, ZONE);
	for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		write_lbas(ZONE - 1, 64);
		write_lbas(2 * ZONE - 1, 2);
		run(manage(actions[i], ZONE), 0, false, OK);
		CHECK_EQ(reads(ZONE, 1), -1);
		CHECK_EQ(reads(2 * ZONE - 1, 1), -1);
		write_lbas(2 * ZONE, 1);
		run(manage(actions[i], ZONE), 0, false, OK);
		CHECK_EQ(reads(2 * ZONE, 1), 0);
	}
	write_lbas(ZONE - 1, 1);
	run(manage(ZONE_RESET, ZONE + 5), 0, false, OK); /* not the first LBA of a zone: the drive's to refuse */
	CHECK_EQ(reads(ZONE - 1, 1), 0);
	run(manage(ZONE_RESET | ZONE_ALL, 0), 0, false, OK);
	CHECK_EQ(reads(ZONE - 1, 1), -1);
}

TRACK_TEST(a_zone_reset_that_failed_leaves_its_zone_unknown)
{
	pyn_verify_set_zone_size(the_table, ZONE);
	write_lbas(ZONE, 1);
	run(manage(ZONE_RESET, ZONE), 0, false, ABORTED);
	CHECK_EQ(reads(ZONE, 1), -1);
}

TRACK_TEST(other_zone_actions_change_no_data)
{
	static const uint32_t actions[] = {ZONE_CLOSE, ZONE_FINISH, ZONE_OPEN, 0x10, 0x11};

	pyn_verify_set_zone_size(the_table, ZONE);
	write_lbas(100, 1);
	for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		run(manage(actions[i], 0), 0, false, OK);
	CHECK_EQ(reads(100, 1), 0);
}

TRACK_TEST(an_append_is_known_where_its_completion_says_that_it_lies)
{
	pyn_verify_set_zone_size(the_table, ZONE);
	memset(the_buffer->data, 0x5a, 4 * LBA);
	append(ZONE, 4, ZONE + 8);
	CHECK_EQ(the_buffer->data[0], 0x5a); /* no stamp: its LBA was not known */
	CHECK_EQ(reads(ZONE + 8, 4), 0);
	CHECK_EQ(reads(ZONE, 4), -1);
	CHECK_EQ(reads(ZONE + 12, 1), -1);
	the_buffer->data[LBA] ^= 1;
	CHECK_EQ(reads(ZONE + 8, 4), 1);
	CHECK_EQ(the_mismatch.lba, ZONE + 9);
}

/* What this opcode does to a namespace that is not zoned, nobody knows. */
TRACK_TEST(an_append_without_known_zones_leaves_its_lbas_unknown)
{
	write_lbas(0, 4);
	append(0, 1, 0);
	CHECK_EQ(reads(0, 1), -1);
	append(0, 20, 5000);
	CHECK_EQ(reads(5000, 20), -1);
}

TRACK_TEST(an_append_that_failed_or_was_abandoned_says_nothing)
{
	pyn_verify_set_zone_size(the_table, ZONE);
	write_lbas(0, 1);
	begin_append(0, 4);
	CHECK(end(ABORTED));
	begin_append(0, 4);
	pyn_track_cancel(&the_track);
	CHECK_EQ(reads(0, 1), 0);
	CHECK_EQ(reads(1, 4), -1);
}

TRACK_TEST(an_append_past_which_a_reset_came_is_unknown)
{
	struct pyn_track other;
	struct nvme_cmd reset = manage(ZONE_RESET, ZONE);

	pyn_verify_set_zone_size(the_table, ZONE);
	/* The reset begins and ends within the append. */
	begin_append(ZONE, 1);
	pyn_track_begin(&other, the_table, &reset, NULL, 0, 0, false, false);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	append_ends_at(ZONE);
	CHECK_EQ(reads(ZONE, 1), -1);
	/* It begins before and ends within. */
	pyn_track_begin(&other, the_table, &reset, NULL, 0, 0, false, false);
	begin_append(ZONE, 1);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	append_ends_at(ZONE);
	CHECK_EQ(reads(ZONE, 1), -1);
	/* It begins within and ends after. */
	begin_append(ZONE, 1);
	pyn_track_begin(&other, the_table, &reset, NULL, 0, 0, false, false);
	append_ends_at(ZONE);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	CHECK_EQ(reads(ZONE, 1), -1);
	append(ZONE, 1, ZONE);
	CHECK_EQ(reads(ZONE, 1), 0);
}

TRACK_TEST(an_append_past_which_all_was_forgotten_is_unknown)
{
	pyn_verify_set_zone_size(the_table, ZONE);
	/* The doorbell of a queue that the script made itself: it may reset the zone, and write it. */
	begin_append(ZONE, 1);
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	append_ends_at(ZONE);
	CHECK_EQ(reads(ZONE, 1), -1);
	append(ZONE, 1, ZONE + 1);
	CHECK_EQ(reads(ZONE + 1, 1), 0);
}

/* Completions of two queues are taken in any order: that of the append, which came first, after the other. */
TRACK_TEST(an_append_whose_lbas_were_deallocated_before_its_end_is_unknown)
{
	struct pyn_buffer *list = pyn_buffer_create(LBA, &err);
	struct nvme_cmd cmd = dsm(1);
	struct pyn_track other;

	pyn_verify_set_zone_size(the_table, ZONE);
	*(struct nvme_dsm_range *)list->data = (struct nvme_dsm_range){.nlb = 8, .slba = ZONE};
	/* The deallocation begins and ends within the append. */
	begin_append(ZONE, 1);
	pyn_track_begin(&other, the_table, &cmd, list, 0, LBA, false, false);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	append_ends_at(ZONE);
	CHECK_EQ(reads(ZONE, 1), -1);
	/* It begins before and ends within. */
	pyn_track_begin(&other, the_table, &cmd, list, 0, LBA, false, false);
	begin_append(ZONE, 1);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	append_ends_at(ZONE + 1);
	CHECK_EQ(reads(ZONE + 1, 1), -1);
	/* It begins within and ends after. */
	begin_append(ZONE, 1);
	pyn_track_begin(&other, the_table, &cmd, list, 0, LBA, false, false);
	append_ends_at(ZONE + 2);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	CHECK_EQ(reads(ZONE + 2, 1), -1);
	/* Known, and then deallocated: its data or zeros. */
	append(ZONE, 1, ZONE + 3);
	pyn_track_begin(&other, the_table, &cmd, list, 0, LBA, false, false);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	CHECK_EQ(reads(ZONE + 3, 1), 0);
	pyn_buffer_put(list);
}

TRACK_TEST(an_append_that_landed_in_another_zone_leaves_both_unknown)
{
	pyn_verify_set_zone_size(the_table, ZONE);
	write_lbas(0, 1);
	write_lbas(ZONE, 1);
	write_lbas(2 * ZONE, 1);
	uint8_t kept[LBA];

	memcpy(kept, the_buffer->data, LBA);
	append(ZONE, 1, 7);
	CHECK_EQ(reads(0, 1), -1);
	CHECK_EQ(reads(ZONE, 1), -1);
	memcpy(the_buffer->data, kept, LBA);
	CHECK_EQ(reads(2 * ZONE, 1), 0);
}

TRACK_TEST(an_append_that_says_it_went_past_the_end_of_its_zone_leaves_both_unknown)
{
	uint8_t kept[LBA];

	pyn_verify_set_zone_size(the_table, ZONE);
	write_lbas(2 * ZONE, 1);
	memcpy(kept, the_buffer->data, LBA);
	append(ZONE, 2, 2 * ZONE - 1);
	memcpy(the_buffer->data, kept, LBA);
	CHECK_EQ(reads(2 * ZONE, 1), -1); /* rather than wrong: the zone's data are what they were */
	CHECK_EQ(reads(2 * ZONE - 1, 1), -1);
}

TRACK_TEST(an_append_beyond_the_table_or_with_too_little_data_says_nothing)
{
	pyn_verify_set_zone_size(the_table, ZONE);
	write_lbas(10, 2);
	append(NLBA / ZONE * ZONE, 2, NLBA - 1);
	append(NLBA / ZONE * ZONE, 2, NLBA);
	append(ZONE, 2, UINT64_MAX);
	begin(io(NVME_IO_ZONE_APPEND, 0, 2), LBA, false);
	append_ends_at(10);
	CHECK_EQ(reads(10, 2), -1);
	begin(io(NVME_IO_ZONE_APPEND, 0, 2), 0, false);
	append_ends_at(20);
	CHECK_EQ(reads(20, 2), -1);
}

TRACK_TEST(an_append_whose_buffer_changed_is_unknown)
{
	struct nvme_cmd read = io(NVME_IO_READ, 500, 1);
	struct pyn_track other;

	pyn_verify_set_zone_size(the_table, ZONE);
	begin_append(0, 1);
	pyn_track_begin(&other, the_table, &read, the_buffer, 0, LBA, false, true);
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	append_ends_at(0);
	CHECK_EQ(reads(0, 1), -1);
}

TRACK_TEST(lbas_beyond_the_table_are_the_drives_to_refuse)
{
	static const uint64_t slbas[] = {NLBA - 1, NLBA, UINT64_C(1) << 32, UINT64_MAX - 1, UINT64_MAX};

	for (unsigned i = 0; i < sizeof(slbas) / sizeof(slbas[0]); i++) {
		run(io(NVME_IO_WRITE, slbas[i], 2), 2 * LBA, true, ABORTED);
		run(io(NVME_IO_WRITE_ZEROES, slbas[i], 65536), 0, true, ABORTED);
		CHECK_EQ(reads(slbas[i], 2), -1);
		set_range(0, slbas[i], UINT32_MAX);
		run(dsm(1), LBA, false, ABORTED);
	}
	CHECK_EQ(reads(0, 1), -1);
}
