/* SPDX-License-Identifier: BSD-3-Clause */
/* The bus: all that a controller requests from the host side. The server implements it. */
#ifndef VSSD_BUS_BUS_H
#define VSSD_BUS_BUS_H

#include "vssd/bus/dma.h"

/* MSI-X, which configuration space describes and the server implements: the table in BAR 4, the pending bits in BAR
 * 5, both at offset 0. There is one vector for the admin queue, and one for each I/O queue, as far as MSI-X has so
 * many, but never fewer than VSSD_MSIX_VECTORS. */
#define VSSD_MSIX_VECTORS 65u
#define VSSD_MSIX_MOST 2048u
#define VSSD_MSIX_ENTRY_SIZE 16u /* bytes in the table */
#define VSSD_MSIX_TABLE_BAR 4u
#define VSSD_MSIX_PBA_BAR 5u
#define VSSD_MSIX_BAR_SIZE 4096u /* the table of many vectors needs more */

/* MSI: configuration space describes and masks it, the server sends the messages. */
#define VSSD_MSI_VECTORS 32u

struct vssd_bus;

struct vssd_bus_ops {
	/* Raise MSI-X vector (0 …). False: the client does not use it. */
	bool (*interrupt)(struct vssd_bus *bus, uint16_t vector);

	/* Whether this MSI-X vector is masked, alone or with the function: if it is raised, it waits. */
	bool (*is_masked)(struct vssd_bus *bus, uint16_t vector);

	/* Send MSI message (0 …), or assert the pin. Does nothing if the client has set no eventfd for it. */
	void (*message)(struct vssd_bus *bus, uint16_t message);
	void (*pin)(struct vssd_bus *bus);

	/* Set the function mask of MSI-X: while it is set, a raised vector waits in its pending bit. */
	void (*mask)(struct vssd_bus *bus, bool masked);

	/* Return the MSI-X table and the pending bits to their state at power-up, for a function reset. */
	void (*reset)(struct vssd_bus *bus);

	/* Access host memory by messages, for regions that are not mapped. 0, or -EFAULT. */
	int (*read)(struct vssd_bus *bus, uint64_t iova, void *data, size_t length);
	int (*write)(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length);
};

struct vssd_bus {
	const struct vssd_bus_ops *ops;
	struct vssd_dma_map dma;
};

/* Copy from or to host memory, mapped or not, across regions. 0, or -EFAULT; some bytes may then have been copied. */
int vssd_bus_read(struct vssd_bus *bus, uint64_t iova, void *data, size_t length);
int vssd_bus_write(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length);

#endif
