/* SPDX-License-Identifier: BSD-3-Clause */
/* What each command means for verification: all opcodes, shared buffers, range lists, and every way to end. */
/* sources: spec/commands.c core/verify/track*.c core/verify/tables.c core/data/buffer.c core/data/protection.c
 * core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include "core/util/clock.h"
#include "tests/c/track.h"

TRACK_TEST(a_stamped_write_is_what_a_read_expects)
{
	write_lbas(77, 3);
	CHECK_EQ(*(uint64_t *)(the_buffer->data + LBA), 78);
	CHECK_EQ(reads(77, 3), 0);
	the_buffer->data[2 * LBA + 5] ^= 1;
	CHECK_EQ(reads(77, 3), 1);
	CHECK_EQ(the_mismatch.lba, 79);
}

TRACK_TEST(a_write_without_a_stamp_leaves_the_buffer_alone_and_is_judged)
{
	memset(the_buffer->data, 9, 64 * LBA);
	run(io(NVME_IO_WRITE, 77, 2), 2 * LBA, false, OK);
	CHECK_EQ(the_buffer->data[0], 9);
	CHECK_EQ(reads(77, 2), 0);
	the_buffer->data[1] ^= 1;
	CHECK_EQ(reads(77, 2), 1);
}

TRACK_TEST(a_read_of_many_lbas_is_judged_as_one_of_few)
{
	for (uint32_t nlb = PYN_TRACK_INLINE - 1; nlb <= 64; nlb += nlb < PYN_TRACK_INLINE + 1 ? 1 : 23) {
		write_lbas(1000, nlb);
		CHECK_EQ(reads(1000, nlb), 0);
		the_buffer->data[(nlb - 1) * LBA] ^= 1;
		CHECK_EQ(reads(1000, nlb), 1);
	}
}

TRACK_TEST(a_command_that_failed_leaves_what_it_changes_unknown)
{
	static const uint8_t opcodes[] = {NVME_IO_WRITE, NVME_IO_WRITE_ZEROES, NVME_IO_WRITE_UNCORRECTABLE};

	for (unsigned i = 0; i < sizeof(opcodes); i++) {
		write_lbas(5, 2);
		run(io(opcodes[i], 5, 1), opcodes[i] == NVME_IO_WRITE ? LBA : 0, true, ABORTED);
		CHECK_EQ(reads(5, 1), -1);
		write_lbas(5, 2);
		begin(io(opcodes[i], 5, 1), opcodes[i] == NVME_IO_WRITE ? LBA : 0, true);
		pyn_track_cancel(&the_track);
		pyn_track_cancel(&the_track); /* it has ended: nothing happens */
		CHECK_EQ(reads(5, 1), -1);
	}
}

static struct nvme_cmd fused(uint8_t opcode, uint8_t half, uint64_t slba)
{
	struct nvme_cmd cmd = io(opcode, slba, 1);

	cmd.flags = half;
	return cmd;
}

TRACK_TEST(a_fused_pair_is_its_write_and_only_where_that_was_done)
{
	write_lbas(5, 1);
	run(fused(NVME_IO_COMPARE, NVME_FUSE_FIRST, 5), LBA, false, OK);
	CHECK_EQ(reads(5, 1), 0);
	the_buffer->data[9] ^= 1;
	run(fused(NVME_IO_WRITE, NVME_FUSE_SECOND, 5), LBA, false, OK);
	CHECK_EQ(reads(5, 1), 0);
	the_buffer->data[9] ^= 1;
	CHECK_EQ(reads(5, 1), 1);
	run(fused(NVME_IO_COMPARE, NVME_FUSE_FIRST, 5), LBA, false, NVME_SC_COMPARE_FAILURE << 1);
	CHECK_EQ(reads(5, 1), 1);
	/* The old data or the new: a drive may be wrong about having written nothing. */
	run(fused(NVME_IO_WRITE, NVME_FUSE_SECOND, 5), LBA, false, NVME_SC_ABORTED_FAILED_FUSED << 1);
	CHECK_EQ(reads(5, 1), -1);
}

TRACK_TEST(a_status_with_only_phase_and_flags_is_a_success)
{
	run(io(NVME_IO_WRITE, 5, 1), LBA, true, NVME_STATUS_P | NVME_STATUS_M | NVME_STATUS_DNR);
	CHECK_EQ(reads(5, 1), 0);
}

TRACK_TEST(zeroes_and_uncorrectable_are_expected_as_they_were_asked_for)
{
	write_lbas(5, 2);
	run(io(NVME_IO_WRITE_ZEROES, 5, 1), 0, false, OK);
	CHECK_EQ(reads(5, 1), 1);
	memset(the_buffer->data, 0, LBA);
	CHECK_EQ(reads(5, 1), 0);
	run(io(NVME_IO_WRITE_UNCORRECTABLE, 5, 1), 0, false, OK);
	CHECK_EQ(reads(5, 1), 1);
	CHECK_EQ(the_mismatch.kind, PYN_MISMATCH_READABLE);
}

TRACK_TEST(write_zeroes_with_deac_leaves_zeros_whatever_was_there)
{
	for (uint64_t lba = 5; lba < 7; lba++) {
		struct nvme_cmd cmd = io(NVME_IO_WRITE_ZEROES, lba, 1);

		cmd.cdw12 |= NVME_RW_DEAC;
		write_lbas(5, 1); /* nobody has written 6 */
		run(cmd, 0, false, OK);
		CHECK_EQ(reads(lba, 1), 1);
		memset(the_buffer->data, 0, LBA);
		CHECK_EQ(reads(lba, 1), 0);
		the_buffer->data[9] = 1;
		CHECK_EQ(reads(lba, 1), 1);
	}
}

TRACK_TEST(a_deallocated_lba_that_was_read_as_zeros_stays_so)
{
	uint8_t kept[LBA];

	write_lbas(10, 1);
	memcpy(kept, the_buffer->data, LBA);
	((struct nvme_dsm_range *)the_buffer->data)[0] = (struct nvme_dsm_range){.nlb = 1, .slba = 10};
	run((struct nvme_cmd){.opc = NVME_IO_DSM, .nsid = 1, .cdw11 = NVME_DSM_AD}, LBA, false, OK);
	memcpy(the_buffer->data, kept, LBA);
	CHECK_EQ(reads(10, 1), 0); /* the drive has not taken the advice, yet */
	memset(the_buffer->data, 0, LBA);
	CHECK_EQ(reads(10, 1), 0);
	memcpy(the_buffer->data, kept, LBA);
	CHECK_EQ(reads(10, 1), 1);
}

/* The zeros may be the other command's. */
TRACK_TEST(zeros_in_a_buffer_that_two_reads_share_tell_nothing_of_a_deallocation)
{
	struct nvme_cmd cmd = io(NVME_IO_READ, 10, 1), other_cmd = io(NVME_IO_READ, 50, 1);
	struct pyn_track other;
	uint8_t kept[LBA];

	write_lbas(10, 1);
	memcpy(kept, the_buffer->data, LBA);
	((struct nvme_dsm_range *)the_buffer->data)[0] = (struct nvme_dsm_range){.nlb = 1, .slba = 10};
	run((struct nvme_cmd){.opc = NVME_IO_DSM, .nsid = 1, .cdw11 = NVME_DSM_AD}, LBA, false, OK);
	memset(the_buffer->data, 0, LBA);
	begin(cmd, LBA, false);
	pyn_track_begin(&other, the_table, &other_cmd, the_buffer, 0, LBA, false, true);
	CHECK(end(OK));
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	memcpy(the_buffer->data, kept, LBA);
	CHECK_EQ(reads(10, 1), 0);
}

TRACK_TEST(fua_survives_the_power_and_nothing_else_unflushed_does)
{
	struct nvme_cmd cmd = io(NVME_IO_WRITE, 5, 1);

	run(cmd, LBA, true, OK);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads(5, 1), -1);
	cmd.cdw12 |= NVME_RW_FUA;
	run(cmd, LBA, true, OK);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads(5, 1), 0);
	write_lbas(5, 1);
	run((struct nvme_cmd){.opc = NVME_IO_FLUSH}, 0, false, ABORTED);
	run((struct nvme_cmd){.opc = NVME_IO_FLUSH}, 0, false, OK);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads(5, 1), 0);
	write_lbas(5, 1);
	run((struct nvme_cmd){.opc = NVME_IO_FLUSH}, 0, false, ABORTED);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(reads(5, 1), -1);
}

TRACK_TEST(commands_that_change_no_data_change_nothing)
{
	static const uint8_t opcodes[] = {NVME_IO_COMPARE, NVME_IO_VERIFY, NVME_IO_RESERVATION_REGISTER,
					  NVME_IO_ZONE_MGMT_RECEIVE, NVME_IO_CANCEL};

	write_lbas(5, 1);
	for (unsigned i = 0; i < sizeof(opcodes); i++)
		run(io(opcodes[i], 5, 1), 0, false, OK);
	CHECK_EQ(reads(5, 1), 0);
}

TRACK_TEST(after_an_opcode_that_nobody_knows_nothing_is_known)
{
	static const uint8_t opcodes[] = {0x80, 0x81, 0x82, 0xff, 0x03, 0x7f};

	for (unsigned i = 0; i < sizeof(opcodes); i++) {
		CHECK(pyn_track_is_unknown(opcodes[i]));
		write_lbas(5, 1);
		begin(io(opcodes[i], 77, 1), LBA, false);
		struct nvme_cmd cmd = io(NVME_IO_READ, 5, 1);
		struct pyn_track meanwhile;

		pyn_track_begin(&meanwhile, the_table, &cmd, the_buffer, LBA, LBA, false, true);
		CHECK(pyn_track_end(&meanwhile, &done, &the_mismatch));
		CHECK(end(OK));
		CHECK_EQ(judged(), i);
		CHECK_EQ(reads(5, 1), -1);
		write_lbas(5, 1);
		run(io(opcodes[i], 77, 1), 0, false, NVME_SC_INVALID_OPCODE << 1); /* the drive neither */
		CHECK_EQ(reads(5, 1), 0);
		run(io(opcodes[i], 77, 1), 0, false, ABORTED);
		CHECK_EQ(reads(5, 1), -1);
	}
}

/* A view of a buffer, numpy's say, changes it without a word. */
TRACK_TEST(data_that_changed_in_flight_without_a_word_are_unknown)
{
	for (unsigned stamp = 0; stamp < 2; stamp++)
		for (uint32_t nlb = PYN_TRACK_INLINE - 1; nlb <= 40; nlb++) {
			uint8_t *last = the_buffer->data + nlb * LBA - 20;

			begin(io(NVME_IO_WRITE, 5, nlb), nlb * LBA, stamp);
			*last ^= 1;
			CHECK(end(OK));
			CHECK_EQ(reads(5, nlb), -1);
			begin(io(NVME_IO_WRITE, 5, nlb), nlb * LBA, stamp);
			*(last + LBA) ^= 1; /* beyond what is written */
			CHECK(end(OK));
			CHECK_EQ(reads(5, nlb), 0);
		}
}

TRACK_TEST(a_write_submitted_since_the_cache_is_off_survives_the_power)
{
	write_lbas(1, 1);
	struct pyn_track before, after;
	struct nvme_cmd cmd = io(NVME_IO_WRITE_ZEROES, 2, 1), zeroes = io(NVME_IO_WRITE_ZEROES, 3, 1);

	pyn_track_begin(&before, the_table, &cmd, NULL, 0, 0, false, false);
	pyn_verify_set_durable_since(the_table, pyn_ticks());
	pyn_track_begin(&after, the_table, &zeroes, NULL, 0, 0, false, false);
	pyn_track_end(&before, &done, &the_mismatch);
	pyn_track_end(&after, &done, &the_mismatch);
	pyn_verify_power_lost(the_table);
	memset(the_buffer->data, 0, LBA);
	CHECK_EQ(reads(1, 1), -1);
	CHECK_EQ(reads(2, 1), -1);
	CHECK_EQ(reads(3, 1), 0);
}

TRACK_TEST(fua_of_write_zeroes_survives_the_power)
{
	struct nvme_cmd cmd = io(NVME_IO_WRITE_ZEROES, 3, 1);

	cmd.cdw12 |= NVME_RW_FUA;
	run(cmd, 0, false, OK);
	pyn_verify_power_lost(the_table);
	memset(the_buffer->data, 0, LBA);
	CHECK_EQ(reads(3, 1), 0);
}

/* ---- all namespaces ---- */

static _Atomic uint32_t the_changes;
static struct pyn_tables_user *the_user;

static void run_on_all(uint8_t opcode, uint16_t status)
{
	struct nvme_cmd cmd = io(opcode, 0, 1);
	const struct nvme_cpl cpl = {.status = status};

	pyn_track_begin_all(&the_track, pyn_tables_all(the_user), &cmd, NULL, 0, 0);
	CHECK(pyn_track_end(&the_track, &cpl, &the_mismatch));
}

static void write_to(struct pyn_verify *table, uint64_t lba)
{
	struct nvme_cmd cmd = io(NVME_IO_WRITE, lba, 1);

	pyn_track_begin(&the_track, table, &cmd, the_buffer, 0, LBA, true, false);
	CHECK(end(OK));
}

static uint64_t judged_of(struct pyn_verify *table, uint64_t lba)
{
	struct nvme_cmd cmd = io(NVME_IO_READ, lba, 1);
	struct pyn_verify_counts before, after;

	pyn_verify_get_counts(table, &before);
	pyn_track_begin(&the_track, table, &cmd, the_buffer, 0, LBA, false, true);
	end(OK);
	pyn_verify_get_counts(table, &after);
	return after.checked - before.checked;
}

TRACK_TEST(a_flush_of_all_namespaces_covers_what_had_completed_in_each)
{
	struct pyn_verify *tables[2];
	struct nvme_cmd flush = {.opc = NVME_IO_FLUSH, .nsid = UINT32_MAX};
	struct pyn_track flushing;

	the_user = pyn_tables_join("/a/drive", &the_changes);
	for (unsigned i = 0; i < 2; i++) {
		tables[i] = pyn_tables_get(the_user, i + 1, true, NLBA, LBA, &err);
		write_to(tables[i], 1);
		write_to(tables[i], 2);
	}
	run_on_all(NVME_IO_FLUSH, ABORTED);
	pyn_track_begin_all(&flushing, pyn_tables_all(the_user), &flush, NULL, 0, 0);
	for (unsigned i = 0; i < 2; i++)
		write_to(tables[i], 2);
	CHECK(pyn_track_end(&flushing, &done, &the_mismatch));
	for (unsigned i = 0; i < 2; i++) {
		pyn_verify_power_lost(tables[i]);
		CHECK_EQ(judged_of(tables[i], 1), 1);
		CHECK_EQ(judged_of(tables[i], 2), 0);
		write_to(tables[i], 3);
	}
	run_on_all(NVME_IO_FLUSH, ABORTED);
	pyn_verify_power_lost(tables[1]);
	CHECK_EQ(judged_of(tables[1], 3), 0);
	run_on_all(0x81, ABORTED); /* whatever it does to whichever of them */
	CHECK_EQ(judged_of(tables[0], 3), 0);
	for (unsigned i = 0; i < 2; i++) {
		write_to(tables[i], 3);
		CHECK_EQ(judged_of(tables[i], 3), 1);
		pyn_verify_put(tables[i]);
	}
	pyn_tables_drop(the_user);
	run_on_all(NVME_IO_FLUSH, OK); /* of no namespace that anybody has opened */
	pyn_tables_leave(the_user, false);
	pyn_tables_free_user(the_user);
}

TRACK_TEST(controllers_of_a_subsystem_share_the_tables_of_its_namespaces)
{
	static _Atomic uint32_t changes[2];
	struct pyn_tables_user *users[2] = {pyn_tables_join("/one", &changes[0]),
					    pyn_tables_join("/two", &changes[1])};
	struct pyn_verify *shared[2], *own[2];
	uint64_t epoch;

	for (unsigned i = 0; i < 2; i++) {
		pyn_tables_rename(users[i], "the subsystem", i + 1);
		shared[i] = pyn_tables_get(users[i], 1, true, NLBA, LBA, &err);
		own[i] = pyn_tables_get(users[i], 2, false, NLBA, LBA, &err);
	}
	CHECK(shared[0] == shared[1]);
	CHECK(own[0] != own[1]);
	pyn_tables_changed(users[0]);
	CHECK_EQ(changes[0], 1);
	CHECK_EQ(changes[1], 1);

	/* A flush of one controller covers nothing that the other has completed. */
	write_to(shared[0], 1);
	epoch = pyn_verify_flush_begin(shared[0]);
	pyn_verify_flush_end(shared[0], epoch);
	pyn_verify_power_lost(shared[0]);
	CHECK_EQ(judged_of(shared[0], 1), 0);

	/* Without a write cache in both, writes are durable. */
	pyn_tables_durable_since(users[0], 0);
	CHECK_EQ(pyn_verify_durable_since(shared[0]), UINT64_MAX);
	pyn_tables_durable_since(users[1], 7);
	CHECK_EQ(pyn_verify_durable_since(shared[0]), 7);

	/* Once the other one is closed, a flush covers everything. */
	pyn_tables_leave(users[1], false);
	CHECK_EQ(pyn_verify_durable_since(shared[0]), 0);
	CHECK(!pyn_tables_find(users[1], 2));
	pyn_tables_durable_since(users[0], UINT64_MAX);
	write_to(shared[0], 1);
	epoch = pyn_verify_flush_begin(shared[0]);
	pyn_verify_flush_end(shared[0], epoch);
	pyn_verify_power_lost(shared[0]);
	CHECK_EQ(judged_of(shared[0], 1), 1);
	for (unsigned i = 0; i < 2; i++) {
		pyn_verify_put(shared[i]);
		pyn_verify_put(own[i]);
	}
	pyn_tables_leave(users[0], false);
	pyn_tables_free_user(users[0]);
	pyn_tables_free_user(users[1]);
}

TRACK_TEST(a_read_that_failed_or_was_abandoned_is_not_judged)
{
	write_lbas(5, 1);
	the_buffer->data[0] ^= 1;
	begin(io(NVME_IO_READ, 5, 1), LBA, false);
	CHECK(end(ABORTED));
	begin(io(NVME_IO_READ, 5, 32), 32 * LBA, false);
	pyn_track_cancel(&the_track);
	CHECK_EQ(judged(), 0);
}

/* ---- buffers ---- */

TRACK_TEST(two_reads_into_one_buffer_are_not_judged)
{
	struct nvme_cmd cmd = io(NVME_IO_READ, 5, 1);
	struct pyn_track other;

	write_lbas(5, 1);
	the_buffer->data[0] ^= 1;
	begin(cmd, LBA, false);
	pyn_track_begin(&other, the_table, &cmd, the_buffer, 0, LBA, false, true);
	CHECK(end(OK));
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	CHECK_EQ(judged(), 0);
	CHECK_EQ(reads(5, 1), 1);
}

TRACK_TEST(a_write_whose_buffer_was_changed_in_flight_is_unknown)
{
	begin(io(NVME_IO_WRITE, 5, 1), LBA, true);
	the_buffer->data[9] = 1;
	pyn_buffer_changed(the_buffer, 9, 1);
	CHECK(end(OK));
	CHECK_EQ(reads(5, 1), -1);
}

TRACK_TEST(a_second_stamp_into_a_buffer_in_flight_spoils_the_first_write_only)
{
	struct nvme_cmd cmd = io(NVME_IO_WRITE, 6, 1);
	struct pyn_track other;

	begin(io(NVME_IO_WRITE, 5, 1), LBA, true);
	pyn_track_begin(&other, the_table, &cmd, the_buffer, 0, LBA, true, false);
	CHECK(end(OK));
	CHECK(pyn_track_end(&other, &done, &the_mismatch));
	CHECK_EQ(reads(5, 1), -1);
	CHECK_EQ(reads(6, 1), 0);
}

TRACK_TEST(data_that_are_not_all_in_the_buffer_are_not_known)
{
	write_lbas(5, 2);
	run(io(NVME_IO_WRITE, 5, 2), LBA, true, OK); /* the device takes the second LBA from somewhere */
	CHECK_EQ(reads(5, 1), -1);
	write_lbas(5, 2);
	run(io(NVME_IO_WRITE, 5, 2), 0, true, OK); /* both */
	CHECK_EQ(reads(5, 2), -1);
	write_lbas(5, 2);
	begin(io(NVME_IO_READ, 5, 2), LBA, false);
	CHECK(end(OK));
	CHECK_EQ(judged(), 0);
}

TRACK_TEST(an_offset_in_a_buffer_is_where_the_data_are)
{
	struct nvme_cmd write = io(NVME_IO_WRITE, 5, 2), read = io(NVME_IO_READ, 5, 2);

	pyn_track_begin(&the_track, the_table, &write, the_buffer, 104, 2 * LBA, true, false);
	CHECK(end(OK));
	CHECK_EQ(*(uint64_t *)(the_buffer->data + 104), 5);
	pyn_track_begin(&the_track, the_table, &read, the_buffer, 104, 2 * LBA, false, true);
	CHECK(end(OK));
	CHECK_EQ(judged(), 2);
}

TRACK_TEST(without_a_table_only_the_buffer_is_held)
{
	struct nvme_cmd cmd = io(NVME_IO_WRITE, 5, 1);

	the_buffer->data[0] = 0x33;
	pyn_track_begin(&the_track, NULL, &cmd, the_buffer, 0, LBA, true, true);
	CHECK_EQ(the_buffer->references, 2);
	CHECK_EQ(the_buffer->data[0], 0x33);
	CHECK(end(OK));
}

/* ---- many LBAs by one command ---- */

TRACK_TEST(each_range_of_a_deallocation_may_read_as_zeros)
{
	write_lbas(10, 1);
	write_lbas(20, 1);
	write_lbas(30, 1);
	memset(the_buffer->data, 0, LBA);
	set_range(0, 10, 1);
	set_range(1, 30, 1);
	run(dsm(2), LBA, false, OK);
	memset(the_buffer->data, 0, LBA);
	CHECK_EQ(reads(10, 1), 0);
	CHECK_EQ(reads(20, 1), 1);
	CHECK_EQ(reads(30, 1), 0);
}

TRACK_TEST(dsm_without_deallocate_changes_nothing)
{
	struct nvme_cmd cmd = dsm(1);

	write_lbas(10, 1);
	memset(the_buffer->data, 0, LBA);
	set_range(0, 10, 1);
	cmd.cdw11 = 0x3;
	run(cmd, LBA, false, OK);
	memset(the_buffer->data, 0, LBA);
	CHECK_EQ(reads(10, 1), 1);
}

TRACK_TEST(a_range_list_that_cannot_be_known_makes_everything_unknown)
{
	write_lbas(10, 1);
	run(dsm(256), LBA, false, OK); /* 4096 bytes of ranges, of which 512 are in the buffer */
	CHECK_EQ(reads(10, 1), -1);
	write_lbas(10, 1);
	run(dsm(1), 0, false, OK);
	CHECK_EQ(reads(10, 1), -1);
	write_lbas(10, 1);
	begin(dsm(1), LBA, false);
	pyn_buffer_changed(the_buffer, 0, 16); /* the script sets other ranges in flight */
	CHECK(end(OK));
	CHECK_EQ(reads(10, 1), -1);
	write_lbas(10, 1);
	CHECK_EQ(reads(10, 1), 0);
}

TRACK_TEST(ranges_that_overlap_are_unknown_and_then_as_before)
{
	write_lbas(10, 4);
	set_range(0, 10, 3);
	set_range(1, 12, 2);
	run(dsm(2), LBA, false, OK);
	CHECK_EQ(reads(12, 1), -1);
	write_lbas(10, 4);
	CHECK_EQ(reads(10, 4), 0);
}

/* 256 ranges of 2^32 LBAs: noted one by one they would take all memory. */
TEST(a_deallocation_of_a_whole_large_drive_costs_nothing_and_leaves_it_unknown)
{
	const uint64_t nlba = (UINT64_C(16) << 40) / LBA;

	pyn_token_start(&err);
	the_table = pyn_verify_create(1, nlba, LBA, &err);
	the_buffer = pyn_buffer_create(4096, &err);
	write_lbas(nlba - 8, 8);
	for (unsigned i = 0; i < 256; i++)
		set_range(i, i * (nlba / 256), UINT32_MAX);
	struct pyn_track deallocation;
	struct nvme_cmd trim = dsm(256);

	pyn_track_begin(&deallocation, the_table, &trim, the_buffer, 0, 4096, false, false);

	/* Before its end nobody knows what it has reached. */
	write_lbas(5, 1);
	CHECK_EQ(reads(5, 1), -1);
	struct nvme_cmd cmd = io(NVME_IO_WRITE, 6, 1);
	struct pyn_track writing;

	pyn_track_begin(&writing, the_table, &cmd, NULL, 0, 0, true, false);
	pyn_track_end(&deallocation, &done, &the_mismatch);
	CHECK_EQ(reads(5, 1), -1);
	CHECK_EQ(reads(nlba - 8, 8), -1);
	pyn_track_end(&writing, &done, &the_mismatch);
	CHECK_EQ(reads(6, 1), -1);
	write_lbas(5, 1);
	CHECK_EQ(reads(5, 1), 0);
	pyn_buffer_put(the_buffer);
	pyn_verify_put(the_table);
}

TRACK_TEST(a_large_deallocation_whose_ranges_changed_in_flight_leaves_everything_unknown)
{
	write_lbas(10, 1);
	set_range(0, 50000, 16);
	set_range(1, 50000, UINT32_MAX);
	begin(dsm(2), LBA, false);
	pyn_buffer_changed(the_buffer, 0, 16);
	CHECK(end(OK));
	CHECK_EQ(reads(10, 1), -1);
}

TRACK_TEST(a_copy_of_unwritten_lbas_is_unknown)
{
	struct nvme_cmd cmd = {.opc = NVME_IO_COPY, .nsid = 1, .cdw10 = 100, .cdw12 = 1};

	write_lbas(100, 8);
	uint8_t kept[8 * LBA];

	memcpy(kept, the_buffer->data, sizeof(kept));
	memset(the_buffer->data, 0, LBA);
	the_buffer->data[16] = 2;      /* range 0: 3 LBAs */
	the_buffer->data[32 + 16] = 1; /* range 1: 2 LBAs */
	run(cmd, LBA, false, OK);
	memcpy(the_buffer->data, kept, sizeof(kept));
	uint64_t before = judged();

	CHECK_EQ(reads(100, 8), 0);
	CHECK_EQ(judged() - before, 3); /* those behind the five */
	cmd.cdw12 = 4 << 8;             /* an unknown format: it may write anything */
	run(cmd, LBA, false, OK);
	CHECK_EQ(reads(105, 1), -1);
}
