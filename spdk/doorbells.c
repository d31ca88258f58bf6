/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shadow doorbells (NVM Express Base 2.0, 5.8). If a PCIe controller offers them, SPDK uses them: the controller then
 * reads doorbells of IO queues from a page of memory, and writes to a second page when it wants to be told by a
 * register. SPDK clears the doorbells of a queue only if it deletes the queue itself, and writes those of its own
 * queues only.
 */
#include "spdk/private.h"

#include <stdatomic.h>
#include <string.h>

#include <spdk/nvme.h>

#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

static bool are_offered(struct pyn_ctrlr *ctrlr)
{
	struct nvme_id_ctrl identify;

	_Static_assert(sizeof(identify) == sizeof(struct spdk_nvme_ctrlr_data), "Identify Controller has 4096 bytes");
	memcpy(&identify, spdk_nvme_ctrlr_get_data(ctrlr->spdk), sizeof(identify));
	return identify.oacs & NVME_OACS_DOORBELL_BUFFER;
}

void pyn_spdk_doorbells_find(struct pyn_ctrlr *ctrlr)
{
	void *shadow = NULL, *wanted = NULL;

	if (ctrlr->doorbells.is_pcie && are_offered(ctrlr))
		pyn_spdk_newest_pages(&shadow, &wanted);
	ctrlr->doorbells.shadow = shadow;
	ctrlr->doorbells.wanted = wanted;
	ctrlr->doorbells.dstrd = (uint8_t)spdk_nvme_ctrlr_get_regs_cap(ctrlr->spdk).bits.dstrd;
}

void pyn_spdk_doorbells_forget(struct pyn_ctrlr *ctrlr)
{
	ctrlr->doorbells.shadow = ctrlr->doorbells.wanted = NULL;
}

static void set(_Atomic(uint32_t) *page, uint32_t offset, uint32_t value)
{
	uint32_t index = (offset - NVME_REG_DOORBELLS) / sizeof(*page);

	if (page && index < PYN_SPDK_PAGE / sizeof(*page))
		atomic_store(&page[index], value);
}

static void clear(struct pyn_ctrlr *ctrlr, uint32_t offset)
{
	set(ctrlr->doorbells.shadow, offset, 0);
	set(ctrlr->doorbells.wanted, offset, 0);
}

void pyn_spdk_doorbells_clear(struct pyn_ctrlr *ctrlr, uint16_t qid)
{
	clear(ctrlr, nvme_sq_doorbell(qid, ctrlr->doorbells.dstrd));
	clear(ctrlr, nvme_cq_doorbell(qid, ctrlr->doorbells.dstrd));
}

void pyn_spdk_doorbells_write(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t value)
{
	if (offset > nvme_cq_doorbell(0, ctrlr->doorbells.dstrd))
		set(ctrlr->doorbells.shadow, offset, value);
}
