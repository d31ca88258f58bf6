/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fault rule: when it applies, and what it does. Rules are written as text (docs/faults.md), parsed by parse.c,
 * printed by print.c and matched by match.c. The tables of words.c define all words of the language.
 */
#ifndef VSSD_FAULT_RULE_H
#define VSSD_FAULT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSSD_FAULT_WORDS 8u   /* most conditions of a rule, and most words after its action */
#define VSSD_FAULT_NAME 32u   /* bytes of a name, with its NUL */
#define VSSD_FAULT_TEXT 1024u /* bytes of the text of a rule, with its NUL */
#define VSSD_FAULT_ALL UINT64_MAX

/* Where a rule acts. The first three belong to a command: before it executes, on its data, and at its completion. */
enum vssd_fault_place {
	VSSD_FAULT_COMMAND,
	VSSD_FAULT_DATA,
	VSSD_FAULT_COMPLETION,
	VSSD_FAULT_REGISTER,
	VSSD_FAULT_CONFIG,
	VSSD_FAULT_DOORBELL,
	VSSD_FAULT_INTERRUPT,
	VSSD_FAULT_EVENT, /* asynchronous event */
	VSSD_FAULT_RESET, /* also the enabling and the shutdown of a controller */
	VSSD_FAULT_POWER,
	VSSD_FAULT_PLACES,
};

/* What happens in a drive. `on` selects the place of a rule by them, `after` and `since` refer to the last one. From
 * VSSD_FAULT_ON_OPCODE on, an event is the success of a command: admin commands by opcode, then I/O commands. */
enum vssd_fault_moment {
	VSSD_FAULT_ON_ENABLE,
	VSSD_FAULT_ON_DISABLE,
	VSSD_FAULT_ON_FLR,
	VSSD_FAULT_ON_HOT_RESET,
	VSSD_FAULT_ON_NSSR,
	VSSD_FAULT_ON_RESET, /* any of the four before */
	VSSD_FAULT_ON_SHUTDOWN,
	VSSD_FAULT_ON_ABRUPT_SHUTDOWN,
	VSSD_FAULT_ON_POWER_UP,
	VSSD_FAULT_ON_POWER_LOSS,
	VSSD_FAULT_ON_DOORBELL,
	VSSD_FAULT_ON_INTERRUPT,
	VSSD_FAULT_ON_EVENT,
	VSSD_FAULT_ON_RULE, /* another rule fired */
	VSSD_FAULT_ON_OPCODE,
	VSSD_FAULT_MOMENTS = VSSD_FAULT_ON_OPCODE + 512,
};

/* What a condition looks at. */
enum vssd_fault_subject {
	VSSD_FAULT_FIELD, /* of the command: see struct vssd_fault_word.field */
	VSSD_FAULT_QUEUE,
	VSSD_FAULT_OPCODE,
	VSSD_FAULT_LBA, /* the range of the command overlaps the value */
	VSSD_FAULT_LOG,
	VSSD_FAULT_FEATURE,
	VSSD_FAULT_CNS,
	VSSD_FAULT_BYTES,
	VSSD_FAULT_STATUS,
	VSSD_FAULT_WRITES,
	VSSD_FAULT_WRITER,
	VSSD_FAULT_ON,
	VSSD_FAULT_REGISTER_IS,
	VSSD_FAULT_CONFIG_IS,
	VSSD_FAULT_ACCESS,
	VSSD_FAULT_VALUE_IS,
	VSSD_FAULT_RING,
	VSSD_FAULT_VECTOR,
	VSSD_FAULT_MASKED,
	VSSD_FAULT_EVENT_IS,
	VSSD_FAULT_AFTER,
	VSSD_FAULT_SINCE,
	VSSD_FAULT_WITHIN,
	VSSD_FAULT_BEYOND,
	VSSD_FAULT_WHILE,
	VSSD_FAULT_CONTROLLER,
	VSSD_FAULT_UNFLUSHED, /* from here on: see struct vssd_fault_owner */
	VSSD_FAULT_TEMPERATURE,
	VSSD_FAULT_POWER_UPS,
	VSSD_FAULT_AGE,
	VSSD_FAULT_WRITTEN,
	VSSD_FAULT_SUBJECTS,
};

/* States that `while` asks for, one bit each in the owner's answer. */
enum vssd_fault_state {
	VSSD_FAULT_SANITIZING,
	VSSD_FAULT_FORMATTING,
	VSSD_FAULT_ASLEEP,
	VSSD_FAULT_HMB,
	VSSD_FAULT_WRITE_THROUGH,
	VSSD_FAULT_THROTTLING,
	VSSD_FAULT_READ_ONLY,
	VSSD_FAULT_STATES,
};

enum vssd_fault_relation { VSSD_FAULT_EQ, VSSD_FAULT_NE, VSSD_FAULT_GE, VSSD_FAULT_LE, VSSD_FAULT_AND };

enum vssd_fault_action {
	VSSD_FAULT_REFUSE,
	VSSD_FAULT_SKIP,
	VSSD_FAULT_SET,
	VSSD_FAULT_ADD,
	VSSD_FAULT_ROUND,
	VSSD_FAULT_EARLY,
	VSSD_FAULT_SPLIT,
	VSSD_FAULT_LEAVE,
	VSSD_FAULT_ZONE,
	VSSD_FAULT_SGL,
	VSSD_FAULT_SECURITY,
	VSSD_FAULT_FUNCTIONS,
	VSSD_FAULT_FLIP,
	VSSD_FAULT_FILL,
	VSSD_FAULT_BYTES_ARE,
	VSSD_FAULT_SWAP,
	VSSD_FAULT_SHIFT,
	VSSD_FAULT_SCRAMBLE,
	VSSD_FAULT_TORN,
	VSSD_FAULT_OLDER,
	VSSD_FAULT_NEIGHBOURS,
	VSSD_FAULT_NEVER,
	VSSD_FAULT_LATE,
	VSSD_FAULT_PACE,
	VSSD_FAULT_HOLD,
	VSSD_FAULT_TWICE,
	VSSD_FAULT_DROP,
	VSSD_FAULT_OVERRUN,
	VSSD_FAULT_STORM,
	VSSD_FAULT_HANG,
	VSSD_FAULT_KEEP,
	VSSD_FAULT_CACHE,
	VSSD_FAULT_POWER_OFF,
	VSSD_FAULT_POWER_CYCLE,
	VSSD_FAULT_FATAL,
	VSSD_FAULT_GONE,
	VSSD_FAULT_RESET_SELF,
	VSSD_FAULT_RAISE_INTERRUPT,
	VSSD_FAULT_RAISE_EVENT,
	VSSD_FAULT_DEFECT,
	VSSD_FAULT_ANA,
	VSSD_FAULT_ACTIONS,
};

/* The words after an action. */
enum vssd_fault_key {
	VSSD_FAULT_KEY_FIELD, /* a field of set and add: see struct vssd_fault_word.field */
	VSSD_FAULT_KEY_DNR,
	VSSD_FAULT_KEY_CRD,
	VSSD_FAULT_KEY_RESULT,
	VSSD_FAULT_KEY_BYTE,
	VSSD_FAULT_KEY_BIT,
	VSSD_FAULT_KEY_AT,
	VSSD_FAULT_KEY_SIZE,
	VSSD_FAULT_KEY_VALUE,
	VSSD_FAULT_KEY_ADD,
	VSSD_FAULT_KEY_AND,
	VSSD_FAULT_KEY_OR,
	VSSD_FAULT_KEY_XOR,
	VSSD_FAULT_KEY_FREEZE,
	VSSD_FAULT_KEY_WITH,
	VSSD_FAULT_KEY_FROM,
	VSSD_FAULT_KEY_INWARD,
	VSSD_FAULT_KEY_KEEP,
	VSSD_FAULT_KEY_YIELD,
	VSSD_FAULT_KEY_DELAY,
	VSSD_FAULT_KEY_OFF,
	VSSD_FAULT_KEY_CHANCE,
	VSSD_FAULT_KEY_SEED,
	VSSD_FAULT_KEY_TORN,
	VSSD_FAULT_KEY_PAIR,
	VSSD_FAULT_KEY_REVERSE,
	VSSD_FAULT_KEY_FLUSHED,
	VSSD_FAULT_KEY_VERSIONS,
	VSSD_FAULT_KEY_GAP,
	VSSD_FAULT_KEY_BACK,
	VSSD_FAULT_KEY_SHAPE,
	VSSD_FAULT_KEY_BURST,
	VSSD_FAULT_KEY_IF,
	VSSD_FAULT_KEY_EACH,
	VSSD_FAULT_KEY_METADATA,
	VSSD_FAULT_KEY_GROUP,
	VSSD_FAULT_KEYS,
};

/* A condition, or a word after the action. Bits high:low of the subject are compared with a … b, or set to a. */
struct vssd_fault_word {
	uint8_t kind;  /* enum vssd_fault_subject, or enum vssd_fault_key */
	uint8_t field; /* index into vssd_fault_fields[] */
	uint8_t relation;
	uint8_t high;
	uint8_t low;
	uint64_t a;
	uint64_t b;
};

/* Which of the matches fire. 0 in nth, every or count: no such limit. */
struct vssd_fault_selection {
	uint64_t nth;
	uint64_t every;
	uint64_t count;
	uint64_t seed;
	uint64_t chance; /* billionths; 0: always */
};

struct vssd_fault_rule {
	char name[VSSD_FAULT_NAME];  /* empty: none */
	char other[VSSD_FAULT_NAME]; /* the rule that `after=rule:NAME` or `since=rule:NAME` names */
	uint8_t place;
	uint8_t action;
	uint8_t num_when;
	uint8_t num_how;
	struct vssd_fault_word when[VSSD_FAULT_WORDS];
	struct vssd_fault_word how[VSSD_FAULT_WORDS];
	uint64_t a, b; /* the value of the action itself, as in status=00/81 or late=1..5 */
	struct vssd_fault_selection selection;

	/* The rest is state. */
	uint64_t number;  /* assigned when the rule is planted, from 1 on */
	uint64_t planted; /* ns, CLOCK_MONOTONIC */
	uint64_t matched; /* since the planting, or since the last event that `since` names */
	uint64_t fired;
	uint64_t random;
	uint64_t seen;     /* the count of that event at the last match */
	uint64_t base;     /* its count at the planting */
	uint64_t last;     /* ns: when it fired last */
	uint64_t released; /* how often its held commands were released */
	uint64_t paced;    /* ns, CLOCK_MONOTONIC: when the commands so far have ended at the pace */
	uint8_t *frozen;   /* the bytes that `freeze` repeats; owned */
	uint32_t frozen_size;
};

/* The first word of this kind after the action, or NULL. */
static inline const struct vssd_fault_word *vssd_fault_how(const struct vssd_fault_rule *rule,
							   enum vssd_fault_key key)
{
	for (unsigned i = 0; i < rule->num_how; i++)
		if (rule->how[i].kind == key)
			return &rule->how[i];
	return NULL;
}

static inline uint64_t vssd_fault_how_number(const struct vssd_fault_rule *rule, enum vssd_fault_key key,
					     uint64_t otherwise)
{
	const struct vssd_fault_word *word = vssd_fault_how(rule, key);

	return word ? word->a : otherwise;
}

/* Whether a value satisfies a condition. */
static inline bool vssd_fault_holds(const struct vssd_fault_word *word, uint64_t value)
{
	if (word->high < 63)
		value &= (UINT64_C(2) << word->high) - 1;
	value >>= word->low;
	switch (word->relation) {
	case VSSD_FAULT_EQ:
		return value >= word->a && value <= word->b;
	case VSSD_FAULT_NE:
		return value < word->a || value > word->b;
	case VSSD_FAULT_GE:
		return value >= word->a;
	case VSSD_FAULT_LE:
		return value <= word->a;
	default:
		return value & word->a;
	}
}

#endif
