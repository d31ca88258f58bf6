/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of verification: what a second table learns from them, and which files are refused. */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/util/crc32c.h"
#include "core/verify/verify_save.h"
#include "core/verify/verify_table.h"

#define LBA 512u
#define NLBA UINT64_C(5000)

#include "tests/c/table_test.h"

static const struct pyn_save_identity the_identity = {
	.serial = "S1", .model = "M1", .eui64 = {1}, .nguid = {2}, .nsid = 7, .nlba = NLBA, .lba_size = LBA};
static struct pyn_save_counts the_drive = {1, 3, 4, 500, 600};
static struct pyn_saved the_saved;
static char the_path[64];

__attribute__((constructor)) static void choose_path(void)
{
	snprintf(the_path, sizeof(the_path), "build/test_verify_save.%d", (int)getpid());
}

__attribute__((destructor)) static void remove_file(void)
{
	unlink(the_path);
}

static int save(void)
{
	return pyn_verify_save(the_table, the_path, &the_identity, &the_drive, &the_saved, &err);
}

static int load_as(const struct pyn_save_identity *identity, bool trust)
{
	return pyn_verify_load(the_table, the_path, identity, &the_drive, trust, &the_saved, &err);
}

static int load(void)
{
	return load_as(&the_identity, false);
}

/* Another process: it has a new table, and did not close the drive. */
static void restart(void)
{
	pyn_verify_put(the_table);
	the_table = new_table(7, NLBA, LBA, the_form == MOVED ? NODES : the_form);
}

/* What a script does with a write. */
static void write_sent(uint64_t slba, uint32_t nlb)
{
	begin_write(slba, nlb);
	pyn_verify_will_change(the_table, slba, nlb);
	pyn_verify_write_end(the_table, slba, nlb, PYN_WRITE_DONE);
}

static void flush(void)
{
	pyn_verify_flush_end(the_table, pyn_verify_flush_begin(the_table));
}

/* Judge the_data as the last write of these LBAs by write_sent, and as damaged. */
static void is_judged(uint64_t slba, uint32_t nlb, unsigned line)
{
	if (!CHECK_EQ(judge(slba, nlb), PYN_MISMATCH_NONE) || !CHECK_EQ(the_counts.checked, nlb))
		fprintf(stderr, "  line %u, form %d\n", line, the_form);
	the_data[100] ^= 1;
	CHECK_EQ(judge(slba, nlb), PYN_MISMATCH_CORRUPT);
	the_data[100] ^= 1;
}
#define IS_JUDGED(slba, nlb) is_judged(slba, nlb, __LINE__)

TABLE_TEST(a_second_process_judges_what_the_first_one_has_written)
{
	write_sent(40, 100);
	CHECK_EQ(save(), 0);
	CHECK_EQ(the_saved.known, 100);
	restart();
	CHECK_EQ(judge(40, 100), -1);
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.known, 100);
	IS_JUDGED(40, 100);
	CHECK_EQ(judge(140, 5), -1);
}

TABLE_TEST(all_states_come_back)
{
	pyn_verify_set_dlfeat(the_table, true);
	write_sent(0, 8);
	pyn_verify_change_begin(the_table, 100, 4, PYN_CELL_ZEROES);
	pyn_verify_change_end(the_table, 100, 4, PYN_WRITE_DONE);
	pyn_verify_change_begin(the_table, 200, 4, PYN_CELL_UNCORRECTABLE);
	pyn_verify_change_end(the_table, 200, 4, PYN_WRITE_DONE);
	pyn_verify_change_begin(the_table, 0, 4, PYN_CELL_DEALLOCATED);
	pyn_verify_change_end(the_table, 0, 4, PYN_WRITE_DONE);
	CHECK_EQ(save(), 0);
	restart();
	pyn_verify_set_dlfeat(the_table, true);
	CHECK(!pyn_verify_has_uncorrectable(the_table));
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.known, 16);
	CHECK(pyn_verify_has_uncorrectable(the_table));
	memset(the_data, 0, sizeof(the_data));
	CHECK_EQ(judge(100, 4), PYN_MISMATCH_NONE);
	CHECK_EQ(judge(0, 4), PYN_MISMATCH_NONE);
	CHECK_EQ(judge(200, 4), PYN_MISMATCH_READABLE);
	memset(the_data, 1, sizeof(the_data));
	CHECK_EQ(judge(100, 4), PYN_MISMATCH_CORRUPT);
	CHECK_EQ(judge(0, 4), PYN_MISMATCH_CORRUPT);
}

TABLE_TEST(writes_in_flight_and_unknown_lbas_are_not_saved)
{
	write_sent(0, 20);
	pyn_verify_forget(the_table, 3, 1);
	begin_write(8, 4);
	CHECK_EQ(save(), 0);
	CHECK_EQ(the_saved.known, 15);
	pyn_verify_write_end(the_table, 8, 4, PYN_WRITE_DONE);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(judge(8, 4), -1);
	CHECK_EQ(judge(3, 1), -1);
}

TABLE_TEST(what_changes_after_the_save_is_stale_in_every_file_of_it)
{
	write_sent(0, 100);
	CHECK_EQ(save(), 0);
	write_sent(10, 3);
	pyn_verify_forget(the_table, 90, 1);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.stale, 4);
	CHECK_EQ(the_saved.known, 96);
	CHECK_EQ(judge(10, 3), -1);
	/* The second process changes more, and dies too. */
	write_sent(20, 1);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.stale, 5);
	CHECK_EQ(judge(20, 1), -1);
}

TABLE_TEST(a_worker_makes_its_region_stale_and_keeps_others_from_saving)
{
	write_sent(0, 100);
	CHECK_EQ(save(), 0);
	pyn_verify_writer_begin(the_table, 50, 10);
	CHECK_EQ(save(), -EBUSY);
	CHECK_HAS(err.text, "an IO worker writes to namespace 7");
	CHECK_EQ(load(), -EBUSY);
	pyn_verify_writer_end(the_table);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.stale, 10);
}

TABLE_TEST(a_command_of_unknown_effect_makes_everything_stale)
{
	write_sent(0, 100);
	CHECK_EQ(save(), 0);
	pyn_verify_suspend(the_table);
	CHECK_EQ(save(), -EBUSY);
	pyn_verify_will_change(the_table, 0, UINT64_MAX);
	pyn_verify_resume(the_table);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.known, 0);
	CHECK_EQ(the_saved.stale, 100);
}

TABLE_TEST(volatile_data_need_power_or_a_shutdown)
{
	const struct pyn_save_counts before = the_drive;

	write_sent(0, 10);
	flush();
	write_sent(10, 10);
	CHECK_EQ(save(), 0);
	restart();
	the_drive.cycles++;
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.lost, 10);
	CHECK_EQ(judge(10, 10), -1);
	the_drive = before;

	/* In this process the power stays, and is lost later. */
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.known, 20);
	IS_JUDGED(10, 10);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judge(10, 10), -1);
	CHECK_EQ(judge(0, 10) >= 0, true);
	pyn_verify_note_close(the_table, true, &the_drive);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.lost, 10);
}

TABLE_TEST(a_normal_shutdown_makes_everything_durable)
{
	const struct pyn_save_counts before = the_drive;

	write_sent(10, 10);
	CHECK_EQ(save(), 0);
	pyn_verify_note_close(the_table, true, &the_drive);
	the_drive.cycles++;
	restart();
	CHECK_EQ(load(), 0);
	IS_JUDGED(10, 10);
	pyn_verify_power_lost(the_table);
	IS_JUDGED(10, 10);
	the_drive = before;
}

TABLE_TEST(what_is_loaded_becomes_durable_by_a_flush)
{
	write_sent(10, 10);
	CHECK_EQ(save(), 0);
	restart();
	CHECK_EQ(load(), 0);
	flush();
	pyn_verify_power_lost(the_table);
	IS_JUDGED(10, 10);
}

TABLE_TEST(what_this_process_knows_or_has_changed_is_newer)
{
	write_sent(0, 100);
	CHECK_EQ(save(), 0);
	restart();
	write_sent(10, 5);
	pyn_verify_will_change(the_table, 20, 5);
	pyn_verify_forget(the_table, 20, 5);
	CHECK_EQ(load_as(&the_identity, true), 0);
	CHECK_EQ(the_saved.stale, 10);
	CHECK_EQ(judge(20, 5), -1);
	CHECK_EQ(judge(10, 5), PYN_MISMATCH_NONE);
	CHECK_EQ(the_counts.checked, 5);
}

#define MS 8u

static const struct pyn_layout the_layout = {.protection = {.ms = MS}};

/* Write the metadata of LBAs, each byte of which is that of its LBA. */
static void write_metadata(uint64_t slba, uint32_t nlb, enum pyn_write_outcome outcome)
{
	struct pyn_verify *metadata = pyn_verify_metadata(the_table);
	uint8_t data[64 * MS];

	for (uint32_t i = 0; i < nlb; i++)
		memset(data + i * MS, (int)(slba + i), MS);
	pyn_verify_write_begin(metadata, slba, nlb, data, false, 0);
	pyn_verify_write_end(metadata, slba, nlb, outcome);
	pyn_verify_put(metadata);
}

/* Read the metadata of an LBA that has this byte. Returns the mismatch, or -1 if it is not judged. */
static int judge_metadata(uint64_t lba, uint8_t byte)
{
	struct pyn_verify *metadata = pyn_verify_metadata(the_table);
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch found = {0};
	uint8_t data[MS];
	uint64_t cell;

	memset(data, byte, sizeof(data));
	pyn_verify_read_begin(metadata, lba, 1, &cell);
	pyn_verify_read_end(metadata, lba, 1, data, &cell, &counts, &found);
	pyn_verify_put(metadata);
	return counts.checked ? (int)found.kind : -1;
}

TABLE_TEST(metadata_are_saved_and_judged_like_data)
{
	struct pyn_save_identity identity = the_identity;

	identity.metadata = MS;
	CHECK_EQ(pyn_verify_set_layout(the_table, &the_layout, &err), 0);
	write_sent(0, 30);
	write_metadata(0, 20, PYN_WRITE_DURABLE);
	write_metadata(20, 5, PYN_WRITE_DONE);
	write_metadata(100, 3, PYN_WRITE_DURABLE);
	CHECK_EQ(pyn_verify_save(the_table, the_path, &identity, &the_drive, &the_saved, &err), 0);
	CHECK_EQ(the_saved.known, 30);
	pyn_verify_will_change(the_table, 7, 1);
	restart();
	CHECK_EQ(pyn_verify_set_layout(the_table, &the_layout, &err), 0);
	the_drive.losses++;
	CHECK_EQ(load_as(&identity, true), 0);
	the_drive.losses--;
	CHECK_EQ(judge_metadata(6, 6), PYN_MISMATCH_NONE);
	CHECK_EQ(judge_metadata(8, 9), PYN_MISMATCH_METADATA);
	CHECK_EQ(judge_metadata(7, 7), -1);
	CHECK_EQ(judge_metadata(20, 20), -1);
	CHECK_EQ(judge_metadata(25, 25), -1);
	CHECK_EQ(judge_metadata(102, 102), PYN_MISMATCH_NONE);
}

TABLE_TEST(writes_that_no_session_has_sent_are_noticed)
{
	const struct pyn_save_counts before = the_drive;

	write_sent(0, 10);
	CHECK_EQ(save(), 0);
	restart();
	the_drive.writes += 12;
	CHECK_EQ(load(), -EINVAL);
	CHECK_EQ(err.kind, PYN_ERROR_CONTENT);
	CHECK_HAS(err.text, "12 write commands");
	CHECK_EQ(load_as(&the_identity, true), 0);
	pyn_verify_note_close(the_table, true, &the_drive);
	restart();
	CHECK_EQ(load(), 0);
	the_drive = before;
}

TEST(a_file_of_another_namespace_is_refused_by_name)
{
	struct pyn_save_identity other;

	begin_test(FLAT);
	write_sent(0, 10);
	CHECK_EQ(save(), 0);
#define REFUSES(member, said)                                                                                        \
	other = the_identity;                                                                                        \
	((uint8_t *)&other.member)[0]++;                                                                             \
	CHECK_EQ(load_as(&other, false), -EINVAL);                                                                   \
	CHECK_EQ(err.kind, PYN_ERROR_CONTENT);                                                                       \
	CHECK_HAS(err.text, said)
	REFUSES(serial, "the drive with serial number \"S1\", and this is \"T1\"");
	REFUSES(model, "the drive of model \"M1\", and this is \"N1\"");
	REFUSES(nsid, "namespace 7, and this is 8");
	REFUSES(lba_size, "bytes: 512, and this is 513");
	REFUSES(metadata, "bytes of metadata: 0, and this is 1");
	REFUSES(nlba, "LBAs: 5000, and this is 5001");
	REFUSES(eui64, "another EUI64 or NGUID");
	REFUSES(nguid, "another EUI64 or NGUID");
	end_test();
}

static size_t read_file(uint8_t *data, size_t size)
{
	FILE *file = fopen(the_path, "rb");
	size_t length = fread(data, 1, size, file);

	fclose(file);
	return length;
}

static void write_file(const uint8_t *data, size_t size)
{
	FILE *file = fopen(the_path, "wb");

	CHECK_EQ(fwrite(data, 1, size, file), size);
	fclose(file);
}

/* LBAs of the table with known data, and how many of them are wrong: those that changed after the save. */
static unsigned wrong_lbas(void)
{
	unsigned wrong = 0;

	for (uint64_t lba = 40; lba < 48; lba++) {
		uint64_t cell = 0;

		pyn_verify_read_begin(the_table, lba, 1, &cell);
		wrong += cell != 0;
	}
	return wrong;
}

TEST(a_damaged_file_is_refused_wherever_the_damage_is)
{
	static uint8_t good[16384], bad[16384];
	unsigned loaded = 0;

	begin_test(FLAT);
	write_sent(0, 64);
	CHECK_EQ(save(), 0);
	write_sent(40, 4);
	write_sent(44, 4);
	size_t size = read_file(good, sizeof(good));

	for (size_t at = 0; at < size; at++) {
		/* The rest of the page of the header is not used. */
		if ((at >= sizeof(struct pyn_save_header) && at < PYN_SAVE_COUNT) ||
		    (at >= PYN_SAVE_COUNT + sizeof(struct pyn_save_count) && at < PYN_SAVE_HEADER))
			continue;
		memcpy(bad, good, size);
		bad[at] ^= 1u << at % 8;
		write_file(bad, size);
		restart();
		loaded += load() == 0;
		CHECK_EQ(err.kind, PYN_ERROR_CONTENT);
		CHECK_EQ(wrong_lbas(), 0);
	}
	CHECK_EQ(loaded, 0);
	end_test();
}

TEST(a_file_that_was_cut_off_is_refused_or_knows_less)
{
	static uint8_t good[16384];

	begin_test(FLAT);
	write_sent(0, 64);
	CHECK_EQ(save(), 0);
	write_sent(40, 4);
	write_sent(44, 4);
	size_t size = read_file(good, sizeof(good)), whole = size - sizeof(struct pyn_save_record);

	for (size_t length = 0; length < size; length++) {
		write_file(good, length);
		restart();
		int rc = load();

		/* Only the last record may be missing in part: its command was never sent. */
		CHECK_EQ(rc == 0, length > whole);
		CHECK(rc == 0 || err.kind == PYN_ERROR_CONTENT);
	}
	end_test();
}

TEST(a_record_that_was_cut_off_by_a_loss_of_power_is_left_out_and_overwritten)
{
	static uint8_t data[16384];

	begin_test(FLAT);
	write_sent(0, 64);
	CHECK_EQ(save(), 0);
	write_sent(40, 4);
	write_sent(44, 4);
	size_t size = read_file(data, sizeof(data));

	memset(data + size - 40, 0, 40);
	write_file(data, size);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.stale, 4);
	write_sent(8, 1);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.stale, 5);
	end_test();
}

TEST(another_version_and_other_files_are_refused_by_name)
{
	static uint8_t data[16384];

	begin_test(FLAT);
	CHECK_EQ(save(), 0);
	size_t size = read_file(data, sizeof(data));

	data[offsetof(struct pyn_save_header, version)] = 9;
	write_file(data, size);
	CHECK_EQ(load(), -EINVAL);
	CHECK_HAS(err.text, "version 9 of the format, and this pynvme reads versions 1 to 2");
	write_file((const uint8_t *)"hello", 5);
	CHECK_EQ(load(), -EINVAL);
	CHECK_HAS(err.text, "no file of verify_save()");
	unlink(the_path);
	CHECK_EQ(load(), -ENOENT);
	CHECK_EQ(err.kind, PYN_ERROR_SYSTEM);
	end_test();
}

TEST(a_save_that_fails_leaves_the_old_file_alone)
{
	static uint8_t before[16384], after[16384];

	begin_test(FLAT);
	write_sent(0, 64);
	CHECK_EQ(save(), 0);
	size_t size = read_file(before, sizeof(before));

	CHECK_EQ(pyn_verify_save(the_table, "build/no/such/folder", &the_identity, &the_drive, &the_saved, &err),
		 -ENOENT);
	CHECK(pyn_verify_save(the_table, "build", &the_identity, &the_drive, &the_saved, &err) < 0);
	CHECK_EQ(read_file(after, sizeof(after)), size);
	CHECK_MEM(after, before, size);
	/* And it is still followed. */
	write_sent(3, 1);
	restart();
	CHECK_EQ(load(), 0);
	CHECK_EQ(the_saved.stale, 1);
	end_test();
}

TEST(a_large_drive_costs_a_file_in_proportion_to_what_was_touched)
{
	const uint64_t nlba = UINT64_C(1) << 35;
	struct pyn_save_identity identity = the_identity;
	struct stat status;

	begin_test(NODES);
	pyn_verify_put(the_table);
	the_table = new_table(7, nlba, LBA, NODES);
	identity.nlba = nlba;
	for (unsigned i = 0; i < 1000; i++)
		write_sent((uint64_t)i * 33554393, 1);
	write_sent(nlba - 1, 1);
	CHECK_EQ(pyn_verify_save(the_table, the_path, &identity, &the_drive, &the_saved, &err), 0);
	CHECK_EQ(the_saved.known, 1001);
	CHECK_EQ(stat(the_path, &status), 0);
	CHECK(status.st_size < 40000);
	for (unsigned i = 0; i < 1000; i += 2)
		write_sent((uint64_t)i * 33554393, 1);
	pyn_verify_put(the_table);
	the_table = new_table(7, nlba, LBA, NODES);
	CHECK_EQ(load_as(&identity, false), 0);
	CHECK_EQ(the_saved.known + the_saved.stale, 1001);
	CHECK(the_saved.stale >= 500 && the_saved.stale < 1001);
	for (unsigned i = 0; i < 1000; i += 2)
		CHECK_EQ(judge((uint64_t)i * 33554393, 1), -1);
	end_test();
	unlink(the_path);
}

TEST(records_are_few_however_many_changes_there_are)
{
	struct stat status;

	begin_test(FLAT);
	write_sent(0, 64);
	CHECK_EQ(save(), 0);
	for (uint64_t lba = 0; lba < NLBA; lba++)
		write_sent(lba, 1);
	CHECK_EQ(stat(the_path, &status), 0);
	CHECK(status.st_size < 4096 + 1024 + 2000 * 80);
	end_test();
	unlink(the_path);
}
