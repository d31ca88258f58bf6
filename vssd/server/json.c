/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/server/json.h"

#include <stddef.h>
#include <string.h>

#define DEPTH_MAX 16u

static bool skip_value(struct vssd_json *rest, unsigned depth);

static void skip_blanks(struct vssd_json *rest)
{
	while (rest->begin < rest->end && strchr(" \t\r\n", *rest->begin))
		rest->begin++;
}

/* Skip white space, and return the next character without consuming it; NUL at the end. */
static char peek(struct vssd_json *rest)
{
	skip_blanks(rest);
	return rest->begin < rest->end ? *rest->begin : '\0';
}

static bool skip_character(struct vssd_json *rest, char wanted)
{
	if (peek(rest) != wanted)
		return false;
	rest->begin++;
	return true;
}

static bool skip_string(struct vssd_json *rest)
{
	if (!skip_character(rest, '"'))
		return false;
	while (rest->begin < rest->end) {
		char c = *rest->begin++;

		if (c == '"')
			return true;
		if ((unsigned char)c < ' ')
			return false;
		if (c == '\\' && rest->begin < rest->end)
			rest->begin++;
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool skip_digits(struct vssd_json *rest)
{
	const char *first = rest->begin;

	while (rest->begin < rest->end && is_digit(*rest->begin))
		rest->begin++;
	return rest->begin > first;
}

static bool skip_any_of(struct vssd_json *rest, const char *characters)
{
	if (rest->begin == rest->end || !strchr(characters, *rest->begin))
		return false;
	rest->begin++;
	return true;
}

static bool skip_number(struct vssd_json *rest)
{
	skip_any_of(rest, "-");
	if (!skip_digits(rest))
		return false;
	if (skip_any_of(rest, ".") && !skip_digits(rest))
		return false;
	if (!skip_any_of(rest, "eE"))
		return true;
	skip_any_of(rest, "+-");
	return skip_digits(rest);
}

static bool skip_word(struct vssd_json *rest, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(rest->end - rest->begin) < length || memcmp(rest->begin, word, length) != 0)
		return false;
	rest->begin += length;
	return true;
}

/* Skip the members of an object, or the elements of an array, up to the closing bracket. */
static bool skip_list(struct vssd_json *rest, char close, unsigned depth)
{
	rest->begin++;
	if (depth == 0)
		return false;
	if (skip_character(rest, close))
		return true;
	do {
		if (close == '}' && !(skip_string(rest) && skip_character(rest, ':')))
			return false;
		if (!skip_value(rest, depth - 1))
			return false;
	} while (skip_character(rest, ','));
	return skip_character(rest, close);
}

static bool skip_value(struct vssd_json *rest, unsigned depth)
{
	switch (peek(rest)) {
	case '{':
		return skip_list(rest, '}', depth);
	case '[':
		return skip_list(rest, ']', depth);
	case '"':
		return skip_string(rest);
	case 't':
		return skip_word(rest, "true");
	case 'f':
		return skip_word(rest, "false");
	case 'n':
		return skip_word(rest, "null");
	default:
		return skip_number(rest);
	}
}

bool vssd_json_is_object(struct vssd_json text)
{
	if (peek(&text) != '{' || !skip_value(&text, DEPTH_MAX))
		return false;
	skip_blanks(&text);
	return text.begin == text.end;
}

bool vssd_json_member(struct vssd_json object, const char *key, struct vssd_json *value)
{
	size_t length = strlen(key);

	if (!skip_character(&object, '{'))
		return false;
	do {
		struct vssd_json name;

		skip_blanks(&object);
		name.begin = object.begin + 1;
		if (!skip_string(&object))
			return false;
		name.end = object.begin - 1;
		if (!skip_character(&object, ':'))
			return false;
		skip_blanks(&object);
		value->begin = object.begin;
		if (!skip_value(&object, DEPTH_MAX))
			return false;
		value->end = object.begin;
		if ((size_t)(name.end - name.begin) == length && memcmp(name.begin, key, length) == 0)
			return true;
	} while (skip_character(&object, ','));
	return false;
}

bool vssd_json_number(struct vssd_json value, uint64_t *number)
{
	*number = 0;
	for (const char *c = value.begin; c < value.end; c++) {
		if (!is_digit(*c))
			return false;
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(*c - '0'), number)) {
			*number = UINT64_MAX;
			return true;
		}
	}
	return value.begin < value.end;
}
