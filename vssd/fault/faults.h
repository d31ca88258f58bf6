/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The planted rules of a drive, and what is needed to find those that match: an index by place and opcode, the LBAs
 * that rules watch, what has happened, and a log of the rules that fired. A drive without rules never calls match.
 */
#ifndef VSSD_FAULT_FAULTS_H
#define VSSD_FAULT_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_cmd.h"
#include "vssd/fault/answers.h"
#include "vssd/fault/history.h"
#include "vssd/fault/rule.h"
#include "vssd/fault/value.h"
#include "vssd/options.h"

#define VSSD_FAULTS_MAX 1024u     /* rules */
#define VSSD_FAULTS_AT_ONCE 16u   /* most rules that can act on one occasion at one place */
#define VSSD_FAULTS_LOGGED 4096u  /* entries of the log; a power of two */
#define VSSD_FAULT_PER_COMMAND 3u /* places of a command */

/* Bits of vssd_faults.places: rules act on commands, or must know which commands succeed and what they write. */
#define VSSD_FAULT_NOTES (1u << VSSD_FAULT_PLACES)
#define VSSD_FAULT_OF_COMMANDS (((1u << VSSD_FAULT_PER_COMMAND) - 1) | VSSD_FAULT_NOTES)

/* What a rule may look at. Members that do not exist at a place are 0. */
struct vssd_fault_occasion {
	enum vssd_fault_place place;
	enum vssd_fault_moment moment; /* of a command, known at its completion */
	const uint32_t *sqe;           /* NULL: there is no command */
	uint16_t queue;                /* or VSSD_FAULT_QUEUE_OUT_OF_BAND */
	uint16_t status;
	uint16_t controller;                 /* CNTLID */
	bool is_write;                       /* of a register */
	bool is_masked;                      /* the vector */
	bool was_late;                       /* the completion was late or held, and now the command is aborted */
	uint8_t writes;                      /* how often the first LBA was written */
	uint8_t writer;                      /* enum vssd_fault_writer */
	uint64_t slba;                       /* of the command's range */
	uint64_t lbas;                       /* in it; 0: the command names no range */
	const struct nvme_dsm_range *ranges; /* of a Dataset Management command */
	uint32_t num_ranges;
	bool has_data;   /* it transfers data, or writes zeros */
	uint64_t bytes;  /* that the command transfers */
	uint64_t target; /* offset of a register, vector, or event */
	uint64_t value;  /* of a register or doorbell */
};

/* A rule that has fired. */
struct vssd_fault_fired {
	uint64_t time;  /* ns since 1970 */
	uint64_t ticks; /* the TSC */
	uint64_t number;
	uint64_t slba;
	uint32_t nsid;
	uint16_t queue;
	uint16_t cid;
	uint8_t opcode;
	uint8_t place;
	bool has_command; /* without one, the four members before place are 0 */
};

struct vssd_fault_range {
	uint64_t first;
	uint64_t last;
};

/* Sorted ranges without overlaps. */
struct vssd_fault_ranges {
	struct vssd_fault_range *at;
	uint32_t count;
};

/* Indices of rules, in the order of planting. */
struct vssd_fault_list {
	uint16_t *at;
	uint32_t count;
};

/* Made anew after each change of the rules. */
struct vssd_fault_index {
	struct vssd_fault_list commands[VSSD_FAULT_PER_COMMAND][2][256]; /* by place, table and opcode */
	struct vssd_fault_list others[VSSD_FAULT_PLACES];
	struct vssd_fault_ranges watched[2][VSSD_MAX_NAMESPACES]; /* LBAs of reads and writes, by NSID - 1 */
	bool queues[VSSD_MAX_IO_QUEUES + 1]; /* whether a rule that names queues may match in this one */
	bool history;                        /* a rule asks who wrote an LBA, or how often */
	bool older;                          /* a rule needs the older data of LBAs */
};

struct vssd_fault_times {
	uint64_t count;
	uint64_t last; /* ns, CLOCK_MONOTONIC */
};

/* The drive: it answers for subjects that a rule cannot see, and hears of changes of the rules. */
struct vssd_fault_owner {
	void *drive;
	uint64_t (*ask)(void *drive, enum vssd_fault_subject subject);
	void (*changed)(void *drive);
};

struct vssd_faults {
	uint32_t places; /* bits of the places at which a rule acts, and VSSD_FAULT_NOTES */
	uint32_t num_rules;
	struct vssd_fault_rule *rules[VSSD_FAULTS_MAX]; /* in the order of planting */
	uint64_t planted;                               /* rules ever */
	struct vssd_fault_owner owner;
	struct vssd_fault_index index;
	struct vssd_fault_times happened[VSSD_FAULT_MOMENTS];
	uint64_t fired; /* entries ever made in the log */
	struct vssd_fault_fired log[VSSD_FAULTS_LOGGED];
	struct vssd_fault_history *history; /* NULL: no rule needs it */
	struct vssd_answers answers;        /* for vendor specific opcodes */
};

/* Create an empty set. NULL: there is no memory. */
struct vssd_faults *vssd_faults_create(struct vssd_fault_owner owner);
void vssd_faults_destroy(struct vssd_faults *faults);

/* Plant the rules of a text, one a line; a line may be empty, and # starts a comment. 0: *first is the number of the
 * first one; or -errno, and none is planted. */
int vssd_faults_plant(struct vssd_faults *faults, const char *text, uint64_t *first, struct pyn_error *err);

/* Find a rule by its number, or by its name (NULL: by number), among planted ones. */
struct vssd_fault_rule *vssd_faults_find(const struct vssd_faults *faults, uint64_t number, const char *name);

/* Remove one rule, or all. Commands that it holds are released. False: there is no such rule. */
bool vssd_faults_remove(struct vssd_faults *faults, uint64_t number, const char *name);
void vssd_faults_clear(struct vssd_faults *faults);

/* Complete the commands that this rule holds. False: there is no such rule. */
bool vssd_faults_release(struct vssd_faults *faults, uint64_t number, const char *name);

/* Whether a command that the rule held is still to be held. */
bool vssd_faults_holds(const struct vssd_faults *faults, uint64_t number, uint64_t released);

/* Whether any rule acts at a place. Call this before vssd_faults_match(). */
static inline bool vssd_faults_at(const struct vssd_faults *faults, enum vssd_fault_place place)
{
	return __builtin_expect(faults->places >> place & 1, 0);
}

/* Note that this has happened, for `after` and `since`. */
void vssd_faults_happened(struct vssd_faults *faults, enum vssd_fault_moment moment);

/* The same, for what happens often: without rules, nobody asks. */
static inline void vssd_faults_note(struct vssd_faults *faults, enum vssd_fault_moment moment)
{
	if (__builtin_expect(faults->num_rules > 0, 0))
		vssd_faults_happened(faults, moment);
}

/* Find the rules that fire now, count them and enter them in the log. Returns how many. */
unsigned vssd_faults_match(struct vssd_faults *faults, const struct vssd_fault_occasion *occasion,
			   struct vssd_fault_rule *fired[VSSD_FAULTS_AT_ONCE]);

/* A random number a … b of a rule's own generator. */
uint64_t vssd_fault_random(struct vssd_fault_rule *rule, uint64_t a, uint64_t b);

/* A time of the action's range (us), of the shape that the rule names. */
uint64_t vssd_fault_time(struct vssd_fault_rule *rule);

/* Whether a rule may match a Read or Write of these LBAs. index: NSID - 1. */
bool vssd_faults_watched(const struct vssd_faults *faults, bool is_write, uint32_t index, uint64_t first,
			 uint64_t last);

/* ---- index.c ---- */

/* Make the index anew. 0, or -ENOMEM: the index is empty. */
int vssd_fault_index_make(struct vssd_faults *faults);
void vssd_fault_index_free(struct vssd_faults *faults);

/* ---- log.c ---- */

void vssd_fault_log_add(struct vssd_faults *faults, const struct vssd_fault_rule *rule,
			const struct vssd_fault_occasion *occasion);

/* The entry number i, counted from the first ever made. NULL: it is not kept any more, or does not exist yet. */
const struct vssd_fault_fired *vssd_fault_log_entry(const struct vssd_faults *faults, uint64_t i);

#endif
