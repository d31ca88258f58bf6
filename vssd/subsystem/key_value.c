/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/key_value.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/crc32c.h"
#include "core/util/random.h"
#include "vssd/subsystem/key_tree.h"
#include "vssd/subsystem/subsystem.h"

#define VALID UINT64_C(0x4555c4156590a11d)
#define DRAFT UINT64_C(0) /* of a value that is still in the cache */

/* The record of a key, in a block. The block's CRC covers what does not change with its validity. */
struct record {
	uint64_t validity; /* VALID or DRAFT */
	uint64_t sequence; /* of two valid records of a key, the one with the higher number holds its value */
	uint32_t crc;      /* of the bytes from size on */
	uint32_t size;     /* of the value */
	uint32_t place;    /* of this block in the namespace */
	struct vssd_key key;
	uint8_t reserved[3];
	uint8_t inside[VSSD_BLOCK_SIZE - 48]; /* the value or, if it is longer, the places of its blocks */
};
_Static_assert(sizeof(struct record) == VSSD_BLOCK_SIZE, "a record is a block");

#define INSIDE ((uint32_t)sizeof(((struct record *)0)->inside))
#define CHECKED offsetof(struct record, size)
_Static_assert(VSSD_VALUE_MAX / VSSD_BLOCK_SIZE * sizeof(uint32_t) <= sizeof(((struct record *)0)->inside), "list");

struct vssd_kv {
	struct vssd_subsystem *subsystem;
	struct vssd_ns *ns;
	struct vssd_kv_entry *root;
	struct vssd_kv_entry *oldest; /* of the dirty keys; newest: also */
	struct vssd_kv_entry *newest;
	uint64_t dirty_blocks; /* that the values of dirty keys occupy */
	uint64_t *taken;       /* a bit for each block of the namespace */
	uint64_t hint;         /* where the search for a free block begins, in words of taken */
	uint64_t used;         /* blocks; of values that are current */
	uint64_t free;         /* blocks that are not taken */
	uint64_t count;        /* keys that exist */
	uint64_t sequence;
	struct pyn_random random;
};

struct vssd_kv *vssd_kv_of(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	return subsystem->kv[ns->nsid - 1];
}

/* ---- blocks ---- */

static uint64_t block_of(const struct vssd_kv *kv, uint32_t place)
{
	return kv->ns->first_block + place;
}

static bool is_taken(const struct vssd_kv *kv, uint32_t place)
{
	return kv->taken[place / 64] >> (place % 64) & 1;
}

static void take(struct vssd_kv *kv, uint32_t place)
{
	kv->taken[place / 64] |= UINT64_C(1) << (place % 64);
	kv->free--;
}

/* Take a free block. There is one. */
static uint32_t take_any(struct vssd_kv *kv)
{
	uint64_t words = (kv->ns->blocks + 63) / 64;
	uint32_t place;

	while (kv->taken[kv->hint] == UINT64_MAX)
		kv->hint = kv->hint + 1 < words ? kv->hint + 1 : 0;
	place = (uint32_t)(kv->hint * 64 + (uint64_t)__builtin_ctzll(~kv->taken[kv->hint]));
	take(kv, place);
	return place;
}

static void release(struct vssd_kv *kv, uint32_t place)
{
	if (!is_taken(kv, place))
		return;
	kv->taken[place / 64] &= ~(UINT64_C(1) << (place % 64));
	kv->free++;
	vssd_store_erase(kv->subsystem->store, block_of(kv, place), 1, VSSD_POOL_UNWRITTEN);
}

/* Blocks besides the record that hold a value. */
static uint32_t value_blocks(uint32_t size)
{
	return size <= INSIDE ? 0 : (size + VSSD_BLOCK_SIZE - 1) / VSSD_BLOCK_SIZE;
}

static const struct record *record_at(const struct vssd_kv *kv, uint32_t place)
{
	return (const struct record *)vssd_store_data(kv->subsystem->store, block_of(kv, place));
}

static uint32_t list_at(const struct record *record, uint32_t index)
{
	uint32_t place;

	memcpy(&place, record->inside + index * sizeof(place), sizeof(place));
	return place;
}

/* Free the blocks of a version. The record goes first: without it the rest is garbage, which nobody refers to. */
static void drop(struct vssd_kv *kv, struct vssd_kv_version version)
{
	uint32_t places[VSSD_VALUE_MAX / VSSD_BLOCK_SIZE], count = value_blocks(version.size);

	if (!version.record)
		return;
	memcpy(places, record_at(kv, version.record - 1)->inside, count * sizeof(places[0]));
	release(kv, version.record - 1);
	for (uint32_t i = 0; i < count; i++)
		release(kv, places[i]);
}

/* ---- the cache ---- */

static void unlink_dirty(struct vssd_kv *kv, struct vssd_kv_entry *entry)
{
	*(entry->older ? &entry->older->newer : &kv->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &kv->newest) = entry->older;
	entry->older = entry->newer = NULL;
	entry->dirty = false;
	kv->dirty_blocks -= 1 + value_blocks(entry->current.size);
}

static void link_dirty(struct vssd_kv *kv, struct vssd_kv_entry *entry)
{
	entry->older = kv->newest;
	*(kv->newest ? &kv->newest->newer : &kv->oldest) = entry;
	kv->newest = entry;
	entry->dirty = true;
	kv->dirty_blocks += 1 + value_blocks(entry->current.size);
}

/* Free an entry whose key does not exist any more. */
static void forget_if_gone(struct vssd_kv *kv, struct vssd_kv_entry *entry)
{
	if (entry->dirty || entry->current.record)
		return;
	vssd_key_tree_remove(&kv->root, entry);
	free(entry);
}

/* Make the change of a dirty key durable: its new record becomes valid before the old one is gone. */
static void make_durable(struct vssd_kv *kv, struct vssd_kv_entry *entry)
{
	struct vssd_kv_version old = entry->durable;
	const uint64_t valid = VALID;

	if (entry->current.record)
		vssd_store_poke(kv->subsystem->store, block_of(kv, entry->current.record - 1) << VSSD_BLOCK_SHIFT,
				&valid, sizeof(valid));
	unlink_dirty(kv, entry);
	entry->durable = entry->current;
	drop(kv, old);
	forget_if_gone(kv, entry);
}

/* Replace the current version of a key, which becomes dirty. */
static void change(struct vssd_kv *kv, struct vssd_kv_entry *entry, struct vssd_kv_version version)
{
	struct vssd_kv_version old = entry->current;
	bool was_dirty = entry->dirty;

	if (was_dirty)
		unlink_dirty(kv, entry);
	kv->count += (version.record != 0) - (uint64_t)(old.record != 0);
	kv->used += version.record ? 1 + value_blocks(version.size) : 0;
	kv->used -= old.record ? 1 + value_blocks(old.size) : 0;
	entry->current = version;
	link_dirty(kv, entry);
	if (was_dirty)
		drop(kv, old);
	while (kv->oldest && kv->dirty_blocks > kv->subsystem->options.cache_size / VSSD_BLOCK_SIZE &&
	       kv->oldest != kv->newest)
		make_durable(kv, kv->oldest);
}

static void lose(struct vssd_kv *kv)
{
	while (kv->oldest) {
		struct vssd_kv_entry *entry = kv->oldest;
		struct vssd_kv_version lost = entry->current;

		unlink_dirty(kv, entry);
		kv->count += (entry->durable.record != 0) - (uint64_t)(lost.record != 0);
		kv->used += entry->durable.record ? 1 + value_blocks(entry->durable.size) : 0;
		kv->used -= lost.record ? 1 + value_blocks(lost.size) : 0;
		entry->current = entry->durable;
		drop(kv, lost);
		forget_if_gone(kv, entry);
	}
}

static void flush(struct vssd_kv *kv)
{
	while (kv->oldest)
		make_durable(kv, kv->oldest);
}

void vssd_kv_flush(struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->kv[i])
			flush(subsystem->kv[i]);
}

void vssd_kv_commit(struct vssd_kv *kv, const struct vssd_key *key)
{
	struct vssd_kv_entry *entry = vssd_key_tree_find(kv->root, key);

	if (entry && entry->dirty)
		make_durable(kv, entry);
}

/* ---- look-up ---- */

/* An entry that exists, or the next one that does. */
static struct vssd_kv_entry *existing(const struct vssd_kv *kv, struct vssd_kv_entry *entry)
{
	while (entry && !entry->current.record)
		entry = vssd_key_tree_after(kv->root, &entry->key);
	return entry;
}

const struct vssd_kv_entry *vssd_kv_find(const struct vssd_kv *kv, const struct vssd_key *key)
{
	struct vssd_kv_entry *entry = vssd_key_tree_find(kv->root, key);

	return entry && entry->current.record ? entry : NULL;
}

const struct vssd_kv_entry *vssd_kv_from(const struct vssd_kv *kv, const struct vssd_key *key)
{
	return existing(kv, vssd_key_tree_from(kv->root, key));
}

const struct vssd_kv_entry *vssd_kv_next(const struct vssd_kv *kv, const struct vssd_kv_entry *entry)
{
	return existing(kv, vssd_key_tree_after(kv->root, &entry->key));
}

const struct vssd_key *vssd_kv_key(const struct vssd_kv_entry *entry)
{
	return &entry->key;
}

uint32_t vssd_kv_size(const struct vssd_kv_entry *entry)
{
	return entry->current.size;
}

uint64_t vssd_kv_count(const struct vssd_kv *kv)
{
	return kv->count;
}

uint64_t vssd_kv_used(const struct vssd_kv *kv)
{
	return kv->used << VSSD_BLOCK_SHIFT;
}

/* Where the bytes of a value from an offset on lie, and how many of *length follow there. */
static uint64_t locate(const struct vssd_kv *kv, uint32_t place, uint32_t offset, uint32_t *length)
{
	const struct record *record = record_at(kv, place);
	uint32_t in_block = offset % VSSD_BLOCK_SIZE, room = VSSD_BLOCK_SIZE - in_block;

	if (record->size <= INSIDE)
		return (block_of(kv, place) << VSSD_BLOCK_SHIFT) + offsetof(struct record, inside) + offset;
	*length = *length < room ? *length : room;
	return (block_of(kv, list_at(record, offset / VSSD_BLOCK_SIZE)) << VSSD_BLOCK_SHIFT) + in_block;
}

static const uint8_t *bytes_at(const struct vssd_kv *kv, uint64_t offset)
{
	return vssd_store_data(kv->subsystem->store, offset >> VSSD_BLOCK_SHIFT) + offset % VSSD_BLOCK_SIZE;
}

const uint8_t *vssd_kv_read(const struct vssd_kv *kv, const struct vssd_kv_entry *entry, uint32_t offset,
			    uint32_t *length)
{
	return bytes_at(kv, locate(kv, entry->current.record - 1, offset, length));
}

/* ---- changes ---- */

/* Write a block that was free, durably. False: the file system is full. */
static bool put(struct vssd_kv *kv, uint32_t place, const void *bytes)
{
	if (!vssd_store_put(kv->subsystem->store, block_of(kv, place), bytes))
		return false;
	vssd_store_commit(kv->subsystem->store, block_of(kv, place), 1);
	return true;
}

static uint32_t crc_of(const struct record *record)
{
	uint32_t length = record->size <= INSIDE ? 0 : value_blocks(record->size) * (uint32_t)sizeof(uint32_t);

	return pyn_crc32c(0, (const uint8_t *)record + CHECKED, offsetof(struct record, inside) - CHECKED + length);
}

/* Reserve blocks. False: there are too few, or no memory or file space for them. */
static bool reserve(struct vssd_kv *kv, struct record *record)
{
	static const uint8_t zeros[VSSD_BLOCK_SIZE];
	uint32_t blocks = value_blocks(record->size);
	bool done = true;

	if (kv->free < 1 + blocks)
		flush(kv);
	if (kv->free < 1 + blocks)
		return false;
	record->place = take_any(kv);
	for (uint32_t i = 0; i < blocks; i++) {
		uint32_t place = take_any(kv);

		memcpy(record->inside + i * sizeof(place), &place, sizeof(place));
		done = done && put(kv, place, zeros);
	}
	record->crc = crc_of(record);
	done = put(kv, record->place, record) && done;
	if (!done) {
		for (uint32_t i = 0; i < blocks; i++)
			release(kv, list_at(record, i));
		release(kv, record->place);
	}
	return done;
}

uint32_t vssd_kv_begin(struct vssd_kv *kv, const struct vssd_key *key, uint32_t size)
{
	struct record record = {.validity = DRAFT, .sequence = ++kv->sequence, .size = size, .key = *key};

	return reserve(kv, &record) ? record.place + 1 : 0;
}

uint8_t *vssd_kv_room(struct vssd_kv *kv, uint32_t handle, uint32_t offset, uint32_t *length)
{
	/* The blocks are the namespace's own, durable and not shared, and no valid record refers to them. */
	return (uint8_t *)(uintptr_t)bytes_at(kv, locate(kv, handle - 1, offset, length));
}

void vssd_kv_abandon(struct vssd_kv *kv, uint32_t handle)
{
	drop(kv, (struct vssd_kv_version){.record = handle, .size = record_at(kv, handle - 1)->size});
}

static struct vssd_kv_entry *add(struct vssd_kv *kv, const struct vssd_key *key)
{
	struct vssd_kv_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->priority = pyn_random_next(&kv->random);
	vssd_key_tree_add(&kv->root, entry);
	return entry;
}

bool vssd_kv_end(struct vssd_kv *kv, uint32_t handle)
{
	const struct record *record = record_at(kv, handle - 1);
	struct vssd_kv_version version = {.record = handle, .size = record->size};
	struct vssd_kv_entry *entry = vssd_key_tree_find(kv->root, &record->key);

	if (!entry)
		entry = add(kv, &record->key);
	if (!entry) {
		vssd_kv_abandon(kv, handle);
		return false;
	}
	change(kv, entry, version);
	return true;
}

void vssd_kv_delete(struct vssd_kv *kv, const struct vssd_key *key)
{
	change(kv, vssd_key_tree_find(kv->root, key), (struct vssd_kv_version){0});
}

/* ---- from the medium ---- */

/* Whether a block holds a record that can be trusted, which may come from a file with any contents. */
static bool is_good(const struct vssd_kv *kv, const struct record *record, uint32_t place)
{
	if (record->validity != VALID || record->place != place || record->size > VSSD_VALUE_MAX ||
	    record->key.length == 0 || record->key.length > VSSD_KEY_MAX || record->crc != crc_of(record) ||
	    is_taken(kv, place))
		return false;
	for (uint32_t i = 0; i < value_blocks(record->size); i++)
		if (list_at(record, i) >= kv->ns->blocks || list_at(record, i) == place ||
		    is_taken(kv, list_at(record, i)))
			return false;
	return true;
}

static void take_all(struct vssd_kv *kv, const struct record *record)
{
	take(kv, record->place);
	for (uint32_t i = 0; i < value_blocks(record->size); i++)
		if (!is_taken(kv, list_at(record, i)))
			take(kv, list_at(record, i));
}

/* Adopt the record of a key, or drop it if another one is newer. False: no memory. */
static bool adopt(struct vssd_kv *kv, const struct record *record)
{
	struct vssd_kv_entry *entry = vssd_key_tree_find(kv->root, &record->key);
	struct vssd_kv_version found = {.record = record->place + 1, .size = record->size}, old;

	take_all(kv, record);
	if (record->sequence > kv->sequence)
		kv->sequence = record->sequence;
	if (entry && record_at(kv, entry->durable.record - 1)->sequence > record->sequence) {
		drop(kv, found);
		return true;
	}
	if (!entry)
		entry = add(kv, &record->key);
	if (!entry)
		return false;
	old = entry->durable;
	kv->count += old.record == 0;
	kv->used += 1 + value_blocks(found.size);
	kv->used -= old.record ? 1 + value_blocks(old.size) : 0;
	entry->current = entry->durable = found;
	drop(kv, old);
	return true;
}

/* Find all records, then free the blocks that belong to none: a process that was killed may have left some. */
static bool scan(struct vssd_kv *kv)
{
	struct vssd_store *store = kv->subsystem->store;
	uint64_t first = kv->ns->first_block, end = first + kv->ns->blocks;

	for (uint64_t at = vssd_store_next(store, first); at < end; at = vssd_store_next(store, at + 1)) {
		uint32_t place = (uint32_t)(at - first);

		if (vssd_store_written(store, at) && is_good(kv, record_at(kv, place), place) &&
		    !adopt(kv, record_at(kv, place)))
			return false;
	}
	for (uint64_t at = vssd_store_next(store, first); at < end; at = vssd_store_next(store, at + 1))
		if (vssd_store_written(store, at) && !is_taken(kv, (uint32_t)(at - first)))
			vssd_store_erase(store, at, 1, VSSD_POOL_UNWRITTEN);
	return true;
}

/* ---- the part ---- */

static void free_tree(struct vssd_kv_entry *root)
{
	while (root) {
		struct vssd_kv_entry *next = root->right;

		free_tree(root->left);
		free(root);
		root = next;
	}
}

/* Forget all keys, without a change of the medium. */
static void clear(struct vssd_kv *kv)
{
	uint64_t blocks = kv->ns->blocks;

	free_tree(kv->root);
	kv->root = kv->oldest = kv->newest = NULL;
	kv->dirty_blocks = kv->used = kv->count = 0;
	kv->free = blocks;
	kv->hint = 0;
	memset(kv->taken, 0, (blocks + 63) / 64 * sizeof(*kv->taken));
	for (uint64_t past = blocks; past % 64; past++)
		kv->taken[past / 64] |= UINT64_C(1) << (past % 64);
}

static void destroy(struct vssd_kv *kv)
{
	if (!kv)
		return;
	free_tree(kv->root);
	free(kv->taken);
	free(kv);
}

static struct vssd_kv *create(struct vssd_subsystem *subsystem, struct vssd_ns *ns, bool is_new)
{
	struct vssd_kv *kv = calloc(1, sizeof(*kv));
	bool done;

	if (!kv)
		return NULL;
	kv->subsystem = subsystem;
	kv->ns = ns;
	kv->random = pyn_random_stream(ns->nsid, 0);
	kv->taken = calloc((ns->blocks + 63) / 64, sizeof(*kv->taken));
	done = kv->taken != NULL;
	if (done)
		clear(kv);
	if (done && !is_new)
		done = scan(kv);
	if (done)
		return kv;
	destroy(kv);
	return NULL;
}

int vssd_kv_create(struct vssd_subsystem *subsystem, bool is_new, struct pyn_error *err)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		struct vssd_ns *ns = &subsystem->ns[i];

		if (!ns->nsid || ns->csi != NVME_CSI_KV)
			continue;
		subsystem->kv[i] = create(subsystem, ns, is_new);
		if (!subsystem->kv[i])
			return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the keys of a namespace");
	}
	return 0;
}

bool vssd_kv_add(struct vssd_subsystem *subsystem, struct vssd_ns *ns)
{
	subsystem->kv[ns->nsid - 1] = create(subsystem, ns, true);
	return subsystem->kv[ns->nsid - 1] != NULL;
}

void vssd_kv_drop(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	destroy(subsystem->kv[ns->nsid - 1]);
	subsystem->kv[ns->nsid - 1] = NULL;
}

void vssd_kv_erased(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	if (subsystem->kv[ns->nsid - 1])
		clear(subsystem->kv[ns->nsid - 1]);
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	for (uint32_t i = 0; !on && i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->kv[i])
			lose(subsystem->kv[i]);
}

static void deinit(struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		destroy(subsystem->kv[i]);
}

const struct vssd_subsystem_part vssd_kv_part = {.power = power, .deinit = deinit};
