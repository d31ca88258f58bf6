/* SPDX-License-Identifier: BSD-3-Clause */
/* What a transaction has overwritten in tables of bytes. Core Specification 2.01, section 3.2.3.4. */
#include <stdlib.h>

#include "vssd/tcg/engine.h"

/* Entries form a stack: the last one is restored first. */
struct vssd_tcg_undo {
	struct vssd_tcg_undo *below;
	enum vssd_tcg_bytes table;
	uint64_t offset;
	uint32_t length;
	uint8_t bytes[];
};

bool vssd_tcg_undo_note(struct vssd_tcg *tcg, enum vssd_tcg_bytes table, uint64_t offset, uint32_t length)
{
	struct vssd_tcg_undo *entry = malloc(sizeof(*entry) + length);

	if (!entry)
		return false;
	*entry = (struct vssd_tcg_undo){.below = tcg->undo, .table = table, .offset = offset, .length = length};
	tcg->ops->read(tcg->context, table, offset, entry->bytes, length);
	tcg->undo = entry;
	return true;
}

void vssd_tcg_undo_end(struct vssd_tcg *tcg, bool restore)
{
	while (tcg->undo) {
		struct vssd_tcg_undo *entry = tcg->undo;

		tcg->undo = entry->below;
		if (restore)
			tcg->ops->write(tcg->context, entry->table, entry->offset, entry->bytes, entry->length);
		free(entry);
	}
}
