/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: spec/commands.c core/nvme/status.c */
#include "core/nvme/status.h"
#include "spec/nvme_id.h"
#include "spec/nvme_cmd.h"
#include "tests/c/test.h"

/* As a completion has it. */
static const char *name_of(unsigned sct, unsigned sc)
{
	return pyn_status_name((uint16_t)(sct << 9 | sc << 1));
}

TEST(statuses_have_the_names_of_the_specification)
{
	CHECK_STR(name_of(0, 0), "SUCCESS");
	CHECK_STR(name_of(0, 1), "INVALID OPCODE");
	CHECK_STR(name_of(0, 0x80), "LBA OUT OF RANGE");
	CHECK_STR(name_of(1, 7), "INVALID FIRMWARE IMAGE");
	CHECK_STR(name_of(2, 0x81), "UNRECOVERED READ ERROR");
	CHECK_STR(name_of(2, 0x87), "DEALLOCATED OR UNWRITTEN LBA");
	CHECK_STR(name_of(3, 0), "INTERNAL PATH ERROR");
	CHECK_STR(name_of(3, 0x60), "CONTROLLER PATHING ERROR");
	CHECK_STR(name_of(3, 0x70), "HOST PATHING ERROR");
	CHECK_STR(name_of(3, 0x71), "COMMAND ABORTED BY HOST");
}

TEST(phase_more_and_do_not_retry_do_not_change_a_name)
{
	CHECK_STR(pyn_status_name(NVME_STATUS_P | NVME_STATUS_M | NVME_STATUS_DNR | 3u << 12 | 2), "INVALID OPCODE");
}

TEST(statuses_without_a_name_are_the_vendors_or_unknown)
{
	CHECK_STR(name_of(0, 0x70), "UNKNOWN");
	CHECK_STR(name_of(5, 0), "UNKNOWN");
	CHECK_STR(name_of(0, 0xc0), "VENDOR SPECIFIC");
	CHECK_STR(name_of(7, 1), "VENDOR SPECIFIC");
	CHECK_STR(name_of(7, 0x81), "DATA VERIFICATION FAILED");
	for (unsigned status = 0; status <= 0xffff; status++)
		CHECK(pyn_status_name((uint16_t)status));
}

TEST(everything_that_the_header_lists_has_a_name)
{
	FILE *header = fopen("spec/nvme_cmd.h", "re");
	char line[256], symbol[64];
	unsigned number, count = 0;

	if (!header)
		SKIP("spec/nvme_cmd.h is not here: tests run in the root");
	while (fgets(line, sizeof(line), header)) {
		const char *name = "";

		if (sscanf(line, " NVME_%63[A-Z0-9_] = 0x%x,", symbol, &number) != 2)
			continue;
		if (!strncmp(symbol, "SC_", 3))
			name = name_of(number >> 8, number & 0xff);
		else if (!strncmp(symbol, "ADMIN_", 6))
			name = pyn_admin_opcode_name((uint8_t)number);
		else if (!strncmp(symbol, "IO_", 3))
			name = pyn_io_opcode_name(NVME_CSI_NVM, (uint8_t)number);
		if (!CHECK(strcmp(name, "UNKNOWN") != 0))
			printf("    NVME_%s\n", symbol);
		count++;
	}
	fclose(header);
	CHECK(count > 100);
}

TEST(opcodes_have_names)
{
	CHECK_STR(pyn_admin_opcode_name(0x06), "IDENTIFY");
	CHECK_STR(pyn_admin_opcode_name(0x00), "DELETE IO SQ");
	CHECK_STR(pyn_admin_opcode_name(0x03), "UNKNOWN");
	CHECK_STR(pyn_admin_opcode_name(0xc0), "VENDOR SPECIFIC");
	CHECK_STR(pyn_io_opcode_name(NVME_CSI_NVM, 0x00), "FLUSH");
	CHECK_STR(pyn_io_opcode_name(NVME_CSI_NVM, 0x02), "READ");
	CHECK_STR(pyn_io_opcode_name(NVME_CSI_NVM, 0x03), "UNKNOWN");
	CHECK_STR(pyn_io_opcode_name(NVME_CSI_NVM, 0xff), "VENDOR SPECIFIC");
	CHECK_STR(pyn_io_opcode_name(NVME_CSI_KV, 0x01), "STORE");
}
