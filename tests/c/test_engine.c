/* SPDX-License-Identifier: BSD-3-Clause */
/* Our engine against the virtual SSD: bring-up, queues, data, and what is left behind. */
/* sources: core/env/*.c core/pci/*.c core/nvme/*.c core/engine/*.c core/util/*.c spec/*.c */
/* dpdk */
#define _GNU_SOURCE 1
#include <poll.h>
#include <sys/eventfd.h>

#include "core/engine/engine.h"
#include "core/env/env.h"
#include "core/nvme/rings.h"
#include "core/util/clock.h"
#include "spec/nvme_regs.h"
#include "tests/c/run_vssd.h"
#include "tests/c/test.h"

#define ADMIN_DEPTH 32
#define TIMEOUT_MS 10000u
#define LBA 512u
#define ANSWER_NS UINT64_C(10000000000)
#define MIB (1024u * 1024u)

static const struct pyn_engine *const engine = &pyn_engine_own;
static struct vssd_process the_vssd;
static struct pyn_ctrlr *the_ctrlr;
static struct pyn_error err;
static size_t the_bytes_before;

static int attach(const char *text, struct pyn_ctrlr **ctrlr, struct pyn_error *error)
{
	struct pyn_address address;
	int rc = pyn_address_parse(text, &address, error);

	return rc ? rc : engine->attach(&address, ctrlr, error);
}

/* Wait for one completion of a queue. False: none came. */
static bool complete(struct pyn_engine_qpair *queue, struct pyn_completion *completion)
{
	uint64_t deadline = pyn_monotonic_ns() + ANSWER_NS;

	while (!engine->poll(queue, completion, 1)) {
		if (pyn_monotonic_ns() >= deadline)
			return CHECK(!"no completion");
	}
	return true;
}

/* Send one command and wait for it; its status without the phase bit, or -1. */
static int run_on(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd cmd, void *memory, uint32_t length)
{
	struct pyn_completion completion;

	if (!CHECK_EQ(engine->submit(queue, slot, &cmd, (struct pyn_data){.address = memory, .length = length}, &err),
		      0))
		return -1;
	engine->ring(queue);
	if (!complete(queue, &completion) || !CHECK_EQ(completion.slot, slot))
		return -1;
	return completion.cpl.status >> 1;
}

/* What the layer above does for the engine, in its simplest form. */
static int execute(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
		   struct pyn_error *error)
{
	struct pyn_engine_qpair *admin = engine->admin_qpair(the_ctrlr);
	struct pyn_completion completion;
	struct nvme_cmd copy = *cmd;

	(void)context;
	if (engine->submit(admin, 0, &copy, data, error))
		return -EIO;
	engine->ring(admin);
	if (!complete(admin, &completion))
		return pyn_error(error, PYN_ERROR_TIMEOUT, ETIMEDOUT, "no completion");
	*cpl = completion.cpl;
	return 0;
}

static const struct pyn_admin the_admin = {.execute = execute};

/* A drive that was started for this test alone, attached; enabled where wanted. */
static bool begin(bool enabled)
{
	static const char *const options[] = {"--size", "256M", "--mdts", "0", NULL};
	char program[PATH_MAX];

	if (!vssd_program(program, sizeof(program))) {
		the_tests.skipped = "no virtual SSD: make -f tools/native.mk VARIANT=asan vssd";
		return false;
	}
	if (!CHECK_EQ(pyn_env_start(&err), 0) || !CHECK(vssd_start(&the_vssd, options)))
		return false;
	the_bytes_before = pyn_dma_in_use();
	if (CHECK_EQ(attach(the_vssd.folder, &the_ctrlr, &err), 0) &&
	    (!enabled || CHECK_EQ(engine->enable(the_ctrlr, ADMIN_DEPTH, TIMEOUT_MS, &err), 0)))
		return true;
	printf("    %s\n", err.text);
	vssd_stop(&the_vssd);
	return false;
}

static void end(void)
{
	engine->detach(the_ctrlr);
	CHECK_EQ(pyn_dma_in_use(), the_bytes_before);
	vssd_stop(&the_vssd);
}

static struct pyn_engine_qpair *make_queue(uint16_t qid, uint16_t depth)
{
	struct pyn_engine_qpair_config config = {.qid = qid, .depth = depth};
	struct pyn_engine_qpair *queue = NULL;

	if (!CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &the_admin, &queue, &err), 0))
		printf("    %s\n", err.text);
	return queue;
}

static void drop_queue(struct pyn_engine_qpair *queue)
{
	CHECK_EQ(engine->qpair_delete(queue, &the_admin, &err), 0);
	engine->qpair_free(queue);
}

static struct nvme_cmd io_command(uint8_t opcode, uint64_t slba, uint32_t bytes)
{
	return (struct nvme_cmd){.opc = opcode,
				 .nsid = 1,
				 .cdw10 = (uint32_t)slba,
				 .cdw11 = (uint32_t)(slba >> 32),
				 .cdw12 = bytes / LBA - 1};
}

static void fill(uint8_t *memory, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++) {
		seed = seed * 1664525 + 1013904223;
		memory[i] = (uint8_t)(seed >> 24);
	}
}

TEST(an_attached_controller_shows_its_registers_and_identifies_itself_once_enabled)
{
	uint64_t cap = 0, csts = 1;
	uint16_t vendor = 0;
	char *data;

	if (!begin(false))
		return;
	CHECK_EQ(engine->reg_read(the_ctrlr, NVME_REG_CAP, 8, &cap, &err), 0);
	CHECK(cap != 0 && cap != UINT64_MAX);
	CHECK_EQ(engine->reg_read(the_ctrlr, NVME_REG_CSTS, 4, &csts, &err), 0);
	CHECK_EQ(csts & 1, 0);
	CHECK_EQ(engine->pci->config_read(the_ctrlr, 0, &vendor, 2, &err), 0);
	CHECK_EQ(engine->enable(the_ctrlr, ADMIN_DEPTH, TIMEOUT_MS, &err), 0);
	CHECK_EQ(engine->reg_read(the_ctrlr, NVME_REG_CSTS, 4, &csts, &err), 0);
	CHECK_EQ(csts & 1, 1);
	data = pyn_dma_alloc(4096, 4096, NULL);
	CHECK_EQ(run_on(engine->admin_qpair(the_ctrlr), 7, (struct nvme_cmd){.opc = NVME_ADMIN_IDENTIFY, .cdw10 = 1},
			data, 4096),
		 0);
	CHECK_MEM(data, &vendor, 2);
	CHECK(engine->alive(the_ctrlr));
	pyn_dma_free(data);
	end();
}

TEST(data_of_any_length_at_any_offset_come_back_as_they_were)
{
	static const uint32_t lengths[] = {LBA,     4096,           4096 + LBA,           8192,          65536,
					   2 * MIB, 2 * MIB + 4096, 2 * MIB + 4096 + LBA, 5 * MIB + LBA, 32 * MIB};
	static const uint32_t offsets[] = {0, 4, 512, 4092};
	uint8_t *out = pyn_dma_alloc(33 * MIB, 4096, NULL), *in = pyn_dma_alloc(33 * MIB, 4096, NULL);
	struct pyn_engine_qpair *queue;

	if (!CHECK(out && in) || !begin(true))
		return;
	queue = make_queue(1, 8);
	for (unsigned i = 0; queue && i < 40; i++) {
		uint32_t length = lengths[i % 10], offset = offsets[i / 10];

		fill(out + offset, length, i);
		memset(in, 0x5a, length + 8192);
		CHECK_EQ(run_on(queue, i % 7, io_command(NVME_IO_WRITE, i, length), out + offset, length), 0);
		CHECK_EQ(run_on(queue, (i + 3) % 7, io_command(NVME_IO_READ, i, length), in + 4096 - offset, length),
			 0);
		CHECK_MEM(in + 4096 - offset, out + offset, length);
		/* Not a byte before or behind. */
		CHECK_EQ(in[4095 - offset], 0x5a);
		CHECK_EQ(in[4096 - offset + length], 0x5a);
	}
	if (queue)
		drop_queue(queue);
	end();
	pyn_dma_free(out);
	pyn_dma_free(in);
}

TEST(a_queue_of_two_entries_is_strictly_serial_and_wraps)
{
	struct pyn_engine_qpair *queue;
	uint8_t *data;

	if (!begin(true))
		return;
	data = pyn_dma_alloc(4096, 4096, NULL);
	queue = make_queue(3, 2);
	for (int i = 0; queue && i < 100; i++)
		CHECK_EQ(run_on(queue, 0, io_command(NVME_IO_READ, 0, LBA), data, LBA), 0);
	if (queue) {
		struct nvme_cmd cmd = io_command(NVME_IO_READ, 0, LBA);

		CHECK_EQ(engine->submit(queue, 1, &cmd, (struct pyn_data){.address = data, .length = LBA}, &err),
			 -EINVAL);
		CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);
		drop_queue(queue);
	}
	pyn_dma_free(data);
	end();
}

TEST(a_full_queue_completes_each_slot_once)
{
	static uint8_t seen[4095];
	struct pyn_completion completions[64];
	uint64_t deadline = pyn_monotonic_ns() + ANSWER_NS;
	struct pyn_engine_qpair *queue;
	unsigned count = 0;
	uint8_t *data;

	if (!begin(true))
		return;
	data = pyn_dma_alloc(4096, 4096, NULL);
	queue = make_queue(1, 4096);
	memset(seen, 0, sizeof(seen));
	for (uint16_t slot = 0; queue && slot < 4095; slot++) {
		struct nvme_cmd cmd = io_command(NVME_IO_READ, slot, LBA);

		CHECK_EQ(engine->submit(queue, slot, &cmd, (struct pyn_data){.address = data, .length = LBA}, &err),
			 0);
		CHECK_EQ(cmd.cid, slot);
		CHECK_EQ(cmd.prp1, pyn_dma_iova(data).value);
	}
	if (queue)
		engine->ring(queue);
	while (queue && count < 4095 && pyn_monotonic_ns() < deadline) {
		unsigned got = engine->poll(queue, completions, 64);

		for (unsigned i = 0; i < got; i++) {
			CHECK(completions[i].slot < 4095 && !seen[completions[i].slot]++);
			CHECK_EQ(completions[i].cpl.status >> 1, 0);
		}
		count += got;
	}
	CHECK_EQ(count, 4095);
	if (queue)
		drop_queue(queue);
	pyn_dma_free(data);
	end();
}

TEST(doorbells_of_a_bar_that_is_not_mapped_go_by_message)
{
	struct pyn_engine_qpair *queue;
	struct pyn_rings *rings;
	uint8_t *data;

	if (!begin(true))
		return;
	data = pyn_dma_alloc(4096, 4096, NULL);
	queue = make_queue(1, 4);
	rings = queue ? engine->rings->of(queue) : NULL;
	if (CHECK(rings)) {
		rings->sq_tail_doorbell = rings->cq_head_doorbell = NULL;
		CHECK_EQ(engine->rings->of(queue), NULL);
		for (int i = 0; i < 20; i++)
			CHECK_EQ(run_on(queue, i % 3, io_command(NVME_IO_READ, 0, LBA), data, LBA), 0);
		drop_queue(queue);
	}
	pyn_dma_free(data);
	end();
}

TEST(a_completion_of_no_slot_is_told_as_such)
{
	struct pyn_completion completion = {0};
	struct pyn_rings *rings;

	if (!begin(true))
		return;
	rings = engine->rings->of(engine->admin_qpair(the_ctrlr));
	rings->cq[rings->cq_head].cid = ADMIN_DEPTH - 1;
	rings->cq[rings->cq_head].status = NVME_STATUS_P;
	CHECK_EQ(engine->poll(engine->admin_qpair(the_ctrlr), &completion, 1), 1);
	CHECK_EQ(completion.slot, UINT16_MAX);
	CHECK_EQ(completion.cpl.cid, ADMIN_DEPTH - 1);
	end();
}

TEST(queues_that_are_refused_leave_nothing_behind)
{
	struct pyn_engine_qpair_config config = {.qid = 1, .depth = 16};
	struct pyn_engine_qpair *queue, *second;
	size_t bytes;

	if (!begin(true))
		return;
	queue = make_queue(1, 16);
	bytes = pyn_dma_in_use();
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &the_admin, &second, &err), -EIO);
	CHECK_EQ(err.kind, PYN_ERROR_CREATE);
	CHECK_HAS(err.text, "INVALID QUEUE IDENTIFIER (01/01)");
	config.qid = 9999;
	CHECK(engine->qpair_create(the_ctrlr, &config, &the_admin, &second, &err) < 0);
	CHECK_EQ(err.kind, PYN_ERROR_CREATE);
	config.qid = 0;
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &the_admin, &second, &err), -EINVAL);
	config = (struct pyn_engine_qpair_config){.qid = 2, .depth = 1};
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &the_admin, &second, &err), -EINVAL);
	config.depth = 5000;
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &the_admin, &second, &err), -EINVAL);
	CHECK_HAS(err.text, "2 to 4096");
	CHECK_EQ(pyn_dma_in_use(), bytes);
	if (queue)
		drop_queue(queue);
	end();
}

/* The device is asked for a submission queue without entries, which it refuses. */
static int spoil_create_sq(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
			   struct pyn_error *error)
{
	struct nvme_cmd spoiled = *cmd;

	if (cmd->opc == NVME_ADMIN_CREATE_SQ)
		spoiled.cdw10 &= 0xffff;
	return execute(context, &spoiled, data, cpl, error);
}

TEST(a_completion_queue_whose_submission_queue_is_refused_is_deleted_again)
{
	const struct pyn_admin spoiling = {.execute = spoil_create_sq};
	struct pyn_engine_qpair_config config = {.qid = 1, .depth = 16};
	struct pyn_engine_qpair *queue;
	size_t bytes;

	if (!begin(true))
		return;
	bytes = pyn_dma_in_use();
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &spoiling, &queue, &err), -EIO);
	CHECK_EQ(err.kind, PYN_ERROR_CREATE);
	CHECK_HAS(err.text, "CREATE IO SQ 1: INVALID QUEUE SIZE");
	CHECK_EQ(pyn_dma_in_use(), bytes);
	queue = make_queue(1, 16);
	if (queue)
		drop_queue(queue);
	end();
}

/* The command is executed, and nobody hears of it. */
static int lose_completion(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
			   struct pyn_error *error)
{
	execute(context, cmd, data, cpl, error);
	return pyn_error(error, PYN_ERROR_TIMEOUT, ETIMEDOUT, "lost");
}

TEST(memory_that_the_device_may_still_use_is_kept_until_it_is_disabled)
{
	const struct pyn_admin losing = {.execute = lose_completion};
	struct pyn_engine_qpair_config config = {.qid = 1, .depth = 16};
	struct pyn_engine_qpair *queue;
	size_t bytes;

	if (!begin(true))
		return;
	bytes = pyn_dma_in_use();
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &losing, &queue, &err), -ETIMEDOUT);
	CHECK_EQ(err.kind, PYN_ERROR_TIMEOUT);
	CHECK(pyn_dma_in_use() > bytes);
	CHECK_EQ(engine->disable(the_ctrlr, &err), 0);
	CHECK_EQ(pyn_dma_in_use(), bytes);
	end();
}

/* There is no admin queue, or all its slots are taken. */
static int send_nothing(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
			struct pyn_error *error)
{
	(void)cmd, (void)data, (void)cpl;
	return pyn_error(error, PYN_ERROR_STATE, *(const int *)context, "not sent");
}

TEST(memory_that_the_device_was_never_told_of_is_given_back_at_once)
{
	int why[] = {ENODEV, EBUSY};
	struct pyn_engine_qpair_config config = {.qid = 1, .depth = 16};
	struct pyn_engine_qpair *queue;
	size_t bytes;

	if (!begin(true))
		return;
	bytes = pyn_dma_in_use();
	for (unsigned i = 0; i < 2; i++) {
		const struct pyn_admin silent = {.execute = send_nothing, .context = &why[i]};

		CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &silent, &queue, &err), -why[i]);
		CHECK_EQ(pyn_dma_in_use(), bytes);
	}
	end();
}

TEST(a_deletion_that_is_refused_is_an_error)
{
	struct pyn_engine_qpair *queue;

	if (!begin(true))
		return;
	queue = make_queue(1, 16);
	if (queue) {
		CHECK_EQ(engine->qpair_delete(queue, &the_admin, &err), 0);
		CHECK_EQ(engine->qpair_delete(queue, &the_admin, &err), -EIO);
		CHECK_EQ(err.kind, PYN_ERROR_DELETE);
		engine->qpair_free(queue);
	}
	end();
}

TEST(disable_shutdown_and_resets_are_followed_by_a_working_enable)
{
	struct nvme_cmd identify = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = 1};
	struct pyn_engine_qpair *queue;
	uint8_t *data;

	if (!begin(true))
		return;
	data = pyn_dma_alloc(4096, 4096, NULL);
	for (int i = 0; i < 6; i++) {
		queue = make_queue(1, 16);
		if (i == 1)
			CHECK_EQ(engine->disable(the_ctrlr, &err), 0);
		if (i == 2)
			CHECK_EQ(engine->shutdown(the_ctrlr, false, 5000, &err), 0);
		if (i == 3)
			CHECK_EQ(engine->shutdown(the_ctrlr, true, 5000, &err), 0);
		if (i == 4)
			CHECK_EQ(engine->pci->reset(the_ctrlr, PYN_RESET_FUNCTION, &err), 0);
		if (i == 5)
			CHECK_EQ(engine->pci->reset(the_ctrlr, PYN_RESET_HOT, &err), 0);
		/* Another depth every time: the admin rings move. */
		CHECK_EQ(engine->enable(the_ctrlr, (uint16_t)(ADMIN_DEPTH + i), TIMEOUT_MS, &err), 0);
		if (queue)
			engine->qpair_free(queue);
		CHECK_EQ(
			run_on(engine->admin_qpair(the_ctrlr), (uint16_t)(ADMIN_DEPTH + i - 2), identify, data, 4096),
			0);
	}
	pyn_dma_free(data);
	end();
}

TEST(a_script_may_bring_the_controller_up_by_register_writes)
{
	struct nvme_cmd identify = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = 1};
	uint64_t deadline = pyn_monotonic_ns() + ANSWER_NS, csts = 0;
	uint8_t *data;

	if (!begin(false))
		return;
	data = pyn_dma_alloc(4096, 4096, NULL);
	CHECK_EQ(engine->reg_write(the_ctrlr, NVME_REG_CC, 4, 0, &err), 0);
	CHECK_EQ(engine->admin_setup(the_ctrlr, 16, &err), 0);
	CHECK_EQ(engine->reg_write(the_ctrlr, NVME_REG_CC, 4, 0x00460001, &err), 0);
	while (!(csts & 1) && pyn_monotonic_ns() < deadline)
		CHECK_EQ(engine->reg_read(the_ctrlr, NVME_REG_CSTS, 4, &csts, &err), 0);
	CHECK_EQ(run_on(engine->admin_qpair(the_ctrlr), 3, identify, data, 4096), 0);
	pyn_dma_free(data);
	end();
}

TEST(a_completion_raises_the_interrupt_of_its_queue)
{
	struct pyn_engine_qpair_config config = {.qid = 1, .depth = 16, .interrupts = true, .vector = 1};
	struct pollfd event = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .events = POLLIN};
	struct pyn_engine_qpair *queue = NULL;
	eventfd_t count;
	uint8_t *data;

	if (!begin(true))
		return;
	data = pyn_dma_alloc(4096, 4096, NULL);
	CHECK_EQ(engine->interrupts->set(the_ctrlr, 1, event.fd, &err), 0);
	CHECK_EQ(engine->qpair_create(the_ctrlr, &config, &the_admin, &queue, &err), 0);
	if (queue) {
		CHECK_EQ(poll(&event, 1, 0), 0);
		CHECK_EQ(run_on(queue, 0, io_command(NVME_IO_READ, 0, LBA), data, LBA), 0);
		CHECK_EQ(poll(&event, 1, 5000), 1);
		CHECK_EQ(eventfd_read(event.fd, &count), 0);
		CHECK_EQ(engine->interrupts->set(the_ctrlr, 1, -1, &err), 0);
		CHECK_EQ(run_on(queue, 0, io_command(NVME_IO_READ, 0, LBA), data, LBA), 0);
		CHECK_EQ(poll(&event, 1, 20), 0);
		drop_queue(queue);
	}
	close(event.fd);
	pyn_dma_free(data);
	end();
}

TEST(a_second_client_is_told_that_the_drive_is_in_use)
{
	struct pyn_ctrlr *second = NULL;

	if (!begin(true))
		return;
	CHECK(attach(the_vssd.folder, &second, &err) < 0);
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_HAS(err.text, "another client has it");
	CHECK(engine->alive(the_ctrlr));
	end();
}

TEST(a_drive_can_be_detached_enabled_and_attached_again)
{
	uint64_t cc = 1;

	if (!begin(true))
		return;
	for (int i = 0; i < 5; i++) {
		engine->detach(the_ctrlr);
		CHECK_EQ(pyn_dma_in_use(), the_bytes_before);
		if (!CHECK_EQ(attach(the_vssd.folder, &the_ctrlr, &err), 0))
			break;
		/* It was disabled before its memory went away. */
		CHECK_EQ(engine->reg_read(the_ctrlr, NVME_REG_CC, 4, &cc, &err), 0);
		CHECK_EQ(cc & 1, 0);
		CHECK_EQ(engine->enable(the_ctrlr, ADMIN_DEPTH, TIMEOUT_MS, &err), 0);
	}
	end();
}

TEST(a_drive_that_dies_is_gone_and_is_detached_without_a_wait)
{
	struct pyn_engine_qpair *queue;
	uint64_t value, before;

	if (!begin(true))
		return;
	queue = make_queue(1, 16);
	vssd_kill(&the_vssd);
	before = pyn_monotonic_ns();
	CHECK(!engine->alive(the_ctrlr));
	CHECK(engine->reg_read(the_ctrlr, NVME_REG_CSTS, 4, &value, &err) < 0);
	CHECK_EQ(err.kind, PYN_ERROR_GONE);
	CHECK(engine->enable(the_ctrlr, ADMIN_DEPTH, TIMEOUT_MS, &err) < 0);
	CHECK_EQ(err.kind, PYN_ERROR_GONE);
	CHECK(engine->disable(the_ctrlr, &err) < 0);
	CHECK_EQ(err.kind, PYN_ERROR_GONE);
	CHECK(engine->shutdown(the_ctrlr, false, 1000, &err) < 0);
	CHECK_EQ(err.kind, PYN_ERROR_GONE);
	engine->qpair_free(queue);
	end();
	CHECK_TIME(pyn_monotonic_ns() - before < UINT64_C(1900000000));
}

TEST(an_engine_that_this_build_has_not_is_an_error)
{
	unsetenv("PYNVME_ENGINE");
	CHECK_EQ(pyn_engine_select(&err), &pyn_engine_own);
	setenv("PYNVME_ENGINE", "own", 1);
	CHECK_EQ(pyn_engine_select(&err), &pyn_engine_own);
	setenv("PYNVME_ENGINE", "spdk", 1);
	CHECK_EQ(pyn_engine_select(&err), NULL);
	CHECK_EQ(err.kind, PYN_ERROR_UNSUPPORTED);
	CHECK_HAS(err.text, "this build has no SPDK");
	setenv("PYNVME_ENGINE", "warp", 1);
	CHECK_EQ(pyn_engine_select(&err), NULL);
	CHECK_HAS(err.text, "no engine warp");
	unsetenv("PYNVME_ENGINE");
}
