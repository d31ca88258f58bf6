/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/namespace.h"

#include "vssd/subsystem/subsystem.h"

uint8_t vssd_lbaf_shift(uint8_t lbaf)
{
	return lbaf == 0 ? 9 : 12;
}

void vssd_ns_set_format(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint8_t lbaf)
{
	ns->lba_shift = vssd_lbaf_shift(lbaf);
	ns->nsze = ns->blocks << (VSSD_BLOCK_SHIFT - ns->lba_shift);
	subsystem->nv->formats.lbaf[ns->nsid - 1] = lbaf;
}

/* The first namespace at or after a block, or NULL. */
static const struct vssd_ns *next_extent(const struct vssd_subsystem *subsystem, uint64_t block)
{
	const struct vssd_ns *next = NULL;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		const struct vssd_ns *ns = &subsystem->ns[i];

		if (ns->nsid && ns->first_block >= block && (!next || ns->first_block < next->first_block))
			next = ns;
	}
	return next;
}

/* Find a gap between or after the namespaces, first fit. */
static bool find_extent(const struct vssd_subsystem *subsystem, uint64_t blocks, uint64_t *first)
{
	const struct vssd_ns *next;

	*first = 0;
	for (next = next_extent(subsystem, 0); next; next = next_extent(subsystem, *first)) {
		if (next->first_block - *first >= blocks)
			return true;
		*first = next->first_block + next->blocks;
	}
	return blocks <= subsystem->blocks - *first;
}

bool vssd_ns_create(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t blocks, uint8_t lbaf)
{
	struct vssd_ns *ns = nsid - 1 < VSSD_MAX_NAMESPACES ? &subsystem->ns[nsid - 1] : NULL;
	uint64_t first;

	if (!ns || ns->nsid || blocks == 0 || !find_extent(subsystem, blocks, &first))
		return false;
	*ns = (struct vssd_ns){.nsid = nsid, .first_block = first, .blocks = blocks};
	vssd_ns_set_format(subsystem, ns, lbaf);
	return true;
}

void vssd_ns_delete(struct vssd_subsystem *subsystem, struct vssd_ns *ns)
{
	vssd_subsystem_erase(subsystem, ns->first_block, ns->blocks, VSSD_POOL_UNWRITTEN);
	*ns = (struct vssd_ns){0};
}
