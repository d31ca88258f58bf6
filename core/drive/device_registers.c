/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers and configuration space of a drive, for scripts. Notes the effects of their accesses. */
#include "core/drive/device_private.h"

#include "core/drive/vector.h"
#include "core/verify/tables.h"
#include "spec/nvme_regs.h"
#include "spec/pci.h"

/* Note a shutdown by register write: commands completed before are durable once CSTS reports its end. */
static void begin_shutdown(struct pyn_device *device, uint64_t cc)
{
	if (!NVME_GET(cc, NVME_CC_EN) || NVME_GET(cc, NVME_CC_SHN) != NVME_SHN_NORMAL)
		return;
	pyn_tables_free(device->shutting_down);
	device->shutting_down = pyn_tables_all(device->tables);
	pyn_tables_flush_begin(device->shutting_down);
}

static void see_shutdown(struct pyn_device *device, uint64_t csts)
{
	if (!device->shutting_down || csts == UINT32_MAX || NVME_GET(csts, NVME_CSTS_SHST) != NVME_SHST_COMPLETE)
		return;
	pyn_tables_flush_end(device->shutting_down);
	pyn_tables_free(device->shutting_down);
	device->shutting_down = NULL;
}

int pyn_device_reg_read(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = device->engine->reg_read(device->ctrlr, offset, size, value, err);
	if (!rc && offset == NVME_REG_CSTS)
		see_shutdown(device, *value);
	pyn_device_unlock(device);
	return rc;
}

/* Whether this is the doorbell of an IO queue that a script created with raw commands, whose writes are not
 * tracked. */
static bool rings_foreign_queue(const struct pyn_device *device, uint32_t offset)
{
	if (offset < NVME_REG_DOORBELLS)
		return false;
	uint64_t qid = (offset - NVME_REG_DOORBELLS) / (UINT64_C(8) << NVME_GET(device->cap, NVME_CAP_DSTRD));

	return qid > 0 && qid <= PYN_MAX_QID &&
	       (!device->io.qpairs[qid] || atomic_load(&device->io.by_script[qid]) & PYN_SCRIPT_MADE_SQ);
}

/* Whether a register write resets the controller. Its workers then end as with any other reset. */
static bool resets_controller(uint32_t offset, uint64_t value)
{
	return (offset == NVME_REG_CC && !NVME_GET(value, NVME_CC_EN)) ||
	       (offset == NVME_REG_NSSR && value == NVME_NSSR_RESET);
}

int pyn_device_reg_write(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc && rings_foreign_queue(device, offset))
		pyn_device_forget(device);
	if (!rc && offset == NVME_REG_CC)
		begin_shutdown(device, value);
	if (!rc)
		rc = device->engine->reg_write(device->ctrlr, offset, size, value, err);
	if (!rc && offset == NVME_REG_CC)
		atomic_store(&device->io.page, device->engine->rings->page(device->ctrlr));
	if (!rc && resets_controller(offset, value))
		pyn_device_cut_off_workers(device, PYN_END_RESET);
	pyn_device_unlock(device);
	return rc;
}

int pyn_device_config_read(struct pyn_device *device, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = device->engine->pci->config_read(device->ctrlr, offset, data, length, err);
	pyn_device_unlock(device);
	return rc;
}

/* Whether a write reaches beyond the header, into capabilities such as those of interrupts. */
static bool reaches_capabilities(uint32_t offset, uint32_t length)
{
	return offset + length > PCI_CFG_HEADER_SIZE;
}

static int config_write(struct pyn_device *device, uint32_t offset, const void *data, uint32_t length,
			struct pyn_error *err)
{
	bool disabled = reaches_capabilities(offset, length) && pyn_vectors_disabled(device->io.vectors);
	int rc = device->engine->pci->config_write(device->ctrlr, offset, data, length, err);

	return !rc && disabled ? pyn_vectors_enable(device->io.vectors, err) : rc;
}

int pyn_device_config_write(struct pyn_device *device, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = config_write(device, offset, data, length, err);
	pyn_device_unlock(device);
	return rc;
}
