/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys of a Key Value namespace and their values. Key Value Command Set Specification 1.1. vssd/cmd/key_value.c
 * has the commands.
 *
 * Each key has a record, a block of the namespace's extent, which holds the key and a short value, or else the list
 * of the blocks that hold the value. A new value never overwrites blocks of the old one. Its blocks are written at
 * once, and its record becomes valid when the value leaves the cache. Until then a loss of power returns to the old
 * value. So after a crash, at any instruction, each key has one of the values that the host has stored, as a whole.
 */
#ifndef VSSD_SUBSYSTEM_KEY_VALUE_H
#define VSSD_SUBSYSTEM_KEY_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "vssd/options.h"
#include "vssd/subsystem/part.h"

#define VSSD_KEY_MAX 16u                       /* bytes */
#define VSSD_VALUE_MAX (UINT64_C(1) << 20)     /* bytes */
#define VSSD_KV_BLOCKS_MAX (UINT64_C(1) << 32) /* of a namespace */

struct vssd_kv;
struct vssd_ns;
struct vssd_subsystem;

struct vssd_key {
	uint8_t length;
	uint8_t bytes[VSSD_KEY_MAX];
};

/* A key that exists. */
struct vssd_kv_entry;

extern const struct vssd_subsystem_part vssd_kv_part;

/* Create the stores of all Key Value namespaces of a drive. is_new: the store was empty. 0, or -ENOMEM. */
int vssd_kv_create(struct vssd_subsystem *subsystem, bool is_new, struct pyn_error *err);

/* The keys of a namespace, or NULL: it is not of this command set. */
struct vssd_kv *vssd_kv_of(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Create the store of a new namespace. False: there is no memory. */
bool vssd_kv_add(struct vssd_subsystem *subsystem, struct vssd_ns *ns);

/* Forget the keys of a namespace that is deleted. */
void vssd_kv_drop(struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Forget the keys of a namespace whose blocks a format or a sanitize operation has erased. */
void vssd_kv_erased(struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Make all that was stored and deleted durable, in all namespaces. */
void vssd_kv_flush(struct vssd_subsystem *subsystem);

/* Find a key, or the first one at or after it in the order of List: bytewise, a shorter key before a longer one that
 * begins with it. NULL: there is none. */
const struct vssd_kv_entry *vssd_kv_find(const struct vssd_kv *kv, const struct vssd_key *key);
const struct vssd_kv_entry *vssd_kv_from(const struct vssd_kv *kv, const struct vssd_key *key);

/* The key after this one. NULL: it is the last. */
const struct vssd_kv_entry *vssd_kv_next(const struct vssd_kv *kv, const struct vssd_kv_entry *entry);

const struct vssd_key *vssd_kv_key(const struct vssd_kv_entry *entry);

/* Bytes of the value. */
uint32_t vssd_kv_size(const struct vssd_kv_entry *entry);

/* The bytes of a value from an offset below its size on. *length: in: bytes wanted; out: how many follow here. */
const uint8_t *vssd_kv_read(const struct vssd_kv *kv, const struct vssd_kv_entry *entry, uint32_t offset,
			    uint32_t *length);

/* Store a value in three steps: begin reserves room for size bytes, and returns a handle, or 0 if there is none; room
 * tells where to put the bytes from an offset on, as vssd_kv_read() does; end gives the value to the key, which need
 * not exist. The caller fills in all bytes. False: no memory for another key; the value is dropped. */
uint32_t vssd_kv_begin(struct vssd_kv *kv, const struct vssd_key *key, uint32_t size);
uint8_t *vssd_kv_room(struct vssd_kv *kv, uint32_t handle, uint32_t offset, uint32_t *length);
bool vssd_kv_end(struct vssd_kv *kv, uint32_t handle);

/* Drop a value that was begun. */
void vssd_kv_abandon(struct vssd_kv *kv, uint32_t handle);

/* Delete a key that exists. */
void vssd_kv_delete(struct vssd_kv *kv, const struct vssd_key *key);

/* Make a change of this key durable at once. */
void vssd_kv_commit(struct vssd_kv *kv, const struct vssd_key *key);

/* How many keys exist, and how many bytes their records and values occupy. */
uint64_t vssd_kv_count(const struct vssd_kv *kv);
uint64_t vssd_kv_used(const struct vssd_kv *kv);

#endif
