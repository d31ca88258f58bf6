/* SPDX-License-Identifier: BSD-3-Clause */
/* As much of JSON (RFC 8259) as VERSION needs: find a member of an object, in a text that may be anything. */
#ifndef VSSD_SERVER_JSON_H
#define VSSD_SERVER_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* A part of the caller's text, end not included. It holds no NUL. */
struct vssd_json {
	const char *begin;
	const char *end;
};

/* Whether the text is one object, well-formed as a whole and at most 16 levels deep, with blanks around it at most.
 */
bool vssd_json_is_object(struct vssd_json text);

/* Find a member of such an object by its key (without escapes in it); of equal ones the first. False: none. */
bool vssd_json_member(struct vssd_json object, const char *key, struct vssd_json *value);

/* The value as an integer ≥ 0; one that is too large becomes UINT64_MAX. False: it is something else. */
bool vssd_json_number(struct vssd_json value, uint64_t *number);

#endif
