/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys of a Key Value namespace, for its verification. The table of such a namespace has an LBA for each key, by
 * its number here, and the data of that LBA are a digest of the value. Only the process that uses the drive has them.
 * Any of its threads may call these functions.
 */
#ifndef PYN_VERIFY_KEYS_H
#define PYN_VERIFY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_cmd.h"

#define PYN_KEY_MOST 16u                  /* bytes */
#define PYN_KEYS_MOST (UINT64_C(1) << 24) /* keys of a namespace that are verified; commands to others are not */

struct pyn_key {
	uint8_t length; /* 0: no key */
	uint8_t bytes[PYN_KEY_MOST];
};

/* What is compared of a value. Of a key that does not exist it is all ones. */
struct pyn_digest {
	uint32_t crc; /* CRC-32C of the value */
	uint32_t length;
};
_Static_assert(sizeof(struct pyn_digest) == 8, "an LBA of the table");

struct pyn_keys;

/* Create the list of keys, which is empty. NULL: no memory. */
struct pyn_keys *pyn_keys_create(struct pyn_error *err);
void pyn_keys_free(struct pyn_keys *keys);

/* Get the key of a command. False: its length (KL) is none of a key. */
bool pyn_key_of(const struct nvme_cmd *cmd, struct pyn_key *key);

/* Get the number of a key. False: it has none, or (add) cannot get one. */
bool pyn_keys_find(struct pyn_keys *keys, const struct pyn_key *key, uint64_t *number);
bool pyn_keys_add(struct pyn_keys *keys, const struct pyn_key *key, uint64_t *number);

/* Note the digest of the newest change of a key. */
void pyn_keys_note(struct pyn_keys *keys, uint64_t number, struct pyn_digest digest);

/* The digest whose CRC is in a cell of this key, if it is one of the last two; or else one that fits no value. */
struct pyn_digest pyn_keys_expected(struct pyn_keys *keys, uint64_t number, uint32_t crc);

/* Whether the key had this value before, as far as its last values are remembered, and whether another key has it,
 * which *other names then. */
bool pyn_keys_had(struct pyn_keys *keys, uint64_t number, struct pyn_digest digest);
bool pyn_keys_swapped(struct pyn_keys *keys, uint64_t number, struct pyn_digest digest, struct pyn_key *other);

/* Write a key to text, in quotes if it is printable, and otherwise as hexadecimal digits. */
#define PYN_KEY_TEXT 40u
void pyn_key_text(const struct pyn_key *key, char text[PYN_KEY_TEXT]);

static inline bool pyn_digest_equals(struct pyn_digest a, struct pyn_digest b)
{
	return a.crc == b.crc && a.length == b.length;
}

static inline struct pyn_digest pyn_digest_of_none(void)
{
	return (struct pyn_digest){UINT32_MAX, UINT32_MAX};
}

#endif
