/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller registers. NVM Express Base Specification 2.0, sections 3.1.3, 3.5, 3.6 and 3.7. */
#include "vssd/ctrl/controller.h"

#include <string.h>

#include "core/util/clock.h"

#include "vssd/ctrl/doorbell.h"
#include "vssd/ctrl/interrupt.h"
#include "vssd/fault/value.h"

#define READY_TIMEOUT 20u   /* CAP.TO and CRTO, units of 500 ms; the drive needs a few microseconds */
#define CAP_AMS_WEIGHTED 1u /* CAP.AMS: a bit for each mechanism except round robin */

static int init(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	bool is_2_0 = vssd_since(ctrl, NVME_2_0);

	ctrl->regs.cap = NVME_SET(ctrl->options->queue_entries - 1, NVME_CAP_MQES) | NVME_SET(1, NVME_CAP_CQR) |
			 NVME_SET(CAP_AMS_WEIGHTED, NVME_CAP_AMS) | NVME_SET(READY_TIMEOUT, NVME_CAP_TO) |
			 NVME_SET(vssd_since(ctrl, NVME_1_1) ? 1 : 0, NVME_CAP_NSSRS) |
			 NVME_SET(is_2_0 ? NVME_CAP_CSS_NVM | NVME_CAP_CSS_ALL : NVME_CAP_CSS_NVM, NVME_CAP_CSS) |
			 NVME_SET(ctrl->options->mpsmax, NVME_CAP_MPSMAX) | NVME_SET(is_2_0 ? 1 : 0, NVME_CAP_CRMS) |
			 NVME_SET(is_2_0 && ctrl->options->optional.mi ? 1 : 0, NVME_CAP_NSSS) |
			 NVME_SET(ctrl->options->optional.boot && vssd_since(ctrl, NVME_1_3) ? 1 : 0, NVME_CAP_BPS);
	(void)err;
	return 0;
}

/* Whether the subsystem was shut down. */
static bool is_down(const struct vssd_ctrl *ctrl)
{
	return NVME_GET(ctrl->regs.csts, NVME_CSTS_ST);
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	bool stays_down = is_down(ctrl) && kind < VSSD_RESET_SUBSYSTEM;

	ctrl->regs.csts &= NVME_SET(1, NVME_CSTS_NSSRO) |
			   (stays_down ? NVME_SET(1, NVME_CSTS_ST) | NVME_SET(3, NVME_CSTS_SHST) : 0);
	if (kind == VSSD_RESET_POWER) {
		ctrl->regs.csts = 0;
		ctrl->regs.in_use = false;
	}
	ctrl->regs.shut_down = stays_down;
	ctrl->regs.host_gone = false;
	ctrl->regs.cc = 0;
	if (kind != VSSD_RESET_CONTROLLER) {
		ctrl->regs.aqa = 0;
		ctrl->regs.asq = 0;
		ctrl->regs.acq = 0;
		memset(&ctrl->regs.boot, 0, sizeof(ctrl->regs.boot));
	}
	vssd_update_running(ctrl);
}

const struct vssd_part vssd_regs_part = {.init = init, .reset = reset, .kept = VSSD_FAULT_KEEPS_REGISTERS};

/* Reset the controller as far as fault rules let it. */
static void reset_all(struct vssd_ctrl *ctrl, enum vssd_reset kind, const struct vssd_reset_verdict *verdict)
{
	uint8_t keep = verdict->skips ? (uint8_t)~VSSD_FAULT_KEEPS_REGISTERS : verdict->keep;

	/* Call this first: it needs state that the reset clears. */
	if (!verdict->skips)
		vssd_subsystem_reset(ctrl->subsystem, kind, &ctrl->listener);
	vssd_parts_reset(ctrl, kind, keep);
	ctrl->queues.kept = keep & VSSD_FAULT_KEEPS_QUEUES;
	if (vssd_is_primary(ctrl->subsystem, &ctrl->listener)) {
		vssd_virtual_primary_reset(ctrl->subsystem, &ctrl->listener, kind == VSSD_RESET_CONTROLLER);
		vssd_virtual_enable(ctrl->subsystem, vssd_config_functions(ctrl));
		ctrl->queues.num_sqs = ctrl->queues.num_cqs = vssd_virtual_queues(ctrl->subsystem, &ctrl->listener);
	}
}

/* The function does not answer until then, as it does while it is in reset. */
static void vanish(struct vssd_ctrl *ctrl, uint64_t due)
{
	ctrl->faulty.gone = true;
	ctrl->faulty.power_due = due;
	vssd_faulty_wake(ctrl, due);
}

void vssd_ctrl_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	static const enum vssd_fault_moment moments[] = {
		[VSSD_RESET_CONTROLLER] = VSSD_FAULT_ON_DISABLE,
		[VSSD_RESET_FUNCTION] = VSSD_FAULT_ON_FLR,
		[VSSD_RESET_CONVENTIONAL] = VSSD_FAULT_ON_HOT_RESET,
		[VSSD_RESET_SUBSYSTEM] = VSSD_FAULT_ON_NSSR,
	};
	struct vssd_reset_verdict verdict;

	if (!ctrl->subsystem->power)
		return;
	vssd_faulty_reset(ctrl, moments[kind], &verdict);
	if (!verdict.hangs || kind != VSSD_RESET_CONTROLLER)
		reset_all(ctrl, kind, &verdict);
	ctrl->faulty.hung = verdict.hangs && kind == VSSD_RESET_CONTROLLER;
	if (kind == VSSD_RESET_CONTROLLER)
		ctrl->faulty.ready_due = verdict.due;
	else if (verdict.due || verdict.hangs)
		vanish(ctrl, verdict.hangs ? VSSD_NEVER : verdict.due);
	vssd_update_running(ctrl);
}

/* Whether CC and the registers of the admin queue allow the controller to become ready. */
static bool can_enable(const struct vssd_ctrl *ctrl)
{
	uint64_t css = NVME_GET(ctrl->regs.cc, NVME_CC_CSS), ams = NVME_GET(ctrl->regs.cc, NVME_CC_AMS);
	uint64_t page = UINT64_C(4096) << NVME_GET(ctrl->regs.cc, NVME_CC_MPS);

	if (NVME_GET(ctrl->regs.cc, NVME_CC_MPS) > ctrl->options->mpsmax ||
	    (ams != NVME_AMS_ROUND_ROBIN && ams != NVME_AMS_WEIGHTED_ROUND_ROBIN))
		return false;
	if (css != NVME_CSS_NVM &&
	    (css != NVME_CSS_ALL || !(NVME_GET(ctrl->regs.cap, NVME_CAP_CSS) & NVME_CAP_CSS_ALL)))
		return false;
	if (NVME_GET(ctrl->regs.aqa, NVME_AQA_ASQS) == 0 || NVME_GET(ctrl->regs.aqa, NVME_AQA_ACQS) == 0)
		return false;
	return (ctrl->regs.asq & (page - 1)) == 0 && (ctrl->regs.acq & (page - 1)) == 0;
}

static void enable(struct vssd_ctrl *ctrl)
{
	struct vssd_reset_verdict verdict;

	if (is_down(ctrl))
		return;
	vssd_faulty_reset(ctrl, VSSD_FAULT_ON_ENABLE, &verdict);
	if (verdict.hangs || verdict.skips || ctrl->faulty.hung)
		return;
	ctrl->faulty.ready_due = verdict.due;
	if (!can_enable(ctrl)) {
		vssd_fatal(ctrl);
		return;
	}
	ctrl->regs.host_gone = false; /* a connected client enables the controller */
	ctrl->regs.shut_down = false;
	ctrl->regs.csts &= (uint32_t)~NVME_SET(3, NVME_CSTS_SHST);
	if (!ctrl->queues.kept)
		vssd_queues_clear(ctrl); /* drop doorbells written while disabled: late ones from before a reset */
	ctrl->regs.page_size = 4096u << NVME_GET(ctrl->regs.cc, NVME_CC_MPS);
	ctrl->queues.generation = ctrl->bus->dma.generation;
	vssd_cq_create(ctrl, 0, ctrl->regs.acq, (uint32_t)NVME_GET(ctrl->regs.aqa, NVME_AQA_ACQS) + 1, 0, true);
	vssd_sq_create(ctrl, 0, ctrl->regs.asq, (uint32_t)NVME_GET(ctrl->regs.aqa, NVME_AQA_ASQS) + 1, 0,
		       VSSD_URGENT);
	ctrl->queues.weighted = NVME_GET(ctrl->regs.cc, NVME_CC_AMS) == NVME_AMS_WEIGHTED_ROUND_ROBIN;
	vssd_queues_changed(&ctrl->queues);
	ctrl->nv->identity.in_use = ctrl->regs.in_use = true;
	ctrl->regs.csts |= NVME_SET(1, NVME_CSTS_RDY);
	vssd_update_running(ctrl);
}

static void shut_down(struct vssd_ctrl *ctrl, bool is_abrupt)
{
	struct vssd_reset_verdict verdict;

	vssd_faulty_reset(ctrl, is_abrupt ? VSSD_FAULT_ON_ABRUPT_SHUTDOWN : VSSD_FAULT_ON_SHUTDOWN, &verdict);
	ctrl->faulty.shutdown_due = verdict.hangs ? VSSD_NEVER : verdict.due;
	if (!verdict.skips && !verdict.hangs)
		vssd_subsystem_shut_down(ctrl->subsystem, &ctrl->listener);
	ctrl->regs.shut_down = true;
	ctrl->regs.in_use = false;
	ctrl->regs.csts &= (uint32_t)~NVME_SET(3, NVME_CSTS_SHST);
	ctrl->regs.csts |= NVME_SET(NVME_SHST_COMPLETE, NVME_CSTS_SHST);
	vssd_update_running(ctrl);
}

void vssd_ctrl_shut_down(struct vssd_ctrl *ctrl, bool is_abrupt)
{
	shut_down(ctrl, is_abrupt);
	ctrl->regs.csts |= (uint32_t)NVME_SET(1, NVME_CSTS_ST);
}

static void write_cc(struct vssd_ctrl *ctrl, uint32_t value)
{
	uint32_t old = ctrl->regs.cc;
	bool enables = !NVME_GET(old, NVME_CC_EN) && NVME_GET(value, NVME_CC_EN);

	/* A secondary controller that is offline cannot be enabled. */
	if (!vssd_virtual_is_usable(ctrl->subsystem, &ctrl->listener))
		return;
	if (NVME_GET(old, NVME_CC_EN) && !NVME_GET(value, NVME_CC_EN))
		vssd_ctrl_reset(ctrl, VSSD_RESET_CONTROLLER);
	ctrl->regs.cc = value & 0x00fffff1u;
	if (enables)
		enable(ctrl);
	if (NVME_GET(value, NVME_CC_SHN) != NVME_SHN_NONE &&
	    (enables || NVME_GET(old, NVME_CC_SHN) != NVME_GET(value, NVME_CC_SHN)) && !is_down(ctrl))
		shut_down(ctrl, NVME_GET(value, NVME_CC_SHN) == NVME_SHN_ABRUPT);
}

/* CSTS, in which a fault rule may delay RDY and SHST. */
static uint32_t csts_shown(const struct vssd_ctrl *ctrl)
{
	uint32_t csts = ctrl->regs.csts;

	if (!vssd_virtual_is_usable(ctrl->subsystem, &ctrl->listener))
		return (uint32_t)NVME_SET(1, NVME_CSTS_CFS);

	if (__builtin_expect(ctrl->faulty.ready_due != 0, 0) && ctrl->faulty.ready_due > pyn_ticks())
		csts ^= (uint32_t)NVME_SET(1, NVME_CSTS_RDY);
	if (__builtin_expect(ctrl->faulty.shutdown_due != 0, 0) && ctrl->faulty.shutdown_due > pyn_ticks() &&
	    NVME_GET(csts, NVME_CSTS_SHST) == NVME_SHST_COMPLETE)
		csts = (csts & (uint32_t)~NVME_SET(3, NVME_CSTS_SHST)) |
		       (uint32_t)NVME_SET(NVME_SHST_OCCURRING, NVME_CSTS_SHST);
	return csts;
}

static uint32_t register_read(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	switch (offset) {
	case NVME_REG_CAP:
		return (uint32_t)ctrl->regs.cap;
	case NVME_REG_CAP + 4:
		return (uint32_t)(ctrl->regs.cap >> 32);
	case NVME_REG_VS:
		return ctrl->options->version;
	case NVME_REG_INTMS:
	case NVME_REG_INTMC:
		return vssd_interrupts_masked(ctrl);
	case NVME_REG_CC:
		return ctrl->regs.cc;
	case NVME_REG_CSTS:
		return csts_shown(ctrl);
	case NVME_REG_AQA:
		return ctrl->regs.aqa;
	case NVME_REG_ASQ:
		return (uint32_t)ctrl->regs.asq;
	case NVME_REG_ASQ + 4:
		return (uint32_t)(ctrl->regs.asq >> 32);
	case NVME_REG_ACQ:
		return (uint32_t)ctrl->regs.acq;
	case NVME_REG_ACQ + 4:
		return (uint32_t)(ctrl->regs.acq >> 32);
	case NVME_REG_CRTO:
		return NVME_GET(ctrl->regs.cap, NVME_CAP_CRMS) ? READY_TIMEOUT : 0;
	default:
		break;
	}
	if (vssd_boot_has(ctrl, offset))
		return vssd_boot_register(ctrl, offset);
	if (offset >= VSSD_DOORBELL_OFFSET && offset < VSSD_DOORBELL_OFFSET + ctrl->queues.num_doorbells * 4)
		return vssd_doorbell_read(ctrl, (offset - VSSD_DOORBELL_OFFSET) / 4);
	return 0;
}

static void set_half(uint64_t *reg, bool high, uint32_t value)
{
	*reg = high ? (*reg & UINT32_MAX) | (uint64_t)value << 32 : (*reg & ~(uint64_t)UINT32_MAX) | value;
}

static void register_write(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case NVME_REG_INTMS:
		vssd_interrupts_mask(ctrl, value);
		return;
	case NVME_REG_INTMC:
		vssd_interrupts_unmask(ctrl, value);
		return;
	case NVME_REG_CC:
		write_cc(ctrl, value);
		return;
	case NVME_REG_CSTS:
		ctrl->regs.csts &= (uint32_t) ~(value & NVME_SET(1, NVME_CSTS_NSSRO));
		return;
	case NVME_REG_NSSR:
		if (value == NVME_NSSR_RESET && NVME_GET(ctrl->regs.cap, NVME_CAP_NSSRS))
			vssd_subsystem_reset_all(ctrl->subsystem);
		return;
	case NVME_REG_NSSD:
		if ((value == NVME_NSSD_NORMAL || value == NVME_NSSD_ABRUPT) &&
		    NVME_GET(ctrl->regs.cap, NVME_CAP_NSSS))
			vssd_subsystem_shut_down_all(ctrl->subsystem, value == NVME_NSSD_ABRUPT);
		return;
	case NVME_REG_AQA:
		ctrl->regs.aqa = value & 0x0fff0fffu;
		return;
	case NVME_REG_ASQ:
	case NVME_REG_ASQ + 4:
		set_half(&ctrl->regs.asq, offset != NVME_REG_ASQ, offset == NVME_REG_ASQ ? value & ~0xfffu : value);
		return;
	case NVME_REG_ACQ:
	case NVME_REG_ACQ + 4:
		set_half(&ctrl->regs.acq, offset != NVME_REG_ACQ, offset == NVME_REG_ACQ ? value & ~0xfffu : value);
		return;
	default:
		break;
	}
	if (vssd_boot_has(ctrl, offset))
		vssd_boot_set_register(ctrl, offset, value);
	if (offset >= VSSD_DOORBELL_OFFSET && offset < VSSD_DOORBELL_OFFSET + ctrl->queues.num_doorbells * 4)
		vssd_doorbell_write(ctrl, (offset - VSSD_DOORBELL_OFFSET) / 4, value);
}

/* ---- accesses that fault rules change ---- */

static bool is_watched(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	return vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_REGISTER) && offset < VSSD_DOORBELL_OFFSET;
}

/* The register of 64 bits whose upper half is at this offset begins 4 bytes before. */
static bool is_upper_half(uint32_t offset)
{
	return offset == NVME_REG_CAP + 4 || offset == NVME_REG_ASQ + 4 || offset == NVME_REG_ACQ + 4 ||
	       offset == NVME_REG_BPMBL + 4;
}

static uint32_t read_with_faults(struct vssd_ctrl *ctrl, uint32_t offset)
{
	unsigned shift = is_upper_half(offset) ? 32 : 0;
	struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_REGISTER, .target = offset - shift / 8};
	bool drop;

	if (!is_watched(ctrl, offset))
		return register_read(ctrl, offset);
	occasion.value = register_read(ctrl, (uint32_t)occasion.target);
	if (is_upper_half((uint32_t)occasion.target + 4))
		occasion.value |= (uint64_t)register_read(ctrl, (uint32_t)occasion.target + 4) << 32;
	return (uint32_t)(vssd_faulty_value(ctrl, occasion, &drop) >> shift);
}

static void write_with_faults(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value)
{
	unsigned shift = is_upper_half(offset) ? 32 : 0;
	struct vssd_fault_occasion occasion = {
		.place = VSSD_FAULT_REGISTER,
		.target = offset - shift / 8,
		.is_write = true,
		.value = (uint64_t)value << shift,
	};
	bool drop = false;

	if (is_watched(ctrl, offset))
		value = (uint32_t)(vssd_faulty_value(ctrl, occasion, &drop) >> shift);
	if (!drop)
		register_write(ctrl, offset, value);
}

void vssd_ctrl_registers_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length)
{
	uint8_t *to = data;

	while (length > 0) {
		uint32_t value = read_with_faults(ctrl, offset & ~3u);
		uint32_t skip = offset & 3u;
		uint32_t piece = 4 - skip < length ? 4 - skip : length;

		memcpy(to, (uint8_t *)&value + skip, piece);
		to += piece;
		offset += piece;
		length -= piece;
	}
}

void vssd_ctrl_registers_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length)
{
	const uint8_t *from = data;

	/* Registers require aligned accesses of 32 bits or more. The result of others is undefined; ignore them. */
	if (offset % 4 != 0 || length % 4 != 0)
		return;
	for (uint32_t i = 0; i < length; i += 4) {
		uint32_t value;

		memcpy(&value, from + i, sizeof(value));
		write_with_faults(ctrl, offset + i, value);
	}
}

void vssd_ctrl_bar_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length)
{
	if (!ctrl->subsystem->power || vssd_ctrl_is_gone(ctrl) || !vssd_config_memory_enabled(ctrl))
		memset(data, 0xff, length);
	else
		vssd_ctrl_registers_read(ctrl, offset, data, length);
}

void vssd_ctrl_bar_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length)
{
	if (ctrl->subsystem->power && !vssd_ctrl_is_gone(ctrl) && vssd_config_memory_enabled(ctrl))
		vssd_ctrl_registers_write(ctrl, offset, data, length);
}
