/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/bus/bus.h"

#include <errno.h>
#include <string.h>

/* How many of the length bytes at iova lie in the region of the first one. 0: there is no region with these flags. */
static size_t piece_of(struct vssd_bus *bus, uint64_t iova, size_t length, uint32_t flags,
		       const struct vssd_dma_region **region)
{
	uint64_t rest;

	*region = vssd_dma_find(&bus->dma, iova);
	if (!*region || ((*region)->flags & flags) != flags)
		return 0;
	rest = (*region)->size - (iova - (*region)->iova);
	return length < rest ? length : (size_t)rest;
}

int vssd_bus_read(struct vssd_bus *bus, uint64_t iova, void *data, size_t length)
{
	uint8_t *to = data;

	while (length > 0) {
		const struct vssd_dma_region *region;
		size_t piece = piece_of(bus, iova, length, VSSD_DMA_READ, &region);

		if (piece == 0)
			return -EFAULT;
		if (region->memory)
			memcpy(to, region->memory + (iova - region->iova), piece);
		else if (bus->ops->read(bus, iova, to, piece) != 0)
			return -EFAULT;
		iova += piece;
		to += piece;
		length -= piece;
	}
	return 0;
}

int vssd_bus_write(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length)
{
	const uint8_t *from = data;

	while (length > 0) {
		const struct vssd_dma_region *region;
		size_t piece = piece_of(bus, iova, length, VSSD_DMA_WRITE, &region);

		if (piece == 0)
			return -EFAULT;
		if (region->memory)
			memcpy(region->memory + (iova - region->iova), from, piece);
		else if (bus->ops->write(bus, iova, from, piece) != 0)
			return -EFAULT;
		iova += piece;
		from += piece;
		length -= piece;
	}
	return 0;
}
