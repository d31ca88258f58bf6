/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI function: configuration space, resets, and the end of a client. */
#include <string.h>

#include "spec/pci.h"
#include "vssd/ctrl/controller.h"

void vssd_ctrl_config_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length)
{
	if (!ctrl->subsystem->power || ctrl->faulty.gone) {
		memset(data, 0xff, length);
		return;
	}
	if (offset <= PCI_CFG_STATUS && PCI_CFG_STATUS - offset < length)
		vssd_config_set_pin(ctrl, vssd_interrupts_pin_level(ctrl));
	memcpy(data, &ctrl->config.bytes[offset], length);
}

void vssd_ctrl_config_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length)
{
	bool mastered = vssd_config_bus_master(ctrl), pin_was_disabled = vssd_config_pin_disabled(ctrl);

	if (!ctrl->subsystem->power || ctrl->faulty.gone)
		return;
	vssd_config_store(ctrl, offset, data, length);
	if (vssd_config_asks_for_flr(offset, data, length))
		vssd_ctrl_reset(ctrl, VSSD_RESET_FUNCTION);
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
