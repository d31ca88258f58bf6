/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fault rules do to a controller: completions that are changed, late, held or lost (faulty.c), and sudden events
 * such as a power loss (sudden.c, happen.c). vssd/cmd/fault.h has what they do to commands and data.
 */
#ifndef VSSD_CTRL_FAULTY_H
#define VSSD_CTRL_FAULTY_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "vssd/ctrl/event.h"
#include "vssd/ctrl/part.h"
#include "vssd/fault/faults.h"

#define VSSD_EDITS 8u       /* most changes of a completion */
#define VSSD_LATER_KEPT 16u /* commands that complete later, such as event requests: more than there can be */

/* Append a node, which has a member next, to a list. */
#define VSSD_APPEND(list, node)                                                                                      \
	do {                                                                                                         \
		__typeof__(node) *link_ = &(list);                                                                   \
                                                                                                                     \
		while (*link_)                                                                                       \
			link_ = &(*link_)->next;                                                                     \
		(node)->next = NULL;                                                                                 \
		*link_ = (node);                                                                                     \
	} while (0)

struct vssd_aborting;
struct vssd_sq;

/* Changes of fields of a completion queue entry. */
struct vssd_edits {
	unsigned count;
	struct {
		struct vssd_fault_word word;
		bool add;
	} at[VSSD_EDITS];
};

/* A completion that is to be posted later. */
struct vssd_delayed {
	struct vssd_delayed *next;
	struct vssd_listener *owner; /* completes it: the command came out of band; NULL: the queue qid */
	uint64_t due;                /* ticks; VSSD_NEVER: held */
	uint64_t holder;             /* the number of the rule that holds it; 0: none */
	uint64_t released;           /* how often that rule had been released before */
	uint64_t result;
	uint16_t qid;
	uint16_t cid;
	uint16_t status;
	uint64_t start; /* ticks: when the command was fetched */
	struct vssd_edits edits;
	struct vssd_fault_occasion occasion; /* of the command */
	uint32_t sqe[16];
};

/* An event that a rule makes happen at a time. */
struct vssd_sudden {
	struct vssd_sudden *next;
	uint64_t due;   /* ticks */
	uint8_t action; /* enum vssd_fault_action */
	uint64_t value; /* of the action */
	uint32_t group; /* of ana; 0: all */
	uint64_t off;   /* us, of power-cycle and gone; UINT64_MAX: for ever */
};

/* A command that is executed in pieces, and completes after the last one. */
struct vssd_split {
	unsigned pieces; /* that are left */
	struct vssd_delayed completion;
};

/* A command whose success was reported before it is executed, or a piece of a command. */
struct vssd_deferred {
	struct vssd_deferred *next;
	uint64_t due;   /* ticks */
	uint64_t since; /* the history's clock when it was submitted */
	struct nvme_cmd cmd;
	uint8_t *data; /* from the host, taken when the command was submitted; owned */
	uint32_t length;
	uint8_t *metadata; /* of its LBAs, as struct vssd_fault_plan has them; owned; NULL: none */
	uint16_t qid;
	bool keeps;               /* a reset does not drop it */
	bool yields;              /* it leaves out LBAs written since */
	struct vssd_split *split; /* it is a piece of this command, which has not completed; NULL: none */
};

struct vssd_faulty {
	struct vssd_delayed *delayed;
	struct vssd_sudden *sudden;
	struct vssd_deferred *deferred;
	uint64_t next_due;                      /* ticks: the earliest due of the three lists */
	uint64_t power_due;                     /* ticks: when the power returns; VSSD_NEVER: it does not */
	bool gone;                              /* the link is down */
	bool hung;                              /* a reset by CC.EN does not finish */
	uint64_t ready_due;                     /* ticks: until then CSTS.RDY reads as its opposite */
	uint64_t shutdown_due;                  /* ticks: until then CSTS.SHST reads as 01b */
	uint16_t storm[VSSD_NUM_EVENTS];        /* by enum vssd_event: reports in addition */
	struct nvme_cmd later[VSSD_LATER_KEPT]; /* a ring of the commands that complete later */
	unsigned num_later;
};

/* ---- faulty.c ---- */

extern const struct vssd_part vssd_faulty_part;

/* Complete a command as the rules say. edits: changes that are already decided. due: ticks, 0: at once. */
void vssd_faulty_complete(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct vssd_fault_occasion *occasion,
			  uint16_t status, uint64_t result, uint64_t due, const struct vssd_edits *edits);

/* The same for a command that came out of band. The changes are made to dwords 0, 1 and 3 of its completion in cqe.
 * Returns how often to respond now. 0: never, or later, when owner->ops->complete() is called. */
unsigned vssd_faulty_respond(struct vssd_ctrl *ctrl, struct vssd_listener *owner,
			     const struct vssd_fault_occasion *occasion, uint16_t status,
			     const struct vssd_edits *edits, uint32_t cqe[4]);

/* Append a change of a field of the completion. */
void vssd_edits_add(struct vssd_edits *edits, const struct vssd_fault_word *word, bool add);
void vssd_edits_set(struct vssd_edits *edits, const char *field, uint64_t value);

/* Abort commands whose completions are late or held. Returns how many. */
unsigned vssd_faulty_abort(struct vssd_ctrl *ctrl, const struct vssd_aborting *abort);

/* A queue is deleted: post its late completions, and drop those that are held. */
void vssd_faulty_forget_queue(struct vssd_ctrl *ctrl, uint16_t qid);

/* Remember an admin command that completes later, for the rules of its completion. */
void vssd_faulty_remember(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd);

/* ---- faulty_access.c ---- */

/* What the rules of a reset, of the enabling or of the shutdown say. */
struct vssd_reset_verdict {
	bool skips;
	bool hangs;
	uint8_t keep; /* VSSD_FAULT_KEEPS_* */
	uint64_t due; /* ticks: when it ends; 0: at once */
};

void vssd_faulty_reset(struct vssd_ctrl *ctrl, enum vssd_fault_moment moment, struct vssd_reset_verdict *verdict);

/* The value that is read or written instead. *drop: ignore the access. */
uint64_t vssd_faulty_value(struct vssd_ctrl *ctrl, struct vssd_fault_occasion occasion, bool *drop);

/* How often to raise an interrupt now, or to report an event. */
unsigned vssd_faulty_interrupt(struct vssd_ctrl *ctrl, uint16_t vector);
unsigned vssd_faulty_event(struct vssd_ctrl *ctrl, unsigned event);

/* Let happen what rules say when the power returns. */
void vssd_faulty_power_up(struct vssd_ctrl *ctrl);

/* ---- later.c ---- */

/* Complete an admin command that returned VSSD_LATER, now or once there is room. */
void vssd_complete_later(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result);

/* ---- sudden.c ---- */

/* Note the time of the next thing to do, if it is earlier than the others. */
void vssd_faulty_wake(struct vssd_ctrl *ctrl, uint64_t due);

/* Whether an action is one of a sudden event. */
static inline bool vssd_is_sudden(uint8_t action)
{
	return action >= VSSD_FAULT_POWER_OFF && action <= VSSD_FAULT_ANA;
}

/* Let something happen after so many microseconds. */
void vssd_sudden_push(struct vssd_ctrl *ctrl, uint8_t action, uint64_t value, uint64_t us);

/* Let a rule's event happen, at the next poll or after its delay. */
void vssd_sudden_add(struct vssd_ctrl *ctrl, struct vssd_fault_rule *rule);

/* ---- happen.c ---- */

extern const struct vssd_part vssd_sudden_part;

/* Let those events happen that are due. */
void vssd_sudden_poll(struct vssd_ctrl *ctrl);

/* Call while the power is off: switch it on again when a rule says so. */
void vssd_sudden_dark(struct vssd_ctrl *ctrl);

#endif
