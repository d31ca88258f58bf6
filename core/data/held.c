/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/held.h"

#include <errno.h>
#include <stdlib.h>

struct pyn_held {
	uint32_t count;
	struct pyn_buffer_use uses[];
};

int pyn_held_begin(struct pyn_held **held, struct pyn_buffer *const *buffers, uint32_t count, bool to_host,
		   struct pyn_error *err)
{
	*held = NULL;
	if (!count)
		return 0;
	*held = calloc(1, sizeof(**held) + count * sizeof((*held)->uses[0]));
	if (!*held)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the %u buffers of an SGL", count);
	(*held)->count = count;
	for (uint32_t i = 0; i < count; i++)
		pyn_buffer_use_begin(&(*held)->uses[i], buffers[i], 0, buffers[i]->size, to_host, false);
	return 0;
}

void pyn_held_end(struct pyn_held **held)
{
	if (!*held)
		return;
	for (uint32_t i = 0; i < (*held)->count; i++)
		pyn_buffer_use_end(&(*held)->uses[i]);
	free(*held);
	*held = NULL;
}
