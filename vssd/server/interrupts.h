/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts: MSI-X with its table (BAR 4) and pending bits (BAR 5), MSI, and the pin (INTx).
 *
 * The client sets an eventfd for each vector (SET_IRQS). A table entry or SET_IRQS can mask a vector; an interrupt
 * raised meanwhile waits in the pending bit. Table entries power up masked, as PCIe requires, but an entry that the
 * client never wrote does not hold interrupts back, because QEMU emulates the table itself and sets only the
 * eventfds. A client that never writes the enable bit of MSI-X enables a vector by setting its eventfd. The
 * controller decides which kind of interrupt to raise. As in the kernel's VFIO, a client cannot set eventfds of MSI
 * and of MSI-X at the same time.
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
	bool blocking; /* the client opened it so; the flag is shared with the client, so leave it */
};

struct vssd_vector {
	struct vssd_eventfd eventfd;
	bool written; /* the client wrote its table entry, or masked it by SET_IRQS */
	bool pending;
};

struct vssd_interrupts {
	struct vssd_eventfd intx;
	bool intx_masked; /* by SET_IRQS */
	struct vssd_eventfd messages[VSSD_MSI_VECTORS];
	bool function_masked; /* MSI-X */
	uint32_t count;       /* MSI-X vectors */
	struct vssd_vector vectors[VSSD_MSIX_MOST];
	struct pci_msix_entry table[VSSD_MSIX_MOST];
};

/* count: MSI-X vectors of the controller */
void vssd_interrupts_init(struct vssd_interrupts *interrupts, uint32_t count);

/* A function reset returns the table to its state at power-up; the client's eventfds stay. */
void vssd_interrupts_reset(struct vssd_interrupts *interrupts);

/* The client has disconnected: reset, and close its eventfds. */
void vssd_interrupts_release(struct vssd_interrupts *interrupts);

/* Raise an MSI-X vector, an MSI message or the pin. False: the client does not use the vector. */
bool vssd_interrupts_raise(struct vssd_interrupts *interrupts, uint16_t vector);
void vssd_interrupts_message(const struct vssd_interrupts *interrupts, uint16_t message);
void vssd_interrupts_pin(const struct vssd_interrupts *interrupts);

/* Whether a vector is masked, alone or with the function. */
bool vssd_interrupts_is_masked(const struct vssd_interrupts *interrupts, uint32_t vector);

/* Set the function mask of MSI-X. Unmasking raises the pending vectors. */
void vssd_interrupts_mask_function(struct vssd_interrupts *interrupts, bool masked);

/* How many interrupts the index (enum vfu_irq) has. */
uint32_t vssd_interrupts_count(const struct vssd_interrupts *interrupts, uint32_t index);

/* Execute SET_IRQS. 0, or -EINVAL. bools: bools_length bytes from the client, of which the request uses
 * request->count if its flags say so. Each fd that is kept becomes -1 in fds; the caller closes the others. */
int vssd_interrupts_set(struct vssd_interrupts *interrupts, const struct vfu_irq_set *request, const uint8_t *bools,
			size_t bools_length, int *fds, unsigned num_fds);

/* Access the BARs. The caller has checked offset and length against their sizes. The pending bits are read-only. */
void vssd_interrupts_table_read(const struct vssd_interrupts *interrupts, uint32_t offset, void *data,
				uint32_t length);
void vssd_interrupts_table_write(struct vssd_interrupts *interrupts, uint32_t offset, const void *data,
				 uint32_t length);
void vssd_interrupts_pending_read(const struct vssd_interrupts *interrupts, uint32_t offset, void *data,
				  uint32_t length);

#endif
