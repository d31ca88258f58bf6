/* SPDX-License-Identifier: BSD-3-Clause */
/* How many queues and interrupt vectors a controller has, and the sizes of its BARs, which follow from them. */
#ifndef VSSD_CTRL_LAYOUT_H
#define VSSD_CTRL_LAYOUT_H

#include <stdint.h>

#include "vssd/bus/bus.h"
#include "vssd/ctrl/ctrl.h"
#include "vssd/subsystem/virtual.h"

/* QIDs that a controller can have, with the admin queue's: those of the options, and flexible ones. */
static inline uint32_t vssd_layout_queues(const struct vssd_options *options)
{
	uint32_t flexible = vssd_virtual_total(options);
	uint32_t queues = options->queues + (flexible > VSSD_FLEXIBLE_MOST ? flexible : VSSD_FLEXIBLE_MOST);

	return 1 + (queues < VSSD_MAX_IO_QUEUES ? queues : VSSD_MAX_IO_QUEUES);
}

/* MSI-X vectors: one for each queue, as far as MSI-X has so many. */
static inline uint32_t vssd_layout_vectors(const struct vssd_options *options)
{
	uint32_t queues = options->queues + 1;

	if (queues < VSSD_MSIX_VECTORS)
		return VSSD_MSIX_VECTORS;
	return queues < VSSD_MSIX_MOST ? queues : VSSD_MSIX_MOST;
}

/* Bytes of the doorbells, in whole pages. */
static inline uint32_t vssd_layout_doorbells(const struct vssd_options *options)
{
	uint32_t bytes = vssd_layout_queues(options) * 2 * (uint32_t)sizeof(uint32_t);

	return (bytes + VSSD_DOORBELL_PAGE - 1) / VSSD_DOORBELL_PAGE * VSSD_DOORBELL_PAGE;
}

/* Bytes of BAR 0 and of the BAR of the MSI-X table: powers of two. */
static inline uint32_t vssd_layout_bar0(const struct vssd_options *options)
{
	uint32_t size = VSSD_BAR0_LEAST;

	while (size < VSSD_DOORBELL_OFFSET + vssd_layout_doorbells(options))
		size *= 2;
	return size;
}

static inline uint32_t vssd_layout_msix_table(const struct vssd_options *options)
{
	uint32_t size = VSSD_MSIX_BAR_SIZE;

	while (size < vssd_layout_vectors(options) * VSSD_MSIX_ENTRY_SIZE)
		size *= 2;
	return size;
}

#endif
