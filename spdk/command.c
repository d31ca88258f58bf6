/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands and their completions. SPDK chooses the command identifiers, and reports completions by callbacks, which
 * collect them here until they are polled for.
 *
 * After a submission the command is read from the ring, as the device sees it, with its identifier. So the
 * identifiers in flight are known, and SPDK gets only the completions of those.
 */
#include "spdk/private.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <spdk/config.h>
#include <spdk/nvme.h>
#include <spdk/version.h>

#include "core/env/env.h"

_Static_assert(sizeof(struct nvme_cmd) == sizeof(struct spdk_nvme_cmd), "a submission queue entry has 64 bytes");
_Static_assert(sizeof(struct nvme_cpl) == sizeof(struct spdk_nvme_cpl), "a completion queue entry has 16 bytes");

/* ---- completions ---- */

/* Any thread that waits for an admin command of SPDK reaps the completions of the admin queue. */
static void lock(struct pyn_engine_qpair *queue)
{
	if (!queue->spdk)
		pyn_spin_lock(&queue->done.lock);
}

static void unlock(struct pyn_engine_qpair *queue)
{
	if (!queue->spdk)
		pyn_spin_unlock(&queue->done.lock);
}

/* The completion that is handed out after `index` others. */
static inline struct pyn_completion *done_at(struct pyn_engine_qpair *queue, unsigned index)
{
	unsigned at = queue->done.first + index;

	return &queue->done.entries[at < queue->slots ? at : at - queue->slots];
}

static inline void add(struct pyn_engine_qpair *queue, uint16_t slot, const struct nvme_cpl *cpl)
{
	struct pyn_completion *entry = done_at(queue, queue->done.count);

	if (queue->done.count == queue->slots)
		return;
	entry->slot = slot;
	entry->cpl = *cpl;
	queue->done.count++;
}

void pyn_spdk_complete(struct pyn_engine_qpair *queue, uint16_t slot, const struct nvme_cpl *cpl)
{
	lock(queue);
	add(queue, slot, cpl);
	unlock(queue);
}

void pyn_spdk_complete_event(struct pyn_engine_qpair *queue, uint16_t slot, const struct nvme_cpl *cpl)
{
	lock(queue);
	if (queue->done.count < queue->slots) {
		for (unsigned i = queue->done.count++; i > queue->done.events; i--)
			*done_at(queue, i) = *done_at(queue, i - 1);
		*done_at(queue, queue->done.events++) = (struct pyn_completion){.slot = slot, .cpl = *cpl};
	}
	unlock(queue);
}

static void on_completion(void *argument, const struct spdk_nvme_cpl *entry)
{
	const struct nvme_cpl *cpl = (const struct nvme_cpl *)entry;
	struct pyn_spdk_command *command = argument;
	struct pyn_engine_qpair *queue = command->queue;

	if (!command->in_flight)
		return;
	command->in_flight = false;
	queue->ring.completed++;
	if (__builtin_expect(queue->spdk != NULL, 1))
		add(queue, command->slot, cpl);
	else
		pyn_spdk_complete(queue, command->slot, cpl);
}

void pyn_spdk_forget(struct pyn_engine_qpair *queue)
{
	lock(queue);
	for (uint16_t slot = 0; slot < queue->slots; slot++)
		queue->commands[slot].in_flight = false;
	unlock(queue);
}

void pyn_spdk_empty(struct pyn_engine_qpair *queue)
{
	pyn_spdk_forget(queue);
	lock(queue);
	queue->done.first = queue->done.count = queue->done.events = 0;
	unlock(queue);
}

static unsigned hand_out(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max)
{
	unsigned count = 0;

	lock(queue);
	while (count < max && queue->done.count) {
		completions[count++] = queue->done.entries[queue->done.first];
		if (++queue->done.first == queue->slots)
			queue->done.first = 0;
		queue->done.count--;
	}
	queue->done.events -= count < queue->done.events ? count : queue->done.events;
	unlock(queue);
	return count;
}

/* ---- what SPDK gets ---- */

/* Commands that SPDK has in the ring. Before 26.05 it counts those too that wait until there is room. */
static uint32_t in_ring(const struct pyn_engine_qpair *queue)
{
#if SPDK_VERSION >= SPDK_VERSION_NUM(26, 5, 0)
	return spdk_nvme_qpair_get_queue_depth(queue->spdk);
#else
	uint32_t all = spdk_nvme_qpair_get_num_outstanding_reqs(queue->spdk), kept = queue->ring.entries / 4;
	uint32_t room = queue->ring.entries - (kept < 1                     ? 1
					       : kept > PYN_SPDK_MOST_EMPTY ? PYN_SPDK_MOST_EMPTY
									    : kept);

	return all < room ? all : room;
#endif
}

/* Commands that SPDK has put into the ring, ever. */
static uint64_t placed(const struct pyn_engine_qpair *queue)
{
	return queue->ring.completed + in_ring(queue);
}

/* Read the next command that SPDK has put into the ring, that of this slot. */
static const struct nvme_cmd *see_next(struct pyn_engine_qpair *queue, uint16_t slot)
{
	const struct nvme_cmd *cmd = &queue->ring.sq[queue->ring.next];

	if (++queue->ring.next == queue->ring.entries)
		queue->ring.next = 0;
	queue->ring.seen++;
	if (cmd->cid < queue->ring.entries)
		queue->ring.cids[cmd->cid] = (struct pyn_spdk_cid){PYN_SPDK_CID_IN_FLIGHT, slot};
	return cmd;
}

static void wait_for_room(struct pyn_engine_qpair *queue, uint16_t slot)
{
	queue->waiting.slots[(queue->waiting.first + queue->waiting.count++) % queue->slots] = slot;
}

static uint16_t longest_waiting(struct pyn_engine_qpair *queue)
{
	uint16_t slot = queue->waiting.slots[queue->waiting.first];

	queue->waiting.first = (queue->waiting.first + 1) % queue->slots;
	queue->waiting.count--;
	return slot;
}

/* Let SPDK read all that was passed on. It then sends what it had kept while the ring was full. */
static void let_read(struct pyn_engine_qpair *queue)
{
	int32_t count;

	do {
		count = pyn_spdk_process(queue->spdk);
		pyn_spdk_cq_read(&queue->ring.completions, count);
	} while (count > 0 && queue->ring.completions.unread);
	while (queue->waiting.count && queue->ring.seen < placed(queue))
		see_next(queue, longest_waiting(queue));
}

/* Let SPDK read an entry in place of one that it does not get, with a CID that is not in flight, so that the queue
 * keeps its length. An SPDK that was built for debugging would stop at it. */
static void stand_in(struct pyn_engine_qpair *queue)
{
#ifdef SPDK_CONFIG_DEBUG
	(void)queue;
#else
	uint32_t cid = 0;

	let_read(queue); /* what it reads now may let it send again with a CID that was not in flight */
	while (cid < queue->ring.entries && queue->ring.cids[cid].state != PYN_SPDK_CID_IDLE)
		cid++;
	if (cid == queue->ring.entries)
		return;
	pyn_spdk_cq_pass(&queue->ring.completions, &(struct nvme_cpl){.cid = (uint16_t)cid});
	let_read(queue);
#endif
}

/* Note that a command has ended. false: none with this CID was in flight. */
static bool ends(struct pyn_engine_qpair *queue, uint16_t cid)
{
	if (cid >= queue->ring.entries || queue->ring.cids[cid].state != PYN_SPDK_CID_IN_FLIGHT)
		return false;
	queue->ring.cids[cid].state = PYN_SPDK_CID_IDLE;
	return true;
}

/* Pass on what the device has completed, as far as it was in flight. */
static void check_completions(struct pyn_engine_qpair *queue)
{
	struct nvme_cpl cpl;

	while (pyn_spdk_cq_take(&queue->ring.completions, &cpl)) {
		if (ends(queue, cpl.cid)) {
			pyn_spdk_cq_pass(&queue->ring.completions, &cpl);
		} else {
			pyn_spdk_complete(queue, PYN_SPDK_NO_SLOT, &cpl);
			stand_in(queue);
		}
	}
}

/* Take what the device has completed without SPDK, which would ring doorbells: it sends what it had kept. */
static void process_rest(struct pyn_engine_qpair *queue)
{
	struct nvme_cpl cpl;

	while (pyn_spdk_cq_take(&queue->ring.completions, &cpl)) {
		uint16_t slot = ends(queue, cpl.cid) ? queue->ring.cids[cpl.cid].slot : PYN_SPDK_NO_SLOT;

		if (slot != PYN_SPDK_NO_SLOT)
			queue->commands[slot].in_flight = false;
		pyn_spdk_complete(queue, slot, &cpl);
	}
}

static void process_io(struct pyn_engine_qpair *queue)
{
	check_completions(queue);
	let_read(queue);
}

static void process(struct pyn_engine_qpair *queue)
{
	if (queue->spdk && (queue->ends || queue->ctrlr->off))
		process_rest(queue);
	else if (queue->spdk)
		process_io(queue);
	else if (!queue->ctrlr->off)
		spdk_nvme_ctrlr_process_admin_completions(queue->ctrlr->spdk);
}

unsigned pyn_spdk_poll(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max)
{
	if (!queue->done.count)
		process(queue);
	return hand_out(queue, completions, max);
}

/* ---- submission ---- */

/* SPDK's completions ring the doorbell for what a forked process has put; elsewhere each submission does. */
void pyn_spdk_ring(struct pyn_engine_qpair *queue)
{
	if (queue->forked)
		process(queue);
}

static int pass(struct pyn_engine_qpair *queue, struct pyn_spdk_command *command, struct nvme_cmd *cmd, void *memory,
		uint32_t length)
{
	struct spdk_nvme_cmd *theirs = (struct spdk_nvme_cmd *)cmd;

	if (!queue->spdk)
		return spdk_nvme_ctrlr_cmd_admin_raw(queue->ctrlr->spdk, theirs, memory, length, on_completion,
						     command);
	return spdk_nvme_ctrlr_cmd_io_raw(queue->ctrlr->spdk, queue->spdk, theirs, memory, length, on_completion,
					  command);
}

static bool is_same(const struct nvme_cmd *one, const struct nvme_cmd *other)
{
	return one->opc == other->opc && one->nsid == other->nsid && one->prp1 == other->prp1 &&
	       memcmp(&one->cdw10, &other->cdw10, sizeof(*one) - offsetof(struct nvme_cmd, cdw10)) == 0;
}

/* Find a command in the admin ring, where SPDK puts its own too. What lies before the tail is new, so the first one
 * that is the same is this one. */
static void read_back_admin(struct pyn_engine_qpair *queue, struct nvme_cmd *cmd)
{
	for (uint32_t i = 0; i < queue->ring.entries; i++) {
		uint32_t at = (queue->ring.next + i) % queue->ring.entries;

		if (!is_same(&queue->ring.sq[at], cmd))
			continue;
		*cmd = queue->ring.sq[at];
		queue->ring.next = at + 1;
		return;
	}
}

/* Read the command back as the device sees it. If the ring is full, SPDK keeps it, and gives it an identifier
 * later. */
static void read_back(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, const void *memory)
{
	if (!queue->spdk && memory)
		cmd->prp1 = pyn_dma_iova(memory).value;
	if (!queue->spdk && queue->ring.sq)
		read_back_admin(queue, cmd);
	else if (queue->spdk && placed(queue) > queue->ring.seen)
		*cmd = *see_next(queue, slot);
	else if (queue->spdk)
		wait_for_room(queue, slot);
}

static int not_sent(const struct pyn_engine_qpair *queue, int rc, struct pyn_error *err)
{
	if (rc == -ENOMEM)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "SPDK has no free request for queue %u", queue->qid);
	return pyn_error(err, PYN_ERROR_STATE, -rc, "SPDK does not send commands to queue %u now: %s", queue->qid,
			 strerror(-rc));
}

static int submit(struct pyn_engine_qpair *queue, struct pyn_spdk_command *command, struct nvme_cmd *cmd,
		  struct pyn_data data, struct pyn_error *err)
{
	void *memory = NULL;
	uint32_t length = 0;
	int rc = 0;

	if (data.address && pyn_spdk_can_describe(&data)) {
		memory = data.address;
		length = data.length;
	} else if (data.address && (data.length || data.transfer)) {
		rc = pyn_spdk_describe(queue->ctrlr, command, cmd, &data, err);
	}
	if (rc)
		return rc;
	command->in_flight = true;
	rc = pass(queue, command, cmd, memory, length);
	if (rc) {
		command->in_flight = false;
		return not_sent(queue, rc, err);
	}
	if (!command->in_flight)
		queue->ring.completed--; /* SPDK has completed it with an error, and has not put it into the ring */
	else
		read_back(queue, command->slot, cmd, memory);
	return 0;
}

int pyn_spdk_submit(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		    struct pyn_error *err)
{
	if (slot >= queue->slots)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "queue %u has %u slots, no slot %u", queue->qid,
				 queue->slots, slot);
	if (data.length > pyn_engine_spdk.largest_transfer)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%u bytes in one command: at most %u are possible",
				 data.length, pyn_engine_spdk.largest_transfer);
	if (data.sgl || cmd->flags & NVME_PSDT)
		return pyn_engine_withholds(PYN_CAN_SGLS, err);
	/* A controller that could not be disabled may look enabled. */
	if (queue->ctrlr->off)
		return not_sent(queue, -ENXIO, err);
	cmd->cid = slot;
	if (queue->qid == 0 && cmd->opc == NVME_ADMIN_ASYNC_EVENT) {
		pyn_spdk_events_request(queue->ctrlr, slot);
		return 0;
	}
	/* Dword 10 of an Abort names a queue and a command in it. */
	if (queue->qid == 0 && cmd->opc == NVME_ADMIN_ABORT && !(cmd->cdw10 & 0xffff) &&
	    pyn_spdk_events_abort(queue->ctrlr, (uint16_t)(cmd->cdw10 >> 16), slot))
		return 0;
	if (queue->qid == 0 && (cmd->opc == NVME_ADMIN_CREATE_CQ || cmd->opc == NVME_ADMIN_CREATE_SQ))
		pyn_spdk_doorbells_clear(queue->ctrlr, (uint16_t)cmd->cdw10);
	return submit(queue, &queue->commands[slot], cmd, data, err);
}
