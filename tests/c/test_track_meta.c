/* SPDX-License-Identifier: BSD-3-Clause */
/* What each command means for the verification of metadata: separate ones, and those behind the data of each LBA. */
/* sources: spec/commands.c core/verify/track*.c core/verify/tables.c core/data/buffer.c core/data/protection.c
 * core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include "core/util/clock.h"
#include "tests/c/track.h"

#define MS 16u
#define FLIP(at) ((at) ^= 1)

static struct pyn_buffer *the_meta; /* NULL: the metadata are in the_buffer */

static void lay_out(struct pyn_protection protection, bool extended)
{
	const struct pyn_layout layout = {protection, extended};

	CHECK(!pyn_verify_set_layout(the_table, &layout, &err));
	if (!extended)
		the_meta = pyn_buffer_create(64 * MS, &err);
	for (uint32_t i = 0; i < the_buffer->size; i++)
		the_buffer->data[i] = (uint8_t)(i * 7 + 3);
	for (uint32_t i = 0; the_meta && i < the_meta->size; i++)
		the_meta->data[i] = (uint8_t)(i * 5 + 1);
}

static void drop_meta(void)
{
	if (the_meta)
		CHECK_EQ(the_meta->references, 1);
	pyn_buffer_put(the_meta);
	the_meta = NULL;
}

static void begin_it(struct nvme_cmd cmd, bool stamp, bool protects)
{
	const struct pyn_metadata metadata = {
		.buffer = the_meta, .length = the_meta ? the_meta->size : 0, .protects = protects};
	bool moves = cmd.opc & 3 && cmd.opc != NVME_IO_WRITE_ZEROES && cmd.opc != NVME_IO_WRITE_UNCORRECTABLE;

	pyn_track_begin_metadata(&the_track, the_table, &cmd, moves ? the_buffer : NULL, 0,
				 moves ? the_buffer->size : 0, &metadata, stamp, true);
}

static bool do_it(struct nvme_cmd cmd, bool stamp)
{
	begin_it(cmd, stamp, false);
	return end(OK);
}

static bool reads_right(uint64_t slba, uint32_t nlb)
{
	return do_it(io(NVME_IO_READ, slba, nlb), false);
}

static uint8_t *metadata_of(uint32_t i)
{
	return the_meta ? the_meta->data + i * MS : the_buffer->data + i * (LBA + MS) + LBA;
}

static uint8_t *data_of_lba(uint32_t i)
{
	return the_buffer->data + i * (the_meta ? LBA : LBA + MS);
}

static void judge_each_byte(void)
{
	struct pyn_verify_counts counts;

	do_it(io(NVME_IO_WRITE, 50, 3), true);
	CHECK_EQ(*(uint64_t *)data_of_lba(2), 52);
	CHECK(reads_right(50, 3));
	pyn_verify_get_counts(the_table, &counts);
	CHECK_EQ(counts.checked, 3);
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t at = 0; at < MS; at += 5) {
			FLIP(metadata_of(i)[at]);
			CHECK(!reads_right(50, 3));
			CHECK_EQ(the_mismatch.kind, PYN_MISMATCH_METADATA);
			CHECK_EQ(the_mismatch.lba, 50 + i);
			CHECK_EQ(the_mismatch.count, 1);
			FLIP(metadata_of(i)[at]);
		}
		FLIP(data_of_lba(i)[100]);
		CHECK(!reads_right(50, 3));
		CHECK_EQ(the_mismatch.kind, PYN_MISMATCH_CORRUPT);
		CHECK_EQ(the_mismatch.lba, 50 + i);
		FLIP(data_of_lba(i)[100]);
	}
	CHECK(reads_right(50, 3));
}

TRACK_TEST(separate_metadata_are_judged_byte_by_byte)
{
	lay_out((struct pyn_protection){.ms = MS}, false);
	judge_each_byte();
	drop_meta();
}

TRACK_TEST(metadata_behind_the_data_are_judged_byte_by_byte)
{
	lay_out((struct pyn_protection){.ms = MS}, true);
	judge_each_byte();
}

TRACK_TEST(a_read_without_its_metadata_judges_the_data)
{
	lay_out((struct pyn_protection){.ms = MS}, false);
	do_it(io(NVME_IO_WRITE, 5, 1), true);
	FLIP(metadata_of(0)[0]);
	struct pyn_buffer *meta = the_meta;

	the_meta = NULL;
	CHECK(reads_right(5, 1));
	the_meta = meta;
	drop_meta();
}

/* The metadata of an LBA after a command: -1 unknown, 0 not what the buffer has, 1 the same. */
static int knows(uint64_t lba)
{
	bool same = reads_right(lba, 1);

	if (!same && the_mismatch.kind != PYN_MISMATCH_METADATA)
		return -2;
	FLIP(metadata_of(0)[0]);
	bool other = reads_right(lba, 1);

	FLIP(metadata_of(0)[0]);
	return same && other ? -1 : same;
}

TRACK_TEST(commands_that_change_data_change_their_metadata)
{
	lay_out((struct pyn_protection){.ms = MS}, false);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	CHECK_EQ(knows(5), 1);
	memset(the_buffer->data, 0, LBA);
	memset(the_meta->data, 0, MS);
	do_it(io(NVME_IO_WRITE_ZEROES, 5, 1), false);
	CHECK_EQ(knows(5), 1);
	FLIP(the_meta->data[3]);
	CHECK_EQ(knows(5), 0);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	begin_it(io(NVME_IO_WRITE, 5, 1), false, false);
	end(ABORTED);
	CHECK_EQ(knows(5), -1);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	pyn_verify_forget(the_table, 5, 1);
	CHECK_EQ(knows(5), -1);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(knows(5), -1);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	do_it(io(NVME_IO_FLUSH, 0, 1), false);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(knows(5), 1);
	drop_meta();
}

TRACK_TEST(a_deallocation_leaves_the_metadata_open)
{
	lay_out((struct pyn_protection){.ms = MS}, false);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	uint8_t kept[LBA];

	memcpy(kept, the_buffer->data, LBA);
	set_range(0, 5, 1);
	do_it(dsm(1), false);
	memcpy(the_buffer->data, kept, LBA);
	CHECK_EQ(knows(5), -1);
	drop_meta();
}

TRACK_TEST(two_writes_in_flight_leave_the_metadata_unknown)
{
	static struct pyn_track other;
	const struct pyn_metadata metadata = {.buffer = the_meta};
	struct nvme_cmd cmd = io(NVME_IO_WRITE, 5, 1);
	struct nvme_cpl cpl = {0};

	lay_out((struct pyn_protection){.ms = MS}, false);
	do_it(cmd, false);
	begin_it(cmd, false, false);
	pyn_track_begin_metadata(&other, the_table, &cmd, NULL, 0, 0, &metadata, false, false);
	end(OK);
	pyn_track_end(&other, &cpl, &the_mismatch);
	CHECK_EQ(knows(5), -1);
	drop_meta();
}

TRACK_TEST(metadata_that_the_script_changes_in_flight_are_unknown)
{
	lay_out((struct pyn_protection){.ms = MS}, false);
	begin_it(io(NVME_IO_WRITE, 5, 1), false, false);
	FLIP(the_meta->data[2]);
	end(OK);
	CHECK_EQ(knows(5), -1);
	drop_meta();
}

TRACK_TEST(a_copy_takes_the_metadata_along_but_not_protection_information)
{
	for (uint8_t type = 0; type < 2; type++) {
		struct nvme_copy_range range = {.slba = 5, .nlb = 0};
		struct nvme_cmd copy = {.opc = NVME_IO_COPY, .nsid = 1, .cdw10 = 900};
		uint8_t kept[LBA];

		lay_out((struct pyn_protection){.ms = MS, .type = type}, false);
		do_it(io(NVME_IO_WRITE, 5, 1), false);
		memcpy(kept, the_buffer->data, LBA);
		memcpy(the_buffer->data, &range, sizeof(range));
		do_it(copy, false);
		memcpy(the_buffer->data, kept, LBA);
		CHECK_EQ(knows(900), type ? -1 : 1);
		drop_meta();
	}
}

/* ---- protection information ---- */

#define CHECKED(flags) ((uint32_t)(flags) << 26)
#define PRACT 8u

static struct nvme_cmd with_tags(struct nvme_cmd cmd, uint32_t prinfo, uint32_t ref)
{
	cmd.cdw12 |= CHECKED(prinfo);
	cmd.cdw14 = ref;
	cmd.cdw15 = 0xffff1234;
	return cmd;
}

TRACK_TEST(a_stamped_write_gets_its_protection_information)
{
	const struct pyn_protection protection = {.ms = MS, .type = 1};

	for (unsigned extended = 0; extended < 2; extended++) {
		struct pyn_tags tags = {.app = 0x1234, .low = 7};

		lay_out(protection, extended);
		begin_it(with_tags(io(NVME_IO_WRITE, 7, 3), 7, 7), true, true);
		end(OK);
		for (uint32_t i = 0; i < 3; i++)
			CHECK_EQ(pyn_protection_check(&protection, data_of_lba(i), LBA, metadata_of(i), &tags, i),
				 PYN_TUPLE_RIGHT);
		CHECK(reads_right(7, 3));
		FLIP(metadata_of(2)[MS - 1]);
		CHECK(!reads_right(7, 3));
		CHECK_EQ(the_mismatch.lba, 9);
		drop_meta();
	}
}

TRACK_TEST(a_write_without_a_stamp_keeps_the_metadata_of_the_script)
{
	lay_out((struct pyn_protection){.ms = MS, .type = 1}, false);
	uint8_t before = metadata_of(0)[MS - 1];

	begin_it(with_tags(io(NVME_IO_WRITE, 7, 3), 7, 7), false, true);
	end(OK);
	CHECK_EQ(metadata_of(0)[MS - 1], before);
	drop_meta();
}

TRACK_TEST(what_the_drive_inserts_is_expected_in_place_of_what_was_sent)
{
	for (unsigned first = 0; first < 2; first++) {
		const struct pyn_protection protection = {.ms = MS, .type = 1, .first = first};
		struct pyn_tags tags = {.app = 0x1234, .low = 7};

		lay_out(protection, true);
		do_it(with_tags(io(NVME_IO_WRITE, 7, 3), PRACT, 7), true);
		CHECK(!reads_right(7, 3));
		CHECK_EQ(the_mismatch.count, 3);
		for (uint32_t i = 0; i < 3; i++)
			pyn_protection_make(&protection, data_of_lba(i), LBA, metadata_of(i), &tags, i);
		CHECK(reads_right(7, 3));
	}
}

TRACK_TEST(what_the_drive_inserts_alone_is_expected_and_not_transferred)
{
	const struct pyn_protection protection = {.ms = 8, .type = 1};
	struct pyn_tags tags = {.app = 0x1234, .low = 7};
	static uint8_t kept[3 * LBA];

	lay_out(protection, true);
	do_it(with_tags(io(NVME_IO_WRITE, 7, 3), PRACT, 7), true);
	CHECK_EQ(*(uint64_t *)(the_buffer->data + LBA), 8);
	CHECK(do_it(with_tags(io(NVME_IO_READ, 7, 3), PRACT, 7), false));
	FLIP(the_buffer->data[LBA + 9]);
	CHECK(!do_it(with_tags(io(NVME_IO_READ, 7, 3), PRACT, 7), false));
	FLIP(the_buffer->data[LBA + 9]);
	memcpy(kept, the_buffer->data, sizeof(kept));
	for (uint32_t i = 0; i < 3; i++) {
		uint8_t *lba = the_buffer->data + i * (LBA + 8);

		memcpy(lba, kept + i * LBA, LBA);
		pyn_protection_make(&protection, lba, LBA, lba + LBA, &tags, i);
	}
	CHECK(reads_right(7, 3));
	FLIP(the_buffer->data[LBA + 1]);
	CHECK(!reads_right(7, 3));
	CHECK_EQ(the_mismatch.kind, PYN_MISMATCH_METADATA);
}

TRACK_TEST(zeroes_leave_protection_information_open)
{
	lay_out((struct pyn_protection){.ms = MS, .type = 1}, false);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	memset(the_buffer->data, 0, LBA);
	do_it(io(NVME_IO_WRITE_ZEROES, 5, 1), false);
	CHECK_EQ(knows(5), -1);
	drop_meta();
}

TRACK_TEST(another_layout_knows_nothing_of_the_metadata)
{
	lay_out((struct pyn_protection){.ms = MS}, false);
	do_it(io(NVME_IO_WRITE, 5, 1), false);
	begin_it(io(NVME_IO_WRITE, 6, 1), false, false); /* it keeps the table that it began with */
	const struct pyn_layout none = {{.ms = 0}, false};

	CHECK(!pyn_verify_set_layout(the_table, &none, &err));
	end(OK);
	CHECK(reads_right(5, 1));
	const struct pyn_layout again = {{.ms = MS}, false};

	CHECK(!pyn_verify_set_layout(the_table, &again, &err));
	CHECK_EQ(knows(5), -1);
	drop_meta();
}
