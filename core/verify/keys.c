/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/crc32c.h"
#include "core/util/spin.h"
#include "spec/nvme_field.h"

#define FIRST_BUCKETS 1024u
#define NONE UINT32_MAX
#define OLDER 4u /* values of a key that are remembered, besides the last one */

struct entry {
	struct pyn_key key;
	uint32_t next; /* in its bucket */
	struct pyn_digest last;
	struct pyn_digest older[OLDER]; /* the newest first */
};

struct pyn_keys {
	struct pyn_spin lock;
	struct entry *entries;
	uint32_t *buckets; /* the first entry of each; a power of two, as many as there is room for entries */
	uint32_t count;
	uint32_t room;
};

static uint32_t bucket_of(const struct pyn_keys *keys, const struct pyn_key *key)
{
	return pyn_crc32c(key->length, key->bytes, sizeof(key->bytes)) & (keys->room - 1);
}

static void put_into_bucket(struct pyn_keys *keys, uint32_t number)
{
	uint32_t *bucket = &keys->buckets[bucket_of(keys, &keys->entries[number].key)];

	keys->entries[number].next = *bucket;
	*bucket = number;
}

/* Make room for twice as many keys. False: no memory, and nothing has changed. */
static bool grow(struct pyn_keys *keys)
{
	uint32_t room = keys->room ? keys->room * 2 : FIRST_BUCKETS;
	uint32_t *buckets = malloc(room * sizeof(*buckets));
	struct entry *entries = realloc(keys->entries, room * sizeof(*entries));

	if (entries)
		keys->entries = entries;
	if (!entries || !buckets) {
		free(buckets);
		return false;
	}
	free(keys->buckets);
	keys->buckets = buckets;
	keys->room = room;
	memset(buckets, 0xff, room * sizeof(*buckets));
	for (uint32_t i = 0; i < keys->count; i++)
		put_into_bucket(keys, i);
	return true;
}

struct pyn_keys *pyn_keys_create(struct pyn_error *err)
{
	struct pyn_keys *keys = calloc(1, sizeof(*keys));

	if (keys && grow(keys))
		return keys;
	pyn_keys_free(keys);
	pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the keys of a namespace");
	return NULL;
}

void pyn_keys_free(struct pyn_keys *keys)
{
	if (!keys)
		return;
	free(keys->entries);
	free(keys->buckets);
	free(keys);
}

bool pyn_key_of(const struct nvme_cmd *cmd, struct pyn_key *key)
{
	uint64_t length = nvme_get_field(cmd, NVME_FIELD_KV_STORE_KL);

	*key = (struct pyn_key){.length = (uint8_t)length};
	if (length == 0 || length > PYN_KEY_MOST)
		return false;
	memcpy(key->bytes, &cmd->cdw2, 8);
	memcpy(key->bytes + 8, &cmd->cdw14, 8);
	memset(key->bytes + length, 0, PYN_KEY_MOST - length);
	return true;
}

static bool find(const struct pyn_keys *keys, const struct pyn_key *key, uint64_t *number)
{
	uint32_t at = keys->buckets[bucket_of(keys, key)];

	while (at != NONE && memcmp(&keys->entries[at].key, key, sizeof(*key)) != 0)
		at = keys->entries[at].next;
	*number = at;
	return at != NONE;
}

bool pyn_keys_find(struct pyn_keys *keys, const struct pyn_key *key, uint64_t *number)
{
	pyn_spin_lock(&keys->lock);
	bool found = find(keys, key, number);

	pyn_spin_unlock(&keys->lock);
	return found;
}

static bool append(struct pyn_keys *keys, const struct pyn_key *key, uint64_t *number)
{
	if (keys->count == PYN_KEYS_MOST || (keys->count == keys->room && !grow(keys)))
		return false;
	*number = keys->count++;
	keys->entries[*number] = (struct entry){.key = *key, .last = pyn_digest_of_none()};
	memset(keys->entries[*number].older, 0xff, sizeof(keys->entries[*number].older));
	put_into_bucket(keys, (uint32_t)*number);
	return true;
}

bool pyn_keys_add(struct pyn_keys *keys, const struct pyn_key *key, uint64_t *number)
{
	pyn_spin_lock(&keys->lock);
	bool done = find(keys, key, number) || append(keys, key, number);

	pyn_spin_unlock(&keys->lock);
	return done;
}

void pyn_keys_note(struct pyn_keys *keys, uint64_t number, struct pyn_digest digest)
{
	pyn_spin_lock(&keys->lock);
	struct entry *entry = &keys->entries[number];

	memmove(&entry->older[1], &entry->older[0], (OLDER - 1) * sizeof(entry->older[0]));
	entry->older[0] = entry->last;
	entry->last = digest;
	pyn_spin_unlock(&keys->lock);
}

static uint32_t crc_of(struct pyn_digest digest)
{
	return pyn_crc32c(0, &digest, sizeof(digest));
}

struct pyn_digest pyn_keys_expected(struct pyn_keys *keys, uint64_t number, uint32_t crc)
{
	struct pyn_digest found = {0, UINT32_MAX};

	pyn_spin_lock(&keys->lock);
	const struct entry *entry = &keys->entries[number];

	if (crc_of(entry->last) == crc)
		found = entry->last;
	else if (crc_of(entry->older[0]) == crc)
		found = entry->older[0];
	pyn_spin_unlock(&keys->lock);
	return found;
}

bool pyn_keys_had(struct pyn_keys *keys, uint64_t number, struct pyn_digest digest)
{
	pyn_spin_lock(&keys->lock);
	bool had = false;

	for (unsigned i = 0; i < OLDER; i++)
		had = had || pyn_digest_equals(keys->entries[number].older[i], digest);
	pyn_spin_unlock(&keys->lock);
	return had;
}

bool pyn_keys_swapped(struct pyn_keys *keys, uint64_t number, struct pyn_digest digest, struct pyn_key *other)
{
	bool found = false;

	pyn_spin_lock(&keys->lock);
	for (uint32_t i = 0; i < keys->count && !found; i++) {
		found = i != number && pyn_digest_equals(keys->entries[i].last, digest);
		if (found)
			*other = keys->entries[i].key;
	}
	pyn_spin_unlock(&keys->lock);
	return found;
}

void pyn_key_text(const struct pyn_key *key, char text[PYN_KEY_TEXT])
{
	bool printable = key->length > 0;
	char *at = text;

	for (unsigned i = 0; i < key->length; i++)
		printable = printable && key->bytes[i] >= ' ' && key->bytes[i] <= '~' && key->bytes[i] != '"';
	if (printable) {
		snprintf(text, PYN_KEY_TEXT, "\"%.*s\"", key->length, (const char *)key->bytes);
		return;
	}
	at += sprintf(at, "0x");
	for (unsigned i = 0; i < key->length && i < PYN_KEY_MOST; i++)
		at += sprintf(at, "%02x", key->bytes[i]);
}
