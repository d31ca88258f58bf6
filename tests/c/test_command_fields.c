/* SPDX-License-Identifier: BSD-3-Clause */
/* The places of fields in commands against what the specifications say, typed by hand. */
#include "spec/nvme_field.h"
#include "tests/c/test.h"

static struct nvme_cmd with(uint32_t field, uint64_t value)
{
	struct nvme_cmd cmd = {0};

	nvme_set_field(&cmd, field, value);
	CHECK_EQ(nvme_get_field(&cmd, field), value);
	return cmd;
}

TEST(fields_of_one_dword)
{
	CHECK_EQ(with(NVME_FIELD_IDENTIFY_CNS, 0xab).cdw10, 0x000000ab);
	CHECK_EQ(with(NVME_FIELD_IDENTIFY_CNTID, 0xabcd).cdw10, 0xabcd0000);
	CHECK_EQ(with(NVME_FIELD_IDENTIFY_CSI, 0xef).cdw11, 0xef000000);
	CHECK_EQ(with(NVME_FIELD_SET_FEATURES_SV, 1).cdw10, 0x80000000);
	CHECK_EQ(with(NVME_FIELD_GET_FEATURES_SEL, 5).cdw10, 0x00000500);
	CHECK_EQ(with(NVME_FIELD_FORMAT_NVM_SES, 5).cdw10, 0x00000a00);
	CHECK_EQ(with(NVME_FIELD_FW_COMMIT_CA, 7).cdw10, 0x00000038);
	CHECK_EQ(with(NVME_FIELD_SANITIZE_OVRPAT, 0xdeadbeef).cdw11, 0xdeadbeef);
	CHECK_EQ(with(NVME_FIELD_COPY_CDFMT, 0xf).cdw12, 0x00000f00);
	CHECK_EQ(with(NVME_FIELD_WRITE_FUA, 1).cdw12, 0x40000000);
	CHECK_EQ(with(NVME_FIELD_ZONE_MGMT_SEND_SELECTALL, 1).cdw13, 0x00000100);
	CHECK_EQ(with(NVME_FIELD_WRITE_DSPEC, 0x1234).cdw13, 0x12340000);
	CHECK_EQ(with(NVME_FIELD_LOCKDOWN_UIDX, 0x7f).cdw14, 0x0000007f);
	CHECK_EQ(with(NVME_FIELD_READ_LBATM, 0xffff).cdw15, 0xffff0000);
	CHECK_EQ(with(NVME_FIELD_KV_STORE_VS, 0x12345678).cdw10, 0x12345678);
}

TEST(fields_of_two_dwords)
{
	struct nvme_cmd read = with(NVME_FIELD_READ_SLBA, 0x123456789abcdef0), log;

	CHECK_EQ(read.cdw10, 0x9abcdef0);
	CHECK_EQ(read.cdw11, 0x12345678);
	CHECK_EQ(read.cdw12, 0);
	log = with(NVME_FIELD_GET_LOG_PAGE_LPO, 0x123456789abcdef0);
	CHECK_EQ(log.cdw11, 0);
	CHECK_EQ(log.cdw12, 0x9abcdef0);
	CHECK_EQ(log.cdw13, 0x12345678);
}

TEST(the_other_bits_of_the_dword_stay)
{
	struct nvme_cmd cmd = {.cdw10 = 0xffffffff, .cdw11 = 0xffffffff, .cdw12 = 0xffffffff};

	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_QSIZE, 0);
	CHECK_EQ(cmd.cdw10, 0x0000ffff);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_QPRIO, 1);
	CHECK_EQ(cmd.cdw11, 0xfffffffb);
	CHECK_EQ(cmd.cdw12, 0xffffffff);
}

TEST(what_is_wider_than_the_field_is_lost)
{
	struct nvme_cmd cmd = {0};

	nvme_set_field(&cmd, NVME_FIELD_GET_FEATURES_SEL, 0xffffffff);
	CHECK_EQ(cmd.cdw10, 0x00000700);
	CHECK_EQ(cmd.cdw11, 0);
}

TEST(widths)
{
	CHECK_EQ(nvme_field_width(NVME_FIELD_SET_FEATURES_SV), 1);
	CHECK_EQ(nvme_field_width(NVME_FIELD_READ_NLB), 16);
	CHECK_EQ(nvme_field_width(NVME_FIELD_SANITIZE_OVRPAT), 32);
	CHECK_EQ(nvme_field_width(NVME_FIELD_READ_SLBA), 64);
	CHECK_EQ(nvme_field_width(0), 0);
}
