/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: spec/commands.c core/data/transfer.c */
/* The table of commands against what the specifications say, typed by hand. */
#include "core/data/transfer.h"
#include "spec/commands.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "tests/c/test.h"

static uint64_t admin(uint8_t opcode, uint32_t cdw10, uint32_t cdw11, uint32_t cdw12)
{
	struct nvme_cmd cmd = {.opc = opcode, .cdw10 = cdw10, .cdw11 = cdw11, .cdw12 = cdw12};

	return pyn_transfer_admin(&cmd);
}

static uint64_t io(uint8_t opcode, uint32_t cdw10, uint32_t cdw12, uint32_t lba_bytes)
{
	struct nvme_cmd cmd = {.opc = opcode, .cdw10 = cdw10, .cdw12 = cdw12};

	return pyn_transfer_io(&cmd, lba_bytes);
}

TEST(lengths_of_admin_commands)
{
	CHECK_EQ(admin(0x06, 0, 0, 0), 4096);
	CHECK_EQ(admin(0x02, 0x007f0002, 0, 0), 512);
	CHECK_EQ(admin(0x02, 0xffff0002, 0xffff, 0), UINT64_C(1) << 34);
	CHECK_EQ(admin(0x02, 0x00000002, 0xabcd0001, 0), (UINT64_C(0x10000) + 1) * 4);
	CHECK_EQ(admin(0x11, 0x3ff, 0, 0), 4096);
	CHECK_EQ(admin(0x0d, 0, 0, 0), 4096);
	CHECK_EQ(admin(0x0d, 1, 0, 0), PYN_TRANSFER_ANY);
	CHECK_EQ(admin(0x0d, 0x10, 0, 0), 4096);
	CHECK_EQ(admin(0x15, 1, 0, 0), 4096);
	CHECK_EQ(admin(0x81, 0, 100, 0), 100);
	CHECK_EQ(admin(0x82, 0, 100, 0), 100);
	CHECK_EQ(admin(0x82, 0, 0, 0), PYN_TRANSFER_ANY);
	CHECK_EQ(admin(0x86, 0, 0, 7), 32);
	CHECK_EQ(admin(0x09, 7, 0, 0), PYN_TRANSFER_ANY);
	CHECK_EQ(admin(0xc0, 7, 7, 7), PYN_TRANSFER_ANY);
	CHECK_EQ(admin(0xff, 7, 7, 7), PYN_TRANSFER_ANY);
}

TEST(lengths_of_io_commands)
{
	CHECK_EQ(io(0x02, 0, 7, 512), 4096);
	CHECK_EQ(io(0x01, 0, 0xffffffff, 4096), UINT64_C(65536) * 4096);
	CHECK_EQ(io(0x05, 0, 0, 520), 520);
	CHECK_EQ(io(0x7d, 0, 1, 512), 1024);
	CHECK_EQ(io(0x02, 0, 7, 0), PYN_TRANSFER_ANY);
	CHECK_EQ(io(0x09, 0xffffff02, 0, 512), 3 * 16);
	CHECK_EQ(io(0x19, 0, 0x000, 512), 32);
	CHECK_EQ(io(0x19, 0, 0x1ff, 512), 256 * 40);
	CHECK_EQ(io(0x19, 0, 0x200, 512), 32);
	CHECK_EQ(io(0x19, 0, 0x301, 512), 2 * 40);
	CHECK_EQ(io(0x7a, 0, 1023, 512), 4096);
	CHECK_EQ(io(0x0e, 1023, 0, 512), 4096);
	CHECK_EQ(io(0x0d, 0, 0, 512), 16);
	CHECK_EQ(io(0x11, 0, 0, 512), 16);
	CHECK_EQ(io(0x15, 0, 0, 512), 8);
	CHECK_EQ(io(0x00, 0, 0, 512), PYN_TRANSFER_ANY);
	CHECK_EQ(io(0x08, 0, 7, 512), PYN_TRANSFER_ANY);
	CHECK_EQ(io(0x03, 0, 7, 512), PYN_TRANSFER_ANY);
}

static bool transfers_data(const struct spec_command *command)
{
	return command->length.kind != SPEC_LENGTH_ANY;
}

TEST(what_has_a_length_transfers_data)
{
	for (unsigned table = 0; table < SPEC_TABLES; table++)
		for (unsigned opcode = 0; opcode < 256; opcode++)
			if (transfers_data(&spec_commands[table][opcode]) && !CHECK(opcode & 3))
				printf("    %u: %#x\n", table, opcode);
}

static unsigned opcodes_that(enum spec_table table, uint8_t changes, uint8_t flag, uint8_t out[256])
{
	unsigned count = 0;

	for (unsigned opcode = 0; opcode < 256; opcode++) {
		const struct spec_command *command = &spec_commands[table][opcode];

		if (command->name && (flag ? command->flags & flag : command->changes == changes))
			out[count++] = (uint8_t)opcode;
	}
	return count;
}

#define CHECK_OPCODES(table, changes, flag, ...)                                                                     \
	do {                                                                                                         \
		const uint8_t wanted[] = {__VA_ARGS__};                                                              \
		uint8_t found[256];                                                                                  \
                                                                                                                     \
		CHECK_EQ(opcodes_that(table, changes, flag, found), sizeof(wanted));                                 \
		CHECK_MEM(found, wanted, sizeof(wanted));                                                            \
	} while (0)

TEST(what_changes_data)
{
	CHECK_OPCODES(SPEC_IO, SPEC_CHANGES_RANGE, 0, 0x01, 0x04, 0x08);
	CHECK_OPCODES(SPEC_IO, SPEC_CHANGES_RANGES, 0, 0x09, 0x19);
	CHECK_OPCODES(SPEC_IO, SPEC_CHANGES_ZONE, 0, 0x79, 0x7d);
	CHECK_OPCODES(SPEC_ADMIN, SPEC_CHANGES_NAMESPACE, 0, 0x0d);
	CHECK_OPCODES(SPEC_ADMIN, SPEC_CHANGES_FORMATTED, 0, 0x80);
	CHECK_OPCODES(SPEC_ADMIN, SPEC_CHANGES_ALL, 0, 0x20, 0x81, 0x84);
	CHECK_OPCODES(SPEC_ADMIN, SPEC_CHANGES_UNKNOWN, 0, 0x1d, 0x41);
	CHECK_EQ(spec_commands[SPEC_ADMIN][0xc0].changes, SPEC_CHANGES_UNKNOWN);
	CHECK_EQ(spec_commands[SPEC_IO][0x03].changes, SPEC_CHANGES_UNKNOWN);
}

TEST(what_else_is_known_of_commands)
{
	CHECK_OPCODES(SPEC_IO, 0, SPEC_NAMES_LBAS, 0x01, 0x02, 0x04, 0x05, 0x08, 0x0c);
	CHECK_OPCODES(SPEC_IO, 0, SPEC_BY_WORKERS, 0x00, 0x01, 0x02, 0x04, 0x05, 0x08, 0x09, 0x0c);
	CHECK_OPCODES(SPEC_ADMIN, 0, SPEC_RESHAPES, 0x0d, 0x80);
	CHECK_OPCODES(SPEC_ADMIN, 0, SPEC_REIDENTIFY, 0x0d, 0x10, 0x15, 0x20, 0x80, 0x84);
	CHECK_OPCODES(SPEC_ADMIN, 0, SPEC_MANDATORY, 0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c);
}

/* A field of Identify Controller, and the bit of it that announces a command. */
static void check_announced(enum spec_table table, uint8_t opcode, unsigned byte, uint32_t bits)
{
	bool equal = CHECK_EQ(spec_commands[table][opcode].announced_by, byte);

	equal = CHECK_EQ(spec_commands[table][opcode].announced, bits) && equal;
	if (!equal)
		printf("    ^ opcode %#x\n", opcode);
}

TEST(by_what_commands_are_announced)
{
	const struct {
		uint8_t opcode, bit;
	} oacs[] = {{0x81, 0}, {0x82, 0}, {0x80, 1}, {0x10, 2}, {0x11, 2}, {0x0d, 3}, {0x15, 3}, {0x14, 4},
		    {0x19, 5}, {0x1a, 5}, {0x1d, 6}, {0x1e, 6}, {0x1c, 7}, {0x7c, 8}, {0x86, 9}, {0x24, 10}},
	  oncs[] = {{0x05, 0}, {0x04, 1}, {0x09, 2}, {0x08, 3}, {0x0d, 5},
		    {0x0e, 5}, {0x11, 5}, {0x15, 5}, {0x0c, 7}, {0x19, 8}};

	for (size_t i = 0; i < sizeof(oacs) / sizeof(oacs[0]); i++)
		check_announced(SPEC_ADMIN, oacs[i].opcode, 256, 1u << oacs[i].bit);
	for (size_t i = 0; i < sizeof(oncs) / sizeof(oncs[0]); i++)
		check_announced(SPEC_IO, oncs[i].opcode, 520, 1u << oncs[i].bit);
	check_announced(SPEC_ADMIN, 0x84, 328, 0x7);
	check_announced(SPEC_ADMIN, 0x18, 320, 0xffff);
	check_announced(SPEC_ADMIN, 0x06, 0, 0);
}

/* What is announced lies in the 4096 bytes, with the 32 bits that are read there. */
TEST(announcements_lie_in_the_structure)
{
	for (unsigned table = 0; table < SPEC_TABLES; table++)
		for (unsigned opcode = 0; opcode < 256; opcode++)
			CHECK(spec_commands[table][opcode].announced_by <= NVME_IDENTIFY_SIZE - 4);
}

TEST(effects_are_those_of_the_effects_log)
{
	CHECK_EQ(spec_commands[SPEC_ADMIN][0x80].effects, 1u << 1 | 1u << 2 | 1u << 16 | 1u << 20);
	CHECK_EQ(spec_commands[SPEC_ADMIN][0x84].effects, 1u << 1 | 2u << 16 | 1u << 25);
	CHECK_EQ(spec_commands[SPEC_ADMIN][0x10].effects, 1u << 4 | 1u << 21 | 1u << 25);
	CHECK_EQ(spec_commands[SPEC_IO][0x01].effects, 1u << 1);
	CHECK_EQ(spec_commands[SPEC_IO][0x02].effects, 0);
}

TEST(versions_are_numbers_of_the_register_VS)
{
	CHECK_EQ(spec_commands[SPEC_ADMIN][0x06].since, 0x00010000);
	CHECK_EQ(spec_commands[SPEC_ADMIN][0x84].since, 0x00010300);
	CHECK_EQ(spec_commands[SPEC_IO][0x08].since, 0x00010100);
	CHECK_EQ(spec_commands[SPEC_IO][0x0c].since, 0x00010400);
	CHECK_EQ(spec_commands[SPEC_ADMIN][0x24].since, 0x00020000);
}

TEST(key_value_commands_have_a_table_of_their_own)
{
	CHECK_STR(spec_commands[SPEC_KV][0x01].name, "STORE");
	CHECK_STR(spec_commands[SPEC_KV][0x14].name, "EXIST");
	CHECK_STR(spec_commands[SPEC_IO][0x01].name, "WRITE");
	CHECK(!spec_commands[SPEC_IO][0x14].name);
}
