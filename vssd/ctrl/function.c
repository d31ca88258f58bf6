/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI function: configuration space, resets, and the end of a client. */
#include <string.h>

#include "spec/pci.h"
#include "vssd/ctrl/controller.h"

/* ---- accesses that fault rules change ---- */

/* Change the dwords of configuration space that a read covers, even in part. */
static void read_with_faults(struct vssd_ctrl *ctrl, uint32_t offset, uint8_t *data, uint32_t length)
{
	for (uint32_t at = offset & ~3u; at < offset + length; at += 4) {
		struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_CONFIG, .target = at};
		uint32_t value;
		bool drop;

		memcpy(&value, &ctrl->config.bytes[at], sizeof(value));
		occasion.value = value;
		value = (uint32_t)vssd_faulty_value(ctrl, occasion, &drop);
		for (uint32_t i = 0; i < sizeof(value); i++)
			if (at + i >= offset && at + i < offset + length)
				data[at + i - offset] = (uint8_t)(value >> 8 * i);
	}
}

/* Change the value of a write of up to eight bytes. *data then points to value. True: ignore the write. */
static bool write_is_dropped(struct vssd_ctrl *ctrl, uint32_t offset, uint64_t *value, const void **data,
			     uint32_t length)
{
	struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_CONFIG, .target = offset & ~3u, .is_write = true};
	unsigned shift = 8 * (offset & 3);
	bool drop;

	if (length + (offset & 3) > sizeof(*value))
		return false;
	memcpy((uint8_t *)&occasion.value + (offset & 3), *data, length);
	*value = vssd_faulty_value(ctrl, occasion, &drop) >> shift;
	*data = value;
	return drop;
}

void vssd_ctrl_config_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length)
{
	if (!ctrl->subsystem->power || vssd_ctrl_is_gone(ctrl)) {
		memset(data, 0xff, length);
		return;
	}
	if (offset <= PCI_CFG_STATUS && PCI_CFG_STATUS - offset < length)
		vssd_config_set_pin(ctrl, vssd_interrupts_pin_level(ctrl));
	memcpy(data, &ctrl->config.bytes[offset], length);
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_CONFIG))
		read_with_faults(ctrl, offset, data, length);
}

void vssd_ctrl_config_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length)
{
	bool mastered = vssd_config_bus_master(ctrl), pin_was_disabled = vssd_config_pin_disabled(ctrl);
	uint64_t value;

	if (!ctrl->subsystem->power || vssd_ctrl_is_gone(ctrl))
		return;
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_CONFIG) &&
	    write_is_dropped(ctrl, offset, &value, &data, length))
		return;
	vssd_config_store(ctrl, offset, data, length);
	if (vssd_config_asks_for_flr(offset, data, length)) {
		vssd_ctrl_reset(ctrl, VSSD_RESET_FUNCTION);
		vssd_virtual_function_reset(ctrl->subsystem, &ctrl->listener);
	}
	if (vssd_is_primary(ctrl->subsystem, &ctrl->listener))
		vssd_virtual_enable(ctrl->subsystem, vssd_config_functions(ctrl));
	vssd_update_running(ctrl);
	ctrl->bus->ops->mask(ctrl->bus, vssd_config_msix_masked(ctrl));
	vssd_config_settle_messages(ctrl);
	/* Send the interrupts that were held back. Messages need bus mastering. */
	if (!mastered && ctrl->running)
		vssd_interrupts_again(ctrl, UINT32_MAX);
	else if (pin_was_disabled)
		vssd_ctrl_pin_again(ctrl);
}

/* Forget which kind of interrupts was chosen: the next client decides again. */
void vssd_ctrl_host_gone(struct vssd_ctrl *ctrl)
{
	ctrl->regs.host_gone = true;
	ctrl->config.msix_decided = false;
	vssd_update_running(ctrl);
}
