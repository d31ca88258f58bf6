/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: vssd/options*.c vssd/drive/*.c vssd/ctrl/*.c vssd/cmd/*.c vssd/subsystem/*.c
 * vssd/fault/*.c vssd/store/*.c vssd/bus/*.c vssd/tcg/*.c spec/commands.c core/util/clock.c core/util/crc32c.c
 * core/util/error.c core/util/guards.c core/util/log.c core/util/sha256.c */
/* A subsystem that two controllers share, and its namespaces. */
#include "tests/c/test.h"

#include <string.h>

#include "vssd/ctrl/ctrl.h"
#include "vssd/subsystem/subsystem.h"

#define MEMORY 65536u
#define ENTRIES 16u
#define SQ 0x1000u
#define CQ 0x2000u
#define DATA 0x4000u

/* A host of one controller: its memory is mapped from 0 on. */
struct host {
	struct vssd_bus bus;
	struct vssd_ctrl *ctrl;
	uint32_t doorbells[VSSD_DOORBELL_PAGE / 4];
	uint8_t *memory;
	uint32_t tail;
	uint32_t head;
	uint16_t phase;
};

static bool interrupt(struct vssd_bus *bus, uint16_t vector)
{
	(void)bus;
	(void)vector;
	return true;
}

static void message(struct vssd_bus *bus, uint16_t number)
{
	(void)bus;
	(void)number;
}

static void nothing(struct vssd_bus *bus)
{
	(void)bus;
}

static void mask(struct vssd_bus *bus, bool masked)
{
	(void)bus;
	(void)masked;
}

static bool is_masked(struct vssd_bus *bus, uint16_t vector)
{
	(void)bus;
	(void)vector;
	return false;
}

static const struct vssd_bus_ops ops = {.interrupt = interrupt,
					.is_masked = is_masked,
					.message = message,
					.pin = nothing,
					.mask = mask,
					.reset = nothing};

static uint32_t reg(struct host *host, uint32_t offset)
{
	uint32_t value;

	vssd_ctrl_bar_read(host->ctrl, offset, &value, sizeof(value));
	return value;
}

static void set_reg(struct host *host, uint32_t offset, uint32_t value)
{
	vssd_ctrl_bar_write(host->ctrl, offset, &value, sizeof(value));
}

static void enable(struct host *host)
{
	uint16_t command = 6;

	memset(host->memory, 0, MEMORY);
	host->tail = host->head = 0;
	host->phase = 1;
	vssd_ctrl_config_write(host->ctrl, 4, &command, sizeof(command));
	set_reg(host, NVME_REG_CC, 0);
	set_reg(host, NVME_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	set_reg(host, NVME_REG_ASQ, SQ);
	set_reg(host, NVME_REG_ACQ, CQ);
	set_reg(host, NVME_REG_CC, 4u << 20 | 6u << 16 | 1);
	CHECK_EQ(reg(host, NVME_REG_CSTS) & 3, 1);
}

static void plug(struct host *host, struct vssd_subsystem *subsystem)
{
	struct pyn_error err;

	memset(host, 0, sizeof(*host));
	host->memory = calloc(1, MEMORY);
	host->bus.ops = &ops;
	CHECK_EQ(vssd_dma_add(&host->bus.dma, 0, MEMORY, host->memory, VSSD_DMA_READ | VSSD_DMA_WRITE), 0);
	CHECK_EQ(vssd_ctrl_create(subsystem, &host->bus, host->doorbells, &host->ctrl, &err), 0);
	enable(host);
}

static void unplug(struct host *host)
{
	vssd_ctrl_destroy(host->ctrl);
	vssd_dma_clear(&host->bus.dma);
	free(host->memory);
}

static void submit(struct host *host, struct nvme_cmd cmd)
{
	memcpy(host->memory + SQ + host->tail * sizeof(cmd), &cmd, sizeof(cmd));
	host->tail = (host->tail + 1) % ENTRIES;
	host->doorbells[0] = host->tail;
}

/* The next completion, within so many polls; false: there is none. */
static bool reap(struct host *host, unsigned polls, struct nvme_cpl *cpl)
{
	while (polls-- > 0) {
		vssd_ctrl_poll(host->ctrl);
		memcpy(cpl, host->memory + CQ + host->head * sizeof(*cpl), sizeof(*cpl));
		if ((cpl->status & 1) != host->phase)
			continue;
		host->head = (host->head + 1) % ENTRIES;
		host->phase ^= host->head == 0;
		host->doorbells[1] = host->head;
		return true;
	}
	return false;
}

#define MANY 100000000u

/* The status of a command that completes. */
static uint16_t run(struct host *host, struct nvme_cmd cmd)
{
	struct nvme_cpl cpl = {0};

	submit(host, cmd);
	CHECK(reap(host, MANY, &cpl));
	CHECK_EQ(cpl.cid, cmd.cid);
	return cpl.status >> 1 & 0x7ff;
}

static struct vssd_subsystem *make(uint32_t namespaces)
{
	struct vssd_subsystem *subsystem = NULL;
	struct vssd_options options;
	struct pyn_error err;

	vssd_options_default(&options);
	options.size = 64 << 10;
	options.namespaces = namespaces;
	options.functions.controllers = 2;
	options.times.format_ms = 1;
	options.times.sanitize_ms = 1;
	CHECK_EQ(vssd_subsystem_create(&options, &subsystem, &err), 0);
	return subsystem;
}

static struct nvme_cmd await_event(uint16_t cid)
{
	return (struct nvme_cmd){.opc = NVME_ADMIN_ASYNC_EVENT, .cid = cid};
}

static struct nvme_cmd enable_notices(uint16_t cid)
{
	return (struct nvme_cmd){
		.opc = NVME_ADMIN_SET_FEATURES, .cid = cid, .cdw10 = NVME_FEAT_ASYNC_EVENT, .cdw11 = 0x300};
}

TEST(a_format_of_one_controller_is_an_event_at_all_of_them)
{
	struct vssd_subsystem *subsystem = make(1);
	struct nvme_cpl cpl;
	struct host a, b;

	plug(&a, subsystem);
	plug(&b, subsystem);
	CHECK_EQ(run(&a, enable_notices(1)), 0);
	CHECK_EQ(run(&b, enable_notices(1)), 0);
	submit(&a, await_event(2));
	submit(&b, await_event(2));
	CHECK(!reap(&b, 10, &cpl));
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 3, .nsid = 1, .cdw10 = 1});
	CHECK(reap(&a, MANY, &cpl));
	CHECK_EQ(cpl.cid, 3);
	CHECK(reap(&a, 10, &cpl));
	CHECK_EQ(cpl.cid, 2);
	CHECK_EQ(cpl.cdw0 >> 16, NVME_LOG_CHANGED_NS);
	CHECK(reap(&b, 10, &cpl));
	CHECK_EQ(cpl.cid, 2);
	CHECK_EQ(cpl.cdw0 >> 16, NVME_LOG_CHANGED_NS);
	CHECK_EQ(subsystem->ns[0].lba_shift, 12);
	unplug(&a);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(a_format_goes_on_whichever_controller_polls_and_its_own_one_completes_it)
{
	struct vssd_subsystem *subsystem = make(1);
	struct nvme_cpl cpl;
	struct host a, b;

	plug(&a, subsystem);
	plug(&b, subsystem);
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 3, .nsid = 1, .cdw10 = 1});
	vssd_ctrl_poll(a.ctrl);
	CHECK(subsystem->format.running);
	CHECK_EQ(run(&b, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 4, .nsid = 1}),
		 NVME_SC_FORMAT_IN_PROGRESS);
	while (subsystem->format.running)
		CHECK(!reap(&b, 1, &cpl));
	CHECK(reap(&a, 10, &cpl));
	CHECK_EQ(cpl.cid, 3);
	unplug(&a);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(an_abort_reaches_the_commands_of_its_controller_alone)
{
	struct vssd_subsystem *subsystem = make(1);
	struct nvme_cpl cpl;
	struct host a, b;

	subsystem->options.times.format_ms = 3600000;
	plug(&a, subsystem);
	plug(&b, subsystem);
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 3, .nsid = 1});
	vssd_ctrl_poll(a.ctrl);
	submit(&b, (struct nvme_cmd){.opc = NVME_ADMIN_ABORT, .cid = 5, .cdw10 = 3 << 16});
	CHECK(reap(&b, MANY, &cpl));
	CHECK_EQ(cpl.cdw0 & 1, 1);
	CHECK(subsystem->format.running);
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_ABORT, .cid = 5, .cdw10 = 3 << 16});
	CHECK(reap(&a, MANY, &cpl));
	CHECK_EQ(cpl.cid, 3);
	CHECK_EQ(cpl.status >> 1 & 0x7ff, NVME_SC_ABORT_REQUESTED);
	CHECK(!subsystem->format.running);
	unplug(&a);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(a_controller_that_is_not_enabled_hears_of_a_sanitize_operation_later)
{
	struct vssd_subsystem *subsystem = make(1);
	struct nvme_cpl cpl;
	struct host a, b;

	plug(&a, subsystem);
	plug(&b, subsystem);
	set_reg(&b, NVME_REG_CC, 0);
	submit(&a, await_event(2));
	CHECK_EQ(run(&a, (struct nvme_cmd){.opc = NVME_ADMIN_SANITIZE, .cid = 1, .cdw10 = NVME_SANITIZE_BLOCK_ERASE}),
		 0);
	CHECK(reap(&a, MANY, &cpl));
	CHECK_EQ(cpl.cdw0 >> 16, NVME_LOG_SANITIZE);
	vssd_ctrl_poll(b.ctrl);
	enable(&b);
	submit(&b, await_event(7));
	CHECK(reap(&b, MANY, &cpl));
	CHECK_EQ(cpl.cid, 7);
	CHECK_EQ(cpl.cdw0 >> 16, NVME_LOG_SANITIZE);
	unplug(&a);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(a_reset_of_the_subsystem_and_the_power_take_all_controllers)
{
	struct vssd_subsystem *subsystem = make(1);
	struct host a, b;

	plug(&a, subsystem);
	plug(&b, subsystem);
	set_reg(&a, NVME_REG_NSSR, NVME_NSSR_RESET);
	CHECK_EQ(reg(&a, NVME_REG_CSTS), 1 << 4);
	CHECK_EQ(reg(&b, NVME_REG_CSTS), 1 << 4);
	enable(&b);
	set_reg(&a, NVME_REG_CC, 0);
	CHECK_EQ(reg(&b, NVME_REG_CSTS) & 1, 1);
	vssd_subsystem_power(subsystem, false);
	CHECK_EQ(reg(&a, NVME_REG_CSTS), UINT32_MAX);
	CHECK_EQ(reg(&b, NVME_REG_CSTS), UINT32_MAX);
	vssd_subsystem_power(subsystem, true);
	CHECK_EQ(reg(&b, NVME_REG_CSTS), 0);
	CHECK_EQ(subsystem->nv->totals.power_cycles, 2);
	CHECK_EQ(subsystem->nv->totals.unsafe_shutdowns, 1);
	unplug(&a);
	enable(&b);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(firmware_that_starts_pauses_all_controllers)
{
	struct vssd_subsystem *subsystem = make(1);
	struct nvme_cpl cpl;
	struct host a, b;

	plug(&a, subsystem);
	plug(&b, subsystem);
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FW_COMMIT, .cid = 1, .cdw10 = NVME_FW_ACTIVATE_NOW << 3 | 1});
	vssd_ctrl_poll(a.ctrl);
	CHECK_EQ(reg(&a, NVME_REG_CSTS), 1 | 1 << 5);
	CHECK_EQ(reg(&b, NVME_REG_CSTS), 1 | 1 << 5);
	CHECK(reap(&a, MANY, &cpl));
	CHECK_EQ(reg(&a, NVME_REG_CSTS), 1);
	CHECK_EQ(reg(&b, NVME_REG_CSTS), 1);
	unplug(&a);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(what_a_controller_began_that_goes_ends_without_it)
{
	struct vssd_subsystem *subsystem = make(1);
	struct nvme_cpl cpl;
	struct host a, b;

	subsystem->options.times.format_ms = 3600000;
	plug(&a, subsystem);
	plug(&b, subsystem);
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 3, .nsid = 1, .cdw10 = 1});
	submit(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FW_COMMIT, .cid = 1, .cdw10 = NVME_FW_ACTIVATE_NOW << 3 | 1});
	vssd_ctrl_poll(a.ctrl);
	CHECK(subsystem->format.running && subsystem->firmware.starting);
	unplug(&a);
	CHECK(!subsystem->format.running);
	CHECK_EQ(subsystem->ns[0].lba_shift, 12);
	while (subsystem->firmware.starting)
		CHECK(!reap(&b, 1, &cpl));
	CHECK(!reap(&b, 10, &cpl));
	CHECK_EQ(run(&b, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 4, .nsid = 7}),
		 NVME_SC_INVALID_NAMESPACE);
	unplug(&b);
	vssd_subsystem_destroy(subsystem);
}

TEST(an_idle_poll_asks_no_part_before_its_time)
{
	struct vssd_subsystem *subsystem = make(1);
	uint64_t due;
	struct host a;

	plug(&a, subsystem);
	vssd_ctrl_poll(a.ctrl);
	due = subsystem->next_due;
	CHECK(due != 0 && due != VSSD_NEVER);
	CHECK_EQ(due, subsystem->health.due);
	vssd_ctrl_poll(a.ctrl);
	CHECK_EQ(subsystem->next_due, due);
	CHECK_EQ(run(&a, (struct nvme_cmd){.opc = NVME_ADMIN_SELF_TEST, .cid = 1, .nsid = 1, .cdw10 = 1}), 0);
	CHECK_EQ(subsystem->next_due, 0);
	unplug(&a);
	vssd_subsystem_destroy(subsystem);
}

/* ---- namespaces ---- */

static bool create_ns(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t blocks, uint8_t lbaf)
{
	uint64_t bytes = blocks > UINT64_MAX >> VSSD_BLOCK_SHIFT ? UINT64_MAX : blocks << VSSD_BLOCK_SHIFT;

	return vssd_ns_create(subsystem, 1, nsid,
			      &(struct vssd_ns_shape){.bytes = bytes, .lbaf = lbaf, .attached = UINT16_MAX});
}

TEST(namespaces_lie_side_by_side_and_a_gap_is_filled_again)
{
	struct vssd_subsystem *subsystem = make(4); /* 16 blocks each */

	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(subsystem->ns[i].first_block, 16 * i);
	CHECK(!create_ns(subsystem, 5, 1, 0));
	vssd_ns_delete(subsystem, 1, &subsystem->ns[1]);
	CHECK(!vssd_subsystem_ns(subsystem, 2));
	CHECK(!create_ns(subsystem, 5, 17, 0));
	CHECK(create_ns(subsystem, 5, 6, 1));
	CHECK_EQ(subsystem->ns[4].first_block, 16);
	CHECK_EQ(subsystem->ns[4].nsze, 6);
	CHECK(create_ns(subsystem, 2, 10, 0));
	CHECK_EQ(subsystem->ns[1].first_block, 22);
	CHECK_EQ(subsystem->ns[1].nsze, 80);
	CHECK(!create_ns(subsystem, 6, 1, 0));
	vssd_subsystem_destroy(subsystem);
}

static void poke_ns(struct vssd_subsystem *subsystem, uint32_t nsid)
{
	uint8_t data[512];

	for (uint64_t lba = 0; lba < subsystem->ns[nsid - 1].nsze; lba++) {
		memset(data, (int)(nsid * 16 + lba % 16), sizeof(data));
		CHECK_EQ(vssd_subsystem_poke(subsystem, nsid, lba, data, sizeof(data)), 0);
	}
}

static void check_ns(struct vssd_subsystem *subsystem, uint32_t nsid, bool is_written)
{
	uint8_t data[512];

	for (uint64_t lba = 0; lba < subsystem->ns[nsid - 1].nsze; lba++) {
		CHECK_EQ(vssd_subsystem_peek(subsystem, nsid, lba, data, sizeof(data)), 0);
		CHECK_EQ(data[511], is_written ? nsid * 16 + lba % 16 : 0);
	}
}

TEST(a_namespace_that_fits_no_gap_makes_the_others_move)
{
	struct vssd_subsystem *subsystem = make(5); /* 16 blocks each */
	uint64_t used;

	poke_ns(subsystem, 2);
	poke_ns(subsystem, 4);
	used = vssd_store_used(subsystem->store);
	poke_ns(subsystem, 3);
	vssd_ns_delete(subsystem, 1, &subsystem->ns[0]);
	vssd_ns_delete(subsystem, 1, &subsystem->ns[2]);
	vssd_ns_delete(subsystem, 1, &subsystem->ns[4]);
	CHECK_EQ(vssd_ns_room(subsystem), 48);
	CHECK(create_ns(subsystem, 6, 40, 0));
	CHECK_EQ(subsystem->ns[1].first_block, 0);
	CHECK_EQ(subsystem->ns[3].first_block, 16);
	CHECK_EQ(subsystem->ns[5].first_block, 32);
	CHECK_EQ(vssd_store_used(subsystem->store), used);
	check_ns(subsystem, 2, true);
	check_ns(subsystem, 4, true);
	check_ns(subsystem, 6, false);
	CHECK(!create_ns(subsystem, 7, 9, 0));
	CHECK(create_ns(subsystem, 7, 8, 0));
	check_ns(subsystem, 7, false);
	vssd_subsystem_destroy(subsystem);
}

TEST(a_size_that_is_no_multiple_of_a_block_is_kept_in_bytes)
{
	struct vssd_subsystem *subsystem = make(1);
	const struct vssd_ns *ns = &subsystem->ns[2];

	vssd_ns_delete(subsystem, 1, &subsystem->ns[0]);
	CHECK(vssd_ns_create(subsystem, 1, 3, &(struct vssd_ns_shape){.bytes = 9 * 512}));
	CHECK_EQ(ns->nsze, 9);
	CHECK_EQ(ns->blocks, 2);
	vssd_ns_set_format(subsystem, &subsystem->ns[2], 1);
	CHECK_EQ(ns->nsze, 1);
	vssd_ns_set_format(subsystem, &subsystem->ns[2], 0);
	CHECK_EQ(ns->nsze, 9);
	vssd_subsystem_destroy(subsystem);
}

TEST(what_is_no_namespace_is_refused)
{
	struct vssd_subsystem *subsystem = make(2);

	CHECK(!create_ns(subsystem, 0, 1, 0));
	CHECK(!create_ns(subsystem, 1, 1, 0));
	vssd_ns_delete(subsystem, 1, &subsystem->ns[1]);
	CHECK(!create_ns(subsystem, 33, 1, 0));
	CHECK(!create_ns(subsystem, 2, 0, 0));
	CHECK(!create_ns(subsystem, 2, UINT64_MAX, 0));
	CHECK(create_ns(subsystem, 32, 16, 0));
	CHECK(vssd_subsystem_ns(subsystem, 32) == &subsystem->ns[31]);
	vssd_subsystem_destroy(subsystem);
}

TEST(a_namespace_that_is_deleted_leaves_no_data_to_the_next_one)
{
	struct vssd_subsystem *subsystem = make(2);
	uint8_t data[512], found[512];

	memset(data, 0xa5, sizeof(data));
	CHECK_EQ(vssd_subsystem_poke(subsystem, 2, 7, data, sizeof(data)), 0);
	vssd_ns_delete(subsystem, 1, &subsystem->ns[1]);
	CHECK(vssd_subsystem_peek(subsystem, 2, 7, found, sizeof(found)) != 0);
	CHECK(create_ns(subsystem, 3, 16, 0));
	CHECK_EQ(vssd_subsystem_peek(subsystem, 3, 7, found, sizeof(found)), 0);
	for (unsigned i = 0; i < sizeof(found); i++)
		CHECK_EQ(found[i], 0);
	vssd_subsystem_destroy(subsystem);
}

TEST(a_format_of_all_namespaces_skips_what_lies_between_them)
{
	struct vssd_subsystem *subsystem = make(4);
	uint8_t data[512], found[512];
	struct host a;

	memset(data, 0x5a, sizeof(data));
	vssd_ns_delete(subsystem, 1, &subsystem->ns[1]);
	for (uint32_t nsid = 1; nsid <= 4; nsid++)
		if (nsid != 2)
			CHECK_EQ(vssd_subsystem_poke(subsystem, nsid, 3, data, sizeof(data)), 0);
	plug(&a, subsystem);
	CHECK_EQ(run(&a, (struct nvme_cmd){.opc = NVME_ADMIN_FORMAT_NVM, .cid = 1, .nsid = NVME_NSID_ALL}), 0);
	for (uint32_t nsid = 1; nsid <= 4; nsid++) {
		CHECK_EQ(subsystem->ns[nsid - 1].refuse, 0);
		if (nsid == 2)
			continue;
		CHECK_EQ(vssd_subsystem_peek(subsystem, nsid, 3, found, sizeof(found)), 0);
		CHECK_EQ(found[0], 0);
	}
	CHECK(!vssd_subsystem_ns(subsystem, 2));
	unplug(&a);
	vssd_subsystem_destroy(subsystem);
}
