/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/device_private.h"

#include <errno.h>
#include <limits.h>

#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"

/* Other threads ask for it meanwhile: what they see is whole, and of a drive that is not away again. */
static int read_cap(struct pyn_device *device, struct pyn_error *err)
{
	uint64_t cap;
	int rc = pyn_device_reg_read(device, NVME_REG_CAP, 8, &cap, err);

	if (rc == 0 && cap != UINT64_MAX)
		device->cap = cap;
	return rc;
}

/* enable: as far as CSTS.RDY = 1; otherwise CC is the script's to write. */
static int init_adminq(struct pyn_device *device, bool enable, struct pyn_error *err)
{
	/* Another thread may have initialised the controller since the reset, and started some. */
	pyn_device_stop_workers(device);
	int rc = device->engine->disable(device->ctrlr, err);

	if (rc < 0)
		return rc;
	pyn_device_abandon(device);
	rc = enable ? device->engine->enable(device->ctrlr, PYN_ADMIN_DEPTH, err)
		    : device->engine->admin_setup(device->ctrlr, PYN_ADMIN_DEPTH, err);
	if (rc < 0)
		return rc;
	pyn_qpair_attach(device->admin, device->engine->admin_queue(device->ctrlr));
	device->initialised = true;
	device->max_queues = PYN_MAX_QID; /* until init_queues knows better; the drive refuses what it has not */
	return read_cap(device, err);
}

int pyn_device_init_adminq(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (rc == 0)
		rc = init_adminq(device, false, err);
	pyn_device_unlock(device);
	return rc;
}

static int active_namespaces(struct pyn_device *device, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_ACTIVE_NS_LIST};
	struct pyn_buffer *buffer = pyn_buffer_create(PYN_PAGE, err);
	int count = 0;

	if (!buffer)
		return -ENOMEM;
	/* A controller of before 1.1 does not know this list: then the controller data say how many there are. */
	if (pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, err) == 0) {
		const uint32_t *list = (const uint32_t *)buffer->data;

		while (count < (int)(PYN_PAGE / sizeof(*list)) && list[count])
			count++;
	} else {
		uint32_t nn = ((const struct nvme_id_ctrl *)device->identify->data)->nn;

		count = nn < INT_MAX ? (int)nn : INT_MAX;
	}
	pyn_buffer_put(buffer);
	return count;
}

/* A drive counts the times that its power went without a shutdown, whoever cut it: then what was not flushed is
 * unknown. */
static void look_for_power_loss(struct pyn_device *device)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_GET_LOG_PAGE,
		.nsid = UINT32_MAX,
		.cdw10 = NVME_LOG_SMART | (sizeof(struct nvme_smart_log) / 4 - 1) << 16,
	};
	struct pyn_error ignored;
	struct pyn_buffer *buffer = pyn_buffer_create(sizeof(struct nvme_smart_log), &ignored);

	if (!buffer)
		return;
	if (pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, &ignored) == 0) {
		uint64_t losses = ((const struct nvme_smart_log *)buffer->data)->upl[0];

		if (device->power_losses_known && losses != device->power_losses)
			pyn_device_power_lost(device);
		device->power_losses = losses;
		device->power_losses_known = true;
	}
	pyn_buffer_put(buffer);
}

int pyn_device_init_ns(struct pyn_device *device, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_CTRL};

	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (rc == 0)
		rc = pyn_device_admin_execute(device, &cmd, device->identify, PYN_ERROR_ENUMERATE, NULL, err);
	if (rc == 0) {
		look_for_power_loss(device);
		rc = active_namespaces(device, err);
	}
	pyn_device_unlock(device);
	return rc;
}

void pyn_device_init_queues(struct pyn_device *device, uint32_t cdw0)
{
	uint32_t sq = (cdw0 & 0xffff) + 1, cq = (cdw0 >> 16) + 1;

	pyn_device_lock(device);
	device->max_queues = sq < cq ? sq : cq;
	if (device->max_queues > PYN_MAX_QID)
		device->max_queues = PYN_MAX_QID;
	pyn_device_unlock(device);
}

static int init(struct pyn_device *device, struct pyn_error *err)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_SET_FEATURES,
		.cdw10 = NVME_FEAT_QUEUES,
		.cdw11 = 0xfffe | 0xfffeu << 16, /* as many as there are; FFFFh is not allowed */
	};
	uint32_t cdw0 = 0;
	int rc = pyn_device_check(device, err);

	if (rc == 0)
		rc = init_adminq(device, true, err);
	if (rc == 0)
		rc = pyn_device_init_ns(device, err);
	if (rc >= 0)
		rc = pyn_device_admin_execute(device, &cmd, NULL, PYN_ERROR_ENUMERATE, &cdw0, err);
	if (rc == 0)
		pyn_device_init_queues(device, cdw0);
	return rc;
}

int pyn_device_init(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = init(device, err);

	pyn_device_unlock(device);
	return rc;
}

bool pyn_device_initialised(const struct pyn_device *device)
{
	return device->initialised;
}
