/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asynchronous events. SPDK sends all Asynchronous Event Requests that the controller takes, and sends each again
 * after it has completed. So those of a script are not sent: each takes one of the events that SPDK reports.
 */
#include "spdk/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spdk/nvme.h>

#define KEPT (sizeof(((struct pyn_spdk_events *)NULL)->kept) / sizeof(struct nvme_cpl))

static void take_first(void *entries, size_t size, unsigned *count)
{
	(*count)--;
	memmove(entries, (char *)entries + size, *count * size);
}

/* Complete the oldest request with the oldest event. */
static void match(struct pyn_ctrlr *ctrlr)
{
	struct pyn_spdk_events *events = &ctrlr->events;

	while (events->count && events->kept_count) {
		struct nvme_cpl cpl = events->kept[0];
		uint16_t slot = events->slots[0];

		take_first(events->kept, sizeof(events->kept[0]), &events->kept_count);
		take_first(events->slots, sizeof(events->slots[0]), &events->count);
		cpl.cid = slot;
		pyn_spdk_complete(ctrlr->admin, slot, &cpl);
	}
}

static void on_event(void *argument, const struct spdk_nvme_cpl *entry)
{
	struct pyn_ctrlr *ctrlr = argument;
	struct pyn_spdk_events *events = &ctrlr->events;

	if (spdk_nvme_cpl_is_error(entry))
		return;
	pyn_spin_lock(&events->lock);
	if (events->kept_count < KEPT)
		memcpy(&events->kept[events->kept_count++], entry, sizeof(*entry));
	match(ctrlr);
	pyn_spin_unlock(&events->lock);
}

int pyn_spdk_events_start(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	ctrlr->events.slots = calloc(ctrlr->admin->slots, sizeof(ctrlr->events.slots[0]));
	if (!ctrlr->events.slots)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for asynchronous events");
	/* AERL is 0's based. */
	ctrlr->events.most = spdk_nvme_ctrlr_get_data(ctrlr->spdk)->aerl + 1u;
	if (ctrlr->events.most > ctrlr->admin->slots)
		ctrlr->events.most = ctrlr->admin->slots;
	spdk_nvme_ctrlr_register_aer_callback(ctrlr->spdk, on_event, ctrlr);
	return 0;
}

void pyn_spdk_events_request(struct pyn_ctrlr *ctrlr, uint16_t slot)
{
	const struct nvme_cpl too_many = {.cid = slot, .status = NVME_SC_AER_LIMIT_EXCEEDED << 1};
	struct pyn_spdk_events *events = &ctrlr->events;

	pyn_spin_lock(&events->lock);
	if (events->count == events->most)
		pyn_spdk_complete(ctrlr->admin, slot, &too_many);
	else
		events->slots[events->count++] = slot;
	match(ctrlr);
	pyn_spin_unlock(&events->lock);
}

void pyn_spdk_events_empty(struct pyn_ctrlr *ctrlr)
{
	pyn_spin_lock(&ctrlr->events.lock);
	ctrlr->events.count = ctrlr->events.kept_count = 0;
	pyn_spin_unlock(&ctrlr->events.lock);
}
