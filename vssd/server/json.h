/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of JSON (RFC 8259) that VERSION needs: find a member of an object. The text may be malformed. */
#ifndef VSSD_SERVER_JSON_H
#define VSSD_SERVER_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* A part of the caller's text, end not included. It holds no NUL. */
struct vssd_json {
	const char *begin;
	const char *end;
};

/* Whether the text is a single well-formed object, at most 16 levels deep, with only white space around it. */
bool vssd_json_is_object(struct vssd_json text);

/* Find the first member with this key (without escapes) in such an object. False: there is none. */
bool vssd_json_member(struct vssd_json object, const char *key, struct vssd_json *value);

/* Get the value as an integer ≥ 0; one that is too large becomes UINT64_MAX. False: it is no such integer. */
bool vssd_json_number(struct vssd_json value, uint64_t *number);

#endif
