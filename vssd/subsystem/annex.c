/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/annex.h"

#include <stddef.h>
#include <string.h>

#define TAG(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static const struct {
	struct vssd_annex_head head;
	size_t offset;
	size_t size;
} known[] = {
	{{TAG('O', 'C', 'P', ' '), 1}, offsetof(struct vssd_annex, ocp), sizeof(struct vssd_ocp_saved)},
	{{TAG('P', 'E', 'L', ' '), 1}, offsetof(struct vssd_annex, pel), sizeof(struct vssd_pel_saved)},
	{{TAG('L', 'B', 'A', 'S'), 1}, offsetof(struct vssd_annex, tracked), sizeof(struct vssd_tracked_saved)},
	{{TAG('D', 'I', 'V', ' '), 1}, offsetof(struct vssd_annex, division), sizeof(struct vssd_division)},
	{{TAG('R', 'E', 'S', ' '), 1}, offsetof(struct vssd_annex, reservations), sizeof(struct vssd_reservations)},
	{{TAG('Z', 'N', 'S', ' '), 1}, offsetof(struct vssd_annex, zones), sizeof(struct vssd_zone_limits_saved)},
};

struct vssd_annex *vssd_annex_open(struct vssd_store *store)
{
	uint8_t *annex = vssd_store_annex(store);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint8_t *part = annex + known[i].offset;

		if (memcmp(part, &known[i].head, sizeof(known[i].head)) == 0)
			continue;
		memset(part, 0, known[i].size);
		memcpy(part, &known[i].head, sizeof(known[i].head));
	}
	return (struct vssd_annex *)annex;
}
