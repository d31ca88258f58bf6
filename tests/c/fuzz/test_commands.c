/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: tests/c/fuzz/clock.c tests/c/fuzz/generate.c tests/c/fuzz/host.c tests/c/fuzz/judge.c
 *          tests/c/fuzz/machine.c tests/c/fuzz/memory.c tests/c/fuzz/model.c tests/c/fuzz/prp.c tests/c/fuzz/report.c
 *          vssd/options*.c vssd/ctrl/*.c vssd/cmd/*.c vssd/drive/*.c vssd/subsystem/*.c
 * vssd/fault/*.c vssd/store/*.c vssd/bus/*.c vssd/tcg/*.c spec/commands.c core/nvme/status.c core/util/crc32c.c
 * core/util/error.c core/util/guards.c core/util/log.c core/util/sha256.c */
/*
 * Commands that are almost right, for the virtual SSD's controller, by the hundred thousand. PYNVME_FUZZ_COMMANDS
 * says how many (100,000), PYNVME_FUZZ_SEED repeats a run.
 *
 * Two kinds of hosts take turns. One keeps the rules of queues, so that all that comes back can be judged: each
 * command completes once, no memory changes that no command names, and what is read is what was written. The other
 * breaks them all; there the sanitizers judge, and the memory protection.
 */
#define TEST_SECONDS 600
#include "tests/c/test.h"

#include <time.h>

#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "tests/c/fuzz/generate.h"
#include "tests/c/fuzz/machine.h"
#include "tests/c/fuzz/report.h"

#define EPISODES_A_DRIVE 8
#define CHECK_EVERY 64u

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- the host that keeps the rules ---- */

static void submit_some(struct fuzz_machine *machine)
{
	struct fuzz_host *host = &machine->host;
	uint16_t qids[FUZZ_QUEUES_MAX], count = 0, qid;
	static struct fuzz_command command;

	for (qid = 1; qid < FUZZ_QUEUES_MAX; qid++)
		if (host->sq[qid].exists)
			qids[count++] = qid;
	qid = count == 0 || fuzz_one_in(&machine->random, 3) ? 0 : qids[fuzz_below(&machine->random, count)];
	for (uint32_t i = fuzz_between(&machine->random, 1, 12); i > 0 && fuzz_host_can_submit(host, qid); i--) {
		if (qid == 0)
			fuzz_generate_admin(host, &command);
		else
			fuzz_generate_io(host, &command);
		fuzz_host_submit(host, qid, &command);
	}
	if (!fuzz_one_in(&machine->random, 4))
		fuzz_host_ring(host, qid);
}

static void reap_some(struct fuzz_machine *machine)
{
	uint16_t cqid = fuzz_one_in(&machine->random, 3) ? 0 : (uint16_t)fuzz_below(&machine->random, 5);
	uint32_t limit = fuzz_one_in(&machine->random, 2) ? UINT32_MAX : fuzz_between(&machine->random, 1, 4);

	fuzz_host_reap(&machine->host, cqid, limit, !fuzz_one_in(&machine->random, 8));
}

static void change_memory(struct fuzz_machine *machine)
{
	static const enum fuzz_region_id regions[] = {FUZZ_READONLY, FUZZ_WRITEONLY, FUZZ_ODD, FUZZ_SKEWED, FUZZ_TOP};
	enum fuzz_region_id id = FUZZ_PICK(&machine->random, regions);

	if (machine->memory.regions[id].mapped)
		fuzz_memory_unmap(&machine->memory, id);
	else
		fuzz_memory_map(&machine->memory, id);
	if (fuzz_one_in(&machine->random, 16))
		machine->memory.fail_one_in = machine->memory.fail_one_in ? 0 : 8;
}

static void orderly_step(struct fuzz_machine *machine)
{
	uint32_t chosen = fuzz_below(&machine->random, 1000);

	if (chosen < 550)
		submit_some(machine);
	else if (chosen < 850)
		reap_some(machine);
	else if (chosen < 880)
		fuzz_machine_drain(machine);
	else if (chosen < 920)
		fuzz_machine_poke_around(machine);
	else if (chosen < 930)
		change_memory(machine);
	else if (chosen < 934)
		fuzz_machine_pause(machine);
	else if (chosen < 936)
		fuzz_machine_lend(machine);
	else
		fuzz_machine_peek_or_poke(machine);
	if (fuzz_one_in(&machine->random, 2))
		vssd_ctrl_poll(machine->ctrl);
}

/* Ready, and paused at most while new firmware starts. */
static bool status_is_right(struct fuzz_machine *machine)
{
	uint32_t csts = fuzz_machine_read32(machine, NVME_REG_CSTS);

	if (NVME_GET(csts, NVME_CSTS_PP) && fuzz_host_in_flight(&machine->host, 0, NVME_ADMIN_FW_COMMIT) == 0)
		return false;
	return (csts & ~(uint32_t)NVME_SET(1, NVME_CSTS_PP)) == 1;
}

static void orderly_episode(struct fuzz_machine *machine)
{
	uint32_t steps = fuzz_between(&machine->random, 50, 800);

	for (uint32_t i = 1; i <= steps && !fuzz_failed; i++) {
		orderly_step(machine);
		if (i % CHECK_EVERY == 0)
			fuzz_host_check(&machine->host);
		if (!status_is_right(machine))
			fuzz_fail("CSTS is %08xh", fuzz_machine_read32(machine, NVME_REG_CSTS));
	}
	if (fuzz_one_in(&machine->random, 2) && !fuzz_failed)
		fuzz_machine_drain(machine);
}

/* ---- the host that breaks them ---- */

static uint64_t any_address(struct fuzz_machine *machine)
{
	enum fuzz_region_id id = (enum fuzz_region_id)fuzz_below(&machine->random, FUZZ_NUM_REGIONS);
	const struct fuzz_region *region = &machine->memory.regions[id];
	uint64_t iova = region->iova + fuzz_below(&machine->random, (uint32_t)region->size);

	if (fuzz_one_in(&machine->random, 16))
		return fuzz_edge(&machine->random);
	return fuzz_one_in(&machine->random, 2) ? iova & ~UINT64_C(4095) : iova & ~UINT64_C(3);
}

/* A host memory buffer that may lie anywhere, as its list may. */
static void wild_buffer(struct fuzz_machine *machine, struct nvme_cmd *cmd)
{
	uint64_t list = any_address(machine) & ~UINT64_C(15);
	struct nvme_hmb_descriptor descriptor = {.badd = any_address(machine),
						 .bsize = fuzz_below(&machine->random, 64)};

	if (fuzz_memory_at(&machine->memory, list, sizeof(descriptor)))
		fuzz_memory_put(&machine->memory, list, &descriptor, sizeof(descriptor));
	cmd->cdw12 = fuzz_below(&machine->random, 64);
	cmd->cdw13 = (uint32_t)list;
	cmd->cdw14 = (uint32_t)(list >> 32);
	cmd->cdw15 = fuzz_one_in(&machine->random, 4) ? (uint32_t)fuzz_edge(&machine->random) : 1;
}

/* A command anywhere in an SQ; its doorbell says anything. */
static void wild_command(struct fuzz_machine *machine)
{
	static struct fuzz_command command;
	struct fuzz_host *host = &machine->host;
	uint16_t qid = fuzz_one_in(&machine->random, 3) ? 0 : (uint16_t)fuzz_below(&machine->random, 5);
	struct fuzz_sq *sq = &host->sq[qid];

	if (!sq->exists)
		return;
	if (qid == 0)
		fuzz_generate_admin(host, &command);
	else
		fuzz_generate_io(host, &command);
	host->sanitized = host->sanitized || command.cmd.opc == NVME_ADMIN_SANITIZE;
	command.cmd.prp1 = any_address(machine);
	command.cmd.prp2 = any_address(machine);
	command.cmd.cid = (uint16_t)fuzz_below(&machine->random, 16);
	if (qid == 0 && command.cmd.opc == NVME_ADMIN_SET_FEATURES && (uint8_t)command.cmd.cdw10 == NVME_FEAT_HMB)
		wild_buffer(machine, &command.cmd);
	sq->tail = fuzz_one_in(&machine->random, 8) ? fuzz_below(&machine->random, sq->size) : sq->tail;
	fuzz_memory_put(&machine->memory, sq->iova + sq->tail * sizeof(command.cmd), &command.cmd,
			sizeof(command.cmd));
	sq->tail = (sq->tail + 1) % sq->size;
	machine->doorbells[2 * qid] = sq->tail;
	host->submitted++;
}

static void wild_doorbell(struct fuzz_machine *machine)
{
	uint32_t index = fuzz_below(&machine->random, fuzz_one_in(&machine->random, 8) ? 1024 : 10);
	uint32_t value = fuzz_below(&machine->random, 130);

	if (fuzz_one_in(&machine->random, 4))
		value = (uint32_t)fuzz_edge(&machine->random);
	machine->doorbells[index] = value;
}

static void wild_register(struct fuzz_machine *machine)
{
	uint32_t bytes[4] = {(uint32_t)fuzz_edge(&machine->random), (uint32_t)fuzz_edge(&machine->random)};
	uint32_t offset = fuzz_below(&machine->random, 0x60);

	if (fuzz_one_in(&machine->random, 2))
		offset = NVME_REG_CC;
	if (fuzz_one_in(&machine->random, 2))
		bytes[0] = fuzz_machine_read32(machine, NVME_REG_CC) ^ 1u << fuzz_below(&machine->random, 24);
	vssd_ctrl_bar_write(machine->ctrl, offset & ~3u, bytes, fuzz_between(&machine->random, 1, 4) * 4);
}

static void wild_config(struct fuzz_machine *machine)
{
	uint64_t value = fuzz_edge(&machine->random);
	uint32_t length = fuzz_between(&machine->random, 1, 8);
	uint32_t offset = fuzz_one_in(&machine->random, 2) ? fuzz_below(&machine->random, 0x80)
							   : fuzz_below(&machine->random, VSSD_CONFIG_SIZE - 8);

	vssd_ctrl_config_write(machine->ctrl, offset, &value, length);
}

static void wild_memory(struct fuzz_machine *machine)
{
	enum fuzz_region_id id = (enum fuzz_region_id)fuzz_below(&machine->random, FUZZ_NUM_REGIONS);

	if (machine->memory.regions[id].mapped)
		fuzz_memory_unmap(&machine->memory, id);
	else
		fuzz_memory_map(&machine->memory, id);
}

static void wild_step(struct fuzz_machine *machine)
{
	uint32_t chosen = fuzz_below(&machine->random, 1000);

	if (chosen < 800)
		wild_command(machine);
	else if (chosen < 900)
		wild_doorbell(machine);
	else if (chosen < 903)
		wild_register(machine);
	else if (chosen < 908)
		wild_config(machine);
	else if (chosen < 918)
		wild_memory(machine);
	else if (chosen < 919)
		vssd_ctrl_host_gone(machine->ctrl);
	else if (chosen < 922)
		vssd_subsystem_power(machine->subsystem, fuzz_one_in(&machine->random, 2));
	else if (chosen < 930)
		fuzz_machine_poke_around(machine);
	if (fuzz_one_in(&machine->random, 4))
		vssd_ctrl_poll(machine->ctrl);
}

/* Nobody knows afterwards what the drive holds. */
static void wild_episode(struct fuzz_machine *machine)
{
	uint32_t steps = fuzz_between(&machine->random, 50, 400);

	for (uint32_t i = 0; i < 100 && !fuzz_failed; i++)
		orderly_step(machine);
	machine->memory.fail_one_in = fuzz_one_in(&machine->random, 2) ? 32 : 0;
	machine->memory.fail_queues = true;
	for (uint32_t i = 0; i < steps; i++)
		wild_step(machine);
	machine->memory.fail_one_in = 0;
	machine->memory.fail_queues = false;
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++)
		fuzz_memory_map(&machine->memory, id);
	fuzz_memory_adopt(&machine->memory);
	vssd_subsystem_power(machine->subsystem, true);
	fuzz_machine_revive(machine);
	machine->host.erratic = true;
}

/* ---- both ---- */

TEST(any_command_in_any_state_is_survived_and_nothing_else_changes)
{
	static struct fuzz_machine machine;
	uint64_t seed = from_environment("PYNVME_FUZZ_SEED", (uint64_t)time(NULL));
	uint64_t count = from_environment("PYNVME_FUZZ_COMMANDS", 100000);
	const struct fuzz_host *host = &machine.host;

	printf("    PYNVME_FUZZ_SEED=%llu repeats this run\n", (unsigned long long)seed);
	fuzz_machine_open(&machine, seed);
	for (uint64_t episode = 0; host->submitted < count && !fuzz_failed; episode++) {
		if (episode % EPISODES_A_DRIVE == 0)
			fuzz_machine_plug(&machine);
		fuzz_machine_enable(&machine);
		if (fuzz_one_in(&machine.random, 4))
			wild_episode(&machine);
		else
			orderly_episode(&machine);
		if (!fuzz_failed)
			fuzz_machine_reset(&machine);
	}
	printf("    %llu commands, %llu completions, %llu of them successful, %llu sectors compared, "
	       "%llu fused pairs, %llu drives, %llu resets\n",
	       (unsigned long long)host->submitted, (unsigned long long)host->completed,
	       (unsigned long long)host->succeeded, (unsigned long long)host->judged, (unsigned long long)host->fused,
	       (unsigned long long)machine.drives, (unsigned long long)machine.resets);
	CHECK(!fuzz_failed);
	CHECK(host->succeeded > host->submitted / 4);
	CHECK(host->fused > host->submitted / 1000);
	fuzz_machine_close(&machine);
}
