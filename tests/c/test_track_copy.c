/* SPDX-License-Identifier: BSD-3-Clause */
/* Copy for verification: the destination holds what the sources held. */
/* sources: spec/commands.c core/verify/track*.c core/verify/tables.c core/data/buffer.c core/data/protection.c
 * core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include "tests/c/track.h"

#define TO 1000u /* the destination */
#define FUA (1u << 30)
#define FROM 100u

static uint8_t kept[64 * LBA];

/* Put a source range into the buffer. size: 32 or 40, by the format. */
static void set_source(unsigned i, unsigned size, uint64_t slba, uint16_t nlb, uint32_t snsid)
{
	uint8_t *at = the_buffer->data + (size_t)i * size;

	memset(at, 0, size);
	memcpy(at, &snsid, sizeof(snsid));
	memcpy(at + 8, &slba, sizeof(slba));
	nlb--;
	memcpy(at + 16, &nlb, sizeof(nlb));
}

static struct nvme_cmd copy(unsigned ranges, unsigned format)
{
	return (struct nvme_cmd){.opc = NVME_IO_COPY, .nsid = 1, .cdw10 = TO, .cdw12 = (ranges - 1) | format << 8};
}

/* Write FROM to FROM + 7, and keep the data. */
static void write_source(void)
{
	write_lbas(FROM, 8);
	memcpy(kept, the_buffer->data, sizeof(kept));
}

/* Judge a read of these LBAs that returns the kept data from LBA `from` of the source on. */
static int reads_kept(uint64_t slba, uint32_t nlb, uint32_t from)
{
	memcpy(the_buffer->data, kept + from * LBA, (size_t)nlb * LBA);
	return reads(slba, nlb);
}

static void copy_source(uint32_t flags, uint16_t status)
{
	struct nvme_cmd cmd = copy(1, 0);

	set_source(0, 32, FROM, 8, 0);
	cmd.cdw12 |= flags;
	run(cmd, LBA, false, status);
}

TRACK_TEST(a_copy_has_the_data_of_its_sources)
{
	write_source();
	set_source(0, 32, FROM + 4, 4, 7); /* SNSID is reserved in this format */
	set_source(1, 32, FROM, 2, 7);
	run(copy(2, 0), LBA, false, OK);
	uint64_t before = judged();

	CHECK_EQ(reads_kept(TO, 4, 4), 0);
	CHECK_EQ(reads_kept(TO + 4, 2, 0), 0);
	CHECK_EQ(judged() - before, 6);
	CHECK_EQ(reads_kept(FROM, 8, 0), 0);
	CHECK_EQ(reads_kept(TO, 1, 0), 1);
	CHECK_EQ(the_mismatch.lba, TO);
	CHECK_EQ(reads_kept(TO + 6, 1, 0), -1);
}

TRACK_TEST(a_copy_that_did_nothing_is_found)
{
	write_lbas(TO, 8);
	memcpy(kept + 8 * LBA, the_buffer->data, 8 * LBA);
	uint8_t *old = kept + 8 * LBA;
	uint8_t before[8 * LBA];

	memcpy(before, old, sizeof(before));
	write_source();
	copy_source(0, OK);
	memcpy(the_buffer->data, before, sizeof(before));
	CHECK_EQ(reads(TO, 8), 1);
	CHECK_EQ(the_mismatch.count, 8);
}

TRACK_TEST(a_copy_of_zeroes_is_zeroes)
{
	run(io(NVME_IO_WRITE_ZEROES, FROM, 8), 0, false, OK);
	copy_source(0, OK);
	memset(the_buffer->data, 0, 8 * LBA);
	CHECK_EQ(reads(TO, 8), 0);
	the_buffer->data[5] = 1;
	CHECK_EQ(reads(TO, 8), 1);
}

TRACK_TEST(what_is_not_certain_of_a_copy_is_unknown)
{
	/* The copy fails. */
	write_source();
	copy_source(0, ABORTED);
	CHECK_EQ(reads_kept(TO, 8, 0), -1);
	/* A source is written while the copy is in flight. */
	struct pyn_track write;
	struct nvme_cmd cmd = io(NVME_IO_WRITE, FROM + 1, 1);
	struct pyn_buffer *other = pyn_buffer_create(LBA, &err);

	write_source();
	set_source(0, 32, FROM, 8, 0);
	begin(copy(1, 0), LBA, false);
	pyn_track_begin(&write, the_table, &cmd, other, 0, LBA, true, false);
	CHECK(pyn_track_end(&write, &done, &the_mismatch));
	CHECK(end(OK));
	uint64_t before = judged();

	CHECK_EQ(reads_kept(TO, 8, 0), 0);
	CHECK_EQ(judged() - before, 7);
	CHECK_EQ(reads_kept(TO + 1, 1, 1), -1);
	pyn_buffer_put(other);
	/* A source is part of the destination. */
	set_source(0, 32, TO - 2, 4, 0);
	run(copy(1, 0), LBA, false, OK);
	CHECK_EQ(reads_kept(TO + 2, 2, 0), -1);
	/* A source is in another namespace. */
	write_source();
	set_source(0, 32, FROM, 8, 2);
	run(copy(1, 2), LBA, false, OK);
	CHECK_EQ(reads_kept(TO, 8, 0), -1);
	/* The data of the command are elsewhere. */
	write_source();
	set_source(0, 32, FROM, 8, 0);
	run(copy(1, 0), 16, false, OK);
	CHECK_EQ(reads_kept(FROM, 8, 0), -1);
}

TRACK_TEST(ranges_that_change_in_flight_make_all_unknown)
{
	write_source();
	set_source(0, 32, FROM, 4, 0);
	begin(copy(1, 0), LBA, false);
	the_buffer->data[16] = 7;
	pyn_buffer_changed(the_buffer, 16, 1);
	CHECK(end(OK));
	CHECK_EQ(reads_kept(TO, 4, 0), -1);
	CHECK_EQ(reads_kept(FROM, 8, 0), -1);
}

TRACK_TEST(all_formats_of_ranges)
{
	static const unsigned size[] = {32, 40, 32, 40};

	for (unsigned format = 0; format < 4; format++) {
		write_source();
		set_source(0, size[format], FROM, 1, 1);
		set_source(1, size[format], FROM + 5, 2, 1);
		run(copy(2, format), LBA, false, OK);
		CHECK_EQ(reads_kept(TO, 1, 0), 0);
		CHECK_EQ(reads_kept(TO + 1, 2, 5), 0);
	}
}

TRACK_TEST(a_copy_survives_a_power_loss_as_a_write_does)
{
	write_source();
	run(io(NVME_IO_FLUSH, 0, 1), 0, false, OK);
	copy_source(0, OK);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads_kept(TO, 8, 0), -1);
	copy_source(0, OK);
	run(io(NVME_IO_FLUSH, 0, 1), 0, false, OK);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads_kept(TO, 8, 0), 0);
	write_source();
	run(io(NVME_IO_FLUSH, 0, 1), 0, false, OK);
	copy_source(FUA, OK);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads_kept(TO, 8, 0), 0);
}

TRACK_TEST(a_flush_during_a_copy_is_no_change_of_its_sources)
{
	write_source();
	set_source(0, 32, FROM, 8, 0);
	begin(copy(1, 0), LBA, false);
	uint64_t epoch = pyn_verify_flush_begin(the_table);

	pyn_verify_flush_end(the_table, epoch);
	CHECK(end(OK));
	CHECK_EQ(reads_kept(TO, 8, 0), 0);
}

TRACK_TEST(a_copy_past_the_end_and_of_too_many_lbas)
{
	write_source();
	set_source(0, 32, NLBA - 4, 8, 0);
	run(copy(1, 0), LBA, false, OK);
	CHECK_EQ(reads_kept(TO, 8, 0), -1);
	set_source(0, 32, FROM, 8, 0);
	struct nvme_cmd cmd = copy(1, 0);

	cmd.cdw10 = NLBA - 4;
	run(cmd, LBA, false, OK);
	CHECK_EQ(reads_kept(NLBA - 4, 4, 0), 0);
	for (unsigned i = 0; i < 64; i++)
		set_source(i, 32, FROM, 0, 0); /* 65536 LBAs each */
	cmd = copy(64, 0);
	cmd.cdw10 = 0;
	run(cmd, 64 * 32, false, OK);
	CHECK_EQ(reads_kept(FROM, 8, 0), -1);
}
