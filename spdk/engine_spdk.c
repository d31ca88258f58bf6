/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDK's engine: implements the seam over spdk_nvme_*. engine.h describes each entry. */
#include "core/engine/engine.h"

#include "core/nvme/prp.h"
#include "core/pci/config.h"
#include "spec/nvme_regs.h"
#include "spdk/about.h"
#include "spdk/attach.h"

static int spdk_reg_read(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t *value,
			 struct pyn_error *err)
{
	/* Reading a register of 4 bytes leaves the upper half at 0. */
	*value = 0;
	return ctrlr->pci->ops->bar_read(ctrlr->pci, offset, value, size, err);
}

static int spdk_reg_write(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t value,
			  struct pyn_error *err)
{
	if (offset >= NVME_REG_DOORBELLS)
		pyn_spdk_doorbells_write(ctrlr, offset, (uint32_t)value);
	return ctrlr->pci->ops->bar_write(ctrlr->pci, offset, &value, size, err);
}

static int spdk_config_read(struct pyn_ctrlr *ctrlr, uint32_t offset, void *data, uint32_t length,
			    struct pyn_error *err)
{
	return ctrlr->pci->ops->config_read(ctrlr->pci, offset, data, length, err);
}

static int spdk_config_write(struct pyn_ctrlr *ctrlr, uint32_t offset, const void *data, uint32_t length,
			     struct pyn_error *err)
{
	return ctrlr->pci->ops->config_write(ctrlr->pci, offset, data, length, err);
}

static int spdk_pci_reset(struct pyn_ctrlr *ctrlr, enum pyn_reset kind, struct pyn_error *err)
{
	int rc = ctrlr->pci->ops->reset(ctrlr->pci,
					kind == PYN_RESET_FUNCTION ? PYN_PCI_RESET_FUNCTION : PYN_PCI_RESET_HOT, err);

	if (!rc)
		ctrlr->enabled = false;
	return rc;
}

static int spdk_wake(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return pyn_pci_wake(ctrlr->pci, err);
}

static int spdk_release(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	if (ctrlr->doorbells.is_pcie)
		return pyn_engine_withholds(PYN_CAN_SLOT_POWER, err);
	return ctrlr->pci->ops->release(ctrlr->pci, err);
}

static int spdk_reattach(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return ctrlr->pci->ops->reattach(ctrlr->pci, err);
}

static bool spdk_alive(struct pyn_ctrlr *ctrlr)
{
	return ctrlr->pci->ops->alive(ctrlr->pci);
}

static struct pyn_engine_qpair *spdk_admin_qpair(struct pyn_ctrlr *ctrlr)
{
	return ctrlr->admin;
}

static const struct pyn_engine_pci spdk_pci = {
	.config_read = spdk_config_read,
	.config_write = spdk_config_write,
	.reset = spdk_pci_reset,
	.wake = spdk_wake,
	.release = spdk_release,
	.reattach = spdk_reattach,
};

/* The rings are SPDK's, so a worker uses the table. A template describes nothing until it gets a length. */
static const struct pyn_engine_rings spdk_rings = {
	.of = pyn_engine_no_rings_of,
	.shadow = pyn_engine_no_shadow,
	.choose_page = pyn_engine_no_choose_page,
	.page = pyn_engine_small_page,
	.list_bytes = pyn_spdk_list_bytes,
	.prepare = pyn_engine_prepare_nothing,
	.describe = pyn_spdk_describe_template,
};

const struct pyn_engine pyn_engine_spdk = {
	.name = "spdk",
	.about = &pyn_spdk_about,
	.pci = &spdk_pci,
	.interrupts = &pyn_engine_no_interrupts,
	.cmb = &pyn_engine_no_cmb,
	.rings = &spdk_rings,
	.largest_transfer = PYN_PRP_MAX_BYTES,
	.attach = pyn_spdk_attach,
	.isolate = pyn_spdk_isolate,
	.detach = pyn_spdk_detach,
	.reg_read = spdk_reg_read,
	.reg_write = spdk_reg_write,
	.alive = spdk_alive,
	.enable = pyn_spdk_enable,
	.disable = pyn_spdk_disable,
	.admin_setup = pyn_spdk_admin_setup,
	.shutdown = pyn_spdk_shutdown,
	.admin_qpair = spdk_admin_qpair,
	.qpair_create = pyn_spdk_queue_create,
	.qpair_delete = pyn_spdk_queue_delete,
	.qpair_free = pyn_spdk_queue_free,
	.submit = pyn_spdk_submit,
	.forked = pyn_spdk_forked,
	.ring = pyn_spdk_ring,
	.poll = pyn_spdk_poll,
};
