/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/migration.h"

#include <stdlib.h>
#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/doorbell.h"
#include "vssd/ctrl/plain.h"

#define MOST_LBAS (UINT64_C(1) << 32) /* of one entry */

/* LBAMQA */
#define ESA_SHIFT 1
#define DLBA 0x20u
#define LBACIR_SHIFT 6

bool vssd_migration_is_manager(const struct vssd_ctrl *ctrl)
{
	return ctrl->options->optional.migration && ctrl->listener.index == 0;
}

struct vssd_ctrl *vssd_migratable(const struct vssd_ctrl *manager, uint16_t cntlid)
{
	struct vssd_listener *found = vssd_subsystem_listener(manager->subsystem, cntlid);

	return found && found != &manager->listener ? (struct vssd_ctrl *)found : NULL;
}

static struct vssd_ctrl *manager_of(const struct vssd_ctrl *ctrl)
{
	return (struct vssd_ctrl *)vssd_subsystem_listener(ctrl->subsystem, 1);
}

/* ---- queues ---- */

struct vssd_data_queue *vssd_data_queue_of(struct vssd_ctrl *manager, uint16_t cntlid)
{
	for (unsigned i = 0; i < VSSD_DATA_QUEUES; i++)
		if (manager->features.migration.queues[i].cntlid == cntlid)
			return &manager->features.migration.queues[i];
	return NULL;
}

static uint32_t next_slot(const struct vssd_data_queue *queue, uint32_t slot)
{
	return slot + 1 == queue->slots ? 0 : slot + 1;
}

/* The address of a slot. False: the list of pages cannot be read. */
static bool address_of(struct vssd_ctrl *manager, const struct vssd_data_queue *queue, uint32_t slot, uint64_t *iova)
{
	uint64_t offset = (uint64_t)slot * sizeof(struct nvme_migration_queue_entry), page;

	if (queue->is_contiguous) {
		*iova = queue->prp1 + offset;
		return true;
	}
	page = offset / manager->regs.page_size;
	if (vssd_bus_read(manager->bus, queue->prp1 + page * sizeof(*iova), iova, sizeof(*iova)))
		return false;
	*iova += offset % manager->regs.page_size;
	return true;
}

/* Write an entry. The host takes it from the last byte, which has the phase tag, so that one is written last. */
static bool put(struct vssd_ctrl *manager, uint64_t iova, const struct nvme_migration_queue_entry *entry)
{
	const uint8_t *from = (const uint8_t *)entry;
	uint8_t *to = vssd_dma_pointer(&manager->bus->dma, iova, sizeof(*entry), VSSD_DMA_WRITE);

	if (!to)
		return vssd_bus_write(manager->bus, iova, entry, sizeof(*entry)) == 0;
	memcpy(to, from, sizeof(*entry) - 1);
	__atomic_store_n(&to[sizeof(*entry) - 1], from[sizeof(*entry) - 1], __ATOMIC_RELEASE);
	return true;
}

static void end_logging(struct vssd_ctrl *manager, struct vssd_data_queue *queue)
{
	struct vssd_ctrl *ctrl = vssd_migratable(manager, queue->cntlid);

	queue->is_logging = false;
	if (!ctrl)
		return;
	ctrl->features.migration.log = NULL;
	vssd_plain_update(ctrl);
}

/* The manager raises the event when it is polled: it may be another controller that is polled now. */
static void tell(struct vssd_ctrl *manager, const struct vssd_data_queue *queue, enum vssd_event event)
{
	manager->events.data_queue = (uint16_t)(queue - manager->features.migration.queues);
	vssd_event_defer(manager, event);
}

/* Post an entry. The one that fills the queue is the last, and says so. There is a free slot. */
static void post(struct vssd_ctrl *manager, struct vssd_data_queue *queue, struct nvme_migration_queue_entry entry)
{
	uint32_t slot = queue->tail;
	bool fills = next_slot(queue, next_slot(queue, slot)) == queue->head;
	uint64_t iova;

	if (!manager->running) {
		end_logging(manager, queue);
		return;
	}
	if (fills && queue->is_logging)
		entry.lbamqa |= NVME_ENTRY_FULL << ESA_SHIFT;
	entry.lbamqa |= queue->phase;
	if (!address_of(manager, queue, slot, &iova) || !put(manager, iova, &entry)) {
		vssd_fatal(manager);
		return;
	}
	queue->tail = next_slot(queue, slot);
	queue->phase ^= queue->tail == 0;
	if (queue->triggers && slot == queue->trigger) {
		queue->triggers = false;
		tell(manager, queue, VSSD_EVENT_DATA_QUEUE_TAIL);
	}
	if (fills && queue->is_logging) {
		end_logging(manager, queue);
		tell(manager, queue, VSSD_EVENT_DATA_QUEUE_FULL);
	}
}

bool vssd_data_queue_is_full(const struct vssd_data_queue *queue)
{
	return next_slot(queue, queue->tail) == queue->head;
}

/* Post an entry that names no LBAs, if there is room. */
static void mark(struct vssd_ctrl *manager, struct vssd_data_queue *queue, enum nvme_migration_entry_kind kind)
{
	struct nvme_migration_queue_entry entry = {
		.lbamqa = (uint8_t)((unsigned)kind << ESA_SHIFT | (unsigned)NVME_CHANGE_NONE << LBACIR_SHIFT)};

	if (!vssd_data_queue_is_full(queue))
		post(manager, queue, entry);
}

void vssd_data_queue_delete(struct vssd_ctrl *manager, struct vssd_data_queue *queue)
{
	if (queue->is_logging)
		end_logging(manager, queue);
	*queue = (struct vssd_data_queue){0};
}

void vssd_data_queue_start(struct vssd_ctrl *manager, struct vssd_data_queue *queue)
{
	struct vssd_ctrl *ctrl = vssd_migratable(manager, queue->cntlid);

	queue->is_logging = true;
	ctrl->features.migration.log = queue;
	vssd_plain_update(ctrl);
	mark(manager, queue, NVME_ENTRY_FIRST);
}

void vssd_data_queue_stop(struct vssd_ctrl *manager, struct vssd_data_queue *queue)
{
	if (!queue->is_logging)
		return;
	end_logging(manager, queue);
	mark(manager, queue, NVME_ENTRY_STOPPED);
}

bool vssd_data_queue_may_set(const struct vssd_data_queue *queue, uint32_t head)
{
	uint32_t posted = (queue->tail >= queue->head ? queue->tail : queue->tail + queue->slots) - queue->head;

	return head < queue->slots && (head >= queue->head ? head : head + queue->slots) - queue->head <= posted;
}

/* ---- suspending ---- */

void vssd_migration_see_doorbells(struct vssd_ctrl *ctrl)
{
	if (!ctrl->subsystem->power || ctrl->regs.host_gone)
		return;
	vssd_queues_resolve(ctrl);
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++)
		vssd_queue_check(ctrl, vssd_queue_id(&ctrl->queues, i));
}

/* Complete the commands that were executed. */
static void settle(struct vssd_ctrl *ctrl)
{
	vssd_migration_see_doorbells(ctrl);
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++) {
		struct vssd_sq *sq = &ctrl->queues.sq[vssd_queue_id(&ctrl->queues, i)];

		if (!sq->size)
			continue;
		vssd_post_due(ctrl, sq, UINT64_MAX);
		vssd_interrupt_posted(ctrl, sq->cq);
	}
}

void vssd_migration_suspend(struct vssd_ctrl *manager, struct vssd_ctrl *ctrl)
{
	if (ctrl->features.migration.suspended)
		return;
	if (ctrl->running)
		settle(ctrl);
	ctrl->features.migration.suspended = true;
	vssd_update_running(ctrl);
	if (ctrl->features.migration.log)
		mark(manager, ctrl->features.migration.log, NVME_ENTRY_SUSPENDED);
}

void vssd_migration_resume(struct vssd_ctrl *manager, struct vssd_ctrl *ctrl)
{
	ctrl->features.migration.suspended = false;
	vssd_update_running(ctrl);
	if (ctrl->features.migration.log)
		mark(manager, ctrl->features.migration.log, NVME_ENTRY_FIRST);
}

/* ---- changes ---- */

void vssd_migration_changed(struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
			    bool deallocated)
{
	struct vssd_ctrl *manager = manager_of(ctrl);

	while (nlb > 0 && ctrl->features.migration.log) {
		uint64_t count = nlb < MOST_LBAS ? nlb : MOST_LBAS;

		post(manager, ctrl->features.migration.log,
		     (struct nvme_migration_queue_entry){.nsid = ns->nsid,
							 .nlb = (uint32_t)(count - 1),
							 .slba = slba,
							 .lbamqa = deallocated ? DLBA : 0});
		slba += count;
		nlb -= count;
	}
}

void vssd_migration_all_changed(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && ctrl->features.migration.log; i++) {
		const struct vssd_ns *ns = &ctrl->ns[i];

		if (vssd_ns_is_active(ctrl, ns) && ns->csi != NVME_CSI_KV)
			vssd_migration_changed(ctrl, ns, 0, ns->nsze, true);
	}
}

/* ---- the part ---- */

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	ctrl->features.migration.suspended = false;
	if (!vssd_migration_is_manager(ctrl))
		return;
	for (unsigned i = 0; i < VSSD_DATA_QUEUES; i++)
		vssd_data_queue_delete(ctrl, &ctrl->features.migration.queues[i]);
	free(ctrl->features.migration.parts.bytes);
	ctrl->features.migration.parts = (struct vssd_state_parts){0};
	for (struct vssd_listener *one = ctrl->subsystem->listeners; one; one = one->next) {
		struct vssd_ctrl *other = (struct vssd_ctrl *)one;

		if (other->features.migration.suspended)
			vssd_migration_resume(ctrl, other);
	}
}

static void deinit(struct vssd_ctrl *ctrl)
{
	free(ctrl->features.migration.parts.bytes);
}

const struct vssd_part vssd_migration_part = {.reset = reset, .deinit = deinit};
