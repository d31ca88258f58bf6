/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts: MSI-X with its table (BAR 4) and pending bits (BAR 5), MSI, and the pin (INTx).
 *
 * The client names an eventfd for each vector (SET_IRQS). A vector is masked by its table entry or by SET_IRQS; what
 * is raised then waits in its pending bit. Table entries power up masked, as PCIe has it, but an entry that the
 * client never wrote does not hold interrupts back: QEMU keeps the table to itself and only names the eventfds.
 * A client that never writes the enable bit of MSI-X enables a vector by naming its eventfd; the controller knows
 * which kind of interrupts it is to raise. As with the kernel's VFIO, eventfds of MSI and of MSI-X exclude each
 * other.
 */
#ifndef VSSD_SERVER_INTERRUPTS_H
#define VSSD_SERVER_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/pci.h"
#include "spec/vfio_user.h"
#include "vssd/bus/bus.h"

struct vssd_eventfd {
	int fd;        /* -1: none */
	bool blocking; /* the client made it so; it is shared, so we cannot change that */
};

struct vssd_vector {
	struct vssd_eventfd eventfd;
	bool written; /* the client wrote its table entry, or masked it otherwise */
	bool pending;
};

struct vssd_interrupts {
	struct vssd_eventfd intx;
	bool intx_masked; /* by SET_IRQS */
	struct vssd_eventfd messages[VSSD_MSI_VECTORS];
	bool function_masked; /* MSI-X */
	struct vssd_vector vectors[VSSD_MSIX_VECTORS];
	struct pci_msix_entry table[VSSD_MSIX_VECTORS];
};

void vssd_interrupts_init(struct vssd_interrupts *interrupts);

/* The function is reset: the table is as it was at power-up; the client's eventfds stay. */
void vssd_interrupts_reset(struct vssd_interrupts *interrupts);

/* The client is gone: close its eventfds, too. */
void vssd_interrupts_release(struct vssd_interrupts *interrupts);

/* An MSI-X vector; false: nobody listens to it. */
bool vssd_interrupts_raise(struct vssd_interrupts *interrupts, uint16_t vector);
void vssd_interrupts_message(const struct vssd_interrupts *interrupts, uint16_t message);
void vssd_interrupts_pin(const struct vssd_interrupts *interrupts);

/* The function mask of MSI-X. */
void vssd_interrupts_mask_function(struct vssd_interrupts *interrupts, bool masked);

/* How many interrupts an index (enum vfu_irq) has. */
uint32_t vssd_interrupts_count(uint32_t index);

/* SET_IRQS: 0, or -EINVAL. bools are request->count bytes where the flags say so, of bools_length that came along.
 * Of fds, those that are kept are set to -1; the others stay the caller's to close. */
int vssd_interrupts_set(struct vssd_interrupts *interrupts, const struct vfu_irq_set *request, const uint8_t *bools,
			size_t bools_length, int *fds, unsigned num_fds);

/* The BARs; offset and length have been checked against VSSD_MSIX_BAR_SIZE. The pending bits cannot be written. */
void vssd_interrupts_table_read(const struct vssd_interrupts *interrupts, uint32_t offset, void *data,
				uint32_t length);
void vssd_interrupts_table_write(struct vssd_interrupts *interrupts, uint32_t offset, const void *data,
				 uint32_t length);
void vssd_interrupts_pending_read(const struct vssd_interrupts *interrupts, uint32_t offset, void *data,
				  uint32_t length);

#endif
