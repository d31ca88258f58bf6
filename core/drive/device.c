/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/device_private.h"

#include <errno.h>
#include <pthread.h>

#include "core/data/pattern.h"
#include "core/env/env.h"
#include "core/nvme/status.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

/* Does not lock in a forked process: a thread that does not exist there may hold the lock, and pyn_device_check
 * refuses all use. */
void pyn_device_lock(struct pyn_device *device)
{
	if (device->process == pyn_process_number())
		pthread_mutex_lock(&device->lock);
}

void pyn_device_unlock(struct pyn_device *device)
{
	if (device->process == pyn_process_number())
		pthread_mutex_unlock(&device->lock);
}

int pyn_device_check(const struct pyn_device *device, struct pyn_error *err)
{
	if (device->process != pyn_process_number())
		return pyn_error(err, PYN_ERROR_STATE, ECHILD, "the drive at %s was opened by another process",
				 device->address.text);
	if (!device->ctrlr)
		return pyn_error(err, PYN_ERROR_STATE, EBADF, "the drive at %s is closed", device->address.text);
	return 0;
}

/* ---- life ---- */

void pyn_device_get(struct pyn_device *device)
{
	atomic_fetch_add(&device->references, 1);
}

void pyn_device_put(struct pyn_device *device)
{
	if (!device || atomic_fetch_sub(&device->references, 1) != 1)
		return;
	device->last_put(device);
}

void pyn_device_cut_off_workers(struct pyn_device *device, enum pyn_device_end why)
{
	atomic_store(&device->shared->end, why);
	atomic_fetch_add(&device->shared->cut_offs, 1);
}

bool pyn_device_is_open(const struct pyn_device *device)
{
	return device->ctrlr && device->process == pyn_process_number();
}

bool pyn_device_alive(struct pyn_device *device)
{
	pyn_device_lock(device);
	bool alive = pyn_device_is_open(device) && device->engine->alive(device->ctrlr);

	pyn_device_unlock(device);
	return alive;
}

/* ---- what is known ---- */

uint32_t pyn_device_process(const struct pyn_device *device)
{
	return device->process;
}

const char *pyn_device_address(const struct pyn_device *device)
{
	return device->address.text;
}

const struct pyn_engine *pyn_device_engine(const struct pyn_device *device)
{
	return device->engine;
}

int pyn_device_cmb_info(struct pyn_device *device, struct pyn_cmb_info *info, struct pyn_error *err)
{
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (!rc)
		rc = device->engine->cmb->info(device->ctrlr, info, err);
	pyn_device_unlock(device);
	return rc;
}

struct pyn_buffer *pyn_device_cmb_buffer(struct pyn_device *device, uint32_t size, struct pyn_error *err)
{
	struct pyn_buffer *buffer = NULL;
	struct pyn_window *window;
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (!rc)
		rc = device->engine->cmb->window(device->ctrlr, &window, err);
	if (!rc)
		buffer = pyn_buffer_create_in(window, size, err);
	if (buffer)
		buffer->address = device->engine->cmb->address(device->ctrlr, buffer->data);
	pyn_device_unlock(device);
	return buffer;
}

int pyn_device_choose_page(struct pyn_device *device, uint32_t bytes, struct pyn_error *err)
{
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (!rc)
		rc = device->engine->rings->choose_page(device->ctrlr, bytes, err);
	pyn_device_unlock(device);
	return rc;
}

uint32_t pyn_device_page(const struct pyn_device *device)
{
	return atomic_load(&device->io.page);
}

size_t pyn_device_list_bytes(struct pyn_device *device, uint32_t most)
{
	size_t bytes = 0;

	pyn_device_lock(device);
	if (pyn_device_is_open(device))
		bytes = device->engine->rings->list_bytes(device->ctrlr, most);
	pyn_device_unlock(device);
	return bytes;
}

int pyn_device_prepare_template(struct pyn_device *device, struct pyn_data_template *data, uint32_t most,
				struct pyn_error *err)
{
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (!rc)
		device->engine->rings->prepare(device->ctrlr, data, most);
	pyn_device_unlock(device);
	return rc;
}

struct pyn_buffer *pyn_buffer_with_pattern(struct pyn_device *cmb_of, uint32_t size, uint32_t ptype, uint32_t pvalue,
					   struct pyn_error *err)
{
	struct pyn_buffer *buffer;

	if (pyn_pattern_check(ptype, pvalue, err))
		return NULL;
	buffer = cmb_of ? pyn_device_cmb_buffer(cmb_of, size, err) : pyn_buffer_create(size, err);
	if (!buffer || (ptype == PYN_PATTERN_CONSTANT && pvalue == 0))
		return buffer;
	if (pyn_pattern_fill_next(buffer->data, size, ptype, pvalue, err)) {
		pyn_buffer_put(buffer);
		return NULL;
	}
	return buffer;
}

struct pyn_device_shared *pyn_device_shared(const struct pyn_device *device)
{
	return device->shared;
}

struct pyn_inflight *pyn_device_admin(const struct pyn_device *device)
{
	return device->admin;
}

uint64_t pyn_device_cap(const struct pyn_device *device)
{
	return device->cap;
}

uint64_t pyn_device_mdts(const struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	uint64_t power =
		12 + NVME_GET(device->cap, NVME_CAP_MPSMIN) + id->mdts; /* MDTS counts pages of the smallest size */

	/* A value that does not fit into 64 bits is no limit. */
	return id->mdts && power < 64 ? UINT64_C(1) << power : 0;
}

const void *pyn_device_identify(const struct pyn_device *device)
{
	return device->answers.identify->data;
}

uint32_t *pyn_device_timeout_ms(struct pyn_device *device)
{
	return &device->timeout_ms;
}

uint32_t pyn_device_identify_changes(const struct pyn_device *device)
{
	return device->identify_changes;
}

uint32_t pyn_device_max_qpairs(const struct pyn_device *device)
{
	return device->io.most;
}

int pyn_device_admin_execute(struct pyn_device *device, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
			     enum pyn_error_kind refused, uint32_t *cdw0, struct pyn_error *err)
{
	struct nvme_cpl cpl;
	int rc = pyn_inflight_execute(device->admin, cmd, buffer, &cpl, err);

	if (rc)
		return rc;
	if (NVME_STATUS_SC(cpl.status) || NVME_STATUS_SCT(cpl.status))
		return pyn_error(err, refused, EIO, "the drive answered %s with status %02x/%02x (%s)",
				 pyn_admin_opcode_name(cmd->opc), NVME_STATUS_SCT(cpl.status),
				 NVME_STATUS_SC(cpl.status), pyn_status_name(cpl.status));
	if (cdw0)
		*cdw0 = cpl.cdw0;
	return 0;
}
