/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/data/capture.h"
#include "core/data/held.h"
#include "core/data/kept.h"
#include "core/verify/track.h"
#include "core/util/clock.h"
#include "spec/nvme_regs.h"
#include "core/util/log.h"
#include "core/util/spin.h"

#define POLL_BATCH 32u
#define RESET_CHECK_NS UINT64_C(100000000) /* between two checks of CSTS, for a command of the driver's own */
#define EMPTY_POLLS_BEFORE_YIELD 1000u
#define CHECK_NS UINT64_C(1000000)   /* between two checks of deadlines and of the device */
#define FIRST_NAP_NS UINT64_C(20000) /* of a wait for events only */
#define LONGEST_NAP_NS UINT64_C(2000000)

enum slot_flags {
	SLOT_DEVICE = 1, /* the device has not completed it */
	SLOT_SCRIPT = 2, /* the script has not fetched its completion */
	SLOT_OWN = 4,    /* the driver's own command */
	SLOT_READY = 8,  /* on the list of completions to fetch */
	SLOT_AER = 16,
};

struct slot {
	uint8_t flags; /* 0: free */
	uint16_t next; /* in the list of free slots, or of completions to fetch */
	bool timed_out;
	bool mismatch;
	uint16_t set; /* of commands, as the command log has it */
	uint32_t aborts;
	uint64_t submitted;
	uint64_t completed;
	uint64_t logged;  /* its number in the command log */
	const void *data; /* where the device reads or writes, if pyn_inflight_keep asks for it; NULL: no data */
	uint32_t length;
	void *user;
	struct nvme_cmd cmd;
	struct nvme_cpl cpl;   /* for the script, once it is ready */
	struct pyn_held *held; /* further buffers that the device may use; NULL: none */
	struct pyn_track track;
	struct pyn_mismatch found;
};

#define NO_SLOT UINT16_MAX
#define TO_DEVICE 1u /* bits 1:0 of an opcode (Base 2.1, 3.3.3.1) */
#define FROM_DEVICE 2u

struct pyn_inflight {
	const struct pyn_engine *engine;
	struct pyn_ctrlr *ctrlr;
	struct pyn_engine_qpair *queue;
	struct pyn_inflight_config config;
	struct pyn_spin lock;
	struct pyn_cmdlog *log;
	struct pyn_kept *kept; /* NULL: no data are kept */
	uint16_t free_slots;   /* list of the free slots of the script */
	uint16_t free_own_slots;
	uint16_t ready_first; /* list of completions to fetch, in their order */
	uint16_t ready_last;
	unsigned outstanding; /* commands of the script and the driver */
	unsigned events;      /* of them, Asynchronous Event Requests of the script's slots */
	unsigned in_flight;   /* of the script's slots, those that are not free */
	uint32_t aborts;
	uint64_t next_check;
	uint64_t moved; /* ticks, at which the latest command was sent or completed */
	struct slot slots[];
};

static unsigned slot_count(const struct pyn_inflight *inflight)
{
	return (unsigned)inflight->config.slots + inflight->config.own_slots;
}

static uint32_t kept_of(void *context, uint64_t number, void *into, uint32_t size)
{
	return pyn_inflight_kept(context, number, into, size);
}

struct pyn_inflight *pyn_inflight_create(const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr,
					 const struct pyn_inflight_config *config, struct pyn_error *err)
{
	unsigned count = (unsigned)config->slots + config->own_slots;
	struct pyn_inflight *inflight = calloc(1, sizeof(*inflight) + count * sizeof(inflight->slots[0]));

	if (!inflight) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for queue pair %u", config->qid);
		return NULL;
	}
	inflight->log = pyn_cmdlog_create(count + 1, err);
	if (!inflight->log) {
		free(inflight);
		return NULL;
	}
	inflight->engine = engine;
	inflight->ctrlr = ctrlr;
	inflight->config = *config;
	inflight->ready_first = inflight->ready_last = NO_SLOT;
	inflight->free_slots = inflight->free_own_slots = NO_SLOT;
	for (unsigned i = 0; i < count; i++) {
		/* The list is last in, first out. */
		uint16_t slot = (uint16_t)(config->highest_first ? i : count - 1 - i);
		uint16_t *list = slot < config->slots ? &inflight->free_slots : &inflight->free_own_slots;

		inflight->slots[slot].next = *list;
		*list = slot;
	}
	pyn_capture_begin(inflight->log, config->drive, config->qid, false, kept_of, inflight);
	return inflight;
}

/* End a command that the device does not complete. */
static void cancel(struct slot *slot)
{
	pyn_track_cancel(&slot->track);
	pyn_held_end(&slot->held);
}

void pyn_inflight_destroy(struct pyn_inflight *inflight)
{
	if (!inflight)
		return;
	for (unsigned i = 0; i < slot_count(inflight); i++)
		if (inflight->slots[i].flags)
			cancel(&inflight->slots[i]);
	pyn_capture_end(inflight->log);
	pyn_cmdlog_destroy(inflight->log);
	pyn_kept_free(inflight->kept);
	free(inflight);
}

void pyn_inflight_attach(struct pyn_inflight *inflight, struct pyn_engine_qpair *queue)
{
	pyn_spin_lock(&inflight->lock);
	inflight->queue = queue;
	pyn_spin_unlock(&inflight->lock);
}

struct pyn_engine_qpair *pyn_inflight_queue(const struct pyn_inflight *inflight)
{
	return inflight->queue;
}

struct pyn_cmdlog *pyn_inflight_cmdlog(const struct pyn_inflight *inflight)
{
	return inflight->log;
}

unsigned pyn_inflight_outstanding(struct pyn_inflight *inflight)
{
	return inflight->outstanding;
}

unsigned pyn_inflight_events(struct pyn_inflight *inflight)
{
	return inflight->events;
}

uint32_t pyn_inflight_aborts(const struct pyn_inflight *inflight)
{
	return inflight->aborts;
}

/* ---- slots, under the lock ---- */

static struct slot *alloc_slot(struct pyn_inflight *inflight, uint16_t *list)
{
	struct slot *slot;

	if (*list == NO_SLOT)
		return NULL;
	slot = &inflight->slots[*list];
	*list = slot->next;
	return slot;
}

static uint16_t slot_number(const struct pyn_inflight *inflight, const struct slot *slot)
{
	return (uint16_t)(slot - inflight->slots);
}

/* Free a slot. The admin queue keeps its list sorted, the highest CID first, since scripts see which CID comes
 * next. */
static void free_slot(struct pyn_inflight *inflight, struct slot *slot)
{
	uint16_t number = slot_number(inflight, slot);
	uint16_t *list = &inflight->free_own_slots;

	if (number < inflight->config.slots) {
		list = &inflight->free_slots;
		inflight->in_flight--;
	}
	if (inflight->config.highest_first)
		while (*list != NO_SLOT && *list > number)
			list = &inflight->slots[*list].next;
	slot->flags = 0;
	slot->next = *list;
	*list = number;
}

static void free_if_done(struct pyn_inflight *inflight, struct slot *slot)
{
	if (!(slot->flags & (SLOT_DEVICE | SLOT_SCRIPT)))
		free_slot(inflight, slot);
}

static void make_ready(struct pyn_inflight *inflight, struct slot *slot)
{
	uint16_t number = slot_number(inflight, slot);

	slot->flags |= SLOT_READY;
	if (slot->flags & SLOT_OWN)
		return; /* its sender checks the slot itself */
	slot->next = NO_SLOT;
	if (inflight->ready_first == NO_SLOT)
		inflight->ready_first = number;
	else
		inflight->slots[inflight->ready_last].next = number;
	inflight->ready_last = number;
}

/* ---- completions, under the lock ---- */

static void notify_observer(const struct pyn_inflight *inflight, const struct slot *slot, const struct nvme_cpl *cpl,
			    enum pyn_command_stage what)
{
	if (inflight->config.on_command && !(slot->flags & SLOT_OWN))
		inflight->config.on_command(inflight->config.context, &slot->cmd, cpl, what);
}

static enum pyn_command_stage stage_of_end(const struct nvme_cpl *cpl)
{
	if (NVME_STATUS_SCT(cpl->status))
		return PYN_COMMAND_FAILED;
	switch (NVME_STATUS_SC(cpl->status)) {
	case 0:
		return PYN_COMMAND_DONE;
	case NVME_SC_INVALID_OPCODE:
		return PYN_COMMAND_REFUSED;
	default:
		return PYN_COMMAND_FAILED;
	}
}

/* Whether a command transfers data in this direction, by bits 1:0 of its opcode. */
static bool moves_data(const struct slot *slot, unsigned direction)
{
	return slot->data && (slot->cmd.opc & 3) == direction;
}

static void complete(struct pyn_inflight *inflight, struct slot *slot, const struct nvme_cpl *cpl, uint64_t now)
{
	if (inflight->kept && moves_data(slot, FROM_DEVICE) && stage_of_end(cpl) == PYN_COMMAND_DONE)
		pyn_kept_put(inflight->kept, slot->logged, slot->data, slot->length);
	bool right = pyn_track_end(&slot->track, cpl, &slot->found);

	pyn_held_end(&slot->held);
	notify_observer(inflight, slot, cpl, stage_of_end(cpl));
	slot->flags &= (uint8_t)~SLOT_DEVICE;
	if (slot->flags & SLOT_READY) {
		/* The command had timed out, and the script has been told: end its quarantine. */
		free_if_done(inflight, slot);
		return;
	}
	slot->cpl = *cpl;
	slot->completed = now;
	slot->mismatch = !right;
	if (!right) {
		slot->cpl.status = (uint16_t)((cpl->status & NVME_STATUS_P) | PYN_STATUS_MISMATCH << 1);
		pyn_cmdlog_tell(inflight->log, slot->logged, PYN_CMDLOG_MISMATCH | slot->set);
	}
	if (slot->flags & SLOT_SCRIPT)
		make_ready(inflight, slot);
	else
		free_if_done(inflight, slot);
}

static unsigned poll_queue(struct pyn_inflight *inflight)
{
	struct pyn_completion completions[POLL_BATCH];
	unsigned count;

	if (!inflight->queue)
		return 0;
	count = inflight->engine->poll(inflight->queue, completions, POLL_BATCH);
	if (count == 0)
		return 0;
	uint64_t now = inflight->moved = pyn_ticks();

	for (unsigned i = 0; i < count; i++) {
		struct slot *slot =
			completions[i].slot < slot_count(inflight) ? &inflight->slots[completions[i].slot] : NULL;

		/* An error of the device, which a tester wants to see. */
		if (!slot || !(slot->flags & SLOT_DEVICE)) {
			const struct nvme_cpl *cpl = &completions[i].cpl;

			pyn_log(PYN_LOG_WARNING,
				"queue %u: completion of CID %u, which is not in flight (status %02x/%02x)",
				inflight->config.qid, cpl->cid, NVME_STATUS_SCT(cpl->status),
				NVME_STATUS_SC(cpl->status));
			continue;
		}
		pyn_cmdlog_complete(inflight->log, slot->logged, &completions[i].cpl, now);
		complete(inflight, slot, &completions[i].cpl, now);
	}
	return count;
}

/* Reap all completions that the device has written. This ends, since each completion frees a slot. */
static bool poll_all(struct pyn_inflight *inflight)
{
	unsigned count = poll_queue(inflight), all = count;

	while (count == POLL_BATCH && all < 2 * slot_count(inflight)) {
		count = poll_queue(inflight);
		all += count;
	}
	return all != 0;
}

static void time_out(struct pyn_inflight *inflight, struct slot *slot, uint64_t now)
{
	slot->timed_out = true;
	memset(&slot->cpl, 0xff, sizeof(slot->cpl));
	slot->completed = now;
	pyn_cmdlog_tell(inflight->log, slot->logged, PYN_CMDLOG_TIMED_OUT | slot->set);
	make_ready(inflight, slot);
}

/* now must be a time before the poll: this process may have been stopped in between for longer than a deadline. */
static void check_deadlines(struct pyn_inflight *inflight, uint64_t now)
{
	uint64_t allowed = pyn_ns_to_ticks((uint64_t)*inflight->config.timeout_ms * 1000000u);

	if (inflight->outstanding == 0)
		return;
	for (unsigned i = 0; i < slot_count(inflight); i++) {
		struct slot *slot = &inflight->slots[i];

		if ((slot->flags & (SLOT_DEVICE | SLOT_READY | SLOT_AER | SLOT_OWN)) == SLOT_DEVICE &&
		    slot->flags & SLOT_SCRIPT && now - slot->submitted > allowed)
			time_out(inflight, slot, now);
	}
}

static void abort_all(struct pyn_inflight *inflight, uint16_t status)
{
	uint64_t now = pyn_ticks();

	for (unsigned i = 0; i < slot_count(inflight); i++) {
		struct slot *slot = &inflight->slots[i];
		struct nvme_cpl cpl = {
			.sqid = inflight->config.qid, .cid = (uint16_t)i, .status = (uint16_t)(status << 1)};

		if (!(slot->flags & SLOT_DEVICE))
			continue;
		if (slot->flags & SLOT_AER && slot->flags & SLOT_SCRIPT && !slot->user) {
			/* Nothing waits for the driver's own AER, so its end with the queue needs no report. */
			slot->flags &= (uint8_t)~SLOT_SCRIPT;
			inflight->outstanding--;
			inflight->events--;
		}
		complete(inflight, slot, &cpl, now);
	}
}

static void check(struct pyn_inflight *inflight)
{
	uint64_t now = pyn_ticks();

	/* Without a queue nothing is in flight, and after a close there is no controller to check. */
	if (!inflight->queue || now < inflight->next_check)
		return;
	inflight->next_check = now + pyn_ns_to_ticks(CHECK_NS);
	poll_all(inflight);
	check_deadlines(inflight, now);
	if (inflight->outstanding && !inflight->engine->alive(inflight->ctrlr)) {
		poll_all(inflight);
		abort_all(inflight, NVME_SC(NVME_SCT_PATH, 0x70)); /* host pathing error: there is no device */
	}
}

/* ---- the public part ---- */

static int send(struct pyn_inflight *inflight, struct slot *slot, struct pyn_data data, struct pyn_error *err)
{
	int rc = inflight->engine->submit(inflight->queue, slot_number(inflight, slot), &slot->cmd, data, err);

	if (rc) {
		cancel(slot);
		notify_observer(inflight, slot, NULL, PYN_COMMAND_REFUSED);
		free_slot(inflight, slot);
		return rc;
	}
	slot->timed_out = slot->mismatch = false;
	slot->aborts = inflight->aborts;
	slot->submitted = inflight->moved = pyn_ticks();
	slot->logged = pyn_cmdlog_submit(inflight->log, &slot->cmd, slot->submitted);
	if (slot->set)
		pyn_cmdlog_tell(inflight->log, slot->logged, slot->set);
	if (inflight->kept && moves_data(slot, TO_DEVICE))
		pyn_kept_put(inflight->kept, slot->logged, slot->data, slot->length);
	inflight->engine->ring(inflight->queue);
	return 0;
}

static struct slot *alloc_script_slot(struct pyn_inflight *inflight)
{
	/* The device may have completed commands that had timed out. Nothing else polls for those. */
	if (inflight->in_flight == inflight->config.in_flight)
		poll_all(inflight);
	return inflight->in_flight < inflight->config.in_flight ? alloc_slot(inflight, &inflight->free_slots) : NULL;
}

static void track(struct slot *slot, const struct pyn_command *command)
{
	if (command->all)
		pyn_track_begin_all(&slot->track, command->all, &command->cmd, command->buffer, command->offset,
				    command->length);
	else
		pyn_track_begin_metadata(&slot->track, command->verify, &command->cmd, command->buffer,
					 command->offset, command->length, &command->metadata, command->stamp,
					 command->check);
}

static int alloc_slot_for(struct pyn_inflight *inflight, struct slot **slot, struct pyn_error *err)
{
	if (!inflight->queue)
		return pyn_error(err, PYN_ERROR_STATE, ENODEV, "Qpair %u is deleted", inflight->config.qid);
	*slot = alloc_script_slot(inflight);
	if (!*slot)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EBUSY,
				 "queue %u is full with %u commands in flight: call waitdone() first",
				 inflight->config.qid, inflight->config.in_flight);
	return 0;
}

static int submit(struct pyn_inflight *inflight, const struct pyn_command *command, uint16_t *cid,
		  struct pyn_error *err)
{
	struct pyn_data data = {.length = command->length, .transfer = command->transfer, .sgl = command->sgl};
	struct pyn_held *held = NULL;
	struct slot *slot;
	int rc = pyn_held_begin(&held, command->named, command->num_named, command->cmd.opc & FROM_DEVICE, err);

	if (!rc)
		rc = alloc_slot_for(inflight, &slot, err);
	if (rc) {
		pyn_held_end(&held);
		pyn_tables_free(command->all);
		return rc;
	}
	slot->held = held;
	inflight->in_flight++;
	slot->flags = SLOT_DEVICE | SLOT_SCRIPT;
	slot->cmd = command->cmd;
	slot->user = command->user;
	slot->set = command->verify && pyn_verify_has_keys(command->verify) ? PYN_CMDLOG_KV : 0;
	if (inflight->config.qid == 0 && command->cmd.opc == NVME_ADMIN_ASYNC_EVENT)
		slot->flags |= SLOT_AER;
	if (command->buffer)
		data.address = command->buffer->data + command->offset;
	slot->data = data.address;
	slot->length = data.length;
	track(slot, command);
	notify_observer(inflight, slot, NULL, PYN_COMMAND_SENT);
	rc = send(inflight, slot, data, err);

	if (rc)
		return rc;
	inflight->outstanding++;
	inflight->events += (slot->flags & SLOT_AER) != 0;
	*cid = slot->cmd.cid;
	return 0;
}

int pyn_inflight_submit(struct pyn_inflight *inflight, const struct pyn_command *command, uint16_t *cid,
			struct pyn_error *err)
{
	pyn_spin_lock(&inflight->lock);
	int rc = submit(inflight, command, cid, err);

	pyn_spin_unlock(&inflight->lock);
	return rc;
}

/* Return the completion of a slot, which was taken off the list of completions to fetch. */
static void hand_out(struct pyn_inflight *inflight, struct slot *slot, struct pyn_completed *completed)
{
	completed->cpl = slot->cpl;
	completed->cmd = slot->cmd;
	completed->user = slot->user;
	completed->timed_out = slot->timed_out;
	completed->mismatch = slot->mismatch;
	completed->csi = (uint8_t)(slot->set >> 8);
	completed->asynchronous = slot->flags & SLOT_AER;
	completed->aborts = slot->aborts;
	completed->latency_ns = pyn_ticks_to_ns(slot->completed - slot->submitted);
	if (slot->mismatch)
		completed->found = slot->found;
	slot->user = NULL;
	slot->flags &= (uint8_t)~SLOT_SCRIPT;
	inflight->outstanding--;
	inflight->events -= (slot->flags & SLOT_AER) != 0;
	free_if_done(inflight, slot);
}

static void fetch_one(struct pyn_inflight *inflight, struct pyn_completed *completed)
{
	struct slot *slot = &inflight->slots[inflight->ready_first];

	inflight->ready_first = slot->next;
	hand_out(inflight, slot, completed);
}

/* Take the first event out of the list of completions to fetch. */
static bool fetch_event(struct pyn_inflight *inflight, struct pyn_completed *completed)
{
	uint16_t before = NO_SLOT, number = inflight->ready_first;

	while (number != NO_SLOT && !(inflight->slots[number].flags & SLOT_AER)) {
		before = number;
		number = inflight->slots[number].next;
	}
	if (number == NO_SLOT)
		return false;
	struct slot *slot = &inflight->slots[number];

	if (before == NO_SLOT)
		inflight->ready_first = slot->next;
	else
		inflight->slots[before].next = slot->next;
	if (inflight->ready_last == number)
		inflight->ready_last = before;
	hand_out(inflight, slot, completed);
	return true;
}

static unsigned fetch(struct pyn_inflight *inflight, struct pyn_completed *completed, unsigned max)
{
	unsigned count = 0;

	while (count < max && inflight->ready_first != NO_SLOT)
		fetch_one(inflight, &completed[count++]);
	return count;
}

unsigned pyn_inflight_fetch(struct pyn_inflight *inflight, struct pyn_completed *completed, unsigned max)
{
	pyn_spin_lock(&inflight->lock);
	poll_queue(inflight);
	check(inflight);
	unsigned count = fetch(inflight, completed, max);

	pyn_spin_unlock(&inflight->lock);
	return count;
}

/* The deadline of a wait, and how it passes the time. */
struct patience {
	uint64_t ends; /* ticks */
	uint64_t nap_ns;
	unsigned empty; /* polls */
};

static struct patience patience_of(uint64_t budget_us)
{
	uint64_t now = pyn_ticks();
	uint64_t budget = budget_us < UINT64_MAX / 1000 ? pyn_ns_to_ticks(budget_us * 1000) : UINT64_MAX;

	return (struct patience){
		.ends = budget < UINT64_MAX - now ? now + budget : UINT64_MAX,
		.nap_ns = FIRST_NAP_NS,
	};
}

/* Whether only events can come, which may take days. A command takes microseconds, and is polled for. */
static bool is_idle(const struct pyn_inflight *inflight)
{
	return inflight->outstanding == inflight->events;
}

static void nap(struct patience *patience, uint64_t now)
{
	uint64_t left = pyn_ticks_to_ns(patience->ends - now);
	struct timespec pause = {.tv_nsec = (long)(left < patience->nap_ns ? left : patience->nap_ns)};

	nanosleep(&pause, NULL);
	if (patience->nap_ns < LONGEST_NAP_NS)
		patience->nap_ns *= 2;
}

/* Pass the time after an empty poll. false: the wait is over. */
static bool go_on(const struct pyn_inflight *inflight, struct patience *patience)
{
	uint64_t now = pyn_ticks();

	if (now >= patience->ends)
		return false;
	if (is_idle(inflight)) {
		nap(patience, now);
	} else if (++patience->empty >= EMPTY_POLLS_BEFORE_YIELD) {
		pyn_give_way(inflight->moved);
		patience->empty = 0;
	}
	return true;
}

unsigned pyn_inflight_wait(struct pyn_inflight *inflight, struct pyn_completed *completed, unsigned max,
			   uint64_t budget_us)
{
	struct patience patience = patience_of(budget_us);
	unsigned count;

	do
		count = pyn_inflight_fetch(inflight, completed, max);
	while (count == 0 && (inflight->outstanding || inflight->config.qid == 0) && go_on(inflight, &patience));
	return count;
}

bool pyn_inflight_wait_event(struct pyn_inflight *inflight, struct pyn_completed *completed, uint64_t budget_us)
{
	struct patience patience = patience_of(budget_us);
	bool found;

	do {
		pyn_spin_lock(&inflight->lock);
		poll_queue(inflight);
		check(inflight);
		found = fetch_event(inflight, completed);
		pyn_spin_unlock(&inflight->lock);
	} while (!found && inflight->events && go_on(inflight, &patience));
	return found;
}

/* Why the controller will not complete a command any more, after a reset, a power loss or a fatal error. NULL: it
 * may. */
static const char *gave_up(const struct pyn_inflight *inflight)
{
	uint64_t csts;

	if (inflight->engine->reg_read(inflight->ctrlr, NVME_REG_CSTS, 4, &csts, NULL))
		return NULL;
	if (csts == UINT32_MAX || !NVME_GET(csts, NVME_CSTS_RDY))
		return "the controller is not ready (CSTS.RDY is 0, or it is gone)";
	return NVME_GET(csts, NVME_CSTS_CFS) ? "the controller reports a fatal status (CSTS.CFS is 1)" : NULL;
}

/* Wait for one of the driver's own commands. Releases the lock between two polls, so that scripts can continue. */
static int await(struct pyn_inflight *inflight, struct slot *slot, struct nvme_cpl *cpl, struct pyn_error *err)
{
	uint64_t next_check = slot->submitted + pyn_ns_to_ticks(RESET_CHECK_NS);
	unsigned empty = 0;

	for (;;) {
		uint64_t now = pyn_ticks();

		if (!poll_all(inflight) && ++empty >= EMPTY_POLLS_BEFORE_YIELD) {
			pyn_spin_unlock(&inflight->lock);
			pyn_give_way(inflight->moved);
			pyn_spin_lock(&inflight->lock);
			empty = 0;
			check(inflight);
		}
		if (slot->flags & SLOT_READY)
			break;
		if (!inflight->queue) {
			slot->flags &= (uint8_t)~SLOT_SCRIPT;
			free_if_done(inflight, slot);
			return pyn_error(err, PYN_ERROR_STATE, ENODEV, "queue %u was deleted", inflight->config.qid);
		}
		if (now >= next_check) {
			const char *why = gave_up(inflight);

			/* Quarantine the slot as after a timeout, without waiting for it. */
			if (why) {
				slot->flags &= (uint8_t)~SLOT_SCRIPT;
				return pyn_error(err, PYN_ERROR_STATE, ECANCELED,
						 "%s: command 0x%02x (CID %u) of queue %u will not complete", why,
						 slot->cmd.opc, slot->cmd.cid, inflight->config.qid);
			}
			next_check = now + pyn_ns_to_ticks(RESET_CHECK_NS);
		}
		/* now is a time before the poll: this process may have been stopped in between. */
		if (pyn_ticks_to_ns(now - slot->submitted) / 1000000u > *inflight->config.timeout_ms) {
			/* Quarantine the slot: the device still has the command. */
			slot->flags &= (uint8_t)~SLOT_SCRIPT;
			return pyn_error(
				err, PYN_ERROR_TIMEOUT, ETIMEDOUT,
				"the drive did not complete command 0x%02x (CID %u) of queue %u within %u ms",
				slot->cmd.opc, slot->cmd.cid, inflight->config.qid, *inflight->config.timeout_ms);
		}
	}
	*cpl = slot->cpl;
	slot->flags &= (uint8_t)~SLOT_SCRIPT;
	free_if_done(inflight, slot);
	return 0;
}

static int execute(struct pyn_inflight *inflight, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
		   struct nvme_cpl *cpl, struct pyn_error *err)
{
	struct pyn_data data = {0};
	struct slot *slot;

	if (!inflight->queue)
		return pyn_error(err, PYN_ERROR_STATE, ENODEV, "the controller is not enabled");
	if (!inflight->engine->alive(inflight->ctrlr))
		return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the drive is gone");
	/* As in alloc_script_slot, the device may have completed commands that had timed out. */
	if (inflight->free_own_slots == NO_SLOT)
		poll_all(inflight);
	slot = alloc_slot(inflight, &inflight->free_own_slots);
	if (!slot)
		return pyn_error(err, PYN_ERROR_TIMEOUT, EBUSY,
				 "the drive has not answered %u commands of the driver's own on queue %u",
				 inflight->config.own_slots, inflight->config.qid);
	slot->flags = SLOT_DEVICE | SLOT_SCRIPT | SLOT_OWN;
	slot->cmd = *cmd;
	slot->user = NULL;
	if (buffer)
		data = (struct pyn_data){.address = buffer->data, .length = buffer->size};
	slot->data = data.address;
	slot->length = data.length;
	pyn_track_begin(&slot->track, NULL, cmd, buffer, 0, data.length, false, false);
	int rc = send(inflight, slot, data, err);

	if (rc)
		return rc;
	inflight->outstanding++;
	rc = await(inflight, slot, cpl, err);
	inflight->outstanding--;
	/* Without a queue the controller may be closed, and cannot be checked. */
	if (!rc && NVME_STATUS_SCT(cpl->status) == NVME_SCT_PATH &&
	    (!inflight->queue || !inflight->engine->alive(inflight->ctrlr)))
		return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the drive is gone");
	return rc;
}

int pyn_inflight_execute(struct pyn_inflight *inflight, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
			 struct nvme_cpl *cpl, struct pyn_error *err)
{
	pyn_spin_lock(&inflight->lock);
	int rc = execute(inflight, cmd, buffer, cpl, err);

	pyn_spin_unlock(&inflight->lock);
	return rc;
}

void pyn_inflight_abort_all(struct pyn_inflight *inflight, uint16_t status)
{
	pyn_spin_lock(&inflight->lock);
	poll_all(inflight);
	abort_all(inflight, status);
	inflight->aborts++;
	inflight->queue = NULL;
	pyn_spin_unlock(&inflight->lock);
}

int pyn_inflight_keep(struct pyn_inflight *inflight, uint32_t size, uint32_t count, struct pyn_error *err)
{
	struct pyn_kept *kept = size ? pyn_kept_create(size, count, err) : NULL, *before;

	if (size && !kept)
		return -ENOMEM;
	pyn_spin_lock(&inflight->lock);
	before = inflight->kept;
	inflight->kept = kept;
	pyn_spin_unlock(&inflight->lock);
	pyn_kept_free(before);
	return 0;
}

uint32_t pyn_inflight_kept(struct pyn_inflight *inflight, uint64_t number, void *into, uint32_t size)
{
	pyn_spin_lock(&inflight->lock);
	uint32_t length = inflight->kept ? pyn_kept_get(inflight->kept, number, into, size) : 0;

	pyn_spin_unlock(&inflight->lock);
	return length;
}

uint32_t pyn_inflight_kept_size(struct pyn_inflight *inflight)
{
	pyn_spin_lock(&inflight->lock);
	uint32_t size = inflight->kept ? pyn_kept_size(inflight->kept) : 0;

	pyn_spin_unlock(&inflight->lock);
	return size;
}
