/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of fault rules: conditions, actions, what follows an action, and fields of entries. Tables only. */
#ifndef VSSD_FAULT_WORDS_H
#define VSSD_FAULT_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "vssd/fault/rule.h"
#include "vssd/fault/value.h"

#define VSSD_FAULT_AT(place) (1u << (place))

/* A condition. */
struct vssd_fault_subject_word {
	const char *name;
	enum vssd_fault_value value;
	unsigned places; /* where it can be known: bits of VSSD_FAULT_AT() */
	const char *help;
};

/* A word after an action. */
struct vssd_fault_key_word {
	const char *name;
	enum vssd_fault_value value;
	const char *help;
};

/* An action. A name may stand for several, which act at different places. */
struct vssd_fault_action_word {
	const char *name;
	enum vssd_fault_action action;
	enum vssd_fault_value value; /* of the action itself, VSSD_FAULT_NOTHING if it has none */
	enum vssd_fault_place place; /* where it acts if `on`, `register` or `config` select no place */
	unsigned places;             /* where it can act */
	uint64_t keys;               /* bits of enum vssd_fault_key */
	uint64_t required;           /* the words that must follow, one of these */
	const char *help;
	const char *example;
};

/* A field of an entry of a queue, 64 bits at most. */
enum vssd_fault_entry { VSSD_FAULT_SQE, VSSD_FAULT_CQE, VSSD_FAULT_OTHER };

struct vssd_fault_field {
	const char *name;
	enum vssd_fault_entry entry;
	uint8_t dword;
	uint8_t low;
	uint8_t bits;
	enum vssd_fault_value value;
	const char *help;
};

/* Index of the fields of VSSD_FAULT_OTHER: the value of a register, and every address of data. */
#define VSSD_FAULT_FIELD_VALUE 0u
#define VSSD_FAULT_FIELD_ADDRESS 1u
#define VSSD_FAULT_FIELD_NSID 2u

extern const struct vssd_fault_subject_word vssd_fault_subjects[VSSD_FAULT_SUBJECTS];
extern const struct vssd_fault_key_word vssd_fault_keys[VSSD_FAULT_KEYS];
extern const struct vssd_fault_action_word vssd_fault_actions[];
extern const size_t vssd_fault_num_actions;
extern const struct vssd_fault_field vssd_fault_fields[];
extern const size_t vssd_fault_num_fields;

/* Get bits of an entry, which is an array of dwords, or change those that a word after `set` or `add` names. */
uint64_t vssd_fault_field_get(const uint32_t *entry, const struct vssd_fault_field *field);
void vssd_fault_field_change(uint32_t *entry, const struct vssd_fault_word *word, bool add);

/* The value with the bits changed that the word names. */
uint64_t vssd_fault_change(uint64_t value, const struct vssd_fault_word *word, bool add);

#endif
