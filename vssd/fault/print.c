/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/parse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "vssd/fault/words.h"

struct text {
	char *at;
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	size_t room = VSSD_FAULT_TEXT - text->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->at + text->length, room, format, args);
	va_end(args);
	text->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void add_bits(struct text *text, const struct vssd_fault_word *word, unsigned bits)
{
	if (word->low == 0 && word->high == bits - 1)
		return;
	if (word->low == word->high)
		add(text, "[%u]", word->high);
	else
		add(text, "[%u:%u]", word->high, word->low);
}

static void add_condition(struct text *text, const struct vssd_fault_rule *rule, const struct vssd_fault_word *word)
{
	static const char *const relations[] = {"=", "!=", ">=", "<=", "&"};
	bool is_field = word->kind == VSSD_FAULT_FIELD;
	const struct vssd_fault_field *field = &vssd_fault_fields[word->field];
	char value[VSSD_FAULT_VALUE_TEXT];

	add(text, "%s", is_field ? field->name : vssd_fault_subjects[word->kind].name);
	add_bits(text, word, is_field ? field->bits : 64);
	if ((word->kind == VSSD_FAULT_AFTER || word->kind == VSSD_FAULT_SINCE) && word->a == VSSD_FAULT_ON_RULE) {
		add(text, "%srule:%s ", relations[word->relation], rule->other);
		return;
	}
	vssd_fault_value_print(is_field ? field->value : vssd_fault_subjects[word->kind].value, word->a, word->b,
			       value);
	add(text, "%s%s ", relations[word->relation], value);
}

static void add_selection(struct text *text, const struct vssd_fault_selection *selection)
{
	char value[VSSD_FAULT_VALUE_TEXT];

	if (selection->nth)
		add(text, "nth=%" PRIu64 " ", selection->nth);
	if (selection->every)
		add(text, "every=%" PRIu64 " ", selection->every);
	if (selection->chance) {
		vssd_fault_value_print(VSSD_FAULT_CHANCE, selection->chance, selection->chance, value);
		add(text, "chance=%s ", value);
	}
	if (selection->seed)
		add(text, "seed=%" PRIu64 " ", selection->seed);
}

static void add_how(struct text *text, const struct vssd_fault_rule *rule, const struct vssd_fault_word *word)
{
	const struct vssd_fault_field *field = &vssd_fault_fields[word->field];
	enum vssd_fault_value kind = vssd_fault_keys[word->kind].value;
	char value[VSSD_FAULT_VALUE_TEXT];

	if (word->kind == VSSD_FAULT_KEY_FIELD) {
		add(text, " %s", field->name);
		add_bits(text, word, field->bits);
		kind = rule->action == VSSD_FAULT_ADD && vssd_fault_value_is_number(field->value) ? VSSD_FAULT_SIGNED
												  : field->value;
	} else {
		add(text, " %s", vssd_fault_keys[word->kind].name);
	}
	if (kind == VSSD_FAULT_FLAG && word->a == 1)
		return;
	vssd_fault_value_print(kind, word->a, word->b, value);
	add(text, "=%s", value);
}

static const struct vssd_fault_action_word *action_of(const struct vssd_fault_rule *rule)
{
	const struct vssd_fault_action_word *action = vssd_fault_actions;

	while (action->action != rule->action)
		action++;
	return action;
}

size_t vssd_fault_print(const struct vssd_fault_rule *rule, char buffer[VSSD_FAULT_TEXT])
{
	struct text text = {buffer, 0};
	const struct vssd_fault_action_word *action = action_of(rule);
	char value[VSSD_FAULT_VALUE_TEXT];

	if (rule->name[0])
		add(&text, "name=%s ", rule->name);
	for (unsigned i = 0; i < rule->num_when; i++)
		add_condition(&text, rule, &rule->when[i]);
	add_selection(&text, &rule->selection);
	add(&text, "do %s", action->name);
	if (action->value != VSSD_FAULT_NOTHING) {
		vssd_fault_value_print(action->value, rule->a, rule->b, value);
		add(&text, "=%s", value);
	}
	for (unsigned i = 0; i < rule->num_how; i++)
		add_how(&text, rule, &rule->how[i]);
	if (rule->selection.count)
		add(&text, " count=%" PRIu64, rule->selection.count);
	return text.length;
}

/* ---- all words ---- */

static const char *const place_names[VSSD_FAULT_PLACES] = {
	"command", "data", "completion", "register", "config", "doorbell", "interrupt", "event", "reset", "power",
};

static void print_string(FILE *file, const char *key, const char *value)
{
	fprintf(file, "\"%s\": \"", key);
	for (; *value; value++)
		fprintf(file, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	fputc('"', file);
}

static void print_places(FILE *file, unsigned places)
{
	bool first = true;

	fprintf(file, ", \"places\": [");
	for (unsigned i = 0; i < VSSD_FAULT_PLACES; i++)
		if (places >> i & 1) {
			fprintf(file, "%s\"%s\"", first ? "" : ", ", place_names[i]);
			first = false;
		}
	fputc(']', file);
}

static void print_word(FILE *file, bool first, const char *name, enum vssd_fault_value value, const char *help)
{
	fprintf(file, "%s\n  {", first ? "" : ",");
	print_string(file, "name", name);
	fputs(", ", file);
	print_string(file, "takes", vssd_fault_value_help(value));
	fputs(", ", file);
	print_string(file, "help", help);
}

static void print_action(FILE *file, bool first, const struct vssd_fault_action_word *action)
{
	bool before = false;

	print_word(file, first, action->name, action->value, action->help);
	fputs(", ", file);
	print_string(file, "example", action->example);
	fputs(", \"words\": [", file);
	for (unsigned key = 1; key < VSSD_FAULT_KEYS; key++)
		if (action->keys >> key & 1) {
			fprintf(file, "%s\"%s\"", before ? ", " : "", vssd_fault_keys[key].name);
			before = true;
		}
	fputc(']', file);
	print_places(file, action->places);
	fputc('}', file);
}

void vssd_fault_print_words(FILE *file)
{
	static const char *const entries[] = {"command", "completion", "other"};

	fputs("{\"conditions\": [", file);
	for (unsigned i = 1; i < VSSD_FAULT_SUBJECTS; i++) {
		print_word(file, i == 1, vssd_fault_subjects[i].name, vssd_fault_subjects[i].value,
			   vssd_fault_subjects[i].help);
		print_places(file, vssd_fault_subjects[i].places);
		fputc('}', file);
	}
	fputs("],\n\"fields\": [", file);
	for (size_t i = 0; i < vssd_fault_num_fields; i++) {
		print_word(file, i == 0, vssd_fault_fields[i].name, vssd_fault_fields[i].value,
			   vssd_fault_fields[i].help);
		fprintf(file, ", \"bits\": %u, ", vssd_fault_fields[i].bits);
		print_string(file, "of", entries[vssd_fault_fields[i].entry]);
		fputc('}', file);
	}
	fputs("],\n\"actions\": [", file);
	for (size_t i = 0; i < vssd_fault_num_actions; i++)
		print_action(file, i == 0, &vssd_fault_actions[i]);
	fputs("],\n\"words\": [", file);
	for (unsigned i = 1; i < VSSD_FAULT_KEYS; i++) {
		print_word(file, i == 1, vssd_fault_keys[i].name, vssd_fault_keys[i].value, vssd_fault_keys[i].help);
		fputc('}', file);
	}
	fputs("]}\n", file);
}
