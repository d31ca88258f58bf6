/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/ctrlr.h"

#include <errno.h>
#include <stdlib.h>

#include "core/env/env.h"
#include "core/nvme/cmb.h"
#include "core/nvme/prp.h"
#include "core/nvme/queue.h"
#include "core/pci/config.h"
#include "core/util/log.h"

#define TIMEOUT_UNIT_MS 500u /* the unit of CAP.TO and CRTO */
#define ADMIN_MAX 4096u      /* AQA.ASQS has 12 bits */

#define CAP_CRMS_WITH_MEDIA 0x1u
#define CAP_CRMS_INDEPENDENT 0x2u

#define CC_SQ_ENTRY 6u /* 64 bytes, as a power of two */
#define CC_CQ_ENTRY 4u /* 16 bytes */

#define CSTS_RDY ((uint32_t)NVME_SET(1, NVME_CSTS_RDY))
#define CSTS_SHST ((uint32_t)NVME_SET(3, NVME_CSTS_SHST))

int pyn_ctrlr_attach(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err)
{
	struct pyn_ctrlr *made = calloc(1, sizeof(*made));
	int rc;

	if (!made)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a controller");
	made->wanted_mps = PYN_MPS_SMALLEST;
	made->spare_size = PYN_PRP_PAGE;
	made->spare = pyn_dma_alloc(PYN_PRP_PAGE, PYN_PRP_PAGE, err);
	rc = made->spare ? pyn_pci_open(address, &made->pci, err) : -ENOMEM;
	if (rc) {
		pyn_dma_free(made->spare);
		free(made);
		return rc;
	}
	*ctrlr = made;
	return 0;
}

/* Free the shadow doorbells, once the device does not access them any more. */
static void shadow_end(struct pyn_ctrlr *ctrlr)
{
	pyn_dma_free((void *)ctrlr->shadow);
	ctrlr->shadow = NULL;
}

/* Disable the device, which may write into the rings until then. If it does not obey, end its access to memory. */
static void quiesce(struct pyn_ctrlr *ctrlr)
{
	struct pyn_error err;

	if (!ctrlr->pci->ops->alive(ctrlr->pci))
		return;
	if (ctrlr->enabled && pyn_ctrlr_disable(ctrlr, &err))
		pyn_log(err.kind == PYN_ERROR_GONE ? PYN_LOG_DEBUG : PYN_LOG_WARNING,
			"detached without a disable: %s", err.text);
	if (pyn_pci_master_set(ctrlr->pci, false, &err))
		pyn_log(PYN_LOG_DEBUG, "detached: %s", err.text);
}

void pyn_ctrlr_detach(struct pyn_ctrlr *ctrlr)
{
	quiesce(ctrlr);
	pyn_cmb_close(ctrlr);
	pyn_dma_page_change(ctrlr->pci->view.mps, 0);
	ctrlr->pci->ops->close(ctrlr->pci);
	pyn_quarantine_end(&ctrlr->quarantine, pyn_engine_qpair_free);
	pyn_engine_qpair_free(ctrlr->admin);
	shadow_end(ctrlr);
	pyn_dma_free(ctrlr->spare);
	free(ctrlr);
}

static uint32_t units_ms(uint64_t units)
{
	/* Some devices report 0, and none is ready in no time. */
	return (units ? (uint32_t)units : 1u) * TIMEOUT_UNIT_MS;
}

/* Whether the controller becomes ready independent of its media. We choose that only if it is the only mode. */
static bool ready_without_media(uint64_t cap)
{
	return NVME_GET(cap, NVME_CAP_CRMS) == CAP_CRMS_INDEPENDENT;
}

/* The time in which CSTS.RDY must become 1: CAP.TO, or CRTO if CAP.CRMS is set and CRTO is longer. */
static int ready_timeout(struct pyn_ctrlr *ctrlr, uint32_t *timeout_ms, struct pyn_error *err)
{
	uint64_t units = NVME_GET(ctrlr->cap, NVME_CAP_TO);
	uint32_t crto;
	int rc;

	if (NVME_GET(ctrlr->cap, NVME_CAP_CRMS)) {
		uint64_t ready;

		rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CRTO, &crto, err);
		if (rc)
			return rc;
		ready = ready_without_media(ctrlr->cap) ? NVME_GET(crto, NVME_CRTO_CRIMT)
							: NVME_GET(crto, NVME_CRTO_CRWMT);
		units = ready > units ? ready : units;
	}
	*timeout_ms = units_ms(units);
	return 0;
}

static uint32_t command_sets(uint64_t cap)
{
	uint64_t css = NVME_GET(cap, NVME_CAP_CSS);

	/* QEMU sets the bit "no I/O command set" besides those of the sets that it supports: ignore it then. */
	if (css & NVME_CAP_CSS_ALL)
		return NVME_CSS_ALL;
	return css & NVME_CAP_CSS_ADMIN && !(css & NVME_CAP_CSS_NVM) ? NVME_CSS_ADMIN : NVME_CSS_NVM;
}

/* The value of CC for this controller, with EN = 0. */
static uint32_t configuration(const struct pyn_ctrlr *ctrlr)
{
	uint64_t cap = ctrlr->cap;

	return (uint32_t)(NVME_SET(command_sets(cap), NVME_CC_CSS) | NVME_SET(ctrlr->pci->view.mps, NVME_CC_MPS) |
			  NVME_SET(CC_SQ_ENTRY, NVME_CC_IOSQES) | NVME_SET(CC_CQ_ENTRY, NVME_CC_IOCQES) |
			  NVME_SET(ready_without_media(cap) ? 1 : 0, NVME_CC_CRIME));
}

/* ---- memory pages ---- */

int pyn_ctrlr_choose_page(struct pyn_ctrlr *ctrlr, uint32_t bytes, struct pyn_error *err)
{
	unsigned mps = bytes ? (unsigned)__builtin_ctz(bytes) - 12 : 0;

	if (bytes < PYN_PRP_PAGE || bytes & (bytes - 1) || mps > PYN_MPS_MOST)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "memory_page_size=%u: give a power of two from 4096 to %u", bytes,
				 PYN_PRP_PAGE << PYN_MPS_MOST);
	ctrlr->wanted_mps = (uint8_t)mps;
	return 0;
}

int pyn_ctrlr_use_mps(struct pyn_ctrlr *ctrlr, uint8_t mps, struct pyn_error *err)
{
	uint32_t page = PYN_PRP_PAGE << mps;
	void *spare;

	if (page > ctrlr->spare_size) {
		spare = pyn_dma_alloc(page, page, err);
		if (!spare)
			return -ENOMEM;
		pyn_dma_free(ctrlr->spare);
		ctrlr->spare = spare;
		ctrlr->spare_size = page;
	}
	pyn_dma_page_change(ctrlr->pci->view.mps, mps);
	ctrlr->pci->view.mps = mps;
	return 0;
}

/* Of a controller that is enabled already, the memory pages do not change. */
int pyn_ctrlr_before_cc(struct pyn_ctrlr *ctrlr, uint32_t cc, struct pyn_error *err)
{
	uint32_t mps = (uint32_t)NVME_GET(cc, NVME_CC_MPS), before;
	int rc;

	if (!NVME_GET(cc, NVME_CC_EN) || mps == ctrlr->pci->view.mps || mps > PYN_MPS_MOST)
		return 0;
	rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CC, &before, err);
	if (rc || NVME_GET(before, NVME_CC_EN))
		return rc;
	return pyn_ctrlr_use_mps(ctrlr, (uint8_t)mps, err);
}

/* The CC.MPS that was chosen, or the smallest one, if the controller has it. */
static int choose_mps(const struct pyn_ctrlr *ctrlr, uint8_t *chosen, struct pyn_error *err)
{
	unsigned least = (unsigned)NVME_GET(ctrlr->cap, NVME_CAP_MPSMIN), most = pyn_ctrlr_most_mps(ctrlr);
	unsigned mps = ctrlr->wanted_mps == PYN_MPS_SMALLEST ? least : ctrlr->wanted_mps;

	if (least > most)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP,
				 "the controller's smallest memory page has %u KiB (CAP.MPSMIN = %u): pynvme uses up "
				 "to %u KiB, and no more than CAP.MPSMAX",
				 4u << least, least, 4u << PYN_MPS_MOST);
	if (mps < least || mps > most)
		return pyn_error(
			err, PYN_ERROR_ENUMERATE, ENOTSUP,
			"the controller has no memory pages of %u KiB: it has %u to %u KiB (CAP.MPSMIN = %u, "
			"MPSMAX = %u)",
			4u << mps, 4u << least, 4u << most, least, most);
	*chosen = (uint8_t)mps;
	return 0;
}

/* Turn a time-out into an error of this kind that says what did not happen. */
static int not_in_time(int rc, enum pyn_error_kind kind, const char *what, struct pyn_error *why)
{
	struct pyn_error cause = *why;

	if (rc && cause.kind == PYN_ERROR_TIMEOUT)
		return pyn_error(why, kind, ETIMEDOUT, "%s: %s", what, cause.text);
	return rc;
}

/* Wait until an enable that is under way ends: clearing CC.EN while CSTS.RDY = 0 is undefined. */
static int settle(struct pyn_ctrlr *ctrlr, uint32_t timeout_ms, struct pyn_error *err)
{
	uint32_t csts;
	int rc = pyn_csts_wait(ctrlr->pci, CSTS_RDY, CSTS_RDY, true, timeout_ms, &csts, err);

	return rc && err->kind == PYN_ERROR_GONE ? rc : 0;
}

static int disable(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint32_t timeout_ms = 0, cc, csts;
	int rc;

	/* A power cycle may have disabled the memory space. */
	rc = pyn_pci_memory_enable(ctrlr->pci, err);
	if (!rc)
		rc = pyn_ctrlr_cap(ctrlr, err);
	if (!rc)
		rc = ready_timeout(ctrlr, &timeout_ms, err);
	if (!rc)
		rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CC, &cc, err);
	if (!rc && NVME_GET(cc, NVME_CC_EN)) {
		rc = settle(ctrlr, timeout_ms, err);
		cc &= ~(uint32_t)(NVME_SET(1, NVME_CC_EN) | NVME_SET(3, NVME_CC_SHN));
		if (!rc)
			rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CC, cc, err);
	}
	if (!rc)
		rc = pyn_csts_wait(ctrlr->pci, CSTS_RDY, 0, false, timeout_ms, &csts, err);
	if (rc)
		return rc;
	ctrlr->enabled = false;
	shadow_end(ctrlr);
	pyn_quarantine_end(&ctrlr->quarantine, pyn_engine_qpair_free);
	return 0;
}

int pyn_ctrlr_disable(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	struct pyn_error local, *why = err ? err : &local;

	return not_in_time(disable(ctrlr, why), PYN_ERROR_TIMEOUT, "the controller is not disabled (CC.EN = 0)", why);
}

static int admin_queue_ready(struct pyn_ctrlr *ctrlr, uint16_t depth, struct pyn_error *err)
{
	struct pyn_engine_qpair_config config = {.qid = 0, .depth = depth};
	struct pyn_engine_qpair *queue;
	int rc;

	if (ctrlr->admin && ctrlr->admin->ring.sq_size == depth) {
		pyn_engine_qpair_reset(ctrlr->admin);
		return 0;
	}
	rc = pyn_engine_qpair_alloc(ctrlr, &config, &queue, err);
	if (rc)
		return rc;
	if (ctrlr->admin && ctrlr->enabled)
		pyn_engine_qpair_quarantine(ctrlr->admin);
	else
		pyn_engine_qpair_free(ctrlr->admin);
	ctrlr->admin = queue;
	return 0;
}

static int admin_registers(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint32_t last = ctrlr->admin->ring.sq_size - 1u;
	int rc;

	rc = pyn_reg_write32(ctrlr->pci, NVME_REG_AQA,
			     (uint32_t)(NVME_SET(last, NVME_AQA_ASQS) | NVME_SET(last, NVME_AQA_ACQS)), err);
	if (!rc)
		rc = pyn_reg_write64(ctrlr->pci, NVME_REG_ASQ,
				     pyn_dma_address(&ctrlr->pci->view, ctrlr->admin->ring.sq).value, err);
	if (!rc)
		rc = pyn_reg_write64(ctrlr->pci, NVME_REG_ACQ,
				     pyn_dma_address(&ctrlr->pci->view, (void *)ctrlr->admin->ring.cq).value, err);
	return rc;
}

int pyn_ctrlr_admin_setup(struct pyn_ctrlr *ctrlr, uint16_t depth, struct pyn_error *err)
{
	int rc;

	if (depth < 2 || depth > ADMIN_MAX)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "an admin queue has 2 to %u entries, not %u",
				 ADMIN_MAX, depth);
	rc = pyn_pci_memory_enable(ctrlr->pci, err);
	if (!rc)
		rc = pyn_pci_master_set(ctrlr->pci, true, err);
	if (!rc && ctrlr->vectors)
		rc = pyn_pci_msix_set(ctrlr->pci, true, err);
	if (!rc)
		rc = pyn_ctrlr_cap(ctrlr, err);
	if (!rc)
		rc = pyn_cmb_restore(ctrlr, err);
	if (!rc)
		rc = admin_queue_ready(ctrlr, depth, err);
	if (!rc)
		rc = admin_registers(ctrlr, err);
	if (rc)
		return rc;
	/* A script that brings the controller up by register writes sets CC.EN next. */
	ctrlr->enabled = true;
	shadow_end(ctrlr);
	return rc;
}

/* Enable a disabled controller. */
static int enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err)
{
	uint32_t timeout_ms = 0, cc, csts;
	int rc;

	rc = pyn_ctrlr_admin_setup(ctrlr, admin_depth, err);
	if (!rc)
		rc = ready_timeout(ctrlr, &timeout_ms, err);
	if (rc)
		return rc;
	cc = configuration(ctrlr);
	rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CC, cc, err);
	if (!rc)
		rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CC, cc | (uint32_t)NVME_SET(1, NVME_CC_EN), err);
	if (!rc)
		rc = pyn_csts_wait(ctrlr->pci, CSTS_RDY, CSTS_RDY, true, timeout_ms, &csts, err);
	return rc;
}

int pyn_ctrlr_enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err)
{
	struct pyn_error local, *why = err ? err : &local;
	uint8_t mps = 0;
	int rc;

	rc = pyn_pci_memory_enable(ctrlr->pci, why);
	/* A reset, or another firmware, may have changed CAP. */
	ctrlr->cap = 0;
	if (!rc)
		rc = pyn_ctrlr_cap(ctrlr, why);
	if (!rc)
		rc = choose_mps(ctrlr, &mps, why);
	if (!rc)
		rc = disable(ctrlr, why);
	if (!rc)
		rc = pyn_ctrlr_use_mps(ctrlr, mps, why);
	if (!rc)
		rc = enable(ctrlr, admin_depth, why);
	return not_in_time(rc, PYN_ERROR_ENUMERATE, "the controller does not become ready", why);
}

int pyn_ctrlr_shutdown(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err)
{
	struct pyn_error local, *why = err ? err : &local;
	uint32_t cc, csts;
	int rc;

	rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CC, &cc, why);
	if (rc)
		return rc;
	cc &= ~(uint32_t)NVME_SET(3, NVME_CC_SHN);
	cc |= (uint32_t)NVME_SET(abrupt ? NVME_SHN_ABRUPT : NVME_SHN_NORMAL, NVME_CC_SHN);
	rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CC, cc, why);
	if (!rc)
		rc = pyn_csts_wait(ctrlr->pci, CSTS_SHST, (uint32_t)NVME_SET(NVME_SHST_COMPLETE, NVME_CSTS_SHST),
				   false, timeout_ms, &csts, why);
	return not_in_time(rc, PYN_ERROR_SHUTDOWN, "the controller does not complete its shutdown", why);
}
