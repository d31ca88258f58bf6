/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of tokens, by which the host calls methods and gets their results. TCG Storage Architecture Core
 * Specification 2.01, section 3.2.2. A reader accepts any bytes.
 */
#ifndef VSSD_TCG_TOKEN_H
#define VSSD_TCG_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vssd_tcg_token {
	VSSD_TCG_START_LIST = 0xf0,
	VSSD_TCG_END_LIST = 0xf1,
	VSSD_TCG_START_NAME = 0xf2,
	VSSD_TCG_END_NAME = 0xf3,
	VSSD_TCG_CALL = 0xf8,
	VSSD_TCG_END_OF_DATA = 0xf9,
	VSSD_TCG_END_OF_SESSION = 0xfa,
	VSSD_TCG_START_TRANSACTION = 0xfb,
	VSSD_TCG_END_TRANSACTION = 0xfc,
	VSSD_TCG_EMPTY = 0xff,
};

/* What the next token is. */
enum vssd_tcg_kind {
	VSSD_TCG_NOTHING, /* the end of the stream, or bytes that are no token */
	VSSD_TCG_UINT,
	VSSD_TCG_BYTES,
	VSSD_TCG_SIGNED, /* a signed integer, which no method of this drive takes */
	VSSD_TCG_CONTROL,
};

struct vssd_tcg_atom {
	enum vssd_tcg_kind kind;
	uint64_t value; /* of an integer; of a control token: the token */
	const uint8_t *bytes;
	uint32_t length;
};

struct vssd_tcg_reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* Read the next token; empty atoms are skipped. */
struct vssd_tcg_atom vssd_tcg_next(struct vssd_tcg_reader *reader);

/* Look at the next token without consuming it. */
struct vssd_tcg_atom vssd_tcg_peek(const struct vssd_tcg_reader *reader);

/* Consume the next token if it is this control token, an integer, or bytes. False: it is something else, and is not
 * consumed. */
bool vssd_tcg_take(struct vssd_tcg_reader *reader, enum vssd_tcg_token token);
bool vssd_tcg_take_uint(struct vssd_tcg_reader *reader, uint64_t *value);
bool vssd_tcg_take_bytes(struct vssd_tcg_reader *reader, const uint8_t **bytes, uint32_t *length);

/* Consume a UID, which is 8 bytes. */
bool vssd_tcg_take_uid(struct vssd_tcg_reader *reader, uint64_t *uid);

/* Consume an integer that is 0 or 1. */
bool vssd_tcg_take_bool(struct vssd_tcg_reader *reader, bool *value);

/* Consume one value with all that it contains: an atom, a list, or a named value. */
bool vssd_tcg_skip(struct vssd_tcg_reader *reader);

/* Where a stream is written. Tokens that do not fit are left out, and full is set. */
struct vssd_tcg_writer {
	uint8_t *bytes;
	uint32_t length;
	uint32_t size;
	bool full;
};

void vssd_tcg_put(struct vssd_tcg_writer *writer, enum vssd_tcg_token token);
void vssd_tcg_put_uint(struct vssd_tcg_writer *writer, uint64_t value);
void vssd_tcg_put_bytes(struct vssd_tcg_writer *writer, const void *bytes, uint32_t length);
void vssd_tcg_put_text(struct vssd_tcg_writer *writer, const char *text);
void vssd_tcg_put_uid(struct vssd_tcg_writer *writer, uint64_t uid);

/* Big-endian numbers. */
uint64_t vssd_tcg_get_be(const uint8_t *at, unsigned bytes);
void vssd_tcg_put_be(uint8_t *at, unsigned bytes, uint64_t value);

#endif
