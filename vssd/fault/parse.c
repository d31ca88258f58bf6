/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "spec/commands.h"
#include "vssd/fault/words.h"

#define COMMANDS                                                                                                     \
	(VSSD_FAULT_AT(VSSD_FAULT_COMMAND) | VSSD_FAULT_AT(VSSD_FAULT_DATA) | VSSD_FAULT_AT(VSSD_FAULT_COMPLETION))
#define NOWHERE VSSD_FAULT_PLACES

/* A word of the text, cut into its parts: name[high:low] relation value. */
struct token {
	char text[VSSD_FAULT_TEXT];
	char *name;
	char *value; /* NULL: there is none */
	bool has_bits;
	uint8_t high;
	uint8_t low;
	enum vssd_fault_relation relation;
	bool strict; /* the relation is < or > */
};

struct parser {
	const char *text; /* of the whole rule */
	const char *at;
	struct vssd_fault_rule *rule;
	struct pyn_error *err;
	unsigned selected; /* the place that `on`, `register` or `config` selects; NOWHERE: a command's */
	const struct vssd_fault_action_word *action;
};

/* ---- errors ---- */

__attribute__((format(printf, 3, 4))) static int refuse(const struct parser *parser, const char *word,
							const char *format, ...)
{
	char why[PYN_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return pyn_error(parser->err, PYN_ERROR_ARGUMENT, EINVAL, "fault rule: \"%.40s\" %.120s; the rule is: %s",
			 word, why, parser->text);
}

static int wrong_value(const struct parser *parser, const struct token *token, enum vssd_fault_value kind)
{
	return refuse(parser, token->text, "must have %s", vssd_fault_value_help(kind));
}

/* ---- words ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static const char *name_end(const char *at)
{
	while (isalnum((unsigned char)*at) || *at == '-' || *at == '.' || *at == '_')
		at++;
	return at;
}

static bool take_number(char **at, uint8_t *number)
{
	unsigned value = 0, digits = 0;

	for (; isdigit((unsigned char)**at) && digits < 3; (*at)++, digits++)
		value = value * 10 + (unsigned)(**at - '0');
	*number = (uint8_t)value;
	return digits > 0 && value < 64;
}

/* Parse "[7]" or "[7:0]" at *at, if there is one. */
static bool take_bits(struct token *token, char **at)
{
	if (**at != '[')
		return true;
	**at = '\0';
	(*at)++;
	if (!take_number(at, &token->high))
		return false;
	token->low = token->high;
	if (**at == ':') {
		(*at)++;
		if (!take_number(at, &token->low))
			return false;
	}
	token->has_bits = true;
	return *(*at)++ == ']' && token->low <= token->high;
}

/* Parse the relation at *at, and end the name before it. */
static bool take_relation(struct token *token, char **at)
{
	static const struct {
		const char *text;
		enum vssd_fault_relation relation;
		bool strict;
	} relations[] = {
		{"!=", VSSD_FAULT_NE, false}, {">=", VSSD_FAULT_GE, false}, {"<=", VSSD_FAULT_LE, false},
		{"=", VSSD_FAULT_EQ, false},  {">", VSSD_FAULT_GE, true},   {"<", VSSD_FAULT_LE, true},
		{"&", VSSD_FAULT_AND, false},
	};

	for (unsigned i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
		size_t length = strlen(relations[i].text);

		if (strncmp(*at, relations[i].text, length) != 0)
			continue;
		token->relation = relations[i].relation;
		token->strict = relations[i].strict;
		**at = '\0';
		*at += length;
		return **at != '\0';
	}
	return false;
}

/* Take the next word. 1: the text has ended; or -EINVAL. token->text holds the word, the rest points into a copy. */
static int next_token(struct parser *parser, struct token *token, char copy[VSSD_FAULT_TEXT])
{
	size_t length = 0;
	char *at = copy;

	while (is_space(*parser->at))
		parser->at++;
	while (parser->at[length] && !is_space(parser->at[length]))
		length++;
	if (length == 0)
		return 1;
	memcpy(copy, parser->at, length);
	copy[length] = '\0';
	memcpy(token->text, copy, length + 1);
	parser->at += length;
	token->name = copy;
	token->value = NULL;
	token->has_bits = false;
	token->relation = VSSD_FAULT_EQ;
	token->strict = false;
	at = copy + (name_end(copy) - copy);
	if (at == copy || !take_bits(token, &at))
		return refuse(parser, token->text, "must be NAME, NAME=VALUE or NAME[HIGH:LOW]=VALUE");
	if (*at == '\0')
		return token->has_bits ? refuse(parser, token->text, "has no value") : 0;
	if (!take_relation(token, &at))
		return refuse(parser, token->text, "must be NAME, NAME=VALUE or NAME[HIGH:LOW]=VALUE");
	token->value = at;
	return 0;
}

/* ---- values ---- */

/* Parse the value of a word into it, and the bits that it selects. bits: the width of the subject. */
static int take_value(struct parser *parser, const struct token *token, enum vssd_fault_value kind, unsigned bits,
		      struct vssd_fault_word *word)
{
	word->relation = (uint8_t)token->relation;
	word->high = (uint8_t)(token->has_bits ? token->high : bits - 1);
	word->low = token->has_bits ? token->low : 0;
	if (word->high >= bits || (token->has_bits && !vssd_fault_value_is_number(kind)))
		return refuse(parser, token->text, "has no such bits");
	if (kind == VSSD_FAULT_FLAG && !token->value) {
		word->a = word->b = 1;
		return 0;
	}
	if (!token->value || !vssd_fault_value_parse(kind, token->value, &word->a, &word->b))
		return wrong_value(parser, token, kind);
	if ((token->relation == VSSD_FAULT_GE || token->relation == VSSD_FAULT_LE ||
	     token->relation == VSSD_FAULT_AND) &&
	    (!vssd_fault_value_is_number(kind) || word->a != word->b))
		return refuse(parser, token->text, "can only be compared by = or !=");
	if (token->strict && word->a == (token->relation == VSSD_FAULT_GE ? UINT64_MAX : 0))
		return refuse(parser, token->text, "never holds");
	if (token->strict)
		word->a = word->b = token->relation == VSSD_FAULT_GE ? word->a + 1 : word->a - 1;
	return 0;
}

static bool is_name(const char *text)
{
	return *text && *name_end(text) == '\0' && strlen(text) < VSSD_FAULT_NAME;
}

/* ---- conditions ---- */

/* The words before `do` that count: name, nth, every, chance and seed. 1: it is another word. */
static int take_selection(struct parser *parser, const struct token *token)
{
	struct vssd_fault_rule *rule = parser->rule;
	const struct {
		const char *name;
		enum vssd_fault_value value;
		uint64_t *to;
	} words[] = {
		{"nth", VSSD_FAULT_NUMBER, &rule->selection.nth},
		{"every", VSSD_FAULT_NUMBER, &rule->selection.every},
		{"chance", VSSD_FAULT_CHANCE, &rule->selection.chance},
		{"seed", VSSD_FAULT_NUMBER, &rule->selection.seed},
	};
	uint64_t end;

	if (strcmp(token->name, "name") == 0) {
		if (!token->value || token->relation != VSSD_FAULT_EQ || !is_name(token->value))
			return refuse(parser, token->text, "must be a name of letters, digits, - and ., up to %u",
				      VSSD_FAULT_NAME - 1);
		strcpy(rule->name, token->value);
		return 0;
	}
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(token->name, words[i].name) != 0)
			continue;
		if (!token->value || token->relation != VSSD_FAULT_EQ || token->has_bits ||
		    !vssd_fault_value_parse(words[i].value, token->value, words[i].to, &end) || *words[i].to != end ||
		    (*words[i].to == 0 && words[i].to != &rule->selection.seed))
			return refuse(parser, token->text, "must have %s",
				      words[i].value == VSSD_FAULT_CHANCE ? vssd_fault_value_help(words[i].value)
									  : "a number of at least 1");
		return 0;
	}
	return 1;
}

static int find_field(const char *name)
{
	for (size_t i = 0; i < vssd_fault_num_fields; i++)
		if (strcmp(vssd_fault_fields[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int find_subject(const char *name)
{
	for (unsigned i = 1; i < VSSD_FAULT_SUBJECTS; i++)
		if (strcmp(vssd_fault_subjects[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Parse the value of `after` or `since` if it names another rule. */
static bool take_other_rule(struct parser *parser, const struct token *token, struct vssd_fault_word *word)
{
	static const char prefix[] = "rule:";

	if (!token->value || strncmp(token->value, prefix, sizeof(prefix) - 1) != 0 ||
	    !is_name(token->value + sizeof(prefix) - 1) || parser->rule->other[0])
		return false;
	strcpy(parser->rule->other, token->value + sizeof(prefix) - 1);
	word->relation = (uint8_t)token->relation;
	word->high = 63;
	word->a = word->b = VSSD_FAULT_ON_RULE;
	return true;
}

/* The place that a condition selects; NOWHERE: none. */
static unsigned place_of(const struct vssd_fault_word *word)
{
	if (word->kind == VSSD_FAULT_REGISTER_IS)
		return VSSD_FAULT_REGISTER;
	if (word->kind == VSSD_FAULT_CONFIG_IS)
		return VSSD_FAULT_CONFIG;
	if (word->kind != VSSD_FAULT_ON)
		return NOWHERE;
	if (word->a >= VSSD_FAULT_ON_OPCODE)
		return VSSD_FAULT_COMPLETION;
	switch (word->a) {
	case VSSD_FAULT_ON_DOORBELL:
		return VSSD_FAULT_DOORBELL;
	case VSSD_FAULT_ON_INTERRUPT:
		return VSSD_FAULT_INTERRUPT;
	case VSSD_FAULT_ON_EVENT:
		return VSSD_FAULT_EVENT;
	case VSSD_FAULT_ON_POWER_UP:
	case VSSD_FAULT_ON_POWER_LOSS:
		return VSSD_FAULT_POWER;
	default:
		return VSSD_FAULT_RESET;
	}
}

static int take_condition(struct parser *parser, const struct token *token)
{
	struct vssd_fault_rule *rule = parser->rule;
	struct vssd_fault_word *word = &rule->when[rule->num_when];
	int subject = find_subject(token->name), field = find_field(token->name), result;
	enum vssd_fault_value value;
	unsigned bits = 64;

	/* `value` is a subject and a field; the fields of VSSD_FAULT_OTHER are only for set and add. */
	if (subject >= 0) {
		value = vssd_fault_subjects[subject].value;
	} else if (field > (int)VSSD_FAULT_FIELD_ADDRESS && vssd_fault_fields[field].entry == VSSD_FAULT_SQE) {
		value = vssd_fault_fields[field].value;
		bits = vssd_fault_fields[field].bits;
	} else {
		return refuse(parser, token->text,
			      "is no condition, such as opcode=read (vssd --faults-help lists all)");
	}
	if (rule->num_when == VSSD_FAULT_WORDS)
		return refuse(parser, token->text, "is one condition too many: a rule has at most %u",
			      VSSD_FAULT_WORDS);
	*word = (struct vssd_fault_word){
		.kind = (uint8_t)(subject >= 0 ? subject : VSSD_FAULT_FIELD),
		.field = (uint8_t)(subject >= 0 ? 0 : field),
	};
	rule->num_when++;
	if ((subject == VSSD_FAULT_AFTER || subject == VSSD_FAULT_SINCE) && take_other_rule(parser, token, word))
		return 0;
	result = take_value(parser, token, value, bits, word);
	if (!result && subject == VSSD_FAULT_ON && word->relation != VSSD_FAULT_EQ)
		return refuse(parser, token->text, "must be on=, with one event");
	if (!result && place_of(word) != NOWHERE) {
		if (parser->selected != NOWHERE)
			return refuse(parser, token->text, "is a second place, and a rule has one");
		parser->selected = place_of(word);
	}
	return result;
}

/* ---- the action ---- */

static bool fits(const struct vssd_fault_action_word *action, const char *name, unsigned selected)
{
	return strcmp(action->name, name) == 0 &&
	       action->places & (selected == NOWHERE ? COMMANDS : VSSD_FAULT_AT(selected));
}

static int take_action(struct parser *parser, const struct token *token)
{
	struct vssd_fault_rule *rule = parser->rule;
	bool known = false;

	for (size_t i = 0; i < vssd_fault_num_actions && !parser->action; i++) {
		known |= strcmp(vssd_fault_actions[i].name, token->name) == 0;
		if (fits(&vssd_fault_actions[i], token->name, parser->selected))
			parser->action = &vssd_fault_actions[i];
	}
	if (!parser->action && known)
		return refuse(parser, token->text, "%s",
			      parser->selected == NOWHERE
				      ? "is no action of a command: it needs on=, register= or config="
				      : "is no action at this place");
	if (!parser->action)
		return refuse(parser, token->text, "is no action (vssd --faults-help lists all)");
	rule->action = (uint8_t)parser->action->action;
	rule->place = (uint8_t)(parser->selected == NOWHERE ? (unsigned)parser->action->place : parser->selected);
	if (parser->action->value == VSSD_FAULT_NOTHING)
		return token->value ? refuse(parser, token->text, "takes no value") : 0;
	if (!token->value || token->relation != VSSD_FAULT_EQ || token->has_bits ||
	    !vssd_fault_value_parse(parser->action->value, token->value, &rule->a, &rule->b) ||
	    (rule->a != rule->b && parser->action->value != VSSD_FAULT_TIME &&
	     parser->action->action != VSSD_FAULT_LEAVE))
		return wrong_value(parser, token, parser->action->value);
	return 0;
}

/* Check that a field of `set` or `add` is one of this place. The first one decides between command and completion. */
static int check_field(struct parser *parser, const struct token *token, unsigned field)
{
	struct vssd_fault_rule *rule = parser->rule;
	bool is_first = rule->num_how == 0;
	enum vssd_fault_entry entry = vssd_fault_fields[field].entry;

	if (is_first && rule->place == VSSD_FAULT_COMMAND && entry == VSSD_FAULT_CQE)
		rule->place = VSSD_FAULT_COMPLETION;
	if (rule->place == VSSD_FAULT_COMMAND && (entry == VSSD_FAULT_SQE || field == VSSD_FAULT_FIELD_ADDRESS))
		return 0;
	if (rule->place == VSSD_FAULT_COMPLETION && entry == VSSD_FAULT_CQE)
		return 0;
	if (rule->place > VSSD_FAULT_COMPLETION && field == VSSD_FAULT_FIELD_VALUE)
		return 0;
	return refuse(parser, token->text, "%s",
		      rule->place > VSSD_FAULT_COMPLETION
			      ? "must be value here"
			      : "must be a field of the command, or only of its completion");
}

static int check_how(struct parser *parser, const struct token *token, const struct vssd_fault_word *word)
{
	static const uint64_t most[VSSD_FAULT_KEYS] = {
		[VSSD_FAULT_KEY_CRD] = 3,           [VSSD_FAULT_KEY_BIT] = 7,
		[VSSD_FAULT_KEY_SIZE] = UINT32_MAX, [VSSD_FAULT_KEY_AT] = UINT32_MAX,
		[VSSD_FAULT_KEY_BYTE] = UINT32_MAX, [VSSD_FAULT_KEY_FROM] = UINT32_MAX,
		[VSSD_FAULT_KEY_TORN] = 4095,       [VSSD_FAULT_KEY_PAIR] = UINT32_MAX,
		[VSSD_FAULT_KEY_BACK] = 250,        [VSSD_FAULT_KEY_EACH] = UINT32_MAX,
	};

	if (most[word->kind] && word->a > most[word->kind])
		return refuse(parser, token->text, "must be at most %llu", (unsigned long long)most[word->kind]);
	if ((word->kind == VSSD_FAULT_KEY_SIZE || word->kind == VSSD_FAULT_KEY_BACK ||
	     word->kind == VSSD_FAULT_KEY_EACH) &&
	    word->a == 0)
		return refuse(parser, token->text, "must be at least 1");
	if (word->a != word->b && word->kind != VSSD_FAULT_KEY_DELAY && word->kind != VSSD_FAULT_KEY_GAP)
		return refuse(parser, token->text, "cannot be a range");
	return 0;
}

static int take_count(struct parser *parser, const struct token *token)
{
	uint64_t *count = &parser->rule->selection.count, end;

	if (!token->value || token->relation != VSSD_FAULT_EQ || token->has_bits ||
	    !vssd_fault_value_parse(VSSD_FAULT_NUMBER, token->value, count, &end) || *count != end || *count == 0)
		return refuse(parser, token->text, "must have a number of at least 1");
	return 0;
}

/* Parse a word after the action. */
static int take_how(struct parser *parser, const struct token *token)
{
	struct vssd_fault_rule *rule = parser->rule;
	struct vssd_fault_word *word = &rule->how[rule->num_how];
	int key = 0, field = find_field(token->name), result;
	unsigned bits = 64;
	enum vssd_fault_value value = VSSD_FAULT_NOTHING;

	if (strcmp(token->name, "count") == 0)
		return take_count(parser, token);
	for (int i = 1; i < VSSD_FAULT_KEYS; i++)
		if (parser->action->keys >> i & 1 && strcmp(vssd_fault_keys[i].name, token->name) == 0)
			key = i;
	if (key) {
		value = vssd_fault_keys[key].value;
		field = 0;
	} else if (parser->action->keys & 1 && field >= 0) {
		value = vssd_fault_fields[field].value;
		bits = vssd_fault_fields[field].bits;
		if (value == VSSD_FAULT_HEX || value == VSSD_FAULT_NUMBER)
			value = rule->action == VSSD_FAULT_ADD ? VSSD_FAULT_SIGNED : value;
	} else {
		return refuse(parser, token->text, "does not follow %s", parser->action->name);
	}
	if (token->relation != VSSD_FAULT_EQ || (key && token->has_bits))
		return refuse(parser, token->text, "must be NAME=VALUE");
	if (rule->num_how == VSSD_FAULT_WORDS)
		return refuse(parser, token->text, "is one word too many: at most %u can follow an action",
			      VSSD_FAULT_WORDS);
	*word = (struct vssd_fault_word){.kind = (uint8_t)key, .field = (uint8_t)field};
	if (!key) {
		result = check_field(parser, token, (unsigned)field);
		if (result)
			return result;
	}
	/* The bits of a field that add changes may be selected, although its value may be negative. */
	if (value == VSSD_FAULT_SIGNED && token->has_bits) {
		struct token whole = *token;

		if (token->high >= bits)
			return refuse(parser, token->text, "has no such bits");
		whole.has_bits = false;
		result = take_value(parser, &whole, value, bits, word);
		word->high = token->high;
		word->low = token->low;
	} else {
		result = take_value(parser, token, value, bits, word);
	}
	if (!result)
		result = check_how(parser, token, word);
	rule->num_how++;
	return result;
}

/* ---- the whole rule ---- */

static const struct vssd_fault_word *condition(const struct vssd_fault_rule *rule, enum vssd_fault_subject subject)
{
	for (unsigned i = 0; i < rule->num_when; i++)
		if (rule->when[i].kind == subject)
			return &rule->when[i];
	return NULL;
}

static bool is_out_of_band(const struct vssd_fault_rule *rule)
{
	const struct vssd_fault_word *queue = condition(rule, VSSD_FAULT_QUEUE);

	return queue && queue->a == VSSD_FAULT_QUEUE_OUT_OF_BAND;
}

/* Complete an opcode that is a number with its table, which the queue tells. */
static int resolve_opcode(struct parser *parser)
{
	struct vssd_fault_rule *rule = parser->rule;
	const struct vssd_fault_word *queue = condition(rule, VSSD_FAULT_QUEUE);
	struct vssd_fault_word *opcode = (struct vssd_fault_word *)condition(rule, VSSD_FAULT_OPCODE);

	if (!opcode || !(opcode->a & VSSD_FAULT_ANY_TABLE))
		return 0;
	if (!queue || queue->relation != VSSD_FAULT_EQ)
		return refuse(parser, "opcode", "is a number: add queue=admin or queue=io, or use a name");
	opcode->a = opcode->b = (opcode->a & 0xff) | vssd_fault_table(queue->a) << 8;
	return 0;
}

static int check_conditions(struct parser *parser)
{
	const struct vssd_fault_rule *rule = parser->rule;
	const struct vssd_fault_word *event = NULL;

	for (unsigned i = 0; i < rule->num_when; i++) {
		const struct vssd_fault_subject_word *subject = &vssd_fault_subjects[rule->when[i].kind];
		const char *name = subject->name ? subject->name : vssd_fault_fields[rule->when[i].field].name;

		if (!(subject->places & VSSD_FAULT_AT(rule->place)))
			return refuse(parser, name, "is not known where \"%s\" acts", parser->action->name);
		if (rule->when[i].kind == VSSD_FAULT_AFTER || rule->when[i].kind == VSSD_FAULT_SINCE)
			event = &rule->when[i];
		else if ((rule->when[i].kind == VSSD_FAULT_WITHIN || rule->when[i].kind == VSSD_FAULT_BEYOND) &&
			 (!condition(rule, VSSD_FAULT_AFTER) && !condition(rule, VSSD_FAULT_SINCE)))
			return refuse(parser, name, "needs after= or since=");
	}
	if (is_out_of_band(rule) && (rule->action == VSSD_FAULT_EARLY || rule->action == VSSD_FAULT_SPLIT))
		return refuse(parser, parser->action->name, "needs a queue: queue=out-of-band has none");
	if (condition(rule, VSSD_FAULT_AFTER) && condition(rule, VSSD_FAULT_SINCE))
		return refuse(parser, "since", "and after: a rule can have only one of them");
	(void)event;
	return resolve_opcode(parser);
}

/* Check what is possible at a loss of power, and when it returns. */
static int check_power(struct parser *parser)
{
	const struct vssd_fault_rule *rule = parser->rule;
	const struct vssd_fault_word *on = condition(rule, VSSD_FAULT_ON);
	bool loses = on && on->a == VSSD_FAULT_ON_POWER_LOSS;

	if (rule->place != VSSD_FAULT_POWER)
		return 0;
	if (rule->action == VSSD_FAULT_CACHE && !loses)
		return refuse(parser, parser->action->name, "needs on=power-loss");
	if (rule->action != VSSD_FAULT_CACHE && rule->action != VSSD_FAULT_DEFECT && loses)
		return refuse(parser, parser->action->name, "cannot happen without power: use on=power-up");
	if (loses && vssd_fault_how(rule, VSSD_FAULT_KEY_DELAY))
		return refuse(parser, "delay", "cannot be, without power: use on=power-up");
	return 0;
}

static int check_action(struct parser *parser)
{
	const struct vssd_fault_rule *rule = parser->rule;
	uint64_t found = 0;

	for (unsigned i = 0; i < rule->num_how; i++)
		found |= UINT64_C(1) << rule->how[i].kind;
	if (parser->action->required && !(found & parser->action->required))
		return refuse(parser, parser->action->name, "needs more words, as in: %s", parser->action->example);
	if (rule->action == VSSD_FAULT_BYTES_ARE && !(found >> VSSD_FAULT_KEY_FREEZE & 1) &&
	    vssd_fault_how_number(rule, VSSD_FAULT_KEY_SIZE, 1) > 8)
		return refuse(parser, "size", "must be 1 to 8, or 1 to 4096 with freeze");
	if (vssd_fault_how_number(rule, VSSD_FAULT_KEY_FREEZE, 0) &&
	    vssd_fault_how_number(rule, VSSD_FAULT_KEY_SIZE, 1) > 4096)
		return refuse(parser, "size", "must be at most 4096");
	if ((rule->action == VSSD_FAULT_ROUND || rule->action == VSSD_FAULT_NEIGHBOURS) &&
	    (rule->a == 0 || rule->a > 1u << 20 || (rule->a & (rule->a - 1))))
		return refuse(parser, parser->action->name, "must be a power of two, at most 1M");
	if (found >> VSSD_FAULT_KEY_AT & 1 && rule->place != VSSD_FAULT_COMMAND &&
	    (rule->action == VSSD_FAULT_POWER_OFF || rule->action == VSSD_FAULT_POWER_CYCLE))
		return refuse(parser, "at", "names bytes of a command, and there is none");
	if ((rule->action == VSSD_FAULT_SPLIT || rule->action == VSSD_FAULT_PACE) && rule->a == 0)
		return refuse(parser, parser->action->name, "must be at least 1");
	if (rule->action == VSSD_FAULT_RAISE_INTERRUPT && rule->a > 64)
		return refuse(parser, "interrupt", "must be 0 to 64");
	if (rule->action == VSSD_FAULT_STORM && (rule->a == 0 || rule->a > 1000))
		return refuse(parser, "storm", "must be 1 to 1000");
	return check_power(parser) ? -EINVAL : check_conditions(parser);
}

static int parse(struct parser *parser)
{
	static struct token token; /* too large for a stack; there is one thread */
	static char copy[VSSD_FAULT_TEXT];
	int result;

	while ((result = next_token(parser, &token, copy)) == 0) {
		if (!token.value && !token.has_bits && strcmp(token.name, "do") == 0)
			break;
		result = take_selection(parser, &token);
		if (result == 1)
			result = take_condition(parser, &token);
		if (result)
			return result;
	}
	if (result == 1)
		return refuse(parser, "do", "is missing: [conditions] do ACTION");
	if (result)
		return result;
	result = next_token(parser, &token, copy);
	if (result == 1)
		return refuse(parser, "do", "has no action after it");
	if (!result)
		result = take_action(parser, &token);
	while (!result && (result = next_token(parser, &token, copy)) == 0)
		result = take_how(parser, &token);
	return result == 1 ? check_action(parser) : result;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text != '\t' && (*text < ' ' || *text > '~'))
			return false;
	return true;
}

int vssd_fault_parse(const char *text, struct vssd_fault_rule *rule, struct pyn_error *err)
{
	struct parser parser = {.text = text, .at = text, .rule = rule, .err = err, .selected = NOWHERE};

	memset(rule, 0, sizeof(*rule));
	/* A printed rule can be longer than the text it was made from, but not twice as long. */
	if (strlen(text) >= VSSD_FAULT_TEXT / 2)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "fault rule: it is longer than %u characters: %.60s…", VSSD_FAULT_TEXT / 2 - 1,
				 text);
	if (!is_printable(text))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "fault rule: a rule is one line of ASCII characters");
	return parse(&parser);
}
