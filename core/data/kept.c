/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t number; /* of the command, from 1 on; 0: unused */
	uint32_t length;
};

struct pyn_kept {
	uint32_t size, count;
	uint32_t next; /* the entry to replace next */
	uint8_t *data; /* size bytes for each entry; the kernel allocates pages at their first use */
	struct entry entries[];
};

struct pyn_kept *pyn_kept_create(uint32_t size, uint32_t count, struct pyn_error *err)
{
	struct pyn_kept *kept = NULL;

	if ((uint64_t)size * count <= PYN_KEPT_LARGEST)
		kept = calloc(1, sizeof(*kept) + count * sizeof(kept->entries[0]));
	if (kept)
		kept->data = calloc(count, size);
	if (!kept || !kept->data) {
		free(kept);
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory to keep %u bytes of each of %u commands", size,
			  count);
		return NULL;
	}
	kept->size = size;
	kept->count = count;
	return kept;
}

void pyn_kept_free(struct pyn_kept *kept)
{
	if (kept)
		free(kept->data);
	free(kept);
}

static const struct entry *find(const struct pyn_kept *kept, uint64_t number)
{
	for (uint32_t i = 0; i < kept->count; i++)
		if (kept->entries[i].number == number)
			return &kept->entries[i];
	return NULL;
}

void pyn_kept_put(struct pyn_kept *kept, uint64_t number, const void *data, uint32_t length)
{
	uint32_t at = kept->next;

	kept->next = at + 1 < kept->count ? at + 1 : 0;
	kept->entries[at].number = number;
	kept->entries[at].length = length < kept->size ? length : kept->size;
	memcpy(kept->data + (size_t)at * kept->size, data, kept->entries[at].length);
}

uint32_t pyn_kept_get(const struct pyn_kept *kept, uint64_t number, void *into, uint32_t size)
{
	const struct entry *entry = number ? find(kept, number) : NULL;

	if (!entry)
		return 0;
	memcpy(into, kept->data + (size_t)(entry - kept->entries) * kept->size,
	       entry->length < size ? entry->length : size);
	return entry->length;
}

uint32_t pyn_kept_size(const struct pyn_kept *kept)
{
	return kept->size;
}
