/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker with zones knows at its start, and the count of active zones that all workers of a namespace share.
 */
#include "core/worker/zones.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "core/data/transfer.h"
#include "core/drive/device.h"
#include "core/env/env.h"
#include "core/util/clock.h"
#include "spec/nvme_field.h"

#define HEADER sizeof(struct nvme_zone_report)
#define DESCRIPTORS ((PYN_ZONE_REPORT - HEADER) / sizeof(struct nvme_zone_descriptor))

/* The active zones of a namespace, as long as workers with zones use it. */
struct budget {
	struct budget *next;
	const struct pyn_device *device;
	uint32_t nsid;
	uint32_t users;
	struct pyn_zone_budget *shared;
};

static struct budget *the_budgets;
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- budgets; call with the lock ---- */

static struct budget **find(const struct pyn_device *device, uint32_t nsid)
{
	struct budget **place = &the_budgets;

	while (*place && ((*place)->device != device || (*place)->nsid != nsid))
		place = &(*place)->next;
	return place;
}

static struct budget *add(struct budget **place, const struct pyn_device *device, uint32_t nsid,
			  struct pyn_error *err)
{
	struct budget *budget = calloc(1, sizeof(*budget));

	if (!budget) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the zones of an IO worker");
		return NULL;
	}
	*budget = (struct budget){.device = device, .nsid = nsid};
	budget->shared = pyn_shared_map(sizeof(*budget->shared), err);
	if (!budget->shared) {
		free(budget);
		return NULL;
	}
	*place = budget;
	return budget;
}

/* The process has ended, and may have been killed. Its zones stay active, until another worker writes to them. */
static void leave(struct pyn_worker_run *run)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct budget **place = &the_budgets, *budget;

	while (*place && (*place)->shared != zones->budget)
		place = &(*place)->next;
	budget = *place;
	pyn_zones_stop(run);
	zones->budget = NULL;
	if (!budget || --budget->users)
		return;
	*place = budget->next;
	pyn_shared_unmap(budget->shared, sizeof(*budget->shared));
	free(budget);
}

/* ---- memory ---- */

static int check(const struct pyn_worker_run *run, struct pyn_error *err)
{
	const struct pyn_workload *workload = &run->workload;
	uint64_t size = run->config.zones.size;

	if (!size)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "namespace %u has no zones", run->config.nsid);
	if (size > UINT32_MAX || (workload->end - workload->start) / size > UINT32_MAX / 2)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "zones of %llu LBAs are not supported",
				 (unsigned long long)size);
	if (workload->start % size || workload->end % size)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "the region %llu … %llu does not consist of whole zones of %llu LBAs",
				 (unsigned long long)workload->start, (unsigned long long)workload->end - 1,
				 (unsigned long long)size);
	return 0;
}

/* The index of an opcode that the workload asks for, or else of one that the worker sends of its own accord. */
static uint8_t op_of(const struct pyn_worker_run *run, uint8_t opcode, bool with_share)
{
	const struct pyn_workload_config *config = &run->config.workload;

	for (uint8_t i = (uint8_t)config->ops; i > 0; i--)
		if (config->opcode[i - 1] == opcode && !config->percentage[i - 1] == !with_share)
			return i - 1;
	return PYN_WORKLOAD_OPS;
}

static int allocate(struct pyn_worker_run *run, struct pyn_worker_zones *zones, struct pyn_device *device,
		    struct pyn_error *err)
{
	zones->zone = calloc(zones->count, sizeof(*zones->zone));
	zones->open = calloc(zones->count, sizeof(*zones->open));
	zones->slots = calloc(run->slot_count, sizeof(*zones->slots));
	zones->report = pyn_dma_alloc(PYN_ZONE_REPORT + pyn_device_list_bytes(device, PYN_ZONE_REPORT),
				      pyn_device_page(device), err);
	if (!zones->zone || !zones->open || !zones->slots || !zones->report)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the zones of an IO worker");
	zones->report_data =
		(struct pyn_data_template){.memory = zones->report, .list = zones->report + PYN_ZONE_REPORT};
	return pyn_device_prepare_template(device, &zones->report_data, PYN_ZONE_REPORT, err);
}

int pyn_zones_create(struct pyn_worker_run *run, struct pyn_device *device, struct pyn_error *err)
{
	const struct pyn_zones_config *config = &run->config.zones;
	struct pyn_worker_zones *zones;
	int rc = check(run, err);

	if (rc)
		return rc;
	zones = calloc(1, sizeof(*zones));
	run->state.zones = zones;
	if (!zones)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the zones of an IO worker");
	zones->count = (uint32_t)((run->workload.end - run->workload.start) / config->size);
	zones->most_open = config->max_open ? config->max_open : zones->count;
	zones->op_of_write = op_of(run, NVME_IO_WRITE, true);
	zones->op_of_append = op_of(run, NVME_IO_ZONE_APPEND, true);
	zones->op_of_own_reset = op_of(run, NVME_IO_ZONE_MGMT_SEND, false);
	zones->op_of_report = op_of(run, NVME_IO_ZONE_MGMT_RECEIVE, false);
	zones->fill = run->workload.is.fill;
	run->workload.is.fill = false;
	return allocate(run, zones, device, err);
}

void pyn_zones_destroy(struct pyn_worker_run *run)
{
	struct pyn_worker_zones *zones = run->state.zones;

	if (!zones)
		return;
	pyn_zones_leave(run);
	pyn_dma_free(zones->report);
	free(zones->slots);
	free(zones->open);
	free(zones->zone);
	free(zones);
	run->state.zones = NULL;
}

/* ---- reports ---- */

static int await(struct pyn_worker_run *run, struct nvme_cpl *cpl, struct pyn_error *err)
{
	uint64_t deadline = pyn_ticks() + pyn_ns_to_ticks((uint64_t)run->timeout_ms * 1000000u);
	struct pyn_completion completion;

	while (!run->engine->poll(run->queue, &completion, 1)) {
		if (pyn_ticks() > deadline)
			return pyn_error(err, PYN_ERROR_TIMEOUT, ETIMEDOUT,
					 "the drive did not report its zones within %u ms", run->timeout_ms);
		sched_yield();
	}
	*cpl = completion.cpl;
	return 0;
}

/* Report zones from an LBA on. state: ZRASF; 0: all. partial: count only the zones that are returned. */
static int report(struct pyn_worker_run *run, uint64_t slba, uint8_t state, bool partial, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_IO_ZONE_MGMT_RECEIVE, .nsid = run->config.nsid};
	struct pyn_data data = {.address = run->state.zones->report, .length = PYN_ZONE_REPORT};
	struct nvme_cpl cpl = {0};
	uint16_t status;

	nvme_set_field(&cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_SLBA, slba);
	nvme_set_field(&cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD, PYN_ZONE_REPORT / 4 - 1);
	nvme_set_field(&cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF, state);
	nvme_set_field(&cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_PARTIAL, partial);
	int rc = run->engine->submit(run->queue, 0, &cmd, data, err);

	if (rc)
		return rc;
	run->engine->ring(run->queue);
	rc = await(run, &cpl, err);
	if (rc)
		return rc;
	status = cpl.status >> 1 & 0x7ff;
	if (status)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, EIO,
				 "the drive refused to report its zones: status %02x/%02x", status >> 8,
				 status & 0xff);
	return 0;
}

static int nonsense(const struct pyn_worker_run *run, uint64_t slba, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, EPROTO,
			 "the drive reports a zone at LBA %llu that cannot be: zones have %llu LBAs",
			 (unsigned long long)slba, (unsigned long long)run->config.zones.size);
}

/* Add a zone of the report to what is known. */
static void enter(struct pyn_worker_run *run, uint32_t index)
{
	struct pyn_worker_zones *zones = run->state.zones;
	const struct pyn_worker_zone *zone = &zones->zone[index];

	zones->counts.written += zone->cannot_be_written ? 0 : zone->next - zone->start;
	if (!zone->is_active)
		return;
	atomic_fetch_add(&zones->budget->open, 1);
	pyn_zones_add_open(run, index);
}

static int learn_zones(struct pyn_worker_run *run, struct pyn_error *err)
{
	struct pyn_worker_zones *zones = run->state.zones;
	const struct nvme_zone_report *answer = (const struct nvme_zone_report *)zones->report;

	for (uint32_t i = 0; i < zones->count;) {
		uint64_t slba = run->workload.start + i * run->config.zones.size;
		int rc = report(run, slba, 0, true, err);

		if (rc)
			return rc;
		if (answer->nz < 1)
			return nonsense(run, slba, err);
		for (uint64_t k = 0; k < answer->nz && k < DESCRIPTORS && i < zones->count; k++, i++) {
			zones->zone[i].start = run->workload.start + i * run->config.zones.size;
			if (!pyn_zones_take(run, &zones->zone[i], &answer->zones[k]))
				return nonsense(run, zones->zone[i].start, err);
			enter(run, i);
		}
	}
	return 0;
}

/* Count the active zones of the whole namespace, and those that are open explicitly. */
static int count_active(struct pyn_worker_run *run, struct pyn_zone_budget *budget, struct pyn_error *err)
{
	static const uint8_t filters[] = {2, 3, 4}; /* implicitly opened, explicitly opened, closed */
	const struct nvme_zone_report *answer = (const struct nvme_zone_report *)run->state.zones->report;

	for (unsigned i = 0; i < sizeof(filters); i++) {
		int rc = report(run, 0, filters[i], false, err);

		if (rc)
			return rc;
		atomic_fetch_add(&budget->active, (uint32_t)answer->nz);
		if (filters[i] == 3)
			atomic_fetch_add(&budget->open, (uint32_t)answer->nz);
	}
	return 0;
}

/* A worker that is alone and cannot write anything would wait for ever. */
static int check_active(const struct pyn_worker_run *run, const struct budget *budget, struct pyn_error *err)
{
	const struct pyn_worker_zones *zones = run->state.zones;
	uint32_t most = run->config.zones.drive_active;

	if (budget->users > 1 || !most || atomic_load(&budget->shared->active) < most || zones->open_count)
		return 0;
	return pyn_error(
		err, PYN_ERROR_STATE, EBUSY,
		"all %u zones of the namespace that may be active are outside of the worker's region: finish "
		"or reset some",
		most);
}

static bool writes(const struct pyn_worker_zones *zones)
{
	return zones->op_of_write < PYN_WORKLOAD_OPS || zones->op_of_append < PYN_WORKLOAD_OPS;
}

static int learn(struct pyn_worker_run *run, struct pyn_device *device, struct pyn_error *err)
{
	struct budget **place = find(device, run->config.nsid), *budget = *place;
	int rc = 0;

	if (!budget)
		budget = add(place, device, run->config.nsid, err);
	if (!budget)
		return -ENOMEM;
	run->state.zones->budget = budget->shared;
	if (budget->users++ == 0)
		rc = count_active(run, budget->shared, err);
	if (!rc)
		rc = learn_zones(run, err);
	if (rc || !writes(run->state.zones))
		return rc;
	atomic_fetch_add(&budget->shared->running, 1);
	atomic_store(&run->shared->zones.running, 1);
	pyn_zones_set_hungry(run, run->state.zones->open_count == 0);
	return check_active(run, budget, err);
}

int pyn_zones_learn(struct pyn_worker_run *run, struct pyn_device *device, struct pyn_error *err)
{
	pthread_mutex_lock(&the_lock);
	int rc = learn(run, device, err);

	if (rc && run->state.zones->budget)
		leave(run);
	pthread_mutex_unlock(&the_lock);
	return rc;
}

void pyn_zones_leave(struct pyn_worker_run *run)
{
	if (!run->state.zones || !run->state.zones->budget)
		return;
	pthread_mutex_lock(&the_lock);
	leave(run);
	pthread_mutex_unlock(&the_lock);
}
