/* SPDX-License-Identifier: BSD-3-Clause */
/* The source ranges of a Copy command. NVM Express NVM Command Set Specification 1.1, section 3.3.2. */
#ifndef VSSD_CMD_COPY_SOURCE_H
#define VSSD_CMD_COPY_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/protection.h"

#define VSSD_COPY_SOURCE_MOST sizeof(struct nvme_copy_range_3) /* bytes of a source range of any format */

struct vssd_copy_source {
	uint32_t nsid; /* formats 2h and 3h */
	uint64_t slba;
	uint64_t nlb;
	struct vssd_tags tags; /* expected */
	uint16_t app;
	uint16_t app_mask;
};

/* Formats 2h and 3h name a namespace. */
static inline bool vssd_copy_names_ns(uint64_t format)
{
	return format & 2;
}

/* Formats 1h and 3h have the tags of the guards of 32 and 64 bits. */
static inline bool vssd_copy_has_long_tags(uint64_t format)
{
	return format & 1;
}

/* Bytes of a source range. */
static inline uint32_t vssd_copy_source_size(uint64_t format)
{
	return vssd_copy_has_long_tags(format) ? sizeof(struct nvme_copy_range_3) : sizeof(struct nvme_copy_range_2);
}

/* Parse the bytes of a source range. */
struct vssd_copy_source vssd_copy_source_parse(uint64_t format, const uint8_t *from);

#endif
