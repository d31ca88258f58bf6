/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller. SPDK initialises it when it connects, and has no smaller steps: it disables it by a disconnection,
 * and enables it by a reconnection.
 */
#include "spdk/attach.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spdk/nvme.h>

#include "core/env/env.h"
#include "core/nvme/prp.h"
#include "core/nvme/regs.h"
#include "core/pci/config.h"
#include "core/pci/vfio.h"
#include "core/pci/vfio_user_connect.h"
#include "core/util/clock.h"
#include "core/util/log.h"

#define ADMIN_TIMEOUT_MS 10000u
#define SPARE_MS 1000u
#define SUBNQN "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-0000-0000-000000000000"
#define DISABLE_NS UINT64_C(1000000000) /* beyond CAP.TO */
#define CAP_TO_NS UINT64_C(500000000)   /* the unit of CAP.TO */
#define CSTS_SHST ((uint32_t)NVME_SET(3, NVME_CSTS_SHST))

/* ---- the transport ID ---- */

/* Refuse a choice of interrupts, which SPDK would ignore. */
static int interrupts_check(struct pyn_error *err)
{
	const char *word = getenv(PYN_PCI_IRQ_VARIABLE);
	struct pyn_error cause;

	if (!word || !*word)
		return 0;
	pyn_engine_withholds(PYN_CAN_INTERRUPTS, &cause);
	pyn_error(err, PYN_ERROR_WITHHELD, ENOTSUP, PYN_PCI_IRQ_VARIABLE "=%.20s: %s", word, cause.text);
	if (err)
		err->capability = cause.capability;
	return -ENOTSUP;
}

/* SPDK drives functions that are bound to vfio-pci. Without an IOMMU it would need all memory by physical addresses.
 */
static int function_id(const struct pyn_address *address, struct spdk_nvme_transport_id *id, struct pyn_error *err)
{
	int rc = pyn_vfio_check(address->text, err);

	if (!rc)
		rc = interrupts_check(err);
	spdk_nvme_trid_populate_transport(id, SPDK_NVME_TRANSPORT_PCIE);
	snprintf(id->traddr, sizeof(id->traddr), "%s", address->text);
	return rc;
}

/* SPDK looks for the socket `cntrl` in a folder. */
static int socket_id(const struct pyn_address *address, struct spdk_nvme_transport_id *id, char *path,
		     struct pyn_error *err)
{
	char *name;
	int rc = pyn_vfu_find_socket(address->text, path, err);

	if (rc)
		return rc;
	name = strrchr(path, '/');
	if (!name || strcmp(name, "/cntrl") != 0)
		return pyn_error(
			err, PYN_ERROR_ENUMERATE, ENOTSUP,
			"SPDK opens only sockets that are named `cntrl`, not %.100s: PYNVME_ENGINE=own opens "
			"any",
			path);
	spdk_nvme_trid_populate_transport(id, SPDK_NVME_TRANSPORT_VFIOUSER);
	snprintf(id->traddr, sizeof(id->traddr), "%.*s", (int)(name - path), path);
	/* Without a name SPDK takes the drive for a discovery controller. */
	snprintf(id->subnqn, sizeof(id->subnqn), SUBNQN);
	return 0;
}

/* path: of the socket, PYN_VFU_PATH bytes, or the function. */
static int transport_id(const struct pyn_address *address, struct spdk_nvme_transport_id *id, char *path,
			struct pyn_error *err)
{
	memset(id, 0, sizeof(*id));
	snprintf(path, PYN_VFU_PATH, "%.*s", PYN_VFU_PATH - 1, address->text);
	switch (address->kind) {
	case PYN_ADDRESS_FUNCTION:
		return function_id(address, id, err);
	case PYN_ADDRESS_SOCKET:
		return socket_id(address, id, path, err);
	default:
		return pyn_address_refuse(address, err);
	}
}

/* ---- disable ---- */

static int gone(struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the drive is gone");
}

static int not_disabled(struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_TIMEOUT, ETIMEDOUT,
			 "the controller is not disabled (CC.EN = 0) within the time of CAP.TO");
}

static uint64_t disable_budget_ns(struct pyn_ctrlr *ctrlr)
{
	return (spdk_nvme_ctrlr_get_regs_cap(ctrlr->spdk).bits.to + 1) * CAP_TO_NS + DISABLE_NS;
}

/* A script may have enabled it by register writes. */
static int clear_enable(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint32_t cc, csts;
	int rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CC, &cc, err);

	if (!rc && NVME_GET(cc, NVME_CC_EN))
		rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CC, cc & ~(uint32_t)NVME_SET(1, NVME_CC_EN), err);
	return rc ? rc
		  : pyn_csts_wait(ctrlr->pci, (uint32_t)NVME_SET(1, NVME_CSTS_RDY), 0, false,
				  (uint32_t)(disable_budget_ns(ctrlr) / 1000000u), &csts, err);
}

/* SPDK's disconnection also ends if the controller stays enabled, as SPDK leaves one whose initialisation failed. */
static int off_ensure(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint32_t csts;

	if (pyn_reg_read32(ctrlr->pci, NVME_REG_CSTS, &csts, NULL) || csts == UINT32_MAX ||
	    !NVME_GET(csts, NVME_CSTS_RDY))
		return 0;
	return clear_enable(ctrlr, err) ? not_disabled(err) : 0;
}

/* Let SPDK go on with its disconnection, which clears CC.EN and ends with CSTS.RDY = 0. */
static int await_disconnection(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint64_t deadline = pyn_monotonic_ns() + disable_budget_ns(ctrlr);

	for (;;) {
		bool late = pyn_monotonic_ns() >= deadline;

		if (spdk_nvme_ctrlr_process_admin_completions(ctrlr->spdk) == -ENXIO)
			return 0;
		if (late && !ctrlr->pci->ops->alive(ctrlr->pci))
			return gone(err);
		if (late)
			return not_disabled(err);
		sched_yield();
	}
}

static int disconnect(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	int rc;

	pyn_spdk_doorbells_forget(ctrlr);
	/* Events that came before are reported; SPDK drops them. */
	if (!ctrlr->disconnecting)
		spdk_nvme_ctrlr_process_admin_completions(ctrlr->spdk);
	rc = ctrlr->disconnecting ? 0 : spdk_nvme_ctrlr_disconnect(ctrlr->spdk);
	if (rc)
		return pyn_error(err, PYN_ERROR_ENUMERATE, -rc, "SPDK does not disable the controller: %s",
				 strerror(-rc));
	ctrlr->disconnecting = true;
	rc = await_disconnection(ctrlr, err);
	if (rc)
		return rc;
	ctrlr->disconnecting = false;
	ctrlr->off = true;
	return off_ensure(ctrlr, err);
}

/* Check that the device answers: SPDK would wait minutes for one without power. */
static int answers(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint32_t cc;
	int rc;

	if (!ctrlr->pci->ops->alive(ctrlr->pci))
		return gone(err);
	rc = pyn_pci_memory_enable(ctrlr->pci, err);
	return rc ? rc : pyn_reg_read32(ctrlr->pci, NVME_REG_CC, &cc, err);
}

int pyn_spdk_disable(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	int rc = answers(ctrlr, err);

	if (!rc)
		rc = ctrlr->off ? clear_enable(ctrlr, err) : disconnect(ctrlr, err);
	if (rc)
		return rc;
	ctrlr->enabled = false;
	pyn_spdk_forget(ctrlr->admin);
	pyn_spdk_events_empty(ctrlr);
	pyn_quarantine_end(&ctrlr->quarantine, pyn_spdk_queue_free);
	return 0;
}

/* ---- attach and detach ---- */

/* SPDK neither repeats commands, nor keeps the controller alive, nor shuts it down: that is up to the script. */
static struct spdk_nvme_ctrlr_opts options(void)
{
	struct spdk_nvme_ctrlr_opts wanted;

	spdk_nvme_ctrlr_get_default_ctrlr_opts(&wanted, sizeof(wanted));
	wanted.num_io_queues = UINT16_MAX;
	wanted.transport_retry_count = 0;
	wanted.keep_alive_timeout_ms = 0;
	wanted.no_shn_notification = true;
	wanted.admin_timeout_ms = ADMIN_TIMEOUT_MS;
	wanted.disable_error_logging = true;
	wanted.disable_read_ana_log_page = true;
	wanted.disable_read_changed_ns_list_log_page = true;
	return wanted;
}

/* SPDK does not say why it cannot open a drive, so try to connect. */
static int open_without_spdk(const struct pyn_address *address, const char *path, struct pyn_error *err)
{
	struct pyn_vfu_channel channel;
	struct pyn_pci *pci = NULL;
	int rc;

	if (address->kind == PYN_ADDRESS_FUNCTION) {
		rc = pyn_pci_open(address, &pci, err);
		if (!rc)
			pci->ops->close(pci);
		return rc;
	}
	rc = pyn_vfu_connect(path, &channel, err);
	if (!rc)
		pyn_vfu_channel_deinit(&channel);
	return rc;
}

static const char *reason(void)
{
	if (pyn_spdk_saw_fatal())
		return "the controller reports a fatal status (CSTS.CFS is 1)";
	return *pyn_spdk_said() ? pyn_spdk_said() : "SPDK gives no reason";
}

static int not_opened(const struct pyn_address *address, const char *path, struct pyn_error *err)
{
	char words[PYN_ERROR_TEXT / 2];
	int rc;

	snprintf(words, sizeof(words), "%s", reason());
	rc = open_without_spdk(address, path, err);
	if (rc)
		return rc;
	return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV, "SPDK cannot open the drive at %.80s: %s", path, words);
}

static int open_drive(struct pyn_ctrlr *ctrlr, const struct pyn_address *address, struct pyn_error *err)
{
	struct spdk_nvme_ctrlr_opts wanted = options();
	struct spdk_nvme_transport_id id;
	char path[PYN_VFU_PATH];
	int rc = transport_id(address, &id, path, err);

	if (rc)
		return rc;
	pyn_spdk_listen();
	pyn_spdk_keep_freed();
	pyn_spdk_initialises(true);
	ctrlr->spdk = spdk_nvme_connect(&id, &wanted, sizeof(wanted));
	pyn_spdk_initialises(false);
	pyn_spdk_free_kept();
	if (!ctrlr->spdk)
		return not_opened(address, path, err);
	ctrlr->pci = pyn_spdk_function(ctrlr->spdk, address->kind == PYN_ADDRESS_SOCKET, path, err);
	if (!ctrlr->pci)
		return -ENODEV;
	ctrlr->doorbells.is_pcie = address->kind == PYN_ADDRESS_FUNCTION;
	pyn_spdk_doorbells_find(ctrlr);
	return 0;
}

static int prepare(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	ctrlr->spare = pyn_dma_alloc(PYN_PRP_PAGE, PYN_PRP_PAGE, err);
	if (!ctrlr->spare)
		return -ENOMEM;
	ctrlr->admin = pyn_spdk_queue_alloc(ctrlr, 0, PYN_SPDK_ADMIN_SLOTS, err);
	return ctrlr->admin ? 0 : -ENOMEM;
}

int pyn_spdk_attach(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err)
{
	struct pyn_ctrlr *made = calloc(1, sizeof(*made));
	int rc;

	if (!made)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a controller");
	rc = pyn_spdk_start(err);
	if (!rc)
		rc = prepare(made, err);
	if (!rc)
		rc = open_drive(made, address, err);
	if (!rc)
		rc = pyn_spdk_events_start(made, err);
	if (rc)
		pyn_spdk_detach(made);
	else
		*ctrlr = made;
	return rc;
}

static void close_drive(struct pyn_ctrlr *ctrlr)
{
	struct pyn_error ignored;

	/* SPDK waits without limit for the creation of a queue that it frees. A disconnection ends that. */
	if (ctrlr->quarantine && !ctrlr->off)
		disconnect(ctrlr, &ignored);
	pyn_quarantine_end(&ctrlr->quarantine, pyn_spdk_queue_free);
	pyn_spdk_keep_freed();
	spdk_nvme_detach(ctrlr->spdk);
	pyn_spdk_free_kept();
}

bool pyn_spdk_isolate(struct pyn_ctrlr *ctrlr)
{
	return !ctrlr->pci || ctrlr->pci->ops->isolate(ctrlr->pci);
}

void pyn_spdk_detach(struct pyn_ctrlr *ctrlr)
{
	if (ctrlr->spdk)
		close_drive(ctrlr);
	if (ctrlr->pci)
		ctrlr->pci->ops->close(ctrlr->pci);
	pyn_spdk_queue_free(ctrlr->admin);
	pyn_dma_free(ctrlr->spare);
	free(ctrlr->events.slots);
	free(ctrlr);
}

/* ---- enable and shutdown ---- */

/* Find SPDK's admin ring, if the device has it at its address in this process. */
static void find_admin_ring(struct pyn_ctrlr *ctrlr)
{
	uint32_t aqa;
	uint64_t asq;

	ctrlr->admin->ring.sq = NULL;
	if (ctrlr->pci->view.physical || pyn_reg_read32(ctrlr->pci, NVME_REG_AQA, &aqa, NULL) ||
	    pyn_reg_read64(ctrlr->pci, NVME_REG_ASQ, &asq, NULL) || !pyn_spdk_is_memory_of(asq))
		return;
	ctrlr->admin->ring.sq = (struct nvme_cmd *)(uintptr_t)asq;
	ctrlr->admin->ring.entries = (uint32_t)NVME_GET(aqa, NVME_AQA_ASQS) + 1;
	ctrlr->admin->ring.next = 0;
}

/* SPDK offers no call for this limit, which applies to each step of its initialisation. A step that is late ends all
 * of it, so each has some time to spare. */
static void limit_commands(struct pyn_ctrlr *ctrlr, uint32_t timeout_ms)
{
	struct spdk_nvme_ctrlr_opts *options =
		(struct spdk_nvme_ctrlr_opts *)(uintptr_t)spdk_nvme_ctrlr_get_opts(ctrlr->spdk);

	options->admin_timeout_ms = timeout_ms < UINT32_MAX - SPARE_MS ? timeout_ms + SPARE_MS : UINT32_MAX;
}

static int reconnect(struct pyn_ctrlr *ctrlr, uint32_t timeout_ms, struct pyn_error *err)
{
	int rc;

	limit_commands(ctrlr, timeout_ms);
	pyn_spdk_empty(ctrlr->admin);
	pyn_spdk_listen();
	pyn_spdk_initialises(true);
	spdk_nvme_ctrlr_reconnect_async(ctrlr->spdk);
	while ((rc = spdk_nvme_ctrlr_reconnect_poll_async(ctrlr->spdk)) == -EAGAIN)
		sched_yield();
	pyn_spdk_initialises(false);
	ctrlr->off = false;
	ctrlr->enabled = rc == 0;
	if (!rc) {
		find_admin_ring(ctrlr);
		pyn_spdk_doorbells_find(ctrlr);
		pyn_spdk_events_default(ctrlr);
		return 0;
	}
	if (!ctrlr->pci->ops->alive(ctrlr->pci))
		return gone(err);
	return pyn_error(err, PYN_ERROR_ENUMERATE, EIO, "the controller does not become ready: %s", reason());
}

int pyn_spdk_enable(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, uint32_t timeout_ms, struct pyn_error *err)
{
	int rc = ctrlr->off ? 0 : pyn_spdk_disable(ctrlr, err);

	/* The depth is SPDK's, and holds more commands than the layers above send. */
	(void)admin_depth;
	if (!rc)
		rc = answers(ctrlr, err);
	if (!rc)
		rc = pyn_pci_master_set(ctrlr->pci, true, err);
	return rc ? rc : reconnect(ctrlr, timeout_ms, err);
}

int pyn_spdk_admin_setup(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err)
{
	(void)ctrlr, (void)admin_depth;
	return pyn_engine_withholds(PYN_CAN_BRING_UP, err);
}

int pyn_spdk_shutdown(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err)
{
	struct pyn_error local, *why = err ? err : &local, cause;
	uint32_t cc, csts;
	int rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CC, &cc, why);

	if (rc)
		return rc;
	cc &= ~(uint32_t)NVME_SET(3, NVME_CC_SHN);
	cc |= (uint32_t)NVME_SET(abrupt ? NVME_SHN_ABRUPT : NVME_SHN_NORMAL, NVME_CC_SHN);
	rc = pyn_reg_write32(ctrlr->pci, NVME_REG_CC, cc, why);
	if (!rc)
		rc = pyn_csts_wait(ctrlr->pci, CSTS_SHST, (uint32_t)NVME_SET(NVME_SHST_COMPLETE, NVME_CSTS_SHST),
				   false, timeout_ms, &csts, why);
	if (!rc || why->kind != PYN_ERROR_TIMEOUT)
		return rc;
	cause = *why;
	return pyn_error(why, PYN_ERROR_SHUTDOWN, ETIMEDOUT, "the controller does not complete its shutdown: %s",
			 cause.text);
}
