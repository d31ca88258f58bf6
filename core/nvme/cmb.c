/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/cmb.h"

#include <errno.h>

#include "core/env/window.h"

#define PAGE 4096u
#define UNIT 4096u /* bytes for CMBSZ.SZU = 0; each step multiplies it by 16 */
#define UNITS_MAX 6u

static int read_registers(struct pyn_ctrlr *ctrlr, uint32_t *location, uint32_t *size, struct pyn_error *err)
{
	uint64_t control = 0;
	int rc = pyn_ctrlr_cap(ctrlr, err);

	/* CMBSZ and CMBLOC read as zeros until CMBMSC.CRE is set. */
	if (!rc && NVME_GET(ctrlr->cap, NVME_CAP_CMBS))
		rc = pyn_reg_read64(ctrlr->pci, NVME_REG_CMBMSC, &control, err);
	if (!rc && NVME_GET(ctrlr->cap, NVME_CAP_CMBS) && !(control & NVME_CMBMSC_CRE))
		rc = pyn_reg_write64(ctrlr->pci, NVME_REG_CMBMSC, control | NVME_CMBMSC_CRE, err);
	if (!rc)
		rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CMBSZ, size, err);
	if (!rc)
		rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CMBLOC, location, err);
	return rc;
}

static uint64_t unit_of(uint32_t size)
{
	unsigned step = (unsigned)NVME_GET(size, NVME_CMBSZ_SZU);

	return step > UNITS_MAX ? 0 : (uint64_t)UNIT << (4 * step);
}

int pyn_cmb_info(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err)
{
	uint32_t location = 0, size = 0;
	int rc = read_registers(ctrlr, &location, &size, err);

	if (rc)
		return rc;
	*info = (struct pyn_cmb_info){
		.size = unit_of(size) * NVME_GET(size, NVME_CMBSZ_SZ),
		.submission_queues = NVME_GET(size, NVME_CMBSZ_SQS),
		.completion_queues = NVME_GET(size, NVME_CMBSZ_CQS),
		.lists = NVME_GET(size, NVME_CMBSZ_LISTS),
		.reads = NVME_GET(size, NVME_CMBSZ_RDS),
		.writes = NVME_GET(size, NVME_CMBSZ_WDS),
	};
	return 0;
}

static bool meets_arena(struct pyn_iova address, uint64_t size)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	for (size_t i = 0; i < count; i++) {
		uint64_t first = pyn_dma_iova(regions[i].address).value;

		if (address.value < first + regions[i].length && first < address.value + size)
			return true;
	}
	return false;
}

/*
 * Choose the address by which commands name the buffer. A controller without CMBMSC uses the buffer's bus address,
 * and so does one that is given physical addresses. Otherwise choose the virtual address of our mapping, which no
 * other memory has.
 */
static int choose_address(struct pyn_ctrlr *ctrlr, struct pyn_iova bus, struct pyn_iova *address,
			  struct pyn_error *err)
{
	const struct pyn_dma_view *view = &ctrlr->pci->view;
	bool can_be_told = NVME_GET(ctrlr->cap, NVME_CAP_CMBS);

	*address = can_be_told && !view->physical ? pyn_dma_iova(view->window) : bus;
	if (!address->value || (!view->physical && meets_arena(*address, view->window_size)))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
				 "the controller memory buffer has no address of its own: it is at %#llx on the bus",
				 (unsigned long long)bus.value);
	return 0;
}

/* Set CMBMSC.CBA and CMSE, and check that the controller accepts them. */
static int write_address(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint64_t address = ctrlr->pci->view.window_address.value;
	uint32_t status = 0;
	int rc;

	if (!NVME_GET(ctrlr->cap, NVME_CAP_CMBS))
		return 0;
	/* A 64-bit write may become two, so write the half with CMSE last: it makes the address take effect. */
	rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CMBMSC + 4, (uint32_t)(address >> 32), err);
	if (!rc)
		rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CMBMSC,
				     (uint32_t)address | NVME_CMBMSC_CMSE | NVME_CMBMSC_CRE, err);
	if (!rc)
		rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CMBSTS, &status, err);
	if (!rc && status & NVME_CMBSTS_CBAI)
		rc = pyn_error(err, PYN_ERROR_UNSUPPORTED, EIO,
			       "the controller refuses %#llx as the address of its memory buffer (CMBSTS.CBAI)",
			       (unsigned long long)address);
	return rc;
}

static int map(struct pyn_ctrlr *ctrlr, struct pyn_iova *bus, struct pyn_error *err)
{
	struct pyn_pci *pci = ctrlr->pci;
	uint32_t location = 0, size = 0, bar;
	uint64_t offset, length;
	volatile void *memory;
	int rc = read_registers(ctrlr, &location, &size, err);

	if (rc)
		return rc;
	bar = (uint32_t)NVME_GET(location, NVME_CMBLOC_BIR);
	offset = unit_of(size) * NVME_GET(location, NVME_CMBLOC_OFST);
	length = unit_of(size) * NVME_GET(size, NVME_CMBSZ_SZ);
	if (!length)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
				 "the controller has no memory buffer (CMBSZ is %#x)", size);
	memory = pci->ops->bar_map(pci, bar, offset, length);
	if (!memory || (uintptr_t)memory % PAGE)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
				 "the controller memory buffer, %llu KiB at %#llx of BAR %u, cannot be mapped",
				 (unsigned long long)length >> 10, (unsigned long long)offset, bar);
	*bus = pci->ops->bar_address(pci, bar);
	if (bus->value)
		*bus = pyn_iova_add(*bus, offset);
	pci->view.window = (const uint8_t *)memory;
	pci->view.window_size = length;
	return 0;
}

int pyn_cmb_open(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	struct pyn_dma_view *view = &ctrlr->pci->view;
	struct pyn_iova bus = {0};
	int rc;

	if (ctrlr->cmb)
		return 0;
	rc = map(ctrlr, &bus, err);
	if (!rc)
		rc = choose_address(ctrlr, bus, &view->window_address, err);
	if (!rc)
		rc = write_address(ctrlr, err);
	if (!rc)
		ctrlr->cmb = pyn_window_create((void *)view->window, view->window_size, err);
	if (!rc && ctrlr->cmb)
		return 0;
	*view = (struct pyn_dma_view){.physical = view->physical, .mps = view->mps};
	return rc ? rc : -ENOMEM;
}

int pyn_cmb_restore(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	return ctrlr->cmb ? write_address(ctrlr, err) : 0;
}

void pyn_cmb_close(struct pyn_ctrlr *ctrlr)
{
	struct pyn_dma_view *view = &ctrlr->pci->view;
	void *mapping = NULL;
	size_t length = 0;

	if (!ctrlr->cmb)
		return;
	ctrlr->pci->ops->bar_disown(ctrlr->pci, view->window, &mapping, &length);
	pyn_window_detach(ctrlr->cmb, mapping, length);
	ctrlr->cmb = NULL;
	*view = (struct pyn_dma_view){.physical = view->physical, .mps = view->mps};
}
