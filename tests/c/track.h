/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the tests of tracking: a table, a buffer, and commands that are sent one after the other. */
#ifndef TESTS_TRACK_H
#define TESTS_TRACK_H

#include "core/verify/track.h"
#include "spec/nvme_cmd.h"
#include "tests/c/test.h"

#define LBA 512u
#define NLBA 100000u
#define OK 0u
#define ABORTED (UINT16_C(0x0007) << 1)

static struct pyn_verify *the_table;
static struct pyn_buffer *the_buffer;
static struct pyn_track the_track;
static struct pyn_mismatch the_mismatch;
static struct pyn_error err;

static struct nvme_cmd io(uint8_t opcode, uint64_t slba, uint32_t nlb)
{
	return (struct nvme_cmd){
		.opc = opcode, .nsid = 1, .cdw10 = (uint32_t)slba, .cdw11 = (uint32_t)(slba >> 32), .cdw12 = nlb - 1};
}

static void begin(struct nvme_cmd cmd, uint32_t length, bool stamp)
{
	pyn_track_begin(&the_track, the_table, &cmd, length ? the_buffer : NULL, 0, length, stamp, true);
}

static const struct nvme_cpl done = {0};

static bool end(uint16_t status)
{
	const struct nvme_cpl cpl = {.status = status};

	return pyn_track_end(&the_track, &cpl, &the_mismatch);
}

static void run(struct nvme_cmd cmd, uint32_t length, bool stamp, uint16_t status)
{
	begin(cmd, length, stamp);
	CHECK(end(status));
}

static uint64_t judged(void)
{
	struct pyn_verify_counts counts;

	pyn_verify_get_counts(the_table, &counts);
	return counts.checked;
}

/* Judge the contents of the buffer as a read. Returns -1: nothing was judged, 0: right, 1: wrong. */
static inline int reads(uint64_t slba, uint32_t nlb)
{
	uint64_t before = judged();

	begin(io(NVME_IO_READ, slba, nlb), nlb * LBA, false);
	bool right = end(OK);

	if (judged() == before)
		return -1;
	return !right;
}

static inline void write_lbas(uint64_t slba, uint32_t nlb)
{
	run(io(NVME_IO_WRITE, slba, nlb), nlb * LBA, true, OK);
}

#define TRACK_TEST(name)                                                                                             \
	static void name##_body(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		pyn_token_start(&err);                                                                               \
		the_table = pyn_verify_create(1, NLBA, LBA, &err);                                                   \
		pyn_verify_set_dlfeat(the_table, true);                                                              \
		the_buffer = pyn_buffer_create(64 * LBA, &err);                                                      \
		name##_body();                                                                                       \
		CHECK_EQ(the_buffer->references, 1);                                                                 \
		pyn_buffer_put(the_buffer);                                                                          \
		pyn_verify_put(the_table); /* the last reference, or the leak is reported */                         \
	}                                                                                                            \
	static void name##_body(void)

static inline void set_range(unsigned i, uint64_t slba, uint32_t nlb)
{
	((struct nvme_dsm_range *)the_buffer->data)[i] = (struct nvme_dsm_range){.nlb = nlb, .slba = slba};
}

static inline struct nvme_cmd dsm(unsigned ranges)
{
	return (struct nvme_cmd){.opc = NVME_IO_DSM, .nsid = 1, .cdw10 = ranges - 1, .cdw11 = NVME_DSM_AD};
}

#endif
