/* SPDX-License-Identifier: BSD-3-Clause */
/* Erasures of Format NVM and sanitize operations, as fault rules want them. */
#include "vssd/subsystem/subsystem.h"

#define SECTORS_SHIFT 3u /* sectors in a block */

/* The number of blocks from this one on that belong to the same namespace and are all left, or all erased. Blocks of
 * no namespace are erased. */
static uint64_t same(const struct vssd_subsystem *subsystem, uint64_t block, bool *left)
{
	const struct vssd_ns *ns = vssd_subsystem_ns_at(subsystem, block);
	uint64_t size = ns ? ns->blocks : 1, at = ns ? block - ns->first_block : 0, end = size;

	*left = ns && at >= subsystem->left.first && at < subsystem->left.end;
	if (*left)
		end = subsystem->left.end;
	else if (ns && at < subsystem->left.first)
		end = subsystem->left.first;
	return (end < size ? end : size) - at;
}

void vssd_subsystem_erase(struct vssd_subsystem *subsystem, uint64_t block, uint64_t count,
			  enum vssd_pool_shared content)
{
	vssd_fdp_discard(subsystem, block << SECTORS_SHIFT, count << SECTORS_SHIFT);
	if (subsystem->null_store)
		return;
	if (subsystem->left.end == 0) {
		vssd_store_erase(subsystem->store, block, count, content);
		return;
	}
	while (count > 0) {
		bool left;
		uint64_t piece = same(subsystem, block, &left);

		piece = piece < count ? piece : count;
		if (!left)
			vssd_store_erase(subsystem->store, block, piece, content);
		block += piece;
		count -= piece;
	}
}
