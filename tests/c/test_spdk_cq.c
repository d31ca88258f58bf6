/* SPDX-License-Identifier: BSD-3-Clause */
/* What SPDK's engine lets SPDK read of a completion queue, without SPDK. */
#include "spdk/cq.h"
#include "tests/c/test.h"

#define ENTRIES 4

static struct nvme_cpl the_ring[ENTRIES], the_copy[ENTRIES];
static struct pyn_spdk_cq the_cq;

/* The device's position, and SPDK's: the entry and its phase tag. */
static struct position {
	unsigned at;
	uint16_t phase;
} the_device, the_spdk;

static void start(void)
{
	memset(the_ring, 0xff, sizeof(the_ring));
	pyn_spdk_cq_start(&the_cq, the_ring, the_copy, ENTRIES);
	the_device = the_spdk = (struct position){.phase = NVME_STATUS_P};
}

static void move(struct position *position)
{
	if (++position->at == ENTRIES) {
		position->at = 0;
		position->phase ^= NVME_STATUS_P;
	}
}

static void complete(uint16_t cid, uint16_t status)
{
	the_ring[the_device.at] = (struct nvme_cpl){
		.cdw0 = 0x1000u + cid, .sqhd = 7, .cid = cid, .status = (uint16_t)(status << 1 | the_device.phase)};
	move(&the_device);
}

/* The next completion that SPDK sees. */
static bool sees(struct nvme_cpl *cpl)
{
	*cpl = the_copy[the_spdk.at];
	if ((cpl->status & NVME_STATUS_P) != the_spdk.phase)
		return false;
	move(&the_spdk);
	pyn_spdk_cq_read(&the_cq, 1);
	return true;
}

TEST(an_empty_ring_has_nothing_to_take)
{
	struct nvme_cpl cpl;

	start();
	CHECK(!pyn_spdk_cq_take(&the_cq, &cpl));
	CHECK(!sees(&cpl));
}

TEST(what_is_passed_on_is_seen_in_order_over_many_rounds)
{
	struct nvme_cpl taken, cpl;

	start();
	for (uint16_t cid = 0; cid < 5 * ENTRIES; cid++) {
		complete(cid, cid % 3);
		CHECK(pyn_spdk_cq_take(&the_cq, &taken));
		CHECK_EQ(taken.cid, cid);
		CHECK(!sees(&cpl));
		pyn_spdk_cq_pass(&the_cq, &taken);
		CHECK(sees(&cpl));
		CHECK_EQ(cpl.cid, cid);
		CHECK_EQ(cpl.cdw0, 0x1000u + cid);
		CHECK_EQ(cpl.sqhd, 7);
		CHECK_EQ(cpl.status >> 1, cid % 3);
		CHECK(!pyn_spdk_cq_take(&the_cq, &taken));
	}
}

TEST(what_is_not_passed_on_is_never_seen)
{
	struct nvme_cpl taken, cpl;

	start();
	for (uint16_t cid = 0; cid < 5 * ENTRIES; cid++) {
		complete(cid, 0);
		CHECK(pyn_spdk_cq_take(&the_cq, &taken));
		if (cid % 2) {
			pyn_spdk_cq_pass(&the_cq, &taken);
			CHECK(sees(&cpl));
			CHECK_EQ(cpl.cid, cid);
		}
		CHECK(!sees(&cpl));
	}
}

TEST(nothing_is_taken_while_spdk_has_no_room_for_it)
{
	struct nvme_cpl taken, cpl;

	start();
	for (uint16_t cid = 0; cid < ENTRIES - 1; cid++) {
		complete(cid, 0);
		CHECK(pyn_spdk_cq_take(&the_cq, &taken));
		pyn_spdk_cq_pass(&the_cq, &taken);
	}
	complete(9, 0);
	CHECK(!pyn_spdk_cq_take(&the_cq, &taken));
	CHECK(sees(&cpl));
	CHECK(pyn_spdk_cq_take(&the_cq, &taken));
	CHECK_EQ(taken.cid, 9);
}

TEST(an_error_of_spdk_reads_no_entry)
{
	struct nvme_cpl taken;

	start();
	for (uint16_t cid = 0; cid < ENTRIES - 1; cid++) {
		complete(cid, 0);
		CHECK(pyn_spdk_cq_take(&the_cq, &taken));
		pyn_spdk_cq_pass(&the_cq, &taken);
	}
	complete(9, 0);
	pyn_spdk_cq_read(&the_cq, -6);
	CHECK(!pyn_spdk_cq_take(&the_cq, &taken));
}
