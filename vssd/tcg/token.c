/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/tcg/token.h"

#include <string.h>

#define MOST_SHORT 15u
#define MOST_MEDIUM 2047u

uint64_t vssd_tcg_get_be(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

void vssd_tcg_put_be(uint8_t *at, unsigned bytes, uint64_t value)
{
	for (unsigned i = bytes; i > 0; i--) {
		at[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

/* ---- reading ---- */

/* The header of an atom that is longer than one byte. */
struct header {
	unsigned length; /* of the header itself */
	bool is_bytes;
	bool is_signed;
	uint32_t content;
};

/* Parse a header. length 0: the stream ends within it, or this is no atom. */
static struct header header_of(const struct vssd_tcg_reader *reader)
{
	size_t left = (size_t)(reader->end - reader->at);
	uint8_t first = reader->at[0];

	if (first < 0xc0)
		return (struct header){1, first & 0x20, first & 0x10, first & 0x0fu};
	if (first < 0xe0)
		return (struct header){left < 2 ? 0 : 2, first & 0x10, first & 0x08,
				       left < 2 ? 0 : (first & 0x07u) << 8 | reader->at[1]};
	return (struct header){left < 4 ? 0 : 4, first & 0x02, first & 0x01,
			       left < 4 ? 0 : (uint32_t)vssd_tcg_get_be(reader->at + 1, 3)};
}

/* Read an atom that has a header. */
static struct vssd_tcg_atom read_atom(struct vssd_tcg_reader *reader)
{
	struct header header = header_of(reader);
	struct vssd_tcg_atom atom = {.kind = VSSD_TCG_NOTHING};

	if (header.length == 0 || header.content > (size_t)(reader->end - reader->at) - header.length ||
	    (!header.is_bytes && (header.content == 0 || header.content > 8))) {
		reader->at = reader->end;
		return atom;
	}
	reader->at += header.length;
	atom.bytes = reader->at;
	atom.length = header.content;
	reader->at += header.content;
	if (header.is_bytes) {
		atom.kind = VSSD_TCG_BYTES;
	} else {
		atom.kind = header.is_signed ? VSSD_TCG_SIGNED : VSSD_TCG_UINT;
		atom.value = vssd_tcg_get_be(atom.bytes, header.content);
	}
	return atom;
}

struct vssd_tcg_atom vssd_tcg_next(struct vssd_tcg_reader *reader)
{
	struct vssd_tcg_atom atom = {.kind = VSSD_TCG_NOTHING};
	uint8_t first;

	while (reader->at < reader->end && *reader->at == VSSD_TCG_EMPTY)
		reader->at++;
	if (reader->at == reader->end)
		return atom;
	first = *reader->at;
	if (first >= 0x80 && first < 0xe4)
		return read_atom(reader);
	reader->at++;
	if (first < 0x80) {
		atom.kind = first & 0x40 ? VSSD_TCG_SIGNED : VSSD_TCG_UINT;
		atom.value = first & 0x3f;
	} else if (first >= VSSD_TCG_START_LIST) {
		atom.kind = VSSD_TCG_CONTROL;
		atom.value = first;
	}
	return atom;
}

struct vssd_tcg_atom vssd_tcg_peek(const struct vssd_tcg_reader *reader)
{
	struct vssd_tcg_reader copy = *reader;

	return vssd_tcg_next(&copy);
}

bool vssd_tcg_take(struct vssd_tcg_reader *reader, enum vssd_tcg_token token)
{
	struct vssd_tcg_reader copy = *reader;
	struct vssd_tcg_atom atom = vssd_tcg_next(&copy);

	if (atom.kind != VSSD_TCG_CONTROL || atom.value != (uint64_t)token)
		return false;
	*reader = copy;
	return true;
}

bool vssd_tcg_take_uint(struct vssd_tcg_reader *reader, uint64_t *value)
{
	struct vssd_tcg_reader copy = *reader;
	struct vssd_tcg_atom atom = vssd_tcg_next(&copy);

	if (atom.kind != VSSD_TCG_UINT)
		return false;
	*value = atom.value;
	*reader = copy;
	return true;
}

bool vssd_tcg_take_bytes(struct vssd_tcg_reader *reader, const uint8_t **bytes, uint32_t *length)
{
	struct vssd_tcg_reader copy = *reader;
	struct vssd_tcg_atom atom = vssd_tcg_next(&copy);

	if (atom.kind != VSSD_TCG_BYTES)
		return false;
	*bytes = atom.bytes;
	*length = atom.length;
	*reader = copy;
	return true;
}

bool vssd_tcg_take_uid(struct vssd_tcg_reader *reader, uint64_t *uid)
{
	struct vssd_tcg_reader copy = *reader;
	const uint8_t *bytes;
	uint32_t length;

	if (!vssd_tcg_take_bytes(&copy, &bytes, &length) || length != 8)
		return false;
	*uid = vssd_tcg_get_be(bytes, 8);
	*reader = copy;
	return true;
}

bool vssd_tcg_take_bool(struct vssd_tcg_reader *reader, bool *value)
{
	uint64_t number;

	if (!vssd_tcg_take_uint(reader, &number) || number > 1)
		return false;
	*value = number;
	return true;
}

bool vssd_tcg_skip(struct vssd_tcg_reader *reader)
{
	unsigned depth = 0;

	do {
		struct vssd_tcg_atom atom = vssd_tcg_next(reader);
		bool opens = atom.value == VSSD_TCG_START_LIST || atom.value == VSSD_TCG_START_NAME;
		bool closes = atom.value == VSSD_TCG_END_LIST || atom.value == VSSD_TCG_END_NAME;

		if (atom.kind == VSSD_TCG_NOTHING)
			return false;
		if (atom.kind != VSSD_TCG_CONTROL)
			continue;
		if (!opens && (!closes || depth == 0))
			return false;
		depth += opens ? 1 : -1u;
	} while (depth > 0);
	return true;
}

/* ---- writing ---- */

static uint8_t *room(struct vssd_tcg_writer *writer, uint32_t length)
{
	uint8_t *at = writer->bytes + writer->length;

	if (writer->full || length > writer->size - writer->length) {
		writer->full = true;
		return NULL;
	}
	writer->length += length;
	return at;
}

static void put_byte(struct vssd_tcg_writer *writer, uint8_t byte)
{
	uint8_t *at = room(writer, 1);

	if (at)
		*at = byte;
}

void vssd_tcg_put(struct vssd_tcg_writer *writer, enum vssd_tcg_token token)
{
	put_byte(writer, (uint8_t)token);
}

void vssd_tcg_put_uint(struct vssd_tcg_writer *writer, uint64_t value)
{
	unsigned bytes = value < 0x100 ? 1 : value < 0x10000 ? 2 : value < UINT64_C(0x100000000) ? 4 : 8;
	uint8_t *at;

	if (value < 0x40) {
		put_byte(writer, (uint8_t)value);
		return;
	}
	at = room(writer, 1 + bytes);
	if (!at)
		return;
	at[0] = (uint8_t)(0x80 | bytes);
	vssd_tcg_put_be(at + 1, bytes, value);
}

void vssd_tcg_put_bytes(struct vssd_tcg_writer *writer, const void *bytes, uint32_t length)
{
	unsigned header = length <= MOST_SHORT ? 1 : length <= MOST_MEDIUM ? 2 : 4;
	static const uint32_t marks[] = {0, 0xa0, 0xd000, 0, 0xe2000000};
	uint8_t *at = room(writer, header + length);

	if (!at)
		return;
	vssd_tcg_put_be(at, header, marks[header] | length);
	if (length > 0)
		memcpy(at + header, bytes, length);
}

void vssd_tcg_put_text(struct vssd_tcg_writer *writer, const char *text)
{
	vssd_tcg_put_bytes(writer, text, (uint32_t)strlen(text));
}

void vssd_tcg_put_uid(struct vssd_tcg_writer *writer, uint64_t uid)
{
	uint8_t bytes[8];

	vssd_tcg_put_be(bytes, 8, uid);
	vssd_tcg_put_bytes(writer, bytes, sizeof(bytes));
}
