/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of a Key Value namespace in order: a treap, whose depth is logarithmic whatever the keys are. */
#ifndef VSSD_SUBSYSTEM_KEY_TREE_H
#define VSSD_SUBSYSTEM_KEY_TREE_H

#include <stdint.h>

#include "vssd/subsystem/key_value.h"

/* A value of a key, or that it has none. */
struct vssd_kv_version {
	uint32_t record; /* the block of its record, counted from 1; 0: the key does not exist */
	uint32_t size;   /* bytes */
};

struct vssd_kv_entry {
	struct vssd_kv_entry *left;
	struct vssd_kv_entry *right;
	struct vssd_kv_entry *older; /* of the keys that differ from what is durable, by the time of their change */
	struct vssd_kv_entry *newer;
	struct vssd_kv_version current;
	struct vssd_kv_version durable; /* what a loss of power would leave */
	uint64_t priority;
	bool dirty; /* current is not durable */
	struct vssd_key key;
};

/* Find a key, or the first entry at or after it (from), or after it (after). NULL: there is none. */
struct vssd_kv_entry *vssd_key_tree_find(struct vssd_kv_entry *root, const struct vssd_key *key);
struct vssd_kv_entry *vssd_key_tree_from(struct vssd_kv_entry *root, const struct vssd_key *key);
struct vssd_kv_entry *vssd_key_tree_after(struct vssd_kv_entry *root, const struct vssd_key *key);

/* Add an entry whose key the tree does not have, or remove one. The caller owns the entry. */
void vssd_key_tree_add(struct vssd_kv_entry **root, struct vssd_kv_entry *entry);
void vssd_key_tree_remove(struct vssd_kv_entry **root, struct vssd_kv_entry *entry);

#endif
