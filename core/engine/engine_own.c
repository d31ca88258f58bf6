/* SPDX-License-Identifier: BSD-3-Clause */
/* Our own engine: implements the seam over core/nvme. engine.h describes each entry. */
#include "core/engine/engine.h"

#include "core/nvme/cmb.h"
#include "core/nvme/ctrlr.h"
#include "core/nvme/data_template.h"
#include "core/nvme/prp.h"
#include "core/nvme/queue.h"
#include "core/pci/config.h"

static int own_reg_read(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err)
{
	/* Reading a register of 4 bytes leaves the upper half at 0. */
	*value = 0;
	return ctrlr->pci->ops->bar_read(ctrlr->pci, offset, value, size, err);
}

static int own_reg_write(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err)
{
	int rc = offset == NVME_REG_CC ? pyn_ctrlr_before_cc(ctrlr, (uint32_t)value, err) : 0;

	return rc ? rc : ctrlr->pci->ops->bar_write(ctrlr->pci, offset, &value, size, err);
}

static int own_config_read(struct pyn_ctrlr *ctrlr, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err)
{
	return ctrlr->pci->ops->config_read(ctrlr->pci, offset, data, length, err);
}

static int own_config_write(struct pyn_ctrlr *ctrlr, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err)
{
	return ctrlr->pci->ops->config_write(ctrlr->pci, offset, data, length, err);
}

static int own_pci_reset(struct pyn_ctrlr *ctrlr, enum pyn_reset kind, struct pyn_error *err)
{
	int rc = ctrlr->pci->ops->reset(ctrlr->pci,
					kind == PYN_RESET_FUNCTION ? PYN_PCI_RESET_FUNCTION : PYN_PCI_RESET_HOT, err);

	if (!rc)
		ctrlr->enabled = false;
	return rc;
}

/* The initialisation of a controller sends no commands here. */
static int own_enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, uint32_t timeout_ms, struct pyn_error *err)
{
	(void)timeout_ms;
	return pyn_ctrlr_enable(ctrlr, admin_depth, err);
}

static bool own_alive(struct pyn_ctrlr *ctrlr)
{
	return ctrlr->pci->ops->alive(ctrlr->pci);
}

static bool own_isolate(struct pyn_ctrlr *ctrlr)
{
	return ctrlr->pci->ops->isolate(ctrlr->pci);
}

static int own_release(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	int rc = ctrlr->pci->ops->release(ctrlr->pci, err);

	if (!rc)
		ctrlr->enabled = false;
	return rc;
}

static int own_reattach(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return ctrlr->pci->ops->reattach(ctrlr->pci, err);
}

static struct pyn_engine_qpair *own_admin_qpair(struct pyn_ctrlr *ctrlr)
{
	return ctrlr->admin;
}

static int own_cmb_window(struct pyn_ctrlr *ctrlr, struct pyn_window **window, struct pyn_error *err)
{
	int rc = pyn_cmb_open(ctrlr, err);

	*window = ctrlr->cmb;
	return rc;
}

static struct pyn_iova own_cmb_address(struct pyn_ctrlr *ctrlr, const void *memory)
{
	return pyn_dma_address(&ctrlr->pci->view, memory);
}

static int own_vector_set(struct pyn_ctrlr *ctrlr, uint16_t vector, int eventfd, struct pyn_error *err)
{
	if (eventfd >= 0)
		ctrlr->vectors = true;
	return ctrlr->pci->ops->irq_set(ctrlr->pci, vector, eventfd, err);
}

static struct pyn_interrupts own_interrupts_info(struct pyn_ctrlr *ctrlr)
{
	const struct pyn_pci *pci = ctrlr->pci;

	return (struct pyn_interrupts){
		.vectors = pci->num_vectors,
		.one_for_all = pci->num_vectors <= 1,
		.lag_us = pci->irq_lag_us,
	};
}

static bool own_interrupts_enabled(struct pyn_ctrlr *ctrlr)
{
	return pyn_pci_irq_enabled(ctrlr->pci);
}

static int own_wake(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return pyn_pci_wake(ctrlr->pci, err);
}

/* MSI and the pin are masked in the controller's registers, which have a bit for each vector. */
static int own_vector_mask(struct pyn_ctrlr *ctrlr, uint16_t vector, bool masked, struct pyn_error *err)
{
	if (ctrlr->pci->irq != PYN_PCI_IRQ_MSIX)
		return pyn_reg_write32(ctrlr->pci, masked ? NVME_REG_INTMS : NVME_REG_INTMC, 1u << vector % 32, err);
	return ctrlr->pci->ops->irq_mask(ctrlr->pci, vector, masked, err);
}

static void own_vector_rearm(struct pyn_ctrlr *ctrlr)
{
	ctrlr->pci->ops->irq_rearm(ctrlr->pci);
}

/* Rings and PRP lists are shared memory, and the rest is this process's copy. */
static bool own_forked(struct pyn_engine_qpair *queue)
{
	(void)queue;
	return true;
}

static uint32_t own_page(const struct pyn_ctrlr *ctrlr)
{
	return pyn_dma_view_page(&ctrlr->pci->view);
}

static const struct pyn_engine_pci own_pci = {
	.config_read = own_config_read,
	.config_write = own_config_write,
	.reset = own_pci_reset,
	.wake = own_wake,
	.release = own_release,
	.reattach = own_reattach,
};

static const struct pyn_engine_interrupts own_interrupts = {
	.info = own_interrupts_info,
	.enabled = own_interrupts_enabled,
	.set = own_vector_set,
	.mask = own_vector_mask,
	.rearm = own_vector_rearm,
};

static const struct pyn_engine_cmb own_cmb = {
	.info = pyn_cmb_info,
	.window = own_cmb_window,
	.address = own_cmb_address,
};

static const struct pyn_engine_rings own_rings = {
	.of = pyn_engine_qpair_rings,
	.shadow = pyn_engine_shadow,
	.choose_page = pyn_ctrlr_choose_page,
	.page = own_page,
	.list_bytes = pyn_data_template_list_bytes,
	.prepare = pyn_data_template_prepare,
	.describe = pyn_data_template_describe,
};

static const char *no_version(void)
{
	return "";
}

static const struct pyn_engine_about own_about = {
	.version = no_version,
	.dpdk = pyn_env_dpdk,
};

const struct pyn_engine pyn_engine_own = {
	.name = "own",
	.about = &own_about,
	.pci = &own_pci,
	.interrupts = &own_interrupts,
	.cmb = &own_cmb,
	.rings = &own_rings,
	.largest_transfer = PYN_PRP_MAX_BYTES,
	.attach = pyn_ctrlr_attach,
	.isolate = own_isolate,
	.detach = pyn_ctrlr_detach,
	.reg_read = own_reg_read,
	.reg_write = own_reg_write,
	.alive = own_alive,
	.enable = own_enable,
	.disable = pyn_ctrlr_disable,
	.admin_setup = pyn_ctrlr_admin_setup,
	.shutdown = pyn_ctrlr_shutdown,
	.admin_qpair = own_admin_qpair,
	.qpair_create = pyn_engine_qpair_create,
	.qpair_delete = pyn_engine_qpair_delete,
	.qpair_free = pyn_engine_qpair_free,
	.submit = pyn_engine_qpair_submit,
	.forked = own_forked,
	.ring = pyn_engine_qpair_ring,
	.poll = pyn_engine_qpair_poll,
};
