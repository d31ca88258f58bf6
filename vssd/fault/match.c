/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a rule's conditions hold, and whether it fires. */
#include <string.h>

#include "core/util/clock.h"
#include "core/util/random.h"
#include "spec/commands.h"
#include "spec/nvme_cmd.h"
#include "vssd/fault/faults.h"
#include "vssd/fault/value.h"
#include "vssd/fault/words.h"

#define BILLION 1000000000u
#define US_NS 1000u
#define NORMAL_TERMS 6u
#define TAIL_TERMS 6u

static bool is_admin(const struct vssd_fault_occasion *occasion, uint8_t opcode)
{
	return vssd_fault_table(occasion->queue) == SPEC_ADMIN && (uint8_t)occasion->sqe[0] == opcode;
}

/* Whether the condition names a byte of this dword. */
static bool is_in_dword(const struct vssd_fault_word *word, uint64_t offset)
{
	bool bits = word->high != 63 || word->low != 0;

	if (bits || (word->relation != VSSD_FAULT_EQ && word->relation != VSSD_FAULT_NE))
		return vssd_fault_holds(word, offset);
	return (word->a < offset + sizeof(uint32_t) && word->b >= offset) == (word->relation == VSSD_FAULT_EQ);
}

/* Whether the range of the command and that of the condition overlap. */
static bool overlaps(const struct vssd_fault_word *word, uint64_t slba, uint64_t lbas)
{
	uint64_t last = slba + (lbas - 1);

	if (lbas == 0)
		return false;
	if (last < slba)
		last = UINT64_MAX;
	if (word->high != 63 || word->low != 0)
		return vssd_fault_holds(word, slba);
	switch (word->relation) {
	case VSSD_FAULT_EQ:
		return slba <= word->b && last >= word->a;
	case VSSD_FAULT_NE:
		return slba > word->b || last < word->a;
	case VSSD_FAULT_GE:
		return last >= word->a;
	case VSSD_FAULT_LE:
		return slba <= word->a;
	default:
		return vssd_fault_holds(word, slba);
	}
}

static bool any_overlaps(const struct vssd_fault_word *word, const struct vssd_fault_occasion *occasion)
{
	for (uint32_t i = 0; i < occasion->num_ranges; i++)
		if (overlaps(word, occasion->ranges[i].slba, occasion->ranges[i].nlb))
			return true;
	return overlaps(word, occasion->slba, occasion->lbas);
}

/* ---- what has happened ---- */

static struct vssd_fault_times times_of(const struct vssd_faults *faults, const struct vssd_fault_rule *rule,
					uint64_t moment)
{
	const struct vssd_fault_rule *other;

	if (moment != VSSD_FAULT_ON_RULE)
		return faults->happened[moment];
	other = vssd_faults_find(faults, 0, rule->other);
	return other ? (struct vssd_fault_times){other->fired, other->last} : (struct vssd_fault_times){0};
}

static const struct vssd_fault_word *event_of(const struct vssd_fault_rule *rule)
{
	for (unsigned i = 0; i < rule->num_when; i++)
		if (rule->when[i].kind == VSSD_FAULT_AFTER || rule->when[i].kind == VSSD_FAULT_SINCE)
			return &rule->when[i];
	return NULL;
}

static bool has_happened(const struct vssd_faults *faults, struct vssd_fault_rule *rule,
			 const struct vssd_fault_word *word)
{
	uint64_t count = times_of(faults, rule, word->a).count;

	if (word->kind == VSSD_FAULT_SINCE && count != rule->seen) {
		rule->seen = count;
		rule->matched = 0;
	}
	return (count > rule->base) == (word->relation == VSSD_FAULT_EQ);
}

/* Compare the time since the event with the value of `within` (at most) or `beyond` (at least). */
static bool is_in_time(const struct vssd_faults *faults, const struct vssd_fault_rule *rule,
		       const struct vssd_fault_word *word)
{
	uint64_t last = times_of(faults, rule, event_of(rule)->a).last;
	uint64_t passed = (pyn_monotonic_ns() - last) / US_NS;

	return word->kind == VSSD_FAULT_WITHIN ? passed <= word->a : passed >= word->a;
}

static bool is_moment(const struct vssd_fault_word *word, enum vssd_fault_moment moment)
{
	if (word->a == VSSD_FAULT_ON_RESET)
		return moment >= VSSD_FAULT_ON_DISABLE && moment <= VSSD_FAULT_ON_RESET;
	return word->a == moment;
}

/* ---- conditions ---- */

static bool holds(struct vssd_faults *faults, struct vssd_fault_rule *rule, const struct vssd_fault_word *word,
		  const struct vssd_fault_occasion *occasion)
{
	uint64_t value;

	switch (word->kind) {
	case VSSD_FAULT_FIELD:
		value = vssd_fault_field_get(occasion->sqe, &vssd_fault_fields[word->field]);
		break;
	case VSSD_FAULT_QUEUE:
		value = occasion->queue;
		break;
	case VSSD_FAULT_OPCODE:
		value = vssd_fault_table(occasion->queue) << 8 | (uint8_t)occasion->sqe[0];
		break;
	case VSSD_FAULT_LBA:
		return any_overlaps(word, occasion);
	case VSSD_FAULT_LOG:
		value = occasion->sqe[10] & 0xff;
		return is_admin(occasion, NVME_ADMIN_GET_LOG_PAGE) && vssd_fault_holds(word, value);
	case VSSD_FAULT_FEATURE:
		value = occasion->sqe[10] & 0xff;
		return (is_admin(occasion, NVME_ADMIN_GET_FEATURES) || is_admin(occasion, NVME_ADMIN_SET_FEATURES)) &&
		       vssd_fault_holds(word, value);
	case VSSD_FAULT_CNS:
		value = occasion->sqe[10] & 0xff;
		return is_admin(occasion, NVME_ADMIN_IDENTIFY) && vssd_fault_holds(word, value);
	case VSSD_FAULT_BYTES:
		value = occasion->bytes;
		break;
	case VSSD_FAULT_STATUS:
		value = occasion->status;
		break;
	case VSSD_FAULT_WRITES:
		value = occasion->writes;
		break;
	case VSSD_FAULT_WRITER:
		value = occasion->writer;
		break;
	case VSSD_FAULT_ON:
		return is_moment(word, occasion->moment);
	case VSSD_FAULT_REGISTER_IS:
	case VSSD_FAULT_VECTOR:
	case VSSD_FAULT_RING:
	case VSSD_FAULT_EVENT_IS:
		value = occasion->target;
		break;
	case VSSD_FAULT_CONFIG_IS:
		return is_in_dword(word, occasion->target);
	case VSSD_FAULT_MASKED:
		value = occasion->is_masked;
		break;
	case VSSD_FAULT_ACCESS:
		value = occasion->is_write;
		break;
	case VSSD_FAULT_VALUE_IS:
		value = occasion->value;
		break;
	case VSSD_FAULT_CONTROLLER:
		value = occasion->controller;
		break;
	case VSSD_FAULT_AFTER:
	case VSSD_FAULT_SINCE:
		return has_happened(faults, rule, word);
	case VSSD_FAULT_WITHIN:
	case VSSD_FAULT_BEYOND:
		return is_in_time(faults, rule, word);
	case VSSD_FAULT_WHILE:
		return (faults->owner.ask(faults->owner.drive, VSSD_FAULT_WHILE) >> word->a & 1) ==
		       (word->relation == VSSD_FAULT_EQ);
	default:
		value = faults->owner.ask(faults->owner.drive, (enum vssd_fault_subject)word->kind);
		break;
	}
	return vssd_fault_holds(word, value);
}

/* ---- selection ---- */

uint64_t vssd_fault_random(struct vssd_fault_rule *rule, uint64_t a, uint64_t b)
{
	struct pyn_random random = {rule->random};
	uint64_t range = b - a + 1, value = a + (range ? pyn_random_below(&random, range) : pyn_random_next(&random));

	rule->random = random.state;
	return value;
}

/* a … b so that most values are near the middle. */
static uint64_t normal(struct vssd_fault_rule *rule, uint64_t a, uint64_t b)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < NORMAL_TERMS; i++)
		sum += vssd_fault_random(rule, 0, b - a);
	return a + sum / NORMAL_TERMS;
}

/* a … b so that most values are near a: the least of several. A tenth of them is above a third of the range. */
static uint64_t tail(struct vssd_fault_rule *rule, uint64_t a, uint64_t b)
{
	uint64_t least = b;

	for (unsigned i = 0; i < TAIL_TERMS; i++) {
		uint64_t value = vssd_fault_random(rule, a, b);

		least = value < least ? value : least;
	}
	return least;
}

uint64_t vssd_fault_time(struct vssd_fault_rule *rule)
{
	switch (vssd_fault_how_number(rule, VSSD_FAULT_KEY_SHAPE, VSSD_FAULT_SHAPE_UNIFORM)) {
	case VSSD_FAULT_SHAPE_NORMAL:
		return normal(rule, rule->a, rule->b);
	case VSSD_FAULT_SHAPE_TAIL:
		return tail(rule, rule->a, rule->b);
	default:
		return vssd_fault_random(rule, rule->a, rule->b);
	}
}

/* Count a match. True: the rule fires. */
static bool selects(struct vssd_fault_rule *rule)
{
	const struct vssd_fault_selection *selection = &rule->selection;
	uint64_t first = selection->nth ? selection->nth : selection->every;

	rule->matched++;
	if (selection->count && rule->fired >= selection->count)
		return false;
	if (selection->nth && !selection->every && rule->matched != selection->nth)
		return false;
	if (selection->every && (rule->matched < first || (rule->matched - first) % selection->every != 0))
		return false;
	return !selection->chance || vssd_fault_random(rule, 0, BILLION - 1) < selection->chance;
}

/* Whether a rule names commands that come out of band. One that names no queue means those of queues. */
static bool is_out_of_band(const struct vssd_fault_rule *rule)
{
	for (unsigned i = 0; i < rule->num_when; i++)
		if (rule->when[i].kind == VSSD_FAULT_QUEUE)
			return rule->when[i].relation == VSSD_FAULT_EQ &&
			       rule->when[i].a == VSSD_FAULT_QUEUE_OUT_OF_BAND;
	return false;
}

static bool fires(struct vssd_faults *faults, struct vssd_fault_rule *rule,
		  const struct vssd_fault_occasion *occasion)
{
	if (occasion->was_late && (rule->action == VSSD_FAULT_LATE || rule->action == VSSD_FAULT_HOLD))
		return false;
	if (occasion->place == VSSD_FAULT_DATA && !occasion->has_data && rule->action != VSSD_FAULT_NEIGHBOURS)
		return false;
	if (occasion->queue == VSSD_FAULT_QUEUE_OUT_OF_BAND && !is_out_of_band(rule))
		return false;
	for (unsigned i = 0; i < rule->num_when; i++)
		if (!holds(faults, rule, &rule->when[i], occasion))
			return false;
	return selects(rule);
}

static const struct vssd_fault_list *candidates(const struct vssd_faults *faults,
						const struct vssd_fault_occasion *occasion)
{
	unsigned table = vssd_fault_table(occasion->queue);

	if (occasion->place >= VSSD_FAULT_PER_COMMAND)
		return &faults->index.others[occasion->place];
	return &faults->index.commands[occasion->place][table][(uint8_t)occasion->sqe[0]];
}

unsigned vssd_faults_match(struct vssd_faults *faults, const struct vssd_fault_occasion *occasion,
			   struct vssd_fault_rule *fired[VSSD_FAULTS_AT_ONCE])
{
	const struct vssd_fault_list *list = candidates(faults, occasion);
	unsigned count = 0;

	for (uint32_t i = 0; i < list->count && count < VSSD_FAULTS_AT_ONCE; i++) {
		struct vssd_fault_rule *rule = faults->rules[list->at[i]];

		if (!fires(faults, rule, occasion))
			continue;
		rule->fired++;
		rule->last = pyn_monotonic_ns();
		vssd_fault_log_add(faults, rule, occasion);
		fired[count++] = rule;
	}
	return count;
}

void vssd_faults_happened(struct vssd_faults *faults, enum vssd_fault_moment moment)
{
	faults->happened[moment].count++;
	faults->happened[moment].last = pyn_monotonic_ns();
	if (moment >= VSSD_FAULT_ON_DISABLE && moment < VSSD_FAULT_ON_RESET)
		vssd_faults_happened(faults, VSSD_FAULT_ON_RESET);
}
