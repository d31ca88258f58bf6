/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asynchronous events. SPDK sends all Asynchronous Event Requests that the controller takes, and sends each again
 * after it has completed. So those of a script are not sent: each takes one of the events that SPDK reports.
 */
#include "spdk/private.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <spdk/nvme.h>

#include "core/util/clock.h"
#include "spec/nvme_feature.h"
#include "spec/nvme_id.h"

#define ANSWER_NS UINT64_C(3000000000)
#define SELECT_DEFAULT (UINT32_C(1) << 8) /* SEL of Get Features: the default value */

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
		pyn_spdk_complete_event(ctrlr->admin, slot, &cpl);
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

bool pyn_spdk_events_abort(struct pyn_ctrlr *ctrlr, uint16_t slot, uint16_t aborting)
{
	const struct nvme_cpl aborted = {.cid = slot, .status = NVME_SC_ABORT_REQUESTED << 1};
	const struct nvme_cpl done = {.cid = aborting};
	struct pyn_spdk_events *events = &ctrlr->events;
	unsigned at = 0;
	bool found;

	pyn_spin_lock(&events->lock);
	while (at < events->count && events->slots[at] != slot)
		at++;
	found = at < events->count;
	if (found) {
		unsigned after = events->count - at;

		take_first(&events->slots[at], sizeof(events->slots[0]), &after);
		events->count--;
		pyn_spdk_complete(ctrlr->admin, slot, &aborted);
		pyn_spdk_complete(ctrlr->admin, aborting, &done);
	}
	pyn_spin_unlock(&events->lock);
	return found;
}

/* ---- what is reported ---- */

struct answer {
	bool done, given_up;
	uint32_t cdw0;
};

static void on_answer(void *argument, const struct spdk_nvme_cpl *entry)
{
	struct answer *answer = argument;

	if (answer->given_up) {
		free(answer);
		return;
	}
	answer->done = true;
	answer->cdw0 = spdk_nvme_cpl_is_error(entry) ? 0 : entry->cdw0;
}

/* Wait for a command of the engine's own; if no answer comes, its callback frees it. */
static bool await(struct pyn_ctrlr *ctrlr, struct answer *answer)
{
	uint64_t deadline = pyn_monotonic_ns() + ANSWER_NS;

	while (!answer->done && pyn_monotonic_ns() < deadline) {
		spdk_nvme_ctrlr_process_admin_completions(ctrlr->spdk);
		sched_yield();
	}
	answer->given_up = !answer->done;
	return answer->done;
}

static bool ask(struct pyn_ctrlr *ctrlr, uint8_t opcode, uint32_t cdw10, uint32_t cdw11, uint32_t *cdw0)
{
	struct spdk_nvme_cmd cmd = {.opc = opcode, .cdw10 = cdw10, .cdw11 = cdw11};
	struct answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return false;
	if (spdk_nvme_ctrlr_cmd_admin_raw(ctrlr->spdk, &cmd, NULL, 0, on_answer, answer)) {
		free(answer);
		return false;
	}
	if (!await(ctrlr, answer))
		return false;
	*cdw0 = answer->cdw0;
	free(answer);
	return true;
}

void pyn_spdk_events_default(struct pyn_ctrlr *ctrlr)
{
	uint32_t value = 0, ignored;
	bool knows_default;
	uint16_t oncs;

	memcpy(&oncs, &spdk_nvme_ctrlr_get_data(ctrlr->spdk)->oncs, sizeof(oncs));
	knows_default = oncs & NVME_ONCS_SAVE_SELECT;
	if (knows_default && !ask(ctrlr, NVME_ADMIN_GET_FEATURES, NVME_FEAT_ASYNC_EVENT | SELECT_DEFAULT, 0, &value))
		return;
	ask(ctrlr, NVME_ADMIN_SET_FEATURES, NVME_FEAT_ASYNC_EVENT, value, &ignored);
}

void pyn_spdk_events_empty(struct pyn_ctrlr *ctrlr)
{
	pyn_spin_lock(&ctrlr->events.lock);
	ctrlr->events.count = ctrlr->events.kept_count = 0;
	pyn_spin_unlock(&ctrlr->events.lock);
}
