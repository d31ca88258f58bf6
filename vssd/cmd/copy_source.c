/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/copy_source.h"

#include <string.h>

/* The fields that formats 1h and 3h have elsewhere. The first byte of the tags is the most significant one. */
static void parse_long(struct vssd_copy_source *source, const uint8_t *from)
{
	struct nvme_copy_range_3 range;

	memcpy(&range, from, sizeof(range));
	source->tags = (struct vssd_tags){.high = (uint16_t)(range.elbt[0] << 8 | range.elbt[1])};
	for (unsigned i = 2; i < sizeof(range.elbt); i++)
		source->tags.low = source->tags.low << 8 | range.elbt[i];
	source->app = range.elbat;
	source->app_mask = range.elbatm;
}

struct vssd_copy_source vssd_copy_source_parse(uint64_t format, const uint8_t *from)
{
	struct nvme_copy_range_2 range;
	struct vssd_copy_source source;

	memcpy(&range, from, sizeof(range));
	source = (struct vssd_copy_source){
		.nsid = range.snsid,
		.slba = range.slba,
		.nlb = range.nlb + UINT64_C(1),
		.tags.low = range.elbrt,
		.app = range.elbat,
		.app_mask = range.elbatm,
	};
	if (vssd_copy_has_long_tags(format))
		parse_long(&source, from);
	return source;
}
