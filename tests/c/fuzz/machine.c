/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "tests/c/fuzz/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "spec/pci.h"
#include "tests/c/fuzz/clock.h"
#include "tests/c/fuzz/report.h"

#define NAMESPACE_BLOCKS 48u
#define QUIET_POLLS 8
#define DRAIN_POLLS 20000
#define IDLE_POLLS 64

/* ---- registers ---- */

uint32_t fuzz_machine_read32(struct fuzz_machine *machine, uint32_t offset)
{
	uint32_t value;

	vssd_ctrl_bar_read(machine->ctrl, offset, &value, sizeof(value));
	return value;
}

void fuzz_machine_write32(struct fuzz_machine *machine, uint32_t offset, uint32_t value)
{
	vssd_ctrl_bar_write(machine->ctrl, offset, &value, sizeof(value));
}

static void write64(struct fuzz_machine *machine, uint32_t offset, uint64_t value)
{
	if (fuzz_one_in(&machine->random, 2)) {
		vssd_ctrl_bar_write(machine->ctrl, offset, &value, sizeof(value));
		return;
	}
	fuzz_machine_write32(machine, offset, (uint32_t)value);
	fuzz_machine_write32(machine, offset + 4, (uint32_t)(value >> 32));
}

void fuzz_machine_config_write16(struct fuzz_machine *machine, uint32_t offset, uint16_t value)
{
	vssd_ctrl_config_write(machine->ctrl, offset, &value, sizeof(value));
}

/* The offset of a capability in configuration space; 0: there is none, as without power. */
static uint32_t capability(struct fuzz_machine *machine, uint8_t id)
{
	uint8_t config[PCI_CFG_SIZE], at;

	vssd_ctrl_config_read(machine->ctrl, 0, config, sizeof(config));
	for (at = config[PCI_CFG_CAPABILITIES]; at != 0 && config[at] != id; at = config[at + 1])
		if (at == UINT8_MAX)
			return 0;
	return at;
}

/* ---- life ---- */

void fuzz_machine_open(struct fuzz_machine *machine, uint64_t seed)
{
	uint8_t *space =
		mmap(NULL, VSSD_DOORBELL_PAGE + 2 * FUZZ_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(machine, 0, sizeof(*machine));
	machine->random.state = seed;
	fuzz_memory_open(&machine->memory, &machine->random);
	if (space == MAP_FAILED || mprotect(space + FUZZ_PAGE, VSSD_DOORBELL_PAGE, PROT_READ | PROT_WRITE) < 0) {
		perror("doorbells");
		exit(2);
	}
	machine->doorbells = (uint32_t *)(space + FUZZ_PAGE);
	machine->host.random = &machine->random;
	machine->host.memory = &machine->memory;
	machine->host.options = &machine->options;
	machine->host.doorbells = machine->doorbells;
	machine->host.page_size = FUZZ_PAGE;
}

static void unplug(struct fuzz_machine *machine)
{
	if (machine->ctrl) {
		vssd_ctrl_destroy(machine->ctrl);
		vssd_subsystem_destroy(machine->subsystem);
	}
	machine->ctrl = NULL;
}

void fuzz_machine_close(struct fuzz_machine *machine)
{
	unplug(machine);
	fuzz_memory_close(&machine->memory);
	munmap((uint8_t *)machine->doorbells - FUZZ_PAGE, VSSD_DOORBELL_PAGE + 2 * FUZZ_PAGE);
}

static void choose_options(struct fuzz_machine *machine)
{
	static const uint32_t versions[] = {NVME_2_0, NVME_2_0,   NVME_2_0, NVME_1_4,
					    NVME_1_3, NVME_1_2_1, NVME_1_1, NVME_1_0};
	static const uint16_t queues[] = {1, 4, 16, 64};
	static const uint32_t entries[] = {4096, 64, 4096, 1024};
	static const uint8_t mdts[] = {5, 5, 0, 1, 9};
	static const uint64_t cache[] = {64 << 20, 64 << 10, 0, 80 << 10};
	static const uint32_t namespaces[] = {1, 2, 3, 32};
	struct fuzz_random *random = &machine->random;

	vssd_options_default(&machine->options);
	machine->options.size = NAMESPACE_BLOCKS * 4096;
	machine->options.null_store = fuzz_one_in(random, 16);
	machine->options.lba_size = fuzz_one_in(random, 3) ? 4096 : 512;
	machine->options.queues = FUZZ_PICK(random, queues);
	machine->options.queue_entries = FUZZ_PICK(random, entries);
	machine->options.namespaces = FUZZ_PICK(random, namespaces);
	machine->options.mdts = FUZZ_PICK(random, mdts);
	machine->options.version = FUZZ_PICK(random, versions);
	machine->options.cache_size = FUZZ_PICK(random, cache);
	machine->options.grant_all = fuzz_one_in(random, 2);
	machine->options.optional.ocp = fuzz_one_in(random, 2);
	machine->options.optional.features.power_measurement = fuzz_one_in(random, 2);
	machine->options.optional.features.host_metadata = fuzz_one_in(random, 2);
	machine->options.serial = "FUZZ";
	machine->options.sanitize_failures = fuzz_one_in(random, 4);
	machine->host.sanitized = false;
}

void fuzz_machine_plug(struct fuzz_machine *machine)
{
	struct pyn_error err;

	unplug(machine);
	choose_options(machine);
	machine->time_stands = fuzz_one_in(&machine->random, 8);
	fuzz_time_stands = machine->time_stands;
	fuzz_memory_forbid(&machine->memory, true);
	if (vssd_subsystem_create(&machine->options, &machine->subsystem, &err) != 0 ||
	    vssd_ctrl_create(machine->subsystem, &machine->memory.bus, machine->doorbells, &machine->ctrl, &err) !=
		    0) {
		printf("    no drive: %s\n", err.text);
		exit(2);
	}
	machine->drives++;
	machine->host.ctrl = machine->ctrl;
	machine->host.subsystem = machine->subsystem;
	fuzz_model_open(&machine->host.model, NAMESPACE_BLOCKS * 4096 / FUZZ_SECTOR, !machine->options.null_store);
	fuzz_host_reset(&machine->host);
}

/* ---- enabling ---- */

static void restore_config(struct fuzz_machine *machine)
{
	fuzz_machine_config_write16(machine, capability(machine, PCI_CAP_PM) + PCI_PM_CONTROL, 0);
	fuzz_machine_config_write16(machine, PCI_CFG_COMMAND, PCI_COMMAND_MSE | PCI_COMMAND_BME);
}

static uint32_t some_admin_size(struct fuzz_machine *machine)
{
	return fuzz_one_in(&machine->random, 16)  ? fuzz_between(&machine->random, 2, 4096)
	       : fuzz_one_in(&machine->random, 2) ? fuzz_between(&machine->random, 2, 6)
						  : fuzz_between(&machine->random, 2, 64);
}

/* Settings with which it must not become ready, and that a reset takes back. */
static void enable_wrongly(struct fuzz_machine *machine)
{
	static const uint32_t wrong[] = {5u << 7, 15u << 7, 1u << 4, 7u << 4, 2u << 11, 7u << 11};
	uint32_t cc = 1 | 6u << 16 | 4u << 20;

	if (fuzz_one_in(&machine->random, 4))
		fuzz_machine_write32(machine, NVME_REG_AQA, fuzz_one_in(&machine->random, 2) ? 31 : 31u << 16);
	else
		cc |= FUZZ_PICK(&machine->random, wrong);
	fuzz_machine_write32(machine, NVME_REG_CC, cc);
	if (NVME_GET(fuzz_machine_read32(machine, NVME_REG_CSTS), NVME_CSTS_RDY))
		fuzz_fail("the controller is ready with CC %08xh", cc);
	vssd_ctrl_poll(machine->ctrl);
	fuzz_machine_write32(machine, NVME_REG_CC, 0);
}

void fuzz_machine_enable(struct fuzz_machine *machine)
{
	uint32_t mps = fuzz_one_in(&machine->random, 3) ? fuzz_below(&machine->random, 5) : 0;
	uint32_t sq_size = some_admin_size(machine), cq_size = some_admin_size(machine);
	bool all_sets = machine->options.version >= NVME_2_0 && fuzz_one_in(&machine->random, 2);
	uint32_t ams = fuzz_one_in(&machine->random, 2) ? 1u << 11 : 0;
	uint64_t asq, acq;

	machine->host.page_size = FUZZ_PAGE << mps;
	asq = fuzz_host_queue_memory(&machine->host, sq_size * 64);
	acq = fuzz_host_queue_memory(&machine->host, cq_size * 16);
	restore_config(machine);
	fuzz_machine_write32(machine, NVME_REG_AQA, (cq_size - 1) << 16 | (sq_size - 1));
	write64(machine, NVME_REG_ASQ, asq);
	write64(machine, NVME_REG_ACQ, acq);
	if (fuzz_one_in(&machine->random, 16)) {
		enable_wrongly(machine);
		fuzz_machine_write32(machine, NVME_REG_AQA, (cq_size - 1) << 16 | (sq_size - 1));
	}
	fuzz_memory_forbid(&machine->memory, false);
	fuzz_machine_write32(machine, NVME_REG_CC,
			     1 | (all_sets ? 6u << 4 : 0) | mps << 7 | ams | 6u << 16 | 4u << 20);
	if (fuzz_machine_read32(machine, NVME_REG_CSTS) % 4 != 1)
		fuzz_fail("the controller does not become ready: CSTS %08xh",
			  fuzz_machine_read32(machine, NVME_REG_CSTS));
	fuzz_host_enabled(&machine->host, asq, sq_size, acq, cq_size, FUZZ_PAGE << mps);
}

/* ---- waiting ---- */

/* What may stay in flight for ever. */
static uint32_t patient(const struct fuzz_machine *machine)
{
	return fuzz_host_in_flight(&machine->host, 0, NVME_ADMIN_ASYNC_EVENT);
}

static void ring_all(struct fuzz_host *host)
{
	for (uint16_t qid = 0; qid < FUZZ_QUEUES_MAX; qid++) {
		fuzz_host_ring(host, qid);
		fuzz_host_ring_cq(host, qid);
	}
}

void fuzz_machine_drain(struct fuzz_machine *machine)
{
	struct fuzz_host *host = &machine->host;
	int idle = 0;

	for (int i = 0; i < DRAIN_POLLS && idle < IDLE_POLLS && !fuzz_failed; i++) {
		uint32_t taken;

		if (idle % 8 == 0)
			ring_all(host);
		taken = vssd_ctrl_poll(machine->ctrl);
		for (uint16_t qid = 0; qid < FUZZ_QUEUES_MAX; qid++)
			taken += fuzz_host_reap(host, qid, UINT32_MAX, true);
		idle = taken ? 0 : idle + 1;
		if (fuzz_host_in_flight(host, -1, -1) == patient(machine))
			return;
	}
	if (machine->time_stands || fuzz_failed)
		return;
	for (uint32_t i = 0; i < FUZZ_SLOTS; i++)
		if (host->slots[i].used && host->slots[i].cmd.opc != NVME_ADMIN_ASYNC_EVENT)
			fuzz_fail("SQ %u, CID %u, opcode %02xh does not complete", host->slots[i].sqid,
				  host->slots[i].cmd.cid, host->slots[i].cmd.opc);
}

/* Send one command of the admin queue, or of the first IO queue that there is, and let the controller look at it. */
static void send(struct fuzz_machine *machine, bool admin, uint8_t opcode, uint32_t nsid, uint32_t cdw10)
{
	static struct fuzz_command command;
	uint16_t qid = 0;

	while (!admin && ++qid < FUZZ_QUEUES_MAX && !machine->host.sq[qid].exists)
		;
	if (qid == FUZZ_QUEUES_MAX || !fuzz_host_can_submit(&machine->host, qid))
		return;
	memset(&command, 0, sizeof(command));
	command.cmd.opc = opcode;
	command.cmd.nsid = nsid;
	command.cmd.cdw10 = cdw10;
	fuzz_host_submit(&machine->host, qid, &command);
	fuzz_host_ring(&machine->host, qid);
	vssd_ctrl_poll(machine->ctrl);
}

/* Let a format begin, so that what comes next happens in the midst of it. */
static void begin_format(struct fuzz_machine *machine)
{
	fuzz_machine_drain(machine);
	send(machine, true, NVME_ADMIN_FORMAT_NVM, fuzz_one_in(&machine->random, 2) ? 1 : UINT32_MAX,
	     fuzz_below(&machine->random, 2));
}

/* Let new firmware begin to start. */
static void begin_activation(struct fuzz_machine *machine)
{
	fuzz_machine_drain(machine);
	send(machine, true, NVME_ADMIN_FW_COMMIT, 0, NVME_FW_ACTIVATE_NOW << NVME_FW_ACTION_SHIFT | 1);
}

static void begin_self_test(struct fuzz_machine *machine)
{
	fuzz_machine_drain(machine);
	send(machine, true, NVME_ADMIN_SELF_TEST, 0, fuzz_between(&machine->random, 1, 2));
}

/* The same of a sanitize operation. */
static void begin_sanitize(struct fuzz_machine *machine)
{
	fuzz_machine_drain(machine);
	send(machine, true, NVME_ADMIN_SANITIZE, 0, fuzz_between(&machine->random, 1, 4) | NVME_SANITIZE_AUSE);
}

/* ---- the host memory buffer ---- */

#define LENT 65536u

/* One descriptor, or one for each page. Nobody may give these pages back before the next reset, after which the
 * controller must not know of them any more. */
static uint32_t describe(struct fuzz_machine *machine, uint64_t list, uint64_t lent)
{
	uint32_t page = machine->host.page_size;
	uint32_t count = fuzz_one_in(&machine->random, 2) ? 1 : LENT / page;
	struct nvme_hmb_descriptor descriptor = {.badd = lent, .bsize = LENT / page / count};

	for (uint32_t i = 0; i < count; i++) {
		fuzz_memory_put(&machine->memory, list + i * sizeof(descriptor), &descriptor, sizeof(descriptor));
		descriptor.badd += (uint64_t)descriptor.bsize * page;
	}
	return count;
}

void fuzz_machine_lend(struct fuzz_machine *machine)
{
	static struct fuzz_command command;
	uint64_t list, lent;

	if (machine->lends || !fuzz_host_can_submit(&machine->host, 0))
		return;
	machine->lends = true;
	list = fuzz_memory_alloc(&machine->memory, FUZZ_PAGE);
	lent = fuzz_memory_alloc(&machine->memory, LENT);
	if (!list || !lent)
		return;
	fuzz_memory_name(&machine->memory, lent, LENT, true);
	memset(&command, 0, sizeof(command));
	command.cmd.opc = NVME_ADMIN_SET_FEATURES;
	command.cmd.cdw10 = NVME_FEAT_HMB;
	command.cmd.cdw11 = NVME_HMB_EHM | fuzz_below(&machine->random, 2) << 1;
	command.cmd.cdw12 = LENT / machine->host.page_size;
	command.cmd.cdw13 = (uint32_t)list;
	command.cmd.cdw14 = (uint32_t)(list >> 32);
	command.cmd.cdw15 = describe(machine, list, lent);
	fuzz_host_submit(&machine->host, 0, &command);
	fuzz_host_ring(&machine->host, 0);
}

/* Have all data made durable. */
static void flush(struct fuzz_machine *machine)
{
	fuzz_machine_drain(machine);
	send(machine, false, NVME_IO_FLUSH, 1, 0);
	fuzz_machine_drain(machine);
}

/* ---- behind the controller's back ---- */

/* Whether all sectors of an LBA are known at the moment. */
static bool is_known(const struct fuzz_model *model, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		if (!fuzz_model_is_stable(model, i) || model->sectors[i].content != FUZZ_KNOWN)
			return false;
	return true;
}

static void peek(struct fuzz_machine *machine, uint32_t first, uint32_t count)
{
	uint8_t data[4096];

	if (vssd_subsystem_peek(machine->subsystem, 1, first / count, data, count * FUZZ_SECTOR) != 0)
		fuzz_fail("sector %u cannot be peeked", first);
	for (uint32_t i = 0; i < count; i++)
		fuzz_model_read(&machine->host.model, first + i, data + i * FUZZ_SECTOR, "peeked");
}

static void poke(struct fuzz_machine *machine, uint32_t first, uint32_t count)
{
	struct fuzz_sector *sectors = &machine->host.model.sectors[first];
	uint8_t data[4096];

	memset(data, (int)fuzz_next(&machine->random), sizeof(data));
	if (vssd_subsystem_poke(machine->subsystem, 1, first / count, data, count * FUZZ_SECTOR) != 0)
		fuzz_fail("sector %u cannot be poked", first);
	for (uint32_t i = 0; i < count; i++) {
		memcpy(sectors[i].data, data, FUZZ_SECTOR);
		sectors[i].is_volatile = true;
		sectors[i].version++;
	}
}

/* Sectors of an LBA of namespace 1; 0: nobody knows. */
static uint32_t sectors_of_lba(const struct fuzz_host *host)
{
	return host->lba_shift && host->model.keeps && !host->erratic ? 1u << (host->lba_shift - 9) : 0;
}

void fuzz_machine_peek_or_poke(struct fuzz_machine *machine)
{
	const struct fuzz_model *model = &machine->host.model;
	uint32_t count = sectors_of_lba(&machine->host), first;

	if (count == 0)
		return;
	first = fuzz_below(&machine->random, model->count / count) * count;
	if (!is_known(model, first, count))
		return;
	if (fuzz_one_in(&machine->random, 4))
		poke(machine, first, count);
	else
		peek(machine, first, count);
}

void fuzz_machine_verify(struct fuzz_machine *machine)
{
	const struct fuzz_model *model = &machine->host.model;
	uint32_t count = sectors_of_lba(&machine->host);

	for (uint32_t first = 0; count > 0 && first < model->count; first += count)
		if (is_known(model, first, count))
			peek(machine, first, count);
}

/* ---- resets ---- */

static void stay_quiet(struct fuzz_machine *machine)
{
	fuzz_memory_forbid(&machine->memory, true);
	for (int i = 0; i < QUIET_POLLS; i++)
		if (vssd_ctrl_poll(machine->ctrl) != 0)
			fuzz_fail("the controller takes commands that it must leave alone");
}

static void reset_by_enable(struct fuzz_machine *machine)
{
	fuzz_machine_write32(machine, NVME_REG_CC, 6u << 16 | 4u << 20);
}

static void shut_down(struct fuzz_machine *machine)
{
	uint32_t cc = fuzz_machine_read32(machine, NVME_REG_CC);

	fuzz_machine_write32(machine, NVME_REG_CC, cc | fuzz_between(&machine->random, 1, 2) << 14);
	if (NVME_GET(fuzz_machine_read32(machine, NVME_REG_CSTS), NVME_CSTS_SHST) != NVME_SHST_COMPLETE)
		fuzz_fail("a shutdown does not complete");
	fuzz_model_flushed(&machine->host.model, UINT64_MAX);
	stay_quiet(machine);
	reset_by_enable(machine);
}

static void reset_subsystem(struct fuzz_machine *machine)
{
	/* Before 1.1 there is no such register. */
	if (machine->options.version < NVME_1_1) {
		reset_by_enable(machine);
		return;
	}
	fuzz_machine_write32(machine, NVME_REG_NSSR, NVME_NSSR_RESET);
	if (!NVME_GET(fuzz_machine_read32(machine, NVME_REG_CSTS), NVME_CSTS_NSSRO))
		fuzz_fail("CSTS does not tell of the subsystem reset");
	fuzz_machine_write32(machine, NVME_REG_CSTS, NVME_SET(1, NVME_CSTS_NSSRO));
}

static void reset_by_config(struct fuzz_machine *machine)
{
	uint32_t express = capability(machine, PCI_CAP_EXP);

	fuzz_machine_config_write16(machine, express + PCI_EXP_DEVICE_CONTROL, PCI_EXP_DEVICE_CONTROL_FLR);
}

static void reset_by_bus(struct fuzz_machine *machine)
{
	vssd_ctrl_reset(machine->ctrl,
			fuzz_one_in(&machine->random, 2) ? VSSD_RESET_FUNCTION : VSSD_RESET_CONVENTIONAL);
}

static void cycle_power(struct fuzz_machine *machine)
{
	if (fuzz_one_in(&machine->random, 4))
		shut_down(machine);
	else if (!machine->host.erratic && fuzz_one_in(&machine->random, 2))
		flush(machine);
	vssd_subsystem_power(machine->subsystem, false);
	fuzz_model_abandon(&machine->host.model);
	fuzz_model_power_lost(&machine->host.model);
	stay_quiet(machine);
	if (fuzz_machine_read32(machine, NVME_REG_VS) != UINT32_MAX)
		fuzz_fail("a register can be read without power");
	fuzz_machine_write32(machine, NVME_REG_CC, 1);
	vssd_subsystem_power(machine->subsystem, true);
}

/* The client leaves, and takes its memory along. */
static void leave(struct fuzz_machine *machine)
{
	vssd_ctrl_host_gone(machine->ctrl);
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++)
		fuzz_memory_unmap(&machine->memory, id);
	stay_quiet(machine);
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++)
		fuzz_memory_map(&machine->memory, id);
	stay_quiet(machine);
	reset_by_enable(machine);
}

void fuzz_machine_reset(struct fuzz_machine *machine)
{
	static void (*const ways[])(struct fuzz_machine *) = {reset_by_enable, reset_by_enable, shut_down,
							      reset_subsystem, reset_by_config, reset_by_bus,
							      cycle_power,     cycle_power,     leave};

	machine->resets++;
	if (fuzz_one_in(&machine->random, 4) && !machine->host.erratic)
		begin_format(machine);
	else if (fuzz_one_in(&machine->random, 8) && !machine->host.erratic)
		begin_activation(machine);
	else if (fuzz_one_in(&machine->random, 4) && !machine->host.erratic)
		begin_self_test(machine);
	else if (fuzz_one_in(&machine->random, 16) && !machine->host.erratic)
		begin_sanitize(machine);
	fuzz_host_check(&machine->host);
	FUZZ_PICK(&machine->random, ways)(machine);
	stay_quiet(machine);
	restore_config(machine);
	if (fuzz_machine_read32(machine, NVME_REG_CSTS) != 0)
		fuzz_fail("CSTS is %08xh after a reset", fuzz_machine_read32(machine, NVME_REG_CSTS));
	fuzz_host_check(&machine->host);
	fuzz_host_reset(&machine->host);
	machine->lends = false;
	fuzz_machine_verify(machine);
}

void fuzz_machine_revive(struct fuzz_machine *machine)
{
	restore_config(machine);
	fuzz_machine_write32(machine, NVME_REG_CC, 1 | 6u << 16 | 4u << 20);
}

void fuzz_machine_pause(struct fuzz_machine *machine)
{
	uint32_t power = capability(machine, PCI_CAP_PM) + PCI_PM_CONTROL;

	if (fuzz_one_in(&machine->random, 4))
		begin_format(machine);
	if (fuzz_one_in(&machine->random, 2)) {
		fuzz_machine_config_write16(machine, PCI_CFG_COMMAND, PCI_COMMAND_MSE);
	} else {
		fuzz_machine_config_write16(machine, power, 3);
		if (fuzz_machine_read32(machine, NVME_REG_CSTS) != UINT32_MAX)
			fuzz_fail("a register can be read in D3hot");
	}
	stay_quiet(machine);
	if (fuzz_one_in(&machine->random, 2))
		fuzz_machine_config_write16(machine, power, 1); /* D1 is not there */
	fuzz_memory_forbid(&machine->memory, false);
	restore_config(machine);
}

/* ---- pokes ---- */

static void poke_registers(struct fuzz_machine *machine)
{
	static const uint32_t harmless[] = {
		NVME_REG_CAP,    NVME_REG_CAP + 4, NVME_REG_VS,   NVME_REG_INTMS,  NVME_REG_INTMC, NVME_REG_CSTS,
		NVME_REG_CMBLOC, NVME_REG_BPRSEL,  NVME_REG_CRTO, NVME_REG_PMRCAP, 0x18,           0x3000};
	uint8_t bytes[256];
	uint32_t offset = fuzz_below(&machine->random, VSSD_BAR0_LEAST - sizeof(bytes));
	uint32_t length = fuzz_between(&machine->random, 1, sizeof(bytes));
	uint32_t version = fuzz_machine_read32(machine, NVME_REG_VS);

	vssd_ctrl_bar_read(machine->ctrl, offset, bytes, length);
	fuzz_machine_write32(machine, FUZZ_PICK(&machine->random, harmless), (uint32_t)fuzz_edge(&machine->random));
	fuzz_machine_write32(machine, NVME_REG_NSSR, (uint32_t)fuzz_below(&machine->random, UINT32_MAX) / 2);
	/* An access that is not aligned, or not of whole registers, does nothing. */
	offset = fuzz_below(&machine->random, NVME_REG_DOORBELLS + 64) | 1;
	vssd_ctrl_bar_write(machine->ctrl, offset, bytes, fuzz_between(&machine->random, 1, 16));
	if (fuzz_machine_read32(machine, NVME_REG_VS) != version)
		fuzz_fail("VS has changed");
}

static void poke_config(struct fuzz_machine *machine)
{
	static const uint16_t writable[] = {PCI_CFG_BAR0,         PCI_CFG_BAR0 + 4,      PCI_CFG_BAR0 + 16,
					    PCI_CFG_BAR0 + 20,    PCI_CFG_CACHE_LINE,    PCI_CFG_VENDOR,
					    PCI_CFG_CAPABILITIES, PCI_CFG_INTERRUPT_LINE};
	uint8_t bytes[256], before[2], after[2];
	uint32_t offset = fuzz_below(&machine->random, VSSD_CONFIG_SIZE - sizeof(bytes) + 1);
	uint32_t value = fuzz_one_in(&machine->random, 2) ? UINT32_MAX : (uint32_t)fuzz_next(&machine->random);

	vssd_ctrl_config_read(machine->ctrl, 0, before, sizeof(before));
	vssd_ctrl_config_read(machine->ctrl, offset, bytes, sizeof(bytes));
	/* Extended configuration space: masks and statuses. */
	if (offset >= PCI_CFG_SIZE)
		vssd_ctrl_config_write(machine->ctrl, offset, bytes,
				       fuzz_between(&machine->random, 1, sizeof(bytes)));
	vssd_ctrl_config_write(machine->ctrl, FUZZ_PICK(&machine->random, writable), &value,
			       fuzz_between(&machine->random, 1, 4));
	fuzz_machine_config_write16(machine, capability(machine, PCI_CAP_MSIX) + PCI_MSIX_CONTROL, (uint16_t)value);
	fuzz_machine_config_write16(machine, capability(machine, PCI_CAP_MSI) + PCI_MSI_CONTROL,
				    (uint16_t)(value >> 16));
	fuzz_machine_config_write16(machine, capability(machine, PCI_CAP_MSI) + PCI_MSI_MASK, (uint16_t)value);
	vssd_ctrl_config_read(machine->ctrl, 0, after, sizeof(after));
	if (memcmp(before, after, sizeof(before)) != 0)
		fuzz_fail("the vendor ID was written");
}

/* Doorbells that no queue has, and values that no queue can have. */
static void poke_doorbells(struct fuzz_machine *machine)
{
	uint32_t index = fuzz_below(&machine->random, VSSD_DOORBELL_PAGE / 4);
	const struct fuzz_sq *sq = &machine->host.sq[index / 2 % FUZZ_QUEUES_MAX];
	const struct fuzz_cq *cq = &machine->host.cq[index / 2 % FUZZ_QUEUES_MAX];
	uint32_t value = (uint32_t)fuzz_edge(&machine->random);

	if (fuzz_one_in(&machine->random, 2))
		index %= 8;
	/* A queue that is being made would take it for good. */
	if (index / 2 < FUZZ_QUEUES_MAX) {
		sq = &machine->host.sq[index / 2];
		cq = &machine->host.cq[index / 2];
		if (sq->pending || cq->pending)
			return;
		value |= 1u << 16;
	}
	if (fuzz_one_in(&machine->random, 2))
		machine->doorbells[index] = value;
	else
		fuzz_machine_write32(machine, VSSD_DOORBELL_OFFSET + 4 * index, value);
}

void fuzz_machine_poke_around(struct fuzz_machine *machine)
{
	switch (fuzz_below(&machine->random, 3)) {
	case 0:
		poke_registers(machine);
		break;
	case 1:
		poke_config(machine);
		break;
	default:
		poke_doorbells(machine);
		break;
	}
}
