/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/device_private.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/util/clock.h"
#include "spec/nvme_field.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

/* Read CAP into a local first: other threads may read it meanwhile, and must see a valid value. */
static int read_cap(struct pyn_device *device, struct pyn_error *err)
{
	uint64_t cap;
	int rc = pyn_device_reg_read(device, NVME_REG_CAP, 8, &cap, err);

	if (!rc && cap != UINT64_MAX)
		device->cap = cap;
	return rc;
}

/* Set up the admin queue. enable: up to CSTS.RDY = 1; otherwise the script writes CC. */
static int init_adminq(struct pyn_device *device, bool enable, struct pyn_error *err)
{
	/* Another thread may have initialised the controller and started workers since the reset. */
	pyn_device_stop_workers(device, PYN_END_RESET);
	int rc = device->engine->disable(device->ctrlr, err);

	if (rc)
		return rc;
	pyn_device_abort_all(device);
	rc = enable ? device->engine->enable(device->ctrlr, PYN_ADMIN_DEPTH, device->timeout_ms, err)
		    : device->engine->admin_setup(device->ctrlr, PYN_ADMIN_DEPTH, err);
	if (rc)
		return rc;
	atomic_store(&device->io.page, device->engine->rings->page(device->ctrlr));
	pyn_inflight_attach(device->admin, device->engine->admin_qpair(device->ctrlr));
	device->initialised = true;
	device->io.most = PYN_MAX_QID; /* until init_queues sets it; the drive refuses queues that it does not have */
	return read_cap(device, err);
}

int pyn_device_init_adminq(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
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
	/* Controllers before NVMe 1.1 do not have this list: use NN of Identify Controller. */
	if (pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, err) == 0) {
		const uint32_t *list = (const uint32_t *)buffer->data;

		while (count < (int)(PYN_PAGE / sizeof(*list)) && list[count])
			count++;
	} else {
		uint32_t nn = ((const struct nvme_id_ctrl *)device->answers.identify->data)->nn;

		count = nn < INT_MAX ? (int)nn : INT_MAX;
	}
	pyn_buffer_put(buffer);
	return count;
}

/* ---- what is asked anew after each reset ---- */

/* Drop the tables if there is another drive in the slot, or at the socket. */
static void check_identity(struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	const char *found = id->sn; /* MN follows SN */

	if (device->identity[0] && memcmp(device->identity, found, sizeof(device->identity)) != 0)
		pyn_device_forget(device);
	memcpy(device->identity, found, sizeof(device->identity));
	pyn_device_share_tables(device);
}

static struct pyn_power_counts power_counts(struct pyn_device *device)
{
	struct pyn_power_counts counts = {.asked = true};
	struct nvme_smart_log log;

	counts.known = pyn_device_smart(device, &log);
	if (counts.known) {
		counts.losses = log.upl[0];
		counts.cycles = log.pwrc[0];
	}
	return counts;
}

/* Compare the SMART counts of power losses: after one, LBAs that were not flushed are unknown. Without these counts,
 * every reset may have been a power loss. */
static void check_power_loss(struct pyn_device *device)
{
	struct pyn_power_counts before = device->power, now = power_counts(device);

	bool same = before.known && now.known && now.losses == before.losses && now.cycles == before.cycles;

	if (before.asked && !same)
		pyn_device_power_lost(device);
	device->power = now;
}

/* Read whether the write cache is on: an earlier user of the drive may have saved its state. */
static void check_cache(struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_GET_FEATURES, .cdw10 = NVME_FEAT_VWC};
	uint32_t count = device->cache.count, wce = NVME_WCE;
	struct pyn_error ignored;

	if (!(id->vwc & NVME_VWC_PRESENT)) {
		pyn_device_set_durable_since(device, 0);
		return;
	}
	if (pyn_device_admin_execute(device, &cmd, NULL, PYN_ERROR_ENUMERATE, &wce, &ignored))
		return;
	if (!(wce & NVME_WCE) && device->cache.count == count && !device->cache.in_flight)
		pyn_device_set_durable_since(device, pyn_ticks());
}

/* Read Identify Controller. Takes the count of changes before: a change meanwhile makes the answer stale again. */
static int identify(struct pyn_device *device, struct pyn_buffer *buffer, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_CTRL};
	uint32_t changes = device->identify_changes;
	int rc = pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, err);

	if (!rc)
		device->answers.identify_as_of = changes;
	return rc;
}

static int learn(struct pyn_device *device, struct pyn_error *err)
{
	int rc = identify(device, device->answers.identify, err);

	if (rc)
		return rc;
	check_identity(device);
	check_power_loss(device);
	check_cache(device);
	pyn_device_check_shadow(device);
	device->learned = true;
	return 0;
}

int pyn_device_learn(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc && device->initialised && !device->learned)
		rc = learn(device, err);
	pyn_device_unlock(device);
	return rc;
}

/* Read Identify Controller again, into another buffer first: other threads read the old data meanwhile. */
static int identify_again(struct pyn_device *device, struct pyn_error *err)
{
	struct pyn_buffer *buffer = pyn_buffer_create(PYN_PAGE, err);

	if (!buffer)
		return -ENOMEM;
	int rc = identify(device, buffer, err);

	if (!rc)
		memcpy(device->answers.identify->data, buffer->data, NVME_IDENTIFY_SIZE);
	pyn_buffer_put(buffer);
	return rc;
}

int pyn_device_identify_now(struct pyn_device *device, void *data, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_learn(device, err);

	if (!rc && device->initialised && device->answers.identify_as_of != device->identify_changes)
		rc = identify_again(device, err);
	if (!rc && data)
		memcpy(data, device->answers.identify->data, NVME_IDENTIFY_SIZE);
	pyn_device_unlock(device);
	return rc;
}

int pyn_device_init_ns(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = learn(device, err);
	if (!rc)
		rc = active_namespaces(device, err);
	pyn_device_unlock(device);
	return rc;
}

void pyn_device_init_queues(struct pyn_device *device, uint32_t cdw0)
{
	uint32_t sq = (cdw0 & 0xffff) + 1, cq = (cdw0 >> 16) + 1;

	pyn_device_lock(device);
	device->io.most = sq < cq ? sq : cq;
	if (device->io.most > PYN_MAX_QID)
		device->io.most = PYN_MAX_QID;
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

	if (!rc)
		rc = init_adminq(device, true, err);
	if (!rc)
		rc = pyn_device_init_ns(device, err);
	if (rc >= 0)
		rc = pyn_device_admin_execute(device, &cmd, NULL, PYN_ERROR_ENUMERATE, &cdw0, err);
	if (!rc)
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
