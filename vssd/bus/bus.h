/* SPDX-License-Identifier: BSD-3-Clause */
/* The bus: everything that a controller may ask of the world it is plugged into. The server implements it. */
#ifndef VSSD_BUS_BUS_H
#define VSSD_BUS_BUS_H

#include "vssd/bus/dma.h"

/* MSI-X as configuration space describes it and the server does it: the table in BAR 4, pending bits in BAR 5, both
 * from offset 0. One vector for the admin queue, one for each IO queue. */
#define VSSD_MSIX_VECTORS 65u
#define VSSD_MSIX_TABLE_BAR 4u
#define VSSD_MSIX_PBA_BAR 5u
#define VSSD_MSIX_BAR_SIZE 4096u

/* MSI: configuration space describes and masks it, the server sends it. */
#define VSSD_MSI_VECTORS 32u

struct vssd_bus;

struct vssd_bus_ops {
	/* Raise MSI-X vector (0 …). False: the client listens to none of that number. */
	bool (*interrupt)(struct vssd_bus *bus, uint16_t vector);

	/* Send MSI message (0 …), or signal the pin; nothing happens where the client listens to none. */
	void (*message)(struct vssd_bus *bus, uint16_t message);
	void (*pin)(struct vssd_bus *bus);

	/* The function mask of MSI-X: what is raised while it is set waits in its pending bit. */
	void (*mask)(struct vssd_bus *bus, bool masked);

	/* The function is reset: the MSI-X table and its pending bits are as at power-up. */
	void (*reset)(struct vssd_bus *bus);

	/* Host memory by message, for regions without memory of their own: 0, or -EFAULT. */
	int (*read)(struct vssd_bus *bus, uint64_t iova, void *data, size_t length);
	int (*write)(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length);
};

struct vssd_bus {
	const struct vssd_bus_ops *ops;
	struct vssd_dma_map dma;
};

/* Copy from and to host memory, across regions and by either way: 0, or -EFAULT (some bytes may have been copied). */
int vssd_bus_read(struct vssd_bus *bus, uint64_t iova, void *data, size_t length);
int vssd_bus_write(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length);

#endif
