/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/key_tree.h"

#include <string.h>

/* The order of List: below 0 if a comes before b. */
static int compare(const struct vssd_key *a, const struct vssd_key *b)
{
	int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);

	return order ? order : (int)a->length - (int)b->length;
}

struct vssd_kv_entry *vssd_key_tree_find(struct vssd_kv_entry *root, const struct vssd_key *key)
{
	struct vssd_kv_entry *entry = vssd_key_tree_from(root, key);

	return entry && compare(&entry->key, key) == 0 ? entry : NULL;
}

/* The first entry whose key is not before this order relative to key. */
static struct vssd_kv_entry *first(struct vssd_kv_entry *at, const struct vssd_key *key, int order)
{
	struct vssd_kv_entry *found = NULL;

	while (at) {
		if (compare(&at->key, key) >= order) {
			found = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return found;
}

struct vssd_kv_entry *vssd_key_tree_from(struct vssd_kv_entry *root, const struct vssd_key *key)
{
	return first(root, key, 0);
}

struct vssd_kv_entry *vssd_key_tree_after(struct vssd_kv_entry *root, const struct vssd_key *key)
{
	return first(root, key, 1);
}

/* Split a tree into the entries before a key and those after it. */
static void split(struct vssd_kv_entry *tree, const struct vssd_key *key, struct vssd_kv_entry **before,
		  struct vssd_kv_entry **after)
{
	while (tree) {
		if (compare(&tree->key, key) < 0) {
			*before = tree;
			before = &tree->right;
			tree = tree->right;
		} else {
			*after = tree;
			after = &tree->left;
			tree = tree->left;
		}
	}
	*before = *after = NULL;
}

/* Join two trees, where all keys of a are before those of b. */
static void join(struct vssd_kv_entry **at, struct vssd_kv_entry *a, struct vssd_kv_entry *b)
{
	while (a && b) {
		if (a->priority > b->priority) {
			*at = a;
			at = &a->right;
			a = a->right;
		} else {
			*at = b;
			at = &b->left;
			b = b->left;
		}
	}
	*at = a ? a : b;
}

/* The link to an entry, or the place where it belongs by its priority. */
static struct vssd_kv_entry **link_of(struct vssd_kv_entry **at, const struct vssd_kv_entry *entry)
{
	while (*at && *at != entry && (*at)->priority >= entry->priority)
		at = compare(&entry->key, &(*at)->key) < 0 ? &(*at)->left : &(*at)->right;
	return at;
}

void vssd_key_tree_add(struct vssd_kv_entry **root, struct vssd_kv_entry *entry)
{
	struct vssd_kv_entry **at = link_of(root, entry);

	split(*at, &entry->key, &entry->left, &entry->right);
	*at = entry;
}

void vssd_key_tree_remove(struct vssd_kv_entry **root, struct vssd_kv_entry *entry)
{
	join(link_of(root, entry), entry->left, entry->right);
	entry->left = entry->right = NULL;
}
