/* SPDX-License-Identifier: BSD-3-Clause */
/* Guards and tuples of protection information, with the published check values. */
/* sources: core/data/protection.c core/util/guards.c core/util/crc32c.c */
#include "core/data/protection.h"
#include "core/util/guards.h"
#include "tests/c/test.h"

static const char the_digits[] = "123456789";

TEST(the_checksums_have_their_published_check_values)
{
	CHECK_EQ(pyn_crc16(0, the_digits, 9), 0xd0db);
	CHECK_EQ(pyn_crc64(0, the_digits, 9), UINT64_C(0xae8b14860a799888));
}

static uint16_t slow_16(uint16_t crc, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		crc = (uint16_t)(crc ^ data[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc << 1 ^ (crc & 0x8000 ? 0x8bb7 : 0));
	}
	return crc;
}

TEST(they_are_the_same_for_each_length_and_in_pieces)
{
	uint8_t data[100];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i * 37 + 11);
	for (size_t length = 0; length <= sizeof(data); length++) {
		CHECK_EQ(pyn_crc16(0, data, length), slow_16(0, data, length));
		for (size_t first = 0; first <= length; first += 13) {
			CHECK_EQ(pyn_crc16(pyn_crc16(0, data, first), data + first, length - first),
				 pyn_crc16(0, data, length));
			CHECK_EQ(pyn_crc64(pyn_crc64(0, data, first), data + first, length - first),
				 pyn_crc64(0, data, length));
		}
	}
}

static const struct nvme_cmd the_command = {
	.cdw2 = 0x1122, .cdw3 = 0x33445566, .cdw14 = 0xffffffff, .cdw15 = 0xffffabcd};

static void check_tuple(const struct pyn_protection *protection, uint64_t index, const char *wanted)
{
	struct pyn_tags tags = pyn_tags_of(&the_command);
	uint8_t metadata[64] = {0};
	uint32_t bytes = pyn_tuple_bytes(protection->guard);
	uint32_t place = protection->first ? 0 : protection->ms - bytes;

	pyn_protection_make(protection, the_digits, 9, metadata, &tags, index);
	CHECK(memcmp(metadata + place, wanted, bytes) == 0);
	for (uint32_t i = 0; i < protection->ms; i++)
		CHECK(metadata[i] == 0 || (i >= place && i < place + bytes));
	CHECK_EQ(pyn_protection_check(protection, the_digits, 9, metadata, &tags, index), PYN_TUPLE_RIGHT);
	metadata[place] ^= 1;
	CHECK_EQ(pyn_protection_check(protection, the_digits, 9, metadata, &tags, index), PYN_TUPLE_GUARD);
	metadata[place] ^= 1;
	metadata[place + bytes - 1] ^= 1;
	CHECK_EQ(pyn_protection_check(protection, the_digits, 9, metadata, &tags, index), PYN_TUPLE_REFERENCE);
}

TEST(tuples_lie_where_the_specification_has_them)
{
	check_tuple(&(struct pyn_protection){.type = 1, .ms = 8}, 0, "\xd0\xdb\xab\xcd\xff\xff\xff\xff");
	check_tuple(&(struct pyn_protection){.type = 1, .ms = 8}, 2, "\xd0\xdb\xab\xcd\x00\x00\x00\x01");
	check_tuple(&(struct pyn_protection){.type = 1, .ms = 8, .sts = 8}, 2, "\xd0\xdb\xab\xcd\xff\x00\x00\x01");
	check_tuple(&(struct pyn_protection){.type = 3, .ms = 8}, 2, "\xd0\xdb\xab\xcd\xff\xff\xff\xff");
	check_tuple(&(struct pyn_protection){.type = 1, .ms = 64, .first = true}, 0,
		    "\xd0\xdb\xab\xcd\xff\xff\xff\xff");
	check_tuple(&(struct pyn_protection){.type = 1, .ms = 16, .guard = PYN_GUARD_32, .sts = 16}, 1,
		    "\xe3\x06\x92\x83\xab\xcd\x11\x22\x33\x44\x55\x67\x00\x00\x00\x00");
	check_tuple(&(struct pyn_protection){.type = 2, .ms = 16, .guard = PYN_GUARD_32, .sts = 64}, 3,
		    "\xe3\x06\x92\x83\xab\xcd\x11\x22\x33\x44\x55\x66\xff\xff\x00\x02");
	check_tuple(&(struct pyn_protection){.type = 1, .ms = 16, .guard = PYN_GUARD_64}, 1,
		    "\xae\x8b\x14\x86\x0a\x79\x98\x88\xab\xcd\x55\x67\x00\x00\x00\x00");
}

TEST(the_guard_covers_metadata_before_the_tuple_and_none_behind_it)
{
	struct pyn_protection last = {.type = 1, .ms = 16}, first = {.type = 1, .ms = 16, .first = true};
	struct pyn_tags tags = {.app = 1};
	uint8_t metadata[16] = "metadata";

	pyn_protection_make(&last, the_digits, 9, metadata, &tags, 0);
	CHECK_EQ(metadata[8] << 8 | metadata[9], pyn_crc16(0, "123456789metadata", 17));
	pyn_protection_make(&first, the_digits, 9, metadata, &tags, 0);
	CHECK_EQ(metadata[0] << 8 | metadata[1], 0xd0db);
}

TEST(the_reference_tag_of_a_command_leaves_its_storage_tag_alone)
{
	struct nvme_cmd cmd = the_command;
	struct pyn_protection protection = {.type = 1, .ms = 16, .guard = PYN_GUARD_64, .sts = 16};

	pyn_tags_put(&protection, &cmd, UINT64_C(0x123456789abc));
	CHECK_EQ(cmd.cdw3, 0x33445566);
	CHECK_EQ(cmd.cdw14, 0x56789abc);
	protection = (struct pyn_protection){.type = 1, .ms = 8};
	pyn_tags_put(&protection, &cmd, UINT64_C(0x123456789abc));
	CHECK_EQ(cmd.cdw14, 0x56789abc);
}
